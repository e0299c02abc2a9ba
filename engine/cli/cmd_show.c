/* kvali show: what is known of one address, or its bytes. */
#include "cases/query.h"
#include "engine/base/json.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"bytes", 'b', NULL, "Write its bytes to standard output instead (a terminal gets a hex dump)"},
    {"offset", 'o', "SIZE", "With --bytes: begin here (default: 0)"},
    {"length", 'n', "SIZE", "With --bytes: at most so many (default: to the end)"},
    {"json", 'j', NULL, "What is known, as one JSON object"},
    {"tmp", 0, "FOLDER", "Where large contents are spooled, unlinked (default: $TMPDIR or /var/tmp)"},
    {"weak-sandbox", 0, NULL, "Go on where the kernel lacks a part of the sandbox"},
    {NULL, 0, NULL, NULL},
};

/* ------------------------------------------------------------------ bytes */

struct output {
    bool dump;
    uint64_t offset;
    uint8_t row[16];
    size_t filled;
};

static void dump_row(struct output *out)
{
    printf("%012llx ", (unsigned long long)out->offset);
    for (size_t i = 0; i < sizeof out->row; i++)
        if (i < out->filled)
            printf(" %02x", out->row[i]);
        else
            printf("   ");
    printf("  ");
    for (size_t i = 0; i < out->filled; i++)
        putchar(out->row[i] >= 0x20 && out->row[i] < 0x7f ? out->row[i] : '.');
    putchar('\n');
    out->offset += out->filled;
    out->filled = 0;
}

static int write_bytes(void *context, const void *data, size_t size)
{
    struct output *out = context;
    if (!out->dump)
        return fwrite(data, 1, size, stdout) == size ? 0 : -EPIPE;
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out->row[out->filled++] = bytes[i];
        if (out->filled == sizeof out->row)
            dump_row(out);
    }
    return ferror(stdout) ? -EPIPE : 0;
}

static int told(void *context, size_t index, int code, uint64_t unread, const char *reason)
{
    (void)index;
    const char *path = context;
    if (code)
        return fail(EXIT_EVIDENCE, path, code, NULL, reason), code;
    if (unread)
        fprintf(stderr, "kvali: %llu bytes of it could not be read; zeros stand for them\n", (unsigned long long)unread);
    return 0;
}

static int show_bytes(struct casefile *cf, const struct options *options, const char *path)
{
    struct why why = {{0}};
    struct file_source source;
    struct settings settings;
    uint64_t offset = 0, length = UINT64_MAX;
    if (options_size(options, "offset", &offset, &why) || options_size(options, "length", &length, &why))
        return fail_usage("show", &why);
    int code = file_source(cf, path, &source, &why);
    if (code)
        return fail(code == -ENOENT || code == -ENODATA || code == -ENOTSUP ? EXIT_USAGE : exit_code_of_case(code), NULL, code, &why, NULL);
    code = settings_init(&settings);
    if (code == 0 && options_has(options, "weak-sandbox"))
        code = settings_set(&settings, "sandbox", "weak", &why);
    struct output out = {.dump = isatty(STDOUT_FILENO), .offset = offset};
    struct job_read read = {source.exhibit_path, source.exhibit_type, source.locator, offset, length, write_bytes, &out};
    struct job_options job = {.worker_program = job_cli_worker(), .settings = &settings, .spool_folder = job_cli_spool(options)};
    if (code == 0)
        code = job_read(&job, &read, 1, told, (void *)(uintptr_t)path, &why);
    if (out.filled)
        dump_row(&out);
    settings_finish(&settings);
    file_source_finish(&source);
    if (code && why.text[0])
        return fail(EXIT_EVIDENCE, NULL, code, &why, NULL);
    return code ? EXIT_EVIDENCE : EXIT_DONE;
}

/* ------------------------------------------------------------------ what is known */

static void print_column(void *context, const char *name, const char *value)
{
    (void)context;
    if (*value)
        cli_print("%-18s %s\n", name, value);
}

static void print_finding(void *context, const char *plugin, const char *type, const char *json)
{
    (void)context;
    cli_print("%s.%s: %s\n", plugin, type, json);
}

static void json_column(void *context, const char *name, const char *value)
{
    json_text(context, name, value);
}

static void json_finding(void *context, const char *plugin, const char *type, const char *record)
{
    struct json *json = context;
    json_object_open(json, NULL);
    json_text(json, "plugin", plugin);
    json_text(json, "type", type);
    json_raw(json, "record", record);
    json_object_close(json);
}

static int show_known(struct casefile *cf, const char *path, bool as_json)
{
    struct why why = {{0}};
    struct buf buf = {0};
    struct json json;
    int code;
    json_init(&json, &buf);
    if (as_json) {
        json_object_open(&json, NULL);
        code = file_columns(cf, path, json_column, &json, &why);
        json_array_open(&json, "findings");
        if (code == 0)
            code = file_findings(cf, path, json_finding, &json, &why);
        json_array_close(&json);
        json_object_close(&json);
        if (code == 0)
            puts(buf_cstr(&buf));
    } else {
        code = file_columns(cf, path, print_column, NULL, &why);
        if (code == 0)
            code = file_findings(cf, path, print_finding, NULL, &why);
    }
    buf_finish(&buf);
    if (code == -ENOENT)
        return fail(EXIT_USAGE, NULL, code, &why, "`kvali find` lists addresses");
    return code ? fail(exit_code_of_case(code), NULL, code, &why, NULL) : EXIT_DONE;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;
    const char *path = options->args[1];
    code = options_has(options, "bytes") ? show_bytes(cf, options, path) : show_known(cf, path, options_has(options, "json"));
    casefile_close(cf);
    return code;
}

const struct command command_show = {
    .name = "show",
    .summary = "what is known of one address, or its bytes",
    .usage = "CASE PATH [options]",
    .help = "PATH is a forensic address as `find` lists it, like disk.E01/p2/ntfs/Users/x/a.doc. Without --bytes: every\n"
            "column of the view `file` and all findings. With --bytes: its content, read from the evidence by a sandboxed\n"
            "worker; to a terminal as a hex dump, else as it is.",
    .example = "  kvali show /srv/cases/2026-001 disk.E01/p2/ntfs/Users/x/a.doc\n"
               "  kvali show /srv/cases/2026-001 disk.E01/p2/ntfs/Users/x/a.doc --bytes | sha256sum",
    .exits = "  2  there is no such address, or it has no content\n"
             "  3  the evidence cannot be read",
    .options = specs,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
