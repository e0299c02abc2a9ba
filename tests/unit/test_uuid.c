/* Names made of hashes are those that the standard says. */
#include "cases/report/uuid.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct uuid dns = {
    {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

Test(uuid, the_example_of_rfc_9562_appendix_a_4)
{
    const char *const parts[] = {"www.example.com"};
    char text[UUID_TEXT_SIZE];
    struct uuid uuid = uuid_make(&dns, parts, 1);
    cr_assert_str_eq(uuid_text(&uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

Test(uuid, two_lists_of_parts_have_two_names)
{
    const char *const one[] = {"a", "bc"}, *const other[] = {"ab", "c"};
    struct uuid first = uuid_make(&uuid_kvali, one, 2), second = uuid_make(&uuid_kvali, other, 2);
    cr_assert_neq(memcmp(&first, &second, sizeof first), 0);
}
