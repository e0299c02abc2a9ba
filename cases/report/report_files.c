/* report_files: see report_files.h. */
#include "cases/report/report_files.h"

#include "cases/report/report_facts.h"
#include "engine/base/json.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPES_MAX = 60000 /* the page keeps their numbers in 16 bits */ };

/* A column that mostly repeats: value, how often. */
struct runs {
    struct buf text;
    uint64_t value, count;
};

struct level {
    size_t size; /* of the path up to here */
    uint64_t id;
};

struct gathering {
    const struct report_from *from;
    struct report_files *files;
    size_t rows; /* in this part */
    struct buf names, sizes, modified, states, folders, new_types, details;
    struct runs folder, type;
    char **types;
    size_t type_count;
    uint64_t exhibit_id, folder_count;
    struct buf path; /* of the folder that the last row was in; its levels: */
    struct level *levels;
    size_t level_count, level_room;
};

/* ------------------------------------------------------------------ script */

void report_files_quote(struct buf *buf, const void *text, size_t size)
{
    const uint8_t *bytes = text;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '\\')
            buf_text(buf, "\\\\");
        else if (bytes[i] < 0x20 || bytes[i] == '\'' || bytes[i] == '<' || bytes[i] == '>' ||
                 bytes[i] == '&' || bytes[i] == 0x7f)
            buf_printf(buf, "\\x%02x", bytes[i]);
        else if (size - i >= 3 && bytes[i] == 0xe2 && bytes[i + 1] == 0x80 && (bytes[i + 2] & 0xfe) == 0xa8) {
            buf_text(buf,
                     bytes[i + 2] & 1 ? "\\u2029" : "\\u2028"); /* ends a line for old readers of scripts */
            i += 2;
        } else
            buf_u8(buf, bytes[i]);
}

static int put_part(struct gathering *g, const char *kind, const char *file, struct buf *json)
{
    struct report_out out;
    char name[PART_NAME_MAX];
    unsigned long long number = g->files->parts;
    snprintf(name, sizeof name, "%s-%04llu.js", file, number);
    int error = buf_failed(json) ? why_set(g->from->why, -ENOMEM, "no memory")
                                 : report_parts_open(g->from->parts, name, &out, g->from->why);
    if (error < 0)
        return error;
    buf_printf(&out.buf, "kvali('%s',%llu,'", kind, number);
    report_files_quote(&out.buf, json->data, json->size);
    buf_text(&out.buf, "');\n");
    return report_parts_close(g->from->parts, &out, 0, g->from->why);
}

/* ------------------------------------------------------------------ columns */

static void runs_end(struct runs *runs)
{
    if (runs->count)
        buf_printf(&runs->text, "%s%llu,%llu", runs->text.size ? "," : "", (unsigned long long)runs->value,
                   (unsigned long long)runs->count);
    runs->count = 0;
}

static void runs_add(struct runs *runs, uint64_t value)
{
    if (value != runs->value)
        runs_end(runs);
    runs->value = value;
    runs->count++;
}

static void put_list(struct json *json, const char *key, struct buf *items)
{
    struct buf list = {0};
    buf_u8(&list, '[');
    buf_append(&list, items->data, items->size);
    buf_u8(&list, ']');
    json_raw(json, key, buf_cstr(&list));
    buf_finish(&list);
    buf_clear(items);
}

static int end_part(struct gathering *g)
{
    struct buf text = {0};
    struct json json;
    if (g->rows == 0)
        return 0;
    g->files->parts++;
    runs_end(&g->folder);
    runs_end(&g->type);
    json_init(&json, &text);
    json_object_open(&json, NULL);
    put_list(&json, "folders", &g->folders);
    put_list(&json, "types", &g->new_types);
    put_list(&json, "folder", &g->folder.text);
    put_list(&json, "type", &g->type.text);
    put_list(&json, "size", &g->sizes);
    put_list(&json, "modified", &g->modified);
    json_bytes(&json, "state", g->states.data, g->states.size);
    json_bytes(&json, "names", g->names.data, g->names.size);
    json_object_close(&json);
    int error = put_part(g, "rows", "files", &text);
    buf_clear(&text);
    buf_printf(&text, "[%s]", buf_cstr(&g->details));
    if (error == 0)
        error = put_part(g, "details", "details", &text);
    buf_finish(&text);
    buf_clear(&g->states);
    buf_clear(&g->names);
    buf_clear(&g->details);
    g->rows = 0;
    return error;
}

/* ------------------------------------------------------------------ folders */

static void put_string(struct buf *list, const char *text, size_t size)
{
    struct buf one = {0};
    struct json json;
    json_init(&json, &one);
    json_array_open(&json, NULL);
    json_bytes(&json, NULL, text, size);
    json_array_close(&json);
    if (one.size >= 2) /* without the brackets */
        buf_append(list, one.data + 1, one.size - 2);
    buf_finish(&one);
}

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
    buf_printf(&g->folders, "%s%lld,", g->folders.size ? "," : "",
               g->level_count ? (long long)g->levels[g->level_count - 1].id : -1LL);
    put_string(&g->folders, name, size);
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
    if (g->new_types.size)
        buf_u8(&g->new_types, ',');
    put_string(&g->new_types, name, strlen(name));
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

static void put_seconds(struct buf *buf, int64_t when)
{
    if (when == WHEN_NONE)
        buf_text(buf, "null");
    else
        buf_printf(buf, "%lld", (long long)(when / 1000000000 - (when % 1000000000 < 0)));
}

static void count_year(struct report_files *files, int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    if (when == WHEN_NONE) {
        files->no_time++;
        return;
    }
    long year = strtol(when_format(when, text), NULL, 10);
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

static void put_details(struct buf *buf, const struct file_fact *fact)
{
    const int64_t times[] = {fact->accessed, fact->changed, fact->born};
    buf_printf(buf, "%s[\"%s\"", buf->size ? "," : "", fact->sha256);
    for (size_t i = 0; i < 3; i++) {
        buf_u8(buf, ',');
        put_seconds(buf, times[i]);
    }
    buf_u8(buf, ',');
    put_string(buf, fact->grade, strlen(fact->grade));
    buf_u8(buf, ']');
}

static int put_row(struct gathering *g, const struct file_fact *fact, uint64_t size)
{
    const char *slash = strrchr(fact->path, '/');
    uint64_t type = 0;
    int error = enter_folder(g, fact, slash ? (size_t)(slash - fact->path) : 0);
    if (error == 0)
        error = type_number(g, type_word(fact), &type);
    if (error < 0)
        return error;
    buf_text(&g->names, slash ? slash + 1 : fact->path);
    buf_u8(&g->names, '/'); /* the one byte that no name has, and that is written as it is */
    buf_printf(&g->sizes, "%s%llu", g->rows ? "," : "", (unsigned long long)size);
    if (g->rows)
        buf_u8(&g->modified, ',');
    put_seconds(&g->modified, fact->modified);
    buf_u8(&g->states, (uint8_t)state_letter(fact));
    put_details(&g->details, fact);
    runs_add(&g->folder, g->levels[g->level_count - 1].id);
    runs_add(&g->type, type);
    if (buf_failed(&g->names) || buf_failed(&g->details) || buf_failed(&g->folders))
        return -ENOMEM;
    return ++g->rows == FILES_PER_PART ? end_part(g) : 0;
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
    struct buf *const bufs[] = {&g->names,     &g->sizes,   &g->modified,    &g->states,    &g->folders,
                                &g->new_types, &g->details, &g->folder.text, &g->type.text, &g->path};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_finish(bufs[i]);
    for (size_t i = 0; i < g->type_count; i++)
        free(g->types[i]);
    free(g->types);
    free(g->levels);
}

int report_files_gather(const struct report_from *from, struct report_files *ret_files)
{
    struct gathering g = {.from = from, .files = ret_files};
    *ret_files = (struct report_files){0};
    int error = file_facts(from->cf, FACTS_ALL, each, &g, from->why);
    if (error == 0 && from->parts)
        error = end_part(&g);
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
