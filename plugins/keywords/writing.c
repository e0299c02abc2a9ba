/*
 * writing: see writing.h.
 */
#include "plugins/keywords/writing.h"

#include "engine/base/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which a keyword's writings are listed. */
static const struct {
    const char *name;
    enum writing_kind kind;
    enum script script;
    const char *charset;
} table[] = {
    {"utf-8", WRITING_UTF8, SCRIPT_OTHER, NULL},
    {"utf-16le", WRITING_UTF16LE, SCRIPT_OTHER, NULL},
    {"utf-16be", WRITING_UTF16BE, SCRIPT_OTHER, NULL},
    {"georgian-academy", WRITING_CHARSET, SCRIPT_GEORGIAN, "GEORGIAN-ACADEMY"},
    {"georgian-ps", WRITING_CHARSET, SCRIPT_GEORGIAN, "GEORGIAN-PS"},
    {"acadnusx", WRITING_KEYBOARD, SCRIPT_GEORGIAN, NULL},
    {"romanised", WRITING_ROMAN, SCRIPT_GEORGIAN, NULL},
    {"cp1251", WRITING_CHARSET, SCRIPT_CYRILLIC, "CP1251"},
    {"koi8-r", WRITING_CHARSET, SCRIPT_CYRILLIC, "KOI8-R"},
    {"cp866", WRITING_CHARSET, SCRIPT_CYRILLIC, "CP866"},
    {"iso-8859-5", WRITING_CHARSET, SCRIPT_CYRILLIC, "ISO-8859-5"},
    {"cp1252", WRITING_CHARSET, SCRIPT_LATIN, "CP1252"},
    {"cp1250", WRITING_CHARSET, SCRIPT_LATIN, "CP1250"},
    {"cp1254", WRITING_CHARSET, SCRIPT_LATIN, "CP1254"},
    {"cp1253", WRITING_CHARSET, SCRIPT_GREEK, "CP1253"},
    {"armscii-8", WRITING_CHARSET, SCRIPT_ARMENIAN, "ARMSCII-8"},
};

/* U+10D0 to U+10F0 in order. */
static const char keyboard[33 + 1] = "abgdevzTiklmnopJrstufqRySCcZwWxjh";
static const char *const roman[33] = {
    "a", "b",  "g", "d", "e", "v",  "z",  "t",  "i",  "k'", "l",  "m",   "n",   "o",  "p'", "zh", "r",
    "s", "t'", "u", "p", "k", "gh", "q'", "sh", "ch", "ts", "dz", "ts'", "ch'", "kh", "j",  "h",
};
/* What stands for the apostrophe: none, ' ` and in UTF-8 U+2019, U+02BC, U+2018. */
static const char *const apostrophes[] = {"\xe2\x80\x98", "\xe2\x80\x99", "\xca\xbc", "'", "`", ""};

static int compare_encode(const void *a, const void *b)
{
    return (int)((const struct encode *)a)->code - (int)((const struct encode *)b)->code;
}

static int load_charset(struct writing *writing, struct why *why)
{
    iconv_t handle = iconv_open("UTF-32LE", writing->charset);

    if (handle == (iconv_t)-1)
        return why_set(why, -EINVAL, "iconv does not know the character set %s", writing->charset);
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte, *from = &in, *to;
        uint8_t out[16];
        size_t left = 1, room = sizeof out;

        to = (char *)out;
        iconv(handle, NULL, NULL, NULL, NULL);
        if (iconv(handle, &from, &left, &to, &room) == (size_t)-1 || room != sizeof out - 4 || out[2] ||
            out[3])
            continue;
        writing->decode[byte] = (uint16_t)(out[0] | out[1] << 8);
        writing->encode[writing->encode_count++] = (struct encode){writing->decode[byte], (uint8_t)byte};
    }
    iconv_close(handle);
    qsort(writing->encode, writing->encode_count, sizeof writing->encode[0], compare_encode);
    return 0;
}

int writings_init(struct writings *writings, struct why *why)
{
    int code = 0;

    memset(writings, 0, sizeof *writings);
    for (size_t i = 0; i < sizeof table / sizeof table[0] && code == 0; i++) {
        struct writing *writing = &writings->items[writings->count++];

        writing->name = table[i].name;
        writing->kind = table[i].kind;
        writing->script = table[i].script;
        writing->charset = table[i].charset;
        if (writing->kind == WRITING_CHARSET)
            code = load_charset(writing, why);
    }
    return code;
}

/* ------------------------------------------------------------------ encoding */

static bool put_utf8(uint32_t code, struct form *ret)
{
    uint8_t *p = ret->data;

    if (code < 0x80) {
        p[0] = (uint8_t)code;
        ret->size = 1;
    } else if (code < 0x800) {
        p[0] = (uint8_t)(0xc0 | code >> 6);
        p[1] = (uint8_t)(0x80 | (code & 0x3f));
        ret->size = 2;
    } else if (code < 0x10000) {
        p[0] = (uint8_t)(0xe0 | code >> 12);
        p[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        p[2] = (uint8_t)(0x80 | (code & 0x3f));
        ret->size = 3;
    } else {
        p[0] = (uint8_t)(0xf0 | code >> 18);
        p[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        p[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        p[3] = (uint8_t)(0x80 | (code & 0x3f));
        ret->size = 4;
    }
    return true;
}

static void put_unit(struct form *form, uint32_t unit, bool big)
{
    form->data[form->size] = (uint8_t)(big ? unit >> 8 : unit);
    form->data[form->size + 1] = (uint8_t)(big ? unit : unit >> 8);
    form->size = (uint8_t)(form->size + 2);
}

static bool put_utf16(uint32_t code, bool big, struct form *ret)
{
    ret->size = 0;
    if (code < 0x10000) {
        put_unit(ret, code, big);
    } else {
        put_unit(ret, 0xd800 + ((code - 0x10000) >> 10), big);
        put_unit(ret, 0xdc00 + ((code - 0x10000) & 0x3ff), big);
    }
    return true;
}

static bool put_charset(const struct writing *writing, uint32_t code, struct form *ret)
{
    struct encode key = {(uint16_t)code, 0}, *found;

    if (code > 0xffff)
        return false;
    found = bsearch(&key, writing->encode, writing->encode_count, sizeof key, compare_encode);
    if (found == NULL)
        return false;
    ret->data[0] = found->byte;
    ret->size = 1;
    return true;
}

/* 0 to 32, or -1 for what is no letter of the modern alphabet. */
static int letter_index(uint32_t code)
{
    if (code >= 0x10d0 && code <= 0x10f0)
        return (int)(code - 0x10d0);
    return code >= 0x1c90 && code <= 0x1cb0 ? (int)(code - 0x1c90) : -1;
}

static bool put_keyboard(uint32_t code, struct form *ret)
{
    int index = letter_index(code);

    if (index < 0 && (code >= 0x80 || fold_script(code) != SCRIPT_OTHER))
        return false;
    ret->data[0] = index < 0 ? (uint8_t)code : (uint8_t)keyboard[index];
    ret->size = 1;
    return true;
}

static bool is_same(const struct form *a, const struct form *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static size_t add_form(struct form ret[FORMS_MAX], size_t count, const struct form *form)
{
    for (size_t i = 0; i < count; i++) {
        if (is_same(&ret[i], form))
            return count;
    }
    if (count < FORMS_MAX)
        ret[count++] = *form;
    return count;
}

/* In all three cases that occur: sh, SH, Sh. */
static size_t add_roman(struct form ret[FORMS_MAX], size_t count, const char *letters, size_t length,
                        const char *mark)
{
    for (unsigned upper = 0; upper < 3; upper++) {
        struct form form = {.size = 0};

        for (size_t i = 0; i < length; i++)
            form.data[form.size++] =
                (uint8_t)(upper == 1 || (upper == 2 && i == 0) ? letters[i] & ~32 : letters[i]);
        for (const char *m = mark; *m != '\0' && form.size < FORM_SIZE; m++)
            form.data[form.size++] = (uint8_t)*m;
        count = add_form(ret, count, &form);
    }
    return count;
}

static size_t roman_forms(int index, struct form ret[FORMS_MAX])
{
    const char *letters = roman[index];
    size_t length = strcspn(letters, "'"), count = 0;

    if (letters[length] == '\0')
        return add_roman(ret, 0, letters, length, "");
    /* An apostrophe of several bytes behind a digraph in three cases is too much for the table: it has all
     * marks for one letter, and for a digraph all but the rarest. */
    for (size_t i = length > 1 ? 1 : 0; i < sizeof apostrophes / sizeof apostrophes[0]; i++)
        count = add_roman(ret, count, letters, length, apostrophes[i]);
    return count;
}

bool writing_may_begin(const struct writing *writing, uint32_t code, uint8_t byte)
{
    int index = writing->kind == WRITING_ROMAN ? letter_index(code) : -1;

    if (index >= 0)
        return (byte | 32) == roman[index][0];
    /* Of an ASCII letter every form but UTF-16BE's begins with it, in one case or the other. */
    if (code < 0x80 && writing->kind != WRITING_UTF16BE)
        return ((byte ^ code) & 0xdf) == 0;
    return true;
}

size_t writing_forms(const struct writing *writing, uint32_t code, bool fold, struct form ret[FORMS_MAX])
{
    uint32_t variants[FOLD_MAX];
    size_t count = 0, variant_count = 1;

    if (writing->kind == WRITING_ROMAN && letter_index(code) >= 0)
        return roman_forms(letter_index(code), ret);
    variants[0] = code;
    if (fold)
        variant_count = fold_variants(code, variants);
    for (size_t i = 0; i < variant_count; i++) {
        struct form form = {.size = 0};
        bool there = false;

        switch (writing->kind) {
        case WRITING_UTF8:
            there = put_utf8(variants[i], &form);
            break;
        case WRITING_UTF16LE:
        case WRITING_UTF16BE:
            there = put_utf16(variants[i], writing->kind == WRITING_UTF16BE, &form);
            break;
        case WRITING_CHARSET:
            there = put_charset(writing, variants[i], &form);
            break;
        case WRITING_KEYBOARD:
            there = put_keyboard(variants[i], &form);
            break;
        case WRITING_ROMAN:
            there = variants[i] < 0x80 && put_utf8(variants[i], &form);
            break;
        }
        if (there)
            count = add_form(ret, count, &form);
    }
    return count;
}

/* ------------------------------------------------------------------ decoding */

static uint32_t unit_at(const uint8_t *data, bool big)
{
    return big ? (uint32_t)data[0] << 8 | data[1] : (uint32_t)data[1] << 8 | data[0];
}

static size_t decode_utf16(const uint8_t *data, size_t size, bool big, uint32_t *ret_code)
{
    uint32_t unit, low;

    if (size < 2)
        return 0;
    unit = unit_at(data, big);
    if (unit >= 0xd800 && unit < 0xdc00 && size >= 4) {
        low = unit_at(data + 2, big);
        if (low >= 0xdc00 && low < 0xe000) {
            *ret_code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return 4;
        }
    }
    *ret_code = unit;
    return unit >= 0xd800 && unit < 0xe000 ? 0 : 2;
}

static uint32_t keyboard_letter(uint8_t byte)
{
    const char *found = byte != 0 ? strchr(keyboard, byte) : NULL;

    return found != NULL ? 0x10d0 + (uint32_t)(found - keyboard) : byte;
}

size_t writing_decode(const struct writing *writing, const uint8_t *data, size_t size, uint32_t *ret_code)
{
    if (size == 0)
        return 0;
    switch (writing->kind) {
    case WRITING_UTF8:
    case WRITING_ROMAN:
        return text_character(data, size, ret_code);
    case WRITING_UTF16LE:
    case WRITING_UTF16BE:
        return decode_utf16(data, size, writing->kind == WRITING_UTF16BE, ret_code);
    case WRITING_CHARSET:
        *ret_code = writing->decode[data[0]];
        return data[0] == 0 || *ret_code != 0;
    case WRITING_KEYBOARD:
        *ret_code = keyboard_letter(data[0]);
        return data[0] < 0x80;
    }
    return 0;
}

size_t writing_decode_back(const struct writing *writing, const uint8_t *end, size_t before,
                           uint32_t *ret_code)
{
    size_t most = before < 4 ? before : 4;

    for (size_t size = 1; size <= most; size++) {
        if (writing_decode(writing, end - size, size, ret_code) == size)
            return size;
    }
    return 0;
}
