/*
 * when: time formats of evidence as nanoseconds since 1970-01-01T00:00:00Z, and back as RFC 3339 text.
 *
 * No libc time zone function is used: they read files and keep state. Days and civil dates convert by
 * counting in years that begin on 1 March, in the proleptic Gregorian calendar (the leap day is then the
 * year's last; the method of H. Hinnant, "chrono-compatible low-level date algorithms"). Formats:
 * [MS-DTYP] 2.3.3, Microsoft FAT 1.03 section 6, Apple TN1150, Linux Documentation/filesystems/ext4, RFC
 * 3339.
 */
#include "engine/base/when.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY_SECONDS   INT64_C(86400)

/* Seconds from the format's epoch to 1970. */
#define FILETIME_EPOCH INT64_C(11644473600)
#define HFS_EPOCH      INT64_C(2082844800)

enum { DAYS_IN_400_YEARS = 146097, DAYS_0000_03_01_TO_1970 = 719468 };

struct civil {
    int64_t year;
    uint32_t month, day; /* from 1 */
    uint32_t hour, minute, second;
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static uint32_t month_days(int64_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* A second of 60 is possible: RFC 3339 writes leap seconds so. */
static bool civil_possible(const struct civil *c)
{
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= month_days(c->year, c->month) &&
           c->hour <= 23 && c->minute <= 59 && (c->second <= 59 || (c->second == 60 && c->minute == 59));
}

static int64_t civil_seconds(const struct civil *c)
{
    int64_t year = c->month <= 2 ? c->year - 1 : c->year;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month = (c->month + 9) % 12; /* March is 0 */
    int64_t day_of_year = (153 * month + 2) / 5 + c->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    int64_t days = era * DAYS_IN_400_YEARS + day_of_era - DAYS_0000_03_01_TO_1970;

    return days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
}

static void civil_from_seconds(int64_t seconds, struct civil *ret_civil)
{
    int64_t day = floor_divide(seconds, DAY_SECONDS);
    uint32_t left = (uint32_t)(seconds - day * DAY_SECONDS);
    int64_t days = day + DAYS_0000_03_01_TO_1970;
    int64_t era = floor_divide(days, DAYS_IN_400_YEARS);
    int64_t day_of_era = days - era * DAYS_IN_400_YEARS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    ret_civil->day = (uint32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    ret_civil->month = (uint32_t)(month < 10 ? month + 3 : month - 9);
    ret_civil->year = year_of_era + era * 400 + (ret_civil->month <= 2);
    ret_civil->hour = left / 3600;
    ret_civil->minute = left / 60 % 60;
    ret_civil->second = left % 60;
}

int64_t when_from_unix(int64_t seconds, uint32_t nanoseconds)
{
    int64_t fraction = nanoseconds, when;
    bool before_1970 = seconds < 0;

    /* The first second of the range does not fit as a product alone, only with its fraction added. */
    if (before_1970) {
        seconds++;
        fraction -= NS_PER_SECOND;
    }
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &when) ||
        __builtin_add_overflow(when, fraction, &when))
        when = before_1970 ? INT64_MIN : INT64_MAX;
    return when == WHEN_NONE ? WHEN_NONE + 1 : when;
}

int64_t when_from_filetime(uint64_t filetime)
{
    if (filetime == 0)
        return WHEN_NONE;
    return when_from_unix((int64_t)(filetime / 10000000) - FILETIME_EPOCH,
                          (uint32_t)(filetime % 10000000 * 100));
}

int64_t when_from_dos(uint16_t date, uint16_t time, uint8_t tenths)
{
    struct civil c = {
        .year = 1980 + (date >> 9),
        .month = date >> 5 & 0x0f,
        .day = date & 0x1f,
        .hour = time >> 11,
        .minute = time >> 5 & 0x3f,
        .second = (time & 0x1fU) * 2,
    };

    if (c.second > 58 || !civil_possible(&c))
        return WHEN_NONE;
    if (tenths > 199)
        tenths = 0;
    return when_from_unix(civil_seconds(&c) + tenths / 100, tenths % 100 * 10000000U);
}

int64_t when_from_hfs(uint32_t seconds)
{
    return seconds == 0 ? WHEN_NONE : when_from_unix((int64_t)seconds - HFS_EPOCH, 0);
}

int64_t when_from_ext4(uint32_t seconds, uint32_t extra)
{
    return when_from_unix((int32_t)seconds + ((int64_t)(extra & 3) << 32), extra >> 2);
}

/* `digits` of the second: 0, 3, 6 or 9; what they cannot show is cut off. */
static const char *format_digits(int64_t when, int digits, char *ret)
{
    int64_t seconds = floor_divide(when, NS_PER_SECOND);
    int64_t rest = when % NS_PER_SECOND; /* the product of the range's first second would not fit */
    uint32_t fraction = (uint32_t)(rest < 0 ? rest + NS_PER_SECOND : rest);
    struct civil c;
    int length;

    civil_from_seconds(seconds, &c);
    length = snprintf(ret, WHEN_TEXT_SIZE, "%04d-%02u-%02uT%02u:%02u:%02u", (int)c.year, c.month, c.day,
                      c.hour, c.minute, c.second);
    assert(length == 19);
    for (int i = digits; i < 9; i++)
        fraction /= 10;
    if (digits > 0)
        length += snprintf(ret + length, WHEN_TEXT_SIZE - 20, ".%0*u", digits, fraction);
    memcpy(ret + length, "Z", 2);
    return ret;
}

const char *when_format(int64_t when, char *ret)
{
    if (when == WHEN_NONE)
        return memcpy(ret, "", 1);
    if (when % 1000 != 0)
        return format_digits(when, 9, ret);
    if (when % 1000000 != 0)
        return format_digits(when, 6, ret);
    return format_digits(when, when % NS_PER_SECOND != 0 ? 3 : 0, ret);
}

const char *when_format_ms(int64_t when, char *ret)
{
    if (when == WHEN_NONE)
        return memcpy(ret, "", 1);
    return format_digits(when, 3, ret);
}

/* Exactly `count` digits; moves *text behind them. */
static bool take_digits(const char **text, int count, uint32_t *ret_value)
{
    uint32_t value = 0;

    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (uint32_t)(**text - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_char(const char **text, const char *any_of)
{
    if (**text == '\0' || strchr(any_of, **text) == NULL)
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, struct civil *c)
{
    uint32_t year;

    if (!take_digits(text, 4, &year) || !take_char(text, "-") || !take_digits(text, 2, &c->month) ||
        !take_char(text, "-") || !take_digits(text, 2, &c->day))
        return false;
    c->year = year;
    return true;
}

/* ".123": at least one digit; those behind the ninth are cut off. */
static bool take_fraction(const char **text, uint32_t *ret_nanoseconds)
{
    uint32_t value = 0, digit;
    int count = 0;

    if (!take_char(text, "."))
        return true;
    for (; take_digits(text, 1, &digit); count++)
        if (count < 9)
            value = value * 10 + digit;
    for (int i = count; i < 9; i++)
        value *= 10;
    *ret_nanoseconds = value;
    return count > 0;
}

/* "Z", or "+04:00": how far the text's clock is ahead of UTC. */
static bool take_zone(const char **text, int64_t *ret_seconds)
{
    bool behind = **text == '-';
    uint32_t hours, minutes;

    if (take_char(text, "Zz"))
        return true;
    if (!take_char(text, "+-") || !take_digits(text, 2, &hours) || !take_char(text, ":") ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (int64_t)(hours * 3600 + minutes * 60) * (behind ? -1 : 1);
    return true;
}

static bool take_time(const char **text, struct civil *c, uint32_t *ret_nanoseconds, int64_t *ret_zone)
{
    return take_char(text, "Tt ") && take_digits(text, 2, &c->hour) && take_char(text, ":") &&
           take_digits(text, 2, &c->minute) && take_char(text, ":") && take_digits(text, 2, &c->second) &&
           take_fraction(text, ret_nanoseconds) && take_zone(text, ret_zone);
}

bool when_parse(const char *text, int64_t *ret_when)
{
    struct civil c = {0};
    uint32_t nanoseconds = 0;
    int64_t zone = 0;

    if (!take_date(&text, &c))
        return false;
    if (*text != '\0' && !take_time(&text, &c, &nanoseconds, &zone))
        return false;
    if (*text != '\0' || !civil_possible(&c))
        return false;
    *ret_when = when_from_unix(civil_seconds(&c) - zone, nanoseconds);
    return true;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    int r = clock_gettime(clock, &now);

    assert(r == 0);
    (void)r;
    return when_from_unix(now.tv_sec, (uint32_t)now.tv_nsec);
}

int64_t when_now(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t when_monotonic(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
