/*
 * zip: ZIP archives and all that is built on them [PKWARE APPNOTE 6.3.10]. Member after member is followed by
 * its local header (sizes from there, from the zip64 field, or from the data descriptor behind the data),
 * then the central directory and the end records. Validated: the directory lists exactly these members, every
 * offset, size and CRC in it agrees with them, and the data of all of them inflates to its CRC.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/zip_kind.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LOCAL = 30,
    CENTRAL = 46,
    END = 22,
    END64 = 56,
    LOCATOR = 20,
    ENCRYPTED = 1 << 0,
    DESCRIPTOR = 1 << 3,
    STORED = 0,
    DEFLATED = 8,
    GAP_MAX = 1 << 20,        /* between members, where a tool has left one */
    MEMBERS_MAX = 1 << 20,    /* bounds memory */
    INFLATE_LAG = 128 * 1024, /* bytes that inflate may take before it sees that they are not its own */
    INFLATE_HELD = 8,         /* and those that it has looked at and not taken yet */
    DESCRIPTOR_MAX = 24,
    HEADER_USUAL = 512, /* a header with its name, where one is cut */
};
#define MADE_MAX (UINT64_C(16) << 30) /* bytes inflated for one archive; what is beyond is not checked */

struct member {
    uint64_t offset, packed, size;
    uint32_t crc, name; /* name: its CRC */
    uint16_t method;
    bool listed;
};

struct zip {
    struct reader *reader;
    struct member *members; /* by offset */
    size_t count, room, listed;
    uint64_t at;           /* behind the last member */
    uint64_t gap;          /* where the first gap between members begins; 0: none */
    uint64_t made;         /* bytes inflated */
    uint64_t broken, next; /* as in struct carved */
    bool unchecked;        /* the data of a member could not be checked */
    uint16_t flags;        /* of the member at hand */
    struct zip_kind kind;
};

/* The next number of a zip64 field, for each of `values` that says UINT32_MAX. */
static void take_zip64(const uint8_t *extra, size_t size, uint64_t *const *values, size_t count)
{
    while (size >= 4 && field_le16(extra + 2) <= size - 4u) {
        size_t length = field_le16(extra + 2);
        const uint8_t *p = extra + 4;

        for (size_t i = 0; field_le16(extra) == 1 && i < count; i++) {
            if (*values[i] == UINT32_MAX && length >= 8) {
                *values[i] = field_le64(p);
                p += 8;
                length -= 8;
            }
        }
        size -= 4u + field_le16(extra + 2);
        extra += 4u + field_le16(extra + 2);
    }
}

static bool name_is_legal(const uint8_t *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (name[i] < ' ' || name[i] == 0x7f)
            return false;
    }
    return size > 0 && size <= 4096;
}

static bool method_is_known(unsigned method)
{
    return method <= 20 || method == 97 || method == 98 || method == 99 || (method >= 93 && method <= 96);
}

/* The local header at `offset`: false when none is there. The name's and extra field's sizes go to `ret`. */
static bool read_local(struct zip *zip, uint64_t offset, struct member *member, size_t *ret_name,
                       size_t *ret_extra)
{
    const uint8_t *p = reader_at(zip->reader, offset, LOCAL);
    uint64_t *const sizes[] = {&member->size, &member->packed};

    if (p == NULL || memcmp(p, "PK\3\4", 4) != 0 || !method_is_known(field_le16(p + 8)))
        return false;
    *member = (struct member){.offset = offset, .method = field_le16(p + 8), .crc = field_le32(p + 14)};
    member->packed = field_le32(p + 18);
    member->size = field_le32(p + 22);
    zip->flags = field_le16(p + 6);
    *ret_name = field_le16(p + 26);
    *ret_extra = field_le16(p + 28);
    if (*ret_name == 0 || *ret_name + *ret_extra > READER_AT_MAX)
        return false;
    p = reader_at(zip->reader, offset + LOCAL, *ret_name + *ret_extra);
    if (p == NULL || !name_is_legal(p, *ret_name))
        return false;
    member->name = (uint32_t)crc32(0, p, (uInt)*ret_name);
    take_zip64(p + *ret_name, *ret_extra, sizes, 2);
    return true;
}

/* Size of the data descriptor at `offset` that says what `member` says: with its signature or without, sizes
 * of 32 or 64 bits; 0: none. A form that a next header follows is taken before one that none does, because
 * both sizes fit where they are zero. */
static size_t descriptor_size(struct zip *zip, uint64_t offset, const struct member *member)
{
    for (unsigned form = 0; form < 8; form++) {
        size_t head = (form & 1) != 0 ? 0 : 4, width = (form & 2) != 0 ? 8 : 4, size = head + 4 + 2 * width;
        bool next = (form & 4) == 0;
        const uint8_t *p = reader_at(zip->reader, offset, size + (next ? 2 : 0));

        if (p == NULL || (head > 0 && memcmp(p, "PK\7\x8", 4) != 0) || field_le32(p + head) != member->crc ||
            (next && memcmp(p + size, "PK", 2) != 0))
            continue;
        p += head + 4;
        if (width == 8 ? field_le64(p) == member->packed && field_le64(p + 8) == member->size
                       : field_le32(p) == member->packed && field_le32(p + 4) == member->size)
            return size;
    }
    return 0;
}

/* The descriptor of data that begins at `data` and tells neither its end nor its CRC: by its signature, and
 * the distance that it names. Its place, or UINT64_MAX; what it says goes to `member`. */
static uint64_t find_descriptor(struct zip *zip, uint64_t data, struct member *member)
{
    uint64_t at = data, end = reader_size(zip->reader);

    while ((at = reader_find(zip->reader, at, end, "PK\7\x8", 4)) != UINT64_MAX) {
        const uint8_t *p = reader_at(zip->reader, at, 24);
        bool wide = p != NULL && field_le64(p + 8) == at - data;

        if (p != NULL && (wide || field_le32(p + 8) == at - data)) {
            member->crc = field_le32(p + 4);
            member->packed = at - data;
            member->size = wide && field_le32(p + 12) == 0 ? field_le64(p + 16) : field_le32(p + 12);
            return at;
        }
        at++;
    }
    return UINT64_MAX;
}

enum data { DATA_BAD, DATA_UNCHECKED, DATA_RIGHT };

/* Inflates the data: what comes out is what the header says, or, with `unknown`, the header is filled in. On
 * DATA_BAD *ret_good is how far it may be the member's. */
static enum data inflate_data(struct zip *zip, uint64_t data, bool unknown, struct member *member,
                              uint64_t *ret_good)
{
    uint64_t limit = unknown ? reader_size(zip->reader) : u64_add_saturating(data, member->packed), end,
             size = 0;
    uint64_t most = MADE_MAX - zip->made;
    bool bounded = !unknown && member->size <= most, ends;
    uint32_t crc = 0;

    ends = reader_inflate(zip->reader, READER_DEFLATE, data, limit, bounded ? member->size : most, &end,
                          &size, &crc);
    zip->made += size < most ? size : most;
    if (!ends && size > most && !unknown)
        return DATA_UNCHECKED;
    *ret_good = !ends && end - data > INFLATE_LAG ? end - INFLATE_LAG : data;
    if (!ends) {
        zip->broken = end + INFLATE_HELD < zip->broken ? end + INFLATE_HELD : zip->broken;
        return DATA_BAD;
    }
    if (!unknown && (end != limit || size != member->size))
        return DATA_BAD;
    if (!unknown && crc != member->crc && (member->crc != 0 || (zip->flags & DESCRIPTOR) == 0))
        return DATA_BAD;
    member->packed = end - data;
    member->size = size;
    member->crc = crc;
    return DATA_RIGHT;
}

static enum data stored_data(struct zip *zip, uint64_t data, struct member *member)
{
    uint32_t crc = 0;

    if (member->packed != member->size || !reader_crc32(zip->reader, data, member->packed, &crc) ||
        (crc != member->crc && (member->crc != 0 || (zip->flags & DESCRIPTOR) == 0)))
        return DATA_BAD;
    member->crc = crc;
    return DATA_RIGHT;
}

/* Goes over the member's data, which begins at `data`, and the descriptor behind it: zip->at is behind them.
 * False: they do not hold, and *ret_good is how far it may be the member's. */
static bool follow_data(struct zip *zip, uint64_t data, struct member *member, uint64_t *ret_good)
{
    bool later = (zip->flags & DESCRIPTOR) != 0, plain = (zip->flags & ENCRYPTED) == 0;
    bool unknown = later && (member->packed == 0 || member->packed == UINT32_MAX);
    enum data verdict = DATA_UNCHECKED;
    size_t behind = 0;

    *ret_good = data;
    zip->next = unknown ? 0 : u64_add_saturating(data, member->packed);
    zip->broken = unknown ? UINT64_MAX : zip->next;
    if (unknown && (!plain || member->method != DEFLATED) && find_descriptor(zip, data, member) == UINT64_MAX)
        return false;
    if (plain && member->method == DEFLATED)
        verdict = inflate_data(zip, data, unknown, member, ret_good);
    else if (plain && member->method == STORED)
        verdict = stored_data(zip, data, member);
    if (verdict == DATA_BAD || !u64_range_fits(data, member->packed, reader_size(zip->reader)))
        return false;
    zip->unchecked |= verdict == DATA_UNCHECKED;
    zip->at = data + member->packed;
    if (later)
        behind = descriptor_size(zip, zip->at, member);
    if (unknown)
        zip->broken = zip->at + DESCRIPTOR_MAX;
    zip->at += behind;
    /* Sizes that were not known are only believed with their descriptor; data that was jumped over is only
     * believed when something of the archive follows. */
    return behind > 0 || (!unknown && (verdict == DATA_RIGHT || reader_is(zip->reader, zip->at, "PK", 2)));
}

static bool keep_member(struct zip *zip, const struct member *member)
{
    if (zip->count == zip->room) {
        size_t room = zip->room > 0 ? zip->room * 2 : 64;
        struct member *members = realloc(zip->members, room * sizeof members[0]);

        if (members == NULL)
            return false;
        zip->members = members;
        zip->room = room;
    }
    zip->members[zip->count++] = *member;
    return true;
}

static void see_member(struct zip *zip, const struct member *member, uint64_t data, size_t name_size)
{
    bool readable = (zip->flags & ENCRYPTED) == 0 && (member->method == STORED || member->method == DEFLATED);
    struct zip_place place = {data, readable ? data + member->packed : 0, member->method == DEFLATED};
    const uint8_t *name = reader_at(zip->reader, member->offset + LOCAL, name_size);

    if (name != NULL)
        zip_kind_see(&zip->kind, name, name_size, &place);
}

/* One member. False: the archive breaks off in it, and *ret_good says where; nothing stands at zip->at when
 * it is not even a header. */
static bool follow_member(struct zip *zip, uint64_t *ret_good, bool *ret_is_header)
{
    struct member member;
    size_t name, extra;
    uint64_t data;

    *ret_good = zip->at;
    *ret_is_header = read_local(zip, zip->at, &member, &name, &extra);
    if (!*ret_is_header)
        return false;
    data = zip->at + LOCAL + name + extra;
    if (!follow_data(zip, data, &member, ret_good))
        return false;
    see_member(zip, &member, data, name);
    return zip->count < MEMBERS_MAX && keep_member(zip, &member);
}

/* Where the signing block of an Android package ends that begins at zip->at [Android, APK Signature Scheme
 * v2]; 0: there is none. */
static uint64_t signing_block_end(struct zip *zip)
{
    uint64_t size, again;

    if (!reader_le64(zip->reader, zip->at, &size) || size < 24 || size > INT32_MAX ||
        !reader_le64(zip->reader, zip->at + size - 16, &again) || again != size ||
        !reader_is(zip->reader, zip->at + size - 8, "APK Sig Block 42", 16))
        return 0;
    return zip->at + 8 + size;
}

/* The next header, when it is near; UINT64_MAX. */
static uint64_t behind_gap(struct zip *zip)
{
    uint64_t at = zip->at + 1, limit = zip->at + GAP_MAX;

    while ((at = reader_find(zip->reader, at, limit, "PK", 2)) != UINT64_MAX) {
        if (reader_is(zip->reader, at, "PK\3\4", 4) || reader_is(zip->reader, at, "PK\1\2", 4))
            return at;
        at++;
    }
    return UINT64_MAX;
}

struct directory {
    uint64_t begin, end; /* of its entries */
    uint64_t count;
    uint64_t says_offset, says_size, says_count;
    uint64_t object_end, comment;
    bool alone; /* one volume */
};

/* Size of the entry at `at`, its fields in `ret`, offset as it says; 0: none is there. */
static size_t read_entry(struct zip *zip, uint64_t at, struct member *ret)
{
    const uint8_t *p = reader_at(zip->reader, at, CENTRAL);
    uint64_t *const values[] = {&ret->size, &ret->packed, &ret->offset};
    size_t name, extra, comment;

    if (p == NULL || memcmp(p, "PK\1\2", 4) != 0)
        return 0;
    *ret = (struct member){
        .offset = field_le32(p + 42), .method = field_le16(p + 10), .crc = field_le32(p + 16)};
    ret->packed = field_le32(p + 20);
    ret->size = field_le32(p + 24);
    name = field_le16(p + 28);
    extra = field_le16(p + 30);
    comment = field_le16(p + 32);
    if (name == 0 || name + extra > READER_AT_MAX)
        return 0;
    p = reader_at(zip->reader, at + CENTRAL, name + extra);
    if (p == NULL || !u64_range_fits(at + CENTRAL + name + extra, comment, reader_size(zip->reader)))
        return 0;
    ret->name = (uint32_t)crc32(0, p, (uInt)name);
    take_zip64(p + name, extra, values, 3);
    return CENTRAL + name + extra + comment;
}

/* The zip64 end record and its locator, where they are; `at` moves behind them. */
static bool read_end64(struct zip *zip, struct directory *directory, uint64_t *at)
{
    const uint8_t *p = reader_at(zip->reader, *at, END64);
    uint64_t begin = *at, size;

    if (p == NULL || memcmp(p, "PK\6\6", 4) != 0)
        return true;
    size = field_le64(p + 4);
    directory->alone = field_le32(p + 16) == 0 && field_le32(p + 20) == 0;
    directory->says_count = field_le64(p + 32);
    directory->says_size = field_le64(p + 40);
    directory->says_offset = field_le64(p + 48);
    if (size < END64 - 12 || size > INT32_MAX)
        return false;
    *at += 12 + size;
    p = reader_at(zip->reader, *at, LOCATOR);
    if (p == NULL || memcmp(p, "PK\6\7", 4) != 0 ||
        field_le64(p + 8) - directory->says_offset != begin - directory->begin)
        return false;
    *at += LOCATOR;
    return true;
}

/* Reads over the entries and the end records. False: they are not all there: *ret_good is where they end,
 * zip->broken where they should go on. */
static bool read_directory(struct zip *zip, struct directory *directory, uint64_t *ret_good)
{
    uint64_t at = zip->at;
    struct member entry;
    uint16_t length;
    const uint8_t *p;
    size_t size;

    *directory = (struct directory){.begin = at, .alone = true, .says_offset = UINT32_MAX};
    *ret_good = at;
    for (; (size = read_entry(zip, at, &entry)) > 0; at += size) {
        directory->count++;
        *ret_good = at; /* the break may be in the last one that looks like an entry */
    }
    directory->end = at;
    zip->broken = at + HEADER_USUAL;
    zip->next = 0;
    if (reader_is(zip->reader, at, "PK\5\5", 4) && reader_le16(zip->reader, at + 4, &length))
        at += 6u + length; /* a signature over the directory */
    if (!read_end64(zip, directory, &at))
        return false;
    p = reader_at(zip->reader, at, END);
    if (p == NULL || memcmp(p, "PK\5\6", 4) != 0)
        return false;
    if (directory->says_offset == UINT32_MAX) {
        directory->alone = field_le16(p + 4) == 0 && field_le16(p + 6) == 0;
        directory->says_count = field_le16(p + 10);
        directory->says_size = field_le32(p + 12);
        directory->says_offset = field_le32(p + 16);
    }
    directory->comment = at + END;
    directory->object_end = directory->comment + field_le16(p + 20);
    return directory->object_end <= reader_size(zip->reader);
}

static struct member *member_at(struct zip *zip, uint64_t offset)
{
    size_t low = 0, high = zip->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zip->members[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < zip->count && zip->members[low].offset == offset ? &zip->members[low] : NULL;
}

/* Compares every entry with the member it names, counted from `shift` bytes into the object (modulo 2^64):
 * how many do not agree; zip->listed is how many members were named. */
static uint64_t compare_entries(struct zip *zip, const struct directory *directory, uint64_t shift)
{
    uint64_t at = directory->begin, wrong = 0;
    struct member entry;

    for (uint64_t i = 0; i < directory->count; i++) {
        size_t size = read_entry(zip, at, &entry);
        struct member *member;

        if (size == 0)
            return UINT64_MAX;
        member = member_at(zip, entry.offset + shift);
        if (member != NULL && !member->listed && member->method == entry.method && member->crc == entry.crc &&
            member->packed == entry.packed && member->size == entry.size && member->name == entry.name) {
            member->listed = true;
            zip->listed++;
        } else {
            wrong++;
        }
        at += size;
    }
    return wrong;
}

/* An end that is cut in its last bytes may have any length of comment. */
static bool is_text(struct reader *reader, uint64_t at, uint64_t end)
{
    uint8_t byte = ' ';

    for (; at < end && reader_u8(reader, at, &byte); at++) {
        if (byte < ' ' && (byte == 0 || strchr("\t\n\r\x1a\x1b", byte) == NULL))
            return false;
    }
    return at == end;
}

static enum carve_grade judge(struct zip *zip, const struct directory *directory, struct carved *ret)
{
    uint64_t shift = directory->begin - directory->says_offset;
    uint64_t wrong = compare_entries(zip, directory, shift);
    bool agrees =
        directory->says_size == directory->end - directory->begin &&
        (directory->says_count == directory->count || directory->says_count == (uint16_t)directory->count);

    if (!directory->alone)
        return carved_partial(ret, directory->object_end, "it is the last of several volumes");
    if (shift != 0 && directory->says_offset > directory->begin && zip->listed == zip->count)
        return carved_partial(ret, directory->object_end, "the archive begins %llu bytes before this",
                              (unsigned long long)(0 - shift));
    if (shift != 0 && wrong == 0 && agrees && member_at(zip, shift) != NULL)
        return carved_partial(ret, shift, "its directory: at byte %llu another archive begins",
                              (unsigned long long)shift);
    if (shift != 0 || wrong > 0 || !agrees || zip->listed == 0)
        return carved_partial(ret, zip->gap > 0 ? zip->gap : directory->begin,
                              "the directory at byte %llu is not this archive's",
                              (unsigned long long)directory->begin);
    return carved_whole(ret,
                        zip->unchecked || zip->gap > 0 || zip->listed < zip->count ||
                                !is_text(zip->reader, directory->comment, directory->object_end)
                            ? CARVE_COMPLETE
                            : CARVE_VALIDATED,
                        directory->object_end);
}

static enum carve_grade broken(struct zip *zip, uint64_t good, struct carved *ret)
{
    good = zip->gap > 0 && zip->gap < good ? zip->gap : good;
    carved_partial(ret, good, "what follows its first %zu members: the data is cut or damaged there",
                   zip->count);
    ret->broken = zip->broken == UINT64_MAX ? 0 : zip->broken;
    ret->next = zip->next;
    if (zip->count == 0 && good < INFLATE_LAG)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

/* A gap is where a header should have been, or where one breaks off. */
static void break_at_gap(struct zip *zip, uint64_t *ret_broken, uint64_t *ret_next)
{
    bool begins = reader_is(zip->reader, zip->gap, "PK", 2);

    *ret_broken = zip->gap + (begins ? HEADER_USUAL : 2);
    *ret_next = begins ? 0 : zip->gap;
}

static enum carve_grade walk(struct zip *zip, struct carved *ret)
{
    struct directory directory;
    bool is_header;
    uint64_t good, next;

    for (;;) {
        if (reader_is(zip->reader, zip->at, "PK\1\2", 4)) {
            if (!read_directory(zip, &directory, &good)) {
                carved_partial(ret, zip->gap > 0 ? zip->gap : good, "the end of its directory");
                ret->broken = zip->broken;
            } else {
                judge(zip, &directory, ret);
            }
            if (zip->gap > 0 && ret->grade < CARVE_VALIDATED) {
                ret->good = zip->gap;
                break_at_gap(zip, &ret->broken, &ret->next);
            }
            return ret->grade;
        }
        if (follow_member(zip, &good, &is_header))
            continue;
        if (is_header)
            return broken(zip, good, ret);
        next = signing_block_end(zip);
        if (next == 0) {
            next = behind_gap(zip);
            if (zip->gap == 0)
                zip->gap = zip->at;
            break_at_gap(zip, &zip->broken, &zip->next);
        }
        if (next == UINT64_MAX)
            return broken(zip, good, ret);
        zip->at = next;
    }
}

static enum carve_grade examine_zip(struct reader *reader, struct carved *ret)
{
    struct zip zip = {.reader = reader};
    struct member first;
    size_t name, extra;

    /* What splitting tools put before the first member, also where one volume was enough [APPNOTE 8.5.4]. */
    if (reader_is(reader, 0, "PK00", 4) || reader_is(reader, 0, "PK\7\x8", 4))
        zip.at = 4;
    if (!read_local(&zip, zip.at, &first, &name, &extra))
        return CARVE_NONE;
    walk(&zip, ret);
    if (ret->grade >= CARVE_PARTIAL)
        zip_kind_tell(&zip.kind, reader, ret);
    free(zip.members);
    return ret->grade;
}

static bool zip_continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    (void)split;
    return carved->next == 0 || reader_is(reader, carved->next, "PK", 2);
}

static const struct carve_format zip_format = {"zip", examine_zip, zip_continues};
const struct carve_format *const carve_zip[] = {&zip_format, NULL};
