/*
 * report_formats: what one file a format implements; the table is in report.c.
 */
#ifndef KVALI_CASES_REPORT_REPORT_FORMATS_H
#define KVALI_CASES_REPORT_REPORT_FORMATS_H

#include "cases/report/report_labels.h"
#include "cases/report/report_model.h"
#include "engine/base/buf.h"

/* Appends the whole report. `name` is the report's number: "report-0001". */
void report_html(struct buf *buf, const struct report_model *model, enum report_lang lang, const char *name);
void report_json(struct buf *buf, const struct report_model *model, enum report_lang lang, const char *name);

#endif
