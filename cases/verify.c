/*
 * verify: see verify.h. Reads only.
 */
#include "cases/verify.h"

#include "cases/casefile.h"
#include "cases/digest.h"
#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct verifying {
    const char *folder;
    uint64_t remembered; /* the ledger's length when the case was closed last, and its head then */
    char remembered_head[SHA256_HEX_SIZE];
    struct why bad_ledger;
    struct verify_result result;
    char expected[SHA256_HEX_SIZE], status[32]; /* of the last run-end */
    bool begun;                                 /* a run-begin stands after the last run-end */
    struct why bad_artifact;
};

const char *verify_step_name(enum verify_step step)
{
    static const char *const names[] = {
        "the ledger's chain",      "the artefacts that the ledger names", "the database's soundness",
        "one attempt per content", "the findings against the ledger",
    };
    return names[step];
}

static void check_artifact(struct verifying *v, const struct ledger_record *record)
{
    char name[1024], size_text[32], sha256[SHA256_HEX_SIZE], got[SHA256_HEX_SIZE], path[8192];
    struct stat st;
    unsigned long long line = record->line;
    v->result.artifacts++;
    if (v->bad_artifact.text[0])
        return;
    if (!ledger_member(record, "path", name, sizeof name) ||
        !ledger_member(record, "sha256", sha256, sizeof sha256) ||
        !ledger_member(record, "size", size_text, sizeof size_text)) {
        why_set(&v->bad_artifact, -EUCLEAN, "line %llu: it does not say which file it is about", line);
        return;
    }
    snprintf(path, sizeof path, "%s/%s", v->folder, name);
    if (stat(path, &st))
        why_set(&v->bad_artifact, -errno, "line %llu: %s: %s", line, name, strerror(errno));
    else if ((unsigned long long)st.st_size != strtoull(size_text, NULL, 10))
        why_set(&v->bad_artifact, -EUCLEAN, "line %llu: %s: it has %llu bytes, the ledger says %s", line,
                name, (unsigned long long)st.st_size, size_text);
    else if (hash_sha256_file(path, got))
        why_set(&v->bad_artifact, -EIO, "line %llu: %s: it cannot be read", line, name);
    else if (strcmp(got, sha256) != 0)
        why_set(&v->bad_artifact, -EUCLEAN, "line %llu: %s: its SHA-256 is not the one in the ledger", line,
                name);
}

static int load_remembered(struct verifying *v, struct db *db)
{
    struct db_statement *s;
    int code = db_prepare(db,
                          "SELECT a.value, b.value FROM t_case a, t_case b WHERE a.key = '" CASE_LEDGER_COUNT
                          "' AND b.key = '" CASE_LEDGER_HEAD "'",
                          &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1) {
        v->remembered = strtoull(db_text(s, 0), NULL, 10);
        snprintf(v->remembered_head, sizeof v->remembered_head, "%s", db_text(s, 1));
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

static void check_remembered(struct verifying *v, const struct ledger_record *record)
{
    if (record->line == v->remembered && strcmp(record->hash, v->remembered_head) != 0)
        why_set(&v->bad_ledger, -EUCLEAN,
                "line %llu is not the one that the database remembers: it was changed",
                (unsigned long long)record->line);
}

static int each_record(void *context, const struct ledger_record *record)
{
    struct verifying *v = context;
    check_remembered(v, record);
    if (strcmp(record->type, "artifact") == 0)
        check_artifact(v, record);
    if (strcmp(record->type, "run-begin") == 0 || strcmp(record->type, "discard") == 0)
        v->begun = true;
    if (strcmp(record->type, "run-end") == 0 || strcmp(record->type, "pass-end") == 0) {
        v->begun = false;
        v->expected[0] = v->status[0] = 0;
        (void)ledger_member(record, "digest", v->expected, sizeof v->expected);
        (void)ledger_member(record, "status", v->status, sizeof v->status);
    }
    return 0;
}

/* The first column of the first row; true when the statement gives "ok" or nothing at all. */
static bool is_clean(struct db *db, const char *sql, char *ret_words, size_t size)
{
    struct db_statement *s;
    if (db_prepare(db, sql, &s)) {
        snprintf(ret_words, size, "%s", db_error(db));
        return false;
    }
    int code = db_step(s);
    bool clean = code == 0 || (code == 1 && strcmp(db_text(s, 0), "ok") == 0);
    if (!clean)
        snprintf(ret_words, size, "%s", code == 1 ? db_text(s, 0) : db_error(db));
    db_finalize(s);
    return clean;
}

static bool check_database(struct db *db, char *words, size_t size)
{
    return is_clean(db, "PRAGMA integrity_check(1)", words, size) &&
           is_clean(db,
                    "SELECT 'a row refers to another that is not there, in ' || \"table\" FROM "
                    "pragma_foreign_key_check",
                    words, size);
}

/* Of a row of the attempt `a` and the stream `t`. */
#define NOT_CHOSEN(attempt)                                                                                  \
    "CASE WHEN a.pass = 1 THEN t.attempt IS NULL OR t.attempt <> " attempt                                   \
    " ELSE t.id IS NULL OR NOT EXISTS (SELECT 1 FROM t_scan c WHERE c.attempt = " attempt ") END"

static bool check_attempts(struct db *db, char *words, size_t size)
{
    static const char *const checks[] = {
        "SELECT 'a content is done without an attempt: ' || path FROM t_stream WHERE parent IS NULL AND "
        "status BETWEEN 1 AND 3 AND attempt IS NULL",
        "SELECT 'a content is pending with a chosen attempt: ' || path FROM t_stream WHERE status = 0 AND "
        "attempt IS NOT NULL",
        "SELECT 'the chosen attempt of a content is not one that counts: ' || s.path FROM t_stream s LEFT "
        "JOIN t_attempt a ON a.id = s.attempt "
        "WHERE s.attempt IS NOT NULL AND (a.status IS NULL OR a.status NOT IN ('done', 'partial', 'failed'))",
        "SELECT 'a fault is of an attempt that does not count: ' || f.id FROM t_fault f JOIN t_attempt a ON "
        "a.id = f.attempt "
        "WHERE a.status NOT IN ('done', 'partial', 'failed', 'open', 'void')",
        "SELECT 'a note is of an attempt that does not count: ' || n.id FROM t_note n LEFT JOIN t_attempt a "
        "ON a.id = "
        "n.attempt LEFT JOIN t_stream t ON t.id = n.stream WHERE a.status IS NULL OR (a.status NOT IN "
        "('open', 'void') AND " NOT_CHOSEN("n.attempt") ")",
        "SELECT 'a content is done in a later pass without an attempt, and not all of it equals others: stream ' || "
        "c.stream FROM t_scan c WHERE c.status BETWEEN 1 AND 3 AND c.attempt IS NULL AND NOT EXISTS (SELECT 1 FROM t_twin "
        "w WHERE w.pass = c.pass AND w.stream = c.stream)",
        "SELECT 'a content is pending in a later pass with a chosen attempt: stream ' || stream FROM t_scan WHERE status "
        "IN (0, 5) AND attempt IS NOT NULL",
        "SELECT 'the chosen attempt of a later pass is not one that counts: stream ' || c.stream FROM t_scan c LEFT JOIN "
        "t_attempt a ON a.id = c.attempt WHERE c.attempt IS NOT NULL AND (a.status IS NULL OR a.pass <> c.pass OR "
        "a.stream <> c.stream OR a.status NOT IN ('done', 'partial', 'failed'))",
        "SELECT 'an equal content is named that is not looked at: stream ' || w.twin FROM t_twin w WHERE EXISTS (SELECT 1 "
        "FROM t_twin o WHERE o.pass = w.pass AND o.stream = w.twin) OR NOT EXISTS (SELECT 1 FROM t_stream s WHERE s.id = "
        "w.twin)",
        "SELECT 'an entry names a content that is not there: ' || path FROM t_entry WHERE stream IS NOT NULL "
        "AND "
        "stream NOT IN (SELECT id FROM t_stream)",
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!is_clean(db, checks[i], words, size))
            return false;
    struct db_statement *s;
    if (db_prepare(db, "SELECT table_name FROM t_record_type", &s)) {
        snprintf(words, size, "%s", db_error(db));
        return false;
    }
    bool clean = true;
    int code = 0;
    while (clean && (code = db_step(s)) == 1) {
        char sql[768];
        snprintf(sql, sizeof sql,
                 "SELECT '%s has a row of an attempt that does not count: stream ' || r.stream FROM %s r "
                 "LEFT JOIN t_attempt a ON a.id = r.attempt "
                 "LEFT JOIN t_stream t ON t.id = r.stream WHERE a.status IS NULL OR (a.status NOT IN "
                 "('open', 'void') AND " NOT_CHOSEN("r.attempt") ") LIMIT 1",
                 db_text(s, 0), db_text(s, 0));
        clean = is_clean(db, sql, words, size);
    }
    if (code < 0)
        snprintf(words, size, "%s", db_error(db));
    db_finalize(s);
    return clean && code == 0;
}

static int check_findings(struct verifying *v, struct casefile *cf, bool *ret_sound, char *words, size_t size,
                          struct why *why)
{
    int code = case_digest(cf, NULL, NULL, v->result.digest, why);
    if (code)
        return code;
    v->result.unfinished = v->begun || v->expected[0] == 0;
    *ret_sound = v->result.unfinished || strcmp(v->expected, v->result.digest) == 0;
    if (!*ret_sound)
        snprintf(
            words, size,
            "the findings' digest is %s, the ledger says %s: they were changed by something else than kvali",
            v->result.digest, v->expected);
    else if (v->result.unfinished)
        snprintf(words, size, "no run has ended since the last one began: nothing to compare with");
    return 0;
}

static bool check_ledger(struct verifying *v, struct db *db)
{
    char path[4096];
    struct why broken = {{0}};
    if (load_remembered(v, db))
        why_set(&v->bad_ledger, -EUCLEAN, "what the database remembers of it cannot be read: %s",
                db_error(db));
    snprintf(path, sizeof path, "%s/ledger.jsonl", v->folder);
    int code = ledger_walk(path, each_record, v, &v->result.records, v->result.head, &broken);
    if (code)
        v->bad_ledger = broken;
    else if (v->result.records < v->remembered)
        why_set(&v->bad_ledger, -EUCLEAN,
                "it has %llu records, the database remembers %llu: its end was cut off",
                (unsigned long long)v->result.records, (unsigned long long)v->remembered);
    return code == 0 && v->bad_ledger.text[0] == 0;
}

int case_verify(const char *folder,
                void (*report)(void *context, enum verify_step step, bool sound, const char *words),
                void *context, struct verify_result *ret_result, struct why *why)
{
    struct verifying v = {.folder = folder};
    struct casefile *cf = NULL;
    char words[600] = "";
    bool findings = false;
    int code = casefile_open(folder, CASEFILE_READ, &cf, why);
    if (code)
        return code;
    bool ledger = check_ledger(&v, casefile_db(cf));
    report(context, VERIFY_LEDGER, ledger, v.bad_ledger.text);
    bool artifacts = v.bad_artifact.text[0] == 0;
    report(context, VERIFY_ARTIFACTS, artifacts, v.bad_artifact.text);
    bool database = check_database(casefile_db(cf), words, sizeof words);
    report(context, VERIFY_DATABASE, database, words);
    snprintf(words, sizeof words, "%s", database ? "" : "not looked at: the database is not sound");
    bool attempts = database && check_attempts(casefile_db(cf), words, sizeof words);
    report(context, VERIFY_ATTEMPTS, attempts, words);
    snprintf(words, sizeof words, "%s", database ? "" : "not looked at: the database is not sound");
    code = database ? check_findings(&v, cf, &findings, words, sizeof words, why) : 0;
    if (code == 0)
        report(context, VERIFY_FINDINGS, findings, words);
    casefile_close(cf);
    if (code)
        return code;
    v.result.sound = ledger && artifacts && database && attempts && findings;
    *ret_result = v.result;
    return 0;
}
