/*
 * sandbox_linux: the two stages of sandbox.h with what Linux offers: capabilities(7), setresuid(2) and prctl(2) here,
 * seccomp(2) through libseccomp in sandbox_seccomp.c, landlock(7) in sandbox_landlock.c, setrlimit(2) in
 * sandbox_limits.c. PRIVSEP.md shows the whole as one table.
 *
 * What stops what. seccomp decides by the call and its plain arguments; it cannot see behind a pointer, so it
 * does not know one path from another. Landlock decides by path, but leaves stat, sockets and fork alone.
 * Hence both, and below them what the kernel does for every process: a descriptor opened O_RDONLY cannot be
 * written through (EBADF), a uid without rights has none, a limit is a limit.
 *
 * Filters stack and the strictest answer wins. So what a worker may do must be allowed to the zygote too, and
 * what a worker is refused softly (EACCES) must not kill in the zygote. The lists in sandbox_seccomp.c keep to that.
 *
 * The environment variable KVALI_SANDBOX is read when a stage begins; evidence cannot set it. Words in it:
 *   - trap: a forbidden call prints its name and address to standard error and ends the process with status
 *     159, instead of killing it with SIGSYS. It contains as well as the other, for the call is not made
 *     either way; but code that has been taken over could replace the handler and so stay unnoticed. It is
 *     recorded in `missing`.
 *   - nolandlock, noseccomp: as if the kernel had none. Refused unless `weak`; for tests of that refusal.
 *
 * Pitfalls for whoever changes this:
 *   - PR_SET_PDEATHSIG is cleared when the uid changes or a capability is gained; it comes after both. The
 *     parent is the thread that forked the zygote: it has to live as long as the supervisor.
 *   - SIGXFSZ kills at RLIMIT_FSIZE unless ignored; and where standard error is a file, messages are subject
 *     to that limit too: it has to be a pipe.
 *   - RLIMIT_NOFILE binds the next descriptor, whatever is open: the ruleset's must come before it. And
 *     poll(2) fails with EINVAL for more descriptors than that limit, so that it is low, not 0.
 *   - libseccomp compares 64 bits, while the kernel takes the int arguments of most calls as 32: only
 *     MASKED_EQ compares those (AT_FDCWD is -100 sign-extended or not, as the compiler pleases).
 *   - glibc's fstat(3) is newfstatat(fd, "", AT_EMPTY_PATH), and the filter cannot see that the path is
 *     empty: it is refused in a worker. SYS_fstat is allowed.
 *   - A fork shares the file offsets of its descriptors: sandbox_fork_sibling's child reopens the evidence
 *     (image_reopen) while the zygote's stage still lets it.
 *   - There may be no word in the kernel's log about a kill: use KVALI_SANDBOX=trap.
 *   - AddressSanitizer works in both stages, but for what starts a process or thread: its leak check when a
 *     process ends by exit(3) and its symbolizer. ASAN_OPTIONS=detect_leaks=0:symbolize=0.
 */
#include "engine/job/sandbox_private.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's kernel headers. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

enum { WORKER_DESCRIPTORS = 16 }; /* RLIMIT_NOFILE: for poll(2); nothing can be opened anyway */

static void stage_init(struct stage *stage, const struct sandbox_options *options, bool zygote,
                       struct why *why)
{
    const char *set = getenv("KVALI_SANDBOX"), *words = set ? set : "";
    *stage = (struct stage){
        .options = options,
        .why = why,
        .zygote = zygote,
        .trap = strstr(words, "trap") != NULL,
        .pretend_no_landlock = strstr(words, "nolandlock") != NULL,
        .pretend_no_seccomp = strstr(words, "noseccomp") != NULL,
    };
}

void stage_note(struct stage *stage, const char *what)
{
    char *missing = stage->state.missing;
    size_t used = strlen(missing);
    snprintf(missing + used, sizeof stage->state.missing - used, "%s%s", used ? "; " : "", what);
}

int stage_lacks(struct stage *stage, const char *what)
{
    stage_note(stage, what);
    if (stage->options->weak)
        return 0;
    return why_set(stage->why, -ENOTSUP, "the sandbox cannot be closed: missing %s", what);
}

int stage_failed(struct stage *stage, const char *what)
{
    int code = errno ? -errno : -EIO;
    return why_set(stage->why, code, "the sandbox cannot be closed: %s: %s", what, strerrordesc_np(-code));
}

/* ---- Privileges ---- */

/* Leaves `keep` of the capabilities that are held, and nothing in the sets that a later exec could draw on.
 * Those go first: a change of the uid takes away the capability to empty them. */
static int drop_privileges(struct stage *stage, uint64_t keep, bool leave_root)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    int r = 0;
    for (unsigned long cap = 0; cap < 64; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* without CAP_SETPCAP it fails; no_new_privs does the same */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (leave_root &&
        (setgroups(0, NULL) || setresgid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) || setresuid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY)))
        r = stage_lacks(stage, "a uid other than root's");
    if (!r && syscall(SYS_capget, &header, data))
        r = stage_failed(stage, "capget");
    if (r)
        return r;
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(keep >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data))
        return stage_failed(stage, "capset");
    stage->state.capabilities_dropped = !data[0].permitted && !data[1].permitted;
    return 0;
}

/* Dies with the supervisor; cannot be traced by its like; cannot gain anything by exec; cannot make memory
 * executable. */
static int close_process(struct stage *stage)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return stage_failed(stage, "PR_SET_NO_NEW_PRIVS");
    stage->state.no_new_privs = true;
    prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); /* Linux 6.3; the filter says the same for all */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return stage_failed(stage, "PR_SET_DUMPABLE");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
        return stage_failed(stage, "PR_SET_PDEATHSIG");
    if (stage->options->parent > 0 && getppid() != stage->options->parent)
        return why_set(stage->why, -ESRCH, "the supervisor is gone");
    stage->state.uid = geteuid();
    return stage_limit(stage, RLIMIT_CORE, 0, "RLIMIT_CORE"); /* a core file would be evidence in the wrong place */
}

/* seccomp, Landlock and capabilities are a thread's own: a second thread would stay outside. */
static int check_threads(struct stage *stage)
{
    struct stat tasks;
    if (stat("/proc/self/task", &tasks))
        return stage_failed(stage, "/proc/self/task");
    if (tasks.st_nlink != 3) /* ".", its parent, and one thread */
        return why_set(stage->why, -EBUSY, "the sandbox cannot be closed: a library started threads");
    return 0;
}

/* ---- The stages ---- */

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
int sandbox_zygote(const struct sandbox_options *options, struct sandbox_state *ret_state, struct why *why)
{
    /* Read what only root may read; give up being root in the fork. */
    const uint64_t keep = CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);
    struct stage stage;
    int r = 0;
    stage_init(&stage, options, true, why);
    if ((r = check_threads(&stage)) || (r = stage_limit_descriptors(&stage)) ||
        (r = drop_privileges(&stage, keep, false)) || (r = close_process(&stage)) ||
        (r = stage_close_paths(&stage)) || (r = stage_close_calls(&stage)))
        return r;
    *ret_state = stage.state;
    return 0;
}

int sandbox_worker(const struct sandbox_options *options, struct sandbox_state *ret_state, struct why *why)
{
    const uint64_t keep = options->folder ? CAP_BIT(CAP_DAC_READ_SEARCH) : 0;
    struct stage stage;
    int r = 0;
    stage_init(&stage, options, false, why);
    /* The limit of descriptors comes last: the ruleset was one, above those of the evidence. */
    if ((r = drop_privileges(&stage, keep, geteuid() == 0 && !options->folder)) ||
        (r = close_process(&stage)) || (r = stage_limit_worker(&stage)) || (r = stage_close_paths(&stage)) ||
        (r = options->folder ? 0 : stage_limit(&stage, RLIMIT_NOFILE, WORKER_DESCRIPTORS, "RLIMIT_NOFILE")) ||
        (r = stage_close_calls(&stage)))
        return r;
    *ret_state = stage.state;
    return 0;
}

int sandbox_fork_sibling(void)
{
    long pid = syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, 0L);
    return pid < 0 ? -errno : (int)pid;
}

void sandbox_describe(const struct sandbox_state *state, char *ret, size_t ret_size)
{
    char landlock[32] = "no Landlock";
    if (state->landlock)
        snprintf(landlock, sizeof landlock, "Landlock ABI %d", state->landlock_abi);
    snprintf(ret, ret_size, "%s, %s, uid %u, %s capabilities%s%s", state->seccomp ? "seccomp" : "no seccomp",
             landlock, state->uid, state->capabilities_dropped ? "no" : "few",
             state->missing[0] ? "; missing: " : "", state->missing);
}
