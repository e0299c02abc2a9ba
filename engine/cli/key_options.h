/*
 * key_options: --key, the keys of encrypted volumes. What is secret in the command line is overwritten once it was read,
 * so that ps(1) does not show it for longer than it must; nothing of it goes into settings, ledger or case.
 */
#ifndef KVALI_CLI_KEY_OPTIONS_H
#define KVALI_CLI_KEY_OPTIONS_H

#include "engine/cli/options.h"
#include "engine/job/job.h"

/* For a command's table. */
/* clang-format off */
#define KEY_OPTION                                                                                                     \
    {"key", 0, "SPEC", "A key of encrypted volumes: password:WORDS, recovery:GROUPS (of BitLocker or FileVault, with\n" \
                       "their '-'), master:HEX, file:PATH (a key file), or @FILE: one SPEC a line, which no other\n"    \
                       "user can see. EX-1=SPEC: for that exhibit alone. May be given again. Kept nowhere: give it\n"   \
                       "again to go on, to show and to export"}
/* clang-format on */

/* All that was given, in its order, into `job`, which holds them until key_options_finish. -EINVAL, -ENOENT ...: `why` says
 * which option, and never the secret. */
int key_options_take(const struct options *options, struct job_options *job, struct why *why);
/* Overwrites them. */
void key_options_finish(struct job_options *job);

#endif
