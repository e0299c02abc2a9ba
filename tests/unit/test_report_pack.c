/* Packed columns and names say what went in. */
#include "cases/report/html.h"
#include "cases/report/report_pack.h"
#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct buf buf;

static void clean(void)
{
    buf_finish(&buf);
}

static void is(const char *bytes, size_t size)
{
    cr_assert_eq(buf.size, size, "%zu bytes", buf.size);
    cr_assert(!memcmp(buf.data, bytes, size));
    buf_clear(&buf);
}
#define IS(literal) is("" literal "", sizeof(literal) - 1)

Test(report_pack, numbers_have_seven_bits_a_byte, .fini = clean)
{
    report_pack_number(&buf, 0);
    report_pack_number(&buf, 127);
    report_pack_number(&buf, 128);
    report_pack_number(&buf, UINT64_MAX);
    IS("\x00\x7f\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

Test(report_pack, times_are_steps_and_before_1970_round_down, .fini = clean)
{
    int64_t last = 0;
    report_pack_when(&buf, 1500000000, &last);
    report_pack_when(&buf, WHEN_NONE, &last);
    report_pack_when(&buf, -1, &last);
    IS("\x03\x00\x04");
    cr_assert_eq(last, -1);
}

Test(report_pack, a_column_is_wide_only_when_it_must_be, .fini = clean)
{
    report_pack_column(&buf, (const int64_t[]){1, -2, PACK_NONE}, 3);
    IS("\x04\x01\x00\x00\x00\xfe\xff\xff\xff\x00\x00\x00\x80");
    report_pack_column(&buf, (const int64_t[]){INT32_MIN}, 1); /* which stands for none when it is narrow */
    IS("\x08\x00\x00\x00\x00\x00\x00\xe0\xc1");
    report_pack_column(&buf, (const int64_t[]){4294967296}, 1);
    IS("\x08\x00\x00\x00\x00\x00\x00\xf0\x41");
}

static void pack(const char *names)
{
    struct buf text = {0};
    buf_text(&text, names);
    cr_assert_eq(report_pack_names(&buf, &text), 0);
    buf_finish(&text);
}

Test(report_pack, names_share_their_beginning_and_letters_are_bytes, .fini = clean)
{
    pack("ab1/ab22/x//");
    IS("\x00"
       "\x00\x03"
       "\x02\x02"
       "\x00\x01"
       "\x00\x00"
       "ab122x");
    pack("ა1/აბ/");
    IS("\x06"
       "აბ"
       "\x00\x02"
       "\x01\x01"
       "\xa0"
       "1"
       "\xa1");
}

Test(report_pack, names_in_too_many_letters_or_with_controls_stay_utf8, .fini = clean)
{
    struct buf text = {0};
    for (unsigned i = 0; i < PACK_LETTERS + 1; i++)
        buf_printf(&text, "%c%c/", 0xc3 + (int)(i / 64), 0x80 + (int)(i % 64));
    cr_assert_eq(report_pack_names(&buf, &text), 0);
    cr_assert(!memcmp(buf.data, "\x01/", 2));
    buf_clear(&buf);
    text.size -= 3; /* one letter less: an alphabet of all */
    cr_assert_eq(report_pack_names(&buf, &text), 0);
    cr_assert(!memcmp(buf.data, "\xfe\x01\xc3\x80", 4));
    buf_finish(&text);
    buf_clear(&buf);
    pack("a\x01/");
    IS("\x01/"
       "\x00\x02"
       "a\x01");
}

Test(report_pack, letters_of_many_bytes_are_those_of_their_parts, .fini = clean)
{
    uint8_t data[10000];
    struct buf parts = {0};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t size = 9211; size < 9224; size++) { /* three times 3072 is a text of three full buffers */
        html_base64(&(struct html){.buf = &buf}, data, size);
        for (size_t at = 0; at < size; at += 30)
            html_base64(&(struct html){.buf = &parts}, data + at, size - at < 30 ? size - at : 30);
        is((const char *)parts.data, parts.size);
        buf_clear(&parts);
    }
    html_base64(&(struct html){.buf = &buf}, (const uint8_t *)"kvali", 5);
    IS("a3ZhbGk=");
    buf_finish(&parts);
}
