/* kvali status: how far a case is, what went wrong, what to do next. */
#include "cases/queue.h"
#include "engine/base/json.h"
#include "engine/cli/cli.h"
#include "engine/cli/progress.h"
#include "engine/cli/status_parts.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"json", 'j', NULL, "As one JSON object"},
    {NULL, 0, NULL, NULL},
};

/* Every row of a statement, to `each`. */
static int rows(struct casefile *cf, const char *sql, void (*each)(void *context, struct db_statement *s),
                void *context)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), sql, &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1)
        each(context, s);
    db_finalize(s);
    return code;
}

static const char sql_exhibits[] =
    "SELECT exhibit, path, type, size, verification, failed FROM exhibit ORDER BY id";
static const char sql_faults[] = "SELECT kind, count(*) FROM fault GROUP BY kind ORDER BY 2 DESC, 1";
static const char sql_passes[] = "SELECT id, plugins, status, contents, done + partial + failed AS "
                                 "looked_at, pending, given_up, not_in_it, equal, faults "
                                 "FROM pass WHERE id > 1 ORDER BY id";
static const char sql_runs[] = "SELECT id, started, ended, status FROM run ORDER BY id DESC LIMIT 5";

/* `context` counts the exhibits that no run has opened yet. */
static void print_exhibit(void *context, struct db_statement *s)
{
    uint64_t *unopened = context;
    *unopened += db_is_null(s, 2);
    char size[32];
    cli_print("  %-10s %s\n", db_text(s, 0), db_text(s, 1));
    if (!db_is_null(s, 5))
        cli_print("             cannot be opened: %s\n", db_text(s, 5));
    else if (db_is_null(s, 2))
        cli_print("             not opened yet\n");
    else
        cli_print("             %s, %s, stored hashes: %s\n", db_text(s, 2),
                  progress_bytes((double)db_u64(s, 3), size, sizeof size),
                  db_is_null(s, 4) ? "not compared yet" : db_text(s, 4));
}

static void print_fault(void *context, struct db_statement *s)
{
    (void)context;
    cli_print("  %-12s %lld\n", db_text(s, 0), (long long)db_i64(s, 1));
}

/* `context`: is one of them open? */
static void print_pass(void *context, struct db_statement *s)
{
    bool *open = context;
    *open = *open || db_u64(s, 5) > 0;
    cli_print("  %-4lld %s: %s, %llu of %llu contents looked at", (long long)db_i64(s, 0), db_text(s, 1),
              db_text(s, 2), (unsigned long long)db_u64(s, 4), (unsigned long long)db_u64(s, 3));
    if (db_u64(s, 6))
        cli_print(", %llu given up", (unsigned long long)db_u64(s, 6));
    if (db_u64(s, 7))
        cli_print(", %llu came into the case later", (unsigned long long)db_u64(s, 7));
    cli_print(", %llu faults\n", (unsigned long long)db_u64(s, 9));
}

static int print_passes(struct casefile *cf, bool *ret_open)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), "SELECT 1 FROM pass WHERE id > 1", &s);
    if (code)
        return code;
    code = db_step(s);
    db_finalize(s);
    if (code < 1)
        return code;
    cli_print("\nLater passes:\n");
    return rows(cf, sql_passes, print_pass, ret_open);
}

/* Who works on the case, for runs that say "running": a killed one cannot say that it was. */
struct hand {
    const char *folder;
    enum casefile_lock lock;
    char holder[256];
    bool elsewhere, interrupted;
};

static const char *run_word(struct hand *hand, const char *status)
{
    if (strcmp(status, "running") != 0 || hand->lock == CASEFILE_HELD)
        return status;
    if (hand->lock == CASEFILE_UNKNOWN)
        return "running or interrupted";
    hand->lock =
        casefile_holder(hand->folder, hand->holder, &hand->elsewhere); /* it may have begun just now */
    hand->interrupted = hand->lock == CASEFILE_FREE;
    return hand->interrupted ? "interrupted" : "running";
}

static void print_run(void *context, struct db_statement *s)
{
    cli_print("  %-4lld %s to %s  %s\n", (long long)db_i64(s, 0), db_text(s, 1),
              db_is_null(s, 2) ? "…" : db_text(s, 2), run_word(context, db_text(s, 3)));
}

static void print_hand(const struct hand *hand)
{
    const char *holder = hand->holder[0] ? hand->holder : "it does not say who";
    if (hand->lock == CASEFILE_HELD)
        cli_print("\nAt work now: %s\n", holder);
    else if (hand->lock == CASEFILE_UNKNOWN)
        cli_print("\nWhether somebody works on it cannot be told: CASE/lock cannot be read.\n");
    else if (hand->interrupted && hand->elsewhere)
        cli_print(
            "\nInterrupted, as far as this host sees: %s holds no lock here. Where locks do not reach other "
            "hosts (some network\nfile systems) it may still be at work: look there before you go on.\n",
            holder);
    else if (hand->interrupted)
        cli_print(
            "\nThe latest run was interrupted (killed, or the power was cut; it was %s). What is done is "
            "kept: `run` goes on.\n",
            holder);
}

static int print_words(struct casefile *cf, const struct queue_counts *counts, struct hand *hand)
{
    char done[32], pending[32];
    uint64_t unopened = 0;
    cli_print("Case %s (%s)\n\nExhibits:\n", casefile_number(cf), casefile_folder(cf));
    int code = rows(cf, sql_exhibits, print_exhibit, &unopened);
    cli_print("\nContents: %llu done (%s), %llu pending (%s)%s\n", (unsigned long long)counts->streams_done,
              progress_bytes((double)counts->bytes_done, done, sizeof done),
              (unsigned long long)counts->streams_pending,
              progress_bytes((double)counts->bytes_pending, pending, sizeof pending),
              counts->expands_pending ? "; the listing is not complete" : "");
    cli_print("\nFaults: %llu\n", (unsigned long long)counts->faults);
    if (code == 0)
        code = rows(cf, sql_faults, print_fault, NULL);
    bool open = false;
    if (code == 0)
        code = print_passes(cf, &open);
    if (code == 0)
        code = status_parts_print(cf);
    cli_print("\nRuns (latest first):\n");
    if (code == 0)
        code = rows(cf, sql_runs, print_run, hand);
    print_hand(hand);
    if (hand->lock == CASEFILE_HELD)
        return code;
    if (open || counts->streams_pending + counts->expands_pending + unopened)
        cli_print("\nNext: kvali run %s\n", casefile_folder(cf));
    else
        cli_print("\nNothing is pending. Next: kvali report %s\n", casefile_folder(cf));
    return code;
}

static void json_run(void *context, struct db_statement *s)
{
    struct json *json = ((void **)context)[0];
    struct hand *hand = ((void **)context)[1];
    json_object_open(json, NULL);
    json_text(json, "id", db_text(s, 0));
    json_text(json, "started", db_text(s, 1));
    json_text(json, "ended", db_is_null(s, 2) ? NULL : db_text(s, 2));
    json_text(json, "status", run_word(hand, db_text(s, 3)));
    json_object_close(json);
}

static void json_row(void *context, struct db_statement *s)
{
    struct json *json = context;
    json_object_open(json, NULL);
    for (int i = 0; i < db_columns(s); i++)
        if (db_is_null(s, i))
            json_none(json, db_column_name(s, i));
        else
            json_text(json, db_column_name(s, i), db_text(s, i));
    json_object_close(json);
}

static int print_json(struct casefile *cf, const struct queue_counts *counts, struct hand *hand)
{
    static const char *const locks[] = {"free", "held", "not known"};
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "case", casefile_number(cf));
    json_text(&json, "folder", casefile_folder(cf));
    json_u64(&json, "contents_done", counts->streams_done);
    json_u64(&json, "contents_pending", counts->streams_pending);
    json_u64(&json, "listings_pending", counts->expands_pending);
    json_u64(&json, "bytes_done", counts->bytes_done);
    json_u64(&json, "bytes_pending", counts->bytes_pending);
    json_u64(&json, "faults", counts->faults);
    json_array_open(&json, "exhibits");
    int code = rows(cf, sql_exhibits, json_row, &json);
    json_array_close(&json);
    json_array_open(&json, "faults_by_kind");
    if (code == 0)
        code = rows(cf, "SELECT kind, count(*) AS count FROM fault GROUP BY kind ORDER BY kind", json_row,
                    &json);
    json_array_close(&json);
    json_array_open(&json, "passes");
    if (code == 0)
        code = rows(cf, sql_passes, json_row, &json);
    json_array_close(&json);
    json_array_open(&json, "runs");
    if (code == 0)
        code = rows(cf, sql_runs, json_run, (void *[]){&json, hand});
    json_array_close(&json);
    json_text(&json, "lock", locks[hand->lock]);
    json_text(&json, "lock_taken_last_by", hand->holder);
    json_bool(&json, "lock_of_another_host", hand->elsewhere);
    if (code == 0)
        code = status_parts_json(cf, &json);
    json_object_close(&json);
    if (code == 0)
        puts(buf_cstr(&buf));
    buf_finish(&buf);
    return code;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    struct queue_counts counts;
    struct hand hand = {.folder = options->args[0]};
    int exit_code;
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &exit_code) < 0)
        return exit_code;
    /* Before the rows are read: who ends in between has said so in them. */
    hand.lock = casefile_holder(hand.folder, hand.holder, &hand.elsewhere);
    int code = queue_counts(cf, &counts);
    if (code == 0)
        code =
            options_has(options, "json") ? print_json(cf, &counts, &hand) : print_words(cf, &counts, &hand);
    exit_code = code ? fail(exit_code_of_case(code), options->args[0], code, NULL, "`kvali verify` says more")
                     : EXIT_DONE;
    casefile_close(cf);
    return exit_code;
}

const struct command command_status = {
    .name = "status",
    .summary = "how far a case is, what went wrong, and what to do next",
    .usage = "CASE [options]",
    .help = "Shows exhibits, what is done and pending, faults by kind, the parts of a plan and the latest "
            "runs. Reads only: it "
            "may be called\n"
            "while a run is going on. A run that was killed is told as interrupted: nobody holds CASE/lock "
            "any more.",
    .example = "  kvali status /srv/cases/2026-001\n"
               "  kvali status /srv/cases/2026-001 --json",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
