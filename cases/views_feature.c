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
static const char histogram[] =
    "CREATE VIEW histogram AS SELECT f.kind AS kind, f.normal AS value, " RANK_WORD(
        "max(f.rank)") " AS rank, "
                       "sum(f.count) AS count, count(DISTINCT f.stream) AS contents, count(DISTINCT "
                       "f.exhibit) AS exhibits, "
                       "group_concat(DISTINCT f.exhibit) AS exhibit_list, " DAY(
                           "min(t.first)") " AS first_seen, "
                                           "min(t.first) AS first_seen_ns, " DAY(
                                               "max(t.last)") " AS last_seen, max(t.last) AS last_seen_ns "
                                                              "FROM " COUNTED " f LEFT JOIN (SELECT "
                                                              "stream, min(modified) AS first, max(modified) "
                                                              "AS last FROM t_entry "
                                                              "WHERE modified IS NOT NULL GROUP BY stream) t "
                                                              "ON t.stream = f.stream GROUP BY f.kind, "
                                                              "f.normal";

static const char histogram_exhibit[] =
    "CREATE VIEW histogram_exhibit AS SELECT exhibit, kind, normal AS value, sum(count) AS count, "
    "count(DISTINCT stream) AS contents FROM " COUNTED " GROUP BY exhibit, kind, normal";

static const char shared[] = "CREATE VIEW shared_feature AS SELECT * FROM histogram WHERE exhibits > 1";

int views_feature(struct db *db)
{
    int code = db_exec(db, "DROP VIEW IF EXISTS shared_feature; DROP VIEW IF EXISTS histogram_exhibit; DROP "
                           "VIEW IF EXISTS histogram; "
                           "DROP VIEW IF EXISTS feature");

    if (code == 0)
        code = db_exec(db, db_has_table(db, "rec_features_feature") ? feature_there : feature_none);
    if (code == 0)
        code = db_exec(db, histogram);
    if (code == 0)
        code = db_exec(db, histogram_exhibit);
    return code ? code : db_exec(db, shared);
}
