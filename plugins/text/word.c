/*
 * word: Word 97 to 2003: the piece table says where the text's pieces lie in the stream WordDocument. The
 * compound file around it is read by its own short reader: two chains of sectors. [MS-DOC 2.4.1, 2.9.38;
 * MS-CFB]
 */
#include "plugins/text/extract.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_C(0xfffffffa) /* and above: no sector */

enum {
    HEADER = 512,
    ENTRY = 128,
    STREAM_MAX = 512 * 1024 * 1024,
    PIECES_MAX = 1 << 20,
};

struct compound {
    const uint8_t *data;
    size_t size;
    uint32_t shift; /* of a sector */
    struct buf fat, mini_fat, mini, directory;
    uint32_t cutoff;
    struct output *output;
};

static uint32_t word_at(const struct buf *buf, size_t index)
{
    struct bytes bytes;

    bytes_init(&bytes, buf->data, buf->size);
    bytes_seek(&bytes, index <= SIZE_MAX / 4 ? index * 4 : SIZE_MAX);
    index = bytes_u32le(&bytes);
    return bytes_failed(&bytes) ? NONE : (uint32_t)index;
}

/* A sector's bytes; *ret_size is less at the file's end, 0 behind it. */
static const uint8_t *sector(const struct compound *c, uint32_t number, size_t *ret_size)
{
    uint64_t at = ((uint64_t)number + 1) << c->shift, size = UINT64_C(1) << c->shift;

    *ret_size = at >= c->size ? 0 : (size_t)(c->size - at < size ? c->size - at : size);
    return c->data + (*ret_size > 0 ? at : 0);
}

/* Follows a chain; as many sectors as the file can have at most, so that a loop ends. */
static void chain(struct compound *c, uint32_t first, uint64_t size, struct buf *ret)
{
    uint64_t most = (c->size >> c->shift) + 1, got;

    for (uint64_t i = 0; first < NONE && i < most && ret->size < size && ret->size < STREAM_MAX; i++) {
        size_t here;
        const uint8_t *data = sector(c, first, &here);

        got = size - ret->size < here ? size - ret->size : here;
        buf_append(ret, data, (size_t)got);
        if (here == 0 || !output_spend(c->output, 1 + here / 64))
            return;
        first = word_at(&c->fat, first);
    }
}

static void mini_chain(struct compound *c, uint32_t first, uint64_t size, struct buf *ret)
{
    for (size_t i = 0; first < NONE && i <= c->mini.size / 64 && ret->size < size; i++) {
        uint64_t at = (uint64_t)first * 64;
        uint64_t got = size - ret->size < 64 ? size - ret->size : 64;

        if (!u64_range_fits(at, got, c->mini.size))
            return;
        buf_append(ret, c->mini.data + at, (size_t)got);
        first = word_at(&c->mini_fat, first);
    }
}

/* The table of sectors: 109 of its own in the header, the others in a chain of their own. */
static void read_fat(struct compound *c)
{
    struct bytes header;
    uint32_t next, count;
    uint64_t most = (c->size >> c->shift) + 1;

    bytes_init(&header, c->data, HEADER);
    bytes_seek(&header, 68);
    next = bytes_u32le(&header);
    count = bytes_u32le(&header);
    for (size_t i = 0; i < 109; i++) {
        size_t size;
        uint32_t number = bytes_u32le(&header);
        const uint8_t *data = number < NONE ? sector(c, number, &size) : NULL;

        if (data != NULL)
            buf_append(&c->fat, data, size);
    }
    for (uint32_t i = 0; i < count && next < NONE && i < most; i++) {
        struct bytes list;
        size_t size;
        const uint8_t *data = sector(c, next, &size);

        bytes_init(&list, data, size);
        for (size_t j = 0; j + 4 < size && c->fat.size < c->size; j += 4) {
            size_t part;
            uint32_t number = bytes_u32le(&list);
            const uint8_t *more = number < NONE ? sector(c, number, &part) : NULL;

            if (more != NULL)
                buf_append(&c->fat, more, part);
        }
        next = bytes_u32le(&list);
    }
}

/* The stream of this name, by the directory's order; names are UTF-16. */
static bool stream(struct compound *c, const char *name, struct buf *ret)
{
    size_t length = strlen(name);

    for (size_t at = 0; at + ENTRY <= c->directory.size; at += ENTRY) {
        struct bytes entry;
        uint32_t first, size;
        bool same = c->directory.data[at + 64] == 2 * (length + 1) && c->directory.data[at + 66] == 2;

        for (size_t i = 0; i < length && same; i++)
            same =
                c->directory.data[at + 2 * i] == (uint8_t)name[i] && c->directory.data[at + 2 * i + 1] == 0;
        if (!same)
            continue;
        bytes_init(&entry, c->directory.data + at, ENTRY);
        bytes_seek(&entry, 116);
        first = bytes_u32le(&entry);
        size = bytes_u32le(&entry);
        if (size < c->cutoff)
            mini_chain(c, first, size, ret);
        else
            chain(c, first, size, ret);
        return ret->size == size;
    }
    return false;
}

static bool open_compound(struct compound *c)
{
    struct bytes header, root;
    uint32_t directory, mini_fat, first, size;

    if (c->size < HEADER)
        return false;
    bytes_init(&header, c->data, HEADER);
    bytes_seek(&header, 30);
    c->shift = bytes_u16le(&header);
    if (c->shift != 9 && c->shift != 12)
        return false;
    bytes_seek(&header, 48);
    directory = bytes_u32le(&header);
    bytes_skip(&header, 4);
    c->cutoff = bytes_u32le(&header);
    mini_fat = bytes_u32le(&header);
    read_fat(c);
    chain(c, directory, STREAM_MAX, &c->directory);
    chain(c, mini_fat, STREAM_MAX, &c->mini_fat);
    if (c->directory.size < ENTRY)
        return false;
    bytes_init(&root, c->directory.data, ENTRY);
    bytes_seek(&root, 116);
    first = bytes_u32le(&root);
    size = bytes_u32le(&root);
    chain(c, first, size, &c->mini);
    return !buf_failed(&c->fat) && !buf_failed(&c->directory) && !buf_failed(&c->mini) &&
           !buf_failed(&c->mini_fat);
}

/* ------------------------------------------------------------------ the text */

/* Word's own marks: 7 a cell, 13 a paragraph, 19 to 21 a field's instruction and result. */
static void put(struct output *output, uint32_t code, unsigned *field)
{
    if (code == 0x13)
        ++*field;
    else if (code == 0x14 || code == 0x15)
        *field = 0;
    else if (*field == 0 && (code == 7 || code == 13 || code == 11 || code == 12))
        output_line(output);
    else if (*field == 0)
        output_code(output, code);
}

static void put_piece(const struct document *document, const struct buf *text, uint32_t fc, uint32_t count,
                      unsigned *field, struct output *output)
{
    const struct charset *latin = charset_find(document->charsets, "windows-1252", 12);
    bool narrow = (fc & 0x40000000) != 0;
    uint64_t at = narrow ? (fc & 0x3fffffff) / 2 : fc & 0x3fffffff,
             size = narrow ? count : (uint64_t)count * 2;

    if (at > text->size || size > text->size - at) {
        output_lacks(output, "a piece of the document's text is not where its table says");
        size = at > text->size ? 0 : text->size - at;
    }
    for (uint64_t i = 0; i + !narrow < size && !output_done(output); i += narrow ? 1 : 2) {
        const uint8_t *p = text->data + at + i;

        if (narrow && *p >= 0x80 && *field == 0)
            charset_put(latin, p, 1, output);
        else
            put(output, narrow ? *p : (uint32_t)p[0] | (uint32_t)p[1] << 8, field);
    }
}

/* The piece table behind the property modifiers. */
static bool find_pieces(const struct buf *table, uint32_t at, uint32_t size, struct bytes *ret)
{
    if (size == 0 || !u64_range_fits(at, size, table->size))
        return false;
    bytes_init(ret, table->data + at, size);
    while (bytes_left(ret) > 0) {
        uint8_t kind = bytes_u8(ret);

        if (kind == 2) {
            size = bytes_u32le(ret);
            if (bytes_failed(ret) || size > bytes_left(ret))
                return false;
            bytes_init(ret, ret->data + ret->offset, size);
            return true;
        }
        if (kind != 1)
            return false;
        bytes_skip(ret, bytes_u16le(ret));
    }
    return false;
}

static void put_pieces(const struct document *document, const struct buf *text, struct bytes *pieces,
                       struct output *output)
{
    size_t count = pieces->size < 4 ? 0 : (pieces->size - 4) / 12;
    unsigned field = 0;

    if (count > PIECES_MAX)
        count = 0;
    for (size_t i = 0; i < count && !output_done(output) && output_spend(output, 10); i++) {
        uint32_t first, last, fc;

        bytes_seek(pieces, i * 4);
        first = bytes_u32le(pieces);
        last = bytes_u32le(pieces);
        bytes_seek(pieces, (count + 1) * 4 + i * 8 + 2);
        fc = bytes_u32le(pieces);
        if (bytes_failed(pieces) || last < first)
            return;
        put_piece(document, text, fc, last - first, &field, output);
    }
}

static void take_document(struct compound *c, const struct document *document, struct output *output)
{
    struct buf text = {0}, table = {0};
    struct bytes fib, pieces;
    uint16_t flags;
    uint32_t at, size;

    stream(c, "WordDocument", &text);
    bytes_init(&fib, text.data, text.size);
    bytes_seek(&fib, 10);
    flags = bytes_u16le(&fib);
    bytes_seek(&fib, 0x1a2);
    at = bytes_u32le(&fib);
    size = bytes_u32le(&fib);
    if (!bytes_failed(&fib) && (flags & 0x100) == 0)
        stream(c, (flags & 0x200) != 0 ? "1Table" : "0Table", &table);
    if ((flags & 0x100) != 0)
        output_lacks(output, "the document is encrypted");
    else if (bytes_failed(&fib) || !find_pieces(&table, at, size, &pieces))
        output_lacks(output, "the document has no table of pieces: older than Word 97, or damaged");
    else
        put_pieces(document, &text, &pieces, output);
    buf_finish(&text);
    buf_finish(&table);
}

static bool has_stream(const struct compound *c, const char *name)
{
    uint8_t wide[64];
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        wide[2 * i] = (uint8_t)name[i];
        wide[2 * i + 1] = 0;
    }
    for (size_t at = 0; at + ENTRY <= c->directory.size; at += ENTRY) {
        if (memcmp(c->directory.data + at, wide, 2 * length) == 0)
            return true;
    }
    return false;
}

void extract_word(const struct document *document, struct output *output, const char **ret_format)
{
    struct compound c = {.data = document->data, .size = document->size, .output = output};

    if (open_compound(&c) && has_stream(&c, "WordDocument")) {
        *ret_format = "doc";
        take_document(&c, document, output);
    }
    buf_finish(&c.fat);
    buf_finish(&c.mini_fat);
    buf_finish(&c.mini);
    buf_finish(&c.directory);
}
