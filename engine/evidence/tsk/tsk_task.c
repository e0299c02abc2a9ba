/*
 * tsk_task: what volumes and walk have in common when they report.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <string.h>

bool expand_skips(const struct expand_skip *skip, uint64_t what)
{
    for (size_t i = 0; i < skip->count; i++) {
        if (skip->items[i] == what)
            return true;
    }
    return false;
}

int tsk_task_begin(struct tsk_task *task, struct image *image, const struct found_sink *sink,
                   const struct expand_skip *skip)
{
    *task = (struct tsk_task){.image = image, .keep = tsk_keep(image), .sink = sink, .skip = skip};
    if (!task->keep)
        return -ENOMEM;
    task->keep->medium.sink = sink;
    return 0;
}

void tsk_task_end(struct tsk_task *task)
{
    if (task->keep)
        task->keep->medium.sink = NULL;
}

bool tsk_task_at(struct tsk_task *task, uint64_t what)
{
    task->keep->medium.what = what;
    if (task->sink->at)
        task->sink->at(task->sink->context, what);
    return task->skip->count > 0 && expand_skips(task->skip, what);
}

void tsk_task_weigh(struct tsk_task *task, uint64_t names)
{
    if (task->sink->weigh)
        task->sink->weigh(task->sink->context, names);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

int tsk_task_fault(struct tsk_task *task, const struct found_fault *fault)
{
    struct found_fault whole = *fault;

    whole.volume = or_empty(fault->volume);
    whole.path = or_empty(fault->path);
    whole.stage = or_empty(fault->stage);
    whole.plugin = or_empty(fault->plugin);
    whole.effect = or_empty(fault->effect);
    whole.detail = or_empty(fault->detail);
    return task->sink->fault(task->sink->context, &whole);
}

int tsk_task_account(struct tsk_task *task, const char *volume, enum account_kind kind, uint64_t bytes)
{
    const struct found_account account = {volume, kind, bytes};

    return task->sink->account(task->sink->context, &account);
}

void tsk_entry_blank(struct found_entry *entry)
{
    *entry = found_entry_blank();
    entry->type = ENTRY_VIRTUAL;
}

int tsk_task_raw(struct tsk_task *task, const char *volume, const char *path, const char *name,
                 uint64_t offset, uint64_t size)
{
    const struct locator locator = {.kind = LOCATOR_RAW, .offset = offset, .size = size};
    const struct found_run run = {offset, size};
    struct found_entry entry;
    struct buf text = {0};
    int code = 0;

    if (size == 0)
        return 0;
    locator_print(&text, &locator);
    tsk_entry_blank(&entry);
    entry.volume = volume;
    entry.path = path;
    entry.name = name;
    entry.name_size = strlen(name);
    entry.size = size;
    entry.allocated_size = size;
    entry.locator = buf_cstr(&text);
    entry.kind = STREAM_RAW;
    entry.disk = offset;
    entry.runs = &run;
    entry.run_count = 1;
    code = buf_failed(&text) ? -ENOMEM : task->sink->entry(task->sink->context, &entry);
    buf_finish(&text);
    return code;
}
