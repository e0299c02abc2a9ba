/*
 * hashset_lookup: look-ups in a set and in SQLite, in one process each with the same keys; what is not there;
 * bit flips.
 *
 *     hashset_lookup find SET KEYS [ROUNDS]      every MD5 of the file, one by one and 4,096 at a time
 *     hashset_lookup sqlite DB KEYS              the same, SELECT 1 FROM file WHERE md5 = ? with one prepared
 * statement hashset_lookup cold SET KEY                opening and the first look-up, in microseconds
 *     hashset_lookup absent SET COUNT            random keys of all three algorithms: how many are found
 *     hashset_lookup flips SET COUNT             that many bits flipped, one at a time, in SET itself: how
 * many verify finds
 */
#include "cases/db.h"
#include "engine/base/when.h"
#include "engine/hashset/hashset.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 4096 };

static int wrong(const struct why *why)
{
    fprintf(stderr, "hashset_lookup: %s\n", why->text);
    return 1;
}

static bool unhex(const char *text, uint8_t *key)
{
    for (size_t i = 0; i < MD5_SIZE; i++) {
        unsigned byte;

        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        key[i] = (uint8_t)byte;
    }
    return true;
}

static uint8_t *read_keys(const char *path, size_t *ret_count)
{
    FILE *file = fopen(path, "r");
    uint8_t *keys = NULL;
    size_t count = 0, capacity = 0;
    char line[128];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (count == capacity) {
            capacity = capacity * 2 + 1024;
            keys = reallocarray(keys, capacity, MD5_SIZE);
        }
        if (keys == NULL || !unhex(line, keys + count * MD5_SIZE))
            break;
        count++;
    }
    if (file != NULL)
        fclose(file);
    *ret_count = count;
    return keys;
}

/* Time of the wall and of the processor, from `start` on. */
struct times {
    int64_t wall, cpu;
};

static int64_t cpu_time(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static struct times start(void)
{
    return (struct times){when_monotonic(), cpu_time()};
}

static void rate(const char *what, size_t count, size_t found, struct times begun)
{
    double wall = (double)(when_monotonic() - begun.wall) / 1e9, cpu = (double)(cpu_time() - begun.cpu) / 1e9;

    printf("%s\t%zu asked\t%zu found\t%.3f s wall\t%.3f s CPU\t%.0f /s CPU\n", what, count, found, wall, cpu,
           (double)count / cpu);
}

static int find(const char *path, const char *keys_path, size_t rounds)
{
    struct hashset *set;
    struct why why = {{0}};
    size_t count, found = 0;
    uint8_t *keys = read_keys(keys_path, &count);
    uint64_t first[BATCH], at;
    struct times begun;

    if (keys == NULL || hashset_open(path, &set, &why) < 0)
        return wrong(&why);
    for (size_t i = 0; i < count; i++) /* once, for the page cache */
        found += hashset_find(set, HASHSET_MD5, keys + i * MD5_SIZE, &at) > 0;
    found = 0;
    begun = start();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            found += hashset_find(set, HASHSET_MD5, keys + i * MD5_SIZE, &at) > 0;
    rate("one by one", count * rounds, found, begun);
    found = 0;
    begun = start();
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i += BATCH) {
            size_t some = count - i < BATCH ? count - i : BATCH;

            hashset_find_many(set, HASHSET_MD5, keys + i * MD5_SIZE, some, first);
            for (size_t k = 0; k < some; k++)
                found += first[k] != UINT64_MAX;
        }
    }
    rate("many", count * rounds, found, begun);
    hashset_close(set);
    free(keys);
    return 0;
}

static int ask_sqlite(const char *path, const char *keys_path)
{
    struct db *db;
    struct db_statement *s;
    struct why why = {{0}};
    size_t count, found = 0;
    uint8_t *keys = read_keys(keys_path, &count);
    struct times begun;
    char hex[2 * MD5_SIZE + 1] = "";

    if (keys == NULL || db_open(path, DB_READ, &db, &why) < 0 ||
        db_prepare(db, "SELECT 1 FROM file WHERE md5 = ?1", &s) < 0)
        return wrong(&why);
    for (unsigned round = 0; round < 2; round++) { /* the second counts */
        found = 0;
        begun = start();
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < MD5_SIZE; k++) {
                hex[2 * k] = "0123456789ABCDEF"[keys[i * MD5_SIZE + k] >> 4];
                hex[2 * k + 1] = "0123456789ABCDEF"[keys[i * MD5_SIZE + k] & 15];
            }
            db_bind_text(s, 1, hex);
            found += db_step(s) == 1;
            db_reset(s);
        }
    }
    rate("sqlite", count, found, begun);
    db_finalize(s);
    db_close(db);
    free(keys);
    return 0;
}

static int cold(const char *path, const char *hex)
{
    struct hashset *set;
    struct why why = {{0}};
    uint8_t key[MD5_SIZE];
    char warm[SHA256_HEX_SIZE];
    struct times begun, opened;
    uint64_t at;
    int64_t found;

    hash_sha256_hex("", 0, warm); /* the code of libcrypto is not what is to be measured */
    begun = start();
    if (!unhex(hex, key) || hashset_open(path, &set, &why) < 0)
        return wrong(&why);
    opened = start();
    found = hashset_find(set, HASHSET_MD5, key, &at);
    printf("cold\topened %.2f ms\tfirst look-up %.2f ms\tfound %lld\tof it CPU %.2f ms\n",
           (double)(opened.wall - begun.wall) / 1e6, (double)(when_monotonic() - opened.wall) / 1e6,
           (long long)found, (double)(cpu_time() - begun.cpu) / 1e6);
    hashset_close(set);
    return 0;
}

static uint64_t state = 88172645463325252U;
static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static int absent(const char *path, size_t count)
{
    struct hashset *set;
    struct why why = {{0}};
    size_t found = 0;
    struct times begun;

    if (hashset_open(path, &set, &why) < 0)
        return wrong(&why);
    begun = start();
    for (size_t i = 0; i < count; i++) {
        uint64_t key[4] = {random_u64(), random_u64(), random_u64(), random_u64()}, at;

        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++)
            found += hashset_find(set, (enum hashset_algorithm)a, (const uint8_t *)key, &at) > 0;
    }
    rate("absent", count, found, begun);
    hashset_close(set);
    return found > 0;
}

static int flip(const char *path, uint64_t bit)
{
    int fd = open(path, O_RDWR | O_CLOEXEC), rc = -1;
    uint8_t byte;

    if (fd >= 0 && pread(fd, &byte, 1, (off_t)(bit / 8)) == 1) {
        byte ^= (uint8_t)(1U << bit % 8);
        rc = pwrite(fd, &byte, 1, (off_t)(bit / 8)) == 1 ? 0 : -1;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool is_whole(const char *path)
{
    struct hashset *set;
    struct why why = {{0}};
    uint64_t damaged;
    int rc;

    if (hashset_open(path, &set, &why) < 0)
        return false;
    rc = hashset_verify(set, NULL, NULL, &damaged, &why);
    hashset_close(set);
    return rc == 0;
}

static int flips(const char *path, size_t count)
{
    struct hashset *set;
    struct why why = {{0}};
    size_t reported = 0;
    uint64_t size;

    if (hashset_open(path, &set, &why) < 0)
        return wrong(&why);
    size = hashset_info(set)->file_size;
    hashset_close(set);
    for (size_t i = 0; i < count; i++) {
        uint64_t bit = random_u64() % (size * 8);

        if (flip(path, bit) < 0)
            return 1;
        reported += !is_whole(path);
        if (flip(path, bit) < 0)
            return 1;
    }
    printf("flips\t%zu of %zu reported; afterwards %s\n", reported, count,
           is_whole(path) ? "whole" : "DAMAGED");
    return reported != count;
}

int main(int argc, char **argv)
{
    size_t number = argc > 3 ? strtoul(argv[argc - 1], NULL, 10) : 0;

    if (argc < 4 || hash_setup() < 0)
        return fprintf(stderr, "usage: hashset_lookup find|sqlite|cold|absent|flips FILE ...\n"), 2;
    if (strcmp(argv[1], "find") == 0)
        return find(argv[2], argv[3], argc > 4 ? number : 1);
    if (strcmp(argv[1], "sqlite") == 0)
        return ask_sqlite(argv[2], argv[3]);
    if (strcmp(argv[1], "cold") == 0)
        return cold(argv[2], argv[3]);
    if (strcmp(argv[1], "absent") == 0)
        return absent(argv[2], number);
    return flips(argv[2], number);
}
