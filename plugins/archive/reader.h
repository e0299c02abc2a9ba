/*
 * reader: archives as libarchive reads them, one format at a time (zip.c and packed.c read the others). The
 * form is known before (form.h): only that format is let loose on the bytes, and no program of the system is
 * ever called.
 */
#ifndef KVALI_ARCHIVE_READER_H
#define KVALI_ARCHIVE_READER_H

#include "plugins/archive/member.h"

/* In setup: the locale in which names are converted, and a first use. */
int reader_setup(void);

struct reader;

/* -ENOMEM. Borrows the source. */
int reader_open(enum form form, struct source_bytes *source, struct reader **ret_reader);
/* The next member: 1, 0 at the end, or -EBADMSG: reader_error says what is wrong, and nothing follows. */
int reader_next(struct reader *reader, struct member *ret_member);
/* Content of the member, in order: *ret_size bytes, before which `*ret_gap` zeros lie. 1, 0 at the end,
 * -EBADMSG: what came is all, -ENOTSUP: this library cannot unpack it. */
int reader_data(struct reader *reader, const void **ret_data, size_t *ret_size, uint64_t *ret_gap);
/* The content that came is not what its header promises. */
bool reader_warned(const struct reader *reader);
/* In words. Evidence may speak in it. */
const char *reader_error(const struct reader *reader);
/* The archive's variant, in libarchive's words. */
const char *reader_detail(const struct reader *reader);
/* Names are encrypted. */
bool reader_is_closed(const struct reader *reader);
/* Bytes of the source in front of what was not used yet. */
uint64_t reader_position(const struct reader *reader);
void reader_close(struct reader *reader);

/* One member of a zip: see zip.c. The bytes of `head` (a header made for it; 0 of them: the source has it) come first, then
 * `size` of the source from `offset` on. `password`: what it is encrypted with; NULL: it is not. A wrong one shows at the first
 * reader_data or at any later one. */
int reader_open_one(const void *head, size_t head_size, struct source_bytes *source, uint64_t offset,
                    uint64_t size, const char *password, struct reader **ret_reader);

#endif
