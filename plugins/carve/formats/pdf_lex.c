/*
 * pdf_lex: see pdf_lex.h.
 */
#include "plugins/carve/formats/pdf_lex.h"

#include <string.h>

enum { WORD = 16, DIGITS = 19, SPACES = 64 * 1024 };

static bool is_space(int c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0;
}

static bool is_delimiter(int c)
{
    return c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' ||
           c == '/' || c == '%';
}

static bool is_regular(int c)
{
    return c > ' ' && c < 0x7f && !is_delimiter(c);
}

void pdf_seek(struct pdf_lex *lex, uint64_t at)
{
    lex->at = at;
    lex->left = 0;
}

int pdf_peek(struct pdf_lex *lex)
{
    if (lex->left == 0)
        lex->left = reader_span(lex->reader, lex->at, &lex->data);
    return lex->left > 0 ? lex->data[0] : -1;
}

void pdf_next(struct pdf_lex *lex)
{
    lex->at++;
    lex->data++;
    lex->left--;
}

void pdf_skip_space(struct pdf_lex *lex)
{
    for (int i = 0; i < SPACES && is_space(pdf_peek(lex)); i++)
        pdf_next(lex);
}

void pdf_skip_comment(struct pdf_lex *lex)
{
    int c;

    while ((c = pdf_peek(lex)) >= 0 && c != '\n' && c != '\r')
        pdf_next(lex);
}

bool pdf_number(struct pdf_lex *lex, uint64_t *ret)
{
    uint64_t n = 0;
    int c, digits = 0;

    while ((c = pdf_peek(lex)) >= '0' && c <= '9' && digits < DIGITS) {
        n = n * 10 + (uint64_t)(c - '0');
        digits++;
        pdf_next(lex);
    }
    if (digits > 0)
        *ret = n;
    return digits > 0;
}

bool pdf_word(struct pdf_lex *lex, const char *word)
{
    bool is = reader_is(lex->reader, lex->at, word, strlen(word));

    pdf_seek(lex, lex->at + (is ? strlen(word) : 0));
    return is;
}

static int take(struct pdf_lex *lex, struct pdf_dict *dict)
{
    int c = pdf_peek(lex);

    if (c >= 0) {
        if (dict->size < sizeof dict->text)
            dict->text[dict->size++] = (uint8_t)c;
        pdf_next(lex);
    }
    return c;
}

/* A string from its first parenthesis to the last. */
static bool body_string(struct pdf_lex *lex, struct pdf_dict *dict)
{
    int depth = 0, c;

    do {
        c = take(lex, dict);
        if (c == '\\')
            c = take(lex, dict) < 0 ? -1 : ' ';
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
    } while (c >= 0 && depth > 0);
    return c >= 0;
}

/* `<<`, `>>` or a string of hexadecimal digits; `depth` is kept. */
static bool body_angle(struct pdf_lex *lex, struct pdf_dict *dict, int *depth)
{
    int first = take(lex, dict), c = pdf_peek(lex);

    if (c == first) {
        take(lex, dict);
        *depth += first == '<' ? 1 : -1;
        return *depth >= 0;
    }
    if (first == '>')
        return false;
    while ((c = take(lex, dict)) != '>') {
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || is_space(c)))
            return false;
    }
    return true;
}

static void body_name(struct pdf_lex *lex, struct pdf_dict *dict)
{
    int c;

    take(lex, dict);
    while ((c = pdf_peek(lex)) > ' ' && !is_delimiter(c))
        take(lex, dict);
}

static size_t body_word(struct pdf_lex *lex, struct pdf_dict *dict, char *word)
{
    size_t size = 0;

    while (is_regular(pdf_peek(lex))) {
        int c = take(lex, dict);

        if (size < WORD - 1)
            word[size] = (char)c;
        size++;
    }
    word[size < WORD - 1 ? size : WORD - 1] = '\0';
    return size;
}

static bool is_value(const char *word)
{
    return (word[0] < 'A' || word[0] > 'z') || strcmp(word, "R") == 0 || strcmp(word, "true") == 0 ||
           strcmp(word, "false") == 0 || strcmp(word, "null") == 0;
}

enum pdf_end pdf_body(struct pdf_lex *lex, struct pdf_dict *ret)
{
    int depth = 0;

    ret->size = 0;
    for (;;) {
        int c = pdf_peek(lex);
        char word[WORD];

        if (is_space(c)) {
            take(lex, ret);
        } else if (c == '%') {
            pdf_skip_comment(lex);
        } else if (c == '(') {
            if (!body_string(lex, ret))
                return PDF_BROKEN;
        } else if (c == '<' || c == '>') {
            if (!body_angle(lex, ret, &depth))
                return PDF_BROKEN;
        } else if (c == '[' || c == ']') {
            take(lex, ret);
        } else if (c == '/') {
            body_name(lex, ret);
        } else if (is_regular(c)) {
            uint64_t begin = lex->at;
            size_t before = ret->size;

            body_word(lex, ret, word);
            if (is_value(word))
                continue;
            ret->size = before;
            if (depth == 0 && strcmp(word, "endobj") == 0)
                return PDF_ENDOBJ;
            if (depth == 0 && strcmp(word, "stream") == 0)
                return PDF_STREAM;
            pdf_seek(lex, begin);
            return depth == 0 ? PDF_OTHER : PDF_BROKEN;
        } else {
            return PDF_BROKEN;
        }
    }
}

/* The size of the token at p, at least 1; `depth` is kept. */
static size_t token(const uint8_t *p, size_t left, int *depth)
{
    size_t n = 1;

    if (p[0] == '(') {
        for (int parens = 1; n < left && parens > 0; n++) {
            if (p[n] == '\\' && n + 1 < left)
                n++;
            else
                parens += p[n] == '(' ? 1 : p[n] == ')' ? -1 : 0;
        }
    } else if ((p[0] == '<' || p[0] == '>') && left > 1 && p[1] == p[0]) {
        *depth += p[0] == '<' ? 1 : -1;
        n = 2;
    } else if (p[0] == '<') {
        while (n < left && p[n - 1] != '>')
            n++;
    } else if (p[0] == '[' || p[0] == ']') {
        *depth += p[0] == '[' ? 1 : -1;
    } else if (!is_space(p[0])) {
        while (n < left && !is_space(p[n]) && !is_delimiter(p[n]))
            n++;
    }
    return n;
}

static const uint8_t *find(const struct pdf_dict *dict, const char *key, bool inner, size_t *ret_left)
{
    size_t at = 0, length = strlen(key);
    int depth = 0;

    while (at < dict->size) {
        size_t size = token(dict->text + at, dict->size - at, &depth);
        bool found = (depth == 1 || inner) && size == length && memcmp(dict->text + at, key, length) == 0;

        at += size;
        if (found) {
            while (at < dict->size && is_space(dict->text[at]))
                at++;
            *ret_left = dict->size - at;
            return *ret_left > 0 ? dict->text + at : NULL;
        }
    }
    return NULL;
}

const uint8_t *pdf_find(const struct pdf_dict *dict, const char *key, size_t *ret_left)
{
    return find(dict, key, false, ret_left);
}

static size_t digits(const uint8_t *p, size_t left, uint64_t *ret)
{
    size_t i = 0;

    *ret = 0;
    for (; i < left && i < DIGITS && p[i] >= '0' && p[i] <= '9'; i++)
        *ret = *ret * 10 + (uint64_t)(p[i] - '0');
    return i;
}

uint64_t pdf_find_inner(const struct pdf_dict *dict, const char *key, uint64_t otherwise)
{
    size_t left;
    const uint8_t *p = find(dict, key, true, &left);
    uint64_t n;

    return p != NULL && digits(p, left, &n) > 0 ? n : otherwise;
}

size_t pdf_find_array(const struct pdf_dict *dict, const char *key, uint64_t *ret, size_t most)
{
    size_t left, count = 0, at = 1;
    const uint8_t *p = pdf_find(dict, key, &left);

    while (p != NULL && p[0] == '[' && at < left && count < most) {
        size_t taken = digits(p + at, left - at, &ret[count]);

        if (taken == 0 && !is_space(p[at]))
            break;
        count += taken > 0;
        at += taken > 0 ? taken : 1;
    }
    return count;
}

static size_t spaces(const uint8_t *p, size_t left)
{
    size_t i = 0;

    while (i < left && is_space(p[i]))
        i++;
    return i;
}

bool pdf_find_number(const struct pdf_dict *dict, const char *key, uint64_t *ret, bool *ret_is_ref)
{
    size_t left, at, more;
    const uint8_t *p = pdf_find(dict, key, &left);
    uint64_t n, generation;

    if (p == NULL || (at = digits(p, left, &n)) == 0)
        return false;
    *ret = n;
    at += spaces(p + at, left - at);
    more = digits(p + at, left - at, &generation);
    at += more;
    at += spaces(p + at, left - at);
    *ret_is_ref = more > 0 && at < left && p[at] == 'R';
    return true;
}

bool pdf_find_name(const struct pdf_dict *dict, const char *key, const char *wanted)
{
    size_t left, size;
    const uint8_t *p = pdf_find(dict, key, &left);
    int depth = 0;

    while (p != NULL && left > 0 && (p[0] == '[' || is_space(p[0]))) {
        p++;
        left--;
    }
    if (p == NULL || left == 0)
        return false;
    size = token(p, left, &depth);
    return size == strlen(wanted) && memcmp(p, wanted, size) == 0;
}
