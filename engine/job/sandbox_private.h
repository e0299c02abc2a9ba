/*
 * sandbox_private: one stage of sandbox.h while it is being closed; what the files of the sandbox share. Each function gives 0 or a
 * negative errno with the stage's `why`.
 */
#ifndef KVALI_JOB_SANDBOX_PRIVATE_H
#define KVALI_JOB_SANDBOX_PRIVATE_H

#include "engine/job/sandbox.h"

enum { SANDBOX_NOBODY = 65534 }; /* uid and gid of workers that were started by root */

struct stage {
    const struct sandbox_options *options;
    struct sandbox_state state;
    struct why *why;
    bool zygote, trap, pretend_no_landlock, pretend_no_seccomp;
};

/* Adds `what` to the state's `missing`. */
void stage_note(struct stage *stage, const char *what);
/* The kernel does not offer `what`: goes on (0) only when that was allowed. */
int stage_lacks(struct stage *stage, const char *what);
/* What errno says of `what`. */
int stage_failed(struct stage *stage, const char *what);

/* sandbox_limits.c: `value`, or what this process may have at most where that is less. */
int stage_limit(struct stage *stage, int resource, uint64_t value, const char *name);
int stage_limit_descriptors(struct stage *stage);
int stage_limit_worker(struct stage *stage);

int stage_close_paths(struct stage *stage); /* sandbox_landlock.c */
int stage_close_calls(struct stage *stage); /* sandbox_seccomp.c */

#endif
