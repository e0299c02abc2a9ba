/* source: see source.h. */
#include "plugins/archive/source.h"

#include <errno.h>

/* Solid archives, directories at the end and several looks are far below this; what jumps to and fro without
 * end is not. */
#define BUDGET(size) ((UINT64_C(256) << 20) + 16 * (size))

void source_init(struct source_bytes *source, struct scan *scan, uint64_t base, uint64_t size)
{
    *source = (struct source_bytes){.scan = scan, .base = base, .size = size, .budget = BUDGET(size)};
}

int64_t source_read(struct source_bytes *source, uint64_t offset, void *data, size_t size)
{
    size_t got = 0;
    int code = 0;

    if (offset >= source->size)
        return 0;
    size = size < source->size - offset ? size : (size_t)(source->size - offset);
    if (source->read > source->budget)
        code = -EDQUOT;
    else
        code = scan_read(source->scan, source->base + offset, data, size, &got);
    if (code < 0 && source->error == 0)
        source->error = code;
    source->read += got;
    return code < 0 ? code : (int64_t)got;
}
