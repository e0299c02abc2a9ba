/*
 * parse: the text of a keyword as a tree of nodes.
 */
#include "plugins/keywords/parser.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 4096, CLASSES_MAX = 256, RANGES_MAX = 256, DEPTH_MAX = 24, BOUND_MAX = 512 };

/* ------------------------------------------------------------------ nodes and classes */

static uint32_t node_new(struct parser *parser, enum node_kind kind)
{
    struct program *program = parser->program;

    if (program->node_count == 0)
        program->node_count = 1;
    if (program->node_count >= program->node_capacity) {
        size_t capacity = program->node_capacity == 0 ? 64 : program->node_capacity * 2;
        struct node *nodes =
            capacity > NODES_MAX ? NULL : reallocarray(program->nodes, capacity, sizeof nodes[0]);

        if (nodes == NULL) {
            parser_fail(parser, "it is too long");
            return 0;
        }
        program->nodes = nodes;
        program->node_capacity = capacity;
    }
    program->nodes[program->node_count] = (struct node){.kind = (uint8_t)kind, .fold = parser->fold};
    return (uint32_t)program->node_count++;
}

static void node_append(struct parser *parser, uint32_t parent, uint32_t child)
{
    struct node *nodes = parser->program->nodes;

    if (parent == 0 || child == 0)
        return;
    if (nodes[parent].last == 0)
        nodes[parent].first = child;
    else
        nodes[nodes[parent].last].next = child;
    nodes[parent].last = child;
}

static uint32_t node_char(struct parser *parser, uint32_t code)
{
    uint32_t node = node_new(parser, NODE_CHAR);

    if (node != 0)
        parser->program->nodes[node].code = code;
    return node;
}

static uint32_t node_repeat(struct parser *parser, uint32_t child, uint32_t least, uint32_t most, bool lazy)
{
    uint32_t node = node_new(parser, NODE_REPEAT);

    if (node == 0 || child == 0)
        return 0;
    parser->program->nodes[node].code = least;
    parser->program->nodes[node].most = most;
    parser->program->nodes[node].lazy = lazy;
    node_append(parser, node, child);
    return node;
}

static uint32_t node_class(struct parser *parser, const struct range *ranges, size_t count, bool negated)
{
    struct program *program = parser->program;
    uint32_t node = node_new(parser, NODE_CLASS);
    struct class *classes = program->class_count < CLASSES_MAX
                                ? reallocarray(program->classes, program->class_count + 1, sizeof classes[0])
                                : NULL;
    struct range *copy = classes != NULL && count > 0 ? malloc(count * sizeof copy[0]) : NULL;

    if (classes != NULL)
        program->classes = classes;
    if (node == 0 || copy == NULL) {
        parser_fail(parser, "it has too many classes of characters, or an empty one");
        free(copy);
        return 0;
    }
    memcpy(copy, ranges, count * sizeof copy[0]);
    classes[program->class_count] =
        (struct class){.ranges = copy, .count = count, .negated = negated, .fold = parser->fold};
    program->nodes[node].code = (uint32_t)program->class_count++;
    return node;
}

static bool ranges_have(const struct class *class, uint32_t code)
{
    for (size_t i = 0; i < class->count; i++) {
        if (code >= class->ranges[i].first && code <= class->ranges[i].last)
            return true;
    }
    return false;
}

bool class_has(const struct class *class, uint32_t code)
{
    uint32_t variants[FOLD_MAX];
    size_t count = 1;
    bool has = false;

    variants[0] = code;
    if (class->fold)
        count = fold_variants(code, variants);
    for (size_t i = 0; i < count && !has; i++)
        has = ranges_have(class, variants[i]);
    return has != class->negated;
}

void program_finish(struct program *program)
{
    for (size_t i = 0; i < program->class_count; i++)
        free(program->classes[i].ranges);
    free(program->classes);
    free(program->nodes);
    free(program->code);
    *program = (struct program){0};
}

/* ------------------------------------------------------------------ words */

static bool take(struct parser *parser, uint32_t *ret_code)
{
    size_t size = text_character((const uint8_t *)parser->at, (size_t)(parser->end - parser->at), ret_code);

    if (size == 0)
        return false;
    parser->at += size;
    return true;
}

static const struct range blanks[] = {
    {'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x2000, 0x200b}, {0x202f, 0x202f}};

static void word_blank(struct parser *parser)
{
    uint32_t code, class;
    const char *before = parser->at;

    while (take(parser, &code) && fold_is_blank(code))
        before = parser->at;
    parser->at = before;
    class = node_class(parser, blanks, sizeof blanks / sizeof blanks[0], false);
    node_append(parser, parser->program->root, node_repeat(parser, class, 1, PROGRAM_BLANKS_MAX, false));
}

/* Cuts '*' off both ends: what they stand for does not matter, only that no edge is wanted there. */
static void word_ends(struct parser *parser, bool *start, bool *end)
{
    for (; parser->at < parser->end && *parser->at == '*'; parser->at++)
        *start = false;
    for (; parser->end > parser->at && parser->end[-1] == '*'; parser->end--)
        *end = false;
}

int program_word(struct program *program, const char *text, bool fold, bool whole, bool literal,
                 struct why *why)
{
    struct parser parser = {program, text, text + strlen(text), fold, 0, why, 0};
    bool start = whole, end = whole;
    uint32_t code, characters = 0;

    if (!literal)
        word_ends(&parser, &start, &end);
    program->root = node_new(&parser, NODE_ROW);
    if (start)
        node_append(&parser, program->root, node_new(&parser, NODE_EDGE));
    while (parser.failed == 0 && take(&parser, &code)) {
        if (fold_is_blank(code)) {
            word_blank(&parser);
        } else if (code == '*' && !literal) {
            uint32_t letter = node_new(&parser, NODE_LETTER);
            node_append(&parser, program->root, node_repeat(&parser, letter, 0, PROGRAM_WILDCARD_MAX, true));
        } else if (code == '?' && !literal) {
            node_append(&parser, program->root, node_new(&parser, NODE_LETTER));
        } else {
            node_append(&parser, program->root, node_char(&parser, code));
            characters++;
        }
    }
    if (end)
        node_append(&parser, program->root, node_new(&parser, NODE_EDGE));
    if (characters < 2)
        parser_fail(&parser, "it has fewer than two characters");
    return parser_compile(&parser);
}

/* ------------------------------------------------------------------ regular expressions */

static uint32_t parse_choice(struct parser *parser);

static const struct range digits[] = {{'0', '9'}};
static const struct range spaces[] = {
    {'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x2000, 0x200b}, {0x202f, 0x202f}};
/* Letters as fold_is_word sees them, in as few ranges as matter. */
static const struct range words[] = {{'0', '9'},       {'A', 'Z'},       {'_', '_'},       {'a', 'z'},
                                     {0xc0, 0xd6},     {0xd8, 0xf6},     {0xf8, 0x37d},    {0x37f, 0x386},
                                     {0x388, 0x588},   {0x58a, 0x10fa},  {0x10fc, 0x1fff}, {0x2c00, 0x2fff},
                                     {0x3005, 0x3007}, {0x3021, 0xd7ff}, {0xf900, 0xfe0f}, {0xfe70, 0xfeff},
                                     {0xff10, 0xffef}};
static const struct range line_end[] = {{'\n', '\n'}, {'\r', '\r'}};

static bool hex(struct parser *parser, size_t count, uint32_t *ret_code)
{
    uint8_t bytes[2] = {0, 0};
    char text[5] = {0};

    if ((size_t)(parser->end - parser->at) < count)
        return false;
    memcpy(text, parser->at, count);
    if (!text_unhex(text, bytes, count / 2))
        return false;
    *ret_code = count == 2 ? bytes[0] : (uint32_t)bytes[0] << 8 | bytes[1];
    parser->at += count;
    return true;
}

/* The named class behind a backslash. */
static const struct range *named(uint32_t code, size_t *ret_count)
{
    switch (code | 32) {
    case 'd':
        *ret_count = sizeof digits / sizeof digits[0];
        return digits;
    case 's':
        *ret_count = sizeof spaces / sizeof spaces[0];
        return spaces;
    case 'w':
        *ret_count = sizeof words / sizeof words[0];
        return words;
    default:
        return NULL;
    }
}

/* The character behind a backslash that is no class. */
static bool escaped(struct parser *parser, uint32_t code, uint32_t *ret_code)
{
    *ret_code = code;
    if (code == 'n')
        *ret_code = '\n';
    else if (code == 't')
        *ret_code = '\t';
    else if (code == 'r')
        *ret_code = '\r';
    else if (code == 'x' || code == 'u')
        return hex(parser, code == 'x' ? 2 : 4, ret_code);
    else if (code < 0x80 && fold_is_word(code))
        return false;
    return true;
}

static uint32_t parse_escape(struct parser *parser)
{
    const struct range *ranges;
    uint32_t code, plain;
    size_t count;

    if (!take(parser, &code)) {
        parser_fail(parser, "a backslash stands at the end");
        return 0;
    }
    if (code == 'b')
        return node_new(parser, NODE_EDGE);
    ranges = code < 0x80 ? named(code, &count) : NULL;
    if (ranges != NULL)
        return node_class(parser, ranges, count, code < 'a');
    if (escaped(parser, code, &plain))
        return node_char(parser, plain);
    parser_fail(parser,
                "it has a backslash before a letter that means nothing here (\\d \\w \\s \\b \\n \\t \\r "
                "\\xHH \\uHHHH do)");
    return 0;
}

/* One character of a class, or a named class, whose ranges are added. */
static bool class_item(struct parser *parser, struct range *ranges, size_t *count, uint32_t *ret_code)
{
    const struct range *more;
    uint32_t code;
    size_t more_count;

    *ret_code = UINT32_MAX;
    if (!take(parser, &code))
        return false;
    if (code != '\\') {
        *ret_code = code;
        return true;
    }
    if (!take(parser, &code))
        return false;
    more = code < 0x80 && code >= 'a' ? named(code, &more_count) : NULL;
    if (more == NULL)
        return escaped(parser, code, ret_code);
    for (size_t i = 0; i < more_count && *count < RANGES_MAX; i++)
        ranges[(*count)++] = more[i];
    return true;
}

static uint32_t parse_class(struct parser *parser)
{
    struct range ranges[RANGES_MAX];
    size_t count = 0;
    bool negated = parser->at < parser->end && *parser->at == '^', first = true;

    parser->at += negated;
    while (parser->at < parser->end && (*parser->at != ']' || first)) {
        uint32_t from, to;

        first = false;
        if (!class_item(parser, ranges, &count, &from) || count >= RANGES_MAX) {
            parser_fail(parser, "it has a class of characters that cannot be read");
            return 0;
        }
        if (from == UINT32_MAX)
            continue;
        to = from;
        if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']') {
            parser->at++;
            if (!class_item(parser, ranges, &count, &to) || to == UINT32_MAX || to < from) {
                parser_fail(parser, "it has a range that runs backwards");
                return 0;
            }
        }
        ranges[count++] = (struct range){from, to};
    }
    if (parser->at >= parser->end) {
        parser_fail(parser, "a [ is not closed");
        return 0;
    }
    parser->at++;
    return node_class(parser, ranges, count, negated);
}

static uint32_t parse_group(struct parser *parser)
{
    uint32_t node;

    if (parser->end - parser->at >= 2 && parser->at[0] == '?' && parser->at[1] == ':')
        parser->at += 2;
    else if (parser->at < parser->end && *parser->at == '?') {
        parser_fail(parser, "it has a (? group of a kind that is not known here: only (…) and (?:…)");
        return 0;
    }
    node = parse_choice(parser);
    if (parser->failed == 0 && (parser->at >= parser->end || *parser->at != ')')) {
        parser_fail(parser, "a ( is not closed");
        return 0;
    }
    parser->at++;
    return node;
}

static uint32_t parse_atom(struct parser *parser)
{
    uint32_t code;

    if (!take(parser, &code))
        return 0;
    switch (code) {
    case '\\':
        return parse_escape(parser);
    case '[':
        return parse_class(parser);
    case '(':
        return parse_group(parser);
    case '.':
        return node_class(parser, line_end, sizeof line_end / sizeof line_end[0], true);
    case '^':
    case '$':
        parser_fail(parser, "^ and $ have no meaning in the middle of evidence; \\b is a word's edge");
        return 0;
    case '*':
    case '+':
    case '?':
        parser_fail(parser, "there is nothing before * + or ? to repeat");
        return 0;
    default:
        return node_char(parser, code);
    }
}

static bool number(struct parser *parser, uint32_t *ret)
{
    uint32_t value = 0;
    const char *begin = parser->at;

    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9' && value <= BOUND_MAX;
         parser->at++)
        value = value * 10 + (uint32_t)(*parser->at - '0');
    *ret = value;
    return parser->at > begin && value <= BOUND_MAX;
}

/* {m}, {m,}, {m,n} behind the brace. */
static bool bounds(struct parser *parser, uint32_t *least, uint32_t *most)
{
    if (!number(parser, least))
        return false;
    *most = *least;
    if (parser->at < parser->end && *parser->at == ',') {
        parser->at++;
        if (parser->at < parser->end && *parser->at == '}')
            *most = *least + PROGRAM_REPEAT_MAX;
        else if (!number(parser, most))
            return false;
    }
    if (parser->at >= parser->end || *parser->at != '}' || *most < *least || *most == 0)
        return false;
    parser->at++;
    return true;
}

static uint32_t parse_repeat(struct parser *parser)
{
    uint32_t node = parse_atom(parser), least = 0, most = PROGRAM_REPEAT_MAX;
    bool lazy;

    if (node == 0 || parser->at >= parser->end || strchr("?*+{", *parser->at) == NULL)
        return node;
    switch (*parser->at++) {
    case '?':
        most = 1;
        break;
    case '+':
        least = 1;
        break;
    case '{':
        if (!bounds(parser, &least, &most)) {
            parser_fail(parser, "what stands between { and } is not a number of times from 1 to 512");
            return 0;
        }
        break;
    default:
        break;
    }
    lazy = parser->at < parser->end && *parser->at == '?';
    parser->at += lazy;
    if (parser->at < parser->end && strchr("*+{", *parser->at) != NULL) {
        parser_fail(parser, "a repetition is repeated");
        return 0;
    }
    return node_repeat(parser, node, least, most, lazy);
}

static uint32_t parse_row(struct parser *parser)
{
    uint32_t row = node_new(parser, NODE_ROW);

    while (parser->failed == 0 && parser->at < parser->end && *parser->at != '|' && *parser->at != ')')
        node_append(parser, row, parse_repeat(parser));
    return row;
}

static uint32_t parse_choice(struct parser *parser)
{
    uint32_t choice, row;

    if (++parser->depth > DEPTH_MAX) {
        parser_fail(parser, "its groups are nested too deep");
        return 0;
    }
    row = parse_row(parser);
    if (parser->failed == 0 && parser->at < parser->end && *parser->at == '|') {
        choice = node_new(parser, NODE_CHOICE);
        node_append(parser, choice, row);
        while (parser->failed == 0 && parser->at < parser->end && *parser->at == '|') {
            parser->at++;
            node_append(parser, choice, parse_row(parser));
        }
        row = choice;
    }
    parser->depth--;
    return row;
}

int program_regex(struct program *program, const char *text, bool fold, bool whole, struct why *why)
{
    struct parser parser = {program, text, text + strlen(text), fold, 0, why, 0};
    uint32_t node;

    program->root = node_new(&parser, NODE_ROW);
    if (whole)
        node_append(&parser, program->root, node_new(&parser, NODE_EDGE));
    node = parse_choice(&parser);
    if (parser.failed == 0 && parser.at < parser.end)
        parser_fail(&parser, "a ) has no ( before it");
    node_append(&parser, program->root, node);
    if (whole)
        node_append(&parser, program->root, node_new(&parser, NODE_EDGE));
    return parser_compile(&parser);
}
