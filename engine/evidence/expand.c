/*
 * expand: does an expand task by its locator (the grammar is in locator.h).
 */
#include "engine/evidence/expand.h"

#include "engine/evidence/folder.h"
#include "engine/evidence/locator.h"
#include "engine/evidence/tsk/tsk.h"

#include "engine/base/when.h"

#include <errno.h>
#include <string.h>

const char *expand_root(enum image_type type)
{
    switch (type) {
    case IMAGE_FILE:
        return "file";
    case IMAGE_FOLDER:
        return "folder";
    default:
        return "volumes";
    }
}

/* The medium as a whole: hashed, so that it can be compared with what the one who acquired it wrote down. */
static int report_image(struct image *image, const struct found_sink *sink)
{
    const struct image_info *info = image_info(image);
    const struct found_run run = {0, info->size};
    const char *name = image_name(image);
    const struct found_entry entry = {
        .volume = "",
        .path = name,
        .name = name,
        .name_size = strlen(name),
        .type = ENTRY_VIRTUAL,
        .size = info->size,
        .allocated_size = info->size,
        .modified = WHEN_NONE,
        .accessed = WHEN_NONE,
        .changed = WHEN_NONE,
        .born = WHEN_NONE,
        .deleted = WHEN_NONE,
        .name_modified = WHEN_NONE,
        .name_accessed = WHEN_NONE,
        .name_changed = WHEN_NONE,
        .name_born = WHEN_NONE,
        .raw_times = "",
        .target = "",
        .attribute = "",
        .locator = "image",
        .kind = STREAM_IMAGE,
        .disk = 0,
        .runs = &run,
        .run_count = 1,
    };

    return sink->entry(sink->context, &entry);
}

static int expand_volumes(struct image *image, const struct found_sink *sink, const struct expand_skip *skip)
{
    int code = report_image(image, sink);

    return code == 0 ? tsk_volume_expand(image, sink, skip) : code;
}

int expand(struct image *image, const char *text, const struct found_sink *sink, const uint64_t *skip,
           size_t skip_count, enum fault_kind skip_kind)
{
    const struct expand_skip skips = {skip, skip_count, skip_kind};
    enum image_type type = image_info(image)->type;
    struct locator locator;

    if (locator_parse(text, &locator) < 0)
        return -EINVAL;
    switch (locator.kind) {
    case LOCATOR_FOLDER:
        return type == IMAGE_FOLDER ? folder_expand(image, sink) : -EINVAL;
    case LOCATOR_FILE:
        return type == IMAGE_FILE ? folder_expand_file(image, sink) : -EINVAL;
    case LOCATOR_VOLUMES:
        return type != IMAGE_FOLDER ? expand_volumes(image, sink, &skips) : -EINVAL;
    case LOCATOR_FS:
    case LOCATOR_APFS:
        return type != IMAGE_FOLDER ? tsk_filesystem_expand(image, &locator, sink, &skips) : -EINVAL;
    default:
        return -EINVAL;
    }
}

void expand_warm(void)
{
    tsk_warm();
}

const char *expand_version_tsk(void)
{
    return tsk_version();
}
