/*
 * elf: programs, libraries, objects, kernel modules and cores [System V ABI, generic part, chapter 4; Linux
 * gABI extensions]. The end is the furthest of the section header table, the sections, the program headers
 * and the segments; a kernel module's appended signature comes behind. There is no checksum. Validated: there
 * is a section table, its names, string tables, symbol tables, relocations and notes all agree with each
 * other. Without sections it is complete at best. The title is the shared object's own name.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/bytes.h"

#include <string.h>

enum {
    SECTIONS_MAX = 200000,
    CHECKED_MAX = 64 * 1024 * 1024,
    INDEX_SLACK = 64 /* LLVM's BOLT drops sections, and leaves symbols that name them */
};

enum section_type {
    PROGBITS = 1,
    SYMTAB = 2,
    STRTAB = 3,
    RELA = 4,
    DYNAMIC = 6,
    NOTE = 7,
    NOBITS = 8,
    REL = 9,
    DYNSYM = 11
};

enum object_type { RELOCATABLE = 1, EXECUTABLE = 2, SHARED = 3, CORE = 4 };

struct elf {
    struct reader *reader;
    bool big, wide;
    uint16_t type;
    uint64_t program_at, section_at; /* offsets of the header tables */
    uint32_t program_size, program_count, section_size, names_index;
    uint64_t section_count;
    uint64_t sections_end, segments_end;
    uint64_t bad; /* offset of the first contradiction; UINT64_MAX: none */
    bool debug;   /* code was taken out: objcopy --only-keep-debug leaves program headers that name it */
};

struct section {
    uint32_t name, type, link, info;
    uint64_t flags, offset, size, align, entry;
};

static uint64_t word(const struct elf *elf, const uint8_t *p, size_t narrow, size_t wide)
{
    return elf->wide ? field_u64(p + wide, elf->big) : field_u32(p + narrow, elf->big);
}

static void contradicts(struct elf *elf, uint64_t offset)
{
    if (offset < elf->bad)
        elf->bad = offset;
}

static bool read_section(struct elf *elf, uint64_t index, struct section *ret)
{
    const uint8_t *p = reader_at(elf->reader, elf->section_at + index * elf->section_size, elf->section_size);

    if (p == NULL)
        return false;
    ret->name = field_u32(p, elf->big);
    ret->type = field_u32(p + 4, elf->big);
    ret->flags = word(elf, p, 8, 8);
    ret->offset = word(elf, p, 16, 24);
    ret->size = word(elf, p, 20, 32);
    ret->link = field_u32(p + (elf->wide ? 40 : 24), elf->big);
    ret->info = field_u32(p + (elf->wide ? 44 : 28), elf->big);
    ret->align = word(elf, p, 32, 48);
    ret->entry = word(elf, p, 36, 56);
    return true;
}

static bool read_header(struct elf *elf)
{
    const uint8_t *p = reader_at(elf->reader, 0, 16);
    uint16_t machine, header_size;

    if (p == NULL || memcmp(p, "\177ELF", 4) != 0 || p[4] < 1 || p[4] > 2 || p[5] < 1 || p[5] > 2 ||
        p[6] != 1)
        return false;
    elf->wide = p[4] == 2;
    elf->big = p[5] == 2;
    p = reader_at(elf->reader, 0, elf->wide ? 64 : 52);
    if (p == NULL || field_u32(p + 20, elf->big) != 1)
        return false;
    elf->type = field_u16(p + 16, elf->big);
    machine = field_u16(p + 18, elf->big);
    elf->program_at = word(elf, p, 28, 32);
    elf->section_at = word(elf, p, 32, 40);
    p += elf->wide ? 52 : 40;
    header_size = field_u16(p, elf->big);
    elf->program_size = field_u16(p + 2, elf->big);
    elf->program_count = field_u16(p + 4, elf->big);
    elf->section_size = field_u16(p + 6, elf->big);
    elf->section_count = field_u16(p + 8, elf->big);
    elf->names_index = field_u16(p + 10, elf->big);
    return machine != 0 && elf->type >= RELOCATABLE && (elf->type <= CORE || elf->type >= 0xfe00) &&
           header_size == (elf->wide ? 64 : 52) &&
           (elf->program_count == 0 || elf->program_size == (elf->wide ? 56 : 32)) &&
           (elf->section_at == 0 || elf->section_size == (elf->wide ? 64 : 40)) &&
           (elf->program_count > 0 || elf->section_at > 0) &&
           (elf->program_count == 0 || elf->program_at >= header_size);
}

/* Counts that do not fit the header are in section 0. */
static bool read_large_counts(struct elf *elf)
{
    struct section zero;

    if (elf->section_at == 0) {
        elf->section_count = 0;
        return elf->program_count != 0xffff;
    }
    if (elf->section_count != 0 && elf->names_index != 0xffff && elf->program_count != 0xffff)
        return true;
    if (!read_section(elf, 0, &zero) || zero.type != 0)
        return false;
    if (elf->section_count == 0)
        elf->section_count = zero.size;
    if (elf->names_index == 0xffff)
        elf->names_index = zero.link;
    if (elf->program_count == 0xffff)
        elf->program_count = zero.info;
    return elf->section_count > 0 && elf->section_count <= SECTIONS_MAX;
}

static bool read_segments(struct elf *elf)
{
    elf->segments_end = elf->program_at + (uint64_t)elf->program_count * elf->program_size;
    for (uint32_t i = 0; i < elf->program_count; i++) {
        const uint8_t *p =
            reader_at(elf->reader, elf->program_at + (uint64_t)i * elf->program_size, elf->program_size);
        uint64_t offset, size, end;

        if (p == NULL)
            return false;
        offset = word(elf, p, 4, 8);
        size = word(elf, p, 16, 32);
        end = u64_add_saturating(offset, size);
        if (end >= INT64_MAX)
            contradicts(elf, elf->program_at);
        else if (size > 0 && end > elf->segments_end)
            elf->segments_end = end;
    }
    return true;
}

static uint64_t furthest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool section_is_sane(const struct elf *elf, const struct section *s, uint64_t names_size)
{
    return s->name < furthest(names_size, 1) && (s->align == 0 || (s->align & (s->align - 1)) == 0) &&
           s->link < elf->section_count &&
           (s->size == 0 || s->type == NOBITS || s->offset >= (elf->wide ? 64 : 52)) &&
           u64_add_saturating(s->offset, s->size) < INT64_MAX;
}

/* The section table itself: where the sections end, and whether it is one. */
static bool read_sections(struct elf *elf)
{
    struct section names = {0}, s;

    elf->sections_end = elf->section_at + elf->section_count * elf->section_size;
    if (elf->names_index >= elf->section_count || !read_section(elf, elf->names_index, &names) ||
        (elf->names_index != 0 && names.type != STRTAB))
        return false;
    for (uint64_t i = 0; i < elf->section_count; i++) {
        if (!read_section(elf, i, &s) || (i == 0 && s.type != 0) ||
            (i > 0 && s.type != 0 && !section_is_sane(elf, &s, names.size)))
            return false;
        if (i > 0 && s.type != NOBITS && s.type != 0)
            elf->sections_end = furthest(elf->sections_end, s.offset + s.size);
        if (s.type == NOBITS && (s.flags & 6) == 6)
            elf->debug = true;
    }
    return true;
}

static void check_strings(struct elf *elf, const struct section *s)
{
    uint8_t first, last;

    if (s->size == 0)
        return;
    if (!reader_u8(elf->reader, s->offset, &first) ||
        !reader_u8(elf->reader, s->offset + s->size - 1, &last) || first != 0 || last != 0)
        contradicts(elf, s->offset);
}

static void check_symbols(struct elf *elf, const struct section *s)
{
    uint64_t size = elf->wide ? 24 : 16, strings;
    struct section names;

    if (s->size % size != 0 || !read_section(elf, s->link, &names) ||
        (names.type != STRTAB && names.type != NOBITS)) {
        contradicts(elf, s->offset);
        return;
    }
    strings = names.size;
    for (uint64_t i = 0; i < s->size && i < CHECKED_MAX; i += size) {
        const uint8_t *p = reader_at(elf->reader, s->offset + i, size);
        uint16_t index = p != NULL ? field_u16(p + (elf->wide ? 6 : 14), elf->big) : 0;

        if (p == NULL || field_u32(p, elf->big) >= furthest(strings, 1) ||
            (index < 0xff00 && index >= elf->section_count + INDEX_SLACK)) {
            contradicts(elf, s->offset + i);
            return;
        }
    }
}

/* Relocations name symbols of the table that they are linked to. */
static void check_relocations(struct elf *elf, const struct section *s)
{
    uint64_t size = (elf->wide ? 16u : 8u) + (s->type == RELA ? (elf->wide ? 8u : 4u) : 0), count = 0;
    struct section symbols;

    if (s->size % size != 0 || !read_section(elf, s->link, &symbols)) {
        contradicts(elf, s->offset);
        return;
    }
    count = symbols.type == DYNSYM || symbols.type == SYMTAB ? symbols.size / (elf->wide ? 24 : 16) : 0;
    for (uint64_t i = 0; count > 0 && i < s->size && i < CHECKED_MAX; i += size) {
        const uint8_t *p = reader_at(elf->reader, s->offset + i, size);
        uint64_t info = p != NULL ? word(elf, p, 4, 8) : 0;

        if (p == NULL || (elf->wide ? info >> 32 : info >> 8) >= count) {
            contradicts(elf, s->offset + i);
            return;
        }
    }
}

static void check_notes(struct elf *elf, const struct section *s)
{
    uint64_t done = 0, align = s->align == 8 ? 8 : 4;

    while (s->size - done >= 12 && done < CHECKED_MAX) {
        const uint8_t *p = reader_at(elf->reader, s->offset + done, 12);
        uint64_t length = 12;

        if (p != NULL) {
            length += ((uint64_t)field_u32(p, elf->big) + 3) & ~(uint64_t)3;
            length = (length + align - 1) & ~(align - 1);
            length += ((uint64_t)field_u32(p + 4, elf->big) + align - 1) & ~(align - 1);
        }
        if (p == NULL || length > s->size - done + align) {
            contradicts(elf, s->offset + done);
            return;
        }
        done = length < s->size - done ? done + length : s->size;
    }
}

static void find_title(struct elf *elf, const struct section *dynamic, struct carved *ret)
{
    size_t size = elf->wide ? 16 : 8;
    struct section names;

    if (!read_section(elf, dynamic->link, &names) || names.type != STRTAB)
        return;
    for (uint64_t i = 0; i < dynamic->size && i < 4096; i += size) {
        const uint8_t *p = reader_at(elf->reader, dynamic->offset + i, size);
        uint64_t at = p != NULL ? word(elf, p, 4, 8) : 0, end;

        if (p == NULL || word(elf, p, 0, 0) != 14)
            continue;
        at = u64_add_saturating(names.offset, at);
        end = reader_find(elf->reader, at, u64_add_saturating(at, 255), "\0", 1);
        if (end != UINT64_MAX && end > at && (p = reader_at(elf->reader, at, (size_t)(end - at))) != NULL)
            carved_title(ret, p, (size_t)(end - at), "UTF-8");
        return;
    }
}

static void check_sections(struct elf *elf, struct carved *ret)
{
    struct section s;

    for (uint64_t i = 1; i < elf->section_count && read_section(elf, i, &s); i++) {
        bool compressed = (s.flags & 0x800) != 0;

        if (s.type == STRTAB && !compressed)
            check_strings(elf, &s);
        else if ((s.type == SYMTAB || s.type == DYNSYM) && !compressed)
            check_symbols(elf, &s);
        else if ((s.type == RELA || s.type == REL) && !compressed)
            check_relocations(elf, &s);
        else if (s.type == NOTE)
            check_notes(elf, &s);
        else if (s.type == DYNAMIC)
            find_title(elf, &s, ret);
    }
}

static void name_kind(const struct elf *elf, struct carved *ret)
{
    static const char *const formats[] = {"ELF object", "ELF program", "ELF program or library",
                                          "ELF core dump"};

    if (elf->type > CORE)
        return;
    ret->format = formats[elf->type - 1];
    ret->extension = elf->type == RELOCATABLE ? "o" : elf->type == CORE ? "core" : NULL;
    if (elf->type == SHARED && ret->title[0] != '\0') {
        ret->format = "ELF library";
        ret->extension = "so";
    }
}

/* A kernel module's signature: PKCS #7, its description (12 bytes, the length last), a magic line. */
static uint64_t module_signature(struct elf *elf, uint64_t end)
{
    static const char magic[] = "~Module signature appended~\n";
    const uint8_t *p = reader_at(elf->reader, end, 4);
    uint64_t size;

    if (elf->type != RELOCATABLE || p == NULL || p[0] != 0x30 || p[1] != 0x82)
        return 0;
    size = (uint64_t)field_be16(p + 2) + 4;
    p = reader_at(elf->reader, end + size, 12 + sizeof magic - 1);
    if (p == NULL || field_be32(p + 8) != size || memcmp(p + 12, magic, sizeof magic - 1) != 0)
        return 0;
    return size + 12 + sizeof magic - 1;
}

/* A partial object that would go on to `end`, were its tables right. */
static enum carve_grade cut(struct elf *elf, struct carved *ret, uint64_t end)
{
    ret->size = end < reader_size(elf->reader) ? end : reader_size(elf->reader);
    ret->good = ret->good < ret->size ? ret->good : ret->size;
    return ret->grade;
}

static enum carve_grade finish(struct elf *elf, struct carved *ret)
{
    uint64_t end = elf->debug ? elf->sections_end : furthest(elf->sections_end, elf->segments_end), signature;

    if (elf->bad < end) {
        carved_partial(ret, elf->bad, "the table at byte %llu is not what its header says",
                       (unsigned long long)elf->bad);
        return cut(elf, ret, end);
    }
    if (end > reader_size(elf->reader))
        return carved_partial(ret, reader_size(elf->reader),
                              "the data ends %llu bytes before its last segment does",
                              (unsigned long long)(end - reader_size(elf->reader)));
    signature = module_signature(elf, end);
    if (signature > 0) {
        ret->extension = "ko";
        ret->format = "Linux kernel module, signed";
    }
    return carved_whole(ret, elf->section_count > 1 ? CARVE_VALIDATED : CARVE_COMPLETE, end + signature);
}

/* No section table where the header says: how far does it go? Up to there nothing speaks against it. */
static enum carve_grade without_sections(struct elf *elf, struct carved *ret)
{
    uint64_t size = reader_size(elf->reader), end = furthest(elf->section_at, elf->segments_end);

    if (elf->section_at >= size || elf->section_at + elf->section_count * elf->section_size > size)
        return carved_partial(ret, size, "the data ends before the section header table at byte %llu",
                              (unsigned long long)elf->section_at);
    carved_partial(ret, elf->program_at + (uint64_t)elf->program_count * elf->program_size,
                   "there is no section header table at byte %llu", (unsigned long long)elf->section_at);
    return cut(elf, ret, end);
}

static enum carve_grade examine_elf(struct reader *reader, struct carved *ret)
{
    struct elf elf = {.reader = reader, .bad = UINT64_MAX};

    if (!read_header(&elf) || u64_add_saturating(elf.section_at, (uint64_t)SECTIONS_MAX * 64) >= INT64_MAX ||
        u64_add_saturating(elf.program_at, (uint64_t)UINT32_MAX * 64) >= INT64_MAX)
        return CARVE_NONE;
    name_kind(&elf, ret);
    if (elf.section_at >= reader_size(reader))
        return without_sections(&elf, ret);
    if (!read_large_counts(&elf) || !read_segments(&elf))
        return CARVE_NONE;
    if (elf.section_count > 0) {
        if (!read_sections(&elf))
            return without_sections(&elf, ret);
        check_sections(&elf, ret);
        name_kind(&elf, ret);
    }
    return finish(&elf, ret);
}

static const struct carve_format elf_format = {"elf", examine_elf};
const struct carve_format *const carve_elf[] = {&elf_format, NULL};
