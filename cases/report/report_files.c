/* report_files: see report_files.h. */
#include "cases/report/report_files.h"

#include "cases/report/report_facts.h"
#include "cases/report/report_pack.h"
#include "engine/base/hash.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPES_MAX = 60000 /* the page keeps their numbers in 16 bits */ };

struct counted {
    struct buf bytes;
    uint64_t count;
};

/* A column that mostly repeats: value, how often. */
struct runs {
    struct counted column;
    uint64_t value, count;
};

struct level {
    size_t size; /* of the path up to here */
    uint64_t id;
};

struct gathering {
    const struct report_from *from;
    struct report_files *files;
    size_t rows, detailed; /* in these parts */
    struct buf names, states, details;
    struct counted folders, new_types;
    int64_t *sizes, *modified; /* FILES_PER_PART */
    uint64_t detail_parts;
    struct runs folder, type;
    char **types;
    size_t type_count;
    uint64_t exhibit_id, folder_count;
    struct buf path; /* of the folder that the last row was in; its levels: */
    struct level *levels;
    size_t level_count, level_room;
};

/* ------------------------------------------------------------------ parts */

static int put_part(struct gathering *g, const char *kind, uint64_t number, struct buf *data)
{
    struct report_out out;
    char name[PART_NAME_MAX];
    snprintf(name, sizeof name, "%s-%04llu.js", kind, (unsigned long long)number);
    int error = buf_failed(data) ? why_set(g->from->why, -ENOMEM, "no memory")
                                 : report_parts_open(g->from->parts, name, &out, g->from->why);
    if (error < 0)
        return error;
    buf_printf(&out.buf, "kvali('%s',%llu,'", kind, (unsigned long long)number);
    if ((error = report_pack(&out.buf, data)) < 0)
        (void)why_set(g->from->why, error, "no memory");
    buf_text(&out.buf, "');\n");
    return report_parts_close(g->from->parts, &out, error, g->from->why);
}

static void runs_end(struct runs *runs)
{
    if (runs->count == 0)
        return;
    report_pack_number(&runs->column.bytes, runs->value);
    report_pack_number(&runs->column.bytes, runs->count);
    runs->column.count++;
    runs->count = 0;
}

static void runs_add(struct runs *runs, uint64_t value)
{
    if (value != runs->value)
        runs_end(runs);
    runs->value = value;
    runs->count++;
}

/* How many there are, and then they. */
static void put_counted(struct buf *data, struct counted *column)
{
    report_pack_number(data, column->count);
    buf_append(data, column->bytes.data, column->bytes.size);
    buf_clear(&column->bytes);
    column->count = 0;
}

static void put_column(struct buf *data, struct buf *column)
{
    buf_append(data, column->data, column->size);
    buf_clear(column);
}

static int end_rows(struct gathering *g)
{
    struct buf data = {0};
    if (g->rows == 0)
        return 0;
    runs_end(&g->folder);
    runs_end(&g->type);
    report_pack_number(&data, g->rows);
    put_counted(&data, &g->folders);
    put_counted(&data, &g->new_types);
    put_counted(&data, &g->folder.column);
    put_counted(&data, &g->type.column);
    put_column(&data, &g->states);
    report_pack_column(&data, g->sizes, g->rows);
    report_pack_column(&data, g->modified, g->rows);
    int error = report_pack_names(&data, &g->names);
    buf_clear(&g->names);
    if (error < 0)
        data.failed = true;
    error = put_part(g, "files", ++g->files->parts, &data);
    buf_finish(&data);
    g->rows = 0;
    return error;
}

static int end_details(struct gathering *g)
{
    struct buf data = {0};
    if (g->detailed == 0)
        return 0;
    report_pack_number(&data, g->detailed);
    put_column(&data, &g->details);
    int error = put_part(g, "details", ++g->detail_parts, &data);
    buf_finish(&data);
    g->detailed = 0;
    return error;
}

/* ------------------------------------------------------------------ folders */

static int push_level(struct gathering *g, size_t path_size, const char *name, size_t size)
{
    if (g->level_count == g->level_room) {
        size_t room = g->level_room ? 2 * g->level_room : 32;
        struct level *more = realloc(g->levels, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        g->levels = more;
        g->level_room = room;
    }
    report_pack_number(&g->folders.bytes, g->level_count ? g->levels[g->level_count - 1].id + 1 : 0);
    report_pack_text(&g->folders.bytes, name, size);
    g->folders.count++;
    g->levels[g->level_count++] = (struct level){path_size, g->folder_count++};
    return 0;
}

/* The folder of a row whose path's folders are the first `size` bytes of `path`, or none. A folder's rows and
 * all below it follow each other, so that what is open is on the way from the exhibit to the last row's
 * folder. */
static int enter_folder(struct gathering *g, const struct file_fact *fact, size_t size)
{
    const char *path = fact->path;
    int error = 0;
    if (g->level_count == 0 || fact->exhibit_id != g->exhibit_id) {
        g->level_count = 0;
        g->exhibit_id = fact->exhibit_id;
        error = push_level(g, 0, fact->exhibit, strlen(fact->exhibit));
    }
    while (g->level_count > 1) {
        size_t known = g->levels[g->level_count - 1].size;
        if (known <= size && !memcmp(g->path.data, path, known) && (known == size || path[known] == '/'))
            break;
        g->level_count--;
    }
    size_t at = g->level_count > 1 ? g->levels[g->level_count - 1].size : 0;
    while (error == 0 && at < size) {
        size_t begin = at ? at + 1 : 0;
        if (begin > size)
            break;
        const char *slash = memchr(path + begin, '/', size - begin);
        size_t end = slash ? (size_t)(slash - path) : size;
        error = push_level(g, end ? end : 1, path + begin, end - begin);
        at = end ? end : 1;
    }
    buf_clear(&g->path);
    buf_append(&g->path, path, size);
    return error == 0 && buf_failed(&g->path) ? -ENOMEM : error;
}

/* ------------------------------------------------------------------ rows */

static const char *type_word(const struct file_fact *fact)
{
    return *fact->mime ? fact->mime : strcmp(fact->type, "file") ? fact->type : "";
}

static int type_number(struct gathering *g, const char *name, uint64_t *ret)
{
    if (g->type.value < g->type_count && !strcmp(g->types[g->type.value], name)) {
        *ret = g->type.value;
        return 0;
    }
    for (*ret = 0; *ret < g->type_count; ++*ret)
        if (!strcmp(g->types[*ret], name))
            return 0;
    if (g->type_count == TYPES_MAX) {
        *ret = 0;
        return 0;
    }
    char **more = realloc(g->types, (g->type_count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    g->types = more;
    if (!(more[g->type_count] = strdup(name)))
        return -ENOMEM;
    g->type_count++;
    report_pack_text(&g->new_types.bytes, name, strlen(name));
    g->new_types.count++;
    return 0;
}

static char state_letter(const struct file_fact *fact)
{
    return *fact->grade                      ? 'c'
           : fact->inner                     ? 'i'
           : fact->flags & ENTRY_REALLOCATED ? 'r'
           : file_fact_deleted(fact)         ? 'd'
                                             : 'l';
}

static int64_t seconds(int64_t when)
{
    return when == WHEN_NONE ? PACK_NONE : when / 1000000000 - (when % 1000000000 < 0);
}

/* Of 1 January, in seconds since 1970; the Gregorian rule for all years (of whens, 1677 to 2262). */
static int64_t year_begin(int64_t year)
{
    int64_t before = year - 1;
    return ((year - 1970) * 365 + before / 4 - before / 100 + before / 400 - 477) * 86400;
}

static int64_t year_of(int64_t seconds)
{
    int64_t year = 1970 + seconds / 31556952;
    while (seconds < year_begin(year))
        year--;
    while (seconds >= year_begin(year + 1))
        year++;
    return year;
}

static void count_year(struct report_files *files, int64_t when)
{
    if (when == WHEN_NONE) {
        files->no_time++;
        return;
    }
    int64_t year = year_of(seconds(when));
    if (year < FILES_YEAR_FIRST || year >= FILES_YEAR_FIRST + FILES_YEARS)
        files->other_years++;
    else
        files->years[year - FILES_YEAR_FIRST]++;
}

static int show(struct report_files *files, const struct file_fact *fact, uint64_t size)
{
    struct report_file *row = &files->shown[files->shown_count];
    if (files->shown_count == FILES_SHOWN)
        return 0;
    *row = (struct report_file){strdup(fact->exhibit), strdup(fact->path), strdup(type_word(fact)), size,
                                fact->modified,        state_letter(fact)};
    files->shown_count++;
    return row->exhibit && row->path && row->type ? 0 : -ENOMEM;
}

static void put_hash(struct buf *buf, const uint8_t *bytes)
{
    buf_u8(buf, bytes != NULL);
    if (bytes)
        buf_append(buf, bytes, SHA256_SIZE);
}

static int put_details(struct gathering *g, const struct file_fact *fact)
{
    const int64_t times[] = {fact->accessed, fact->changed, fact->born};
    int64_t last = 0;
    put_hash(&g->details, fact->sha256_bytes);
    for (size_t i = 0; i < 3; i++)
        report_pack_when(&g->details, times[i], &last);
    report_pack_text(&g->details, fact->grade, strlen(fact->grade));
    return ++g->detailed == FILES_PER_DETAILS ? end_details(g) : 0;
}

static int put_row(struct gathering *g, const struct file_fact *fact, uint64_t size)
{
    const char *slash = strrchr(fact->path, '/');
    uint64_t type = 0;
    int error = enter_folder(g, fact, slash ? (size_t)(slash - fact->path) : 0);
    if (error == 0)
        error = type_number(g, type_word(fact), &type);
    if (error == 0)
        error = put_details(g, fact);
    if (error < 0)
        return error;
    buf_text(&g->names, slash ? slash + 1 : fact->path);
    buf_u8(&g->names, '/'); /* the one byte that no name has */
    g->sizes[g->rows] = size < INT64_MAX ? (int64_t)size : INT64_MAX;
    g->modified[g->rows] = seconds(fact->modified);
    buf_u8(&g->states, (uint8_t)state_letter(fact));
    runs_add(&g->folder, g->levels[g->level_count - 1].id);
    runs_add(&g->type, type);
    if (buf_failed(&g->names) || buf_failed(&g->folders.bytes))
        return -ENOMEM;
    return ++g->rows == FILES_PER_PART ? end_rows(g) : 0;
}

static int each(void *context, const struct file_fact *fact)
{
    struct gathering *g = context;
    uint64_t size = fact->has_content ? fact->content_size : fact->size;
    g->files->total++;
    count_year(g->files, fact->modified);
    int error = show(g->files, fact, size);
    return error == 0 && g->from->parts ? put_row(g, fact, size) : error;
}

static void gathering_finish(struct gathering *g)
{
    struct buf *const bufs[] = {&g->names,
                                &g->states,
                                &g->folders.bytes,
                                &g->new_types.bytes,
                                &g->details,
                                &g->folder.column.bytes,
                                &g->type.column.bytes,
                                &g->path};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_finish(bufs[i]);
    for (size_t i = 0; i < g->type_count; i++)
        free(g->types[i]);
    free(g->types);
    free(g->levels);
    free(g->sizes);
    free(g->modified);
}

int report_files_gather(const struct report_from *from, struct report_files *ret_files)
{
    struct gathering g = {.from = from,
                          .files = ret_files,
                          .sizes = calloc(FILES_PER_PART, sizeof(int64_t)),
                          .modified = calloc(FILES_PER_PART, sizeof(int64_t))};
    *ret_files = (struct report_files){0};
    int error = !g.sizes || !g.modified ? why_set(from->why, -ENOMEM, "no memory")
                                        : file_facts(from->cf, FACTS_ALL | FACTS_BRIEF, each, &g, from->why);
    if (error == 0 && from->parts)
        error = end_rows(&g);
    if (error == 0 && from->parts)
        error = end_details(&g);
    gathering_finish(&g);
    if (error < 0)
        report_files_finish(ret_files);
    return error;
}

void report_files_finish(struct report_files *files)
{
    for (size_t i = 0; i < files->shown_count; i++) {
        free(files->shown[i].exhibit);
        free(files->shown[i].path);
        free(files->shown[i].type);
    }
    *files = (struct report_files){0};
}
