/*
 * report: writes what a case holds for people and for programs: one file a format, one table of formats
 * (report_formats.inc).
 *
 * Reports are numbered and never overwritten: CASE/reports/report-0001.html, report-0001.json,
 * report-0002.html ...; formats that are tables of views write one file for each: report-0003-file.csv. Each
 * The HTML report has the data of its table beside it, in report-0001-files/ (report_files.h). Each file
 * is on disk before the ledger's `artifact` record (path, size, sha256) names it.
 *
 * The same case gives the same bytes: a report states the case as of its last ledger record that is no
 * report, and the time of that record; of its own writing, and of the number in its file's name, it says
 * nothing.
 */
#ifndef KVALI_CASES_REPORT_REPORT_H
#define KVALI_CASES_REPORT_REPORT_H

#include "cases/casefile.h"
#include "cases/report/report_labels.h"
#include "engine/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct report_format {
    const char *name;      /* "html" */
    const char *extension; /* "html" */
    bool usual;            /* written when no format is asked for */
    bool of_views;         /* one file for each view */
    const char *what;      /* a few words for --help */
};

/* All formats, `*ret_count` long. */
const struct report_format *report_formats(size_t *ret_count);
const struct report_format *report_format_find(const char *name); /* NULL: there is no such */

enum {
    REPORT_FORMATS_MAX = 16,
    REPORT_VIEWS_MAX = 48,
    REPORT_FILES_MAX = REPORT_FORMATS_MAX + 2 * REPORT_VIEWS_MAX
};

struct report_options {
    const struct report_format *const *formats; /* what to write, in this order */
    size_t format_count;
    enum report_lang lang;
    const char *view; /* formats of views: only this one; NULL: each */
    int64_t now;      /* the report's time; WHEN_NONE: the case's own last one */
};

struct report_written {
    char *paths[REPORT_FILES_MAX]; /* in the order of the formats */
    char sha256[REPORT_FILES_MAX][SHA256_HEX_SIZE];
    size_t count;
    uint64_t part_count, part_bytes; /* files beside them: data of the HTML report */
};

/* Writes the formats under the next free number, from one reading of the case opened with CASEFILE_WRITE, and
 * records each in the ledger. On failure no half-written report stays; those before it stay and are recorded,
 * and are in *ret_written. -EINVAL: there is no such view. */
int report_write(struct casefile *cf, const struct report_options *options,
                 struct report_written *ret_written, struct why *why);
void report_written_finish(struct report_written *written);

/* Writes one format (options->formats[0]) to `fd`, a format of views for options->view, and records nothing:
 * for a case that is only read. */
int report_print(struct casefile *cf, const struct report_options *options, int fd, struct why *why);
/* Appends one format that is not of views to `buf`. */
int report_render(struct casefile *cf, const struct report_format *format, enum report_lang lang, int64_t now,
                  struct buf *buf, struct why *why);

#endif
