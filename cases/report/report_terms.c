/* report_terms: see report_terms.h; the table is report_labels.inc. */
#include "cases/report/report_terms.h"

#include <ctype.h>
#include <string.h>

static const struct {
    enum report_term group;
    const char *word, *georgian;
} terms[] = {
#define LABEL(id, en, ka)
#define UNREAD(id, en, ka)
#define TERM(group, word, ka) {TERM_##group, word, ka},
#include "cases/report/report_labels.inc"
#undef LABEL
#undef UNREAD
#undef TERM
};

/* Does the word end as the pattern, which begins with '*', says? *ret_size: what stands before that. */
static bool ends_so(const char *pattern, const char *word, size_t size, size_t *ret_size)
{
    size_t end = strlen(pattern) - 1;
    *ret_size = size - end;
    return *pattern == '*' && size > end && memcmp(word + size - end, pattern + 1, end) == 0;
}

static void put_word(struct buf *buf, enum report_term group, const char *word, size_t size)
{
    const char *end = ""; /* in Georgian: the longest that fits */
    size_t kept = size;
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        size_t before;
        if (terms[i].group != group)
            continue;
        if (strlen(terms[i].word) == size && memcmp(terms[i].word, word, size) == 0) {
            buf_text(buf, terms[i].georgian);
            return;
        }
        if (ends_so(terms[i].word, word, size, &before) && before < kept) {
            end = terms[i].georgian + 1;
            kept = before;
        }
    }
    buf_append(buf, word, kept);
    buf_text(buf, end);
}

void report_term(struct buf *buf, enum report_lang lang, enum report_term group, const char *word)
{
    bool several = group == TERM_WRITING || group == TERM_HOST;
    if (lang == REPORT_EN) {
        for (; *word; word++)
            buf_u8(buf, *word == '_' && group == TERM_CHOICE ? ' ' : (uint8_t)*word);
        return;
    }
    while (several && strpbrk(word, ",;")) {
        size_t size = strcspn(word, ",;"), blank = word[size + 1] == ' ';
        put_word(buf, group, word, size);
        buf_printf(buf, "%c ", word[size]);
        word += size + 1 + blank;
    }
    put_word(buf, group, word, strlen(word));
}

/* ------------------------------------------------------------------ times */

/* '0': a digit; anything else: itself. */
static bool looks_like(const char *text, const char *form)
{
    for (; *form; text++, form++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    return true;
}

static void put_day(struct buf *buf, enum report_lang lang, const char *text)
{
    if (lang == REPORT_KA)
        buf_printf(buf, "%.2s.%.2s.%.4s", text + 8, text + 5, text);
    else
        buf_printf(buf, "%.10s", text);
}

/* RFC 3339: "Z" or "+04:00". */
static bool is_zone(const char *text)
{
    return strcmp(text, "Z") == 0 ||
           ((*text == '+' || *text == '-') && looks_like(text + 1, "00:00") && !text[6]);
}

void report_moment(struct buf *buf, enum report_lang lang, const char *text)
{
    bool day = looks_like(text, "0000-00-00");
    if (day && !text[10]) {
        put_day(buf, lang, text);
        return;
    }
    if (!day || (text[10] != 'T' && text[10] != ' ') || !looks_like(text + 11, "00:00")) {
        buf_text(buf, text);
        return;
    }
    size_t clock = strspn(text + 11, "0123456789:.");
    if (!is_zone(text + 11 + clock)) {
        buf_text(buf, text);
        return;
    }
    put_day(buf, lang, text);
    buf_printf(buf, " %.*s", (int)clock, text + 11);
    text += 11 + clock;
    buf_printf(buf, " UTC%s", strcmp(text, "Z") == 0 ? "" : text);
}
