/* kvali verify: is the case what it was when kvali last wrote it? */
#include "cases/verify.h"
#include "engine/base/json.h"
#include "engine/cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"json", 'j', NULL, "The outcome as one JSON object"},
    {NULL, 0, NULL, NULL},
};

struct telling {
    bool quiet;
    struct json *json; /* NULL: in words */
};

static void tell(void *context, enum verify_step step, bool sound, const char *words)
{
    struct telling *telling = context;
    if (telling->json) {
        json_object_open(telling->json, NULL);
        json_string(telling->json, "step", verify_step_name(step));
        json_bool(telling->json, "sound", sound);
        json_string(telling->json, "words", words);
        json_object_close(telling->json);
    } else if (!sound || !telling->quiet) {
        cli_print("%s  %s%s%s\n", sound ? "sound    " : "NOT SOUND", verify_step_name(step), *words ? ": " : "", words);
    }
}

static void finish_json(struct json *json, const struct verify_result *result)
{
    json_array_close(json);
    json_bool(json, "sound", result->sound);
    json_u64(json, "ledger_records", result->records);
    json_string(json, "ledger_head", result->head);
    json_u64(json, "artifacts", result->artifacts);
    json_string(json, "digest", result->digest);
    json_object_close(json);
    puts(buf_cstr(json->buf));
}

static int run(const struct options *options)
{
    struct verify_result result = {0};
    struct why why = {{0}};
    struct buf buf = {0};
    struct json json;
    struct telling telling = {.quiet = options->quiet};
    const char *folder = options->args[0];
    if (options_has(options, "json")) {
        telling.json = &json;
        json_init(&json, &buf);
        json_object_open(&json, NULL);
        json_array_open(&json, "steps");
    }
    int code = case_verify(folder, tell, &telling, &result, &why);
    if (code == 0 && telling.json)
        finish_json(&json, &result);
    buf_finish(&buf);
    if (code)
        return fail(exit_code_of_case(code), folder, code, &why, NULL);
    if (!telling.json && !options->quiet)
        cli_print("The case is %s. Ledger: %llu records, head %s.\n", result.sound ? "sound" : "NOT as kvali left it",
                  (unsigned long long)result.records, result.head);
    return result.sound ? EXIT_DONE : EXIT_CASE;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "check the ledger's chain, the artefacts, the database and the findings",
    .usage = "CASE [options]",
    .help = "Walks ledger.jsonl, compares every file that it names with its SHA-256, checks case.db, and compares the\n"
            "findings with the digest that the last run wrote into the ledger. Reads only.",
    .example = "  kvali verify /srv/cases/2026-001\n"
               "  sha256sum /srv/cases/2026-001/ledger.jsonl   # anyone can check the chain: cases/README.md shows how",
    .exits = "  0  sound\n"
             "  4  not sound: what was changed is named",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
