/*
 * report: writes what a case holds for people and for programs: one file a format, one table of formats.
 *
 * Reports are numbered and never overwritten: CASE/reports/report-0001.html, report-0001.json,
 * report-0002.html ... Each is on disk before the ledger's `artifact` record (path, size, sha256) names it.
 */
#ifndef KVALI_CASES_REPORT_REPORT_H
#define KVALI_CASES_REPORT_REPORT_H

#include "cases/casefile.h"
#include "cases/report/report_labels.h"
#include "engine/base/buf.h"

#include <stdint.h>

struct report_format {
    const char *name;      /* "html" */
    const char *extension; /* "html" */
    const char *what;      /* a few words for --help */
};

/* All formats, `*ret_count` long. */
const struct report_format *report_formats(size_t *ret_count);
const struct report_format *report_format_find(const char *name); /* NULL: there is no such */

struct report_options {
    const struct report_format *const *formats; /* what to write, in this order */
    size_t format_count;
    enum report_lang lang;
    int64_t now; /* the report's time: when_now() */
};

enum { REPORT_FORMATS_MAX = 8 };

struct report_written {
    char *paths[REPORT_FORMATS_MAX]; /* in the order of the formats */
    char sha256[REPORT_FORMATS_MAX][SHA256_HEX_SIZE];
    size_t count;
};

/* Writes the formats under the next free number, from one reading of the case opened with CASEFILE_WRITE, and
 * records each in the ledger. On failure no half-written report stays; those before it stay and are recorded,
 * and are in *ret_written. */
int report_write(struct casefile *cf, const struct report_options *options,
                 struct report_written *ret_written, struct why *why);
void report_written_finish(struct report_written *written);

/* Appends one format to `buf` and records nothing: for a case that is only read. */
int report_render(struct casefile *cf, const struct report_format *format, enum report_lang lang, int64_t now,
                  struct buf *buf, struct why *why);

#endif
