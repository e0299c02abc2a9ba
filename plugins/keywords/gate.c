/*
 * gate: see gate.h.
 */
#include "plugins/keywords/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 8, CLASSES = 8, GROUPS_MAX = 512 };

/* Where a byte stands in a table: its seven bits that count. */
static inline uint8_t index_of(uint8_t byte)
{
    return (byte & 0x1f) | (byte >> 1 & 0x60);
}

unsigned gate_rarity(uint8_t byte)
{
    static const char common[] = "etaoinsr";

    if (byte == 0 || byte == ' ')
        return 2;
    if (byte >= 'A' && byte <= 'Z')
        byte |= 32;
    if (byte >= 'a' && byte <= 'z')
        return strchr(common, byte) != NULL ? 7 : strchr("lhdcump", byte) != NULL ? 9 : 12;
    if (byte == 0xe1 || byte == 0xd0 || byte == 0xd1 || byte == 0x10 || byte == 0x04 || byte == 0x83 ||
        byte == 0x82 || byte == 0xb2 || byte == 0x92 || byte == 0xc1 || byte == 0x1c || byte == 0xff ||
        byte == 0xdf)
        return 3;
    return 13;
}

/* ------------------------------------------------------------------ groups */

/* Bytes that are about as frequent as each other; a group is first known by the classes of its bytes. */
static unsigned class_of(uint8_t byte)
{
    unsigned rarity = gate_rarity(byte);

    if (rarity == 12)
        return strchr("jqxz", byte | 32) != NULL ? 3 : 2;
    if (rarity == 7 || rarity == 9)
        return rarity == 9;
    return rarity == 2 ? 4 : byte >= 0x80 ? 6 : byte == 0x04 || byte == 0x10 || byte == 0x1c ? 5 : 7;
}

/* How often a byte of these classes is met, in thousandths, where there is most to search: in text. */
static unsigned frequency(uint8_t classes)
{
    static const unsigned share[CLASSES] = {440, 210, 100, 10, 130, 5, 40, 65};
    unsigned sum = 0;

    for (unsigned i = 0; i < CLASSES; i++)
        sum += (classes >> i & 1) != 0 ? share[i] : 0;
    return sum;
}

struct group {
    uint8_t classes[GATE_BYTES];
    uint64_t cost; /* how often it is met by chance */
};

struct grouping {
    struct group items[GROUPS_MAX];
    size_t count;
    uint64_t frequency[1 << CLASSES];
};

static uint64_t cost_of(const struct grouping *grouping, const uint8_t classes[GATE_BYTES])
{
    return grouping->frequency[classes[0]] * grouping->frequency[classes[1]] *
           grouping->frequency[classes[2]] * grouping->frequency[classes[3]];
}

enum { LETTERS = 0x0f, RARE = 0x0c, MIDDLE = 0x02 };

/* The classes of a piece's bytes, but for one that is all letters only what tells it best from text: there
 * are many of them. */
static void classes_of(const struct gate_piece *piece, uint8_t ret[GATE_BYTES])
{
    bool letters = true;

    for (size_t i = 0; i < GATE_BYTES; i++) {
        ret[i] = i < piece->known ? (uint8_t)(1 << class_of(piece->bytes[i])) : 0xff;
        letters = letters && (ret[i] & ~LETTERS) == 0;
        if ((ret[i] & RARE) != 0)
            ret[i] |= RARE;
    }
    for (size_t i = 0; i < GATE_BYTES; i++) {
        if (!letters)
            ret[i] = (ret[i] & LETTERS) != 0 ? ret[i] | LETTERS : ret[i];
    }
    if (letters && ret[0] == RARE)
        ret[1] = ret[2] = ret[3] = LETTERS;
    else if (letters && ret[3] == RARE)
        ret[0] = ret[1] = ret[2] = LETTERS;
}

unsigned gate_worth(const uint8_t bytes[GATE_BYTES])
{
    uint8_t classes[GATE_BYTES];

    for (size_t i = 0; i < GATE_BYTES; i++)
        classes[i] = (uint8_t)(1 << class_of(bytes[i]));
    if (((classes[0] | classes[1] | classes[2] | classes[3]) & ~LETTERS) != 0)
        return 0;
    if ((classes[0] & RARE) != 0)
        return 4;
    if ((classes[3] & RARE) != 0)
        return 3;
    return (classes[0] == MIDDLE) + (classes[2] == MIDDLE);
}

static struct group both(const struct grouping *grouping, const struct group *a, const struct group *b)
{
    struct group group;

    for (size_t i = 0; i < GATE_BYTES; i++)
        group.classes[i] = a->classes[i] | b->classes[i];
    group.cost = cost_of(grouping, group.classes);
    return group;
}

/* Puts the two together that cost least more than each alone. */
static void merge(struct grouping *grouping)
{
    size_t one = 0, two = 1;
    int64_t least = INT64_MAX;

    for (size_t a = 0; a < grouping->count; a++) {
        for (size_t b = a + 1; b < grouping->count; b++) {
            struct group group = both(grouping, &grouping->items[a], &grouping->items[b]);
            int64_t more = (int64_t)(group.cost - grouping->items[a].cost - grouping->items[b].cost);

            if (more >= least)
                continue;
            least = more;
            one = a;
            two = b;
        }
    }
    grouping->items[one] = both(grouping, &grouping->items[one], &grouping->items[two]);
    grouping->items[two] = grouping->items[--grouping->count];
}

static bool holds(const struct group *group, const uint8_t classes[GATE_BYTES])
{
    return (classes[0] & ~group->classes[0]) == 0 && (classes[1] & ~group->classes[1]) == 0 &&
           (classes[2] & ~group->classes[2]) == 0 && (classes[3] & ~group->classes[3]) == 0;
}

static void add(struct grouping *grouping, const uint8_t classes[GATE_BYTES])
{
    for (size_t i = 0; i < grouping->count; i++) {
        if (memcmp(grouping->items[i].classes, classes, GATE_BYTES) == 0)
            return;
    }
    if (grouping->count == GROUPS_MAX)
        merge(grouping);
    memcpy(grouping->items[grouping->count].classes, classes, GATE_BYTES);
    grouping->items[grouping->count++].cost = cost_of(grouping, classes);
}

/* The cheapest group that it fits in. */
static size_t group_of(const struct grouping *grouping, const uint8_t classes[GATE_BYTES])
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < grouping->count; i++) {
        if (holds(&grouping->items[i], classes) &&
            (best == SIZE_MAX || grouping->items[i].cost < grouping->items[best].cost))
            best = i;
    }
    return best;
}

static void put(struct gate *gate, const struct gate_piece *piece, size_t group)
{
    for (size_t i = 0; i < GATE_BYTES; i++) {
        for (size_t byte = 0; byte < sizeof gate->groups[i]; byte++) {
            if (i >= piece->known || byte == index_of(piece->bytes[i]))
                gate->groups[i][byte] |= (uint8_t)(1 << group);
        }
    }
}

static bool is_blank(const struct gate_piece *piece)
{
    for (size_t i = 0; i < piece->known; i++) {
        if (piece->bytes[i] != 0)
            return false;
    }
    return true;
}

int gate_build(struct gate *gate, const struct gate_piece *pieces, size_t count)
{
    struct grouping *grouping = calloc(1, sizeof *grouping);
    uint8_t classes[GATE_BYTES];

    if (grouping == NULL)
        return -ENOMEM;
    memset(gate, 0, sizeof *gate);
    gate->no_blanks = true;
    for (size_t i = 0; i < 1 << CLASSES; i++)
        grouping->frequency[i] = frequency((uint8_t)i);
    for (size_t i = 0; i < count; i++) {
        classes_of(&pieces[i], classes);
        add(grouping, classes);
    }
    while (grouping->count > GROUPS)
        merge(grouping);
    for (size_t i = 0; i < count; i++) {
        classes_of(&pieces[i], classes);
        if (is_blank(&pieces[i]))
            gate->no_blanks = false;
        put(gate, &pieces[i], group_of(grouping, classes));
    }
    free(grouping);
    return 0;
}

/* ------------------------------------------------------------------ searching */

bool gate_passes(const struct gate *gate, const uint8_t *data)
{
    return (gate->groups[0][index_of(data[0])] & gate->groups[1][index_of(data[1])] &
            gate->groups[2][index_of(data[2])] & gate->groups[3][index_of(data[3])]) != 0;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

bool gate_is_fast(void)
{
    return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
}

struct table {
    __m512i low, high;
};

static inline VBMI struct table table_of(const uint8_t *bytes)
{
    return (struct table){_mm512_loadu_si512((const void *)bytes),
                          _mm512_loadu_si512((const void *)(bytes + 64))};
}

/* The groups of 64 bytes; bits 7 of an index do not count. */
static inline VBMI __m512i look_up(const struct table *table, const uint8_t *data)
{
    __m512i bytes = _mm512_loadu_si512((const void *)data),
            low = _mm512_and_si512(bytes, _mm512_set1_epi8(0x1f)),
            index = _mm512_ternarylogic_epi32(low, _mm512_srli_epi16(bytes, 1), _mm512_set1_epi8(0x60), 0xf8);

    return _mm512_permutex2var_epi8(table->low, index, table->high);
}

VBMI void gate_search(const struct gate *gate, const uint8_t *data, size_t count, uint64_t *bits)
{
    const struct table first = table_of(gate->groups[0]), second = table_of(gate->groups[1]),
                       third = table_of(gate->groups[2]), fourth = table_of(gate->groups[3]);

    for (size_t at = 0; at < count; at += GATE_PLACES) {
        __m512i one = _mm512_and_si512(look_up(&first, data + at), look_up(&second, data + at + 1)),
                two = _mm512_and_si512(look_up(&third, data + at + 2), look_up(&fourth, data + at + 3));

        uint64_t blank = _mm512_testn_epi8_mask(_mm512_loadu_si512((const void *)(data + at)),
                                                _mm512_set1_epi8((char)0xdf));

        /* Zeros stand beside each other, which no frequency of single bytes says. */
        blank &= blank >> 1;
        blank &= blank >> 2;
        *bits++ = _mm512_test_epi8_mask(one, two) & ~(gate->no_blanks ? blank : 0);
    }
}

#else

bool gate_is_fast(void)
{
    return false;
}

void gate_search(const struct gate *gate, const uint8_t *data, size_t count, uint64_t *bits)
{
    for (size_t at = 0; at < count; at += GATE_PLACES, bits++) {
        *bits = 0;
        for (size_t i = 0; i < GATE_PLACES; i++)
            *bits |= (uint64_t)gate_passes(gate, data + at + i) << i;
    }
}

#endif
