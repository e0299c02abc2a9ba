/*
 * conformance: what every plugin must keep to, whatever it is about.
 *
 *     conformance SOURCE_ROOT
 *
 * Every descriptor is complete. Every beginning of every sample neither crashes it nor makes it fail. What it
 * says depends on the bytes alone: the beginnings are scanned in rising and, the longer ones not all of them,
 * in falling order by one scanner, and must give the same.
 */
#include "tests/plugins/samples.h"
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SHORT = 1024, /* beginnings that are all scanned twice */
    STRIDE = 7    /* of the longer ones one in so many: the time grows with the square of a sample's size */
};

static unsigned failures;

static void fail(const char *plugin, const char *what)
{
    printf("%s: %s\n", plugin, what);
    failures++;
}

static void check_descriptor(const char *root, size_t index)
{
    const struct plugin *plugin = plugin_table[index];
    struct why why = {""};
    char *path;

    if (!plugin_is_valid(plugin, &why))
        fail("descriptor", why.text);
    if (plugin->emits[0] == NULL)
        fail(plugin->name, "emits nothing");
    if (index > 0 && strcmp(plugin_table[index - 1]->name, plugin->name) >= 0)
        fail(plugin->name, "the list is not sorted by name");
    if (strchr(plugin->summary, '\n') != NULL)
        fail(plugin->name, "the summary is not one line");
    if (asprintf(&path, "%s/plugins/%s/README.md", root, plugin->name) < 0)
        abort();
    if (access(path, R_OK) != 0)
        fail(plugin->name, "has no README.md");
    free(path);
}

static struct scanner *scanner_for(const struct plugin *plugin, const char *root)
{
    struct settings settings;
    struct scanner *scanner;
    struct why why;

    trace_settings(&settings, root);
    if (scanner_new(&plugin, 1, &settings, &scanner, &why) < 0) {
        fprintf(stderr, "%s: %s\n", plugin->name, why.text);
        exit(1);
    }
    settings_finish(&settings);
    return scanner;
}

/* What is said of the first `size` bytes, as a malloc'ed text. */
static char *scan_beginning(const struct plugin *plugin, struct scanner *scanner, const struct sample *sample,
                            size_t size)
{
    struct trace_source source = {.data = sample->data, .size = size};
    struct trace trace = {.plugins = &plugin};
    char *text;

    if (trace_scan(&trace, scanner, trace_info(sample->name, size), &source, 0) < 0)
        fail(plugin->name, sample->name);
    text = buf_steal(&trace.text);
    if (text == NULL)
        abort();
    return text;
}

static bool says_failed(const char *text)
{
    return strncmp(text, "[0] failed", 10) == 0 || strstr(text, "\n[0] failed") != NULL;
}

static bool is_scanned_again(const struct sample *sample, size_t size)
{
    return size <= SHORT || (sample->size - size) % STRIDE == 0;
}

static void check_sample(const struct plugin *plugin, struct scanner *scanner, const struct sample *sample)
{
    char **first = calloc(sample->size + 1, sizeof *first);

    if (first == NULL)
        abort();
    for (size_t size = 0; size <= sample->size; size++) {
        first[size] = scan_beginning(plugin, scanner, sample, size);
        if (says_failed(first[size])) {
            printf("%zu bytes of %s: %s", size, sample->name, first[size]);
            fail(plugin->name, "fails at a beginning of a sample");
        }
    }
    for (size_t size = sample->size + 1; size-- > 0;) {
        if (is_scanned_again(sample, size)) {
            char *again = scan_beginning(plugin, scanner, sample, size);

            if (strcmp(first[size], again) != 0) {
                printf("%zu bytes of %s:\n  - %s  + %s", size, sample->name, first[size], again);
                fail(plugin->name, "two runs differ");
            }
            free(again);
        }
        free(first[size]);
    }
    free(first);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setenv("TZ", "UTC0", 1);
    for (size_t i = 0; plugin_table[i] != NULL; i++) {
        struct scanner *scanner;
        struct samples samples;

        check_descriptor(argv[1], i);
        scanner = scanner_for(plugin_table[i], argv[1]);
        if (scanner_warm(scanner) < 0)
            fail(plugin_table[i]->name, "does not warm up");
        samples_read(&samples, argv[1], plugin_table[i]->name);
        for (size_t j = 0; j < samples.count; j++)
            check_sample(plugin_table[i], scanner, &samples.items[j]);
        samples_free(&samples);
        scanner_free(scanner);
    }
    printf("%u failures\n", failures);
    return failures > 0;
}
