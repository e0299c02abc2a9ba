/*
 * dib: see dib.h. [Microsoft, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER; IBM, OS/2 2.0 bitmap format]
 */
#include "plugins/carve/formats/dib.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { CORE = 12, INFO = 40, OS2 = 64, V4 = 108, V5 = 124, SIDE_MAX = 1 << 20 };

static bool size_is_known(uint32_t size)
{
    return size == CORE || size == INFO || size == 52 || size == 56 || size == OS2 || size == V4 ||
           size == V5 || size == 16;
}

static bool depth_is_legal(const struct dib *dib)
{
    switch (dib->compression) {
    case 0:
        return dib->bits == 1 || dib->bits == 2 || dib->bits == 4 || dib->bits == 8 || dib->bits == 16 ||
               dib->bits == 24 || dib->bits == 32;
    case 1:
        return dib->bits == 8;
    case 2:
        return dib->bits == 4;
    case 3:
    case 6:
        return dib->bits == 16 || dib->bits == 32;
    default:
        return (dib->compression == 4 || dib->compression == 5) && dib->bits == 0;
    }
}

static void read_sizes(struct dib *dib, struct bytes *bytes)
{
    if (dib->header == CORE) {
        dib->wide = bytes_u16le(bytes);
        dib->high = bytes_u16le(bytes);
        return;
    }
    dib->wide = bytes_u32le(bytes);
    dib->high = bytes_u32le(bytes);
    if (dib->high > INT32_MAX)
        dib->high = 0u - dib->high; /* rows from top to bottom */
}

static void read_palette(struct dib *dib, uint32_t used)
{
    uint32_t colours = dib->bits > 8 ? 0 : 1u << dib->bits;

    dib->palette_at = dib->header;
    if (dib->header == INFO && (dib->compression == 3 || dib->compression == 6))
        dib->palette_size = dib->compression == 3 ? 12 : 16;
    if (used > 0 && used < (dib->bits > 8 ? 257u : colours))
        colours = used;
    dib->palette_size += (uint64_t)colours * (dib->header == CORE ? 3 : 4);
}

bool dib_read(struct reader *reader, uint64_t offset, struct dib *ret)
{
    uint32_t size, used = 0, profile_at = 0, profile_size = 0;
    const uint8_t *p;
    struct bytes bytes;

    memset(ret, 0, sizeof *ret);
    if (!reader_le32(reader, offset, &size) || !size_is_known(size) ||
        (p = reader_at(reader, offset, size)) == NULL)
        return false;
    bytes_init(&bytes, p, size);
    bytes_skip(&bytes, 4);
    ret->header = size;
    read_sizes(ret, &bytes);
    if (bytes_u16le(&bytes) != 1)
        return false;
    ret->bits = bytes_u16le(&bytes);
    if (size >= INFO) {
        ret->compression = bytes_u32le(&bytes);
        ret->image_size = bytes_u32le(&bytes);
        bytes_skip(&bytes, 8);
        used = bytes_u32le(&bytes);
    }
    if (size == V5) {
        bytes_seek(&bytes, 112);
        profile_at = bytes_u32le(&bytes);
        profile_size = bytes_u32le(&bytes);
        bytes_seek(&bytes, 56);
        if (bytes_u32le(&bytes) == 0x4d424544 && profile_size > 0) /* 'MBED' */
            ret->profile_end = (uint64_t)profile_at + profile_size;
    }
    if (!depth_is_legal(ret) || ret->wide == 0 || ret->high == 0 || ret->wide > SIDE_MAX ||
        ret->high > SIDE_MAX)
        return false;
    read_palette(ret, used);
    ret->stride = ((uint64_t)ret->wide * ret->bits + 31) / 32 * 4;
    ret->pixels = ret->stride * ret->high;
    return !bytes_failed(&bytes);
}
