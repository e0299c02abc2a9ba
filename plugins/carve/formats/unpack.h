/*
 * unpack: the beginning of a compressed stream, kept: for what an examiner must read itself (a title in XML,
 * a cross-reference stream). What is only to be checked goes through reader_inflate.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_UNPACK_H
#define KVALI_PLUGINS_CARVE_FORMATS_UNPACK_H

#include "plugins/carve/reader.h"

/* Inflates what begins at `offset` and ends before `limit` into `out`; the number of bytes that came, at most
 * `size`. What comes after them, and whether the stream ends well, is not looked at. */
size_t unpack_inflate(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                      void *out, size_t size);

/* Copies the stored bytes of [offset, limit), at most `size` of them; how many. */
size_t unpack_stored(struct reader *reader, uint64_t offset, uint64_t limit, void *out, size_t size);

#endif
