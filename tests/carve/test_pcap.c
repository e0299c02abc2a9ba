/* Captures are followed from record to record; checksums inside of the packets say more. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf capture;

static void number(uint32_t n, size_t size, bool big)
{
    for (size_t i = 0; i < size; i++)
        buf_u8(&capture, (uint8_t)(n >> 8 * (big ? size - 1 - i : i)));
}

static uint16_t checksum(const uint8_t *p, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* A UDP datagram of 20 bytes over IPv4 over Ethernet: 62 bytes. */
static void record(uint32_t seconds, bool big)
{
    uint8_t frame[62] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 48};
    uint16_t sum;

    memcpy(frame + 14 + 8, "\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2", 12);
    memcpy(frame + 34, "\x10\x00\x00\x35\x00\x1c\0\0", 8);
    for (size_t i = 42; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i * seconds);
    sum = checksum(frame + 14, 20, 0);
    frame[24] = (uint8_t)(sum >> 8);
    frame[25] = (uint8_t)sum;
    sum = checksum(frame + 34, 28, 0x0a00 + 1 + 0x0a00 + 2 + 17 + 28);
    frame[40] = (uint8_t)(sum >> 8);
    frame[41] = (uint8_t)sum;
    number(seconds, 4, big);
    number(999999, 4, big);
    number(sizeof frame, 4, big);
    number(sizeof frame, 4, big);
    buf_append(&capture, frame, sizeof frame);
}

static void make(uint32_t magic, bool big)
{
    buf_clear(&capture);
    number(magic, 4, big);
    number(2, 2, big);
    number(4, 2, big);
    number(0, 4, big);
    number(0, 4, big);
    number(65535, 4, big);
    number(1, 4, big);
    for (uint32_t i = 0; i < 5; i++)
        record(1700000000 + i * 3, big);
}

Test(pcap, of_both_orders_and_units_ends_with_its_last_packet)
{
    for (int kind = 0; kind < 4; kind++) {
        make(kind & 1 ? 0xa1b23c4d : 0xa1b2c3d4, (kind & 2) != 0);
        cr_assert(harness_holds("pcap", capture.data, capture.size, CARVE_VALIDATED, 24 + 78));
    }
}

Test(pcap, whose_last_packet_is_not_as_it_was_sent_is_complete)
{
    make(0xa1b2c3d4, false);
    capture.data[capture.size - 1] ^= 1;
    cr_assert_eq(harness_examine("pcap", capture.data, capture.size).grade, CARVE_COMPLETE);
    cr_assert_eq(harness_examine("pcap", capture.data, capture.size - 2).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("pcap", capture.data, capture.size - 2).good, 24 + 4 * 78);
}

Test(pcap, ends_before_a_record_that_is_none)
{
    make(0xa1b2c3d4, false);
    capture.data[24 + 2 * 78 + 10] = 5; /* longer than any packet */
    cr_assert_eq(harness_examine("pcap", capture.data, capture.size).size, 24 + 2 * 78);
}
