/*
 * alert: which records an examiner wants to hear of while the run still goes on.
 */
#ifndef KVALI_JOB_ALERT_H
#define KVALI_JOB_ALERT_H

#include "engine/job/job.h"
#include "engine/scan/record.h"

/* True: the record is one, and kind and name of *ret_found are set; they point into the record and into what is static. */
bool alert_of(const struct record_type *type, const struct value *values, struct job_found *ret_found);

#endif
