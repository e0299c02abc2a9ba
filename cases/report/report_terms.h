/*
 * report_terms: words that the case has and that are ours, in the language of a report: what people chose in
 * a record, kinds of faults, stages, types. The case has them in English; the table is at the end of
 * report_labels.inc. And the times that records have, in the form of a language.
 */
#ifndef KVALI_CASES_REPORT_REPORT_TERMS_H
#define KVALI_CASES_REPORT_REPORT_TERMS_H

#include "cases/report/report_labels.h"
#include "engine/base/buf.h"

enum report_term {
    TERM_SAID,    /* that there is nothing to say */
    TERM_CHOICE,  /* of a record's field with given words */
    TERM_TYPE,    /* of an image, of a name in a file system, of what stands in a volume */
    TERM_FAULT,   /* kinds of faults */
    TERM_STAGE,   /* of faults */
    TERM_EFFECT,  /* of faults */
    TERM_STATUS,  /* of runs and passes */
    TERM_SET,     /* kinds of hash sets */
    TERM_WRITING, /* of keywords; several with ',' between */
    TERM_FEATURE, /* kinds of features */
    TERM_SOURCE,  /* where a hash value comes from */
    TERM_HOST, /* what is told of the computer and of what confines processes there; several with ',' between
                */
    TERM_BATCH,  /* states of a batch and its tasks, and why one waits */
    TERM_FORMAT, /* what recovered objects are */
    REPORT_TERMS,
};

/* `word` in the language, appended; as it is, where the table does not have it. It is not made safe (safe.h)
 * here. */
void report_term(struct buf *buf, enum report_lang lang, enum report_term group, const char *word);
/* "2026-01-31T12:00:00+04:00" as "2026-01-31 12:00:00 UTC+04:00" or "31.01.2026 12:00:00 UTC+04:00",
 * "2026-01-31" as that day; what is neither, as it is. Appended. */
void report_moment(struct buf *buf, enum report_lang lang, const char *text);

#endif
