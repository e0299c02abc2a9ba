/* Compound Files end with the highest sector that their allocation table has in use. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FAT = 512, DIRECTORY = 1024, MINI_FAT = 1536, MINI = 2048, BIG = 2560, SIZE = BIG + 4608 };

static uint8_t file[SIZE + 20000];

static void le(size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        file[at + i] = (uint8_t)(value >> (8 * i));
}

static void entry(size_t number, const char *name, uint8_t type, uint32_t start, uint32_t size)
{
    size_t at = DIRECTORY + 128 * number;

    for (size_t i = 0; name[i] != '\0'; i++)
        file[at + 2 * i] = (uint8_t)name[i];
    file[at + 64] = (uint8_t)(2 * strlen(name) + 2);
    file[at + 66] = type;
    file[at + 67] = 1;
    memset(file + at + 68, 0xff, 12);
    le(at + 116, start);
    le(at + 120, size);
}

static void summary(void)
{
    static const uint8_t head[] = {0xfe, 0xff};

    memcpy(file + MINI, head, 2);
    le(MINI + 24, 1);
    le(MINI + 44, 48);
    le(MINI + 48, 100);
    le(MINI + 52, 2);
    le(MINI + 56, 1);
    le(MINI + 60, 24);
    le(MINI + 64, 2);
    le(MINI + 68, 32);
    le(MINI + 72, 2);
    le(MINI + 76, 1251);
    le(MINI + 80, 0x1e);
    le(MINI + 84, 6);
    memcpy(file + MINI + 88, "\xcf\xeb\xe0\xed 1", 6);
}

/* Sector 0: FAT; 1: directory; 2: mini FAT; 3: mini stream; 4 to 12: a stream of records. */
static void make(void)
{
    static const uint8_t head[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};

    memset(file, 0, sizeof file);
    memcpy(file, head, 8);
    memcpy(file + 24, "\x3e\0\3\0\xfe\xff\x09\0\6", 9);
    le(44, 1);
    le(48, 1);
    le(56, 4096);
    le(60, 2);
    le(64, 1);
    le(68, 0xfffffffe);
    memset(file + 80, 0xff, 432);
    memset(file + FAT, 0xff, 512);
    le(FAT, 0xfffffffd);
    for (uint32_t i = 1; i <= 3; i++)
        le(FAT + 4 * i, 0xfffffffe);
    for (uint32_t i = 4; i <= 12; i++)
        le(FAT + 4 * i, i == 12 ? 0xfffffffe : i + 1);
    entry(0, "Root Entry", 5, 3, 192);
    entry(1, "\005SummaryInformation", 2, 0, 150);
    entry(2, "Workbook", 2, 4, 4600);
    memset(file + MINI_FAT, 0xff, 512);
    le(MINI_FAT, 1);
    le(MINI_FAT + 4, 2);
    le(MINI_FAT + 8, 0xfffffffe);
    summary();
    for (size_t at = BIG, i = 0; at + 100 <= BIG + 4600; at += 100, i++) {
        file[at] = i == 0 ? 9 : 0x3c;
        file[at + 1] = i == 0 ? 8 : 0;
        file[at + 2] = 96;
        memset(file + at + 4, 0x55, 96);
    }
}

Test(ole2, whole_is_validated_and_told)
{
    struct carved carved;

    make();
    cr_assert(harness_holds("ole2", file, SIZE, CARVE_VALIDATED, SIZE));
    carved = harness_examine("ole2", file, SIZE);
    cr_assert_str_eq(carved.extension, "xls");
    cr_assert_str_eq(carved.title, "\xd0\x9f\xd0\xbb\xd0\xb0\xd0\xbd 1");
}

Test(ole2, two_back_to_back_are_two)
{
    make();
    memcpy(file + SIZE, file, SIZE);
    cr_assert_eq(harness_examine("ole2", file, 2 * SIZE).size, SIZE);
    cr_assert_eq(harness_examine("ole2", file, 2 * SIZE).grade, CARVE_VALIDATED);
}

Test(ole2, chains_that_contradict_each_other_are_not_validated)
{
    static const struct {
        size_t at;
        uint32_t value;
    } changes[] = {
        {FAT + 4 * 6, 6},             /* a loop */
        {FAT + 4 * 6, 3},             /* two in one sector */
        {FAT + 4 * 6, 0xfffffffe},    /* too short */
        {FAT + 4 * 12, 13},           /* into what is free */
        {FAT + 4 * 13, 0xfffffffe},   /* in use by none */
        {MINI_FAT + 4, 1},            /* a loop of mini sectors */
        {DIRECTORY + 256 + 120, 9999} /* longer than its chain */
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        make();
        le(changes[i].at, changes[i].value);
        cr_assert(harness_examine("ole2", file, SIZE + 1024).grade < CARVE_VALIDATED, "change %zu", i);
    }
}

Test(ole2, a_gap_in_a_streams_records_is_seen)
{
    static uint8_t gapped[SIZE + 4096];
    struct carved carved;

    make();
    memcpy(gapped, file, BIG + 1024);
    memset(gapped + BIG + 1024, 0x99, 4096);
    memcpy(gapped + BIG + 1024 + 4096, file + BIG + 1024, SIZE - BIG - 1024);
    carved = harness_examine("ole2", gapped, sizeof gapped);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert(carved.good > BIG && carved.good <= BIG + 1024, "good %zu", (size_t)carved.good);
    cr_assert_eq(harness_examine_split("ole2", file, SIZE, BIG + 1024, 4096).grade, CARVE_VALIDATED);
}

Test(ole2, a_missing_table_leaves_a_fragment)
{
    make();
    memset(file + FAT, 0x33, 512);
    cr_assert_eq(harness_examine("ole2", file, SIZE).grade, CARVE_FRAGMENT);
}
