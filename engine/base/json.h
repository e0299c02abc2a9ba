/*
 * json: a streaming writer (RFC 8259). Commas and nesting are kept by the writer; strings are escaped so that
 * the output is plain printable UTF-8 (what text_is_hidden says, and invalid bytes, as \uXXXX), safe inside
 * HTML too: '<', '>', '&' and '\'' are written \u003c and so on.
 *
 * Reading JSON is jansson's work (cases/ledger.c).
 */
#ifndef KVALI_BASE_JSON_H
#define KVALI_BASE_JSON_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json {
    struct buf *buf; /* borrowed: where the text goes; its sticky error is the writer's */
    uint32_t depth;
    bool comma; /* a value stands before */
};

void json_init(struct json *json, struct buf *buf);

/* `key` is NULL inside arrays and at the top level. Keys are escaped like strings. */
void json_object_open(struct json *json, const char *key);
void json_object_close(struct json *json);
void json_array_open(struct json *json, const char *key);
void json_array_close(struct json *json);
void json_text(struct json *json, const char *key, const char *value);              /* NULL value: null */
void json_bytes(struct json *json, const char *key, const void *data, size_t size); /* text of known size */
void json_hex(struct json *json, const char *key, const void *data, size_t size);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_none(struct json *json, const char *key);
/* JSON text that is already right, as it is. */
void json_raw(struct json *json, const char *key, const char *value);
/* A time as RFC 3339 text, null for WHEN_NONE. */
void json_when(struct json *json, const char *key, int64_t when);

#endif
