/* holds: whether a formula holds for a content. See formula.h. */
#include "plugins/yara/formula.h"

#include "plugins/yara/formula_node.h"
#include "plugins/yara/prefilter.h"

#include <string.h>

static bool number_stands(const struct formula_node *node, const struct formula_content *content)
{
    uint64_t value = 0;

    if (node->place >= content->size || content->size - node->place < node->width)
        return false;
    for (unsigned i = 0; i < node->width; i++) {
        unsigned shift = 8 * (node->big ? node->width - 1 - i : i);

        value |= (uint64_t)content->data[node->place + i] << shift;
    }
    return value >= node->least && value <= node->most;
}

static bool text_stands(const YR_STRING *string, uint64_t place, const struct formula_content *content)
{
    size_t length = (size_t)string->length;

    return place < content->size && content->size - place >= length &&
           memcmp(content->data + place, string->string, length) == 0;
}

static bool writing_stands(const YR_STRING *string, size_t width, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < (size_t)string->length; i++) {
        if ((i + 1) * width > size || data[i * width] != string->string[i] ||
            (width == 2 && data[i * width + 1] != 0))
            return false;
    }
    return true;
}

static bool stands_within(const YR_STRING *string, const struct formula_node *node,
                          const struct formula_content *content)
{
    uint64_t begin = node->least, end = node->most;

    if (node->big) {
        begin = content->size > node->most ? content->size - node->most : 0;
        end = content->size > node->least ? content->size - node->least : 0;
    }
    for (uint64_t at = begin; at <= end && at < content->size; at++) {
        if ((!STRING_IS_WIDE(string) || STRING_IS_ASCII(string)) &&
            writing_stands(string, 1, content->data + at, content->size - at))
            return true;
        if (STRING_IS_WIDE(string) && writing_stands(string, 2, content->data + at, content->size - at))
            return true;
    }
    return false;
}

static bool strings_may(const struct formulas *formulas, const struct formula_node *node,
                        const struct formula_content *content)
{
    uint64_t found = 0;

    for (uint32_t i = 0; i < node->count && found < node->least; i++) {
        uint32_t string = formulas->strings[node->first + i];

        if (content->may[string] != MAY_ASK)
            found += content->may[string] == MAY_MATCH;
        else
            found += content->ask != NULL ? prefilter_may_match(content->ask, string) : !content->none_to_ask;
    }
    return found >= node->least;
}

static bool name_is(const struct formula_node *node, const struct formula_names *names)
{
    const char *name;

    if (names == NULL)
        return true;
    name = ((const char *const[]){names->filename, names->extension, names->filetype,
                                  names->owner})[node->place];
    return strlen(name) == node->count && memcmp(name, node->text, node->count) == 0;
}

/* As deep as brackets are followed, for each of RULES_DEPTH_MAX rules. */
bool formula_holds(const struct formulas *formulas, uint32_t begin, const struct formula_content *content)
{
    const struct formula_node *node = &formulas->nodes[begin];

    switch ((enum node_kind)node->kind) {
    case NODE_AND:
    case NODE_OR:
        for (uint32_t i = begin + 1; i < node->end; i = formulas->nodes[i].end) {
            if (formula_holds(formulas, i, content) != (node->kind == NODE_AND))
                return node->kind == NODE_OR;
        }
        return node->kind == NODE_AND;
    case NODE_STRINGS:
        return strings_may(formulas, node, content);
    case NODE_LARGER:
        return content->any_size || content->size >= node->least;
    case NODE_SMALLER:
        return content->any_size || content->size <= node->most;
    case NODE_NUMBER:
        return content->any_data || number_stands(node, content);
    case NODE_TEXT:
        return content->any_data ||
               text_stands(&content->rules->strings_table[formulas->strings[node->first]], node->place,
                           content);
    case NODE_WITHIN:
        return content->any_data ||
               stands_within(&content->rules->strings_table[formulas->strings[node->first]], node, content);
    case NODE_NAME:
        return name_is(node, content->names);
    case NODE_RULE:
        return formula_holds(formulas, node->first, content);
    case NODE_NEVER:
        return false;
    }
    return true;
}
