/*
 * bitlocker: what Windows writes in clear on a volume that it encrypts [J. Metz, BitLocker Drive Encryption
 * (BDE) format specification, 2014; that the block's CRC-32 covers what lies before it was measured on the
 * images of cryptsetup's tests]. The volume header is a sector that says where three metadata blocks are;
 * each of those has all key protectors and says how large the volume is. Both are objects of their own; the
 * encrypted volume between them is none. A metadata block of version 2 is validated by its CRC-32; its title
 * is the description that Windows gives a volume: computer, drive, date. A header is complete when it points
 * to a metadata block that is there.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/bytes.h"

#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 512,
    BLOCK_HEADER = 64,
    METADATA_HEADER = 48,
    ENTRIES_MAX = 256,
    DESCRIPTION = 7,
    BLOCK_MAX = 64 * 1024
};

static bool is_block(const uint8_t *p)
{
    uint32_t size = field_le32(p + 64);

    return memcmp(p, "-FVE-FS-", 8) == 0 && (field_le16(p + 10) == 1 || field_le16(p + 10) == 2) &&
           field_le32(p + 68) == 1 && field_le32(p + 72) == METADATA_HEADER && size >= METADATA_HEADER &&
           size < BLOCK_MAX - BLOCK_HEADER && field_le64(p + 32) != 0 && field_le64(p + 32) % SECTOR == 0;
}

/* Entries: size, type, value type, version, value; one has the volume's description. They fill the metadata.
 */
static bool entries_hold(struct reader *reader, uint64_t at, uint64_t end, struct carved *ret)
{
    for (int i = 0; at < end && i < ENTRIES_MAX; i++) {
        const uint8_t *p = end - at >= 8 ? reader_at(reader, at, 8) : NULL;
        uint16_t size = p != NULL ? field_le16(p) : 0, type = p != NULL ? field_le16(p + 2) : 0;

        if (size < 8 || size > end - at)
            return false;
        if (type == DESCRIPTION && size > 8 && (p = reader_at(reader, at + 8, size - 8u)) != NULL)
            carved_title(ret, p, size - 8u, "UTF-16LE");
        at += size;
    }
    return at == end;
}

static enum carve_grade examine_metadata(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, BLOCK_HEADER + METADATA_HEADER);
    uint32_t version, size, crc, stored, end;
    bool entries;

    if (p == NULL || !is_block(p))
        return CARVE_NONE;
    version = field_le16(p + 10);
    size = version == 2 ? field_le16(p + 8) * 16u : BLOCK_HEADER + field_le32(p + 64);
    end = BLOCK_HEADER + field_le32(p + 64);
    entries = entries_hold(reader, BLOCK_HEADER + METADATA_HEADER, end, ret);
    if (version == 1 || size < end)
        return entries ? carved_whole(ret, CARVE_COMPLETE, end)
                       : carved_partial(ret, BLOCK_HEADER, "its entries");
    /* Behind it: the size of what follows, a version, the CRC-32 of what came before. */
    p = reader_at(reader, size, 8);
    if (p == NULL || field_le16(p) < 8 || field_le16(p + 2) > 8)
        return carved_partial(ret, entries && end <= reader_size(reader) ? end : BLOCK_HEADER,
                              "the checksum behind it");
    stored = field_le32(p + 4);
    end = size + field_le16(p);
    if (!reader_crc32(reader, 0, size, &crc) || crc != stored || !entries)
        return carved_partial(ret, BLOCK_HEADER, "its CRC-32 is not right");
    if (end > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends within what validates the keys");
    return carved_whole(ret, CARVE_VALIDATED, end);
}

static const uint8_t identifier[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                       0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0};

static bool is_identifier(const uint8_t *p)
{
    return memcmp(p, identifier, 15) == 0 && p[15] <= 2;
}

/* Where the header says that the first metadata block is; 0: it is no such header. */
static uint64_t metadata_offset(const uint8_t *p)
{
    if (p[510] != 0x55 || p[511] != 0xaa || p[0] != 0xeb)
        return 0;
    if (is_identifier(p + 160))
        return field_le64(p + 176);
    if (is_identifier(p + 424))
        return field_le64(p + 440);
    if (memcmp(p + 3, "-FVE-FS-", 8) == 0) /* Vista: in clusters */
        return u64_mul_saturating(field_le64(p + 56), (uint64_t)p[13] * field_le16(p + 11));
    return 0;
}

static enum carve_grade examine_volume(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, SECTOR);
    uint64_t metadata = p != NULL ? metadata_offset(p) : 0;
    char title[96];
    int n;

    if (metadata == 0 || metadata % SECTOR != 0 || metadata >= INT64_MAX)
        return CARVE_NONE;
    ret->format = "BitLocker volume header; its metadata blocks are objects of their own";
    p = reader_at(reader, metadata, BLOCK_HEADER + METADATA_HEADER);
    if (p == NULL || !is_block(p))
        return carved_partial(ret, SECTOR, "no metadata block is where it says, %llu bytes further on",
                              (unsigned long long)metadata);
    n = snprintf(title, sizeof title, "volume of %llu bytes, metadata %llu bytes behind this",
                 (unsigned long long)field_le64(p + 16), (unsigned long long)metadata);
    carved_title(ret, title, n > 0 ? (size_t)n : 0, "UTF-8");
    return carved_whole(ret, CARVE_COMPLETE, SECTOR);
}

static const struct carve_format metadata_format = {"fvemetadata", examine_metadata};
static const struct carve_format volume_format = {"fvevolume", examine_volume};
const struct carve_format *const carve_bitlocker[] = {&metadata_format, &volume_format, NULL};
