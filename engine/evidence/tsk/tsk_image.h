/*
 * tsk_image: AFF, VMDK and VHD opened by libtsk, by an explicit type: its detection would take a damaged
 * container for a raw image. For image_tsk.c alone.
 */
#ifndef KVALI_EVIDENCE_TSK_TSK_IMAGE_H
#define KVALI_EVIDENCE_TSK_TSK_IMAGE_H

#include "engine/base/why.h"
#include "engine/evidence/image.h"

#include <stddef.h>
#include <stdint.h>

struct tsk_image;

/* `type` is AFF, VMDK or VHD. -EINVAL, -ENOTSUP (libtsk built without it), -ENOMEM; `why` without the image's
 * name. */
int tsk_image_open(const char *path, enum image_type type, struct tsk_image **ret_image, struct why *why);
void tsk_image_close(struct tsk_image *image);

uint64_t tsk_image_size(const struct tsk_image *image);
uint32_t tsk_image_sector_size(const struct tsk_image *image);

/* The whole piece, or -EIO. */
int tsk_image_read(struct tsk_image *image, uint64_t offset, void *data, size_t size);

#endif
