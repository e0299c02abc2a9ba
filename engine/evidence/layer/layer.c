/*
 * layer: the kinds, and how a file is told to be one.
 */
#include "engine/evidence/layer/layer.h"

#include "engine/base/bytes.h"
#include "engine/evidence/layer/bfio.h"
#include "engine/evidence/layer/crypt.h"
#include "engine/evidence/layer/layer_filevault.h"
#include "engine/evidence/layer/layer_luks.h"

#include <errno.h>
#include <string.h>

static const struct layer_kind *const kinds[] = {
    &layer_luks, &layer_bitlocker, &layer_filevault, &layer_qcow,
    &layer_vhd,  &layer_vmdk,      &layer_lvm,       &layer_shadow,
};

int reader_read(const struct reader *reader, uint64_t offset, void *data, size_t size)
{
    if (!u64_range_fits(offset, size, reader->size))
        return -EIO;
    return size == 0 ? 0 : reader->read(reader->context, offset, data, size);
}

int layer_read_any(layer_read_units *read, const void *state, uint32_t unit, uint64_t offset, void *data,
                   size_t size)
{
    uint8_t *out = data, whole[CRYPT_SECTOR_MAX];
    int code = 0;

    while (code == 0 && size > 0) {
        size_t skip = (size_t)(offset % unit), count = size - size % unit;

        if (skip == 0 && count > 0) {
            code = read(state, offset, out, count);
        } else {
            count = unit - skip < size ? unit - skip : size;
            code = read(state, offset - skip, whole, unit);
            if (code == 0)
                memcpy(out, whole + skip, count);
        }
        offset += count;
        out += count;
        size -= count;
    }
    return code;
}

const struct layer_kind *layer_kind_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i]->name) == size && memcmp(kinds[i]->name, name, size) == 0)
            return kinds[i];
    }
    return NULL;
}

#define MAGIC(text) text, sizeof(text) - 1

/* The signatures are those of signature.c and image_detect.c. */
static const struct {
    const char *magic;
    size_t size, offset; /* from the start, or from the start of the last 512 bytes */
    bool at_end;
    const struct layer_kind *kind;
} files[] = {
    {MAGIC("QFI\xfb"), 0, false, &layer_qcow},
    {MAGIC("vhdxfile"), 0, false, &layer_vhd},
    {MAGIC("conectix"), 0, false, &layer_vhd},
    {MAGIC("conectix"), 0, true, &layer_vhd},
    {MAGIC("KDMV"), 0, false, &layer_vmdk},
    {MAGIC("LUKS\xba\xbe\0\1"), 0, false, &layer_luks},
    {MAGIC("LUKS\xba\xbe\0\2"), 0, false, &layer_luks},
    {MAGIC("-FVE-FS-"), 3, false, &layer_bitlocker},
};

const struct layer_kind *layer_kind_detect(const uint8_t *first, size_t first_size, const uint8_t *last,
                                           size_t last_size)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const uint8_t *edge = files[i].at_end ? last : first;
        size_t size = files[i].at_end ? last_size : first_size;

        if (u64_range_fits(files[i].offset, files[i].size, size) &&
            memcmp(edge + files[i].offset, files[i].magic, files[i].size) == 0)
            return files[i].kind;
    }
    return corestorage_is(first, first_size) ? &layer_filevault : NULL;
}

void layer_warm(void)
{
    crypt_warm();
    luks2_warm();
    bfio_warm();
    layer_shadow_warm();
    layer_filevault_warm();
}
