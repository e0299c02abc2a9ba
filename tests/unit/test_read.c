/* read: a worker that lies about the bytes of a content is not believed; what is told is an error, once for
 * each. */
#include "engine/job/job.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WANTS = 2 };

struct seen {
    char text[64];
    int codes[WANTS], calls[WANTS];
};

static int each(void *context, const void *data, size_t size)
{
    struct seen *seen = context;
    size_t have = strlen(seen->text);
    snprintf(seen->text + have, sizeof seen->text - have, "%.*s", (int)size, (const char *)data);
    return 0;
}

static int done(void *context, size_t index, int code, uint64_t unread, const char *reason)
{
    struct seen *seen = context;
    (void)unread, (void)reason;
    seen->calls[index]++;
    seen->codes[index] = code;
    return 0;
}

/* What comes of `count` contents, which lie in `root` if there is one, when the worker lies so. */
static int ask(const char *lie, const struct job_root *root, size_t count, struct seen *seen)
{
    struct settings settings;
    struct why why = {{0}};
    struct job_read reads[WANTS];
    *seen = (struct seen){{0}, {0}, {0}};
    setenv("KVALI_LIE", lie, 1);
    cr_assert_eq(settings_init(&settings), 0);
    for (size_t i = 0; i < WANTS; i++)
        reads[i] = (struct job_read){.exhibit_path = "/evidence",
                                     .exhibit_type = "raw",
                                     .locator = "image",
                                     .size = 5,
                                     .each = each,
                                     .context = seen,
                                     .root = root,
                                     .path = i ? "image!/b" : "image!/a"};
    struct job_options options = {
        .worker_program = FALSE_WORKER, .settings = &settings, .spool_folder = "/tmp"};
    int code = job_read(&options, reads, count, done, seen, &why);
    settings_finish(&settings);
    return code;
}

static const struct job_root root = {.path = "image", .extension = "", .plugins = "", .lab_plugins = ""};

Test(read, an_honest_answer_is_passed_on)
{
    struct seen seen;
    cr_assert_eq(ask("", NULL, 1, &seen), 0);
    cr_assert_str_eq(seen.text, "hello");
    cr_assert(seen.calls[0] == 1 && seen.codes[0] == 0);
    cr_assert_eq(ask("", &root, 2, &seen), 0);
    cr_assert_str_eq(seen.text, "hellothere");
    cr_assert(seen.calls[0] == 1 && seen.calls[1] == 1 && seen.codes[0] == 0 && seen.codes[1] == 0);
}

Test(read, a_lie_about_a_content_is_an_error_of_it)
{
    static const char *const lies[] = {"found",    "flood", "data tail", "broken packet",
                                       "replayed", "errno", "end tail"};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct seen seen;
        cr_expect_eq(ask(lies[i], NULL, 1, &seen), 0, "%s", lies[i]);
        cr_expect(seen.calls[0] == 1 && seen.codes[0] == -EPROTO, "%s: %d, %d times", lies[i], seen.codes[0],
                  seen.calls[0]);
    }
}

Test(read, a_lie_about_what_lies_inside_is_an_error_of_all_that_is_not_told_yet)
{
    static const struct {
        const char *lie;
        int codes[WANTS];
    } cases[] = {
        {"data without", {-EPROTO, -EPROTO}},
        {"end without", {-EPROTO, -EPROTO}},
        {"number", {-EPROTO, -EPROTO}},
        {"found in found", {-EPROTO, -EPROTO}},
        {"open at the end", {-EPROTO, -EPROTO}},
        {"twice", {0, -EPROTO}},
        {"lost", {0, -ESTALE}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen;
        cr_expect_eq(ask(cases[i].lie, &root, WANTS, &seen), 0, "%s", cases[i].lie);
        for (size_t w = 0; w < WANTS; w++)
            cr_expect(seen.calls[w] == 1 && seen.codes[w] == cases[i].codes[w], "%s: want %zu: %d, %d times",
                      cases[i].lie, w, seen.codes[w], seen.calls[w]);
    }
}

Test(read, what_comes_before_the_first_worker_is_not_believed_either)
{
    struct seen seen;
    cr_assert_eq(ask("fatal errno", NULL, 1, &seen), -EPROTO);
    cr_assert_eq(seen.calls[0], 0);
}
