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

enum { STEP = 64 };

/* BLANK is the space; ENDS are tab, line ends and the comma. */
enum class { AT, COLON, DOT, DASH, PLUS, LESS, BLANK, ZERO, DIGIT, UPPER, LOWER, ENDS, PRINT, CLASSES };

#if defined(__SSE2__)

#include <emmintrin.h>

static inline uint64_t joined(const __m128i *v)
{
    return (uint64_t)(uint16_t)_mm_movemask_epi8(v[0]) | (uint64_t)(uint16_t)_mm_movemask_epi8(v[1]) << 16 |
           (uint64_t)(uint16_t)_mm_movemask_epi8(v[2]) << 32 |
           (uint64_t)(uint16_t)_mm_movemask_epi8(v[3]) << 48;
}

static inline uint64_t equal(const __m128i *v, char c)
{
    __m128i w[4], all = _mm_set1_epi8(c);

    for (int i = 0; i < 4; i++)
        w[i] = _mm_cmpeq_epi8(v[i], all);
    return joined(w);
}

static inline uint64_t range(const __m128i *v, char first, char count)
{
    __m128i w[4], start = _mm_set1_epi8(first), top = _mm_set1_epi8((char)(count - 1));

    for (int i = 0; i < 4; i++) {
        __m128i x = _mm_sub_epi8(v[i], start);
        w[i] = _mm_cmpeq_epi8(_mm_min_epu8(x, top), x);
    }
    return joined(w);
}

static inline void classify(const uint8_t *data, uint64_t *bits)
{
    __m128i v[4];

    for (int i = 0; i < 4; i++)
        v[i] = _mm_loadu_si128((const void *)(data + 16 * i));
    bits[AT] = equal(v, '@');
    bits[COLON] = equal(v, ':');
    bits[DOT] = equal(v, '.');
    bits[DASH] = equal(v, '-');
    bits[PLUS] = equal(v, '+');
    bits[LESS] = equal(v, '<');
    bits[BLANK] = equal(v, ' ');
    bits[ZERO] = equal(v, 0);
    bits[DIGIT] = range(v, '0', 10);
    bits[UPPER] = range(v, 'A', 26);
    bits[LOWER] = range(v, 'a', 26);
    bits[PRINT] = range(v, ' ', 95);
    bits[ENDS] = range(v, '\t', 5) | equal(v, ',');
}

#else

static inline void classify(const uint8_t *data, uint64_t *bits)
{
    memset(bits, 0, CLASSES * sizeof bits[0]);
    for (unsigned i = 0; i < STEP; i++) {
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
                                     (uint8_t)(c - '\t') < 5 || c == ',',
                                     (uint8_t)(c - ' ') < 95};

        for (int k = 0; k < CLASSES; k++)
            bits[k] |= (uint64_t)is[k] << i;
    }
}

#endif

#define BYTES   UINT64_C(0x0101010101010101)
#define NIBBLES UINT64_C(0x3333333333333333)

/* What of the word before counts: its own bits, or what was derived of them. */
struct state {
    uint64_t digit, digit2, digit4, upper, dot, blank_dash, print;
    uint64_t alnum_full, alnum_pair, capital_full, capital_pair, word_full, word_pair, word_four, wide,
        wide_two;
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

static inline uint64_t find_words(struct state *s, uint64_t bits)
{
    uint64_t now = full_bytes(bits), two = now & back(now, s->word_full, 8),
             four = two & back(two, s->word_pair, 16), first = four & ~back(four, s->word_four, 8);

    s->word_full = now;
    s->word_pair = two;
    s->word_four = four;
    return first;
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

static inline void step(struct finding *f, struct state *s, const uint8_t *data, size_t base, bool wide)
{
    uint64_t bits[CLASSES], alnum, capital, word;

    classify(data, bits);
    alnum = bits[DIGIT] | bits[UPPER] | bits[LOWER];
    capital = bits[DIGIT] | bits[UPPER] | bits[LESS];
    word = bits[DIGIT] | bits[LOWER] | bits[BLANK] | bits[ENDS] | bits[DOT];
    add_all(f, base, find_run(alnum, &s->alnum_full, &s->alnum_pair), TRIGGER_RUN);
    add_all(f, base, find_run(capital, &s->capital_full, &s->capital_pair), TRIGGER_CAPITALS);
    add_all(f, base, find_words(s, word), TRIGGER_WORDS);
    find_numbers(f, s, base, bits);
    each(f, base, bits[AT], look_at);
    each(f, base, bits[PLUS], look_plus);
    each(f, base, bits[COLON], look_colon);
    each(f, base, bits[DASH] & ~(bits[DASH] >> 1), look_dash);
    if (wide)
        add_all(f, base, find_wide(s, bits), TRIGGER_WIDE);
}

bool masks_find(const uint8_t *data, size_t size, bool wide, struct marks *marks)
{
    struct finding finding = {data, size, marks, false};
    struct state state = {0};
    uint8_t last[STEP];
    size_t base;

    for (base = 0; size - base >= STEP; base += STEP)
        step(&finding, &state, data + base, base, wide);
    if (base < size) {
        memset(last, 0xff, sizeof last); /* is of no class */
        memcpy(last, data + base, size - base);
        step(&finding, &state, last, base, wide);
    }
    return !finding.failed;
}

void marks_finish(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){NULL, 0, 0};
}
