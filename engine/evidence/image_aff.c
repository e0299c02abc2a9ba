/*
 * image_aff: the segments of an AFF file (Advanced Forensic Format 1.0; afflib's afflib_i.h: "AFF file
 * format").
 *
 * After "AFF10\r\n\0" follow segments: "AFF\0", three 32-bit big-endian numbers (length of name, length of
 * data, flag), name, data, "ATT\0" and the length of the whole segment. afflib gives zeros for a page that is
 * not in the file, and does not say so; nor does it say that the file is cut. This walk tells both.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 8,
    SEGMENT_HEAD = 16,
    SEGMENT_TAIL = 8,
    NAME_SIZE = 64,
    VALUE_MAX = 32,
    SEGMENTS_MAX = 1 << 24,
    PAGES_MAX = 1 << 26, /* 8 MiB of bits; a page is 16 MiB as a rule */
};

struct segment {
    char name[NAME_SIZE + 1];
    uint32_t size, flag;
    uint64_t data, end; /* offsets in the file */
    uint8_t value[VALUE_MAX];
};

/* False when there is no sound segment at `offset`. */
static bool read_segment(int fd, uint64_t offset, uint64_t file_size, struct segment *ret_segment)
{
    uint8_t head[SEGMENT_HEAD], tail[SEGMENT_TAIL];
    struct bytes bytes;
    struct segment segment = {0};
    if (!u64_range_fits(offset, sizeof(head), file_size) || !image_pread(fd, offset, head, sizeof(head)) ||
        memcmp(head, "AFF\0", 4) != 0)
        return false;
    bytes_init(&bytes, head, sizeof(head));
    bytes_skip(&bytes, 4);
    uint64_t name_size = bytes_u32be(&bytes);
    segment.size = bytes_u32be(&bytes);
    segment.flag = bytes_u32be(&bytes);
    segment.data = offset + SEGMENT_HEAD + name_size;
    segment.end = segment.data + segment.size + SEGMENT_TAIL;
    if (name_size > NAME_SIZE || segment.end > file_size ||
        !image_pread(fd, offset + SEGMENT_HEAD, segment.name, (size_t)name_size) ||
        !image_pread(fd, segment.end - SEGMENT_TAIL, tail, sizeof(tail)) || memcmp(tail, "ATT\0", 4) != 0)
        return false;
    if (segment.size <= VALUE_MAX && !image_pread(fd, segment.data, segment.value, segment.size))
        return false;
    *ret_segment = segment;
    return true;
}

/* "page12" (in old files "seg12"): 12. False for any other name. */
static bool page_number(const char *name, uint64_t *ret_number)
{
    const char *digits = strncmp(name, "page", 4) == 0  ? name + 4
                         : strncmp(name, "seg", 3) == 0 ? name + 3
                                                        : "";
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > 18 || digits[length] != '\0')
        return false;
    *ret_number = strtoull(digits, NULL, 10);
    return true;
}

/* A 64-bit value is stored as two 32-bit big-endian words, the low one first. */
static uint64_t quad_value(const struct segment *segment)
{
    struct bytes bytes;
    bytes_init(&bytes, segment->value, segment->size <= VALUE_MAX ? segment->size : 0);
    uint64_t low = bytes_u32be(&bytes), high = bytes_u32be(&bytes);
    return high << 32 | low;
}

static void take_hash(struct image *image, const struct segment *segment)
{
    static const struct {
        const char *name;
        uint32_t size;
    } hashes[] = {{"md5", 16}, {"sha1", 20}, {"sha256", 32}};
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (strcmp(segment->name, hashes[i].name) != 0 || segment->size != hashes[i].size)
            continue;
        struct buf buf;
        buf_init(&buf);
        text_hex(&buf, segment->value, segment->size);
        if (!buf_failed(&buf))
            image_add_hash(image, hashes[i].name, buf_cstr(&buf), "AFF segment");
        buf_finish(&buf);
    }
}

struct walk {
    uint64_t page_size, image_size, pages_seen, highest, broken_at;
    uint8_t *present;
};

static int note_page(struct walk *walk, uint64_t page)
{
    if (page >= PAGES_MAX)
        return 0;
    if (walk->present == NULL)
        walk->present = calloc(1, PAGES_MAX / 8);
    if (walk->present == NULL)
        return -ENOMEM;
    uint8_t bit = (uint8_t)(1 << (page % 8));
    walk->pages_seen += (walk->present[page / 8] & bit) == 0;
    walk->present[page / 8] |= bit;
    return 0;
}

static int walk_segments(struct image *image, int fd, uint64_t file_size, struct walk *walk)
{
    uint64_t offset = HEADER_SIZE, page;
    for (uint32_t i = 0; i < SEGMENTS_MAX && offset < file_size; i++) {
        struct segment segment;
        walk->broken_at = offset;
        if (!read_segment(fd, offset, file_size, &segment))
            return 0;
        if (strcmp(segment.name, "pagesize") == 0 || strcmp(segment.name, "segsize") == 0)
            walk->page_size = segment.flag;
        else if (strcmp(segment.name, "imagesize") == 0)
            walk->image_size = quad_value(&segment);
        else if (page_number(segment.name, &page) && note_page(walk, page) < 0)
            return -ENOMEM;
        take_hash(image, &segment);
        offset = segment.end;
    }
    walk->broken_at = offset < file_size ? offset : UINT64_MAX;
    return 0;
}

int image_check_aff(struct image *image, int fd, uint64_t file_size, struct aff_pages *ret_pages,
                    struct why *why)
{
    struct walk walk = {0};
    int status = walk_segments(image, fd, file_size, &walk);
    if (status < 0)
        return status;
    if (walk.broken_at != UINT64_MAX)
        image_add_damage(image, "the file is cut or broken at its offset %llu",
                         (unsigned long long)walk.broken_at);
    uint64_t count = 0;
    if (walk.page_size != 0)
        count = walk.image_size / walk.page_size + (walk.image_size % walk.page_size != 0);
    if (count == 0 || count > PAGES_MAX || walk.present == NULL) {
        free(walk.present);
        return why_set(why, -EINVAL, "%s: has no usable page size, image size or pages%s%s", image->name,
                       image->info.damage[0] == '\0' ? "" : ": ", image->info.damage);
    }
    uint64_t missing = 0;
    for (uint64_t i = 0; i < count; i++)
        missing += (walk.present[i / 8] >> (i % 8) & 1) == 0;
    if (missing > 0)
        image_add_damage(image, "%llu of %llu pages are not in the file: zeros stand for them",
                         (unsigned long long)missing, (unsigned long long)count);
    else
        free(walk.present);
    *ret_pages = (struct aff_pages){walk.page_size, count, missing > 0 ? walk.present : NULL};
    return 0;
}
