/* kvali keywords: what a list of keywords will be searched for as. */
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec specs[] = {{NULL, 0, NULL, NULL}};

/* The worker knows the writings; its answer begins with the number of wrong lines, or with "error". */
static int check(const char *path)
{
    struct why why = {{0}};
    struct buf question = {0};
    char *text = NULL, *end;
    buf_printf(&question, "--keywords=%s", path);
    int code = buf_failed(&question) ? -ENOMEM : job_ask(job_cli_worker(), buf_cstr(&question), NULL, &text, &why);
    buf_finish(&question);
    if (code)
        return fail(EXIT_ENVIRONMENT, NULL, code, &why, "the installation is incomplete");
    unsigned long long wrong = strtoull(text, &end, 10);
    if (end == text)
        code =
            fail_words(EXIT_USAGE, path, strncmp(text, "error ", 6) == 0 ? text + 6 : text, "check the path");
    else
        cli_print("%s", end + 1);
    free(text);
    return code ? code : wrong > 0 ? EXIT_FAULTS : EXIT_DONE;
}

static int run(const struct options *options)
{
    struct why why = {{0}};
    int code = EXIT_DONE;
    if (strcmp(options->args[0], "check") != 0) {
        why_set(&why, -EINVAL, "%s: it knows one word: check", options->args[0]);
        return fail_usage("keywords", &why);
    }
    for (size_t i = 1; i < options->arg_count; i++) {
        char absolute[PATH_MAX];
        if (!realpath(options->args[i], absolute))
            return fail(EXIT_USAGE, options->args[i], errno, NULL, "check the path of the list");
        if (strchr(absolute, ':'))
            return fail_words(EXIT_USAGE, absolute, "a path with ':' cannot be used here", "rename it");
        int one = check(absolute);
        code = one ? one : code;
    }
    return code;
}

const struct command command_keywords = {
    .name = "keywords",
    .summary = "check a list of keywords: every writing that is searched for, every line that is wrong",
    .usage = "check FILE...",
    .help =
        "A list is a text file in UTF-8, one keyword a line; `run` and `process` search for it with "
        "--keywords FILE.\n"
        "\n"
        "  # a comment\n"
        "  [Weapons]             the group of what follows; [] ends it\n"
        "  heroin                found everywhere, also inside longer words, in small and capital letters\n"
        "  red  phosphorus       one blank stands for up to 8 blanks or line ends\n"
        "  ხელშეკრულება          Georgian: Mkhedruli, Mtavruli, 8-bit, AcadNusx (xelSekruleba), romanised\n"
        "  word: გია             a whole word only\n"
        "  word: ivanov*         a word that begins so; * stands for letters, ? for one\n"
        "  case: GmbH            capital letters as written\n"
        "  regex: [A-Z]{2}-[0-9]{3}-[A-Z]{2}\n"
        "  word,case: ABC        flags together\n"
        "  text: case: why?      what follows is text, and nothing in it means anything else\n"
        "\n"
        "Prints each keyword with the writings that it is searched for in and their bytes.",
    .example = "  kvali keywords check /srv/lists/drugs.txt\n"
               "  kvali process disk.E01 --case /srv/cases/2026-001 --keywords /srv/lists/drugs.txt",
    .exits = "  1    some lines are no keywords; the others are searched for all the same",
    .options = specs,
    .min_args = 2,
    .run = run,
};
