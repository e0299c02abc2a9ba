/* prefilter: see prefilter.h (Hyperscan, literals only). */
#include "plugins/yara/prefilter.h"

#include "engine/plugin.h"
#include "plugins/yara/literals.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 16 * 1024 * 1024,
    DIFFERENCE_STEP = 32 * 1024, /* small enough to stay in the processor's cache */
    HITS_MAX = 1024 * 1024,
};

/* One search: for literals as they stand, or for differences. */
struct search {
    hs_database_t *database; /* NULL: nothing is sought */
    hs_scratch_t *scratch;
};

struct prefilter {
    const YR_RULES *rules;
    struct literals literals; /* equal ones are one pattern, whose id is the place of the first */
    struct search plain, difference;
    uint8_t *may, *nothing; /* the answer, and what it is before any content */
    bool asked;             /* prefilter_may_match changed the answer, and `pairs` are this content's */
    struct literal_pairs *pairs;
    uint32_t *strings;
    size_t string_count;
    uint32_t *last; /* of each string, its last hit */
    struct prefilter_hit *hits;
    size_t hit_count;
    bool many;
    /* what is searched */
    const uint8_t *data;
    size_t size;
    uint64_t begin; /* of the present step */
};

static void search_finish(struct search *search)
{
    hs_free_scratch(search->scratch);
    hs_free_database(search->database);
}

void prefilter_free(struct prefilter *prefilter)
{
    if (prefilter == NULL)
        return;
    search_finish(&prefilter->plain);
    search_finish(&prefilter->difference);
    literals_finish(&prefilter->literals);
    free(prefilter->may);
    free(prefilter->nothing);
    free(prefilter->strings);
    free(prefilter->last);
    free(prefilter->hits);
    free(prefilter->pairs);
    free(prefilter);
}

/* ------------------------------------------------------------------ what is sought */

struct patterns {
    const char **texts;
    size_t *sizes;
    unsigned *flags, *ids;
    unsigned count;
};

static int compile_patterns(const struct literals *literals, bool difference, struct patterns *patterns,
                            struct search *ret)
{
    hs_compile_error_t *error = NULL;

    for (size_t i = 0; i < literals->count; i++) {
        const struct literal *literal = &literals->items[i];

        if (literal->difference != difference || (i > 0 && literal_compare(literal, literal - 1) == 0))
            continue;
        patterns->texts[patterns->count] = (const char *)literal->bytes;
        patterns->sizes[patterns->count] = literal->size;
        patterns->flags[patterns->count] = literal->nocase ? HS_FLAG_CASELESS : 0;
        patterns->ids[patterns->count++] = (unsigned)i;
    }
    if (patterns->count == 0)
        return 0;
    if (hs_compile_lit_multi(patterns->texts, patterns->flags, patterns->ids, patterns->sizes,
                             patterns->count, HS_MODE_BLOCK, NULL, &ret->database, &error) != HS_SUCCESS) {
        hs_free_compile_error(error);
        return -ENOMEM;
    }
    return hs_alloc_scratch(ret->database, &ret->scratch) == HS_SUCCESS ? 0 : -ENOMEM;
}

static int compile(const struct literals *literals, bool difference, struct search *ret)
{
    struct patterns patterns = {.count = 0};
    int rc = -ENOMEM;

    patterns.texts = calloc(literals->count + 1, sizeof patterns.texts[0]);
    patterns.sizes = calloc(literals->count + 1, sizeof patterns.sizes[0]);
    patterns.flags = calloc(literals->count + 1, sizeof patterns.flags[0]);
    patterns.ids = calloc(literals->count + 1, sizeof patterns.ids[0]);
    if (patterns.texts != NULL && patterns.sizes != NULL && patterns.flags != NULL && patterns.ids != NULL)
        rc = compile_patterns(literals, difference, &patterns, ret);
    free(patterns.texts);
    free(patterns.sizes);
    free(patterns.flags);
    free(patterns.ids);
    return rc;
}

static uint8_t may_of(uint8_t anywhere)
{
    return anywhere == ANYWHERE_ALL ? MAY_MATCH : anywhere == ANYWHERE_SHORT ? MAY_ASK : MAY_NOT;
}

static int prepare(struct prefilter *p)
{
    size_t strings = (size_t)p->rules->num_strings + 1;
    int rc = literals_find(p->rules, &p->literals);

    p->may = calloc(strings, 1);
    p->nothing = calloc(strings, 1);
    p->strings = calloc(strings, sizeof p->strings[0]);
    p->last = calloc(strings, sizeof p->last[0]);
    p->hits = calloc(HITS_MAX, sizeof p->hits[0]);
    p->pairs = malloc(sizeof *p->pairs);
    if (rc == 0 && (p->may == NULL || p->nothing == NULL || p->strings == NULL || p->last == NULL ||
                    p->hits == NULL || p->pairs == NULL))
        rc = -ENOMEM;
    for (uint32_t i = 0; i < p->rules->num_strings && rc == 0; i++)
        p->may[i] = p->nothing[i] = may_of(p->literals.anywhere[i]);
    if (rc == 0)
        rc = compile(&p->literals, false, &p->plain);
    return rc == 0 ? compile(&p->literals, true, &p->difference) : rc;
}

int prefilter_new(const YR_RULES *rules, struct prefilter **ret)
{
    struct prefilter *p = calloc(1, sizeof *p);
    int rc;

    if (p == NULL)
        return -ENOMEM;
    p->rules = rules;
    rc = prepare(p);
    if (rc < 0)
        prefilter_free(p);
    else
        *ret = p;
    return rc;
}

void prefilter_nothing(const struct prefilter *prefilter, struct prefilter_answer *ret)
{
    *ret = (struct prefilter_answer){.may = prefilter->nothing};
}

bool prefilter_has_windows(const struct prefilter *prefilter, uint32_t string)
{
    return prefilter->literals.anywhere[string] == ANYWHERE_NOT;
}

/* ------------------------------------------------------------------ the search */

/* One that touches the last of the same string makes it longer. */
static void add_hit(struct prefilter *p, uint32_t string, uint64_t begin, uint64_t end)
{
    struct prefilter_hit *last = &p->hits[p->last[string]];

    if (last->string == string && p->last[string] < p->hit_count && begin >= last->begin &&
        begin <= last->end) {
        last->end = end > last->end ? end : last->end;
        return;
    }
    p->many |= p->hit_count == HITS_MAX;
    if (p->many)
        return;
    p->last[string] = (uint32_t)p->hit_count;
    p->hits[p->hit_count++] = (struct prefilter_hit){begin, end, string};
}

/* `before` bytes of the content end with the literal. */
static void note(struct prefilter *p, const struct literal *literal, uint64_t before)
{
    uint64_t at = before - literal->size;

    if (p->may[literal->string] == MAY_NOT) {
        p->may[literal->string] = MAY_MATCH;
        p->strings[p->string_count++] = literal->string;
    }
    add_hit(p, literal->string, at > literal->reach ? at - literal->reach : 0,
            p->size - at > literal->reach ? at + literal->reach : p->size);
}

/* The literals from the first of a pattern on; `to` bytes of the present step end with it. */
static int on_match(unsigned first, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct prefilter *p = context;
    const struct literal *begin = &p->literals.items[first], *literal = begin;
    uint64_t before = p->begin + to;

    (void)from, (void)flags;
    do {
        if (!literal->plain || literal_stands(literal, &p->rules->strings_table[literal->string], p->data,
                                              p->size, (size_t)before))
            note(p, literal, before);
        literal++;
    } while (literal < p->literals.items + p->literals.count && literal_compare(literal, begin) == 0);
    return 0;
}

static bool seek_in(struct prefilter *p, const struct search *search, const uint8_t *data, size_t size)
{
    return hs_scan(search->database, (const char *)data, (unsigned)size, 0, search->scratch, on_match, p) ==
           HS_SUCCESS;
}

/* Each step begins so far before the last one's end that no literal falls between them. */
static bool seek_plain(struct prefilter *p, struct scan *scan)
{
    size_t end = 0;

    for (p->begin = 0; end<p->size; p->begin = end> LITERAL_MAX ? end - LITERAL_MAX : 0) {
        uint8_t byte;
        size_t got;

        end = p->size - end > STEP ? end + STEP : p->size;
        if (!seek_in(p, &p->plain, p->data + p->begin, end - p->begin))
            return false;
        if (scan != NULL)
            (void)scan_read(scan, 0, &byte, 1, &got); /* a sign of life */
    }
    return true;
}

static bool seek_differences(struct prefilter *p, struct scan *scan)
{
    uint8_t differences[DIFFERENCE_STEP], byte;
    size_t end = 0, got;

    for (p->begin = 0; end + 1 < p->size; p->begin = end > LITERAL_MAX ? end - LITERAL_MAX : 0) {
        size_t count = p->size - 1 - (size_t)p->begin;
        const uint8_t *data = p->data + p->begin;

        if (count > DIFFERENCE_STEP)
            count = DIFFERENCE_STEP;
        for (size_t i = 0; i < count; i++)
            differences[i] = data[i] ^ data[i + 1];
        if (!seek_in(p, &p->difference, differences, count))
            return false;
        end = (size_t)p->begin + count;
        if (scan != NULL && end % STEP < DIFFERENCE_STEP)
            (void)scan_read(scan, 0, &byte, 1, &got);
    }
    return true;
}

bool prefilter_scan(struct prefilter *p, struct scan *scan, const uint8_t *data, size_t size,
                    struct prefilter_answer *ret)
{
    bool sought;

    for (size_t i = 0; i < p->string_count; i++)
        p->may[p->strings[i]] = MAY_NOT;
    if (p->asked)
        memcpy(p->may, p->nothing, p->rules->num_strings);
    p->asked = false;
    p->string_count = p->hit_count = 0;
    p->many = false;
    p->data = data;
    p->size = size;
    sought = p->plain.database == NULL || seek_plain(p, scan);
    sought = sought && (p->difference.database == NULL || seek_differences(p, scan));
    *ret = (struct prefilter_answer){.may = p->may,
                                     .strings = p->strings,
                                     .count = p->string_count,
                                     .hits = p->hits,
                                     .hit_count = p->hit_count,
                                     .many = p->many};
    return sought;
}

/* The first short literal of the string. */
static size_t first_short(const struct literals *literals, uint32_t string)
{
    size_t low = 0, high = literals->short_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (literals->shorts[middle].string < string)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool prefilter_may_match(struct prefilter *p, uint32_t string)
{
    const struct literals *literals = &p->literals;
    bool stands = false;

    if (p->may[string] != MAY_ASK)
        return p->may[string] == MAY_MATCH;
    if (!p->asked)
        literal_pairs_learn(p->pairs, p->data, p->size);
    for (size_t i = first_short(literals, string);
         i < literals->short_count && literals->shorts[i].string == string && !stands; i++)
        stands = literal_pairs_have(p->pairs, &literals->shorts[i]);
    p->may[string] = stands ? MAY_MATCH : MAY_NOT;
    p->asked = true;
    return stands;
}
