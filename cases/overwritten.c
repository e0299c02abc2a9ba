/*
 * overwritten: the runs of deleted contents are held in memory, half a million at a time, as an interval
 * tree; live ones pass by. The tree is the sorted array itself: the middle of a range is its root, and knows
 * how far any run of the range reaches (T. H. Cormen et al., Introduction to Algorithms, "Interval trees").
 */
#include "cases/overwritten.h"

#include "cases/runs.h"
#include "engine/base/buf.h"
#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place has had a few owners. A file system that says of each of its places that everybody had it would be
 * gone through without end: it may have so many overlaps for every content, and some more. */
enum { RUNS_AT_ONCE = 1 << 19, OVERLAPS_OF_A_CONTENT = 64, OVERLAPS_MORE = 1000000 };

struct dead_run {
    uint64_t offset, end;
    uint64_t reach; /* the highest end in the range whose middle it is */
    uint32_t medium, content;
};

struct dead_content {
    uint64_t id, bytes, overwritten;
};

struct medium {
    char *name;
    size_t first, count; /* of its runs */
};

struct places {
    struct db *db;
    struct db_statement *insert;
    struct dead_run *runs;
    struct dead_content *contents;
    struct medium *media;
    uint32_t *by_name; /* numbers of media, sorted */
    size_t run_count, content_count, medium_count;
    uint64_t overlaps, overlaps_max;
};

/* Files, alternate data streams, structures (cases/names.h): structures own blocks as files do. */
#define SQL_CONTENTS                                                                                         \
    "SELECT id, exhibit, locator, runs FROM t_stream WHERE parent IS NULL AND kind IN (2, 3, 4) AND status " \
    "<> 4 AND runs IS NOT NULL AND "
static const char sql_dead[] = SQL_CONTENTS "deleted AND id > ?1 ORDER BY id";
static const char sql_live[] = SQL_CONTENTS "NOT deleted";

/* Room for one more in an array that grows by doubling from 1. */
static void *room(void *rows, size_t count, size_t size)
{
    void **array = rows;
    if ((count & (count - 1)) == 0) {
        void *more = reallocarray(*array, count ? 2 * count : 1, size);
        if (!more)
            return NULL;
        *array = more;
    }
    return (char *)*array + count * size;
}

/* ------------------------------------------------------------------ media */

/* Where the name stands, or would stand, among those sorted. */
static size_t place_of(const struct places *p, const char *name, bool *ret_there)
{
    size_t low = 0, high = p->medium_count;
    *ret_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, p->media[p->by_name[middle]].name);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The exhibit and the locator's steps into an image inside, with the last '>'. */
static int medium_name(struct db_statement *s, struct buf *name)
{
    const char *locator = db_text(s, 2), *last = strrchr(locator, '>');
    buf_clear(name);
    buf_printf(name, "%llu ", (unsigned long long)db_u64(s, 1));
    if (last)
        buf_append(name, locator, (size_t)(last - locator) + 1);
    return buf_failed(name) ? -ENOMEM : 0;
}

static int medium_number(struct places *p, const char *name, uint32_t *ret_number)
{
    bool there;
    size_t place = place_of(p, name, &there);
    if (there) {
        *ret_number = p->by_name[place];
        return 0;
    }
    char *copy = strdup(name);
    struct medium *medium = copy ? room(&p->media, p->medium_count, sizeof *medium) : NULL;
    uint32_t *last = medium ? room(&p->by_name, p->medium_count, sizeof *last) : NULL;
    if (!last) {
        free(copy);
        return -ENOMEM;
    }
    *medium = (struct medium){.name = copy};
    memmove(p->by_name + place + 1, p->by_name + place, (p->medium_count - place) * sizeof *last);
    p->by_name[place] = *ret_number = (uint32_t)p->medium_count++;
    return 0;
}

/* ------------------------------------------------------------------ where deleted contents lay */

static int add_runs(struct places *p, struct db_statement *s, const char *medium)
{
    const char *at = db_text(s, 3);
    uint64_t offset, size;
    uint32_t number = UINT32_MAX;
    struct dead_content content = {.id = db_u64(s, 0)};
    while (runs_next(&at, &offset, &size)) {
        if (offset == UINT64_MAX)
            continue;
        int code = number == UINT32_MAX ? medium_number(p, medium, &number) : 0;
        struct dead_run *run = code ? NULL : room(&p->runs, p->run_count, sizeof *run);
        if (!run)
            return code ? code : -ENOMEM;
        *run = (struct dead_run){.offset = offset,
                                 .end = u64_add_saturating(offset, size),
                                 .medium = number,
                                 .content = (uint32_t)p->content_count};
        p->run_count++;
        content.bytes = u64_add_saturating(content.bytes, size);
    }
    if (number == UINT32_MAX)
        return 0;
    struct dead_content *into = room(&p->contents, p->content_count, sizeof *into);
    if (!into)
        return -ENOMEM;
    *into = content;
    p->content_count++;
    return 0;
}

static int compare_runs(const void *a, const void *b)
{
    const struct dead_run *x = a, *y = b;
    if (x->medium != y->medium)
        return x->medium < y->medium ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->content < y->content ? -1 : x->content > y->content;
}

static uint64_t reach_of(struct dead_run *runs, size_t count)
{
    if (count == 0)
        return 0;
    size_t middle = count / 2;
    uint64_t before = reach_of(runs, middle), behind = reach_of(runs + middle + 1, count - middle - 1);
    uint64_t reach = runs[middle].end;
    if (before > reach)
        reach = before;
    if (behind > reach)
        reach = behind;
    return runs[middle].reach = reach;
}

static void make_trees(struct places *p)
{
    if (p->run_count)
        qsort(p->runs, p->run_count, sizeof *p->runs, compare_runs);
    for (size_t i = 0; i < p->run_count; i++) {
        struct medium *medium = &p->media[p->runs[i].medium];
        if (medium->count++ == 0)
            medium->first = i;
    }
    for (size_t i = 0; i < p->medium_count; i++)
        reach_of(p->runs + p->media[i].first, p->media[i].count);
}

/* Those behind content *after, which becomes the last one taken. */
static int load(struct places *p, uint64_t *after)
{
    struct db_statement *s;
    struct buf medium = {0};
    int code = db_prepare(p->db, sql_dead, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, *after);
    while (p->run_count < RUNS_AT_ONCE && (code = db_step(s)) == 1) {
        code = medium_name(s, &medium);
        if (code == 0)
            code = add_runs(p, s, buf_cstr(&medium));
        if (code)
            break;
        *after = db_u64(s, 0);
    }
    db_finalize(s);
    buf_finish(&medium);
    make_trees(p);
    return code < 0 ? code : 0;
}

/* ------------------------------------------------------------------ and who is there now */

static int put_overlap(struct places *p, struct dead_run *run, uint64_t owner, uint64_t offset, uint64_t end)
{
    uint64_t from = offset > run->offset ? offset : run->offset, to = end < run->end ? end : run->end;
    if (++p->overlaps > p->overlaps_max)
        return -E2BIG;
    struct dead_content *content = &p->contents[run->content];
    db_bind_u64(p->insert, 1, content->id);
    db_bind_u64(p->insert, 2, from);
    db_bind_u64(p->insert, 3, owner);
    db_bind_u64(p->insert, 4, to - from);
    int code = db_run(p->insert);
    if (code == 0 && db_changes(p->db) == 1)
        content->overwritten = u64_add_saturating(content->overwritten, to - from);
    return code;
}

static int put_overlaps(struct places *p, struct dead_run *runs, size_t count, uint64_t owner,
                        uint64_t offset, uint64_t end)
{
    size_t middle = count / 2;
    if (count == 0 || runs[middle].reach <= offset)
        return 0;
    int code = put_overlaps(p, runs, middle, owner, offset, end);
    if (code || runs[middle].offset >= end)
        return code;
    if (runs[middle].end > offset)
        code = put_overlap(p, &runs[middle], owner, offset, end);
    return code ? code : put_overlaps(p, runs + middle + 1, count - middle - 1, owner, offset, end);
}

static int compare_content(struct places *p, struct db_statement *s, const char *name)
{
    bool there;
    size_t place = place_of(p, name, &there);
    if (!there)
        return 0;
    const struct medium *medium = &p->media[p->by_name[place]];
    const char *at = db_text(s, 3);
    uint64_t offset, size;
    int code = 0;
    while (code == 0 && runs_next(&at, &offset, &size))
        if (offset != UINT64_MAX)
            code = put_overlaps(p, p->runs + medium->first, medium->count, db_u64(s, 0), offset,
                                u64_add_saturating(offset, size));
    return code;
}

static int compare_live(struct places *p)
{
    struct db_statement *s;
    struct buf medium = {0};
    int code = db_prepare(p->db, sql_live, &s);
    while (code == 0 && (code = db_step(s)) == 1) {
        code = medium_name(s, &medium);
        if (code == 0)
            code = compare_content(p, s, buf_cstr(&medium));
    }
    db_finalize(s);
    buf_finish(&medium);
    return code;
}

static int put_contents(struct places *p)
{
    struct db_statement *s;
    int code = db_prepare(p->db, "INSERT INTO t_deleted(stream, bytes, overwritten) VALUES (?1, ?2, ?3)", &s);
    for (size_t i = 0; code == 0 && i < p->content_count; i++) {
        db_bind_u64(s, 1, p->contents[i].id);
        db_bind_u64(s, 2, p->contents[i].bytes);
        db_bind_u64(s, 3, p->contents[i].overwritten);
        code = db_run(s);
    }
    db_finalize(s);
    return code;
}

static void forget(struct places *p)
{
    for (size_t i = 0; i < p->medium_count; i++)
        free(p->media[i].name);
    free(p->media);
    free(p->by_name);
    free(p->runs);
    free(p->contents);
    *p = (struct places){
        .db = p->db, .insert = p->insert, .overlaps = p->overlaps, .overlaps_max = p->overlaps_max};
}

int overwritten_fill(struct db *db)
{
    struct places p = {.db = db};
    uint64_t after = 0, contents = 0;
    int code = db_number(db, "SELECT count(*) FROM t_stream", 0, 0, &contents);
    p.overlaps_max = u64_add_saturating(u64_mul_saturating(contents, OVERLAPS_OF_A_CONTENT), OVERLAPS_MORE);
    /* Of runs that begin in each other the same place may come twice. */
    if (code == 0)
        code = db_prepare(
            db, "INSERT OR IGNORE INTO t_overwritten(stream, offset, owner, size) VALUES (?1, ?2, ?3, ?4)",
            &p.insert);
    bool more = true;
    while (code == 0 && more) {
        code = load(&p, &after);
        more = p.run_count > 0;
        if (code == 0 && more)
            code = compare_live(&p);
        if (code == 0 && more)
            code = put_contents(&p);
        forget(&p);
    }
    db_finalize(p.insert);
    return code;
}
