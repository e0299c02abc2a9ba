/* spool.c: what is kept of streams, in memory and in the file. */
#include "engine/scan/spool.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static struct spool spool;
static uint8_t *block;

static void set_up(void)
{
    block = malloc(3 * MIB);
    cr_assert_not_null(block);
}

static void tear_down(void)
{
    spool_finish(&spool);
    free(block);
}

TestSuite(spool, .init = set_up, .fini = tear_down);

static void with(uint64_t limit, uint64_t memory, bool file)
{
    char path[] = "/tmp/kvali-test-XXXXXX";

    cr_assert_eq(spool_init(&spool, limit, memory), 0);
    if (!file)
        return;
    spool.fd = mkstemp(path);
    cr_assert(spool.fd >= 0);
    unlink(path);
}

/* The byte that belongs at `offset` of stream number `number`. */
static uint8_t pattern(unsigned number, uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 11) + number * 101);
}

static int append(struct store *store, unsigned number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        block[i] = pattern(number, store->size + i);
    return store_append(store, block, size);
}

static void is_whole(struct store *store, unsigned number, uint64_t size)
{
    const uint8_t *data;

    cr_assert_eq(store->size, size);
    cr_assert_eq(store_map(store, &data), 0);
    for (uint64_t i = 0; i < size; i++) {
        if (data[i] != pattern(number, i))
            cr_assert_fail("stream %u differs at %llu", number, (unsigned long long)i);
    }
}

Test(spool, a_small_stream_stays_in_memory)
{
    struct store store;

    with(16 * MIB, MIB, true);
    store_init(&store, &spool);
    cr_assert_eq(append(&store, 1, 1000), 0);
    cr_assert_eq(append(&store, 1, 0), 0);
    cr_assert_eq(append(&store, 1, 500000), 0);
    cr_assert_eq(store.chunk_count, 0);
    is_whole(&store, 1, 501000);
    store_finish(&store);
    cr_assert_eq(spool.kept, 0);
    cr_assert_eq(spool.in_memory, 0);
}

Test(spool, a_large_stream_goes_to_the_file_and_is_seen_in_one_piece)
{
    struct store store;

    with(64 * MIB, 100000, true);
    store_init(&store, &spool);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(append(&store, 2, MIB - 7777), 0);
    cr_assert_gt(store.chunk_count, 0);
    cr_assert_eq(spool.in_memory, 0);
    is_whole(&store, 2, 10 * (MIB - 7777));
    store_finish(&store);
    cr_assert_eq(spool.kept, 0);
}

Test(spool, streams_that_grow_by_turns_do_not_mix)
{
    struct store stores[5];

    with(64 * MIB, 0, true);
    for (unsigned i = 0; i < 5; i++)
        store_init(&stores[i], &spool);
    for (unsigned turn = 0; turn < 20; turn++)
        for (unsigned i = 0; i < 5; i++)
            cr_assert_eq(append(&stores[i], i, 100000 + 1000 * i), 0);
    for (unsigned i = 0; i < 5; i++)
        is_whole(&stores[i], i, 20 * (100000 + 1000 * i));
    for (unsigned i = 0; i < 5; i++)
        store_finish(&stores[i]);
}

Test(spool, the_space_of_a_stream_is_used_again_and_given_back)
{
    struct store outer, inner;
    struct stat status;

    with(64 * MIB, 0, true);
    store_init(&outer, &spool);
    cr_assert_eq(append(&outer, 1, MIB), 0);
    for (unsigned i = 0; i < 10; i++) {
        store_init(&inner, &spool);
        cr_assert_eq(append(&inner, i, 3 * MIB), 0);
        is_whole(&inner, i, 3 * MIB);
        store_finish(&inner);
    }
    cr_assert_eq(append(&outer, 1, MIB), 0);
    is_whole(&outer, 1, 2 * MIB);
    cr_assert_eq(fstat(spool.fd, &status), 0);
    cr_assert_leq(status.st_size, 4 * MIB);
    store_finish(&outer);
}

Test(spool, a_large_file_is_given_back_to_the_disk_when_nothing_is_kept)
{
    struct store store;
    struct stat status;

    with(256 * MIB, 0, true);
    store_init(&store, &spool);
    for (int i = 0; i < 50; i++)
        cr_assert_eq(append(&store, 1, 2 * MIB), 0);
    store_finish(&store);
    cr_assert_eq(fstat(spool.fd, &status), 0);
    cr_assert_eq(status.st_size, 0);
    store_init(&store, &spool);
    cr_assert_eq(append(&store, 7, 2 * MIB), 0);
    is_whole(&store, 7, 2 * MIB);
    store_finish(&store);
}

Test(spool, the_limit_is_exact_and_what_fits_is_kept)
{
    struct store store;

    with(2 * MIB, 64 * MIB, true);
    store_init(&store, &spool);
    cr_assert_eq(append(&store, 3, MIB), 0);
    cr_assert_eq(append(&store, 3, MIB - 1), 0);
    cr_assert_eq(append(&store, 3, 1000), -ENOSPC);
    is_whole(&store, 3, 2 * MIB);
    store_finish(&store);
}

Test(spool, without_a_file_the_memory_budget_is_the_limit)
{
    struct store one, two;

    with(64 * MIB, 1000, false);
    store_init(&one, &spool);
    store_init(&two, &spool);
    cr_assert_eq(append(&one, 1, 600), 0);
    cr_assert_eq(append(&two, 2, 600), -ENOSPC);
    is_whole(&one, 1, 600);
    is_whole(&two, 2, 400);
    store_finish(&one);
    store_finish(&two);
    cr_assert_eq(spool.in_memory, 0);
}

Test(spool, a_file_that_cannot_be_written_keeps_what_memory_holds)
{
    struct store store;
    int pipes[2];

    with(64 * MIB, 1000, false);
    cr_assert_eq(pipe(pipes), 0);
    spool.fd = pipes[0]; /* pwrite: ESPIPE or EBADF */
    store_init(&store, &spool);
    cr_assert_eq(append(&store, 4, 900), 0);
    cr_assert_lt(append(&store, 4, 900), 0);
    is_whole(&store, 4, 1000);
    store_finish(&store);
    cr_assert_eq(spool.kept, 0);
}

Test(spool, an_empty_store_is_fine)
{
    struct store store;
    const uint8_t *data;

    with(MIB, MIB, false);
    store_init(&store, &spool);
    cr_assert_eq(store_map(&store, &data), 0);
    store_finish(&store);
    store_finish(&store);
}
