/*
 * window: which piece of a word is looked for: the rarest that is certain to stand in every hit, and all
 * bytes that it may consist of.
 */
#ifndef KVALI_KEYWORDS_WINDOW_H
#define KVALI_KEYWORDS_WINDOW_H

#include "plugins/keywords/program.h"

/* A piece's length: its index. */
enum piece_size { PIECE_TWO, PIECE_THREE, PIECE_FOUR, PIECE_SIX, PIECE_LONG, PIECE_SIZES };
extern const size_t piece_bytes[PIECE_SIZES];

enum { VARIANTS_MAX = 512 };

struct window {
    uint32_t first;          /* node of the first character */
    size_t characters, skip; /* bytes of the first character that are left out: a lead byte says little */
    size_t least, most;      /* bytes of what stands before it */
    enum piece_size size;
    int score;
};

/* Bit 5 of every byte is left out. */
struct variants {
    uint8_t data[VARIANTS_MAX][24];
    uint8_t size[VARIANTS_MAX];
    size_t count;
};

/* False: no piece of two bytes or more is certain. `program`'s root is flat. */
bool window_choose(const struct program *program, const struct writing *writing, struct window *ret_window);
/* All that may stand from the window's first character on. 0 or
 * -EINVAL: too many. */
int window_variants(const struct window *window, const struct program *program, const struct writing *writing,
                    struct variants *ret_variants);

#endif
