/* kvali compare: what differs between the findings of two cases, and why. */
#include "engine/cli/cli.h"

#include "cases/compare.h"
#include "engine/base/json.h"

#include <stdio.h>

static const struct option_spec specs[] = {
    {"limit", 'l', "N", "Show at most so many items (all are counted)"},
    {"summary", 0, NULL, "Show no items, only how many there are and why"},
    {"json", 'j', NULL, "One JSON object a line: facts, items, and at the end the result"},
    {NULL, 0, NULL, NULL},
};

struct output {
    bool json, items;
    uint64_t limit, shown;
};

static void put_fact(void *context, const struct compare_fact *fact)
{
    const struct output *output = context;
    if (!output->json) {
        cli_print("%-14s %s: %s | %s\n", compare_cause_name(fact->cause), fact->what,
                  *fact->first ? fact->first : "absent", *fact->second ? fact->second : "absent");
        return;
    }
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "fact", compare_cause_name(fact->cause));
    json_text(&json, "what", fact->what);
    json_text(&json, "first", fact->first);
    json_text(&json, "second", fact->second);
    json_object_close(&json);
    cli_print("%s\n", buf_cstr(&buf));
    buf_finish(&buf);
}

static void put_item(void *context, const struct compare_item *item)
{
    static const char *const sides[SIDES] = {"only in the first", "only in the second", "differs"};
    static const char marks[SIDES] = {'-', '+', '~'};
    struct output *output = context;
    if (!output->items || output->shown++ >= output->limit)
        return;
    if (!output->json) {
        cli_print("%c %s %s%s%s (%s)\n", marks[item->side], item->part, item->key, *item->changes ? ": " : "",
                  item->changes, compare_cause_name(item->cause));
        return;
    }
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "item", sides[item->side]);
    json_text(&json, "part", item->part);
    json_text(&json, "key", item->key);
    json_text(&json, "changes", item->changes);
    json_text(&json, "cause", compare_cause_name(item->cause));
    json_object_close(&json);
    cli_print("%s\n", buf_cstr(&buf));
    buf_finish(&buf);
}

static uint64_t differing(const struct compare_result *result)
{
    return result->items[ONLY_FIRST] + result->items[ONLY_SECOND] + result->items[BOTH_DIFFER];
}

static void put_result(const struct output *output, const struct compare_result *result)
{
    if (output->json) {
        struct buf buf = {0};
        struct json json;
        json_init(&json, &buf);
        json_object_open(&json, NULL);
        json_u64(&json, "same", result->same);
        json_u64(&json, "only_first", result->items[ONLY_FIRST]);
        json_u64(&json, "only_second", result->items[ONLY_SECOND]);
        json_u64(&json, "differ", result->items[BOTH_DIFFER]);
        json_object_open(&json, "causes");
        for (int i = 0; i < CAUSES; i++)
            json_u64(&json, compare_cause_name((enum compare_cause)i), result->causes[i]);
        json_object_close(&json);
        json_object_close(&json);
        cli_print("%s\n", buf_cstr(&buf));
        buf_finish(&buf);
        return;
    }
    cli_print("%s%llu lines are the same, %llu only in the first, %llu only in the second, %llu differ\n",
              differing(result) ? "\n" : "", (unsigned long long)result->same,
              (unsigned long long)result->items[ONLY_FIRST], (unsigned long long)result->items[ONLY_SECOND],
              (unsigned long long)result->items[BOTH_DIFFER]);
    for (int i = 0; i < CAUSES; i++)
        if (result->causes[i])
            cli_print("%-14s %llu\n", compare_cause_name((enum compare_cause)i),
                      (unsigned long long)result->causes[i]);
}

static int run(const struct options *options)
{
    struct output output = {
        .json = options_has(options, "json"), .items = !options_has(options, "summary"), .limit = UINT64_MAX};
    struct casefile *cases[2] = {NULL, NULL};
    struct compare_result result;
    struct why why = {{0}};
    int code = EXIT_DONE;
    if (options_number(options, "limit", &output.limit, &why))
        return fail_usage("compare", &why);
    for (int i = 0; i < 2 && code == EXIT_DONE; i++)
        (void)cli_open_case(options->args[i], CASEFILE_READ, &cases[i], &code);
    if (code == EXIT_DONE) {
        int error = case_compare(cases[0], cases[1], put_fact, put_item, &output, &result, &why);
        if (error)
            code = fail(exit_code_of_case(error), NULL, error, &why, "run `kvali verify` on both");
        else if (!options->quiet || output.json)
            put_result(&output, &result);
        if (error == 0)
            code = differing(&result) ? EXIT_FAULTS : EXIT_DONE;
    }
    casefile_close(cases[0]);
    casefile_close(cases[1]);
    return code;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "what differs between the findings of two cases, and why",
    .usage = "CASE1 CASE2 [options]",
    .help = "First what the two were made with and what of it differs: evidence (SHA-256 of the exhibits), "
            "rules, configuration\n"
            "(settings that can change findings), versions; of the last run of each. Then every finding that "
            "is in one of\n"
            "them alone (- the first, + the second) or differs (~), with its likely cause: the first of "
            "these that touches\n"
            "its exhibit or its plugin. What nothing explains is \"not explained\", and should not be there: "
            "the same\n"
            "evidence, settings and versions give the same findings. Exhibits are matched by their labels.",
    .example = "  kvali compare CASE1 CASE2\n"
               "  kvali compare CASE1 CASE2 --summary",
    .exits = "  0  the findings are the same\n  1  they differ",
    .options = specs,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
