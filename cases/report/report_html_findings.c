/* report_html_findings: what was found: matches, locked things, mismatches, types of content. */
#include "cases/report/report_sections.h"

#include <string.h>

enum { CONTEXT_MAX = 32 /* bytes of a match that are shown */ };

static void put_state(struct html *html, bool deleted)
{
    html_raw(html, "<td>");
    html_label(html, deleted ? LABEL_DELETED : LABEL_LIVE);
    html_raw(html, "</td>");
}

/* What a rule's author gives it, 0 to 100, as a word with a symbol and the number. */
static void put_severity(struct html *html, int severity)
{
    if (severity == MODEL_UNSTATED) {
        html_raw(html, "<td class=\"soft\">");
        html_label(html, LABEL_SEVERITY_UNSTATED);
        html_raw(html, "</td>");
        return;
    }
    if (severity >= 75) {
        html_raw(html, "<td class=\"bad\"><strong>▲▲ ");
        html_label(html, LABEL_SEVERITY_HIGH);
    } else if (severity >= 50) {
        html_raw(html, "<td class=\"warn\"><strong>▲ ");
        html_label(html, LABEL_SEVERITY_MEDIUM);
    } else {
        html_raw(html, "<td><strong>");
        html_label(html, LABEL_SEVERITY_LOW);
    }
    html_raw(html, "</strong> <span class=\"soft\">");
    html_number(html, (uint64_t)severity);
    html_raw(html, "</span></td>");
}

static void put_rules(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_SEVERITY, LABEL_RULE, LABEL_DESCRIPTION, LABEL_HITS};
    section_table_open(html, heads, 4, 1U << 3);
    for (size_t i = 0; i < model->rule_cut.count; i++) {
        const struct model_rule *rule = &model->rules[i];
        html_raw(html, "<tr>");
        put_severity(html, rule->severity);
        html_raw(html, "<td><span class=\"code\">");
        html_text(html, rule->name);
        html_raw(html, "</span><br><span class=\"soft small\">");
        html_text(html, rule->space);
        html_raw(html, "</span></td>");
        html_raw(html, "<td class=\"wide\">");
        html_text(html, rule->description);
        if (*rule->text) {
            html_raw(html, "<details><summary>");
            html_label(html, LABEL_RULE_TEXT);
            html_raw(html, "</summary><pre class=\"code small\">");
            html_text(html, rule->text);
            html_raw(html, "</pre></details>");
        }
        html_raw(html, "</td>");
        html_cell_number(html, rule->contents);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->rule_cut);
}

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') & 15 : ((unsigned)c - 'a' + 10) & 15;
}

/* Hex as it is, then as text with a dot for what is not printable ASCII: never the evidence's own bytes. */
static void put_bytes(struct html *html, const char *hex, bool text)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size && i < CONTEXT_MAX; i++) {
        unsigned byte = nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]);
        char word[4] = {hex[2 * i], hex[2 * i + 1], ' ', 0};
        if (text)
            word[0] = byte >= 0x20 && byte < 0x7f ? (char)byte : '.', word[1] = 0;
        html_text(html, word);
    }
    if (size > CONTEXT_MAX)
        html_text(html, "…");
}

/* The first string and what stands around it, twice: as hex and as text. */
static void put_context(struct html *html, const struct model_match *match)
{
    html_raw(html, "<td class=\"code small\">");
    html_text(html, match->string);
    for (int text = 0; text < 2 && *match->string; text++) {
        html_raw(html, "<br>");
        put_bytes(html, match->before, text);
        html_raw(html, "<strong>");
        put_bytes(html, match->data, text);
        html_raw(html, "</strong>");
        put_bytes(html, match->after, text);
    }
    html_raw(html, "</td>");
}

static void put_matches(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_RULE,  LABEL_EXHIBIT, LABEL_PATH,
                                              LABEL_STATE, LABEL_SIZE,    LABEL_OFFSETS, LABEL_CONTEXT};
    html_raw(html, "<h3>");
    html_label(html, LABEL_WHERE_MATCHED);
    html_raw(html, "</h3>\n");
    section_table_open(html, heads, 7, 1U << 4 | 1U << 5);
    for (size_t i = 0; i < model->match_cut.count; i++) {
        const struct model_match *match = &model->matches[i];
        html_raw(html, "<tr><td><span class=\"code\">");
        html_text(html, match->rule);
        html_raw(html, "</span>");
        section_pass(html, match->pass);
        html_raw(html, "</td>");
        html_cell(html, match->exhibit);
        html_cell_evidence(html, match->path);
        put_state(html, match->deleted);
        html_cell_size(html, match->size);
        if (match->offset == UINT64_MAX)
            html_cell(html, "");
        else
            html_cell_number(html, match->offset);
        put_context(html, match);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->match_cut);
}

void section_findings(struct html *html, const struct report_model *model)
{
    if (!model->has_yara && model->match_cut.total == 0) {
        html_raw(html, "<p class=\"warn\">▲ ");
        html_label(html, LABEL_NO_YARA);
        html_raw(html, "</p>\n");
    } else if (model->match_cut.total == 0) {
        section_text(html, LABEL_NO_MATCHES);
    } else {
        section_text(html, LABEL_FINDINGS_TEXT);
        put_rules(html, model);
        put_matches(html, model);
    }
    section_custody_table(html, model, &custody_reviews);
}

void section_locked(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_KIND_COLUMN, LABEL_EXHIBIT, LABEL_WHERE, LABEL_WHAT,
                                              LABEL_SIZE};
    if (model->encrypted_entries > 0) {
        html_raw(html, "<p>▲ ");
        html_say_numbers(html, LABEL_ENCRYPTED_ENTRIES, model->encrypted_entries, 0);
        html_raw(html, "<br><code>sqlite3 -readonly case.db \"SELECT exhibit, path FROM file WHERE "
                       "encrypted\"</code></p>\n");
    }
    if (model->locked_cut.total == 0) {
        if (model->encrypted_entries == 0)
            section_text(html, LABEL_LOCKED_NONE);
        return;
    }
    section_text(html, LABEL_LOCKED_TEXT);
    section_table_open(html, heads, 5, 1U << 4);
    for (size_t i = 0; i < model->locked_cut.count; i++) {
        const struct model_fault *locked = &model->locked[i];
        html_raw(html, "<tr>");
        html_cell_term(html, TERM_FAULT, locked->kind);
        html_cell(html, locked->exhibit);
        html_cell_evidence(html, *locked->path ? locked->path : locked->volume);
        html_raw(html, "<td class=\"wide\">");
        html_text(html, locked->detail);
        html_raw(html, "</td>");
        if (locked->size > 0)
            html_cell_size(html, locked->size);
        else
            html_cell(html, "");
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->locked_cut);
}

void section_mismatches(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_EXHIBIT,      LABEL_PATH,  LABEL_EXTENSION,
                                              LABEL_CONTENT_TYPE, LABEL_STATE, LABEL_SIZE};
    if (model->mismatch_cut.total == 0) {
        section_text(html, LABEL_MISMATCH_NONE);
        return;
    }
    section_text(html, LABEL_MISMATCHES_TEXT);
    section_table_open(html, heads, 6, 1U << 5);
    for (size_t i = 0; i < model->mismatch_cut.count; i++) {
        const struct model_mismatch *mismatch = &model->mismatches[i];
        html_raw(html, "<tr>");
        html_cell(html, mismatch->exhibit);
        html_cell_evidence(html, mismatch->path);
        html_raw(html, "<td>.");
        html_text(html, mismatch->extension);
        html_raw(html, "</td>");
        html_cell(html, mismatch->mime);
        put_state(html, mismatch->deleted);
        html_cell_size(html, mismatch->size);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->mismatch_cut);
}

static void put_share(struct html *html, uint64_t bytes, uint64_t most)
{
    html_raw(html, "<td class=\"barcell\">");
    if (bytes > 0 && most > 0)
        buf_printf(html->buf, "<span class=\"bar\" style=\"width:%.1f%%\"></span>",
                   100.0 * (double)bytes / (double)most);
    html_raw(html, "</td>");
}

void section_types(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_TYPE, LABEL_COUNT, LABEL_BYTES, LABEL_SHARE};
    uint64_t most = model->type_rest_bytes;
    for (size_t i = 0; i < model->type_cut.count; i++)
        if (model->types[i].bytes > most)
            most = model->types[i].bytes;
    if (model->type_cut.total == 0) {
        section_text(html, LABEL_NONE);
        return;
    }
    section_text(html, LABEL_TYPES_TEXT);
    section_table_open(html, heads, 4, 1U << 1 | 1U << 2);
    for (size_t i = 0; i < model->type_cut.count; i++) {
        const struct model_type *type = &model->types[i];
        html_raw(html, "<tr><td>");
        if (*type->mime)
            html_text(html, type->mime);
        else
            html_label(html, LABEL_TYPE_UNKNOWN);
        html_raw(html, "</td>");
        html_cell_number(html, type->count);
        html_cell_size(html, type->bytes);
        put_share(html, type->bytes, most);
        html_raw(html, "</tr>\n");
    }
    if (model->type_rest > 0) {
        html_raw(html, "<tr><td class=\"soft\">");
        html_say_numbers(html, LABEL_TYPES_REST, model->type_rest, 0);
        html_raw(html, "</td>");
        html_cell_number(html, model->type_rest_count);
        html_cell_size(html, model->type_rest_bytes);
        put_share(html, model->type_rest_bytes, most);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->type_cut);
}
