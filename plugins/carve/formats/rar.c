/*
 * rar: RAR archives of version 1.5 to 4 and of version 5 [RARLAB, RAR 5.0 archive format; technote.txt of
 * RAR 3]. Block after block, each header with its CRC, to the end block. Packed data is jumped over, for
 * nothing free unpacks it: so an archive is validated when all its files are stored, whose CRCs are compared,
 * and complete otherwise. Archives of versions before 3 may have no end block; they end behind the last
 * block.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>
#include <zlib.h>

enum {
    MARK4 = 7,
    MARK5 = 8,
    HEADER_MAX = 64 * 1024 - 8,
    ENDS_ITSELF = 29, /* the version from which on every archive has an end block */
};

struct rar {
    struct reader *reader;
    uint64_t at;   /* the block at hand */
    uint64_t size; /* of its header */
    uint64_t data; /* bytes behind that */
    unsigned type, flags;
    unsigned version; /* needed to unpack, the highest */
    unsigned files;
    bool packed; /* a file's data could not be checked */
    bool hidden; /* headers are encrypted from here on */
};

static bool data_is_right(struct rar *rar, uint32_t stored)
{
    uint32_t crc;

    return reader_crc32(rar->reader, rar->at + rar->size, rar->data, &crc) && crc == stored;
}

/* ------------------------------------------------------------------ version 4 */

enum { MAIN4 = 0x73, FILE4 = 0x74, SERVICE4 = 0x7a, END4 = 0x7b };

/* The block at rar->at; false: none is there. */
static bool read_block4(struct rar *rar)
{
    const uint8_t *p = reader_at(rar->reader, rar->at, 7);
    uint32_t stored;

    if (p == NULL || p[2] < 0x72 || p[2] > END4)
        return false;
    stored = field_le16(p);
    rar->type = p[2];
    rar->flags = field_le16(p + 3);
    rar->size = field_le16(p + 5);
    rar->data = 0;
    if (rar->size < 7 || rar->size > HEADER_MAX)
        return false;
    p = reader_at(rar->reader, rar->at, rar->size);
    if (p == NULL || (uint16_t)crc32(0, p + 2, (uInt)(rar->size - 2)) != stored)
        return false;
    if ((rar->flags & 0x8000) != 0 && rar->size >= 11)
        rar->data = field_le32(p + 7);
    if ((rar->type == FILE4 || rar->type == SERVICE4) && rar->size >= 36 && (rar->flags & 0x100) != 0)
        rar->data |= (uint64_t)field_le32(p + 32) << 32;
    return true;
}

/* The file's data; false: it is damaged. */
static bool follow_file4(struct rar *rar)
{
    const uint8_t *p = rar->size >= 32 ? reader_at(rar->reader, rar->at, 32) : NULL;
    bool plain;

    if (p == NULL)
        return false;
    rar->files += rar->type == FILE4;
    rar->version = p[24] > rar->version ? p[24] : rar->version;
    plain = p[25] == 0x30 && (rar->flags & 7) == 0; /* stored, not encrypted, all in this volume */
    if (rar->data == 0)
        return true;
    if (!plain && rar->type == FILE4)
        rar->packed = true;
    return !plain || data_is_right(rar, field_le32(p + 16));
}

static bool follow_block4(struct rar *rar)
{
    if (rar->type == MAIN4)
        rar->hidden = (rar->flags & 0x80) != 0;
    return (rar->type != FILE4 && rar->type != SERVICE4) || follow_file4(rar);
}

/* ------------------------------------------------------------------ version 5 */

enum { MAIN5 = 1, FILE5 = 2, SERVICE5 = 3, ENCRYPTION5 = 4, END5 = 5, HAS_EXTRA = 1, HAS_DATA = 2 };

/* A number of 7 bits a byte, at most ten bytes. False: it does not end. */
static bool vint(struct bytes *bytes, uint64_t *ret)
{
    uint8_t byte = 0x80;

    *ret = 0;
    for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
        if (shift > 63)
            return false;
        byte = bytes_u8(bytes);
        *ret |= (uint64_t)(byte & 0x7f) << shift;
    }
    return !bytes_failed(bytes);
}

/* Reads header `bytes` up to the fields of its type. */
static bool begin5(struct bytes *bytes, uint64_t *ret_type, uint64_t *ret_flags, uint64_t *ret_extra,
                   uint64_t *ret_data)
{
    *ret_extra = *ret_data = 0;
    return vint(bytes, ret_type) && vint(bytes, ret_flags) &&
           ((*ret_flags & HAS_EXTRA) == 0 || vint(bytes, ret_extra)) &&
           ((*ret_flags & HAS_DATA) == 0 || vint(bytes, ret_data));
}

static bool read_block5(struct rar *rar)
{
    const uint8_t *p = reader_at(rar->reader, rar->at, 7);
    struct bytes bytes;
    uint64_t size, type, flags, extra;
    uint32_t stored;
    size_t head;

    if (p == NULL)
        return false;
    stored = field_le32(p);
    bytes_init(&bytes, p + 4, 3);
    if (!vint(&bytes, &size) || size == 0 || size > HEADER_MAX)
        return false;
    head = 4 + bytes.offset;
    rar->size = head + size;
    p = reader_at(rar->reader, rar->at, rar->size);
    if (p == NULL || (uint32_t)crc32(0, p + 4, (uInt)(rar->size - 4)) != stored)
        return false;
    bytes_init(&bytes, p + head, (size_t)size);
    if (!begin5(&bytes, &type, &flags, &extra, &rar->data) || type > 255)
        return false;
    rar->type = (unsigned)type;
    rar->flags = (unsigned)flags;
    return true;
}

/* True when the extra area, the last `size` bytes, has an encryption record. */
static bool is_encrypted5(struct bytes *bytes, uint64_t extra)
{
    uint64_t size, type;

    if (extra == 0 || extra > bytes->size)
        return false;
    bytes_seek(bytes, bytes->size - (size_t)extra);
    while (bytes_left(bytes) > 0 && vint(bytes, &size)) {
        size_t begin = bytes->offset;

        if (!vint(bytes, &type) || size > bytes->size - begin)
            return false;
        if (type == 1)
            return true;
        bytes_seek(bytes, begin + (size_t)size);
    }
    return false;
}

static bool follow_file5(struct rar *rar)
{
    const uint8_t *p = reader_at(rar->reader, rar->at, rar->size);
    struct bytes bytes;
    uint64_t n, type, flags, extra, data, file_flags, unpacked, method;
    uint32_t crc = 0;

    if (p == NULL)
        return false;
    bytes_init(&bytes, p, (size_t)rar->size);
    bytes_skip(&bytes, 4);
    if (!vint(&bytes, &n) || !begin5(&bytes, &type, &flags, &extra, &data) || !vint(&bytes, &file_flags) ||
        !vint(&bytes, &unpacked) || !vint(&bytes, &n))
        return false;
    if ((file_flags & 2) != 0)
        bytes_skip(&bytes, 4);
    if ((file_flags & 4) != 0)
        crc = bytes_u32le(&bytes);
    if (!vint(&bytes, &method))
        return false;
    rar->files += rar->type == FILE5;
    if (data == 0)
        return true;
    /* Stored, with a CRC, all in this volume, not encrypted. */
    if ((method >> 7 & 7) == 0 && (file_flags & 4) != 0 && (flags & 0x18) == 0 && data == unpacked &&
        !is_encrypted5(&bytes, extra))
        return data_is_right(rar, crc);
    rar->packed |= rar->type == FILE5;
    return true;
}

static bool follow_block5(struct rar *rar)
{
    if (rar->type == ENCRYPTION5)
        rar->hidden = true;
    return (rar->type != FILE5 && rar->type != SERVICE5) || follow_file5(rar);
}

/* ------------------------------------------------------------------ both */

static enum carve_grade cut(struct rar *rar, uint64_t good, struct carved *ret)
{
    uint64_t most = reader_size(rar->reader);

    carved_partial(ret, good < most ? good : most, "what follows its first %u files: no block is there",
                   rar->files);
    if (rar->files == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade walk(struct rar *rar, uint64_t mark, bool five, struct carved *ret)
{
    uint64_t good = mark;

    rar->at = mark;
    while (five ? read_block5(rar) : read_block4(rar)) {
        bool last = rar->type == (five ? (unsigned)END5 : (unsigned)END4);

        if (rar->at == mark && rar->type != (five ? (unsigned)MAIN5 : (unsigned)MAIN4) &&
            !(five && rar->type == ENCRYPTION5))
            return CARVE_NONE;
        good = rar->at + rar->size;
        if (!(five ? follow_block5(rar) : follow_block4(rar)) ||
            !u64_range_fits(rar->at + rar->size, rar->data, reader_size(rar->reader)))
            return cut(rar, good, ret);
        rar->at += rar->size + rar->data;
        if (rar->hidden) {
            carved_partial(ret, rar->at,
                           "all that follows: its headers are encrypted, so no end can be told");
            return ret->grade;
        }
        if (last)
            return carved_whole(ret, rar->packed || rar->files == 0 ? CARVE_COMPLETE : CARVE_VALIDATED,
                                rar->at);
    }
    if (rar->at == mark)
        return CARVE_NONE;
    if (!five && rar->files > 0 && rar->version < ENDS_ITSELF)
        return carved_whole(ret, CARVE_COMPLETE, rar->at);
    return cut(rar, good, ret);
}

static enum carve_grade examine_rar(struct reader *reader, struct carved *ret)
{
    struct rar rar = {.reader = reader};

    if (reader_is(reader, 0, "Rar!\x1a\7\0", MARK4))
        walk(&rar, MARK4, false, ret);
    else if (reader_is(reader, 0, "Rar!\x1a\7\1\0", MARK5))
        walk(&rar, MARK5, true, ret);
    return ret->grade;
}

static const struct carve_format rar_format = {"rar", examine_rar};
const struct carve_format *const carve_rar[] = {&rar_format, NULL};
