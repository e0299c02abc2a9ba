/* folder: everything below the folder is found once, nothing outside of it is. */
#include "engine/evidence/folder.h"

#include "engine/base/buf.h"
#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kvali-folder-XXXXXX";
static struct why why;
static struct buf seen; /* a line an entry */
static struct buf faults;
static char locators[16][256];
static size_t locator_count;
static struct image *image;

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "wb");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(mkdir("e", 0700), 0);
    write_file("outside", "secret");
}

static void finish(void)
{
    char command[80];
    image_close(image);
    (void)snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", folder, folder);
    (void)!system(command);
}

TestSuite(folder, .init = start, .fini = finish, .timeout = 60);

static int on_entry(void *context, const struct found_entry *entry)
{
    (void)context;
    buf_printf(&seen, "%s %s%s%s\n", entry->path, entry_type_name(entry->type),
               entry->target[0] == '\0' ? "" : " -> ", entry->target);
    if (entry->locator[0] != '\0' && locator_count < 16)
        (void)snprintf(locators[locator_count++], sizeof(locators[0]), "%s", entry->locator);
    cr_expect_neq(entry->modified, WHEN_NONE);
    cr_expect_eq(entry->deleted, WHEN_NONE);
    struct buf wire = {0};
    struct bytes bytes;
    struct found_entry arrived;
    static struct found_run runs[FOUND_RUNS_MAX];
    found_entry_write(&wire, entry);
    bytes_init(&bytes, wire.data, wire.size);
    cr_expect_eq(found_entry_read(&bytes, &arrived, runs), 0);
    buf_finish(&wire);
    return 0;
}

static int on_fault(void *context, const struct found_fault *fault)
{
    (void)context;
    buf_printf(&faults, "%s %s\n", fault->path, fault_kind_name(fault->kind));
    return 0;
}

static const struct found_sink sink = {.entry = on_entry, .fault = on_fault};

static void expand_folder(void)
{
    cr_assert_eq(image_open("e", IMAGE_AUTO, &image, &why), 0, "%s", why.text);
    cr_assert_eq(folder_expand(image, &sink), 0);
}

Test(folder, entries_come_in_the_order_of_their_bytes_folder_by_folder)
{
    cr_assert_eq(mkdir("e/b", 0700), 0);
    cr_assert_eq(mkdir("e/a", 0700), 0);
    cr_assert_eq(mkdir("e/a/deep", 0700), 0);
    write_file("e/a/deep/f", "1");
    write_file("e/Z", "1");
    write_file("e/b/\xff\n", "1");
    expand_folder();
    cr_expect_str_eq(buf_cstr(&seen), "e/Z file\ne/a folder\ne/b folder\ne/a/deep folder\ne/a/deep/f file\n"
                                      "e/b/\\xff\\x0a file\n");
    cr_expect_str_eq(buf_cstr(&faults), "");
}

Test(folder, links_are_reported_and_never_followed)
{
    cr_assert_eq(symlink("../outside", "e/link"), 0);
    cr_assert_eq(symlink("/", "e/root"), 0);
    cr_assert_eq(mkfifo("e/pipe", 0600), 0);
    expand_folder();
    cr_expect_str_eq(buf_cstr(&seen), "e/link link -> ../outside\ne/pipe fifo\ne/root link -> /\n");
    cr_expect_eq(locator_count, 0);
}

Test(folder, names_of_one_content_have_one_locator)
{
    write_file("e/a", "same");
    cr_assert_eq(link("e/a", "e/b"), 0);
    write_file("e/c", "same");
    expand_folder();
    cr_assert_eq(locator_count, 3);
    cr_expect_str_eq(locators[0], "folder/61");
    cr_expect_str_eq(locators[1], "folder/61");
    cr_expect_str_eq(locators[2], "folder/63");
}

Test(folder, what_may_not_be_read_is_a_fault_and_the_rest_goes_on)
{
    if (geteuid() == 0)
        cr_skip("root may read everything");
    cr_assert_eq(mkdir("e/no", 0), 0);
    write_file("e/yes", "1");
    expand_folder();
    cr_expect_str_eq(buf_cstr(&seen), "e/no folder\ne/yes file\n");
    cr_expect_str_eq(buf_cstr(&faults), "e/no denied\n");
}

Test(folder, deep_trees_are_walked_to_the_end_of_an_address)
{
    int at = open("e", O_RDONLY | O_DIRECTORY);
    static char name[201];
    memset(name, 'd', 200);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(mkdirat(at, name, 0700), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY);
        cr_assert_geq(next, 0);
        (void)close(at);
        at = next;
    }
    (void)close(at);
    expand_folder();
    size_t lines = 0;
    for (size_t i = 0; i < seen.size; i++)
        lines += seen.data[i] == '\n';
    cr_expect_eq(lines, 163); /* 1 + 163 * 201 is the last below FOUND_PATH_MAX */
    cr_expect_neq(strstr(buf_cstr(&faults), " limit\n"), NULL);
}

Test(folder, a_file_is_opened_by_its_locator_and_nothing_else_is)
{
    int fd = -1;
    uint64_t size = 0;
    char text[8] = "";
    cr_assert_eq(mkdir("e/d", 0700), 0);
    write_file("e/d/f", "hello");
    cr_assert_eq(symlink("d", "e/l"), 0);
    cr_assert_eq(symlink("../../outside", "e/d/o"), 0);
    cr_assert_eq(mkfifo("e/p", 0600), 0);
    expand_folder();
    cr_assert_eq(folder_open(image, "642f66", &fd, &size, &why), 0); /* d/f */
    cr_expect_eq(size, 5);
    cr_expect_eq(pread(fd, text, 5, 0), 5);
    cr_expect_str_eq(text, "hello");
    (void)close(fd);
    fd = -1;
    static const struct {
        const char *hex;
        int code;
    } cases[] = {
        {"", -EINVAL},
        {"6", -EINVAL},
        {"zz", -EINVAL},
        {"64", -EINVAL}, /* a folder */
        {"2f", -EINVAL},
        {"2e2e2f6f7574", -EINVAL},
        {"2e", -EINVAL},
        {"642f2f66", -EINVAL},
        {"642f2e2e2f64", -EINVAL},
        {"6400", -EINVAL},
        {"70", -EINVAL},
        {"78", -ENOENT},
        {"642f6f", -ELOOP},
        {"6c2f66", -ENOTDIR}, /* l/f: through a link */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(folder_open(image, cases[i].hex, &fd, &size, &why), cases[i].code, "%s: %s",
                     cases[i].hex, why.text);
    cr_expect_eq(fd, -1);
}

static int give_up(void *context, const struct found_entry *entry)
{
    (void)context, (void)entry;
    return -ECANCELED;
}

Test(folder, a_sink_that_gives_up_ends_the_walk)
{
    write_file("e/a", "1");
    cr_assert_eq(image_open("e", IMAGE_AUTO, &image, &why), 0);
    struct found_sink stop = sink;
    stop.entry = give_up;
    cr_expect_eq(folder_expand(image, &stop), -ECANCELED);
}

Test(folder, a_single_file_is_one_entry)
{
    write_file("e/a.txt", "hello");
    cr_assert_eq(image_open("e/a.txt", IMAGE_FILE, &image, &why), 0);
    cr_assert_eq(folder_expand_file(image, &sink), 0);
    cr_expect_str_eq(buf_cstr(&seen), "a.txt file\n");
    cr_expect_str_eq(locators[0], "file");
    cr_expect_eq(folder_expand(image, &sink), -EINVAL);
}
