/*
 * registry: Windows registry hives [M. Suhanov, Windows registry file format specification]. A base block
 * with a checksum and the size of what follows: bins of whole pages, each with its own offset and filled with
 * cells from end to end. Validated: the checksum, every bin and the chain of cells in it, and the root key.
 * Cells' contents have no checksum.
 *
 * A hive that is in use grows by 256 KiB at a time; zeros, or bins given up, between its last bin and that
 * boundary belong to the file. A hive that was saved (it then has no file name) ends with its last bin. Where
 * the one in use has neither behind it, its true end cannot be told and it is complete only.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { BASE = 4096, BIN_HEADER = 32, GROWTH = 256 * 1024, NAME = 48, NAME_SIZE = 64, KEY_NAME = 76 };

struct hive {
    struct reader *reader;
    uint64_t end; /* of the last bin */
    uint32_t root, minor;
    bool sum_holds, root_found, named;
};

/* The checksum's two values that stand for others are the specification's. */
static bool sum_holds(const uint8_t *head)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 508; i += 4)
        sum ^= field_le32(head + i);
    sum = sum == 0 ? 1 : sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
    return sum == field_le32(head + 508);
}

static bool read_base(struct hive *hive)
{
    const uint8_t *head = reader_at(hive->reader, 0, 512);
    uint32_t size;

    if (head == NULL || memcmp(head, "regf", 4) != 0 || field_le32(head + 20) != 1 ||
        field_le32(head + 24) > 6 || field_le32(head + 28) != 0 || field_le32(head + 32) != 1)
        return false;
    hive->root = field_le32(head + 36);
    size = field_le32(head + 40);
    hive->end = BASE + (uint64_t)size;
    hive->named = head[NAME] != 0 || head[NAME + 1] != 0;
    hive->sum_holds = sum_holds(head);
    return size > 0 && size % BASE == 0 && size <= INT32_MAX && hive->root < size && hive->root % 8 == 0;
}

/* The root key's cell, found among the others. */
static bool is_root_key(const uint8_t *cell, size_t size)
{
    return size >= KEY_NAME + 4 && memcmp(cell + 4, "nk", 2) == 0 && (cell[6] & 0x04) != 0;
}

/* The cells of the bin at `at`; *ret_good is the last place where one begins that is well-formed. */
static bool cells_hold(struct hive *hive, uint64_t at, uint32_t size, uint64_t *ret_good)
{
    uint64_t end = at + size;

    for (at += BIN_HEADER; at < end;) {
        const uint8_t *data;
        size_t span = reader_span(hive->reader, at, &data);
        uint32_t length;

        if (span < 4 && (data = reader_at(hive->reader, at, 4)) == NULL)
            return false;
        length = field_le32(data);
        length = length > INT32_MAX ? 0 - length : length;
        if (length < 8 || length % 8 != 0 || length > end - at)
            return false;
        if (at == BASE + (uint64_t)hive->root) {
            data = reader_at(hive->reader, at, length < 512 ? length : 512);
            if (data == NULL || !is_root_key(data, length < 512 ? length : 512))
                return false;
            hive->root_found = true;
        }
        *ret_good = at;
        at += length;
    }
    return at == end && reader_at(hive->reader, end - 1, 1) != NULL;
}

static bool walk(struct hive *hive, uint64_t *ret_good)
{
    uint64_t at = BASE;

    *ret_good = BASE;
    while (at < hive->end) {
        const uint8_t *head = reader_at(hive->reader, at, BIN_HEADER);
        uint32_t size = head == NULL ? 0 : field_le32(head + 8);

        if (head == NULL || memcmp(head, "hbin", 4) != 0 || field_le32(head + 4) != at - BASE || size == 0 ||
            size % BASE != 0 || size > hive->end - at)
            return false;
        *ret_good = at;
        if (!cells_hold(hive, at, size, ret_good))
            return false;
        at += size;
    }
    return true;
}

/* Where the file ends; *ret_sure: it can be told. */
static uint64_t file_end(struct hive *hive, bool *ret_sure)
{
    uint64_t end = hive->named ? (hive->end + GROWTH - 1) / GROWTH * GROWTH : hive->end;

    *ret_sure = end == hive->end;
    if (end > reader_size(hive->reader))
        return hive->end;
    for (uint64_t at = hive->end; at < end;) {
        const uint8_t *head = reader_at(hive->reader, at, BIN_HEADER);
        uint32_t size = BASE;

        if (head != NULL && memcmp(head, "hbin", 4) == 0 && field_le32(head + 4) == at - BASE) {
            size = field_le32(head + 8);
            if (size == 0 || size % BASE != 0 || size > end - at)
                return hive->end;
        } else if (!reader_is_all(hive->reader, at, BASE, 0)) {
            return hive->end;
        }
        at += size;
    }
    *ret_sure = true;
    return end;
}

/* The file's name as the hive has it, the end of a path; else the root key's. */
static void take_title(struct hive *hive, struct carved *ret)
{
    const uint8_t *name = reader_at(hive->reader, NAME, NAME_SIZE), *key;
    uint16_t size = 0;
    size_t length = 0;
    bool narrow;

    while (name != NULL && length < NAME_SIZE && (name[length] != 0 || name[length + 1] != 0))
        length += 2;
    if (length > 0) {
        carved_title(ret, name, length, "UTF-16LE");
        return;
    }
    key = reader_at(hive->reader, BASE + (uint64_t)hive->root + 4, KEY_NAME);
    if (key == NULL)
        return;
    narrow = (key[2] & 0x20) != 0;
    size = (uint16_t)(key[72] | key[73] << 8);
    if (size > 0 && (key = reader_at(hive->reader, BASE + (uint64_t)hive->root + 4 + KEY_NAME, size)) != NULL)
        carved_title(ret, key, size, narrow ? "UTF-8" : "UTF-16LE");
}

static enum carve_grade examine_registry(struct reader *reader, struct carved *ret)
{
    struct hive hive = {.reader = reader};
    uint64_t good, end;
    bool sure;

    if (!read_base(&hive) || !reader_is(reader, BASE, "hbin\0\0\0", 8))
        return CARVE_NONE;
    if (!walk(&hive, &good)) {
        carved_partial(ret, good, "the bin or cell behind byte %llu of %llu is not well-formed",
                       (unsigned long long)good, (unsigned long long)hive.end);
        if (good <= BASE + BIN_HEADER)
            ret->grade = CARVE_FRAGMENT;
    } else {
        end = file_end(&hive, &sure);
        carved_whole(ret, sure && hive.sum_holds && hive.root_found ? CARVE_VALIDATED : CARVE_COMPLETE, end);
    }
    if (hive.root_found)
        take_title(&hive, ret);
    return ret->grade;
}

static const struct carve_format registry_format = {"registry", examine_registry};
const struct carve_format *const carve_registry[] = {&registry_format, NULL};
