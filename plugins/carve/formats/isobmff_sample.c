/*
 * isobmff_sample: see isobmff_sample.h. NAL units are read whole: the three bytes 00 00 00, 00 00 01 and
 * 00 00 02 never occur in one [ITU-T H.264, 7.4.1], which tells most of what is not video.
 */
#include "plugins/carve/formats/isobmff_sample.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

/* Where in [offset, offset + size) three bytes stand that no NAL unit holds; the end when nowhere. */
static uint64_t forbidden_bytes(struct reader *reader, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset + 2 < end) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data), i = 2;

        if (span < 3 && (span = 3, data = reader_at(reader, offset, 3)) == NULL)
            return offset;
        span = span < end - offset ? span : (size_t)(end - offset);
        while (i < span) {
            if (data[i] > 2)
                i += 3;
            else if (data[i - 1] != 0 || data[i - 2] != 0)
                i++;
            else
                return offset + i - 2;
        }
        offset += span - 2;
    }
    return end;
}

static bool nal_header_is_legal(enum sample_codec codec, const uint8_t *head)
{
    if ((head[0] & 0x80) != 0)
        return false;
    if (codec == SAMPLE_AVC)
        return (head[0] & 0x1f) != 0 && (head[0] & 0x1f) < 24;
    return (head[1] & 7) != 0; /* nuh_temporal_id_plus1 */
}

/* One NAL unit at `offset`, at most `left` bytes with its length; what it takes, 0: none. */
static uint64_t nal_unit(struct reader *reader, const struct sample_kind *kind, uint64_t offset,
                         uint64_t left, struct trail *trail)
{
    size_t head = (size_t)kind->nal_length + 2;
    const uint8_t *p = left >= head ? reader_at(reader, offset, head) : NULL;
    uint64_t length = 0, stop;

    if (p == NULL)
        return 0;
    for (size_t i = 0; i < kind->nal_length; i++)
        length = length << 8 | p[i];
    if (length == 0)
        return kind->nal_length; /* some writers leave an empty one */
    if (length > left - kind->nal_length || !nal_header_is_legal(kind->codec, p + kind->nal_length))
        return 0;
    /* A length that is all of the sample could not be another. */
    trail_note(trail, offset + head, kind->nal_length < 4 ? 3 : length + 4 == left ? 30 : 14);
    stop = forbidden_bytes(reader, offset + kind->nal_length, length);
    /* Zeros at a unit's end are left there by some. */
    if (stop < offset + kind->nal_length + length - 3 && length > 3)
        return 0;
    return kind->nal_length + length;
}

static bool check_nal(struct reader *reader, const struct sample_kind *kind, uint64_t offset, uint64_t size,
                      struct trail *trail)
{
    uint64_t end = offset + size, used;

    while (offset < end) {
        if (end - offset < (uint64_t)kind->nal_length + 2)
            return reader_is_all(reader, offset, end - offset, 0);
        used = nal_unit(reader, kind, offset, end - offset, trail);
        if (used == 0)
            return false;
        offset += used;
    }
    return true;
}

/* Ends with the element ID_END, 111, and zeros up to a byte's edge? */
static bool ends_as_aac(struct reader *reader, uint64_t offset, uint64_t size)
{
    const uint8_t *p = reader_at(reader, offset + size - 2, 2);
    unsigned tail;

    if (p == NULL || (p[1] == 0 && (p[0] & 1) == 0))
        return false;
    tail = field_be16(p);
    while ((tail & 1) == 0)
        tail >>= 1;
    return (tail & 7) == 7;
}

static bool check_aac(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    uint8_t first;

    if (size < 3)
        return true;
    if (!reader_u8(reader, offset, &first) ||
        (first >> 5 != 0 && first >> 5 != 1 && first >> 5 != 4 && first >> 5 != 6 && first >> 5 != 5) ||
        !ends_as_aac(reader, offset, size))
        return false;
    trail_note(trail, offset + size, 2);
    return true;
}

static bool check_alac(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    const uint8_t *p = size >= 4 ? reader_at(reader, offset, 3) : NULL;

    if (size < 4)
        return true;
    if (p == NULL || (p[0] & 1) != 0 || p[1] != 0 || (p[2] & 0xe0) != 0 || p[0] >> 5 > 3)
        return false;
    trail_note(trail, offset + 3, 12);
    return true;
}

static bool check_amr(struct reader *reader, bool wide, uint64_t offset, uint64_t size, struct trail *trail)
{
    static const uint8_t narrow_sizes[16] = {13, 14, 16, 18, 20, 21, 27, 32, 6, 7, 6, 6, 0, 0, 0, 1};
    static const uint8_t wide_sizes[16] = {18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1};
    uint64_t end = offset + size;

    while (offset < end) {
        uint8_t head, length;

        if (!reader_u8(reader, offset, &head))
            return false;
        length = (wide ? wide_sizes : narrow_sizes)[head >> 3 & 15];
        if ((head & 0x83) != 0 || length == 0 || length > end - offset)
            return false;
        offset += length;
        trail_note(trail, offset, 3);
    }
    return true;
}

static bool begins_with(struct reader *reader, uint64_t offset, uint64_t size, const void *bytes,
                        size_t count, struct trail *trail)
{
    if (size < 8)
        return true;
    if (!reader_is(reader, offset, bytes, count))
        return false;
    trail_note(trail, offset + count, (unsigned)(8 * count));
    return true;
}

static bool check_h263(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    uint8_t third;

    if (size < 8)
        return true;
    if (!reader_is(reader, offset, "\0\0", 2) || !reader_u8(reader, offset + 2, &third) ||
        (third & 0xfc) != 0x80)
        return false;
    trail_note(trail, offset + 3, 22);
    return true;
}

static bool check_prores(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    uint32_t length;

    if (size < 8)
        return true;
    if (!reader_be32(reader, offset, &length) || length > size || !reader_is(reader, offset + 4, "icpf", 4))
        return false;
    trail_note(trail, offset + 8, 60);
    return true;
}

/* An MPEG audio frame (11 bits of sync and no forbidden value) or a FLAC frame (15). */
static bool check_sync(struct reader *reader, uint8_t mask, uint8_t value, uint64_t offset, uint64_t size,
                       struct trail *trail)
{
    const uint8_t *p = size >= 4 ? reader_at(reader, offset, 4) : NULL;

    if (size < 4)
        return true;
    if (p == NULL || p[0] != 0xff || (p[1] & mask) != value || p[2] >> 4 == 15)
        return false;
    trail_note(trail, offset + 4, 11);
    return true;
}

static bool check_vp8(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    const uint8_t *p = size >= 10 ? reader_at(reader, offset, 10) : NULL;
    uint32_t part;

    if (size < 10)
        return true;
    if (p == NULL)
        return false;
    part = (uint32_t)(p[0] | p[1] << 8 | p[2] << 16) >> 5;
    if ((p[0] >> 1 & 7) > 3 || part > size || ((p[0] & 1) == 0 && memcmp(p + 3, "\x9d\x01\x2a", 3) != 0))
        return false;
    trail_note(trail, offset + 3, (p[0] & 1) == 0 ? 28 : 3);
    return true;
}

static bool check_vp9(struct reader *reader, uint64_t offset, struct trail *trail)
{
    uint8_t first;

    if (!reader_u8(reader, offset, &first) || first >> 6 != 2)
        return false;
    trail_note(trail, offset + 1, 2);
    return true;
}

static bool check_av1(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint8_t head, byte = 0x80;
        uint64_t length = 0;

        if (!reader_u8(reader, offset, &head) || (head & 0x81) != 0)
            return false;
        if ((head & 2) == 0)
            return true; /* reaches to the sample's end */
        offset += 1 + (head >> 2 & 1);
        for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
            if (shift > 28 || offset >= end || !reader_u8(reader, offset++, &byte))
                return false;
            length |= (uint64_t)(byte & 0x7f) << shift;
        }
        if (length > end - offset)
            return false;
        trail_note(trail, offset, 4);
        offset += length;
    }
    return true;
}

static bool check_ctmd(struct reader *reader, uint64_t offset, uint64_t size, struct trail *trail)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint32_t length;

        if (!reader_le32(reader, offset, &length) || length < 8 || length > end - offset)
            return false;
        trail_note(trail, offset + 4, 10);
        offset += length;
    }
    return true;
}

bool sample_check(struct reader *reader, const struct sample_kind *kind, uint64_t offset, uint64_t size,
                  struct trail *trail)
{
    if (size == 0)
        return true;
    switch (kind->codec) {
    case SAMPLE_AVC:
    case SAMPLE_HEVC:
        return check_nal(reader, kind, offset, size, trail);
    case SAMPLE_AAC:
        return check_aac(reader, offset, size, trail);
    case SAMPLE_ALAC:
        return check_alac(reader, offset, size, trail);
    case SAMPLE_AMR:
    case SAMPLE_AMRWB:
        return check_amr(reader, kind->codec == SAMPLE_AMRWB, offset, size, trail);
    case SAMPLE_MPEGVIDEO:
        return begins_with(reader, offset, size, "\0\0\1", 3, trail);
    case SAMPLE_H263:
        return check_h263(reader, offset, size, trail);
    case SAMPLE_JPEG:
        return begins_with(reader, offset, size, "\xff\xd8\xff", 3, trail);
    case SAMPLE_PNG:
        return begins_with(reader, offset, size, "\x89PNG\r\n", 6, trail);
    case SAMPLE_DV:
        return begins_with(reader, offset, size, "\x1f\x07\0", 3, trail);
    case SAMPLE_PRORES:
        return check_prores(reader, offset, size, trail);
    case SAMPLE_AC3:
        return begins_with(reader, offset, size, "\x0b\x77", 2, trail);
    case SAMPLE_MP3:
        return check_sync(reader, 0xe0, 0xe0, offset, size, trail);
    case SAMPLE_FLAC:
        return check_sync(reader, 0xfe, 0xf8, offset, size, trail);
    case SAMPLE_VP8:
        return check_vp8(reader, offset, size, trail);
    case SAMPLE_VP9:
        return check_vp9(reader, offset, trail);
    case SAMPLE_AV1:
        return check_av1(reader, offset, size, trail);
    case SAMPLE_CTMD:
        return check_ctmd(reader, offset, size, trail);
    case SAMPLE_UNKNOWN:
        break;
    }
    return true;
}
