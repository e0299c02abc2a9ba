/*
 * report_custody: what people recorded of a case (custody.h), in the order and with the labels of a report:
 * for every format that people read. Values are text that somebody typed: they go through safe.h where they
 * are written, as all text does.
 */
#ifndef KVALI_CASES_REPORT_REPORT_CUSTODY_H
#define KVALI_CASES_REPORT_REPORT_CUSTODY_H

#include "cases/report/report_labels.h"
#include "cases/report/report_model.h"

enum custody_group {
    CUSTODY_OF_CASE,
    CUSTODY_OF_EXHIBIT,
    CUSTODY_OF_SEIZURE,
    CUSTODY_OF_ACQUISITION,
    CUSTODY_OF_CHECK,
    CUSTODY_GROUPS
};

/* The heading of a group. */
enum report_label report_custody_heading(enum custody_group group);
/* Calls `each` for every field of a group that somebody recorded; of the exhibit with this label (NULL for
 * the case). NULL only counts. Returns how many. */
size_t report_custody_facts(const struct report_model *model, enum custody_group group, const char *exhibit,
                            void (*each)(void *context, enum report_label label, const char *value),
                            void *context);

/* One row of an exhibit's custody table. Empty: not said. */
struct custody_row {
    const char *number, *at, *place, *purpose, *seal_before, *seal_after, *condition, *from, *to;
    enum report_label event;
    const char
        *record; /* "12", or "12, 15": its number in the ledger, and that of the record which corrected it */
};
/* All events of an exhibit that were not withdrawn, in the order in which they were recorded. */
size_t report_custody_events(const struct report_model *model, const char *exhibit,
                             void (*each)(void *context, const struct custody_row *row), void *context);

/* Persons, in the order of their records. `work`: education, speciality, service, degree. */
struct custody_human {
    const char *name, *position, *work, *warned;
};
size_t report_custody_persons(const struct report_model *model,
                              void (*each)(void *context, const struct custody_human *human), void *context);

/* How an exhibit's verification ended, in words. */
enum report_label report_verification(enum model_verification verification);

#endif
