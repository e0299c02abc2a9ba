/* kvali export: chosen contents into exports/, stored by SHA-256 with an index. Never under a name from the evidence. */
#include "cases/query.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cli/file_options.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"all", 0, NULL, "Every content of the case"},
    FILE_OPTIONS,
    {"tmp", 0, "FOLDER", "Where large contents are spooled, unlinked (default: $TMPDIR or /var/tmp)"},
    {"weak-sandbox", 0, NULL, "Go on where the kernel lacks a part of the sandbox"},
    {NULL, 0, NULL, NULL},
};

/* One content to export; several entries may name it. */
struct item {
    char *path, *sha256, *locator, *exhibit_path, *exhibit_type;
    uint64_t size, unread;
    int code;
    bool there; /* exported before, or a twin of one that is being exported */
};

struct exporting {
    struct casefile *cf;
    struct item *items;
    size_t count;
    int folder;              /* exports/ */
    int fd;                  /* of the item being written */
    char part[32];           /* its name until it is whole */
    struct hash_sha256 *hash;
    uint64_t written, bytes;
    uint64_t done, failed, twins;
    struct why why;
};

static void items_free(struct exporting *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->items[i].path);
        free(e->items[i].sha256);
        free(e->items[i].locator);
        free(e->items[i].exhibit_path);
        free(e->items[i].exhibit_type);
    }
    free(e->items);
}

static int choose(void *context, const struct file_row *row)
{
    struct exporting *e = context;
    if (!row->locator[0] || strcmp(row->kind, "image") == 0 || strncmp(row->locator, "child/", 6) == 0)
        return 0;
    struct item *more = realloc(e->items, (e->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    e->items = more;
    struct item *item = &e->items[e->count];
    *item = (struct item){.path = strdup(row->path), .sha256 = strdup(row->sha256), .locator = strdup(row->locator),
                          .exhibit_path = strdup(row->exhibit), .size = row->content_size};
    e->count++;
    return item->path && item->sha256 && item->locator && item->exhibit_path ? 0 : -ENOMEM;
}

/* Exhibit labels become paths and types; contents that several names reach, or that are there already, are read once or not. */
static int complete(struct exporting *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct file_source source;
        struct item *item = &e->items[i];
        int code = file_source(e->cf, item->path, &source, &e->why);
        if (code)
            return code;
        free(item->exhibit_path);
        item->exhibit_path = source.exhibit_path;
        item->exhibit_type = source.exhibit_type;
        source.exhibit_path = source.exhibit_type = NULL;
        file_source_finish(&source);
    }
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = strcmp(x->exhibit_path, y->exhibit_path);
    if (order == 0)
        order = strcmp(x->sha256, y->sha256);
    return order ? order : strcmp(x->path, y->path);
}

/* ab/abcdef…: 256 folders, so that none gets too large. */
static void stored_name(const char *sha256, char ret[SHA256_HEX_SIZE + 3])
{
    snprintf(ret, SHA256_HEX_SIZE + 3, "%.2s/%s", sha256, sha256);
}

static void mark_twins(struct exporting *e)
{
    qsort(e->items, e->count, sizeof *e->items, by_hash);
    for (size_t i = 0; i < e->count; i++) {
        char name[SHA256_HEX_SIZE + 3];
        struct stat st;
        struct item *item = &e->items[i];
        if (!item->sha256[0])
            continue; /* not hashed: it is read to find out */
        stored_name(item->sha256, name);
        bool twin = i && strcmp(e->items[i - 1].sha256, item->sha256) == 0;
        item->there = twin || fstatat(e->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        e->twins += item->there;
    }
}

/* ------------------------------------------------------------------ writing */

static int begin(struct exporting *e)
{
    snprintf(e->part, sizeof e->part, "part-%ld", (long)getpid());
    e->fd = openat(e->folder, e->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    e->written = 0;
    return e->fd < 0 ? -errno : 0;
}

static int write_bytes(void *context, const void *data, size_t size)
{
    struct exporting *e = context;
    const char *at = data;
    if (e->fd < 0 && begin(e))
        return why_set(&e->why, -errno, "exports/%s: %s", e->part, strerror(errno));
    hash_sha256_update(e->hash, data, size);
    e->written += size;
    while (size) {
        ssize_t n = write(e->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return why_set(&e->why, -errno, "exports: %s", strerror(errno));
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

/* The file gets the name that its own bytes give it. */
static int store(struct exporting *e, struct item *item)
{
    uint8_t digest[SHA256_SIZE];
    char name[SHA256_HEX_SIZE + 3], folder[3];
    struct buf hex = {0};
    if (e->fd < 0 && begin(e)) /* an empty content: no bytes came */
        return -errno;
    hash_sha256_final(e->hash, digest);
    text_hex(&hex, digest, sizeof digest);
    bool as_found = !item->sha256[0] || strcmp(buf_cstr(&hex), item->sha256) == 0;
    free(item->sha256);
    item->sha256 = buf_steal(&hex);
    if (!item->sha256)
        return -ENOMEM;
    stored_name(item->sha256, name);
    memcpy(folder, name, 2);
    folder[2] = 0;
    int code = fsync(e->fd) ? -errno : 0;
    close(e->fd);
    e->fd = -1;
    if (code == 0 && mkdirat(e->folder, folder, 0700) && errno != EEXIST)
        code = -errno;
    if (code == 0 && renameat(e->folder, e->part, e->folder, name))
        code = -errno;
    if (!as_found)
        fprintf(stderr, "kvali: %s: its bytes are not those that were hashed: the evidence has changed\n", item->path);
    return code;
}

static int done(void *context, size_t index, int code, uint64_t unread, const char *reason)
{
    struct exporting *e = context;
    size_t i = 0;
    for (size_t n = 0; i < e->count; i++)
        if (!e->items[i].there && n++ == index)
            break;
    struct item *item = &e->items[i];
    item->code = code;
    item->unread = unread;
    if (code == 0)
        code = item->code = store(e, item);
    else
        fprintf(stderr, "kvali: %s: %s\n", item->path, reason);
    if (e->fd >= 0) {
        close(e->fd);
        e->fd = -1;
        (void)unlinkat(e->folder, e->part, 0);
        uint8_t ignored[SHA256_SIZE];
        hash_sha256_final(e->hash, ignored);
    }
    e->done += item->code == 0;
    e->failed += item->code != 0;
    e->bytes += item->code == 0 ? e->written : 0;
    e->written = 0;
    return item->code == -ENOSPC || item->code == -EDQUOT ? why_set(&e->why, item->code, "exports: %s", strerror(-item->code)) : 0;
}

static int read_all(struct exporting *e, const struct options *options)
{
    struct settings settings;
    struct job_read *reads = calloc(e->count + 1, sizeof *reads);
    size_t count = 0;
    int code = reads ? settings_init(&settings) : -ENOMEM;
    if (code) {
        free(reads);
        return code;
    }
    if (options_has(options, "weak-sandbox"))
        code = settings_set(&settings, "sandbox", "weak", &e->why);
    for (size_t i = 0; i < e->count; i++)
        if (!e->items[i].there)
            reads[count++] = (struct job_read){e->items[i].exhibit_path, e->items[i].exhibit_type, e->items[i].locator, 0, UINT64_MAX, write_bytes, e};
    struct job_options job = {.worker_program = job_cli_worker(), .settings = &settings, .spool_folder = job_cli_spool(options)};
    if (code == 0 && count)
        code = job_read(&job, reads, count, done, e, &e->why);
    settings_finish(&settings);
    free(reads);
    return code;
}

/* ------------------------------------------------------------------ the index and the ledger */

static int write_index(struct exporting *e, char *ret_name, size_t size, uint64_t *ret_bytes)
{
    struct stat st;
    int fd = -1;
    for (int n = 1; fd < 0 && n < 100000; n++) {
        snprintf(ret_name, size, "index-%04d.jsonl", n);
        fd = openat(e->folder, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -errno;
    }
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return -EIO;
    for (size_t i = 0; i < e->count; i++) {
        const struct item *item = &e->items[i];
        char name[SHA256_HEX_SIZE + 3];
        struct buf buf = {0};
        struct json json;
        if (item->code || !item->sha256[0])
            continue;
        stored_name(item->sha256, name);
        json_init(&json, &buf);
        json_object_open(&json, NULL);
        json_text(&json, "file", name);
        json_text(&json, "path", item->path);
        json_u64(&json, "size", item->size);
        json_u64(&json, "unread_bytes", item->unread);
        json_object_close(&json);
        fprintf(file, "%s\n", buf_cstr(&buf));
        buf_finish(&buf);
    }
    int code = fflush(file) || fsync(fd) || fstat(fd, &st) ? -EIO : 0;
    if (code == 0)
        *ret_bytes = (uint64_t)st.st_size;
    return fclose(file) ? -EIO : code;
}

static int tell_ledger(struct exporting *e)
{
    char name[64], path[8192], relative[96], sha256[SHA256_HEX_SIZE];
    uint64_t bytes = 0;
    struct buf buf = {0};
    struct json json;
    int code = write_index(e, name, sizeof name, &bytes);
    if (code)
        return why_set(&e->why, code, "exports/%s: %s", name, strerror(-code));
    snprintf(relative, sizeof relative, "exports/%s", name);
    snprintf(path, sizeof path, "%s/%s", casefile_folder(e->cf), relative);
    code = hash_sha256_file(path, sha256);
    if (code)
        return why_set(&e->why, code, "%s: %s", relative, strerror(-code));
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "path", relative);
    json_u64(&json, "size", bytes);
    json_text(&json, "sha256", sha256);
    json_text(&json, "what", "index of exported contents");
    json_u64(&json, "contents", e->done);
    json_object_close(&json);
    code = ledger_append(casefile_ledger(e->cf), "artifact", buf_cstr(&buf), &e->why);
    buf_finish(&buf);
    return code;
}

static int export(struct exporting *e, const struct options *options)
{
    struct file_filter filter = FILE_FILTER_ALL;
    char path[8192];
    int code = file_options(options, &filter, &e->why);
    if (code)
        return code;
    snprintf(path, sizeof path, "%s/exports", casefile_folder(e->cf));
    e->folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (e->folder < 0)
        return why_set(&e->why, -errno, "%s: %s", path, strerror(errno));
    e->hash = hash_sha256_new();
    code = e->hash ? file_query(e->cf, &filter, choose, e, &e->why) : -ENOMEM;
    if (code == 0)
        code = complete(e);
    if (code == 0)
        mark_twins(e);
    if (code == 0)
        code = read_all(e, options);
    int told = e->done || e->twins ? tell_ledger(e) : 0;
    return code ? code : told;
}

static int run(const struct options *options)
{
    struct exporting e = {.fd = -1, .folder = -1};
    int exit_code;
    if (!options_has(options, "all") && options->given_count == 0) {
        why_set(&e.why, -EINVAL, "say what: --all, or a filter as for `find`");
        return fail_usage("export", &e.why);
    }
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &e.cf, &exit_code) < 0)
        return exit_code;
    int code = export(&e, options);
    if (code)
        exit_code = code == -EINVAL ? fail_usage("export", &e.why) : fail(EXIT_ENVIRONMENT, casefile_folder(e.cf), code, &e.why, NULL);
    else
        exit_code = e.failed ? EXIT_FAULTS : EXIT_DONE;
    if (!options->quiet && code == 0)
        cli_print("%llu contents exported (%llu bytes), %llu were there already or equal to another, %llu could not be read.\n"
                  "They are in %s/exports, named by their SHA-256; exports/index-*.jsonl says which address each one has.\n",
                  (unsigned long long)e.done, (unsigned long long)e.bytes, (unsigned long long)e.twins, (unsigned long long)e.failed,
                  casefile_folder(e.cf));
    items_free(&e);
    hash_sha256_free(e.hash);
    if (e.folder >= 0)
        close(e.folder);
    casefile_close(e.cf);
    return exit_code;
}

const struct command command_export = {
    .name = "export",
    .summary = "copy chosen contents into the case's exports/, named by their SHA-256",
    .usage = "CASE (--all | filters) [options]",
    .help = "Reads the contents of the files that the filters choose (as for `find`) from the evidence, through a sandboxed\n"
            "worker, and stores each once as exports/ab/abcdef…, named by its SHA-256 and by nothing from the evidence.\n"
            "exports/index-NNNN.jsonl says which addresses each one has; it is recorded in the ledger.",
    .example = "  kvali export /srv/cases/2026-001 --mime 'image/*' --deleted\n"
               "  kvali export /srv/cases/2026-001 --rule '*ransom*'",
    .exits = "  1  some contents could not be read\n"
             "  5  the disk is full, or exports/ cannot be written",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
