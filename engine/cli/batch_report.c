/*
 * batch_report: how a batch stands: a page, JSON, and lines on the terminal, all from the same rows.
 */
#include "engine/cli/batch_run.h"

#include "cases/casefile.h"
#include "cases/queue.h"
#include "cases/report/html.h"
#include "engine/base/json.h"
#include "engine/base/when.h"
#include "engine/cli/cli.h"
#include "engine/cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

struct live {
    uint64_t bytes_done, bytes_known;
    bool listing;
};

struct summary {
    struct batch_task *tasks;
    struct live *live; /* of each that runs */
    size_t count, states[BATCH_CANCELLED + 1];
    uint64_t faults, alerts;
    int64_t left; /* seconds, -1: not known */
    struct buf problems;
};

/* ------------------------------------------------------------------ what a case says */

static uint64_t number_of(struct db *db, const char *sql)
{
    uint64_t number = 0;
    (void)db_number(db, sql, 0, 0, &number); /* a view of a plugin that never ran */
    return number;
}

static int take_digest(void *context, const struct ledger_record *record)
{
    if (strcmp(record->type, "run-end") == 0 || strcmp(record->type, "merge") == 0)
        (void)ledger_member(record, "digest", context, SHA256_HEX_SIZE);
    return 0;
}

bool batch_report_learn(struct batch_task *task)
{
    char path[PATH_MAX], head[SHA256_HEX_SIZE], digest[SHA256_HEX_SIZE] = "";
    struct casefile *cf = NULL;
    struct queue_counts counts;
    uint64_t lines;
    if (casefile_open(task->folder, CASEFILE_READ, &cf, NULL))
        return false;
    int code = queue_counts(cf, &counts);
    if (code == 0) {
        task->contents = counts.streams_done;
        task->faults = counts.faults;
    }
    task->alerts =
        number_of(casefile_db(cf), "SELECT count(DISTINCT stream) FROM match WHERE severity >= 75") + /* JOB_SEVERE */
        number_of(casefile_db(cf), "SELECT count(DISTINCT stream) FROM known WHERE set_kind <> 'known'") +
        number_of(casefile_db(cf), "SELECT count(DISTINCT stream) FROM keyword");
    casefile_close(cf);
    snprintf(path, sizeof path, "%s/ledger.jsonl", task->folder);
    if (code || ledger_walk(path, take_digest, digest, &lines, head, NULL))
        return false;
    char *copy = strdup(digest);
    if (!copy)
        return false;
    free(task->digest);
    task->digest = copy;
    return true;
}

static void look_live(const struct batch_task *task, struct live *ret)
{
    struct casefile *cf = NULL;
    struct queue_counts counts;
    if (casefile_open(task->folder, CASEFILE_READ, &cf, NULL))
        return;
    if (queue_counts(cf, &counts) == 0)
        *ret = (struct live){counts.bytes_done, counts.bytes_done + counts.bytes_pending,
                             counts.expands_pending > 0};
    casefile_close(cf);
}

/* ------------------------------------------------------------------ summing up */

/* From what was done in how long, at as many tasks at once as there are now; what is not known stays out of
 * it. */
static int64_t time_left(const struct summary *s)
{
    double done = 0, seconds = 0, left = 0;
    size_t at_once = s->states[BATCH_RUNNING] ? s->states[BATCH_RUNNING] : 1;
    for (size_t i = 0; i < s->count; i++) {
        const struct batch_task *task = &s->tasks[i];
        if (task->state == BATCH_DONE || task->state == BATCH_FAULTS) {
            done += (double)task->evidence_bytes;
            seconds += (double)task->seconds;
        } else if (!batch_state_is_end(task->state)) {
            double share =
                s->live[i].bytes_known ? (double)s->live[i].bytes_done / (double)s->live[i].bytes_known : 0;
            left += (double)task->evidence_bytes * (1 - share);
        }
    }
    if (left <= 0)
        return s->states[BATCH_QUEUED] + s->states[BATCH_RUNNING] + s->states[BATCH_WAITING] ? -1 : 0;
    return done > 0 && seconds > 0 ? (int64_t)(left * seconds / done / (double)at_once) : -1;
}

static int gather(struct batch *batch, struct summary *s)
{
    int code = batch_tasks(batch, &s->tasks, &s->count);
    s->live = code ? NULL : calloc(s->count + 1, sizeof *s->live);
    if (code == 0 && !s->live)
        code = -ENOMEM;
    for (size_t i = 0; code == 0 && i < s->count; i++) {
        s->states[s->tasks[i].state]++;
        s->faults += s->tasks[i].triage ? 0 : s->tasks[i].faults;
        s->alerts += s->tasks[i].triage ? 0 : s->tasks[i].alerts;
        if (!batch_state_is_end(s->tasks[i].state))
            look_live(&s->tasks[i], &s->live[i]);
    }
    if (code == 0)
        s->left = time_left(s);
    return code ? code : batch_problems(batch, &s->problems);
}

static void summary_finish(struct summary *s)
{
    batch_tasks_free(s->tasks, s->count);
    free(s->live);
    buf_finish(&s->problems);
}

static const char *words_of_time(int64_t seconds, char *ret, size_t size)
{
    if (seconds < 0)
        snprintf(ret, size, "not known");
    else
        snprintf(ret, size, "%lld:%02lld:%02lld", (long long)seconds / 3600, (long long)seconds / 60 % 60,
                 (long long)seconds % 60);
    return ret;
}

static const char *progress_words(const struct summary *s, size_t i, char *ret, size_t size)
{
    const struct live *live = &s->live[i];
    const struct batch_task *task = &s->tasks[i];
    if (task->state == BATCH_DONE || task->state == BATCH_FAULTS)
        snprintf(ret, size, "100 %%");
    else if (live->bytes_known == 0)
        snprintf(ret, size, "-");
    else
        snprintf(ret, size, "%llu %%%s",
                 (unsigned long long)(live->bytes_done / (live->bytes_known / 100 + 1)),
                 live->listing ? "?" : "");
    return ret;
}

static bool is_late(const struct batch_task *task)
{
    int64_t end = task->ended ? task->ended : when_now();
    return task->deadline != INT64_MAX && end > task->deadline;
}

/* ------------------------------------------------------------------ JSON */

static void json_task(struct json *json, const struct summary *s, size_t i)
{
    const struct batch_task *task = &s->tasks[i];
    json_object_open(json, NULL);
    json_u64(json, "id", task->id);
    json_text(json, "case", task->folder);
    json_text(json, "exhibit", task->exhibit);
    json_text(json, "stage", task->triage ? "triage" : "full");
    json_text(json, "state", batch_state_word(task->state));
    json_text(json, "message", task->message);
    json_u64(json, "tries", task->tries);
    json_i64(json, "priority", task->priority);
    json_when(json, "deadline", task->deadline == INT64_MAX ? WHEN_NONE : task->deadline);
    json_bool(json, "late", is_late(task));
    json_when(json, "started", task->started ? task->started : WHEN_NONE);
    json_when(json, "ended", task->ended ? task->ended : WHEN_NONE);
    json_u64(json, "seconds", task->seconds);
    json_u64(json, "contents", task->contents);
    json_u64(json, "faults", task->faults);
    json_u64(json, "alerts", task->alerts);
    json_u64(json, "bytes_done", s->live[i].bytes_done);
    json_u64(json, "bytes_known", s->live[i].bytes_known);
    json_text(json, "digest", task->digest[0] ? task->digest : NULL);
    json_object_close(json);
}

static void put_json(const struct summary *s, const struct batch_stand *stand, struct buf *buf)
{
    struct json json;
    char state[256];
    snprintf(state, sizeof state, stand->room ? "%s: %s; it goes on by itself when there is room" : "%s",
             stand->state, stand->room);
    json_init(&json, buf);
    json_object_open(&json, NULL);
    json_when(&json, "time", when_now());
    json_text(&json, "state", state);
    for (size_t i = 0; i <= BATCH_CANCELLED; i++)
        json_u64(&json, batch_state_word((enum batch_state)i), s->states[i]);
    json_u64(&json, "faults_in_all", s->faults);
    json_u64(&json, "alerts_in_all", s->alerts);
    if (s->left >= 0)
        json_i64(&json, "seconds_left", s->left);
    else
        json_none(&json, "seconds_left");
    json_text(&json, "refused_manifests", s->problems.size ? (const char *)s->problems.data : "");
    json_array_open(&json, "tasks");
    for (size_t i = 0; i < s->count; i++)
        json_task(&json, s, i);
    json_array_close(&json);
    json_object_close(&json);
    buf_text(buf, "\n");
}

/* ------------------------------------------------------------------ HTML */

/* Ours in the language of the page; what the task's own process said as it said it. */
static void put_message(struct html *html, const char *message)
{
    struct buf ours = {0};
    report_term(&ours, html->lang, TERM_BATCH, message);
    if (strcmp(buf_cstr(&ours), message) == 0)
        html_cell_evidence(html, message);
    else
        html_cell(html, buf_cstr(&ours));
    buf_finish(&ours);
}

static void html_task(struct html *html, const struct summary *s, size_t i)
{
    const struct batch_task *task = &s->tasks[i];
    char words[64];
    bool wrong = task->state == BATCH_FAILED || is_late(task);
    if (wrong)
        html_raw(html, "<tr class=wrong>");
    else
        html_raw(html, "<tr>");
    html_cell_evidence(html, task->folder);
    html_cell_evidence(html, task->exhibit);
    html_cell_term(html, TERM_BATCH, task->triage ? "triage" : "full");
    html_cell_term(html, TERM_BATCH, batch_state_word(task->state));
    html_cell(html, progress_words(s, i, words, sizeof words));
    html_cell_number(html, task->contents);
    html_cell_number(html, task->faults);
    html_cell_number(html, task->alerts);
    html_cell(html, words_of_time((int64_t)task->seconds, words, sizeof words));
    html_raw(html, "<td>");
    if (task->deadline != INT64_MAX)
        html_when(html, task->deadline);
    if (is_late(task)) {
        html_raw(html, " <b>");
        html_label(html, LABEL_BATCH_LATE);
        html_raw(html, "</b>");
    }
    html_raw(html, "</td>");
    put_message(html, task->message);
    html_raw(html, "</tr>\n");
}

static const enum report_label heads[] = {
    LABEL_BATCH_CASE, LABEL_EXHIBIT,        LABEL_STAGE,    LABEL_STATE,
    LABEL_BATCH_DONE, LABEL_BATCH_CONTENTS, LABEL_FAULTS,   LABEL_BATCH_ALERTS_COLUMN,
    LABEL_BATCH_TIME, LABEL_BATCH_DEADLINE, LABEL_BATCH_WHY};

static void put_sums(struct html *html, const struct summary *s)
{
    char words[64];
    html_raw(html, "<p>");
    for (size_t i = 0; i <= BATCH_CANCELLED; i++) {
        html_number(html, s->states[i]);
        html_raw(html, " ");
        html_term(html, TERM_BATCH, batch_state_word((enum batch_state)i));
        html_raw(html, " &nbsp; ");
    }
    html_raw(html, "</p>\n<p>");
    html_say_numbers(html, LABEL_BATCH_FAULTS, s->faults, 0);
    html_raw(html, " ");
    html_say_numbers(html, LABEL_BATCH_ALERTS, s->alerts, 0);
    html_raw(html, " ");
    if (s->left < 0)
        html_label(html, LABEL_BATCH_LEFT_UNKNOWN);
    else
        html_say(html, LABEL_BATCH_LEFT, words_of_time(s->left, words, sizeof words), NULL, NULL);
    html_raw(html, "</p>\n");
}

static void put_state(struct html *html, const struct batch_stand *stand)
{
    html_raw(html, "<p>");
    html_term(html, TERM_BATCH, stand->state);
    if (stand->room) {
        html_raw(html, ": ");
        html_term(html, TERM_BATCH, stand->room);
        html_raw(html, ". ");
        html_label(html, LABEL_BATCH_GOES_ON);
    } else {
        html_raw(html, ".");
    }
    html_raw(html, " ");
    html_label(html, LABEL_BATCH_AS_OF);
    html_raw(html, " ");
    html_when(html, when_now());
    html_raw(html, ".</p>\n");
}

static void put_html(const struct summary *s, const struct batch_stand *stand, struct buf *buf)
{
    struct html html = {.buf = buf, .lang = stand->lang, .single = true};
    html_raw(&html, "<!DOCTYPE html>\n<html lang=");
    html_text(&html, stand->lang == REPORT_KA ? "ka" : "en");
    html_raw(&html, "><meta charset=utf-8><title>kvali: ");
    html_label(&html, LABEL_BATCH);
    html_raw(
        &html,
        "</title>\n<meta http-equiv=refresh content=30>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:90em;padding:0 "
        "1em}table{border-collapse:collapse;"
        "width:100%}th,td{text-align:left;padding:.3em .7em;border-bottom:1px solid #ccc;vertical-align:top}"
        "td.number,th.number{text-align:right}.wrong{background:#fdecea}bdi{font-family:monospace;word-break:"
        "break-all}"
        "pre{white-space:pre-wrap}</style>\n<h1>");
    html_label(&html, LABEL_BATCH);
    html_raw(&html, "</h1>\n");
    put_state(&html, stand);
    put_sums(&html, s);
    if (s->problems.size) {
        html_raw(&html, "<h2>");
        html_label(&html, LABEL_BATCH_REFUSED);
        html_raw(&html, "</h2><pre>");
        html_text(&html, (const char *)s->problems.data);
        html_raw(&html, "</pre>\n");
    }
    html_raw(&html, "<table><thead><tr>");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        html_head(&html, heads[i]);
    html_raw(&html, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < s->count; i++)
        html_task(&html, s, i);
    html_raw(&html, "</tbody></table></html>\n");
}

/* ------------------------------------------------------------------ files and terminal */

static int write_file(const char *folder, const char *name, const struct buf *content, struct why *why)
{
    char path[PATH_MAX], made[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(made, sizeof made, "%s.partial", path);
    if (content->failed)
        return why_set(why, -ENOMEM, "out of memory");
    FILE *file = fopen(made, "we");
    bool good = file && fwrite(content->data, 1, content->size, file) == content->size && fflush(file) == 0;
    int code = good ? 0 : -errno;
    if (file && fclose(file) && code == 0)
        code = -errno;
    if (code == 0 && rename(made, path))
        code = -errno;
    if (code == -ENOSPC || code == -EDQUOT) {
        unlink(made);
        return 0; /* the page is old then; the queue is not, and it is this that counts */
    }
    return code ? why_set(why, code, "%s: %s", path, strerror(-code)) : 0;
}

int batch_report_write(struct batch *batch, const struct batch_stand *stand, struct why *why)
{
    struct summary s = {0};
    struct buf json = {0}, html = {0};
    int code = gather(batch, &s);
    if (code) {
        why_set(why, code, "%s/queue.db: %s", batch_folder(batch), batch_error(batch));
    } else {
        buf_cstr(&s.problems);
        put_json(&s, stand, &json);
        put_html(&s, stand, &html);
        code = write_file(batch_folder(batch), "summary.json", &json, why);
        if (code == 0)
            code = write_file(batch_folder(batch), "summary.html", &html, why);
    }
    buf_finish(&json);
    buf_finish(&html);
    summary_finish(&s);
    return code;
}

static void print_task(const struct summary *s, size_t i)
{
    const struct batch_task *task = &s->tasks[i];
    char words[64];
    cli_print("%4llu  %-9s %-7s %-6s %s%s%s", (unsigned long long)task->id, batch_state_word(task->state),
              task->triage ? "triage" : "full", progress_words(s, i, words, sizeof words), task->folder,
              task->exhibit[0] ? "  " : "", task->exhibit);
    if (task->state == BATCH_DONE || task->state == BATCH_FAULTS)
        cli_print("  %llu contents, %llu faults, %llu alerts", (unsigned long long)task->contents,
                  (unsigned long long)task->faults, (unsigned long long)task->alerts);
    cli_print("%s%s%s\n", is_late(task) ? "  LATE" : "", task->message[0] ? "  " : "", task->message);
}

int batch_report_print(struct batch *batch, bool as_json)
{
    struct summary s = {0};
    struct buf json = {0};
    char words[64];
    bool paused = false;
    int code = gather(batch, &s);
    if (code == 0)
        code = batch_paused(batch, &paused);
    if (code == 0 && as_json) {
        buf_cstr(&s.problems);
        put_json(&s, &(struct batch_stand){.state = paused ? "paused by hand" : ""}, &json);
        fputs(buf_cstr(&json), stdout);
    }
    for (size_t i = 0; code == 0 && !as_json && i < s.count; i++)
        print_task(&s, i);
    if (code == 0 && !as_json) {
        cli_print("%s%zu queued, %zu running, %zu waiting, %zu done, %zu with faults, %zu failed, %zu "
                  "cancelled; %llu alerts; time left: "
                  "%s\n",
                  paused ? "Paused. " : "", s.states[BATCH_QUEUED], s.states[BATCH_RUNNING],
                  s.states[BATCH_WAITING], s.states[BATCH_DONE], s.states[BATCH_FAULTS],
                  s.states[BATCH_FAILED], s.states[BATCH_CANCELLED], (unsigned long long)s.alerts,
                  words_of_time(s.left, words, sizeof words));
        if (s.problems.size)
            cli_print("Refused manifests:\n%s", buf_cstr(&s.problems));
    }
    buf_finish(&json);
    summary_finish(&s);
    return code;
}
