/*
 * bytes: a bounded reader over memory that somebody else wrote.
 *
 * Every take moves forward; a take past the end makes the reader `failed`, returns zero (or NULL) and every
 * later take does the same. So a parser reads a whole structure and asks once, at the end, whether it was
 * there.
 */
#ifndef KVALI_BASE_BYTES_H
#define KVALI_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data; /* borrowed; may be NULL when size is 0 */
    size_t size;         /* bytes at data */
    size_t offset;       /* next byte to take, always <= size */
    bool failed;         /* sticky: something was taken that was not there */
};

/* Starts at the first of `size` bytes at `data`, which must outlive the reader. */
void bytes_init(struct bytes *bytes, const void *data, size_t size);

size_t bytes_left(const struct bytes *bytes);
bool bytes_failed(const struct bytes *bytes);

/* Marks the reader failed: for a caller that found a value it cannot accept. */
void bytes_fail(struct bytes *bytes);

/* Moves to an absolute offset; past the end fails. */
void bytes_seek(struct bytes *bytes, size_t offset);
void bytes_skip(struct bytes *bytes, size_t size);

/* `size` bytes in place, borrowed from the reader's memory; NULL when they are not there. */
const uint8_t *bytes_take(struct bytes *bytes, size_t size);

uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16le(struct bytes *bytes);
uint32_t bytes_u32le(struct bytes *bytes);
uint64_t bytes_u64le(struct bytes *bytes);
int64_t bytes_i64le(struct bytes *bytes);
uint16_t bytes_u16be(struct bytes *bytes);
uint32_t bytes_u32be(struct bytes *bytes);
uint64_t bytes_u64be(struct bytes *bytes);

/* A length as u32 little-endian and then that many bytes, as buf_blob writes it. The length is stored in
 * *ret_size; NULL (and *ret_size 0) on failure. A blob of no bytes is not a failure: non-NULL, size 0. */
const uint8_t *bytes_blob(struct bytes *bytes, size_t *ret_size);

/* A blob that must be a C string: its last byte is NUL and no other is. NULL on failure. Borrowed. */
const char *bytes_string(struct bytes *bytes);

/* Arithmetic on numbers from evidence: the result, or UINT64_MAX when it does not fit. */
uint64_t u64_add_saturating(uint64_t a, uint64_t b);
uint64_t u64_mul_saturating(uint64_t a, uint64_t b);

/* True when [offset, offset + size) lies in [0, limit), without overflow. */
bool u64_range_fits(uint64_t offset, uint64_t size, uint64_t limit);

#endif
