/*
 * test_bytes: the bounded reader keeps its bounds, and says so when they were reached.
 */
#include "engine/base/bytes.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t counting[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};

static struct bytes reader(const void *data, size_t size)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    return bytes;
}

Test(bytes, little_endian_numbers_have_their_first_byte_lowest)
{
    struct bytes bytes = reader(counting, sizeof counting);

    cr_assert_eq(bytes_u8(&bytes), 0x01);
    cr_assert_eq(bytes_u16le(&bytes), 0x0302);
    cr_assert_eq(bytes_u32le(&bytes), 0x07060504);
    bytes_seek(&bytes, 0);
    cr_assert_eq(bytes_u64le(&bytes), UINT64_C(0x8807060504030201));
    bytes_seek(&bytes, 0);
    cr_assert_eq(bytes_i64le(&bytes), INT64_C(-0x77f8f9fafbfcfdff));
    cr_assert_not(bytes_failed(&bytes));
}

Test(bytes, big_endian_numbers_have_their_first_byte_highest)
{
    struct bytes bytes = reader(counting, sizeof counting);

    cr_assert_eq(bytes_u16be(&bytes), 0x0102);
    cr_assert_eq(bytes_u32be(&bytes), 0x03040506);
    bytes_seek(&bytes, 0);
    cr_assert_eq(bytes_u64be(&bytes), UINT64_C(0x0102030405060788));
    cr_assert_not(bytes_failed(&bytes));
}

Test(bytes, a_byte_with_its_top_bit_set_is_not_sign_extended)
{
    static const uint8_t high[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    struct bytes bytes = reader(high, sizeof high);

    cr_assert_eq(bytes_u64le(&bytes), UINT64_C(0xffffffff));
    bytes_seek(&bytes, 0);
    cr_assert_eq(bytes_u64be(&bytes), UINT64_C(0xffffffff00000000));
}

Test(bytes, the_last_byte_can_be_taken)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_skip(&bytes, 7);
    cr_assert_eq(bytes_left(&bytes), 1);
    cr_assert_eq(bytes_u8(&bytes), 0x88);
    cr_assert_eq(bytes_left(&bytes), 0);
    cr_assert_not(bytes_failed(&bytes));
}

Test(bytes, taking_past_the_end_fails_and_stays_failed)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_skip(&bytes, 5);
    cr_assert_eq(bytes_u32le(&bytes), 0);
    cr_assert(bytes_failed(&bytes));
    cr_assert_eq(bytes_u8(&bytes), 0, "a byte that is there must not be given after a failure");
    cr_assert_null(bytes_take(&bytes, 0));
    bytes_seek(&bytes, 0);
    cr_assert_eq(bytes_u8(&bytes), 0);
    cr_assert(bytes_failed(&bytes));
}

Test(bytes, every_number_fails_when_its_last_byte_is_missing)
{
#define FAILS(take, size)                                                                                    \
    do {                                                                                                     \
        struct bytes bytes = reader(counting, (size)-1);                                                     \
        cr_assert_eq(take(&bytes), 0);                                                                       \
        cr_assert(bytes_failed(&bytes));                                                                     \
        bytes = reader(counting, size);                                                                      \
        cr_assert_neq(take(&bytes), 0);                                                                      \
        cr_assert_not(bytes_failed(&bytes));                                                                 \
    } while (0)
    FAILS(bytes_u8, 1);
    FAILS(bytes_u16le, 2);
    FAILS(bytes_u32le, 4);
    FAILS(bytes_u64le, 8);
    FAILS(bytes_i64le, 8);
    FAILS(bytes_u16be, 2);
    FAILS(bytes_u32be, 4);
    FAILS(bytes_u64be, 8);
#undef FAILS
}

Test(bytes, nothing_is_left_after_a_failure_so_that_loops_end)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_fail(&bytes);
    cr_assert(bytes_failed(&bytes));
    cr_assert_eq(bytes_left(&bytes), 0);
}

Test(bytes, a_size_that_would_wrap_around_fails)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_skip(&bytes, 4);
    cr_assert_null(bytes_take(&bytes, SIZE_MAX - 1));
    cr_assert(bytes_failed(&bytes));
}

Test(bytes, seeking_to_the_end_is_allowed_and_behind_it_fails)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_seek(&bytes, sizeof counting);
    cr_assert_not(bytes_failed(&bytes));
    cr_assert_eq(bytes_left(&bytes), 0);
    bytes_seek(&bytes, sizeof counting + 1);
    cr_assert(bytes_failed(&bytes));
}

Test(bytes, what_is_taken_lies_in_the_memory_that_was_given)
{
    struct bytes bytes = reader(counting, sizeof counting);

    bytes_skip(&bytes, 2);
    cr_assert_eq(bytes_take(&bytes, 3), counting + 2);
    cr_assert_eq(bytes_take(&bytes, 3), counting + 5);
    cr_assert_eq(bytes_take(&bytes, 0), counting + 8);
}

Test(bytes, a_reader_over_nothing_gives_nothing_without_failing)
{
    struct bytes bytes = reader(NULL, 0), zero = {0};

    cr_assert_not_null(bytes_take(&bytes, 0));
    cr_assert_not_null(bytes_take(&zero, 0));
    cr_assert_not(bytes_failed(&bytes));
    cr_assert_null(bytes_take(&bytes, 1));
    cr_assert(bytes_failed(&bytes));
}

Test(bytes, a_blob_is_its_length_and_then_its_bytes)
{
    static const uint8_t data[] = {3, 0, 0, 0, 'a', 'b', 'c', 0, 0, 0, 0, 9};
    struct bytes bytes = reader(data, sizeof data);
    size_t size;

    cr_assert_eq(bytes_blob(&bytes, &size), data + 4);
    cr_assert_eq(size, 3);
    cr_assert_not_null(bytes_blob(&bytes, &size));
    cr_assert_eq(size, 0);
    cr_assert_eq(bytes_u8(&bytes), 9);
    cr_assert_not(bytes_failed(&bytes));
}

Test(bytes, a_blob_longer_than_what_remains_fails_with_size_zero)
{
    static const uint8_t data[] = {4, 0, 0, 0, 'a', 'b', 'c'}, huge[] = {0xff, 0xff, 0xff, 0xff, 'a'};
    struct bytes bytes = reader(data, sizeof data);
    size_t size = 77;

    cr_assert_null(bytes_blob(&bytes, &size));
    cr_assert_eq(size, 0);
    cr_assert(bytes_failed(&bytes));
    bytes = reader(huge, sizeof huge);
    size = 77;
    cr_assert_null(bytes_blob(&bytes, &size));
    cr_assert_eq(size, 0);
}

Test(bytes, a_string_ends_with_its_only_nul)
{
    static const uint8_t good[] = {3, 0, 0, 0, 'h', 'i', 0}, empty[] = {1, 0, 0, 0, 0};
    struct bytes bytes = reader(good, sizeof good);

    cr_assert_str_eq(bytes_string(&bytes), "hi");
    bytes = reader(empty, sizeof empty);
    cr_assert_str_eq(bytes_string(&bytes), "");
    cr_assert_not(bytes_failed(&bytes));
}

Test(bytes, a_string_without_its_nul_or_with_two_fails)
{
    static const uint8_t none[] = {2, 0, 0, 0, 'h', 'i', 0}, two[] = {4, 0, 0, 0, 'h', 0, 'i', 0},
                         no_bytes[] = {0, 0, 0, 0, 0};
    struct bytes bytes = reader(none, sizeof none);

    cr_assert_null(bytes_string(&bytes));
    cr_assert(bytes_failed(&bytes));
    bytes = reader(two, sizeof two);
    cr_assert_null(bytes_string(&bytes));
    cr_assert(bytes_failed(&bytes));
    bytes = reader(no_bytes, sizeof no_bytes);
    cr_assert_null(bytes_string(&bytes));
    cr_assert(bytes_failed(&bytes));
}

Test(bytes, sums_and_products_that_do_not_fit_are_the_greatest_number)
{
    cr_assert_eq(u64_add_saturating(2, 3), 5);
    cr_assert_eq(u64_add_saturating(UINT64_MAX, 1), UINT64_MAX);
    cr_assert_eq(u64_add_saturating(UINT64_MAX - 1, 1), UINT64_MAX);
    cr_assert_eq(u64_mul_saturating(1U << 31, 4), UINT64_C(1) << 33);
    cr_assert_eq(u64_mul_saturating(UINT64_C(1) << 32, UINT64_C(1) << 32), UINT64_MAX);
    cr_assert_eq(u64_mul_saturating(UINT64_MAX, 0), 0);
}

Test(bytes, a_range_fits_only_when_its_end_is_inside_without_wrapping)
{
    cr_assert(u64_range_fits(0, 10, 10));
    cr_assert(u64_range_fits(10, 0, 10));
    cr_assert(u64_range_fits(4, 6, 10));
    cr_assert_not(u64_range_fits(4, 7, 10));
    cr_assert_not(u64_range_fits(11, 0, 10));
    cr_assert_not(u64_range_fits(UINT64_MAX, 2, 10));
    cr_assert_not(u64_range_fits(5, UINT64_MAX - 2, 10));
}
