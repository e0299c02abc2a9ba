/*
 * merge_check: is a part to be believed, before anything of it is taken; and which of two databases is to
 * blame.
 */
#include "cases/merge_private.h"

#include <errno.h>
#include <string.h>

int merge_refuse(struct why *why, const char *path, const char *what)
{
    return why_set(why, 1, "%s: %s", path, what);
}

int merge_check_header(const struct merge *m, const char *path, const struct part_header *header,
                       struct why *why)
{
    if (strcmp(header->plan, m->plan) != 0)
        return merge_refuse(why, path, "it is a stranger: of another plan than this case has now");
    if (strcmp(header->configuration, m->configuration) != 0)
        return merge_refuse(
            why, path, "it was made with another configuration (versions, settings or rules) than the plan");
    return 0;
}

/* SQLite does not say which of two databases is damaged: when the part is whole, it is the case's own. */
static bool part_is_whole(struct merge *m)
{
    struct db_statement *s;
    if (db_prepare(m->db, "PRAGMA part.integrity_check(1)", &s))
        return false;
    bool whole = db_step(s) == 1 && strcmp(db_text(s, 0), "ok") == 0;
    db_finalize(s);
    return whole;
}

int merge_blame(struct merge *m, int code, const char *path, const char *what, const char *words,
                struct why *why)
{
    if (code == -EUCLEAN && part_is_whole(m))
        return why_set(why, code, "%s/case.db: %s", casefile_folder(m->cf), words);
    return why_set(why, 1, "%s: %s: %s", path, what, words);
}

/* Each of these counts what must not be there. */
static const struct {
    const char *sql, *what;
} checks[] = {
    {"SELECT count(*) FROM part.sqlite_schema p WHERE (p.type <> 'view' OR p.name LIKE 't\\_%' ESCAPE '\\' "
     "OR p.name "
     "LIKE 'rec\\_%' ESCAPE '\\') AND p.sql IS NOT '" PART_LEDGER_SQL "' AND p.sql IS NOT '" PART_PAGE_SQL
     "' AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema m WHERE m.type = p.type AND m.name = p.name AND "
     "m.sql IS "
     "p.sql)",
     "it holds tables, views or triggers that no part has"},
    {"SELECT total(length(line)) > 16777216 FROM part.t_part_ledger", "its ledger is too long"},
    {"SELECT count(*) FROM part.t_stream p LEFT JOIN main.t_stream m ON m.id = p.id AND m.exhibit = "
     "p.exhibit AND m.locator = "
     "p.locator AND m.path = p.path AND m.size = p.size AND m.kind = p.kind WHERE p.parent IS NULL AND "
     "p.found = 0 "
     "AND m.id IS NULL",
     "it tells of contents that this case does not have"},
    {"SELECT (SELECT count(*) FROM part.t_stream WHERE status NOT IN (1, 2, 3)) + (SELECT count(*) FROM "
     "part.t_expand "
     "WHERE status NOT IN (1, 2, 3))",
     "it is not complete: contents in it are pending"},
    {"SELECT abs((SELECT count(*) FROM part.t_stream WHERE parent IS NULL AND found = 0) - (SELECT streams "
     "FROM "
     "main.t_part p JOIN main.t_plan n "
     "ON n.id = p.plan AND n.latest WHERE p.part = ?1))",
     "it has another number of contents than was planned"},
    {"SELECT count(*) FROM (SELECT plugin, name, version, fields, table_name FROM part.t_record_type EXCEPT "
     "SELECT plugin, name, "
     "version, fields, table_name FROM main.t_record_type)",
     "it has records of types that this case does not know"},
};

int merge_check_inside(struct merge *m, const char *path, uint64_t part, struct why *why)
{
    static const char stranger[] = "it is no part of a case";
    uint64_t here = 0, there = 0;
    struct why words;
    int code = db_number(m->db, "PRAGMA main.user_version", 0, 0, &here);
    if (code)
        return merge_failed(m, code, why);
    if (db_number(m->db, "PRAGMA part.user_version", 0, 0, &there))
        return why_set(why, 1, "%s: %s: %s", path, stranger, db_error(m->db));
    if (here != there)
        return merge_refuse(why, path, "its tables are of another kvali");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        uint64_t count = 1;
        code = db_number(m->db, checks[i].sql, part, 0, &count);
        if (code) {
            why_set(&words, code, "%s", db_error(m->db));
            return merge_blame(m, code, path, stranger, words.text, why);
        }
        if (count)
            return merge_refuse(why, path, checks[i].what);
    }
    return 0;
}
