/*
 * macho: programs of macOS and iOS, for one processor or several [Apple, OS X ABI Mach-O File Format
 * Reference; xnu, EXTERNAL_HEADERS/mach-o and cs_blobs.h]. The end is the furthest of segments, sections,
 * symbols and what else the load commands place. Validated: signed, and every page has the hash that the code
 * directory says; or not signed, and every symbol agrees with string table and sections. The title is the
 * signature's identifier or the library's own name.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/bytes.h"
#include "engine/base/hash.h"

#include <string.h>

enum {
    COMMANDS_MAX = 2048,
    COMMAND_MAX = 32 * 1024,
    ARCHS_MAX = 24,
    SLOTS = 512,
    HASH_MAX = SHA256_SIZE,
    PAGE_MAX = 64 * 1024
};

enum command {
    SEGMENT = 0x1,
    SYMTAB = 0x2,
    DYSYMTAB = 0xb,
    ID_DYLIB = 0xd,
    SEGMENT_64 = 0x19,
    SIGNATURE = 0x1d,
    DYLD_INFO = 0x22,
};

struct macho {
    struct reader *reader;
    uint64_t base; /* of this program in the object; all other offsets count from it */
    bool big, wide;
    uint32_t type, sections;
    uint64_t end, bad;
    uint64_t symbols, symbol_count, strings, strings_size;
    uint64_t signature, signature_size;
};

static const uint8_t *at(struct macho *m, uint64_t offset, size_t size)
{
    return reader_at(m->reader, u64_add_saturating(m->base, offset), size);
}

static void extend(struct macho *m, uint64_t offset, uint64_t size)
{
    uint64_t end = u64_add_saturating(offset, size);

    if (size > 0 && end > m->end)
        m->end = end;
}

static void contradicts(struct macho *m, uint64_t offset)
{
    if (offset < m->bad)
        m->bad = offset;
}

/* A segment's sections place relocations, and in an object (which has one unnamed segment) data. */
static bool read_segment(struct macho *m, const uint8_t *p, uint32_t size)
{
    uint32_t head = m->wide ? 72 : 56, each = m->wide ? 80 : 68, count;

    if (size < head)
        return false;
    count = field_u32(p + (m->wide ? 64 : 48), m->big);
    if (count > (size - head) / each)
        return false;
    if (m->wide)
        extend(m, field_u64(p + 40, m->big), field_u64(p + 48, m->big));
    else
        extend(m, field_u32(p + 32, m->big), field_u32(p + 36, m->big));
    m->sections += count;
    for (const uint8_t *s = p + head; count > 0; count--, s += each) {
        const uint8_t *relocations = s + (m->wide ? 56 : 48);

        extend(m, field_u32(relocations, m->big), 8 * (uint64_t)field_u32(relocations + 4, m->big));
    }
    return true;
}

static void read_symtab(struct macho *m, const uint8_t *p)
{
    m->symbols = field_u32(p + 8, m->big);
    m->symbol_count = field_u32(p + 12, m->big);
    m->strings = field_u32(p + 16, m->big);
    m->strings_size = field_u32(p + 20, m->big);
    extend(m, m->symbols, m->symbol_count * (m->wide ? 16 : 12));
    extend(m, m->strings, m->strings_size);
}

static bool is_linkedit(uint32_t command)
{
    return command == SIGNATURE || command == 0x1e || command == 0x26 || command == 0x29 || command == 0x2b ||
           command == 0x2e || command == 0x33 || command == 0x34;
}

static void take_name(const uint8_t *p, uint32_t size, uint32_t offset, struct carved *ret)
{
    const uint8_t *name, *slash, *end;

    if (offset >= size)
        return;
    name = p + offset;
    end = memchr(name, 0, size - offset);
    end = end != NULL ? end : p + size;
    slash = memrchr(name, '/', (size_t)(end - name));
    if (slash != NULL)
        name = slash + 1;
    carved_title(ret, name, (size_t)(end - name), "UTF-8");
}

static bool read_command(struct macho *m, const uint8_t *p, uint32_t size, struct carved *ret)
{
    uint32_t command = field_u32(p, m->big) & 0x7fffffff; /* without "the loader must know this" */

    if (command == (m->wide ? SEGMENT_64 : SEGMENT))
        return read_segment(m, p, size);
    if (command == SYMTAB && size >= 24) {
        read_symtab(m, p);
    } else if (command == DYSYMTAB && size >= 80) {
        extend(m, field_u32(p + 56, m->big), 4 * (uint64_t)field_u32(p + 60, m->big));
        extend(m, field_u32(p + 64, m->big), 8 * (uint64_t)field_u32(p + 68, m->big));
        extend(m, field_u32(p + 72, m->big), 8 * (uint64_t)field_u32(p + 76, m->big));
    } else if (command == DYLD_INFO && size >= 48) {
        for (size_t i = 8; i < 48; i += 8)
            extend(m, field_u32(p + i, m->big), field_u32(p + i + 4, m->big));
    } else if (command == ID_DYLIB && size >= 24) {
        take_name(p, size, field_u32(p + 8, m->big), ret);
    } else if (is_linkedit(command) && size >= 16) {
        extend(m, field_u32(p + 8, m->big), field_u32(p + 12, m->big));
        if (command == SIGNATURE) {
            m->signature = field_u32(p + 8, m->big);
            m->signature_size = field_u32(p + 12, m->big);
        }
    }
    return true;
}

static bool read_commands(struct macho *m, struct carved *ret)
{
    const uint8_t *p = at(m, 0, 28);
    uint32_t processor, count, size;
    uint64_t offset;

    if (p == NULL)
        return false;
    m->wide = (p[0] == 0xfe ? p[3] : p[0]) == 0xcf;
    m->big = p[0] == 0xfe;
    if (field_u32(p, m->big) != (m->wide ? 0xfeedfacf : 0xfeedface))
        return false;
    processor = field_u32(p + 4, m->big) & 0x00ffffff;
    m->type = field_u32(p + 12, m->big);
    count = field_u32(p + 16, m->big);
    size = field_u32(p + 20, m->big);
    if (processor == 0 || processor > 24 || m->type == 0 || m->type > 12 || count == 0 ||
        count > COMMANDS_MAX || size / 8 < count)
        return false;
    offset = m->wide ? 32 : 28;
    m->end = offset + size;
    for (uint32_t left = size; count > 0; count--) {
        uint32_t length;

        if ((p = at(m, offset, 8)) == NULL)
            return false;
        length = field_u32(p + 4, m->big);
        if (length < 8 || length % 4 != 0 || length > left || length > COMMAND_MAX ||
            (p = at(m, offset, length)) == NULL || !read_command(m, p, length, ret))
            return false;
        offset += length;
        left -= length;
    }
    return true;
}

/* Every symbol's name begins in the string table, and its section is there. */
static void check_symbols(struct macho *m)
{
    size_t size = m->wide ? 16 : 12;

    for (uint64_t i = 0; i < m->symbol_count; i++) {
        const uint8_t *p = at(m, m->symbols + i * size, size);

        if (p == NULL || field_u32(p, m->big) >= m->strings_size + 1 ||
            ((p[4] & 0xe0) == 0 && (p[4] & 0x0e) == 0x0e && (p[5] == 0 || p[5] > m->sections))) {
            contradicts(m, m->symbols + i * size);
            return;
        }
    }
}

struct directory {
    uint64_t hashes, limit; /* offset of slot 0; bytes that are hashed */
    uint32_t slots, hash_size, page, kind;
};

static bool read_directory(struct macho *m, uint64_t offset, struct directory *ret, struct carved *carved)
{
    const uint8_t *p = at(m, offset, 44);
    uint32_t length, identifier;

    if (p == NULL || field_be32(p) != 0xfade0c02)
        return false;
    length = field_be32(p + 4);
    identifier = field_be32(p + 20);
    *ret = (struct directory){
        .hashes = offset + field_be32(p + 16),
        .slots = field_be32(p + 28),
        .limit = field_be32(p + 32),
        .hash_size = p[36],
        .kind = p[37],
        .page = p[39] < 17 ? 1u << p[39] : 0,
    };
    if (length > m->signature_size || field_be32(p + 16) > length || ret->kind == 0 || ret->kind > 3 ||
        ret->hash_size != (ret->kind == 2 ? SHA256_SIZE : SHA1_SIZE) || ret->page < 256 ||
        ret->page > PAGE_MAX || ret->limit == 0 || ret->limit > m->signature ||
        ret->slots != (ret->limit + ret->page - 1) / ret->page ||
        (uint64_t)ret->slots * ret->hash_size > length - field_be32(p + 16))
        return false;
    if (identifier < length && length - identifier < 256 &&
        (p = at(m, offset + identifier, length - identifier)) != NULL)
        take_name(p, length - identifier, 0, carved);
    else if (identifier < length && (p = at(m, offset + identifier, 128)) != NULL)
        take_name(p, 128, 0, carved);
    return true;
}

/* SHA-1 (kind 1) or SHA-256, which kind 3 cuts to 20 bytes, of one page. */
static void hash_page(struct hash_all *all, struct hash_sha256 *sha256, uint32_t kind, const uint8_t *page,
                      size_t size, uint8_t ret[HASH_MAX])
{
    struct hash_set set;

    if (kind != 1) {
        hash_sha256_update(sha256, page, size);
        hash_sha256_final(sha256, ret);
        return;
    }
    hash_all_reset(all);
    hash_all_update(all, page, size);
    hash_all_final(all, &set);
    memcpy(ret, set.sha1, sizeof set.sha1);
}

/* Slots are taken in groups, so that reading does not go to and fro for each page. */
static bool pages_hold(struct macho *m, const struct directory *d, struct hash_all *all,
                       struct hash_sha256 *sha256)
{
    uint8_t wanted[SLOTS * HASH_MAX], hash[HASH_MAX];

    for (uint32_t slot = 0; slot < d->slots; slot++) {
        uint64_t offset = (uint64_t)slot * d->page;
        size_t size = d->limit - offset < d->page ? (size_t)(d->limit - offset) : d->page;
        uint32_t group = d->slots - slot < SLOTS ? d->slots - slot : SLOTS;
        const uint8_t *p;

        if (slot % SLOTS == 0) {
            if ((p = at(m, d->hashes + (uint64_t)slot * d->hash_size, (size_t)group * d->hash_size)) == NULL)
                return false;
            memcpy(wanted, p, (size_t)group * d->hash_size);
        }
        if ((p = at(m, offset, size)) == NULL)
            return false;
        hash_page(all, sha256, d->kind, p, size, hash);
        if (memcmp(hash, wanted + (size_t)(slot % SLOTS) * d->hash_size, d->hash_size) != 0) {
            contradicts(m, offset);
            return false;
        }
    }
    return true;
}

/* The signature's first code directory: is every page what it says? */
static bool signature_holds(struct macho *m, struct carved *ret)
{
    const uint8_t *p = at(m, m->signature, 20);
    struct hash_sha256 *sha256 = NULL;
    struct hash_all *all = NULL;
    struct directory directory;
    bool holds;

    if (p == NULL || field_be32(p) != 0xfade0cc0 || field_be32(p + 4) > m->signature_size ||
        field_be32(p + 8) == 0 || field_be32(p + 12) != 0 ||
        !read_directory(m, m->signature + field_be32(p + 16), &directory, ret)) {
        contradicts(m, m->signature);
        return false;
    }
    sha256 = hash_sha256_new();
    all = hash_all_new();
    holds = sha256 != NULL && all != NULL && pages_hold(m, &directory, all, sha256);
    hash_sha256_free(sha256);
    hash_all_free(all);
    return holds;
}

/* The program at m->base: its grade, with end and bad set. */
static enum carve_grade examine_thin(struct macho *m, struct carved *ret)
{
    bool holds;

    m->bad = UINT64_MAX;
    if (!read_commands(m, ret) || m->end >= INT64_MAX)
        return CARVE_NONE;
    if (m->base + m->end > reader_size(m->reader)) {
        m->bad = reader_size(m->reader) - m->base;
        return CARVE_PARTIAL;
    }
    check_symbols(m);
    holds = m->signature_size > 0 ? signature_holds(m, ret) : m->symbol_count > 0;
    if (m->bad < m->end)
        return CARVE_PARTIAL;
    return holds ? CARVE_VALIDATED : CARVE_COMPLETE;
}

static enum carve_grade partial(struct carved *ret, uint64_t good, uint64_t size, uint64_t available)
{
    if (good >= available)
        return carved_partial(ret, available, "the data ends %llu bytes before the last segment does",
                              (unsigned long long)(size - available));
    carved_partial(ret, good, "byte %llu is not as its signature or symbol table says",
                   (unsigned long long)good);
    ret->size = size < available ? size : available;
    return ret->grade;
}

static void name_kind(uint32_t type, struct carved *ret)
{
    ret->format = "Mach-O program";
    if (type == 1) {
        ret->extension = "o";
        ret->format = "Mach-O object";
    } else if (type == 6) {
        ret->extension = "dylib";
        ret->format = "Mach-O library";
    } else if (type == 8) {
        ret->extension = "bundle";
        ret->format = "Mach-O bundle";
    }
}

static enum carve_grade examine_macho(struct reader *reader, struct carved *ret)
{
    struct macho m = {.reader = reader};
    enum carve_grade grade = examine_thin(&m, ret);

    name_kind(m.type, ret);
    if (grade == CARVE_PARTIAL)
        return partial(ret, m.bad, m.end, reader_size(reader));
    return grade == CARVE_NONE ? CARVE_NONE : carved_whole(ret, grade, m.end);
}

/* One program of a fat file. False when there is none. */
static bool examine_arch(struct reader *reader, uint64_t offset, uint64_t size, enum carve_grade *worst,
                         uint64_t *bad, struct carved *ret)
{
    struct macho m = {.reader = reader, .base = offset};
    enum carve_grade grade;

    if (offset >= reader_size(reader)) {
        grade = CARVE_PARTIAL;
        m.bad = 0;
    } else if (reader_is(reader, offset, "!<arch>\n", 8)) {
        grade = CARVE_COMPLETE;
    } else if ((grade = examine_thin(&m, ret)) == CARVE_NONE) {
        return false;
    } else if (m.end > size) {
        grade = CARVE_PARTIAL;
        m.bad = size;
    }
    name_kind(m.type, ret);
    if (grade == CARVE_PARTIAL && offset + m.bad < *bad)
        *bad = offset + m.bad;
    *worst = grade < *worst ? grade : *worst;
    return true;
}

static enum carve_grade examine_fat(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 8);
    bool wide = p != NULL && p[3] == 0xbf;
    uint32_t count = p != NULL ? field_be32(p + 4) : 0, each = wide ? 32 : 20;
    enum carve_grade worst = CARVE_VALIDATED;
    uint64_t end = 8 + (uint64_t)count * each, bad = UINT64_MAX;

    if (count == 0 || count > ARCHS_MAX || (field_be32(p) != 0xcafebabe && field_be32(p) != 0xcafebabf))
        return CARVE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset, size;

        if ((p = reader_at(reader, 8 + (uint64_t)i * each, each)) == NULL)
            return CARVE_NONE;
        offset = wide ? field_be64(p + 8) : field_be32(p + 8);
        size = wide ? field_be64(p + 16) : field_be32(p + 12);
        if (offset < 8 + (uint64_t)count * each || size == 0 || offset > INT64_MAX / 2 ||
            size > INT64_MAX / 2 || field_be32(p + (wide ? 24 : 16)) > 24)
            return CARVE_NONE;
        if (!examine_arch(reader, offset, size, &worst, &bad, ret)) {
            if (i == 0)
                return CARVE_NONE;
            worst = CARVE_PARTIAL;
            bad = offset < bad ? offset : bad;
        }
        end = offset + size > end ? offset + size : end;
    }
    ret->format = "Mach-O for several processors";
    if (end > reader_size(reader) && bad > reader_size(reader))
        bad = reader_size(reader);
    if (bad < end)
        return partial(ret, bad, end, reader_size(reader));
    return carved_whole(ret, worst, end);
}

static const struct carve_format macho_format = {"macho", examine_macho};
static const struct carve_format fat_format = {"machofat", examine_fat};
const struct carve_format *const carve_macho[] = {&macho_format, &fat_format, NULL};
