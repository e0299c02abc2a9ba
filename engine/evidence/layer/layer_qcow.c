/*
 * layer_qcow: the disk in a QCOW file (versions 1 to 3) by libqcow.
 */
#include "engine/evidence/layer/bfio.h"

#include "engine/base/bytes.h"

#include <errno.h>
#define LIBQCOW_HAVE_BFIO 1 /* Debian's library has these functions, and its header hides them */
#include <libqcow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qcow {
    libbfio_handle_t *files[LAYER_BASES_MAX];
    libqcow_file_t *disks[LAYER_BASES_MAX];
    size_t count;
};

static int open_one(struct qcow *qcow, const struct reader *reader, struct why *why)
{
    libqcow_error_t *error = NULL;
    size_t i = qcow->count++;

    qcow->files[i] = bfio_new(reader);
    if (!qcow->files[i] || libqcow_file_initialize(&qcow->disks[i], &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    if (libqcow_file_open_file_io_handle(qcow->disks[i], qcow->files[i], LIBQCOW_OPEN_READ, &error) != 1)
        return bfio_fail(why, -EINVAL, "QCOW that does not open", &error);
    if (i > 0 && libqcow_file_set_parent_file(qcow->disks[i - 1], qcow->disks[i], &error) != 1)
        return bfio_fail(why, -ENOTSUP, "QCOW whose backing file is not accepted", &error);
    return 0;
}

/* Where the name of the backing file stands is in bytes 8 to 20 of the header [qemu, docs/interop/qcow2.txt].
 */
static bool qcow_parent(const struct reader *reader, char ret_name[LAYER_PARENT_SIZE])
{
    uint8_t header[24];
    struct bytes bytes;
    uint64_t offset;
    uint32_t size;

    if (reader_read(reader, 0, header, sizeof header) < 0)
        return false;
    bytes_init(&bytes, header, sizeof header);
    bytes_skip(&bytes, 8);
    offset = bytes_u64be(&bytes);
    size = bytes_u32be(&bytes);
    if (offset == 0 || size == 0 || size >= LAYER_PARENT_SIZE ||
        reader_read(reader, offset, ret_name, size) < 0)
        return false;
    ret_name[size] = '\0';
    return strlen(ret_name) == size;
}

static int qcow_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct qcow *qcow = calloc(1, sizeof *qcow);
    libqcow_error_t *error = NULL;
    uint32_t version = 0, method = 0;
    size64_t size = 0;
    char name[LAYER_PARENT_SIZE];
    int code = 0;

    if (!qcow)
        return -ENOMEM;
    layer->state = qcow;
    for (size_t i = 0; code == 0 && i < base->count; i++)
        code = open_one(qcow, &base->readers[i], why);
    if (code < 0)
        return code;
    if (qcow_parent(&base->readers[base->count - 1], name))
        return why_set(why, -ENOTSUP,
                       "QCOW that holds only what differs from a backing file, which is not at hand");
    if (libqcow_file_get_media_size(qcow->disks[0], &size, &error) != 1 || size == 0)
        return bfio_fail(why, -EINVAL, "QCOW of no size", &error);
    (void)libqcow_file_get_format_version(qcow->disks[0], &version, NULL);
    if (libqcow_file_get_encryption_method(qcow->disks[0], &method, NULL) == 1 && method != 0)
        return why_set(why, -ENOTSUP, "encrypted QCOW, version %u", version);
    layer->size = size;
    layer->sector_size = 512;
    (void)snprintf(layer->note, sizeof layer->note, "QCOW version %u%s", version,
                   base->count > 1 ? ", with its backing files" : "");
    return 0;
}

static int qcow_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct qcow *qcow = layer->state;
    libqcow_error_t *error = NULL;
    ssize_t count = libqcow_file_read_buffer_at_offset(qcow->disks[0], data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void qcow_close(struct layer *layer)
{
    struct qcow *qcow = layer->state;

    for (size_t i = 0; i < qcow->count; i++) {
        if (qcow->disks[i])
            (void)libqcow_file_free(&qcow->disks[i], NULL);
        bfio_free(qcow->files[i]);
    }
    free(qcow);
}

const struct layer_kind layer_qcow = {
    .name = "qcow", .open = qcow_open, .read = qcow_read, .close = qcow_close, .parent = qcow_parent};
