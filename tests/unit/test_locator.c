/*
 * test_locator: a locator has one spelling, and nothing else is taken for one.
 */
#include "engine/evidence/locator.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* Valid until the next call. */
static const char *printed(const struct locator *locator)
{
    static struct buf buf;

    buf_clear(&buf);
    locator_print(&buf, locator);
    return buf_cstr(&buf);
}

static struct locator parsed(const char *text)
{
    struct locator locator;

    cr_assert_eq(locator_parse(text, &locator), 0, "%s", text);
    return locator;
}

static void assert_refused(const char *text)
{
    struct locator locator = {.inode = 77};

    cr_assert_eq(locator_parse(text, &locator), -EINVAL, "'%s' was taken", text);
    cr_assert_eq(locator.inode, 77, "'%s' left something behind", text);
}

Test(locator, what_is_parsed_prints_the_same)
{
    static const char *const all[] = {
        "volumes",
        "folder",
        "file",
        "image",
        "raw@0+1",
        "raw@18446744073709551614+1",
        "runs@0+1",
        "runs@4096+512,0+18446744073709551",
        "free@1048576:hfs+/0+67108864",
        "free@20480/107/4096+1",
        "fs@0:ntfs",
        "fs@1048576:hfs+",
        "fs@1048576:ext4/12-1-0",
        "fs@0:ntfs/18446744073709551615-4294967295-65535",
        "apfs@20480/107",
        "apfs@20480/107/16-4352-0",
        "folder/61",
        "folder/612f62ff",
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct locator locator = parsed(all[i]);
        cr_assert_str_eq(printed(&locator), all[i]);
    }
}

Test(locator, the_parts_are_where_they_belong)
{
    struct locator content = parsed("fs@512:fat12/5-128-3");
    struct locator volume = parsed("apfs@4096/89");
    struct locator raw = parsed("raw@10+20");
    struct locator file = parsed("folder/2f");

    cr_assert_eq(content.kind, LOCATOR_FS_CONTENT);
    cr_assert_eq(content.offset, 512);
    cr_assert_str_eq(content.type, "fat12");
    cr_assert_eq(content.inode, 5);
    cr_assert_eq(content.attribute_type, 128);
    cr_assert_eq(content.attribute_id, 3);
    cr_assert_eq(volume.kind, LOCATOR_APFS);
    cr_assert_eq(volume.block, 89);
    cr_assert_str_eq(volume.type, "apfs");
    cr_assert_eq(raw.kind, LOCATOR_RAW);
    cr_assert_eq(raw.offset, 10);
    cr_assert_eq(raw.size, 20);
    cr_assert_eq(file.kind, LOCATOR_FOLDER_CONTENT);
    cr_assert_str_eq(file.path, "2f");
}

Test(locator, other_spellings_are_refused)
{
    static const char *const all[] = {
        "",
        "Volumes",
        "volumes ",
        " volumes",
        "volumes/",
        "images",
        "raw@",
        "raw@0",
        "raw@0+",
        "raw@+1",
        "raw@00+1",
        "raw@0x10+1",
        "raw@-1+1",
        "raw@0+01",
        "raw@0+1 ",
        "raw@0 +1",
        "raw@0+1+1",
        "fs@0",
        "fs@0:",
        "fs@0:NTFS",
        "fs@0:nt fs",
        "fs@0:ntfs/",
        "fs@0:ntfs/5",
        "fs@0:ntfs/5-128",
        "fs@:ntfs",
        "fs@0:ntfs/5-128-",
        "fs@0:ntfs/5-128-1-1",
        "fs@0:ntfs/-5-128-1",
        "fs@0:ntfs//5-1-0",
        "apfs@0",
        "apfs@0/",
        "apfs@0/1/",
        "apfs@0:apfs",
        "apfs@0/1/2-3",
        "folder/",
        "folder/6",
        "folder/6G",
        "folder/AB",
        "folder/61/62",
        "folder/61 ",
        "file/61",
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_refused(all[i]);
}

Test(locator, numbers_past_their_width_are_refused)
{
    assert_refused("raw@18446744073709551616+1");
    assert_refused("raw@99999999999999999999999999+1");
    assert_refused("fs@0:ntfs/0-4294967296-0");
    assert_refused("fs@0:ntfs/0-0-65536");
    assert_refused("fs@0:twelveletter");
    cr_assert_eq(strlen(parsed("fs@0:elevenabcde").type), 11);
}

Test(locator, a_range_is_never_empty_nor_past_the_last_number)
{
    assert_refused("raw@0+0");
    assert_refused("raw@18446744073709551615+1");
    assert_refused("raw@2+18446744073709551614");
}

Test(locator, runs_and_free_space_have_one_spelling_too)
{
    static const char *const all[] = {
        "runs@",
        "runs@0+0",
        "runs@0+1,",
        "runs@,0+1",
        "runs@0+1,0",
        "free@0:ntfs",
        "free@0:ntfs/0+0",
        "free@0:ntfs/0",
        "free@0:apfs/0+1",
        "free@0/0+1",
        "free@/1/0+1",
        "free@0:ntfs/00+1",
        "free@0:ntfs/0+1,2+3",
        "runs@1+18446744073709551615",
        "runs@0+9223372036854775808,0+9223372036854775808",
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_refused(all[i]);
}

Test(locator, runs_are_given_one_by_one_and_bounded)
{
    struct locator locator = parsed("runs@4096+512,0+7");
    const char *at = locator.path;
    uint64_t offset, size;
    struct buf many = {0};

    cr_assert_eq(locator.size, 519);
    cr_assert(locator_next_run(&at, &offset, &size) && offset == 4096 && size == 512);
    cr_assert(locator_next_run(&at, &offset, &size) && offset == 0 && size == 7);
    cr_assert_not(locator_next_run(&at, &offset, &size));
    buf_text(&many, "runs@0+1");
    for (int i = 1; i < LOCATOR_RUNS_MAX; i++)
        buf_text(&many, ",0+1");
    cr_assert_eq(parsed(buf_cstr(&many)).size, LOCATOR_RUNS_MAX);
    buf_text(&many, ",0+1");
    assert_refused(buf_cstr(&many));
    buf_finish(&many);
}

Test(locator, free_space_names_its_file_system_and_its_place)
{
    struct locator locator = parsed("free@1048576:ntfs/67108864+512");

    cr_assert_eq(locator.kind, LOCATOR_FREE);
    cr_assert_eq(locator.offset, 1048576);
    cr_assert_str_eq(locator.type, "ntfs");
    cr_assert_eq(locator.start, 67108864);
    cr_assert_eq(locator.size, 512);
    cr_assert_eq(parsed("free@0/9/1+2").block, 9);
    cr_assert_str_eq(parsed("free@0/9/1+2").type, "apfs");
}
