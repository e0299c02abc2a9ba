/* choice: see choice.h. */
#include "plugins/yara/choice.h"

#include "plugins/yara/hexstring.h"
#include "plugins/yara/lex.h"
#include "plugins/yara/parts.h"
#include "plugins/yara/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does it hold wherever strings that stand anywhere are, if only the content is of its size, or (`any_data`)
 * has at its places what it must? */
static bool holds_anywhere(const struct rules *rules, uint32_t formula, bool any_data)
{
    struct prefilter_answer nothing;
    struct formula_content content = {.rules = rules->all, .any_size = true, .any_data = any_data};

    prefilter_nothing(rules->prefilter, &nothing);
    content.may = nothing.may;
    return formula_holds(&rules->formulas, formula, &content);
}

/* The formula of a rule that can be asked about alone. What it demands may be no more than strings that stand
 * everywhere: then it demands nothing. */
static uint32_t find_formula(struct rules *rules, const YR_RULE *rule)
{
    const struct rule_place *place = rules_place(rules, rule);
    struct rule_item *item;
    uint32_t formula;

    if (place == NULL || !part_is_free(&place->file->source))
        return FORMULA_NONE;
    item = &place->file->source.items[place->item];
    formula = formulas_add(&rules->formulas, rules->all, rule, rule_item_condition(item, place->file->text));
    if (formula != FORMULA_NONE && holds_anywhere(rules, formula, false))
        formula = FORMULA_NONE;
    item->always = formula == FORMULA_NONE && !RULE_IS_PRIVATE(rule);
    return RULE_IS_PRIVATE(rule) ? FORMULA_NONE : formula;
}

/* The text between a hex string's braces, from behind its name. */
static bool hex_text(struct lex *lex, const char **ret_text, size_t *ret_size)
{
    if (!lex_next(lex) || !lex_is(lex, "=") || !lex_next(lex) || !lex_is(lex, "{"))
        return false;
    *ret_text = lex->at;
    while (lex_next(lex)) {
        if (lex_is(lex, "}")) {
            *ret_size = (size_t)(lex->begin - *ret_text);
            return true;
        }
    }
    return false;
}

/* Hex strings in one part that have a name, so that their text is known. */
static void find_piece(const YR_RULE *rule, struct lex *lex, struct prefilter_piece *pieces)
{
    const char *name = lex->begin, *text;
    size_t length = lex->size, size;
    const YR_STRING *string;

    if (length < 2 || !hex_text(lex, &text, &size))
        return;
    yr_rule_strings_foreach(rule, string)
    {
        struct prefilter_piece *piece = &pieces[string->idx];

        if (strlen(string->identifier) == length && memcmp(string->identifier, name, length) == 0 &&
            STRING_IS_HEX(string) && !STRING_IS_CHAIN_PART(string))
            piece->size = (uint8_t)hexstring_bytes(text, size, piece->bytes, sizeof piece->bytes);
    }
}

static struct prefilter_piece *find_pieces(const struct rules *rules)
{
    struct prefilter_piece *pieces = calloc((size_t)rules->all->num_strings + 1, sizeof pieces[0]);

    for (uint32_t i = 0; pieces != NULL && i < rules->all->num_rules; i++) {
        const YR_RULE *rule = &rules->all->rules_table[i];
        const struct rule_place *place = rules_place(rules, rule);
        const struct rule_item *item = place != NULL ? &place->file->source.items[place->item] : NULL;
        struct lex lex = {.at = NULL};

        if (item == NULL || item->strings == 0 || item->condition < item->strings)
            continue;
        lex = (struct lex){
            .at = place->file->text + item->strings, .end = place->file->text + item->condition, .line = 1};
        while (lex_next(&lex)) {
            if (lex.kind == LEX_WORD && lex.begin[0] == '$')
                find_piece(rule, &lex, pieces);
        }
    }
    return pieces;
}

int choice_prepare(struct rules *rules)
{
    struct prefilter_piece *pieces = find_pieces(rules);
    int rc = pieces != NULL ? prefilter_new(rules->all, pieces, &rules->prefilter) : -ENOMEM;

    free(pieces);
    rules->formula = calloc((size_t)rules->all->num_rules + 1, sizeof rules->formula[0]);
    rules->gated = calloc((size_t)rules->all->num_rules + 1, sizeof rules->gated[0]);
    rules->asked = calloc((size_t)rules->all->num_rules + 1, sizeof rules->asked[0]);
    rules->together = calloc((size_t)rules->all->num_rules + 1, sizeof rules->together[0]);
    if (rc < 0 || rules->formula == NULL || rules->gated == NULL || rules->asked == NULL ||
        rules->together == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < rules->all->num_rules; i++) {
        rules->formula[i] = find_formula(rules, &rules->all->rules_table[i]);
        if (rules->formula[i] != FORMULA_NONE && holds_anywhere(rules, rules->formula[i], true))
            rules->gated[rules->gated_count++] = i;
    }
    return rules->formulas.failed ? -ENOMEM : 0;
}

static void find_common(struct rules *rules, const uint8_t *data, size_t size)
{
    struct formula_content content = {.rules = rules->all, .data = data, .size = size, .any_size = true};
    struct prefilter_answer answer;

    if (!prefilter_scan(rules->prefilter, NULL, data, size, &answer))
        return;
    content.may = answer.may;
    for (uint32_t i = 0; i < rules->all->num_rules; i++) {
        const struct rule_place *place = rules_place(rules, &rules->all->rules_table[i]);

        if (rules->formula[i] == FORMULA_NONE || place == NULL ||
            !formula_holds(&rules->formulas, rules->formula[i], &content))
            continue;
        rules->together[i] = true;
        place->file->source.items[place->item].always = true;
    }
}

void choice_learn(struct rules *rules, const char *program)
{
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *data = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) {
        find_common(rules, data, (size_t)status.st_size);
        munmap(data, (size_t)status.st_size);
    }
    if (fd >= 0)
        close(fd);
}

bool choice_may_match(const struct rules *rules, uint32_t rule)
{
    return rules->formula[rule] == FORMULA_NONE ||
           formula_holds(&rules->formulas, rules->formula[rule], &rules->content);
}

struct choice {
    struct rules *rules;
    uint32_t *chosen;
    size_t count, most;
};

static void consider(struct choice *choice, uint32_t rule)
{
    struct rules *rules = choice->rules;

    if (rules->formula[rule] == FORMULA_NONE || rules->together[rule] ||
        rules->asked[rule] == rules->contents)
        return;
    rules->asked[rule] = rules->contents;
    if (!choice_may_match(rules, rule))
        return;
    if (choice->count < choice->most)
        choice->chosen[choice->count] = rule;
    choice->count++;
}

static int compare_rules(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;

    return (one > two) - (one < two);
}

/* All others demand a string that was not found. */
size_t choice_make(struct rules *rules, struct scan *scan, const uint8_t *data, size_t size,
                   uint32_t *ret_chosen, size_t most)
{
    struct choice choice = {.rules = rules, .chosen = ret_chosen, .most = most};
    struct prefilter_answer answer;
    bool told = prefilter_scan(rules->prefilter, scan, data, size, &answer);

    rules->content =
        (struct formula_content){.rules = rules->all, .may = answer.may, .data = data, .size = size};
    if (!told)
        return SIZE_MAX;
    if (++rules->contents == 0) {
        memset(rules->asked, 0, rules->all->num_rules * sizeof rules->asked[0]);
        rules->contents = 1;
    }
    for (size_t i = 0; i < rules->gated_count && choice.count <= most; i++)
        consider(&choice, rules->gated[i]);
    for (size_t i = 0; i < answer.count && choice.count <= most; i++)
        consider(&choice, rules->all->strings_table[answer.strings[i]].rule_idx);
    if (choice.count <= most)
        qsort(ret_chosen, choice.count, sizeof ret_chosen[0], compare_rules);
    return choice.count;
}
