/*
 * tsk_image: containers that libtsk reads with afflib, libvmdk and libvhdi.
 *
 * afflib takes "scheme://" names for addresses on the network, so only an absolute path without one goes to
 * it.
 */
#include "engine/evidence/tsk/tsk_image.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tsk/libtsk.h>

struct tsk_image {
    TSK_IMG_INFO *info;
};

/* The first line of libtsk's message, escaped. */
static int tsk_failure(struct why *why)
{
    const char *message = tsk_error_get();
    size_t size = message == NULL ? 0 : strcspn(message, "\r\n");
    struct buf buf;
    buf_init(&buf);
    if (size > 0)
        text_escape(&buf, message, size < 240 ? size : 240);
    int status = why_set(why, -EINVAL, "%s", size > 0 ? buf_cstr(&buf) : "libtsk cannot open it");
    buf_finish(&buf);
    tsk_error_reset();
    return status;
}

static TSK_IMG_TYPE_ENUM tsk_type(enum image_type type)
{
    switch (type) {
    case IMAGE_AFF:
        return TSK_IMG_TYPE_AFF_AFF;
    case IMAGE_VMDK:
        return TSK_IMG_TYPE_VMDK_VMDK;
    case IMAGE_VHD:
        return TSK_IMG_TYPE_VHD_VHD;
    default:
        return TSK_IMG_TYPE_UNSUPP;
    }
}

int tsk_image_open(const char *path, enum image_type type, struct tsk_image **ret_image, struct why *why)
{
    TSK_IMG_TYPE_ENUM wanted = tsk_type(type);
    if (wanted == TSK_IMG_TYPE_UNSUPP || (tsk_img_type_supported() & wanted) == 0)
        return why_set(why, -ENOTSUP, "libtsk was built without this format");
    if (strstr(path, "://") != NULL)
        return why_set(why, -EINVAL, "its name looks like a network address");
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return why_set(why, -errno, "its path cannot be resolved");
    struct tsk_image *image = calloc(1, sizeof(*image));
    if (image != NULL)
        image->info = tsk_img_open_utf8_sing(absolute, wanted, 0);
    free(absolute);
    if (image == NULL)
        return -ENOMEM;
    if (image->info == NULL || image->info->size < 0) {
        int status = tsk_failure(why);
        tsk_image_close(image);
        return status;
    }
    *ret_image = image;
    return 0;
}

void tsk_image_close(struct tsk_image *image)
{
    if (image == NULL)
        return;
    if (image->info != NULL)
        tsk_img_close(image->info);
    free(image);
}

uint64_t tsk_image_size(const struct tsk_image *image)
{
    return (uint64_t)image->info->size;
}

uint32_t tsk_image_sector_size(const struct tsk_image *image)
{
    return image->info->sector_size;
}

int tsk_image_read(struct tsk_image *image, uint64_t offset, void *data, size_t size)
{
    ssize_t got = tsk_img_read(image->info, (TSK_OFF_T)offset, data, size);
    tsk_error_reset();
    return got == (ssize_t)size ? 0 : -EIO;
}
