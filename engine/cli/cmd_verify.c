/* kvali verify: is the case what it was when kvali last wrote it? */
#include "engine/cli/cli.h"

#include "cases/ledger.h"
#include "cases/verify.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/cli/custody_cli.h"
#include "engine/cli/evidence_check.h"
#include "engine/cli/key_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct option_spec specs[] = {
    {"head", 0, "SHA256",
     "Also check that the ledger still holds the line with this SHA-256: the value\n"
     "on a printed report. It shows whether later lines were cut off"},
    {"digest", 0, "SHA256", "Also check that the findings have this SHA-256: the value on a printed report"},
    {"expect-seal", 0, "N:SHA256",
     "Also check that seal N is there and has this SHA-256: the value on paper. It\n"
     "shows whether newer seals were taken away, or the folder put back"},
    {"ca", 0, "FILE", "Root certificates (PEM) that the signers' must lead to; without it, it is only told\n"
                      "who signed (default: ca under [verify] in lab.toml)"},
    {"tsa-ca", 0, "FILE", "The same for time stamps (default: tsa_ca)"},
    {"crl", 0, "FILE", "Revocation lists (PEM) of those who issued the signers' certificates, with --ca: a seal that\n"
                       "was not stamped before its certificate was revoked is bad. Lists that seals keep count\n"
                       "always, with --ca (default: crl)"},
    {"evidence", 0, "PATH", "Read this evidence again: its SHA-256, and a sample of its files"},
    {"exhibit", 'x', "LABEL", "With --evidence: the exhibit that it is (default: the one with this file name)"},
    {"sample", 0, "N", "With --evidence: so many files (default: 32)"},
    {"record", 0, NULL, "With --evidence: write what was found into the ledger"},
    KEY_OPTION,
    {"tmp", 0, "FOLDER", "With --evidence: where large contents are spooled"},
    {"weak-sandbox", 0, NULL, "With --evidence: go on where the kernel lacks a part of the sandbox"},
    {"json", 'j', NULL, "Print the result as one JSON object"},
    {NULL, 0, NULL, NULL},
};

struct output {
    struct json *json; /* NULL: for people */
    bool quiet;
};

/* A line for each thing that is wrong. */
static void put_lines(const char *mark, const char *name, const char *words)
{
    while (*words) {
        int size = (int)strcspn(words, "\n");
        cli_print("%-4s %s: %.*s\n", mark, name, size, words);
        words += size + (words[size] == '\n');
    }
}

static void put_step(struct output *output, const char *name, bool sound, const char *words)
{
    if (output->json) {
        json_object_open(output->json, NULL);
        json_text(output->json, "step", name);
        json_bool(output->json, "sound", sound);
        json_text(output->json, "words", words);
        json_object_close(output->json);
    } else if (!output->quiet || !sound) {
        const char *mark = sound ? "ok" : "BAD";
        if (strchr(words, '\n') == NULL)
            cli_print("%-4s %s%s%s\n", mark, name, *words ? ": " : "", words);
        else
            put_lines(mark, name, words);
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

/* "N:SHA256"; 0 when it is not that. */
static uint32_t expected_seal(const char *text, const char **ret_sha256)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    bool good = end != text && *end == ':' && number >= 1 && number <= SEALS_MAX && strlen(end + 1) == 64 &&
                strspn(end + 1, "0123456789abcdefABCDEF") == 64;
    *ret_sha256 = end + (*end == ':');
    return good ? (uint32_t)number : 0;
}

static bool check_seal(struct output *output, const char *folder, const char *text)
{
    const char *sha256;
    char words[700];
    struct seal seal;
    struct why why = {{0}};
    uint32_t number = expected_seal(text, &sha256);
    bool there = seal_read(folder, number, &seal, &why) == 0, same = there && strcasecmp(seal.sha256, sha256) == 0;
    if (!there)
        snprintf(words, sizeof words, "seal %u cannot be read: it was taken away or damaged, or the folder is an older state "
                 "of the case (%s)", number, why.text);
    else
        snprintf(words, sizeof words, same ? "seal %u is the one that was expected" : "seal %u is another than the one that was expected", number);
    put_step(output, "expected seal", same, words);
    return same;
}

static int check_options(const struct options *options)
{
    const char *expected = options_text(options, "expect-seal", NULL), *sha256;
    if (expected && !expected_seal(expected, &sha256)) {
        struct why why = {0};
        why_set(&why, -EINVAL, "--expect-seal: expected a seal's number, a colon and its SHA-256, such as 2:4fd1…");
        return fail_usage("verify", &why);
    }

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

/* What nobody can see in the folder alone. */
static void put_limits(const struct verify_result *result)
{
    if (result->seals == 0)
        cli_print("Nothing is sealed: who can write the folder can make all of it anew. `kvali seal` signs it.\n");
    else if (result->records > result->sealed_records + 1)
        cli_print("Records %llu to %llu are not sealed: changes there, and that later ones were cut off, need not show.\n",
                  (unsigned long long)result->sealed_records + 1, (unsigned long long)result->records);
    if (result->seals)
        cli_print("That newer seals were taken away, or the folder put back to an older state, shows only with --expect-seal.\n");
}

static int put_evidence(struct output *output, struct casefile *cf, const struct options *options, const char *path,
                        bool *ret_sound)
{
    struct evidence_check check = {0};
    struct why why = {{0}};
    uint64_t sample = 32;
    char name[300], words[300];
    if (options_number(options, "sample", &sample, &why))
        return fail_usage("verify", &why);
    int error = evidence_check(cf, options, path, options_text(options, "exhibit", NULL), (size_t)sample, &check, &why);
    if (error)
        return error == -EINVAL ? fail_usage("verify", &why) : fail(error == -ENOENT ? EXIT_EVIDENCE : exit_code_of(error), path, error, &why, NULL);
    *ret_sound = check.trouble.count == 0;
    snprintf(name, sizeof name, "the evidence of %s", check.exhibit);
    if (check.image)
        snprintf(words, sizeof words, "%llu bytes, SHA-256 %s as in the case; %zu files read again are as in the case",
                 (unsigned long long)check.bytes, check.sha256, check.files);
    else
        snprintf(words, sizeof words, "%zu files read again are as in the case", check.files);
    put_step(output, name, *ret_sound, *ret_sound ? words : trouble_text(&check.trouble));
    if (options_has(options, "record"))
        error = evidence_record(cf, &check, path, &why);
    trouble_finish(&check.trouble);
    return error ? fail(exit_code_of_case(error), options->args[0], error, &why, NULL) : EXIT_DONE;
}

/* Exit code; *ret_sound false when it is not what the case says. */
static int check_evidence(struct output *output, const struct options *options, bool *ret_sound)
{
    struct casefile *cf = NULL;
    const char *path = options_text(options, "evidence", NULL);
    enum casefile_mode mode = options_has(options, "record") ? CASEFILE_LEDGER : CASEFILE_READ;
    int code = EXIT_DONE;
    if (!path)
        return EXIT_DONE;
    if (cli_open_case(options->args[0], mode, &cf, &code) == 0)
        code = put_evidence(output, cf, options, path, ret_sound);
    casefile_close(cf);
    return code;
}

static void put_result(struct output *output, const struct verify_result *result, bool sound)
{
    if (output->json) {
        json_array_close(output->json);
        json_bool(output->json, "sound", sound);
        json_bool(output->json, "unfinished", result->unfinished);
        json_u64(output->json, "ledger_count", result->records);
        json_text(output->json, "ledger_head", result->head);
        json_u64(output->json, "seals", result->seals);
        json_u64(output->json, "sealed_records", result->sealed_records);
        json_text(output->json, "seal_sha256", result->seal);
        json_u64(output->json, "artifacts", result->artifacts);
        json_text(output->json, "findings_digest", result->digest);
        json_object_close(output->json);
        cli_print("%s\n", buf_cstr(output->json->buf));
        return;
    }
    if (!output->quiet)
        cli_print("\nledger   %llu records, head %s\nfindings %s%s\n", (unsigned long long)result->records,
                  result->head, result->digest, result->unfinished ? " (processing is not finished)" : "");
    if (!output->quiet)
        put_limits(result);
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
    char *ca = lab_default("verify", "ca"), *tsa_ca = lab_default("verify", "tsa_ca"), *crl = lab_default("verify", "crl");
    struct seal_trust trust = {.ca = options_text(options, "ca", ca),
                               .tsa = options_text(options, "tsa-ca", tsa_ca),
                               .crl = options_text(options, "crl", crl)};
    int error = case_verify(folder, &trust, step, &output, &result, &why);
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
        const char *seal = options_text(options, "expect-seal", NULL);
        bool evidence = true;
        if (seal && !check_seal(&output, folder, seal))
            sound = false;
        code = check_evidence(&output, options, &evidence);
        put_result(&output, &result, sound && evidence);
        code = code ? code : !sound ? EXIT_CASE : evidence ? EXIT_DONE : EXIT_EVIDENCE;
    }
    free(ca);
    free(tsa_ca);
    free(crl);
    buf_finish(&buf);
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "check that a case is what it was when kvali wrote it",
    .usage = "CASE [options]",
    .help = "Walks the ledger's chain of SHA-256; checks the seals, their signatures and time stamps, and every file that the\n"
            "newest covers; compares every file that the ledger names with its SHA-256; checks the database, and compares the\n"
            "findings with the digest that the last run and the newest seal state. Changes nothing, without --record.\n"
            "The lines that begin with BAD say what is wrong, where, and since which record. What the folder alone cannot\n"
            "show is said at the end: keep the SHA-256 of each seal on paper. CASE/VERIFY.txt does most of this without kvali.",
    .example = "  kvali verify /srv/cases/2026-001 --ca lab-root.pem --expect-seal 2:4fd1…9c\n"
               "  kvali verify /srv/cases/2026-001 --evidence /evidence/disk.E01 --record\n"
               "  kvali verify /srv/cases/2026-001 --head 4fd1…9c --digest 77a0…31",
    .exits = "  0  the case is sound\n"
             "  3  the evidence cannot be read, or is not what the case says\n"
             "  4  the case is not sound, or there is none: the lines that begin with BAD say what",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
