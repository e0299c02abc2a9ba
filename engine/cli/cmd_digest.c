/* kvali digest: the one SHA-256 over all findings of a case. */
#include "engine/cli/cli.h"

#include "cases/digest.h"

#include <stdio.h>

static const struct option_spec specs[] = {
    {"lines", 'l', NULL,
     "Print the canonical lines that are hashed instead:\n"
     "`kvali digest --lines CASE | sha256sum` gives the same SHA-256"},
    {"sql", 0, NULL,
     "Print a script for sqlite3 instead, which prints those lines without kvali:\n"
     "`sqlite3 -readonly CASE/case.db < SCRIPT | sha256sum` gives the same SHA-256"},
    {NULL, 0, NULL, NULL},
};

/* The lines go out as they are hashed, byte for byte; they are escaped text by their format. */
static void dump(void *context, const char *line, size_t size)
{
    fwrite(line, 1, size, context);
}

static int print_script(struct casefile *cf)
{
    struct buf script = {0};
    struct why why = {0};
    int error = case_digest_script(cf, &script, &why), code = EXIT_DONE;
    if (error < 0)
        code = fail(exit_code_of_case(error), casefile_folder(cf), error, &why, "run `kvali verify` on it");
    else
        fwrite(script.data, 1, script.size, stdout);
    buf_finish(&script);
    return code;
}

static int run(const struct options *options)
{
    int code = EXIT_DONE;
    struct casefile *cf = NULL;
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;

    if (options_has(options, "sql")) {
        code = print_script(cf);
        casefile_close(cf);
        return code;
    }
    struct why why = {0};
    char hex[SHA256_HEX_SIZE];
    bool lines = options_has(options, "lines");
    int error = case_digest(cf, lines ? dump : NULL, stdout, hex, &why);
    if (error < 0)
        code = fail(exit_code_of_case(error), options->args[0], error, &why, "run `kvali verify` on it");
    else if (!lines)
        cli_print("%s\n", hex);
    casefile_close(cf);
    return code;
}

const struct command command_digest = {
    .name = "digest",
    .summary = "print the one SHA-256 over all findings",
    .usage = "CASE [options]",
    .help = "The same evidence with the same settings and versions gives the same SHA-256, at any number of "
            "workers and after\n"
            "any interruption. Times of processing, hosts and paths of evidence are not part of it.",
    .example =
        "  kvali digest /srv/cases/2026-001\n"
        "  kvali digest --sql CASE | sqlite3 -readonly CASE/case.db | sha256sum      # the same without kvali's own code\n"
        "  diff <(kvali digest --lines CASE1) <(kvali digest --lines CASE2)   # where two cases differ",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
