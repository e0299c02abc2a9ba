/*
 * mrz: machine readable zones of passports, cards and visas [ICAO Doc 9303, parts 3 to 7]. Check digits: 0-9
 * as they are, A-Z 10 to 35, '<' 0, weights 7 3 1, modulo 10. Names on the lines of TD2, TD3 and visas are
 * covered by no digit. A zone whose digits fit is consistent in itself, not genuine; one where some do not is
 * told as well, with the fields that do not fit: it was read or typed wrongly, or changed.
 */
#include "plugins/features/examiners.h"

#include "engine/base/buf.h"
#include "engine/base/json.h"

#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 3, GAP_MAX = 4, ZONE_MAX = 90, CHECKS_MAX = 5 };

struct zone {
    char lines[LINES_MAX][45]; /* with a NUL */
    size_t line_count, width;
    size_t begin, end;
};

static bool is_mrz(uint8_t c)
{
    return is_digit(c) || is_upper(c) || c == '<';
}

static size_t line_end(const struct text *text, size_t begin)
{
    size_t end = begin;

    while (end < text->size && end - begin <= ZONE_MAX && is_mrz(text->data[end]))
        end++;
    return end;
}

/* Line ends, blanks, and "\n" as JSON and '|' as lists write them. */
static size_t gap_end(const struct text *text, size_t begin)
{
    size_t i = begin;

    while (i < text->size && i - begin < GAP_MAX &&
           (is_space(text->data[i]) || text->data[i] == '|' || text->data[i] == '\\'))
        i += text->data[i] == '\\' && text_at(text, i + 1) == 'n' ? 2 : 1;
    return i;
}

/* `count` lines of `width` characters, each on its own or all in one run. */
static bool read_zone(const struct text *text, size_t begin, size_t count, size_t width, struct zone *ret)
{
    size_t i = begin, end = line_end(text, begin);
    bool joined = end - begin == count * width;

    *ret = (struct zone){.line_count = count, .width = width, .begin = begin};
    for (size_t line = 0; line < count; line++) {
        if (!joined && line_end(text, i) - i != width)
            return false;
        memcpy(ret->lines[line], text->data + i, width);
        i += width;
        ret->end = i;
        if (!joined)
            i = gap_end(text, i);
    }
    return true;
}

/* ------------------------------------------------------------------ check digits */

static unsigned value_of(char c)
{
    return is_digit((uint8_t)c) ? (unsigned)(c - '0') : c == '<' ? 0 : (unsigned)(c - 'A') + 10;
}

/* A part of a zone: columns from 1, as the standard counts. */
struct part {
    uint8_t line, from, to;
};

struct check {
    const char *what;
    struct part parts[4];
    uint8_t line, column; /* of the digit; column 0: no more checks */
    bool may_be_empty;    /* '<' stands for the digit of an empty field */
};

static bool check_fits(const struct zone *zone, const struct check *check)
{
    static const unsigned weights[] = {7, 3, 1};
    char digit = zone->lines[check->line - 1][check->column - 1];
    unsigned sum = 0, n = 0;

    for (size_t p = 0; p < 4 && check->parts[p].line > 0; p++) {
        const struct part *part = &check->parts[p];

        for (size_t c = part->from; c <= part->to; c++)
            sum += value_of(zone->lines[part->line - 1][c - 1]) * weights[n++ % 3];
    }
    return (is_digit((uint8_t)digit) && sum % 10 == (unsigned)(digit - '0')) ||
           (check->may_be_empty && digit == '<' && sum == 0);
}

struct form {
    const char *name;
    uint8_t lines, width;
    const char *first; /* letters that its first line may begin with */
    struct check checks[CHECKS_MAX];
    struct part number, nationality, birth, sex, expiry, name_field, issuer;
};

#define NUMBER_2                                                                                             \
    {                                                                                                        \
        "number", {{2, 1, 9}}, 2, 10, false                                                                  \
    }
#define BIRTH_2                                                                                              \
    {                                                                                                        \
        "birth", {{2, 14, 19}}, 2, 20, false                                                                 \
    }
#define EXPIRY_2                                                                                             \
    {                                                                                                        \
        "expiry", {{2, 22, 27}}, 2, 28, false                                                                \
    }
#define FIELDS_2(width)                                                                                      \
    {2, 1, 9}, {2, 11, 13}, {2, 14, 19}, {2, 21, 21}, {2, 22, 27}, {1, 6, width},                            \
    {                                                                                                        \
        1, 3, 5                                                                                              \
    }

static const struct form forms[] = {
    {"TD3",
     2,
     44,
     "P",
     {NUMBER_2,
      BIRTH_2,
      EXPIRY_2,
      {"personal number", {{2, 29, 42}}, 2, 43, true},
      {"composite", {{2, 1, 10}, {2, 14, 20}, {2, 22, 43}}, 2, 44, false}},
     FIELDS_2(44)},
    {"MRV-A", 2, 44, "V", {NUMBER_2, BIRTH_2, EXPIRY_2}, FIELDS_2(44)},
    {"TD2",
     2,
     36,
     "IACP",
     {NUMBER_2, BIRTH_2, EXPIRY_2, {"composite", {{2, 1, 10}, {2, 14, 20}, {2, 22, 35}}, 2, 36, false}},
     FIELDS_2(36)},
    {"MRV-B", 2, 36, "V", {NUMBER_2, BIRTH_2, EXPIRY_2}, FIELDS_2(36)},
    {"TD1",
     3,
     30,
     "IACP",
     {{"number", {{1, 6, 14}}, 1, 15, false},
      {"birth", {{2, 1, 6}}, 2, 7, false},
      {"expiry", {{2, 9, 14}}, 2, 15, false},
      {"composite", {{1, 6, 30}, {2, 1, 7}, {2, 9, 15}, {2, 19, 29}}, 2, 30, false}},
     {1, 6, 14},
     {2, 16, 18},
     {2, 1, 6},
     {2, 8, 8},
     {2, 9, 14},
     {3, 1, 30},
     {1, 3, 5}},
};

/* A number of more than nine characters goes on in the optional field of TD1 (and TD2), its digit behind it.
 */
static bool long_number(const struct form *form, const struct zone *zone, char ret[24])
{
    bool td1 = form->lines == 3;
    const char *first = td1 ? zone->lines[0] + 5 : zone->lines[1],
               *rest = td1 ? zone->lines[0] + 15 : zone->lines[1] + 28;
    size_t room = td1 ? 15 : 7, size = 0;
    unsigned sum = 0;
    static const unsigned weights[] = {7, 3, 1};

    if (first[9] != '<' || form->width == 44)
        return false;
    while (size < room && rest[size] != '<')
        size++;
    if (size < 2)
        return false;
    memcpy(ret, first, 9);
    memcpy(ret + 9, rest, size - 1);
    ret[9 + size - 1] = '\0';
    for (size_t i = 0; ret[i] != '\0'; i++)
        sum += value_of(ret[i]) * weights[i % 3];
    return is_digit((uint8_t)rest[size - 1]) && sum % 10 == (unsigned)(rest[size - 1] - '0');
}

/* ------------------------------------------------------------------ fields */

static bool is_date(const struct zone *zone, const struct part *part, bool whole)
{
    const char *at = zone->lines[part->line - 1] + part->from - 1;

    for (int i = 0; i < 6; i++) {
        if (!is_digit((uint8_t)at[i]) && (whole || at[i] != '<'))
            return false;
    }
    return !whole ||
           (value_of(at[2]) * 10 + value_of(at[3]) <= 12 && value_of(at[4]) * 10 + value_of(at[5]) <= 31);
}

static bool is_country(const struct zone *zone, const struct part *part)
{
    const char *at = zone->lines[part->line - 1] + part->from - 1;

    return is_upper((uint8_t)at[0]) && (is_upper((uint8_t)at[1]) || at[1] == '<') &&
           (is_upper((uint8_t)at[2]) || at[2] == '<');
}

static bool is_name(const struct zone *zone, const struct part *part)
{
    const char *line = zone->lines[part->line - 1];

    for (size_t c = part->from; c <= part->to; c++) {
        if (is_digit((uint8_t)line[c - 1]))
            return false;
    }
    return is_upper((uint8_t)line[part->from - 1]);
}

static bool is_plausible(const struct form *form, const struct zone *zone)
{
    const char *sex = zone->lines[form->sex.line - 1] + form->sex.from - 1;

    return strchr(form->first, zone->lines[0][0]) != NULL && is_country(zone, &form->issuer) &&
           is_country(zone, &form->nationality) && is_name(zone, &form->name_field) &&
           is_date(zone, &form->birth, false) && is_date(zone, &form->expiry, true) &&
           (*sex == 'M' || *sex == 'F' || *sex == '<' || *sex == 'X');
}

static void put_field(struct json *json, const char *key, const char *from, size_t size)
{
    char field[48];
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        if (from[i] != '<')
            field[count++] = from[i];
        else if (count > 0 && field[count - 1] != ' ')
            field[count++] = ' ';
    }
    while (count > 0 && field[count - 1] == ' ')
        count--;
    json_bytes(json, key, field, count);
}

static void put_part(struct json *json, const char *key, const struct zone *zone, const struct part *part)
{
    put_field(json, key, zone->lines[part->line - 1] + part->from - 1, (size_t)(part->to - part->from) + 1);
}

static void put_names(struct json *json, const struct zone *zone, const struct part *part)
{
    const char *from = zone->lines[part->line - 1] + part->from - 1, *break_at = strstr(from, "<<");
    size_t size = strlen(from), surname = break_at != NULL ? (size_t)(break_at - from) : size;

    put_field(json, "surname", from, surname);
    if (surname < size)
        put_field(json, "given_names", from + surname, size - surname);
}

static void tell_zone(struct finder *finder, const struct text *text, const struct form *form,
                      const struct zone *zone, const bool *fits, size_t checks, const char *number)
{
    char normal[LINES_MAX * 45 + 1];
    struct buf detail = {0};
    struct json json;
    size_t failed = 0;
    struct found found = {FEATURE_MRZ, RANK_CHECKSUM, zone->begin, zone->end, normal, NULL};

    snprintf(normal, sizeof normal, "%s|%s%s%s", zone->lines[0], zone->lines[1],
             zone->line_count > 2 ? "|" : "", zone->lines[2]);
    json_init(&json, &detail);
    json_object_open(&json, NULL);
    json_text(&json, "form", form->name);
    put_field(&json, "document", zone->lines[0], 2);
    put_part(&json, "issuer", zone, &form->issuer);
    if (number != NULL)
        put_field(&json, "number", number, strlen(number));
    else
        put_part(&json, "number", zone, &form->number);
    put_names(&json, zone, &form->name_field);
    put_part(&json, "nationality", zone, &form->nationality);
    put_part(&json, "birth", zone, &form->birth);
    put_part(&json, "sex", zone, &form->sex);
    put_part(&json, "expiry", zone, &form->expiry);
    json_array_open(&json, "wrong");
    for (size_t i = 0; i < checks; i++) {
        failed += !fits[i];
        if (!fits[i])
            json_text(&json, NULL, form->checks[i].what);
    }
    json_array_close(&json);
    json_object_close(&json);
    found.rank = failed == 0 ? RANK_CHECKSUM : RANK_FORMAT;
    found.detail = buf_cstr(&detail);
    if (!buf_failed(&detail) && (failed == 0 || failed * 2 <= checks))
        finder->found(finder, text, &found);
    buf_finish(&detail);
}

static bool look_form(struct finder *finder, const struct text *text, size_t begin, const struct form *form)
{
    bool fits[CHECKS_MAX];
    char number[24];
    const char *longer = NULL;
    struct zone zone;
    size_t checks = 0;

    if (!read_zone(text, begin, form->lines, form->width, &zone) || !is_plausible(form, &zone))
        return false;
    for (; checks < CHECKS_MAX && form->checks[checks].column > 0; checks++)
        fits[checks] = check_fits(&zone, &form->checks[checks]);
    if (!fits[0] && long_number(form, &zone, number)) {
        fits[0] = true;
        longer = number;
    }
    tell_zone(finder, text, form, &zone, fits, checks, longer);
    return true;
}

void examine_mrz(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at;

    while (begin > 0 && at - begin <= ZONE_MAX && is_mrz(text->data[begin - 1]))
        begin--;
    if (memchr(text->data + begin, '<', text->size - begin < 44 ? text->size - begin : 44) == NULL)
        return;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (look_form(finder, text, begin, &forms[i]))
            return;
    }
}
