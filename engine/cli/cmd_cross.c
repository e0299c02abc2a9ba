/* kvali cross: what several cases of a lab have in common. */
#include "cases/cross.h"
#include "engine/base/json.h"
#include "engine/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"kind", 'k', "KIND",
     "Only this: content, email, phone, card, iban, bitcoin, imei, mrz … (kinds of the plugin features)"},
    {"value", 0, "VALUE", "Which cases have this value (in its normal form; of a content: its SHA-256)"},
    {"json", 'j', NULL, "One JSON object a line"},
    {NULL, 0, NULL, NULL},
};

static int add(const char *path, const struct options *options)
{
    struct cross *cross = NULL;
    struct why why = {{0}};
    int code = cross_open(path, true, &cross, &why);
    if (code)
        return fail(exit_code_of_case(code), path, code, &why, NULL);
    for (size_t i = 1; code == EXIT_DONE && i < options->arg_count; i++) {
        struct casefile *cf = NULL;
        uint64_t values = 0;
        if (cli_open_case(options->args[i], CASEFILE_READ, &cf, &code) < 0)
            break;
        int error = cross_add(cross, cf, &values, &why);
        if (error)
            code = fail(exit_code_of_case(error), path, error, &why, NULL);
        else if (!options->quiet)
            cli_print("%s: %llu values\n", casefile_number(cf), (unsigned long long)values);
        casefile_close(cf);
    }
    cross_close(cross);
    return code;
}

struct showing {
    char kind[64], value[256];
    uint64_t values;
};

static int show(void *context, const struct cross_hit *hit)
{
    struct showing *s = context;
    if (strcmp(s->kind, hit->kind) != 0 || strncmp(s->value, hit->value, sizeof s->value - 1) != 0) {
        cli_print("%s %s  in %llu cases\n", hit->kind, hit->value, (unsigned long long)hit->cases);
        s->values++;
    }
    cli_print("    %s  %s  %s%s\n", hit->number, hit->exhibit, hit->path,
              hit->contents > 1 ? "  and elsewhere in it" : "");
    snprintf(s->kind, sizeof s->kind, "%s", hit->kind);
    snprintf(s->value, sizeof s->value, "%s", hit->value);
    return 0;
}

static int show_json(void *context, const struct cross_hit *hit)
{
    struct buf buf = {0};
    struct json json;
    (void)context;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "kind", hit->kind);
    json_text(&json, "value", hit->value);
    json_u64(&json, "cases", hit->cases);
    json_text(&json, "case", hit->number);
    json_text(&json, "folder", hit->folder);
    json_text(&json, "exhibit", hit->exhibit);
    json_text(&json, "path", hit->path);
    json_u64(&json, "contents", hit->contents);
    json_object_close(&json);
    puts(buf_cstr(&buf));
    buf_finish(&buf);
    return 0;
}

static int run(const struct options *options)
{
    const char *path = options->args[0];
    struct cross *cross = NULL;
    struct showing showing = {{0}, {0}, 0};
    struct why why = {{0}};
    if (options->arg_count > 1)
        return add(path, options);
    int code = cross_open(path, false, &cross, &why);
    if (code == 0)
        code = cross_find(cross, options_text(options, "kind", NULL), options_text(options, "value", NULL),
                          options_has(options, "json") ? show_json : show, &showing, &why);
    cross_close(cross);
    if (code)
        return fail(exit_code_of_case(code), path, code, &why,
                    code == -ENOENT ? "`kvali cross INDEX CASE...` makes it" : NULL);
    if (!options_has(options, "json") && !options->quiet)
        cli_print("%llu values\n", (unsigned long long)showing.values);
    return EXIT_DONE;
}

const struct command command_cross = {
    .name = "cross",
    .summary = "what several cases have in common: contents, addresses, numbers, accounts",
    .usage = "INDEX [CASE...] [options]",
    .help = "With CASEs: takes them into INDEX (an SQLite file, made when it is not there), each in place of "
            "what was there of it.\n"
            "Without: lists what more than one case has, with a place in each: the same content (of 512 "
            "bytes and more; those\n"
            "of known sets are left out), e-mail addresses, telephone and card numbers, accounts, wallets, "
            "devices, documents.\n"
            "The index holds values of all cases that are in it: whoever may read it may know of them.",
    .example = "  kvali cross /srv/lab.cross /srv/cases/2026-001 /srv/cases/2026-002\n"
               "  kvali cross /srv/lab.cross --kind phone\n"
               "  kvali cross /srv/lab.cross --value +995571951951",
    .options = specs,
    .min_args = 1,
    .run = run,
};
