/*
 * reassemble: puts an object together that lies in two pieces of the medium, other data between them
 * [bifragment gap carving: S. L. Garfinkel, Carving contiguous and fragmented files with fast object
 * validation, DFRWS 2007].
 */
#ifndef KVALI_PLUGINS_CARVE_REASSEMBLE_H
#define KVALI_PLUGINS_CARVE_REASSEMBLE_H

#include "plugins/carve/format.h"

enum { REASSEMBLE_PIECES = 2 };

struct reassembly {
    struct carved carved; /* VALIDATED */
    struct reader_piece pieces[REASSEMBLE_PIECES];
};

/* Looks for the second piece of an object of `format` that begins at `start` of the stream and was found
 * broken. The stream can be read up to `reach`; the object may have `max` bytes. The break, and the second
 * piece, are sought at the blocks of the file system, so there must be some: `start` is a multiple of 512.
 * *effort is how many bytes may still be read for it, and is lowered by what was. True when *ret is whole. */
bool reassemble(struct reader *reader, const struct carve_format *format, const struct carved *broken,
                uint64_t start, uint64_t reach, uint64_t max, uint64_t *effort, struct reassembly *ret);

#endif
