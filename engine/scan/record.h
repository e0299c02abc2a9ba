/*
 * record: what plugins say, as typed rows.
 *
 * A record type is described once, here and in the plugin's own constant table. The wire form, the check on
 * arrival, the database table and the report's columns all come from that description.
 */
#ifndef KVALI_SCAN_RECORD_H
#define KVALI_SCAN_RECORD_H

#include "engine/base/buf.h"
#include "engine/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_NAME_MAX = 32, /* [a-z][a-z0-9_]*, also a column's name */
    RECORD_FIELDS_MAX = 32,
    RECORD_SIZE_MAX = 56 * 1024, /* encoded; what is larger scan_emit cuts, and says so (record_cut.h) */
};

enum field_kind {
    FIELD_U64, /* 0 .. INT64_MAX (the database's integers are signed): more is stored as INT64_MAX */
    FIELD_I64,
    FIELD_TEXT,  /* escaped text (base/text.h): printable UTF-8 */
    FIELD_BYTES, /* anything, kept as it is */
    FIELD_JSON,  /* text that is one JSON value */
    FIELD_WHEN,  /* nanoseconds since 1970 UTC, or WHEN_NONE */
};

struct field {
    const char *name;
    enum field_kind kind;
    const char *unit; /* "bytes", "bits per byte / 1000" …; "" for none */
    const char *what; /* a few words for people */
};

struct record_type {
    const char *name; /* unique among a plugin's types; the table is rec_<plugin>_<name>, rec_<plugin> where
                         both are the same */
    uint32_t version; /* raised whenever the fields change */
    const char *what;
    const struct field *fields;
    size_t field_count;
};

/* One field's value. `present` false is SQL's NULL. */
struct value {
    bool present;
    union {
        uint64_t u64;
        int64_t i64; /* FIELD_I64, FIELD_WHEN */
        struct {
            const void *data;
            size_t size; /* without any NUL */
        } bytes;         /* FIELD_TEXT, FIELD_BYTES, FIELD_JSON: borrowed */
    } as;
};

static inline struct value value_none(void)
{
    return (struct value){.present = false};
}
static inline struct value value_u64(uint64_t n)
{
    return (struct value){.present = true, .as.u64 = n};
}
static inline struct value value_i64(int64_t n)
{
    return (struct value){.present = true, .as.i64 = n};
}
static inline struct value value_bytes(const void *data, size_t size)
{
    return (struct value){.present = true, .as.bytes = {data, size}};
}
struct value value_text(const char *text); /* NULL: value_none() */
/* Text of evidence for a FIELD_TEXT: escaped (base/text.h) into `room` in place of what was there, and no
 * more of it than is enough to see that a record cannot hold it. Borrows `room`. */
struct value value_escaped(struct buf *room, const void *data, size_t size);

/* Is the description itself right: names, kinds, counts, no two fields alike? For tests and for arrival. */
bool record_type_is_valid(const struct record_type *type);

/* Appends the wire form of one record: every field in order. -E2BIG when larger than RECORD_SIZE_MAX, -EINVAL
 * when a TEXT or JSON value is not printable UTF-8; then nothing is appended. */
int record_encode(struct buf *buf, const struct record_type *type, const struct value *values);

/* Reads one record that fills `bytes` to its end. `ret_values` has room for type->field_count and borrows
 * from the reader's memory. The data is hostile: -EBADMSG when anything is not as the type says. */
int record_decode(struct bytes *bytes, const struct record_type *type, struct value *ret_values);

/* The description on the wire, for the supervisor that does not link plugins. record_type_free frees what
 * _read allocated. -EBADMSG, -ENOMEM. */
void record_type_write(struct buf *buf, const struct record_type *type);
int record_type_read(struct bytes *bytes, struct record_type **ret_type);
void record_type_free(struct record_type *type);

#endif
