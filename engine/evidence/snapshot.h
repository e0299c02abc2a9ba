/*
 * snapshot: contents that a snapshot of a volume has in common with the volume itself. They are linked: the
 * snapshot's name leads to the volume's content, which is read and examined once.
 */
#ifndef KVALI_EVIDENCE_SNAPSHOT_H
#define KVALI_EVIDENCE_SNAPSHOT_H

#include "engine/base/buf.h"
#include "engine/evidence/found.h"
#include "engine/evidence/image.h"

/* 1 and the locator, within the image around, of the volume's own content, when it is a live file's there as
 * in the snapshot, has the same size, and is the same byte for byte with the slack behind it: an extent lies
 * in the same place, of which the snapshot keeps nothing of its own, or was compared (at most 64 MiB of a
 * content are). 0: it is not, or `image` is no snapshot. -ENOMEM. */
int snapshot_link(struct image *image, const struct found_entry *entry, struct buf *ret_locator);

#endif
