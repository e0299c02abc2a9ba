/*
 * writer_found: what a walk finds and what goes wrong. Found things are idempotent by key, because a walk may
 * be done again after a crash.
 */
#include "cases/writer_private.h"

#include "cases/names.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ images */

static int image_hashes(struct writer *writer, uint64_t exhibit, const struct writer_image *image)
{
    struct db_statement *s;
    int code = db_prepare(writer->db,
                          "INSERT INTO t_image_hash(exhibit, algorithm, hex, source) VALUES (?1, ?2, ?3, ?4) "
                          "ON CONFLICT DO UPDATE "
                          "SET hex = ?3",
                          &s);
    for (size_t i = 0; code == 0 && i < image->hash_count; i++) {
        db_bind_u64(s, 1, exhibit);
        db_bind_text(s, 2, image->hashes[i][0]);
        db_bind_text(s, 3, image->hashes[i][1]);
        db_bind_text(s, 4, image->hashes[i][2]);
        code = db_run(s);
    }
    db_finalize(s);
    return code;
}

static int image_fault(struct writer *writer, uint64_t exhibit, enum fault_kind kind, uint64_t size,
                       const char *effect, const char *detail)
{
    struct found_fault fault = {.kind = kind,
                                .volume = "",
                                .path = "",
                                .stage = "open",
                                .plugin = "",
                                .offset = UINT64_MAX,
                                .size = size,
                                .effect = effect,
                                .detail = detail};
    return writer_fault(writer, 0, exhibit, 0, &fault);
}

/* The faults of the medium as a whole are told once, when the exhibit opens for the first time. */
static int image_faults(struct writer *writer, uint64_t exhibit, const struct writer_image *image)
{
    int code = 0;
    if (image->damage[0])
        code =
            image_fault(writer, exhibit, FAULT_DAMAGED, 0, "what is missing reads as zeros", image->damage);
    if (code == 0 && image->unsupported[0])
        code = image_fault(writer, exhibit, FAULT_UNSUPPORTED, image->size,
                           "the container's own bytes were examined; the medium inside it was not",
                           image->unsupported);
    return code;
}

int writer_image(struct writer *writer, uint64_t exhibit, const struct writer_image *image)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db,
                          "SELECT type IS NOT NULL, failed IS NOT NULL FROM t_exhibit WHERE id = ?1", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, exhibit);
    code = db_step(s);
    bool again = code == 1 && db_i64(s, 0);
    db_finalize(s);
    if (code < 0)
        return code;
    code = db_prepare(writer->db,
                      "UPDATE t_exhibit SET type = ?2, name = ?3, size = ?4, sector_size = ?5, segments = "
                      "?6, details = ?7, unsupported = "
                      "?8, damage = ?9, failed = NULL WHERE id = ?1",
                      &s);
    if (code)
        return code;
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, image->type);
    db_bind_text(s, 3, image->name);
    db_bind_u64(s, 4, image->size);
    db_bind_u64(s, 5, image->sector_size);
    db_bind_u64(s, 6, image->segments);
    db_bind_text(s, 7, image->details);
    db_bind_text(s, 8, image->unsupported);
    db_bind_text(s, 9, image->damage);
    code = db_run(s);
    db_finalize(s);
    if (code == 0)
        code = image_hashes(writer, exhibit, image);
    return code || again ? code : image_faults(writer, exhibit, image);
}

static int other_image(const char *label, const char *what, const char *then, const char *now, struct why *why)
{
    return why_set(why, -ESTALE, "exhibit %s is not what was examined: its %s was %s and is now %s", label, what, then, now);
}

/* A hash that somebody stored and that is there no more, or is there now, says nothing about the image. */
static int same_hashes(struct writer *writer, uint64_t exhibit, const char *label, const struct writer_image *image,
                       struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(writer->db,
                          "SELECT hex FROM t_image_hash WHERE exhibit = ?1 AND algorithm = ?2 AND source = ?3", &s);
    for (size_t i = 0; code == 0 && i < image->hash_count; i++) {
        db_bind_u64(s, 1, exhibit);
        db_bind_text(s, 2, image->hashes[i][0]);
        db_bind_text(s, 3, image->hashes[i][2]);
        code = db_step(s);
        if (code == 1)
            code = strcmp(db_text(s, 0), image->hashes[i][1]) == 0
                       ? 0
                       : other_image(label, "stored hash", db_text(s, 0), image->hashes[i][1], why);
        db_reset(s);
    }
    db_finalize(s);
    return code;
}

static int same_facts(const struct writer_image *image, struct db_statement *s, struct why *why)
{
    char then[32], now[32];
    const char *label = db_text(s, 0);
    if (db_is_null(s, 1))
        return 0; /* it never opened before */
    if (strcmp(db_text(s, 1), image->type) != 0)
        return other_image(label, "type", db_text(s, 1), image->type, why);
    snprintf(then, sizeof then, "%llu bytes", (unsigned long long)db_u64(s, 2));
    snprintf(now, sizeof now, "%llu bytes", (unsigned long long)image->size);
    if (strcmp(then, now) != 0)
        return other_image(label, "size", then, now, why);
    snprintf(then, sizeof then, "%llu", (unsigned long long)db_u64(s, 3));
    snprintf(now, sizeof now, "%u", image->segments);
    return strcmp(then, now) == 0 ? 0 : other_image(label, "number of segments", then, now, why);
}

int writer_image_again(struct writer *writer, uint64_t exhibit, const struct writer_image *image, struct why *why)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db,
                          "UPDATE t_exhibit SET failed = NULL WHERE id = ?1 RETURNING label, type, size, segments", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, exhibit);
    code = db_step(s);
    if (code == 1) {
        char label[256];
        snprintf(label, sizeof label, "%s", db_text(s, 0));
        code = same_facts(image, s, why);
        if (code == 0)
            code = db_step(s);
        if (code == 0)
            code = same_hashes(writer, exhibit, label, image, why);
    }
    db_finalize(s);
    return code;
}

int writer_image_failed(struct writer *writer, uint64_t exhibit, const char *reason)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db, "UPDATE t_exhibit SET failed = ?2 WHERE id = ?1", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, reason);
    code = db_run(s);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ volumes and expand tasks */

static int expand_add(struct writer *writer, uint64_t exhibit, const char *locator, const char *volume,
                      const char *root, uint64_t attempt)
{
    struct db_statement *s = writer_sql(writer, SQL_EXPAND_ADD);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, locator);
    db_bind_text(s, 3, volume);
    if (attempt)
        db_bind_u64(s, 4, attempt);
    else
        db_bind_null(s, 4);
    db_bind_text(s, 5, root);
    int code = db_run(s);
    if (code == 0 && db_changes(writer->db) == 1)
        writer->counts->expands_pending++;
    return code;
}

int writer_expand_add(struct writer *writer, uint64_t exhibit, const char *locator, const char *volume)
{
    int code = writer_open(writer);
    return code ? code : expand_add(writer, exhibit, locator, volume, "", 0);
}

int writer_volume(struct writer *writer, uint64_t attempt, uint64_t exhibit,
                  const struct found_volume *volume)
{
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_VOLUME);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, volume->key);
    db_bind_text(s, 3, volume->parent);
    db_bind_text(s, 4, volume->table);
    db_bind_text(s, 5, volume->type);
    db_bind_text(s, 6, volume->label);
    db_bind_u64(s, 7, volume->offset);
    db_bind_u64(s, 8, volume->size);
    db_bind_text(s, 9, volume->filesystem);
    db_bind_text(s, 10, volume->content);
    db_bind_u64(s, 11, volume->block_size);
    db_bind_u64(s, 12, volume->block_count);
    db_bind_u64(s, 13, volume->fs_size);
    db_bind_text(s, 14, volume->serial);
    db_bind_text(s, 15, volume->time_note);
    db_bind_text(s, 16, volume->expand);
    db_bind_text(s, 17, volume->raw);
    db_bind_u64(s, 18, volume->use);
    db_bind_u64(s, 19, attempt);
    code = db_run(s);
    if (code == 0 && volume->expand[0])
        code = expand_add(writer, exhibit, volume->expand, volume->key, volume->root, attempt);
    return code;
}

int writer_account(struct writer *writer, uint64_t attempt, uint64_t exhibit, const struct found_account *account)
{
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_ACCOUNT);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, account->volume);
    db_bind_u64(s, 3, account->kind);
    db_bind_u64(s, 4, account->bytes);
    db_bind_u64(s, 5, attempt);
    return db_run(s);
}

int writer_expand_skip(struct writer *writer, uint64_t expand, uint64_t at, enum fault_kind kind)
{
    struct db_statement *s;
    struct buf word = {0};
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db, "UPDATE t_expand SET skip = skip || ?2 WHERE id = ?1", &s);
    if (code)
        return code;
    buf_printf(&word, "%llu:%d ", (unsigned long long)at, (int)kind);
    db_bind_u64(s, 1, expand);
    db_bind_text(s, 2, buf_cstr(&word));
    code = buf_failed(&word) ? -ENOMEM : db_run(s);
    db_finalize(s);
    buf_finish(&word);
    return code;
}

/* ------------------------------------------------------------------ entries and streams */

static void runs_json(struct buf *buf, const struct found_run *runs, size_t count)
{
    struct json json;
    json_init(&json, buf);
    json_array_open(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        json_array_open(&json, NULL);
        if (runs[i].offset == UINT64_MAX)
            json_none(&json, NULL);
        else
            json_u64(&json, NULL, runs[i].offset);
        json_u64(&json, NULL, runs[i].size);
        json_array_close(&json);
    }
    json_array_close(&json);
}

/* SQL_STREAM_ADD or SQL_STREAM_REVIVE; whether it changed a row. */
static int put_stream(struct writer *writer, enum writer_sql which, uint64_t attempt, uint64_t exhibit,
                      const struct found_entry *entry, bool *ret_put)
{
    struct db_statement *s = writer_sql(writer, which);
    struct buf runs = {0}, name = {0};
    char extension[32];
    if (!s)
        return db_last_code(writer->db);
    buf_append(&name, entry->name, entry->name_size);
    text_extension(buf_cstr(&name), extension, sizeof extension);
    if (entry->run_count)
        runs_json(&runs, entry->runs, entry->run_count);
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, entry->locator);
    db_bind_text(s, 3, entry->path);
    db_bind_text(s, 4, extension);
    db_bind_u64(s, 5, entry->kind);
    db_bind_u64(s, 6, (entry->flags & (ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED)) != 0);
    db_bind_u64(s, 7, entry->size);
    db_bind_u64(s, 8, entry->disk);
    db_bind_text(s, 9, entry->run_count ? buf_cstr(&runs) : NULL);
    db_bind_u64(s, 10, entry->runs_cut);
    db_bind_u64(s, 11, attempt);
    int code = buf_failed(&runs) || buf_failed(&name) ? -ENOMEM : db_run(s);
    *ret_put = code == 0 && db_changes(writer->db) == 1;
    if (*ret_put) {
        writer->counts->streams_pending++;
        writer->counts->bytes_pending += entry->size;
    }
    buf_finish(&runs);
    buf_finish(&name);
    return code;
}

/* The content's id; it becomes pending when it is new, or was void. (One statement that does all and returns the id costs twice as
 * much: SQLite keeps what it returns in a table of its own.) */
static int stream_of(struct writer *writer, uint64_t attempt, uint64_t exhibit,
                     const struct found_entry *entry, uint64_t *ret_id)
{
    bool put = false;
    int code = put_stream(writer, SQL_STREAM_ADD, attempt, exhibit, entry, &put);
    if (put)
        *ret_id = (uint64_t)db_last_id(writer->db);
    if (code || put)
        return code;
    struct db_statement *s = writer_sql(writer, SQL_STREAM_FIND);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, entry->locator);
    code = db_step(s);
    bool is_void = code == 1 && db_u64(s, 1) == WORK_VOID;
    if (code == 1)
        *ret_id = db_u64(s, 0);
    db_reset(s);
    if (code == 1 && is_void)
        return put_stream(writer, SQL_STREAM_REVIVE, attempt, exhibit, entry, &put);
    return code == 1 ? 0 : code ? code : -EUCLEAN;
}

static void bind_when(struct db_statement *s, int parameter, int64_t when)
{
    if (when == WHEN_NONE)
        db_bind_null(s, parameter);
    else
        db_bind_i64(s, parameter, when);
}

static void bind_entry(struct db_statement *s, uint64_t exhibit, const struct found_entry *entry)
{
    const uint64_t numbers[] = {entry->type,     entry->kind,         entry->flags, entry->inode,
                                entry->sequence, entry->parent_inode, entry->size,  entry->allocated_size,
                                entry->mode,     entry->uid,          entry->gid,   entry->links};
    const int64_t times[] = {entry->modified,      entry->accessed,     entry->changed,
                             entry->born,          entry->deleted,      entry->name_modified,
                             entry->name_accessed, entry->name_changed, entry->name_born};
    db_bind_u64(s, 1, exhibit);
    db_bind_text(s, 2, entry->path);
    db_bind_bytes(s, 3, entry->name, entry->name_size);
    db_bind_text(s, 4, entry->volume);
    for (int i = 0; i < 12; i++)
        db_bind_u64(s, 5 + i, numbers[i]);
    for (int i = 0; i < 9; i++)
        bind_when(s, 17 + i, times[i]);
    db_bind_text(s, 26, entry->raw_times);
    db_bind_text(s, 27, entry->target);
    db_bind_text(s, 28, entry->attribute);
}

int writer_entry(struct writer *writer, uint64_t attempt, uint64_t exhibit, const struct found_entry *entry)
{
    uint64_t stream = 0;
    int code = writer_open(writer);
    if (code == 0 && entry->locator[0])
        code = stream_of(writer, attempt, exhibit, entry, &stream);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_ENTRY);
    if (!s)
        return code ? code : db_last_code(writer->db);
    bind_entry(s, exhibit, entry);
    if (stream)
        db_bind_u64(s, 29, stream);
    else
        db_bind_null(s, 29);
    db_bind_u64(s, 30, attempt);
    return db_run(s);
}

/* ------------------------------------------------------------------ children, notes, faults */

int writer_child(struct writer *writer, uint64_t attempt, uint64_t parent, const struct writer_child *child,
                 uint64_t *ret_stream)
{
    char extension[32];
    const char *slash = strrchr(child->path, '/');
    struct buf runs = {0};
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_CHILD);
    if (!s)
        return code ? code : db_last_code(writer->db);
    text_extension(slash ? slash + 1 : child->path, extension, sizeof extension);
    if (child->run_count)
        runs_json(&runs, child->runs, child->run_count);
    db_bind_u64(s, 1, attempt);
    db_bind_u64(s, 2, parent);
    db_bind_text(s, 3, child->path);
    db_bind_text(s, 4, extension);
    db_bind_u64(s, 5, child->kind);
    db_bind_u64(s, 6, child->deleted);
    db_bind_text(s, 7, child->plugin);
    db_bind_u64(s, 8, child->offset);
    db_bind_bytes(s, 9, child->name, child->name_size);
    db_bind_text(s, 10, child->run_count ? buf_cstr(&runs) : NULL);
    db_bind_u64(s, 11, child->runs_cut);
    code = buf_failed(&runs) ? -ENOMEM : db_run(s);
    buf_finish(&runs);
    if (code)
        return code;
    *ret_stream = (uint64_t)db_last_id(writer->db);
    writer_attempt_has_child(writer, attempt);
    return 0;
}

int writer_child_end(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t scan_status,
                     uint64_t size)
{
    (void)attempt;
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_CHILD_SIZE);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, stream);
    db_bind_u64(s, 2, size);
    db_bind_u64(s, 3, scan_status == SCAN_WHOLE ? 1 : 2);
    return db_run(s);
}

int writer_note(struct writer *writer, uint64_t attempt, uint64_t stream, const char *plugin, uint64_t offset,
                const char *text)
{
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_NOTE);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, stream);
    db_bind_u64(s, 2, attempt);
    db_bind_text(s, 3, plugin);
    db_bind_u64(s, 4, offset);
    db_bind_text(s, 5, text);
    return db_run(s);
}

int writer_fault(struct writer *writer, uint64_t attempt, uint64_t exhibit, uint64_t stream,
                 const struct found_fault *fault)
{
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_FAULT);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, exhibit);
    if (stream)
        db_bind_u64(s, 2, stream);
    else
        db_bind_null(s, 2);
    if (attempt)
        db_bind_u64(s, 3, attempt);
    else
        db_bind_null(s, 3);
    db_bind_text(s, 4, fault_kind_name(fault->kind));
    db_bind_text(s, 5, fault->volume);
    db_bind_text(s, 6, fault->path);
    db_bind_text(s, 7, fault->stage);
    db_bind_text(s, 8, fault->plugin);
    if (fault->offset == UINT64_MAX)
        db_bind_null(s, 9);
    else
        db_bind_u64(s, 9, fault->offset);
    db_bind_u64(s, 10, fault->size);
    db_bind_text(s, 11, fault->effect);
    db_bind_text(s, 12, fault->detail);
    db_bind_u64(s, 13, casefile_pass(writer->cf));
    writer->counts->faults++;
    return db_run(s);
}

int writer_stream_without(struct writer *writer, uint64_t stream, const char *plugins)
{
#define ADDED "without = without || CASE without WHEN '' THEN '' ELSE ',' END || ?2"
    struct db_statement *s;
    uint64_t pass = casefile_pass(writer->cf);
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db,
                          pass > 1 ? "UPDATE t_scan SET " ADDED " WHERE stream = ?1 AND pass = ?3"
                                   : "UPDATE t_stream SET " ADDED " WHERE id = ?1 AND ?3 = ?3",
                          &s);
    if (code)
        return code;
    db_bind_u64(s, 1, stream);
    db_bind_text(s, 2, plugins);
    db_bind_u64(s, 3, pass);
    code = db_run(s);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ children that are there */

int writer_child_again(struct writer *writer, uint64_t attempt, uint64_t parent, const char *path, uint64_t *ret_stream)
{
    int code = writer_open(writer);
    struct db_statement *s = code ? NULL : writer_sql(writer, SQL_CHILD_FIND);
    if (!s)
        return code ? code : db_last_code(writer->db);
    db_bind_u64(s, 1, parent);
    db_bind_text(s, 2, path);
    code = db_step(s);
    *ret_stream = code == 1 ? db_u64(s, 0) : 0;
    db_reset(s);
    if (code != 1)
        return code;
    s = writer_sql(writer, SQL_CHILD_SEEN);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, attempt);
    db_bind_u64(s, 2, *ret_stream);
    return db_run(s);
}

int writer_child_size(struct writer *writer, uint64_t stream, uint64_t *ret_size)
{
    struct db_statement *s = writer_sql(writer, SQL_CHILD_KNOWN_SIZE);
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, stream);
    int code = db_step(s);
    if (code == 1)
        *ret_size = db_u64(s, 0);
    db_reset(s);
    return code < 0 ? code : 0;
}

static int run_seen_away(struct writer *writer, uint64_t attempt)
{
    struct db_statement *s;
    int code = db_prepare(writer->db, "DELETE FROM temp.seen WHERE attempt = ?1", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, attempt);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int writer_children_missing(struct writer *writer, uint64_t attempt, uint64_t stream,
                            int (*each)(void *context, uint64_t child, const char *path), void *context)
{
    struct db_statement *s;
    int code = db_prepare(writer->db,
                          "WITH RECURSIVE family(id) AS (SELECT id FROM t_stream WHERE parent = ?2 UNION SELECT s.id FROM "
                          "t_stream s JOIN family f ON s.parent = f.id) SELECT s.id, s.path FROM t_stream s WHERE s.id IN "
                          "family AND s.attempt IS NOT NULL AND NOT EXISTS (SELECT 1 FROM temp.seen n WHERE n.attempt = ?1 "
                          "AND n.stream = s.id) AND NOT EXISTS (SELECT 1 FROM t_twin w WHERE w.pass = ?3 AND w.stream = "
                          "s.id) ORDER BY s.path",
                          &s);
    if (code)
        return code;
    db_bind_u64(s, 1, attempt);
    db_bind_u64(s, 2, stream);
    db_bind_u64(s, 3, casefile_pass(writer->cf));
    while ((code = db_step(s)) == 1) {
        code = each(context, db_u64(s, 0), db_text(s, 1));
        if (code)
            break;
    }
    db_finalize(s);
    return code ? code : run_seen_away(writer, attempt);
}
