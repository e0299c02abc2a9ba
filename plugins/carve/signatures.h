/*
 * signatures: the tables of rules/carve, and the search for all of them at once.
 */
#ifndef KVALI_PLUGINS_CARVE_SIGNATURES_H
#define KVALI_PLUGINS_CARVE_SIGNATURES_H

#include "engine/base/why.h"
#include "plugins/carve/format.h"

#include <stddef.h>
#include <stdint.h>

/* The longest pattern; so many bytes of look-ahead are enough. */
enum { SIGNATURE_WIDTH_MAX = 64 };

struct signature {
    const struct carve_format *format;
    char *extension, *name; /* where the examiner does not say better */
    int32_t offset; /* of the pattern, from the object's first byte; negative: it begins with what stands
                       before the object */
    uint32_t align; /* the object begins at a multiple of this */
    uint32_t width; /* of the pattern */
    uint64_t max;   /* bytes that an object may have */
};

struct signatures;

/* Loads every *.tsv of the folder `path` in the order of their names and tells the engine (setup_loaded).
 * -EINVAL with file and line for a row that is wrong, -ENOENT, -ENOMEM. */
int signatures_load(const char *path, struct signatures **ret_signatures, struct why *why);
void signatures_free(struct signatures *signatures);

const struct signature *signatures_at(const struct signatures *signatures, size_t index);

/* Calls `found` for every signature that begins in the first `begin` of the `size` bytes at `data`, with the
 * place of its pattern; in no certain order, the same place perhaps twice. `offset` is where in the stream
 * `data` lies: rows whose objects begin at sectors are sought only there, others everywhere, whatever their
 * alignment. 0, or what `found` answered. -EIO: the search failed. */
typedef int signatures_found(void *context, size_t index, size_t place);
int signatures_search(struct signatures *signatures, uint64_t offset, const uint8_t *data, size_t begin,
                      size_t size, signatures_found *found, void *context);

#endif
