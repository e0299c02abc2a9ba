/*
 * masks: the classes of 64 bytes as words of 64 bits, bit n for byte n.
 *
 * Long runs are not measured: a run of 26 fills at least two whole bytes of such a word that stand side by
 * side, and that costs a few operations to see and needs no more of the word before than whether its last
 * byte was full. Who looks closer finds the ends of the run in the bytes themselves.
 */
#include "plugins/features/masks.h"

#include "plugins/features/finder.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 64, BATCH = 16 };

/* BLANK is the space; ENDS are tab, line ends, the comma and ')'. */
enum class { AT, COLON, DOT, DASH, PLUS, LESS, BLANK, ZERO, DIGIT, UPPER, LOWER, ENDS, PRINT, CLASSES };

/* The classes of `steps` times 64 bytes. */
typedef void classify(const uint8_t *data, size_t steps, uint64_t (*bits)[CLASSES]);

static classify classify_plain;

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw")))

static inline AVX2 uint64_t joined(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

static inline AVX2 uint64_t equal2(__m256i low, __m256i high, char c)
{
    __m256i all = _mm256_set1_epi8(c);

    return joined(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
}

static inline AVX2 __m256i within(__m256i bytes, char first, char count)
{
    __m256i x = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));

    return _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8((char)(count - 1))), x);
}

static inline AVX2 uint64_t range2(__m256i low, __m256i high, char first, char count)
{
    return joined(within(low, first, count), within(high, first, count));
}

static AVX2 void classify_avx2(const uint8_t *data, size_t steps, uint64_t (*bits)[CLASSES])
{
    for (size_t i = 0; i < steps; i++) {
        __m256i low = _mm256_loadu_si256((const void *)(data + STEP * i)),
                high = _mm256_loadu_si256((const void *)(data + STEP * i + 32));

        bits[i][AT] = equal2(low, high, '@');
        bits[i][COLON] = equal2(low, high, ':');
        bits[i][DOT] = equal2(low, high, '.');
        bits[i][DASH] = equal2(low, high, '-');
        bits[i][PLUS] = equal2(low, high, '+');
        bits[i][LESS] = equal2(low, high, '<');
        bits[i][BLANK] = equal2(low, high, ' ');
        bits[i][ZERO] = equal2(low, high, 0);
        bits[i][DIGIT] = range2(low, high, '0', 10);
        bits[i][UPPER] = range2(low, high, 'A', 26);
        bits[i][LOWER] = range2(low, high, 'a', 26);
        bits[i][PRINT] = range2(low, high, ' ', 95);
        bits[i][ENDS] = range2(low, high, '\t', 5) | equal2(low, high, ',') | equal2(low, high, ')');
    }
}

static inline AVX512 uint64_t equal4(__m512i bytes, char c)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(c));
}

static inline AVX512 uint64_t range4(__m512i bytes, char first, char count)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first)), _mm512_set1_epi8(count));
}

static AVX512 void classify_avx512(const uint8_t *data, size_t steps, uint64_t (*bits)[CLASSES])
{
    for (size_t i = 0; i < steps; i++) {
        __m512i v = _mm512_loadu_si512((const void *)(data + STEP * i));

        bits[i][AT] = equal4(v, '@');
        bits[i][COLON] = equal4(v, ':');
        bits[i][DOT] = equal4(v, '.');
        bits[i][DASH] = equal4(v, '-');
        bits[i][PLUS] = equal4(v, '+');
        bits[i][LESS] = equal4(v, '<');
        bits[i][BLANK] = equal4(v, ' ');
        bits[i][ZERO] = equal4(v, 0);
        bits[i][DIGIT] = range4(v, '0', 10);
        bits[i][UPPER] = range4(v, 'A', 26);
        bits[i][LOWER] = range4(v, 'a', 26);
        bits[i][PRINT] = range4(v, ' ', 95);
        bits[i][ENDS] = range4(v, '\t', 5) | equal4(v, ',') | equal4(v, ')');
    }
}

static classify *best(void)
{
    if (__builtin_cpu_supports("avx512bw"))
        return classify_avx512;
    return __builtin_cpu_supports("avx2") ? classify_avx2 : classify_plain;
}

#else

static classify *best(void)
{
    return classify_plain;
}

#endif

static void classify_plain(const uint8_t *data, size_t steps, uint64_t (*bits)[CLASSES])
{
    memset(bits, 0, steps * sizeof bits[0]);
    for (size_t i = 0; i < steps * STEP; i++) {
        uint8_t c = data[i];
        const uint8_t is[CLASSES] = {c == '@',
                                     c == ':',
                                     c == '.',
                                     c == '-',
                                     c == '+',
                                     c == '<',
                                     c == ' ',
                                     c == 0,
                                     is_digit(c),
                                     is_upper(c),
                                     is_lower(c),
                                     (uint8_t)(c - '\t') < 5 || c == ',' || c == ')',
                                     (uint8_t)(c - ' ') < 95};

        for (int k = 0; k < CLASSES; k++)
            bits[i / STEP][k] |= (uint64_t)is[k] << i % STEP;
    }
}

#define BYTES   UINT64_C(0x0101010101010101)
#define NIBBLES UINT64_C(0x3333333333333333)

/* What of the word before counts: its own bits, or what was derived of them. */
struct state {
    uint64_t digit, digit2, digit4, upper, dot, blank_dash, print;
    uint64_t alnum_full, alnum_pair, capital_full, capital_pair, wide, wide_two;
    uint64_t lower;
    struct runs {
        uint64_t full, pair, four;
    } words, phrases;
    size_t waiting; /* where a run of words was seen that has no phrase yet; SIZE_MAX: none */
};

/* `bits` as they stood n bytes before, and what that leaves of the word before. */
static inline uint64_t back(uint64_t bits, uint64_t before, unsigned n)
{
    return bits << n | before >> (64 - n);
}

/* A bit at the beginning of each whole byte of ones. */
static inline uint64_t full_bytes(uint64_t bits)
{
    bits &= bits >> 1;
    bits &= bits >> 2;
    bits &= bits >> 4;
    return bits & BYTES;
}

/* The first of full bytes that have another before them, once for as long as they go on. */
static inline uint64_t find_run(uint64_t bits, uint64_t *full, uint64_t *pair)
{
    uint64_t now = full_bytes(bits), two = now & back(now, *full, 8), first = two & ~back(two, *pair, 8);

    *full = now;
    *pair = two;
    return first;
}

/* `now`: full bytes. */
static inline uint64_t find_four(struct runs *runs, uint64_t now)
{
    uint64_t two = now & back(now, runs->full, 8), four = two & back(two, runs->pair, 16),
             first = four & ~back(four, runs->four, 8);

    *runs = (struct runs){now, two, four};
    return first;
}

/* Behind a word that no seed phrase has: of one letter or two, or in one of nine or more. `before`: the small
 * letters of the word before, whose last bits are all that counts. */
static inline uint64_t find_breaks(uint64_t lower, uint64_t before)
{
    uint64_t before2 = before & before << 1, before4 = before2 & before2 << 2,
             lower2 = lower & back(lower, before, 1), lower4 = lower2 & back(lower2, before2, 2),
             eight = lower4 & back(lower4, before4, 4);

    return (eight & back(lower, before, 8)) |
           (~lower & back(lower, before, 1) & ~(back(lower, before, 2) & back(lower, before, 3)));
}

static inline uint64_t find_wide(struct state *s, const uint64_t *bits)
{
    uint64_t pairs = bits[ZERO] & back(bits[PRINT], s->print, 1), now = pairs & pairs >> 2 & NIBBLES,
             two = now & back(now, s->wide, 4), first = two & ~back(two, s->wide_two, 4);

    s->print = bits[PRINT];
    s->wide = now;
    s->wide_two = two;
    return first;
}

/* ------------------------------------------------------------------ what single places show */

struct finding {
    const uint8_t *data;
    size_t size;
    struct marks *marks;
    bool failed;
};

static void add(struct finding *f, size_t at, enum trigger trigger)
{
    struct marks *marks = f->marks;

    if (marks->count == marks->capacity) {
        size_t capacity = marks->capacity > 0 ? 2 * marks->capacity : 1024;
        struct mark *items = reallocarray(marks->items, capacity, sizeof items[0]);

        f->failed = f->failed || items == NULL;
        if (items == NULL)
            return;
        marks->items = items;
        marks->capacity = capacity;
    }
    marks->items[marks->count++] = (struct mark){(uint32_t)at, (uint32_t)trigger};
}

static inline uint8_t at(const struct finding *f, size_t i)
{
    return i < f->size ? f->data[i] : 0;
}

static void look_at(struct finding *f, size_t i)
{
    if (is_alnum(at(f, i - 1)) && is_alnum(at(f, i + 1)))
        add(f, i, TRIGGER_AT);
}

static void look_plus(struct finding *f, size_t i)
{
    if (is_digit(at(f, i + 1)))
        add(f, i, TRIGGER_PLUS);
}

/* MAC addresses and what looks like them; only from the first. */
static void look_pairs(struct finding *f, size_t i, uint8_t c)
{
    if (at(f, i + 3) == c && at(f, i + 6) == c && at(f, i + 9) == c && at(f, i + 12) == c &&
        at(f, i - 3) != c)
        add(f, i, TRIGGER_PAIRS);
}

/* The next ':' behind up to four other bytes; 0: none. */
static size_t next_colon(const struct finding *f, size_t i)
{
    for (size_t k = 1; k <= 5; k++) {
        if (at(f, i + k) == ':')
            return i + k;
    }
    return 0;
}

static void look_colon(struct finding *f, size_t i)
{
    uint8_t next = at(f, i + 1);
    size_t second;

    if (next == '/' && at(f, i + 2) == '/')
        add(f, i, TRIGGER_SCHEME);
    if (next != ':' && !is_hex(next))
        return;
    look_pairs(f, i, ':');
    second = next_colon(f, i);
    if (next == ':' || (second != 0 && next_colon(f, second) != 0))
        add(f, i, TRIGGER_COLONS);
}

static void look_dash(struct finding *f, size_t i)
{
    bool digits = is_digit(at(f, i + 1)) && is_digit(at(f, i + 2)) && is_digit(at(f, i + 3));

    if (digits && (at(f, i + 4) == '-' || (is_upper(at(f, i - 1)) && is_upper(at(f, i - 2)) &&
                                           is_upper(at(f, i - 3)) && !is_alnum(at(f, i - 4)))))
        add(f, i, TRIGGER_PLATE);
    if (is_hex(at(f, i + 1)))
        look_pairs(f, i, '-');
}

/* The next dot behind one to three digits; 0: none. */
static size_t next_dot(const struct finding *f, size_t i)
{
    for (size_t k = 1; k <= 4; k++) {
        if (!is_digit(at(f, i + k)))
            return k > 1 && at(f, i + k) == '.' ? i + k : 0;
    }
    return 0;
}

/* `i` is the digit behind a dot that has one before it. */
static void look_decimal(struct finding *f, size_t i)
{
    size_t dot = i - 1, second = next_dot(f, dot), third = second != 0 ? next_dot(f, second) : 0;

    if (third != 0 && is_digit(at(f, third + 1)))
        add(f, dot, TRIGGER_DOTTED);
    if (is_digit(at(f, i + 1)) && is_digit(at(f, i + 2)) && is_digit(at(f, i + 3)))
        add(f, dot, TRIGGER_DECIMAL);
}

static void each(struct finding *f, size_t base, uint64_t bits, void (*look)(struct finding *f, size_t i))
{
    for (; bits != 0; bits &= bits - 1)
        look(f, base + (unsigned)__builtin_ctzll(bits));
}

static void add_all(struct finding *f, size_t base, uint64_t bits, enum trigger trigger)
{
    for (; bits != 0; bits &= bits - 1)
        add(f, base + (unsigned)__builtin_ctzll(bits), trigger);
}

/* ------------------------------------------------------------------ 64 bytes at a time */

static inline void find_numbers(struct finding *f, struct state *s, size_t base, const uint64_t *bits)
{
    const uint64_t digit = bits[DIGIT], digit2 = digit & back(digit, s->digit, 1),
                   digit4 = digit2 & back(digit2, s->digit2, 2), blank_dash = bits[BLANK] | bits[DASH];
    uint64_t decimal = digit & back(bits[DOT], s->dot, 1) & back(digit, s->digit, 2);

    each(f, base, decimal, look_decimal);
    if (digit2 != 0) {
        add_all(f, base, digit2 & back(bits[UPPER], s->upper, 2) & back(bits[UPPER], s->upper, 3),
                TRIGGER_IBAN);
        if (digit4 != 0) {
            uint64_t digit8 = digit4 & back(digit4, s->digit4, 4);

            add_all(f, base, digit8 & back(digit, s->digit, 8) & ~back(digit, s->digit, 9), TRIGGER_DIGITS);
            add_all(f, base, digit4 & back(blank_dash, s->blank_dash, 4) & back(digit4, s->digit4, 5),
                    TRIGGER_GROUPS);
        }
    }
    s->digit = digit;
    s->digit2 = digit2;
    s->digit4 = digit4;
    s->upper = bits[UPPER];
    s->dot = bits[DOT];
    s->blank_dash = blank_dash;
}

/* A run of words is told where it was first seen, but only when words stand in it that may all be of one
 * phrase. */
static inline void find_words(struct finding *f, struct state *s, size_t base, uint64_t bits, uint64_t lower)
{
    uint64_t full = full_bytes(bits), before = s->lower, words, phrases;

    s->lower = lower;
    if ((full | s->words.full | s->words.four) == 0)
        return;
    words = find_four(&s->words, full);
    phrases = find_four(&s->phrases, full == 0 ? 0 : full_bytes(bits & ~find_breaks(lower, before)));
    for (uint64_t both = words | phrases; both != 0; both &= both - 1) {
        uint64_t bit = both & -both;

        if ((words & bit) != 0)
            s->waiting = base + (unsigned)__builtin_ctzll(bit);
        if ((phrases & bit) == 0 || s->waiting == SIZE_MAX)
            continue;
        add(f, s->waiting, TRIGGER_WORDS);
        s->waiting = SIZE_MAX;
    }
}

static inline void step(struct finding *f, struct state *s, const uint64_t *bits, size_t base, bool wide)
{
    uint64_t alnum, capital, word;

    if (bits[ZERO] == UINT64_MAX) { /* of no other class, and then the state says nothing */
        *s = (struct state){.waiting = SIZE_MAX};
        return;
    }
    alnum = bits[DIGIT] | bits[UPPER] | bits[LOWER];
    capital = bits[DIGIT] | bits[UPPER] | bits[LESS];
    word = bits[DIGIT] | bits[LOWER] | bits[BLANK] | bits[ENDS] | bits[DOT];
    add_all(f, base, find_run(alnum, &s->alnum_full, &s->alnum_pair), TRIGGER_RUN);
    add_all(f, base, find_run(capital, &s->capital_full, &s->capital_pair), TRIGGER_CAPITALS);
    find_words(f, s, base, word, bits[LOWER]);
    find_numbers(f, s, base, bits);
    each(f, base, bits[AT], look_at);
    each(f, base, bits[PLUS], look_plus);
    each(f, base, bits[COLON], look_colon);
    each(f, base, bits[DASH] & ~(bits[DASH] >> 1), look_dash);
    if (wide)
        add_all(f, base, find_wide(s, bits), TRIGGER_WIDE);
}

/* `steps` is at most BATCH. */
static void find(struct finding *f, struct state *s, classify *classes, const uint8_t *data, size_t steps,
                 size_t base, bool wide)
{
    uint64_t bits[BATCH][CLASSES];

    classes(data, steps, bits);
    for (size_t i = 0; i < steps; i++)
        step(f, s, bits[i], base + i * STEP, wide);
}

bool masks_find(const uint8_t *data, size_t size, bool wide, struct marks *marks)
{
    struct finding finding = {data, size, marks, false};
    struct state state = {.waiting = SIZE_MAX};
    classify *classes = best();
    uint8_t last[STEP];
    size_t base = 0;

    while (size - base >= STEP) {
        size_t steps = (size - base) / STEP < BATCH ? (size - base) / STEP : BATCH;

        find(&finding, &state, classes, data + base, steps, base, wide);
        base += steps * STEP;
    }
    if (base < size) {
        memset(last, 0xff, sizeof last); /* is of no class */
        memcpy(last, data + base, size - base);
        find(&finding, &state, classes, last, 1, base, wide);
    }
    return !finding.failed;
}

void marks_finish(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){NULL, 0, 0};
}
