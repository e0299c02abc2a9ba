/* kvali run: does what is pending in a case. */
#include "engine/cli/job_cli.h"

static const struct option_spec specs[] = {
    JOB_CLI_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    code = job_cli_run(cf, options, "run");
    casefile_close(cf);
    return code;
}

const struct command command_run = {
    .name = "run",
    .summary = "do what is pending in a case: also after a stop, a crash or a power cut",
    .usage = "CASE [options]",
    .help = "Lists and examines everything in the case's exhibits that is not done yet. The case itself is "
            "the queue:\n"
            "after Ctrl-C, kill -9 or a power cut, `run` goes on with what is pending; nothing is lost and "
            "nothing is\n"
            "there twice. Evidence is read by sandboxed workers only.",
    .example = "  kvali run /srv/cases/2026-001\n"
               "  kvali run /srv/cases/2026-001 --jobs 8 --rules /srv/rules/lab",
    .exits = "  1    done, and faults were recorded\n"
             "  3    evidence of at least one exhibit could not be opened\n"
             "  130  stopped by Ctrl-C or a signal; `run` again goes on",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
