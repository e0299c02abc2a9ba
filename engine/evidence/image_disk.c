/*
 * image_disk: a virtual disk's file as evidence by itself: VHDX, QCOW, and VHD that holds only what differs
 * from a parent. The parents lie beside it, under the names that the disks give, and are opened with it.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/text.h"
#include "engine/evidence/layer/layer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk_file {
    int fd;
};

struct disk {
    struct layer layer;
    struct layer_base base;
    struct disk_file files[LAYER_BASES_MAX];
};

static int file_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct disk_file *file = context;

    return image_pread(file->fd, offset, data, size) ? 0 : -EIO;
}

static int add_file(struct image *image, struct disk *disk, const char *path, struct why *why)
{
    size_t i = disk->base.count;
    struct stat status;
    int code;

    if (i == LAYER_BASES_MAX)
        return why_set(why, -ELOOP, "%s: a chain of more than %d disks", image->name, LAYER_BASES_MAX);
    disk->files[i].fd = image_open_file(path, why);
    if (disk->files[i].fd < 0)
        return disk->files[i].fd;
    code = image_add_fd(image, disk->files[i].fd);
    if (code < 0 || fstat(disk->files[i].fd, &status) < 0)
        return code < 0 ? code : -errno;
    disk->base.readers[i] = (struct reader){file_read, &disk->files[i], (uint64_t)status.st_size};
    disk->base.count++;
    return 0;
}

/* The last component of a name that Windows or another system wrote, in the folder of `path`. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/'), *last = name;
    char *text = NULL;

    for (const char *at = name; *at; at++) {
        if (*at == '/' || *at == '\\')
            last = at + 1;
    }
    if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 ||
        asprintf(&text, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, last) < 0)
        return NULL;
    return text;
}

/* Adds parents until one has none. */
static int add_parents(struct image *image, struct disk *disk, const char *path, struct why *why)
{
    const struct layer_kind *kind = disk->layer.kind;
    char name[LAYER_PARENT_SIZE];
    int code = 0;

    while (code == 0 && kind->parent && kind->parent(&disk->base.readers[disk->base.count - 1], name)) {
        char shown[SHOWN_SIZE];
        struct why cause = {{0}};
        char *parent = beside(path, name);

        code = parent ? add_file(image, disk, parent, &cause) : -ENOENT;
        if (code == -ENOENT)
            code = why_set(why, code, "%s: holds only what differs from %s, which is not in the same folder",
                           image->name, image_shown(name, 70, shown));
        else if (code < 0)
            (void)why_set(why, code, "%s", cause.text);
        free(parent);
    }
    return code;
}

static int disk_open(struct image *image, const char *path, struct why *why)
{
    struct disk *disk = calloc(1, sizeof *disk);
    struct why cause = {{0}};
    int code;

    if (!disk)
        return -ENOMEM;
    image->state = disk;
    disk->layer.kind = image->info.type == IMAGE_QCOW ? &layer_qcow : &layer_vhd;
    code = add_file(image, disk, path, why);
    if (code == 0)
        code = add_parents(image, disk, path, why);
    if (code < 0)
        return code;
    code = disk->layer.kind->open(&disk->layer, &disk->base, &cause);
    if (code < 0)
        return why_set(why, code, "%s: %s", image->name, cause.text[0] ? cause.text : strerror(-code));
    image->info.size = disk->layer.size;
    image->info.sector_size = disk->layer.sector_size;
    image->info.segments = (uint32_t)disk->base.count;
    image_add_detail(image, "%s", disk->layer.note);
    return 0;
}

static int read_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    struct disk *disk = image->state;

    return disk->layer.kind->read(&disk->layer, offset, data, size);
}

static int disk_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    return image_read_pieces(image, read_piece, image->info.sector_size, offset, data, size);
}

static void disk_close(struct image *image)
{
    struct disk *disk = image->state;

    if (!disk)
        return;
    if (disk->layer.state)
        disk->layer.kind->close(&disk->layer);
    for (size_t i = 0; i < image->fd_count; i++)
        (void)close(image->fds[i]);
    free(disk);
}

const struct image_driver image_driver_disk = {.open = disk_open, .read = disk_read, .close = disk_close};
