/* kvali show: what is known of one address, or its bytes. */
#include "cases/query.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"exhibit", 'x', "LABEL", "Of this exhibit: for where images of several have one name"},
    {"bytes", 'b', NULL, "Write its bytes to standard output instead (a terminal gets a hex dump)"},
    {"offset", 'o', "SIZE", "With --bytes: begin here (default: 0)"},
    {"length", 'n', "SIZE", "With --bytes: at most so many (default: to the end)"},
    {"json", 'j', NULL, "What is known, as one JSON object"},
    {"plugin", 0, "FILE.so", "With --bytes: the lab's own plugin that found it; may be given again"},
    {"tmp", 0, "FOLDER", "Where large contents are spooled, unlinked (default: $TMPDIR or /var/tmp)"},
    KEY_OPTION,
    {"weak-sandbox", 0, NULL, "Go on where the kernel lacks a part of the sandbox"},
    {NULL, 0, NULL, NULL},
};

/* ------------------------------------------------------------------ bytes */

struct output {
    const char *path;
    struct hash_sha256 *hash; /* NULL: there is nothing to compare with */
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
    if (out->hash)
        hash_sha256_update(out->hash, data, size);
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
    const struct output *out = context;
    if (code)
        return fail_words(code == -ENOPKG ? EXIT_USAGE : EXIT_EVIDENCE, out->path, reason[0] ? reason : strerror(-code), NULL), code;
    if (reason[0])
        fail_words(EXIT_DONE, out->path, reason, NULL);
    if (unread)
        fprintf(stderr, "kvali: %llu bytes of it could not be read; zeros stand for them\n", (unsigned long long)unread);
    return 0;
}

/* Are the bytes that came those whose hash is in the case? */
static int compare(struct output *out, const char *sha256)
{
    uint8_t digest[SHA256_SIZE];
    struct buf hex = {0};
    if (!out->hash)
        return EXIT_DONE;
    hash_sha256_final(out->hash, digest);
    text_hex(&hex, digest, sizeof digest);
    bool same = strcmp(buf_cstr(&hex), sha256) == 0;
    buf_finish(&hex);
    return same ? EXIT_DONE
                : fail_words(EXIT_EVIDENCE, out->path, "its bytes are not those whose SHA-256 is in the case",
                             "the evidence, kvali or a plugin has changed since the run");
}

static int read_bytes(const struct options *options, const struct settings *settings, const struct job_read *read,
                      struct output *out, struct why *why)
{
    struct job_options job = {.worker_program = job_cli_worker(), .settings = settings, .spool_folder = job_cli_spool(options)};
    int code = key_options_take(options, &job, why);
    if (code == 0)
        code = job_read(&job, read, 1, told, out, why);
    key_options_finish(&job);
    if (out->filled)
        dump_row(out);
    return code;
}

static int show_source(const struct options *options, const struct file_source *source, struct job_read *read,
                       struct output *out, struct why *why)
{
    struct settings settings;
    int code = settings_init(&settings);
    if (code == 0 && options_has(options, "weak-sandbox"))
        code = settings_set(&settings, "sandbox", "weak", why);
    read->locator = source->locator;
    if (code == 0)
        code = read_bytes(options, &settings, read, out, why);
    settings_finish(&settings);
    return code;
}

/* It lies inside another content. */
static int show_inner(struct casefile *cf, const struct options *options, const struct file_source *source,
                      struct job_read *read, struct output *out, struct why *why)
{
    struct settings settings = {0};
    struct file_root from = {0};
    char *lab = NULL;
    int code = file_root(cf, source->root, &from, why);
    if (code == 0)
        code = job_cli_replay(cf, from.run, options, &settings, &lab, why);
    struct job_root root = {from.path, from.extension, from.kind, from.deleted, from.plugins, lab};
    read->locator = from.locator;
    read->root = &root;
    read->path = source->path;
    if (code == 0)
        code = read_bytes(options, &settings, read, out, why);
    settings_finish(&settings);
    file_root_finish(&from);
    free(lab);
    return code;
}

/* Why an address is not shown: what was asked for, or the case. */
static int not_shown(int code, const struct why *why)
{
    return fail(code == -ENOENT || code == -ENODATA || code == -ENOTUNIQ ? EXIT_USAGE : exit_code_of_case(code),
                NULL, code, why,
                code == -ENOENT     ? "`kvali find` lists addresses"
                : code == -ENOTUNIQ ? "choose with --exhibit LABEL"
                                    : NULL);
}

static int show_bytes(struct casefile *cf, const struct options *options, const struct file_address *at)
{
    struct why why = {{0}};
    struct file_source source;
    uint64_t offset = 0, length = UINT64_MAX;
    if (options_size(options, "offset", &offset, &why) || options_size(options, "length", &length, &why))
        return fail_usage("show", &why);
    int code = file_source(cf, at, &source, &why);
    if (code)
        return not_shown(code, &why);
    struct output out = {.path = at->path, .dump = isatty(STDOUT_FILENO), .offset = offset};
    if (source.sha256[0] && offset == 0 && length == UINT64_MAX)
        out.hash = hash_sha256_new();
    struct job_read read = {.exhibit_path = source.exhibit_path, .exhibit_type = source.exhibit_type,
                            .offset = offset, .size = length, .each = write_bytes, .context = &out};
    code = source.root ? show_inner(cf, options, &source, &read, &out, &why) : show_source(options, &source, &read, &out, &why);
    int exit_code = code == -ENOPKG ? EXIT_USAGE : code ? EXIT_EVIDENCE : compare(&out, source.sha256);
    if (code && why.text[0])
        fail(exit_code, NULL, code, &why, NULL);
    hash_sha256_free(out.hash);
    file_source_finish(&source);
    return exit_code;
}

/* ------------------------------------------------------------------ what is known */

static void print_column(void *context, const char *name, const char *value)
{
    (void)context;
    if (*value)
        cli_print("%-18s %s\n", name, value);
}

enum { FINDING_MAX = 4096 };

/* At most `most` bytes, and not in the middle of a character. */
static int cut_at(const char *text, int most)
{
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static void print_finding(void *context, uint64_t pass, const char *plugin, const char *type, const char *json)
{
    size_t size = strlen(json);
    (void)context;
    if (pass > 1)
        cli_print("pass %llu: ", (unsigned long long)pass);
    if (size <= FINDING_MAX)
        cli_print("%s.%s: %s\n", plugin, type, json);
    else /* a picture in hex, for one */
        cli_print("%s.%s: %.*s… (%zu characters; --json shows all)\n", plugin, type, cut_at(json, FINDING_MAX), json, size);
}

static void json_column(void *context, const char *name, const char *value)
{
    json_text(context, name, value);
}

static void json_finding(void *context, uint64_t pass, const char *plugin, const char *type, const char *record)
{
    struct json *json = context;
    json_object_open(json, NULL);
    json_u64(json, "pass", pass);
    json_text(json, "plugin", plugin);
    json_text(json, "type", type);
    json_raw(json, "record", record);
    json_object_close(json);
}

static int show_known(struct casefile *cf, const struct file_address *at, bool as_json)
{
    struct why why = {{0}};
    struct buf buf = {0};
    struct json json;
    int code;
    json_init(&json, &buf);
    if (as_json) {
        json_object_open(&json, NULL);
        code = file_columns(cf, at, json_column, &json, &why);
        json_array_open(&json, "findings");
        if (code == 0)
            code = file_findings(cf, at, json_finding, &json, &why);
        json_array_close(&json);
        json_object_close(&json);
        if (code == 0)
            puts(buf_cstr(&buf));
    } else {
        code = file_columns(cf, at, print_column, NULL, &why);
        if (code == 0)
            code = file_findings(cf, at, print_finding, NULL, &why);
    }
    buf_finish(&buf);
    return code ? not_shown(code, &why) : EXIT_DONE;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;
    struct file_address at = {.path = options->args[1], .exhibit = options_text(options, "exhibit", NULL)};
    code = options_has(options, "bytes") ? show_bytes(cf, options, &at)
                                         : show_known(cf, &at, options_has(options, "json"));
    casefile_close(cf);
    return code;
}

const struct command command_show = {
    .name = "show",
    .summary = "what is known of one address, or its bytes",
    .usage = "CASE PATH [options]",
    .help = "PATH is a forensic address as `find` lists it, like disk.E01/p2/ntfs/Users/x/a.doc. Without --bytes: every\n"
            "column of the view `file` and all findings. With --bytes: its content, read from the evidence by a sandboxed\n"
            "worker; to a terminal as a hex dump, else as it is. What lies inside another content (disk.E01/…/a.zip!/b.doc)\n"
            "is found again in it by the plugins that found it in the run, with that run's settings; what a lab's own\n"
            "plugin found needs that plugin again. A whole content is compared with the SHA-256 in the case.",
    .example = "  kvali show /srv/cases/2026-001 disk.E01/p2/ntfs/Users/x/a.doc\n"
               "  kvali show /srv/cases/2026-001 disk.E01/p2/ntfs/Users/x/a.doc --bytes | sha256sum",
    .exits = "  2  there is no such address, several exhibits have it, it has no content, or the plugin that found it\n"
             "     was not given\n"
             "  3  the evidence cannot be read, it is not found again, or its bytes are not those that were hashed",
    .options = specs,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
