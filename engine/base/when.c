/*
 * when: times. Calendar arithmetic is our own: no time zone, no locale, no file is looked at.
 */
#include "engine/base/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NANO INT64_C(1000000000)

int64_t when_from_unix(int64_t seconds, uint32_t nanoseconds)
{
    int64_t value;
    if (__builtin_mul_overflow(seconds, NANO, &value) || __builtin_add_overflow(value, (int64_t)nanoseconds, &value))
        return seconds < 0 ? INT64_MIN + 1 : INT64_MAX;
    return value == WHEN_NONE ? WHEN_NONE + 1 : value;
}

int64_t when_from_filetime(uint64_t filetime)
{
    if (filetime == 0)
        return WHEN_NONE;
    int64_t seconds = (int64_t)(filetime / 10000000) - INT64_C(11644473600);
    return when_from_unix(seconds, (uint32_t)(filetime % 10000000) * 100);
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *ret_month = shifted < 10 ? shifted + 3 : shifted - 9;
    *ret_year = (int64_t)year_of_era + era * 400 + (*ret_month <= 2);
}

static bool is_date(int64_t year, unsigned month, unsigned day)
{
    static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month != 2 || day < 29 || leap;
}

int64_t when_from_dos(uint16_t date, uint16_t time, uint8_t tenths)
{
    unsigned year = 1980U + (date >> 9), month = date >> 5 & 15U, day = date & 31U;
    unsigned hour = time >> 11, minute = time >> 5 & 63U, second = (time & 31U) * 2;
    if (date == 0 || !is_date(year, month, day) || hour > 23 || minute > 59 || second > 59 || tenths > 199)
        return WHEN_NONE;
    int64_t seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second + tenths / 100;
    return when_from_unix(seconds, (uint32_t)(tenths % 100) * 10000000);
}

int64_t when_from_hfs(uint32_t seconds)
{
    return seconds == 0 ? WHEN_NONE : when_from_unix((int64_t)seconds - INT64_C(2082844800), 0);
}

int64_t when_from_ext4(uint32_t seconds, uint32_t extra)
{
    return when_from_unix((int64_t)(int32_t)seconds + ((int64_t)(extra & 3) << 32), extra >> 2);
}

static const char *format(int64_t when, char *ret, int digits)
{
    if (when == WHEN_NONE) {
        ret[0] = 0;
        return ret;
    }
    int64_t seconds = when / NANO, nano = when % NANO;
    if (nano < 0) {
        nano += NANO;
        seconds--;
    }
    int64_t days = seconds / 86400, second = seconds % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    int64_t year;
    unsigned month, day;
    date_from_days(days, &year, &month, &day);
    if (digits < 0)
        digits = nano == 0 ? 0 : nano % 1000000 == 0 ? 3 : nano % 1000 == 0 ? 6 : 9;
    int size = snprintf(ret, WHEN_TEXT_SIZE, "%04d-%02u-%02uT%02d:%02d:%02d", (int)year, month % 100, day % 100, (int)(second / 3600),
                        (int)(second / 60 % 60), (int)(second % 60));
    if (digits)
        size += snprintf(ret + size, (size_t)(WHEN_TEXT_SIZE - size), ".%0*d", digits,
                         (int)(digits == 3 ? nano / 1000000 : digits == 6 ? nano / 1000 : nano));
    (void)snprintf(ret + size, (size_t)(WHEN_TEXT_SIZE - size), "Z");
    return ret;
}

const char *when_format(int64_t when, char *ret)
{
    return format(when, ret, -1);
}

const char *when_format_ms(int64_t when, char *ret)
{
    return format(when, ret, 3);
}

/* Exactly `count` digits; false when they are not there. */
static bool digits(const char **text, unsigned count, unsigned *ret)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (unsigned)(**text - '0');
    }
    *ret = value;
    return true;
}

static bool expect(const char **text, char c)
{
    return *(*text)++ == c;
}

/* Z or +hh:mm, as seconds east of UTC. */
static bool parse_zone(const char **text, int64_t *ret_offset)
{
    char sign = *(*text)++;
    unsigned hours, minutes;
    if (sign == 'Z' || sign == 'z') {
        *ret_offset = 0;
        return true;
    }
    if ((sign != '+' && sign != '-') || !digits(text, 2, &hours) || !expect(text, ':') || !digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_offset = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

static uint32_t parse_fraction(const char **text)
{
    uint32_t nano = 0, unit = 100000000;
    if (**text != '.')
        return 0;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
        nano += (uint32_t)(**text - '0') * unit;
    return nano;
}

bool when_parse(const char *text, int64_t *ret_when)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0;
    if (!digits(&text, 4, &year) || !expect(&text, '-') || !digits(&text, 2, &month) || !expect(&text, '-') ||
        !digits(&text, 2, &day) || !is_date(year, month, day))
        return false;
    int64_t offset = 0;
    uint32_t nano = 0;
    if (*text) {
        char mark = *text++;
        if ((mark != 'T' && mark != 't' && mark != ' ') || !digits(&text, 2, &hour) || !expect(&text, ':') ||
            !digits(&text, 2, &minute) || !expect(&text, ':') || !digits(&text, 2, &second) || hour > 23 ||
            minute > 59 || second > 60)
            return false;
        nano = parse_fraction(&text);
        if (!parse_zone(&text, &offset) || *text)
            return false;
    }
    *ret_when = when_from_unix(days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset, nano);
    return true;
}

static int64_t clock_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NANO + now.tv_nsec;
}

int64_t when_now(void)
{
    return clock_now(CLOCK_REALTIME);
}

int64_t when_monotonic(void)
{
    return clock_now(CLOCK_MONOTONIC);
}
