/*
 * isobmff_sample: does a sample of a movie look as its codec writes it? Cheap checks of what a sample's bytes
 * cannot be otherwise: lengths inside it that must add up, sync words, end marks. What the check is worth is
 * told in bits (trail.h).
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ISOBMFF_SAMPLE_H
#define KVALI_PLUGINS_CARVE_FORMATS_ISOBMFF_SAMPLE_H

#include "plugins/carve/reader.h"
#include "plugins/carve/formats/trail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sample_codec {
    SAMPLE_UNKNOWN, /* nothing to check */
    SAMPLE_AVC,     /* NAL units behind lengths [ISO/IEC 14496-15] */
    SAMPLE_HEVC,
    SAMPLE_AAC,  /* raw_data_block [ISO/IEC 14496-3, 4.4.2.1] */
    SAMPLE_ALAC, /* Apple Lossless: the same elements, 16 bits of which 12 are zero */
    SAMPLE_AMR,  /* one frame or several [RFC 4867, 5.3] */
    SAMPLE_AMRWB,
    SAMPLE_MPEGVIDEO, /* begins with a start code */
    SAMPLE_H263,      /* picture start code [ITU-T H.263, 5.1.1] */
    SAMPLE_JPEG,
    SAMPLE_PNG,
    SAMPLE_DV,     /* header section, first block [SMPTE 314M, 2] */
    SAMPLE_PRORES, /* its size, then icpf [SMPTE RDD 36] */
    SAMPLE_AC3,    /* sync word 0B77 [ETSI TS 102 366] */
    SAMPLE_MP3,
    SAMPLE_FLAC,
    SAMPLE_VP8,  /* [RFC 6386, 9.1] */
    SAMPLE_VP9,  /* frame marker [VP9 bitstream specification, 6.2] */
    SAMPLE_AV1,  /* OBUs whose sizes add up [AV1 bitstream specification, 5.3] */
    SAMPLE_CTMD, /* Canon's metadata: little-endian sizes that add up */
};

struct sample_kind {
    enum sample_codec codec;
    uint8_t nal_length; /* bytes of a length: 1, 2 or 4 */
};

/* Looks at the `size` bytes at `offset`; notes in `trail` what holds. False when it cannot be such a sample;
 * true when it can, or when it is too small to tell. It must be all there: false otherwise. */
bool sample_check(struct reader *reader, const struct sample_kind *kind, uint64_t offset, uint64_t size,
                  struct trail *trail);

#endif
