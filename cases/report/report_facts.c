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
    E_PATH,
    E_TYPE,
    E_SIZE,
    E_FLAGS,
    E_MODIFIED,
    E_ACCESSED,
    E_CHANGED,
    E_BORN,
    S_ID,
    S_SIZE,
    D_SHA256,
    T_MIME,
    C_GRADE,
    BRIEF, /* from here on, what FACTS_BRIEF leaves out */
    E_NAME = BRIEF,
    E_VOLUME,
    E_KIND,
    E_INODE,
    E_SEQUENCE,
    E_ATTRIBUTE,
    E_TARGET,
    E_MODE,
    E_UID,
    E_GID,
    E_LINKS,
    E_REMOVED,
    N_MODIFIED,
    N_ACCESSED,
    N_CHANGED,
    N_BORN,
    S_RUNS,
    D_MD5,
    D_SHA1,
    D_UNREAD,
    V_FILESYSTEM,
    V_OFFSET,
    V_SIZE,
    V_BLOCK,
    P_PATH,
    S_PLUGIN,
    G_BYTES,
    G_OVERWRITTEN,
    S_INSIDE,
};

#define FOUND "s.id, s.size, d.sha256, t.mime, c.grade"
#define FOUND_MORE                                                                                           \
    "s.runs, d.md5, d.sha1, d.unread, v.filesystem, v.offset, v.size, v.block_size, p.path, s.plugin, "      \
    "g.bytes, g.overwritten, s.runs IS NOT NULL AND instr(" SQL_OUTER_LOCATOR ", '>') > 0 "
#define FOUND_MORE_FROM "LEFT JOIN t_stream p ON p.id = s.parent LEFT JOIN t_deleted g ON g.stream = s.id "

/* One of the two lists. `more` is asked for, and joined, when not brief. */
struct facts_list {
    const char *columns, *more, *from, *more_from, *order;
};

/* The order is the unique index's; CROSS JOIN keeps the table that has it outside. */
static const struct facts_list entries = {
    "SELECT e.exhibit, e.path, e.type, e.size, e.flags, e.modified, e.accessed, e.changed, e.born, " FOUND,
    ", e.name, e.volume, " SQL_KIND_WORD(
        "e.kind") ", e.inode, e.sequence, e.attribute, e.target, e.mode, e.uid, e.gid, e.links, e.removed, "
                  "e.name_modified, e.name_accessed, e.name_changed, e.name_born, " FOUND_MORE,
    " FROM t_entry e LEFT JOIN t_stream s ON s.id = e.stream ",
    "LEFT JOIN t_volume v ON v.exhibit = e.exhibit AND v.key = e.volume " FOUND_MORE_FROM,
    "WHERE e.kind NOT IN (0, 1, 5, 6) ORDER BY e.exhibit, e.path"};
static const struct facts_list inner = {
    "SELECT s.exhibit, s.path, 0, s.size, s.deleted * 3, NULL, NULL, NULL, NULL, " FOUND,
    ", s.name, '', " SQL_KIND_WORD(
        "s.kind") ", 0, 0, '', '', 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, " FOUND_MORE,
    " FROM t_stream s ", "LEFT JOIN t_volume v ON 0 " FOUND_MORE_FROM,
    "WHERE s.parent IS NOT NULL AND s.attempt IS NOT NULL AND s.kind NOT IN (0, 1, 5, 6) ORDER BY s.exhibit, "
    "s.locator"};

static int prepare(struct db *db, const struct facts_list *list, bool brief, struct db_statement **ret)
{
    struct buf sql = {0};
    const char *const parts[] = {list->columns, brief ? "" : list->more, list->from,
                                 brief ? "" : list->more_from};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_text(&sql, parts[i]);
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        const char *alias = joins[i].alias;
        if (db_has_table(db, joins[i].table))
            buf_printf(&sql, "LEFT JOIN %s %s ON %s.stream = s.id AND %s.attempt = s.attempt ",
                       joins[i].table, alias, alias, alias);
        else
            buf_printf(&sql, "LEFT JOIN (SELECT %s) %s ON 0 ", joins[i].empty, alias);
    }
    buf_text(&sql, list->order);
    int code = buf_failed(&sql) ? -ENOMEM : db_prepare(db, buf_cstr(&sql), ret);
    buf_finish(&sql);
    return code;
}

static const uint8_t *hash_bytes(struct db_statement *s, int column, size_t size)
{
    size_t stored = 0;
    const void *data = db_bytes(s, column, &stored);
    return data && stored == size ? data : NULL;
}

static void hash_hex(struct db_statement *s, int column, size_t size, struct buf *hex, char *ret)
{
    const uint8_t *data = hash_bytes(s, column, size);
    *ret = 0;
    if (!data)
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
    return safe_view(safe, db_text(s, column));
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

struct walk {
    struct db_statement *rows, *exhibits;
    struct buf safe[SAFES];
    bool brief, inner;
    struct file_fact of_exhibit; /* what is the same of all files in one; its number is `known` */
    const char *name;
    uint64_t exhibit;
    bool known, there;
};

static int find_exhibit(struct walk *w, uint64_t id)
{
    if (w->known && w->exhibit == id)
        return 0;
    db_reset(w->exhibits);
    db_bind_u64(w->exhibits, 1, id);
    int code = db_step(w->exhibits);
    w->known = code >= 0;
    w->there = code == 1;
    w->exhibit = id;
    w->of_exhibit = (struct file_fact){.exhibit_id = id,
                                       .within = "",
                                       .volume = "",
                                       .filesystem = "",
                                       .kind = "",
                                       .attribute = "",
                                       .target = "",
                                       .runs = "",
                                       .parent = "",
                                       .plugin = ""};
    if (code != 1)
        return code;
    w->of_exhibit.exhibit = safe_column(w->exhibits, 0, &w->safe[SAFE_EXHIBIT]);
    w->name = safe_column(w->exhibits, 1, &w->safe[SAFE_NAME]);
    w->of_exhibit.sector_size = (uint32_t)db_u64(w->exhibits, 2);
    return 0;
}

static const char *type_name(int64_t type)
{
    return entry_type_name(type >= 0 && type < ENTRY_TYPES ? (enum entry_type)type : ENTRY_UNKNOWN);
}

static void fill(struct walk *w, struct file_fact *fact)
{
    struct db_statement *s = w->rows;
    *fact = w->of_exhibit;
    fact->path = safe_column(s, E_PATH, &w->safe[SAFE_PATH]);
    fact->type = type_name(db_i64(s, E_TYPE));
    fact->size = db_u64(s, E_SIZE);
    fact->flags = db_u64(s, E_FLAGS);
    fact->modified = when_of(s, E_MODIFIED);
    fact->accessed = when_of(s, E_ACCESSED);
    fact->changed = when_of(s, E_CHANGED);
    fact->born = when_of(s, E_BORN);
    fact->has_content = !db_is_null(s, S_ID);
    fact->content_size = db_u64(s, S_SIZE);
    fact->sha256_bytes = hash_bytes(s, D_SHA256, SHA256_SIZE);
    fact->mime = safe_column(s, T_MIME, &w->safe[SAFE_MIME]);
    fact->grade = safe_column(s, C_GRADE, &w->safe[SAFE_GRADE]);
    fact->inner = w->inner;
}

/* What FACTS_BRIEF leaves out. */
static void fill_more(struct walk *w, struct file_fact *fact)
{
    struct db_statement *s = w->rows;
    fact->volume = safe_column(s, E_VOLUME, &w->safe[SAFE_VOLUME]);
    fact->filesystem = safe_column(s, V_FILESYSTEM, &w->safe[SAFE_FILESYSTEM]);
    fact->volume_offset = db_u64(s, V_OFFSET);
    fact->volume_size = db_u64(s, V_SIZE);
    fact->block_size = (uint32_t)db_u64(s, V_BLOCK);
    fact->kind = db_text(s, E_KIND);
    fact->attribute = safe_column(s, E_ATTRIBUTE, &w->safe[SAFE_ATTRIBUTE]);
    fact->target = safe_column(s, E_TARGET, &w->safe[SAFE_TARGET]);
    fact->inode = db_u64(s, E_INODE);
    fact->sequence = db_u64(s, E_SEQUENCE);
    fact->mode = db_u64(s, E_MODE);
    fact->uid = db_u64(s, E_UID);
    fact->gid = db_u64(s, E_GID);
    fact->links = db_u64(s, E_LINKS);
    fact->removed = when_of(s, E_REMOVED);
    fact->name_modified = when_of(s, N_MODIFIED);
    fact->name_accessed = when_of(s, N_ACCESSED);
    fact->name_changed = when_of(s, N_CHANGED);
    fact->name_born = when_of(s, N_BORN);
    fact->runs = db_text(s, S_RUNS);
    fact->inside = db_i64(s, S_INSIDE) != 0;
    fact->unread = db_u64(s, D_UNREAD);
    fact->parent = safe_column(s, P_PATH, &w->safe[SAFE_PARENT]);
    fact->plugin = safe_column(s, S_PLUGIN, &w->safe[SAFE_PLUGIN]);
    fact->blocks = db_u64(s, G_BYTES);
    fact->overwritten = db_u64(s, G_OVERWRITTEN);
    fact->name = db_bytes(s, E_NAME, &fact->name_size);
    fact->within = below(fact->path, w->name, fact->volume, fact->filesystem);
    hash_hex(s, D_MD5, MD5_SIZE, &w->safe[SAFE_HEX], fact->md5);
    hash_hex(s, D_SHA1, SHA1_SIZE, &w->safe[SAFE_HEX], fact->sha1);
    hash_hex(s, D_SHA256, SHA256_SIZE, &w->safe[SAFE_HEX], fact->sha256);
}

static bool has_failed(const struct walk *w)
{
    bool failed = false;
    for (size_t i = 0; i < SAFES; i++)
        failed = failed || buf_failed(&w->safe[i]);
    return failed;
}

static int walk_rows(struct walk *w, int (*each)(void *, const struct file_fact *), void *context)
{
    struct file_fact fact;
    int code;
    while ((code = db_step(w->rows)) == 1) {
        code = find_exhibit(w, db_u64(w->rows, X_ID));
        if (code == 0 && !w->there)
            continue;
        if (code == 0) {
            fill(w, &fact);
            if (!w->brief)
                fill_more(w, &fact);
            code = has_failed(w) ? -ENOMEM : each(context, &fact);
        }
        if (code < 0)
            break;
    }
    return code;
}

static int walk(struct casefile *cf, const struct facts_list *list, bool brief,
                int (*each)(void *, const struct file_fact *), void *context, struct why *why)
{
    struct db *db = casefile_db(cf);
    struct walk w = {.brief = brief, .inner = list == &inner};
    int code = prepare(db, list, brief, &w.rows);
    if (code == 0)
        code = db_prepare(db, "SELECT label, name, sector_size FROM t_exhibit WHERE id = ?1", &w.exhibits);
    if (code == 0)
        code = walk_rows(&w, each, context);
    if (code < 0 && why && !why->text[0])
        why_set(why, code, "%s/case.db: %s", casefile_folder(cf),
                code == -ENOMEM ? "no memory" : db_error(db));
    db_finalize(w.rows);
    db_finalize(w.exhibits);
    for (size_t i = 0; i < SAFES; i++)
        buf_finish(&w.safe[i]);
    return code;
}

int file_facts(struct casefile *cf, enum facts_what what,
               int (*each)(void *context, const struct file_fact *fact), void *context, struct why *why)
{
    bool brief = what & FACTS_BRIEF;
    int code = what & FACTS_ENTRIES ? walk(cf, &entries, brief, each, context, why) : 0;
    uint64_t any = 0; /* their order leads past all contents */
    if (code < 0 || !(what & FACTS_INNER))
        return code;
    code = db_number(casefile_db(cf), "SELECT 1 FROM t_stream WHERE parent IS NOT NULL LIMIT 1", 0, 0, &any);
    if (code < 0)
        return why_set(why, code, "%s/case.db: %s", casefile_folder(cf), db_error(casefile_db(cf)));
    return any ? walk(cf, &inner, brief, each, context, why) : 0;
}

bool file_fact_deleted(const struct file_fact *fact)
{
    return fact->flags & (ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED);
}
