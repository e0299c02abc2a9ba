/*
 * ebml: Matroska and WebM [RFC 8794 (EBML), RFC 9559 (Matroska)]. Elements of an ID, a size and data; the
 * object is an EBML header and one segment, whose size may be unknown: then it goes on as long as elements
 * follow that stand in a segment.
 *
 * Validated: the segment's size is known and its elements, and the blocks in its clusters, fill it exactly;
 * blocks belong to tracks that are described; places in SeekHead hold what it says; CRC-32 elements, where
 * there are some, are right. A segment of unknown size has no end that could be confirmed: complete.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

#define UNKNOWN UINT64_MAX

enum { TRACKS_MAX = 64, SEEKS_MAX = 32 };

enum {
    ID_EBML = 0x1A45DFA3,
    ID_SEGMENT = 0x18538067,
    ID_SEEKHEAD = 0x114D9B74,
    ID_INFO = 0x1549A966,
    ID_TRACKS = 0x1654AE6B,
    ID_CLUSTER = 0x1F43B675,
    ID_CUES = 0x1C53BB6B,
    ID_ATTACHMENTS = 0x1941A469,
    ID_CHAPTERS = 0x1043A770,
    ID_TAGS = 0x1254C367,
    ID_VOID = 0xEC,
    ID_CRC = 0xBF,
};

struct element {
    uint32_t id;
    uint64_t offset, head, size; /* of its ID; bytes of ID and size; of its data, or UNKNOWN */
};

struct ebml {
    struct reader *reader;
    struct carved *ret;
    uint64_t good;    /* behind the last element's head that was well-formed */
    uint64_t segment; /* offset of the segment's data: places count from it */
    uint64_t tracks[TRACKS_MAX];
    size_t track_count;
    struct {
        uint32_t id;
        uint64_t place;
    } seeks[SEEKS_MAX];
    size_t seek_count;
    bool webm, video, sound, wrong; /* wrong: a CRC or a place */
    uint64_t clusters, blocks;
};

/* A number of variable length; `keep`: with its marker, as an ID. Its bytes, 0: none. */
static size_t vint(struct reader *reader, uint64_t offset, size_t most, bool keep, uint64_t *ret)
{
    uint8_t first;
    const uint8_t *p;
    size_t length = 1;
    uint64_t value, all;

    if (!reader_u8(reader, offset, &first))
        return 0;
    while (length <= most && (first << (length - 1) & 0x80) == 0)
        length++;
    if (length > most || (p = reader_at(reader, offset, length)) == NULL)
        return 0;
    value = keep ? p[0] : p[0] & (0xffu >> length);
    for (size_t i = 1; i < length; i++)
        value = value << 8 | p[i];
    all = (UINT64_C(1) << (7 * length)) - 1;
    *ret = !keep && value == all ? UNKNOWN : value;
    return length;
}

/* The element at `offset`, which must end at `limit` or be of unknown size. */
static bool element_at(struct ebml *ebml, uint64_t offset, uint64_t limit, struct element *ret)
{
    uint64_t id;
    size_t id_size = offset < limit ? vint(ebml->reader, offset, 4, true, &id) : 0, size_size;

    if (id_size == 0)
        return false;
    size_size = vint(ebml->reader, offset + id_size, 8, false, &ret->size);
    if (size_size == 0 || id_size + size_size > limit - offset)
        return false;
    ret->id = (uint32_t)id;
    ret->offset = offset;
    ret->head = id_size + size_size;
    return ret->size == UNKNOWN || ret->size <= limit - offset - ret->head;
}

static uint64_t data_of(const struct element *element)
{
    return element->offset + element->head;
}

static uint64_t end_of(const struct element *element)
{
    return data_of(element) + element->size;
}

static uint64_t number(struct ebml *ebml, const struct element *element)
{
    const uint8_t *p;
    uint64_t value = 0;

    if (element->size == 0 || element->size > 8 ||
        (p = reader_at(ebml->reader, data_of(element), (size_t)element->size)) == NULL)
        return 0;
    for (size_t i = 0; i < element->size; i++)
        value = value << 8 | p[i];
    return value;
}

static bool is_top(uint32_t id)
{
    return id == ID_SEEKHEAD || id == ID_INFO || id == ID_TRACKS || id == ID_CLUSTER || id == ID_CUES ||
           id == ID_ATTACHMENTS || id == ID_CHAPTERS || id == ID_TAGS || id == ID_VOID || id == ID_CRC;
}

/* A CRC-32 as a master's first child covers the rest of it. */
static void check_crc(struct ebml *ebml, const struct element *master)
{
    struct element crc;
    uint32_t stored, found;

    if (!element_at(ebml, data_of(master), end_of(master), &crc) || crc.id != ID_CRC || crc.size != 4)
        return;
    if (!reader_le32(ebml->reader, data_of(&crc), &stored) ||
        !reader_crc32(ebml->reader, end_of(&crc), end_of(master) - end_of(&crc), &found) || stored != found)
        ebml->wrong = true;
}

/* ------------------------------------------------------------------ what the segment describes */

static void take_track(struct ebml *ebml, const struct element *entry)
{
    struct element child;

    for (uint64_t at = data_of(entry); element_at(ebml, at, end_of(entry), &child) && child.size != UNKNOWN;
         at = end_of(&child)) {
        if (child.id == 0xD7 && ebml->track_count < TRACKS_MAX)
            ebml->tracks[ebml->track_count++] = number(ebml, &child);
        if (child.id == 0x83) {
            ebml->video |= number(ebml, &child) == 1;
            ebml->sound |= number(ebml, &child) == 2;
        }
    }
}

static void take_seek(struct ebml *ebml, const struct element *seek)
{
    struct element child;
    uint32_t id = 0;
    uint64_t place = 0;

    for (uint64_t at = data_of(seek); element_at(ebml, at, end_of(seek), &child) && child.size != UNKNOWN;
         at = end_of(&child)) {
        if (child.id == 0x53AB)
            id = (uint32_t)number(ebml, &child);
        if (child.id == 0x53AC)
            place = number(ebml, &child);
    }
    if (id != 0 && ebml->seek_count < SEEKS_MAX) {
        ebml->seeks[ebml->seek_count].id = id;
        ebml->seeks[ebml->seek_count++].place = place;
    }
}

static void take_title(struct ebml *ebml, const struct element *title)
{
    const uint8_t *p = title->size > 0 && title->size < 2048
                           ? reader_at(ebml->reader, data_of(title), (size_t)title->size)
                           : NULL;

    if (p != NULL)
        carved_title(ebml->ret, p, (size_t)title->size, "UTF-8");
}

/* The children of a master other than a cluster; false when they do not fill it. */
static bool walk_master(struct ebml *ebml, const struct element *master)
{
    uint64_t at = data_of(master), end = end_of(master);
    struct element child;

    while (at < end) {
        if (!element_at(ebml, at, end, &child) || child.size == UNKNOWN)
            return false;
        if (master->id == ID_TRACKS && child.id == 0xAE)
            take_track(ebml, &child);
        else if (master->id == ID_SEEKHEAD && child.id == 0x4DBB)
            take_seek(ebml, &child);
        else if (master->id == ID_INFO && child.id == 0x7BA9)
            take_title(ebml, &child);
        at = end_of(&child);
    }
    return true;
}

/* ------------------------------------------------------------------ clusters */

/* A block: track number, time, flags [RFC 9559, 10.1]. */
static bool block_holds(struct ebml *ebml, const struct element *block)
{
    uint64_t track;

    if (block->size < 4 || vint(ebml->reader, data_of(block), 8, false, &track) == 0)
        return false;
    ebml->blocks++;
    for (size_t i = 0; i < ebml->track_count; i++) {
        if (ebml->tracks[i] == track)
            return true;
    }
    return ebml->track_count == 0 || ebml->track_count == TRACKS_MAX;
}

static bool group_holds(struct ebml *ebml, const struct element *group)
{
    uint64_t at = data_of(group), end = end_of(group);
    struct element child;

    while (at < end) {
        if (!element_at(ebml, at, end, &child) || child.size == UNKNOWN ||
            (child.id == 0xA1 && !block_holds(ebml, &child)))
            return false;
        at = end_of(&child);
    }
    return true;
}

static bool cluster_child_holds(struct ebml *ebml, const struct element *child)
{
    if (child->size == UNKNOWN)
        return false;
    switch (child->id) {
    case 0xA3: /* SimpleBlock */
        return block_holds(ebml, child);
    case 0xA0: /* BlockGroup */
        return group_holds(ebml, child);
    case 0xE7:   /* Timestamp */
    case 0xA7:   /* Position */
    case 0xAB:   /* PrevSize */
    case 0x5854: /* SilentTracks */
    case 0xAF:   /* EncryptedBlock */
    case ID_VOID:
    case ID_CRC:
        return true;
    default:
        return false;
    }
}

/* The cluster's children up to `limit`, or, when its size is unknown, to the next element of a segment;
 * *ret_end is how far they hold. */
static bool walk_cluster(struct ebml *ebml, const struct element *cluster, uint64_t limit, uint64_t *ret_end)
{
    uint64_t at = data_of(cluster), end = cluster->size == UNKNOWN ? limit : end_of(cluster);
    struct element child;

    while (at < end) {
        bool there = element_at(ebml, at, end, &child);

        if (cluster->size == UNKNOWN &&
            (!there || (is_top(child.id) && child.id != ID_VOID && child.id != ID_CRC)))
            break;
        if (!there || !cluster_child_holds(ebml, &child)) {
            *ret_end = at;
            return cluster->size == UNKNOWN;
        }
        ebml->good = data_of(&child);
        at = end_of(&child);
    }
    *ret_end = at;
    return true;
}

/* ------------------------------------------------------------------ the segment */

static bool take_top(struct ebml *ebml, const struct element *element, uint64_t limit, uint64_t *ret_end)
{
    if (element->id == ID_CLUSTER) {
        ebml->clusters++;
        if (!walk_cluster(ebml, element, limit, ret_end))
            return false;
        if (element->size != UNKNOWN)
            check_crc(ebml, element);
        return true;
    }
    if (element->size == UNKNOWN)
        return false;
    *ret_end = end_of(element);
    if (element->id == ID_VOID || element->id == ID_CRC)
        return true;
    check_crc(ebml, element);
    return walk_master(ebml, element);
}

/* A cluster that goes on behind the data: its blocks are followed all the same. */
static void follow_cut(struct ebml *ebml, uint64_t at, uint64_t limit)
{
    struct element cluster = {.id = ID_CLUSTER, .offset = at, .head = 4, .size = UNKNOWN};
    uint64_t end, size;

    if (!reader_is(ebml->reader, at, "\x1f\x43\xb6\x75", 4))
        return;
    cluster.head += vint(ebml->reader, at + 4, 8, false, &size);
    ebml->clusters++;
    ebml->good = at + cluster.head;
    (void)walk_cluster(ebml, &cluster, limit, &end);
}

static bool seeks_hold(struct ebml *ebml)
{
    for (size_t i = 0; i < ebml->seek_count; i++) {
        uint64_t id;

        if (vint(ebml->reader, u64_add_saturating(ebml->segment, ebml->seeks[i].place), 4, true, &id) == 0 ||
            id != ebml->seeks[i].id)
            return false;
    }
    return true;
}

/* Walks the segment up to `limit`; the offset where no element of a segment begins any more. */
static uint64_t walk_segment(struct ebml *ebml, uint64_t limit)
{
    uint64_t at = ebml->segment, next;
    struct element element;

    while (at < limit) {
        if (!element_at(ebml, at, limit, &element) || !is_top(element.id)) {
            follow_cut(ebml, at, limit);
            return at;
        }
        ebml->good = data_of(&element);
        if (!take_top(ebml, &element, limit, &next))
            return at;
        at = next;
        ebml->good = at;
    }
    return at;
}

static enum carve_grade finish_unknown(struct ebml *ebml, uint64_t end)
{
    if (ebml->clusters == 0 || ebml->blocks == 0) {
        carved_partial(ebml->ret, end, "the clusters");
        return ebml->ret->grade = CARVE_FRAGMENT;
    }
    return carved_whole(ebml->ret, CARVE_COMPLETE, end);
}

static enum carve_grade finish_known(struct ebml *ebml, uint64_t end, uint64_t limit)
{
    if (end < limit || limit > reader_size(ebml->reader)) {
        carved_partial(ebml->ret, ebml->good, "the elements behind byte %llu: cut, or other data lies there",
                       (unsigned long long)ebml->good);
        return ebml->ret->grade = ebml->clusters > 0 ? CARVE_PARTIAL : CARVE_FRAGMENT;
    }
    return carved_whole(
        ebml->ret, !ebml->wrong && ebml->blocks > 0 && seeks_hold(ebml) ? CARVE_VALIDATED : CARVE_COMPLETE,
        limit);
}

static void name_it(struct ebml *ebml)
{
    ebml->ret->extension = ebml->webm ? "webm" : ebml->video || !ebml->sound ? "mkv" : "mka";
    ebml->ret->format = ebml->webm                    ? "WebM movie"
                        : ebml->video || !ebml->sound ? "Matroska movie"
                                                      : "Matroska sound";
}

/* The header: its document type must be one that we know. */
static bool take_header(struct ebml *ebml, const struct element *header)
{
    struct element child;
    bool known = false;

    for (uint64_t at = data_of(header); at < end_of(header); at = end_of(&child)) {
        if (!element_at(ebml, at, end_of(header), &child) || child.size == UNKNOWN)
            return false;
        if (child.id != 0x4282 || child.size < 4 || child.size > 16)
            continue;
        ebml->webm = reader_is(ebml->reader, data_of(&child), "webm", 4);
        known = ebml->webm || (child.size >= 8 && reader_is(ebml->reader, data_of(&child), "matroska", 8));
    }
    return known;
}

static enum carve_grade examine_ebml(struct reader *reader, struct carved *ret)
{
    struct ebml ebml = {.reader = reader, .ret = ret};
    struct element header, segment;
    uint64_t most = reader_size(reader), end;

    if (!element_at(&ebml, 0, most, &header) || header.id != ID_EBML || header.size > 1024 ||
        !take_header(&ebml, &header))
        return CARVE_NONE;
    ebml.good = end_of(&header);
    /* The segment may be cut: its size need not fit. */
    if (!reader_is(reader, ebml.good, "\x18\x53\x80\x67", 4) ||
        (segment.head = vint(reader, ebml.good + 4, 8, false, &segment.size)) == 0) {
        carved_partial(ret, ebml.good, "the segment");
        return ret->grade = CARVE_FRAGMENT;
    }
    ebml.segment = ebml.good + 4 + segment.head;
    ebml.good = ebml.segment;
    if (segment.size == UNKNOWN) {
        end = walk_segment(&ebml, most);
        name_it(&ebml);
        return finish_unknown(&ebml, end);
    }
    segment.size = u64_add_saturating(ebml.segment, segment.size);
    end = walk_segment(&ebml, segment.size < most ? segment.size : most);
    name_it(&ebml);
    return finish_known(&ebml, end, segment.size);
}

static const struct carve_format ebml_format = {"ebml", examine_ebml};
const struct carve_format *const carve_ebml[] = {&ebml_format, NULL};
