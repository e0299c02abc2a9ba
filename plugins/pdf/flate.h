/*
 * flate: a stream of FlateDecode into a child, piece by piece, for qpdf would give it in one piece of
 * whatever size it has. [RFC 1950]
 */
#ifndef KVALI_PDF_FLATE_H
#define KVALI_PDF_FLATE_H

#include "engine/plugin.h"

struct flate_limits {
    uint64_t ratio, from; /* bytes out for each byte in, once more than `from` came out; ratio 0: any */
};

enum flate_end { FLATE_WHOLE, FLATE_CUT, FLATE_TOO_MUCH, FLATE_FULL };

/* Writes what `data` unpacks to, as far as it goes; FLATE_FULL: the sink takes no more. */
enum flate_end flate_write(const uint8_t *data, size_t size, const struct flate_limits *limits,
                           struct sink *sink, uint64_t *ret_size);
/* What comes out first: something (FLATE_FULL), nothing because it is empty (FLATE_WHOLE) or damaged
 * (FLATE_CUT). */
enum flate_end flate_begins(const uint8_t *data, size_t size);

#endif
