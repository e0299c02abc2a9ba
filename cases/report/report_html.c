/*
 * report_html: the report as one HTML file that opens offline. The policy in its head lets nothing run and
 * nothing load; the style is inside.
 */
#include "cases/report/report_formats.h"
#include "cases/report/report_sections.h"

#include "cases/report/report_files.h"
#include "cases/report/report_words.h"
#include "cases/report/safe.h"
#include "engine/base/hash.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <stdio.h>
#include <string.h>

extern const char report_style[], report_explorer[];

static const struct section {
    const char *id;
    enum report_label title;
    void (*render)(struct html *html, const struct report_model *model);
} sections[] = {
    {"completeness", LABEL_COMPLETENESS, section_completeness},
    {"exhibits", LABEL_EXHIBITS, section_exhibits},
    {"hashsets", LABEL_HASHSETS, section_hashsets},
    {"findings", LABEL_FINDINGS, section_findings},
    {"keywords", LABEL_KEYWORDS, section_keywords},
    {"features", LABEL_FEATURES, section_features},
    {"recovered", LABEL_RECOVERED, section_recovered},
    {"gallery", LABEL_GALLERY, section_gallery},
    {"files", LABEL_FILES, section_files},
    {"locked", LABEL_LOCKED, section_locked},
    {"mismatches", LABEL_MISMATCHES, section_mismatches},
    {"types", LABEL_TYPES, section_types},
    {"limits", LABEL_LIMITS, section_limits},
    {"faults", LABEL_FAULTS, section_faults},
    {"notes", LABEL_NOTES, section_notes},
    {"method", LABEL_METHOD, section_method},
    {"custody", LABEL_CUSTODY, section_custody},
    {"glossary", LABEL_GLOSSARY, section_glossary},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* One script may run, this one, and what it loads itself [CSP 3, 'strict-dynamic']. */
static void put_policy(struct html *html)
{
    uint8_t digest[SHA256_SIZE] = {0};
    struct hash_sha256 *hash = html->files && html->files->parts ? hash_sha256_new() : NULL;
    html_raw(html, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'");
    if (hash) {
        hash_sha256_update(hash, report_explorer, strlen(report_explorer));
        hash_sha256_final(hash, digest);
        html_raw(html, "; script-src 'strict-dynamic' 'sha256-");
        html_base64(html, digest, sizeof digest);
        html_raw(html, "'");
    }
    html_raw(html, "\">\n");
    hash_sha256_free(hash);
}

/* On paper each page says which report it is of, in the language that is chosen then; digits and our own
 * labels, so that nothing ends the string. */
static void say_page_foot(struct buf *out, const struct report_model *model, enum report_lang lang,
                          const char *name)
{
    char count[24], head[32];
    snprintf(count, sizeof count, "%llu", (unsigned long long)model->ledger_count);
    snprintf(head, sizeof head, "%.16s…", model->ledger_head);
    buf_printf(out, "@bottom-left { content: \"%s · ", name);
    words_page_seal(out, lang, model->seal.number, model->seal.sha256);
    buf_text(out, " · ");
    words_say(out, lang, LABEL_PAGE_CHAIN, head, count, NULL);
    buf_text(
        out,
        "\"; font: 8pt \"Noto Sans\", \"Noto Sans Georgian\", \"DejaVu Sans\", sans-serif; color: #55606e; } "
        "@bottom-right { content: counter(page) \" / \" counter(pages); font: 8pt \"Noto Sans\", sans-serif; "
        "}");
}

/* A section with a table of many columns lies across the paper: upright its headings would break inside
 * words. Browsers want each page's rule by itself. */
static void put_page_foot(struct html *html, const struct report_model *model, const char *name)
{
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
        const char *word = report_lang_name(lang);
        buf_printf(html->buf, "@page %s { ", word);
        say_page_foot(html->buf, model, lang, name);
        buf_printf(html->buf, " }\n@page %s-across { size: A4 landscape; ", word);
        say_page_foot(html->buf, model, lang, name);
        buf_printf(html->buf,
                   " }\n#lang-%s:checked ~ * { page: %s; } #lang-%s:checked ~ * "
                   "section:has(th:nth-child(10)) { page: %s-across; }\n",
                   word, word, word, word);
    }
}

static void put_languages(struct html *html)
{
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        buf_printf(html->buf,
                   "<input type=\"radio\" name=\"lang\" id=\"lang-%s\" class=\"lang\"%s>"
                   "<label class=\"lang\" for=\"lang-%s\" lang=\"%s\">%s</label>\n",
                   report_lang_name(lang), lang == html->lang ? " checked=\"\"" : "", report_lang_name(lang),
                   report_lang_name(lang), report_label(lang, LABEL_LANGUAGE));
}

static void put_head(struct html *html, const struct report_model *model, const char *name)
{
    html_raw(html, "<!DOCTYPE html>\n<html lang=\"");
    html_text(html, report_lang_name(html->lang));
    html_raw(html, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(html);
    html_raw(html,
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"kvali ");
    html_text(html, kvali_version());
    html_raw(html, "\">\n<title>");
    html_text(html, report_label(html->lang, LABEL_TITLE));
    html_raw(html, " – ");
    html_text(html, model->number);
    html_raw(html, "</title>\n<style>\n");
    buf_text(html->buf, report_style);
    put_page_foot(html, model, name);
    html_raw(html, "</style>\n</head>\n<body>\n");
    put_languages(html);
}

static void fact_open(struct html *html, enum report_label label)
{
    html_raw(html, "<div><dt>");
    html_label(html, label);
    html_raw(html, "</dt><dd>");
}

static void fact_close(struct html *html)
{
    html_raw(html, "</dd></div>\n");
}

static void fact(struct html *html, enum report_label label, const char *value)
{
    fact_open(html, label);
    html_text(html, value);
    fact_close(html);
}

static void put_facts(struct html *html, const struct report_model *model)
{
    html_raw(html, "<dl class=\"facts\">\n");
    fact(html, LABEL_CASE_NUMBER, model->number);
    fact_open(html, LABEL_EXAMINER);
    if (*model->examiner)
        html_text(html, model->examiner);
    else
        html_label(html, LABEL_NOT_STATED);
    fact_close(html);
    fact_open(html, LABEL_TOOL);
    html_raw(html, "kvali ");
    html_text(html, kvali_version());
    html_raw(html, "<br><small>commit ");
    html_text(html, kvali_commit());
    html_raw(html, "</small>");
    fact_close(html);
    fact_open(html, LABEL_REPORT_DATE);
    html_when_both(html, model->now);
    fact_close(html);
    fact_open(html, LABEL_CASE_MADE);
    html_when_both(html, model->created);
    fact_close(html);
    if (model->first_run != WHEN_NONE) {
        fact_open(html, LABEL_LAST_RUN);
        html_when(html, model->first_run);
        if (model->last_run != WHEN_NONE) {
            html_raw(html, "<br><small>→ ");
            html_when(html, model->last_run);
            html_raw(html, "</small>");
        }
        fact_close(html);
    }
    html_raw(html, "</dl>\n");
}

static void put_masthead(struct html *html, const struct report_model *model, const char *name)
{
    html_raw(html, "<header>\n<div class=\"masthead\">\n<div>\n<p class=\"kind\">");
    html_label(html, LABEL_KIND);
    html_raw(html, "</p>\n<h1>");
    html_label(html, LABEL_TITLE);
    html_raw(html, "</h1>\n</div>\n<p class=\"number\">");
    html_label(html, LABEL_REPORT_NUMBER);
    html_raw(html, " <strong>");
    html_text(html, name);
    html_raw(html, "</strong></p>\n</div>\n<p class=\"small soft\"><strong>");
    html_label(html, LABEL_NOT_OPINION);
    html_raw(html, ".</strong> ");
    html_label(html, LABEL_SCOPE);
    html_raw(html, "</p>\n");
    put_facts(html, model);
    html_raw(html, "</header>\n");
}

static void verdict_open(struct html *html, enum model_verdict verdict)
{
    if (verdict == VERDICT_WHOLE)
        html_raw(html, "<div class=\"verdict good\" role=\"note\"><span class=\"symbol\" "
                       "aria-hidden=\"true\">✔</span><div><p>");
    else if (verdict == VERDICT_MISMATCH || verdict == VERDICT_UNOPENED)
        html_raw(html, "<div class=\"verdict bad\" role=\"note\"><span class=\"symbol\" "
                       "aria-hidden=\"true\">✖</span><div><p>");
    else
        html_raw(html, "<div class=\"verdict warn\" role=\"note\"><span class=\"symbol\" "
                       "aria-hidden=\"true\">▲</span><div><p>");
}

static void put_verdict(struct html *html, const struct report_model *model)
{
    enum report_label more = LABEL_VERDICT_WHOLE_MORE;
    enum model_verdict verdict = report_model_verdict(model);
    verdict_open(html, verdict);
    switch (verdict) {
    case VERDICT_NOTHING:
        html_label(html, LABEL_VERDICT_NOTHING);
        more = LABEL_VERDICT_PENDING_MORE;
        break;
    case VERDICT_MISMATCH:
        html_label(html, LABEL_VERDICT_MISMATCH);
        more = LABEL_VERDICT_MISMATCH_MORE;
        break;
    case VERDICT_UNOPENED:
        html_say_numbers(html, LABEL_VERDICT_UNOPENED, model->unopened, model->exhibit_cut.total);
        more = LABEL_VERDICT_UNOPENED_MORE;
        break;
    case VERDICT_PENDING:
        html_say_numbers(html, LABEL_VERDICT_PENDING, model->pending_contents, model->pending_expands);
        more = LABEL_VERDICT_PENDING_MORE;
        break;
    case VERDICT_FAULTS:
        html_say_numbers(html, model->total.faults == 1 ? LABEL_VERDICT_FAULT : LABEL_VERDICT_FAULTS,
                         model->total.faults, 0);
        more = LABEL_VERDICT_FAULTS_MORE;
        break;
    case VERDICT_WHOLE:
        html_label(html, LABEL_VERDICT_WHOLE);
        break;
    }
    html_raw(html, "</p><p>");
    html_label(html, more);
    html_raw(html, "</p></div></div>\n");
}

static void tile_open(struct html *html, enum report_label label)
{
    html_raw(html, "<div><dt>");
    html_label(html, label);
    html_raw(html, "</dt><dd>");
}

static void tile_close(struct html *html, enum report_label label, uint64_t number)
{
    html_raw(html, "<small>");
    html_say_numbers(html, label, number, 0);
    html_raw(html, "</small></dd></div>\n");
}

static void put_tiles(struct html *html, const struct report_model *model)
{
    const struct model_counts *total = &model->total;
    html_raw(html, "<dl class=\"tiles\">\n");
    tile_open(html, LABEL_TILE_EXHIBITS);
    html_number(html, model->exhibit_cut.total);
    tile_close(html, LABEL_TILE_VERIFIED, model->verified);
    tile_open(html, LABEL_TILE_ENTRIES);
    html_number(html, total->live + total->deleted);
    tile_close(html, LABEL_TILE_DELETED, total->deleted);
    tile_open(html, LABEL_TILE_READ);
    html_size(html, total->read);
    tile_close(html, LABEL_TILE_READ_MORE, total->whole + total->partial);
    tile_open(html, LABEL_TILE_UNREADABLE);
    html_size(html, total->unread);
    tile_close(html, LABEL_TILE_UNREADABLE_MORE, total->partial + total->failed);
    tile_open(html, LABEL_TILE_MATCHES);
    html_number(html, model->match_cut.total);
    tile_close(html, LABEL_TILE_MATCHES_MORE, model->rule_cut.total);
    if (model->set_cut.total > 0 || model->alert_cut.total > 0) {
        tile_open(html, LABEL_TILE_ALERTS);
        html_number(html, model->alert_contents);
        tile_close(html, LABEL_TILE_ALERTS_MORE, model->known_contents);
    }
    tile_open(html, LABEL_TILE_FAULTS);
    html_number(html, total->faults);
    tile_close(html, LABEL_TILE_FAULTS_MORE, 0);
    html_raw(html, "</dl>\n");
}

static void put_contents(struct html *html)
{
    html_raw(html, "<nav>\n<p>");
    html_label(html, LABEL_CONTENTS);
    html_raw(html, "</p>\n<ol>\n");
    for (size_t i = 0; i < SECTIONS; i++) {
        html_raw(html, "<li><a href=\"#");
        html_text(html, sections[i].id);
        html_raw(html, "\">");
        html_label(html, sections[i].title);
        html_raw(html, "</a></li>\n");
    }
    html_raw(html, "</ol>\n</nav>\n");
}

static void put_section(struct html *html, size_t index, const struct report_model *model)
{
    html_raw(html, "<section id=\"");
    html_text(html, sections[index].id);
    html_raw(html, "\">\n<h2>");
    html_number(html, index + 1);
    html_raw(html, ". ");
    html_label(html, sections[index].title);
    html_raw(html, "</h2>\n");
    sections[index].render(html, model);
    html_raw(html, "</section>\n");
}

void report_html(struct buf *buf, const struct report_model *model, const struct report_files *files,
                 enum report_lang lang, const char *name)
{
    struct html html = {.buf = buf, .lang = lang, .files = files};
    put_head(&html, model, name);
    put_masthead(&html, model, name);
    html_raw(&html, "<main>\n");
    put_verdict(&html, model);
    section_alerts(&html, model);
    put_tiles(&html, model);
    put_section(&html, 0, model); /* completeness belongs on the first screen, before the list of contents */
    put_contents(&html);
    for (size_t i = 1; i < SECTIONS; i++)
        put_section(&html, i, model);
    html_raw(&html, "</main>\n<footer class=\"end\">– ");
    html_label(&html, LABEL_END);
    html_raw(&html, " ");
    html_text(&html, name);
    html_raw(&html, " –</footer>\n");
    if (files && files->parts) {
        html_raw(&html, "<script>");
        buf_text(buf, report_explorer);
        html_raw(&html, "</script>\n");
    }
    html_raw(&html, "</body>\n</html>\n");
}

void section_text(struct html *html, enum report_label label)
{
    html_raw(html, "<p>");
    html_label(html, label);
    html_raw(html, "</p>\n");
}

void section_table_open(struct html *html, const enum report_label *heads, size_t count, unsigned numbers)
{
    html_raw(html, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t i = 0; i < count; i++)
        if (numbers & 1U << i)
            html_head_number(html, heads[i]);
        else
            html_head(html, heads[i]);
    html_raw(html, "</tr></thead>\n<tbody>\n");
}

void section_table_close(struct html *html, const struct model_cut *cut)
{
    html_raw(html, "</tbody></table></div>\n");
    section_more(html, cut);
}

void section_more(struct html *html, const struct model_cut *cut)
{
    if (!cut || cut->total <= cut->count)
        return;
    html_raw(html, "<p class=\"more\">▼ ");
    html_say_numbers(html, LABEL_MORE, cut->count, cut->total);
    html_raw(html, "<br><code>sqlite3 -readonly case.db \"");
    html_text(html, cut->query);
    html_raw(html, "\"</code></p>\n");
}

void section_pair_open(struct html *html, enum report_label label)
{
    html_raw(html, "<dt>");
    html_label(html, label);
    html_raw(html, "</dt><dd>");
}

void section_pair_close(struct html *html)
{
    html_raw(html, "</dd>\n");
}

void section_verified(struct html *html, enum model_verification verification, enum report_label label)
{
    if (verification == VERIFIED_MATCH)
        html_raw(html, "<span class=\"tag good\">✔ ");
    else if (verification == VERIFIED_MISMATCH)
        html_raw(html, "<span class=\"tag bad\">✖ ");
    else
        html_raw(html, "<span class=\"tag warn\">▲ ");
    html_label(html, label);
    html_raw(html, "</span>");
}
