/*
 * hashset: the reader. The mapping is shared and read only. Nothing of a chunk is used before the chunk was
 * held against its checksum, which is done once and when it is first needed: so opening takes no time, and
 * damage cannot give an answer.
 */
#include "engine/hashset/format.h"
#include "engine/hashset/reader.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum chunk_state { CHUNK_UNKNOWN, CHUNK_WHOLE, CHUNK_DAMAGED };

struct hashset {
    const uint8_t *data;
    uint8_t *chunks; /* enum chunk_state of each */
    struct hash_sha256 *hash;
    struct hashset_layout layout;
    struct hashset_info info;
    struct hashset_source *sources;
    char *source_text;
};

static uint32_t le32(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint32_t be32(const uint8_t *data)
{
    return (uint32_t)data[3] | (uint32_t)data[2] << 8 | (uint32_t)data[1] << 16 | (uint32_t)data[0] << 24;
}

static uint64_t le64(const uint8_t *data)
{
    return (uint64_t)le32(data) | (uint64_t)le32(data + 4) << 32;
}

/* ------------------------------------------------------------------ chunks */

static uint64_t chunk_offset(uint64_t number)
{
    return HASHSET_HEADER + number * HASHSET_CHUNK;
}

static bool check_chunk(const struct hashset *set, uint64_t number)
{
    const struct hashset_part *sums = &set->layout.chunk_part;
    uint64_t offset = chunk_offset(number), left = sums->offset - offset;
    size_t size = left < HASHSET_CHUNK ? (size_t)left : HASHSET_CHUNK;
    uint8_t sha256[SHA256_SIZE];
    bool whole;

    /* One read of the disk instead of one a page. */
    (void)madvise((void *)(set->data + offset), size, MADV_WILLNEED);
    hash_sha256_update(set->hash, set->data + offset, size);
    hash_sha256_final(set->hash, sha256);
    whole = memcmp(sha256, set->data + sums->offset + number * SHA256_SIZE, SHA256_SIZE) == 0;
    set->chunks[number] = whole ? CHUNK_WHOLE : CHUNK_DAMAGED;
    return whole;
}

/* May bytes [offset, offset + size) of the file, which are in a part and so between header and checksums, be
 * used? */
static inline bool is_whole(const struct hashset *set, uint64_t offset, uint64_t size)
{
    uint64_t first = (offset - HASHSET_HEADER) / HASHSET_CHUNK,
             last = (offset + size - 1 - HASHSET_HEADER) / HASHSET_CHUNK;

    for (; first <= last; first++)
        if (set->chunks[first] != CHUNK_WHOLE &&
            (set->chunks[first] == CHUNK_DAMAGED || !check_chunk(set, first)))
            return false;
    return true;
}

uint64_t hashset_damage(const struct hashset *set)
{
    for (uint64_t i = 0; i < set->layout.chunk_part.size / SHA256_SIZE; i++)
        if (set->chunks[i] == CHUNK_DAMAGED)
            return chunk_offset(i);
    return UINT64_MAX;
}

/* ------------------------------------------------------------------ opening */

static int map(const char *path, uint8_t const **ret_data, uint64_t *ret_size, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc = 0;
    struct stat st;
    void *data;

    if (fd < 0)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        rc = why_set(why, -errno, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = why_set(why, -EBADMSG, "%s: it is not a file", path);
    else if (st.st_size < HASHSET_HEADER)
        rc = why_set(why, -EBADMSG, "%s: it is too short for a hash set", path);
    if (rc == 0) {
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            rc = why_set(why, -errno, "%s: %s", path, strerror(errno));
        else
            *ret_data = data;
    }
    if (rc == 0)
        *ret_size = (uint64_t)st.st_size;
    close(fd);
    return rc;
}

/* One field of a line up to the next TAB; NULL when the line is over. */
static char *field(char **at)
{
    char *start = *at, *end;

    if (start == NULL)
        return NULL;
    end = strchr(start, '\t');
    *at = end != NULL ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return start;
}

static bool take_number(char **at, uint64_t *ret)
{
    char *text = field(at), *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

/* "sha256 TAB size TAB first TAB rows TAB format TAB name LF" each. */
static bool read_sources(struct hashset *set)
{
    const struct hashset_part *part = &set->layout.source_part;
    char *line, *next;

    set->source_text = malloc((size_t)part->size + 1);
    set->sources = calloc((size_t)set->layout.sources + 1, sizeof set->sources[0]);
    if (set->source_text == NULL || set->sources == NULL)
        return false;
    memcpy(set->source_text, set->data + part->offset, (size_t)part->size);
    set->source_text[part->size] = '\0';
    next = set->source_text;
    for (size_t i = 0; i < set->layout.sources; i++) {
        struct hashset_source *source = &set->sources[i];
        char *sha256;

        line = next;
        next = strchr(line, '\n');
        if (next == NULL)
            return false;
        *next++ = '\0';
        sha256 = field(&line);
        if (strlen(sha256) != SHA256_HEX_SIZE - 1 || !take_number(&line, &source->size) ||
            !take_number(&line, &source->first) || !take_number(&line, &source->rows))
            return false;
        memcpy(source->sha256, sha256, SHA256_HEX_SIZE);
        source->format = field(&line);
        source->name = field(&line);
        if (source->name == NULL || !text_is_escaped(source->name) || !text_is_escaped(source->format))
            return false;
    }
    return true;
}

/* One read for all of the table of checksums. */
static void prepare_table(const struct hashset *set)
{
    uint64_t page = set->layout.chunk_part.offset & ~UINT64_C(4095);

    (void)madvise((void *)(set->data + page), (size_t)(set->layout.file_size - page), MADV_WILLNEED);
}

static int check(struct hashset *set, uint64_t size, const char **ret_wrong)
{
    const struct hashset_part *chunks = &set->layout.chunk_part;
    char hex[SHA256_HEX_SIZE];
    uint8_t sha256[SHA256_SIZE];
    int rc = layout_decode(set->data, size, &set->layout, ret_wrong);

    if (rc < 0)
        return rc;
    set->hash = hash_sha256_new();
    set->chunks = calloc((size_t)(chunks->size / SHA256_SIZE) + 1, 1);
    if (set->hash == NULL || set->chunks == NULL)
        return *ret_wrong = "no memory", -ENOMEM;
    prepare_table(set);
    hash_sha256_hex(set->data + chunks->offset, (size_t)chunks->size, hex);
    if (!text_unhex(hex, sha256, SHA256_SIZE) || memcmp(sha256, set->layout.chunks_sha256, SHA256_SIZE) != 0)
        return *ret_wrong = "its table of checksums is damaged", -EBADMSG;
    if (set->layout.source_part.size > 64 << 20 ||
        (set->layout.source_part.size > 0 &&
         !is_whole(set, set->layout.source_part.offset, set->layout.source_part.size)) ||
        !read_sources(set))
        return *ret_wrong = "its list of sources is damaged", -EBADMSG;
    if (!text_is_escaped(set->layout.name))
        return *ret_wrong = "its name is damaged", -EBADMSG;
    return 0;
}

static void fill_info(struct hashset *set)
{
    struct hashset_info *info = &set->info;

    memcpy(info->name, set->layout.name, HASHSET_NAME_SIZE);
    info->kind = (enum hashset_kind)set->layout.kind;
    info->file_size = set->layout.file_size;
    info->rows = set->layout.rows;
    info->labels = set->layout.labels;
    info->sources = (size_t)set->layout.sources;
    for (size_t i = 0; i < HASHSET_ALGORITHMS; i++)
        info->count[i] = set->layout.tables[i].count;
    for (size_t i = 0; i < HASHSET_SIMILARS; i++)
        info->similar[i] = set->layout.similar[i].count;
    hash_sha256_hex(set->data, HASHSET_HEADER, info->sha256);
}

int hashset_open(const char *path, struct hashset **ret_set, struct why *why)
{
    struct hashset *set = calloc(1, sizeof *set);
    const char *wrong = NULL;
    uint64_t size = 0;
    int rc;

    if (set == NULL)
        return why_set(why, -ENOMEM, "no memory");
    rc = map(path, &set->data, &size, why);
    if (rc == 0) {
        set->layout.file_size = size;
        rc = check(set, size, &wrong);
        set->layout.file_size = size;
        if (rc < 0)
            why_set(why, rc, "%s: %s", path, wrong);
    }
    if (rc < 0) {
        hashset_close(set);
        return rc;
    }
    /* Only now: sources and checksums lie together at the end, and come with one read of the disk. */
    (void)madvise((void *)set->data, (size_t)set->layout.file_size, MADV_RANDOM);
    fill_info(set);
    *ret_set = set;
    return 0;
}

void hashset_close(struct hashset *set)
{
    if (set == NULL)
        return;
    if (set->data != NULL)
        munmap((void *)set->data, (size_t)set->layout.file_size);
    hash_sha256_free(set->hash);
    free(set->chunks);
    free(set->sources);
    free(set->source_text);
    free(set);
}

const struct hashset_info *hashset_info(const struct hashset *set)
{
    return &set->info;
}

const struct hashset_layout *hashset_layout(const struct hashset *set)
{
    return &set->layout;
}

const uint8_t *hashset_bytes(const struct hashset *set, const struct hashset_part *part)
{
    return part->size == 0 || is_whole(set, part->offset, part->size) ? set->data + part->offset : NULL;
}

struct hashset_source hashset_source(const struct hashset *set, size_t index)
{
    return index < set->info.sources ? set->sources[index] : (struct hashset_source){0};
}

/* ------------------------------------------------------------------ looking up */

/* One key on its way through filter, index and entries. */
struct probe {
    const uint8_t *key;
    uint64_t prefix;
    const uint8_t *block, *slot;
    uint64_t low, high;
};

static void aim(const struct hashset *set, const struct hashset_table *table, const uint8_t *key,
                struct probe *probe)
{
    probe->key = key;
    probe->prefix = key_prefix(key);
    probe->block = set->data + table->filter.offset +
                   HASHSET_BLOCK * key_block(probe->prefix, table->filter.size / HASHSET_BLOCK);
    probe->slot = set->data + table->index.offset + 4 * key_slot(probe->prefix, table->index_bits);
}

enum answer { ANSWER_NO, ANSWER_PERHAPS, ANSWER_DAMAGED };

static bool is_usable(const struct hashset *set, const uint8_t *data, uint64_t size)
{
    return is_whole(set, (uint64_t)(data - set->data), size);
}

static enum answer ask_filter(const struct hashset *set, const struct probe *probe)
{
    uint64_t second = key_prefix(probe->key + 8);
    unsigned hit = 1;

    if (!is_usable(set, probe->block, HASHSET_BLOCK))
        return ANSWER_DAMAGED;
    for (uint32_t i = 0; i < FILTER_HASHES; i++) {
        uint32_t bit = key_bit(second, i);

        hit &= (unsigned)probe->block[bit >> 3] >> (bit & 7);
    }
    return hit != 0 ? ANSWER_PERHAPS : ANSWER_NO;
}

/* The range of entries that the index gives; an index that makes no sense gives none. */
static enum answer ask_index(const struct hashset *set, const struct hashset_table *table,
                             struct probe *probe)
{
    if (!is_usable(set, probe->slot, 8))
        return ANSWER_DAMAGED;
    probe->low = le32(probe->slot);
    probe->high = le32(probe->slot + 4);
    return probe->low < probe->high && probe->high <= table->count ? ANSWER_PERHAPS : ANSWER_NO;
}

/* The first entry in the range that has the key: its number, UINT64_MAX, or HASHSET_UNKNOWN. */
static uint64_t search(const struct hashset *set, const uint8_t *entries, size_t step, size_t width,
                       const struct probe *probe)
{
    uint64_t low = probe->low, high = probe->high;

    if (!is_usable(set, entries + low * step, (high - low) * step))
        return HASHSET_UNKNOWN;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (memcmp(entries + middle * step, probe->key, width) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < probe->high && memcmp(entries + low * step, probe->key, width) == 0 ? low : UINT64_MAX;
}

int64_t hashset_find(const struct hashset *set, enum hashset_algorithm algorithm, const uint8_t *key,
                     uint64_t *ret_first)
{
    const struct hashset_table *table = &set->layout.tables[algorithm];
    const uint8_t *entries = set->data + table->entries.offset;
    size_t width = hashset_width(algorithm), step = width + set->layout.entry_extra;
    struct probe probe;
    enum answer answer;
    uint64_t first;
    int64_t found = 0;

    if (table->count == 0)
        return 0;
    aim(set, table, key, &probe);
    answer = ask_filter(set, &probe);
    if (answer == ANSWER_PERHAPS)
        answer = ask_index(set, table, &probe);
    if (answer != ANSWER_PERHAPS)
        return answer == ANSWER_NO ? 0 : -EBADMSG;
    first = search(set, entries, step, width, &probe);
    if (first >= HASHSET_UNKNOWN)
        return first == HASHSET_UNKNOWN ? -EBADMSG : 0;
    while (first + (uint64_t)found < probe.high &&
           memcmp(entries + (first + (uint64_t)found) * step, key, width) == 0)
        found++;
    *ret_first = first;
    return found;
}

enum { BATCH = 32 };

static uint64_t as_number(enum answer answer)
{
    return answer == ANSWER_PERHAPS ? 0 : answer == ANSWER_NO ? UINT64_MAX : HASHSET_UNKNOWN;
}

static void find_batch(const struct hashset *set, enum hashset_algorithm algorithm, const uint8_t *keys,
                       size_t count, uint64_t *ret_first)
{
    const struct hashset_table *table = &set->layout.tables[algorithm];
    const uint8_t *entries = set->data + table->entries.offset;
    size_t width = hashset_width(algorithm), step = width + set->layout.entry_extra;
    struct probe probes[BATCH];

    for (size_t i = 0; i < count; i++) {
        aim(set, table, keys + i * width, &probes[i]);
        __builtin_prefetch(probes[i].block);
    }
    for (size_t i = 0; i < count; i++) {
        ret_first[i] = as_number(ask_filter(set, &probes[i]));
        if (ret_first[i] == 0)
            __builtin_prefetch(probes[i].slot);
    }
    for (size_t i = 0; i < count; i++) {
        if (ret_first[i] != 0)
            continue;
        ret_first[i] = as_number(ask_index(set, table, &probes[i]));
        if (ret_first[i] == 0) {
            __builtin_prefetch(entries + probes[i].low * step);
            __builtin_prefetch(entries + probes[i].low * step + 64);
        }
    }
    for (size_t i = 0; i < count; i++)
        if (ret_first[i] == 0)
            ret_first[i] = search(set, entries, step, width, &probes[i]);
}

void hashset_find_many(const struct hashset *set, enum hashset_algorithm algorithm, const uint8_t *keys,
                       size_t count, uint64_t *ret_first)
{
    size_t width = hashset_width(algorithm);

    for (size_t done = 0; done < count; done += BATCH) {
        size_t some = count - done < BATCH ? count - done : BATCH;

        if (set->layout.tables[algorithm].count > 0)
            find_batch(set, algorithm, keys + done * width, some, ret_first + done);
        else
            for (size_t i = 0; i < some; i++)
                ret_first[done + i] = UINT64_MAX;
    }
}

/* ------------------------------------------------------------------ what an entry says */

static const char *part_of(const char **at, const char *end, size_t *ret_size)
{
    const char *start = *at, *tab = memchr(start, '\t', (size_t)(end - start));

    *ret_size = (size_t)((tab != NULL ? tab : end) - start);
    *at = tab != NULL ? tab + 1 : end;
    return *ret_size > 0 ? start : NULL;
}

/* Label 0 is none. The part begins with an offset for each label and one more, counted from the part's start.
 */
static bool read_label(const struct hashset *set, uint32_t label, struct hashset_entry *entry)
{
    const struct hashset_part *part = &set->layout.label_part;
    const uint8_t *table = set->data + part->offset;
    uint64_t start, end;
    const char *at, *last;

    if (label == 0)
        return true;
    if (label > set->layout.labels || !is_usable(set, table + 8 * ((uint64_t)label - 1), 16))
        return false;
    start = le64(table + 8 * ((uint64_t)label - 1));
    end = le64(table + 8 * (uint64_t)label);
    if (start > end || end > part->size || (start < end && !is_usable(set, table + start, end - start)))
        return false;
    at = (const char *)table + start;
    last = (const char *)table + end;
    entry->category = part_of(&at, last, &entry->category_size);
    entry->series = part_of(&at, last, &entry->series_size);
    entry->tags = part_of(&at, last, &entry->tags_size);
    return true;
}

bool hashset_entry(const struct hashset *set, enum hashset_algorithm algorithm, uint64_t number,
                   struct hashset_entry *ret_entry)
{
    const struct hashset_table *table = &set->layout.tables[algorithm];
    size_t width = hashset_width(algorithm), extra = set->layout.entry_extra;
    struct hashset_entry entry = {0};

    if (number >= table->count)
        return false;
    entry.key = set->data + table->entries.offset + number * (width + extra);
    if (!is_usable(set, entry.key, width + extra))
        return false;
    entry.row = be32(entry.key + width + extra - 4);
    if (extra == 8 && !read_label(set, be32(entry.key + width), &entry))
        return false;
    *ret_entry = entry;
    return true;
}

struct hashset_source hashset_row_source(const struct hashset *set, uint32_t row, uint64_t *ret_line)
{
    for (size_t i = 0; i < set->info.sources; i++) {
        const struct hashset_source *source = &set->sources[i];

        if (row >= source->first && row - source->first < source->rows) {
            *ret_line = row - source->first + 1;
            return *source;
        }
    }
    *ret_line = 0;
    return (struct hashset_source){0};
}

/* ------------------------------------------------------------------ verifying */

/* What checksums cannot say: that entries are in order and index and filter lead to each. */
static bool table_is_sound(const struct hashset *set, enum hashset_algorithm algorithm)
{
    const struct hashset_table *table = &set->layout.tables[algorithm];
    size_t width = hashset_width(algorithm), step = width + set->layout.entry_extra;
    const uint8_t *entry = set->data + table->entries.offset;
    struct hashset_entry read;
    struct probe probe;

    for (uint64_t i = 0; i < table->count; i++, entry += step) {
        aim(set, table, entry, &probe);
        if ((i > 0 && memcmp(entry - step, entry, step) >= 0) || ask_filter(set, &probe) != ANSWER_PERHAPS ||
            ask_index(set, table, &probe) != ANSWER_PERHAPS || i < probe.low || i >= probe.high ||
            !hashset_entry(set, algorithm, i, &read))
            return false;
    }
    return true;
}

int hashset_verify(const struct hashset *set, int (*each)(void *context, uint64_t done, uint64_t size),
                   void *context, uint64_t *ret_damaged, struct why *why)
{
    const struct hashset_part *chunks = &set->layout.chunk_part;
    uint64_t damaged = 0, number = 0, count = chunks->size / SHA256_SIZE;

    for (; number < count; number++) {
        int rc = each != NULL ? each(context, chunk_offset(number), set->layout.file_size) : 0;

        if (rc < 0)
            return rc;
        damaged += !check_chunk(set, number);
    }
    *ret_damaged = damaged;
    if (damaged > 0)
        return why_set(why, -EBADMSG, "%llu of its %llu chunks are damaged, the first at offset %llu",
                       (unsigned long long)damaged, (unsigned long long)number,
                       (unsigned long long)hashset_damage(set));
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        if (!table_is_sound(set, (enum hashset_algorithm)i))
            return why_set(why, -EBADMSG, "its %s entries are not as its index says: it was made wrongly",
                           hashset_algorithm_name((enum hashset_algorithm)i));
    for (unsigned i = 0; i < HASHSET_SIMILARS; i++)
        if (hashset_similar_each(set, (enum hashset_similar)i, NULL, NULL) < 0)
            return why_set(why, -EBADMSG, "its %s hashes are no list of such: it was made wrongly",
                           hashset_similar_name((enum hashset_similar)i));
    return 0;
}
