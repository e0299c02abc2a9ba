/*
 * sandbox: what the processes that parse evidence may still do. Two stages, each only narrows:
 *
 *   sandbox_zygote   after plugins are set up (rules, magic loaded), before the first byte of evidence is read: may open for
 *                    reading what `readable` names, fork workers that are the supervisor's children, and narrow itself.
 *   sandbox_worker   in the forked worker, after image_reopen: read, seek, map memory, talk over the socket it has, write
 *                    the spool; with a folder as evidence also openat/statx/getdents64/readlinkat below it (Landlock).
 *
 * Three classes of system calls: allowed; refused with EACCES (harmless probes: open, stat, access, uname, ioctl ...);
 * everything else kills the process with SIGSYS, which the supervisor takes for tampering: exec, fork in a worker, socket,
 * ptrace, io_uring, mprotect/mmap with PROT_EXEC, namespaces, x32.
 *
 * Linux: seccomp(2), landlock(7), prctl(2), setrlimit(2). sandbox_linux.c is the only file that includes seccomp.h.
 */
#ifndef KVALI_JOB_SANDBOX_H
#define KVALI_JOB_SANDBOX_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_options {
    const char *const *readable; /* zygote: evidence files and folders that may be opened; worker: folders of logical evidence */
    size_t readable_count;
    bool folder;                 /* there is a folder as evidence: workers must open files below it; needs Landlock */
    bool weak;                   /* go on where the kernel does not offer something (recorded), instead of refusing */
    uint64_t memory;             /* worker: RLIMIT_DATA beyond what is in use now, bytes */
    uint64_t spool;              /* worker: RLIMIT_FSIZE, bytes */
    int evidence_fd_max;         /* zygote: RLIMIT_NOFILE that opening needs */
    int parent;                  /* pid that must live on: parent-death signal SIGKILL is set and getppid() checked */
};

/* What the kernel granted, for ledger and report. */
struct sandbox_state {
    bool no_new_privs, seccomp;
    int landlock_abi;        /* 0: kernel has none; what was applied */
    bool landlock;
    uint32_t uid;
    bool capabilities_dropped;
    char missing[256];       /* words for what could not be had, "" when all of it was */
};

/* 0; -ENOTSUP when the kernel lacks what is required and `weak` is not set; `why` says what. */
int sandbox_zygote(const struct sandbox_options *options, struct sandbox_state *ret_state, struct why *why);
int sandbox_worker(const struct sandbox_options *options, struct sandbox_state *ret_state, struct why *why);

/* Forks a child whose parent is the caller's parent (CLONE_PARENT), so that the supervisor itself can wait for it: as
 * fork: the child's pid, 0 in the child, -errno. */
int sandbox_fork_sibling(void);

/* "seccomp, Landlock ABI 4, uid 65534, no capabilities" for people. */
void sandbox_describe(const struct sandbox_state *state, char *ret, size_t ret_size);

#endif
