/*
 * textline: see textline.h.
 */
#include "plugins/carve/formats/textline.h"

#include "engine/base/text.h"

#include <string.h>
#include <strings.h>

static bool is_control(uint8_t c)
{
    return c == 0x7f || (c < 0x20 && c != '\t' && c != '\f' && c != 0x1b);
}

/* The bytes from `data` to the first that is no text or ends the line. */
static size_t text_size(const uint8_t *data, size_t size, bool *ret_high)
{
    uint8_t high = 0;
    size_t i = 0;

    while (i < size && !is_control(data[i]))
        high |= data[i++];
    *ret_high = high >= 0x80;
    return i;
}

bool textline_at(struct reader *reader, uint64_t offset, struct textline *ret)
{
    const uint8_t *data;
    size_t span = reader_span(reader, offset, &data), size;
    uint64_t left = reader_size(reader) - offset;
    bool high = false;

    if (span == 0)
        return false;
    size = text_size(data, span, &high);
    if (size + 2 > span && span < left && span < TEXTLINE_MAX) {
        span = left < TEXTLINE_MAX ? (size_t)left : TEXTLINE_MAX;
        data = reader_at(reader, offset, span);
        if (data == NULL)
            return false;
        size = text_size(data, span, &high);
    }
    if (size >= TEXTLINE_MAX - 2)
        return false;
    *ret = (struct textline){.data = data, .size = size, .whole = size};
    if (size < span && data[size] == '\n')
        ret->whole = size + 1;
    else if (size + 1 < span && data[size] == '\r' && data[size + 1] == '\n')
        ret->whole = size + 2;
    ret->open = ret->whole == size;
    ret->open_at_nul = ret->open && (size == span || data[size] == 0);
    ret->is_utf8 = !high || text_is_utf8(data, size);
    return true;
}

bool textline_begins(const struct textline *line, const char *text)
{
    size_t size = strlen(text);

    return line->size >= size && strncasecmp((const char *)line->data, text, size) == 0;
}

bool textline_equals(const struct textline *line, const char *text)
{
    return line->size == strlen(text) && textline_begins(line, text);
}
