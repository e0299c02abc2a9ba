/*
 * unpack: see unpack.h. RFC 1950 and 1951, by zlib.
 */
#include "plugins/carve/formats/unpack.h"

#include <string.h>
#include <zlib.h>

size_t unpack_inflate(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                      void *out, size_t size)
{
    z_stream z = {.next_out = out, .avail_out = (uInt)size};
    int code = Z_OK;

    if (inflateInit2(&z, kind == READER_ZLIB ? MAX_WBITS : -MAX_WBITS) != Z_OK)
        return 0;
    while (code == Z_OK && z.avail_out > 0 && offset < limit) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            break;
        span = span < limit - offset ? span : (size_t)(limit - offset);
        z.next_in = (Bytef *)data;
        z.avail_in = (uInt)span;
        code = inflate(&z, Z_NO_FLUSH);
        offset += span - z.avail_in;
    }
    inflateEnd(&z);
    return size - z.avail_out;
}

size_t unpack_stored(struct reader *reader, uint64_t offset, uint64_t limit, void *out, size_t size)
{
    size_t done = 0;

    while (done < size && offset + done < limit) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset + done, &data);

        if (span == 0)
            break;
        span = span < limit - offset - done ? span : (size_t)(limit - offset - done);
        span = span < size - done ? span : size - done;
        memcpy((uint8_t *)out + done, data, span);
        done += span;
    }
    return done;
}
