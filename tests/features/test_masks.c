/*
 * masks: what each processor does for the classes of bytes is the same, though a machine runs only one of
 * them. The file is included, for nobody else is to choose between them.
 */
#include "plugins/features/masks.c"

#include <criterion/criterion.h>

enum { STEPS = 64 };

/* Random bytes, then all 256, at each place of a step, then those that stand in classes, alone. */
static void fill(uint8_t *data, size_t size)
{
    static const char named[] = "@:.-+< \t\n\v\f\r,)(/09AZaz[`{~\x7f\x80\xff";
    uint32_t seed = 9;

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(i < size / 4   ? seed >> 24
                            : i < size / 2 ? i * 193
                                           : (uint8_t)named[(seed >> 16) % sizeof named]);
    }
}

static void is_plain(classify *other, const char *name)
{
    static uint8_t data[STEPS * STEP];
    static uint64_t bits[STEPS][CLASSES], plain[STEPS][CLASSES];

    fill(data, sizeof data);
    classify_plain(data, STEPS, plain);
    memset(bits, 0xa5, sizeof bits);
    other(data, STEPS, bits);
    for (size_t i = 0; i < STEPS; i++) {
        for (size_t k = 0; k < CLASSES; k++)
            cr_assert_eq(bits[i][k], plain[i][k], "%s: step %zu, class %zu", name, i, k);
    }
}

Test(masks, each_processor_has_the_same_classes)
{
    is_plain(best(), "this processor");
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        is_plain(classify_avx2, "AVX2");
    if (__builtin_cpu_supports("avx512bw"))
        is_plain(classify_avx512, "AVX-512");
#endif
}

/* A phrase of twelve words as BIP-39 has them, at each place of two steps, behind other words of a run. */
static size_t seen(const char *before, const char *phrase, size_t place)
{
    uint8_t data[512];
    struct marks marks = {NULL, 0, 0};
    size_t count = 0;

    memset(data, 'X', sizeof data);
    memcpy(data + place, before, strlen(before));
    memcpy(data + place + strlen(before), phrase, strlen(phrase));
    cr_assert(masks_find(data, sizeof data, false, &marks));
    for (size_t i = 0; i < marks.count; i++)
        count += marks.items[i].trigger == TRIGGER_WORDS && marks.items[i].at >= place &&
                 marks.items[i].at < place + strlen(before) + strlen(phrase);
    marks_finish(&marks);
    return count;
}

Test(masks, words_of_a_phrase_are_seen_wherever_they_stand)
{
    static const char *const phrases[] = {
        "act act act act act act act act act act act act", /* the shortest that there is */
        ("abstract abstract abstract abstract abstract abstract abstract abstract abstract abstract abstract "
         "abstract"),
        "1. zoo 2. zoo 3. zoo 4. zoo 5. zoo 6. zoo 7. zoo 8. zoo 9. zoo 10. zoo 11. zoo 12. zoo",
        "1) act, 2) abstract, 3) act, 4) abstract, 5) act, 6) abstract, 7) act, 8) abstract, 9) act, 10) zoo",
    };
    static const char *const befores[] = {"", "a ", "of it ", "in a neighbourhood as it is, it is a "};

    for (size_t p = 0; p < sizeof phrases / sizeof phrases[0]; p++) {
        for (size_t b = 0; b < sizeof befores / sizeof befores[0]; b++) {
            for (size_t place = 0; place < 2 * STEP; place++)
                cr_assert_eq(seen(befores[b], phrases[p], place), 1, "%s%s at %zu", befores[b], phrases[p],
                             place);
        }
    }
}

Test(masks, other_text_is_no_phrase)
{
    cr_assert_eq(
        seen("", "it is in a of to be or as we do it is in a of to be or as we do it is in a of to be", 7),
        0);
    cr_assert_eq(seen("", "neighbourhood neighbourhood neighbourhood neighbourhood neighbourhood", 7), 0);
}
