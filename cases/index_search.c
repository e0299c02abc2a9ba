/*
 * index_search: asks index.db, and case.db what of the answer counts.
 */
#include "cases/index_private.h"

#include "cases/db.h"
#include "engine/base/fold.h"
#include "engine/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 32, TERM_SIZE = 128, AROUND = 60 };

struct query {
    struct buf fts;                   /* as FTS5 takes it */
    char terms[TERMS_MAX][TERM_SIZE]; /* folded first words, for excerpts */
    bool prefix[TERMS_MAX];
    size_t term_count;
};

/* ------------------------------------------------------------------ the words */

static void add_term(struct query *query, const char *text, size_t size, bool prefix)
{
    struct buf folded = {0};
    size_t at = 0;

    /* Of a phrase the first word: that is where the excerpt begins. */
    while (at < size && text[at] != ' ')
        at++;
    fold_text(&folded, text, at);
    if (query->term_count < TERMS_MAX && folded.size > 0 && folded.size < TERM_SIZE) {
        memcpy(query->terms[query->term_count], folded.data, folded.size);
        query->prefix[query->term_count] = prefix && at == size;
        query->terms[query->term_count++][folded.size] = '\0';
    }
    buf_finish(&folded);
}

static bool is_operator(const char *text, size_t size)
{
    return (size == 3 && (memcmp(text, "AND", 3) == 0 || memcmp(text, "NOT", 3) == 0)) ||
           (size == 2 && memcmp(text, "OR", 2) == 0);
}

/* A word or a phrase in FTS5's quotes, so that nothing in it is an operator; a '*' behind it makes it a
 * prefix. */
static void add_phrase(struct query *query, const char *text, size_t size, bool prefix)
{
    fold_text(&query->fts, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            buf_u8(&query->fts, '"');
    }
    fold_text(&query->fts, text, size);
    buf_text(&query->fts, prefix ? "\"* " : "\" ");
}

/* Words beside each other are joined: FTS5 itself does not do that behind a bracket. */
static void join(struct query *query, bool *behind)
{
    if (*behind)
        buf_text(&query->fts, "AND ");
    *behind = true;
}

static int parse(struct query *query, const char *words, struct why *why)
{
    bool any = false, negated = false, behind = false;

    for (const char *at = words; *at != '\0';) {
        size_t size = strcspn(at, " \t\r\n\"()");

        if (isspace((unsigned char)*at)) {
            at++;
        } else if (*at == '(' || *at == ')') {
            if (*at == '(')
                join(query, &behind);
            behind = *at == ')';
            buf_u8(&query->fts, (uint8_t)*at++);
            buf_u8(&query->fts, ' ');
        } else if (*at == '"') {
            const char *end = strchr(at + 1, '"');

            if (end == NULL)
                return why_set(why, -EINVAL, "%s: a quotation mark is not closed", words);
            if (!negated)
                add_term(query, at + 1, (size_t)(end - at - 1), end[1] == '*');
            join(query, &behind);
            negated = false;
            add_phrase(query, at + 1, (size_t)(end - at - 1), end[1] == '*');
            at = end + 1 + (end[1] == '*');
            any = true;
        } else if (is_operator(at, size)) {
            buf_append(&query->fts, at, size);
            buf_u8(&query->fts, ' ');
            behind = false;
            negated = *at == 'N';
            at += size;
        } else {
            bool prefix = size > 1 && at[size - 1] == '*';

            if (!negated)
                add_term(query, at, size - prefix, prefix);
            join(query, &behind);
            add_phrase(query, at, size - prefix, prefix);
            negated = false;
            at += size;
            any = true;
        }
    }
    if (!any)
        return why_set(why, -EINVAL, "there is no word to search for");
    return buf_failed(&query->fts) ? why_set(why, -ENOMEM, "out of memory") : 0;
}

/* ------------------------------------------------------------------ excerpts */

/* To the end of the word at data[at]. */
static size_t word_end(const uint8_t *data, size_t size, size_t at)
{
    uint32_t code;
    size_t length;

    while (at < size && (length = text_character(data + at, size - at, &code)) > 0 && fold_is_word(code))
        at += length;
    return at;
}

/* Does `term` stand here, whatever its case? The length of the word in bytes, or 0. */
static size_t stands(const uint8_t *data, size_t size, const char *term, bool prefix)
{
    size_t at = 0, length = strlen(term), done = 0;

    while (done < length) {
        uint32_t code, wanted;
        size_t here = text_character(data + at, size - at, &code);
        size_t there = text_character((const uint8_t *)term + done, length - done, &wanted);

        if (here == 0 || there == 0 || fold_small(code) != wanted)
            return 0;
        at += here;
        done += there;
    }
    done = word_end(data, size, at);
    return prefix || done == at ? done : 0;
}

/* The first place at a word's beginning where one of the terms stands. */
static size_t find(const struct query *query, const struct buf *text, size_t *ret_length)
{
    bool in_word = false;

    for (size_t at = 0; at < text->size;) {
        uint32_t code;
        size_t size = text_character(text->data + at, text->size - at, &code);
        bool word = size > 0 && fold_is_word(code);

        for (size_t i = 0; i < query->term_count && word && !in_word; i++) {
            *ret_length = stands(text->data + at, text->size - at, query->terms[i], query->prefix[i]);
            if (*ret_length > 0)
                return at;
        }
        in_word = word;
        at += size > 0 ? size : 1;
    }
    *ret_length = 0;
    return 0;
}

static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < size; i++)
        text[i] =
            data[i] == '\n' || data[i] == '\r' || data[i] == '\t' || data[i] == '\0' ? ' ' : (char)data[i];
    text[size] = '\0';
    return text;
}

/* About AROUND bytes on both sides, cut between characters. */
static int excerpt(const struct query *query, const struct buf *text, char *ret[3])
{
    size_t length, at = find(query, text, &length), first = at > AROUND ? at - AROUND : 0;
    size_t end = text->size - at - length > AROUND ? at + length + AROUND : text->size;

    while (first < at && (text->data[first] & 0xc0) == 0x80)
        first++;
    while (end < text->size && (text->data[end] & 0xc0) == 0x80)
        end++;
    ret[0] = copy(text->data + first, at - first);
    ret[1] = copy(text->data + at, length);
    ret[2] = copy(text->data + at + length, end - at - length);
    return ret[0] != NULL && ret[1] != NULL && ret[2] != NULL ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ what counts */

struct row {
    char *exhibit, *path;
    uint64_t id, stream, number;
    bool deleted;
};
struct rows {
    struct row *items;
    size_t count, capacity;
};

static void rows_finish(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->items[i].exhibit);
        free(rows->items[i].path);
    }
    free(rows->items);
}

static int rows_add(struct rows *rows, struct db_statement *page, struct db_statement *stream)
{
    struct row *row;

    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 256 : rows->capacity * 2;
        struct row *items = reallocarray(rows->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        rows->items = items;
        rows->capacity = capacity;
    }
    row = &rows->items[rows->count++];
    *row = (struct row){.exhibit = strdup(db_text(stream, 0)),
                        .path = strdup(db_text(stream, 1)),
                        .id = db_u64(page, 0),
                        .stream = db_u64(page, 1),
                        .number = db_u64(page, 3),
                        .deleted = db_i64(stream, 2) != 0};
    return row->exhibit != NULL && row->path != NULL ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
    const struct row *one = a, *two = b;
    int order = strcmp(one->exhibit, two->exhibit);

    if (order == 0)
        order = strcmp(one->path, two->path);
    if (order == 0)
        order = one->number < two->number ? -1 : one->number > two->number;
    return order;
}

struct asking {
    struct db *index, *cases;
    struct query query;
    struct rows rows;
};

static int ask(struct asking *asking, const char *exhibit, struct why *why)
{
    struct db_statement *pages = NULL, *stream = NULL;
    int code = db_prepare(
        asking->index,
        "SELECT p.id, p.stream, p.attempt, p.number FROM words w JOIN page p ON p.id = w.rowid WHERE "
        "words MATCH ?1",
        &pages);

    if (code == 0)
        code = db_prepare(
            asking->cases,
            "SELECT x.label, s.path, s.deleted FROM t_stream s JOIN t_exhibit x ON x.id = s.exhibit "
            "WHERE s.id = ?1 AND s.attempt = ?2 AND (?3 IS NULL OR x.label = ?3)",
            &stream);
    if (code == 0) {
        db_bind_text(pages, 1, buf_cstr(&asking->query.fts));
        db_bind_text(stream, 3, exhibit);
    }
    while (code == 0 && (code = db_step(pages)) == 1) {
        db_bind_u64(stream, 1, db_u64(pages, 1));
        db_bind_u64(stream, 2, db_u64(pages, 2));
        code = db_step(stream);
        if (code == 1)
            code = rows_add(&asking->rows, pages, stream);
        db_reset(stream);
    }
    if (code == -EINVAL)
        why_set(why, code, "the search cannot be understood: %s", db_error(asking->index));
    else if (code < 0)
        why_set(why, code, "index.db: %s", db_error(asking->index));
    db_finalize(pages);
    db_finalize(stream);
    return code;
}

static int tell(struct asking *asking, struct db_statement *page, const struct row *row,
                int (*each)(void *context, const struct index_hit *hit), void *context)
{
    char *parts[3] = {NULL, NULL, NULL};
    struct buf text = {0};
    size_t packed_size;
    const void *packed;
    int code;

    db_bind_u64(page, 1, row->id);
    code = db_step(page) == 1 ? 0 : -EUCLEAN;
    if (code == 0) {
        packed = db_bytes(page, 1, &packed_size);
        code = index_unpack(packed, packed_size, db_u64(page, 0), &text);
    }
    db_reset(page);
    if (code == 0)
        code = excerpt(&asking->query, &text, parts);
    if (code == 0) {
        struct index_hit hit = {row->exhibit, row->path, row->stream, row->number,
                                row->deleted, parts[0],  parts[1],    parts[2]};
        code = each(context, &hit);
    }
    for (size_t i = 0; i < 3; i++)
        free(parts[i]);
    buf_finish(&text);
    return code;
}

static uint64_t number(struct db *db, const char *sql)
{
    struct db_statement *s;
    uint64_t value = 0;

    if (db_prepare(db, sql, &s) < 0)
        return 0;
    if (db_step(s) == 1)
        value = db_u64(s, 0);
    db_finalize(s);
    return value;
}

/* The case says of each content whether it has text; the index has what it has. */
static uint64_t missing(const struct asking *asking)
{
    uint64_t wanted, there;

    if (!db_has_table(asking->cases, "rec_text"))
        return 0;
    wanted = number(asking->cases,
                    "SELECT count(*) FROM rec_text t JOIN t_stream s ON s.id = t.stream AND s.attempt = "
                    "t.attempt WHERE t.bytes > 0");
    there = number(asking->index, "SELECT count(*) FROM (SELECT DISTINCT stream, attempt FROM page)");
    return wanted > there ? wanted - there : 0;
}

int index_search(struct casefile *cf, const struct index_query *query,
                 int (*each)(void *context, const struct index_hit *hit), void *context,
                 uint64_t *ret_missing, struct why *why)
{
    struct asking asking = {.cases = casefile_db(cf)};
    struct db_statement *page = NULL;
    char path[PATH_MAX];
    int code = index_path(cf, path, sizeof path);

    if (code == 0)
        code = db_open(path, DB_READ, &asking.index, why);
    if (code == 0)
        code = parse(&asking.query, query->words, why);
    if (code == 0)
        code = ask(&asking, query->exhibit, why);
    if (code == 0)
        code = db_prepare(asking.index, "SELECT size, packed FROM page WHERE id = ?1", &page);
    if (code == 0 && asking.rows.count > 1)
        qsort(asking.rows.items, asking.rows.count, sizeof asking.rows.items[0], compare);
    for (size_t i = 0; i < asking.rows.count && code == 0; i++)
        code = tell(&asking, page, &asking.rows.items[i], each, context);
    if (code == 0)
        *ret_missing = missing(&asking);
    db_finalize(page);
    rows_finish(&asking.rows);
    buf_finish(&asking.query.fts);
    db_close(asking.index);
    return code;
}
