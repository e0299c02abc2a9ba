/*
 * job_cli: from options to a run, and back to the terminal.
 */
#include "engine/cli/job_cli.h"

#include "cases/hashsets/store.h"
#include "cases/pass.h"
#include "cases/query.h"
#include "engine/base/log.h"
#include "engine/cli/progress.h"
#include "engine/hashset/hashset.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

/* ------------------------------------------------------------------ paths */

/* The first of `candidates` (relative to this program's folder) that exists, into `ret`. */
static bool find_beside(const char *const *candidates, char *ret, size_t size)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return false;
    self[length] = 0;
    *strrchr(self, '/') = 0;
    for (; *candidates; candidates++) {
        char path[PATH_MAX * 2];
        snprintf(path, sizeof path, "%s/%s", self, *candidates);
        char *real = realpath(path, NULL);
        bool fits = real && strlen(real) < size;
        if (fits)
            strcpy(ret, real);
        free(real);
        if (fits)
            return true;
    }
    return false;
}

const char *job_cli_worker(void)
{
    static const char *const candidates[] = {"../job/kvali-worker", "kvali-worker",
                                             "../libexec/kvali/kvali-worker", NULL};
    static char path[PATH_MAX];
    if (!path[0] && !find_beside(candidates, path, sizeof path))
        strcpy(path, "kvali-worker");
    return path;
}

const char *job_cli_rules(void)
{
    static const char *const candidates[] = {"../../../rules", "../share/kvali/rules", NULL};
    static char path[PATH_MAX];
    if (!path[0] && !find_beside(candidates, path, sizeof path))
        snprintf(path, sizeof path, "%s", KVALI_RULES);
    return path;
}

const char *job_cli_spool(const struct options *options)
{
    const char *environment = getenv("TMPDIR");
    return options_text(options, "tmp", environment && *environment ? environment : "/var/tmp");
}

/* ------------------------------------------------------------------ settings */

static int set(struct settings *settings, const char *key, const char *value, struct why *why)
{
    return value ? settings_set(settings, key, value, why) : 0;
}

static int load_profile(struct settings *settings, const char *name, struct why *why)
{
    char path[PATH_MAX * 2];
    if (strchr(name, '/'))
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%s/profiles/%s.ini", job_cli_rules(), name);
    if (access(path, R_OK))
        return why_set(why, -errno, "--profile: %s: %s", path, strerror(errno));
    int code = settings_load(settings, path, why);
    return code ? code : settings_set(settings, "profile", name, why);
}

int job_cli_paths(struct settings *settings, const char *key, const char *first,
                  const struct options *options, const char *option, struct why *why)
{
    struct buf list = {0};
    int code = 0;
    const char *path;
    if (first)
        buf_text(&list, first);
    for (size_t i = 0; code == 0 && (path = options_nth(options, option, i)); i++) {
        if (strcmp(option, "plugin") == 0 && job_cli_is_plugin(path))
            continue;
        char *absolute = realpath(path, NULL);
        if (!absolute)
            code = why_set(why, -errno, "--%s: %s: %s", option, path, strerror(errno));
        else if (strchr(absolute, ':'))
            code = why_set(why, -EINVAL, "--%s: %s: a path with ':' cannot be used here", option, path);
        else
            buf_printf(&list, "%s%s", list.size ? ":" : "", absolute);
        free(absolute);
    }
    if (code == 0 && list.size)
        code = settings_set(settings, key, buf_cstr(&list), why);
    buf_finish(&list);
    return code;
}

/* Adds the set's absolute path, after a look whether it can be used at all: the worker would only say it
 * later. */
static int add_set(struct buf *list, const char *folder, const char *named, struct why *why)
{
    struct hashset *set = NULL;
    struct buf path = {0};
    char *absolute = NULL;
    int code = store_find(folder, named, &path, why);
    if (code == 0)
        code = hashset_open(buf_cstr(&path), &set, why);
    if (code == 0 && (!(absolute = realpath(buf_cstr(&path), NULL)) || strchr(absolute, ':')))
        code = why_set(why, -EINVAL, "--hashset: %s: a path with ':' cannot be used here", named);
    if (code == 0)
        buf_printf(list, "%s%s", list->size ? ":" : "", absolute);
    hashset_close(set);
    free(absolute);
    buf_finish(&path);
    return code;
}

/* Those of the settings and those of the options, names or paths, become absolute paths. */
static int set_hashsets(struct settings *settings, const struct options *options, struct why *why)
{
    const char *own = settings_text(settings, "hashset.folder"), *named;
    char *given = strdup(settings_text(settings, "hashset.sets")), *save = NULL;
    struct buf folder = {0}, list = {0};
    int code = given ? 0 : -ENOMEM;
    store_folder(options_text(options, "hashsets", own), &folder);
    for (char *one = given ? strtok_r(given, ":", &save) : NULL; one && code == 0;
         one = strtok_r(NULL, ":", &save))
        code = add_set(&list, buf_cstr(&folder), one, why);
    for (size_t i = 0; code == 0 && (named = options_nth(options, "hashset", i)); i++)
        code = add_set(&list, buf_cstr(&folder), named, why);
    if (code == 0 && list.size)
        code = settings_set(settings, "hashset.sets", buf_cstr(&list), why);
    if (code == 0 && options_has(options, "skip-known"))
        code = settings_set(settings, "hashset.skip_known", "true", why);
    free(given);
    buf_finish(&folder);
    buf_finish(&list);
    return code;
}

int job_cli_pairs(struct settings *settings, const struct options *options, struct why *why)
{
    const char *pair;
    for (size_t i = 0; (pair = options_nth(options, "set", i)); i++) {
        char key[64];
        const char *equals = strchr(pair, '=');
        if (!equals || (size_t)(equals - pair) >= sizeof key)
            return why_set(why, -EINVAL, "--set %s: expected KEY=VALUE", pair);
        memcpy(key, pair, (size_t)(equals - pair));
        key[equals - pair] = 0;
        int code = settings_set(settings, key, equals + 1, why);
        if (code)
            return code;
    }
    return 0;
}

/* Adds a plugin to those that the profile or --plugins names. */
static int add_plugin(struct settings *settings, const char *name, struct why *why)
{
    struct buf plugins = {0}, word = {0};
    int code = 0;
    buf_printf(&plugins, ",%s,", settings_text(settings, "plugins"));
    buf_printf(&word, ",%s,", name);
    if (!strstr(buf_cstr(&plugins), buf_cstr(&word))) {
        buf_text(&plugins, name);
        code = settings_set(settings, "plugins", buf_cstr(&plugins) + 1, why);
    }
    buf_finish(&plugins);
    buf_finish(&word);
    return code;
}

/* Who gives a list of keywords, or asks for the index, wants it whatever the profile says. */
static int set_searches(struct settings *settings, const struct options *options, struct why *why)
{
    int code = job_cli_paths(settings, "keywords.files", NULL, options, "keywords", why);
    if (code == 0 && options_has(options, "keywords"))
        code = add_plugin(settings, "keywords", why);
    if (code == 0 && options_has(options, "index"))
        code = add_plugin(settings, "text", why);
    if (code == 0 && options_has(options, "features"))
        code = add_plugin(settings, "features", why);
    if (code == 0 && options_has(options, "features"))
        code = add_plugin(settings, "unpack", why);
    return code;
}

/* `fresh`: settings are the defaults, and what no option says comes from the profile; else they are those of
 * an earlier run, and only what options say is changed. */
static int fill(struct settings *settings, const struct options *options, bool fresh, struct why *why)
{
    char yara[PATH_MAX + 8], carve[PATH_MAX + 8], extensions[PATH_MAX + 32], features[PATH_MAX + 16];
    bool shipped = !options_has(options, "no-default-rules");
    bool rules = fresh || !shipped || options_has(options, "rules");
    const char *profile = options_text(options, "profile", fresh ? "full" : NULL);
    snprintf(yara, sizeof yara, "%s/yara", job_cli_rules());
    snprintf(extensions, sizeof extensions, "%s/filetype/extensions.tsv", job_cli_rules());
    snprintf(carve, sizeof carve, "%s/carve", job_cli_rules());
    snprintf(features, sizeof features, "%s/features", job_cli_rules());
    int code = set(settings, "filetype.extensions", extensions, why);
    if (code == 0)
        code = set(settings, "features.tables", features, why);
    if (code == 0)
        code = set(settings, "carve.signatures", carve, why);
    if (code == 0 && profile)
        code = load_profile(settings, profile, why);
    if (code == 0 && rules)
        code = job_cli_paths(settings, "yara.rules", shipped ? yara : NULL, options, "rules", why);
    if (code == 0)
        code = job_cli_paths(settings, "lab.plugins", NULL, options, "plugin", why);
    if (code == 0)
        code = set(settings, "plugins", options_text(options, "plugins", NULL), why);
    if (code == 0)
        code = set_searches(settings, options, why);
    if (code == 0)
        code = set(settings, "jobs", options_text(options, "jobs", NULL), why);
    if (code == 0 && options_has(options, "carve-files"))
        code = settings_set(settings, "carve.files", "true", why);
    if (code == 0 && options_has(options, "weak-sandbox"))
        code = settings_set(settings, "sandbox", "weak", why);
    if (code == 0)
        code = job_cli_pairs(settings, options, why);
    return code ? code : set_hashsets(settings, options, why);
}

int job_cli_settings(const struct options *options, const char *command, struct settings *settings)
{
    struct why why = {{0}};
    int code = settings_init(settings);
    if (code)
        return fail(EXIT_ENVIRONMENT, command, code, NULL, NULL);
    code = fill(settings, options, true, &why);
    if (code == 0)
        return 0;
    settings_finish(settings);
    return code == -ENOMEM ? fail(EXIT_ENVIRONMENT, command, code, &why, NULL) : fail_usage(command, &why);
}

/* What every run says for itself is not taken from an earlier one, and a list that is given takes the place
 * of the list that was. */
static int forget(struct settings *settings, const struct options *options, struct why *why)
{
    int code = settings_set(settings, "lab.plugins", "", why);
    if (code == 0)
        code = settings_set(settings, "jobs", "0", why);
    if (code == 0)
        code = settings_set(settings, "sandbox", "require", why);
    if (code == 0 && options_has(options, "hashset"))
        code = settings_set(settings, "hashset.sets", "", why);
    return code;
}

/* What can change findings, lists of rules, words and hash sets among it. */
static bool is_same(const struct settings *one, const struct settings *other)
{
    static const char *const lists[] = {"yara.rules", "keywords.files", "hashset.sets"};
    char one_hash[SHA256_HEX_SIZE], other_hash[SHA256_HEX_SIZE];
    settings_sha256(one, one_hash);
    settings_sha256(other, other_hash);
    bool same = strcmp(one_hash, other_hash) == 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        same = same && strcmp(settings_text(one, lists[i]), settings_text(other, lists[i])) == 0;
    return same;
}

/* With the settings of `run`, and what is given besides. -EALREADY: all is examined, and with others. */
static int go_on(struct casefile *cf, const struct options *options, uint64_t run, bool complete,
                 struct settings *settings, struct why *why)
{
    struct settings before;
    int code = settings_init(&before);
    if (code)
        return code;
    code = run_settings(cf, run, &before, why);
    const char *lab = code == 0 ? settings_text(&before, "lab.plugins") : "";
    if (code == 0 && !complete && lab[0] && !options_has(options, "plugin"))
        code = why_set(why, -EINVAL,
                       "%s was begun with plugins of the lab's own, which are loaded from no case: give them "
                       "again, --plugin %s",
                       casefile_folder(cf), lab);
    if (code == 0)
        code = run_settings(cf, run, settings, why);
    if (code == 0)
        code = forget(settings, options, why);
    if (code == 0)
        code = fill(settings, options, false, why);
    if (code == 0 && complete && !is_same(&before, settings))
        code = why_set(why, -EALREADY,
                       "%s: all of it is examined, with other settings, rules or sets (profile %s, plugins "
                       "%s), and nothing was "
                       "done: `kvali run CASE --again` does it all once more with these, --plugin NAME lets "
                       "one look besides",
                       casefile_folder(cf), settings_text(&before, "profile"),
                       settings_text(&before, "plugins"));
    settings_finish(&before);
    return code;
}

/* As job_cli_settings; where a run was before, unless everything is to be done again, with its settings. */
static int settings_next(struct casefile *cf, const struct options *options, const char *command,
                         struct settings *settings)
{
    struct why why = {{0}};
    uint64_t run = 0;
    bool complete = false;
    int code = options_has(options, "again") ? 0 : pass_first_last(cf, &run, &complete);
    if (code)
        return job_cli_failed(cf, code, &why);
    if (!run)
        return job_cli_settings(options, command, settings);
    code = settings_init(settings);
    if (code == 0)
        code = go_on(cf, options, run, complete, settings, &why);
    if (code == 0 && !options->quiet)
        cli_print("Settings of run %llu: profile %s, plugins %s\n", (unsigned long long)run,
                  settings_text(settings, "profile"), settings_text(settings, "plugins"));
    if (code == 0)
        return 0;
    settings_finish(settings);
    return code == -ENOMEM || code == -EALREADY ? job_cli_failed(cf, code, &why) : fail_usage(command, &why);
}

int job_cli_replay(struct casefile *cf, uint64_t run, const struct options *options,
                   struct settings *settings, char **ret_lab, struct why *why)
{
    char *lab;
    int code = settings_init(settings);
    if (code == 0)
        code = run_settings(cf, run, settings, why);
    if (code)
        return code;
    lab = strdup(settings_text(settings, "lab.plugins"));
    code = lab ? settings_set(settings, "lab.plugins", "", why) : -ENOMEM;
    if (code == 0 && job_cli_paths(settings, "lab.plugins", NULL, options, "plugin", why))
        code = -ENOPKG;
    if (code == 0)
        code =
            settings_set(settings, "sandbox", options_has(options, "weak-sandbox") ? "weak" : "require", why);
    if (code)
        free(lab);
    else
        *ret_lab = lab;
    return code;
}

/* ------------------------------------------------------------------ running */

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

/* The first Ctrl-C ends the run cleanly, the second at once. */
volatile sig_atomic_t *job_cli_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return &stop;
}

static int told(const struct casefile *cf, const struct job_result *result, bool quiet)
{
    const char *folder = casefile_folder(cf);
    if (result->interrupted) {
        cli_print("Stopped. What is done is kept: `kvali run %s` goes on from here.\n", folder);
        return EXIT_STOPPED;
    }
    if (!quiet) {
        if (result->pass > 1)
            cli_print("Pass %llu: ", (unsigned long long)result->pass);
        cli_print("Done: %llu contents examined, %llu faults recorded.\n",
                  (unsigned long long)result->streams_done, (unsigned long long)result->faults);
        if (result->crashed + result->hung + result->lost + result->tampered)
            cli_print("Workers that died on the way: %llu crashed, %llu hung, %llu killed from outside, %llu "
                      "taken for tampering; "
                      "their work was done again.\n",
                      (unsigned long long)result->crashed, (unsigned long long)result->hung,
                      (unsigned long long)result->lost, (unsigned long long)result->tampered);
        cli_print("Findings digest: %s\n", result->digest);
    }
    if (result->exhibits_opened == 0 && result->exhibits_failed)
        return EXIT_EVIDENCE;
    if (result->exhibits_failed)
        return EXIT_EVIDENCE;
    return result->faults ? EXIT_FAULTS : EXIT_DONE;
}

int job_cli_failed(const struct casefile *cf, int error, const struct why *why)
{
    switch (-error) {
    case ENOSPC:
    case EDQUOT:
        return fail(EXIT_ENVIRONMENT, casefile_folder(cf), error, why,
                    "make room on the disk, then `kvali run` goes on; nothing is lost");
    case ENOTSUP:
        return fail(EXIT_ENVIRONMENT, "sandbox", error, why,
                    "evidence is not parsed without it; --weak-sandbox goes on and records what is missing");
    case EUCLEAN:
        return fail(EXIT_CASE, casefile_folder(cf), error, why, "`kvali verify` says more");
    case ENODATA:
    case EINVAL:
    case ENOENT:
    case EEXIST:
    case E2BIG:
    case EALREADY:
    case EBUSY:
        return fail(EXIT_USAGE, NULL, error, why, NULL);
    case ENOKEY:
        return fail(EXIT_USAGE, NULL, error, why,
                    "the case goes on with the keys that it was begun with: --key; nothing is lost");
    case ESTALE:
        return fail(EXIT_EVIDENCE, NULL, error, why,
                    "a later pass looks at the evidence that was examined; another one is "
                    "another exhibit");
    default:
        return fail(EXIT_ENVIRONMENT, NULL, error, why, "`kvali run` goes on from what is done");
    }
}

/* The settings of the run, and the plugins of a later pass or NULL. */
static int choose(struct casefile *cf, const struct options *options, const char *command,
                  struct settings *settings, char **ret_plugins)
{
    struct why why = {{0}};
    int code = job_cli_pass(cf, options, strcmp(command, "process") == 0, settings, ret_plugins, &why);
    if (code == 0 && *ret_plugins)
        return 0;
    settings_finish(settings);
    if (code)
        return job_cli_failed(cf, code, &why);
    return settings_next(cf, options, command, settings);
}

static int run_with(struct casefile *cf, const struct options *options, const struct settings *settings,
                    const char *pass)
{
    struct progress progress;
    struct why why = {{0}};
    struct job_result result = {0};
    int code = progress_init(&progress, options_text(options, "events", NULL), options->quiet, &why);
    if (code)
        return fail(EXIT_ENVIRONMENT, "--events", code, &why, NULL);
    struct job_options job = {
        .worker_program = job_cli_worker(),
        .settings = settings,
        .jobs = (uint32_t)settings_number(settings, "jobs"),
        .spool_folder = job_cli_spool(options),
        .again = options_has(options, "again"),
        .pass = pass,
        .stop = job_cli_signals(),
        .progress = progress_show,
        .event = progress_event,
        .found = progress_found,
        .context = &progress,
    };
    code = key_options_take(options, &job, &why);
    if (code == 0)
        code = job_run(cf, &job, &result, &why);
    key_options_finish(&job);
    progress_finish(&progress);
    return code ? job_cli_failed(cf, code, &why) : told(cf, &result, options->quiet);
}

int job_cli_run(struct casefile *cf, const struct options *options, const char *command)
{
    struct settings settings;
    char *pass = NULL;
    int code = choose(cf, options, command, &settings, &pass);
    if (code)
        return code;
    code = run_with(cf, options, &settings, pass);
    settings_finish(&settings);
    free(pass);
    return code;
}
