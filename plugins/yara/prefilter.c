/*
 * prefilter: see prefilter.h (Hyperscan, literals only).
 *
 * The automaton is that of libyara 4.2 [yara/types.h, libyara/ahocorasick.c]: from a state, the slot of each
 * byte says whether it leads on and where; strings hang at the states that their atoms lead to, and at those
 * that end in them.
 */
#include "plugins/yara/prefilter.h"

#include "engine/plugin.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LITERAL_MIN = 3, /* shorter ones stand nearly everywhere */
    LITERAL_MAX = PREFILTER_PIECE_MAX,
    PIECE_MIN = 6, /* more than an atom */
    STEP = 16 * 1024 * 1024,
};

struct literal {
    uint8_t bytes[LITERAL_MAX];
    uint8_t size;
    bool nocase;
    uint32_t string;
};

struct prefilter {
    YR_RULES *rules;
    /* Sorted; equal ones, but for their strings, are one pattern, whose id is the place of the first. */
    struct literal *literals;
    size_t count, capacity;
    uint8_t *always; /* strings that may always match */
    uint8_t *known;  /* strings that have a literal */
    uint8_t *pieced; /* strings that need none of their atoms */
    uint8_t *seen;   /* of each literal */
    uint32_t *list;  /* the literals seen */
    size_t seen_count;
    uint8_t *may; /* the answer */
    uint32_t *strings;
    size_t string_count;
    hs_database_t *database;
    hs_scratch_t *scratch;
    bool failed; /* no memory */
};

void prefilter_free(struct prefilter *prefilter)
{
    if (prefilter == NULL)
        return;
    hs_free_scratch(prefilter->scratch);
    hs_free_database(prefilter->database);
    free(prefilter->literals);
    free(prefilter->always);
    free(prefilter->known);
    free(prefilter->pieced);
    free(prefilter->may);
    free(prefilter->strings);
    free(prefilter->seen);
    free(prefilter->list);
    free(prefilter);
}

/* ------------------------------------------------------------------ what is sought */

static void literal_add(struct prefilter *p, const struct literal *literal)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity * 2 + 1024;
        struct literal *literals = reallocarray(p->literals, capacity, sizeof literals[0]);

        if (literals == NULL) {
            p->failed = true;
            return;
        }
        p->literals = literals;
        p->capacity = capacity;
    }
    p->literals[p->count++] = *literal;
    p->known[literal->string] = 1;
}

static bool is_plain(const YR_STRING *string)
{
    return STRING_IS_LITERAL(string) && (string->flags & STRING_FLAGS_XOR) == 0;
}

/* Its first bytes, as they stand in a content: `width` 2 with a zero behind each. */
static void plain_add(struct prefilter *p, const YR_STRING *string, size_t width)
{
    struct literal literal = {.string = string->idx, .nocase = STRING_IS_NO_CASE(string)};

    for (size_t i = 0; i < (size_t)string->length && (i + 1) * width <= LITERAL_MAX; i++) {
        literal.bytes[i * width] = string->string[i];
        literal.size = (uint8_t)((i + 1) * width);
    }
    literal_add(p, &literal);
}

static void add_pieces(struct prefilter *p, const struct prefilter_piece *pieces)
{
    for (uint32_t i = 0; i < p->rules->num_strings; i++) {
        struct literal literal = {.size = pieces[i].size, .string = i};

        if (pieces[i].size < PIECE_MIN || is_plain(&p->rules->strings_table[i]))
            continue;
        memcpy(literal.bytes, pieces[i].bytes, pieces[i].size);
        literal_add(p, &literal);
        p->pieced[i] = 1;
    }
}

static void add_plain(struct prefilter *p)
{
    for (uint32_t i = 0; i < p->rules->num_strings; i++) {
        const YR_STRING *string = &p->rules->strings_table[i];

        if (!is_plain(string))
            continue;
        if (string->length < LITERAL_MIN) {
            p->always[i] = 1;
            continue;
        }
        if (STRING_IS_ASCII(string) || !STRING_IS_WIDE(string))
            plain_add(p, string, 1);
        if (STRING_IS_WIDE(string))
            plain_add(p, string, 2);
    }
}

/* The strings at a state, which `path` leads to. */
static void state_add(struct prefilter *p, uint32_t state, const uint8_t *path, size_t size)
{
    uint32_t at = p->rules->ac_match_table[state];

    for (const YR_AC_MATCH *match = at != 0 ? &p->rules->ac_match_pool[at - 1] : NULL; match != NULL;
         match = match->next) {
        struct literal literal = {.size = (uint8_t)size, .string = match->string->idx};

        if (is_plain(match->string) || p->pieced[literal.string])
            continue;
        if (size < LITERAL_MIN) {
            p->always[literal.string] = 1;
            continue;
        }
        memcpy(literal.bytes, path, size);
        literal_add(p, &literal);
    }
}

static void add_atoms(struct prefilter *p, uint32_t state, uint8_t *path, size_t size)
{
    state_add(p, state, path, size);
    for (uint32_t byte = 0; byte < 256 && size < YR_MAX_ATOM_LENGTH; byte++) {
        YR_AC_TRANSITION transition = p->rules->ac_transition_table[state + byte + 1];

        path[size] = (uint8_t)byte;
        if (!YR_AC_INVALID_TRANSITION(transition, byte + 1))
            add_atoms(p, YR_AC_NEXT_STATE(transition), path, size + 1);
    }
}

static int compare_patterns(const struct literal *one, const struct literal *two)
{
    int order = memcmp(one->bytes, two->bytes, LITERAL_MAX);

    if (order == 0)
        order = one->size - two->size;
    return order != 0 ? order : one->nocase - two->nocase;
}

static int compare_literals(const void *a, const void *b)
{
    const struct literal *one = a, *two = b;
    int order = compare_patterns(one, two);

    return order != 0 ? order : (one->string > two->string) - (one->string < two->string);
}

/* What may always match need not be sought. */
static void tidy(struct prefilter *p)
{
    size_t kept = 0;

    for (uint32_t i = 0; i < p->rules->num_strings; i++)
        p->always[i] |= !p->known[i];
    for (size_t i = 0; i < p->count; i++) {
        if (!p->always[p->literals[i].string])
            p->literals[kept++] = p->literals[i];
    }
    p->count = kept;
    if (kept > 0)
        qsort(p->literals, kept, sizeof p->literals[0], compare_literals);
}

/* ------------------------------------------------------------------ the search */

struct patterns {
    const char **texts;
    size_t *sizes;
    unsigned *flags, *ids;
    unsigned count;
};

static int compile_patterns(struct prefilter *p, struct patterns *patterns)
{
    hs_compile_error_t *error = NULL;

    for (size_t i = 0; i < p->count; i++) {
        const struct literal *literal = &p->literals[i];

        if (i > 0 && compare_patterns(literal, literal - 1) == 0)
            continue;
        patterns->texts[patterns->count] = (const char *)literal->bytes;
        patterns->sizes[patterns->count] = literal->size;
        patterns->flags[patterns->count] = literal->nocase ? HS_FLAG_CASELESS : 0;
        patterns->ids[patterns->count++] = (unsigned)i;
    }
    if (hs_compile_lit_multi(patterns->texts, patterns->flags, patterns->ids, patterns->sizes,
                             patterns->count, HS_MODE_BLOCK, NULL, &p->database, &error) != HS_SUCCESS) {
        hs_free_compile_error(error);
        return -ENOMEM;
    }
    return hs_alloc_scratch(p->database, &p->scratch) == HS_SUCCESS ? 0 : -ENOMEM;
}

static int compile(struct prefilter *p)
{
    struct patterns patterns = {.count = 0};
    int rc = -ENOMEM;

    patterns.texts = calloc(p->count, sizeof patterns.texts[0]);
    patterns.sizes = calloc(p->count, sizeof patterns.sizes[0]);
    patterns.flags = calloc(p->count, sizeof patterns.flags[0]);
    patterns.ids = calloc(p->count, sizeof patterns.ids[0]);
    p->seen = calloc(p->count, 1);
    p->list = calloc(p->count, sizeof p->list[0]);
    if (patterns.texts != NULL && patterns.sizes != NULL && patterns.flags != NULL && patterns.ids != NULL &&
        p->seen != NULL && p->list != NULL)
        rc = compile_patterns(p, &patterns);
    free(patterns.texts);
    free(patterns.sizes);
    free(patterns.flags);
    free(patterns.ids);
    return rc;
}

static int fill(struct prefilter *p, const struct prefilter_piece *pieces)
{
    uint8_t path[YR_MAX_ATOM_LENGTH + 1];

    add_plain(p);
    add_pieces(p, pieces);
    add_atoms(p, 0, path, 0);
    if (p->failed)
        return -ENOMEM;
    tidy(p);
    memcpy(p->may, p->always, p->rules->num_strings);
    return p->count > 0 ? compile(p) : 0;
}

int prefilter_new(YR_RULES *rules, const struct prefilter_piece *pieces, struct prefilter **ret)
{
    struct prefilter *p = calloc(1, sizeof *p);
    size_t strings = (size_t)rules->num_strings + 1;
    int rc = -ENOMEM;

    if (p == NULL)
        return -ENOMEM;
    p->rules = rules;
    p->always = calloc(strings, 1);
    p->known = calloc(strings, 1);
    p->pieced = calloc(strings, 1);
    p->may = calloc(strings, 1);
    p->strings = calloc(strings, sizeof p->strings[0]);
    if (p->strings != NULL && p->always != NULL && p->known != NULL && p->pieced != NULL && p->may != NULL)
        rc = fill(p, pieces);
    if (rc < 0) {
        prefilter_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

void prefilter_nothing(const struct prefilter *prefilter, struct prefilter_answer *ret)
{
    *ret = (struct prefilter_answer){.may = prefilter->always};
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct prefilter *p = context;

    (void)from, (void)to, (void)flags;
    if (!p->seen[id]) {
        p->seen[id] = 1;
        p->list[p->seen_count++] = id;
    }
    return 0;
}

/* Each step begins so far before the last one's end that no literal falls between them. */
static bool seek(struct prefilter *p, struct scan *scan, const uint8_t *data, size_t size)
{
    size_t begin = 0, end = 0;

    while (end < size) {
        uint8_t byte;
        size_t got;

        end = size - end > STEP ? end + STEP : size;
        if (hs_scan(p->database, (const char *)data + begin, (unsigned)(end - begin), 0, p->scratch, on_match,
                    p) != HS_SUCCESS)
            return false;
        begin = end > LITERAL_MAX ? end - LITERAL_MAX : 0;
        if (scan != NULL)
            (void)scan_read(scan, 0, &byte, 1, &got); /* a sign of life */
    }
    return true;
}

/* The strings that have the literal `first` and those equal to it. */
static void note_strings(struct prefilter *p, size_t first)
{
    for (size_t i = first; i < p->count && compare_patterns(&p->literals[i], &p->literals[first]) == 0; i++) {
        uint32_t string = p->literals[i].string;

        if (p->may[string])
            continue;
        p->may[string] = 1;
        p->strings[p->string_count++] = string;
    }
}

bool prefilter_scan(struct prefilter *p, struct scan *scan, const uint8_t *data, size_t size,
                    struct prefilter_answer *ret)
{
    bool sought = true;

    for (size_t i = 0; i < p->string_count; i++)
        p->may[p->strings[i]] = 0;
    p->string_count = 0;
    p->seen_count = 0;
    if (p->database != NULL)
        sought = seek(p, scan, data, size);
    for (size_t i = 0; i < p->seen_count; i++) {
        note_strings(p, p->list[i]);
        p->seen[p->list[i]] = 0;
    }
    *ret = (struct prefilter_answer){p->may, p->strings, p->string_count};
    return sought;
}
