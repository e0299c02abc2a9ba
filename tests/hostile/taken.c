/*
 * taken: a parser that was taken over. On a stream that begins with "TAKEN " and a word it does what the word
 * says, with system calls and messages of its own, and records what the kernel answered, if it can still
 * record anything. tests/campaign/taken.py has a file for every word.
 *
 * What it does would be harmless if it were allowed: signals are number 0, files are opened and not written,
 * calls that change something get arguments that mean nothing.
 */
#include "engine/job/wire.h"
#include "tests/hostile/word.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const struct field taken_fields[] = {
    {"action", FIELD_TEXT, "", "what it tried"},
    {"answer", FIELD_TEXT, "", "the error's name, or \"done\""},
};
static const struct record_type taken_type = {"taken", 1, "an attempt of a parser that was taken over",
                                              taken_fields, 2};
static const struct record_type *const emits[] = {&taken_type, NULL};

static char page[4096];
static struct iovec vector = {page, 1};

/* ------------------------------------------------------------------ system calls */

/* clang-format off */
#define CALLS(X) \
    X("read-passwd", SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) \
    X("read-case", SYS_openat, AT_FDCWD, "case.db", O_RDWR) \
    X("read-proc", SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY) \
    X("own-memory", SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR) \
    X("parent-memory", SYS_process_vm_writev, getppid(), &vector, 1, &vector, 0, 0) \
    X("create", SYS_openat, AT_FDCWD, "/tmp/kvali-escaped", O_WRONLY | O_CREAT, 0600) \
    X("unlink", SYS_unlinkat, AT_FDCWD, "/tmp/kvali-escaped", 0) \
    X("rename", SYS_renameat, AT_FDCWD, "/tmp/kvali-escaped", AT_FDCWD, "/tmp/kvali-out") \
    X("symlink", SYS_symlinkat, "/etc", AT_FDCWD, "/tmp/kvali-escaped") \
    X("by-handle", SYS_open_by_handle_at, AT_FDCWD, page, O_RDONLY) \
    X("inet", SYS_socket, AF_INET, SOCK_STREAM, 0) \
    X("inet6", SYS_socket, AF_INET6, SOCK_DGRAM, 0) \
    X("unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0) \
    X("netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0) \
    X("packet", SYS_socket, AF_PACKET, SOCK_RAW, 0) \
    X("vsock", SYS_socket, AF_VSOCK, SOCK_STREAM, 0) \
    X("alg", SYS_socket, AF_ALG, SOCK_SEQPACKET, 0) \
    X("bluetooth", SYS_socket, AF_BLUETOOTH, SOCK_RAW, 0) \
    X("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, page) \
    X("exec", SYS_execve, "/bin/true", NULL, NULL) \
    X("exec-at", SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0) \
    X("memfd", SYS_memfd_create, "x", 0) \
    X("fork", SYS_fork) \
    X("new-user", SYS_unshare, CLONE_NEWUSER) \
    X("new-net", SYS_unshare, CLONE_NEWNET) \
    X("enter", SYS_setns, 0, 0) \
    X("ptrace", SYS_ptrace, 16, getppid(), NULL, NULL) \
    X("signal-parent", SYS_kill, getppid(), 0) \
    X("signal-all", SYS_kill, -1, 0) \
    X("signal-thread", SYS_tgkill, getppid(), getppid(), 0) \
    X("pidfd", SYS_pidfd_open, getppid(), 0) \
    X("uring", SYS_io_uring_setup, 1, page) \
    X("bpf", SYS_bpf, 0, page, 0) \
    X("perf", SYS_perf_event_open, page, 0, -1, -1, 0) \
    X("keys", SYS_keyctl, 0, 0, 0, 0, 0) \
    X("fault-fd", SYS_userfaultfd, 0) \
    X("mount", SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) \
    X("chroot", SYS_chroot, "/") \
    X("become-root", SYS_setresuid, 0, 0, 0) \
    X("code", SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) \
    X("code-later", SYS_mprotect, (uintptr_t)page & ~UINT64_C(4095), 4096, PROT_READ | PROT_EXEC) \
    X("shm", SYS_shmget, 0, 4096, 0600) \
    X("limits", SYS_prlimit64, getppid(), 7, NULL, page) \
    X("clock", SYS_clock_settime, 0, page) \
    X("ioctl", SYS_ioctl, 0, 0x5412, page)
/* clang-format on */

/* The spool is unlinked, and its own to write to; what has a name and a content is evidence, or worse. */
static long write_inherited(void)
{
    struct stat status;
    long worst = -ENOENT;

    for (int fd = 0; fd < 1024; fd++) {
        if (syscall(SYS_fstat, fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0 ||
            status.st_size == 0)
            continue;
        if (pwrite(fd, "X", 1, 0) == 1)
            return 0;
        worst = -errno;
    }
    errno = (int)-worst;
    return -1;
}

/* Any number: `name` says which; "" when the word is none of these. */
static long do_call(const char *word, bool *ret_known)
{
#define CALL(name, ...)                                                                                      \
    if (strcmp(word, name) == 0)                                                                             \
        return syscall(__VA_ARGS__);
    *ret_known = true;
    CALLS(CALL)
    if (strcmp(word, "inherited") == 0)
        return write_inherited();
    *ret_known = false;
    return 0;
}

/* ------------------------------------------------------------------ messages */

/* The socket to the supervisor. */
static int find_socket(void)
{
    struct stat status;

    for (int fd = 0; fd < 1024; fd++)
        if (syscall(SYS_fstat, fd, &status) == 0 && S_ISSOCK(status.st_mode))
            return fd;
    return -1;
}

static void put(uint8_t **at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *(*at)++ = (uint8_t)(value >> (8 * i));
}

/* Type, length and so many numbers of 32 bits. */
static size_t message(uint8_t *packet, uint8_t type, const uint32_t *numbers, size_t count)
{
    uint8_t *at = packet;

    put(&at, type, 1);
    put(&at, count * 4, 4);
    for (size_t i = 0; i < count; i++)
        put(&at, numbers[i], 4);
    return (size_t)(at - packet);
}

static const struct {
    const char *word;
    uint8_t type;
    size_t count;
    uint32_t numbers[9];
} messages[] = {
    {"another-stream", WIRE_BEGIN, 2, {4000000, 0}},           /* BEGIN of a stream that it was not given */
    {"end-another", WIRE_END, 9, {4000000, 0, 0, 0, 0, 0, 0}}, /* END of one */
    {"done-early", WIRE_DONE, 0, {0}},                         /* DONE before it is */
    {"another-plugin", WIRE_RECORD, 3, {0, 77, 0}},            /* RECORD of a plugin that is not there */
    {"another-type", WIRE_RECORD, 3, {0, 0, 99}},              /* RECORD of a type that is not there */
    {"a-zygote", WIRE_ZYGOTE_READY, 1, {0}},                   /* ZYGOTE_READY from a worker */
    {"no-type", 0, 0, {0}},                                    /* a type that is none */
    {"high-type", 250, 1, {0}},                                /* a type beyond all */
    {"a-volume",
     WIRE_VOLUME,
     4,
     {0xffffffff, 0, 0, 0xffffffff}}, /* VOLUME while it scans, with lengths that are none */
    {"a-child", WIRE_CHILD, 4, {0, 900000, 0xffffffff, 0}}, /* CHILD with a number that is not the next */
    {"greeting", WIRE_WORKER_READY, 1, {0}},                /* WORKER_READY once more */
    {"fatal", WIRE_FATAL, 2, {0x80000000, 0}},              /* FATAL with an error that is none */
};

static void send_packet(const void *data, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)data, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    (void)syscall(SYS_sendmsg, find_socket(), &header, MSG_NOSIGNAL);
}

static void wait_for_the_end(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static bool do_message(const char *word)
{
    static uint8_t packet[1 << 20];

    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strcmp(word, messages[i].word) == 0) {
            send_packet(packet, message(packet, messages[i].type, messages[i].numbers, messages[i].count));
            wait_for_the_end();
        }
    if (strcmp(word, "cut-packet") == 0) {
        send_packet("\x19\xff\xff\xff\xff\x00", 6);
        wait_for_the_end();
    }
    if (strcmp(word, "huge-packet") == 0) { /* longer than the supervisor's buffer */
        memset(packet, 0x19, sizeof packet);
        for (size_t size = 65 * 1024; size < 400 * 1024; size += 16 * 1024)
            send_packet(packet, size);
        wait_for_the_end();
    }
    if (strcmp(word, "flood") == 0) { /* of notes that are as they should be, without end */
        size_t size = 0, one = message(packet, WIRE_NOTE, (uint32_t[]){0, 0, 0, 0, 4, 0x00414141}, 6);
        for (; size + one <= WIRE_PACKET_MAX; size += one)
            memmove(packet + size, packet, one);
        for (;;)
            send_packet(packet, size);
    }
    return false;
}

/* ------------------------------------------------------------------ the plugin */

static enum plugin_want taken_start(struct scan *scan)
{
    return begins_with(scan, "TAKEN ") ? PLUGIN_PEEK : PLUGIN_SKIP;
}

static int taken_finish(struct scan *scan, enum scan_status status)
{
    const uint8_t *data;
    char word[32] = "";
    uint64_t kept = scan_kept(scan);
    size_t size = kept - 6 < sizeof word - 1 ? (size_t)(kept - 6) : sizeof word - 1;
    bool known;

    (void)status;
    if (scan_peek(scan, 6, size, &data) != 0)
        return 0;
    memcpy(word, data, size);
    word[strcspn(word, "\n")] = 0;
    errno = 0;
    long result = do_call(word, &known);
    int error = errno;
    if (!known && !do_message(word))
        return -EINVAL;
    return scan_emit(
        scan, &taken_type,
        (const struct value[]){value_text(word), value_text(result < 0 ? strerrorname_np(error) : "done")});
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "taken",
    .summary = "does what a parser that was taken over might, on TAKEN",
    .emits = emits,
    .start = taken_start,
    .finish = taken_finish,
};
