/*
 * jp2: JPEG 2000 files [ITU-T T.800, annexes A and I], and their code streams alone. Boxes from the signature
 * to the last; the code stream goes from tile-part to tile-part by their lengths to its end marker.
 *
 * Validated: every tile-part ends where the next or the end begins, and none holds a pair of bytes above
 * FF8F, which packets never have.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/isobox.h"

#include "engine/base/bytes.h"

#include <string.h>

enum {
    SOC = 0xff4f,
    SOT = 0xff90,
    SOD = 0xff93,
    EOC = 0xffd9,
    SIZ = 0xff51,
    PARTS_MAX = 1 << 20,
    BOXES_MAX = 4096,
    DOUBT = 4096
};

struct jp2 {
    struct reader *reader;
    uint64_t good;
    bool shown;
};

/* Packets [at, end) of a tile-part, the segments before them too. *ret_at: what is no packet. */
static bool packets_hold(struct reader *reader, uint64_t at, uint64_t end, uint64_t *ret_at)
{
    while (at < end) {
        const uint8_t *data, *found;
        size_t span = reader_span(reader, at, &data);
        uint8_t next;

        *ret_at = at;
        if (span == 0)
            return false;
        span = span < end - at ? span : (size_t)(end - at);
        found = memchr(data, 0xff, span);
        at += found != NULL ? (uint64_t)(found - data) : span;
        if (found == NULL)
            continue;
        *ret_at = at;
        if (++at < end && (!reader_u8(reader, at, &next) || (next > 0x8f && next != 0x91 && next != 0x92)))
            return false;
    }
    return true;
}

/* Segments from `at` to the marker `last`; its offset, or 0. */
static uint64_t pass_segments(struct reader *reader, uint64_t at, uint16_t last)
{
    uint16_t marker, length;

    for (unsigned i = 0; i < PARTS_MAX; i++) {
        if (!reader_be16(reader, at, &marker) || marker < 0xff4f)
            return 0;
        if (marker == last)
            return at;
        if (!reader_be16(reader, at + 2, &length) || length < 2)
            return 0;
        at += 2 + (uint64_t)length;
    }
    return 0;
}

/* The end marker where a tile-part has no length; UINT64_MAX: none. */
static uint64_t find_end(struct reader *reader, uint64_t at)
{
    uint64_t stop;

    return !packets_hold(reader, at, reader_size(reader), &stop) && reader_is(reader, stop, "\xff\xd9", 2)
               ? stop
               : UINT64_MAX;
}

/* Packets from `at` on are wrong at `stop`: foreign data rarely goes on for longer than DOUBT before that
 * shows, but zeros do. */
static void doubt(struct jp2 *jp2, uint64_t at, uint64_t stop)
{
    static const uint8_t zeros[64];
    uint64_t run = reader_find(jp2->reader, at, stop, zeros, sizeof zeros);

    stop = stop > at + DOUBT ? stop - DOUBT : at;
    jp2->good = run < stop ? run : stop;
}

/* The tile-part at `at`; the offset of the next marker, or 0 for one that is cut or wrong. */
static uint64_t pass_part(struct jp2 *jp2, uint64_t at)
{
    uint64_t end, packets = pass_segments(jp2->reader, at, SOD), stop = at;
    uint32_t length;
    uint16_t marker;

    if (packets == 0 || !reader_be32(jp2->reader, at + 6, &length) ||
        (length > 0 && length < packets + 2 - at))
        return 0;
    end = length > 0 ? at + length : find_end(jp2->reader, packets + 2);
    if (end == UINT64_MAX)
        return 0;
    jp2->shown |= packets + 2 < end;
    if (!packets_hold(jp2->reader, packets + 2, end, &stop)) {
        doubt(jp2, packets + 2, stop);
        return 0;
    }
    return reader_be16(jp2->reader, end, &marker) && (marker == SOT || marker == EOC) ? end : 0;
}

/* The code stream at `at`; where it ends, or 0. */
static uint64_t pass_stream(struct jp2 *jp2, uint64_t at)
{
    uint16_t marker = SOT;

    if (!reader_is(jp2->reader, at, "\xff\x4f\xff\x51", 4))
        return 0;
    at = pass_segments(jp2->reader, at + 2, SOT);
    for (unsigned i = 0; at != 0 && i < PARTS_MAX; i++) {
        jp2->good = at;
        if (!reader_be16(jp2->reader, at, &marker))
            return 0;
        if (marker == EOC)
            return at + 2;
        at = pass_part(jp2, at);
    }
    return 0;
}

static bool is_known(uint32_t type)
{
    static const char types[][5] = {"ftyp", "jp2h", "jp2c", "jp2i", "xml ", "uuid", "uinf", "rreq",
                                    "asoc", "free", "jpch", "jplh", "ftbl", "res ", "cref", "prfl"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (type == ISOBOX_TYPE(types[i][0], types[i][1], types[i][2], types[i][3]))
            return true;
    }
    return false;
}

static enum carve_grade cut(struct jp2 *jp2, struct carved *ret, uint64_t size)
{
    carved_partial(ret, size < reader_size(jp2->reader) ? size : reader_size(jp2->reader),
                   "the code stream is cut or wrong behind byte %llu", (unsigned long long)jp2->good);
    ret->good = jp2->good < ret->size ? jp2->good : ret->size;
    if (!jp2->shown)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade walk_boxes(struct jp2 *jp2, struct carved *ret)
{
    uint64_t at = 12, stream = 0;
    struct isobox box;

    for (unsigned i = 0; i < BOXES_MAX; i++) {
        if (!isobox_read(jp2->reader, at, UINT64_C(1) << 48, &box) || !is_known(box.type))
            break;
        jp2->good = stream == 0 ? at : jp2->good;
        if (box.type == ISOBOX_TYPE('j', 'p', '2', 'c')) {
            stream = pass_stream(jp2, box.content);
            if (stream == 0 || (box.size > 0 && stream != box.at + box.size))
                return cut(jp2, ret, box.size > 0 ? box.at + box.size : reader_size(jp2->reader));
        }
        if (box.size == 0 && stream == 0)
            return cut(jp2, ret, reader_size(jp2->reader));
        if (box.size == 0)
            return carved_whole(ret, CARVE_VALIDATED, stream);
        at += box.size;
        if (at > reader_size(jp2->reader))
            return cut(jp2, ret, at);
    }
    return stream > 0 ? carved_whole(ret, CARVE_VALIDATED, at) : cut(jp2, ret, at);
}

static enum carve_grade examine_jp2(struct reader *reader, struct carved *ret)
{
    struct jp2 jp2 = {.reader = reader};
    uint64_t end;

    if (reader_is(reader, 0, "\0\0\0\x0cjP  \r\n\x87\n", 12)) {
        ret->extension = "jp2";
        return reader_is(reader, 16, "ftyp", 4) ? walk_boxes(&jp2, ret) : CARVE_NONE;
    }
    if (!reader_is(reader, 0, "\xff\x4f\xff\x51\0", 5) || pass_segments(reader, 2, SOT) == 0)
        return CARVE_NONE;
    ret->extension = "j2k";
    ret->format = "JPEG 2000 code stream";
    end = pass_stream(&jp2, 0);
    return end > 0 ? carved_whole(ret, CARVE_VALIDATED, end) : cut(&jp2, ret, jp2.good);
}

static const struct carve_format jp2_format = {"jp2", examine_jp2};
const struct carve_format *const carve_jp2[] = {&jp2_format, NULL};
