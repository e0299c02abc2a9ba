/*
 * toml: settings that people write by hand [TOML 1.0.0], into JSON. Debian 12 has no TOML library for C; this
 * is the part that a list of records needs, and all else is refused with the line where it stands. The files
 * are the examiner's own, never evidence.
 */
#include "cases/custody_private.h"

#include "engine/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct toml {
    const char *name, *at, *end;
    unsigned line;
    struct why *why;
    json_t *root, *table; /* borrowed: where keys go */
};

static int wrong(struct toml *t, const char *words)
{
    return why_set(t->why, -EINVAL, "%s: line %u: %s", t->name, t->line, words);
}

static char now(const struct toml *t)
{
    return t->at < t->end ? *t->at : 0;
}

static void skip_blanks(struct toml *t)
{
    while (now(t) == ' ' || now(t) == '\t')
        t->at++;
}

/* Comments, and with `lines` ends of lines. */
static void skip(struct toml *t, bool lines)
{
    for (;;) {
        skip_blanks(t);
        if (now(t) == '#')
            while (t->at < t->end && *t->at != '\n')
                t->at++;
        if (now(t) == '\r' && t->at + 1 < t->end && t->at[1] == '\n')
            t->at++;
        if (now(t) != '\n' || !lines)
            return;
        t->line++;
        t->at++;
    }
}

/* ------------------------------------------------------------------ values */

static void put_code(struct buf *buf, uint32_t code)
{
    if (code < 0x80)
        buf_u8(buf, (uint8_t)code);
    else if (code < 0x800) {
        buf_u8(buf, (uint8_t)(0xc0 | code >> 6));
        buf_u8(buf, (uint8_t)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        buf_u8(buf, (uint8_t)(0xe0 | code >> 12));
        buf_u8(buf, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (code & 0x3f)));
    } else {
        buf_u8(buf, (uint8_t)(0xf0 | code >> 18));
        buf_u8(buf, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (code & 0x3f)));
    }
}

static int escape(struct toml *t, struct buf *buf)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    char letter = now(t);
    t->at++;
    const char *known = letter ? strchr(from, letter) : NULL;
    if (known) {
        buf_u8(buf, (uint8_t)to[known - from]);
        return 0;
    }
    size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    char hex[9] = "";
    if (!digits || (size_t)(t->end - t->at) < digits)
        return wrong(t, "there is no such escape");
    memcpy(hex, t->at, digits);
    t->at += digits;
    unsigned long code = strtoul(hex, NULL, 16);
    if (strspn(hex, "0123456789abcdefABCDEF") != digits || code == 0 || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return wrong(t, "there is no such character");
    put_code(buf, (uint32_t)code);
    return 0;
}

/* Behind its opening quote. */
static int string(struct toml *t, char quote, struct buf *buf)
{
    if (t->end - t->at >= 2 && t->at[0] == quote && t->at[1] == quote)
        return wrong(t, "a string over several lines is not read here: write it on one");
    while (now(t) != quote) {
        char c = now(t);
        if (c == 0 || c == '\n')
            return wrong(t, "the string does not end");
        t->at++;
        int code = 0;
        if (c == '\\' && quote == '"')
            code = escape(t, buf);
        else
            buf_u8(buf, (uint8_t)c);
        if (code)
            return code;
    }
    t->at++;
    return buf_failed(buf) ? why_set(t->why, -ENOMEM, "out of memory")
           : text_is_utf8(buf->data ? (const void *)buf->data : "", buf->size)
               ? 0
               : wrong(t, "the string is not UTF-8");
}

/* A number, a boolean or a date. */
static int bare(struct toml *t, json_t **ret)
{
    char word[64];
    size_t size = 0;
    while (size < sizeof word - 1 && (isalnum((unsigned char)now(t)) || (now(t) && strchr("+-:._", now(t)))))
        word[size++] = *t->at++;
    word[size] = 0;
    char *end;
    errno = 0;
    long long number = strtoll(word, &end, 10);
    bool date = size >= 10 && word[4] == '-' && word[7] == '-';
    *ret = strcmp(word, "true") == 0    ? json_true()
           : strcmp(word, "false") == 0 ? json_false()
           : date                       ? json_string(word)
           : size && !*end && !errno    ? json_integer(number)
                                        : NULL;
    return *ret
               ? 0
               : wrong(t,
                       "expected a value: \"text\", a whole number, true, false, a date, or a list of these");
}

static int value(struct toml *t, json_t **ret, int depth);

static int array(struct toml *t, json_t **ret, int depth)
{
    json_t *list = json_array(), *one = NULL;
    int code = 0;
    if (depth > 2)
        code = wrong(t, "lists in lists in lists are not read here");
    for (skip(t, true); code == 0 && now(t) != ']'; skip(t, true)) {
        code = value(t, &one, depth + 1);
        if (code)
            break;
        json_array_append_new(list, one);
        skip(t, true);
        if (now(t) == ',')
            t->at++;
        else if (now(t) != ']')
            code = wrong(t, "expected , or ]");
    }
    if (code) {
        json_decref(list);
        return code;
    }
    t->at++;
    *ret = list;
    return 0;
}

static int value(struct toml *t, json_t **ret, int depth)
{
    char c = now(t);
    struct buf text = {0};
    if (c == '[') {
        t->at++;
        return array(t, ret, depth);
    }
    if (c == '{')
        return wrong(t, "a table in braces is not read here: use [table]");
    if (c != '"' && c != '\'')
        return bare(t, ret);
    t->at++;
    int code = string(t, c, &text);
    if (code == 0 && !(*ret = json_stringn(text.size ? (const char *)text.data : "", text.size)))
        code = wrong(t, "the string cannot be read");
    buf_finish(&text);
    return code;
}

/* ------------------------------------------------------------------ keys and tables */

static int key(struct toml *t, struct buf *buf)
{
    char c = now(t);
    if (c == '"' || c == '\'') {
        t->at++;
        int code = string(t, c, buf);
        return code ? code : buf->size ? 0 : wrong(t, "the key is empty");
    }
    while (isalnum((unsigned char)now(t)) || now(t) == '_' || now(t) == '-')
        buf_u8(buf, (uint8_t)*t->at++);
    if (now(t) == '.')
        return wrong(t, "a key with a dot is not read here");
    return buf->size ? 0 : wrong(t, "expected a key");
}

static int end_line(struct toml *t)
{
    skip(t, false);
    return t->at == t->end || now(t) == '\n' ? 0 : wrong(t, "there is more on this line than belongs there");
}

static int open_table(struct toml *t)
{
    bool list = t->end - t->at >= 2 && t->at[1] == '[';
    struct buf name = {0};
    t->at += list ? 2 : 1;
    skip_blanks(t);
    int code = key(t, &name);
    skip_blanks(t);
    for (int i = 0; code == 0 && i < (list ? 2 : 1); i++)
        code = now(t) == ']' ? (t->at++, 0) : wrong(t, "expected ]");
    json_t *there = code == 0 ? json_object_get(t->root, buf_cstr(&name)) : NULL;
    if (code == 0 && there && !(list && json_is_array(there)))
        code = wrong(t, "this table is there already: for a list of records write [[name]]");
    if (code == 0) {
        json_t *table = json_object();
        if (list && !there) {
            there = json_array();
            json_object_set_new(t->root, buf_cstr(&name), there);
        }
        if (list)
            json_array_append_new(there, table);
        else
            json_object_set_new(t->root, buf_cstr(&name), table);
        t->table = table;
    }
    buf_finish(&name);
    return code ? code : end_line(t);
}

static int pair(struct toml *t)
{
    struct buf name = {0};
    json_t *one = NULL;
    int code = key(t, &name);
    skip_blanks(t);
    if (code == 0)
        code = now(t) == '=' ? (t->at++, 0) : wrong(t, "expected =");
    skip_blanks(t);
    if (code == 0)
        code = value(t, &one, 0);
    if (code == 0 && json_object_get(t->table, buf_cstr(&name))) {
        json_decref(one);
        code = wrong(t, "this key is there already");
    } else if (code == 0) {
        json_object_set_new(t->table, buf_cstr(&name), one);
    }
    buf_finish(&name);
    return code ? code : end_line(t);
}

int toml_read(const char *name, const char *text, size_t size, json_t **ret_object, struct why *why)
{
    struct toml t = {
        .name = name, .at = text, .end = text + size, .line = 1, .why = why, .root = json_object()};
    t.table = t.root;
    int code = memchr(text, 0, size) ? wrong(&t, "it is no text") : 0;
    for (skip(&t, true); code == 0 && t.at < t.end; skip(&t, true))
        code = now(&t) == '[' ? open_table(&t) : pair(&t);
    if (code) {
        json_decref(t.root);
        return code;
    }
    *ret_object = t.root;
    return 0;
}
