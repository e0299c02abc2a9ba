/*
 * layer_shadow: one snapshot of an NTFS volume (volume shadow copy) by libvshadow.
 */
#include "engine/evidence/layer/bfio.h"

#include "engine/base/when.h"

#include <errno.h>
#include <libvshadow.h>
#include <stdio.h>
#include <stdlib.h>

struct shadow {
    libbfio_handle_t *file;
    libvshadow_volume_t *volume;
    libvshadow_store_t *store;
};

static int open_volume(struct shadow *shadow, const struct layer_base *base, struct why *why)
{
    libvshadow_error_t *error = NULL;

    shadow->file = bfio_new(&base->readers[0]);
    if (!shadow->file || libvshadow_volume_initialize(&shadow->volume, &error) != 1)
        return bfio_fail(why, -ENOMEM, "no memory", &error);
    if (libvshadow_volume_open_file_io_handle(shadow->volume, shadow->file, LIBVSHADOW_OPEN_READ, &error) != 1)
        return bfio_fail(why, -EINVAL, "volume shadow copies that do not open", &error);
    return 0;
}

static int shadow_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);
    libvshadow_error_t *error = NULL;
    int count = 0, code;
    size64_t size = 0;
    uint64_t created = 0;

    if (!shadow)
        return -ENOMEM;
    layer->state = shadow;
    code = open_volume(shadow, base, why);
    if (code < 0)
        return code;
    if (libvshadow_volume_get_number_of_stores(shadow->volume, &count, &error) != 1)
        return bfio_fail(why, -EINVAL, "volume shadow copies that are damaged", &error);
    if (base->number == 0 || base->number > (uint32_t)count)
        return why_set(why, -ENOENT, "there is no snapshot %u", base->number);
    if (libvshadow_volume_get_store(shadow->volume, (int)base->number - 1, &shadow->store, &error) != 1 ||
        libvshadow_store_get_volume_size(shadow->store, &size, &error) != 1 || size == 0)
        return bfio_fail(why, -EINVAL, "a volume shadow copy that does not open", &error);
    (void)libvshadow_store_get_creation_time(shadow->store, &created, NULL);
    layer->size = size < base->readers[0].size ? size : base->readers[0].size;
    layer->sector_size = 512;
    (void)snprintf(layer->note, sizeof layer->note, "volume shadow copy, FILETIME %llu", (unsigned long long)created);
    return 0;
}

static int shadow_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct shadow *shadow = layer->state;
    libvshadow_error_t *error = NULL;
    ssize_t count = libvshadow_store_read_buffer_at_offset(shadow->store, data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void shadow_close(struct layer *layer)
{
    struct shadow *shadow = layer->state;

    if (shadow->store)
        (void)libvshadow_store_free(&shadow->store, NULL);
    if (shadow->volume)
        (void)libvshadow_volume_free(&shadow->volume, NULL);
    bfio_free(shadow->file);
    free(shadow);
}

const struct layer_kind layer_shadow = {
    .name = "shadow", .open = shadow_open, .read = shadow_read, .close = shadow_close};
