/*
 * golden: every sample of every plugin gives exactly the records that its .want file says, at every block
 * size.
 *
 *     golden SOURCE_ROOT [write]
 *
 * With `write` it writes missing .want files, to be read before they are committed: they are the promise.
 */
#include "tests/plugins/samples.h"
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

static void print_difference(const char *want, const char *got)
{
    while (*want != '\0' || *got != '\0') {
        size_t wants = strcspn(want, "\n"), gots = strcspn(got, "\n");

        if (wants != gots || memcmp(want, got, gots) != 0)
            printf("  - %.*s\n  + %.*s\n", (int)wants, want, (int)gots, got);
        want += wants + (want[wants] != '\0');
        got += gots + (got[gots] != '\0');
    }
}

enum { BLOCKS = 5 };

/* The first holds every sample whole. */
static const char *const blocks[BLOCKS] = {"1M", "1", "3", "61", "4096"};

static struct scanner *scanner_for(const struct plugin *plugin, const char *root, const char *block)
{
    struct settings settings;
    struct scanner *scanner;
    struct why why;

    trace_settings(&settings, root);
    if (settings_set(&settings, "block", block, &why) < 0 ||
        scanner_new(&plugin, 1, &settings, &scanner, &why) < 0) {
        fprintf(stderr, "%s: %s\n", plugin->name, why.text);
        exit(1);
    }
    settings_finish(&settings);
    return scanner;
}

static void write_want(const struct sample *sample, struct trace *trace)
{
    FILE *file = fopen(sample->want, "we");

    if (file == NULL || fputs(buf_cstr(&trace->text), file) < 0 || fclose(file) != 0)
        abort();
    printf("wrote %s: read it\n", sample->want);
}

static void check(const struct plugin *plugin, struct scanner *const scanners[BLOCKS],
                  const struct sample *sample, bool may_write)
{
    size_t size;
    char *want = samples_file(sample->want, &size);

    for (size_t i = 0; i < BLOCKS; i++) {
        struct trace_source source = {.data = sample->data, .size = sample->size};
        struct trace trace = {.plugins = &plugin};

        if (trace_scan(&trace, scanners[i], trace_info(sample->name, sample->size), &source, 0) < 0)
            abort();
        if (want == NULL && may_write) {
            write_want(sample, &trace);
            want = samples_file(sample->want, &size);
        }
        if (strcmp(want != NULL ? want : "", buf_cstr(&trace.text)) != 0) {
            printf("%s: %s at block size %s:\n", plugin->name, sample->name, blocks[i]);
            print_difference(want != NULL ? want : "", buf_cstr(&trace.text));
            failures++;
        }
        buf_finish(&trace.text);
    }
    free(want);
}

static size_t check_plugin(const struct plugin *plugin, const char *root, bool may_write)
{
    struct scanner *scanners[BLOCKS];
    struct samples samples;
    size_t count;

    samples_read(&samples, root, plugin->name);
    if (samples.count == 0) {
        printf("%s: there is no sample\n", plugin->name);
        failures++;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        scanners[i] = scanner_for(plugin, root, blocks[i]);
    for (size_t i = 0; i < samples.count; i++)
        check(plugin, scanners, &samples.items[i], may_write);
    for (size_t i = 0; i < BLOCKS; i++)
        scanner_free(scanners[i]);
    count = samples.count;
    samples_free(&samples);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    if (argc < 2)
        return 2;
    setenv("TZ", "UTC0", 1);
    for (size_t i = 0; plugin_table[i] != NULL; i++)
        count += check_plugin(plugin_table[i], argv[1], argc > 2 && strcmp(argv[2], "write") == 0);
    printf("%zu samples, %u failures\n", count, failures);
    return failures > 0;
}
