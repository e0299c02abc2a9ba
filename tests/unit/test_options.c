/* The command line: one table gives parsing, errors and help. */
#include "engine/cli/options.h"

#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"name", 'n', "GLOB", "A name"}, {"min-size", 0, "SIZE", "A size"},  {"limit", 'l', "N", "A number"},
    {"after", 0, "TIME", "A time"},  {"deleted", 'd', NULL, "A switch"}, {NULL, 0, NULL, NULL},
};

/* Parses up to NULL. The copy is what options borrow from, and what getopt_long reorders. */
static int parse(struct options *ret_options, struct why *why, const char *const *args)
{
    static char *argv[32];
    int argc = 0;
    while (args[argc])
        argc++;
    memcpy(argv, args, ((size_t)argc + 1) * sizeof *args);
    return options_parse(ret_options, specs, argc, argv, why);
}
#define ARGS(...) ((const char *const[]){"find", __VA_ARGS__, NULL})

Test(options, options_and_arguments_may_come_in_any_order)
{
    struct options options;
    struct why why = {{0}};
    cr_assert_eq(
        parse(&options, &why, ARGS("CASE", "--name", "*.doc", "-d", "MORE", "--limit=7", "--", "--name")), 0);
    cr_assert_eq(options.arg_count, 3);
    cr_assert_str_eq(options.args[0], "CASE");
    cr_assert_str_eq(options.args[1], "MORE");
    cr_assert_str_eq(options.args[2], "--name");
    cr_assert_str_eq(options_text(&options, "name", "-"), "*.doc");
    cr_assert(options_has(&options, "deleted"));
    cr_assert_not(options_has(&options, "after"));
    uint64_t limit = 0;
    cr_assert_eq(options_number(&options, "limit", &limit, &why), 0);
    cr_assert_eq(limit, 7);
    options_finish(&options);
}

Test(options, an_option_may_be_given_again)
{
    struct options options;
    struct why why = {{0}};
    cr_assert_eq(parse(&options, &why, ARGS("-n", "a", "-nb", "--name=")), 0);
    cr_assert_str_eq(options_nth(&options, "name", 0), "a");
    cr_assert_str_eq(options_nth(&options, "name", 1), "b");
    cr_assert_str_eq(options_nth(&options, "name", 2), "");
    cr_assert_null(options_nth(&options, "name", 3));
    cr_assert_str_eq(options_text(&options, "name", "-"), "", "the last one counts");
    options_finish(&options);
}

Test(options, common_options_are_taken_by_every_command)
{
    struct options options;
    struct why why = {{0}};
    cr_assert_eq(parse(&options, &why, ARGS("-qv", "--help")), 0);
    cr_assert(options.help && options.quiet && options.verbose);
    options_finish(&options);
}

Test(options, what_is_wrong_is_named_and_harmless)
{
    struct options options;
    static const struct {
        const char *argument;
        const char *word;
    } wrong[] = {
        {"--nope", "--nope"},        {"-Z", "-Z"},
        {"--name", "needs a value"}, {"--deleted=1", "takes no value"},
        {"--\x1b[2Jx", "\\x1b[2Jx"}, {"-qZ", "-Z"},
        {"-n", "needs a value"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct why why = {{0}};
        cr_assert_eq(parse(&options, &why, ARGS(wrong[i].argument)), -EINVAL);
        cr_assert(strstr(why.text, wrong[i].word), "%s", why.text);
        cr_assert_null(strchr(why.text, '\x1b'));
    }
}

Test(options, values_are_checked)
{
    struct options options;
    struct why why = {{0}};
    uint64_t number = 5, size = 5;
    int64_t when = 5;
    cr_assert_eq(parse(&options, &why, ARGS("--limit", "-1", "--min-size", "12Q", "--after", "tomorrow")), 0);
    cr_assert_eq(options_number(&options, "limit", &number, &why), -EINVAL);
    cr_assert_eq(options_size(&options, "min-size", &size, &why), -EINVAL);
    cr_assert(strstr(why.text, "--min-size 12Q"));
    cr_assert_eq(options_when(&options, "after", &when, &why), -EINVAL);
    cr_assert(number == 5 && size == 5 && when == 5, "untouched on failure");
    options_finish(&options);
    cr_assert_eq(parse(&options, &why, ARGS("--limit=18446744073709551616")), 0);
    cr_assert_eq(options_number(&options, "limit", &number, &why), -EINVAL);
    options_finish(&options);
    cr_assert_eq(parse(&options, &why, ARGS("--min-size=2K", "--after=1970-01-02")), 0);
    cr_assert_eq(options_size(&options, "min-size", &size, &why), 0);
    cr_assert_eq(options_when(&options, "after", &when, &why), 0);
    cr_assert(size == 2048 && when == 86400LL * 1000000000);
    options_finish(&options);
}
