/*
 * isobmff_index: reading moov. The tables stay where they are; what is kept are pointers into them, each with
 * a count that was compared with the box's size.
 */
#include "plugins/carve/formats/isobmff_index.h"
#include "plugins/carve/formats/field.h"
#include "plugins/carve/formats/isobox.h"

#include "engine/base/bytes.h"

#include <string.h>

#define BOX ISOBOX_TYPE

bool index_box(struct bytes *in, struct index_box *ret)
{
    uint64_t size, head = 8;
    const uint8_t *body;

    if (bytes_left(in) < 8)
        return false;
    size = bytes_u32be(in);
    ret->type = bytes_u32be(in);
    if (size == 1) {
        size = bytes_u64be(in);
        head = 16;
    } else if (size == 0) {
        size = bytes_left(in) + head;
    }
    if (size < head || size - head > bytes_left(in)) {
        bytes_fail(in);
        return false;
    }
    body = bytes_take(in, (size_t)(size - head));
    bytes_init(&ret->body, body, (size_t)(size - head));
    return !bytes_failed(in);
}

/* A count of entries that must fit into what is left; the table's start, or NULL. */
static const uint8_t *table(struct bytes *body, uint64_t entry_bits, uint32_t count)
{
    return bytes_take(
        body, (size_t)((count * entry_bits + 7) / 8 < SIZE_MAX ? (count * entry_bits + 7) / 8 : SIZE_MAX));
}

/* The length of an MPEG-4 descriptor [ISO/IEC 14496-1, 8.3.3]. */
static uint32_t descriptor_length(struct bytes *body)
{
    uint32_t length = 0;

    for (int i = 0; i < 4; i++) {
        uint8_t byte = bytes_u8(body);

        length = length << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0)
            break;
    }
    return length;
}

/* Audio object types whose frames are elements that end with ID_END. */
static bool is_plain_aac(unsigned config)
{
    unsigned type = config >> 3 & 31;

    return (type >= 1 && type <= 5) || type == 29;
}

static enum sample_codec codec_of_object(unsigned type, bool plain)
{
    if (type == 0x40)
        return plain ? SAMPLE_AAC : SAMPLE_UNKNOWN;
    if (type >= 0x66 && type <= 0x68)
        return SAMPLE_AAC;
    if (type == 0x69 || type == 0x6b)
        return SAMPLE_MP3;
    if (type == 0x20 || (type >= 0x60 && type <= 0x65) || type == 0x6a)
        return SAMPLE_MPEGVIDEO;
    if (type == 0xa5 || type == 0xa6)
        return SAMPLE_AC3;
    return type == 0x6c ? SAMPLE_JPEG : SAMPLE_UNKNOWN;
}

/* esds: version and flags, then the ES descriptor with the decoder's configuration in it. */
static enum sample_codec codec_of_esds(struct bytes body)
{
    unsigned flags, type;
    bool plain = false;

    bytes_skip(&body, 4);
    if (bytes_u8(&body) != 3)
        return SAMPLE_UNKNOWN;
    descriptor_length(&body);
    bytes_skip(&body, 2);
    flags = bytes_u8(&body);
    bytes_skip(&body, (flags & 0x80 ? 2 : 0) + (flags & 0x20 ? 2 : 0));
    if (flags & 0x40)
        bytes_skip(&body, bytes_u8(&body));
    if (bytes_u8(&body) != 4)
        return SAMPLE_UNKNOWN;
    descriptor_length(&body);
    type = bytes_u8(&body);
    bytes_skip(&body, 12);
    if (bytes_u8(&body) == 5) {
        descriptor_length(&body);
        plain = is_plain_aac(bytes_u8(&body));
    }
    return bytes_failed(&body) ? SAMPLE_UNKNOWN : codec_of_object(type, plain);
}

/* The boxes behind a sample entry's fixed part; `wave` of QuickTime sound may hold esds as well. */
static void codec_boxes(struct index_track *track, struct bytes body, int depth)
{
    struct index_box box;

    while (index_box(&body, &box)) {
        const uint8_t *p = box.body.data;

        if (box.type == BOX('a', 'v', 'c', 'C') && box.body.size > 6) {
            track->kind = (struct sample_kind){SAMPLE_AVC, (uint8_t)((p[4] & 3) + 1)};
        } else if (box.type == BOX('h', 'v', 'c', 'C') && box.body.size > 22) {
            track->kind = (struct sample_kind){SAMPLE_HEVC, (uint8_t)((p[21] & 3) + 1)};
        } else if (box.type == BOX('e', 's', 'd', 's')) {
            track->kind.codec = codec_of_esds(box.body);
        } else if (box.type == BOX('w', 'a', 'v', 'e') && depth > 0) {
            codec_boxes(track, box.body, depth - 1);
        } else if (box.type == BOX('s', 'i', 'n', 'f')) {
            track->kind.codec = SAMPLE_UNKNOWN; /* encrypted */
            return;
        }
    }
}

static enum sample_codec codec_of_entry(uint32_t type)
{
    static const struct {
        uint32_t type;
        enum sample_codec codec;
    } known[] = {
        {BOX('a', 'l', 'a', 'c'), SAMPLE_ALAC},      {BOX('s', 'a', 'm', 'r'), SAMPLE_AMR},
        {BOX('s', 'a', 'w', 'b'), SAMPLE_AMRWB},     {BOX('s', '2', '6', '3'), SAMPLE_H263},
        {BOX('h', '2', '6', '3'), SAMPLE_H263},      {BOX('H', '2', '6', '3'), SAMPLE_H263},
        {BOX('j', 'p', 'e', 'g'), SAMPLE_JPEG},      {BOX('p', 'n', 'g', ' '), SAMPLE_PNG},
        {BOX('d', 'v', 'c', ' '), SAMPLE_DV},        {BOX('d', 'v', 'c', 'p'), SAMPLE_DV},
        {BOX('d', 'v', 'p', 'p'), SAMPLE_DV},        {BOX('d', 'v', '5', 'p'), SAMPLE_DV},
        {BOX('d', 'v', '5', 'n'), SAMPLE_DV},        {BOX('a', 'p', 'c', 'n'), SAMPLE_PRORES},
        {BOX('a', 'p', 'c', 'h'), SAMPLE_PRORES},    {BOX('a', 'p', 'c', 's'), SAMPLE_PRORES},
        {BOX('a', 'p', 'c', 'o'), SAMPLE_PRORES},    {BOX('a', 'p', '4', 'h'), SAMPLE_PRORES},
        {BOX('a', 'p', '4', 'x'), SAMPLE_PRORES},    {BOX('a', 'c', '-', '3'), SAMPLE_AC3},
        {BOX('e', 'c', '-', '3'), SAMPLE_AC3},       {BOX('.', 'm', 'p', '3'), SAMPLE_MP3},
        {BOX('m', 's', 0, 'U'), SAMPLE_MP3},         {BOX('f', 'L', 'a', 'C'), SAMPLE_FLAC},
        {BOX('v', 'p', '0', '8'), SAMPLE_VP8},       {BOX('v', 'p', '0', '9'), SAMPLE_VP9},
        {BOX('a', 'v', '0', '1'), SAMPLE_AV1},       {BOX('C', 'T', 'M', 'D'), SAMPLE_CTMD},
        {BOX('m', 'x', '5', 'p'), SAMPLE_MPEGVIDEO}, {BOX('m', 'p', 'g', '2'), SAMPLE_MPEGVIDEO},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].type == type)
            return known[i].codec;
    }
    return SAMPLE_UNKNOWN;
}

/* QuickTime counts uncompressed sound in samples of one byte or of none: what a chunk takes follows from the
 * sound description. */
static void sound_entry(struct index_track *track, struct bytes *body)
{
    unsigned version, channels, bits;

    bytes_skip(body, 8);
    version = bytes_u16be(body);
    bytes_skip(body, 6);
    channels = bytes_u16be(body);
    bits = bytes_u16be(body);
    bytes_skip(body, 8);
    track->pack_samples = 1;
    track->pack_bytes = channels * bits / 8;
    if (version == 1) {
        track->pack_samples = bytes_u32be(body);
        bytes_skip(body, 4);
        track->pack_bytes = bytes_u32be(body);
        bytes_skip(body, 4);
    } else if (version == 2) {
        bytes_skip(body, 4 + 8 + 4 + 4);
        bytes_skip(body, 4 + 4);
        track->pack_bytes = bytes_u32be(body);
        track->pack_samples = bytes_u32be(body);
    }
}

static void parse_stsd(struct index_track *track, struct bytes body)
{
    struct index_box entry;
    uint32_t count;

    bytes_skip(&body, 4);
    count = bytes_u32be(&body);
    if (!index_box(&body, &entry))
        return;
    track->kind = (struct sample_kind){codec_of_entry(entry.type), 0};
    if (memcmp(track->handler, "vide", 4) == 0)
        bytes_skip(&entry.body, 78);
    else if (memcmp(track->handler, "soun", 4) == 0)
        sound_entry(track, &entry.body);
    else
        return;
    if (!bytes_failed(&entry.body)) {
        struct bytes rest;
        const uint8_t *p = entry.body.data + entry.body.offset;

        bytes_init(&rest, p, bytes_left(&entry.body));
        codec_boxes(track, rest, 1);
    }
    if (count != 1 && track->kind.codec != SAMPLE_AVC && track->kind.codec != SAMPLE_HEVC)
        track->kind.codec = SAMPLE_UNKNOWN; /* several formats in one track */
}

static bool parse_sizes(struct index_track *track, bool compact, struct bytes *body)
{
    bytes_skip(body, 4);
    track->size_bits = 32;
    track->fixed = bytes_u32be(body);
    if (compact) {
        track->size_bits = track->fixed & 0xff;
        track->fixed = 0;
        if (track->size_bits != 4 && track->size_bits != 8 && track->size_bits != 16)
            return false;
    }
    track->samples = bytes_u32be(body);
    track->sizes = track->fixed == 0 ? table(body, track->size_bits, track->samples) : NULL;
    return track->fixed != 0 || track->sizes != NULL;
}

static bool parse_stts(struct index_track *track, struct bytes *body)
{
    uint32_t count;

    bytes_skip(body, 4);
    count = bytes_u32be(body);
    if (count > bytes_left(body) / 8)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        track->timed += bytes_u32be(body);
        bytes_skip(body, 4);
    }
    return true;
}

/* A table of stbl; false when it is not whole. */
static bool parse_table(struct index_track *track, struct index_box *box)
{
    struct bytes *body = &box->body;

    switch (box->type) {
    case BOX('s', 't', 's', 'd'):
        parse_stsd(track, *body);
        return true;
    case BOX('s', 't', 't', 's'):
        return parse_stts(track, body);
    case BOX('s', 't', 's', 'z'):
    case BOX('s', 't', 'z', '2'):
        return parse_sizes(track, box->type == BOX('s', 't', 'z', '2'), body);
    case BOX('s', 't', 's', 'c'):
        bytes_skip(body, 4);
        track->run_count = bytes_u32be(body);
        track->runs = table(body, 96, track->run_count);
        return track->runs != NULL;
    case BOX('s', 't', 'c', 'o'):
    case BOX('c', 'o', '6', '4'):
        bytes_skip(body, 4);
        track->wide = box->type == BOX('c', 'o', '6', '4');
        track->chunk_count = bytes_u32be(body);
        track->chunks = table(body, track->wide ? 64 : 32, track->chunk_count);
        return track->chunks != NULL;
    default:
        return true;
    }
}

/* dref: is any of the places another file? */
static bool is_external(struct bytes body)
{
    struct index_box box;

    bytes_skip(&body, 8);
    while (index_box(&body, &box)) {
        if (box.body.size >= 4 && (box.body.data[3] & 1) == 0)
            return true;
    }
    return false;
}

/* A box inside trak, and those inside it; false when one is not whole. */
static bool parse_track_box(struct index_track *track, struct index_box *box, int depth)
{
    struct index_box child;

    switch (box->type) {
    case BOX('t', 'k', 'h', 'd'):
        bytes_skip(&box->body, box->body.size > 0 && box->body.data[0] == 1 ? 20 : 12);
        track->id = bytes_u32be(&box->body);
        return !bytes_failed(&box->body);
    case BOX('h', 'd', 'l', 'r'):
        if (box->body.size < 12)
            return false;
        if (track->handler[0] == '\0') /* QuickTime has a second one in minf */
            memcpy(track->handler, box->body.data + 8, 4);
        return true;
    case BOX('d', 'r', 'e', 'f'):
        track->external = is_external(box->body);
        return true;
    case BOX('m', 'd', 'i', 'a'):
    case BOX('m', 'i', 'n', 'f'):
    case BOX('d', 'i', 'n', 'f'):
    case BOX('s', 't', 'b', 'l'):
        if (depth == 0)
            return false;
        while (index_box(&box->body, &child)) {
            if (!parse_track_box(track, &child, depth - 1))
                return false;
        }
        return !bytes_failed(&box->body);
    default:
        return parse_table(track, box);
    }
}

/* Do counts agree: samples by time, by size, and by chunks? */
static bool track_agrees(const struct index_track *track)
{
    uint64_t in_chunks = 0;

    if (track->chunks == NULL || track->runs == NULL || (track->samples > 0) != (track->chunk_count > 0))
        return false;
    for (uint32_t i = 0; i < track->run_count; i++) {
        uint32_t first = field_be32(track->runs + 12 * i), each = field_be32(track->runs + 12 * i + 4);
        uint64_t next = i + 1 < track->run_count ? field_be32(track->runs + 12 * (i + 1))
                                                 : (uint64_t)track->chunk_count + 1;

        if (first == 0 || first >= next || (i == 0 && first != 1))
            return false;
        in_chunks = u64_add_saturating(in_chunks, u64_mul_saturating(next - first, each));
    }
    return in_chunks == track->samples && (track->timed == track->samples || track->samples == 0);
}

static void track_finish(struct index_track *track)
{
    bool sound = memcmp(track->handler, "soun", 4) == 0;
    bool packed = sound && track->sizes == NULL && track->fixed <= 1;

    track->countable = !packed || (track->pack_samples > 0 && track->pack_bytes > 0);
    if (!packed)
        track->pack_samples = 0;
    else
        track->kind.codec = SAMPLE_UNKNOWN;
}

/* ------------------------------------------------------------------ titles */

/* iTunes: ilst/©nam/data; QuickTime: udta/©nam with a length and a language. */
static void take_item(struct index *index, const struct index_box *item, struct carved *carved)
{
    struct bytes body = item->body;
    struct index_box data;
    uint32_t kind;
    const uint8_t *p;

    if (!index_box(&body, &data) || data.type != BOX('d', 'a', 't', 'a'))
        return;
    kind = bytes_u32be(&data.body);
    bytes_skip(&data.body, 4);
    if (bytes_failed(&data.body) || bytes_left(&data.body) == 0)
        return;
    p = data.body.data + data.body.offset;
    if (item->type == BOX(0xa9, 'n', 'a', 'm') && kind == 1)
        carved_title(carved, p, bytes_left(&data.body), "UTF-8");
    if (item->type == BOX('c', 'o', 'v', 'r') && (kind == 13 || kind == 14))
        carved_part(carved, index->offset + (uint64_t)(p - index->data), bytes_left(&data.body),
                    kind == 13 ? "jpg" : "png");
}

static void take_user_data(struct index *index, struct bytes body, struct carved *carved, int depth)
{
    struct index_box box;

    while (index_box(&body, &box)) {
        if (box.type == BOX('m', 'e', 't', 'a') && depth > 0) {
            /* ISO's is a full box, QuickTime's is not. */
            if (box.body.size > 8 && field_be32(box.body.data) == 0)
                bytes_skip(&box.body, 4);
            bytes_init(&box.body, box.body.data + box.body.offset, bytes_left(&box.body));
            take_user_data(index, box.body, carved, depth - 1);
        } else if (box.type == BOX('i', 'l', 's', 't')) {
            struct index_box item;

            while (index_box(&box.body, &item))
                take_item(index, &item, carved);
        } else if (box.type == BOX(0xa9, 'n', 'a', 'm') && box.body.size > 4) {
            size_t size = bytes_u16be(&box.body);

            if (size <= box.body.size - 4)
                carved_title(carved, box.body.data + 4, size, "UTF-8");
        }
    }
}

/* ------------------------------------------------------------------ moov */

static bool parse_trak(struct index *index, struct index_box *trak)
{
    struct index_track track = {.size_bits = 32};
    struct index_box box;

    while (index_box(&trak->body, &box)) {
        if (!parse_track_box(&track, &box, 4))
            return false;
    }
    if (bytes_failed(&trak->body))
        return false;
    track_finish(&track);
    if (!track_agrees(&track))
        index->agrees = false;
    if (index->track_count == INDEX_TRACKS_MAX)
        index->agrees = false;
    else
        index->tracks[index->track_count++] = track;
    return true;
}

/* mvex/trex: the size that samples in fragments have when nothing else is said. */
static void parse_mvex(struct index *index, struct bytes body)
{
    struct index_box box;

    index->fragmented = true;
    while (index_box(&body, &box)) {
        uint32_t id, size;

        if (box.type != BOX('t', 'r', 'e', 'x'))
            continue;
        bytes_skip(&box.body, 4);
        id = bytes_u32be(&box.body);
        bytes_skip(&box.body, 8);
        size = bytes_u32be(&box.body);
        for (size_t i = 0; i < index->track_count; i++) {
            if (index->tracks[i].id == id)
                index->tracks[i].default_size = size;
        }
    }
}

bool index_parse(struct index *ret, const void *data, size_t size, uint64_t offset, struct carved *carved)
{
    struct bytes body;
    struct index_box box;
    bool head = false;

    *ret = (struct index){.data = data, .size = size, .offset = offset, .agrees = true};
    bytes_init(&body, data, size);
    while (index_box(&body, &box)) {
        if (box.type == BOX('m', 'v', 'h', 'd'))
            head = box.body.size >= 100;
        else if (box.type == BOX('t', 'r', 'a', 'k') && !parse_trak(ret, &box))
            return false;
        else if (box.type == BOX('m', 'v', 'e', 'x'))
            parse_mvex(ret, box.body);
        else if (box.type == BOX('u', 'd', 't', 'a') || box.type == BOX('m', 'e', 't', 'a'))
            take_user_data(ret, box.body, carved, 2);
    }
    return head && !bytes_failed(&body);
}

bool index_has(const struct index *index, const char *handler)
{
    for (size_t i = 0; i < index->track_count; i++) {
        if (memcmp(index->tracks[i].handler, handler, 4) == 0)
            return true;
    }
    return false;
}
