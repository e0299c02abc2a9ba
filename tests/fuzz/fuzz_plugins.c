/*
 * fuzz_plugins: whatever is in a content, every plugin that kvali has keeps to its bounds and to the rules
 * for plugins, with kvali's own rules and tables. KVALI_FEATURES says where these are. Those that open
 * something have a harness of their own, too (fuzz_inside.c and others), and take most of the time:
 * KVALI_PLUGINS names one, which then runs alone.
 */
#include "engine/scan/scanner.h"
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct plugin *const plugin_table[];
enum { PLUGINS_MAX = 64 };

static struct scanner *make_scanner(const struct plugin **ret_plugins)
{
    const char *features = getenv("KVALI_FEATURES"), *only = getenv("KVALI_PLUGINS");
    struct settings settings;
    struct scanner *scanner;
    struct why why = {{0}};
    char root[1000];
    size_t count = 0;

    setenv("TZ", "UTC0", 1);
    (void)snprintf(root, sizeof root, "%s/../..", features ? features : "rules/features");
    trace_settings(&settings, root);
    for (size_t i = 0; plugin_table[i] && count < PLUGINS_MAX - 1; i++) {
        if (!only || strcmp(only, plugin_table[i]->name) == 0)
            ret_plugins[count++] = plugin_table[i];
    }
    if (settings_set(&settings, "limit.child_bytes", "4M", NULL) < 0 ||
        settings_set(&settings, "limit.children", "200", NULL) < 0 ||
        settings_set(&settings, "limit.depth", "4", NULL) < 0 ||
        scanner_new(ret_plugins, count, &settings, &scanner, &why) < 0) {
        fprintf(stderr, "%s\n", why.text);
        abort();
    }
    settings_finish(&settings);
    return scanner;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct plugin *plugins[PLUGINS_MAX];
    static struct scanner *scanner;
    struct trace_source source = {.data = data, .size = size};
    struct trace trace = {.plugins = plugins, .lines_max = 10000};

    if (!scanner)
        scanner = make_scanner(plugins);
    if (trace_scan(&trace, scanner, trace_info("fuzz", size), &source, 0) < 0)
        abort();
    for (const char *line = buf_cstr(&trace.text); line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line == '[' && strncmp(line + strcspn(line, "]"), "] failed ", 9) == 0)
            abort();
    }
    buf_finish(&trace.text);
    return 0;
}
