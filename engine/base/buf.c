/*
 * buf: the growing buffer. It doubles, so appending costs constant time on the whole.
 */
#include "engine/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void buf_init(struct buf *buf)
{
    *buf = (struct buf){0};
}

void buf_finish(struct buf *buf)
{
    if (!buf)
        return;
    free(buf->data);
    *buf = (struct buf){0};
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

/* Room for `more` bytes and a NUL behind them. */
static bool reserve(struct buf *buf, size_t more)
{
    if (buf->failed || more >= SIZE_MAX / 2 - buf->size) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity * 2 > CAPACITY_MIN ? buf->capacity * 2 : CAPACITY_MIN;
    uint8_t *data = realloc(buf->data, capacity > needed ? capacity : needed);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity > needed ? capacity : needed;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    if (size == 0 || !reserve(buf, size))
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

static void append_le(struct buf *buf, uint64_t value, size_t size)
{
    if (!reserve(buf, size))
        return;
    for (size_t i = 0; i < size; i++)
        buf->data[buf->size++] = (uint8_t)(value >> (8 * i));
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
    if (size > UINT32_MAX) {
        buf->failed = true;
        return;
    }
    buf_u32le(buf, (uint32_t)size);
    buf_append(buf, data, size);
}

void buf_string(struct buf *buf, const char *string)
{
    const char *text = string ? string : "";
    buf_blob(buf, text, strlen(text) + 1);
}

void buf_text(struct buf *buf, const char *string)
{
    buf_append(buf, string, strlen(string));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size < 0)
        buf->failed = true;
    else if (reserve(buf, (size_t)size)) {
        (void)vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_patch_u32le(struct buf *buf, size_t offset, uint32_t value)
{
    if (buf->failed || offset > buf->size || buf->size - offset < 4)
        return;
    for (size_t i = 0; i < 4; i++)
        buf->data[offset + i] = (uint8_t)(value >> (8 * i));
}

const char *buf_cstr(struct buf *buf)
{
    if (buf->failed || !buf->data)
        return "";
    buf->data[buf->size] = 0; /* reserve always leaves room */
    return (const char *)buf->data;
}

char *buf_steal(struct buf *buf)
{
    if (!reserve(buf, 0))
        return NULL;
    buf->data[buf->size] = 0;
    char *text = (char *)buf->data;
    *buf = (struct buf){0};
    return text;
}
