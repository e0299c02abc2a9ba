/*
 * sevenzip: 7z archives [7zFormat.txt of the LZMA SDK]. The first header, with a CRC, says where the last one
 * is and what its CRC is: that is the end. Validated: that header, unpacked if it is packed, is well-formed,
 * and all data unpacks to its CRCs. Data that is encrypted, or packed by a method that liblzma does not know
 * (PPMd, BCJ2, BZip2, Deflate), leaves the archive complete.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/sevenzip.h"

#include <stdlib.h>
#include <string.h>

enum {
    START = 32,
    HEADER = 1,
    MAIN_STREAMS = 4,
    ENCODED = 23,
    HEADER_MAX = 64 << 20,
    LAG = 128 * 1024, /* bytes that unpacking may take before it sees that they are not its own */
};

struct last {
    uint64_t offset, size; /* in the object */
    uint32_t crc;
};

static bool read_start(struct reader *reader, struct last *ret)
{
    uint32_t stored, crc;

    if (!reader_is(reader, 0, "7z\xbc\xaf\x27\x1c\0", 7) || !reader_le32(reader, 8, &stored) ||
        !reader_crc32(reader, 12, 20, &crc) || crc != stored || !reader_le64(reader, 12, &ret->offset) ||
        !reader_le64(reader, 20, &ret->size) || !reader_le32(reader, 28, &ret->crc))
        return false;
    ret->offset = u64_add_saturating(ret->offset, START);
    return ret->offset < UINT64_MAX / 2 && ret->size < UINT64_MAX / 2;
}

static uint8_t *load(struct reader *reader, const struct last *last)
{
    uint8_t *header = last->size <= HEADER_MAX ? malloc((size_t)last->size + 1) : NULL;
    uint64_t done = 0;

    while (header != NULL && done < last->size) {
        const uint8_t *data;
        size_t span = reader_span(reader, last->offset + done, &data);

        if (span == 0) {
            free(header);
            return NULL;
        }
        span = span < last->size - done ? span : (size_t)(last->size - done);
        memcpy(header + done, data, span);
        done += span;
    }
    return header;
}

/* Unpacks a packed header in place of it. False: it cannot be done; *ret_wrong when it is damaged. */
static bool unpack_header(struct reader *reader, uint8_t **header, size_t *size, bool *ret_wrong)
{
    struct sevenzip sevenzip = {0};
    struct bytes bytes;
    enum sevenzip_data data = SEVENZIP_UNCHECKED;
    uint8_t *out = NULL;
    uint64_t at;

    bytes_init(&bytes, *header + 1, *size - 1);
    if (!sevenzip_streams(&bytes, &sevenzip))
        data = SEVENZIP_WRONG;
    else if (sevenzip.folder_count == 1 && sevenzip.folders[0].size <= HEADER_MAX &&
             (out = malloc((size_t)sevenzip.folders[0].size + 1)) != NULL)
        data = sevenzip_unpack(reader, &sevenzip, 0, out, &at);
    *ret_wrong = data == SEVENZIP_WRONG;
    if (data == SEVENZIP_RIGHT) {
        free(*header);
        *header = out;
        *size = (size_t)sevenzip.folders[0].size;
    } else {
        free(out);
    }
    sevenzip_finish(&sevenzip);
    return data == SEVENZIP_RIGHT;
}

/* All folders that the header lists; the worst of what they are, and where the first wrong one breaks off. */
static enum sevenzip_data unpack_all(struct reader *reader, const uint8_t *header, size_t size,
                                     uint64_t *ret_good)
{
    enum sevenzip_data worst = SEVENZIP_RIGHT;
    struct sevenzip sevenzip = {0};
    struct bytes bytes;

    *ret_good = START;
    bytes_init(&bytes, header, size);
    if (bytes_u8(&bytes) != HEADER)
        worst = SEVENZIP_WRONG;
    else if (bytes_u8(&bytes) == MAIN_STREAMS && !sevenzip_streams(&bytes, &sevenzip))
        worst = SEVENZIP_WRONG;
    for (size_t i = 0; i < sevenzip.folder_count && worst != SEVENZIP_WRONG; i++) {
        uint64_t begin = sevenzip.folders[i].packed_at, at;
        enum sevenzip_data data = sevenzip_unpack(reader, &sevenzip, i, NULL, &at);

        worst = data < worst ? data : worst;
        if (begin <= reader_size(reader)) /* else it is what was good before */
            *ret_good = at - begin > LAG ? at - LAG : begin;
    }
    sevenzip_finish(&sevenzip);
    return worst;
}

static enum carve_grade follow(struct reader *reader, const struct last *last, struct carved *ret)
{
    uint8_t *header = load(reader, last);
    size_t size = (size_t)last->size;
    enum sevenzip_data data = SEVENZIP_UNCHECKED;
    uint64_t good = START;
    bool wrong = false;

    if (header == NULL)
        return carved_whole(ret, CARVE_COMPLETE, last->offset + last->size);
    if (size == 0)
        data = SEVENZIP_RIGHT; /* an archive of nothing */
    else if (header[0] != ENCODED || unpack_header(reader, &header, &size, &wrong))
        data = unpack_all(reader, header, size, &good);
    free(header);
    if (wrong || data == SEVENZIP_WRONG)
        return carved_partial(ret, good, "data from byte %llu on: it is damaged", (unsigned long long)good);
    return carved_whole(ret, data == SEVENZIP_RIGHT ? CARVE_VALIDATED : CARVE_COMPLETE,
                        last->offset + last->size);
}

static enum carve_grade examine_sevenzip(struct reader *reader, struct carved *ret)
{
    struct last last;
    uint32_t crc;

    if (!read_start(reader, &last))
        return CARVE_NONE;
    if (!reader_crc32(reader, last.offset, last.size, &crc) || crc != last.crc) {
        carved_partial(ret, START, "its last header, which should be at byte %llu",
                       (unsigned long long)last.offset);
        return ret->grade = CARVE_FRAGMENT;
    }
    return follow(reader, &last, ret);
}

static const struct carve_format sevenzip_format = {"sevenzip", examine_sevenzip};
const struct carve_format *const carve_sevenzip[] = {&sevenzip_format, NULL};
