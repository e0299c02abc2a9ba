/* status_parts: see status_parts.h. */
#include "engine/cli/status_parts.h"

#include "cases/part.h"
#include "cases/plan.h"
#include "engine/cli/cli.h"
#include "engine/cli/slurm.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED ".part.refused"
enum { NAMES_SHOWN = 20 };

/* What is known of a part; a later one outweighs an earlier one. */
enum stand { STAND_OPEN, STAND_FAILED, STAND_WAITING, STAND_RUNNING, STAND_DONE, STANDS };

struct parts {
    char id[SHA256_HEX_SIZE];
    struct plan_part *parts;
    uint8_t *stands; /* of each */
    size_t count, merged, given_back, of_stand[STANDS];
    struct dirent **refused; /* in order of name */
    int refused_count;
    struct slurm_jobs jobs;
    struct slurm_state *states;
    size_t state_count, running, waiting, of_others; /* the last: tasks and jobs of another plan */
    const struct slurm_job *last;                    /* of this plan; NULL */
    int slurm;                                       /* 0: it answered */
};

/* ------------------------------------------------------------------ how each part stands */

static void raise_stand(struct parts *p, uint64_t number, enum stand stand)
{
    if (number >= 1 && number <= p->count && p->stands[number - 1] < stand)
        p->stands[number - 1] = (uint8_t)stand;
}

/* The parts of tasks first to last of a job. */
static void raise_tasks(struct parts *p, const struct slurm_job *job, uint64_t first, uint64_t last,
                        enum stand stand)
{
    uint64_t stride = job->stride == 0 ? 1 : job->stride > p->count ? p->count : job->stride;
    if (last > p->count)
        last = p->count;
    for (uint64_t task = first; first > 0 && task <= last; task++)
        for (uint64_t i = 1; i <= stride && (task - 1) * stride + i <= p->count; i++)
            raise_stand(p, (task - 1) * stride + i, stand);
}

/* What was submitted once and is neither queued nor given back has failed, or was cancelled. */
static void raise_submitted(struct parts *p, const struct slurm_job *job)
{
    const char *at = job->tasks;
    char *end;
    while (*at >= '0' && *at <= '9') {
        uint64_t first = strtoull(at, &end, 10), last = *end == '-' ? strtoull(end + 1, &end, 10) : first;
        raise_tasks(p, job, first, last, STAND_FAILED);
        at = *end == ',' ? end + 1 : end;
    }
}

/* The submission that a state belongs to, if it was for this plan. */
static const struct slurm_job *job_of(const struct parts *p, const struct slurm_state *state)
{
    for (size_t i = p->jobs.count; i > 0; i--) {
        const struct slurm_job *job = &p->jobs.jobs[i - 1];
        if (slurm_job_is_of(job, p->id) &&
            (slurm_state_is_of(state, job->array) || slurm_state_is_of(state, job->merge)))
            return job;
    }
    return NULL;
}

static void raise_queued(struct parts *p, const struct slurm_state *state)
{
    const struct slurm_job *job = job_of(p, state);
    const char *task = strchr(state->id, '_');
    bool running = strcmp(state->state, "RUNNING") == 0;
    p->of_others += !job;
    if (!job || !task)
        return;
    p->running += running;
    p->waiting += !running;
    uint64_t number = strtoull(task + 1, NULL, 10);
    raise_tasks(p, job, number, number, running ? STAND_RUNNING : STAND_WAITING);
}

/* As merge calls them: digits alone before it. */
static int is_refused(const struct dirent *entry)
{
    size_t digits = strspn(entry->d_name, "0123456789");
    return digits > 0 && strcmp(entry->d_name + digits, REFUSED) == 0;
}

static void load_refused(struct parts *p, const char *folder)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/parts", folder);
    p->refused_count = scandir(path, &p->refused, is_refused, alphasort);
    for (int i = 0; i < p->refused_count; i++)
        raise_stand(p, strtoull(p->refused[i]->d_name, NULL, 10), STAND_FAILED);
}

static void load_files(struct parts *p, const char *folder)
{
    for (size_t i = 0; i < p->count; i++) {
        bool there = !p->parts[i].merged && part_is_there(folder, p->id, p->parts[i].number);
        p->merged += p->parts[i].merged;
        p->given_back += there;
        if (p->parts[i].merged || there)
            raise_stand(p, p->parts[i].number, STAND_DONE);
    }
    load_refused(p, folder);
}

static int load(struct casefile *cf, struct parts *p)
{
    char folder[PATH_MAX];
    int code = plan_parts(cf, p->id, &p->parts, &p->count);
    if (code || p->count == 0)
        return code;
    p->stands = calloc(p->count, 1);
    if (!p->stands)
        return -ENOMEM;
    if (!realpath(casefile_folder(cf), folder))
        return 0;
    load_files(p, folder);
    code = slurm_jobs_load(folder, &p->jobs);
    p->slurm = code ? code : slurm_states(&p->jobs, &p->states, &p->state_count);
    for (size_t i = 0; i < p->state_count; i++)
        raise_queued(p, &p->states[i]);
    for (size_t i = 0; i < p->jobs.count; i++)
        if (slurm_job_is_of(&p->jobs.jobs[i], p->id)) {
            p->last = &p->jobs.jobs[i];
            if (p->slurm == 0)
                raise_submitted(p, p->last);
        }
    for (size_t i = 0; i < p->count; i++)
        p->of_stand[p->stands[i]]++;
    return code;
}

static void finish(struct parts *p)
{
    for (int i = 0; i < p->refused_count; i++)
        free(p->refused[i]);
    free(p->refused);
    free(p->parts);
    free(p->stands);
    free(p->states);
    slurm_jobs_finish(&p->jobs);
}

/* ------------------------------------------------------------------ telling */

static void print_refused(const struct parts *p)
{
    if (p->refused_count <= 0)
        return;
    cli_print("  Refused by merge, which said why (parts/):");
    for (int i = 0; i < p->refused_count && i < NAMES_SHOWN; i++)
        cli_print(" %s", p->refused[i]->d_name);
    if (p->refused_count > NAMES_SHOWN)
        cli_print(" and %d more", p->refused_count - NAMES_SHOWN);
    cli_print("\n");
}

/* The numbers of those that failed. */
static void print_failed(const struct parts *p)
{
    size_t shown = 0;
    if (p->of_stand[STAND_FAILED] == 0)
        return;
    cli_print("  Failed, refused or cancelled: parts");
    for (size_t i = 0; i < p->count && shown < NAMES_SHOWN; i++)
        if (p->stands[i] == STAND_FAILED)
            cli_print("%s %zu", shown++ ? "," : "", i + 1);
    if (p->of_stand[STAND_FAILED] > shown)
        cli_print(" and %zu more", p->of_stand[STAND_FAILED] - shown);
    cli_print(p->last ? "; parts/log/ has what their tasks said\n" : "\n");
}

static void print_queue(const struct parts *p, const char *folder)
{
    const struct slurm_job *last = p->last;
    if (p->of_others)
        cli_print("  %zu tasks and merges of another plan of this case are still queued: `kvali cancel %s` "
                  "ends them.\n",
                  p->of_others, folder);
    if (!last)
        return;
    cli_print("  Submitted to Slurm %s: tasks %s as job %s, merge as job %s%s\n", last->time, last->tasks,
              last->array, last->merge, last->round ? " (by the merge before)" : "");
    if (p->slurm) {
        cli_print("  Slurm does not answer here: what runs is not known.\n");
        return;
    }
    cli_print("  Tasks in the queue: %zu running, %zu waiting\n", p->running, p->waiting);
    for (size_t i = 0; i < p->state_count; i++)
        if (job_of(p, &p->states[i]) && (i < 20 || !strchr(p->states[i].id, '_')))
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
        cli_print(
            "\nPlan %.12s: %zu parts: %zu done (%zu merged, %zu given back and not merged), %zu running, "
            "%zu waiting, %zu failed, %zu of which nothing is known\n",
            p.id, p.count, p.of_stand[STAND_DONE], p.merged, p.given_back, p.of_stand[STAND_RUNNING],
            p.of_stand[STAND_WAITING], p.of_stand[STAND_FAILED], p.of_stand[STAND_OPEN]);
        print_failed(&p);
        print_refused(&p);
        print_queue(&p, casefile_folder(cf));
        bool idle = p.slurm || p.state_count == 0;
        if (missing && p.last && idle && p.slurm == 0)
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
        json_u64(json, "done", p.of_stand[STAND_DONE]);
        json_u64(json, "running", p.of_stand[STAND_RUNNING]);
        json_u64(json, "waiting", p.of_stand[STAND_WAITING]);
        json_u64(json, "failed", p.of_stand[STAND_FAILED]);
        json_array_open(json, "refused");
        for (int i = 0; i < p.refused_count; i++)
            json_text(json, NULL, p.refused[i]->d_name);
        json_array_close(json);
        json_bool(json, "slurm_answers", p.last && p.slurm == 0);
        json_u64(json, "tasks_running", p.running);
        json_u64(json, "tasks_waiting", p.waiting);
        json_u64(json, "tasks_of_another_plan", p.of_others);
        json_object_close(json);
    }
    finish(&p);
    return code;
}
