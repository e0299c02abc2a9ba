/*
 * dos_chain: the master boot record and the extended boot records behind it: four 16-byte entries at offset
 * 446, type in byte 4, first sector (relative) in bytes 8 to 11, 0x55AA at 510. A link to the next record is
 * relative to the first extended partition [Carrier, File System Forensic Analysis, chapter 5].
 */
#include "engine/evidence/dos_chain.h"

#include "engine/base/bytes.h"

enum { TABLE_AT = 446, ENTRY_SIZE = 16, ENTRIES = 4, RECORD_SIZE = 512, CHAIN_MAX = 1024 };

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

/* The relative first sector of the record's extended entry; 0 when it has none. False when it is no table. */
static bool next_link(const uint8_t record[RECORD_SIZE], uint32_t *ret_link)
{
    struct bytes bytes;
    bytes_init(&bytes, record, RECORD_SIZE);
    bytes_seek(&bytes, RECORD_SIZE - 2);
    if (bytes_u16le(&bytes) != 0xaa55)
        return false;
    *ret_link = 0;
    for (size_t i = 0; i < ENTRIES && *ret_link == 0; i++) {
        bytes_seek(&bytes, TABLE_AT + i * ENTRY_SIZE + 4);
        uint8_t type = bytes_u8(&bytes);
        bytes_skip(&bytes, 3);
        uint32_t first = bytes_u32le(&bytes);
        if (is_extended(type))
            *ret_link = first;
    }
    return true;
}

static bool seen_before(const uint64_t *seen, size_t count, uint64_t sector)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i] == sector)
            return true;
    return false;
}

bool dos_chain_is_broken(uint64_t size, uint32_t sector_size, signature_read *read, void *context,
                         uint64_t *ret_sector, const char **ret_what)
{
    uint8_t record[RECORD_SIZE];
    uint64_t seen[CHAIN_MAX], sector = 0, base = 0;
    uint32_t link;
    for (size_t count = 0; count < CHAIN_MAX; count++) {
        *ret_sector = sector;
        *ret_what = "it leads out of the medium";
        if (!u64_range_fits(u64_mul_saturating(sector, sector_size), RECORD_SIZE, size))
            return true;
        *ret_what = "it comes back to where it was before";
        if (seen_before(seen, count, sector))
            return true;
        seen[count] = sector;
        read(context, sector * sector_size, record, sizeof record);
        *ret_what = "it leads to a sector that holds no partition table";
        if (!next_link(record, &link))
            return sector != 0;
        if (link == 0 && sector == 0)
            return false;
        if (link == 0 && base != 0) { /* a last record has no link; one that points to the first partition
                                         itself has 0 as well */
            bool to_first = false;
            for (size_t i = 0; i < ENTRIES; i++)
                to_first = to_first || is_extended(record[TABLE_AT + i * ENTRY_SIZE + 4]);
            *ret_what = "it comes back to where it was before";
            *ret_sector = base;
            return to_first;
        }
        base = base ? base : link;
        sector = sector == 0 ? link : base + link;
    }
    *ret_what = "it has more than 1024 links";
    return true;
}
