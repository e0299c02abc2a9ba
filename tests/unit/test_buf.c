/*
 * test_buf: the growing buffer, alone and read back by bytes.
 */
#include "engine/base/buf.h"

#include "engine/base/bytes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Sets the sticky failure the way that a caller could: more than there can be. */
static void fail(struct buf *buf)
{
    volatile size_t impossible = SIZE_MAX;

    buf_append(buf, "x", impossible);
}

Test(buf, what_is_written_reads_back)
{
    struct buf buf = {0};
    struct bytes bytes;
    size_t size;

    buf_u8(&buf, 0xfe);
    buf_u16le(&buf, 0xfedc);
    buf_u32le(&buf, 0xfedcba98);
    buf_u64le(&buf, UINT64_C(0xfedcba9876543210));
    buf_i64le(&buf, INT64_MIN);
    buf_blob(&buf, "a\0b", 3);
    buf_blob(&buf, NULL, 0);
    buf_string(&buf, "word");
    buf_string(&buf, NULL);
    cr_assert_not(buf_failed(&buf));

    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(bytes_u8(&bytes), 0xfe);
    cr_assert_eq(bytes_u16le(&bytes), 0xfedc);
    cr_assert_eq(bytes_u32le(&bytes), 0xfedcba98);
    cr_assert_eq(bytes_u64le(&bytes), UINT64_C(0xfedcba9876543210));
    cr_assert_eq(bytes_i64le(&bytes), INT64_MIN);
    cr_assert_arr_eq(bytes_blob(&bytes, &size), "a\0b", 3);
    cr_assert_eq(size, 3);
    cr_assert_not_null(bytes_blob(&bytes, &size));
    cr_assert_eq(size, 0);
    cr_assert_str_eq(bytes_string(&bytes), "word");
    cr_assert_str_eq(bytes_string(&bytes), "");
    cr_assert_not(bytes_failed(&bytes));
    cr_assert_eq(bytes_left(&bytes), 0);
    buf_finish(&buf);
}

Test(buf, numbers_are_little_endian_on_every_machine)
{
    static const uint8_t want[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04};
    struct buf buf;

    buf_init(&buf);
    buf_u8(&buf, 0x01);
    buf_u16le(&buf, 0x0203);
    buf_u32le(&buf, 0x04050607);
    cr_assert_eq(buf.size, sizeof want);
    cr_assert_arr_eq(buf.data, want, sizeof want);
    buf_finish(&buf);
}

Test(buf, a_million_single_bytes_arrive_in_order)
{
    struct buf buf = {0};

    for (uint32_t i = 0; i < 1000000; i++)
        buf_u8(&buf, (uint8_t)(i * 7));
    cr_assert_eq(buf.size, 1000000);
    for (uint32_t i = 0; i < 1000000; i++)
        if (buf.data[i] != (uint8_t)(i * 7))
            cr_assert_fail("byte %u is %u", i, buf.data[i]);
    buf_finish(&buf);
}

Test(buf, formatted_text_of_every_length_grows_the_buffer)
{
    struct buf buf = {0};

    for (int width = 0; width < 300; width++) {
        buf_clear(&buf);
        buf_text(&buf, "<");
        buf_printf(&buf, "%*s%d", width, "", 7);
        cr_assert_eq(buf.size, (size_t)width + 2);
        cr_assert_eq(buf_cstr(&buf)[width + 1], '7');
        cr_assert_eq(strlen(buf_cstr(&buf)), buf.size);
    }
    buf_finish(&buf);
}

Test(buf, the_c_string_has_its_nul_at_every_size)
{
    struct buf buf = {0};

    cr_assert_str_eq(buf_cstr(&buf), "");
    for (size_t i = 1; i < 300; i++) {
        buf_text(&buf, "x");
        cr_assert_eq(strlen(buf_cstr(&buf)), i);
        cr_assert_eq(buf.size, i, "the NUL must not be counted");
    }
    buf_finish(&buf);
}

Test(buf, a_failure_keeps_what_was_there_and_ignores_what_follows)
{
    struct buf buf = {0};

    buf_text(&buf, "kept");
    fail(&buf);
    cr_assert(buf_failed(&buf));
    buf_text(&buf, "ignored");
    buf_u64le(&buf, 1);
    buf_printf(&buf, "%d", 2);
    buf_blob(&buf, "abc", 3);
    cr_assert(buf_failed(&buf));
    cr_assert_eq(buf.size, 4);
    cr_assert_arr_eq(buf.data, "kept", 4);
    cr_assert_str_eq(buf_cstr(&buf), "", "a text that is not whole must not be used");
    buf_finish(&buf);
}

Test(buf, clearing_forgives_a_failure_and_keeps_the_memory)
{
    struct buf buf = {0};
    uint8_t *data;

    buf_text(&buf, "before");
    data = buf.data;
    fail(&buf);
    buf_clear(&buf);
    cr_assert_not(buf_failed(&buf));
    cr_assert_eq(buf.size, 0);
    buf_text(&buf, "after");
    cr_assert_str_eq(buf_cstr(&buf), "after");
    cr_assert_eq(buf.data, data);
    buf_finish(&buf);
}

Test(buf, a_blob_too_long_for_its_length_fails_and_writes_nothing)
{
    struct buf buf = {0};
    volatile size_t too_long = (size_t)UINT32_MAX + 1;

    buf_blob(&buf, "x", too_long);
    cr_assert(buf_failed(&buf));
    cr_assert_eq(buf.size, 0);
    buf_finish(&buf);
}

Test(buf, a_patched_number_changes_its_four_bytes_alone)
{
    struct buf buf = {0};

    buf_text(&buf, "a....b");
    buf_patch_u32le(&buf, 1, 0x34333231);
    cr_assert_str_eq(buf_cstr(&buf), "a1234b");
    buf_finish(&buf);
}

Test(buf, patching_a_failed_buffer_does_nothing)
{
    struct buf buf = {0};

    fail(&buf);
    buf_patch_u32le(&buf, 100, 1);
    cr_assert(buf_failed(&buf));
    cr_assert_eq(buf.size, 0);
    buf_finish(&buf);
}

Test(buf, stealing_hands_over_the_text_and_leaves_an_empty_buffer)
{
    struct buf buf = {0};
    char *text;

    buf_text(&buf, "mine");
    text = buf_steal(&buf);
    cr_assert_str_eq(text, "mine");
    cr_assert_null(buf.data);
    cr_assert_eq(buf.size, 0);
    free(text);
    text = buf_steal(&buf);
    cr_assert_str_eq(text, "", "an empty buffer is an empty text");
    free(text);
}

Test(buf, stealing_a_failed_buffer_gives_null_and_leaves_it_empty)
{
    struct buf buf = {0};

    buf_text(&buf, "half");
    fail(&buf);
    cr_assert_null(buf_steal(&buf));
    cr_assert_null(buf.data);
    cr_assert_not(buf_failed(&buf));
}

Test(buf, finishing_twice_or_nothing_is_allowed)
{
    struct buf buf = {0};

    buf_text(&buf, "x");
    buf_finish(&buf);
    buf_finish(&buf);
    buf_finish(NULL);
    cr_assert_null(buf.data);
    cr_assert_eq(buf.capacity, 0);
}
