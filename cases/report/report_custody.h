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
/* What stands in a record, put into the words of each language; what somebody typed is the same in all. */
struct custody_words {
    const char *in[REPORT_LANGS];
};
/* Calls `each` for every field of a group that somebody recorded; of the exhibit with this label (NULL for
 * the case). NULL only counts. Returns how many. */
size_t report_custody_facts(const struct report_model *model, enum custody_group group, const char *exhibit,
                            void (*each)(void *context, enum report_label label,
                                         const struct custody_words *value),
                            void *context);

/* One row of an exhibit's custody table. Empty: not said. */
struct custody_row {
    struct custody_words number, at, place, purpose, seal_before, seal_after, condition, from, to;
    enum report_label event;
    const char
        *record; /* "12", or "12, 15": its number in the ledger, and that of the record which corrected it */
};
/* All events of an exhibit that were not withdrawn, in the order in which they were recorded. */
size_t report_custody_events(const struct report_model *model, const char *exhibit,
                             void (*each)(void *context, const struct custody_row *row), void *context);

/* Persons, in the order of their records. `work`: education, speciality, service, degree. */
struct custody_human {
    struct custody_words name, position, work, warned;
};
size_t report_custody_persons(const struct report_model *model,
                              void (*each)(void *context, const struct custody_human *human), void *context);

/* What people recorded of limitations, and of findings that they looked at: the fields that `shown` names, in the order
 * of the records, without those that were withdrawn. `record` as above. NULL only counts. Returns how many. */
enum { CUSTODY_COLUMNS = 6 };
struct custody_table {
    const char *word; /* the kind of records */
    enum report_label title, heads[CUSTODY_COLUMNS];
    const char *fields[CUSTODY_COLUMNS];
};
extern const struct custody_table custody_limitations, custody_reviews;
size_t report_custody_table(const struct report_model *model, const struct custody_table *table,
                            void (*each)(void *context, const struct custody_words cells[CUSTODY_COLUMNS],
                                         const char *record),
                            void *context);

/* How an exhibit's verification ended, in words. */
enum report_label report_verification(enum model_verification verification);

#endif
