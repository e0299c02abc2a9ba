/*
 * gate: which of 64 places at a time may begin a piece, from classes of bytes alone, so that the filter's map
 * is asked at few of them. Pieces are put into eight groups; of each group it is known which bytes stand
 * first, second, third and fourth, and a place passes when one group has all four. [The method, of few words
 * and half bytes: Teddy, in Hyperscan; here with whole bytes, which AVX-512 VBMI looks up 64 at once]
 */
#ifndef KVALI_KEYWORDS_GATE_H
#define KVALI_KEYWORDS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATE_BYTES = 4, GATE_PLACES = 64 };

/* The first bytes of a piece, bit 5 left out; `known` of them, 1 to 4, the others may be any. */
struct gate_piece {
    uint8_t bytes[GATE_BYTES];
    uint8_t known;
};

struct gate {
    uint8_t groups[GATE_BYTES]
                  [128]; /* of the n-th byte without its bit 5: in which groups it stands, a bit each */
    bool no_blanks;      /* no piece begins with four zeros or blanks */
};

/* True when this processor can. */
bool gate_is_fast(void);
/* 0 or -ENOMEM. */
int gate_build(struct gate *gate, const struct gate_piece *pieces, size_t count);
/* Of each of the places [0, count) that passes: calls nothing, sets its bit. `data` has count + 3 bytes;
 * count is a multiple of 64, `bits` has a word for each 64. Only where gate_is_fast. */
void gate_search(const struct gate *gate, const uint8_t *data, size_t count, uint64_t *bits);
/* The same for one place, on any processor. */
bool gate_passes(const struct gate *gate, const uint8_t *data);

/* How well the first bytes of a piece tell it from text: 0 to 4. */
unsigned gate_worth(const uint8_t bytes[GATE_BYTES]);
/* How unusual a byte is, in halves of a bit, roughly as it stands in text and in programs; what is not named
 * is rare. */
unsigned gate_rarity(uint8_t byte);

#endif
