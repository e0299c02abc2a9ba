/*
 * sort: see sort.h. In memory a radix sort in place, one byte of the key a level: keys are digests, so they
 * spread evenly; where somebody made them not to, the depth is still bounded by the width of an entry.
 */
#include "engine/hashset/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 24, WRITE_MAX = 8 << 20, READ_MIN = 4096 };

struct run {
    uint64_t offset, left; /* bytes in the file */
    uint8_t *buffer;
    size_t at, filled;
    uint64_t prefix; /* of the entry at `at`, big-endian */
};

struct sorter {
    size_t step, capacity; /* entries of a buffer */
    uint8_t *fill, *other;
    size_t used, sorting;
    const char *folder;
    pthread_t thread;
    bool running;
    int fd, error, thread_error;
    uint64_t file_size, count;
    struct run *runs;
    size_t run_count;
    size_t *heap, heap_count;
    size_t cursor; /* without runs */
};

/* ------------------------------------------------------------------ in memory */

#define INLINE static inline __attribute__((always_inline))

INLINE void swap_entries(uint8_t *a, uint8_t *b, size_t step)
{
    uint8_t t[SORTER_STEP_MAX];

    memcpy(t, a, step);
    memcpy(a, b, step);
    memcpy(b, t, step);
}

INLINE void insertion(uint8_t *data, size_t count, size_t step)
{
    uint8_t t[SORTER_STEP_MAX];

    for (size_t i = 1; i < count; i++) {
        size_t j = i;

        if (memcmp(data + (i - 1) * step, data + i * step, step) <= 0)
            continue;
        memcpy(t, data + i * step, step);
        for (; j > 0 && memcmp(data + (j - 1) * step, t, step) > 0; j--)
            memcpy(data + j * step, data + (j - 1) * step, step);
        memcpy(data + j * step, t, step);
    }
}

struct span {
    uint8_t *data;
    size_t count;
    unsigned level;
};

/* Puts every entry into the part of its byte `level`; start[i] to start[i + 1] are then those with byte i. */
INLINE void distribute(const struct span *span, size_t step, size_t start[257])
{
    size_t next[256];
    uint8_t *data = span->data;
    const unsigned level = span->level;

    memset(start, 0, 257 * sizeof start[0]);
    for (size_t i = 0; i < span->count; i++)
        start[data[i * step + level] + 1]++;
    for (size_t i = 0; i < 256; i++) {
        next[i] = start[i];
        start[i + 1] += start[i];
    }
    for (size_t part = 0; part < 256; part++) {
        while (next[part] < start[part + 1]) {
            uint8_t *entry = data + next[part] * step;
            uint8_t byte = entry[level];

            if (byte == part)
                next[part]++;
            else
                swap_entries(entry, data + next[byte]++ * step, step);
        }
    }
}

/* The stack holds at most 255 waiting parts a level, for the one taken from it is divided next. */
INLINE void radix(uint8_t *data, size_t count, size_t step, struct span *stack)
{
    size_t depth = 0, start[257];

    stack[depth++] = (struct span){data, count, 0};
    while (depth > 0) {
        struct span span = stack[--depth];

        if (span.count <= SMALL) {
            insertion(span.data, span.count, step);
            continue;
        }
        if (span.level == step)
            continue;
        distribute(&span, step, start);
        for (size_t i = 0; i < 256; i++) {
            if (start[i + 1] - start[i] > 1)
                stack[depth++] =
                    (struct span){span.data + start[i] * step, start[i + 1] - start[i], span.level + 1};
        }
    }
}

/* The usual widths as constants, so that copies become a few registers. */
static int sort_entries(uint8_t *data, size_t count, size_t step)
{
    struct span *stack = malloc((256 * step + 1) * sizeof stack[0]);

    if (stack == NULL)
        return -ENOMEM;
    switch (step) {
    case 20:
        radix(data, count, 20, stack);
        break;
    case 24:
        radix(data, count, 24, stack);
        break;
    case 36:
        radix(data, count, 36, stack);
        break;
    default:
        radix(data, count, step, stack);
    }
    free(stack);
    return 0;
}

/* ------------------------------------------------------------------ runs */

int unlinked_file(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[4096];

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd >= 0 ? fd : -errno;
    if (snprintf(path, sizeof path, "%s/.kvali-XXXXXX", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

int write_all(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *at = data;

    while (size > 0) {
        ssize_t count = pwrite(fd, at, size < WRITE_MAX ? size : WRITE_MAX, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        at += count;
        offset += (uint64_t)count;
        size -= (size_t)count;
    }
    return 0;
}

static void *spill(void *context)
{
    struct sorter *sorter = context;
    size_t size = sorter->sorting * sorter->step;
    int rc = sort_entries(sorter->other, sorter->sorting, sorter->step);

    if (rc == 0)
        rc = write_all(sorter->fd, sorter->other, size, sorter->file_size);
    sorter->thread_error = rc;
    return NULL;
}

static void join(struct sorter *sorter)
{
    if (!sorter->running)
        return;
    pthread_join(sorter->thread, NULL);
    sorter->running = false;
    sorter->file_size += (uint64_t)sorter->sorting * sorter->step;
    if (sorter->error == 0)
        sorter->error = sorter->thread_error;
}

static int remember_run(struct sorter *sorter)
{
    struct run *runs = reallocarray(sorter->runs, sorter->run_count + 1, sizeof runs[0]);

    if (runs == NULL)
        return -ENOMEM;
    sorter->runs = runs;
    runs[sorter->run_count++] =
        (struct run){.offset = sorter->file_size, .left = (uint64_t)sorter->used * sorter->step};
    return 0;
}

/* Hands the full buffer to the thread and goes on with the other. */
static void hand_over(struct sorter *sorter)
{
    uint8_t *full = sorter->fill;

    join(sorter);
    if (sorter->error == 0 && sorter->fd < 0) {
        sorter->fd = unlinked_file(sorter->folder);
        sorter->error = sorter->fd < 0 ? sorter->fd : 0;
    }
    if (sorter->error == 0)
        sorter->error = remember_run(sorter);
    if (sorter->error < 0)
        return;
    sorter->fill = sorter->other;
    sorter->other = full;
    sorter->sorting = sorter->used;
    sorter->used = 0;
    sorter->error = -pthread_create(&sorter->thread, NULL, spill, sorter);
    sorter->running = sorter->error == 0;
}

static uint8_t *map(size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return data != MAP_FAILED ? data : NULL;
}

int sorter_new(size_t step, size_t memory, const char *folder, struct sorter **ret_sorter)
{
    struct sorter *sorter = calloc(1, sizeof *sorter);

    if (sorter == NULL)
        return -ENOMEM;
    sorter->step = step;
    sorter->capacity = memory / step > 1 ? memory / step : 1;
    sorter->folder = folder;
    sorter->fd = -1;
    sorter->fill = map(sorter->capacity * step);
    sorter->other = map(sorter->capacity * step);
    if (sorter->fill == NULL || sorter->other == NULL) {
        sorter_free(sorter);
        return -ENOMEM;
    }
    *ret_sorter = sorter;
    return 0;
}

static void drop_buffers(struct sorter *sorter)
{
    if (sorter->fill != NULL)
        munmap(sorter->fill, sorter->capacity * sorter->step);
    if (sorter->other != NULL)
        munmap(sorter->other, sorter->capacity * sorter->step);
    sorter->fill = sorter->other = NULL;
}

void sorter_free(struct sorter *sorter)
{
    if (sorter == NULL)
        return;
    join(sorter);
    drop_buffers(sorter);
    for (size_t i = 0; i < sorter->run_count; i++)
        free(sorter->runs[i].buffer);
    free(sorter->runs);
    free(sorter->heap);
    if (sorter->fd >= 0)
        close(sorter->fd);
    free(sorter);
}

uint8_t *sorter_slot(struct sorter *sorter)
{
    if (sorter->used == sorter->capacity)
        hand_over(sorter);
    if (sorter->error < 0)
        return NULL;
    sorter->count++;
    return sorter->fill + sorter->used++ * sorter->step;
}

uint64_t sorter_count(const struct sorter *sorter)
{
    return sorter->count;
}

/* ------------------------------------------------------------------ merging */

static void take_prefix(struct run *run)
{
    uint64_t value;

    memcpy(&value, run->buffer + run->at, sizeof value);
    run->prefix = __builtin_bswap64(value);
}

/* The next part of a run into its buffer. False at its end. */
static bool refill(struct sorter *sorter, struct run *run, size_t size)
{
    size_t want = run->left < size ? (size_t)run->left : size, have = 0;

    while (have < want) {
        ssize_t count = pread(sorter->fd, run->buffer + have, want - have, (off_t)(run->offset + have));

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            sorter->error = count < 0 ? -errno : -EIO;
            return false;
        }
        have += (size_t)count;
    }
    run->offset += want;
    run->left -= want;
    run->at = 0;
    run->filled = want;
    if (want > 0)
        take_prefix(run);
    return want > 0;
}

static size_t read_size(const struct sorter *sorter)
{
    size_t size = sorter->capacity * sorter->step / (sorter->run_count + 1);

    if (size > WRITE_MAX)
        size = WRITE_MAX;
    if (size < READ_MIN)
        size = READ_MIN;
    return size / sorter->step * sorter->step;
}

static bool before(const struct sorter *sorter, size_t a, size_t b)
{
    const struct run *x = &sorter->runs[a], *y = &sorter->runs[b];

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix;
    return memcmp(x->buffer + x->at, y->buffer + y->at, sorter->step) < 0;
}

static void sink(struct sorter *sorter, size_t at)
{
    size_t *heap = sorter->heap, moving = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= sorter->heap_count)
            break;
        if (child + 1 < sorter->heap_count && before(sorter, heap[child + 1], heap[child]))
            child++;
        if (!before(sorter, heap[child], moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static int open_runs(struct sorter *sorter)
{
    size_t size = read_size(sorter);

    drop_buffers(sorter);
    sorter->heap = calloc(sorter->run_count, sizeof sorter->heap[0]);
    if (sorter->heap == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < sorter->run_count; i++) {
        sorter->runs[i].buffer = malloc(size);
        if (sorter->runs[i].buffer == NULL)
            return -ENOMEM;
        if (refill(sorter, &sorter->runs[i], size))
            sorter->heap[sorter->heap_count++] = i;
    }
    for (size_t i = sorter->heap_count / 2; i > 0; i--)
        sink(sorter, i - 1);
    return sorter->error;
}

int sorter_sort(struct sorter *sorter)
{
    if (sorter->run_count == 0 || sorter->error < 0)
        return sorter->error < 0 ? sorter->error
                                 : (sorter->error = sort_entries(sorter->fill, sorter->used, sorter->step));
    if (sorter->used > 0)
        hand_over(sorter);
    join(sorter);
    if (sorter->error == 0)
        sorter->error = open_runs(sorter);
    sorter->cursor = SIZE_MAX;
    return sorter->error;
}

/* The entry given last stays where it is until now. */
static void advance(struct sorter *sorter)
{
    struct run *run = &sorter->runs[sorter->heap[0]];

    run->at += sorter->step;
    if (run->at < run->filled)
        take_prefix(run);
    else if (!refill(sorter, run, read_size(sorter)))
        sorter->heap[0] = sorter->heap[--sorter->heap_count];
    if (sorter->heap_count > 0)
        sink(sorter, 0);
}

const uint8_t *sorter_next(struct sorter *sorter)
{
    if (sorter->error < 0)
        return NULL;
    if (sorter->run_count == 0)
        return sorter->cursor < sorter->used ? sorter->fill + sorter->cursor++ * sorter->step : NULL;
    if (sorter->cursor == SIZE_MAX)
        sorter->cursor = 0;
    else if (sorter->heap_count > 0)
        advance(sorter);
    if (sorter->heap_count == 0 || sorter->error < 0)
        return NULL;
    return sorter->runs[sorter->heap[0]].buffer + sorter->runs[sorter->heap[0]].at;
}

int sorter_error(const struct sorter *sorter)
{
    return sorter->error;
}
