/* views_case: views of what kvali itself keeps of a case: exhibits, runs, volumes, contents, faults. */
#include "cases/views_private.h"

static const struct view_column account_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"volume", "a.volume", PLAIN},
    {"what", SQL_ACCOUNT_WORD("a.what"), PLAIN},
    {"bytes", "a.bytes", PLAIN},
    {NULL, NULL, END},
};

static const struct view_column overwritten_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"offset", "o.offset", PLAIN},
    {"size", "o.size", PLAIN},
    {"owner", "w.path", PLAIN},
    {"stream", "o.stream", PLAIN},
    {NULL, NULL, END},
};

static const struct view_column exhibit_columns[] = {
    {"exhibit", "label", PLAIN},
    {"id", "id", PLAIN},
    {"path", "path", PLAIN},
    {"name", "name", PLAIN},
    {"type", "type", PLAIN},
    {"size", "size", PLAIN},
    {"sector_size", "sector_size", PLAIN},
    {"segments", "segments", PLAIN},
    {"details", "details", PLAIN},
    {"unsupported", "unsupported", PLAIN},
    {"damage", "damage", PLAIN},
    {"failed", "failed", PLAIN},
    {"md5", "md5", PLAIN},
    {"sha1", "sha1", PLAIN},
    {"sha256", "sha256", PLAIN},
    {"bytes_unread", "unread", PLAIN},
    {"verification", "verification", PLAIN},
    {"verified_at", "verified_at", WHEN},
    {"added", "added", WHEN},
    {NULL, NULL, END},
};

static const struct view_column image_hash_columns[] = {
    {"exhibit", "x.label", PLAIN}, {"algorithm", "h.algorithm", PLAIN}, {"hex", "h.hex", PLAIN},
    {"source", "h.source", PLAIN}, {"result", "h.result", PLAIN},       {NULL, NULL, END},
};

static const struct view_column run_columns[] = {
    {"id", "id", PLAIN},
    {"started", "started", WHEN},
    {"ended", "ended", WHEN},
    {"status", "status", PLAIN},
    {"settings", "settings", PLAIN},
    {"settings_sha256", "settings_sha256", PLAIN},
    {"versions", "versions", PLAIN},
    {"host", "host", PLAIN},
    {"sandbox", "sandbox", PLAIN},
    {"pass", "pass", PLAIN},
    {NULL, NULL, END},
};

/* Contents here are those that no other one lies around; `equal` counts all. */
#define OF_FIRST(condition) "(SELECT count(*) FROM t_stream WHERE parent IS NULL AND " condition ")"
#define OF_LATER(condition) "(SELECT count(*) FROM t_scan c WHERE c.pass = p.id AND " condition ")"
#define OF_PASS(first, later) "CASE WHEN p.id = 1 THEN " OF_FIRST(first) " ELSE " OF_LATER(later) " END"
static const struct view_column pass_columns[] = {
    {"id", "p.id", PLAIN},
    {"plugins", "p.plugins", PLAIN},
    {"run", "p.run", PLAIN},
    {"status",
     "CASE WHEN p.id > 1 THEN p.status WHEN EXISTS (SELECT 1 FROM t_stream WHERE status = 0 AND parent IS NULL) OR EXISTS "
     "(SELECT 1 FROM t_expand WHERE status = 0) OR NOT EXISTS (SELECT 1 FROM t_expand) THEN 'open' ELSE 'done' END",
     PLAIN},
    {"content_only", "p.content_only", PLAIN},
    {"contents", OF_PASS("status <> 4", "1"), PLAIN},
    {"done", OF_PASS("status = 1", "c.status = 1"), PLAIN},
    {"partial", OF_PASS("status = 2", "c.status = 2"), PLAIN},
    {"failed", OF_PASS("status = 3", "c.status = 3"), PLAIN},
    {"pending", OF_PASS("status = 0", "c.status = 0"), PLAIN},
    {"given_up", OF_PASS("0", "c.status = 5"), PLAIN},
    {"not_in_it",
     "CASE WHEN p.id = 1 THEN 0 ELSE (SELECT count(*) FROM t_stream s WHERE s.parent IS NULL AND s.status <> 4 AND "
     "s.uniform IS NULL AND NOT EXISTS (SELECT 1 FROM t_scan c WHERE c.pass = p.id AND c.stream = s.id)) END",
     PLAIN},
    {"equal", "(SELECT count(*) FROM t_twin w WHERE w.pass = p.id)", PLAIN},
    {"faults", "(SELECT count(*) FROM fault f WHERE f.pass = p.id)", PLAIN},
    {NULL, NULL, END},
};

static const struct view_column run_loaded_columns[] = {
    {"run", "run", PLAIN},         {"plugin", "plugin", PLAIN}, {"kind", "kind", PLAIN},
    {"name", "name", PLAIN},       {"sha256", "sha256", PLAIN}, {"count", "count", PLAIN},
    {"problem", "problem", PLAIN}, {NULL, NULL, END},
};

static const struct view_column volume_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"key", "v.key", PLAIN},
    {"parent", "v.parent", PLAIN},
    {"partition_table", "v.partition_table", PLAIN},
    {"type", "v.type", PLAIN},
    {"label", "v.label", PLAIN},
    {"offset", "v.offset", PLAIN},
    {"size", "v.size", PLAIN},
    {"filesystem", "v.filesystem", PLAIN},
    {"content", "v.content", PLAIN},
    {"block_size", "v.block_size", PLAIN},
    {"block_count", "v.block_count", PLAIN},
    {"fs_size", "v.fs_size", PLAIN},
    {"serial", "v.serial", PLAIN},
    {"time_note", "v.time_note", PLAIN},
    {"expand", "v.expand", PLAIN},
    {"raw", "v.raw", PLAIN},
    {"use", "CASE v.use WHEN 0 THEN 'allocated' WHEN 1 THEN 'gap' ELSE 'table' END", PLAIN},
    {NULL, NULL, END},
};

static const struct view_column fault_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "CASE WHEN f.path = '' AND s.path IS NOT NULL THEN s.path ELSE f.path END", PLAIN},
    {"volume", "f.volume", PLAIN},
    {"stage", "f.stage", PLAIN},
    {"plugin", "f.plugin", PLAIN},
    {"offset", "f.offset", PLAIN},
    {"size", "f.size", PLAIN},
    {"kind", "f.kind", PLAIN},
    {"effect", "f.effect", PLAIN},
    {"detail", "f.detail", PLAIN},
    {"attempt", "f.attempt", PLAIN},
    {"stream", "f.stream", PLAIN},
    {"pass", "f.pass", PLAIN},
    {"run", "f.run", PLAIN},
    {NULL, NULL, END},
};

/* What no attempt stands for counts whatever is chosen; and so does an exhibit that could not be opened. */
static const char fault_from[] =
    "(SELECT f.*, a.run FROM t_fault f LEFT JOIN t_attempt a ON a.id = f.attempt "
    "WHERE f.attempt IS NULL OR a.status IN " SQL_CHOSEN " "
    "UNION ALL SELECT NULL, id, NULL, NULL, 'unreadable', '', '', 'open', '', NULL, 0, "
    "'what is not examined yet of this exhibit could not be examined', failed, 1, NULL FROM t_exhibit WHERE "
    "failed IS NOT NULL) f "
    "JOIN t_exhibit x ON x.id = f.exhibit LEFT JOIN t_stream s ON s.id = f.stream";

static const struct view_column note_columns[] = {
    {"exhibit", "x.label", PLAIN}, {"path", "s.path", PLAIN}, {"plugin", "n.plugin", PLAIN},
    {"offset", "n.offset", PLAIN}, {"text", "n.text", PLAIN}, {"attempt", "n.attempt", PLAIN},
    {"stream", "n.stream", PLAIN}, {"pass", "a.pass", PLAIN}, {"run", "a.run", PLAIN}, {NULL, NULL, END},
};

static const struct view_column stream_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"id", "s.id", PLAIN},
    {"path", "s.path", PLAIN},
    {"kind", SQL_KIND_WORD("s.kind"), PLAIN},
    {"deleted", "s.deleted", PLAIN},
    {"size", "s.size", PLAIN},
    {"locator", "s.locator", PLAIN},
    {"status", SQL_STATUS_WORD("s.status"), PLAIN},
    {"bytes_read", "s.read", PLAIN},
    {"bytes_unread", "s.unread", PLAIN},
    {"without_plugins", "s.without", PLAIN},
    {"tries", "s.tries", PLAIN},
    {"parent", "s.parent", PLAIN},
    {"plugin", "s.plugin", PLAIN},
    {"child_offset", "s.child_offset", PLAIN},
    {"runs", "s.runs", PLAIN},
    {"attempt", "s.attempt", PLAIN},
    {NULL, NULL, END},
};

static const struct {
    const char *name;
    const struct view_column *columns;
    const char *from;
} plain_views[] = {
    {"exhibit", exhibit_columns, "t_exhibit"},
    {"image_hash", image_hash_columns, "t_image_hash h JOIN t_exhibit x ON x.id = h.exhibit"},
    {"run", run_columns, "t_run"},
    {"run_loaded", run_loaded_columns, "t_run_loaded"},
    {"volume", volume_columns, "t_volume v JOIN t_exhibit x ON x.id = v.exhibit"},
    {"account", account_columns, "t_account a JOIN t_exhibit x ON x.id = a.exhibit"},
    {"overwritten", overwritten_columns,
     "t_overwritten o JOIN t_stream s ON s.id = o.stream JOIN t_stream w ON w.id = o.owner JOIN t_exhibit x "
     "ON x.id = "
     "s.exhibit"},
    {"fault", fault_columns, fault_from},
    {"pass", pass_columns, "t_pass p"},
    {"note", note_columns, "t_note n" OF_ANY_PASS("n")},
    {"stream", stream_columns,
     "t_stream s JOIN t_exhibit x ON x.id = s.exhibit WHERE s.parent IS NULL OR s.attempt IS NOT NULL"},
};

int views_case(struct db *db)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof plain_views / sizeof *plain_views; i++) {
        struct buf drop = {0};
        buf_printf(&drop, "DROP VIEW IF EXISTS %s", plain_views[i].name);
        code = views_exec(db, &drop);
        if (code == 0)
            code = views_make_plain(db, plain_views[i].name, plain_views[i].columns, plain_views[i].from);
    }
    return code;
}
