/*
 * cab: Microsoft cabinets [MS-CAB]. The header names the size; folders name their data blocks, which follow
 * each other, each with its checksum. A signature may lie behind, which the header's reserved area names.
 * Validated: header, folders and files agree, and every block's checksum is right. Blocks without one (it may
 * be zero) leave it complete.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

enum {
    HEADER = 36,
    FOLDER = 8,
    FILE_FIXED = 16,
    BLOCK = 8,
    BLOCK_MAX = 32768 + 6144,
    NAME_MAX_SIZE = 1024,
    HAS_PREVIOUS = 1,
    HAS_NEXT = 2,
    HAS_RESERVE = 4,
};

struct cab {
    struct reader *reader;
    uint64_t size, files, folders; /* as the header says; `folders`: offset */
    uint64_t signature_end;        /* 0: none */
    unsigned folder_count, file_count, folder_reserve, block_reserve;
    bool unchecked;
};

/* Moves behind a name that ends in zero. */
static bool skip_name(const struct cab *cab, uint64_t *at)
{
    uint64_t end = reader_find(cab->reader, *at, *at + NAME_MAX_SIZE, "", 1);

    if (end == UINT64_MAX)
        return false;
    *at = end + 1;
    return true;
}

/* [Authenticode: the reserved area of a signed cabinet names where its signature lies and how long it is.] */
static void find_signature(struct cab *cab, uint64_t reserve)
{
    const uint8_t *p = reader_at(cab->reader, reserve, 12);
    uint64_t at, size;

    if (p == NULL || field_le32(p) != 0x00100000)
        return;
    at = field_le32(p + 4);
    size = field_le32(p + 8);
    if (at == cab->size && size > 0 && reader_is(cab->reader, at, "\x30", 1))
        cab->signature_end = at + size;
}

static bool read_header(struct cab *cab)
{
    const uint8_t *p = reader_at(cab->reader, 0, HEADER);
    uint64_t at = HEADER;
    unsigned flags, reserve = 0;

    if (p == NULL || memcmp(p, "MSCF\0\0\0\0", 8) != 0 || field_le32(p + 12) != 0 ||
        field_le32(p + 20) != 0 || p[25] != 1)
        return false;
    cab->size = field_le32(p + 8);
    cab->files = field_le32(p + 16);
    cab->folder_count = field_le16(p + 26);
    cab->file_count = field_le16(p + 28);
    flags = field_le16(p + 30);
    if (flags > 7 || cab->folder_count == 0 || cab->files >= cab->size || cab->size < HEADER)
        return false;
    if ((flags & HAS_RESERVE) != 0) {
        p = reader_at(cab->reader, at, 4);
        if (p == NULL)
            return false;
        reserve = field_le16(p);
        cab->folder_reserve = p[2];
        cab->block_reserve = p[3];
        at += 4;
        if (reserve >= 20)
            find_signature(cab, at);
        at += reserve;
    }
    for (unsigned i = 0; i < ((flags & HAS_PREVIOUS) != 0 ? 2u : 0) + ((flags & HAS_NEXT) != 0 ? 2u : 0);
         i++) {
        if (!skip_name(cab, &at))
            return false;
    }
    cab->folders = at;
    return true;
}

/* Every file names a folder that is there, or the neighbouring cabinet; `ret_end` is behind them. */
static bool read_files(const struct cab *cab, uint64_t *ret_end)
{
    uint64_t at = cab->files;

    for (unsigned i = 0; i < cab->file_count; i++) {
        const uint8_t *p = reader_at(cab->reader, at, FILE_FIXED);
        unsigned folder;

        if (p == NULL)
            return false;
        folder = field_le16(p + 8);
        at += FILE_FIXED;
        if ((folder >= cab->folder_count && folder < 0xfffd) || !skip_name(cab, &at))
            return false;
    }
    *ret_end = at;
    return true;
}

/* [MS-CAB 3.1: exclusive or of all 32-bit words; up to three bytes at the end in the other order.] */
static uint32_t checksum(const uint8_t *p, size_t size, uint32_t seed)
{
    uint32_t last = 0;

    for (; size >= 4; size -= 4, p += 4)
        seed ^= field_le32(p);
    for (; size > 0; size--, p++)
        last = last << 8 | *p;
    return seed ^ last;
}

/* The block at `at`: behind it, or 0. */
static uint64_t follow_block(struct cab *cab, uint64_t at)
{
    const uint8_t *p = reader_at(cab->reader, at, BLOCK);
    uint32_t stored, packed;
    uint8_t sizes[4];

    if (p == NULL)
        return 0;
    stored = field_le32(p);
    packed = field_le16(p + 4);
    memcpy(sizes, p + 4, 4);
    if (packed == 0 || packed > BLOCK_MAX || field_le16(p + 6) > 32768)
        return 0;
    at += BLOCK + cab->block_reserve;
    p = reader_at(cab->reader, at, packed);
    if (p == NULL)
        return 0;
    if (stored == 0)
        cab->unchecked = true;
    else if (checksum(sizes, 4, checksum(p, packed, 0)) != stored)
        return 0;
    return at + packed;
}

static enum carve_grade follow_folders(struct cab *cab, uint64_t files_end, struct carved *ret)
{
    uint64_t last = files_end;

    for (unsigned i = 0; i < cab->folder_count; i++) {
        const uint8_t *p =
            reader_at(cab->reader, cab->folders + (uint64_t)i * (FOLDER + cab->folder_reserve), FOLDER);
        uint64_t at = p != NULL ? field_le32(p) : 0, end = at;
        unsigned blocks = p != NULL ? field_le16(p + 4) : 0;

        for (unsigned k = 0; k < blocks; k++) {
            end = at >= files_end ? follow_block(cab, at) : 0;
            if (end == 0 || end > cab->size)
                return carved_partial(ret,
                                      at < last                       ? last
                                      : at < reader_size(cab->reader) ? at
                                                                      : last,
                                      "the data from block %u of folder %u on is cut or damaged", k + 1,
                                      i + 1);
            at = end;
        }
        last = blocks > 0 && end > last ? end : last;
    }
    if (last != cab->size)
        return carved_partial(ret, last, "%llu bytes behind its data",
                              (unsigned long long)(cab->size - last));
    if (cab->signature_end > reader_size(cab->reader))
        return carved_partial(ret, last, "its signature");
    return carved_whole(ret, cab->unchecked ? CARVE_COMPLETE : CARVE_VALIDATED,
                        cab->signature_end > 0 ? cab->signature_end : last);
}

static enum carve_grade examine_cab(struct reader *reader, struct carved *ret)
{
    struct cab cab = {.reader = reader};
    uint64_t files_end;

    if (!read_header(&cab))
        return CARVE_NONE;
    if (!read_files(&cab, &files_end) || files_end > reader_size(reader)) {
        carved_partial(ret, HEADER, "its list of files");
        return ret->grade = CARVE_FRAGMENT;
    }
    return follow_folders(&cab, files_end, ret);
}

static const struct carve_format cab_format = {"cab", examine_cab};
const struct carve_format *const carve_cab[] = {&cab_format, NULL};
