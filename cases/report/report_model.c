/* report_model: the case's head, its ledger, and what the two other files gather with. See report_model.h. */
#include "cases/report/report_gather.h"

#include "cases/digest.h"
#include "cases/report/safe.h"
#include "cases/custody.h"
#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading rows ---- */

int gather_each(struct gather *gather, const char *sql, uint64_t limit,
                int (*row)(struct gather *gather, struct db_statement *s), uint64_t *ret_rows)
{
    struct db_statement *s = NULL;
    uint64_t rows = 0;
    int error = db_prepare(gather->db, sql, &s);
    if (error == 0) {
        if (strstr(sql, "?1"))
            db_bind_u64(s, 1, limit);
        while ((error = db_step(s)) == 1) {
            error = row(gather, s);
            if (error < 0)
                break;
            rows++;
        }
    }
    if (error == -ENOMEM)
        why_set(gather->why, error, "no memory");
    else if (error < 0)
        why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf), db_error(gather->db));
    db_finalize(s);
    if (ret_rows)
        *ret_rows = rows;
    return error;
}

static int gather_one(struct gather *gather, const struct gather_table *table)
{
    struct model_cut *cut = (struct model_cut *)((char *)gather->model + table->cut);
    cut->query = table->all;
    int error = gather_number(gather, table->count, &cut->total);
    return error < 0 || cut->total == 0 ? error
                                        : gather_each(gather, table->rows, table->max, table->row, NULL);
}

int gather_tables(struct gather *gather, const struct gather_table *tables, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = gather_one(gather, &tables[i]);
    return error;
}

int gather_number(struct gather *gather, const char *sql, uint64_t *ret_number)
{
    struct db_statement *s = NULL;
    int error = db_prepare(gather->db, sql, &s);
    if (error == 0 && (error = db_step(s)) == 1) {
        *ret_number = db_u64(s, 0);
        error = 0;
    }
    if (error < 0)
        why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf), db_error(gather->db));
    db_finalize(s);
    return error;
}

void *gather_grow(void *rows, size_t *count, size_t size)
{
    void **array = rows;
    if ((*count & (*count - 1)) == 0) { /* 0 or a power of two: full */
        void *more = reallocarray(*array, *count ? *count * 2 : 1, size);
        if (!more)
            return NULL;
        *array = more;
    }
    char *row = (char *)*array + *count * size;
    memset(row, 0, size);
    (*count)++;
    return row;
}

uint64_t gather_sum(uint64_t sum, uint64_t more)
{
    return more < INT64_MAX - sum ? sum + more : INT64_MAX;
}

char *gather_safe(const char *text)
{
    struct buf safe = {0};
    safe_text_cut(&safe, text, strlen(text), MODEL_TEXT_MAX);
    if (safe.size == 0 && !buf_failed(&safe))
        return strdup("");
    return buf_steal(&safe);
}

char *gather_text(struct db_statement *s, int column)
{
    return gather_safe(db_text(s, column));
}

bool gather_texts(struct db_statement *s, char **const *ret_texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(*ret_texts[i] = gather_text(s, (int)i)))
            return false;
    return true;
}

uint64_t gather_known(struct db_statement *s, int column, uint64_t missing)
{
    if (db_is_null(s, column) || db_i64(s, column) < 0 || db_i64(s, column) == INT64_MAX)
        return missing;
    return db_u64(s, column);
}

/* ---- the head ---- */

static int case_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    const char *key = db_text(s, 0);
    char **text = !strcmp(key, "number")     ? &model->number
                  : !strcmp(key, "examiner") ? &model->examiner
                                             : NULL;
    if (text) {
        free(*text);
        *text = gather_text(s, 1);
        return *text ? 0 : -ENOMEM;
    }
    if (!strcmp(key, "created") && !when_parse(db_text(s, 1), &model->created))
        model->created = WHEN_NONE;
    return 0;
}

static int gather_head(struct gather *gather)
{
    struct report_model *model = gather->model;
    model->folder = strdup(casefile_folder(gather->cf));
    model->number = strdup("");
    model->examiner = strdup("");
    if (!model->folder || !model->number || !model->examiner)
        return why_set(gather->why, -ENOMEM, "no memory");
    return gather_each(gather, "SELECT key, value FROM t_case", 0, case_row, NULL);
}

/* The state that a report states is that of the last record that is not a report: so writing one does not
 * change the next. */
static int ledger_record(void *context, const struct ledger_record *record)
{
    struct report_model *model = context;
    char kind[16];
    if (!strcmp(record->type, "artifact") && ledger_member(record, "kind", kind, sizeof kind) &&
        !strcmp(kind, "report"))
        return 0;
    model->ledger_count = record->line;
    snprintf(model->ledger_head, sizeof model->ledger_head, "%s", record->hash);
    if (!when_parse(record->time, &model->ledger_time))
        model->ledger_time = WHEN_NONE;
    return 0;
}

static int gather_ledger(struct gather *gather)
{
    struct report_model *model = gather->model;
    struct why why = {0};
    char path[PATH_MAX], head[SHA256_HEX_SIZE];
    uint64_t count = 0;
    snprintf(path, sizeof path, "%s/ledger.jsonl", casefile_folder(gather->cf));
    int error = ledger_walk(path, ledger_record, model, &count, head, &why);
    if (error == -EUCLEAN || error == -ENOENT) { /* the report says so; it is needed most then */
        snprintf(model->ledger_problem, sizeof model->ledger_problem, "%s",
                 why.text[0] ? why.text : strerror(-error));
        return 0;
    }
    return error < 0 ? why_set(gather->why, error, "%s", why.text) : 0;
}

/* A seal that cannot be read is verify's to tell; the report then says that there is none. */
static int gather_custody(struct gather *gather)
{
    struct report_model *model = gather->model;
    const char *folder = casefile_folder(gather->cf);
    struct custody *custody = NULL;
    uint32_t seals = seal_count(folder);
    if (seals && seal_read(folder, seals, &model->seal, NULL))
        model->seal = (struct seal){0};
    if (*model->ledger_problem)
        return 0;
    int error = custody_load(folder, &custody, gather->why);
    if (error == 0)
        model->custody_gaps = custody_check(gather->cf, custody, NULL, NULL);
    model->custody = custody;
    return error;
}

static int gather_snapshot(struct gather *gather)
{
    db_sort_on_disk(gather->db, true);
    int error = db_exec(gather->db, "BEGIN"); /* one snapshot; db_begin would want to write */
    if (error < 0)
        why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf), db_error(gather->db));
    if (error == 0)
        error = gather_head(gather);
    if (error == 0)
        error = gather_media(gather);
    if (error == 0)
        error = gather_rows(gather);
    if (error == 0)
        error = gather_recovered(gather);
    if (error == 0)
        error = gather_hashsets(gather);
    if (error == 0)
        error = gather_keywords(gather);
    if (error == 0)
        error = gather_features(gather);
    db_rollback(gather->db); /* nothing was written */
    db_sort_on_disk(gather->db, false);
    return error;
}

/* Of a case in which nothing waits. Before the snapshot, whose temporary table case_digest would take for a
 * change. */
static int gather_digest(struct gather *gather)
{
    struct report_model *model = gather->model;
    uint64_t runs = 0;
    int error = gather_number(gather, "SELECT count(*) FROM t_run", &runs);
    if (error == 0)
        error = gather_number(gather,
                              "SELECT (SELECT count(*) FROM t_stream WHERE status = 0 AND parent IS NULL AND kind = 0) + "
                              "(SELECT count(*) FROM t_stream WHERE status = 0 AND parent IS NULL AND kind <> 0) + "
                              "(SELECT count(*) FROM t_stream WHERE status = 0 AND parent IS NOT NULL) + "
                              "(SELECT count(*) FROM t_scan WHERE status = 0)", /* by the indexes of what is pending */
                              &model->pending_contents);
    if (error == 0)
        error =
            gather_number(gather, "SELECT count(*) FROM t_expand WHERE status = 0", &model->pending_expands);
    if (error == 0 && runs > 0 && model->pending_contents + model->pending_expands == 0)
        error = case_digest(gather->cf, NULL, NULL, model->findings_digest, gather->why);
    return error;
}

int report_model_new(struct casefile *cf, int64_t now, struct report_model **ret_model, struct why *why)
{
    struct report_model *model = calloc(1, sizeof *model);
    if (!model)
        return why_set(why, -ENOMEM, "no memory");
    struct gather gather = {.cf = cf, .db = casefile_db(cf), .model = model, .why = why};
    model->now = now;
    model->created = model->first_run = model->last_run = model->ledger_time = WHEN_NONE;

    int error = gather_digest(&gather);
    if (error == 0)
        error = gather_snapshot(&gather);
    if (error == 0)
        error = gather_ledger(&gather);
    if (error == 0)
        error = gather_custody(&gather);
    if (now == WHEN_NONE)
        model->now = model->ledger_time != WHEN_NONE ? model->ledger_time : model->created;
    if (error < 0) {
        report_model_free(model);
        return error;
    }
    *ret_model = model;
    return 0;
}

void report_model_free(struct report_model *model)
{
    if (!model)
        return;
    media_free(model);
    rows_free(model);
    keywords_free(model);
    recovered_free(model);
    hashsets_free(model);
    features_free(model);
    custody_free(model->custody);
    free(model->folder);
    free(model->number);
    free(model->examiner);
    free(model);
}

enum model_verdict report_model_verdict(const struct report_model *model)
{
    if (model->run_total == 0 || model->exhibit_cut.total == 0)
        return VERDICT_NOTHING;
    if (model->mismatched > 0)
        return VERDICT_MISMATCH;
    if (model->unopened > 0)
        return VERDICT_UNOPENED;
    if (model->pending_contents + model->pending_expands > 0)
        return VERDICT_PENDING;
    return model->total.faults > 0 ? VERDICT_FAULTS : VERDICT_WHOLE;
}

const char *model_verification_name(enum model_verification verification)
{
    static const char *const names[VERIFIED_STATES] = {
        [VERIFIED_MATCH] = "match",           [VERIFIED_MISMATCH] = "mismatch",
        [VERIFIED_NONE] = "nothing-stored",   [VERIFIED_UNCHECKED] = "not-checked",
        [VERIFIED_UNREADABLE] = "unreadable",
    };
    return names[verification];
}
