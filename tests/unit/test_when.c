/*
 * test_when: times of every format, against known dates and against the C library's calendar.
 */
#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static const char *shown(int64_t when)
{
    static char text[WHEN_TEXT_SIZE];

    return when_format(when, text);
}

static int64_t parsed(const char *text)
{
    int64_t when = 7;

    cr_assert(when_parse(text, &when), "%s is refused", text);
    return when;
}

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

Test(when, unix_seconds_become_nanoseconds)
{
    cr_assert_eq(when_from_unix(0, 0), 0);
    cr_assert_eq(when_from_unix(1, 5), SECOND + 5);
    cr_assert_eq(when_from_unix(-1, 999999999), -1);
    cr_assert_eq(when_from_unix(-1, 0), -SECOND);
    cr_assert_eq(when_from_unix(0, UINT32_MAX), UINT32_MAX, "a damaged nanosecond field is carried over");
}

Test(when, times_at_the_ends_of_the_range_are_exact)
{
    cr_assert_eq(when_from_unix(9223372036, 854775807), INT64_MAX);
    cr_assert_eq(when_from_unix(-9223372037, 145224193), INT64_MIN + 1);
    cr_assert_eq(when_from_unix(-9223372037, 145224194), INT64_MIN + 2);
}

Test(when, times_outside_of_the_range_are_clamped_and_never_none)
{
    cr_assert_eq(when_from_unix(9223372036, 854775808), INT64_MAX);
    cr_assert_eq(when_from_unix(INT64_MAX, UINT32_MAX), INT64_MAX);
    cr_assert_eq(when_from_unix(-9223372037, 145224192), INT64_MIN + 1, "this is the number of WHEN_NONE");
    cr_assert_eq(when_from_unix(-9223372037, 0), INT64_MIN + 1);
    cr_assert_eq(when_from_unix(INT64_MIN, 0), INT64_MIN + 1);
    cr_assert_neq(when_from_unix(INT64_MIN, 0), WHEN_NONE);
}

Test(when, filetimes_count_from_1601)
{
    cr_assert_eq(when_from_filetime(0), WHEN_NONE);
    cr_assert_eq(when_from_filetime(UINT64_C(116444736000000000)), 0);
    cr_assert_eq(when_from_filetime(UINT64_C(116444736000000001)), 100);
    cr_assert_eq(when_from_filetime(UINT64_C(116444735999999999)), -100);
    cr_assert_str_eq(shown(when_from_filetime(UINT64_C(128166372003061629))),
                     "2007-02-22T17:00:00.306162900Z");
    cr_assert_eq(when_from_filetime(1), INT64_MIN + 1);
    cr_assert_eq(when_from_filetime(UINT64_MAX), INT64_MAX);
}

static int64_t dos(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                   unsigned second, unsigned tenths)
{
    return when_from_dos((uint16_t)((year - 1980) << 9 | month << 5 | day),
                         (uint16_t)(hour << 11 | minute << 5 | second / 2), (uint8_t)tenths);
}

Test(when, dos_times_have_two_seconds_and_then_hundredths)
{
    cr_assert_str_eq(shown(dos(1980, 1, 1, 0, 0, 0, 0)), "1980-01-01T00:00:00Z");
    cr_assert_str_eq(shown(dos(2107, 12, 31, 23, 59, 58, 199)), "2107-12-31T23:59:59.990Z");
    cr_assert_str_eq(shown(dos(2024, 2, 29, 12, 34, 56, 0)), "2024-02-29T12:34:56Z");
    cr_assert_str_eq(shown(dos(2024, 2, 29, 12, 34, 56, 100)), "2024-02-29T12:34:57Z");
    cr_assert_str_eq(shown(dos(2024, 2, 29, 12, 34, 56, 7)), "2024-02-29T12:34:56.070Z");
    cr_assert_str_eq(shown(dos(2024, 2, 29, 12, 34, 56, 200)), "2024-02-29T12:34:56Z");
}

Test(when, impossible_dos_times_are_none)
{
    cr_assert_eq(when_from_dos(0, 0, 0), WHEN_NONE);
    cr_assert_eq(when_from_dos(0, 0x6000, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 0, 1, 0, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 13, 1, 0, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 1, 0, 0, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 4, 31, 0, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2023, 2, 29, 0, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2100, 2, 29, 0, 0, 0, 0), WHEN_NONE, "2100 is no leap year");
    cr_assert_neq(dos(2000, 2, 29, 0, 0, 0, 0), WHEN_NONE, "2000 is one");
    cr_assert_eq(dos(2024, 1, 1, 24, 0, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 1, 1, 0, 60, 0, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 1, 1, 0, 0, 60, 0), WHEN_NONE);
    cr_assert_eq(dos(2024, 1, 1, 0, 59, 60, 0), WHEN_NONE, "FAT has no leap seconds");
}

Test(when, hfs_times_count_from_1904)
{
    cr_assert_eq(when_from_hfs(0), WHEN_NONE);
    cr_assert_str_eq(shown(when_from_hfs(1)), "1904-01-01T00:00:01Z");
    cr_assert_eq(when_from_hfs(2082844800), 0);
    cr_assert_str_eq(shown(when_from_hfs(UINT32_MAX)), "2040-02-06T06:28:15Z");
}

/* The table of ext4's documentation: the ends of each range that the two epoch bits make. */
Test(when, ext4_times_have_34_bits_of_signed_seconds)
{
    cr_assert_str_eq(shown(when_from_ext4(0x80000000, 0)), "1901-12-13T20:45:52Z");
    cr_assert_str_eq(shown(when_from_ext4(0xffffffff, 0)), "1969-12-31T23:59:59Z");
    cr_assert_str_eq(shown(when_from_ext4(0x00000000, 0)), "1970-01-01T00:00:00Z");
    cr_assert_str_eq(shown(when_from_ext4(0x7fffffff, 0)), "2038-01-19T03:14:07Z");
    cr_assert_str_eq(shown(when_from_ext4(0x80000000, 1)), "2038-01-19T03:14:08Z");
    cr_assert_str_eq(shown(when_from_ext4(0x00000000, 1)), "2106-02-07T06:28:16Z");
    cr_assert_str_eq(shown(when_from_ext4(0x80000000, 2)), "2174-02-25T09:42:24Z");
    cr_assert_str_eq(shown(when_from_ext4(0xffffffff, 2)), "2242-03-16T12:56:31Z");
}

Test(when, ext4_times_after_2262_are_clamped)
{
    cr_assert_eq(when_from_ext4(0x7fffffff, 2), INT64_MAX);
    cr_assert_eq(when_from_ext4(0xffffffff, 3), INT64_MAX, "2378-04-22");
    cr_assert_eq(when_from_ext4(0x7fffffff, 3), INT64_MAX, "2446-05-10");
}

Test(when, ext4_nanoseconds_are_the_upper_thirty_bits)
{
    cr_assert_str_eq(shown(when_from_ext4(1, 123456789U << 2)), "1970-01-01T00:00:01.123456789Z");
    cr_assert_str_eq(shown(when_from_ext4(0xffffffff, 999999999U << 2)), "1969-12-31T23:59:59.999999999Z");
    cr_assert_str_eq(shown(when_from_ext4(0, 1U << 2 | 1)), "2106-02-07T06:28:16.000000001Z");
}

Test(when, as_many_digits_are_shown_as_are_needed)
{
    cr_assert_str_eq(shown(WHEN_NONE), "");
    cr_assert_str_eq(shown(0), "1970-01-01T00:00:00Z");
    cr_assert_str_eq(shown(500 * 1000000), "1970-01-01T00:00:00.500Z");
    cr_assert_str_eq(shown(20 * 1000), "1970-01-01T00:00:00.000020Z");
    cr_assert_str_eq(shown(3), "1970-01-01T00:00:00.000000003Z");
    cr_assert_str_eq(shown(-1), "1969-12-31T23:59:59.999999999Z");
    cr_assert_str_eq(shown(-SECOND), "1969-12-31T23:59:59Z");
}

Test(when, the_ends_of_the_range_can_be_shown)
{
    cr_assert_str_eq(shown(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
    cr_assert_str_eq(shown(INT64_MIN + 1), "1677-09-21T00:12:43.145224193Z");
}

Test(when, the_form_of_the_ledger_has_milliseconds_always)
{
    char text[WHEN_TEXT_SIZE];

    cr_assert_str_eq(when_format_ms(0, text), "1970-01-01T00:00:00.000Z");
    cr_assert_str_eq(when_format_ms(1999999, text), "1970-01-01T00:00:00.001Z");
    cr_assert_str_eq(when_format_ms(-1, text), "1969-12-31T23:59:59.999Z");
    cr_assert_str_eq(when_format_ms(WHEN_NONE, text), "");
}

Test(when, dates_agree_with_the_c_library)
{
    for (int64_t day = -100000; day < 100000; day++) {
        time_t seconds = day * 86400 + (int64_t)(random_number() % 86400);
        struct tm tm;
        char want[WHEN_TEXT_SIZE];

        cr_assert_not_null(gmtime_r(&seconds, &tm));
        cr_assert_gt(strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm), 0);
        cr_assert_str_eq(shown(seconds * SECOND), want);
    }
}

Test(when, what_is_shown_reads_back_as_the_same_time)
{
    for (int i = 0; i < 100000; i++) {
        int64_t when = (int64_t)random_number();

        when -= i % 2 ? when % 1000000 : 0;
        if (when != WHEN_NONE)
            cr_assert_eq(parsed(shown(when)), when, "%s", shown(when));
    }
    cr_assert_eq(parsed(shown(INT64_MAX)), INT64_MAX);
    cr_assert_eq(parsed(shown(INT64_MIN + 1)), INT64_MIN + 1);
}

Test(when, a_date_alone_is_its_midnight)
{
    cr_assert_eq(parsed("1970-01-02"), 86400 * SECOND);
    cr_assert_str_eq(shown(parsed("2024-02-29")), "2024-02-29T00:00:00Z");
}

Test(when, zones_and_separators_of_rfc_3339_are_read)
{
    cr_assert_str_eq(shown(parsed("2026-01-01T03:59:59+04:00")), "2025-12-31T23:59:59Z");
    cr_assert_str_eq(shown(parsed("2025-12-31T23:30:00-00:30")), "2026-01-01T00:00:00Z");
    cr_assert_str_eq(shown(parsed("2026-01-01t00:00:00z")), "2026-01-01T00:00:00Z");
    cr_assert_str_eq(shown(parsed("2026-01-01 00:00:00Z")), "2026-01-01T00:00:00Z");
    cr_assert_str_eq(shown(parsed("1990-12-31T23:59:60Z")), "1991-01-01T00:00:00Z", "a leap second");
}

Test(when, fractions_of_any_length_are_read_to_the_nanosecond)
{
    cr_assert_eq(parsed("1970-01-01T00:00:00.5Z"), SECOND / 2);
    cr_assert_eq(parsed("1970-01-01T00:00:00.000000001Z"), 1);
    cr_assert_eq(parsed("1970-01-01T00:00:00.0000000019999999999999Z"), 1);
    cr_assert_eq(parsed("1969-12-31T23:59:59.9Z"), -SECOND / 10);
}

Test(when, times_out_of_range_are_read_as_the_nearest)
{
    cr_assert_eq(parsed("9999-12-31T23:59:59Z"), INT64_MAX);
    cr_assert_eq(parsed("2378-04-22"), INT64_MAX);
    cr_assert_eq(parsed("0001-01-01"), INT64_MIN + 1);
    cr_assert_eq(parsed("0000-02-29"), INT64_MIN + 1);
}

Test(when, what_is_not_rfc_3339_is_refused)
{
    static const char *const bad[] = {
        "",
        "yesterday",
        "2026",
        "2026-1-01",
        "26-01-01",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-02-29",
        "1900-02-29",
        "2026-01-01T",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:59:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.5",
        "2026-01-01T00:00:00+0400",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+04:60",
        "2026-01-01T00:00:00Zx",
        "2026-01-01x",
        " 2026-01-01",
        "2026-01-01Z",
        "-026-01-01",
    };
    int64_t when = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(when_parse(bad[i], &when), "%s", bad[i]);
    cr_assert_eq(when, 7, "an output is untouched on failure");
}

Test(when, the_clocks_go_forward)
{
    int64_t before = when_monotonic();

    cr_assert_gt(when_now(), parsed("2024-01-01"));
    cr_assert_geq(when_monotonic(), before);
    cr_assert_lt(when_monotonic() - before, 60 * SECOND);
}
