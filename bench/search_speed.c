/*
 * search_speed: how many bytes of a file a second are searched for features and for keywords, in CPU time of
 * one thread, block by block for both in turn, as the engine gives them, without the reading; and a sum over
 * all that each found: two versions that find the same print the same.
 *
 *     search_speed TABLES LIST FILE
 *
 * With "-" for TABLES or LIST only the other is searched for.
 */
#include "bench/search_speed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024, BEHIND = 8 * 1024, AHEAD = 16 * 1024 };

struct part {
    const char *name;
    void *context;
    void (*search)(void *context, const struct speed_block *block);
    void (*add)(void *context, struct speed_sum *sum);
    struct speed_sum sum;
    double seconds;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void speed_add(struct speed_sum *sum, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum->hash = (sum->hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
}

static void measure(struct part *part, const struct speed_block *block)
{
    double begin;

    if (part->context == NULL)
        return;
    begin = now();
    part->search(part->context, block);
    part->seconds += now() - begin;
    part->add(part->context, &part->sum);
}

static uint64_t run(int file, struct part *parts)
{
    static uint8_t data[BEHIND + BLOCK + AHEAD];
    uint64_t offset = 0;

    for (;; offset += BLOCK) {
        size_t behind = offset < BEHIND ? (size_t)offset : BEHIND;
        ssize_t got = pread(file, data, behind + BLOCK + AHEAD, (off_t)(offset - behind));
        size_t size = got > (ssize_t)behind ? (size_t)got - behind : 0;
        const struct speed_block block = {data + behind, size < BLOCK ? size : BLOCK, behind,
                                          size > BLOCK ? size - BLOCK : 0, offset};

        if (size == 0)
            return offset;
        for (size_t i = 0; i < 2; i++)
            measure(&parts[i], &block);
        if (size <= BLOCK)
            return offset + size;
    }
}

int main(int argc, char **argv)
{
    int file = argc == 4 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
    struct part parts[2] = {
        {"features", NULL, speed_features_search, speed_features_add, {0, 0}, 0},
        {"keywords", NULL, speed_keywords_search, speed_keywords_add, {0, 0}, 0},
    };
    double size;

    if (file < 0) {
        fprintf(stderr, "search_speed TABLES LIST FILE\n");
        return 2;
    }
    parts[0].context = strcmp(argv[1], "-") != 0 ? speed_features_new(argv[1]) : NULL;
    parts[1].context = strcmp(argv[2], "-") != 0 ? speed_keywords_new(argv[2]) : NULL;
    size = (double)run(file, parts) / 1e6;
    for (size_t i = 0; i < 2; i++) {
        if (parts[i].context != NULL)
            printf("%s %.0f MB in %.3f s: %.0f MB/s; %llu found, sum %016llx\n", parts[i].name, size,
                   parts[i].seconds, size / parts[i].seconds, (unsigned long long)parts[i].sum.count,
                   (unsigned long long)parts[i].sum.hash);
    }
    printf("together %.0f MB/s\n", size / (parts[0].seconds + parts[1].seconds));
    close(file);
    return 0;
}
