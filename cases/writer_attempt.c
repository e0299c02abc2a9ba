/*
 * writer_attempt: attempts and what they come to. One that begins and ends between two commits is written
 * once, as it ended: until then it is held here. A commit writes those that still last as 'open', so that
 * what a kill leaves of them is told.
 */
#include "cases/writer_private.h"

#include "cases/crashpoint.h"
#include "cases/names.h"

#include <errno.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ the attempts that last */

static struct held_attempt *held(struct writer *writer, uint64_t id)
{
    for (size_t i = 0; i < writer->held_count; i++)
        if (writer->held[i].id == id)
            return &writer->held[i];
    return NULL;
}

static void let_go(struct writer *writer, struct held_attempt *attempt)
{
    *attempt = writer->held[--writer->held_count];
}

/* Ids go on from the highest in the case. */
static int next_id(struct writer *writer, uint64_t *ret_id)
{
    if (writer->last_attempt == 0) {
        int code =
            db_number(writer->db, "SELECT ifnull(max(id), 0) FROM t_attempt", 0, 0, &writer->last_attempt);
        if (code < 0)
            return code;
    }
    *ret_id = ++writer->last_attempt;
    return 0;
}

int writer_attempt_begin(struct writer *writer, const struct attempt_at *at, uint64_t *ret_attempt)
{
    struct held_attempt attempt = {.at = *at};
    int code = next_id(writer, &attempt.id);
    if (code)
        return code;
    if (writer->held_count == writer->held_room) {
        size_t room = writer->held_room ? 2 * writer->held_room : 16;
        struct held_attempt *more = reallocarray(writer->held, room, sizeof *more);
        if (!more)
            return -ENOMEM;
        writer->held = more;
        writer->held_room = room;
    }
    writer->held[writer->held_count++] = attempt;
    *ret_attempt = attempt.id;
    return 0;
}

static int insert(struct writer *writer, const struct held_attempt *attempt, const char *status)
{
    struct db_statement *s = writer_sql(writer, SQL_ATTEMPT_NEW);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, attempt->id);
    db_bind_u64(s, 2, attempt->at.run);
    if (attempt->at.stream)
        db_bind_u64(s, 3, attempt->at.stream);
    else
        db_bind_null(s, 3);
    if (attempt->at.expand)
        db_bind_u64(s, 4, attempt->at.expand);
    else
        db_bind_null(s, 4);
    db_bind_u64(s, 5, attempt->at.worker);
    db_bind_u64(s, 6, casefile_pass(writer->cf));
    db_bind_text(s, 7, status);
    return db_run(s);
}

int writer_attempts_open(struct writer *writer)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < writer->held_count; i++) {
        if (writer->held[i].written)
            continue;
        code = writer_open(writer);
        if (code == 0)
            code = insert(writer, &writer->held[i], "open");
        writer->held[i].written = code == 0;
    }
    return code;
}

void writer_attempts_forget(struct writer *writer, uint64_t run, uint32_t worker)
{
    for (size_t i = writer->held_count; i-- > 0;)
        if (writer->held[i].at.run == run && writer->held[i].at.worker == worker)
            let_go(writer, &writer->held[i]);
}

void writer_attempt_has_child(struct writer *writer, uint64_t attempt)
{
    struct held_attempt *of = held(writer, attempt);
    if (of)
        of->has_children = true;
}

/* ------------------------------------------------------------------ their end */

static const char *end_word(enum attempt_end end)
{
    static const char *const words[] = {"done",   "partial", "failed",   "crashed", "hung",
                                        "memory", "lost",    "tampered", "lost"};
    return words[end];
}

static enum work_status work_of(enum attempt_end end)
{
    return end == ATTEMPT_DONE ? WORK_DONE : end == ATTEMPT_PARTIAL ? WORK_PARTIAL : WORK_FAILED;
}

static int run_numbers(struct writer *writer, struct db_statement *s, uint64_t a, uint64_t b, uint64_t c)
{
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, a);
    db_bind_u64(s, 2, b);
    db_bind_u64(s, 3, c);
    return db_run(s);
}

/* What the first pass said of the content and its children stands. */
static int choose_later(struct writer *writer, uint64_t attempt, uint64_t stream, enum attempt_end end,
                        const struct attempt_read *read)
{
    struct db_statement *s = writer_sql(writer, SQL_SCAN_END);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, casefile_pass(writer->cf));
    db_bind_u64(s, 2, stream);
    db_bind_u64(s, 3, work_of(end));
    db_bind_u64(s, 4, attempt);
    db_bind_u64(s, 5, read->read);
    db_bind_u64(s, 6, read->unread);
    return db_run(s);
}

static int choose_children(struct writer *writer, uint64_t attempt, uint64_t stream)
{
    struct db_statement *s = writer_sql(writer, SQL_CHILDREN_END);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, attempt);
    db_bind_u64(s, 2, stream);
    return db_run(s);
}

static int choose(struct writer *writer, const struct held_attempt *attempt, enum attempt_end end,
                  const struct attempt_read *read)
{
    uint64_t stream = attempt->at.stream, expand = attempt->at.expand, size = attempt->at.size;
    if (expand) {
        writer->counts->expands_pending--;
        return run_numbers(writer, writer_sql(writer, SQL_EXPAND_END), expand, work_of(end), attempt->id);
    }
    writer->counts->streams_pending--;
    writer->counts->streams_done++;
    writer->counts->bytes_pending -= size;
    writer->counts->bytes_done += size;
    if (casefile_pass(writer->cf) > 1)
        return choose_later(writer, attempt->id, stream, end, read);
    int code = attempt->has_children ? choose_children(writer, attempt->id, stream) : 0;
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_STREAM_END);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 4, read->read);
    db_bind_u64(s, 5, read->unread);
    if (read->uniform)
        db_bind_u64(s, 6, read->byte);
    else
        db_bind_null(s, 6);
    db_bind_u64(s, 7, read->slack);
    db_bind_u64(s, 8, read->slack_uniform);
    return run_numbers(writer, s, stream, work_of(end), attempt->id);
}

/* Its faults were counted when they came. */
static int uncount_faults(struct writer *writer, uint64_t attempt)
{
    struct db_statement *s;
    int code = db_prepare(writer->db, "SELECT count(*) FROM t_fault WHERE attempt = ?1", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, attempt);
    code = db_step(s);
    if (code == 1)
        writer->counts->faults -= db_u64(s, 0);
    db_finalize(s);
    return code < 0 ? code : 0;
}

static int try_later(struct writer *writer, uint64_t stream, uint64_t tries, uint64_t lost)
{
    struct db_statement *s = writer_sql(writer, SQL_SCAN_TRY);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 4, lost);
    return run_numbers(writer, s, casefile_pass(writer->cf), stream, tries);
}

static int reject(struct writer *writer, uint64_t attempt, uint64_t stream, uint64_t expand,
                  enum attempt_end end)
{
    int code = uncount_faults(writer, attempt);
    if (code == 0)
        code = clear_attempt(writer->db, attempt, stream);
    uint64_t lost = end == ATTEMPT_LOST, tries = !lost && end != ATTEMPT_STOPPED;
    if (code)
        return code;
    if (casefile_pass(writer->cf) > 1)
        return try_later(writer, stream, tries, lost);
    return run_numbers(writer, writer_sql(writer, expand ? SQL_EXPAND_TRY : SQL_STREAM_TRY),
                       expand ? expand : stream, tries, lost);
}

static int end_void(struct writer *writer, uint64_t attempt, uint64_t stream)
{
    int code = writer_attempts_open(writer);
    if (code == 0)
        code = clear_void_attempt(writer->db, attempt, stream);
    return code ? code : casefile_counts_again(writer->cf);
}

/* Only what is written can have been made void. */
static int is_void(struct writer *writer, const struct held_attempt *attempt, bool *ret_void)
{
    *ret_void = false;
    if (!attempt->written)
        return 0;
    struct db_statement *s = writer_sql(writer, SQL_ATTEMPT_VOID);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, attempt->id);
    int code = db_step(s);
    if (code == 1)
        *ret_void = db_i64(s, 0) != 0;
    db_reset(s);
    return code == 1 ? 0 : code ? code : -EUCLEAN;
}

static int write_status(struct writer *writer, const struct held_attempt *attempt, const char *status)
{
    if (!attempt->written)
        return insert(writer, attempt, status);
    struct db_statement *s = writer_sql(writer, SQL_ATTEMPT_STATUS);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, attempt->id);
    db_bind_text(s, 2, status);
    return db_run(s);
}

int writer_attempt_end(struct writer *writer, uint64_t id, enum attempt_end end,
                       const struct attempt_read *read)
{
    static const struct attempt_read nothing;
    struct held_attempt *found = held(writer, id);
    if (!found)
        return -EINVAL;
    struct held_attempt attempt = *found;
    bool gone = false;
    int code = writer_open(writer);
    if (code == 0)
        code = is_void(writer, &attempt, &gone);
    if (code == 0)
        code = write_status(writer, &attempt, end_word(gone ? ATTEMPT_LOST : end));
    if (code)
        return code;
    let_go(writer, found);
    crash_point("attempt-end");
    if (gone)
        return end_void(writer, id, attempt.at.stream);
    return end <= ATTEMPT_FAILED ? choose(writer, &attempt, end, read ? read : &nothing)
                                 : reject(writer, id, attempt.at.stream, attempt.at.expand, end);
}
