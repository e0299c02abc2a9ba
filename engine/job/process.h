/*
 * process: starting kvali-worker and its workers, from the supervisor's side: sockets, black box pages, spools.
 */
#ifndef KVALI_JOB_PROCESS_H
#define KVALI_JOB_PROCESS_H

#include "engine/base/why.h"
#include "engine/job/blackbox.h"
#include "engine/job/wire.h"

#include <sys/types.h>

struct process_zygote {
    pid_t pid;
    struct wire wire;  /* to it; wire.fd is the control socket, -1 when there is none */
    int errors;        /* its standard error (and its workers'), non-blocking; -1 */
};

struct process_worker {
    pid_t pid;
    struct wire wire;
    struct blackbox *box;
    int spool; /* 0: none. Kept open here, so that /proc tells how much it has */
};

/* Execs `program` with a socket as descriptor 3 and a pipe as standard error, nothing else. */
int process_start_zygote(const char *program, struct process_zygote *ret_zygote, struct why *why);
/* Closes the socket (the zygote then exits) and reaps it; its workers live on. */
void process_stop_zygote(struct process_zygote *zygote);

/* Waits for the next packet of the zygote, at most `seconds`. As wire_receive; -ETIMEDOUT. */
int64_t process_receive(int fd, uint8_t *packet, int seconds);

/* Asks the zygote to fork worker `number` and waits for its pid. `spool_folder`: where its unlinked spool is made. */
int process_fork_worker(struct process_zygote *zygote, uint32_t number, const char *spool_folder,
                        struct process_worker *ret_worker, struct why *why);
/* Frees the supervisor's side; does not kill. */
void process_finish_worker(struct process_worker *worker);

/* What came on standard error so far, escaped and bounded, to the log's debug level. */
void process_drain_errors(struct process_zygote *zygote);

struct job_key;
/* Puts a key on the zygote's wire; exhibit UINT64_MAX: for all. */
void process_send_key(struct process_zygote *zygote, uint64_t exhibit, const struct job_key *key);

#endif
