/*
 * query: SQL over the stable views. Filters become one statement with bound parameters; nothing from a filter
 * becomes SQL.
 */
#include "cases/query.h"

#include "cases/views.h"
#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 12 };

struct where {
    struct buf sql;
    const char *texts[TEXTS_MAX];
    int count;
};

static void both(struct where *where, const char *condition, const char *text)
{
    if (!text)
        return;
    where->texts[where->count++] = text;
    buf_printf(&where->sql, " AND %s ?%d", condition, where->count);
}

static int hash_condition(struct where *where, const char *hash, struct why *why)
{
    if (!hash)
        return 0;
    bool xxh3 = strncmp(hash, "xxh3:", 5) == 0;
    const char *hex = xxh3 ? hash + 5 : hash;
    size_t size = strlen(hex);
    const char *column = xxh3         ? (size == 32 ? "xxh3" : NULL)
                         : size == 32 ? "md5"
                         : size == 40 ? "sha1"
                         : size == 64 ? "sha256"
                                      : NULL;
    if (!column || strspn(hex, "0123456789abcdefABCDEF") != size)
        return why_set(why, -EINVAL,
                       "%s: it is not an MD5, SHA-1 or SHA-256 in hex, nor xxh3:<32 hex digits>", hash);
    where->texts[where->count++] = hex;
    buf_printf(&where->sql, " AND %s = lower(?%d)", column, where->count);
    return 0;
}

static int make_where(struct where *where, const struct file_filter *f, struct why *why)
{
    both(where, "exhibit =", f->exhibit);
    both(where, "name GLOB", f->name);
    both(where, "path GLOB", f->path);
    both(where, "mime GLOB", f->mime);
    both(where, "kind =", f->kind);
    both(where, "type =", f->type);
    if (f->rule) {
        where->texts[where->count++] = f->rule;
        buf_printf(&where->sql, " AND stream IN (SELECT stream FROM match WHERE rule GLOB ?%d)",
                   where->count);
    }
    if (f->hashset) {
        where->texts[where->count++] = f->hashset;
        buf_printf(&where->sql, " AND stream IN (SELECT stream FROM known WHERE set_name GLOB ?%d)", where->count);
    }
    if (f->tag) {
        where->texts[where->count++] = f->tag;
        buf_printf(&where->sql,
                   " AND (stream IN (SELECT stream FROM match, json_each(match.tags) AS tag WHERE tag.value GLOB ?%d) OR "
                   "stream IN (SELECT stream FROM known WHERE ', ' || tags || ', ' GLOB '*, ' || ?%d || ', *'))",
                   where->count, where->count);
    }
    if (f->keyword) {
        where->texts[where->count++] = f->keyword;
        buf_printf(&where->sql, " AND stream IN (SELECT stream FROM keyword WHERE keyword GLOB ?%d OR keyword_group GLOB ?%d)",
                   where->count, where->count);
    }
    if (f->feature) {
        where->texts[where->count++] = f->feature;
        buf_printf(&where->sql, " AND stream IN (SELECT stream FROM feature WHERE %s GLOB ?%d)",
                   strchr(f->feature, ':') ? "kind || ':' || normal" : "kind", where->count);
    }
    if (f->grade) {
        where->texts[where->count++] = f->grade;
        buf_printf(&where->sql, " AND stream IN (SELECT stream FROM carved WHERE grade = ?%d)", where->count);
    }
    if (f->carved)
        buf_text(&where->sql, " AND kind = 'carved'");
    if (f->size_min)
        buf_printf(&where->sql, " AND size >= %llu", (unsigned long long)f->size_min);
    if (f->size_max)
        buf_printf(&where->sql, " AND size <= %llu", (unsigned long long)f->size_max);
    if (f->after != WHEN_NONE)
        buf_printf(&where->sql, " AND modified_ns >= %lld", (long long)f->after);
    if (f->before != WHEN_NONE)
        buf_printf(&where->sql, " AND modified_ns < %lld", (long long)f->before);
    if (f->deleted)
        buf_text(&where->sql, " AND deleted");
    if (f->live)
        buf_text(&where->sql, " AND live");
    if (f->mismatch)
        buf_text(&where->sql, " AND mismatch = 1");
    return hash_condition(where, f->hash, why);
}

static const char columns[] = "SELECT exhibit, path, volume, type, kind, mime, description, md5, sha1, "
                              "sha256, xxh3, status, locator, target, modified, accessed, "
                              "changed, born, inode, size, content_size, stream, live, deleted, reallocated, "
                              "orphan, unnamed, encrypted, mismatch, hash_complete FROM file "
                              "WHERE 1";

static struct file_row row_of(struct db_statement *s)
{
    return (struct file_row){
        .exhibit = db_text(s, 0),
        .path = db_text(s, 1),
        .volume = db_text(s, 2),
        .type = db_text(s, 3),
        .kind = db_text(s, 4),
        .mime = db_text(s, 5),
        .description = db_text(s, 6),
        .md5 = db_text(s, 7),
        .sha1 = db_text(s, 8),
        .sha256 = db_text(s, 9),
        .xxh3 = db_text(s, 10),
        .status = db_text(s, 11),
        .locator = db_text(s, 12),
        .target = db_text(s, 13),
        .modified = db_text(s, 14),
        .accessed = db_text(s, 15),
        .changed = db_text(s, 16),
        .born = db_text(s, 17),
        .inode = db_u64(s, 18),
        .size = db_u64(s, 19),
        .content_size = db_u64(s, 20),
        .stream = db_u64(s, 21),
        .live = db_i64(s, 22),
        .deleted = db_i64(s, 23),
        .reallocated = db_i64(s, 24),
        .orphan = db_i64(s, 25),
        .unnamed = db_i64(s, 26),
        .encrypted = db_i64(s, 27),
        .mismatch = db_i64(s, 28),
        .hash_complete = db_i64(s, 29),
    };
}

static int query_failed(struct casefile *cf, int code, struct why *why)
{
    return why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
}

int file_query(struct casefile *cf, const struct file_filter *filter,
               int (*each)(void *context, const struct file_row *row), void *context, struct why *why)
{
    struct where where = {0};
    struct db_statement *s = NULL;
    buf_text(&where.sql, columns);
    int code = make_where(&where, filter, why);
    buf_text(&where.sql, " ORDER BY exhibit, path");
    if (filter->limit)
        buf_printf(&where.sql, " LIMIT %llu", (unsigned long long)filter->limit);
    if (code == 0) {
        code = buf_failed(&where.sql) ? -ENOMEM : db_prepare(casefile_db(cf), buf_cstr(&where.sql), &s);
        if (code)
            query_failed(cf, code, why);
    }
    buf_finish(&where.sql);
    if (code)
        return code;
    for (int i = 0; i < where.count; i++)
        db_bind_text(s, i + 1, where.texts[i]);
    while ((code = db_step(s)) == 1) {
        struct file_row row = row_of(s);
        code = each(context, &row);
        if (code < 0)
            break;
    }
    if (code < 0 && code != -ECANCELED)
        query_failed(cf, code, why);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ one address */

/* Images of two exhibits may have the same name, and then the same addresses: none of them is guessed. */
static int check_one(struct casefile *cf, const struct file_address *at, struct why *why)
{
    struct db_statement *s;
    if (at->exhibit)
        return 0;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT count(*), group_concat(exhibit) FROM (SELECT DISTINCT exhibit FROM file WHERE path = ?1 "
        "ORDER BY exhibit)",
        &s);
    if (code)
        return query_failed(cf, code, why);
    db_bind_text(s, 1, at->path);
    code = db_step(s);
    if (code < 0)
        query_failed(cf, code, why);
    else
        code = db_i64(s, 0) > 1 ? why_set(why, -ENOTUNIQ, "%s: several exhibits have this address: %s",
                                          at->path, db_text(s, 1))
                                : 0;
    db_finalize(s);
    return code;
}

#define IS_AT "f.path = ?1 AND (?2 IS NULL OR f.exhibit = ?2)"

static int prepare_at(struct casefile *cf, const char *sql, const struct file_address *at,
                      struct db_statement **ret, struct why *why)
{
    int code = check_one(cf, at, why);
    if (code)
        return code;
    code = db_prepare(casefile_db(cf), sql, ret);
    if (code)
        return query_failed(cf, code, why);
    db_bind_text(*ret, 1, at->path);
    db_bind_text(*ret, 2, at->exhibit);
    return 0;
}

static int no_address(const struct file_address *at, struct why *why)
{
    return at->exhibit ? why_set(why, -ENOENT, "%s: exhibit %s has no such address", at->path, at->exhibit)
                       : why_set(why, -ENOENT, "%s: there is no such address in this case", at->path);
}

int file_source(struct casefile *cf, const struct file_address *at, struct file_source *ret_source,
                struct why *why)
{
    struct db_statement *s;
    struct file_source source = {0};
    int code = prepare_at(
        cf,
        "SELECT x.path, x.type, f.locator, f.path, f.sha256, f.content_size, s.extension, s.parent, s.id "
        "FROM file f JOIN t_exhibit x ON x.label = f.exhibit LEFT JOIN t_stream s ON s.id = f.stream "
        "WHERE " IS_AT,
        at, &s, why);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1 && db_is_null(s, 2))
        code = why_set(why, -ENODATA, "%s: it has no content (a folder, a link, or its metadata is gone)",
                       at->path);
    else if (code == 0)
        code = no_address(at, why);
    else if (code < 0)
        query_failed(cf, code, why);
    if (code == 1 && !db_is_null(s, 7) && file_root_of(cf, db_u64(s, 8), &source.root, why))
        code = -EUCLEAN;
    if (code == 1) {
        source.exhibit_path = strdup(db_text(s, 0));
        source.exhibit_type = strdup(db_text(s, 1));
        source.locator = strdup(db_text(s, 2));
        source.path = strdup(db_text(s, 3));
        source.sha256 = strdup(db_text(s, 4));
        source.size = db_u64(s, 5);
        source.extension = strdup(db_text(s, 6));
        *ret_source = source;
        code = 0;
    }
    db_finalize(s);
    return code;
}

void file_source_finish(struct file_source *source)
{
    free(source->exhibit_path);
    free(source->exhibit_type);
    free(source->locator);
    free(source->path);
    free(source->sha256);
    free(source->extension);
    *source = (struct file_source){0};
}

/* ------------------------------------------------------------------ streams inside a stream */

int file_root_of(struct casefile *cf, uint64_t stream, uint64_t *ret_root, struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf),
                          "WITH RECURSIVE up(id, parent) AS (SELECT id, parent FROM t_stream WHERE id = ?1 "
                          "UNION SELECT t.id, t.parent FROM t_stream t JOIN up ON t.id = up.parent) "
                          "SELECT id FROM up WHERE parent IS NULL",
                          &s);
    if (code)
        return query_failed(cf, code, why);
    db_bind_u64(s, 1, stream);
    code = db_step(s);
    if (code == 1)
        *ret_root = db_u64(s, 0);
    else
        code ? query_failed(cf, code, why)
             : why_set(why, -ENOENT, "%s: a content is gone", casefile_folder(cf));
    db_finalize(s);
    return code == 1 ? 0 : code ? code : -ENOENT;
}

/* Names of plugins hold no ','. */
static int root_plugins(struct casefile *cf, uint64_t stream, char **ret_plugins, struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(
        casefile_db(cf),
        "WITH RECURSIVE family(id, plugin) AS (SELECT id, plugin FROM t_stream WHERE id = ?1 UNION "
        "SELECT s.id, s.plugin FROM t_stream s JOIN family f ON s.parent = f.id WHERE s.attempt IS NOT NULL) "
        "SELECT group_concat(DISTINCT plugin) FROM family WHERE plugin <> ''",
        &s);
    if (code)
        return query_failed(cf, code, why);
    db_bind_u64(s, 1, stream);
    code = db_step(s);
    if (code < 0)
        query_failed(cf, code, why);
    else
        *ret_plugins = strdup(db_text(s, 0));
    db_finalize(s);
    return code < 0 ? code : 0;
}

int file_root(struct casefile *cf, uint64_t stream, struct file_root *ret_root, struct why *why)
{
    struct db_statement *s;
    char *plugins = NULL;
    int code = root_plugins(cf, stream, &plugins, why);
    if (code)
        return code;
    code = db_prepare(casefile_db(cf),
                      "SELECT x.path, x.type, s.locator, s.path, s.extension, s.kind, s.deleted, a.run FROM "
                      "t_stream s JOIN t_exhibit x ON x.id = s.exhibit JOIN t_attempt a ON a.id = s.attempt "
                      "WHERE s.id = ?1",
                      &s);
    if (code) {
        free(plugins);
        return query_failed(cf, code, why);
    }
    db_bind_u64(s, 1, stream);
    code = db_step(s);
    if (code == 1) {
        *ret_root = (struct file_root){
            .id = stream,
            .run = db_u64(s, 7),
            .exhibit_path = strdup(db_text(s, 0)),
            .exhibit_type = strdup(db_text(s, 1)),
            .locator = strdup(db_text(s, 2)),
            .path = strdup(db_text(s, 3)),
            .extension = strdup(db_text(s, 4)),
            .plugins = plugins,
            .kind = (uint32_t)db_u64(s, 5),
            .deleted = db_i64(s, 6),
        };
        plugins = NULL;
        code = 0;
        if (!ret_root->exhibit_path || !ret_root->exhibit_type || !ret_root->locator || !ret_root->path ||
            !ret_root->extension || !ret_root->plugins) {
            file_root_finish(ret_root);
            code = why_set(why, -ENOMEM, "out of memory");
        }
    } else {
        code = code ? query_failed(cf, code, why)
                    : why_set(why, -ENOENT, "the content around it is not in this case any more");
    }
    db_finalize(s);
    free(plugins);
    return code;
}

void file_root_finish(struct file_root *root)
{
    free(root->exhibit_path);
    free(root->exhibit_type);
    free(root->locator);
    free(root->path);
    free(root->extension);
    free(root->plugins);
    *root = (struct file_root){0};
}

int run_settings(struct casefile *cf, uint64_t run, struct settings *settings, struct why *why)
{
    struct db_statement *s;
    struct why inner = {{0}};
    bool any = false;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT j.key, j.value FROM t_run r, json_each(r.settings, '$.settings') j WHERE r.id = ?1", &s);
    if (code)
        return query_failed(cf, code, why);
    db_bind_u64(s, 1, run);
    while ((code = db_step(s)) == 1) {
        code = settings_set(settings, db_text(s, 0), db_text(s, 1), &inner);
        any = any || code == 0;
        if (code && code != -ENOENT)
            break;
        inner.text[0] = 0;
    }
    if (code && inner.text[0])
        why_set(why, code, "the settings of run %llu: %s", (unsigned long long)run, inner.text);
    else if (code)
        query_failed(cf, code, why);
    else if (!any)
        code = why_set(why, -ENOENT, "%s: it does not say with what settings run %llu was done",
                       casefile_folder(cf), (unsigned long long)run);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ what is known */

int file_columns(struct casefile *cf, const struct file_address *at,
                 void (*each)(void *context, const char *name, const char *value), void *context,
                 struct why *why)
{
    struct db_statement *s;
    int code = prepare_at(cf, "SELECT * FROM file f WHERE " IS_AT, at, &s, why);
    if (code)
        return code;
    code = db_step(s);
    for (int i = 0; code == 1 && i < db_columns(s); i++)
        if (!db_is_null(s, i) && !db_is_blob(s, i))
            each(context, db_column_name(s, i), db_text(s, i));
    db_finalize(s);
    return code == 1 ? 0 : code ? query_failed(cf, code, why) : no_address(at, why);
}

int file_findings(struct casefile *cf, const struct file_address *at,
                  void (*each)(void *context, uint64_t pass, const char *plugin, const char *type, const char *json),
                  void *context, struct why *why)
{
    struct db_statement *s;
    struct buf sql = {0};
    buf_text(&sql, "WITH found AS (");
    int code = views_finding(casefile_db(cf), &sql);
    buf_text(&sql,
             ") SELECT g.pass, g.plugin, g.type, g.data FROM file f JOIN found g ON g.stream = f.stream WHERE " IS_AT
             " "
             "ORDER BY g.pass, g.plugin, g.type, g.ordinal");
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : prepare_at(cf, buf_cstr(&sql), at, &s, why);
    buf_finish(&sql);
    if (code)
        return code;
    while ((code = db_step(s)) == 1)
        each(context, db_u64(s, 0), db_text(s, 1), db_text(s, 2), db_text(s, 3));
    if (code < 0)
        query_failed(cf, code, why);
    db_finalize(s);
    return code;
}

int rule_costs(struct casefile *cf, uint64_t limit,
               int (*each)(void *context, const char *rule, const char *space, uint64_t microseconds,
                           uint64_t contents),
               void *context, struct why *why)
{
    static const char sql[] =
        "SELECT c.rule, c.namespace, sum(c.microseconds), count(*) FROM rec_yara_cost c JOIN t_stream s ON "
        "s.id = c.stream AND s.attempt = c.attempt GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ?1";
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), sql, &s);
    if (code == 0) {
        db_bind_u64(s, 1, limit);
        while (code >= 0 && (code = db_step(s)) == 1)
            code = each(context, db_text(s, 0), db_text(s, 1), db_u64(s, 2), db_u64(s, 3));
        db_finalize(s);
    }
    return code < 0 ? why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf))) : 0;
}
