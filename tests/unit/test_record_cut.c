/* What a record that is too large keeps. */
#include "engine/scan/record_cut.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct field fields[] = {
    {"text", FIELD_TEXT, "", "a text"},    {"more", FIELD_TEXT, "", "another one"},
    {"data", FIELD_BYTES, "", "bytes"},    {"json", FIELD_JSON, "", "JSON"},
    {"number", FIELD_U64, "", "a number"},
};
static const struct record_type type = {"large", 1, "what may be too large", fields, 5};
enum { LARGE = 100000 };

static struct buf wire, told, large;
static struct value values[5], got[5];

static void finish(void)
{
    buf_finish(&wire);
    buf_finish(&told);
    buf_finish(&large);
}

TestSuite(record_cut, .fini = finish);

/* `unit` again and again. */
static struct value repeated(const char *unit)
{
    buf_clear(&large);
    while (large.size < LARGE)
        buf_text(&large, unit);
    return value_bytes(large.data, large.size);
}

static void encode(void)
{
    struct bytes bytes;

    cr_assert_eq(record_encode(&wire, &type, values), -E2BIG);
    cr_assert_eq(record_encode_cut(&wire, &type, values, &told), 0);
    cr_assert_leq(wire.size, RECORD_SIZE_MAX);
    bytes_init(&bytes, wire.data, wire.size);
    cr_assert_eq(record_decode(&bytes, &type, got), 0);
}

Test(record_cut, a_short_value_and_a_number_stay_as_they_are)
{
    values[0] = repeated("a");
    values[1] = value_text("short");
    values[4] = value_u64(7);
    encode();
    cr_assert_eq(wire.size, RECORD_SIZE_MAX);
    cr_assert_eq(got[1].as.bytes.size, 5);
    cr_assert_eq(got[4].as.u64, 7);
    cr_assert_str_eq(buf_cstr(&told), "text (57318 bytes kept)");
}

Test(record_cut, long_values_are_cut_to_one_length)
{
    values[0] = values[1] = repeated("a");
    values[2] = value_bytes(large.data, 30000);
    encode();
    cr_assert_eq(got[0].as.bytes.size, got[1].as.bytes.size);
    cr_assert_eq(got[1].as.bytes.size, got[2].as.bytes.size);
    cr_assert_geq(wire.size, RECORD_SIZE_MAX - 2);
    cr_assert_str_eq(buf_cstr(&told),
                     "text (19109 bytes kept), more (19109 bytes kept), data (19109 bytes kept)");
}

Test(record_cut, text_ends_behind_a_whole_character_or_escape)
{
    static const char *const units[] = {"წ", "\\\\", "\\xe1"};

    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(units[i]);

        buf_clear(&wire);
        values[0] = repeated(units[i]);
        encode();
        cr_assert_eq(got[0].as.bytes.size % size, 0, "%s", units[i]);
        cr_assert_gt(wire.size, RECORD_SIZE_MAX - 4);
    }
}

Test(record_cut, an_array_ends_behind_a_whole_element)
{
    static const char element[] = ",\"a],\\\"\",{\"b\":[1,2]}";
    const char *data;
    size_t size;

    repeated(element);
    large.data[0] = '[';
    buf_u8(&large, ']');
    values[3] = value_bytes(large.data, large.size);
    encode();
    data = got[3].as.bytes.data;
    size = got[3].as.bytes.size;
    cr_assert_gt(size, RECORD_SIZE_MAX - 50);
    cr_assert(memcmp(data + size - 5, ",2]}]", 5) == 0 || memcmp(data + size - 5, &"],\\\"\"]"[1], 5) == 0);
}

Test(record_cut, json_that_is_no_array_is_left_out)
{
    repeated("1");
    large.data[0] = large.data[large.size - 1] = '"';
    values[3] = value_bytes(large.data, large.size);
    encode();
    cr_assert(!got[3].present);
    cr_assert_str_eq(buf_cstr(&told), "json (left out)");
}

Test(record_cut, an_array_whose_first_element_is_too_long_is_empty)
{
    repeated("1");
    large.data[0] = '[';
    large.data[large.size - 1] = ']';
    values[3] = value_bytes(large.data, large.size);
    encode();
    cr_assert_eq(got[3].as.bytes.size, 2);
    cr_assert_str_eq(buf_cstr(&told), "json (2 bytes kept)");
}

Test(record_cut, a_size_that_nothing_has_is_not_looked_at)
{
    values[0] = value_bytes("few", SIZE_MAX);
    cr_assert_eq(record_encode_cut(&wire, &type, values, &told), -E2BIG);
    values[0] = value_bytes(NULL, LARGE);
    cr_assert_eq(record_encode_cut(&wire, &type, values, &told), -EINVAL);
    cr_assert_eq(wire.size, 0);
}

Test(record_cut, what_is_kept_must_be_right_all_the_same)
{
    values[0] = repeated("\x1b");
    cr_assert_eq(record_encode_cut(&wire, &type, values, &told), -EINVAL);
}
