/*
 * probe: what the carving formats say of files.
 *
 *     probe FORMAT|any FILE...      a tab-separated line a verdict: format, grade, size, file's size,
 * extension, title, lacks
 *
 * With `any` every format is asked, and those that say "none" are left out.
 */
#include "tests/carve/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(const char *name, const char *path, const uint8_t *data, size_t size, bool none_too)
{
    struct carved carved = harness_examine(name, data, size);

    if (carved.grade == CARVE_NONE && !none_too)
        return;
    printf("%s\t%s\t%s\t%llu\t%zu\t%s\t%s\t%s\n", path, name, harness_grade(carved.grade),
           (unsigned long long)carved.size, size, carved.extension ? carved.extension : "-",
           carved.title[0] ? carved.title : "-", carved.lacks[0] ? carved.lacks : "-");
    for (size_t i = 0; i < carved.part_count; i++)
        printf("%s\t  part\t%s\t%llu+%llu\n", path, carved.parts[i].extension,
               (unsigned long long)carved.parts[i].offset, (unsigned long long)carved.parts[i].size);
}

static uint8_t *slurp(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        perror(path);
        exit(1);
    }
    rewind(file);
    data = malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    *ret_size = (size_t)size;
    return data;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: probe FORMAT|any FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        size_t size;
        uint8_t *data = slurp(argv[i], &size);

        if (strcmp(argv[1], "any") != 0) {
            report(argv[1], argv[i], data, size, true);
        } else {
            for (size_t k = 0; carve_format_at(k) != NULL; k++)
                report(carve_format_at(k)->name, argv[i], data, size, false);
        }
        free(data);
    }
    return 0;
}
