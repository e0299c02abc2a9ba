/* html: see html.h. */
#include "cases/report/html.h"

#include "cases/report/report_words.h"
#include "cases/report/safe.h"
#include "engine/base/when.h"

#include <string.h>

static void escape(struct buf *out, const void *data, size_t size)
{
    const char *text = data;
    for (size_t i = 0; i < size; i++)
        switch (text[i]) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        case '\'':
            buf_text(out, "&#39;");
            break;
        default:
            buf_u8(out, (uint8_t)text[i]);
        }
}

void html_text(struct html *html, const char *text)
{
    if (!text)
        return;
    struct buf safe = {0};
    safe_text(&safe, text, strlen(text));
    escape(html->buf, safe.data, safe.size);
    buf_finish(&safe);
}

void html_evidence(struct html *html, const char *text)
{
    if (!text || !*text)
        return;
    struct buf safe = {0};
    safe_text_cut(&safe, text, strlen(text), HTML_EVIDENCE_MAX);
    html_raw(html, "<bdi class=\"code\">");
    escape(html->buf, safe.data, safe.size);
    html_raw(html, "</bdi>");
    buf_finish(&safe);
}

void html_number(struct html *html, uint64_t number)
{
    safe_number(html->buf, number);
}

static void lang_open(struct html *html, enum report_lang lang)
{
    html_raw(html, "<span class=\"");
    buf_text(html->buf, report_lang_name(lang));
    html_raw(html, "\" lang=\"");
    buf_text(html->buf, report_lang_name(lang));
    html_raw(html, "\">");
}

void html_words(struct html *html, const char *const texts[REPORT_LANGS])
{
    bool same = true;
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        same = same && !strcmp(texts[lang], texts[0]);
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
        if (html->single || same) {
            if (lang == html->lang)
                html_text(html, texts[lang]);
            continue;
        }
        lang_open(html, lang);
        html_text(html, texts[lang]);
        html_raw(html, "</span>");
    }
}

/* Buffers of all languages, which are finished. */
static void put_texts(struct html *html, struct buf texts[REPORT_LANGS])
{
    const char *words[REPORT_LANGS];
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
        html->buf->failed = html->buf->failed || buf_failed(&texts[lang]);
        words[lang] = buf_cstr(&texts[lang]);
    }
    html_words(html, words);
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        buf_finish(&texts[lang]);
}

void html_term(struct html *html, enum report_term group, const char *word)
{
    struct buf texts[REPORT_LANGS] = {0};
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        report_term(&texts[lang], lang, group, word);
    put_texts(html, texts);
}

void html_cell_term(struct html *html, enum report_term group, const char *word)
{
    html_raw(html, "<td>");
    html_term(html, group, word);
    html_raw(html, "</td>");
}

/* What `put` writes, in each language; once when they are the same. */
static void in_languages(struct html *html, void (*put)(struct buf *buf, enum report_lang lang, int64_t value), int64_t value)
{
    struct buf texts[REPORT_LANGS] = {0};
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        put(&texts[lang], lang, value);
    put_texts(html, texts);
}

static void put_size(struct buf *buf, enum report_lang lang, int64_t size)
{
    words_size(buf, lang, (uint64_t)size);
}

static void put_when(struct buf *buf, enum report_lang lang, int64_t when)
{
    words_when(buf, lang, when, 0);
}

static void put_when_tbilisi(struct buf *buf, enum report_lang lang, int64_t when)
{
    words_when(buf, lang, when, 4 * 3600);
}

void html_size(struct html *html, uint64_t size)
{
    in_languages(html, put_size, (int64_t)size);
}

void html_bytes(struct html *html, uint64_t size)
{
    html_size(html, size);
    if (size < 1024)
        return;
    html_raw(html, " (");
    html_say_numbers(html, LABEL_SIZE_BYTES, size, 0);
    html_raw(html, ")");
}

void html_when(struct html *html, int64_t when)
{
    if (when == WHEN_NONE)
        return;
    in_languages(html, put_when, when);
    html_raw(html, " UTC");
}

void html_when_both(struct html *html, int64_t when)
{
    if (when == WHEN_NONE)
        return;
    html_when(html, when);
    html_raw(html, "<br><small>");
    in_languages(html, put_when_tbilisi, when);
    html_raw(html, " ");
    html_label(html, LABEL_TBILISI);
    html_raw(html, "</small>");
}

void html_base64(struct html *html, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[4096];
    size_t filled = 0;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0);
        text[filled++] = digits[bits >> 18];
        text[filled++] = digits[bits >> 12 & 63];
        text[filled++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        text[filled++] = left > 2 ? digits[bits & 63] : '=';
        if (filled == sizeof text || i + 3 >= size) {
            buf_append(html->buf, text, filled);
            filled = 0;
        }
    }
}

void html_label(struct html *html, enum report_label label)
{
    html_say(html, label, NULL, NULL, NULL);
}

static void say_in(struct html *html, enum report_lang lang, enum report_label label, const char *const values[3])
{
    const char *text = report_label(lang, label);
    while (*text) {
        size_t run = strcspn(text, "{");
        escape(html->buf, text, run);
        text += run;
        if (!*text)
            break;
        if (text[1] >= '1' && text[1] <= '3' && text[2] == '}') {
            html_text(html, values[text[1] - '1']);
            text += 3;
        } else {
            escape(html->buf, text++, 1);
        }
    }
}

void html_say(struct html *html, enum report_label label, const char *one, const char *two, const char *three)
{
    const char *const values[] = {one, two, three};
    if (html->single) {
        say_in(html, html->lang, label, values);
        return;
    }
    bool both = !strcmp(report_label(REPORT_EN, label), report_label(REPORT_KA, label));
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
        if (report_label_lang(lang, label) != lang)
            continue; /* it shows the English one */
        if (both || report_label_lang(REPORT_KA, label) != REPORT_KA) {
            html_raw(html, "<span lang=\"en\">");
            say_in(html, REPORT_EN, label, values);
            html_raw(html, "</span>");
            return;
        }
        lang_open(html, lang);
        say_in(html, lang, label, values);
        html_raw(html, "</span>");
    }
}

void html_say_numbers(struct html *html, enum report_label label, uint64_t one, uint64_t two)
{
    struct buf first = {0}, second = {0};
    safe_number(&first, one);
    safe_number(&second, two);
    html_say(html, label, buf_cstr(&first), buf_cstr(&second), NULL);
    buf_finish(&first);
    buf_finish(&second);
}

void html_cell(struct html *html, const char *text)
{
    html_raw(html, "<td>");
    html_text(html, text);
    html_raw(html, "</td>");
}

void html_cell_evidence(struct html *html, const char *text)
{
    html_raw(html, "<td class=\"path\">");
    html_evidence(html, text);
    html_raw(html, "</td>");
}

void html_cell_number(struct html *html, uint64_t number)
{
    if (number == 0) {
        html_raw(html, "<td class=\"n\"><span class=\"zero\">0</span></td>");
        return;
    }
    html_raw(html, "<td class=\"n\">");
    html_number(html, number);
    html_raw(html, "</td>");
}

void html_cell_size(struct html *html, uint64_t size)
{
    html_raw(html, "<td class=\"n\">");
    html_size(html, size);
    html_raw(html, "</td>");
}

void html_head(struct html *html, enum report_label label)
{
    html_raw(html, "<th scope=\"col\">");
    html_label(html, label);
    html_raw(html, "</th>");
}

void html_head_number(struct html *html, enum report_label label)
{
    html_raw(html, "<th scope=\"col\" class=\"n\">");
    html_label(html, label);
    html_raw(html, "</th>");
}
