/* magic_entry: see magic_entry.h. Numbers are this machine's: a file of another order is not taken
 * (magic_sieve). */
#include "engine/scan/magic_entry.h"

#include "engine/base/bytes.h"

enum { DESCRIPTION_AT = 160, MEDIA_TYPE_AT = 224 };

void magic_entry_read(const uint8_t *at, struct magic_entry *ret_entry)
{
    struct bytes bytes;

    bytes_init(&bytes, at, MAGIC_ENTRY_SIZE);
    ret_entry->level = bytes_u16le(&bytes);
    ret_entry->flag = bytes_u8(&bytes);
    bytes_skip(&bytes, 1);
    ret_entry->relation = bytes_u8(&bytes);
    ret_entry->value_size = bytes_u8(&bytes);
    ret_entry->type = bytes_u8(&bytes);
    bytes_skip(&bytes, 2);
    ret_entry->mask_operation = bytes_u8(&bytes);
    bytes_skip(&bytes, 2);
    ret_entry->offset = (int32_t)bytes_u32le(&bytes);
    bytes_skip(&bytes, 8);
    ret_entry->mask = bytes_u64le(&bytes);
    ret_entry->range = (uint32_t)ret_entry->mask;
    ret_entry->string_flags = (uint32_t)(ret_entry->mask >> 32);
    ret_entry->number = bytes_u64le(&bytes);
    ret_entry->value = at + bytes.offset - sizeof ret_entry->number;
    ret_entry->says = at[DESCRIPTION_AT] != 0 || at[MEDIA_TYPE_AT] != 0;
    if (ret_entry->value_size > MAGIC_VALUE_MAX)
        ret_entry->value_size = MAGIC_VALUE_MAX;
}

size_t magic_entry_number_size(const struct magic_entry *entry, bool *ret_big)
{
    *ret_big = entry->type == MAGIC_BESHORT || entry->type == MAGIC_BELONG || entry->type == MAGIC_BEQUAD;
    switch (entry->type) {
    case MAGIC_BYTE:
        return 1;
    case MAGIC_SHORT:
    case MAGIC_LESHORT:
    case MAGIC_BESHORT:
        return 2;
    case MAGIC_LONG:
    case MAGIC_LELONG:
    case MAGIC_BELONG:
        return 4;
    case MAGIC_QUAD:
    case MAGIC_LEQUAD:
    case MAGIC_BEQUAD:
        return 8;
    default:
        return 0;
    }
}
