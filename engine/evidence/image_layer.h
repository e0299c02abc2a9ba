/*
 * image_layer: images inside of images: an encrypted volume's content, a virtual disk's, a logical volume's.
 * They are read as every image is, and hold others in turn.
 *
 * A locator may begin with steps into them:
 *
 *   <kind>[.<number>]{<content>}{<content>}...><rest>
 *
 * The contents in braces (locator.h) are what the inner image is made of, and lie in the image that the steps
 * before lead to; `rest` is a locator in the inner one. The kinds are in layer/layer.h:
 *
 *   luks{raw@1048576+8388608}>fs@0:ext4/12-128-1
 *   vhd{fs@65536:ntfs/71-128-2}>bitlocker{raw@1048576+104857600}>volumes
 *   lvm.2{raw@1048576+1073741824}>volumes
 */
#ifndef KVALI_EVIDENCE_IMAGE_LAYER_H
#define KVALI_EVIDENCE_IMAGE_LAYER_H

#include "engine/base/why.h"
#include "engine/evidence/image.h"
#include "engine/evidence/key.h"

#include <stdbool.h>
#include <stddef.h>

enum { IMAGE_INNER_MAX = 12, IMAGE_LEVELS_MAX = 8 };

/* The image that the locator's steps lead to, and what follows them; the image itself when there are none. It
 * stays open until image_leave. -ENOKEY: encrypted, and no key given opens it (`why`: what it is); -ELOOP:
 * too deep; -ENOTSUP, -EINVAL, -ENOENT, -EMFILE, -ENOMEM; or as stream_open. `why` may be NULL. */
int image_enter(struct image *image, const char *locator, struct image **ret_image, const char **ret_rest,
                struct why *why);
void image_leave(struct image *image);

/* How much of a locator are steps; 0: none. */
size_t image_layers_size(const char *locator);
/* How much of it are all steps but the last one before `rest` (a place in `locator`). */
size_t image_layers_around(const char *locator, const char *rest);
/* True when one of the steps needs a key. */
bool image_layers_keyed(const char *locator);

/* The name of an image inside of another: what addresses in it begin with. -ENOMEM. */
int image_rename(struct image *image, const char *name);

/* True when it shows a volume as it once was. */
bool image_is_snapshot(const struct image *image);
/* True when a snapshot has no bytes of its own there: the volume has the same ones in the same place. */
bool image_through(const struct image *image, uint64_t offset, uint64_t size);
/* The image that a snapshot's volume lies in, and where in it. False: `image` is no snapshot, or its volume is more than a
 * range of the image around. */
bool image_around(const struct image *image, struct image **ret_around, uint64_t *ret_offset);
/* True when the NTFS volume there has ever had a snapshot. */
bool image_has_snapshots(struct image *image, uint64_t offset, uint64_t size);

/* The keys to try for encrypted volumes in this image; borrowed. */
void image_set_keys(struct image *image, const struct keys *keys);
const struct keys *image_keys(const struct image *image); /* NULL: none */
size_t image_key_count(const struct image *image);

#endif
