/* RTF documents end with the brace that closes the first one. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static const char document[] =
    "{\\rtf1\\ansi\\ansicpg1251{\\fonttbl{\\f0 Arial;}}{\\info{\\title \\'cf\\u1083?\\'e0\\'ed "
    "\\{2\\}}{\\author x}}\\pard Text \\{not a group\\} {\\*\\pict\\bin4 }}}}}\r\n}\r\n";

Test(rtf, whole_is_validated_with_its_title)
{
    cr_assert(harness_holds("rtf", document, sizeof document - 1, CARVE_VALIDATED, sizeof document - 3));
    cr_assert_str_eq(harness_examine("rtf", document, sizeof document - 1).title,
                     "\xd0\x9f\xd0\xbb\xd0\xb0\xd0\xbd {2}");
}

Test(rtf, bytes_that_rtf_does_not_have_cut_it)
{
    char copy[sizeof document];
    struct carved carved;

    memcpy(copy, document, sizeof copy);
    copy[120] = 2;
    carved = harness_examine("rtf", copy, sizeof copy - 1);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 120);
}

Test(rtf, without_any_table_it_is_complete)
{
    static const char bare[] = "{\\rtf1 Hello}";

    cr_assert(harness_holds("rtf", bare, sizeof bare - 1, CARVE_COMPLETE, sizeof bare));
}

Test(rtf, two_back_to_back_are_two)
{
    char two[2 * sizeof document];

    memcpy(two, document, sizeof document - 1);
    memcpy(two + sizeof document - 1, document, sizeof document);
    cr_assert_eq(harness_examine("rtf", two, sizeof two).size, sizeof document - 1);
}

Test(rtf, the_zero_byte_of_windows_rich_edit_belongs_to_it)
{
    static const char wordpad[] = "{\\rtf1{\\*\\generator Riched20 10.0.19041;}\\pard a\\par\r\n}\r\n\0";

    cr_assert_eq(harness_examine("rtf", wordpad, sizeof wordpad).size, sizeof wordpad - 1);
}
