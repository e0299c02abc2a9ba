/*
 * program: one keyword as a small program over characters, which is run at a place in evidence in one
 * writing. Words, phrases, wildcards and regular expressions all become one.
 *
 * Regular expressions know: characters, \d \w \s \D \W \S \b \t \n \r \xHH \uHHHH, '.', [classes], (groups),
 * |, ? * + {m,n} and their lazy forms. '*' and '+' stand for at most PROGRAM_REPEAT_MAX. What else there may
 * be elsewhere (look-around, back references, ^ and $) is refused with its reason.
 */
#ifndef KVALI_KEYWORDS_PROGRAM_H
#define KVALI_KEYWORDS_PROGRAM_H

#include "engine/base/buf.h"
#include "engine/base/why.h"
#include "plugins/keywords/writing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PROGRAM_INSTRUCTIONS_MAX = 4096,
    PROGRAM_REPEAT_MAX = 64,   /* '*' and '+' in a regular expression */
    PROGRAM_WILDCARD_MAX = 32, /* letters that '*' stands for in a word */
    PROGRAM_BLANKS_MAX = 8,    /* characters that one blank in a phrase stands for */
    PROGRAM_WIDTH_MAX = 2048,  /* bytes that a hit may have */
    PROGRAM_STEPS_MAX = 50000, /* at one place; then it counts as no hit, and is told */
};

enum op {
    OP_CHAR,   /* one character: `code`, in any case with `fold` */
    OP_CLASS,  /* one character of class `x` */
    OP_LETTER, /* one letter or digit, whatever it takes in this writing */
    OP_SPLIT,  /* first from x, then from y */
    OP_JUMP,   /* to x */
    OP_EDGE,   /* between a word and what is none */
    OP_MATCH,
};

struct instruction {
    uint8_t op, fold;
    uint32_t code, x, y;
};

struct range {
    uint32_t first, last;
};
struct class
{
    struct range *ranges;
    size_t count;
    bool negated, fold;
};

/* What the text says, as a tree; index 0 is no node. */
enum node_kind { NODE_CHAR, NODE_CLASS, NODE_LETTER, NODE_EDGE, NODE_ROW, NODE_CHOICE, NODE_REPEAT };
struct node {
    uint8_t kind, fold, lazy;
    uint32_t code;        /* CHAR: the character; CLASS: which; REPEAT: at least */
    uint32_t most;        /* REPEAT: at most */
    uint32_t first, last; /* ROW, CHOICE, REPEAT: children */
    uint32_t next;        /* sibling */
};

struct program {
    struct instruction *code;
    size_t count, capacity;
    struct class *classes;
    size_t class_count;
    struct node *nodes;
    size_t node_count, node_capacity;
    uint32_t root; /* a ROW; of a word a flat one: CHAR, LETTER, EDGE, and REPEAT of LETTER or CLASS */
};

/* `text` is UTF-8. `whole`: edges of words are wanted at both ends, but where a word's '*' stands. `literal`:
 * '*' and '?' are what they are. -EINVAL and `why` says what is wrong. program_finish in any case. */
int program_word(struct program *program, const char *text, bool fold, bool whole, bool literal,
                 struct why *why);
int program_regex(struct program *program, const char *text, bool fold, bool whole, struct why *why);
void program_finish(struct program *program);

/* The bytes that a hit of this node (root: of all) may have, least and most, in this writing. */
void program_width(const struct program *program, uint32_t node, const struct writing *writing,
                   size_t *ret_min, size_t *ret_max);

/* Is there a letter of this script? */
bool program_has_script(const struct program *program, enum script script);
/* The first character without a form in this writing, 0 when all have one. */
uint32_t program_unwritable(const struct program *program, const struct writing *writing);

/* What the first bytes of every hit have in common, bit by bit: one comparison instead of a run where it does
 * not fit. */
struct sieve {
    uint64_t mask[2], value[2]; /* little-endian */
};
enum { SIEVE_BYTES = 16 };
void program_sieve(const struct program *program, const struct writing *writing, struct sieve *ret_sieve);
/* `data` has SIEVE_BYTES. */
static inline bool sieve_fits(const struct sieve *sieve, const uint8_t *data)
{
    uint64_t bytes[2];

    memcpy(bytes, data, sizeof bytes);
    return ((bytes[0] & sieve->mask[0]) ^ sieve->value[0]) == 0 &&
           ((bytes[1] & sieve->mask[1]) ^ sieve->value[1]) == 0;
}

/* Bytes around a place. `data` to `end` can be read; [data - before, data) too. */
struct place {
    const uint8_t *data, *end;
    size_t before;
};
/* Length of the hit that begins at place->data; 0 for none. *ret_gave_up is set when the steps did not do. */
size_t program_match(const struct program *program, const struct writing *writing, const struct place *place,
                     bool *ret_gave_up);

/* A regular expression over bytes for Hyperscan that matches wherever this program does in this writing, and
 * perhaps elsewhere. `writing` is not WRITING_ROMAN. */
void program_bytes(const struct program *program, const struct writing *writing, struct buf *ret);

bool class_has(const struct class *class, uint32_t code);

#endif
