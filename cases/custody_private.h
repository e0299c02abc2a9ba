/*
 * custody_private: what the files of custody share: records as jansson holds them.
 */
#ifndef KVALI_CASES_CUSTODY_PRIVATE_H
#define KVALI_CASES_CUSTODY_PRIVATE_H

#include "cases/custody.h"

#include <jansson.h>

struct custody_draft {
    const struct custody_kind *kind;
    json_t *fields; /* object: strings and integers, or arrays of them */
};

struct custody {
    struct custody_record *records;
    size_t count;
    uint64_t lines; /* of the ledger */
};

/* Takes one ledger record in: custody.c. `fields` is taken. */
int custody_take(struct custody *custody, const struct custody_kind *kind, uint64_t number, const char *time,
                 const char *actor, json_t *fields);
/* A JSON value as one field's text; `room` for numbers. NULL: it is none. */
const char *custody_scalar(const json_t *value, char room[24]);

/* toml.c: the part of TOML 1.0 that people write by hand: comments, bare and quoted keys, strings on one
 * line, whole numbers, booleans, dates and times (as strings), arrays of these over any number of lines,
 * [table], [[table]]. Others (dotted keys, inline tables, strings over lines, floats) are refused by name.
 * -EINVAL: `why` names the line. */
int toml_read(const char *name, const char *text, size_t size, json_t **ret_object, struct why *why);

#endif
