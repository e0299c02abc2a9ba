/*
 * report_formats: what one file a format implements; the table is report_formats.inc.
 */
#ifndef KVALI_CASES_REPORT_REPORT_FORMATS_H
#define KVALI_CASES_REPORT_REPORT_FORMATS_H

#include "cases/casefile.h"
#include "cases/report/report_labels.h"
#include "cases/report/report_model.h"
#include "cases/report/report_out.h"
#include "engine/base/buf.h"

struct report_parts;
struct report_files;

/* What a format writes from. Everything is borrowed. Statements see one snapshot of the database. */
struct report_from {
    struct casefile *cf;
    const struct report_model *model;
    enum report_lang lang;
    const char *name; /* the report's number, the same for every format: report_id */
    const char *view; /* formats of views: which */
    struct report_parts *parts; /* files beside the report; NULL: there can be none */
    struct why *why;
};

/* Appends the whole report to `out`, part by part (report_out_row), so that memory stays bounded. 0 or a negative errno with
 * from->why filled; what `out` met while writing is in out->error and needs no return. */
typedef int report_writer(struct report_out *out, const struct report_from *from);

#define FORMAT(name, extension, writer, usual, of_views, what) report_writer writer;
#include "cases/report/report_formats.inc"
#undef FORMAT

/* The two that say the same as the model, whole. `name` is the report's number. */
/* `files` may be NULL. */
void report_html(struct buf *buf, const struct report_model *model, const struct report_files *files, enum report_lang lang,
                 const char *name);
void report_json(struct buf *buf, const struct report_model *model, enum report_lang lang, const char *name);

#endif
