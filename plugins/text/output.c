/*
 * output: gathers text into pages.
 */
#include "plugins/text/extract.h"

#include "engine/base/fold.h"
#include "engine/base/text.h"

#include <errno.h>
#include <string.h>

bool output_done(const struct output *output)
{
    return output->full || output->code < 0;
}

void output_lacks(struct output *output, const char *what)
{
    if (output->lacks[0] == '\0')
        strncat(output->lacks, what, sizeof output->lacks - 1);
}

bool output_spend(struct output *output, uint64_t steps)
{
    if (steps <= output->budget) {
        output->budget -= steps;
        return true;
    }
    output->budget = 0;
    output_lacks(output, "the document takes too many steps: the rest of it was not read");
    return false;
}

/* Up to the last blank in the second half, or else all of it. */
static void flush(struct output *output, bool last)
{
    size_t size = output->buf.size, cut = size;
    int code;

    while (!last && cut > size / 2 && output->buf.data[cut - 1] != ' ' && output->buf.data[cut - 1] != '\n')
        cut--;
    if (last || cut <= size / 2)
        cut = size;
    code = output->page(output->context, output->buf.data, cut, last);
    if (code < 0 && output->code == 0)
        output->code = code;
    memmove(output->buf.data, output->buf.data + cut, size - cut);
    output->buf.size = size - cut;
}

static void put_bytes(struct output *output, const uint8_t *bytes, size_t size)
{
    if (output_done(output))
        return;
    if (output->bytes + size > output->limit) {
        output->full = true;
        return;
    }
    if (output->buf.size + size > OUTPUT_PAGE)
        flush(output, false);
    buf_append(&output->buf, bytes, size);
    output->bytes += size;
    if (buf_failed(&output->buf))
        output->code = -ENOMEM;
}

void output_blank(struct output *output)
{
    if (!output->blank)
        put_bytes(output, (const uint8_t *)" ", 1);
    output->blank = true;
}

void output_line(struct output *output)
{
    if (!output->blank)
        put_bytes(output, (const uint8_t *)"\n", 1);
    output->blank = true;
}

void output_code(struct output *output, uint32_t code)
{
    uint8_t bytes[4];
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code == '\n' || code == '\r') {
        output_line(output);
        return;
    }
    if (code <= ' ' || (code >= 0x7f && code <= 0xa0) || fold_is_blank(code) || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000)) {
        output_blank(output);
        return;
    }
    if (code == 0xad || code == 0xfeff)
        return;
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
    bytes[0] = (uint8_t)(lead[size] | code);
    put_bytes(output, bytes, size);
    output->blank = false;
}

void output_text(struct output *output, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < size && !output_done(output);) {
        uint32_t code;
        size_t length = text_character(bytes + at, size - at, &code);

        if (length > 0)
            output_code(output, code);
        at += length > 0 ? length : 1;
    }
}

void output_end(struct output *output)
{
    if (output->code == 0 && output->bytes > 0)
        flush(output, true);
    if (output->full)
        output_lacks(output, "text.limit: the text is longer than that; the rest was not indexed");
}
