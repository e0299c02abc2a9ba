/*
 * keywords: each keyword in each writing, as iconv and the two Latin mappings give it, is found wherever it
 * stands, and the same is found in windows of any size; what the gate lets through.
 */
#include "plugins/keywords/gate.h"
#include "plugins/keywords/search.h"

#include <criterion/criterion.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 256 * 1024, FIRST = 1000, STEP = 211, PLACES = 24, HITS_MAX = 8192 };

/* `charset` NULL: the bytes are given, for what iconv does not know. */
static const struct {
    const char *keyword, *writing, *charset, *bytes;
} written[] = {
    {"საქართველო", "utf-8", "UTF-8", NULL},
    {"საქართველო", "utf-16le", "UTF-16LE", NULL},
    {"საქართველო", "utf-16be", "UTF-16BE", NULL},
    {"საქართველო", "georgian-academy", "GEORGIAN-ACADEMY", NULL},
    {"საქართველო", "georgian-ps", "GEORGIAN-PS", NULL},
    {"საქართველო", "acadnusx", NULL, "saqarTvelo"},
    {"საქართველო", "romanised", NULL, "Sakartvelo"},
    {"საქართველო", "utf-8", NULL, "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"},
    {"ნატო", "utf-8", "UTF-8", NULL},
    {"ნატო", "utf-16le", "UTF-16LE", NULL},
    {"ნატო", "georgian-academy", "GEORGIAN-ACADEMY", NULL},
    {"ნატო", "acadnusx", NULL, "nato"},
    {"героин", "utf-8", "UTF-8", NULL},
    {"героин", "utf-16le", "UTF-16LE", NULL},
    {"героин", "utf-16be", "UTF-16BE", NULL},
    {"героин", "cp1251", "CP1251", NULL},
    {"героин", "koi8-r", "KOI8-R", NULL},
    {"героин", "cp866", "CP866", NULL},
    {"героин", "iso-8859-5", "ISO-8859-5", NULL},
    {"героин", "cp1251", NULL, "\xc3\xc5\xd0\xce\xc8\xcd"},
    {"heroin", "utf-8", "UTF-8", NULL},
    {"heroin", "utf-16le", "UTF-16LE", NULL},
    {"heroin", "utf-16be", "UTF-16BE", NULL},
    {"heroin", "utf-8", NULL, "HeRoIn"},
    {"tea", "utf-8", "UTF-8", NULL},
    {"übergabe", "utf-8", "UTF-8", NULL},
    {"übergabe", "cp1252", "CP1252", NULL},
    {"ηρωίνη", "utf-8", "UTF-8", NULL},
    {"ηρωίνη", "cp1253", "CP1253", NULL},
    {"հերոին", "utf-8", "UTF-8", NULL},
    {"հերոին", "armscii-8", "ARMSCII-8", NULL},
};
enum { WRITTEN = sizeof written / sizeof written[0] };

struct seen {
    uint64_t offset;
    uint32_t pattern, size;
};

struct world {
    struct search *search;
    uint8_t data[SIZE];
    uint64_t at[WRITTEN][PLACES];
    struct seen seen[HITS_MAX];
    size_t count;
};
static struct world *world;

static size_t encoded(size_t which, char *ret, size_t room)
{
    char *from = (char *)(uintptr_t)written[which].keyword, *to = ret;
    size_t left = strlen(from), free_left = room;
    iconv_t convert;

    if (written[which].charset == NULL) {
        memcpy(ret, written[which].bytes, strlen(written[which].bytes));
        return strlen(written[which].bytes);
    }
    convert = iconv_open(written[which].charset, "UTF-8");
    cr_assert(convert != (iconv_t)-1, "%s", written[which].charset);
    cr_assert_eq(iconv(convert, &from, &left, &to, &free_left), 0, "%s", written[which].keyword);
    iconv_close(convert);
    return room - free_left;
}

static void noise(uint8_t *data, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(seed >> 24);
    }
}

static void open_world(void)
{
    char path[] = "/tmp/kvali-keywords-XXXXXX";
    int file = mkstemp(path);
    struct why why = {""};
    size_t place = FIRST;

    cr_assert_geq(file, 0);
    world = calloc(1, sizeof *world);
    cr_assert_not_null(world);
    noise(world->data, SIZE, 11);
    for (size_t i = 0; i < WRITTEN; i++) {
        if (i == 0 || strcmp(written[i].keyword, written[i - 1].keyword) != 0)
            dprintf(file, "%s\n", written[i].keyword);
    }
    close(file);
    cr_assert_eq(keyword_search_new(path, &world->search, &why), 0, "%s", why.text);
    unlink(path);
    for (size_t k = 0; k < PLACES; k++) {
        for (size_t i = 0; i < WRITTEN; i++, place += STEP) {
            char bytes[128];
            size_t size = encoded(i, bytes, sizeof bytes);

            cr_assert_lt(place + size, SIZE);
            memcpy(world->data + place, bytes, size);
            world->at[i][k] = place;
        }
    }
}

static void close_world(void)
{
    keyword_search_free(world->search);
    free(world);
}

static void gave_up(void *context, uint32_t pattern, uint64_t offset)
{
    (void)context;
    cr_assert_fail("pattern %u gave up at %llu", pattern, (unsigned long long)offset);
}

static void search_in(size_t block)
{
    struct search_marks marks = {0};

    world->count = 0;
    for (size_t at = 0; at < SIZE; at += block) {
        size_t begin = SIZE - at < block ? SIZE - at : block,
               size = SIZE - at < begin + SEARCH_AHEAD ? SIZE - at : begin + SEARCH_AHEAD,
               before = at < SEARCH_BEFORE ? at : SEARCH_BEFORE;
        const struct search_window window = {world->data + at,          begin, size, at,
                                             world->data + at - before, before};
        const struct hit *hits;
        size_t count;

        cr_assert_eq(keyword_search_window(world->search, &marks, &window, gave_up, NULL, &hits, &count), 0);
        for (size_t i = 0; i < count; i++) {
            cr_assert_lt(world->count, HITS_MAX);
            world->seen[world->count++] = (struct seen){hits[i].offset, hits[i].pattern, hits[i].size};
        }
    }
    keyword_search_marks_finish(&marks);
}

static bool is_seen(const char *keyword, const char *writing, uint64_t offset)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct pattern *pattern = keyword_search_pattern(world->search, world->seen[i].pattern);

        if (world->seen[i].offset == offset && strcmp(pattern->writing->name, writing) == 0 &&
            strcmp(keyword_search_list(world->search)->keywords[pattern->keyword].text, keyword) == 0)
            return true;
    }
    return false;
}

Test(keywords, each_is_found_in_each_writing_across_blocks_of_any_size, .init = open_world,
     .fini = close_world)
{
    static const size_t blocks[] = {SIZE, 61, 63, 64, 65, 67, 127, 128, 191, 1000, 4096, 65537};
    struct seen *first = malloc(sizeof world->seen);
    size_t count = 0;

    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        search_in(blocks[b]);
        if (b == 0) {
            count = world->count;
            memcpy(first, world->seen, count * sizeof first[0]);
        }
        cr_assert_eq(world->count, count, "blocks of %zu", blocks[b]);
        cr_assert_eq(memcmp(first, world->seen, count * sizeof first[0]), 0, "blocks of %zu", blocks[b]);
    }
    for (size_t i = 0; i < WRITTEN; i++) {
        for (size_t k = 0; k < PLACES; k++)
            cr_expect(is_seen(written[i].keyword, written[i].writing, world->at[i][k]), "%s as %s at %llu",
                      written[i].keyword, written[i].writing, (unsigned long long)world->at[i][k]);
    }
    free(first);
}

/* ------------------------------------------------------------------ the gate */

enum { PIECES = 3000, SEARCHED = 64 * 1024 };

static bool is_blank(const uint8_t *data)
{
    return ((data[0] | data[1] | data[2] | data[3]) & 0xdf) == 0;
}

Test(keywords, every_piece_passes_the_gate_and_all_ways_through_it_are_the_same)
{
    struct gate_piece *pieces = calloc(PIECES, sizeof pieces[0]);
    uint8_t *data = calloc(1, SEARCHED + 8), text[] = "abcdefghijklmnopqrstuvwxyz\0\x04\x10\xc3\xd0\x83";
    uint64_t *bits = calloc(SEARCHED / GATE_PLACES, sizeof bits[0]), passed = 0;
    struct gate gate;
    uint32_t seed = 5;

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].known = (uint8_t)(i % 50 == 0 ? 2 + i / 50 % 2 : 4);
        for (size_t k = 0; k < pieces[i].known; k++) {
            seed = seed * 1664525 + 1013904223;
            pieces[i].bytes[k] = text[(seed >> 16) % (sizeof text - 1)] & 0xdf;
        }
    }
    cr_assert_eq(gate_build(&gate, pieces, PIECES), 0);
    noise(data, SEARCHED + 8, 3);
    memset(data + 5000, 0, 3000);
    for (size_t i = 0; i < PIECES; i++) {
        memcpy(data + 9000 + 16 * i, pieces[i].bytes, pieces[i].known);
        cr_assert(gate_passes(&gate, data + 9000 + 16 * i));
    }
    if (!gate_is_fast())
        cr_skip_test("this processor has no AVX-512 VBMI");
    gate_search(&gate, data, SEARCHED, bits);
    for (size_t i = 0; i < SEARCHED; i++) {
        bool fast = (bits[i / GATE_PLACES] >> i % GATE_PLACES & 1) != 0, slow = gate_passes(&gate, data + i);

        passed += fast;
        cr_assert(fast == slow || (slow && is_blank(data + i) && gate.no_blanks), "place %zu", i);
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t at = 9000 + 16 * i;

        cr_assert((bits[at / GATE_PLACES] >> at % GATE_PLACES & 1) != 0, "piece %zu", i);
    }
    cr_assert_lt(passed, SEARCHED);
    free(pieces);
    free(data);
    free(bits);
}
