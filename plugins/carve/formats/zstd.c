/*
 * zstd: Zstandard files [RFC 8878]: frames, skippable ones among them. Validated: libzstd unpacks every
 * frame, to its checksum or at least to the size that it names; a frame with neither leaves it complete.
 */
#include "plugins/carve/format.h"

#include <string.h>
#include <zstd.h>

enum {
    WINDOW_LOG_MAX = 27,
    LAG =
        256 * 1024, /* bytes that libzstd may take before it sees that they are not the frame's: two blocks */
    FALSE_HIT = 64,
};

#define MADE_MAX (UINT64_C(64) << 30) /* out of one frame */

/* The frame at `at`: is it one, is it skippable (then *ret_size is all of it), and does it say how to check
 * it? */
static bool is_frame(struct reader *reader, uint64_t at, bool *ret_skippable, uint64_t *ret_size,
                     bool *ret_checked)
{
    const uint8_t *p = reader_at(reader, at, 8);
    uint32_t size;

    if (p == NULL)
        return false;
    *ret_skippable = (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
    if (*ret_skippable) {
        *ret_checked = true;
        if (!reader_le32(reader, at + 4, &size))
            return false;
        *ret_size = (uint64_t)size + 8;
        return true;
    }
    /* Single segment, a content size of its own, or a checksum. */
    *ret_checked = (p[4] & 0xe4) != 0;
    return memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 && (p[4] & 0x08) == 0;
}

/* The frame at `begin`: behind it, or 0 and *ret_at how far libzstd went. */
static uint64_t follow_frame(struct reader *reader, ZSTD_DCtx *zstd, uint64_t begin, uint64_t *ret_at)
{
    static const uint8_t none[1];
    uint8_t out[64 * 1024];
    uint64_t all = 0;
    size_t code = 1;

    *ret_at = begin;
    ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only);
    while (code != 0) {
        const uint8_t *data = none;
        size_t span = reader_span(reader, *ret_at, &data);
        ZSTD_inBuffer in = {data, span, 0};
        ZSTD_outBuffer made = {out, sizeof out, 0};

        code = ZSTD_decompressStream(zstd, &made, &in);
        *ret_at += in.pos;
        all += made.pos;
        if (ZSTD_isError(code) || (code != 0 && span == 0 && made.pos == 0) || all > MADE_MAX)
            return 0;
    }
    return *ret_at;
}

static enum carve_grade cut(struct reader *reader, uint64_t begin, uint64_t at, struct carved *ret)
{
    uint64_t good = at - begin > LAG ? at - LAG : begin;

    carved_partial(ret, good, "the rest of the frame at byte %llu, which is cut or damaged",
                   (unsigned long long)begin);
    if (begin == 0 && at < FALSE_HIT)
        ret->grade = at == reader_size(reader) ? CARVE_FRAGMENT : CARVE_NONE;
    else if (good == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade walk(struct reader *reader, ZSTD_DCtx *zstd, struct carved *ret)
{
    bool skippable, checked, all = true;
    uint64_t at = 0, size;

    while (is_frame(reader, at, &skippable, &size, &checked)) {
        uint64_t begin = at, end;

        all &= checked;
        if (skippable && size > reader_size(reader) - at)
            return cut(reader, begin, at, ret);
        end = skippable ? at + size : follow_frame(reader, zstd, begin, &at);
        if (end == 0)
            return cut(reader, begin, at, ret);
        at = end;
    }
    if (at == 0)
        return CARVE_NONE;
    return carved_whole(ret, all ? CARVE_VALIDATED : CARVE_COMPLETE, at);
}

static enum carve_grade examine_zstd(struct reader *reader, struct carved *ret)
{
    ZSTD_DCtx *zstd;

    if (!reader_is(reader, 0, "\x28\xb5\x2f\xfd", 4) || (zstd = ZSTD_createDCtx()) == NULL)
        return CARVE_NONE;
    if (!ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        walk(reader, zstd, ret);
    ZSTD_freeDCtx(zstd);
    return ret->grade;
}

static const struct carve_format zstd_format = {"zstd", examine_zstd};
const struct carve_format *const carve_zstd[] = {&zstd_format, NULL};
