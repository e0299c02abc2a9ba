/* views_file: the view `file`. */
#include "cases/views_private.h"

/* The last component of an address is the name, escaped. */
#define LAST_COMPONENT(path) "substr(" path ", length(rtrim(" path ", replace(" path ", '/', ''))) + 1)"

static const struct view_column file_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "e.path", PLAIN},
    {"name", LAST_COMPONENT("e.path"), PLAIN},
    {"name_bytes", "e.name", PLAIN},
    {"volume", "e.volume", PLAIN},
    {"inode", "e.inode", PLAIN},
    {"sequence", "e.sequence", PLAIN},
    {"parent_inode", "e.parent_inode", PLAIN},
    {"attribute", "e.attribute", PLAIN},
    {"type", SQL_TYPE_WORD("e.type"), PLAIN},
    {"kind", SQL_KIND_WORD("e.kind"), PLAIN},
    {"size", "e.size", PLAIN},
    {"allocated_size", "e.allocated", PLAIN},
    {"live", "(e.flags & 3) = 0", PLAIN},
    {"deleted", "1", BIT},
    {"content_deleted", "2", BIT},
    {"reallocated", "4", BIT},
    {"orphan", "8", BIT},
    {"unnamed", "16", BIT},
    {"resident", "32", BIT},
    {"compressed", "64", BIT},
    {"sparse", "128", BIT},
    {"encrypted", "256", BIT},
    {"metadata", "512", BIT},
    {"time_out_of_range", "1024", BIT},
    {"no_metadata", "2048", BIT},
    {"mode", "e.mode", PLAIN},
    {"uid", "e.uid", PLAIN},
    {"gid", "e.gid", PLAIN},
    {"links", "e.links", PLAIN},
    {"modified", "e.modified", WHEN},
    {"accessed", "e.accessed", WHEN},
    {"changed", "e.changed", WHEN},
    {"born", "e.born", WHEN},
    {"deleted_at", "e.removed", WHEN},
    {"name_modified", "e.name_modified", WHEN},
    {"name_accessed", "e.name_accessed", WHEN},
    {"name_changed", "e.name_changed", WHEN},
    {"name_born", "e.name_born", WHEN},
    {"raw_times", "e.raw_times", PLAIN},
    {"target", "e.target", PLAIN},
    {"runs", "s.runs", PLAIN},
    {"runs_cut", "s.runs_cut", PLAIN},
    {"content_size", "s.size", PLAIN},
    {"status", SQL_STATUS_WORD("s.status"), PLAIN},
    {"bytes_read", "s.read", PLAIN},
    {"bytes_unread", "s.unread", PLAIN},
    {"without_plugins", "s.without", PLAIN},
    {"locator", "s.locator", PLAIN},
    {"stream", "s.id", PLAIN},
    {"attempt", "s.attempt", PLAIN},
    {"repeated_byte", "s.uniform", PLAIN},
    {"slack", "s.slack", PLAIN},
    {"overwritten_bytes", "g.overwritten", PLAIN},
    {"blocks",
     "CASE WHEN g.stream IS NULL THEN NULL WHEN g.overwritten = 0 THEN 'free' WHEN g.overwritten < g.bytes "
     "THEN "
     "'partly overwritten' ELSE 'overwritten' END",
     PLAIN},
    {NULL, NULL, END},
};

/* What the view `file` takes from record tables that have one row a stream. */
static const struct join {
    const char *table, *alias;
    struct view_column columns[8];
} joins[] = {
    {"rec_digest",
     "d",
     {{"md5", HEX("d.md5"), PLAIN},
      {"sha1", HEX("d.sha1"), PLAIN},
      {"sha256", HEX("d.sha256"), PLAIN},
      {"xxh3", HEX("d.xxh3"), PLAIN},
      {"hash_complete", "d.unread = 0", PLAIN},
      {NULL, NULL, END}}},
    {"rec_filetype",
     "t",
     {{"mime", "t.mime", PLAIN},
      {"description", "t.description", PLAIN},
      {"extension_expected", "t.extension_expected", PLAIN},
      {"mismatch", "t.mismatch", PLAIN},
      {NULL, NULL, END}}},
    {"rec_entropy", "n", {{"entropy", "n.entropy", PLAIN}, {NULL, NULL, END}}},
};
enum { JOINS = sizeof joins / sizeof *joins };

/* One row an entry; and the streams inside others, which no file system names, as entries of their own. */
static const char file_from[] =
    "(SELECT exhibit, path, name, volume, inode, sequence, parent_inode, attribute, type, kind, size, "
    "allocated, flags, "
    "mode, uid, gid, links, modified, accessed, changed, born, removed, name_modified, name_accessed, "
    "name_changed, "
    "name_born, raw_times, target, stream FROM t_entry "
    "UNION ALL SELECT exhibit, path, name, '', 0, 0, 0, '', 0, kind, size, 0, deleted * 3, 0, 0, 0, 0, NULL, "
    "NULL, NULL, "
    "NULL, NULL, NULL, NULL, NULL, NULL, '', '', id FROM t_stream WHERE parent IS NOT NULL AND attempt IS "
    "NOT NULL) e "
    "JOIN t_exhibit x ON x.id = e.exhibit LEFT JOIN t_stream s ON s.id = e.stream LEFT JOIN t_deleted g ON "
    "g.stream = "
    "s.id";

int views_file(struct db *db)
{
    struct buf sql = {0};
    bool there[JOINS];
    buf_text(&sql, "CREATE VIEW file AS SELECT ");
    views_put_columns(&sql, file_columns, false, true);
    for (size_t i = 0; i < JOINS; i++) {
        there[i] = db_has_table(db, joins[i].table);
        views_put_columns(&sql, joins[i].columns, true, there[i]);
    }
    buf_printf(&sql, " FROM %s", file_from);
    for (size_t i = 0; i < JOINS; i++)
        if (there[i])
            buf_printf(&sql, " LEFT JOIN %s %s ON %s.stream = s.id AND %s.attempt = s.attempt",
                       joins[i].table, joins[i].alias, joins[i].alias, joins[i].alias);
    return views_exec(db, &sql);
}
