/*
 * custody: what people know of a case and no program can: whose it is, who they are, what was seized and by
 * whom, in whose hands it was. All of it stands in the ledger, one record each, and nothing is ever changed
 * there: a mistake is a `correction`, which names the record, and what is read here is what stands after all
 * corrections.
 *
 * One table (custody_kinds.c) says which kinds of records there are, with which fields; prompts, options,
 * files, checks and lists all come from it. The fields follow Georgian procedure (CPC 77, 78, 134) and
 * ISO/IEC 27037.
 *
 * A record's number is its line in ledger.jsonl, from 1.
 */
#ifndef KVALI_CASES_CUSTODY_H
#define KVALI_CASES_CUSTODY_H

#include "cases/casefile.h"
#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------ kinds and fields */

enum custody_form {
    CUSTODY_TEXT,
    CUSTODY_DATE,    /* 2026-01-31 */
    CUSTODY_TIME,    /* 2026-01-31T12:00:00+04:00: with where that was */
    CUSTODY_NUMBER,  /* not negative */
    CUSTODY_CHOICE,  /* one of the field's words */
    CUSTODY_PERSON,  /* the id of a person record */
    CUSTODY_EXHIBIT, /* an exhibit's label */
    CUSTODY_RECORD,  /* the number of a record */
    CUSTODY_HASH,    /* "sha256:<hex>", or the hex alone */
};

enum {
    CUSTODY_MUST = 1,  /* never left out */
    CUSTODY_NONE = 2,  /* "not readable" or "none" says that there is nothing to say */
    CUSTODY_LIST = 4,  /* any number of them */
    CUSTODY_KNOWN = 8, /* kvali fills it in where it knows it */
};

struct custody_field {
    const char *name; /* as in the record; with '-' for '_' it is the option; NULL ends a table */
    enum custody_form form;
    unsigned flags;
    const char *words; /* of a choice, ' ' between, with '_' for a blank; else NULL */
    const char *what;
};

struct custody_kind {
    const char *type;    /* of the ledger's record */
    const char *word;    /* on the command line and in files */
    const char *command; /* that adds one: "custody add", "person add" ... */
    const char *what;
    const char *key; /* the field whose value is the record's name: a later one with the same adds to it;
                        NULL: none */
    const struct custody_field *fields;
};

/* By number from 0; NULL after the last. */
const struct custody_kind *custody_kind(size_t index);
const struct custody_kind *custody_kind_of(const char *type);    /* NULL: another record */
const struct custody_kind *custody_kind_named(const char *word); /* NULL */
const struct custody_field *custody_field(const struct custody_kind *kind, const char *name); /* '-' for '_' is taken too; NULL */

/* ------------------------------------------------------------------ what the ledger holds */

struct custody; /* all records of a case, after corrections */
int custody_load(const char *folder, struct custody **ret_custody, struct why *why);
void custody_free(struct custody *custody);

struct custody_record {
    uint64_t number;
    const struct custody_kind *kind;
    const char *time, *actor; /* when and by whom it was written */
    uint64_t corrected;       /* the record that corrected it last, 0: none */
    bool withdrawn;           /* by that */
    void *fields;             /* custody.c's */
};
size_t custody_count(const struct custody *custody);
const struct custody_record *custody_at(const struct custody *custody, size_t index);
/* How many values a field has, and one of them as text, "" when there is none. Borrowed. */
size_t custody_values(const struct custody_record *record, const char *field);
const char *custody_value(const struct custody_record *record, const char *field, size_t index);
/* All of them, "; " between, appended. */
void custody_text(const struct custody_record *record, const char *field, struct buf *buf);
/* The last record of this kind, not withdrawn, whose `field` is `value` (NULL: any) and that says something
 * of `has` (NULL: of anything); NULL. What an exhibit's or a person's fields are is told by the last that has
 * them. */
const struct custody_record *custody_find(const struct custody *custody, const char *word, const char *field,
                                          const char *value, const char *has);
/* "Nino Beridze, examiner (MIA)", or the id when nobody is known by it; appended. */
void custody_person(const struct custody *custody, const char *id, struct buf *buf);

/* ------------------------------------------------------------------ adding */

struct custody_draft; /* a record that is being put together */
struct custody_draft *custody_draft_new(const struct custody_kind *kind); /* NULL: no memory */
void custody_draft_free(struct custody_draft *draft);
const struct custody_kind *custody_draft_kind(const struct custody_draft *draft);
bool custody_draft_has(const struct custody_draft *draft, const char *field);
/* Sets a field, or adds to a list. "-" says "not readable" where that may be said. -EINVAL: `why` says what
 * is expected. A blank is never a value. */
int custody_draft_set(struct custody_draft *draft, const char *field, const char *text, struct why *why);
/* What kvali knows and the draft does not have yet: the time, the exhibit's image, its place in the row of
 * events. */
int custody_draft_know(struct custody_draft *draft, struct casefile *cf, const struct custody *custody,
                       struct why *why);
/* What is likely to stand in a field that must be there, from what the last records of the exhibit and of the kind say, and from
 * what the draft says: for a question, never taken unasked. Appended; nothing when there is nothing to offer. */
void custody_suggest(const struct custody_draft *draft, const struct custody *custody, const char *field,
                     struct buf *buf);
/* -EINVAL when a field that must be there is missing (`why` names all of them), or a person, exhibit or
 * record that it names is not known. */
int custody_draft_check(const struct custody_draft *draft, struct casefile *cf, const struct custody *custody,
                        struct why *why);
/* Is the person, exhibit or record that a field's value names known? For asking again at once; custody_draft_check does it for
 * all. -EINVAL. */
int custody_check_name(const struct custody_kind *kind, const struct custody_field *field, const char *text,
                       struct casefile *cf, const struct custody *custody, struct why *why);
/* Checks it, writes it into the ledger, and takes it into `custody`. ret_number may be NULL. */
int custody_add(struct casefile *cf, struct custody *custody, const struct custody_draft *draft,
                uint64_t *ret_number, struct why *why);

/* Takes a draft that was checked into `custody` as if it were written: for looking at a whole file before any
 * of it is. */
int custody_expect(struct custody *custody, const struct custody_draft *draft);

/* Reads drafts from a JSON or TOML file: one record of `kind` (fields at the top), or tables named by a
 * kind's word, each one record or a list of them. `each` takes the draft; a non-zero return ends, and is
 * returned. */
int custody_file(const char *path, const struct custody_kind *kind,
                 int (*each)(void *context, struct custody_draft *draft), void *context, struct why *why);

/* ------------------------------------------------------------------ what is missing */

/* Calls `each` for every gap, with the numbers of the records that it lies between (0: none). Returns how
 * many. */
size_t custody_check(struct casefile *cf, const struct custody *custody,
                     void (*each)(void *context, const char *about, uint64_t first, uint64_t second,
                                  const char *words),
                     void *context);

/* ------------------------------------------------------------------ a lab's defaults */

struct lab; /* ~/.config/kvali/lab.toml */
/* An empty one when there is no such file. `path` NULL: $XDG_CONFIG_HOME/kvali/lab.toml. */
int lab_load(const char *path, struct lab **ret_lab, struct why *why);
void lab_free(struct lab *lab);
/* Borrowed; NULL: none. `index` for lists. */
const char *lab_value(const struct lab *lab, const char *section, const char *key, size_t index);

#endif
