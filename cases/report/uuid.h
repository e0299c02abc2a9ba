/*
 * uuid: names made of hashes [RFC 9562, section 5.5: version 5], so that the same thing has the same name in
 * every export.
 */
#ifndef KVALI_CASES_REPORT_UUID_H
#define KVALI_CASES_REPORT_UUID_H

#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 37 };

struct uuid {
    uint8_t bytes[UUID_SIZE];
};

/* kvali's own namespace: the version 5 UUID of "urn:kvali:namespace" in the namespace for URLs. */
extern const struct uuid uuid_kvali;
/* For observables of STIX 2.1 [section 2.9: "00abedb4-aa42-466c-9c01-fed23315a9b7"]. */
extern const struct uuid uuid_stix;

/* Of a name in a namespace: the `count` texts with a zero byte between each two, so that no two lists give
 * one name. */
struct uuid uuid_make(const struct uuid *space, const char *const *parts, unsigned count);
/* Lower-case, with hyphens. Returns ret. */
const char *uuid_text(const struct uuid *uuid, char ret[UUID_TEXT_SIZE]);

#endif
