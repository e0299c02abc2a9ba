/*
 * fold: see fold.h.
 */
#include "engine/base/fold.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

/* Upper-case letters [first, last] whose lower-case letters lie `distance` further. */
static const struct shift {
    uint32_t first, last;
    int32_t distance;
} shifts[] = {
    {0x0041, 0x005a, 32},    {0x00c0, 0x00d6, 32},   {0x00d8, 0x00de, 32},   {0x0391, 0x03a1, 32},
    {0x03a3, 0x03ab, 32},    {0x0386, 0x0386, 38},   {0x0388, 0x038a, 37},   {0x038c, 0x038c, 64},
    {0x0410, 0x042f, 32},    {0x0400, 0x040f, 80},   {0x0531, 0x0556, 48},   {0x1c90, 0x1cba, -3008},
    {0x1cbd, 0x1cbf, -3008}, {0x10a0, 0x10c5, 7264}, {0x0178, 0x0178, -121},
};

/* Ranges in which an upper-case letter is followed by its lower-case letter; `even`: the upper one is even.
 */
static const struct pairs {
    uint32_t first, last;
    bool even;
} pairs[] = {
    {0x0100, 0x012f, true},  {0x0132, 0x0137, true},  {0x0139, 0x0148, false}, {0x014a, 0x0177, true},
    {0x0179, 0x017e, false}, {0x01cd, 0x01dc, false}, {0x01de, 0x01ef, true},  {0x0200, 0x021f, true},
    {0x0222, 0x0233, true},  {0x0460, 0x0481, true},  {0x048a, 0x04bf, true},  {0x04c1, 0x04ce, false},
    {0x04d0, 0x052f, true},  {0x1e00, 0x1e95, true},  {0x1ea0, 0x1eff, true},
};

static uint32_t other_case(uint32_t code)
{
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        const struct shift *s = &shifts[i];
        uint32_t back = (uint32_t)((int32_t)code - s->distance);

        if (code >= s->first && code <= s->last)
            return (uint32_t)((int32_t)code + s->distance);
        if (back >= s->first && back <= s->last)
            return back;
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (code >= pairs[i].first && code <= pairs[i].last)
            return (code % 2 == 0) == pairs[i].even ? code + 1 : code - 1;
    }
    return code;
}

/* Letters of which most text consists, and which are small: the tables need not be asked. */
static bool is_small(uint32_t code)
{
    return (code >= 0x10d0 && code <= 0x10ff) || (code >= 0x0430 && code <= 0x045f) ||
           (code >= 0x2000 && code < 0x2c00) || code >= 0x3000;
}

uint32_t fold_small(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    if (is_small(code))
        return code;

    uint32_t other = other_case(code);

    if (other == code)
        return code;
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        if (code >= shifts[i].first && code <= shifts[i].last)
            return other;
    }
    /* A pair's capital stands first. */
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (code >= pairs[i].first && code <= pairs[i].last)
            return other > code ? other : code;
    }
    return code;
}

static void put(struct buf *buf, uint32_t code)
{
    if (code < 0x80) {
        buf_u8(buf, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        buf_u8(buf, (uint8_t)(0xc0 | code >> 6));
    } else {
        buf_u8(buf, (uint8_t)(0xe0 | code >> 12));
        buf_u8(buf, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    }
    buf_u8(buf, (uint8_t)(0x80 | (code & 0x3f)));
}

void fold_text(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t begin = 0; /* of what stays as it is and is not appended yet */

    for (size_t at = 0; at < size;) {
        uint32_t code = bytes[at], small;
        size_t length = code < 0x80 ? 1 : text_character(bytes + at, size - at, &code);

        small = length > 0 ? fold_small(code) : code;
        length = length > 0 ? length : 1;
        if (small != code) {
            buf_append(buf, bytes + begin, at - begin);
            put(buf, small); /* letters with cases lie below U+10000 */
            begin = at + length;
        }
        at += length;
    }
    buf_append(buf, bytes + begin, size - begin);
}

/* Sigma has a third form at a word's end. */
static uint32_t third_form(uint32_t code)
{
    switch (code) {
    case 0x03c3:
    case 0x03a3:
        return 0x03c2;
    case 0x03c2:
        return 0x03c3;
    default:
        return code;
    }
}

size_t fold_variants(uint32_t code, uint32_t ret[FOLD_MAX])
{
    /* The dotted capital of Turkish and Azeri text is an i; an i in a keyword does not ask for it. */
    uint32_t other = code == 0x0130 ? 'i' : code == 0x03c2 ? 0x03a3 : other_case(code);
    uint32_t third = code == 0x0130 ? 'I' : third_form(code);
    size_t count = 0;

    ret[count++] = code;
    if (other != code)
        ret[count++] = other;
    if (third != code && third != other)
        ret[count++] = third;
    return count;
}

enum script fold_script(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } ranges[] = {
        {0x00c0, 0x024f, SCRIPT_LATIN},    {0x0370, 0x03ff, SCRIPT_GREEK},
        {0x0400, 0x052f, SCRIPT_CYRILLIC}, {0x0531, 0x0587, SCRIPT_ARMENIAN},
        {0x10a0, 0x10ff, SCRIPT_GEORGIAN}, {0x1c90, 0x1cbf, SCRIPT_GEORGIAN},
        {0x1e00, 0x1eff, SCRIPT_LATIN},    {0x2d00, 0x2d2f, SCRIPT_GEORGIAN},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return code == 0x00d7 || code == 0x00f7 || code == 0x10fb ? SCRIPT_OTHER : ranges[i].script;
    }
    return SCRIPT_OTHER;
}

bool fold_is_word(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || ((code | 32) >= 'a' && (code | 32) <= 'z') || code == '_';
    if (code < 0xc0)
        return code == 0xaa || code == 0xb5 || code == 0xba;
    if (code == 0xd7 || code == 0xf7 || code == 0x037e || code == 0x0387 || code == 0x0589 || code == 0x10fb)
        return false;
    if ((code >= 0x2000 && code <= 0x2bff) || (code >= 0x3000 && code <= 0x3004) ||
        (code >= 0x3008 && code <= 0x3020))
        return false;
    if ((code >= 0xfe10 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff0f) ||
        (code >= 0xfff0 && code <= 0xffff))
        return false;
    return code < 0x1f000 || code > 0x1faff;
}

bool fold_is_blank(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xa0 ||
           (code >= 0x2000 && code <= 0x200b) || code == 0x202f || code == 0x3000;
}
