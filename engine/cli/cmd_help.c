/* kvali help: the overview, or the help of one command. */
#include "engine/cli/cli.h"

#include <errno.h>

static int run(const struct options *options)
{
    if (options->arg_count == 0) {
        command_print_overview();
        return EXIT_DONE;
    }
    const struct command *command = command_named(options->args[0]);
    if (!command)
        return fail_words(EXIT_USAGE, options->args[0], "there is no such command",
                          "`kvali --help` lists them");
    command_print_help(command, NULL);
    return EXIT_DONE;
}

const struct command command_help = {
    .name = "help",
    .summary = "explain kvali or one of its commands",
    .usage = "[COMMAND]",
    .help = "Without an argument, lists the commands.",
    .example = "  kvali help find",
    .max_args = 1,
    .run = run,
};
