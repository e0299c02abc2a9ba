/* views_feature: what the plugin features found, each value counted over the case, and what links exhibits.
 */
#include "cases/views_private.h"

#define FEATURE_COLUMNS(x)                                                                                   \
    x(exhibit, "x.label") x(path, "s.path") x(kind, "r.kind") x(value, "r.value") x(normal, "r.normal")      \
        x(rank, "r.rank") x(offset, "r.offset") x(physical, "r.physical") x(size, "r.size")                  \
            x(encoding, "r.encoding") x(count, "r.count") x(more, "r.more") x(before, "r.before")            \
                x(behind, "r.behind") x(detail, "r.detail") x(deleted, "s.deleted")                          \
                    x(stream_kind, SQL_KIND_WORD("s.kind")) x(stream, "s.id") x(attempt, "s.attempt")
#define AS(name, sql)   ", " sql " AS " #name
#define NONE(name, sql) ", NULL AS " #name

static const char feature_there[] = "CREATE VIEW feature AS SELECT r.ordinal AS ordinal" FEATURE_COLUMNS(
    AS) " FROM rec_features_feature r JOIN t_stream s ON s.id = r.stream AND s.attempt = r.attempt JOIN "
        "t_exhibit x ON x.id = s.exhibit";
static const char feature_none[] =
    "CREATE VIEW feature AS SELECT NULL AS ordinal" FEATURE_COLUMNS(NONE) " WHERE 0";

#define DAY(x) "strftime('%Y-%m-%dT%H:%M:%SZ', " x " / 1000000000, 'unixepoch')"

/* A recovered object's bytes are counted where they lie, in free space; the times are those of the files that
 * hold the value. */
static const char histogram[] =
    "CREATE VIEW histogram AS SELECT f.kind AS kind, f.normal AS value, "
    "CASE max(CASE f.rank WHEN 'checksum' THEN 2 WHEN 'context' THEN 1 ELSE 0 END) WHEN 2 THEN 'checksum' "
    "WHEN 1 THEN 'context' "
    "ELSE 'format' END AS rank, sum(f.count) AS count, count(DISTINCT f.stream) AS contents, count(DISTINCT "
    "f.exhibit) AS exhibits, "
    "group_concat(DISTINCT f.exhibit) AS exhibit_list, " DAY(
        "min(t.first)") " AS first_seen, min(t.first) AS first_seen_ns, " DAY("max(t.last)") " AS last_seen, "
                                                                                             "max(t.last) AS "
                                                                                             "last_seen_ns "
                                                                                             "FROM feature f "
                                                                                             "LEFT JOIN "
                                                                                             "(SELECT "
                                                                                             "stream, "
                                                                                             "min(modified) "
                                                                                             "AS first, "
                                                                                             "max(modified) "
                                                                                             "AS last FROM "
                                                                                             "t_entry WHERE "
                                                                                             "modified IS "
                                                                                             "NOT NULL GROUP "
                                                                                             "BY stream) t "
                                                                                             "ON t.stream = "
                                                                                             "f.stream WHERE "
                                                                                             "f.stream_kind "
                                                                                             "<> 'carved' "
                                                                                             "GROUP BY "
                                                                                             "f.kind, "
                                                                                             "f.normal";

static const char histogram_exhibit[] =
    "CREATE VIEW histogram_exhibit AS SELECT exhibit, kind, normal AS value, sum(count) AS count, "
    "count(DISTINCT stream) AS contents "
    "FROM feature WHERE stream_kind <> 'carved' GROUP BY exhibit, kind, normal";

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
