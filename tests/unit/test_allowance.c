/*
 * test_allowance: the time that a walk is given grows with the square of the folders that it reads, up to an
 * end.
 */
#include "engine/job/allowance.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000000)
enum { HANG = 60, STREAM = 600, DAY = 86400 };

Test(allowance, without_a_folder_the_setting_alone_counts)
{
    cr_expect_eq(allowance_silence(HANG, 0), HANG * SECOND);
    cr_expect_lt(allowance_silence(1, 100) - SECOND, SECOND / 10000,
                 "a small folder gives nothing to speak of");
}

/* Measured on libtsk 4.11.1: 1.5 s for 50,000 names, 5.4 s for 100,000, 27 s for 200,000; a million needs
 * some 11 minutes. */
Test(allowance, what_was_measured_fits_with_room)
{
    static const struct {
        uint64_t names;
        double seconds;
    } measured[] = {{50000, 1.5}, {100000, 5.4}, {200000, 27}, {1000000, 675}};

    for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
        cr_expect_geq(allowance_folder(measured[i].names), 4 * measured[i].seconds);
        cr_expect_leq(allowance_folder(measured[i].names), 8 * measured[i].seconds);
    }
}

Test(allowance, twice_the_names_are_four_times_the_seconds)
{
    cr_expect_float_eq(allowance_folder(400000), 4 * allowance_folder(200000), 1e-6);
}

Test(allowance, a_folder_that_claims_everything_gets_a_day)
{
    cr_expect_float_eq(allowance_folder(UINT64_MAX), DAY, 1e-6);
    cr_expect_eq(allowance_silence(HANG, UINT64_MAX), DAY * SECOND);
    cr_expect_eq(allowance_silence(UINT64_MAX, UINT64_MAX), DAY * SECOND);
}

Test(allowance, a_walk_has_four_hours_and_what_its_folders_need)
{
    cr_expect_eq(allowance_walk(STREAM, 0), 4 * 3600 * SECOND);
    cr_expect_eq(allowance_walk(STREAM, 3375), (4 * 3600 + 3375) * SECOND);
    cr_expect_eq(allowance_walk(2 * 3600, 0), 8 * 3600 * SECOND);
}

Test(allowance, folders_give_a_walk_a_day_at_most_and_a_setting_ten)
{
    cr_expect_eq(allowance_walk(STREAM, 1e30), (4 * 3600 + DAY) * SECOND);
    cr_expect_eq(allowance_walk(UINT64_MAX, 1e30), 10 * DAY * SECOND);
}

Test(allowance, a_job_that_stood_still_for_long_is_forgiven_all_of_it_and_a_busy_one_nothing)
{
    cr_expect_eq(allowance_stall(7 * SECOND, 187 * SECOND), 179 * SECOND);
    cr_expect_eq(allowance_stall(7 * SECOND, 12 * SECOND), 0);
    cr_expect_eq(allowance_stall(7 * SECOND, 12 * SECOND + 1), 4 * SECOND + 1);
    cr_expect_eq(allowance_stall(0, 180 * SECOND), 0); /* it has not looked yet */
}
