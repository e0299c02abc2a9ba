/* sandbox_seccomp: the fate of every system call of the sandbox. [seccomp(2), through libseccomp] */
#include "engine/job/sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Newer than Debian 12's kernel headers. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

enum { TRAP_STATUS = 159 }; /* 128 + SIGSYS, as a shell shows the death by that signal */

/* clang-format off */
/* Allowed in every stage. Most of it is libc's: memory, time, abort(3); qsort(3) calls sysinfo. Writing goes
 * to what is open for writing: the socket, the spool, standard error. readv and writev give nothing that read
 * and write do not. */
static const int calls_of_all[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close),
    SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(brk), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(madvise),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_yield), SCMP_SYS(futex), SCMP_SYS(getrusage),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Reading paths: the zygote, and workers with a folder as evidence; EACCES in other workers. */
static const int calls_of_paths[] = {
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
};

/* The zygote; EACCES in every worker. */
static const int calls_of_zygote[] = {
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(getcwd), SCMP_SYS(uname), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
    SCMP_SYS(close_range), SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
};

/* The fork that is about to become a worker, by the zygote's rules; they kill a worker. None can widen anything. */
static const int calls_to_narrow[] = {
    SCMP_SYS(seccomp), SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_restrict_self), SCMP_SYS(capget), SCMP_SYS(capset),
};

/* EACCES in every stage: harmless questions that libraries ask, and every way to open that the filter cannot see
 * through. */
static const int calls_refused[] = {
    SCMP_SYS(open), SCMP_SYS(openat2), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(fadvise64), SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(wait4), SCMP_SYS(membarrier), SCMP_SYS(getpriority),
};
/* clang-format on */

struct filter {
    scmp_filter_ctx context;
    int error; /* sticky: the first */
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ARG(i, mask, value)                                                                                  \
    (struct scmp_arg_cmp)                                                                                    \
    {                                                                                                        \
        .arg = (i), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value)                          \
    }

static const uint64_t ALL_BITS = UINT64_MAX, INT_BITS = UINT32_MAX;
static const uint32_t PASS = SCMP_ACT_ALLOW, REFUSE = SCMP_ACT_ERRNO(EACCES);

static void rule(struct filter *filter, uint32_t action, int call, const struct scmp_arg_cmp *args,
                 unsigned count)
{
    int r = seccomp_rule_add_array(filter->context, action, call, count, args);
    if (r && !filter->error)
        filter->error = r;
}

static void rule_list(struct filter *filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rule(filter, action, calls[i], NULL, 0);
}

/* Allowed when that one int argument is `value`. */
static void rule_int(struct filter *filter, int call, unsigned arg, uint64_t value)
{
    rule(filter, PASS, call, &ARG(arg, INT_BITS, value), 1);
}

/* Refused when argument `arg` has one of `bits`: a rule a bit, as there is no comparison for "not equal"
 * under a mask. */
static void rule_refuse_bits(struct filter *filter, int call, unsigned arg, uint64_t bits)
{
    for (uint64_t bit = 1; bit && bit <= bits; bit <<= 1)
        if (bits & bit)
            rule(filter, REFUSE, call, &ARG(arg, bit, bit), 1);
}

/* Memory is private, or a file's; never executable. Shared anonymous memory and stacks are not counted by
 * RLIMIT_DATA. */
static void rules_memory(struct filter *filter)
{
    struct scmp_arg_cmp private[] = {ARG(2, PROT_EXEC, 0), ARG(3, MAP_SHARED | MAP_GROWSDOWN, 0)};
    struct scmp_arg_cmp file[] = {ARG(2, PROT_EXEC, 0), ARG(3, MAP_ANONYMOUS | MAP_GROWSDOWN, 0)};
    rule(filter, PASS, SCMP_SYS(mmap), private, COUNT(private));
    rule(filter, PASS, SCMP_SYS(mmap), file, COUNT(file));
    rule(filter, PASS, SCMP_SYS(mprotect), &ARG(2, PROT_EXEC | PROT_GROWSDOWN, 0), 1);
}

static void rules_open_read_only(struct filter *filter)
{
    const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    rule(filter, PASS, SCMP_SYS(openat), &ARG(2, writing, 0), 1);
    rule_refuse_bits(filter, SCMP_SYS(openat), 2, writing);
}

static void rules_fcntl(struct filter *filter)
{
    static const int commands[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC};
    for (size_t i = 0; i < COUNT(commands); i++)
        rule_int(filter, SCMP_SYS(fcntl), 1, (uint64_t)commands[i]);
}

/* Of the block-device family (0x12) the two questions for the size; another of that family kills (it might
 * discard blocks); other families are refused. */
static void rules_ioctl(struct filter *filter)
{
    enum { FAMILY = _IOC_TYPEMASK << _IOC_TYPESHIFT, BLOCK = 0x12 << _IOC_TYPESHIFT };
    rule_int(filter, SCMP_SYS(ioctl), 1, BLKGETSIZE64);
    rule_int(filter, SCMP_SYS(ioctl), 1, BLKSSZGET);
    for (uint64_t bit = 1 << _IOC_TYPESHIFT; bit & FAMILY; bit <<= 1)
        rule(filter, REFUSE, SCMP_SYS(ioctl), &ARG(1, bit, ~(uint64_t)BLOCK & bit), 1);
}

/* What the fork does on its way to sandbox_worker. */
static void rules_become_worker(struct filter *filter)
{
    static const int prctls[] = {PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE, PR_SET_PDEATHSIG, PR_SET_MDWE,
                                 PR_CAPBSET_DROP,     PR_CAP_AMBIENT,  PR_SET_NAME};
    struct scmp_arg_cmp nobody[] = {ARG(0, INT_BITS, SANDBOX_NOBODY), ARG(1, INT_BITS, SANDBOX_NOBODY),
                                    ARG(2, INT_BITS, SANDBOX_NOBODY)};
    struct scmp_arg_cmp sibling[] = {ARG(0, ALL_BITS, CLONE_PARENT | SIGCHLD), ARG(1, ALL_BITS, 0)};
    for (size_t i = 0; i < COUNT(prctls); i++)
        rule_int(filter, SCMP_SYS(prctl), 0, (uint64_t)prctls[i]);
    rule(filter, PASS, SCMP_SYS(setresuid), nobody, COUNT(nobody));
    rule(filter, PASS, SCMP_SYS(setresgid), nobody, COUNT(nobody));
    rule_int(filter, SCMP_SYS(setgroups), 0, 0);
    rule_int(filter, SCMP_SYS(prlimit64), 0, 0);
    rule(filter, PASS, SCMP_SYS(clone), sibling, COUNT(sibling));
    rule_list(filter, PASS, calls_to_narrow, COUNT(calls_to_narrow));
}

static void rules_zygote(struct filter *filter)
{
    rule_list(filter, PASS, calls_of_paths, COUNT(calls_of_paths));
    rule_list(filter, PASS, calls_of_zygote, COUNT(calls_of_zygote));
    rules_open_read_only(filter);
    rules_fcntl(filter);
    rules_ioctl(filter);
    rules_become_worker(filter);
    rule_int(filter, SCMP_SYS(flock), 1, LOCK_SH); /* afflib opens nothing that it cannot lock */
    rule_int(filter, SCMP_SYS(flock), 1, LOCK_UN);
    rule_int(filter, SCMP_SYS(tgkill), 2, SIGABRT); /* whose pid, the worker's filter says */
}

static void rules_worker(struct filter *filter, bool folder)
{
    struct scmp_arg_cmp abort_self[] = {ARG(0, INT_BITS, (uint64_t)getpid()), ARG(2, INT_BITS, SIGABRT)};
    rule(filter, PASS, SCMP_SYS(tgkill), abort_self, COUNT(abort_self));
    rule_list(filter, REFUSE, calls_of_zygote, COUNT(calls_of_zygote));
    rule_list(filter, folder ? PASS : REFUSE, calls_of_paths, COUNT(calls_of_paths));
    rule(filter, REFUSE, SCMP_SYS(ioctl), NULL, 0);
    rule(filter, REFUSE, SCMP_SYS(prlimit64), NULL, 0);
    rule(filter, REFUSE, SCMP_SYS(prctl), NULL, 0);
    rule(filter, REFUSE, SCMP_SYS(flock), NULL, 0);
    if (folder) {
        rules_open_read_only(filter);
        rules_fcntl(filter);
    } else {
        rule(filter, REFUSE, SCMP_SYS(openat), NULL, 0);
        rule(filter, REFUSE, SCMP_SYS(fcntl), NULL, 0);
    }
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    (void)number, (void)context;
    dprintf(STDERR_FILENO, "sandbox: system call %d (%s) at %p\n", info->si_syscall, name ? name : "unknown",
            info->si_call_addr);
    _exit(TRAP_STATUS);
}

static int catch_traps(struct stage *stage)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    stage_note(stage, "death by SIGSYS (KVALI_SANDBOX=trap)");
    return sigaction(SIGSYS, &action, NULL) ? stage_failed(stage, "sigaction") : 0;
}

static int filter_build(struct filter *filter, const struct stage *stage, uint32_t otherwise)
{
    int r = 0;
    /* Another architecture's calls (x32, i386) are none of ours. no_new_privs is already set. */
    if ((r = seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH, otherwise)) ||
        (r = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_NNP, 0)))
        return r;
    rule_list(filter, PASS, calls_of_all, COUNT(calls_of_all));
    rule_list(filter, REFUSE, calls_refused, COUNT(calls_refused));
    rules_memory(filter);
    /* To the peer of the socket, no other address. */
    rule(filter, PASS, SCMP_SYS(sendto), &ARG(4, ALL_BITS, 0), 1);
    if (stage->zygote)
        rules_zygote(filter);
    else
        rules_worker(filter, stage->options->folder);
    return filter->error;
}

int stage_close_calls(struct stage *stage)
{
    uint32_t otherwise = stage->trap ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
    struct filter filter = {.context = stage->pretend_no_seccomp ? NULL : seccomp_init(otherwise)};
    if (!filter.context)
        return stage_lacks(stage, "seccomp");
    int r = filter_build(&filter, stage, otherwise);
    if (r)
        r = why_set(stage->why, r, "the system-call filter cannot be built: %s", strerrordesc_np(-r));
    else if (stage->trap)
        r = catch_traps(stage);
    if (!r && seccomp_load(filter.context))
        r = stage_lacks(stage, "seccomp");
    else if (!r)
        stage->state.seccomp = true;
    seccomp_release(filter.context);
    return r;
}
