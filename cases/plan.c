/*
 * plan: cuts what is pending. See plan.h.
 */
#include "cases/plan_private.h"

#include "cases/copy.h"
#include "cases/part.h"
#include "cases/pass.h"
#include "cases/queue.h"
#include "engine/base/buf.h"
#include "engine/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };
/* What a content costs beside its bytes: 8 GiB are then 20,000 small files. */
#define CONTENT_COST "(409600)"

static const char schema[] =
    "PRAGMA application_id = 0x6b76706c; PRAGMA user_version = 1;" /* "kvpl" */
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE exhibit(id INTEGER PRIMARY KEY, label TEXT NOT NULL, path TEXT NOT NULL, type_wanted TEXT "
    "NOT NULL, "
    "added INTEGER NOT NULL, name TEXT, type TEXT, size INTEGER, sector_size INTEGER, segments INTEGER, "
    "details TEXT, "
    "unsupported TEXT, damage TEXT) STRICT;"
    "CREATE TABLE image_hash(exhibit INTEGER, algorithm TEXT, hex TEXT, source TEXT) STRICT;"
    "CREATE TABLE part(number INTEGER PRIMARY KEY, streams INTEGER NOT NULL, bytes INTEGER NOT NULL, cost "
    "INTEGER NOT NULL, "
    "sha256 TEXT NOT NULL) STRICT;"
    "CREATE TABLE stream(part INTEGER, id INTEGER, exhibit INTEGER, locator TEXT, path TEXT, extension TEXT, "
    "kind INTEGER, "
    "deleted INTEGER, size INTEGER, disk INTEGER, without TEXT, tries INTEGER, lost INTEGER, PRIMARY KEY "
    "(part, id)) "
    "STRICT, WITHOUT ROWID;";

static const char case_schema[] =
    "CREATE TABLE IF NOT EXISTS t_part(plan TEXT NOT NULL, part INTEGER NOT NULL, streams INTEGER NOT NULL, "
    "bytes INTEGER "
    "NOT NULL, cost INTEGER NOT NULL, sha256 TEXT, PRIMARY KEY (plan, part)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS t_plan(id TEXT PRIMARY KEY, run INTEGER NOT NULL, configuration TEXT NOT "
    "NULL, latest "
    "INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static int failed(struct casefile *cf, int code, struct why *why)
{
    return why_set(why, code, "%s: the plan cannot be made: %s", casefile_folder(cf),
                   db_error(casefile_db(cf)));
}

/* ------------------------------------------------------------------ the cut */

/* In the case's own temporary database. What is alone, and the part of each, come later. */
static const char sql_pending[] =
    "CREATE TEMP TABLE plan_stream AS SELECT s.id AS id, s.kind = 0 AS alone, s.size AS size, s.size "
    "+ " CONTENT_COST
    " AS cost, row_number() OVER (ORDER BY x.label, s.disk, s.locator) AS place, 0 AS part FROM t_stream s "
    "JOIN t_exhibit x ON x.id = s.exhibit WHERE s.status = 0 AND s.parent IS NULL AND x.failed IS NULL";

/* Each one that is alone is a group of itself; the others fall into the share, of ?2, in which they
 * begin, unless a share would be empty then: each is at most one behind the share of the one before, and as
 * many are left as there are shares to come. */
static const char sql_groups[] =
    "WITH shared AS (SELECT id, row_number() OVER w - 1 AS rank, (sum(cost) OVER w - cost) / ?1 "
    "AS begins "
    "FROM plan_stream WHERE NOT alone WINDOW w AS (ORDER BY place)), stepped AS (SELECT id, rank, "
    "min(min(begins, rank) - rank) OVER (ORDER BY rank ROWS UNBOUNDED PRECEDING) + rank AS step FROM shared) "
    "UPDATE plan_stream SET part = max(s.step, s.rank - (SELECT count(*) FROM shared) + ?2) + 1 FROM stepped "
    "s "
    "WHERE s.id = plan_stream.id";

/* Numbers the groups: what costs most first; of equals the one that begins first. */
static const char sql_numbers[] = "CREATE TEMP TABLE plan_part AS SELECT row_number() OVER (ORDER BY "
                                  "sum(cost) DESC, min(place)) AS number, "
                                  "iif(alone, -place, part) AS grp, count(*) AS streams, sum(size) AS bytes, "
                                  "sum(cost) AS cost, '' AS sha256 "
                                  "FROM plan_stream GROUP BY iif(alone, -place, part)";
static const char sql_numbered[] =
    "UPDATE plan_stream SET part = p.number FROM plan_part p WHERE p.grp = iif(alone, -place, part)";

/* Those that share parts: how many, and what they cost. */
static int count_shared(struct db *db, uint64_t *ret_alone, uint64_t *ret_count, uint64_t *ret_cost)
{
    struct db_statement *s;
    int code = db_prepare(db,
                          "SELECT count(*) FILTER (WHERE alone), count(*) FILTER (WHERE NOT alone), "
                          "ifnull(sum(cost) FILTER (WHERE NOT alone), 0) FROM plan_stream",
                          &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1) {
        *ret_alone = db_u64(s, 0);
        *ret_count = db_u64(s, 1);
        *ret_cost = db_u64(s, 2);
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

/* Sets apart what costs a whole part, and says into how many the rest is cut. For a number of parts, a part
 * is a share of what is not alone. What is alone depends on that share, so it is asked again until no more
 * turns out to be. */
static int set_apart(struct db *db, const struct plan_wanted *wanted, uint64_t *ret_shares,
                     uint64_t *ret_cost)
{
    static const char apart[] = "UPDATE plan_stream SET alone = 1 WHERE cost >= ?1 AND NOT alone AND ?2 = ?2";
    uint64_t alone = 0, count = 0, cost = 0, shares = 0;
    int code = wanted->parts ? 0 : db_exec_two(db, apart, wanted->part_size, 0);
    for (int i = 0; code == 0 && i < 20; i++) {
        code = count_shared(db, &alone, &count, &cost);
        shares = wanted->parts == 0      ? cost / wanted->part_size + (cost % wanted->part_size != 0)
                 : wanted->parts > alone ? wanted->parts - alone
                                         : 1;
        if (code || wanted->parts == 0)
            break;
        code = db_exec_two(db, apart, cost / shares + 1, 0);
        if (db_changes(db) == 0)
            break;
    }
    if (code == 0)
        code = count_shared(db, &alone, &count, &cost);
    *ret_shares = shares < count ? shares : count;
    *ret_cost = cost;
    return code;
}

static int cut(struct db *db, const struct plan_wanted *wanted)
{
    uint64_t shares = 0, cost = 0;
    int code = db_exec(db, "DROP TABLE IF EXISTS temp.plan_stream; DROP TABLE IF EXISTS temp.plan_part");
    if (code == 0)
        code = db_exec(db, sql_pending);
    if (code == 0)
        code = set_apart(db, wanted, &shares, &cost);
    /* Even shares: the last part is no remnant. */
    if (code == 0 && shares)
        code = db_exec_two(db, sql_groups, cost / shares + (cost % shares != 0), shares);
    if (code == 0)
        code = db_exec(db, sql_numbers);
    if (code == 0)
        code = db_exec(db, sql_numbered);
    return code ? code : db_exec(db, "CREATE INDEX temp.i_plan_stream ON plan_stream(part, place)");
}

static const char sql_case_lines[] =
    PART_LINES("temp.plan_stream p JOIN t_stream s ON s.id = p.id", "t_exhibit", "p.part");

static int digest_parts(struct db *db)
{
    struct db_statement *s = NULL, *set = NULL;
    char sha256[SHA256_HEX_SIZE];
    int code = db_prepare(db, "SELECT number FROM temp.plan_part ORDER BY number", &s);
    if (code == 0)
        code = db_prepare(db, "UPDATE temp.plan_part SET sha256 = ?2 WHERE number = ?1", &set);
    while (code == 0 && (code = db_step(s)) == 1) {
        code = plan_part_sha256(db, sql_case_lines, db_u64(s, 0), sha256);
        db_bind_u64(set, 1, db_u64(s, 0));
        db_bind_text(set, 2, sha256);
        if (code == 0)
            code = db_run(set);
    }
    db_finalize(s);
    db_finalize(set);
    return code;
}

/* ------------------------------------------------------------------ writing plan.db */

static const char *const copies[] = {
    "INSERT INTO plan.exhibit SELECT id, label, path, type_wanted, added, name, type, size, sector_size, "
    "segments, details, "
    "unsupported, damage FROM t_exhibit WHERE id IN (SELECT s.exhibit FROM temp.plan_stream p JOIN t_stream "
    "s ON s.id = p.id)",
    "INSERT INTO plan.image_hash SELECT exhibit, algorithm, hex, source FROM t_image_hash WHERE exhibit IN "
    "(SELECT id FROM "
    "plan.exhibit)",
    "INSERT INTO plan.part SELECT number, streams, bytes, cost, sha256 FROM temp.plan_part ORDER BY number",
    "INSERT INTO plan.stream SELECT p.part, s.id, s.exhibit, s.locator, s.path, s.extension, s.kind, "
    "s.deleted, s.size, s.disk, "
    "s.without, s.tries, s.lost FROM temp.plan_stream p JOIN t_stream s ON s.id = p.id ORDER BY p.part, s.id",
};

static int put_pair(struct db *db, const char *sql, const char *key, const char *value)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_text(s, 1, key);
    db_bind_text(s, 2, value);
    code = db_run(s);
    db_finalize(s);
    return code;
}

static int write_facts(struct db *db, const struct plan_wanted *wanted, const struct plan_facts *facts)
{
    static const char meta[] = "INSERT INTO meta VALUES (?1, ?2)",
                      setting[] = "INSERT INTO setting VALUES (?1, ?2)";
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)wanted->part_size);
    int code = put_pair(db, meta, "case", facts->case_id);
    if (code == 0)
        code = put_pair(db, meta, "configuration", wanted->configuration);
    if (code == 0)
        code = put_pair(db, meta, "part_size", number);
    for (size_t i = 0; code == 0 && i < wanted->settings->count; i++)
        code = put_pair(db, setting, wanted->settings->items[i].key, wanted->settings->items[i].value);
    return code;
}

/* Attaches the new database to the case's connection, for the copies. */
static int copy_rows(struct db *db, const char *path)
{
    struct db_statement *s;
    int code = db_prepare(db, "ATTACH ?1 AS plan", &s);
    if (code)
        return code;
    db_bind_text(s, 1, path);
    code = db_run(s);
    db_finalize(s);
    if (code)
        return code;
    code = db_begin(db);
    for (size_t i = 0; code == 0 && i < sizeof copies / sizeof *copies; i++)
        code = db_exec(db, copies[i]);
    if (code == 0)
        code = db_commit(db);
    else
        db_rollback(db);
    int detached = db_exec(db, "DETACH plan");
    return code ? code : detached;
}

static int write_database(struct casefile *cf, const struct plan_wanted *wanted, const char *path,
                          struct plan_facts *facts, struct why *why)
{
    struct db *db = NULL;
    int code = db_open(path, DB_CREATE, &db, why);
    if (code)
        return code;
    code = db_exec(db, schema);
    if (code == 0)
        code = db_begin(db);
    if (code == 0)
        code = write_facts(db, wanted, facts);
    if (code == 0)
        code = db_commit(db);
    if (code == 0) {
        code = copy_rows(casefile_db(cf), path);
        if (code)
            why_set(why, code, "%s: %s", path, db_error(casefile_db(cf)));
    }
    if (code == 0)
        code = plan_sha256(db, facts->id);
    if (code == 0)
        code = put_pair(db, "INSERT INTO meta VALUES (?1, ?2)", "id", facts->id);
    if (code == 0)
        code = db_exec(db, "PRAGMA journal_mode = DELETE"); /* readers need nothing beside the file then */
    if (code && why && !why->text[0])
        why_set(why, code, "%s: %s", path, db_error(db));
    db_close(db);
    return code;
}

/* ------------------------------------------------------------------ making one */

static int first_line(void *context, const struct ledger_record *record)
{
    memcpy(context, record->hash, SHA256_HEX_SIZE);
    return -ECANCELED;
}

static int case_id(struct casefile *cf, char ret[SHA256_HEX_SIZE], struct why *why)
{
    char path[PATH_SIZE], head[SHA256_HEX_SIZE];
    uint64_t count;
    ret[0] = 0;
    snprintf(path, sizeof path, "%s/ledger.jsonl", casefile_folder(cf));
    int code = ledger_walk(path, first_line, ret, &count, head, why);
    return ret[0] ? 0 : code ? code : why_set(why, -EUCLEAN, "%s: it is empty", path);
}

/* Parts that hosts have given back and that are not merged would be strangers to a new plan. */
static int check_parts(struct casefile *cf, struct why *why)
{
    char id[SHA256_HEX_SIZE];
    struct plan_part *parts = NULL;
    size_t count = 0, waiting = 0;
    int code = plan_parts(cf, id, &parts, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        waiting += !parts[i].merged && part_is_there(casefile_folder(cf), id, parts[i].number);
    free(parts);
    if (code)
        return failed(cf, code, why);
    return waiting == 0 ? 0
                        : why_set(why, -EBUSY,
                                  "%s: %zu parts of the plan that is there wait to be merged: `kvali merge` "
                                  "takes them in; "
                                  "--again gives them up",
                                  casefile_folder(cf), waiting);
}

static int check_ready(struct casefile *cf, struct why *why)
{
    struct queue_counts counts;
    struct pass_row row;
    int code = queue_count(casefile_db(cf), 1, &counts);
    if (code == 0)
        code = pass_open(cf, &row);
    if (code < 0)
        return failed(cf, code, why);
    if (code == 1)
        return why_set(why, -EBUSY,
                       "%s: a later pass is open: it is not cut into parts; `kvali run` goes on with it",
                       casefile_folder(cf));
    if (counts.expands_pending)
        return why_set(why, -EBUSY, "%s: %llu listings are still pending", casefile_folder(cf),
                       (unsigned long long)counts.expands_pending);
    return counts.streams_pending ? 0
                                  : why_set(why, -ENODATA, "%s: nothing is pending: there is nothing to cut",
                                            casefile_folder(cf));
}

static int tell(struct casefile *cf, const struct plan_wanted *wanted, const struct plan_facts *facts,
                struct why *why)
{
    char fields[512], sha256[SHA256_HEX_SIZE];
    hash_sha256_hex(wanted->configuration, strlen(wanted->configuration), sha256);
    snprintf(
        fields, sizeof fields,
        "{\"plan\":\"%s\",\"parts\":%llu,\"streams\":%llu,\"bytes\":%llu,\"configuration_sha256\":\"%s\"}",
        facts->id, (unsigned long long)facts->parts, (unsigned long long)facts->streams,
        (unsigned long long)facts->bytes, sha256);
    return ledger_append(casefile_ledger(cf), "plan", fields, why);
}

static int remember(struct casefile *cf, const struct plan_wanted *wanted, const struct plan_facts *facts)
{
    struct db *db = casefile_db(cf);
    struct db_statement *s = NULL;
    int code = db_exec(db, "UPDATE t_plan SET latest = 0");
    if (code == 0)
        code = db_prepare(
            db,
            "INSERT INTO t_plan SELECT ?1, max(id), ?2, 1 FROM t_run WHERE status = 'listed' ON CONFLICT DO "
            "UPDATE SET latest = 1, run = excluded.run",
            &s);
    if (code)
        return code;
    db_bind_text(s, 1, facts->id);
    db_bind_text(s, 2, wanted->configuration);
    code = db_run(s);
    db_finalize(s);
    if (code == 0)
        code = db_prepare(db,
                          "INSERT INTO t_part SELECT ?1, number, streams, bytes, cost, NULL FROM "
                          "temp.plan_part WHERE true ON "
                          "CONFLICT DO NOTHING",
                          &s);
    if (code)
        return code;
    db_bind_text(s, 1, facts->id);
    code = db_run(s);
    db_finalize(s);
    return code;
}

static int sums(struct db *db, struct plan_facts *facts)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT count(*), total(streams), total(bytes) FROM temp.plan_part", &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1) {
        facts->parts = db_u64(s, 0);
        facts->streams = db_u64(s, 1);
        facts->bytes = db_u64(s, 2);
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

/* Made beside, in the case, for it has names from evidence in it. What a kill left there goes. */
static void remove_made(const char *made)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH_SIZE + 16];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", made, ends[i]);
        (void)unlink(path);
    }
}

/* The file first: a case that knows a plan has it. What a kill leaves is a file that the next plan replaces.
 */
static int put_in_place(struct casefile *cf, const char *made, struct why *why)
{
    char path[PATH_SIZE], parts[PATH_SIZE];
    snprintf(path, sizeof path, "%s/plan.db", casefile_folder(cf));
    snprintf(parts, sizeof parts, "%s/parts", casefile_folder(cf));
    if (mkdir(parts, 0770) && errno != EEXIST)
        return why_set(why, -errno, "%s: %s", parts, strerror(errno));
    return move_into_place(made, path, why);
}

static int make(struct casefile *cf, const struct plan_wanted *wanted, const char *made,
                struct plan_facts *facts, struct why *why)
{
    struct db *db = casefile_db(cf);
    int code = db_exec(db, case_schema);
    if (code == 0)
        code = cut(db, wanted);
    if (code == 0)
        code = sums(db, facts);
    if (code == 0)
        code = digest_parts(db);
    if (code)
        return failed(cf, code, why);
    code = write_database(cf, wanted, made, facts, why);
    if (code == 0)
        code = put_in_place(cf, made, why);
    if (code == 0)
        code = tell(cf, wanted, facts, why);
    if (code)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = remember(cf, wanted, facts);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        failed(cf, code, why);
        db_rollback(db);
    }
    return code;
}

int plan_make(struct casefile *cf, const struct plan_wanted *wanted, bool again, struct plan_facts *ret_facts,
              struct why *why)
{
    struct plan_facts facts = {.configuration = strdup(wanted->configuration)};
    char made[PATH_SIZE];
    snprintf(made, sizeof made, "%s/plan.db.partial", casefile_folder(cf));
    int code = facts.configuration ? check_ready(cf, why) : why_set(why, -ENOMEM, "out of memory");
    if (code == 0 && !again)
        code = check_parts(cf, why);
    if (code == 0)
        code = case_id(cf, facts.case_id, why);
    if (code == 0) {
        remove_made(made);
        code = make(cf, wanted, made, &facts, why);
        remove_made(made);
    }
    if (code) {
        plan_facts_finish(&facts);
        return code;
    }
    *ret_facts = facts;
    return 0;
}

void plan_facts_finish(struct plan_facts *facts)
{
    free(facts->configuration);
    *facts = (struct plan_facts){0};
}

int plan_parts(struct casefile *cf, char ret_id[SHA256_HEX_SIZE], struct plan_part **ret_parts,
               size_t *ret_count)
{
    struct plan_part *parts = NULL;
    struct db_statement *s;
    size_t count = 0;
    ret_id[0] = 0;
    *ret_parts = NULL;
    *ret_count = 0;
    if (!db_has_table(casefile_db(cf), "t_part"))
        return 0;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT p.plan, p.part, p.streams, p.bytes, p.cost, p.sha256 IS NOT NULL FROM t_part p JOIN t_plan "
        "n ON n.id = p.plan AND n.latest ORDER BY p.part",
        &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct plan_part *more = reallocarray(parts, count + 1, sizeof *more);
        if (!more) {
            code = -ENOMEM;
            break;
        }
        parts = more;
        snprintf(ret_id, SHA256_HEX_SIZE, "%s", db_text(s, 0));
        parts[count++] = (struct plan_part){.number = db_u64(s, 1),
                                            .streams = db_u64(s, 2),
                                            .bytes = db_u64(s, 3),
                                            .cost = db_u64(s, 4),
                                            .merged = db_i64(s, 5)};
    }
    db_finalize(s);
    if (code) {
        free(parts);
        return code;
    }
    *ret_parts = parts;
    *ret_count = count;
    return 0;
}
