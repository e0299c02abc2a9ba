/*
 * sevenzip_data: the header of 7z archives [7zFormat.txt of the LZMA SDK], and their data: stored, LZMA and
 * LZMA2, alone or behind one of the branch filters or Delta, as liblzma unpacks them.
 */
#include "plugins/carve/formats/sevenzip.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

enum {
    END = 0,
    PACK_INFO = 6,
    UNPACK_INFO = 7,
    SUBSTREAMS = 8,
    SIZE = 9,
    CRC = 10,
    FOLDER = 11,
    UNPACK_SIZE = 12,
    STREAM_COUNT = 13,
    SIGNATURE = 32,
    COUNT_MAX = 1 << 22,
};
#define MEMORY_MAX (UINT64_C(256) << 20)
#define MADE_MAX   (UINT64_C(64) << 30) /* out of all folders */

/* A number whose first byte's upper bits say how many follow. */
static uint64_t number(struct bytes *bytes)
{
    uint8_t first = bytes_u8(bytes), mask = 0x80;
    uint64_t n = 0;

    for (unsigned i = 0; i < 8; i++, mask >>= 1) {
        if ((first & mask) == 0)
            return n | (uint64_t)(first & (mask - 1u)) << (8 * i);
        n |= (uint64_t)bytes_u8(bytes) << (8 * i);
    }
    return n;
}

/* A number of things of which each takes a byte or more; too many fail. */
static size_t counted(struct bytes *bytes)
{
    uint64_t n = number(bytes);

    if (n > COUNT_MAX)
        bytes_fail(bytes);
    return bytes_failed(bytes) ? 0 : (size_t)n;
}

/* Bits, the first of a byte the highest, unless one byte says that all are set; to be freed. */
static uint8_t *bits(struct bytes *bytes, size_t count)
{
    uint8_t *set = malloc(count + 1), byte = 0;
    bool all = bytes_u8(bytes) != 0;

    for (size_t i = 0; set != NULL && i < count; i++) {
        if (!all && i % 8 == 0)
            byte = bytes_u8(bytes);
        set[i] = all || (byte >> (7 - i % 8) & 1) != 0;
    }
    if (set == NULL)
        bytes_fail(bytes);
    return set;
}

static void read_coder(struct bytes *bytes, struct sevenzip_folder *folder, struct sevenzip_coder *coder,
                       uint64_t *ins, uint64_t *outs)
{
    uint8_t flags = bytes_u8(bytes);
    uint64_t in = 1, out = 1, size = 0;
    const uint8_t *p;

    coder->method = 0;
    for (unsigned i = 0; i < (flags & 0x0fu); i++)
        coder->method = coder->method << 8 | bytes_u8(bytes);
    if ((flags & 0x10) != 0) {
        in = counted(bytes);
        out = counted(bytes);
    }
    folder->simple &= in == 1 && out == 1;
    if ((flags & 0x20) != 0)
        size = counted(bytes);
    p = bytes_take(bytes, (size_t)size);
    folder->simple &= size <= sizeof coder->properties;
    coder->property_size = size <= sizeof coder->properties ? (size_t)size : 0;
    if (p != NULL)
        memcpy(coder->properties, p, coder->property_size);
    *ins += in;
    *outs += out;
}

/* Puts the coders of a simple folder in order, from the one whose output is the folder's to the one that
 * reads packed bytes; `source` says whose output each coder reads, SEVENZIP_CODERS: packed bytes. */
static void order_coders(struct sevenzip_folder *folder, const unsigned *source)
{
    struct sevenzip_coder ordered[SEVENZIP_CODERS];
    unsigned at = folder->main_out, count = 0;

    while (folder->simple && at < folder->coder_count && count < folder->coder_count) {
        ordered[count++] = folder->coders[at];
        at = source[at];
    }
    folder->simple &= count == folder->coder_count && at == SEVENZIP_CODERS;
    if (folder->simple)
        memcpy(folder->coders, ordered, count * sizeof ordered[0]);
}

static void read_folder(struct bytes *bytes, struct sevenzip_folder *folder)
{
    size_t count = counted(bytes);
    uint64_t ins = 0, outs = 0, bound = 0;
    unsigned source[SEVENZIP_CODERS];

    for (unsigned i = 0; i < SEVENZIP_CODERS; i++)
        source[i] = SEVENZIP_CODERS;
    folder->simple = count <= SEVENZIP_CODERS;
    if (count == 0 || count > 32)
        bytes_fail(bytes);
    for (size_t i = 0; i < count && !bytes_failed(bytes); i++) {
        struct sevenzip_coder other, *coder = i < SEVENZIP_CODERS ? &folder->coders[i] : &other;

        read_coder(bytes, folder, coder, &ins, &outs);
    }
    folder->coder_count = (unsigned)count;
    if (outs == 0 || outs > 64 || ins > 64 || ins < outs - 1)
        bytes_fail(bytes);
    for (uint64_t i = 0; i + 1 < outs && !bytes_failed(bytes); i++) {
        uint64_t in = number(bytes), out = number(bytes);

        if (in >= ins || out >= outs || out >= 64)
            bytes_fail(bytes);
        else
            bound |= UINT64_C(1) << out;
        if (in < SEVENZIP_CODERS)
            source[in] = (unsigned)(out < SEVENZIP_CODERS ? out : SEVENZIP_CODERS);
    }
    while (folder->main_out + 1 < outs && (bound >> folder->main_out & 1) != 0)
        folder->main_out++;
    order_coders(folder, source);
    if (bytes_failed(bytes))
        return;
    folder->out_streams = (unsigned)outs;
    folder->pack_streams = (unsigned)(ins - (outs - 1));
    for (unsigned i = 0; folder->pack_streams > 1 && i < folder->pack_streams; i++)
        (void)number(bytes);
}

static void read_folders(struct bytes *bytes, struct sevenzip *ret)
{
    size_t count = counted(bytes);

    if (bytes_u8(bytes) != 0 ||
        count > bytes_left(bytes)) { /* folders in another stream: nobody writes that */
        bytes_fail(bytes);
        return;
    }
    ret->folders = calloc(count + 1, sizeof ret->folders[0]);
    if (ret->folders == NULL) {
        bytes_fail(bytes);
        return;
    }
    ret->folder_count = count;
    for (size_t i = 0; i < count && !bytes_failed(bytes); i++)
        read_folder(bytes, &ret->folders[i]);
}

static void read_unpack_info(struct bytes *bytes, struct sevenzip *ret)
{
    uint8_t id;

    while ((id = bytes_u8(bytes)) != END && !bytes_failed(bytes)) {
        if (id == FOLDER && ret->folders == NULL) {
            read_folders(bytes, ret);
        } else if (id == UNPACK_SIZE) {
            for (size_t i = 0; i < ret->folder_count && !bytes_failed(bytes); i++) {
                for (unsigned k = 0; k < ret->folders[i].out_streams; k++) {
                    uint64_t size = number(bytes);

                    if (k == ret->folders[i].main_out)
                        ret->folders[i].size = size;
                }
            }
        } else if (id == CRC) {
            uint8_t *set = bits(bytes, ret->folder_count);

            for (size_t i = 0; set != NULL && i < ret->folder_count; i++) {
                ret->folders[i].has_crc = set[i] != 0;
                if (set[i] != 0)
                    ret->folders[i].crc = bytes_u32le(bytes);
            }
            free(set);
        } else {
            bytes_fail(bytes);
        }
    }
}

/* One stream a folder, until "SubStreamsInfo" says otherwise. */
static bool make_streams(struct sevenzip *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < ret->folder_count; i++)
        count += (size_t)ret->folders[i].files;
    free(ret->streams);
    ret->streams = calloc(count + 1, sizeof ret->streams[0]);
    ret->stream_count = ret->streams != NULL ? count : 0;
    return ret->streams != NULL;
}

static void read_stream_sizes(struct bytes *bytes, struct sevenzip *ret, bool stored)
{
    struct sevenzip_stream *stream = ret->streams;

    for (size_t i = 0; i < ret->folder_count && !bytes_failed(bytes); i++) {
        uint64_t left = ret->folders[i].size;

        for (uint64_t k = 0; k < ret->folders[i].files; k++, stream++) {
            stream->size = k + 1 == ret->folders[i].files || !stored ? left : number(bytes);
            if (stream->size > left)
                bytes_fail(bytes);
            left -= stream->size <= left ? stream->size : left;
        }
    }
}

/* CRCs of those streams whose folder does not give it already. */
static void read_stream_crcs(struct bytes *bytes, struct sevenzip *ret, bool stored)
{
    struct sevenzip_stream *stream = ret->streams;
    size_t count = 0, n = 0;
    uint8_t *set = NULL;

    for (size_t i = 0; i < ret->folder_count; i++) {
        const struct sevenzip_folder *folder = &ret->folders[i];

        count += folder->files == 1 && folder->has_crc ? 0 : (size_t)folder->files;
    }
    if (stored && (set = bits(bytes, count)) == NULL)
        return;
    for (size_t i = 0; i < ret->folder_count; i++) {
        const struct sevenzip_folder *folder = &ret->folders[i];

        for (uint64_t k = 0; k < folder->files; k++, stream++) {
            if (folder->files == 1 && folder->has_crc) {
                stream->has_crc = true;
                stream->crc = folder->crc;
            } else if (set != NULL && set[n++] != 0) {
                stream->has_crc = true;
                stream->crc = bytes_u32le(bytes);
            }
        }
    }
    free(set);
}

static void read_substreams(struct bytes *bytes, struct sevenzip *ret)
{
    uint8_t id = bytes_u8(bytes);
    uint64_t all = 0;

    if (id == STREAM_COUNT) {
        for (size_t i = 0; i < ret->folder_count && !bytes_failed(bytes); i++) {
            ret->folders[i].files = counted(bytes);
            all += ret->folders[i].files;
        }
        id = bytes_u8(bytes);
    }
    if (bytes_failed(bytes) || all > COUNT_MAX || !make_streams(ret)) {
        bytes_fail(bytes);
        return;
    }
    read_stream_sizes(bytes, ret, id == SIZE);
    if (id == SIZE)
        id = bytes_u8(bytes);
    read_stream_crcs(bytes, ret, id == CRC);
    if (id == CRC)
        id = bytes_u8(bytes);
    if (id != END)
        bytes_fail(bytes);
}

/* Packed streams, behind each other from `at` on: each folder takes its own. */
static bool place_folders(struct sevenzip *ret, uint64_t at, const uint64_t *sizes, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < ret->folder_count; i++) {
        struct sevenzip_folder *folder = &ret->folders[i];

        folder->packed_at = at;
        for (unsigned k = 0; k < folder->pack_streams; k++, n++) {
            if (n >= count)
                return false;
            folder->packed = u64_add_saturating(folder->packed, sizes[n]);
            at = u64_add_saturating(at, sizes[n]);
        }
    }
    return n == count;
}

static uint64_t *read_pack_info(struct bytes *bytes, uint64_t *ret_at, size_t *ret_count)
{
    uint64_t *sizes;
    uint8_t id;

    *ret_at = number(bytes);
    *ret_count = counted(bytes);
    sizes = *ret_count <= bytes_left(bytes) ? calloc(*ret_count + 1, sizeof sizes[0]) : NULL;
    if (sizes == NULL)
        bytes_fail(bytes);
    while ((id = bytes_u8(bytes)) != END && !bytes_failed(bytes)) {
        if (id == SIZE) {
            for (size_t i = 0; i < *ret_count; i++)
                sizes[i] = number(bytes);
        } else if (id == CRC) {
            uint8_t *set = bits(bytes, *ret_count);

            for (size_t i = 0; set != NULL && i < *ret_count; i++)
                bytes_skip(bytes, set[i] != 0 ? 4 : 0);
            free(set);
        } else {
            bytes_fail(bytes);
        }
    }
    return sizes;
}

bool sevenzip_streams(struct bytes *bytes, struct sevenzip *ret)
{
    uint64_t at = 0, *sizes = NULL;
    size_t count = 0;
    uint8_t id;

    while ((id = bytes_u8(bytes)) != END && !bytes_failed(bytes)) {
        if (id == PACK_INFO && sizes == NULL) {
            sizes = read_pack_info(bytes, &at, &count);
        } else if (id == UNPACK_INFO && ret->folders == NULL && ret->streams == NULL) {
            read_unpack_info(bytes, ret);
            for (size_t i = 0; i < ret->folder_count; i++)
                ret->folders[i].files = 1;
        } else if (id == SUBSTREAMS && ret->streams == NULL) {
            read_substreams(bytes, ret);
        } else {
            bytes_fail(bytes);
        }
    }
    if (!bytes_failed(bytes) && ret->streams == NULL && make_streams(ret)) {
        read_stream_sizes(bytes, ret, false);
        read_stream_crcs(bytes, ret, false);
    }
    if (ret->streams == NULL || !place_folders(ret, u64_add_saturating(SIGNATURE, at), sizes, count))
        bytes_fail(bytes);
    free(sizes);
    return !bytes_failed(bytes);
}

void sevenzip_finish(struct sevenzip *sevenzip)
{
    free(sevenzip->folders);
    free(sevenzip->streams);
    *sevenzip = (struct sevenzip){0};
}

/* ------------------------------------------------------------------ unpacking */

/* What comes out, against the CRCs of the streams in it. */
struct check {
    const struct sevenzip_stream *stream, *end;
    uint64_t left; /* of the stream at hand */
    uint32_t crc;
    bool wrong, unchecked;
};

static void check_stream_end(struct check *check)
{
    check->unchecked |= !check->stream->has_crc && check->stream->size > 0;
    check->wrong |= check->stream->has_crc && check->stream->crc != check->crc;
    check->stream++;
    check->left = check->stream < check->end ? check->stream->size : 0;
    check->crc = 0;
}

static void check_bytes(struct check *check, const uint8_t *p, size_t size)
{
    while (check->stream < check->end && (size > 0 || check->left == 0)) {
        size_t part = check->left < size ? (size_t)check->left : size;

        check->crc = lzma_crc32(p, part, check->crc);
        check->left -= part;
        p += part;
        size -= part;
        if (check->left == 0)
            check_stream_end(check);
    }
    check->wrong |= size > 0;
}

static lzma_vli filter_of(uint64_t method)
{
    static const struct {
        uint64_t method;
        lzma_vli filter;
    } filters[] = {
        {0x21, LZMA_FILTER_LZMA2},     {0x030101, LZMA_FILTER_LZMA1EXT},   {0x03, LZMA_FILTER_DELTA},
        {0x03030103, LZMA_FILTER_X86}, {0x03030205, LZMA_FILTER_POWERPC},  {0x03030401, LZMA_FILTER_IA64},
        {0x03030501, LZMA_FILTER_ARM}, {0x03030701, LZMA_FILTER_ARMTHUMB}, {0x03030805, LZMA_FILTER_SPARC},
        {0x04, LZMA_FILTER_X86},
    };

    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (filters[i].method == method)
            return filters[i].filter;
    }
    return LZMA_VLI_UNKNOWN;
}

/* liblzma's filters for the folder's coders; the options are to be freed. */
static bool make_filters(const struct sevenzip_folder *folder, lzma_filter *filters)
{
    bool known = folder->simple;
    unsigned count = folder->coder_count < SEVENZIP_CODERS ? folder->coder_count : SEVENZIP_CODERS;

    for (unsigned i = 0; i < SEVENZIP_CODERS + 1; i++)
        filters[i] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
    for (unsigned i = 0; i < count && known; i++) {
        const struct sevenzip_coder *coder = &folder->coders[i];

        filters[i].id = filter_of(coder->method);
        known = filters[i].id != LZMA_VLI_UNKNOWN &&
                lzma_properties_decode(&filters[i], NULL, coder->properties, coder->property_size) == LZMA_OK;
        if (!known)
            filters[i] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
        if (known && filters[i].id == LZMA_FILTER_LZMA1EXT) {
            lzma_options_lzma *options = filters[i].options;

            options->ext_flags = LZMA_LZMA1EXT_ALLOW_EOPM;
            lzma_set_ext_size(*options, folder->size);
        }
    }
    return known && lzma_raw_decoder_memusage(filters) <= MEMORY_MAX;
}

static void free_filters(lzma_filter *filters)
{
    for (unsigned i = 0; i < SEVENZIP_CODERS + 1; i++)
        free(filters[i].options);
}

/* Runs the decoder over the folder's packed bytes. */
static void unpack_lzma(struct reader *reader, const struct sevenzip_folder *folder, lzma_stream *lzma,
                        struct check *check, uint8_t *keep, uint64_t *ret_at)
{
    uint64_t end = folder->packed_at + folder->packed, made = 0;
    lzma_ret code = LZMA_OK;
    uint8_t out[64 * 1024];

    while (code == LZMA_OK && made < folder->size) {
        const uint8_t *data = NULL;
        size_t span = *ret_at < end ? reader_span(reader, *ret_at, &data) : 0, size;

        span = span < end - *ret_at ? span : (size_t)(end - *ret_at);
        lzma->next_in = data;
        lzma->avail_in = span;
        lzma->next_out = out;
        lzma->avail_out = sizeof out;
        code = lzma_code(lzma, LZMA_RUN);
        *ret_at += span - lzma->avail_in;
        size = sizeof out - lzma->avail_out;
        size = size < folder->size - made ? size : (size_t)(folder->size - made);
        check_bytes(check, out, size);
        if (keep != NULL)
            memcpy(keep + made, out, size);
        made += size;
        if (code == LZMA_OK && span == 0 && size == 0)
            code = LZMA_BUF_ERROR;
    }
    check->wrong |= made != folder->size;
}

static void copy(struct reader *reader, const struct sevenzip_folder *folder, struct check *check,
                 uint8_t *keep, uint64_t *ret_at)
{
    uint64_t end = folder->packed_at + folder->packed;

    check->wrong |= folder->packed != folder->size;
    while (*ret_at < end && !check->wrong) {
        const uint8_t *data;
        size_t span = reader_span(reader, *ret_at, &data);

        span = span < end - *ret_at ? span : (size_t)(end - *ret_at);
        check->wrong |= span == 0;
        check_bytes(check, data, span);
        if (keep != NULL)
            memcpy(keep + (*ret_at - folder->packed_at), data, span);
        *ret_at += span;
    }
}

enum sevenzip_data sevenzip_unpack(struct reader *reader, const struct sevenzip *sevenzip, size_t number_of,
                                   uint8_t *out, uint64_t *ret_at)
{
    const struct sevenzip_folder *folder = &sevenzip->folders[number_of];
    struct check check = {.stream = sevenzip->streams};
    lzma_filter filters[SEVENZIP_CODERS + 1];
    lzma_stream lzma = LZMA_STREAM_INIT;
    uint64_t before = 0;
    bool known = true;

    *ret_at = folder->packed_at;
    for (size_t i = 0; i < number_of; i++) {
        check.stream += sevenzip->folders[i].files;
        before = u64_add_saturating(before, sevenzip->folders[i].size);
    }
    check.end = check.stream + folder->files;
    check.left = folder->files > 0 ? check.stream->size : 0;
    if (!u64_range_fits(folder->packed_at, folder->packed, reader_size(reader)))
        return SEVENZIP_WRONG;
    if (u64_add_saturating(before, folder->size) > MADE_MAX)
        return SEVENZIP_UNCHECKED;
    if (folder->simple && folder->coder_count == 1 && folder->coders[0].method == 0) {
        copy(reader, folder, &check, out, ret_at);
    } else {
        known = make_filters(folder, filters) && lzma_raw_decoder(&lzma, filters) == LZMA_OK;
        if (known)
            unpack_lzma(reader, folder, &lzma, &check, out, ret_at);
        lzma_end(&lzma);
        free_filters(filters);
    }
    if (!known)
        return SEVENZIP_UNCHECKED;
    check_bytes(&check, (const uint8_t *)"", 0); /* empty streams at the end */
    if (check.wrong || check.stream < check.end)
        return SEVENZIP_WRONG;
    return check.unchecked ? SEVENZIP_UNCHECKED : SEVENZIP_RIGHT;
}
