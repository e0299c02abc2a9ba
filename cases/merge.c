/*
 * merge: see merge.h. A part's database is attached to the case's, and set after set goes over. Its contents
 * have the case's numbers; what it made itself (attempts, runs, children) is moved behind what the case has.
 */
#include "cases/merge_private.h"

#include "cases/copy.h"
#include "cases/crashpoint.h"
#include "cases/index_private.h"
#include "cases/names.h"
#include "cases/plan.h"
#include "cases/writer_private.h"
#include "engine/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int merge_failed(struct merge *m, int code, struct why *why)
{
    return why_set(why, code, "%s: %s", casefile_folder(m->cf), db_error(m->db));
}

/* ------------------------------------------------------------------ beginning */

static int remember_told(void *context, const struct ledger_record *record)
{
    struct merge *m = context;
    char sha256[SHA256_HEX_SIZE];
    if (strcmp(record->type, "part") != 0 || !ledger_member(record, "sha256", sha256, sizeof sha256))
        return 0;
    char **more = reallocarray(m->told, m->told_count + 1, sizeof *more);
    if (!more || !(more[m->told_count] = strdup(sha256))) {
        m->told = more ? more : m->told;
        return -ENOMEM;
    }
    m->told = more;
    m->told_count++;
    return 0;
}

static int load_told(struct merge *m, struct why *why)
{
    char path[PATH_SIZE], head[SHA256_HEX_SIZE];
    uint64_t count;
    snprintf(path, sizeof path, "%s/ledger.jsonl", casefile_folder(m->cf));
    return ledger_walk(path, remember_told, m, &count, head, why);
}

static bool is_told(const struct merge *m, const char *sha256)
{
    for (size_t i = 0; i < m->told_count; i++)
        if (strcmp(m->told[i], sha256) == 0)
            return true;
    return false;
}

static int load_plan(struct merge *m, struct why *why)
{
    struct db_statement *s;
    if (!db_has_table(m->db, "t_plan"))
        return why_set(why, -ENOENT, "%s: the case has no plan: `kvali plan` makes one",
                       casefile_folder(m->cf));
    int code = db_prepare(m->db, "SELECT id, run, configuration FROM t_plan WHERE latest", &s);
    if (code)
        return merge_failed(m, code, why);
    code = db_step(s);
    if (code == 1) {
        snprintf(m->plan, sizeof m->plan, "%s", db_text(s, 0));
        m->run = db_u64(s, 1);
        hash_sha256_hex(db_text(s, 2), strlen(db_text(s, 2)), m->configuration);
    }
    db_finalize(s);
    return code == 1 ? 0
           : code    ? merge_failed(m, code, why)
                     : why_set(why, -ENOENT, "%s: the case has no plan", casefile_folder(m->cf));
}

/* Opened before anything is taken: what a merge that was killed left in it goes while nothing has its
 * numbers. */
static int open_index(struct merge *m, struct why *why)
{
    char path[PATH_SIZE];
    struct stat st;
    int code = index_path(m->cf, path, sizeof path);
    return code              ? why_set(why, code, "%s: the path is too long", casefile_folder(m->cf))
           : stat(path, &st) ? 0
                             : index_open(m->cf, &m->index, why);
}

int merge_begin(struct casefile *cf, const char *scratch_folder, struct merge **ret_merge, struct why *why)
{
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return why_set(why, -ENOMEM, "out of memory");
    m->cf = cf;
    m->db = casefile_db(cf);
    int code = load_plan(m, why);
    /* The same name each time: what a killed merge left is written over and removed. The case's lock keeps
     * others out. */
    snprintf(m->unpacked, sizeof m->unpacked, "%s/kvali-merge-%.16s.db", scratch_folder, m->plan);
    if (code == 0)
        code = load_told(m, why);
    if (code == 0) {
        code = db_exec(m->db, "CREATE TEMP TABLE IF NOT EXISTS taken(id INTEGER PRIMARY KEY);"
                              "CREATE TEMP TABLE IF NOT EXISTS moved(old INTEGER PRIMARY KEY, new INTEGER);"
                              "CREATE TEMP TABLE IF NOT EXISTS walked(old INTEGER PRIMARY KEY, new INTEGER);"
                              "CREATE TEMP TABLE IF NOT EXISTS tried(id INTEGER PRIMARY KEY)");
        if (code)
            merge_failed(m, code, why);
    }
    if (code == 0)
        code = open_index(m, why);
    if (code) {
        merge_free(m);
        return code;
    }
    *ret_merge = m;
    return 0;
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    if (m->unpacked[0])
        unlink(m->unpacked);
    for (size_t i = 0; i < m->told_count; i++)
        free(m->told[i]);
    free(m->told);
    index_close(m->index);
    free(m);
}

/* ------------------------------------------------------------------ taking it in */

/* ?1: added to numbers of attempts, ?2: to numbers of runs. What a content or a walk is said to have been
 * found by is one of the attempts that go over. */
#define TRIED " IN (SELECT id FROM temp.tried) AND ?2 = ?2"
static const char *const moves[] = {
    "INSERT INTO main.t_run SELECT id + ?2, started, ended, status, settings, settings_sha256, versions, "
    "host, sandbox, 1 FROM "
    "part.t_run WHERE ?1 = ?1",
    "INSERT INTO main.t_run_loaded SELECT run + ?2, plugin, kind, name, sha256, count, problem FROM "
    "part.t_run_loaded WHERE ?1 = "
    "?1",
    "INSERT INTO main.t_attempt SELECT a.id + ?1, a.run + ?2, c.new, x.new, a.worker, a.status, 1 FROM "
    "part.t_attempt a "
    "LEFT JOIN temp.moved c ON c.old = a.stream LEFT JOIN temp.walked x ON x.old = a.expand WHERE a.id" TRIED,
    "UPDATE main.t_stream SET status = p.status, attempt = p.attempt + ?1, read = p.read, unread = p.unread, "
    "uniform = p.uniform, "
    "slack = p.slack, slack_uniform = p.slack_uniform, without = p.without, tries = p.tries, lost = p.lost "
    "FROM part.t_stream p "
    "WHERE p.id = main.t_stream.id AND p.id IN (SELECT id FROM temp.taken) AND ?2 = ?2",
    "INSERT INTO main.t_stream SELECT c.new, s.exhibit, s.locator, s.path, s.extension, s.kind, s.deleted, "
    "s.size, s.disk, "
    "s.status, s.attempt + ?1, s.read, s.unread, s.uniform, s.slack, s.slack_uniform, s.without, s.tries, "
    "s.lost, p.new, s.plugin, "
    "s.child_offset, s.name, s.runs, s.runs_cut, s.found + ?1 FROM part.t_stream s JOIN temp.moved c ON "
    "c.old = s.id LEFT JOIN temp.moved p ON p.old = s.parent WHERE s.id NOT IN (SELECT id FROM temp.taken) "
    "AND ?2 = ?2",
    "INSERT INTO main.t_volume(exhibit, key, parent, partition_table, type, label, offset, size, filesystem, "
    "content, "
    "block_size, block_count, fs_size, serial, time_note, expand, raw, use, found) SELECT exhibit, key, "
    "parent, "
    "partition_table, type, label, offset, size, filesystem, content, block_size, block_count, fs_size, "
    "serial, "
    "time_note, expand, raw, use, found + ?1 FROM part.t_volume WHERE found" TRIED
    " ORDER BY id ON CONFLICT DO NOTHING",
    "INSERT INTO main.t_expand SELECT x.new, e.exhibit, e.locator, e.volume, e.root, e.status, e.attempt + "
    "?1, e.skip, "
    "e.tries, e.lost, e.found + ?1 FROM part.t_expand e JOIN temp.walked x ON x.old = e.id WHERE ?2 = ?2",
    "INSERT INTO main.t_account SELECT exhibit, volume, what, bytes, found + ?1 FROM part.t_account WHERE "
    "found" TRIED,
    "INSERT INTO main.t_entry SELECT NULL, e.exhibit, e.path, e.name, e.volume, e.type, e.kind, e.flags, "
    "e.inode, "
    "e.sequence, e.parent_inode, e.size, e.allocated, e.mode, e.uid, e.gid, e.links, e.modified, e.accessed, "
    "e.changed, "
    "e.born, e.removed, e.name_modified, e.name_accessed, e.name_changed, e.name_born, e.raw_times, "
    "e.target, "
    "e.attribute, c.new, e.found + ?1 FROM part.t_entry e LEFT JOIN temp.moved c ON c.old = e.stream WHERE "
    "e.found" TRIED " ORDER BY e.id",
    "INSERT INTO main.t_note(stream, attempt, plugin, offset, text) SELECT c.new, n.attempt + ?1, n.plugin, "
    "n.offset, n.text FROM "
    "part.t_note n JOIN temp.moved c ON c.old = n.stream WHERE ?2 = ?2 ORDER BY n.id",
    "INSERT INTO main.t_fault(exhibit, stream, attempt, kind, volume, path, stage, plugin, offset, size, "
    "effect, detail, pass) "
    "SELECT f.exhibit, c.new, f.attempt + ?1, f.kind, f.volume, f.path, f.stage, f.plugin, f.offset, f.size, "
    "f.effect, f.detail, 1 "
    "FROM part.t_fault f LEFT JOIN temp.moved c ON c.old = f.stream WHERE (c.old IS NOT NULL OR (f.stream IS "
    "NULL AND "
    "f.attempt IN (SELECT id FROM temp.tried))) AND ?2 = ?2 ORDER BY f.id",
};

/* What lies in contents that go over, and is not among them yet. */
static const char sql_family[] = "WITH RECURSIVE family(id) AS (SELECT s.id FROM part.t_stream s JOIN "
                                 "temp.moved t ON t.old = s.parent UNION SELECT "
                                 "s.id FROM part.t_stream s JOIN family f ON s.parent = f.id) INSERT OR "
                                 "IGNORE INTO temp.moved SELECT id, NULL FROM "
                                 "family";
/* A content that is a medium: its walks, those inside of these, and the contents that they found. A walk that
 * the case has itself is the case's. */
static const char sql_walks[] =
    "INSERT OR IGNORE INTO temp.walked SELECT x.id, NULL FROM part.t_expand x JOIN part.t_attempt a ON a.id "
    "= x.found "
    "WHERE (a.stream IN (SELECT old FROM temp.moved) OR a.expand IN (SELECT old FROM temp.walked)) AND NOT "
    "EXISTS "
    "(SELECT 1 FROM main.t_expand m WHERE m.exhibit = x.exhibit AND m.locator = x.locator)";
static const char sql_found[] = "INSERT OR IGNORE INTO temp.moved SELECT s.id, NULL FROM part.t_stream s "
                                "JOIN part.t_attempt a ON a.id = s.found "
                                "WHERE s.parent IS NULL AND a.expand IN (SELECT old FROM temp.walked)";

static int choose_inside(struct merge *m)
{
    int code = db_exec(m->db, sql_family);
    while (code == 0) {
        code = db_exec(m->db, sql_walks);
        if (code || db_changes(m->db) == 0)
            break;
        code = db_exec(m->db, sql_found);
        if (code == 0)
            code = db_exec(m->db, sql_family);
    }
    return code;
}

/* Which contents are taken, and under which number everything goes: those that are pending here, with what
 * lies in them. The number of what the host found says nothing (the digest leaves it out); that it is free is
 * all that counts. */
static int choose(struct merge *m)
{
    static const char begin[] =
        "DELETE FROM temp.taken; DELETE FROM temp.moved; DELETE FROM temp.walked; DELETE FROM temp.tried;"
        "INSERT INTO temp.taken SELECT p.id FROM part.t_stream p JOIN main.t_stream m ON m.id = p.id WHERE "
        "p.parent IS "
        "NULL AND p.found = 0 AND m.status = 0;"
        "INSERT INTO temp.moved SELECT id, id FROM temp.taken";
    static const char end[] =
        "UPDATE temp.moved SET new = n.new FROM (SELECT old, row_number() OVER (ORDER BY old) + (SELECT "
        "ifnull(max(id), 0) FROM main.t_stream) AS new FROM temp.moved WHERE new IS NULL) n WHERE n.old = "
        "moved.old;"
        "UPDATE temp.walked SET new = n.new FROM (SELECT old, row_number() OVER (ORDER BY old) + (SELECT "
        "ifnull(max(id), 0) FROM main.t_expand) AS new FROM temp.walked) n WHERE n.old = walked.old;"
        "INSERT INTO temp.tried SELECT id FROM part.t_attempt WHERE stream IN (SELECT old FROM temp.moved) "
        "OR expand IN "
        "(SELECT old FROM temp.walked)";
    int code = db_exec(m->db, begin);
    if (code == 0)
        code = choose_inside(m);
    return code ? code : db_exec(m->db, end);
}

static void put_columns(struct buf *sql, const char *fields)
{
    while (*fields) {
        buf_printf(sql, ", r.\"%.*s\"", (int)strcspn(fields, ":"), fields);
        fields += strcspn(fields, ",");
        fields += *fields == ',';
    }
}

/* The names come from the case's own list of types, which the part's is a part of. */
static int move_records(struct merge *m, uint64_t attempts)
{
    struct db_statement *s;
    int code =
        db_prepare(m->db, "SELECT table_name, fields FROM part.t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct buf sql = {0};
        buf_printf(&sql, "INSERT INTO main.\"%s\" SELECT c.new, r.attempt + ?1, r.ordinal", db_text(s, 0));
        put_columns(&sql, db_text(s, 1));
        buf_printf(&sql, " FROM part.\"%s\" r JOIN temp.moved c ON c.old = r.stream WHERE ?2 = ?2",
                   db_text(s, 0));
        code = buf_failed(&sql) ? -ENOMEM : db_exec_two(m->db, buf_cstr(&sql), attempts, 0);
        buf_finish(&sql);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

/* The index first, as ever: what the case counts is in it. Pages of a merge that was killed in between count
 * for nothing, and are cleared away when the index is opened next. */
static int move_pages(struct merge *m, uint64_t attempts, struct why *why)
{
    struct db_statement *s;
    uint64_t there = 0;
    int code =
        db_number(m->db, "SELECT count(*) FROM part.sqlite_schema WHERE name = 't_part_page'", 0, 0, &there);
    if (code || !there)
        return code;
    if (!m->index)
        code = index_open(m->cf, &m->index, why);
    if (code == 0)
        code = db_prepare(m->db,
                          "SELECT c.new, p.attempt, p.number, p.size, p.packed FROM part.t_part_page p JOIN "
                          "temp.moved c ON c.old "
                          "= p.stream ORDER BY p.id",
                          &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct index_page page = {.stream = db_u64(s, 0),
                                  .attempt = db_u64(s, 1) + attempts,
                                  .number = db_u64(s, 2),
                                  .size = db_u64(s, 3)};
        page.packed = db_bytes(s, 4, &page.packed_size);
        code = index_take(m->index, &page);
        if (code)
            break;
    }
    db_finalize(s);
    return code ? code : index_commit(m->index);
}

static int mark(struct merge *m, uint64_t part, const char *sha256)
{
    struct db_statement *s;
    int code = db_prepare(m->db, "UPDATE t_part SET sha256 = ?3 WHERE plan = ?1 AND part = ?2", &s);
    if (code)
        return code;
    db_bind_text(s, 1, m->plan);
    db_bind_u64(s, 2, part);
    db_bind_text(s, 3, sha256);
    code = db_run(s);
    db_finalize(s);
    return code;
}

static int take_rows(struct merge *m, const struct part_header *header, struct why *why)
{
    uint64_t attempts = 0, runs = 0;
    int code = choose(m);
    if (code == 0)
        code = db_number(m->db, "SELECT max(id) FROM main.t_attempt", 0, 0, &attempts);
    if (code == 0)
        code = db_number(m->db, "SELECT max(id) FROM main.t_run", 0, 0, &runs);
    for (size_t i = 0; code == 0 && i < sizeof moves / sizeof *moves; i++)
        code = db_exec_two(m->db, moves[i], attempts, runs);
    if (code == 0)
        code = move_records(m, attempts);
    if (code == 0)
        code = move_pages(m, attempts, why);
    return code ? code : mark(m, header->part, header->sha256);
}

/* ------------------------------------------------------------------ the ledger */

/* Each line carries the hash of the one before it. */
static bool is_next(const char *line, char head[SHA256_HEX_SIZE])
{
    char prev[SHA256_HEX_SIZE];
    struct buf whole = {0};
    bool follows = ledger_member(&(struct ledger_record){.json = line}, "prev", prev, sizeof prev) &&
                   strcmp(prev, head) == 0;
    buf_printf(&whole, "%s\n", line);
    hash_sha256_hex(buf_cstr(&whole), whole.size, head);
    follows = follows && !buf_failed(&whole);
    buf_finish(&whole);
    return follows;
}

static int put_lines(struct merge *m, struct json *json, struct why *why)
{
    char head[SHA256_HEX_SIZE];
    struct db_statement *s;
    int code = db_prepare(m->db, "SELECT line FROM part.t_part_ledger ORDER BY rowid", &s);
    if (code)
        return code;
    memset(head, '0', sizeof head - 1);
    head[sizeof head - 1] = 0;
    json_array_open(json, "ledger");
    while ((code = db_step(s)) == 1) {
        json_text(json, NULL, db_text(s, 0));
        if (!is_next(db_text(s, 0), head)) {
            code = why_set(why, -EUCLEAN, "the chain of its ledger is broken");
            break;
        }
    }
    json_array_close(json);
    db_finalize(s);
    return code;
}

/* The part's own lines word for word: their chain can be checked, from the first to the last. */
static int tell(struct merge *m, const char *path, const struct part_header *header, struct why *why)
{
    struct buf buf = {0};
    struct json json;
    const char *slash = strrchr(path, '/');
    if (is_told(m, header->sha256))
        return 0;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "plan", header->plan);
    json_u64(&json, "part", header->part);
    json_text(&json, "file", slash ? slash + 1 : path);
    json_text(&json, "sha256", header->sha256);
    json_u64(&json, "size", header->size);
    json_text(&json, "node", header->node);
    int code = put_lines(m, &json, why);
    json_object_close(&json);
    if (code == 0 && buf_failed(&buf))
        code = why_set(why, -ENOMEM, "out of memory");
    if (code == 0)
        code = ledger_append(casefile_ledger(m->cf), "part", buf_cstr(&buf), why);
    buf_finish(&buf);
    return code;
}

/* ------------------------------------------------------------------ one part */

/* 0: merged in this plan before; 1: not yet; 2: this plan has no such part. */
static int part_state(struct merge *m, uint64_t part, int *ret_state)
{
    struct db_statement *s;
    int code = db_prepare(m->db, "SELECT sha256 IS NULL FROM t_part WHERE plan = ?1 AND part = ?2", &s);
    if (code)
        return code;
    db_bind_text(s, 1, m->plan);
    db_bind_u64(s, 2, part);
    code = db_step(s);
    *ret_state = code == 1 ? (int)db_i64(s, 0) : 2;
    db_finalize(s);
    return code < 0 ? code : 0;
}

/* Its rows, then the ledger, then both count: a part whose rows do not fit is never told of as taken. */
static int take_all(struct merge *m, const char *path, const struct part_header *header, struct why *why)
{
    int code = db_begin(m->db);
    if (code == 0)
        code = take_rows(m, header, why);
    crash_point("merge-taken");
    if (code == 0)
        code = tell(m, path, header, why);
    crash_point("merge-told");
    return code ? code : db_commit(m->db);
}

/* 1: what the part holds goes against what a case may hold. */
static int take(struct merge *m, const char *path, const struct part_header *header, struct why *why)
{
    struct why said = {{0}};
    int code = take_all(m, path, header, &said);
    if (code == 0) {
        crash_point("merge-committed");
        return 0;
    }
    bool told = said.text[0];
    if (!told && code == -EUCLEAN)
        why_set(&said, code, "the database is damaged");
    else if (!told)
        merge_failed(m, code, &said);
    db_rollback(m->db);
    index_close(m->index); /* with what it got of this part */
    m->index = NULL;
    if (code == -EUCLEAN && !told)
        code = merge_blame(m, code, path, "what it holds does not fit", said.text, why);
    else if (code == -EINVAL || code == -EEXIST || code == -EUCLEAN)
        code = why_set(why, 1, "%s: what it holds does not fit: %s", path, said.text);
    else
        why_set(why, code, "%s", said.text);
    int opened = open_index(m, why);
    return opened ? opened : code;
}

static int attached(struct merge *m, const char *path, const struct part_header *header, struct why *why)
{
    int code = db_attach_unchanging(m->db, m->unpacked, "part");
    if (code)
        return why_set(why, 1, "%s: it holds no database: %s", path, db_error(m->db));
    code = merge_check_inside(m, path, header->part, why);
    if (code == 0)
        code = take(m, path, header, why);
    int detached = db_exec(m->db, "DETACH part");
    return code ? code : detached;
}

int merge_part(struct merge *m, const char *path, enum merge_end *ret_end, struct part_header *ret_header,
               struct why *why)
{
    struct part_header header = {0};
    int state = 2;
    int code = part_read(path, &header, why);
    *ret_end = MERGE_REFUSED;
    if (code == 0)
        code = merge_check_header(m, path, &header, why);
    if (code == 0)
        code = part_state(m, header.part, &state);
    if (code == 0 && state == 2)
        code = merge_refuse(why, path, "the plan has no part of that number");
    *ret_header = header;
    if (code == 0 && state == 0) {
        *ret_end = MERGE_KNOWN;
        return 0;
    }
    if (code == 0)
        code = part_unpack(path, m->unpacked, &header, why);
    if (code == 0)
        code = attached(m, path, &header, why);
    unlink(m->unpacked);
    if (code == 1 || code == -EBADMSG || code == -EPROTO)
        return 0;
    if (code == 0)
        *ret_end = MERGE_TAKEN;
    return code;
}
