/* index: words go in page by page and are found; what a chosen attempt does not stand for is not. */
#include "cases/index.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct field page_fields[] = {{"last", FIELD_U64, "", "1: the end"},
                                           {"text", FIELD_BYTES, "", "UTF-8"}};
static const struct record_type page_type = {"page", 1, "a page", page_fields, 2};
static const struct field text_fields[] = {{"format", FIELD_TEXT, "", "of it"},
                                           {"bytes", FIELD_U64, "", "of text"}};
static const struct record_type text_type = {"text", 1, "text", text_fields, 2};
static struct record_type *const types[] = {(struct record_type *)(uintptr_t)&text_type,
                                            (struct record_type *)(uintptr_t)&page_type};

enum { TEXT = 3 }; /* the plugin's number */

static void learn(struct case_world *world)
{
    cr_assert_eq(writer_plugin(world->writer, TEXT, "text", 1, types, 2), 0, "%s",
                 writer_error(world->writer));
}

static int say(struct case_world *world, uint64_t attempt, uint64_t stream, const char *text, bool last)
{
    const struct value page[] = {value_u64(last), value_bytes(text, strlen(text))};

    return writer_record(world->writer, attempt, stream, TEXT, 1, 0, page);
}

static void summary(struct case_world *world, uint64_t attempt, uint64_t stream)
{
    const struct value values[] = {value_text("utf-8"), value_u64(1)};

    cr_assert_eq(writer_record(world->writer, attempt, stream, TEXT, 0, 1, values), 0);
}

/* A walk that goes on. */
static uint64_t walk;
static void begin(struct case_world *world)
{
    uint64_t volumes;

    world_make(world);
    learn(world);
    volumes = world_expand(world, 1, "volumes");
    world_volume(world, volumes, "p1", "fs@1048576:ntfs");
    world_end(world, volumes, ATTEMPT_DONE);
    walk = world_expand(world, 1, "fs@1048576:ntfs");
}

static uint64_t entry(struct case_world *world, const char *path)
{
    static unsigned next = 100;
    char locator[64];

    snprintf(locator, sizeof locator, "fs@1048576:ntfs/%u-128-1", next++);
    return world_entry(world, walk, path, locator);
}

/* A file with this text, scanned. */
static uint64_t put_file(struct case_world *world, const char *path, const char *text)
{
    uint64_t stream = entry(world, path), attempt;

    attempt = world_scan(world, 1, stream);
    cr_assert_eq(say(world, attempt, stream, text, true), 0);
    summary(world, attempt, stream);
    world_end(world, attempt, ATTEMPT_DONE);
    return stream;
}

struct answer {
    char text[4096];
    size_t count;
};

static int take(void *context, const struct index_hit *hit)
{
    struct answer *answer = context;
    size_t size = strlen(answer->text);

    snprintf(answer->text + size, sizeof answer->text - size, "%s:[%s] ", hit->path, hit->text);
    answer->count++;
    return 0;
}

static const char *search(struct case_world *world, const char *words)
{
    static struct answer answer;
    struct index_query query = {.words = words};
    struct why why = {{0}};
    uint64_t missing = 99;

    answer = (struct answer){.count = 0};
    cr_assert_eq(index_search(world->cf, &query, take, &answer, &missing, &why), 0, "%s: %s", words,
                 why.text);
    cr_assert_eq(missing, 0);
    return answer.text;
}

static int search_code(struct case_world *world, const char *words)
{
    struct index_query query = {.words = words};
    struct answer answer = {.count = 0};
    struct why why = {{0}};
    uint64_t missing;

    return index_search(world->cf, &query, take, &answer, &missing, &why);
}

Test(index, words_phrases_prefixes_and_operators)
{
    struct case_world world;

    begin(&world);
    put_file(&world, "a", "The red phosphorus lies here. ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ, Москва");
    put_file(&world, "b", "phosphorus is red; gold ring; საქართველოში");
    world_flush(&world);
    cr_assert_str_eq(search(&world, "PHOSPHORUS"), "a:[phosphorus] b:[phosphorus] ");
    cr_assert_str_eq(search(&world, "\"red phosphorus\""), "a:[red] ");
    cr_assert_str_eq(search(&world, "red gold"), "b:[red] ");
    cr_assert_str_eq(search(&world, "Москва OR gold"), "a:[Москва] b:[gold] ");
    cr_assert_str_eq(search(&world, "phosphorus NOT gold"), "a:[phosphorus] ");
    cr_assert_str_eq(search(&world, "საქართველო"), "a:[ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ] ");
    cr_assert_str_eq(search(&world, "საქართველო*"),
                     "a:[ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ] b:[საქართველოში] ");
    cr_assert_str_eq(search(&world, "(gold OR москва) red"), "a:[red] b:[red] ");
    cr_assert_str_eq(search(&world, "words^:{}-nothing'"), "");
    cr_assert_eq(search_code(&world, "\"open"), -EINVAL);
    cr_assert_eq(search_code(&world, "AND"), -EINVAL);
    cr_assert_eq(search_code(&world, "red AND"), -EINVAL);
    cr_assert_eq(search_code(&world, "  "), -EINVAL);
    world_drop(&world);
}

Test(index, a_case_that_was_run_without_has_none)
{
    struct case_world world;

    world_make(&world);
    cr_assert_eq(search_code(&world, "x"), -ENOENT);
    world_drop(&world);
}

Test(index, only_a_chosen_attempt_counts)
{
    struct case_world world;
    uint64_t stream, attempt;

    begin(&world);
    stream = put_file(&world, "a", "firstword");
    attempt = world_scan(&world, 1, stream); /* once more, and it crashes */
    cr_assert_eq(say(&world, attempt, stream, "secondword", true), 0);
    world_end(&world, attempt, ATTEMPT_CRASHED);
    world_flush(&world);
    cr_assert_str_eq(search(&world, "secondword"), "");
    cr_assert_str_eq(search(&world, "firstword"), "a:[firstword] ");
    world_drop(&world);
}

/* The index was committed, the case was not: numbers of attempts come again, and must not bring the old words
 * along. */
Test(index, what_a_kill_left_without_an_attempt_is_cleared_away)
{
    struct case_world world;
    struct index *index;
    struct why why = {{0}};
    uint64_t stream, attempt;

    begin(&world);
    stream = put_file(&world, "a", "firstword");
    world_flush(&world);
    cr_assert_eq(index_open(world.cf, &index, &why), 0, "%s", why.text);
    for (uint64_t later = 1; later < 20; later++)
        cr_assert_eq(index_add(index, 3 + later, stream, "ghostword", 9, true), 0);
    cr_assert_eq(index_commit(index), 0);
    index_close(index);
    world_kill(&world);
    world_reopen(&world);
    world_run(&world);
    learn(&world); /* opens the index, and clears */
    cr_assert_eq(index_open(world.cf, &index, &why), 0, "%s", why.text);
    index_close(index);
    attempt = world_scan(&world, 1, stream);
    cr_assert_eq(say(&world, attempt, stream, "firstword again", true), 0);
    summary(&world, attempt, stream);
    world_end(&world, attempt, ATTEMPT_DONE);
    world_flush(&world);
    cr_assert_str_eq(search(&world, "ghostword"), "");
    cr_assert_str_eq(search(&world, "firstword"), "a:[firstword] ");
    cr_assert_str_eq(search(&world, "again"), "a:[again] ");
    world_drop(&world);
}

Test(index, long_text_has_pages_and_no_word_is_lost)
{
    struct case_world world;
    uint64_t stream, attempt;
    char *text = malloc(48 * 1024 + 1);

    begin(&world);
    stream = entry(&world, "long");
    attempt = world_scan(&world, 1, stream);
    for (int i = 0; i < 50; i++) {
        memset(text, ' ', 48 * 1024);
        text[48 * 1024] = '\0';
        text[100 + snprintf(text + 100, 64, "word%d", i)] = ' ';
        cr_assert_eq(say(&world, attempt, stream, text, i == 49), 0);
    }
    summary(&world, attempt, stream);
    world_end(&world, attempt, ATTEMPT_DONE);
    world_flush(&world);
    for (int i = 0; i < 50; i++) {
        char word[16], want[32];

        snprintf(word, sizeof word, "word%d", i);
        snprintf(want, sizeof want, "long:[%s] ", word);
        cr_assert_str_eq(search(&world, word), want);
    }
    cr_assert_str_eq(search(&world, "word0 word1"), "long:[word0] ");
    free(text);
    world_drop(&world);
}

Test(index, text_that_is_none_is_refused)
{
    struct case_world world;
    uint64_t stream, attempt;

    begin(&world);
    stream = entry(&world, "bad");
    attempt = world_scan(&world, 1, stream);
    cr_assert_eq(say(&world, attempt, stream, "\xff\xfe", true), -EBADMSG);
    world_drop(&world);
}
