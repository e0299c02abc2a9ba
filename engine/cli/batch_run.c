/*
 * batch_run: see batch_run.h.
 */
#include "engine/cli/batch_run.h"

#include "engine/base/log.h"
#include "engine/base/when.h"
#include "engine/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 64,
    ARGUMENTS_MAX = 512,
    PATH_SIZE = 4096,
    TICK_MS = 200,
    ORPHAN_SECONDS = 60,
    STOP_SECONDS = 120
};
#define SECOND INT64_C(1000000000)

struct slot {
    bool used;
    struct batch_task task;
    enum batch_step step;
    int result; /* of STEP_PROCESS */
    pid_t pid;
    int64_t since, told; /* began; was told to stop */
    uint64_t workers;
    const char *stopping; /* why it was told to stop; NULL: it was not */
    bool too_much, alone; /* because the batch uses too much; it alone does */
};

struct running {
    struct batch *batch;
    const struct batch_wish *wish;
    struct slot slots[SLOTS_MAX];
    char self[PATH_SIZE];
    bool short_of_room, paused, changed;
    const char *state, *room; /* batch_stand's */
    int64_t reported, watched, measured, weighed;
    struct batch_use use;
    struct batch_fewer *fewer;
    struct why *why;
};

/* ------------------------------------------------------------------ processes */

static pid_t spawn(const struct running *r, const char *const *argv, const char *log_name, bool bound)
{
    char log[PATH_SIZE + 64];
    snprintf(log, sizeof log, "%s/logs/%s", batch_folder(r->batch), log_name);
    return batch_spawn(argv, log, bound);
}

static void notify(const struct running *r, const char *event, const struct batch_task *task)
{
    const char *state = task ? batch_state_word(task->state) : "";
    const char *argv[] = {r->wish->notify,
                          event,
                          task ? task->folder : "",
                          task ? task->exhibit : "",
                          task ? state : "",
                          task      ? task->message
                          : r->room ? r->room
                                    : r->state,
                          NULL};
    if (r->wish->notify)
        (void)spawn(r, argv, "notify.log", false); /* reaped with the others */
}

/* ------------------------------------------------------------------ room */

static const char *no_room(const struct running *r, const char *folder, bool begins)
{
    return batch_no_room(&r->wish->limits, folder, r->wish->tmp, begins);
}

/* What this batch uses: memory and temporary files every second, its cases' folders every five. */
static int measure(struct running *r)
{
    int64_t now = when_monotonic();
    if (now - r->measured < SECOND)
        return 0;
    r->measured = now;
    r->use.memory = r->use.tmp = 0;
    for (size_t i = 0; i < SLOTS_MAX; i++)
        if (r->slots[i].used)
            batch_use_add(r->slots[i].pid, &r->use);
    if (r->wish->limits.disk_most == 0 || now - r->weighed < 5 * SECOND)
        return 0;
    r->weighed = now;
    return batch_use_disk(r->batch, &r->use.disk);
}

/* ------------------------------------------------------------------ ends */

static void set_message(struct batch_task *task, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return;
    free(task->message);
    task->message = copy;
}

static int put(struct running *r, const struct batch_task *task)
{
    int code = batch_task_put(r->batch, task);
    r->changed = true;
    return code ? why_set(r->why, code, "%s/queue.db: %s", batch_folder(r->batch), batch_error(r->batch)) : 0;
}

/* Queued again, its tries untouched: nothing of this was the task's doing. */
static void wait_for(struct batch_task *task, const char *reason, int64_t seconds)
{
    task->state = BATCH_WAITING;
    task->wait_until = when_now() + seconds * SECOND;
    set_message(task, reason);
}

static void count_try(const struct running *r, struct batch_task *task, const char *reason)
{
    task->tries++;
    wait_for(task, reason, (int64_t)(r->wish->limits.wait * task->tries));
    if (task->tries >= r->wish->limits.tries)
        task->state = BATCH_FAILED;
}

/* One that alone is above a limit would be so again: half as many workers need less. With one worker it has
 * failed; but what cases take on disk gets less when somebody moves one away. */
static void need_less(struct running *r, struct slot *slot)
{
    wait_for(&slot->task, slot->stopping, (int64_t)r->wish->limits.wait);
    if (!slot->alone)
        return;
    uint64_t *workers = batch_fewer(&r->fewer, slot->task.id);
    if (workers)
        *workers = slot->workers / 2;
    if (slot->workers > 1)
        return;
    slot->task.state = BATCH_FAILED;
    set_message(&slot->task, strcmp(slot->stopping, batch_over_memory) == 0
                                 ? "with one worker it needs more memory than --memory-max"
                                 : "with one worker it needs more room for temporary files than --tmp-max");
}

static void judge(struct running *r, struct slot *slot, int status)
{
    struct batch_task *task = &slot->task;
    char words[1024];
    batch_last_words(r->batch, task, words, sizeof words);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const char *room = no_room(r, task->folder, false);
    if (code == EXIT_DONE || code == EXIT_FAULTS) {
        set_message(task, ""); /* it runs until the other steps are done, too */
    } else if (slot->too_much) {
        need_less(r, slot);
    } else if (slot->stopping) {
        wait_for(task, slot->stopping, 0);
    } else if (code == EXIT_STOPPED) {
        wait_for(task, "stopped from outside", 1);
    } else if (code == EXIT_USAGE) {
        task->state = BATCH_FAILED;
        set_message(task, words);
    } else if (code == EXIT_ENVIRONMENT &&
               (room || strstr(words, "No space left") || strstr(words, "disk is full") ||
                strstr(words, "database or disk is full"))) {
        wait_for(task, "the disk was full", 5);
    } else if (code == EXIT_CASE && strstr(words, "another run holds this case")) {
        wait_for(task, words, 5);
    } else {
        if (code < 0)
            snprintf(words, sizeof words, "killed by signal %d", WTERMSIG(status));
        count_try(r, task, words[0] ? words : "it ended without a word");
    }
}

/* A case cannot be opened while the disk is full. What is done is done: the next try is a short one. */
static void learn_later(struct running *r, struct batch_task *task)
{
    if (no_room(r, task->folder, false))
        wait_for(task, "the disk was full", 5);
    else
        count_try(r, task, "it is done, but its case cannot be opened");
}

static int finish_task(struct running *r, struct slot *slot)
{
    struct batch_task *task = &slot->task;
    int64_t now = when_now();
    bool cancelled = false;
    task->seconds += (uint64_t)((when_monotonic() - slot->since) / SECOND);
    task->pid = task->pid_start = 0;
    if (task->state == BATCH_RUNNING)
        task->state = slot->result == EXIT_FAULTS ? BATCH_FAULTS : BATCH_DONE;
    if (task->state == BATCH_FAILED)
        (void)batch_report_learn(task); /* there may be no case */
    else if ((task->state == BATCH_DONE || task->state == BATCH_FAULTS) && !batch_report_learn(task))
        learn_later(r, task);
    if (batch_state_is_end(task->state))
        task->ended = now;
    int code = put(r, task);
    if (code == 0 && batch_is_cancelled(r->batch, task->id, &cancelled) == 0 && !cancelled &&
        batch_state_is_end(task->state))
        notify(r, task->state == BATCH_FAILED ? "task-failed" : "task-done", task);
    if (!r->wish->quiet)
        cli_print("%s%s%s: %s%s%s\n", task->folder, task->exhibit[0] ? " " : "", task->exhibit,
                  cancelled ? "cancelled" : batch_state_word(task->state), task->message[0] ? ": " : "",
                  task->message);
    fflush(stdout);
    batch_task_finish(task);
    *slot = (struct slot){0};
    return code;
}

/* ------------------------------------------------------------------ starting */

/* The step is entered, or the task ends because none is left. */
static int go_on(struct running *r, struct slot *slot)
{
    struct batch_task *task = &slot->task;
    bool good = slot->result == EXIT_DONE || slot->result == EXIT_FAULTS;
    while (slot->step != STEP_PROCESS && slot->step <= STEP_CROSS &&
           !(slot->step == STEP_REPORT ? task->formats[0] != 0 && good
                                       : r->wish->cross && !task->triage && good))
        slot->step++;
    if (slot->step > STEP_CROSS)
        return finish_task(r, slot);
    slot->workers = batch_workers(r->fewer, task->id, r->wish->limits.workers);
    slot->pid = batch_spawn_step(r->self, batch_folder(r->batch), r->wish, task, slot->step, slot->workers);
    if (slot->pid < 0) {
        wait_for(task, "no process could be started", 5);
        return finish_task(r, slot);
    }
    task->pid = (uint64_t)slot->pid;
    task->pid_start = batch_start_time(slot->pid);
    return put(r, task);
}

static int start(struct running *r, struct slot *slot, struct batch_task *task)
{
    *slot = (struct slot){.used = true, .task = *task, .since = when_monotonic()};
    *task = (struct batch_task){0}; /* the slot has it now */
    slot->task.state = BATCH_RUNNING;
    set_message(&slot->task, "");
    if (slot->task.started == 0)
        slot->task.started = when_now();
    if (!r->wish->quiet)
        cli_print("%s%s%s: begins\n", slot->task.folder, slot->task.exhibit[0] ? " " : "",
                  slot->task.exhibit);
    fflush(stdout);
    return go_on(r, slot);
}

/* ------------------------------------------------------------------ what others do */

static void stop_slot(struct slot *slot, const char *reason)
{
    if (!slot->used || slot->stopping)
        return;
    slot->stopping = reason;
    slot->told = when_monotonic();
    kill(slot->pid, SIGTERM);
}

/* One that does not end when it is told to ends all the same: a case loses nothing by that. */
static void insist(struct running *r)
{
    for (size_t i = 0; i < SLOTS_MAX; i++)
        if (r->slots[i].used && r->slots[i].stopping &&
            when_monotonic() - r->slots[i].told > STOP_SECONDS * SECOND)
            kill(r->slots[i].pid, SIGKILL);
}

static int reap(struct running *r)
{
    insist(r);
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < SLOTS_MAX; i++) {
            struct slot *slot = &r->slots[i];
            if (!slot->used || slot->pid != pid)
                continue;
            if (slot->step == STEP_PROCESS) {
                judge(r, slot, status);
                slot->result = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            } else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
                char words[1024];
                batch_last_words(r->batch, &slot->task, words, sizeof words);
                if (slot->too_much)
                    need_less(r, slot);
                else if (slot->stopping)
                    wait_for(&slot->task, slot->stopping, 0);
                else
                    count_try(r, &slot->task, words);
                slot->result = -1;
            }
            slot->step++;
            r->measured = r->weighed = 0; /* it uses nothing any more; its case has grown */
            int code = go_on(r, slot);
            if (code)
                return code;
        }
    }
    return 0;
}

/* The youngest ends when this batch uses too much, and what that frees is looked at before the next one does.
 */
static void use_less(struct running *r)
{
    const char *over = batch_over(&r->wish->limits, &r->use, false);
    struct slot *youngest = NULL;
    size_t running = 0;
    for (size_t i = 0; over && i < SLOTS_MAX; i++) {
        struct slot *slot = &r->slots[i];
        if (!slot->used)
            continue;
        if (slot->stopping)
            return;
        running++;
        if (!youngest || slot->since > youngest->since)
            youngest = slot;
    }
    if (!youngest)
        return;
    youngest->too_much = true;
    youngest->alone = running == 1 && over != batch_over_disk;
    stop_slot(youngest, over);
    r->measured = when_monotonic() + SECOND;
}

/* Cancelled tasks end; all do while the batch is paused; the youngest does when room gets short. */
static int look_around(struct running *r)
{
    struct slot *youngest = NULL;
    bool cancelled;
    int code = batch_paused(r->batch, &r->paused);
    for (size_t i = 0; code == 0 && i < SLOTS_MAX; i++) {
        struct slot *slot = &r->slots[i];
        if (!slot->used)
            continue;
        if (r->paused)
            stop_slot(slot, "the batch is paused");
        code = batch_is_cancelled(r->batch, slot->task.id, &cancelled);
        if (code == 0 && cancelled)
            stop_slot(slot, "cancelled by hand");
        if (!slot->stopping && no_room(r, slot->task.folder, false) &&
            (!youngest || slot->since > youngest->since))
            youngest = slot;
    }
    if (youngest)
        stop_slot(youngest, no_room(r, youngest->task.folder, false)
                                ? no_room(r, youngest->task.folder, false)
                                : "room was short");
    else if (code == 0)
        use_less(r);
    return code;
}

/* A case is one task's at a time. */
static bool is_busy(const struct running *r, const char *folder)
{
    for (size_t i = 0; i < SLOTS_MAX; i++)
        if (r->slots[i].used && strcmp(r->slots[i].task.folder, folder) == 0)
            return true;
    return false;
}

static size_t used_slots(const struct running *r)
{
    size_t count = 0;
    for (size_t i = 0; i < SLOTS_MAX; i++)
        count += r->slots[i].used;
    return count;
}

static void say_state(struct running *r, const char *room, size_t left)
{
    bool was_short = r->short_of_room;
    r->short_of_room = room != NULL;
    r->room = r->paused ? NULL : room;
    r->state = r->paused ? "paused by hand" : room ? "waiting" : left ? "running" : "all done";
    if (was_short == r->short_of_room)
        return;
    r->changed = true;
    notify(r, room ? "short-of-room" : "room-again", NULL);
    if (!r->wish->quiet && room)
        cli_print("Waiting: %s. It goes on by itself when there is room.\n", room);
    else if (!r->wish->quiet)
        cli_print("There is room again.\n");
    fflush(stdout);
}

/* *ret_left: how many have not ended. */
static int start_tasks(struct running *r, size_t *ret_left)
{
    struct batch_task *tasks = NULL;
    const char *room = NULL;
    size_t count = 0, left = 0, most = r->wish->limits.jobs < SLOTS_MAX ? r->wish->limits.jobs : SLOTS_MAX;
    int64_t now = when_now();
    int code = batch_tasks(r->batch, &tasks, &count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct batch_task *task = &tasks[i];
        left += !batch_state_is_end(task->state);
        bool ready = task->state == BATCH_QUEUED || (task->state == BATCH_WAITING && task->wait_until <= now);
        if (!ready || r->paused || *r->wish->stop || used_slots(r) >= most || is_busy(r, task->folder))
            continue;
        const char *none = no_room(r, task->folder, true);
        none = none ? none : batch_over(&r->wish->limits, &r->use, true);
        room = none ? none : room;
        for (size_t n = 0; !none && n < SLOTS_MAX; n++)
            if (!r->slots[n].used) {
                code = start(r, &r->slots[n], task);
                break;
            }
    }
    batch_tasks_free(tasks, count);
    say_state(r, room, left);
    *ret_left = left;
    return code;
}

static int watch(struct running *r)
{
    size_t taken = 0, refused = 0;
    int code = r->wish->watch ? batch_watch(r->batch, r->wish, &taken, &refused) : 0;
    r->changed = r->changed || taken || refused;
    for (size_t i = 0; i < refused; i++)
        notify(r, "manifest-refused", NULL);
    return code;
}

/* ------------------------------------------------------------------ the whole */

static int take_lock(struct running *r)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/logs", batch_folder(r->batch));
    if (mkdir(path, 0750) && errno != EEXIST)
        return why_set(r->why, -errno, "%s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/lock", batch_folder(r->batch));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return why_set(r->why, -errno, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return why_set(r->why, -EBUSY, "%s: another kvali works this batch off: `kvali batch status`",
                   batch_folder(r->batch));
}

/* What an earlier process of this batch left running ends first: its death tells them so, and this waits for
 * it. */
static int take_over(struct running *r)
{
    struct batch_task *tasks = NULL;
    size_t count = 0;
    int code = batch_tasks(r->batch, &tasks, &count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct batch_task *task = &tasks[i];
        if (task->state != BATCH_RUNNING)
            continue;
        for (int n = 0; n < ORPHAN_SECONDS * 10 && task->pid_start &&
                        batch_start_time((pid_t)task->pid) == task->pid_start;
             n++) {
            kill((pid_t)task->pid, n < ORPHAN_SECONDS * 5 ? SIGTERM : SIGKILL);
            nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        }
        wait_for(task, "it was running when the batch was killed", 0);
        task->pid = task->pid_start = 0;
        code = put(r, task);
    }
    batch_tasks_free(tasks, count);
    return code;
}

static int stop_all(struct running *r)
{
    int code = 0;
    for (size_t i = 0; i < SLOTS_MAX; i++)
        stop_slot(&r->slots[i], "the batch was stopped");
    while (code == 0 && used_slots(r)) {
        code = reap(r);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return code;
}

static int report(struct running *r, bool at_once)
{
    int64_t now = when_monotonic();
    if (!at_once && now - r->reported < (r->changed ? SECOND : 10 * SECOND))
        return 0;
    r->reported = now;
    r->changed = false;
    struct batch_stand stand = {r->state, r->room, r->wish->lang};
    return batch_report_write(r->batch, &stand, r->why);
}

static int loop(struct running *r)
{
    size_t left = 1;
    int code = 0;
    while (code == 0 && !*r->wish->stop && (left || r->wish->watch)) {
        code = reap(r);
        if (code == 0 && when_monotonic() - r->watched > SECOND) {
            r->watched = when_monotonic();
            code = watch(r);
        }
        if (code == 0)
            code = measure(r);
        if (code == 0)
            code = look_around(r);
        if (code == 0)
            code = start_tasks(r, &left);
        if (code == 0)
            code = report(r, false);
        nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    return code ? code : *r->wish->stop ? -EINTR : 0;
}

int batch_run(struct batch *batch, const struct batch_wish *wish, struct why *why)
{
    struct running *r = calloc(1, sizeof *r);
    if (!r)
        return why_set(why, -ENOMEM, "out of memory");
    *r = (struct running){.batch = batch, .wish = wish, .why = why, .state = "running"};
    ssize_t size = readlink("/proc/self/exe", r->self, sizeof r->self - 1);
    int lock = size > 0 ? take_lock(r) : why_set(why, -errno, "/proc/self/exe: %s", strerror(errno));
    int code = lock < 0 ? lock : take_over(r);
    if (code == 0)
        code = loop(r);
    int stopped = stop_all(r);
    if (code == 0)
        notify(r, "batch-done", NULL);
    if (code == -EINTR)
        r->state = "stopped: `kvali batch` goes on", r->room = NULL;
    if (lock >= 0 && (code == 0 || code == -EINTR)) {
        int reported = report(r, true);
        code = code ? code : stopped ? stopped : reported;
    }
    if (code && code != -EINTR && why && !why->text[0])
        why_set(why, code, "%s/queue.db: %s", batch_folder(batch), batch_error(batch));
    if (lock >= 0)
        close(lock);
    batch_fewer_free(r->fewer);
    free(r);
    return code;
}
