/*
 * test_json: the writer's commas, and that no value can break out of its quotes.
 */
#include "engine/base/json.h"

#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf buf;
static struct json json;

static void setup(void)
{
    buf_clear(&buf);
    json_init(&json, &buf);
}

TestSuite(json, .init = setup);

static const char *quoted(const void *data, size_t size)
{
    setup();
    json_bytes(&json, NULL, data, size);
    return buf_cstr(&buf);
}

Test(json, objects_and_arrays_nest_with_their_commas)
{
    json_object_open(&json, NULL);
    json_u64(&json, "a", 1);
    json_array_open(&json, "b");
    json_u64(&json, NULL, 1);
    json_object_open(&json, NULL);
    json_object_close(&json);
    json_array_open(&json, NULL);
    json_array_close(&json);
    json_object_open(&json, NULL);
    json_none(&json, "x");
    json_object_close(&json);
    json_u64(&json, NULL, 2);
    json_array_close(&json);
    json_object_open(&json, "c");
    json_object_close(&json);
    json_bool(&json, "d", true);
    json_object_close(&json);
    cr_assert_str_eq(buf_cstr(&buf), "{\"a\":1,\"b\":[1,{},[],{\"x\":null},2],\"c\":{},\"d\":true}");
    cr_assert_eq(json.depth, 0);
}

Test(json, values_at_the_top_have_no_commas_between_them)
{
    json_object_open(&json, NULL);
    json_object_close(&json);
    buf_u8(&buf, '\n');
    json_object_open(&json, NULL);
    json_object_close(&json);
    cr_assert_str_eq(buf_cstr(&buf), "{}\n{}");
}

Test(json, every_kind_of_value_has_its_form)
{
    json_array_open(&json, NULL);
    json_text(&json, NULL, "s");
    json_text(&json, NULL, "");
    json_text(&json, NULL, NULL);
    json_hex(&json, NULL, "\x00\xff", 2);
    json_u64(&json, NULL, UINT64_MAX);
    json_i64(&json, NULL, INT64_MIN);
    json_bool(&json, NULL, false);
    json_raw(&json, NULL, "{\"k\": [1]}");
    json_when(&json, NULL, 0);
    json_when(&json, NULL, WHEN_NONE);
    json_array_close(&json);
    cr_assert_str_eq(buf_cstr(&buf),
                     "[\"s\",\"\",null,\"00ff\",18446744073709551615,-9223372036854775808,false,"
                     "{\"k\": [1]},\"1970-01-01T00:00:00Z\",null]");
}

Test(json, keys_are_escaped_like_strings)
{
    json_object_open(&json, NULL);
    json_u64(&json, "a\"<\n", 1);
    json_object_close(&json);
    cr_assert_str_eq(buf_cstr(&buf), "{\"a\\\"\\u003c\\u000a\":1}");
}

Test(json, quotes_backslashes_and_controls_are_escaped)
{
    cr_assert_str_eq(quoted("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
    cr_assert_str_eq(quoted("\0\x1f\x7f\n", 4), "\"\\u0000\\u001f\\u007f\\u000a\"");
    cr_assert_str_eq(quoted("\xc2\x85", 2), "\"\\u0085\"");
}

Test(json, nothing_can_end_a_script_element_or_an_attribute)
{
    cr_assert_str_eq(quoted("</script>&'", 11), "\"\\u003c/script\\u003e\\u0026\\u0027\"");
    cr_assert_str_eq(quoted("\xe2\x80\xa8\xe2\x80\xa9", 6), "\"\\u2028\\u2029\"");
}

Test(json, hidden_characters_are_escaped_as_characters)
{
    cr_assert_str_eq(quoted("\xe2\x80\xae", 3), "\"\\u202e\"");
    cr_assert_str_eq(quoted("\xef\xbb\xbf", 3), "\"\\ufeff\"");
    cr_assert_str_eq(quoted("\xf3\xa0\x81\x81", 4), "\"\\udb40\\udc41\"");
    cr_assert_str_eq(quoted("\xf4\x8f\xbf\xbf", 4), "\"\\udbff\\udfff\"");
}

Test(json, printable_utf8_stays_as_it_is)
{
    cr_assert_str_eq(quoted("საქმე é 😀", strlen("საქმე é 😀")), "\"საქმე é 😀\"");
}

Test(json, bytes_that_are_not_utf8_become_their_number)
{
    cr_assert_str_eq(quoted("a\xff", 2), "\"a\\u00ff\"");
    cr_assert_str_eq(quoted("\xe1\x83", 2), "\"\\u00e1\\u0083\"");
    cr_assert_str_eq(quoted("\xed\xa0\x80", 3), "\"\\u00ed\\u00a0\\u0080\"");
    cr_assert_str_eq(quoted("\xc0\xbc", 2), "\"\\u00c0\\u00bc\"", "an overlong '<'");
}

Test(json, no_pair_of_bytes_leaves_the_quotes)
{
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t pair[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        const char *text = quoted(pair, 2);
        size_t length = strlen(text);

        cr_assert(text[0] == '"' && text[length - 1] == '"');
        for (size_t k = 1; k + 1 < length; k++) {
            if (text[k] == '\\')
                k++;
            else if ((unsigned char)text[k] < 0x20 || strchr("\"<>&'\x7f", text[k]) != NULL)
                cr_assert_fail("%04x is written as %s", i, text);
            cr_assert_lt(k + 1, length, "%04x escapes the closing quote", i);
        }
    }
}

Test(json, a_failed_buffer_is_the_writers_failure)
{
    volatile size_t impossible = SIZE_MAX;

    json_object_open(&json, NULL);
    buf_append(&buf, "x", impossible);
    json_text(&json, "a", "b");
    json_object_close(&json);
    cr_assert(buf_failed(&buf));
}
