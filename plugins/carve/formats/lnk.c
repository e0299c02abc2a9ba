/*
 * lnk: Windows shortcuts [MS-SHLLINK]. A header of 76 bytes whose flags say which parts follow: the target as
 * a list of shell items, where it lies, up to five texts; then blocks of extra data to one that is less than
 * four bytes long. Validated: every length within its part, every list ends where it should, and the last
 * block is there.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { HEADER = 0x4c, BLOCK_MIN = 8, BLOCKS_MAX = 64, PART_MAX = 60 * 1024 };
enum {
    HAS_LIST = 1 << 0,
    HAS_INFO = 1 << 1,
    RELATIVE_PATH = 3,
    IS_UNICODE = 1 << 7,
    FLAGS_UNUSED = ~0x07ffffff
};

struct lnk {
    struct reader *reader;
    struct carved *ret;
    uint64_t at;
    uint32_t flags;
};

static bool read_header(struct lnk *lnk)
{
    static const uint8_t class_id[16] = {1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46};
    static const uint8_t zero[10];
    const uint8_t *head = reader_at(lnk->reader, 0, HEADER);

    if (head == NULL || field_le32(head) != HEADER || memcmp(head + 4, class_id, 16) != 0 ||
        memcmp(head + 66, zero, 10) != 0)
        return false;
    lnk->flags = field_le32(head + 20);
    lnk->at = HEADER;
    return (lnk->flags & (uint32_t)FLAGS_UNUSED) == 0;
}

/* Shell items, each with its size, to one of size zero, which ends the list. */
static bool take_list(struct lnk *lnk)
{
    uint16_t size = 0, item;
    uint64_t at = lnk->at + 2, end;

    if (!reader_le16(lnk->reader, lnk->at, &size) || size < 2)
        return false;
    end = at + size;
    while (reader_le16(lnk->reader, at, &item) && item != 0) {
        if (item < 3 || item > end - at - 2)
            return false;
        at += item;
    }
    if (at + 2 != end || reader_at(lnk->reader, at, 2) == NULL)
        return false;
    lnk->at = end;
    return true;
}

/* Does a text begin at `at` of `info`, that ends with NUL within it? */
static bool text_ends(const uint8_t *info, uint32_t size, uint32_t at)
{
    return at < size && memchr(info + at, 0, size - at) != NULL;
}

/* The volume and the path on it, or the share and the path below it. */
static void title_from_info(struct lnk *lnk, const uint8_t *info, uint32_t size, uint32_t header)
{
    uint32_t flags = field_le32(info + 8), base = field_le32(info + 16), net = field_le32(info + 20),
             rest = field_le32(info + 24), wide;
    char path[CARVED_TITLE_SIZE * 2];
    size_t length = 0, most = sizeof path;

    if ((flags & 1) != 0 && header >= 0x24 && (wide = field_le32(info + 28)) < size) {
        while (wide + length + 1 < size && (info[wide + length] != 0 || info[wide + length + 1] != 0))
            length += 2;
        carved_title(lnk->ret, info + wide, length, "UTF-16LE");
        return;
    }
    if ((flags & 1) == 0 && (flags & 2) != 0 && net + 12 < size)
        base = net + field_le32(info + net + 8);
    else if ((flags & 1) == 0)
        return;
    if (!text_ends(info, size, base) || !text_ends(info, size, rest))
        return;
    length = strlen((const char *)info + base);
    length = length < most / 2 ? length : most / 2;
    memcpy(path, info + base, length);
    if ((flags & 1) == 0 && info[rest] != 0)
        path[length++] = '\\';
    most -= length;
    most = strlen((const char *)info + rest) < most ? strlen((const char *)info + rest) : most;
    memcpy(path + length, info + rest, most);
    carved_title(lnk->ret, path, length + most, "UTF-8");
}

/* Where the target lies: offsets of texts, which must lie within and end there. */
static bool take_info(struct lnk *lnk)
{
    uint32_t size = 0, header, flags;
    const uint8_t *info;

    if (!reader_le32(lnk->reader, lnk->at, &size) || size < 0x1c || size > PART_MAX)
        return false;
    info = reader_at(lnk->reader, lnk->at, size);
    if (info == NULL)
        return false;
    header = field_le32(info + 4);
    flags = field_le32(info + 8);
    if (header < 0x1c || header > size || (header > 0x1c && header < 0x24) || (flags & ~3U) != 0)
        return false;
    if ((flags & 1) != 0 &&
        (field_le32(info + 12) > size - 4 || !text_ends(info, size, field_le32(info + 16))))
        return false;
    if ((flags & 2) != 0 && (size < 0x14 + 8 || field_le32(info + 20) > size - 0x14))
        return false;
    if (!text_ends(info, size, field_le32(info + 24)))
        return false;
    title_from_info(lnk, info, size, header);
    lnk->at += size;
    return true;
}

static bool take_text(struct lnk *lnk, int which)
{
    bool wide = (lnk->flags & IS_UNICODE) != 0;
    const uint8_t *text;
    uint16_t count = 0;
    uint64_t size;

    if (!reader_le16(lnk->reader, lnk->at, &count))
        return false;
    size = (uint64_t)count * (wide ? 2 : 1);
    if (size == 0) {
        lnk->at += 2;
        return true;
    }
    text = reader_at(lnk->reader, lnk->at + 2, size < PART_MAX ? (size_t)size : PART_MAX);
    if (text == NULL || reader_at(lnk->reader, lnk->at + 1 + size, 1) == NULL)
        return false;
    text = reader_at(lnk->reader, lnk->at + 2, size < PART_MAX ? (size_t)size : PART_MAX);
    if (which == RELATIVE_PATH && lnk->ret->title[0] == '\0' && text != NULL)
        carved_title(lnk->ret, text, size < PART_MAX ? (size_t)size : PART_MAX, wide ? "UTF-16LE" : "UTF-8");
    lnk->at += 2 + size;
    return true;
}

/* Blocks of extra data, each with its size and a number that tells its kind. */
static bool take_blocks(struct lnk *lnk)
{
    for (int i = 0; i < BLOCKS_MAX; i++) {
        uint32_t size = 0, kind = 0;

        if (!reader_le32(lnk->reader, lnk->at, &size))
            return false;
        if (size < 4) {
            lnk->at += 4;
            return true;
        }
        if (size < BLOCK_MIN || size > PART_MAX || !reader_le32(lnk->reader, lnk->at + 4, &kind) ||
            kind - 0xa0000001U > 0xf || reader_at(lnk->reader, lnk->at + size - 1, 1) == NULL)
            return false;
        lnk->at += size;
    }
    return false;
}

static const char *take_parts(struct lnk *lnk)
{
    static const char *const texts[] = {
        [2] = "name", [3] = "relative path", [4] = "working folder", [5] = "arguments", [6] = "icon's place"};

    if ((lnk->flags & HAS_LIST) != 0 && !take_list(lnk))
        return "list of items";
    if ((lnk->flags & HAS_INFO) != 0 && !take_info(lnk))
        return "target's place";
    for (int i = 2; i <= 6; i++) {
        if ((lnk->flags >> i & 1) != 0 && !take_text(lnk, i))
            return texts[i];
    }
    return take_blocks(lnk) ? NULL : "extra data";
}

static enum carve_grade examine_lnk(struct reader *reader, struct carved *ret)
{
    struct lnk lnk = {.reader = reader, .ret = ret};
    const char *lacks;

    if (!read_header(&lnk))
        return CARVE_NONE;
    lacks = take_parts(&lnk);
    if (lacks == NULL)
        return carved_whole(ret, CARVE_VALIDATED, lnk.at);
    carved_partial(ret, lnk.at, "the %s at byte %llu is cut or not well-formed", lacks,
                   (unsigned long long)lnk.at);
    if (lnk.at == HEADER)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format lnk_format = {"lnk", examine_lnk};
const struct carve_format *const carve_lnk[] = {&lnk_format, NULL};
