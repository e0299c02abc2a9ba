/*
 * tsk_shadow: the volume shadow copies of an NTFS volume, each as a volume "<key>.vss<n>" inside of it, n
 * from the oldest on.
 *
 * They are told when the volume's own files have been listed. So a content that a snapshot shares with the
 * volume (snapshot.h) is known by its address in the volume, whoever walks when.
 */
#include "engine/evidence/image_layer.h"
#include "engine/evidence/tsk/tsk_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SNAPSHOTS_MAX = 512 }; /* Windows keeps no more */

static int tell(const struct tsk_report *report, enum fault_kind kind, const char *words)
{
    return tsk_report_fault(report, kind, report->slot->offset, report->slot->present, "snapshots not read",
                            words);
}

/* Why it did not open. -ENOENT: the next one would say the same. */
static int tell_closed(struct tsk_report *report, uint32_t number, int code, const struct why *why)
{
    bool all = code == -ENODATA || code == -ELOOP;
    enum fault_kind kind = code == -ENOTSUP ? FAULT_UNSUPPORTED
                           : code == -ELOOP ? FAULT_LIMIT
                                            : FAULT_DAMAGED;
    char words[600];

    (void)snprintf(words, sizeof words, "volume shadow copy %u: %s", number,
                   why->text[0] ? why->text : strerror(-code));
    report->volume.key = report->slot->key;
    code = tell(report, kind, words);
    return code == 0 && all ? -ENOENT : code;
}

/* -ENOENT: there are no more. */
static int report_snapshot(struct tsk_task *task, const struct tsk_slot *slot, uint32_t number)
{
    struct tsk_report report;
    struct why why = {{0}};
    char key[sizeof slot->key + 16], step[24];
    int code;

    tsk_report_begin(&report, task, slot);
    (void)snprintf(key, sizeof key, "%s.vss%u", slot->key, number);
    (void)snprintf(step, sizeof step, "vshadow.%u", number);
    report.volume.key = key;
    report.volume.parent = slot->key;
    report.volume.table = "vss";
    report.volume.type = "volume shadow copy";
    code = tsk_report_inside(&report, step, "", &why);
    if (code == 0)
        code = tsk_report_volume(&report, false);
    else if (code != -ENOENT && code != -ENOMEM)
        code = tell_closed(&report, number, code, &why);
    tsk_report_end(&report);
    return code;
}

/* What an earlier attempt did not survive. */
static int report_left_out(struct tsk_task *task, const struct tsk_slot *slot)
{
    struct tsk_report report;
    int code;

    tsk_report_begin(&report, task, slot);
    code = tell(&report, task->skip->kind, "an earlier attempt did not survive them");
    tsk_report_end(&report);
    return code;
}

int tsk_shadow_report(struct tsk_task *task, const struct locator *locator)
{
    const struct tsk_slot *slot = tsk_slots_at(task->keep, locator->offset);
    int code = 0;

    if (!slot || strcmp(locator->type, "ntfs") != 0 || image_is_snapshot(task->image) ||
        !image_has_snapshots(task->image, slot->offset, slot->present))
        return 0;
    if (tsk_task_at(task, TSK_AT_SHADOW))
        return report_left_out(task, slot);
    for (uint32_t number = 1; code == 0 && number <= SNAPSHOTS_MAX; number++)
        code = report_snapshot(task, slot, number);
    return code == -ENOENT ? 0 : code;
}
