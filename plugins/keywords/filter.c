/*
 * filter: see filter.h.
 */
#include "plugins/keywords/filter.h"

#include "plugins/keywords/gate.h"
#include "plugins/keywords/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FOLDED UINT64_C(0xdfdfdfdfdfdfdfdf)

enum { HUGE_PAGE = 2 << 20 }; /* holds both maps */
enum {
    MAP_BITS = 22,
    MAP_SHIFT = 32 - MAP_BITS,
    AGAIN_BITS = 19,
    SECOND_BITS_LEAST = 16,
    SECOND_BITS_MOST = 24
};

struct piece {
    uint64_t bytes;       /* little-endian, masked */
    uint64_t mask, value; /* of the hit's first eight bytes (struct sieve); all zero where it may begin at
                             several places */
    uint32_t pattern;
    uint16_t back_least, back_most;
};

struct pieces {
    struct piece *items;
    size_t count, capacity;
    uint64_t *map; /* PIECE_SIX and PIECE_LONG: bits by the hash of all its bytes */
    unsigned map_bits;
    uint32_t *slots; /* index of the first item with these bytes, plus 1; items are sorted */
    unsigned slot_bits;
};

struct filter {
    struct pieces sizes[PIECE_SIZES];
    uint64_t *map; /* bits by the hash of the first four bytes, whatever they are where a piece is shorter */
    /* The same by another hash, and by the kind of piece: of what the first map lets through by chance, they
     * leave a twentieth. */
    uint64_t *again, *again_six, *again_long;
    struct gate gate; /* what may begin a piece at all */
};

int filter_new(struct filter **ret_filter)
{
    *ret_filter = calloc(1, sizeof **ret_filter);
    return *ret_filter == NULL ? -ENOMEM : 0;
}

void filter_free(struct filter *filter)
{
    for (size_t i = 0; filter != NULL && i < PIECE_SIZES; i++) {
        free(filter->sizes[i].items);
        free(filter->sizes[i].map);
        free(filter->sizes[i].slots);
    }
    if (filter != NULL)
        free(filter->map);
    free(filter);
}

static inline uint64_t hash(uint64_t bytes)
{
    return bytes * UINT64_C(0x9e3779b97f4a7c15);
}

/* The place of four bytes in the first map. */
static inline uint32_t map_bit(uint32_t bytes)
{
    return bytes * UINT32_C(0x9e3779b1) >> MAP_SHIFT;
}

/* ------------------------------------------------------------------ adding */

static int put(struct pieces *pieces, const struct piece *piece)
{
    if (pieces->count == pieces->capacity) {
        size_t capacity = pieces->capacity == 0 ? 1024 : pieces->capacity * 2;
        struct piece *items = reallocarray(pieces->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        pieces->items = items;
        pieces->capacity = capacity;
    }
    pieces->items[pieces->count++] = *piece;
    return 0;
}

static int put_bytes(struct filter *filter, const struct window *window, uint32_t pattern,
                     const struct sieve *sieve, const uint8_t *data, size_t offset)
{
    struct piece piece = {.pattern = pattern,
                          .back_least = (uint16_t)(window->least + offset),
                          .back_most = (uint16_t)(window->most + offset)};

    if (window->least == window->most) {
        piece.mask = sieve->mask[0];
        piece.value = sieve->value[0];
    }
    for (size_t i = 0; i < piece_bytes[window->size]; i++)
        piece.bytes |= (uint64_t)data[offset + i] << 8 * i;
    return put(&filter->sizes[window->size], &piece);
}

void filter_drop(struct filter *filter, uint32_t pattern)
{
    for (size_t i = 0; i < PIECE_SIZES; i++) {
        struct pieces *pieces = &filter->sizes[i];

        while (pieces->count > 0 && pieces->items[pieces->count - 1].pattern >= pattern)
            pieces->count--;
    }
}

static int put_window(struct filter *filter, const struct window *window, uint32_t pattern,
                      const struct program *program, const struct writing *writing)
{
    struct variants *variants = malloc(sizeof *variants);
    struct sieve sieve;
    int code = variants == NULL ? -ENOMEM : window_variants(window, program, writing, variants);

    program_sieve(program, writing, &sieve);
    for (size_t i = 0; code == 0 && i < variants->count; i++)
        code = put_bytes(filter, window, pattern, &sieve, variants->data[i], window->skip);
    free(variants);
    return code;
}

int filter_add(struct filter *filter, uint32_t pattern, const struct program *program,
               const struct writing *writing)
{
    struct window window = {0};

    return window_choose(program, writing, &window) ? put_window(filter, &window, pattern, program, writing)
                                                    : -EINVAL;
}

/* ------------------------------------------------------------------ compiling */

static int compare(const void *a, const void *b)
{
    const struct piece *one = a, *two = b;

    if (one->bytes != two->bytes)
        return one->bytes < two->bytes ? -1 : 1;
    if (one->pattern != two->pattern)
        return one->pattern < two->pattern ? -1 : 1;
    return (int)one->back_least - (int)two->back_least;
}

static bool is_twice(const struct piece *a, const struct piece *b)
{
    return a->bytes == b->bytes && a->pattern == b->pattern && a->back_least == b->back_least &&
           a->back_most == b->back_most;
}

static void sort(struct pieces *pieces)
{
    size_t kept = 0;

    if (pieces->count == 0) /* then there are no items to give to qsort */
        return;
    qsort(pieces->items, pieces->count, sizeof pieces->items[0], compare);
    for (size_t i = 0; i < pieces->count; i++) {
        if (kept == 0 || !is_twice(&pieces->items[kept - 1], &pieces->items[i]))
            pieces->items[kept++] = pieces->items[i];
    }
    pieces->count = kept;
}

static unsigned bits_for(size_t count, unsigned least, unsigned most)
{
    unsigned bits = least;

    while (bits < most && (UINT64_C(1) << bits) < count)
        bits++;
    return bits;
}

/* The exact table, and for long pieces the second map. */
static int compile(struct pieces *pieces, bool with_map)
{
    uint64_t mask;

    sort(pieces);
    pieces->map_bits = bits_for(pieces->count * 64, SECOND_BITS_LEAST, SECOND_BITS_MOST);
    pieces->slot_bits = bits_for(pieces->count * 2, 8, 31);
    pieces->slots = calloc((size_t)1 << pieces->slot_bits, sizeof pieces->slots[0]);
    if (with_map)
        pieces->map = calloc(((size_t)1 << pieces->map_bits) / 64, sizeof pieces->map[0]);
    if (pieces->slots == NULL || (with_map && pieces->map == NULL))
        return -ENOMEM;
    mask = (UINT64_C(1) << pieces->slot_bits) - 1;
    for (size_t i = 0; i < pieces->count; i++) {
        uint64_t code = hash(pieces->items[i].bytes), bit = code >> (64 - pieces->map_bits);
        uint64_t slot = code >> 24 & mask;

        if (with_map)
            pieces->map[bit / 64] |= UINT64_C(1) << bit % 64;
        if (i > 0 && pieces->items[i - 1].bytes == pieces->items[i].bytes)
            continue;
        while (pieces->slots[slot] != 0)
            slot = (slot + 1) & mask;
        pieces->slots[slot] = (uint32_t)i + 1;
    }
    return 0;
}

static inline uint32_t again_bit(uint32_t bytes)
{
    return (bytes ^ bytes >> 15) * UINT32_C(0x85ebca6b) >> (32 - AGAIN_BITS);
}

static void map_set(struct filter *filter, uint64_t *again, uint32_t bytes)
{
    uint32_t bit = again_bit(bytes & (uint32_t)FOLDED);

    again[bit / 64] |= UINT64_C(1) << bit % 64;
    bit = map_bit(bytes & (uint32_t)FOLDED);

    filter->map[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Pieces of two and three bytes stand in the first map with whatever may follow. */
static void map_pieces(struct filter *filter, enum piece_size size)
{
    const struct pieces *pieces = &filter->sizes[size];
    uint64_t *again = size == PIECE_LONG  ? filter->again_long
                      : size == PIECE_SIX ? filter->again_six
                                          : filter->again;

    for (size_t i = 0; i < pieces->count; i++) {
        uint32_t bytes = (uint32_t)pieces->items[i].bytes;

        if (size >= PIECE_FOUR)
            map_set(filter, again, bytes);
        for (uint32_t last = 0; last < 0x100 && size == PIECE_THREE; last++)
            map_set(filter, again, bytes | last << 24);
        for (uint32_t last = 0; last < 0x10000 && size == PIECE_TWO; last++)
            map_set(filter, again, bytes | last << 16);
    }
}

static int build_gate(struct filter *filter)
{
    struct gate_piece *pieces;
    size_t count = 0;
    int code;

    for (enum piece_size size = 0; size < PIECE_SIZES; size++)
        count += filter->sizes[size].count;
    pieces = calloc(count + 1, sizeof pieces[0]);
    if (pieces == NULL)
        return -ENOMEM;
    count = 0;
    for (enum piece_size size = 0; size < PIECE_SIZES; size++) {
        for (size_t i = 0; i < filter->sizes[size].count; i++, count++) {
            pieces[count].known = (uint8_t)(size < PIECE_FOUR ? piece_bytes[size] : GATE_BYTES);
            for (size_t k = 0; k < pieces[count].known; k++)
                pieces[count].bytes[k] = (uint8_t)(filter->sizes[size].items[i].bytes >> 8 * k);
        }
    }
    code = gate_build(&filter->gate, pieces, count);
    free(pieces);
    return code;
}

int filter_compile(struct filter *filter)
{
    int code = 0;

    filter->map = aligned_alloc(HUGE_PAGE, HUGE_PAGE);
    if (filter->map == NULL)
        return -ENOMEM;
    /* Read at random all the time: with small pages half of the time goes into finding them. */
    madvise(filter->map, HUGE_PAGE, MADV_HUGEPAGE);
    memset(filter->map, 0, HUGE_PAGE);
    filter->again = filter->map + ((size_t)1 << MAP_BITS) / 64;
    filter->again_six = filter->again + ((size_t)1 << AGAIN_BITS) / 64;
    filter->again_long = filter->again_six + ((size_t)1 << AGAIN_BITS) / 64;
    for (enum piece_size size = 0; size < PIECE_SIZES && code == 0; size++) {
        code = compile(&filter->sizes[size], size >= PIECE_SIX);
        if (code == 0)
            map_pieces(filter, size);
    }
    return code < 0 ? code : build_gate(filter);
}

/* ------------------------------------------------------------------ searching */

struct finding {
    const struct filter *filter;
    size_t size, base;
    filter_found *found;
    void *context;
};

static inline uint64_t load(const uint8_t *data)
{
    uint64_t bytes;

    memcpy(&bytes, data, sizeof bytes);
    return bytes & FOLDED;
}

/* Whether the hit's first bytes fit, where that can be said at once. */
static bool fits(const struct finding *finding, const struct piece *piece, const uint8_t *data, size_t place)
{
    uint64_t bytes;

    if (place < piece->back_least || place - piece->back_least + sizeof bytes > finding->size)
        return true;
    memcpy(&bytes, data + place - piece->back_least, sizeof bytes);
    return ((bytes & piece->mask) ^ piece->value) == 0;
}

static void look_up(const struct finding *finding, const struct pieces *pieces, uint64_t bytes,
                    const uint8_t *data, size_t place)
{
    uint64_t mask = (UINT64_C(1) << pieces->slot_bits) - 1, slot = hash(bytes) >> 24 & mask;
    const struct piece *piece, *end = pieces->items + pieces->count;

    for (; pieces->slots[slot] != 0; slot = (slot + 1) & mask) {
        piece = &pieces->items[pieces->slots[slot] - 1];
        if (piece->bytes != bytes)
            continue;
        for (; piece < end && piece->bytes == bytes; piece++) {
            if (fits(finding, piece, data, place))
                finding->found(finding->context, piece->pattern, finding->base + place, piece->back_least,
                               piece->back_most);
        }
        return;
    }
}

static inline bool bit_is_set(const uint64_t *map, uint64_t bit)
{
    return (map[bit / 64] >> bit % 64 & 1) != 0;
}

static inline void look_long(const struct finding *finding, const struct pieces *pieces, uint64_t bytes,
                             const uint8_t *data, size_t place)
{
    if (bit_is_set(pieces->map, hash(bytes) >> (64 - pieces->map_bits)))
        look_up(finding, pieces, bytes, data, place);
}

/* The first map has the four bytes at this place. */
static __attribute__((noinline)) void look(const struct finding *finding, const uint8_t *data, size_t place)
{
    const struct filter *filter = finding->filter;
    const struct pieces *sizes = filter->sizes;
    uint64_t bytes = load(data + place);
    uint32_t bit = again_bit((uint32_t)bytes);

    if (bit_is_set(filter->again, bit)) {
        if (sizes[PIECE_TWO].count > 0)
            look_up(finding, &sizes[PIECE_TWO], bytes & 0xffff, data, place);
        if (sizes[PIECE_THREE].count > 0)
            look_up(finding, &sizes[PIECE_THREE], bytes & 0xffffff, data, place);
        look_up(finding, &sizes[PIECE_FOUR], bytes & 0xffffffff, data, place);
    }
    if (bit_is_set(filter->again_six, bit))
        look_long(finding, &sizes[PIECE_SIX], bytes & 0xffffffffffff, data, place);
    if (bit_is_set(filter->again_long, bit))
        look_long(finding, &sizes[PIECE_LONG], bytes, data, place);
}

static inline uint64_t is_set(const uint64_t *map, uint64_t bytes)
{
    uint32_t bit = map_bit((uint32_t)bytes);

    return map[bit / 64] >> bit % 64;
}

/* The places from this one on. Four at a time, for one branch. */
static inline __attribute__((always_inline)) void search(const struct finding *finding, const uint8_t *data,
                                                         size_t place)
{
    const uint64_t *map = finding->filter->map;

    for (; place + 4 <= finding->size; place += 4) {
        uint64_t bytes = load(data + place);
        uint64_t a = is_set(map, bytes), b = is_set(map, bytes >> 8), c = is_set(map, bytes >> 16),
                 d = is_set(map, bytes >> 24);

        if (__builtin_expect(((a | b | c | d) & 1) == 0, 1))
            continue;
        if (a & 1)
            look(finding, data, place);
        if (b & 1)
            look(finding, data, place + 1);
        if (c & 1)
            look(finding, data, place + 2);
        if (d & 1)
            look(finding, data, place + 3);
    }
    for (; place < finding->size; place++) {
        if (is_set(map, load(data + place)) & 1)
            look(finding, data, place);
    }
}

#if defined(__x86_64__)
/* Shifts by any count in one step where the processor has them. */
static __attribute__((target("bmi2"))) void search_bmi2(const struct finding *finding, const uint8_t *data)
{
    search(finding, data, 0);
}
#endif

/* Of the places that the gate lets through those that the map has. Without a branch, for which it is nobody
 * can foretell. */
static size_t places_of(const uint64_t *map, const uint8_t *data, uint64_t bits, uint8_t *ret)
{
    size_t count = 0;

    for (; bits != 0; bits &= bits - 1) {
        unsigned i = (unsigned)__builtin_ctzll(bits);

        ret[count] = (uint8_t)i;
        count += is_set(map, load(data + i)) & 1;
    }
    return count;
}

/* The places before the last few, 64 at a time; how many these were. */
static size_t search_gate(const struct finding *finding, const uint8_t *data)
{
    enum { AT_ONCE = 32 };
    uint8_t places[GATE_PLACES];
    uint64_t bits[AT_ONCE];
    size_t done = 0, size = finding->size;

    while (size - done >= GATE_PLACES) {
        size_t words = (size - done) / GATE_PLACES < AT_ONCE ? (size - done) / GATE_PLACES : AT_ONCE;

        gate_search(&finding->filter->gate, data + done, words * GATE_PLACES, bits);
        for (size_t i = 0; i < words; i++, done += GATE_PLACES) {
            size_t count = places_of(finding->filter->map, data + done, bits[i], places);

            for (size_t k = 0; k < count; k++)
                look(finding, data, done + places[k]);
        }
    }
    return done;
}

void filter_search(const struct filter *filter, const uint8_t *data, size_t size, size_t base,
                   filter_found *found, void *context)
{
    const struct finding finding = {filter, size, base, found, context};

    if (gate_is_fast()) {
        search(&finding, data, search_gate(&finding, data));
        return;
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        search_bmi2(&finding, data);
        return;
    }
#endif
    search(&finding, data, 0);
}
