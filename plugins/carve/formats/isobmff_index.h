/*
 * isobmff_index: the index of a movie (box moov, and moof of fragmented ones), read from memory, and the
 * samples that it points at, checked in the order in which they lie in the object.
 * Source: ISO/IEC 14496-12; Apple, QuickTime File Format.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ISOBMFF_INDEX_H
#define KVALI_PLUGINS_CARVE_FORMATS_ISOBMFF_INDEX_H

#include "plugins/carve/format.h"
#include "plugins/carve/formats/isobmff_sample.h"

#include "engine/base/bytes.h"

enum { INDEX_TRACKS_MAX = 32, INDEX_MDATS_MAX = 64 };

struct index_track {
    uint32_t id;
    char handler[4]; /* "vide", "soun" ... */
    struct sample_kind kind;
    bool external;        /* its samples are not in this file */
    bool countable;       /* the bytes of a chunk can be told */
    const uint8_t *sizes; /* stsz, stz2; NULL: all are `fixed` bytes */
    unsigned size_bits;   /* 4, 8, 16, 32 */
    uint32_t fixed, samples;
    uint32_t pack_samples, pack_bytes; /* QuickTime sound: so many samples are so many bytes; 0: fixed */
    const uint8_t *runs;               /* stsc */
    uint32_t run_count;
    const uint8_t *chunks; /* stco, co64 */
    bool wide;             /* co64 */
    uint32_t chunk_count;
    uint64_t timed;        /* samples that stts counts */
    uint32_t default_size; /* trex */
};

/* The content of the boxes mdat, as offsets in the object. */
struct index_range {
    uint64_t begin, end;
};

struct index {
    const uint8_t *data; /* moov's content, borrowed */
    size_t size;
    uint64_t offset; /* of data[0] in the object */
    struct index_track tracks[INDEX_TRACKS_MAX];
    size_t track_count;
    bool agrees;     /* tables and counts agree with each other */
    bool fragmented; /* mvex: samples are in moof boxes */
};

/* What came of the samples. */
struct index_samples {
    struct trail trail;
    uint64_t checked, total;  /* bytes of samples: of codecs that can be checked, of all */
    uint64_t tested, wrong;   /* samples */
    uint64_t good_in_a_row;   /* at the end */
    uint64_t first_wrong;     /* how far it was sure before the first wrong sample; UINT64_MAX: none */
    uint64_t lowest, highest; /* from the first byte of any chunk to behind the last */
    bool outside;             /* a chunk is not in any mdat */
};

/* A box in memory. */
struct index_box {
    uint32_t type;
    struct bytes body; /* its content */
};

/* Takes the next box of `in`; false at its end, or (then `in` has failed) when no whole box is there. */
bool index_box(struct bytes *in, struct index_box *ret);

/* False: not a moov that could be one. `data` is the content without the box's head and must outlive `ret`.
 * The title and the cover picture go into `carved`. */
bool index_parse(struct index *ret, const void *data, size_t size, uint64_t offset, struct carved *carved);
bool index_has(const struct index *index, const char *handler);

/* Goes through all samples that moov's own tables name. */
void index_check(const struct index *index, struct reader *reader, const struct index_range *mdats,
                 size_t mdat_count, struct index_samples *ret);

/* The same for one moof at `offset` (`data`: its content). Adds to `ret`. False: not well-formed. */
bool index_check_fragment(const struct index *index, struct reader *reader, const void *data, size_t size,
                          uint64_t offset, const struct index_range *mdat, struct index_samples *ret);
void index_samples_init(struct index_samples *samples);

#endif
