/*
 * layer_lvm: one logical volume of an LVM2 volume group by libvslvm. The physical volumes are given in the
 * order in which the group's metadata lists them.
 */
#include "engine/evidence/layer/bfio.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#define LIBVSLVM_HAVE_BFIO 1 /* Debian's library has these functions, and its header hides them */
#include <libvslvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lvm {
    libbfio_handle_t *file;
    libbfio_pool_t *pool;
    libvslvm_handle_t *handle;
    libvslvm_volume_group_t *group;
    libvslvm_logical_volume_t *volume;
};

static int open_group(struct lvm *lvm, const struct layer_base *base, struct why *why)
{
    libvslvm_error_t *error = NULL;

    lvm->file = bfio_new(&base->readers[0]);
    if (!lvm->file || libvslvm_handle_initialize(&lvm->handle, &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    if (libvslvm_handle_open_file_io_handle(lvm->handle, lvm->file, LIBVSLVM_OPEN_READ, &error) != 1 ||
        libvslvm_handle_get_volume_group(lvm->handle, &lvm->group, &error) != 1)
        return bfio_fail(why, -EINVAL, "LVM2 metadata that does not open", &error);
    return 0;
}

static int open_pool(struct lvm *lvm, const struct layer_base *base, struct why *why)
{
    libvslvm_error_t *error = NULL;
    int count = 0;

    if (libvslvm_volume_group_get_number_of_physical_volumes(lvm->group, &count, &error) != 1)
        return bfio_fail(why, -EINVAL, "LVM2 without physical volumes", &error);
    if (count < 1 || (size_t)count != base->count)
        return why_set(why, -ENOTSUP, "LVM2 group of %d physical volumes, of which %zu are at hand", count,
                       base->count);
    if (libbfio_pool_initialize(&lvm->pool, count, LIBBFIO_POOL_UNLIMITED_NUMBER_OF_OPEN_HANDLES, &error) !=
        1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    for (int i = 0; i < count; i++) {
        libbfio_handle_t *file = bfio_new(&base->readers[i]);
        if (!file || libbfio_pool_set_handle(lvm->pool, i, file, LIBBFIO_OPEN_READ, &error) != 1) {
            bfio_free(file);
            return bfio_fail(why, -ENOMEM, "no memory", &error);
        }
    }
    return libvslvm_handle_open_physical_volume_files_file_io_pool(lvm->handle, lvm->pool, &error) == 1
               ? 0
               : bfio_fail(why, -EINVAL, "LVM2 whose physical volumes do not open", &error);
}

/* Number 0: the group itself, of which only the note is wanted. */
static int open_volume(struct lvm *lvm, struct layer *layer, uint32_t number, struct why *why)
{
    libvslvm_error_t *error = NULL;
    int count = 0;
    size64_t size = 0;
    char name[LAYER_NOTE_SIZE / 4] = ""; /* one byte may become four */
    struct buf shown = {0};

    if (libvslvm_volume_group_get_number_of_logical_volumes(lvm->group, &count, &error) != 1)
        return bfio_fail(why, -EINVAL, "LVM2 metadata that is damaged", &error);
    if (number == 0 || number > (uint32_t)count)
        return why_set(why, -ENOENT, "there is no logical volume %u", number);
    if (libvslvm_volume_group_get_logical_volume(lvm->group, (int)number - 1, &lvm->volume, &error) != 1 ||
        libvslvm_logical_volume_get_size(lvm->volume, &size, &error) != 1 || size == 0)
        return bfio_fail(why, -EINVAL, "LVM2 volume that does not open", &error);
    (void)libvslvm_logical_volume_get_name(lvm->volume, name, sizeof name, NULL);
    text_escape(&shown, name, strnlen(name, sizeof name));
    layer->size = size;
    layer->sector_size = 512;
    (void)snprintf(layer->note, sizeof layer->note, "%s", buf_cstr(&shown));
    buf_finish(&shown);
    return 0;
}

static int lvm_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct lvm *lvm = calloc(1, sizeof *lvm);
    int code;

    if (!lvm)
        return -ENOMEM;
    layer->state = lvm;
    code = open_group(lvm, base, why);
    if (code == 0)
        code = open_pool(lvm, base, why);
    return code == 0 ? open_volume(lvm, layer, base->number, why) : code;
}

static int lvm_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct lvm *lvm = layer->state;
    libvslvm_error_t *error = NULL;
    ssize_t count =
        libvslvm_logical_volume_read_buffer_at_offset(lvm->volume, data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void lvm_close(struct layer *layer)
{
    struct lvm *lvm = layer->state;

    if (lvm->volume)
        (void)libvslvm_logical_volume_free(&lvm->volume, NULL);
    if (lvm->group)
        (void)libvslvm_volume_group_free(&lvm->group, NULL);
    if (lvm->handle)
        (void)libvslvm_handle_free(&lvm->handle, NULL);
    if (lvm->pool)
        (void)libbfio_pool_free(&lvm->pool, NULL);
    bfio_free(lvm->file);
    free(lvm);
}

const struct layer_kind layer_lvm = {.name = "lvm", .open = lvm_open, .read = lvm_read, .close = lvm_close};
