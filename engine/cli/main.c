/*
 * main: the command `kvali`: finds the command in the table, parses its options, runs it.
 *
 * It parses no evidence and links no library that does: that is kvali-worker's work.
 */
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/cli/cli.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the order in which a case is worked on. One line adds a command. */
const struct command *const command_table[] = {
    /* clang-format off */
    &command_process,
    &command_new,
    &command_add,
    &command_run,
    &command_batch,
    &command_plan,
    &command_work,
    &command_merge,
    &command_submit,
    &command_resubmit,
    &command_cancel,
    &command_cross,
    &command_status,
    &command_find,
    &command_search,
    &command_show,
    &command_export,
    &command_report,
    &command_verify,
    &command_digest,
    &command_compare,
    &command_case,
    &command_person,
    &command_exhibit,
    &command_custody,
    &command_seal,
    &command_keys,
    &command_hashset,
    &command_rules,
    &command_keywords,
    &command_plugins,
    &command_help,
    NULL,
    /* clang-format on */
};

const struct command *command_named(const char *name)
{
    for (const struct command *const *command = command_table; *command; command++)
        if (!strcmp((*command)->name, name))
            return *command;
    return NULL;
}

void command_print_overview(void)
{
    puts("kvali: reads seized media into findings that a court can rely on\n"
         "\n"
         "Usage: kvali COMMAND [options] [arguments]\n"
         "       kvali COMMAND --help\n"
         "       kvali --version\n"
         "\n"
         "Commands:");
    for (const struct command *const *command = command_table; *command; command++)
        printf("  %-10s %s\n", (*command)->name, (*command)->summary);
    puts("\n"
         "A case is a folder: case.db (SQLite), ledger.jsonl (everything done, hash-chained), exports/, "
         "reports/, seals/.\n"
         "Evidence is only ever read.\n"
         "\n"
         "Exit codes:\n"
         "  0  done\n"
         "  1  done, and faults were recorded: `kvali status CASE` and the report say which\n"
         "  2  wrong usage\n"
         "  3  evidence cannot be opened\n"
         "  4  the case is missing, damaged, or locked by another run\n"
         "  5  the environment: disk full, no memory, no permission\n"
         "\n"
         "Example:\n"
         "  kvali process disk.E01 --case /srv/cases/2026-001     # everything, in one go\n"
         "  kvali find /srv/cases/2026-001 --deleted --mime 'image/*'");
}

static const struct option_spec *options_of(const struct command *command, int argc, char **argv)
{
    return command->options_of ? command->options_of(argc, argv) : command->options;
}

void command_print_help(const struct command *command, const struct option_spec *specs)
{
    char *words[] = {NULL};
    printf("kvali %s: %s\n\nUsage: kvali %s %s\n\n%s\n\nOptions:\n", command->name, command->summary,
           command->name, command->usage, command->help);
    options_print(specs ? specs : options_of(command, 0, words));
    printf("\nExample:\n%s\n", command->example);
    if (command->exits)
        printf("\nExit codes:\n%s\n", command->exits);
}

static int check_arguments(const struct command *command, const struct options *options, struct why *why)
{
    if (options->arg_count < command->min_args)
        return why_set(why, -EINVAL, "too few arguments: expected %s", command->usage);
    if (command->max_args && options->arg_count > command->max_args)
        return why_set(why, -EINVAL, "too many arguments: expected %s", command->usage);
    return 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct why why = {0};
    struct options options;
    const struct option_spec *specs = options_of(command, argc, argv); /* before getopt moves the words about */
    int error = options_parse(&options, specs, argc, argv, &why);
    if (error == -ENOMEM)
        return fail(EXIT_ENVIRONMENT, command->name, error, &why, NULL);
    if (error < 0)
        return fail_usage(command->name, &why);

    int code;
    log_set_level(options.quiet ? LOG_ERROR : options.verbose ? LOG_DEBUG : LOG_INFO);
    if (options.help) {
        command_print_help(command, specs);
        code = EXIT_DONE;
    } else if (check_arguments(command, &options, &why) < 0) {
        code = fail_usage(command->name, &why);
    } else {
        code = command->run(&options);
    }
    options_finish(&options);
    return code;
}

/* What was printed must have arrived: a list cut by a full disk is not "done". */
static int close_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return errno == EPIPE ? code : fail(EXIT_ENVIRONMENT, "standard output", errno, NULL, NULL);
}

/* A case is whole whenever its program ends. */
static void end_without_memory(void)
{
    static const char words[] = "kvali: out of memory; what is done is kept: give the same command again\n";
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(EXIT_ENVIRONMENT);
}

int main(int argc, char **argv)
{
    hash_need_memory(end_without_memory);
    ledger_need_memory(end_without_memory);
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        command_print_overview();
        return close_output(EXIT_USAGE);
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        command_print_overview();
        return close_output(EXIT_DONE);
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
        return close_output(version_print());

    const struct command *command = command_named(argv[1]);
    if (!command)
        return fail_words(EXIT_USAGE, argv[1], "there is no such command", "`kvali --help` lists them");
    if (hash_setup() < 0)
        return fail_words(EXIT_ENVIRONMENT, "libcrypto", "MD5, SHA-1 or SHA-256 is not available",
                          "check the OpenSSL configuration of this machine (FIPS mode refuses MD5)");
    return close_output(run_command(command, argc - 1, argv + 1));
}
