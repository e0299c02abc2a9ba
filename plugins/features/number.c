/*
 * number: what consists of digits: payment cards [ISO/IEC 7812], IMEI [3GPP TS 23.003], ICCID [ITU-T E.118],
 * telephones [ITU-T E.164], and Georgian numbers of persons and companies, which have no public check digit
 * and so need a word near them.
 */
#include "plugins/features/examiners.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 40, TOKEN_MAX = 64 };

/* Digits with single separators between: as they stand, and alone. */
struct number {
    size_t begin, end;
    char digits[DIGITS_MAX + 1];
    size_t count;
    size_t groups[DIGITS_MAX]; /* digits in each */
    size_t group_count;
};

static bool luhn(const char *digits, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned value = (unsigned)(digits[count - 1 - i] - '0');

        if (i % 2 == 1)
            value = value > 4 ? 2 * value - 9 : 2 * value;
        sum += value;
    }
    return sum % 10 == 0;
}

/* The number around `at` with the separators in `between`. False: too long, or its neighbours belong to it.
 */
static bool read_number(const struct text *text, size_t at, const char *between, struct number *ret)
{
    size_t begin = at, i;

    while (begin > 0 && at - begin < TOKEN_MAX &&
           (is_digit(text->data[begin - 1]) ||
            (strchr(between, text->data[begin - 1]) != NULL && text->data[begin - 1] != 0 &&
             is_digit(text_at(text, begin - 2)))))
        begin--;
    *ret = (struct number){.begin = begin};
    for (i = begin; i < text->size && ret->count < DIGITS_MAX; i++) {
        if (is_digit(text->data[i])) {
            ret->digits[ret->count++] = (char)text->data[i];
            ret->groups[ret->group_count]++;
        } else if (text->data[i] != 0 && strchr(between, text->data[i]) != NULL &&
                   is_digit(text_at(text, i + 1))) {
            ret->group_count++;
        } else {
            break;
        }
    }
    ret->group_count++;
    ret->end = i;
    return ret->count < DIGITS_MAX && at - begin < TOKEN_MAX;
}

/* A number is a part of something else where such a thing stands beside it. */
static bool stands_alone(const struct text *text, size_t begin, size_t end)
{
    uint8_t before = text_at(text, begin - 1), after = text_at(text, end);

    return !is_alnum(before) && before != '_' &&
           !(before == '.' || before == ',' || before == '-' || before == '+') && !is_alnum(after) &&
           after != '_' && after != '%' &&
           !((after == '.' || after == ',' || after == '-') && is_alnum(text_at(text, end + 1))) &&
           !((before == '/' || before == '#' || before == '=' || before == '&') && after == '/');
}

static void tell(struct finder *finder, const struct text *text, enum feature_kind kind,
                 enum feature_rank rank, const struct number *number, const char *detail)
{
    const struct found found = {kind, rank, number->begin, number->end, number->digits, detail};

    finder->found(finder, text, &found);
}

/* ------------------------------------------------------------------ cards */

/* Made up: few different digits, or counting up. */
static bool is_made_up(const char *digits, size_t count)
{
    unsigned seen = 0, steps = 0;

    for (size_t i = 0; i < count; i++) {
        seen |= 1U << (digits[i] - '0');
        steps += i > 0 && (digits[i] - digits[i - 1] == 1 || digits[i - 1] - digits[i] == 9);
    }
    return (seen & (seen - 1)) == 0 || steps + 2 >= count;
}

static bool look_card(struct finder *finder, const struct text *text, const struct number *number)
{
    const struct table_card *row;
    char detail[64];

    if (number->count < 13 || number->count > 19 || !luhn(number->digits, number->count) ||
        is_made_up(number->digits, number->count))
        return false;
    row = tables_card(finder->tables, number->digits, number->count);
    if (row == NULL)
        return false;
    snprintf(detail, sizeof detail, "{\"issuer\":\"%.40s\"}", row->issuer);
    tell(finder, text, FEATURE_CARD, RANK_CHECKSUM, number, detail);
    return true;
}

/* Four digits and more groups of four, or 4-6-5 and 4-6-4 (American Express, Diners Club), from `begin` on.
 */
static void look_grouped_card(struct finder *finder, const struct text *text, size_t begin)
{
    uint8_t separator = text_at(text, begin + 4);
    struct number number = {.begin = begin};
    size_t groups = 0;

    for (size_t i = begin; groups < 5 && is_digit(text_at(text, i)); i++) {
        size_t first = i;

        for (; is_digit(text_at(text, i)) && i - first < 7; i++)
            number.digits[number.count++] = (char)text->data[i];
        number.end = i;
        groups++;
        number.digits[number.count] = '\0';
        if (number.count >= 13 && groups >= 3 && stands_alone(text, begin, i) &&
            look_card(finder, text, &number))
            return;
        if (text_at(text, i) != separator || (i - first != 4 && !(groups == 2 && i - first == 6)))
            return;
    }
}

/* ------------------------------------------------------------------ telephones */

/* Georgian numbers without the country's code: mobile 5.., Tbilisi 32 2.., others 3.. and 4... */
static bool is_georgian(const char *digits, size_t count)
{
    return count == 9 && (digits[0] == '5' || digits[0] == '3' || digits[0] == '4' || digits[0] == '7');
}

static void tell_phone(struct finder *finder, const struct text *text, const struct number *number,
                       const char *digits, const struct table_calling *row)
{
    char normal[DIGITS_MAX + 2], detail[96];
    bool near = finder_near(text, CONTEXT_PHONE, number->begin, number->end);
    const struct found found = {
        FEATURE_PHONE, near ? RANK_CONTEXT : RANK_FORMAT, number->begin, number->end, normal, detail};

    snprintf(normal, sizeof normal, "+%s", digits);
    snprintf(detail, sizeof detail, "{\"country\":\"%.60s\"}", row->country);
    finder->found(finder, text, &found);
}

/* Behind "+" or "00": the country decides; Georgia's own plan is known better. */
static bool look_international(struct finder *finder, const struct text *text, const struct number *number,
                               const char *digits)
{
    const struct table_calling *row = tables_calling(finder->tables, digits, strlen(digits));

    if (row == NULL || is_made_up(digits, strlen(digits)) ||
        (strncmp(digits, "995", 3) == 0 && !is_georgian(digits + 3, strlen(digits) - 3)))
        return false;
    tell_phone(finder, text, number, digits, row);
    return true;
}

void examine_phone(struct finder *finder, const struct text *text, size_t at)
{
    uint8_t before = text_at(text, at - 1);
    struct number number = {.begin = at};
    size_t i = at + 1, gap = 0;

    if (is_alnum(before) || before == '/' || before == '+' || before == '=' || before == ')' || before == '.')
        return;
    for (; i < text->size && number.count < 16; i++) {
        if (is_digit(text->data[i])) {
            number.digits[number.count++] = (char)text->data[i];
            number.end = i + 1;
            gap = 0;
        } else if (text->data[i] != 0 && strchr(" -.()", text->data[i]) != NULL && gap < 2) {
            gap++;
        } else {
            break;
        }
    }
    /* Two numbers in a row: the longest beginning that a country's plan allows is the first. */
    for (; number.count >= 8; number.count--) {
        number.digits[number.count] = '\0';
        if (!is_alnum(text_at(text, number.end)) && text_at(text, number.end) != '/' &&
            text_at(text, number.end) != '+' && look_international(finder, text, &number, number.digits))
            return;
        do
            number.end--;
        while (number.end > at + 1 && !is_digit(text_at(text, number.end - 1)));
    }
}

/* A national number, where a word says that it is one. */
static void look_national(struct finder *finder, const struct text *text, struct number *number)
{
    char full[DIGITS_MAX + 8];
    const char *digits = number->digits + (number->digits[0] == '0');

    if (!is_georgian(digits, strlen(digits)) || !finder_near(text, CONTEXT_PHONE, number->begin, number->end))
        return;
    snprintf(full, sizeof full, "995%s", digits);
    tell_phone(finder, text, number, full, tables_calling(finder->tables, full, strlen(full)));
}

void examine_phone_word(struct finder *finder, const struct text *text, size_t at)
{
    struct number number;
    size_t begin = at;

    while (begin < text->size && begin - at < 24 && !is_digit(text->data[begin])) {
        if (text->data[begin] == '\n' || text->data[begin] == '+' || text->data[begin] == '<')
            return;
        begin++;
    }
    if (!is_digit(text_at(text, begin)) || !read_number(text, begin, " -.()", &number) ||
        number.begin != begin || is_alnum(text_at(text, number.end)))
        return;
    look_national(finder, text, &number);
}

static void look_phone(struct finder *finder, const struct text *text, struct number *number)
{
    if (number->count >= 11 && strncmp(number->digits, "00", 2) == 0 && number->digits[2] != '0')
        look_international(finder, text, number, number->digits + 2);
    else if (number->count == 12 && strncmp(number->digits, "9955", 4) == 0)
        look_international(finder, text, number, number->digits);
    else
        look_national(finder, text, number);
}

/* ------------------------------------------------------------------ everything that is a run of digits */

static void look_plain(struct finder *finder, const struct text *text, struct number *number)
{
    if (number->count == 15 && luhn(number->digits, 15) &&
        finder_near(text, CONTEXT_IMEI, number->begin, number->end) && !is_made_up(number->digits, 15))
        tell(finder, text, FEATURE_IMEI, RANK_CHECKSUM, number, NULL);
    /* 89 is telecommunications; a country's code follows. */
    if ((number->count == 19 || number->count == 20) && strncmp(number->digits, "89", 2) == 0 &&
        luhn(number->digits, number->count) && !is_made_up(number->digits, number->count))
        tell(finder, text, FEATURE_ICCID, RANK_CHECKSUM, number, NULL);
    if (number->count == 11 && finder_near(text, CONTEXT_PERSONAL, number->begin, number->end))
        tell(finder, text, FEATURE_PERSONAL_NO, RANK_CONTEXT, number, NULL);
    if (number->count == 9 && finder_near(text, CONTEXT_LEGAL, number->begin, number->end))
        tell(finder, text, FEATURE_LEGAL_ID, RANK_CONTEXT, number, NULL);
}

void examine_digits(struct finder *finder, const struct text *text, size_t at)
{
    struct number number;

    /* A run of digits first; if it stands beside others, these may be groups of one number. */
    if (read_number(text, at, "", &number) && number.count >= 9 &&
        stands_alone(text, number.begin, number.end)) {
        look_plain(finder, text, &number);
        if (!look_card(finder, text, &number))
            look_phone(finder, text, &number);
    }
}

void examine_groups(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at - 8;

    if (at >= 8 && !is_digit(text_at(text, begin - 1)))
        look_grouped_card(finder, text, begin);
}
