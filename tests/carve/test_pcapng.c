/* pcapng is followed from block to block, each of which has its length twice. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf capture;
static bool big;

static void number(uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        buf_u8(&capture, (uint8_t)(n >> 8 * (big ? 3 - i : i)));
}

static void block(uint32_t type, const uint32_t *words, size_t count)
{
    number(type);
    number(12 + (uint32_t)count * 4);
    for (size_t i = 0; i < count; i++)
        number(words[i]);
    number(12 + (uint32_t)count * 4);
}

/* A section, an interface, two packets of 7 bytes, the second with a comment. */
static void make(void)
{
    const uint32_t option = big ? 1u << 16 | 4 : 4u << 16 | 1;

    block(0x0a0d0d0a, (const uint32_t[]){0x1a2b3c4d, big ? 0x00010000 : 1, UINT32_MAX, UINT32_MAX}, 4);
    block(1, (const uint32_t[]){1, 65535}, 2);
    block(6, (const uint32_t[]){0, 1, 2, 7, 7, 0x01020304, 0x05060700}, 7);
    block(6, (const uint32_t[]){0, 1, 3, 7, 7, 0x01020304, 0x05060700, option, 0x61626364, 0}, 10);
}

Test(pcapng, of_both_orders_ends_with_its_last_block)
{
    for (int i = 0; i < 2; i++) {
        big = i == 1;
        buf_clear(&capture);
        make();
        cr_assert(harness_holds("pcapng", capture.data, capture.size, CARVE_VALIDATED, 28));
    }
}

Test(pcapng, a_packet_of_no_interface_is_not_validated)
{
    make();
    capture.data[28 + 20 + 8] = 1;
    cr_assert_eq(harness_examine("pcapng", capture.data, capture.size).grade, CARVE_COMPLETE);
}

Test(pcapng, a_block_without_its_second_length_is_where_it_breaks)
{
    make();
    capture.data[28 + 20 + 40 - 2] = 9;
    cr_assert_eq(harness_examine("pcapng", capture.data, capture.size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("pcapng", capture.data, capture.size).good, 48);
}
