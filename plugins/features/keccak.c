/* keccak: the sponge [Bertoni et al., Keccak; FIPS 202] with a rate of 136 bytes over nettle's permutation.
 */
#include "plugins/features/keccak.h"

#include <nettle/sha3.h>
#include <string.h>

enum { RATE = 136 };

static void absorb(struct sha3_state *state, const uint8_t *block)
{
    for (size_t i = 0; i < RATE; i++)
        state->a[i / 8] ^= (uint64_t)block[i] << 8 * (i % 8);
    nettle_sha3_permute(state);
}

static void sponge(const uint8_t *data, size_t size, uint8_t padding, uint8_t ret[KECCAK_SIZE])
{
    struct sha3_state state = {{0}};
    uint8_t last[RATE] = {0};

    for (; size >= RATE; data += RATE, size -= RATE)
        absorb(&state, data);
    if (size > 0)
        memcpy(last, data, size);
    last[size] ^= padding;
    last[RATE - 1] ^= 0x80;
    absorb(&state, last);
    for (size_t i = 0; i < KECCAK_SIZE; i++)
        ret[i] = (uint8_t)(state.a[i / 8] >> 8 * (i % 8));
}

void keccak256(const void *data, size_t size, uint8_t ret[KECCAK_SIZE])
{
    sponge(data, size, 0x01, ret);
}

void sha3_256(const void *data, size_t size, uint8_t ret[KECCAK_SIZE])
{
    sponge(data, size, 0x06, ret);
}
