/*
 * program: runs programs over bytes, and says what bytes they may match.
 */
#include "plugins/keywords/program.h"

#include <string.h>

/* ------------------------------------------------------------------ width */

static size_t add(size_t a, size_t b)
{
    return a + b < 1U << 24 ? a + b : 1U << 24;
}

static void width_char(const struct node *node, const struct writing *writing, size_t *ret_min,
                       size_t *ret_max)
{
    struct form forms[FORMS_MAX];
    size_t count = writing_forms(writing, node->code, node->fold, forms);

    *ret_min = count > 0 ? SIZE_MAX : 0;
    *ret_max = 0;
    for (size_t i = 0; i < count; i++) {
        *ret_min = forms[i].size < *ret_min ? forms[i].size : *ret_min;
        *ret_max = forms[i].size > *ret_max ? forms[i].size : *ret_max;
    }
}

static void width_any(const struct writing *writing, bool letter, size_t *ret_min, size_t *ret_max)
{
    *ret_min = *ret_max = 1;
    if (writing->kind == WRITING_UTF8)
        *ret_max = 4;
    if (writing->kind == WRITING_UTF16LE || writing->kind == WRITING_UTF16BE) {
        *ret_min = 2;
        *ret_max = 4;
    }
    if (writing->kind == WRITING_ROMAN)
        *ret_max = letter ? 6 : 4;
}

static void width_children(const struct program *program, const struct node *node,
                           const struct writing *writing, size_t *ret_min, size_t *ret_max)
{
    bool choice = node->kind == NODE_CHOICE;
    size_t least = choice ? SIZE_MAX : 0, most = 0;

    for (uint32_t child = node->first; child != 0; child = program->nodes[child].next) {
        size_t min, max;

        program_width(program, child, writing, &min, &max);
        least = choice ? (min < least ? min : least) : add(least, min);
        most = choice ? (max > most ? max : most) : add(most, max);
    }
    *ret_min = least;
    *ret_max = most;
}

/* Recursion goes as deep as parse.c let groups nest. */
void program_width(const struct program *program, uint32_t index, const struct writing *writing,
                   size_t *ret_min, size_t *ret_max)
{
    const struct node *node = &program->nodes[index];

    switch ((enum node_kind)node->kind) {
    case NODE_CHAR:
        width_char(node, writing, ret_min, ret_max);
        return;
    case NODE_CLASS:
    case NODE_LETTER:
        width_any(writing, node->kind == NODE_LETTER, ret_min, ret_max);
        return;
    case NODE_EDGE:
        *ret_min = *ret_max = 0;
        return;
    case NODE_ROW:
    case NODE_CHOICE:
        width_children(program, node, writing, ret_min, ret_max);
        return;
    case NODE_REPEAT:
        program_width(program, node->first, writing, ret_min, ret_max);
        *ret_min = *ret_min * node->code;
        *ret_max = add(0, *ret_max * node->most);
        return;
    }
}

bool program_has_script(const struct program *program, enum script script)
{
    for (size_t i = 1; i < program->node_count; i++) {
        if (program->nodes[i].kind == NODE_CHAR && fold_script(program->nodes[i].code) == script)
            return true;
    }
    for (size_t i = 0; i < program->class_count; i++) {
        const struct class *class = &program->classes[i];

        for (size_t j = 0; j < class->count && !class->negated; j++) {
            if (fold_script(class->ranges[j].first) == script && fold_script(class->ranges[j].last) == script)
                return true;
        }
    }
    return false;
}

uint32_t program_unwritable(const struct program *program, const struct writing *writing)
{
    struct form forms[FORMS_MAX];

    for (size_t i = 1; i < program->node_count; i++) {
        const struct node *node = &program->nodes[i];

        if (node->kind == NODE_CHAR && writing_forms(writing, node->code, node->fold, forms) == 0)
            return node->code;
    }
    return 0;
}

/* Adds what all forms of a character share; its width, 0 where they differ in that. */
static size_t sieve_char(const struct node *node, const struct writing *writing, size_t at,
                         struct sieve *sieve)
{
    struct form forms[FORMS_MAX];
    size_t count = writing_forms(writing, node->code, node->fold, forms);

    for (size_t i = 1; i < count; i++) {
        if (forms[i].size != forms[0].size)
            return 0;
    }
    for (size_t j = 0; count > 0 && j < forms[0].size && at + j < SIEVE_BYTES; j++) {
        uint8_t differ = 0;
        unsigned shift = (unsigned)(at + j) % 8 * 8;

        for (size_t i = 1; i < count; i++)
            differ |= forms[i].data[j] ^ forms[0].data[j];
        sieve->mask[(at + j) / 8] |= (uint64_t)(uint8_t)~differ << shift;
        sieve->value[(at + j) / 8] |= (uint64_t)(uint8_t)(forms[0].data[j] & ~differ) << shift;
    }
    return count > 0 ? forms[0].size : 0;
}

void program_sieve(const struct program *program, const struct writing *writing, struct sieve *ret_sieve)
{
    size_t at = 0, size;

    *ret_sieve = (struct sieve){0};
    for (uint32_t i = program->nodes[program->root].first; i != 0 && at < SIEVE_BYTES;
         i = program->nodes[i].next) {
        if (program->nodes[i].kind == NODE_EDGE)
            continue;
        if (program->nodes[i].kind != NODE_CHAR)
            return;
        size = sieve_char(&program->nodes[i], writing, at, ret_sieve);
        if (size == 0)
            return;
        at += size;
    }
}

/* ------------------------------------------------------------------ running */

struct thread {
    uint32_t at;   /* instruction */
    uint32_t form; /* which form of a character is tried next */
    size_t place;  /* bytes already taken */
};
enum { STACK_MAX = 512 };

struct machine {
    const struct program *program;
    const struct writing *writing;
    const struct place *place;
    struct thread stack[STACK_MAX];
    size_t depth;
    uint32_t steps;
    bool gave_up;
};

static void push(struct machine *machine, uint32_t at, uint32_t form, size_t place)
{
    if (machine->depth == STACK_MAX)
        machine->gave_up = true;
    else
        machine->stack[machine->depth++] = (struct thread){at, form, place};
}

static bool at_edge(const struct machine *machine, size_t taken)
{
    const uint8_t *at = machine->place->data + taken;
    uint32_t code;
    bool before = writing_decode_back(machine->writing, at, machine->place->before + taken, &code) > 0 &&
                  fold_is_word(code);
    bool after = writing_decode(machine->writing, at, (size_t)(machine->place->end - at), &code) > 0 &&
                 fold_is_word(code);

    /* What a hit ends with may be no letter ("C++"): then any neighbour is an edge. */
    return !before || !after;
}

/* One character. Where a form is the beginning of another (k and k'), the shorter one is kept for later. */
static size_t step_char(struct machine *machine, const struct instruction *instruction,
                        const struct thread *thread)
{
    const uint8_t *at = machine->place->data + thread->place;
    size_t left = (size_t)(machine->place->end - at);
    struct form forms[FORMS_MAX];
    size_t count;

    if (left == 0 || !writing_may_begin(machine->writing, instruction->code, *at))
        return 0;
    count = writing_forms(machine->writing, instruction->code, instruction->fold, forms);
    for (uint32_t i = thread->form; i < count; i++) {
        if (forms[i].size > left || memcmp(forms[i].data, at, forms[i].size) != 0)
            continue;
        if (machine->writing->kind == WRITING_ROMAN && i + 1 < count)
            push(machine, thread->at, i + 1, thread->place);
        return forms[i].size;
    }
    return 0;
}

/* One letter; of romanised text one to three Latin ones and their apostrophe. */
static size_t step_letter(struct machine *machine, const struct thread *thread)
{
    const uint8_t *at = machine->place->data + thread->place;
    size_t left = (size_t)(machine->place->end - at), size;
    uint32_t code;

    if (machine->writing->kind != WRITING_ROMAN) {
        size = writing_decode(machine->writing, at, left, &code);
        return size > 0 && fold_is_word(code) ? size : 0;
    }
    size = thread->form + 1;
    if (size > left || size > 3 || !fold_is_word(at[size - 1] == '\'' && size > 1 ? 'a' : at[size - 1]))
        return 0;
    push(machine, thread->at, thread->form + 1, thread->place);
    return size;
}

static size_t step_class(struct machine *machine, const struct instruction *instruction,
                         const struct thread *thread)
{
    const uint8_t *at = machine->place->data + thread->place;
    uint32_t code;
    size_t size = writing_decode(machine->writing, at, (size_t)(machine->place->end - at), &code);

    return size > 0 && class_has(&machine->program->classes[instruction->x], code) ? size : 0;
}

/* Follows one thread until it fails or matches. */
static bool run(struct machine *machine, struct thread thread, size_t *ret_size)
{
    for (;;) {
        const struct instruction *instruction = &machine->program->code[thread.at];
        size_t size = 0;

        if (++machine->steps > PROGRAM_STEPS_MAX) {
            machine->gave_up = true;
            return false;
        }
        switch ((enum op)instruction->op) {
        case OP_MATCH:
            *ret_size = thread.place;
            return thread.place > 0;
        case OP_SPLIT:
            push(machine, instruction->y, 0, thread.place);
            thread.at = instruction->x;
            continue;
        case OP_JUMP:
            thread.at = instruction->x;
            continue;
        case OP_EDGE:
            if (!at_edge(machine, thread.place))
                return false;
            thread.at++;
            continue;
        case OP_CHAR:
            size = step_char(machine, instruction, &thread);
            break;
        case OP_CLASS:
            size = step_class(machine, instruction, &thread);
            break;
        case OP_LETTER:
            size = step_letter(machine, &thread);
            break;
        }
        if (size == 0)
            return false;
        thread = (struct thread){thread.at + 1, 0, thread.place + size};
    }
}

size_t program_match(const struct program *program, const struct writing *writing, const struct place *place,
                     bool *ret_gave_up)
{
    struct machine machine;
    size_t size = 0;
    bool found;

    machine.program = program;
    machine.writing = writing;
    machine.place = place;
    machine.depth = 0;
    machine.steps = 0;
    machine.gave_up = false;
    found = run(&machine, (struct thread){0, 0, 0}, &size);
    while (!found && machine.depth > 0 && !machine.gave_up)
        found = run(&machine, machine.stack[--machine.depth], &size);
    if (machine.gave_up && !found)
        *ret_gave_up = true;
    return found ? size : 0;
}

/* ------------------------------------------------------------------ for Hyperscan */

static void put_byte(struct buf *buf, uint8_t byte)
{
    buf_printf(buf, "\\x%02x", byte);
}

static void bytes_char(const struct node *node, const struct writing *writing, struct buf *ret)
{
    struct form forms[FORMS_MAX];
    size_t count = writing_forms(writing, node->code, node->fold, forms);

    buf_text(ret, "(?:");
    for (size_t i = 0; i < count; i++) {
        buf_text(ret, i > 0 ? "|" : "");
        for (size_t j = 0; j < forms[i].size; j++)
            put_byte(ret, forms[i].data[j]);
    }
    buf_text(ret, ")");
}

/* The bytes below `limit` that are in the class, with the other half of their UTF-16 unit; all above. */
static void bytes_class(const struct class *class, const struct writing *writing, struct buf *ret)
{
    bool wide = writing->kind == WRITING_UTF16LE || writing->kind == WRITING_UTF16BE, any = false;

    if (writing->kind == WRITING_UTF16BE)
        buf_text(ret, "(?:\\x00");
    else
        buf_text(ret, "(?:");
    buf_text(ret, "[");
    for (unsigned byte = 0; byte < 0x80; byte++) {
        uint32_t code = byte;

        if (writing->kind == WRITING_KEYBOARD || writing->kind == WRITING_CHARSET) {
            uint8_t one = (uint8_t)byte;
            if (writing_decode(writing, &one, 1, &code) == 0)
                continue;
        }
        if (!class_has(class, code))
            continue;
        put_byte(ret, (uint8_t)byte);
        any = true;
    }
    buf_text(ret, any ? "]" : "\\xff]");
    if (writing->kind == WRITING_UTF16LE)
        buf_text(ret, "\\x00");
    if (wide)
        buf_text(ret, "|.[^\\x00]|[^\\x00].|\\x00[\\x80-\\xff]|[\\x80-\\xff]\\x00");
    else if (writing->kind == WRITING_UTF8)
        buf_text(ret, "|[\\xc2-\\xf4][\\x80-\\xbf]{1,3}");
    else
        buf_text(ret, "|[\\x80-\\xff]");
    buf_text(ret, ")");
}

static void bytes_node(const struct program *program, uint32_t index, const struct writing *writing,
                       struct buf *ret);

static void bytes_children(const struct program *program, const struct node *node,
                           const struct writing *writing, struct buf *ret)
{
    buf_text(ret, "(?:");
    for (uint32_t child = node->first; child != 0; child = program->nodes[child].next) {
        if (child != node->first && node->kind == NODE_CHOICE)
            buf_text(ret, "|");
        bytes_node(program, child, writing, ret);
    }
    buf_text(ret, ")");
    if (node->kind == NODE_REPEAT)
        buf_printf(ret, "{%u,%u}", node->code, node->most);
}

static void bytes_node(const struct program *program, uint32_t index, const struct writing *writing,
                       struct buf *ret)
{
    const struct node *node = &program->nodes[index];

    switch ((enum node_kind)node->kind) {
    case NODE_CHAR:
        bytes_char(node, writing, ret);
        break;
    case NODE_CLASS:
        bytes_class(&program->classes[node->code], writing, ret);
        break;
    case NODE_LETTER:
    case NODE_EDGE:
        break;
    case NODE_ROW:
    case NODE_CHOICE:
    case NODE_REPEAT:
        bytes_children(program, node, writing, ret);
        break;
    }
}

void program_bytes(const struct program *program, const struct writing *writing, struct buf *ret)
{
    bytes_node(program, program->root, writing, ret);
}
