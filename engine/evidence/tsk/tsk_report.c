/* tsk_report: see tsk_report.h. */
#include "engine/evidence/tsk/tsk_report.h"

#include "engine/evidence/image_layer.h"

#include <errno.h>
#include <stdio.h>

void tsk_report_begin(struct tsk_report *report, struct tsk_task *task, const struct tsk_slot *slot)
{
    *report = (struct tsk_report){.task = task, .slot = slot, .stage = "volumes"};
    report->volume = (struct found_volume){
        .key = slot->key,
        .parent = "",
        .table = task->keep->table,
        .type = slot->type,
        .label = "",
        .offset = slot->offset,
        .size = slot->size,
        .filesystem = "",
        .content = "",
        .serial = "",
        .time_note = "",
        .expand = "",
        .root = "",
        .raw = "",
    };
    if (slot->use == VOLUME_GAP)
        report->volume.use = VOLUME_GAP;
    else if (slot->use == VOLUME_TABLE)
        report->volume.use = VOLUME_TABLE;
    else
        report->volume.use = VOLUME_ALLOCATED;
}

void tsk_report_end(struct tsk_report *report)
{
    buf_finish(&report->label);
    buf_finish(&report->serial);
    buf_finish(&report->expand);
    buf_finish(&report->raw);
    buf_finish(&report->path);
    buf_finish(&report->root);
    buf_finish(&report->content);
}

int tsk_report_fault(const struct tsk_report *report, enum fault_kind kind, uint64_t offset, uint64_t size,
                     const char *effect, const char *detail)
{
    const struct found_fault row = {.kind = kind,
                                    .volume = report->volume.key,
                                    .stage = report->stage,
                                    .offset = offset,
                                    .size = size,
                                    .effect = effect,
                                    .detail = detail};

    return tsk_task_fault(report->task, &row);
}

int tsk_report_account(const struct tsk_report *report, enum account_kind kind, uint64_t bytes)
{
    return tsk_task_account(report->task, report->volume.key, kind, bytes);
}

int tsk_report_raw(struct tsk_report *report, const char *name, uint64_t offset, uint64_t size)
{
    if (image_through(report->task->image, offset, size))
        return 0; /* a snapshot's, and the volume's own */
    buf_clear(&report->path);
    buf_printf(&report->path, "%s/%s/%s", image_name(report->task->image), report->volume.key, name);
    if (buf_failed(&report->path))
        return -ENOMEM;
    return tsk_task_raw(report->task, report->volume.key, buf_cstr(&report->path), name, offset, size);
}

int tsk_report_volume(struct tsk_report *report, bool raw)
{
    const struct tsk_slot *slot = report->slot;
    const struct locator locator = {.kind = LOCATOR_RAW, .offset = slot->offset, .size = slot->present};
    int code;

    if (raw && slot->present > 0) {
        locator_print(&report->raw, &locator);
        report->volume.raw = buf_cstr(&report->raw);
    }
    report->volume.label = buf_cstr(&report->label);
    report->volume.serial = buf_cstr(&report->serial);
    report->volume.expand = buf_cstr(&report->expand);
    report->volume.root = buf_cstr(&report->root);
    if (buf_failed(&report->raw) || buf_failed(&report->root) || buf_failed(&report->label) ||
        buf_failed(&report->serial) || buf_failed(&report->expand))
        return -ENOMEM;
    code = report->task->sink->volume(report->task->sink->context, &report->volume);
    if (code == 0 && raw)
        code = tsk_report_raw(report, "raw", slot->offset, slot->present);
    return code;
}

void tsk_report_base(struct buf *buf, const struct tsk_slot *slot)
{
    buf_printf(buf, "{raw@%llu+%llu}", (unsigned long long)slot->offset, (unsigned long long)slot->present);
}

int tsk_report_inside(struct tsk_report *report, const char *step, const char *bases, struct why *why)
{
    struct image *inner;
    const char *rest;
    int code;

    buf_clear(&report->expand);
    buf_printf(&report->expand, "%s%s", step, bases);
    if (bases[0] == '\0')
        tsk_report_base(&report->expand, report->slot);
    buf_text(&report->expand, ">volumes");
    code = buf_failed(&report->expand)
               ? -ENOMEM
               : image_enter(report->task->image, buf_cstr(&report->expand), &inner, &rest, why);
    if (code < 0) {
        buf_clear(&report->expand);
        return code;
    }
    buf_printf(&report->content, "opened: %s", image_info(inner)->details);
    buf_printf(&report->root, "%s/%s!", image_name(report->task->image), report->volume.key);
    image_leave(inner);
    report->volume.content = buf_cstr(&report->content);
    return buf_failed(&report->content) || buf_failed(&report->root) ? -ENOMEM : 0;
}

void tsk_report_locked(const struct tsk_report *report, const char *content, int code, const struct why *why,
                       char *ret, size_t size)
{
    size_t count = image_key_count(report->task->image);

    if (code != -ENOKEY)
        (void)snprintf(ret, size, "%s: does not open: %s", content, why->text);
    else if (count == 0)
        (void)snprintf(ret, size, "%s: no key was given (%s)", content, why->text);
    else
        (void)snprintf(ret, size, "%s: wrong key: none of the %zu given opens it (%s)", content, count,
                       why->text);
}
