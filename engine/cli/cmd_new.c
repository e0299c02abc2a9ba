/* kvali new: makes an empty case. */
#include "engine/cli/cli.h"

#include <errno.h>
#include <stdio.h>

static const struct option_spec specs[] = {
    {"number", 'n', "NUMBER", "The case number as the lab writes it (default: the folder's name)"},
    {"examiner", 'e', "NAME", "Who examines (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

static const char *advice_for(int error)
{
    switch (-error) {
    case EEXIST:
        return "choose another folder, or go on with this case: `kvali add`, `kvali run`";
    case ENOENT:
        return "make the folder above it first";
    case EACCES:
    case EPERM:
    case EROFS:
        return "choose a folder that you may write to";
    case ENOSPC:
    case EDQUOT:
        return "make room on that disk";
    default:
        return NULL;
    }
}

static int run(const struct options *options)
{
    const char *folder = options->args[0];
    struct why why = {0};
    int error = casefile_create(folder, options_text(options, "number", NULL),
                                options_text(options, "examiner", NULL), &why);
    if (error < 0)
        return fail(error == -ENOENT ? EXIT_ENVIRONMENT : exit_code_of_case(error), folder, error, &why,
                    advice_for(error));
    if (!options->quiet) {
        struct casefile *cf = NULL;
        int code = EXIT_DONE;
        if (cli_open_case(folder, CASEFILE_READ, &cf, &code) < 0)
            return code;
        cli_print("Case %s is made. Next: kvali add %s EVIDENCE\n", casefile_number(cf), folder);
        casefile_close(cf);
    }
    return EXIT_DONE;
}

const struct command command_new = {
    .name = "new",
    .summary = "make an empty case",
    .usage = "CASE [options]",
    .help = "Makes the folder CASE (the folder above it must exist) with an empty database and the first "
            "record of\n"
            "the ledger. A folder that already holds a case is left as it is.",
    .example = "  kvali new /srv/cases/2026-001 --number 011120526 --examiner 'N. Beridze'",
    .exits = "  4  there is a case in that folder already",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
