/* report_pdf_chapters: what the PDF report says in each chapter. */
#include "cases/report/report_pdf.h"

#include "cases/report/report_custody.h"
#include "cases/report/safe.h"
#include "engine/base/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 10000 };

static const char *number_text(struct buf *buf, uint64_t number)
{
    buf_clear(buf);
    safe_number(buf, number);
    return buf_cstr(buf);
}

static const char *label_of(struct pdf_report *r, enum report_label label)
{
    return report_label(r->from->lang, label);
}

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
                                         {label_of(r, LABEL_HASH_COMPUTED), 0.68, PDF_CODE, false},
                                         {label_of(r, LABEL_INTEGRITY), 0.20, PDF_SMALL, false}};
    const char *const values[][2] = {
        {"MD5", exhibit->md5}, {"SHA-1", exhibit->sha1}, {"SHA-256", exhibit->sha256}};
    pdf_table_begin(r->pdf, columns, 3);
    for (size_t i = 0; i < 3; i++)
        if (*values[i][1]) {
            const char *const cells[] = {values[i][0], values[i][1], ""};
            pdf_row(r->pdf, cells);
        }
    for (size_t i = 0; i < exhibit->hash_count; i++) {
        const struct model_hash *hash = &exhibit->hashes[i];
        enum report_label result = hash->result == VERIFIED_MATCH      ? LABEL_MATCHES
                                   : hash->result == VERIFIED_MISMATCH ? LABEL_DOES_NOT_MATCH
                                                                       : LABEL_NOT_VERIFIED;
        struct buf text = {0}, source = {0};
        buf_printf(&text, "%s (%s)", hash->hex, pdf_term(r, &source, TERM_SOURCE, hash->source));
        const char *const cells[] = {hash->algorithm, buf_cstr(&text), label_of(r, result)};
        pdf_row(r->pdf, cells);
        buf_finish(&text);
        buf_finish(&source);
    }
    pdf_table_end(r->pdf);
}

static void put_exhibit(struct pdf_report *r, const struct model_exhibit *exhibit)
{
    struct buf size = {0}, type = {0};
    pdf_heading(r->pdf, 2, exhibit->label);
    pdf_pairs_begin(r);
    pdf_pair(r, LABEL_EVIDENCE_FILE, exhibit->name);
    pdf_pair(r, LABEL_EVIDENCE_PATH, exhibit->path);
    if (!exhibit->opened) {
        pdf_pair(r, LABEL_STATE, label_of(r, *exhibit->failed ? LABEL_NOT_OPENED : LABEL_NOT_OPENED_YET));
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
        pdf_pair(r, LABEL_INTEGRITY, label_of(r, report_verification(exhibit->verification)));
    pdf_table_end(r->pdf);
    if (*exhibit->sha256 || exhibit->hash_count)
        put_hashes(r, exhibit);
    pdf_custody_of(r, exhibit->label);
    buf_finish(&size);
}

static void put_volumes(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{label_of(r, LABEL_EXHIBIT), 0.2, PDF_SMALL, false},
                                         {label_of(r, LABEL_VOLUME), 0.2, PDF_CODE, false},
                                         {label_of(r, LABEL_FILE_SYSTEM), 0.14, PDF_SMALL, false},
                                         {label_of(r, LABEL_OFFSET), 0.18, PDF_SMALL, true},
                                         {label_of(r, LABEL_SIZE), 0.14, PDF_SMALL, true},
                                         {label_of(r, LABEL_FAULTS_COLUMN), 0.14, PDF_SMALL, true}};
    struct buf offset = {0}, size = {0}, faults = {0};
    pdf_table_begin(r->pdf, columns, 6);
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        const char *label = "";
        if (volume->part != PART_VOLUME)
            continue;
        for (size_t x = 0; x < model->exhibit_cut.count; x++)
            if (model->exhibits[x].id == volume->exhibit)
                label = model->exhibits[x].label;
        buf_clear(&size);
        words_size(&size, r->from->lang, volume->size);
        const char *const cells[] = {label,
                                     volume->key,
                                     volume->filesystem,
                                     number_text(&offset, volume->offset),
                                     buf_cstr(&size),
                                     number_text(&faults, volume->counts.faults)};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->volume_cut);
    buf_finish(&offset);
    buf_finish(&size);
    buf_finish(&faults);
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
    struct buf key = {0}, value = {0};
    if (pairs->count == 0)
        return;
    pdf_subheading(r, label);
    pdf_table_begin(r->pdf, columns, 2);
    for (size_t i = 0; i < pairs->count; i++) {
        const char *const cells[] = {pdf_term(r, &key, keys, pairs->items[i].key),
                                     pdf_term(r, &value, values, pairs->items[i].value)};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    buf_finish(&key);
    buf_finish(&value);
}

static void put_runs(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{label_of(r, LABEL_RUN), 0.07, PDF_SMALL, true},
                                         {label_of(r, LABEL_STARTED), 0.21, PDF_SMALL, false},
                                         {label_of(r, LABEL_ENDED), 0.21, PDF_SMALL, false},
                                         {label_of(r, LABEL_RESULT), 0.13, PDF_SMALL, false},
                                         {label_of(r, LABEL_SETTINGS_DIGEST), 0.38, PDF_CODE, false}};
    struct buf id = {0}, started = {0}, ended = {0}, status = {0};
    pdf_subheading(r, LABEL_RUNS);
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->run_cut.count; i++) {
        const struct model_run *run = &model->runs[i];
        const char *const cells[] = {number_text(&id, run->id), pdf_when(r, &started, run->started),
                                     run->ended == WHEN_NONE ? label_of(r, LABEL_STILL_OPEN)
                                                             : pdf_when(r, &ended, run->ended),
                                     pdf_term(r, &status, TERM_STATUS, run->status), run->settings_sha256};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->run_cut);
    buf_finish(&id);
    buf_finish(&started);
    buf_finish(&ended);
    buf_finish(&status);
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

static void put_severity(struct pdf_report *r, struct buf *buf, struct db_statement *s)
{
    int64_t severity = db_i64(s, 0);
    buf_clear(buf);
    if (db_is_null(s, 0))
        buf_text(buf, "–");
    else
        buf_printf(buf, "%lld %s", (long long)severity,
                   label_of(r, severity >= 75   ? LABEL_SEVERITY_HIGH
                               : severity >= 50 ? LABEL_SEVERITY_MEDIUM
                                                : LABEL_SEVERITY_LOW));
}

static void put_match(struct pdf_report *r, struct db_statement *s, struct buf *severity, struct buf *place)
{
    struct buf rule = {0};
    put_severity(r, severity, s);
    buf_clear(place);
    safe_text(place, db_text(s, 3), strlen(db_text(s, 3)));
    buf_text(place, " · ");
    safe_text(place, db_text(s, 2), strlen(db_text(s, 2)));
    safe_text(&rule, db_text(s, 1), strlen(db_text(s, 1)));
    const char *const cells[] = {buf_cstr(severity), buf_cstr(&rule), buf_cstr(place),
                                 label_of(r, db_i64(s, 4) ? LABEL_DELETED : LABEL_LIVE), db_text(s, 5)};
    pdf_row(r->pdf, cells);
    buf_finish(&rule);
}

static int put_matches(struct pdf_report *r)
{
    struct db_statement *s = NULL;
    struct buf severity = {0}, place = {0};
    const struct pdf_column columns[] = {{label_of(r, LABEL_SEVERITY), 0.11, PDF_SMALL, false},
                                         {label_of(r, LABEL_RULE), 0.20, PDF_CODE, false},
                                         {label_of(r, LABEL_WHERE), 0.44, PDF_CODE, false},
                                         {label_of(r, LABEL_STATE), 0.13, PDF_SMALL, false},
                                         {label_of(r, LABEL_OFFSETS), 0.12, PDF_SMALL, true}};
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
        put_match(r, s, &severity, &place);
    pdf_table_end(r->pdf);
    db_finalize(s);
    buf_finish(&severity);
    buf_finish(&place);
    return code;
}

/* ---- hash sets ---- */

static void put_alerts(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{label_of(r, LABEL_KIND_COLUMN), 0.13, PDF_SMALL, false},
                                         {label_of(r, LABEL_SET), 0.24, PDF_SMALL, false},
                                         {label_of(r, LABEL_EXHIBIT), 0.13, PDF_SMALL, false},
                                         {label_of(r, LABEL_PATH), 0.37, PDF_CODE, false},
                                         {label_of(r, LABEL_STATE), 0.13, PDF_SMALL, false}};
    struct buf set = {0}, kind = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->alert_cut.count; i++) {
        const struct model_alert *alert = &model->alerts[i];
        buf_clear(&set);
        buf_printf(&set, "%s · %s:%llu", alert->set, alert->source, (unsigned long long)alert->line);
        const char *const cells[] = {pdf_term(r, &kind, TERM_SET, alert->kind), buf_cstr(&set), alert->exhibit, alert->path,
                                     label_of(r, alert->deleted ? LABEL_DELETED : LABEL_LIVE)};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->alert_cut);
    buf_finish(&set);
    buf_finish(&kind);
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
    static const struct {
        const char *grade;
        enum report_label label;
    } grades[] = {{"validated", LABEL_GRADE_VALIDATED},
                  {"complete", LABEL_GRADE_COMPLETE},
                  {"partial", LABEL_GRADE_PARTIAL},
                  {"fragment", LABEL_GRADE_FRAGMENT}};
    for (size_t i = 0; i < sizeof grades / sizeof *grades; i++)
        if (!strcmp(grades[i].grade, grade))
            return label_of(r, grades[i].label);
    return grade;
}

static void put_grades(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{label_of(r, LABEL_GRADE), 0.34, PDF_SMALL, false},
                                         {label_of(r, LABEL_COUNT), 0.16, PDF_SMALL, true},
                                         {label_of(r, LABEL_SAME_AS_FILE), 0.18, PDF_SMALL, true},
                                         {label_of(r, LABEL_INSIDE_OTHER), 0.16, PDF_SMALL, true},
                                         {label_of(r, LABEL_BYTES), 0.16, PDF_SMALL, true}};
    struct buf numbers[4] = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->grade_cut.count; i++) {
        const struct model_grade *grade = &model->grades[i];
        const char *const cells[] = {
            grade_name(r, grade->grade), number_text(&numbers[0], grade->count), number_text(&numbers[1], grade->same),
            number_text(&numbers[2], grade->inside), number_text(&numbers[3], grade->bytes)};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    for (size_t i = 0; i < 4; i++)
        buf_finish(&numbers[i]);
}

static void put_carved(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{label_of(r, LABEL_GRADE), 0.12, PDF_SMALL, false},
                                         {label_of(r, LABEL_FORMAT), 0.1, PDF_SMALL, false},
                                         {label_of(r, LABEL_PATH), 0.32, PDF_CODE, false},
                                         {label_of(r, LABEL_SIZE), 0.12, PDF_SMALL, true},
                                         {"SHA-256", 0.34, PDF_CODE, false}};
    struct buf size = {0}, format = {0};
    pdf_subheading(r, LABEL_RECOVERED_LIST);
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < model->carved_cut.count; i++) {
        const struct model_carved *carved = &model->carved[i];
        buf_clear(&size);
        words_size(&size, r->from->lang, carved->size);
        const char *const cells[] = {grade_name(r, carved->grade), pdf_term(r, &format, TERM_FORMAT, carved->format),
                                     carved->path, buf_cstr(&size), carved->sha256};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->carved_cut);
    buf_finish(&size);
    buf_finish(&format);
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
    const struct pdf_column columns[] = {{label_of(r, LABEL_KIND_COLUMN), 0.12, PDF_SMALL, false},
                                         {label_of(r, LABEL_EXHIBIT), 0.12, PDF_SMALL, false},
                                         {label_of(r, LABEL_WHERE), 0.34, PDF_CODE, false},
                                         {label_of(r, LABEL_OFFSET), 0.12, PDF_SMALL, true},
                                         {label_of(r, LABEL_CAUSE), 0.30, PDF_SMALL, false}};
    struct buf offset = {0}, cause = {0}, kind = {0}, effect = {0};
    pdf_table_begin(r->pdf, columns, 5);
    for (size_t i = 0; i < cut->count; i++) {
        const struct model_fault *fault = &faults[i];
        buf_clear(&cause);
        buf_printf(&cause, "%s%s%s", fault->detail, *fault->effect ? " → " : "",
                   pdf_term(r, &effect, TERM_EFFECT, fault->effect));
        const char *const cells[] = {pdf_term(r, &kind, TERM_FAULT, fault->kind), fault->exhibit, *fault->path ? fault->path : fault->volume,
                                     fault->offset == UINT64_MAX ? "" : number_text(&offset, fault->offset),
                                     buf_cstr(&cause)};
        pdf_row(r->pdf, cells);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, cut);
    buf_finish(&offset);
    buf_finish(&cause);
    buf_finish(&kind);
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
    pdf_text_missing(r->pdf, PDF_TEXT, label_of(r, LABEL_NO_GLYPHS));
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
        buf_text(&text, label_of(r, LABEL_SEAL_NONE));
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
             *model->findings_digest ? model->findings_digest : label_of(r, LABEL_DIGEST_PENDING));
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
        pdf_pair(r, report_glossary[i][0], label_of(r, report_glossary[i][1]));
    pdf_table_end(r->pdf);
    pdf_say(r, PDF_SMALL, LABEL_TYPESET, pdf_version(), NULL, NULL);
    return 0;
}
