/*
 * stream: a content opened by its locator and read once from start to end.
 *
 * Locators of contents:
 *   "image"                            the whole image
 *   "raw@<offset>+<size>"              a range of the image
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

/* The image offset of a stream offset; UINT64_MAX for a hole, a resident or compressed part. */
uint64_t stream_physical(const struct stream *stream, uint64_t offset);

#endif
