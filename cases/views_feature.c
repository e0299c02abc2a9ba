/* views_feature: what the plugin features found, each value counted over the case, and what links exhibits.
 */
#include "cases/views_private.h"

/* clang-format off */
#define FEATURE_COLUMNS(x)                                                                                   \
    x(exhibit, "x.label") x(path, "s.path") x(kind, "r.kind") x(value, "r.value") x(normal, "r.normal")      \
        x(rank, "r.rank") x(offset, "r.offset") x(physical, "r.physical") x(size, "r.size")                  \
            x(encoding, "r.encoding") x(count, "r.count") x(more, "r.more") x(before, "r.before")            \
                x(behind, "r.behind") x(detail, "r.detail") x(deleted, "s.deleted")                          \
                    x(stream_kind, SQL_KIND_WORD("s.kind")) x(stream, "r.stream") x(attempt, "r.attempt")    \
                        x(pass, "a.pass") x(run, "a.run")
#define AS(name, sql)   ", " sql " AS " #name
#define NONE(name, sql) ", NULL AS " #name
/* clang-format on */

static const char feature_there[] = "CREATE VIEW feature AS SELECT r.ordinal AS ordinal" FEATURE_COLUMNS(
    AS) " FROM rec_features_feature r" OF_ANY_PASS("r");
static const char feature_none[] =
    "CREATE VIEW feature AS SELECT NULL AS ordinal" FEATURE_COLUMNS(NONE) " WHERE 0";

/* The row with the highest of these numbers says the word. */
#define RANK         "CASE rank WHEN 'checksum' THEN 2 WHEN 'context' THEN 1 ELSE 0 END"
#define RANK_WORD(x) "CASE " x " WHEN 2 THEN 'checksum' WHEN 1 THEN 'context' ELSE 'format' END"

/* A value and content, counted once however many passes found it there. While there is one pass nothing is
 * grouped, for that takes as long as all the rest. A recovered object's bytes are counted where they lie, in
 * free space. */
#define COUNTED                                                                                              \
    "(SELECT exhibit, stream, kind, normal, " RANK " AS rank, count FROM feature "                           \
    "WHERE stream_kind <> 'carved' AND NOT EXISTS (SELECT 1 FROM t_pass WHERE id > 1) "                      \
    "UNION ALL SELECT exhibit, stream, kind, normal, max(" RANK "), max(count) FROM feature "                \
    "WHERE stream_kind <> 'carved' AND EXISTS (SELECT 1 FROM t_pass WHERE id > 1) "                          \
    "GROUP BY exhibit, stream, kind, normal)"

#define DAY(x) "strftime('%Y-%m-%dT%H:%M:%SZ', " x " / 1000000000, 'unixepoch')"

/* The times are those of the files that hold the value. */
#define TIMES                                                                                                \
    "(SELECT stream, min(modified) AS first, max(modified) AS last FROM t_entry WHERE modified IS NOT NULL " \
    "GROUP BY stream)"

/* A sum that cannot overflow, whatever a record claims; exact below 2^53. */
#define SUM(x) "CAST(min(total(" x "), 9e18) AS INTEGER)"

/* The key comes first, as in schema.sql. */
static const char values[] =
    "CREATE TABLE IF NOT EXISTS t_value (kind TEXT NOT NULL, value TEXT NOT NULL, exhibit TEXT NOT NULL, "
    "rank INTEGER NOT NULL, count INTEGER NOT NULL, contents INTEGER NOT NULL, first INTEGER, last INTEGER, "
    "PRIMARY KEY (kind, value, exhibit)) STRICT, WITHOUT ROWID";

/* clang-format off */ /* which would break these texts at each word */
/* What histogram.c counts as well, and faster. In the order of the key, so that the table only grows at its end. A record without
 * a kind or a value counts nowhere. */
static const char count_all[] =
    "INSERT OR IGNORE INTO t_value "
    "SELECT f.kind, f.normal, f.exhibit, max(f.rank), " SUM("f.count") ", count(*), min(t.first), max(t.last) "
    "FROM " COUNTED " f LEFT JOIN " TIMES " t ON t.stream = f.stream "
    "GROUP BY f.kind, f.normal, f.exhibit ORDER BY f.kind, f.normal, f.exhibit";

#define NOT_COUNTED "NOT EXISTS (SELECT 1 FROM t_value)"

/* Of the counted rows of a value, and of those that are counted when the view is asked. */
static const char histogram[] =
    "CREATE VIEW histogram AS "
    "SELECT kind, value, " RANK_WORD("max(rank)") " AS rank, " SUM("count") " AS count, "
    "sum(contents) AS contents, count(*) AS exhibits, group_concat(exhibit) AS exhibit_list, "
    DAY("min(first)") " AS first_seen, min(first) AS first_seen_ns, "
    DAY("max(last)") " AS last_seen, max(last) AS last_seen_ns "
    "FROM t_value GROUP BY kind, value "
    "UNION ALL "
    "SELECT f.kind, f.normal, " RANK_WORD("max(f.rank)") ", " SUM("f.count") ", "
    "count(DISTINCT f.stream), count(DISTINCT f.exhibit), group_concat(DISTINCT f.exhibit), "
    DAY("min(t.first)") ", min(t.first), "
    DAY("max(t.last)") ", max(t.last) "
    "FROM " COUNTED " f LEFT JOIN " TIMES " t ON t.stream = f.stream WHERE " NOT_COUNTED " "
    "GROUP BY f.kind, f.normal";

static const char histogram_exhibit[] =
    "CREATE VIEW histogram_exhibit AS SELECT exhibit, kind, value, count, contents FROM t_value "
    "UNION ALL "
    "SELECT exhibit, kind, normal, " SUM("count") ", count(DISTINCT stream) FROM " COUNTED " WHERE " NOT_COUNTED " "
    "GROUP BY exhibit, kind, normal";
/* clang-format on */

static const char shared[] = "CREATE VIEW shared_feature AS SELECT * FROM histogram WHERE exhibits > 1";

int views_feature_table(struct db *db)
{
    return db_exec(db, values);
}

int views_feature_count(struct db *db)
{
    return db_exec(db, count_all);
}

int views_feature(struct db *db)
{
    int code = db_exec(db, "DROP VIEW IF EXISTS shared_feature; DROP VIEW IF EXISTS histogram_exhibit; DROP "
                           "VIEW IF EXISTS histogram; "
                           "DROP VIEW IF EXISTS feature");

    if (code == 0)
        code = db_exec(db, values);
    if (code == 0)
        code = db_exec(db, db_has_table(db, "rec_features_feature") ? feature_there : feature_none);
    if (code == 0)
        code = db_exec(db, histogram);
    if (code == 0)
        code = db_exec(db, histogram_exhibit);
    return code ? code : db_exec(db, shared);
}
