/*
 * findings: the findings of a case as canonical lines, one after the other, in an order that does not depend
 * on how they were found. The format is in findings.c's head. Every line comes from a statement that sqlite3
 * can run as well: that is what `kvali digest --sql` prints.
 *
 * Nothing is held but the line at hand: the statements follow indexes, and what has to be sorted is sorted in
 * a file.
 */
#ifndef KVALI_CASES_FINDINGS_H
#define KVALI_CASES_FINDINGS_H

#include "cases/db.h"
#include "engine/base/buf.h"

#define FINDINGS_FIRST_LINE "kvali-findings 1"

/* `keys` has a letter for each column from the first on: 't' text and 'i' a number that the lines are sorted
 * by, '=' one that is the same in all, '.' one that is neither. Columns behind its end are what was found. */
struct findings_part {
    char *sql;  /* owned */
    char *name; /* "entry", "record yara.match" ... owned */
    const char *keys;
    /* For findings.c: a statement for the same lines in less time, or NULL; owned. Bytes are not hex yet, and of records (`numbered`)
     * the stream's id stands where the line has the place. */
    char *quick;
    bool numbered;
};

struct findings;

/* The caller keeps `db`. While it is open the database sorts in files (PRAGMA temp_store). */
int findings_open(struct db *db, struct findings **ret_findings);
void findings_close(struct findings *findings);

/* The next line: 1, and the part that it is of and its columns with TABs between and an LF at the end, until
 * the next call; 0 at the end; negative errno. The first line has no part (NULL). */
int findings_next(struct findings *findings, const struct findings_part **ret_part, const char **ret_line,
                  size_t *ret_size);

/* The name of a column of the line at hand; "" behind the last and for the first line. */
const char *findings_column(const struct findings *findings, int column);

/* Appends a script for sqlite3 that prints the same lines. */
void findings_script(const struct findings *findings, struct buf *script);

#endif
