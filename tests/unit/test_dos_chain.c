/* dos_chain: a chain of extended partitions that ends is sound, and one that does not is told. */
#include "engine/evidence/dos_chain.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SECTORS = 64, SECTOR = 512 };
static uint8_t disk[SECTORS * SECTOR];

static void read_disk(void *context, uint64_t offset, void *data, size_t size)
{
    (void)context;
    memcpy(data, disk + offset, size);
}

static void entry(size_t sector, size_t index, uint8_t type, uint8_t first)
{
    uint8_t *at = disk + sector * SECTOR + 446 + index * 16;
    at[4] = type;
    at[8] = first;
    disk[sector * SECTOR + 510] = 0x55;
    disk[sector * SECTOR + 511] = 0xaa;
}

static bool broken(uint64_t *ret_sector)
{
    const char *what;
    return dos_chain_is_broken(sizeof disk, SECTOR, read_disk, NULL, ret_sector, &what);
}

Test(dos_chain, a_table_without_extended_partitions_is_sound)
{
    uint64_t sector;
    entry(0, 0, 0x83, 1);
    cr_assert_not(broken(&sector));
}

Test(dos_chain, a_chain_that_ends_is_sound)
{
    uint64_t sector;
    entry(0, 1, 0x05, 8);
    entry(8, 0, 0x83, 1);
    entry(8, 1, 0x05, 8);
    entry(16, 0, 0x83, 1);
    cr_assert_not(broken(&sector));
}

Test(dos_chain, a_chain_that_comes_back_to_its_first_record_is_told)
{
    uint64_t sector;
    entry(0, 1, 0x05, 8);
    entry(8, 1, 0x05, 8);
    entry(16, 1, 0x05, 0);
    cr_assert(broken(&sector));
    cr_assert_eq(sector, 8);
}

Test(dos_chain, a_chain_that_comes_back_to_itself_is_told)
{
    uint64_t sector;
    entry(0, 1, 0x05, 8);
    entry(8, 1, 0x05, 8);
    entry(16, 1, 0x05, 8);
    cr_assert(broken(&sector));
    cr_assert_eq(sector, 16);
}

Test(dos_chain, a_chain_that_leads_out_of_the_medium_or_to_no_table_is_told)
{
    uint64_t sector;
    entry(0, 1, 0x05, 200);
    cr_assert(broken(&sector));
    cr_assert_eq(sector, 200);
    entry(0, 1, 0x05, 20);
    cr_assert(broken(&sector));
    cr_assert_eq(sector, 20);
}
