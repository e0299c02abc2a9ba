/*
 * findings: the canonical text of all findings.
 *
 * Lines, each a tag and fields separated by TAB, LF at the end; text as it is stored (escaped: it holds
 * neither), bytes as hex, numbers decimal, NULL as '-'. In this order, each group sorted bytewise by its key
 * columns:
 *
 * - kvali-findings 1
 * - exhibit: label, name, type, size, sector size, unsupported, damage, md5, sha1, sha256, verification
 * - volume: exhibit, key and all that was found of it
 * - account: exhibit, volume, what its bytes are, how many
 * - entry: exhibit, path and all metadata, locator of its content
 * - stream: exhibit, path, locator, kind, deleted, size, status, read, unread, repeated byte, slack, left-out
 *   plugins, runs
 * - record: plugin.type, version, exhibit, locator of its stream, place among that stream's records of this
 *   type, the fields
 * - note: exhibit, locator, plugin, offset, text
 * - fault: exhibit, volume, path, stage, plugin, offset, size, kind, effect, detail ('' when the exhibit
 * could not be opened: why it could not names the folder in which it was looked for)
 *
 * and then for each later pass:
 *
 * - pass: number, plugins, how it stands
 * - rules: plugin, kind, name, SHA-256, count, problem of what the pass was begun with
 * - scan: exhibit, locator, status, left-out plugins
 * - record, note, fault as above
 *
 * Not in it: times of processing, hosts, runs, workers, attempts, ids, folders of evidence.
 */
#include "cases/findings.h"

#include "cases/names.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* CROSS JOIN holds SQLite to the order of the indexes, in which the lines come: nothing needs to be sorted.
 */
#define BY_EXHIBIT  "FROM t_exhibit x CROSS JOIN "
#define HEX(column) "iif(" column " IS NULL, NULL, lower(hex(" column ")))"

#define ENTRY_SQL(name)                                                                                      \
    "SELECT 'entry', x.label, e.path, " name " AS name, e.volume, e.type, e.kind, e.flags, e.inode, "        \
    "e.sequence, e.parent_inode, e.size, e.allocated, e.mode, e.uid, e.gid, e.links, e.modified, "           \
    "e.accessed, e.changed, e.born, e.removed, e.name_modified, e.name_accessed, e.name_changed, "           \
    "e.name_born, e.raw_times, e.target, e.attribute, s.locator " BY_EXHIBIT                                 \
    "t_entry e ON e.exhibit = x.id LEFT JOIN t_stream s ON s.id = e.stream ORDER BY x.label, e.path"

#define STREAM_SQL(name)                                                                                     \
    "SELECT 'stream', x.label, s.path, s.locator, s.kind, s.deleted, s.size, s.status, s.read, s.unread, "   \
    "s.uniform, s.slack, s.slack_uniform, s.without, s.runs, s.runs_cut, s.plugin, s.child_offset, " name    \
    " AS name " BY_EXHIBIT "t_stream s ON s.exhibit = x.id ORDER BY x.label, s.locator"

static const struct {
    const char *name, *keys, *sql, *quick;
} first_parts[] =
    {
        {"exhibit", "=t",
         "SELECT 'exhibit', label, name, type, size, sector_size, unsupported, damage, md5, sha1, sha256, "
         "verification "
         "FROM t_exhibit ORDER BY label"},

        {"volume", "=tt",
         "SELECT 'volume', x.label, v.key, v.parent, v.partition_table, v.type, v.label, v.offset, v.size, "
         "v.filesystem, "
         "v.content, v.block_size, v.block_count, v.fs_size, v.serial, v.time_note, v.expand, v.raw, "
         "v.use " BY_EXHIBIT "t_volume v ON v.exhibit = x.id ORDER BY x.label, v.key"},

        {"account", "=tti",
         "SELECT 'account', x.label, a.volume, a.what, a.bytes " BY_EXHIBIT
         "t_account a ON a.exhibit = x.id ORDER BY x.label, a.volume, a.what"},

        {"entry", "=tt", ENTRY_SQL(HEX("e.name")), ENTRY_SQL("e.name")},

        {"stream", "=t.t", STREAM_SQL(HEX("s.name")), STREAM_SQL("s.name")},
},
  last_parts[] =
      {
          {"note", "=tttit",
           "SELECT 'note', x.label, s.locator, n.plugin, n.offset, n.text " BY_EXHIBIT
           "t_stream s ON s.exhibit = x.id "
           "CROSS JOIN t_note n ON n.stream = s.id AND n.attempt = s.attempt "
           "ORDER BY x.label, s.locator, n.plugin, n.offset, n.text"},

          {"fault", "=tttttiittt",
           "SELECT 'fault', exhibit, volume, path, stage, plugin, offset, size, kind, effect, CASE WHEN "
           "stage = "
           "'open' AND "
           "kind = 'unreadable' THEN '' ELSE detail END AS words FROM fault "
           "WHERE pass = 1 ORDER BY exhibit, volume, path, stage, plugin, offset, size, kind, effect, words"},
},
  /* Of a later pass, whose number stands for %s. */
    pass_first_parts[] =
        {
            {"pass", "=i", "SELECT 'pass', id, plugins, status FROM t_pass WHERE id = %s"},

            {"rules", "=tttt",
             "SELECT 'rules', l.plugin, l.kind, l.name, l.sha256, l.count, l.problem FROM t_run_loaded l "
             "JOIN t_pass p "
             "ON p.run = l.run WHERE p.id = %s ORDER BY l.plugin, l.kind, l.name, l.sha256, l.problem"},

            {"scan", "=tt",
             "SELECT 'scan', x.label, s.locator, c.status, c.without " BY_EXHIBIT
             "t_stream s ON s.exhibit = x.id CROSS JOIN t_scan c ON c.stream = s.id AND c.pass = %s ORDER BY "
             "x.label, "
             "s.locator"},
},
  pass_last_parts[] = {
      {"note", "=tttit",
       "SELECT 'note', x.label, s.locator, n.plugin, n.offset, n.text FROM t_note n JOIN t_attempt a ON a.id "
       "= "
       "n.attempt AND a.pass = %s AND a.status IN " SQL_CHOSEN
       " JOIN t_stream s ON s.id = n.stream JOIN t_exhibit x "
       "ON x.id = s.exhibit ORDER BY x.label, s.locator, n.plugin, n.offset, n.text"},

      {"fault", "=tttttiittt",
       "SELECT 'fault', exhibit, volume, path, stage, plugin, offset, size, kind, effect, detail FROM fault "
       "WHERE "
       "pass = %s ORDER BY exhibit, volume, path, stage, plugin, offset, size, kind, effect, detail"},
};
#define RECORD_KEYS "=t.tti"

/* Where a record's line says its place among those of its stream; the columns before are the same for all of
 * these. */
enum { PLACE_COLUMN = 5 };

struct findings {
    struct db *db;
    struct findings_part *parts;
    size_t part_count, next;
    struct db_statement *statement; /* of the part before next */
    struct buf line;
    bool begun;
    /* Of the row before, when its part is numbered. */
    size_t before_place; /* so much of its line stands before the place; 0: there was none */
    int64_t stream;
    uint64_t place;
};

/* ------------------------------------------------------------------ the statements */

/* Takes `sql` and `quick`. */
static int add_part(struct findings *f, const char *name, const char *keys, char *sql, char *quick)
{
    struct findings_part *more = realloc(f->parts, (f->part_count + 1) * sizeof *more);
    char *copy = strdup(name);
    if (more)
        f->parts = more;
    if (!more || !copy || !sql) {
        free(copy);
        free(sql);
        free(quick);
        return -ENOMEM;
    }
    f->parts[f->part_count++] =
        (struct findings_part){.sql = sql, .name = copy, .keys = keys, .quick = quick};
    return 0;
}

static int add_fixed(struct findings *f, const char *name, const char *keys, const char *sql,
                     const char *quick)
{
    return add_part(f, name, keys, strdup(sql), quick ? strdup(quick) : NULL);
}

/* The fields of a record table in order: what stands behind stream, attempt and ordinal. */
static int append_fields(struct db *db, const char *table, struct buf *sql, struct buf *quick)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT name, type FROM pragma_table_info(?1) WHERE cid >= 3 ORDER BY cid", &s);
    if (code)
        return code;
    db_bind_text(s, 1, table);
    while ((code = db_step(s)) == 1) {
        buf_printf(quick, ", r.\"%s\"", db_text(s, 0));
        if (strcmp(db_text(s, 1), "BLOB") == 0)
            buf_printf(sql, ", iif(r.\"%s\" IS NULL, NULL, lower(hex(r.\"%s\"))) AS \"%s\"", db_text(s, 0),
                       db_text(s, 0), db_text(s, 0));
        else
            buf_printf(sql, ", r.\"%s\"", db_text(s, 0));
    }
    db_finalize(s);
    return code;
}

static int add_of_pass(struct findings *f, const char *name, const char *keys, const char *form,
                       uint64_t pass)
{
    const char *at = strstr(form, "%s");
    struct buf sql = {0};
    buf_append(&sql, form, (size_t)(at - form));
    buf_printf(&sql, "%llu%s", (unsigned long long)pass, at + 2);
    return add_part(f, name, keys, buf_failed(&sql) ? NULL : buf_steal(&sql), NULL);
}

/* Are there so few rows that to sort them is cheaper than to ask for those of every stream? */
static int is_sparse(struct db *db, const char *table, bool *ret_sparse)
{
    struct buf sql = {0};
    uint64_t streams = 0, rows = 0;
    int code = db_number(db, "SELECT count(*) FROM t_stream", 0, 0, &streams);
    uint64_t few = streams / 64;
    buf_printf(&sql, "SELECT count(*) FROM (SELECT 1 FROM \"%s\" LIMIT %llu)", table,
               (unsigned long long)few + 1);
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : db_number(db, buf_cstr(&sql), 0, 0, &rows);
    buf_finish(&sql);
    *ret_sparse = rows <= few;
    return code;
}

struct records {
    const char *plugin, *type, *table;
    int64_t version;
    uint64_t pass;
    bool sparse;
    struct buf fields; /* ", r.x, r.y", bytes as hex */
    struct buf raw;    /* and as they are */
};

/* Those of a later pass are few, and sorted; those of the first come in the order of its contents. */
static void put_records_sql(const struct records *r, const char *place, const struct buf *fields,
                            struct buf *sql)
{
    const char *join = r->sparse || r->pass > 1 ? "JOIN" : "CROSS JOIN";
    buf_printf(sql, "SELECT 'record', '%s.%s', %lld, x.label, s.locator, %s", r->plugin, r->type,
               (long long)r->version, place);
    buf_append(sql, fields->data, fields->size);
    buf_printf(sql, " FROM t_exhibit x %s t_stream s ON s.exhibit = x.id %s \"%s\" r ON r.stream = s.id",
               join, join, r->table);
    if (r->pass > 1)
        buf_printf(sql, " JOIN t_attempt a ON a.id = r.attempt AND a.pass = %llu AND a.status IN " SQL_CHOSEN,
                   (unsigned long long)r->pass);
    else
        buf_text(sql, " AND r.attempt = s.attempt");
    buf_text(sql, " ORDER BY x.label, s.locator, r.ordinal");
}

/* Records of one type. A stream's records are numbered anew within their type: other plugins' do not count.
 * For sqlite3 a window function numbers them, which takes longer than all the rest; put_row counts by itself,
 * from the stream in that column. */
static int add_records(struct findings *f, struct records *r)
{
    struct buf sql = {0}, quick = {0}, name = {0};
    int code = is_sparse(f->db, r->table, &r->sparse);
    if (code == 0)
        code = append_fields(f->db, r->table, &r->fields, &r->raw);
    buf_printf(&name, "record %s.%s", r->plugin, r->type);
    put_records_sql(r, "row_number() OVER (PARTITION BY x.label, s.locator ORDER BY r.ordinal) - 1",
                    &r->fields, &sql);
    put_records_sql(r, "s.id", &r->raw, &quick);
    if (code == 0 && (buf_failed(&sql) || buf_failed(&quick) || buf_failed(&name) || buf_failed(&r->fields) ||
                      buf_failed(&r->raw)))
        code = -ENOMEM;
    if (code == 0)
        code = add_part(f, buf_cstr(&name), RECORD_KEYS, buf_steal(&sql), buf_steal(&quick));
    if (code == 0)
        f->parts[f->part_count - 1].numbered = true;
    buf_finish(&sql);
    buf_finish(&quick);
    buf_finish(&name);
    return code;
}

static int add_all_records(struct findings *f, uint64_t pass)
{
    struct db_statement *s;
    int code = db_prepare(
        f->db, "SELECT plugin, name, version, table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct records records = {.plugin = db_text(s, 0),
                                  .type = db_text(s, 1),
                                  .table = db_text(s, 3),
                                  .version = db_i64(s, 2),
                                  .pass = pass};
        code = add_records(f, &records);
        buf_finish(&records.fields);
        buf_finish(&records.raw);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

static int add_pass(struct findings *f, uint64_t pass)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof pass_first_parts / sizeof *pass_first_parts; i++)
        code =
            add_of_pass(f, pass_first_parts[i].name, pass_first_parts[i].keys, pass_first_parts[i].sql, pass);
    if (code == 0)
        code = add_all_records(f, pass);
    for (size_t i = 0; code == 0 && i < sizeof pass_last_parts / sizeof *pass_last_parts; i++)
        code = add_of_pass(f, pass_last_parts[i].name, pass_last_parts[i].keys, pass_last_parts[i].sql, pass);
    return code;
}

static int add_later_passes(struct findings *f)
{
    struct db_statement *s;
    int code = db_prepare(f->db, "SELECT id FROM t_pass WHERE id > 1 ORDER BY id", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        code = add_pass(f, db_u64(s, 0));
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

int findings_open(struct db *db, struct findings **ret_findings)
{
    struct findings *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->db = db;
    int code = 0;
    db_sort_on_disk(db, true);
    for (size_t i = 0; code == 0 && i < sizeof first_parts / sizeof *first_parts; i++)
        code =
            add_fixed(f, first_parts[i].name, first_parts[i].keys, first_parts[i].sql, first_parts[i].quick);
    if (code == 0)
        code = add_all_records(f, 1);
    for (size_t i = 0; code == 0 && i < sizeof last_parts / sizeof *last_parts; i++)
        code = add_fixed(f, last_parts[i].name, last_parts[i].keys, last_parts[i].sql, NULL);
    if (code == 0)
        code = add_later_passes(f);
    if (code) {
        findings_close(f);
        return code;
    }
    *ret_findings = f;
    return 0;
}

void findings_close(struct findings *f)
{
    if (!f)
        return;
    db_finalize(f->statement);
    db_sort_on_disk(f->db, false);
    for (size_t i = 0; i < f->part_count; i++) {
        free(f->parts[i].sql);
        free(f->parts[i].name);
        free(f->parts[i].quick);
    }
    free(f->parts);
    buf_finish(&f->line);
    free(f);
}

/* ------------------------------------------------------------------ the lines */

static int take_line(struct findings *f, const char **ret_line, size_t *ret_size)
{
    buf_u8(&f->line, '\n');
    if (buf_failed(&f->line))
        return -ENOMEM;
    *ret_line = (const char *)f->line.data;
    *ret_size = f->line.size;
    return 1;
}

/* Text up to a NUL, as sqlite3 prints it; bytes as hex. */
static void put_column(struct findings *f, int column)
{
    struct db_value value = db_value(f->statement, column);
    switch (value.kind) {
    case DB_NULL:
        buf_u8(&f->line, '-');
        break;
    case DB_INTEGER:
        buf_i64_text(&f->line, value.number);
        break;
    case DB_BYTES:
        text_hex(&f->line, value.data, value.size);
        break;
    case DB_OTHER:
        buf_append(&f->line, value.data, strnlen(value.data, value.size));
        break;
    }
}

static void put_columns(struct findings *f, int from, int end)
{
    for (int i = from; i < end; i++) {
        if (i)
            buf_u8(&f->line, '\t');
        put_column(f, i);
    }
}

/* What stands before the place is written once for all records of a stream. */
static void put_numbered_row(struct findings *f)
{
    int64_t stream = db_i64(f->statement, PLACE_COLUMN);
    if (f->before_place && stream == f->stream) {
        f->place++;
        f->line.size = f->before_place;
    } else {
        buf_clear(&f->line);
        put_columns(f, 0, PLACE_COLUMN);
        buf_u8(&f->line, '\t');
        f->before_place = f->line.size;
        f->stream = stream;
        f->place = 0;
    }
    buf_i64_text(&f->line, (int64_t)f->place);
    put_columns(f, PLACE_COLUMN + 1, db_columns(f->statement));
}

static void put_row(struct findings *f)
{
    if (f->parts[f->next - 1].numbered) {
        put_numbered_row(f);
        return;
    }
    buf_clear(&f->line);
    put_columns(f, 0, db_columns(f->statement));
}

/* 1 when there is one. */
static int next_part(struct findings *f)
{
    db_finalize(f->statement);
    f->statement = NULL;
    f->before_place = 0;
    if (f->next == f->part_count)
        return 0;
    const struct findings_part *part = &f->parts[f->next++];
    int code = db_prepare(f->db, part->quick ? part->quick : part->sql, &f->statement);
    return code ? code : 1;
}

int findings_next(struct findings *f, const struct findings_part **ret_part, const char **ret_line,
                  size_t *ret_size)
{
    if (!f->begun) {
        f->begun = true;
        *ret_part = NULL;
        buf_text(&f->line, FINDINGS_FIRST_LINE);
        return take_line(f, ret_line, ret_size);
    }
    for (;;) {
        int code = f->statement ? db_step(f->statement) : 0;
        if (code == 1)
            break;
        if (code == 0)
            code = next_part(f);
        if (code != 1)
            return code;
    }
    *ret_part = &f->parts[f->next - 1];
    put_row(f);
    return take_line(f, ret_line, ret_size);
}

const char *findings_column(const struct findings *f, int column)
{
    return f->statement && column < db_columns(f->statement) ? db_column_name(f->statement, column) : "";
}

void findings_script(const struct findings *f, struct buf *script)
{
    buf_text(script, "-- All findings of this case as text. Its SHA-256 is the digest in the ledger:\n"
                     "--   sqlite3 -readonly case.db < THIS | sha256sum\n"
                     ".bail on\n.headers off\n.mode list\n.separator \"\\t\" \"\\n\"\n.nullvalue -\n"
                     "SELECT '" FINDINGS_FIRST_LINE "';\n");
    for (size_t i = 0; i < f->part_count; i++)
        buf_printf(script, "%s;\n", f->parts[i].sql);
}
