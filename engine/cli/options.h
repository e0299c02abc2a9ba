/*
 * options: a command's options as one table, from which both the parsing and the --help text come.
 *
 * Parsing is getopt_long's: --name VALUE, --name=VALUE, unambiguous abbreviations, options and arguments in
 * any order, `--` ends the options. Every command also has --help, --quiet and --verbose.
 */
#ifndef KVALI_CLI_OPTIONS_H
#define KVALI_CLI_OPTIONS_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_spec {
    const char *name;     /* "min-size"; NULL ends a table */
    char letter;          /* 'm' for -m too, 0 for none */
    const char *argument; /* "SIZE"; NULL for a switch */
    const char *what;     /* one sentence without full stop; "\n" begins a new line */
};

enum { OPTIONS_MAX = 64 };

/* What was given. Borrows from argv and the table. */
struct options {
    struct option_given {
        const char *name, *value; /* value NULL for a switch */
    } * given;
    size_t given_count;
    char **args; /* the arguments that are not options */
    size_t arg_count;
    bool help, quiet, verbose;
};

/* `argv[0]` is the command's name. `specs` may be NULL. Reorders argv. -EINVAL: `why` says which option and
 * why; -ENOMEM. options_finish is needed on success only. */
int options_parse(struct options *ret_options, const struct option_spec *specs, int argc, char **argv,
                  struct why *why);
void options_finish(struct options *options);

bool options_has(const struct options *options, const char *name);
/* The last value given, or `fallback`. */
const char *options_text(const struct options *options, const char *name, const char *fallback);
/* The values of an option that may be given more than once: the one number `index` from 0, NULL after the
 * last. */
const char *options_nth(const struct options *options, const char *name, size_t index);
/* A whole number, a size ("4G", "512K") or a time (RFC 3339 or a date, UTC). *ret stays as it is when the
 * option is not given. -EINVAL: `why` names option and value. */
int options_number(const struct options *options, const char *name, uint64_t *ret_number, struct why *why);
int options_size(const struct options *options, const char *name, uint64_t *ret_size, struct why *why);
int options_when(const struct options *options, const char *name, int64_t *ret_when, struct why *why);

/* Prints the table as two columns, the common options last. */
void options_print(const struct option_spec *specs);

#endif
