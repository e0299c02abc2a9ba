/*
 * tsk_pool: a container of APFS and its volumes, of which some may need a key.
 */
#include "engine/evidence/tsk/tsk_report.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* With a key the volume is read like any other; 0 also without, and then `words` say why. */
static int open_apfs_volume(struct tsk_report *report, const struct locator *locator,
                            enum fault_kind *ret_kind, char *words, size_t size)
{
    struct tsk_task *task = report->task;
    uint64_t what =
        u64_add_saturating(locator->offset, u64_mul_saturating(locator->block, report->volume.block_size));
    struct tsk_filesystem *filesystem;
    struct why why = {{0}};
    int code;

    report->volume.content = "encrypted: APFS/FileVault";
    *ret_kind = FAULT_ENCRYPTED;
    if (tsk_task_at(task, what | 1)) { /* no slot begins at an odd byte */
        *ret_kind = task->skip->kind;
        (void)snprintf(words, size, "an earlier attempt did not survive opening it");
        return 0;
    }
    code = tsk_filesystem_acquire(task->image, locator, &filesystem, &why);
    (void)tsk_task_at(task, report->slot->offset);
    if (code == -ENOMEM && why.text[0] == '\0')
        return code;
    if (code < 0) {
        tsk_report_locked(report, report->volume.content, code, &why, words, size);
        return 0;
    }
    buf_printf(&report->content, "opened: %s", filesystem->note);
    report->volume.content = buf_cstr(&report->content);
    locator_print(&report->expand, locator);
    tsk_filesystem_release(filesystem);
    return buf_failed(&report->content) ? -ENOMEM : 0;
}

static int report_apfs_volume(struct tsk_report *container, const TSK_POOL_INFO *pool,
                              const TSK_POOL_VOLUME_INFO *info)
{
    const struct locator locator = {
        .kind = LOCATOR_APFS, .offset = container->slot->offset, .type = "apfs", .block = info->block};
    struct tsk_report report;
    struct buf key = {0};
    enum fault_kind kind = FAULT_ENCRYPTED;
    char words[600] = "";
    int code = 0;

    tsk_report_begin(&report, container->task, container->slot);
    report.stage = "filesystem";
    buf_printf(&key, "%s.v%d", container->slot->key, info->index + 1);
    report.volume.key = buf_cstr(&key);
    report.volume.parent = container->slot->key;
    report.volume.table = "apfs";
    report.volume.type = "APFS volume";
    report.volume.filesystem = "apfs";
    report.volume.block_size = pool->block_size;
    report.volume.block_count = info->num_blocks;
    report.volume.fs_size = u64_mul_saturating(info->num_blocks, pool->block_size);
    report.volume.time_note = tsk_type_time_note("apfs");
    if (info->desc)
        text_escape(&report.label, info->desc, strlen(info->desc));
    if (info->flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED)
        code = open_apfs_volume(&report, &locator, &kind, words, sizeof words);
    else
        locator_print(&report.expand, &locator);
    if (code == 0)
        code = buf_failed(&key) ? -ENOMEM : tsk_report_volume(&report, false);
    if (code == 0 && words[0] != '\0')
        code = tsk_report_fault(&report, kind, container->slot->offset, report.volume.fs_size,
                                "content not read", words);
    tsk_report_end(&report);
    buf_finish(&key);
    return code;
}

/* Of an APFS container nothing is free until one of its volumes has been opened (tsk_space_close_pool). */
static int account_pool(struct tsk_report *report, uint64_t end)
{
    const struct tsk_slot *slot = report->slot;
    uint64_t inside = end > slot->offset ? end - slot->offset : 0;
    int code = tsk_report_account(report, ACCOUNT_ALLOCATED, inside);

    return code == 0 ? tsk_report_account(report, ACCOUNT_OUTSIDE, slot->present - inside) : code;
}

int tsk_pool_report(struct tsk_report *report, const TSK_POOL_INFO *pool)
{
    uint64_t end =
        u64_add_saturating(report->slot->offset, u64_mul_saturating(pool->num_blocks, pool->block_size));
    uint64_t limit = report->slot->offset + report->slot->present;
    int code;

    report->stage = "filesystem";
    report->volume.content = "APFS container";
    report->volume.block_size = pool->block_size;
    report->volume.block_count = pool->num_blocks;
    report->volume.fs_size = u64_mul_saturating(pool->num_blocks, pool->block_size);
    code = tsk_report_volume(report, false);
    if (code == 0)
        code = account_pool(report, end < limit ? end : limit);
    for (const TSK_POOL_VOLUME_INFO *volume = pool->vol_list; volume && code == 0; volume = volume->next)
        code = report_apfs_volume(report, pool, volume);
    if (code == 0 && !pool->vol_list)
        code = tsk_report_fault(report, FAULT_DAMAGED, report->slot->offset, report->slot->present,
                                "no volume listed", "the APFS container names no volume that can be read");
    if (code == 0 && end > limit)
        code = tsk_report_fault(report, FAULT_MISSING, limit, end - limit, "what lies there is not read",
                                "the APFS container reaches past the end of what is there");
    else if (code == 0 && end < limit)
        code = tsk_report_raw(report, "after-fs", end, limit - end);
    return code;
}
