/* pdf_font: what the bytes of strings in one font of a PDF are as characters. */
#ifndef KVALI_TEXT_PDF_FONT_H
#define KVALI_TEXT_PDF_FONT_H

#include "plugins/text/extract.h"

struct pdf_font;

/* `wide`: a composite font, whose codes have two bytes where its map does not say otherwise. NULL: no memory.
 */
struct pdf_font *pdf_font_new(const struct charsets *charsets, bool wide);
void pdf_font_free(struct pdf_font *font);

/* A ToUnicode map. What of it is malformed is left out. */
void pdf_font_map(struct pdf_font *font, const uint8_t *data, size_t size);
/* A simple font's code by its glyph's name. */
void pdf_font_glyph(struct pdf_font *font, uint8_t code, const char *name);

/* Puts a string. NULL font: as Latin text. */
void pdf_font_put(const struct pdf_font *font, const uint8_t *data, size_t size, struct output *output);

#endif
