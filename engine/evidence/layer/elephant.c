/*
 * elephant: both diffusers backwards, in words of 32 bits.
 */
#include "engine/evidence/layer/elephant.h"

#include <endian.h>
#include <string.h>

enum { WORDS_MAX = 4096 / 4, A_CYCLES = 5, B_CYCLES = 3 };

static uint32_t rotate(uint32_t word, unsigned count)
{
    return count == 0 ? word : word << count | word >> (32 - count);
}

static void undo_a(uint32_t *words, size_t count)
{
    static const unsigned turns[4] = {9, 0, 13, 0};

    for (size_t i = 0; i < A_CYCLES * count; i++) {
        size_t at = i % count;

        words[at] += words[(at + count - 2) % count] ^ rotate(words[(at + count - 5) % count], turns[at % 4]);
    }
}

static void undo_b(uint32_t *words, size_t count)
{
    static const unsigned turns[4] = {0, 10, 0, 25};

    for (size_t i = 0; i < B_CYCLES * count; i++) {
        size_t at = i % count;

        words[at] += words[(at + 2) % count] ^ rotate(words[(at + 5) % count], turns[at % 4]);
    }
}

void elephant_undo(uint8_t *sector, size_t size, const uint8_t key[ELEPHANT_KEY_SIZE])
{
    uint32_t words[WORDS_MAX];
    size_t count = size / 4;

    memcpy(words, sector, count * 4);
    for (size_t i = 0; i < count; i++)
        words[i] = le32toh(words[i]);
    undo_b(words, count);
    undo_a(words, count);
    for (size_t i = 0; i < count; i++)
        words[i] = htole32(words[i]);
    memcpy(sector, words, count * 4);
    for (size_t i = 0; i < size; i++)
        sector[i] ^= key[i % ELEPHANT_KEY_SIZE];
}
