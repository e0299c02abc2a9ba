/* views_records: views of what plugins say that people ask for most; each is there, with no rows, before its plugin has run. */
#include "cases/views_private.h"

#include <errno.h>

/* clang-format off */
static const struct view_column match_columns[] = {
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
static const struct view_column keyword_columns[] = {
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
static const struct view_column member_columns[] = {
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
static const struct view_column message_columns[] = {
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
static const struct view_column carved_columns[] = {
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
static const struct view_column carved_digest_columns[] = {{"sha256", HEX("d.sha256"), PLAIN}, {NULL, NULL, END}};
static const char carved_from[] = " FROM rec_carve c JOIN t_stream s ON s.id = c.stream AND s.attempt = "
                                  "c.attempt JOIN t_exhibit x ON x.id = s.exhibit "
                                  "LEFT JOIN t_carved k ON k.stream = s.id";

/* Small pictures of pictures. `grade` is NULL for what was not recovered by its structure. */
static const struct view_column picture_columns[] = {
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
static const struct view_column picture_grade_columns[] = {{"grade", "c.grade", PLAIN}, {NULL, NULL, END}};
static const char picture_from[] = " FROM rec_thumbnail p JOIN t_stream s ON s.id = p.stream AND s.attempt = "
                                   "p.attempt JOIN t_exhibit x ON x.id = s.exhibit "
                                   "LEFT JOIN t_carved k ON k.stream = s.id";

/* Contents that a hash set has. */
static const struct view_column known_columns[] = {
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
static const struct view_column same_columns[] = {
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

static int make_message(struct db *db)
{
    struct buf from = {0};
    bool there = views_letters(db, &from);
    int code = buf_failed(&from) ? -ENOMEM
               : there           ? views_make_plain(db, "message", message_columns, buf_cstr(&from))
                                 : views_make_over(db, "message", NULL, message_columns, NULL);
    buf_finish(&from);
    return code;
}

static int make_carved(struct db *db)
{
    struct buf sql = {0};
    bool there = db_has_table(db, "rec_carve"), hashed = there && db_has_table(db, "rec_digest");
    buf_text(&sql, "CREATE VIEW carved AS SELECT ");
    views_put_columns(&sql, carved_columns, false, there);
    views_put_columns(&sql, carved_digest_columns, true, hashed);
    buf_text(&sql, there ? carved_from : " WHERE 0");
    if (hashed)
        buf_text(&sql, " LEFT JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt");
    return views_exec(db, &sql);
}

static int make_picture(struct db *db)
{
    struct buf sql = {0};
    bool there = db_has_table(db, "rec_thumbnail"), hashed = there && db_has_table(db, "rec_digest"),
         graded = there && db_has_table(db, "rec_carve");
    buf_text(&sql, "CREATE VIEW picture AS SELECT ");
    views_put_columns(&sql, picture_columns, false, there);
    views_put_columns(&sql, picture_grade_columns, true, graded);
    views_put_columns(&sql, carved_digest_columns, true, hashed);
    buf_text(&sql, there ? picture_from : " WHERE 0");
    if (graded)
        buf_text(&sql, " LEFT JOIN rec_carve c ON c.stream = s.id AND c.attempt = s.attempt");
    if (hashed)
        buf_text(&sql, " LEFT JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt");
    return views_exec(db, &sql);
}

int views_records(struct db *db)
{
    int code = views_make_over(db, "match", "rec_yara_match", match_columns, match_from);
    if (code == 0)
        code = views_make_over(db, "keyword", "rec_keywords", keyword_columns, keyword_from);
    if (code == 0)
        code = make_carved(db);
    if (code == 0)
        code = make_picture(db);
    if (code == 0)
        code = views_make_over(db, "known", "rec_hashset", known_columns, known_from);
    if (code == 0)
        code = views_make_over(db, "same_content", "rec_digest", same_columns, same_from);
    if (code == 0)
        code = views_make_over(db, "member", "rec_archive_member", member_columns, member_from);
    return code ? code : make_message(db);
}
