/*
 * image_ewf_chunks: the chunks of an E01 image, read by its tables.
 *
 * Format: J. Metz, "Expert Witness Compression Format specification" (libewf), 3.8 (sectors section), 3.9
 * (table section) and 3.10 (table2). A table entry is the offset of a chunk behind the table's base; its
 * highest bit says that the chunk is deflated (RFC 1950), else the data is followed by its Adler-32. A chunk
 * ends where the next begins.
 *
 * Why not by libewf: it inflates with zlib, keeps over a hundred bytes for each chunk of the medium, and its
 * one call that gives a chunk as it is stored writes past the buffer it was given. Here an entry is read when
 * it is wanted, chunks that follow each other are read at once, and ISA-L inflates them straight to where
 * they are wanted. What is not as tables usually are (no sectors section before them, a checksum that is
 * missing or wrong in both copies, data of more than 2 GiB at one base) stays with libewf.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TABLE_HEADER_SIZE = 24,
    CHECKSUM_SIZE = 4,
    AT_ONCE = 1024 * 1024,  /* bytes of stored chunks */
    ENTRIES_AT_ONCE = 256,  /* of a table */
    SLOTS_MAX = 16,         /* chunks that are kept inflated for small reads */
    KEPT_MAX = 4096 * 1024, /* bytes of them; one at least */
};

/* ---- chunks as they are stored */

static uint32_t entry_at(const uint8_t *entries, size_t i)
{
    struct bytes bytes;
    bytes_init(&bytes, entries + 4 * i, 4);
    return bytes_u32le(&bytes);
}

uint32_t ewf_adler32(const void *data, size_t size)
{
    return isal_adler32(1, data, size);
}

static size_t inflate_chunk(const uint8_t *stored, size_t there, uint8_t *to, size_t size)
{
    struct inflate_state state;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_ZLIB;
    state.next_in = (uint8_t *)(uintptr_t)stored;
    state.avail_in = (uint32_t)there;
    state.next_out = to;
    state.avail_out = (uint32_t)size;
    if (isal_inflate(&state) != ISAL_DECOMP_OK || state.block_state != ISAL_BLOCK_FINISH ||
        state.avail_out != 0)
        return 0;
    return there - state.avail_in -
           (size_t)state.read_in_length / 8; /* without what it took and did not use */
}

size_t ewf_unpack(bool deflated, const uint8_t *stored, size_t there, uint8_t *to, size_t size)
{
    if (deflated)
        return inflate_chunk(stored, there, to, size);
    if (there < size + CHECKSUM_SIZE || ewf_adler32(stored, size) != entry_at(stored + size, 0))
        return 0;
    memcpy(to, stored, size);
    return size + CHECKSUM_SIZE;
}

/* ---- tables, while the image is opened */

static uint64_t place_of(const struct ewf_table *table, uint32_t entry)
{
    return table->base + (entry & 0x7fffffffU);
}

/* All entries lie in the sectors section, one behind the other, and are what their checksum says. */
static bool entries_are_sound(int fd, const struct ewf_table *table)
{
    uint8_t entries[64 * 1024], checksum[CHECKSUM_SIZE];
    uint32_t adler = 1;
    uint64_t last = 0;
    for (uint64_t done = 0; done < table->count;) {
        uint64_t left = table->count - done;
        size_t n = left < sizeof(entries) / 4 ? (size_t)left : sizeof(entries) / 4;
        if (!image_pread(fd, table->entries + 4 * done, entries, 4 * n))
            return false;
        adler = isal_adler32(adler, entries, 4 * n);
        for (size_t i = 0; i < n; i++) {
            uint64_t place = place_of(table, entry_at(entries, i));
            if (place < table->begin || place >= table->end || (done + i > 0 && place <= last))
                return false;
            last = place;
        }
        done += n;
    }
    return image_pread(fd, table->entries + 4 * table->count, checksum, sizeof(checksum)) &&
           entry_at(checksum, 0) == adler;
}

bool ewf_table_read(int fd, uint64_t at, uint64_t size, struct ewf_table *table)
{
    uint8_t raw[TABLE_HEADER_SIZE];
    struct bytes bytes;
    if (!image_pread(fd, at, raw, sizeof(raw)))
        return false;
    bytes_init(&bytes, raw, sizeof(raw));
    table->count = bytes_u32le(&bytes);
    bytes_skip(&bytes, 4);
    table->base = bytes_u64le(&bytes);
    bytes_skip(&bytes, 4);
    table->entries = at + TABLE_HEADER_SIZE;
    if (bytes_u32le(&bytes) != ewf_adler32(raw, sizeof(raw) - CHECKSUM_SIZE) || table->count == 0 ||
        table->base > table->begin || table->end - table->base > INT32_MAX ||
        4 * table->count + TABLE_HEADER_SIZE + CHECKSUM_SIZE > size)
        return false;
    return entries_are_sound(fd, table);
}

void ewf_tables_free(struct ewf_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(tables[i].rebuilt);
    free(tables);
}

/* ---- reading */

struct slot {
    uint64_t chunk, used;
    size_t size; /* 0: nothing in it */
    uint8_t *data;
};

struct ewf_chunks {
    struct ewf_table *tables;
    size_t table_count;
    uint64_t media_size;
    uint32_t chunk_size;
    struct slot slots[SLOTS_MAX];
    size_t slot_count;
    uint64_t clock;
    /* entries [from, from + count) of a table */
    const struct ewf_table *listed;
    uint64_t from;
    size_t count;
    uint8_t entries[4 * ENTRIES_AT_ONCE];
    /* bytes [at, at + size) of a segment file */
    uint32_t segment;
    uint64_t at;
    size_t size, room;
    uint8_t *stored;
};

int ewf_chunks_new(struct image *image, struct ewf_set *set, uint32_t chunk_size,
                   struct ewf_chunks **ret_chunks, struct why *why)
{
    struct ewf_chunks *chunks = calloc(1, sizeof(*chunks));
    if (chunks == NULL)
        return -ENOMEM;
    *ret_chunks = chunks;
    chunks->tables = set->tables;
    chunks->table_count = set->table_count;
    set->tables = NULL;
    set->table_count = 0;
    chunks->media_size = image->info.size;
    chunks->chunk_size = chunk_size;
    uint32_t fit = KEPT_MAX / chunk_size;
    chunks->slot_count = fit < 1 ? 1 : fit < SLOTS_MAX ? fit : SLOTS_MAX;
    for (size_t i = 0; i < set->count; i++) {
        int fd = image_open_file(set->paths[i], why);
        int status = fd < 0 ? fd : image_add_fd(image, fd);
        if (fd >= 0 && status < 0)
            (void)close(fd);
        if (status < 0)
            return status;
    }
    return 0;
}

void ewf_chunks_free(struct image *image, struct ewf_chunks *chunks)
{
    if (chunks == NULL)
        return;
    for (size_t i = 0; i < image->fd_count; i++)
        (void)close(image->fds[i]);
    for (size_t i = 0; i < chunks->slot_count; i++)
        free(chunks->slots[i].data);
    free(chunks->stored);
    ewf_tables_free(chunks->tables, chunks->table_count);
    free(chunks);
}

static const struct ewf_table *table_of(const struct ewf_chunks *chunks, uint64_t chunk)
{
    size_t low = 0, high = chunks->table_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chunks->tables[middle].first <= chunk)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ewf_table *table = low == 0 ? NULL : &chunks->tables[low - 1];
    return table != NULL && chunk - table->first < table->count ? table : NULL;
}

/* Where the chunk lies: its entry, its first byte and the first behind it. `ahead` chunks will be wanted. */
static bool find_chunk(struct image *image, struct ewf_chunks *chunks, const struct ewf_table *table,
                       uint64_t index, uint64_t ahead, uint32_t *ret_entry, uint64_t *ret_end)
{
    bool last = index + 1 == table->count;
    if (chunks->listed != table || index < chunks->from ||
        index + (last ? 1 : 2) > chunks->from + chunks->count) {
        uint64_t left = table->count - index;
        uint64_t n = ahead + 1 < left ? ahead + 1 : left;
        n = n < ENTRIES_AT_ONCE ? n : ENTRIES_AT_ONCE;
        chunks->listed = NULL;
        if (table->rebuilt != NULL)
            memcpy(chunks->entries, table->rebuilt + 4 * index, (size_t)(4 * n));
        else if (!image_pread(image->fds[table->segment], table->entries + 4 * index, chunks->entries,
                              (size_t)(4 * n)))
            return false;
        chunks->listed = table;
        chunks->from = index;
        chunks->count = (size_t)n;
    }
    size_t i = (size_t)(index - chunks->from);
    *ret_entry = entry_at(chunks->entries, i);
    *ret_end = last ? table->end : place_of(table, entry_at(chunks->entries, i + 1));
    uint64_t begin = place_of(table, *ret_entry);
    return begin >= table->begin && begin < *ret_end && *ret_end <= table->end;
}

/* The end of what is read together with the chunk that begins at `begin`: of those that are wanted and
 * listed. */
static uint64_t end_of_group(const struct ewf_chunks *chunks, const struct ewf_table *table, uint64_t index,
                             uint64_t begin, uint64_t end)
{
    for (uint64_t i = index + 1; i - chunks->from < chunks->count; i++) {
        uint64_t next = place_of(table, entry_at(chunks->entries, (size_t)(i - chunks->from)));
        if (next <= end || next > table->end || next - begin > AT_ONCE)
            continue;
        end = next;
    }
    return end;
}

static bool has_room(struct ewf_chunks *chunks, size_t size)
{
    if (size <= chunks->room)
        return true;
    uint8_t *more = realloc(chunks->stored, size);
    if (more == NULL)
        return false;
    chunks->stored = more;
    chunks->room = size;
    return true;
}

/* The stored bytes [begin, end) of a segment, with those up to `group` when they can be read as well. 0,
 * -EIO, -ENOMEM. */
static int fetch(struct image *image, struct ewf_chunks *chunks, uint32_t segment, uint64_t begin,
                 uint64_t end, uint64_t group, const uint8_t **ret_stored)
{
    int fd = image->fds[segment];
    if (chunks->size == 0 || chunks->segment != segment || begin < chunks->at ||
        end > chunks->at + chunks->size) {
        chunks->size = 0;
        if (!has_room(chunks, (size_t)(group - begin)))
            return -ENOMEM;
        size_t size = (size_t)(group - begin);
        if (!image_pread(fd, begin, chunks->stored, size)) {
            size = (size_t)(end - begin);
            if (!image_pread(fd, begin, chunks->stored, size))
                return -EIO;
        }
        chunks->segment = segment;
        chunks->at = begin;
        chunks->size = size;
    }
    *ret_stored = chunks->stored + (begin - chunks->at);
    return 0;
}

static size_t size_of_chunk(const struct ewf_chunks *chunks, uint64_t chunk)
{
    uint64_t left = chunks->media_size - chunk * chunks->chunk_size;
    return left < chunks->chunk_size ? (size_t)left : chunks->chunk_size;
}

/* One whole chunk. 0, -ENOMEM, or -EIO: it is damaged, or cannot be read. */
static int read_chunk(struct image *image, struct ewf_chunks *chunks, uint64_t chunk, uint64_t ahead,
                      uint8_t *to)
{
    const struct ewf_table *table = table_of(chunks, chunk);
    const uint8_t *stored;
    uint32_t entry;
    uint64_t end;
    if (table == NULL || !find_chunk(image, chunks, table, chunk - table->first, ahead, &entry, &end))
        return -EIO;
    uint64_t begin = place_of(table, entry);
    if (end - begin > 2ULL * chunks->chunk_size + AT_ONCE) /* deflate never adds so much */
        return -EIO;
    uint64_t group = end_of_group(chunks, table, chunk - table->first, begin, end);
    int status = fetch(image, chunks, table->segment, begin, end, group, &stored);
    if (status < 0)
        return status;
    return ewf_unpack(entry >> 31 != 0, stored, (size_t)(end - begin), to, size_of_chunk(chunks, chunk)) > 0
               ? 0
               : -EIO;
}

/* The chunk, inflated and kept for the next small read; NULL with *ret_status. */
static const uint8_t *kept_chunk(struct image *image, struct ewf_chunks *chunks, uint64_t chunk, bool fill,
                                 int *ret_status)
{
    struct slot *oldest = &chunks->slots[0];
    *ret_status = 0;
    for (size_t i = 0; i < chunks->slot_count; i++) {
        struct slot *slot = &chunks->slots[i];
        if (slot->size > 0 && slot->chunk == chunk) {
            slot->used = ++chunks->clock;
            return slot->data;
        }
        if (slot->used < oldest->used)
            oldest = slot;
    }
    if (!fill)
        return NULL;
    oldest->size = 0;
    if (oldest->data == NULL)
        oldest->data = malloc(chunks->chunk_size);
    *ret_status = oldest->data == NULL ? -ENOMEM : read_chunk(image, chunks, chunk, 1, oldest->data);
    if (*ret_status < 0)
        return NULL;
    oldest->chunk = chunk;
    oldest->size = size_of_chunk(chunks, chunk);
    oldest->used = ++chunks->clock;
    return oldest->data;
}

/* Of one chunk, as much as is wanted of it. */
static int read_part(struct image *image, struct ewf_chunks *chunks, uint64_t chunk, size_t within,
                     uint8_t *data, size_t size, uint64_t ahead)
{
    int status;
    bool whole = within == 0 && size == size_of_chunk(chunks, chunk);
    const uint8_t *kept = kept_chunk(image, chunks, chunk, !whole, &status);
    if (kept != NULL)
        memcpy(data, kept + within, size);
    else if (whole)
        status = read_chunk(image, chunks, chunk, ahead, data);
    return status;
}

int ewf_chunks_read(struct image *image, struct ewf_chunks *chunks, uint64_t offset, uint8_t *data,
                    size_t size)
{
    while (size > 0) {
        uint64_t chunk = offset / chunks->chunk_size;
        size_t within = (size_t)(offset % chunks->chunk_size);
        size_t n = size_of_chunk(chunks, chunk) - within;
        n = n < size ? n : size;
        int status = read_part(image, chunks, chunk, within, data, n, (size - n) / chunks->chunk_size + 1);
        if (status == -EIO) {
            memset(data, 0, n);
            status = image_add_bad(image, offset, n);
        }
        if (status < 0)
            return status;
        offset += n;
        data += n;
        size -= n;
    }
    return 0;
}
