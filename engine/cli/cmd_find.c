/* kvali find: lists what a case holds. */
#include "engine/cli/cli.h"

#include "cases/report/safe.h"
#include "engine/base/json.h"
#include "engine/cli/file_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    FILE_OPTIONS,
    {"json", 'j', NULL, "One JSON object a line"},
    {NULL, 0, NULL, NULL},
};

enum form { FORM_TABLE, FORM_TSV, FORM_JSON };

struct listing {
    enum form form;
    uint64_t count;
};

/* Names to stand in a table; a content that is not examined has neither type nor hash. */
static const char *state_of(const struct file_row *row)
{
    return row->deleted ? "deleted" : row->live ? "live" : "partly";
}

static void put_table(const struct file_row *row)
{
    struct buf size = {0};
    safe_size(&size, row->size);
    cli_print("%-8s %-7s %10s  %-20.20s  %-28.28s %s\n", row->exhibit, state_of(row), buf_cstr(&size),
              row->modified, row->mime, row->path);
    buf_finish(&size);
}

static void put_tsv(const struct file_row *row)
{
    cli_print("%s\t%s\t%s\t%s\t%s\t%llu\t%s\t%s\t%s\t%s\t%s\t%s\n", row->exhibit, row->path, row->type,
              row->kind, state_of(row), (unsigned long long)row->size, row->modified, row->mime, row->md5,
              row->sha1, row->sha256, row->status);
}

/* Strings made safe first, so that the line can go to a terminal as it is. */
static void put_string(struct json *json, const char *key, const char *value)
{
    struct buf safe = {0};
    safe_text(&safe, value, strlen(value));
    json_text(json, key, *value ? buf_cstr(&safe) : NULL);
    buf_finish(&safe);
}

static void put_json(const struct file_row *row)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    put_string(&json, "exhibit", row->exhibit);
    put_string(&json, "path", row->path);
    put_string(&json, "volume", row->volume);
    json_u64(&json, "inode", row->inode);
    put_string(&json, "type", row->type);
    put_string(&json, "kind", row->kind);
    json_u64(&json, "size", row->size);
    json_bool(&json, "live", row->live);
    json_bool(&json, "deleted", row->deleted);
    json_bool(&json, "reallocated", row->reallocated);
    json_bool(&json, "orphan", row->orphan);
    json_bool(&json, "unnamed", row->unnamed);
    json_bool(&json, "encrypted", row->encrypted);
    json_bool(&json, "mismatch", row->mismatch);
    put_string(&json, "modified", row->modified);
    put_string(&json, "accessed", row->accessed);
    put_string(&json, "changed", row->changed);
    put_string(&json, "born", row->born);
    put_string(&json, "target", row->target);
    put_string(&json, "mime", row->mime);
    put_string(&json, "description", row->description);
    put_string(&json, "md5", row->md5);
    put_string(&json, "sha1", row->sha1);
    put_string(&json, "sha256", row->sha256);
    put_string(&json, "xxh3", row->xxh3);
    json_bool(&json, "hash_complete", row->hash_complete);
    put_string(&json, "status", row->status);
    json_object_close(&json);
    buf_u8(&buf, '\n');
    fwrite(buf.data, 1, buf.size, stdout);
    buf_finish(&buf);
}

static int put_row(void *context, const struct file_row *row)
{
    struct listing *listing = context;
    listing->count++;
    if (listing->form == FORM_JSON)
        put_json(row);
    else if (listing->form == FORM_TSV)
        put_tsv(row);
    else
        put_table(row);
    return ferror(stdout) ? -EIO : 0;
}

static void put_head(enum form form)
{
    if (form == FORM_TABLE)
        cli_print("%-8s %-7s %10s  %-20s  %-28s %s\n", "EXHIBIT", "STATE", "SIZE", "MODIFIED", "TYPE",
                  "PATH");
    else if (form == FORM_TSV)
        cli_print("exhibit\tpath\ttype\tkind\tstate\tsize\tmodified\tmime\tmd5\tsha1\tsha256\tstatus\n");
}

static int run(const struct options *options)
{
    struct why why = {0};
    struct file_filter filter;
    struct casefile *cf = NULL;
    int code = EXIT_DONE;
    if (file_options(options, &filter, &why) < 0)
        return fail_usage("find", &why);
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;

    struct listing listing = {.form = options_has(options, "json") ? FORM_JSON
                                      : isatty(STDOUT_FILENO)      ? FORM_TABLE
                                                                   : FORM_TSV};
    put_head(listing.form);
    int error = file_query(cf, &filter, put_row, &listing, &why);
    if (error == -EINVAL)
        code = fail_usage("find", &why);
    else if (error < 0 && !ferror(stdout)) /* what could not be printed is told by main */
        code = fail(exit_code_of_case(error), options->args[0], error, &why, "run `kvali verify` on it");
    else if (listing.form == FORM_TABLE && !options->quiet)
        cli_print("%llu found\n", (unsigned long long)listing.count);
    casefile_close(cf);
    return code;
}

const struct command command_find = {
    .name = "find",
    .summary = "list files and other contents by name, hash, type, rule, size, time, state",
    .usage = "CASE [options]",
    .help = "Lists what fits all the filters, in order of exhibit and path. On a terminal a table, otherwise "
            "tab-separated\n"
            "values with a head line; --json gives all fields. Control and invisible characters in names are "
            "shown as \\xNN.\n"
            "In a GLOB, * stands for anything, ? for one character, [ab] for one of these; quote it for the "
            "shell.\n"
            "More can be asked with SQL: sqlite3 -readonly CASE/case.db 'SELECT … FROM file'.",
    .example = "  kvali find /srv/cases/2026-001 --deleted --mime 'image/*' --min-size 100K\n"
               "  kvali find /srv/cases/2026-001 --carved --grade validated --mime image/jpeg\n"
               "  kvali find /srv/cases/2026-001 --feature 'email:*@example.org'\n"
               "  kvali find /srv/cases/2026-001 --rule '*macro*' --json | jq -r .path",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
