/*
 * amr: speech in AMR and AMR-WB files [RFC 4867, 5]: a magic line, and frames whose first byte tells mode and
 * so size. The object ends behind the last whole frame. There is no count and no checksum, and zeros look
 * like frames of bad quality: what holds it together are reserved bits, the quality bit, padding bits at a
 * frame's end and the mode, which changes seldom. So it is never better than complete.
 */
#include "plugins/carve/format.h"

#include <string.h>

enum { FRAMES_LEAST = 8, NO_DATA = 15 };

struct amr {
    struct reader *reader;
    bool wide;
};

/* Bits of speech in a frame of each mode; 0xffff: no such mode. */
static unsigned mode_bits(bool wide, unsigned mode)
{
    static const uint16_t narrow_bits[16] = {95, 103,    118,    134,    148,    159,    204,    244,
                                             39, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0};
    static const uint16_t wide_bits[16] = {132, 177, 253,    285,    317,    365,    397, 461,
                                           477, 40,  0xffff, 0xffff, 0xffff, 0xffff, 0,   0};

    return (wide ? wide_bits : narrow_bits)[mode];
}

/* The frame at `offset`: its size, 0 when it is none. */
static uint64_t frame(const struct amr *amr, uint64_t offset, unsigned *ret_mode)
{
    uint8_t head, last;
    unsigned bits, size, padding;

    if (!reader_u8(amr->reader, offset, &head) || (head & 0x83) != 0)
        return 0;
    *ret_mode = head >> 3 & 15;
    bits = mode_bits(amr->wide, *ret_mode);
    if (bits == 0xffff || (head & 4) == 0)
        return 0;
    size = (bits + 7) / 8;
    padding = size * 8 - bits;
    if (size > 0 && (!reader_u8(amr->reader, offset + size, &last) || (last & ((1u << padding) - 1)) != 0))
        return 0;
    return 1 + size;
}

/* A new mode counts only when frames follow it. */
static bool goes_on(const struct amr *amr, uint64_t offset)
{
    for (int i = 0; i < 4; i++) {
        unsigned mode;
        uint64_t size = frame(amr, offset, &mode);

        if (size == 0)
            return false;
        offset += size;
    }
    return true;
}

static enum carve_grade examine_amr(struct reader *reader, struct carved *ret)
{
    struct amr amr = {.reader = reader};
    uint64_t at, size, frames = 0;
    unsigned mode, modes = 1u << NO_DATA;

    if (reader_is(reader, 0, "#!AMR\n", 6))
        at = 6;
    else if (reader_is(reader, 0, "#!AMR-WB\n", 9))
        at = 9, amr.wide = true;
    else
        return CARVE_NONE;
    ret->extension = amr.wide ? "awb" : "amr";
    ret->format = amr.wide ? "AMR-WB speech" : "AMR speech";
    for (; (size = frame(&amr, at, &mode)) > 0; at += size, frames++) {
        if ((modes & 1u << mode) == 0 && frames > 0 && !goes_on(&amr, at))
            break;
        modes |= 1u << mode;
    }
    if (frames >= FRAMES_LEAST)
        return carved_whole(ret, CARVE_COMPLETE, at);
    carved_partial(ret, at, "speech: %llu frames follow the head", (unsigned long long)frames);
    return ret->grade = CARVE_FRAGMENT;
}

static const struct carve_format amr_format = {"amr", examine_amr};
const struct carve_format *const carve_amr[] = {&amr_format, NULL};
