/*
 * image_vmdk: a hosted sparse extent that holds its own descriptor ("monolithicSparse"), read with pread.
 *
 * Format: VMware, "Virtual Disk Format 5.0", 4.1 (sparse header), 4.2 (grain directory and tables);
 * little-endian, in sectors of 512 bytes. libvmdk opens the data by the name in the descriptor and so cannot
 * open such an image after it was renamed, which evidence often is; this reader does not look at names.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512, FLAG_ZEROED_GRAINS = 1 << 2, FLAG_COMPRESSED = 1 << 16, TABLES_MAX = 1 << 24 };

struct vmdk {
    int fd;
    uint32_t flags, table_entries, tables;
    uint64_t file_size, size; /* bytes */
    uint64_t grain;           /* bytes */
    uint32_t *directory;      /* sector of each grain table, 0 for none */
};

static bool take_header(struct vmdk *vmdk, uint64_t *ret_directory)
{
    uint8_t raw[SECTOR];
    struct bytes bytes;
    if (!image_pread(vmdk->fd, 0, raw, sizeof(raw)) || memcmp(raw, "KDMV", 4) != 0)
        return false;
    bytes_init(&bytes, raw, sizeof(raw));
    bytes_skip(&bytes, 8);
    vmdk->flags = bytes_u32le(&bytes);
    vmdk->size = u64_mul_saturating(bytes_u64le(&bytes), SECTOR);
    vmdk->grain = u64_mul_saturating(bytes_u64le(&bytes), SECTOR);
    bytes_skip(&bytes, 16); /* the descriptor's place */
    vmdk->table_entries = bytes_u32le(&bytes);
    bytes_skip(&bytes, 8); /* the second directory */
    *ret_directory = u64_mul_saturating(bytes_u64le(&bytes), SECTOR);
    return true;
}

static int take_directory(struct vmdk *vmdk, uint64_t offset)
{
    uint64_t covered = vmdk->table_entries * vmdk->grain; /* both bounded by the caller */
    uint64_t tables = vmdk->size / covered + (vmdk->size % covered != 0);
    if (tables > TABLES_MAX || !u64_range_fits(offset, tables * 4, vmdk->file_size))
        return -EINVAL;
    vmdk->tables = (uint32_t)tables;
    vmdk->directory = calloc((size_t)tables, sizeof(*vmdk->directory));
    if (vmdk->directory == NULL)
        return -ENOMEM;
    if (!image_pread(vmdk->fd, offset, vmdk->directory, (size_t)tables * 4))
        return -EINVAL;
    for (uint32_t i = 0; i < vmdk->tables; i++) {
        struct bytes bytes;
        bytes_init(&bytes, &vmdk->directory[i], 4);
        uint32_t sector = bytes_u32le(&bytes);
        vmdk->directory[i] = sector;
    }
    return 0;
}

static int open_sparse(struct vmdk *vmdk)
{
    uint64_t directory;
    if (!take_header(vmdk, &directory))
        return -EINVAL;
    if ((vmdk->flags & FLAG_COMPRESSED) != 0)
        return -ENOTSUP;
    bool sane = vmdk->size > 0 && vmdk->size <= INT64_MAX && vmdk->grain >= SECTOR &&
                vmdk->grain <= 1 << 27 && vmdk->table_entries > 0 && vmdk->table_entries <= 1 << 16;
    return sane ? take_directory(vmdk, directory) : -EINVAL;
}

int sparse_vmdk_open(struct image *image, int fd, uint64_t file_size, struct vmdk **ret_vmdk, struct why *why)
{
    struct vmdk *vmdk = calloc(1, sizeof(*vmdk));
    if (vmdk == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    vmdk->fd = fd;
    vmdk->file_size = file_size;
    int status = open_sparse(vmdk);
    if (status == 0)
        status = image_add_fd(image, fd);
    if (status < 0) {
        sparse_vmdk_close(vmdk);
        if (status == -EINVAL)
            return why_set(why, status, "%s: its sparse header or grain directory is damaged", image->name);
        if (status == -ENOTSUP)
            return why_set(why, status,
                           "%s: was renamed: give it, or a link to it, the name in its descriptor",
                           image->name);
        return status;
    }
    *ret_vmdk = vmdk;
    return 0;
}

void sparse_vmdk_close(struct vmdk *vmdk)
{
    if (vmdk == NULL)
        return;
    (void)close(vmdk->fd);
    free(vmdk->directory);
    free(vmdk);
}

uint64_t sparse_vmdk_size(const struct vmdk *vmdk)
{
    return vmdk->size;
}

/* Where the grain lies in the file: 0 for one that is all zeros. */
static int find_grain(const struct vmdk *vmdk, uint64_t grain, uint64_t *ret_offset)
{
    uint64_t table =
        grain / vmdk->table_entries; /* below vmdk->tables: the size decided how many there are */
    uint8_t raw[4];
    struct bytes bytes;
    *ret_offset = 0;
    if (vmdk->directory[table] == 0)
        return 0;
    uint64_t at = (uint64_t)vmdk->directory[table] * SECTOR + grain % vmdk->table_entries * 4;
    if (!u64_range_fits(at, 4, vmdk->file_size) || !image_pread(vmdk->fd, at, raw, sizeof(raw)))
        return -EIO;
    bytes_init(&bytes, raw, sizeof(raw));
    uint32_t sector = bytes_u32le(&bytes);
    if (sector != 0 && !(sector == 1 && (vmdk->flags & FLAG_ZEROED_GRAINS) != 0))
        *ret_offset = (uint64_t)sector * SECTOR;
    return 0;
}

int sparse_vmdk_read(const struct vmdk *vmdk, uint64_t offset, uint8_t *data, size_t size)
{
    while (size > 0) {
        uint64_t within = offset % vmdk->grain, place;
        size_t piece = vmdk->grain - within < size ? (size_t)(vmdk->grain - within) : size;
        if (find_grain(vmdk, offset / vmdk->grain, &place) < 0)
            return -EIO;
        if (place == 0)
            memset(data, 0, piece);
        else if (!u64_range_fits(place + within, piece, vmdk->file_size) ||
                 !image_pread(vmdk->fd, place + within, data, piece))
            return -EIO;
        offset += piece;
        data += piece;
        size -= piece;
    }
    return 0;
}
