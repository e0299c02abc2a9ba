/*
 * report_gather: how the model reads the case: rows of a statement into growing arrays. Private to
 * report_model*.c.
 */
#ifndef KVALI_CASES_REPORT_REPORT_GATHER_H
#define KVALI_CASES_REPORT_REPORT_GATHER_H

#include "cases/report/report_model.h"

/* A size that a sum of many cannot overflow with. */
#define BYTES(x)  "min(max(" x ", 0), 1125899906842624)"
#define BYTES_MAX 1125899906842624U

/* How the first pass stands with the contents that no other one lies around. */
struct first_pass {
    uint64_t contents, done, partial, failed, pending;
};

struct counting;
struct gather {
    struct casefile *cf;
    struct db *db;
    struct report_model *model;
    struct why *why;
    struct counting *counting; /* of gather_contents */
    struct first_pass first;   /* by it */
};

/* Runs `sql`, whose one parameter (if any) is `limit`, and calls `row` for each row. `row` returns 0 or a
 * negative errno. `why` is filled with the database's words. */
int gather_each(struct gather *gather, const char *sql, uint64_t limit,
                int (*row)(struct gather *gather, struct db_statement *s), uint64_t *ret_rows);
/* A table of the report. */
struct gather_table {
    const char *count, *rows, *all; /* how many there are; those that are shown, ?1 at most; all, for the reader to ask */
    uint64_t max;
    int (*row)(struct gather *gather, struct db_statement *s);
    size_t cut; /* where its struct model_cut is in the model */
};
int gather_tables(struct gather *gather, const struct gather_table *tables, size_t count);
/* The one number that `sql` gives. */
int gather_number(struct gather *gather, const char *sql, uint64_t *ret_number);

/* Room for one more zeroed row at the end of an array of `count` rows; NULL: no memory. */
void *gather_grow(void *rows, size_t *count, size_t size);
/* The largest number that SQL has, when it would be more. */
uint64_t gather_sum(uint64_t sum, uint64_t more);
/* Text made safe and cut (safe.h), malloc'ed; NULL: no memory. */
char *gather_safe(const char *text);
/* A column as malloc'ed text made safe and cut (safe.h); NULL: no memory. */
char *gather_text(struct db_statement *s, int column);
/* The same for the first `count` columns; false: no memory. */
bool gather_texts(struct db_statement *s, char **const *ret_texts, size_t count);
/* `missing` for NULL and for the largest integer, which stands for what did not fit. */
uint64_t gather_known(struct db_statement *s, int column, uint64_t missing);

/* report_model_media.c: exhibits, volumes, how completely they were read. */
int gather_media(struct gather *gather);
void media_free(struct report_model *model);
/* The row of a volume, or the one for what lies elsewhere; with `whole` the medium's. NULL: it is not shown. */
struct model_volume *media_volume(struct report_model *model, uint64_t exhibit, const char *volume, bool whole);
/* report_model_contents.c: all names and contents, counted for the rows of media, by type and for the first pass; and the
 * temporary table `placed` (id, volume) of at least those contents that faults are about. */
int gather_contents(struct gather *gather);
/* report_model_types.c: contents by type. Each type that is added counts one content; no memory: -ENOMEM. */
struct type_sums;
struct type_sums *types_new(void);
void types_free(struct type_sums *types);
int types_add(struct type_sums *types, const char *mime, uint64_t bytes);
/* Into the model. */
int types_gather(struct gather *gather, struct type_sums *types);
/* report_model_account.c: what the bytes of each part are; before the rows are arranged. */
int gather_accounts(struct gather *gather);
/* report_model_recovered.c: what was recovered, what is deleted, and pictures of it. */
int gather_recovered(struct gather *gather);
void recovered_free(struct report_model *model);
/* report_model_known.c: what hash sets say. */
int gather_hashsets(struct gather *gather);
void hashsets_free(struct report_model *model);
/* report_model_keywords.c: hits of keywords. */
int gather_keywords(struct gather *gather);
void keywords_free(struct report_model *model);
/* report_model_features.c: what investigators search for, by kind. */
int gather_features(struct gather *gather);
void features_free(struct report_model *model);
/* report_model_rows.c: everything else that is a table. */
int gather_rows(struct gather *gather);
void rows_free(struct report_model *model);

#endif
