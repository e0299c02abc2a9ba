/*
 * features_speed: how many bytes of a file a second are searched for features, in CPU time of one thread,
 * without the reading; and a sum over all that was found.
 *
 *     features_speed TABLES FILE [OFFSET [SIZE]]
 */
#include "plugins/features/search.h"

#include "engine/plugin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, BEHIND = 8 * 1024, AHEAD = 16 * 1024 };

void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *problem)
{
    (void)plugin, (void)kind, (void)name, (void)sha256, (void)count, (void)problem;
}

static uint64_t counts[FEATURE_KINDS], sum = 0xcbf29ce484222325;

/* FNV-1a: two versions that find the same print the same. */
static void add_up(const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
}

static int on_each(void *context, const struct occurrence *o)
{
    (void)context;
    counts[o->kind]++;
    add_up(&o->kind, sizeof o->kind);
    add_up(&o->rank, sizeof o->rank);
    add_up(&o->offset, sizeof o->offset);
    add_up(o->value, o->value_size);
    add_up(o->normal, o->normal_size);
    add_up(o->detail, o->detail_size);
    return 0;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    uint64_t offset = argc > 3 ? strtoull(argv[3], NULL, 0) : 0,
             limit = argc > 4 ? strtoull(argv[4], NULL, 0) : UINT64_MAX / 2, total = 0;
    static uint8_t data[BEHIND + PIECE + AHEAD];
    struct search *search;
    struct why why = {""};
    double seconds = 0;
    int file = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

    if (file < 0 || search_new(argv[1], &search, &why) < 0) {
        fprintf(stderr, "features_speed TABLES FILE [OFFSET [SIZE]]: %s\n", why.text);
        return 2;
    }
    for (uint64_t at = offset; at - offset < limit; at += PIECE) {
        uint64_t begin = at > BEHIND ? at - BEHIND : 0;
        ssize_t got = pread(file, data, (size_t)(at - begin) + PIECE + AHEAD, (off_t)begin);
        struct piece piece = {data, got > 0 ? (size_t)got : 0, (size_t)(at - begin),
                              (size_t)(at - begin) + PIECE, begin};

        if (piece.size <= piece.from)
            break;
        piece.to = piece.to < piece.size ? piece.to : piece.size;
        seconds -= now();
        if (search_piece(search, &piece, on_each, NULL) < 0)
            abort();
        seconds += now();
        total += piece.to - piece.from;
    }
    printf("%.0f MB in %.2f s: %.0f MB/s\n", (double)total / 1e6, seconds, (double)total / 1e6 / seconds);
    printf("sum %016llx\n", (unsigned long long)sum);
    for (int kind = 0; kind < FEATURE_KINDS; kind++) {
        if (counts[kind] > 0)
            printf("%s %llu\n", feature_kind_name((enum feature_kind)kind), (unsigned long long)counts[kind]);
    }
    search_free(search);
    close(file);
    return 0;
}
