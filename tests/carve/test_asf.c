/* Windows Media: objects and packets of one size. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

enum { PACKETS = 8, PACKET = 500 };

static size_t begin(const char *guid)
{
    put(guid, 16);
    put_le(0, 8);
    return made_size - 24;
}

static void end(size_t at)
{
    set_le32(at + 16, made_size - at);
}

/* The size that it says it has is `more` larger than it is. */
static void wma(size_t more)
{
    size_t header, at, size_at, i;

    made_size = 0;
    header = begin("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c");
    put_le(2, 4), put_be(0x0102, 2);
    at = begin("\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\0\xc0\x0c\x20\x53\x65");
    put_all(9, 16);
    size_at = made_size;
    put_le(0, 8), put_le(0, 8), put_le(PACKETS, 8), put_le(0, 24), put_le(2, 4);
    put_le(PACKET, 4), put_le(PACKET, 4), put_le(128000, 4);
    end(at);
    at = begin("\x33\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c");
    put_le(12, 2), put_le(0, 8);
    put("R\0i\0v\0e\0r\0\0\0", 12);
    end(at);
    end(header);
    at = begin("\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c");
    put_all(9, 16), put_le(PACKETS, 8), put_be(0x0101, 2);
    for (i = 0; i < PACKETS; i++) {
        put("\x82\0\0\x09\x5d", 5);
        put_noise(PACKET - 5);
    }
    end(at);
    set_le32(size_at, made_size + more);
}

Test(asf, as_long_as_it_says_is_validated_and_a_prefix_never_is)
{
    wma(0);
    cr_assert(harness_holds("asf", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("asf", made, made_size).title, "River");
    cr_assert_str_eq(harness_examine("asf", made, made_size).extension, "wma");
}

Test(asf, shorter_than_it_says_is_partial)
{
    wma(100);
    cr_assert_eq(harness_examine("asf", made, made_size).grade, CARVE_PARTIAL);
}

Test(asf, other_data_among_the_packets_ends_it_in_the_one_before)
{
    struct carved carved;

    wma(0);
    memset(made + made_size - 2 * PACKET - 100, 0x3c, 2 * PACKET + 100);
    carved = harness_examine("asf", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, made_size - 3 * PACKET + 3);
}
