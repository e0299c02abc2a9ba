/* zip: see zip.h. */
#include "plugins/archive/zip.h"

#include "engine/base/bytes.h"
#include "engine/base/when.h"
#include "plugins/archive/locked.h"
#include "plugins/archive/reader.h"
#include "plugins/archive/zip_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { END = ZIP_END, END64 = 56, LOCATOR = 20, COMMENT_MAX = 65535, CHUNK = 64 * 1024 };

struct span {
    uint64_t from, to;
};

struct zip {
    struct opened *opened;
    /* Of one member, and of its local header. */
    uint8_t *name, *extra, *local_extra, *chunk;
    struct span *spans; /* what members take up, to find what lies between */
    size_t span_count, span_capacity;
    struct locked locked;
    uint64_t shift; /* that all offsets are too small by: something was put before the archive */
};

struct directory {
    uint64_t at, size, count, shift;
    uint32_t disk;
    bool found, zip64;
};

/* All of it or nothing. */
static bool read_whole(struct zip *zip, uint64_t offset, void *data, size_t size)
{
    return source_read(&zip->opened->source, offset, data, size) == (int64_t)size;
}

/* ------------------------------------------------------------------ the directory */

static bool find_end(struct source_bytes *source, uint64_t *ret_at, uint8_t ret[END])
{
    uint64_t size = source->size, from = size > END + COMMENT_MAX ? size - END - COMMENT_MAX : 0;
    size_t count = (size_t)(size - from);
    uint8_t *tail = count >= END ? malloc(count) : NULL;
    bool found = false;

    if (tail != NULL && source_read(source, from, tail, count) == (int64_t)count) {
        for (size_t i = count - END + 1; i-- > 0 && !found;) {
            size_t comment = (size_t)tail[i + 20] | (size_t)tail[i + 21] << 8;

            found = memcmp(tail + i, "PK\5\6", 4) == 0 && comment <= count - END - i;
            if (!found)
                continue;
            *ret_at = from + i;
            memcpy(ret, tail + i, END);
        }
    }
    free(tail);
    return found;
}

bool zip_has_directory(struct source_bytes *source)
{
    uint8_t end[END];
    uint64_t at;

    return find_end(source, &at, end);
}

bool zip_is_end(const uint8_t data[ZIP_END])
{
    static const uint8_t one_disk[4] = {0};

    return memcmp(data, "PK\5\6", 4) == 0 && memcmp(data + 4, one_disk, 4) == 0 && data[20] == 0 &&
           data[21] == 0;
}

static uint64_t u64_at(const uint8_t *data)
{
    struct bytes bytes;

    bytes_init(&bytes, data, 8);
    return bytes_u64le(&bytes);
}

/* The larger form of the end, when its locator stands before it. */
static bool read_end64(struct zip *zip, uint64_t end, struct directory *ret)
{
    uint8_t locator[LOCATOR], record[END64];
    uint64_t at;

    if (end < LOCATOR + END64 || !read_whole(zip, end - LOCATOR, locator, LOCATOR) ||
        memcmp(locator, "PK\6\7", 4) != 0)
        return false;
    at = u64_at(locator + 8);
    /* It stands right before its locator unless it carries more than is known; its own offset may be shifted.
     */
    if (!read_whole(zip, at, record, END64) || memcmp(record, "PK\6\6", 4) != 0) {
        at = end - LOCATOR - END64;
        if (!read_whole(zip, at, record, END64) || memcmp(record, "PK\6\6", 4) != 0)
            return false;
    }
    ret->count = u64_at(record + 32);
    ret->size = u64_at(record + 40);
    ret->at = u64_at(record + 48);
    ret->zip64 = true;
    ret->shift = ret->size <= at && at - ret->size > ret->at ? at - ret->size - ret->at : 0;
    return true;
}

static void find_directory(struct zip *zip, struct directory *ret)
{
    uint8_t end[END], mark[4];
    struct bytes bytes;
    uint64_t at;

    *ret = (struct directory){0};
    if (!find_end(&zip->opened->source, &at, end))
        return;
    if (!read_end64(zip, at, ret)) {
        bytes_init(&bytes, end, END);
        bytes_skip(&bytes, 4);
        ret->disk = bytes_u16le(&bytes);
        bytes_skip(&bytes, 4);
        ret->count = bytes_u16le(&bytes);
        ret->size = bytes_u32le(&bytes);
        ret->at = bytes_u32le(&bytes);
        ret->shift = ret->size <= at && at - ret->size > ret->at ? at - ret->size - ret->at : 0;
    }
    /* Some write offsets that are right although something stands before: then the directory is where it
     * says. */
    if (ret->shift > 0 && read_whole(zip, ret->at, mark, 4) && memcmp(mark, "PK\1\2", 4) == 0)
        ret->shift = 0;
    ret->at = u64_add_saturating(ret->at, ret->shift);
    ret->found = ret->count == 0 || (read_whole(zip, ret->at, mark, 4) && memcmp(mark, "PK\1\2", 4) == 0);
}

/* ------------------------------------------------------------------ members */

static int add_span(struct zip *zip, uint64_t from, uint64_t to)
{
    if (zip->span_count == zip->span_capacity) {
        size_t capacity = zip->span_capacity > 0 ? zip->span_capacity * 2 : 64;
        struct span *spans = reallocarray(zip->spans, capacity, sizeof spans[0]);

        if (spans == NULL)
            return -ENOMEM;
        zip->spans = spans;
        zip->span_capacity = capacity;
    }
    zip->spans[zip->span_count++] = (struct span){from, to};
    return 0;
}

static void to_member(const struct zip *zip, const struct zip_entry *entry, uint64_t header,
                      struct member *ret)
{
    bool directory = entry->name_size > 0 && zip->name[entry->name_size - 1] == '/' && entry->size == 0;

    *ret = (struct member){
        .name = zip->name,
        .name_size = entry->name_size,
        .charset = (entry->flags & ZIP_UTF8) != 0 ? "UTF-8" : NULL,
        .unicode = entry->unicode,
        .unicode_size = entry->unicode_size,
        .oem = entry->host != 3,
        .kind = directory ? MEMBER_DIRECTORY : MEMBER_FILE,
        .size = entry->size,
        .packed = entry->packed,
        .modified = entry->modified,
        .accessed = entry->accessed,
        .changed = WHEN_NONE,
        .born = entry->born,
        .local = !entry->utc,
        .owned = entry->owned,
        .mode = entry->mode,
        .uid = entry->uid,
        .gid = entry->gid,
        .method = zip_method(entry->real_method),
        .encrypted = zip_encryption(entry),
        .offset = header,
    };
}

/* Stored bytes stay where they are; they are read once for their checksum. */
static void open_stored(struct zip *zip, const struct zip_entry *entry, const struct member *member,
                        uint64_t data, uint64_t size)
{
    struct opened *opened = zip->opened;
    const struct scan_piece piece = {opened->source.base + data, size};
    enum scan_status status = size < entry->packed && entry->packed != UINT64_MAX ? SCAN_CUT : SCAN_WHOLE;
    uLong crc = crc32(0, NULL, 0);
    struct content *content;

    for (uint64_t at = 0; at < size;) {
        int64_t got = source_read(&opened->source, data + at, zip->chunk,
                                  size - at < CHUNK ? (size_t)(size - at) : CHUNK);

        if (got <= 0) {
            opened->stop = opened->source.error == -EDQUOT;
            status = SCAN_CUT;
            break;
        }
        crc = crc32(crc, zip->chunk, (uInt)got);
        at += (uint64_t)got;
    }
    if (opened->stop)
        return;
    if (status == SCAN_WHOLE && crc != entry->crc && (entry->flags & ZIP_DESCRIPTOR) == 0)
        opened_problem(opened, member->offset, "the content of a member has another CRC-32 than its header");
    content = member_open(opened, member, &piece);
    if (content == NULL)
        return;
    member_count(opened, size);
    member_close(opened, content, status);
}

/* What the reader unpacks becomes the member's content. */
static void take_content(struct zip *zip, const struct member *member, struct reader *reader)
{
    struct opened *opened = zip->opened;
    struct content *content = member_open(opened, member, NULL);
    enum scan_status status = SCAN_WHOLE;
    struct member unused;
    const void *bytes;
    uint64_t gap;
    size_t part;
    int code = content != NULL ? reader_next(reader, &unused) : 0;

    while (code > 0 && (code = reader_data(reader, &bytes, &part, &gap)) > 0) {
        if (!member_write(opened, content, bytes, part))
            break;
    }
    if (content != NULL && !opened->stop && (code < 0 || reader_warned(reader))) {
        opened_problem(opened, member->offset, "a member is damaged: %s", reader_error(reader));
        status = code < 0 ? SCAN_CUT : SCAN_WHOLE;
    }
    opened->stop = opened->stop || opened->source.error == -EDQUOT;
    if (content != NULL)
        member_close(opened, content, status);
}

/* *ret_used: packed bytes that it took. */
static int open_packed(struct zip *zip, const struct zip_entry *entry, const struct member *member,
                       uint64_t data, uint64_t size, uint64_t *ret_used)
{
    uint8_t head[ZIP_MADE_MAX];
    size_t head_size = zip_make_local(entry, head);
    struct reader *reader;
    int code = reader_open_one(head, head_size, &zip->opened->source, data, size, NULL, &reader);

    if (code < 0)
        return code;
    take_content(zip, member, reader);
    *ret_used = reader_position(reader) > head_size ? reader_position(reader) - head_size : 0;
    reader_close(reader);
    return 0;
}

static int open_encrypted(struct zip *zip, const struct zip_entry *entry, struct member *member, uint64_t end)
{
    struct reader *reader;
    int code = locked_open(&zip->locked, zip->opened, entry, member, end, &reader);

    if (code == -ENOENT || code == -ENOTSUP) {
        member_listed(zip->opened, member, "encrypted");
        return 0;
    }
    if (code < 0)
        return code;
    take_content(zip, member, reader);
    reader_close(reader);
    return 0;
}

/* The member's content at `data`, of which the archive has `left` bytes. *ret_end: where it ends. */
static int open_member(struct zip *zip, const struct zip_entry *entry, struct member *member, uint64_t data,
                       uint64_t left, uint64_t *ret_end)
{
    struct opened *opened = zip->opened;
    uint64_t size = entry->packed < left ? entry->packed : left;
    uint64_t used = entry->packed != UINT64_MAX
                        ? size
                        : 0; /* of unknown size: behind the header the next is looked for */
    int code = 0;

    if (member->kind == MEMBER_DIRECTORY) {
        member_listed(opened, member, "directory");
    } else if (member->encrypted != NULL) {
        code = open_encrypted(zip, entry, member, data + size);
    } else if (!zip_can_unpack(entry->method)) {
        member_listed(opened, member, "unsupported");
        scan_limited(opened->scan, member->offset, "packed by method %u (%s), which cannot be unpacked",
                     entry->method, zip_method(entry->method));
    } else if (entry->method == 0) {
        open_stored(zip, entry, member, data, size);
    } else {
        code = open_packed(zip, entry, member, data, size, &used);
        if (entry->packed != UINT64_MAX)
            used = size;
    }
    *ret_end = data + used;
    return code;
}

static void compare_names(struct zip *zip, const struct zip_entry *local, uint64_t header, size_t size)
{
    size_t count = local->name_size < CHUNK ? local->name_size : CHUNK;

    if ((local->flags & ZIP_MASKED) != 0)
        return;
    if (!read_whole(zip, header + ZIP_LOCAL, zip->chunk, count))
        return;
    if (local->name_size != size || memcmp(zip->chunk, zip->name, count) != 0)
        opened_problem(zip->opened, header, "a member's own header has another name than the directory: %.*s",
                       (int)(count < 200 ? count : 200), (const char *)zip->chunk);
}

/* Times that only the local header has. */
static void take_local(struct zip *zip, struct zip_entry *entry, struct zip_entry *local, uint64_t header)
{
    if (!read_whole(zip, header + ZIP_LOCAL + local->name_size, zip->local_extra, local->extra_size))
        return;
    zip_extra(local, zip->local_extra, local->extra_size, false);
    if (entry->accessed == WHEN_NONE)
        entry->accessed = local->accessed;
    if (entry->born == WHEN_NONE)
        entry->born = local->born;
    if (entry->uid == UINT64_MAX && local->owned) {
        entry->owned = true;
        entry->uid = local->uid;
        entry->gid = local->gid;
    }
}

/* A member that the directory names. */
static int listed(struct zip *zip, struct zip_entry *entry, uint64_t disk)
{
    struct opened *opened = zip->opened;
    uint64_t header = u64_add_saturating(entry->header, zip->shift), data = 0, end = 0;
    uint8_t fixed[ZIP_LOCAL];
    struct zip_entry local;
    struct member member;
    int code;

    if (entry->disk != disk || !read_whole(zip, header, fixed, ZIP_LOCAL) || !zip_local(fixed, &local)) {
        to_member(zip, entry, 0, &member);
        member_listed(opened, &member, "missing");
        scan_limited(opened->scan, 0,
                     entry->disk != disk ? "a member lies in another part of the archive: part %u"
                                         : "a member is not where the directory says; part %u",
                     entry->disk);
        return 0;
    }
    compare_names(zip, &local, header, entry->name_size);
    take_local(zip, entry, &local, header);
    to_member(zip, entry, header, &member);
    data = header + ZIP_LOCAL + local.name_size + local.extra_size;
    data = data < opened->source.size ? data : opened->source.size;
    code = open_member(zip, entry, &member, data, opened->source.size - data, &end);
    return code == 0 ? add_span(zip, header, end) : code;
}

static int walk_directory(struct zip *zip, const struct directory *directory)
{
    struct opened *opened = zip->opened;
    uint64_t at = directory->at, end = u64_add_saturating(directory->at, directory->size);
    uint8_t fixed[ZIP_CENTRAL];
    struct zip_entry entry;
    int code = 0;

    zip->shift = directory->shift;
    for (uint64_t i = 0; code == 0 && !opened->stop && (at < end || i < directory->count); i++) {
        if (!read_whole(zip, at, fixed, ZIP_CENTRAL) || !zip_central(fixed, &entry) ||
            !read_whole(zip, at + ZIP_CENTRAL, zip->name, entry.name_size) ||
            !read_whole(zip, at + ZIP_CENTRAL + entry.name_size, zip->extra, entry.extra_size)) {
            if (i < directory->count)
                opened_problem(opened, at,
                               "the directory breaks off after %" PRIu64 " of %" PRIu64 " members", i,
                               directory->count);
            break;
        }
        zip_extra(&entry, zip->extra, entry.extra_size, true);
        code = listed(zip, &entry, directory->disk);
        at += ZIP_CENTRAL + entry.name_size + entry.extra_size + entry.comment_size;
    }
    return code == 0 ? add_span(zip, directory->at, UINT64_MAX) : code;
}

/* ------------------------------------------------------------------ local headers */

/* The first place in [from, to) where "PK" and the two bytes stand; `to` when nowhere. */
static uint64_t find_mark(struct zip *zip, uint64_t from, uint64_t to, uint8_t a, uint8_t b)
{
    const uint8_t mark[4] = {'P', 'K', a, b};

    while (from + 4 <= to) {
        int64_t got = source_read(&zip->opened->source, from, zip->chunk,
                                  to - from < CHUNK ? (size_t)(to - from) : CHUNK);
        const uint8_t *hit = got >= 4 ? memmem(zip->chunk, (size_t)got, mark, 4) : NULL;

        if (got < 4)
            return to;
        if (hit != NULL)
            return from + (uint64_t)(hit - zip->chunk);
        from += (uint64_t)got - 3;
    }
    return to;
}

/* Stored, and its size stands behind it: up to a descriptor that fits, or the next header. */
static uint64_t stored_size(struct zip *zip, uint64_t data, uint64_t to)
{
    uint64_t next = find_mark(zip, data, to, 3, 4), directory = find_mark(zip, data, next, 1, 2);

    next = directory < next ? directory : next;
    for (uint64_t at = data; (at = find_mark(zip, at, next, 7, 8)) < next; at++) {
        uint8_t descriptor[16];
        struct bytes bytes;

        if (!read_whole(zip, at, descriptor, sizeof descriptor))
            break;
        bytes_init(&bytes, descriptor, sizeof descriptor);
        bytes_skip(&bytes, 8);
        if (bytes_u32le(&bytes) == (uint32_t)(at - data))
            return at - data;
    }
    return next - data;
}

/* A member by its own header at `at`; *ret_end: where the next may begin. */
static int unlisted(struct zip *zip, uint64_t at, uint64_t to, bool hidden, uint64_t *ret_end)
{
    uint8_t fixed[ZIP_LOCAL];
    struct zip_entry entry;
    struct member member;
    uint64_t data;

    *ret_end = at + 4;
    if (!read_whole(zip, at, fixed, ZIP_LOCAL) || !zip_local(fixed, &entry) || entry.name_size == 0 ||
        entry.method > 99 || !read_whole(zip, at + ZIP_LOCAL, zip->name, entry.name_size) ||
        !read_whole(zip, at + ZIP_LOCAL + entry.name_size, zip->extra, entry.extra_size))
        return 0;
    zip_extra(&entry, zip->extra, entry.extra_size, false);
    data = at + ZIP_LOCAL + entry.name_size + entry.extra_size;
    if (data > to)
        return 0;
    if ((entry.flags & ZIP_DESCRIPTOR) != 0 && entry.packed == 0)
        entry.packed = entry.size = entry.method == 0 ? stored_size(zip, data, to) : UINT64_MAX;
    to_member(zip, &entry, at, &member);
    member.unlisted =
        hidden ? "its own header, beside the directory" : "its own header, for the directory is gone";
    member.hidden = hidden;
    return open_member(zip, &entry, &member, data, to - data, ret_end);
}

static int walk_local(struct zip *zip, uint64_t from, uint64_t to, bool hidden)
{
    int code = 0;

    while (code == 0 && !zip->opened->stop && (from = find_mark(zip, from, to, 3, 4)) < to)
        code = unlisted(zip, from, to, hidden, &from);
    return code;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *left = a, *right = b;

    return left->from != right->from ? (left->from < right->from ? -1 : 1)
                                     : (left->to > right->to) - (left->to < right->to);
}

/* What no directory entry covers may hold members that were deleted from the directory, or hidden from it. */
static int walk_gaps(struct zip *zip, bool behind_program)
{
    uint64_t at = 0;
    int code = 0;

    qsort(zip->spans, zip->span_count, sizeof zip->spans[0], compare_spans);
    if (behind_program)
        at = zip->spans[0].from;
    for (size_t i = 0; i < zip->span_count && code == 0 && !zip->opened->stop; i++) {
        const struct span *span = &zip->spans[i];
        uint64_t end = span->from < zip->opened->source.size ? span->from : zip->opened->source.size;

        if (end > at && end - at >= ZIP_LOCAL)
            code = walk_local(zip, at, end, true);
        at = span->to > at ? span->to : at;
    }
    return code;
}

static int walk(struct zip *zip, bool behind_program)
{
    struct opened *opened = zip->opened;
    struct directory directory;
    int code;

    find_directory(zip, &directory);
    opened->detail = directory.zip64 ? "zip64" : "";
    if (directory.disk != 0)
        opened_problem(opened, 0, "this is part %u of an archive in several parts", directory.disk + 1);
    if (!directory.found) {
        opened_problem(opened, 0, "the directory is not there: members are found by their own headers");
        return walk_local(zip, 0, opened->source.size, false);
    }
    code = walk_directory(zip, &directory);
    return code == 0 && !opened->stop ? walk_gaps(zip, behind_program) : code;
}

int zip_walk(struct opened *opened, bool behind_program)
{
    struct zip zip = {.opened = opened,
                      .name = malloc(ZIP_NAME_MAX + 1),
                      .extra = malloc(ZIP_NAME_MAX + 1),
                      .local_extra = malloc(ZIP_NAME_MAX + 1),
                      .chunk = malloc(CHUNK)};
    int code = zip.name != NULL && zip.extra != NULL && zip.local_extra != NULL && zip.chunk != NULL
                   ? walk(&zip, behind_program)
                   : -ENOMEM;

    if (opened->source.error == -EDQUOT)
        scan_limited(opened->scan, 0,
                     "members lie over one another: the archive was read %" PRIu64
                     " bytes far and then no more",
                     opened->source.read);
    free(zip.name);
    free(zip.extra);
    free(zip.local_extra);
    free(zip.chunk);
    free(zip.spans);
    return code;
}
