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
    struct found_entry entry = found_entry_blank();

    entry.path = name;
    entry.name = name;
    entry.name_size = strlen(name);
    entry.type = ENTRY_VIRTUAL;
    entry.size = info->size;
    entry.allocated_size = info->size;
    entry.locator = "image";
    entry.kind = STREAM_IMAGE;
    entry.disk = 0;
    entry.runs = &run;
    entry.run_count = 1;
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
