/* place: see place.h. */
#include "plugins/yara/place.h"

#include "plugins/yara/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_places(const void *a, const void *b)
{
    const struct rule_place *one = a, *two = b;
    int order = strcmp(one->space, two->space);

    return order != 0 ? order : strcmp(one->name, two->name);
}

const struct rule_place *rules_place(const struct rules *rules, const YR_RULE *rule)
{
    struct rule_place key = {.space = (char *)rule->ns->name, .name = (char *)rule->identifier};

    return rules->place_count == 0
               ? NULL
               : bsearch(&key, rules->places, rules->place_count, sizeof key, compare_places);
}

static int compare_rules(const YR_RULE *one, const YR_RULE *two)
{
    int order = strcmp(one->ns->name, two->ns->name);

    return order != 0 ? order : strcmp(one->identifier, two->identifier);
}

static int compare_names(const void *a, const void *b, void *table)
{
    const YR_RULE *rules = table;

    return compare_rules(&rules[*(const uint32_t *)a], &rules[*(const uint32_t *)b]);
}

static int sort_names(struct rules *rules)
{
    rules->by_name = calloc((size_t)rules->all->num_rules + 1, sizeof rules->by_name[0]);
    if (rules->by_name == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < rules->all->num_rules; i++)
        rules->by_name[i] = i;
    qsort_r(rules->by_name, rules->all->num_rules, sizeof rules->by_name[0], compare_names,
            rules->all->rules_table);
    return 0;
}

uint32_t rules_index(const struct rules *rules, const YR_RULE *rule)
{
    uint32_t low = 0, high = rules->all->num_rules;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2, index = rules->by_name[middle];
        int order = compare_rules(rule, &rules->all->rules_table[index]);

        if (order == 0)
            return index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return UINT32_MAX;
}

static int note_places(struct rules *ret)
{
    const struct rule_files *files = &ret->files;
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        count += files->items[i].source.count;
    ret->places = calloc(count + 1, sizeof ret->places[0]);
    if (ret->places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];

        for (size_t k = 0; k < file->source.count; k++) {
            const struct rule_item *item = &file->source.items[k];
            struct rule_place *place = &ret->places[ret->place_count];

            if (item->kind != ITEM_RULE || item->out)
                continue;
            *place = (struct rule_place){.space = strdup(file->space),
                                         .name = strndup(item->name, item->name_size),
                                         .set = file->set,
                                         .line = item->line,
                                         .last_line = item->last_line,
                                         .used = item->used,
                                         .named = part_is_named(&file->source, item),
                                         .file = file,
                                         .item = k};
            ret->place_count++;
            if (place->space == NULL || place->name == NULL)
                return -ENOMEM;
        }
    }
    qsort(ret->places, ret->place_count, sizeof ret->places[0], compare_places);
    return 0;
}

int place_all(struct rules *rules)
{
    int rc = note_places(rules);

    return rc == 0 && rules->all != NULL ? sort_names(rules) : rc;
}
