/* batch: a queue keeps order, states and tries, whoever opens it, and takes from a manifest what is sound. */
#include "cases/batch.h"

#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char base[64];
static struct batch *batch;
static struct batch_task *tasks;
static size_t count;

static void open_queue(void)
{
    char folder[96];
    struct why why = {{0}};
    snprintf(folder, sizeof folder, "%s/a/queue", base);
    cr_assert_eq(batch_open(folder, &batch, &why), 0, "%s", why.text);
}

static void begin(void)
{
    strcpy(base, "/tmp/kvali-queue-XXXXXX");
    cr_assert(mkdtemp(base));
    tasks = NULL;
    count = 0;
    open_queue();
}

static void end(void)
{
    char command[128];
    batch_tasks_free(tasks, count);
    batch_close(batch);
    cr_assert(strncmp(base, "/tmp/kvali-queue-", 17) == 0);
    snprintf(command, sizeof command, "rm -rf '%s'", base);
    cr_assert_eq(system(command), 0);
}

TestSuite(batch_queue, .init = begin, .fini = end);

static void reopen(void)
{
    batch_close(batch);
    open_queue();
}

/* Queues what a manifest with this text says; its result. */
static int take(const char *name, const char *text, bool triage, size_t *ret_added, struct why *why)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", base, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    *why = (struct why){{0}};
    return batch_manifest(batch, path, triage, ret_added, why);
}

static size_t takes(const char *text, bool triage)
{
    struct why why;
    size_t added = 0;
    cr_assert_eq(take("m.toml", text, triage, &added, &why), 0, "%s", why.text);
    return added;
}

static void refuses(const char *text, const char *words)
{
    struct why why;
    size_t added = 0;
    cr_assert_eq(take("m.toml", text, false, &added, &why), -EINVAL);
    cr_assert(strstr(why.text, words), "%s", why.text);
}

static void load(void)
{
    batch_tasks_free(tasks, count);
    cr_assert_eq(batch_tasks(batch, &tasks, &count), 0);
}

/* The last components of the tasks' folders, in the order of the queue. */
static const char *order(void)
{
    static char names[256];
    names[0] = 0;
    load();
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(tasks[i].folder, '/');
        strcat(strcat(names, slash + 1), " ");
    }
    return names;
}

#define ONE(name, more) "[[exhibit]]\ncase = \"" name "\"\nevidence = \"e\"\n" more

Test(batch_queue, triage_comes_first_then_priority_then_the_nearer_deadline_then_what_was_queued_first)
{
    cr_assert_eq(takes(ONE("low", "priority = -1\n") ONE("late", "deadline = \"2031-01-01\"\n")
                           ONE("none", "") ONE("soon", "deadline = \"2030-01-01\"\n")
                               ONE("high", "priority = 5\n") ONE("none2", "")
                                   ONE("look", "priority = -9\ntriage = true\n"),
                       false),
                 8u);
    cr_assert_str_eq(order(), "look.triage high soon late none none2 low look ");
    int64_t when;
    cr_assert(when_parse("2030-01-01", &when));
    cr_assert_eq(tasks[2].deadline, when);
    cr_assert_eq(tasks[4].deadline, INT64_MAX);
    cr_assert_eq(tasks[1].priority, 5);
}

Test(batch_queue, the_same_exhibit_of_the_same_case_is_queued_once)
{
    cr_assert_eq(takes(ONE("a", ""), false), 1u);
    cr_assert_eq(takes(ONE("a", "") ONE("b", ""), false), 1u);
    cr_assert_eq(takes(ONE("a", ""), true), 1u); /* its first look alone is new */
    cr_assert_eq(takes(ONE("a", "priority = 3\n"), false), 1u); /* has not begun: it is changed */
    cr_assert_str_eq(order(), "a.triage a b ");
    cr_assert_eq(tasks[1].priority, 3);
}

Test(batch_queue, a_manifest_with_one_wrong_exhibit_queues_none)
{
    refuses(ONE("a", "") ONE("b", "priority = \"much\"\n"), "exhibit 2: priority: expected a whole number");
    refuses(ONE("a", "deadline = \"soon\"\n"), "exhibit 1: deadline: expected a date");
    refuses("[[exhibit]]\nevidence = \"e\"\n", "exhibit 1: case: it is missing");
    load();
    cr_assert_eq(count, 0u);
}

Test(batch_queue, a_new_task_is_queued_and_only_what_has_ended_is_an_end)
{
    takes(ONE("a", ""), false);
    load();
    cr_assert_eq(tasks[0].state, BATCH_QUEUED);
    cr_assert(!batch_state_is_end(BATCH_QUEUED) && !batch_state_is_end(BATCH_RUNNING) &&
              !batch_state_is_end(BATCH_WAITING));
    cr_assert(batch_state_is_end(BATCH_DONE) && batch_state_is_end(BATCH_FAULTS) &&
              batch_state_is_end(BATCH_FAILED) && batch_state_is_end(BATCH_CANCELLED));
}

Test(batch_queue, every_state_and_a_retry_are_there_after_reopening)
{
    takes(ONE("a", "formats = [\"pdf\", \"dfxml\"]\n"), false);
    for (int state = BATCH_QUEUED; state < BATCH_CANCELLED; state++) {
        load();
        tasks[0].state = (enum batch_state)state;
        tasks[0].tries = (uint64_t)state + 1;
        tasks[0].wait_until = 1764000000000000000 + state;
        tasks[0].pid = 4711;
        tasks[0].pid_start = 99;
        tasks[0].faults = 7;
        free(tasks[0].message);
        tasks[0].message = strdup("short of room");
        cr_assert_eq(batch_task_put(batch, &tasks[0]), 0);
        reopen();
        load();
        cr_assert_eq(count, 1u);
        cr_assert_eq(tasks[0].state, (enum batch_state)state);
        cr_assert_eq(tasks[0].tries, (uint64_t)state + 1);
        cr_assert_eq(tasks[0].wait_until, 1764000000000000000 + state);
        cr_assert(tasks[0].pid == 4711 && tasks[0].pid_start == 99 && tasks[0].faults == 7);
        cr_assert_str_eq(tasks[0].message, "short of room");
        cr_assert_str_eq(tasks[0].formats, "pdf\ndfxml\n");
    }
}

Test(batch_queue, what_was_cancelled_stays_so_whatever_who_ran_it_says)
{
    bool cancelled = true;
    takes(ONE("a", "") ONE("b", "") ONE("c", ""), false);
    load();
    uint64_t a = tasks[0].id, b = tasks[1].id;
    tasks[1].state = BATCH_DONE;
    cr_assert_eq(batch_task_put(batch, &tasks[1]), 0);
    cr_assert_eq(batch_cancel(batch, a), 0);
    tasks[0].state = BATCH_RUNNING;
    cr_assert_eq(batch_task_put(batch, &tasks[0]), 0);
    reopen();
    cr_assert(batch_is_cancelled(batch, a, &cancelled) == 0 && cancelled);
    cr_assert_eq(batch_cancel(batch, 0), 0); /* all: but what is done is done */
    cr_assert(batch_is_cancelled(batch, b, &cancelled) == 0 && !cancelled);
    load();
    cr_assert_eq(tasks[0].state, BATCH_CANCELLED);
    cr_assert_eq(tasks[1].state, BATCH_DONE);
    cr_assert_eq(tasks[2].state, BATCH_CANCELLED);
}

Test(batch_queue, a_pause_outlives_who_asked_for_it)
{
    bool paused = true;
    cr_assert(batch_paused(batch, &paused) == 0 && !paused);
    cr_assert_eq(batch_set_paused(batch, true), 0);
    reopen();
    cr_assert(batch_paused(batch, &paused) == 0 && paused);
    cr_assert_eq(batch_set_paused(batch, false), 0);
    cr_assert(batch_paused(batch, &paused) == 0 && !paused);
}

Test(batch_queue, a_manifest_that_was_refused_is_known_by_its_bytes_and_told_of)
{
    struct buf problems = {0};
    bool is_new = false;
    cr_assert(batch_manifest_new(batch, "aa", &is_new) == 0 && is_new);
    cr_assert_eq(batch_manifest_told(batch, "aa", "/drop/bad.toml", "/drop/bad.toml: line 1"), 0);
    cr_assert_eq(batch_manifest_told(batch, "bb", "/drop/good.toml", NULL), 0);
    reopen();
    cr_assert(batch_manifest_new(batch, "aa", &is_new) == 0 && !is_new);
    cr_assert(batch_manifest_new(batch, "bb", &is_new) == 0 && !is_new);
    cr_assert_eq(batch_problems(batch, &problems), 0);
    cr_assert_str_eq(buf_cstr(&problems), "/drop/bad.toml: line 1\n");
    buf_finish(&problems);
}

Test(batch_queue, keys_are_names_of_files_from_the_manifests_folder)
{
    char want[256];
    takes(ONE("a", "keys = [\"@keys\", \"file:/srv/k\", \"EX-2=file:y\"]\n"), false);
    load();
    snprintf(want, sizeof want, "--key\n@%s/keys\n--key\nfile:/srv/k\n--key\nEX-2=file:%s/y\n", base, base);
    cr_assert_str_eq(tasks[0].arguments, want);
}

Test(batch_queue, a_key_itself_is_refused_and_not_said)
{
    static const char *const clear[] = {"password:tsisana",
                                        "recovery:tsisana",
                                        "master:tsisana",
                                        "EX-1=password:tsisana",
                                        "tsisana",
                                        "password:tsisana=@x",
                                        "EX-1=tsisana",
                                        "@",
                                        "file:",
                                        "EX-1=master:tsisana",
                                        "=@tsisana"};
    struct why why;
    char text[256];
    size_t added = 0;
    for (size_t i = 0; i < sizeof clear / sizeof *clear; i++) {
        snprintf(text, sizeof text, ONE("a", "keys = \"%s\"\n"), clear[i]);
        cr_assert_eq(take("m.toml", text, false, &added, &why), -EINVAL, "%s", clear[i]);
        cr_assert(strstr(why.text, "exhibit 1: keys: a key itself"), "%s", why.text);
        cr_assert(!strstr(why.text, "tsisana"), "%s", why.text);
    }
    refuses(ONE("a", "options = [\"--key\", \"password:tsisana\"]\n"),
            "exhibit 1: options: --key has a key of its own");
    refuses(ONE("a", "options = [\"--key=password:tsisana\"]\n"),
            "exhibit 1: options: --key has a key of its own");
    cr_assert_eq(takes(ONE("a", "options = [\"--keywords\", \"/w\"]\n"), false), 1u);
}

/* A wrong plugin is mended in the manifest, which is given once more. */
Test(batch_queue, what_failed_is_queued_again_when_the_manifest_says_something_else_of_it)
{
    takes(ONE("a", "plugins = \"carv\"\n") ONE("b", ""), false);
    load();
    tasks[0].state = BATCH_FAILED;
    tasks[0].tries = 3;
    tasks[1].state = BATCH_DONE;
    cr_assert_eq(batch_task_put(batch, &tasks[0]), 0);
    cr_assert_eq(batch_task_put(batch, &tasks[1]), 0);
    cr_assert_eq(takes(ONE("a", "plugins = \"carv\"\n"), false), 0u);
    cr_assert_eq(takes(ONE("a", "plugins = \"carve\"\n") ONE("b", "priority = 7\n"), false), 1u);
    load();
    cr_assert_eq(count, 2u);
    for (size_t i = 0; i < 2; i++)
        if (strstr(tasks[i].folder, "/a"))
            cr_assert(tasks[i].state == BATCH_QUEUED && tasks[i].tries == 0 &&
                      strstr(tasks[i].arguments, "carve"));
        else
            cr_assert(tasks[i].state == BATCH_DONE && tasks[i].priority == 0);
}

Test(batch_queue, what_failed_or_was_cancelled_is_queued_again_by_hand_and_nothing_else)
{
    uint64_t again = 0;
    takes(ONE("a", "") ONE("b", "") ONE("c", ""), false);
    load();
    tasks[0].state = BATCH_FAILED;
    tasks[0].tries = 3;
    tasks[1].state = BATCH_DONE;
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(batch_task_put(batch, &tasks[i]), 0);
    cr_assert_eq(batch_cancel(batch, tasks[2].id), 0);
    cr_assert_eq(batch_retry(batch, tasks[1].id, &again), 0);
    cr_assert_eq(again, 0u);
    cr_assert_eq(batch_retry(batch, 0, &again), 0);
    cr_assert_eq(again, 2u);
    load();
    cr_assert(tasks[0].state == BATCH_QUEUED && tasks[0].tries == 0 && tasks[1].state == BATCH_DONE &&
              tasks[2].state == BATCH_QUEUED);
}
