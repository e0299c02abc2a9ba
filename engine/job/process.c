/*
 * process: socketpair(2), memfd_create(2) with seals, O_TMPFILE, fork and exec of kvali-worker.
 */
#include "engine/job/process.h"

#include "engine/job/job.h"

#include "engine/base/buf.h"
#include "engine/base/log.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL_FD = 3, SOCKET_BUFFER = 1 << 20, FORK_SECONDS = 60, ERRORS_MAX = 64 * 1024 };

static int make_socket(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
        return -errno;
    int size = SOCKET_BUFFER;
    for (int i = 0; i < 2; i++) {
        /* A hint: the kernel's limit may give less. */
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return 0;
}

/* In the child between fork and exec: only async-signal-safe calls. */
static _Noreturn void become_zygote(const char *program, int control, int errors, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is the supervisor's to act on */
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR);
    if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0)
        _exit(127);
    if (control == CONTROL_FD ? fcntl(control, F_SETFD, 0) : dup2(control, CONTROL_FD) < 0)
        _exit(127);
    char *const argv[] = {(char *)"kvali-worker", NULL};
    execv(program, argv);
    _exit(127);
}

int process_start_zygote(const char *program, struct process_zygote *ret_zygote, struct why *why)
{
    int control[2], errors[2];
    int code = access(program, X_OK) ? -errno : 0;
    if (code)
        return why_set(why, code, "%s: %s", program, strerror(-code));
    code = make_socket(control);
    if (code)
        return why_set(why, code, "no socket for the worker: %s", strerror(-code));
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK)) {
        code = -errno;
        close(control[0]);
        close(control[1]);
        return why_set(why, code, "no pipe for the worker: %s", strerror(-code));
    }
    fcntl(errors[1], F_SETFL, 0);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_zygote(program, control[1], errors[1], parent);
    code = pid < 0 ? -errno : 0;
    close(control[1]);
    close(errors[1]);
    if (code) {
        close(control[0]);
        close(errors[0]);
        return why_set(why, code, "%s cannot be started: %s", program, strerror(-code));
    }
    *ret_zygote = (struct process_zygote){.pid = pid, .errors = errors[0]};
    wire_init(&ret_zygote->wire, control[0]);
    return 0;
}

void process_stop_zygote(struct process_zygote *zygote)
{
    if (zygote->pid <= 0)
        return;
    process_drain_errors(zygote);
    close(zygote->wire.fd);
    wire_finish(&zygote->wire);
    kill(zygote->pid, SIGKILL); /* it may still be reading evidence; its workers are not its children */
    while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(zygote->errors);
    *zygote = (struct process_zygote){.pid = 0, .errors = -1, .wire.fd = -1};
}

int64_t process_receive(int fd, uint8_t *packet, int seconds)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int ready = poll(&poller, 1, seconds * 1000);
    if (ready == 0)
        return -ETIMEDOUT;
    if (ready < 0)
        return -errno;
    return wire_receive(fd, packet, true, NULL);
}

/* A page that cannot be shrunk under the supervisor by whoever else has it. */
static int make_blackbox(struct blackbox **ret_box)
{
    int fd = memfd_create("kvali-blackbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, 4096) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
        int code = -errno;
        close(fd);
        return code;
    }
    void *page = mmap(NULL, sizeof(struct blackbox), PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        int code = -errno;
        close(fd);
        return code;
    }
    *ret_box = page;
    return fd;
}

static int make_spool(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0)
        return fd;
    /* A file system without O_TMPFILE. */
    char name[4096];
    if (snprintf(name, sizeof name, "%s/.kvali-spool-XXXXXX", folder) >= (int)sizeof name)
        return -ENAMETOOLONG;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(name);
    return fd;
}

static int wait_forked(struct process_zygote *zygote, pid_t *ret_pid, struct why *why)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    int64_t size = process_receive(zygote->wire.fd, packet, FORK_SECONDS);
    struct bytes bytes, payload;
    enum wire_type type;
    bytes_init(&bytes, packet, size > 0 ? (size_t)size : 0);
    if (size <= 0 || !wire_next(&bytes, &type, &payload) || type != WIRE_FORKED)
        return why_set(why, -ECHILD, "kvali-worker did not start a worker");
    bytes_u32le(&payload);
    pid_t pid = (pid_t)bytes_u32le(&payload);
    if (bytes_failed(&payload) || pid <= 0)
        return why_set(why, -EAGAIN, "kvali-worker cannot start another process");
    *ret_pid = pid;
    return 0;
}

int process_fork_worker(struct process_zygote *zygote, uint32_t number, const char *spool_folder,
                        struct process_worker *ret_worker, struct why *why)
{
    int sockets[2];
    struct blackbox *box = NULL;
    int code = make_socket(sockets);
    if (code)
        return why_set(why, code, "no socket for a worker: %s", strerror(-code));
    int page = make_blackbox(&box);
    int spool = page < 0 ? -1 : make_spool(spool_folder);
    if (page < 0 || spool < 0) {
        code = page < 0 ? page : spool == -1 ? -errno : spool;
        why_set(why, code, "%s: no spool file can be made there: %s", spool_folder, strerror(-code));
    }
    struct process_worker worker = {.box = box, .spool = spool};
    if (code == 0) {
        buf_u32le(wire_begin(&zygote->wire, WIRE_FORK), number);
        wire_end(&zygote->wire);
        code = wire_flush_fds(&zygote->wire, (const int[]){sockets[1], page, spool}, 3);
        if (code)
            why_set(why, code, "kvali-worker does not answer: %s", strerror(-code));
        else
            code = wait_forked(zygote, &worker.pid, why);
    }
    close(sockets[1]);
    if (page >= 0)
        close(page);
    wire_init(&worker.wire, sockets[0]);
    if (code)
        process_finish_worker(&worker);
    else
        *ret_worker = worker;
    return code;
}

void process_finish_worker(struct process_worker *worker)
{
    if (worker->wire.fd >= 0)
        close(worker->wire.fd);
    wire_finish(&worker->wire);
    if (worker->box)
        munmap(worker->box, sizeof *worker->box);
    if (worker->spool > 0)
        close(worker->spool);
    *worker = (struct process_worker){.wire.fd = -1};
}

void process_drain_errors(struct process_zygote *zygote)
{
    char text[4096];
    ssize_t size;
    for (size_t total = 0; total < ERRORS_MAX && (size = read(zygote->errors, text, sizeof text)) > 0;
         total += (size_t)size) {
        struct buf safe;
        buf_init(&safe);
        text_escape(&safe, text, (size_t)size);
        log_debug("worker: %s", buf_cstr(&safe));
        buf_finish(&safe);
    }
}

void process_send_key(struct process_zygote *zygote, uint64_t exhibit, const struct job_key *key)
{
    struct buf *out = wire_begin(&zygote->wire, WIRE_KEY);
    buf_u64le(out, exhibit);
    buf_u32le(out, (uint32_t)key->kind);
    buf_blob(out, key->data, key->size);
    wire_end(&zygote->wire);
}
