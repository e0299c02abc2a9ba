/* worker_batch: the streams of one task, as they come over the wire. */
#include "engine/base/bytes.h"
#include "engine/job/worker_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void worker_batch_clear(struct worker *worker)
{
    for (size_t i = 0; i < worker->batch_count; i++) {
        struct task_stream_in *task = &worker->batch[i];
        free(task->locator);
        free(task->path);
        free(task->name);
        free(task->extension);
        free_texts(task->spares, task->spare_count);
    }
    worker->batch_count = 0;
}

int worker_batch_spare(struct worker *worker, struct bytes *message)
{
    const char *path = bytes_string(message);
    if (bytes_failed(message))
        return -EPROTO;
    if (worker->spare_count == worker->spare_capacity) {
        size_t capacity = worker->spare_capacity * 2 + 16;
        char **more = reallocarray(worker->spares, capacity, sizeof *more);
        if (!more)
            return -ENOMEM;
        worker->spares = more;
        worker->spare_capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    worker->spares[worker->spare_count++] = copy;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The spares that came before this task are its. */
static void take_spares(struct worker *worker, struct task_stream_in *task)
{
    task->spares = worker->spares;
    task->spare_count = worker->spare_count;
    worker->spares = NULL;
    worker->spare_count = worker->spare_capacity = 0;
    if (task->spare_count)
        qsort(task->spares, task->spare_count, sizeof *task->spares, by_text);
}

int worker_batch_add(struct worker *worker, struct bytes *message)
{
    if (worker->batch_count == WIRE_BATCH_MAX)
        return -EPROTO;
    struct task_stream_in task = {.id = bytes_u64le(message)};
    task.exhibit = bytes_u64le(message);
    const char *texts[4];
    for (size_t i = 0; i < 4; i++)
        texts[i] = bytes_string(message);
    task.kind = bytes_u32le(message);
    task.deleted = bytes_u8(message);
    task.size = bytes_u64le(message);
    task.without = bytes_u64le(message);
    task.later = bytes_u8(message);
    task.silent = bytes_u64le(message);
    task.barren = bytes_u64le(message);
    if (bytes_failed(message) || task.kind >= STREAM_KINDS)
        return -EPROTO;
    take_spares(worker, &task);
    task.locator = strdup(texts[0]);
    task.path = strdup(texts[1]);
    task.name = strdup(texts[2]);
    task.extension = strdup(texts[3]);
    worker->batch[worker->batch_count++] = task;
    return task.locator && task.path && task.name && task.extension ? 0 : -ENOMEM;
}
