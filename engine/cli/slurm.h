/*
 * slurm: Slurm by its commands (sbatch, squeue, scancel, scontrol), which any lab's version has. Nothing of
 * evidence ever reaches a command line: numbers, and the paths of kvali and of the case.
 *
 * What was submitted stands in CASE/parts/jobs.tsv, a line each: time, array job, merge job ("-": none),
 * tasks, parts a task, round, plan, and the options that sbatch was given. A line of before there was a plan
 * in it is of an unknown plan.
 */
#ifndef KVALI_CLI_SLURM_H
#define KVALI_CLI_SLURM_H

#include "engine/base/buf.h"
#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs argv[0], found in PATH, with `input` (may be NULL) on its standard input; what it prints is appended
 * to `ret_output`. Returns its exit code, or a negative errno: -ENOENT when there is no such program. */
int slurm_run(const char *const *argv, const char *input, struct buf *ret_output);

struct slurm_wish {
    const char *folder;      /* of the case, absolute */
    const char *plan;        /* id */
    const char *tasks;       /* "1-12,15": array indices; "" when only the merge is to be submitted */
    uint64_t stride;         /* parts a task; 1 unless there are more parts than an array may have tasks */
    uint64_t parts;          /* of the plan */
    uint64_t cpus, parallel; /* parallel 0: as many tasks at once as there is room for */
    const char *mem;
    uint64_t retries, round, rounds;
    const char *const *options; /* for sbatch, NULL at the end */
};
/* The two scripts, as sbatch gets them. */
void slurm_work_script(const struct slurm_wish *wish, struct buf *ret);
void slurm_merge_script(const struct slurm_wish *wish, struct buf *ret);
/* The command lines: arguments, each followed by LF; `after` (array job, "" for none) is what the merge waits
 * for. */
void slurm_work_command(const struct slurm_wish *wish, struct buf *ret);
void slurm_merge_command(const struct slurm_wish *wish, const char *after, struct buf *ret);
/* sbatch with these; its job id into `ret_id`. */
int slurm_submit(struct buf *command, struct buf *script, char ret_id[32], struct why *why);

/* How many tasks an array may have; 1000 when Slurm does not say. */
uint64_t slurm_array_max(void);

struct slurm_jobs {
    struct slurm_job {
        char time[40], array[32], merge[32], plan[SHA256_HEX_SIZE]; /* plan "": not known */
        char *tasks;
        uint64_t stride, round;
        char **options; /* NULL at the end */
    } * jobs;
    size_t count;
};
/* None when the file is not there. */
int slurm_jobs_load(const char *folder, struct slurm_jobs *ret_jobs);
void slurm_jobs_finish(struct slurm_jobs *jobs);
int slurm_jobs_add(const char *folder, const char *array, const char *merge, const struct slurm_wish *wish,
                   struct why *why);

/* Was it submitted for this plan? What an earlier one had submitted says nothing of the parts of this one. */
bool slurm_job_is_of(const struct slurm_job *job, const char *plan);

/* One task or job that Slurm still has, as squeue tells. */
struct slurm_state {
    char id[48], state[24], reason[96], node[96];
};
/* Is it the job `id`, or a task of that array? */
bool slurm_state_is_of(const struct slurm_state *state, const char *id);
/* Of all jobs of the case, whatever their plan. 0, or -ENOENT: there is no squeue; -EIO: it fails. Free with
 * free(). */
int slurm_states(const struct slurm_jobs *jobs, struct slurm_state **ret_states, size_t *ret_count);

#endif
