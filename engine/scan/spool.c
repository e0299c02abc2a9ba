/*
 * spool: stores in memory, then in chunks of one unlinked file (pwrite(2)), mapped read-only when they are
 * looked at.
 *
 * Space is counted in bytes kept, not in buffer capacities: what a limit cuts must not depend on which
 * streams this worker happened to scan before. System calls: pwrite, mmap, munmap, ftruncate; no others, for
 * the sandbox allows little.
 */
#include "engine/scan/spool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
enum {
    CAPACITY_MIN = 64 * 1024,
    REUSE_CAPACITY_MAX = 4 * 1024 * 1024, /* larger buffers go back to the system */
    CHUNKS_KEPT_MAX = 64,                 /* a file with more goes back to the disk when it is empty */
};

static size_t size_min(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

int spool_init(struct spool *spool, uint64_t limit, uint64_t budget)
{
    uint64_t chunks = limit / CHUNK;

    *spool = (struct spool){.fd = -1, .limit = limit, .budget = budget < limit ? budget : limit};
    spool->chunk_count = chunks < UINT32_MAX / 2 ? (uint32_t)chunks : UINT32_MAX / 2;
    spool->used = calloc(spool->chunk_count / 8 + 1, 1);
    return spool->used != NULL ? 0 : -ENOMEM;
}

void spool_finish(struct spool *spool)
{
    for (size_t i = 0; i < spool->reuse_count; i++)
        free(spool->reuse[i].data);
    free(spool->used);
    *spool = (struct spool){.fd = -1};
}

static bool chunk_is_used(const struct spool *spool, uint32_t chunk)
{
    return (spool->used[chunk / 8] >> (chunk % 8) & 1) != 0;
}

static int chunk_take(struct spool *spool, uint32_t *ret_chunk)
{
    uint32_t chunk = spool->lowest;

    while (chunk < spool->chunk_count && chunk_is_used(spool, chunk))
        chunk++;
    spool->lowest = chunk;
    if (chunk >= spool->chunk_count)
        return -ENOSPC;
    spool->used[chunk / 8] = (uint8_t)(spool->used[chunk / 8] | 1U << chunk % 8);
    spool->taken++;
    if (chunk >= spool->highest)
        spool->highest = chunk + 1;
    *ret_chunk = chunk;
    return 0;
}

static void chunk_give(struct spool *spool, uint32_t chunk)
{
    spool->used[chunk / 8] = (uint8_t)(spool->used[chunk / 8] & ~(1U << chunk % 8));
    spool->taken--;
    if (chunk < spool->lowest)
        spool->lowest = chunk;
}

static int write_all(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t count = pwrite(fd, data, size, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 && errno != EFBIG && errno != EDQUOT ? -errno : -ENOSPC;
        data += count;
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
    return 0;
}

void store_init(struct store *store, struct spool *spool)
{
    *store = (struct store){.spool = spool};
}

/* Ends the part in memory. */
static void drop_memory(struct store *store)
{
    struct spool *spool = store->spool;

    if (store->data == NULL)
        return;
    if (store->capacity <= REUSE_CAPACITY_MAX && spool->reuse_count < SPOOL_REUSE_MAX) {
        spool->reuse[spool->reuse_count].data = store->data;
        spool->reuse[spool->reuse_count++].capacity = store->capacity;
    } else {
        free(store->data);
    }
    store->data = NULL;
    store->capacity = 0;
}

/* Frees the disk, or the memory behind a file in a tmpfs, after a large stream. That it may fail does not
 * matter. */
static void give_back(struct spool *spool)
{
    if (spool->taken > 0 || spool->highest <= CHUNKS_KEPT_MAX)
        return;
    if (ftruncate(spool->fd, 0) == 0)
        spool->highest = 0;
}

void store_finish(struct store *store)
{
    struct spool *spool = store->spool;

    if (spool == NULL)
        return;
    if (store->map != NULL)
        munmap(store->map, store->map_size);
    spool->kept -= store->size;
    if (store->chunk_count == 0)
        spool->in_memory -= store->size;
    drop_memory(store);
    for (size_t i = 0; i < store->chunk_count; i++)
        chunk_give(spool, store->chunks[i]);
    free(store->chunks);
    *store = (struct store){.spool = NULL};
    give_back(spool);
}

/* Room for `size` bytes in memory. */
static int grow(struct store *store, size_t size)
{
    struct spool *spool = store->spool;
    size_t capacity = store->capacity * 2 > size ? store->capacity * 2 : size;
    uint8_t *data;

    if (size <= store->capacity)
        return 0;
    if (store->data == NULL && spool->reuse_count > 0) {
        store->data = spool->reuse[--spool->reuse_count].data;
        store->capacity = spool->reuse[spool->reuse_count].capacity;
        return grow(store, size);
    }
    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    data = realloc(store->data, capacity);
    if (data == NULL)
        return -ENOMEM;
    store->data = data;
    store->capacity = capacity;
    return 0;
}

static int append_memory(struct store *store, const uint8_t *data, size_t size)
{
    int rc = grow(store, (size_t)store->size + size);

    if (rc < 0)
        return rc;
    memcpy(store->data + store->size, data, size);
    store->size += size;
    store->spool->kept += size;
    store->spool->in_memory += size;
    return 0;
}

static int chunk_add(struct store *store)
{
    uint32_t chunk;
    int rc;

    if (store->chunk_count == store->chunk_capacity) {
        size_t capacity = store->chunk_capacity == 0 ? 64 : store->chunk_capacity * 2;
        uint32_t *chunks = reallocarray(store->chunks, capacity, sizeof chunks[0]);

        if (chunks == NULL)
            return -ENOMEM;
        store->chunks = chunks;
        store->chunk_capacity = capacity;
    }
    rc = chunk_take(store->spool, &chunk);
    if (rc == 0)
        store->chunks[store->chunk_count++] = chunk;
    return rc;
}

/* Writes at `at`, the end of what is in the file; `*ret_written` counts even when it fails half-way. */
static int append_chunks(struct store *store, uint64_t at, const uint8_t *data, size_t size,
                         size_t *ret_written)
{
    size_t done = 0;
    int rc = 0;

    while (done < size) {
        size_t within = (size_t)((at + done) % CHUNK), part = size_min(size - done, CHUNK - within);
        uint32_t chunk;

        if ((at + done) / CHUNK == store->chunk_count) {
            rc = chunk_add(store);
            if (rc < 0)
                break;
        }
        chunk = store->chunks[(at + done) / CHUNK];
        rc = write_all(store->spool->fd, data + done, part, (uint64_t)chunk * CHUNK + within);
        if (rc < 0)
            break;
        done += part;
    }
    *ret_written = done;
    return rc;
}

/* Moves a store from memory to the file. When that fails it stays as it was. */
static int spill(struct store *store)
{
    size_t written;
    int rc = append_chunks(store, 0, store->data, (size_t)store->size, &written);

    if (rc == 0 && store->chunk_count == 0)
        rc = chunk_add(store); /* an empty store: its being in the file shows by its having a chunk */
    if (rc < 0) {
        while (store->chunk_count > 0)
            chunk_give(store->spool, store->chunks[--store->chunk_count]);
        return rc;
    }
    store->spool->in_memory -= store->size;
    drop_memory(store);
    return 0;
}

/* As much as the memory budget still takes, when there is no way on into the file. */
static int append_last(struct store *store, const uint8_t *data, size_t size, int rc)
{
    uint64_t room = store->spool->budget - store->spool->in_memory;
    int code = room > 0 ? append_memory(store, data, size_min(size, room)) : 0;

    return code < 0 ? code : rc;
}

static int append(struct store *store, const uint8_t *data, size_t size)
{
    struct spool *spool = store->spool;
    size_t written;
    int rc;

    if (store->chunk_count == 0) {
        if (size <= spool->budget - spool->in_memory)
            return append_memory(store, data, size);
        rc = spool->fd < 0 ? -ENOSPC : spill(store);
        if (rc < 0)
            return append_last(store, data, size, rc);
    }
    rc = append_chunks(store, store->size, data, size, &written);
    store->size += written;
    spool->kept += written;
    return rc;
}

int store_append(struct store *store, const void *data, size_t size)
{
    uint64_t room = store->spool->limit - store->spool->kept;
    int rc = size > 0 && room > 0 ? append(store, data, size_min(size, room)) : 0;

    return rc == 0 && size > room ? -ENOSPC : rc;
}

/* How many chunks from `first` on follow each other in the file. */
static size_t run_length(const struct store *store, size_t first)
{
    size_t end = first + 1;

    while (end < store->chunk_count && store->chunks[end] == store->chunks[end - 1] + 1)
        end++;
    return end - first;
}

static int map_run(const struct store *store, uint8_t *at, size_t first, size_t count)
{
    void *map = mmap(at, count * CHUNK, PROT_READ, MAP_SHARED | MAP_FIXED, store->spool->fd,
                     (off_t)((uint64_t)store->chunks[first] * CHUNK));

    return map != MAP_FAILED ? 0 : -errno;
}

int store_map(struct store *store, const uint8_t **ret_data)
{
    size_t size = store->chunk_count * CHUNK, count;
    uint8_t *map;
    int rc = 0;

    if (store->chunk_count == 0 || store->map != NULL) {
        *ret_data = store->chunk_count == 0 ? store->data : store->map;
        return 0;
    }
    /* One reservation that costs no memory, and over it the runs of chunks in their order. */
    map = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return -errno;
    for (size_t i = 0; i < store->chunk_count && rc == 0; i += count) {
        count = run_length(store, i);
        rc = map_run(store, map + i * CHUNK, i, count);
    }
    if (rc < 0) {
        munmap(map, size);
        return rc;
    }
    store->map = map;
    store->map_size = size;
    *ret_data = map;
    return 0;
}
