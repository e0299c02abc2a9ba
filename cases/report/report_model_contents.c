/*
 * report_model_contents: all names and all contents, counted in one pass over each: how completely the parts
 * of a medium were read, what in them holds one repeated byte, of which types contents are, what the first
 * pass did.
 *
 * A content belongs to the volume of that name which is its `path`, else to the volume whose raw bytes it is,
 * else to none; a child to its parent's. Where each belongs is kept in two bytes a content, by its id: a case
 * counts them from 1, and a parent comes before its children. Of a case that has it otherwise, or more
 * volumes than a report shows, a temporary table has it, which takes longer.
 */
#include "cases/report/report_gather.h"

#include "cases/names.h"
#include "engine/plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDS_MAX = 1 << 24, /* two bytes each, and only those that there are take memory */
    PLACES_MAX = MODEL_VOLUMES_MAX + 1,
    PLACE = 0x7fff, /* number of the place + 1 */
    TYPED = 0x8000, /* a name says that it is a file */
};

/* A volume of an exhibit, and the rows of the table where what is in it counts; the first place is no volume.
 */
struct place {
    char *volume;
    uint64_t exhibit; /* that the rows are of; none yet without `known` */
    bool known;
    struct model_volume *row, *medium; /* NULL: not shown */
};

struct counting {
    uint16_t *places_of; /* by id: PLACE, 0 for none, and TYPED. NULL: the table has it */
    uint64_t ids;
    struct place *places;
    size_t place_count, last;
    struct type_sums *types;
    struct db_statement *put; /* into the table */
    bool begun;
    int64_t before; /* id of the last row, when one was */
};

static uint64_t bytes_of(struct db_statement *s, int column)
{
    uint64_t bytes = db_u64(s, column);
    return bytes < BYTES_MAX ? bytes : BYTES_MAX;
}

/* ------------------------------------------------------------------ places */

/* The rows of `place` in this exhibit: a child that somebody put into another one than its parent counts
 * there. */
static struct model_volume *row_of(struct gather *gather, struct place *place, uint64_t exhibit, bool whole)
{
    if (!place->known || place->exhibit != exhibit) {
        place->row = media_volume(gather->model, exhibit, place->volume, false);
        place->medium = media_volume(gather->model, exhibit, place->volume, true);
        place->exhibit = exhibit;
        place->known = true;
    }
    return whole ? place->medium : place->row;
}

static void forget_places(struct counting *c)
{
    for (size_t i = 0; i < c->place_count; i++)
        free(c->places[i].volume);
    free(c->places);
    c->places = NULL;
    c->place_count = c->last = 0;
}

static int add_place(struct counting *c, const char *volume, uint64_t exhibit)
{
    struct place *place = gather_grow(&c->places, &c->place_count, sizeof *place);
    if (!place)
        return -ENOMEM;
    place->exhibit = exhibit;
    place->volume = strdup(volume);
    return place->volume ? 0 : -ENOMEM;
}

static bool is_place(const struct place *place, const char *volume, uint64_t exhibit)
{
    return place->exhibit == exhibit && !strcmp(place->volume, volume);
}

/* c->last becomes the number of the place. With more of them than there can be, numbers say nothing any more.
 */
static int find_place(struct counting *c, const char *volume, uint64_t exhibit)
{
    size_t i = c->last;
    if (!*volume)
        i = 0;
    else if (i == 0 || !is_place(&c->places[i], volume, exhibit))
        for (i = 1; i < c->place_count && !is_place(&c->places[i], volume, exhibit);)
            i++;
    if (i == PLACES_MAX) {
        free(c->places_of);
        c->places_of = NULL;
        forget_places(c);
        int error = add_place(c, "", 0);
        if (error < 0)
            return error;
        i = 1;
    }
    c->last = i;
    return i < c->place_count ? 0 : add_place(c, volume, exhibit);
}

static void put_place(struct counting *c, uint64_t id)
{
    if (c->places_of && id <= c->ids)
        c->places_of[id] = (uint16_t)((c->places_of[id] & TYPED) | (c->last + 1));
}

/* ------------------------------------------------------------------ names */

/* Names in file systems; media, raw ranges, slack and free areas are contents without one. */
static bool is_named(int64_t kind)
{
    return kind != STREAM_IMAGE && kind != STREAM_RAW && kind != STREAM_SLACK && kind != STREAM_FREE;
}

static bool is_typed(int64_t kind)
{
    return kind >= 0 && kind < STREAM_KINDS && is_named(kind);
}

static void count_name(struct gather *gather, struct model_volume *row, int64_t flags)
{
    bool deleted = flags & (ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED);
    gather->model->total.live += !deleted;
    gather->model->total.deleted += deleted;
    if (row) {
        row->counts.live += !deleted;
        row->counts.deleted += deleted;
    }
}

enum { N_EXHIBIT, N_VOLUME, N_FLAGS, N_KIND, N_STREAM, N_FIRST };
static const char names_sql[] =
    "SELECT e.exhibit, e.volume, e.flags, e.kind, s.id, s.exhibit = e.exhibit AND s.path = e.path "
    "FROM t_entry e LEFT JOIN t_stream s ON s.id = e.stream ORDER BY e.id";

static int name_row(struct gather *gather, struct db_statement *s)
{
    struct counting *c = gather->counting;
    uint64_t exhibit = db_u64(s, N_EXHIBIT), id = db_u64(s, N_STREAM);
    int64_t flags = db_i64(s, N_FLAGS), kind = db_i64(s, N_KIND);
    bool has_content = !db_is_null(s, N_STREAM);
    int error = find_place(c, db_text(s, N_VOLUME), exhibit);
    if (error < 0)
        return error;
    if (has_content && db_i64(s, N_FIRST))
        put_place(c, id);
    if (has_content && is_typed(kind) && c->places_of && id <= c->ids)
        c->places_of[id] |= TYPED;
    if (!has_content || is_named(kind))
        count_name(gather, row_of(gather, &c->places[c->last], exhibit, false), flags);
    gather->model->encrypted_entries += (flags & ENTRY_ENCRYPTED) != 0;
    return 0;
}

/* The volume whose key comes first has it, as in placed_sql. */
static const char raws_sql[] =
    "SELECT v.exhibit, v.key, s.id FROM t_volume v CROSS JOIN t_stream s ON s.exhibit = v.exhibit AND "
    "s.locator = v.raw WHERE v.raw <> '' ORDER BY v.exhibit, v.key";

static int raw_row(struct gather *gather, struct db_statement *s)
{
    struct counting *c = gather->counting;
    uint64_t id = db_u64(s, 2);
    if (!c->places_of || id > c->ids || (c->places_of[id] & PLACE))
        return 0;
    int error = find_place(c, db_text(s, 1), db_u64(s, 0));
    if (error == 0)
        put_place(c, id);
    return error;
}

/* ------------------------------------------------------------------ contents */

enum {
    C_ID,
    C_EXHIBIT,
    C_PARENT,
    C_WHOLE,
    C_STATUS,
    C_KIND,
    C_DELETED,
    C_EXAMINED,
    C_READ,
    C_UNREAD,
    C_SIZE,
    C_IS_UNIFORM,
    C_SLACK,
    C_SLACK_UNIFORM,
    C_MIME,
    C_VOLUME,
    C_TYPED
};
#define CONTENTS                                                                                             \
    "SELECT s.id, s.exhibit, s.parent, s.locator IN ('image', 'file'), s.status, s.kind, s.deleted, "        \
    "s.attempt IS NOT NULL, s.read, s.unread, s.size, s.uniform IS NOT NULL, s.slack, s.slack_uniform, "
#define FROM_TABLE                                                                                           \
    "p.volume, EXISTS (SELECT 1 FROM t_entry e WHERE e.stream = s.id AND e.kind IN (2, 3, 4, 7, 8)) "        \
    "FROM t_stream s LEFT JOIN placed p ON p.id = s.id "
#define FROM_ARRAY "NULL, 0 FROM t_stream s "
#define TYPES      "LEFT JOIN rec_filetype t ON t.stream = s.id AND t.attempt = s.attempt "

static void count_read(struct model_counts *counts, struct db_statement *s, int64_t status)
{
    counts->contents++;
    counts->pending += status == WORK_PENDING;
    counts->whole += status == WORK_DONE;
    counts->partial += status == WORK_PARTIAL;
    counts->failed += status != WORK_PENDING && status != WORK_DONE && status != WORK_PARTIAL;
    counts->read = gather_sum(counts->read, bytes_of(s, C_READ));
    counts->unread = gather_sum(counts->unread, bytes_of(s, C_UNREAD));
}

static void count_uniform(struct model_account *account, struct db_statement *s)
{
    if (db_i64(s, C_IS_UNIFORM)) {
        account->uniform++;
        account->uniform_bytes = gather_sum(account->uniform_bytes, bytes_of(s, C_SIZE));
    }
    account->slacks += db_i64(s, C_SLACK) > 0;
    if (db_i64(s, C_SLACK_UNIFORM) != 0) {
        account->slack_uniform++;
        account->slack_bytes = gather_sum(account->slack_bytes, bytes_of(s, C_SLACK));
    }
}

static void count_first_pass(struct first_pass *first, int64_t status)
{
    first->contents += status != WORK_VOID;
    first->done += status == WORK_DONE;
    first->partial += status == WORK_PARTIAL;
    first->failed += status == WORK_FAILED;
    first->pending += status == WORK_PENDING;
}

/* Each content once, however many names it has. */
static int count_type(struct gather *gather, struct db_statement *s, bool named, int64_t status)
{
    bool inner = !db_is_null(s, C_PARENT) && db_i64(s, C_EXAMINED) && is_typed(db_i64(s, C_KIND));
    if (!(named || inner) || status < WORK_DONE || status > WORK_FAILED)
        return 0;
    return types_add(gather->counting->types, db_text(s, C_MIME), bytes_of(s, C_READ));
}

/* c->last becomes where it belongs; false: nowhere, for what it lies in is not there. */
static int where(struct gather *gather, struct db_statement *s, uint64_t id, bool *ret_placed)
{
    struct counting *c = gather->counting;
    if (!c->places_of) {
        *ret_placed = !db_is_null(s, C_VOLUME);
        return find_place(c, db_text(s, C_VOLUME), db_u64(s, C_EXHIBIT));
    }
    uint16_t place = c->places_of[id] & PLACE;
    if (!db_is_null(s, C_PARENT))
        place = c->places_of[db_u64(s, C_PARENT)] & PLACE;
    else if (place == 0)
        place = 1;
    c->last = place > 0 ? (size_t)place - 1 : 0;
    c->places_of[id] = (uint16_t)((c->places_of[id] & TYPED) | place);
    *ret_placed = place > 0;
    return 0;
}

static int content_row(struct gather *gather, struct db_statement *s)
{
    struct counting *c = gather->counting;
    uint64_t id = db_u64(s, C_ID);
    int64_t status = db_i64(s, C_STATUS);
    bool placed;
    if (c->begun && db_i64(s, C_ID) == c->before)
        return 0; /* two records of its type */
    c->begun = true;
    c->before = db_i64(s, C_ID);
    int error = where(gather, s, id, &placed);
    if (error < 0)
        return error;
    if (placed) {
        struct model_volume *row =
            row_of(gather, &c->places[c->last], db_u64(s, C_EXHIBIT), db_i64(s, C_WHOLE) != 0);
        count_read(&gather->model->total, s, status);
        if (row)
            count_read(&row->counts, s, status);
        if (row && (status == WORK_DONE || status == WORK_PARTIAL))
            count_uniform(&row->account, s);
    }
    if (db_is_null(s, C_PARENT))
        count_first_pass(&gather->first, status);
    bool named = c->places_of ? (c->places_of[id] & TYPED) != 0 : db_i64(s, C_TYPED) != 0;
    return count_type(gather, s, named, status);
}

static int each_content(struct gather *gather)
{
    struct buf sql = {0};
    bool types = db_has_table(gather->db, "rec_filetype"), array = gather->counting->places_of != NULL;
    buf_printf(&sql, CONTENTS "%s, %s%s ORDER BY s.id", types ? "t.mime" : "NULL",
               array ? FROM_ARRAY : FROM_TABLE, types ? TYPES : "");
    int error = buf_failed(&sql) ? why_set(gather->why, -ENOMEM, "no memory")
                                 : gather_each(gather, buf_cstr(&sql), 0, content_row, NULL);
    buf_finish(&sql);
    return error;
}

/* ------------------------------------------------------------------ the table */

/* Every content with the volume that it belongs to. */
static const char placed_sql[] =
    "WITH RECURSIVE p(id, volume) AS ("
    "SELECT s.id, coalesce(e.volume, v.key, '') FROM t_stream s "
    "LEFT JOIN t_entry e ON e.exhibit = s.exhibit AND e.path = s.path AND e.stream = s.id "
    "LEFT JOIN t_volume v ON e.id IS NULL AND v.exhibit = s.exhibit AND v.raw <> '' AND v.raw = s.locator "
    "WHERE s.parent IS NULL "
    "UNION ALL SELECT c.id, p.volume FROM p JOIN t_stream c ON c.parent = p.id) INSERT OR IGNORE INTO placed "
    "SELECT * FROM p";

static int faulty_row(struct gather *gather, struct db_statement *s)
{
    struct counting *c = gather->counting;
    uint64_t id = db_u64(s, 0);
    uint16_t place = id <= c->ids ? c->places_of[id] & PLACE : 0;
    if (place == 0)
        return 0;
    db_bind_u64(c->put, 1, id);
    db_bind_text(c->put, 2, c->places[place - 1].volume);
    return db_run(c->put);
}

/* Of the contents that faults are about: nobody asks for others. */
static int put_faulty(struct gather *gather)
{
    struct counting *c = gather->counting;
    int error = db_prepare(gather->db, "INSERT INTO placed VALUES (?1, ?2)", &c->put);
    if (error < 0)
        return why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf),
                       db_error(gather->db));
    error = gather_each(gather, "SELECT DISTINCT stream FROM t_fault WHERE stream IS NOT NULL", 0, faulty_row,
                        NULL);
    db_finalize(c->put);
    return error;
}

static int make_table(struct gather *gather, const char *sql)
{
    int error = db_exec(gather->db, sql);
    if (error < 0)
        why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf), db_error(gather->db));
    return error;
}

/* ------------------------------------------------------------------ both */

/* The array, when ids are as the engine gives them. Never as large as an id says that nobody has looked at.
 */
static int make_array(struct gather *gather)
{
    struct counting *c = gather->counting;
    uint64_t fits = 0;
    int error =
        gather_number(gather,
                      "SELECT NOT EXISTS (SELECT 1 FROM t_stream WHERE id < 1) AND NOT EXISTS (SELECT 1 FROM "
                      "t_stream WHERE parent IS NOT NULL AND parent >= id)",
                      &fits);
    if (error == 0)
        error = gather_number(gather, "SELECT coalesce(max(id), 0) FROM t_stream", &c->ids);
    if (error < 0 || !fits || c->ids > IDS_MAX)
        return error;
    c->places_of = calloc(c->ids + 1, sizeof *c->places_of);
    return c->places_of ? 0 : why_set(gather->why, -ENOMEM, "no memory");
}

static int count_all(struct gather *gather)
{
    struct counting *c = gather->counting;
    int error = add_place(c, "", 0) < 0 ? why_set(gather->why, -ENOMEM, "no memory") : make_array(gather);
    if (error == 0)
        error = gather_each(gather, names_sql, 0, name_row, NULL);
    if (error == 0)
        error = gather_each(gather, raws_sql, 0, raw_row, NULL);
    if (error == 0)
        error = make_table(gather, "CREATE TEMP TABLE placed(id INTEGER PRIMARY KEY, volume TEXT NOT NULL)");
    if (error == 0 && !c->places_of)
        error = make_table(gather, placed_sql);
    if (error == 0)
        error = each_content(gather);
    if (error == 0 && c->places_of)
        error = put_faulty(gather);
    return error;
}

int gather_contents(struct gather *gather)
{
    struct counting c = {.types = types_new()};
    gather->counting = &c;
    int error = c.types ? count_all(gather) : why_set(gather->why, -ENOMEM, "no memory");
    if (error == 0)
        error = types_gather(gather, c.types);
    gather->counting = NULL;
    types_free(c.types);
    free(c.places_of);
    forget_places(&c);
    return error;
}
