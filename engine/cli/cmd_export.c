/* kvali export: chosen contents into exports/, stored by SHA-256 with an index. Never under a name from the evidence. */
#include "cases/query.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cli/bag.h"
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
    {"bagit", 0, NULL, "Also as a parcel to hand over: exports/bag-NNNN (BagIt, RFC 8493)"},
    FILE_OPTIONS,
    {"plugin", 0, "FILE.so", "The lab's own plugin that found some of it; may be given again"},
    {"tmp", 0, "FOLDER", "Where large contents are spooled, unlinked (default: $TMPDIR or /var/tmp)"},
    KEY_OPTION,
    {"weak-sandbox", 0, NULL, "Go on where the kernel lacks a part of the sandbox"},
    {NULL, 0, NULL, NULL},
};

/* A content that wanted ones lie in. */
struct around {
    struct file_root root;
    struct job_root from; /* borrows from it */
};

/* One content to export; several entries may name it. */
struct item {
    char *path, *sha256, *locator, *exhibit, *exhibit_path, *exhibit_type;
    uint64_t size, unread, stream, root; /* root: it lies inside that stream; 0: it has a locator */
    struct around *around;       /* the same, once it is known */
    int code;
    bool there;                  /* exported before, or a twin of one that is being exported */
    const struct item *twin_of;  /* that one */
    bool tried, changed;
};

struct exporting {
    struct casefile *cf;
    struct item *items;
    size_t count;
    struct item **chosen; /* those that one job_read reads */
    size_t chosen_count;
    struct around **around;
    size_t around_count;
    const struct options *options;
    struct job_options keys; /* the keys alone: taken once, for that wipes the command line */
    int folder;              /* exports/ */
    int fd;                  /* of the item being written */
    char part[32];           /* its name until it is whole */
    struct hash_sha256 *hash;
    uint64_t written, bytes;
    uint64_t done, failed, twins, changed;
    char bag[16]; /* "" none was made */
    struct why why;
};

static void items_free(struct exporting *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->items[i].path);
        free(e->items[i].sha256);
        free(e->items[i].locator);
        free(e->items[i].exhibit);
        free(e->items[i].exhibit_path);
        free(e->items[i].exhibit_type);
    }
    free(e->items);
    free(e->chosen);
    for (size_t i = 0; i < e->around_count; i++) {
        file_root_finish(&e->around[i]->root);
        free(e->around[i]);
    }
    free(e->around);
}

static int choose(void *context, const struct file_row *row)
{
    struct exporting *e = context;
    if (!row->locator[0] || strcmp(row->kind, "image") == 0)
        return 0;
    struct item *more = realloc(e->items, (e->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    e->items = more;
    struct item *item = &e->items[e->count];
    *item = (struct item){.path = strdup(row->path), .sha256 = strdup(row->sha256), .locator = strdup(row->locator),
                          .exhibit = strdup(row->exhibit), .size = row->content_size,
                          .stream = row->stream};
    e->count++;
    return item->path && item->sha256 && item->locator && item->exhibit ? 0 : -ENOMEM;
}

/* Where the exhibit lies that a content is in. */
static int learn_exhibit(struct item *item, const struct exhibit *exhibits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(exhibits[i].label, item->exhibit) != 0)
            continue;
        item->exhibit_path = strdup(exhibits[i].path);
        item->exhibit_type = strdup(exhibits[i].type);
        return item->exhibit_path && item->exhibit_type ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

static int complete(struct exporting *e)
{
    struct exhibit *exhibits = NULL;
    size_t count = 0;
    int code = casefile_exhibits(e->cf, &exhibits, &count);
    for (size_t i = 0; code == 0 && i < e->count; i++) {
        struct item *item = &e->items[i];
        code = learn_exhibit(item, exhibits, count);
        if (code == 0 && strncmp(item->locator, "child/", 6) == 0)
            code = file_root_of(e->cf, item->stream, &item->root, &e->why);
    }
    exhibits_free(exhibits, count);
    return code;
}

static int by_hash(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = strcmp(x->exhibit_path, y->exhibit_path);
    if (order == 0)
        order = strcmp(x->sha256, y->sha256);
    if (order == 0) /* of twins the one that needs no other content scanned */
        order = (x->root != 0) - (y->root != 0);
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
        item->there = fstatat(e->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (!item->there && i && strcmp(item[-1].sha256, item->sha256) == 0)
            item->twin_of = item[-1].twin_of ? item[-1].twin_of : &item[-1];
        item->there = item->there || item->twin_of;
        e->twins += item->there;
    }
}

/* What was to be stored for these did not come, or came otherwise: each must be read itself. True: there are such. */
static bool wake_twins(struct exporting *e)
{
    uint64_t before = e->twins;
    for (size_t i = 0; i < e->count; i++) {
        struct item *item = &e->items[i];
        if (!item->twin_of || (item->twin_of->code == 0 && !item->twin_of->changed))
            continue;
        item->twin_of = NULL;
        item->there = false;
        e->twins--;
    }
    return e->twins != before;
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
    item->changed = !as_found;
    if (!as_found)
        fail_words(EXIT_FAULTS, item->path, "its bytes are not those whose SHA-256 is in the case",
                   "the evidence, kvali or a plugin has changed since the run");
    return code;
}

static int done(void *context, size_t index, int code, uint64_t unread, const char *reason)
{
    struct exporting *e = context;
    struct item *item = e->chosen[index];
    item->tried = true;
    item->code = code;
    item->unread = unread;
    if (code == 0 && reason[0])
        fail_words(EXIT_DONE, item->path, reason, NULL);
    if (code == 0)
        item->code = store(e, item);
    else
        fail_words(EXIT_FAULTS, item->path, reason[0] ? reason : strerror(-code), NULL);
    if (e->fd >= 0) {
        close(e->fd);
        e->fd = -1;
        (void)unlinkat(e->folder, e->part, 0);
        uint8_t ignored[SHA256_SIZE];
        hash_sha256_final(e->hash, ignored);
    }
    e->done += item->code == 0;
    e->failed += item->code != 0;
    e->changed += item->code == 0 && item->changed;
    e->bytes += item->code == 0 ? e->written : 0;
    e->written = 0;
    return item->code == -ENOSPC || item->code == -EDQUOT ? why_set(&e->why, item->code, "exports: %s", strerror(-item->code)) : 0;
}

/* Reads what is chosen. */
static int read_chosen(struct exporting *e, const struct settings *settings)
{
    const struct job_options job = {.worker_program = job_cli_worker(), .settings = settings,
                                    .spool_folder = job_cli_spool(e->options), .keys = e->keys.keys, .key_count = e->keys.key_count};
    struct job_read *reads = calloc(e->chosen_count + 1, sizeof *reads);
    if (!reads)
        return -ENOMEM;
    for (size_t i = 0; i < e->chosen_count; i++) {
        const struct item *item = e->chosen[i];
        reads[i] = (struct job_read){item->exhibit_path, item->exhibit_type, item->locator, 0, UINT64_MAX, write_bytes, e,
                                     item->around ? &item->around->from : NULL, item->path};
    }
    int code = e->chosen_count ? job_read(&job, reads, e->chosen_count, done, e, &e->why) : 0;
    free(reads);
    return code;
}

static int read_by_locator(struct exporting *e)
{
    struct settings settings;
    int code = settings_init(&settings);
    if (code)
        return code;
    if (options_has(e->options, "weak-sandbox"))
        code = settings_set(&settings, "sandbox", "weak", &e->why);
    e->chosen_count = 0;
    for (size_t i = 0; i < e->count; i++)
        if (!e->items[i].there && !e->items[i].tried && !e->items[i].root)
            e->chosen[e->chosen_count++] = &e->items[i];
    if (code == 0)
        code = read_chosen(e, &settings);
    settings_finish(&settings);
    return code;
}

/* ------------------------------------------------------------------ contents inside others */

static int by_root(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    int order = strcmp(x->exhibit_path, y->exhibit_path);
    if (order == 0)
        order = (x->root > y->root) - (x->root < y->root);
    return order ? order : strcmp(x->path, y->path);
}

static int learn_root(struct exporting *e, uint64_t id, struct around **ret)
{
    struct around **more = realloc(e->around, (e->around_count + 1) * sizeof *more);
    struct around *around = more ? calloc(1, sizeof *around) : NULL;
    if (more)
        e->around = more;
    if (!around)
        return -ENOMEM;
    e->around[e->around_count++] = around;
    int code = file_root(e->cf, id, &around->root, &e->why);
    const struct file_root *root = &around->root;
    around->from = (struct job_root){root->path, root->extension, root->kind, root->deleted, root->plugins, ""};
    *ret = around;
    return code;
}

/* What the wanted ones lie in; each is asked for once. */
static int learn_roots(struct exporting *e, struct item **inner, size_t count)
{
    struct around *around = NULL;
    qsort(inner, count, sizeof *inner, by_root);
    for (size_t i = 0; i < count; i++) {
        struct item *item = inner[i];
        int code = around && around->root.id == item->root ? 0 : learn_root(e, item->root, &around);
        if (code)
            return code;
        char *locator = strdup(around->root.locator);
        if (!locator)
            return -ENOMEM;
        free(item->locator);
        item->locator = locator;
        item->around = around;
    }
    return 0;
}

/* All that one run found: with its settings. That it cannot be read, for a rule or a plugin is gone, does not keep the
 * others from being exported. */
static int read_of_run(struct exporting *e, uint64_t run)
{
    struct settings settings = {0};
    char *lab = NULL;
    int code = job_cli_replay(e->cf, run, e->options, &settings, &lab, &e->why);
    for (size_t i = 0; code == 0 && i < e->around_count; i++)
        if (e->around[i]->root.run == run)
            e->around[i]->from.lab_plugins = lab;
    if (code == 0)
        code = read_chosen(e, &settings);
    if (code && code != -ENOMEM && code != -ENOSPC && code != -EDQUOT) {
        fail(EXIT_FAULTS, "what lies inside other contents", code, &e->why, NULL);
        for (size_t i = 0; i < e->chosen_count; i++) {
            struct item *item = e->chosen[i];
            if (item->tried)
                continue;
            item->code = code;
            item->tried = true;
            e->failed++;
        }
        e->why.text[0] = 0;
        code = 0;
    }
    settings_finish(&settings);
    free(lab);
    return code;
}

/* Run after run; in a run one scan a root. */
static int read_inner(struct exporting *e)
{
    struct item **inner = calloc(e->count + 1, sizeof *inner);
    size_t count = 0;
    if (!inner)
        return -ENOMEM;
    for (size_t i = 0; i < e->count; i++)
        if (!e->items[i].there && !e->items[i].tried && e->items[i].root)
            inner[count++] = &e->items[i];
    int code = learn_roots(e, inner, count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        uint64_t run = inner[i]->around->root.run;
        if (inner[i]->tried)
            continue;
        e->chosen_count = 0;
        for (size_t n = i; n < count; n++)
            if (inner[n]->around->root.run == run)
                e->chosen[e->chosen_count++] = inner[n];
        code = read_of_run(e, run);
    }
    free(inner);
    return code;
}

static int read_all(struct exporting *e)
{
    int code;
    e->chosen = calloc(e->count + 1, sizeof *e->chosen);
    if (!e->chosen)
        return -ENOMEM;
    do {
        code = read_by_locator(e);
        if (code == 0)
            code = read_inner(e);
    } while (code == 0 && wake_twins(e));
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
        json_text(&json, "exhibit", item->exhibit);
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

/* What this command was asked for, whether it was exported now or before. */
static int make_bag(struct exporting *e, const char *index)
{
    const char **names = calloc(e->count + 1, sizeof *names);
    size_t count = 0;
    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < e->count; i++)
        if (e->items[i].code == 0 && e->items[i].sha256[0])
            names[count++] = e->items[i].sha256;
    int code = bag_write(e->cf, e->folder, names, count, index, e->bag, &e->why);
    free(names);
    return code;
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
    return code == 0 && options_has(e->options, "bagit") ? make_bag(e, name) : code;
}

static int export(struct exporting *e)
{
    struct file_filter filter = FILE_FILTER_ALL;
    char path[8192];
    int code = file_options(e->options, &filter, &e->why);
    if (code == 0)
        code = key_options_take(e->options, &e->keys, &e->why);
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
        code = read_all(e);
    int told = e->done || e->twins ? tell_ledger(e) : 0;
    return code ? code : told;
}

static int run(const struct options *options)
{
    struct exporting e = {.fd = -1, .folder = -1, .options = options};
    int exit_code;
    if (!options_has(options, "all") && options->given_count == (size_t)options_has(options, "bagit")) {
        why_set(&e.why, -EINVAL, "say what: --all, or a filter as for `find`");
        return fail_usage("export", &e.why);
    }
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &e.cf, &exit_code) < 0)
        return exit_code;
    int code = export(&e);
    key_options_finish(&e.keys);
    if (code)
        exit_code = code == -EINVAL ? fail_usage("export", &e.why) : fail(EXIT_ENVIRONMENT, casefile_folder(e.cf), code, &e.why, NULL);
    else
        exit_code = e.failed || e.changed ? EXIT_FAULTS : EXIT_DONE;
    if (!options->quiet && code == 0)
        cli_print("%llu contents exported (%llu bytes), %llu were there already or equal to another, %llu could not be read.\n"
                  "They are in %s/exports, named by their SHA-256; exports/index-*.jsonl says which address each one has.\n",
                  (unsigned long long)e.done, (unsigned long long)e.bytes, (unsigned long long)e.twins, (unsigned long long)e.failed,
                  casefile_folder(e.cf));
    if (!options->quiet && e.bag[0])
        cli_print("Parcel: %s/exports/%s\n", casefile_folder(e.cf), e.bag);
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
            "exports/index-NNNN.jsonl says which addresses of which exhibit each one has; it is recorded in the\n"
            "ledger. What lies inside another content is found again in it as `show` does; all that lies in one\n"
            "content by one scan of it.",
    .example = "  kvali export /srv/cases/2026-001 --mime 'image/*' --deleted\n"
               "  kvali export /srv/cases/2026-001 --carved --grade validated\n"
               "  kvali export /srv/cases/2026-001 --rule '*ransom*' --bagit",
    .exits = "  1  some contents could not be read or are not found again, or are not those that were hashed\n"
             "  5  the disk is full, or exports/ cannot be written",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
