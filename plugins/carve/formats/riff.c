/*
 * riff: RIFF files, AVI and WAV [Microsoft, Multimedia Programming Interface and Data Specifications 1.0;
 * OpenDML AVI File Format Extensions 1.02; EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64)]. Chunks of four
 * letters and a size fill the RIFF chunk exactly; an AVI may go on with further chunks RIFF AVIX. Sizes are
 * padded to even.
 *
 * AVI validated: every chunk of movi follows the last and the index idx1 names just these; without idx1 their
 * number is what the stream headers say. WAV validated: blocks of compressed sound hold, or chunks behind the
 * sound are where they must be. Plain PCM with nothing behind it cannot contradict itself: complete.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

struct chunk {
    uint64_t offset, size; /* of its data */
    char id[4];
};

struct riff {
    struct reader *reader;
    struct carved *ret;
    uint64_t good; /* everything before it was well-formed */
    uint64_t end;  /* of the RIFF chunk */
};

static bool id_is(const struct chunk *chunk, const char *id)
{
    return memcmp(chunk->id, id, 4) == 0;
}

/* The chunk at `offset`, which must end at `limit` or before; false when none does. */
static bool chunk_at(struct reader *reader, uint64_t offset, uint64_t limit, struct chunk *ret)
{
    const uint8_t *p = u64_range_fits(offset, 8, limit) ? reader_at(reader, offset, 8) : NULL;

    if (p == NULL)
        return false;
    for (int i = 0; i < 4; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return false;
    }
    memcpy(ret->id, p, 4);
    ret->offset = offset + 8;
    ret->size = field_le32(p + 4);
    return ret->size <= limit - ret->offset;
}

static uint64_t chunk_end(const struct chunk *chunk, uint64_t limit)
{
    uint64_t end = chunk->offset + chunk->size + (chunk->size & 1);

    return end < limit ? end : limit; /* the last one's padding may be left out */
}

/* LIST INFO: the title. */
static void take_info(struct riff *riff, const struct chunk *list)
{
    uint64_t at = list->offset + 4, limit = list->offset + list->size;
    struct chunk chunk;

    while (chunk_at(riff->reader, at, limit, &chunk)) {
        if (id_is(&chunk, "INAM") && chunk.size > 0 && chunk.size < 1024) {
            const uint8_t *p = reader_at(riff->reader, chunk.offset, (size_t)chunk.size);
            size_t size = p != NULL ? strnlen((const char *)p, (size_t)chunk.size) : 0;

            carved_title(riff->ret, p, size, "UTF-8");
        }
        at = chunk_end(&chunk, limit);
    }
}

/* ------------------------------------------------------------------ AVI */

struct avi {
    struct riff riff;
    uint64_t main_frames;    /* of the first RIFF chunk */
    uint64_t lengths;        /* of the video streams together: frames */
    uint64_t chunks, frames; /* in movi: all, of pictures */
    uint64_t sum, index_sum; /* over (id, place, size) of the chunks, of the index's entries */
    uint64_t indexed;        /* entries */
    uint64_t movi;           /* where the first one's list type is */
    uint32_t first_entry;    /* its offset, to tell whether they count from movi or from the file's start */
    uint64_t first_chunk;
    bool index_absolute, has_movi, has_header;
};

/* Mixes what identifies a chunk; sums of it do not depend on the order. */
static uint64_t mix(const uint8_t *id, uint64_t place, uint64_t size)
{
    uint64_t x = ((uint64_t)field_le32(id) << 32 | (uint32_t)size) * 0x9E3779B97F4A7C15u ^ place;

    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9u;
    return x ^ (x >> 32);
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* "01wb", "ix00", JUNK ... */
static bool is_movi_chunk(const struct chunk *chunk)
{
    return (is_digit(chunk->id[0]) && is_digit(chunk->id[1])) || memcmp(chunk->id, "ix", 2) == 0 ||
           id_is(chunk, "JUNK") || id_is(chunk, "idx1");
}

static void count_chunk(struct avi *avi, const struct chunk *chunk, bool first)
{
    if (!is_digit(chunk->id[0]))
        return;
    if (memcmp(chunk->id + 2, "dc", 2) == 0 || memcmp(chunk->id + 2, "db", 2) == 0)
        avi->frames++;
    if (!first)
        return;
    if (avi->chunks++ == 0)
        avi->first_chunk = chunk->offset - 8;
    avi->sum += mix((const uint8_t *)chunk->id, chunk->offset - 8, chunk->size);
}

/* The chunks of movi [at, limit), with lists "rec " among them. */
static bool walk_movi(struct avi *avi, uint64_t at, uint64_t limit, bool first)
{
    struct chunk chunk;

    while (at < limit) {
        if (!chunk_at(avi->riff.reader, at, limit, &chunk))
            return false;
        avi->riff.good = chunk.offset;
        if (id_is(&chunk, "LIST") && chunk.size >= 4 &&
            reader_is(avi->riff.reader, chunk.offset, "rec ", 4)) {
            at = chunk.offset + 4; /* its chunks follow like the others */
            continue;
        }
        if (!is_movi_chunk(&chunk))
            return false;
        count_chunk(avi, &chunk, first);
        at = chunk_end(&chunk, limit);
    }
    return true;
}

static bool walk_index(struct avi *avi, const struct chunk *index)
{
    for (uint64_t at = index->offset; at + 16 <= index->offset + index->size; at += 16) {
        const uint8_t *p = reader_at(avi->riff.reader, at, 16);
        uint64_t place;

        if (p == NULL)
            return false;
        if (memcmp(p, "rec ", 4) == 0)
            continue;
        if (avi->indexed++ == 0)
            avi->index_absolute = field_le32(p + 8) == avi->first_chunk;
        place = field_le32(p + 8) + (avi->index_absolute ? 0 : avi->movi);
        avi->index_sum += mix(p, place, field_le32(p + 12));
    }
    return true;
}

/* strl: a stream's header and format. */
static void take_stream(struct avi *avi, const struct chunk *list)
{
    uint64_t at = list->offset + 4, limit = list->offset + list->size;
    struct chunk chunk;

    while (chunk_at(avi->riff.reader, at, limit, &chunk)) {
        const uint8_t *p = chunk.size >= 36 ? reader_at(avi->riff.reader, chunk.offset, 36) : NULL;

        if (id_is(&chunk, "strh") && p != NULL && memcmp(p, "vids", 4) == 0)
            avi->lengths += field_le32(p + 32);
        at = chunk_end(&chunk, limit);
    }
}

static bool take_headers(struct avi *avi, const struct chunk *list)
{
    uint64_t at = list->offset + 4, limit = list->offset + list->size;
    struct chunk chunk;

    while (at < limit) {
        uint32_t frames;

        if (!chunk_at(avi->riff.reader, at, limit, &chunk))
            return false;
        if (id_is(&chunk, "avih") && chunk.size >= 56 &&
            reader_le32(avi->riff.reader, chunk.offset + 16, &frames)) {
            avi->has_header = true;
            avi->main_frames = frames;
        }
        if (id_is(&chunk, "LIST") && chunk.size >= 4 && reader_is(avi->riff.reader, chunk.offset, "strl", 4))
            take_stream(avi, &chunk);
        at = chunk_end(&chunk, limit);
    }
    return avi->has_header;
}

static bool take_avi_list(struct avi *avi, const struct chunk *list, bool first)
{
    uint64_t begin = list->offset + 4, end = list->offset + list->size;

    if (list->size < 4)
        return false;
    if (reader_is(avi->riff.reader, list->offset, "hdrl", 4))
        return take_headers(avi, list);
    if (reader_is(avi->riff.reader, list->offset, "INFO", 4))
        take_info(&avi->riff, list);
    if (!reader_is(avi->riff.reader, list->offset, "movi", 4))
        return true;
    if (first)
        avi->movi = list->offset;
    avi->has_movi = true;
    return walk_movi(avi, begin, end, first);
}

/* The chunks of one RIFF chunk; false at the first that is not well-formed. */
static bool walk_avi(struct avi *avi, uint64_t at, bool first)
{
    struct riff *riff = &avi->riff;
    struct chunk chunk;

    while (at < riff->end) {
        /* movi may be cut: its chunks are still followed */
        uint64_t limit = riff->end < reader_size(riff->reader) ? riff->end : reader_size(riff->reader);
        bool whole = chunk_at(riff->reader, at, riff->end, &chunk);

        if (!whole)
            return riff->end - at < 8 && reader_is_all(riff->reader, at, riff->end - at, 0);
        if (chunk.size > limit - chunk.offset) {
            struct chunk cut = chunk;

            riff->good = chunk.offset;
            cut.size = limit - chunk.offset;
            if (id_is(&chunk, "LIST") && cut.size >= 4)
                (void)take_avi_list(avi, &cut, first);
            return false;
        }
        if ((id_is(&chunk, "LIST") && !take_avi_list(avi, &chunk, first)) ||
            (first && id_is(&chunk, "idx1") && avi->indexed == 0 && !walk_index(avi, &chunk)))
            return false;
        at = chunk_end(&chunk, riff->end);
        riff->good = at < limit ? at : limit;
    }
    return true;
}

/* RIFF AVIX at the end of what came so far? */
static bool next_segment(struct riff *riff)
{
    uint64_t at = riff->end;
    const uint8_t *p = reader_at(riff->reader, at, 12);

    if (p == NULL || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "AVIX", 4) != 0)
        return false;
    riff->end = at + 8 + field_le32(p + 4);
    return true;
}

static enum carve_grade avi_finish(struct avi *avi)
{
    bool index = avi->indexed > 0 && avi->indexed == avi->chunks && avi->index_sum == avi->sum;
    bool counted = avi->indexed == 0 && avi->frames > 0 && avi->frames == avi->lengths;

    if (!avi->has_movi || !avi->has_header) {
        carved_partial(avi->riff.ret, avi->riff.good, "the list movi, or the headers");
        return avi->riff.ret->grade = avi->has_movi ? CARVE_PARTIAL : CARVE_FRAGMENT;
    }
    return carved_whole(avi->riff.ret, index || counted ? CARVE_VALIDATED : CARVE_COMPLETE, avi->riff.end);
}

static enum carve_grade examine_avi(struct reader *reader, struct carved *ret)
{
    struct avi avi = {.riff = {reader, ret, 12, 0}};
    const uint8_t *p = reader_at(reader, 0, 24);
    uint64_t at = 12;
    bool first = true;

    if (p == NULL || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "AVI LIST", 8) != 0 ||
        memcmp(p + 20, "hdrl", 4) != 0)
        return CARVE_NONE;
    avi.riff.end = 8 + (uint64_t)field_le32(p + 4);
    do {
        if (!walk_avi(&avi, at, first) || avi.riff.end > reader_size(reader)) {
            carved_partial(ret, avi.riff.good, "the chunks behind byte %llu: cut, or other data lies there",
                           (unsigned long long)avi.riff.good);
            return ret->grade = avi.has_movi ? CARVE_PARTIAL : CARVE_FRAGMENT;
        }
        at = avi.riff.end + 12;
        first = false;
    } while (next_segment(&avi.riff));
    return avi_finish(&avi);
}

/* ------------------------------------------------------------------ WAV */

struct wav {
    struct riff riff;
    uint64_t data_size; /* from ds64; UINT64_MAX: none */
    unsigned tag, channels, bits, block;
    bool has_format, has_data, checked, wrong;
};

static bool take_format(struct wav *wav, const struct chunk *chunk)
{
    const uint8_t *p = chunk->size >= 14 ? reader_at(wav->riff.reader, chunk->offset, 14) : NULL;
    uint16_t bits = 0;
    bool legal;

    if (p == NULL)
        return false;
    wav->tag = field_le16(p);
    wav->channels = field_le16(p + 2);
    wav->block = field_le16(p + 12);
    legal = wav->channels > 0 && field_le32(p + 4) > 0; /* the rate */
    if (chunk->size >= 16 && reader_le16(wav->riff.reader, chunk->offset + 14, &bits))
        wav->bits = bits;
    wav->has_format = true;
    return legal && (wav->tag != 1 || wav->block == wav->channels * ((wav->bits + 7) / 8));
}

/* Does a block of Microsoft (2) or IMA (17) ADPCM begin here? [RFC 2361] */
static bool adpcm_block_holds(const struct wav *wav, const uint8_t *p)
{
    for (unsigned i = 0; i < wav->channels; i++) {
        const uint8_t *delta = p + wav->channels + 2 * (size_t)i;

        if (wav->tag == 2 ? p[i] > 6 || (delta[0] | delta[1]) == 0 : p[4 * i + 2] > 88 || p[4 * i + 3] != 0)
            return false;
    }
    return true;
}

static bool check_adpcm(struct wav *wav, const struct chunk *data)
{
    static const uint8_t zero[4 * 8];
    uint64_t end = data->offset + data->size;
    bool silent = false;

    if (wav->channels > 8 || wav->block < 4 * wav->channels || wav->block > READER_AT_MAX)
        return true;
    for (uint64_t at = data->offset; at + wav->block <= end; at += wav->block) {
        const uint8_t *p = reader_at(wav->riff.reader, at, 4 * (size_t)wav->channels);

        if (p == NULL || !adpcm_block_holds(wav, p))
            return false;
        /* Zeros would hold too, and may be none of it. */
        silent |= memcmp(p, zero, 4 * (size_t)wav->channels) == 0;
        wav->riff.good = at + 4 * (uint64_t)wav->channels;
        wav->checked = at > data->offset && !silent;
    }
    return true;
}

static bool take_data(struct wav *wav, const struct chunk *chunk)
{
    uint64_t most = reader_size(wav->riff.reader);
    struct chunk here = *chunk;

    wav->has_data = true;
    if (here.size > most - here.offset)
        here.size = most - here.offset;
    wav->riff.good = chunk->offset;
    if ((wav->tag == 2 || wav->tag == 17) && !check_adpcm(wav, &here))
        return false;
    return here.size == chunk->size;
}

static bool wav_chunk(struct wav *wav, const struct chunk *chunk)
{
    if (id_is(chunk, "fmt "))
        return take_format(wav, chunk);
    if (id_is(chunk, "data"))
        return wav->has_format && take_data(wav, chunk);
    if (id_is(chunk, "LIST") && reader_is(wav->riff.reader, chunk->offset, "INFO", 4))
        take_info(&wav->riff, chunk);
    if (wav->has_data)
        wav->checked = true; /* its place says that the sound is as long as it should be */
    return true;
}

static bool walk_wav(struct wav *wav)
{
    struct riff *riff = &wav->riff;
    struct chunk chunk;

    for (uint64_t at = 12; at < riff->end;) {
        bool whole = chunk_at(riff->reader, at, riff->end, &chunk);

        if (wav->data_size != UINT64_MAX && reader_is(riff->reader, at, "data\xff\xff\xff\xff", 8)) {
            memcpy(chunk.id, "data", 4);
            chunk.offset = at + 8;
            chunk.size = wav->data_size;
            whole = u64_range_fits(chunk.offset, chunk.size, riff->end);
        }
        if (!whole)
            return riff->end - at < 8 && wav->has_data && reader_is_all(riff->reader, at, riff->end - at, 0);
        if (!wav_chunk(wav, &chunk))
            return false;
        at = chunk_end(&chunk, riff->end);
        if (at > reader_size(riff->reader))
            return false;
        riff->good = at;
    }
    return true;
}

static bool wav_begins(struct wav *wav)
{
    const uint8_t *p = reader_at(wav->riff.reader, 0, 36);

    if (p == NULL || memcmp(p + 8, "WAVE", 4) != 0)
        return false;
    wav->riff.end = 8 + (uint64_t)field_le32(p + 4);
    if (memcmp(p, "RIFF", 4) == 0)
        return true;
    if ((memcmp(p, "RF64", 4) != 0 && memcmp(p, "BW64", 4) != 0) || memcmp(p + 12, "ds64", 4) != 0)
        return false;
    if (field_le32(p + 4) == UINT32_MAX)
        wav->riff.end = u64_add_saturating(8, field_le64(p + 20));
    wav->data_size = field_le64(p + 28);
    return true;
}

static enum carve_grade examine_wav(struct reader *reader, struct carved *ret)
{
    struct wav wav = {.riff = {reader, ret, 12, 0}, .data_size = UINT64_MAX};
    bool whole;

    if (!wav_begins(&wav))
        return CARVE_NONE;
    whole = walk_wav(&wav);
    if (!wav.has_format)
        return *ret = (struct carved){.grade = CARVE_NONE}, CARVE_NONE;
    if (whole && wav.has_data && wav.riff.end <= reader_size(reader))
        return carved_whole(ret, wav.checked ? CARVE_VALIDATED : CARVE_COMPLETE, wav.riff.end);
    carved_partial(ret, wav.riff.good, "the chunks behind byte %llu: cut, or other data lies there",
                   (unsigned long long)wav.riff.good);
    return ret->grade = wav.has_data ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

static const struct carve_format avi_format = {"avi", examine_avi};
static const struct carve_format wav_format = {"wav", examine_wav};
const struct carve_format *const carve_riff[] = {&avi_format, &wav_format, NULL};
