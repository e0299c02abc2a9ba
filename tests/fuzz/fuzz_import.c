/*
 * fuzz_import: whatever a file of another program holds, each importer keeps its bounds, ends, and counts
 * every line once at most; blocks of several sizes, as they may come. With KVALI_FORMAT only the format of
 * that number in the table below: a campaign goes deeper so.
 */
#include "cases/hashsets/import_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int import_look(struct import *import)
{
    (void)import;
    return 0;
}

/* Whole lines, or `most` bytes. */
static size_t block_of(const struct import_format *format, const uint8_t *data, size_t size, size_t most)
{
    const uint8_t *end;

    if (!format->lines || size <= most)
        return size < most ? size : most;
    end = memrchr(data, '\n', most);
    if (end == NULL)
        end = memchr(data + most, '\n', size - most);
    return end != NULL ? (size_t)(end + 1 - data) : size;
}

static void run(const struct import_format *format, struct hashset_build *build, const uint8_t *data,
                size_t size, size_t most)
{
    struct import_result result = {0};
    struct why why;
    struct import import = {.build = build, .result = &result, .why = &why, .path = "fuzz"};
    int rc = 0;

    import.state = calloc(1, format->state_size + 1);
    if (import.state == NULL)
        abort();
    for (size_t done = 0; done < size && rc == 0;) {
        size_t some = block_of(format, data + done, size - done, most);

        rc = format->data(&import, data + done, some);
        done += some;
    }
    if (rc == 0 && format->end != NULL)
        format->end(&import);
    if (format->finish != NULL)
        format->finish(&import);
    if (result.rows > size || result.bad > size)
        abort();
    free(import.state);
}

/* SQLite reads a file by its name. */
static void run_file(const struct import_format *format, struct hashset_build *build, const uint8_t *data,
                     size_t size)
{
    struct import_result result = {0};
    struct why why = {{0}};
    char path[32];
    int fd = memfd_create("import", MFD_CLOEXEC);
    struct import import = {.build = build, .result = &result, .why = &why, .path = path};

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    format->file(&import);
    close(fd);
}

static void run_all(const struct import_format *format, struct hashset_build *build, const uint8_t *data,
                    size_t size)
{
    static const size_t blocks[] = {1, 7, 1000, SIZE_MAX};

    if (format->file != NULL) {
        if (format->is(data, size))
            run_file(format, build, data, size);
        return;
    }
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (size < 65536 || i > 1)
            run(format, build, data, size, blocks[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct import_format *const formats[] = {&import_nsrl2,  &import_hashdeep, &import_list,
                                                          &import_csv,    &import_json,     &import_encase,
                                                          &import_sqlite, &import_similar};
    enum { FORMATS = sizeof formats / sizeof formats[0], USES = 10000 };
    const char *only = getenv("KVALI_FORMAT");
    struct hashset_build_options options = {.path = "/tmp/fuzz.kvset",
                                            .name = "fuzz",
                                            .kind = HASHSET_KNOWN,
                                            .labelled = true,
                                            .replace = true,
                                            .memory = HASHSET_MEMORY_MIN};
    static struct hashset_build *build;
    static unsigned uses;
    struct why why;

    if (size == 0 || hash_setup() < 0)
        return 0;
    /* Its memory is dear, so it serves many inputs. */
    if (uses++ % USES == 0) {
        hashset_build_free(build);
        if (hashset_build_new(&options, &build, &why) < 0 || hashset_build_source(build, "fuzz", "fuzz") < 0)
            abort();
    }
    for (size_t f = 0; f < FORMATS; f++) { /* a sample is no seed of one format alone */
        if (only != NULL && strtoul(only, NULL, 10) != f)
            continue;
        formats[f]->is(data, size);
        run_all(formats[f], build, data, size);
    }
    return 0;
}
