/* uses: see uses.h. */
#include "plugins/yara/uses.h"

#include "plugins/yara/lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { USES_MAX = 64 };

/* The rule of that name before this one in its file. UINT32_MAX: none. */
static uint32_t rule_before(const YR_RULES *all, uint32_t rule, const char *name, size_t size)
{
    for (uint32_t i = rule; i-- > 0 && all->rules_table[i].ns == all->rules_table[rule].ns;) {
        const char *other = all->rules_table[i].identifier;

        if (strlen(other) == size && memcmp(other, name, size) == 0)
            return i;
    }
    return UINT32_MAX;
}

static int use_add(struct rules *rules, uint32_t user, uint32_t used)
{
    for (size_t i = rules->use_begin[user]; i < rules->use_count; i++) {
        if (rules->uses[i].used == used)
            return 0;
    }
    if (rules->use_count - rules->use_begin[user] == USES_MAX)
        return -E2BIG;
    if (rules->use_count == rules->use_capacity) {
        size_t capacity = rules->use_capacity * 2 + 64;
        struct rule_use *uses = reallocarray(rules->uses, capacity, sizeof uses[0]);

        if (uses == NULL)
            return -ENOMEM;
        rules->uses = uses;
        rules->use_capacity = capacity;
    }
    rules->uses[rules->use_count++] = (struct rule_use){user, used};
    return 0;
}

static int add_all(struct rules *rules, uint32_t rule, const struct rule_place *place)
{
    const struct rule_source *source = &place->file->source;
    struct lex lex = rule_item_condition(&source->items[place->item], place->file->text);
    size_t used;
    int rc = 0;

    while (rc == 0 && rule_source_next_use(source, &lex, &used)) {
        const struct rule_item *item = &source->items[used];
        uint32_t other = rule_before(rules->all, rule, item->name, item->name_size);

        if (other == UINT32_MAX)
            continue;
        rc = use_add(rules, rule, other);
        for (size_t i = rules->use_begin[other]; rc == 0 && i < rules->use_begin[other + 1]; i++)
            rc = use_add(rules, rule, rules->uses[i].used);
    }
    return rc;
}

int uses_find(struct rules *rules, uint32_t rule, const struct rule_place *place)
{
    int rc;

    rules->use_begin[rule] = rules->use_begin[rule + 1] = (uint32_t)rules->use_count;
    rc = place != NULL ? add_all(rules, rule, place) : -E2BIG;
    if (rc == -E2BIG)
        rules->use_count = rules->use_begin[rule];
    rules->use_begin[rule + 1] = (uint32_t)rules->use_count;
    return rc;
}

static int compare_used(const void *a, const void *b)
{
    const struct rule_use *one = a, *two = b;
    int order = (one->used > two->used) - (one->used < two->used);

    return order != 0 ? order : (one->user > two->user) - (one->user < two->user);
}

int uses_turn(struct rules *rules)
{
    rules->users = calloc(rules->use_count + 1, sizeof rules->users[0]);
    rules->user_begin = calloc((size_t)rules->all->num_rules + 2, sizeof rules->user_begin[0]);
    if (rules->users == NULL || rules->user_begin == NULL)
        return -ENOMEM;
    if (rules->use_count > 0)
        memcpy(rules->users, rules->uses, rules->use_count * sizeof rules->uses[0]);
    qsort(rules->users, rules->use_count, sizeof rules->users[0], compare_used);
    for (size_t i = 0; i < rules->use_count; i++)
        rules->user_begin[rules->users[i].used + 1] = (uint32_t)i + 1;
    for (uint32_t i = 0; i < rules->all->num_rules; i++) {
        if (rules->user_begin[i + 1] < rules->user_begin[i])
            rules->user_begin[i + 1] = rules->user_begin[i];
    }
    return 0;
}
