/* Berkeley DB: every page has its number, and its neighbours point back at it. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PAGE = 512, PAGES = 5, SIZE = PAGE * PAGES };

static uint8_t file[SIZE];

static void put(size_t at, uint32_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        file[at + i] = (uint8_t)(n >> 8 * i);
}

static void put_page(uint32_t number, uint8_t type, uint32_t previous, uint32_t next)
{
    size_t at = number * (size_t)PAGE;

    put(at + 8, number, 4);
    put(at + 12, previous, 4);
    put(at + 16, next, 4);
    put(at + 22, PAGE, 2);
    file[at + 25] = type;
}

/* A key or a value of up to 26 letters. */
static void put_item(uint32_t number, const char *text)
{
    size_t at = number * (size_t)PAGE, count = file[at + 20], length = strlen(text);
    uint32_t lowest = (uint32_t)(file[at + 22] | file[at + 23] << 8) - 32;

    put(at + 22, lowest, 2);
    put(at + 26 + 2 * count, lowest, 2);
    file[at + 20]++;
    put(at + lowest, (uint32_t)length, 2);
    file[at + lowest + 2] = 1;
    memcpy(file + at + lowest + 3, text, length);
}

/* A wallet: a tree of names with one, "main", whose metadata, two leaves and a free page follow. */
static void make(void)
{
    memset(file, 0, sizeof file);
    put(12, 0x053162, 4);
    put(16, 9, 4);
    put(20, PAGE, 4);
    file[25] = 9;
    put(28, 4, 4);
    put(32, PAGES - 1, 4);
    put(88, 1, 4);
    put_page(1, 5, 0, 0);
    put_item(1, "main");
    put_item(1, "\x02\x02\x02\x02");
    put_page(2, 5, 0, 3);
    put_item(2, "key");
    put_item(2, "value");
    put_page(3, 5, 2, 0);
    put_item(3, "other key");
    put_item(3, "other value");
    put_page(4, 0, 0, 0);
}

Test(bdb, whole_is_validated_and_a_prefix_never_is)
{
    make();
    cr_assert(harness_holds("bdb", file, SIZE, CARVE_VALIDATED, SIZE));
    cr_assert_str_eq(harness_examine("bdb", file, SIZE).title, "main");
}

Test(bdb, a_page_that_is_another_cuts_it_there)
{
    struct carved carved;

    make();
    file[3 * PAGE + 8] = 4;
    carved = harness_examine("bdb", file, SIZE);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 2 * PAGE);
    make();
    put(2 * PAGE + 26, PAGE, 2);
    cr_assert_eq(harness_examine("bdb", file, SIZE).good, PAGE);
}

Test(bdb, neighbours_that_do_not_point_back_are_not_validated)
{
    make();
    put(3 * PAGE + 12, 0, 4);
    cr_assert_eq(harness_examine("bdb", file, SIZE).grade, CARVE_COMPLETE);
}

Test(bdb, zeros_are_no_page_of_a_tree)
{
    make();
    memset(file + 3 * PAGE, 0, PAGE);
    cr_assert_eq(harness_examine("bdb", file, SIZE).grade, CARVE_PARTIAL);
}
