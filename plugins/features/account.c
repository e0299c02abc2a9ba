/* account: IBAN [ISO 13616], whose form each country sets (rules/features/iban.tsv), with the check of ISO
 * 7064, MOD 97-10. */
#include "plugins/features/examiners.h"

#include <string.h>

enum { IBAN_MAX = 34 };

static unsigned mod97(const char *iban, size_t size)
{
    unsigned rest = 0;

    for (size_t i = 0; i < size; i++) {
        char c = iban[(i + 4) % size];

        rest = is_digit((uint8_t)c) ? (rest * 10 + (unsigned)(c - '0')) % 97
                                    : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest;
}

static bool fits(char form, uint8_t c)
{
    return form == 'n' ? is_digit(c) : form == 'a' ? is_upper(c) : is_digit(c) || is_upper(c);
}

/* With a space or '-' behind every four characters, as it is printed, or without any. */
void examine_iban(struct finder *finder, const struct text *text, size_t at)
{
    char iban[IBAN_MAX + 1];
    size_t begin = at - 3, i = at + 1, count = 4;
    const struct table_iban *row;
    struct found found = {.kind = FEATURE_IBAN, .rank = RANK_CHECKSUM, .begin = begin, .normal = iban};
    uint8_t separator;

    if (at < 3 || is_alnum(text_at(text, begin - 1)))
        return;
    row = tables_iban(finder->tables, text->data + begin);
    if (row == NULL || row->size + 4 > IBAN_MAX)
        return;
    memcpy(iban, text->data + begin, 4);
    separator = text_at(text, i) == ' ' || text_at(text, i) == '-' ? text->data[i] : 0;
    while (count < row->size + 4) {
        i += separator != 0 && count % 4 == 0 && text_at(text, i) == separator;
        if (!fits(row->form[count - 4], text_at(text, i)))
            return;
        iban[count++] = (char)text->data[i++];
    }
    iban[count] = '\0';
    if (is_alnum(text_at(text, i)) || mod97(iban, count) != 1)
        return;
    found.end = i;
    finder->found(finder, text, &found);
}
