/*
 * shim: loaded in front of libc (LD_PRELOAD), between one program and one folder. It fails the n-th call, or
 * writes down every change, so that power cuts can be played back. What it does stands in the environment:
 *
 *   KVALI_SHIM_IN     the program: kvali or kvali-worker; in any other it does nothing
 *   KVALI_SHIM_UNDER  the folder, as realpath gives it: only files below it count
 *   KVALI_SHIM_FAIL   CLASS:N:ERRNO[:on]  the N-th call (from 1) of CLASS fails with ERRNO, with ":on" every
 *                     one from there on. CLASS: open, read, write, sync, name (mkdir, rename, unlink,
 *                     truncate), memory (malloc and its kin, wherever they are called). ERRNO 0: half of the
 *                     bytes are written or read; below 0: that signal, before the call
 *   KVALI_SHIM_BAD    OFFSET+SIZE[,...]: reading these bytes of a file is EIO, as a bad disk says it
 *   KVALI_SHIM_CLOCK  seconds: every second look at the time of day is so far off
 *   KVALI_SHIM_COUNT  a file that gets the number of calls of each class at the end
 *   KVALI_SHIM_LOG    a file that gets every change: struct op, then names and bytes (powercut.py reads it)
 *
 * A worker may not ask what a descriptor is: descriptors are remembered when they are opened.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two functions here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum call { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_NAME, CALL_MEMORY, CALLS };
enum { FDS = 4096, BAD_MAX = 64 };

static const char *const call_names[CALLS] = {"open", "read", "write", "sync", "name", "memory"};
static char under[4096], log_path[4096], count_path[4096];
static size_t under_size;
static bool active, ready;
static uint64_t counts[CALLS];
static enum call fail_call = CALLS;
static uint64_t fail_at;
static int fail_errno;
static bool fail_on;
static char *fd_paths[FDS]; /* of descriptors below the folder, without the folder */
static int log_fd = -1;
static struct {
    uint64_t offset, size;
} bad[BAD_MAX];
static size_t bad_count;
static long clock_jump;

/* What powercut.py reads; little endian, no gaps. */
struct op {
    uint32_t kind, path_size, other_size, flags;
    uint64_t offset, size;
};
enum op_kind { OP_CREATE = 1, OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_RENAME, OP_UNLINK, OP_MKDIR };

/* The next function of this name, into `*ret_call`, a pointer to a pointer to it. */
static void next(const char *name, void *ret_call)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(ret_call, &symbol, sizeof symbol);
}

/* ------------------------------------------------------------------ what is wanted */

static void read_fail(const char *text)
{
    char name[16];
    unsigned long long at;
    if (sscanf(text, "%15[a-z]:%llu:%d", name, &at, &fail_errno) != 3)
        return;
    for (int i = 0; i < CALLS; i++)
        if (strcmp(name, call_names[i]) == 0)
            fail_call = (enum call)i;
    fail_at = at;
    fail_on = strstr(text, ":on") != NULL;
}

static void read_bad(const char *text)
{
    unsigned long long offset, size;
    int used;
    while (bad_count < BAD_MAX && sscanf(text, "%llu+%llu%n", &offset, &size, &used) == 2) {
        bad[bad_count].offset = offset;
        bad[bad_count++].size = size;
        text += used;
        text += *text == ',';
    }
}

static void keep(char *ret, size_t size, const char *name)
{
    const char *value = getenv(name);
    snprintf(ret, size, "%s", value ? value : "");
}

__attribute__((constructor)) static void begin(void)
{
    const char *in = getenv("KVALI_SHIM_IN"), *fail = getenv("KVALI_SHIM_FAIL"),
               *list = getenv("KVALI_SHIM_BAD");
    if (in == NULL || strcmp(in, program_invocation_short_name) != 0)
        return;
    keep(under, sizeof under, "KVALI_SHIM_UNDER");
    keep(log_path, sizeof log_path, "KVALI_SHIM_LOG");
    keep(count_path, sizeof count_path, "KVALI_SHIM_COUNT");
    under_size = strlen(under);
    clock_jump = getenv("KVALI_SHIM_CLOCK") ? atol(getenv("KVALI_SHIM_CLOCK")) : 0;
    if (fail)
        read_fail(fail);
    if (list)
        read_bad(list);
    if (*log_path)
        log_fd =
            (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    active = under_size > 0;
    ready = true;
}

__attribute__((destructor)) static void end(void)
{
    if (!active || !*count_path)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, count_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int i = 0; i < CALLS; i++)
        dprintf(fd, "%s %llu\n", call_names[i], (unsigned long long)counts[i]);
    (void)syscall(SYS_close, fd);
}

/* Is it this call's turn to fail? Then errno is set; *ret_short: it is to do half of what it was asked. */
static bool fails(enum call call, bool *ret_short)
{
    uint64_t number = __atomic_add_fetch(&counts[call], 1, __ATOMIC_RELAXED);
    bool hit = call == fail_call && (number == fail_at || (fail_on && number > fail_at));
    if (hit && fail_errno == 0) {
        if (ret_short)
            *ret_short = true;
        return false;
    }
    if (hit && fail_errno < 0)
        (void)syscall(SYS_kill, getpid(), -fail_errno);
    if (hit)
        errno = fail_errno;
    return hit;
}

/* ------------------------------------------------------------------ names */

/* The path below the folder; NULL when it is elsewhere. Paths that are not absolute begin where the program
 * stands. */
static const char *below(int folder, const char *path, char *space, size_t size)
{
    if (*path != '/') {
        char link[64];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, space, size - 1);
        if (length < 0)
            return NULL;
        snprintf(space + length, size - (size_t)length, "/%s", path);
        path = space;
    }
    if (strncmp(path, under, under_size) != 0 || (path[under_size] != '/' && path[under_size] != 0))
        return NULL;
    return path[under_size] ? path + under_size + 1 : "";
}

static void write_op(enum op_kind kind, const char *path, const char *other, uint32_t flags, uint64_t offset,
                     const void *data, uint64_t size)
{
    if (log_fd < 0)
        return;
    struct op op = {kind, (uint32_t)strlen(path), other ? (uint32_t)strlen(other) : 0, flags, offset, size};
    (void)syscall(SYS_write, log_fd, &op, sizeof op);
    (void)syscall(SYS_write, log_fd, path, op.path_size);
    if (other)
        (void)syscall(SYS_write, log_fd, other, op.other_size);
    if (data)
        (void)syscall(SYS_write, log_fd, data, size);
}

static const char *path_of(int fd)
{
    return active && fd >= 0 && fd < FDS ? fd_paths[fd] : NULL;
}

/* ------------------------------------------------------------------ opening */

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    char space[8192];
    bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
    const char *name = active && !temporary ? below(folder, path, space, sizeof space) : NULL;
    if (name == NULL)
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fails(CALL_OPEN, NULL))
        return -1;
    struct stat status;
    bool there = syscall(SYS_newfstatat, folder, path, &status, 0) == 0;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd < 0 || fd >= FDS)
        return fd;
    free(fd_paths[fd]);
    fd_paths[fd] = strdup(name);
    if (!there && (flags & O_CREAT))
        write_op(OP_CREATE, name, NULL, 0, 0, NULL, 0);
    if (there && (flags & O_TRUNC))
        write_op(OP_TRUNCATE, name, NULL, 0, 0, NULL, 0);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPEN(name)                                                                                           \
    int name(const char *path, int flags, ...)                                                               \
    {                                                                                                        \
        va_list args;                                                                                        \
        va_start(args, flags);                                                                               \
        int fd = open_at(AT_FDCWD, path, flags, mode_of(flags, args));                                       \
        va_end(args);                                                                                        \
        return fd;                                                                                           \
    }
#define OPENAT(name)                                                                                         \
    int name(int folder, const char *path, int flags, ...)                                                   \
    {                                                                                                        \
        va_list args;                                                                                        \
        va_start(args, flags);                                                                               \
        int fd = open_at(folder, path, flags, mode_of(flags, args));                                         \
        va_end(args);                                                                                        \
        return fd;                                                                                           \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    if (path_of(fd)) {
        free(fd_paths[fd]);
        fd_paths[fd] = NULL;
    }
    return (int)syscall(SYS_close, fd);
}

/* ------------------------------------------------------------------ bytes */

static bool is_bad(uint64_t offset, uint64_t size)
{
    for (size_t i = 0; i < bad_count; i++)
        if (offset < bad[i].offset + bad[i].size && bad[i].offset < offset + size)
            return true;
    return false;
}

/* offset -1: where the descriptor stands. */
static ssize_t read_at(int fd, void *data, size_t size, off64_t offset)
{
    bool half = false;
    if (path_of(fd)) {
        uint64_t at =
            offset >= 0 ? (uint64_t)offset : (uint64_t)(bad_count ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0);
        if (fails(CALL_READ, &half))
            return -1;
        if (is_bad(at, size)) {
            errno = EIO;
            return -1;
        }
    }
    size = half ? (size + 1) / 2 : size;
    return offset < 0 ? syscall(SYS_read, fd, data, size) : syscall(SYS_pread64, fd, data, size, offset);
}

static ssize_t write_at(int fd, const void *data, size_t size, off64_t offset)
{
    bool half = false;
    const char *path = path_of(fd);
    if (path && fails(CALL_WRITE, &half))
        return -1;
    size = half ? (size + 1) / 2 : size;
    if (path && log_fd >= 0) {
        int flags = offset < 0 ? (int)syscall(SYS_fcntl, fd, F_GETFL) : 0;
        uint64_t at = offset >= 0
                          ? (uint64_t)offset
                          : (uint64_t)syscall(SYS_lseek, fd, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
        write_op(OP_WRITE, path, NULL, 0, at, data, size);
    }
    return offset < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t read(int fd, void *data, size_t size)
{
    return read_at(fd, data, size, -1);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    return read_at(fd, data, size, offset);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    return read_at(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return write_at(fd, data, size, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return write_at(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return write_at(fd, data, size, offset);
}

/* ------------------------------------------------------------------ the rest of a file's life */

static int sync_fd(int fd, long number)
{
    const char *path = path_of(fd);
    if (path && fails(CALL_SYNC, NULL))
        return -1;
    int code = path && log_fd >= 0 ? 0 : (int)syscall(number, fd); /* recorded: nobody cuts the power here */
    if (path)
        write_op(OP_SYNC, path, NULL, 0, 0, NULL, 0);
    return code;
}

int fsync(int fd)
{
    return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_fd(fd, SYS_fdatasync);
}

static int truncate_fd(int fd, off64_t size)
{
    const char *path = path_of(fd);
    if (path && fails(CALL_NAME, NULL))
        return -1;
    int code = (int)syscall(SYS_ftruncate, fd, size);
    if (path && code == 0)
        write_op(OP_TRUNCATE, path, NULL, 0, (uint64_t)size, NULL, 0);
    return code;
}

int ftruncate(int fd, off_t size)
{
    return truncate_fd(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return truncate_fd(fd, size);
}

static int rename_at(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    char space[8192], other[8192];
    const char *name = active ? below(from_folder, from, space, sizeof space) : NULL;
    const char *new_name = active ? below(to_folder, to, other, sizeof other) : NULL;
    if ((name || new_name) && fails(CALL_NAME, NULL))
        return -1;
    int code = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (code == 0 && name && new_name)
        write_op(OP_RENAME, name, new_name, 0, 0, NULL, 0);
    return code;
}

int rename(const char *from, const char *to)
{
    return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return rename_at(from_folder, from, to_folder, to, 0);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return rename_at(from_folder, from, to_folder, to, flags);
}

static int unlink_at(int folder, const char *path, int flags)
{
    char space[8192];
    const char *name = active ? below(folder, path, space, sizeof space) : NULL;
    if (name && fails(CALL_NAME, NULL))
        return -1;
    int code = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (code == 0 && name)
        write_op(OP_UNLINK, name, NULL, 0, 0, NULL, 0);
    return code;
}

int unlink(const char *path)
{
    return unlink_at(AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    return unlink_at(folder, path, flags);
}

static int mkdir_at(int folder, const char *path, mode_t mode)
{
    char space[8192];
    const char *name = active ? below(folder, path, space, sizeof space) : NULL;
    if (name && fails(CALL_NAME, NULL))
        return -1;
    int code = (int)syscall(SYS_mkdirat, folder, path, mode);
    if (code == 0 && name)
        write_op(OP_MKDIR, name, NULL, 0, 0, NULL, 0);
    return code;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdir_at(AT_FDCWD, path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    return mkdir_at(folder, path, mode);
}

/* ------------------------------------------------------------------ stdio, which calls libc's own read and
 * write */

static ssize_t stream_read(void *cookie, char *data, size_t size)
{
    return read_at((int)(intptr_t)cookie, data, size, -1);
}

static ssize_t stream_write(void *cookie, const char *data, size_t size)
{
    ssize_t written = write_at((int)(intptr_t)cookie, data, size, -1);
    return written < 0 ? 0 : written;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    long at = syscall(SYS_lseek, (int)(intptr_t)cookie, *offset, whence);
    *offset = at;
    return at < 0 ? -1 : 0;
}

static int stream_close(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

static FILE *stream_of(int fd, const char *mode)
{
    static const cookie_io_functions_t calls = {stream_read, stream_write, stream_seek, stream_close};
    return fopencookie((void *)(intptr_t)fd, mode, calls);
}

FILE *fopen64(const char *path, const char *mode)
{
    char space[8192];
    static FILE *(*real)(const char *, const char *);
    if (real == NULL)
        next("fopen64", &real);
    if (!active || below(AT_FDCWD, path, space, sizeof space) == NULL)
        return real(path, mode);
    bool update = strchr(mode, '+') != NULL;
    int flags = *mode == 'r'   ? (update ? O_RDWR : O_RDONLY)
                : *mode == 'w' ? (update ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC
                               : (update ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
    if (strchr(mode, 'x'))
        flags |= O_EXCL;
    int fd = open_at(AT_FDCWD, path, flags | O_CLOEXEC, 0666);
    return fd < 0 ? NULL : stream_of(fd, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return fopen64(path, mode);
}

FILE *fdopen(int fd, const char *mode)
{
    static FILE *(*real)(int, const char *);
    if (real == NULL)
        next("fdopen", &real);
    return path_of(fd) ? stream_of(fd, mode) : real(fd, mode);
}

/* ------------------------------------------------------------------ the time of day */

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static unsigned looks;
    int code = (int)syscall(SYS_clock_gettime, clock, time);
    if (code == 0 && clock == CLOCK_REALTIME && clock_jump && looks++ % 2)
        time->tv_sec += clock_jump;
    return code;
}

/* ------------------------------------------------------------------ memory */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool no_memory(void)
{
    if (!ready || !active || !fails(CALL_MEMORY, NULL))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return no_memory() ? NULL : __libc_realloc(old, size);
}
