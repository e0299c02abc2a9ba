/* kvali batch: a lab's backlog, unattended. */
#include "cases/batch.h"
#include "engine/cli/batch_run.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"folder", 'f', "FOLDER",
     "Where queue, logs and summary are kept (default: $XDG_STATE_HOME/kvali/batch)"},
    {"watch", 'w', "FOLDER",
     "Take manifests (*.toml, *.csv) that appear there, and do not end when all is done"},
    {"triage", 0, NULL, "Look at all exhibits with the profile triage first, in CASE.triage"},
    {"max-jobs", 'm', "N", "Exhibits at once (default: 1)"},
    {"jobs", 'j', "N", "Workers of each (default: the cores divided by --max-jobs)"},
    {"disk-free", 0, "SIZE",
     "Stop, and go on later, when less is free where cases or temporary files lie (default: 5G)"},
    {"memory-free", 0, "SIZE", "The same of memory (default: 1G)"},
    {"memory-max", 0, "SIZE",
     "Stop the youngest exhibit, and go on with it later, when all use more (default: no limit)"},
    {"tmp-max", 0, "SIZE", "The same of temporary files"},
    {"disk-max", 0, "SIZE", "The same of the folders of all cases of the queue"},
    {"tries", 0, "N", "How often an exhibit may fail (default: 3)"},
    {"wait", 0, "SECONDS", "Before it is tried again; twice as long before the third time (default: 60)"},
    {"tmp", 0, "FOLDER", "For temporary files (default: $TMPDIR or /var/tmp)"},
    {"cross", 0, "INDEX", "Take each finished case into this index (`kvali cross --help`)"},
    {"notify", 0, "PROGRAM", "Run this when something happens: PROGRAM EVENT CASE EXHIBIT STATE MESSAGE"},
    {"lang", 'l', "LANG", "Of the summary's page: en or ka; kept for later (default: en)"},
    {"json", 0, NULL, "status: as JSON"},
    {NULL, 0, NULL, NULL},
};

static void default_folder(char *ret, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        snprintf(ret, size, "%s/kvali/batch", state);
    else
        snprintf(ret, size, "%s/.local/state/kvali/batch", home && *home ? home : "/var/lib/kvali");
}

static const char *const words[] = {"status", "pause", "resume", "cancel", "retry", "report"};
enum word { STATUS, PAUSE, RESUME, CANCEL, RETRY, REPORT, NO_WORD };

static enum word word_of(const struct options *options)
{
    enum word word = STATUS;
    while (word < NO_WORD && (options->arg_count == 0 || strcmp(options->args[0], words[word]) != 0))
        word++;
    return word;
}

static int open_queue(const struct options *options, struct batch **ret_batch)
{
    char folder[PATH_MAX];
    struct why why = {{0}};
    default_folder(folder, sizeof folder);
    const char *wanted = options_text(options, "folder", folder);
    char queue[PATH_MAX + 16];
    snprintf(queue, sizeof queue, "%s/queue.db", wanted);
    if (options->arg_count && word_of(options) < NO_WORD && access(queue, F_OK))
        return fail_words(EXIT_USAGE, wanted, "there is no queue of a batch",
                          "`kvali batch MANIFEST` makes one; --folder names another place");
    int code = batch_open(wanted, ret_batch, &why);
    return code ? fail(exit_code_of_case(code), wanted, code, &why, "--folder names another place")
                : EXIT_DONE;
}

/* ------------------------------------------------------------------ words to a running batch */

static int failed(struct batch *batch, int code)
{
    return fail_words(exit_code_of_case(code), batch_folder(batch), batch_error(batch), NULL);
}

/* cancel and retry: tasks by number, or all. */
static int change(struct batch *batch, const struct options *options, bool again)
{
    int code = 0;
    uint64_t queued = 0;
    if (options->arg_count == 1)
        return fail_words(EXIT_USAGE, options->args[0],
                          "which? give numbers (`kvali batch status` shows them), or `all`", NULL);
    for (size_t i = 1; code == 0 && i < options->arg_count; i++) {
        char *end;
        bool all = strcmp(options->args[i], "all") == 0;
        uint64_t id = all ? 0 : strtoull(options->args[i], &end, 10);
        if (!all && (*end || id == 0))
            return fail_words(EXIT_USAGE, options->args[i], "expected the number of a task, or `all`", NULL);
        code = again ? batch_retry(batch, id, &queued) : batch_cancel(batch, id);
    }
    if (code == 0 && again && !options->quiet)
        cli_print("%llu tasks are queued again. `kvali batch` does them, if it is not at work already.\n",
                  (unsigned long long)queued);
    return code;
}

/* The one that is said now, or was said before. */
static int language(struct batch *batch, const struct options *options, enum report_lang *ret)
{
    struct buf kept = {0};
    const char *said = options_text(options, "lang", NULL);
    *ret = REPORT_EN;
    if (said && !report_lang_parse(said, ret))
        return fail_words(EXIT_USAGE, "--lang", "there is no such language; expected en or ka", NULL);
    int code = said ? batch_set_lang(batch, said) : batch_lang(batch, &kept);
    if (code == 0 && !said)
        (void)report_lang_parse(buf_cstr(&kept), ret); /* none: the default */
    buf_finish(&kept);
    return code ? failed(batch, code) : EXIT_DONE;
}

static int report(struct batch *batch, const struct options *options)
{
    struct why why = {{0}};
    struct batch_stand stand = {.state = "as the queue says"};
    int code = language(batch, options, &stand.lang);
    if (code)
        return code;
    code = batch_report_write(batch, &stand, &why);
    if (code)
        return fail(exit_code_of_case(code), batch_folder(batch), code, &why, NULL);
    cli_print("%s/summary.html\n%s/summary.json\n", batch_folder(batch), batch_folder(batch));
    return EXIT_DONE;
}

static int say(struct batch *batch, enum word word, const struct options *options)
{
    int code = 0;
    switch (word) {
    case STATUS:
        code = batch_report_print(batch, options_has(options, "json"));
        break;
    case PAUSE:
    case RESUME:
        code = batch_set_paused(batch, word == PAUSE);
        break;
    case CANCEL:
    case RETRY:
        code = change(batch, options, word == RETRY);
        break;
    case REPORT:
    case NO_WORD:
        return report(batch, options);
    }
    return code < 0 ? failed(batch, code) : code;
}

/* ------------------------------------------------------------------ working it off */

static int read_limits(const struct options *options, struct batch_limits *ret, struct why *why)
{
    uint64_t cores = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    struct batch_limits limits = {
        .jobs = 1, .disk = UINT64_C(5) << 30, .memory = UINT64_C(1) << 30, .tries = 3, .wait = 60};
    int code = options_number(options, "max-jobs", &limits.jobs, why);
    if (code == 0)
        code = options_number(options, "jobs", &limits.workers, why);
    if (code == 0)
        code = options_size(options, "disk-free", &limits.disk, why);
    if (code == 0)
        code = options_size(options, "memory-free", &limits.memory, why);
    if (code == 0)
        code = options_size(options, "memory-max", &limits.memory_most, why);
    if (code == 0)
        code = options_size(options, "tmp-max", &limits.tmp_most, why);
    if (code == 0)
        code = options_size(options, "disk-max", &limits.disk_most, why);
    if (code == 0)
        code = options_number(options, "tries", &limits.tries, why);
    if (code == 0)
        code = options_number(options, "wait", &limits.wait, why);
    if (code == 0 && (limits.jobs == 0 || limits.jobs > 64 || limits.tries == 0 || limits.wait > 86400))
        code = why_set(why, -EINVAL, "--max-jobs: 1 to 64; --tries: from 1 on; --wait: at most 86400");
    if (code == 0 && limits.workers == 0)
        limits.workers = cores > limits.jobs ? cores / limits.jobs : 1;
    *ret = limits;
    return code;
}

/* Evidence that is not there may still come (a share that is not mounted yet): it is told, and queued. */
static int tell_missing(struct batch *batch)
{
    struct batch_task *tasks = NULL;
    size_t count = 0;
    int code = batch_tasks(batch, &tasks, &count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        char *save = NULL;
        if (tasks[i].state != BATCH_QUEUED)
            continue;
        for (char *path = strtok_r(tasks[i].evidence, "\n", &save); path; path = strtok_r(NULL, "\n", &save))
            if (access(path, R_OK))
                cli_print("%s%s%s: %s: %s\n", tasks[i].folder, tasks[i].exhibit[0] ? " " : "",
                          tasks[i].exhibit, path, strerror(errno));
    }
    batch_tasks_free(tasks, count);
    return code ? failed(batch, code) : EXIT_DONE;
}

static int take_manifests(struct batch *batch, const struct options *options)
{
    for (size_t i = 0; i < options->arg_count; i++) {
        struct why why = {{0}};
        size_t added = 0;
        int code = batch_manifest(batch, options->args[i], options_has(options, "triage"), &added, &why);
        if (code)
            return fail(code == -ENOMEM ? EXIT_ENVIRONMENT : EXIT_USAGE, options->args[i], code, &why,
                        "nothing of it is queued");
        if (!options->quiet)
            cli_print("%s: %zu tasks are new or changed\n", options->args[i], added);
    }
    return options->arg_count && !options->quiet ? tell_missing(batch) : EXIT_DONE;
}

static int end_code(struct batch *batch, const struct options *options)
{
    struct batch_task *tasks = NULL;
    size_t count = 0;
    int code = batch_tasks(batch, &tasks, &count), worst = EXIT_DONE;
    if (code)
        return failed(batch, code);
    for (size_t i = 0; i < count; i++)
        worst = tasks[i].state == BATCH_FAILED                             ? EXIT_EVIDENCE
                : tasks[i].state == BATCH_FAULTS && worst != EXIT_EVIDENCE ? EXIT_FAULTS
                                                                           : worst;
    batch_tasks_free(tasks, count);
    if (count == 0 && !options->quiet)
        cli_print("Nothing was ever queued in %s: give a MANIFEST (`kvali batch --help`).\n",
                  batch_folder(batch));
    else if (worst == EXIT_EVIDENCE && !options->quiet)
        cli_print("What failed is done again after `kvali batch retry all`, when its cause is gone.\n");
    return worst;
}

static int work_off(struct batch *batch, const struct options *options)
{
    struct why why = {{0}};
    struct stat st;
    struct batch_wish wish = {
        .tmp = job_cli_spool(options),
        .notify = options_text(options, "notify", NULL),
        .cross = options_text(options, "cross", NULL),
        .watch = options_text(options, "watch", NULL),
        .triage = options_has(options, "triage"),
        .quiet = options->quiet,
    };
    int code = read_limits(options, &wish.limits, &why);
    if (code)
        return fail_usage("batch", &why);
    if (wish.watch && (stat(wish.watch, &st) || !S_ISDIR(st.st_mode)))
        return fail_words(EXIT_USAGE, wish.watch, "--watch: there is no such folder", NULL);
    code = language(batch, options, &wish.lang);
    if (code == EXIT_DONE)
        code = take_manifests(batch, options);
    if (code)
        return code;
    wish.stop = job_cli_signals();
    code = batch_run(batch, &wish, &why);
    if (code == -EINTR) {
        cli_print("Stopped. What is done is kept: `kvali batch` goes on.\n");
        return EXIT_STOPPED;
    }
    if (code)
        return fail(code == -EBUSY ? EXIT_USAGE : EXIT_ENVIRONMENT, batch_folder(batch), code, &why, NULL);
    if (!options->quiet)
        cli_print("Summary: %s/summary.html\n", batch_folder(batch));
    return end_code(batch, options);
}

static int run(const struct options *options)
{
    struct batch *batch = NULL;
    int code = open_queue(options, &batch);
    if (code)
        return code;
    enum word word = word_of(options);
    code = word < NO_WORD ? say(batch, word, options) : work_off(batch, options);
    batch_close(batch);
    return code;
}

const struct command command_batch = {
    .name = "batch",
    .summary = "work off many exhibits, unattended",
    .usage =
        "[MANIFEST...] [options] | status | pause | resume | cancel ID...|all | retry ID...|all | report",
    .help =
        "Queues what the MANIFESTs say and does it, `kvali process` for each exhibit, by priority, then "
        "deadline. The queue\n"
        "survives kill -9 and power cuts: without MANIFEST what is queued goes on. When room on disk or "
        "in memory gets\n"
        "short, the youngest exhibit is stopped cleanly and goes on later; what fails is tried again. "
        "FOLDER/summary.html\n"
        "and .json are always up to date. Only one process works a queue off; the words talk to it: pause "
        "and "
        "resume all of it,\n"
        "cancel tasks, retry what failed or was cancelled. A manifest that was mended is queued again as it "
        "is "
        "now.\n"
        "\n"
        "A manifest is TOML, with keys before the first [[exhibit]] as defaults for all, or CSV with the "
        "same keys as\n"
        "its first line and ';' within lists:\n"
        "  case, evidence                             the case's folder; a path or several\n"
        "  exhibit, number, examiner, type, lang      as for `kvali process`\n"
        "  profile, plugins, rules, hashsets, keywords, settings, options (others, as [\"--features\"])\n"
        "  keys                                       of encrypted volumes, in files: @FILE or file:PATH, as "
        "for --key;\n"
        "                                             EX-1=@FILE: for that exhibit; never a key itself\n"
        "  formats                                    reports besides HTML and JSON\n"
        "  priority, deadline, triage                 higher first; a date; true or false\n"
        "Paths are relative to the manifest. EVENTs: task-done, task-failed, short-of-room, room-again, "
        "manifest-refused,\n"
        "batch-done.",
    .example = "  kvali batch backlog.csv --triage --max-jobs 2 --notify /usr/local/bin/tell-me\n"
               "  kvali batch --watch /srv/manifests --folder /srv/batch      # as kvali-batch.service does\n"
               "  kvali batch status --folder /srv/batch",
    .exits = "  1    all done, faults were recorded\n"
             "  3    all ended, and at least one exhibit failed: the summary says why\n"
             "  130  stopped by Ctrl-C or a signal; `kvali batch` goes on",
    .options = specs,
    .min_args = 0,
    .run = run,
};
