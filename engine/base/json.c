/*
 * json: a streaming writer of RFC 8259 text that is also safe inside HTML's script element and on a terminal.
 *
 * What text_is_hidden calls hidden is written as \uXXXX (a surrogate pair above U+FFFF), so a reader gets the
 * same characters back. A byte that is not UTF-8 has no form in JSON: it becomes \u00XX; who needs the bytes
 * writes text_escape's form or json_hex beside it.
 */
#include "engine/base/json.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void json_init(struct json *json, struct buf *buf)
{
    *json = (struct json){.buf = buf};
}

static void unicode_escape(struct buf *buf, uint32_t code)
{
    if (code > 0xffff) {
        code -= 0x10000;
        buf_printf(buf, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
    } else {
        buf_printf(buf, "\\u%04" PRIx32, code);
    }
}

/* How many bytes from the start stand for themselves; 0 when the first does not. */
static size_t plain_run(const uint8_t *data, size_t size)
{
    size_t i = 0;

    while (i < size && data[i] >= 0x20 && data[i] < 0x7f && strchr("\"\\<>&'", data[i]) == NULL)
        i++;
    return i;
}

/* Writes the character at `data`, which is not a plain one, and returns how many bytes it took. */
static size_t put_character(struct buf *buf, const uint8_t *data, size_t size)
{
    uint32_t code;
    size_t length = text_character(data, size, &code);

    if (length == 0) {
        unicode_escape(buf, data[0]);
        return 1;
    }
    if (code == '"' || code == '\\') {
        buf_u8(buf, '\\');
        buf_u8(buf, data[0]);
    } else if (length == 1 || text_is_hidden(code)) {
        unicode_escape(buf, code);
    } else {
        buf_append(buf, data, length);
    }
    return length;
}

static void put_string(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *from = data;

    buf_u8(buf, '"');
    while (size > 0) {
        size_t n = plain_run(from, size);

        if (n > 0)
            buf_append(buf, from, n);
        else
            n = put_character(buf, from, size);
        from += n;
        size -= n;
    }
    buf_u8(buf, '"');
}

/* What stands before a value: the comma after its neighbour, and its key. */
static void before(struct json *json, const char *key)
{
    if (json->comma && json->depth > 0)
        buf_u8(json->buf, ',');
    json->comma = true;
    if (key == NULL)
        return;
    put_string(json->buf, key, strlen(key));
    buf_u8(json->buf, ':');
}

static void open_with(struct json *json, const char *key, char bracket)
{
    before(json, key);
    buf_u8(json->buf, (uint8_t)bracket);
    json->depth++;
    json->comma = false;
}

static void close_with(struct json *json, char bracket)
{
    assert(json->depth > 0);
    buf_u8(json->buf, (uint8_t)bracket);
    json->depth--;
    json->comma = true;
}

void json_object_open(struct json *json, const char *key)
{
    open_with(json, key, '{');
}

void json_object_close(struct json *json)
{
    close_with(json, '}');
}

void json_array_open(struct json *json, const char *key)
{
    open_with(json, key, '[');
}

void json_array_close(struct json *json)
{
    close_with(json, ']');
}

void json_text(struct json *json, const char *key, const char *value)
{
    if (value == NULL)
        json_none(json, key);
    else
        json_bytes(json, key, value, strlen(value));
}

void json_bytes(struct json *json, const char *key, const void *data, size_t size)
{
    before(json, key);
    put_string(json->buf, data, size);
}

void json_hex(struct json *json, const char *key, const void *data, size_t size)
{
    before(json, key);
    buf_u8(json->buf, '"');
    text_hex(json->buf, data, size);
    buf_u8(json->buf, '"');
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    before(json, key);
    buf_u64_text(json->buf, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
    before(json, key);
    buf_i64_text(json->buf, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    json_raw(json, key, value ? "true" : "false");
}

void json_none(struct json *json, const char *key)
{
    json_raw(json, key, "null");
}

void json_raw(struct json *json, const char *key, const char *value)
{
    before(json, key);
    buf_text(json->buf, value);
}

void json_when(struct json *json, const char *key, int64_t when)
{
    char text[WHEN_TEXT_SIZE];

    json_text(json, key, when == WHEN_NONE ? NULL : when_format(when, text));
}
