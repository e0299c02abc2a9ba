/* AIFF sound and MIDI music. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static void aiff(unsigned frames, unsigned claimed, bool behind)
{
    size_t size;

    made_size = 0;
    put_text("FORM"), put_be(0, 4), put_text("AIFF");
    put_text("COMM"), put_be(18, 4), put_be(1, 2), put_be(claimed, 4), put_be(16, 2);
    put("\x40\x0e\xac\x44\0\0\0\0\0\0", 10);
    put_text("SSND"), put_be(8 + 2 * frames, 4), put_be(0, 8), put_noise(2 * (size_t)frames);
    if (behind)
        put_text("NAME"), put_be(5, 4), put("Noise\0", 6);
    size = made_size - 8;
    set_be32(4, size);
}

Test(aiff, a_chunk_behind_the_sound_validates_it)
{
    aiff(1000, 1000, true);
    cr_assert(harness_holds("aiff", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("aiff", made, made_size).title, "Noise");
    aiff(1000, 999, true);
    cr_assert_eq(harness_examine("aiff", made, made_size).grade, CARVE_COMPLETE);
}

Test(aiff, sound_alone_is_complete)
{
    aiff(1000, 1000, false);
    cr_assert(harness_holds("aiff", made, made_size, CARVE_COMPLETE, made_size));
}

static void midi_track(const void *events, size_t size)
{
    put_text("MTrk"), put_be(size, 4);
    put(events, size);
}

static void midi(void)
{
    made_size = 0;
    put("MThd\0\0\0\6\0\1\0\2\0\x60", 14);
    midi_track("\0\xff\3\4Hymn\0\xff\x51\3\7\xa1\x20\0\xff\x2f\0", 19);
    /* note on, running status, a longer time, system exclusive, program change */
    midi_track("\0\x90\x3c\x40\x60\x3c\0\x81\x00\xc0\5\0\xf0\3\1\2\xf7\0\xff\x2f\0", 21);
}

Test(midi, tracks_that_are_filled_by_their_events_are_validated)
{
    midi();
    cr_assert(harness_holds("midi", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("midi", made, made_size).title, "Hymn");
}

Test(midi, an_event_that_is_none_cuts_it_before_the_track)
{
    midi();
    made[made_size - 12] = 0xf9;
    cr_assert_eq(harness_examine("midi", made, made_size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("midi", made, made_size).good, made_size - 29);
}
