/*
 * layer_vmdk: the disk in a sparse VMDK file that holds its descriptor and its one extent itself
 * (monolithicSparse, streamOptimized), by libvmdk.
 */
#include "engine/evidence/layer/bfio.h"

#include <errno.h>
#include <libvmdk.h>
#include <stdio.h>
#include <stdlib.h>

struct vmdk {
    libbfio_handle_t *file, *extent;
    libbfio_pool_t *pool;
    libvmdk_handle_t *disk;
};

/* The extent is the file itself. */
static int open_extent(struct vmdk *vmdk, const struct layer_base *base, struct why *why)
{
    libvmdk_error_t *error = NULL;
    int extents = 0;

    if (libvmdk_handle_get_number_of_extents(vmdk->disk, &extents, &error) != 1 || extents != 1)
        return bfio_fail(why, -ENOTSUP, "VMDK whose extents lie in other files", &error);
    vmdk->extent = bfio_new(&base->readers[0]);
    if (!vmdk->extent ||
        libbfio_pool_initialize(&vmdk->pool, 1, LIBBFIO_POOL_UNLIMITED_NUMBER_OF_OPEN_HANDLES, &error) != 1 ||
        libbfio_pool_set_handle(vmdk->pool, 0, vmdk->extent, LIBBFIO_OPEN_READ, &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    vmdk->extent = NULL; /* the pool's now */
    if (libvmdk_handle_open_extent_data_files_file_io_pool(vmdk->disk, vmdk->pool, &error) != 1)
        return bfio_fail(why, -EINVAL, "VMDK whose extent does not open", &error);
    return 0;
}

static int vmdk_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct vmdk *vmdk = calloc(1, sizeof *vmdk);
    libvmdk_error_t *error = NULL;
    uint32_t parent = UINT32_MAX;
    size64_t size = 0;
    int code;

    if (!vmdk)
        return -ENOMEM;
    layer->state = vmdk;
    vmdk->file = bfio_new(&base->readers[0]);
    if (!vmdk->file || libvmdk_handle_initialize(&vmdk->disk, &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    if (libvmdk_handle_open_file_io_handle(vmdk->disk, vmdk->file, LIBVMDK_OPEN_READ, &error) != 1)
        return bfio_fail(why, -EINVAL, "VMDK that does not open", &error);
    if (libvmdk_handle_get_parent_content_identifier(vmdk->disk, &parent, NULL) == 1 && parent != UINT32_MAX)
        return why_set(why, -ENOTSUP, "VMDK that holds only what differs from a parent");
    code = open_extent(vmdk, base, why);
    if (code < 0)
        return code;
    if (libvmdk_handle_get_media_size(vmdk->disk, &size, &error) != 1 || size == 0)
        return bfio_fail(why, -EINVAL, "VMDK of no size", &error);
    layer->size = size;
    layer->sector_size = 512;
    (void)snprintf(layer->note, sizeof layer->note, "VMDK");
    return 0;
}

static int vmdk_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct vmdk *vmdk = layer->state;
    libvmdk_error_t *error = NULL;
    ssize_t count = libvmdk_handle_read_buffer_at_offset(vmdk->disk, data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void vmdk_close(struct layer *layer)
{
    struct vmdk *vmdk = layer->state;

    if (vmdk->disk)
        (void)libvmdk_handle_free(&vmdk->disk, NULL);
    if (vmdk->pool)
        (void)libbfio_pool_free(&vmdk->pool, NULL);
    bfio_free(vmdk->extent);
    bfio_free(vmdk->file);
    free(vmdk);
}

const struct layer_kind layer_vmdk = {
    .name = "vmdk", .open = vmdk_open, .read = vmdk_read, .close = vmdk_close};
