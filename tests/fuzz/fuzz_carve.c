/*
 * fuzz_carve: the carving formats over bytes that somebody else chose. Every examiner owes: no crash, no read outside, an
 * end, and an answer that can be true. KVALI_FORMAT in the environment names the format to fuzz; without it each is asked.
 */
#include "plugins/carve/format.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    const uint8_t *data;
    size_t size;
};

static int64_t memory_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct memory *memory = context;
    size_t left = offset < memory->size ? memory->size - (size_t)offset : 0;

    size = size < left ? size : left;
    if (size > 0)
        memcpy(data, memory->data + offset, size);
    return (int64_t)size;
}

static void check(const struct carved *carved, uint64_t size)
{
    assert(carved->grade <= CARVE_VALIDATED);
    if (carved->grade == CARVE_NONE)
        return;
    assert(carved->size <= size && carved->good <= carved->size);
    assert(carved->part_count <= CARVED_PARTS_MAX);
    assert(memchr(carved->title, 0, sizeof carved->title) && memchr(carved->lacks, 0, sizeof carved->lacks));
}

static void examine(const struct carve_format *format, const uint8_t *data, size_t size)
{
    struct memory memory = {data, size};
    struct reader *reader = reader_new(memory_read, &memory);
    struct carved carved = {.grade = CARVE_NONE};
    const struct reader_piece whole = {0, size};

    assert(reader != NULL);
    reader_aim(reader, &whole, 1, (UINT64_C(1) << 20) + 64 * (uint64_t)size);
    format->examine(reader, &carved);
    check(&carved, size);
    if (format->continues != NULL && carved.broken > 0 && carved.good <= size)
        (void)format->continues(reader, &carved, carved.good);
    reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name = getenv("KVALI_FORMAT");

    assert(name == NULL || carve_format_find(name) != NULL);
    for (size_t i = 0; carve_format_at(i) != NULL; i++) {
        if (name == NULL || strcmp(carve_format_at(i)->name, name) == 0)
            examine(carve_format_at(i), data, size);
    }
    return 0;
}
