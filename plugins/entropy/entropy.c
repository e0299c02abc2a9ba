/*
 * entropy: Shannon entropy over bytes [C. E. Shannon, A Mathematical Theory of Communication, 1948, section
 * 6], in thousandths of a bit per byte, in integers alone: a finding must not hang on a C library's last
 * digit of log2.
 *
 *     H = log2(n) - (sum of c * log2(c) over the 256 counts c) / n
 */
#include "engine/plugin.h"

/* Counted by turns, so that a run of equal bytes does not wait for its own last addition. */
enum { LANES = 4, FRACTION = 40 };

__extension__ typedef unsigned __int128 u128;

struct entropy_stream {
    uint64_t counts[LANES][256];
    uint64_t size;
};

static const struct field entropy_fields[] = {
    {"entropy", FIELD_U64, "bits per byte / 1000", "Shannon entropy over single bytes: 0 to 8000"},
    {"zeros", FIELD_U64, "bytes", "bytes that are zero"},
};

static const struct record_type entropy_type = {"entropy", 1, "how random the content looks", entropy_fields,
                                                sizeof entropy_fields / sizeof entropy_fields[0]};
static const struct record_type *const entropy_emits[] = {&entropy_type, NULL};

/* The image as a whole is a mixture of everything on it: its entropy says nothing. */
static enum plugin_want entropy_start(struct scan *scan)
{
    return scan_stream(scan)->kind == STREAM_IMAGE ? PLUGIN_SKIP : PLUGIN_FEED;
}

static int entropy_feed(struct scan *scan, const struct block *block)
{
    struct entropy_stream *stream = scan_state(scan);
    size_t at = 0;

    for (; at + LANES <= block->size; at += LANES) {
        stream->counts[0][block->data[at]]++;
        stream->counts[1][block->data[at + 1]]++;
        stream->counts[2][block->data[at + 2]]++;
        stream->counts[3][block->data[at + 3]]++;
    }
    for (; at < block->size; at++)
        stream->counts[0][block->data[at]]++;
    stream->size += block->size;
    return 0;
}

/* log2(n) with FRACTION binary digits, cut off; n > 0. Squaring the mantissa gives one digit after the other.
 */
static uint64_t log2_fixed(uint64_t n)
{
    unsigned whole = 63 - (unsigned)__builtin_clzll(n);
    uint64_t mantissa = n << (63 - whole), result = whole;

    for (int digit = 0; digit < FRACTION; digit++) {
        u128 square = (u128)mantissa * mantissa; /* in [2^126, 2^128) */

        result <<= 1;
        if (square >> 127 != 0) {
            result |= 1;
            mantissa = (uint64_t)(square >> 64);
        } else {
            mantissa = (uint64_t)(square >> 63);
        }
    }
    return result;
}

/* Thousandths of a bit per byte, rounded. */
static uint64_t shannon(const uint64_t counts[256], uint64_t size)
{
    u128 sum = 0, whole = (u128)size * log2_fixed(size);
    u128 unit = (u128)size << FRACTION;

    for (size_t i = 0; i < 256; i++) {
        if (counts[i] > 0)
            sum += (u128)counts[i] * log2_fixed(counts[i]);
    }
    return sum >= whole ? 0 : (uint64_t)(((whole - sum) * 1000 + unit / 2) / unit);
}

static int entropy_finish(struct scan *scan, enum scan_status status)
{
    struct entropy_stream *stream = scan_state(scan);

    if (status == SCAN_CUT || stream->size == 0)
        return 0;
    for (size_t lane = 1; lane < LANES; lane++) {
        for (size_t i = 0; i < 256; i++)
            stream->counts[0][i] += stream->counts[lane][i];
    }
    return scan_emit(scan, &entropy_type,
                     (const struct value[]){
                         value_u64(shannon(stream->counts[0], stream->size)),
                         value_u64(stream->counts[0][0]),
                     });
}

const struct plugin plugin_entropy = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "entropy",
    .summary = "Shannon entropy and zero bytes of every stream",
    .emits = entropy_emits,
    .stream_size = sizeof(struct entropy_stream),
    .start = entropy_start,
    .feed = entropy_feed,
    .finish = entropy_finish,
};
