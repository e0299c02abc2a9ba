/*
 * extract: documents as text. Each extractor takes a whole document in memory, hostile, and puts what can be
 * read into an output. What it cannot read it says with output_lacks, once a reason; it never fails but for
 * memory.
 */
#ifndef KVALI_TEXT_EXTRACT_H
#define KVALI_TEXT_EXTRACT_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTPUT_PAGE = 48 * 1024, LACKS_SIZE = 200, EXTRACT_DEPTH = 8 };

/* Where text goes: pages of at most OUTPUT_PAGE bytes, cut at a blank where there is one. */
struct output {
    int (*page)(void *context, const void *text, size_t size, bool last);
    void *context;
    uint64_t limit;         /* bytes */
    uint64_t bytes;         /* so far */
    bool full;              /* the limit is reached: what follows is dropped */
    int code;               /* of `page` or memory; then nothing follows */
    char lacks[LACKS_SIZE]; /* what was not read; "" for nothing */
    uint64_t budget;        /* steps that are left, for extractors that could take long */
    struct buf buf;
    bool guessed; /* the character set is a guess */
    bool blank;   /* the last character was a blank or a line end */
};

/* One character; controls become a blank, blanks are kept, but only one of several. */
void output_code(struct output *output, uint32_t code);
/* UTF-8; what is none is left out. */
void output_text(struct output *output, const void *data, size_t size);
/* Between words, and between paragraphs. */
void output_blank(struct output *output);
void output_line(struct output *output);
/* Is there no room, or no memory? */
bool output_done(const struct output *output);
void output_lacks(struct output *output, const char *what);
/* Takes steps off the budget; false, and said, when it is used up. */
bool output_spend(struct output *output, uint64_t steps);
/* The last page. */
void output_end(struct output *output);

/* 8-bit character sets (charset.c). Tables are made once, before the sandbox closes. */
struct charsets;
int charsets_new(struct charsets **ret_charsets);
void charsets_free(struct charsets *charsets);
/* By the name that mail and HTML give; NULL: not known. "utf-8", "utf-16le", "utf-16be" are known as well. */
struct charset;
const struct charset *charset_find(const struct charsets *charsets, const char *name, size_t size);
/* What a text without a mark is probably in; *ret_sure false: it was a guess. Never NULL. */
const struct charset *charset_guess(const struct charsets *charsets, const uint8_t *data, size_t size,
                                    bool *ret_sure);
const char *charset_name(const struct charset *charset);
/* Puts text in this character set; `chunk` may end anywhere. */
void charset_put(const struct charset *charset, const uint8_t *data, size_t size, struct output *output);
/* The same as UTF-8 into a buffer. */
void charset_to_utf8(const struct charset *charset, const uint8_t *data, size_t size, struct buf *ret);

struct document {
    const uint8_t *data;
    size_t size;
    const struct charsets *charsets;
};

enum format {
    FORMAT_NONE,
    FORMAT_PLAIN,
    FORMAT_MARKUP,  /* HTML, XML */
    FORMAT_PACKAGE, /* ZIP with XML: OOXML, OpenDocument, EPUB */
    FORMAT_RTF,
    FORMAT_WORD, /* OLE2 with a Word document */
    FORMAT_PDF,
    FORMAT_MAIL,
};
/* What the beginning of a document (up to 4 KiB) looks like; `whole` when there is no more. */
enum format extract_format(const uint8_t *data, size_t size, bool whole);
/* *ret_format: its name as records say it; static. */
void extract(enum format format, const struct document *document, struct output *output,
             const char **ret_format);

void extract_plain(const struct document *document, struct output *output, const char **ret_format);
void extract_markup(const struct document *document, struct output *output, const char **ret_format);
void extract_package(const struct document *document, struct output *output, const char **ret_format);
void extract_rtf(const struct document *document, struct output *output, const char **ret_format);
void extract_word(const struct document *document, struct output *output, const char **ret_format);
void extract_pdf(const struct document *document, struct output *output, const char **ret_format);
void extract_mail(const struct document *document, struct output *output, const char **ret_format);

/* Parts that extractors share. UTF-8 mark-up: the text between tags, and an end of line where a block ends.
 */
void markup_put(const uint8_t *data, size_t size, bool html, struct output *output);

#endif
