/*
 * blocks: the plugin features says the same of a stream of some megabytes in blocks of any size, with
 * something to find at each border of its own pieces.
 *
 *     blocks SOURCE_ROOT
 */
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1200000, PIECE = 256 * 1024 };

extern const struct plugin plugin_features;
static const struct plugin *const plugins[] = {&plugin_features};

static void fill(uint8_t *data)
{
    uint32_t noise = 7;

    for (size_t i = 0; i < SIZE; i++) {
        noise = noise * 1664525 + 1013904223;
        data[i] = (uint8_t)(noise >> 24);
    }
    for (size_t border = PIECE; border < SIZE; border += PIECE) {
        for (size_t shift = 0; shift < 8; shift++) {
            char text[64];
            size_t at = border - 9 - 1000 * shift;
            int size = snprintf(text, sizeof text, " user%zu.%zu@example.ge ", border / PIECE, shift);

            memcpy(data + at, text, (size_t)size);
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const blocks[] = {"1M", "61", "4096", "65537", "262144", "300000"};
    static uint8_t data[SIZE];
    char *first = NULL;
    unsigned wrong = 0, mails = 0;

    if (argc != 2)
        return 2;
    fill(data);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct trace_source source = {.data = data, .size = SIZE};
        struct trace trace = {.plugins = plugins};
        struct settings settings;
        struct scanner *scanner;
        struct why why;

        trace_settings(&settings, argv[1]);
        if (settings_set(&settings, "block", blocks[i], &why) < 0 ||
            scanner_new(plugins, 1, &settings, &scanner, &why) < 0) {
            fprintf(stderr, "%s\n", why.text);
            return 1;
        }
        if (trace_scan(&trace, scanner, trace_info("noise.bin", SIZE), &source, 0) < 0)
            abort();
        if (first == NULL)
            first = strdup(buf_cstr(&trace.text));
        else if (strcmp(first, buf_cstr(&trace.text)) != 0)
            wrong += (unsigned)printf("block size %s gives other records\n", blocks[i]) > 0;
        buf_finish(&trace.text);
        scanner_free(scanner);
        settings_finish(&settings);
    }
    for (const char *at = first; at != NULL && (at = strstr(at, "kind=\"email\" value=\"user")) != NULL; at++)
        mails++;
    printf("%u addresses, %u block sizes wrong\n", mails, wrong);
    free(first);
    return wrong > 0 || mails != 8 * ((SIZE - 1) / PIECE);
}
