/* report: see report.h. */
#include "cases/report/report.h"

#include "cases/report/report_files.h"
#include "cases/report/report_formats.h"
#include "cases/report/report_parts.h"
#include "engine/base/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct report_format formats[] = {
#define FORMAT(name, extension, writer, usual, of_views, what) {name, extension, usual, of_views, what},
#include "cases/report/report_formats.inc"
#undef FORMAT
};
static report_writer *const writers[] = {
#define FORMAT(name, extension, writer, usual, of_views, what) writer,
#include "cases/report/report_formats.inc"
#undef FORMAT
};
enum { FORMATS = sizeof formats / sizeof *formats };
_Static_assert((int)FORMATS <= (int)REPORT_FORMATS_MAX, "room for all formats");

const struct report_format *report_formats(size_t *ret_count)
{
    *ret_count = FORMATS;
    return formats;
}

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

int report_write_html(struct report_out *out, const struct report_from *from)
{
    struct report_files files;
    int error = report_files_gather(from, &files);
    if (error < 0)
        return error;
    report_html(&out->buf, from->model, &files, from->lang, from->name);
    report_files_finish(&files);
    return 0;
}

int report_write_json(struct report_out *out, const struct report_from *from)
{
    report_json(&out->buf, from->model, from->lang, from->name);
    return 0;
}

/* ------------------------------------------------------------------ one writer */

static int write_format(struct report_out *out, const struct report_format *format,
                        const struct report_from *from)
{
    struct db *db = casefile_db(from->cf);
    db_sort_on_disk(db, true);
    int error = db_exec(db, "BEGIN"); /* one snapshot */
    if (error == 0)
        error = writers[format - formats](out, from);
    db_rollback(db); /* nothing was written */
    db_sort_on_disk(db, false);
    if (error < 0) {
        if (from->why && !from->why->text[0])
            why_set(from->why, error, "%s/case.db: %s", casefile_folder(from->cf), db_error(db));
        return error;
    }
    error = report_out_end(out);
    return error < 0 ? why_set(from->why, error, "%s", strerror(-error)) : 0;
}

/* ------------------------------------------------------------------ files */

struct writing {
    const struct report_options *options;
    struct report_from from;
    struct report_written *written;
    int folder;
    unsigned number;
};

/* One more than the highest number that a file has. */
static int next_number(int folder, unsigned *ret_number)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    unsigned highest = 0, number;
    if (!dir)
        return -errno;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char after;
        if (sscanf(entry->d_name, "report-%9u%c", &number, &after) == 2 && (after == '.' || after == '-') &&
            number > highest)
            highest = number;
    }
    int error = -errno;
    closedir(dir);
    *ret_number = highest + 1;
    return error;
}

static int close_file(int folder, int fd, const char *partial, const char *name, int error)
{
    if (error == 0 && fsync(fd) < 0)
        error = -errno;
    if (close(fd) < 0 && error == 0)
        error = -errno;
    if (error == 0 && renameat(folder, partial, folder, name) < 0)
        error = -errno;
    if (error == 0 && fsync(folder) < 0)
        error = -errno;
    if (error < 0)
        unlinkat(folder, partial, 0);
    return error;
}

/* Whole and on disk under its name, or not there at all. The case's lock keeps others away. */
static int write_file(struct writing *w, const char *name, const struct report_format *format,
                      uint64_t *ret_size, char ret_sha256[SHA256_HEX_SIZE])
{
    char partial[128];
    struct report_out out;
    snprintf(partial, sizeof partial, "%s.partial", name);
    int fd = openat(w->folder, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return why_set(w->from.why, -errno, "reports/%s: %s", partial, strerror(errno));
    int error = report_out_init(&out, fd);
    if (error == 0)
        error = write_format(&out, format, &w->from);
    if (error == 0)
        error = report_parts_done(w->from.parts, w->from.why);
    int closed = close_file(w->folder, fd, partial, name, error);
    if (error == 0 && closed < 0)
        error = why_set(w->from.why, closed, "%s/reports/%s: %s", casefile_folder(w->from.cf), name,
                        strerror(-closed));
    if (error == 0) {
        *ret_size = out.size;
        report_out_sha256(&out, ret_sha256);
    }
    report_out_finish(&out);
    return error;
}

static int record_artifact(struct casefile *cf, const char *name, const char *format, uint64_t size,
                           const char *sha256, struct why *why)
{
    struct buf fields = {0};
    struct json json;
    char path[128];
    snprintf(path, sizeof path, "reports/%s", name);
    json_init(&json, &fields);
    json_object_open(&json, NULL);
    json_text(&json, "format", format);
    json_text(&json, "kind", "report");
    json_text(&json, "path", path);
    json_text(&json, "sha256", sha256);
    json_u64(&json, "size", size);
    json_object_close(&json);
    int error = buf_failed(&fields) ? why_set(why, -ENOMEM, "no memory")
                                    : ledger_append(casefile_ledger(cf), "artifact", buf_cstr(&fields), why);
    buf_finish(&fields);
    return error;
}

static int record_parts(struct writing *w, const struct report_parts *parts, const char *format)
{
    char name[192];
    int error = 0;
    for (size_t i = 0; i < parts->count && error == 0; i++) {
        const struct report_part *part = &parts->items[i];
        snprintf(name, sizeof name, "%s/%s", parts->name, part->name);
        error = record_artifact(w->from.cf, name, format, part->size, part->sha256, w->from.why);
        w->written->part_count++;
        w->written->part_bytes += part->size;
    }
    return error;
}

static int write_one(struct writing *w, const struct report_format *format, const char *view)
{
    struct report_written *written = w->written;
    struct report_parts parts;
    char name[112], folder[48], *path = NULL;
    uint64_t size = 0;
    if (written->count == REPORT_FILES_MAX)
        return why_set(w->from.why, -EOVERFLOW, "more than %d files", REPORT_FILES_MAX);
    snprintf(name, sizeof name, "report-%04u%s%.64s.%s", w->number, view ? "-" : "", view ? view : "",
             format->extension);
    snprintf(folder, sizeof folder, "report-%04u-files", w->number);
    w->from.view = view;
    report_parts_init(&parts, w->folder, folder);
    w->from.parts = &parts;
    int error = write_file(w, name, format, &size, written->sha256[written->count]);
    bool whole = error == 0; /* and stays so, when not all of it can be recorded: what the ledger names must be there */
    if (error == 0)
        error = record_artifact(w->from.cf, name, format->name, size, written->sha256[written->count],
                                w->from.why);
    if (error == 0)
        error = record_parts(w, &parts, format->name);
    report_parts_finish(&parts, whole);
    if (error == 0 && asprintf(&path, "%s/reports/%s", casefile_folder(w->from.cf), name) < 0)
        error = why_set(w->from.why, -ENOMEM, "no memory");
    else if (error == 0)
        written->paths[written->count++] = path;
    return error;
}

/* ------------------------------------------------------------------ views */

struct views {
    char *names[REPORT_VIEWS_MAX];
    size_t count;
};

/* The views of this case that are wanted, sorted. */
static int list_views(struct casefile *cf, const char *only, struct views *ret_views, struct why *why)
{
    struct db_statement *s = NULL;
    int error = db_prepare(
        casefile_db(cf),
        "SELECT name FROM sqlite_master WHERE type = 'view' AND (?1 IS NULL OR name = ?1) AND name NOT GLOB "
        "'*[^a-z0-9_]*' ORDER BY name",
        &s);
    if (error == 0)
        db_bind_text(s, 1, only);
    while (error == 0 && ret_views->count < REPORT_VIEWS_MAX && (error = db_step(s)) == 1) {
        char *name = strdup(db_text(s, 0));
        error = name ? 0 : -ENOMEM;
        if (name)
            ret_views->names[ret_views->count++] = name;
    }
    db_finalize(s);
    if (error < 0)
        return why_set(why, error, "%s/case.db: %s", casefile_folder(cf), strerror(-error));
    return ret_views->count || !only ? 0 : why_set(why, -EINVAL, "%s: the case has no such view", only);
}

static void views_finish(struct views *views)
{
    for (size_t i = 0; i < views->count; i++)
        free(views->names[i]);
}

static int write_of_views(struct writing *w, const struct report_format *format)
{
    struct views views = {0};
    int error = list_views(w->from.cf, w->options->view, &views, w->from.why);
    for (size_t i = 0; i < views.count && error == 0; i++)
        error = write_one(w, format, views.names[i]);
    views_finish(&views);
    return error;
}

/* ------------------------------------------------------------------ all */

/* Of the state that is reported, so that it is the same whenever it is written. */
static void report_id(const struct report_model *model, char ret[24])
{
    char text[512], hex[SHA256_HEX_SIZE];
    int size = snprintf(text, sizeof text, "kvali-report\n%s\n%llu\n%s\n", model->ledger_head,
                        (unsigned long long)model->ledger_count, model->findings_digest);
    hash_sha256_hex(text, (size_t)size, hex);
    snprintf(ret, 24, "%.4s-%.4s-%.4s", hex, hex + 4, hex + 8);
}

/* Opens CASE/reports, making it when it is missing. A link in its place is refused. */
static int open_folder(const struct casefile *cf, struct why *why)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/reports", casefile_folder(cf)) >= (int)sizeof path)
        return why_set(why, -ENAMETOOLONG, "%s: the path is too long", casefile_folder(cf));
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : why_set(why, -errno, "%s: %s", path, strerror(errno));
}

int report_write(struct casefile *cf, const struct report_options *options,
                 struct report_written *ret_written, struct why *why)
{
    struct report_model *model = NULL;
    char id[24];
    *ret_written = (struct report_written){0};
    struct writing w = {.options = options, .written = ret_written, .folder = open_folder(cf, why)};
    if (w.folder < 0)
        return w.folder;
    int error = next_number(w.folder, &w.number);
    if (error < 0)
        why_set(why, error, "%s/reports: %s", casefile_folder(cf), strerror(-error));
    else
        error = report_model_new(cf, options->now, &model, why);
    if (error == 0)
        report_id(model, id);
    w.from = (struct report_from){cf, model, options->lang, id, NULL, NULL, why};
    for (size_t i = 0; i < options->format_count && error == 0; i++)
        error = options->formats[i]->of_views ? write_of_views(&w, options->formats[i])
                                              : write_one(&w, options->formats[i], NULL);
    report_model_free(model);
    close(w.folder);
    return error;
}

void report_written_finish(struct report_written *written)
{
    if (!written)
        return;
    for (size_t i = 0; i < written->count; i++)
        free(written->paths[i]);
    *written = (struct report_written){0};
}

static int render(struct casefile *cf, const struct report_options *options, struct report_out *out,
                  struct why *why)
{
    struct report_model *model = NULL;
    struct views views = {0};
    char id[24];
    int error = report_model_new(cf, options->now, &model, why);
    if (error < 0)
        return error;
    report_id(model, id);
    if (options->formats[0]->of_views)
        error = list_views(cf, options->view, &views, why);
    if (error == 0)
        error = write_format(
            out, options->formats[0],
            &(struct report_from){cf, model, options->lang, id, views.count ? views.names[0] : NULL, NULL, why});
    views_finish(&views);
    report_model_free(model);
    return error;
}

int report_print(struct casefile *cf, const struct report_options *options, int fd, struct why *why)
{
    struct report_out out;
    int error = report_out_init(&out, fd);
    if (error == 0)
        error = render(cf, options, &out, why);
    report_out_finish(&out);
    return error;
}

int report_render(struct casefile *cf, const struct report_format *format, enum report_lang lang, int64_t now,
                  struct buf *buf, struct why *why)
{
    struct report_out out;
    int error = report_out_init(&out, -1);
    if (error < 0)
        return why_set(why, error, "no memory");
    error =
        render(cf, &(struct report_options){.formats = &format, .format_count = 1, .lang = lang, .now = now},
               &out, why);
    if (error == 0)
        buf_append(buf, out.buf.data, out.buf.size);
    report_out_finish(&out);
    return error == 0 && buf_failed(buf) ? why_set(why, -ENOMEM, "no memory") : error;
}
