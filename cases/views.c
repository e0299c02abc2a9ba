/*
 * views: made from tables of columns, because their shape depends on which record tables exist.
 *
 * A time is shown twice: as RFC 3339 text in UTC, exactly as when_format writes it, and as <name>_ns. Times
 * before 1970 are negative and SQL's division cuts towards zero, so the second is taken one lower where a
 * fraction is left.
 */
#include "cases/views.h"

#include "cases/views_private.h"

#include "cases/names.h"
#include "engine/base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum form {
    PLAIN,
    WHEN, /* nanoseconds or NULL: <name> and <name>_ns */
    BIT,  /* of e.flags; `sql` is the mask */
    END,
};

struct column {
    const char *name, *sql;
    enum form form;
};

/* The last component of an address is the name, escaped. */
#define LAST_COMPONENT(path) "substr(" path ", length(rtrim(" path ", replace(" path ", '/', ''))) + 1)"

static const struct column file_columns[] = {
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

/* hex(NULL) is an empty text, not NULL. */
#define HEX(x) "CASE WHEN " x " IS NOT NULL THEN lower(hex(" x ")) END"

/* What the view `file` takes from record tables that have one row a stream. */
static const struct join {
    const char *table, *alias;
    struct column columns[8];
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

/* clang-format off */
static const struct column match_columns[] = {
    {"exhibit", "x.label", PLAIN},     {"path", "s.path", PLAIN},       {"rule", "m.rule", PLAIN},
    {"namespace", "m.namespace", PLAIN}, {"tags", "m.tags", PLAIN},     {"meta", "m.meta", PLAIN},
    {"strings", "m.strings", PLAIN},   {"string_count", "m.string_count", PLAIN}, {"severity", "m.severity", PLAIN},
    {"ruleset", "m.ruleset", PLAIN},   {"line", "m.line", PLAIN},       {"last_line", "m.last_line", PLAIN},
    {"physical", "m.physical", PLAIN},
    {"attempt", "m.attempt", PLAIN},   {"stream", "m.stream", PLAIN},   {"pass", "a.pass", PLAIN},
    {"run", "a.run", PLAIN},           {NULL, NULL, END},
};
/* clang-format on */
static const char match_from[] = "rec_yara_match m" OF_ANY_PASS("m");

/* Hits of the investigator's keywords. */
static const struct column keyword_columns[] = {
    {"exhibit", "x.label", PLAIN},     {"path", "s.path", PLAIN},
    {"keyword", "k.keyword", PLAIN},   {"keyword_group", "k.keyword_group", PLAIN},
    {"writing", "k.writing", PLAIN},   {"offset", "k.offset", PLAIN},
    {"physical", "k.physical", PLAIN}, {"length", "k.length", PLAIN},     {"text_before", "k.text_before", PLAIN},
    {"text", "k.text", PLAIN},         {"text_after", "k.text_after", PLAIN},
    {"list", "k.list", PLAIN},         {"attempt", "k.attempt", PLAIN},
    {"stream", "k.stream", PLAIN},     {"pass", "a.pass", PLAIN},
    {"run", "a.run", PLAIN},           {NULL, NULL, END},
};
static const char keyword_from[] = "rec_keywords k" OF_ANY_PASS("k");

/* Members of archives. One that is a stream has its address; of another the archive's and the name make one up. */
static const struct column member_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "CASE WHEN m.state = 'content' THEN s.path ELSE s.path || '!/' || m.name END", PLAIN},
    {"name", "m.name", PLAIN},
    {"name_bytes", "m.name_bytes", PLAIN},
    {"charset", "m.charset", PLAIN},
    {"charset_known", "m.charset_known", PLAIN},
    {"state", "m.state", PLAIN},
    {"target", "m.target", PLAIN},
    {"size", "m.size", PLAIN},
    {"packed", "m.packed", PLAIN},
    {"modified", "m.modified", WHEN},
    {"accessed", "m.accessed", WHEN},
    {"changed", "m.changed", WHEN},
    {"born", "m.born", WHEN},
    {"time_zone", "m.time_zone", PLAIN},
    {"mode", "m.mode", PLAIN},
    {"owner", "m.owner", PLAIN},
    {"method", "m.method", PLAIN},
    {"encryption", "m.encryption", PLAIN},
    {"unlisted", "m.unlisted", PLAIN},
    {"offset", "m.offset", PLAIN},
    {"stream", "m.stream", PLAIN},
    {"attempt", "m.attempt", PLAIN},
    {NULL, NULL, END},
};
static const char member_from[] = "rec_archive_member m JOIN t_stream s ON s.id = m.stream AND s.attempt = m.attempt "
                                  "JOIN t_exhibit x ON x.id = s.exhibit";

/* Letters, by the plugins mail, pst, ole and tnef. */
static const struct column message_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"sender", "m.sender", PLAIN},
    {"recipients", "m.recipients", PLAIN},
    {"copies", "m.copies", PLAIN},
    {"blind_copies", "m.blind_copies", PLAIN},
    {"reply_to", "m.reply_to", PLAIN},
    {"subject", "m.subject", PLAIN},
    {"sent", "m.sent", WHEN},
    {"sent_text", "m.sent_text", PLAIN},
    {"message_id", "m.message_id", PLAIN},
    {"in_reply_to", "m.in_reply_to", PLAIN},
    {"received", "m.received", PLAIN},
    {"agent", "m.agent", PLAIN},
    {"origin", "m.origin", PLAIN},
    {"parts", "m.parts", PLAIN},
    {"encryption", "m.encryption", PLAIN},
    {"signature", "m.signature", PLAIN},
    {"class", "m.class", PLAIN},
    {"folder", "m.folder", PLAIN},
    {"state", "m.state", PLAIN},
    {"delivered", "m.delivered", WHEN},
    {"stream", "m.stream", PLAIN},
    {"attempt", "m.attempt", PLAIN},
    {NULL, NULL, END},
};

/* Of runs as JSON, [[offset or null, bytes], ...], the first offset. Not with SQLite's JSON functions: they count as unsafe
 * in a view, and we open cases with trusted_schema off. */
#define FIRST_OFFSET(runs)                                                                                   \
    "CASE WHEN substr(" runs ", 3, 1) BETWEEN '0' AND '9' THEN CAST(substr(" runs ", 3) AS INTEGER) END"

/* Recovered objects. `sha256` is NULL without the plugin digest. */
static const struct column carved_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"offset", FIRST_OFFSET("s.runs"), PLAIN},
    {"size", "s.size", PLAIN},
    {"format", "c.format", PLAIN},
    {"extension", "c.extension", PLAIN},
    {"grade", "c.grade", PLAIN},
    {"title", "c.title", PLAIN},
    {"lacks", "c.lacks", PLAIN},
    {"pieces", "c.pieces", PLAIN},
    {"runs", "s.runs", PLAIN},
    {"runs_cut", "s.runs_cut", PLAIN},
    {"same_as", "(SELECT path FROM t_stream WHERE id = k.same_as)", PLAIN},
    {"inside", "(SELECT path FROM t_stream WHERE id = k.inside)", PLAIN},
    {"parent", "(SELECT path FROM t_stream WHERE id = s.parent)", PLAIN},
    {"carver", "c.carver", PLAIN},
    {"stream", "s.id", PLAIN},
    {"attempt", "s.attempt", PLAIN},
    {NULL, NULL, END},
};
static const struct column carved_digest_columns[] = {{"sha256", HEX("d.sha256"), PLAIN}, {NULL, NULL, END}};
static const char carved_from[] = " FROM rec_carve c JOIN t_stream s ON s.id = c.stream AND s.attempt = "
                                  "c.attempt JOIN t_exhibit x ON x.id = s.exhibit "
                                  "LEFT JOIN t_carved k ON k.stream = s.id";

/* Small pictures of pictures. `grade` is NULL for what was not recovered by its structure. */
static const struct column picture_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"kind", SQL_KIND_WORD("s.kind"), PLAIN},
    {"deleted", "s.deleted", PLAIN},
    {"offset", FIRST_OFFSET("s.runs"), PLAIN},
    {"size", "s.size", PLAIN},
    {"width", "p.width", PLAIN},
    {"height", "p.height", PLAIN},
    {"mime", "p.mime", PLAIN},
    {"damaged", "p.damaged", PLAIN},
    {"jpeg", "p.jpeg", PLAIN},
    {"same_as", "(SELECT path FROM t_stream WHERE id = k.same_as)", PLAIN},
    {"stream", "s.id", PLAIN},
    {"attempt", "s.attempt", PLAIN},
    {NULL, NULL, END},
};
static const struct column picture_grade_columns[] = {{"grade", "c.grade", PLAIN}, {NULL, NULL, END}};
static const char picture_from[] = " FROM rec_thumbnail p JOIN t_stream s ON s.id = p.stream AND s.attempt = "
                                   "p.attempt JOIN t_exhibit x ON x.id = s.exhibit "
                                   "LEFT JOIN t_carved k ON k.stream = s.id";

/* Contents that a hash set has. */
static const struct column known_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"set_name", "h.set_name", PLAIN},
    {"set_kind", "h.set_kind", PLAIN},
    {"algorithm", "h.algorithm", PLAIN},
    {"category", "h.category", PLAIN},
    {"series", "h.series", PLAIN},
    {"tags", "h.tags", PLAIN},
    {"source", "h.source", PLAIN},
    {"line", "h.line", PLAIN},
    {"spared", "h.spared", PLAIN},
    {"kind", SQL_KIND_WORD("s.kind"), PLAIN},
    {"deleted", "s.deleted", PLAIN},
    {"size", "s.size", PLAIN},
    {"stream", "s.id", PLAIN},
    {"attempt", "s.attempt", PLAIN},
    {NULL, NULL, END},
};
static const char known_from[] = "rec_hashset h JOIN t_stream s ON s.id = h.stream AND s.attempt = h.attempt "
                                 "JOIN t_exhibit x ON x.id = s.exhibit";

/* Contents that are there more than once: several streams with one SHA-256, one row a stream. Ends of blocks and free space
 * are not contents. */
static const struct column same_columns[] = {
    {"sha256", HEX("d.sha256"), PLAIN},
    {"contents", "g.contents", PLAIN},
    {"exhibits", "g.exhibits", PLAIN},
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"kind", SQL_KIND_WORD("s.kind"), PLAIN},
    {"deleted", "s.deleted", PLAIN},
    {"size", "s.size", PLAIN},
    {"stream", "s.id", PLAIN},
    {NULL, NULL, END},
};
#define CONTENT_KINDS "(2, 3, 7, 8)" /* file, ads, child, carved */
static const char same_from[] =
    "(SELECT d.sha256 AS sha256, count(*) AS contents, count(DISTINCT s.exhibit) AS exhibits FROM rec_digest d JOIN t_stream "
    "s ON s.id = d.stream AND s.attempt = d.attempt WHERE d.size > 0 AND s.kind IN " CONTENT_KINDS
    " GROUP BY d.sha256 HAVING count(*) > 1) g JOIN rec_digest d ON d.sha256 = g.sha256 JOIN t_stream s ON s.id = d.stream AND "
    "s.attempt = d.attempt AND s.kind IN " CONTENT_KINDS " JOIN t_exhibit x ON x.id = s.exhibit";

static const struct column account_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"volume", "a.volume", PLAIN},
    {"what", SQL_ACCOUNT_WORD("a.what"), PLAIN},
    {"bytes", "a.bytes", PLAIN},
    {NULL, NULL, END},
};

static const struct column overwritten_columns[] = {
    {"exhibit", "x.label", PLAIN},
    {"path", "s.path", PLAIN},
    {"offset", "o.offset", PLAIN},
    {"size", "o.size", PLAIN},
    {"owner", "w.path", PLAIN},
    {"stream", "o.stream", PLAIN},
    {NULL, NULL, END},
};

static const struct column exhibit_columns[] = {
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

static const struct column image_hash_columns[] = {
    {"exhibit", "x.label", PLAIN}, {"algorithm", "h.algorithm", PLAIN}, {"hex", "h.hex", PLAIN},
    {"source", "h.source", PLAIN}, {"result", "h.result", PLAIN},       {NULL, NULL, END},
};

static const struct column run_columns[] = {
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
static const struct column pass_columns[] = {
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

static const struct column run_loaded_columns[] = {
    {"run", "run", PLAIN},         {"plugin", "plugin", PLAIN}, {"kind", "kind", PLAIN},
    {"name", "name", PLAIN},       {"sha256", "sha256", PLAIN}, {"count", "count", PLAIN},
    {"problem", "problem", PLAIN}, {NULL, NULL, END},
};

static const struct column volume_columns[] = {
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

static const struct column fault_columns[] = {
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

static const struct column note_columns[] = {
    {"exhibit", "x.label", PLAIN}, {"path", "s.path", PLAIN}, {"plugin", "n.plugin", PLAIN},
    {"offset", "n.offset", PLAIN}, {"text", "n.text", PLAIN}, {"attempt", "n.attempt", PLAIN},
    {"stream", "n.stream", PLAIN}, {"pass", "a.pass", PLAIN}, {"run", "a.run", PLAIN}, {NULL, NULL, END},
};

static const struct column stream_columns[] = {
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
    const struct column *columns;
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

/* ------------------------------------------------------------------ from columns to SQL */

static void put_when(struct buf *sql, const struct column *c)
{
    const char *x = c->sql;
    buf_printf(
        sql, "strftime('%%Y-%%m-%%dT%%H:%%M:%%S', %s / 1000000000 - (%s %% 1000000000 < 0), 'unixepoch') || ",
        x, x);
    buf_printf(sql, "CASE WHEN %s %% 1000000000 = 0 THEN '' ", x);
    buf_printf(sql, "WHEN %s %% 1000000 = 0 THEN printf('.%%03d', (%s / 1000000 %% 1000 + 1000) %% 1000) ", x,
               x);
    buf_printf(sql, "WHEN %s %% 1000 = 0 THEN printf('.%%06d', (%s / 1000 %% 1000000 + 1000000) %% 1000000) ",
               x, x);
    buf_printf(sql, "ELSE printf('.%%09d', (%s %% 1000000000 + 1000000000) %% 1000000000) END || 'Z' AS %s, ",
               x, c->name);
    buf_printf(sql, "%s AS %s_ns", x, c->name);
}

/* With `present` false every column is NULL. Returns whether a comma is due before what follows. */
static bool put_columns(struct buf *sql, const struct column *columns, bool comma, bool present)
{
    for (const struct column *c = columns; c->form != END; c++, comma = true) {
        if (comma)
            buf_text(sql, ", ");
        if (!present)
            buf_printf(sql, "NULL AS %s", c->name);
        else if (c->form == WHEN)
            put_when(sql, c);
        else if (c->form == BIT)
            buf_printf(sql, "(e.flags & %s) <> 0 AS %s", c->sql, c->name);
        else
            buf_printf(sql, "%s AS %s", c->sql, c->name);
    }
    return comma;
}

static int exec_buf(struct db *db, struct buf *sql)
{
    int code = buf_failed(sql) ? -ENOMEM : db_exec(db, buf_cstr(sql));
    buf_finish(sql);
    return code;
}

static int make_plain(struct db *db, const char *name, const struct column *columns, const char *from)
{
    struct buf sql = {0};
    buf_printf(&sql, "CREATE VIEW %s AS SELECT ", name);
    put_columns(&sql, columns, false, true);
    buf_printf(&sql, " FROM %s", from);
    return exec_buf(db, &sql);
}

static int make_file(struct db *db)
{
    struct buf sql = {0};
    bool there[JOINS];
    buf_text(&sql, "CREATE VIEW file AS SELECT ");
    put_columns(&sql, file_columns, false, true);
    for (size_t i = 0; i < JOINS; i++) {
        there[i] = db_has_table(db, joins[i].table);
        put_columns(&sql, joins[i].columns, true, there[i]);
    }
    buf_printf(&sql, " FROM %s", file_from);
    for (size_t i = 0; i < JOINS; i++)
        if (there[i])
            buf_printf(&sql, " LEFT JOIN %s %s ON %s.stream = s.id AND %s.attempt = s.attempt",
                       joins[i].table, joins[i].alias, joins[i].alias, joins[i].alias);
    return exec_buf(db, &sql);
}

static int make_match(struct db *db)
{
    struct buf sql = {0};
    if (db_has_table(db, "rec_yara_match"))
        return make_plain(db, "match", match_columns, match_from);
    buf_text(&sql, "CREATE VIEW match AS SELECT ");
    put_columns(&sql, match_columns, false, false);
    buf_text(&sql, " WHERE 0");
    return exec_buf(db, &sql);
}

/* A view over a record table that may not be there yet: then it has no rows. */
static int make_over(struct db *db, const char *name, const char *table, const struct column *columns, const char *from)
{
    struct buf sql = {0};
    if (db_has_table(db, table))
        return make_plain(db, name, columns, from);
    buf_printf(&sql, "CREATE VIEW %s AS SELECT ", name);
    put_columns(&sql, columns, false, false);
    buf_text(&sql, " WHERE 0");
    return exec_buf(db, &sql);
}

static int make_message(struct db *db)
{
    struct buf from = {0}, sql = {0};
    int code;
    if (views_letters(db, &from)) {
        code = buf_failed(&from) ? -ENOMEM : make_plain(db, "message", message_columns, buf_cstr(&from));
    } else {
        buf_text(&sql, "CREATE VIEW message AS SELECT ");
        put_columns(&sql, message_columns, false, false);
        buf_text(&sql, " WHERE 0");
        code = exec_buf(db, &sql);
    }
    buf_finish(&from);
    return code;
}

static int make_carved(struct db *db)
{
    struct buf sql = {0};
    bool there = db_has_table(db, "rec_carve"), hashed = there && db_has_table(db, "rec_digest");
    buf_text(&sql, "CREATE VIEW carved AS SELECT ");
    put_columns(&sql, carved_columns, false, there);
    put_columns(&sql, carved_digest_columns, true, hashed);
    buf_text(&sql, there ? carved_from : " WHERE 0");
    if (hashed)
        buf_text(&sql, " LEFT JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt");
    return exec_buf(db, &sql);
}

static int make_picture(struct db *db)
{
    struct buf sql = {0};
    bool there = db_has_table(db, "rec_thumbnail"), hashed = there && db_has_table(db, "rec_digest"),
         graded = there && db_has_table(db, "rec_carve");
    buf_text(&sql, "CREATE VIEW picture AS SELECT ");
    put_columns(&sql, picture_columns, false, there);
    put_columns(&sql, picture_grade_columns, true, graded);
    put_columns(&sql, carved_digest_columns, true, hashed);
    buf_text(&sql, there ? picture_from : " WHERE 0");
    if (graded)
        buf_text(&sql, " LEFT JOIN rec_carve c ON c.stream = s.id AND c.attempt = s.attempt");
    if (hashed)
        buf_text(&sql, " LEFT JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt");
    return exec_buf(db, &sql);
}

/* ------------------------------------------------------------------ all findings */

/* A record as json_object, from "name:kind,name:kind". SQLite takes at most 127 arguments: RECORD_FIELDS_MAX
 * needs 64. */
static void put_json(struct buf *sql, const char *fields)
{
    char *copy = strdup(fields), *save = NULL;
    bool comma = false;
    buf_text(sql, "json_object(");
    for (char *field = copy ? strtok_r(copy, ",", &save) : NULL; field; field = strtok_r(NULL, ",", &save)) {
        char *kind = strchr(field, ':');
        if (!kind)
            continue;
        *kind++ = 0;
        buf_printf(sql, "%s'%s', ", comma ? ", " : "", field);
        if (strcmp(kind, "bytes") == 0)
            buf_printf(sql, "CASE WHEN r.\"%s\" IS NOT NULL THEN lower(hex(r.\"%s\")) END", field, field);
        else if (strcmp(kind, "json") == 0)
            buf_printf(sql, "json(r.\"%s\")", field);
        else
            buf_printf(sql, "r.\"%s\"", field);
        comma = true;
    }
    buf_text(sql, ")");
    if (!copy)
        sql->failed = true;
    free(copy);
}

int views_finding(struct db *db, struct buf *sql)
{
    struct db_statement *s;
    bool any = false;
    int code = db_prepare(
        db, "SELECT plugin, name, version, fields, table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        buf_printf(
            sql,
            "%sSELECT x.label AS exhibit, s.path AS path, '%s' AS plugin, '%s' AS type, %lld AS version, "
            "r.ordinal AS ordinal, ",
            any ? " UNION ALL " : "", db_text(s, 0), db_text(s, 1), (long long)db_i64(s, 2));
        put_json(sql, db_text(s, 3));
        buf_printf(sql,
                   " AS data, r.attempt AS attempt, r.stream AS stream, a.pass AS pass, a.run AS run FROM \"%s\" r" OF_ANY_PASS("r"),
                   db_text(s, 4));
        any = true;
        code = 0;
    }
    db_finalize(s);
    if (!any)
        buf_text(
            sql,
            "SELECT NULL AS exhibit, NULL AS path, NULL AS plugin, NULL AS type, NULL AS version, NULL AS "
            "ordinal, NULL AS data, NULL AS attempt, NULL AS stream, NULL AS pass, NULL AS run WHERE 0");
    return code;
}

static int make_finding(struct db *db)
{
    struct buf sql = {0};
    buf_text(&sql, "CREATE VIEW finding AS ");
    int code = views_finding(db, &sql);
    int made = exec_buf(db, &sql);
    return code ? code : made;
}

int views_make(struct db *db)
{
    int code = db_exec(db, "DROP VIEW IF EXISTS file; DROP VIEW IF EXISTS match; DROP VIEW IF EXISTS carved; "
                           "DROP VIEW IF EXISTS picture; DROP VIEW IF EXISTS keyword; DROP VIEW IF EXISTS known; DROP VIEW IF EXISTS same_content; "
                           "DROP VIEW IF EXISTS member; DROP VIEW IF EXISTS message; "
                           "DROP VIEW IF EXISTS finding");
    for (size_t i = 0; code == 0 && i < sizeof plain_views / sizeof *plain_views; i++) {
        struct buf drop = {0};
        buf_printf(&drop, "DROP VIEW IF EXISTS %s", plain_views[i].name);
        code = exec_buf(db, &drop);
        if (code == 0)
            code = make_plain(db, plain_views[i].name, plain_views[i].columns, plain_views[i].from);
    }
    if (code == 0)
        code = make_file(db);
    if (code == 0)
        code = make_match(db);
    if (code == 0)
        code = make_over(db, "keyword", "rec_keywords", keyword_columns, keyword_from);
    if (code == 0)
        code = make_carved(db);
    if (code == 0)
        code = make_picture(db);
    if (code == 0)
        code = make_over(db, "known", "rec_hashset", known_columns, known_from);
    if (code == 0)
        code = make_over(db, "same_content", "rec_digest", same_columns, same_from);
    if (code == 0)
        code = make_over(db, "member", "rec_archive_member", member_columns, member_from);
    if (code == 0)
        code = make_message(db);
    if (code == 0)
        code = views_encrypted(db);
    if (code == 0)
        code = views_feature(db);
    return code ? code : make_finding(db);
}
