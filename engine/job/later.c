/*
 * later: a later pass (cases/pass.h): plugins look once more at what the first one has examined. Workers do
 * the same as ever; what they find inside a content is matched with the children that the case has, and what
 * does not turn up again is a fault.
 */
#include "engine/job/supervisor.h"

#include "cases/pass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool later(const struct supervisor *s)
{
    return s->options->pass != NULL;
}

bool plugin_listed(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = names; at && *at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, size) == 0 && (at[size] == 0 || at[size] == ','))
            return true;
    }
    return false;
}

uint64_t plugin_mask(const struct supervisor *s, const char *names)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < s->plugin_count; i++)
        if (plugin_listed(names, s->plugins[i].name))
            mask |= UINT64_C(1) << i;
    return mask;
}

/* ------------------------------------------------------------------ the pass */

/* Every name of a list must be a plugin's that is there. */
static int check_names(struct supervisor *s, const char *names, const char *what)
{
    for (const char *at = names; *at; at += *at == ',') {
        size_t size = strcspn(at, ",");
        bool there = false;
        for (size_t i = 0; i < s->plugin_count; i++)
            there =
                there || (strlen(s->plugins[i].name) == size && memcmp(s->plugins[i].name, at, size) == 0);
        if (!there)
            return supervisor_fail(s, -ENOENT, "%.*s: %s", (int)size, at, what);
        at += size;
    }
    return 0;
}

static bool all_content_only(const struct supervisor *s)
{
    for (size_t i = 0; i < s->plugin_count; i++)
        if ((s->looking >> i & 1) && !s->plugins[i].content_only)
            return false;
    return true;
}

int later_begin(struct supervisor *s)
{
    char sha256[SHA256_HEX_SIZE], *makers = NULL;
    int code = check_names(s, s->options->pass,
                           "there is no such plugin; a lab's own one needs --plugin FILE.so besides");
    if (code == 0)
        code = supervisor_written(s, pass_makers(s->cf, &makers));
    if (code == 0)
        code =
            check_names(s, makers,
                        "this plugin found contents inside others in this case, and is needed to find them "
                        "again: give it with --plugin FILE.so");
    if (code == 0)
        code = supervisor_written(s, writer_flush(s->writer));
    if (code == 0) {
        s->looking = plugin_mask(s, s->options->pass);
        settings_sha256(s->options->settings, sha256);
        struct pass_wanted wanted = {
            .run = s->run,
            .plugins = s->options->pass,
            .settings_sha256 = sha256,
            .content_only = all_content_only(s) && (plugin_mask(s, makers) & s->looking) == 0,
        };
        code = pass_begin(s->cf, &wanted, &s->result.pass, s->why);
        if (code)
            s->failure = code;
    }
    free(makers);
    return code;
}

int later_more(struct supervisor *s, bool *ret_more)
{
    uint64_t count = 0;
    int code = supervisor_written(s, writer_flush(s->writer));
    if (code == 0)
        code = supervisor_written(s, pass_release(s->cf, &count));
    *ret_more = count > 0;
    return code;
}

/* ------------------------------------------------------------------ giving a content */

static int spare(void *context, const char *path)
{
    struct wire *wire = context;
    buf_string(wire_begin(wire, WIRE_SPARE), path);
    wire_end(wire);
    return 0;
}

int later_spares(struct supervisor *s, struct worker_slot *worker, const struct task_stream *task)
{
    char *makers = NULL;
    int code = pass_task(s->cf, task->id, &makers, spare, &worker->process.wire);
    if (code == 0)
        worker->makers = plugin_mask(s, makers);
    free(makers);
    return supervisor_written(s, code);
}

/* ------------------------------------------------------------------ what comes back */

static int fault(struct supervisor *s, struct worker_slot *worker, uint64_t stream, const char *path,
                 const char *effect, const char *detail)
{
    const struct task_stream *task = &worker->batch[worker->batch_next];
    struct found_fault fault = {
        .kind = FAULT_DAMAGED,
        .volume = "",
        .path = path,
        .stage = "scan",
        .plugin = s->options->pass,
        .offset = UINT64_MAX,
        .effect = effect,
        .detail = detail,
    };
    worker->faults++;
    supervisor_event(s, "fault", "path", path[0] ? path : task->path, fault_kind_name(fault.kind),
                     fault.offset);
    return writer_fault(s->writer, worker->attempt, task->exhibit, stream, &fault);
}

int later_child(struct supervisor *s, struct worker_slot *worker, uint64_t parent, const char *path,
                uint64_t *ret_id)
{
    *ret_id = 0;
    int code = parent ? writer_child_again(s->writer, worker->attempt, parent, path, ret_id) : 0;
    if (code == 0 && *ret_id == 0)
        worker->strangers++;
    return code;
}

int later_child_end(struct supervisor *s, struct worker_slot *worker, const struct substream *sub,
                    uint64_t size)
{
    char detail[160];
    uint64_t known = size;
    int code = sub->id ? writer_child_size(s->writer, sub->id, &known) : 0;
    if (code || known == size)
        return supervisor_written(s, code);
    snprintf(detail, sizeof detail,
             "it had %llu bytes in the first pass and has %llu now: the evidence, kvali or a plugin "
             "has changed",
             (unsigned long long)known, (unsigned long long)size);
    return supervisor_written(
        s, fault(s, worker, sub->id, "", "what this pass says of it is of other bytes", detail));
}

struct missing {
    struct supervisor *s;
    struct worker_slot *worker;
};

static int missing(void *context, uint64_t child, const char *path)
{
    const struct missing *m = context;
    (void)path;
    return fault(
        m->s, m->worker, child, "", "this pass did not look at it",
        "it was not found again in the content around it: the evidence, kvali or a plugin has changed");
}

int later_end(struct supervisor *s, struct worker_slot *worker)
{
    struct missing m = {s, worker};
    const struct task_stream *task = &worker->batch[worker->batch_next];
    char detail[160];
    int code = writer_children_missing(s->writer, worker->attempt, task->id, missing, &m);
    if (code == 0 && worker->strangers) {
        snprintf(detail, sizeof detail, "%llu contents turned up inside it that the first pass did not find",
                 (unsigned long long)worker->strangers);
        code = fault(s, worker, task->id, task->path,
                     "a later pass adds no contents: what it says of them was dropped", detail);
    }
    return supervisor_written(s, code);
}
