/* report_pdf_chapters: what the PDF report says in each chapter. */
#include "cases/report/report_pdf.h"

#include "cases/report/report_custody.h"
#include "cases/report/safe.h"
#include "engine/base/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 10000 };

/* ------------------------------------------------------------------ summary */

int pdf_summary(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    struct buf size = {0};
    pdf_pairs_begin(r);
    pdf_pair_number(r, LABEL_TILE_EXHIBITS, model->exhibit_cut.total);
    pdf_pair_number(r, LABEL_VERIFIED_COUNT, model->verified);
    pdf_pair_number(r, LABEL_ENTRIES_LIVE, model->total.live);
    pdf_pair_number(r, LABEL_ENTRIES_DELETED, model->total.deleted);
    pdf_pair_number(r, LABEL_STREAMS, model->total.contents);
    pdf_pair_number(r, LABEL_STREAMS_WHOLE, model->total.whole);
    pdf_pair_number(r, LABEL_STREAMS_PARTIAL, model->total.partial);
    pdf_pair_number(r, LABEL_STREAMS_FAILED, model->total.failed);
    pdf_pair_number(r, LABEL_STREAMS_PENDING, model->total.pending);
    words_size(&size, r->from->lang, model->total.read);
    pdf_pair(r, LABEL_BYTES_READ, buf_cstr(&size));
    buf_clear(&size);
    words_size(&size, r->from->lang, model->total.unread);
    pdf_pair(r, LABEL_BYTES_UNREADABLE, buf_cstr(&size));
    pdf_pair_number(r, LABEL_TILE_MATCHES, model->match_cut.total);
    pdf_pair_number(r, LABEL_FAULTS, model->total.faults);
    pdf_table_end(r->pdf);
    buf_finish(&size);
    return 0;
}

/* ------------------------------------------------------------------ exhibits */

static void put_hashes(struct pdf_report *r, const struct model_exhibit *exhibit)
{
    const struct pdf_column columns[] = {{"", 0.12, PDF_STRONG, false},
                                         {pdf_word(r, LABEL_HASH_COMPUTED), 0.68, PDF_CODE, false},
                                         {pdf_word(r, LABEL_INTEGRITY), 0.20, PDF_SMALL, false}};
    const char *const values[][2] = {
        {"MD5", exhibit->md5}, {"SHA-1", exhibit->sha1}, {"SHA-256", exhibit->sha256}};
    struct pdf_cells cells = {0};
    pdf_table_begin(r->pdf, columns, 3);
    for (size_t i = 0; i < 3; i++)
        if (*values[i][1]) {
            const char *const row[] = {values[i][0], values[i][1], ""};
            pdf_row(r->pdf, row);
        }
    for (size_t i = 0; i < exhibit->hash_count; i++) {
        const struct model_hash *hash = &exhibit->hashes[i];
        enum report_label result = hash->result == VERIFIED_MATCH      ? LABEL_MATCHES
                                   : hash->result == VERIFIED_MISMATCH ? LABEL_DOES_NOT_MATCH
                                                                       : LABEL_NOT_VERIFIED;
        cells.texts[0] = hash->algorithm;
        pdf_cell_printf(&cells, 1, "%s (%s)", hash->hex,
                        pdf_term(r, &cells.bufs[0], TERM_SOURCE, hash->source));
        cells.texts[2] = pdf_word(r, result);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cells_finish(&cells);
}

static void put_exhibit(struct pdf_report *r, const struct model_exhibit *exhibit)
{
    struct buf size = {0}, type = {0};
    pdf_heading(r->pdf, 2, exhibit->label);
    pdf_pairs_begin(r);
    pdf_pair(r, LABEL_EVIDENCE_FILE, exhibit->name);
    pdf_pair(r, LABEL_EVIDENCE_PATH, exhibit->path);
    if (!exhibit->opened) {
        pdf_pair(r, LABEL_STATE, pdf_word(r, *exhibit->failed ? LABEL_NOT_OPENED : LABEL_NOT_OPENED_YET));
        if (*exhibit->failed)
            pdf_pair(r, LABEL_CAUSE, exhibit->failed);
        pdf_table_end(r->pdf);
        pdf_custody_of(r, exhibit->label);
        return;
    }
    pdf_pair(r, LABEL_IMAGE_TYPE, pdf_term(r, &type, TERM_TYPE, exhibit->type));
    buf_finish(&type);
    words_size(&size, r->from->lang, exhibit->size);
    if (exhibit->size >= 1024) {
        buf_text(&size, " (");
        words_say_numbers(&size, r->from->lang, LABEL_SIZE_BYTES, exhibit->size, 0);
        buf_text(&size, ")");
    }
    pdf_pair(r, LABEL_MEDIUM_SIZE, buf_cstr(&size));
    if (*exhibit->details)
        pdf_pair(r, LABEL_DETAILS, exhibit->details);
    if (*exhibit->damage)
        pdf_pair(r, LABEL_DAMAGE, exhibit->damage);
    if (strcmp(exhibit->type, "folder") != 0)
        pdf_pair(r, LABEL_INTEGRITY, pdf_word(r, report_verification(exhibit->verification)));
    pdf_table_end(r->pdf);
    if (*exhibit->sha256 || exhibit->hash_count)
        put_hashes(r, exhibit);
    pdf_custody_of(r, exhibit->label);
    buf_finish(&size);
}

static void put_volumes(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_EXHIBIT), 0.2, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_VOLUME), 0.2, PDF_CODE, false},
                                         {pdf_word(r, LABEL_FILE_SYSTEM), 0.14, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_OFFSET), 0.18, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_SIZE), 0.14, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_FAULTS_COLUMN), 0.14, PDF_SMALL, true}};
    struct pdf_cells cells = {0};
    pdf_table_begin(r->pdf, columns, 6);
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        const char *label = "";
        if (volume->part != PART_VOLUME)
            continue;
        for (size_t x = 0; x < model->exhibit_cut.count; x++)
            if (model->exhibits[x].id == volume->exhibit)
                label = model->exhibits[x].label;
        cells.texts[0] = label;
        cells.texts[1] = volume->key;
        cells.texts[2] = volume->filesystem;
        pdf_cell_number(&cells, 3, volume->offset);
        pdf_cell_size(r, &cells, 4, volume->size);
        pdf_cell_number(&cells, 5, volume->counts.faults);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->volume_cut);
    pdf_cells_finish(&cells);
}

int pdf_exhibits(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put_exhibit(r, &model->exhibits[i]);
    pdf_cut(r, &model->exhibit_cut);
    pdf_subheading(r, LABEL_PART);
    put_volumes(r);
    return 0;
}

/* ------------------------------------------------------------------ method */

static void put_model_pairs(struct pdf_report *r, enum report_label label, enum report_term keys,
                            enum report_term values, const struct model_pairs *pairs)
{
    static const struct pdf_column columns[] = {{"", 0.32, PDF_SMALL, false}, {"", 0.68, PDF_CODE, false}};
    struct pdf_cells cells = {0};
    if (pairs->count == 0)
        return;
    pdf_subheading(r, label);
    pdf_table_begin(r->pdf, columns, 2);
    for (size_t i = 0; i < pairs->count; i++) {
        pdf_cell_term(r, &cells, 0, keys, pairs->items[i].key);
        pdf_cell_term(r, &cells, 1, values, pairs->items[i].value);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cells_finish(&cells);
}

static void put_runs(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_RUN), 0.07, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_STARTED), 0.21, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_ENDED), 0.21, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_RESULT), 0.13, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_SETTINGS_DIGEST), 0.38, PDF_CODE, false}};
    struct pdf_cells cells = {0};
    pdf_subheading(r, LABEL_RUNS);
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->run_cut.count; i++) {
        const struct model_run *run = &model->runs[i];
        pdf_cell_number(&cells, 0, run->id);
        pdf_cell_when(r, &cells, 1, run->started);
        pdf_cell_when(r, &cells, 2, run->ended);
        if (run->ended == WHEN_NONE)
            cells.texts[2] = pdf_word(r, LABEL_STILL_OPEN);
        pdf_cell_term(r, &cells, 3, TERM_STATUS, run->status);
        cells.texts[4] = run->settings_sha256;
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->run_cut);
    pdf_cells_finish(&cells);
}

int pdf_method(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    if (model->run_cut.count == 0) {
        pdf_label(r, PDF_TEXT, LABEL_VERDICT_NOTHING);
        return 0;
    }
    put_runs(r);
    put_model_pairs(r, LABEL_VERSIONS, TERM_HOST, REPORT_TERMS, &model->versions);
    int code = model->loaded_cut.total > 0 ? pdf_loaded(r) : 0;
    put_model_pairs(r, LABEL_SETTINGS, REPORT_TERMS, REPORT_TERMS, &model->settings);
    put_model_pairs(r, LABEL_SANDBOX, TERM_HOST, TERM_HOST, &model->sandbox);
    put_model_pairs(r, LABEL_HOST, TERM_HOST, REPORT_TERMS, &model->host);
    return code;
}

/* ------------------------------------------------------------------ findings */

static void put_severity(struct pdf_report *r, struct pdf_cells *cells, struct db_statement *s)
{
    int64_t severity = db_i64(s, 0);
    cells->texts[0] = "–";
    if (!db_is_null(s, 0))
        pdf_cell_printf(cells, 0, "%lld %s", (long long)severity,
                        pdf_word(r, severity >= 75   ? LABEL_SEVERITY_HIGH
                                    : severity >= 50 ? LABEL_SEVERITY_MEDIUM
                                                     : LABEL_SEVERITY_LOW));
}

static void put_match(struct pdf_report *r, struct db_statement *s, struct pdf_cells *cells)
{
    struct buf *place = &cells->bufs[2];
    put_severity(r, cells, s);
    pdf_cell_text(cells, 1, db_text(s, 1));
    pdf_cell_text(cells, 2, db_text(s, 3));
    buf_text(place, " · ");
    safe_text(place, db_text(s, 2), strlen(db_text(s, 2)));
    cells->texts[2] = buf_cstr(place);
    cells->texts[3] = pdf_word(r, db_i64(s, 4) ? LABEL_DELETED : LABEL_LIVE);
    cells->texts[4] = db_text(s, 5);
    pdf_row(r->pdf, cells->texts);
}

static int put_matches(struct pdf_report *r)
{
    struct db_statement *s = NULL;
    struct pdf_cells cells = {0};
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_SEVERITY), 0.11, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_RULE), 0.20, PDF_CODE, false},
                                         {pdf_word(r, LABEL_WHERE), 0.44, PDF_CODE, false},
                                         {pdf_word(r, LABEL_STATE), 0.13, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_OFFSETS), 0.12, PDF_SMALL, true}};
    int code = db_prepare(
        casefile_db(r->from->cf),
        "SELECT m.severity, m.rule, m.path, m.exhibit, s.deleted, CASE WHEN json_valid(m.strings) THEN "
        "json_extract(m.strings, '$[0].offset') END FROM match m JOIN t_stream s ON s.id = m.stream "
        "ORDER BY m.severity DESC, s.exhibit, m.path, m.namespace, m.rule, m.pass, s.locator LIMIT ?1",
        &s);
    if (code < 0)
        return code;
    db_bind_i64(s, 1, FINDINGS_MAX);
    pdf_table_begin(r->pdf, columns, 5);
    while ((code = db_step(s)) == 1)
        put_match(r, s, &cells);
    pdf_table_end(r->pdf);
    db_finalize(s);
    pdf_cells_finish(&cells);
    return code;
}

/* ---- hash sets ---- */

static void put_alerts(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_KIND_COLUMN), 0.13, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_SET), 0.24, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_EXHIBIT), 0.13, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_PATH), 0.37, PDF_CODE, false},
                                         {pdf_word(r, LABEL_STATE), 0.13, PDF_SMALL, false}};
    struct pdf_cells cells = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->alert_cut.count; i++) {
        const struct model_alert *alert = &model->alerts[i];
        pdf_cell_term(r, &cells, 0, TERM_SET, alert->kind);
        pdf_cell_printf(&cells, 1, "%s · %s:%llu", alert->set, alert->source, (unsigned long long)alert->line);
        cells.texts[2] = alert->exhibit;
        cells.texts[3] = alert->path;
        cells.texts[4] = pdf_word(r, alert->deleted ? LABEL_DELETED : LABEL_LIVE);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->alert_cut);
    pdf_cells_finish(&cells);
}

static void put_hashsets(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    pdf_subheading(r, LABEL_HASHSETS);
    if (model->set_cut.total == 0 && model->alert_cut.total == 0) {
        pdf_label(r, PDF_TEXT, LABEL_NO_SETS);
        return;
    }
    pdf_say_numbers(r, PDF_TEXT, LABEL_KNOWN_CONTENTS, model->known_contents, 0);
    if (model->alert_cut.total == 0) {
        pdf_label(r, PDF_STRONG, LABEL_NO_ALERTS);
        return;
    }
    pdf_say_numbers(r, PDF_STRONG, LABEL_ALERTS, model->alert_contents, 0);
    pdf_label(r, PDF_TEXT, LABEL_ALERTS_MORE);
    put_alerts(r);
}

static int put_yara(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    if (!model->has_yara) {
        pdf_label(r, PDF_TEXT, LABEL_NO_YARA);
        return 0;
    }
    pdf_label(r, PDF_TEXT, LABEL_FINDINGS_TEXT);
    if (model->match_cut.total == 0) {
        pdf_label(r, PDF_STRONG, LABEL_NO_MATCHES);
        return 0;
    }
    if (model->match_cut.total > FINDINGS_MAX) {
        pdf_say_numbers(r, PDF_SMALL, LABEL_MORE, FINDINGS_MAX, model->match_cut.total);
        pdf_text(r->pdf, PDF_CODE, model->match_cut.query);
    }
    return put_matches(r);
}

int pdf_findings(struct pdf_report *r)
{
    int code = put_yara(r);
    put_hashsets(r);
    pdf_keywords(r);
    if (code == 0)
        code = pdf_features(r);
    pdf_custody_table(r, &custody_reviews);
    return code;
}

/* ------------------------------------------------------------------ recovered */

static const char *grade_name(struct pdf_report *r, const char *grade)
{
    const struct words_grade *known = words_grade(grade);
    return known ? pdf_word(r, known->label) : grade;
}

static void put_grades(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_GRADE), 0.34, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_COUNT), 0.16, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_SAME_AS_FILE), 0.18, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_INSIDE_OTHER), 0.16, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_BYTES), 0.16, PDF_SMALL, true}};
    struct pdf_cells cells = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->grade_cut.count; i++) {
        const struct model_grade *grade = &model->grades[i];
        cells.texts[0] = grade_name(r, grade->grade);
        pdf_cell_number(&cells, 1, grade->count);
        pdf_cell_number(&cells, 2, grade->same);
        pdf_cell_number(&cells, 3, grade->inside);
        pdf_cell_number(&cells, 4, grade->bytes);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cells_finish(&cells);
}

static void put_carved(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_GRADE), 0.12, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_FORMAT), 0.1, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_PATH), 0.32, PDF_CODE, false},
                                         {pdf_word(r, LABEL_SIZE), 0.12, PDF_SMALL, true},
                                         {"SHA-256", 0.34, PDF_CODE, false}};
    struct pdf_cells cells = {0};
    pdf_subheading(r, LABEL_RECOVERED_LIST);
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->carved_cut.count; i++) {
        const struct model_carved *carved = &model->carved[i];
        cells.texts[0] = grade_name(r, carved->grade);
        pdf_cell_term(r, &cells, 1, TERM_FORMAT, carved->format);
        cells.texts[2] = carved->path;
        pdf_cell_size(r, &cells, 3, carved->size);
        cells.texts[4] = carved->sha256;
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->carved_cut);
    pdf_cells_finish(&cells);
}

int pdf_recovered(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    if (!model->has_carve) {
        pdf_label(r, PDF_TEXT, LABEL_NO_CARVE);
        return 0;
    }
    pdf_label(r, PDF_TEXT, LABEL_RECOVERED_TEXT);
    if (model->grade_cut.count == 0) {
        pdf_label(r, PDF_STRONG, LABEL_RECOVERED_NONE);
        return 0;
    }
    put_grades(r);
    if (model->carved_cut.count)
        put_carved(r);
    return 0;
}

/* ------------------------------------------------------------------ limitations and faults */

static void put_fault_table(struct pdf_report *r, const struct model_fault *faults,
                            const struct model_cut *cut)
{
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_KIND_COLUMN), 0.12, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_EXHIBIT), 0.12, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_WHERE), 0.34, PDF_CODE, false},
                                         {pdf_word(r, LABEL_OFFSET), 0.12, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_CAUSE), 0.30, PDF_SMALL, false}};
    struct pdf_cells cells = {0};
    struct buf effect = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < cut->count; i++) {
        const struct model_fault *fault = &faults[i];
        pdf_cell_term(r, &cells, 0, TERM_FAULT, fault->kind);
        cells.texts[1] = fault->exhibit;
        cells.texts[2] = *fault->path ? fault->path : fault->volume;
        pdf_cell_number(&cells, 3, fault->offset);
        if (fault->offset == UINT64_MAX)
            cells.texts[3] = "";
        pdf_cell_printf(&cells, 4, "%s%s%s", fault->detail, *fault->effect ? " → " : "",
                        pdf_term(r, &effect, TERM_EFFECT, fault->effect));
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, cut);
    pdf_cells_finish(&cells);
    buf_finish(&effect);
}

int pdf_limits(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    pdf_label(r, PDF_TEXT, LABEL_LIMITS_TEXT);
    pdf_label(r, PDF_TEXT, LABEL_LIMITS_ABSENT);
    pdf_say_numbers(r, PDF_TEXT, LABEL_LIMITS_COUNTS, model->total.limited, model->total.unread);
    if (model->encrypted_entries)
        pdf_say_numbers(r, PDF_TEXT, LABEL_ENCRYPTED_ENTRIES, model->encrypted_entries, 0);
    pdf_text_missing(r->pdf, PDF_TEXT, pdf_word(r, LABEL_NO_GLYPHS));
    pdf_custody_table(r, &custody_limitations);
    pdf_subheading(r, LABEL_LOCKED);
    if (model->locked_cut.total == 0) {
        pdf_label(r, PDF_TEXT, LABEL_LOCKED_NONE);
        return 0;
    }
    pdf_label(r, PDF_TEXT, LABEL_LOCKED_TEXT);
    put_fault_table(r, model->locked, &model->locked_cut);
    return 0;
}

int pdf_faults(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    if (model->fault_cut.total == 0) {
        pdf_label(r, PDF_TEXT, LABEL_FAULTS_NONE);
        return 0;
    }
    pdf_label(r, PDF_TEXT, LABEL_FAULTS_TEXT);
    pdf_label(r, PDF_SMALL, LABEL_AS_RECORDED);
    put_fault_table(r, model->faults, &model->fault_cut);
    return 0;
}

/* ------------------------------------------------------------------ integrity and annex */

static void put_seal(struct pdf_report *r)
{
    const struct seal *seal = &r->from->model->seal;
    struct buf text = {0};
    if (seal->number)
        buf_printf(&text, "%04u: %s", seal->number, seal->sha256);
    else
        buf_text(&text, pdf_word(r, LABEL_SEAL_NONE));
    pdf_pair(r, LABEL_SEAL_NEWEST, buf_cstr(&text));
    if (seal->number) {
        pdf_pair_number(r, LABEL_SEAL_COVERS, seal->ledger_records);
        pdf_pair(r, LABEL_SEAL_SIGNER, seal->signer);
    }
    pdf_pair_number(r, LABEL_CUSTODY_GAPS, r->from->model->custody_gaps);
    buf_finish(&text);
}

int pdf_custody(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    char check[96];
    pdf_custody_case(r);
    pdf_label(r, PDF_TEXT, LABEL_CUSTODY_TEXT);
    if (*model->ledger_problem)
        pdf_say(r, PDF_STRONG, LABEL_LEDGER_DAMAGED, model->ledger_problem, NULL, NULL);
    pdf_label(r, PDF_SMALL, LABEL_LEDGER_HEAD);
    pdf_text(r->pdf, PDF_CODE, model->ledger_head);
    pdf_pairs_begin(r);
    pdf_pair_number(r, LABEL_LEDGER_COUNT, model->ledger_count);
    put_seal(r);
    pdf_table_end(r->pdf);
    pdf_label(r, PDF_SMALL, LABEL_FINDINGS_DIGEST);
    pdf_text(r->pdf, PDF_CODE,
             *model->findings_digest ? model->findings_digest : pdf_word(r, LABEL_DIGEST_PENDING));
    pdf_label(r, PDF_TEXT, LABEL_CUSTODY_WHEN);
    pdf_label(r, PDF_TEXT, LABEL_CUSTODY_CHECK);
    snprintf(check, sizeof check, "head -n %llu ledger.jsonl | tail -n 1 | sha256sum",
             (unsigned long long)model->ledger_count);
    pdf_text(r->pdf, PDF_CODE, check);
    pdf_label(r, PDF_TEXT, LABEL_CUSTODY_LIMIT);
    return 0;
}

int pdf_annex(struct pdf_report *r)
{
    pdf_subheading(r, LABEL_GLOSSARY);
    pdf_pairs_begin(r);
    for (size_t i = 0; report_glossary[i][0] != report_glossary[i][1]; i++)
        pdf_pair(r, report_glossary[i][0], pdf_word(r, report_glossary[i][1]));
    pdf_table_end(r->pdf);
    pdf_say(r, PDF_SMALL, LABEL_TYPESET, pdf_version(), NULL, NULL);
    return 0;
}
