/* tsk_dir: a folder's list is what libtsk's own function makes of the same names. */
#include "engine/evidence/tsk/tsk_private.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libtsk's, which its headers do not declare. */
extern TSK_FS_DIR *tsk_fs_dir_alloc(TSK_FS_INFO *info, TSK_INUM_T inode, size_t count);

typedef uint8_t add_function(TSK_FS_DIR *dir, const TSK_FS_NAME *name);
typedef uint8_t contains_function(TSK_FS_DIR *dir, TSK_INUM_T number, uint32_t hash);

static add_function *of_libtsk(void)
{
    add_function *found;
    void *symbol = dlsym(RTLD_NEXT, "tsk_fs_dir_add");

    memcpy(&found, &symbol, sizeof found);
    return found;
}

static contains_function *contains_of_libtsk(void)
{
    contains_function *found;
    void *symbol = dlsym(RTLD_NEXT, "tsk_fs_dir_contains");

    memcpy(&found, &symbol, sizeof found);
    return found;
}

static void add(add_function *how, TSK_FS_DIR *dir, unsigned number, bool deleted)
{
    char text[32];
    TSK_FS_NAME name = {
        .tag = TSK_FS_NAME_TAG, .name = text, .meta_addr = number % 7 == 0 ? 0 : number % 500};

    snprintf(text, sizeof text, "name %u", number % 601);
    name.name_size = sizeof text;
    name.flags = deleted ? TSK_FS_NAME_FLAG_UNALLOC : TSK_FS_NAME_FLAG_ALLOC;
    cr_assert_eq(how(dir, &name), 0);
}

static void compare(const TSK_FS_DIR *got, const TSK_FS_DIR *want)
{
    cr_assert_eq(got->names_used, want->names_used, "%zu names, not %zu", got->names_used, want->names_used);
    for (size_t i = 0; i < want->names_used; i++) {
        cr_expect_str_eq(got->names[i].name, want->names[i].name);
        cr_expect_eq(got->names[i].meta_addr, want->names[i].meta_addr);
        cr_expect_eq(got->names[i].flags, want->names[i].flags);
        cr_expect_eq(got->names[i].par_addr, want->names[i].par_addr);
    }
}

static TSK_FS_DIR *dir_new(TSK_FS_INFO *info)
{
    TSK_FS_DIR *dir = tsk_fs_dir_alloc(info, 5, 1);

    cr_assert_not_null(dir);
    return dir;
}

/* Twice the same names, some of them deleted once and in use the other time. */
static void fill(add_function *how, TSK_FS_DIR *dir, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        add(how, dir, i * 37, i % 3 == 0);
}

static void compare_of(TSK_FS_TYPE_ENUM type, bool by_turns)
{
    TSK_FS_INFO info = {.tag = TSK_FS_INFO_TAG, .ftype = type};
    TSK_FS_DIR *got = dir_new(&info), *other = dir_new(&info), *want = dir_new(&info);

    for (unsigned i = 0; i < 40; i++) {
        fill(tsk_fs_dir_add, got, i * 100, i * 100 + 100);
        if (by_turns)
            fill(tsk_fs_dir_add, other, i * 100, i * 100 + 100);
        fill(of_libtsk(), want, i * 100, i * 100 + 100);
    }
    cr_assert_gt(want->names_used, 600);
    if (!TSK_FS_TYPE_ISFAT(type))
        cr_assert_lt(want->names_used, 4000);
    compare(got, want);
    if (by_turns)
        compare(other, want);
    tsk_dir_forget();
    tsk_fs_dir_close(got);
    tsk_fs_dir_close(other);
    tsk_fs_dir_close(want);
}

Test(tsk_dir, names_that_are_there_twice_are_listed_as_libtsk_does)
{
    compare_of(TSK_FS_TYPE_NTFS, false);
    compare_of(TSK_FS_TYPE_EXT4, false);
    compare_of(TSK_FS_TYPE_FAT16, false);
}

Test(tsk_dir, two_folders_may_grow_by_turns)
{
    compare_of(TSK_FS_TYPE_NTFS, true);
}

/* A folder that is emptied and filled with as many others must not be taken for the one before. */
Test(tsk_dir, a_folder_that_begins_anew_has_none_of_the_names_before)
{
    TSK_FS_INFO info = {.tag = TSK_FS_INFO_TAG, .ftype = TSK_FS_TYPE_NTFS};
    TSK_FS_DIR *got = dir_new(&info), *want = dir_new(&info);

    fill(tsk_fs_dir_add, got, 0, 300);
    got->names_used = 0;
    for (int twice = 0; twice < 2; twice++) { /* so that the first few are there twice, too */
        fill(tsk_fs_dir_add, got, 300, 400);
        fill(of_libtsk(), want, 300, 400);
    }
    compare(got, want);
    tsk_dir_forget();
    tsk_fs_dir_close(got);
    tsk_fs_dir_close(want);
}

/* libtsk empties a folder and fills it anew in the same memory: 32 names and then one of them again, as
 * before. */
Test(tsk_dir, a_folder_that_begins_anew_with_as_many_names_has_none_of_those_before)
{
    TSK_FS_INFO info = {.tag = TSK_FS_INFO_TAG, .ftype = TSK_FS_TYPE_NTFS};
    TSK_FS_DIR *got = dir_new(&info), *want = dir_new(&info);

    fill(tsk_fs_dir_add, got, 0, 32);
    for (int i = 0; i < 40; i++)
        add(tsk_fs_dir_add, got, 31 * 37, false);
    cr_assert_eq(got->names_used, 32);
    got->names_used = 0;
    for (unsigned from = 100; from <= 110; from += 10) {
        fill(tsk_fs_dir_add, got, from, 132);
        fill(of_libtsk(), want, from, 132);
    }
    compare(got, want);
    tsk_dir_forget();
    tsk_fs_dir_close(got);
    tsk_fs_dir_close(want);
}

/* A name that is replaced gets other memory, be it the last one. */
Test(tsk_dir, a_name_in_use_takes_the_place_of_a_deleted_one)
{
    TSK_FS_INFO info = {.tag = TSK_FS_INFO_TAG, .ftype = TSK_FS_TYPE_NTFS};
    TSK_FS_DIR *got = dir_new(&info), *want = dir_new(&info);

    got->addr = want->addr = 5;
    got->seq = want->seq = 7;
    for (unsigned i = 0; i < 600; i++) {
        for (int in_use = 0; in_use < 3; in_use++) {
            add(tsk_fs_dir_add, got, i, in_use % 2 == 0 && i % 3 != 0);
            add(of_libtsk(), want, i, in_use % 2 == 0 && i % 3 != 0);
        }
        add(tsk_fs_dir_add, got, i / 2, i % 5 == 0);
        add(of_libtsk(), want, i / 2, i % 5 == 0);
    }
    cr_assert_eq(want->names_used, 600);
    compare(got, want);
    tsk_dir_forget();
    tsk_fs_dir_close(got);
    tsk_fs_dir_close(want);
}

/* Of each name, of its neighbours' addresses, and of texts that libtsk's hash takes for the same. */
static void compare_contained(TSK_FS_DIR *dir, TSK_FS_DIR *same)
{
    unsigned in_use = 0, deleted = 0;

    for (size_t i = 0; i < same->names_used; i++) {
        uint32_t hash = tsk_fs_dir_hash(same->names[i].name);

        for (TSK_INUM_T other = 0; other < 3; other++) {
            TSK_INUM_T number = same->names[i].meta_addr + other;
            uint8_t got = tsk_fs_dir_contains(dir, number, hash);

            cr_expect_eq(got, contains_of_libtsk()(same, number, hash));
            in_use += got == TSK_FS_NAME_FLAG_ALLOC;
            deleted += got == TSK_FS_NAME_FLAG_UNALLOC;
        }
    }
    cr_assert_eq(tsk_fs_dir_contains(dir, 1, 1), contains_of_libtsk()(same, 1, 1));
    cr_assert_gt(in_use, 2);
    cr_assert_gt(deleted, 2);
}

Test(tsk_dir, a_folder_contains_what_libtsk_finds_in_it)
{
    TSK_FS_INFO info = {.tag = TSK_FS_INFO_TAG, .ftype = TSK_FS_TYPE_NTFS};
    TSK_FS_DIR *got = dir_new(&info), *want = dir_new(&info);

    for (unsigned i = 0; i < 3000; i++) {
        char text[32];
        TSK_FS_NAME name = {
            .tag = TSK_FS_NAME_TAG, .name = text, .name_size = sizeof text, .meta_addr = 40 + i % 71};

        snprintf(text, sizeof text, "%.*sname %u", (int)(i / 100 % 8), "////////", i % 97); /* one hash */
        name.flags = i % 11 < 3 ? TSK_FS_NAME_FLAG_ALLOC : i % 11 < 9 ? TSK_FS_NAME_FLAG_UNALLOC : 0;
        cr_assert_eq(tsk_fs_dir_add(got, &name), 0);
        cr_assert_eq(of_libtsk()(want, &name), 0);
        if (i == 20 || i == 60 || i == 2999) /* few names, and while it grows */
            compare_contained(got, want);
    }
    cr_assert_gt(want->names_used, 2000);
    compare(got, want);
    tsk_dir_forget();
    compare_contained(got, want); /* of a folder that was there before */
    tsk_dir_forget();
    tsk_fs_dir_close(got);
    tsk_fs_dir_close(want);
}

/* Else libtsk would call its own. */
Test(tsk_dir, libtsk_calls_the_programs_function)
{
    add_function *ours = tsk_fs_dir_add, *found;
    void *symbol = dlsym(RTLD_DEFAULT, "tsk_fs_dir_add");

    memcpy(&found, &symbol, sizeof found);
    cr_assert(found == ours);
    cr_assert(of_libtsk() != ours && of_libtsk() != NULL);
    cr_assert(dlsym(RTLD_DEFAULT, "tsk_fs_dir_contains") != dlsym(RTLD_NEXT, "tsk_fs_dir_contains"));
    cr_assert(contains_of_libtsk() != tsk_fs_dir_contains && contains_of_libtsk() != NULL);
}
