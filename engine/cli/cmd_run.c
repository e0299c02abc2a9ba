/* kvali run: does what is pending in a case. */
#include "cases/pass.h"
#include "engine/cli/job_cli.h"

#include <errno.h>

static const struct option_spec specs[] = {
    JOB_CLI_OPTIONS,
    {"end-pass", 0, NULL, "End a later pass that is not complete as it is: what it did not look at becomes a fault"},
    {NULL, 0, NULL, NULL},
};

static int end_pass(struct casefile *cf)
{
    struct why why = {{0}};
    int code = pass_give_up(cf, &why);
    return code ? fail(code == -ENOENT ? EXIT_USAGE : exit_code_of_case(code), NULL, code, &why, NULL) : EXIT_DONE;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    code = options_has(options, "end-pass") ? end_pass(cf) : job_cli_run(cf, options, "run");
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
            "there twice. Evidence is read by sandboxed workers only.\n"
            "It goes on with the settings of the run before; what options say besides holds from then on. A case that is\n"
            "examined whole is not examined with others unless --again or --plugin asks for it.\n"
            "\n"
            "With --plugin NAME a later pass begins: only this plugin looks, once more, at all that is examined already:\n"
            "files, slack, free space, what was recovered and unpacked. It looks with the rules that --rules names and no\n"
            "others (without: the shipped ones). What was found before stays; the views say in `pass` and `run` which\n"
            "pass found what. An interrupted pass goes on with `kvali run CASE`.",
    .example = "  kvali run /srv/cases/2026-001\n"
               "  kvali run /srv/cases/2026-001 --jobs 8 --rules /srv/rules/lab\n"
               "  kvali run /srv/cases/2026-001 --plugin yara --rules /srv/rules/new",
    .exits = "  1    done, and faults were recorded\n"
             "  2    all of it is examined already, with other settings than those that are given\n"
             "  3    evidence of at least one exhibit could not be opened\n"
             "  130  stopped by Ctrl-C or a signal; `run` again goes on",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
