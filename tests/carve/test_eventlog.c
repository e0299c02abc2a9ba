/* Event logs: chunks with checksums (EVTX), and a ring of records (EVT). */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 64 * 1024 };

static uint8_t file[4096 + 18 * CHUNK];
static size_t size;

static void put_le32(size_t at, uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        file[at + i] = (uint8_t)(n >> 8 * i);
}

static uint32_t crc(size_t at, size_t count)
{
    return (uint32_t)crc32(0, file + at, (uInt)count);
}

static void put_chunk(size_t at, size_t used)
{
    memcpy(file + at, "ElfChnk", 8);
    put_le32(at + 40, 128);
    put_le32(at + 44, 512);
    put_le32(at + 48, (uint32_t)used);
    for (size_t i = 512; i < used; i++)
        file[at + i] = (uint8_t)(i * 31 + i / 256);
    put_le32(at + 52, crc(at + 512, used - 512));
    put_le32(at + 124, (uint32_t)crc32(crc32(0, file + at, 120), file + at + 128, 384));
}

static void make_evtx(unsigned chunks, unsigned said, uint8_t flags)
{
    memset(file, 0, sizeof file);
    memcpy(file, "ElfFile", 8);
    put_le32(32, 128);
    put_le32(36, 3 << 16 | 1);
    put_le32(40, said << 16 | 4096);
    file[120] = flags;
    put_le32(124, crc(0, 120));
    for (unsigned i = 0; i < chunks; i++)
        put_chunk(4096 + i * (size_t)CHUNK, 5000 + i);
    size = 4096 + chunks * (size_t)CHUNK;
}

Test(eventlog, evtx_whole_is_validated_and_a_prefix_never_is)
{
    make_evtx(1, 1, 0);
    cr_assert(harness_holds("evtx", file, size, CARVE_VALIDATED, size));
}

Test(eventlog, evtx_unused_chunks_belong_to_it)
{
    make_evtx(3, 3, 0);
    size = 4096 + 17 * CHUNK;
    cr_assert_eq(harness_examine("evtx", file, sizeof file).size, size);
    file[size - 1] = 1;
    cr_assert_eq(harness_examine("evtx", file, sizeof file).size, 4096 + 3 * CHUNK);
}

Test(eventlog, evtx_one_that_was_not_closed_has_more_chunks_than_it_says)
{
    make_evtx(3, 1, 1);
    cr_assert_eq(harness_examine("evtx", file, size).size, size);
    make_evtx(3, 1, 0);
    cr_assert_eq(harness_examine("evtx", file, size).size, 4096 + CHUNK);
}

Test(eventlog, evtx_a_flipped_bit_is_found_where_a_checksum_covers_it)
{
    struct carved carved;

    make_evtx(3, 3, 0);
    file[4096 + 2 * CHUNK + 700] ^= 4;
    carved = harness_examine("evtx", file, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 4096 + 2 * CHUNK);
    make_evtx(1, 1, 0);
    file[24] ^= 1;
    cr_assert_eq(harness_examine("evtx", file, size).grade, CARVE_NONE);
}

static size_t put_record(size_t at, uint32_t length)
{
    put_le32(at, length);
    memcpy(file + at + 4, "LfLe", 4);
    memset(file + at + 8, 'r', length - 12);
    put_le32(at + length - 4, length);
    return at + length;
}

static size_t put_end(size_t at, size_t oldest)
{
    put_le32(at, 40);
    for (uint32_t i = 1; i < 5; i++)
        put_le32(at + 4 * i, 0x11111111 * i);
    put_le32(at + 20, (uint32_t)oldest);
    put_le32(at + 24, (uint32_t)at);
    put_le32(at + 36, 40);
    return at + 40;
}

static void begin_evt(void)
{
    memset(file, 0, sizeof file);
    put_le32(0, 48);
    memcpy(file + 4, "LfLe", 4);
    put_le32(8, 1);
    put_le32(12, 1);
    put_le32(32, CHUNK);
    put_le32(44, 48);
    size = CHUNK;
}

/* Records all round: the last begins before the file's end and goes on behind its header. */
static void make_ring(void)
{
    size_t at = 48 + 40; /* what is left of the one that goes round */

    begin_evt();
    while (at < 30000)
        at = put_record(at, 100);
    at = put_end(at, 30500);
    memset(file + at, 'o', 30500 - at);
    for (at = 30500; at + 120 <= CHUNK - 60;)
        at = put_record(at, 120);
    put_le32(at, (uint32_t)(CHUNK - at + 40));
    memcpy(file + at + 4, "LfLe", 4);
    memcpy(file + 48 + 36, file + at, 4);
}

Test(eventlog, evt_whole_ring_is_validated_and_a_prefix_never_is)
{
    make_ring();
    cr_assert(harness_holds("evt", file, size, CARVE_VALIDATED, size));
}

Test(eventlog, evt_a_record_that_is_wrong_cuts_it)
{
    struct carved carved;

    make_ring();
    file[30500 + 3 * 120 + 116] ^= 1;
    carved = harness_examine("evt", file, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 30500 + 3 * 120);
}

Test(eventlog, evt_that_has_not_gone_round_ends_with_its_last_record)
{
    struct carved carved;
    size_t end;

    begin_evt();
    end = put_end(put_record(48, 200), 48);
    cr_assert_eq(harness_examine("evt", file, size).grade, CARVE_VALIDATED);
    cr_assert_eq(harness_examine("evt", file, size).size, CHUNK);
    file[CHUNK - 1] = 1;
    carved = harness_examine("evt", file, size);
    cr_assert_eq(carved.grade, CARVE_COMPLETE);
    cr_assert_eq(carved.size, end);
}
