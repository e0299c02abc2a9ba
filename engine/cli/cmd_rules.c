/* kvali rules: what is wrong with YARA rules, and what they cost, before a case depends on them. */
#include "cases/query.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"tsv", 0, NULL, "check: kind, name, SHA-256, rules in use and what is wrong, with tabs between"},
    {"evidence", 'i', "IMAGE", "profile: what the rules are tried on: an image, a folder or a file"},
    {"top", 'n', "N", "profile: so many rules (default: 20)"},
    {NULL, 0, NULL, NULL},
};

/* ------------------------------------------------------------------ check */

struct row {
    char *kind, *name, *sha256, *count, *problem;
};

/* Cuts the next line of `*text` into its five fields. */
static bool next_row(char **text, struct row *ret)
{
    char **fields[] = {&ret->kind, &ret->name, &ret->sha256, &ret->count, &ret->problem};
    char *line = strsep(text, "\n");
    if (!line || !*line)
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *field = strsep(&line, "\t");
        *fields[i] = field ? field : (char *)"";
    }
    return true;
}

/* The problems first, then the sets: on a terminal the last lines are what one sees. */
static void tell_rows(char *text, unsigned *ret_out)
{
    unsigned files = 0, bad = 0, remarks = 0;
    struct buf sets = {0};
    struct row row;
    while (next_row(&text, &row)) {
        bool is_set = strcmp(row.kind, "set") == 0, is_remark = strcmp(row.kind, "remark") == 0;
        files += strcmp(row.kind, "rules") == 0;
        remarks += is_remark;
        *ret_out += !is_remark && *row.problem;
        bad += strcmp(row.kind, "rules") == 0 && *row.problem;
        if (*row.problem)
            cli_print("%s: %s\n", is_remark ? "remark" : "left out", row.problem);
        if (is_set)
            buf_printf(&sets, "%s: %s rules in use, SHA-256 %s\n", row.name, row.count, row.sha256);
    }
    cli_print(
        "%s%u files, %u of them not usable; %u rules, imports, includes or files left out; %u remarks\n",
        buf_cstr(&sets), files, bad, *ret_out, remarks);
    buf_finish(&sets);
}

static int list_paths(const struct options *options, struct buf *list)
{
    for (size_t i = 1; i < options->arg_count; i++) {
        char *absolute = realpath(options->args[i], NULL);
        if (!absolute)
            return fail(EXIT_USAGE, options->args[i], -errno, NULL, "check the path of the rules");
        if (strchr(absolute, ':')) {
            free(absolute);
            return fail(EXIT_USAGE, options->args[i], -EINVAL, NULL, "a path with ':' cannot be used here");
        }
        buf_printf(list, "%s%s", i > 1 ? ":" : "", absolute);
        free(absolute);
    }
    return EXIT_DONE;
}

static int check(const struct options *options)
{
    struct why why = {{0}};
    struct buf list = {0};
    char *text = NULL;
    unsigned out = 0;
    int code = list_paths(options, &list);
    if (code == EXIT_DONE && options->arg_count == 1)
        buf_printf(&list, "%s/yara", job_cli_rules());
    int error = code ? 0 : job_ask(job_cli_worker(), "--rules", buf_cstr(&list), &text, &why);
    buf_finish(&list);
    if (code)
        return code;
    if (error)
        return fail(EXIT_USAGE, NULL, error, &why, NULL);
    if (options_has(options, "tsv"))
        cli_print("%s", text);
    else
        tell_rows(text, &out);
    free(text);
    return out ? EXIT_FAULTS : EXIT_DONE;
}

/* ------------------------------------------------------------------ profile */

/* Waits for `kvali process` with the rules over the evidence into a case that is thrown away. */
static int measure(const struct options *options, const char *evidence, const char *folder)
{
    const char *arguments[64] = {
        "kvali", "process",           evidence, "--case", folder,    "--plugins",         "yara",
        "--set", "yara.profile=true", "--jobs", "1",      "--quiet", "--no-default-rules"};
    size_t count = 13;
    int status = 0;
    for (size_t i = 1; i < options->arg_count && count + 3 < sizeof arguments / sizeof arguments[0]; i++) {
        arguments[count++] = "--rules";
        arguments[count++] = options->args[i];
    }
    pid_t pid = fork();
    if (pid == 0) {
        execv("/proc/self/exe", (char *const *)arguments);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return EXIT_ENVIRONMENT;
    return WEXITSTATUS(status) == EXIT_FAULTS ? EXIT_DONE : WEXITSTATUS(status);
}

static int put_cost(void *context, const char *rule, const char *space, uint64_t microseconds,
                    uint64_t contents)
{
    (void)context;
    cli_print("%10.1f ms  %8llu contents  %s:%s\n", (double)microseconds / 1000, (unsigned long long)contents,
              space, rule);
    return 0;
}

static int tell_costs(const struct options *options, const char *folder)
{
    struct casefile *cf = NULL;
    struct why why = {{0}};
    int code = EXIT_DONE;
    if (cli_open_case(folder, CASEFILE_READ, &cf, &code) < 0)
        return code;
    int error = rule_costs(cf, strtoull(options_text(options, "top", "20"), NULL, 10), put_cost, NULL, &why);
    casefile_close(cf);
    return error ? fail(EXIT_CASE, folder, error, &why, NULL) : EXIT_DONE;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static int profile(const struct options *options)
{
    const char *evidence = options_text(options, "evidence", NULL);
    char work[PATH_MAX], folder[PATH_MAX + 8];
    struct why why = {{0}};
    if (!evidence || options->arg_count < 2) {
        why_set(&why, -EINVAL, "profile needs the rules and, with --evidence, something to try them on");
        return fail_usage("rules", &why);
    }
    snprintf(work, sizeof work, "%s/kvali-rules-XXXXXX", job_cli_spool(options));
    if (!mkdtemp(work))
        return fail(EXIT_ENVIRONMENT, work, -errno, NULL, NULL);
    snprintf(folder, sizeof folder, "%s/case", work);
    int code = measure(options, evidence, folder);
    if (code == EXIT_DONE)
        code = tell_costs(options, folder);
    if (nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS))
        fail(EXIT_ENVIRONMENT, work, -EIO, NULL, "remove it by hand");
    return code;
}

static int run(const struct options *options)
{
    struct why why = {{0}};
    if (strcmp(options->args[0], "check") == 0)
        return check(options);
    if (strcmp(options->args[0], "profile") == 0)
        return profile(options);
    why_set(&why, -EINVAL, "%s: check or profile", options->args[0]);
    return fail_usage("rules", &why);
}

const struct command command_rules = {
    .name = "rules",
    .summary = "check YARA rules, and find out which are slow",
    .usage = "check [PATH...] | profile PATH... --evidence IMAGE",
    .help = "check compiles the rules of each PATH (files, folders of .yar, .yara and .rule; without one the "
            "shipped\n"
            "rules) as a run would, and names what is left out, with file, line and reason: what does not "
            "compile,\n"
            "what uses something that was left out, include, modules that are not accepted, compiled rules. "
            "Remarks\n"
            "are on rules in use: slow ones, and those that say the same as another. Of each set it gives "
            "the SHA-256\n"
            "that the ledger of a run will have.\n"
            "profile scans the evidence with the rules and lists those that take most of the time.",
    .example = "  kvali rules check /srv/rules/lab\n"
               "  kvali rules profile /srv/rules/lab --evidence sample.E01 --top 10",
    .exits = "  1  check: something is left out",
    .options = specs,
    .min_args = 1,
    .run = run,
};
