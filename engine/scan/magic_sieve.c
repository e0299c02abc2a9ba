/*
 * magic_sieve: see magic_sieve.h.
 *
 * What decides is always something that a test needs, never all that it asks: a test may be taken for
 * possible that is not, which costs time, and never the other way round.
 *
 * A continuation may begin anew with all tests on other bytes of the content (`indirect`), and the rest does
 * not do for those. So every test that leads there is in the sieve.
 */
#include "engine/scan/magic_sieve.h"

#include "engine/base/bytes.h"
#include "engine/scan/magic_test.h"
#include "engine/scan/magic_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LAYOUT = 18, ENTRIES_MAX = 1 << 20 };
static const uint32_t magic_number = 0xf11e041c;

/* A number below another, unsigned: what is not equality and leads to `indirect`. */
struct below {
    uint32_t offset;
    size_t size;
    bool big;
    uint64_t limit;
};

struct magic_sieve {
    uint8_t *file;
    size_t file_size;
    size_t tests, named; /* entries of the list, and behind it of the lists that entries use by name */
    size_t *use;         /* of each entry, the named list that it uses, or NONE */
    bool *leads;         /* of each entry of level 0: there is an `indirect` in it or below */
    struct magic_test *first,
        *other; /* with offset 0, and those that begin with a byte sorted by it; the others */
    size_t first_count, other_count,
        begin[257]; /* first[begin[b]] to first[begin[b + 1] - 1]: those with byte b */
    struct below *belows;
    size_t below_count;
    uint8_t *rest;
    size_t rest_size;
    struct magic_text *text;
};

static const size_t NONE = SIZE_MAX;

static uint8_t *entry_at(const struct magic_sieve *sieve, size_t place)
{
    return sieve->file + (place + 1) * MAGIC_ENTRY_SIZE;
}

static size_t all(const struct magic_sieve *sieve)
{
    return sieve->tests + sieve->named;
}

void magic_sieve_close(struct magic_sieve *sieve)
{
    if (sieve == NULL)
        return;
    if (sieve->file != NULL)
        munmap(sieve->file, sieve->file_size);
    magic_text_free(sieve->text);
    free(sieve->use);
    free(sieve->leads);
    free(sieve->first);
    free(sieve->other);
    free(sieve->belows);
    free(sieve->rest);
    free(sieve);
}

/* ---------------------------------------------------------------- the file */

static int map_file(struct magic_sieve *sieve, const char *path)
{
    struct stat status;
    void *at = MAP_FAILED;
    int rc, descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return -errno;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    rc = at == MAP_FAILED ? -EINVAL : 0;
    close(descriptor);
    if (rc == 0) {
        sieve->file = at;
        sieve->file_size = (size_t)status.st_size;
    }
    return rc;
}

/* The first entry's place has the number, the layout's version and how many entries each list has. */
static bool read_head(struct magic_sieve *sieve)
{
    struct bytes bytes;
    bool known;

    bytes_init(&bytes, sieve->file, sieve->file_size);
    known = bytes_u32le(&bytes) == magic_number && bytes_u32le(&bytes) == LAYOUT;
    sieve->tests = bytes_u32le(&bytes);
    sieve->named = bytes_u32le(&bytes);
    return known && !bytes_failed(&bytes) && sieve->tests > 0 && sieve->tests <= ENTRIES_MAX &&
           sieve->named <= ENTRIES_MAX && (1 + all(sieve)) * MAGIC_ENTRY_SIZE == sieve->file_size;
}

/* ---------------------------------------------------------------- what leads to `indirect` */

/* `heads`: the `count` places of the named lists. */
static size_t named_list(const struct magic_sieve *sieve, const size_t *heads, size_t count,
                         const uint8_t *name)
{
    const char *text = (const char *)name;

    text += *text == '^'; /* its numbers in the other order */
    for (size_t i = 0; i < count; i++) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, heads[i]), &entry);
        if (strncmp(text, (const char *)entry.value, MAGIC_VALUE_MAX - 1) == 0)
            return heads[i];
    }
    return NONE;
}

static int find_uses(struct magic_sieve *sieve)
{
    size_t *heads = calloc(sieve->named + 1, sizeof *heads);
    size_t count = 0;

    if (heads == NULL)
        return -ENOMEM;
    for (size_t i = all(sieve); i-- > 0;) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, i), &entry);
        if (i >= sieve->tests && entry.level == 0)
            heads[count++] = i;
        sieve->use[i] = NONE;
    }
    for (size_t i = 0; i < all(sieve); i++) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, i), &entry);
        if (entry.type == MAGIC_USE)
            sieve->use[i] = named_list(sieve, heads, count, entry.value);
    }
    free(heads);
    return 0;
}

/* One round over all entries; how many lists were found to lead there that had not been. */
static size_t spread(struct magic_sieve *sieve)
{
    size_t begin = 0, found = 0;

    for (size_t i = 0; i < all(sieve); i++) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, i), &entry);
        if (entry.level == 0 || i == sieve->tests)
            begin = i;
        if (sieve->leads[begin] ||
            (entry.type != MAGIC_INDIRECT && (sieve->use[i] == NONE || !sieve->leads[sieve->use[i]])))
            continue;
        sieve->leads[begin] = true;
        found++;
    }
    return found;
}

static int find_leading(struct magic_sieve *sieve)
{
    sieve->use = calloc(all(sieve), sizeof *sieve->use);
    sieve->leads = calloc(all(sieve), sizeof *sieve->leads);
    if (sieve->use == NULL || sieve->leads == NULL || find_uses(sieve) < 0)
        return -ENOMEM;
    while (spread(sieve) > 0)
        ;
    return 0;
}

/* ---------------------------------------------------------------- sieve and rest */

static bool below_of(const struct magic_entry *entry, struct below *ret_below)
{
    bool big;
    size_t size = magic_entry_number_size(entry, &big);

    if (entry->relation != '<' || !(entry->flag & MAGIC_UNSIGNED) || entry->mask != 0 ||
        entry->mask_operation != 0 || entry->offset < 0 || (entry->flag & MAGIC_ELSEWHERE) || size == 0)
        return false;
    *ret_below = (struct below){(uint32_t)entry->offset, size, big, entry->number};
    return true;
}

/* true: taken by the sieve. What looks into text stays in the rest. */
static bool take(struct magic_sieve *sieve, const struct magic_entry *entry, bool leads)
{
    struct magic_test test;

    if ((entry->flag & (MAGIC_BINARY | MAGIC_TEXT)) != MAGIC_BINARY)
        return false;
    if (magic_test_of(entry, &test)) {
        if (test.offset == 0 && test.range == 0)
            sieve->first[sieve->first_count++] = test;
        else
            sieve->other[sieve->other_count++] = test;
        return true;
    }
    if (!leads || !below_of(entry, &sieve->belows[sieve->below_count]))
        return false;
    sieve->below_count++;
    return true;
}

static size_t count_level_0(const struct magic_sieve *sieve)
{
    size_t count = 0;

    for (size_t i = 0; i < sieve->tests; i++) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, i), &entry);
        count += entry.level == 0;
    }
    return count;
}

static int allocate(struct magic_sieve *sieve)
{
    size_t count = count_level_0(sieve) + 1;

    sieve->first = calloc(count, sizeof *sieve->first);
    sieve->other = calloc(count, sizeof *sieve->other);
    sieve->belows = calloc(count, sizeof *sieve->belows);
    sieve->rest = malloc(sieve->file_size);
    return sieve->first && sieve->other && sieve->belows && sieve->rest ? 0 : -ENOMEM;
}

/* -EOPNOTSUPP: a test that leads to `indirect` cannot be taken. */
static int divide(struct magic_sieve *sieve, size_t *ret_kept)
{
    bool taken = false;
    size_t kept = 0;

    for (size_t i = 0; i < sieve->tests; i++) {
        struct magic_entry entry;

        magic_entry_read(entry_at(sieve, i), &entry);
        if (entry.level == 0) {
            taken = take(sieve, &entry, sieve->leads[i]);
            if (!taken && sieve->leads[i])
                return -EOPNOTSUPP;
        }
        if (!taken)
            memcpy(sieve->rest + (1 + kept++) * MAGIC_ENTRY_SIZE, entry_at(sieve, i), MAGIC_ENTRY_SIZE);
    }
    *ret_kept = kept;
    return 0;
}

static void end_rest(struct magic_sieve *sieve, size_t kept)
{
    uint32_t count = (uint32_t)kept;

    memcpy(sieve->rest, sieve->file, MAGIC_ENTRY_SIZE);
    memcpy(sieve->rest + 8, &count, sizeof count);
    memcpy(sieve->rest + (1 + kept) * MAGIC_ENTRY_SIZE, entry_at(sieve, sieve->tests),
           sieve->named * MAGIC_ENTRY_SIZE);
    sieve->rest_size = (1 + kept + sieve->named) * MAGIC_ENTRY_SIZE;
}

/* ---------------------------------------------------------------- by the first byte */

static bool has_first_byte(const struct magic_test *test)
{
    return test->mask[0] == 0xff;
}

static int by_first_byte(const void *left, const void *right)
{
    const struct magic_test *a = left, *b = right;

    if (has_first_byte(a) != has_first_byte(b))
        return has_first_byte(a) ? -1 : 1;
    return (int)a->value[0] - (int)b->value[0];
}

/* Those without one are behind those of byte 255, and are looked at for every content. */
static void sort_first(struct magic_sieve *sieve)
{
    size_t place = 0;

    if (sieve->first_count > 1)
        qsort(sieve->first, sieve->first_count, sizeof *sieve->first, by_first_byte);
    for (unsigned byte = 0; byte < 256; byte++) {
        sieve->begin[byte] = place;
        while (place < sieve->first_count && has_first_byte(&sieve->first[place]) &&
               sieve->first[place].value[0] == byte)
            place++;
    }
    sieve->begin[256] = place;
}

static int set_up(struct magic_sieve *sieve, const char *path)
{
    size_t kept = 0;
    int rc = map_file(sieve, path);

    if (rc == 0 && !read_head(sieve))
        rc = -EOPNOTSUPP;
    if (rc == 0)
        rc = find_leading(sieve);
    if (rc == 0)
        rc = allocate(sieve);
    if (rc == 0)
        rc = divide(sieve, &kept);
    if (rc < 0)
        return rc;
    end_rest(sieve, kept);
    sort_first(sieve);
    return magic_text_new(sieve->rest + MAGIC_ENTRY_SIZE, kept, &sieve->text);
}

int magic_sieve_open(const char *path, struct magic_sieve **ret_sieve, struct why *why)
{
    struct magic_sieve *sieve = calloc(1, sizeof *sieve);
    int rc = sieve != NULL ? set_up(sieve, path) : -ENOMEM;

    if (rc < 0) {
        magic_sieve_close(sieve);
        sieve = NULL;
    }
    if (rc < 0 && rc != -EOPNOTSUPP)
        return why_set(why, rc, "%s: %s", path, strerror(-rc));
    *ret_sieve = sieve;
    return 0;
}

void *magic_sieve_rest(struct magic_sieve *sieve, size_t *ret_size)
{
    *ret_size = sieve->rest_size;
    return sieve->rest;
}

/* ---------------------------------------------------------------- a content */

static bool any_stands(const struct magic_test *tests, size_t count, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (magic_test_stands(&tests[i], data, size))
            return true;
    return false;
}

static bool is_below(const struct below *below, const uint8_t *data, size_t size)
{
    uint64_t number = 0;

    if (below->offset > size || below->size > size - below->offset)
        return false;
    for (size_t i = 0; i < below->size; i++)
        number = number << 8 | data[below->offset + (below->big ? i : below->size - 1 - i)];
    return number < below->limit;
}

static bool binary_passes(const struct magic_sieve *sieve, const uint8_t *data, size_t size)
{
    const size_t *begin = sieve->begin;
    uint8_t byte = size > 0 ? data[0] : 0;

    if (any_stands(sieve->first + begin[byte], begin[byte + 1] - begin[byte], data, size) ||
        any_stands(sieve->first + begin[256], sieve->first_count - begin[256], data, size) ||
        any_stands(sieve->other, sieve->other_count, data, size))
        return true;
    for (size_t i = 0; i < sieve->below_count; i++)
        if (is_below(&sieve->belows[i], data, size))
            return true;
    return false;
}

bool magic_sieve_passes(struct magic_sieve *sieve, const uint8_t *data, size_t size, bool text)
{
    if (binary_passes(sieve, data, size))
        return true;
    if (text)
        magic_text_choose(sieve->text, data, size);
    return false;
}
