/*
 * status_parts: how the parts of a case's plan stand, for `kvali status`: what is merged and given back from
 * files, what runs and waits from Slurm, if it is there.
 */
#ifndef KVALI_CLI_STATUS_PARTS_H
#define KVALI_CLI_STATUS_PARTS_H

#include "cases/casefile.h"
#include "engine/base/json.h"

/* Both do nothing when the case has no plan. */
int status_parts_print(struct casefile *cf);
int status_parts_json(struct casefile *cf, struct json *json);

#endif
