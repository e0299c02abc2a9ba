/* report: see report.h. */
#include "cases/report/report.h"

#include "cases/report/report_formats.h"
#include "engine/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line adds a format. */
static const struct report_format formats[] = {
    {"html", "html", "for people: one file that opens offline in any browser, and prints on A4"},
    {"json", "json", "the same for programs"},
};
static void (*const renders[])(struct buf *, const struct report_model *, enum report_lang, const char *) = {
    report_html,
    report_json,
};
enum { FORMATS = sizeof formats / sizeof *formats };
_Static_assert(sizeof renders / sizeof *renders == FORMATS, "a format has a name and a function");

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

/* The first number that no format has a file of. */
static int next_number(int folder, unsigned *ret_number)
{
    for (unsigned number = 1; number < UINT_MAX; number++) {
        bool taken = false;
        for (size_t i = 0; i < FORMATS && !taken; i++) {
            char name[64];
            struct stat st;
            snprintf(name, sizeof name, "report-%04u.%s", number, formats[i].extension);
            if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                taken = true;
            else if (errno != ENOENT)
                return -errno;
        }
        if (!taken) {
            *ret_number = number;
            return 0;
        }
    }
    return -EOVERFLOW;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Whole and on disk under its name, or not there at all. The case's lock keeps others away. */
static int write_file(int folder, const char *name, const struct buf *buf)
{
    char partial[80];
    snprintf(partial, sizeof partial, "%s.partial", name);
    int fd = openat(folder, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, buf->data, buf->size);
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

static int record_artifact(struct casefile *cf, const char *name, const char *format, uint64_t size,
                           const char *sha256, struct why *why)
{
    struct buf fields = {0};
    struct json json;
    char path[96];
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

static int write_format(struct casefile *cf, int folder, unsigned number, const struct report_format *format,
                        const struct report_model *model, enum report_lang lang,
                        struct report_written *written, struct why *why)
{
    char title[32], name[64];
    struct buf buf = {0};
    snprintf(title, sizeof title, "report-%04u", number);
    snprintf(name, sizeof name, "%s.%s", title, format->extension);
    renders[format - formats](&buf, model, lang, title);

    int error = buf_failed(&buf) ? -ENOMEM : write_file(folder, name, &buf);
    char *path = NULL;
    if (error == 0 && asprintf(&path, "%s/reports/%s", casefile_folder(cf), name) < 0) {
        path = NULL;
        error = -ENOMEM;
    }
    if (error < 0) {
        why_set(why, error, "%s/reports/%s: %s", casefile_folder(cf), name, strerror(-error));
    } else {
        size_t slot = written->count;
        hash_sha256_hex(buf.data, buf.size, written->sha256[slot]);
        error = record_artifact(cf, name, format->name, buf.size, written->sha256[slot], why);
        if (error == 0) {
            written->paths[written->count++] = path;
            path = NULL;
        }
    }
    free(path);
    buf_finish(&buf);
    return error;
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
    unsigned number = 0;
    *ret_written = (struct report_written){0};
    int folder = open_folder(cf, why);
    if (folder < 0)
        return folder;
    int error = next_number(folder, &number);
    if (error < 0)
        why_set(why, error, "%s/reports: %s", casefile_folder(cf), strerror(-error));
    else
        error = report_model_new(cf, options->now, &model, why);
    for (size_t i = 0; i < options->format_count && i < REPORT_FORMATS_MAX && error == 0; i++)
        error = write_format(cf, folder, number, options->formats[i], model, options->lang, ret_written, why);
    report_model_free(model);
    close(folder);
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

int report_render(struct casefile *cf, const struct report_format *format, enum report_lang lang, int64_t now,
                  struct buf *buf, struct why *why)
{
    struct report_model *model = NULL;
    int error = report_model_new(cf, now, &model, why);
    if (error < 0)
        return error;
    renders[format - formats](buf, model, lang, "report");
    report_model_free(model);
    return buf_failed(buf) ? why_set(why, -ENOMEM, "no memory") : 0;
}
