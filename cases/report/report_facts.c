/* report_facts: see report_facts.h. */
#include "cases/report/report_facts.h"

#include "cases/names.h"
#include "cases/report/safe.h"
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <errno.h>
#include <string.h>

/* Record tables that may not be there. */
static const struct {
    const char *table, *alias, *empty;
} joins[] = {
    {"rec_digest", "d", "NULL AS md5, NULL AS sha1, NULL AS sha256, NULL AS unread"},
    {"rec_filetype", "t", "NULL AS mime"},
    {"rec_carve", "c", "NULL AS grade"},
};

enum {
    X_ID,
    X_LABEL,
    X_NAME,
    E_PATH,
    E_NAME,
    E_VOLUME,
    E_TYPE,
    E_KIND,
    E_INODE,
    E_SEQUENCE,
    E_ATTRIBUTE,
    E_TARGET,
    E_SIZE,
    E_FLAGS,
    E_MODE,
    E_UID,
    E_GID,
    E_LINKS,
    E_TIMES, /* nine of them */
    S_ID = E_TIMES + 9,
    S_SIZE,
    S_RUNS,
    D_MD5,
    D_SHA1,
    D_SHA256,
    D_UNREAD,
    T_MIME,
    C_GRADE,
    V_FILESYSTEM,
    V_OFFSET,
    V_SIZE,
    V_BLOCK,
    X_SECTOR,
    P_PATH,
    S_PLUGIN,
    G_BYTES,
    G_OVERWRITTEN,
    S_INSIDE,
};

#define FOUND                                                                                                \
    "s.id, s.size, s.runs, d.md5, d.sha1, d.sha256, d.unread, t.mime, c.grade, v.filesystem, v.offset, "     \
    "v.size, v.block_size, "                                                                                 \
    "x.sector_size, p.path, s.plugin, g.bytes, g.overwritten, "                                              \
    "s.runs IS NOT NULL AND instr(" SQL_OUTER_LOCATOR ", '>') > 0 "

/* The order is the unique index's; CROSS JOIN keeps the table that has it outside. */
static const char entries[] =
    "SELECT x.id, x.label, x.name, e.path, e.name, e.volume, " SQL_TYPE_WORD("e.type") ", " SQL_KIND_WORD(
        "e.kind") ", e.inode, "
                  "e.sequence, e.attribute, e.target, e.size, e.flags, e.mode, e.uid, e.gid, e.links, "
                  "e.modified, e.accessed, e.changed, e.born, "
                  "e.removed, e.name_modified, e.name_accessed, e.name_changed, e.name_born, " FOUND
                  "FROM t_entry e CROSS JOIN t_exhibit x ON x.id = e.exhibit LEFT JOIN t_stream s ON s.id = "
                  "e.stream "
                  "LEFT JOIN t_volume v ON v.exhibit = e.exhibit AND v.key = e.volume LEFT JOIN t_stream p "
                  "ON p.id = s.parent LEFT JOIN t_deleted g ON g.stream = s.id ";
static const char entries_order[] = "WHERE e.kind NOT IN (0, 1, 5, 6) ORDER BY e.exhibit, e.path";
static const char inner[] = "SELECT x.id, x.label, x.name, s.path, s.name, '', 'file', " SQL_KIND_WORD(
    "s.kind") ", 0, 0, '', '', s.size, s.deleted * 3, 0, 0, "
              "0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, " FOUND
              "FROM t_stream s CROSS JOIN t_exhibit x ON x.id = s.exhibit LEFT JOIN t_volume v ON 0 LEFT "
              "JOIN t_stream p ON p.id = s.parent LEFT JOIN t_deleted g ON g.stream = s.id ";
static const char inner_order[] = "WHERE s.parent IS NOT NULL AND s.attempt IS NOT NULL AND s.kind NOT IN "
                                  "(0, 1, 5, 6) ORDER BY s.exhibit, s.locator";

static int prepare(struct db *db, const char *select, const char *order, struct db_statement **ret)
{
    struct buf sql = {0};
    buf_text(&sql, select);
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        const char *alias = joins[i].alias;
        if (db_has_table(db, joins[i].table))
            buf_printf(&sql, "LEFT JOIN %s %s ON %s.stream = s.id AND %s.attempt = s.attempt ",
                       joins[i].table, alias, alias, alias);
        else
            buf_printf(&sql, "LEFT JOIN (SELECT %s) %s ON 0 ", joins[i].empty, alias);
    }
    buf_text(&sql, order);
    int code = buf_failed(&sql) ? -ENOMEM : db_prepare(db, buf_cstr(&sql), ret);
    buf_finish(&sql);
    return code;
}

static void hash_hex(struct db_statement *s, int column, size_t size, struct buf *hex, char *ret)
{
    size_t stored = 0;
    const void *data = db_bytes(s, column, &stored);
    *ret = 0;
    if (!data || stored != size)
        return;
    buf_clear(hex);
    text_hex(hex, data, size);
    memcpy(ret, buf_cstr(hex), hex->size + 1);
}

static int64_t when_of(struct db_statement *s, int column)
{
    return db_is_null(s, column) ? WHEN_NONE : db_i64(s, column);
}

/* What is before it names exhibit, volume and file system. */
static const char *below(const char *path, const char *image, const char *volume, const char *filesystem)
{
    const char *const parts[] = {image, volume, filesystem};
    const char *at = path;
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(parts[i]);
        if (size == 0 || strncmp(at, parts[i], size) != 0 || at[size] != '/')
            return path;
        at += size + 1;
    }
    return at;
}

/* `safe` has room for what a folder that came from somebody may hold unescaped. */
static const char *safe_column(struct db_statement *s, int column, struct buf *safe)
{
    const char *text = db_text(s, column);
    buf_clear(safe);
    safe_text(safe, text, strlen(text));
    return buf_cstr(safe);
}

enum {
    SAFE_EXHIBIT,
    SAFE_PATH,
    SAFE_VOLUME,
    SAFE_FILESYSTEM,
    SAFE_TARGET,
    SAFE_MIME,
    SAFE_GRADE,
    SAFE_PARENT,
    SAFE_PLUGIN,
    SAFE_ATTRIBUTE,
    SAFE_NAME,
    SAFE_HEX,
    SAFES
};

static void fill(struct db_statement *s, struct buf *safe, bool is_inner, struct file_fact *fact)
{
    *fact = (struct file_fact){
        .exhibit_id = db_u64(s, X_ID),
        .exhibit = safe_column(s, X_LABEL, &safe[SAFE_EXHIBIT]),
        .path = safe_column(s, E_PATH, &safe[SAFE_PATH]),
        .volume = safe_column(s, E_VOLUME, &safe[SAFE_VOLUME]),
        .filesystem = safe_column(s, V_FILESYSTEM, &safe[SAFE_FILESYSTEM]),
        .volume_offset = db_u64(s, V_OFFSET),
        .volume_size = db_u64(s, V_SIZE),
        .block_size = (uint32_t)db_u64(s, V_BLOCK),
        .sector_size = (uint32_t)db_u64(s, X_SECTOR),
        .type = db_text(s, E_TYPE),
        .kind = db_text(s, E_KIND),
        .attribute = safe_column(s, E_ATTRIBUTE, &safe[SAFE_ATTRIBUTE]),
        .target = safe_column(s, E_TARGET, &safe[SAFE_TARGET]),
        .inode = db_u64(s, E_INODE),
        .sequence = db_u64(s, E_SEQUENCE),
        .size = db_u64(s, E_SIZE),
        .flags = db_u64(s, E_FLAGS),
        .mode = db_u64(s, E_MODE),
        .uid = db_u64(s, E_UID),
        .gid = db_u64(s, E_GID),
        .links = db_u64(s, E_LINKS),
        .has_content = !db_is_null(s, S_ID),
        .content_size = db_u64(s, S_SIZE),
        .runs = db_text(s, S_RUNS),
        .inside = db_i64(s, S_INSIDE) != 0,
        .unread = db_u64(s, D_UNREAD),
        .mime = safe_column(s, T_MIME, &safe[SAFE_MIME]),
        .grade = safe_column(s, C_GRADE, &safe[SAFE_GRADE]),
        .parent = safe_column(s, P_PATH, &safe[SAFE_PARENT]),
        .plugin = safe_column(s, S_PLUGIN, &safe[SAFE_PLUGIN]),
        .inner = is_inner,
        .blocks = db_u64(s, G_BYTES),
        .overwritten = db_u64(s, G_OVERWRITTEN),
    };
    int64_t *const times[] = {&fact->modified,      &fact->accessed,     &fact->changed,
                              &fact->born,          &fact->removed,      &fact->name_modified,
                              &fact->name_accessed, &fact->name_changed, &fact->name_born};
    for (int i = 0; i < 9; i++)
        *times[i] = when_of(s, E_TIMES + i);
    fact->name = db_bytes(s, E_NAME, &fact->name_size);
    fact->within =
        below(fact->path, safe_column(s, X_NAME, &safe[SAFE_NAME]), fact->volume, fact->filesystem);
    hash_hex(s, D_MD5, MD5_SIZE, &safe[SAFE_HEX], fact->md5);
    hash_hex(s, D_SHA1, SHA1_SIZE, &safe[SAFE_HEX], fact->sha1);
    hash_hex(s, D_SHA256, SHA256_SIZE, &safe[SAFE_HEX], fact->sha256);
}

static int walk(struct casefile *cf, bool is_inner, int (*each)(void *, const struct file_fact *),
                void *context, struct why *why)
{
    struct db *db = casefile_db(cf);
    struct db_statement *s = NULL;
    struct buf safe[SAFES] = {0};
    struct file_fact fact;
    int code = is_inner ? prepare(db, inner, inner_order, &s) : prepare(db, entries, entries_order, &s);
    if (code < 0)
        return why_set(why, code, "%s/case.db: %s", casefile_folder(cf), db_error(db));
    while ((code = db_step(s)) == 1) {
        bool failed = false;
        fill(s, safe, is_inner, &fact);
        for (size_t i = 0; i < SAFES; i++)
            failed = failed || buf_failed(&safe[i]);
        code = failed ? -ENOMEM : each(context, &fact);
        if (code < 0)
            break;
    }
    if (code < 0 && why && !why->text[0])
        why_set(why, code, "%s/case.db: %s", casefile_folder(cf),
                code == -ENOMEM ? "no memory" : db_error(db));
    db_finalize(s);
    for (size_t i = 0; i < SAFES; i++)
        buf_finish(&safe[i]);
    return code;
}

int file_facts(struct casefile *cf, enum facts_what what,
               int (*each)(void *context, const struct file_fact *fact), void *context, struct why *why)
{
    int code = what & FACTS_ENTRIES ? walk(cf, false, each, context, why) : 0;
    return code < 0 || !(what & FACTS_INNER) ? code : walk(cf, true, each, context, why);
}

static bool read_number(const char **at, uint64_t *ret)
{
    uint64_t number = 0;
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 19)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)((*at)[i] - '0');
    *at += digits;
    *ret = number;
    return true;
}

bool file_fact_run(const char **at, uint64_t *ret_offset, uint64_t *ret_size)
{
    *at += strspn(*at, "[], ");
    *ret_offset = UINT64_MAX;
    if (!strncmp(*at, "null", 4))
        *at += 4;
    else if (!read_number(at, ret_offset))
        return false;
    *at += strspn(*at, ", ");
    return read_number(at, ret_size);
}

bool file_fact_deleted(const struct file_fact *fact)
{
    return fact->flags & (ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED);
}
