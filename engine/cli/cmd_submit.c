/* kvali submit, resubmit, cancel: a plan on a cluster. */
#include "cases/part.h"
#include "cases/plan.h"
#include "engine/cli/job_cli.h"
#include "engine/cli/slurm.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct option_spec specs[] = {
    {"slurm", 0, NULL, "To Slurm (the only scheduler so far; others: --dry-run shows what to hand to them)"},
    {"dry-run", 'n', NULL, "Print the scripts and command lines, submit nothing"},
    {"cpus", 'c', "N", "Cores, and so workers, of a task (default: 4)"},
    {"mem", 0, "SIZE", "Memory of a task as sbatch takes it (default: 2G a core)"},
    {"parallel", 0, "N", "At most so many tasks at once, to spare the storage (default: no limit)"},
    {"retries", 0, "N", "How often a task that ends with 75 is queued again (default: 3)"},
    {"rounds", 0, "N", "How often the merge submits what is missing, by itself (default: 2)"},
    {"sbatch", 0, "OPTION", "An option for sbatch, as --sbatch=--partition=work; may be given again"},
    {"round", 0, "N", "Which round this is: the merge job says it"},
    {NULL, 0, NULL, NULL},
};

enum { OPTIONS_OF_SBATCH = 48 };

struct submission {
    const struct options *options;
    char folder[PATH_MAX], id[SHA256_HEX_SIZE], mem[32];
    struct plan_part *parts;
    size_t count;
    struct slurm_jobs jobs;
    struct slurm_wish wish;
    struct buf tasks;
    const char *given[OPTIONS_OF_SBATCH + 1];
    uint64_t missing, unmerged;
};

static void finish(struct submission *s)
{
    free(s->parts);
    slurm_jobs_finish(&s->jobs);
    buf_finish(&s->tasks);
}

static int load(struct submission *s, const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    s->options = options;
    if (!realpath(options->args[0], s->folder))
        return fail(EXIT_CASE, options->args[0], -errno, NULL, NULL);
    if (cli_open_case(s->folder, CASEFILE_READ, &cf, &code) < 0)
        return code;
    int error = plan_parts(cf, s->id, &s->parts, &s->count);
    casefile_close(cf);
    if (error == 0)
        error = slurm_jobs_load(s->folder, &s->jobs);
    if (error)
        return fail(exit_code_of_case(error), s->folder, error, NULL, NULL);
    return s->count
               ? EXIT_DONE
               : fail_words(EXIT_USAGE, s->folder, "the case has no plan", "`kvali plan` makes one first");
}

/* ------------------------------------------------------------------ what to submit */

static int read_numbers(struct submission *s, struct why *why)
{
    struct slurm_wish *wish = &s->wish;
    int code = options_number(s->options, "cpus", &wish->cpus, why);
    if (code == 0)
        code = options_number(s->options, "parallel", &wish->parallel, why);
    if (code == 0)
        code = options_number(s->options, "retries", &wish->retries, why);
    if (code == 0)
        code = options_number(s->options, "rounds", &wish->rounds, why);
    if (code == 0)
        code = options_number(s->options, "round", &wish->round, why);
    if (code == 0 && (wish->cpus == 0 || wish->cpus > 1024))
        code = why_set(why, -EINVAL, "--cpus: expected 1 to 1024");
    return code;
}

/* A TAB or line end would be another option in jobs.tsv. */
static int read_given(struct submission *s, struct why *why)
{
    const char *one;
    size_t count = 0;
    while (count < OPTIONS_OF_SBATCH && (one = options_nth(s->options, "sbatch", count))) {
        if (one[0] != '-' || strpbrk(one, "\t\n"))
            return why_set(why, -EINVAL, "--sbatch %s: expected an option, such as --sbatch=--partition=work",
                           one);
        s->given[count++] = one;
    }
    return 0;
}

/* What the latest submission had, unless other options are given now. */
static void remember_given(struct submission *s)
{
    if (s->given[0] || s->jobs.count == 0)
        return;
    char **options = s->jobs.jobs[s->jobs.count - 1].options;
    for (size_t i = 0; i < OPTIONS_OF_SBATCH && options[i]; i++)
        s->given[i] = options[i];
}

/* The array's indices of parts that nobody has given back. */
static void list_missing(struct submission *s)
{
    uint64_t first = 0, last = 0, stride = s->wish.stride;
    for (size_t i = 0; i < s->count; i++) {
        const struct plan_part *part = &s->parts[i];
        s->unmerged += !part->merged;
        if (part->merged || part_is_there(s->folder, s->id, part->number))
            continue;
        uint64_t task = (part->number - 1) / stride + 1;
        s->missing++;
        if (task == last)
            continue;
        if (task != last + 1 || last == 0) {
            if (last > first)
                buf_printf(&s->tasks, "-%llu", (unsigned long long)last);
            buf_printf(&s->tasks, "%s%llu", s->tasks.size ? "," : "", (unsigned long long)task);
            first = task;
        }
        last = task;
    }
    if (last > first)
        buf_printf(&s->tasks, "-%llu", (unsigned long long)last);
}

static int prepare(struct submission *s, bool dry)
{
    struct why why = {{0}};
    s->wish = (struct slurm_wish){
        .folder = s->folder, .plan = s->id, .parts = s->count, .cpus = 4, .retries = 3, .rounds = 2};
    int code = read_numbers(s, &why);
    if (code == 0)
        code = read_given(s, &why);
    if (code)
        return fail_usage("submit", &why);
    remember_given(s);
    uint64_t most = dry ? 1000 : slurm_array_max();
    s->wish.stride = (s->count + most - 1) / most;
    snprintf(s->mem, sizeof s->mem, "%lluG", (unsigned long long)s->wish.cpus * 2);
    s->wish.mem = options_text(s->options, "mem", s->mem);
    s->wish.options = s->given;
    list_missing(s);
    s->wish.tasks = buf_cstr(&s->tasks);
    return EXIT_DONE;
}

/* ------------------------------------------------------------------ submitting */

static void print_command(struct buf *command)
{
    char *text = buf_steal(command);
    for (char *c = text; c && *c; c++)
        if (*c == '\n')
            *c = c[1] ? ' ' : 0;
    cli_print("$ %s <<'SCRIPT'\n", text ? text : "");
    free(text);
}

static void show(const struct submission *s)
{
    struct buf command = {0}, script = {0};
    if (s->missing) {
        slurm_work_command(&s->wish, &command);
        slurm_work_script(&s->wish, &script);
        print_command(&command);
        cli_print("%sSCRIPT\n\n", buf_cstr(&script));
        buf_clear(&script);
    }
    slurm_merge_command(&s->wish, s->missing ? "ID" : "", &command);
    slurm_merge_script(&s->wish, &script);
    print_command(&command);
    cli_print("%sSCRIPT\n", buf_cstr(&script));
    buf_finish(&command);
    buf_finish(&script);
}

/* One that is queued or runs already: a lost answer, or a second hand. */
static int check_queue(const struct submission *s)
{
    struct slurm_state *states = NULL;
    size_t count = 0, busy = 0;
    int code = slurm_states(&s->jobs, &states, &count);
    for (size_t i = 0; i < count; i++)
        busy += strchr(states[i].id, '_') != NULL;
    free(states);
    if (code == -ENOENT)
        return fail_words(EXIT_SETUP, "squeue", "there is no such program here",
                          "Slurm's commands (package slurm-client) are needed");
    if (code)
        return fail_words(EXIT_RETRY, "squeue", "Slurm does not answer", "is slurmctld up?");
    return busy ? fail_words(EXIT_USAGE, s->folder, "tasks of this case are queued or running",
                             "`kvali status` shows them, `kvali cancel` ends them")
                : EXIT_DONE;
}

static int send_one(const struct submission *s, bool work, const char *after, char id[32])
{
    struct buf command = {0}, script = {0};
    struct why why = {{0}};
    if (work) {
        slurm_work_command(&s->wish, &command);
        slurm_work_script(&s->wish, &script);
    } else {
        slurm_merge_command(&s->wish, after, &command);
        slurm_merge_script(&s->wish, &script);
    }
    int code = slurm_submit(&command, &script, id, &why);
    buf_finish(&command);
    buf_finish(&script);
    return code ? fail(code == -ENOENT ? EXIT_SETUP : EXIT_RETRY, NULL, code, &why, NULL) : EXIT_DONE;
}

static int send(const struct submission *s)
{
    char logs[PATH_MAX + 16], array[32] = "", merge[32] = "";
    struct why why = {{0}};
    snprintf(logs, sizeof logs, "%s/parts/log", s->folder);
    if (mkdir(logs, 0770) && errno != EEXIST)
        return fail(EXIT_ENVIRONMENT, logs, -errno, NULL, NULL);
    int code = check_queue(s);
    if (code == EXIT_DONE && s->missing)
        code = send_one(s, true, NULL, array);
    if (code == EXIT_DONE)
        code = send_one(s, false, array, merge);
    if (!array[0] && !merge[0])
        return code;
    /* Also when the merge was not taken: what is queued must be known. */
    int error = slurm_jobs_add(s->folder, array, merge, &s->wish, &why);
    if (error)
        return fail(EXIT_ENVIRONMENT, s->folder, error, &why, NULL);
    if (array[0])
        cli_print("%llu parts: job %s, tasks %s\n", (unsigned long long)s->missing, array, s->wish.tasks);
    if (merge[0])
        cli_print("Merge: job %s\n", merge);
    if (code == EXIT_DONE && !s->options->quiet)
        cli_print("`kvali status %s` shows how far it is. A lost node's tasks come back some minutes after "
                  "Slurm notices.\n",
                  s->folder);
    return code;
}

static int submit(const struct options *options)
{
    struct submission s = {0};
    bool dry = options_has(options, "dry-run");
    struct why why = {{0}};
    if (!options_has(options, "slurm") && !dry) {
        why_set(&why, -EINVAL, "say where to: --slurm, or --dry-run");
        return fail_usage("submit", &why);
    }
    int code = load(&s, options);
    if (code == EXIT_DONE)
        code = prepare(&s, dry);
    if (code == EXIT_DONE && s.unmerged == 0)
        cli_print("All %zu parts are merged: there is nothing to submit.\n", s.count);
    else if (code == EXIT_DONE && dry)
        show(&s);
    else if (code == EXIT_DONE)
        code = send(&s);
    finish(&s);
    return code;
}

/* ------------------------------------------------------------------ cancelling */

static int cancel(const struct options *options)
{
    struct submission s = {0};
    struct slurm_state *states = NULL;
    size_t count = 0, ended = 0;
    int code = load(&s, options);
    int error = code ? 0 : slurm_states(&s.jobs, &states, &count);
    if (error)
        code = fail_words(EXIT_RETRY, "squeue",
                          error == -ENOENT ? "there is no such program here" : "Slurm does not answer", NULL);
    for (size_t i = 0; code == EXIT_DONE && i < s.jobs.count; i++) {
        const char *ids[] = {s.jobs.jobs[i].array, s.jobs.jobs[i].merge};
        for (size_t n = 0; n < 2; n++) {
            const char *argv[] = {"scancel", ids[n], NULL};
            struct buf output = {0};
            bool there = false;
            for (size_t k = 0; k < count; k++)
                there = there || slurm_state_is_of(&states[k], ids[n]);
            if (there && slurm_run(argv, NULL, &output) == 0)
                ended++;
            buf_finish(&output);
        }
    }
    if (code == EXIT_DONE)
        cli_print(ended ? "%zu jobs are cancelled. What was given back stays: `kvali resubmit` does what is "
                          "missing.\n"
                        : "Nothing of this case is queued or running.%.0zu\n",
                  ended);
    free(states);
    finish(&s);
    return code;
}

const struct command command_submit = {
    .name = "submit",
    .summary = "have a cluster do the parts of a plan, and merge them",
    .usage = "CASE --slurm [options]",
    .help = "Submits a job array of `kvali work`, the costliest part first, and a job of `kvali merge` that "
            "runs when all tasks\n"
            "have ended, however they ended, and finds out itself whether everything is there. Tasks that "
            "lose their node are\n"
            "queued again by Slurm, tasks that end with 75 by themselves; what is missing after that the "
            "merge submits again,\n"
            "some rounds. Evidence, case and kvali must stand under the same paths on all nodes, the "
            "evidence read-only.",
    .example =
        "  kvali plan /srv/cases/2026-001 && kvali submit /srv/cases/2026-001 --slurm --cpus 16\n"
        "  kvali submit /srv/cases/2026-001 --slurm --sbatch=--partition=work --parallel 40\n"
        "  kvali submit /srv/cases/2026-001 --dry-run            # what another scheduler would be given",
    .exits = "  2    there is no plan, or tasks of this case are queued already\n"
             "  75   Slurm does not answer or did not take the job\n"
             "  78   Slurm's commands are not installed here",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = submit,
};

const struct command command_resubmit = {
    .name = "resubmit",
    .summary = "have the cluster do what is missing of a plan",
    .usage = "CASE --slurm [options]",
    .help = "As `submit`, for the parts alone that are neither merged nor lie in CASE/parts/, with the "
            "options for sbatch that the\n"
            "submission before had; then a merge. When only the merge is missing, only that is submitted.",
    .example = "  kvali resubmit /srv/cases/2026-001 --slurm",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = submit,
};

const struct command command_cancel = {
    .name = "cancel",
    .summary = "take a case's jobs off the cluster",
    .usage = "CASE [options]",
    .help = "Cancels what `submit` and `resubmit` have queued for this case. Parts that were given back "
            "stay, and are merged by\n"
            "`kvali merge` or after `kvali resubmit`.",
    .example = "  kvali cancel /srv/cases/2026-001",
    .options = NULL,
    .min_args = 1,
    .max_args = 1,
    .run = cancel,
};
