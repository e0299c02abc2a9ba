/*
 * image_ewf_segment: the segment files of an E01 image, looked at before libewf is.
 *
 * Format: J. Metz, "Expert Witness Compression Format specification" (libewf), sections 2 (file naming), 3.1
 * (file header) and 3.2 (section descriptor). A segment is a chain of sections that ends with "next", in the
 * last segment with "done".
 *
 * Why not leave this to libewf 20140813: it takes a segment without sections for a good one and then puts the
 * chunks of those that follow at the wrong place, it inflates a header section of any size, and it does not
 * say which segment is missing. So it is given the segments up to the first that is missing or broken, and
 * the rest is reported.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_HEADER_SIZE = 13,
    SECTION_SIZE = 76, /* of a descriptor */
    TABLE_HEADER_SIZE = 24,
    SECTIONS_MAX = 1 << 20,
    HEADER_MAX = 64 * 1024, /* of a compressed header section: real ones are below 4 KiB */
    NUMBERED = 99,          /* E01 ... E99, then EAA ... */
    SEGMENTS_NAMED = NUMBERED + 22 * 26 * 26,
};

#define EWF_MAGIC "EVF\x09\x0d\x0a\xff\x00"

/* One segment. */

struct section {
    char type[17];
    uint64_t next, size;
};

static bool read_section(int fd, uint64_t offset, uint64_t file_size, struct section *ret_section)
{
    uint8_t raw[SECTION_SIZE];
    struct bytes bytes;
    if (!u64_range_fits(offset, SECTION_SIZE, file_size) || !image_pread(fd, offset, raw, sizeof(raw)))
        return false;
    bytes_init(&bytes, raw, sizeof(raw));
    struct section section = {.type = ""};
    memcpy(section.type, bytes_take(&bytes, 16), 16);
    section.next = bytes_u64le(&bytes);
    section.size = bytes_u64le(&bytes);
    bytes_skip(&bytes, 40);
    if (bytes_u32le(&bytes) != ewf_adler32(raw, SECTION_SIZE - 4))
        return false;
    *ret_section = section;
    return true;
}

/* How many chunks the table section at `offset` lists, never more than it has room for. */
static uint64_t table_entries(int fd, uint64_t offset, const struct section *section)
{
    uint8_t raw[4];
    struct bytes bytes;
    if (section->size < SECTION_SIZE + TABLE_HEADER_SIZE ||
        !image_pread(fd, offset + SECTION_SIZE, raw, sizeof(raw)))
        return 0;
    bytes_init(&bytes, raw, sizeof(raw));
    uint64_t entries = bytes_u32le(&bytes), room = (section->size - SECTION_SIZE - TABLE_HEADER_SIZE) / 4;
    return entries < room ? entries : room;
}

static bool is_type(const struct section *section, const char *type)
{
    return strcmp(section->type, type) == 0;
}

static bool is_bomb(const struct section *section)
{
    bool header = is_type(section, "header") || is_type(section, "header2") || is_type(section, "xheader") ||
                  is_type(section, "xhash");
    return header && section->size > HEADER_MAX;
}

/* Counts chunks by the tables. A run of sectors that no table follows would put the chunks after it at the
 * wrong place, so the chain is broken there. */
struct tally {
    uint64_t last_table;
    bool untabled;       /* sectors were seen, and no table yet */
    bool twinless;       /* the last table is damaged, and so far there is no other copy */
    uint64_t begin, end; /* of the last sectors section's data */
};

static struct ewf_table *add_table(struct ewf_segment *segment)
{
    if ((segment->table_count & 63) == 0) {
        struct ewf_table *more = realloc(segment->tables, (segment->table_count + 64) * sizeof(*more));
        if (more == NULL)
            return NULL;
        segment->tables = more;
    }
    segment->tables[segment->table_count] = (struct ewf_table){0};
    return &segment->tables[segment->table_count++];
}

/* A table that is damaged has a copy behind it. */
static int keep_table(int fd, uint64_t offset, const struct section *section, uint64_t entries, bool twin,
                      struct tally *tally, struct ewf_segment *segment)
{
    if (twin && !tally->twinless) {
        segment->irregular = segment->irregular || entries != tally->last_table;
        return 0;
    }
    struct ewf_table *table = twin ? &segment->tables[segment->table_count - 1] : add_table(segment);
    if (table == NULL)
        return -ENOMEM;
    segment->irregular = segment->irregular || (!twin && (tally->twinless || !tally->untabled));
    table->begin = tally->begin;
    table->end = tally->end;
    bool sound = section->size > SECTION_SIZE &&
                 ewf_table_read(fd, offset + SECTION_SIZE, section->size - SECTION_SIZE, table) &&
                 table->count == entries;
    segment->irregular = segment->irregular || (twin && !sound);
    segment->mended += twin && sound;
    tally->twinless = !twin && !sound;
    return 0;
}

/* 0, -EINVAL: not sound, -ENOMEM. */
static int tally_section(int fd, uint64_t offset, const struct section *section, struct tally *tally,
                         struct ewf_segment *segment)
{
    bool twin = is_type(section, "table2"); /* the same once more */
    if (is_type(section, "table") || twin) {
        uint64_t entries = table_entries(fd, offset, section);
        int status = keep_table(fd, offset, section, entries, twin, tally, segment);
        segment->chunks += !twin ? entries : entries > tally->last_table ? entries - tally->last_table : 0;
        tally->last_table = entries;
        tally->untabled = false;
        return status;
    }
    bool sound = !tally->untabled;
    if (is_type(section, "sectors")) {
        tally->untabled = true;
        tally->begin = offset + SECTION_SIZE;
        tally->end = section->size > SECTION_SIZE ? u64_add_saturating(offset, section->size) : tally->begin;
    }
    return sound ? 0 : -EINVAL;
}

/* Follows the chain. -EINVAL for a header section that is too large; -ENOMEM. */
static int follow_chain(int fd, uint64_t file_size, struct tally *tally, struct ewf_segment *segment)
{
    uint64_t offset = FILE_HEADER_SIZE;
    segment->end = EWF_BROKEN;
    for (uint32_t i = 0; i < SECTIONS_MAX; i++) {
        struct section section;
        segment->broken_at = offset;
        if (!read_section(fd, offset, file_size, &section))
            return 0;
        if (is_bomb(&section))
            return -EINVAL;
        int status = tally_section(fd, offset, &section, tally, segment);
        if (status < 0)
            return status == -EINVAL ? 0 : status;
        if (is_type(&section, "next") || is_type(&section, "done")) {
            segment->end = is_type(&section, "next") ? EWF_NEXT : EWF_DONE;
            return 0;
        }
        if (section.next < offset + SECTION_SIZE) /* backwards or to itself: a loop */
            return 0;
        offset = section.next;
    }
    return 0;
}

static int walk_sections(int fd, uint64_t file_size, struct ewf_segment *segment)
{
    struct tally tally = {0};
    int status = follow_chain(fd, file_size, &tally, segment);
    if (segment->end == EWF_BROKEN && tally.untabled) {
        segment->loose = tally.begin;
        segment->loose_end = tally.end < file_size ? tally.end : file_size;
    }
    segment->irregular = segment->irregular || tally.twinless;
    return status;
}

static int read_segment(int fd, struct ewf_segment *segment)
{
    uint8_t raw[FILE_HEADER_SIZE];
    struct bytes bytes;
    struct stat info;
    if (fstat(fd, &info) < 0 || !image_pread(fd, 0, raw, sizeof(raw)) || memcmp(raw, EWF_MAGIC, 8) != 0)
        return -ENODATA;
    bytes_init(&bytes, raw, sizeof(raw));
    bytes_skip(&bytes, 9);
    segment->number = bytes_u16le(&bytes);
    return walk_sections(fd, (uint64_t)info.st_size, segment);
}

/* -EINVAL: not an EWF segment file, or one that must not be given to a decompressor; `why` says. */
static int ewf_segment_read(const char *path, struct ewf_segment *ret_segment, struct why *why)
{
    struct ewf_segment segment = {0};
    char shown[SHOWN_SIZE];
    int fd = image_open_file(path, why);
    if (fd < 0)
        return fd;
    int status = read_segment(fd, &segment);
    (void)close(fd);
    if (status < 0)
        free(segment.tables);
    if (status == -ENOMEM)
        return status;
    if (status == -ENODATA)
        return why_set(why, -EINVAL, "%s: is not a segment file of an E01 image",
                       image_shown(path, 70, shown));
    if (status < 0)
        return why_set(why, status, "%s: the header section at offset %llu is larger than %d bytes: refused",
                       image_shown(path, 70, shown), (unsigned long long)segment.broken_at, (int)HEADER_MAX);
    *ret_segment = segment;
    return 0;
}

/* All segments. */

/* The number of the segment with this extension, where that of the first begins with `base`; 0 when it is
 * none. */
static size_t segment_number(const char *extension, char base)
{
    if (strlen(extension) != 3)
        return 0;
    int first = toupper((unsigned char)extension[0]), b = toupper((unsigned char)extension[1]),
        c = toupper((unsigned char)extension[2]);
    if (first == base && isdigit(b) && isdigit(c))
        return (size_t)(b - '0') * 10 + (size_t)(c - '0');
    if (first < base || first > 'Z' || b < 'A' || b > 'Z' || c < 'A' || c > 'Z')
        return 0;
    return NUMBERED + 1 + (size_t)(first - base) * 26 * 26 + (size_t)(b - 'A') * 26 + (size_t)(c - 'A');
}

/* Fills `names` (SEGMENTS_NAMED + 1) with the paths of what lies in the folder; `prefix` is the path with the
 * last dot. */
static int list_segments(const char *prefix, char base, char **names)
{
    const char *slash = strrchr(prefix, '/'), *stem = slash == NULL ? prefix : slash + 1;
    char *folder = slash == NULL ? strdup(".") : strndup(prefix, (size_t)(slash - prefix) + 1);
    DIR *list = folder == NULL ? NULL : opendir(folder);
    int status = folder == NULL ? -ENOMEM : list == NULL ? -errno : 0;
    size_t length = strlen(stem);
    for (const struct dirent *entry; status == 0 && (entry = readdir(list)) != NULL;) {
        if (strncmp(entry->d_name, stem, length) != 0)
            continue;
        size_t number = segment_number(entry->d_name + length, base);
        if (number == 0 || number > SEGMENTS_NAMED || names[number] != NULL)
            continue;
        if (asprintf(&names[number], "%s%s", prefix, entry->d_name + length) < 0) {
            names[number] = NULL;
            status = -ENOMEM;
        }
    }
    if (list != NULL)
        (void)closedir(list);
    free(folder);
    return status == -EACCES ? 0 : status;
}

static size_t last_named(char *const *names)
{
    size_t last = SEGMENTS_NAMED;
    while (last > 0 && names[last] == NULL)
        last--;
    return last;
}

static bool begins_as_ewf(const char *path)
{
    uint8_t magic[8];
    int fd = image_open_file(path, NULL);
    bool fits = fd >= 0 && image_pread(fd, 0, magic, sizeof(magic)) && memcmp(magic, EWF_MAGIC, 8) == 0;
    if (fd >= 0)
        (void)close(fd);
    return fits;
}

/* Past a gap "disk.vhd" would be a segment's name too: it counts only when it begins as one. */
static void drop_strangers(char **names)
{
    bool gap = false;
    for (size_t number = 1; number <= SEGMENTS_NAMED; number++) {
        if (names[number] == NULL) {
            gap = true;
        } else if (gap && !begins_as_ewf(names[number])) {
            free(names[number]);
            names[number] = NULL;
        }
    }
}

/* The segment's tables, as tables of the image. */
static int take_tables(struct ewf_set *set, size_t index, struct ewf_segment *segment)
{
    struct ewf_table *all =
        realloc(set->tables, (set->table_count + segment->table_count + 1) * sizeof(*all));
    uint64_t first = set->chunks;
    if (all == NULL) {
        free(segment->tables);
        return -ENOMEM;
    }
    for (size_t i = 0; i < segment->table_count; i++) {
        segment->tables[i].segment = (uint32_t)index;
        segment->tables[i].first = first;
        first += segment->tables[i].count;
        all[set->table_count++] = segment->tables[i];
    }
    set->tables = all;
    set->irregular = set->irregular || segment->irregular;
    set->loose = segment->loose;
    set->loose_end = segment->loose_end;
    free(segment->tables);
    return 0;
}

/* Decides on segment `number`: 1 it is used and others may follow, 0 it is used as the last, -ENODATA it is
 * not used. */
static int take_segment(struct image *image, char *const *names, size_t number, size_t last,
                        struct ewf_set *set, struct why *why)
{
    char shown[SHOWN_SIZE];
    struct ewf_segment segment = {0};
    struct why cause = {""};
    set->whole = false;
    if (names[number] == NULL) {
        image_add_damage(image,
                         "segment %zu of at least %zu is missing: what it and later ones hold is not read",
                         number, last);
        return -ENODATA;
    }
    int status = ewf_segment_read(names[number], &segment, &cause);
    if (status < 0 && number == 1)
        return why_set(why, status, "%s", cause.text);
    if (status == 0 && segment.number != number)
        free(segment.tables);
    if (status < 0 || segment.number != number) {
        image_add_damage(image, "segment %zu (%s) is not usable: what it and later ones hold is not read",
                         number, status < 0 ? cause.text : "its header gives another number");
        return number == 1
                   ? why_set(why, -EINVAL, "%s: says that it is segment %u of an image, not the first",
                             image_shown(names[number], 70, shown), (unsigned)segment.number)
                   : -ENODATA;
    }
    status = take_tables(set, number - 1, &segment);
    if (status < 0)
        return status;
    set->chunks += segment.chunks;
    set->whole = segment.end == EWF_DONE;
    if (segment.mended > 0)
        image_add_damage(image, "segment %zu: damaged tables: %zu, whose copies are read", number,
                         segment.mended);
    if (segment.end == EWF_BROKEN)
        image_add_damage(image, "segment %zu is cut or broken at its offset %llu%s", number,
                         (unsigned long long)segment.broken_at,
                         number < last ? ": what later segments hold is not read" : "");
    else if (segment.end == EWF_DONE && number < last)
        image_add_damage(image,
                         "segment %zu is the last of the image, yet others lie beside it, up to number %zu",
                         number, last);
    return segment.end == EWF_NEXT ? 1 : 0;
}

/* Moves the usable ones from `names` to the set. */
static int take_segments(struct image *image, char **names, struct ewf_set *set, struct why *why)
{
    size_t last = last_named(names);
    set->paths = calloc(last + 1, sizeof(*set->paths));
    if (set->paths == NULL)
        return -ENOMEM;
    for (size_t number = 1; number <= last; number++) {
        int more = take_segment(image, names, number, last, set, why);
        if (more < 0)
            return more == -ENODATA && number > 1 ? 0 : more;
        set->paths[set->count++] = names[number];
        names[number] = NULL;
        if (more == 0)
            return 0;
    }
    image_add_damage(image, "segment %zu and any later ones are missing: what they hold is not read",
                     last + 1);
    return 0;
}

int ewf_set_find(struct image *image, const char *path, struct ewf_set *ret_set, struct why *why)
{
    const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1, *dot = strrchr(name, '.');
    char base = (char)(dot != NULL && isdigit((unsigned char)dot[1]) == 0 && dot[1] != '\0' &&
                               isdigit((unsigned char)dot[2])
                           ? toupper((unsigned char)dot[1])
                           : 'E');
    size_t given = dot == NULL ? 0 : segment_number(dot + 1, base);
    struct ewf_set set = {0};
    char **names = calloc(SEGMENTS_NAMED + 1, sizeof(*names));
    char *prefix = dot == NULL ? strdup(path) : strndup(path, (size_t)(dot + 1 - path));
    int status = names == NULL || prefix == NULL ? -ENOMEM : 0;
    if (status == 0) {
        names[given == 0 ? 1 : given] = strdup(path); /* a name without a number is that of an only segment */
        if (names[given == 0 ? 1 : given] == NULL)
            status = -ENOMEM;
    }
    if (status == 0 && given != 0)
        status = list_segments(prefix, base, names);
    if (status == 0)
        drop_strangers(names);
    if (status == 0)
        status = take_segments(image, names, &set, why);
    if (status == -ENODATA)
        status = why_set(why, -EINVAL, "%s: the first segment of the image is missing", image->name);
    for (size_t i = 0; names != NULL && i <= SEGMENTS_NAMED; i++)
        free(names[i]);
    free(names);
    free(prefix);
    if (status < 0)
        ewf_set_finish(&set);
    else
        *ret_set = set;
    return status;
}

void ewf_set_finish(struct ewf_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->paths[i]);
    free(set->paths);
    ewf_tables_free(set->tables, set->table_count);
    *set = (struct ewf_set){0};
}

int ewf_set_add_rebuilt(struct ewf_set *set, uint8_t *entries, uint64_t count, uint64_t end)
{
    struct ewf_table *all = realloc(set->tables, (set->table_count + 1) * sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    set->tables = all;
    all[set->table_count++] = (struct ewf_table){
        .segment = (uint32_t)(set->count - 1),
        .first = set->chunks,
        .count = count,
        .base = set->loose,
        .begin = set->loose,
        .end = end,
        .rebuilt = entries,
    };
    set->chunks += count;
    return 0;
}
