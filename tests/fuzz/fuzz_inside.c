/*
 * fuzz_inside: whatever an archive, a message, a compound file, a PDF, a store or a package of Outlook holds,
 * opening it keeps to its bounds and comes to an end, and no plugin fails. libarchive, GMime, libgsf, qpdf,
 * libpff and the others are fuzzed with them. KVALI_INSIDE names one of the plugins, which then runs alone.
 */
#include "engine/scan/scanner.h"
#include "tests/plugins/trace.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct plugin plugin_archive, plugin_encrypted, plugin_mail, plugin_ole, plugin_pdf, plugin_pst,
    plugin_tnef;
enum { PLUGINS = 7 };
static const struct plugin *const all[PLUGINS] = {
    &plugin_archive, &plugin_encrypted, &plugin_mail, &plugin_ole, &plugin_pdf, &plugin_pst, &plugin_tnef};

static const char *password(const void *context, size_t number)
{
    (void)context;
    return number == 0 ? "x" : number == 1 ? "y" : NULL;
}

static void password_digest(const void *context, size_t number, const char *salt,
                            char ret[SCAN_PASSWORD_DIGEST])
{
    (void)context, (void)number, (void)salt;
    ret[0] = '\0';
}

static struct scanner *make_scanner(const struct plugin *const *plugins, size_t count)
{
    struct settings settings;
    struct scanner *scanner;

    setenv("TZ", "UTC0", 1);
    if (settings_init(&settings) < 0 || settings_set(&settings, "limit.child_bytes", "4M", NULL) < 0 ||
        settings_set(&settings, "limit.children", "200", NULL) < 0 ||
        settings_set(&settings, "limit.depth", "4", NULL) < 0 ||
        scanner_new(plugins, count, &settings, &scanner, NULL) < 0)
        abort();
    settings_finish(&settings);
    scanner_set_passwords(scanner, &(struct scan_passwords){password, password_digest, NULL});
    return scanner;
}

/* Those that are wanted, in their order. */
static size_t choose(const struct plugin **ret)
{
    const char *only = getenv("KVALI_INSIDE");
    size_t count = 0;

    for (size_t i = 0; i < PLUGINS; i++) {
        if (only == NULL || strcmp(only, all[i]->name) == 0)
            ret[count++] = all[i];
    }
    return count;
}

/* A line of its own: what stands in contents may read the same, and the fuzzer soon finds the words. */
static bool has_failed(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line == '[' && strncmp(line + strcspn(line, "]"), "] failed ", 9) == 0)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct plugin *plugins[PLUGINS];
    static struct scanner *scanner;
    struct trace_source source = {.data = data, .size = size};
    struct trace trace = {.plugins = plugins, .lines_max = 10000};

    if (scanner == NULL)
        scanner = make_scanner(plugins, choose(plugins));
    if (trace_scan(&trace, scanner, trace_info("fuzz", size), &source, 0) < 0 ||
        has_failed(buf_cstr(&trace.text)))
        abort();
    buf_finish(&trace.text);
    return 0;
}
