/*
 * base64: see base64.h.
 */
#include "plugins/carve/formats/base64.h"

#include "engine/base/buf.h"

#include <stdio.h>
#include <string.h>

enum { PADDING = 64, OTHER = 255 };

/* What the characters from ' ' to DEL stand for. */
static const uint8_t values[96] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 62,  255, 255, 255, 63,  52, 53, 54, 55,
    56,  57,  58,  59,  60,  61,  255, 255, 255, 64,  255, 255, 255, 0,   1,   2,   3,  4,  5,  6,
    7,   8,   9,   10,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23, 24, 25, 255,
    255, 255, 255, 255, 255, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37, 38, 39, 40,
    41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  255, 255, 255, 255, 255,
};

static inline uint8_t value(uint8_t c)
{
    return c >= 0x20 && c < 0x80 ? values[c - 0x20] : OTHER;
}

const uint8_t *text_line(struct reader *reader, uint64_t offset, size_t *ret_size, uint64_t *ret_next)
{
    uint64_t left = offset < reader_size(reader) ? reader_size(reader) - offset : 0;
    size_t most = left < BASE64_LINE_MAX + 2 ? (size_t)left : BASE64_LINE_MAX + 2, size;
    const uint8_t *line = most > 0 ? reader_at(reader, offset, most) : NULL, *end;

    if (line == NULL)
        return NULL;
    end = memchr(line, '\n', most);
    if (end == NULL && most < left)
        return NULL;
    size = end != NULL ? (size_t)(end - line) : most;
    *ret_next = offset + size + (end != NULL ? 1 : 0);
    *ret_size = end != NULL && size > 0 && line[size - 1] == '\r' ? size - 1 : size;
    return line;
}

uint64_t text_line_end(struct reader *reader, uint64_t offset)
{
    if (reader_is(reader, offset, "\r\n", 2))
        return offset + 2;
    return reader_is(reader, offset, "\n", 1) ? offset + 1 : offset;
}

bool armour_ends(struct reader *reader, uint64_t offset, const char *label, uint64_t *ret_end)
{
    char marker[64];
    int size = snprintf(marker, sizeof marker, "-----END %s-----", label);

    if (size < 0 || !reader_is(reader, offset, marker, (size_t)size))
        return false;
    *ret_end = text_line_end(reader, offset + (uint64_t)size);
    return true;
}

bool base64_keep(void *buf, const uint8_t *data, size_t size)
{
    struct buf *kept = buf;

    buf_append(kept, data, size);
    return kept->size <= BASE64_KEPT_MAX && !buf_failed(kept);
}

static bool is_base64(const uint8_t *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (value(line[i]) == OTHER)
            return false;
    }
    return size > 0;
}

/* Decodes a line of which every character is of base64; bytes made, or SIZE_MAX when one is where it cannot
 * be. */
static size_t decode(struct base64 *b, const uint8_t *line, size_t size, uint8_t *out)
{
    size_t made = 0, i = 0;

    for (; b->held == 0 && b->padding == 0 && i + 4 <= size && line[i + 3] != '=' && line[i + 2] != '=';
         i += 4) {
        uint32_t n = (uint32_t)value(line[i]) << 18 | (uint32_t)value(line[i + 1]) << 12 |
                     (uint32_t)value(line[i + 2]) << 6 | value(line[i + 3]);

        if (line[i] == '=' || line[i + 1] == '=')
            return SIZE_MAX;
        out[made++] = (uint8_t)(n >> 16);
        out[made++] = (uint8_t)(n >> 8);
        out[made++] = (uint8_t)n;
    }
    for (; i < size; i++) {
        uint8_t v = value(line[i]);

        if (v == PADDING ? b->held < 2 || ++b->padding > 2 : b->padding > 0)
            return SIZE_MAX;
        b->bits = b->bits << 6 | (v & 63);
        if (++b->held < 4)
            continue;
        out[made++] = (uint8_t)(b->bits >> 16);
        if (b->padding < 2)
            out[made++] = (uint8_t)(b->bits >> 8);
        if (b->padding < 1)
            out[made++] = (uint8_t)b->bits;
        b->held = 0;
        b->bits = 0;
    }
    return made;
}

bool base64_lines(struct base64 *b)
{
    uint8_t out[BASE64_LINE_MAX];
    const uint8_t *line;
    uint64_t next;
    size_t size, made;

    while ((b->lines_max == 0 || b->lines < b->lines_max) &&
           (line = text_line(b->reader, b->at, &size, &next)) != NULL && is_base64(line, size) &&
           !(line[0] == '=' && b->held == 0)) {
        made = decode(b, line, size, out);
        if (made == SIZE_MAX || !b->take(b->context, out, made))
            return false;
        b->made += made;
        b->lines++;
        b->at = next;
    }
    return b->held == 0;
}
