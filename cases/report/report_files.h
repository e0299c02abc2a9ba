/*
 * report_files: every file of a case for the table in the HTML report: data files beside it (report_parts.h),
 * and what the page itself shows of them: how many, the first rows, how many were modified in which year.
 *
 * files-0001.js … and details-0001.js … have FILES_PER_PART rows each, as a call of one function with JSON in
 * a string: a page that was opened from a disc may load scripts and nothing else. In files-*.js, by column:
 * `names` (each with a '/' behind it), `folder` and `type` (runs: value, how often), `size`, `modified`
 * (seconds since 1970, or null), `state` (a letter a row: l live, d deleted, r deleted and in use again, i
 * inside another content, c recovered by its structure); `folders` (number of the one around it or -1, name)
 * and `types` are those that no earlier file has. In details-*.js, by row: SHA-256, accessed, changed, born,
 * grade.
 */
#ifndef KVALI_CASES_REPORT_REPORT_FILES_H
#define KVALI_CASES_REPORT_REPORT_FILES_H

#include "cases/report/report_formats.h"
#include "cases/report/report_parts.h"

#include <stdint.h>

enum { FILES_PER_PART = 16384, FILES_SHOWN = 200, FILES_YEAR_FIRST = 1900, FILES_YEARS = 300 };

struct report_file {
    char *exhibit, *path, *type;
    uint64_t size;
    int64_t modified; /* WHEN_NONE */
    char state;
};

struct report_files {
    uint64_t total, parts; /* rows; files-*.js, 0 when none were written */
    struct report_file shown[FILES_SHOWN];
    size_t shown_count;
    uint64_t years[FILES_YEARS]; /* modified in FILES_YEAR_FIRST + i */
    uint64_t other_years, no_time;
};

/* Goes through all files, and writes the data when from->parts is there. */
int report_files_gather(const struct report_from *from, struct report_files *ret_files);
void report_files_finish(struct report_files *files);

/* `text` between ' and ' in a script: nothing in it ends the string or the script. */
void report_files_quote(struct buf *buf, const void *text, size_t size);

#endif
