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

Test(allowance, what_a_medium_can_hold_may_be_read_slowly)
{
    const uint64_t gib = UINT64_C(1) << 30;
    cr_expect_eq(allowance_content(STREAM, 0, 0, false, 0), STREAM * SECOND);
    cr_expect_eq(allowance_content(STREAM, 4 * gib, 500 * gib, false, 0), (STREAM + 2048) * SECOND);
    cr_expect_eq(allowance_content(STREAM, 4 * gib, 0, false, 0), (STREAM + 2048) * SECOND, "a folder's files have no medium");
    cr_expect_eq(allowance_content(STREAM, 0, 0, false, 4 * gib), (STREAM + 2048) * SECOND);
    cr_expect_eq(allowance_content(UINT64_MAX, UINT64_MAX, UINT64_MAX, false, UINT64_MAX), 10 * DAY * SECOND);
}

/* A sparse file of 100 GiB is read to its end at 86 MiB a second or more; one that claims a petabyte is ended. */
Test(allowance, what_a_content_claims_beyond_its_medium_gives_little)
{
    const uint64_t mib = UINT64_C(1) << 20, gib = mib << 10, pib = gib << 20;
    cr_expect_eq(allowance_content(STREAM, 100 * gib, 16 * mib, false, 0), 2 * STREAM * SECOND + 8 * SECOND);
    cr_expect_eq(allowance_content(STREAM, gib, 16 * mib, false, 0), (STREAM + 8 + 15) * SECOND);
    cr_expect_eq(allowance_content(STREAM, pib, 16 * mib, false, 0), 2 * STREAM * SECOND + 8 * SECOND);
    /* A virtual disk of 400 GiB of which little was ever written is hashed to its end, one of a petabyte is not. */
    cr_expect_eq(allowance_content(STREAM, 400 * gib, 16 * mib, true, 0), (STREAM + 8 + 400 * 16 - 1) * SECOND);
    cr_expect_eq(allowance_content(STREAM, pib, 16 * mib, true, 0), (STREAM + 8 + 12 * STREAM) * SECOND);
}
