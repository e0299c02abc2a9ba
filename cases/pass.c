/*
 * pass: later passes as SQL. Which of equal contents is looked at follows from addresses alone, never from
 * ids: these depend on who found something first.
 */
#include "cases/pass.h"

#include "cases/digest.h"
#include "cases/names.h"
#include "cases/queue.h"
#include "cases/writer_private.h"
#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(struct casefile *cf, int code, struct why *why)
{
    return why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
}

static int text_of(struct db *db, const char *sql, uint64_t one, uint64_t two, char **ret)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, one);
    db_bind_u64(s, 2, two);
    code = db_step(s);
    char *text = code < 0 ? NULL : strdup(code == 1 ? db_text(s, 0) : "");
    db_finalize(s);
    if (code < 0 || !text)
        return code < 0 ? code : -ENOMEM;
    *ret = text;
    return 0;
}

int pass_open(struct casefile *cf, struct pass_row *ret_pass)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), "SELECT id, run, plugins FROM t_pass WHERE status = 'open'", &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1) {
        *ret_pass = (struct pass_row){.id = db_u64(s, 0), .run = db_u64(s, 1)};
        snprintf(ret_pass->plugins, sizeof ret_pass->plugins, "%s", db_text(s, 2));
    }
    db_finalize(s);
    return code;
}

int pass_makers(struct casefile *cf, char **ret_plugins)
{
    return text_of(
        casefile_db(cf),
        "SELECT group_concat(plugin) FROM (SELECT DISTINCT plugin FROM t_stream WHERE parent IS NOT "
        "NULL AND attempt IS NOT NULL AND plugin <> '' AND ?1 = ?1 AND ?2 = ?2 ORDER BY plugin)",
        0, 0, ret_plugins);
}

int pass_first_run(struct casefile *cf, uint64_t *ret_run)
{
    *ret_run = 0;
    return db_number(
        casefile_db(cf),
        "SELECT run FROM t_attempt WHERE pass = 1 AND stream IS NOT NULL AND status IN " SQL_CHOSEN
        " ORDER BY id DESC LIMIT 1",
        0, 0, ret_run);
}

int pass_first_last(struct casefile *cf, uint64_t *ret_run, bool *ret_complete)
{
    static const char last[] = "SELECT ifnull(max(id), 0) FROM t_run WHERE pass = 1 AND status <> 'failed'";
    static const char complete[] =
        "SELECT status = 'done' AND NOT EXISTS (SELECT 1 FROM t_stream WHERE status = 0) "
        "AND NOT EXISTS (SELECT 1 FROM t_expand WHERE status = 0) "
        "AND NOT EXISTS (SELECT 1 FROM t_exhibit e WHERE NOT EXISTS (SELECT 1 FROM t_expand x WHERE "
        "x.exhibit = e.id)) "
        "FROM t_run WHERE id = ?1";
    uint64_t all = 0;
    int code = db_number(casefile_db(cf), last, 0, 0, ret_run);
    if (code == 0 && *ret_run)
        code = db_number(casefile_db(cf), complete, *ret_run, 0, &all);
    *ret_complete = all != 0;
    return code;
}

int pass_first(struct casefile *cf, uint64_t run, const char *plugins)
{
    struct db_statement *s;
    int code =
        db_prepare(casefile_db(cf), "UPDATE t_pass SET plugins = ?1, run = ifnull(run, ?2) WHERE id = 1", &s);
    if (code)
        return code;
    db_bind_text(s, 1, plugins);
    db_bind_u64(s, 2, run);
    code = db_run(s);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ which pass */

/* How many rule sets and tables one of two runs had and the other had not. */
static const char sql_other_rules[] =
#define LOADED(run) "SELECT plugin, kind, name, sha256, problem IS NULL FROM t_run_loaded WHERE run = " run
    "SELECT (SELECT count(*) FROM (" LOADED("?1") " EXCEPT " LOADED(
        "?2") ")) + "
              "(SELECT count(*) FROM (" LOADED("?2") " EXCEPT " LOADED("?1") "))";

/* 1: the pass was begun with what is wanted now. */
static int is_same(struct db *db, const struct pass_wanted *wanted, struct db_statement *s)
{
    uint64_t others = 0;
    if (strcmp(db_text(s, 2), wanted->plugins) != 0 || strcmp(db_text(s, 3), wanted->settings_sha256) != 0)
        return 0;
    int code = db_number(db, sql_other_rules, db_u64(s, 1), wanted->run, &others);
    return code ? code : others == 0;
}

static int refuse_other(struct casefile *cf, uint64_t pass, const char *plugins, struct why *why)
{
    return why_set(
        why, -EINVAL,
        "pass %llu (%s) of this case is not complete, and was begun with other plugins, settings or "
        "rules than these (or the rule files have changed since): `kvali run %s` goes on with it, "
        "--end-pass ends it as it is",
        (unsigned long long)pass, plugins, casefile_folder(cf));
}

/* The open pass, which must be the same, or the latest complete one that is. */
static int find(struct casefile *cf, const struct pass_wanted *wanted, uint64_t *ret_pass, struct why *why)
{
    struct db *db = casefile_db(cf);
    struct db_statement *s;
    int code =
        db_prepare(db,
                   "SELECT id, run, plugins, settings_sha256, status FROM t_pass WHERE status IN ('open', "
                   "'done') ORDER BY status = 'open' DESC, id DESC",
                   &s);
    if (code)
        return failed(cf, code, why);
    while (*ret_pass == 0 && (code = db_step(s)) == 1) {
        int same = is_same(db, wanted, s);
        code = same < 0 ? same : 0;
        if (same == 1)
            *ret_pass = db_u64(s, 0);
        else if (same == 0 && strcmp(db_text(s, 4), "open") == 0)
            code = refuse_other(cf, db_u64(s, 0), db_text(s, 2), why);
        if (code)
            break;
    }
    db_finalize(s);
    return code && why && !why->text[0] ? failed(cf, code, why) : code;
}

static int insert(struct db *db, const struct pass_wanted *wanted, uint64_t *ret_pass)
{
    struct db_statement *s;
    int code = db_prepare(db,
                          "INSERT INTO t_pass(plugins, run, settings_sha256, content_only, status) VALUES "
                          "(?1, ?2, ?3, ?4, 'open')",
                          &s);
    if (code)
        return code;
    db_bind_text(s, 1, wanted->plugins);
    db_bind_u64(s, 2, wanted->run);
    db_bind_text(s, 3, wanted->settings_sha256);
    db_bind_u64(s, 4, wanted->content_only);
    code = db_run(s);
    db_finalize(s);
    *ret_pass = (uint64_t)db_last_id(db);
    return code;
}

/* ------------------------------------------------------------------ what there is to do */

/* Each content that counts, with the one it lies in; `fresh`: this pass does not know it yet. */
static const char sql_members[] =
    "CREATE TEMP TABLE IF NOT EXISTS member(stream INTEGER PRIMARY KEY, root INTEGER, fresh INTEGER);"
    "CREATE INDEX IF NOT EXISTS temp.i_member ON member(root); DELETE FROM member;"
    "CREATE TEMP TABLE IF NOT EXISTS seen(attempt INTEGER, stream INTEGER, PRIMARY KEY (attempt, stream)) "
    "WITHOUT ROWID;";
static const char sql_fill_members[] = "WITH RECURSIVE up(id, root) AS (SELECT id, id FROM t_stream WHERE "
                                       "parent IS NULL AND status BETWEEN 1 AND 3 AND "
                                       "uniform IS NULL UNION ALL SELECT s.id, u.root FROM up u JOIN "
                                       "t_stream s ON s.parent = u.id WHERE s.attempt IS NOT "
                                       "NULL) INSERT INTO temp.member SELECT id, root, NOT EXISTS (SELECT 1 "
                                       "FROM t_scan c WHERE c.pass = ?1 AND c.stream = "
                                       "root) FROM up WHERE ?2 = ?2";

static const char sql_scans[] =
    "INSERT INTO t_scan(pass, stream, exhibit, disk) SELECT ?1, s.id, s.exhibit, s.disk FROM temp.member m "
    "JOIN "
    "t_stream s ON s.id = m.stream WHERE m.stream = m.root AND m.fresh AND ?2 = ?2";

/* The first of each set of equal contents is looked at: one that is looked at already, or else one that lies
 * in no other, or else the first by address. What could not be read whole equals nothing. */
static const char sql_twins[] =
    "INSERT INTO t_twin(pass, stream, twin) SELECT ?1, stream, first FROM (SELECT m.stream AS stream, "
    "m.fresh AS fresh, "
    "row_number() OVER one AS nth, first_value(m.stream) OVER one AS first FROM temp.member m "
    "JOIN t_stream s ON s.id = m.stream JOIN t_exhibit x ON x.id = s.exhibit "
    "JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt "
    "LEFT JOIN t_twin w ON w.pass = ?1 AND w.stream = m.stream "
    "WHERE s.kind <> 0 AND s.status = 1 AND s.unread = 0 AND d.unread = 0 AND d.size = s.size AND ?2 = ?2 "
    "WINDOW one AS (PARTITION BY d.sha256, s.size ORDER BY m.fresh, w.stream IS NOT NULL, s.parent IS NOT "
    "NULL, x.label, "
    "s.locator)) WHERE nth > 1 AND fresh";

/* Contents in which nothing is left to look at. */
static const char sql_nothing_left[] = "UPDATE t_scan SET status = 1 WHERE pass = ?1 AND status = 0 AND "
                                       "stream IN (SELECT root FROM temp.member WHERE fresh) "
                                       "AND NOT EXISTS (SELECT 1 FROM temp.member m WHERE m.root = "
                                       "t_scan.stream AND NOT EXISTS (SELECT 1 FROM t_twin w "
                                       "WHERE w.pass = ?1 AND w.stream = m.stream)) AND ?2 = ?2";

static int plan(struct db *db, uint64_t pass, bool content_only)
{
    int code = db_exec(db, sql_members);
    if (code == 0)
        code = db_exec_two(db, sql_fill_members, pass, 0);
    if (code == 0)
        code = db_exec_two(db, sql_scans, pass, 0);
    if (code || !content_only || !db_has_table(db, "rec_digest"))
        return code;
    code = db_exec_two(db, sql_twins, pass, 0);
    return code ? code : db_exec_two(db, sql_nothing_left, pass, 0);
}

static int begin(struct db *db, const struct pass_wanted *wanted, uint64_t *pass)
{
    int code = *pass ? 0 : insert(db, wanted, pass);
    if (code == 0)
        code = plan(db, *pass, wanted->content_only);
    if (code == 0)
        code = db_exec_two(db, "UPDATE t_run SET pass = ?1 WHERE id = ?2", *pass, wanted->run);
    return code ? code
                : db_exec_two(
                      db,
                      "UPDATE t_pass SET status = 'open' WHERE id = ?1 AND ?2 = ?2 AND EXISTS (SELECT 1 FROM "
                      "t_scan WHERE pass = ?1 AND status = 0)",
                      *pass, 0);
}

static int check_first(struct casefile *cf, struct why *why)
{
    struct queue_counts counts;
    int code = queue_count(casefile_db(cf), 1, &counts);
    if (code)
        return failed(cf, code, why);
    if (counts.expands_pending + counts.streams_pending)
        return why_set(
            why, -EBUSY,
            "the first pass over this case is not complete (%llu contents and %llu listings are pending): "
            "`kvali run %s` comes first",
            (unsigned long long)counts.streams_pending, (unsigned long long)counts.expands_pending,
            casefile_folder(cf));
    return counts.streams_done
               ? 0
               : why_set(why, -EBUSY, "nothing in this case is examined yet: `kvali run %s` comes first",
                         casefile_folder(cf));
}

int pass_begin(struct casefile *cf, const struct pass_wanted *wanted, uint64_t *ret_pass, struct why *why)
{
    struct db *db = casefile_db(cf);
    uint64_t pass = 0;
    int code = check_first(cf, why);
    if (code == 0)
        code = find(cf, wanted, &pass, why);
    if (code)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = begin(db, wanted, &pass);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        failed(cf, code, why);
        db_rollback(db);
        return code;
    }
    *ret_pass = pass;
    return casefile_set_pass(cf, pass);
}

/* ------------------------------------------------------------------ one content */

#define FAMILY                                                                                               \
    "WITH RECURSIVE family(id) AS (VALUES(?1) UNION SELECT s.id FROM t_stream s JOIN family f ON s.parent "  \
    "= f.id "                                                                                                \
    "WHERE s.attempt IS NOT NULL) "

/* Names repeat, and are told apart by numbers: all that found something take part, or, when nothing of that
 * is to be looked at, none. */
#define SPARED(id) "EXISTS (SELECT 1 FROM t_twin w WHERE w.pass = ?2 AND w.stream = " id ")"
static const char sql_task_makers[] =
    FAMILY "SELECT group_concat(plugin) FROM (SELECT DISTINCT plugin FROM t_stream WHERE id IN family AND "
           "plugin <> '' "
           "AND EXISTS (SELECT 1 FROM t_stream c WHERE c.id IN family AND c.plugin <> '' AND NOT " SPARED(
               "c.id") ") ORDER BY plugin)";
static const char sql_task_spares[] =
    FAMILY "SELECT s.path FROM t_stream s WHERE s.id IN family AND " SPARED("s.id") " ORDER BY s.id";

int pass_task(struct casefile *cf, uint64_t stream, char **ret_makers,
              int (*spare)(void *context, const char *path), void *context)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), sql_task_spares, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, stream);
    db_bind_u64(s, 2, casefile_pass(cf));
    while ((code = db_step(s)) == 1) {
        code = spare(context, db_text(s, 0));
        if (code)
            break;
    }
    db_finalize(s);
    return code ? code : text_of(casefile_db(cf), sql_task_makers, stream, casefile_pass(cf), ret_makers);
}

/* ------------------------------------------------------------------ equal contents */

/* Those whose twin was not looked at whole. */
static const char sql_release[] =
    "DELETE FROM t_twin WHERE pass = ?1 AND ?2 = ?2 AND twin IN (SELECT m.stream FROM t_scan c JOIN "
    "temp.member m ON "
    "m.root = c.stream WHERE c.pass = ?1 AND (c.status IN (2, 3) OR c.without <> '')) RETURNING stream";

/* What was found in it at the first try is found again with the rest. */
static int look_again(struct db *db, uint64_t pass, uint64_t stream)
{
    uint64_t root = 0, attempt = 0;
    int code = db_number(db, "SELECT root FROM temp.member WHERE stream = ?1", stream, 0, &root);
    if (code == 0)
        code =
            db_number(db, "SELECT attempt FROM t_scan WHERE pass = ?1 AND stream = ?2", pass, root, &attempt);
    if (code == 0 && attempt)
        code = clear_attempt(db, attempt, root);
    if (code == 0 && attempt)
        code =
            db_exec_two(db, "UPDATE t_attempt SET status = 'replaced' WHERE id = ?1 AND ?2 = ?2", attempt, 0);
    return code
               ? code
               : db_exec_two(
                     db,
                     "UPDATE t_scan SET status = 0, attempt = NULL, read = 0, unread = 0 WHERE pass = ?1 AND "
                     "stream = ?2",
                     pass, root);
}

static int release(struct db *db, uint64_t pass, uint64_t *ret_count)
{
    struct db_statement *s;
    uint64_t *streams = NULL;
    size_t count = 0;
    int code = db_prepare(db, sql_release, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, pass);
    db_bind_u64(s, 2, 0);
    while ((code = db_step(s)) == 1) {
        uint64_t *more = reallocarray(streams, count + 1, sizeof *more);
        if (!more) {
            code = -ENOMEM;
            break;
        }
        streams = more;
        streams[count++] = db_u64(s, 0);
    }
    db_finalize(s);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = look_again(db, pass, streams[i]);
    free(streams);
    *ret_count = count;
    return code;
}

int pass_release(struct casefile *cf, uint64_t *ret_count)
{
    struct db *db = casefile_db(cf);
    int code = db_begin(db);
    *ret_count = 0;
    if (code == 0)
        code = release(db, casefile_pass(cf), ret_count);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        db_rollback(db);
        return code;
    }
    return *ret_count ? casefile_counts_again(cf) : 0;
}

/* Where something lies on the medium is not the same for an equal content elsewhere. */
static bool is_of_place(const char *name, size_t size)
{
    return size == strlen("physical") && memcmp(name, "physical", size) == 0;
}

/* The columns of a record table, from "name:kind,name:kind"; without an alias those to be written. */
static void put_fields(struct buf *sql, const char *fields, const char *alias)
{
    while (*fields) {
        size_t size = strcspn(fields, ":");
        if (alias[0] && is_of_place(fields, size))
            buf_text(sql, ", NULL");
        else
            buf_printf(sql, ", %s\"%.*s\"", alias, (int)size, fields);
        fields += strcspn(fields, ",");
        fields += *fields == ',';
    }
}

static const char sql_shared_from[] =
    " FROM t_twin w JOIN %s r ON r.stream = w.twin JOIN t_attempt a ON a.id = r.attempt AND a.pass = w.pass "
    "AND "
    "a.status IN " SQL_CHOSEN " WHERE w.pass = ?1 AND w.shared = 0 AND ?2 = ?2";

static int share_records(struct db *db, uint64_t pass)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT table_name, fields FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct buf sql = {0};
        buf_printf(&sql, "INSERT INTO \"%s\"(stream, attempt, ordinal", db_text(s, 0));
        put_fields(&sql, db_text(s, 1), "");
        buf_text(&sql, ") SELECT w.stream, r.attempt, r.ordinal");
        put_fields(&sql, db_text(s, 1), "r.");
        buf_printf(&sql, sql_shared_from, db_text(s, 0));
        code = buf_failed(&sql) ? -ENOMEM : db_exec_two(db, buf_cstr(&sql), pass, 0);
        buf_finish(&sql);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

/* A twin that was looked at whole has no faults. */
static int share(struct db *db, uint64_t pass)
{
    struct buf sql = {0};
    int code = share_records(db, pass);
    buf_text(
        &sql,
        "INSERT INTO t_note(stream, attempt, plugin, offset, text) SELECT w.stream, r.attempt, r.plugin, "
        "r.offset, r.text");
    buf_printf(&sql, sql_shared_from, "t_note");
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : db_exec_two(db, buf_cstr(&sql), pass, 0);
    buf_finish(&sql);
    return code ? code : db_exec_two(db, "UPDATE t_twin SET shared = 1 WHERE pass = ?1 AND ?2 = ?2", pass, 0);
}

/* ------------------------------------------------------------------ the end */

static int end(struct db *db, uint64_t pass)
{
    int code = share(db, pass);
    return code ? code
                : db_exec_two(db, "UPDATE t_pass SET status = 'done' WHERE id = ?1 AND ?2 = ?2", pass, 0);
}

int pass_end(struct casefile *cf)
{
    struct queue_counts counts;
    struct db *db = casefile_db(cf);
    int code = queue_counts(cf, &counts);
    if (code || counts.streams_pending)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = end(db, casefile_pass(cf));
    if (code == 0)
        code = db_commit(db);
    if (code)
        db_rollback(db);
    return code;
}

/* What is given up stands in a row for each exhibit, and what equals it is not looked at either. */
static const char sql_given_up[] = "INSERT INTO t_fault(exhibit, kind, volume, path, stage, plugin, size, "
                                   "effect, detail, pass) SELECT c.exhibit, "
                                   "'limit', '', '', 'scan', p.plugins, sum(s.size), count(*) || ' contents "
                                   "of this exhibit, and what equals them, were "
                                   "not looked at in this pass', 'the pass was ended before it was complete "
                                   "(run --end-pass)', ?1 FROM t_scan c JOIN t_stream s ON s.id = "
                                   "c.stream JOIN t_pass p ON p.id = c.pass WHERE c.pass = ?1 AND c.status = "
                                   "0 AND ?2 = ?2 GROUP BY c.exhibit";

static int give_up(struct db *db, uint64_t pass)
{
    uint64_t released;
    int code = plan(db, pass, false);
    if (code == 0)
        code = release(db, pass, &released);
    if (code == 0)
        code = db_exec_two(db, sql_given_up, pass, 0);
    if (code == 0)
        code = db_exec_two(db, "UPDATE t_scan SET status = 5 WHERE pass = ?1 AND status = 0 AND ?2 = ?2",
                           pass, 0);
    if (code == 0)
        code = share(db, pass);
    return code ? code
                : db_exec_two(db, "UPDATE t_pass SET status = 'given-up' WHERE id = ?1 AND ?2 = ?2", pass, 0);
}

/* The findings are others now: what they are stands in the ledger, as at the end of a run. */
static int tell_end(struct casefile *cf, uint64_t pass, struct why *why)
{
    char digest[SHA256_HEX_SIZE], fields[160];
    int code = case_digest(cf, NULL, NULL, digest, why);
    if (code)
        return code;
    snprintf(fields, sizeof fields, "{\"pass\":%llu,\"status\":\"given-up\",\"digest\":\"%s\"}",
             (unsigned long long)pass, digest);
    return ledger_append(casefile_ledger(cf), "pass-end", fields, why);
}

int pass_give_up(struct casefile *cf, struct why *why)
{
    struct db *db = casefile_db(cf);
    struct pass_row row;
    char fields[96];
    int code = pass_open(cf, &row);
    if (code == 0)
        return why_set(why, -ENOENT, "no pass of this case is open: there is nothing to end");
    if (code < 0)
        return failed(cf, code, why);
    snprintf(fields, sizeof fields, "{\"reason\":\"run --end-pass\",\"pass\":%llu}",
             (unsigned long long)row.id);
    code = ledger_append(casefile_ledger(cf), "discard", fields, why);
    if (code)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = give_up(db, row.id);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        failed(cf, code, why);
        db_rollback(db);
        return code;
    }
    code = casefile_counts_again(cf);
    return code ? failed(cf, code, why) : tell_end(cf, row.id, why);
}
