/*
 * format: where everything lies in a set's file. Private to engine/hashset.
 *
 * All numbers little-endian but in entries. The parts follow the header in any order, each at a multiple
 * of 64.
 */
#ifndef KVALI_HASHSET_FORMAT_H
#define KVALI_HASHSET_FORMAT_H

#include "engine/hashset/hashset.h"

enum {
    HASHSET_HEADER = 4096,
    HASHSET_VERSION = 2,
    HASHSET_CHUNK = 256 << 10,
    HASHSET_BLOCK = 64, /* of the filter, one cache line */
    HASHSET_INDEX_BITS_MAX = 30,
    HASHSET_SOURCES_MAX = 65536,
};
#define HASHSET_MAGIC "kvaliset"

struct hashset_part {
    uint64_t offset, size;
};

struct hashset_table {
    uint64_t count;
    struct hashset_part entries, index, filter;
    uint32_t index_bits;
};

/* Similarity hashes of one kind, as text (similar.c). */
struct hashset_hashes {
    uint64_t count;
    struct hashset_part part;
};

struct hashset_layout {
    char name[HASHSET_NAME_SIZE];
    uint32_t kind;
    uint32_t entry_extra; /* 4: the row; 8: label and row */
    uint64_t file_size, rows, labels, sources;
    struct hashset_part source_part, label_part, chunk_part;
    uint8_t chunks_sha256[SHA256_SIZE];
    struct hashset_table tables[HASHSET_ALGORITHMS];
    struct hashset_hashes similar[HASHSET_SIMILARS];
};

void layout_encode(const struct hashset_layout *layout, uint8_t header[HASHSET_HEADER]);
/* Reads a header and checks it against itself and the size of the file. -EBADMSG: `*ret_wrong` says what. */
int layout_decode(const uint8_t *header, uint64_t file_size, struct hashset_layout *ret_layout,
                  const char **ret_wrong);
/* SHA-256 of the header but its own checksum, as it stands at the header's end. */
void layout_sha256(const uint8_t *header, uint8_t ret[SHA256_SIZE]);

/* How many bits of a key the index takes for `count` entries, and how many blocks the filter has. */
uint32_t layout_index_bits(uint64_t count);
uint64_t layout_filter_blocks(uint64_t count);

static inline uint64_t key_prefix(const uint8_t *key)
{
    uint64_t value;
    __builtin_memcpy(&value, key, sizeof value);
    return __builtin_bswap64(value);
}

/* The slot of a key in the index: its first bits. */
static inline uint64_t key_slot(uint64_t prefix, uint32_t bits)
{
    return bits == 0 ? 0 : prefix >> (64 - bits);
}

__extension__ typedef unsigned __int128 hashset_wide;

/* The filter's block of a key grows with the key, so that a sorted array fills the filter from front to back.
 */
static inline uint64_t key_block(uint64_t prefix, uint64_t blocks)
{
    return (uint64_t)(((hashset_wide)prefix * blocks) >> 64);
}

enum { FILTER_HASHES = 6 };
/* Bit number `i` of a key in its block of 512: nine bits each of the key's bytes 8 to 15. */
static inline uint32_t key_bit(uint64_t second, uint32_t i)
{
    return (uint32_t)(second >> (9 * i)) & 511;
}

#endif
