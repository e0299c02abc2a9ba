/*
 * expand: image -> volumes, and file system -> entries.
 *
 * The walk is our own: libtsk's stops unsaid at 128 levels. It keeps an explicit stack and a visited set,
 * limits depth at EXPAND_DEPTH_MAX and says so, lists every name that libtsk gives (live, deleted, orphaned,
 * virtual) and then every allocated inode that no name reached.
 *
 * A locator that begins with steps into an image inside of others (image_layer.h) is expanded there: keys of volumes
 * begin with the key of the volume around, and '!'; addresses with place->root.
 *
 * Locators, all ASCII (grammar in expand.c's head, parsed by locator.c):
 *   "volumes"                          expand the image's partition tables
 *   "fs@<offset>:<type>"               expand the file system at that byte offset
 *   "apfs@<offset>/<block>"            expand an APFS volume
 *   "folder"                           expand a folder of logical evidence
 *   contents: see stream.h
 */
#ifndef KVALI_EVIDENCE_EXPAND_H
#define KVALI_EVIDENCE_EXPAND_H

#include "engine/evidence/found.h"
#include "engine/evidence/image.h"

enum { EXPAND_DEPTH_MAX = 4096 };

/* Where what a locator leads to stands: found_volume's key and root of the volume that named it; "" and "" for an
 * exhibit's first. NULL: the same. */
struct expand_place {
    const char *volume, *root;
};

/* Does one expand task. `root` is the first locator of every exhibit (expand_root). `skip` lists `skip_count`
 * values of `at` that an earlier attempt did not survive: each is left out and reported as a fault of kind
 * `skip_kind`. What is broken in the evidence is reported through sink->fault; negative errno only for
 * -ENOMEM, -EINVAL (no such locator), or the sink's own code. */
int expand(struct image *image, const char *locator, const struct expand_place *place, const struct found_sink *sink,
           const uint64_t *skip, size_t skip_count, enum fault_kind skip_kind);

/* The first expand locator of an exhibit of this type: "volumes", "folder", or "file". */
const char *expand_root(enum image_type type);

/* Warm-up of libtsk before the sandbox closes, and its version "libtsk 4.11.1". */
void expand_warm(void);
const char *expand_version_tsk(void);

#endif
