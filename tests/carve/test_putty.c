/* PuTTY's keys end with their MAC. The public part is SSH strings: "ssh-x", "abcdef". */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

#define KEY                                                                                                  \
    "PuTTY-User-Key-File-2: ssh-x\r\nEncryption: none\r\nComment: nino's key\r\nPublic-Lines: 1\r\n"         \
    "AAAABXNzaC14AAAABmFiY2RlZg==\r\nPrivate-Lines: 2\r\nAAAABmFiY2Rl\r\nZgAA\r\n"                           \
    "Private-MAC: 00112233445566778899aabbccddeeff00112233\r\n"

Test(putty, a_key_is_validated_and_named)
{
    cr_assert(harness_holds("putty", KEY, sizeof KEY - 1, CARVE_VALIDATED, sizeof KEY - 3));
    cr_assert_str_eq(harness_examine("putty", KEY, sizeof KEY - 1).title, "nino's key");
}

Test(putty, a_public_key_of_another_algorithm_is_not_validated)
{
    char key[] = KEY;

    key[27] = 'y';
    cr_assert_eq(harness_examine("putty", key, sizeof key - 1).grade, CARVE_COMPLETE);
}

Test(putty, too_few_lines_cut_it)
{
    char key[] = KEY;

    *strstr(key, "Lines: 2") = 'l';
    cr_assert_eq(harness_examine("putty", key, sizeof key - 1).grade, CARVE_PARTIAL);
}
