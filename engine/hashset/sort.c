/*
 * sort: see sort.h. Memory is one pool of chunks; a part is a list of them. Full, all parts are handed to a
 * thread that writes them and gives the chunks back one by one, while others fill.
 */
#include "engine/hashset/sort.h"

#include "engine/hashset/order.h"
#include "engine/hashset/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PARTS = 256,
    CHUNK_MAX = 32 << 10,   /* bytes */
    CHUNKS_MIN = PARTS + 1, /* each part may hold one that is not full */
    STAGE = 256 << 10,
    ALONE = 1 << 16, /* fewer entries are not worth a thread */
    NONE = -1,
};

struct part {
    uint8_t *at, *end; /* of the chunk that is being filled */
    int32_t chunk;     /* that one; `next` leads to those before it, which are full */
    uint64_t count;
};

/* Parts as they lie in the file. */
struct run {
    uint64_t offset;
    uint64_t counts[PARTS];
};

struct output {
    uint8_t *data;
    size_t capacity, count; /* bytes; entries */
};

struct sorter {
    size_t step, memory;
    unsigned level; /* the byte that parts are made by: all before it are the same in all entries */
    const char *folder;
    uint64_t count;
    int error;
    /* The pool. */
    uint8_t *pool;
    size_t chunk_size; /* bytes, a multiple of `step` */
    int32_t chunk_count, fresh, free_chunk, *next;
    struct part parts[PARTS];
    /* Writing. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t writer;
    bool writing, written; /* a thread is to be joined; it is done */
    int write_error;
    struct part going[PARTS];
    struct run *runs;
    size_t run_count;
    uint64_t file_size;
    int fd;
    /* Reading. */
    unsigned part;           /* the next to be prepared */
    struct output now, then; /* what the caller has; what is prepared */
    uint8_t *loaded;
    size_t loaded_capacity;
    pthread_t preparer;
    bool preparing;
    struct sorter *child; /* sorts a part that is too large */
};

/* ------------------------------------------------------------------ beginning and ending */

static void *map(size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (data == MAP_FAILED)
        return NULL;
    /* A fault a page costs more than sorting what is in it. */
    (void)madvise(data, size, MADV_HUGEPAGE);
    return data;
}

/* Two thirds are the pool, a sixth is the most that a part may have: it is sorted out of place, and the
 * caller holds the one before. */
static size_t part_max(const struct sorter *sorter)
{
    size_t size = sorter->memory / 6;

    return size > 16 * sorter->step ? size : 16 * sorter->step;
}

static int make_pool(struct sorter *sorter)
{
    size_t pool = sorter->memory / 3 * 2, entries = pool / (8 * PARTS) / sorter->step;

    if (entries > CHUNK_MAX / sorter->step)
        entries = CHUNK_MAX / sorter->step;
    if (entries < 4)
        entries = 4;
    sorter->chunk_size = entries * sorter->step;
    sorter->chunk_count =
        pool / sorter->chunk_size > INT32_MAX ? INT32_MAX : (int32_t)(pool / sorter->chunk_size);
    if (sorter->chunk_count < CHUNKS_MIN)
        sorter->chunk_count = CHUNKS_MIN;
    sorter->next = calloc((size_t)sorter->chunk_count, sizeof sorter->next[0]);
    sorter->pool = map((size_t)sorter->chunk_count * sorter->chunk_size);
    return sorter->next != NULL && sorter->pool != NULL ? 0 : -ENOMEM;
}

static void drop_pool(struct sorter *sorter)
{
    if (sorter->pool != NULL)
        munmap(sorter->pool, (size_t)sorter->chunk_count * sorter->chunk_size);
    sorter->pool = NULL;
    free(sorter->next);
    sorter->next = NULL;
}

static void empty_parts(struct sorter *sorter)
{
    memset(sorter->parts, 0, sizeof sorter->parts);
    for (size_t i = 0; i < PARTS; i++)
        sorter->parts[i].chunk = NONE;
}

static int new_at(size_t step, size_t memory, const char *folder, unsigned level, struct sorter **ret_sorter)
{
    struct sorter *sorter = calloc(1, sizeof *sorter);

    if (sorter == NULL)
        return -ENOMEM;
    pthread_mutex_init(&sorter->lock, NULL);
    pthread_cond_init(&sorter->changed, NULL);
    sorter->step = step;
    sorter->memory = memory;
    sorter->level = level;
    sorter->folder = folder;
    sorter->fd = -1;
    sorter->free_chunk = NONE;
    empty_parts(sorter);
    if (make_pool(sorter) < 0) {
        sorter_free(sorter);
        return -ENOMEM;
    }
    *ret_sorter = sorter;
    return 0;
}

int sorter_new(size_t step, size_t memory, const char *folder, struct sorter **ret_sorter)
{
    return new_at(step, memory, folder, 0, ret_sorter);
}

static void drop_output(struct output *output)
{
    if (output->data != NULL)
        munmap(output->data, output->capacity);
    *output = (struct output){0};
}

static void drop_buffers(struct sorter *sorter)
{
    drop_output(&sorter->now);
    drop_output(&sorter->then);
    if (sorter->loaded != NULL)
        munmap(sorter->loaded, sorter->loaded_capacity);
    sorter->loaded = NULL;
    sorter->loaded_capacity = 0;
}

static void join_writer(struct sorter *sorter)
{
    if (sorter->writing)
        pthread_join(sorter->writer, NULL);
    sorter->writing = false;
    if (sorter->error == 0)
        sorter->error = sorter->write_error;
}

static void join_preparer(struct sorter *sorter)
{
    if (sorter->preparing)
        pthread_join(sorter->preparer, NULL);
    sorter->preparing = false;
}

void sorter_free(struct sorter *sorter)
{
    while (sorter != NULL) {
        struct sorter *child;

        join_writer(sorter);
        join_preparer(sorter);
        drop_pool(sorter);
        drop_buffers(sorter);
        free(sorter->runs);
        if (sorter->fd >= 0)
            close(sorter->fd);
        pthread_cond_destroy(&sorter->changed);
        pthread_mutex_destroy(&sorter->lock);
        child = sorter->child;
        free(sorter);
        sorter = child;
    }
}

/* ------------------------------------------------------------------ writing what memory cannot hold */

struct stage {
    uint8_t *data;
    size_t used;
};

static int flush_stage(struct sorter *sorter, struct stage *stage)
{
    int rc = write_all(sorter->fd, stage->data, stage->used, sorter->file_size);

    sorter->file_size += stage->used;
    stage->used = 0;
    return rc;
}

static void give_back(struct sorter *sorter, int32_t chunk)
{
    pthread_mutex_lock(&sorter->lock);
    sorter->next[chunk] = sorter->free_chunk;
    sorter->free_chunk = chunk;
    pthread_cond_signal(&sorter->changed);
    pthread_mutex_unlock(&sorter->lock);
}

static int write_part(struct sorter *sorter, const struct part *part, struct stage *stage)
{
    size_t size = part->chunk != NONE ? sorter->chunk_size - (size_t)(part->end - part->at) : 0;
    int rc = 0;

    for (int32_t chunk = part->chunk; chunk != NONE && rc == 0;) {
        int32_t after = sorter->next[chunk];

        if (stage->used + size > STAGE)
            rc = flush_stage(sorter, stage);
        memcpy(stage->data + stage->used, sorter->pool + (size_t)chunk * sorter->chunk_size, size);
        stage->used += size;
        size = sorter->chunk_size;
        give_back(sorter, chunk);
        chunk = after;
    }
    return rc;
}

static void *write_parts(void *context)
{
    struct sorter *sorter = context;
    struct stage stage = {.data = malloc(STAGE)};
    int rc = stage.data != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < PARTS && rc == 0; i++)
        rc = write_part(sorter, &sorter->going[i], &stage);
    if (rc == 0)
        rc = flush_stage(sorter, &stage);
    free(stage.data);
    pthread_mutex_lock(&sorter->lock);
    sorter->write_error = rc;
    sorter->written = true;
    pthread_cond_signal(&sorter->changed);
    pthread_mutex_unlock(&sorter->lock);
    return NULL;
}

static int remember_run(struct sorter *sorter)
{
    struct run *runs = reallocarray(sorter->runs, sorter->run_count + 1, sizeof runs[0]), *run;

    if (runs == NULL)
        return -ENOMEM;
    sorter->runs = runs;
    run = &runs[sorter->run_count++];
    run->offset = sorter->file_size;
    for (size_t i = 0; i < PARTS; i++)
        run->counts[i] = sorter->parts[i].count;
    return 0;
}

/* All that the parts hold now goes to the thread. The one before it is done. */
static void hand_over(struct sorter *sorter)
{
    join_writer(sorter);
    if (sorter->error == 0 && sorter->fd < 0) {
        sorter->fd = unlinked_file(sorter->folder);
        sorter->error = sorter->fd < 0 ? sorter->fd : 0;
    }
    if (sorter->error == 0)
        sorter->error = remember_run(sorter);
    if (sorter->error < 0)
        return;
    memcpy(sorter->going, sorter->parts, sizeof sorter->going);
    empty_parts(sorter);
    sorter->written = false;
    sorter->error = -pthread_create(&sorter->writer, NULL, write_parts, sorter);
    sorter->writing = sorter->error == 0;
}

/* A chunk that was given back, or NONE when all are in use and nobody writes. */
static int32_t wait_for_chunk(struct sorter *sorter)
{
    int32_t chunk;

    pthread_mutex_lock(&sorter->lock);
    while (sorter->free_chunk == NONE && sorter->writing && !sorter->written)
        pthread_cond_wait(&sorter->changed, &sorter->lock);
    chunk = sorter->free_chunk;
    if (chunk != NONE)
        sorter->free_chunk = sorter->next[chunk];
    pthread_mutex_unlock(&sorter->lock);
    return chunk;
}

static int32_t take_chunk(struct sorter *sorter)
{
    int32_t chunk;

    if (sorter->fresh < sorter->chunk_count)
        return sorter->fresh++;
    chunk = wait_for_chunk(sorter);
    if (chunk != NONE)
        return chunk;
    hand_over(sorter);
    return sorter->error == 0 ? wait_for_chunk(sorter) : NONE;
}

static bool grow(struct sorter *sorter, struct part *part)
{
    int32_t chunk = sorter->error == 0 ? take_chunk(sorter) : NONE;

    if (chunk == NONE) {
        join_writer(sorter);
        if (sorter->error == 0)
            sorter->error = -ENOMEM;
        return false;
    }
    sorter->next[chunk] = part->chunk;
    part->chunk = chunk;
    part->at = sorter->pool + (size_t)chunk * sorter->chunk_size;
    part->end = part->at + sorter->chunk_size;
    return true;
}

uint8_t *sorter_slot(struct sorter *sorter, uint8_t first)
{
    struct part *part = &sorter->parts[first];
    uint8_t *slot;

    if (part->at == part->end && !grow(sorter, part))
        return NULL;
    slot = part->at;
    part->at += sorter->step;
    part->count++;
    sorter->count++;
    return slot;
}

uint64_t sorter_count(const struct sorter *sorter)
{
    return sorter->count;
}

/* ------------------------------------------------------------------ reading back, in order */

static uint64_t count_of(const struct sorter *sorter, unsigned part)
{
    uint64_t count = sorter->parts[part].count;

    for (size_t i = 0; i < sorter->run_count; i++)
        count += sorter->runs[i].counts[part];
    return count;
}

int sorter_sort(struct sorter *sorter)
{
    bool large = false;

    for (unsigned i = 0; i < PARTS; i++)
        large = large || count_of(sorter, i) * sorter->step > part_max(sorter);
    /* A part that is too large is read back piece by piece, and that is from the file only. */
    if (sorter->error == 0 && sorter->count > 0 && (sorter->run_count > 0 || large))
        hand_over(sorter);
    join_writer(sorter);
    if (sorter->run_count > 0)
        drop_pool(sorter);
    return sorter->error;
}

static int room(uint8_t **data, size_t *capacity, size_t size)
{
    if (*capacity >= size)
        return 0;
    if (*data != NULL)
        munmap(*data, *capacity);
    *capacity = 0;
    *data = map(size + size / 8);
    if (*data == NULL)
        return -ENOMEM;
    *capacity = size + size / 8;
    return 0;
}

/* Where a part begins in a run. */
static uint64_t offset_in(const struct sorter *sorter, const struct run *run, unsigned part)
{
    uint64_t entries = 0;

    for (unsigned i = 0; i < part; i++)
        entries += run->counts[i];
    return run->offset + entries * sorter->step;
}

static int load(struct sorter *sorter, unsigned part, size_t count)
{
    size_t used = 0;
    int rc = room(&sorter->loaded, &sorter->loaded_capacity, count * sorter->step);

    for (size_t i = 0; i < sorter->run_count && rc == 0; i++) {
        size_t size = (size_t)sorter->runs[i].counts[part] * sorter->step;

        rc = read_all(sorter->fd, sorter->loaded + used, size, offset_in(sorter, &sorter->runs[i], part));
        used += size;
    }
    return rc;
}

/* The pieces of a part that is in memory: its chunks. */
static int chunks_of(const struct sorter *sorter, const struct part *part, struct order_piece **ret_pieces,
                     size_t *ret_count)
{
    size_t most = (size_t)part->count * sorter->step / sorter->chunk_size + 1, count = 0,
           size = sorter->chunk_size - (size_t)(part->end - part->at);
    struct order_piece *pieces = calloc(most + 1, sizeof pieces[0]);

    if (pieces == NULL)
        return -ENOMEM;
    for (int32_t chunk = part->chunk; chunk != NONE; chunk = sorter->next[chunk]) {
        pieces[count++] =
            (struct order_piece){sorter->pool + (size_t)chunk * sorter->chunk_size, size / sorter->step};
        size = sorter->chunk_size;
    }
    *ret_pieces = pieces;
    *ret_count = count;
    return 0;
}

static int sort_part(struct sorter *sorter, unsigned part, size_t count)
{
    struct order_piece one, *pieces = &one;
    size_t piece_count = 1;
    int rc = room(&sorter->then.data, &sorter->then.capacity, count * sorter->step);

    if (rc == 0 && sorter->run_count > 0) {
        rc = load(sorter, part, count);
        one = (struct order_piece){sorter->loaded, count};
    } else if (rc == 0) {
        rc = chunks_of(sorter, &sorter->parts[part], &pieces, &piece_count);
    }
    if (rc == 0)
        rc = order_entries(pieces, piece_count, sorter->step, sorter->level, sorter->then.data);
    if (pieces != &one)
        free(pieces);
    sorter->then.count = rc == 0 ? count : 0;
    return rc;
}

/* Entry by entry into a sorter by the next byte. */
static int divide(struct sorter *sorter, unsigned part)
{
    uint8_t *stage = malloc(STAGE);
    int rc = stage != NULL ? 0 : -ENOMEM;

    drop_buffers(sorter);
    if (rc == 0)
        rc = new_at(sorter->step, sorter->memory, sorter->folder, sorter->level + 1, &sorter->child);
    for (size_t i = 0; i < sorter->run_count && rc == 0; i++) {
        uint64_t left = sorter->runs[i].counts[part], offset = offset_in(sorter, &sorter->runs[i], part);

        while (left > 0 && rc == 0) {
            size_t some = left < STAGE / sorter->step ? (size_t)left : STAGE / sorter->step;

            rc = read_all(sorter->fd, stage, some * sorter->step, offset);
            for (size_t k = 0; k < some && rc == 0; k++) {
                const uint8_t *entry = stage + k * sorter->step;
                uint8_t *slot = sorter_slot(sorter->child, entry[sorter->level + 1]);

                if (slot == NULL)
                    rc = sorter_sort(sorter->child);
                else
                    memcpy(slot, entry, sorter->step);
            }
            left -= some;
            offset += some * sorter->step;
        }
    }
    free(stage);
    return rc == 0 ? sorter_sort(sorter->child) : rc;
}

/* The next part that has entries into `then`, or into a child. */
static void *prepare(void *context)
{
    struct sorter *sorter = context;
    uint64_t count = 0;

    sorter->then.count = 0;
    while (sorter->part < PARTS && (count = count_of(sorter, sorter->part)) == 0)
        sorter->part++;
    if (sorter->part == PARTS)
        return NULL;
    /* At the last byte all entries of a part are the same, and could not be divided. */
    if (count * sorter->step > part_max(sorter) && sorter->level + 1 < sorter->step)
        sorter->error = divide(sorter, sorter->part);
    else
        sorter->error = sort_part(sorter, sorter->part, (size_t)count);
    sorter->part++;
    return NULL;
}

static void prepare_next(struct sorter *sorter)
{
    uint64_t count = 0;
    unsigned part = sorter->part;

    while (part < PARTS && (count = count_of(sorter, part)) == 0)
        part++;
    /* What is to be divided needs the memory that the caller looks into now. */
    if (sorter->count < ALONE || part == PARTS || count * sorter->step > part_max(sorter))
        return;
    sorter->preparing = pthread_create(&sorter->preparer, NULL, prepare, sorter) == 0;
}

/* From the child while it has any. A child may have a child: each knows only its own. */
static int64_t next_of_child(struct sorter *sorter, const uint8_t **ret_entries)
{
    int64_t count = sorter_next(sorter->child, ret_entries);

    if (count <= 0) {
        sorter_free(sorter->child);
        sorter->child = NULL;
    }
    return count;
}

int64_t sorter_next(struct sorter *sorter, const uint8_t **ret_entries)
{
    struct output output;

    if (sorter->child != NULL && sorter->error == 0) {
        int64_t count = next_of_child(sorter, ret_entries);

        if (count != 0)
            return count;
    }
    if (sorter->preparing)
        join_preparer(sorter);
    else if (sorter->error == 0)
        prepare(sorter);
    if (sorter->error < 0)
        return sorter->error;
    if (sorter->child != NULL)
        return sorter_next(sorter, ret_entries);
    output = sorter->then;
    sorter->then = sorter->now;
    sorter->now = output;
    *ret_entries = output.data;
    if (output.count > 0)
        prepare_next(sorter);
    return (int64_t)output.count;
}
