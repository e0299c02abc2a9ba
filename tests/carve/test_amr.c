/* AMR frames are followed to the last. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static void frames(unsigned mode, size_t size, unsigned padding, int count)
{
    for (int i = 0; i < count; i++) {
        put_be(mode << 3 | 4, 1);
        put_noise(size - 1);
        put_be(0x5a >> padding << padding & 0xff, 1);
    }
}

Test(amr, speech_and_silence_end_with_the_last_frame)
{
    made_size = 0;
    put_text("#!AMR\n");
    frames(7, 31, 4, 20);
    frames(8, 5, 1, 5);
    frames(7, 31, 4, 20);
    cr_assert(harness_holds("amr", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("amr", made, made_size).extension, "amr");
}

Test(amr, wide_band_has_its_own_modes)
{
    made_size = 0;
    put_text("#!AMR-WB\n");
    frames(8, 60, 3, 20);
    cr_assert(harness_holds("amr", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("amr", made, made_size).extension, "awb");
}

Test(amr, hardly_a_frame_is_a_fragment)
{
    made_size = 0;
    put_text("#!AMR\n");
    frames(7, 31, 4, 3);
    put_all(0, 100);
    cr_assert_eq(harness_examine("amr", made, made_size).grade, CARVE_FRAGMENT);
    cr_assert_eq(harness_examine("amr", made, made_size).size, made_size - 100);
}
