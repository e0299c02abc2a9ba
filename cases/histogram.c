/*
 * histogram: one reading of the features in the order of their table; a hash table holds every different value with its sums.
 * SQLite would sort all rows by three texts, which takes several times as long.
 *
 * When the values need more memory than they may, those at hand are added to the rows of t_value, in the order of its key, and the
 * table of this file begins anew. Sums can be added to sums, with one exception: while a case has more than one pass, a value counts
 * once in a content however many passes found it there, so values may leave only between two contents. A content with more values
 * than there is memory for is therefore left to SQL (views_feature_count), which says what has to come out in any case.
 */
#include "cases/histogram.h"

#include "cases/names.h"
#include "cases/views_private.h"
#include "engine/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    SLOTS_FIRST = 1024,
    BLOCK_SIZE = 1024 * 1024,
    SORT_BYTES = 2 * sizeof(void *), /* of a value: its place in the order, and one that qsort may take */
};

struct value_count {
    uint64_t hash;
    uint32_t exhibit; /* its place in the order of labels */
    uint32_t kind_size, value_size;
    uint32_t rank;
    double count; /* as SQL's total(): cannot overflow, exact below 2^53 */
    uint64_t contents;
    int64_t first, last; /* TIME_NONE: unknown */
    int64_t stream;      /* the last content that it was found in, and how often there, at most */
    int64_t in_stream;   /* COUNT_NONE: not said */
    uint8_t text[];      /* kind, value */
};

#define TIME_NONE  INT64_MIN
#define COUNT_NONE INT64_MIN

struct block {
    struct block *before;
    size_t used, size;
    uint64_t words[];
};

struct exhibit_label {
    int64_t id;
    char *label;
};

/* Where the row at hand was found. */
struct place {
    int64_t stream, attempt;
    bool counts; /* a chosen attempt at a content that is counted */
    uint32_t exhibit;
    int64_t first, last;
};

struct histogram {
    struct db *db;
    struct db_statement *rows, *place_of, *add;
    struct exhibit_label *exhibits;
    size_t exhibit_count;
    bool by_content; /* there are several passes */
    struct place place;
    struct value_count **slots;
    size_t slot_count, count, memory, memory_max;
    struct block *blocks;
    uint64_t seed; /* so that nobody can make values that meet in one slot */
};

static const char rows_sql[] =
    "SELECT stream, attempt, kind, normal, rank, count FROM rec_features_feature ORDER BY stream, attempt, ordinal";

/* The times are those of the files that hold the value. A recovered object's bytes are counted where they lie, in free space. */
static const char place_sql[] =
    "SELECT x.id, (SELECT min(modified) FROM t_entry WHERE stream = s.id), (SELECT max(modified) FROM t_entry WHERE stream = s.id) "
    "FROM t_stream s JOIN t_exhibit x ON x.id = s.exhibit JOIN t_attempt a ON a.id = ?2 AND a.status IN " SQL_CHOSEN
    " WHERE s.id = ?1 AND " SQL_KIND_WORD("s.kind") " <> 'carved'";

static const char add_sql[] =
    "INSERT INTO t_value(kind, value, exhibit, rank, count, contents, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
    "ON CONFLICT (kind, value, exhibit) DO UPDATE SET rank = max(rank, excluded.rank), "
    "count = CAST(min(count + excluded.count, 9e18) AS INTEGER), contents = contents + excluded.contents, "
    "first = coalesce(min(first, excluded.first), first, excluded.first), "
    "last = coalesce(max(last, excluded.last), last, excluded.last)";

/* ------------------------------------------------------------------ the values in memory */

static void forget_values(struct histogram *h)
{
    while (h->blocks) {
        struct block *before = h->blocks->before;
        free(h->blocks);
        h->blocks = before;
    }
    free(h->slots);
    h->slots = NULL;
    h->slot_count = h->count = h->memory = 0;
}

static void *take(struct histogram *h, size_t size)
{
    size = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
    if (!h->blocks || h->blocks->size - h->blocks->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct block *block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct block){.before = h->blocks, .size = room};
        h->blocks = block;
    }
    void *taken = (uint8_t *)h->blocks->words + h->blocks->used;
    h->blocks->used += size;
    h->memory += size + SORT_BYTES;
    return taken;
}

static int grow_slots(struct histogram *h)
{
    size_t count = h->slot_count ? 2 * h->slot_count : SLOTS_FIRST;
    struct value_count **slots = calloc(count, sizeof(struct value_count *));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < h->slot_count; i++) {
        if (!h->slots[i])
            continue;
        size_t at = h->slots[i]->hash & (count - 1);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = h->slots[i];
    }
    free(h->slots);
    h->memory += (count - h->slot_count) * sizeof(struct value_count *);
    h->slots = slots;
    h->slot_count = count;
    return 0;
}

struct text {
    const void *data;
    size_t size;
};

static bool is_same(const struct value_count *v, uint64_t hash, uint32_t exhibit, struct text kind, struct text value)
{
    return v->hash == hash && v->exhibit == exhibit && v->kind_size == kind.size && v->value_size == value.size &&
           memcmp(v->text, kind.data, kind.size) == 0 && memcmp(v->text + kind.size, value.data, value.size) == 0;
}

/* The value's sums, new ones when it was not there; NULL: no memory. */
static struct value_count *find(struct histogram *h, struct text kind, struct text value)
{
    if (h->count >= h->slot_count / 4 * 3 && grow_slots(h))
        return NULL;
    uint64_t hash = hash_keyed(value.data, value.size, hash_keyed(kind.data, kind.size, h->seed + h->place.exhibit));
    size_t at = hash & (h->slot_count - 1);
    for (; h->slots[at]; at = (at + 1) & (h->slot_count - 1))
        if (is_same(h->slots[at], hash, h->place.exhibit, kind, value))
            return h->slots[at];
    struct value_count *v = take(h, sizeof *v + kind.size + value.size);
    if (!v)
        return NULL;
    *v = (struct value_count){.hash = hash,
                              .exhibit = h->place.exhibit,
                              .kind_size = (uint32_t)kind.size,
                              .value_size = (uint32_t)value.size,
                              .first = TIME_NONE,
                              .last = TIME_NONE,
                              .in_stream = COUNT_NONE};
    memcpy(v->text, kind.data, kind.size);
    memcpy(v->text + kind.size, value.data, value.size);
    h->slots[at] = v;
    h->count++;
    return v;
}

/* ------------------------------------------------------------------ the values in the database */

static int compare_texts(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_values(const void *left, const void *right)
{
    const struct value_count *a = *(struct value_count *const *)left, *b = *(struct value_count *const *)right;
    int order = compare_texts(a->text, a->kind_size, b->text, b->kind_size);
    if (order == 0)
        order = compare_texts(a->text + a->kind_size, a->value_size, b->text + b->kind_size, b->value_size);
    return order ? order : (a->exhibit > b->exhibit) - (a->exhibit < b->exhibit);
}

static void bind_time(struct db_statement *s, int parameter, int64_t time)
{
    if (time == TIME_NONE)
        db_bind_null(s, parameter);
    else
        db_bind_i64(s, parameter, time);
}

static int add_value(struct histogram *h, const struct value_count *v)
{
    db_bind_text_n(h->add, 1, v->text, v->kind_size);
    db_bind_text_n(h->add, 2, v->text + v->kind_size, v->value_size);
    db_bind_text(h->add, 3, h->exhibits[v->exhibit].label);
    db_bind_i64(h->add, 4, v->rank);
    db_bind_i64(h->add, 5, (int64_t)(v->count < 9e18 ? v->count : 9e18));
    db_bind_u64(h->add, 6, v->contents);
    bind_time(h->add, 7, v->first);
    bind_time(h->add, 8, v->last);
    return db_run(h->add);
}

/* In the order of the key, in which the table only grows at its end when it was empty. */
static int add_values(struct histogram *h)
{
    struct value_count **sorted = malloc((h->count + 1) * sizeof(struct value_count *));
    size_t count = 0;
    int code = sorted ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < h->slot_count; i++)
        if (h->slots[i])
            sorted[count++] = h->slots[i];
    if (code == 0)
        qsort(sorted, count, sizeof(struct value_count *), compare_values);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = add_value(h, sorted[i]);
    free(sorted);
    forget_values(h);
    return code;
}

/* ------------------------------------------------------------------ the rows */

static int64_t time_in(struct db_statement *s, int column)
{
    return db_is_null(s, column) ? TIME_NONE : db_i64(s, column);
}

static uint32_t exhibit_with(const struct histogram *h, int64_t id)
{
    uint32_t at = 0;
    while (at + 1 < h->exhibit_count && h->exhibits[at].id != id)
        at++;
    return at;
}

static int look_up_place(struct histogram *h, int64_t stream, int64_t attempt)
{
    h->place = (struct place){.stream = stream, .attempt = attempt};
    db_bind_i64(h->place_of, 1, stream);
    db_bind_i64(h->place_of, 2, attempt);
    int code = db_step(h->place_of);
    if (code == 1) {
        h->place.counts = true;
        h->place.exhibit = exhibit_with(h, db_i64(h->place_of, 0));
        h->place.first = time_in(h->place_of, 1);
        h->place.last = time_in(h->place_of, 2);
    }
    db_reset(h->place_of);
    return code < 0 ? code : 0;
}

static struct text text_in(struct db_statement *s, int column)
{
    struct text text;
    text.data = db_bytes(s, column, &text.size);
    return text;
}

static bool is_word(struct text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static uint32_t rank_of(struct text word)
{
    return is_word(word, "checksum") ? 2 : is_word(word, "context") ? 1 : 0;
}

/* Of several passes the one that found it most often there counts. */
static void count_in_content(struct value_count *v, int64_t stream, int64_t count)
{
    bool again = v->contents > 0 && v->stream == stream;
    if (!again) {
        v->contents++;
        v->stream = stream;
        v->in_stream = COUNT_NONE;
    }
    if (count == COUNT_NONE || (v->in_stream != COUNT_NONE && count <= v->in_stream))
        return;
    v->count += (double)count - (v->in_stream == COUNT_NONE ? 0 : (double)v->in_stream);
    v->in_stream = count;
}

static int count_row(struct histogram *h)
{
    struct text kind = text_in(h->rows, 2), value = text_in(h->rows, 3);
    struct value_count *v = find(h, kind, value);
    if (!v)
        return -ENOMEM;
    uint32_t rank = rank_of(text_in(h->rows, 4));
    int64_t count = db_is_null(h->rows, 5) ? COUNT_NONE : db_i64(h->rows, 5);
    if (rank > v->rank)
        v->rank = rank;
    if (h->by_content) {
        count_in_content(v, h->place.stream, count);
    } else {
        v->contents++;
        v->count += count == COUNT_NONE ? 0 : (double)count;
    }
    if (h->place.first != TIME_NONE && (v->first == TIME_NONE || h->place.first < v->first))
        v->first = h->place.first;
    if (h->place.last != TIME_NONE && h->place.last > v->last)
        v->last = h->place.last;
    return 0;
}

/* Makes room before a row of this content. 1: it cannot be counted here. With half of its memory gone between two contents there is
 * room for one with as many values again. */
static int make_room(struct histogram *h, int64_t stream)
{
    bool between = stream != h->place.stream;
    if (h->count == 0 || h->memory < (h->by_content && between ? h->memory_max / 2 : h->memory_max))
        return 0;
    return h->by_content && !between ? 1 : add_values(h);
}

/* 1: it is left to SQL. A record without a kind or a value counts nowhere. */
static int count_rows(struct histogram *h)
{
    int code;
    while ((code = db_step(h->rows)) == 1) {
        int64_t stream = db_i64(h->rows, 0), attempt = db_i64(h->rows, 1);
        code = make_room(h, stream);
        if (code == 0 && (stream != h->place.stream || attempt != h->place.attempt))
            code = look_up_place(h, stream, attempt);
        if (code == 0 && h->place.counts && !db_is_null(h->rows, 2) && !db_is_null(h->rows, 3))
            code = count_row(h);
        if (code)
            return code;
    }
    return code ? code : add_values(h);
}

/* ------------------------------------------------------------------ */

static int load_exhibits(struct histogram *h)
{
    struct db_statement *s;
    uint64_t count = 0;
    int code = db_number(h->db, "SELECT count(*) FROM t_exhibit", 0, 0, &count);
    if (code == 0)
        code = db_prepare(h->db, "SELECT id, label FROM t_exhibit ORDER BY label", &s);
    if (code)
        return code;
    h->exhibits = calloc(count + 1, sizeof *h->exhibits);
    code = h->exhibits ? db_step(s) : -ENOMEM;
    for (; code == 1 && h->exhibit_count < count; code = db_step(s)) {
        struct exhibit_label *exhibit = &h->exhibits[h->exhibit_count];
        *exhibit = (struct exhibit_label){.id = db_i64(s, 0), .label = strdup(db_text(s, 1))};
        if (!exhibit->label) {
            code = -ENOMEM;
            break;
        }
        h->exhibit_count++;
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

static int open_statements(struct histogram *h)
{
    uint64_t passes = 0;
    int code = db_number(h->db, "SELECT EXISTS (SELECT 1 FROM t_pass WHERE id > 1)", 0, 0, &passes);
    h->by_content = passes > 0;
    if (code == 0)
        code = db_prepare(h->db, rows_sql, &h->rows);
    if (code == 0)
        code = db_prepare(h->db, place_sql, &h->place_of);
    return code ? code : db_prepare(h->db, add_sql, &h->add);
}

static void finish(struct histogram *h)
{
    db_finalize(h->rows);
    db_finalize(h->place_of);
    db_finalize(h->add);
    for (size_t i = 0; i < h->exhibit_count; i++)
        free(h->exhibits[i].label);
    free(h->exhibits);
    forget_values(h);
}

/* 1: it is left to SQL, and what was written is to be given up. */
static int count_in_memory(struct db *db, size_t memory)
{
    struct histogram h = {.db = db, .memory_max = memory};
    if (getrandom(&h.seed, sizeof h.seed, GRND_NONBLOCK) != (ssize_t)sizeof h.seed)
        h.seed = (uint64_t)(uintptr_t)&h; /* at worst it is slow */
    int code = load_exhibits(&h);
    if (code == 0)
        code = open_statements(&h);
    if (code == 0)
        code = count_rows(&h);
    finish(&h);
    return code;
}

/* As count_in_memory, which `by_sql` stands in for. */
static int count_again(struct db *db, size_t memory, bool by_sql)
{
    int code = db_begin(db);
    if (code == 0)
        code = views_feature_table(db);
    if (code == 0)
        code = db_exec(db, "DELETE FROM t_value");
    if (code == 0)
        code = by_sql ? views_feature_count(db) : count_in_memory(db, memory);
    return code ? code : db_commit(db);
}

static int count_by_sql(struct db *db)
{
    db_rollback(db);
    db_sort_on_disk(db, true); /* in memory it takes 100 bytes a feature */
    int code = count_again(db, 0, true);
    db_sort_on_disk(db, false);
    return code;
}

int histogram_forget(struct casefile *cf)
{
    struct db *db = casefile_db(cf);

    return db_has_table(db, "t_value") ? db_exec(db, "DELETE FROM t_value") : 0;
}

int histogram_count_within(struct casefile *cf, size_t memory, struct why *why)
{
    struct db *db = casefile_db(cf);
    int code;

    if (!db_has_table(db, "rec_features_feature"))
        return 0;
    code = count_again(db, memory, false);
    if (code == 1)
        code = count_by_sql(db);
    if (code) {
        why_set(why, code, "%s: features could not be counted: %s", casefile_folder(cf), db_error(db));
        db_rollback(db);
    }
    return code;
}

int histogram_count(struct casefile *cf, struct why *why)
{
    return histogram_count_within(cf, HISTOGRAM_MEMORY, why);
}
