/*
 * cross: see cross.h.
 */
#include "cases/cross.h"

#include "engine/base/buf.h"
#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cross {
    struct db *db;
    char *path;
};

static const char schema[] =
    "BEGIN IMMEDIATE; PRAGMA application_id = 0x6b766372; PRAGMA user_version = 1;" /* "kvcr" */
    "CREATE TABLE lab_case(id INTEGER PRIMARY KEY, first_line TEXT NOT NULL UNIQUE, "
    "number TEXT NOT NULL, folder TEXT NOT NULL, "
    "added INTEGER NOT NULL) STRICT;"
    "CREATE TABLE value(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT "
    "NULL, UNIQUE (kind, value)) STRICT;"
    "CREATE TABLE place(value INTEGER NOT NULL REFERENCES value(id), lab_case "
    "INTEGER NOT NULL REFERENCES lab_case(id), contents "
    "INTEGER NOT NULL, exhibit TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY "
    "(value, lab_case)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX place_case ON place(lab_case); COMMIT;";

/* What several cases have anyway (names of domains, addresses of networks) says nothing. */
#define KINDS                                                                                                \
    "'email', 'phone', 'card', 'iban', 'bitcoin', 'litecoin', 'dogecoin', 'dash', 'tron', 'ethereum', "      \
    "'monero', 'wallet_key', "                                                                               \
    "'seed_phrase', 'private_key', 'pgp', 'onion', 'telegram', 'whatsapp', 'viber', 'imei', 'iccid', "       \
    "'ge_personal_no', "                                                                                     \
    "'ge_legal_id', 'ge_plate', 'mrz', 'usb_serial'"

static const char sql_contents[] = "SELECT 'content', d.sha256, count(DISTINCT s.id), x.label, min(s.path) "
                                   "FROM rec_digest d JOIN t_stream s ON s.id = d.stream AND "
                                   "s.attempt = d.attempt JOIN t_exhibit x ON x.id = s.exhibit WHERE s.kind "
                                   "IN (2, 3, 7, 8) AND s.size >= 512 AND d.sha256 IS NOT "
                                   "NULL%s GROUP BY d.sha256";
static const char sql_not_known[] =
    " AND NOT EXISTS (SELECT 1 FROM known k WHERE k.stream = s.id AND k.set_kind = 'known')";
static const char sql_features[] =
    "SELECT kind, normal, count(DISTINCT stream), exhibit, min(path) FROM feature WHERE kind IN (" KINDS
    ") AND (rank <> 'format' OR kind IN ('email', 'phone')) GROUP BY kind, normal";

static bool is_empty(struct db *db)
{
    struct db_statement *s;
    if (db_prepare(db, "SELECT 1 FROM sqlite_schema", &s))
        return false;
    bool empty = db_step(s) == 0;
    db_finalize(s);
    return empty;
}

/* Nothing of another's database is changed, whatever was named by mistake. */
static int open_index(struct cross *cross, bool make, struct why *why)
{
    bool is_new = make && access(cross->path, F_OK) != 0 && errno == ENOENT;
    int code = is_new ? 0 : db_open(cross->path, DB_READ, &cross->db, why);
    bool is_index = code == 0 && !is_new && db_has_table(cross->db, "place");
    is_new = is_new || (make && code == 0 && !is_index && is_empty(cross->db));
    if (code || (is_index && !make))
        return code;
    if (!is_index && !is_new)
        return why_set(why, -EUCLEAN, "%s: it is no index over cases", cross->path);
    db_close(cross->db);
    cross->db = NULL;
    code = db_open(cross->path, DB_CREATE, &cross->db, why);
    if (code == 0 && is_new && (code = db_exec(cross->db, schema)))
        why_set(why, code, "%s: %s", cross->path, db_error(cross->db));
    return code;
}

int cross_open(const char *path, bool make, struct cross **ret_cross, struct why *why)
{
    struct cross *cross = calloc(1, sizeof *cross);
    int code = cross && (cross->path = strdup(path)) ? 0 : why_set(why, -ENOMEM, "out of memory");
    if (code == 0)
        code = open_index(cross, make, why);
    if (code) {
        cross_close(cross);
        return code;
    }
    *ret_cross = cross;
    return 0;
}

void cross_close(struct cross *cross)
{
    if (!cross)
        return;
    if (cross->db)
        db_close(cross->db);
    free(cross->path);
    free(cross);
}

/* ------------------------------------------------------------------ adding */

static int first_line(void *context, const struct ledger_record *record)
{
    memcpy(context, record->hash, SHA256_HEX_SIZE);
    return -ECANCELED;
}

static int identify(struct casefile *cf, char ret[SHA256_HEX_SIZE], struct why *why)
{
    char path[PATH_MAX], head[SHA256_HEX_SIZE];
    uint64_t count;
    ret[0] = 0;
    snprintf(path, sizeof path, "%s/ledger.jsonl", casefile_folder(cf));
    int code = ledger_walk(path, first_line, ret, &count, head, why);
    return ret[0] ? 0 : code ? code : why_set(why, -EUCLEAN, "%s: it is empty", path);
}

static int put_case(struct cross *cross, struct casefile *cf, const char *line, uint64_t *ret_id)
{
    char folder[PATH_MAX];
    struct db_statement *s;
    int code = db_prepare(cross->db,
                          "INSERT INTO lab_case(first_line, number, folder, added) VALUES (?1, ?2, ?3, ?4) "
                          "ON CONFLICT DO UPDATE "
                          "SET number = ?2, folder = ?3, added = ?4 RETURNING id",
                          &s);
    if (code)
        return code;
    db_bind_text(s, 1, line);
    db_bind_text(s, 2, casefile_number(cf));
    db_bind_text(s, 3, realpath(casefile_folder(cf), folder) ? folder : casefile_folder(cf));
    db_bind_i64(s, 4, when_now());
    while ((code = db_step(s)) == 1)
        *ret_id = db_u64(s, 0);
    db_finalize(s);
    return code ? code
                : db_exec_two(cross->db, "DELETE FROM place WHERE lab_case = ?1 AND ?2 = ?2", *ret_id, 0);
}

struct adding {
    struct db_statement *value, *place;
    uint64_t lab_case, count;
};

static int add_row(struct adding *a, struct db_statement *row)
{
    db_bind_text(a->value, 1, db_text(row, 0));
    db_bind_text(a->value, 2, db_text(row, 1));
    int code = db_run(a->value);
    if (code)
        return code;
    db_bind_text(a->place, 1, db_text(row, 0));
    db_bind_text(a->place, 2, db_text(row, 1));
    db_bind_u64(a->place, 3, a->lab_case);
    db_bind_u64(a->place, 4, db_u64(row, 2));
    db_bind_text(a->place, 5, db_text(row, 3));
    db_bind_text(a->place, 6, db_text(row, 4));
    a->count++;
    return db_run(a->place);
}

static int add_rows(struct adding *a, struct db *cases, const char *sql)
{
    struct db_statement *s;
    int code = db_prepare(cases, sql, &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        code = add_row(a, s);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

static int add_all(struct cross *cross, struct casefile *cf, struct adding *a)
{
    struct db *cases = casefile_db(cf);
    struct buf sql = {0};
    int code = db_prepare(cross->db, "INSERT INTO value(kind, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                          &a->value);
    if (code == 0)
        code = db_prepare(cross->db,
                          "INSERT INTO place SELECT id, ?3, ?4, ?5, ?6 FROM value WHERE kind = ?1 AND value "
                          "= ?2 ON CONFLICT DO "
                          "NOTHING",
                          &a->place);
    buf_printf(&sql, sql_contents, db_has_table(cases, "rec_hashset") ? sql_not_known : "");
    if (code == 0 && db_has_table(cases, "rec_digest"))
        code = buf_failed(&sql) ? -ENOMEM : add_rows(a, cases, buf_cstr(&sql));
    if (code == 0)
        code = add_rows(a, cases, sql_features);
    buf_finish(&sql);
    db_finalize(a->value);
    db_finalize(a->place);
    return code;
}

int cross_add(struct cross *cross, struct casefile *cf, uint64_t *ret_values, struct why *why)
{
    char line[SHA256_HEX_SIZE];
    struct adding a = {0};
    int code = identify(cf, line, why);
    if (code)
        return code;
    code = db_begin(cross->db);
    if (code == 0)
        code = put_case(cross, cf, line, &a.lab_case);
    if (code == 0)
        code = add_all(cross, cf, &a);
    if (code == 0)
        code =
            db_exec(cross->db,
                    "DELETE FROM value WHERE NOT EXISTS (SELECT 1 FROM place WHERE place.value = value.id)");
    if (code == 0)
        code = db_commit(cross->db);
    if (code) {
        why_set(why, code, "%s: %s could not be added: %s; %s", cross->path, casefile_folder(cf),
                db_error(cross->db), db_error(casefile_db(cf)));
        db_rollback(cross->db);
        return code;
    }
    *ret_values = a.count;
    return 0;
}

/* ------------------------------------------------------------------ asking */

static const char sql_find[] = "SELECT v.kind, v.value, c.number, c.folder, p.exhibit, p.path, n.cases, "
                               "p.contents FROM (SELECT value, count(*) AS cases FROM "
                               "place GROUP BY value HAVING count(*) > 1 OR ?2 IS NOT NULL) n JOIN value v "
                               "ON v.id = n.value JOIN place p ON p.value = v.id JOIN "
                               "lab_case c ON c.id = p.lab_case WHERE (?1 IS NULL OR v.kind = ?1) AND (?2 IS "
                               "NULL OR v.value = ?2) ORDER BY v.kind, v.value, "
                               "c.number, c.folder";

int cross_find(struct cross *cross, const char *kind, const char *value,
               int (*each)(void *context, const struct cross_hit *hit), void *context, struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(cross->db, sql_find, &s);
    if (code)
        return why_set(why, code, "%s: %s", cross->path, db_error(cross->db));
    db_bind_text(s, 1, kind);
    db_bind_text(s, 2, value);
    while ((code = db_step(s)) == 1) {
        struct cross_hit hit = {db_text(s, 0), db_text(s, 1), db_text(s, 2), db_text(s, 3),
                                db_text(s, 4), db_text(s, 5), db_u64(s, 6),  db_u64(s, 7)};
        code = each(context, &hit);
        if (code)
            break;
    }
    db_finalize(s);
    return code < 0 ? why_set(why, code, "%s: %s", cross->path, db_error(cross->db)) : 0;
}
