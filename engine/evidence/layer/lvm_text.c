/*
 * lvm_text: the parser of LVM2's configuration text.
 */
#include "engine/evidence/layer/lvm_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *data;
    size_t size, at;
    struct lvm_text text;
    size_t room;
    int open[LVM_DEPTH_MAX]; /* sections and lists that are not closed yet */
    size_t depth;
};

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->size) {
        char c = parser->data[parser->at];

        if (c == '#') {
            const char *end = memchr(parser->data + parser->at, '\n', parser->size - parser->at);
            parser->at = end ? (size_t)(end - parser->data) : parser->size;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0') {
            parser->at++;
        } else {
            return;
        }
    }
}

/* The next character that is not space; '\0' at the end. */
static char peek(struct parser *parser)
{
    skip_space(parser);
    return parser->at < parser->size ? parser->data[parser->at] : '\0';
}

static int add(struct parser *parser, const struct lvm_node *node)
{
    struct lvm_text *text = &parser->text;

    if (text->count == LVM_NODES_MAX)
        return -E2BIG;
    if (text->count == parser->room) {
        size_t room = parser->room ? parser->room * 2 : 64;
        struct lvm_node *more = realloc(text->nodes, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        text->nodes = more;
        parser->room = room;
    }
    text->nodes[text->count] = *node;
    text->nodes[text->count++].parent = parser->depth > 0 ? parser->open[parser->depth - 1] : LVM_NONE;
    return 0;
}

static int open_node(struct parser *parser, struct lvm_node *node, enum lvm_kind kind)
{
    int code;

    if (parser->depth == LVM_DEPTH_MAX)
        return -E2BIG;
    node->kind = kind;
    parser->at++;
    code = add(parser, node);
    if (code == 0)
        parser->open[parser->depth++] = (int)parser->text.count - 1;
    return code;
}

static bool in_list(const struct parser *parser)
{
    return parser->depth > 0 && parser->text.nodes[parser->open[parser->depth - 1]].kind == LVM_LIST;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '+' || c == '/' || c == '@';
}

static int take_number(struct parser *parser, struct lvm_node *node)
{
    size_t start = parser->at;

    node->kind = LVM_NUMBER;
    node->text = parser->data + start;
    for (; parser->at < parser->size && is_name(parser->data[parser->at]); parser->at++) {
        char c = parser->data[parser->at];
        uint64_t digit = (uint64_t)(c - '0');

        /* What is no whole number (a float, a negative one) is none of those that are asked for. */
        if (c < '0' || c > '9' || node->number > (UINT64_MAX - digit) / 10)
            node->kind = LVM_TEXT;
        else
            node->number = node->number * 10 + digit;
    }
    node->text_size = parser->at - start;
    return node->text_size > 0 ? add(parser, node) : -EINVAL;
}

static int take_quoted(struct parser *parser, struct lvm_node *node)
{
    size_t start = ++parser->at;

    while (parser->at < parser->size && parser->data[parser->at] != '"')
        parser->at += parser->data[parser->at] == '\\' ? 2 : 1;
    if (parser->at >= parser->size)
        return -EINVAL;
    node->kind = LVM_TEXT;
    node->text = parser->data + start;
    node->text_size = parser->at++ - start;
    return add(parser, node);
}

static int take_value(struct parser *parser, struct lvm_node *node)
{
    switch (peek(parser)) {
    case '[':
        return open_node(parser, node, LVM_LIST);
    case '"':
        return take_quoted(parser, node);
    default:
        return take_number(parser, node);
    }
}

static int take_named(struct parser *parser)
{
    struct lvm_node node = {.name = parser->data + parser->at};

    while (parser->at < parser->size && is_name(parser->data[parser->at]))
        parser->at++;
    node.name_size = (size_t)(parser->data + parser->at - node.name);
    if (node.name_size == 0)
        return -EINVAL;
    switch (peek(parser)) {
    case '{':
        return open_node(parser, &node, LVM_SECTION);
    case '=':
        parser->at++;
        return take_value(parser, &node);
    default:
        return -EINVAL;
    }
}

static int take_item(struct parser *parser)
{
    struct lvm_node node = {.name = ""};
    char c = peek(parser);

    if (c == ',') {
        parser->at++;
        return 0;
    }
    return take_value(parser, &node);
}

static int take(struct parser *parser)
{
    bool list = in_list(parser);

    if (parser->depth > 0 && peek(parser) == (list ? ']' : '}')) {
        parser->at++;
        parser->depth--;
        return 0;
    }
    return list ? take_item(parser) : take_named(parser);
}

int lvm_text_parse(const char *data, size_t size, struct lvm_text *ret_text)
{
    struct parser parser = {.data = data, .size = size};
    int code = 0;

    while (code == 0 && (peek(&parser) != '\0' || parser.at < parser.size))
        code = take(&parser);
    if (code == 0 && parser.depth > 0)
        code = -EINVAL;
    if (code < 0)
        lvm_text_finish(&parser.text);
    else
        *ret_text = parser.text;
    return code;
}

void lvm_text_finish(struct lvm_text *text)
{
    free(text->nodes);
    *text = (struct lvm_text){0};
}

int lvm_text_next(const struct lvm_text *text, int parent, int after)
{
    for (size_t i = after != LVM_NONE    ? (size_t)after + 1
                    : parent != LVM_NONE ? (size_t)parent + 1
                                         : 0;
         i < text->count; i++) {
        if (text->nodes[i].parent == parent)
            return (int)i;
        if (text->nodes[i].parent < parent)
            return LVM_NONE;
    }
    return LVM_NONE;
}

int lvm_text_find(const struct lvm_text *text, int parent, const char *name)
{
    size_t size = strlen(name);

    for (int i = lvm_text_next(text, parent, LVM_NONE); i != LVM_NONE; i = lvm_text_next(text, parent, i)) {
        if (text->nodes[i].name_size == size && memcmp(text->nodes[i].name, name, size) == 0)
            return i;
    }
    return LVM_NONE;
}

bool lvm_text_number(const struct lvm_text *text, int parent, const char *name, uint64_t max, uint64_t *ret)
{
    int node = lvm_text_find(text, parent, name);

    if (node == LVM_NONE || text->nodes[node].kind != LVM_NUMBER || text->nodes[node].number > max)
        return false;
    *ret = text->nodes[node].number;
    return true;
}

bool lvm_text_is(const struct lvm_text *text, int node, const char *value)
{
    return node != LVM_NONE && text->nodes[node].kind == LVM_TEXT &&
           text->nodes[node].text_size == strlen(value) &&
           memcmp(text->nodes[node].text, value, text->nodes[node].text_size) == 0;
}
