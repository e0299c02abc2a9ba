/*
 * job_cli_pass: a later pass: with what it looks. It takes over the settings of the first pass, for what was
 * found inside contents is to be found there again, and changes what its own plugins are told.
 */
#include "cases/pass.h"
#include "cases/query.h"
#include "engine/cli/job_cli.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool job_cli_is_plugin(const char *value)
{
    return islower((unsigned char)value[0]) &&
           value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789")] == 0;
}

static bool list_has(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += size)
        if ((at == list || at[-1] == ',' || at[-1] == ' ') &&
            (at[size] == 0 || at[size] == ',' || at[size] == ' '))
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names given with --plugin, sorted, each once, ',' between; "" when none is given. */
static int named(const struct options *options, char **ret_names, struct why *why)
{
    enum { NAMES_MAX = 32 };
    const char *names[NAMES_MAX], *value;
    size_t count = 0;
    struct buf list = {0};
    for (size_t i = 0; (value = options_nth(options, "plugin", i)); i++) {
        if (!job_cli_is_plugin(value))
            continue;
        if (count == NAMES_MAX)
            return why_set(why, -E2BIG, "--plugin: more than %d plugins", NAMES_MAX);
        names[count++] = value;
    }
    qsort(names, count, sizeof *names, compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            buf_printf(&list, "%s%s", i ? "," : "", names[i]);
    *ret_names = strdup(list.size ? buf_cstr(&list) : "");
    int code = buf_failed(&list) || !*ret_names ? -ENOMEM : 0;
    buf_finish(&list);
    return code;
}

static int refuse(const struct options *options, const char *const *given, const char *with, struct why *why)
{
    for (; *given; given++)
        if (options_has(options, *given))
            return why_set(why, -EINVAL, "--%s: it does not go together with %s", *given, with);
    return 0;
}

/* Those of `wanted` that are in `known`, added to `list`. */
static void add_known(struct buf *list, const char *wanted, const char *known)
{
    char *copy = strdup(wanted), *save = NULL;
    for (char *name = copy ? strtok_r(copy, ", ", &save) : NULL; name; name = strtok_r(NULL, ", ", &save))
        if (list_has(known, name) && !list_has(list->size ? buf_cstr(list) : "", name))
            buf_printf(list, "%s%s", list->size ? "," : "", name);
    if (!copy)
        list->failed = true;
    free(copy);
}

/* The built-in plugins, ',' between; what is not among them is a lab's. */
static int built_in(struct buf *ret_names, struct why *why)
{
    char *text = NULL, *save = NULL;
    int code = job_ask(job_cli_worker(), "--plugins", NULL, &text, why);
    for (char *line = code ? NULL : strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *end = strstr(line, " (version ");
        if (line[0] != ' ' && end)
            buf_printf(ret_names, "%s%.*s", ret_names->size ? "," : "", (int)(end - line), line);
    }
    free(text);
    return code ? code : buf_failed(ret_names) ? -ENOMEM : 0;
}

/* Those that look, and those that find again what they found. */
static int set_plugins(struct casefile *cf, const char *names, struct settings *settings, struct why *why)
{
    char *makers = NULL;
    struct buf known = {0}, list = {0};
    int code = built_in(&known, why);
    if (code == 0)
        code = pass_makers(cf, &makers);
    if (code == 0) {
        add_known(&list, names, buf_cstr(&known));
        add_known(&list, makers, buf_cstr(&known));
        code = buf_failed(&list) ? -ENOMEM
                                 : settings_set(settings, "plugins", list.size ? buf_cstr(&list) : "", why);
    }
    buf_finish(&known);
    buf_finish(&list);
    free(makers);
    return code;
}

/* What every run says for itself. */
static int set_own(const struct options *options, struct settings *settings, struct why *why)
{
    const char *jobs = options_text(options, "jobs", NULL);
    int code = settings_set(settings, "lab.plugins", "", why);
    if (code == 0)
        code = job_cli_paths(settings, "lab.plugins", NULL, options, "plugin", why);
    if (code == 0)
        code = settings_set(settings, "jobs", jobs ? jobs : "0", why);
    return code ? code
                : settings_set(settings, "sandbox", options_has(options, "weak-sandbox") ? "weak" : "require",
                               why);
}

static int set_rules(const struct options *options, struct settings *settings, struct why *why)
{
    char shipped[PATH_MAX + 8];
    bool own = options_has(options, "rules") || options_has(options, "no-default-rules");
    snprintf(shipped, sizeof shipped, "%s/yara", job_cli_rules());
    int code = settings_set(settings, "yara.rules", own ? "" : shipped, why);
    if (code == 0)
        code = job_cli_paths(settings, "yara.rules", NULL, options, "rules", why);
    if (code == 0 && options_has(options, "keywords"))
        code = settings_set(settings, "keywords.files", "", why);
    return code ? code : job_cli_paths(settings, "keywords.files", NULL, options, "keywords", why);
}

static int begin_new(struct casefile *cf, const struct options *options, const char *names,
                     struct settings *settings, struct why *why)
{
    static const char *const others[] = {"profile", "plugins", "carve-files", "again", NULL};
    uint64_t run = 0;
    int code = refuse(options, others, "--plugin NAME, which takes over the settings of the first pass", why);
    if (code == 0)
        code = pass_first_run(cf, &run);
    if (code == 0 && run == 0)
        code =
            why_set(why, -EINVAL,
                    "nothing in this case is examined yet: `kvali run %s` without --plugin NAME comes first",
                    casefile_folder(cf));
    if (code == 0)
        code = run_settings(cf, run, settings, why);
    if (code == 0)
        code = set_plugins(cf, names, settings, why);
    if (code == 0)
        code = set_own(options, settings, why);
    if (code == 0)
        code = set_rules(options, settings, why);
    return code ? code : job_cli_pairs(settings, options, why);
}

/* With the settings that it was begun with. */
static int go_on(struct casefile *cf, const struct options *options, const struct pass_row *row, bool process,
                 struct settings *settings, struct why *why)
{
    static const char *const others[] = {"profile", "plugins",          "carve-files", "again",
                                         "rules",   "no-default-rules", "set",         "keywords", NULL};
    char with[160];
    if (process)
        return why_set(
            why, -EINVAL,
            "pass %llu (%s) of this case is not complete: `kvali run %s` goes on with it, and comes first",
            (unsigned long long)row->id, row->plugins, casefile_folder(cf));
    snprintf(with, sizeof with,
             "pass %llu (%.64s), which is not complete and goes on with the settings that it was begun with",
             (unsigned long long)row->id, row->plugins);
    int code = refuse(options, others, with, why);
    if (code == 0)
        code = run_settings(cf, row->run, settings, why);
    return code ? code : set_own(options, settings, why);
}

int job_cli_pass(struct casefile *cf, const struct options *options, bool process, struct settings *settings,
                 char **ret_plugins, struct why *why)
{
    struct pass_row row;
    char *names = NULL;
    *ret_plugins = NULL;
    int code = settings_init(settings);
    if (code == 0)
        code = named(options, &names, why);
    int open = code ? code : pass_open(cf, &row);
    if (open < 0)
        code = open;
    else if (names[0] && process)
        code = why_set(why, -EINVAL,
                       "--plugin %s: a later pass is for a case that is examined: use `kvali run`", names);
    else if (names[0])
        code = begin_new(cf, options, names, settings, why);
    else if (open == 1)
        code = go_on(cf, options, &row, process, settings, why);
    if (code == 0 && (names[0] || open == 1)) {
        *ret_plugins = strdup(names[0] ? names : row.plugins);
        code = *ret_plugins ? 0 : -ENOMEM;
    }
    free(names);
    return code;
}
