/*
 * json: the writer.
 */
#include "engine/base/json.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <inttypes.h>
#include <string.h>

void json_init(struct json *json, struct buf *buf)
{
    *json = (struct json){.buf = buf};
}

/* One character that is written as it is, or nothing; the number of bytes it takes. */
static size_t plain_length(const uint8_t *s, size_t left)
{
    if (*s < 0x20 || *s == 0x7f || strchr("\"\\<>&'", *s))
        return 0;
    size_t length = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
    if (length > left || !text_is_utf8(s, length))
        return 0;
    bool c1 = length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
    bool separator = length == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
    return c1 || separator ? 0 : length;
}

static void special(struct buf *buf, const uint8_t *s, size_t left, size_t *ret_used)
{
    *ret_used = 1;
    if (*s == '"' || *s == '\\') {
        buf_u8(buf, '\\');
        buf_u8(buf, *s);
    } else if (*s == '\n') {
        buf_text(buf, "\\n");
    } else if (*s == '\t') {
        buf_text(buf, "\\t");
    } else if (left >= 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9)) {
        buf_text(buf, s[2] == 0xa8 ? "\\u2028" : "\\u2029");
        *ret_used = 3;
    } else if (left >= 2 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
        buf_printf(buf, "\\u%04x", s[1]);
        *ret_used = 2;
    } else {
        buf_printf(buf, "\\u%04x", *s);
    }
}

static void quote(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *s = data;
    buf_u8(buf, '"');
    for (size_t i = 0; i < size;) {
        size_t start = i, length;
        while (i < size && (length = plain_length(s + i, size - i)) > 0)
            i += length;
        buf_append(buf, s + start, i - start);
        if (i < size) {
            special(buf, s + i, size - i, &length);
            i += length;
        }
    }
    buf_u8(buf, '"');
}

static void begin(struct json *json, const char *key)
{
    if (json->comma)
        buf_u8(json->buf, ',');
    json->comma = true;
    if (key) {
        quote(json->buf, key, strlen(key));
        buf_u8(json->buf, ':');
    }
}

static void open_nest(struct json *json, const char *key, char c)
{
    begin(json, key);
    buf_u8(json->buf, (uint8_t)c);
    json->comma = false;
    json->depth++;
}

static void close_nest(struct json *json, char c)
{
    buf_u8(json->buf, (uint8_t)c);
    json->comma = true;
    json->depth--;
}

void json_object_open(struct json *json, const char *key)
{
    open_nest(json, key, '{');
}

void json_object_close(struct json *json)
{
    close_nest(json, '}');
}

void json_array_open(struct json *json, const char *key)
{
    open_nest(json, key, '[');
}

void json_array_close(struct json *json)
{
    close_nest(json, ']');
}

void json_string(struct json *json, const char *key, const char *value)
{
    if (value)
        json_bytes(json, key, value, strlen(value));
    else
        json_null(json, key);
}

void json_bytes(struct json *json, const char *key, const void *data, size_t size)
{
    begin(json, key);
    quote(json->buf, data, size);
}

void json_hex(struct json *json, const char *key, const void *data, size_t size)
{
    begin(json, key);
    buf_u8(json->buf, '"');
    text_hex(json->buf, data, size);
    buf_u8(json->buf, '"');
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    begin(json, key);
    buf_printf(json->buf, "%" PRIu64, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
    begin(json, key);
    buf_printf(json->buf, "%" PRId64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    json_raw(json, key, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    json_raw(json, key, "null");
}

void json_raw(struct json *json, const char *key, const char *value)
{
    begin(json, key);
    buf_text(json->buf, value);
}

void json_when(struct json *json, const char *key, int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    if (when == WHEN_NONE)
        json_null(json, key);
    else
        json_string(json, key, when_format(when, text));
}
