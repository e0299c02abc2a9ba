/*
 * worker_expand: an expand task, and what the walk reports put on the wire.
 */
#include "engine/job/worker_private.h"

#include "engine/evidence/expand.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static int found_volume(void *context, const struct found_volume *volume)
{
    struct worker *worker = context;
    found_volume_write(wire_begin(&worker->wire, WIRE_VOLUME), volume);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static int found_entry(void *context, const struct found_entry *entry)
{
    struct worker *worker = context;
    found_entry_write(wire_begin(&worker->wire, WIRE_ENTRY), entry);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static int found_fault(void *context, const struct found_fault *fault)
{
    struct worker *worker = context;
    worker_send_fault(worker, fault);
    return worker_flush_when_full(worker);
}

static int found_account(void *context, const struct found_account *account)
{
    struct worker *worker = context;
    found_account_write(wire_begin(&worker->wire, WIRE_ACCOUNT), account);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static void found_at(void *context, uint64_t what)
{
    worker_beat(context, 0, BLACKBOX_ENGINE, what);
}

/* Stored before the beat when a folder begins, after it when it ends: who reads the weight first, and then
 * the beat, never holds the silence of a large folder against nothing. */
static void found_weigh(void *context, uint64_t names)
{
    struct worker *worker = context;
    if (names > 0)
        atomic_store(&worker->box->weight, names);
    atomic_fetch_add(&worker->box->beat, 1);
    if (names == 0)
        atomic_store(&worker->box->weight, 0);
}

int worker_expand(struct worker *worker, struct bytes *task)
{
    uint64_t exhibit = bytes_u64le(task);
    const char *locator = bytes_string(task);
    const char *volume = bytes_string(task);
    const char *root = bytes_string(task);
    uint32_t count = bytes_u32le(task);
    if (bytes_failed(task) || count > bytes_left(task) / 12)
        return -EPROTO;
    uint64_t *skip = calloc(count + 1, sizeof *skip);
    if (!skip)
        return -ENOMEM;
    enum fault_kind kind = FAULT_CRASH;
    for (uint32_t i = 0; i < count; i++) {
        skip[i] = bytes_u64le(task);
        kind = (enum fault_kind)bytes_u32le(task);
    }
    atomic_store(&worker->box->task, 0);
    atomic_store(&worker->box->weight, 0);
    struct image *image = worker_image(worker, exhibit);
    struct found_sink sink = {found_volume, found_entry, found_fault, found_account,
                              found_at,     worker,      found_weigh};
    int code = image ? expand(image, locator, &(struct expand_place){volume, root}, &sink, skip, count, kind) : -ENODEV;
    free(skip);
    if (code == -ENOKEY)
        return worker_locked(worker, locator, &(struct why){"no key given opens it"});
    buf_u32le(wire_begin(&worker->wire, WIRE_EXPANDED), (uint32_t)-code);
    wire_end(&worker->wire);
    return wire_flush(&worker->wire);
}
