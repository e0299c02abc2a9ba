/*
 * buf: a growing byte buffer with a sticky error, the writer that mirrors bytes.h.
 *
 * When memory runs out the buffer is `failed`, keeps what it has, and ignores what follows; ask once at the
 * end.
 */
#ifndef KVALI_BASE_BUF_H
#define KVALI_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* owned; NULL until the first byte */
    size_t size;
    size_t capacity;
    bool failed;
};

/* All zero is an empty buffer too, so a `static struct buf` or one from calloc needs no init. */
void buf_init(struct buf *buf);
/* Frees the memory; the buffer is then empty and may be used again. NULL is allowed. */
void buf_finish(struct buf *buf);
/* Empties the buffer, keeps the memory, forgives a failure. */
void buf_clear(struct buf *buf);
bool buf_failed(const struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_u8(struct buf *buf, uint8_t value);
void buf_u16le(struct buf *buf, uint16_t value);
void buf_u32le(struct buf *buf, uint32_t value);
void buf_u64le(struct buf *buf, uint64_t value);
void buf_i64le(struct buf *buf, int64_t value);
/* u32 little-endian length and the bytes. */
void buf_blob(struct buf *buf, const void *data, size_t size);
/* The string with its NUL as a blob, as bytes_string reads it; NULL is written as "". */
void buf_string(struct buf *buf, const char *string);
/* Text without its NUL. */
void buf_text(struct buf *buf, const char *string);
/* As decimal digits. */
void buf_u64_text(struct buf *buf, uint64_t value);
void buf_i64_text(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Overwrites four bytes that are already there (a length that was not known before). */
void buf_patch_u32le(struct buf *buf, size_t offset, uint32_t value);

/* The content as a C string, borrowed until the next change; "" when empty or failed. */
const char *buf_cstr(struct buf *buf);
/* Hands over the memory as a malloc'ed C string and leaves the buffer empty; NULL when failed. */
char *buf_steal(struct buf *buf);

#endif
