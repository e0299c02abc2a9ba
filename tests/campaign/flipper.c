/*
 * flipper: does verify see a single bit that changed? Flips a bit of a sealed case's file, calls case_verify,
 * which is what `kvali verify` calls, flips it back, and so on, in one process: some thirty times as many
 * flips a second as commands. flips.py starts it, and asks the command itself where this one doubts.
 *
 * flipper CASE CA SEED [FILE BYTES COUNT]...: COUNT flips among the first BYTES (0: all) of FILE, a name in
 * CASE. A line for each FILE: `FILE seen COUNT`; and `doubt FILE BYTE BIT WORDS` for a flip after which
 * verify found the case sound, or could not look at it. Exit 1: the case was not sound before or after; 2:
 * the environment.
 */
#include "cases/verify.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct told {
    bool words; /* a step that is not sound says something */
};

static void step(void *context, enum verify_step number, bool sound, const char *words)
{
    struct told *told = context;
    (void)number;
    told->words = told->words || (!sound && words && *words);
}

/* SQLite leaves these beside a database that it opened read-only; the next flip must not meet them. */
static void remove_side_files(const char *folder)
{
    static const char *const names[] = {"case.db-wal", "case.db-shm"};
    char path[4096];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
}

/* 1: it is told what is wrong; 0: the case is sound; negative: it could not be looked at. */
static int look(const char *folder, const char *ca, struct why *why)
{
    struct seal_trust trust = {.ca = ca, .tsa = ca};
    struct verify_result result = {0};
    struct told told = {0};
    int code = case_verify(folder, &trust, step, &told, &result, why);
    remove_side_files(folder);
    if (code < 0)
        return code;
    return !result.sound && told.words;
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state += 0x9e3779b97f4a7c15U; /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % below;
}

static bool flip(int fd, uint64_t byte, int bit)
{
    uint8_t value;
    bool good = pread(fd, &value, 1, (off_t)byte) == 1;
    value ^= (uint8_t)(1 << bit);
    return good && pwrite(fd, &value, 1, (off_t)byte) == 1;
}

/* Exit code. */
static int flip_file(const char *folder, const char *ca, uint64_t *state, const char *name, uint64_t bytes,
                     uint64_t count)
{
    char path[4096];
    struct stat st;
    uint64_t seen = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_size == 0) {
        perror(path);
        return 2;
    }
    if (bytes == 0 || bytes > (uint64_t)st.st_size)
        bytes = (uint64_t)st.st_size;
    for (uint64_t i = 0; i < count; i++) {
        struct why why = {{0}};
        uint64_t byte = draw(state, bytes);
        int bit = (int)draw(state, 8);
        if (!flip(fd, byte, bit))
            return 2;
        int code = look(folder, ca, &why);
        if (!flip(fd, byte, bit))
            return 2;
        seen += code == 1;
        if (code != 1)
            printf("doubt %s %llu %d %s\n", name, (unsigned long long)byte, bit,
                   code == 0 ? "sound" : why.text);
    }
    (void)close(fd);
    printf("%s seen %llu\n", name, (unsigned long long)seen);
    return fflush(stdout) ? 2 : 0;
}

static int sound(const char *folder, const char *ca, const char *when)
{
    struct why why = {{0}};
    int code = look(folder, ca, &why);
    if (code)
        fprintf(stderr, "the case is not sound %s anything was changed: %s\n", when, why.text);
    return code ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 4 || (argc - 4) % 3)
        return 2;
    uint64_t state = strtoull(argv[3], NULL, 10);
    log_set_level(LOG_ERROR);
    int code = hash_setup() < 0 ? 2 : sound(argv[1], argv[2], "before");
    for (int i = 4; code == 0 && i < argc; i += 3)
        code = flip_file(argv[1], argv[2], &state, argv[i], strtoull(argv[i + 1], NULL, 10),
                         strtoull(argv[i + 2], NULL, 10));
    return code ? code : sound(argv[1], argv[2], "after");
}
