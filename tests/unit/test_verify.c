/* verify: what was changed is found, by the step that its name says, with the record's own words. */
#include "cases/verify.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct case_world world;

static void begin(void)
{
    world_make(&world);
    world_fill(&world, 3);
    world_run_end(&world);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(verify, .init = begin, .fini = end);

struct outcome {
    bool told[VERIFY_STEPS], sound[VERIFY_STEPS];
    char words[VERIFY_STEPS][600];
    struct verify_result result;
};

static void step(void *context, enum verify_step number, bool sound, const char *words)
{
    struct outcome *outcome = context;
    cr_assert(!outcome->told[number], "told twice");
    outcome->told[number] = true;
    outcome->sound[number] = sound;
    snprintf(outcome->words[number], sizeof outcome->words[number], "%s", words);
}

static struct outcome verify(void)
{
    struct outcome outcome = {0};
    struct why why = {{0}};
    if (world.cf)
        world_close(&world);
    cr_assert_eq(case_verify(world.folder, NULL, step, &outcome, &outcome.result, &why), 0, "%s", why.text);
    for (int i = 0; i < VERIFY_STEPS; i++) {
        cr_assert(outcome.told[i], "nothing was told of: %s", verify_step_name((enum verify_step)i));
        cr_assert(outcome.sound[i] || outcome.words[i][0], "%s: bad, and no word why",
                  verify_step_name((enum verify_step)i));
    }
    return outcome;
}

/* `bad` is the one step that finds it, and `words` stand in what it says. */
static void expect_bad(enum verify_step bad, const char *words)
{
    struct outcome outcome = verify();
    cr_assert(!outcome.result.sound);
    cr_assert(!outcome.sound[bad], "%s does not see it", verify_step_name(bad));
    cr_assert(strstr(outcome.words[bad], words), "\"%s\" is not in \"%s\"", words, outcome.words[bad]);
}

static void change(const char *sql)
{
    cr_assert_eq(db_exec(casefile_db(world.cf), sql), 0, "%s", db_error(casefile_db(world.cf)));
    cr_assert_gt(db_changes(casefile_db(world.cf)), 0, "%s", sql);
}

static void artifact(const char *name, const char *text, const char *fields)
{
    struct why why = {{0}};
    world_write(&world, name, text, strlen(text));
    cr_assert_eq(ledger_append(casefile_ledger(world.cf), "artifact", fields, &why), 0, "%s", why.text);
}

#define HELLO                                                                                                \
    "{\"path\":\"reports/"                                                                                   \
    "a.txt\",\"size\":5,\"sha256\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}"

Test(verify, a_case_that_nobody_touched_is_sound)
{
    artifact("reports/a.txt", "hello", HELLO);
    struct outcome outcome = verify();
    for (int i = 0; i < VERIFY_STEPS; i++)
        cr_expect(outcome.sound[i], "%s: %s", verify_step_name((enum verify_step)i), outcome.words[i]);
    cr_assert(outcome.result.sound);
    cr_assert(!outcome.result.unfinished);
    cr_assert_eq(outcome.result.artifacts, 1u);
    cr_assert_eq(outcome.result.records, 4u);
}

Test(verify, a_changed_finding_is_found)
{
    change("UPDATE rec_digest SET md5 = x'00' WHERE stream = 2");
    expect_bad(VERIFY_FINDINGS, "the ledger says");
}

Test(verify, a_removed_finding_is_found)
{
    change("DELETE FROM t_entry WHERE id = 2");
    expect_bad(VERIFY_FINDINGS, "the ledger says");
}

Test(verify, a_changed_ledger_is_found_and_the_line_is_named)
{
    size_t size;
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    char *at = strstr(text, "EX-1");
    cr_assert(at);
    at[3] = '7';
    world_write(&world, "ledger.jsonl", text, size);
    free(text);
    expect_bad(VERIFY_LEDGER, "line 3");
}

/* The chain of what is left holds: the database remembers how far it went. */
Test(verify, a_ledger_whose_last_lines_are_gone_is_found)
{
    char path[160];
    size_t size;
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    text[size - 1] = 0;
    size_t kept = (size_t)(strrchr(text, '\n') - text) + 1;
    snprintf(path, sizeof path, "%s/ledger.jsonl", world.folder);
    cr_assert_eq(truncate(path, (off_t)kept), 0);
    free(text);
    expect_bad(VERIFY_LEDGER, "it has 2 records, the database remembers 3");
}

Test(verify, a_changed_last_line_of_the_ledger_is_found)
{
    size_t size;
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    char *at = strstr(text, "\"type\":\"run-end\"");
    cr_assert(at);
    at = strstr(text, "\"status\":\"done\"");
    cr_assert(at);
    memcpy(at, "\"status\":\"gone\"", 15);
    world_write(&world, "ledger.jsonl", text, size);
    free(text);
    expect_bad(VERIFY_LEDGER, "line 3");
}

Test(verify, a_run_that_was_killed_after_a_ledger_record_is_no_damage)
{
    struct why why = {{0}};
    world_close(&world);
    world_reopen(&world);
    world_run(&world);
    cr_assert_eq(ledger_append(casefile_ledger(world.cf), "run-begin", "{}", &why), 0);
    world_flush(&world);
    char path[160], copy[160];
    /* As the disk is at a kill: the database without what casefile_close remembers. */
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    snprintf(copy, sizeof copy, "%s/copy.db", world.base);
    cr_assert_eq(db_backup(casefile_db(world.cf), copy, &why), 0, "%s", why.text);
    world_close(&world);
    cr_assert_eq(rename(copy, path), 0);
    struct outcome outcome = verify();
    cr_assert(outcome.sound[VERIFY_LEDGER], "%s", outcome.words[VERIFY_LEDGER]);
    cr_assert(outcome.result.unfinished);
}

Test(verify, what_was_moved_aside_of_the_ledger_has_to_be_there)
{
    size_t size;
    char path[160];
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    text = realloc(text, size + 6);
    cr_assert(text);
    memcpy(text + size, "{\"a\":", 5);
    world_write(&world, "ledger.jsonl", text, size + 5);
    free(text);
    world_reopen(&world);
    world_close(&world);
    struct outcome outcome = verify();
    cr_assert(outcome.sound[VERIFY_LEDGER] && outcome.sound[VERIFY_ARTIFACTS], "%s", outcome.words[VERIFY_ARTIFACTS]);
    snprintf(path, sizeof path, "%s/ledger.partial-1", world.folder);
    cr_assert_eq(unlink(path), 0);
    expect_bad(VERIFY_ARTIFACTS, "ledger.partial-1");
}

Test(verify, an_exhibit_that_is_added_after_a_run_is_no_damage)
{
    struct why why = {{0}};
    uint64_t id;
    world_close(&world);
    world_reopen(&world);
    world_run(&world);
    cr_assert_eq(casefile_add_exhibit(world.cf, "EX-9", "/evidence/nine.raw", "raw", &id, &why), 0, "%s", why.text);
    world_close(&world);
    struct outcome outcome = verify();
    cr_assert(outcome.sound[VERIFY_FINDINGS], "%s", outcome.words[VERIFY_FINDINGS]);
    cr_assert(outcome.result.unfinished);
}

Test(verify, an_artefact_that_is_changed_cut_or_gone_is_named)
{
    artifact("reports/a.txt", "hello", HELLO);
    world_write(&world, "reports/a.txt", "hallo", 5);
    expect_bad(VERIFY_ARTIFACTS, "line 4: reports/a.txt: its SHA-256");
    world_write(&world, "reports/a.txt", "hell", 4);
    expect_bad(VERIFY_ARTIFACTS, "reports/a.txt: it has 4 bytes, the ledger says 5");
    char path[160];
    snprintf(path, sizeof path, "%s/reports/a.txt", world.folder);
    cr_assert_eq(unlink(path), 0);
    expect_bad(VERIFY_ARTIFACTS, "reports/a.txt: No such file");
}

Test(verify, an_artefact_record_that_cannot_be_checked_is_not_passed_over)
{
    artifact("reports/a.txt", "hello", "{\"path\":\"reports/a.txt\",\"size\":5}");
    expect_bad(VERIFY_ARTIFACTS, "line 4");
}

Test(verify, a_damaged_database_is_told_and_nothing_that_hangs_on_it_is_called_good)
{
    char path[160], junk[DB_PAGE_SIZE];
    memset(junk, 0xee, sizeof junk);
    world_close(&world);
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    FILE *file = fopen(path, "r+");
    cr_assert(file);
    fseek(file, 0, SEEK_END);
    long pages = ftell(file) / DB_PAGE_SIZE;
    for (long page = 3; page < pages; page++) {
        fseek(file, page * DB_PAGE_SIZE, SEEK_SET);
        fwrite(junk, 1, sizeof junk, file);
    }
    fclose(file);
    struct outcome outcome = {0};
    struct why why = {{0}};
    cr_assert_eq(case_verify(world.folder, NULL, step, &outcome, &outcome.result, &why), 0, "%s", why.text);
    cr_assert(!outcome.result.sound);
    cr_assert(outcome.sound[VERIFY_LEDGER]);
    cr_assert(!outcome.sound[VERIFY_DATABASE] && !outcome.sound[VERIFY_ATTEMPTS] &&
              !outcome.sound[VERIFY_FINDINGS]);
    cr_assert(outcome.words[VERIFY_ATTEMPTS][0] && outcome.words[VERIFY_FINDINGS][0]);
}

Test(verify, rows_that_break_the_one_chosen_attempt_are_found)
{
    static const struct {
        const char *sql, *words;
    } breaks[] = {
        {"UPDATE t_stream SET attempt = NULL WHERE id = 1",
         "done without an attempt: disk.E01/p1/ntfs/file-0.txt"},
        {"UPDATE t_stream SET status = 0 WHERE id = 1",
         "pending with a chosen attempt: disk.E01/p1/ntfs/file-0.txt"},
        {"UPDATE t_attempt SET status = 'crashed' WHERE stream = 1",
         "not one that counts: disk.E01/p1/ntfs/file-0.txt"},
        {"INSERT INTO rec_digest SELECT stream, 4711, ordinal, md5, sha1, sha256, xxh3, size, unread FROM "
         "rec_digest "
         "WHERE stream = 1",
         "rec_digest has a row of an attempt that does not count: stream 1"},
        {"INSERT INTO t_note(stream, attempt, plugin, offset, text) VALUES (1, 1, 'digest', 0, 'x')",
         "a note is of an attempt that does not count"},
        {"UPDATE t_entry SET stream = 4711 WHERE id = 1", "names a content that is not there"},
    };
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        char copy[160], path[160];
        struct why why = {{0}};
        snprintf(path, sizeof path, "%s/case.db", world.folder);
        snprintf(copy, sizeof copy, "%s/copy.db", world.base);
        if (!world.cf)
            world_reopen(&world);
        world_flush(&world);
        cr_assert_eq(db_backup(casefile_db(world.cf), copy, &why), 0, "%s", why.text);
        change(breaks[i].sql);
        expect_bad(VERIFY_ATTEMPTS, breaks[i].words);
        cr_assert_eq(rename(copy, path), 0);
    }
}

Test(verify, a_run_that_did_not_end_is_no_damage)
{
    struct why why = {{0}};
    cr_assert_eq(ledger_append(casefile_ledger(world.cf), "run-begin", "{}", &why), 0);
    uint64_t stream = world_entry(&world, 1, "disk.E01/new", "fs@0:x/1");
    world_record(&world, world_scan(&world, 3, stream), stream, 0, 7);
    struct outcome outcome = verify();
    cr_assert(outcome.result.sound);
    cr_assert(outcome.result.unfinished);
    cr_assert(outcome.words[VERIFY_FINDINGS][0]);
}

Test(verify, what_is_no_case_cannot_be_looked_at)
{
    struct outcome outcome = {0};
    struct why why = {{0}};
    cr_assert_eq(case_verify("/nowhere", NULL, step, &outcome, &outcome.result, &why), -ENOENT);
    cr_assert(why.text[0]);
}
