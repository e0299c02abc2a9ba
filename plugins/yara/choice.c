/* choice: see choice.h. */
#include "plugins/yara/choice.h"

#include "plugins/yara/lex.h"
#include "plugins/yara/parts.h"
#include "plugins/yara/place.h"
#include "plugins/yara/uses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ what is made ready */

/* Does it hold wherever strings that may stand anywhere do, if only the content is of its size, or
 * (`any_data`) has the names and at its places the bytes that it must have? */
static bool holds_anywhere(const struct rules *rules, uint32_t formula, bool any_data)
{
    static const struct formula_names no_names = {"\1", "\1", "\1", "\1"};
    struct prefilter_answer nothing;
    struct formula_content content = {.rules = rules->all,
                                      .any_size = true,
                                      .any_data = any_data,
                                      .none_to_ask = !any_data,
                                      .names = any_data ? NULL : &no_names};

    prefilter_nothing(rules->prefilter, &nothing);
    content.may = nothing.may;
    return formula_holds(&rules->formulas, formula, &content);
}

/* The formula of a rule that can be asked about alone. What it demands may be no more than strings that may
 * stand anywhere: then it demands nothing. */
static uint32_t find_formula(struct rules *rules, const struct rule_place *place, uint32_t rule, bool alone)
{
    const YR_RULE *of = &rules->all->rules_table[rule];
    struct rule_item *item;
    uint32_t formula;

    if (place == NULL || !part_is_free(&place->file->source))
        return FORMULA_NONE;
    item = &place->file->source.items[place->item];
    formula = !alone ? FORMULA_NONE
                     : formulas_add(&rules->formulas, rules->all, of, rules->formula,
                                    rule_item_condition(item, place->file->text));
    if (formula != FORMULA_NONE && holds_anywhere(rules, formula, false))
        formula = FORMULA_NONE;
    item->always = formula == FORMULA_NONE && !RULE_IS_PRIVATE(of);
    return formula;
}

/* The condition asks where a program begins, which libyara looks for in what it searches. */
static bool asks_for_entry(const struct rule_place *place)
{
    struct lex lex = rule_item_condition(&place->file->source.items[place->item], place->file->text);

    while (lex_next(&lex)) {
        if (lex_is(&lex, "entrypoint"))
            return true;
    }
    return false;
}

/* Strings in several parts have none: libyara looks for each part by itself. */
static bool has_windows(const struct rules *rules, const struct rule_place *place, uint32_t rule)
{
    const YR_RULE *of = &rules->all->rules_table[rule];
    const YR_STRING *string;

    yr_rule_strings_foreach(of, string)
    {
        if (!prefilter_has_windows(rules->prefilter, string->idx) || string->chained_to != NULL ||
            STRING_IS_CHAIN_PART(string))
            return false;
    }
    for (size_t i = rules->use_begin[rule]; i < rules->use_begin[rule + 1]; i++) {
        if (!rules->windowed[rules->uses[i].used])
            return false;
    }
    return !asks_for_entry(place);
}

static bool allocate(struct rules *rules)
{
    size_t count = (size_t)rules->all->num_rules + 2;

    rules->formula = calloc(count, sizeof rules->formula[0]);
    rules->gated = calloc(count, sizeof rules->gated[0]);
    rules->asked = calloc(count, sizeof rules->asked[0]);
    rules->windowed = calloc(count, sizeof rules->windowed[0]);
    rules->wanted = calloc(count, sizeof rules->wanted[0]);
    rules->use_begin = calloc(count, sizeof rules->use_begin[0]);
    return rules->formula != NULL && rules->gated != NULL && rules->asked != NULL &&
           rules->windowed != NULL && rules->wanted != NULL && rules->use_begin != NULL;
}

/* A rule that uses too many others is asked of every content. */
static int prepare_rule(struct rules *rules, uint32_t rule)
{
    const struct rule_place *place = rules_place(rules, &rules->all->rules_table[rule]);
    int rc;

    rc = uses_find(rules, rule, place);
    rules->formula[rule] = find_formula(rules, place, rule, rc == 0);
    rules->windowed[rule] = rc == 0 && has_windows(rules, place, rule);
    if (rules->formula[rule] != FORMULA_NONE && holds_anywhere(rules, rules->formula[rule], true))
        rules->gated[rules->gated_count++] = rule;
    return rc == -E2BIG ? 0 : rc;
}

/* Does the rule, or one that it uses, have strings? */
static bool has_strings(const struct rules *rules, uint32_t rule)
{
    bool any = rules->all->rules_table[rule].strings != NULL;

    for (size_t i = rules->use_begin[rule]; i < rules->use_begin[rule + 1]; i++)
        any |= rules->all->rules_table[rules->uses[i].used].strings != NULL;
    return any;
}

/* Must any content be searched for what is asked of all? */
static bool always_searches(const struct rules *rules)
{
    for (uint32_t i = 0; i < rules->all->num_rules; i++) {
        if (rules->formula[i] == FORMULA_NONE && !RULE_IS_PRIVATE(&rules->all->rules_table[i]) &&
            (!rules->windowed[i] || has_strings(rules, i)))
            return true;
    }
    return false;
}

int choice_prepare(struct rules *rules)
{
    int rc = prefilter_new(rules->all, &rules->prefilter);

    if (rc < 0 || !allocate(rules))
        return -ENOMEM;
    for (uint32_t i = 0; i < rules->all->num_rules && rc == 0; i++)
        rc = prepare_rule(rules, i);
    if (rc == 0)
        rc = uses_turn(rules);
    if (rc == 0)
        rules->always_searches = always_searches(rules);
    return rules->formulas.failed ? -ENOMEM : rc;
}

/* What takes a look at the content comes last. */
bool choice_may_match(const struct rules *rules, uint32_t rule)
{
    struct formula_content quick = rules->content;
    uint32_t formula = rules->formula[rule];

    if (formula == FORMULA_NONE || !rules->told)
        return true;
    quick.ask = NULL;
    return formula_holds(&rules->formulas, formula, &quick) &&
           formula_holds(&rules->formulas, formula, &rules->content);
}

struct choice {
    struct rules *rules;
    uint32_t *chosen;
    size_t count, most;
};

static void consider_rule(struct choice *choice, uint32_t rule)
{
    struct rules *rules = choice->rules;

    if (rules->formula[rule] == FORMULA_NONE || RULE_IS_PRIVATE(&rules->all->rules_table[rule]) ||
        rules->asked[rule] == rules->contents)
        return;
    rules->asked[rule] = rules->contents;
    if (!choice_may_match(rules, rule))
        return;
    if (choice->count < choice->most)
        choice->chosen[choice->count] = rule;
    choice->count++;
}

/* The rule and those that use it. */
static void consider(struct choice *choice, uint32_t rule)
{
    const struct rules *rules = choice->rules;

    consider_rule(choice, rule);
    for (size_t i = rules->user_begin[rule]; i < rules->user_begin[rule + 1]; i++)
        consider_rule(choice, rules->users[i].user);
}

static int compare_rules(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;

    return (one > two) - (one < two);
}

/* All others demand a string that was not found, alone or in a rule that they use. */
size_t choice_make(struct rules *rules, struct scan *scan, const struct formula_names *names,
                   const uint8_t *data, size_t size, uint32_t *ret_chosen, size_t most)
{
    struct choice choice = {.rules = rules, .chosen = ret_chosen, .most = most};
    struct prefilter_answer *answer = &rules->answer;

    rules->told = prefilter_scan(rules->prefilter, scan, data, size, answer);
    rules->content = (struct formula_content){.rules = rules->all,
                                              .may = answer->may,
                                              .ask = rules->prefilter,
                                              .names = names,
                                              .data = data,
                                              .size = size};
    if (!rules->told)
        return SIZE_MAX;
    if (++rules->contents == 0) {
        memset(rules->asked, 0, rules->all->num_rules * sizeof rules->asked[0]);
        rules->contents = 1;
    }
    for (size_t i = 0; i < rules->gated_count && choice.count <= most; i++)
        consider(&choice, rules->gated[i]);
    for (size_t i = 0; i < answer->count && choice.count <= most; i++)
        consider(&choice, rules->all->strings_table[answer->strings[i]].rule_idx);
    if (choice.count <= most)
        qsort(ret_chosen, choice.count, sizeof ret_chosen[0], compare_rules);
    return choice.count;
}

/* ------------------------------------------------------------------ windows */

bool choice_has_windows(const struct rules *rules, uint32_t rule)
{
    return rules->windowed[rule] && !rules->answer.many;
}

/* The rule and those that it uses. */
static void want(struct rules *rules, uint32_t rule, bool wanted)
{
    rules->wanted[rule] = wanted;
    for (size_t i = rules->use_begin[rule]; i < rules->use_begin[rule + 1]; i++)
        rules->wanted[rules->uses[i].used] = wanted;
}

int choice_windows(struct rules *rules, const uint32_t *chosen, size_t count, struct windows *ret)
{
    int rc = 0;

    windows_clear(ret);
    for (size_t i = 0; i < count; i++)
        want(rules, chosen[i], true);
    for (size_t i = 0; i < rules->answer.hit_count && rc == 0; i++) {
        const struct prefilter_hit *hit = &rules->answer.hits[i];

        if (rules->wanted[rules->all->strings_table[hit->string].rule_idx])
            rc = windows_add(ret, hit->begin, hit->end);
    }
    for (size_t i = 0; i < count; i++)
        want(rules, chosen[i], false);
    windows_merge(ret);
    return rc;
}
