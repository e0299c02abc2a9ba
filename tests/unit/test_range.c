/* range: lists stay ordered, merged and bounded. */
#include "engine/base/range.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ranges list;

static void finish(void)
{
    ranges_finish(&list);
}

TestSuite(range, .fini = finish);

static void check(size_t at, uint64_t offset, uint64_t size)
{
    cr_assert_lt(at, list.count);
    cr_expect_eq(list.items[at].offset, offset);
    cr_expect_eq(list.items[at].size, size);
}

Test(range, what_touches_or_overlaps_becomes_one)
{
    cr_assert_eq(ranges_add(&list, 100, 10), 0);
    cr_assert_eq(ranges_add(&list, 110, 10), 0);
    cr_assert_eq(ranges_add(&list, 90, 15), 0);
    cr_assert_eq(list.count, 1);
    check(0, 90, 30);
}

Test(range, ranges_come_out_in_order_whatever_the_order_they_came_in)
{
    cr_assert_eq(ranges_add(&list, 300, 1), 0);
    cr_assert_eq(ranges_add(&list, 100, 1), 0);
    cr_assert_eq(ranges_add(&list, 200, 1), 0);
    cr_assert_eq(list.count, 3);
    check(0, 100, 1);
    check(1, 200, 1);
    check(2, 300, 1);
    cr_expect_eq(ranges_bytes(&list), 3);
}

Test(range, one_that_covers_several_swallows_them)
{
    for (uint64_t i = 0; i < 10; i++)
        cr_assert_eq(ranges_add(&list, i * 10, 2), 0);
    cr_assert_eq(ranges_add(&list, 15, 60), 0);
    cr_assert_eq(list.count, 5);
    check(1, 10, 2);
    check(2, 15, 60);
    check(3, 80, 2);
}

Test(range, nothing_added_is_nothing)
{
    cr_assert_eq(ranges_add(&list, 5, 0), 0);
    cr_expect_eq(list.count, 0);
    cr_expect_eq(ranges_bytes(&list), 0);
    cr_expect_null(ranges_next(&list, 0));
}

Test(range, the_end_of_the_numbers_is_no_overflow)
{
    cr_assert_eq(ranges_add(&list, UINT64_MAX - 5, 100), 0);
    check(0, UINT64_MAX - 5, 5);
    cr_assert_eq(ranges_add(&list, UINT64_MAX - 10, 6), 0);
    cr_expect_eq(list.count, 1);
}

Test(range, next_finds_the_first_that_ends_past_an_offset)
{
    cr_assert_eq(ranges_add(&list, 10, 10), 0);
    cr_assert_eq(ranges_add(&list, 30, 10), 0);
    cr_expect_eq(ranges_next(&list, 0)->offset, 10);
    cr_expect_eq(ranges_next(&list, 19)->offset, 10);
    cr_expect_eq(ranges_next(&list, 20)->offset, 30);
    cr_expect_null(ranges_next(&list, 40));
}

Test(range, a_full_list_covers_too_much_rather_than_too_little)
{
    for (uint64_t i = 0; i < RANGES_MAX; i++)
        cr_assert_eq(ranges_add(&list, i * 10, 1), 0);
    cr_expect_not(list.coarse);
    cr_assert_eq(ranges_add(&list, 1000000, 5), 0);
    cr_expect(list.coarse);
    cr_expect_eq(list.count, RANGES_MAX);
    check(RANGES_MAX - 1, (RANGES_MAX - 1) * 10, 1000005 - (RANGES_MAX - 1) * 10);
    cr_assert_eq(ranges_add(&list, 5, 1), 0); /* between the first two */
    check(1, 5, 6);
    ranges_clear(&list);
    cr_expect_eq(list.count, 0);
    cr_expect_not(list.coarse);
}
