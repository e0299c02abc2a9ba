/*
 * custody_cli: what the commands `case`, `person`, `exhibit` and `custody` share: options, prompts and lists
 * made from the table of custody records (cases/custody.h).
 */
#ifndef KVALI_CLI_CUSTODY_CLI_H
#define KVALI_CLI_CUSTODY_CLI_H

#include "cases/custody.h"
#include "engine/cli/cli.h"

/* An option for each field of the kind, and those of all kinds. Static until the next call. */
const struct option_spec *custody_cli_options(const struct custody_kind *kind);

/* Adds a record from options, a file (--file), the lab's defaults and, on a terminal, questions. `field` (may
 * be NULL) is set to `value` first: what stands among the arguments. */
int custody_cli_add(const struct options *options, const char *folder, const struct custody_kind *kind,
                    const char *field, const char *value);

/* How many gaps `custody check` finds in a case that is open. Exit code. */
int custody_cli_gaps(struct casefile *cf, uint64_t *ret_gaps);

/* A lab's default, malloc'ed; NULL: none. */
char *lab_default(const char *section, const char *key);

#endif
