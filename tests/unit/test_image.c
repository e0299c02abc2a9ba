/* image: every container gives its medium's bytes, and says what it cannot give. */
#include "engine/evidence/image.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/kvali-image-XXXXXX";
static struct why why;

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    (void)!system(command);
}

TestSuite(image, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void write_file(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(name, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

/* `size` bytes that tell where they are. */
static uint8_t *pattern(size_t size)
{
    static uint8_t data[65536];
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i / 512 + i);
    return data;
}

static struct image *open_image(const char *path, enum image_type type)
{
    struct image *image = NULL;
    int status = image_open(path, type, &image, &why);
    cr_assert_eq(status, 0, "%s: %s", path, why.text);
    return image;
}

static int fails(const char *path, enum image_type type)
{
    struct image *image = NULL;
    why.text[0] = '\0';
    int status = image_open(path, type, &image, &why);
    cr_assert_neq(status, 0, "%s opened", path);
    cr_assert_null(image);
    cr_assert_neq(why.text[0], '\0');
    return status;
}

static void read_all(struct image *image, uint8_t *data)
{
    cr_assert_eq(image_read(image, 0, data, image_info(image)->size), 0);
}

Test(image, a_raw_file_is_its_bytes)
{
    static uint8_t got[4096];
    write_file("disk.raw", pattern(4000), 4000);
    struct image *image = open_image("./disk.raw", IMAGE_AUTO);
    cr_expect_eq(image_info(image)->type, IMAGE_RAW);
    cr_expect_eq(image_info(image)->size, 4000);
    cr_expect_eq(image_info(image)->sector_size, 512);
    cr_expect_str_eq(image_name(image), "disk.raw");
    read_all(image, got);
    cr_expect_eq(memcmp(got, pattern(4000), 4000), 0);
    cr_assert_eq(image_read(image, 1001, got, 7), 0);
    cr_expect_eq(memcmp(got, pattern(4000) + 1001, 7), 0);
    cr_expect_eq(image_read(image, 3999, got, 2), -EINVAL);
    cr_expect_eq(image_read(image, UINT64_MAX, got, 2), -EINVAL);
    cr_expect_eq(image_read(image, 4000, got, 0), 0);
    cr_expect_eq(image_bad(image)->count, 0);
    cr_expect_eq(image_folder_fd(image), -1);
    image_close(image);
}

Test(image, names_are_escaped_and_dots_resolved)
{
    write_file("a\n!.raw", "x", 1);
    struct image *image = open_image("a\n!.raw", IMAGE_FILE);
    cr_expect_str_eq(image_name(image), "a\\x0a!.raw");
    image_close(image);
    image = open_image(".", IMAGE_AUTO);
    cr_expect_eq(image_info(image)->type, IMAGE_FOLDER);
    cr_expect_str_eq(image_name(image), strrchr(folder, '/') + 1);
    cr_expect_geq(image_folder_fd(image), 0);
    image_close(image);
    cr_assert_eq(mkdir("sub", 0700), 0);
    image = open_image("sub//", IMAGE_AUTO);
    cr_expect_str_eq(image_name(image), "sub");
    image_close(image);
}

Test(image, what_cannot_be_opened_says_why)
{
    cr_expect_eq(fails("nothing", IMAGE_AUTO), -ENOENT);
    write_file("empty", "", 0);
    cr_expect_eq(fails("empty", IMAGE_AUTO), -ENODATA);
    cr_expect_eq(fails("/dev/null", IMAGE_AUTO), -EINVAL);
    cr_expect_eq(fails(".", IMAGE_RAW), -EINVAL);
    write_file("text", "hello", 5);
    cr_expect_eq(fails("text", IMAGE_FOLDER), -EINVAL);
    cr_expect_eq(fails("text", IMAGE_EWF), -EINVAL);
    cr_expect_eq(fails("text", IMAGE_VHD), -EINVAL);
    cr_expect_eq(fails("text", IMAGE_SPLIT), -EINVAL);
}

Test(image, a_damaged_container_is_never_taken_for_raw)
{
    write_file("x", "EVF\x09\x0d\x0a\xff\x00\1\1\0\0\0rubbish", 21);
    cr_expect_neq(fails("x", IMAGE_AUTO), 0);
    write_file("x", "KDMVrubbish", 11);
    cr_expect_eq(fails("x", IMAGE_AUTO), -EINVAL);
    write_file("x", "COWDrubbish", 11);
    cr_expect_eq(fails("x", IMAGE_AUTO), -EINVAL);
    write_file("x", "AFF10\r\n\0rubbish", 15);
    cr_expect_eq(fails("x", IMAGE_AUTO), -EINVAL);
    write_file("x", "conectixrubbish", 15);
    cr_expect_eq(fails("x", IMAGE_AUTO), -EINVAL);
}

Test(image, containers_that_kvali_does_not_open_are_named)
{
    static const struct {
        const char *magic, *name;
    } cases[] = {{"EVF2\r\n\x81\0", "EnCase 7 image (Ex01)"},
                 {"LVF\x09\x0d\x0a\xff\0", "EnCase logical evidence (L01)"},
                 {"\xfe\xef------", "Ghost"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file("x", cases[i].magic, 8);
        struct image *image = open_image("x", IMAGE_AUTO);
        cr_expect_eq(image_info(image)->type, IMAGE_RAW);
        cr_expect_str_eq(image_info(image)->unsupported, cases[i].name);
        image_close(image);
    }
}

Test(image, virtual_disks_that_do_not_open_are_errors_and_never_raw)
{
    write_file("x", "QFI\xfb----", 8);
    cr_expect_neq(fails("x", IMAGE_AUTO), 0);
    cr_expect(strstr(why.text, "QCOW") != NULL, "%s", why.text);
    write_file("x", "vhdxfile", 8);
    cr_expect_neq(fails("x", IMAGE_AUTO), 0);
    cr_expect(strstr(why.text, "VHD") != NULL, "%s", why.text);
}

static void write_parts(const char *const *names, const size_t *sizes, size_t count)
{
    const uint8_t *data = pattern(65536);
    for (size_t i = 0; i < count; i++) {
        if (names[i] != NULL)
            write_file(names[i], data, sizes[i]);
        data += 2048;
    }
}

Test(image, split_parts_are_joined_from_any_of_them)
{
    static uint8_t got[5000];
    write_parts((const char *const[]){"d.001", "d.002", "d.003"}, (const size_t[]){2048, 2048, 700}, 3);
    write_file("d.txt", "x", 1);
    for (int i = 1; i <= 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "d.00%d", i);
        struct image *image = open_image(name, IMAGE_AUTO);
        cr_expect_eq(image_info(image)->type, IMAGE_SPLIT);
        cr_expect_eq(image_info(image)->segments, 3);
        cr_assert_eq(image_info(image)->size, 4796);
        cr_expect_str_eq(image_info(image)->damage, "");
        read_all(image, got);
        cr_expect_eq(memcmp(got, pattern(65536), 4796), 0);
        image_close(image);
    }
}

Test(image, numbering_may_begin_at_zero_and_parts_may_have_letters)
{
    write_parts((const char *const[]){"z.split.000", "z.split.001"}, (const size_t[]){2048, 10}, 2);
    struct image *image = open_image("z.split.000", IMAGE_AUTO);
    cr_expect_eq(image_info(image)->size, 2058);
    image_close(image);
    write_parts((const char *const[]){"y.aa", "y.ab"}, (const size_t[]){2048, 10}, 2);
    image = open_image("y.aa", IMAGE_AUTO);
    cr_expect_eq(image_info(image)->size, 2058);
    image_close(image);
    write_file("alone.001", "x", 1);
    image = open_image("alone.001", IMAGE_AUTO);
    cr_expect_eq(image_info(image)->type, IMAGE_RAW);
    cr_expect_str_eq(image_info(image)->damage, "");
    image_close(image);
}

Test(image, a_missing_part_is_zeros_and_a_bad_range)
{
    static uint8_t got[10000], zeros[2048];
    struct ranges watch = {0};
    write_parts((const char *const[]){"d.001", NULL, "d.003", "d.004"}, (const size_t[]){2048, 0, 2048, 100},
                4);
    struct image *image = open_image("d.001", IMAGE_AUTO);
    cr_assert_eq(image_info(image)->size, 3 * 2048 + 100);
    cr_expect_str_eq(image_info(image)->damage, "part 2 of 4 is missing: zeros stand for its 2048 bytes");
    image_watch(image, &watch);
    read_all(image, got);
    cr_expect_eq(memcmp(got, pattern(65536), 2048), 0);
    cr_expect_eq(memcmp(got + 2048, zeros, 2048), 0);
    cr_expect_eq(memcmp(got + 4096, pattern(65536) + 4096, 2148), 0);
    cr_assert_eq(watch.count, 1);
    cr_expect_eq(watch.items[0].offset, 2048);
    cr_expect_eq(watch.items[0].size, 2048);
    ranges_clear(&watch);
    cr_assert_eq(image_read(image, 2000, got, 100), 0);
    cr_assert_eq(watch.count, 1, "reported again when it is read again");
    cr_expect_eq(watch.items[0].size, 52);
    image_watch(image, NULL);
    ranges_finish(&watch);
    image_close(image);
}

Test(image, a_short_part_leaves_a_hole_and_does_not_move_what_follows)
{
    static uint8_t got[10000];
    write_parts((const char *const[]){"d.001", "d.002", "d.003", "d.004"},
                (const size_t[]){2048, 1000, 2048, 9}, 4);
    struct image *image = open_image("d.001", IMAGE_AUTO);
    cr_assert_eq(image_info(image)->size, 3 * 2048 + 9);
    cr_expect_str_eq(image_info(image)->damage, "part 2 of 4 is short: zeros stand for its last 1048 bytes");
    read_all(image, got);
    cr_expect_eq(memcmp(got + 4096, pattern(65536) + 4096, 2057), 0);
    cr_assert_eq(image_bad(image)->count, 1);
    cr_expect_eq(image_bad(image)->items[0].offset, 3048);
    cr_expect_eq(image_bad(image)->items[0].size, 1048);
    image_close(image);
}

Test(image, a_file_that_shrinks_while_it_is_read_gives_bad_ranges)
{
    static uint8_t got[4096];
    write_file("disk.raw", pattern(4096), 4096);
    struct image *image = open_image("disk.raw", IMAGE_AUTO);
    cr_assert_eq(truncate("disk.raw", 1000), 0);
    read_all(image, got);
    cr_expect_eq(memcmp(got, pattern(4096), 512), 0);
    cr_assert_eq(image_bad(image)->count, 1);
    cr_expect_eq(image_bad(image)->items[0].offset, 512, "to the sector");
    cr_expect_eq(image_bad(image)->items[0].size, 4096 - 512);
    image_close(image);
}

static size_t hashes_of(const char *path)
{
    struct image *image = open_image(path, IMAGE_AUTO);
    size_t count = image_info(image)->hash_count;
    image_close(image);
    return count;
}

Test(image, hashes_beside_the_image_are_found_in_every_usual_form)
{
    static const char md5[] = "D41D8CD98F00B204E9800998ECF8427E";
    static const char *const good[] = {
        "%s",
        "%s\n",
        "%s  disk.raw\n",
        "%s *disk.raw\r\n",
        "MD5 (disk.raw) = %s\n",
        "%s  ./d/disk.raw\n",
        "\xef\xbb\xbf%s\r\n",
        "# comment\n\n%s  disk.raw\n",
        "MD5(disk.raw)= %s\n",
        "%s  other.raw\nd41d8cd98f00b204e9800998ecf8427f  disk.raw\n",
    };
    static const char *const bad[] = {
        "%s  other.raw\n", "MD5 (other) = %s\n", "%s0", "x%s", "SHA1 (disk.raw) = %s\n", "%.31s"};
    char text[256];
    write_file("disk.raw", "x", 1);
    cr_expect_eq(hashes_of("disk.raw"), 0);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int size = snprintf(text, sizeof(text), good[i], md5);
        write_file("disk.raw.md5", text, (size_t)size);
        cr_expect_eq(hashes_of("disk.raw"), 1, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int size = snprintf(text, sizeof(text), bad[i], md5);
        write_file("disk.raw.md5", text, (size_t)size);
        cr_expect_eq(hashes_of("disk.raw"), 0, "%s", bad[i]);
    }
    write_file("disk.md5", md5, 32);
    struct image *image = open_image("disk.raw", IMAGE_AUTO);
    cr_assert_eq(image_info(image)->hash_count, 1);
    cr_expect_str_eq(image_info(image)->hashes[0].algorithm, "md5");
    cr_expect_str_eq(image_info(image)->hashes[0].hex, "d41d8cd98f00b204e9800998ecf8427e");
    cr_expect_str_eq(image_info(image)->hashes[0].source, "disk.md5");
    image_close(image);
}

Test(image, type_names_are_read_as_they_are_written)
{
    for (int i = 0; i < IMAGE_TYPES; i++) {
        enum image_type type;
        cr_assert(image_type_parse(image_type_name((enum image_type)i), &type));
        cr_expect_eq((int)type, i);
    }
    enum image_type type = IMAGE_EWF;
    cr_expect_not(image_type_parse("e01", &type));
    cr_expect_eq(type, IMAGE_EWF);
}

Test(image, a_fork_reads_without_moving_its_parent)
{
    static uint8_t got[512];
    write_file("disk.raw", pattern(4096), 4096);
    struct image *image = open_image("disk.raw", IMAGE_AUTO);
    const int *fds;
    cr_assert_eq(image_fds(image, &fds), 1);
    cr_assert_eq(lseek(fds[0], 100, SEEK_SET), 100);
    pid_t child = fork();
    if (child == 0) {
        bool fine = image_reopen(image, &why) == 0 && lseek(fds[0], 0, SEEK_CUR) == 100 &&
                    lseek(fds[0], 2000, SEEK_SET) == 2000 && image_read(image, 512, got, 512) == 0;
        _exit(fine ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect_eq(lseek(fds[0], 0, SEEK_CUR), 100);
    image_close(image);
}

static int drops;

static void drop(void *keep)
{
    (*(int *)keep)++;
}

Test(image, what_is_kept_is_dropped_with_the_image)
{
    write_file("disk.raw", "x", 1);
    struct image *image = open_image("disk.raw", IMAGE_AUTO);
    cr_expect_null(image_keep(image));
    image_set_keep(image, &drops, drop);
    cr_expect_eq(image_keep(image), &drops);
    image_close(image);
    image_close(NULL);
    cr_expect_eq(drops, 1);
}

/* With the corpus. */

static const char *corpus(const char *name)
{
    static char path[1024];
    const char *root = getenv("KVALI_CORPUS");
    (void)snprintf(path, sizeof(path), "%s/%s", root == NULL ? "" : root, name);
    if (root == NULL || access(path, R_OK) < 0)
        cr_skip("no corpus");
    return path;
}

/* The MD5 of the whole medium, read `step` bytes at a time. */
static const char *media_md5(struct image *image, size_t step)
{
    static char hex[33];
    static uint8_t data[1 << 20];
    struct hash_set set;
    cr_assert_eq(hash_setup(), 0);
    struct hash_all *hash = hash_all_new();
    for (uint64_t offset = 0, size = image_info(image)->size; offset < size; offset += step) {
        size_t piece = size - offset < step ? (size_t)(size - offset) : step;
        cr_assert_eq(image_read(image, offset, data, piece), 0);
        hash_all_update(hash, data, piece);
    }
    hash_all_final(hash, &set);
    hash_all_free(hash);
    for (size_t i = 0; i < MD5_SIZE; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", set.md5[i]);
    return hex;
}

/* A virtual disk holds no more than its file: what bounds the time for one that claims a petabyte. */
Test(image, what_a_virtual_disk_can_hold_is_bounded_by_its_file)
{
    struct stat status;
    cr_assert_eq(system("qemu-img create -q -f vpc -o subformat=dynamic thin.vhd 1G"), 0); /* qemu-utils */
    struct image *image = open_image("thin.vhd", IMAGE_AUTO);
    cr_assert_eq(stat("thin.vhd", &status), 0);
    cr_expect_geq(image_info(image)->size, (uint64_t)1 << 30);
    cr_expect_eq(image_info(image)->stored, (uint64_t)status.st_size);
    image_close(image);
    write_file("whole.raw", "0123456789", 10);
    image = open_image("whole.raw", IMAGE_RAW);
    cr_expect_eq(image_info(image)->stored, 10, "a raw image is what it has");
    image_close(image);
}

Test(image, an_e01_reads_as_its_stored_hash_says)
{
    static const char *const names[] = {"images/bulk_extractor__ansi.E01", "images/dfvfs__ext2.E01",
                                        "hostile/made/s.E01"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct image *image = open_image(corpus(names[i]), IMAGE_AUTO);
        cr_expect_eq(image_info(image)->type, IMAGE_EWF);
        cr_assert_geq(image_info(image)->hash_count, 1);
        cr_expect_str_eq(media_md5(image, 1 << 20), image_info(image)->hashes[0].hex);
        cr_expect_str_eq(media_md5(image, 12345), image_info(image)->hashes[0].hex);
        cr_expect_str_eq(image_info(image)->damage, "");
        cr_expect_eq(image_bad(image)->count, 0);
        image_close(image);
    }
}

Test(image, a_bad_chunk_of_an_e01_is_a_bad_range)
{
    static uint8_t got[65536], zeros[32768];
    struct image *image = open_image(corpus("hostile/made/badchunk.E01"), IMAGE_AUTO);
    for (int i = 0; i < 3; i++) {
        struct ranges watch = {0};
        image_watch(image, &watch);
        cr_assert_eq(image_read(image, 1000, got, 40000), 0);
        cr_assert_eq(watch.count, 1);
        cr_expect_eq(watch.items[0].offset, 1000);
        cr_expect_eq(watch.items[0].size, 31768);
        cr_expect_eq(memcmp(got, zeros, 31768), 0);
        ranges_clear(&watch);
        cr_assert_eq(image_read(image, 32768, got, 32768), 0);
        cr_expect_eq(watch.count, 0);
        image_watch(image, NULL);
        ranges_finish(&watch);
    }
    image_close(image);
}

Test(image, an_e01_without_a_medium_or_with_nonsense_in_it_is_refused)
{
    cr_expect_eq(fails(corpus("hostile/made/loop_first.E01"), IMAGE_AUTO), -ENODATA);
    cr_expect_eq(fails(corpus("hostile/made/bps0.E01"), IMAGE_AUTO), -EINVAL);
}

Test(image, an_e01_whose_end_is_cut_says_so_or_is_refused)
{
    static uint8_t data[400000];
    FILE *file = fopen(corpus("hostile/made/s.E01"), "rb");
    cr_assert_not_null(file);
    size_t size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    size_t opened = 0;
    for (size_t cut = 100; cut < size; cut += size / 40) {
        struct image *image = NULL;
        write_file("cut.E01", data, cut);
        if (image_open("cut.E01", IMAGE_AUTO, &image, &why) < 0)
            continue;
        opened++;
        cr_expect_neq(image_info(image)->damage[0], '\0', "cut at %zu", cut);
        (void)media_md5(image, 1 << 20);
        image_close(image);
    }
    write_file("cut.E01", data, size - 76); /* "done" alone is gone */
    struct image *image = open_image("cut.E01", IMAGE_AUTO);
    cr_expect_neq(image_info(image)->damage[0], '\0');
    cr_expect_str_eq(media_md5(image, 1 << 20), "206c40ea19af4d6832efd755a8fd29c7");
    image_close(image);
    cr_log_info("%zu cut images opened", opened);
}
