/*
 * layer_vhd: the disk in a VHD or VHDX file by libvhdi. A differencing disk is made of its own file and,
 * behind it, its parent's, and so on.
 */
#include "engine/evidence/layer/bfio.h"

#include <errno.h>
#define LIBVHDI_HAVE_BFIO 1 /* Debian's library has these functions, and its header hides them */
#include <libvhdi.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>

struct vhd {
    libbfio_handle_t *files[LAYER_BASES_MAX];
    libvhdi_file_t *disks[LAYER_BASES_MAX];
    size_t count;
};

static int open_one(struct vhd *vhd, const struct reader *reader, struct why *why)
{
    libvhdi_error_t *error = NULL;
    size_t i = vhd->count++;

    vhd->files[i] = bfio_new(reader);
    if (!vhd->files[i] || libvhdi_file_initialize(&vhd->disks[i], &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    if (libvhdi_file_open_file_io_handle(vhd->disks[i], vhd->files[i], LIBVHDI_OPEN_READ, &error) != 1)
        return bfio_fail(why, -EINVAL, "VHD that does not open", &error);
    return 0;
}

static bool is_differencing(const struct vhd *vhd, size_t i)
{
    uint32_t type = 0;

    return libvhdi_file_get_disk_type(vhd->disks[i], &type, NULL) == 1 &&
           type == LIBVHDI_DISK_TYPE_DIFFERENTIAL;
}

static int add_parent(struct vhd *vhd, size_t child, const struct layer_base *base, struct why *why)
{
    libvhdi_error_t *error = NULL;
    uint8_t wanted[16], there[16];
    int code;

    if (child + 1 >= base->count)
        return why_set(why, -ENOTSUP, "VHD that holds only what differs from a parent, which is not at hand");
    code = open_one(vhd, &base->readers[child + 1], why);
    if (code < 0)
        return code;
    if (libvhdi_file_get_parent_identifier(vhd->disks[child], wanted, sizeof wanted, &error) != 1 ||
        libvhdi_file_get_identifier(vhd->disks[child + 1], there, sizeof there, &error) != 1 ||
        memcmp(wanted, there, sizeof there) != 0)
        return bfio_fail(why, -EINVAL, "the parent at hand is another one than the VHD wants", &error);
    return libvhdi_file_set_parent_file(vhd->disks[child], vhd->disks[child + 1], &error) == 1
               ? 0
               : bfio_fail(why, -EINVAL, "the VHD's parent is not accepted", &error);
}

static int vhd_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct vhd *vhd = calloc(1, sizeof *vhd);
    libvhdi_error_t *error = NULL;
    int type = 0;
    uint32_t sector = 0;
    size64_t size = 0;
    int code;

    if (!vhd)
        return -ENOMEM;
    layer->state = vhd;
    code = open_one(vhd, &base->readers[0], why);
    for (size_t i = 0; code == 0 && is_differencing(vhd, i); i++)
        code = add_parent(vhd, i, base, why);
    if (code < 0)
        return code;
    if (libvhdi_file_get_media_size(vhd->disks[0], &size, &error) != 1 || size == 0)
        return bfio_fail(why, -EINVAL, "VHD of no size", &error);
    (void)libvhdi_file_get_file_type(vhd->disks[0], &type, NULL);
    (void)libvhdi_file_get_bytes_per_sector(vhd->disks[0], &sector, NULL);
    layer->size = size;
    layer->sector_size = sector == 4096 ? 4096 : 512;
    (void)snprintf(layer->note, sizeof layer->note, "%s%s", type == LIBVHDI_FILE_TYPE_VHDX ? "VHDX" : "VHD",
                   vhd->count > 1 ? ", differencing, with its parents" : "");
    return 0;
}

static int vhd_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct vhd *vhd = layer->state;
    libvhdi_error_t *error = NULL;
    ssize_t count = libvhdi_file_read_buffer_at_offset(vhd->disks[0], data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void drop(struct vhd *vhd)
{
    for (size_t i = 0; i < vhd->count; i++) {
        if (vhd->disks[i])
            (void)libvhdi_file_free(&vhd->disks[i], NULL);
        bfio_free(vhd->files[i]);
    }
}

static void vhd_close(struct layer *layer)
{
    drop(layer->state);
    free(layer->state);
}

static bool vhd_parent(const struct reader *reader, char ret_name[LAYER_PARENT_SIZE])
{
    struct vhd vhd = {0};
    struct why ignored;
    size_t size = 0;
    bool found = open_one(&vhd, reader, &ignored) == 0 && is_differencing(&vhd, 0) &&
                 libvhdi_file_get_utf8_parent_filename_size(vhd.disks[0], &size, NULL) == 1 && size > 1 &&
                 size <= LAYER_PARENT_SIZE &&
                 libvhdi_file_get_utf8_parent_filename(vhd.disks[0], (uint8_t *)ret_name, size, NULL) == 1;

    drop(&vhd);
    return found;
}

const struct layer_kind layer_vhd = {
    .name = "vhd", .open = vhd_open, .read = vhd_read, .close = vhd_close, .parent = vhd_parent};
