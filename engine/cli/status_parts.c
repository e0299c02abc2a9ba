/* status_parts: see status_parts.h. */
#include "engine/cli/status_parts.h"

#include "cases/part.h"
#include "cases/plan.h"
#include "engine/cli/cli.h"
#include "engine/cli/slurm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct parts {
    char id[SHA256_HEX_SIZE];
    struct plan_part *parts;
    size_t count, merged, given_back;
    struct slurm_jobs jobs;
    struct slurm_state *states;
    size_t state_count, running, waiting;
    int slurm; /* 0: it answered */
};

static int load(struct casefile *cf, struct parts *p)
{
    char folder[PATH_MAX];
    int code = plan_parts(cf, p->id, &p->parts, &p->count);
    if (code || p->count == 0)
        return code;
    if (!realpath(casefile_folder(cf), folder))
        return 0;
    for (size_t i = 0; i < p->count; i++) {
        p->merged += p->parts[i].merged;
        p->given_back += !p->parts[i].merged && part_is_there(folder, p->id, p->parts[i].number);
    }
    code = slurm_jobs_load(folder, &p->jobs);
    p->slurm = code ? code : slurm_states(&p->jobs, &p->states, &p->state_count);
    for (size_t i = 0; i < p->state_count; i++) {
        bool task = strchr(p->states[i].id, '_') != NULL,
             running = strcmp(p->states[i].state, "RUNNING") == 0;
        p->running += task && running;
        p->waiting += task && !running;
    }
    return code;
}

static void finish(struct parts *p)
{
    free(p->parts);
    free(p->states);
    slurm_jobs_finish(&p->jobs);
}

static void print_queue(const struct parts *p)
{
    if (p->jobs.count == 0)
        return;
    const struct slurm_job *last = &p->jobs.jobs[p->jobs.count - 1];
    cli_print("  Submitted to Slurm %s: tasks %s as job %s, merge as job %s%s\n", last->time, last->tasks,
              last->array, last->merge, last->round ? " (by the merge before)" : "");
    if (p->slurm) {
        cli_print("  Slurm does not answer here: what runs is not known.\n");
        return;
    }
    cli_print("  Tasks in the queue: %zu running, %zu waiting\n", p->running, p->waiting);
    for (size_t i = 0; i < p->state_count; i++)
        if (i < 20 || !strchr(p->states[i].id, '_'))
            cli_print("    %-14s %-10s %s%s%s\n", p->states[i].id, p->states[i].state, p->states[i].node,
                      p->states[i].node[0] ? "  " : "",
                      strcmp(p->states[i].reason, "None") ? p->states[i].reason : "");
}

int status_parts_print(struct casefile *cf)
{
    struct parts p = {0};
    int code = load(cf, &p);
    if (code == 0 && p.count) {
        size_t missing = p.count - p.merged - p.given_back;
        cli_print("\nPlan %.12s: %zu parts: %zu merged, %zu given back and not merged, %zu not done\n", p.id,
                  p.count, p.merged, p.given_back, missing);
        print_queue(&p);
        bool idle = p.slurm || p.state_count == 0;
        if (missing && p.jobs.count && idle && p.slurm == 0)
            cli_print("  Nothing of it is queued: `kvali resubmit %s --slurm` does what is missing.\n",
                      casefile_folder(cf));
        else if (missing == 0 && p.given_back && idle)
            cli_print("  Next: kvali merge %s\n", casefile_folder(cf));
    }
    finish(&p);
    return code;
}

int status_parts_json(struct casefile *cf, struct json *json)
{
    struct parts p = {0};
    int code = load(cf, &p);
    if (code == 0 && p.count) {
        json_object_open(json, "plan");
        json_text(json, "id", p.id);
        json_u64(json, "parts", p.count);
        json_u64(json, "merged", p.merged);
        json_u64(json, "given_back", p.given_back);
        json_u64(json, "not_done", p.count - p.merged - p.given_back);
        json_bool(json, "slurm_answers", p.jobs.count && p.slurm == 0);
        json_u64(json, "tasks_running", p.running);
        json_u64(json, "tasks_waiting", p.waiting);
        json_object_close(json);
    }
    finish(&p);
    return code;
}
