/*
 * packed: contents that are compressed as a whole, unpacked as far as they go: where the input breaks off or
 * is damaged, what came before is given all the same. (libarchive drops the block in which it happens, for a
 * small file all of it.)
 */
#ifndef KVALI_ARCHIVE_PACKED_H
#define KVALI_ARCHIVE_PACKED_H

#include "plugins/archive/form.h"
#include "plugins/archive/source.h"

struct packed;

/* Is this form read here? */
bool packed_knows(enum form form);
/* -ENOMEM. Borrows the source. */
int packed_open(enum form form, struct source_bytes *source, struct packed **ret_packed);
/* The next piece: 1; 0 at the end, with packed_trailing bytes behind it; -EBADMSG or -ENODATA: damaged or
 * broken off, a last piece came before. */
int packed_read(struct packed *packed, const void **ret_data, size_t *ret_size);
/* Bytes behind the last content that are no content of this form. */
uint64_t packed_trailing(const struct packed *packed);
/* Parts that follow each other, each with a beginning and an end. */
uint64_t packed_parts(const struct packed *packed);
/* gzip: the header's name (borrowed, NULL: none), and its time in seconds since 1970, 0 for none. */
const char *packed_name(const struct packed *packed, uint32_t *ret_time);
void packed_close(struct packed *packed);

#endif
