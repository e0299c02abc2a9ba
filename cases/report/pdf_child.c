/*
 * pdf_child: see pdf_child.h. Linux: fork(2), seccomp(2) through libseccomp, landlock(7), prctl(2),
 * setrlimit(2).
 *
 * The supervisor's memory is there, as a copy; what is shared with it (the database's index of its log) is
 * unmapped first. A call that is not on the list kills the process. KVALI_SANDBOX=trap does not reach here:
 * there is no state to save.
 */
#include "cases/report/pdf_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT = 3, NOBODY = 65534, SECONDS_MAX = 600 };
/* How the child ends. */
enum { DONE, NO_FONT = 10, NO_MEMORY, NO_SANDBOX, OTHER };

static const rlim_t memory_max = 2ULL << 30;

/* ------------------------------------------------------------------ closing the child */

static int unmap_shared(void)
{
    char line[512], rights[8];
    unsigned long from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return -errno;
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && rights[3] == 's')
            (void)munmap((void *)from,
                         to - from); /* NOLINT(performance-no-int-to-ptr): the kernel says it so */
    fclose(maps);
    return 0;
}

static int only_output(int output)
{
    if (dup3(output, OUTPUT, 0) < 0 && errno != EINVAL) /* EINVAL: it is that one */
        return -errno;
    return syscall(SYS_close_range, OUTPUT + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* Fonts, their settings and caches, what the loader and the C library read. Folders that are not there are
 * left out. */
static int only_fonts(void)
{
    static const char *const folders[] = {"/usr/share",
                                          "/usr/local/share",
                                          "/etc/fonts",
                                          "/etc/ld.so.cache",
                                          "/var/cache/fontconfig",
                                          "/usr/lib",
                                          "/lib",
                                          "/lib64",
                                          "/usr/lib64",
                                          "/etc/localtime"};
    struct landlock_ruleset_attr rules = {.handled_access_fs =
                                              (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; /* all of ABI 1 */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        return 0; /* the kernel has none: reading stays open, everything else is seccomp's */
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                                                     .parent_fd = open(folders[i], O_PATH | O_CLOEXEC)};
        struct stat st;
        if (beneath.parent_fd < 0)
            continue;
        if (fstat(beneath.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
            beneath.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        (void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        close(beneath.parent_fd);
    }
    int code = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
    close(ruleset);
    return code;
}

static int limit(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_DATA, memory_max}, {RLIMIT_CPU, SECONDS_MAX}, {RLIMIT_FSIZE, 0}, {RLIMIT_CORE, 0}};
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (setrlimit((__rlimit_resource_t)limits[i].resource,
                      &(struct rlimit){limits[i].most, limits[i].most}) < 0)
            return -errno;
    return 0;
}

static int leave_root(void)
{
    if (geteuid() != 0)
        return 0;
    return setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                   setresuid(NOBODY, NOBODY, NOBODY) < 0
               ? -errno
               : 0;
}

static int allow(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(read),
                                SCMP_SYS(pread64),
                                SCMP_SYS(readv),
                                SCMP_SYS(lseek),
                                SCMP_SYS(close),
                                SCMP_SYS(fstat),
                                SCMP_SYS(newfstatat),
                                SCMP_SYS(stat),
                                SCMP_SYS(lstat),
                                SCMP_SYS(statx),
                                SCMP_SYS(access),
                                SCMP_SYS(faccessat),
                                SCMP_SYS(faccessat2),
                                SCMP_SYS(getdents64),
                                SCMP_SYS(readlink),
                                SCMP_SYS(readlinkat),
                                SCMP_SYS(fstatfs),
                                SCMP_SYS(statfs),
                                SCMP_SYS(munmap),
                                SCMP_SYS(mremap),
                                SCMP_SYS(madvise),
                                SCMP_SYS(brk),
                                SCMP_SYS(futex),
                                SCMP_SYS(exit),
                                SCMP_SYS(exit_group),
                                SCMP_SYS(rt_sigaction),
                                SCMP_SYS(rt_sigprocmask),
                                SCMP_SYS(rt_sigreturn),
                                SCMP_SYS(sigaltstack),
                                SCMP_SYS(getrandom),
                                SCMP_SYS(clock_gettime),
                                SCMP_SYS(clock_getres),
                                SCMP_SYS(gettimeofday),
                                SCMP_SYS(getpid),
                                SCMP_SYS(gettid),
                                SCMP_SYS(getuid),
                                SCMP_SYS(geteuid),
                                SCMP_SYS(getgid),
                                SCMP_SYS(getegid),
                                SCMP_SYS(uname),
                                SCMP_SYS(sysinfo),
                                SCMP_SYS(sched_yield),
                                SCMP_SYS(sched_getaffinity),
                                SCMP_SYS(set_robust_list),
                                SCMP_SYS(rseq),
                                SCMP_SYS(restart_syscall),
                                SCMP_SYS(fadvise64),
                                SCMP_SYS(poll),
                                SCMP_SYS(ppoll),
                                SCMP_SYS(getcwd)};
    int code = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return code;
}

/* What is decided by arguments: writing, opening, memory, threads. */
static int allow_some(scmp_filter_ctx filter)
{
    static const int writes[] = {SCMP_SYS(write), SCMP_SYS(writev)};
    const uint64_t changes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    int code = 0;
    for (size_t i = 0; i < 2 && code == 0; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, writes[i], 1, SCMP_A0_32(SCMP_CMP_EQ, OUTPUT, 0));
        if (code == 0)
            code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, writes[i], 1,
                                    SCMP_A0_32(SCMP_CMP_EQ, STDERR_FILENO, 0));
    }
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                SCMP_A2_64(SCMP_CMP_MASKED_EQ, changes, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                SCMP_A1_64(SCMP_CMP_MASKED_EQ, changes, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (code == 0) /* a thread, which pango has for its fonts, and no process */
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return code;
}

/* Probes that libraries can live without: clone3 tells them to use clone, the others that there is nothing.
 */
static int refuse(scmp_filter_ctx filter)
{
    static const struct {
        int call, error;
    } calls[] = {{SCMP_SYS(clone3), ENOSYS},
                 {SCMP_SYS(ioctl), ENOTTY},
                 {SCMP_SYS(fcntl), EACCES},
                 {SCMP_SYS(prctl), EACCES},
                 {SCMP_SYS(prlimit64), EACCES},
                 {SCMP_SYS(mkdir), EACCES},
                 {SCMP_SYS(mkdirat), EACCES},
                 {SCMP_SYS(unlink), EACCES},
                 {SCMP_SYS(utimensat), EACCES},
                 {SCMP_SYS(chmod), EACCES},
                 {SCMP_SYS(link), EACCES},
                 {SCMP_SYS(rename), EACCES},
                 {SCMP_SYS(sched_setscheduler), EACCES},
                 {SCMP_SYS(sched_getattr), EACCES},
                 {SCMP_SYS(sched_setattr), EACCES}};
    int code = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)calls[i].error), calls[i].call, 0);
    return code;
}

static int only_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return -ENOMEM;
    int code = allow(filter);
    if (code == 0)
        code = allow_some(filter);
    if (code == 0)
        code = refuse(filter);
    /* Opening for writing is told, not killed: libraries try to write their caches. */
    static const uint64_t changes[] = {O_CREAT, O_WRONLY, O_RDWR};
    for (size_t i = 0; i < 3 && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1,
                                SCMP_A2_64(SCMP_CMP_MASKED_EQ, changes[i], changes[i]));
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code;
}

static int close_all(int output, pid_t parent)
{
    int code = only_output(output);
    if (code == 0)
        code = unmap_shared();
    if (code == 0)
        code = leave_root();
    if (code == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                      getppid() != parent))
        code = -EPERM;
    if (code == 0)
        code = limit();
    if (code == 0)
        code = only_fonts();
    if (code == 0)
        code = only_calls();
    return code;
}

/* ------------------------------------------------------------------ child and parent */

static _Noreturn void make(const struct pdf *pdf, const struct pdf_about *about, int output, pid_t parent)
{
    struct report_out out;
    if (close_all(output, parent) < 0)
        _exit(NO_SANDBOX);
    int code = report_out_init(&out, OUTPUT);
    if (code == 0)
        code = pdf_script_play(pdf, about, &out);
    if (code == 0)
        code = report_out_end(&out);
    _exit(code == 0 ? DONE : code == -ENOENT ? NO_FONT : code == -ENOMEM ? NO_MEMORY : OTHER);
}

static int take(int fd, struct report_out *out)
{
    uint8_t block[65536];
    for (;;) {
        ssize_t size = read(fd, block, sizeof block);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size < 0 ? -errno : 0;
        buf_append(&out->buf, block, (size_t)size);
        if (report_out_row(out) < 0)
            return out->error;
    }
}

static int judge(pid_t child, struct why *why)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return why_set(why, -errno, "the process that sets the PDF: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return why_set(
            why, -ECHILD,
            "the process that sets the PDF ended by signal %d (%s): nothing of the case was in its reach",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    switch (WEXITSTATUS(status)) {
    case DONE:
        return 0;
    case NO_FONT:
        return why_set(why, -ENOENT, "no font with Georgian letters: install fonts-dejavu-core");
    case NO_MEMORY:
        return why_set(why, -ENOMEM, "no memory to set the PDF");
    case NO_SANDBOX:
        return why_set(why, -ENOTSUP,
                       "the process that sets the PDF cannot be closed in: seccomp is missing");
    default:
        return why_set(why, -EIO, "the PDF could not be set");
    }
}

int pdf_child_make(const struct pdf *pdf, const struct pdf_about *about, struct report_out *out,
                   struct why *why)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return why_set(why, -errno, "%s", strerror(errno));
    pid_t child = fork();
    if (child == 0)
        make(pdf, about, ends[1], parent);
    int code = child < 0 ? why_set(why, -errno, "%s", strerror(errno)) : 0;
    close(ends[1]);
    if (code == 0)
        code = take(ends[0], out);
    close(ends[0]); /* a child that still writes ends by SIGPIPE */
    int judged = child < 0 ? 0 : judge(child, why);
    return code ? code : judged;
}
