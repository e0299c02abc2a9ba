/*
 * escape: on a stream that begins with "ESCAPEME " and a word, tries to do what the word says with a system
 * call of its own, and records what the kernel answered; if it can still record anything.
 *
 * What it does would be harmless if it were allowed: it opens /etc/passwd, makes a socket, starts /bin/true,
 * forks a child that ends, writes one byte to the first byte of every file that is open and has a name, sends
 * SIGCONT to its parent.
 */
#include "tests/hostile/word.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct field escape_fields[] = {
    {"action", FIELD_TEXT, "", "what it tried"},
    {"answer", FIELD_TEXT, "", "the error's name, or \"done\""},
    {"errno", FIELD_U64, "", "the error's number, 0 for none"},
};
static const struct record_type escape_type = {"escape", 1, "an attempt to get out", escape_fields, 3};
static const struct record_type *const emits[] = {&escape_type, NULL};

static long try_open(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long try_socket(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long try_exec(void)
{
    static const char *const arguments[] = {"true", NULL};

    return syscall(SYS_execve, "/bin/true", arguments, NULL);
}

static long try_fork(void)
{
    long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, 0UL);

    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid;
}

/* The spool is unlinked, and its own to write to; what has a name and a content is evidence, or worse. */
static long try_write(void)
{
    struct stat status;
    long worst = -1;

    errno = ENOENT;
    for (int fd = 3; fd < 1024; fd++) {
        if (syscall(SYS_fstat, fd, &status) != 0 || status.st_nlink == 0 || status.st_size == 0)
            continue;
        if (syscall(SYS_pwrite64, fd, "X", 1UL, 0L) == 1)
            return 1;
        worst = -errno;
    }
    if (worst < -1)
        errno = (int)-worst;
    return -1;
}

static long try_kill(void)
{
    return syscall(SYS_kill, getppid(), SIGCONT);
}

static const struct {
    const char *word;
    long (*attempt)(void);
} actions[] = {
    {"open", try_open}, {"socket", try_socket}, {"exec", try_exec},
    {"fork", try_fork}, {"write", try_write},   {"kill", try_kill},
};

static enum plugin_want escape_start(struct scan *scan)
{
    return begins_with(scan, "ESCAPEME ") ? PLUGIN_PEEK : PLUGIN_SKIP;
}

static int escape_finish(struct scan *scan, enum scan_status status)
{
    (void)status;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        const uint8_t *data;
        size_t length = strlen(actions[i].word);
        int error = 0;

        if (scan_peek(scan, 9, length, &data) != 0 || memcmp(data, actions[i].word, length) != 0)
            continue;
        if (actions[i].attempt() < 0)
            error = errno;
        return scan_emit(scan, &escape_type,
                         (const struct value[]){
                             value_text(actions[i].word),
                             value_text(error != 0 ? strerrorname_np(error) : "done"),
                             value_u64((uint64_t)error),
                         });
    }
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "escape",
    .summary = "tries to get out on ESCAPEME",
    .emits = emits,
    .start = escape_start,
    .finish = escape_finish,
};
