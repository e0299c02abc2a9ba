/*
 * base64: see base64.h.
 */
#include "plugins/carve/base64.h"

#include <string.h>

/* 0-63; 64: padding; 255: not of base64. */
static uint8_t value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : 255;
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

static bool is_base64(const uint8_t *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (value(line[i]) == 255)
            return false;
    }
    return size > 0;
}

/* Decodes a line of which every character is of base64; bytes made, or SIZE_MAX when one is where it cannot
 * be. */
static size_t decode(struct base64 *b, const uint8_t *line, size_t size, uint8_t *out)
{
    size_t made = 0;

    for (size_t i = 0; i < size; i++) {
        uint8_t v = value(line[i]);

        if (v == 64 ? b->held < 2 || ++b->padding > 2 : b->padding > 0)
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
