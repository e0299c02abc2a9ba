/*
 * sandbox_linux: the two stages of sandbox.h with what Linux offers: seccomp(2) through libseccomp,
 * landlock(7) through its raw system calls, capabilities(7), setresuid(2), setrlimit(2) and prctl(2).
 * PRIVSEP.md shows the whole as one table.
 *
 * What stops what. seccomp decides by the call and its plain arguments; it cannot see behind a pointer, so it
 * does not know one path from another. Landlock decides by path, but leaves stat, sockets and fork alone.
 * Hence both, and below them what the kernel does for every process: a descriptor opened O_RDONLY cannot be
 * written through (EBADF), a uid without rights has none, a limit is a limit.
 *
 * Filters stack and the strictest answer wins. So what a worker may do must be allowed to the zygote too, and
 * what a worker is refused softly (EACCES) must not kill in the zygote. The lists below keep to that.
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
#include "engine/job/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
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

enum {
    NOBODY = 65534,          /* uid and gid of workers that were started by root */
    WORKER_DESCRIPTORS = 16, /* RLIMIT_NOFILE: for poll(2); nothing can be opened anyway */
    LANDLOCK_ABI_KNOWN = 7,
    TRAP_STATUS = 159, /* 128 + SIGSYS, as a shell shows the death by that signal */
};

struct stage {
    const struct sandbox_options *options;
    struct sandbox_state state;
    struct why *why;
    bool zygote, trap, pretend_no_landlock, pretend_no_seccomp;
};

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

static void stage_note(struct stage *stage, const char *what)
{
    char *missing = stage->state.missing;
    size_t used = strlen(missing);
    snprintf(missing + used, sizeof stage->state.missing - used, "%s%s", used ? "; " : "", what);
}

/* The kernel does not offer `what`: goes on (0) only when that was allowed. */
static int stage_lacks(struct stage *stage, const char *what)
{
    stage_note(stage, what);
    if (stage->options->weak)
        return 0;
    return why_set(stage->why, -ENOTSUP, "the sandbox cannot be closed: missing %s", what);
}

static int stage_failed(struct stage *stage, const char *what)
{
    int code = errno ? -errno : -EIO;
    return why_set(stage->why, code, "the sandbox cannot be closed: %s: %s", what, strerrordesc_np(-code));
}

/* ---- Limits ---- */

static int limit(struct stage *stage, int resource, uint64_t value, const char *name)
{
    struct rlimit both, now;
    if (getrlimit((__rlimit_resource_t)resource, &now))
        return stage_failed(stage, name);
    both.rlim_cur = both.rlim_max = value < now.rlim_max ? (rlim_t)value : now.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &both) ? stage_failed(stage, name) : 0;
}

/* As many descriptors as the evidence may need, or as many as this user may have: where those are too few,
 * opening the evidence says so. */
static int limit_descriptors(struct stage *stage)
{
    rlim_t need = stage->options->evidence_fd_max > 0 ? (rlim_t)stage->options->evidence_fd_max : 0;
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now))
        return stage_failed(stage, "RLIMIT_NOFILE");
    if (now.rlim_cur >= need)
        return 0;
    struct rlimit wanted = {.rlim_cur = need, .rlim_max = now.rlim_max > need ? now.rlim_max : need};
    struct rlimit most = {.rlim_cur = now.rlim_max, .rlim_max = now.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) && setrlimit(RLIMIT_NOFILE, &most)
               ? stage_failed(stage, "RLIMIT_NOFILE")
               : 0;
}

static bool fits_one_page_more(uint64_t pages, uint64_t page, struct rlimit old)
{
    struct rlimit probe = {.rlim_cur = pages * page, .rlim_max = old.rlim_max};
    if (setrlimit(RLIMIT_DATA, &probe))
        return true;
    void *map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return map != MAP_FAILED && munmap(map, page) == 0;
}

/* What RLIMIT_DATA counts as in use. /proc/self/statm says it too, but the zygote's Landlock rules rightly
 * keep all of /proc shut; so the kernel is asked, by bisection, at which limit one page more still fits. */
static int data_in_use(struct stage *stage, uint64_t *ret_bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct rlimit old;
    if (getrlimit(RLIMIT_DATA, &old))
        return stage_failed(stage, "RLIMIT_DATA");
    uint64_t low = 1, high = UINT64_C(1) << 36; /* in pages: 2^48 bytes are more than a process can have */
    if (old.rlim_max / page < high)
        high = old.rlim_max / page;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (fits_one_page_more(middle, page, old))
            high = middle;
        else
            low = middle + 1;
    }
    if (setrlimit(RLIMIT_DATA, &old))
        return stage_failed(stage, "RLIMIT_DATA");
    *ret_bytes = low * page;
    return 0;
}

static int limit_worker(struct stage *stage)
{
    const struct sandbox_options *options = stage->options;
    uint64_t used = 0;
    int r = data_in_use(stage, &used);
    if (r)
        return r;
    uint64_t data = options->memory > UINT64_MAX - used ? UINT64_MAX : used + options->memory;
    signal(SIGXFSZ, SIG_IGN); /* a full spool is -EFBIG, not death */
    if ((r = limit(stage, RLIMIT_DATA, data, "RLIMIT_DATA")) ||
        (r = limit(stage, RLIMIT_FSIZE, options->spool, "RLIMIT_FSIZE")) ||
        (r = limit(stage, RLIMIT_NPROC, 0, "RLIMIT_NPROC")) ||
        (r = limit(stage, RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK")))
        return r;
    return limit(stage, RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE");
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
        (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
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
    return limit(stage, RLIMIT_CORE, 0, "RLIMIT_CORE"); /* a core file would be evidence in the wrong place */
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

/* ---- Paths: Landlock ---- */

/* As in Linux 6.15; an older kernel takes the longer structure as long as what it does not know is 0. */
struct ruleset {
    uint64_t fs, net, scoped;
};

enum {
    FS_ABI_1 = (1 << 13) - 1, /* EXECUTE to MAKE_SYM */
    FS_REFER = 1 << 13,       /* ABI 2 */
    FS_TRUNCATE = 1 << 14,    /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15,   /* ABI 5 */
    NET_ALL = 3,              /* ABI 4: bind, connect TCP */
    SCOPE_ALL = 3,            /* ABI 6: abstract UNIX sockets, signals */
};

static struct ruleset ruleset_for(int abi)
{
    return (struct ruleset){
        .fs = FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
              (abi >= 5 ? FS_IOCTL_DEV : 0),
        .net = abi >= 4 ? NET_ALL : 0,
        .scoped = abi >= 6 ? SCOPE_ALL : 0,
    };
}

static int permit_path(struct stage *stage, int ruleset, const struct ruleset *handled, const char *path)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    struct stat about = {0};
    int r = 0;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        return 0; /* nothing is permitted; who opens it says what is wrong with it */
    if (rule.parent_fd < 0)
        return stage_failed(stage, path);
    if (fstat(rule.parent_fd, &about) == 0 && S_ISDIR(about.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    else if (S_ISBLK(about.st_mode)) /* the filter leaves of ioctl only the questions for the device's size */
        rule.allowed_access |= handled->fs & FS_IOCTL_DEV;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        r = stage_failed(stage, path);
    close(rule.parent_fd);
    return r;
}

static int close_paths(struct stage *stage)
{
    const struct sandbox_options *options = stage->options;
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1 || stage->pretend_no_landlock)
        return stage_lacks(stage,
                           options->folder ? "Landlock (files outside the folder can be read)" : "Landlock");
    abi = abi < LANDLOCK_ABI_KNOWN ? abi : LANDLOCK_ABI_KNOWN;
    struct ruleset handled = ruleset_for(abi);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (ruleset < 0)
        return stage_failed(stage, "landlock_create_ruleset");
    int r = 0;
    if (stage->zygote || options->folder)
        for (size_t i = 0; i < options->readable_count && !r; i++)
            r = permit_path(stage, ruleset, &handled, options->readable[i]);
    if (!r && syscall(SYS_landlock_restrict_self, ruleset, 0))
        r = stage_failed(stage, "landlock_restrict_self");
    close(ruleset);
    if (r)
        return r;
    stage->state.landlock = true;
    stage->state.landlock_abi = abi;
    return 0;
}

/* ---- Calls: seccomp ---- */

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
    struct scmp_arg_cmp nobody[] = {ARG(0, INT_BITS, NOBODY), ARG(1, INT_BITS, NOBODY),
                                    ARG(2, INT_BITS, NOBODY)};
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

static int close_calls(struct stage *stage)
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

/* ---- The stages ---- */

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
int sandbox_zygote(const struct sandbox_options *options, struct sandbox_state *ret_state, struct why *why)
{
    /* Read what only root may read; give up being root in the fork. */
    const uint64_t keep = CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);
    struct stage stage;
    int r = 0;
    stage_init(&stage, options, true, why);
    if ((r = check_threads(&stage)) || (r = limit_descriptors(&stage)) ||
        (r = drop_privileges(&stage, keep, false)) || (r = close_process(&stage)) ||
        (r = close_paths(&stage)) || (r = close_calls(&stage)))
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
        (r = close_process(&stage)) || (r = limit_worker(&stage)) || (r = close_paths(&stage)) ||
        (r = options->folder ? 0 : limit(&stage, RLIMIT_NOFILE, WORKER_DESCRIPTORS, "RLIMIT_NOFILE")) ||
        (r = close_calls(&stage)))
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
