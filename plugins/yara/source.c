/* source: see source.h. */
#include "plugins/yara/source.h"

#include "plugins/yara/lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rule_item *item_new(struct rule_source *source)
{
    if (source->count == source->capacity) {
        size_t capacity = source->capacity * 2 + 16;
        struct rule_item *items = reallocarray(source->items, capacity, sizeof items[0]);

        if (items == NULL)
            return NULL;
        source->items = items;
        source->capacity = capacity;
    }
    source->items[source->count] = (struct rule_item){.kind = ITEM_RULE};
    return &source->items[source->count++];
}

/* From behind "import" or "include". */
static bool read_named(struct lex *lex, struct rule_item *item)
{
    if (!lex_next(lex) || lex->kind != LEX_STRING || lex->size < 2)
        return false;
    item->name = lex->begin + 1;
    item->name_size = lex->size - 2;
    return true;
}

/* A section is a word and a colon, directly in the rule's braces. */
static void note_section(struct lex lex, const char *text, struct rule_item *item)
{
    bool strings = lex_is(&lex, "strings"), condition = lex_is(&lex, "condition");

    if ((!strings && !condition) || !lex_next(&lex) || !lex_is(&lex, ":"))
        return;
    if (strings)
        item->strings = (size_t)(lex.at - text);
    else
        item->condition = (size_t)(lex.at - text);
}

/* From behind "rule": to its last brace. */
static bool read_rule(struct lex *lex, const char *text, struct rule_item *item)
{
    unsigned depth = 0;

    if (!lex_next(lex) || lex->kind != LEX_WORD)
        return false;
    item->name = lex->begin;
    item->name_size = lex->size;
    while (lex_next(lex)) {
        depth += lex_is(lex, "{");
        if (depth == 1 && lex->kind == LEX_WORD)
            note_section(*lex, text, item);
        if (lex_is(lex, "}") && depth-- <= 1)
            return depth == 0 && item->condition > 0;
    }
    return false;
}

static int read_item(struct rule_source *source, struct lex *lex, const char *text, bool *ret_good)
{
    struct rule_item *item = item_new(source);

    if (item == NULL)
        return -ENOMEM;
    item->begin = (size_t)(lex->begin - text);
    item->line = lex->begin_line;
    for (*ret_good = true; lex_is(lex, "private") || lex_is(lex, "global"); *ret_good = lex_next(lex))
        item->global |= lex_is(lex, "global");
    if (lex_is(lex, "rule")) {
        *ret_good = *ret_good && read_rule(lex, text, item);
    } else {
        item->kind = lex_is(lex, "import") ? ITEM_IMPORT : ITEM_INCLUDE;
        *ret_good = *ret_good && (lex_is(lex, "import") || lex_is(lex, "include")) && read_named(lex, item);
    }
    item->end = (size_t)(lex->at - text);
    item->last_line = lex->line;
    if (!*ret_good)
        source->count--;
    return 0;
}

static int compare_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order != 0 ? order : a_size < b_size ? -1 : a_size > b_size;
}

static int compare_names(const void *a, const void *b, void *items)
{
    const struct rule_item *one = (const struct rule_item *)items + *(const size_t *)a;
    const struct rule_item *two = (const struct rule_item *)items + *(const size_t *)b;

    return compare_text(one->name, one->name_size, two->name, two->name_size);
}

/* Does the condition use a variable that is not of the content? */
static bool asks_for_names(const struct rule_item *item, const char *text)
{
    static const char *const names[] = {"filename", "filepath", "extension", "owner", "deleted", "md5"};
    struct lex lex = rule_item_condition(item, text);

    while (lex_next(&lex)) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (lex_is(&lex, names[i]))
                return true;
        }
    }
    return false;
}

/* Does the condition count rules by a wildcard, as in "any of (Family*)"? Then which rules are there decides.
 */
static bool counts_rules(const struct rule_item *item, const char *text)
{
    struct lex lex = rule_item_condition(item, text);
    bool name = false;

    while (lex_next(&lex)) {
        if (name && lex_is(&lex, "*") && lex_next(&lex) && (lex_is(&lex, ")") || lex_is(&lex, ",")))
            return true;
        name = lex.kind == LEX_WORD && lex.begin[0] != '$' && (lex.begin[0] < '0' || lex.begin[0] > '9');
    }
    return false;
}

static int index_rules(struct rule_source *source, const char *text)
{
    source->by_name = calloc(source->count + 1, sizeof source->by_name[0]);
    if (source->by_name == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < source->count; i++) {
        struct rule_item *item = &source->items[i];

        if (item->kind != ITEM_RULE)
            continue;
        source->by_name[source->named++] = i;
        item->asks_for_names = asks_for_names(item, text);
        source->global |= item->global;
        source->wildcards |= counts_rules(item, text);
    }
    qsort_r(source->by_name, source->named, sizeof source->by_name[0], compare_names, source->items);
    return 0;
}

/* A rule that uses one that asks for names asks for them too. Rules use only what stands before them. */
static void follow_uses(struct rule_source *source, const char *text)
{
    for (size_t i = 0; i < source->count; i++) {
        struct rule_item *item = &source->items[i];
        struct lex lex = rule_item_condition(item, text);
        size_t used;

        while (item->kind == ITEM_RULE && rule_source_next_use(source, &lex, &used)) {
            item->asks_for_names |= source->items[used].asks_for_names;
            source->items[used].used = true;
        }
    }
}

int rule_source_read(struct rule_source *source, const char *text)
{
    struct lex lex = {.at = text, .end = text + strlen(text), .line = 1};
    bool good = true;
    int rc = 0;

    while (rc == 0 && good && lex_next(&lex))
        rc = read_item(source, &lex, text, &good);
    source->whole = good && lex.kind == LEX_END;
    if (rc == 0)
        rc = index_rules(source, text);
    if (rc == 0)
        follow_uses(source, text);
    return rc;
}

void rule_source_finish(struct rule_source *source)
{
    free(source->items);
    free(source->by_name);
    *source = (struct rule_source){.items = NULL};
}

struct rule_item *rule_source_at_line(const struct rule_source *source, unsigned line)
{
    for (size_t i = 0; i < source->count; i++) {
        struct rule_item *item = &source->items[i];

        if (!item->out && item->line <= line && line <= item->last_line)
            return item;
    }
    return NULL;
}

struct lex rule_item_condition(const struct rule_item *item, const char *text)
{
    return (struct lex){.at = text + item->condition, .end = text + item->end - 1, .line = 1};
}

bool rule_source_next_use(const struct rule_source *source, struct lex *lex, size_t *ret_index)
{
    while (lex_next(lex)) {
        size_t low = 0, high = source->named;

        while (lex->kind == LEX_WORD && low < high) {
            size_t middle = low + (high - low) / 2;
            const struct rule_item *item = &source->items[source->by_name[middle]];
            int order = compare_text(lex->begin, lex->size, item->name, item->name_size);

            if (order == 0) {
                *ret_index = source->by_name[middle];
                return true;
            }
            if (order < 0)
                high = middle;
            else
                low = middle + 1;
        }
    }
    return false;
}
