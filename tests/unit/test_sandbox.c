/*
 * The proof of the sandbox: everything that a worker which has been taken over might try, from inside a real
 * one, and that what it needs works. Each attempt gets a zygote and a worker of its own, made as in kvali:
 * zygote stage, evidence opened, forked beside the zygote, evidence reopened, worker stage. Started by root,
 * all of it runs twice: as root (the worker becomes uid 65534 by itself) and as an ordinary user.
 */
#include "engine/job/sandbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#define MEMORY (UINT64_C(256) << 20)
#define SPOOL  (UINT64_C(1) << 20)

enum { NOBODY = 65534, KILLED = -1, NOT_CLOSED = 250, SEGMENTS = 40 /* descriptors of the evidence */ };
enum where { ZYGOTE, WORKER };

/* ---- The world of an attempt ---- */

static struct {
    char folder[64], evidence[96], outside[96], self_fd[32];
    int fd, spool, socket[2], errors;
    pid_t test;
    bool user, as_folder;
    struct sandbox_state zygote, worker;
} world;

static char page[4096];
static struct iovec vector = {page, 1};
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
static const struct open_how how_read = {.flags = O_RDONLY};
static const struct clone_args plain_clone = {.exit_signal = SIGCHLD};

static void make_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, 0644) == 0,
              "%s", path);
    close(fd);
}

static const char *in_folder(const char *name)
{
    static char path[2][160];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", world.folder, name);
    return path[turn];
}

/* A folder with the evidence, and beside it what must stay out of reach. */
static void set_up(void)
{
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        cr_skip_test("this kernel has no Landlock");
    strcpy(world.folder, "/tmp/kvali-sandbox-XXXXXX");
    cr_assert(mkdtemp(world.folder) && chmod(world.folder, 0755) == 0);
    snprintf(world.evidence, sizeof world.evidence, "%s/disk.raw", world.folder);
    snprintf(world.outside, sizeof world.outside, "%s.secret", world.folder);
    make_file(world.evidence, "evidence");
    make_file(world.outside, "secret");
    cr_assert(mkdir(in_folder("sub"), 0755) == 0 && chmod(in_folder("sub"), 0755) == 0);
    make_file(in_folder("sub/deep.txt"), "deep");
    cr_assert(symlink(world.outside, in_folder("link-out")) == 0 &&
              symlink("disk.raw", in_folder("link-in")) == 0);
    world.spool = memfd_create("spool", MFD_CLOEXEC);
    world.errors = -1;
    world.test = getpid();
    cr_assert(world.spool >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, world.socket) == 0);
}

static void tear_down(void)
{
    static const char *const names[] = {"disk.raw", "sub/deep.txt", "link-out", "link-in", "closed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    unlink(world.outside);
    rmdir(in_folder("sub"));
    rmdir(world.folder);
}

TestSuite(sandbox, .init = set_up, .fini = tear_down, .timeout = 120);

static void become_user(void)
{
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
        _exit(NOT_CLOSED);
}

static struct sandbox_options options_for(pid_t parent)
{
    static const char *paths[1];
    paths[0] = world.as_folder ? world.folder : world.evidence;
    return (struct sandbox_options){
        .readable = paths,
        .readable_count = 1,
        .folder = world.as_folder,
        .memory = MEMORY,
        .spool = SPOOL,
        .evidence_fd_max = 1024,
        .parent = parent,
    };
}

static void reopen_evidence(void)
{
    int fresh = openat(AT_FDCWD, world.self_fd, O_RDONLY | O_CLOEXEC);
    if (fresh < 0 || lseek(fresh, 0, SEEK_SET) || dup3(fresh, world.fd, O_CLOEXEC) < 0 || close(fresh))
        _exit(NOT_CLOSED);
}

static _Noreturn void worker_main(const struct sandbox_options *options, int (*body)(void))
{
    struct why why = {""};
    reopen_evidence();
    int r = sandbox_worker(options, &world.worker, &why);
    if (r)
        dprintf(STDERR_FILENO, "worker: %d %s\n", r, why.text);
    _exit(r ? NOT_CLOSED : body());
}

static _Noreturn void zygote_main(enum where where, int report, int (*body)(void))
{
    struct why why = {""};
    if (world.errors >= 0)
        dup2(world.errors, STDERR_FILENO);
    if (world.user)
        become_user();
    else if (geteuid() == 0 && setgroups(1, (gid_t[]){1}))
        _exit(NOT_CLOSED);
    struct sandbox_options options = options_for(getppid());
    int r = sandbox_zygote(&options, &world.zygote, &why);
    if (r)
        dprintf(STDERR_FILENO, "zygote: %d %s\n", r, why.text);
    world.fd = r ? -1 : open(world.evidence, O_RDONLY | O_CLOEXEC);
    if (world.fd < 0)
        _exit(NOT_CLOSED);
    snprintf(world.self_fd, sizeof world.self_fd, "/proc/self/fd/%d", world.fd);
    for (int i = 0; i < SEGMENTS; i++)
        if (dup(world.fd) < 0)
            _exit(NOT_CLOSED);
    if (where == ZYGOTE)
        _exit(body());
    int pid = sandbox_fork_sibling();
    if (pid == 0)
        worker_main(&options, body);
    _exit(write(report, &pid, sizeof pid) == sizeof pid && pid > 0 ? 0 : NOT_CLOSED);
}

/* The pid of a process that runs `body` in that stage: a child of the caller, worker or zygote. */
static pid_t start(enum where where, int (*body)(void))
{
    int report[2];
    pid_t worker = -1;
    int status = 0;
    if (pipe2(report, O_CLOEXEC))
        return -1;
    fflush(NULL);
    pid_t zygote = fork();
    if (zygote == 0)
        zygote_main(where, report[1], body);
    close(report[1]);
    if (where == WORKER) {
        bool told = read(report[0], &worker, sizeof worker) == sizeof worker;
        worker = waitpid(zygote, &status, 0) == zygote && status == 0 && told ? worker : -1;
    }
    close(report[0]);
    return where == WORKER ? worker : zygote;
}

static int run(enum where where, int (*body)(void))
{
    int status = -1;
    pid_t pid = start(where, body);
    cr_assert(pid > 0, "the sandbox was not closed");
    cr_assert(waitpid(pid, &status, 0) == pid, "the caller is not the parent of what was forked");
    return status;
}

/* As root where that is possible, and as an ordinary user. */
static void twice(void (*check)(void))
{
    if (geteuid() == 0)
        check();
    world.user = geteuid() == 0;
    check();
    world.user = false;
}

/* ---- What must fail: name, how, call ---- */

/* clang-format off */
#define WORKER_ATTEMPTS(X) \
    /* open: refused by the filter */ \
    X(open_absolute, EACCES, SYS_open, "/etc/passwd", O_RDONLY) \
    X(openat_absolute, EACCES, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X(openat2_absolute, EACCES, SYS_openat2, AT_FDCWD, "/etc/passwd", &how_read, sizeof how_read) \
    X(openat_relative, EACCES, SYS_openat, AT_FDCWD, "../../../../../etc/passwd", O_RDONLY) \
    X(openat_path_only, EACCES, SYS_openat, AT_FDCWD, "/", O_PATH) \
    X(open_evidence, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDONLY) \
    X(open_evidence_to_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDWR) \
    X(open_evidence_truncating, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_WRONLY | O_TRUNC) \
    X(reopen_to_read, EACCES, SYS_openat, AT_FDCWD, world.self_fd, O_RDONLY) \
    X(reopen_to_write, EACCES, SYS_openat, AT_FDCWD, world.self_fd, O_RDWR) \
    X(open_own_memory, EACCES, SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR) \
    X(create, EACCES, SYS_openat, AT_FDCWD, "/tmp/kvali-escaped", O_WRONLY | O_CREAT, 0600) \
    X(create_nameless, EACCES, SYS_openat, AT_FDCWD, "/tmp", O_WRONLY | O_TMPFILE, 0600) \
    X(creat, KILLED, SYS_creat, "/tmp/kvali-escaped", 0600) \
    X(open_by_handle, KILLED, SYS_open_by_handle_at, AT_FDCWD, page, O_RDONLY) \
    /* write to evidence: the descriptor's own mode says EBADF, EINVAL or EACCES, for the calls the spool needs */ \
    X(write_evidence, EBADF, SYS_write, world.fd, "x", 1) \
    X(writev_evidence, EBADF, SYS_writev, world.fd, &vector, 1) \
    X(pwrite_evidence, EBADF, SYS_pwrite64, world.fd, "x", 1, 0) \
    X(ftruncate_evidence, EINVAL, SYS_ftruncate, world.fd, 0) \
    X(punch_evidence, EBADF, SYS_fallocate, world.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8) \
    X(map_evidence_to_write, EACCES, SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, world.fd, 0) \
    X(copy_into_evidence, KILLED, SYS_copy_file_range, world.spool, NULL, world.fd, NULL, 1, 0) \
    X(times_of_evidence, KILLED, SYS_utimensat, world.fd, NULL, NULL, 0) \
    X(mode_of_evidence, KILLED, SYS_fchmod, world.fd, 0777) \
    X(owner_of_evidence, KILLED, SYS_fchown, world.fd, 0, 0) \
    X(attribute_of_evidence, KILLED, SYS_fsetxattr, world.fd, "user.x", "x", 1, 0) \
    X(flags_of_evidence, EACCES, SYS_ioctl, world.fd, FS_IOC_SETFLAGS, page) \
    X(discard_on_evidence, KILLED, SYS_ioctl, world.fd, BLKDISCARD, page) \
    /* names */ \
    X(unlink, KILLED, SYS_unlink, world.evidence) \
    X(unlinkat, KILLED, SYS_unlinkat, AT_FDCWD, world.evidence, 0) \
    X(rename, KILLED, SYS_rename, world.evidence, "/tmp/kvali-escaped") \
    X(link, KILLED, SYS_link, world.evidence, "/tmp/kvali-escaped") \
    X(symlink, KILLED, SYS_symlink, "/etc", "/tmp/kvali-escaped") \
    X(mkdir, KILLED, SYS_mkdir, "/tmp/kvali-escaped", 0700) \
    X(mknod, KILLED, SYS_mknod, "/tmp/kvali-escaped", 0600, 0) \
    X(chmod, KILLED, SYS_chmod, world.evidence, 0777) \
    X(chown, KILLED, SYS_chown, world.evidence, 0, 0) \
    X(truncate, KILLED, SYS_truncate, world.evidence, 0) \
    /* look around: harmless, and libraries do it */ \
    X(stat, EACCES, SYS_stat, "/etc/passwd", page) \
    X(lstat, EACCES, SYS_lstat, "/etc/passwd", page) \
    X(newfstatat, EACCES, SYS_newfstatat, AT_FDCWD, "/etc/passwd", page, 0) \
    X(statx, EACCES, SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0, page) \
    X(access, EACCES, SYS_access, "/etc/passwd", R_OK) \
    X(readlink, EACCES, SYS_readlink, "/proc/self/exe", page, sizeof page) \
    X(getcwd, EACCES, SYS_getcwd, page, sizeof page) \
    X(chdir, EACCES, SYS_chdir, "/") \
    X(uname, EACCES, SYS_uname, page) \
    /* the network and other processes' sockets */ \
    X(socket_inet, KILLED, SYS_socket, AF_INET, SOCK_STREAM, 0) \
    X(socket_udp, KILLED, SYS_socket, AF_INET6, SOCK_DGRAM, 0) \
    X(socket_unix, KILLED, SYS_socket, AF_UNIX, SOCK_STREAM, 0) \
    X(socket_netlink, KILLED, SYS_socket, AF_NETLINK, SOCK_RAW, 0) \
    X(socketpair, KILLED, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, page) \
    X(connect, KILLED, SYS_connect, world.socket[0], &address, sizeof address) \
    X(bind, KILLED, SYS_bind, world.socket[0], &address, sizeof address) \
    X(send_to_another, KILLED, SYS_sendto, world.socket[0], "x", 1, 0, &address, sizeof address) \
    X(accept, KILLED, SYS_accept4, world.socket[0], NULL, NULL, 0) \
    /* programs and processes */ \
    X(execve, KILLED, SYS_execve, "/bin/true", NULL, NULL) \
    X(execveat, KILLED, SYS_execveat, world.fd, "", NULL, NULL, AT_EMPTY_PATH) \
    X(fork, KILLED, SYS_fork) \
    X(vfork, KILLED, SYS_vfork) \
    X(clone, KILLED, SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, 0L) \
    X(clone_sibling, KILLED, SYS_clone, (long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, 0L) \
    X(clone3, KILLED, SYS_clone3, &plain_clone, sizeof plain_clone) \
    X(ptrace, KILLED, SYS_ptrace, 16, world.test, NULL, NULL) \
    X(kill_supervisor, KILLED, SYS_kill, world.test, SIGTERM) \
    X(abort_supervisor, KILLED, SYS_tgkill, world.test, world.test, SIGABRT) \
    X(tkill_supervisor, KILLED, SYS_tkill, world.test, SIGABRT) \
    X(queue_to_supervisor, KILLED, SYS_rt_sigqueueinfo, world.test, SIGTERM, page) \
    X(read_supervisor, KILLED, SYS_process_vm_readv, world.test, &vector, 1, &vector, 1, 0) \
    X(write_supervisor, KILLED, SYS_process_vm_writev, world.test, &vector, 1, &vector, 1, 0) \
    X(pidfd_open, KILLED, SYS_pidfd_open, world.test, 0) \
    X(pidfd_getfd, KILLED, SYS_pidfd_getfd, world.fd, 0, 0) \
    /* code, and memory that the limit does not count */ \
    X(map_executable, KILLED, SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) \
    X(map_file_executable, KILLED, SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, world.fd, 0) \
    X(make_executable, KILLED, SYS_mprotect, (long)page & -4096L, 4096, PROT_READ | PROT_EXEC) \
    X(make_executable_by_key, KILLED, SYS_pkey_mprotect, (long)page & -4096L, 4096, PROT_EXEC, -1) \
    X(map_shared, KILLED, SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) \
    X(map_stack, KILLED, SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) \
    X(memfd_create, KILLED, SYS_memfd_create, "x", 0) \
    X(shmget, KILLED, SYS_shmget, 0, 4096, 0600) \
    X(userfaultfd, KILLED, SYS_userfaultfd, 0) \
    X(personality, KILLED, SYS_personality, 0x0400000) \
    /* the kernel's attack surface */ \
    X(io_uring_setup, KILLED, SYS_io_uring_setup, 1, page) \
    X(bpf, KILLED, SYS_bpf, 0, page, 64) \
    X(keyctl, KILLED, SYS_keyctl, 0, 0) \
    X(add_key, KILLED, SYS_add_key, "user", "x", "x", 1, -3) \
    X(perf_event_open, KILLED, SYS_perf_event_open, page, 0, -1, -1, 0) \
    X(mount, KILLED, SYS_mount, "none", "/", "tmpfs", 0, NULL) \
    X(open_tree, KILLED, SYS_open_tree, AT_FDCWD, "/", 0) \
    X(chroot, KILLED, SYS_chroot, "/") \
    X(unshare, KILLED, SYS_unshare, CLONE_NEWUSER) \
    X(setns, KILLED, SYS_setns, world.fd, 0) \
    X(init_module, KILLED, SYS_init_module, page, 1, "") \
    X(inotify_init, KILLED, SYS_inotify_init1, 0) \
    X(terminal_input, EACCES, SYS_ioctl, STDERR_FILENO, TIOCSTI, "x") \
    X(modify_ldt, KILLED, SYS_modify_ldt, 0, page, 16) \
    X(x32_call, KILLED, 0x40000000L | SYS_getpid) \
    X(unknown_call, KILLED, 1023L) \
    /* its own bonds */ \
    X(setuid, KILLED, SYS_setuid, 0) \
    X(setresuid, KILLED, SYS_setresuid, NOBODY, NOBODY, NOBODY) \
    X(capset, KILLED, SYS_capset, page, page) \
    X(another_filter, KILLED, SYS_seccomp, 1, 0, page) \
    X(landlock, KILLED, SYS_landlock_create_ruleset, NULL, 0, 1) \
    X(outlive_supervisor, EACCES, SYS_prctl, PR_SET_PDEATHSIG, 0) \
    X(become_dumpable, EACCES, SYS_prctl, PR_SET_DUMPABLE, 1) \
    X(raise_limit, EACCES, SYS_prlimit64, 0, RLIMIT_DATA, NULL, NULL) \
    X(duplicate, EACCES, SYS_dup, world.fd) \
    X(descriptor_flags, EACCES, SYS_fcntl, world.spool, F_GETFL) \
    X(signals_from_descriptor, KILLED, SYS_fcntl, world.spool, F_SETOWN, world.test)

#define FOLDER_ATTEMPTS(X) \
    /* Landlock decides about paths */ \
    X(open_absolute, EACCES, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X(open_outside, EACCES, SYS_openat, AT_FDCWD, world.outside, O_RDONLY) \
    X(open_parent, EACCES, SYS_openat, AT_FDCWD, in_folder(".."), O_RDONLY | O_DIRECTORY) \
    X(open_dot_dot, EACCES, SYS_openat, AT_FDCWD, in_folder("../../etc/passwd"), O_RDONLY) \
    X(open_deep_dot_dot, EACCES, SYS_openat, AT_FDCWD, in_folder("sub/../../../etc/passwd"), O_RDONLY) \
    X(open_link_out, EACCES, SYS_openat, AT_FDCWD, in_folder("link-out"), O_RDONLY) \
    X(open_own_memory, EACCES, SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY) \
    X(open_by_openat2, EACCES, SYS_openat2, AT_FDCWD, world.evidence, &how_read, sizeof how_read) \
    /* and seccomp about writing, whatever the path */ \
    X(open_to_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_WRONLY) \
    X(open_to_read_and_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDWR) \
    X(open_truncating, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDONLY | O_TRUNC) \
    X(open_appending, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_WRONLY | O_APPEND) \
    X(reopen_to_write, EACCES, SYS_openat, AT_FDCWD, world.self_fd, O_RDWR) \
    X(create, EACCES, SYS_openat, AT_FDCWD, in_folder("new"), O_RDONLY | O_CREAT, 0600) \
    X(create_nameless, EACCES, SYS_openat, AT_FDCWD, world.folder, O_RDWR | O_TMPFILE, 0600) \
    X(write_evidence, EBADF, SYS_write, world.fd, "x", 1) \
    X(unlink, KILLED, SYS_unlink, world.evidence) \
    X(rename, KILLED, SYS_rename, world.evidence, in_folder("new")) \
    X(chmod, KILLED, SYS_chmod, world.evidence, 0777) \
    X(open_by_handle, KILLED, SYS_open_by_handle_at, AT_FDCWD, page, O_RDONLY) \
    X(chroot, KILLED, SYS_chroot, world.folder) \
    X(signal_owner, KILLED, SYS_fcntl, world.spool, F_SETOWN, world.test) \
    X(socket, KILLED, SYS_socket, AF_INET, SOCK_STREAM, 0) \
    X(execve, KILLED, SYS_execve, "/bin/true", NULL, NULL) \
    X(fork, KILLED, SYS_fork) \
    X(become_root, KILLED, SYS_setuid, 0)

#define ZYGOTE_ATTEMPTS(X) \
    X(open_absolute, EACCES, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X(open_beside_evidence, EACCES, SYS_openat, AT_FDCWD, in_folder("sub/deep.txt"), O_RDONLY) \
    X(list_evidence_folder, EACCES, SYS_openat, AT_FDCWD, world.folder, O_RDONLY | O_DIRECTORY) \
    X(open_evidence_to_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDWR) \
    X(reopen_to_write, EACCES, SYS_openat, AT_FDCWD, world.self_fd, O_RDWR) \
    X(create, EACCES, SYS_openat, AT_FDCWD, "/tmp/kvali-escaped", O_WRONLY | O_CREAT, 0600) \
    X(write_evidence, EBADF, SYS_pwrite64, world.fd, "x", 1, 0) \
    X(lock_out_others, KILLED, SYS_flock, world.fd, LOCK_EX) \
    X(discard_on_evidence, KILLED, SYS_ioctl, world.fd, BLKDISCARD, page) \
    X(terminal_input, EACCES, SYS_ioctl, STDERR_FILENO, TIOCSTI, "x") \
    X(unlink, KILLED, SYS_unlink, world.evidence) \
    X(execve, KILLED, SYS_execve, "/bin/true", NULL, NULL) \
    X(fork, KILLED, SYS_fork) \
    X(own_child, KILLED, SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, 0L) \
    X(thread, KILLED, SYS_clone, (long)(CLONE_VM | CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, 0L) \
    X(new_namespace, KILLED, SYS_clone, (long)(CLONE_NEWUSER | CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, 0L) \
    X(clone3, KILLED, SYS_clone3, &plain_clone, sizeof plain_clone) \
    X(socket, KILLED, SYS_socket, AF_UNIX, SOCK_STREAM, 0) \
    X(connect, KILLED, SYS_connect, world.socket[0], &address, sizeof address) \
    X(ptrace, KILLED, SYS_ptrace, 16, world.test, NULL, NULL) \
    X(kill_supervisor, KILLED, SYS_kill, world.test, SIGTERM) \
    X(map_executable, KILLED, SYS_mmap, NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) \
    X(make_executable, KILLED, SYS_mprotect, (long)page & -4096L, 4096, PROT_READ | PROT_EXEC) \
    X(become_root, KILLED, SYS_setresuid, 0, 0, 0) \
    X(join_group, KILLED, SYS_setgroups, 1, page) \
    X(limit_supervisor, KILLED, SYS_prlimit64, world.test, RLIMIT_CPU, page, NULL) \
    X(keep_capabilities, KILLED, SYS_prctl, PR_SET_SECUREBITS, 1) \
    X(mount, KILLED, SYS_mount, "none", "/", "tmpfs", 0, NULL) \
    X(io_uring_setup, KILLED, SYS_io_uring_setup, 1, page) \
    X(x32_call, KILLED, 0x40000000L | SYS_getpid)

struct attempt {
    const char *name;
    int expected;
    long (*make)(void);
};

#define WORKER_CALL(name, expected, ...) static long worker_##name(void) { return syscall(__VA_ARGS__); }
#define FOLDER_CALL(name, expected, ...) static long folder_##name(void) { return syscall(__VA_ARGS__); }
#define ZYGOTE_CALL(name, expected, ...) static long zygote_##name(void) { return syscall(__VA_ARGS__); }
WORKER_ATTEMPTS(WORKER_CALL)
FOLDER_ATTEMPTS(FOLDER_CALL)
ZYGOTE_ATTEMPTS(ZYGOTE_CALL)
#define WORKER_ROW(name, expected, ...) {#name, expected, worker_##name},
#define FOLDER_ROW(name, expected, ...) {#name, expected, folder_##name},
#define ZYGOTE_ROW(name, expected, ...) {#name, expected, zygote_##name},
static const struct attempt worker_attempts[] = {WORKER_ATTEMPTS(WORKER_ROW) {0}};
static const struct attempt folder_attempts[] = {FOLDER_ATTEMPTS(FOLDER_ROW) {0}};
static const struct attempt zygote_attempts[] = {ZYGOTE_ATTEMPTS(ZYGOTE_ROW) {0}};
/* clang-format on */

static const struct attempt *current;

static int make_attempt(void)
{
    return current->make() >= 0 ? 0 : errno;
}

static bool is_as_expected(int status, int expected)
{
    if (expected == KILLED)
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    return WIFEXITED(status) && WEXITSTATUS(status) == expected;
}

static void check_attempts(enum where where, const struct attempt *attempts)
{
    for (current = attempts; current->name; current++) {
        int status = run(where, make_attempt);
        cr_expect(is_as_expected(status, current->expected), "%s%s: wait status %#x, expected %s",
                  current->name, world.user ? " as a user" : "", (unsigned)status,
                  current->expected == KILLED ? "SIGSYS" : strerrorname_np(current->expected));
    }
    cr_expect(access("/tmp/kvali-escaped", F_OK) != 0);
}

static void check_worker_attempts(void)
{
    check_attempts(WORKER, worker_attempts);
}

static void check_folder_attempts(void)
{
    world.as_folder = true;
    check_attempts(WORKER, folder_attempts);
}

static void check_zygote_attempts(void)
{
    check_attempts(ZYGOTE, zygote_attempts);
}

Test(sandbox, a_worker_cannot_get_out)
{
    twice(check_worker_attempts);
}

Test(sandbox, a_worker_with_a_folder_stays_below_it_and_cannot_write)
{
    twice(check_folder_attempts);
}

Test(sandbox, the_zygote_opens_evidence_read_only_and_forks_workers_and_no_more)
{
    twice(check_zygote_attempts);
}

#ifdef __x86_64__
static int call_as_i386(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "r8", "r9", "r10", "r11", "memory"); /* getpid */
    return result > 0 ? 0 : 1;
}

Test(sandbox, a_worker_cannot_make_i386_calls)
{
    int status = run(WORKER, call_as_i386);
    cr_expect(WIFSIGNALED(status)); /* SIGSYS; SIGSEGV where the kernel has no i386 at all */
}
#endif

/* ---- What must work ---- */

#define NEED(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            dprintf(STDERR_FILENO, "line %d: %s: %s\n", __LINE__, #condition, strerrordesc_np(errno));       \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static int do_the_work(void)
{
    char text[16] = "";
    NEED(read(world.fd, text, 8) == 8 && memcmp(text, "evidence", 8) == 0);
    NEED(pread(world.fd, text, 4, 4) == 4 && memcmp(text, "ence", 4) == 0);
    NEED(lseek(world.fd, 0, SEEK_END) == 8);
    NEED(syscall(SYS_fstat, world.fd, page) == 0);
    NEED(pwrite(world.spool, "spool", 5, 0) == 5 && ftruncate(world.spool, 8192) == 0);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, world.spool, 0);
    NEED(map != MAP_FAILED && memcmp(map, "spool", 5) == 0 && munmap(map, 8192) == 0);
    map = malloc(100 << 20);
    NEED(map);
    memset(map, 1, 100 << 20);
    NEED((map = realloc(map, 150 << 20)) && map[100] == 1);
    free(map);
    NEED(send(world.socket[0], "hello", 5, 0) == 5);
    NEED(recv(world.socket[0], text, sizeof text, 0) == 2 && memcmp(text, "ok", 2) == 0);
    struct timespec now;
    NEED(clock_gettime(CLOCK_REALTIME, &now) == 0 && time(NULL) > 0);
    NEED(getppid() == world.test && syscall(SYS_gettid) == getpid());
    NEED(getrandom(text, sizeof text, 0) == sizeof text);
    NEED(write(STDERR_FILENO, "", 0) == 0 && close(world.fd) == 0);
    return 0;
}

static void check_work(void)
{
    char text[16];
    cr_assert(write(world.socket[1], "ok", 2) == 2);
    int status = run(WORKER, do_the_work);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
    cr_expect(recv(world.socket[1], text, sizeof text, MSG_DONTWAIT) == 5);
}

Test(sandbox, a_worker_reads_evidence_writes_the_spool_and_talks)
{
    twice(check_work);
}

static int work_in_folder(void)
{
    char text[64] = "";
    int folder = openat(AT_FDCWD, world.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    NEED(folder >= 0);
    int file = openat(folder, "disk.raw", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    NEED(file >= 0 && read(file, text, 8) == 8 && memcmp(text, "evidence", 8) == 0);
    NEED(openat(folder, "sub/deep.txt", O_RDONLY) >= 0 && openat(folder, "link-in", O_RDONLY) >= 0);
    NEED(readlinkat(folder, "link-out", text, sizeof text) > 0);
    NEED(syscall(SYS_statx, folder, "sub", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, page) == 0);
    int list = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    NEED(list >= 0 && syscall(SYS_getdents64, list, page, sizeof page) > 0);
    NEED(fcntl(file, F_GETFD) >= 0 && fcntl(file, F_GETFL) >= 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0);
    /* A path descriptor is no way in: nothing can be read through it. */
    int outside = openat(AT_FDCWD, world.outside, O_PATH);
    NEED(outside < 0 || (read(outside, text, 1) < 0 && errno == EBADF));
    return 0;
}

static void check_folder_work(void)
{
    world.as_folder = true;
    int status = run(WORKER, work_in_folder);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, a_worker_with_a_folder_opens_lists_and_stats_below_it)
{
    twice(check_folder_work);
}

static int read_closed_file(void)
{
    NEED(open(in_folder("closed"), O_RDONLY) >= 0);
    return 0;
}

Test(sandbox, a_worker_with_a_folder_started_by_root_reads_what_only_root_may_read)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
    make_file(in_folder("closed"), "x");
    cr_assert(chown(in_folder("closed"), 1234, 1234) == 0 && chmod(in_folder("closed"), 0) == 0);
    world.as_folder = true;
    cr_expect(run(WORKER, read_closed_file) == 0);
}

static int zygote_work(void)
{
    char text[64];
    struct stat about;
    NEED(read(world.fd, text, 8) == 8 && fstat(world.fd, &about) == 0 && about.st_size == 8);
    NEED(stat(world.evidence, &about) == 0 && access(world.evidence, R_OK) == 0);
    NEED(flock(world.fd, LOCK_SH) == 0 && fcntl(world.fd, F_GETFL) >= 0 && isatty(world.fd) == 0);
    NEED(ioctl(world.fd, BLKGETSIZE64, page) < 0 && errno == ENOTTY);
    NEED(ioctl(world.fd, BLKSSZGET, page) < 0 && errno == ENOTTY);
    return 0;
}

static void check_zygote_work(void)
{
    int status = run(ZYGOTE, zygote_work);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, the_zygote_reads_the_evidence_and_asks_for_its_size)
{
    twice(check_zygote_work);
}

/* ---- Limits and deaths ---- */

static int fill_spool(void)
{
    static char block[65536];
    for (uint64_t done = 0; done < SPOOL; done += sizeof block)
        NEED(write(world.spool, block, sizeof block) == sizeof block);
    NEED(write(world.spool, block, 1) < 0 && errno == EFBIG); /* and SIGXFSZ did not kill */
    NEED(ftruncate(world.spool, 2 * SPOOL) < 0 && errno == EFBIG);
    return 0;
}

Test(sandbox, a_full_spool_is_an_error_not_a_death)
{
    cr_expect(run(WORKER, fill_spool) == 0);
}

static int eat_memory(void)
{
    const size_t step = 8 << 20;
    uint64_t total = 0;
    char *volatile block; /* volatile: or the compiler leaves malloc out */
    while ((block = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
               MAP_FAILED &&
           total < 2 * MEMORY)
        total += step;
    NEED(errno == ENOMEM);
    NEED(total <= MEMORY && total >= MEMORY - 2 * step);
    NEED(WITH_ASAN || !(block = malloc(16 << 20)));
    NEED(WITH_ASAN || sbrk(16 << 20) == (void *)-1);
    return 0;
}

static void check_memory(void)
{
    int status = run(WORKER, eat_memory);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, beyond_the_memory_limit_there_is_ENOMEM)
{
    twice(check_memory);
}

static int call_abort(void)
{
    abort();
}

Test(sandbox, abort_dies_of_SIGABRT)
{
    int status = run(WORKER, call_abort);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status), "%#x",
              (unsigned)status);
}

/* Long enough to count as for ever; yet a sandbox that fails this test leaves nothing that burns the
 * processor. */
static int loop(void)
{
    time_t end = time(NULL) + 5;
    while (time(NULL) < end)
        ;
    return 0;
}

/* The supervisor of a worker that hangs: tells the worker's pid and is then killed. */
static pid_t start_supervisor(pid_t *ret_worker)
{
    int report[2];
    cr_assert(pipe2(report, O_CLOEXEC) == 0);
    pid_t supervisor = fork();
    if (supervisor == 0) {
        pid_t worker = start(WORKER, loop);
        if (write(report[1], &worker, sizeof worker) != sizeof worker)
            _exit(1);
        for (;;)
            pause();
    }
    close(report[1]);
    cr_assert(read(report[0], ret_worker, sizeof *ret_worker) == sizeof *ret_worker && *ret_worker > 0);
    close(report[0]);
    return supervisor;
}

static void check_orphan(void)
{
    pid_t worker = 0;
    int status = 0;
    cr_assert(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); /* the orphan comes to us */
    pid_t supervisor = start_supervisor(&worker);
    usleep(20000); /* into the loop: what counts is that it is past its sandbox_worker, or has died there of
                      -ESRCH */
    kill(supervisor, SIGKILL);
    cr_assert(waitpid(supervisor, &status, 0) == supervisor && waitpid(worker, &status, 0) == worker);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%#x", (unsigned)status);
}

Test(sandbox, a_looping_worker_dies_with_its_supervisor, .timeout = 20)
{
    twice(check_orphan);
}

static int fork_two(void)
{
    for (int i = 0; i < 2; i++) {
        int pid = sandbox_fork_sibling();
        if (pid == 0)
            _exit(40 + i);
        NEED(write(world.socket[0], &pid, sizeof pid) == sizeof pid);
    }
    return 0;
}

static void check_siblings(void)
{
    int status = 0;
    pid_t pid = 0;
    cr_assert(run(ZYGOTE, fork_two) == 0);
    for (int i = 0; i < 2; i++) {
        cr_assert(read(world.socket[1], &pid, sizeof pid) == sizeof pid);
        cr_expect(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
    }
}

Test(sandbox, workers_are_children_of_the_zygotes_parent)
{
    twice(check_siblings);
}

static int check_foreign_parent(void)
{
    struct sandbox_options options = options_for(1);
    struct sandbox_state state = {.uid = 7};
    struct why why = {""};
    NEED(sandbox_worker(&options, &state, &why) == -ESRCH && state.uid == 7 && why.text[0]);
    return 0;
}

/* ---- What the kernel says about it ---- */

static int wait_for_word(void)
{
    NEED(send(world.socket[0], &world.worker, sizeof world.worker, 0) == sizeof world.worker);
    NEED(recv(world.socket[0], page, 1, 0) == 1);
    return 0;
}

/* What a line of /proc/PID/`file` says after `name` and blanks. */
static const char *kernel_says(pid_t pid, const char *file, const char *name)
{
    static char line[256];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *stream = fopen(path, "r");
    cr_assert(stream);
    while (fgets(line, sizeof line, stream) && strncmp(line, name, strlen(name)) != 0)
        ;
    fclose(stream);
    line[strcspn(line, "\n")] = 0;
    return line + strlen(name) + strspn(line + strlen(name), "\t ");
}

static const char *status_of(pid_t pid, const char *name)
{
    return kernel_says(pid, "status", name);
}

static void check_limits(pid_t pid)
{
    char path[64];
    struct stat about;
    unsigned long long soft = 0, hard = 0;
    const struct {
        const char *name;
        unsigned long long value;
    } limits[] = {
        {"Max core file size", 0}, {"Max processes", 0}, {"Max file size", SPOOL}, {"Max open files", 16}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits - world.as_folder; i++) {
        sscanf(kernel_says(pid, "limits", limits[i].name), "%llu %llu", &soft, &hard);
        cr_expect(soft == limits[i].value && hard == soft, "%s: %llu %llu", limits[i].name, soft, hard);
    }
    /* Root's, whoever it runs as: not dumpable, not traceable. */
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    cr_expect(stat(path, &about) == 0 && about.st_uid == 0);
}

static void check_status(void)
{
    bool folder_as_root = world.as_folder && !world.user && geteuid() == 0;
    struct sandbox_state state = {0};
    int status = 0;
    pid_t pid = start(WORKER, wait_for_word);
    cr_assert(pid > 0 && recv(world.socket[1], &state, sizeof state, 0) == sizeof state);
    const char *capabilities = folder_as_root ? "0000000000000004" : "0000000000000000";
    cr_expect_str_eq(status_of(pid, "Seccomp:"), "2");
    cr_expect_str_eq(status_of(pid, "NoNewPrivs:"), "1");
    cr_expect_str_eq(status_of(pid, "CapEff:"), capabilities);
    cr_expect_str_eq(status_of(pid, "CapPrm:"), capabilities);
    cr_expect_str_eq(status_of(pid, "CapInh:"), "0000000000000000");
    cr_expect_str_eq(status_of(pid, "CapAmb:"), "0000000000000000");
    if (geteuid() == 0 && !world.user)
        cr_expect_str_eq(status_of(pid, "CapBnd:"), "0000000000000000");
    if (geteuid() == 0) {
        cr_expect_str_eq(status_of(pid, "Uid:"),
                         folder_as_root ? "0\t0\t0\t0" : "65534\t65534\t65534\t65534");
        cr_expect_str_eq(status_of(pid, "Gid:"),
                         folder_as_root ? "0\t0\t0\t0" : "65534\t65534\t65534\t65534");
        if (!folder_as_root)
            cr_expect_str_empty(status_of(pid, "Groups:"));
    }
    check_limits(pid);
    cr_expect(state.seccomp && state.no_new_privs && state.landlock && state.landlock_abi >= 1 &&
              !state.missing[0]);
    cr_expect(state.capabilities_dropped == !folder_as_root);
    cr_assert(write(world.socket[1], "x", 1) == 1 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void check_folder_status(void)
{
    world.as_folder = true;
    check_status();
}

Test(sandbox, the_kernel_shows_a_worker_as_confined)
{
    twice(check_status);
    twice(check_folder_status);
}

Test(sandbox, a_worker_whose_supervisor_is_gone_does_not_start)
{
    cr_expect(run(ZYGOTE, check_foreign_parent) == 0);
}

/* ---- Kernels that lack something, simulated ---- */

static bool weak;

/* Status of a child that closes first the zygote's stage, then the worker's, and runs `body` there: 2 for
 * -ENOTSUP. */
static int run_pretending(const char *words, bool (*body)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox_options options = options_for(getppid());
        struct why why = {""};
        options.weak = weak;
        if (setenv("KVALI_SANDBOX", words, 1))
            _exit(3);
        int r = sandbox_zygote(&options, &world.zygote, &why);
        r = r ? r : sandbox_worker(&options, &world.worker, &why);
        if (r)
            _exit(r == -ENOTSUP && strstr(why.text, "missing") ? 2 : 3);
        _exit(body() ? 0 : 1);
    }
    cr_assert(waitpid(pid, &status, 0) == pid);
    return status;
}

static bool lacks_landlock_only(void)
{
    return !world.zygote.landlock && !world.worker.landlock && world.worker.landlock_abi == 0 &&
           world.worker.seccomp && strcmp(world.worker.missing, "Landlock") == 0 &&
           open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
}

/* The other half of the folder's protection, on its own. */
static bool seccomp_alone_keeps_from_writing(void)
{
    bool can_read = open(world.evidence, O_RDONLY) >= 0;
    static const int ways[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT, O_RDONLY | O_APPEND};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (open(world.evidence, ways[i], 0600) >= 0 || errno != EACCES)
            return false;
    return can_read && open(world.folder, O_RDWR | O_TMPFILE, 0600) < 0 && errno == EACCES &&
           strstr(world.worker.missing, "outside the folder");
}

static bool lacks_seccomp_only(void)
{
    return world.worker.landlock && !world.worker.seccomp && strcmp(world.worker.missing, "seccomp") == 0 &&
           open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
}

static bool lacks_both(void)
{
    char words[512];
    sandbox_describe(&world.worker, words, sizeof words);
    return strncmp(words, "no seccomp, no Landlock, uid ", 29) == 0 &&
           strstr(words, "missing: Landlock; seccomp");
}

Test(sandbox, a_kernel_without_it_is_refused)
{
    cr_expect(WEXITSTATUS(run_pretending("nolandlock", lacks_both)) == 2);
    cr_expect(WEXITSTATUS(run_pretending("noseccomp", lacks_both)) == 2);
    world.as_folder = true;
    cr_expect(WEXITSTATUS(run_pretending("nolandlock", lacks_both)) == 2);
}

Test(sandbox, when_weak_is_chosen_it_goes_on_with_what_there_is_and_says_what_is_missing)
{
    weak = true;
    cr_expect(run_pretending("nolandlock", lacks_landlock_only) == 0);
    cr_expect(run_pretending("noseccomp", lacks_seccomp_only) == 0);
    cr_expect(run_pretending("nolandlock,noseccomp", lacks_both) == 0);
    world.as_folder = true;
    cr_expect(run_pretending("nolandlock", seccomp_alone_keeps_from_writing) == 0);
}

Test(sandbox, a_missing_evidence_path_is_named)
{
    struct sandbox_options options = options_for(getpid());
    struct sandbox_state state = {.uid = 7};
    struct why why = {""};
    int status = -1;
    fflush(NULL);
    if (fork() == 0) {
        unlink(world.evidence);
        int r = sandbox_zygote(&options, &state, &why);
        _exit(r == -ENOENT && strstr(why.text, world.evidence) && state.uid == 7 ? 0 : 1);
    }
    cr_expect(wait(&status) > 0 && status == 0);
}

/* ---- For developers ---- */

static int make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

Test(sandbox, trap_names_the_forbidden_call)
{
    char text[512] = "";
    int errors[2];
    cr_assert(pipe2(errors, O_CLOEXEC) == 0 && setenv("KVALI_SANDBOX", "trap", 1) == 0);
    world.errors = errors[1];
    int status = run(WORKER, make_socket);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 159, "%#x", (unsigned)status);
    cr_assert(read(errors[0], text, sizeof text - 1) > 0);
    cr_expect(strstr(text, "(socket)"), "%s", text);
}

Test(sandbox, describe_is_for_people)
{
    struct sandbox_state state = {
        .seccomp = true, .landlock = true, .landlock_abi = 4, .uid = NOBODY, .capabilities_dropped = true};
    char words[128];
    sandbox_describe(&state, words, sizeof words);
    cr_expect_str_eq(words, "seccomp, Landlock ABI 4, uid 65534, no capabilities");
}
