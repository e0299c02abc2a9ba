/*
 * queue: pending work, read from the database each time. What is in hand is known to the caller alone.
 */
#include "cases/queue.h"

#include "cases/names.h"

#include <errno.h>
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

int queue_count(struct db *db, struct queue_counts *ret_counts)
{
    static const char sql[] =
        "SELECT (SELECT count(*) FROM t_expand WHERE status = 0), count(*) FILTER (WHERE status = 0), "
        "count(*) FILTER (WHERE status <> 0), "
        "total(size) FILTER (WHERE status = 0), total(size) FILTER (WHERE status <> 0), "
        "(SELECT count(*) FROM fault) FROM t_stream WHERE parent IS NULL";
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
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
    };
    int code = task.locator && task.volume ? parse_skip(db_text(s, 4), &task) : -ENOMEM;
    if (code) {
        task_expand_finish(&task);
        return code;
    }
    *ret = task;
    return 0;
}

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
    code = db_prepare(
        casefile_db(cf),
        "SELECT id, exhibit, locator, volume, skip, tries, lost FROM t_expand WHERE status = 0 ORDER BY id",
        &s);
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
    db_finalize(s);
    *ret_count = count;
    return code < 0 ? code : 0;
}

void task_expand_finish(struct task_expand *task)
{
    free(task->locator);
    free(task->volume);
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

/* A whole image goes alone and first: it takes longest, and nothing can share its work. */
static const char sql_images[] =
    STREAM_COLUMNS "WHERE status = 0 AND parent IS NULL AND disk = 0 AND kind = 0 ORDER BY exhibit, disk, id";
static const char sql_streams[] =
    STREAM_COLUMNS "WHERE status = 0 AND parent IS NULL AND kind <> 0 ORDER BY exhibit, disk, id";

static int take(struct casefile *cf, const char *sql, const struct queue_filter *filter,
                struct task_stream *ret_tasks, size_t max, uint64_t max_bytes, size_t *ret_count)
{
    struct db_statement *s;
    uint64_t bytes = 0;
    size_t count = 0;
    int code = db_prepare(casefile_db(cf), sql, &s);
    if (code)
        return code;
    while (count < max && (count == 0 || bytes < max_bytes) && (code = db_step(s)) == 1) {
        if (count && ret_tasks[0].exhibit != db_u64(s, 1))
            break;
        if (!filter->ready(filter->context, db_u64(s, 1)) || filter->busy(filter->context, db_u64(s, 0)))
            continue;
        code = fill_stream(s, &ret_tasks[count]);
        if (code)
            break;
        bytes += ret_tasks[count++].size;
    }
    db_finalize(s);
    *ret_count = count;
    return code < 0 ? code : 0;
}

int queue_streams(struct casefile *cf, const struct queue_filter *filter, struct task_stream *ret_tasks,
                  size_t max, uint64_t max_bytes, size_t *ret_count)
{
    struct queue_counts counts;
    int code = queue_counts(cf, &counts);
    *ret_count = 0;
    if (code || counts.streams_pending == 0 || max == 0)
        return code;
    code = take(cf, sql_images, filter, ret_tasks, 1, max_bytes, ret_count);
    if (code || *ret_count)
        return code;
    return take(cf, sql_streams, filter, ret_tasks, max, max_bytes, ret_count);
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

int queue_reset(struct casefile *cf)
{
    /* The attempts stay as history; their rows go. */
    int code =
        db_exec(casefile_db(cf), "UPDATE t_stream SET status = 0, attempt = NULL, read = 0, unread = 0, "
                                 "without = '', tries = 0, lost = 0 "
                                 "WHERE parent IS NULL; DELETE FROM t_stream WHERE parent IS NOT NULL; "
                                 "DELETE FROM t_fault WHERE stream IS NOT NULL; DELETE FROM t_note; "
                                 "UPDATE t_attempt SET status = 'replaced' WHERE stream IS NOT NULL");
    if (code)
        return code;
    struct db_statement *s;
    struct buf sql = {0};
    code = db_prepare(casefile_db(cf), "SELECT table_name FROM t_record_type", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1)
        buf_printf(&sql, "DELETE FROM %s;", db_text(s, 0));
    db_finalize(s);
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : db_exec(casefile_db(cf), buf_cstr(&sql));
    buf_finish(&sql);
    return code ? code : casefile_counts_again(cf);
}
