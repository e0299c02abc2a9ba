/* record.c and record_check.c: descriptions, the wire form, and what arrives from somebody who lies. */
#include "engine/scan/record.h"

#include "engine/base/when.h"
#include "engine/scan/record_check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct field all_fields[] = {
    {"number", FIELD_U64, "bytes", "a number"}, {"signed_number", FIELD_I64, "", "another"},
    {"text", FIELD_TEXT, "", "text"},           {"raw", FIELD_BYTES, "", "bytes"},
    {"json", FIELD_JSON, "", "JSON"},           {"at", FIELD_WHEN, "", "a time"},
};
static const struct record_type all = {"all", 1, "all kinds", all_fields, 6};

static struct value values[6];
static struct buf buf;

static void set_up(void)
{
    values[0] = value_u64(7);
    values[1] = value_i64(-7);
    values[2] = value_text("კვალი");
    values[3] = value_bytes("\0\xff", 2);
    values[4] = value_text("{\"a\":[1,-2.5e3,\"\\u00e1\",true,null,{}]}");
    values[5] = value_i64(123456789);
}

static void tear_down(void)
{
    buf_finish(&buf);
}

TestSuite(record, .init = set_up, .fini = tear_down);

static int decode(const void *data, size_t size, struct value *ret)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    return record_decode(&bytes, &all, ret);
}

Test(record, what_is_encoded_is_decoded)
{
    struct value got[6];

    cr_assert_eq(record_encode(&buf, &all, values), 0);
    cr_assert_eq(decode(buf.data, buf.size, got), 0);
    cr_assert_eq(got[0].as.u64, 7);
    cr_assert_eq(got[1].as.i64, -7);
    cr_assert_eq(got[2].as.bytes.size, strlen("კვალი"));
    cr_assert_eq(memcmp(got[3].as.bytes.data, "\0\xff", 2), 0);
    cr_assert_eq(got[5].as.i64, 123456789);
}

Test(record, a_missing_value_is_missing_and_no_time_is_a_missing_value)
{
    struct value got[6];

    for (size_t i = 0; i < 5; i++)
        values[i] = value_none();
    values[5] = value_i64(WHEN_NONE);
    cr_assert_eq(record_encode(&buf, &all, values), 0);
    cr_assert_eq(buf.size, 6);
    cr_assert_eq(decode(buf.data, buf.size, got), 0);
    for (size_t i = 0; i < 6; i++)
        cr_assert(!got[i].present);
    cr_assert(!value_text(NULL).present);
}

Test(record, a_number_larger_than_the_database_holds_is_its_largest)
{
    struct value got[6];

    values[0] = value_u64(UINT64_MAX);
    cr_assert_eq(record_encode(&buf, &all, values), 0);
    cr_assert_eq(decode(buf.data, buf.size, got), 0);
    cr_assert_eq(got[0].as.u64, INT64_MAX);
}

Test(record, a_record_that_is_too_large_is_refused_whole)
{
    static const uint8_t zeros[RECORD_SIZE_MAX];

    values[3] = value_bytes(zeros, RECORD_SIZE_MAX - 120);
    cr_assert_eq(record_encode(&buf, &all, values), 0);
    buf_clear(&buf);
    values[3] = value_bytes(zeros, RECORD_SIZE_MAX);
    cr_assert_eq(record_encode(&buf, &all, values), -E2BIG);
    values[3] = value_bytes(zeros, SIZE_MAX);
    cr_assert_eq(record_encode(&buf, &all, values), -E2BIG);
    cr_assert_eq(buf.size, 0);
}

Test(record, text_must_be_printable_and_json_must_be_json)
{
    static const char *const texts[] = {"\n",       "\x1b[0m",      "\xff", "\xe2\x80\xae",
                                        "\xc0\x80", "\xed\xa0\x80", "\x7f"};
    static const char *const jsons[] = {"",      " ",          "{",   "[1,]",      "{\"a\":}", "{a:1}",
                                        "[1 2]", "01",         "+1",  "1.",        "\"\\x\"",  "nul",
                                        "[]]",   "{\"a\":1,}", "\"",  "[",         "{\"a\"}",  "-",
                                        "1e",    "\"\\u12\"",  "[1}", "{\"a\":1]", ",",        "1,2"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        values[2] = value_text(texts[i]);
        cr_assert_eq(record_encode(&buf, &all, values), -EINVAL, "%zu", i);
    }
    values[2] = value_none();
    for (size_t i = 0; i < sizeof jsons / sizeof jsons[0]; i++) {
        values[4] = value_text(jsons[i]);
        cr_assert_eq(record_encode(&buf, &all, values), -EINVAL, "%s", jsons[i]);
    }
    cr_assert_eq(buf.size, 0);
}

Test(record, json_that_is_right_is_taken)
{
    static const char *const jsons[] = {"0",
                                        "-0.5E-7",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        " [ 1 , { \"a\" : [ ] } ] ",
                                        "true",
                                        "[[[[]]]]",
                                        "\"\\\"\\\\\\n\"",
                                        "{\"\":{\"\":{}}}"};
    char deep[200];

    for (size_t i = 0; i < sizeof jsons / sizeof jsons[0]; i++)
        cr_assert(record_json_is_valid(jsons[i], strlen(jsons[i])), "%s", jsons[i]);
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    cr_assert(record_json_is_valid(deep, 128));
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    cr_assert(!record_json_is_valid(deep, 130), "nested too deep");
}

Test(record, every_cut_and_every_changed_byte_is_refused_or_harmless)
{
    struct value got[6];

    cr_assert_eq(record_encode(&buf, &all, values), 0);
    for (size_t size = 0; size < buf.size; size++) {
        uint8_t *exact = malloc(size + 1); /* for the address sanitizer */

        memcpy(exact, buf.data, size);
        cr_assert_eq(decode(exact, size, got), -EBADMSG, "cut at %zu", size);
        free(exact);
    }
    buf_u8(&buf, 0);
    cr_assert_eq(decode(buf.data, buf.size, got), -EBADMSG, "a byte too many");
    for (size_t i = 0; i < buf.size - 1; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            buf.data[i] = (uint8_t)(buf.data[i] ^ 1U << bit);
            decode(buf.data, buf.size - 1, got);
            buf.data[i] = (uint8_t)(buf.data[i] ^ 1U << bit);
        }
    }
}

Test(record, one_value_has_one_form)
{
    struct value got[6];

    cr_assert_eq(record_encode(&buf, &all, values), 0);
    buf.data[0] = 2;
    cr_assert_eq(decode(buf.data, buf.size, got), -EBADMSG, "present is 0 or 1");
    buf.data[0] = 1;
    buf.data[8] = 0x80;
    cr_assert_eq(decode(buf.data, buf.size, got), -EBADMSG, "more than INT64_MAX");
}

Test(record, a_description_crosses_the_wire)
{
    struct record_type *type;
    struct bytes bytes;

    record_type_write(&buf, &all);
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(record_type_read(&bytes, &type), 0);
    cr_assert_str_eq(type->name, "all");
    cr_assert_eq(type->field_count, 6);
    cr_assert_str_eq(type->fields[1].name, "signed_number");
    cr_assert_str_eq(type->fields[0].unit, "bytes");
    cr_assert_eq(type->fields[5].kind, FIELD_WHEN);
    record_type_free(type);
    record_type_free(NULL);
    for (size_t size = 0; size < buf.size; size++) {
        bytes_init(&bytes, buf.data, size);
        cr_assert_eq(record_type_read(&bytes, &type), -EBADMSG, "cut at %zu", size);
    }
}

Test(record, a_description_with_anything_wrong_is_refused)
{
    static const struct field twice[] = {{"a", FIELD_U64, "", "a"}, {"a", FIELD_TEXT, "", "b"}};
    static const struct field sql[] = {{"a\"; DROP TABLE finding; --", FIELD_U64, "", "x"}};
    static const struct field upper[] = {{"A", FIELD_U64, "", "x"}};
    static const struct field nothing[] = {{"a", FIELD_U64, "", ""}};
    static const struct field kind[] = {{"a", (enum field_kind)9, "", "x"}};
    static const struct field hidden[] = {{"a", FIELD_U64, "\x1b[0m", "x"}};
    static const struct record_type wrong[] = {
        {"t", 1, "w", twice, 2},
        {"t", 1, "w", sql, 1},
        {"t", 1, "w", upper, 1},
        {"t", 1, "w", nothing, 1},
        {"t", 1, "w", kind, 1},
        {"t", 1, "w", hidden, 1},
        {"t", 0, "w", all_fields, 1},
        {"", 1, "w", all_fields, 1},
        {"1t", 1, "w", all_fields, 1},
        {"t", 1, "", all_fields, 1},
        {"t", 1, "w", all_fields, 0},
        {"t", 1, "w", NULL, 1},
        {"t", 1, "w", all_fields, RECORD_FIELDS_MAX + 1},
        {"a_name_that_is_longer_than_any_may_be", 1, "w", all_fields, 1},
    };

    cr_assert(record_type_is_valid(&all));
    cr_assert(!record_type_is_valid(NULL));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert(!record_type_is_valid(&wrong[i]), "%zu", i);
}
