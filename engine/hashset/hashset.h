/*
 * hashset: a set of known hashes in one file, looked up where it lies: mapped, never loaded, read only.
 *
 * The file (rules/README.md, "Hash sets", has the table of its header) holds for each algorithm an array of
 * entries, sorted bytewise: the key, then a label's number where the set has labels, then the row that it
 * came from, both big-endian. In front of it stand an index of the keys' first bits and a blocked Bloom
 * filter, so that a key that is not there costs one cache line, and one that is there three or four. Chunks
 * of 256 KiB have each a SHA-256; the table of these has one in the header, and the header one of itself. So
 * `sha256` below, the header's, stands for every byte of the file.
 *
 * A set file is the lab's, not evidence; still it may be damaged or made by somebody: every offset is checked
 * when the set is opened, every index when it is used, and no byte of a chunk is used before its checksum was
 * compared, once for a set that is open. So damage is an error where it would touch an answer, never another
 * answer. A set is used by one thread.
 */
#ifndef KVALI_HASHSET_HASHSET_H
#define KVALI_HASHSET_HASHSET_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hashset_algorithm { HASHSET_MD5, HASHSET_SHA1, HASHSET_SHA256, HASHSET_ALGORITHMS };
enum hashset_similar { HASHSET_SSDEEP, HASHSET_TLSH, HASHSET_SIMILARS };
enum hashset_kind { HASHSET_KNOWN = 1, HASHSET_ALERT, HASHSET_NOTABLE };
enum { HASHSET_NAME_SIZE = 64, HASHSET_KEY_MAX = 32 };

/* Where a set's rows came from. Text is valid as long as the set is open. */
struct hashset_source {
    const char *name;   /* the file's name, escaped */
    const char *format; /* "NSRL RDS v2" */
    char sha256[SHA256_HEX_SIZE];
    uint64_t size; /* bytes */
    uint64_t first,
        rows; /* the rows [first, first + rows) of the set: entry `row` is its line row - first + 1 */
};

struct hashset_info {
    char name[HASHSET_NAME_SIZE];
    enum hashset_kind kind;
    char sha256[SHA256_HEX_SIZE];
    uint64_t file_size;
    uint64_t rows;                      /* read from the sources; what came twice counts twice */
    uint64_t count[HASHSET_ALGORITHMS]; /* entries; a key with two labels has two */
    uint64_t labels;
    size_t sources;
    uint64_t similar[HASHSET_SIMILARS];
};

struct hashset;

/* Maps the file and checks its header, its table of chunks, its sources and where its parts lie: no more, so
 * it takes a few milliseconds at any size. -EBADMSG: not a set, cut short or damaged; `why` names file and
 * cause. */
int hashset_open(const char *path, struct hashset **ret_set, struct why *why);
void hashset_close(struct hashset *set); /* NULL allowed */
const struct hashset_info *hashset_info(const struct hashset *set);
/* `index` below info->sources. */
struct hashset_source hashset_source(const struct hashset *set, size_t index);

/* How many entries have this key (of the algorithm's width); the first is number *ret_first, untouched when
 * it is 0. -EBADMSG: what would answer it is damaged (hashset_damage). */
int64_t hashset_find(const struct hashset *set, enum hashset_algorithm algorithm, const uint8_t *key,
                     uint64_t *ret_first);
/* The same for `count` keys that lie one after the other, with the waits for memory done beside each other.
 * ret_first[i] is UINT64_MAX where a key is not there, HASHSET_UNKNOWN where what would answer it is damaged.
 */
#define HASHSET_UNKNOWN (UINT64_MAX - 1)
void hashset_find_many(const struct hashset *set, enum hashset_algorithm algorithm, const uint8_t *keys,
                       size_t count, uint64_t *ret_first);

struct hashset_entry {
    const uint8_t *key;
    uint32_t row;
    const char *category, *series, *tags; /* escaped text, not terminated: see the sizes; NULL and 0: none */
    size_t category_size, series_size, tags_size;
};
/* Entry `number` of the algorithm; false when there is none, or it is damaged. Borrowed from the set. */
bool hashset_entry(const struct hashset *set, enum hashset_algorithm algorithm, uint64_t number,
                   struct hashset_entry *ret_entry);
/* The source that a row came from, and its line or number there, from 1. NULL name: damaged. */
struct hashset_source hashset_row_source(const struct hashset *set, uint32_t row, uint64_t *ret_line);

/* Similarity hashes: what is near to them is for a plugin to say; a set only keeps them. */
struct hashset_similar_hash {
    const char *hash, *name; /* not terminated; the name is escaped, and may be empty */
    size_t hash_size, name_size;
    uint32_t row;
};
/* All of a kind, in the order of their hashes. `each` returns negative to end with that code. -EBADMSG: they
 * are damaged. */
int hashset_similar_each(const struct hashset *set, enum hashset_similar kind,
                         int (*each)(void *context, const struct hashset_similar_hash *hash), void *context);
const char *hashset_similar_name(enum hashset_similar kind); /* "ssdeep", "tlsh" */

/* Reads every byte and holds it against the checksums, then every order and index. `each` may be NULL: told
 * how far it is, and negative to stop. -EBADMSG: `why` says where the first damage is; *ret_damaged how many
 * chunks are. */
int hashset_verify(const struct hashset *set, int (*each)(void *context, uint64_t done, uint64_t size),
                   void *context, uint64_t *ret_damaged, struct why *why);

/* Where in the file the first damaged chunk begins of those that were needed so far; UINT64_MAX: none was. */
uint64_t hashset_damage(const struct hashset *set);

/* 16, 20, 32; "md5", "sha1", "sha256"; "known", "alert", "notable". */
size_t hashset_width(enum hashset_algorithm algorithm);
const char *hashset_algorithm_name(enum hashset_algorithm algorithm);
const char *hashset_kind_name(enum hashset_kind kind);
/* By the number of bytes in a digest, HASHSET_ALGORITHMS for none. */
enum hashset_algorithm hashset_algorithm_of(size_t width);

#endif
