/*
 * sandbox_world: fork(2), and the two stages in the order of engine/job/zygote.c and worker.c.
 */
#include "tests/unit/sandbox_world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEGMENTS = 40 }; /* descriptors that an image of that many files keeps open */

struct world world;

void world_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, 0644) == 0,
              "%s", path);
    close(fd);
}

const char *world_path(const char *name)
{
    static char path[2][160];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", world.folder, name);
    return path[turn];
}

void world_set_up(void)
{
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        cr_skip_test("this kernel has no Landlock");
    strcpy(world.folder, "/tmp/kvali-sandbox-XXXXXX");
    cr_assert(mkdtemp(world.folder) && chmod(world.folder, 0755) == 0);
    snprintf(world.evidence, sizeof world.evidence, "%s/disk.raw", world.folder);
    snprintf(world.outside, sizeof world.outside, "%s.secret", world.folder);
    world_file(world.evidence, "evidence");
    world_file(world.outside, "secret");
    cr_assert(mkdir(world_path("sub"), 0755) == 0 && chmod(world_path("sub"), 0755) == 0);
    world_file(world_path("sub/deep.txt"), "deep");
    cr_assert(symlink(world.outside, world_path("link-out")) == 0 &&
              symlink("disk.raw", world_path("link-in")) == 0);
    world.spool = memfd_create("spool", MFD_CLOEXEC);
    world.errors = -1;
    world.test = getpid();
    cr_assert(world.spool >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, world.socket) == 0);
}

void world_tear_down(void)
{
    static const char *const names[] = {"disk.raw", "sub/deep.txt", "link-out", "link-in", "closed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(world_path(names[i]));
    unlink(world.outside);
    rmdir(world_path("sub"));
    rmdir(world.folder);
}

static void become_user(void)
{
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
        _exit(NOT_CLOSED);
}

struct sandbox_options world_options(pid_t parent)
{
    static const char *paths[1];
    paths[0] = world.as_folder ? world.folder : world.evidence;
    return (struct sandbox_options){
        .readable = paths,
        .readable_count = 1,
        .folder = world.as_folder,
        .memory = WORLD_MEMORY,
        .spool = WORLD_SPOOL,
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
    struct sandbox_options options = world_options(getppid());
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

pid_t world_start(enum where where, int (*body)(void))
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

int world_run(enum where where, int (*body)(void))
{
    int status = -1;
    pid_t pid = world_start(where, body);
    cr_assert(pid > 0, "the sandbox was not closed");
    cr_assert(waitpid(pid, &status, 0) == pid, "the caller is not the parent of what was forked");
    return status;
}

void world_twice(void (*check)(void))
{
    if (geteuid() == 0)
        check();
    world.user = geteuid() == 0;
    check();
    world.user = false;
}
