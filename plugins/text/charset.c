/*
 * charset: 8-bit character sets as tables of glibc's iconv, and a guess at which of them a text is in, by how
 * often letters come in Georgian and in Russian.
 */
#include "plugins/text/extract.h"

#include "engine/base/fold.h"
#include "engine/base/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind { KIND_UTF8, KIND_UTF16LE, KIND_UTF16BE, KIND_TABLE };
struct charset {
    const char *name;  /* iconv's */
    const char *other; /* another name, NULL */
    enum kind kind;
    uint16_t table[256]; /* 0: none */
};
enum { CHARSETS = 17, GUESS_BYTES = 64 * 1024 };

struct charsets {
    struct charset items[CHARSETS];
};

static const struct {
    const char *name, *other;
    enum kind kind;
} names[CHARSETS] = {
    {"utf-8", "us-ascii", KIND_UTF8},
    {"utf-16le", "utf-16", KIND_UTF16LE},
    {"utf-16be", "unicodefffe", KIND_UTF16BE},
    {"windows-1252", "cp1252", KIND_TABLE},
    {"windows-1251", "cp1251", KIND_TABLE},
    {"koi8-r", "koi8-u", KIND_TABLE},
    {"ibm866", "cp866", KIND_TABLE},
    {"iso-8859-5", "iso_8859-5", KIND_TABLE},
    {"georgian-academy", "geostd8", KIND_TABLE},
    {"georgian-ps", "georgianps", KIND_TABLE},
    {"iso-8859-1", "latin1", KIND_TABLE},
    {"windows-1250", "cp1250", KIND_TABLE},
    {"windows-1253", "cp1253", KIND_TABLE},
    {"windows-1254", "iso-8859-9", KIND_TABLE},
    {"iso-8859-2", "latin2", KIND_TABLE},
    {"iso-8859-15", "latin9", KIND_TABLE},
    {"armscii-8", "armscii8", KIND_TABLE},
};
/* Of these a text without a mark may be. */
enum { GUESS_FIRST = 4, GUESS_LAST = 9, FALLBACK = 3 };

static int load(struct charset *charset)
{
    iconv_t handle = iconv_open("UTF-32LE", charset->name);

    if (handle == (iconv_t)-1)
        return -EINVAL;
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte, *from = &in;
        uint8_t out[16];
        char *to = (char *)out;
        size_t left = 1, room = sizeof out;

        iconv(handle, NULL, NULL, NULL, NULL);
        if (iconv(handle, &from, &left, &to, &room) != (size_t)-1 && room == sizeof out - 4 && !out[2] &&
            !out[3])
            charset->table[byte] = (uint16_t)(out[0] | out[1] << 8);
    }
    iconv_close(handle);
    return 0;
}

int charsets_new(struct charsets **ret_charsets)
{
    struct charsets *charsets = calloc(1, sizeof *charsets);
    int code = charsets == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < CHARSETS && code == 0; i++) {
        charsets->items[i].name = names[i].name;
        charsets->items[i].other = names[i].other;
        charsets->items[i].kind = names[i].kind;
        if (names[i].kind == KIND_TABLE)
            code = load(&charsets->items[i]);
    }
    if (code < 0) {
        free(charsets);
        return code;
    }
    *ret_charsets = charsets;
    return 0;
}

void charsets_free(struct charsets *charsets)
{
    free(charsets);
}

const char *charset_name(const struct charset *charset)
{
    return charset->name;
}

const struct charset *charset_find(const struct charsets *charsets, const char *name, size_t size)
{
    for (size_t i = 0; i < CHARSETS; i++) {
        const struct charset *charset = &charsets->items[i];

        if ((strlen(charset->name) == size && strncasecmp(charset->name, name, size) == 0) ||
            (charset->other != NULL && strlen(charset->other) == size &&
             strncasecmp(charset->other, name, size) == 0))
            return charset;
    }
    return NULL;
}

/* ------------------------------------------------------------------ the guess */

/* Letters by how often they come, most frequent first. */
static const uint16_t georgian[] = {0x10d0, 0x10d8, 0x10d4, 0x10e1, 0x10e0, 0x10db, 0x10d3, 0x10dd,
                                    0x10dc, 0x10d5, 0x10d1, 0x10d2, 0x10da, 0x10d7, 0x10e3, 0};
static const uint16_t russian[] = {0x043e, 0x0435, 0x0430, 0x0438, 0x043d, 0x0442, 0x0441, 0x0440,
                                   0x0432, 0x043b, 0x043a, 0x043c, 0x0434, 0x043f, 0x0443, 0};

static int frequency(uint32_t code, const uint16_t *letters)
{
    for (int i = 0; letters[i] != 0; i++) {
        if (letters[i] == code)
            return 4 - i / 4;
    }
    return 0;
}

/* Points for letters that are frequent, in small letters; points off for what does not stand in words. */
static int64_t score(const struct charset *charset, const uint8_t *data, size_t size)
{
    int64_t points = 0;
    bool small_before = false;

    for (size_t i = 0; i < size; i++) {
        uint32_t code = charset->table[data[i]];
        enum script script = fold_script(code);

        if (data[i] < 0x80) {
            small_before = false;
            continue;
        }
        if (script != SCRIPT_GEORGIAN && script != SCRIPT_CYRILLIC) {
            points -= code == 0 || !fold_is_word(code) ? 2 : 4;
            small_before = false;
            continue;
        }
        /* A capital behind a small letter: the cases are exchanged, as between KOI8-R and CP1251. */
        if (script == SCRIPT_CYRILLIC && fold_small(code) != code)
            points -= small_before ? 6 : 0;
        small_before = fold_small(code) == code;
        points += 1 + (script == SCRIPT_GEORGIAN ? frequency(code, georgian) : frequency(code, russian));
    }
    return points;
}

const struct charset *charset_guess(const struct charsets *charsets, const uint8_t *data, size_t size,
                                    bool *ret_sure)
{
    size_t high = 0, best = FALLBACK;
    int64_t points = 0, second = 0;

    size = size < GUESS_BYTES ? size : GUESS_BYTES;
    for (size_t i = 0; i < size; i++)
        high += data[i] >= 0x80;
    for (size_t i = GUESS_FIRST; i <= GUESS_LAST; i++) {
        int64_t here = score(&charsets->items[i], data, size);

        if (here > points) {
            second = points;
            points = here;
            best = i;
        } else if (here > second) {
            second = here;
        }
    }
    /* At least two points a letter: half of the letters are among the frequent ones. */
    if (points < (int64_t)high * 2 || high < 8)
        best = FALLBACK;
    *ret_sure = best != FALLBACK && points - second > (int64_t)high / 8;
    return &charsets->items[best];
}

/* ------------------------------------------------------------------ decoding */

static void put_utf16(const uint8_t *data, size_t size, bool big, struct output *output)
{
    uint32_t high = 0;

    for (size_t i = 0; i + 2 <= size && !output_done(output); i += 2) {
        uint32_t unit = big ? (uint32_t)data[i] << 8 | data[i + 1] : (uint32_t)data[i + 1] << 8 | data[i];

        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
            continue;
        }
        if (unit >= 0xdc00 && unit < 0xe000)
            unit = high != 0 ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : ' ';
        high = 0;
        output_code(output, unit);
    }
}

void charset_put(const struct charset *charset, const uint8_t *data, size_t size, struct output *output)
{
    if (charset->kind == KIND_UTF8) {
        output_text(output, data, size);
    } else if (charset->kind != KIND_TABLE) {
        put_utf16(data, size, charset->kind == KIND_UTF16BE, output);
    } else {
        for (size_t i = 0; i < size && !output_done(output); i++)
            output_code(output, charset->table[data[i]]);
    }
}

void charset_to_utf8(const struct charset *charset, const uint8_t *data, size_t size, struct buf *ret)
{
    if (charset->kind == KIND_UTF8) {
        buf_append(ret, data, size);
        return;
    }
    if (charset->kind != KIND_TABLE) {
        text_from_utf16(ret, data, size, charset->kind == KIND_UTF16BE);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        uint32_t code = charset->table[data[i]];

        if (code < 0x80) {
            buf_u8(ret, (uint8_t)code);
        } else if (code < 0x800) {
            buf_u8(ret, (uint8_t)(0xc0 | code >> 6));
            buf_u8(ret, (uint8_t)(0x80 | (code & 0x3f)));
        } else {
            buf_u8(ret, (uint8_t)(0xe0 | code >> 12));
            buf_u8(ret, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
            buf_u8(ret, (uint8_t)(0x80 | (code & 0x3f)));
        }
    }
}
