/*
 * layer_shadow: a volume shadow copy of an NTFS volume by libvshadow: the volume as it was when the snapshot
 * was made. What was not changed since is read from the volume itself.
 *
 * Format: libyal/libvshadow documentation, "Volume Shadow Snapshot (VSS) format". A snapshot keeps the blocks
 * that were overwritten until the next one was made; what was overwritten later stands in those after it.
 *
 * libewf, which is in the same program, exports older functions under names that libvshadow's own have
 * (libcdata and others), and the linker could let them serve both. So libvshadow is loaded into a namespace
 * of its own, with what it needs, before the sandbox closes (layer_shadow_warm).
 */
#include "engine/evidence/layer/bfio.h"

#include "engine/base/bytes.h"
#include "engine/base/buf.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <dlfcn.h>
#include <errno.h>
#define LIBVSHADOW_HAVE_BFIO 1 /* Debian's library has these functions, and its header hides them */
#include <libvshadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 * 1024, IDENTIFIER_AT = 0x1e00 };
#define BLOCKS_MAX (UINT64_C(1) << 31) /* 32 TiB, of which the map takes 256 MiB */

/* The functions of that namespace, under the names that they have there. */
#define FUNCTIONS(X)                                                                                         \
    X(libbfio_handle_initialize)                                                                             \
    X(libbfio_handle_free)                                                                                   \
    X(libvshadow_error_sprint)                                                                               \
    X(libvshadow_error_free)                                                                                 \
    X(libvshadow_volume_initialize)                                                                          \
    X(libvshadow_volume_free)                                                                                \
    X(libvshadow_volume_open_file_io_handle)                                                                 \
    X(libvshadow_volume_get_number_of_stores)                                                                \
    X(libvshadow_volume_get_store)                                                                           \
    X(libvshadow_store_free)                                                                                 \
    X(libvshadow_store_has_in_volume_data)                                                                   \
    X(libvshadow_store_read_buffer_at_offset)                                                                \
    X(libvshadow_store_get_size)                                                                             \
    X(libvshadow_store_get_identifier)                                                                       \
    X(libvshadow_store_get_creation_time)                                                                    \
    X(libvshadow_store_get_number_of_blocks)                                                                 \
    X(libvshadow_store_get_block_by_index)                                                                   \
    X(libvshadow_block_free)                                                                                 \
    X(libvshadow_block_get_original_offset)

#define MEMBER(name) __typeof__(name) *name;
static struct {
    bool loaded;
    FUNCTIONS(MEMBER)
} vss;

void layer_shadow_warm(void)
{
    void *library = vss.loaded ? NULL : dlmopen(LM_ID_NEWLM, "libvshadow.so.1", RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;
    void *symbol;

    /* POSIX's way to make a function of what dlsym gives. */
#define LOAD(name)                                                                                           \
    symbol = all ? dlsym(library, #name) : NULL;                                                             \
    all = symbol != NULL;                                                                                    \
    memcpy(&vss.name, &symbol, sizeof symbol);
    if (library) {
        FUNCTIONS(LOAD)
        vss.loaded = all;
    }
}

struct shadow {
    libbfio_handle_t *file;
    libvshadow_volume_t *volume;
    libvshadow_store_t *store;
    uint64_t blocks;
    uint8_t *own; /* a bit a block: kept by a snapshot */
};

bool layer_shadow_there(const struct reader *reader)
{
    static const uint8_t identifier[16] = {0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
                                           0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52};
    uint8_t there[16];

    return reader_read(reader, IDENTIFIER_AT, there, sizeof there) == 0 &&
           memcmp(there, identifier, sizeof there) == 0;
}

static int fail(struct why *why, int code, const char *what, libvshadow_error_t **error)
{
    char words[300] = "";
    struct buf text = {0};

    if (*error)
        (void)vss.libvshadow_error_sprint(*error, words, sizeof words);
    text_escape(&text, words, strcspn(words, "\r\n"));
    (void)why_set(why, code, "%s%s%s", what, words[0] ? ": " : "", buf_cstr(&text));
    buf_finish(&text);
    if (*error)
        vss.libvshadow_error_free(error);
    return code;
}

static int open_store(struct shadow *shadow, const struct layer_base *base, int *ret_count, struct why *why)
{
    libvshadow_error_t *error = NULL;

    shadow->file = bfio_make(&base->readers[0], vss.libbfio_handle_initialize);
    if (!shadow->file || vss.libvshadow_volume_initialize(&shadow->volume, &error) != 1)
        return fail(why, -ENOMEM, "no memory", &error);
    if (vss.libvshadow_volume_open_file_io_handle(shadow->volume, shadow->file, LIBVSHADOW_OPEN_READ,
                                                  &error) != 1 ||
        vss.libvshadow_volume_get_number_of_stores(shadow->volume, ret_count, &error) != 1)
        return fail(why, -ENODATA, "the catalog of snapshots does not open", &error);
    if (base->number == 0 || *ret_count < 0 || base->number > (uint32_t)*ret_count)
        return why_set(why, -ENOENT, "there is no snapshot %u", base->number);
    if (vss.libvshadow_volume_get_store(shadow->volume, (int)base->number - 1, &shadow->store, &error) != 1)
        return fail(why, -EINVAL, "the snapshot does not open", &error);
    if (vss.libvshadow_store_has_in_volume_data(shadow->store, &error) == 0)
        return why_set(why, -ENOTSUP, "its data lie on another volume");
    if (error)
        vss.libvshadow_error_free(&error);
    return 0;
}

/* Marks the blocks that a snapshot keeps. False: they cannot be told. */
static bool mark_store(struct shadow *shadow, libvshadow_store_t *store)
{
    int count = 0;

    if (vss.libvshadow_store_get_number_of_blocks(store, &count, NULL) != 1)
        return false;
    for (int i = 0; i < count; i++) {
        libvshadow_block_t *block = NULL;
        off64_t offset = -1;
        bool told = vss.libvshadow_store_get_block_by_index(store, i, &block, NULL) == 1 &&
                    vss.libvshadow_block_get_original_offset(block, &offset, NULL) == 1;

        if (block)
            (void)vss.libvshadow_block_free(&block, NULL);
        if (!told)
            return false;
        /* One that does not begin at a block's edge touches two. */
        for (int edge = 0; offset >= 0 && edge < 2; edge++) {
            uint64_t number = ((uint64_t)offset + (edge ? BLOCK - 1 : 0)) / BLOCK;
            if (number < shadow->blocks)
                shadow->own[number / 8] = (uint8_t)(shadow->own[number / 8] | 1U << (number % 8));
        }
    }
    return true;
}

/* A list that does not open would be tried anew at each read. */
static int mark_blocks(struct shadow *shadow, int first, int count, uint64_t size, struct why *why)
{
    bool told = true;

    shadow->blocks = size / BLOCK + 1;
    if (shadow->blocks > BLOCKS_MAX)
        return why_set(why, -ENOTSUP, "snapshots of volumes of more than 32 TiB are not read");
    shadow->own = calloc((size_t)(shadow->blocks / 8 + 1), 1);
    if (!shadow->own)
        return -ENOMEM;
    for (int i = first; i < count && told; i++) {
        libvshadow_store_t *store = NULL;

        told = vss.libvshadow_volume_get_store(shadow->volume, i, &store, NULL) == 1 &&
               mark_store(shadow, store);
        if (store)
            (void)vss.libvshadow_store_free(&store, NULL);
    }
    return told ? 0 : why_set(why, -EINVAL, "the list of blocks that it keeps does not open");
}

static void describe(struct layer *layer, const struct shadow *shadow)
{
    uint64_t made = 0;
    uint8_t id[16] = {0};
    char guid[BFIO_GUID_SIZE], time[WHEN_TEXT_SIZE] = "";

    (void)vss.libvshadow_store_get_creation_time(shadow->store, &made, NULL);
    (void)vss.libvshadow_store_get_identifier(shadow->store, id, sizeof id, NULL);
    bfio_guid(id, guid);
    when_format(when_from_filetime(made), time);
    (void)snprintf(layer->note, sizeof layer->note, "volume shadow copy of %s, %s", time, guid);
}

static int shadow_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);
    size64_t size = 0;
    int code, count = 0;

    layer_shadow_warm();
    if (!shadow)
        return -ENOMEM;
    if (!vss.loaded) {
        free(shadow);
        return why_set(why, -ENODATA, "libvshadow is not there");
    }
    layer->state = shadow;
    layer->sector_size = 512;
    code = open_store(shadow, base, &count, why);
    if (code < 0)
        return code;
    if (vss.libvshadow_store_get_size(shadow->store, &size, NULL) != 1 || size == 0)
        return why_set(why, -EINVAL, "the snapshot has no size");
    layer->size = size < base->readers[0].size ? size : base->readers[0].size;
    code = mark_blocks(shadow, (int)base->number - 1, count, layer->size, why);
    if (code == 0)
        describe(layer, shadow);
    return code;
}

static int shadow_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct shadow *shadow = layer->state;
    libvshadow_error_t *error = NULL;
    ssize_t count =
        vss.libvshadow_store_read_buffer_at_offset(shadow->store, data, size, (off64_t)offset, &error);

    if (error)
        vss.libvshadow_error_free(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static bool shadow_through(const struct layer *layer, uint64_t offset, uint64_t size)
{
    const struct shadow *shadow = layer->state;

    if (size == 0 || !u64_range_fits(offset, size, layer->size))
        return false;
    for (uint64_t number = offset / BLOCK; number <= (offset + size - 1) / BLOCK; number++) {
        if (shadow->own[number / 8] >> (number % 8) & 1)
            return false;
    }
    return true;
}

static void shadow_close(struct layer *layer)
{
    struct shadow *shadow = layer->state;

    if (shadow->store)
        (void)vss.libvshadow_store_free(&shadow->store, NULL);
    if (shadow->volume)
        (void)vss.libvshadow_volume_free(&shadow->volume, NULL);
    if (shadow->file)
        (void)vss.libbfio_handle_free(&shadow->file, NULL);
    free(shadow->own);
    free(shadow);
}

const struct layer_kind layer_shadow = {.name = "vshadow",
                                        .open = shadow_open,
                                        .read = shadow_read,
                                        .close = shadow_close,
                                        .through = shadow_through};
