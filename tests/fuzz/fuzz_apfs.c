/*
 * fuzz_apfs: whatever key bags say, reading them keeps to its bounds and comes to an end. The input is what
 * stands in the superblock from its checkpoints on (64 bytes), and then half of it each in the container's
 * bag and in the volume's, plain, with checksums that are right. A password is tried when no record asks for
 * many rounds.
 */
#include "engine/evidence/apfs_lock.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUPER, VOLUME, CONTAINER_BAG, VOLUME_BAG, BLOCKS, BAG_AT = 32, ROUNDS = 64 };

static int read_blocks(void *context, uint64_t offset, void *data, size_t size)
{
    memcpy(data, (const uint8_t *)context + offset, size);
    return 0;
}

static void put(uint8_t *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static void seal(uint8_t *block)
{
    const uint64_t mod = UINT32_MAX;
    uint64_t low = 0, high = 0, first;

    for (size_t i = 8; i < APFS_BLOCK; i += 4) {
        low = (low + ((uint64_t)block[i] | (uint64_t)block[i + 1] << 8 | (uint64_t)block[i + 2] << 16 |
                      (uint64_t)block[i + 3] << 24)) %
              mod;
        high = (high + low) % mod;
    }
    first = mod - (low + high) % mod;
    put(block, (mod - (low + first) % mod) << 32 | first, 8);
}

static size_t take(uint8_t *to, size_t room, const uint8_t *data, size_t size)
{
    size_t count = size < room ? size : room;

    memcpy(to, data, count);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t blocks[BLOCKS][APFS_BLOCK];
    const struct reader reader = {read_blocks, blocks, sizeof blocks};
    struct apfs_lock lock;
    struct why why = {{0}};
    uint8_t own[APFS_KEY_SIZE], words[] = "open sesame";
    const struct key key = {KEY_PASSWORD, words, sizeof words - 1};
    size_t used;

    memset(blocks, 0, sizeof blocks);
    used = take(blocks[SUPER] + 104, 64, data, size);
    put(blocks[SUPER] + 32, 0x4253584e, 4);
    put(blocks[SUPER] + 36, APFS_BLOCK, 4);
    put(blocks[SUPER] + 1264, 4, 8);
    put(blocks[SUPER] + 1296, CONTAINER_BAG, 8);
    put(blocks[SUPER] + 1304, 1 + (size & 1), 8);
    data += used;
    size -= used;
    used = take(blocks[CONTAINER_BAG] + BAG_AT, APFS_BLOCK - BAG_AT, data, size / 2);
    (void)take(blocks[VOLUME_BAG] + BAG_AT, APFS_BLOCK - BAG_AT, data + used, size - used);
    put(blocks[CONTAINER_BAG] + 24, 0x6b657973, 4);
    put(blocks[VOLUME_BAG] + 24, 0x72656373, 4);
    put(blocks[CONTAINER_BAG] + 32, 2, 2);
    put(blocks[VOLUME_BAG] + 32, 2, 2);
    for (size_t i = 0; i < BLOCKS; i++)
        seal(blocks[i]);
    if (apfs_lock_read(&reader, VOLUME, &lock, &why) < 0)
        return 0;
    for (size_t i = 0; i < lock.count; i++) {
        if (lock.records[i].rounds > ROUNDS)
            return 0;
    }
    (void)apfs_lock_open(&lock, &key, NULL, NULL, own, &why);
    return 0;
}
