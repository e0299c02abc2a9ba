/*
 * batch_manifest: what is to be done, as a lab writes it: TOML, or CSV [RFC 4180] from a spreadsheet. Both
 * become the same table of keys, whose meaning is in one place.
 */
#include "cases/batch.h"

#include "cases/custody_private.h"
#include "cases/seal.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MANIFEST_MAX = 16 << 20,
    COLUMNS_MAX = 64,
    WORDS_MAX = 400 /* of one exhibit: they become a command line */
};

struct reading {
    const char *path;
    char folder[PATH_MAX]; /* of the manifest: what relative paths are relative to */
    size_t number;
    int (*each)(void *context, struct batch_row *row);
    void *context;
    struct why *why;
};

static int wrong(const struct reading *r, const char *key, const char *what)
{
    return why_set(r->why, -EINVAL, "%s: exhibit %zu: %s: %s", r->path, r->number, key, what);
}

/* ------------------------------------------------------------------ values */

/* An LF would be another member of a list. */
static int add(const struct reading *r, struct buf *list, const char *key, const char *value, bool is_path)
{
    if (!*value || strpbrk(value, "\n\r"))
        return wrong(r, key, "empty, or with a line end in it");
    if (is_path && value[0] != '/')
        buf_printf(list, "%s/", r->folder);
    buf_printf(list, "%s\n", value);
    return 0;
}

/* A text, or a list of texts. */
static int add_all(const struct reading *r, struct buf *list, const char *key, const json_t *value,
                   bool is_path)
{
    char room[24];
    int code = 0;
    if (!json_is_array(value)) {
        const char *text = custody_scalar(value, room);
        return text ? add(r, list, key, text, is_path) : wrong(r, key, "expected a text or a list of texts");
    }
    for (size_t i = 0; code == 0 && i < json_array_size(value); i++)
        code = add_all(r, list, key, json_array_get(value, i), is_path);
    return code;
}

/* How one word of a list becomes words of the command line. */
typedef int put_word(const struct reading *r, struct buf *arguments, const char *option, const char *word);

static int add_words(const struct reading *r, struct buf *arguments, const char *key, const char *option,
                     const json_t *value, bool is_path, put_word *put)
{
    struct buf list = {0};
    int code = add_all(r, &list, key, value, is_path);
    if (code == 0 && buf_failed(&list))
        code = -ENOMEM;
    char *text = code == 0 ? buf_steal(&list) : NULL, *save = NULL;
    for (char *one = text ? strtok_r(text, "\n", &save) : NULL; code == 0 && one;
         one = strtok_r(NULL, "\n", &save))
        code = put(r, arguments, option, one);
    free(text);
    buf_finish(&list);
    return code;
}

/* --rules A --rules B */
static int put_option(const struct reading *r, struct buf *arguments, const char *option, const char *word)
{
    (void)r;
    buf_printf(arguments, "%s\n%s\n", option, word);
    return 0;
}

/* ------------------------------------------------------------------ keys */

/* Where the name of a file begins in [LABEL=]@FILE or [LABEL=]file:PATH; NULL: it is a key itself, or may be
 * one. `kvali process`, too, looks for a kind before it looks for a label. */
static const char *key_file(const char *spec)
{
    static const char *const clear[] = {"password:", "recovery:", "master:"};
    for (int label = 0; label < 2; label++) {
        for (size_t i = 0; i < sizeof clear / sizeof *clear; i++)
            if (strncmp(spec, clear[i], strlen(clear[i])) == 0)
                return NULL;
        if (spec[0] == '@' && spec[1])
            return spec + 1;
        if (strncmp(spec, "file:", 5) == 0 && spec[5])
            return spec + 5;
        const char *equals = strchr(spec, '=');
        if (label || !equals || equals == spec)
            break;
        spec = equals + 1;
    }
    return NULL;
}

/* Queue, logs and summary hold no secrets, and neither does what is said here: only who reads the file that
 * is named has the key. */
static int put_key(const struct reading *r, struct buf *arguments, const char *option, const char *word)
{
    const char *file = key_file(word);
    if (!file)
        return wrong(r, "keys",
                     "a key itself does not stand in a manifest, for the queue holds no secrets: name a "
                     "file, as @FILE "
                     "(a SPEC of --key a line) or file:PATH (a key file)");
    buf_printf(arguments, "%s\n%.*s%s%s%s\n", option, (int)(file - word), word,
               file[0] == '/' ? "" : r->folder, file[0] == '/' ? "" : "/", file);
    return 0;
}

/* The other options, among which --key would be a way around. */
static int put_other(const struct reading *r, struct buf *arguments, const char *option, const char *word)
{
    (void)option;
    if (strcspn(word, "=") == 5 && strncmp(word, "--key", 5) == 0)
        return wrong(r, "options", "--key has a key of its own here: keys = [\"@FILE\"]");
    buf_printf(arguments, "%s\n", word);
    return 0;
}

static int set_text(const struct reading *r, char **ret, const char *key, const json_t *value, bool is_path)
{
    struct buf list = {0};
    int code =
        json_is_array(value) ? wrong(r, key, "expected a text") : add_all(r, &list, key, value, is_path);
    char *text = code == 0 ? buf_steal(&list) : NULL;
    buf_finish(&list);
    if (code == 0 && !text)
        return -ENOMEM;
    if (code)
        return code;
    text[strlen(text) - 1] = 0; /* add puts an LF behind everything */
    free(*ret);
    *ret = text;
    return 0;
}

static int set_number(const struct reading *r, int64_t *ret, const char *key, const json_t *value)
{
    char room[24], *end;
    const char *text = custody_scalar(value, room);
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || number < -1000000 || number > 1000000)
        return wrong(r, key, "expected a whole number from -1000000 to 1000000");
    *ret = number;
    return 0;
}

static int set_bool(const struct reading *r, bool *ret, const char *key, const json_t *value)
{
    char room[24];
    const char *text =
        json_is_boolean(value) ? json_is_true(value) ? "true" : "false" : custody_scalar(value, room);
    if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
        return wrong(r, key, "expected true or false");
    *ret = strcmp(text, "true") == 0;
    return 0;
}

static int set_when(const struct reading *r, int64_t *ret, const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    return text && when_parse(text, ret)
               ? 0
               : wrong(r, key, "expected a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z");
}

/* ------------------------------------------------------------------ one exhibit */

struct row {
    struct batch_row row;
    struct buf evidence, arguments, formats;
};

static int set(const struct reading *r, struct row *row, const char *key, const json_t *value)
{
    static const struct {
        const char *key, *option;
        bool is_path;
    } options[] = {
        {"profile", "--profile", false},   {"plugins", "--plugins", false},  {"rules", "--rules", true},
        {"hashsets", "--hashset", false},  {"keywords", "--keywords", true}, {"settings", "--set", false},
        {"examiner", "--examiner", false}, {"number", "--number", false},    {"type", "--type", false},
        {"lang", "--lang", false},
    };
    struct batch_task *task = &row->row.task;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(key, options[i].key) == 0)
            return add_words(r, &row->arguments, key, options[i].option, value, options[i].is_path,
                             put_option);
    if (strcmp(key, "case") == 0)
        return set_text(r, &task->folder, key, value, true);
    if (strcmp(key, "exhibit") == 0)
        return set_text(r, &task->exhibit, key, value, false);
    if (strcmp(key, "evidence") == 0)
        return add_all(r, &row->evidence, key, value, true);
    if (strcmp(key, "formats") == 0)
        return add_all(r, &row->formats, key, value, false);
    if (strcmp(key, "keys") == 0)
        return add_words(r, &row->arguments, key, "--key", value, false, put_key);
    if (strcmp(key, "options") == 0)
        return add_words(r, &row->arguments, key, "", value, false, put_other);
    if (strcmp(key, "priority") == 0)
        return set_number(r, &task->priority, key, value);
    if (strcmp(key, "deadline") == 0)
        return set_when(r, &task->deadline, key, value);
    if (strcmp(key, "triage") != 0)
        return wrong(
            r, key,
            "there is no such key; expected case, exhibit, evidence, profile, plugins, rules, hashsets, "
            "keywords, "
            "keys, settings, options, formats, priority, deadline, triage, number, examiner, type or lang");
    row->row.triage_said = true;
    return set_bool(r, &row->row.wants_triage, key, value);
}

static int count_members(const char *list)
{
    int count = 0;
    for (; *list; list++)
        count += *list == '\n';
    return count;
}

/* What cannot be known (a folder, a file that is not there yet) counts as nothing. */
static uint64_t sum_sizes(const char *list)
{
    char *copy = strdup(list), *save = NULL;
    uint64_t sum = 0;
    for (char *path = copy ? strtok_r(copy, "\n", &save) : NULL; path; path = strtok_r(NULL, "\n", &save)) {
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_size;
    }
    free(copy);
    return sum;
}

static int check(const struct reading *r, struct row *row)
{
    struct batch_task *task = &row->row.task;
    if (!task->folder)
        return wrong(r, "case", "it is missing");
    if (row->evidence.size == 0)
        return wrong(r, "evidence", "it is missing");
    if (!task->exhibit && !(task->exhibit = strdup("")))
        return -ENOMEM;
    task->evidence = buf_steal(&row->evidence);
    task->arguments = row->arguments.size ? buf_steal(&row->arguments) : strdup("");
    task->formats = row->formats.size ? buf_steal(&row->formats) : strdup("");
    if (!task->evidence || !task->arguments || !task->formats)
        return -ENOMEM;
    for (size_t size = strlen(task->folder); size > 1 && task->folder[size - 1] == '/'; size--)
        task->folder[size - 1] = 0;
    if (count_members(task->evidence) + count_members(task->arguments) + 2 * count_members(task->formats) >
        WORDS_MAX)
        return wrong(r, "evidence", "there are too many paths and options: at most 400 together");
    if (task->exhibit[0] && count_members(task->evidence) > 1)
        return wrong(r, "exhibit", "it names one piece of evidence, but there are several");
    task->evidence_bytes = sum_sizes(task->evidence);
    return 0;
}

static int read_row(struct reading *r, json_t *defaults, json_t *object)
{
    struct row row = {.row.task = {.deadline = INT64_MAX}};
    const char *key;
    json_t *value;
    int code = 0;
    r->number++;
    json_object_foreach(defaults, key, value)
    {
        if (code == 0 && strcmp(key, "exhibit") != 0 && !json_object_get(object, key))
            code = set(r, &row, key, value);
    }
    json_object_foreach(object, key, value)
    {
        if (code == 0)
            code = set(r, &row, key, value);
    }
    if (code == 0)
        code = check(r, &row);
    if (code == 0)
        code = r->each(r->context, &row.row);
    buf_finish(&row.evidence);
    buf_finish(&row.arguments);
    buf_finish(&row.formats);
    batch_task_finish(&row.row.task);
    return code;
}

/* ------------------------------------------------------------------ TOML */

static int read_toml(struct reading *r, const struct buf *text)
{
    json_t *object = NULL;
    int code = toml_read(r->path, text->size ? (const char *)text->data : "", text->size, &object, r->why);
    if (code)
        return code;
    json_t *list = json_object_get(object, "exhibit");
    if (json_array_size(list) == 0 || !json_is_object(json_array_get(list, 0)))
        code = why_set(r->why, -EINVAL, "%s: there is no [[exhibit]] in it", r->path);
    for (size_t i = 0; code == 0 && i < json_array_size(list); i++)
        code = read_row(r, object, json_array_get(list, i));
    json_decref(object);
    return code;
}

/* ------------------------------------------------------------------ CSV */

/* One field; *at then stands on what ended it. */
static void read_field(const char **at, const char *end, struct buf *ret)
{
    bool quoted = *at < end && **at == '"';
    buf_clear(ret);
    *at += quoted;
    while (*at < end && (quoted || !strchr(",\r\n", **at))) {
        if (quoted && **at == '"' && (*at + 1 == end || (*at)[1] != '"')) {
            quoted = false;
            (*at)++;
            continue;
        }
        *at += quoted && **at == '"'; /* two of them are one */
        buf_u8(ret, (uint8_t) * (*at)++);
    }
}

static json_t *cell(const char *text)
{
    json_t *list = json_array();
    char *copy = strdup(text), *save = NULL;
    for (char *one = copy ? strtok_r(copy, ";", &save) : NULL; one; one = strtok_r(NULL, ";", &save))
        json_array_append_new(list, json_string(one));
    free(copy);
    if (json_array_size(list) > 1)
        return list;
    json_decref(list);
    return json_string(text);
}

static int read_record(const struct reading *r, const char **at, const char *end, char *names[COLUMNS_MAX],
                       size_t *name_count, json_t *ret)
{
    struct buf field = {0};
    int code = 0;
    for (size_t column = 0; code == 0; column++) {
        read_field(at, end, &field);
        if (buf_failed(&field))
            code = -ENOMEM;
        else if (!ret && column < COLUMNS_MAX)
            names[(*name_count)++] = strdup(buf_cstr(&field));
        else if (ret && field.size && column >= *name_count)
            code = why_set(r->why, -EINVAL, "%s: exhibit %zu: more fields than the first line names", r->path,
                           r->number + 1);
        else if (ret && field.size)
            json_object_set_new(ret, names[column], cell(buf_cstr(&field)));
        if (*at == end || **at != ',')
            break;
        (*at)++;
    }
    while (*at < end && (**at == '\r' || **at == '\n'))
        (*at)++;
    buf_finish(&field);
    return code;
}

static int read_csv(struct reading *r, const struct buf *text)
{
    const char *at = text->size ? (const char *)text->data : "", *end = at + text->size;
    char *names[COLUMNS_MAX];
    size_t count = 0;
    if (text->size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    json_t *nothing = json_object();
    int code = at < end ? read_record(r, &at, end, names, &count, NULL)
                        : why_set(r->why, -EINVAL, "%s: it is empty", r->path);
    while (code == 0 && at < end) {
        json_t *object = json_object();
        code = read_record(r, &at, end, names, &count, object);
        if (code == 0 && json_object_size(object))
            code = read_row(r, nothing, object);
        json_decref(object);
    }
    if (code == 0 && r->number == 0)
        code = why_set(r->why, -EINVAL, "%s: there is no exhibit in it", r->path);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    json_decref(nothing);
    return code;
}

int batch_manifest_read(const char *path, int (*each)(void *context, struct batch_row *row), void *context,
                        struct why *why)
{
    struct reading r = {.path = path, .each = each, .context = context, .why = why};
    struct buf text = {0};
    size_t size = strlen(path);
    char *slash;
    if (!realpath(path, r.folder))
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    if ((slash = strrchr(r.folder, '/')))
        *slash = 0;
    int code = file_read(path, MANIFEST_MAX, &text, why);
    if (code == 0 && text.size && (memchr(text.data, 0, text.size) || !text_is_utf8(text.data, text.size)))
        code =
            why_set(why, -EINVAL, "%s: it is no text in UTF-8: a spreadsheet calls that \"CSV UTF-8\"", path);
    if (code == 0)
        code = size > 4 && strcmp(path + size - 4, ".csv") == 0 ? read_csv(&r, &text) : read_toml(&r, &text);
    if (code == -ENOMEM)
        why_set(why, code, "out of memory");
    buf_finish(&text);
    return code;
}
