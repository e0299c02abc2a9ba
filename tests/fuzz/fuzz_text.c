/*
 * fuzz_text: whatever a document holds, each extractor keeps its bounds, comes to an end, and gives UTF-8 in
 * pages of the promised size.
 */
#include "engine/base/text.h"
#include "plugins/text/extract.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_page(void *context, const void *text, size_t size, bool last)
{
    bool *ended = context;

    if (*ended || size > OUTPUT_PAGE || !text_is_utf8(text, size))
        abort();
    *ended = last;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    struct document document = {data, size, NULL};

    if (charsets == NULL && charsets_new(&charsets) < 0)
        abort();
    document.charsets = charsets;
    extract_format(data, size < 4096 ? size : 4096, size < 4096);
    for (enum format format = FORMAT_PLAIN; format <= FORMAT_MAIL; format++) {
        bool ended = false;
        struct output output = {.page = on_page,
                                .context = &ended,
                                .limit = 1 << 20,
                                .blank = true,
                                .budget = (uint64_t)size * 100 + 1000000};
        const char *name = "";

        extract(format, &document, &output, &name);
        output_end(&output);
        if (output.code < 0 || (output.bytes > 0 && !ended) || output.bytes > output.limit)
            abort();
        buf_finish(&output.buf);
    }
    return 0;
}
