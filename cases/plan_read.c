/*
 * plan_read: opens a plan, on any host, and fills a part's case from it; and the digests by which it is
 * known.
 */
#include "cases/plan_private.h"

#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct plan {
    struct db *db;
    char path[PATH_SIZE];
    struct plan_facts facts;
};

/* ------------------------------------------------------------------ digests */

static void put_row(struct db_statement *s, struct buf *line)
{
    buf_clear(line);
    for (int i = 0; i < db_columns(s); i++) {
        buf_text(line, db_is_null(s, i) ? "-" : db_text(s, i));
        buf_u8(line, i + 1 < db_columns(s) ? '\t' : '\n');
    }
}

/* The SHA-256 of a statement's rows as lines; ?1 is `number`. */
static int digest_rows(struct db *db, const char *sql, uint64_t number, struct hash_sha256 *hash)
{
    struct db_statement *s;
    struct buf line = {0};
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, number);
    while ((code = db_step(s)) == 1) {
        put_row(s, &line);
        hash_sha256_update(hash, line.data, line.size);
    }
    if (code == 0 && buf_failed(&line))
        code = -ENOMEM;
    db_finalize(s);
    buf_finish(&line);
    return code;
}

static void finish_hex(struct hash_sha256 *hash, char ret[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    hash_sha256_final(hash, digest);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(ret + i * 2, 3, "%02x", digest[i]);
}

int plan_part_sha256(struct db *db, const char *sql, uint64_t part, char ret[SHA256_HEX_SIZE])
{
    struct hash_sha256 *hash = hash_sha256_new();
    int code = hash ? digest_rows(db, sql, part, hash) : -ENOMEM;
    if (code == 0)
        finish_hex(hash, ret);
    hash_sha256_free(hash);
    return code;
}

/* Of everything in plan.db but its id. */
int plan_sha256(struct db *db, char ret[SHA256_HEX_SIZE])
{
    static const char *const parts[] = {
        "SELECT 'meta', key, value FROM meta WHERE key <> 'id' AND ?1 = ?1 ORDER BY key",
        "SELECT 'setting', key, value FROM setting WHERE ?1 = ?1 ORDER BY key",
        "SELECT 'exhibit', * FROM exhibit WHERE ?1 = ?1 ORDER BY id",
        "SELECT 'hash', * FROM image_hash WHERE ?1 = ?1 ORDER BY exhibit, algorithm, source",
        "SELECT 'part', * FROM part WHERE ?1 = ?1 ORDER BY number",
    };
    struct hash_sha256 *hash = hash_sha256_new();
    int code = hash ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < sizeof parts / sizeof *parts; i++)
        code = digest_rows(db, parts[i], 0, hash);
    if (code == 0)
        finish_hex(hash, ret);
    hash_sha256_free(hash);
    return code;
}

/* ------------------------------------------------------------------ reading */

static int read_meta(struct plan *plan, struct why *why)
{
    char sha256[SHA256_HEX_SIZE];
    struct db_statement *s;
    int code = db_prepare(plan->db, "SELECT key, value FROM meta", &s);
    while (code == 0 && (code = db_step(s)) == 1) {
        const char *key = db_text(s, 0), *value = db_text(s, 1);
        code = 0;
        if (strcmp(key, "id") == 0)
            snprintf(plan->facts.id, sizeof plan->facts.id, "%s", value);
        else if (strcmp(key, "case") == 0)
            snprintf(plan->facts.case_id, sizeof plan->facts.case_id, "%s", value);
        else if (strcmp(key, "configuration") == 0 && !(plan->facts.configuration = strdup(value)))
            code = -ENOMEM;
    }
    db_finalize(s);
    if (code == 0)
        code = db_number(plan->db, "SELECT count(*) FROM part", 0, 0, &plan->facts.parts);
    if (code == 0)
        code = plan_sha256(plan->db, sha256);
    if (code)
        return why_set(why, code == -ENOMEM ? code : -EUCLEAN, "%s: it cannot be read: %s", plan->path,
                       db_error(plan->db));
    return plan->facts.configuration && strcmp(sha256, plan->facts.id) == 0
               ? 0
               : why_set(why, -EUCLEAN, "%s: it is not what was planned: its digest is another", plan->path);
}

int plan_open(const char *folder, struct plan **ret_plan, struct why *why)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return why_set(why, -ENOMEM, "out of memory");
    snprintf(plan->path, sizeof plan->path, "%s/plan.db", folder);
    int code = access(plan->path, R_OK)
                   ? why_set(why, -errno, "%s: %s", plan->path,
                             errno == ENOENT ? "there is no plan: `kvali plan` makes one" : strerror(errno))
                   : db_open_unchanging(plan->path, &plan->db, why);
    uint64_t version = 0;
    if (code == 0)
        code = db_number(plan->db, "PRAGMA user_version", 0, 0, &version);
    if (code == 0 && version != PLAN_VERSION)
        code = why_set(why, -EPROTO, "%s: the plan is of another kvali (form %llu, this one knows %d)",
                       plan->path, (unsigned long long)version, PLAN_VERSION);
    if (code == 0)
        code = read_meta(plan, why);
    if (code) {
        plan_close(plan);
        return code;
    }
    *ret_plan = plan;
    return 0;
}

void plan_close(struct plan *plan)
{
    if (!plan)
        return;
    if (plan->db)
        db_close(plan->db);
    plan_facts_finish(&plan->facts);
    free(plan);
}

const struct plan_facts *plan_facts(const struct plan *plan)
{
    return &plan->facts;
}

int plan_settings(struct plan *plan, struct settings *settings, struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(plan->db, "SELECT key, value FROM setting", &s);
    if (code)
        return why_set(why, code, "%s: %s", plan->path, db_error(plan->db));
    while ((code = db_step(s)) == 1) {
        code = settings_set(settings, db_text(s, 0), db_text(s, 1), why);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ a part */

static const char *const fills[] = {
    "INSERT INTO t_exhibit(id, label, path, type_wanted, added, name, type, size, sector_size, segments, "
    "details, unsupported, "
    "damage) SELECT * FROM plan.exhibit WHERE id IN (SELECT exhibit FROM plan.stream WHERE part = ?1) AND ?2 "
    "= ?2",
    "INSERT INTO t_image_hash(exhibit, algorithm, hex, source) SELECT * FROM plan.image_hash WHERE exhibit "
    "IN (SELECT id FROM "
    "main.t_exhibit) AND ?1 = ?1 AND ?2 = ?2",
    "INSERT INTO t_stream(id, exhibit, locator, path, extension, kind, deleted, size, disk, without, tries, "
    "lost, found) SELECT "
    "id, exhibit, locator, path, extension, kind, deleted, size, disk, without, tries, lost, 0 FROM "
    "plan.stream WHERE part = ?1 "
    "AND ?2 = ?2",
};

static const char sql_plan_lines[] = PART_LINES("stream s", "exhibit", "s.part");

static int check_part(struct plan *plan, uint64_t part, struct why *why)
{
    char sha256[SHA256_HEX_SIZE] = "", planned[SHA256_HEX_SIZE] = "";
    struct db_statement *s;
    int code = db_prepare(plan->db, "SELECT sha256 FROM part WHERE number = ?1", &s);
    if (code == 0) {
        db_bind_u64(s, 1, part);
        code = db_step(s);
        if (code == 1)
            snprintf(planned, sizeof planned, "%s", db_text(s, 0));
        db_finalize(s);
        if (code == 0)
            return why_set(why, -ENOENT, "%s: there is no part %llu: they are 1 to %llu", plan->path,
                           (unsigned long long)part, (unsigned long long)plan->facts.parts);
    }
    if (code == 1)
        code = plan_part_sha256(plan->db, sql_plan_lines, part, sha256);
    if (code < 0)
        return why_set(why, code, "%s: %s", plan->path, db_error(plan->db));
    return strcmp(sha256, planned) == 0
               ? 0
               : why_set(why, -EUCLEAN, "%s: part %llu is not what was planned: its digest is another",
                         plan->path, (unsigned long long)part);
}

static int fill(struct db *db, const char *path, uint64_t part)
{
    int code = db_attach_unchanging(db, path, "plan");
    if (code)
        return code;
    code = db_begin(db);
    for (size_t i = 0; code == 0 && i < sizeof fills / sizeof *fills; i++)
        code = db_exec_two(db, fills[i], part, 0);
    if (code == 0)
        code = db_commit(db);
    else
        db_rollback(db);
    int detached = db_exec(db, "DETACH plan");
    return code ? code : detached;
}

int plan_fill(struct plan *plan, uint64_t part, struct casefile *cf, struct why *why)
{
    int code = check_part(plan, part, why);
    if (code)
        return code;
    code = fill(casefile_db(cf), plan->path, part);
    if (code == 0)
        code = casefile_counts_again(cf);
    return code ? why_set(why, code, "%s: part %llu cannot be begun: %s", plan->path,
                          (unsigned long long)part, db_error(casefile_db(cf)))
                : 0;
}
