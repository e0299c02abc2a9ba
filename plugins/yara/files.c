/*
 * files: walks the folders of rules and reads the files.
 */
#include "plugins/yara/files.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEPTH_MAX = 16,
    FILES_MAX = 100000,
    RELATIVE_MAX = 1000, /* a namespace is part of every match */
    FILE_SIZE_MAX = 256 * 1024 * 1024,
};

static void rule_file_finish(struct rule_file *file)
{
    free(file->path);
    free(file->relative);
    free(file->space);
    free(file->set);
    free(file->text);
    rule_source_finish(&file->source);
}

void rule_files_finish(struct rule_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        rule_file_finish(&files->items[i]);
    free(files->items);
    *files = (struct rule_files){NULL, 0, 0};
}

static char *escaped(const char *text)
{
    struct buf buf = {0};

    text_escape(&buf, text, strlen(text));
    return buf_steal(&buf);
}

/* The content with a NUL behind it, which it must not hold itself. */
static int read_text(struct rule_file *file, FILE *stream, size_t size)
{
    size_t got;

    file->text = calloc(1, size + 1);
    if (file->text == NULL)
        return -ENOMEM;
    got = fread(file->text, 1, size, stream);
    hash_sha256_hex(file->text, got, file->sha256);
    if (got != size || fgetc(stream) != EOF)
        why_set(&file->problem, 0, "%s: it changes while it is read", file->relative);
    else if (size >= 4 && memcmp(file->text, "YARA", 4) == 0)
        why_set(&file->problem, 0, "%s: compiled rules are not accepted, only their source", file->relative);
    else if (memchr(file->text, '\0', size) != NULL)
        why_set(&file->problem, 0, "%s: it holds a NUL byte", file->relative);
    else
        return rule_source_read(&file->source, file->text);
    return 0;
}

static int read_file(struct rule_file *file)
{
    FILE *stream = fopen(file->path, "re");
    struct stat status;
    int rc = 0;

    if (stream == NULL || fstat(fileno(stream), &status) != 0)
        why_set(&file->problem, 0, "%s: %s", file->relative, strerror(errno));
    else if (status.st_size > FILE_SIZE_MAX)
        why_set(&file->problem, 0, "%s: it is too large", file->relative);
    else
        rc = read_text(file, stream, (size_t)status.st_size);
    if (stream != NULL)
        fclose(stream);
    return rc;
}

static int add(struct rule_files *files, const char *path, const char *relative)
{
    struct rule_file *file;
    char *dot, *slash;

    if (files->count == FILES_MAX)
        return -E2BIG;
    if (files->count == files->capacity) {
        size_t capacity = files->capacity * 2 + 64;
        struct rule_file *items = reallocarray(files->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        files->items = items;
        files->capacity = capacity;
    }
    file = &files->items[files->count++];
    *file =
        (struct rule_file){.path = strdup(path), .relative = escaped(relative), .space = escaped(relative)};
    if (file->path == NULL || file->relative == NULL || file->space == NULL)
        return -ENOMEM;
    if (strlen(file->relative) > RELATIVE_MAX)
        return -ENAMETOOLONG;
    slash = strrchr(file->space, '/');
    dot = strrchr(slash != NULL ? slash : file->space, '.');
    if (dot != NULL && dot != file->space && dot[-1] != '/')
        *dot = '\0';
    return read_file(file);
}

static bool is_rule_name(const char *name)
{
    static const char *const endings[] = {".yar", ".yara", ".rule"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);

        if (length > ending && strcasecmp(name + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static int walk(struct rule_files *files, const char *folder, size_t root, unsigned depth);

/* One name in a folder; `root` is the length of the folder that was given, with its slash. */
static int visit(struct rule_files *files, const char *path, const char *name, size_t root, unsigned depth)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return is_rule_name(name) ? add(files, path, path + root) : 0;
    if (S_ISDIR(status.st_mode))
        return walk(files, path, root, depth + 1);
    return S_ISREG(status.st_mode) && is_rule_name(name) ? add(files, path, path + root) : 0;
}

static int walk(struct rule_files *files, const char *folder, size_t root, unsigned depth)
{
    DIR *dir = depth > DEPTH_MAX ? NULL : opendir(folder);
    const struct dirent *entry;
    char *path;
    int rc = 0;

    if (dir == NULL)
        return depth > DEPTH_MAX ? -ELOOP : -errno;
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
            rc = -ENOMEM;
            break;
        }
        rc = visit(files, path, entry->d_name, root, depth);
        free(path);
    }
    closedir(dir);
    return rc;
}

/* The first folder of its path below the root; a file directly below it, or given itself, has the root's
 * name. */
static char *set_name(const struct rule_file *file, const char *root)
{
    const char *slash = strchr(file->relative, '/'), *name = strrchr(root, '/');

    if (slash != NULL)
        return strndup(file->relative, (size_t)(slash - file->relative));
    return escaped(name != NULL ? name + 1 : root);
}

static int find_root(struct rule_files *files, const char *root)
{
    const char *slash = strrchr(root, '/');
    size_t before = files->count;
    struct stat status;
    int rc;

    if (stat(root, &status) != 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        rc = walk(files, root, strlen(root) + 1, 0);
    else
        rc = add(files, root, slash != NULL ? slash + 1 : root);
    for (size_t i = before; i < files->count && rc == 0; i++) {
        files->items[i].set = set_name(&files->items[i], root);
        rc = files->items[i].set == NULL ? -ENOMEM : 0;
    }
    return rc;
}

/* Never by where they lie: the same rules in another folder must give the same order. */
static int compare(const void *a, const void *b)
{
    const struct rule_file *one = a, *two = b;
    int order = strcmp(one->space, two->space);

    if (order == 0)
        order = strcmp(one->relative, two->relative);
    return order != 0 ? order : strcmp(one->sha256, two->sha256);
}

/* a.yar and a.yara, or x/a.yar in two folders: the second is "a#2". Rules of one namespace must have
 * different names. */
static int make_unique(struct rule_files *files)
{
    unsigned same = 1;
    char *base = NULL;

    for (size_t i = 1; i < files->count; i++) {
        const char *previous = same > 1 ? base : files->items[i - 1].space;
        char *space;

        if (strcmp(files->items[i].space, previous) != 0) {
            same = 1;
            continue;
        }
        if (same == 1)
            base = files->items[i - 1].space;
        if (asprintf(&space, "%s#%u", base, ++same) < 0)
            return -ENOMEM;
        free(files->items[i].space);
        files->items[i].space = space;
    }
    return 0;
}

int rule_files_find(struct rule_files *files, const char *list, struct why *why)
{
    char *copy = strdup(list), *rest = copy, *root;
    int rc = copy == NULL ? -ENOMEM : 0;

    while (rc == 0 && (root = strsep(&rest, ":")) != NULL) {
        size_t length = strlen(root);

        while (length > 1 && root[length - 1] == '/')
            root[--length] = '\0';
        if (length == 0)
            continue;
        rc = find_root(files, root);
        if (rc < 0)
            why_set(why, rc, "%s: %s", root, strerror(-rc));
    }
    free(copy);
    if (files->count > 0)
        qsort(files->items, files->count, sizeof files->items[0], compare);
    return rc < 0 ? rc : make_unique(files);
}
