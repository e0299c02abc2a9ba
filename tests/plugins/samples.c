/*
 * samples: finding and reading them.
 */
#include "tests/plugins/samples.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *samples_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    size_t capacity = 1 << 16, size = 0, got;
    char *data;

    if (file == NULL)
        return NULL;
    data = malloc(capacity + 1);
    while (data != NULL && (got = fread(data + size, 1, capacity - size, file)) > 0) {
        size += got;
        if (size == capacity) {
            capacity *= 2;
            data = realloc(data, capacity + 1);
        }
    }
    fclose(file);
    if (data == NULL)
        abort();
    data[size] = '\0';
    *ret_size = size;
    return data;
}

static size_t ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);

    return length > size && strcmp(name + length - size, ending) == 0 ? length - size : 0;
}

static void add(struct samples *samples, const char *folder, const char *file)
{
    size_t plain = ends_with(file, ".in"), hidden = ends_with(file, ".in.xor"),
           length = plain > 0 ? plain : hidden;
    struct sample sample;
    char *path;

    if (length == 0)
        return;
    sample.name = strndup(file, length);
    if (asprintf(&path, "%s/%s", folder, file) < 0 ||
        asprintf(&sample.want, "%s/%.*s.want", folder, (int)length, file) < 0)
        abort();
    sample.data = (uint8_t *)samples_file(path, &sample.size);
    if (sample.data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    for (size_t i = 0; hidden > 0 && i < sample.size; i++)
        sample.data[i] ^= 0x5a;
    free(path);
    samples->items = reallocarray(samples->items, samples->count + 1, sizeof sample);
    if (samples->items == NULL)
        abort();
    samples->items[samples->count++] = sample;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct sample *)a)->name, ((const struct sample *)b)->name);
}

void samples_read(struct samples *samples, const char *source_root, const char *plugin)
{
    const struct dirent *entry;
    char *folder;
    DIR *dir;

    *samples = (struct samples){NULL, 0};
    if (asprintf(&folder, "%s/tests/plugins/%s", source_root, plugin) < 0)
        abort();
    dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        add(samples, folder, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    free(folder);
    if (samples->count > 0)
        qsort(samples->items, samples->count, sizeof samples->items[0], compare);
}

void samples_free(struct samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        free(samples->items[i].name);
        free(samples->items[i].want);
        free(samples->items[i].data);
    }
    free(samples->items);
}
