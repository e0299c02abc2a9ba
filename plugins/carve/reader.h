/*
 * reader: the bytes from where an object may begin, as an examiner sees them: offset 0 is the object's first
 * byte. They may lie in several pieces of the stream (an object that was fragmented); the examiner does not
 * notice.
 *
 * What is read costs budget. Once that is spent every call fails, so that no examiner can work without end
 * whatever the evidence says; reader_spent tells this from the end of the data.
 */
#ifndef KVALI_PLUGINS_CARVE_READER_H
#define KVALI_PLUGINS_CARVE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { READER_AT_MAX = 64 * 1024, READER_PIECES_MAX = 8 };

/* Bytes of the stream, one after the other in the object. */
struct reader_piece {
    uint64_t offset, size; /* in the stream */
};

/* Reads at `offset` of the stream: the number of bytes, less than `size` only at its end, or a negative
 * errno. */
typedef int64_t reader_read(void *context, uint64_t offset, void *data, size_t size);

struct reader; /* opaque; some 256 KiB of window */

/* NULL: no memory. One serves any number of candidates after each other. */
struct reader *reader_new(reader_read *read, void *context);
void reader_free(struct reader *reader);
/* The candidate that consists of `pieces` (at most READER_PIECES_MAX, copied). `budget` in bytes. */
void reader_aim(struct reader *reader, const struct reader_piece *pieces, size_t count, uint64_t budget);

/* What is left of the budget. */
uint64_t reader_budget(const struct reader *reader);

/* ------------------------------------------------------------------ for examiners */

/* Bytes from the object's first to the end of what can be read: an upper bound for any object. */
uint64_t reader_size(const struct reader *reader);
/* True when the object was put together from pieces to see whether it is whole then: nothing counts but
 * CARVE_VALIDATED. */
bool reader_is_trial(const struct reader *reader);
/* True when the budget is used up: then what an examiner says about an end is "the effort allowed is spent".
 */
bool reader_spent(const struct reader *reader);

/* Takes `cost` from the budget, in bytes: for work that is more than reading, such as what a few bytes unpack
 * to. False: it is used up. */
bool reader_spend(struct reader *reader, uint64_t cost);

/* `size` bytes (1 to READER_AT_MAX) at `offset`, valid until the next call of any reader function; NULL when
 * they are not all there. */
const uint8_t *reader_at(struct reader *reader, uint64_t offset, size_t size);
/* As many bytes as are at hand at `offset`: at least 1, usually tens of KiB; for going through content. 0 at
 * the end. */
size_t reader_span(struct reader *reader, uint64_t offset, const uint8_t **ret_data);

/* Numbers. False, and *ret untouched, when they are not all there. */
bool reader_u8(struct reader *reader, uint64_t offset, uint8_t *ret);
bool reader_le16(struct reader *reader, uint64_t offset, uint16_t *ret);
bool reader_le32(struct reader *reader, uint64_t offset, uint32_t *ret);
bool reader_le64(struct reader *reader, uint64_t offset, uint64_t *ret);
bool reader_be16(struct reader *reader, uint64_t offset, uint16_t *ret);
bool reader_be32(struct reader *reader, uint64_t offset, uint32_t *ret);
bool reader_be64(struct reader *reader, uint64_t offset, uint64_t *ret);

/* Are these bytes there? */
bool reader_is(struct reader *reader, uint64_t offset, const void *bytes, size_t size);
/* The first place of `bytes` (1 to 64 of them) that begins in [offset, limit); UINT64_MAX: none. */
uint64_t reader_find(struct reader *reader, uint64_t offset, uint64_t limit, const void *bytes, size_t size);
/* True when [offset, offset + size) is there and every byte of it is `byte`. */
bool reader_is_all(struct reader *reader, uint64_t offset, uint64_t size, uint8_t byte);

/* CRC-32 as in PNG, ZIP and gzip (polynomial 0xEDB88320) over [offset, offset + size). False when not all is
 * there. */
bool reader_crc32(struct reader *reader, uint64_t offset, uint64_t size, uint32_t *ret_crc);

enum reader_inflate { READER_ZLIB, READER_DEFLATE };
/* Inflates the stream that begins at `offset` and must end before `limit`, without keeping what comes out.
 * True when it ends well: *ret_end is the offset behind it (behind its Adler-32 for ZLIB), *ret_size and, for
 * DEFLATE, *ret_crc of what came out. At most `most` bytes come out, and they cost a sixteenth of what
 * reading does.
 * On false *ret_end is how far its bytes made sense. */
bool reader_inflate(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                    uint64_t most, uint64_t *ret_end, uint64_t *ret_size, uint32_t *ret_crc);

#endif
