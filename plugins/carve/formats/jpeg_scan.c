/*
 * jpeg_scan: see jpeg_scan.h. The bits come left-aligned in a 64-bit word, eight bytes at a time where none
 * of them is 0xFF.
 */
#include "plugins/carve/formats/jpeg_scan.h"

#include "engine/base/bytes.h"

#include <string.h>

enum {
    /* Data that is not the scan's rarely stays unnoticed for longer: measured on 963 splices each, the
     * decoder went on over random bytes for at most 522 in 95 %, over data of another JPEG picture for at
     * most 4147. */
    DOUBT = 8192,
    ZEROS = 48,                      /* bytes: more than pictures that are not flat have in a row */
    BLOCKS_COST = 8,                 /* blocks that cost as much as a byte: a few bytes can pass thousands */
    NEED = 32,                       /* bits: the longest code and the longest value behind it */
    MOST = 64 + 2 * JPEG_BLOCK_ENDS, /* coefficients, and how far a step may lead beyond */
};

struct bits {
    struct reader *reader;
    const uint8_t *p, *end; /* what of the reader's span is left */
    uint64_t at;            /* of `end` in the object */
    uint64_t word;
    int left;    /* bits in `word`; below 0: more were taken than there are */
    bool marker; /* a marker is at p */
    bool over;   /* the data ends at p */
};

struct decoder {
    struct bits bits;
    struct jpeg_frame *frame;
    const struct jpeg_scan *scan;
    uint32_t blocks_to_skip;                 /* progressive: the end-of-band run */
    uint64_t restart_at;                     /* behind the last restart marker */
    int32_t dc_most[JPEG_COMPONENTS_MAX];    /* the largest level */
    uint8_t most[JPEG_COMPONENTS_MAX][MOST]; /* bits of each AC coefficient */
    bool too_large;
};

/* A code of an AC coefficient in a sequential picture, its bits those of the value with it; 0: none has it.
 */
static jpeg_step step_of(unsigned length, uint8_t symbol)
{
    unsigned run = symbol >> 4, size = symbol & 15, bits = length + size;
    unsigned advance = symbol == 0 ? JPEG_BLOCK_ENDS : run + 1;

    if (symbol != 0 && size == 0 && run != 15)
        return 0;
    return bits | bits << 6 | advance << 11 | size << 17;
}

static inline unsigned both_bits(jpeg_step step)
{
    return step & 63;
}

static inline unsigned first_bits(jpeg_step step)
{
    return step >> 6 & 31;
}

static inline unsigned first_advance(jpeg_step step)
{
    return step >> 11 & 63;
}

static inline unsigned first_size(jpeg_step step)
{
    return step >> 17 & 15;
}

static inline unsigned second_advance(jpeg_step step)
{
    return step >> 21 & 63;
}

static inline unsigned second_size(jpeg_step step)
{
    return step >> 27 & 15;
}

/* The step and the one behind it. */
static jpeg_step join(jpeg_step step, jpeg_step second)
{
    return (step + first_bits(second)) | first_advance(second) << 21 | first_size(second) << 27;
}

/* Where the bits of an index hold a second code, the step takes it as well. */
static void join_steps(struct jpeg_huffman *huffman)
{
    for (uint32_t i = 0; i < 1u << JPEG_FAST_BITS; i++) {
        jpeg_step step = huffman->step[i];
        uint16_t entry;

        if (step == 0 || first_bits(step) >= JPEG_FAST_BITS || first_advance(step) == JPEG_BLOCK_ENDS)
            continue;
        entry = huffman->fast[i << first_bits(step) & ((1u << JPEG_FAST_BITS) - 1)];
        if (entry != 0 && first_bits(step) + (entry >> 8) <= JPEG_FAST_BITS)
            huffman->step[i] = join(step, step_of(entry >> 8, (uint8_t)entry));
    }
}

/* A code that is longer than the indices of the fast tables. */
static void put_long_step(struct jpeg_huffman *huffman, unsigned length, uint32_t code, uint8_t symbol)
{
    unsigned shift = 16 - length;

    for (uint32_t k = code << shift; k < (code + 1) << shift; k++) {
        uint32_t i = k - huffman->limit[JPEG_FAST_BITS];

        if (i < JPEG_LONG_STEPS)
            huffman->long_step[i] = step_of(length, symbol);
    }
}

static void put_short_step(struct jpeg_huffman *huffman, unsigned length, uint32_t code, uint8_t symbol)
{
    unsigned shift = JPEG_FAST_BITS - length;

    for (uint32_t k = code << shift; k < (code + 1) << shift; k++) {
        huffman->fast[k] = (uint16_t)(length << 8 | symbol);
        huffman->step[k] = step_of(length, symbol);
    }
}

bool jpeg_huffman_build(struct jpeg_huffman *huffman, const uint8_t counts[16], const uint8_t *symbols)
{
    uint32_t code = 0, index = 0;

    memset(huffman, 0, sizeof *huffman);
    for (unsigned length = 1; length <= 16; length++, code <<= 1) {
        huffman->offset[length] = (int32_t)index - (int32_t)code;
        for (unsigned i = 0; i < counts[length - 1]; i++, code++, index++) {
            if (index >= 256 || code >= 1u << length)
                return false;
            huffman->symbols[index] = symbols[index];
            (length <= JPEG_FAST_BITS ? put_short_step : put_long_step)(huffman, length, code,
                                                                        symbols[index]);
        }
        huffman->limit[length] = code << (16 - length);
    }
    join_steps(huffman);
    huffman->set = index > 0;
    return index > 0;
}

static uint64_t position(const struct bits *bits)
{
    return bits->at - (uint64_t)(bits->end - bits->p);
}

/* Moves to where the reader's span ended, or looks again so that two bytes are at hand. */
static void more(struct bits *bits)
{
    uint64_t at = position(bits);
    size_t span;

    if (reader_at(bits->reader, at, 2) == NULL && reader_at(bits->reader, at, 1) == NULL) {
        bits->over = true;
        return;
    }
    span = reader_span(bits->reader, at, &bits->p);
    bits->end = bits->p + span;
    bits->at = at + span;
}

static void fill_slowly(struct bits *bits)
{
    while (bits->left <= 56 && !bits->marker && !bits->over) {
        if (bits->end - bits->p < 2)
            more(bits);
        if (bits->over)
            return;
        if (bits->p[0] == 0xff && bits->end - bits->p < 2) {
            bits->over = true;
            return;
        }
        if (bits->p[0] == 0xff && bits->p[1] != 0) {
            bits->marker = true;
            return;
        }
        if (bits->left >= 0)
            bits->word |= (uint64_t)bits->p[0] << (56 - bits->left);
        bits->left += 8;
        bits->p += bits->p[0] == 0xff ? 2 : 1;
    }
}

/* Takes as many bytes at once as `word` has room for, when neither they nor the next are 0xFF; `left` is not
 * below 0. */
static inline bool fill_at_once(uint64_t *word, int *left, const uint8_t **p)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    int room = (63 - *left) >> 3;
    uint64_t bytes, marks; /* marks: the top bit of each byte that is 0xFF */

    memcpy(&bytes, *p, sizeof bytes);
    bytes = __builtin_bswap64(bytes);
    marks = ~(((~bytes & low) + low) | ~bytes | low);
    if (marks != 0 && __builtin_clzll(marks) >> 3 <= room)
        return false;
    *word |= bytes >> *left;
    *p += room;
    *left |= 56;
    return true;
}

static inline void fill(struct bits *bits)
{
    if (bits->left >= NEED)
        return;
    if (bits->end - bits->p < 8 || bits->left < 0 || !fill_at_once(&bits->word, &bits->left, &bits->p))
        fill_slowly(bits);
}

static inline void drop(struct bits *bits, unsigned count)
{
    bits->word = count < 64 ? bits->word << count : 0;
    bits->left -= (int)count;
}

/* `count` of 0 to 16 bits. */
static inline uint32_t take(struct bits *bits, unsigned count)
{
    uint32_t value = count > 0 ? (uint32_t)(bits->word >> (64 - count)) : 0;

    drop(bits, count);
    return value;
}

/* The next symbol, its code dropped; -1 for what is no code. Fills first. */
static inline int symbol(struct bits *bits, const struct jpeg_huffman *huffman)
{
    unsigned entry;
    uint32_t code;

    fill(bits);
    entry = huffman->fast[bits->word >> (64 - JPEG_FAST_BITS)];
    if (entry != 0) {
        drop(bits, entry >> 8);
        return (int)(entry & 0xff);
    }
    code = (uint32_t)(bits->word >> 48);
    for (unsigned length = JPEG_FAST_BITS + 1; length <= 16; length++) {
        if (code < huffman->limit[length]) {
            drop(bits, length);
            return huffman->symbols[((int32_t)(code >> (16 - length)) + huffman->offset[length]) & 0xff];
        }
    }
    return -1;
}

/* The DC coefficient of a block, as a difference to the last. */
static bool read_dc(struct decoder *d, size_t i)
{
    struct jpeg_component *component = &d->frame->components[d->scan->component[i]];
    int size = symbol(&d->bits, d->scan->dc[i]);
    uint32_t value;

    if (size < 0 || size > d->frame->precision + 3)
        return false;
    value = take(&d->bits, (unsigned)size);
    if (size > 0) {
        component->dc += (int32_t)value - (value < 1u << (size - 1) ? (1 << size) - 1 : 0);
        d->too_large = component->dc > d->dc_most[i] || component->dc < -d->dc_most[i];
        return !d->too_large;
    }
    return true;
}

/* A code that the tables of steps do not have, or one near the end of the data. Its bits are dropped. */
static bool step_slowly(struct bits *bits, const struct jpeg_huffman *ac, jpeg_step *ret)
{
    int code = symbol(bits, ac);

    *ret = code >= 0 ? step_of(1, (uint8_t)code) : 0;
    drop(bits, first_size(*ret));
    *ret &= ~(jpeg_step)0x7ff;
    return *ret != 0;
}

/* The step that the next 32 bits begin with; 0: no code, or one that needs step_slowly. */
static inline jpeg_step step_at(const struct jpeg_huffman *ac, uint64_t word)
{
    jpeg_step step = ac->step[word >> (64 - JPEG_FAST_BITS)];

    if (step == 0) {
        uint64_t i = (word >> 48) - ac->limit[JPEG_FAST_BITS];

        step = i < JPEG_LONG_STEPS ? ac->long_step[i] : 0;
    }
    return step;
}

/* How far the AC coefficients of a block were read. */
struct place {
    unsigned k;       /* of the next one; 64 and more: the block is at its end */
    unsigned advance; /* of the last code */
    bool small;       /* no coefficient was larger than a picture's */
};

/* A step forward; how many bits that takes. */
static inline unsigned go(struct place *place, jpeg_step step, const uint8_t most[MOST])
{
    place->advance = first_advance(step);
    place->k += place->advance;
    place->small = first_size(step) <= most[place->k - 1];
    if (place->k >= 64) /* a second code is the next block's */
        return first_bits(step);
    place->advance = second_advance(step);
    place->k += place->advance;
    place->small &= second_size(step) <= most[place->k - 1];
    return both_bits(step);
}

/* The AC coefficients of a block. Most of what carving pictures costs is spent here, so what the loop needs
 * of d->bits stands in variables that stay in registers, two codes are taken at once, and bits come in for
 * two such steps, because the processor cannot foresee when they are wanted. */
static bool read_ac(struct decoder *d, const struct jpeg_huffman *ac, const uint8_t most[MOST])
{
    struct bits *bits = &d->bits;
    uint64_t word = bits->word;
    int left = bits->left;
    const uint8_t *p = bits->p;
    struct place place = {.k = 1, .small = true};

    while (place.k < 64 && place.small) {
        jpeg_step step = 0;
        unsigned used;

        if ((left >= 0 && bits->end - p >= 8 && fill_at_once(&word, &left, &p)) || left >= NEED)
            step = step_at(ac, word);
        if (step == 0) {
            bits->word = word;
            bits->left = left;
            bits->p = p;
            if (!step_slowly(bits, ac, &step))
                return false;
            word = bits->word;
            left = bits->left;
            p = bits->p;
        }
        used = go(&place, step, most);
        word <<= used;
        left -= (int)used;
        if (place.k >= 64 || !place.small || left < NEED)
            continue;
        step = step_at(ac, word);
        used = step != 0 ? go(&place, step, most) : 0;
        word <<= used;
        left -= (int)used;
    }
    bits->word = word;
    bits->left = left;
    bits->p = p;
    d->too_large = !place.small;
    return place.small && (place.k == 64 || place.advance == JPEG_BLOCK_ENDS);
}

static bool read_sequential(struct decoder *d, size_t i)
{
    return read_dc(d, i) && read_ac(d, d->scan->ac[i], d->most[i]);
}

/* The end-of-band code of 2^run and more blocks, this one among them. */
static void begin_run(struct decoder *d, unsigned run)
{
    d->blocks_to_skip = (1u << run) - 1;
    if (run > 0)
        d->blocks_to_skip += take(&d->bits, run);
}

static bool read_ac_first(struct decoder *d, uint64_t *known)
{
    if (d->blocks_to_skip > 0) {
        d->blocks_to_skip--;
        return true;
    }
    for (unsigned k = d->scan->first; k <= d->scan->last; k++) {
        int code = symbol(&d->bits, d->scan->ac[0]);
        unsigned run = (unsigned)code >> 4, size = (unsigned)code & 15;

        if (code < 0)
            return false;
        if (size == 0 && run < 15) {
            begin_run(d, run);
            return true;
        }
        k += run;
        if (k > d->scan->last || size > d->most[0][k])
            return false;
        if (size > 0)
            *known |= UINT64_C(1) << k;
        drop(&d->bits, size);
    }
    return true;
}

/* Coefficients from k on that are known get a bit each, until `zeros` that are not known were passed; the k
 * of the next one that is not known, or one past the band. */
static unsigned correct(struct decoder *d, uint64_t known, unsigned k, unsigned zeros)
{
    for (; k <= d->scan->last; k++) {
        if ((known >> k & 1) == 0) {
            if (zeros == 0)
                return k;
            zeros--;
        } else {
            fill(&d->bits);
            drop(&d->bits, 1);
        }
    }
    return k;
}

static bool read_ac_more(struct decoder *d, uint64_t *known)
{
    unsigned k = d->scan->first;

    while (d->blocks_to_skip == 0 && k <= d->scan->last) {
        int code = symbol(&d->bits, d->scan->ac[0]);
        unsigned run = (unsigned)code >> 4, size = (unsigned)code & 15;

        if (code < 0 || size > 1)
            return false;
        if (size == 0 && run < 15) {
            begin_run(d, run);
            d->blocks_to_skip++; /* with this one */
            break;
        }
        drop(&d->bits, size); /* the sign */
        k = correct(d, *known, k, run);
        if (k > d->scan->last)
            return false;
        if (size > 0)
            *known |= UINT64_C(1) << k;
        k++;
    }
    if (d->blocks_to_skip > 0) {
        correct(d, *known, k, 64);
        d->blocks_to_skip--;
    }
    return true;
}

/* A sample of a lossless picture: a difference of 16 bits or less. */
static bool read_sample(struct decoder *d, size_t i)
{
    int size = symbol(&d->bits, d->scan->dc[i]);

    if (size < 0 || size > 16)
        return false;
    drop(&d->bits, size < 16 ? (unsigned)size : 0);
    return true;
}

/* The block in column x and row y of the scan's component i. */
static inline bool read_block(struct decoder *d, size_t i, uint32_t x, uint32_t y)
{
    struct jpeg_component *component = &d->frame->components[d->scan->component[i]];

    if (d->frame->lossless)
        return read_sample(d, i);
    if (!d->frame->progressive)
        return read_sequential(d, i);
    if (d->scan->first == 0 && d->scan->high == 0)
        return read_dc(d, i);
    if (d->scan->first == 0) {
        fill(&d->bits);
        drop(&d->bits, 1);
        return true;
    }
    return (d->scan->high == 0 ? read_ac_first
                               : read_ac_more)(d, &component->known[(uint64_t)y * component->stride + x]);
}

/* The MCU in column x and row y. A scan of one component has one block an MCU. */
static inline bool read_mcu(struct decoder *d, uint32_t x, uint32_t y)
{
    if (d->scan->count == 1)
        return read_block(d, 0, x, y);
    for (size_t i = 0; i < d->scan->count; i++) {
        const struct jpeg_component *component = &d->frame->components[d->scan->component[i]];
        unsigned blocks = (unsigned)component->h * component->v;

        for (unsigned k = 0; k < blocks; k++) {
            if (!read_block(d, i, 0, 0))
                return false;
        }
    }
    return true;
}

/* Everything that the data before a marker holds was taken but for the bits that fill up a byte. */
static bool at_marker(struct bits *bits)
{
    fill_slowly(bits);
    return bits->marker && bits->left >= 0 && bits->left < 8;
}

/* Passes the restart marker of this number. */
static bool restart(struct decoder *d, unsigned number)
{
    struct bits *bits = &d->bits;

    if (!at_marker(bits) || d->blocks_to_skip > 0)
        return false;
    while (bits->end - bits->p >= 2 && bits->p[1] == 0xff)
        bits->p++;
    if (bits->end - bits->p < 2 || bits->p[1] != 0xd0 + number)
        return false;
    bits->p += 2;
    bits->marker = false;
    bits->left = 0;
    bits->word = 0;
    for (size_t i = 0; i < d->frame->count; i++)
        d->frame->components[i].dc = 0;
    d->restart_at = position(bits);
    return true;
}

static uint64_t read_mcus(struct decoder *d, uint32_t wide, uint64_t wanted)
{
    uint32_t to_restart = d->scan->interval;
    unsigned number = 0;
    uint32_t x = 0, y = 0;

    for (uint64_t done = 0; done < wanted; done++) {
        if (d->scan->interval > 0 && to_restart-- == 0) {
            if (!restart(d, number))
                return done;
            number = (number + 1) % 8;
            to_restart = d->scan->interval - 1;
        }
        if (!read_mcu(d, x, y) || d->bits.left < 0)
            return done;
        if (++x == wide) {
            x = 0;
            y++;
            if (d->frame->progressive && !reader_spend(d->bits.reader, wide / BLOCKS_COST + 1))
                return done;
        }
    }
    return wanted;
}

static enum jpeg_scan_end judge(struct decoder *d, bool all)
{
    struct bits *bits = &d->bits;

    if (all && d->blocks_to_skip == 0 && at_marker(bits))
        return JPEG_WHOLE;
    if (bits->over && bits->left < NEED)
        return JPEG_CUT;
    if (all)
        return JPEG_EXTRA;
    return bits->marker && bits->left < NEED ? JPEG_SHORT : JPEG_WRONG;
}

/* What a coefficient can be at most. Samples are below 2^precision, so DC, eight times their mean less half
 * of that, stays within 1024 (8 bits) and what rounding adds; AC stays a little lower. A quarter more is
 * given to AC, because some encoders sharpen there. */
static void bound(struct decoder *d)
{
    uint32_t most = 1024u << (d->frame->precision > 8 ? d->frame->precision - 8 : 0);

    for (size_t i = 0; i < d->scan->count && !d->frame->lossless; i++) {
        memset(d->most[i] + 64, 15, MOST - 64);
        for (unsigned k = 0; k < 64; k++) {
            uint32_t quantum = d->scan->quanta[i][k] > 0 ? d->scan->quanta[i][k] : 1;

            quantum <<= d->scan->low;
            if (k == 0)
                d->dc_most[i] = (int32_t)((most + most / 32) / quantum + 1);
            while (d->most[i][k] < d->frame->precision + 2 &&
                   (1u << d->most[i][k]) <= (most + most / 4) / quantum + 1)
                d->most[i][k]++;
            if (d->scan->lenient)
                d->most[i][k] = 15;
        }
        if (d->scan->lenient)
            d->dc_most[i] = 1 << 30;
    }
}

/* May a row of zero bits be picture: blocks without any difference? */
static bool zeros_are_flat(const struct decoder *d)
{
    const struct jpeg_scan *scan = d->scan;

    for (size_t i = 0; i < scan->count; i++) {
        unsigned dc = scan->dc[i]->fast[0], ac = scan->ac[i]->fast[0];

        if (((scan->first == 0 || d->frame->lossless) && scan->high == 0 && (dc == 0 || (dc & 0xff) != 0)) ||
            (scan->last > 0 && (ac == 0 || (ac & 0x0f) != 0 || (ac & 0xff) == 0xf0)))
            return false;
    }
    return true;
}

/* The data is wrong somewhere before ret->end: what is sure? */
static void doubt(struct decoder *d, struct jpeg_scan_result *ret)
{
    static const uint8_t zeros[ZEROS];
    uint64_t run = reader_find(d->bits.reader, d->restart_at, ret->end, zeros, sizeof zeros);
    uint64_t back = ret->how == JPEG_CUT ? 0 : DOUBT;

    if (run < ret->end && !zeros_are_flat(d))
        ret->end = run;
    ret->good = ret->end > d->restart_at + back ? ret->end - back : d->restart_at;
    ret->good = ret->good < run ? ret->good : run;
    ret->good = ret->good < ret->end ? ret->good : ret->end;
}

void jpeg_scan_read(struct reader *reader, uint64_t offset, struct jpeg_frame *frame,
                    const struct jpeg_scan *scan, struct jpeg_scan_result *ret)
{
    static const uint8_t none[1];
    const struct jpeg_component *only = &frame->components[scan->component[0]];
    uint32_t unit = frame->lossless ? 1 : 8;
    uint32_t mcus_wide = (frame->width + unit * frame->h - 1) / (unit * frame->h);
    uint32_t mcus_high = (frame->height + unit * frame->v - 1) / (unit * frame->v);
    uint32_t wide = scan->count == 1 ? only->blocks_wide : mcus_wide;
    uint32_t high = scan->count == 1 ? only->blocks_high : mcus_high;
    struct decoder d = {.bits = {.reader = reader, .p = none, .end = none, .at = offset},
                        .frame = frame,
                        .scan = scan,
                        .restart_at = offset};

    bound(&d);
    for (size_t i = 0; i < frame->count; i++)
        frame->components[i].dc = 0;
    ret->mcus_wanted = (uint64_t)wide * high;
    ret->mcus = read_mcus(&d, wide, ret->mcus_wanted);
    ret->how = judge(&d, ret->mcus == ret->mcus_wanted);
    ret->too_large = ret->how == JPEG_WRONG && d.too_large;
    ret->end = position(&d.bits);
    if (ret->how == JPEG_WRONG || ret->how == JPEG_EXTRA)
        ret->end -= d.bits.left > 0 ? (uint64_t)d.bits.left / 8 : 0;
    ret->good = ret->end;
    if (ret->how != JPEG_WHOLE)
        doubt(&d, ret);
}

uint64_t jpeg_scan_skip(struct reader *reader, uint64_t offset)
{
    const uint8_t *data;
    size_t span;

    while ((span = reader_span(reader, offset, &data)) > 0) {
        const uint8_t *found = memchr(data, 0xff, span);
        const uint8_t *next;

        offset += found != NULL ? (uint64_t)(found - data) : span;
        if (found == NULL)
            continue;
        next = reader_at(reader, offset, 2);
        if (next == NULL)
            return UINT64_MAX;
        if (next[1] != 0 && (next[1] < 0xd0 || next[1] > 0xd7))
            return offset;
        offset += 2;
    }
    return UINT64_MAX;
}
