/*
 * test_why: reasons come out whole, on one line, and beside the code.
 */
#include "engine/base/why.h"

#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(why, the_code_comes_back_with_the_words)
{
    struct why why;

    cr_assert_eq(why_set(&why, -ENOENT, "%s: block %d", "disk.E01", 7), -ENOENT);
    cr_assert_str_eq(why.text, "disk.E01: block 7");
}

Test(why, without_a_place_for_words_the_code_still_comes_back)
{
    cr_assert_eq(why_set(NULL, -EIO, "%s", "unheard"), -EIO);
}

Test(why, words_can_be_put_before_those_that_are_there)
{
    struct why why;

    why_set(&why, -EIO, "bad checksum");
    why_set(&why, -EIO, "disk.E01: %s", why.text);
    cr_assert_str_eq(why.text, "disk.E01: bad checksum");
}

Test(why, a_reason_stays_on_one_line)
{
    struct why why;

    why_set(&why, -EIO, "a\nb\x1b[31mc\x7f");
    cr_assert_str_eq(why.text, "a b [31mc ");
}

Test(why, a_long_reason_is_cut_where_a_character_ends)
{
    /* 2, 3 and 4 bytes a character, each at every distance from the edge. */
    static const char *const characters[] = {"é", "კ", "😀"};

    for (size_t c = 0; c < 3; c++) {
        for (size_t pad = 0; pad < 4; pad++) {
            char text[2048] = "";
            struct why why;
            size_t length;

            memset(text, 'x', pad);
            while (strlen(text) + 5 < sizeof text)
                strcat(text, characters[c]);
            why_set(&why, 0, "%s", text);
            length = strlen(why.text);
            cr_assert(text_is_utf8(why.text, length), "%s after %zu", characters[c], pad);
            cr_assert_geq(length, sizeof why.text - 4, "no more than the cut character may be lost");
            cr_assert_eq(strncmp(why.text, text, length), 0);
        }
    }
}

Test(why, a_reason_that_just_fits_is_not_cut)
{
    char text[sizeof(struct why)];
    struct why why;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + sizeof text - 4, "კ", 4);
    why_set(&why, 0, "%s", text);
    cr_assert_str_eq(why.text, text);
}

Test(why, long_garbage_is_cut_without_looking_before_its_start)
{
    char text[2048];
    struct why why;

    memset(text, 0xbf, sizeof text);
    text[sizeof text - 1] = '\0';
    why_set(&why, 0, "%s", text);
    cr_assert_leq(strlen(why.text), sizeof why.text - 1);
    cr_assert_geq(strlen(why.text), sizeof why.text - 4);
}
