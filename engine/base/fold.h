/*
 * fold: which characters are one letter in another case. Unicode's simple case pairs for Latin, Greek,
 * Cyrillic, Armenian and Georgian (Mkhedruli U+10D0 and Mtavruli U+1C90; Asomtavruli U+10A0 and Nuskhuri
 * U+2D00), from ranges written here, so that no locale decides what is found. [UnicodeData.txt]
 */
#ifndef KVALI_BASE_FOLD_H
#define KVALI_BASE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLD_MAX = 3 };

/* `code` itself first, then the others that are the same letter. Returns how many, 1 to FOLD_MAX. */
size_t fold_variants(uint32_t code, uint32_t ret[FOLD_MAX]);

/* The small letter of one that has one: Mtavruli becomes Mkhedruli. Everything else stays. */
uint32_t fold_small(uint32_t code);
/* Appends UTF-8 text with every letter small; bytes that are no UTF-8 stay. */
struct buf;
void fold_text(struct buf *buf, const void *data, size_t size);

enum script { SCRIPT_OTHER, SCRIPT_LATIN, SCRIPT_GREEK, SCRIPT_CYRILLIC, SCRIPT_ARMENIAN, SCRIPT_GEORGIAN };
/* Letters beyond ASCII only: SCRIPT_OTHER for everything else. */
enum script fold_script(uint32_t code);

/* Letters, digits and '_': what a word consists of. Above ASCII everything counts that is not known as a mark
 * of punctuation, a symbol or a blank. */
bool fold_is_word(uint32_t code);
bool fold_is_blank(uint32_t code);

#endif
