/*
 * ole2_kind: what a Compound File is for, by its streams' names and its root's class, its title [MS-OLEPS,
 * property set \005SummaryInformation; MS-OXMSG, property 0037], and the contents whose own structure shows
 * that their sectors are where they should be: Excel's records [MS-XLS 2.1.4], PowerPoint's [MS-PPT 2.3.1],
 * and Word's formatted disk pages [MS-DOC 2.9.33, 2.9.175].
 */
#include "plugins/carve/formats/ole2.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { RECORDS_MAX = 1 << 22, SUMMARY = 4096, PAGE = 512 };

static const struct {
    const char *stream, *extension, *format;
} kinds[] = {
    {"WordDocument", "doc", "Word document"},
    {"Workbook", "xls", "Excel workbook"},
    {"Book", "xls", "Excel workbook (5.0)"},
    {"PowerPoint Document", "ppt", "PowerPoint presentation"},
    {"__properties_version1.0", "msg", "Outlook message"},
    {"VisioDocument", "vsd", "Visio drawing"},
    {"Quill", "pub", "Publisher document"},
    {"HwpSummaryInformation", "hwp", "Hangul document"},
    {"\005HwpSummaryInformation", "hwp", "Hangul document"},
    {"EncryptedPackage", "ole", "encrypted Office Open XML document"},
    {"DestList", "automaticDestinations-ms", "Windows jump list"},
    {"Catalog", "db", "Windows thumbnail store (Thumbs.db)"},
    {"MatOST", "wps", "Works document"},
    {"StarWriterDocument", "sdw", "StarWriter document"},
    {"StarCalcDocument", "sdc", "StarCalc spreadsheet"},
    {"StarDrawDocument3", "sdd", "StarOffice presentation"},
};

static const struct {
    uint8_t id[16];
    const char *extension, *format;
} classes[] = {
    {{0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, "msi", "Windows Installer package"},
    {{0x86, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, "msp", "Windows Installer patch"},
    {{0x82, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}, "mst", "Windows Installer transform"},
};

static const struct ole2_entry *find(const struct ole2 *ole2, const char *name)
{
    for (size_t i = 0; i < ole2->entry_count; i++) {
        if (ole2->entries[i].type == 2 && strcmp(ole2->entries[i].name, name) == 0)
            return &ole2->entries[i];
    }
    return NULL;
}

static void tell(const struct ole2 *ole2, struct carved *ret)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (memcmp(ole2->entries[0].class_id, classes[i].id, 16) == 0) {
            ret->extension = classes[i].extension;
            ret->format = classes[i].format;
            return;
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (find(ole2, kinds[i].stream) != NULL) {
            ret->extension = kinds[i].extension;
            ret->format = kinds[i].format;
            return;
        }
    }
}

/* Records of a 16-bit type and length each, from the beginning of a substream to the zeros that fill up the
 * stream. */
static void prove_excel(struct ole2_stream *stream)
{
    uint64_t at = 0;
    uint8_t head[4];

    for (int i = 0; i < RECORDS_MAX && ole2_read(stream, at, head, 4); i++) {
        bool right = field_le16(head + 2) <= 8228 && (at > 0 || (head[0] == 0x09 && head[1] <= 8));

        if (at > 0 && field_le32(head) == 0)
            return;
        ole2_prove(stream, at, right);
        if (!right)
            return;
        at += 4u + field_le16(head + 2);
    }
}

/* Records with versions, types and 32-bit lengths; those of version 15 hold others. */
static void prove_powerpoint(struct ole2_stream *stream)
{
    uint64_t at = 0;
    uint8_t head[8];

    for (int i = 0; i < RECORDS_MAX && ole2_read(stream, at, head, 8); i++) {
        unsigned type = field_le16(head + 2);
        bool right = field_le32(head + 4) <= stream->size - at - 8 &&
                     ((type >= 0x3e8 && type <= 0x3000) || (type >= 0xf000 && type <= 0xf200));

        ole2_prove(stream, at, right);
        if (!right)
            return;
        at += 8;
        if ((head[0] & 0x0f) != 0x0f)
            at += field_le32(head + 4);
    }
}

/* The pages that the table at `offset` of the table stream lists begin and end with the characters that it
 * says. */
static void prove_pages(struct ole2_stream *document, struct ole2_stream *table, uint64_t offset,
                        uint32_t size)
{
    uint32_t count = size >= 4 ? (size - 4) / 8 : 0;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t range[8], number[4], first[4], last[4], runs = 0;
        uint64_t page;

        if (!ole2_read(table, offset + 4 * (uint64_t)i, range, 8) ||
            !ole2_read(table, offset + 4 * ((uint64_t)count + 1 + i), number, 4))
            return;
        page = (uint64_t)(field_le32(number) & 0x3fffff) * PAGE;
        if (!ole2_read(document, page + PAGE - 1, &runs, 1) || runs > 100 ||
            !ole2_read(document, page, first, 4) || !ole2_read(document, page + 4u * runs, last, 4))
            return;
        if (runs > 0 && memcmp(first, range, 4) == 0 && memcmp(last, range + 4, 4) == 0)
            ole2_prove(document, page + PAGE - 1, true);
    }
}

static void prove_word(struct ole2 *ole2, struct ole2_stream *mini, struct ole2_stream *document)
{
    uint8_t fib[0x10a];
    const struct ole2_entry *entry;
    struct ole2_stream table = {0};

    if (!ole2_read(document, 0, fib, sizeof fib))
        return;
    ole2_prove(document, 0, (fib[0] == 0xec || fib[0] == 0xdc) && fib[1] == 0xa5);
    if (fib[0] != 0xec || (fib[0x0b] & 1) != 0)
        return; /* Word 6, which has its tables elsewhere, or encrypted */
    entry = find(ole2, (fib[0x0b] & 2) != 0 ? "1Table" : "0Table");
    if (entry != NULL && ole2_open(ole2, entry, mini, &table)) {
        prove_pages(document, &table, field_le32(fib + 0xfa), field_le32(fib + 0xfe));
        prove_pages(document, &table, field_le32(fib + 0x102), field_le32(fib + 0x106));
    }
    ole2_close(&table);
}

static void prove_contents(struct ole2 *ole2, struct ole2_stream *mini)
{
    for (size_t i = 0; i < ole2->entry_count; i++) {
        const struct ole2_entry *entry = &ole2->entries[i];
        struct ole2_stream stream = {0};

        if (entry->type == 2 && (entry->size >= 4096 || mini != NULL) &&
            ole2_open(ole2, entry, mini, &stream)) {
            if (strcmp(entry->name, "Workbook") == 0)
                prove_excel(&stream);
            else if (strcmp(entry->name, "PowerPoint Document") == 0)
                prove_powerpoint(&stream);
            else if (strcmp(entry->name, "WordDocument") == 0)
                prove_word(ole2, mini, &stream);
        }
        ole2_close(&stream);
    }
}

/* A title in a code page: UTF-8 and UTF-16 as they are, Windows' Cyrillic and Latin letters as UTF-8. */
static void page_title(struct carved *ret, const uint8_t *text, size_t size, unsigned page)
{
    uint8_t utf8[2 * SUMMARY];
    size_t out = 0;

    size = size < SUMMARY ? size : SUMMARY;
    if (page == 1200) {
        carved_title(ret, text, size, "UTF-16LE");
        return;
    }
    for (size_t i = 0; i < size && text[i] != 0; i++) {
        unsigned c = text[i];

        c = page == 1251 && c >= 0xc0 ? c - 0xc0 + 0x410 : c;
        if (c >= 0x80 && page != 65001)
            utf8[out++] = (uint8_t)(0xc0 | c >> 6);
        utf8[out++] = (uint8_t)(c >= 0x80 && page != 65001 ? 0x80 | (c & 0x3f) : c);
    }
    carved_title(ret, utf8, out, "UTF-8");
}

static void summary_title(const uint8_t *set, size_t size, struct carved *ret)
{
    uint32_t section = size >= 48 ? field_le32(set + 44) : UINT32_MAX, count, page = 1252;
    const uint8_t *p;

    if (size < 48 || section > size - 8 || section < 48)
        return;
    count = field_le32(set + section + 4);
    for (uint32_t i = 0; i < count && i < 64 && section + 16 + 8 * (size_t)i <= size; i++) {
        uint32_t id = field_le32(set + section + 8 + 8 * i), at = field_le32(set + section + 12 + 8 * i),
                 length;

        if (at > size - section || size - section - at < 8)
            continue;
        p = set + section + at;
        length = field_le32(p + 4);
        if (id == 1 && field_le32(p) == 2)
            page = field_le16(p + 4);
        length = field_le32(p) == 0x1f && length < SUMMARY ? 2 * length : length;
        if (id == 2 && (field_le32(p) == 0x1e || field_le32(p) == 0x1f) && length <= size - section - at - 8)
            page_title(ret, p + 8, length, field_le32(p) == 0x1f ? 1200 : page);
    }
}

static void take_title(struct ole2 *ole2, struct ole2_stream *mini, struct carved *ret)
{
    const struct ole2_entry *entry = find(ole2, "\005SummaryInformation"), *subject;
    struct ole2_stream stream = {0};
    uint8_t text[SUMMARY];
    size_t size;

    subject = find(ole2, "__substg1.0_0037001F");
    entry = subject != NULL ? subject : entry;
    if (entry == NULL || (entry->size < 4096 && mini == NULL))
        return;
    size = entry->size < sizeof text ? (size_t)entry->size : sizeof text;
    if (ole2_open(ole2, entry, mini, &stream) && size > 0 && ole2_read(&stream, 0, text, size)) {
        if (entry == subject)
            carved_title(ret, text, size, "UTF-16LE");
        else
            summary_title(text, size, ret);
    }
    ole2_close(&stream);
}

void ole2_kind(struct ole2 *ole2, struct ole2_stream *mini, struct carved *ret)
{
    tell(ole2, ret);
    prove_contents(ole2, mini);
    take_title(ole2, mini, ret);
}
