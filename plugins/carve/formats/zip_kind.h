/*
 * zip_kind: what a ZIP archive is for: a document of Word, a book, an app. Told by the names of its members
 * and, where those leave it open, by what its `mimetype` or `[Content_Types].xml` says.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ZIP_KIND_H
#define KVALI_PLUGINS_CARVE_FORMATS_ZIP_KIND_H

#include "plugins/carve/format.h"

/* A member's data; none when limit is 0. */
struct zip_place {
    uint64_t offset, limit;
    bool deflated;
};

/* All zero to begin with. */
struct zip_kind {
    uint64_t seen; /* bits of the names that tell something */
    struct zip_place mimetype, types, title;
};

/* A member with that name, whose data is at `place` (readable: stored or deflated, not encrypted; otherwise
 * its limit is 0). */
void zip_kind_see(struct zip_kind *kind, const uint8_t *name, size_t size, const struct zip_place *place);

/* Fills in extension, format and title of what was seen. */
void zip_kind_tell(const struct zip_kind *kind, struct reader *reader, struct carved *ret);

#endif
