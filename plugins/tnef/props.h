/*
 * props: a list of MAPI properties as TNEF writes it. [MS-OXTNEF 2.1.3.4]
 */
#ifndef KVALI_TNEF_PROPS_H
#define KVALI_TNEF_PROPS_H

#include "engine/base/bytes.h"

/* One value of one property; those with several values come once for each. */
struct prop {
    uint16_t id; /* 0x8000 and more: named ones, whose number means nothing here */
    uint16_t type;
    const uint8_t *data; /* in the memory that is read */
    size_t size;
    size_t offset; /* of data in it */
};

struct props {
    struct bytes bytes;
    uint32_t left;   /* properties behind this one */
    uint32_t values; /* of this one that were not given yet */
    struct prop prop;
};

enum {
    PROP_I16 = 2,
    PROP_I32 = 3,
    PROP_OBJECT = 0x0d,
    PROP_STRING8 = 0x1e,
    PROP_UNICODE = 0x1f,
    PROP_TIME = 0x40,
    PROP_BINARY = 0x102
};

/* Begins with the list that `bytes` stands before. */
void props_init(struct props *props, const struct bytes *bytes);
/* The next value; false at the end, and where the list is broken: then bytes_failed(&props->bytes). */
bool props_next(struct props *props, struct prop *ret_prop);

#endif
