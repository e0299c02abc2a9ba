/* format: see format.h and rules/README.md. */
#include "engine/hashset/format.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"

#include <errno.h>
#include <string.h>

enum { TABLES_AT = 256, TABLE_SIZE = 64, CHECKSUM_AT = HASHSET_HEADER - SHA256_SIZE };

static const struct {
    const char *name;
    uint8_t width;
} algorithms[HASHSET_ALGORITHMS] = {{"md5", MD5_SIZE}, {"sha1", SHA1_SIZE}, {"sha256", SHA256_SIZE}};

size_t hashset_width(enum hashset_algorithm algorithm)
{
    return algorithms[algorithm].width;
}

const char *hashset_algorithm_name(enum hashset_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

enum hashset_algorithm hashset_algorithm_of(size_t width)
{
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        if (algorithms[i].width == width)
            return (enum hashset_algorithm)i;
    return HASHSET_ALGORITHMS;
}

const char *hashset_kind_name(enum hashset_kind kind)
{
    return kind == HASHSET_KNOWN ? "known" : kind == HASHSET_ALERT ? "alert" : "notable";
}

uint32_t layout_index_bits(uint64_t count)
{
    uint32_t bits = 0;

    while (bits < HASHSET_INDEX_BITS_MAX && UINT64_C(4) << bits < count)
        bits++;
    return bits;
}

/* Eight bits a key: one in 40 of the keys that are not there gets past the filter. */
uint64_t layout_filter_blocks(uint64_t count)
{
    return count / HASHSET_BLOCK + 1;
}

void layout_sha256(const uint8_t *header, uint8_t ret[SHA256_SIZE])
{
    char hex[SHA256_HEX_SIZE];

    hash_sha256_hex(header, CHECKSUM_AT, hex);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        unsigned high = (unsigned char)hex[2 * i], low = (unsigned char)hex[2 * i + 1];

        high = high <= '9' ? high - '0' : high - 'a' + 10;
        low = low <= '9' ? low - '0' : low - 'a' + 10;
        ret[i] = (uint8_t)(high << 4 | low);
    }
}

static void put_part(struct buf *buf, const struct hashset_part *part)
{
    buf_u64le(buf, part->offset);
    buf_u64le(buf, part->size);
}

void layout_encode(const struct hashset_layout *layout, uint8_t header[HASHSET_HEADER])
{
    static const uint8_t zeros[HASHSET_HEADER];
    struct buf buf = {0};

    buf_append(&buf, HASHSET_MAGIC, 8);
    buf_u32le(&buf, HASHSET_VERSION);
    buf_u32le(&buf, layout->kind);
    buf_u64le(&buf, layout->file_size);
    buf_u64le(&buf, layout->rows);
    buf_u32le(&buf, layout->entry_extra);
    buf_u32le(&buf, HASHSET_CHUNK);
    buf_u64le(&buf, layout->sources);
    put_part(&buf, &layout->source_part);
    buf_u64le(&buf, layout->labels);
    put_part(&buf, &layout->label_part);
    put_part(&buf, &layout->chunk_part);
    buf_append(&buf, layout->chunks_sha256, SHA256_SIZE);
    buf_append(&buf, layout->name, HASHSET_NAME_SIZE);
    buf_append(&buf, zeros, TABLES_AT - buf.size);
    for (size_t i = 0; i < HASHSET_ALGORITHMS; i++) {
        const struct hashset_table *table = &layout->tables[i];

        buf_u64le(&buf, table->count);
        put_part(&buf, &table->entries);
        put_part(&buf, &table->index);
        put_part(&buf, &table->filter);
        buf_u64le(&buf, table->index_bits);
    }
    for (size_t i = 0; i < HASHSET_SIMILARS; i++) {
        buf_u64le(&buf, layout->similar[i].count);
        put_part(&buf, &layout->similar[i].part);
    }
    buf_append(&buf, zeros, CHECKSUM_AT - buf.size);
    memset(header, 0, HASHSET_HEADER);
    if (!buf_failed(&buf))
        memcpy(header, buf.data, CHECKSUM_AT);
    layout_sha256(header, header + CHECKSUM_AT);
    buf_finish(&buf);
}

/* Where nothing is, nobody checks where it lies, and nobody is to use it. */
static void forget_empty(struct hashset_layout *layout)
{
    for (size_t i = 0; i < HASHSET_ALGORITHMS; i++)
        if (layout->tables[i].count == 0)
            layout->tables[i] = (struct hashset_table){0};
    for (size_t i = 0; i < HASHSET_SIMILARS; i++)
        if (layout->similar[i].count == 0)
            layout->similar[i] = (struct hashset_hashes){0};
}

static void take_part(struct bytes *bytes, struct hashset_part *ret)
{
    ret->offset = bytes_u64le(bytes);
    ret->size = bytes_u64le(bytes);
}

/* Between header and table of chunks, where the checksums are. */
static bool part_fits(const struct hashset_part *part, const struct hashset_layout *layout)
{
    return part->offset >= HASHSET_HEADER && part->offset % HASHSET_BLOCK == 0 &&
           u64_range_fits(part->offset, part->size, layout->chunk_part.offset);
}

static bool table_fits(const struct hashset_layout *layout, unsigned algorithm)
{
    const struct hashset_table *table = &layout->tables[algorithm];

    if (table->count == 0)
        return true;
    return table->count < UINT32_MAX && table->index_bits <= HASHSET_INDEX_BITS_MAX &&
           table->entries.size == table->count * (algorithms[algorithm].width + layout->entry_extra) &&
           table->index.size == ((UINT64_C(1) << table->index_bits) + 1) * 4 &&
           table->filter.size >= HASHSET_BLOCK && table->filter.size % HASHSET_BLOCK == 0 &&
           part_fits(&table->entries, layout) && part_fits(&table->index, layout) &&
           part_fits(&table->filter, layout);
}

static const char *what_is_wrong(const struct hashset_layout *layout, uint64_t file_size)
{
    const struct hashset_part *chunks = &layout->chunk_part;

    if (layout->file_size > file_size)
        return "it is cut short";
    if (layout->file_size < file_size)
        return "something follows its end";
    if (layout->kind < HASHSET_KNOWN || layout->kind > HASHSET_NOTABLE ||
        memchr(layout->name, 0, HASHSET_NAME_SIZE) == NULL)
        return "its header makes no sense";
    if (chunks->offset < HASHSET_HEADER || !u64_range_fits(chunks->offset, chunks->size, file_size) ||
        chunks->offset + chunks->size != file_size ||
        chunks->size != (chunks->offset - HASHSET_HEADER + HASHSET_CHUNK - 1) / HASHSET_CHUNK * SHA256_SIZE)
        return "its checksums are not where they belong";
    if (!part_fits(&layout->source_part, layout) || !part_fits(&layout->label_part, layout) ||
        layout->sources > HASHSET_SOURCES_MAX || layout->labels >= UINT32_MAX ||
        (layout->labels + 1) * 8 > layout->label_part.size ||
        (layout->entry_extra != 8 && (layout->entry_extra != 4 || layout->labels > 0)))
        return "its sources or labels are not where they belong";
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        if (!table_fits(layout, i))
            return "its entries are not where they belong";
    for (unsigned i = 0; i < HASHSET_SIMILARS; i++)
        if (layout->similar[i].count > 0 && !part_fits(&layout->similar[i].part, layout))
            return "its similarity hashes are not where they belong";
    return NULL;
}

int layout_decode(const uint8_t *header, uint64_t file_size, struct hashset_layout *ret_layout,
                  const char **ret_wrong)
{
    struct hashset_layout layout = {0};
    uint8_t sha256[SHA256_SIZE];
    uint32_t version, chunk;
    struct bytes bytes;

    bytes_init(&bytes, header, HASHSET_HEADER);
    if (memcmp(bytes_take(&bytes, 8), HASHSET_MAGIC, 8) != 0)
        return *ret_wrong = "it is not a hash set of kvali's (`kvali hashset import` makes one)", -EBADMSG;
    version = bytes_u32le(&bytes);
    layout_sha256(header, sha256);
    if (memcmp(sha256, header + CHECKSUM_AT, SHA256_SIZE) != 0)
        return *ret_wrong = "its header is damaged: the checksum differs", -EBADMSG;
    if (version != HASHSET_VERSION)
        return *ret_wrong = "it is of another version of the format: import it again", -EBADMSG;
    layout.kind = bytes_u32le(&bytes);
    layout.file_size = bytes_u64le(&bytes);
    layout.rows = bytes_u64le(&bytes);
    layout.entry_extra = bytes_u32le(&bytes);
    chunk = bytes_u32le(&bytes);
    layout.sources = bytes_u64le(&bytes);
    take_part(&bytes, &layout.source_part);
    layout.labels = bytes_u64le(&bytes);
    take_part(&bytes, &layout.label_part);
    take_part(&bytes, &layout.chunk_part);
    memcpy(layout.chunks_sha256, bytes_take(&bytes, SHA256_SIZE), SHA256_SIZE);
    memcpy(layout.name, bytes_take(&bytes, HASHSET_NAME_SIZE), HASHSET_NAME_SIZE);
    bytes_seek(&bytes, TABLES_AT);
    for (size_t i = 0; i < HASHSET_ALGORITHMS; i++) {
        struct hashset_table *table = &layout.tables[i];

        table->count = bytes_u64le(&bytes);
        take_part(&bytes, &table->entries);
        take_part(&bytes, &table->index);
        take_part(&bytes, &table->filter);
        table->index_bits = (uint32_t)bytes_u64le(&bytes);
    }
    for (size_t i = 0; i < HASHSET_SIMILARS; i++) {
        layout.similar[i].count = bytes_u64le(&bytes);
        take_part(&bytes, &layout.similar[i].part);
    }
    *ret_wrong = chunk != HASHSET_CHUNK ? "its chunks have another size" : what_is_wrong(&layout, file_size);
    if (*ret_wrong != NULL)
        return -EBADMSG;
    forget_empty(&layout);
    *ret_layout = layout;
    return 0;
}
