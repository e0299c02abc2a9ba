/*
 * build: see build.h. Each algorithm has a sorter; at the end its entries are written in order, without those
 * that say the same twice, and then index and filter, which were made as the entries went by.
 */
#include "engine/hashset/build.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"
#include "engine/hashset/format.h"
#include "engine/hashset/front.h"
#include "engine/hashset/labels.h"
#include "engine/hashset/scratch.h"
#include "engine/hashset/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS = 1000, RESERVE = 32 << 20, SIMILAR_MAX = 256 << 20, SIMILAR_NAME_MAX = 1024 };

/* The file from the header on, and its checksums. */
struct out {
    int fd, error;
    char name[PATH_MAX + 32]; /* while it has one that is not the set's */
    uint64_t offset;          /* of chunk[0] */
    uint8_t *chunk;
    size_t used;
    struct hash_sha256 *hash;
    struct buf sums;
};

struct hashset_build {
    struct hashset_build_options options;
    char folder[PATH_MAX];
    struct sorter *sorters[HASHSET_ALGORITHMS];
    struct labels labels;
    struct buf sources;
    struct similar {
        struct buf lines;
        uint64_t count;
    } similar[HASHSET_SIMILARS];
    struct hashset_layout layout;
    uint64_t rows, row_base; /* numbers given to lines so far, at the current source's start */
    char *source_name, *source_format;
    struct out out;
    uint64_t work, done;
    unsigned told;
};

/* ------------------------------------------------------------------ writing */

static void flush_chunk(struct out *out)
{
    uint8_t sha256[SHA256_SIZE];

    if (out->used == 0 || out->error < 0)
        return;
    hash_sha256_update(out->hash, out->chunk, out->used);
    hash_sha256_final(out->hash, sha256);
    buf_append(&out->sums, sha256, sizeof sha256);
    out->error = write_all(out->fd, out->chunk, out->used, out->offset);
    out->offset += out->used;
    out->used = 0;
}

static void put(struct out *out, const void *data, size_t size)
{
    const uint8_t *at = data;

    if (size == 0) /* then data may be NULL */
        return;
    if (size < HASHSET_CHUNK - out->used) {
        memcpy(out->chunk + out->used, at, size);
        out->used += size;
        return;
    }
    while (size > 0 && out->error == 0) {
        size_t some = HASHSET_CHUNK - out->used < size ? HASHSET_CHUNK - out->used : size;

        memcpy(out->chunk + out->used, at, some);
        out->used += some;
        at += some;
        size -= some;
        if (out->used == HASHSET_CHUNK)
            flush_chunk(out);
    }
}

static uint64_t position(const struct out *out)
{
    return out->offset + out->used;
}

static void begin_part(struct out *out, struct hashset_part *part)
{
    static const uint8_t zeros[HASHSET_BLOCK];

    if (position(out) % HASHSET_BLOCK != 0)
        put(out, zeros, HASHSET_BLOCK - (size_t)(position(out) % HASHSET_BLOCK));
    part->offset = position(out);
}

static void end_part(const struct out *out, struct hashset_part *part)
{
    part->size = position(out) - part->offset;
}

static void put_le32(struct out *out, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};

    put(out, bytes, sizeof bytes);
}

/* Unlinked where the file system can give such a file a name later; elsewhere (NFS, FAT) under a name of its
 * own that out_finish takes away. */
static int make_file(struct out *out, const char *folder)
{
    out->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (out->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return out->fd >= 0 ? 0 : -errno;
    snprintf(out->name, sizeof out->name, "%s/.kvali-XXXXXX", folder);
    out->fd = mkostemp(out->name, O_CLOEXEC);
    if (out->fd < 0)
        out->name[0] = '\0';
    return out->fd < 0 ? -errno : 0;
}

static int out_init(struct out *out, const char *folder)
{
    int rc;

    *out = (struct out){.fd = -1, .offset = HASHSET_HEADER};
    rc = make_file(out, folder);
    if (rc < 0)
        return rc;
    out->chunk = malloc(HASHSET_CHUNK);
    out->hash = hash_sha256_new();
    return out->chunk != NULL && out->hash != NULL ? 0 : -ENOMEM;
}

static void out_finish(struct out *out)
{
    if (out->fd >= 0)
        close(out->fd);
    if (out->name[0] != '\0')
        (void)unlink(out->name);
    free(out->chunk);
    hash_sha256_free(out->hash);
    buf_finish(&out->sums);
}

/* ------------------------------------------------------------------ beginning */

static int check_place(struct hashset_build *build, struct why *why)
{
    const char *path = build->options.path;
    char copy[PATH_MAX];
    struct stat st;

    if (strlen(path) >= sizeof copy - 32)
        return why_set(why, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
    if (lstat(path, &st) == 0 && !build->options.replace)
        return why_set(why, -EEXIST, "%s is there already", path);
    strcpy(copy, path);
    strcpy(build->folder, dirname(copy));
    return 0;
}

int hashset_build_new(const struct hashset_build_options *options, struct hashset_build **ret_build,
                      struct why *why)
{
    struct hashset_build *build;
    uint64_t memory = options->memory < HASHSET_MEMORY_MIN ? HASHSET_MEMORY_MIN : options->memory;
    int rc;

    if (options->name[0] == '\0' || strlen(options->name) >= HASHSET_NAME_SIZE ||
        !text_is_escaped(options->name))
        return why_set(why, -EINVAL, "a set's name is 1 to %d bytes of printable text",
                       HASHSET_NAME_SIZE - 1);
    build = calloc(1, sizeof *build);
    if (build == NULL)
        return why_set(why, -ENOMEM, "no memory");
    build->options = *options;
    build->out.fd = -1;
    build->layout.kind = options->kind;
    build->layout.entry_extra = options->labelled ? 8 : 4;
    memcpy(build->layout.name, options->name, strlen(options->name));
    rc = check_place(build, why);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS && rc == 0; i++) {
        /* A share for each algorithm that rows may have; what no row has stays untouched. The rest is for
         * reading, labels and the program itself. */
        rc = sorter_new(hashset_width((enum hashset_algorithm)i) + build->layout.entry_extra,
                        (size_t)((memory - RESERVE) / 8 * 7 /
                                 (options->algorithms > 0 ? options->algorithms : HASHSET_ALGORITHMS)),
                        build->folder, &build->sorters[i]);
        if (rc < 0)
            why_set(why, rc, "no memory");
    }
    if (rc == 0) {
        rc = out_init(&build->out, build->folder);
        if (rc < 0)
            why_set(why, rc, "%s: %s", build->folder, strerror(-rc));
    }
    if (rc < 0) {
        hashset_build_free(build);
        return rc;
    }
    *ret_build = build;
    return 0;
}

void hashset_build_free(struct hashset_build *build)
{
    if (build == NULL)
        return;
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        sorter_free(build->sorters[i]);
    out_finish(&build->out);
    labels_finish(&build->labels);
    buf_finish(&build->sources);
    for (size_t i = 0; i < HASHSET_SIMILARS; i++)
        buf_finish(&build->similar[i].lines);
    free(build->source_name);
    free(build->source_format);
    free(build);
}

/* ------------------------------------------------------------------ sources and labels */

int hashset_build_source(struct hashset_build *build, const char *name, const char *format)
{
    free(build->source_name);
    free(build->source_format);
    build->source_name = strdup(name);
    build->source_format = strdup(format);
    return build->source_name != NULL && build->source_format != NULL ? 0 : -ENOMEM;
}

void hashset_build_source_end(struct hashset_build *build, uint64_t lines, uint64_t size, const char *sha256)
{
    buf_printf(&build->sources, "%s\t%llu\t%llu\t%llu\t%s\t%s\n", sha256, (unsigned long long)size,
               (unsigned long long)build->row_base, (unsigned long long)lines, build->source_format,
               build->source_name);
    build->row_base += lines;
    build->layout.sources++;
}

uint32_t hashset_build_label(struct hashset_build *build, const char *category, size_t category_size,
                             const char *series, size_t series_size, const char *tags, size_t tags_size)
{
    if (category_size + series_size + tags_size == 0 || !build->options.labelled)
        return 0;
    labels_part(&build->labels, category, category_size);
    labels_part(&build->labels, series, series_size);
    labels_part(&build->labels, tags, tags_size);
    return labels_number(&build->labels);
}

uint64_t hashset_build_labels_lost(const struct hashset_build *build)
{
    return build->labels.lost;
}

/* ------------------------------------------------------------------ rows */

static void put_be32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

int hashset_build_row(struct hashset_build *build, const uint8_t *const keys[HASHSET_ALGORITHMS],
                      uint32_t label, uint64_t line)
{
    uint64_t row = build->row_base + line - 1;

    if (row >= UINT32_MAX - 1)
        return -EOVERFLOW;
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++) {
        size_t width = hashset_width((enum hashset_algorithm)i);
        uint8_t *slot;

        if (keys[i] == NULL)
            continue;
        slot = sorter_slot(build->sorters[i], keys[i][0]);
        if (slot == NULL)
            return sorter_sort(build->sorters[i]);
        if (width == MD5_SIZE) /* constants make a few moves of a call */
            memcpy(slot, keys[i], MD5_SIZE);
        else if (width == SHA1_SIZE)
            memcpy(slot, keys[i], SHA1_SIZE);
        else
            memcpy(slot, keys[i], SHA256_SIZE);
        slot += width;
        if (build->layout.entry_extra == 8) {
            put_be32(slot, label);
            slot += 4;
        }
        put_be32(slot, (uint32_t)row);
    }
    build->rows++;
    return 0;
}

int hashset_build_similar(struct hashset_build *build, enum hashset_similar kind, const char *hash,
                          size_t hash_size, const char *name, size_t name_size, uint64_t line)
{
    struct similar *similar = &build->similar[kind];
    uint64_t row = build->row_base + line - 1;

    if (row >= UINT32_MAX - 1 || similar->lines.size > SIMILAR_MAX)
        return -EOVERFLOW;
    buf_append(&similar->lines, hash, hash_size);
    buf_printf(&similar->lines, "\t%llu\t", (unsigned long long)row);
    text_escape(&similar->lines, name, name_size < SIMILAR_NAME_MAX ? name_size : SIMILAR_NAME_MAX);
    buf_u8(&similar->lines, '\n');
    similar->count++;
    build->rows++;
    return buf_failed(&similar->lines) ? -ENOMEM : 0;
}

uint64_t hashset_build_rows(const struct hashset_build *build)
{
    return build->rows;
}

/* ------------------------------------------------------------------ finishing */

static int tell(struct hashset_build *build, uint64_t entries)
{
    unsigned now;

    build->done += entries;
    now = build->work > 0 ? (unsigned)(build->done * STEPS / build->work) : STEPS;
    if (now == build->told || build->options.each == NULL)
        return 0;
    build->told = now;
    return build->options.each(build->options.context, now);
}

static void put_part(void *context, const void *data, size_t size)
{
    put(context, data, size);
}

/* What may stay of `count` entries in order: those that say the same as the one before them, which is `last`
 * for the first, go. What stays goes to file and front in stretches. */
static void write_some(struct hashset_build *build, struct hashset_table *table, struct front *front,
                       const uint8_t *entries, size_t count, size_t step, const uint8_t *last)
{
    size_t start = 0, same = step - 4;

    for (size_t i = 0; i <= count; i++) {
        const uint8_t *before = i > 0 ? entries + (i - 1) * step : last;

        if (i < count && (before == NULL || memcmp(before, entries + i * step, same) != 0))
            continue;
        put(&build->out, entries + start * step, (i - start) * step);
        front_take(front, entries + start * step, i - start, step);
        table->count += i - start;
        start = i + 1;
    }
}

static int write_entries(struct hashset_build *build, struct sorter *sorter, struct hashset_table *table,
                         struct front *front, size_t step)
{
    uint8_t last[HASHSET_KEY_MAX + 8];
    const uint8_t *entries;
    int64_t count = 0;
    bool first = true;
    int rc = sorter_sort(sorter);

    begin_part(&build->out, &table->entries);
    while (rc == 0 && (count = sorter_next(sorter, &entries)) > 0) {
        write_some(build, table, front, entries, (size_t)count, step, first ? NULL : last);
        memcpy(last, entries + ((size_t)count - 1) * step, step);
        first = false;
        rc = build->out.error < 0 ? build->out.error : tell(build, (uint64_t)count);
    }
    end_part(&build->out, &table->entries);
    return rc < 0 ? rc : (int)count;
}

static int write_front(struct hashset_build *build, struct hashset_table *table, struct front *front)
{
    int rc = front_end(front, &table->index_bits);

    begin_part(&build->out, &table->index);
    if (rc == 0)
        rc = front_index(front, put_part, &build->out);
    end_part(&build->out, &table->index);
    begin_part(&build->out, &table->filter);
    if (rc == 0)
        rc = front_filter(front, put_part, &build->out);
    end_part(&build->out, &table->filter);
    return rc < 0 ? rc : build->out.error;
}

static int write_table(struct hashset_build *build, unsigned algorithm)
{
    struct sorter *sorter = build->sorters[algorithm];
    struct hashset_table *table = &build->layout.tables[algorithm];
    size_t step = hashset_width((enum hashset_algorithm)algorithm) + build->layout.entry_extra;
    struct front *front = NULL;
    int rc;

    if (sorter_count(sorter) == 0)
        return 0;
    rc = front_new(sorter_count(sorter), build->folder, &front);
    if (rc == 0)
        rc = write_entries(build, sorter, table, front, step);
    sorter_free(sorter);
    build->sorters[algorithm] = NULL;
    if (rc == 0)
        rc = write_front(build, table, front);
    front_free(front);
    return rc;
}

static void write_texts(struct hashset_build *build)
{
    struct hashset_layout *layout = &build->layout;
    const struct labels *labels = &build->labels;
    uint64_t table = 8 * ((uint64_t)labels->count + 1);
    struct out *out = &build->out;

    layout->labels = labels->count;
    begin_part(out, &layout->label_part);
    for (uint32_t i = 0; i <= labels->count; i++) {
        uint64_t start = table + (labels->count > 0 ? labels->starts[i] : 0);

        put_le32(out, (uint32_t)start);
        put_le32(out, (uint32_t)(start >> 32));
    }
    put(out, labels->text.data, labels->text.size);
    end_part(out, &layout->label_part);
    begin_part(out, &layout->source_part);
    put(out, build->sources.data, build->sources.size);
    end_part(out, &layout->source_part);
}

static int by_line(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    for (; *x == *y && *x != '\n'; x++, y++)
        ;
    return (unsigned char)*x - (unsigned char)*y;
}

static int write_similar(struct hashset_build *build, enum hashset_similar kind)
{
    const struct similar *similar = &build->similar[kind];
    struct hashset_hashes *hashes = &build->layout.similar[kind];
    const char **lines = calloc(similar->count + 1, sizeof lines[0]),
               *line = (const char *)similar->lines.data;

    if (lines == NULL || buf_failed(&similar->lines)) {
        free(lines);
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < similar->count; i++) {
        lines[i] = line;
        line = strchr(line, '\n') + 1;
    }
    qsort(lines, similar->count, sizeof lines[0], by_line);
    begin_part(&build->out, &hashes->part);
    for (uint64_t i = 0; i < similar->count; i++)
        put(&build->out, lines[i], (size_t)(strchr(lines[i], '\n') + 1 - lines[i]));
    end_part(&build->out, &hashes->part);
    hashes->count = similar->count;
    free(lines);
    return 0;
}

/* The table of checksums, the header, and all of it on the disk. */
static int close_file(struct hashset_build *build)
{
    struct hashset_layout *layout = &build->layout;
    uint8_t header[HASHSET_HEADER];
    char hex[SHA256_HEX_SIZE];
    struct out *out = &build->out;

    flush_chunk(out);
    if (out->error < 0 || buf_failed(&out->sums))
        return out->error < 0 ? out->error : -ENOMEM;
    layout->chunk_part = (struct hashset_part){out->offset, out->sums.size};
    layout->file_size = out->offset + out->sums.size;
    layout->rows = build->rows;
    hash_sha256_hex(out->sums.data, out->sums.size, hex);
    text_unhex(hex, layout->chunks_sha256, SHA256_SIZE);
    layout_encode(layout, header);
    out->error = write_all(out->fd, out->sums.data, out->sums.size, out->offset);
    if (out->error == 0)
        out->error = write_all(out->fd, header, sizeof header, 0);
    if (out->error == 0 && fchmod(out->fd, 0644) < 0)
        out->error = -errno;
    if (out->error == 0 && fsync(out->fd) < 0)
        out->error = -errno;
    return out->error;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    if (fd < 0)
        return -errno;
    rc = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

/* A name for the unlinked file, and then the one it is to have, in one step each. */
static int name_file(struct hashset_build *build)
{
    char from[64], between[PATH_MAX + 32];
    int rc;

    snprintf(from, sizeof from, "/proc/self/fd/%d", build->out.fd);
    if (build->out.name[0] != '\0') {
        if (renameat2(AT_FDCWD, build->out.name, AT_FDCWD, build->options.path,
                      build->options.replace ? 0 : RENAME_NOREPLACE) < 0)
            return -errno;
        build->out.name[0] = '\0';
        return sync_folder(build->folder);
    }
    if (!build->options.replace) {
        if (linkat(AT_FDCWD, from, AT_FDCWD, build->options.path, AT_SYMLINK_FOLLOW) < 0)
            return -errno;
        return sync_folder(build->folder);
    }
    snprintf(between, sizeof between, "%s/.kvali-%d", build->folder, (int)getpid());
    (void)unlink(between);
    if (linkat(AT_FDCWD, from, AT_FDCWD, between, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    rc = rename(between, build->options.path) < 0 ? -errno : 0;
    if (rc < 0)
        (void)unlink(between);
    return rc < 0 ? rc : sync_folder(build->folder);
}

int hashset_build_finish(struct hashset_build *build, struct why *why)
{
    int rc = buf_failed(&build->sources) || buf_failed(&build->labels.text) ? -ENOMEM : 0;

    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        build->work += sorter_count(build->sorters[i]);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS && rc == 0; i++)
        rc = write_table(build, i);
    for (unsigned i = 0; i < HASHSET_SIMILARS && rc == 0; i++)
        if (build->similar[i].count > 0)
            rc = write_similar(build, (enum hashset_similar)i);
    if (rc == 0) {
        write_texts(build);
        rc = close_file(build);
    }
    if (rc == 0)
        rc = name_file(build);
    if (rc == -EEXIST)
        return why_set(why, rc, "%s is there already", build->options.path);
    return rc < 0 && rc != -EINTR ? why_set(why, rc, "%s: %s", build->options.path, strerror(-rc)) : rc;
}
