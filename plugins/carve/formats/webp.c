/*
 * webp: WebP [Google, WebP Container Specification; RFC 6386 for VP8, RFC 9649 for VP8L]. Chunks in a RIFF
 * structure, whose size they must fill exactly.
 *
 * The frames have no checksum, and their codes mean something whatever they are: a still picture is complete.
 * Validated: an animation of which no frame makes up more than a third, as each frame's place and head is
 * told.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"
#include "plugins/carve/formats/tiffdir.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { HEAD = 12, CHUNKS_MAX = 1 << 20 };

struct webp {
    struct reader *reader;
    struct carved *carved;
    uint64_t end;            /* that the RIFF size names */
    uint64_t total, largest; /* bytes of frames */
    unsigned frames;
    uint64_t last_at; /* the last frame: nothing in it tells whether it is all of one piece */
};

/* The head of a key frame: a tag with the size of the first partition, a start code, the sides. */
static bool vp8_holds(struct reader *reader, uint64_t at, uint32_t size)
{
    const uint8_t *p = size >= 10 ? reader_at(reader, at, 10) : NULL;

    return p != NULL && (p[0] & 1) == 0 && memcmp(p + 3, "\x9d\x01\x2a", 3) == 0 &&
           (field_le32(p) & 0xffffff) >> 5 <= size - 10 && (p[6] | (p[7] & 0x3f)) != 0 &&
           (p[8] | (p[9] & 0x3f)) != 0;
}

static bool vp8l_holds(struct reader *reader, uint64_t at, uint32_t size)
{
    const uint8_t *p = size >= 5 ? reader_at(reader, at, 5) : NULL;

    return p != NULL && p[0] == 0x2f && p[4] >> 5 == 0;
}

static bool is_fourcc(const uint8_t *p)
{
    for (size_t i = 0; i < 4; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return false;
    }
    return true;
}

static void take_frame(struct webp *webp, uint64_t at, uint32_t size)
{
    webp->last_at = at;
    webp->frames++;
    webp->total += size;
    webp->largest = size > webp->largest ? size : webp->largest;
}

static bool chunk_holds(struct webp *webp, uint64_t at, const uint8_t *head, uint64_t end, bool in_frame);

/* The chunks that fill [at, end), of the file or of a frame in it. False: they do not. *ret_at: how far they
 * did. */
static bool chunks_hold(struct webp *webp, uint64_t at, uint64_t end, bool in_frame, uint64_t *ret_at)
{
    for (unsigned i = 0; at < end && i < CHUNKS_MAX; i++) {
        uint8_t head[8];
        const uint8_t *p = u64_range_fits(at, 8, end) ? reader_at(webp->reader, at, 8) : NULL;

        *ret_at = at;
        if (p == NULL)
            return false;
        memcpy(head, p, sizeof head);
        if (!is_fourcc(head) || !chunk_holds(webp, at + 8, head, end, in_frame))
            return false;
        at += 8 + (uint64_t)field_le32(head + 4) + (head[4] & 1);
    }
    *ret_at = at < end ? at : end;
    return at == end || at == end + 1; /* some leave out the last byte that fills up */
}

static bool chunk_holds(struct webp *webp, uint64_t at, const uint8_t *head, uint64_t end, bool in_frame)
{
    uint32_t size = field_le32(head + 4);
    struct tiffdir dir;
    uint64_t stop;

    if (!u64_range_fits(at, size, end))
        return false;
    if (memcmp(head, "VP8 ", 4) == 0 || memcmp(head, "VP8L", 4) == 0) {
        take_frame(webp, at, size);
        return (head[3] == ' ' ? vp8_holds : vp8l_holds)(webp->reader, at, size);
    }
    if (memcmp(head, "ANMF", 4) == 0)
        return size >= 24 && !in_frame && chunks_hold(webp, at + 16, at + size, true, &stop);
    if (memcmp(head, "EXIF", 4) == 0) {
        uint32_t skip = reader_is(webp->reader, at, "Exif\0", 6) ? 6 : 0;

        if (size > skip && tiffdir_open(&dir, webp->reader, at + skip, size - skip))
            tiffdir_title(&dir, webp->carved);
    }
    return true;
}

static enum carve_grade examine_webp(struct reader *reader, struct carved *ret)
{
    struct webp webp = {.reader = reader, .carved = ret};
    const uint8_t *p = reader_at(reader, 0, HEAD + 8);
    uint64_t stop = HEAD;

    if (p == NULL || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WEBPVP8", 7) != 0 ||
        field_le32(p + 4) < HEAD || (p[15] != ' ' && p[15] != 'L' && p[15] != 'X'))
        return CARVE_NONE;
    webp.end = 8 + (uint64_t)field_le32(p + 4);
    if (chunks_hold(&webp, HEAD, webp.end, false, &stop) && webp.frames > 0 &&
        webp.end <= reader_size(reader))
        return carved_whole(ret, webp.largest <= webp.total / 3 ? CARVE_VALIDATED : CARVE_COMPLETE, webp.end);
    if (webp.end > reader_size(reader))
        carved_partial(ret, reader_size(reader), "the last %llu of %llu bytes: the data ends here",
                       (unsigned long long)(webp.end - reader_size(reader)), (unsigned long long)webp.end);
    else
        carved_partial(ret, stop, "no chunk at byte %llu", (unsigned long long)stop);
    stop = webp.last_at > 0 && webp.last_at < stop ? webp.last_at : stop;
    ret->good = stop < ret->size ? stop : ret->size;
    if (webp.frames == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format webp_format = {"webp", examine_webp};
const struct carve_format *const carve_webp[] = {&webp_format, NULL};
