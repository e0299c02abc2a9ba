/*
 * fuzz_ewf: whatever a segment file of an E01 says, opening it and reading in it keeps to its bounds and
 * comes to an end. libewf is fuzzed with it.
 *
 * The checksums of descriptors and tables, which would keep away all that is mutated, are set right first.
 */
#include "engine/base/bytes.h"
#include "engine/base/why.h"
#include "engine/evidence/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 13, SECTION = 76, TABLE = 24, SECTIONS = 1000, PIECE = 100000, READ_MOST = 8 << 20 };

static uint64_t number(const uint8_t *data, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)data[i] << 8 * i;
    return number;
}

static void put_adler(uint8_t *to, const uint8_t *data, size_t size)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)((b << 16 | a) >> 8 * i);
}

static void mend(uint8_t *data, size_t size)
{
    uint64_t at = HEADER;

    for (int i = 0; i < SECTIONS && at < size && size - at >= SECTION; i++) {
        uint8_t *table = data + at + SECTION;
        uint64_t next = number(data + at + 16, 8), left = size - at - SECTION;

        put_adler(data + at + SECTION - 4, data + at, SECTION - 4);
        if (memcmp(data + at, "table", 5) == 0 && left >= TABLE) {
            uint64_t entries = 4 * number(table, 4);

            put_adler(table + TABLE - 4, table, TABLE - 4);
            if (left - TABLE >= entries + 4)
                put_adler(table + TABLE + entries, table + TABLE, entries);
        }
        if (next <= at)
            return;
        at = next;
    }
}

static void read_all(struct image *image)
{
    static uint8_t out[PIECE];
    uint64_t size = image_info(image)->size, most = size < READ_MOST ? size : READ_MOST;

    for (uint64_t at = 0; at < most; at += PIECE)
        (void)image_read(image, at, out, most - at < PIECE ? (size_t)(most - at) : PIECE);
    for (uint64_t at = most; at > 5000; at -= at / 3 + 1) /* backwards, in small pieces */
        (void)image_read(image, at - 5000, out, 5000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image *image = NULL;
    struct why why = {{0}};
    char path[64];
    int fd = memfd_create("segment", MFD_CLOEXEC);
    uint8_t *copy = malloc(size + 1);

    if (fd < 0 || copy == NULL)
        abort();
    memcpy(copy, data, size);
    mend(copy, size);
    if (write(fd, copy, size) != (ssize_t)size)
        abort();
    free(copy);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (image_open(path, IMAGE_EWF, &image, &why) == 0) {
        read_all(image);
        image_close(image);
    }
    (void)close(fd);
    return 0;
}
