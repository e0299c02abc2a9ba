/* kvali work: does parts of a plan, on any host. */
#include "cases/copy.h"
#include "cases/part.h"
#include "cases/plan.h"
#include "cases/queue.h"
#include "engine/base/json.h"
#include "engine/cli/job_cli.h"
#include "engine/cli/progress.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"jobs", 'j', "N", "Workers (default: one a core that this process may use, or $SLURM_CPUS_PER_TASK)"},
    {"scratch", 0, "FOLDER",
     "Local disk for what is found, until it is whole (default: $TMPDIR or /var/tmp)"},
    {NULL, 0, NULL, NULL},
};

#define SCRATCH_BEGIN "kvali-part-"
#define HELD          "held"
enum { PATH_SIZE = 4096, YOUNG_SECONDS = 60 };

struct worker {
    const struct options *options;
    const char *folder, *scratch_folder;
    struct plan *plan;
    struct settings settings;
    struct job_standby *standby; /* what is set up for one part serves the next */
    uint32_t jobs;
};

/* ------------------------------------------------------------------ scratch */

/* A lock, from before the scratch is a case until after it was given back. A sweeper may have had the folder
 * first: then it is made again. */
static int hold(const char *scratch, struct why *why)
{
    char path[PATH_SIZE + 16];
    struct stat ours, there;
    snprintf(path, sizeof path, "%s/" HELD, scratch);
    for (int i = 0; i < 100; i++) {
        int fd = mkdir(scratch, 0700) && errno != EEXIST
                     ? -1
                     : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != ENOENT)
            break;
        if (fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    int code = errno ? -errno : -EBUSY;
    return why_set(why, code, "%s: it cannot be made, or gives no lock: %s", scratch, strerror(-code));
}

/* What a killed attempt left may hold evidence: it goes as soon as anybody works here again. Its lock says
 * whether one is alive. */
static void sweep_one(const char *path)
{
    char lock[PATH_SIZE + 16];
    struct stat st;
    snprintf(lock, sizeof lock, "%s/" HELD, path);
    if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return;
    int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool dead = fd >= 0 ? flock(fd, LOCK_EX | LOCK_NB) == 0 : time(NULL) - st.st_mtime > YOUNG_SECONDS;
    if (dead)
        remove_folder(path);
    if (fd >= 0)
        close(fd);
}

static void sweep(const char *folder)
{
    DIR *all = opendir(folder);
    struct dirent *entry;
    char path[PATH_SIZE];
    while (all && (entry = readdir(all)))
        if (strncmp(entry->d_name, SCRATCH_BEGIN, strlen(SCRATCH_BEGIN)) == 0 &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            sweep_one(path);
    if (all)
        closedir(all);
}

static void scratch_name(const struct worker *w, uint64_t part, char ret[PATH_SIZE])
{
    const char *restart = getenv("SLURM_RESTART_COUNT"), *node = getenv("SLURMD_NODENAME");
    char host[128] = "host";
    (void)gethostname(host, sizeof host - 1);
    snprintf(ret, PATH_SIZE, "%s/" SCRATCH_BEGIN "%.12s-%06llu-%.64s-%.8s-%ld", w->scratch_folder,
             plan_facts(w->plan)->id, (unsigned long long)part, node && *node ? node : host,
             restart ? restart : "0", (long)getpid());
}

/* ------------------------------------------------------------------ one part */

static uint32_t jobs(uint64_t wanted)
{
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    cpu_set_t set;
    if (wanted)
        return (uint32_t)wanted;
    uint32_t cores = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
    unsigned long given = slurm ? strtoul(slurm, NULL, 10) : 0;
    return given && given < cores ? (uint32_t)given : cores;
}

static void text_of_environment(struct json *json, const char *key, const char *name)
{
    const char *value = getenv(name);
    if (value && *value)
        json_text(json, key, value);
}

/* Who does which part of what, in the part's own ledger, which comes into the case's. */
static int tell(const struct worker *w, struct casefile *cf, uint64_t part, struct why *why)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "plan", plan_facts(w->plan)->id);
    json_text(&json, "case_first_line", plan_facts(w->plan)->case_id);
    json_u64(&json, "part", part);
    text_of_environment(&json, "node", "SLURMD_NODENAME");
    text_of_environment(&json, "slurm_job", "SLURM_ARRAY_JOB_ID");
    text_of_environment(&json, "slurm_task", "SLURM_ARRAY_TASK_ID");
    text_of_environment(&json, "slurm_restart", "SLURM_RESTART_COUNT");
    json_object_close(&json);
    int code = buf_failed(&buf) ? -ENOMEM : ledger_append(casefile_ledger(cf), "work", buf_cstr(&buf), why);
    buf_finish(&buf);
    return code;
}

static int exit_of(int code)
{
    switch (-code) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case ENOMEM:
    case ECHILD:
    case EINTR:
    case EBUSY:
        return EXIT_RETRY;
    case EUCLEAN:
    case EBADMSG:
        return EXIT_PERMANENT;
    default:
        return EXIT_SETUP;
    }
}

static int examine(const struct worker *w, struct casefile *cf, uint64_t part, const char *scratch)
{
    struct progress progress;
    struct queue_counts counts = {0};
    struct job_result result = {0};
    struct why why = {{0}};
    int code = tell(w, cf, part, &why);
    if (code == 0)
        code = progress_init(&progress, NULL, w->options->quiet, &why);
    if (code)
        return fail(exit_of(code), scratch, code, &why, NULL);
    struct job_options job = {
        .worker_program = job_cli_worker(),
        .settings = &w->settings,
        .jobs = w->jobs,
        .spool_folder = scratch,
        .configuration = plan_facts(w->plan)->configuration,
        .standby = w->standby,
        .stop = job_cli_signals(),
        .progress = progress_show,
        .event = progress_event,
        .found = progress_found,
        .context = &progress,
    };
    code = job_run(cf, &job, &result, &why);
    progress_finish(&progress);
    if (code)
        return fail(exit_of(code), w->folder, code, &why, "nothing of this part was given back");
    if (result.interrupted)
        return fail_words(EXIT_RETRY, w->folder, "stopped", "nothing of this part was given back");
    if (result.exhibits_failed)
        return fail_words(EXIT_SETUP, w->folder, result.failure,
                          "is the evidence there on this host, under the same path?");
    code = queue_counts(cf, &counts);
    if (code || counts.streams_pending)
        return fail_words(EXIT_RETRY, w->folder, "contents of this part are still pending", NULL);
    return EXIT_DONE;
}

static int fill_and_examine(const struct worker *w, uint64_t part, const char *scratch)
{
    struct casefile *cf = NULL;
    struct why why = {{0}};
    char number[64];
    snprintf(number, sizeof number, "part %llu of plan %.12s", (unsigned long long)part,
             plan_facts(w->plan)->id);
    int code = casefile_create(scratch, number, NULL, &why);
    if (code == 0)
        code = casefile_open(scratch, CASEFILE_WRITE, &cf, &why);
    if (code == 0)
        code = plan_fill(w->plan, part, cf, &why);
    int exit_code = code == -ENOENT ? EXIT_PERMANENT : exit_of(code);
    if (code)
        exit_code = fail(exit_code, scratch, code, &why, NULL);
    else
        exit_code = examine(w, cf, part, scratch);
    casefile_close(cf);
    return exit_code;
}

static int work(const struct worker *w, uint64_t part)
{
    char scratch[PATH_SIZE], sha256[SHA256_HEX_SIZE];
    const struct plan_facts *facts = plan_facts(w->plan);
    struct why why = {{0}};
    if (part_is_there(w->folder, facts->id, part)) {
        if (!w->options->quiet)
            cli_print("Part %llu is done already.\n", (unsigned long long)part);
        return EXIT_DONE;
    }
    scratch_name(w, part, scratch);
    int held = hold(scratch, &why);
    int code = held < 0 ? fail(exit_of(held), scratch, held, &why, NULL) : fill_and_examine(w, part, scratch);
    if (code == EXIT_DONE) {
        hash_sha256_hex(facts->configuration, strlen(facts->configuration), sha256);
        int error = part_publish(scratch, w->folder, facts->id, part, sha256, &why);
        code =
            error ? fail(exit_of(error) == EXIT_SETUP ? EXIT_SETUP : EXIT_RETRY, w->folder, error, &why, NULL)
                  : EXIT_DONE;
    }
    if (held >= 0) {
        remove_folder(scratch);
        close(held);
    }
    if (code == EXIT_DONE && !w->options->quiet)
        cli_print("Part %llu is done.\n", (unsigned long long)part);
    return code;
}

/* ------------------------------------------------------------------ the command */

/* "7" or "7-9". */
static bool read_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *ret_first = *ret_last = strtoull(text, &end, 10);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        *ret_last = strtoull(end + 1, &end, 10);
    return *end == 0 && *ret_first > 0 && *ret_first <= *ret_last;
}

static int work_all(const struct worker *w)
{
    uint64_t parts = plan_facts(w->plan)->parts;
    int worst = EXIT_DONE;
    for (size_t i = 1; i < w->options->arg_count; i++) {
        uint64_t first = 0, last = 0;
        if (!read_range(w->options->args[i], &first, &last))
            return fail_words(EXIT_USAGE, w->options->args[i], "expected a part's number, or FIRST-LAST",
                              "`kvali status CASE` lists parts");
        for (uint64_t part = first; part <= last && part <= parts; part++) {
            int code = work(w, part);
            if (code == EXIT_RETRY || code == EXIT_SETUP)
                return code; /* the next would fare no better */
            worst = code ? code : worst;
        }
        if (last > parts)
            worst = fail_words(EXIT_PERMANENT, w->options->args[i], "the plan has no such part",
                               "`kvali status CASE` says how many there are");
    }
    return worst;
}

static int run(const struct options *options)
{
    struct worker w = {.options = options};
    struct why why = {{0}};
    char folder[PATH_MAX];
    uint64_t wanted = 0;
    if (options_number(options, "jobs", &wanted, &why))
        return fail_usage("work", &why);
    w.jobs = jobs(wanted);
    if (!realpath(options->args[0], folder))
        return fail(EXIT_SETUP, options->args[0], -errno, NULL,
                    "is the shared folder mounted here, under the same path?");
    w.folder = folder;
    w.scratch_folder = options_text(options, "scratch", job_cli_spool(options));
    int code = plan_open(folder, &w.plan, &why);
    if (code)
        return fail(code == -EUCLEAN ? EXIT_PERMANENT : EXIT_SETUP, folder, code, &why, NULL);
    code = settings_init(&w.settings);
    if (code == 0)
        code = plan_settings(w.plan, &w.settings, &why);
    if (code == 0)
        sweep(w.scratch_folder);
    w.standby = job_standby_new(); /* without it each part starts its own */
    code = code ? fail(EXIT_SETUP, folder, code, &why, NULL) : work_all(&w);
    job_standby_free(w.standby);
    settings_finish(&w.settings);
    plan_close(w.plan);
    return code;
}

const struct command command_work = {
    .name = "work",
    .summary = "do a part of a plan, on any host that sees evidence and case",
    .usage = "CASE PART... [options]",
    .help = "Examines the contents of the part with this host's workers and puts what is found into "
            "CASE/parts/, whole or not\n"
            "at all: it is written on local scratch, then copied, synced and renamed. The case's database is "
            "not opened. A\n"
            "part that is there already is not done again. PART is a number or FIRST-LAST. What a killed "
            "attempt left in\n"
            "the scratch folder is removed by the next one on that host.",
    .example = "  kvali work /srv/cases/2026-001 7\n"
               "  kvali work /srv/cases/2026-001 1-40 --scratch /local/tmp --jobs 16",
    .exits =
        "  65   permanent: the plan is damaged, or has no such part\n"
        "  75   not done now (stopped, disk full, I/O error): again later\n"
        "  78   this host is not set up as the plan: other versions, rules or evidence, or nothing mounted",
    .options = specs,
    .min_args = 2,
    .run = run,
};
