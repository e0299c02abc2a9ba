/*
 * expand: does an expand task by its locator (the grammar is in locator.h).
 */
#include "engine/evidence/expand.h"

#include "engine/evidence/folder.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/locator.h"
#include "engine/evidence/snapshot.h"
#include "engine/evidence/tsk/tsk.h"

#include "engine/base/buf.h"
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

static int expand_plain(struct image *image, const char *text, const struct found_sink *sink,
                        const struct expand_skip *skips)
{
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
        return type != IMAGE_FOLDER ? expand_volumes(image, sink, skips) : -EINVAL;
    case LOCATOR_FS:
    case LOCATOR_APFS:
        return type != IMAGE_FOLDER ? tsk_filesystem_expand(image, &locator, sink, skips) : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* ------------------------------------------------------------------ an image inside of others */

/* What is found in it, told to the sink in the words of the exhibit. */
struct inside {
    const struct found_sink *sink;
    struct image *image;
    struct buf prefix;  /* of keys, with its '!' */
    struct buf steps;   /* of locators */
    const char *root, *around; /* around: key of the volume that it lies in */
    struct buf key, parent, expand, raw, link;
    struct buf steps_around; /* those of the image around */
};

static const char *joined(struct buf *buf, struct buf *prefix, const char *text)
{
    buf_clear(buf);
    if (text[0] != '\0') {
        buf_append(buf, prefix->data, prefix->size);
        buf_text(buf, text);
    }
    return buf_cstr(buf);
}

static bool inside_failed(const struct inside *inside)
{
    return buf_failed(&inside->key) || buf_failed(&inside->parent) || buf_failed(&inside->expand) ||
           buf_failed(&inside->raw);
}

static int inside_volume(void *context, const struct found_volume *volume)
{
    struct inside *inside = context;
    struct found_volume whole = *volume;

    whole.key = joined(&inside->key, &inside->prefix, volume->key);
    whole.parent = volume->parent[0] ? joined(&inside->parent, &inside->prefix, volume->parent) : inside->around;
    whole.expand = joined(&inside->expand, &inside->steps, volume->expand);
    whole.raw = joined(&inside->raw, &inside->steps, volume->raw);
    if (whole.expand[0] && !volume->root[0])
        whole.root = inside->root;
    return inside_failed(inside) ? -ENOMEM : inside->sink->volume(inside->sink->context, &whole);
}

static int inside_entry(void *context, const struct found_entry *entry)
{
    struct inside *inside = context;
    struct found_entry whole = *entry;

    int linked = snapshot_link(inside->image, entry, &inside->link);

    if (linked < 0)
        return linked;
    whole.volume = joined(&inside->key, &inside->prefix, entry->volume);
    whole.locator = linked ? joined(&inside->expand, &inside->steps_around, buf_cstr(&inside->link))
                           : joined(&inside->expand, &inside->steps, entry->locator);
    return inside_failed(inside) ? -ENOMEM : inside->sink->entry(inside->sink->context, &whole);
}

static int inside_fault(void *context, const struct found_fault *fault)
{
    struct inside *inside = context;
    struct found_fault whole = *fault;

    whole.volume = fault->volume[0] ? joined(&inside->key, &inside->prefix, fault->volume) : inside->around;
    return inside_failed(inside) ? -ENOMEM : inside->sink->fault(inside->sink->context, &whole);
}

static int inside_account(void *context, const struct found_account *account)
{
    struct inside *inside = context;
    struct found_account whole = *account;

    whole.volume = joined(&inside->key, &inside->prefix, account->volume);
    return inside_failed(inside) ? -ENOMEM : inside->sink->account(inside->sink->context, &whole);
}

static void inside_at(void *context, uint64_t what)
{
    const struct inside *inside = context;

    if (inside->sink->at)
        inside->sink->at(inside->sink->context, what);
}

static void inside_weigh(void *context, uint64_t names)
{
    const struct inside *inside = context;

    if (inside->sink->weigh)
        inside->sink->weigh(inside->sink->context, names);
}

/* The key of the volume around: that of the task itself when its volumes are sought, else what stands before the last
 * '!' of it. */
static void find_around(const char *rest, const char *volume, struct buf *around)
{
    const char *last = strcmp(rest, "volumes") == 0 ? NULL : strrchr(volume, '!');

    buf_append(around, volume, last ? (size_t)(last - volume) : strlen(volume));
}

static int expand_entered(struct image *inner, const char *text, const char *rest, const struct expand_place *place,
                          const struct found_sink *sink, const struct expand_skip *skips)
{
    struct inside inside = {.sink = sink, .image = inner, .root = place->root};
    const struct found_sink own = {inside_volume, inside_entry, inside_fault, inside_account,
                                   inside_at,     &inside,      inside_weigh};
    struct buf around = {0};
    int code = image_rename(inner, place->root);

    find_around(rest, place->volume, &around);
    inside.around = buf_cstr(&around);
    buf_printf(&inside.prefix, "%s!", inside.around);
    buf_append(&inside.steps, text, (size_t)(rest - text));
    buf_append(&inside.steps_around, text, image_layers_around(text, rest));
    if (buf_failed(&inside.steps_around) || buf_failed(&around) || buf_failed(&inside.prefix) || buf_failed(&inside.steps))
        code = -ENOMEM;
    if (code == 0)
        code = strcmp(rest, "volumes") == 0 ? tsk_volume_expand(inner, &own, skips)
                                            : expand_plain(inner, rest, &own, skips);
    buf_finish(&inside.prefix);
    buf_finish(&inside.steps);
    buf_finish(&inside.key);
    buf_finish(&inside.parent);
    buf_finish(&inside.expand);
    buf_finish(&inside.raw);
    buf_finish(&inside.link);
    buf_finish(&inside.steps_around);
    buf_finish(&around);
    return code;
}

/* A layer that opened when its volume was listed, and does not now. */
static int tell_unopened(const struct expand_place *place, const struct found_sink *sink, int code,
                         const struct why *why)
{
    const struct found_fault fault = {
        .kind = code == -ELOOP ? FAULT_LIMIT : code == -ENOTSUP ? FAULT_UNSUPPORTED : FAULT_DAMAGED,
        .volume = place->volume,
        .path = place->root,
        .stage = "volumes",
        .plugin = "",
        .offset = UINT64_MAX,
        .effect = "what lies inside is not read",
        .detail = why->text[0] ? why->text : strerror(-code),
    };

    return sink->fault(sink->context, &fault);
}

static int expand_inner(struct image *image, const char *text, const struct expand_place *place,
                        const struct found_sink *sink, const struct expand_skip *skips)
{
    struct image *inner;
    struct why why = {{0}};
    const char *rest;
    int code;

    if (!place)
        return -EINVAL;
    code = image_enter(image, text, &inner, &rest, &why);
    if (code == -ENOMEM || code == -ENOKEY)
        return code;
    if (code < 0)
        return tell_unopened(place, sink, code, &why);
    code = expand_entered(inner, text, rest, place, sink, skips);
    image_leave(inner);
    return code;
}

int expand(struct image *image, const char *text, const struct expand_place *place, const struct found_sink *sink,
           const uint64_t *skip, size_t skip_count, enum fault_kind skip_kind)
{
    const struct expand_skip skips = {skip, skip_count, skip_kind};

    return image_layers_size(text) > 0 ? expand_inner(image, text, place, sink, &skips)
                                       : expand_plain(image, text, sink, &skips);
}

void expand_warm(void)
{
    tsk_warm();
    layer_warm();
}

const char *expand_version_tsk(void)
{
    return tsk_version();
}
