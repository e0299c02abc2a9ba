/*
 * pdf_font: ToUnicode maps and encodings. [ISO 32000-1: 9.10.3; Adobe TN 5411; Adobe Glyph List for New
 * Fonts]
 */
#include "plugins/text/pdf_font.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 70000, TARGET_MAX = 8, TOKEN_MAX = 64 };

/* Codes first to last; what stands for `first` counts up with them. */
struct entry {
    uint32_t first, last;
    uint8_t units;               /* of `target` */
    uint16_t target[TARGET_MAX]; /* UTF-16 */
};

struct pdf_font {
    const struct charset *latin;
    bool wide;
    unsigned width;       /* bytes of a code */
    uint16_t glyphs[256]; /* 0: as Latin */
    struct entry *entries;
    size_t count, capacity;
    bool sorted;
};

struct pdf_font *pdf_font_new(const struct charsets *charsets, bool wide)
{
    struct pdf_font *font = calloc(1, sizeof *font);

    if (font == NULL)
        return NULL;
    font->latin = charset_find(charsets, "windows-1252", 12);
    font->wide = wide;
    font->width = wide ? 2 : 1;
    return font;
}

void pdf_font_free(struct pdf_font *font)
{
    if (font == NULL)
        return;
    free(font->entries);
    free(font);
}

/* ------------------------------------------------------------------ maps */

struct map {
    const uint8_t *data;
    size_t size, at;
    uint8_t bytes[TOKEN_MAX]; /* of a hex string */
    size_t byte_count;
    char word[TOKEN_MAX];
};

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* '<' a hex string, '[' ']' brackets, 'w' a word, 0 the end. */
static char next(struct map *map)
{
    size_t length = 0;
    int high = -1;

    while (map->at < map->size && (map->data[map->at] <= ' ' || map->data[map->at] == '>'))
        map->at++;
    if (map->at >= map->size)
        return 0;
    if (map->data[map->at] == '[' || map->data[map->at] == ']')
        return (char)map->data[map->at++];
    if (map->data[map->at] == '<') {
        map->byte_count = 0;
        for (map->at++; map->at < map->size && map->data[map->at] != '>' && map->data[map->at] != '<';
             map->at++) {
            int digit = hex_digit(map->data[map->at]);

            if (digit >= 0 && high >= 0 && map->byte_count < TOKEN_MAX)
                map->bytes[map->byte_count++] = (uint8_t)(high << 4 | digit);
            if (digit >= 0)
                high = high >= 0 ? -1 : digit;
        }
        return '<';
    }
    do {
        if (length + 1 < TOKEN_MAX)
            map->word[length++] = (char)map->data[map->at];
        map->at++;
    } while (map->at < map->size && map->data[map->at] > ' ' && strchr("<>[]", map->data[map->at]) == NULL);
    map->word[length] = '\0';
    return 'w';
}

static uint32_t code_of(const struct map *map)
{
    uint32_t code = 0;

    for (size_t i = 0; i < map->byte_count && i < 4; i++)
        code = code << 8 | map->bytes[i];
    return code;
}

static void add(struct pdf_font *font, uint32_t first, uint32_t last, const struct map *map)
{
    struct entry entry = {.first = first, .last = last};

    if (font->count >= ENTRIES_MAX || last < first || last - first > 0xffff)
        return;
    for (size_t i = 0; i + 1 < map->byte_count && entry.units < TARGET_MAX; i += 2)
        entry.target[entry.units++] = (uint16_t)(map->bytes[i] << 8 | map->bytes[i + 1]);
    if (map->byte_count == 1)
        entry.target[entry.units++] = map->bytes[0];
    if (font->count == font->capacity) {
        size_t capacity = font->capacity == 0 ? 256 : font->capacity * 2;
        struct entry *entries = reallocarray(font->entries, capacity, sizeof entries[0]);

        if (entries == NULL)
            return;
        font->entries = entries;
        font->capacity = capacity;
    }
    font->entries[font->count++] = entry;
}

static void take_chars(struct pdf_font *font, struct map *map)
{
    while (next(map) == '<') {
        uint32_t code = code_of(map);

        if (next(map) != '<')
            return;
        add(font, code, code, map);
    }
}

static void take_ranges(struct pdf_font *font, struct map *map)
{
    while (next(map) == '<') {
        uint32_t first = code_of(map), last;
        char kind;

        if (next(map) != '<')
            return;
        last = code_of(map);
        kind = next(map);
        if (kind == '<') {
            add(font, first, last, map);
            continue;
        }
        if (kind != '[')
            return;
        while ((kind = next(map)) == '<') {
            if (first <= last)
                add(font, first, first, map);
            first++;
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct entry *one = a, *two = b;

    return one->first < two->first ? -1 : one->first > two->first;
}

void pdf_font_map(struct pdf_font *font, const uint8_t *data, size_t size)
{
    struct map map = {.data = data, .size = size};
    char kind;

    while ((kind = next(&map)) != 0) {
        if (kind != 'w')
            continue;
        if (strcmp(map.word, "beginbfchar") == 0)
            take_chars(font, &map);
        else if (strcmp(map.word, "beginbfrange") == 0)
            take_ranges(font, &map);
        else if (strcmp(map.word, "begincodespacerange") == 0 && next(&map) == '<' && map.byte_count >= 1 &&
                 map.byte_count <= 4 && font->wide)
            font->width = (unsigned)map.byte_count;
    }
    if (font->count > 1)
        qsort(font->entries, font->count, sizeof font->entries[0], compare);
}

/* ------------------------------------------------------------------ glyphs */

static const struct {
    const char *name;
    uint16_t code;
} glyph_names[] = {
    {"space", ' '},
    {"comma", ','},
    {"period", '.'},
    {"hyphen", '-'},
    {"colon", ':'},
    {"semicolon", ';'},
    {"exclam", '!'},
    {"question", '?'},
    {"quotesingle", '\''},
    {"quotedbl", '"'},
    {"parenleft", '('},
    {"parenright", ')'},
    {"bracketleft", '['},
    {"bracketright", ']'},
    {"slash", '/'},
    {"backslash", '\\'},
    {"at", '@'},
    {"numbersign", '#'},
    {"percent", '%'},
    {"ampersand", '&'},
    {"plus", '+'},
    {"minus", 0x2212},
    {"equal", '='},
    {"less", '<'},
    {"greater", '>'},
    {"underscore", '_'},
    {"asterisk", '*'},
    {"dollar", '$'},
    {"zero", '0'},
    {"one", '1'},
    {"two", '2'},
    {"three", '3'},
    {"four", '4'},
    {"five", '5'},
    {"six", '6'},
    {"seven", '7'},
    {"eight", '8'},
    {"nine", '9'},
    {"endash", 0x2013},
    {"emdash", 0x2014},
    {"quoteleft", 0x2018},
    {"quoteright", 0x2019},
    {"quotedblleft", 0x201c},
    {"quotedblright", 0x201d},
    {"bullet", 0x2022},
    {"ellipsis", 0x2026},
    {"fi", 0xfb01},
    {"fl", 0xfb02},
    {"ff", 0xfb00},
    {"adieresis", 0xe4},
    {"odieresis", 0xf6},
    {"udieresis", 0xfc},
    {"Adieresis", 0xc4},
    {"Odieresis", 0xd6},
    {"Udieresis", 0xdc},
    {"germandbls", 0xdf},
    {"eacute", 0xe9},
    {"egrave", 0xe8},
    {"agrave", 0xe0},
    {"ccedilla", 0xe7},
    {"nbspace", ' '},
    {"section", 0xa7},
    {"degree", 0xb0},
    {"Euro", 0x20ac},
};

static uint16_t hex_name(const char *digits)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit((uint8_t)digits[i]);

        if (digit < 0)
            return 0;
        code = code << 4 | (uint32_t)digit;
    }
    return (uint16_t)code;
}

/* afii10017 to 10049 are the capital Cyrillic letters, 10065 to 10097 the small ones, with io where it stands
 * in the alphabet. */
static uint16_t afii(int number)
{
    if (number == 10023 || number == 10071)
        return number == 10023 ? 0x0401 : 0x0451;
    if (number >= 10017 && number <= 10049)
        return (uint16_t)(0x0410 + number - 10017 - (number > 10023));
    if (number >= 10065 && number <= 10097)
        return (uint16_t)(0x0430 + number - 10065 - (number > 10071));
    return 0;
}

void pdf_font_glyph(struct pdf_font *font, uint8_t code, const char *name)
{
    if (strlen(name) == 1)
        font->glyphs[code] = (uint8_t)name[0];
    else if (strncmp(name, "uni", 3) == 0 && strlen(name) >= 7)
        font->glyphs[code] = hex_name(name + 3);
    else if (strncmp(name, "afii", 4) == 0)
        font->glyphs[code] = afii(atoi(name + 4));
    else if (name[0] == 'u' && strlen(name) == 5)
        font->glyphs[code] = hex_name(name + 1);
    for (size_t i = 0; i < sizeof glyph_names / sizeof glyph_names[0]; i++) {
        if (strcmp(name, glyph_names[i].name) == 0)
            font->glyphs[code] = glyph_names[i].code;
    }
}

/* ------------------------------------------------------------------ strings */

/* The last entry that begins at or before `code` and reaches it. */
static const struct entry *find(const struct pdf_font *font, uint32_t code)
{
    size_t low = 0, high = font->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (font->entries[middle].first <= code)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && code <= font->entries[low - 1].last ? &font->entries[low - 1] : NULL;
}

static void put_entry(const struct entry *entry, uint32_t code, struct output *output)
{
    uint32_t high = 0;

    for (unsigned i = 0; i < entry->units; i++) {
        uint32_t unit = entry->target[i];

        if (i + 1U == entry->units)
            unit = (unit + (code - entry->first)) & 0xffff;
        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
            continue;
        }
        if (unit >= 0xdc00 && unit < 0xe000 && high != 0)
            unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
        high = 0;
        if (unit == 0xfb01 || unit == 0xfb02) {
            output_code(output, 'f');
            unit = unit == 0xfb01 ? 'i' : 'l';
        }
        output_code(output, unit);
    }
}

static void put_code(const struct pdf_font *font, uint32_t code, struct output *output)
{
    const struct entry *entry = find(font, code);
    uint8_t byte = (uint8_t)code;

    if (entry != NULL)
        put_entry(entry, code, output);
    else if (font->wide)
        output_lacks(output, "a font does not say which characters its codes are: their text was not read");
    else if (font->glyphs[byte] != 0)
        output_code(output, font->glyphs[byte]);
    else
        charset_put(font->latin, &byte, 1, output);
}

void pdf_font_put(const struct pdf_font *font, const uint8_t *data, size_t size, struct output *output)
{
    size_t width = font != NULL ? font->width : 1;

    for (size_t i = 0; i + width <= size && !output_done(output) && output_spend(output, 1); i += width) {
        uint32_t code = 0;

        for (size_t j = 0; j < width; j++)
            code = code << 8 | data[i + j];
        if (font != NULL)
            put_code(font, code, output);
        else
            output_code(output, code < 0x80 ? code : ' ');
    }
}
