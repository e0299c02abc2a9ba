/*
 * piece: a stream that consists of pieces of another one, read through it. Private to engine/scan.
 */
#ifndef KVALI_SCAN_PIECE_H
#define KVALI_SCAN_PIECE_H

#include "engine/scan/pass.h"

struct pieces {
    const struct pass *parent;
    struct scan_piece items[SCAN_PIECES_MAX];
    size_t count;
    uint64_t size, position;
    struct ranges bad, met;
};

/* Takes the pieces of `parent` that lie within its reach, at most `most` bytes of them. -EINVAL: they do not lie within
 * it, or are too many. */
int pieces_init(struct pieces *pieces, const struct pass *parent, const struct scan_piece *items, size_t count,
                uint64_t most);
void pieces_finish(struct pieces *pieces);

struct source pieces_source(struct pieces *pieces);

/* Where all bytes of a source lie on the medium; fills room for FOUND_RUNS_MAX. None when some lie nowhere. */
struct child_runs source_runs(const struct source *source, struct found_run *room);

#endif
