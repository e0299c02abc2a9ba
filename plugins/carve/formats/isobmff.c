/*
 * isobmff: movies and sound in the ISO base media file format and QuickTime: MP4, MOV, 3GP, M4A, M4V, F4V and
 * Canon's CR3 [ISO/IEC 14496-12; Apple, QuickTime File Format]. A row of boxes, each with a size and a type:
 * the object ends behind the last one that belongs to it. Pictures of the same family (HEIC, AVIF) are
 * another format's.
 *
 * Boxes alone prove little: where the index (moov) comes first, the media data behind it could be anything.
 * So the samples that the index names are looked at (isobmff_sample.h). Validated: boxes and tables agree, at
 * least a tenth of the media data is of codecs that can be checked (the rest lies between it), and every such
 * sample holds. Fragmented movies have no index of all: their end is confirmed by mfra or by an index of
 * segments (sidx).
 */
#include "plugins/carve/formats/isobmff_index.h"
#include "plugins/carve/formats/isobox.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_MAX = 64 * 1024 * 1024, TYPES_SIZE = 4 };

struct top {
    uint64_t offset, size, head;
    char type[TYPES_SIZE];
    bool open; /* its size says: to the end of the file */
};

struct movie {
    struct reader *reader;
    struct carved *ret;
    bool brand;    /* it begins with ftyp */
    uint8_t *moov; /* content; owned */
    uint8_t *moof; /* of the fragment whose mdat has not come yet; owned */
    size_t moof_size;
    uint64_t moof_at;
    struct index index;
    struct index_samples samples;
    struct index_range mdats[INDEX_MDATS_MAX];
    size_t mdat_count;
    uint64_t end;     /* behind the last whole box */
    uint64_t settled; /* behind the last fragment whose samples were checked */
    uint64_t fragments;
    uint64_t covered; /* where the first sidx says that its segments end; 0: none */
    bool confirmed;   /* mfra came */
    bool damaged;     /* a box that must be sound is not */
    const char *cut;  /* the type of a box that goes on behind the data; NULL: none */
};

static bool is_one_of(const char *type, const char *list)
{
    for (; *list != '\0'; list += TYPES_SIZE) {
        if (memcmp(type, list, TYPES_SIZE) == 0)
            return true;
    }
    return false;
}

/* The box at `offset`; false when none that a movie has at its top begins there. */
static bool top_at(struct reader *reader, uint64_t offset, struct top *ret)
{
    static const char known[] = "ftypmoovmdatfreeskipwideuuidmoofmfrasidxstypssixprftemsgmetapdinpnotPICTpict"
                                "udtajunkblocmecoludtmcvrthumfreasefdinstbeamXtraCAME";
    const uint8_t *p = reader_at(reader, offset, 8);
    struct isobox box;

    if (p == NULL || !is_one_of((const char *)p + 4, known))
        return false;
    *ret = (struct top){.offset = offset};
    memcpy(ret->type, p + 4, TYPES_SIZE);
    if (!isobox_read(reader, offset, UINT64_MAX, &box))
        return false;
    ret->head = box.content - offset;
    ret->open = box.size == 0;
    ret->size = ret->open ? reader_size(reader) - offset : box.size;
    return !ret->open || is_one_of(ret->type, "mdat");
}

/* The box's content in memory of its own; NULL: not all there, too large, no memory. */
static uint8_t *load(struct reader *reader, const struct top *top, size_t *ret_size)
{
    uint64_t size = top->size - top->head, done = 0;
    uint8_t *data = size <= INDEX_MAX ? malloc(size > 0 ? (size_t)size : 1) : NULL;

    while (data != NULL && done < size) {
        size_t step = size - done < READER_AT_MAX ? (size_t)(size - done) : READER_AT_MAX;
        const uint8_t *p = reader_at(reader, top->offset + top->head + done, step);

        if (p == NULL) {
            free(data);
            return NULL;
        }
        memcpy(data + done, p, step);
        done += step;
    }
    *ret_size = (size_t)size;
    return data;
}

/* Where the segments that an index of segments names end [ISO/IEC 14496-12, 8.16.3]. */
static void take_sidx(struct movie *movie, const struct top *top)
{
    size_t size;
    uint8_t *data = top->size < READER_AT_MAX ? load(movie->reader, top, &size) : NULL;
    struct bytes body;
    unsigned version, count;
    uint64_t end = top->offset + top->size;

    if (data == NULL)
        return;
    bytes_init(&body, data, size);
    version = bytes_u8(&body);
    bytes_skip(&body, 3 + 8);
    if (version == 0) {
        bytes_skip(&body, 4);
        end = u64_add_saturating(end, bytes_u32be(&body));
    } else {
        bytes_skip(&body, 8);
        end = u64_add_saturating(end, bytes_u64be(&body));
    }
    bytes_skip(&body, 2);
    count = bytes_u16be(&body);
    for (unsigned i = 0; i < count; i++) {
        end = u64_add_saturating(end, bytes_u32be(&body) & 0x7fffffff);
        bytes_skip(&body, 8);
    }
    if (!bytes_failed(&body) && count > 1 && movie->covered == 0)
        movie->covered = end;
    free(data);
}

static bool take_moov(struct movie *movie, const struct top *top)
{
    size_t size;

    movie->moov = load(movie->reader, top, &size);
    return movie->moov != NULL &&
           index_parse(&movie->index, movie->moov, size, top->offset + top->head, movie->ret);
}

static bool take_moof(struct movie *movie, const struct top *top)
{
    free(movie->moof);
    movie->moof = load(movie->reader, top, &movie->moof_size);
    movie->moof_at = top->offset;
    return movie->moof != NULL;
}

/* The data of a fragment: its samples are checked at once. */
static bool take_fragment(struct movie *movie, const struct top *top)
{
    struct index_range mdat = {top->offset + top->head, top->offset + top->size};
    bool fine = index_check_fragment(&movie->index, movie->reader, movie->moof, movie->moof_size,
                                     movie->moof_at, &mdat, &movie->samples);

    free(movie->moof);
    movie->moof = NULL;
    movie->fragments++;
    movie->settled = mdat.end;
    return fine && movie->samples.wrong == 0;
}

static bool take_mdat(struct movie *movie, const struct top *top)
{
    uint64_t end = u64_add_saturating(top->offset, top->size), most = reader_size(movie->reader);

    if (movie->moof != NULL)
        return end <= most && take_fragment(movie, top);
    if (movie->mdat_count == INDEX_MDATS_MAX)
        return false;
    movie->mdats[movie->mdat_count++] =
        (struct index_range){top->offset + top->head, end < most ? end : most};
    return true;
}

/* mfra ends with its own size [ISO/IEC 14496-12, 8.8.11]. */
static bool mfra_is_sound(struct movie *movie, const struct top *top)
{
    uint32_t size;

    return top->size >= 24 && reader_is(movie->reader, top->offset + top->size - 12, "mfro", 4) &&
           reader_be32(movie->reader, top->offset + top->size - 4, &size) && size == top->size;
}

/* Takes the box into account; false: the movie does not go on with it. */
static bool take(struct movie *movie, const struct top *top)
{
    bool whole = u64_range_fits(top->offset, top->size, reader_size(movie->reader));
    bool fine = true;

    if (is_one_of(top->type, "ftyp") || (is_one_of(top->type, "moov") && movie->moov != NULL) ||
        (is_one_of(top->type, "moof") && !movie->index.fragmented))
        return false;
    if (!whole)
        movie->cut = is_one_of(top->type, "mdat") ? "mdat" : is_one_of(top->type, "moov") ? "moov" : "moof";
    if (!whole && !is_one_of(top->type, "mdatmoovmoof"))
        movie->cut = "a last box";
    if (is_one_of(top->type, "mdat"))
        fine = take_mdat(movie, top);
    else if (whole && is_one_of(top->type, "moov"))
        fine = take_moov(movie, top);
    else if (whole && is_one_of(top->type, "moof"))
        fine = take_moof(movie, top);
    else if (whole && is_one_of(top->type, "sidx") && movie->fragments == 0)
        take_sidx(movie, top);
    else if (whole && is_one_of(top->type, "mfra"))
        fine = movie->confirmed = mfra_is_sound(movie, top);
    movie->damaged = !fine;
    return fine && whole && !top->open;
}

static void walk(struct movie *movie)
{
    struct top top;

    while (top_at(movie->reader, movie->end, &top) && take(movie, &top)) {
        movie->end += top.size;
        if (movie->confirmed)
            break;
    }
}

/* ------------------------------------------------------------------ what came of it */

static bool samples_prove(const struct movie *movie)
{
    const struct index_samples *samples = &movie->samples;

    return movie->index.agrees && !samples->outside && samples->wrong == 0 &&
           samples->checked >= samples->total / 10 && samples->trail.total_bits >= 32 &&
           !reader_spent(movie->reader);
}

/* Few samples that do not hold, with sound ones behind them, are damage and no end. */
static bool is_cut_by_samples(const struct index_samples *samples)
{
    return samples->wrong > 0 && (samples->good_in_a_row < 4 || samples->wrong > samples->tested / 20);
}

static enum carve_grade finish_fragmented(struct movie *movie)
{
    struct index_samples *samples = &movie->samples;
    uint64_t floor = movie->settled > 0 ? movie->settled : movie->end;
    bool whole = movie->confirmed || (movie->covered > 0 && movie->covered <= movie->end);

    if (samples->wrong > 0)
        return carved_partial(movie->ret, samples->first_wrong,
                              "a sample in a fragment is not what its codec writes");
    if (movie->moof != NULL || movie->damaged || movie->cut != NULL || movie->covered > movie->end) {
        carved_partial(movie->ret, movie->moof != NULL ? movie->moof_at : floor,
                       "the fragments behind number %llu: the data is cut or not theirs",
                       (unsigned long long)movie->fragments);
        if (movie->fragments == 0)
            movie->ret->grade = CARVE_FRAGMENT;
        return movie->ret->grade;
    }
    return carved_whole(movie->ret, whole && samples_prove(movie) ? CARVE_VALIDATED : CARVE_COMPLETE,
                        movie->end);
}

static enum carve_grade finish_indexed(struct movie *movie)
{
    struct index_samples *samples = &movie->samples;
    uint64_t floor = movie->mdats[0].begin, end = movie->end;
    bool open = false;

    index_check(&movie->index, movie->reader, movie->mdats, movie->mdat_count, samples);
    for (size_t i = 0; i < movie->mdat_count && !movie->brand; i++)
        open |= samples->lowest == movie->mdats[i].begin;
    if (!movie->brand && !open)
        return CARVE_NONE; /* a part of a movie whose beginning is elsewhere */
    if (is_cut_by_samples(samples))
        return carved_partial(movie->ret, samples->first_wrong > floor ? samples->first_wrong : floor,
                              "a sample is not what its codec writes: other data lies there");
    if (movie->cut != NULL && strcmp(movie->cut, "mdat") == 0)
        return carved_partial(movie->ret, trail_sure(&samples->trail, floor), "the media data ends here");
    if (movie->damaged)
        return carved_partial(movie->ret, movie->end, "the box at byte %llu is not well-formed",
                              (unsigned long long)movie->end);
    /* An mdat without a size ends where its last sample does. */
    if (movie->mdats[movie->mdat_count - 1].end > end)
        end = samples->highest;
    if (samples->highest > end || end > reader_size(movie->reader) || end == 0)
        return carved_partial(movie->ret, movie->end, "samples that the index names lie behind the last box");
    return carved_whole(movie->ret,
                        samples_prove(movie) && movie->cut == NULL ? CARVE_VALIDATED : CARVE_COMPLETE, end);
}

static enum carve_grade finish(struct movie *movie)
{
    if (movie->moov == NULL || movie->index.track_count == 0) {
        if (!movie->brand)
            return CARVE_NONE;
        if (movie->mdat_count > 0)
            return carved_partial(movie->ret, movie->mdats[0].begin,
                                  "the index (moov): it is not where the size of the media data says");
        carved_partial(movie->ret, movie->end, "the media data and its index");
        return movie->ret->grade = CARVE_FRAGMENT;
    }
    if (movie->fragments > 0 || movie->moof != NULL)
        return finish_fragmented(movie);
    if (movie->mdat_count > 0)
        return finish_indexed(movie);
    if (!movie->brand)
        return CARVE_NONE;
    carved_partial(movie->ret, movie->end, "the media data");
    return movie->ret->grade = CARVE_FRAGMENT;
}

/* ------------------------------------------------------------------ brands */

static void name_it(struct movie *movie, const char *brand)
{
    static const struct {
        char brand[5];
        const char *extension, *format;
    } brands[] = {
        {"qt", "mov", "QuickTime movie"},    {"3gp", "3gp", "3GPP movie"},
        {"3gs", "3gp", "3GPP movie"},        {"3ge", "3gp", "3GPP movie"},
        {"3gr", "3gp", "3GPP movie"},        {"3gh", "3gp", "3GPP movie"},
        {"3g2", "3g2", "3GPP2 movie"},       {"M4A", "m4a", "MPEG-4 audio"},
        {"M4B", "m4b", "MPEG-4 audio book"}, {"M4V", "m4v", "MPEG-4 video (M4V)"},
        {"f4v", "f4v", "Flash MP4 video"},   {"crx", "cr3", "Canon CR3 raw picture"},
    };
    bool video = index_has(&movie->index, "vide");

    movie->ret->extension = !movie->brand ? "mov" : video || movie->index.track_count == 0 ? "mp4" : "m4a";
    movie->ret->format = !movie->brand                            ? "QuickTime movie"
                         : video || movie->index.track_count == 0 ? "MPEG-4 movie"
                                                                  : "MPEG-4 audio";
    for (size_t i = 0; movie->brand && i < sizeof brands / sizeof brands[0]; i++) {
        if (strncmp(brand, brands[i].brand, strlen(brands[i].brand)) == 0) {
            movie->ret->extension = brands[i].extension;
            movie->ret->format = brands[i].format;
        }
    }
}

/* What the object begins with: false when it is no movie. */
static bool begins_well(struct movie *movie, char *ret_brand)
{
    static const char pictures[] = "heicheixheimheishevchevxhevmhevsmif1mif2msf1miafavifavisavioavciavcs"
                                   "jpegjpgsj2kij2isjp2 jpx jpm jxl ";
    struct top top, next;
    const uint8_t *p = reader_at(movie->reader, 0, 16);

    if (p == NULL || memcmp(p + 4, "uuid", 4) == 0 || !top_at(movie->reader, 0, &top))
        return false;
    if (is_one_of(top.type, "ftyp")) {
        p = reader_at(movie->reader, 0, 16);
        if (p == NULL || top.size < 16 || top.size > 4096 || is_one_of((const char *)p + 8, pictures))
            return false;
        for (int i = 8; i < 12; i++) {
            if (p[i] < 0x20 || p[i] > 0x7e)
                return false;
        }
        memcpy(ret_brand, p + 8, TYPES_SIZE);
        movie->brand = true;
        movie->end = top.size;
        return top.size <= reader_size(movie->reader);
    }
    /* QuickTime before brands: something must stand behind the first box. */
    return is_one_of(top.type, "moovmdatwidepnotfreeskip") && !top.open &&
           u64_range_fits(0, top.size, reader_size(movie->reader)) && top_at(movie->reader, top.size, &next);
}

static enum carve_grade examine_isobmff(struct reader *reader, struct carved *ret)
{
    struct movie movie = {.reader = reader, .ret = ret};
    char brand[TYPES_SIZE + 1] = "";

    if (!begins_well(&movie, brand))
        return CARVE_NONE;
    index_samples_init(&movie.samples);
    walk(&movie);
    if (finish(&movie) != CARVE_NONE)
        name_it(&movie, brand);
    else
        *ret = (struct carved){.grade = CARVE_NONE};
    free(movie.moov);
    free(movie.moof);
    return ret->grade;
}

static const struct carve_format isobmff_format = {"isobmff", examine_isobmff};
const struct carve_format *const carve_isobmff[] = {&isobmff_format, NULL};
