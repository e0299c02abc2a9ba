/*
 * stream: a content opened by its locator and read once from start to end.
 *
 * Locators of contents:
 *   "image"                            the whole image
 *   "raw@<offset>+<size>"              a range of the image
 *   "runs@<offset>+<size>,..."         several ranges of the image, one after the other
 *   "free@<offset>:<type>/<start>+<size>"   a part of a file system's unallocated blocks, in the order of their addresses
 *   "fs@<offset>:<type>/<inode>-<attribute type>-<attribute id>"
 *   "apfs@<offset>/<block>/<inode>-<attribute type>-<attribute id>"
 *   "file"                             a single file of logical evidence
 *   "folder/<hex of the relative path>"
 * What is read equals what The Sleuth Kit's icat gives for the same address. Plain non-resident attributes
 * are read by their extents straight from the image; compressed and resident ones through libtsk.
 */
#ifndef KVALI_EVIDENCE_STREAM_H
#define KVALI_EVIDENCE_STREAM_H

#include "engine/base/why.h"
#include "engine/evidence/image.h"

struct stream;

/* -EINVAL: no such locator; -ENOENT: nothing there any more; -EIO: its metadata cannot be read; `why` says.
 * File systems are kept open between calls (a small cache inside `image`). */
int stream_open(struct image *image, const char *locator, struct stream **ret_stream, struct why *why);
void stream_close(struct stream *stream);

uint64_t stream_size(const struct stream *stream);

/* Whom the file system says the file belongs to: on NTFS a SID or the name of one that is the same everywhere, elsewhere
 * "root" or the number of a user; "" when it knows no owners, or for what is no file. Escaped. `size` at least 1. */
enum { STREAM_OWNER_SIZE = 256 };
void stream_owner(const struct stream *stream, char *ret, size_t size);

/* True when it is a file's of which the file system says that it is in use. */
bool stream_is_live(const struct stream *stream);

/* True when no block of it lies on the medium (one hole, like NTFS's $BadClus:$Bad): every byte reads as
 * zero. */
bool stream_is_hole(const struct stream *stream);

/* Reads the next bytes: the number read (less than `size` only at the end), 0 at the end, negative errno when
 * it cannot go on. What could not be read is zeros and is added to stream_bad. */
int64_t stream_read(struct stream *stream, void *data, size_t size);

/* Ranges of this stream (its own offsets) that could not be read so far. `ret_coarse` style overflow is in
 * ->coarse. */
const struct ranges *stream_bad(const struct stream *stream);
/* The same in image offsets. */
const struct ranges *stream_bad_image(const struct stream *stream);

/* Bytes at any offset below stream_reach, beside the pass: the number read (less than `size` only at the end of the
 * reach), or a negative errno. Ranges that could not be read are added to `bad` (NULL: nowhere). */
int64_t stream_read_at(struct stream *stream, uint64_t offset, void *data, size_t size, struct ranges *bad);
/* How far stream_read_at reaches: the size; for free space on to the end of all of it. */
uint64_t stream_reach(const struct stream *stream);

/* The image offset of an offset within the reach; UINT64_MAX for a hole, a resident or compressed part. *ret_size (may be
 * NULL) is how many bytes of the stream follow each other there. */
uint64_t stream_physical(const struct stream *stream, uint64_t offset, uint64_t *ret_size);

/* What lies behind a live file's last written byte in its blocks, as a stream of its own; NULL in *ret_slack when there is
 * nothing, or when it cannot be told (compressed, resident). Close it before the stream. -ENOMEM. */
int stream_slack(struct stream *stream, struct stream **ret_slack);

#endif
