/* kvali search: asks the index of words. */
#include "cases/index.h"
#include "cases/report/safe.h"
#include "engine/base/json.h"
#include "engine/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"exhibit", 'x', "LABEL", "Only in this exhibit"},
    {"limit", 'l', "N", "At most so many rows"},
    {"paths", 0, NULL, "Paths only, each once"},
    {"json", 'j', NULL, "One JSON object a line"},
    {NULL, 0, NULL, NULL},
};

enum form { FORM_TEXT, FORM_PATHS, FORM_JSON };

struct listing {
    enum form form;
    uint64_t count, limit;
    char last[4096]; /* path told last */
};

static void put_safe(struct buf *buf, const char *text)
{
    safe_text(buf, text, strlen(text));
}

static void put_text(const struct index_hit *hit)
{
    struct buf line = {0};
    buf_printf(&line, "%s\t%s%s\n    ", hit->exhibit, hit->path, hit->deleted ? "  (deleted)" : "");
    put_safe(&line, hit->before);
    buf_text(&line, "[");
    put_safe(&line, hit->text);
    buf_text(&line, "]");
    put_safe(&line, hit->after);
    cli_print("%s\n", buf_cstr(&line));
    buf_finish(&line);
}

static void put_string(struct json *json, const char *key, const char *value)
{
    struct buf safe = {0};
    put_safe(&safe, value);
    json_text(json, key, buf_cstr(&safe));
    buf_finish(&safe);
}

static void put_json(const struct index_hit *hit)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    put_string(&json, "exhibit", hit->exhibit);
    put_string(&json, "path", hit->path);
    json_bool(&json, "deleted", hit->deleted);
    json_u64(&json, "page", hit->page);
    put_string(&json, "before", hit->before);
    put_string(&json, "text", hit->text);
    put_string(&json, "after", hit->after);
    json_object_close(&json);
    buf_u8(&buf, '\n');
    fwrite(buf.data, 1, buf.size, stdout);
    buf_finish(&buf);
}

static int put_hit(void *context, const struct index_hit *hit)
{
    struct listing *listing = context;
    if (listing->limit && listing->count >= listing->limit)
        return -ECANCELED;
    if (listing->form == FORM_PATHS && strcmp(listing->last, hit->path) == 0)
        return 0;
    listing->count++;
    snprintf(listing->last, sizeof listing->last, "%s", hit->path);
    if (listing->form == FORM_JSON)
        put_json(hit);
    else if (listing->form == FORM_PATHS)
        cli_print("%s\n", hit->path);
    else
        put_text(hit);
    return ferror(stdout) ? -EIO : 0;
}

/* All words of the command line are one question. */
static void join_words(const struct options *options, struct buf *ret)
{
    for (size_t i = 1; i < options->arg_count; i++)
        buf_printf(ret, "%s%s", i > 1 ? " " : "", options->args[i]);
}

static int told(const struct options *options, const struct listing *listing, int error, uint64_t missing,
                const struct why *why)
{
    if (error == -ECANCELED)
        error = 0;
    if (error == -EINVAL)
        return fail_usage("search", why);
    if (error == -ENOENT)
        return fail_words(EXIT_CASE, options->args[0], "the case has no index of words",
                          "`kvali run CASE --index --again` makes one");
    if (error < 0)
        return ferror(stdout) ? EXIT_DONE
                              : fail(exit_code_of_case(error), options->args[0], error, why, NULL);
    if (listing->form == FORM_TEXT && !options->quiet)
        cli_print("%llu found\n", (unsigned long long)listing->count);
    if (missing)
        return fail_words(EXIT_FAULTS, options->args[0], "contents with text are missing from the index",
                          "`kvali run CASE --index --again` makes it anew");
    return EXIT_DONE;
}

static int run(const struct options *options)
{
    struct why why = {{0}};
    struct casefile *cf = NULL;
    struct buf words = {0};
    uint64_t missing = 0;
    int code = EXIT_DONE;
    struct listing listing = {.form = options_has(options, "json")    ? FORM_JSON
                                      : options_has(options, "paths") ? FORM_PATHS
                                                                      : FORM_TEXT};
    if (options_number(options, "limit", &listing.limit, &why) < 0)
        return fail_usage("search", &why);
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;
    join_words(options, &words);
    struct index_query query = {.words = buf_cstr(&words), .exhibit = options_text(options, "exhibit", NULL)};
    int error = index_search(cf, &query, put_hit, &listing, &missing, &why);
    code = told(options, &listing, error, missing, &why);
    buf_finish(&words);
    casefile_close(cf);
    return code;
}

const struct command command_search = {
    .name = "search",
    .summary = "search the words of documents, when the case was run with --index",
    .usage = "CASE WORDS... [options]",
    .help = "Finds documents in which all the words stand: text, HTML, PDF, Office, OpenDocument, RTF, Word "
            "97, e-mail; live,\n"
            "deleted and recovered. Small and capital letters are the same, also Georgian Mkhedruli and "
            "Mtavruli.\n"
            "\n"
            "  \"two words\"     beside each other      contract*     words that begin so\n"
            "  gold OR silver  one of them            gold NOT ring   without the second; ( ) group\n"
            "\n"
            "A document of more than 1 MiB of text is searched in pages of that size. Evidence is not "
            "opened: `kvali show` gives the\n"
            "document itself. For words in free space, and in other encodings, see `kvali keywords`.",
    .example = "  kvali process disk.E01 --case /srv/cases/2026-001 --index\n"
               "  kvali search /srv/cases/2026-001 ხელშეკრულება 'ივანე*'\n"
               "  kvali search /srv/cases/2026-001 '\"red phosphorus\" OR iodine' --json | jq -r .path",
    .exits = "  1    found what there is, but the index is not complete\n"
             "  4    the case has no index of words",
    .options = specs,
    .min_args = 2,
    .run = run,
};
