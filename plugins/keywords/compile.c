/*
 * compile: a keyword's tree as instructions.
 */
#include "plugins/keywords/parser.h"

#include <errno.h>
#include <stdlib.h>

int parser_fail(struct parser *parser, const char *what)
{
    if (parser->failed == 0)
        parser->failed = why_set(parser->why, -EINVAL, "%s", what);
    return parser->failed;
}

static uint32_t emit(struct parser *parser, enum op op, uint32_t x, uint32_t y)
{
    struct program *program = parser->program;

    if (program->count == program->capacity) {
        size_t capacity = program->capacity == 0 ? 32 : program->capacity * 2;
        struct instruction *code = capacity > PROGRAM_INSTRUCTIONS_MAX
                                       ? NULL
                                       : reallocarray(program->code, capacity, sizeof code[0]);

        if (code == NULL) {
            parser_fail(parser, "it is too long, or repeats too much");
            return 0;
        }
        program->code = code;
        program->capacity = capacity;
    }
    program->code[program->count] = (struct instruction){.op = (uint8_t)op, .x = x, .y = y};
    return (uint32_t)program->count++;
}

static void emit_node(struct parser *parser, uint32_t index);

/* `least` times, and then as often as it may be, each behind a choice to stop. */
static void emit_repeat(struct parser *parser, const struct node *node)
{
    size_t begin = parser->program->count;

    for (uint32_t i = 0; i < node->most && parser->failed == 0; i++) {
        uint32_t split = 0, body;

        if (i >= node->code)
            split = emit(parser, OP_SPLIT, 0, 0);
        body = (uint32_t)parser->program->count;
        emit_node(parser, node->first);
        if (i < node->code || parser->failed < 0)
            continue;
        parser->program->code[split].x = body;
        parser->program->code[split].y = UINT32_MAX; /* to the end of all, which is not known yet */
    }
    for (size_t i = begin; i < parser->program->count && parser->failed == 0; i++) {
        struct instruction *instruction = &parser->program->code[i];

        if (instruction->op != OP_SPLIT || instruction->y != UINT32_MAX)
            continue;
        instruction->y = (uint32_t)parser->program->count;
        if (node->lazy) {
            instruction->y = instruction->x;
            instruction->x = (uint32_t)parser->program->count;
        }
    }
}

static void emit_choice(struct parser *parser, const struct node *node)
{
    uint32_t jumps[128];
    size_t count = 0;

    for (uint32_t child = node->first; child != 0 && parser->failed == 0;) {
        uint32_t next = parser->program->nodes[child].next, split = 0;

        if (next != 0)
            split = emit(parser, OP_SPLIT, (uint32_t)parser->program->count + 1, 0);
        emit_node(parser, child);
        if (next != 0 && count < sizeof jumps / sizeof jumps[0]) {
            jumps[count++] = emit(parser, OP_JUMP, 0, 0);
            if (parser->failed == 0)
                parser->program->code[split].y = (uint32_t)parser->program->count;
        } else if (next != 0) {
            parser_fail(parser, "it has too many alternatives");
        }
        child = next;
    }
    for (size_t i = 0; i < count && parser->failed == 0; i++)
        parser->program->code[jumps[i]].x = (uint32_t)parser->program->count;
}

static void emit_row(struct parser *parser, const struct node *node)
{
    for (uint32_t child = node->first; child != 0 && parser->failed == 0;
         child = parser->program->nodes[child].next)
        emit_node(parser, child);
}

static void emit_node(struct parser *parser, uint32_t index)
{
    const struct node node = parser->program->nodes[index];
    uint32_t at = 0;

    switch (node.kind) {
    case NODE_CHAR:
        at = emit(parser, OP_CHAR, 0, 0);
        break;
    case NODE_CLASS:
        at = emit(parser, OP_CLASS, node.code, 0);
        break;
    case NODE_LETTER:
        emit(parser, OP_LETTER, 0, 0);
        return;
    case NODE_EDGE:
        emit(parser, OP_EDGE, 0, 0);
        return;
    case NODE_ROW:
        emit_row(parser, &node);
        return;
    case NODE_CHOICE:
        emit_choice(parser, &node);
        return;
    case NODE_REPEAT:
        emit_repeat(parser, &node);
        return;
    }
    if (parser->failed < 0)
        return;
    parser->program->code[at].code = node.code;
    parser->program->code[at].fold = node.fold;
}

int parser_compile(struct parser *parser)
{
    if (parser->failed == 0)
        emit_node(parser, parser->program->root);
    emit(parser, OP_MATCH, 0, 0);
    return parser->failed;
}
