/* Thumbnail caches of Vista, 7 and 10 are followed from entry to entry. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf cache;

static void entry(uint32_t version, uint32_t size, const char *data, uint32_t data_size)
{
    size_t start = cache.size;

    buf_append(&cache, "CMMM", 4);
    buf_u32le(&cache, size);
    buf_u64le(&cache, 0x1122334455667788);
    if (version == 20)
        buf_append(&cache, "j\0p\0g\0\0\0", 8);
    buf_u32le(&cache, data_size > 0 ? 8 : 0);
    buf_u32le(&cache, data_size > 0 ? 2 : 0);
    buf_u32le(&cache, data_size);
    while (cache.size < start + (version == 21 ? 48 : 56))
        buf_u8(&cache, 0);
    if (data_size > 0)
        buf_append(&cache, "a\0b\0c\0d\0\0", 10);
    buf_append(&cache, data, data_size);
    while (cache.size < start + size)
        buf_u8(&cache, 0);
}

static void make(uint32_t version)
{
    buf_clear(&cache);
    buf_append(&cache, "CMMM", 4);
    buf_u32le(&cache, version);
    buf_u32le(&cache, 2);
    buf_u32le(&cache, 24);
    buf_u32le(&cache, 24 + 200);
    buf_u32le(&cache, 2);
    entry(version, 100, "BM345678", 8);
    entry(version, 100, "\xff\xd8\xff\xe0....", 8);
    entry(version, 1000, "", 0); /* free room */
}

Test(thumbcache, ends_with_its_last_entry_and_shows_its_pictures)
{
    static const uint32_t versions[] = {20, 21, 32};

    for (size_t i = 0; i < 3; i++) {
        struct carved carved;

        make(versions[i]);
        cr_assert(harness_holds("thumbcache", cache.data, cache.size, CARVE_COMPLETE, cache.size));
        carved = harness_examine("thumbcache", cache.data, cache.size);
        cr_assert_eq(carved.part_count, 2);
        cr_assert_str_eq(carved.parts[1].extension, "jpg");
        cr_assert(memcmp(cache.data + carved.parts[1].offset, "\xff\xd8", 2) == 0);
    }
}

Test(thumbcache, sizes_that_do_not_fit_end_it)
{
    make(32);
    cache.data[24 + 100 + 24] = 90;
    cr_assert_eq(harness_examine("thumbcache", cache.data, cache.size).size, 24 + 100);
}

Test(thumbcache, windows_7_may_end_with_an_entry_of_its_48_bytes)
{
    make(21);
    cache.size = 24 + 200;
    entry(21, 48, "", 0);
    cr_assert_eq(harness_examine("thumbcache", cache.data, cache.size).grade, CARVE_COMPLETE);
    cr_assert_eq(harness_examine("thumbcache", cache.data, cache.size).size, 24 + 200 + 48);
}
