/*
 * image: one exhibit's medium as a run of bytes, whatever the container.
 *
 * raw and split raw are read with pread; E01 with libewf itself (ewf.c), so that its checksum errors are
 * seen; AFF, VMDK and VHD through libtsk with an explicit type; VHDX, QCOW and differencing VHD by the layers
 * (layer/layer.h). A container is never quietly taken for raw: a
 * file that begins with a known container's signature but does not open is an error, and a container that
 * kvali cannot open (AFF4, Ex01, UDIF, Ghost ...) opens as raw with `unsupported` naming it.
 *
 * A folder or single file as logical evidence has no bytes of its own (folder) or is its own only stream
 * (file).
 */
#ifndef KVALI_EVIDENCE_IMAGE_H
#define KVALI_EVIDENCE_IMAGE_H

#include "engine/base/why.h"
#include "engine/base/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum image_type {
    IMAGE_AUTO, /* by content and name: the first bytes, a folder, .001 with .002 beside it */
    IMAGE_RAW,
    IMAGE_SPLIT,
    IMAGE_EWF,
    IMAGE_AFF,
    IMAGE_VMDK,
    IMAGE_VHD,
    IMAGE_VHDX,
    IMAGE_QCOW,
    IMAGE_FILE,   /* one file as logical evidence: a stream of kind FILE, no volumes are sought */
    IMAGE_FOLDER, /* a folder as logical evidence */
    IMAGE_TYPES,
};

/* "auto", "raw", "split", "ewf", "aff", "vmdk", "vhd", "vhdx", "qcow", "file", "folder"; and back (false: unknown). */
const char *image_type_name(enum image_type type);
bool image_type_parse(const char *name, enum image_type *ret_type);

enum { IMAGE_HASHES_MAX = 8, IMAGE_FDS_MAX = 4096 };

/* A hash that somebody stored for this image. */
struct image_hash {
    char algorithm[8]; /* "md5", "sha1", "sha256" */
    char hex[65];      /* lower case */
    char source[96];   /* "E01 hash section", "disk.raw.md5": escaped */
};

struct image_info {
    enum image_type type;
    uint64_t size;        /* bytes of the medium, as the container says */
    uint64_t stored;      /* of these, how many its files can hold at most: the rest is holes */
    uint32_t sector_size; /* 512 unless the container says otherwise */
    uint32_t segments;    /* files that the image consists of */
    struct image_hash hashes[IMAGE_HASHES_MAX];
    size_t hash_count;
    char unsupported[64]; /* a container that was recognised and is read as raw: its name; else "" */
    char details[512];    /* "EnCase 6, fast compression, acquired 2026-01-02 by ...": escaped; may be "" */
    char damage[512];     /* what is wrong but did not prevent opening: "segment 3 of 5 is missing", "" */
};

struct image;

/* Opens `path` read-only. All files of the image are opened now and stay open (image_fds): nothing is opened
 * later. -ENOENT, -EACCES, -EINVAL (not what `type` says, or damaged beyond opening), -ENODATA (empty, or of
 * size 0), -ENOTSUP; `why` names file and cause. Not for IMAGE_FOLDER's content: see folder.h. */
int image_open(const char *path, enum image_type type, struct image **ret_image, struct why *why);
void image_close(struct image *image);

const struct image_info *image_info(const struct image *image);
/* The last component of the path it was opened by, escaped: the first component of every forensic address in
 * it. */
const char *image_name(const struct image *image);

/* The descriptors that the image reads from. A forked worker reopens each of them in place (image_reopen),
 * because libewf and libtsk use the file offset, which a fork shares. */
size_t image_fds(const struct image *image, const int **ret_fds);
/* After fork, before the sandbox closes: an open file description of this process's own behind every
 * descriptor. */
int image_reopen(struct image *image, struct why *why);

/* Reads `size` bytes at `offset` into `data`. What cannot be read (I/O error, bad checksum in the container,
 * segment missing) is zeros, and its ranges (image offsets, to the sector where the medium allows) are added
 * to the image's list of bad ranges and, while image_watch is set, to that list. 0, -EINVAL when the range is
 * not within the image, or -ENOMEM when a bad range could not be noted. */
int image_read(struct image *image, uint64_t offset, void *data, size_t size);

/* Collects bad ranges met from now on into `ranges` (borrowed); NULL stops. A range that was met before is
 * reported again when it is read again. */
void image_watch(struct image *image, struct ranges *ranges);

/* `alive` is called by work on this image that is long and says nothing else (image_alive). NULL: nobody wants to know. */
void image_set_alive(struct image *image, void (*alive)(void *context), void *context);
void image_alive(const struct image *image);

/* `busy` is called with true before a key is derived, which is one long computation without a word, and with false after it. */
void image_set_busy(struct image *image, void (*busy)(void *context, bool is_busy), void *context);

/* All bad ranges met since the image was opened. */
const struct ranges *image_bad(const struct image *image);

/* One slot for the file-system layer to keep what it has open in this image; `drop` is called with it by
 * image_close. */
void image_set_keep(struct image *image, void *keep, void (*drop)(void *keep));
void *image_keep(const struct image *image);

/* IMAGE_FOLDER: the descriptor of the folder, opened O_PATH|O_DIRECTORY; -1 for every other type. */
int image_folder_fd(const struct image *image);

/* Warm-up: makes the libraries behind load what they load lazily. Called before the sandbox closes. */
void image_warm(void);

const char *image_version_ewf(void); /* "libewf 20140813" */

#endif
