/*
 * import_fields: rows that come as named values: what a column's name means, and what a value says.
 */
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <string.h>

static const uint8_t nibble[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
    ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
    ['A'] = 26, ['B'] = 27, ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

bool import_unhex(const uint8_t *text, uint8_t *ret, size_t size)
{
    unsigned all = 16;

    for (size_t i = 0; i < size; i++) {
        unsigned high = nibble[text[2 * i]], low = nibble[text[2 * i + 1]];

        all &= high & low;
        ret[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return all != 0;
}

size_t import_hex_run(const uint8_t *text, size_t size)
{
    size_t length = 0;

    while (length < size && nibble[text[length]] != 0)
        length++;
    return length;
}

void import_bad(struct import *import)
{
    if (import->result->bad++ == 0)
        import->result->first_bad = import->result->lines;
}

int import_row(struct import *import, const uint8_t *const keys[HASHSET_ALGORITHMS], uint32_t label)
{
    bool any = false;

    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        any = any || keys[i] != NULL;
    if (!any) {
        import_bad(import);
        return 0;
    }
    import->result->rows++;
    return hashset_build_row(import->build, keys, label, import->result->lines);
}

void import_word(const uint8_t *text, size_t size, char *ret, size_t ret_size)
{
    size_t length = 0;

    for (size_t i = 0; i < size && length + 1 < ret_size; i++) {
        uint8_t c = text[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            ret[length++] = (char)c;
    }
    ret[length] = '\0';
}

bool import_is_true(const char *text, size_t size)
{
    char word[8];

    import_word((const uint8_t *)text, size, word, sizeof word);
    return strcmp(word, "true") == 0 || strcmp(word, "yes") == 0 || strcmp(word, "1") == 0 ||
           strcmp(word, "y") == 0;
}

enum import_column import_column_of(const uint8_t *name, size_t size)
{
    static const struct {
        const char *word;
        enum import_column column;
    } words[] = {
        {"md5", COLUMN_HASH},
        {"sha1", COLUMN_HASH},
        {"sha256", COLUMN_HASH},
        {"hash", COLUMN_HASH},
        {"md5hash", COLUMN_HASH},
        {"sha1hash", COLUMN_HASH},
        {"sha256hash", COLUMN_HASH},
        {"hashvalue", COLUMN_HASH},
        {"md5sum", COLUMN_HASH},
        {"sha2256", COLUMN_HASH},
        {"category", COLUMN_CATEGORY},
        {"baseline", COLUMN_CATEGORY},
        {"status", COLUMN_CATEGORY},
        {"classification", COLUMN_CATEGORY},
        {"series", COLUMN_SERIES},
        {"seriesname", COLUMN_SERIES},
        {"tags", COLUMN_TAGS},
        {"tag", COLUMN_TAGS},
        {"victimidentified", COLUMN_VICTIM},
        {"offenderidentified", COLUMN_OFFENDER},
        {"isdistributed", COLUMN_DISTRIBUTED},
    };
    char word[32];

    import_word(name, size, word, sizeof word);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].column;
    return COLUMN_NONE;
}

void import_fields_clear(struct import_fields *fields)
{
    memset(fields->has, 0, sizeof fields->has);
    fields->wrong = false;
    buf_clear(&fields->category);
    buf_clear(&fields->series);
    buf_clear(&fields->tags);
}

void import_fields_finish(struct import_fields *fields)
{
    buf_finish(&fields->category);
    buf_finish(&fields->series);
    buf_finish(&fields->tags);
}

static void take_hash(struct import_fields *fields, const uint8_t *text, size_t size)
{
    enum hashset_algorithm algorithm = size % 2 == 0 ? hashset_algorithm_of(size / 2) : HASHSET_ALGORITHMS;

    if (size == 0)
        return;
    if (algorithm == HASHSET_ALGORITHMS || !import_unhex(text, fields->keys[algorithm], size / 2))
        fields->wrong = true;
    else
        fields->has[algorithm] = true;
}

static void add_tag(struct import_fields *fields, const void *text, size_t size)
{
    if (size == 0 || fields->tags.size > 4096)
        return;
    if (fields->tags.size > 0)
        buf_text(&fields->tags, ", ");
    buf_append(&fields->tags, text, size);
}

void import_fields_take(struct import_fields *fields, enum import_column column, const uint8_t *text,
                        size_t size)
{
    static const char *const flags[] = {[COLUMN_VICTIM] = "victim identified",
                                        [COLUMN_OFFENDER] = "offender identified",
                                        [COLUMN_DISTRIBUTED] = "distributed"};

    while (size > 0 && text[0] == ' ')
        text++, size--;
    while (size > 0 && text[size - 1] == ' ')
        size--;
    switch (column) {
    case COLUMN_NONE:
        break;
    case COLUMN_HASH:
        take_hash(fields, text, size);
        break;
    case COLUMN_CATEGORY:
    case COLUMN_SERIES: {
        struct buf *buf = column == COLUMN_CATEGORY ? &fields->category : &fields->series;

        buf_clear(buf);
        buf_append(buf, text, size);
        break;
    }
    case COLUMN_TAGS:
        add_tag(fields, text, size);
        break;
    default:
        if (import_is_true((const char *)text, size))
            add_tag(fields, flags[column], strlen(flags[column]));
    }
}

/* A row with one wrong hash beside a right one is taken for the right one, and counted as bad as well. */
int import_fields_row(struct import *import, struct import_fields *fields)
{
    const uint8_t *keys[HASHSET_ALGORITHMS];
    bool any = false;
    uint32_t label;

    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++) {
        keys[i] = fields->has[i] ? fields->keys[i] : NULL;
        any = any || fields->has[i];
    }
    if (buf_failed(&fields->category) || buf_failed(&fields->series) || buf_failed(&fields->tags))
        return -ENOMEM;
    if (any && fields->wrong)
        import_bad(import);
    label = hashset_build_label(import->build, (const char *)fields->category.data, fields->category.size,
                                (const char *)fields->series.data, fields->series.size,
                                (const char *)fields->tags.data, fields->tags.size);
    return import_row(import, keys, label);
}
