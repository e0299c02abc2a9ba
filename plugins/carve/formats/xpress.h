/*
 * xpress: LZ77 with Huffman codes as Windows compresses prefetch files and others with it [MS-XCA, 2.1
 * "LZ77+Huffman Compression Algorithm"]. Blocks of 64 KiB of output, each with a table of 512 code lengths.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_XPRESS_H
#define KVALI_PLUGINS_CARVE_FORMATS_XPRESS_H

#include "plugins/carve/reader.h"

enum xpress {
    XPRESS_WHOLE,  /* `size` bytes and the mark that ends them */
    XPRESS_CUT,    /* the data ends before */
    XPRESS_BROKEN, /* not such a stream, from *ret_end or before it on */
};

/* Decompresses what begins at `offset` into `out`, which has room for `size` bytes. *ret_end is the offset
 * behind what was taken, *ret_made the bytes that came out, whatever is returned. */
enum xpress xpress_huffman(struct reader *reader, uint64_t offset, uint8_t *out, size_t size,
                           uint64_t *ret_end, size_t *ret_made);

#endif
