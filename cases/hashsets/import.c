/*
 * import: tells each file's format by its beginning, and drives its reader.
 */
#include "cases/hashsets/import_private.h"

#include "cases/hashsets/feed.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 65536 };

/* The first that fits; the most particular first. */
static const struct import_format *const formats[] = {
    &import_sqlite, &import_encase, &import_json, &import_hashdeep, &import_nsrl2, &import_similar, &import_list, &import_csv,
};

static size_t mark_size(const uint8_t *head, size_t size)
{
    return size >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* What it is instead of a format that is known. */
static int not_known(const char *path, const uint8_t *head, size_t size, struct why *why)
{
    if (size == 0)
        return why_set(why, -EBADMSG, "%s: it is empty", path);
    if (size >= 2 && ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff)))
        return why_set(why, -EBADMSG, "%s: it is UTF-16: `iconv -f UTF-16 -t UTF-8` makes what can be read",
                       path);
    if (size >= 8 && memcmp(head, "kvaliset", 8) == 0)
        return why_set(why, -EBADMSG, "%s: it is a hash set of kvali's already: it can be used as it is",
                       path);
    if (size >= 12 && (memcmp(head, "INSERT INTO ", 12) == 0 || memcmp(head, "BEGIN TRANSA", 12) == 0))
        return why_set(why, -EBADMSG, "%s: SQL text: give it to sqlite3 first, then import the database",
                       path);
    return why_set(why, -EBADMSG, "%s: no format of hash sets that is known", path);
}

static int detect(const char *path, const struct import_format **ret_format, uint8_t *head, size_t *ret_size,
                  struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t count;
    size_t mark;

    if (fd < 0)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    count = read(fd, head, HEAD);
    if (count < 0)
        why_set(why, -errno, "%s: %s", path, strerror(errno));
    close(fd);
    if (count < 0)
        return -EIO;
    *ret_size = (size_t)count;
    mark = mark_size(head, *ret_size);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i]->is(head + mark, *ret_size - mark)) {
            *ret_format = formats[i];
            return 0;
        }
    }
    return not_known(path, head, *ret_size, why);
}

/* Some CSVs have a name of their own. */
static const char *format_name(const struct import_format *format, const uint8_t *head, size_t size)
{
    static const struct {
        const char *begin, *name;
    } heads[] = {
        {"\"SHA-1\",\"FileName\",", "NSRL RDS v1"},
        {"\"file_id\",\"hashset_id\",", "HashKeeper"},
        {"file_id,hashset_id,", "HashKeeper"},
        {"MD5;SHA1;PhotoDNA;", "ICSE CSV"},
    };
    size_t mark = mark_size(head, size);

    for (size_t i = 0; format == &import_csv && i < sizeof heads / sizeof heads[0]; i++)
        if (size - mark >= strlen(heads[i].begin) &&
            memcmp(head + mark, heads[i].begin, strlen(heads[i].begin)) == 0)
            return heads[i].name;
    return format->name;
}

/* For one file that is known; several may have different ones. */
static unsigned algorithms_of(const struct import_format *const *found, size_t count)
{
    return count == 1 ? found[0]->algorithms : 0;
}

struct driver {
    const struct import_options *options;
    struct import_progress progress;
    struct hashset_build *build;
};

static int look(struct driver *driver)
{
    driver->progress.rows = hashset_build_rows(driver->build);
    return driver->options->each != NULL ? driver->options->each(driver->options->context, &driver->progress)
                                         : 0;
}

int import_look(struct import *import)
{
    return look(import->driver);
}

static int on_finish(void *context, unsigned done)
{
    struct driver *driver = context;

    driver->progress.phase = "sorting and writing";
    driver->progress.done = done;
    driver->progress.size = 1000;
    return look(driver);
}

/* Every block to the reader; for SQLite they are hashed only, for it reads the file itself. */
static int pump(struct driver *driver, struct import *import, const struct import_format *format,
                struct feed *feed)
{
    const uint8_t *data;
    int64_t count = 0;
    bool first = true;
    int rc = 0;

    while (rc == 0 && (count = format->lines ? feed_lines(feed, &data) : feed_next(feed, &data)) > 0) {
        size_t mark = first ? mark_size(data, (size_t)count) : 0;

        if (format->data != NULL)
            rc = format->data(import, data + mark, (size_t)count - mark);
        first = false;
        driver->progress.done += (uint64_t)count;
        if (rc == 0)
            rc = look(driver);
    }
    if (rc == 0 && count == -EMSGSIZE)
        return why_set(import->why, -EBADMSG,
                       "%s: a line longer than 1 MiB after line %llu: this is no list of hashes",
                       import->path, (unsigned long long)import->result->lines);
    if (rc == 0 && count < 0)
        return why_set(import->why, (int)count, "%s: %s", import->path, strerror((int)-count));
    return rc;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int begin(struct driver *driver, struct import *import)
{
    struct buf name = {0};
    int rc;

    text_escape(&name, base_name(import->path), strlen(base_name(import->path)));
    rc = buf_failed(&name) ? -ENOMEM
                           : hashset_build_source(driver->build, buf_cstr(&name), import->result->format);
    buf_finish(&name);
    return rc;
}

static int read_one(struct driver *driver, struct import *import, const struct import_format *format)
{
    char sha256[SHA256_HEX_SIZE];
    struct feed *feed = NULL;
    uint64_t size = 0;
    int rc = feed_open(import->path, &feed, import->why);

    if (rc < 0)
        return rc;
    rc = begin(driver, import);
    if (rc == 0)
        rc = pump(driver, import, format, feed);
    if (rc == 0) {
        feed_sha256(feed, sha256, &size);
        if (format->file != NULL)
            rc = format->file(import);
        else if (format->end != NULL)
            rc = format->end(import);
    }
    feed_close(feed);
    if (rc == 0 && import->result->rows == 0)
        rc = why_set(import->why, -EBADMSG, "%s: not one hash in it (read as %s)", import->path,
                     import->result->format);
    if (rc == 0)
        hashset_build_source_end(driver->build, import->result->lines, size, sha256);
    return rc;
}

static int one_file(struct driver *driver, const char *path, const struct import_format *format,
                    struct import_result *result, struct why *why)
{
    struct import import = {
        .build = driver->build, .result = result, .why = why, .path = path, .driver = driver};
    int rc;

    import.state = calloc(1, format->state_size + 1);
    if (import.state == NULL)
        return why_set(why, -ENOMEM, "no memory");
    rc = read_one(driver, &import, format);
    if (format->finish != NULL)
        format->finish(&import);
    free(import.state);
    if (rc == -EOVERFLOW)
        why_set(why, rc, "%s: more than 4294967294 lines in one set: make several", path);
    else if (rc < 0 && rc != -EINTR && why->text[0] == '\0')
        why_set(why, rc, "%s: %s", driver->options->path, strerror(-rc));
    return rc;
}

/* Formats and sizes of all files, before anything is done. */
static int look_at_all(const char *const *paths, size_t count, const struct import_format **formats_found,
                       struct import_result *results, uint64_t *ret_size, bool *ret_labelled, struct why *why)
{
    uint8_t *head = malloc(HEAD);
    int rc = head != NULL ? 0 : why_set(why, -ENOMEM, "no memory");

    for (size_t i = 0; i < count && rc == 0; i++) {
        size_t size = 0;
        struct feed *feed = NULL;

        rc = detect(paths[i], &formats_found[i], head, &size, why);
        if (rc < 0)
            break;
        results[i].format = format_name(formats_found[i], head, size);
        *ret_labelled = *ret_labelled || formats_found[i]->labelled;
        rc = feed_open(paths[i], &feed, why);
        if (rc == 0)
            *ret_size += feed_size(feed);
        feed_close(feed);
    }
    free(head);
    return rc;
}

int import_files(const struct import_options *options, const char *const *paths, size_t count,
                 struct import_result *ret_results, uint64_t *ret_labels_lost, struct why *why)
{
    struct driver driver = {.options = options, .progress = {.phase = "reading"}};
    const struct import_format **found = calloc(count + 1, sizeof found[0]);
    bool labelled = false;
    int rc;

    memset(ret_results, 0, count * sizeof ret_results[0]);
    if (found == NULL)
        return why_set(why, -ENOMEM, "no memory");
    rc = look_at_all(paths, count, found, ret_results, &driver.progress.size, &labelled, why);
    if (rc == 0)
        rc = hashset_build_new(&(struct hashset_build_options){.path = options->path,
                                                               .name = options->name,
                                                               .kind = options->kind,
                                                               .labelled = labelled,
                                                               .algorithms = algorithms_of(found, count),
                                                               .replace = options->replace,
                                                               .memory = options->memory,
                                                               .each = on_finish,
                                                               .context = &driver},
                               &driver.build, why);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = one_file(&driver, paths[i], found[i], &ret_results[i], why);
    if (rc == 0)
        rc = hashset_build_finish(driver.build, why);
    if (rc == 0)
        *ret_labels_lost = hashset_build_labels_lost(driver.build);
    hashset_build_free(driver.build);
    free(found);
    return rc;
}
