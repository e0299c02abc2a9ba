/* link: see link.h. Nothing is read from the evidence. */
#include "cases/link.h"

#include "cases/db.h"
#include "cases/names.h"
#include "cases/overwritten.h"
#include "engine/base/log.h"

#include <errno.h>
#include <string.h>

static const char sql_forget[] = "DELETE FROM t_overwritten; DELETE FROM t_deleted; DELETE FROM t_carved;";

static const char sql_carved[] = "INSERT INTO t_carved(stream) SELECT c.stream FROM rec_carve c"
                                 " JOIN t_stream s ON s.id = c.stream AND s.attempt = c.attempt;";

/* The file of any name that has the same content, live ones first. */
static const char sql_same[] = "CREATE INDEX IF NOT EXISTS i_rec_digest_sha256 ON rec_digest(sha256);"
                               "UPDATE t_carved SET same_as = (SELECT o.id FROM rec_digest mine"
                               " JOIN rec_digest other ON other.sha256 = mine.sha256"
                               " JOIN t_stream o ON o.id = other.stream AND o.attempt = other.attempt"
                               " WHERE mine.stream = t_carved.stream AND o.kind IN (2, 3, 4, 7)"
                               " ORDER BY o.deleted, o.exhibit, o.path LIMIT 1);";

/* Objects in one piece, in an order in which what lies around comes before what lies inside. */
static const char sql_inside[] =
    "SELECT s.id, dense_rank() OVER (ORDER BY s.exhibit, rtrim(s.outer, replace(s.outer, '>', ''))) AS "
    "medium,"
    " s.parent, s.runs ->> '$[0][0]' AS begin, s.runs ->> '$[0][1]' AS size,"
    " c.grade IN ('validated', 'complete') FROM t_carved k JOIN (SELECT s.*, " SQL_OUTER_LOCATOR
    " AS outer FROM t_stream s) s ON s.id = k.stream"
    " JOIN rec_carve c ON c.stream = s.id AND c.attempt = s.attempt WHERE json_array_length(s.runs) = 1"
    " ORDER BY medium, begin, size DESC, s.path";

struct around {
    uint64_t stream, medium, parent, end; /* medium: numbered by the query */
};

/* An object is a part of a whole one that lies around it in another stream: of one that began in the range of
 * free space before. */
static int mark_inside(struct db *db)
{
    struct db_statement *s = NULL, *update = NULL;
    struct around around = {0};
    int code = db_prepare(db, sql_inside, &s);

    if (code == 0)
        code = db_prepare(db, "UPDATE t_carved SET inside = ?2 WHERE stream = ?1", &update);
    while (code == 0 && (code = db_step(s)) == 1) {
        struct around here = {db_u64(s, 0), db_u64(s, 1), db_u64(s, 2), db_u64(s, 3) + db_u64(s, 4)};

        code = 0;
        if (around.stream && around.medium == here.medium && here.end <= around.end) {
            if (around.parent != here.parent && around.stream != here.parent) {
                db_bind_u64(update, 1, here.stream);
                db_bind_u64(update, 2, around.stream);
                code = db_run(update);
            }
        } else if (db_i64(s, 5)) {
            around = here;
        }
    }
    db_finalize(update);
    db_finalize(s);
    return code;
}

/* Nothing is left out unsaid: the record goes with the case. */
static int give_up_owners(struct casefile *cf)
{
#define NOT_TOLD "whose blocks deleted files had is not told: the file systems give each of them to too many"
    log_warn(NOT_TOLD);
    int code = ledger_append(casefile_ledger(cf), "not-told", "{\"reason\":\"" NOT_TOLD "\"}", NULL);
    return code ? code : db_exec(casefile_db(cf), sql_forget);
}

static int link_all(struct casefile *cf)
{
    struct db *db = casefile_db(cf);
    int code = db_exec(db, sql_forget);

    if (code == 0)
        code = overwritten_fill(db);
    if (code == -E2BIG)
        code = give_up_owners(cf);
    if (code || !db_has_table(db, "rec_carve"))
        return code;
    code = db_exec(db, sql_carved);
    if (code == 0)
        code = mark_inside(db);
    return code == 0 && db_has_table(db, "rec_digest") ? db_exec(db, sql_same) : code;
}

int link_forget(struct casefile *cf)
{
    return db_exec(casefile_db(cf), sql_forget);
}

int link_findings(struct casefile *cf, struct why *why)
{
    struct db *db = casefile_db(cf);
    int code = db_begin(db);

    if (code == 0)
        code = link_all(cf);
    if (code == 0)
        code = db_commit(db);
    if (code) {
        why_set(why, code, "%s: what belongs together could not be worked out: %s", casefile_folder(cf),
                db_error(db));
        db_rollback(db);
    }
    return code;
}
