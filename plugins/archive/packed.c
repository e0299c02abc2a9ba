/* packed: see packed.h. [RFC 1952; bzip2's and xz's own libraries; RFC 8878] */
#include "plugins/archive/packed.h"

#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { IN = 64 * 1024, OUT = 256 * 1024, NAME = 1024 };
#define MEMORY (UINT64_C(1) << 30)

enum answer { ANSWER_MORE, ANSWER_END, ANSWER_BAD };

struct packed {
    enum form form;
    struct source_bytes *source;
    uint64_t at; /* in the source, of the next read */
    uint64_t parts;
    uint64_t trailing;
    bool ended;          /* between two parts */
    int code;            /* what comes after the last piece */
    const uint8_t *next; /* in `in` */
    size_t left;
    union {
        z_stream z;
        bz_stream bz;
        lzma_stream lzma;
        ZSTD_DStream *zstd;
    } as;
    gz_header header;
    char name[NAME];
    uint8_t in[IN], out[OUT];
};

bool packed_knows(enum form form)
{
    return form == FORM_GZIP || form == FORM_BZIP2 || form == FORM_XZ || form == FORM_LZMA ||
           form == FORM_LZIP || form == FORM_ZSTD;
}

/* ------------------------------------------------------------------ the libraries */

static int begin_lzma(struct packed *packed)
{
    static const lzma_stream empty = LZMA_STREAM_INIT;
    lzma_ret code;

    packed->as.lzma = empty;
    code = packed->form == FORM_XZ     ? lzma_stream_decoder(&packed->as.lzma, MEMORY, 0)
           : packed->form == FORM_LZIP ? lzma_lzip_decoder(&packed->as.lzma, MEMORY, 0)
                                       : lzma_alone_decoder(&packed->as.lzma, MEMORY);
    return code == LZMA_OK ? 0 : -ENOMEM;
}

static int begin(struct packed *packed)
{
    memset(&packed->as, 0, sizeof packed->as);
    switch (packed->form) {
    case FORM_GZIP:
        return inflateInit2(&packed->as.z, 15 + 16) == Z_OK ? 0 : -ENOMEM;
    case FORM_BZIP2:
        return BZ2_bzDecompressInit(&packed->as.bz, 0, 0) == BZ_OK ? 0 : -ENOMEM;
    case FORM_ZSTD:
        packed->as.zstd = ZSTD_createDStream();
        return packed->as.zstd != NULL ? 0 : -ENOMEM;
    default:
        return begin_lzma(packed);
    }
}

static void end(struct packed *packed)
{
    switch (packed->form) {
    case FORM_GZIP:
        inflateEnd(&packed->as.z);
        break;
    case FORM_BZIP2:
        BZ2_bzDecompressEnd(&packed->as.bz);
        break;
    case FORM_ZSTD:
        ZSTD_freeDStream(packed->as.zstd);
        break;
    default:
        lzma_end(&packed->as.lzma);
        break;
    }
}

static enum answer step_gzip(struct packed *packed, size_t *ret_size)
{
    z_stream *z = &packed->as.z;
    int code;

    z->next_in = (Bytef *)(uintptr_t)packed->next;
    z->avail_in = (uInt)packed->left;
    z->next_out = packed->out;
    z->avail_out = OUT;
    code = inflate(z, Z_SYNC_FLUSH);
    packed->left = z->avail_in;
    packed->next = z->next_in;
    *ret_size = OUT - z->avail_out;
    return code == Z_STREAM_END ? ANSWER_END : code == Z_OK || code == Z_BUF_ERROR ? ANSWER_MORE : ANSWER_BAD;
}

static enum answer step_bzip2(struct packed *packed, size_t *ret_size)
{
    bz_stream *bz = &packed->as.bz;
    int code;

    bz->next_in = (char *)(uintptr_t)packed->next;
    bz->avail_in = (unsigned)packed->left;
    bz->next_out = (char *)packed->out;
    bz->avail_out = OUT;
    code = BZ2_bzDecompress(bz);
    packed->left = bz->avail_in;
    packed->next = (const uint8_t *)bz->next_in;
    *ret_size = OUT - bz->avail_out;
    return code == BZ_STREAM_END ? ANSWER_END : code == BZ_OK ? ANSWER_MORE : ANSWER_BAD;
}

static enum answer step_lzma(struct packed *packed, size_t *ret_size)
{
    lzma_stream *lzma = &packed->as.lzma;
    lzma_ret code;

    lzma->next_in = packed->next;
    lzma->avail_in = packed->left;
    lzma->next_out = packed->out;
    lzma->avail_out = OUT;
    code = lzma_code(lzma, LZMA_RUN);
    packed->left = lzma->avail_in;
    packed->next = lzma->next_in;
    *ret_size = OUT - lzma->avail_out;
    return code == LZMA_STREAM_END                     ? ANSWER_END
           : code == LZMA_OK || code == LZMA_BUF_ERROR ? ANSWER_MORE
                                                       : ANSWER_BAD;
}

static enum answer step_zstd(struct packed *packed, size_t *ret_size)
{
    ZSTD_inBuffer from = {packed->next, packed->left, 0};
    ZSTD_outBuffer to = {packed->out, OUT, 0};
    size_t code = ZSTD_decompressStream(packed->as.zstd, &to, &from);

    packed->next += from.pos;
    packed->left -= from.pos;
    *ret_size = to.pos;
    return ZSTD_isError(code) ? ANSWER_BAD : code == 0 ? ANSWER_END : ANSWER_MORE;
}

static enum answer step(struct packed *packed, size_t *ret_size)
{
    return packed->form == FORM_GZIP    ? step_gzip(packed, ret_size)
           : packed->form == FORM_BZIP2 ? step_bzip2(packed, ret_size)
           : packed->form == FORM_ZSTD  ? step_zstd(packed, ret_size)
                                        : step_lzma(packed, ret_size);
}

/* ------------------------------------------------------------------ parts */

int packed_open(enum form form, struct source_bytes *source, struct packed **ret_packed)
{
    struct packed *packed = calloc(1, sizeof *packed);
    int code;

    if (packed == NULL)
        return -ENOMEM;
    packed->form = form;
    packed->source = source;
    code = begin(packed);
    if (code < 0) {
        free(packed);
        return code;
    }
    packed->header = (gz_header){.name = (Bytef *)packed->name, .name_max = NAME - 1};
    if (form == FORM_GZIP)
        inflateGetHeader(&packed->as.z, &packed->header);
    packed->next = packed->in; /* nothing is there yet, but there it goes */
    *ret_packed = packed;
    return 0;
}

/* Moves what is left to the front and reads more behind it: how much is there. */
static int64_t refill(struct packed *packed)
{
    int64_t got;

    memmove(packed->in, packed->next, packed->left);
    packed->next = packed->in;
    got = source_read(packed->source, packed->at, packed->in + packed->left, IN - packed->left);
    if (got < 0)
        return got;
    packed->at += (uint64_t)got;
    packed->left += (size_t)got;
    return (int64_t)packed->left;
}

static uint64_t rest(const struct packed *packed)
{
    return packed->left + (packed->source->size > packed->at ? packed->source->size - packed->at : 0);
}

static bool all_zero(const struct packed *packed)
{
    return packed->at == packed->source->size &&
           (packed->left == 0 ||
            (packed->next[0] == 0 && memcmp(packed->next, packed->next + 1, packed->left - 1) == 0));
}

/* Behind an end: another part of the same form, zeros that fill up a block, or something else. */
static int next_part(struct packed *packed)
{
    int code;

    if (packed->left < FORM_HEAD && refill(packed) < 0)
        return -EIO;
    if (packed->left == 0)
        return 0;
    if (form_of(packed->next, packed->left) != packed->form) {
        packed->trailing = all_zero(packed) ? 0 : rest(packed);
        return 0;
    }
    end(packed);
    code = begin(packed);
    packed->ended = false;
    return code < 0 ? code : 1;
}

int packed_read(struct packed *packed, const void **ret_data, size_t *ret_size)
{
    size_t size = 0;

    *ret_data = packed->out;
    *ret_size = 0;
    while (size == 0 && packed->code == 0) {
        enum answer answer;
        size_t before;

        if (packed->ended) {
            int more = next_part(packed);

            if (more <= 0)
                return more;
        }
        if (packed->left == 0 && refill(packed) < 0)
            packed->code = -EIO;
        before = packed->left;
        answer = packed->code == 0 ? step(packed, &size) : ANSWER_MORE;
        if (answer == ANSWER_MORE && size == 0 && before > 0 && packed->left == before)
            answer = ANSWER_BAD;
        packed->ended = answer == ANSWER_END;
        packed->parts += packed->ended;
        if (answer == ANSWER_BAD)
            packed->code = -EBADMSG;
        else if (answer == ANSWER_MORE && size == 0 && packed->left == 0 &&
                 packed->at >= packed->source->size)
            packed->code = -ENODATA;
    }
    *ret_size = size;
    return size > 0 ? 1 : packed->code;
}

uint64_t packed_trailing(const struct packed *packed)
{
    return packed->trailing;
}

uint64_t packed_parts(const struct packed *packed)
{
    return packed->parts;
}

const char *packed_name(const struct packed *packed, uint32_t *ret_time)
{
    bool there = packed->form == FORM_GZIP && packed->header.done == 1;

    *ret_time = there ? (uint32_t)packed->header.time : 0;
    return there && packed->name[0] != '\0' ? packed->name : NULL;
}

void packed_close(struct packed *packed)
{
    if (packed == NULL)
        return;
    end(packed);
    free(packed);
}
