/* report_model_rows: findings, faults, notes, runs: every table of the report that is a list of rows. */
#include "cases/kept.h"
#include "cases/report/report_gather.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A column of JSON, or NULL where it is not: a doctored case must not stop its own report. */
#define JSON(column) "CASE WHEN json_valid(" column ") THEN " column " END"

static int severity_of(struct db_statement *s, int column)
{
    int64_t severity = db_i64(s, column);
    if (db_is_null(s, column) || severity < 0)
        return MODEL_UNSTATED;
    return severity > 100 ? 100 : (int)severity;
}

static char *rule_text(struct gather *gather, struct db_statement *s)
{
    struct buf text = {0};
    if (kept_lines(gather->cf, db_text(s, 7), db_u64(s, 5), db_u64(s, 6), &text))
        buf_clear(&text);
    buf_u8(&text, '\0');
    return buf_steal(&text);
}

static int rule_row(struct gather *gather, struct db_statement *s)
{
    struct model_rule *rule =
        gather_grow(&gather->model->rules, &gather->model->rule_cut.count, sizeof *rule);
    if (!rule)
        return -ENOMEM;
    rule->name = gather_text(s, 0);
    rule->space = gather_text(s, 1);
    rule->description = gather_text(s, 2);
    rule->severity = severity_of(s, 3);
    rule->contents = db_u64(s, 4);
    rule->text = rule_text(gather, s);
    return rule->name && rule->space && rule->description && rule->text ? 0 : -ENOMEM;
}

static int match_row(struct gather *gather, struct db_statement *s)
{
    struct model_match *match =
        gather_grow(&gather->model->matches, &gather->model->match_cut.count, sizeof *match);
    if (!match)
        return -ENOMEM;
    match->exhibit = gather_text(s, 0);
    match->path = gather_text(s, 1);
    match->rule = gather_text(s, 2);
    match->severity = severity_of(s, 3);
    match->size = gather_known(s, 4, 0);
    match->deleted = db_i64(s, 5) != 0;
    match->offset = gather_known(s, 6, UINT64_MAX);
    match->pass = db_u64(s, 11);
    match->string = gather_text(s, 7);
    match->before = gather_text(s, 8);
    match->data = gather_text(s, 9);
    match->after = gather_text(s, 10);
    return match->exhibit && match->path && match->rule && match->string && match->before && match->data &&
                   match->after
               ? 0
               : -ENOMEM;
}

static int fill_fault(struct model_fault *fault, struct db_statement *s)
{
    if (!fault)
        return -ENOMEM;
    char **const texts[] = {&fault->exhibit, &fault->kind,   &fault->stage,  &fault->plugin,
                            &fault->path,    &fault->volume, &fault->effect, &fault->detail};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    fault->offset = gather_known(s, 8, UINT64_MAX);
    fault->size = gather_known(s, 9, 0);
    return 0;
}

static int fault_row(struct gather *gather, struct db_statement *s)
{
    return fill_fault(
        gather_grow(&gather->model->faults, &gather->model->fault_cut.count, sizeof(struct model_fault)), s);
}

static int locked_row(struct gather *gather, struct db_statement *s)
{
    return fill_fault(
        gather_grow(&gather->model->locked, &gather->model->locked_cut.count, sizeof(struct model_fault)), s);
}

static int kind_row(struct gather *gather, struct db_statement *s)
{
    struct model_kind *kind =
        gather_grow(&gather->model->fault_kinds, &gather->model->fault_kind_count, sizeof *kind);
    if (!kind || !(kind->kind = gather_text(s, 0)))
        return -ENOMEM;
    kind->count = db_u64(s, 1);
    return 0;
}

static int mismatch_row(struct gather *gather, struct db_statement *s)
{
    struct model_mismatch *mismatch =
        gather_grow(&gather->model->mismatches, &gather->model->mismatch_cut.count, sizeof *mismatch);
    char extension[32];
    if (!mismatch)
        return -ENOMEM;
    const char *path = db_text(s, 1), *slash = strrchr(path, '/');
    text_extension(slash ? slash + 1 : path, extension, sizeof extension);
    mismatch->exhibit = gather_text(s, 0);
    mismatch->path = gather_text(s, 1);
    mismatch->mime = gather_text(s, 2);
    mismatch->extension = strdup(extension);
    mismatch->size = gather_known(s, 3, 0);
    mismatch->deleted = db_i64(s, 4) == 0;
    return mismatch->exhibit && mismatch->path && mismatch->mime && mismatch->extension ? 0 : -ENOMEM;
}

static int note_row(struct gather *gather, struct db_statement *s)
{
    struct model_note *note =
        gather_grow(&gather->model->notes, &gather->model->note_cut.count, sizeof *note);
    if (!note)
        return -ENOMEM;
    note->exhibit = gather_text(s, 0);
    note->path = gather_text(s, 1);
    note->plugin = gather_text(s, 2);
    note->text = gather_text(s, 3);
    note->offset = gather_known(s, 4, 0);
    return note->exhibit && note->path && note->plugin && note->text ? 0 : -ENOMEM;
}

static int run_row(struct gather *gather, struct db_statement *s)
{
    struct model_run *run = gather_grow(&gather->model->runs, &gather->model->run_cut.count, sizeof *run);
    if (!run)
        return -ENOMEM;
    run->id = db_u64(s, 0);
    run->status = gather_text(s, 1);
    run->settings_sha256 = gather_text(s, 2);
    run->started = WHEN_NONE;
    run->ended = WHEN_NONE;
    if (!when_parse(db_text(s, 3), &run->started))
        run->started = WHEN_NONE;
    if (!when_parse(db_text(s, 4), &run->ended))
        run->ended = WHEN_NONE;
    return run->status && run->settings_sha256 ? 0 : -ENOMEM;
}

static int loaded_row(struct gather *gather, struct db_statement *s)
{
    struct model_loaded *loaded =
        gather_grow(&gather->model->loaded, &gather->model->loaded_cut.count, sizeof *loaded);
    if (!loaded)
        return -ENOMEM;
    loaded->plugin = gather_text(s, 0);
    loaded->kind = gather_text(s, 1);
    loaded->name = gather_text(s, 2);
    loaded->sha256 = gather_text(s, 3);
    loaded->problem = gather_text(s, 4);
    loaded->count = gather_known(s, 5, 0);
    loaded->pass = db_u64(s, 6);
    return loaded->plugin && loaded->kind && loaded->name && loaded->sha256 && loaded->problem ? 0 : -ENOMEM;
}

static int pass_row(struct gather *gather, struct db_statement *s)
{
    struct model_pass *pass =
        gather_grow(&gather->model->passes, &gather->model->pass_cut.count, sizeof *pass);
    if (!pass)
        return -ENOMEM;
    uint64_t *const numbers[] = {&pass->id,     &pass->contents, &pass->done,     &pass->partial,
                                 &pass->failed, &pass->pending,  &pass->given_up, &pass->not_in_it,
                                 &pass->equal,  &pass->faults};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = db_u64(s, (int)i);
    if (pass->id == 1) {
        const struct first_pass *first = &gather->first;
        pass->contents = first->contents;
        pass->done = first->done;
        pass->partial = first->partial;
        pass->failed = first->failed;
        pass->pending = first->pending;
    }
    pass->plugins = gather_text(s, 10);
    pass->status = pass->id == 1 && gather->first.pending > 0 ? strdup("open") : gather_text(s, 11);
    return pass->plugins && pass->status ? 0 : -ENOMEM;
}

static int pair_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    struct model_pairs *const lists[] = {&model->settings, &model->versions, &model->host, &model->sandbox};
    uint64_t index = db_u64(s, 0);
    if (index >= sizeof lists / sizeof *lists)
        return 0;
    struct model_pair *pair = gather_grow(&lists[index]->items, &lists[index]->count, sizeof *pair);
    if (!pair)
        return -ENOMEM;
    pair->key = gather_text(s, 1);
    pair->value = gather_text(s, 2);
    return pair->key && pair->value ? 0 : -ENOMEM;
}

/* ---- what is asked ---- */

#define FAULT_COLUMNS                                                                                        \
    "SELECT exhibit, kind, stage, plugin, path, volume, effect, detail, offset, size FROM fault "
#define FAULT_ORDER  "ORDER BY exhibit, kind, path, offset, detail LIMIT ?1"
#define LAST_OF_PASS "run IN (SELECT max(id) FROM run WHERE pass > 0 GROUP BY pass)"
#define LOCKED       "kind IN ('encrypted', 'unsupported')"

/* The view looks at every content for each of these; of the first pass, which is all of them, they are counted. */
#define LATER(column) "CASE WHEN id <> 1 THEN " column " END"

/* A table: how many rows there are, the rows that are shown, and what shows all. */
static const struct gather_table tables[] = {
    {"SELECT count(*) FROM (SELECT DISTINCT namespace, rule FROM match)",
     "SELECT rule, namespace, max(coalesce(json_extract(meta, '$.description[0]'), json_extract(meta, "
     "'$.description'), '')), "
     "max(severity), count(DISTINCT stream), max(line), max(last_line), (SELECT l.sha256 FROM t_run_loaded l "
     "WHERE "
     "l.kind = 'rules' AND l.name IN (namespace || '.yar', namespace || '.yara', namespace || '.rule') ORDER "
     "BY l.run DESC "
     "LIMIT 1) FROM (SELECT rule, namespace, severity, stream, line, last_line, " JSON(
         "meta") " AS meta FROM match) "
                 "GROUP BY namespace, rule ORDER BY 4 DESC NULLS LAST, 5 DESC, 1, 2 LIMIT ?1",
     "SELECT severity, rule, namespace, count(*) FROM match GROUP BY rule, namespace", MODEL_RULES_MAX,
     rule_row, offsetof(struct report_model, rule_cut)},
    {"SELECT count(*) FROM match",
     "SELECT exhibit, path, rule, severity, size, deleted, json_extract(strings, '$[0].offset'), "
     "json_extract(strings, '$[0].id'), json_extract(strings, '$[0].before'), json_extract(strings, "
     "'$[0].data'), "
     "json_extract(strings, '$[0].after'), pass FROM (SELECT m.exhibit, m.path, m.rule, m.severity, s.size, "
     "s.deleted, " JSON("m.strings") " AS strings, m.pass AS pass FROM match m JOIN stream s ON s.id = "
                                     "m.stream ORDER BY m.severity DESC NULLS LAST, m.rule, "
                                     "m.exhibit, m.path, m.pass LIMIT ?1)",
     "SELECT severity, rule, exhibit, path, strings, pass FROM match ORDER BY severity DESC",
     MODEL_MATCHES_MAX, match_row, offsetof(struct report_model, match_cut)},
    {"SELECT count(*) FROM fault WHERE " LOCKED, FAULT_COLUMNS "WHERE " LOCKED " " FAULT_ORDER,
     "SELECT * FROM fault WHERE " LOCKED, MODEL_LOCKED_MAX, locked_row,
     offsetof(struct report_model, locked_cut)},
    {"SELECT count(*) FROM file WHERE mismatch = 1",
     "SELECT exhibit, path, mime, size, live FROM file WHERE mismatch = 1 ORDER BY exhibit, path LIMIT ?1",
     "SELECT exhibit, path, mime, size, live FROM file WHERE mismatch = 1", MODEL_MISMATCHES_MAX,
     mismatch_row, offsetof(struct report_model, mismatch_cut)},
    {"SELECT count(*) FROM fault", FAULT_COLUMNS FAULT_ORDER, "SELECT * FROM fault", MODEL_FAULTS_MAX,
     fault_row, offsetof(struct report_model, fault_cut)},
    {"SELECT count(*) FROM note",
     "SELECT exhibit, path, plugin, text, offset FROM note ORDER BY exhibit, path, offset, plugin LIMIT ?1",
     "SELECT * FROM note", MODEL_NOTES_MAX, note_row, offsetof(struct report_model, note_cut)},
    {"SELECT count(*) FROM run", /* the latest, in the order they ran */
     "SELECT * FROM (SELECT id, status, settings_sha256, started, ended FROM run ORDER BY id DESC LIMIT ?1) "
     "ORDER BY id",
     "SELECT * FROM run", MODEL_RUNS_MAX, run_row, offsetof(struct report_model, run_cut)},
    {"SELECT count(*) FROM run_loaded WHERE " LAST_OF_PASS, /* of a pass, its last run's */
     "SELECT plugin, kind, name, l.sha256, problem, count, r.pass FROM run_loaded l JOIN run r ON r.id = "
     "l.run WHERE " LAST_OF_PASS " ORDER BY r.pass, plugin, kind, name LIMIT ?1",
     "SELECT * FROM run_loaded", MODEL_LOADED_MAX, loaded_row, offsetof(struct report_model, loaded_cut)},
    {"SELECT count(*) FROM pass",
     "SELECT id, " LATER("contents") ", " LATER("done") ", " LATER("partial") ", " LATER("failed") ", " LATER(
         "pending") ", given_up, not_in_it, equal, faults, plugins, CASE WHEN id <> 1 THEN status WHEN EXISTS (SELECT 1 FROM "
                    "t_expand WHERE status = 0) OR NOT EXISTS (SELECT 1 FROM t_expand) THEN 'open' ELSE 'done' END FROM pass "
                    "ORDER BY id LIMIT ?1",
     "SELECT * FROM pass", MODEL_PASSES_MAX, pass_row, offsetof(struct report_model, pass_cut)},
};

static const char pair_sql[] =
    "SELECT p.i, p.key, CASE WHEN p.type IN ('true', 'false') THEN p.type ELSE p.value END FROM (SELECT o.i "
    "AS i, "
    "CASE WHEN k.key IS NULL THEN j.key ELSE j.key || '.' || k.key END AS key, coalesce(k.type, j.type) AS "
    "type, "
    "CASE WHEN k.key IS NULL THEN j.value ELSE k.value END AS value FROM ("
    "SELECT 0 AS i, settings AS o FROM last UNION ALL SELECT 1, versions FROM last UNION ALL SELECT 2, host "
    "FROM last "
    "UNION ALL SELECT 3, sandbox FROM last) o, json_each(CASE WHEN json_valid(o.o) THEN o.o ELSE '{}' END) j "
    "LEFT JOIN json_each(CASE j.type WHEN 'object' THEN j.value ELSE '{}' END) k) p ORDER BY p.i, p.key";

static int gather_runs(struct gather *gather)
{
    struct report_model *model = gather->model;
    struct buf sql = {0};
    buf_printf(&sql, "WITH last AS (SELECT * FROM run ORDER BY id DESC LIMIT 1) %s", pair_sql);
    int error = buf_failed(&sql) ? why_set(gather->why, -ENOMEM, "no memory")
                                 : gather_each(gather, buf_cstr(&sql), 0, pair_row, NULL);
    buf_finish(&sql);
    model->run_total = model->run_cut.total;
    if (model->run_cut.count > 0) {
        model->first_run = model->runs[0].started;
        model->last_run = model->runs[model->run_cut.count - 1].ended;
    }
    return error;
}

int gather_rows(struct gather *gather)
{
    struct report_model *model = gather->model;
    uint64_t yara = 0;
    int error = gather_tables(gather, tables, sizeof tables / sizeof *tables);
    if (error == 0)
        error = gather_each(gather, "SELECT kind, count(*) FROM fault GROUP BY kind ORDER BY 2 DESC, 1", 0,
                            kind_row, NULL);
    if (error == 0)
        error = gather_runs(gather);
    if (error == 0)
        error = gather_number(
            gather, "SELECT count(*) FROM run_loaded WHERE plugin = 'yara' AND problem IS NULL", &yara);
    model->has_yara = yara > 0;
    return error;
}

/* ---- and given back ---- */

static void free_faults(struct model_fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *const texts[] = {faults[i].exhibit, faults[i].kind,   faults[i].stage,  faults[i].plugin,
                               faults[i].path,    faults[i].volume, faults[i].effect, faults[i].detail};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
    }
    free(faults);
}

static void free_pairs(struct model_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].key);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

static void free_findings(struct report_model *model)
{
    for (size_t i = 0; i < model->rule_cut.count; i++) {
        free(model->rules[i].name);
        free(model->rules[i].space);
        free(model->rules[i].description);
        free(model->rules[i].text);
    }
    for (size_t i = 0; i < model->match_cut.count; i++) {
        free(model->matches[i].exhibit);
        free(model->matches[i].path);
        free(model->matches[i].rule);
        free(model->matches[i].string);
        free(model->matches[i].before);
        free(model->matches[i].data);
        free(model->matches[i].after);
    }
    for (size_t i = 0; i < model->mismatch_cut.count; i++) {
        free(model->mismatches[i].exhibit);
        free(model->mismatches[i].path);
        free(model->mismatches[i].mime);
        free(model->mismatches[i].extension);
    }
    for (size_t i = 0; i < model->type_cut.count; i++)
        free(model->types[i].mime);
    for (size_t i = 0; i < model->fault_kind_count; i++)
        free(model->fault_kinds[i].kind);
    for (size_t i = 0; i < model->note_cut.count; i++) {
        free(model->notes[i].exhibit);
        free(model->notes[i].path);
        free(model->notes[i].plugin);
        free(model->notes[i].text);
    }
    free(model->rules);
    free(model->matches);
    free(model->mismatches);
    free(model->types);
    free(model->fault_kinds);
    free(model->notes);
}

static void free_runs(struct report_model *model)
{
    for (size_t i = 0; i < model->run_cut.count; i++) {
        free(model->runs[i].status);
        free(model->runs[i].settings_sha256);
    }
    for (size_t i = 0; i < model->loaded_cut.count; i++) {
        free(model->loaded[i].plugin);
        free(model->loaded[i].kind);
        free(model->loaded[i].name);
        free(model->loaded[i].sha256);
        free(model->loaded[i].problem);
    }
    for (size_t i = 0; i < model->pass_cut.count; i++) {
        free(model->passes[i].plugins);
        free(model->passes[i].status);
    }
    free(model->runs);
    free(model->loaded);
    free(model->passes);
    free_pairs(&model->settings);
    free_pairs(&model->versions);
    free_pairs(&model->host);
    free_pairs(&model->sandbox);
}

void rows_free(struct report_model *model)
{
    free_faults(model->faults, model->fault_cut.count);
    free_faults(model->locked, model->locked_cut.count);
    free_findings(model);
    free_runs(model);
}
