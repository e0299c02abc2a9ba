/* report_html_method: faults and notes, how the case was processed, its integrity, the words used. */
#include "cases/report/report_sections.h"

#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <string.h>

void section_pass(struct html *html, uint64_t pass)
{
    if (pass < 2)
        return;
    html_raw(html, "<br><span class=\"soft\">");
    html_label(html, LABEL_PASS);
    buf_printf(html->buf, " %llu</span>", (unsigned long long)pass);
}

/* ---- faults and notes ---- */

static bool fault_meaning(const char *kind, enum report_label *ret_label)
{
    static const struct {
        const char *kind;
        enum report_label label;
    } meanings[] = {
        {"unreadable", LABEL_FAULT_UNREADABLE},
        {"damaged", LABEL_FAULT_DAMAGED},
        {"unsupported", LABEL_FAULT_UNSUPPORTED},
        {"encrypted", LABEL_FAULT_ENCRYPTED},
        {"limit", LABEL_FAULT_LIMIT},
        {"crash", LABEL_FAULT_CRASH},
        {"hang", LABEL_FAULT_HANG},
        {"memory", LABEL_FAULT_MEMORY},
        {"tamper", LABEL_FAULT_TAMPER},
        {"missing", LABEL_FAULT_MISSING},
        {"denied", LABEL_FAULT_DENIED},
        {"changed", LABEL_FAULT_CHANGED},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (!strcmp(meanings[i].kind, kind)) {
            *ret_label = meanings[i].label;
            return true;
        }
    return false;
}

static void put_fault_kinds(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_KIND_COLUMN, LABEL_COUNT, LABEL_MEANING};
    section_table_open(html, heads, 3, 1U << 1);
    for (size_t i = 0; i < model->fault_kind_count; i++) {
        enum report_label label;
        html_raw(html, "<tr>");
        html_cell_term(html, TERM_FAULT, model->fault_kinds[i].kind);
        html_cell_number(html, model->fault_kinds[i].count);
        html_raw(html, "<td>");
        if (fault_meaning(model->fault_kinds[i].kind, &label))
            html_label(html, label);
        html_raw(html, "</td></tr>\n");
    }
    section_table_close(html, NULL);
}

static void put_fault(struct html *html, const struct model_fault *fault)
{
    html_raw(html, "<tr>");
    html_cell_term(html, TERM_FAULT, fault->kind);
    html_raw(html, "<td>");
    html_text(html, fault->exhibit);
    html_raw(html, "</td>");
    html_raw(html, "<td>");
    html_term(html, TERM_STAGE, fault->stage);
    if (*fault->plugin) {
        html_raw(html, "<br><span class=\"soft\">");
        html_text(html, fault->plugin);
        html_raw(html, "</span>");
    }
    html_raw(html, "</td>");
    html_cell_evidence(html, *fault->path ? fault->path : fault->volume);
    if (fault->offset == UINT64_MAX)
        html_cell(html, "");
    else
        html_cell_number(html, fault->offset);
    html_raw(html, "<td class=\"wide\">");
    html_text(html, fault->detail);
    if (*fault->effect) {
        html_raw(html, "<br><span class=\"soft\">→ ");
        html_term(html, TERM_EFFECT, fault->effect);
        html_raw(html, "</span>");
    }
    html_raw(html, "</td></tr>\n");
}

void section_limits(struct html *html, const struct report_model *model)
{
    section_text(html, LABEL_LIMITS_TEXT);
    section_text(html, LABEL_LIMITS_ABSENT);
    html_raw(html, "<p>");
    html_say_numbers(html, LABEL_LIMITS_COUNTS, model->total.limited, model->total.unread);
    html_raw(html, "</p>\n");
    section_custody_table(html, model, &custody_limitations);
}

void section_faults(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_KIND_COLUMN, LABEL_EXHIBIT, LABEL_STAGE,
                                              LABEL_WHERE,       LABEL_OFFSET,  LABEL_CAUSE};
    if (model->fault_cut.total == 0) {
        html_raw(html, "<p class=\"good\">✔ ");
        html_label(html, LABEL_FAULTS_NONE);
        html_raw(html, "</p>\n");
        return;
    }
    section_text(html, LABEL_FAULTS_TEXT);
    section_text(html, LABEL_AS_RECORDED);
    put_fault_kinds(html, model);
    section_table_open(html, heads, 6, 1U << 4);
    for (size_t i = 0; i < model->fault_cut.count; i++)
        put_fault(html, &model->faults[i]);
    section_table_close(html, &model->fault_cut);
}

void section_notes(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_EXHIBIT, LABEL_PATH, LABEL_OFFSET, LABEL_PLUGIN,
                                              LABEL_NOTE};
    if (model->note_cut.total == 0) {
        section_text(html, LABEL_NOTES_NONE);
        return;
    }
    section_text(html, LABEL_NOTES_TEXT);
    section_text(html, LABEL_AS_RECORDED);
    section_table_open(html, heads, 5, 1U << 2);
    for (size_t i = 0; i < model->note_cut.count; i++) {
        const struct model_note *note = &model->notes[i];
        html_raw(html, "<tr>");
        html_cell(html, note->exhibit);
        html_cell_evidence(html, note->path);
        html_cell_number(html, note->offset);
        html_cell(html, note->plugin);
        html_raw(html, "<td class=\"wide\">");
        html_text(html, note->text);
        html_raw(html, "</td></tr>\n");
    }
    section_table_close(html, &model->note_cut);
}

/* ---- method ---- */

/* Keys of settings are what the command line takes, and a computer may be called "worker": they are no words
 * (REPORT_TERMS). */
static void put_pairs(struct html *html, enum report_label label, enum report_term keys,
                      enum report_term values, const struct model_pairs *pairs)
{
    if (pairs->count == 0)
        return;
    html_raw(html, "<h3>");
    html_label(html, label);
    html_raw(html, "</h3>\n<dl class=\"pairs\">\n");
    for (size_t i = 0; i < pairs->count; i++) {
        html_raw(html, "<dt>");
        html_term(html, keys, pairs->items[i].key);
        html_raw(html, "</dt><dd>");
        html_term(html, values, pairs->items[i].value);
        html_raw(html, "</dd>\n");
    }
    html_raw(html, "</dl>\n");
}

static void put_runs(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_RUN, LABEL_STARTED, LABEL_ENDED, LABEL_RESULT,
                                              LABEL_SETTINGS_DIGEST};
    html_raw(html, "<h3>");
    html_label(html, LABEL_RUNS);
    html_raw(html, "</h3>\n");
    section_table_open(html, heads, 5, 1U);
    for (size_t i = 0; i < model->run_cut.count; i++) {
        const struct model_run *run = &model->runs[i];
        html_raw(html, "<tr>");
        html_cell_number(html, run->id);
        html_raw(html, "<td>");
        html_when(html, run->started);
        html_raw(html, "</td><td>");
        if (run->ended == WHEN_NONE)
            html_label(html, LABEL_STILL_OPEN);
        else
            html_when(html, run->ended);
        html_raw(html, "</td>");
        html_cell_term(html, TERM_STATUS, run->status);
        html_cell_evidence(html, run->settings_sha256);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->run_cut);
}

static void put_passes(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_PASS,       LABEL_PLUGIN,       LABEL_RESULT,
                                              LABEL_PASS_DONE,  LABEL_PASS_PARTIAL, LABEL_PASS_NOT,
                                              LABEL_PASS_EQUAL, LABEL_PASS_FAULTS};
    html_raw(html, "<h3>");
    html_label(html, LABEL_PASSES);
    html_raw(html, "</h3>\n");
    section_text(html, LABEL_PASSES_TEXT);
    section_table_open(html, heads, 8, 1U | 0xf8U);
    for (size_t i = 0; i < model->pass_cut.count; i++) {
        const struct model_pass *pass = &model->passes[i];
        const uint64_t numbers[] = {pass->done, pass->partial,
                                    pass->failed + pass->pending + pass->given_up + pass->not_in_it,
                                    pass->equal, pass->faults};
        html_raw(html, "<tr>");
        html_cell_number(html, pass->id);
        html_cell(html, pass->plugins);
        html_cell_term(html, TERM_STATUS, pass->status);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            html_cell_number(html, numbers[n]);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->pass_cut);
}

static void put_loaded(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_PLUGIN, LABEL_NAME, LABEL_RULES_COUNT, LABEL_STATE,
                                              LABEL_VERSION};
    html_raw(html, "<h3>");
    html_label(html, LABEL_RULES);
    html_raw(html, "</h3>\n<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t i = 0; i < 4; i++)
        if (i == 2)
            html_head_number(html, heads[i]);
        else
            html_head(html, heads[i]);
    html_raw(html, "<th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < model->loaded_cut.count; i++) {
        const struct model_loaded *loaded = &model->loaded[i];
        html_raw(html, "<tr>");
        html_raw(html, "<td>");
        html_text(html, loaded->plugin);
        section_pass(html, loaded->pass);
        html_raw(html, "</td>");
        html_cell_evidence(html, loaded->name);
        html_cell_number(html, loaded->count);
        if (*loaded->problem) {
            html_raw(html, "<td class=\"warn\">▲ ");
            html_say(html, LABEL_NOT_IN_USE, loaded->problem, NULL, NULL);
        } else {
            html_raw(html, "<td>");
            html_label(html, LABEL_IN_USE);
        }
        html_raw(html, "</td>");
        html_cell_evidence(html, loaded->sha256);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->loaded_cut);
}

void section_method(struct html *html, const struct report_model *model)
{
    if (model->run_cut.count == 0) {
        section_text(html, LABEL_VERDICT_NOTHING);
        return;
    }
    put_runs(html, model);
    put_passes(html, model);
    put_pairs(html, LABEL_VERSIONS, TERM_HOST, REPORT_TERMS, &model->versions);
    if (model->loaded_cut.total > 0)
        put_loaded(html, model);
    put_pairs(html, LABEL_SETTINGS, REPORT_TERMS, REPORT_TERMS, &model->settings);
    put_pairs(html, LABEL_SANDBOX, TERM_HOST, TERM_HOST, &model->sandbox);
    put_pairs(html, LABEL_HOST, TERM_HOST, REPORT_TERMS, &model->host);
}

/* ---- custody ---- */

static void put_seal(struct html *html, const struct report_model *model)
{
    section_pair_open(html, LABEL_SEAL_NEWEST);
    if (model->seal.number) {
        html_number(html, model->seal.number);
        html_raw(html, ": ");
        html_evidence(html, model->seal.sha256);
    } else {
        html_label(html, LABEL_SEAL_NONE);
    }
    section_pair_close(html);
    if (model->seal.number) {
        section_pair_open(html, LABEL_SEAL_COVERS);
        html_number(html, model->seal.ledger_records);
        section_pair_close(html);
        section_pair_open(html, LABEL_SEAL_SIGNER);
        html_evidence(html, model->seal.signer);
        section_pair_close(html);
    }
    section_pair_open(html, LABEL_CUSTODY_GAPS);
    html_number(html, model->custody_gaps);
    section_pair_close(html);
}

void section_custody(struct html *html, const struct report_model *model)
{
    section_custody_case(html, model);
    section_text(html, LABEL_CUSTODY_TEXT);
    if (*model->ledger_problem) {
        html_raw(html, "<p class=\"bad\"><strong>✖ ");
        html_say(html, LABEL_LEDGER_DAMAGED, model->ledger_problem, NULL, NULL);
        html_raw(html, "</strong></p>\n");
    }
    html_raw(html, "<dl class=\"pairs\">\n");
    section_pair_open(html, LABEL_LEDGER_HEAD);
    html_evidence(html, model->ledger_head);
    section_pair_close(html);
    section_pair_open(html, LABEL_LEDGER_COUNT);
    html_number(html, model->ledger_count);
    section_pair_close(html);
    section_pair_open(html, LABEL_FINDINGS_DIGEST);
    if (*model->findings_digest)
        html_evidence(html, model->findings_digest);
    else
        html_label(html, LABEL_DIGEST_PENDING);
    section_pair_close(html);
    put_seal(html, model);
    html_raw(html, "</dl>\n");
    section_text(html, LABEL_CUSTODY_WHEN);
    html_raw(html, "<p>");
    html_label(html, LABEL_CUSTODY_CHECK);
    html_raw(html, " <code>head -n ");
    buf_printf(html->buf, "%llu", (unsigned long long)model->ledger_count);
    html_raw(html, " ledger.jsonl | tail -n 1 | sha256sum</code></p>\n");
    section_text(html, LABEL_CUSTODY_LIMIT);
}

/* ---- glossary ---- */

void section_glossary(struct html *html, const struct report_model *model)
{
    (void)model;
    html_raw(html, "<dl class=\"glossary\">\n");
    for (size_t i = 0; report_glossary[i][0] != report_glossary[i][1]; i++) {
        html_raw(html, "<div><dt>");
        html_label(html, report_glossary[i][0]);
        html_raw(html, "</dt><dd>");
        html_label(html, report_glossary[i][1]);
        html_raw(html, "</dd></div>\n");
    }
    html_raw(html, "</dl>\n");
}
