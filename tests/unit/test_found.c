/* found: what is written is read; what was not written so is refused. */
#include "engine/evidence/found.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct found_run room[FOUND_RUNS_MAX];

static struct found_entry sample_entry(void)
{
    static const struct found_run runs[] = {{4096, 512}, {UINT64_MAX, 1024}};
    return (struct found_entry){
        .volume = "p2",
        .path = "disk.E01/p2/ntfs/\\x1b[0m/ა.txt:zone",
        .name = "\x1b\0x",
        .name_size = 3,
        .type = ENTRY_FILE,
        .flags = ENTRY_NAME_DELETED | ENTRY_NO_METADATA,
        .inode = 5,
        .sequence = 6,
        .parent_inode = 7,
        .size = UINT64_MAX,
        .allocated_size = 9,
        .mode = 0644,
        .uid = 1,
        .gid = 2,
        .links = 3,
        .modified = -1,
        .accessed = INT64_MIN,
        .changed = 3,
        .born = 4,
        .deleted = 5,
        .name_modified = 6,
        .name_accessed = 7,
        .name_changed = 8,
        .name_born = 9,
        .raw_times = "m=0xffffffff/3",
        .target = "../x",
        .attribute = "128-1",
        .locator = "fs@0:ntfs/5-128-1",
        .kind = STREAM_ADS,
        .disk = 4096,
        .runs = runs,
        .run_count = 2,
        .runs_cut = true,
    };
}

static struct found_volume sample_volume(void)
{
    return (struct found_volume){
        .key = "p2",
        .parent = "",
        .table = "gpt",
        .type = "Linux filesystem (0x83)",
        .label = "data",
        .offset = 1,
        .size = UINT64_MAX,
        .filesystem = "ext4",
        .content = "",
        .block_size = 4096,
        .block_count = 7,
        .fs_size = 8,
        .serial = "ab",
        .time_note = "UTC",
        .expand = "fs@1:ext4",
        .root = "image/p2",
        .raw = "",
        .use = VOLUME_GAP,
    };
}

static struct found_fault sample_fault(void)
{
    return (struct found_fault){.kind = FAULT_DENIED,
                                .volume = "",
                                .path = "a/b",
                                .stage = "walk",
                                .plugin = "",
                                .offset = UINT64_MAX,
                                .size = 3,
                                .effect = "not listed",
                                .detail = "permission"};
}

/* Reads it from memory of exactly its size, so that a sanitizer sees a step too far. */
static int read_entry(const struct buf *buf, size_t size, struct found_entry *ret_entry)
{
    static uint8_t *copy;
    struct bytes bytes;
    free(copy);
    copy = malloc(size + 1);
    memcpy(copy, buf->data, size);
    bytes_init(&bytes, copy, size);
    return found_entry_read(&bytes, ret_entry, room);
}

static int pass_entry(const struct found_entry *entry, struct found_entry *ret_entry)
{
    static struct buf buf;
    buf_clear(&buf);
    found_entry_write(&buf, entry);
    cr_assert_not(buf_failed(&buf));
    return read_entry(&buf, buf.size, ret_entry);
}

Test(found, an_entry_arrives_as_it_was_sent)
{
    struct found_entry sent = sample_entry(), got;
    cr_assert_eq(pass_entry(&sent, &got), 0);
    cr_expect_str_eq(got.volume, sent.volume);
    cr_expect_str_eq(got.path, sent.path);
    cr_assert_eq(got.name_size, 3);
    cr_expect_eq(memcmp(got.name, sent.name, 3), 0);
    cr_expect_eq(got.type, sent.type);
    cr_expect_eq(got.flags, sent.flags);
    cr_expect_eq(got.size, sent.size);
    cr_expect_eq(got.accessed, sent.accessed);
    cr_expect_eq(got.name_born, 9);
    cr_expect_str_eq(got.raw_times, sent.raw_times);
    cr_expect_str_eq(got.target, sent.target);
    cr_expect_str_eq(got.attribute, sent.attribute);
    cr_expect_str_eq(got.locator, sent.locator);
    cr_expect_eq(got.kind, STREAM_ADS);
    cr_expect_eq(got.disk, 4096);
    cr_assert_eq(got.run_count, 2);
    cr_expect_eq(got.runs[1].offset, UINT64_MAX);
    cr_expect_eq(got.runs[1].size, 1024);
    cr_expect(got.runs_cut);
}

Test(found, volumes_and_faults_arrive_as_they_were_sent)
{
    struct buf buf = {0};
    struct bytes bytes;
    struct found_volume volume = sample_volume(), got_volume;
    found_volume_write(&buf, &volume);
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(found_volume_read(&bytes, &got_volume), 0);
    cr_expect_str_eq(got_volume.type, volume.type);
    cr_expect_eq(got_volume.size, UINT64_MAX);
    cr_expect_str_eq(got_volume.expand, volume.expand);
    cr_expect_str_eq(got_volume.root, volume.root);
    cr_expect_eq(got_volume.use, VOLUME_GAP);
    buf_clear(&buf);
    struct found_fault fault = sample_fault(), got_fault;
    found_fault_write(&buf, &fault);
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(found_fault_read(&bytes, &got_fault), 0);
    cr_expect_eq(got_fault.kind, FAULT_DENIED);
    cr_expect_str_eq(got_fault.path, "a/b");
    cr_expect_str_eq(got_fault.detail, "permission");
    buf_finish(&buf);
}

Test(found, every_cut_message_is_refused)
{
    struct buf buf = {0};
    struct found_entry entry = sample_entry(), got = {0};
    found_entry_write(&buf, &entry);
    for (size_t size = 0; size < buf.size; size++)
        cr_assert_eq(read_entry(&buf, size, &got), -EBADMSG, "%zu", size);
    cr_expect_null(got.path, "the output stays as it was");
    buf_finish(&buf);
}

Test(found, a_byte_after_the_end_is_refused)
{
    struct buf buf = {0};
    struct found_entry entry = sample_entry(), got;
    found_entry_write(&buf, &entry);
    buf_u8(&buf, 0);
    cr_expect_eq(read_entry(&buf, buf.size, &got), -EBADMSG);
    buf_finish(&buf);
}

Test(found, any_flipped_byte_reads_safely)
{
    struct buf buf = {0};
    struct found_entry entry = sample_entry(), got;
    found_entry_write(&buf, &entry);
    for (size_t i = 0; i < buf.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            buf.data[i] ^= (uint8_t)(1u << bit);
            (void)read_entry(&buf, buf.size, &got);
            buf.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    buf_finish(&buf);
}

Test(found, text_that_is_not_escaped_is_refused)
{
    static const char *const bad[] = {
        "a\nb",
        "\x1b[2J",
        "\x7f",
        "\xc2\x9b", /* C1 */
        "\xff",
        "\xc3",
        "\xc0\xaf",
        "\xed\xa0\x80", /* a surrogate */
        "\xe2\x80\xae",
        "\xe2\x80\x8b",
        "\xef\xbb\xbf", /* bidi, zero width, BOM */
        "\\",
        "\\n",
        "\\x1",
        "\\xZZ",
        "\\xAB",
        "\xef\xbf\xbf",
        "\xf4\x90\x80\x80",
    };
    struct found_entry entry = sample_entry(), got;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        entry.path = bad[i];
        cr_expect_eq(pass_entry(&entry, &got), -EBADMSG, "%zu", i);
    }
    entry.path = "\\\\ \\x1b ქართული 日本語 😀";
    cr_expect_eq(pass_entry(&entry, &got), 0);
}

Test(found, values_that_no_writer_has_are_refused)
{
    struct found_entry got, entry = sample_entry();
    entry.type = ENTRY_TYPES;
    cr_expect_eq(pass_entry(&entry, &got), -EBADMSG);
    entry = sample_entry();
    entry.flags = ENTRY_NO_METADATA << 1;
    cr_expect_eq(pass_entry(&entry, &got), -EBADMSG);
    entry = sample_entry();
    entry.kind = STREAM_KINDS;
    cr_expect_eq(pass_entry(&entry, &got), -EBADMSG);
    entry = sample_entry();
    entry.path = "";
    cr_expect_eq(pass_entry(&entry, &got), -EBADMSG);
    entry = sample_entry();
    entry.locator = "image ";
    cr_expect_eq(pass_entry(&entry, &got), -EBADMSG);
}

Test(found, an_address_that_is_too_long_fails_and_a_description_is_cut)
{
    static char text[FOUND_PATH_MAX + 1];
    memset(text, 'a', FOUND_PATH_MAX);
    struct buf buf = {0};
    struct found_entry got, entry = sample_entry();
    entry.path = text;
    found_entry_write(&buf, &entry);
    cr_expect(buf_failed(&buf));
    entry = sample_entry();
    for (size_t i = 0; i + 4 <= FOUND_PATH_MAX; i += 4)
        memcpy(text + i, "\\x1b", 4);
    entry.target = text;
    cr_assert_eq(pass_entry(&entry, &got), 0);
    cr_expect_eq(strlen(got.target), FOUND_TARGET_MAX - 4);
    buf_finish(&buf);
}

Test(found, more_runs_than_fit_are_cut_and_say_so)
{
    static struct found_run many[FOUND_RUNS_MAX + 5];
    struct found_entry got, entry = sample_entry();
    entry.runs = many;
    entry.run_count = FOUND_RUNS_MAX + 5;
    entry.runs_cut = false;
    cr_assert_eq(pass_entry(&entry, &got), 0);
    cr_expect_eq(got.run_count, FOUND_RUNS_MAX);
    cr_expect(got.runs_cut);
}

Test(found, every_kind_and_type_has_a_name)
{
    for (int i = 0; i < ENTRY_TYPES; i++)
        cr_expect_neq(entry_type_name((enum entry_type)i)[0], '\0');
    for (int i = 0; i < FAULT_KINDS; i++)
        cr_expect_neq(fault_kind_name((enum fault_kind)i)[0], '\0');
    cr_expect_str_eq(entry_type_name((enum entry_type)99), "unknown");
    cr_expect_str_eq(fault_kind_name((enum fault_kind)99), "unknown");
}

Test(found, an_account_passes_the_wire_and_nothing_else_is_taken_for_one)
{
    struct found_account got = {.bytes = 1}, account = {"p2.v1", ACCOUNT_SLACK, UINT64_C(1) << 40};
    struct buf buf = {0};
    struct bytes bytes;

    found_account_write(&buf, &account);
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(found_account_read(&bytes, &got), 0);
    cr_expect_str_eq(got.volume, "p2.v1");
    cr_expect_eq(got.kind, ACCOUNT_SLACK);
    cr_expect_eq(got.bytes, UINT64_C(1) << 40);
    for (size_t size = 0; size < buf.size; size++) {
        bytes_init(&bytes, buf.data, size);
        cr_expect_eq(found_account_read(&bytes, &got), -EBADMSG);
    }
    buf_u8(&buf, 0);
    bytes_init(&bytes, buf.data, buf.size);
    cr_expect_eq(found_account_read(&bytes, &got), -EBADMSG, "something behind it");
    buf_clear(&buf);
    account.kind = ACCOUNT_KINDS;
    found_account_write(&buf, &account);
    bytes_init(&bytes, buf.data, buf.size);
    cr_expect_eq(found_account_read(&bytes, &got), -EBADMSG);
    buf_finish(&buf);
    for (int i = 0; i < ACCOUNT_KINDS; i++)
        cr_expect_neq(account_kind_name((enum account_kind)i)[0], '\0');
}
