/* Flash video: tags, each with its size behind it. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static void tag(unsigned type, unsigned time, const void *data, size_t size)
{
    put_be(type, 1), put_be(size, 3), put_be(time, 3), put_be(0, 4);
    if (data != NULL)
        put(data, size);
    else
        put_noise(size);
    put_be(size + 11, 4);
}

/* `lacks`: how much more than is there onMetaData claims; `sized`: it has the file's size at all. */
static void flv(bool sized, unsigned lacks)
{
    uint8_t script[64] = "\x02\0\x0aonMetaData\x08\0\0\0\1\0\x08"
                         "filesize\0";
    double value = 0;

    made_size = 0;
    put("FLV\1\5\0\0\0\x09\0\0\0\0", 13);
    if (!sized)
        script[20] = 'x';
    tag(18, 0, script, sizeof script);
    for (unsigned i = 0; i < 10; i++)
        tag(i % 2 == 0 ? 9 : 8, i * 40, NULL, 400 + i);
    value = (double)(made_size + lacks);
    for (size_t i = 0; i < 8; i++)
        made[13 + 11 + 29 + i] = ((const uint8_t *)&value)[7 - i];
}

Test(flv, as_long_as_it_says_is_validated_and_a_prefix_never_is)
{
    flv(true, 0);
    cr_assert(harness_holds("flv", made, made_size, CARVE_VALIDATED, made_size));
}

Test(flv, without_a_size_is_complete_behind_its_last_tag)
{
    flv(false, 0);
    cr_assert(harness_holds("flv", made, made_size, CARVE_COMPLETE, made_size));
}

Test(flv, shorter_than_it_says_is_partial)
{
    flv(true, 500);
    cr_assert_eq(harness_examine("flv", made, made_size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("flv", made, made_size).good, made_size);
}
