/*
 * manifest: the files of a case and their SHA-256, in the form of sha256sum.
 */
#include "cases/seal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, DEPTH_MAX = 16, MANIFEST_MAX = 1 << 30 };

/* ------------------------------------------------------------------ files */

int file_read(const char *path, size_t most, struct buf *ret, struct why *why)
{
    char block[65536];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    size_t size;
    while ((size = fread(block, 1, sizeof block, file)) > 0 && ret->size + size <= most)
        buf_append(ret, block, size);
    int code = ferror(file)      ? why_set(why, -EIO, "%s: it cannot be read", path)
               : size            ? why_set(why, -EFBIG, "%s: it has more than %zu bytes", path, most)
               : buf_failed(ret) ? why_set(why, -ENOMEM, "out of memory")
                                 : 0;
    fclose(file);
    return code;
}

static int put(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR)
            return -errno;
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return fsync(fd) ? -errno : 0;
}

int file_write(const char *path, const void *data, size_t size, struct why *why)
{
    char partial[PATH_SIZE];
    if (snprintf(partial, sizeof partial, "%s.partial", path) >= PATH_SIZE)
        return why_set(why, -ENAMETOOLONG, "%s: the path is too long", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    int code = fd < 0 ? -errno : put(fd, data, size);
    if (fd >= 0)
        close(fd);
    if (code == 0 && rename(partial, path))
        code = -errno;
    if (code && fd >= 0)
        (void)unlink(partial);
    return code ? why_set(why, code, "%s: %s", path, strerror(-code)) : 0;
}

/* ------------------------------------------------------------------ making */

struct gathering {
    const char *folder;
    uint32_t number;
    struct manifest *manifest;
    struct why *why;
};

/* What a seal cannot cover: what covers itself, what comes and goes, and what is made by sealing. */
static bool is_left_out(const struct gathering *g, const char *path)
{
    static const char *const always[] = {"ledger.jsonl", "lock", "case.db-wal", "case.db-shm",
                                         "case.db-journal"};
    static const char *const own[] = {"json", "manifest", "p7s", "tsq", "tsr"};
    char name[40];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(path, always[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        snprintf(name, sizeof name, SEALS_FOLDER "/%04u.%s", g->number, own[i]);
        if (strcmp(path, name) == 0)
            return true;
    }
    return false;
}

/* sha256sum writes some names in another way; kvali makes none of these. */
static bool is_plain(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f || *name == '\\')
            return false;
    return true;
}

static int add(struct manifest *manifest, const char *path, const char *sha256)
{
    struct manifest_file *more = manifest->files;
    if ((manifest->count & (manifest->count - 1)) == 0) /* a power of two: it is full */
        more = realloc(manifest->files, (manifest->count ? 2 * manifest->count : 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    manifest->files = more;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    more[manifest->count].path = copy;
    snprintf(more[manifest->count++].sha256, SHA256_HEX_SIZE, "%s", sha256);
    return 0;
}

static int gather_file(struct gathering *g, const char *path)
{
    char full[PATH_SIZE], sha256[SHA256_HEX_SIZE];
    if (is_left_out(g, path))
        return 0;
    if (!is_plain(path))
        return why_set(g->why, -EINVAL,
                       "%s: a file whose name no seal can list: kvali did not make it, move it away", path);
    if (snprintf(full, sizeof full, "%s/%s", g->folder, path) >= PATH_SIZE)
        return why_set(g->why, -ENAMETOOLONG, "%s: the path is too long", path);
    int code = hash_sha256_file(full, sha256);
    if (code == 0)
        code = add(g->manifest, path, sha256);
    return code ? why_set(g->why, code, "%s: %s", full, strerror(-code)) : 0;
}

static int gather(struct gathering *g, const char *path, int depth);

static int gather_one(struct gathering *g, const char *path, const char *name, int depth)
{
    char inner[PATH_SIZE], full[PATH_SIZE];
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "/" : "", name) >= PATH_SIZE ||
        snprintf(full, sizeof full, "%s/%s", g->folder, inner) >= PATH_SIZE)
        return why_set(g->why, -ENAMETOOLONG, "%s/%s: the path is too long", g->folder, path);
    if (lstat(full, &st))
        return why_set(g->why, -errno, "%s: %s", full, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return gather(g, inner, depth + 1);
    if (!S_ISREG(st.st_mode))
        return why_set(g->why, -ELOOP, "%s: it is no file and no folder: a seal cannot cover it", full);
    return gather_file(g, inner);
}

static int gather(struct gathering *g, const char *path, int depth)
{
    char full[PATH_SIZE];
    if (depth > DEPTH_MAX)
        return why_set(g->why, -ELOOP, "%s/%s: folders that deep are no case's", g->folder, path);
    if (snprintf(full, sizeof full, "%s/%s", g->folder, path) >= PATH_SIZE)
        return why_set(g->why, -ENAMETOOLONG, "%s: the path is too long", path);
    DIR *folder = opendir(full);
    if (!folder)
        return why_set(g->why, -errno, "%s: %s", full, strerror(errno));
    int code = 0;
    const struct dirent *entry;
    while (code == 0 && (errno = 0, entry = readdir(folder)))
        code = gather_one(g, path, entry->d_name, depth);
    if (code == 0 && errno)
        code = why_set(g->why, -errno, "%s: %s", full, strerror(errno));
    closedir(folder);
    return code;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct manifest_file *)a)->path, ((const struct manifest_file *)b)->path);
}

int manifest_make(const char *folder, uint32_t number, struct manifest *ret_manifest, struct why *why)
{
    struct manifest manifest = {0};
    struct gathering g = {.folder = folder, .number = number, .manifest = &manifest, .why = why};
    int code = gather(&g, "", 0);
    if (code) {
        manifest_finish(&manifest);
        return code;
    }
    if (manifest.count)
        qsort(manifest.files, manifest.count, sizeof *manifest.files, by_path);
    *ret_manifest = manifest;
    return 0;
}

/* ------------------------------------------------------------------ reading */

/* "<64 hex>  path" */
static int take_line(struct manifest *manifest, char *line)
{
    size_t size = strlen(line);
    if (size < 67 || strspn(line, "0123456789abcdef") != 64 || line[64] != ' ' || line[65] != ' ' ||
        !is_plain(line + 66))
        return -EUCLEAN;
    const char *path = line + 66;
    if (manifest->count && strcmp(manifest->files[manifest->count - 1].path, path) >= 0)
        return -EUCLEAN; /* not sorted, or twice */
    if (path[0] == '/' || strstr(path, "../"))
        return -EUCLEAN;
    line[64] = 0;
    return add(manifest, path, line);
}

int manifest_read(const char *folder, uint32_t number, struct manifest *ret_manifest, struct why *why)
{
    char path[PATH_SIZE], *rest;
    struct buf text = {0};
    struct manifest manifest = {0};
    int code = seal_path(folder, number, "manifest", path, sizeof path);
    code = code ? why_set(why, code, "%s: the path is too long", folder)
                : file_read(path, MANIFEST_MAX, &text, why);
    if (code == 0 && (memchr(text.data ? (char *)text.data : "", 0, text.size) ||
                      (text.size && text.data[text.size - 1] != '\n')))
        code = why_set(why, -EUCLEAN, "%s: it is no manifest", path);
    char *all = code == 0 ? buf_steal(&text) : NULL;
    unsigned long line_number = 0;
    for (char *line = all ? strtok_r(all, "\n", &rest) : NULL; code == 0 && line;
         line = strtok_r(NULL, "\n", &rest)) {
        line_number++;
        code = take_line(&manifest, line);
        if (code)
            why_set(why, code, "%s: line %lu is not what a manifest holds", path, line_number);
    }
    free(all);
    buf_finish(&text);
    if (code)
        manifest_finish(&manifest);
    else
        *ret_manifest = manifest;
    return code;
}

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *path)
{
    struct manifest_file wanted = {.path = (char *)(uintptr_t)path};
    return manifest->count ? bsearch(&wanted, manifest->files, manifest->count, sizeof wanted, by_path)
                           : NULL;
}

void manifest_finish(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        free(manifest->files[i].path);
    free(manifest->files);
    *manifest = (struct manifest){0};
}
