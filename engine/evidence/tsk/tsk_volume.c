/*
 * tsk_volume: the expand task "volumes": every part of the medium, what lies in it, and what of it is not
 * read.
 *
 * Which file system a volume holds is libtsk's answer (tsk_fs_open_img tries all types); the type is then
 * written into the locator, and nothing is ever detected again. A volume that libtsk does not open is named
 * by signature.c.
 */
#include "engine/evidence/tsk/tsk_report.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/evidence/image_layer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ a file system that opened */

static void describe(struct tsk_report *report, TSK_FS_INFO *info)
{
    struct locator locator = {.kind = LOCATOR_FS, .offset = report->slot->offset};
    const char *type = tsk_type_name(info);
    const struct tsk_slot *first;

    (void)snprintf(locator.type, sizeof locator.type, "%s", type);
    report->volume.filesystem = type;
    report->volume.block_size = info->block_size;
    report->volume.block_count = info->block_count;
    report->volume.fs_size = tsk_filesystem_size(info);
    report->volume.time_note = tsk_type_time_note(type);
    buf_clear(&report->serial);
    tsk_filesystem_serial(info, &report->serial);
    buf_clear(&report->label);
    tsk_filesystem_label(info, &report->task->keep->medium, &report->label);
    buf_clear(&report->expand);
    /* Two slots that begin at the same byte hold the same file system: it is listed once, under the first. */
    first = tsk_slots_at(report->task->keep, report->slot->offset);
    if (!first || first == report->slot)
        locator_print(&report->expand, &locator);
}

/* What of the volume lies outside of its file system, and what of the file system lies outside of the volume.
 */
static int compare_sizes(struct tsk_report *report, const TSK_FS_INFO *info)
{
    const struct tsk_slot *slot = report->slot;
    uint64_t limit = slot->offset + slot->present;
    uint64_t begin = (uint64_t)info->offset;
    uint64_t end = u64_add_saturating(begin, report->volume.fs_size);
    int code = tsk_report_account(report, ACCOUNT_OUTSIDE, slot->present - tsk_space_bytes(info, limit));

    if (code == 0 && begin > slot->offset && begin <= limit)
        code = tsk_report_raw(report, "before-fs", slot->offset, begin - slot->offset);
    if (code == 0 && end < limit && report->volume.fs_size > 0)
        code = tsk_report_raw(report, "after-fs", end, limit - end);
    if (code < 0 || end <= limit)
        return code;
    if (slot->present < slot->size || limit >= (uint64_t)report->task->keep->medium.base.size)
        return tsk_report_fault(report, FAULT_MISSING, limit, end - limit, "what lies there is not read",
                                "the file system reaches past the end of the image");
    return tsk_report_fault(report, FAULT_DAMAGED, limit, end - limit, "",
                            "the file system reaches past the end of its volume");
}

/* The kind of image inside that an encrypted volume is; NULL: none that is opened. */
static const char *step_of(const char *content)
{
    if (strcmp(content, "encrypted: LUKS1") == 0 || strncmp(content, "encrypted: LUKS2", 16) == 0)
        return "luks";
    if (strcmp(content, "encrypted: FileVault (CoreStorage)") == 0)
        return "filevault";
    return strncmp(content, "encrypted: BitLocker", 20) == 0 ? "bitlocker" : NULL;
}

/* What lies behind is a volume of its own, for the one in front has its files, too. */
static int open_behind(const struct tsk_report *front, const struct signature *found, struct why *why)
{
    struct tsk_report report;
    char key[sizeof front->slot->key + 16];
    int code;

    tsk_report_begin(&report, front->task, front->slot);
    (void)snprintf(key, sizeof key, "%s.bitlocker", front->slot->key);
    report.volume.key = key;
    report.volume.parent = front->slot->key;
    report.volume.table = "";
    report.volume.type = found->content + strlen("encrypted: ");
    code = tsk_report_inside(&report, step_of(found->content), "", why);
    if (code == 0)
        code = tsk_report_volume(&report, false);
    tsk_report_end(&report);
    return code;
}

/* BitLocker To Go: a small FAT32 in front of what is encrypted. */
static int look_behind(struct tsk_report *report)
{
    struct tsk_part part = {&report->task->keep->medium, report->slot->offset, report->slot->present};
    const struct signature *found = signature_find_encrypted(part.size, tsk_part_read, &part);
    const char *step = found ? step_of(found->content) : NULL;
    struct why why = {{0}};
    char words[600];
    int code = step ? open_behind(report, found, &why) : -ENOKEY;

    if (!found || code >= 0 || (code == -ENOMEM && why.text[0] == '\0'))
        return found ? code : 0;
    if (step)
        tsk_report_locked(report, found->content, code, &why, words, sizeof words);
    report->volume.content = found->content;
    return tsk_report_fault(report, FAULT_ENCRYPTED, report->slot->offset, report->slot->present,
                            "content not read", step ? words : found->content);
}

static int report_filesystem(struct tsk_report *report, TSK_FS_INFO *info)
{
    int code;

    report->stage = "filesystem";
    describe(report, info);
    code = look_behind(report);
    if (code == 0)
        code = tsk_report_volume(report, report->volume.content[0] != '\0');
    if (code == 0)
        code = compare_sizes(report, info);
    return code;
}

/* ------------------------------------------------------------------ no file system */

/* An encrypted volume is opened when there is a key for it; else it is told what it is and why it stays
 * closed. */
static int report_encrypted(struct tsk_report *report, const struct signature *found)
{
    const struct tsk_slot *slot = report->slot;
    const char *step = step_of(found->content);
    struct why why = {{0}};
    char words[600];
    int code = step ? tsk_report_inside(report, step, "", &why) : -ENOKEY;

    if (code == -ENOMEM &&
        why.text[0] == '\0') /* with words: deriving its key would take too much; the others are read */
        return code;
    if (code == 0)
        return tsk_report_volume(report, false);
    if (step)
        tsk_report_locked(report, found->content, code, &why, words, sizeof words);
    code = tsk_report_volume(report, true);
    return code < 0 ? code
                    : tsk_report_fault(report, FAULT_ENCRYPTED, slot->offset, slot->present,
                                       "file system not read", step ? words : found->content);
}

static int report_unread(struct tsk_report *report, const struct signature *found, const char *words)
{
    const struct tsk_slot *slot = report->slot;
    const char *detail = found->content;
    enum fault_kind kind = FAULT_UNSUPPORTED;
    char text[400];
    int code;

    report->volume.content = found->content;
    code = tsk_report_account(report, ACCOUNT_RAW, slot->present);
    if (code < 0)
        return code;
    switch (found->class) {
    case SIGNATURE_ENCRYPTED:
        return report_encrypted(report, found);
    case SIGNATURE_UNSUPPORTED:
        if (strcmp(found->content, "unsupported: LVM2") == 0)
            return tsk_group_report(report);
        break;
    case SIGNATURE_READABLE:
        kind = FAULT_DAMAGED;
        report->volume.content = "unknown";
        (void)snprintf(text, sizeof text, "the signature of %s is there, but it does not open: %s",
                       found->content, words);
        detail = text;
        break;
    case SIGNATURE_RANDOM:
        kind = FAULT_ENCRYPTED;
        detail = "no structure, and bytes spread as evenly as encrypted ones: a VeraCrypt or TrueCrypt "
                 "volume is suspected, or it "
                 "was wiped with random bytes";
        break;
    case SIGNATURE_UNKNOWN:
        detail = "no file system recognised";
        break;
    case SIGNATURE_DATA:
    case SIGNATURE_ZEROS:
        return tsk_report_volume(report, true);
    }
    code = tsk_report_volume(report, true);
    if (code == 0)
        code = tsk_report_fault(report, kind, slot->offset, slot->present, "file system not read", detail);
    if (code == 0 && found->class == SIGNATURE_UNKNOWN && report->task->keep->table_unopened[0])
        code = tsk_report_fault(report, FAULT_DAMAGED, 0, slot->present, "partitions not read",
                                report->task->keep->table_unopened);
    return code;
}

/* Nothing opened by detection. A signature may still say what to try, and how it fails. */
static int report_by_signature(struct tsk_report *report)
{
    struct tsk_medium *medium = &report->task->keep->medium;
    struct tsk_part part = {medium, report->slot->offset, report->slot->present};
    const struct signature *found = signature_find(part.size, tsk_part_read, &part);
    char words[256] = "";
    int code;

    if (found->class != SIGNATURE_READABLE)
        return report_unread(report, found, "");
    if (strcmp(found->content, "apfs") == 0) {
        const TSK_POOL_INFO *pool =
            tsk_pool_open_img_sing(&medium->base, (TSK_OFF_T)part.offset, TSK_POOL_TYPE_APFS);
        if (!pool)
            return report_unread(report, found, tsk_words(words, sizeof words));
        code = tsk_pool_report(report, pool);
        tsk_pool_close(pool);
    } else {
        TSK_FS_INFO *info =
            tsk_fs_open_img(&medium->base, (TSK_OFF_T)part.offset, tsk_type_parse(found->content));
        if (!info)
            return report_unread(report, found, tsk_words(words, sizeof words));
        code = report_filesystem(report, info);
        if (code == 0)
            code = tsk_report_fault(report, FAULT_DAMAGED, part.offset, 0, "",
                                    "the file system opens only when its type is given: it is damaged");
        tsk_fs_close(info);
    }
    return code;
}

/* ------------------------------------------------------------------ several file systems in one place */

/* libtsk's names in "HFS or ISO9660", the answer when more than one type fits (tsk_fs_open_img). */
static const struct {
    const char *name, *type;
} candidates[] = {
    {"ISO9660", "iso9660"}, {"HFS", "hfs+"},  {"NTFS", "ntfs"}, {"EXT2/3/4", "ext2"}, {"UFS", "ufs1"},
    {"UFS", "ufs2"},        {"FAT", "fat12"}, {"FAT", "fat16"}, {"FAT", "fat32"},     {"FAT", "exfat"},
};

/* The first is reported as the volume's own; each other as a volume "<key>.<type>" inside it, listed under
 * the same key. */
static int report_several(struct tsk_report *first, const char *names)
{
    struct tsk_medium *medium = &first->task->keep->medium;
    size_t count = 0;
    int code = 0;

    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0] && code == 0; i++) {
        TSK_FS_INFO *info = NULL;
        if (strstr(names, candidates[i].name))
            info = tsk_fs_open_img(&medium->base, (TSK_OFF_T)first->slot->offset,
                                   tsk_type_parse(candidates[i].type));
        tsk_error_reset();
        if (!info)
            continue;
        if (count++ == 0) {
            code = report_filesystem(first, info);
        } else {
            struct tsk_report other;
            char key[sizeof first->slot->key + LOCATOR_TYPE_SIZE + 1];
            tsk_report_begin(&other, first->task, first->slot);
            (void)snprintf(key, sizeof key, "%s.%s", first->slot->key, candidates[i].type);
            other.volume.key = key;
            other.volume.parent = first->slot->key;
            other.volume.type = "a second file system in the same place";
            describe(&other, info);
            code = tsk_report_volume(&other, false);
            tsk_report_end(&other);
        }
        tsk_fs_close(info);
    }
    return code == 0 && count == 0 ? report_by_signature(first) : code;
}

/* ------------------------------------------------------------------ the parts */

static int report_allocated(struct tsk_report *report)
{
    const struct tsk_slot *slot = report->slot;
    TSK_FS_INFO *info;
    uint32_t number;
    char names[128];
    int code = 0;

    if (slot->present < slot->size)
        code =
            tsk_report_fault(report, FAULT_MISSING, slot->offset + slot->present, slot->size - slot->present,
                             "what lies there is not read", "the volume reaches past the end of the image");
    if (code < 0 || slot->present == 0)
        return code < 0 ? code : tsk_report_volume(report, false);
    if (tsk_task_at(report->task, slot->offset)) {
        code = tsk_report_volume(report, true);
        if (code == 0)
            code = tsk_report_account(report, ACCOUNT_RAW, slot->present);
        return code < 0 ? code
                        : tsk_report_fault(report, report->task->skip->kind, slot->offset, slot->present,
                                           "file system not read",
                                           "an earlier attempt did not survive opening it");
    }
    info = tsk_fs_open_img(&report->task->keep->medium.base, (TSK_OFF_T)slot->offset, TSK_FS_TYPE_DETECT);
    if (info) {
        code = report_filesystem(report, info);
        tsk_fs_close(info);
        return code;
    }
    number = tsk_error_get_errno();
    (void)snprintf(names, sizeof names, "%s", tsk_error_get_errstr());
    tsk_error_reset();
    if (number == TSK_ERR_FS_UNKTYPE && strstr(names, " or "))
        return report_several(report, names);
    return report_by_signature(report);
}

static int report_slot(struct tsk_task *task, const struct tsk_slot *slot, uint64_t share)
{
    struct tsk_report report;
    int code;

    tsk_report_begin(&report, task, slot);
    if (slot->use == VOLUME_ALLOCATED)
        code = report_allocated(&report);
    else
        code = tsk_report_volume(&report, slot->use == VOLUME_GAP);
    if (code == 0 && slot->use != VOLUME_ALLOCATED)
        code = tsk_report_account(&report, slot->use == VOLUME_GAP ? ACCOUNT_RAW : ACCOUNT_TABLE, share);
    if (code == 0)
        code = tsk_report_account(&report, ACCOUNT_SHARE, share);
    tsk_report_end(&report);
    return code;
}

/* A file system that begins where the partition table stands, which no slot names: an ISO 9660 that boots
 * from a stick. */
static int report_front(struct tsk_task *task)
{
    struct tsk_slot slot = {
        .key = "image", .use = VOLUME_ALLOCATED, .size = (uint64_t)task->keep->medium.base.size};
    struct tsk_report report;
    TSK_FS_INFO *info;
    int code = 0;

    slot.present = slot.size;
    if (tsk_slots_at(task->keep, 0))
        return 0;
    if (tsk_task_at(task, 0))
        return tsk_task_fault(
            task, &(struct found_fault){.kind = task->skip->kind,
                                        .stage = "volumes",
                                        .effect = "a file system in front of the partition table is not read",
                                        .detail = "an earlier attempt did not survive opening it"});
    info = tsk_fs_open_img(&task->keep->medium.base, 0, TSK_FS_TYPE_DETECT);
    tsk_error_reset();
    if (!info)
        return 0;
    tsk_report_begin(&report, task, &slot);
    report.volume.table = "none";
    report.volume.type = "file system in front of the partition table";
    describe(&report, info);
    code = tsk_report_volume(&report, false);
    tsk_report_end(&report);
    tsk_fs_close(info);
    return code;
}

/* Every volume that begins inside one that began before it. */
static int report_overlaps(struct tsk_task *task)
{
    const struct tsk_slot *slots = task->keep->slots;
    int code = 0;

    for (size_t i = 0; i < task->keep->slot_count && code == 0; i++) {
        for (size_t k = 0; k < task->keep->slot_count && code == 0; k++) {
            uint64_t end = u64_add_saturating(slots[k].offset, slots[k].size), size;
            char detail[128];
            bool before = slots[k].offset < slots[i].offset || (slots[k].offset == slots[i].offset && k < i);
            if (!before || end <= slots[i].offset || slots[i].size == 0 || slots[i].use != VOLUME_ALLOCATED ||
                slots[k].use != VOLUME_ALLOCATED)
                continue;
            size = end - slots[i].offset < slots[i].size ? end - slots[i].offset : slots[i].size;
            (void)snprintf(detail, sizeof detail, "%s and %s overlap", slots[k].key, slots[i].key);
            code = tsk_task_fault(task, &(struct found_fault){.kind = FAULT_DAMAGED,
                                                              .volume = slots[i].key,
                                                              .stage = "volumes",
                                                              .offset = slots[i].offset,
                                                              .size = size,
                                                              .detail = detail});
            break;
        }
    }
    return code;
}

/* How many bytes of the medium each slot is the first to claim: volumes first, then the table's own sectors
 * (which lie in what it calls unallocated), then gaps. */
static int share_medium(struct tsk_task *task, uint64_t **ret_shares)
{
    static const int order[] = {VOLUME_ALLOCATED, VOLUME_TABLE, VOLUME_GAP};
    const struct tsk_slot *slots = task->keep->slots;
    struct ranges claimed = {0};
    int code = 0;

    *ret_shares = calloc(task->keep->slot_count + 1, sizeof **ret_shares);
    if (!*ret_shares)
        return -ENOMEM;
    for (size_t use = 0; use < sizeof order / sizeof order[0]; use++) {
        for (size_t i = 0; i < task->keep->slot_count && code == 0; i++) {
            uint64_t before = ranges_bytes(&claimed);

            if (slots[i].use != order[use] || slots[i].present == 0)
                continue;
            code = ranges_add(&claimed, slots[i].offset, slots[i].present);
            (*ret_shares)[i] = ranges_bytes(&claimed) - before;
        }
    }
    ranges_finish(&claimed);
    return code;
}

static int report_table(struct tsk_task *task)
{
    uint64_t *shares = NULL;
    int code = 0;

    if (task->keep->table_damage[0])
        code = tsk_task_fault(task, &(struct found_fault){.kind = FAULT_DAMAGED,
                                                          .stage = "volumes",
                                                          .offset = 0,
                                                          .detail = task->keep->table_damage});
    if (code == 0)
        code = report_overlaps(task);
    if (code == 0)
        code = share_medium(task, &shares);
    for (size_t i = 0; i < task->keep->slot_count && code == 0; i++)
        code = report_slot(task, &task->keep->slots[i], shares[i]);
    free(shares);
    if (code == 0)
        code = report_front(task);
    return code;
}

/* The table itself brought an earlier attempt down: the whole image is one part that is not read. */
static int report_without_table(struct tsk_task *task)
{
    struct tsk_slot slot = {
        .key = "image", .use = VOLUME_ALLOCATED, .size = (uint64_t)task->keep->medium.base.size};
    struct tsk_report report;
    int code;

    slot.present = slot.size;
    task->keep->table = "none";
    tsk_report_begin(&report, task, &slot);
    report.volume.content = "unknown";
    code = tsk_report_volume(&report, true);
    if (code == 0)
        code = tsk_report_account(&report, ACCOUNT_RAW, slot.size);
    if (code == 0)
        code = tsk_report_account(&report, ACCOUNT_SHARE, slot.size);
    if (code == 0)
        code = tsk_report_fault(&report, task->skip->kind, 0, slot.size, "partitions not read",
                                "an earlier attempt did not survive the partition table");
    tsk_report_end(&report);
    return code;
}

int tsk_volume_expand(struct image *image, const struct found_sink *sink, const struct expand_skip *skip)
{
    struct tsk_task task;
    int code = tsk_task_begin(&task, image, sink, skip);

    if (code == 0 && tsk_task_at(&task, TSK_AT_OPEN)) {
        code = report_without_table(&task);
    } else if (code == 0) {
        code = tsk_slots_load(task.keep);
        if (code == 0)
            code = report_table(&task);
    }
    tsk_task_end(&task);
    return code;
}
