/*
 * cli: the command `kvali`: one table of commands, one cmd_<verb>.c each.
 *
 * To add a command: write cmd_<verb>.c with a `const struct command command_<verb>`, declare it here, and add
 * one line to the table in main.c and one to meson.build. main.c parses the options, prints --help and checks
 * the number of arguments before run is called. This layer alone prints; library code below it returns codes
 * and fills a struct why.
 */
#ifndef KVALI_CLI_CLI_H
#define KVALI_CLI_CLI_H

#include "cases/casefile.h"
#include "engine/base/why.h"
#include "engine/cli/options.h"

/* What every command ends with. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAULTS = 1, /* done, and faults were recorded */
    EXIT_USAGE = 2,
    EXIT_EVIDENCE = 3,    /* evidence cannot be opened */
    EXIT_CASE = 4,        /* the case is damaged or locked, or there is none */
    EXIT_ENVIRONMENT = 5, /* disk full, no memory, no permission */
    /* For schedulers (sysexits.h), of work and merge alone. */
    EXIT_PERMANENT = 65, /* the same again would come to the same */
    EXIT_RETRY = 75,     /* not complete now: again, later or elsewhere */
    EXIT_SETUP = 78,     /* this host is not set up for it */
    EXIT_STOPPED = 130,  /* by Ctrl-C or a signal */
};

struct command {
    const char *name;    /* "find" */
    const char *summary; /* one line for the list of commands */
    const char *usage;   /* "CASE [options]": what follows the name */
    const char *help;    /* what it does, in a few lines */
    const char *example; /* lines, each a command, with what it does after '#' */
    const char *exits;   /* what is special about its exit codes; NULL: nothing */
    const struct option_spec *options;
    const struct option_spec *(*options_of)(int argc, char **argv); /* instead, where they depend on the words; or NULL */
    size_t min_args, max_args;                 /* max_args 0: any number from min_args on */
    int (*run)(const struct options *options); /* returns an enum exit_code */
};

/* The table, sorted as --help shows it, NULL-terminated. */
extern const struct command *const command_table[];
const struct command *command_named(const char *name); /* NULL: there is none */
/* `specs` NULL: those of the bare command. */
void command_print_help(const struct command *command, const struct option_spec *specs);
void command_print_overview(void);

extern const struct command command_case, command_compare, command_custody, command_exhibit, command_keys, command_person,
    command_keywords, command_search, command_seal;
extern const struct command command_batch, command_cancel, command_cross, command_merge, command_plan, command_resubmit,
    command_submit, command_work;
extern const struct command command_add, command_digest, command_export, command_find, command_hashset, command_help,
    command_new, command_plugins, command_process, command_report, command_run, command_show, command_status,
    command_rules, command_verify;

/* Exit code for a negative errno: for opening evidence (-ENOENT is 3) and everything else. */
int exit_code_of(int error);
/* The same where the file that it is about is the case: -ENOENT is 4. */
int exit_code_of_case(int error);

/* Prints `kvali: <subject>: <cause>; <what to do>` and returns exit_code. `subject` and `advice` may be NULL;
 * `cause` is why->text when it has one, else strerror. Subjects are escaped here. */
int fail(int exit_code, const char *subject, int error, const struct why *why, const char *advice);
/* The same with the cause in words. */
int fail_words(int exit_code, const char *subject, const char *cause, const char *advice);
/* fail for a wrong command line: says how to get help. */
int fail_usage(const char *command, const struct why *why);

/* printf to standard output. Whatever the arguments hold, no control byte but LF and TAB reaches the
 * terminal. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens a case and, on failure, says what is wrong and what to do about it. *ret_exit is then the exit code.
 */
int cli_open_case(const char *folder, enum casefile_mode mode, struct casefile **ret_case, int *ret_exit);

/* version.c: prints the versions of kvali and of every library, those of the worker by asking kvali-worker.
 */
int version_print(void);
/* "0.1.0" and "0.1.0 (commit 0123456789ab)". */
const char *version_short(void);
const char *version_long(void);

#endif
