/*
 * pe: Windows programs and libraries [Microsoft, PE Format]. The end is the furthest of the sections, the
 * COFF symbol table, debug data behind the sections, an overlay that tells its own length (NSIS, 7-Zip) and
 * the certificate table. Validated: the checksum in the optional header, which covers every byte and the
 * length, is set and right; without one a PE is complete at best, for an overlay may follow that nothing
 * names. The title is the original file name of the version information.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <string.h>

enum {
    LFANEW = 0x3c,
    LFANEW_MAX = 64 * 1024,
    COFF = 24,      /* signature and file header */
    OPTIONAL = 112, /* as much of the optional header as PE32+ has before its directories */
    SECTIONS_MAX = 96,
    SECTION = 40,
    RESOURCE_VERSION = 16,
    VERSION_MAX = 16 * 1024,
    PIECE = 64 * 1024
};

enum directory { RESOURCES = 2, EXCEPTIONS = 3, CERTIFICATES = 4, RELOCATIONS = 5, DEBUG = 6, CLR = 14 };

struct section {
    uint32_t address, memory_size, offset, size;
};

struct pe {
    struct reader *reader;
    uint32_t at; /* of the signature */
    uint16_t machine, characteristics, subsystem;
    uint32_t symbols, symbol_count;
    uint32_t image_size, headers_size, checksum;
    uint64_t directories; /* offset */
    uint32_t directory_count;
    struct section sections[SECTIONS_MAX];
    size_t section_count;
    uint64_t end, bad; /* bad: of the first structure that contradicts itself; UINT64_MAX: none */
};

static bool machine_is_known(uint16_t machine)
{
    static const uint16_t known[] = {0x014c, 0x8664, 0xaa64, 0x01c0, 0x01c2, 0x01c4, 0x0200, 0x0ebc,
                                     0x0162, 0x0166, 0x0168, 0x0169, 0x0184, 0x01a2, 0x01a6, 0x01f0,
                                     0x01f1, 0x0266, 0x0366, 0x5032, 0x5064, 0x6232, 0x6264, 0xa641};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == machine)
            return true;
    }
    return false;
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool read_optional(struct pe *pe, uint32_t size)
{
    const uint8_t *p = reader_at(pe->reader, (uint64_t)pe->at + COFF, OPTIONAL);
    uint32_t fixed;

    if (p == NULL || (field_le16(p) != 0x10b && field_le16(p) != 0x20b))
        return false;
    fixed = field_le16(p) == 0x10b ? 96 : 112;
    pe->image_size = field_le32(p + 56);
    pe->headers_size = field_le32(p + 60);
    pe->checksum = field_le32(p + 64);
    pe->subsystem = field_le16(p + 68);
    pe->directory_count = field_le32(p + fixed - 4);
    pe->directories = (uint64_t)pe->at + COFF + fixed;
    if (pe->directory_count > 16)
        pe->directory_count = 16;
    while (pe->directory_count > 0 && fixed + 8 * pe->directory_count > size)
        pe->directory_count--;
    return is_power_of_two(field_le32(p + 32)) && is_power_of_two(field_le32(p + 36)) &&
           field_le32(p + 32) >= field_le32(p + 36) && pe->subsystem <= 17 && pe->headers_size >= pe->at &&
           pe->headers_size <= pe->image_size;
}

static bool read_sections(struct pe *pe, uint64_t offset, size_t count)
{
    pe->end = offset + count * SECTION;
    for (size_t i = 0; i < count; i++, offset += SECTION) {
        const uint8_t *p = reader_at(pe->reader, offset, SECTION);
        struct section *section = &pe->sections[i];

        if (p == NULL)
            return false;
        *section =
            (struct section){field_le32(p + 12), field_le32(p + 8), field_le32(p + 20), field_le32(p + 16)};
        if (section->address > pe->image_size)
            return false;
        if (section->offset == 0)
            section->size = 0;
        if (section->size > 0 && (uint64_t)section->offset + section->size > pe->end)
            pe->end = (uint64_t)section->offset + section->size;
        pe->section_count = i + 1;
    }
    return true;
}

static bool read_headers(struct pe *pe)
{
    const uint8_t *p = reader_at(pe->reader, 0, 64);
    uint16_t count, optional;

    if (p == NULL || p[0] != 'M' || p[1] != 'Z' || field_le32(p + LFANEW) < 4 ||
        field_le32(p + LFANEW) > LFANEW_MAX)
        return false;
    pe->at = field_le32(p + LFANEW);
    p = reader_at(pe->reader, pe->at, COFF);
    if (p == NULL || memcmp(p, "PE\0\0", 4) != 0 || !machine_is_known(field_le16(p + 4)))
        return false;
    pe->machine = field_le16(p + 4);
    count = field_le16(p + 6);
    pe->symbols = field_le32(p + 12);
    pe->symbol_count = field_le32(p + 16);
    optional = field_le16(p + 20);
    pe->characteristics = field_le16(p + 22);
    return (pe->characteristics & 0x0002) != 0 && count > 0 && count <= SECTIONS_MAX && optional >= 96 &&
           read_optional(pe, optional) && read_sections(pe, (uint64_t)pe->at + COFF + optional, count);
}

static bool directory(struct pe *pe, enum directory which, uint32_t *ret_address, uint32_t *ret_size)
{
    const uint8_t *p = (uint32_t)which < pe->directory_count
                           ? reader_at(pe->reader, pe->directories + 8 * (uint64_t)which, 8)
                           : NULL;

    if (p == NULL || field_le32(p) == 0 || field_le32(p + 4) == 0)
        return false;
    *ret_address = field_le32(p);
    *ret_size = field_le32(p + 4);
    return true;
}

/* Where the file has [address, address + size) of the image; 0: nowhere. */
static uint64_t offset_of(const struct pe *pe, uint32_t address, uint32_t size)
{
    for (size_t i = 0; i < pe->section_count; i++) {
        const struct section *s = &pe->sections[i];

        if (address >= s->address && address - s->address < s->size &&
            size <= s->size - (address - s->address))
            return (uint64_t)s->offset + (address - s->address);
    }
    return 0;
}

static void extend(struct pe *pe, uint64_t end)
{
    if (end > pe->end)
        pe->end = end;
}

/* A COFF symbol table with its strings, as MinGW leaves it behind the sections. */
static void add_symbols(struct pe *pe)
{
    uint64_t strings = (uint64_t)pe->symbols + 18 * (uint64_t)pe->symbol_count;
    uint32_t size;

    if (pe->symbols == 0 || pe->symbol_count == 0 || pe->symbols > pe->end + 4096 ||
        !reader_le32(pe->reader, strings, &size))
        return;
    extend(pe, strings + (size >= 4 && size < 256 * 1024 * 1024 ? size : 4));
}

/* Debug data that directly follows the sections; what points elsewhere was stripped. */
static void add_debug(struct pe *pe)
{
    uint32_t address, size;
    uint64_t offset;

    if (!directory(pe, DEBUG, &address, &size) || size > 64 * 28 ||
        (offset = offset_of(pe, address, size)) == 0)
        return;
    for (uint32_t i = 0; i + 28 <= size; i += 28) {
        const uint8_t *p = reader_at(pe->reader, offset + i, 28);

        if (p != NULL && field_le32(p + 24) != 0 && field_le32(p + 24) <= pe->end + 512 &&
            field_le32(p + 16) < 256 * 1024 * 1024)
            extend(pe, (uint64_t)field_le32(p + 24) + field_le32(p + 16));
    }
}

/* Overlays that say how long they are: NSIS' installer data and a 7-Zip archive. */
static void add_overlay(struct pe *pe)
{
    const uint8_t *p = reader_at(pe->reader, pe->end, 32);

    if (p == NULL)
        return;
    if (memcmp(p + 4, "\xef\xbe\xad\xdeNullsoftInst", 16) == 0 && field_le32(p + 24) >= 28)
        extend(pe, pe->end + field_le32(p + 24));
    else if (memcmp(p, "7z\xbc\xaf\x27\x1c", 6) == 0 && field_le64(p + 12) < UINT32_MAX &&
             field_le64(p + 20) < UINT32_MAX)
        extend(pe, pe->end + 32 + field_le64(p + 12) + field_le64(p + 20));
}

/* The certificate table is the one directory that is placed by file offset; it is the last thing in a file.
 */
static void add_certificates(struct pe *pe)
{
    uint32_t offset, size;
    const uint8_t *p;

    if (!directory(pe, CERTIFICATES, &offset, &size) || offset < pe->headers_size || size < 8)
        return;
    p = reader_at(pe->reader, offset, 8);
    if (p == NULL) {
        extend(pe, (uint64_t)offset + size); /* cut: it is named, and not there */
        return;
    }
    if (field_le32(p) >= 8 && field_le32(p) <= size &&
        (field_le16(p + 4) == 0x0100 || field_le16(p + 4) == 0x0200) && field_le16(p + 6) >= 1 &&
        field_le16(p + 6) <= 4)
        extend(pe, (uint64_t)offset + size);
    else if (offset >= pe->end)
        pe->bad = offset;
}

static void contradicts(struct pe *pe, uint64_t offset)
{
    if (offset < pe->bad)
        pe->bad = offset;
}

/* Base relocations: blocks that fill their directory. */
static void check_relocations(struct pe *pe)
{
    uint32_t address, size, done = 0;
    uint64_t offset;

    if (!directory(pe, RELOCATIONS, &address, &size) || (offset = offset_of(pe, address, size)) == 0)
        return;
    while (done + 8 <= size) {
        const uint8_t *p = reader_at(pe->reader, offset + done, 8);
        uint32_t length = p != NULL ? field_le32(p + 4) : 0;

        if (p == NULL || length < 8 || (length & 1) != 0 || length > size - done ||
            field_le32(p) > pe->image_size) {
            contradicts(pe, offset + done);
            return;
        }
        done += length;
    }
}

/* x64 exception entries: each a range within the image. They need not ascend: Go's do not. */
static void check_exceptions(struct pe *pe)
{
    uint32_t address, size;
    uint64_t offset;

    if (pe->machine != 0x8664 || !directory(pe, EXCEPTIONS, &address, &size) ||
        (offset = offset_of(pe, address, size)) == 0)
        return;
    for (uint32_t i = 0; i + 12 <= size; i += 12) {
        const uint8_t *p = reader_at(pe->reader, offset + i, 12);
        uint32_t begin = p != NULL ? field_le32(p) : 0, end = p != NULL ? field_le32(p + 4) : 0;

        if (p != NULL && begin == 0 && end == 0)
            return;
        if (p == NULL || end < begin || end > pe->image_size || field_le32(p + 8) > pe->image_size) {
            contradicts(pe, offset + i);
            return;
        }
    }
}

/* The sum of all 16-bit words with the carries added in, the checksum itself left out, plus the length. */
static bool checksum_is_right(struct pe *pe)
{
    uint64_t sum = 0;

    if (pe->at % 4 != 0)
        return false;
    for (uint64_t offset = 0; offset < pe->end; offset += PIECE) {
        size_t size = pe->end - offset < PIECE ? (size_t)(pe->end - offset) : PIECE, i;
        const uint8_t *p = reader_at(pe->reader, offset, size);

        if (p == NULL)
            return false;
        for (i = 0; i + 4 <= size; i += 4)
            sum += field_le32(p + i);
        for (size_t k = 0; i + k < size; k++)
            sum += (uint64_t)p[i + k] << (8 * k);
    }
    sum -= pe->checksum;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)(sum + pe->end) == pe->checksum;
}

/* In the resource directory at `table` the entry with this id, or the first when id is 0; 0: none. */
static uint64_t resource_entry(struct pe *pe, uint64_t root, uint64_t table, uint32_t id)
{
    const uint8_t *p = reader_at(pe->reader, table, 16);
    uint32_t count = p != NULL ? (uint32_t)field_le16(p + 12) + field_le16(p + 14) : 0;

    for (uint32_t i = 0; i < count && i < 512; i++) {
        p = reader_at(pe->reader, table + 16 + 8 * (uint64_t)i, 8);
        if (p == NULL)
            return 0;
        if (id == 0 || field_le32(p) == id)
            return root + (field_le32(p + 4) & 0x7fffffff);
    }
    return 0;
}

static void find_title(struct pe *pe, struct carved *ret)
{
    static const char key[] = "O\0r\0i\0g\0i\0n\0a\0l\0F\0i\0l\0e\0n\0a\0m\0e\0\0";
    uint32_t address, size, length = 0;
    uint64_t root, at, found;
    const uint8_t *p;

    if (!directory(pe, RESOURCES, &address, &size) || (root = offset_of(pe, address, 16)) == 0 ||
        (at = resource_entry(pe, root, root, RESOURCE_VERSION)) == 0 ||
        (at = resource_entry(pe, root, at, 0)) == 0 || (at = resource_entry(pe, root, at, 0)) == 0 ||
        (p = reader_at(pe->reader, at, 8)) == NULL)
        return;
    size = field_le32(p + 4);
    at = offset_of(pe, field_le32(p), size);
    if (at == 0 || size > VERSION_MAX ||
        (found = reader_find(pe->reader, at, at + size, key, sizeof key - 1)) == UINT64_MAX)
        return;
    found = (found + sizeof key + 3) & ~(uint64_t)3;
    while (length < 128 && found + 2 * length + 2 <= at + size &&
           !reader_is(pe->reader, found + 2 * (uint64_t)length, "\0\0", 2))
        length++;
    if (length > 0 && (p = reader_at(pe->reader, found, 2 * (size_t)length)) != NULL)
        carved_title(ret, p, 2 * (size_t)length, "UTF-16LE");
}

static void name_kind(struct pe *pe, struct carved *ret)
{
    uint32_t address, size;

    if (pe->subsystem >= 10 && pe->subsystem <= 13) {
        ret->extension = "efi";
        ret->format = "EFI program";
    } else if (pe->subsystem == 1 && (pe->characteristics & 0x2000) == 0) {
        ret->extension = "sys";
        ret->format = "Windows driver";
    } else if ((pe->characteristics & 0x2000) != 0) {
        ret->extension = "dll";
        ret->format = directory(pe, CLR, &address, &size) ? ".NET library" : "Windows library";
    } else {
        ret->extension = "exe";
        ret->format = directory(pe, CLR, &address, &size) ? ".NET program" : "Windows program";
    }
}

static enum carve_grade examine_pe(struct reader *reader, struct carved *ret)
{
    struct pe pe = {.reader = reader, .bad = UINT64_MAX};

    if (!read_headers(&pe))
        return CARVE_NONE;
    name_kind(&pe, ret);
    add_symbols(&pe);
    add_debug(&pe);
    add_overlay(&pe);
    add_certificates(&pe);
    find_title(&pe, ret);
    if (pe.end > reader_size(reader))
        return carved_partial(ret, reader_size(reader),
                              "the data ends %llu bytes before the last section does",
                              (unsigned long long)(pe.end - reader_size(reader)));
    if (pe.checksum != 0 && checksum_is_right(&pe))
        return carved_whole(ret, CARVE_VALIDATED, pe.end);
    check_relocations(&pe);
    check_exceptions(&pe);
    if (pe.bad == UINT64_MAX)
        return carved_whole(ret, CARVE_COMPLETE, pe.end);
    carved_partial(ret, pe.bad < pe.end ? pe.bad : pe.end, "a table at byte %llu is not what its header says",
                   (unsigned long long)pe.bad);
    ret->size = pe.end;
    return ret->grade;
}

static const struct carve_format pe_format = {"pe", examine_pe};
const struct carve_format *const carve_pe[] = {&pe_format, NULL};
