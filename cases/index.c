/*
 * index: writes index.db.
 */
#include "cases/index_private.h"

#include "cases/db.h"
#include "engine/base/buf.h"
#include "engine/base/fold.h"
#include "engine/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { PENDING_MAX = 256 };

/* The page that an attempt is filling. */
struct pending {
    uint64_t attempt, stream, page;
    struct buf text;
};

struct index {
    struct db *db;
    struct db_statement *put_page, *put_words;
    struct pending *pending[PENDING_MAX];
    size_t pending_count;
    bool open; /* a transaction */
};

static const char schema[] = "PRAGMA application_id = 0x6b766978; PRAGMA user_version = 1;"
                             "CREATE TABLE page (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, attempt "
                             "INTEGER NOT NULL, number INTEGER NOT NULL, "
                             "size INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;"
                             "CREATE INDEX i_page ON page(stream, attempt);"
                             "CREATE VIRTUAL TABLE words USING fts5(text, content = '', columnsize = 0, "
                             "tokenize = 'unicode61 remove_diacritics 0');"
    /* Words are gathered in 32 MiB of memory before they become a segment: of many small ones all would be merged again and
     * again. */
    "INSERT INTO words(words, rank) VALUES ('hashsize', 33554432);";

int index_path(const struct casefile *cf, char *ret, size_t size)
{
    return (size_t)snprintf(ret, size, "%s/index.db", casefile_folder(cf)) < size ? 0 : -ENAMETOOLONG;
}

int index_unpack(const void *packed, size_t packed_size, uint64_t size, struct buf *ret)
{
    uint8_t *text = size <= INDEX_PAGE_MAX ? malloc((size_t)size + 1) : NULL;
    uLongf got = (uLongf)size;

    if (text == NULL)
        return size <= INDEX_PAGE_MAX ? -ENOMEM : -EUCLEAN;
    if (uncompress(text, &got, packed, (uLong)packed_size) != Z_OK || got != size) {
        free(text);
        return -EUCLEAN;
    }
    buf_append(ret, text, (size_t)size);
    free(text);
    return buf_failed(ret) ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ opening */

struct stale {
    uint64_t *ids;
    size_t count, capacity;
};

static int stale_add(struct stale *stale, uint64_t id)
{
    if (stale->count == stale->capacity) {
        size_t capacity = stale->capacity == 0 ? 1024 : stale->capacity * 2;
        uint64_t *ids = reallocarray(stale->ids, capacity, sizeof ids[0]);

        if (ids == NULL)
            return -ENOMEM;
        stale->ids = ids;
        stale->capacity = capacity;
    }
    stale->ids[stale->count++] = id;
    return 0;
}

/* The pages that no chosen attempt stands for. */
static int find_stale(struct index *index, struct db *cases, struct stale *stale)
{
    struct db_statement *pages = NULL, *chosen = NULL;
    int code = db_prepare(index->db, "SELECT id, stream, attempt FROM page", &pages);

    if (code == 0)
        code = db_prepare(cases, "SELECT 1 FROM t_stream WHERE id = ?1 AND attempt = ?2", &chosen);
    while (code == 0 && (code = db_step(pages)) == 1) {
        db_bind_u64(chosen, 1, db_u64(pages, 1));
        db_bind_u64(chosen, 2, db_u64(pages, 2));
        code = db_step(chosen);
        db_reset(chosen);
        if (code == 0)
            code = stale_add(stale, db_u64(pages, 0));
        code = code < 0 ? code : 0;
    }
    db_finalize(pages);
    db_finalize(chosen);
    return code;
}

/* An index without content is told what was in it. */
static int drop_page(struct index *index, uint64_t id)
{
    struct db_statement *page = NULL, *words = NULL;
    struct buf text = {0}, folded = {0};
    size_t packed_size;
    const void *packed;
    int code = db_prepare(index->db, "SELECT size, packed FROM page WHERE id = ?1", &page);

    if (code == 0)
        code =
            db_prepare(index->db, "INSERT INTO words(words, rowid, text) VALUES ('delete', ?1, ?2)", &words);
    if (code == 0) {
        db_bind_u64(page, 1, id);
        code = db_step(page) == 1 ? 0 : -EUCLEAN;
    }
    if (code == 0) {
        packed = db_bytes(page, 1, &packed_size);
        code = index_unpack(packed, packed_size, db_u64(page, 0), &text);
    }
    fold_text(&folded, text.data, text.size);
    if (code == 0) {
        db_bind_u64(words, 1, id);
        db_bind_text_n(words, 2, folded.data, folded.size);
        code = buf_failed(&folded) ? -ENOMEM : db_run(words);
    }
    db_finalize(words);
    db_finalize(page);
    buf_finish(&text);
    buf_finish(&folded);
    if (code == 0)
        code = db_prepare(index->db, "DELETE FROM page WHERE id = ?1", &page);
    if (code < 0)
        return code;
    db_bind_u64(page, 1, id);
    code = db_run(page);
    db_finalize(page);
    return code;
}

static int clear_stale(struct index *index, struct casefile *cf)
{
    struct stale stale = {0};
    int code = find_stale(index, casefile_db(cf), &stale);

    if (code == 0 && stale.count > 0)
        code = db_begin(index->db);
    for (size_t i = 0; code == 0 && i < stale.count; i++)
        code = drop_page(index, stale.ids[i]);
    if (code == 0 && stale.count > 0)
        code = db_commit(index->db);
    else if (stale.count > 0)
        db_rollback(index->db);
    free(stale.ids);
    return code;
}

static int set_up(struct index *index, struct casefile *cf)
{
    int code = 0;

    if (!db_has_table(index->db, "page")) {
        code = db_begin(index->db);
        if (code == 0)
            code = db_exec(index->db, schema);
        if (code == 0)
            code = db_commit(index->db);
    }
    if (code == 0)
        code = clear_stale(index, cf);
    if (code == 0)
        code = db_prepare(
            index->db, "INSERT INTO page(stream, attempt, number, size, packed) VALUES (?1, ?2, ?3, ?4, ?5)",
            &index->put_page);
    return code ? code
                : db_prepare(index->db, "INSERT INTO words(rowid, text) VALUES (?1, ?2)", &index->put_words);
}

int index_open(struct casefile *cf, struct index **ret_index, struct why *why)
{
    struct index *index = calloc(1, sizeof *index);
    char path[PATH_MAX];
    int code = index == NULL ? -ENOMEM : index_path(cf, path, sizeof path);

    if (code == 0)
        code = db_open(path, DB_CREATE, &index->db, why);
    if (code == 0) {
        code = set_up(index, cf);
        if (code < 0)
            why_set(why, code, "%s: %s", path, db_error(index->db));
    }
    if (code < 0) {
        index_close(index);
        return code;
    }
    *ret_index = index;
    return 0;
}

void index_close(struct index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->pending_count; i++) {
        buf_finish(&index->pending[i]->text);
        free(index->pending[i]);
    }
    db_finalize(index->put_page);
    db_finalize(index->put_words);
    if (index->open)
        db_rollback(index->db);
    db_close(index->db);
    free(index);
}

const char *index_error(const struct index *index)
{
    return db_error(index->db);
}

/* ------------------------------------------------------------------ writing */

static int put_page(struct index *index, const struct pending *pending, const struct buf *packed)
{
    db_bind_u64(index->put_page, 1, pending->stream);
    db_bind_u64(index->put_page, 2, pending->attempt);
    db_bind_u64(index->put_page, 3, pending->page);
    db_bind_u64(index->put_page, 4, pending->text.size);
    db_bind_bytes(index->put_page, 5, packed->data, packed->size);
    return db_run(index->put_page);
}

static int put_words(struct index *index, const struct pending *pending)
{
    struct buf folded = {0};
    int code;

    fold_text(&folded, pending->text.data, pending->text.size);
    db_bind_i64(index->put_words, 1, db_last_id(index->db));
    db_bind_text_n(index->put_words, 2, folded.data, folded.size);
    code = buf_failed(&folded) ? -ENOMEM : db_run(index->put_words);
    buf_finish(&folded);
    return code;
}

static int pack(const struct buf *text, struct buf *ret)
{
    uLongf size = compressBound((uLong)text->size);
    uint8_t *packed = malloc(size);
    int code =
        packed == NULL || compress2(packed, &size, text->data, (uLong)text->size, 1) != Z_OK ? -ENOMEM : 0;

    if (code == 0)
        buf_append(ret, packed, size);
    free(packed);
    return code == 0 && buf_failed(ret) ? -ENOMEM : code;
}

static int write_page(struct index *index, struct pending *pending)
{
    struct buf packed = {0};
    int code = 0;

    if (pending->text.size == 0)
        return 0;
    if (!index->open) {
        code = db_begin(index->db);
        index->open = code == 0;
    }
    if (code == 0)
        code = pack(&pending->text, &packed);
    if (code == 0)
        code = put_page(index, pending, &packed);
    if (code == 0)
        code = put_words(index, pending);
    buf_finish(&packed);
    buf_clear(&pending->text);
    pending->page++;
    return code;
}

/* The page that this attempt fills; the oldest makes room: an attempt that ended without its last text was
 * rejected. */
static struct pending *pending_of(struct index *index, uint64_t attempt)
{
    struct pending *pending;

    for (size_t i = 0; i < index->pending_count; i++) {
        if (index->pending[i]->attempt == attempt)
            return index->pending[i];
    }
    if (index->pending_count == PENDING_MAX) {
        pending = index->pending[0];
        memmove(index->pending, index->pending + 1, (PENDING_MAX - 1) * sizeof index->pending[0]);
        index->pending_count--;
    } else {
        pending = calloc(1, sizeof *pending);
    }
    if (pending == NULL)
        return NULL;
    buf_clear(&pending->text);
    pending->attempt = attempt;
    pending->stream = 0;
    index->pending[index->pending_count++] = pending;
    return pending;
}

static void drop_pending(struct index *index, struct pending *pending)
{
    size_t i = 0;

    while (i < index->pending_count && index->pending[i] != pending)
        i++;
    buf_finish(&pending->text);
    free(pending);
    memmove(index->pending + i, index->pending + i + 1,
            (index->pending_count - i - 1) * sizeof index->pending[0]);
    index->pending_count--;
}

int index_add(struct index *index, uint64_t attempt, uint64_t stream, const void *text, size_t size,
              bool last)
{
    struct pending *pending;
    int code = 0;

    if (size > INDEX_PAGE_MAX || !text_is_utf8(text, size))
        return -EINVAL;
    pending = pending_of(index, attempt);
    if (pending == NULL)
        return -ENOMEM;
    if (pending->stream != stream || pending->text.size + size > INDEX_PAGE_MAX) {
        code = write_page(index, pending);
        pending->page = pending->stream == stream ? pending->page : 0;
        pending->stream = stream;
    }
    buf_append(&pending->text, text, size);
    if (code == 0 && buf_failed(&pending->text))
        code = -ENOMEM;
    if (code == 0 && last)
        code = write_page(index, pending);
    if (last)
        drop_pending(index, pending);
    return code;
}

int index_take(struct index *index, const struct index_page *page)
{
    struct pending pending = {.attempt = page->attempt, .stream = page->stream, .page = page->number};
    struct buf packed = {0};
    int code = index_unpack(page->packed, page->packed_size, page->size, &pending.text);

    if (code == 0 && !text_is_utf8(pending.text.data, pending.text.size))
        code = -EUCLEAN;
    if (code == 0 && !index->open) {
        code = db_begin(index->db);
        index->open = code == 0;
    }
    buf_append(&packed, page->packed, page->packed_size);
    if (code == 0)
        code = buf_failed(&packed) ? -ENOMEM : put_page(index, &pending, &packed);
    if (code == 0)
        code = put_words(index, &pending);
    buf_finish(&packed);
    buf_finish(&pending.text);
    return code;
}

int index_commit(struct index *index)
{
    int code = index->open ? db_commit(index->db) : 0;

    index->open = index->open && code < 0;
    return code;
}
