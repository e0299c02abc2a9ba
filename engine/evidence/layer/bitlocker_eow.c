/*
 * bitlocker_eow: encrypt-on-write, by which Windows 10 and later encrypt a volume while it is in use: bitmaps
 * say which chunks are encrypted already.
 */
#include "engine/evidence/layer/bitlocker.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>

enum {
    INFORMATION_SIZE = 56,
    INFORMATION_CRC = 36,
    MAP_SIZE = 60,
    MAP_CRC = 56,
    RECORD_SIZE = 36,
    RECORD_CRC = 32,
    RECORDS = 2,
    BLOCK_MAX = 16 << 20, /* bytes of a map with its records: with chunks of 4 KiB, 256 GiB each */
    BITS_MAX = 256 << 20, /* of all: 8 TiB in such chunks */
};

/* Reads `size` bytes that have their checksum at `at`, for which it is computed with zeros. NULL: they are
 * not there, or not whole. To be freed. */
static uint8_t *read_block(const struct reader *reader, uint64_t offset, const char *magic, size_t magic_size,
                           size_t size, size_t at)
{
    uint8_t *data = size >= magic_size + 4 && size <= BLOCK_MAX ? malloc(size) : NULL;
    struct bytes bytes;
    uint32_t checksum;

    if (!data || reader_read(reader, offset, data, size) < 0 || memcmp(data, magic, magic_size) != 0) {
        free(data);
        return NULL;
    }
    bytes_init(&bytes, data, size);
    bytes_seek(&bytes, at);
    checksum = bytes_u32le(&bytes);
    memset(data + at, 0, 4);
    if (crc32_gzip_refl(0, data, size) != checksum) {
        free(data);
        data = NULL;
    }
    return data;
}

/* A number of `size` bytes, 2 or 4, at the offset; 0 when it cannot be read. */
static uint32_t number_at(const struct reader *reader, uint64_t offset, size_t size)
{
    uint8_t data[4] = {0};
    struct bytes bytes;

    if (reader_read(reader, offset, data, size) < 0)
        return 0;
    bytes_init(&bytes, data, sizeof data);
    return bytes_u32le(&bytes);
}

/* ------------------------------------------------------------------ one map */

/* Of the two records the later one that is whole counts. 0: there is none. */
static uint64_t take_record(const struct reader *reader, uint64_t offset, uint64_t least,
                            struct bitlocker_map *map)
{
    uint32_t size = number_at(reader, offset + 12, 4), count;
    uint8_t *data = read_block(reader, offset, "FVE-EOWBR", 10, size < RECORD_SIZE ? 0 : size, RECORD_CRC);
    uint8_t *less;
    uint64_t sequence;
    uint16_t begin;
    struct bytes bytes;

    if (!data)
        return 0;
    bytes_init(&bytes, data, size);
    bytes_seek(&bytes, 10);
    begin = bytes_u16le(&bytes);
    bytes_skip(&bytes, 4);
    count = bytes_u32le(&bytes);
    sequence = bytes_u64le(&bytes);
    if (sequence < least || begin < RECORD_SIZE || !u64_range_fits(begin, ((uint64_t)count + 7) / 8, size)) {
        free(data);
        return 0;
    }
    memmove(data, data + begin, ((size_t)count + 7) / 8);
    less = realloc(data, ((size_t)count + 7) / 8 + 1); /* a record may be much larger than its bits */
    free(map->bits);
    map->bits = less ? less : data;
    map->count = count;
    return sequence == UINT64_MAX ? sequence : sequence + 1;
}

/* -EINVAL: damaged. */
static int take_map(const struct reader *reader, uint64_t offset, uint32_t log_size,
                    struct bitlocker *bitlocker)
{
    struct bitlocker_map *map = &bitlocker->maps[bitlocker->map_count++];
    uint32_t head = number_at(reader, offset + 44, 4), size, records[RECORDS];
    uint8_t *data = read_block(reader, offset, "FVE-EOWBM", 10, head < MAP_SIZE ? 0 : head, MAP_CRC);
    uint64_t log, least = 0;
    struct bytes bytes;
    int code;

    if (!data)
        return -EINVAL;
    bytes_init(&bytes, data, head);
    bytes_seek(&bytes, 12);
    size = bytes_u32le(&bytes);
    bytes_skip(&bytes, 4);
    map->offset = bytes_u64le(&bytes);
    map->size = bytes_u64le(&bytes);
    log = bytes_u64le(&bytes);
    for (size_t i = 0; i < RECORDS; i++)
        records[i] = bytes_u32le(&bytes);
    free(data);
    for (size_t i = 0; i < RECORDS; i++) {
        uint64_t next = take_record(reader, offset + records[i], least, map);
        least = next > least ? next : least;
    }
    code = map->bits ? bitlocker_region_add(bitlocker, offset, size) : -EINVAL;
    return code == 0 ? bitlocker_region_add(bitlocker, log, log_size) : code;
}

/* ------------------------------------------------------------------ all of them */

static int take_maps(const struct reader *reader, uint64_t offset, uint8_t *data, size_t size,
                     struct bitlocker *bitlocker)
{
    size_t count = (size - INFORMATION_SIZE) / 8, bits = 0;
    uint32_t log_size;
    struct bytes bytes;
    int code = bitlocker_region_add(bitlocker, offset, size);

    bytes_init(&bytes, data, size);
    bytes_seek(&bytes, 20);
    bitlocker->chunk_size = bytes_u32le(&bytes);
    log_size = bytes_u32le(&bytes);
    bytes_seek(&bytes, INFORMATION_SIZE);
    bitlocker->maps = calloc(count + 1, sizeof bitlocker->maps[0]);
    if (!bitlocker->maps)
        return -ENOMEM;
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = take_map(reader, bytes_u64le(&bytes), log_size, bitlocker);
        bits += bitlocker->maps[i].count / 8;
        if (bits > BITS_MAX || (i > 0 && bitlocker->maps[i].offset <=
                                             bitlocker->maps[i - 1].offset)) /* they are looked up by it */
            code = -EINVAL;
    }
    return bitlocker->chunk_size == 0 || bitlocker->chunk_size % bitlocker->sector_size != 0 || count == 0
               ? -EINVAL
               : code;
}

int bitlocker_eow_parse(const struct reader *reader, const uint64_t offsets[2], struct bitlocker *bitlocker,
                        struct why *why)
{
    int code = -EINVAL;

    for (size_t i = 0; i < 2; i++) {
        size_t size = number_at(reader, offsets[i] + 10, 2);
        uint8_t *data =
            read_block(reader, offsets[i], "FVE-EOW", 8, size < INFORMATION_SIZE ? 0 : size, INFORMATION_CRC);

        if (!data)
            continue;
        if (!bitlocker->maps)
            code = take_maps(reader, offsets[i], data, size, bitlocker);
        else if (code == 0) /* the other copy of what was read: no one's data either */
            code = bitlocker_region_add(bitlocker, offsets[i], size);
        free(data);
    }
    if (code == -ENOMEM)
        return code;
    return code == 0 ? 0 : why_set(why, -EINVAL, "its map of what is encrypted already is damaged");
}

static bool is_set(const struct bitlocker_map *map, uint64_t chunk)
{
    return chunk >= map->count || (map->bits[chunk / 8] >> (chunk % 8) & 1) != 0;
}

bool bitlocker_eow_find(const struct bitlocker *bitlocker, uint64_t offset, uint64_t *ret_size)
{
    size_t low = 0, high = bitlocker->map_count;
    const struct bitlocker_map *map;
    uint64_t first, chunk;
    bool set;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(bitlocker->maps[middle].offset <= offset ? &low : &high) = middle;
    }
    map = &bitlocker->maps[low];
    if (offset < map->offset || offset - map->offset >= map->size) {
        *ret_size = bitlocker->chunk_size;
        return true;
    }
    first = chunk = (offset - map->offset) / bitlocker->chunk_size;
    set = is_set(map, chunk);
    while (chunk - first < 64 && is_set(map, chunk + 1) == set)
        chunk++;
    *ret_size = map->offset + (chunk + 1) * bitlocker->chunk_size - offset;
    return set;
}

bool bitlocker_eow_whole(const struct bitlocker *bitlocker)
{
    for (size_t i = 0; i < bitlocker->map_count; i++) {
        const struct bitlocker_map *map = &bitlocker->maps[i];

        for (uint64_t byte = 0; byte < map->count / 8; byte++) {
            if (map->bits[byte] != 0xff)
                return false;
        }
    }
    return true;
}
