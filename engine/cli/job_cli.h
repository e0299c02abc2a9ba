/*
 * job_cli: what `process`, `run`, `show`, `export` and `plugins` share: where the worker and the rules are, settings from
 * profiles and options, progress, events, Ctrl-C.
 */
#ifndef KVALI_CLI_JOB_CLI_H
#define KVALI_CLI_JOB_CLI_H

#include "engine/cli/cli.h"
#include "engine/cli/key_options.h"
#include "engine/job/job.h"

/* The options of a run, for a command's table. */
/* clang-format off */
#define JOB_CLI_OPTIONS                                                                                                \
    {"jobs", 'j', "N", "Workers (default: one a core). Findings do not depend on it"},                                 \
    {"profile", 'p', "NAME", "full (default) or triage, or a file: rules/profiles says what each does"},               \
    {"plugins", 0, "LIST", "Only these, ',' between; `kvali plugins` lists them"},                                     \
    {"rules", 'r', "PATH", "YARA rules besides the shipped ones: a file or folder; may be given again"},               \
    {"keywords", 'K', "FILE", "A list of keywords to search for (`kvali keywords --help`); may be given again"},        \
    {"features", 0, NULL, "Look for addresses, numbers, accounts, keys (adds the plugins features and unpack)"},       \
    {"index", 'i', NULL, "Index the words of documents, for `kvali search` (adds the plugin text)"},                    \
    {"no-default-rules", 0, NULL, "Leave the shipped YARA rules out"},                                                 \
    {"carve-files", 0, NULL, "Look for files inside of live files and of what was unpacked, too (setting carve.files)"}, \
    {"hashset", 0, "NAME", "Look contents up in this hash set: a name (`kvali hashset list`) or a file; may be given again"}, \
    {"hashsets", 0, "FOLDER", "Where hash sets are kept"},                                                             \
    KEY_OPTION,                                                                                                        \
    {"skip-known", 0, NULL, "Spare what a known set has the costly plugins (setting hashset.skip_known)"},             \
    {"plugin", 0, "FILE.so", "A plugin of the lab's own; may be given again. A NAME instead (run): let only this plugin\n" \
                             "look, once more at all that is examined already (a later pass)"},                        \
    {"set", 's', "KEY=VALUE", "Any setting (`kvali plugins --settings` lists them); may be given again"},              \
    {"tmp", 0, "FOLDER", "Where large contents are spooled, unlinked (default: $TMPDIR or /var/tmp)"},                 \
    {"weak-sandbox", 0, NULL, "Go on where the kernel lacks a part of the sandbox; it is recorded"},                   \
    {"again", 0, NULL, "Do what is done already once more"},                                                           \
    {"events", 'e', "FILE", "Write what happens as JSON lines, for other programs ('-': standard output)"}
/* clang-format on */

/* Fills `settings` (initialised here) from profile and options. 0, or the exit code after the error was told. */
int job_cli_settings(const struct options *options, const char *command, struct settings *settings);

/* kvali-worker's path: beside this program, or where it was installed. Static. */
const char *job_cli_worker(void);
/* The folder of shipped rules. Static. */
const char *job_cli_rules(void);
const char *job_cli_spool(const struct options *options);

/* For contents that lie in others: fills `settings` (initialised here; finish it in any case) with those of the run that
 * found them, the lab's own plugins given now with --plugin, and the sandbox as it is wanted now. The plugins' files as
 * the run had them go to `ret_lab` (malloc'ed). Nothing is loaded because a case names it. -ENOPKG: a file that --plugin
 * names is not there. */
int job_cli_replay(struct casefile *cf, uint64_t run, const struct options *options, struct settings *settings,
                   char **ret_lab, struct why *why);

/* job_cli_pass.c: is it the name of a plugin, not a file? */
bool job_cli_is_plugin(const char *value);
/* The settings of a later pass (cases/pass.h) into `settings` (initialised here; finish it in any case) and the plugins
 * that look into `ret_plugins` (malloc'ed): when --plugin names some, or when a pass is open. *ret_plugins NULL: it is the
 * first pass. -EINVAL: options that do not go together, `why` says which. */
int job_cli_pass(struct casefile *cf, const struct options *options, bool process, struct settings *settings,
                 char **ret_plugins, struct why *why);
/* All files given with an option as one list with ':' between, beginning with `first` (NULL: nothing). */
int job_cli_paths(struct settings *settings, const char *key, const char *first, const struct options *options,
                  const char *option, struct why *why);
int job_cli_pairs(struct settings *settings, const struct options *options, struct why *why);

/* Catches Ctrl-C and the like from now on; what it returns is not 0 after the first. */
volatile sig_atomic_t *job_cli_signals(void);
/* Says why a run failed. Exit code. */
int job_cli_failed(const struct casefile *cf, int error, const struct why *why);

/* Runs what is pending in the case and says how it went. Returns the exit code. */
int job_cli_run(struct casefile *cf, const struct options *options, const char *command);

/* cmd_report.c: writes the reports of the case as `report` does, and says where. Exit code. */
int cli_write_report(struct casefile *cf, const struct options *options);

/* cmd_add.c: records one exhibit as `add` does. Exit code. */
int cli_add_exhibit(struct casefile *cf, const struct options *options, const char *path);

#endif
