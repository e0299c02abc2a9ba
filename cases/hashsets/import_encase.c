/*
 * import_encase: EnCase's .hash: "HASH\r\n\xff\0", the number of entries as 32 bits little-endian at 16, the
 * set's name and category as UTF-16LE, entries of 18 bytes from 1152: an MD5 and two zeros.
 */
#include "cases/hashsets/import_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <string.h>

enum { FIRST_ENTRY = 1152, ENTRY = 18, COUNT_AT = 16 };

struct encase {
    uint64_t offset; /* in the file */
    uint8_t count[4], entry[ENTRY];
    size_t have;
};

static bool encase_is(const uint8_t *head, size_t size)
{
    return size >= 8 && memcmp(head, "HASH\r\n\xff\0", 8) == 0;
}

static int encase_data(struct import *import, const uint8_t *data, size_t size)
{
    struct encase *state = import->state;
    int rc = 0;

    for (size_t i = 0; i < size && rc == 0; i++, state->offset++) {
        if (state->offset >= COUNT_AT && state->offset < COUNT_AT + 4)
            state->count[state->offset - COUNT_AT] = data[i];
        if (state->offset < FIRST_ENTRY)
            continue;
        state->entry[state->have++] = data[i];
        if (state->have == ENTRY) {
            const uint8_t *keys[HASHSET_ALGORITHMS] = {state->entry, NULL, NULL};

            state->have = 0;
            import->result->lines++;
            rc = import_row(import, keys, 0);
        }
    }
    return rc;
}

static int encase_end(struct import *import)
{
    const struct encase *state = import->state;
    struct bytes bytes;
    uint64_t count;

    bytes_init(&bytes, state->count, sizeof state->count);
    count = bytes_u32le(&bytes);
    if (state->offset < FIRST_ENTRY || state->have != 0 || count != import->result->lines)
        return why_set(import->why, -EBADMSG,
                       "%s: it is cut short or damaged: its header speaks of %llu entries, %llu are there",
                       import->path, (unsigned long long)count, (unsigned long long)import->result->lines);
    return 0;
}

const struct import_format import_encase = {.name = "EnCase hash set",
                                            .algorithms = 1,
                                            .is = encase_is,
                                            .state_size = sizeof(struct encase),
                                            .data = encase_data,
                                            .end = encase_end};
