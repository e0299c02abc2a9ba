/*
 * slurm: see slurm.h.
 */
#include "engine/cli/slurm.h"

#include "engine/base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARRAY_DEFAULT = 1000, OUTPUT_MAX = 16 << 20, ARGUMENTS_MAX = 64 };

/* ------------------------------------------------------------------ running a command */

static void feed(int fd, const char *input)
{
    size_t left = input ? strlen(input) : 0;
    while (left) {
        ssize_t written = write(fd, input, left);
        if (written <= 0 && errno != EINTR)
            break; /* it did not want all of it; its exit code says whether that is wrong */
        input += written > 0 ? written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
    close(fd);
}

static void become(const char *const *argv, int in, int out)
{
    char **words = (char **)(uintptr_t)argv; /* execvp changes nothing, whatever its type says */
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0)
        execvp(words[0], words);
    _exit(errno == ENOENT ? 127 : 126);
}

static int collect(int fd, struct buf *ret)
{
    char block[4096];
    ssize_t size;
    while ((size = read(fd, block, sizeof block)) > 0 || (size < 0 && errno == EINTR))
        if (size > 0 && ret->size < OUTPUT_MAX)
            buf_append(ret, block, (size_t)size);
    close(fd);
    return buf_failed(ret) ? -ENOMEM : 0;
}

int slurm_run(const char *const *argv, const char *input, struct buf *ret_output)
{
    int in[2], out[2], status;
    if (pipe2(in, O_CLOEXEC))
        return -errno;
    if (pipe2(out, O_CLOEXEC)) {
        close(in[0]);
        close(in[1]);
        return -errno;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, in[0], out[1]);
    int code = pid < 0 ? -errno : 0;
    close(in[0]);
    close(out[1]);
    signal(SIGPIPE, SIG_IGN);
    feed(in[1], code ? NULL : input);
    int collected = collect(out[0], ret_output);
    while (code == 0 && waitpid(pid, &status, 0) < 0)
        code = errno == EINTR ? 0 : -errno;
    if (code == 0)
        code = !WIFEXITED(status) ? -ECHILD : WEXITSTATUS(status) == 127 ? -ENOENT : WEXITSTATUS(status);
    return code ? code : collected;
}

/* ------------------------------------------------------------------ scripts */

/* For a shell: in single quotes. */
static void quote(struct buf *ret, const char *text)
{
    buf_text(ret, "'");
    for (; *text; text++)
        if (*text == '\'')
            buf_text(ret, "'\\''");
        else
            buf_u8(ret, (uint8_t)*text);
    buf_text(ret, "'");
}

static void command_line(struct buf *ret, const char *verb, const char *folder)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = 0;
    quote(ret, size > 0 ? self : "kvali");
    buf_printf(ret, " %s ", verb);
    quote(ret, folder);
}

void slurm_work_script(const struct slurm_wish *wish, struct buf *ret)
{
    unsigned long long stride = wish->stride, parts = wish->parts;
    buf_text(ret, "#!/bin/bash\n# One task of a plan: parts that are there already are not done again.\n");
    buf_printf(ret, "first=$(((SLURM_ARRAY_TASK_ID - 1) * %llu + 1)) last=$((SLURM_ARRAY_TASK_ID * %llu))\n",
               stride, stride);
    buf_printf(ret, "[ $last -le %llu ] || last=%llu\n", parts, parts);
    command_line(ret, "work", wish->folder);
    buf_text(ret, " $first-$last --quiet\ncode=$?\n");
    buf_printf(ret, "# 75: not done now. Again, at most %llu times, the loss of nodes counted in.\n",
               (unsigned long long)wish->retries);
    buf_printf(ret, "if [ $code -eq 75 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt %llu ]; then\n",
               (unsigned long long)wish->retries);
    buf_text(ret, "    scontrol requeue \"$SLURM_JOB_ID\" && sleep 60\nfi\nexit $code\n");
}

void slurm_merge_script(const struct slurm_wish *wish, struct buf *ret)
{
    buf_text(ret, "#!/bin/bash\n# Runs when all tasks have ended, however: whether everything is there it "
                  "finds out itself.\n");
    command_line(ret, "merge", wish->folder);
    buf_text(ret, "\ncode=$?\n");
    if (wish->round < wish->rounds) {
        buf_text(ret, "if [ $code -eq 75 ]; then\n    ");
        command_line(ret, "resubmit", wish->folder);
        buf_printf(ret,
                   " --slurm --round %llu --rounds %llu --retries %llu --parallel %llu --cpus %llu --mem ",
                   (unsigned long long)wish->round + 1, (unsigned long long)wish->rounds,
                   (unsigned long long)wish->retries, (unsigned long long)wish->parallel,
                   (unsigned long long)wish->cpus);
        quote(ret, wish->mem);
        buf_text(ret, "\nfi\n");
    }
    buf_text(ret, "exit $code\n");
}

/* In the name of a log a % begins a pattern. */
static void put_log(const struct slurm_wish *wish, const char *name, struct buf *ret)
{
    buf_text(ret, "--output=");
    for (const char *c = wish->folder; *c; c++)
        buf_printf(ret, *c == '%' ? "%%%c" : "%c", *c);
    buf_printf(ret, "/parts/log/%s\n", name);
}

static void put_export(struct buf *ret)
{
    static const char *const names[] = {"PATH",   "LANG",       "LC_ALL",         "HOME",
                                        "TMPDIR", "SLURM_CONF", "XDG_CONFIG_HOME"};
    const char *comma = "";
    buf_text(ret, "--export=");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!getenv(names[i]))
            continue;
        buf_printf(ret, "%s%s", comma, names[i]);
        comma = ",";
    }
    buf_text(ret, "\n");
}

static void put_options(const struct slurm_wish *wish, struct buf *ret)
{
    for (size_t i = 0; wish->options && wish->options[i]; i++)
        buf_printf(ret, "%s\n", wish->options[i]);
}

void slurm_work_command(const struct slurm_wish *wish, struct buf *ret)
{
    buf_printf(ret, "sbatch\n--parsable\n--job-name=kvali-%.12s-work\n--array=%s", wish->plan, wish->tasks);
    if (wish->parallel)
        buf_printf(ret, "%%%llu", (unsigned long long)wish->parallel);
    buf_printf(ret, "\n--requeue\n--open-mode=append\n--ntasks=1\n--cpus-per-task=%llu\n--mem=%s\n",
               (unsigned long long)wish->cpus, wish->mem);
    put_export(ret);
    put_log(wish, "%A_%a.out", ret);
    put_options(wish, ret);
}

void slurm_merge_command(const struct slurm_wish *wish, const char *after, struct buf *ret)
{
    buf_printf(ret, "sbatch\n--parsable\n--job-name=kvali-%.12s-merge\n", wish->plan);
    if (after[0])
        buf_printf(ret, "--dependency=afterany:%s\n", after);
    buf_printf(ret, "--requeue\n--open-mode=append\n--ntasks=1\n--cpus-per-task=1\n--mem=2G\n");
    put_export(ret);
    put_log(wish, "%j_merge.out", ret);
    put_options(wish, ret);
}

int slurm_submit(struct buf *command, struct buf *script, char ret_id[32], struct why *why)
{
    const char *argv[ARGUMENTS_MAX + 1] = {NULL};
    char *words = strdup(buf_cstr(command)), *save = NULL;
    struct buf output = {0};
    size_t count = 0;
    for (char *word = words ? strtok_r(words, "\n", &save) : NULL; word && count < ARGUMENTS_MAX;
         word = strtok_r(NULL, "\n", &save))
        argv[count++] = word;
    int code = count ? slurm_run(argv, buf_cstr(script), &output) : -ENOMEM;
    if (code == -ENOENT)
        why_set(why, code,
                "sbatch: there is no such program here: Slurm's commands (package slurm-client) are needed");
    else if (code)
        code = why_set(why, code < 0 ? code : -EIO, "sbatch did not take the job (it says why above)");
    else
        snprintf(ret_id, 32, "%.*s", (int)strcspn(buf_cstr(&output), ";\n"), buf_cstr(&output));
    buf_finish(&output);
    free(words);
    return code;
}

uint64_t slurm_array_max(void)
{
    static const char *const argv[] = {"scontrol", "show", "config", NULL};
    struct buf output = {0};
    uint64_t most = 0;
    if (slurm_run(argv, NULL, &output) == 0) {
        const char *at = strstr(buf_cstr(&output), "MaxArraySize");
        const char *equals = at ? strchr(at, '=') : NULL;
        most = equals ? strtoull(equals + 1, NULL, 10) : 0;
    }
    buf_finish(&output);
    return most > 1 ? most - 1 : ARRAY_DEFAULT; /* the highest index is one less */
}

/* ------------------------------------------------------------------ what was submitted */

static void jobs_path(const char *folder, char *ret, size_t size)
{
    snprintf(ret, size, "%s/parts/jobs.tsv", folder);
}

static void take(char **rest, char *ret, size_t size)
{
    const char *word = strsep(rest, "\t");
    snprintf(ret, size, "%s", word ? word : "");
}

/* Options begin with a "-". */
static void take_plan(char **rest, struct slurm_job *job)
{
    if (*rest && **rest != '-')
        take(rest, job->plan, sizeof job->plan);
}

static void free_job(struct slurm_job *job)
{
    for (size_t n = 0; job->options && job->options[n]; n++)
        free(job->options[n]);
    free(job->options);
    free(job->tasks);
}

static int add_line(struct slurm_jobs *jobs, char *line)
{
    char number[24];
    struct slurm_job job = {.options = calloc(ARGUMENTS_MAX + 1, sizeof(char *))};
    struct slurm_job *more = reallocarray(jobs->jobs, jobs->count + 1, sizeof *more);
    if (more)
        jobs->jobs = more;
    if (!more || !job.options) {
        free_job(&job);
        return -ENOMEM;
    }
    take(&line, job.time, sizeof job.time);
    take(&line, job.array, sizeof job.array);
    take(&line, job.merge, sizeof job.merge);
    const char *word = strsep(&line, "\t");
    job.tasks = strdup(word ? word : "");
    take(&line, number, sizeof number);
    job.stride = strtoull(number, NULL, 10);
    take(&line, number, sizeof number);
    job.round = strtoull(number, NULL, 10);
    take_plan(&line, &job);
    bool whole = job.tasks != NULL;
    for (size_t i = 0; whole && i < ARGUMENTS_MAX && (word = strsep(&line, "\t")); i++)
        whole = (job.options[i] = strdup(word)) != NULL;
    jobs->jobs[jobs->count++] = job;
    return whole ? 0 : -ENOMEM;
}

int slurm_jobs_load(const char *folder, struct slurm_jobs *ret_jobs)
{
    char path[PATH_MAX], *line = NULL;
    size_t capacity = 0;
    int code = 0;
    *ret_jobs = (struct slurm_jobs){0};
    jobs_path(folder, path, sizeof path);
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? 0 : -errno;
    while (code == 0 && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        code = add_line(ret_jobs, line);
    }
    free(line);
    fclose(file);
    if (code)
        slurm_jobs_finish(ret_jobs);
    return code;
}

void slurm_jobs_finish(struct slurm_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        free_job(&jobs->jobs[i]);
    free(jobs->jobs);
    *jobs = (struct slurm_jobs){0};
}

static void put_job(FILE *file, const struct slurm_job *job)
{
    fprintf(file, "%s\t%s\t%s\t%s\t%llu\t%llu\t%s", job->time, job->array, job->merge, job->tasks,
            (unsigned long long)job->stride, (unsigned long long)job->round, job->plan);
    for (size_t i = 0; job->options && job->options[i]; i++)
        fprintf(file, "\t%s", job->options[i]);
    fputc('\n', file);
}

static int write_jobs(const char *folder, const struct slurm_jobs *jobs, const struct slurm_job *more)
{
    char path[PATH_MAX], made[PATH_MAX + 32];
    jobs_path(folder, path, sizeof path);
    snprintf(made, sizeof made, "%s.%ld.partial", path, (long)getpid());
    FILE *file = fopen(made, "we");
    if (!file)
        return -errno;
    for (size_t i = 0; i < jobs->count; i++)
        put_job(file, &jobs->jobs[i]);
    put_job(file, more);
    int code = fflush(file) || fsync(fileno(file)) ? -errno : 0;
    if (fclose(file) && code == 0)
        code = -errno;
    if (code == 0 && rename(made, path))
        code = -errno;
    return code;
}

int slurm_jobs_add(const char *folder, const char *array, const char *merge, const struct slurm_wish *wish,
                   struct why *why)
{
    struct slurm_jobs jobs;
    struct slurm_job job = {.stride = wish->stride,
                            .round = wish->round,
                            .tasks = (char *)(uintptr_t)(wish->tasks[0] ? wish->tasks : "-"),
                            .options = (char **)(uintptr_t)wish->options};
    when_format(when_now() / 1000000000 * 1000000000, job.time);
    snprintf(job.array, sizeof job.array, "%s", array[0] ? array : "-");
    snprintf(job.merge, sizeof job.merge, "%s", merge[0] ? merge : "-");
    snprintf(job.plan, sizeof job.plan, "%s", wish->plan);
    int code = slurm_jobs_load(folder, &jobs);
    if (code == 0) {
        code = write_jobs(folder, &jobs, &job);
        slurm_jobs_finish(&jobs);
    }
    return code ? why_set(why, code, "%s/parts/jobs.tsv: %s", folder, strerror(-code)) : 0;
}

/* ------------------------------------------------------------------ what Slurm says */

bool slurm_job_is_of(const struct slurm_job *job, const char *plan)
{
    return strcmp(job->plan, plan) == 0;
}

bool slurm_state_is_of(const struct slurm_state *state, const char *id)
{
    size_t size = strcspn(state->id, "_");
    return strlen(id) == size && strncmp(id, state->id, size) == 0;
}

static bool is_ours(const struct slurm_jobs *jobs, const struct slurm_state *state)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (slurm_state_is_of(state, jobs->jobs[i].array) || slurm_state_is_of(state, jobs->jobs[i].merge))
            return true;
    return false;
}

static void word_of(char **rest, char *ret, size_t size)
{
    const char *word = strsep(rest, "|");
    snprintf(ret, size, "%s", word ? word : "");
}

/* squeue -j with an id that Slurm has forgotten is an error: all of this user's jobs are asked for, and ours
 * picked out. */
int slurm_states(const struct slurm_jobs *jobs, struct slurm_state **ret_states, size_t *ret_count)
{
    static const char *const argv[] = {"squeue", "-h", "-r", "--me", "-o", "%i|%T|%r|%N", NULL};
    struct buf output = {0};
    struct slurm_state *states = NULL;
    size_t count = 0;
    *ret_states = NULL;
    *ret_count = 0;
    if (jobs->count == 0)
        return 0;
    int code = slurm_run(argv, NULL, &output);
    char *text = code == 0 ? buf_steal(&output) : NULL, *save = NULL;
    buf_finish(&output);
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        struct slurm_state state;
        word_of(&line, state.id, sizeof state.id);
        word_of(&line, state.state, sizeof state.state);
        word_of(&line, state.reason, sizeof state.reason);
        word_of(&line, state.node, sizeof state.node);
        struct slurm_state *more =
            is_ours(jobs, &state) ? reallocarray(states, count + 1, sizeof *more) : NULL;
        if (!more)
            continue;
        states = more;
        states[count++] = state;
    }
    free(text);
    if (code) {
        free(states);
        return code < 0 ? code : -EIO;
    }
    *ret_states = states;
    *ret_count = count;
    return 0;
}
