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
    struct ledger_known remembered; /* when the case was closed last */
    struct trouble ledger, artifacts;
    struct seals seals;
    const struct ledger_record *record; /* at hand */
    struct verify_result result;
    char expected[SHA256_HEX_SIZE], status[32]; /* of the last run-end */
    bool begun; /* the findings may have changed since the last run-end: a run began, an exhibit was added */
    bool begun_after_seal; /* the same, since what the newest seal covers */
};

const char *verify_step_name(enum verify_step step)
{
    static const char *const names[] = {
        "the ledger's chain",
        "the seals",
        "the signatures",
        "what the newest seal covers",
        "the artefacts that the ledger names",
        "the database's soundness",
        "one attempt per content",
        "the findings against the ledger",
    };
    return names[step];
}

/* A file that the record at hand names. */
static int check_artifact(void *context, const char *name, const char *sha256, uint64_t size)
{
    struct verifying *v = context;
    char got[SHA256_HEX_SIZE], path[8192];
    struct stat st;
    unsigned long long line = v->record->line;
    v->result.artifacts++;
    snprintf(path, sizeof path, "%s/%s", v->folder, name);
    if (!*name || !*sha256 || size == UINT64_MAX)
        trouble_add(&v->artifacts, "line %llu: it does not say which file it is about", line);
    else if (stat(path, &st))
        trouble_add(&v->artifacts, "line %llu: %s: %s", line, name, strerror(errno));
    else if ((uint64_t)st.st_size != size)
        trouble_add(&v->artifacts, "line %llu: %s: it has %llu bytes, the ledger says %llu", line, name,
                    (unsigned long long)st.st_size, (unsigned long long)size);
    else if (hash_sha256_file(path, got))
        trouble_add(&v->artifacts, "line %llu: %s: it cannot be read", line, name);
    else if (strcmp(got, sha256) != 0)
        trouble_add(&v->artifacts, "line %llu: %s: its SHA-256 is not the one in the ledger", line, name);
    return 0;
}

static void check_artifacts(struct verifying *v, const struct ledger_record *record)
{
    v->record = record;
    if (ledger_files(record, check_artifact, v))
        trouble_add(&v->artifacts, "line %llu: it does not say which file it is about",
                    (unsigned long long)record->line);
}

/* A seal that the ledger tells of has to be there. */
static void check_seal_record(struct verifying *v, const struct ledger_record *record)
{
    char number[16];
    if (!ledger_member(record, "seal", number, sizeof number) || strtoul(number, NULL, 10) > v->seals.count)
        trouble_add(&v->seals.chain, "line %llu of the ledger tells of a seal that is not there",
                    (unsigned long long)record->line);
}

static void check_remembered(struct verifying *v, const struct ledger_record *record)
{
    if (record->line == v->remembered.count && strcmp(record->hash, v->remembered.head) != 0)
        trouble_add(&v->ledger, "line %llu is not the one that the database remembers: it was changed",
                    (unsigned long long)record->line);
}

/* An exhibit's own line is in the digest from the moment when it is added. */
static bool changes_findings(const char *type)
{
    return strcmp(type, "run-begin") == 0 || strcmp(type, "discard") == 0 || strcmp(type, "exhibit") == 0 ||
           strcmp(type, "part") == 0;
}

/* What parts brought is complete with the merge's end. */
static bool sums_up(const char *type)
{
    return strcmp(type, "run-end") == 0 || strcmp(type, "pass-end") == 0 || strcmp(type, "merge") == 0;
}

static int each_record(void *context, const struct ledger_record *record)
{
    struct verifying *v = context;
    check_remembered(v, record);
    bool seal = strcmp(record->type, "seal") == 0, stamp = strcmp(record->type, "timestamp") == 0;
    bool later = v->seals.newest.number && record->line > v->seals.newest.ledger_records;
    /* Earlier ones name the file otherwise, and only say that something was set aside. */
    char path[256];
    bool aside = strcmp(record->type, "recovered") == 0 && ledger_member(record, "path", path, sizeof path);
    if (seal || stamp || aside || strcmp(record->type, "artifact") == 0)
        check_artifacts(v, record);
    if (seal)
        check_seal_record(v, record);
    if (later && !seal && !stamp)
        v->seals.went_on = true;
    if (changes_findings(record->type)) {
        v->begun = true;
        v->begun_after_seal = v->begun_after_seal || later;
    }
    if (sums_up(record->type)) {
        v->begun = false;
        v->expected[0] = v->status[0] = 0;
        (void)ledger_member(record, "digest", v->expected, sizeof v->expected);
        (void)ledger_member(record, "status", v->status, sizeof v->status);
    }
    return 0;
}

/* 1: the statement gives "ok" in the first column of its first row, or nothing at all; 0: something else, in
 * words; -ENOMEM. */
static int is_clean(struct db *db, const char *sql, char *ret_words, size_t size)
{
    struct db_statement *s = NULL;
    int code = db_prepare(db, sql, &s);
    if (code == 0)
        code = db_step(s);
    bool clean = code == 0 || (code == 1 && strcmp(db_text(s, 0), "ok") == 0);
    if (!clean)
        snprintf(ret_words, size, "%s", code == 1 ? db_text(s, 0) : db_error(db));
    db_finalize(s);
    return clean ? 1 : code == -ENOMEM ? code : 0;
}

/* SQLite's own check lists a want of memory (SQLITE_NOMEM) as if it were damage. */
static bool wants_memory(const char *words)
{
    static const char end[] = "error code=7";
    size_t size = strlen(words);
    return size >= sizeof end - 1 && strcmp(words + size - (sizeof end - 1), end) == 0;
}

static int check_database(struct db *db, char *words, size_t size)
{
    int clean = is_clean(db, "PRAGMA integrity_check(1)", words, size);
    if (clean == 0 && wants_memory(words))
        return -ENOMEM;
    return clean == 1 ? is_clean(db,
                                 "SELECT 'a row refers to another that is not there, in ' || \"table\" FROM "
                                 "pragma_foreign_key_check",
                                 words, size)
                      : clean;
}

/* Of a row of the attempt `a` and the stream `t`. */
#define NOT_CHOSEN(attempt)                                                                                  \
    "CASE WHEN a.pass = 1 THEN t.attempt IS NULL OR t.attempt <> " attempt                                   \
    " ELSE t.id IS NULL OR NOT EXISTS (SELECT 1 FROM t_scan c WHERE c.attempt = " attempt ") END"

/* Each has a row when something is wrong. */
static const char *const attempt_checks[] = {
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
    "SELECT 'a content is done in a later pass without an attempt, and not all of it equals others: "
    "stream ' || "
    "c.stream FROM t_scan c WHERE c.status BETWEEN 1 AND 3 AND c.attempt IS NULL AND NOT EXISTS (SELECT "
    "1 FROM t_twin "
    "w WHERE w.pass = c.pass AND w.stream = c.stream)",
    "SELECT 'a content is pending in a later pass with a chosen attempt: stream ' || stream FROM t_scan "
    "WHERE status "
    "IN (0, 5) AND attempt IS NOT NULL",
    "SELECT 'the chosen attempt of a later pass is not one that counts: stream ' || c.stream FROM t_scan "
    "c LEFT JOIN "
    "t_attempt a ON a.id = c.attempt WHERE c.attempt IS NOT NULL AND (a.status IS NULL OR a.pass <> "
    "c.pass OR "
    "a.stream <> c.stream OR a.status NOT IN ('done', 'partial', 'failed'))",
    "SELECT 'an equal content is named that is not looked at: stream ' || w.twin FROM t_twin w WHERE "
    "EXISTS (SELECT 1 "
    "FROM t_twin o WHERE o.pass = w.pass AND o.stream = w.twin) OR NOT EXISTS (SELECT 1 FROM t_stream s "
    "WHERE s.id = "
    "w.twin)",
    "SELECT 'an entry names a content that is not there: ' || path FROM t_entry WHERE stream IS NOT NULL "
    "AND "
    "stream NOT IN (SELECT id FROM t_stream)",
};

/* Rows of plugins' records, whose tables are known by name only. */
static int check_records(struct db *db, char *words, size_t size)
{
    struct db_statement *s = NULL;
    int clean = 1, code = db_prepare(db, "SELECT table_name FROM t_record_type", &s);
    while (code >= 0 && clean == 1 && (code = db_step(s)) == 1) {
        char sql[768];
        snprintf(sql, sizeof sql,
                 "SELECT '%s has a row of an attempt that does not count: stream ' || r.stream FROM %s r "
                 "LEFT JOIN t_attempt a ON a.id = r.attempt "
                 "LEFT JOIN t_stream t ON t.id = r.stream WHERE a.status IS NULL OR (a.status NOT IN "
                 "('open', 'void') AND " NOT_CHOSEN("r.attempt") ") LIMIT 1",
                 db_text(s, 0), db_text(s, 0));
        clean = is_clean(db, sql, words, size);
    }
    if (code < 0) {
        snprintf(words, size, "%s", db_error(db));
        clean = code == -ENOMEM ? code : 0;
    }
    db_finalize(s);
    return clean;
}

static int check_attempts(struct db *db, char *words, size_t size)
{
    int clean = 1;
    for (size_t i = 0; clean == 1 && i < sizeof attempt_checks / sizeof *attempt_checks; i++)
        clean = is_clean(db, attempt_checks[i], words, size);
    return clean == 1 ? check_records(db, words, size) : clean;
}

static int check_findings(struct verifying *v, struct casefile *cf, bool *ret_sound, char *words, size_t size,
                          struct why *why)
{
    struct why broken = {{0}};
    int code = case_digest(cf, NULL, NULL, v->result.digest, &broken);
    if (code < 0 && code != -ENOMEM &&
        code != -EIO) { /* a table or column that is not there: the schema itself was changed */
        *ret_sound = false;
        snprintf(words, size, "%.400s", broken.text);
        return 0;
    }
    if (code < 0)
        return why_set(why, code, "%s", broken.text);
    v->result.unfinished = v->begun || v->expected[0] == 0;
    bool sealed = !v->seals.newest.number || v->begun_after_seal ||
                  strcmp(v->seals.newest.findings, v->result.digest) == 0;
    *ret_sound = sealed && (v->result.unfinished || strcmp(v->expected, v->result.digest) == 0);
    if (!sealed)
        snprintf(words, size,
                 "the findings' digest is %s, seal %u says %s: they were changed since it was made",
                 v->result.digest, v->seals.newest.number, v->seals.newest.findings);
    else if (!*ret_sound)
        snprintf(
            words, size,
            "the findings' digest is %s, the ledger says %s: they were changed by something else than kvali",
            v->result.digest, v->expected);
    else if (v->result.unfinished)
        snprintf(
            words, size,
            "no run has ended since the last one began or an exhibit was added: nothing to compare with");
    return 0;
}

/* 0 whatever it finds; -ENOMEM. */
static int check_ledger(struct verifying *v, struct db *db)
{
    char path[4096];
    struct why broken = {{0}};
    int remembered = db ? casefile_remembered(db, &v->remembered) : 0;
    if (remembered == -ENOMEM)
        return remembered;
    if (remembered)
        trouble_add(&v->ledger, "what the database remembers of it cannot be read: %s", db_error(db));
    snprintf(path, sizeof path, "%s/ledger.jsonl", v->folder);
    int code = ledger_walk(path, each_record, v, &v->result.records, v->result.head, &broken);
    if (code)
        trouble_add(&v->ledger, "%s", broken.text);
    else if (v->result.records < v->remembered.count)
        trouble_add(&v->ledger, "it has %llu records, the database remembers %llu: its end was cut off",
                    (unsigned long long)v->result.records, (unsigned long long)v->remembered.count);
    return code == -ENOMEM ? code : 0;
}

struct telling {
    void (*report)(void *context, enum verify_step step, bool sound, const char *words);
    void *context;
    bool sound; /* all until now */
};

static void tell(struct telling *t, enum verify_step step, bool sound, const char *words)
{
    t->sound = t->sound && sound;
    t->report(t->context, step, sound, words);
}

static void tell_trouble(struct telling *t, enum verify_step step, struct trouble *trouble,
                         const char *remark)
{
    tell(t, step, trouble->count == 0, trouble->count ? trouble_text(trouble) : remark);
}

static void tell_files(struct verifying *v, const struct seal_trust *trust, struct telling *t)
{
    static const struct seal_trust no_trust;
    char covered[200] = "there is none: whoever can write the folder can make all of it anew";
    if (v->seals.newest.number)
        snprintf(covered, sizeof covered, "seal %u covers records 1 to %llu of %llu; its SHA-256 is %s",
                 v->seals.newest.number, (unsigned long long)v->seals.covered,
                 (unsigned long long)v->result.records, v->seals.newest.sha256);
    seals_check_signatures(v->folder, trust ? trust : &no_trust, &v->seals);
    seals_check_manifest(v->folder, &v->seals);
    tell_trouble(t, VERIFY_LEDGER, &v->ledger, "");
    tell_trouble(t, VERIFY_SEALS, &v->seals.chain, covered);
    tell_trouble(t, VERIFY_SIGNATURES, &v->seals.signatures, buf_cstr(&v->seals.signers));
    tell_trouble(t, VERIFY_SEALED, &v->seals.manifest, buf_cstr(&v->seals.remarks));
    tell_trouble(t, VERIFY_ARTIFACTS, &v->artifacts, "");
}

/* `broken` says why the database could not be opened; cf is NULL then. */
static int tell_database(struct verifying *v, struct casefile *cf, const char *broken, struct telling *t,
                         struct why *why)
{
    char words[600] = "";
    bool findings = false;
    snprintf(words, sizeof words, "%s", broken);
    int database = cf ? check_database(casefile_db(cf), words, sizeof words) : 0;
    if (database < 0)
        return why_set(why, database, "%s: out of memory", v->folder);
    tell(t, VERIFY_DATABASE, database, words);
    snprintf(words, sizeof words, "%s", database ? "" : "not looked at: the database is not sound");
    int attempts = database ? check_attempts(casefile_db(cf), words, sizeof words) : 0;
    if (attempts < 0)
        return why_set(why, attempts, "%s: out of memory", v->folder);
    tell(t, VERIFY_ATTEMPTS, attempts, words);
    snprintf(words, sizeof words, "%s", database ? "" : "not looked at: the database is not sound");
    int code = database ? check_findings(v, cf, &findings, words, sizeof words, why) : 0;
    if (code == 0)
        tell(t, VERIFY_FINDINGS, findings, words);
    return code;
}

/* A database that cannot be opened is damage to be told of, and no reason to look at nothing else; unless
 * there is none, or it may not be read. */
static bool is_damage(int code)
{
    return code == -EUCLEAN || code == -EPROTO || code == -EINVAL || code == -EIO;
}

int case_verify(const char *folder, const struct seal_trust *trust,
                void (*report)(void *context, enum verify_step step, bool sound, const char *words),
                void *context, struct verify_result *ret_result, struct why *why)
{
    struct verifying v = {.folder = folder};
    struct telling t = {.report = report, .context = context, .sound = true};
    struct casefile *cf = NULL;
    struct why broken = {{0}};
    int code = casefile_open(folder, CASEFILE_READ, &cf, &broken);
    if (code && !is_damage(code))
        return why_set(why, code, "%s", broken.text);
    seals_check_chain(folder, &v.seals);
    code = check_ledger(&v, cf ? casefile_db(cf) : NULL);
    if (code == 0) {
        tell_files(&v, trust, &t);
        code = tell_database(&v, cf, broken.text, &t, why);
    } else {
        (void)why_set(why, code, "%s: out of memory", folder);
    }
    casefile_close(cf);
    v.result.sound = t.sound;
    v.result.seals = v.seals.count;
    v.result.sealed_records = v.seals.covered;
    memcpy(v.result.seal, v.seals.newest.sha256, sizeof v.result.seal);
    seals_finish(&v.seals);
    trouble_finish(&v.ledger);
    trouble_finish(&v.artifacts);
    if (code == 0)
        *ret_result = v.result;
    return code;
}
