/*
 * locator: the short addresses by which the engine opens things again: what to expand, what to read.
 *
 * They are made by the engine, but come back over the wire and out of the case database, so the parser takes
 * nothing that the printer would not have written: one spelling for each address.
 *
 *   volumes  folder  file  image
 *   raw@<offset>+<size>
 *   runs@<offset>+<size>,<offset>+<size>...                at most LOCATOR_RUNS_MAX
 *   free@<offset>:<type>/<start>+<size>                    unallocated space of a file system: bytes of all of it
 *   free@<offset>/<block>/<start>+<size>                   the same of an APFS container, by one of its volumes
 *   fs@<offset>:<type>                         fs@<offset>:<type>/<inode>-<attribute type>-<attribute id>
 *   apfs@<offset>/<block>                      apfs@<offset>/<block>/<inode>-<attribute type>-<attribute id>
 *   folder/<hex of the relative path>
 *
 * Numbers are decimal without leading zeros, 64 bits (attribute type 32, id 16); a type is [a-z0-9+], at most
 * 11; hex is lower case.
 */
#ifndef KVALI_EVIDENCE_LOCATOR_H
#define KVALI_EVIDENCE_LOCATOR_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum locator_kind {
    LOCATOR_VOLUMES,        /* expand the partition tables */
    LOCATOR_FOLDER,         /* expand a folder of logical evidence */
    LOCATOR_FILE,           /* the one stream of a file as logical evidence */
    LOCATOR_IMAGE,          /* the whole image as a stream */
    LOCATOR_RAW,            /* a range of the image */
    LOCATOR_RUNS,           /* several ranges of the image, one after the other */
    LOCATOR_FREE,           /* a part of a file system's free space */
    LOCATOR_FS,             /* expand a file system */
    LOCATOR_FS_CONTENT,     /* a content in it */
    LOCATOR_APFS,           /* expand an APFS volume */
    LOCATOR_APFS_CONTENT,   /* a content in it */
    LOCATOR_FOLDER_CONTENT, /* a file in a folder of logical evidence */
};

enum { LOCATOR_TYPE_SIZE = 12, LOCATOR_RUNS_MAX = 256 };

struct locator {
    enum locator_kind kind;
    uint64_t offset;              /* RAW, FS*, APFS* (of the container): byte in the image */
    uint64_t size;                /* RAW, FREE: bytes, never 0; RUNS: all of them together */
    uint64_t start;               /* FREE: the first byte, in the order of free space */
    char type[LOCATOR_TYPE_SIZE]; /* FS*: "ntfs", "hfs+" ...; APFS*: "apfs" */
    uint64_t block;               /* APFS*: the volume's superblock */
    uint64_t inode;               /* *_CONTENT */
    uint32_t attribute_type;
    uint16_t attribute_id;
    const char *path; /* FOLDER_CONTENT: the hex digits; RUNS: all that follows the '@'. Borrowed from the text */
};

/* The next run of a RUNS locator's `path`, which *text is at first: false at the end. */
bool locator_next_run(const char **text, uint64_t *ret_offset, uint64_t *ret_size);

/* -EINVAL when `text` is not a locator; *ret_locator is then untouched. */
int locator_parse(const char *text, struct locator *ret_locator);

/* Appends the text. */
void locator_print(struct buf *buf, const struct locator *locator);

#endif
