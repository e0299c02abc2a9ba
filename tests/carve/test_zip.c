/* ZIP archives are followed from member to member, and all data in them is inflated. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { DEFLATE = 1, DESCRIPTOR = 2, UNSIGNED = 4, ZIP64 = 8, ENCRYPTED = 16 };

static uint8_t file[300000], directory[65536];
static size_t size, directory_size, members;
static size_t shift; /* what offsets in the directory are too large by */

static size_t le(uint8_t *to, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] = (uint8_t)(value >> (8 * i));
    return width;
}

static void put(const void *data, size_t count)
{
    memcpy(file + size, data, count);
    size += count;
}

static void put_le(uint64_t value, size_t width)
{
    size += le(file + size, value, width);
}

static void begin(void)
{
    size = directory_size = members = shift = 0;
}

static void list(const char *name, size_t offset, uint32_t method, uint32_t crc, size_t packed, size_t whole)
{
    uint8_t *p = directory + directory_size;

    memset(p, 0, 46);
    memcpy(p, "PK\1\2\24\0\24\0", 8);
    le(p + 10, method, 2);
    le(p + 16, crc, 4);
    le(p + 20, packed, 4);
    le(p + 24, whole, 4);
    le(p + 28, strlen(name), 2);
    le(p + 42, offset + shift, 4);
    memcpy(p + 46, name, strlen(name));
    directory_size += 46 + strlen(name);
    members++;
}

static void add(const char *name, const void *data, size_t count, unsigned how)
{
    static uint8_t packed[200000];
    z_stream z = {
        .next_in = (Bytef *)data, .avail_in = (uInt)count, .next_out = packed, .avail_out = sizeof packed};
    uint32_t crc = (uint32_t)crc32(0, data, (uInt)count), method = (how & DEFLATE) != 0 ? 8 : 0;
    size_t offset = size, packed_size = count;
    bool later = (how & DESCRIPTOR) != 0, wide = (how & ZIP64) != 0;

    memcpy(packed, data, (how & DEFLATE) != 0 ? 0 : count);
    if ((how & DEFLATE) != 0) {
        cr_assert(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, 0) == Z_OK &&
                  deflate(&z, Z_FINISH) == Z_STREAM_END);
        packed_size = z.total_out;
        deflateEnd(&z);
    }
    put("PK\3\4\24\0", 6);
    put_le((later ? 8u : 0) | ((how & ENCRYPTED) != 0 ? 1u : 0), 2);
    put_le(method, 2);
    put_le(0x5a5a5a5a, 4);
    put_le(later ? 0 : crc, 4);
    put_le(wide ? UINT32_MAX : later ? 0 : packed_size, 4);
    put_le(wide ? UINT32_MAX : later ? 0 : count, 4);
    put_le(strlen(name), 2);
    put_le(wide ? 20 : 0, 2);
    put(name, strlen(name));
    if (wide) {
        put_le(1, 2);
        put_le(16, 2);
        put_le(later ? 0 : count, 8);
        put_le(later ? 0 : packed_size, 8);
    }
    put(packed, packed_size);
    if (later) {
        put("PK\7\x8", (how & UNSIGNED) != 0 ? 0 : 4);
        put_le(crc, 4);
        put_le(packed_size, wide ? 8 : 4);
        put_le(count, wide ? 8 : 4);
    }
    list(name, offset, method, crc, packed_size, count);
}

static void end(const char *comment, bool wide)
{
    size_t offset = size;

    put(directory, directory_size);
    if (wide) {
        size_t end64 = size;

        put("PK\6\6", 4);
        put_le(44, 8);
        put_le(0x2d002d, 4);
        put_le(0, 8);
        put_le(members, 8);
        put_le(members, 8);
        put_le(directory_size, 8);
        put_le(offset, 8);
        put("PK\6\7\0\0\0\0", 8);
        put_le(end64, 8);
        put_le(1, 4);
    }
    put("PK\5\6\0\0\0\0", 8);
    put_le(wide ? UINT16_MAX : members, 2);
    put_le(wide ? UINT16_MAX : members, 2);
    put_le(wide ? UINT32_MAX : directory_size, 4);
    put_le(wide ? UINT32_MAX : offset + shift, 4);
    put_le(strlen(comment), 2);
    put(comment, strlen(comment));
}

static const char poem[] = "tyger tyger burning bright in the forests of the night tyger tyger burning";

static void make_plain(void)
{
    begin();
    add("folder/", "", 0, 0);
    add("a.txt", poem, sizeof poem, DEFLATE);
    add("b.txt", poem, sizeof poem, 0);
    end("a comment", false);
}

Test(zip, whole_is_validated_and_a_prefix_never_is)
{
    make_plain();
    cr_assert(harness_holds("zip", file, size, CARVE_VALIDATED, size));
}

Test(zip, descriptors_of_all_four_forms_are_followed)
{
    for (unsigned form = 0; form < 4; form++) {
        unsigned how = DESCRIPTOR | ((form & 1) != 0 ? UNSIGNED : 0) | ((form & 2) != 0 ? ZIP64 : 0);

        begin();
        add("a.txt", poem, sizeof poem, DEFLATE | how);
        add("empty", "", 0, DEFLATE | how);
        add("b.txt", poem, sizeof poem, (form & 1) != 0 ? DEFLATE | how : how);
        end("", false);
        cr_assert(harness_holds("zip", file, size, CARVE_VALIDATED, size), "form %u", form);
    }
}

Test(zip, zip64_is_followed)
{
    begin();
    add("a.txt", poem, sizeof poem, DEFLATE | ZIP64);
    end("", true);
    cr_assert(harness_holds("zip", file, size, CARVE_VALIDATED, size));
}

Test(zip, long_runs_inflate_to_their_last_byte)
{
    static uint8_t zeros[140000];

    for (size_t n = 1; n < sizeof zeros; n += n < 66000 && n > 65000 ? 37 : 3001) {
        struct carved carved;

        begin();
        add("zeros", zeros, n, DEFLATE);
        end("", false);
        carved = harness_examine("zip", file, size);
        cr_assert_eq(carved.grade, CARVE_VALIDATED, "%zu zeros: %s", n, carved.lacks);
    }
}

Test(zip, every_flipped_byte_of_data_and_crcs_is_seen)
{
    make_plain();
    for (size_t at = 0; at < size - 11; at++) {
        bool time = false;
        struct carved carved;

        file[at] ^= 0x10;
        carved = harness_examine("zip", file, size);
        file[at] ^= 0x10;
        /* Versions, times, attributes and flags of the directory are nobody's to check. */
        for (size_t i = 0; i + 4 <= size; i++) {
            if (memcmp(file + i, "PK\3\4", 4) == 0)
                time |= (at >= i + 4 && at < i + 8) || (at >= i + 10 && at < i + 14);
            if (memcmp(file + i, "PK\1\2", 4) == 0)
                time |= (at >= i + 4 && at < i + 10) || (at >= i + 12 && at < i + 16) ||
                        (at >= i + 34 && at < i + 42);
            if (memcmp(file + i, "PK\5\6", 4) == 0)
                time |= at >= i + 8 && at < i + 10;
        }
        cr_assert(time || carved.grade < CARVE_VALIDATED, "byte %zu", at);
    }
}

Test(zip, encrypted_members_leave_it_complete)
{
    begin();
    add("a.txt", poem, sizeof poem, DEFLATE | ENCRYPTED);
    add("b.txt", poem, sizeof poem, DEFLATE | ENCRYPTED | DESCRIPTOR);
    end("", false);
    cr_assert(harness_holds("zip", file, size, CARVE_COMPLETE, size));
}

Test(zip, a_comment_that_is_no_text_leaves_it_complete)
{
    begin();
    add("a.txt", poem, sizeof poem, DEFLATE);
    end("text\001\002", false);
    cr_assert_eq(harness_examine("zip", file, size).grade, CARVE_COMPLETE);
    begin();
    add("a.txt", poem, sizeof poem, DEFLATE);
    end("text\r\n\xe1\x83\x90", false);
    cr_assert_eq(harness_examine("zip", file, size).grade, CARVE_VALIDATED);
}

Test(zip, the_end_of_a_larger_archive_is_partial)
{
    struct carved carved;

    make_plain();
    carved = harness_examine("zip", file + 37, size - 37);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_str_eq(carved.lacks, "the archive begins 37 bytes before this");
}

Test(zip, an_archive_cut_before_another_ends_where_that_begins)
{
    static uint8_t two[2000];
    struct carved carved;
    size_t first;

    make_plain();
    first = size - directory_size - 31;
    memcpy(two, file, first);
    memcpy(two + first, file, size);
    carved = harness_examine("zip", two, first + size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, first);
}

Test(zip, damaged_data_is_cut_before_its_member)
{
    struct carved carved;

    make_plain();
    file[80] ^= 0x55;
    carved = harness_examine("zip", file, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert(carved.good >= 37 && carved.good <= 80, "good %llu", (unsigned long long)carved.good);
}

Test(zip, two_pieces_read_as_one)
{
    make_plain();
    cr_assert_eq(harness_examine_split("zip", file, size, 90, 4096).grade, CARVE_VALIDATED);
}

static void put_noise(uint8_t *to, size_t count)
{
    uint32_t x = 7;

    for (size_t i = 0; i < count; i++) {
        x = x * 1664525 + 1013904223;
        to[i] = (uint8_t)(x >> 24);
    }
}

/* Four members of 30,000 bytes that do not compress, `how` they are stored. */
static void make_long(unsigned how)
{
    static uint8_t content[30000];

    begin();
    for (int i = 0; i < 4; i++) {
        put_noise(content, sizeof content);
        content[0] = (uint8_t)i;
        add(i == 0 ? "one" : i == 1 ? "two" : i == 2 ? "three" : "four", content, sizeof content, how);
    }
    end("", false);
}

Test(zip, two_pieces_apart_are_put_together)
{
    static const unsigned hows[] = {0, DEFLATE, DEFLATE | DESCRIPTOR};

    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        make_long(hows[i]);
        for (size_t split = 4096; split < size; split += 4096)
            cr_expect(harness_mends("zip", file, size, split, 3), "%u: broken at byte %zu of %zu", hows[i],
                      split, size);
    }
}

Test(zip, a_directory_in_two_pieces_is_put_together)
{
    char name[200];

    begin();
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%0190d", i);
        add(name, poem, sizeof poem, DEFLATE);
    }
    end("", false);
    cr_assert_gt(directory_size, 4 * 4096);
    for (size_t split = 4096; split < size; split += 4096)
        cr_expect(harness_mends("zip", file, size, split, 3), "broken at byte %zu of %zu", split, size);
}

static struct carved broken_at(size_t at)
{
    static uint8_t cut[sizeof file];

    memcpy(cut, file, size);
    put_noise(cut + at, size - at);
    return harness_examine("zip", cut, size);
}

/* Where the break can be, and the header that must follow wherever it is. */
Test(zip, the_break_lies_where_it_is_said_to)
{
    static const unsigned hows[] = {0, DEFLATE, DEFLATE | DESCRIPTOR};

    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        make_long(hows[i]);
        for (size_t at = 4096; at < size - 4096; at += 4096) {
            struct carved carved = broken_at(at);

            cr_expect(carved.grade == CARVE_PARTIAL || at < 32768);
            cr_expect(carved.good <= at && at <= carved.broken, "%u: %zu is not in [%zu, %zu]", hows[i], at,
                      (size_t)carved.good, (size_t)carved.broken);
            cr_expect(carved.next == 0 || memcmp(file + carved.next, "PK", 2) == 0, "%u: next %zu", hows[i],
                      (size_t)carved.next);
            cr_expect(carved.next != 0 || hows[i] == (DEFLATE | DESCRIPTOR) ||
                      memmem(file + at - 40, 40, "PK\3\4", 4) != NULL);
        }
    }
}

static void check_kind(const char *extension, const char *title)
{
    struct carved carved;

    end("", false);
    carved = harness_examine("zip", file, size);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_str_eq(carved.extension, extension);
    cr_assert_str_eq(carved.title, title);
    begin();
}

Test(zip, kinds_and_titles_are_told)
{
    static const char core[] =
        "<cp:coreProperties><dc:title>R &amp; D \xe1\x83\x99</dc:title></cp:coreProperties>";
    static const char meta[] = "<office:meta><dc:title>Plan</dc:title></office:meta>";
    static const char macro[] =
        "<Override ContentType=\"application/vnd.ms-excel.sheet.macroEnabled.main+xml\"/>";

    begin();
    add("[Content_Types].xml", "<Types/>", 8, DEFLATE);
    add("word/document.xml", "<w/>", 4, DEFLATE);
    add("docProps/core.xml", core, sizeof core - 1, DEFLATE);
    check_kind("docx", "R & D \xe1\x83\x99");
    add("[Content_Types].xml", macro, sizeof macro - 1, DEFLATE);
    add("xl/workbook.xml", "<x/>", 4, 0);
    check_kind("xlsm", "");
    add("mimetype", "application/vnd.oasis.opendocument.spreadsheet", 46, 0);
    add("meta.xml", meta, sizeof meta - 1, 0);
    check_kind("ods", "Plan");
    add("AndroidManifest.xml", "x", 1, 0);
    add("META-INF/MANIFEST.MF", "x", 1, 0);
    check_kind("apk", "");
    add("META-INF/MANIFEST.MF", "x", 1, 0);
    check_kind("jar", "");
    add("doc.kml", "<kml/>", 6, 0);
    check_kind("kmz", "");
}
