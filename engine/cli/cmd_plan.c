/* kvali plan: lists what is in a case's exhibits and cuts it into parts for several hosts. */
#include "cases/plan.h"
#include "cases/queue.h"
#include "engine/cli/job_cli.h"
#include "engine/cli/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"parts", 'n', "N", "So many parts (instead of --part-size); each whole image is one of them"},
    {"part-size", 0, "SIZE",
     "Bytes of a part, each content counting 400 KiB more (default: 8G, or 20,000 small files)"},
    JOB_CLI_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static int wish(const struct options *options, struct plan_wanted *ret)
{
    struct why why = {{0}};
    ret->part_size = UINT64_C(8) << 30;
    int code = options_number(options, "parts", &ret->parts, &why);
    if (code == 0)
        code = options_size(options, "part-size", &ret->part_size, &why);
    if (code == 0 && ret->part_size < (1 << 20))
        code = why_set(&why, -EINVAL, "--part-size: a part of less than 1M costs more than it brings");
    if (code == 0 && options_has(options, "parts") && (ret->parts == 0 || options_has(options, "part-size")))
        code = why_set(&why, -EINVAL, "--parts: expected a number from 1 on, and no --part-size beside it");
    return code ? fail_usage("plan", &why) : EXIT_DONE;
}

/* Lists what is not listed yet: walks file systems, and examines nothing. */
static int list(struct casefile *cf, const struct options *options, const struct settings *settings,
                char **ret_configuration)
{
    struct progress progress;
    struct job_result result = {0};
    struct why why = {{0}};
    int code = progress_init(&progress, options_text(options, "events", NULL), options->quiet, &why);
    if (code)
        return fail(EXIT_ENVIRONMENT, "--events", code, &why, NULL);
    struct job_options job = {
        .worker_program = job_cli_worker(),
        .settings = settings,
        .jobs = (uint32_t)settings_number(settings, "jobs"),
        .spool_folder = job_cli_spool(options),
        .list_only = true,
        .stop = job_cli_signals(),
        .progress = progress_show,
        .event = progress_event,
        .context = &progress,
    };
    code = job_run(cf, &job, &result, &why);
    progress_finish(&progress);
    if (code)
        return job_cli_failed(cf, code, &why);
    *ret_configuration = result.configuration;
    if (result.interrupted)
        return EXIT_STOPPED;
    return result.exhibits_failed ? fail_words(EXIT_EVIDENCE, casefile_folder(cf), result.failure,
                                               "an exhibit that does not open here is in no part")
                                  : EXIT_DONE;
}

static int make(struct casefile *cf, const struct options *options, struct plan_wanted *wanted)
{
    struct plan_facts facts;
    struct why why = {{0}};
    char size[32];
    int code = plan_make(cf, wanted, options_has(options, "again"), &facts, &why);
    if (code)
        return fail(code == -ENODATA || code == -EBUSY ? EXIT_USAGE : exit_code_of_case(code),
                    casefile_folder(cf), code, &why, NULL);
    const char *folder = casefile_folder(cf);
    cli_print("%llu parts of %llu contents, %s: plan %.12s.\n", (unsigned long long)facts.parts,
              (unsigned long long)facts.streams, progress_bytes((double)facts.bytes, size, sizeof size),
              facts.id);
    if (facts.parts < wanted->parts)
        cli_print("They are fewer than the %llu asked for: there are no more contents.\n",
                  (unsigned long long)wanted->parts);
    else if (wanted->parts && facts.parts > wanted->parts)
        cli_print("They are more than the %llu asked for: each whole image is a part by itself.\n",
                  (unsigned long long)wanted->parts);
    if (!options->quiet)
        cli_print(
            "Next: kvali submit %s --slurm, or on any host: kvali work %s 1-%llu; then kvali merge %s\n",
            folder, folder, (unsigned long long)facts.parts, folder);
    plan_facts_finish(&facts);
    return EXIT_DONE;
}

static int run(const struct options *options)
{
    struct settings settings;
    struct casefile *cf = NULL;
    struct plan_wanted wanted = {.settings = &settings};
    char *configuration = NULL;
    int code = wish(options, &wanted);
    if (code)
        return code;
    if (options_has(options, "key"))
        return fail_words(EXIT_USAGE, "--key", "keys do not go into a plan, which lies open for all hosts",
                          "`kvali run --key` examines such a case on one host");
    code = job_cli_settings(options, "plan", &settings);
    if (code)
        return code;
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) == 0) {
        code = list(cf, options, &settings, &configuration);
        wanted.configuration = configuration;
        if (configuration && (code == EXIT_DONE || code == EXIT_EVIDENCE)) {
            int made = make(cf, options, &wanted);
            code = made ? made : code;
        }
        casefile_close(cf);
    }
    free(configuration);
    settings_finish(&settings);
    return code;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "cut what is pending in a case into parts, for several hosts",
    .usage = "CASE [--parts N | --part-size SIZE] [options]",
    .help =
        "Lists all volumes and folders of the case's exhibits, examines nothing, and cuts what is pending "
        "into parts:\n"
        "CASE/plan.db. The same evidence and settings give the same parts, in the order of the medium; a "
        "large content\n"
        "is a part by itself, and so is each whole image, whose hash nothing can share. Part 1 costs most.\n"
        "\n"
        "`kvali work CASE PART` does one part on any host that sees the evidence and the case under the same "
        "paths,\n"
        "`kvali merge CASE` takes in what came back. Settings, rules and versions are those of the plan: a "
        "host that has\n"
        "others refuses. Without a cluster, with GNU parallel over ssh:\n"
        "  parallel -S host1,host2 --retries 3 kvali work /srv/cases/2026-001 ::: $(seq N)",
    .example =
        "  kvali plan /srv/cases/2026-001                          # parts of 8 GiB: 3 to 10 minutes each\n"
        "  kvali plan /srv/cases/2026-001 --parts 40 --rules /srv/rules/lab",
    .exits = "  2    nothing is pending, or parts of an earlier plan are not merged yet\n"
             "  3    an exhibit could not be opened: the others are planned\n"
             "  130  stopped by Ctrl-C or a signal",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
