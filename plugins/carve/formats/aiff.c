/*
 * aiff: AIFF and AIFF-C sound [Apple, Audio Interchange File Format 1.3; AIFF-C, draft of 1991] and Standard
 * MIDI files [MIDI Manufacturers Association, RP-001]: chunks with sizes, the most significant byte first.
 *
 * AIFF validated: chunks fill FORM, SSND is as long as COMM says, and a chunk behind SSND stands where it
 * must; sound with nothing behind it cannot contradict itself: complete. MIDI validated: every track's events
 * fill it to its End of Track, and there are as many tracks as the head says.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

/* ------------------------------------------------------------------ AIFF */

struct aiff {
    struct reader *reader;
    struct carved *ret;
    uint64_t at, end;
    uint32_t frames;
    unsigned channels, bits;
    bool plain; /* not compressed: the sound's size follows from COMM */
    bool common, sound, behind, odd;
};

static void take_common(struct aiff *aiff, uint64_t at, uint64_t size, bool compressed)
{
    const uint8_t *p = size >= 18 ? reader_at(aiff->reader, at, 18) : NULL;

    if (p == NULL)
        return;
    aiff->common = true;
    aiff->channels = field_be16(p);
    aiff->frames = field_be32(p + 2);
    aiff->bits = field_be16(p + 6);
    aiff->plain = !compressed || reader_is(aiff->reader, at + 18, "NONE", 4) ||
                  reader_is(aiff->reader, at + 18, "sowt", 4) || reader_is(aiff->reader, at + 18, "twos", 4);
}

static void take_sound(struct aiff *aiff, uint64_t size)
{
    uint64_t each = (uint64_t)aiff->channels * ((aiff->bits + 7) / 8);

    aiff->sound = true;
    if (aiff->common && aiff->plain && size != 8 + u64_mul_saturating(each, aiff->frames))
        aiff->odd = true;
}

static void take_chunk(struct aiff *aiff, const char *id, uint64_t at, uint64_t size, bool compressed)
{
    if (memcmp(id, "COMM", 4) == 0)
        take_common(aiff, at, size, compressed);
    else if (aiff->sound)
        aiff->behind = true;
    if (memcmp(id, "SSND", 4) == 0)
        take_sound(aiff, size);
    if (memcmp(id, "NAME", 4) == 0 && size > 0 && size < 1024) {
        const uint8_t *p = reader_at(aiff->reader, at, (size_t)size);

        if (p != NULL)
            carved_title(aiff->ret, p, (size_t)size, "UTF-8");
    }
}

/* False at the first chunk that is not well-formed or not all there. */
static bool walk_aiff(struct aiff *aiff, bool compressed)
{
    while (aiff->at < aiff->end) {
        const uint8_t *p =
            u64_range_fits(aiff->at, 8, aiff->end) ? reader_at(aiff->reader, aiff->at, 8) : NULL;
        uint64_t size, next;
        char id[4];

        if (p == NULL)
            return false;
        for (int i = 0; i < 4; i++) {
            if (p[i] < ' ' || p[i] > '~')
                return false;
        }
        memcpy(id, p, 4);
        size = field_be32(p + 4);
        next = aiff->at + 8 + size;
        if (next > aiff->end || next > reader_size(aiff->reader))
            return false;
        take_chunk(aiff, id, aiff->at + 8, size, compressed);
        aiff->at = next + (size & 1) < aiff->end ? next + (size & 1) : aiff->end;
    }
    return aiff->at <= reader_size(aiff->reader);
}

static enum carve_grade examine_aiff(struct reader *reader, struct carved *ret)
{
    struct aiff aiff = {.reader = reader, .ret = ret, .at = 12};
    const uint8_t *p = reader_at(reader, 0, 12);
    bool compressed;

    if (p == NULL || memcmp(p, "FORM", 4) != 0 ||
        (memcmp(p + 8, "AIFF", 4) != 0 && memcmp(p + 8, "AIFC", 4) != 0))
        return CARVE_NONE;
    compressed = p[11] == 'C';
    aiff.end = 8 + (uint64_t)field_be32(p + 4);
    if (walk_aiff(&aiff, compressed) && aiff.common && aiff.sound)
        return carved_whole(ret, aiff.behind && !aiff.odd ? CARVE_VALIDATED : CARVE_COMPLETE, aiff.end);
    if (!aiff.common && !aiff.sound && aiff.at == 12)
        return CARVE_NONE;
    if (aiff.at > reader_size(reader)) /* a padding byte that is not there */
        aiff.at = reader_size(reader);
    carved_partial(ret, aiff.at, "the chunks behind byte %llu: cut, or other data lies there",
                   (unsigned long long)aiff.at);
    return ret->grade = CARVE_FRAGMENT;
}

/* ------------------------------------------------------------------ MIDI */

struct track {
    struct reader *reader;
    uint64_t at, end;
    bool failed, ended;
    struct carved *title; /* NULL: not wanted */
};

static uint8_t take_byte(struct track *track)
{
    uint8_t byte = 0;

    if (track->at >= track->end || !reader_u8(track->reader, track->at, &byte))
        track->failed = true;
    track->at++;
    return byte;
}

static uint32_t take_number(struct track *track)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        uint8_t byte = take_byte(track);

        value = value << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0)
            return value;
    }
    track->failed = true;
    return value;
}

static void skip(struct track *track, uint32_t size)
{
    if (track->failed || size > track->end - track->at)
        track->failed = true;
    else
        track->at += size;
}

static void meta(struct track *track)
{
    uint8_t type = take_byte(track);
    uint32_t size = take_number(track);
    const uint8_t *p;

    if (type > 0x7f)
        track->failed = true;
    if (type == 3 && track->title != NULL && track->title->title[0] == '\0' && size > 0 && size < 1024 &&
        !track->failed && (p = reader_at(track->reader, track->at, size)) != NULL)
        carved_title(track->title, p, size, "UTF-8");
    if (type == 0x2f)
        track->ended = true;
    skip(track, size);
}

/* One event; *running is the status that a first byte below 0x80 stands for. */
static void event(struct track *track, uint8_t *running)
{
    uint8_t status;
    unsigned data;

    (void)take_number(track);
    status = take_byte(track);
    if (track->failed)
        return;
    if (status == 0xff) {
        meta(track);
        return;
    }
    if (status == 0xf0 || status == 0xf7) {
        skip(track, take_number(track));
        return;
    }
    data = (status & 0x80) == 0 ? 1 : 0; /* running: the byte was data */
    if (data == 0)
        *running = status;
    if (*running < 0x80 || *running >= 0xf0) {
        track->failed = true;
        return;
    }
    for (; data < ((*running & 0xe0) == 0xc0 ? 1u : 2u); data++) {
        if ((take_byte(track) & 0x80) != 0)
            track->failed = true;
    }
}

/* Do the events of the chunk fill it? */
static bool track_holds(struct reader *reader, uint64_t begin, uint64_t end, struct carved *title)
{
    struct track track = {.reader = reader, .at = begin, .end = end, .title = title};
    uint8_t running = 0;

    while (!track.failed && !track.ended)
        event(&track, &running);
    return !track.failed && track.at == end;
}

static enum carve_grade examine_midi(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 14);
    unsigned format, count, done = 0;
    uint64_t at = 14;
    uint32_t size;

    if (p == NULL || memcmp(p, "MThd\0\0\0\6\0", 9) != 0)
        return CARVE_NONE;
    format = p[9];
    count = field_be16(p + 10);
    if (format > 2 || count == 0 || (format == 0 && count != 1) || (p[12] == 0 && p[13] == 0))
        return CARVE_NONE;
    while (done < count && reader_is(reader, at, "MTrk", 4) && reader_be32(reader, at + 4, &size) &&
           u64_range_fits(at + 8, size, reader_size(reader)) &&
           track_holds(reader, at + 8, at + 8 + size, done == 0 ? ret : NULL)) {
        at += 8 + (uint64_t)size;
        done++;
    }
    if (done == count)
        return carved_whole(ret, CARVE_VALIDATED, at);
    carved_partial(ret, at, "the tracks behind number %u of %u", done, count);
    return ret->grade = done > 0 ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

static const struct carve_format aiff_format = {"aiff", examine_aiff};
static const struct carve_format midi_format = {"midi", examine_midi};
const struct carve_format *const carve_aiff[] = {&aiff_format, &midi_format, NULL};
