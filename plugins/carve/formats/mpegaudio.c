/*
 * mpegaudio: MPEG audio, layers I to III (MP3) [ISO/IEC 11172-3, 13818-3] and AAC in ADTS frames [ISO/IEC
 * 13818-7, 6.2], with tags in front and behind. Frames of one kind follow each other without a gap; the
 * object ends behind the last whole one and the tags there.
 *
 * MP3 validated: the number of frames is what the first one says (Xing, Info [LAME tag revision 1] or VBRI),
 * and where LAME's checksums are there, they are right. Nothing else in either format says how many frames
 * there are: then complete, given some dozens of them, or fewer behind a tag.
 */
#include "plugins/carve/formats/field.h"
#include "plugins/carve/formats/id3.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { FRAMES_LEAST = 32, FRAMES_LEAST_TAGGED = 2, FRAME_MAX = 8192, TAG_SIZE = 190 };

/* What all frames of an object have in common. */
struct kind {
    unsigned version; /* 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1 */
    unsigned layer;   /* 1 to 3 */
    unsigned rate;    /* index */
    bool mono;
};

/* What the first frame tells of the others; counts are UINT32_MAX when it does not. */
struct promise {
    bool there;
    uint64_t offset, size;  /* of the frame it is in */
    uint32_t frames, bytes; /* without and with that frame */
    bool checked;           /* LAME's CRC of the tag is right: its music CRC counts */
    uint32_t music_size;    /* with that frame */
    uint16_t music_crc;
};

struct sound {
    struct reader *reader;
    struct kind kind;
    uint64_t begin, end; /* of the frames */
    uint64_t last;       /* where the last one begins: a break may be inside of it */
    uint64_t frames;
    uint32_t fixed; /* ADTS: bits that all frames share */
};

static unsigned bitrate(unsigned version, unsigned layer, unsigned index)
{
    static const uint16_t rates[5][16] = {
        {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0},
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0},
        {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0},
        {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
    };
    unsigned row = version == 3 ? layer - 1 : layer == 1 ? 3 : 4;

    return rates[row][index] * 1000u;
}

static unsigned sample_rate(unsigned version, unsigned index)
{
    static const uint16_t rates[3] = {44100, 48000, 32000};

    return rates[index] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
}

/* The frame whose head `p` is: its size, 0 when it is none (or of free format). */
static size_t frame_size(const uint8_t *p, struct kind *ret)
{
    unsigned version = p[1] >> 3 & 3, layer = 4u - (p[1] >> 1 & 3), rate = p[2] >> 2 & 3, bits;
    unsigned padding = p[2] >> 1 & 1, hertz;

    if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || rate == 3 || (p[3] & 3) == 2)
        return 0;
    bits = bitrate(version, layer, p[2] >> 4);
    if (bits == 0)
        return 0;
    *ret = (struct kind){version, layer, rate, p[3] >> 6 == 3};
    hertz = sample_rate(version, rate);
    if (layer == 1)
        return (12 * bits / hertz + padding) * 4;
    return (layer == 3 && version != 3 ? 72u : 144u) * bits / hertz + padding;
}

static bool same_kind(const struct kind *a, const struct kind *b)
{
    return a->version == b->version && a->layer == b->layer && a->rate == b->rate && a->mono == b->mono;
}

/* ------------------------------------------------------------------ what the first frame tells */

/* CRC-16 as LAME has it: polynomial 0x8005, least significant bit first. */
static uint16_t crc16(uint16_t crc, const uint8_t *data, size_t size, const uint16_t *table)
{
    for (size_t i = 0; i < size; i++)
        crc = (uint16_t)(crc >> 8 ^ table[(crc ^ data[i]) & 255]);
    return crc;
}

static void crc16_table(uint16_t *table)
{
    for (unsigned i = 0; i < 256; i++) {
        unsigned crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xa001u : 0);
        table[i] = (uint16_t)crc;
    }
}

/* LAME's part behind Xing's fields: sizes, and CRCs of the sound and of the tag itself. */
static void take_lame(struct promise *ret, const uint8_t *frame, size_t size)
{
    uint16_t table[256];

    if (size < TAG_SIZE + 2)
        return;
    crc16_table(table);
    for (size_t at = 0; at + 36 <= TAG_SIZE + 2; at++) {
        /* The tag's CRC closes LAME's part, which begins with the encoder's name. */
        const uint8_t *p = frame + at;

        if ((memcmp(p, "LAME", 4) != 0 && memcmp(p, "Lav", 3) != 0) ||
            crc16(0, frame, at + 34, table) != (p[34] << 8 | p[35]))
            continue;
        ret->checked = field_be32(p + 28) > 0;
        ret->music_size = field_be32(p + 28);
        ret->music_crc = (uint16_t)(p[32] << 8 | p[33]);
    }
}

/* The first frame of layer III may hold no sound but a table of what follows. */
static void take_promise(struct reader *reader, uint64_t offset, size_t size, const struct kind *kind,
                         struct promise *ret)
{
    size_t side = kind->version == 3 ? (kind->mono ? 17 : 32) : (kind->mono ? 9 : 17);
    const uint8_t *frame = reader_at(reader, offset, size), *p;

    *ret = (struct promise){.offset = offset, .size = size, .frames = UINT32_MAX, .bytes = UINT32_MAX};
    if (frame == NULL || size < 4 + side + 16 || kind->layer != 3)
        return;
    p = frame + 4 + side;
    if (memcmp(p, "Xing", 4) == 0 || memcmp(p, "Info", 4) == 0) {
        size_t at = 8, left = size - 4 - side;

        ret->there = true;
        if ((p[7] & 1) != 0 && left >= at + 4) {
            ret->frames = field_be32(p + at);
            at += 4;
        }
        if ((p[7] & 2) != 0 && left >= at + 4)
            ret->bytes = field_be32(p + at);
        take_lame(ret, frame, size);
    } else if (size >= 36 + 18 && memcmp(frame + 36, "VBRI\0\1", 6) == 0) {
        ret->there = true;
        ret->bytes = field_be32(frame + 46);
        ret->frames = field_be32(frame + 50);
    }
}

static bool music_holds(struct sound *sound, const struct promise *promise)
{
    uint64_t at = promise->offset + promise->size, end = promise->offset + promise->music_size;
    uint16_t table[256], crc = 0;

    if (!promise->checked)
        return true;
    if (end != sound->end)
        return false;
    crc16_table(table);
    while (at < end) {
        const uint8_t *data;
        size_t span = reader_span(sound->reader, at, &data);

        if (span == 0)
            return false;
        span = span < end - at ? span : (size_t)(end - at);
        crc = crc16(crc, data, span, table);
        at += span;
    }
    return crc == promise->music_crc;
}

/* ------------------------------------------------------------------ frames */

/* Does another object begin here: a first frame with a table, where a file may begin? */
static bool begins_another(struct sound *sound, size_t size)
{
    struct promise promise;

    if (sound->frames == 0 || sound->end % 512 != 0)
        return false;
    take_promise(sound->reader, sound->end, size, &sound->kind, &promise);
    return promise.there;
}

/* Goes on to the last whole frame, at most `most` of them. */
static void walk(struct sound *sound, uint64_t most)
{
    const uint8_t *p;

    while (sound->frames < most && (p = reader_at(sound->reader, sound->end, 4)) != NULL) {
        struct kind kind;
        size_t size = frame_size(p, &kind);

        if (size < 4 || (sound->frames > 0 && !same_kind(&kind, &sound->kind)) ||
            !u64_range_fits(sound->end, size, reader_size(sound->reader)) || begins_another(sound, size))
            return;
        sound->kind = kind;
        sound->frames++;
        sound->last = sound->end;
        sound->end += size;
    }
}

static bool adts_same(struct sound *sound, const uint8_t *p)
{
    uint32_t fixed = field_be32(p) & 0xfffffdc0; /* but for the private bit and what is a frame's own */

    if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || (p[2] >> 2 & 15) > 12)
        return false;
    if (sound->frames == 0)
        sound->fixed = fixed;
    return sound->fixed == fixed;
}

static void walk_adts(struct sound *sound)
{
    const uint8_t *p;

    while ((p = reader_at(sound->reader, sound->end, 7)) != NULL && adts_same(sound, p)) {
        size_t size = (size_t)(p[3] & 3) << 11 | (size_t)p[4] << 3 | p[5] >> 5;

        if (size <= 7 || !u64_range_fits(sound->end, size, reader_size(sound->reader)))
            return;
        sound->frames++;
        sound->last = sound->end;
        sound->end += size;
    }
}

/* ------------------------------------------------------------------ what came of it */

static enum carve_grade finish_promised(struct sound *sound, const struct promise *promise,
                                        struct carved *ret)
{
    bool exact = promise->frames != UINT32_MAX &&
                 (sound->frames == (uint64_t)promise->frames + 1 || sound->frames == promise->frames);
    bool sized = promise->bytes == UINT32_MAX || promise->bytes == sound->end - promise->offset ||
                 promise->bytes == sound->end - promise->offset - promise->size;

    if (promise->frames != UINT32_MAX && sound->frames < promise->frames) {
        carved_partial(ret, sound->end, "the last %llu of %llu frames",
                       (unsigned long long)(promise->frames + 1 - sound->frames),
                       (unsigned long long)promise->frames + 1);
        ret->good = sound->last + 4;
        return ret->grade = sound->frames > 1 ? CARVE_PARTIAL : CARVE_FRAGMENT;
    }
    exact = exact && sized && music_holds(sound, promise);
    return carved_whole(ret, exact ? CARVE_VALIDATED : CARVE_COMPLETE,
                        id3_behind(sound->reader, sound->end, ret));
}

static enum carve_grade finish(struct sound *sound, struct carved *ret)
{
    if (sound->frames >= (sound->begin > 0 ? FRAMES_LEAST_TAGGED : FRAMES_LEAST))
        return carved_whole(ret, CARVE_COMPLETE, id3_behind(sound->reader, sound->end, ret));
    if (sound->begin == 0)
        return *ret = (struct carved){.grade = CARVE_NONE}, CARVE_NONE;
    carved_partial(ret, sound->end, "the sound behind the tag");
    return ret->grade = CARVE_FRAGMENT;
}

/* Behind the tag, and zeros that some writers leave there. */
static uint64_t sound_begin(struct reader *reader, struct carved *ret)
{
    uint64_t begin = id3_tag(reader, 0, ret), more, at;
    uint8_t byte;

    while (begin > 0 && (more = id3_tag(reader, begin, NULL)) > 0)
        begin += more;
    for (at = begin; begin > 0 && at < begin + 4096 && reader_u8(reader, at, &byte) && byte == 0;)
        at++;
    return reader_u8(reader, at, &byte) && byte == 0xff ? at : begin;
}

static enum carve_grade examine_mp3(struct reader *reader, struct carved *ret)
{
    struct sound sound = {.reader = reader};
    struct promise promise = {.there = false};
    const uint8_t *p;
    size_t size;

    sound.begin = sound.end = sound_begin(reader, ret);
    p = reader_at(reader, sound.begin, 7);
    if (p != NULL && adts_same(&sound, p)) {
        ret->extension = "aac";
        ret->format = "AAC sound";
        walk_adts(&sound);
        return finish(&sound, ret);
    }
    size = p != NULL ? frame_size(p, &sound.kind) : 0;
    if (size > 0 && sound.kind.layer != 3) {
        ret->extension = sound.kind.layer == 2 ? "mp2" : "mp1";
        ret->format = "MPEG audio";
    }
    if (size > 0)
        take_promise(reader, sound.begin, size, &sound.kind, &promise);
    walk(&sound, promise.there && promise.frames != UINT32_MAX ? (uint64_t)promise.frames + 1 : UINT64_MAX);
    return promise.there && sound.frames > 0 ? finish_promised(&sound, &promise, ret) : finish(&sound, ret);
}

static const struct carve_format mp3_format = {"mp3", examine_mp3};
const struct carve_format *const carve_mpegaudio[] = {&mp3_format, NULL};
