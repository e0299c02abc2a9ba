/*
 * batch_process: processes of a batch, and telling one from a later one with the same number.
 */
#include "engine/cli/batch_run.h"

#include <limits.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

uint64_t batch_start_time(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = 0;
    char *at = strrchr(text, ')');
    for (int i = 0; at && i < 20; i++) /* field 22; the name before may hold anything */
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

static void become(const char *const *argv, const char *log, pid_t parent, bool bound)
{
    char **words = (char **)(uintptr_t)argv; /* execvp changes nothing, whatever its type says */
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640),
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    if (bound && (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent))
        _exit(126);
    if (fd < 0 || dup2(in, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    execvp(words[0], words);
    _exit(127);
}

pid_t batch_spawn(const char *const *argv, const char *log, bool bound)
{
    pid_t self = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, log, self, bound);
    return pid;
}

void batch_last_words(const struct batch *batch, const struct batch_task *task, char *ret, size_t size)
{
    char path[PATH_MAX + 64], line[1024];
    snprintf(path, sizeof path, "%s/logs/%llu.log", batch_folder(batch), (unsigned long long)task->id);
    FILE *file = fopen(path, "re");
    ret[0] = 0;
    if (file)
        (void)fseek(file, -8192, SEEK_END); /* a shorter one is read from its beginning */
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0])
            snprintf(ret, size, "%s", strncmp(line, "kvali: ", 7) == 0 ? line + 7 : line);
    }
    if (file)
        fclose(file);
}

/* ------------------------------------------------------------------ a step of a task */

enum { ARGUMENTS_MAX = 512 };

struct words {
    const char *argv[ARGUMENTS_MAX + 1];
    size_t count;
};

static void add(struct words *w, const char *word)
{
    if (w->count < ARGUMENTS_MAX)
        w->argv[w->count++] = word;
}

/* Cuts `list` up, in place. */
static void add_list(struct words *w, char *list, const char *before)
{
    char *save = NULL;
    for (char *one = list ? strtok_r(list, "\n", &save) : NULL; one; one = strtok_r(NULL, "\n", &save)) {
        if (before)
            add(w, before);
        add(w, one);
    }
}

pid_t batch_spawn_step(const char *self, const char *folder, const struct batch_wish *wish,
                       const struct batch_task *task, enum batch_step step, uint64_t workers)
{
    char *evidence = strdup(task->evidence), *arguments = strdup(task->arguments),
         *formats = strdup(task->formats);
    char jobs[24], log[PATH_MAX + 64];
    struct words w = {{NULL}, 0};
    snprintf(jobs, sizeof jobs, "%llu", (unsigned long long)workers);
    snprintf(log, sizeof log, "%s/logs/%llu.log", folder, (unsigned long long)task->id);
    add(&w, self);
    if (step == STEP_PROCESS) {
        add(&w, "process");
        add_list(&w, evidence, NULL);
        add(&w, "--case");
        add(&w, task->folder);
        add(&w, "--tmp");
        add(&w, wish->tmp);
        add(&w, "--jobs");
        add(&w, jobs);
        if (task->exhibit[0]) {
            add(&w, "--exhibit");
            add(&w, task->exhibit);
        }
        add_list(&w, arguments, NULL);
        if (task->triage) {
            add(&w, "--profile");
            add(&w, "triage");
        }
    } else if (step == STEP_REPORT) {
        add(&w, "report");
        add(&w, task->folder);
        add_list(&w, formats, "--format");
    } else {
        add(&w, "cross");
        add(&w, wish->cross);
        add(&w, task->folder);
    }
    add(&w, "--quiet");
    pid_t pid = batch_spawn(w.argv, log, true);
    free(evidence);
    free(arguments);
    free(formats);
    return pid;
}
