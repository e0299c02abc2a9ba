/*
 * tsk_report: a volume that is being told of, with what is said of it so far.
 */
#ifndef KVALI_EVIDENCE_TSK_REPORT_H
#define KVALI_EVIDENCE_TSK_REPORT_H

#include "engine/evidence/tsk/tsk_private.h"

/* The volume, and the memory behind its strings: set in `volume` what is another than the slot's. */
struct tsk_report {
    struct tsk_task *task;
    const struct tsk_slot *slot;
    const char *stage;
    struct found_volume volume;
    struct buf label, serial, expand, raw, path, root, content;
};

/* The volume of a slot, with the slot's key, type, place and use. */
void tsk_report_begin(struct tsk_report *report, struct tsk_task *task, const struct tsk_slot *slot);
void tsk_report_end(struct tsk_report *report);

/* All of these: 0, -ENOMEM, or the sink's code. */
int tsk_report_fault(const struct tsk_report *report, enum fault_kind kind, uint64_t offset, uint64_t size,
                     const char *effect, const char *detail);
int tsk_report_account(const struct tsk_report *report, enum account_kind kind, uint64_t bytes);
/* A raw stream of this volume: "<image>/<key>/<name>". */
int tsk_report_raw(struct tsk_report *report, const char *name, uint64_t offset, uint64_t size);
/* The volume itself, and with `raw` the stream that covers all that there is of it. */
int tsk_report_volume(struct tsk_report *report, bool raw);

/* Tries to open the volume as an image inside of this one: 0, and content, expand and root are set; or as
 * image_enter. `bases`: the contents that it is made of, each as tsk_report_base prints it; "": the volume
 * alone. */
int tsk_report_inside(struct tsk_report *report, const char *step, const char *bases, struct why *why);
void tsk_report_base(struct buf *buf, const struct tsk_slot *slot);

/* Why an encrypted volume stays locked, in words: `code` and `why` are what opening it gave. */
void tsk_report_locked(const struct tsk_report *report, const char *content, int code, const struct why *why,
                       char *ret, size_t size);

/* tsk_pool.c: a container of APFS, and its volumes. */
int tsk_pool_report(struct tsk_report *report, const TSK_POOL_INFO *pool);

/* tsk_group.c: a physical volume of LVM2, and its logical volumes. */
int tsk_group_report(struct tsk_report *report);

#endif
