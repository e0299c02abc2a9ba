/*
 * tsk_shadow: the volume shadow copies of an NTFS volume, each as a volume "<key>.vss<n>" inside of it, n
 * from the oldest on.
 *
 * They are told when the volume's own files have been listed. So a content that a snapshot shares with the
 * volume (snapshot.h) is known by its address in the volume, whoever walks when.
 */
#include "engine/evidence/image_layer.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SNAPSHOTS_MAX = 512 }; /* Windows keeps no more */

static int shadow_fault(struct tsk_task *task, const struct tsk_slot *slot, enum fault_kind kind,
                        const char *detail)
{
    return tsk_task_fault(task, &(struct found_fault){.kind = kind,
                                                      .volume = slot->key,
                                                      .stage = "volumes",
                                                      .offset = slot->offset,
                                                      .size = slot->present,
                                                      .effect = "snapshots not read",
                                                      .detail = detail});
}

static int emit_snapshot(struct tsk_task *task, const struct tsk_slot *slot, uint32_t number,
                         const char *expand, const struct image *snapshot)
{
    struct buf root = {0}, content = {0}, key = {0};
    int code;

    buf_printf(&key, "%s.vss%u", slot->key, number);
    buf_printf(&content, "opened: %s", image_info(snapshot)->details);
    buf_printf(&root, "%s/%s!", image_name(task->image), buf_cstr(&key));
    const struct found_volume volume = {
        .key = buf_cstr(&key),
        .parent = slot->key,
        .table = "vss",
        .type = "volume shadow copy",
        .label = "",
        .offset = slot->offset,
        .size = image_info(snapshot)->size,
        .filesystem = "",
        .content = buf_cstr(&content),
        .serial = "",
        .time_note = "",
        .expand = expand,
        .root = buf_cstr(&root),
        .raw = "",
        .use = VOLUME_ALLOCATED,
    };
    code = buf_failed(&root) || buf_failed(&content) || buf_failed(&key)
               ? -ENOMEM
               : task->sink->volume(task->sink->context, &volume);
    buf_finish(&root);
    buf_finish(&content);
    buf_finish(&key);
    return code;
}

/* 1: it was told, or why it could not be; 0: there are no more. */
static int report_snapshot(struct tsk_task *task, const struct tsk_slot *slot, uint32_t number)
{
    struct buf expand = {0};
    struct why why = {{0}};
    struct image *snapshot;
    const char *rest;
    char words[600];
    int code;

    buf_printf(&expand, "vshadow.%u{raw@%llu+%llu}>volumes", number, (unsigned long long)slot->offset,
               (unsigned long long)slot->present);
    code =
        buf_failed(&expand) ? -ENOMEM : image_enter(task->image, buf_cstr(&expand), &snapshot, &rest, &why);
    if (code == 0) {
        code = emit_snapshot(task, slot, number, buf_cstr(&expand), snapshot);
        image_leave(snapshot);
        code = code < 0 ? code : 1;
    } else if (code == -ENOENT) {
        code = 0;
    } else if (code != -ENOMEM) {
        bool all = code == -ENODATA || code == -ELOOP;

        (void)snprintf(words, sizeof words, "volume shadow copy %u: %s", number,
                       why.text[0] ? why.text : strerror(-code));
        code = shadow_fault(task, slot,
                            code == -ENOTSUP ? FAULT_UNSUPPORTED
                            : code == -ELOOP ? FAULT_LIMIT
                                             : FAULT_DAMAGED,
                            words);
        code = code < 0 ? code : !all;
    }
    buf_finish(&expand);
    return code;
}

int tsk_shadow_report(struct tsk_task *task, const struct locator *locator)
{
    const struct tsk_slot *slot = tsk_slots_at(task->keep, locator->offset);
    int code = 1;

    if (!slot || strcmp(locator->type, "ntfs") != 0 || image_is_snapshot(task->image) ||
        !image_has_snapshots(task->image, slot->offset, slot->present))
        return 0;
    if (tsk_task_at(task, TSK_AT_SHADOW))
        return shadow_fault(task, slot, task->skip->kind, "an earlier attempt did not survive them");
    for (uint32_t number = 1; code == 1 && number <= SNAPSHOTS_MAX; number++)
        code = report_snapshot(task, slot, number);
    return code < 0 ? code : 0;
}
