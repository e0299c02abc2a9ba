/* hashset, format, build, sort: what goes in is found, what did not is not, and damage is told. */
#include "engine/hashset/build.h"
#include "engine/hashset/format.h"
#include "engine/hashset/sort.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kvali-hashset-XXXXXX";
static char path[64];

static void set_up(void)
{
    cr_assert_eq(hash_setup(), 0);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.kvset", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(hashset, .init = set_up, .fini = tear_down);

/* Keys that look like digests: of the number and the algorithm. */
static void key_of(uint64_t number, unsigned algorithm, uint8_t key[HASHSET_KEY_MAX])
{
    uint64_t x = number * 3 + algorithm + 1;

    for (size_t i = 0; i < HASHSET_KEY_MAX; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x *= UINT64_C(0x9e3779b97f4a7c15);
        key[i] = (uint8_t)(x >> 56);
    }
}

static void add(struct hashset_build *build, uint64_t number, uint32_t label, uint64_t line)
{
    uint8_t values[HASHSET_ALGORITHMS][HASHSET_KEY_MAX];
    const uint8_t *keys[HASHSET_ALGORITHMS];

    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++) {
        key_of(number, i, values[i]);
        keys[i] = values[i];
    }
    cr_assert_eq(hashset_build_row(build, keys, label, line), 0);
}

static struct hashset_build *begin(bool labelled)
{
    struct hashset_build_options options = {.path = path,
                                            .name = "a",
                                            .kind = HASHSET_ALERT,
                                            .labelled = labelled,
                                            .replace = true,
                                            .memory = HASHSET_MEMORY_MIN};
    struct hashset_build *build;
    struct why why = {{0}};

    cr_assert_eq(hashset_build_new(&options, &build, &why), 0, "%s", why.text);
    cr_assert_eq(hashset_build_source(build, "list.txt", "test"), 0);
    return build;
}

static void end(struct hashset_build *build, uint64_t lines)
{
    static const char sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct why why = {{0}};

    hashset_build_source_end(build, lines, 100, sha256);
    cr_assert_eq(hashset_build_finish(build, &why), 0, "%s", why.text);
    hashset_build_free(build);
}

static struct hashset *reopen(void)
{
    struct hashset *set;
    struct why why = {{0}};

    cr_assert_eq(hashset_open(path, &set, &why), 0, "%s", why.text);
    return set;
}

static void make(uint64_t rows)
{
    struct hashset_build *build = begin(false);

    for (uint64_t i = 0; i < rows; i++)
        add(build, i, 0, i + 1);
    end(build, rows);
}

static int64_t find(const struct hashset *set, uint64_t number, unsigned algorithm, uint64_t *ret_first)
{
    uint8_t key[HASHSET_KEY_MAX];

    key_of(number, algorithm, key);
    return hashset_find(set, (enum hashset_algorithm)algorithm, key, ret_first);
}

Test(hashset, every_row_is_found_by_all_its_hashes_and_says_where_it_came_from)
{
    enum { ROWS = 20000 };
    struct hashset *set;
    uint64_t first, line, damaged;
    struct why why = {{0}};

    make(ROWS);
    set = reopen();
    cr_expect_eq(hashset_info(set)->rows, ROWS);
    cr_expect_eq(hashset_info(set)->kind, HASHSET_ALERT);
    for (uint64_t i = 0; i < ROWS; i++) {
        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++) {
            struct hashset_entry entry;

            cr_assert_eq(find(set, i, a, &first), 1);
            cr_assert(hashset_entry(set, (enum hashset_algorithm)a, first, &entry));
            cr_assert_str_eq(hashset_row_source(set, entry.row, &line).name, "list.txt");
            cr_assert_eq(line, i + 1);
        }
    }
    cr_expect_eq(hashset_verify(set, NULL, NULL, &damaged, &why), 0, "%s", why.text);
    hashset_close(set);
}

Test(hashset, what_is_not_in_it_is_not_found)
{
    struct hashset *set;
    uint64_t first;

    make(5000);
    set = reopen();
    for (uint64_t i = 5000; i < 305000; i++)
        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++)
            cr_assert_eq(find(set, i, a, &first), 0);
    hashset_close(set);
}

Test(hashset, many_at_once_are_the_same_as_one_by_one)
{
    enum { COUNT = 1000 };
    static uint8_t keys[COUNT * SHA1_SIZE];
    uint64_t many[COUNT], first;
    struct hashset *set;

    make(COUNT / 2);
    set = reopen();
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t key[HASHSET_KEY_MAX];

        key_of(i, HASHSET_SHA1, key);
        memcpy(keys + i * SHA1_SIZE, key, SHA1_SIZE);
    }
    hashset_find_many(set, HASHSET_SHA1, keys, COUNT, many);
    for (size_t i = 0; i < COUNT; i++) {
        first = UINT64_MAX;
        hashset_find(set, HASHSET_SHA1, keys + i * SHA1_SIZE, &first);
        cr_assert_eq(many[i], first);
        cr_assert_eq(first != UINT64_MAX, i < COUNT / 2);
    }
    hashset_close(set);
}

Test(hashset, an_empty_set_and_one_entry_are_sets)
{
    struct hashset *set;
    uint64_t first;

    for (uint64_t rows = 0; rows < 2; rows++) {
        make(rows);
        set = reopen();
        cr_expect_eq(find(set, 0, HASHSET_MD5, &first), (int64_t)rows);
        hashset_close(set);
    }
}

Test(hashset, a_row_that_comes_twice_is_one_entry_and_other_labels_are_others)
{
    struct hashset_build *build = begin(true);
    uint32_t one = hashset_build_label(build, "1", 1, "series", 6, "a, b", 4),
             two = hashset_build_label(build, "2", 1, NULL, 0, NULL, 0);
    struct hashset_entry entry;
    struct hashset *set;
    uint64_t first;

    cr_assert_neq(one, two);
    cr_assert_eq(hashset_build_label(build, "1", 1, "series", 6, "a, b", 4), one);
    add(build, 7, two, 1);
    add(build, 7, one, 2);
    add(build, 7, two, 3);
    end(build, 3);
    set = reopen();
    cr_assert_eq(find(set, 7, HASHSET_SHA256, &first), 2);
    cr_assert(hashset_entry(set, HASHSET_SHA256, first, &entry));
    cr_expect_eq(entry.row, 1);
    cr_expect(entry.category_size == 1 && entry.category[0] == '1');
    cr_expect(entry.series_size == 6 && memcmp(entry.series, "series", 6) == 0);
    cr_expect(entry.tags_size == 4 && memcmp(entry.tags, "a, b", 4) == 0);
    cr_assert(hashset_entry(set, HASHSET_SHA256, first + 1, &entry));
    cr_expect_eq(entry.row, 0);
    cr_expect(entry.category_size == 1 && entry.category[0] == '2' && entry.series == NULL);
    hashset_close(set);
}

static uint8_t *slurp(size_t *ret_size)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    uint8_t *data;

    cr_assert_eq(fstat(fd, &st), 0);
    data = malloc((size_t)st.st_size);
    cr_assert_eq(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return data;
}

static void spit(const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

    cr_assert_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
}

Test(hashset, the_same_rows_give_the_same_file)
{
    size_t one_size, two_size;
    uint8_t *one, *two;

    make(3000);
    one = slurp(&one_size);
    make(3000);
    two = slurp(&two_size);
    cr_assert_eq(one_size, two_size);
    cr_assert_eq(memcmp(one, two, one_size), 0);
    free(one);
    free(two);
}

Test(hashset, cut_short_or_longer_it_is_refused_with_the_reason)
{
    struct hashset *set;
    size_t size;
    uint8_t *data;

    make(100);
    data = slurp(&size);
    for (size_t cut = 0; cut < size; cut += 97) {
        struct why why = {{0}};

        spit(data, cut);
        cr_assert_eq(hashset_open(path, &set, &why), -EBADMSG);
        cr_assert_not_null(strstr(why.text, path));
        cr_assert_not_null(strstr(why.text, cut < HASHSET_HEADER ? "too short" : "cut short"), "%s",
                           why.text);
    }
    free(data);
}

/* Whole, or else refused when it is opened, or told by verify. */
static bool is_whole(void)
{
    struct hashset *set;
    struct why why = {{0}};
    uint64_t damaged = 0;
    bool whole;

    if (hashset_open(path, &set, &why) < 0)
        return false;
    whole = hashset_verify(set, NULL, NULL, &damaged, &why) == 0;
    for (uint64_t i = 0; i < 50; i++) /* and a look-up in the damaged set keeps its bounds */
        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++)
            find(set, i, a, &damaged);
    hashset_close(set);
    return whole;
}

Test(hashset, one_flipped_bit_anywhere_is_found)
{
    size_t size;
    uint8_t *data;

    make(60);
    data = slurp(&size);
    cr_assert(is_whole());
    for (size_t bit = 3; bit < size * 8; bit += 61) {
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        spit(data, size);
        cr_assert_not(is_whole(), "bit %zu of %zu", bit, size * 8);
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    free(data);
}

/* Whatever bit is wrong, a look-up says what it said before, or that it cannot say. */
Test(hashset, a_damaged_set_gives_no_wrong_answer)
{
    uint64_t first, entries = 0, unknown = 0;
    size_t size;
    uint8_t *data;

    make(20000);
    data = slurp(&size);
    for (size_t bit = 8 * HASHSET_HEADER; bit < size * 8; bit += 300007) {
        struct why why = {{0}};
        struct hashset *set;

        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        spit(data, size);
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (hashset_open(path, &set, &why) < 0)
            continue;
        for (uint64_t i = 0; i < 40000; i += 37) {
            unsigned algorithm = (unsigned)(i % HASHSET_ALGORITHMS);
            int64_t found = find(set, i, algorithm, &first);
            struct hashset_entry entry;

            cr_assert(found == (i < 20000) || found == -EBADMSG);
            unknown += found == -EBADMSG;
            if (found == 1 && hashset_entry(set, (enum hashset_algorithm)algorithm, first, &entry)) {
                cr_assert_eq(entry.row, i);
                entries++;
            }
            cr_assert_eq(found == -EBADMSG && hashset_damage(set) == UINT64_MAX, false);
        }
        hashset_close(set);
    }
    cr_assert(unknown > 1000 && entries > 1000, "%llu unknown, %llu entries", (unsigned long long)unknown,
              (unsigned long long)entries);
    free(data);
}

Test(hashset, many_at_once_in_a_damaged_set_say_so)
{
    uint8_t keys[2 * HASHSET_KEY_MAX];
    struct hashset *set;
    uint64_t many[2];
    size_t size;
    uint8_t *data;

    make(20000);
    data = slurp(&size);
    data[HASHSET_HEADER + 100] ^= 1; /* in the MD5 entries */
    spit(data, size);
    set = reopen();
    key_of(1, HASHSET_MD5, keys);
    key_of(2, HASHSET_MD5, keys + MD5_SIZE);
    hashset_find_many(set, HASHSET_MD5, keys, 2, many);
    cr_expect(many[0] == HASHSET_UNKNOWN && many[1] == HASHSET_UNKNOWN);
    hashset_close(set);
    free(data);
}

Test(hashset, a_set_with_many_rows_twice_is_folded_and_whole)
{
    struct hashset_build *build = begin(false);
    struct hashset *set;
    uint64_t first, damaged;
    struct why why = {{0}};

    for (uint64_t i = 0; i < 90000; i++)
        add(build, i % 9000, 0, i + 1);
    end(build, 90000);
    set = reopen();
    cr_expect_eq(hashset_info(set)->count[HASHSET_SHA1], 9000);
    cr_expect_lt(hashset_info(set)->file_size, 9000 * (20 + 24 + 36 + 3 * 8));
    cr_expect_eq(hashset_verify(set, NULL, NULL, &damaged, &why), 0, "%s", why.text);
    for (uint64_t i = 0; i < 18000; i++)
        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++)
            cr_assert_eq(find(set, i, a, &first), i < 9000);
    hashset_close(set);
}

static int count_similar(void *context, const struct hashset_similar_hash *hash)
{
    cr_assert(hash->hash_size == 3 && hash->row == 0 && hash->name_size == 4);
    ++*(unsigned *)context;
    return 0;
}

Test(hashset, similarity_hashes_come_out_in_order_and_where_there_are_none_nothing_is_read)
{
    struct hashset_build *build = begin(false);
    struct hashset_layout layout;
    struct hashset *set;
    const char *wrong;
    unsigned seen = 0;
    size_t size;
    uint8_t *data;

    cr_assert_eq(hashset_build_similar(build, HASHSET_TLSH, "abc", 3, "name", 4, 1), 0);
    end(build, 1);
    set = reopen();
    cr_expect_eq(hashset_similar_each(set, HASHSET_TLSH, count_similar, &seen), 0);
    cr_expect_eq(seen, 1);
    hashset_close(set);
    data = slurp(&size);
    cr_assert_eq(layout_decode(data, size, &layout, &wrong), 0);
    layout.similar[HASHSET_SSDEEP].part = (struct hashset_part){UINT64_C(1) << 60, 1};
    layout.tables[HASHSET_MD5].entries.offset = UINT64_MAX;
    layout_encode(&layout, data);
    spit(data, size);
    cr_assert_eq(layout_decode(data, size, &layout, &wrong), 0);
    cr_expect_eq(layout.similar[HASHSET_SSDEEP].part.offset, 0);
    cr_expect_eq(layout.tables[HASHSET_MD5].entries.offset, 0);
    free(data);
    set = reopen();
    cr_expect_eq(hashset_similar_each(set, HASHSET_SSDEEP, count_similar, &seen), 0);
    hashset_close(set);
}

Test(hashset, a_set_that_is_there_is_not_replaced_unless_that_is_wanted)
{
    struct hashset_build_options options = {
        .path = path, .name = "a", .kind = HASHSET_KNOWN, .memory = HASHSET_MEMORY_MIN};
    struct hashset_build *build;
    struct why why = {{0}};

    make(3);
    cr_expect_eq(hashset_build_new(&options, &build, &why), -EEXIST);
    cr_expect_not_null(strstr(why.text, path));
}

static uint64_t random_state = 1;
static uint8_t random_byte(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint8_t)(random_state >> 56);
}

/* `kinds` different bytes: few make many equal entries. */
static void sorts(size_t step, size_t count, size_t memory, unsigned kinds)
{
    struct sorter *sorter;
    uint8_t last[SORTER_STEP_MAX] = {0}, one[SORTER_STEP_MAX];
    const uint8_t *entries;
    uint64_t sum = 0, got = 0;
    size_t seen = 0;
    int64_t some;

    cr_assert_eq(sorter_new(step, memory, folder, &sorter), 0);
    for (size_t i = 0; i < count; i++) {
        uint8_t *slot;

        for (size_t k = 0; k < step; k++)
            sum += one[k] = (uint8_t)(random_byte() % kinds);
        slot = sorter_slot(sorter, one[0]);
        cr_assert_not_null(slot);
        memcpy(slot, one, step);
    }
    cr_assert_eq(sorter_sort(sorter), 0);
    while ((some = sorter_next(sorter, &entries)) > 0) {
        for (int64_t i = 0; i < some; i++, entries += step) {
            cr_assert(memcmp(last, entries, step) <= 0);
            memcpy(last, entries, step);
            for (size_t k = 0; k < step; k++)
                got += entries[k];
            seen++;
        }
    }
    cr_assert_eq(some, 0);
    cr_assert_eq(seen, count);
    cr_assert_eq(sum, got);
    sorter_free(sorter);
}

Test(hashset, entries_come_out_in_order_with_and_without_runs_on_the_disk)
{
    static const size_t steps[] = {20, 24, 36, 28};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        sorts(steps[i], 0, 4096, 256);
        sorts(steps[i], 1, 4096, 256);
        sorts(steps[i], 30000, 1 << 20, 256);
        sorts(steps[i], 30000, 16384, 256);
        sorts(steps[i], 300000, 64 << 20, 256); /* with a thread */
        sorts(steps[i], 300000, 1 << 20, 256);
        sorts(steps[i], 100000, 1 << 20, 3); /* parts that are too large */
        sorts(steps[i], 5000, 1 << 20, 2);
        sorts(steps[i], 5000, 4096, 1);
    }
}
