/*
 * filter: what the gate and the plain search find is the same, on whichever processor. The file is included,
 * for nobody else is to choose between them.
 */
#include "plugins/keywords/filter.c"

#include <criterion/criterion.h>

enum { SEARCHED = 128 * 1024 };

static struct {
    struct program programs[64];
    struct writings writings;
    struct filter *filter;
    uint8_t data[SEARCHED + FILTER_LOOK];
} world;

static const char *const words[] = {
    "heroin", "tea", "no*", "героин", "ნატო", "საქართველო", "übergabe", "ηρωίνη",   "red phosphorus",
    "xy",     "12",  "a?b", "GmbH",   "100%", "--begin--",  "ко*",      "zzzzzzzz",
};
enum { WORDS = sizeof words / sizeof words[0] };

/* Bytes, text of few letters, and zeros and blanks, in which pieces of the words stand. */
static void fill(void)
{
    static const char letters[] = "heroinatgmb ЗИКО\xe1\x83\xd0\xb0 \0\0\0"
                                  "12%-zx";
    uint32_t seed = 77;

    for (size_t i = 0; i < sizeof world.data; i++) {
        seed = seed * 1664525 + 1013904223;
        world.data[i] = (uint8_t)(i < SEARCHED / 3       ? seed >> 24
                                  : i < 2 * SEARCHED / 3 ? (uint8_t)letters[(seed >> 16) % sizeof letters]
                                  : seed >> 31 != 0      ? ' '
                                                         : 0);
    }
    for (size_t at = 100; at < SEARCHED; at += 97) {
        const char *word = words[at / 97 % WORDS];

        memcpy(world.data + at, word, strlen(word) < FILTER_LOOK ? strlen(word) : FILTER_LOOK);
    }
}

static void open_world(void)
{
    struct why why = {""};
    uint32_t pattern = 0;

    cr_assert_eq(writings_init(&world.writings, &why), 0, "%s", why.text);
    cr_assert_eq(filter_new(&world.filter), 0);
    for (size_t i = 0; i < WORDS; i++) {
        cr_assert_eq(program_word(&world.programs[i], words[i], i % 2 == 0, false, false, &why), 0, "%s",
                     why.text);
        for (size_t w = 0; w < world.writings.count; w++) {
            if (program_unwritable(&world.programs[i], &world.writings.items[w]) == 0)
                pattern +=
                    filter_add(world.filter, pattern, &world.programs[i], &world.writings.items[w]) == 0;
        }
    }
    cr_assert_gt(pattern, 2 * WORDS);
    cr_assert_eq(filter_compile(world.filter), 0);
    fill();
}

static void close_world(void)
{
    for (size_t i = 0; i < WORDS; i++)
        program_finish(&world.programs[i]);
    filter_free(world.filter);
}

struct sum {
    uint64_t hash, count;
};

static void on_found(void *context, uint32_t pattern, size_t place, uint32_t back_least, uint32_t back_most)
{
    struct sum *sum = context;

    sum->hash =
        hash(sum->hash ^ pattern ^ (uint64_t)place << 20 ^ (uint64_t)back_least << 52 ^ back_most) + 1;
    sum->count++;
}

Test(filter, every_way_through_it_finds_the_same, .init = open_world, .fini = close_world)
{
    uint64_t count = 0;

    /* Of any size and at any place, as blocks end anywhere. */
    for (size_t size = 0, at = 0; at + size <= SEARCHED; at += size / 2 + 1, size = (size * 5 + 3) % 20011) {
        struct sum plain = {0}, other = {0};
        const struct finding finding = {world.filter, size, at, on_found, &plain};

        search(&finding, world.data + at, 0);
        filter_search(world.filter, world.data + at, size, at, on_found, &other);
        cr_assert_eq(other.count, plain.count, "%zu bytes at %zu", size, at);
        cr_assert_eq(other.hash, plain.hash, "%zu bytes at %zu", size, at);
#if defined(__x86_64__)
        if (__builtin_cpu_supports("bmi2")) {
            struct sum third = {0};
            const struct finding again = {world.filter, size, at, on_found, &third};

            search_bmi2(&again, world.data + at);
            cr_assert_eq(third.hash, plain.hash, "%zu bytes at %zu", size, at);
        }
#endif
        count += plain.count;
    }
    cr_assert_gt(count, 1000);
}
