/*
 * magic_text: the tests of a magic file that look into text, and switching off those that cannot pass.
 */
#ifndef KVALI_SCAN_MAGIC_TEXT_H
#define KVALI_SCAN_MAGIC_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* As many bytes from the start of a text as libmagic looks into (MAGIC_PARAM_ENCODING_MAX). */
enum { MAGIC_TEXT_MAX = 65536 };

struct magic_text;

/* Of these `count` entries, which the object changes and which must outlive it, those at level 0 that have
 * MAGIC_TEXT. -ENOMEM. */
int magic_text_new(uint8_t *entries, size_t count, struct magic_text **ret_text);
void magic_text_free(struct magic_text *text);

/* Has on, of all tests, those that may pass on this content. All are on unless libmagic would see the bytes
 * as they are: it turns what is no UTF-8 into UTF-8 before it asks. */
void magic_text_choose(struct magic_text *text, const uint8_t *data, size_t size);

#endif
