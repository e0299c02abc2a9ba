/*
 * report_files: every file of a case for the table in the HTML report: data files beside it (report_parts.h),
 * and what the page itself shows of them: how many, the first rows, how many were modified in which year.
 *
 * files-0001.js … have FILES_PER_PART rows each, details-0001.js … FILES_PER_DETAILS, as a call of one
 * function with packed bytes (report_pack.h) in a string: a page that was opened from a disc may load scripts
 * and nothing else. N: a number, T: a text with its length before it (report_pack_number, report_pack_text),
 * W: a time.
 *
 * files:   N rows; N folders that no earlier file has, each N of the one around it + 1 or 0, T name; N types
 * that no earlier file has, each T; folder of each row, as N runs of N value, N how often; type, the same;
 *          then for each row a letter of state (l live, d deleted, r deleted and in use again, i inside
 * another content, c recovered by its structure); columns of size and modified; names (report_pack_names).
 * details: N rows; for each 1 and 32 bytes of SHA-256, or 0; W accessed, changed, born (each row begins
 * anew); T grade.
 */
#ifndef KVALI_CASES_REPORT_REPORT_FILES_H
#define KVALI_CASES_REPORT_REPORT_FILES_H

#include "cases/report/report_formats.h"
#include "cases/report/report_parts.h"

#include <stdint.h>

enum {
    FILES_PER_PART = 65536,
    FILES_PER_DETAILS = 16384,
    FILES_SHOWN = 200,
    FILES_YEAR_FIRST = 1900,
    FILES_YEARS = 300
};

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

#endif
