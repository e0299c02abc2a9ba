/*
 * isobmff_walk: the samples of a movie in the order in which they lie in the object: chunk by chunk, always
 * of the track whose next chunk comes first.
 */
#include "plugins/carve/formats/field.h"
#include "plugins/carve/formats/isobmff_index.h"
#include "plugins/carve/formats/isobox.h"

#include "engine/base/bytes.h"

#include <string.h>

struct cursor {
    const struct index_track *track;
    uint32_t chunk, run, sample;
};

static uint64_t chunk_offset(const struct cursor *cursor)
{
    const struct index_track *track = cursor->track;

    if (track->wide)
        return field_be64(track->chunks + 8 * (size_t)cursor->chunk);
    return field_be32(track->chunks + 4 * (size_t)cursor->chunk);
}

/* Samples in the chunk that comes next; moves on to its run. */
static uint32_t chunk_samples(struct cursor *cursor)
{
    const struct index_track *track = cursor->track;
    uint32_t count;

    while (cursor->run + 1 < track->run_count &&
           field_be32(track->runs + 12 * ((size_t)cursor->run + 1)) <= cursor->chunk + 1)
        cursor->run++;
    count = cursor->run < track->run_count ? field_be32(track->runs + 12 * (size_t)cursor->run + 4) : 0;
    return count < track->samples - cursor->sample ? count : track->samples - cursor->sample;
}

static uint32_t sample_size(const struct index_track *track, uint32_t sample)
{
    if (track->sizes == NULL)
        return track->fixed;
    switch (track->size_bits) {
    case 4:
        return track->sizes[sample / 2] >> (sample % 2 == 0 ? 4 : 0) & 15;
    case 8:
        return track->sizes[sample];
    case 16:
        return field_be16(track->sizes + 2 * (size_t)sample);
    default:
        return field_be32(track->sizes + 4 * (size_t)sample);
    }
}

/* Is [offset, offset + size) inside of one mdat? */
static bool in_mdat(const struct index_range *mdats, size_t count, uint64_t offset, uint64_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (offset >= mdats[i].begin && offset < mdats[i].end && size <= mdats[i].end - offset)
            return true;
    }
    return false;
}

void index_samples_init(struct index_samples *samples)
{
    *samples = (struct index_samples){.first_wrong = UINT64_MAX, .lowest = UINT64_MAX};
}

static void cover(struct index_samples *ret, uint64_t offset, uint64_t size)
{
    uint64_t end = u64_add_saturating(offset, size);

    ret->lowest = offset < ret->lowest ? offset : ret->lowest;
    ret->highest = end > ret->highest ? end : ret->highest;
}

/* Samples that lie on each other, again and again, would be work without end. */
static bool is_too_much(const struct index_samples *samples, struct reader *reader)
{
    return reader_spent(reader) || samples->total > reader_size(reader);
}

static void one_sample(struct reader *reader, const struct index_track *track, uint64_t offset, uint64_t size,
                       struct index_samples *ret)
{
    ret->total = u64_add_saturating(ret->total, size);
    if (size < 16)
        (void)reader_at(reader, offset, 1); /* so that even the smallest costs budget */
    if (track->kind.codec == SAMPLE_UNKNOWN || track->external)
        return;
    ret->tested++;
    ret->checked = u64_add_saturating(ret->checked, size);
    if (sample_check(reader, &track->kind, offset, size, &ret->trail)) {
        ret->good_in_a_row++;
        return;
    }
    if (ret->wrong++ == 0)
        ret->first_wrong = trail_sure(&ret->trail, 0);
    ret->good_in_a_row = 0;
}

/* All samples of the chunk that comes next; false: it is not in any mdat. */
static bool one_chunk(struct cursor *cursor, struct reader *reader, const struct index_range *mdats,
                      size_t mdat_count, struct index_samples *ret)
{
    const struct index_track *track = cursor->track;
    uint64_t offset = chunk_offset(cursor);
    uint32_t count = chunk_samples(cursor), first = cursor->sample;
    bool whole = track->pack_samples > 0 || (track->sizes == NULL && track->kind.codec == SAMPLE_UNKNOWN);
    uint64_t size;

    cursor->chunk++;
    cursor->sample += count;
    if (whole) {
        size = track->pack_samples == 0 ? u64_mul_saturating(count, track->fixed)
                                        : (uint64_t)count / track->pack_samples * track->pack_bytes;
        cover(ret, offset, size);
        ret->total = u64_add_saturating(ret->total, size);
        return size == 0 || in_mdat(mdats, mdat_count, offset, size);
    }
    for (uint32_t i = 0; i < count; i++, offset += size) {
        size = sample_size(track, first + i);
        cover(ret, offset, size);
        if (size > 0 && !in_mdat(mdats, mdat_count, offset, size))
            return false;
        if (is_too_much(ret, reader))
            return false;
        one_sample(reader, track, offset, size, ret);
    }
    return true;
}

static struct cursor *next_cursor(struct cursor *cursors, size_t count)
{
    struct cursor *best = NULL;
    uint64_t best_offset = 0;

    for (size_t i = 0; i < count; i++) {
        const struct index_track *track = cursors[i].track;
        uint64_t offset;

        if (track->external || !track->countable || cursors[i].chunk >= track->chunk_count ||
            cursors[i].sample >= track->samples)
            continue;
        offset = chunk_offset(&cursors[i]);
        if (best == NULL || offset < best_offset) {
            best = &cursors[i];
            best_offset = offset;
        }
    }
    return best;
}

void index_check(const struct index *index, struct reader *reader, const struct index_range *mdats,
                 size_t mdat_count, struct index_samples *ret)
{
    struct cursor cursors[INDEX_TRACKS_MAX] = {{NULL}};
    struct cursor *cursor;

    index_samples_init(ret);
    for (size_t i = 0; i < index->track_count; i++)
        cursors[i].track = &index->tracks[i];
    while ((cursor = next_cursor(cursors, index->track_count)) != NULL && !is_too_much(ret, reader)) {
        if (!one_chunk(cursor, reader, mdats, mdat_count, ret))
            ret->outside = true;
    }
}

/* ------------------------------------------------------------------ fragments */

struct fragment {
    const struct index *index;
    struct reader *reader;
    const struct index_range *mdat;
    struct index_samples *ret;
    uint64_t moof;       /* its offset */
    uint64_t base, next; /* of the traf: base data offset; where the last run ended */
    const struct index_track *track;
    uint32_t default_size;
};

static bool parse_tfhd(struct fragment *fragment, struct bytes *body)
{
    uint32_t flags = bytes_u32be(body) & 0xffffff, id = bytes_u32be(body);

    fragment->track = NULL;
    for (size_t i = 0; i < fragment->index->track_count; i++) {
        if (fragment->index->tracks[i].id == id)
            fragment->track = &fragment->index->tracks[i];
    }
    if (fragment->track == NULL)
        return false;
    if ((flags & 1) != 0)
        fragment->base = bytes_u64be(body);
    else
        fragment->base = fragment->moof; /* also what a first traf without default-base-is-moof means */
    fragment->next = fragment->base;
    bytes_skip(body, (flags & 2 ? 4 : 0) + (flags & 8 ? 4 : 0));
    fragment->default_size = flags & 16 ? bytes_u32be(body) : fragment->track->default_size;
    return !bytes_failed(body);
}

static bool parse_trun(struct fragment *fragment, struct bytes *body)
{
    uint32_t flags = bytes_u32be(body) & 0xffffff, count = bytes_u32be(body);
    size_t each = (flags & 0x100 ? 4u : 0) + (flags & 0x200 ? 4u : 0) + (flags & 0x400 ? 4u : 0) +
                  (flags & 0x800 ? 4u : 0);
    uint64_t offset = fragment->next;

    if (fragment->track == NULL)
        return false;
    if ((flags & 1) != 0)
        offset = fragment->base + (uint64_t)(int64_t)(int32_t)bytes_u32be(body);
    bytes_skip(body, flags & 4 ? 4 : 0);
    if (bytes_failed(body) || (each > 0 && count > bytes_left(body) / each))
        return false;
    for (uint32_t i = 0; i < count && !is_too_much(fragment->ret, fragment->reader); i++) {
        uint32_t size = fragment->default_size;

        bytes_skip(body, flags & 0x100 ? 4 : 0);
        if ((flags & 0x200) != 0)
            size = bytes_u32be(body);
        bytes_skip(body, (flags & 0x400 ? 4u : 0) + (flags & 0x800 ? 4u : 0));
        cover(fragment->ret, offset, size);
        if (size == 0 && each == 0)
            break;
        if (size > 0 && !in_mdat(fragment->mdat, 1, offset, size)) {
            fragment->ret->outside = true;
            break;
        }
        one_sample(fragment->reader, fragment->track, offset, size, fragment->ret);
        offset += size;
    }
    fragment->next = offset;
    return true;
}

static bool parse_traf(struct fragment *fragment, struct bytes *traf)
{
    struct index_box box;

    fragment->track = NULL;
    while (index_box(traf, &box)) {
        if (box.type == ISOBOX_TYPE('t', 'f', 'h', 'd') && !parse_tfhd(fragment, &box.body))
            return false;
        if (box.type == ISOBOX_TYPE('t', 'r', 'u', 'n') && !parse_trun(fragment, &box.body))
            return false;
    }
    return !bytes_failed(traf);
}

bool index_check_fragment(const struct index *index, struct reader *reader, const void *data, size_t size,
                          uint64_t offset, const struct index_range *mdat, struct index_samples *ret)
{
    struct fragment fragment = {.index = index, .reader = reader, .mdat = mdat, .ret = ret, .moof = offset};
    struct index_box box;
    struct bytes moof;

    bytes_init(&moof, data, size);
    while (index_box(&moof, &box)) {
        if (box.type == ISOBOX_TYPE('t', 'r', 'a', 'f') && !parse_traf(&fragment, &box.body))
            return false;
    }
    return !bytes_failed(&moof);
}
