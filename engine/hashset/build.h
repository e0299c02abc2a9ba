/*
 * build: makes a set's file from rows that come in any order and any number, with bounded memory.
 *
 * The file is written unlinked and gets its name when it is whole and on the disk: a kill, Ctrl-C or a full
 * disk leaves nothing. The same sources in the same order give the same file, to the byte: nothing in it
 * depends on memory or time.
 */
#ifndef KVALI_HASHSET_BUILD_H
#define KVALI_HASHSET_BUILD_H

#include "engine/hashset/hashset.h"

enum { HASHSET_MEMORY_MIN = 64 << 20 };

struct hashset_build_options {
    const char *path; /* of the set to be; its folder takes the temporary files */
    const char *name; /* escaped text, below HASHSET_NAME_SIZE bytes */
    enum hashset_kind kind;
    bool labelled;       /* rows may have categories, series, tags */
    bool replace;        /* a set of this path may be there */
    unsigned algorithms; /* of how many algorithms rows have hashes, at most; 0: not known */
    uint64_t memory;     /* bytes, at least HASHSET_MEMORY_MIN */
    /* Told how much of the work after the last row is done, in thousandths; negative stops with that code.
     * May be NULL. */
    int (*each)(void *context, unsigned done);
    void *context;
};

struct hashset_build;

/* Options are copied, their strings borrowed until hashset_build_free. -EEXIST, -EINVAL, and what the disk
 * says. */
int hashset_build_new(const struct hashset_build_options *options, struct hashset_build **ret_build,
                      struct why *why);
void hashset_build_free(
    struct hashset_build *build); /* without hashset_build_finish: nothing is left of it */

/* What comes next is from this file, whose rows are numbered from 1. `format` and `name` escaped. */
int hashset_build_source(struct hashset_build *build, const char *name, const char *format);
/* Ends it: it had `lines` lines or entries, whether or not they were rows. */
void hashset_build_source_end(struct hashset_build *build, uint64_t lines, uint64_t size, const char *sha256);

/* The number of a label, for rows; the text is "category TAB series TAB tags", each escaped here. 0: none,
 * and where the table of labels is full (64 MiB) for any that is new: hashset_build_labels_lost counts. */
uint32_t hashset_build_label(struct hashset_build *build, const char *category, size_t category_size,
                             const char *series, size_t series_size, const char *tags, size_t tags_size);
uint64_t hashset_build_labels_lost(const struct hashset_build *build);

/* One row: keys by algorithm, NULL where it has none; `line` of the source from 1. -EOVERFLOW past 2^32 - 2
 * rows, -ENOSPC and others of the disk. */
int hashset_build_row(struct hashset_build *build, const uint8_t *const keys[HASHSET_ALGORITHMS],
                      uint32_t label, uint64_t line);
/* A similarity hash: printable text without TAB; `name` raw. One row as well. They are held in memory:
 * -EOVERFLOW past 256 MiB of them. */
int hashset_build_similar(struct hashset_build *build, enum hashset_similar kind, const char *hash,
                          size_t hash_size, const char *name, size_t name_size, uint64_t line);
uint64_t hashset_build_rows(const struct hashset_build *build);

/* Sorts, writes, names. The build is to be freed in any case. */
int hashset_build_finish(struct hashset_build *build, struct why *why);

#endif
