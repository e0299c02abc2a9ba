/*
 * The proof of the sandbox: everything that a worker which has been taken over might try, from inside a real
 * one. Each attempt gets a zygote and a worker of its own. Started by root, all of it runs twice: as root
 * (the worker becomes uid 65534 by itself) and as an ordinary user.
 */
#include "tests/unit/sandbox_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = -1 };

/* AT_FDCWD without its sign in the upper half of the register, and a bit there. */
static const long HALF_AT_FDCWD = (uint32_t)AT_FDCWD, BEYOND_INT = 1L << 40;

static char page[4096];
static struct iovec vector = {page, 1};
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
static const struct open_how how_read = {.flags = O_RDONLY};
static const struct clone_args plain_clone = {.exit_signal = SIGCHLD};

TestSuite(sandbox_attempts, .init = world_set_up, .fini = world_tear_down, .timeout = 120);

/* Name, how it must fail, call. */

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
    X(open_parent, EACCES, SYS_openat, AT_FDCWD, world_path(".."), O_RDONLY | O_DIRECTORY) \
    X(open_dot_dot, EACCES, SYS_openat, AT_FDCWD, world_path("../../etc/passwd"), O_RDONLY) \
    X(open_deep_dot_dot, EACCES, SYS_openat, AT_FDCWD, world_path("sub/../../../etc/passwd"), O_RDONLY) \
    X(open_link_out, EACCES, SYS_openat, AT_FDCWD, world_path("link-out"), O_RDONLY) \
    X(open_own_memory, EACCES, SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY) \
    X(open_by_openat2, EACCES, SYS_openat2, AT_FDCWD, world.evidence, &how_read, sizeof how_read) \
    /* and seccomp about writing, whatever the path */ \
    X(open_to_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_WRONLY) \
    X(open_to_read_and_write, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDWR) \
    X(open_truncating, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_RDONLY | O_TRUNC) \
    X(open_appending, EACCES, SYS_openat, AT_FDCWD, world.evidence, O_WRONLY | O_APPEND) \
    X(reopen_to_write, EACCES, SYS_openat, AT_FDCWD, world.self_fd, O_RDWR) \
    X(create, EACCES, SYS_openat, AT_FDCWD, world_path("new"), O_RDONLY | O_CREAT, 0600) \
    X(create_nameless, EACCES, SYS_openat, AT_FDCWD, world.folder, O_RDWR | O_TMPFILE, 0600) \
    X(write_evidence, EBADF, SYS_write, world.fd, "x", 1) \
    X(unlink, KILLED, SYS_unlink, world.evidence) \
    X(rename, KILLED, SYS_rename, world.evidence, world_path("new")) \
    X(chmod, KILLED, SYS_chmod, world.evidence, 0777) \
    X(open_by_handle, KILLED, SYS_open_by_handle_at, AT_FDCWD, page, O_RDONLY) \
    X(chroot, KILLED, SYS_chroot, world.folder) \
    X(signal_owner, KILLED, SYS_fcntl, world.spool, F_SETOWN, world.test) \
    X(socket, KILLED, SYS_socket, AF_INET, SOCK_STREAM, 0) \
    X(execve, KILLED, SYS_execve, "/bin/true", NULL, NULL) \
    X(fork, KILLED, SYS_fork) \
    X(become_root, KILLED, SYS_setuid, 0) \
    /* arguments of which the kernel takes the lower half, and the filter must, too */ \
    X(open_to_write_under_bits, EACCES, SYS_openat, AT_FDCWD, world.evidence, BEYOND_INT | O_WRONLY) \
    X(open_outside_at_half_a_folder, EACCES, SYS_openat, HALF_AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X(signal_owner_under_bits, KILLED, SYS_fcntl, world.spool, BEYOND_INT | F_SETOWN, world.test)

#define ZYGOTE_ATTEMPTS(X) \
    X(open_absolute, EACCES, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X(open_beside_evidence, EACCES, SYS_openat, AT_FDCWD, world_path("sub/deep.txt"), O_RDONLY) \
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
    X(become_root_under_bits, KILLED, SYS_setresuid, BEYOND_INT, BEYOND_INT, BEYOND_INT) \
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
        int status = world_run(where, make_attempt);
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

Test(sandbox_attempts, a_worker_cannot_get_out)
{
    world_twice(check_worker_attempts);
}

Test(sandbox_attempts, a_worker_with_a_folder_stays_below_it_and_cannot_write)
{
    world_twice(check_folder_attempts);
}

Test(sandbox_attempts, the_zygote_opens_evidence_read_only_and_forks_workers_and_no_more)
{
    world_twice(check_zygote_attempts);
}

#ifdef __x86_64__
static int call_as_i386(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "r8", "r9", "r10", "r11", "memory"); /* getpid */
    return result > 0 ? 0 : 1;
}

Test(sandbox_attempts, a_worker_cannot_make_i386_calls)
{
    int status = world_run(WORKER, call_as_i386);
    cr_expect(WIFSIGNALED(status)); /* SIGSYS; SIGSEGV where the kernel has no i386 at all */
}
#endif
