/*
 * tsk: volumes, file systems and contents by way of libtsk, for expand.c and stream.c. Nothing of libtsk
 * shows here; tsk_private.h is for the files of this folder.
 */
#ifndef KVALI_EVIDENCE_TSK_TSK_H
#define KVALI_EVIDENCE_TSK_TSK_H

#include "engine/base/why.h"
#include "engine/evidence/found.h"
#include "engine/evidence/image.h"
#include "engine/evidence/locator.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an earlier attempt did not survive: values of `at`, and what became of it there. */
struct expand_skip {
    const uint64_t *items;
    size_t count;
    enum fault_kind kind;
};
bool expand_skips(const struct expand_skip *skip, uint64_t what);

/* `at` values that are not an inode or an offset. */
#define TSK_AT_OPEN    UINT64_MAX       /* opening the partition table or the file system */
#define TSK_AT_UNNAMED (UINT64_MAX - 1) /* walking all metadata for what no name reached */
#define TSK_AT_SPACE   (UINT64_MAX - 2) /* reading the allocation maps */
#define TSK_AT_SHADOW  (UINT64_MAX - 3) /* opening the volume's snapshots */

/* 0, -ENOMEM, -EINVAL, or the sink's own code. */
int tsk_volume_expand(struct image *image, const struct found_sink *sink, const struct expand_skip *skip);
int tsk_filesystem_expand(struct image *image, const struct locator *locator, const struct found_sink *sink,
                          const struct expand_skip *skip);

/* A piece of a content: stream bytes [offset, offset + size) lie at `physical` in the image. */
struct extent {
    uint64_t offset, size;
    uint64_t physical; /* EXTENT_HOLE: nowhere, they read as zeros; may be past the image's end */
};
#define EXTENT_HOLE UINT64_MAX

/* A content in a file system. -EINVAL, -ENOENT, -EIO, -ENOMEM as for stream_open. */
struct tsk_stream;
int tsk_stream_open(struct image *image, const struct locator *locator, struct tsk_stream **ret_stream,
                    struct why *why);
void tsk_stream_close(struct tsk_stream *stream);
uint64_t tsk_stream_size(const struct tsk_stream *stream);
/* As stream_is_live. */
bool tsk_stream_is_live(const struct tsk_stream *stream);
/* As stream_owner. */
void tsk_stream_owner(const struct tsk_stream *stream, char *ret, size_t size);
/* The extents of a plain content, in order and without gaps, cut to its size (they may end before it); NULL
 * when libtsk must read it: resident, compressed, encrypted volume. Borrowed. */
const struct extent *tsk_stream_extents(const struct tsk_stream *stream, size_t *ret_count);
/* By libtsk: the number of bytes read, 0 at the end, -EIO. `ret_data` as image_read fills it. */
int64_t tsk_stream_read(struct tsk_stream *stream, uint64_t offset, void *ret_data, size_t size);

/* The blocks behind the last written byte of a live file's plain content: extents from offset 0 on, to be freed by the
 * caller; NULL when there are none. -ENOMEM. */
int tsk_stream_slack(const struct tsk_stream *stream, struct extent **ret_extents, size_t *ret_count);

/* All free space of the file system that a FREE locator names, as extents that stay until tsk_free_close. */
struct tsk_filesystem;
int tsk_free_open(struct image *image, const struct locator *locator, struct tsk_filesystem **ret_filesystem,
                  const struct extent **ret_extents, size_t *ret_count, struct why *why);
void tsk_free_close(struct tsk_filesystem *filesystem);

void tsk_warm(void);
const char *tsk_version(void); /* "libtsk 4.11.1" */

#endif
