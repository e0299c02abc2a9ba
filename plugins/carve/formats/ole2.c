/*
 * ole2: Compound File Binary files [MS-CFB]: Word, Excel and PowerPoint 97 to 2003, Outlook messages,
 * installers, thumbnail stores. Header, DIFAT, FAT, directory, mini FAT. The end is that of the highest
 * sector in use. Validated: every chain ends where it should, none crosses another, streams are as long as
 * their chains, no sector is in use without a chain, and what was checked (those structures, and contents
 * with structure of their own) reaches so far that a gap in the file would have been seen.
 */
#include "plugins/carve/formats/ole2.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 512,
    HEADER_DIFAT = 109,
    ENTRY = 128,
    MINI_SHIFT = 6,
    ENTRIES_MAX = 1 << 20,
    UNPROVEN_MAX = 16 * 1024, /* bytes at the end behind all that could be checked */
};

#define SECTOR_MAX  UINT32_C(0xfffffffa) /* the highest number of a sector */
#define SECTOR_DIF  UINT32_C(0xfffffffc)
#define SECTOR_FAT  UINT32_C(0xfffffffd)
#define SECTOR_END  UINT32_C(0xfffffffe)
#define SECTOR_FREE UINT32_C(0xffffffff)

struct header {
    unsigned shift;
    uint32_t fat_sectors, directory, mini_fat, mini_fat_sectors, difat, difat_sectors;
};

static bool read_header(struct reader *reader, struct header *ret)
{
    const uint8_t *p = reader_at(reader, 0, HEADER);
    unsigned major;

    if (p == NULL || memcmp(p, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) != 0 || p[28] != 0xfe || p[29] != 0xff)
        return false;
    major = p[26] | (unsigned)p[27] << 8;
    ret->shift = p[30] | (unsigned)p[31] << 8;
    ret->fat_sectors = field_le32(p + 44);
    ret->directory = field_le32(p + 48);
    ret->mini_fat = field_le32(p + 60);
    ret->mini_fat_sectors = field_le32(p + 64);
    ret->difat = field_le32(p + 68);
    ret->difat_sectors = field_le32(p + 72);
    return (major == 3 ? ret->shift == 9 : major == 4 && ret->shift == 12) && p[32] == MINI_SHIFT &&
           p[33] == 0 && field_le32(p + 56) == 4096 && ret->fat_sectors > 0 && ret->directory < SECTOR_MAX;
}

static uint64_t sector_offset(const struct ole2 *ole2, uint32_t sector)
{
    return ((uint64_t)sector + 1) << ole2->shift;
}

static void prove(struct ole2 *ole2, uint64_t offset, bool right)
{
    uint64_t end = offset + 1;

    if (right && end > ole2->proven)
        ole2->proven = end;
    if (!right && offset < ole2->failed)
        ole2->failed = offset;
}

/* Copies the FAT sector with that number to its place in ole2->fat. */
static bool load_fat_sector(struct ole2 *ole2, uint32_t index, uint32_t sector)
{
    size_t size = (size_t)1 << ole2->shift;
    const uint8_t *p =
        sector < SECTOR_MAX ? reader_at(ole2->reader, sector_offset(ole2, sector), size) : NULL;
    uint32_t *to = ole2->fat + (size_t)index * (size / 4);

    if (p == NULL) {
        if (sector < SECTOR_MAX)
            prove(ole2, sector_offset(ole2, sector), false);
        return false;
    }
    for (size_t i = 0; i < size / 4; i++)
        to[i] = field_le32(p + 4 * i);
    return true;
}

/* All FAT sectors, as the header and the DIFAT's sectors name them; their numbers go to `ret_sectors`, which
 * has room for them and for those of the DIFAT behind them. False: one is not there. */
static bool load_fat(struct ole2 *ole2, const struct header *header, uint32_t *ret_sectors)
{
    size_t per = ((size_t)1 << ole2->shift) / 4 - 1;
    uint32_t difat = header->difat, done = 0;
    const uint8_t *p;

    for (; done < header->fat_sectors && done < HEADER_DIFAT; done++) {
        p = reader_at(ole2->reader, 76 + 4 * done, 4);
        ret_sectors[done] = p != NULL ? field_le32(p) : SECTOR_FREE;
    }
    for (uint32_t n = 0; n < header->difat_sectors; n++) {
        if (difat >= SECTOR_MAX)
            return false;
        ret_sectors[header->fat_sectors + n] = difat;
        for (size_t i = 0; i < per && done < header->fat_sectors; i++) {
            p = reader_at(ole2->reader, sector_offset(ole2, difat) + 4 * i, 4);
            ret_sectors[done++] = p != NULL ? field_le32(p) : SECTOR_FREE;
        }
        p = reader_at(ole2->reader, sector_offset(ole2, difat) + 4 * per, 4);
        difat = p != NULL ? field_le32(p) : SECTOR_FREE;
    }
    for (uint32_t i = 0; i < done; i++) {
        if (!load_fat_sector(ole2, i, ret_sectors[i]))
            return false;
    }
    return done == header->fat_sectors;
}

/* The FAT's and DIFAT's sectors say of themselves that they are. */
static bool claim_fat(struct ole2 *ole2, const struct header *header, const uint32_t *sectors)
{
    bool holds = true;

    for (uint32_t i = 0; i < header->fat_sectors + header->difat_sectors; i++) {
        uint32_t sector = sectors[i], is = i < header->fat_sectors ? SECTOR_FAT : SECTOR_DIF;
        bool right = sector < ole2->fat_count && ole2->fat[sector] == is && ole2->taken[sector] == 0;

        if (sector < SECTOR_MAX)
            prove(ole2, sector_offset(ole2, sector), right);
        if (right)
            ole2->taken[sector] = 1;
        holds &= right;
    }
    return holds;
}

/* The chain from `start` in a table of `count`; an array of its numbers. False: broken or endless. */
static bool list_chain(const uint32_t *table, uint32_t count, uint32_t start, uint32_t **ret,
                       uint32_t *ret_count)
{
    uint32_t length = 0, at = start, *list;

    for (; at != SECTOR_END; at = table[at]) {
        if (at >= count || length >= count)
            return false;
        length++;
    }
    list = malloc((length > 0 ? length : 1) * sizeof list[0]);
    if (list == NULL)
        return false;
    at = start;
    for (uint32_t i = 0; i < length; i++, at = table[at])
        list[i] = at;
    *ret = list;
    *ret_count = length;
    return true;
}

bool ole2_chain(struct ole2 *ole2, uint32_t start, struct ole2_stream *ret)
{
    *ret = (struct ole2_stream){.ole2 = ole2, .shift = ole2->shift};
    if (!list_chain(ole2->fat, ole2->fat_count, start, &ret->sectors, &ret->count))
        return false;
    ret->size = (uint64_t)ret->count << ret->shift;
    for (uint32_t i = 0; i < ret->count; i++) {
        if (ole2->taken[ret->sectors[i]] != 0)
            return false;
        ole2->taken[ret->sectors[i]] = 1;
    }
    return true;
}

static bool is_mini(const struct ole2_entry *entry)
{
    return entry->type == 2 && entry->size < 4096;
}

bool ole2_open(struct ole2 *ole2, const struct ole2_entry *entry, struct ole2_stream *mini,
               struct ole2_stream *ret)
{
    bool small = is_mini(entry);

    *ret = (struct ole2_stream){.ole2 = ole2, .shift = small ? MINI_SHIFT : ole2->shift, .size = entry->size};
    ret->holds = small ? mini : NULL;
    return list_chain(small ? ole2->mini_fat : ole2->fat, small ? ole2->mini_count : ole2->fat_count,
                      entry->start, &ret->sectors, &ret->count) &&
           entry->size <= (uint64_t)ret->count << ret->shift;
}

void ole2_close(struct ole2_stream *stream)
{
    free(stream->sectors);
    stream->sectors = NULL;
}

static uint64_t place(const struct ole2_stream *stream, uint64_t offset)
{
    uint64_t inside = offset & ((UINT64_C(1) << stream->shift) - 1);
    uint32_t sector = stream->sectors[offset >> stream->shift];

    if (stream->holds != NULL)
        return ((uint64_t)sector << stream->shift) + inside;
    return sector_offset(stream->ole2, sector) + inside;
}

bool ole2_read(struct ole2_stream *stream, uint64_t offset, void *data, size_t size)
{
    uint8_t *to = data;

    if (!u64_range_fits(offset, size, stream->size))
        return false;
    while (size > 0) {
        size_t left = ((size_t)1 << stream->shift) - (size_t)(offset & ((UINT64_C(1) << stream->shift) - 1));
        const uint8_t *p;

        left = left < size ? left : size;
        if (stream->holds != NULL) {
            if (!ole2_read(stream->holds, place(stream, offset), to, left))
                return false;
        } else {
            p = reader_at(stream->ole2->reader, place(stream, offset), left);
            if (p == NULL)
                return false;
            memcpy(to, p, left);
        }
        to += left;
        offset += left;
        size -= left;
    }
    return true;
}

void ole2_prove(struct ole2_stream *stream, uint64_t offset, bool right)
{
    if (offset >= (uint64_t)stream->count << stream->shift)
        return;
    if (stream->holds != NULL)
        ole2_prove(stream->holds, place(stream, offset), right);
    else
        prove(stream->ole2, place(stream, offset), right);
}

/* False: it is no entry of a directory. */
static bool read_entry(const uint8_t *p, unsigned shift, struct ole2_entry *ret)
{
    unsigned bytes = p[64] | (unsigned)p[65] << 8;

    *ret = (struct ole2_entry){.type = p[66], .start = field_le32(p + 116), .size = field_le32(p + 120)};
    if (shift != 9)
        ret->size |= (uint64_t)field_le32(p + 124) << 32;
    if (ret->type == 0)
        return true;
    if ((ret->type != 1 && ret->type != 2 && ret->type != 5) || bytes > 64 || bytes < 2 || bytes % 2 != 0 ||
        p[67] > 1)
        return false;
    for (unsigned i = 0; i + 2 < bytes; i += 2)
        ret->name[i / 2] = p[i + 1] == 0 && p[i] < 0x7f && p[i] != 0 ? (char)p[i] : '?';
    memcpy(ret->class_id, p + 80, 16);
    return true;
}

static bool load_directory(struct ole2 *ole2, const struct header *header)
{
    struct ole2_stream stream;
    bool holds = ole2_chain(ole2, header->directory, &stream);
    uint64_t count = stream.size / ENTRY;

    if (!holds)
        prove(ole2, sector_offset(ole2, header->directory), false);
    if (holds && count > 0 && count <= ENTRIES_MAX)
        ole2->entries = calloc((size_t)count, sizeof ole2->entries[0]);
    for (uint64_t i = 0; ole2->entries != NULL && i < count; i++) {
        uint8_t raw[ENTRY];
        bool right = ole2_read(&stream, i * ENTRY, raw, ENTRY) &&
                     read_entry(raw, ole2->shift, &ole2->entries[i]) && (i == 0) == (raw[66] == 5);

        if (!right || raw[66] != 0) /* an unused entry may be zeros of anything */
            ole2_prove(&stream, i * ENTRY, right);
        holds &= right;
        ole2->entry_count += right;
        if (!right)
            break;
    }
    ole2_close(&stream);
    return holds && ole2->entry_count > 0;
}

static bool load_mini_fat(struct ole2 *ole2, const struct header *header)
{
    struct ole2_stream stream;
    uint32_t start = header->mini_fat_sectors == 0 ? SECTOR_END : header->mini_fat;
    bool holds = ole2_chain(ole2, start, &stream) && stream.count == header->mini_fat_sectors;
    uint8_t raw[4];

    if (holds && (ole2->mini_fat = malloc((size_t)stream.size + 4)) != NULL)
        ole2->mini_count = (uint32_t)(stream.size / 4);
    for (uint32_t i = 0; i < ole2->mini_count && holds; i++) {
        holds = ole2_read(&stream, 4 * (uint64_t)i, raw, 4);
        ole2->mini_fat[i] = holds ? field_le32(raw) : SECTOR_FREE;
        holds &= ole2->mini_fat[i] < ole2->mini_count || ole2->mini_fat[i] >= SECTOR_END;
        if (!holds || ole2->mini_fat[i] != 0)
            ole2_prove(&stream, 4 * (uint64_t)i, holds);
    }
    ole2_close(&stream);
    return holds && ole2->mini_fat != NULL;
}

/* Every stream is as long as its chain, and no chain crosses another. */
static bool streams_hold(struct ole2 *ole2)
{
    bool holds = true;

    for (size_t i = 1; i < ole2->entry_count; i++) {
        const struct ole2_entry *entry = &ole2->entries[i];
        struct ole2_stream stream = {0};
        uint64_t unit;

        if (entry->type != 2 || entry->size == 0)
            continue;
        if (is_mini(entry))
            holds &= ole2_open(ole2, entry, NULL, &stream);
        else
            holds &= ole2_chain(ole2, entry->start, &stream);
        unit = UINT64_C(1) << stream.shift;
        holds &= (entry->size + unit - 1) >> stream.shift == stream.count;
        ole2_close(&stream);
    }
    return holds;
}

static uint32_t sectors_in_use(const struct ole2 *ole2)
{
    uint32_t count = ole2->fat_count;

    while (count > 0 && ole2->fat[count - 1] == SECTOR_FREE)
        count--;
    return count;
}

/* No sector is in use that no chain has. */
static bool none_is_lost(const struct ole2 *ole2, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ole2->fat[i] != SECTOR_FREE && ole2->taken[i] == 0)
            return false;
    }
    return true;
}

static enum carve_grade cut(const struct ole2 *ole2, struct carved *ret)
{
    uint64_t good = ole2->failed == UINT64_MAX || ole2->proven < ole2->failed ? ole2->proven : HEADER;

    if (good > reader_size(ole2->reader))
        good = reader_size(ole2->reader);
    carved_partial(ret, good, "a part of its allocation table or directory, which should be at byte %llu",
                   (unsigned long long)(ole2->failed == UINT64_MAX ? good : ole2->failed));
    if (ole2->entry_count == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade judge(struct ole2 *ole2, const struct header *header, const uint32_t *fat_sectors,
                              struct carved *ret)
{
    struct ole2_stream mini = {0};
    uint64_t end;
    bool holds;

    if (!claim_fat(ole2, header, fat_sectors) || !load_directory(ole2, header))
        return cut(ole2, ret);
    end = sector_offset(ole2, sectors_in_use(ole2));
    holds = load_mini_fat(ole2, header);
    if (ole2->entries[0].size > 0)
        holds &= ole2_chain(ole2, ole2->entries[0].start, &mini) && ole2->entries[0].size <= mini.size;
    holds &= streams_hold(ole2) && none_is_lost(ole2, sectors_in_use(ole2));
    if (mini.sectors != NULL)
        ole2_kind(ole2, &mini, ret);
    else
        ole2_kind(ole2, NULL, ret);
    ole2_close(&mini);
    if (ole2->failed != UINT64_MAX || end > reader_size(ole2->reader))
        return cut(ole2, ret);
    holds &= end - ole2->proven <= UNPROVEN_MAX;
    return carved_whole(ret, holds ? CARVE_VALIDATED : CARVE_COMPLETE, end);
}

static enum carve_grade examine_ole2(struct reader *reader, struct carved *ret)
{
    struct ole2 ole2 = {.reader = reader, .proven = HEADER, .failed = UINT64_MAX};
    struct header header;
    uint64_t entries, sectors;
    uint32_t *fat_sectors;

    if (!read_header(reader, &header))
        return CARVE_NONE;
    ole2.shift = header.shift;
    sectors = reader_size(reader) >> header.shift;
    entries = (uint64_t)header.fat_sectors << (header.shift - 2);
    if (header.fat_sectors > sectors || header.difat_sectors > sectors || entries > SECTOR_MAX ||
        header.fat_sectors > HEADER_DIFAT + header.difat_sectors * ((UINT64_C(1) << (header.shift - 2)) - 1))
        return cut(&ole2, ret);
    ole2.fat_count = (uint32_t)entries;
    ole2.fat = calloc(entries, sizeof ole2.fat[0]);
    ole2.taken = calloc(entries, 1);
    fat_sectors = calloc((size_t)header.fat_sectors + header.difat_sectors, sizeof fat_sectors[0]);
    if (ole2.fat != NULL && ole2.taken != NULL && fat_sectors != NULL) {
        if (load_fat(&ole2, &header, fat_sectors))
            judge(&ole2, &header, fat_sectors, ret);
        else
            cut(&ole2, ret);
    }
    free(fat_sectors);
    free(ole2.fat);
    free(ole2.taken);
    free(ole2.mini_fat);
    free(ole2.entries);
    return ret->grade;
}

static const struct carve_format ole2_format = {"ole2", examine_ole2};
const struct carve_format *const carve_ole2[] = {&ole2_format, NULL};
