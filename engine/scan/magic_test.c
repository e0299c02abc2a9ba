/* magic_test: see magic_test.h. How libmagic compares: file 5.44, src/softmagic.c, magiccheck() and
 * file_strncmp(). */
#include "engine/scan/magic_test.h"

#include <string.h>

enum { OPERATION = 0x47 }; /* of mask_operation: which one (0: and), and whether the result is inverted */

static bool is_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static bool is_white(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void of_string(const struct magic_entry *entry, struct magic_test *test)
{
    for (size_t i = 0; i < entry->value_size; i++) {
        uint8_t byte = entry->value[i];

        if ((entry->string_flags & MAGIC_WHITE) && is_white(byte))
            break;
        test->mask[i] = (entry->string_flags & MAGIC_CASELESS) && is_letter(byte) ? 0xdf : 0xff;
        test->value[i] = byte & test->mask[i];
        test->size++;
    }
}

static void of_number(const struct magic_entry *entry, struct magic_test *test)
{
    bool big;
    size_t size = magic_entry_number_size(entry, &big);
    uint64_t mask = entry->mask != 0 ? entry->mask : UINT64_MAX;

    for (size_t i = 0; i < size; i++) {
        unsigned shift = (unsigned)(big ? size - 1 - i : i) * 8;

        test->mask[i] = (uint8_t)(mask >> shift);
        test->value[i] = (uint8_t)(entry->number >> shift) & test->mask[i];
    }
    test->size = (uint8_t)size;
}

bool magic_test_of(const struct magic_entry *entry, struct magic_test *ret_test)
{
    struct magic_test test = {.offset = (uint32_t)entry->offset};

    if (entry->relation != '=' || entry->offset < 0 || (entry->flag & MAGIC_ELSEWHERE))
        return false;
    if (entry->type == MAGIC_STRING || (entry->type == MAGIC_SEARCH && entry->range > 0))
        of_string(entry, &test);
    else if ((entry->mask_operation & OPERATION) == 0)
        of_number(entry, &test);
    /* A plain search may begin one byte later than its range says, for it is told how far to read. */
    if (entry->type == MAGIC_SEARCH)
        test.range = entry->range;
    if (test.size == 0)
        return false;
    *ret_test = test;
    return true;
}

static bool stands_at(const struct magic_test *test, const uint8_t *at)
{
    for (size_t i = 0; i < test->size; i++)
        if ((at[i] & test->mask[i]) != test->value[i])
            return false;
    return true;
}

bool magic_test_stands(const struct magic_test *test, const uint8_t *data, size_t size)
{
    if (test->offset > size || test->size > size - test->offset)
        return false;
    size_t last = size - test->size, begin = test->offset;

    if (test->range < last - begin)
        last = begin + test->range;
    for (size_t at = begin; at <= last; at++) {
        if (test->mask[0] == 0xff) {
            const uint8_t *next = memchr(data + at, test->value[0], last - at + 1);

            if (next == NULL)
                return false;
            at = (size_t)(next - data);
        }
        if (stands_at(test, data + at))
            return true;
    }
    return false;
}
