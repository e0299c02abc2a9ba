/* The tables of rules/carve: every format is found by them, and chance does not look like one. */
#include "engine/plugin.h"
#include "plugins/carve/signatures.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE = 64 << 20, BLOCK = 1 << 20, ROWS = 1024 };

static size_t rows;

/* The engine's part, which only notes what was loaded. */
void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *note)
{
    (void)plugin, (void)kind, (void)sha256, (void)note;
    cr_expect(count > 0, "%s has no rows", name);
    rows += count;
}

static struct signatures *load(void)
{
    struct signatures *signatures = NULL;
    struct why why = {0};

    cr_assert_eq(signatures_load(CARVE_TABLES, &signatures, &why), 0, "%s", why.text);
    return signatures;
}

Test(signatures, every_format_has_a_row)
{
    struct signatures *signatures = load();
    const struct carve_format *format;

    for (size_t f = 0; (format = carve_format_at(f)) != NULL; f++) {
        bool found = false;

        for (size_t i = 0; i < rows; i++)
            found |= signatures_at(signatures, i)->format == format;
        cr_expect(found, "nothing leads to %s", format->name);
    }
    signatures_free(signatures);
}

static uint64_t hits[ROWS];

static int count(void *context, size_t index, size_t place)
{
    const struct signature *row = signatures_at(context, index);

    hits[index] += ((uint64_t)place - (uint64_t)(int64_t)row->offset) % row->align == 0;
    return 0;
}

/* A row may match chance once in 2^28 places, so hardly three times in 2^26; one that is only believed at a
 * sector once in a MiB. */
Test(signatures, chance_is_hardly_ever_taken_for_an_object)
{
    static uint8_t noise[BLOCK];
    struct signatures *signatures = load();
    uint64_t x = 88172645463325252;

    for (size_t done = 0; done < NOISE; done += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17; /* xorshift64 [Marsaglia 2003] */
            noise[i] = (uint8_t)(x >> 32);
        }
        cr_assert_eq(signatures_search(signatures, 0, noise, BLOCK, BLOCK, count, signatures), 0);
    }
    for (size_t i = 0; i < rows && i < ROWS; i++) {
        const struct signature *row = signatures_at(signatures, i);

        cr_expect(hits[i] < (row->align > 1 ? NOISE >> 20 : 3), "%s, row %zu: %llu times", row->format->name,
                  i, (unsigned long long)hits[i]);
    }
    signatures_free(signatures);
}

static size_t places[16], places_count;

static int note(void *context, size_t index, size_t place)
{
    if (strcmp(signatures_at(context, index)->format->name, "mz") == 0)
        places[places_count++ % 16] = place;
    return 0;
}

/* "MZ" counts only there, wherever in the stream the block lies, and only when all of it is there. */
Test(signatures, what_counts_at_sectors_is_found_at_sectors_only)
{
    static uint8_t data[4096];
    struct signatures *signatures = load();

    for (size_t at = 0; at < sizeof data; at += 128)
        memcpy(data + at, "MZ", 2);
    cr_assert_eq(signatures_search(signatures, 1024, data, 1025, sizeof data, note, signatures), 0);
    cr_assert_eq(places_count, 3);
    cr_assert(places[0] == 0 && places[1] == 512 && places[2] == 1024);
    places_count = 0;
    cr_assert_eq(signatures_search(signatures, 1024 + 384, data, 513, 641, note, signatures), 0);
    cr_assert_eq(places_count, 1);
    cr_assert_eq(places[0], 128);
    places_count = 0;
    cr_assert_eq(signatures_search(signatures, 0, data, 513, 513, note, signatures), 0);
    cr_assert_eq(places_count, 1, "an M at the end is no MZ");
    signatures_free(signatures);
}

static int note_icon(void *context, size_t index, size_t place)
{
    places_count += strcmp(signatures_at(context, index)->format->name, "ico") == 0 && place == 0;
    return 0;
}

/* What fills up the last sector must not complete a pattern: this one ends in zeros. */
Test(signatures, what_is_cut_at_the_end_is_not_completed)
{
    static const uint8_t icon[22] = {0, 0, 1, 0, 1};
    struct signatures *signatures = load();

    cr_assert_eq(signatures_search(signatures, 0, icon, sizeof icon, sizeof icon, note_icon, signatures), 0);
    cr_assert_eq(places_count, 1);
    places_count = 0;
    cr_assert_eq(signatures_search(signatures, 0, icon, 20, 20, note_icon, signatures), 0);
    cr_assert_eq(places_count, 0);
    signatures_free(signatures);
}
