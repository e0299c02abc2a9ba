/* flate: see flate.h. */
#include "plugins/pdf/flate.h"

#include <zlib.h>

enum { CHUNK = 32 * 1024 };

static bool is_too_much(uint64_t out, uint64_t in, const struct flate_limits *limits)
{
    return limits->ratio > 0 && out > limits->from && out / limits->ratio > in;
}

enum flate_end flate_write(const uint8_t *data, size_t size, const struct flate_limits *limits,
                           struct sink *sink, uint64_t *ret_size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data,
                  .avail_in = (uInt)(size < UINT32_MAX ? size : UINT32_MAX)};
    uint8_t chunk[CHUNK];
    enum flate_end end = FLATE_CUT;
    int code = inflateInit(&z);

    *ret_size = 0;
    while (code == Z_OK) {
        size_t got;

        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        code = inflate(&z, Z_NO_FLUSH);
        got = sizeof chunk - z.avail_out;
        *ret_size += got;
        if (got > 0 && sink_write(sink, chunk, got) < 0) {
            end = FLATE_FULL;
            break;
        }
        if (code == Z_STREAM_END) {
            end = FLATE_WHOLE;
            break;
        }
        if (is_too_much(*ret_size, size, limits)) {
            end = FLATE_TOO_MUCH;
            break;
        }
        if (got == 0 && z.avail_in == 0 && code == Z_OK)
            break;
    }
    inflateEnd(&z);
    return end;
}

enum flate_end flate_begins(const uint8_t *data, size_t size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)(size < CHUNK ? size : CHUNK)};
    uint8_t some[64];
    int code;

    if (size == 0)
        return FLATE_WHOLE;
    if (inflateInit(&z) != Z_OK)
        return FLATE_CUT;
    z.next_out = some;
    z.avail_out = sizeof some;
    code = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    /* Empty blocks may come first. */
    if (code == Z_OK && size > CHUNK)
        return FLATE_FULL;
    return z.avail_out < sizeof some ? FLATE_FULL : code == Z_STREAM_END ? FLATE_WHOLE : FLATE_CUT;
}
