/*
 * sandbox_world: what the tests of the sandbox share: evidence, and processes that are confined as in kvali.
 * Zygote stage, evidence opened, forked beside the zygote, evidence reopened, worker stage.
 */
#ifndef KVALI_TESTS_SANDBOX_WORLD_H
#define KVALI_TESTS_SANDBOX_WORLD_H

#include "engine/job/sandbox.h"

#include <sys/types.h>

#define WORLD_MEMORY (UINT64_C(256) << 20)
#define WORLD_SPOOL  (UINT64_C(1) << 20)

enum { NOBODY = 65534, NOT_CLOSED = 250 /* exit status: a stage failed */ };
enum where { ZYGOTE, WORKER };

/* One a test process; what it starts inherits it. */
struct world {
    char folder[64];   /* below /tmp: disk.raw, sub/deep.txt, link-in, link-out */
    char evidence[96]; /* disk.raw in it: "evidence" */
    char outside[96];  /* a file beside the folder */
    char self_fd[32];  /* /proc/self/fd/`fd` */
    int fd;            /* in zygote and worker: the evidence, opened */
    int spool;         /* a file that may be written */
    int socket[2];     /* [0] for what is confined, [1] for the test */
    int errors;        /* becomes standard error of what is confined; -1: the test's */
    pid_t test;        /* the supervisor, as it were */
    bool user;         /* confined from uid 65534 on, though the test is root */
    bool as_folder;    /* the evidence is the folder, not the file */
    struct sandbox_state zygote, worker;
};
extern struct world world;

/* For TestSuite's init and fini. */
void world_set_up(void);
void world_tear_down(void);

void world_file(const char *path, const char *text);
/* A path in the folder; valid until the next call but one. */
const char *world_path(const char *name);
struct sandbox_options world_options(pid_t parent);

/* The pid of a process that runs `body` confined and ends with its result; a child of the caller, worker or
 * zygote. -1: it could not be confined. */
pid_t world_start(enum where where, int (*body)(void));
/* The same, and its wait status. */
int world_run(enum where where, int (*body)(void));
/* Calls `check` as root where the test is root, and with `user` set; otherwise once, as the user that it is.
 */
void world_twice(void (*check)(void));

#endif
