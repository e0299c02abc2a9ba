/*
 * jpeg: JPEG pictures [ITU-T T.81; JFIF: T.871; EXIF: CIPA DC-008; several pictures in one file: CIPA
 * DC-007]. Marker segments from SOI to the EOI of the main picture; what lies in segments (a thumbnail) is
 * passed by their lengths. Where the multi-picture index names pictures behind the main one, and they are
 * there, the object ends behind the last of them.
 *
 * Validated: every segment is well-formed, and the entropy-coded data of every scan is Huffman codes for
 * exactly the blocks that the frame has. Arithmetic coding, lossless and hierarchical processes, more than
 * four components, and pictures whose height comes behind them are followed by their markers alone: complete.
 */
#include "plugins/carve/formats/jpeg.h"
#include "plugins/carve/formats/jpeg_scan.h"
#include "plugins/carve/formats/tiffdir.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    SOF0 = 0xc0,
    SOF1 = 0xc1,
    SOF2 = 0xc2,
    SOF3 = 0xc3,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    RST0 = 0xd0,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DNL = 0xdc,
    DRI = 0xdd,
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP2 = 0xe2,
    APP13 = 0xed,
    COM = 0xfe,
    SEGMENTS_MAX = 100000,
    EXTRA_MAX = 64,               /* bytes between the last block and the next marker that are let pass */
    BLOCKS_MAX = 8 * 1024 * 1024, /* whose state is kept: 64 MiB, pictures of some 350 megapixels */
};

struct jpeg {
    struct reader *reader;
    struct carved
        *carved; /* for title and parts of the object, which then begins with the picture; NULL: not wanted */
    uint64_t offset, good;
    struct jpeg_huffman dc[JPEG_TABLES], ac[JPEG_TABLES];
    uint16_t quanta[JPEG_TABLES][64];
    struct jpeg_frame frame;
    uint32_t interval;
    bool framed, decodable, scanned, shown, titled;
    bool odd;                   /* coefficients larger than a picture's */
    uint64_t index, index_size; /* multi-picture: where the index is */
    struct jpeg_scan_result last;
};

/* ------------------------------------------------------------------ segments, `data` of `size` bytes */

static bool take_quantisers(struct jpeg *jpeg, struct bytes *data)
{
    while (bytes_left(data) > 0) {
        uint8_t what = bytes_u8(data), wide = what >> 4;

        if (wide > 1 || (what & 15) >= JPEG_TABLES)
            return false;
        for (size_t i = 0; i < 64; i++)
            jpeg->quanta[what & 15][i] = wide ? bytes_u16be(data) : bytes_u8(data);
    }
    return !bytes_failed(data);
}

static bool take_huffman(struct jpeg *jpeg, struct bytes *data)
{
    while (bytes_left(data) > 0) {
        uint8_t what = bytes_u8(data);
        const uint8_t *counts = bytes_take(data, 16), *symbols;
        size_t count = 0;

        if (counts == NULL || what >> 4 > 1 || (what & 15) >= JPEG_TABLES)
            return false;
        for (size_t i = 0; i < 16; i++)
            count += counts[i];
        symbols = bytes_take(data, count);
        if (symbols == NULL || count > 256 ||
            !jpeg_huffman_build(what >> 4 ? &jpeg->ac[what & 15] : &jpeg->dc[what & 15], counts, symbols))
            return false;
    }
    return !bytes_failed(data);
}

static bool take_component(struct jpeg_component *component, struct bytes *data)
{
    uint8_t sampling;

    component->id = bytes_u8(data);
    sampling = bytes_u8(data);
    component->quantiser = bytes_u8(data);
    component->h = sampling >> 4;
    component->v = sampling & 15;
    return component->h >= 1 && component->h <= 4 && component->v >= 1 && component->v <= 4 &&
           component->quantiser < JPEG_TABLES;
}

static void measure(struct jpeg_frame *frame)
{
    uint32_t mcus_wide = (frame->width + 8u * frame->h - 1) / (8u * frame->h);

    for (size_t i = 0; i < frame->count; i++) {
        struct jpeg_component *c = &frame->components[i];
        uint32_t wide = ((uint32_t)frame->width * c->h + frame->h - 1) / frame->h;
        uint32_t high = ((uint32_t)frame->height * c->v + frame->v - 1) / frame->v;

        c->blocks_wide = frame->lossless ? wide : (wide + 7) / 8;
        c->blocks_high = frame->lossless ? high : (high + 7) / 8;
        c->stride = mcus_wide * c->h;
    }
}

static bool take_frame(struct jpeg *jpeg, uint8_t marker, struct bytes *data)
{
    struct jpeg_frame *frame = &jpeg->frame;
    size_t count;

    if (jpeg->framed)
        return false;
    frame->precision = bytes_u8(data);
    frame->height = bytes_u16be(data);
    frame->width = bytes_u16be(data);
    count = bytes_u8(data);
    if (count == 0 || bytes_left(data) != 3 * count || frame->width == 0 || frame->precision < 2 ||
        frame->precision > 16)
        return false;
    frame->count = count < JPEG_COMPONENTS_MAX ? count : JPEG_COMPONENTS_MAX;
    frame->progressive = marker == SOF2;
    frame->lossless = marker == SOF3;
    for (size_t i = 0; i < frame->count; i++) {
        struct jpeg_component *component = &frame->components[i];

        if (!take_component(component, data))
            return false;
        frame->h = component->h > frame->h ? component->h : frame->h;
        frame->v = component->v > frame->v ? component->v : frame->v;
    }
    measure(frame);
    jpeg->framed = true;
    jpeg->decodable = count <= JPEG_COMPONENTS_MAX && marker <= SOF3 && frame->height > 0 &&
                      (frame->precision == 8 || (frame->precision == 12 && marker != SOF0) || marker == SOF3);
    return !bytes_failed(data);
}

/* Memory for what earlier scans told about the coefficients. Too much: the scans are not read. */
static void remember(struct jpeg *jpeg)
{
    struct jpeg_frame *frame = &jpeg->frame;
    uint64_t sizes[JPEG_COMPONENTS_MAX], total = 0;

    if (!frame->progressive || !jpeg->decodable || frame->components[0].known != NULL)
        return;
    for (size_t i = 0; i < frame->count; i++) {
        sizes[i] = (uint64_t)frame->components[i].stride * frame->components[i].blocks_high;
        total += sizes[i];
    }
    if (total > BLOCKS_MAX)
        jpeg->decodable = false;
    for (size_t i = 0; i < frame->count && jpeg->decodable; i++) {
        frame->components[i].known = calloc((size_t)sizes[i], sizeof(uint64_t));
        jpeg->decodable = frame->components[i].known != NULL;
    }
}

static bool scan_is_legal(const struct jpeg *jpeg, const struct jpeg_scan *scan)
{
    unsigned blocks = 0;

    for (size_t i = 0; i < scan->count; i++) {
        const struct jpeg_component *component = &jpeg->frame.components[scan->component[i]];

        blocks += (unsigned)component->h * component->v;
        for (size_t k = 0; k < i; k++) {
            if (scan->component[i] == scan->component[k])
                return false;
        }
    }
    if (scan->count > 1 && blocks > 10)
        return false;
    if (jpeg->frame.lossless)
        return scan->first >= 1 && scan->first <= 7 && scan->last == 0 && scan->high == 0;
    if (!jpeg->frame.progressive)
        return scan->first == 0 && scan->last == 63 && scan->high == 0 && scan->low == 0;
    return scan->last < 64 && scan->first <= scan->last && scan->low <= 13 &&
           (scan->high == 0 || scan->high == scan->low + 1) &&
           (scan->first == 0 ? scan->last == 0 : scan->count == 1);
}

static bool take_scan_component(struct jpeg *jpeg, struct jpeg_scan *scan, size_t i, struct bytes *data)
{
    uint8_t id = bytes_u8(data), tables = bytes_u8(data);
    size_t k = 0;

    while (k < jpeg->frame.count && jpeg->frame.components[k].id != id)
        k++;
    if (k == jpeg->frame.count || tables >> 4 >= JPEG_TABLES || (tables & 15) >= JPEG_TABLES)
        return false;
    scan->component[i] = (uint8_t)k;
    scan->dc[i] = &jpeg->dc[tables >> 4];
    scan->ac[i] = &jpeg->ac[tables & 15];
    scan->quanta[i] = jpeg->quanta[jpeg->frame.components[k].quantiser];
    return true;
}

static bool take_scan(struct jpeg *jpeg, struct jpeg_scan *scan, struct bytes *data)
{
    *scan = (struct jpeg_scan){.count = bytes_u8(data), .interval = jpeg->interval};
    if (!jpeg->framed || scan->count == 0 || scan->count > JPEG_COMPONENTS_MAX ||
        bytes_left(data) != 2 * scan->count + 3)
        return false;
    for (size_t i = 0; i < scan->count; i++) {
        if (!take_scan_component(jpeg, scan, i, data) && jpeg->decodable)
            return false;
    }
    scan->first = bytes_u8(data);
    scan->last = bytes_u8(data);
    scan->low = bytes_u8(data);
    scan->high = scan->low >> 4;
    scan->low &= 15;
    return !bytes_failed(data) && (!jpeg->decodable || scan_is_legal(jpeg, scan));
}

/* Are the tables there that the scan's coefficients need? Those of motion pictures leave out the usual ones.
 */
static bool has_tables(const struct jpeg *jpeg, const struct jpeg_scan *scan)
{
    bool dc = jpeg->frame.lossless || (scan->first == 0 && scan->high == 0), ac = scan->last > 0;

    for (size_t i = 0; i < scan->count; i++) {
        if ((dc && !scan->dc[i]->set) || (ac && !scan->ac[i]->set))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ application data */

static void take_exif(struct jpeg *jpeg, uint64_t at, uint64_t size)
{
    struct tiffdir dir;

    if (jpeg->carved == NULL || jpeg->titled || size < 14 || !reader_is(jpeg->reader, at, "Exif\0", 5) ||
        !tiffdir_open(&dir, jpeg->reader, at + 6, size - 6))
        return;
    jpeg->titled = true;
    tiffdir_title(&dir, jpeg->carved);
    tiffdir_thumbnail(&dir, jpeg->carved);
}

/* The thumbnail among Photoshop's resources [Adobe, Photoshop File Formats: resource 1036]. */
static void take_resources(struct jpeg *jpeg, uint64_t at, uint64_t size)
{
    uint64_t end = at + size;

    if (jpeg->carved == NULL || size < 14 || !reader_is(jpeg->reader, at, "Photoshop 3.0", 14))
        return;
    at += 14;
    while (end - at >= 12 && reader_is(jpeg->reader, at, "8BIM", 4)) {
        const uint8_t *p = reader_at(jpeg->reader, at, 7);
        uint16_t id = p != NULL ? (uint16_t)(p[4] << 8 | p[5]) : 0;
        uint64_t name = p != NULL ? (p[6] + 2u) & ~1u : 0, data = at + 6 + name + 4;
        uint32_t length;

        if (name == 0 || data > end || !reader_be32(jpeg->reader, data - 4, &length) || length > end - data)
            return;
        if (id == 1036 && length > 28)
            carved_part(jpeg->carved, data + 28, length - 28, "jpg");
        at = data + length + (length & 1);
        if (at > end)
            return;
    }
}

static bool take_application(struct jpeg *jpeg, uint8_t marker, uint64_t at, uint64_t size)
{
    if (marker == APP1)
        take_exif(jpeg, at, size);
    if (marker == APP13)
        take_resources(jpeg, at, size);
    if (marker == APP2 && size > 12 && reader_is(jpeg->reader, at, "MPF\0", 4)) {
        jpeg->index = at + 4;
        jpeg->index_size = size - 4;
    }
    return true;
}

/* ------------------------------------------------------------------ the walk */

static bool has_segment(uint8_t marker)
{
    return marker >= SOF0 && marker != JPG && (marker < RST0 || marker > SOI) && marker != EOI &&
           (marker < 0xf0 || marker > 0xfd);
}

/* The segment whose data is [at, at + size): false when it is not well-formed. */
static bool take_segment(struct jpeg *jpeg, uint8_t marker, uint64_t at, size_t size)
{
    const uint8_t *p;
    struct bytes data;

    if (marker >= APP0)
        return reader_size(jpeg->reader) - at >= size && take_application(jpeg, marker, at, size);
    p = size > 0 ? reader_at(jpeg->reader, at, size) : NULL;
    if (p == NULL)
        return false;
    bytes_init(&data, p, size);
    switch (marker) {
    case DHT:
        return take_huffman(jpeg, &data);
    case DQT:
        return take_quantisers(jpeg, &data);
    case DRI:
        jpeg->interval = bytes_u16be(&data);
        return size == 2;
    case DAC:
    case DNL:
        return size % 2 == 0;
    case 0xde: /* hierarchical */
    case 0xdf:
        return true;
    default:
        return take_frame(jpeg, marker, &data);
    }
}

static enum carve_grade broken(struct jpeg *jpeg, struct carved *ret, uint64_t size, const char *what)
{
    carved_partial(ret, size, "%s at byte %llu", what, (unsigned long long)size);
    ret->good = jpeg->good < size ? jpeg->good : size;
    if (!jpeg->shown)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

/* Such coefficients show early that the data is not the picture's. But when all codes are right to the last
 * block, an encoder made them. */
static void read_leniently(struct jpeg *jpeg, const struct jpeg_scan *scan)
{
    struct jpeg_scan lenient = *scan;
    struct jpeg_scan_result result;

    lenient.lenient = true;
    jpeg_scan_read(jpeg->reader, jpeg->offset, &jpeg->frame, &lenient, &result);
    if (result.how != JPEG_WHOLE)
        return;
    jpeg->last = result;
    jpeg->odd = true;
}

/* The scan behind an SOS segment. False: `ret` tells why. */
static bool pass_scan(struct jpeg *jpeg, const struct jpeg_scan *scan, struct carved *ret)
{
    static const char *const ends[] = {
        "", "the picture is whole, but no marker follows its data", "the picture's data ends too early",
        "the picture's data is no picture", "the data ends inside of the picture's data"};
    struct jpeg_scan_result *result = &jpeg->last;

    jpeg->scanned = true;
    jpeg->good = jpeg->offset;
    remember(jpeg);
    if (!jpeg->decodable || !has_tables(jpeg, scan)) {
        uint64_t next = jpeg_scan_skip(jpeg->reader, jpeg->offset);

        jpeg->decodable = false;
        jpeg->shown = true;
        if (next != UINT64_MAX)
            jpeg->offset = next;
        else
            broken(jpeg, ret, reader_size(jpeg->reader), "the data ends inside of the picture's data");
        return next != UINT64_MAX;
    }
    jpeg_scan_read(jpeg->reader, jpeg->offset, &jpeg->frame, scan, result);
    if (result->too_large && !jpeg->frame.progressive)
        read_leniently(jpeg, scan);
    jpeg->good = result->good;
    jpeg->offset = result->end;
    jpeg->shown |= result->mcus > 0;
    if (result->how == JPEG_EXTRA) {
        uint64_t next = jpeg_scan_skip(jpeg->reader, result->end);

        jpeg->decodable = false;
        if (next != UINT64_MAX && next - result->end <= EXTRA_MAX) {
            jpeg->offset = next;
            return true;
        }
    }
    if (result->how != JPEG_WHOLE) {
        broken(jpeg, ret, result->end, ends[result->how]);
        ret->broken = result->how != JPEG_CUT ? result->end : 0;
        return false;
    }
    for (size_t i = 0; i < scan->count && (scan->first == 0 || jpeg->frame.lossless); i++)
        jpeg->frame.components[scan->component[i]].seen = true;
    return true;
}

static enum carve_grade finish(struct jpeg *jpeg, struct carved *ret)
{
    bool all = jpeg->decodable;

    if (!jpeg->scanned)
        return ret->grade = CARVE_NONE; /* tables only, as in TIFF, or nothing */
    for (size_t i = 0; i < jpeg->frame.count && all; i++)
        all = jpeg->frame.components[i].seen;
    return carved_whole(ret, all && !jpeg->odd ? CARVE_VALIDATED : CARVE_COMPLETE, jpeg->offset);
}

/* The marker at `offset`, behind what fills up: 0 when there is none. Moves behind it. */
static uint8_t next_marker(struct jpeg *jpeg)
{
    const uint8_t *p;

    if (!reader_is(jpeg->reader, jpeg->offset, "\xff", 1))
        return 0;
    for (unsigned i = 0; i < 4096; i++) {
        p = reader_at(jpeg->reader, jpeg->offset + 1, 1);
        if (p == NULL)
            return 0;
        jpeg->offset++;
        if (*p != 0xff) {
            jpeg->offset++;
            return *p;
        }
    }
    return 0;
}

/* One marker and what belongs to it. True: on with the next. */
static bool step(struct jpeg *jpeg, struct carved *ret)
{
    uint64_t at = jpeg->offset;
    uint8_t marker = next_marker(jpeg);
    struct jpeg_scan scan;
    uint16_t length;

    if (marker == EOI) {
        finish(jpeg, ret);
        return false;
    }
    if (marker >= RST0 && marker < SOI && jpeg->interval > 0 && jpeg->scanned)
        return true; /* some write one behind the last interval too */
    if (!has_segment(marker) || !reader_be16(jpeg->reader, jpeg->offset, &length) || length < 2) {
        broken(jpeg, ret, at, at == reader_size(jpeg->reader) ? "the data ends" : "no marker");
        return false;
    }
    jpeg->good = jpeg->offset + 2;
    if (marker == SOS) {
        const uint8_t *p = length > 2 ? reader_at(jpeg->reader, jpeg->offset + 2, length - 2u) : NULL;
        struct bytes data;

        bytes_init(&data, p, p != NULL ? length - 2u : 0);
        if (!take_scan(jpeg, &scan, &data)) {
            broken(jpeg, ret, jpeg->good, "no scan header");
            return false;
        }
        jpeg->offset += length;
        return pass_scan(jpeg, &scan, ret);
    }
    if (!take_segment(jpeg, marker, jpeg->offset + 2, length - 2u)) {
        broken(jpeg, ret, jpeg->good, "a segment that is cut or not well-formed");
        return false;
    }
    jpeg->offset += length;
    return true;
}

/* One picture at `start`. Sizes in `ret` count from the object's first byte. */
static enum carve_grade walk(struct jpeg *jpeg, uint64_t start, struct carved *ret)
{
    const uint8_t *p = reader_at(jpeg->reader, start, 4);

    if (p == NULL || memcmp(p, "\xff\xd8\xff", 3) != 0 || !has_segment(p[3]))
        return ret->grade = CARVE_NONE;
    jpeg->offset = jpeg->good = start + 2;
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        if (!step(jpeg, ret))
            return ret->grade;
    }
    return broken(jpeg, ret, jpeg->offset, "too many segments");
}

static void forget(struct jpeg *jpeg)
{
    for (size_t i = 0; i < JPEG_COMPONENTS_MAX; i++)
        free(jpeg->frame.components[i].known);
}

/* ------------------------------------------------------------------ for others */

/* The tables of an abbreviated stream: SOI, segments, EOI. What is wrong there shows in the scans. */
static void take_tables(struct jpeg *jpeg, uint64_t at, uint64_t size)
{
    struct carved carved = {.grade = CARVE_NONE};

    if (size >= 4 && reader_is(jpeg->reader, at, "\xff\xd8", 2)) {
        jpeg->offset = at + 2;
        while (jpeg->offset < at + size && !jpeg->framed && step(jpeg, &carved))
            ;
    }
}

enum carve_grade jpeg_check(struct reader *reader, uint64_t at, uint64_t tables, uint64_t tables_size,
                            struct carved *ret)
{
    struct jpeg *jpeg = calloc(1, sizeof *jpeg);

    if (jpeg == NULL)
        return CARVE_NONE;
    jpeg->reader = reader;
    take_tables(jpeg, tables, tables_size);
    walk(jpeg, at, ret);
    forget(jpeg);
    free(jpeg);
    return ret->grade;
}

static enum carve_grade examine_jpeg(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 4);
    struct jpeg *jpeg;

    if (p == NULL || memcmp(p, "\xff\xd8\xff", 3) != 0)
        return CARVE_NONE;
    jpeg = calloc(1, sizeof *jpeg);
    if (jpeg == NULL)
        return CARVE_NONE;
    jpeg->reader = reader;
    jpeg->carved = ret;
    walk(jpeg, 0, ret);
    if (ret->grade >= CARVE_COMPLETE)
        jpeg_after(reader, jpeg->index, jpeg->index_size, ret);
    forget(jpeg);
    free(jpeg);
    return ret->grade;
}

/* Entropy-coded data: 0xFF is followed by 0 or by one of a few markers, there is no long row of zeros, and
 * the bytes are spread. */
static bool jpeg_continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    enum { LOOK = 2048, SPREAD = 8, ZEROS = 48 };
    static const uint8_t followers[] = {0, EOI, DHT, SOS, 0xff};
    uint64_t left = reader_size(reader) - split;
    size_t size = left < LOOK ? (size_t)left : LOOK, high = 0, zeros = 0;
    const uint8_t *p = reader_at(reader, split, size > 0 ? size : 1);

    (void)carved;
    for (size_t i = 0; p != NULL && i < size; i++) {
        high += p[i] >> 7;
        zeros = p[i] == 0 ? zeros + 1 : 0;
        if (zeros >= ZEROS)
            return false;
        if (p[i] != 0xff || i + 1 == size)
            continue;
        if (p[i + 1] == EOI)
            return true;
        if (memchr(followers, p[i + 1], sizeof followers) == NULL && (p[i + 1] & 0xf8) != RST0)
            return false;
    }
    return p != NULL && high >= size / SPREAD;
}

static const struct carve_format jpeg_format = {"jpeg", examine_jpeg, jpeg_continues};
const struct carve_format *const carve_jpeg[] = {&jpeg_format, NULL};
