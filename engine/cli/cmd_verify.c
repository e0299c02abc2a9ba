/* kvali verify: is the case what it was when kvali last wrote it? */
#include "engine/cli/cli.h"

#include "cases/ledger.h"
#include "cases/verify.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct option_spec specs[] = {
    {"head", 0, "SHA256",
     "Also check that the ledger still holds the line with this SHA-256: the value\n"
     "on a printed report. It shows whether later lines were cut off"},
    {"digest", 0, "SHA256", "Also check that the findings have this SHA-256: the value on a printed report"},
    {"json", 'j', NULL, "Print the result as one JSON object"},
    {NULL, 0, NULL, NULL},
};

struct output {
    struct json *json; /* NULL: for people */
    bool quiet;
};

static void put_step(struct output *output, const char *name, bool sound, const char *words)
{
    if (output->json) {
        json_object_open(output->json, NULL);
        json_text(output->json, "step", name);
        json_bool(output->json, "sound", sound);
        json_text(output->json, "words", words);
        json_object_close(output->json);
    } else if (!output->quiet || !sound) {
        cli_print("%-4s %s: %s\n", sound ? "ok" : "BAD", name, words);
    }
}

static void step(void *context, enum verify_step number, bool sound, const char *words)
{
    put_step(context, verify_step_name(number), sound, words ? words : "");
}

/* Looks for the line with a hash. */
struct search {
    const char *head;
    uint64_t line; /* 0: not found */
};

static int look(void *context, const struct ledger_record *record)
{
    struct search *search = context;
    if (!strcasecmp(record->hash, search->head))
        search->line = record->line;
    return 0;
}

static bool check_head(struct output *output, const char *folder, const char *head)
{
    char path[PATH_MAX], words[160];
    struct search search = {.head = head};
    uint64_t count = 0;
    char last[SHA256_HEX_SIZE];
    snprintf(path, sizeof path, "%s/ledger.jsonl", folder);
    ledger_walk(path, look, &search, &count, last,
                NULL); /* a damaged chain is told by the ledger's own step */
    if (search.line)
        snprintf(words, sizeof words, "the ledger holds it in line %llu; what follows was written later",
                 (unsigned long long)search.line);
    else
        snprintf(words, sizeof words,
                 "no line of the ledger has this SHA-256: it was cut off, changed, or is another case's");
    put_step(output, "expected ledger head", search.line > 0, words);
    return search.line > 0;
}

static bool check_digest(struct output *output, const struct verify_result *result, const char *digest)
{
    bool same = !strcasecmp(digest, result->digest);
    put_step(output, "expected findings", same,
             same ? "the findings are the same" : "the findings have another SHA-256");
    return same;
}

static int check_options(const struct options *options)
{
    static const char *const names[] = {"head", "digest"};
    for (size_t i = 0; i < 2; i++) {
        const char *hex = options_text(options, names[i], NULL);
        if (hex && (strlen(hex) != 64 || strspn(hex, "0123456789abcdefABCDEF") != 64)) {
            struct why why = {0};
            why_set(&why, -EINVAL, "--%s: expected a SHA-256, 64 hex digits", names[i]);
            return fail_usage("verify", &why);
        }
    }
    return EXIT_DONE;
}

static void put_result(struct output *output, const struct verify_result *result, bool sound)
{
    if (output->json) {
        json_array_close(output->json);
        json_bool(output->json, "sound", sound);
        json_bool(output->json, "unfinished", result->unfinished);
        json_u64(output->json, "ledger_count", result->records);
        json_text(output->json, "ledger_head", result->head);
        json_u64(output->json, "artifacts", result->artifacts);
        json_text(output->json, "findings_digest", result->digest);
        json_object_close(output->json);
        cli_print("%s\n", buf_cstr(output->json->buf));
        return;
    }
    if (!output->quiet)
        cli_print("\nledger   %llu records, head %s\nfindings %s%s\n", (unsigned long long)result->records,
                  result->head, result->digest, result->unfinished ? " (processing is not finished)" : "");
    if (!output->quiet || !sound)
        cli_print("%s\n",
                  sound ? "The case is sound." : "The case is DAMAGED: see the lines that begin with BAD.");
}

static int run(const struct options *options)
{
    const char *folder = options->args[0];
    struct buf buf = {0};
    struct json json;
    struct why why = {0};
    struct verify_result result = {0};
    int code = check_options(options);
    if (code != EXIT_DONE)
        return code;

    json_init(&json, &buf);
    struct output output = {.json = options_has(options, "json") ? &json : NULL, .quiet = options->quiet};
    json_object_open(&json, NULL);
    json_array_open(&json, "steps");
    int error = case_verify(folder, step, &output, &result, &why);
    if (error < 0) {
        code = fail(exit_code_of_case(error), folder, error, &why, "check that this is the folder of a case");
    } else {
        const char *head = options_text(options, "head", NULL),
                   *digest = options_text(options, "digest", NULL);
        bool sound = result.sound;
        if (head && !check_head(&output, folder, head))
            sound = false;
        if (digest && !check_digest(&output, &result, digest))
            sound = false;
        put_result(&output, &result, sound);
        code = sound ? EXIT_DONE : EXIT_CASE;
    }
    buf_finish(&buf);
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "check that a case is what it was when kvali wrote it",
    .usage = "CASE [options]",
    .help = "Walks the ledger's chain of SHA-256, compares every file that the ledger names with its "
            "SHA-256, checks the\n"
            "database, and compares the findings with the digest that the last run wrote into the ledger. "
            "Changes nothing.\n"
            "A ledger cut at its end still has a good chain: --head with the value from a printed report "
            "shows that.",
    .example = "  kvali verify /srv/cases/2026-001\n"
               "  kvali verify /srv/cases/2026-001 --head 4fd1…9c --digest 77a0…31",
    .exits = "  0  the case is sound\n"
             "  4  it is not, or there is no case: the lines that begin with BAD say what",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
