/*
 * minidump: crash dumps of Windows programs, and of others by Breakpad and Crashpad [Microsoft,
 * minidumpapiset.h: MINIDUMP_HEADER and the streams]. The end is the furthest of the streams and of what
 * modules, threads, memory lists, handles and names in them point to. There is no checksum: validated when a
 * full dump's memory ends the file, or every reference is in the file and every name is a string; a dump is
 * complete at best when a stream is of a kind whose references are not followed. The title is the first
 * module, the program.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/bytes.h"

#include <string.h>

enum { HEADER = 32, ENTRY = 12, STREAMS_MAX = 256, ITEMS_MAX = 1 << 20, NAME_MAX_BYTES = 32 * 1024 };

enum stream {
    THREADS = 3,
    MODULES = 4,
    MEMORY = 5,
    EXCEPTION = 6,
    SYSTEM = 7,
    THREADS_EX = 8,
    MEMORY_64 = 9,
    HANDLES = 12,
    UNLOADED = 14,
    THREAD_NAMES = 24,
};

struct dump {
    struct reader *reader;
    struct carved *carved;
    uint64_t end;
    bool right, known; /* nothing contradicts; every stream's references were followed */
    bool titled;
};

static void extend(struct dump *dump, uint64_t offset, uint64_t size)
{
    uint64_t end = u64_add_saturating(offset, size);

    if (offset == 0 || size == 0)
        return;
    if (offset < HEADER || end >= INT64_MAX)
        dump->right = false;
    else if (end > dump->end)
        dump->end = end;
}

/* Size and RVA, as MINIDUMP_LOCATION_DESCRIPTOR. */
static void location(struct dump *dump, const uint8_t *p)
{
    extend(dump, field_le32(p + 4), field_le32(p));
}

/* A length in bytes, UTF-16, a NUL. */
static void string(struct dump *dump, uint64_t rva, bool title)
{
    uint32_t size;
    const uint8_t *p;

    if (rva == 0)
        return;
    if (!reader_le32(dump->reader, rva, &size)) {
        extend(dump, rva, 4);
        return;
    }
    if (size % 2 != 0 || size > NAME_MAX_BYTES) {
        dump->right = false;
        return;
    }
    extend(dump, rva, 4 + (uint64_t)size + 2);
    if (!title || dump->titled || size == 0 || (p = reader_at(dump->reader, rva + 4, size)) == NULL)
        return;
    for (uint32_t i = size; i >= 2; i -= 2) { /* the name alone, without its folders */
        if (field_le16(p + i - 2) == '\\' || field_le16(p + i - 2) == '/') {
            p += i;
            size -= i;
            break;
        }
    }
    carved_title(dump->carved, p, size, "UTF-16LE");
    dump->titled = true;
}

/* One item of a list, copied: reading what it points to moves the window. */
static bool item(struct dump *dump, uint64_t at, size_t size, uint8_t *ret)
{
    const uint8_t *p = reader_at(dump->reader, at, size);

    if (p != NULL)
        memcpy(ret, p, size);
    return p != NULL;
}

static void take_item(struct dump *dump, uint32_t type, const uint8_t *p)
{
    switch (type) {
    case THREADS:
    case THREADS_EX:
        location(dump, p + 32);
        location(dump, p + 40);
        if (type == THREADS_EX)
            location(dump, p + 56);
        break;
    case MODULES:
        string(dump, field_le32(p + 20), true);
        location(dump, p + 76);
        location(dump, p + 84);
        break;
    case MEMORY:
        location(dump, p + 8);
        break;
    case THREAD_NAMES:
        string(dump, field_le64(p + 4), false);
        break;
    default:
        break;
    }
}

/* A count of 4 bytes (some writers align what follows to 8), and items. */
static void take_list(struct dump *dump, uint32_t type, uint64_t at, uint32_t size, uint32_t each)
{
    uint8_t p[128];
    uint32_t count, head;

    if (size < 4 || !reader_le32(dump->reader, at, &count))
        return;
    head = (uint64_t)count * each + 8 == size ? 8 : 4;
    if (count > ITEMS_MAX || (uint64_t)count * each + head > size) {
        dump->right = false;
        return;
    }
    for (uint32_t i = 0; i < count && item(dump, at + head + (uint64_t)i * each, each, p); i++)
        take_item(dump, type, p);
}

/* Lists that say how large their head and items are: handles with two names, unloaded modules with one. */
static void take_sized_list(struct dump *dump, uint32_t type, uint64_t at, uint32_t size)
{
    uint8_t p[128];
    uint32_t head, each, count;

    if (size < 12 || !item(dump, at, 12, p))
        return;
    head = field_le32(p);
    each = field_le32(p + 4);
    count = field_le32(p + 8);
    if (head < 12 || head > 64 || each < 24 || each > sizeof p || count > ITEMS_MAX ||
        head + (uint64_t)count * each > size) {
        dump->right = false;
        return;
    }
    for (uint32_t i = 0; i < count && item(dump, at + head + (uint64_t)i * each, each, p); i++) {
        string(dump, field_le32(p + (type == HANDLES ? 8 : 20)), false);
        if (type == HANDLES)
            string(dump, field_le32(p + 12), false);
    }
}

/* All memory of a full dump, one range after the other from one place on. */
static void take_memory64(struct dump *dump, uint64_t at, uint32_t size)
{
    uint64_t count, base, end;
    const uint8_t *p = reader_at(dump->reader, at, 16);

    if (size < 16 || p == NULL)
        return;
    count = field_le64(p);
    end = base = field_le64(p + 8);
    if (count > (size - 16) / 16) {
        dump->right = false;
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        if ((p = reader_at(dump->reader, at + 16 + 16 * i, 16)) == NULL)
            return;
        end = u64_add_saturating(end, field_le64(p + 8));
    }
    extend(dump, base, end - base);
}

static void take_stream(struct dump *dump, uint32_t type, uint64_t at, uint32_t size)
{
    uint8_t p[168];

    extend(dump, at, size);
    if (type == THREADS)
        take_list(dump, type, at, size, 48);
    else if (type == THREADS_EX)
        take_list(dump, type, at, size, 64);
    else if (type == MODULES)
        take_list(dump, type, at, size, 108);
    else if (type == MEMORY)
        take_list(dump, type, at, size, 16);
    else if (type == THREAD_NAMES)
        take_list(dump, type, at, size, 12);
    else if (type == HANDLES || type == UNLOADED)
        take_sized_list(dump, type, at, size);
    else if (type == MEMORY_64)
        take_memory64(dump, at, size);
    else if (type == EXCEPTION && size >= 168 && item(dump, at, 168, p))
        location(dump, p + 160);
    else if (type == SYSTEM && size >= 32 && item(dump, at, 32, p))
        string(dump, field_le32(p + 24), false);
    else if (type == 0x43500001) /* Crashpad's own */
        dump->known = false;
}

static bool entry_is_sane(const uint8_t *p)
{
    uint32_t type = field_le32(p), size = field_le32(p + 4), rva = field_le32(p + 8);

    return (type < 0x100 || (type >= 0x8000 && type < 0x10000) || type >= 0x01000000) &&
           (rva >= HEADER || size == 0 || type == 0);
}

static enum carve_grade examine_minidump(struct reader *reader, struct carved *ret)
{
    struct dump dump = {.reader = reader, .carved = ret, .right = true, .known = true};
    const uint8_t *p = reader_at(reader, 0, HEADER);
    uint32_t count, directory;
    uint64_t end;

    if (p == NULL || memcmp(p, "MDMP\x93\xa7", 6) != 0)
        return CARVE_NONE;
    count = field_le32(p + 8);
    directory = field_le32(p + 12);
    end = (uint64_t)directory + (uint64_t)count * ENTRY;
    if (count == 0 || count > STREAMS_MAX || directory < HEADER)
        return CARVE_NONE;
    if (end > reader_size(reader))
        return directory > 1024 * 1024 ? CARVE_NONE : carved_partial(ret, HEADER, "the streams' directory");
    dump.end = end;
    for (uint32_t i = 0; i < count; i++) {
        if ((p = reader_at(reader, directory + (uint64_t)i * ENTRY, ENTRY)) == NULL || !entry_is_sane(p))
            return CARVE_NONE;
        take_stream(&dump, field_le32(p), field_le32(p + 8), field_le32(p + 4));
    }
    if (dump.end > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends %llu bytes before the dump does",
                              (unsigned long long)(dump.end - reader_size(reader)));
    return carved_whole(ret, dump.right && dump.known && dump.titled ? CARVE_VALIDATED : CARVE_COMPLETE,
                        dump.end);
}

static const struct carve_format minidump_format = {"minidump", examine_minidump};
const struct carve_format *const carve_minidump[] = {&minidump_format, NULL};
