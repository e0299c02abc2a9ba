/*
 * writing: the ways in which one text may stand in evidence: Unicode's encodings, 8-bit character sets of its
 * script, and for Georgian the Latin letters under the legacy fonts' glyphs (AcadNusx: saqarTvelo) and the
 * national romanisation of 2002.
 *
 * Character sets are glibc's (iconv), read once in writings_init. The two Latin mappings are tables here.
 * [National Agency... romanisation: BGN/PCGN 2009 agreement on the Georgian national system of 2002]
 */
#ifndef KVALI_KEYWORDS_WRITING_H
#define KVALI_KEYWORDS_WRITING_H

#include "engine/base/why.h"
#include "engine/base/fold.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum writing_kind {
    WRITING_UTF8,
    WRITING_UTF16LE,
    WRITING_UTF16BE,
    WRITING_CHARSET,
    WRITING_KEYBOARD, /* the legacy fonts' Latin letters; case matters */
    WRITING_ROMAN,    /* national romanisation, apostrophes or not, any case */
};

struct writing {
    const char *name; /* as records say it: "utf-8", "georgian-academy" */
    enum writing_kind kind;
    enum script script;   /* searched for where a text has a letter of it; SCRIPT_OTHER: always */
    const char *charset;  /* iconv's name */
    uint16_t decode[256]; /* CHARSET: 0 for a byte that is no character */
    struct encode {
        uint16_t code;
        uint8_t byte;
    } encode[256]; /* sorted by code */
    size_t encode_count;
};

enum { WRITINGS_MAX = 20, FORMS_MAX = 16, FORM_SIZE = 6 };

struct writings {
    struct writing items[WRITINGS_MAX];
    size_t count;
};

/* -EINVAL and `why` when this system's iconv lacks a character set. */
int writings_init(struct writings *writings, struct why *why);

/* One character as bytes. */
struct form {
    uint8_t data[FORM_SIZE];
    uint8_t size;
};
/* All forms of one character in this writing, longest first, none twice; 0 when it has none. `fold`: in any
 * case. */
size_t writing_forms(const struct writing *writing, uint32_t code, bool fold, struct form ret[FORMS_MAX]);

/* Can `byte` begin a form of this character? False only where it certainly cannot: cheaper than all forms. */
bool writing_may_begin(const struct writing *writing, uint32_t code, uint8_t byte);

/* The character that the bytes begin with, and its length; 0 where there is none. */
size_t writing_decode(const struct writing *writing, const uint8_t *data, size_t size, uint32_t *ret_code);
/* The character that ends where `end` begins; `before` bytes may be looked at. */
size_t writing_decode_back(const struct writing *writing, const uint8_t *end, size_t before,
                           uint32_t *ret_code);

#endif
