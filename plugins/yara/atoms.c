/*
 * atoms: see atoms.h.
 *
 * The automaton [yara/types.h, libyara/ahocorasick.c]: from a state, the slot of each byte says whether it
 * leads on and where; strings hang at the states that their atoms lead to, and at those that end in them.
 * The code of a string runs forwards from where an atom begins and backwards from there [libyara/re.c]; as
 * long as one instruction follows the other, each takes one byte, and some say which.
 */
#include "plugins/yara/atoms.h"

#include <string.h>

enum {
    ROW_MAX = 120,
    JUMPS_MAX = 8,
    RUN_MIN = 5,         /* bytes that tell enough without those of the atom */
    SPLIT_SIZE = 4,      /* with the number of the split and how far it leads */
    REPEAT_ANY_SIZE = 5, /* with least and most, 16 bits each */
    REACH_MARGIN = 64,   /* what stands around a match, and from the literal's to the atom's begin */
};

/* What the code says of the bytes that follow each other: which one, or that there is one, or (`gap`) some.
 */
struct row {
    uint8_t bytes[ROW_MAX];
    bool known[ROW_MAX], gap[ROW_MAX];
    size_t size;
};

struct walk {
    const YR_RULES *rules;
    struct literals *literals;
    uint8_t path[YR_MAX_ATOM_LENGTH + 1];
};

static bool is_repeated_any(uint8_t opcode)
{
    return opcode == RE_OPCODE_REPEAT_ANY_GREEDY || opcode == RE_OPCODE_REPEAT_ANY_UNGREEDY;
}

static size_t instruction_size(uint8_t opcode)
{
    switch (opcode) {
    case RE_OPCODE_LITERAL:
        return 2;
    case RE_OPCODE_MASKED_LITERAL:
    case RE_OPCODE_JUMP:
        return 3;
    case RE_OPCODE_CLASS:
        return 1 + sizeof(RE_CLASS);
    case RE_OPCODE_SPLIT_A:
    case RE_OPCODE_SPLIT_B:
        return SPLIT_SIZE;
    case RE_OPCODE_REPEAT_ANY_GREEDY:
    case RE_OPCODE_REPEAT_ANY_UNGREEDY:
        return REPEAT_ANY_SIZE;
    default:
        return 1;
    }
}

static bool takes_one_byte(uint8_t opcode)
{
    return opcode == RE_OPCODE_ANY || opcode == RE_OPCODE_LITERAL || opcode == RE_OPCODE_MASKED_LITERAL ||
           (opcode >= RE_OPCODE_CLASS && opcode <= RE_OPCODE_NON_DIGIT);
}

static int16_t jump_of(const uint8_t *code)
{
    int16_t by;

    memcpy(&by, code + instruction_size(*code) - sizeof by, sizeof by);
    return by;
}

/* As far as one instruction surely follows the other. Code that libyara made, which ends with an instruction
 * of its own. */
static void read_row(const uint8_t *code, struct row *ret)
{
    unsigned jumps = 0;

    ret->size = 0;
    while (code != NULL && ret->size < ROW_MAX) {
        if (*code == RE_OPCODE_JUMP && jumps++ < JUMPS_MAX) {
            code += jump_of(code);
        } else if (takes_one_byte(*code) || is_repeated_any(*code)) {
            ret->known[ret->size] = *code == RE_OPCODE_LITERAL;
            ret->gap[ret->size] = is_repeated_any(*code);
            ret->bytes[ret->size++] = code[1];
            code += instruction_size(*code);
        } else {
            break;
        }
    }
}

/* How many characters the code takes at most: the sum of all its instructions, when none leads back. */
static uint32_t longest(const uint8_t *code)
{
    uint32_t sum = 0;

    while (code != NULL && *code != RE_OPCODE_MATCH && sum < YR_RE_SCAN_LIMIT) {
        if (is_repeated_any(*code)) {
            uint16_t most;

            memcpy(&most, code + REPEAT_ANY_SIZE - sizeof most, sizeof most);
            sum += most;
        } else if (*code >= RE_OPCODE_REPEAT_START_GREEDY ||
                   (*code >= RE_OPCODE_SPLIT_A && jump_of(code) < 0)) {
            return YR_RE_SCAN_LIMIT;
        }
        sum += takes_one_byte(*code);
        code += instruction_size(*code);
    }
    return sum < YR_RE_SCAN_LIMIT ? sum : YR_RE_SCAN_LIMIT;
}

static uint8_t folded(uint8_t byte, bool nocase)
{
    return nocase && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Is the atom what the code says of its first bytes, with a zero behind each where `width` is 2? */
static bool agrees(const struct row *row, const uint8_t *atom, size_t size, size_t width, bool nocase)
{
    if (size % width != 0 || row->size < size / width)
        return false;
    for (size_t i = 0; i < size; i++) {
        size_t k = i / width;

        if (row->gap[k])
            return false;
        if (i % width != 0 ? atom[i] != 0
                           : row->known[k] && folded(row->bytes[k], nocase) != folded(atom[i], nocase))
            return false;
    }
    return true;
}

static void put(struct literal_space *space, const struct row *row, size_t at, size_t width)
{
    if (space->size + width > LITERAL_SPACE_MAX)
        return;
    space->bytes[space->size] = row->bytes[at];
    space->known[space->size++] = row->known[at];
    if (width == 2) {
        space->bytes[space->size] = 0;
        space->known[space->size++] = !row->gap[at]; /* a gap may have no bytes at all */
    }
}

/* Of each byte whether the code knows it, or (`all`) the atom does. */
static void put_atom(struct literal_space *space, const struct row *behind, const uint8_t *atom, size_t size,
                     size_t width, bool all)
{
    for (size_t i = 0; i < size; i++) {
        space->bytes[space->size] = atom[i];
        space->known[space->size++] = all || i % width != 0 || behind->known[i / width];
    }
}

/* What stands before the atom, it, and what stands behind. `width` 0: it alone. */
static void fill_space(struct literal_space *space, const struct row *before, const struct row *behind,
                       const uint8_t *atom, size_t size, size_t width, bool all)
{
    size_t most = width > 0 ? (LITERAL_SPACE_MAX / 2 - YR_MAX_ATOM_LENGTH) / width : 0;

    space->size = 0;
    for (size_t i = before->size < most ? before->size : most; i-- > 0;)
        put(space, before, i, width);
    put_atom(space, behind, atom, size, width, all || width == 0);
    for (size_t i = width > 0 ? size / width : 0; width > 0 && i < behind->size; i++)
        put(space, behind, i, width);
}

static size_t longest_run(const struct literal_space *space)
{
    size_t run = 0, most = 0;

    for (size_t i = 0; i < space->size; i++) {
        run = space->known[i] ? run + 1 : 0;
        most = run > most ? run : most;
    }
    return most;
}

/* 1 or 2; 0: it cannot be told, or is of no use. */
static size_t width_of(const YR_AC_MATCH *match, const struct row *behind, const uint8_t *atom, size_t size)
{
    const YR_STRING *string = match->string;
    bool nocase = STRING_IS_NO_CASE(string);
    bool narrow = STRING_IS_ASCII(string) && agrees(behind, atom, size, 1, nocase);
    bool wide = STRING_IS_WIDE(string) && agrees(behind, atom, size, 2, nocase);

    if (match->backtrack != size || STRING_IS_BASE64(string) || STRING_IS_BASE64_WIDE(string) ||
        narrow == wide)
        return 0;
    return narrow ? 1 : 2;
}

static void add_atom(struct walk *walk, const YR_AC_MATCH *match, size_t size)
{
    struct literal like = {.nocase = STRING_IS_NO_CASE(match->string), .string = match->string->idx};
    struct literal_space space;
    struct row before, behind;
    size_t width;

    read_row(match->forward_code, &behind);
    read_row(match->backward_code, &before);
    width = width_of(match, &behind, walk->path, size);
    fill_space(&space, &before, &behind, walk->path, size, width, false);
    /* libyara makes 256 atoms of one with a byte that can be any: these have the same known ones. */
    if (longest_run(&space) < RUN_MIN)
        fill_space(&space, &before, &behind, walk->path, size, width, true);
    for (size_t i = 0; i < space.size; i++)
        space.bytes[i] = folded(space.bytes[i], like.nocase);
    /* Of one match; either direction may be the longer one, and a literal may stand at either end. */
    like.reach =
        2 * (longest(match->forward_code) + longest(match->backward_code)) + (uint32_t)size + REACH_MARGIN;
    literals_add(walk->literals, &like, &space);
}

static void add_state(struct walk *walk, uint32_t state, size_t size)
{
    uint32_t at = walk->rules->ac_match_table[state];

    for (const YR_AC_MATCH *match = at != 0 ? &walk->rules->ac_match_pool[at - 1] : NULL; match != NULL;
         match = match->next) {
        if (!STRING_IS_LITERAL(match->string))
            add_atom(walk, match, size);
    }
}

static void add_below(struct walk *walk, uint32_t state, size_t size)
{
    add_state(walk, state, size);
    for (uint32_t byte = 0; byte < 256 && size < YR_MAX_ATOM_LENGTH; byte++) {
        YR_AC_TRANSITION transition = walk->rules->ac_transition_table[state + byte + 1];

        walk->path[size] = (uint8_t)byte;
        if (!YR_AC_INVALID_TRANSITION(transition, byte + 1))
            add_below(walk, YR_AC_NEXT_STATE(transition), size + 1);
    }
}

void atoms_add(const YR_RULES *rules, struct literals *literals)
{
    struct walk walk = {.rules = rules, .literals = literals};

    add_below(&walk, 0, 0);
}
