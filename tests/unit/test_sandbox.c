/*
 * What a confined process can do, its limits and its deaths, what the kernel says about it, and kernels that
 * lack something. What it cannot do: test_sandbox_attempts.c.
 */
#include "tests/unit/sandbox_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

TestSuite(sandbox, .init = world_set_up, .fini = world_tear_down, .timeout = 120);

static char page[4096];

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
    int status = world_run(WORKER, do_the_work);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
    cr_expect(recv(world.socket[1], text, sizeof text, MSG_DONTWAIT) == 5);
}

Test(sandbox, a_worker_reads_evidence_writes_the_spool_and_talks)
{
    world_twice(check_work);
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
    int status = world_run(WORKER, work_in_folder);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, a_worker_with_a_folder_opens_lists_and_stats_below_it)
{
    world_twice(check_folder_work);
}

/* Compilers extend AT_FDCWD, an int, with its sign or with zeros: the kernel looks at the lower half alone. */
static int work_at_either_folder(void)
{
    const long at[] = {AT_FDCWD, (uint32_t)AT_FDCWD, (uint32_t)AT_FDCWD | 1L << 40};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        int file = (int)syscall(SYS_openat, at[i], world.evidence, O_RDONLY | O_CLOEXEC);
        NEED(file >= 0 && read(file, page, 8) == 8 && memcmp(page, "evidence", 8) == 0);
        NEED(syscall(SYS_statx, at[i], world.evidence, 0, STATX_BASIC_STATS, page) == 0);
        NEED(syscall(SYS_readlinkat, at[i], world_path("link-out"), page, sizeof page) > 0);
        NEED(syscall(SYS_fcntl, file, (at[i] & 1L << 40) | F_GETFL) >= 0 && close(file) == 0);
    }
    return 0;
}

static void check_either_folder(void)
{
    world.as_folder = true;
    int status = world_run(WORKER, work_at_either_folder);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, int_arguments_count_by_their_lower_half)
{
    world_twice(check_either_folder);
}

static int read_closed_file(void)
{
    NEED(open(world_path("closed"), O_RDONLY) >= 0);
    return 0;
}

Test(sandbox, a_worker_with_a_folder_started_by_root_reads_what_only_root_may_read)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
    world_file(world_path("closed"), "x");
    cr_assert(chown(world_path("closed"), 1234, 1234) == 0 && chmod(world_path("closed"), 0) == 0);
    world.as_folder = true;
    cr_expect(world_run(WORKER, read_closed_file) == 0);
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
    int status = world_run(ZYGOTE, zygote_work);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, the_zygote_reads_the_evidence_and_asks_for_its_size)
{
    world_twice(check_zygote_work);
}

/* ---- Limits and deaths ---- */

static int fill_spool(void)
{
    static char block[65536];
    for (uint64_t done = 0; done < WORLD_SPOOL; done += sizeof block)
        NEED(write(world.spool, block, sizeof block) == sizeof block);
    NEED(write(world.spool, block, 1) < 0 && errno == EFBIG); /* and SIGXFSZ did not kill */
    NEED(ftruncate(world.spool, 2 * WORLD_SPOOL) < 0 && errno == EFBIG);
    return 0;
}

Test(sandbox, a_full_spool_is_an_error_not_a_death)
{
    cr_expect(world_run(WORKER, fill_spool) == 0);
}

static int eat_memory(void)
{
    const size_t step = 8 << 20;
    uint64_t total = 0;
    char *volatile block; /* volatile: or the compiler leaves malloc out */
    while ((block = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
               MAP_FAILED &&
           total < 2 * WORLD_MEMORY)
        total += step;
    NEED(errno == ENOMEM);
    NEED(total <= WORLD_MEMORY && total >= WORLD_MEMORY - 2 * step);
    NEED(WITH_ASAN || !(block = malloc(16 << 20)));
    NEED(WITH_ASAN || sbrk(16 << 20) == (void *)-1);
    return 0;
}

static void check_memory(void)
{
    int status = world_run(WORKER, eat_memory);
    cr_expect(status == 0, "wait status %#x", (unsigned)status);
}

Test(sandbox, beyond_the_memory_limit_there_is_ENOMEM)
{
    world_twice(check_memory);
}

static int call_abort(void)
{
    abort();
}

Test(sandbox, abort_dies_of_SIGABRT)
{
    int status = world_run(WORKER, call_abort);
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
        pid_t worker = world_start(WORKER, loop);
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
    world_twice(check_orphan);
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
    cr_assert(world_run(ZYGOTE, fork_two) == 0);
    for (int i = 0; i < 2; i++) {
        cr_assert(read(world.socket[1], &pid, sizeof pid) == sizeof pid);
        cr_expect(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
    }
}

Test(sandbox, workers_are_children_of_the_zygotes_parent)
{
    world_twice(check_siblings);
}

static int check_foreign_parent(void)
{
    struct sandbox_options options = world_options(1);
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
    } limits[] = {{"Max core file size", 0},
                  {"Max processes", 0},
                  {"Max file size", WORLD_SPOOL},
                  {"Max open files", 16}};
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
    pid_t pid = world_start(WORKER, wait_for_word);
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

static void check_zygote_status(void)
{
    struct sandbox_state state = {0};
    int status = 0;
    pid_t pid = world_start(ZYGOTE, wait_for_word);
    cr_assert(pid > 0 && recv(world.socket[1], &state, sizeof state, 0) == sizeof state);
    bool root = geteuid() == 0 && !world.user; /* read what only root may read, and setgid, setuid: 2, 6, 7 */
    cr_expect_str_eq(status_of(pid, "CapEff:"), root ? "00000000000000c4" : "0000000000000000");
    cr_expect_str_eq(status_of(pid, "CapPrm:"), root ? "00000000000000c4" : "0000000000000000");
    cr_expect_str_eq(status_of(pid, "Seccomp:"), "2");
    cr_expect_str_eq(status_of(pid, "NoNewPrivs:"), "1");
    cr_assert(write(world.socket[1], "x", 1) == 1 && waitpid(pid, &status, 0) == pid && status == 0);
}

Test(sandbox, the_kernel_shows_the_zygote_as_confined)
{
    world_twice(check_zygote_status);
}

Test(sandbox, the_kernel_shows_a_worker_as_confined)
{
    world_twice(check_status);
    world_twice(check_folder_status);
}

Test(sandbox, a_worker_whose_supervisor_is_gone_does_not_start)
{
    cr_expect(world_run(ZYGOTE, check_foreign_parent) == 0);
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
        struct sandbox_options options = world_options(getppid());
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

Test(sandbox, a_missing_evidence_path_is_permitted_to_nobody)
{
    struct sandbox_options options = world_options(getpid());
    struct sandbox_state state = {.uid = 7};
    struct why why = {""};
    int status = -1;
    fflush(NULL);
    if (fork() == 0) {
        unlink(world.evidence);
        if (sandbox_zygote(&options, &state, &why) != 0)
            _exit(1);
        _exit(open(world.evidence, O_RDONLY) < 0 && open(world.evidence, O_WRONLY | O_CREAT, 0600) < 0 ? 0 : 2);
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
    int status = world_run(WORKER, make_socket);
    close(errors[1]);
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
