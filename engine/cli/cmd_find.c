/* kvali find: lists what the filters choose. */
#include "engine/base/json.h"
#include "engine/cli/file_options.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    FILE_OPTIONS,
    {"json", 'j', NULL, "JSON lines, one object a file"},
    {"count", 'c', NULL, "Only how many"},
    {NULL, 0, NULL, NULL},
};

struct listing {
    enum { TABLE, TSV, JSON_LINES, COUNT } form;
    uint64_t count;
};

static void print_json(const struct file_row *row)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_string(&json, "exhibit", row->exhibit);
    json_string(&json, "path", row->path);
    json_string(&json, "type", row->type);
    json_string(&json, "kind", row->kind);
    json_u64(&json, "size", row->size);
    json_bool(&json, "live", row->live);
    json_bool(&json, "deleted", row->deleted);
    json_u64(&json, "inode", row->inode);
    json_string(&json, "modified", row->modified);
    json_string(&json, "accessed", row->accessed);
    json_string(&json, "changed", row->changed);
    json_string(&json, "born", row->born);
    json_string(&json, "mime", row->mime);
    json_string(&json, "md5", row->md5);
    json_string(&json, "sha1", row->sha1);
    json_string(&json, "sha256", row->sha256);
    json_string(&json, "status", row->status);
    json_bool(&json, "mismatch", row->mismatch);
    json_object_close(&json);
    puts(buf_cstr(&buf));
    buf_finish(&buf);
}

static char state_letter(const struct file_row *row)
{
    return row->orphan ? 'o' : row->reallocated ? 'r' : row->deleted ? 'd' : row->unnamed ? 'u' : '-';
}

static int print_row(void *context, const struct file_row *row)
{
    struct listing *listing = context;
    listing->count++;
    if (listing->form == JSON_LINES)
        print_json(row);
    else if (listing->form == TSV)
        cli_print("%s\t%c\t%s\t%llu\t%s\t%s\t%s\t%s\n", row->exhibit, state_letter(row), row->type, (unsigned long long)row->size,
                  row->modified, row->mime, row->sha256, row->path);
    else if (listing->form == TABLE)
        cli_print("%c %-6s %12llu  %-20.20s  %.12s  %s\n", state_letter(row), row->type, (unsigned long long)row->size,
                  *row->modified ? row->modified : "-", *row->sha256 ? row->sha256 : "-           ", row->path);
    return ferror(stdout) ? -ECANCELED : 0;
}

static int run(const struct options *options)
{
    struct listing listing = {.form = isatty(STDOUT_FILENO) ? TABLE : TSV};
    struct file_filter filter;
    struct casefile *cf = NULL;
    struct why why = {{0}};
    int exit_code;
    if (options_has(options, "json"))
        listing.form = JSON_LINES;
    if (options_has(options, "count"))
        listing.form = COUNT;
    if (file_options(options, &filter, &why))
        return fail_usage("find", &why);
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &exit_code) < 0)
        return exit_code;
    if (listing.form == TABLE)
        cli_print("  type           size  modified (UTC)        SHA-256 …     address\n");
    int code = file_query(cf, &filter, print_row, &listing, &why);
    casefile_close(cf);
    if (code == -EINVAL)
        return fail_usage("find", &why);
    if (code && code != -ECANCELED)
        return fail(exit_code_of_case(code), NULL, code, &why, NULL);
    if (listing.form == COUNT)
        cli_print("%llu\n", (unsigned long long)listing.count);
    else if (listing.form == TABLE)
        cli_print("%llu found\n", (unsigned long long)listing.count);
    return EXIT_DONE;
}

const struct command command_find = {
    .name = "find",
    .summary = "list files by name, hash, type, rule, size, time or state",
    .usage = "CASE [filters] [--json]",
    .help = "Lists the entries that fit all filters, in order of their address. To a terminal as a table (first column: d\n"
            "deleted, r its metadata belongs to another file now, o orphan, u allocated without a name), otherwise\n"
            "tab-separated: exhibit, state, type, size, modified, mime, SHA-256, address. Globs are case-sensitive.",
    .example = "  kvali find /srv/cases/2026-001 --deleted --mime 'image/*'\n"
               "  kvali find /srv/cases/2026-001 --name '*.docx' --after 2026-01-01 --json",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
