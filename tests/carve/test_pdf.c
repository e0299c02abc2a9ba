/* PDF documents end at the last %%EOF that their cross-reference sections lead to. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static char file[100000];
static size_t size, offsets[32];

static void text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void text(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size += (size_t)vsnprintf(file + size, sizeof file - size, format, args);
    va_end(args);
}

static void put(const void *data, size_t count)
{
    memcpy(file + size, data, count);
    size += count;
}

static void object(size_t number, const char *body)
{
    offsets[number] = size;
    text("%zu 0 obj\n%s\nendobj\n", number, body);
}

static void stream(size_t number, const char *keys, const void *data, size_t count, bool flate)
{
    uint8_t packed[4096];
    uLongf packed_size = sizeof packed;

    cr_assert(compress(packed, &packed_size, data, count) == Z_OK);
    offsets[number] = size;
    text("%zu 0 obj\n<< /Length %zu %s %s >>\nstream\r\n", number, flate ? (size_t)packed_size : count,
         flate ? "/Filter /FlateDecode" : "", keys);
    put(flate ? packed : data, flate ? (size_t)packed_size : count);
    text("\nendstream\nendobj\n");
}

static size_t table(size_t first, size_t count, const char *trailer)
{
    size_t at = size;

    text("xref\n%zu %zu\n", first, count);
    for (size_t i = first; i < first + count; i++)
        text("%010zu %05d %c \n", i == 0 ? 0 : offsets[i], i == 0 ? 65535 : 0, i == 0 ? 'f' : 'n');
    text("trailer\n<< /Size %zu /Root 1 0 R %s >>\n", first + count, trailer);
    return at;
}

static void end(size_t offset)
{
    text("startxref\n%zu\n%%%%EOF\n", offset);
}

static size_t make(void)
{
    char content[3000];
    size_t at;

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * i % 251);
    size = 0;
    text("%%PDF-1.4\n%%\xe2\xe3\xcf\xd3\n");
    object(1, "<< /Type /Catalog /Pages 2 0 R /Odd (a \\) endobj) /Hex <41 42> >>");
    object(2, "<< /Type /Pages /Kids [] /Count 0 >>");
    stream(3, "", content, sizeof content, true);
    stream(4, "", content, 700, false);
    object(5, "<< /Title (Report \\(draft\\) \\351) /Producer (x) >>");
    at = table(0, 6, "/Info 5 0 R");
    end(at);
    return at;
}

Test(pdf, whole_is_validated_with_its_title)
{
    make();
    cr_assert(harness_holds("pdf", file, size, CARVE_VALIDATED, size - 1)); /* its last end of line */
    cr_assert_str_eq(harness_examine("pdf", file, size).title, "Report (draft) \xc3\xa9");
}

static void make_updated(void)
{
    size_t first = make();
    char prev[64];

    snprintf(prev, sizeof prev, "/Info 5 0 R /Prev %zu", first);
    object(5, "<< /Title <FEFF10D010D1> >>");
    end(table(5, 1, prev));
}

Test(pdf, a_later_revision_belongs_to_it)
{
    struct carved carved;

    make_updated();
    carved = harness_examine("pdf", file, size);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, size);
    cr_assert_str_eq(carved.title, "\xe1\x83\x90\xe1\x83\x91");
}

Test(pdf, the_tail_of_an_older_file_behind_it_does_not_belong_to_it)
{
    size_t first = make(), whole = size;
    struct carved carved;

    object(6, "<< /Left (over) >>");
    end(table(5, 2, ""));
    carved = harness_examine("pdf", file, size);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, whole);

    size = whole;
    object(6, "<< /Left (over) >>");
    end(first);
    cr_assert_eq(harness_examine("pdf", file, size).size, whole);
}

Test(pdf, a_later_revision_that_is_cut_leaves_it_partial)
{
    struct carved carved;
    size_t first;

    make();
    first = size;
    make_updated();
    carved = harness_examine("pdf", file, first + 60);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert(carved.good >= first && carved.good <= first + 60);
}

Test(pdf, two_back_to_back_are_two)
{
    size_t whole;

    make();
    whole = size;
    memcpy(file + whole, file, whole);
    cr_assert_eq(harness_examine("pdf", file, 2 * whole).size, whole);
    cr_assert_eq(harness_examine("pdf", file, 2 * whole).grade, CARVE_VALIDATED);
}

Test(pdf, a_linearized_one_does_not_end_at_its_first_end)
{
    size_t first, main_table;
    char prev[64];

    size = 0;
    text("%%PDF-1.4\n");
    object(4, "<< /Linearized 1 /L 9999 >>");
    offsets[5] = 0;
    first = size;
    /* The sizes of these do not depend on the numbers in them. */
    for (int round = 0; round < 2; round++) {
        size = first;
        snprintf(prev, sizeof prev, "/Prev %010zu", round == 0 ? (size_t)0 : main_table);
        table(4, 2, prev);
        end(0);
        object(5, "<< /Type /Page >>");
        object(1, "<< /Type /Catalog >>");
        object(2, "<< >>");
        object(3, "<< >>");
        main_table = table(0, 4, "");
    }
    end(first);
    cr_assert(harness_holds("pdf", file, size, CARVE_VALIDATED, size - 1));
}

static void make_xref_stream(bool predictor)
{
    uint8_t rows[256];
    size_t n = 0, width = 4 + (predictor ? 1 : 0);

    size = 0;
    text("%%PDF-1.5\n");
    object(1, "<< /Type /Catalog >>");
    object(2, "<< >>");
    offsets[3] = size;
    for (size_t i = 0; i < 4; i++) {
        uint8_t row[4] = {i > 0, (uint8_t)(offsets[i] >> 8), (uint8_t)offsets[i], 0};

        if (predictor)
            rows[n++] = i == 0 ? 0 : 2;
        for (size_t k = 0; k < 4; k++) {
            uint8_t above = i == 0 || !predictor ? 0
                                                 : (uint8_t[]){i > 1, (uint8_t)(offsets[i - 1] >> 8),
                                                               (uint8_t)offsets[i - 1], 0}[k];

            rows[n++] = (uint8_t)(row[k] - above);
        }
    }
    cr_assert_eq(n, 4 * width);
    stream(3,
           predictor
               ? "/Type /XRef /Size 4 /W [1 2 1] /Root 1 0 R /DecodeParms << /Columns 4 /Predictor 12 >>"
               : "/Type /XRef /Size 4 /W [ 1 2 1 ] /Root 1 0 R",
           rows, n, true);
    end(offsets[3]);
}

Test(pdf, cross_reference_streams_are_checked)
{
    for (int predictor = 0; predictor < 2; predictor++) {
        offsets[0] = 0;
        make_xref_stream(predictor == 1);
        cr_assert(harness_holds("pdf", file, size, CARVE_VALIDATED, size - 1));
        memcpy(file + offsets[2], "9", 1);
        cr_assert_eq(harness_examine("pdf", file, size).grade, CARVE_COMPLETE);
    }
}

Test(pdf, damaged_stream_data_is_not_validated)
{
    make();
    file[offsets[3] + 90] ^= 0x40;
    cr_assert_eq(harness_examine("pdf", file, size).grade, CARVE_COMPLETE);
}

Test(pdf, an_end_that_is_off_by_sectors_is_a_gap_and_by_bytes_a_mistake)
{
    struct carved carved;
    static char gap[20000];
    size_t cut, at;

    make();
    cut = offsets[4] + 300;
    memcpy(gap, file, cut);
    memset(gap + cut, 'x', 1024);
    memcpy(gap + cut + 1024, file + cut, size - cut);
    carved = harness_examine("pdf", gap, size + 1024);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert(carved.good > offsets[4] && carved.good <= cut, "good %zu", (size_t)carved.good);
    carved = harness_examine_split("pdf", file, size, cut, 1024);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);

    at = make();
    size -= sizeof "startxref\n0000\n%%EOF\n" - 1;
    end(at - 7);
    carved = harness_examine("pdf", file, size);
    cr_assert_eq(carved.grade, CARVE_COMPLETE);
    cr_assert_eq(carved.size, size);
}

Test(pdf, a_word_in_a_text_is_none)
{
    static const char mention[] = "%PDF-1.4 is what a PDF begins with\n and then 1 0 obj comes";

    cr_assert_eq(harness_examine("pdf", mention, sizeof mention - 1).grade, CARVE_NONE);
}
