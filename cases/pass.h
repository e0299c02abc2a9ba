/*
 * pass: one look at everything in a case by some plugins. The first pass lists and examines; a later one lets
 * plugins (the same with other rules, or others) look once more at every content that the first one has
 * examined, and leaves all that stands there untouched.
 *
 * A later pass has a row in t_scan for every content that is no child. Its attempts, records, notes and
 * faults carry its number; they count when their attempt is chosen, as in the first pass. Children are looked
 * at with the content that they lie in: the plugins that found them take part, silently, so that they are
 * found again. Where the plugins say that they look at nothing but bytes (plugin.h, setup_content_only), one
 * of each set of equal contents is looked at, and at the end what was found in it is written for the others,
 * as if they had been looked at.
 */
#ifndef KVALI_CASES_PASS_H
#define KVALI_CASES_PASS_H

#include "cases/casefile.h"

#include <stdbool.h>
#include <stdint.h>

struct pass_row {
    uint64_t id, run; /* the run that began it */
    char plugins[512];
};
/* The later pass that is not complete. 1: there is one; 0: none. */
int pass_open(struct casefile *cf, struct pass_row *ret_pass);

/* The plugins that found contents inside contents in this case, ',' between, sorted (malloc'ed). */
int pass_makers(struct casefile *cf, char **ret_plugins);
/* The latest run of the first pass with an attempt that counts; 0: none. */
int pass_first_run(struct casefile *cf, uint64_t *ret_run);

/* The last run of the first pass that did not fail, whose settings it goes on with; 0: none. *ret_complete: nothing is
 * pending, and no exhibit came since. */
int pass_first_last(struct casefile *cf, uint64_t *ret_run, bool *ret_complete);

/* What a run that is there already (t_run, t_run_loaded) wants to look with. */
struct pass_wanted {
    uint64_t run;
    const char *plugins; /* whose records count, ',' between, sorted */
    const char *settings_sha256;
    bool content_only; /* all of them are, and none of them finds contents */
};
/* Goes on with the open pass, or with a complete one of the same plugins, settings and rule sets, which takes
 * in what the case got since; or begins a new one. Makes it the case's (casefile_set_pass). Nothing may be
 * half written. -EBUSY: the first pass is not complete, or another later pass is not; -EINVAL: the open one
 * was begun with other settings or rules. `why` says which. */
int pass_begin(struct casefile *cf, const struct pass_wanted *wanted, uint64_t *ret_pass, struct why *why);

/* Notes which plugins the first pass runs, for those who ask. */
int pass_first(struct casefile *cf, uint64_t run, const char *plugins);

/* What is needed to look at one content again: the plugins that found something in it, ',' between
 * (malloc'ed, "" when none of that is to be looked at), and each address, of the content itself or of one
 * inside it, that equals another one which is looked at. */
int pass_task(struct casefile *cf, uint64_t stream, char **ret_makers,
              int (*spare)(void *context, const char *path), void *context);

/* Nothing is pending any more: what equals a content that could not be looked at whole is looked at itself.
 * Makes that pending; *ret_count says how much. */
int pass_release(struct casefile *cf, uint64_t *ret_count);

/* At the end of a run: when nothing is pending the pass is done, and what was found is written for equal
 * contents. */
int pass_end(struct casefile *cf);

/* Ends the open pass as it is. What it did not look at is given up, and a fault says how much. The ledger is
 * told. -ENOENT: none is open. */
int pass_give_up(struct casefile *cf, struct why *why);

#endif
