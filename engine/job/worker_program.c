/*
 * kvali-worker: the program that parses evidence. It is started by kvali, with its end of a socket as
 * descriptor 3, and is of no use by hand but for questions that touch no evidence: --versions, --plugins,
 * --plugins-json, --keywords=LISTS.
 */
#include "engine/job/worker.h"

#include "engine/base/hash.h"
#include "engine/base/json.h"

#include "plugins/keywords/check.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONTROL_FD = 3,
    KEPT_BLOCK =
        32 * 1024 * 1024, /* the largest that malloc takes from what it keeps, as large as glibc allows */
    KEPT_TOP = 64 * 1024 * 1024,
};

static int print(struct buf *buf)
{
    int code = buf_failed(buf) || puts(buf_cstr(buf)) < 0 || fflush(stdout) ? 1 : 0;
    buf_finish(buf);
    return code;
}

static int print_versions(void)
{
    struct buf buf = {0};
    worker_versions(&buf);
    return print(&buf);
}

static const char *field_kind_name(enum field_kind kind)
{
    static const char *const names[] = {"u64", "i64", "text", "bytes", "json", "when"};
    return names[kind];
}

static void describe_type(struct json *json, const struct record_type *type)
{
    json_object_open(json, NULL);
    json_text(json, "name", type->name);
    json_u64(json, "version", type->version);
    json_text(json, "what", type->what);
    json_array_open(json, "fields");
    for (size_t i = 0; i < type->field_count; i++) {
        json_object_open(json, NULL);
        json_text(json, "name", type->fields[i].name);
        json_text(json, "kind", field_kind_name(type->fields[i].kind));
        json_text(json, "unit", type->fields[i].unit);
        json_text(json, "what", type->fields[i].what);
        json_object_close(json);
    }
    json_array_close(json);
    json_object_close(json);
}

static int print_plugins(void)
{
    struct buf buf = {0};
    for (const struct plugin *const *p = plugin_table; *p; p++) {
        buf_printf(&buf, "%s (version %u): %s\n", (*p)->name, (*p)->version, (*p)->summary);
        for (const struct record_type *const *t = (*p)->emits; *t; t++) {
            buf_printf(&buf, "  record %s: %s\n", (*t)->name, (*t)->what);
            for (size_t i = 0; i < (*t)->field_count; i++) {
                const struct field *field = &(*t)->fields[i];
                buf_printf(&buf, "    %-20s %-6s %s%s%s%s\n", field->name, field_kind_name(field->kind),
                           field->what, *field->unit ? " (" : "", field->unit, *field->unit ? ")" : "");
            }
        }
    }
    return print(&buf);
}

static int print_plugins_json(void)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_array_open(&json, NULL);
    for (const struct plugin *const *p = plugin_table; *p; p++) {
        json_object_open(&json, NULL);
        json_text(&json, "name", (*p)->name);
        json_u64(&json, "version", (*p)->version);
        json_text(&json, "summary", (*p)->summary);
        json_array_open(&json, "records");
        for (const struct record_type *const *t = (*p)->emits; *t; t++)
            describe_type(&json, *t);
        json_array_close(&json);
        json_object_close(&json);
    }
    json_array_close(&json);
    return print(&buf);
}

static const struct plugin *plugin_named(const char *name)
{
    for (const struct plugin *const *p = plugin_table; *p; p++)
        if (strcmp((*p)->name, name) == 0)
            return *p;
    return NULL;
}

/* What the plugin yara says of the rules in `list` (paths, ':' between), a line each: kind, name, SHA-256,
 * count and what is wrong with it, with TABs between. These are the operator's own files: no evidence is
 * near. */
static int print_rules(const char *list)
{
    const struct plugin *yara = plugin_named("yara");
    struct settings settings;
    struct scanner *scanner = NULL;
    struct why why = {{0}};
    struct buf buf = {0};
    size_t count = 0;
    int code = settings_init(&settings);
    if (code == 0)
        code = settings_set(&settings, "yara.rules", list, &why);
    if (code == 0)
        code = settings_set(&settings, "yara.remarks", "true", &why);
    if (code == 0 && yara)
        code = scanner_new(&yara, 1, &settings, &scanner, &why);
    if (code) {
        fprintf(stderr, "kvali: %s\n", why.text[0] ? why.text : strerror(-code));
        return 1;
    }
    const struct loaded *loaded = scanner ? scanner_loaded(scanner, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        buf_printf(&buf, "%s\t%s\t%s\t%llu\t%s\n", loaded[i].kind, loaded[i].name, loaded[i].sha256,
                   (unsigned long long)loaded[i].count, loaded[i].problem ? loaded[i].problem : "");
    code = print(&buf);
    scanner_free(scanner);
    settings_finish(&settings);
    return code;
}

/* The first line: how many lines are wrong, or "error" and why; then the text. */
static int print_keywords(const char *paths)
{
    struct buf buf = {0}, text = {0};
    struct why why = {{0}};
    uint64_t wrong = 0;
    if (keywords_check(paths, &text, &wrong, &why) < 0)
        buf_printf(&buf, "error %s", why.text);
    else
        buf_printf(&buf, "%llu\n", (unsigned long long)wrong);
    buf_append(&buf, text.data, text.size);
    buf.failed = buf.failed || text.failed;
    buf_finish(&text);
    return print(&buf);
}

/* Nothing that the supervisor had open comes along but standard error and the socket. */
static int run_zygote(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET) {
        fputs("kvali-worker: it is started by kvali, not by hand\n", stderr);
        return 2;
    }
    fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
    if (close_range(CONTROL_FD + 1, ~0U, 0))
        return 2;
    return zygote_main(CONTROL_FD);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--versions") == 0)
        return print_versions();
    if (argc == 2 && strcmp(argv[1], "--plugins") == 0)
        return print_plugins();
    if (argc == 2 && strcmp(argv[1], "--plugins-json") == 0)
        return print_plugins_json();
    if (argc == 3 && strcmp(argv[1], "--rules") == 0)
        return print_rules(argv[2]);
    if (argc == 2 && strncmp(argv[1], "--keywords=", 11) == 0)
        return print_keywords(argv[1] + 11);
    /* Parsers take and give back megabytes for each content; what the system takes back it must hand out
     * anew, page by page, which costs more than the parsing (glibc's malloc). */
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_TOP);
    return run_zygote();
}
