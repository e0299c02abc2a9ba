/*
 * batch_room: how much is free, on disk and in memory.
 */
#include "engine/cli/batch_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { PATH_SIZE = 4096 };

/* For tests. */
static bool injected(uint64_t *ret_disk, uint64_t *ret_memory)
{
    unsigned long long disk, memory;
    const char *path = getenv("KVALI_TEST_ROOM");
    FILE *file = path ? fopen(path, "re") : NULL;
    bool good = file && fscanf(file, "%llu %llu", &disk, &memory) == 2;
    if (file)
        fclose(file);
    if (good) {
        *ret_disk = disk;
        *ret_memory = memory;
    }
    return good;
}

/* Of the folder, or of the nearest one above it that is there. */
uint64_t batch_free_disk(const char *folder)
{
    char path[PATH_SIZE];
    struct statvfs st;
    uint64_t disk, memory;
    if (injected(&disk, &memory))
        return disk;
    snprintf(path, sizeof path, "%s", folder);
    while (statvfs(path, &st)) {
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            return UINT64_MAX;
        *slash = 0;
    }
    return (uint64_t)st.f_bavail * st.f_frsize;
}

uint64_t batch_free_memory(void)
{
    char line[256];
    unsigned long long kib;
    uint64_t disk, memory = UINT64_MAX;
    if (injected(&disk, &memory))
        return memory;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
            memory = kib * 1024;
    if (file)
        fclose(file);
    return memory;
}

const char *batch_no_room(const struct batch_limits *limits, const char *folder, const char *tmp, bool begins)
{
    uint64_t disk = limits->disk, memory = limits->memory;
    disk += begins ? disk / 4 : 0;
    memory += begins ? memory / 4 : 0;
    if (batch_free_disk(folder) < disk)
        return "the disk of the case is short of room";
    if (batch_free_disk(tmp) < disk)
        return "the disk of temporary files is short of room";
    return batch_free_memory() < memory ? "memory is short" : NULL;
}
