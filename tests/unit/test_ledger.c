/* ledger: whatever is done to a line, to a line's place or to the end of the file is found, and the line is
 * named. */
#include "cases/ledger.h"

#include "engine/base/buf.h"
#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES = 6 };

static struct case_world world;
static char path[128];

static struct ledger *open_ledger(bool create)
{
    struct ledger *ledger = NULL;
    struct why why = {{0}};
    cr_assert_eq(ledger_open(path, create, "examiner@host", NULL, &ledger, &why), 0, "%s", why.text);
    return ledger;
}

static void append(struct ledger *ledger, const char *type, const char *fields)
{
    struct why why = {{0}};
    cr_assert_eq(ledger_append(ledger, type, fields, &why), 0, "%s", why.text);
}

static void begin(void)
{
    char fields[32];
    world_begin(&world);
    cr_assert_eq(mkdir(world.folder, 0700), 0);
    snprintf(path, sizeof path, "%s/ledger.jsonl", world.folder);
    struct ledger *ledger = open_ledger(true);
    for (int i = 0; i < LINES; i++) {
        snprintf(fields, sizeof fields, "{\"n\":%d,\"a\":\"text\"}", i);
        append(ledger, "test", fields);
    }
    cr_assert_eq(ledger_count(ledger), (uint64_t)LINES);
    ledger_close(ledger);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(ledger, .init = begin, .fini = end);

static int walk(uint64_t *ret_count, struct why *why)
{
    char head[SHA256_HEX_SIZE];
    *why = (struct why){{0}};
    return ledger_walk(path, NULL, NULL, ret_count, head, why);
}

/* The ledger as lines with their LF; changed by `change`, written back, walked. */
static void expect_broken(void (*change)(char **lines), const char *words)
{
    size_t size = 0;
    char *text = world_read(&world, "ledger.jsonl", &size), *lines[LINES + 1] = {NULL};
    char *at = text;
    for (int i = 0; i < LINES; i++) {
        size_t length = strcspn(at, "\n") + 1;
        lines[i] = strndup(at, length);
        at += length;
    }
    change(lines);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    for (int i = 0; i < LINES; i++)
        if (lines[i]) {
            fputs(lines[i], file);
            free(lines[i]);
        }
    fclose(file);
    free(text);
    struct why why;
    uint64_t count;
    cr_assert_eq(walk(&count, &why), -EUCLEAN);
    cr_assert(strstr(why.text, words), "\"%s\" is not in \"%s\"", words, why.text);
    struct ledger *ledger = NULL;
    cr_assert_eq(ledger_open(path, false, "x", NULL, &ledger, &why), -EUCLEAN,
                 "nothing is appended to a broken chain");
}

static void edit(char **lines)
{
    char *at = strstr(lines[2], "text");
    cr_assert(at);
    at[0] = 'T';
}
Test(ledger, a_changed_line_is_found)
{
    expect_broken(edit, "line 4 does not follow the line before it");
}

static void delete_line(char **lines)
{
    free(lines[3]);
    lines[3] = NULL;
}
Test(ledger, a_missing_line_is_found)
{
    expect_broken(delete_line, "line 4 does not follow");
}

static void delete_first(char **lines)
{
    free(lines[0]);
    lines[0] = NULL;
}
Test(ledger, a_missing_first_line_is_found)
{
    expect_broken(delete_first, "line 1 does not follow");
}

static void swap(char **lines)
{
    char *line = lines[2];
    lines[2] = lines[3];
    lines[3] = line;
}
Test(ledger, swapped_lines_are_found)
{
    expect_broken(swap, "line 3 does not follow");
}

static void double_line(char **lines)
{
    free(lines[4]);
    lines[4] = strdup(lines[3]);
}
Test(ledger, a_doubled_line_is_found)
{
    expect_broken(double_line, "line 5 does not follow");
}

Test(ledger, a_last_line_that_is_cut_off_is_found)
{
    size_t size;
    char *text = world_read(&world, "ledger.jsonl", &size);
    struct why why;
    uint64_t count;
    cr_assert_eq(truncate(path, (off_t)size - 5), 0);
    cr_assert_eq(walk(&count, &why), -EUCLEAN);
    cr_assert(strstr(why.text, "line 6 is cut off"), "%s", why.text);
    free(text);
}

static void not_json(char **lines)
{
    free(lines[1]);
    lines[1] = strdup("rm -rf /\n");
}
Test(ledger, a_line_that_is_no_json_is_named)
{
    expect_broken(not_json, "line 2 is not JSON");
}

static void other_json(char **lines)
{
    free(lines[1]);
    lines[1] = strdup("[1]\n");
}
Test(ledger, a_line_that_is_no_record_is_named)
{
    expect_broken(other_json, "line 2 is not a ledger record");
}

/* Anybody can do this with sha256sum: the chain is over the bytes of the file. */
Test(ledger, every_record_carries_the_sha256_of_the_line_before)
{
    size_t size;
    char *text = world_read(&world, "ledger.jsonl", &size), *at = text;
    char want[SHA256_HEX_SIZE];
    memset(want, '0', 64);
    want[64] = 0;
    for (int i = 0; i < LINES; i++) {
        size_t length = strcspn(at, "\n") + 1;
        json_t *record = json_loadb(at, length, 0, NULL);
        cr_assert(record);
        cr_assert_str_eq(json_string_value(json_object_get(record, "prev")), want);
        cr_assert_eq(json_integer_value(json_object_get(record, "seq")), i);
        cr_assert_eq(json_integer_value(json_object_get(record, "v")), LEDGER_VERSION);
        cr_assert_str_eq(json_string_value(json_object_get(record, "actor")), "examiner@host");
        cr_assert_str_eq(json_string_value(json_object_get(record, "type")), "test");
        char *canonical = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
        cr_assert(strlen(canonical) == length - 1 && memcmp(canonical, at, length - 1) == 0,
                  "keys are sorted");
        free(canonical);
        json_decref(record);
        hash_sha256_hex(at, length, want);
        at += length;
    }
    struct ledger *ledger = open_ledger(false);
    cr_assert_str_eq(ledger_head(ledger), want);
    ledger_close(ledger);
    free(text);
}

static int collect(void *context, const struct ledger_record *record)
{
    uint64_t *sum = context;
    char n[8], none[8];
    cr_assert(ledger_member(record, "n", n, sizeof n));
    cr_assert(!ledger_member(record, "missing", none, sizeof none));
    cr_assert(!ledger_member(record, "prev", none, sizeof none), "what does not fit is not cut");
    cr_assert_eq((uint64_t)atoi(n) + 1, record->line);
    char hash[SHA256_HEX_SIZE];
    struct buf line = {0};
    buf_printf(&line, "%s\n", record->json);
    hash_sha256_hex(line.data, line.size, hash);
    buf_finish(&line);
    cr_assert_str_eq(record->hash, hash);
    *sum += record->line;
    return record->line == 4 ? -ECANCELED : 0;
}
Test(ledger, a_walk_tells_every_record_in_order_until_it_is_told_to_end)
{
    uint64_t sum = 0, count = 77;
    char head[SHA256_HEX_SIZE];
    struct why why = {{0}};
    cr_assert_eq(ledger_walk(path, collect, &sum, &count, head, &why), -ECANCELED);
    cr_assert_eq(sum, 10u);
    cr_assert_eq(count, 77u, "outputs are untouched on failure");
}

Test(ledger, what_a_crash_cut_off_is_moved_aside_and_told)
{
    size_t size, part_size;
    struct why why;
    uint64_t count;
    char sha256[SHA256_HEX_SIZE];
    free(world_read(&world, "ledger.jsonl", &size));
    cr_assert_eq(truncate(path, (off_t)size - 7), 0);
    for (int round = 1; round <= 2; round++) {
        struct ledger *ledger = open_ledger(false);
        cr_assert_eq(ledger_count(ledger), (uint64_t)LINES, "5 whole ones and what is told of the sixth");
        ledger_close(ledger);
        if (round == 1) {
            char *part = world_read(&world, "ledger.partial-1", &part_size);
            hash_sha256_hex(part, part_size, sha256);
            free(part);
        }
    }
    cr_assert_eq(walk(&count, &why), 0, "%s", why.text);
    char *text = world_read(&world, "ledger.jsonl", &size);
    cr_assert(strstr(text, "\"type\":\"recovered\""));
    cr_assert(strstr(text, sha256));
    free(text);
}

Test(ledger, a_last_line_whose_first_sectors_a_power_cut_took_is_moved_aside_and_one_before_it_is_damage)
{
    size_t size;
    struct why why;
    uint64_t count;
    char *text = world_read(&world, "ledger.jsonl", &size);
    memset(text + size - 40, 0, 20);
    world_write(&world, "ledger.jsonl", text, size);
    cr_assert_eq(walk(&count, &why), -EUCLEAN);
    cr_assert(strstr(why.text, "cut off"), "%s", why.text);
    ledger_close(open_ledger(false));
    cr_assert_eq(walk(&count, &why), 0, "%s", why.text);
    cr_assert_eq(count, (uint64_t)LINES);
    free(text);
    text = world_read(&world, "ledger.jsonl", &size);
    text[40] = 0;
    world_write(&world, "ledger.jsonl", text, size);
    cr_assert_eq(walk(&count, &why), -EUCLEAN);
    cr_assert(strstr(why.text, "not JSON"), "%s", why.text);
    free(text);
}

/* Whoever zeroes a byte of the last line must not have it set aside by the next run. */
Test(ledger, a_line_that_was_whole_once_is_not_moved_aside_when_it_is_torn_cut_off_or_changed)
{
    static const struct {
        size_t cut;
        char byte;
        const char *words;
    } changes[] = {{0, 0, "remembers 6"}, {1, 'n', "remembers 6"}, {0, 'm', "line 6 is not the one"}};
    struct ledger_known known = {.count = LINES};
    struct ledger *ledger = open_ledger(false);
    struct why why = {{0}};
    char partial[160];
    size_t size, after;
    memcpy(known.head, ledger_head(ledger), sizeof known.head);
    ledger_close(ledger);
    snprintf(partial, sizeof partial, "%s/ledger.partial-1", world.folder);
    char *text = world_read(&world, "ledger.jsonl", &size);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *at = strrchr(text, '@'); /* of the last line's actor */
        cr_assert(at);
        at[1] = changes[i].byte;
        world_write(&world, "ledger.jsonl", text, size - changes[i].cut);
        cr_assert_eq(ledger_open(path, false, "x", &known, &ledger, &why), -EUCLEAN, "change %zu", i);
        cr_assert(strstr(why.text, changes[i].words), "%s", why.text);
        free(world_read(&world, "ledger.jsonl", &after));
        cr_assert_eq(after, size - changes[i].cut);
        cr_assert_neq(access(partial, F_OK), 0);
        at[1] = 'h';
    }
    world_write(&world, "ledger.jsonl", text, size);
    free(text);
    cr_assert_eq(ledger_open(path, false, "x", &known, &ledger, &why), 0, "%s", why.text);
    append(ledger, "test", "{}");
    ledger_close(ledger);
    cr_assert_eq(ledger_open(path, false, "x", &known, &ledger, &why), 0, "more than it knows of: %s", why.text);
    ledger_close(ledger);
}

Test(ledger, fields_that_are_no_object_are_refused_and_nothing_is_written)
{
    static const char *const bad[] = {"", "[]", "1", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
    struct ledger *ledger = open_ledger(false);
    struct why why = {{0}};
    uint64_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(ledger_append(ledger, "test", bad[i], &why), -EINVAL, "%s", bad[i]);
    append(ledger, "test", "{\"n\":1,\"seq\":999,\"prev\":\"mine\",\"type\":\"mine\"}");
    ledger_close(ledger);
    cr_assert_eq(walk(&count, &why), 0, "%s", why.text);
    cr_assert_eq(count, (uint64_t)LINES + 1);
}

Test(ledger, one_is_never_made_over_another_nor_through_a_link)
{
    struct ledger *ledger = NULL;
    struct why why = {{0}};
    char link_path[160];
    cr_assert_eq(ledger_open(path, true, "x", NULL, &ledger, &why), -EEXIST);
    snprintf(link_path, sizeof link_path, "%s/link.jsonl", world.folder);
    cr_assert_eq(symlink(path, link_path), 0);
    cr_assert_eq(ledger_open(link_path, false, "x", NULL, &ledger, &why), -ELOOP);
    snprintf(link_path, sizeof link_path, "%s/none.jsonl", world.folder);
    cr_assert_eq(ledger_open(link_path, false, "x", NULL, &ledger, &why), -ENOENT);
    cr_assert_null(ledger);
}
