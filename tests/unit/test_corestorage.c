/* test_corestorage: whatever a header of CoreStorage says, it is refused or read within what is there. */
#include "engine/evidence/layer/layer_filevault.h"

#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { SIZE = 1 << 20, BLOCK = 4096, METADATA = 65536, DESCRIPTOR = 8192 };

struct volume {
    uint8_t data[SIZE];
};
static struct volume volume;

static int volume_read(void *context, uint64_t offset, void *data, size_t size)
{
    memcpy(data, (const uint8_t *)context + offset, size);
    return 0;
}

static void put(size_t at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        volume.data[at + i] = (uint8_t)(number >> (8 * i));
}

static void put_text(size_t at, const char *text)
{
    memcpy(volume.data + at, text, strlen(text));
}

/* A group of one disk, of which all four copies of the metadata lie in block 1, the encrypted ones in
 * block 32. */
static void make(void)
{
    memset(&volume, 0, sizeof volume);
    put(4, 0x00100001ffffffff, 8);
    put_text(88, "CS\1");
    put(48, 512, 4);
    put(96, BLOCK, 4);
    put(100, METADATA, 4);
    for (size_t i = 0; i < 4; i++)
        put(104 + 8 * i, 1, 8);
    put(172, 2, 4);
    put_text(304, "physical volume.");
    put(BLOCK + 10, 0x11, 2);
    put(BLOCK + 64, METADATA, 4);
    put(BLOCK + 64 + 156, DESCRIPTOR, 4);
    put(BLOCK + 64 + 160, DESCRIPTOR + 48, 4);
    put(BLOCK + DESCRIPTOR + 8, 16, 8);
    put(BLOCK + DESCRIPTOR + 32, 32, 8);
    put_text(
        BLOCK + DESCRIPTOR + 48,
        "<dict><key>com.apple.corestorage.lvg.physicalVolumes</key><array><string>A</string></array></dict>");
}

static int open_it(struct corestorage *storage)
{
    const struct reader reader = {volume_read, &volume, SIZE};
    struct why why = {{0}};
    int code = corestorage_read(&reader, storage, &why);

    cr_expect(code == 0 || (why.text[0] != '\0' && text_is_escaped(why.text)), "%d %s", code, why.text);
    if (code == 0)
        corestorage_finish(storage);
    return code;
}

Test(corestorage, a_group_without_a_volume_is_told_as_that)
{
    struct corestorage storage;

    make();
    cr_expect(corestorage_is(volume.data, 512));
    cr_expect_not(corestorage_is(volume.data, 511));
    cr_assert_eq(open_it(&storage), 0);
    cr_expect_eq(storage.disks, 1);
    cr_expect_eq(storage.volumes, 0);
    cr_expect_str_eq(storage.uuid, "70687973-6963-616C-2076-6F6C756D652E");
}

Test(corestorage, several_disks_are_told_by_their_list_and_by_where_metadata_lie)
{
    struct corestorage storage;

    make();
    put_text(BLOCK + DESCRIPTOR + 48 + 80, "</string><string>B</string></array>");
    cr_assert_eq(open_it(&storage), 0);
    cr_expect_eq(storage.disks, 2);
    make();
    put(BLOCK + DESCRIPTOR + 38, 1, 2);
    cr_assert_eq(open_it(&storage), 0);
    cr_expect_eq(storage.disks, 2);
}

Test(corestorage, numbers_that_reach_past_what_is_there_are_refused)
{
    static const struct {
        size_t at, size;
        uint64_t number;
    } wrong[] = {
        {48, 4, 4096},
        {96, 4, 0},
        {96, 4, UINT32_MAX},
        {100, 4, 0},
        {100, 4, 8192},
        {100, 4, UINT32_MAX},
        {104, 8, UINT64_MAX},
        {128, 8, 1 << 20},
        {172, 4, 1},
        {BLOCK + 64, 4, METADATA + 1},
        {BLOCK + 64 + 156, 4, METADATA - 20},
        {BLOCK + 64 + 156, 4, UINT32_MAX},
        {BLOCK + 64 + 160, 4, METADATA},
        {BLOCK + DESCRIPTOR + 8, 8, 0},
        {BLOCK + DESCRIPTOR + 8, 8, 15}, /* half a unit: libfvde would run past its end */
        {BLOCK + DESCRIPTOR + 8, 8, UINT64_MAX},
        {BLOCK + DESCRIPTOR + 32, 6, 1 << 20},
    };
    struct corestorage storage;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make();
        put(wrong[i].at, wrong[i].number, wrong[i].size);
        cr_expect_lt(open_it(&storage), 0, "%zu", i);
    }
}
