/*
 * place: coordinates: decimal pairs where something says that they are such, degrees with minutes and seconds
 * [ISO 6709, annex D], and sentences of receivers [NMEA 0183], which have a checksum.
 */
#include "plugins/features/examiners.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct coordinate {
    size_t begin, end;
    double value;
};

/* A decimal number that begins at `begin`, with at least `decimals` behind the point. */
static bool read_decimal(const struct text *text, size_t begin, unsigned decimals, struct coordinate *ret)
{
    char number[24];
    size_t i = begin, point = 0;

    i += text_at(text, i) == '-' || text_at(text, i) == '+';
    while (i < text->size && i - begin < sizeof number - 1 &&
           (is_digit(text->data[i]) || (text->data[i] == '.' && point == 0))) {
        if (text->data[i] == '.')
            point = i;
        i++;
    }
    if (point == 0 || i - point - 1 < decimals || point - begin > 4 || i - begin >= sizeof number - 1)
        return false;
    memcpy(number, text->data + begin, i - begin);
    number[i - begin] = '\0';
    *ret = (struct coordinate){begin, i, strtod(number, NULL)};
    return true;
}

static void tell(struct finder *finder, const struct text *text, enum feature_rank rank, size_t begin,
                 size_t end, double latitude, double longitude)
{
    char normal[64];
    const struct found found = {FEATURE_GPS, rank, begin, end, normal, NULL};

    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180) || (latitude == 0 && longitude == 0))
        return;
    snprintf(normal, sizeof normal, "%.6f,%.6f", latitude, longitude);
    finder->found(finder, text, &found);
}

/* What may stand between the two numbers: a comma with blanks, or the name of the second. */
static size_t second_begin(const struct text *text, size_t end)
{
    static const char *const names[] = {"longitude", "lng", "lon", "long"};
    size_t i = end;

    while (i < text->size && i - end < 4 && strchr(" ,;\t", text->data[i]) != NULL && text->data[i] != 0)
        i++;
    if (i > end && (is_digit(text_at(text, i)) || text_at(text, i) == '-' || text_at(text, i) == '+'))
        return i;
    for (i = end; i < text->size && i - end < 40; i++) {
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            size_t size = strlen(names[n]);

            if (text->size - i < size || strncasecmp((const char *)text->data + i, names[n], size) != 0)
                continue;
            for (i += size; i < text->size && i - end < 64 && strchr("\"' :=>&;", text->data[i]) != NULL &&
                            text->data[i] != 0;)
                i++;
            return i;
        }
    }
    return end;
}

/* "@41.7,44.8," of map links, "geo:", "q=", "ll=", or a word near. */
static bool says_place(const struct text *text, size_t begin, size_t end)
{
    uint8_t before = text_at(text, begin - 1);

    return (before == '@' && text_at(text, begin - 2) == '/') || finder_near(text, CONTEXT_PLACE, begin, end);
}

void examine_coordinates(struct finder *finder, const struct text *text, size_t at)
{
    struct coordinate latitude, longitude;
    size_t begin = at;

    while (begin > 0 && at - begin < 4 && is_digit(text->data[begin - 1]))
        begin--;
    begin -= begin > 0 && text->data[begin - 1] == '-';
    if (is_alnum(text_at(text, begin - 1)) || text_at(text, begin - 1) == '.' ||
        !read_decimal(text, begin, 4, &latitude) || !says_place(text, begin, latitude.end) ||
        !read_decimal(text, second_begin(text, latitude.end), 4, &longitude) ||
        longitude.begin == latitude.end || is_alnum(text_at(text, longitude.end)))
        return;
    tell(finder, text, RANK_CONTEXT, begin, longitude.end, latitude.value, longitude.value);
}

/* ------------------------------------------------------------------ degrees */

/* 41°42'54.5"N: the signs as ASCII or typographic ones. */
static bool read_sign(const struct text *text, size_t *at, const char *const *signs)
{
    for (; *signs != NULL; signs++) {
        size_t size = strlen(*signs);

        if (*at < text->size && text->size - *at >= size && memcmp(text->data + *at, *signs, size) == 0) {
            *at += size;
            return true;
        }
    }
    return false;
}

static bool read_part(const struct text *text, size_t *at, const char *const *signs, double *ret)
{
    char number[16];
    size_t i = *at, size = 0;

    while (text_at(text, i) == ' ' && i - *at < 2)
        i++;
    while (size < sizeof number - 1 && (is_digit(text_at(text, i)) || (text_at(text, i) == '.' && size > 0)))
        number[size++] = (char)text->data[i++];
    number[size] = '\0';
    if (size == 0 || !read_sign(text, &i, signs))
        return false;
    *at = i;
    *ret = strtod(number, NULL);
    return true;
}

static bool read_angle(const struct text *text, size_t *at, const char *points, double *ret)
{
    static const char *const degree[] = {"\xc2\xb0", NULL};
    static const char *const minute[] = {"'", "\xe2\x80\xb2", "\xe2\x80\x99", NULL};
    static const char *const second[] = {"\"", "\xe2\x80\xb3", "\xe2\x80\x9d", "''", NULL};
    double degrees, minutes = 0, seconds = 0;
    const char *point;

    if (!read_part(text, at, degree, &degrees))
        return false;
    if (read_part(text, at, minute, &minutes))
        (void)read_part(text, at, second, &seconds);
    while (text_at(text, *at) == ' ')
        ++*at;
    point = text_at(text, *at) != 0 ? strchr(points, text->data[*at]) : NULL;
    if (point == NULL || minutes >= 60 || seconds >= 60)
        return false;
    ++*at;
    *ret = (degrees + minutes / 60 + seconds / 3600) * (point == points ? 1 : -1);
    return true;
}

void examine_degrees(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at, end;
    double latitude, longitude;

    while (begin > 0 && at - begin < 10 && (is_digit(text->data[begin - 1]) || text->data[begin - 1] == '.'))
        begin--;
    end = begin;
    if (begin == at || !read_angle(text, &end, "NS", &latitude))
        return;
    while (end < text->size && (text->data[end] == ',' || is_space(text->data[end])) && end - begin < 64)
        end++;
    if (read_angle(text, &end, "EW", &longitude))
        tell(finder, text, RANK_CONTEXT, begin, end, latitude, longitude);
}

/* ------------------------------------------------------------------ NMEA */

/* ddmm.mmmm,N */
static bool nmea_angle(const char *field, const char *point, const char *points, double *ret)
{
    double number = strtod(field, NULL), degrees = floor(number / 100);

    if (!is_digit((uint8_t)field[0]) || point == NULL || (point[0] != points[0] && point[0] != points[1]))
        return false;
    *ret = (degrees + (number - degrees * 100) / 60) * (point[0] == points[0] ? 1 : -1);
    return true;
}

void examine_nmea(struct finder *finder, const struct text *text, size_t at)
{
    enum { SIZE = 100, FIELDS = 12 };
    char sentence[SIZE + 1], *fields[FIELDS] = {sentence}, *next = sentence;
    size_t end = at + 1, count = 0, first;
    unsigned sum = 0, wanted;
    double latitude, longitude;

    for (; end < text->size && end - at < SIZE && text->data[end] > ' ' && text->data[end] < 0x7f &&
           text->data[end] != '*';
         end++)
        sum ^= text->data[end];
    if (text_at(text, end) != '*' || !is_hex(text_at(text, end + 1)) || !is_hex(text_at(text, end + 2)))
        return;
    memcpy(sentence, text->data + end + 1, 2);
    sentence[2] = '\0';
    wanted = (unsigned)strtoul(sentence, NULL, 16);
    memcpy(sentence, text->data + at, end - at);
    sentence[end - at] = '\0';
    while (count < FIELDS && next != NULL)
        fields[count++] = strsep(&next, ",");
    if (sum != wanted || strlen(fields[0]) != 6 || count < 7)
        return;
    first = memcmp(fields[0] + 3, "GGA", 3) == 0   ? 2
            : memcmp(fields[0] + 3, "RMC", 3) == 0 ? 3
            : memcmp(fields[0] + 3, "GLL", 3) == 0 ? 1
                                                   : 0;
    if (first > 0 && nmea_angle(fields[first], fields[first + 1], "NS", &latitude) &&
        nmea_angle(fields[first + 2], fields[first + 3], "EW", &longitude))
        tell(finder, text, RANK_CHECKSUM, at, end + 3, latitude, longitude);
}
