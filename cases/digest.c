/*
 * digest: the findings in one canonical text, and its SHA-256.
 *
 * Lines, each a tag and fields separated by TAB, LF at the end; text as it is stored (escaped: it holds
 * neither), bytes as hex, numbers decimal, NULL as '-'. In this order, each group sorted bytewise by its key
 * columns:
 *
 *   kvali-findings 1
 *   exhibit  label, name, type, size, sector size, unsupported, damage, md5, sha1, sha256, verification
 *   volume   exhibit, key and all that was found of it
 *   account  exhibit, volume, what its bytes are, how many
 *   entry    exhibit, path and all metadata, locator of its content
 *   stream   exhibit, path, locator, kind, deleted, size, status, read, unread, repeated byte, slack, left-out plugins,
 *            runs
 *   record   plugin.type, version, exhibit, locator of its stream, place among that stream's records of this
 *            type, the fields
 *   note     exhibit, locator, plugin, offset, text
 *   fault    exhibit, volume, path, stage, plugin, offset, size, kind, effect, detail ('' when the exhibit
 * could not be opened)
 *
 * and then for each later pass:
 *
 *   pass     number, plugins, how it stands
 *   rules    plugin, kind, name, SHA-256, count, problem of what the pass was begun with
 *   scan     exhibit, locator, status, left-out plugins
 *   record, note, fault as above
 *
 * Not in it: times of processing, hosts, runs, workers, attempts, ids, folders of evidence.
 */
#include "cases/digest.h"

#include "cases/names.h"
#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const sections[] = {
    "SELECT 'exhibit', label, name, type, size, sector_size, unsupported, damage, md5, sha1, sha256, "
    "verification FROM t_exhibit ORDER BY label",

    "SELECT 'volume', x.label, v.key, v.parent, v.partition_table, v.type, v.label, v.offset, v.size, "
    "v.filesystem, v.content, v.block_size, "
    "v.block_count, v.fs_size, v.serial, v.time_note, v.expand, v.raw, v.use FROM t_volume v JOIN t_exhibit "
    "x ON x.id = v.exhibit "
    "ORDER BY x.label, v.key",

    "SELECT 'account', x.label, a.volume, a.what, a.bytes FROM t_account a JOIN t_exhibit x ON x.id = a.exhibit "
    "ORDER BY x.label, a.volume, a.what",

    "SELECT 'entry', x.label, e.path, e.name, e.volume, e.type, e.kind, e.flags, e.inode, e.sequence, "
    "e.parent_inode, e.size, e.allocated, "
    "e.mode, e.uid, e.gid, e.links, e.modified, e.accessed, e.changed, e.born, e.removed, e.name_modified, "
    "e.name_accessed, e.name_changed, "
    "e.name_born, e.raw_times, e.target, e.attribute, s.locator FROM t_entry e JOIN t_exhibit x ON x.id = "
    "e.exhibit "
    "LEFT JOIN t_stream s ON s.id = e.stream ORDER BY x.label, e.path",

    "SELECT 'stream', x.label, s.path, s.locator, s.kind, s.deleted, s.size, s.status, s.read, s.unread, "
    "s.uniform, s.slack, s.slack_uniform, s.without, s.runs, s.runs_cut, "
    "s.plugin, s.child_offset, s.name FROM t_stream s JOIN t_exhibit x ON x.id = s.exhibit ORDER BY x.label, "
    "s.locator",
};

static const char *const last_sections[] = {
    "SELECT 'note', exhibit, locator, plugin, offset, text FROM (SELECT x.label AS exhibit, s.locator, "
    "n.plugin, n.offset, n.text, n.id FROM t_note n JOIN t_attempt a ON a.id = n.attempt AND a.pass = ?1 AND a.status IN "
    SQL_CHOSEN " JOIN t_stream s ON s.id = n.stream JOIN t_exhibit x ON x.id = s.exhibit) "
    "ORDER BY exhibit, locator, plugin, offset, text",

    /* Why an exhibit could not be opened names the folder in which it was looked for. */
    "SELECT 'fault', exhibit, volume, path, stage, plugin, offset, size, kind, effect, CASE WHEN stage = "
    "'open' AND "
    "kind = 'unreadable' THEN '' ELSE detail END AS words FROM fault WHERE pass = ?1 "
    "ORDER BY exhibit, volume, path, stage, plugin, offset, size, kind, effect, words",
};

static const char *const pass_sections[] = {
    "SELECT 'pass', id, plugins, status FROM t_pass WHERE id = ?1",

    "SELECT 'rules', l.plugin, l.kind, l.name, l.sha256, l.count, l.problem FROM t_run_loaded l JOIN t_pass p ON p.run = "
    "l.run WHERE p.id = ?1 ORDER BY l.plugin, l.kind, l.name, l.sha256, l.problem",

    "SELECT 'scan', x.label, s.locator, c.status, c.without FROM t_scan c JOIN t_stream s ON s.id = c.stream JOIN t_exhibit "
    "x ON x.id = s.exhibit WHERE c.pass = ?1 ORDER BY x.label, s.locator",
};

struct digesting {
    struct hash_sha256 *hash;
    struct buf line;
    void (*dump)(void *context, const char *line, size_t size);
    void *context;
};

static int end_line(struct digesting *d)
{
    buf_u8(&d->line, '\n');
    if (buf_failed(&d->line))
        return -ENOMEM;
    hash_sha256_update(d->hash, d->line.data, d->line.size);
    if (d->dump)
        d->dump(d->context, (const char *)d->line.data, d->line.size);
    buf_clear(&d->line);
    return 0;
}

static void column(struct buf *line, struct db_statement *s, int index)
{
    size_t size;
    if (index)
        buf_u8(line, '\t');
    if (db_is_null(s, index)) {
        buf_u8(line, '-');
    } else if (db_is_blob(s, index)) {
        const void *data = db_bytes(s, index, &size);
        text_hex(line, data, size);
    } else {
        buf_text(line, db_text(s, index));
    }
}

enum { KEYS = 6, IDS = 3 };

/* A line for each row of a statement, which is finalized; without `ids` columns behind the first KEYS. */
static int rows(struct digesting *d, struct db_statement *s, int ids)
{
    int code, columns = db_columns(s);
    while ((code = db_step(s)) == 1) {
        for (int i = 0; i < columns; i++)
            if (i < KEYS || i >= KEYS + ids)
                column(&d->line, s, i);
        code = end_line(d);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

/* `pass` 0: the statement does not ask for it. */
static int section(struct digesting *d, struct db *db, const char *sql, uint64_t pass)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    if (pass)
        db_bind_u64(s, 1, pass);
    return rows(d, s, 0);
}

/* Records of one type. A stream's records are numbered anew within their type: other plugins' do not count.
 */
static int records(struct digesting *d, struct db *db, const char *plugin, const char *type, int64_t version,
                   const char *table, uint64_t pass)
{
    struct buf sql = {0};
    buf_printf(&sql,
               "SELECT 'record', '%s.%s', %lld, x.label, s.locator, row_number() OVER (PARTITION BY r.stream "
               "ORDER BY r.ordinal) - 1, r.* FROM "
               "%s r JOIN t_attempt a ON a.id = r.attempt AND a.pass = %llu AND a.status IN " SQL_CHOSEN
               " JOIN t_stream s ON s.id = r.stream JOIN t_exhibit x ON x.id = s.exhibit ORDER BY x.label, s.locator, r.ordinal",
               plugin, type, (long long)version, table, (unsigned long long)pass);
    struct db_statement *s = NULL;
    int code = buf_failed(&sql) ? -ENOMEM : db_prepare(db, buf_cstr(&sql), &s);
    buf_finish(&sql);
    return code ? code : rows(d, s, IDS); /* r.* begins with stream, attempt, ordinal: not findings */
}

static int all_records(struct digesting *d, struct db *db, uint64_t pass)
{
    struct db_statement *s;
    int code = db_prepare(
        db, "SELECT plugin, name, version, table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        code = records(d, db, db_text(s, 0), db_text(s, 1), db_i64(s, 2), db_text(s, 3), pass);
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

/* What one pass said, which for the first one comes behind what it found. */
static int pass(struct digesting *d, struct db *db, uint64_t number)
{
    int code = 0;
    for (size_t i = 0; code == 0 && number > 1 && i < sizeof pass_sections / sizeof *pass_sections; i++)
        code = section(d, db, pass_sections[i], number);
    if (code == 0)
        code = all_records(d, db, number);
    for (size_t i = 0; code == 0 && i < sizeof last_sections / sizeof *last_sections; i++)
        code = section(d, db, last_sections[i], number);
    return code;
}

static int passes(struct digesting *d, struct db *db)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT id FROM t_pass ORDER BY id", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        code = pass(d, db, db_u64(s, 0));
        if (code)
            break;
    }
    db_finalize(s);
    return code;
}

static int everything(struct digesting *d, struct db *db)
{
    buf_text(&d->line, "kvali-findings 1");
    int code = end_line(d);
    for (size_t i = 0; code == 0 && i < sizeof sections / sizeof *sections; i++)
        code = section(d, db, sections[i], 0);
    return code ? code : passes(d, db);
}

int case_digest(struct casefile *cf, void (*dump)(void *context, const char *line, size_t size),
                void *context, char ret[SHA256_HEX_SIZE], struct why *why)
{
    struct digesting d = {.hash = hash_sha256_new(), .dump = dump, .context = context};
    uint8_t digest[SHA256_SIZE];
    int code = d.hash ? everything(&d, casefile_db(cf)) : -ENOMEM;
    if (code) {
        why_set(why, code, "%s: the findings cannot be read: %s", casefile_folder(cf),
                db_error(casefile_db(cf)));
    } else {
        struct buf hex = {0};
        hash_sha256_final(d.hash, digest);
        text_hex(&hex, digest, sizeof digest);
        if (buf_failed(&hex))
            code = why_set(why, -ENOMEM, "out of memory");
        else
            memcpy(ret, buf_cstr(&hex), SHA256_HEX_SIZE);
        buf_finish(&hex);
    }
    hash_sha256_free(d.hash);
    buf_finish(&d.line);
    return code;
}
