/*
 * custody_file: records and a lab's defaults from files, TOML or JSON.
 */
#include "cases/custody_private.h"
#include "cases/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_SIZE_MAX = 16 << 20 };

static int read_json(const char *path, const struct buf *text, json_t **ret, struct why *why)
{
    json_error_t error;
    *ret = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    return *ret ? 0 : why_set(why, -EINVAL, "%s: line %d: %s", path, error.line, error.text);
}

static int read_any(const char *path, json_t **ret, struct why *why)
{
    struct buf text = {0};
    size_t size = strlen(path);
    bool json = size > 5 && strcmp(path + size - 5, ".json") == 0;
    int code = file_read(path, FILE_SIZE_MAX, &text, why);
    if (code == 0)
        code = json ? read_json(path, &text, ret, why)
                    : toml_read(path, text.size ? (const char *)text.data : "", text.size, ret, why);
    if (code == 0 && !json_is_object(*ret)) {
        json_decref(*ret);
        code = why_set(why, -EINVAL, "%s: expected an object", path);
    }
    buf_finish(&text);
    return code;
}

/* ------------------------------------------------------------------ records */

static int set_value(struct custody_draft *draft, const char *name, const json_t *value, struct why *why)
{
    char room[24];
    const char *text = custody_scalar(value, room);
    return text ? custody_draft_set(draft, name, text, why)
                : why_set(why, -EINVAL, "%s: expected a text or a whole number", name);
}

static int set_all(struct custody_draft *draft, json_t *object, struct why *why)
{
    const char *name;
    json_t *value, *one;
    size_t i;
    int code = 0;
    json_object_foreach(object, name, value)
    {
        if (json_is_array(value)) {
            json_array_foreach(value, i, one) if (code == 0) code = set_value(draft, name, one, why);
        } else if (code == 0) {
            code = set_value(draft, name, value, why);
        }
    }
    return code;
}

struct reading {
    const char *path;
    int (*each)(void *context, struct custody_draft *draft);
    void *context;
    struct why *why;
};

static int read_record(const struct reading *r, const struct custody_kind *kind, json_t *object,
                       size_t number)
{
    struct why cause = {{0}};
    if (!json_is_object(object))
        return why_set(r->why, -EINVAL, "%s: %s: expected a table or a list of tables", r->path, kind->word);
    struct custody_draft *draft = custody_draft_new(kind);
    int code = draft ? set_all(draft, object, &cause) : -ENOMEM;
    if (code)
        why_set(r->why, code, "%s: %s %zu: %s", r->path, kind->word, number, cause.text);
    else
        code = r->each(r->context, draft);
    custody_draft_free(draft);
    return code;
}

static int read_kind(const struct reading *r, const struct custody_kind *kind, json_t *value)
{
    int code = 0;
    if (!json_is_array(value))
        return read_record(r, kind, value, 1);
    for (size_t i = 0; code == 0 && i < json_array_size(value); i++)
        code = read_record(r, kind, json_array_get(value, i), i + 1);
    return code;
}

/* Tables by kind, in the order in which one may name the other: persons before what they did. */
static int read_tables(const struct reading *r, json_t *object)
{
    const char *name;
    json_t *value;
    int code = 0;
    json_object_foreach(object, name, value) if (!custody_kind_named(name)) return why_set(
        r->why, -EINVAL, "%s: %s: there is no such kind of record", r->path, name);
    const struct custody_kind *kind;
    for (size_t i = 0; code == 0 && (kind = custody_kind(i)); i++)
        if ((value = json_object_get(object, kind->word)))
            code = read_kind(r, kind, value);
    return code;
}

static bool is_tables(json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) if (json_is_object(value) ||
                                                 (json_is_array(value) &&
                                                  json_is_object(json_array_get(value, 0)))) return true;
    return false;
}

int custody_file(const char *path, const struct custody_kind *kind,
                 int (*each)(void *context, struct custody_draft *draft), void *context, struct why *why)
{
    json_t *object = NULL;
    struct reading r = {.path = path, .each = each, .context = context, .why = why};
    int code = read_any(path, &object, why);
    if (code)
        return code;
    code = is_tables(object) ? read_tables(&r, object) : read_record(&r, kind, object, 1);
    json_decref(object);
    return code;
}

/* ------------------------------------------------------------------ the lab */

struct lab {
    json_t *object;
};

static bool default_path(char *ret, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config)
        return snprintf(ret, size, "%s/kvali/lab.toml", config) < (int)size;
    return home && *home && snprintf(ret, size, "%s/.config/kvali/lab.toml", home) < (int)size;
}

int lab_load(const char *path, struct lab **ret_lab, struct why *why)
{
    char room[4096];
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return why_set(why, -ENOMEM, "out of memory");
    if (!path && default_path(room, sizeof room))
        path = room;
    int code = path ? read_any(path, &lab->object, why) : 0;
    if (code == -ENOENT && path == room)
        code = 0;
    if (code) {
        free(lab);
        return code;
    }
    *ret_lab = lab;
    return 0;
}

void lab_free(struct lab *lab)
{
    if (!lab)
        return;
    json_decref(lab->object);
    free(lab);
}

const char *lab_value(const struct lab *lab, const char *section, const char *key, size_t index)
{
    static char room[24];
    json_t *value = lab ? json_object_get(json_object_get(lab->object, section), key) : NULL;
    char hyphens[64];
    size_t size = 0;
    for (; !value && lab && key[size] && size + 1 < sizeof hyphens; size++)
        hyphens[size] = key[size] == '_' ? '-' : key[size];
    hyphens[size] = 0;
    if (!value && size)
        value = json_object_get(json_object_get(lab->object, section), hyphens);
    if (json_is_array(value))
        value = json_array_get(value, index);
    else if (index)
        value = NULL;
    return value ? custody_scalar(value, room) : NULL;
}
