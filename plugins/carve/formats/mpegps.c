/*
 * mpegps: MPEG program streams (MPG, VOB, DAT's content) [ISO/IEC 11172-1, 13818-1 2.5] and MPEG-1 and -2
 * video on its own [ISO/IEC 11172-2, 13818-2]: start codes 00 00 01 and an identifier.
 *
 * A program stream is packs of packets with lengths; it ends behind the last whole packet, or with the
 * program end code: then validated. Video on its own has no lengths: its structure says which start codes may
 * follow, and that no 24 zero bits stand between them. It ends with the sequence end code, or
 * where zeros follow its last slice; as nothing tells how many slices there are, it is never better than
 * complete.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { PACKS_LEAST = 2, PICTURES_LEAST = 2, STUFFING_MOST = 64 * 1024, SLICE_MOST = 128 * 1024 };

/* ------------------------------------------------------------------ program streams */

struct program {
    struct reader *reader;
    uint64_t at, packs, packets;
    bool ended, cut;
};

/* The size of the pack's head that `p` is, 0: not legal. 14 bytes are there. */
static size_t pack_head(const uint8_t *p)
{
    if ((p[4] & 0xc4) == 0x44 && (p[6] & 4) != 0 && (p[8] & 4) != 0 && (p[9] & 1) != 0 && (p[12] & 3) == 3)
        return 14u + (p[13] & 7);
    if ((p[4] & 0xf1) == 0x21 && (p[6] & 1) != 0 && (p[8] & 1) != 0 && (p[9] & 0x80) != 0 && (p[11] & 1) != 0)
        return 12;
    return 0;
}

/* The packet, pack or end at `at`; false: none, or not whole. */
static bool unit(struct program *program)
{
    const uint8_t *p = reader_at(program->reader, program->at, 4);
    uint64_t size;
    unsigned id;

    if (p == NULL || memcmp(p, "\0\0\1", 3) != 0 || p[3] < 0xb9)
        return false;
    id = p[3];
    if (id == 0xb9) {
        program->at += 4;
        program->ended = true;
        return false;
    }
    p = reader_at(program->reader, program->at, id == 0xba ? 14 : 6);
    if (p == NULL) {
        program->cut = true;
        return false;
    }
    size = id == 0xba ? pack_head(p) : 6u + field_be16(p + 4);
    if (size == 0 || size == 6)
        return false;
    if (!u64_range_fits(program->at, size, reader_size(program->reader))) {
        program->cut = true;
        return false;
    }
    program->packs += id == 0xba;
    program->packets += id > 0xbb;
    program->at += size;
    return true;
}

/* Between packs, writers of discs fill up with zeros; ours to skip only when a pack follows. */
static bool skip_zeros(struct program *program)
{
    uint64_t at = program->at, limit = program->at + 2048;
    const uint8_t *p = reader_at(program->reader, at, 4);

    if (p == NULL || memcmp(p, "\0\0\0", 3) != 0)
        return false;
    at = reader_find(program->reader, at, limit, "\0\0\1\xba", 4);
    if (at == UINT64_MAX || !reader_is_all(program->reader, program->at, at - program->at, 0))
        return false;
    program->at = at;
    return true;
}

static enum carve_grade examine_program(struct program *program, struct carved *ret)
{
    while (unit(program) || (!program->ended && !program->cut && skip_zeros(program)))
        ;
    if (program->packs == 0 || program->packets == 0)
        return CARVE_NONE;
    if (program->cut) {
        carved_partial(ret, program->at, "the packets behind number %llu: the data ends in one",
                       (unsigned long long)program->packets);
        return ret->grade = program->packs >= PACKS_LEAST ? CARVE_PARTIAL : CARVE_FRAGMENT;
    }
    if (program->packs < PACKS_LEAST) {
        carved_partial(ret, program->at, "the packs behind the first");
        return ret->grade = CARVE_FRAGMENT;
    }
    return carved_whole(ret, program->ended ? CARVE_VALIDATED : CARVE_COMPLETE, program->at);
}

/* ------------------------------------------------------------------ video */

/* The first place in [offset, limit] with 00 00 and 00 or 01 behind it; UINT64_MAX: none. */
static uint64_t find_zeros(struct reader *reader, uint64_t offset, uint64_t limit)
{
    while (offset <= limit) {
        const uint8_t *data;
        size_t span, i = 2;

        if (reader_at(reader, offset, 3) == NULL)
            return UINT64_MAX;
        span = reader_span(reader, offset, &data);
        while (i < span) {
            if (data[i] > 1)
                i += 3;
            else if (data[i - 1] != 0)
                i += 2;
            else if (data[i - 2] != 0)
                i++;
            else
                return offset + i - 2;
        }
        offset += span - 2;
    }
    return UINT64_MAX;
}

enum state { WANT_PICTURE, WANT_SLICE, IN_SLICES };

struct video {
    struct reader *reader;
    uint64_t good; /* behind the last start code */
    uint64_t pictures;
    unsigned slice; /* the last one's row */
    enum state state;
};

/* May this start code follow? Moves the state on. */
static bool may_follow(struct video *video, unsigned code)
{
    if (code == 0xb2 || code == 0xb5) /* user data, extension */
        return video->state != IN_SLICES;
    if (code >= 0x01 && code <= 0xaf) {
        bool fine =
            video->state != WANT_PICTURE && (video->state == WANT_SLICE ? code == 1 : code >= video->slice);

        video->state = IN_SLICES;
        video->slice = code;
        return fine;
    }
    if (video->state == WANT_SLICE)
        return false;
    if (code == 0x00) {
        video->pictures++;
        video->state = WANT_SLICE;
        return true;
    }
    if (code == 0xb3 || code == 0xb8) {
        video->state = WANT_PICTURE;
        return true;
    }
    return code == 0xb7 && video->state == IN_SLICES;
}

/* Zeros from `at` on: the start code they lead to, or UINT64_MAX; *ret_end: where they end. */
static uint64_t past_stuffing(struct reader *reader, uint64_t at, uint64_t *ret_end)
{
    uint64_t end = at + 3;
    uint8_t byte = 0;

    while (end - at < STUFFING_MOST && reader_u8(reader, end, &byte) && byte == 0)
        end++;
    *ret_end = end;
    return byte == 1 ? end - 2 : UINT64_MAX;
}

static enum carve_grade video_ends(struct video *video, struct carved *ret, uint64_t end, bool certain)
{
    if (video->pictures < PICTURES_LEAST)
        return CARVE_NONE;
    if (certain)
        return carved_whole(ret, CARVE_COMPLETE, end);
    return carved_partial(ret, end, "the pictures behind number %llu", (unsigned long long)video->pictures);
}

static enum carve_grade examine_video(struct video *video, struct carved *ret)
{
    uint64_t at = 0, end;

    for (;;) {
        uint64_t next = find_zeros(video->reader, at, at + SLICE_MOST);
        uint8_t code;

        if (next == UINT64_MAX || next - at > SLICE_MOST)
            return video_ends(video, ret, video->good, false);
        if (reader_is(video->reader, next, "\0\0\0", 3)) {
            uint64_t zeros = next;

            next = past_stuffing(video->reader, next, &end);
            if (next == UINT64_MAX)
                return video_ends(video, ret, end - zeros >= 64 ? zeros : video->good,
                                  end - zeros >= 64 && video->state == IN_SLICES);
        }
        if (!reader_u8(video->reader, next + 3, &code))
            return video_ends(video, ret, video->good, false);
        if (!may_follow(video, code))
            return video_ends(video, ret, video->good, false);
        at = next + 4;
        video->good = at;
        if (code == 0xb7)
            return video_ends(video, ret, at, true);
    }
}

/* A sequence header: width, height, aspect, rate [ISO/IEC 13818-2, 6.2.2.1]. */
static bool is_sequence(const uint8_t *p)
{
    unsigned width = (unsigned)p[4] << 4 | p[5] >> 4, height = (p[5] & 15u) << 8 | p[6];

    return memcmp(p, "\0\0\1\xb3", 4) == 0 && width >= 16 && height >= 16 && p[7] >> 4 != 0 &&
           p[7] >> 4 != 15 && (p[7] & 15) != 0 && (p[7] & 15) < 9 && (p[10] & 0x20) != 0;
}

static enum carve_grade examine_mpegps(struct reader *reader, struct carved *ret)
{
    struct program program = {.reader = reader};
    struct video video = {.reader = reader, .state = WANT_PICTURE};
    const uint8_t *p = reader_at(reader, 0, 14);

    if (p == NULL)
        return CARVE_NONE;
    if (memcmp(p, "\0\0\1\xba", 4) == 0 && pack_head(p) > 0)
        return examine_program(&program, ret);
    if (!is_sequence(p))
        return CARVE_NONE;
    ret->extension = "m2v";
    ret->format = "MPEG video stream";
    if (examine_video(&video, ret) == CARVE_NONE)
        *ret = (struct carved){.grade = CARVE_NONE};
    return ret->grade;
}

static const struct carve_format mpegps_format = {"mpegps", examine_mpegps};
const struct carve_format *const carve_mpegps[] = {&mpegps_format, NULL};
