/*
 * bzip2: bzip2 files, of one stream or several. The format is what libbz2 reads: "BZh", a block size, blocks
 * with a CRC each, and a CRC over all at the end. Validated: libbz2 unpacks it to its end.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/reader.h"

#include <bzlib.h>
#include <string.h>

enum { HEADER = 10 };

static bool is_header(struct reader *reader, uint64_t at)
{
    const uint8_t *p = reader_at(reader, at, HEADER);

    return p != NULL && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
           (memcmp(p + 4, "1AY&SY", 6) == 0 || memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

#define MADE_MAX (UINT64_C(64) << 30) /* out of one stream */

struct progress {
    uint64_t block;  /* behind the last block that was unpacked */
    uint64_t before; /* and the one before, whose CRC is surely right */
    uint64_t at;
};

static uint64_t total(unsigned high, unsigned low)
{
    return (uint64_t)high << 32 | low;
}

/* Unpacks what is at hand; libbz2's code, or BZ_UNEXPECTED_EOF when nothing is and nothing more comes out. A
 * block comes out only when all of it was read. */
static int unpack_some(struct reader *reader, bz_stream *bz, uint64_t begin, struct progress *progress)
{
    static const uint8_t none[1];
    char out[64 * 1024];
    const uint8_t *data = none;
    size_t span = reader_span(reader, progress->at, &data);
    uint64_t made;
    int code;

    bz->next_in = (char *)(uintptr_t)data;
    bz->avail_in = (unsigned)span;
    bz->next_out = out;
    bz->avail_out = sizeof out;
    code = BZ2_bzDecompress(bz);
    progress->at = begin + total(bz->total_in_hi32, bz->total_in_lo32);
    made = total(bz->total_out_hi32, bz->total_out_lo32);
    if (bz->avail_out < sizeof out && progress->at > progress->block) {
        progress->before = progress->block;
        progress->block = progress->at;
    }
    if (made > MADE_MAX)
        return BZ_MEM_ERROR;
    return code == BZ_OK && span == 0 && bz->avail_out == sizeof out ? BZ_UNEXPECTED_EOF : code;
}

/* The stream at `begin`: behind it, or 0 and *ret_good how far it holds. */
static uint64_t follow_stream(struct reader *reader, uint64_t begin, uint64_t *ret_good)
{
    struct progress progress = {begin, begin, begin};
    bz_stream bz = {0};
    int code = BZ_OK;

    *ret_good = begin;
    if (BZ2_bzDecompressInit(&bz, 0, 0) != BZ_OK)
        return 0;
    while (code == BZ_OK)
        code = unpack_some(reader, &bz, begin, &progress);
    BZ2_bzDecompressEnd(&bz);
    /* A wrong CRC is seen where its block ends. */
    *ret_good = progress.at > progress.block ? progress.block : progress.before;
    return code == BZ_STREAM_END ? progress.at : 0;
}

static enum carve_grade examine_bzip2(struct reader *reader, struct carved *ret)
{
    uint64_t end = 0, good;

    if (!is_header(reader, 0) || reader_is(reader, 4, "\x17\x72\x45\x38\x50\x90", 6))
        return CARVE_NONE;
    do {
        uint64_t begin = end;

        end = follow_stream(reader, begin, &good);
        if (end == 0) {
            carved_partial(ret, good, "what follows byte %llu: a block of packed data is cut or damaged",
                           (unsigned long long)good);
            if (good == 0)
                ret->grade = CARVE_FRAGMENT;
            return ret->grade;
        }
    } while (is_header(reader, end));
    return carved_whole(ret, CARVE_VALIDATED, end);
}

static const struct carve_format bzip2_format = {"bzip2", examine_bzip2};
const struct carve_format *const carve_bzip2[] = {&bzip2_format, NULL};
