/* fold: letters in another case, and what a word consists of. */
#include "engine/base/fold.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *folded(const char *text)
{
    static struct buf buf;

    buf_clear(&buf);
    fold_text(&buf, text, strlen(text));
    return buf_cstr(&buf);
}

Test(fold, every_script_has_small_letters)
{
    cr_assert_str_eq(folded("ABC xyz"), "abc xyz");
    cr_assert_str_eq(folded("ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"), "საქართველო");
    cr_assert_str_eq(folded("ЁЛКА Їжак Ђ"), "ёлка їжак ђ");
    cr_assert_str_eq(folded("ÄÖÜ ŽĀ Ÿ"), "äöü žā ÿ");
    cr_assert_str_eq(folded("ΑΒΓ Ά"), "αβγ ά");
    cr_assert_str_eq(folded("ԱԲ"), "աբ");
    cr_assert_str_eq(folded("×÷ 123 ↑ 漢字"), "×÷ 123 ↑ 漢字");
}

Test(fold, bytes_that_are_no_utf8_stay)
{
    cr_assert_str_eq(folded("A\xff\xe1\x83Z"), "a\xff\xe1\x83z");
}

Test(fold, variants_go_both_ways)
{
    uint32_t variants[FOLD_MAX], back[FOLD_MAX];

    for (uint32_t code = 'A'; code < 0x2d30; code++) {
        if (code == 0x0130 || fold_variants(code, variants) != 2)
            continue;
        cr_assert_eq(fold_variants(variants[1], back) >= 2, true, "U+%04X", code);
        cr_assert(back[1] == code || code == 0x03c2, "U+%04X", code);
    }
    cr_assert_eq(fold_variants('1', variants), 1);
}

Test(fold, a_word_is_letters_digits_and_underscore)
{
    static const uint32_t yes[] = {'a', '0', '_', 0xe4, 0x10d0, 0x0451, 0x4e00},
                          no[] = {' ', '-', 0xa0, 0xd7, 0x2019, 0x10fb, 0x3002};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        cr_assert(fold_is_word(yes[i]), "U+%04X", yes[i]);
        cr_assert_not(fold_is_word(no[i]), "U+%04X", no[i]);
    }
}
