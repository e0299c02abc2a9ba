/*
 * pdf_lex: the smallest parts of PDF's syntax [ISO 32000-1, 7.2 and 7.3]: white space, numbers, keywords,
 * strings, and dictionaries whose values are looked up by key.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_PDF_LEX_H
#define KVALI_PLUGINS_CARVE_FORMATS_PDF_LEX_H

#include "plugins/carve/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in the object. */
struct pdf_lex {
    struct reader *reader;
    uint64_t at;
    const uint8_t *data; /* at hand from `at` on: void after any call of a reader function */
    size_t left;
};

/* The text of an object or a trailer, without its stream. */
struct pdf_dict {
    size_t size;
    uint8_t text[16 * 1024]; /* its beginning */
};

void pdf_seek(struct pdf_lex *lex, uint64_t at);
/* The byte here, or -1 at the end of the data. */
int pdf_peek(struct pdf_lex *lex);
void pdf_next(struct pdf_lex *lex);
/* At most 64 KiB of it: what follows more is not the same document's. */
void pdf_skip_space(struct pdf_lex *lex);
/* To the end of the line. */
void pdf_skip_comment(struct pdf_lex *lex);
/* Takes digits, at most 19. False: there are none. */
bool pdf_number(struct pdf_lex *lex, uint64_t *ret);
/* Takes the word if it is here. */
bool pdf_word(struct pdf_lex *lex, const char *word);

enum pdf_end { PDF_BROKEN, PDF_ENDOBJ, PDF_STREAM, PDF_OTHER };
/* Goes over values up to a keyword: behind `endobj` or `stream`, or to the first letter of another one that
 * stands outside of all brackets. Broken: what is there is no PDF, or the data ends. */
enum pdf_end pdf_body(struct pdf_lex *lex, struct pdf_dict *ret);

/* The value of `key` ("/Size") in the outermost dictionary, and how many bytes of the text are left there;
 * NULL: it has none. */
const uint8_t *pdf_find(const struct pdf_dict *dict, const char *key, size_t *ret_left);
/* The same for a value that is a whole number; with `ref`, one that begins a reference `n g R`. */
bool pdf_find_number(const struct pdf_dict *dict, const char *key, uint64_t *ret, bool *ret_is_ref);
/* The whole numbers of the array that is the key's value, at most `most`; how many there are. */
size_t pdf_find_array(const struct pdf_dict *dict, const char *key, uint64_t *ret, size_t most);
/* The number behind the first `key` in any dictionary of the text, or `otherwise`. */
uint64_t pdf_find_inner(const struct pdf_dict *dict, const char *key, uint64_t otherwise);
/* Is the value the name `wanted` ("/XRef"), or an array that begins with it? */
bool pdf_find_name(const struct pdf_dict *dict, const char *key, const char *wanted);

#endif
