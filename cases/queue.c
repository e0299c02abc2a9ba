/*
 * queue: pending work, read from the database each time. What is in hand is known to the caller alone.
 */
#include "cases/queue.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int queue_counts(struct casefile *cf, struct queue_counts *ret_counts)
{
    struct queue_counts *counts;
    int code = casefile_counts(cf, &counts);
    if (code == 0)
        *ret_counts = *counts;
    return code;
}

int queue_count(struct db *db, uint64_t pass, struct queue_counts *ret_counts)
{
    static const char sql_first[] =
        "SELECT (SELECT count(*) FROM t_expand WHERE status = 0), count(*) FILTER (WHERE status = 0), "
        "count(*) FILTER (WHERE status BETWEEN 1 AND 3), "
        "total(size) FILTER (WHERE status = 0), total(size) FILTER (WHERE status BETWEEN 1 AND 3), "
        "(SELECT count(*) FROM fault) + (SELECT count(*) FROM t_fault f JOIN t_attempt a ON a.id = f.attempt "
        "WHERE a.status = 'open') FROM t_stream WHERE parent IS NULL AND ?1 = ?1";
    static const char sql_later[] =
        "SELECT 0, count(*) FILTER (WHERE c.status = 0), count(*) FILTER (WHERE c.status BETWEEN 1 AND 3), "
        "total(s.size) FILTER (WHERE c.status = 0), total(s.size) FILTER (WHERE c.status BETWEEN 1 AND 3), "
        "(SELECT count(*) FROM t_fault WHERE pass = ?1) "
        "FROM t_scan c JOIN t_stream s ON s.id = c.stream WHERE c.pass = ?1";
    struct db_statement *s;
    int code = db_prepare(db, pass > 1 ? sql_later : sql_first, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, pass);
    code = db_step(s);
    if (code == 1)
        *ret_counts = (struct queue_counts){
            .expands_pending = db_u64(s, 0),
            .streams_pending = db_u64(s, 1),
            .streams_done = db_u64(s, 2),
            .bytes_pending = db_u64(s, 3),
            .bytes_done = db_u64(s, 4),
            .faults = db_u64(s, 5),
        };
    db_finalize(s);
    return code == 1 ? 0 : code;
}

/* ------------------------------------------------------------------ expand tasks */

/* "at:kind at:kind " */
static int parse_skip(const char *text, struct task_expand *task)
{
    while (*text) {
        char *end;
        uint64_t at = strtoull(text, &end, 10);
        uint32_t kind = *end == ':' ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
        uint64_t *skip = realloc(task->skip, (task->skip_count + 1) * sizeof *skip);
        if (skip)
            task->skip = skip;
        uint32_t *kinds = realloc(task->skip_kinds, (task->skip_count + 1) * sizeof *kinds);
        if (kinds)
            task->skip_kinds = kinds;
        if (!skip || !kinds)
            return -ENOMEM;
        skip[task->skip_count] = at;
        kinds[task->skip_count++] = kind;
        text = *end == ' ' ? end + 1 : end + strlen(end);
    }
    return 0;
}

static int fill_expand(struct db_statement *s, struct task_expand *ret)
{
    struct task_expand task = {
        .id = db_u64(s, 0),
        .exhibit = db_u64(s, 1),
        .locator = strdup(db_text(s, 2)),
        .volume = strdup(db_text(s, 3)),
        .tries = (uint32_t)db_u64(s, 5),
        .lost = (uint32_t)db_u64(s, 6),
        .root = strdup(db_text(s, 7)),
    };
    int code = task.locator && task.volume && task.root ? parse_skip(db_text(s, 4), &task) : -ENOMEM;
    if (code) {
        task_expand_finish(&task);
        return code;
    }
    *ret = task;
    return 0;
}

static const char sql_expands[] =
    "SELECT id, exhibit, locator, volume, skip, tries, lost, root FROM t_expand WHERE status = 0 ORDER BY id";

int queue_expands(struct casefile *cf, const struct queue_filter *filter, struct task_expand *ret_tasks,
                  size_t max, size_t *ret_count)
{
    struct db_statement *s;
    struct queue_counts counts;
    size_t count = 0;
    int code = queue_counts(cf, &counts);
    *ret_count = 0;
    if (code || counts.expands_pending == 0)
        return code;
    code = db_kept(casefile_db(cf), sql_expands, &s);
    if (code)
        return code;
    while (count < max && (code = db_step(s)) == 1) {
        if (!filter->ready(filter->context, db_u64(s, 1)) || filter->busy(filter->context, db_u64(s, 0)))
            continue;
        code = fill_expand(s, &ret_tasks[count]);
        if (code)
            break;
        count++;
    }
    db_reset(s);
    for (size_t i = 0; code < 0 && i < count; i++)
        task_expand_finish(&ret_tasks[i]);
    *ret_count = code < 0 ? 0 : count;
    return code < 0 ? code : 0;
}

void task_expand_finish(struct task_expand *task)
{
    free(task->locator);
    free(task->volume);
    free(task->root);
    free(task->skip);
    free(task->skip_kinds);
    *task = (struct task_expand){0};
}

/* ------------------------------------------------------------------ streams */

static int fill_stream(struct db_statement *s, struct task_stream *ret)
{
    const char *path = db_text(s, 3);
    const char *slash = strrchr(path, '/');
    struct task_stream task = {
        .id = db_u64(s, 0),
        .exhibit = db_u64(s, 1),
        .locator = strdup(db_text(s, 2)),
        .path = strdup(path),
        .name = strdup(slash ? slash + 1 : path),
        .extension = strdup(db_text(s, 4)),
        .kind = (enum stream_kind)db_i64(s, 5),
        .deleted = db_i64(s, 6),
        .size = db_u64(s, 7),
        .disk = db_u64(s, 8),
        .without = strdup(db_text(s, 9)),
        .tries = (uint32_t)db_u64(s, 10),
        .lost = (uint32_t)db_u64(s, 11),
    };
    if (task.locator && task.path && task.name && task.extension && task.without) {
        *ret = task;
        return 0;
    }
    task_stream_finish(&task);
    return -ENOMEM;
}

#define STREAM_COLUMNS                                                                                       \
    "SELECT id, exhibit, locator, path, extension, kind, deleted, size, disk, without, tries, lost FROM "    \
    "t_stream "

/* A whole image goes alone and first: it takes longest, and nothing can share its work. The conditions are
 * those of the partial indexes i_stream_image and i_stream_pending: work that is done costs nothing here. */
static const char sql_images[] =
    STREAM_COLUMNS "WHERE exhibit = ?1 AND status = 0 AND parent IS NULL AND kind = 0 ORDER BY id";
static const char sql_streams[] =
    STREAM_COLUMNS "WHERE exhibit = ?1 AND status = 0 AND parent IS NULL AND kind <> 0 ORDER BY disk, id";
static const char sql_exhibits[] = "SELECT id FROM t_exhibit ORDER BY id";
/* Of a later pass: i_scan_pending. */
static const char sql_later[] =
    "SELECT s.id, s.exhibit, s.locator, s.path, s.extension, s.kind, s.deleted, s.size, s.disk, c.without, "
    "c.tries, c.lost FROM t_scan c JOIN t_stream s ON s.id = c.stream WHERE c.pass = ?2 AND c.exhibit = ?1 AND "
    "c.status = 0 ORDER BY c.disk, c.stream";

struct batch {
    const struct queue_filter *filter;
    struct task_stream *tasks;
    size_t count, max;
    uint64_t bytes, max_bytes, pass;
};

static int take_of_exhibit(struct batch *batch, struct db_statement *s)
{
    const struct queue_filter *filter = batch->filter;
    int code = 0;
    while (batch->count < batch->max && (batch->count == 0 || batch->bytes < batch->max_bytes) &&
           (code = db_step(s)) == 1) {
        if (filter->busy(filter->context, db_u64(s, 0)))
            continue;
        code = fill_stream(s, &batch->tasks[batch->count]);
        if (code)
            break;
        batch->bytes = u64_add_saturating(batch->bytes, batch->tasks[batch->count++].size);
    }
    return code < 0 ? code : 0;
}

/* The first exhibit that is ready and has something for `sql` gives the whole batch. */
static int take(struct db *db, const char *sql, struct batch *batch)
{
    struct db_statement *exhibits = NULL, *s = NULL;
    int code = db_kept(db, sql_exhibits, &exhibits);
    if (code == 0)
        code = db_kept(db, sql, &s);
    while (code == 0 && batch->count == 0 && (code = db_step(exhibits)) == 1) {
        uint64_t exhibit = db_u64(exhibits, 0);
        code = 0;
        if (!batch->filter->ready(batch->filter->context, exhibit))
            continue;
        db_bind_u64(s, 1, exhibit);
        if (batch->pass > 1)
            db_bind_u64(s, 2, batch->pass);
        code = take_of_exhibit(batch, s);
        db_reset(s);
    }
    if (exhibits)
        db_reset(exhibits);
    return code;
}

int queue_streams(struct casefile *cf, const struct queue_filter *filter, struct task_stream *ret_tasks,
                  size_t max, uint64_t max_bytes, size_t *ret_count)
{
    struct batch batch = {.filter = filter, .tasks = ret_tasks, .max = 1, .max_bytes = max_bytes, .pass = casefile_pass(cf)};
    struct queue_counts counts;
    int code = queue_counts(cf, &counts);
    *ret_count = 0;
    if (code || counts.streams_pending == 0 || max == 0)
        return code;
    code = batch.pass > 1 ? 0 : take(casefile_db(cf), sql_images, &batch);
    if (code == 0 && batch.count == 0) {
        batch.max = max;
        code = take(casefile_db(cf), batch.pass > 1 ? sql_later : sql_streams, &batch);
    }
    for (size_t i = 0; code && i < batch.count; i++)
        task_stream_finish(&ret_tasks[i]);
    *ret_count = code ? 0 : batch.count;
    return code;
}

void task_stream_finish(struct task_stream *task)
{
    free(task->locator);
    free(task->path);
    free(task->name);
    free(task->extension);
    free(task->without);
    *task = (struct task_stream){0};
}

/* ------------------------------------------------------------------ once more */

/* The attempts stay as history; their rows go, and so does what was learned about who cannot read what. */
static const char sql_reset[] =
    "UPDATE t_stream SET status = 0, attempt = NULL, read = 0, unread = 0, without = '', tries = 0, lost = 0 "
    "WHERE parent IS NULL AND status <> 4; "
    "DELETE FROM t_stream WHERE parent IS NOT NULL; "
    "DELETE FROM t_fault WHERE stream IS NOT NULL; "
    "DELETE FROM t_note; "
    "DELETE FROM t_scan; "
    "DELETE FROM t_twin; "
    "DELETE FROM t_fault WHERE pass > 1; "
    "DELETE FROM t_pass WHERE id > 1; "
    "UPDATE t_attempt SET status = 'replaced' WHERE stream IS NOT NULL; "
    "UPDATE t_image_hash SET result = 'not-compared'; "
    "UPDATE t_exhibit SET md5 = NULL, sha1 = NULL, sha256 = NULL, unread = NULL, verification = NULL, "
    "verified_at = NULL; ";

static int reset(struct db *db)
{
    struct db_statement *s = NULL;
    struct buf sql = {0};
    buf_text(&sql, sql_reset);
    int code = db_prepare(db, "SELECT table_name FROM t_record_type", &s);
    while (code == 0 && (code = db_step(s)) == 1) {
        buf_printf(&sql, "DELETE FROM \"%s\"; ", db_text(s, 0));
        code = 0;
    }
    db_finalize(s);
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : db_exec(db, buf_cstr(&sql));
    buf_finish(&sql);
    return code;
}

/* The ledger first: that findings were given up must stand there even if it then comes to nothing. */
static int tell_reset(struct casefile *cf)
{
    struct queue_counts counts;
    char fields[128];
    int code = queue_counts(cf, &counts);
    if (code)
        return code;
    snprintf(fields, sizeof fields, "{\"reason\":\"run --again\",\"streams\":%llu}",
             (unsigned long long)counts.streams_done);
    return ledger_append(casefile_ledger(cf), "discard", fields, NULL);
}

int queue_reset(struct casefile *cf)
{
    struct db *db = casefile_db(cf);
    int code = tell_reset(cf);
    if (code)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = reset(db);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        db_rollback(db);
        return code;
    }
    return casefile_counts_again(cf);
}
