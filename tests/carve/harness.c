/*
 * harness: see harness.h.
 */
#include "tests/carve/harness.h"

#include "plugins/carve/reassemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET (UINT64_C(1) << 32)

enum { BEHIND = 70 * 1024, PREFIXES = 2000 };

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

static struct carved examine_for(const char *name, const struct memory *memory,
                                 const struct reader_piece *pieces, size_t count, uint64_t *ret_effort)
{
    const struct carve_format *format = carve_format_find(name);
    struct reader *reader = reader_new(memory_read, (void *)memory);
    struct carved carved = {.grade = CARVE_NONE};
    enum carve_grade grade;

    if (format == NULL || reader == NULL) {
        fprintf(stderr, "%s: no such format, or no memory\n", name);
        abort();
    }
    reader_aim(reader, pieces, count, BUDGET);
    grade = format->examine(reader, &carved);
    if (grade != carved.grade) {
        fprintf(stderr, "%s: returns another grade than it stores\n", name);
        abort();
    }
    *ret_effort = BUDGET - reader_budget(reader);
    reader_free(reader);
    return carved;
}

static struct carved examine(const char *name, const struct memory *memory, const struct reader_piece *pieces,
                             size_t count)
{
    uint64_t effort;

    return examine_for(name, memory, pieces, count, &effort);
}

uint64_t harness_effort(const char *format, const void *data, size_t size)
{
    struct memory memory = {data, size};
    uint64_t effort;

    (void)examine_for(format, &memory, &(struct reader_piece){0, size}, 1, &effort);
    return effort;
}

struct carved harness_examine(const char *format, const void *data, size_t size)
{
    struct memory memory = {data, size};

    return examine(format, &memory, &(struct reader_piece){0, size}, 1);
}

struct carved harness_examine_split(const char *format, const void *data, size_t size, size_t split,
                                    size_t gap)
{
    uint8_t *bytes = malloc(size + gap);
    struct memory memory = {bytes, size + gap};
    const struct reader_piece pieces[] = {{0, split}, {split + gap, size - split}};
    struct carved carved;

    if (bytes == NULL)
        abort();
    memcpy(bytes, data, split);
    memset(bytes + split, 0xA5, gap);
    memcpy(bytes + split + gap, (const uint8_t *)data + split, size - split);
    carved = examine(format, &memory, pieces, 2);
    free(bytes);
    return carved;
}

static void noise(uint8_t *to, size_t size)
{
    uint32_t x = 12345;

    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        to[i] = (uint8_t)(x >> 24);
    }
}

bool harness_mends(const char *format, const void *data, size_t size, size_t split, size_t gap)
{
    size_t all = size + gap * 4096 + BEHIND;
    uint8_t *bytes = malloc(all);
    struct memory memory = {bytes, all};
    const struct reader_piece piece = {0, all};
    struct reader *reader = reader_new(memory_read, &memory);
    uint64_t effort = UINT64_C(1) << 27;
    struct reassembly whole = {.carved = {.grade = CARVE_NONE}};
    struct carved broken;
    bool found;

    if (bytes == NULL || reader == NULL)
        abort();
    noise(bytes, all);
    memcpy(bytes, data, split);
    memcpy(bytes + split + gap * 4096, (const uint8_t *)data + split, size - split);
    broken = examine(format, &memory, &piece, 1);
    found = reassemble(reader, carve_format_find(format), &broken, 0, all, all, &effort, &whole);
    found = found && whole.carved.grade == CARVE_VALIDATED && whole.carved.size == size &&
            whole.pieces[0].size == split;
    reader_free(reader);
    free(bytes);
    return found;
}

const char *harness_grade(enum carve_grade grade)
{
    static const char *const names[] = {"none", "fragment", "partial", "complete", "validated"};

    return (unsigned)grade < sizeof names / sizeof names[0] ? names[grade] : "?";
}

static bool whole(const char *format, const void *data, size_t size, enum carve_grade grade, int junk)
{
    uint8_t *bytes = malloc(size + BEHIND);
    uint32_t x = 12345;
    struct carved carved;

    if (bytes == NULL)
        abort();
    memcpy(bytes, data, size);
    for (size_t i = size; i < size + BEHIND; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = junk == 2 ? (uint8_t)(x >> 24) : junk == 1 ? 0xFF : 0;
    }
    carved = harness_examine(format, bytes, size + BEHIND);
    free(bytes);
    if (carved.grade == grade && carved.size == size)
        return true;
    fprintf(stderr, "%s: with junk %d behind: %s, %llu bytes, %s; wanted: %s, %zu bytes\n", format, junk,
            harness_grade(carved.grade), (unsigned long long)carved.size, carved.lacks, harness_grade(grade),
            size);
    return false;
}

static bool prefix(const char *format, const uint8_t *data, size_t size, size_t complete_from)
{
    uint8_t *copy = malloc(size > 0 ? size : 1); /* a read past its end is seen */
    struct carved carved;

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    carved = harness_examine(format, copy, size);
    free(copy);
    if (carved.size <= size && carved.good <= carved.size &&
        (carved.grade < CARVE_VALIDATED || size >= complete_from))
        return true;
    fprintf(stderr, "%s: the first %zu bytes alone: %s, %llu bytes, good %llu\n", format, size,
            harness_grade(carved.grade), (unsigned long long)carved.size, (unsigned long long)carved.good);
    return false;
}

bool harness_holds(const char *format, const void *data, size_t size, enum carve_grade grade,
                   size_t complete_from)
{
    size_t step = size / PREFIXES + 1;

    for (int junk = 0; junk < 3; junk++) {
        if (!whole(format, data, size, grade, junk))
            return false;
    }
    for (size_t n = 0; n < size; n += n < 600 || n + 300 > size ? 1 : step) {
        if (!prefix(format, data, n, complete_from))
            return false;
    }
    return true;
}
