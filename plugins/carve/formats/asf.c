/*
 * asf: Windows Media, WMV and WMA [Microsoft, Advanced Systems Format Specification 01.20.03]. Objects of a
 * GUID and a size: header, data in packets of one size, indexes. Validated: the file size that File
 * Properties tells is where the objects end, and every packet begins as the first does. A broadcast has no
 * such size: complete.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { OBJECT_HEAD = 24, DATA_HEAD = 50 };

static const uint8_t guid_header[16] = {0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11,
                                        0xa6, 0xd9, 0x00, 0xaa, 0x00, 0x62, 0xce, 0x6c};
static const uint8_t guid_data[16] = {0x36, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11,
                                      0xa6, 0xd9, 0x00, 0xaa, 0x00, 0x62, 0xce, 0x6c};
static const uint8_t guid_properties[16] = {0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                            0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65};
static const uint8_t guid_stream[16] = {0x91, 0x07, 0xdc, 0xb7, 0xb7, 0xa9, 0xcf, 0x11,
                                        0x8e, 0xe6, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65};
static const uint8_t guid_video[16] = {0xc0, 0xef, 0x19, 0xbc, 0x4d, 0x5b, 0xcf, 0x11,
                                       0xa8, 0xfd, 0x00, 0x80, 0x5f, 0x5c, 0x44, 0x2b};
static const uint8_t guid_description[16] = {0x33, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11,
                                             0xa6, 0xd9, 0x00, 0xaa, 0x00, 0x62, 0xce, 0x6c};
static const uint8_t guids_index[4][16] = {
    {0x90, 0x08, 0x00, 0x33, 0xb1, 0xe5, 0xcf, 0x11, 0x89, 0xf4, 0x00, 0xa0, 0xc9, 0x03, 0x49, 0xcb},
    {0xd3, 0x29, 0xe2, 0xd6, 0xda, 0x35, 0xd1, 0x11, 0x90, 0x34, 0x00, 0xa0, 0xc9, 0x03, 0x49, 0xbe},
    {0xf8, 0x03, 0xb1, 0xfe, 0xad, 0x12, 0x64, 0x4c, 0x84, 0x0f, 0x2a, 0x1d, 0x2f, 0x7a, 0xd4, 0x8c},
    {0xd0, 0x3f, 0xb7, 0x3c, 0x4a, 0x0c, 0x03, 0x48, 0x95, 0x3d, 0xed, 0xf7, 0xb6, 0x22, 0x8f, 0x0c},
};

struct asf {
    struct reader *reader;
    struct carved *ret;
    uint64_t file_size, packets; /* from File Properties */
    uint32_t packet_size;        /* 0: not of one size */
    uint64_t at, good;
    bool broadcast, properties, video, data, odd; /* odd: packets do not begin alike */
};

static bool object_at(struct asf *asf, uint64_t offset, uint64_t *ret_size)
{
    return reader_le64(asf->reader, offset + 16, ret_size) && *ret_size >= OBJECT_HEAD;
}

static bool is_guid(struct asf *asf, uint64_t offset, const uint8_t *guid)
{
    return reader_is(asf->reader, offset, guid, 16);
}

static void take_properties(struct asf *asf, uint64_t at)
{
    uint32_t flags, least, most;

    if (!reader_le64(asf->reader, at + 40, &asf->file_size) ||
        !reader_le64(asf->reader, at + 56, &asf->packets) || !reader_le32(asf->reader, at + 88, &flags) ||
        !reader_le32(asf->reader, at + 92, &least) || !reader_le32(asf->reader, at + 96, &most))
        return;
    asf->properties = true;
    asf->broadcast = (flags & 1) != 0;
    asf->packet_size = least == most ? least : 0;
}

static void take_description(struct asf *asf, uint64_t at, uint64_t size)
{
    uint16_t title;
    const uint8_t *p;

    if (size < OBJECT_HEAD + 10 || !reader_le16(asf->reader, at + OBJECT_HEAD, &title) || title < 2 ||
        title > size - OBJECT_HEAD - 10)
        return;
    p = reader_at(asf->reader, at + OBJECT_HEAD + 10, title);
    if (p != NULL)
        carved_title(asf->ret, p, title >= 2 && p[title - 1] == 0 && p[title - 2] == 0 ? title - 2u : title,
                     "UTF-16LE");
}

/* The objects in the header must fill it. */
static bool walk_header(struct asf *asf, uint64_t end)
{
    uint64_t at = 30, size;

    while (at < end) {
        if (!object_at(asf, at, &size) || size > end - at ||
            !u64_range_fits(at, size, reader_size(asf->reader)))
            return false;
        if (is_guid(asf, at, guid_properties) && size >= 104)
            take_properties(asf, at);
        else if (is_guid(asf, at, guid_stream))
            asf->video |= is_guid(asf, at + OBJECT_HEAD, guid_video);
        else if (is_guid(asf, at, guid_description))
            take_description(asf, at, size);
        at += size;
        asf->good = at;
    }
    return asf->properties;
}

/* What a packet begins with: its error correction's head and its property flags. */
static bool packet_mark(struct asf *asf, uint64_t at, uint16_t *ret)
{
    const uint8_t *p = reader_at(asf->reader, at, 8);

    if (p == NULL)
        return false;
    if ((p[0] & 0x80) == 0)
        *ret = p[1];
    else
        *ret = (uint16_t)(p[0] << 8 | ((p[0] & 15) <= 4 ? p[2 + (p[0] & 15)] : 0));
    return (p[0] & 0x60) == 0;
}

/* The packets up to `end`, which may lie behind the data; false: they break off. */
static bool walk_packets(struct asf *asf, uint64_t begin, uint64_t end)
{
    uint16_t first = 0, mark;

    if (asf->packet_size < 16)
        return end <= reader_size(asf->reader);
    for (uint64_t at = begin; at < end && end - at >= asf->packet_size; at += asf->packet_size) {
        if (!packet_mark(asf, at, &mark))
            return false;
        if (at == begin)
            first = mark;
        if (mark != first)
            return false;
        asf->good = at + 3;
    }
    return end <= reader_size(asf->reader);
}

static bool take_data(struct asf *asf, uint64_t size)
{
    uint64_t packets = 0, begin = asf->at + DATA_HEAD, end = u64_add_saturating(asf->at, size);

    asf->data = true;
    if (size < DATA_HEAD || !reader_le64(asf->reader, asf->at + 40, &packets) ||
        begin > reader_size(asf->reader))
        return false;
    asf->good = begin;
    if (asf->packet_size > 0 && size != DATA_HEAD + u64_mul_saturating(packets, asf->packet_size))
        asf->odd = true;
    if (!asf->broadcast && packets != asf->packets)
        asf->odd = true;
    if (!walk_packets(asf, begin, end))
        return false;
    asf->good = end;
    return true;
}

static bool is_index(struct asf *asf, uint64_t at)
{
    for (size_t i = 0; i < sizeof guids_index / sizeof guids_index[0]; i++) {
        if (is_guid(asf, at, guids_index[i]))
            return true;
    }
    return false;
}

/* Data and indexes; false: an object that is not whole. */
static bool walk(struct asf *asf)
{
    uint64_t size;

    while (object_at(asf, asf->at, &size)) {
        bool known = is_index(asf, asf->at);

        if (is_guid(asf, asf->at, guid_data) && !asf->data) {
            if (!take_data(asf, size))
                return false;
        } else if (!asf->data || (!known && (asf->broadcast || asf->at >= asf->file_size ||
                                             size > asf->file_size - asf->at))) {
            break;
        } else if (!u64_range_fits(asf->at, size, reader_size(asf->reader))) {
            return false;
        }
        asf->at += size;
        asf->good = asf->at;
    }
    return asf->data;
}

static enum carve_grade examine_asf(struct reader *reader, struct carved *ret)
{
    struct asf asf = {.reader = reader, .ret = ret, .good = 30};
    const uint8_t *p = reader_at(reader, 0, 30);
    uint64_t size;
    bool whole;

    if (p == NULL || memcmp(p, guid_header, 16) != 0 || p[28] != 1 || p[29] != 2 ||
        !object_at(&asf, 0, &size) || size > 64 * 1024 * 1024)
        return CARVE_NONE;
    whole = walk_header(&asf, size);
    asf.at = size;
    whole = whole && walk(&asf);
    ret->extension = asf.video ? "wmv" : "wma";
    ret->format = asf.video ? "Windows Media video" : "Windows Media sound";
    if (whole && (asf.broadcast || asf.at >= asf.file_size))
        return carved_whole(ret, asf.at == asf.file_size && !asf.odd ? CARVE_VALIDATED : CARVE_COMPLETE,
                            asf.at);
    carved_partial(ret, asf.good, "what follows byte %llu of %llu: cut, or other data lies there",
                   (unsigned long long)asf.good, (unsigned long long)asf.file_size);
    return ret->grade = asf.data ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

static const struct carve_format asf_format = {"asf", examine_asf};
const struct carve_format *const carve_asf[] = {&asf_format, NULL};
