/*
 * excerpt: see excerpt.h.
 */
#include "plugins/keywords/excerpt.h"

#include "engine/base/text.h"

#include <string.h>

enum { NONE = 0xfffd };

/* Latin letters under a legacy font stay Latin: that is what stands there. */
static size_t decode(const struct writing *writing, const uint8_t *data, size_t size, uint32_t *ret_code)
{
    if (writing->kind == WRITING_KEYBOARD)
        return text_character(data, size, ret_code);
    return writing_decode(writing, data, size, ret_code);
}

static void put(struct buf *buf, uint32_t code)
{
    uint8_t bytes[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
    bytes[0] = (uint8_t)(lead[size] | code);
    text_escape(buf, bytes, size);
}

static bool is_wide(const struct writing *writing)
{
    return writing->kind == WRITING_UTF16LE || writing->kind == WRITING_UTF16BE;
}

/* Where a character may begin, when bytes before a hit are read from their first. */
static size_t align(const struct writing *writing, const uint8_t *data, size_t size)
{
    size_t skip = is_wide(writing) ? size % 2 : 0;

    while (!is_wide(writing) && writing->kind != WRITING_CHARSET && skip < size && skip < 3 &&
           (data[skip] & 0xc0) == 0x80)
        skip++;
    return skip;
}

void excerpt(struct buf *buf, const struct writing *writing, const uint8_t *data, size_t size,
             size_t characters, bool last)
{
    uint32_t codes[EXCERPT_BYTES + 1], code;
    size_t count = 0, at = last ? align(writing, data, size) : 0, first = 0;

    while (at < size && count < EXCERPT_BYTES && (last || count < characters)) {
        size_t length = decode(writing, data + at, size - at, &code);

        if (length == 0) {
            code = NONE;
            length = is_wide(writing) ? 2 : 1;
        } else if (code <= ' ' || (code >= 0x7f && code < 0xa0) || fold_is_blank(code)) {
            code = ' ';
        }
        at += length;
        if (count > 0 && code == codes[count - 1] && (code == ' ' || code == NONE))
            continue;
        codes[count++] = code;
    }
    if (last && count > characters)
        first = count - characters;
    for (size_t i = first; i < count; i++)
        put(buf, codes[i]);
}
