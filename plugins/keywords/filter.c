/*
 * filter: see filter.h.
 */
#include "plugins/keywords/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A piece's length: its index. Two bytes stand in the map under every third byte there may be. */
enum piece_size { PIECE_SHORT, PIECE_FOUR, PIECE_LONG, PIECE_SIZES };
static const size_t piece_bytes[PIECE_SIZES] = {3, 4, 7};
static const uint64_t piece_mask[PIECE_SIZES] = {0xdfdfdf, 0xdfdfdfdf, 0xdfdfdfdfdfdfdf};

enum { VARIANTS_MAX = 512, BITS_LEAST = 16, BITS_MOST = 23 };

struct piece {
    uint64_t bytes; /* little-endian, masked */
    uint32_t pattern;
    uint16_t back_least, back_most;
};

struct pieces {
    struct piece *items;
    size_t count, capacity;
    uint64_t *map; /* bits */
    unsigned map_bits;
    uint32_t *slots; /* index of the first item with these bytes, plus 1; items are sorted */
    unsigned slot_bits;
};

struct filter {
    struct pieces sizes[PIECE_SIZES];
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
    free(filter);
}

static uint64_t hash(uint64_t bytes)
{
    return bytes * UINT64_C(0x9e3779b97f4a7c15);
}

/* ------------------------------------------------------------------ choosing a piece */

/* How unusual a byte is, in halves of a bit, roughly as it stands in text and in programs; what is not named is rare. */
static unsigned rarity(uint8_t byte)
{
    static const char common[] = "etaoinsr";

    if (byte == 0 || byte == ' ')
        return 2;
    if (byte >= 'A' && byte <= 'Z')
        byte |= 32;
    if (byte >= 'a' && byte <= 'z')
        return strchr(common, byte) != NULL ? 7 : strchr("lhdcump", byte) != NULL ? 9 : 12;
    if (byte == 0xe1 || byte == 0xd0 || byte == 0xd1 || byte == 0x10 || byte == 0x04 || byte == 0x83 || byte == 0x82 ||
        byte == 0xb2 || byte == 0x1c || byte == 0xff)
        return 3;
    return 13;
}

struct variants {
    uint8_t data[VARIANTS_MAX][24];
    uint8_t size[VARIANTS_MAX];
    size_t count;
};

/* Every variant with every form behind it, folded; false when they are too many. */
static bool extend(struct variants *variants, const struct form *forms, size_t count)
{
    size_t before = variants->count;

    if (count == 0 || before * count > VARIANTS_MAX)
        return false;
    for (size_t f = count; f-- > 0;) {
        for (size_t v = 0; v < before; v++) {
            size_t to = f * before + v;

            memmove(variants->data[to], variants->data[v], sizeof variants->data[v]);
            variants->size[to] = variants->size[v];
            if (variants->size[to] + forms[f].size > sizeof variants->data[to])
                return false;
            memcpy(variants->data[to] + variants->size[to], forms[f].data, forms[f].size);
            variants->size[to] = (uint8_t)(variants->size[to] + forms[f].size);
        }
    }
    variants->count = before * count;
    return true;
}

/* The forms with bit 5 left out, none twice. */
static size_t folded_forms(const struct writing *writing, const struct node *node, struct form ret[FORMS_MAX])
{
    struct form forms[FORMS_MAX];
    size_t count = writing_forms(writing, node->code, node->fold, forms), kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool twice = false;

        for (size_t j = 0; j < forms[i].size; j++)
            forms[i].data[j] &= 0xdf;
        for (size_t j = 0; j < kept && !twice; j++)
            twice = ret[j].size == forms[i].size && memcmp(ret[j].data, forms[i].data, forms[i].size) == 0;
        if (!twice)
            ret[kept++] = forms[i];
    }
    return kept;
}

struct window {
    uint32_t first;          /* node of the first character */
    size_t characters, skip; /* bytes of the first character that are left out: a lead byte says little */
    size_t least, most;      /* bytes of what stands before it */
    enum piece_size size;
    int score;
};

/* The score of a window: how rare its bytes are in their first form, less for each doubling of its variants. */
static bool judge(const struct program *program, const struct writing *writing, struct window *window, size_t bytes)
{
    size_t variants = 1, size = 0;
    uint32_t index = window->first;
    int score = 0;

    window->characters = 0;
    for (; index != 0 && program->nodes[index].kind == NODE_CHAR && size < bytes + window->skip;
         index = program->nodes[index].next) {
        struct form forms[FORMS_MAX];
        size_t count = folded_forms(writing, &program->nodes[index], forms), shortest = FORM_SIZE;

        variants *= count;
        for (size_t i = 0; i < count; i++)
            shortest = forms[i].size < shortest ? forms[i].size : shortest;
        if (count == 0 || variants > VARIANTS_MAX)
            return false;
        for (size_t i = 0; i < forms[count - 1].size; i++, size++)
            score += size >= window->skip && size < bytes + window->skip ? (int)rarity(forms[count - 1].data[i]) : 0;
        size -= forms[count - 1].size - shortest;
        window->characters++;
    }
    for (; variants > 1; variants /= 2)
        score -= 3;
    window->score = score;
    return size >= bytes + window->skip;
}

/* The best window of this size; true when there is one. */
static bool choose(const struct program *program, const struct writing *writing, enum piece_size size, size_t bytes,
                   struct window *ret_best)
{
    const struct node *nodes = program->nodes;
    size_t least = 0, most = 0;
    bool any = false;

    for (uint32_t index = nodes[program->root].first; index != 0; index = nodes[index].next) {
        size_t min, max;

        for (size_t skip = 0; nodes[index].kind == NODE_CHAR && skip < 3; skip++) {
            struct window window = {.first = index, .least = least, .most = most, .size = size, .skip = skip};

            program_width(program, index, writing, &min, &max);
            if (skip > 0 && (min != max || skip >= min))
                break;
            if (!judge(program, writing, &window, bytes) || (any && window.score <= ret_best->score))
                continue;
            *ret_best = window;
            any = true;
        }
        program_width(program, index, writing, &min, &max);
        least += min;
        most += max;
    }
    return any;
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

static int put_bytes(struct filter *filter, const struct window *window, uint32_t pattern, const uint8_t *data,
                     size_t offset)
{
    struct piece piece = {.pattern = pattern,
                          .back_least = (uint16_t)(window->least + offset),
                          .back_most = (uint16_t)(window->most + offset)};

    for (size_t i = 0; i < piece_bytes[window->size]; i++)
        piece.bytes |= (uint64_t)data[offset + i] << 8 * i;
    return put(&filter->sizes[window->size], &piece);
}

/* A variant's pieces: the long ones twice, one byte apart, because only every second place is looked at. */
static int put_variant(struct filter *filter, const struct window *window, uint32_t pattern, const uint8_t *data,
                       size_t bytes)
{
    int code = 0;

    if (window->size == PIECE_SHORT && bytes == 2) {
        uint8_t three[24] = {0};

        memcpy(three, data, window->skip + 2);
        for (unsigned last = 0; last < 256 && code == 0; last++) {
            three[window->skip + 2] = (uint8_t)last;
            if ((last & 0x20) == 0)
                code = put_bytes(filter, window, pattern, three, window->skip);
        }
        return code;
    }
    code = put_bytes(filter, window, pattern, data, window->skip);
    if (code == 0 && window->size == PIECE_LONG)
        code = put_bytes(filter, window, pattern, data, window->skip + 1);
    return code;
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
                      const struct program *program, const struct writing *writing, size_t bytes)
{
    struct variants *variants = malloc(sizeof *variants);
    uint32_t index = window->first;
    int code = variants == NULL ? -ENOMEM : 0;

    if (code == 0) {
        variants->count = 1;
        variants->size[0] = 0;
    }
    for (size_t i = 0; i < window->characters && code == 0; i++, index = program->nodes[index].next) {
        struct form forms[FORMS_MAX];

        if (!extend(variants, forms, folded_forms(writing, &program->nodes[index], forms)))
            code = -EINVAL;
    }
    for (size_t i = 0; code == 0 && i < variants->count; i++)
        code = put_variant(filter, window, pattern, variants->data[i], bytes);
    free(variants);
    return code;
}

static bool is_wide(const struct program *program)
{
    for (size_t i = 1; i < program->node_count; i++) {
        if (program->nodes[i].kind == NODE_CHAR && program->nodes[i].code >= 0x80)
            return true;
    }
    return false;
}

int filter_add(struct filter *filter, uint32_t pattern, const struct program *program, const struct writing *writing)
{
    static const struct {
        enum piece_size size;
        size_t bytes;
    } wanted[] = {{PIECE_LONG, 8}, {PIECE_FOUR, 4}, {PIECE_SHORT, 3}, {PIECE_SHORT, 2}};
    bool wide = writing->kind <= WRITING_UTF16BE;
    struct window window;

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        /* In one byte a letter four bytes say enough, and they are cheaper. */
        if (wanted[i].size == PIECE_LONG && (!wide || (writing->kind == WRITING_UTF8 && !is_wide(program))))
            continue;
        if (choose(program, writing, wanted[i].size, wanted[i].bytes, &window))
            return put_window(filter, &window, pattern, program, writing, wanted[i].bytes);
    }
    return -EINVAL;
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

static int compile(struct pieces *pieces)
{
    uint64_t mask;

    if (pieces->count == 0)
        return 0;
    sort(pieces);
    pieces->map_bits = bits_for(pieces->count * 64, BITS_LEAST, BITS_MOST);
    pieces->slot_bits = bits_for(pieces->count * 2, 8, 31);
    pieces->map = calloc(((size_t)1 << pieces->map_bits) / 64, sizeof pieces->map[0]);
    pieces->slots = calloc((size_t)1 << pieces->slot_bits, sizeof pieces->slots[0]);
    if (pieces->map == NULL || pieces->slots == NULL)
        return -ENOMEM;
    mask = (UINT64_C(1) << pieces->slot_bits) - 1;
    for (size_t i = 0; i < pieces->count; i++) {
        uint64_t code = hash(pieces->items[i].bytes), bit = code >> (64 - pieces->map_bits);
        uint64_t slot = code >> 8 & mask;

        pieces->map[bit / 64] |= UINT64_C(1) << bit % 64;
        if (i > 0 && pieces->items[i - 1].bytes == pieces->items[i].bytes)
            continue;
        while (pieces->slots[slot] != 0)
            slot = (slot + 1) & mask;
        pieces->slots[slot] = (uint32_t)i + 1;
    }
    return 0;
}

int filter_compile(struct filter *filter)
{
    int code = 0;

    for (size_t i = 0; i < PIECE_SIZES && code == 0; i++)
        code = compile(&filter->sizes[i]);
    return code;
}

/* ------------------------------------------------------------------ searching */

static uint64_t load(const uint8_t *data)
{
    uint64_t bytes;

    memcpy(&bytes, data, sizeof bytes);
    return bytes;
}

static __attribute__((noinline)) void look_up(const struct pieces *pieces, uint64_t bytes, size_t place,
                                              filter_found *found, void *context)
{
    uint64_t mask = (UINT64_C(1) << pieces->slot_bits) - 1, slot = hash(bytes) >> 8 & mask;
    const struct piece *piece, *end = pieces->items + pieces->count;

    for (; pieces->slots[slot] != 0; slot = (slot + 1) & mask) {
        piece = &pieces->items[pieces->slots[slot] - 1];
        if (piece->bytes != bytes)
            continue;
        for (; piece < end && piece->bytes == bytes; piece++)
            found(context, piece->pattern, place, piece->back_least, piece->back_most);
        return;
    }
}

static inline bool is_set(const uint64_t *map, unsigned shift, uint64_t bytes)
{
    uint64_t bit = hash(bytes) >> shift;

    return (map[bit / 64] >> bit % 64 & 1) != 0;
}

static inline void search(const struct pieces *pieces, const uint8_t *data, size_t size, size_t base, size_t step,
                          uint64_t mask, filter_found *found, void *context)
{
    const uint64_t *map = pieces->map;
    unsigned shift = 64 - pieces->map_bits;

    for (size_t place = 0; place < size; place += step) {
        uint64_t bytes = load(data + place) & mask;

        if (__builtin_expect(is_set(map, shift, bytes), 0))
            look_up(pieces, bytes, base + place, found, context);
    }
}

void filter_search(const struct filter *filter, const uint8_t *data, size_t size, size_t base, filter_found *found,
                   void *context)
{
    if (filter->sizes[PIECE_SHORT].count > 0)
        search(&filter->sizes[PIECE_SHORT], data, size, base, 1, piece_mask[PIECE_SHORT], found, context);
    if (filter->sizes[PIECE_FOUR].count > 0)
        search(&filter->sizes[PIECE_FOUR], data, size, base, 1, piece_mask[PIECE_FOUR], found, context);
    if (filter->sizes[PIECE_LONG].count > 0)
        search(&filter->sizes[PIECE_LONG], data, size, base, 2, piece_mask[PIECE_LONG], found, context);
}
