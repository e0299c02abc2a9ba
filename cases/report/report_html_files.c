/*
 * report_html_files: all files: how many were modified in which year, the first rows, and, where the data
 * stand beside the page (report_files.h), the table that the script fills (explorer.js). All its words are
 * here.
 */
#include "cases/report/report_sections.h"

#include "cases/report/report_files.h"
#include "cases/report/report_words.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <stdio.h>

static const struct {
    char letter;
    const char *id, *word;
    enum report_label label;
} states[] = {{'l', "x-live", "live", LABEL_LIVE},
              {'d', "x-deleted", "deleted", LABEL_DELETED},
              {'r', "x-reused", "reused", LABEL_FILES_REUSED},
              {'i', "x-inside", "inside", LABEL_FILES_INSIDE},
              {'c', "x-carved", "carved", LABEL_FILES_CARVED}};
enum { STATES = sizeof states / sizeof *states, BAR_HEIGHT = 60 /* px */ };

static void put_year(struct html *html, unsigned year, uint64_t count, uint64_t most)
{
    uint64_t height = count / (most / BAR_HEIGHT + 1); /* no overflow, whatever was counted */
    if (most <= UINT32_MAX)
        height = count * BAR_HEIGHT / most;
    buf_printf(html->buf, "<li data-year=\"%u\" title=\"%u: ", year, year);
    html_number(html, count);
    buf_printf(html->buf,
               "\"><span class=\"x-column\" style=\"height:%llupx\"></span><small>%u</small></li>\n",
               (unsigned long long)(height ? height : 1), year);
}

static void put_years(struct html *html, const struct report_files *files)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < FILES_YEARS; i++)
        if (files->years[i] > most)
            most = files->years[i];
    html_raw(html, "<h3>");
    html_label(html, LABEL_FILES_YEARS);
    html_raw(html, "</h3>\n");
    if (most > 0) {
        html_raw(html, "<ol class=\"years\">\n");
        for (unsigned i = 0; i < FILES_YEARS; i++)
            if (files->years[i] > 0)
                put_year(html, FILES_YEAR_FIRST + i, files->years[i], most);
        html_raw(html, "</ol>\n<ol id=\"x-months\" class=\"years\"></ol>\n");
    }
    html_raw(html, "<p class=\"soft small\">");
    html_say_numbers(html, LABEL_FILES_NO_TIME, files->no_time, files->other_years);
    html_raw(html, "</p>\n");
}

/* ---- the first rows ---- */

static void put_state(struct html *html, char letter)
{
    html_raw(html, "<td>");
    for (size_t i = 0; i < STATES; i++)
        if (states[i].letter == letter)
            html_label(html, states[i].label);
    html_raw(html, "</td>");
}

static void put_rows(struct html *html, const struct report_files *files)
{
    static const enum report_label heads[] = {LABEL_EXHIBIT,        LABEL_PATH, LABEL_SIZE,
                                              LABEL_FILES_MODIFIED, LABEL_TYPE, LABEL_STATE};
    struct model_cut cut = {files->shown_count, files->total,
                            "SELECT exhibit, path, size, modified, mime, sha256 FROM file"};
    html_raw(html, "<div class=\"plain\">\n");
    section_table_open(html, heads, 6, 1U << 2 | 1U << 3);
    for (size_t i = 0; i < files->shown_count; i++) {
        const struct report_file *file = &files->shown[i];
        html_raw(html, "<tr>");
        html_cell(html, file->exhibit);
        html_cell_evidence(html, file->path);
        html_cell_size(html, file->size);
        html_raw(html, "<td class=\"n\">");
        html_when(html, file->modified);
        html_raw(html, "</td>");
        html_cell_term(html, TERM_TYPE, file->type);
        put_state(html, file->state);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &cut);
    html_raw(html, "</div>\n");
}

/* ---- the table that the script fills ---- */

static void put_input(struct html *html, enum report_label label, const char *type, const char *id,
                      const char *more)
{
    html_raw(html, "<label><span>");
    html_label(html, label);
    buf_printf(html->buf, "</span> <input type=\"%s\" id=\"%s\"%s></label>\n", type, id, more);
}

static void put_filters(struct html *html)
{
    html_raw(html, "<div class=\"x-filters\">\n");
    put_input(html, LABEL_FILES_FILTER, "search", "x-text", " autocomplete=\"off\" spellcheck=\"false\"");
    html_raw(html, "<label><span>");
    html_label(html, LABEL_TYPE);
    html_raw(html, "</span> <select id=\"x-type\"><option value=\"\">–</option></select></label>\n");
    put_input(html, LABEL_FILES_FROM, "date", "x-from", "");
    put_input(html, LABEL_FILES_TO, "date", "x-to", "");
    for (size_t i = 0; i < STATES; i++)
        put_input(html, states[i].label, "checkbox", states[i].id, " checked=\"\"");
    html_raw(html, "<button type=\"button\" id=\"x-reset\">");
    html_label(html, LABEL_FILES_RESET);
    html_raw(html, "</button>\n</div>\n");
}

static void put_head(struct html *html, enum report_label label, const char *column)
{
    html_raw(html, "<span role=\"columnheader\">");
    buf_printf(html->buf, "<button type=\"button\" data-sort=\"%s\">", column);
    html_label(html, label);
    html_raw(html, "</button></span>");
}

static void put_word(struct html *html, const char *word, enum report_label label)
{
    buf_printf(html->buf, "<span data-word=\"%s\">", word);
    html_label(html, label);
    html_raw(html, "</span>");
}

static void put_words(struct html *html)
{
    html_raw(html, "<p hidden=\"\">");
    for (size_t i = 0; i < STATES; i++)
        put_word(html, states[i].word, states[i].label);
    put_word(html, "path", LABEL_PATH);
    put_word(html, "size", LABEL_SIZE);
    put_word(html, "type", LABEL_TYPE);
    put_word(html, "modified", LABEL_FILES_MODIFIED);
    put_word(html, "accessed", LABEL_FILES_ACCESSED);
    put_word(html, "changed", LABEL_FILES_CHANGED);
    put_word(html, "born", LABEL_FILES_BORN);
    put_word(html, "sha256", LABEL_FILES_SHA256);
    put_word(html, "grade", LABEL_GRADE);
    for (size_t i = 0; i < WORDS_GRADES; i++) {
        char word[32];
        snprintf(word, sizeof word, "grade-%s", words_grades[i].grade);
        put_word(html, word, words_grades[i].label);
    }
    put_word(html, "bytes", LABEL_BYTE_UNIT);
    for (enum entry_type type = 0; type < ENTRY_TYPES; type++) {
        buf_printf(html->buf, "<span data-word=\"type-%s\">", entry_type_name(type));
        html_term(html, TERM_TYPE, entry_type_name(type));
        html_raw(html, "</span>");
    }
    html_raw(html, "</p>\n");
}

static void put_explorer(struct html *html, const struct report_files *files)
{
    buf_printf(html->buf,
               "<div id=\"explorer\" hidden=\"\" data-rows=\"%llu\" data-chunks=\"%llu\" data-per=\"%d\" "
               "data-details=\"%d\">\n",
               (unsigned long long)files->total, (unsigned long long)files->parts, FILES_PER_PART, FILES_PER_DETAILS);
    put_filters(html);
    html_raw(html, "<p id=\"x-loading\" class=\"soft\">");
    html_label(html, LABEL_FILES_LOADING);
    html_raw(html, " <span id=\"x-done\">0</span></p>\n<p id=\"x-missing\" class=\"bad\" hidden=\"\">✖ ");
    html_label(html, LABEL_FILES_MISSING);
    html_raw(html,
             "</p>\n<p role=\"status\"><strong id=\"x-shown\">0</strong> / <span id=\"x-total\">0</span> "
             "<span id=\"x-where\" class=\"code soft\"></span></p>\n"
             "<div class=\"x-body\">\n<ul id=\"x-tree\" class=\"x-tree\"></ul>\n<div class=\"x-table\" "
             "role=\"table\">\n"
             "<div class=\"x-row x-head\" role=\"row\">");
    put_head(html, LABEL_PATH, "path");
    put_head(html, LABEL_SIZE, "size");
    put_head(html, LABEL_FILES_MODIFIED_UTC, "modified");
    put_head(html, LABEL_TYPE, "type");
    put_head(html, LABEL_STATE, "state");
    html_raw(
        html,
        "</div>\n<div id=\"x-view\" class=\"x-view\" tabindex=\"0\" role=\"rowgroup\"><div id=\"x-space\">"
        "<div id=\"x-layer\"></div></div></div>\n</div>\n</div>\n<div id=\"x-detail\" "
        "aria-live=\"polite\"></div>\n");
    put_words(html);
    html_raw(html, "</div>\n");
}

void section_files(struct html *html, const struct report_model *model)
{
    const struct report_files *files = html->files;
    (void)model;
    if (!files || files->total == 0) {
        section_text(html, LABEL_NONE);
        return;
    }
    section_text(html, files->parts ? LABEL_FILES_TEXT : LABEL_FILES_ALONE);
    put_years(html, files);
    if (files->parts)
        put_explorer(html, files);
    put_rows(html, files);
}
