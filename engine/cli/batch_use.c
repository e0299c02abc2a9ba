/*
 * batch_use: what a batch uses of memory and disk, from /proc (proc(5)) and the cases' folders.
 */
#include "engine/cli/batch_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, BLOCK = 512, DESCRIPTORS_OF_WALK = 16 };

const char batch_over_memory[] = "the batch uses as much memory as --memory-max allows",
           batch_over_tmp[] = "the batch uses as much room for temporary files as --tmp-max allows",
           batch_over_disk[] = "the batch's cases use as much disk as --disk-max allows";

/* ------------------------------------------------------------------ processes */

/* The number behind `name` in a file of "name: number kB" lines; UINT64_MAX when it cannot be read. */
static uint64_t kib_of(const char *path, const char *name)
{
    char line[256];
    uint64_t kib = UINT64_MAX;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoull(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* Workers do not let others look into their memory; how much they have is no secret. */
static uint64_t memory_of(const char *pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.16s/smaps_rollup", pid);
    uint64_t kib = kib_of(path, "Pss:");
    snprintf(path, sizeof path, "/proc/%.16s/status", pid);
    if (kib == UINT64_MAX)
        kib = kib_of(path, "RssAnon:");
    return kib == UINT64_MAX ? 0 : kib * 1024;
}

static bool is_of_group(const char *pid, pid_t group)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = 0;
    char *at = strrchr(text, ')'); /* the name before it may hold anything */
    long parent, pgrp;
    return at && sscanf(at + 1, " %*c %ld %ld", &parent, &pgrp) == 2 && pgrp == (long)group;
}

/* Files without a name that it has open: spools. A memory file has none on a disk. */
static uint64_t unlinked_of(pid_t pid)
{
    char path[64], name[PATH_SIZE];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    DIR *all = opendir(path);
    struct dirent *entry;
    struct stat st;
    while (all && (entry = readdir(all))) {
        if (fstatat(dirfd(all), entry->d_name, &st, 0) || !S_ISREG(st.st_mode) || st.st_nlink)
            continue;
        ssize_t size = readlinkat(dirfd(all), entry->d_name, name, sizeof name - 1);
        name[size > 0 ? size : 0] = 0;
        if (strncmp(name, "/memfd:", 7) != 0)
            bytes += (uint64_t)st.st_blocks * BLOCK;
    }
    if (all)
        closedir(all);
    return bytes;
}

void batch_use_add(pid_t group, struct batch_use *use)
{
    DIR *all = opendir("/proc");
    struct dirent *entry;
    while (all && (entry = readdir(all)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_of_group(entry->d_name, group))
            use->memory += memory_of(entry->d_name);
    if (all)
        closedir(all);
    use->tmp += unlinked_of(group);
}

/* ------------------------------------------------------------------ folders */

static uint64_t walked; /* nftw has no context */

static int weigh(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)path;
    (void)where;
    if (type != FTW_NS)
        walked += (uint64_t)st->st_blocks * BLOCK;
    return 0;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Several tasks may be of one case. */
int batch_use_disk(struct batch *batch, uint64_t *ret)
{
    struct batch_task *tasks = NULL;
    size_t count = 0;
    int code = batch_tasks(batch, &tasks, &count);
    if (code)
        return code;
    const char **folders = calloc(count + 1, sizeof *folders);
    for (size_t i = 0; folders && i < count; i++)
        folders[i] = tasks[i].folder;
    if (folders)
        qsort(folders, count, sizeof *folders, by_name);
    walked = 0;
    for (size_t i = 0; folders && i < count; i++)
        if (i == 0 || strcmp(folders[i], folders[i - 1]) != 0)
            (void)nftw(folders[i], weigh, DESCRIPTORS_OF_WALK, FTW_PHYS); /* there may be none yet */
    *ret = walked;
    code = folders ? 0 : -ENOMEM;
    free(folders);
    batch_tasks_free(tasks, count);
    return code;
}

/* ------------------------------------------------------------------ limits */

static bool is_over(uint64_t used, uint64_t most, bool begins)
{
    return most && (begins ? used > most / 4 * 3 : used > most);
}

const char *batch_over(const struct batch_limits *limits, const struct batch_use *use, bool begins)
{
    return is_over(use->memory, limits->memory_most, begins) ? batch_over_memory
           : is_over(use->tmp, limits->tmp_most, begins)     ? batch_over_tmp
           : is_over(use->disk, limits->disk_most, begins)   ? batch_over_disk
                                                             : NULL;
}

struct batch_fewer {
    uint64_t task, workers;
    struct batch_fewer *next;
};

uint64_t *batch_fewer(struct batch_fewer **list, uint64_t task)
{
    for (struct batch_fewer *one = *list; one; one = one->next)
        if (one->task == task)
            return &one->workers;
    struct batch_fewer *one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    *one = (struct batch_fewer){.task = task, .next = *list};
    *list = one;
    return &one->workers;
}

uint64_t batch_workers(const struct batch_fewer *list, uint64_t task, uint64_t otherwise)
{
    for (; list; list = list->next)
        if (list->task == task)
            return list->workers ? list->workers : 1;
    return otherwise;
}

void batch_fewer_free(struct batch_fewer *list)
{
    while (list) {
        struct batch_fewer *next = list->next;
        free(list);
        list = next;
    }
}
