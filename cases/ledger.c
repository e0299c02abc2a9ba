/*
 * ledger: the hash-chained record. The format is in ledger.h; jansson reads and writes the JSON, and what is
 * hashed is always the bytes as they stand in the file.
 */
#include "cases/ledger.h"

#include "cases/crashpoint.h"
#include "engine/base/buf.h"
#include "engine/base/when.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

struct ledger {
    int fd;
    char *path, *actor;
    char head[SHA256_HEX_SIZE];
    uint64_t count;
};

/* ------------------------------------------------------------------ walking */

struct walk {
    FILE *file;
    char *line;
    size_t capacity;
    char head[SHA256_HEX_SIZE];
    uint64_t count, good_bytes;
    const struct ledger_known *known; /* or NULL */
    bool partial; /* the last line has no LF, or zeros in it */
    size_t partial_size;
};

static void walk_finish(struct walk *walk)
{
    if (walk->file)
        fclose(walk->file);
    free(walk->line);
}

static int check_record(const struct walk *walk, const char *path, json_t *record, struct why *why)
{
    unsigned long long line = walk->count + 1;
    const char *prev = json_string_value(json_object_get(record, "prev"));
    json_t *seq = json_object_get(record, "seq");
    if (!json_is_object(record) || !prev || !json_is_integer(seq) ||
        !json_string_value(json_object_get(record, "type")) ||
        !json_string_value(json_object_get(record, "time")))
        return why_set(why, -EUCLEAN, "%s: line %llu is not a ledger record", path, line);
    if (strcmp(prev, walk->head) != 0)
        return why_set(
            why, -EUCLEAN,
            "%s: line %llu does not follow the line before it: that line was changed, or a line is missing",
            path, line);
    if (json_integer_value(seq) != (json_int_t)walk->count)
        return why_set(why, -EUCLEAN, "%s: line %llu carries the number %lld", path, line,
                       (long long)json_integer_value(seq));
    return 0;
}

static int tell(int (*each)(void *, const struct ledger_record *), void *context, json_t *record,
                const char *line, const char *hash, uint64_t number)
{
    const char *actor = json_string_value(json_object_get(record, "actor"));
    struct ledger_record told = {
        .line = number,
        .type = json_string_value(json_object_get(record, "type")),
        .time = json_string_value(json_object_get(record, "time")),
        .actor = actor ? actor : "",
        .json = line,
        .hash = hash,
    };
    return each ? each(context, &told) : 0;
}

/* A power cut may bring the later sectors of the last line to the medium and not the earlier ones: these are zeros. No record
 * has a zero in it. */
static bool is_torn(const struct walk *walk, size_t size)
{
    if (memchr(walk->line, 0, size) == NULL)
        return false;
    int next = getc(walk->file);
    return next == EOF ? !ferror(walk->file) : ungetc(next, walk->file) == EOF;
}

/* One line; 1 at the end. */
static int walk_line(struct walk *walk, const char *path, int (*each)(void *, const struct ledger_record *),
                     void *context, struct why *why)
{
    ssize_t size = getline(&walk->line, &walk->capacity, walk->file);
    if (size < 0)
        return ferror(walk->file) ? why_set(why, -EIO, "%s: it cannot be read", path) : 1;
    if (walk->line[size - 1] != '\n' || is_torn(walk, (size_t)size)) {
        walk->partial = true;
        walk->partial_size = (size_t)size;
        return 1;
    }
    char hash[SHA256_HEX_SIZE];
    hash_sha256_hex(walk->line, (size_t)size, hash);
    walk->line[size - 1] = 0;
    json_error_t error;
    json_t *record = json_loadb(walk->line, (size_t)size - 1, JSON_REJECT_DUPLICATES, &error);
    int code = record ? check_record(walk, path, record, why)
                      : why_set(why, -EUCLEAN, "%s: line %llu is not JSON", path,
                                (unsigned long long)walk->count + 1);
    if (code == 0)
        code = tell(each, context, record, walk->line, hash, walk->count + 1);
    json_decref(record);
    if (code)
        return code;
    memcpy(walk->head, hash, sizeof hash);
    walk->count++;
    walk->good_bytes += (uint64_t)size;
    bool other = walk->known && walk->count == walk->known->count && strcmp(hash, walk->known->head) != 0;
    return other ? why_set(why, -EUCLEAN, "%s: line %llu is not the one that the database remembers", path,
                           (unsigned long long)walk->count)
                 : 0;
}

static int walk_all(const char *path, struct walk *walk, const struct ledger_known *known,
                    int (*each)(void *, const struct ledger_record *), void *context, struct why *why)
{
    *walk = (struct walk){.head = ZEROS, .file = fopen(path, "re"), .known = known};
    if (!walk->file)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    int code;
    do
        code = walk_line(walk, path, each, context, why);
    while (code == 0);
    if (code == 1 && known && walk->count < known->count)
        return why_set(why, -EUCLEAN, "%s: it has %llu whole records, the database remembers %llu: its end was cut off",
                       path, (unsigned long long)walk->count, (unsigned long long)known->count);
    return code == 1 ? 0 : code;
}

int ledger_walk(const char *path, int (*each)(void *context, const struct ledger_record *record),
                void *context, uint64_t *ret_count, char ret_head[SHA256_HEX_SIZE], struct why *why)
{
    struct walk walk;
    int code = walk_all(path, &walk, NULL, each, context, why);
    if (code == 0 && walk.partial)
        code = why_set(why, -EUCLEAN, "%s: line %llu is cut off", path, (unsigned long long)walk.count + 1);
    if (code == 0) {
        *ret_count = walk.count;
        memcpy(ret_head, walk.head, SHA256_HEX_SIZE);
    }
    walk_finish(&walk);
    return code;
}

bool ledger_member(const struct ledger_record *record, const char *key, char *ret, size_t ret_size)
{
    json_t *object = json_loads(record->json, 0, NULL);
    json_t *value = json_object_get(object, key);
    char *text = NULL;
    if (json_is_string(value))
        text = strdup(json_string_value(value));
    else if (value)
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    size_t size = text ? strlen(text) + 1 : 0;
    bool fits = text && size <= ret_size;
    if (fits)
        memcpy(ret, text, size);
    free(text);
    json_decref(object);
    return fits;
}

static int tell_file(json_t *file, int (*each)(void *, const char *, const char *, uint64_t), void *context)
{
    const char *path = json_string_value(json_object_get(file, "path")),
               *sha256 = json_string_value(json_object_get(file, "sha256"));
    json_t *size = json_object_get(file, "size");
    bool sized = json_is_integer(size) && json_integer_value(size) >= 0;
    return each(context, path ? path : "", sha256 ? sha256 : "", sized ? (uint64_t)json_integer_value(size) : UINT64_MAX);
}

int ledger_files(const struct ledger_record *record,
                 int (*each)(void *context, const char *path, const char *sha256, uint64_t size), void *context)
{
    json_t *object = json_loads(record->json, 0, NULL), *list = json_object_get(object, "files"), *file;
    bool single = json_object_get(object, "path") != NULL;
    int code = single || json_array_size(list) ? 0 : -EUCLEAN;
    size_t i;
    if (code == 0 && single)
        code = tell_file(object, each, context);
    json_array_foreach(list, i, file)
        if (code == 0)
            code = tell_file(file, each, context);
    json_decref(object);
    return code;
}

/* ------------------------------------------------------------------ writing */

static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

static void (*without_memory)(void);

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (!memory && size)
        without_memory();
    return memory;
}

void ledger_need_memory(void (*end)(void))
{
    without_memory = end;
    json_set_alloc_funcs(take, free);
}

/* The record as one line with its LF; NULL when `fields` is not an object or memory is out. */
static char *compose(const struct ledger *ledger, const char *type, const char *fields)
{
    char time[WHEN_TEXT_SIZE];
    json_t *record = json_loads(fields, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(record)) {
        json_decref(record);
        return NULL;
    }
    json_object_set_new(record, "v", json_integer(LEDGER_VERSION));
    json_object_set_new(record, "seq", json_integer((json_int_t)ledger->count));
    json_object_set_new(record, "time", json_string(when_format_ms(when_now(), time)));
    json_object_set_new(record, "type", json_string(type));
    json_object_set_new(record, "actor", json_string(ledger->actor));
    json_object_set_new(record, "prev", json_string(ledger->head));
    char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(record);
    size_t size = text ? strlen(text) : 0;
    char *line = text ? realloc(text, size + 2) : NULL;
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + size, "\n", 2);
    return line;
}

int ledger_append(struct ledger *ledger, const char *type, const char *fields, struct why *why)
{
    char *line = compose(ledger, type, fields);
    if (!line)
        return why_set(why, -EINVAL,
                       "%s: a record of type %s cannot be written: its fields are not a JSON object",
                       ledger->path, type);
    size_t size = strlen(line);
    crash_point("ledger-before-write");
    struct stat before;
    int code = fstat(ledger->fd, &before) ? -errno : write_all(ledger->fd, line, size);
    crash_point("ledger-written");
    if (code == 0 && fsync(ledger->fd))
        code = -errno;
    if (code) { /* what is cut off is taken back, so that the chain stays whole */
        if (ftruncate(ledger->fd, before.st_size) == 0)
            (void)fsync(ledger->fd);
        free(line);
        return why_set(why, code, "%s: %s", ledger->path, strerror(-code));
    }
    hash_sha256_hex(line, size, ledger->head);
    ledger->count++;
    free(line);
    return 0;
}

/* Moves what a crash left of a last line to ledger.partial-<n> and says so in the ledger. */
static int recover(struct ledger *ledger, const struct walk *walk, struct why *why)
{
    char path[4096], sha256[SHA256_HEX_SIZE], fields[512];
    int fd = -1, number = 0;
    assert(ledger->path);
    const char *slash = strrchr(ledger->path, '/');
    int folder = slash ? (int)(slash - ledger->path) + 1 : 0;
    while (fd < 0 && number < 1000) {
        snprintf(path, sizeof path, "%.*sledger.partial-%d", folder, ledger->path, ++number);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    int code = fd < 0 ? -errno : write_all(fd, walk->line, walk->partial_size);
    if (fd >= 0) {
        if (code == 0 && fsync(fd))
            code = -errno;
        close(fd);
    }
    if (code == 0 && (ftruncate(ledger->fd, (off_t)walk->good_bytes) || fsync(ledger->fd)))
        code = -errno;
    if (code)
        return why_set(why, code, "%s: the cut-off last line cannot be moved aside: %s", ledger->path,
                       strerror(-code));
    hash_sha256_hex(walk->line, walk->partial_size, sha256);
    snprintf(fields, sizeof fields, "{\"path\":\"ledger.partial-%d\",\"size\":%zu,\"sha256\":\"%s\"}", number,
             walk->partial_size, sha256);
    return ledger_append(ledger, "recovered", fields, why);
}

int ledger_open(const char *path, bool create, const char *actor, const struct ledger_known *known,
                struct ledger **ret_ledger, struct why *why)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return why_set(why, -ENOMEM, "out of memory");
    ledger->path = strdup(path);
    ledger->actor = strdup(actor);
    ledger->fd =
        open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0), 0600);
    int code = ledger->fd < 0                    ? why_set(why, -errno, "%s: %s", path, strerror(errno))
               : !ledger->path || !ledger->actor ? why_set(why, -ENOMEM, "out of memory")
                                                 : 0;
    struct walk walk = {0};
    if (code == 0)
        code = walk_all(path, &walk, known, NULL, NULL, why);
    if (code == 0) {
        ledger->count = walk.count;
        memcpy(ledger->head, walk.head, sizeof ledger->head);
        if (walk.partial)
            code = recover(ledger, &walk, why);
    }
    walk_finish(&walk);
    if (code) {
        ledger_close(ledger);
        return code;
    }
    *ret_ledger = ledger;
    return 0;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    if (ledger->fd >= 0)
        close(ledger->fd);
    free(ledger->path);
    free(ledger->actor);
    free(ledger);
}

const char *ledger_head(const struct ledger *ledger)
{
    return ledger->head;
}

uint64_t ledger_count(const struct ledger *ledger)
{
    return ledger->count;
}
