/*
 * test_expand: a small FAT12 volume, made here byte by byte, is listed and read: live, deleted and unused
 * parts.
 */
#include "engine/evidence/expand.h"
#include "engine/evidence/stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512, SECTORS = 128, EXTRA = 3, ROOT_SECTOR = 3, DATA_SECTOR = 4 };

static uint8_t disk[(SECTORS + EXTRA) * SECTOR];
static char path[] = "/tmp/kvali-test-expand-XXXXXX";

/* [Microsoft FAT specification 1.03] One sector a cluster, two FATs of one sector, 16 root entries. */
static void make_boot(void)
{
    static const uint8_t boot[] = {0xeb, 0x3c, 0x90, 'k', 'v', 'a', 'l',     'i', '1',  '.', '0',  0,   2,
                                   1,    1,    0,    2,   16,  0,   SECTORS, 0,   0xf8, 1,   0,    16,  0,
                                   1,    0,    0,    0,   0,   0,   0,       0,   0,    0,   0x80, 0,   0x29,
                                   4,    3,    2,    1,   'T', 'E', 'S',     'T', ' ',  ' ', ' ',  ' ', ' ',
                                   ' ',  ' ',  'F',  'A', 'T', '1', '2',     ' ', ' ',  ' '};

    memcpy(disk, boot, sizeof boot);
    disk[510] = 0x55;
    disk[511] = 0xaa;
    for (size_t fat = 1; fat <= 2; fat++)
        memcpy(disk + fat * SECTOR, "\xf8\xff\xff\x03\xf0\xff", 6); /* clusters 2 -> 3 -> end */
}

static void make_name(size_t slot, const char name[static 11], uint16_t cluster, uint32_t size)
{
    uint8_t *entry = disk + ROOT_SECTOR * SECTOR + slot * 32;

    memcpy(entry, name, 11);
    entry[11] = 0x20;
    entry[22] = 0x21; /* 00:01:02 on 2020-02-01 */
    entry[24] = 0x41;
    entry[25] = 0x50;
    entry[26] = (uint8_t)cluster;
    entry[27] = (uint8_t)(cluster >> 8);
    entry[28] = (uint8_t)size;
    entry[29] = (uint8_t)(size >> 8);
}

static struct image *make_image(void)
{
    struct image *image = NULL;
    struct why why = {""};
    FILE *file;

    make_boot();
    make_name(0, "LIVE    TXT", 2, 700);
    make_name(1,
              "\xe5"
              "EAD    TXT",
              5, 10);
    memset(disk + DATA_SECTOR * SECTOR, 'a', SECTOR);
    memset(disk + (DATA_SECTOR + 1) * SECTOR, 'b', SECTOR);
    memset(disk + (DATA_SECTOR + 3) * SECTOR, 'd', SECTOR);
    file = fdopen(mkstemp(path), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(disk, sizeof disk, 1, file), 1);
    (void)fclose(file);
    cr_assert_eq(image_open(path, IMAGE_RAW, &image, &why), 0, "%s", why.text);
    (void)unlink(path);
    return image;
}

struct found {
    size_t volumes, entries, faults;
    char expand[128];
    char list[4096]; /* "<path without the image's name> <locator> <size>\n" */
    int stop;        /* what the sink answers to an entry */
    enum fault_kind kind;
    uint64_t accounts[ACCOUNT_KINDS];
    uint64_t weight, heaviest; /* the last one; the last one but 0 */
};

static int on_volume(void *context, const struct found_volume *volume)
{
    struct found *found = context;

    found->volumes++;
    (void)snprintf(found->expand, sizeof found->expand, "%s", volume->expand);
    return 0;
}

static int on_entry(void *context, const struct found_entry *entry)
{
    struct found *found = context;
    const char *slash = strchr(entry->path, '/');
    size_t used = strlen(found->list);

    found->entries++;
    (void)snprintf(found->list + used, sizeof found->list - used, "%s%s %s %llu\n",
                   entry->flags & ENTRY_NAME_DELETED ? "*" : "", slash ? slash : "image", entry->locator,
                   (unsigned long long)entry->size);
    return found->stop;
}

static int on_fault(void *context, const struct found_fault *fault)
{
    struct found *found = context;

    found->faults++;
    found->kind = fault->kind;
    return 0;
}

static int on_account(void *context, const struct found_account *account)
{
    struct found *found = context;

    found->accounts[account->kind] += account->bytes;
    return 0;
}

static void on_at(void *context, uint64_t what)
{
    (void)context;
    (void)what;
}

static void on_weigh(void *context, uint64_t names)
{
    struct found *found = context;

    found->weight = names;
    if (names > 0)
        found->heaviest = names;
}

static int run(struct image *image, const char *locator, struct found *found, const uint64_t *skip,
               size_t skips)
{
    const struct found_sink sink = {on_volume, on_entry, on_fault, on_account, on_at, found, on_weigh};

    return expand(image, locator, NULL, &sink, skip, skips, FAULT_CRASH);
}

Test(expand, an_image_without_a_table_is_one_volume_and_what_follows_its_file_system)
{
    struct image *image = make_image();
    struct found found = {0};

    cr_assert_eq(run(image, "volumes", &found, NULL, 0), 0);
    cr_assert_eq(found.volumes, 1);
    cr_assert_eq(found.faults, 0);
    cr_assert_str_eq(found.expand, "fs@0:fat12");
    cr_assert_str_eq(found.list, "image image 67072\n/image/after-fs raw@65536+1536 1536\n");
    image_close(image);
}

Test(expand, names_live_and_deleted_are_listed_with_what_libtsk_adds)
{
    struct image *image = make_image();
    struct found found = {0};

    cr_assert_eq(run(image, "fs@0:fat12", &found, NULL, 0), 0);
    cr_assert_eq(found.faults, 0);
    cr_assert_eq(found.heaviest, 16, "the root folder is one sector");
    cr_assert_eq(found.weight, 0, "no folder is being read any more");
    cr_assert_not_null(strstr(found.list, "\n/image/fat12/$FAT1 "));
    cr_assert_not_null(strstr(found.list, "/image/fat12/LIVE.TXT fs@0:fat12/3-1-0 700\n"));
    cr_assert_not_null(strstr(found.list, "*/image/fat12/_EAD.TXT fs@0:fat12/4-1-0 10\n"));
    cr_assert_not_null(strstr(found.list, "/image/free@0x0 free@0:fat12/0+62464 62464\n"));
    cr_assert_eq(found.entries, 7, "%s", found.list);
    image_close(image);
}

Test(expand, every_byte_of_a_volume_has_one_owner)
{
    struct image *image = make_image();
    struct found found = {0};
    uint64_t sum = 0;

    cr_assert_eq(run(image, "volumes", &found, NULL, 0), 0);
    cr_assert_eq(run(image, "fs@0:fat12", &found, NULL, 0), 0);
    for (int kind = ACCOUNT_SHARE + 1; kind < ACCOUNT_KINDS; kind++)
        sum += found.accounts[kind];
    cr_assert_eq(sum, found.accounts[ACCOUNT_SHARE]);
    cr_assert_eq(sum, sizeof disk);
    cr_assert_eq(found.accounts[ACCOUNT_SLACK], 1024 - 700, "LIVE.TXT: 700 bytes in two sectors");
    cr_assert_eq(found.accounts[ACCOUNT_DELETED], 512, "_EAD.TXT: one sector");
    cr_assert_eq(found.accounts[ACCOUNT_OUTSIDE], 1536);
    image_close(image);
}

Test(expand, what_an_earlier_attempt_did_not_survive_is_left_out_and_told)
{
    struct image *image = make_image();
    const uint64_t live = 3, front = 0;
    struct found found = {0}, volumes = {0};

    cr_assert_eq(run(image, "fs@0:fat12", &found, &live, 1), 0);
    cr_assert_eq(found.faults, 1);
    cr_assert_eq(found.kind, FAULT_CRASH);
    cr_assert_not_null(strstr(found.list, "/image/fat12/LIVE.TXT  0\n"), "the name is still there");
    cr_assert_eq(run(image, "volumes", &volumes, &front, 1), 0);
    cr_assert_eq(volumes.faults, 1);
    cr_assert_str_eq(volumes.expand, "");
    cr_assert_not_null(strstr(volumes.list, "/image/raw raw@0+67072 67072\n"), "its bytes are still scanned");
    image_close(image);
}

Test(expand, the_sink_can_end_it)
{
    struct image *image = make_image();
    struct found found = {.stop = -EPIPE};

    cr_assert_eq(run(image, "fs@0:fat12", &found, NULL, 0), -EPIPE);
    cr_assert_eq(found.entries, 1);
    image_close(image);
}

Test(expand, only_locators_of_expand_tasks_are_taken)
{
    struct image *image = make_image();
    struct found found = {0};

    cr_assert_eq(run(image, "image", &found, NULL, 0), -EINVAL);
    cr_assert_eq(run(image, "folder", &found, NULL, 0), -EINVAL);
    cr_assert_eq(run(image, "fs@0:zfs", &found, NULL, 0), -EINVAL);
    cr_assert_eq(run(image, "fs@0:fat12/3-1-0", &found, NULL, 0), -EINVAL);
    cr_assert_eq(run(image, "nonsense", &found, NULL, 0), -EINVAL);
    cr_assert_eq(run(image, "fs@512:ntfs", &found, NULL, 0), 0,
                 "a file system that does not open is a fault");
    cr_assert_eq(found.kind, FAULT_DAMAGED);
    image_close(image);
}

/* Reads to the end in pieces of `piece`; the size, or the error. */
static int64_t read_all(struct image *image, const char *locator, size_t piece, uint8_t *data)
{
    struct stream *stream = NULL;
    struct why why = {""};
    int64_t count, total = 0;
    int code = stream_open(image, locator, &stream, &why);

    if (code < 0)
        return code;
    while ((count = stream_read(stream, data + total, piece)) > 0)
        total += count;
    cr_assert_eq(stream_bad(stream)->count, 0);
    stream_close(stream);
    return count < 0 ? count : total;
}

Test(stream, a_file_is_its_clusters_cut_to_its_size)
{
    struct image *image = make_image();
    static uint8_t data[sizeof disk];

    for (size_t piece = 1; piece < 1500; piece += 499) {
        memset(data, 0, sizeof data);
        cr_assert_eq(read_all(image, "fs@0:fat12/3-1-0", piece, data), 700);
        cr_assert_eq(memcmp(data, disk + DATA_SECTOR * SECTOR, 700), 0);
    }
    cr_assert_eq(read_all(image, "fs@0:fat12/4-1-0", 4096, data), 10, "deleted, its cluster is free");
    cr_assert_eq(memcmp(data, "dddddddddd", 10), 0);
    image_close(image);
}

Test(stream, image_and_ranges_are_read_as_they_are)
{
    struct image *image = make_image();
    static uint8_t data[sizeof disk];

    cr_assert_eq(read_all(image, "image", 1000, data), (int64_t)sizeof disk);
    cr_assert_eq(memcmp(data, disk, sizeof disk), 0);
    cr_assert_eq(read_all(image, "raw@510+2", 1000, data), 2);
    cr_assert_eq(memcmp(data, "\x55\xaa", 2), 0);
    cr_assert_eq(read_all(image, "raw@67071+2", 1000, data), -ENOENT);
    image_close(image);
}

Test(stream, what_is_not_there_is_refused)
{
    struct image *image = make_image();
    static uint8_t data[SECTOR];

    cr_assert_eq(read_all(image, "fs@0:fat12", 1, data), -EINVAL);
    cr_assert_eq(read_all(image, "folder/61", 1, data), -EINVAL);
    cr_assert_eq(read_all(image, "file", 1, data), -EINVAL);
    cr_assert_eq(read_all(image, "fs@0:fat12/3-128-9", 1, data), -ENOENT);
    cr_assert_eq(read_all(image, "fs@0:fat12/999999-1-0", 1, data), -EIO);
    cr_assert_eq(read_all(image, "fs@512:ext4/12-1-0", 1, data), -EIO);
    image_close(image);
}

Test(stream, every_byte_knows_its_place_on_the_medium)
{
    struct image *image = make_image();
    struct stream *stream = NULL;

    cr_assert_eq(stream_open(image, "fs@0:fat12/3-1-0", &stream, NULL), 0);
    cr_assert_eq(stream_size(stream), 700);
    cr_assert_not(stream_is_hole(stream));
    cr_assert_eq(stream_physical(stream, 0, NULL), DATA_SECTOR * SECTOR);
    cr_assert_eq(stream_physical(stream, 699, NULL), DATA_SECTOR * SECTOR + 699);
    cr_assert_eq(stream_physical(stream, 700, NULL), UINT64_MAX);
    stream_close(stream);
    image_close(image);
}

Test(stream, free_space_is_read_in_the_order_of_addresses_and_on_behind_its_range)
{
    struct image *image = make_image();
    static uint8_t data[sizeof disk];
    const uint8_t *free_space = disk + (DATA_SECTOR + 2) * SECTOR;
    struct stream *stream = NULL;
    struct why why = {""};
    uint64_t size = 0;

    cr_assert_eq(read_all(image, "free@0:fat12/0+62464", 1000, data), 62464);
    cr_assert_eq(memcmp(data, free_space, 62464), 0);
    cr_assert_eq(read_all(image, "free@0:fat12/500+600", 1000, data), 600);
    cr_assert_eq(memcmp(data, free_space + 500, 600), 0);
    cr_assert_eq(read_all(image, "free@0:fat12/62464+1", 1000, data), -ENOENT);
    cr_assert_eq(read_all(image, "fs@0:fat12/3-1-0", 1000, data), 700, "the file system serves others as before");
    cr_assert_eq(stream_open(image, "free@0:fat12/500+600", &stream, &why), 0);
    cr_assert_eq(stream_size(stream), 600);
    cr_assert_eq(stream_reach(stream), 62464 - 500);
    cr_assert_eq(stream_read_at(stream, 590, data, 100, NULL), 100, "beside the pass, beyond the range");
    cr_assert_eq(memcmp(data, free_space + 1090, 100), 0);
    cr_assert_eq(stream_read_at(stream, 62464 - 510, data, 100, NULL), 10);
    cr_assert_eq(stream_read_at(stream, 62464 - 500, data, 100, NULL), 0);
    cr_assert_eq(stream_physical(stream, 12, &size), (DATA_SECTOR + 2) * SECTOR + 512);
    cr_assert_eq(size, 62464 - 512);
    stream_close(stream);
    image_close(image);
}

Test(stream, several_ranges_are_read_as_one)
{
    struct image *image = make_image();
    static uint8_t data[sizeof disk];

    cr_assert_eq(read_all(image, "runs@510+2,3+8,510+2", 5, data), 12);
    cr_assert_eq(memcmp(data, "\x55\xaakvali1.0\x55\xaa", 12), 0);
    cr_assert_eq(read_all(image, "runs@0+1,67071+2", 5, data), -ENOENT);
    image_close(image);
}

Test(stream, slack_is_what_lies_behind_a_live_file_in_its_blocks)
{
    struct image *image = make_image();
    static uint8_t data[SECTOR];
    struct stream *stream = NULL, *slack = NULL;
    struct why why = {""};

    cr_assert_eq(stream_open(image, "fs@0:fat12/3-1-0", &stream, &why), 0);
    cr_assert_eq(stream_slack(stream, &slack), 0);
    cr_assert_eq(stream_size(slack), 1024 - 700);
    cr_assert_eq(stream_read(slack, data, sizeof data), 1024 - 700);
    cr_assert_eq(memcmp(data, disk + DATA_SECTOR * SECTOR + 700, 1024 - 700), 0);
    cr_assert_eq(stream_physical(slack, 0, NULL), DATA_SECTOR * SECTOR + 700);
    stream_close(slack);
    stream_close(stream);
    cr_assert_eq(stream_open(image, "fs@0:fat12/4-1-0", &stream, &why), 0);
    cr_assert_eq(stream_slack(stream, &slack), 0);
    cr_assert_null(slack, "a deleted file's lies in free space");
    stream_close(stream);
    image_close(image);
}
