/*
 * buf: a growing byte buffer with a sticky error; what it writes, bytes.c reads back.
 *
 * The form on the wire is ours alone (engine/job/wire.h): little-endian numbers, blobs with a u32 length
 * before.
 */
#include "engine/base/buf.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf)
{
    *buf = (struct buf){0};
}

void buf_finish(struct buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    buf_init(buf);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

static bool fail(struct buf *buf)
{
    buf->failed = true;
    return false;
}

/* Makes room for `more` bytes behind the content. */
static bool reserve(struct buf *buf, size_t more)
{
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    uint8_t *data;

    if (buf->failed || more > SIZE_MAX / 4 - buf->size)
        return fail(buf);
    if (more <= buf->capacity - buf->size)
        return true;
    while (capacity < buf->size + more)
        capacity *= 2;
    data = realloc(buf->data, capacity);
    if (data == NULL)
        return fail(buf);
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    if (size == 0 || !reserve(buf, size))
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

static void put_le(uint8_t *to, uint64_t value, size_t size)
{
    value = htole64(value);
    memcpy(to, &value, size);
}

static void append_le(struct buf *buf, uint64_t value, size_t size)
{
    if (!reserve(buf, size))
        return;
    put_le(buf->data + buf->size, value, size);
    buf->size += size;
}

void buf_u8(struct buf *buf, uint8_t value)
{
    append_le(buf, value, 1);
}

void buf_u16le(struct buf *buf, uint16_t value)
{
    append_le(buf, value, 2);
}

void buf_u32le(struct buf *buf, uint32_t value)
{
    append_le(buf, value, 4);
}

void buf_u64le(struct buf *buf, uint64_t value)
{
    append_le(buf, value, 8);
}

void buf_i64le(struct buf *buf, int64_t value)
{
    append_le(buf, (uint64_t)value, 8);
}

void buf_blob(struct buf *buf, const void *data, size_t size)
{
    /* Both or neither: a length without its bytes would make the reader take what follows for them. */
    if (size > UINT32_MAX || !reserve(buf, 4 + size)) {
        fail(buf);
        return;
    }
    append_le(buf, size, 4);
    buf_append(buf, data, size);
}

void buf_string(struct buf *buf, const char *string)
{
    if (string == NULL)
        string = "";
    buf_blob(buf, string, strlen(string) + 1);
}

void buf_text(struct buf *buf, const char *string)
{
    buf_append(buf, string, strlen(string));
}

/* The digits of `value` end at `end`; where they begin. */
static char *decimal(char *end, uint64_t value)
{
    do
        *--end = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return end;
}

void buf_u64_text(struct buf *buf, uint64_t value)
{
    char text[24], *end = text + sizeof text, *at = decimal(end, value);

    buf_append(buf, at, (size_t)(end - at));
}

void buf_i64_text(struct buf *buf, int64_t value)
{
    char text[24], *end = text + sizeof text,
                   *at = decimal(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--at = '-';
    buf_append(buf, at, (size_t)(end - at));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    size_t room = buf->failed ? 0 : buf->capacity - buf->size;
    int length;

    va_copy(again, args);
    length = vsnprintf(room > 0 ? (char *)buf->data + buf->size : NULL, room, format, args);
    if (length < 0)
        fail(buf);
    else if ((size_t)length < room) {
        buf->size += (size_t)length;
    } else if (reserve(buf, (size_t)length + 1)) {
        vsnprintf((char *)buf->data + buf->size, (size_t)length + 1, format, again);
        buf->size += (size_t)length;
    }
    va_end(again);
}

void buf_patch_u32le(struct buf *buf, size_t offset, uint32_t value)
{
    /* In a failed buffer the place may be one of those that never were written. */
    if (buf->failed)
        return;
    assert(offset <= buf->size && buf->size - offset >= 4);
    put_le(buf->data + offset, value, 4);
}

const char *buf_cstr(struct buf *buf)
{
    if (!reserve(buf, 1))
        return "";
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}

char *buf_steal(struct buf *buf)
{
    char *text = NULL;

    if (reserve(buf, 1)) {
        text = (char *)buf->data;
        text[buf->size] = '\0';
        buf->data = NULL;
    }
    buf_finish(buf);
    return text;
}
