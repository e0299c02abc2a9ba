/*
 * image_tsk: AFF, VMDK and VHD, checked and then read through libtsk (tsk/tsk_image.c); a VMDK that libtsk
 * cannot open because it was renamed is read by image_vmdk.c.
 */
#include "engine/evidence/image_private.h"

#include "engine/evidence/tsk/tsk_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct container {
    struct tsk_image *tsk; /* one of the two */
    struct vmdk *vmdk;
    struct aff_pages pages;
};

static int check(struct image *image, struct container *container, const char *path, struct why *why)
{
    struct stat info;
    bool renamed = false;
    int fd = image_open_file(path, why);
    if (fd < 0)
        return fd;
    int status = fstat(fd, &info) < 0 ? -errno : 0;
    uint64_t size = status == 0 && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    if (status == 0 && image->info.type == IMAGE_VHD)
        status = image_check_vhd(image, fd, size, why);
    else if (status == 0 && image->info.type == IMAGE_VMDK)
        status = image_check_vmdk(image, fd, size, path, &renamed, why);
    else if (status == 0)
        status = image_check_aff(image, fd, size, &container->pages, why);
    if (status == 0 && renamed)
        return sparse_vmdk_open(image, fd, size, &container->vmdk, why);
    (void)close(fd);
    return status;
}

static int open_by_tsk(struct image *image, struct container *container, const char *path, struct why *why)
{
    struct fd_snapshot before;
    struct why cause = {""};
    int status = fd_snapshot_take(&before);
    if (status < 0)
        return status;
    status = tsk_image_open(path, image->info.type, &container->tsk, &cause);
    if (status < 0)
        status = why_set(why, status, "%s: does not open as %s: %s%s%s", image->name,
                         image_type_name(image->info.type), cause.text,
                         image->info.damage[0] == '\0' ? "" : "; ", image->info.damage);
    else
        status = image_add_new_fds(image, &before);
    fd_snapshot_finish(&before);
    return status;
}

static int container_open(struct image *image, const char *path, struct why *why)
{
    struct container *container = calloc(1, sizeof(*container));
    if (container == NULL)
        return -ENOMEM;
    image->state = container;
    int status = check(image, container, path, why);
    if (status == 0 && container->vmdk != NULL) {
        image->info.size = sparse_vmdk_size(container->vmdk);
        return 0;
    }
    if (status == 0)
        status = open_by_tsk(image, container, path, why);
    if (status < 0)
        return status;
    image->info.size = tsk_image_size(container->tsk);
    image->info.segments = image->fd_count > 0 ? (uint32_t)image->fd_count : 1;
    uint32_t sector = tsk_image_sector_size(container->tsk);
    if (sector >= 512 && sector <= 65536 && (sector & (sector - 1)) == 0)
        image->info.sector_size = sector;
    return 0;
}

static void container_close(struct image *image)
{
    struct container *container = image->state;
    if (container == NULL)
        return;
    tsk_image_close(container->tsk);
    sparse_vmdk_close(container->vmdk);
    free(container->pages.present);
    free(container);
}

static int read_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    const struct container *container = image->state;
    if (container->vmdk != NULL)
        return sparse_vmdk_read(container->vmdk, offset, data, size);
    return tsk_image_read(container->tsk, offset, data, size);
}

static bool page_present(const struct aff_pages *pages, uint64_t page)
{
    return pages->present == NULL ||
           (page < pages->count && (pages->present[page / 8] >> (page % 8) & 1) != 0);
}

/* Bytes from `offset` on that lie in pages which are all there, or all not. */
static size_t same_presence(const struct aff_pages *pages, uint64_t offset, size_t size, bool *ret_present)
{
    *ret_present = true;
    if (pages->present == NULL)
        return size;
    uint64_t page = offset / pages->page_size, end = (page + 1) * pages->page_size;
    *ret_present = page_present(pages, page);
    while (end - offset < size && page_present(pages, ++page) == *ret_present)
        end += pages->page_size;
    return end - offset < size ? (size_t)(end - offset) : size;
}

/* What fails as a whole: a page of an AFF file, which is compressed as one, a sector elsewhere. */
static uint64_t failing_unit(const struct image *image)
{
    const struct container *container = image->state;
    return container->pages.page_size != 0 ? container->pages.page_size : image->info.sector_size;
}

static int container_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    const struct container *container = image->state;
    int status = 0;
    while (status == 0 && size > 0) {
        bool present;
        size_t piece = same_presence(&container->pages, offset, size, &present);
        if (present) {
            status = image_read_pieces(image, read_piece, failing_unit(image), offset, data, piece);
        } else {
            memset(data, 0, piece);
            status = image_add_bad(image, offset, piece);
        }
        offset += piece;
        data += piece;
        size -= piece;
    }
    return status;
}

const struct image_driver image_driver_tsk = {
    .open = container_open, .read = container_read, .close = container_close};
