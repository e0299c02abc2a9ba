/*
 * fuzz_carve: the carving formats over bytes that somebody else chose. Every examiner owes: no crash, no read outside, an
 * end, and an answer that can be true. KVALI_FORMAT in the environment names the format to fuzz; without it each is asked.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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

static void put_crc(uint8_t *at, const uint8_t *data, size_t size)
{
    uint32_t crc = (uint32_t)crc32(0, data, (uInt)size);

    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(crc >> 8 * i);
}

/* The sums over a 7z's headers, which no change by chance would leave right: what is behind them is to be reached. */
static void mend_7z(uint8_t *data, size_t size)
{
    uint64_t offset, length;

    if (size < 32 || memcmp(data, "7z\xbc\xaf\x27\x1c", 6) != 0)
        return;
    offset = field_le64(data + 12);
    length = field_le64(data + 20);
    if (offset <= size - 32 && length <= size - 32 - offset)
        put_crc(data + 28, data + 32 + offset, (size_t)length);
    put_crc(data + 8, data + 12, 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name = getenv("KVALI_FORMAT");
    uint8_t *own = malloc(size);

    assert(own != NULL || size == 0);
    if (size > 0)
        memcpy(own, data, size);
    mend_7z(own, size);
    assert(name == NULL || carve_format_find(name) != NULL);
    for (size_t i = 0; carve_format_at(i) != NULL; i++) {
        if (name == NULL || strcmp(carve_format_at(i)->name, name) == 0)
            examine(carve_format_at(i), own, size);
    }
    free(own);
    return 0;
}
