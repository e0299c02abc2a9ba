/*
 * hash_blocks: the loop for x86-64 with the SHA extensions (Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 2, SHA1RNDS4 to SHA256RNDS2).
 *
 * A block is done in sixteen slots. Each has four steps of MD5, four rounds of SHA-256 and, five times in
 * four slots, four rounds of SHA-1. Nothing passes between the three, so the processor runs them side by
 * side; in one after the other its window of instructions would be too short for that.
 */
#include "engine/base/hash_blocks.h"

const struct hash_state hash_state_start = {
    .md5 = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
    .sha1 = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
    .sha256 = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
               0x5be0cd19},
};

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

static const uint32_t sha256_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* clang-format off */

/* MD5. Its words are little-endian, as the processor's. G is written as a sum: its terms have no bit in common, and
 * the one that does not wait for the step before is added first. */
#define ROTATED(x, by) ((x) << (by) | (x) >> (32 - (by)))
#define MD5_WORD(k) md5_word(data, k)
#define MD5_F(a, b, c, d, k, by, t) a += MD5_WORD(k) + (t); a += d ^ (b & (c ^ d)); a = ROTATED(a, by) + b;
#define MD5_G(a, b, c, d, k, by, t) a += MD5_WORD(k) + (t); a += c & ~d; a += b & d; a = ROTATED(a, by) + b;
#define MD5_H(a, b, c, d, k, by, t) a += MD5_WORD(k) + (t); a += b ^ (c ^ d); a = ROTATED(a, by) + b;
#define MD5_I(a, b, c, d, k, by, t) a += MD5_WORD(k) + (t); a += c ^ (b | ~d); a = ROTATED(a, by) + b;
#define FOUR(f, by0, by1, by2, by3, k0, t0, k1, t1, k2, t2, k3, t3) \
    f(a, b, c, d, k0, by0, t0) f(d, a, b, c, k1, by1, t1) f(c, d, a, b, k2, by2, t2) f(b, c, d, a, k3, by3, t3)
#define FOUR_F(...) FOUR(MD5_F, 7, 12, 17, 22, __VA_ARGS__)
#define FOUR_G(...) FOUR(MD5_G, 5, 9, 14, 20, __VA_ARGS__)
#define FOUR_H(...) FOUR(MD5_H, 4, 11, 16, 23, __VA_ARGS__)
#define FOUR_I(...) FOUR(MD5_I, 6, 10, 15, 21, __VA_ARGS__)

/* SHA-256: four rounds with the four words `m`; the next four words from the last sixteen. */
#define SHA256(m, n) \
    x = _mm_add_epi32(m, _mm_load_si128((const __m128i *)(const void *)(sha256_constants + 4 * (n)))); \
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, x); \
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(x, 0x0e));
#define SHA256_WORDS(m0, m1, m2, m3) \
    m0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4)), m3);

#define SHA256_NEXT(m0, m1, m2, m3, n) SHA256_WORDS(m0, m1, m2, m3) SHA256(m0, n)

/* SHA-1: `e` is the state of four rounds ago, of which the instruction makes the fifth word. */
#define SHA1(m, group) \
    x = _mm_sha1nexte_epu32(e, m); e = abcd; abcd = _mm_sha1rnds4_epu32(abcd, x, (group) / 5);
#define SHA1_WORDS(m0, m1, m2, m3) \
    m0 = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(m0, m1), m2), m3);

#define SHA1_NEXT(m0, m1, m2, m3, group) SHA1_WORDS(m0, m1, m2, m3) SHA1(m0, group)

/* clang-format on */

static inline uint32_t md5_word(const uint8_t *data, size_t k)
{
    uint32_t word;

    memcpy(&word, data + 4 * k, sizeof word);
    return word;
}

static inline __m128i four_words(const uint8_t *data, size_t n)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * n));
}

/* Long, for the sixteen slots are written out: each has its own constants, which words are the next rotates,
 * and a loop over them would have to index registers. */
__attribute__((target("sha,ssse3,sse4.1"))) static void blocks_sha_ni(struct hash_state *state,
                                                                      const uint8_t *data, size_t blocks)
{
    const __m128i words = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const __m128i mirror = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t a = state->md5[0], b = state->md5[1], c = state->md5[2], d = state->md5[3];
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state->sha1), 0x1b);
    __m128i e = _mm_set_epi32((int)state->sha1[4], 0, 0, 0);
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state->sha256);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state->sha256 + 4));
    __m128i abef = _mm_unpacklo_epi64(_mm_shuffle_epi32(hgfe, 0xb1), _mm_shuffle_epi32(dcba, 0xb1));
    __m128i cdgh = _mm_unpackhi_epi64(_mm_shuffle_epi32(hgfe, 0xb1), _mm_shuffle_epi32(dcba, 0xb1));

    for (; blocks > 0; blocks--, data += HASH_BLOCK) {
        const uint32_t a0 = a, b0 = b, c0 = c, d0 = d;
        const __m128i abcd0 = abcd, e0 = e, abef0 = abef, cdgh0 = cdgh;
        __m128i m0 = _mm_shuffle_epi8(four_words(data, 0), words),
                m1 = _mm_shuffle_epi8(four_words(data, 1), words);
        __m128i m2 = _mm_shuffle_epi8(four_words(data, 2), words),
                m3 = _mm_shuffle_epi8(four_words(data, 3), words);
        __m128i w0 = _mm_shuffle_epi8(four_words(data, 0), mirror),
                w1 = _mm_shuffle_epi8(four_words(data, 1), mirror);
        __m128i w2 = _mm_shuffle_epi8(four_words(data, 2), mirror),
                w3 = _mm_shuffle_epi8(four_words(data, 3), mirror);
        __m128i x;

        FOUR_F(0, 0xd76aa478, 1, 0xe8c7b756, 2, 0x242070db, 3, 0xc1bdceee)
        SHA256(m0, 0)
        x = _mm_add_epi32(e, w0);
        e = abcd;
        abcd = _mm_sha1rnds4_epu32(abcd, x, 0);

        FOUR_F(4, 0xf57c0faf, 5, 0x4787c62a, 6, 0xa8304613, 7, 0xfd469501)
        SHA256(m1, 1)
        SHA1(w1, 1)

        FOUR_F(8, 0x698098d8, 9, 0x8b44f7af, 10, 0xffff5bb1, 11, 0x895cd7be)
        SHA256(m2, 2)
        SHA1(w2, 2)

        FOUR_F(12, 0x6b901122, 13, 0xfd987193, 14, 0xa679438e, 15, 0x49b40821)
        SHA256(m3, 3)
        SHA1(w3, 3)
        SHA1_NEXT(w0, w1, w2, w3, 4)

        FOUR_G(1, 0xf61e2562, 6, 0xc040b340, 11, 0x265e5a51, 0, 0xe9b6c7aa)
        SHA256_NEXT(m0, m1, m2, m3, 4)
        SHA1_NEXT(w1, w2, w3, w0, 5)

        FOUR_G(5, 0xd62f105d, 10, 0x02441453, 15, 0xd8a1e681, 4, 0xe7d3fbc8)
        SHA256_NEXT(m1, m2, m3, m0, 5)
        SHA1_NEXT(w2, w3, w0, w1, 6)

        FOUR_G(9, 0x21e1cde6, 14, 0xc33707d6, 3, 0xf4d50d87, 8, 0x455a14ed)
        SHA256_NEXT(m2, m3, m0, m1, 6)
        SHA1_NEXT(w3, w0, w1, w2, 7)

        FOUR_G(13, 0xa9e3e905, 2, 0xfcefa3f8, 7, 0x676f02d9, 12, 0x8d2a4c8a)
        SHA256_NEXT(m3, m0, m1, m2, 7)
        SHA1_NEXT(w0, w1, w2, w3, 8)
        SHA1_NEXT(w1, w2, w3, w0, 9)

        FOUR_H(5, 0xfffa3942, 8, 0x8771f681, 11, 0x6d9d6122, 14, 0xfde5380c)
        SHA256_NEXT(m0, m1, m2, m3, 8)
        SHA1_NEXT(w2, w3, w0, w1, 10)

        FOUR_H(1, 0xa4beea44, 4, 0x4bdecfa9, 7, 0xf6bb4b60, 10, 0xbebfbc70)
        SHA256_NEXT(m1, m2, m3, m0, 9)
        SHA1_NEXT(w3, w0, w1, w2, 11)

        FOUR_H(13, 0x289b7ec6, 0, 0xeaa127fa, 3, 0xd4ef3085, 6, 0x04881d05)
        SHA256_NEXT(m2, m3, m0, m1, 10)
        SHA1_NEXT(w0, w1, w2, w3, 12)

        FOUR_H(9, 0xd9d4d039, 12, 0xe6db99e5, 15, 0x1fa27cf8, 2, 0xc4ac5665)
        SHA256_NEXT(m3, m0, m1, m2, 11)
        SHA1_NEXT(w1, w2, w3, w0, 13)
        SHA1_NEXT(w2, w3, w0, w1, 14)

        FOUR_I(0, 0xf4292244, 7, 0x432aff97, 14, 0xab9423a7, 5, 0xfc93a039)
        SHA256_NEXT(m0, m1, m2, m3, 12)
        SHA1_NEXT(w3, w0, w1, w2, 15)

        FOUR_I(12, 0x655b59c3, 3, 0x8f0ccc92, 10, 0xffeff47d, 1, 0x85845dd1)
        SHA256_NEXT(m1, m2, m3, m0, 13)
        SHA1_NEXT(w0, w1, w2, w3, 16)

        FOUR_I(8, 0x6fa87e4f, 15, 0xfe2ce6e0, 6, 0xa3014314, 13, 0x4e0811a1)
        SHA256_NEXT(m2, m3, m0, m1, 14)
        SHA1_NEXT(w1, w2, w3, w0, 17)

        FOUR_I(4, 0xf7537e82, 11, 0xbd3af235, 2, 0x2ad7d2bb, 9, 0xeb86d391)
        SHA256_NEXT(m3, m0, m1, m2, 15)
        SHA1_NEXT(w2, w3, w0, w1, 18)
        SHA1_NEXT(w3, w0, w1, w2, 19)

        a += a0;
        b += b0;
        c += c0;
        d += d0;
        e = _mm_sha1nexte_epu32(e, e0);
        abcd = _mm_add_epi32(abcd, abcd0);
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    state->md5[0] = a;
    state->md5[1] = b;
    state->md5[2] = c;
    state->md5[3] = d;
    _mm_storeu_si128((__m128i *)(void *)state->sha1, _mm_shuffle_epi32(abcd, 0x1b));
    state->sha1[4] = (uint32_t)_mm_extract_epi32(e, 3);
    dcba = _mm_shuffle_epi32(_mm_unpackhi_epi64(abef, cdgh), 0xb1);
    hgfe = _mm_shuffle_epi32(_mm_unpacklo_epi64(abef, cdgh), 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state->sha256, dcba);
    _mm_storeu_si128((__m128i *)(void *)(state->sha256 + 4), hgfe);
}

static bool has_sha_ni(void)
{
    enum { SSSE3 = 1 << 9, SSE4_1 = 1 << 19, SHA = 1 << 29 };
    unsigned a, b, c, d;

    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & SSSE3) == 0 || (c & SSE4_1) == 0)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & SHA) != 0;
}

hash_blocks_fn *hash_blocks(void)
{
    return has_sha_ni() ? blocks_sha_ni : NULL;
}

#else

hash_blocks_fn *hash_blocks(void)
{
    return NULL;
}

#endif
