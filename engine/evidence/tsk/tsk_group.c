/*
 * tsk_group: the logical volumes of LVM2, told with the first physical volume of their group that is on the
 * medium.
 */
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/tsk/tsk_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LOGICAL_VOLUMES_MAX = 256 };

/* One logical volume as a volume "<key>.lv<n>" inside of the physical one. -ENOENT: there is none of this
 * number, or of any. */
static int report_logical(const struct tsk_report *physical, uint32_t number, const char *bases)
{
    struct tsk_report report;
    struct why why = {{0}};
    char key[sizeof physical->slot->key + 16], step[16];
    int code;

    tsk_report_begin(&report, physical->task, physical->slot);
    (void)snprintf(key, sizeof key, "%s.lv%u", physical->slot->key, number);
    (void)snprintf(step, sizeof step, "lvm.%u", number);
    report.volume.key = key;
    report.volume.parent = physical->slot->key;
    report.volume.table = "lvm2";
    report.volume.type = "LVM2 logical volume";
    code = tsk_report_inside(&report, step, bases, &why);
    if (code == 0) {
        code = tsk_report_volume(&report, false);
    } else if (code != -ENOENT && (code != -ENOMEM || why.text[0])) {
        bool all =
            code == -ENODATA || code == -EREMOTE || code == -ELOOP; /* the next one would say the same */

        report.volume.key = physical->slot->key;
        code = tsk_report_fault(&report,
                                code == -EINVAL || code == -ENODATA ? FAULT_DAMAGED
                                : code == -ELOOP                    ? FAULT_LIMIT
                                                                    : FAULT_UNSUPPORTED,
                                physical->slot->offset, physical->slot->present,
                                all ? "logical volumes not read" : "logical volume not read",
                                why.text[0] ? why.text : strerror(-code));
        code = code == 0 && all ? -ENOENT : code;
    }
    tsk_report_end(&report);
    return code;
}

static int part_read(void *context, uint64_t offset, void *data, size_t size)
{
    tsk_part_read(context, offset, data, size);
    return 0;
}

static bool group_of(const struct tsk_report *report, const struct tsk_slot *slot,
                     char ret_group[LAYER_GROUP_SIZE])
{
    struct tsk_part part = {&report->task->keep->medium, slot->offset, slot->present};

    return slot->use == VOLUME_ALLOCATED &&
           layer_lvm_group(&(struct reader){part_read, &part, slot->present}, ret_group);
}

/* The physical volumes of this one's group on this medium, this one first. False: another comes before it,
 * with which the group is told. */
static bool gather_group(const struct tsk_report *report, struct buf *bases)
{
    const struct tsk_keep *keep = report->task->keep;
    char own[LAYER_GROUP_SIZE], other[LAYER_GROUP_SIZE];
    size_t count = 1;

    tsk_report_base(bases, report->slot);
    if (!group_of(report, report->slot, own))
        return true;
    for (size_t i = 0; i < keep->slot_count && count < LAYER_BASES_MAX; i++) {
        const struct tsk_slot *slot = &keep->slots[i];

        if (slot == report->slot || slot->offset == report->slot->offset || !group_of(report, slot, other) ||
            strcmp(own, other) != 0)
            continue;
        if (slot < report->slot)
            return false;
        tsk_report_base(bases, slot);
        count++;
    }
    return true;
}

/* A physical volume of LVM2: its logical volumes. It stays a raw stream too: what no logical volume has is in
 * it. */
int tsk_group_report(struct tsk_report *report)
{
    const struct tsk_slot *slot = report->slot;
    struct buf bases = {0};
    uint32_t number = 0;
    int code = tsk_report_volume(report, true);

    if (code == 0 && gather_group(report, &bases)) {
        while (code == 0 && number < LOGICAL_VOLUMES_MAX)
            code = buf_failed(&bases) ? -ENOMEM : report_logical(report, ++number, buf_cstr(&bases));
        if (code == 0)
            code =
                tsk_report_fault(report, FAULT_LIMIT, slot->offset, slot->present, "logical volumes not read",
                                 "there may be more logical volumes than are looked for");
        code = code == -ENOENT ? 0 : code;
    }
    buf_finish(&bases);
    return code;
}
