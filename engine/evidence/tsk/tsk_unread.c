/*
 * tsk_unread: a folder some bytes of which the medium does not give. libtsk gets zeros for them, takes these
 * for the end of a list of names, and says nothing.
 *
 * The bytes are read once more, and not looked up among the image's bad ranges: what these are depends on
 * what else a process has read.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE = 64 * 1024 };

static int read_extent(struct image *image, const struct extent *extent, uint8_t *space)
{
    uint64_t size = image_info(image)->size, done = 0;
    int code = 0;

    if (extent->physical == EXTENT_HOLE || extent->physical >= size)
        return 0;
    size -= extent->physical;
    if (size > extent->size)
        size = extent->size;
    while (code == 0 && done < size) {
        size_t piece = size - done < PIECE ? (size_t)(size - done) : PIECE;
        code = image_read(image, extent->physical + done, space, piece);
        done += piece;
    }
    return code;
}

static int read_attribute(struct image *image, const TSK_FS_INFO *info, const TSK_FS_ATTR *attribute,
                          uint8_t *space)
{
    struct tsk_runs runs;
    struct extent extent;
    int code = 0;

    tsk_runs_init(&runs, info, attribute, attribute->size > 0 ? (uint64_t)attribute->size : 0);
    while (code == 0 && tsk_runs_next(&runs, &extent))
        code = read_extent(image, &extent, space);
    return code;
}

int tsk_unread(struct image *image, const TSK_FS_INFO *info, TSK_FS_FILE *file, struct ranges *ret_bad)
{
    int code = 0, count;
    uint8_t *space;

    if (image_bad(image)->count == 0 || !file || !file->meta || file->meta->type == TSK_FS_META_TYPE_VIRT_DIR)
        return 0; /* libtsk has read all of it: had there been a bad one, it would be known */
    space = malloc(PIECE);
    if (!space)
        return -ENOMEM;
    image_watch(image, ret_bad);
    count = tsk_fs_file_attr_getsize(file);
    for (int i = 0; i < count && code == 0; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        if (attribute && (attribute->flags & TSK_FS_ATTR_NONRES))
            code = read_attribute(image, info, attribute, space);
    }
    image_watch(image, NULL);
    tsk_error_reset();
    free(space);
    return code == -ENOMEM ? code : 0;
}
