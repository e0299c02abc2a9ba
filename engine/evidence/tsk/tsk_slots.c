/*
 * tsk_slots: the partition table as a list of parts of the medium, in the order in which mmls prints it.
 *
 * What no slot covers (behind the last whole sector, or what the table forgets) is added as gaps, so the
 * parts cover the whole medium.
 */
#include "engine/evidence/dos_chain.h"
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MAX = 4096 };

static const char *table_name(TSK_VS_TYPE_ENUM type)
{
    switch (type) {
    case TSK_VS_TYPE_DOS:
        return "dos";
    case TSK_VS_TYPE_GPT:
        return "gpt";
    case TSK_VS_TYPE_MAC:
        return "apm";
    case TSK_VS_TYPE_BSD:
        return "bsd";
    case TSK_VS_TYPE_SUN:
        return "sun";
    default:
        return "none";
    }
}

static struct tsk_slot *add_slot(struct tsk_keep *keep, int use, uint64_t offset, uint64_t size)
{
    uint64_t limit = (uint64_t)keep->medium.base.size;
    struct tsk_slot *slot;

    if (keep->slot_count % 16 == 0) {
        struct tsk_slot *more = realloc(keep->slots, (keep->slot_count + 16) * sizeof *more);
        if (!more)
            return NULL;
        keep->slots = more;
    }
    slot = &keep->slots[keep->slot_count++];
    *slot = (struct tsk_slot){.use = use, .offset = offset, .size = size};
    if (offset < limit)
        slot->present = size < limit - offset ? size : limit - offset;
    return slot;
}

static bool key_taken(const struct tsk_keep *keep, const char *key)
{
    for (size_t i = 0; i < keep->slot_count; i++) {
        if (strcmp(keep->slots[i].key, key) == 0)
            return true;
    }
    return false;
}

static void set_key(const struct tsk_keep *keep, struct tsk_slot *slot, unsigned ordinal)
{
    const char *word = slot->use == VOLUME_GAP ? "gap" : "table";
    char key[sizeof slot->key];

    if (slot->use == VOLUME_ALLOCATED) {
        (void)snprintf(slot->key, sizeof slot->key, "p%u", ordinal);
        return;
    }
    (void)snprintf(key, sizeof key, "%s@0x%llx", word, (unsigned long long)slot->offset);
    for (unsigned n = 2; key_taken(keep, key); n++)
        (void)snprintf(key, sizeof key, "%s@0x%llx-%u", word, (unsigned long long)slot->offset, n);
    memcpy(slot->key, key, sizeof key);
}

/* Cut to fit; the escapes of text_escape are at most four bytes, its characters too. */
static void set_type(struct tsk_slot *slot, const char *words)
{
    struct buf buf = {0};
    size_t size = words ? strlen(words) : 0;

    do {
        buf_clear(&buf);
        text_escape(&buf, words, size);
    } while (buf.size >= sizeof slot->type && size-- > 0);
    (void)snprintf(slot->type, sizeof slot->type, "%s", buf_cstr(&buf));
    buf_finish(&buf);
}

static int load_table(struct tsk_keep *keep, const TSK_VS_INFO *table)
{
    unsigned ordinal = 0;
    size_t count = 0;

    for (const TSK_VS_PART_INFO *part = table->part_list; part; part = part->next) {
        int use = part->flags & TSK_VS_PART_FLAG_META      ? VOLUME_TABLE
                  : part->flags & TSK_VS_PART_FLAG_UNALLOC ? VOLUME_GAP
                                                           : VOLUME_ALLOCATED;
        uint64_t offset =
            u64_add_saturating(u64_mul_saturating(part->start, table->block_size), table->offset);
        uint64_t size = u64_mul_saturating(part->len, table->block_size);
        struct tsk_slot *slot;

        if (++count > SLOTS_MAX) {
            (void)snprintf(keep->table_damage, sizeof keep->table_damage,
                           "more than %d slots: the rest is not shown", SLOTS_MAX);
            break;
        }
        slot = add_slot(keep, use, offset, size);
        if (!slot)
            return -ENOMEM;
        if (use == VOLUME_ALLOCATED)
            ordinal++;
        set_key(keep, slot, ordinal);
        set_type(slot, part->desc);
    }
    if (table->is_backup)
        (void)snprintf(keep->table_damage, sizeof keep->table_damage,
                       "the first partition table is damaged: the backup at the end was read");
    return 0;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct range *left = a, *right = b;

    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Adds what neither a volume nor a gap covers. */
static int add_uncovered(struct tsk_keep *keep)
{
    uint64_t limit = (uint64_t)keep->medium.base.size, end = 0;
    size_t count = 0, known = keep->slot_count;
    struct range *covered = calloc(known + 1, sizeof *covered);
    int code = 0;

    if (!covered)
        return -ENOMEM;
    for (size_t i = 0; i < known; i++) {
        if (keep->slots[i].use != VOLUME_TABLE)
            covered[count++] = (struct range){keep->slots[i].offset, keep->slots[i].present};
    }
    qsort(covered, count, sizeof *covered, compare_offsets);
    covered[count++] = (struct range){limit, 0};
    for (size_t i = 0; i < count && code == 0 && end < limit; i++) {
        if (covered[i].offset > end) {
            uint64_t until = covered[i].offset < limit ? covered[i].offset : limit;
            struct tsk_slot *slot = add_slot(keep, VOLUME_GAP, end, until - end);
            if (slot) {
                set_key(keep, slot, 0);
                set_type(slot, "not covered by the partition table");
            } else {
                code = -ENOMEM;
            }
        }
        if (covered[i].offset + covered[i].size > end)
            end = covered[i].offset + covered[i].size;
    }
    free(covered);
    return code;
}

/* No table opened: when one seems to be there, why it does not open. An MBR's mark stands in every FAT and
 * NTFS boot sector too, so this says something only together with no file system at the start (tsk_volume.c).
 */
static void look_for_damage(struct tsk_keep *keep)
{
    uint8_t sector[520];
    TSK_VS_TYPE_ENUM type = TSK_VS_TYPE_DETECT;
    TSK_VS_INFO *table;

    (void)tsk_medium_bytes(&keep->medium, 0, sector, sizeof sector);
    if (memcmp(sector + 512, "EFI PART", 8) == 0)
        type = TSK_VS_TYPE_GPT;
    else if (sector[510] == 0x55 && sector[511] == 0xaa)
        type = TSK_VS_TYPE_DOS;
    if (type == TSK_VS_TYPE_DETECT)
        return;
    table = tsk_vs_open(&keep->medium.base, 0, type);
    if (table)
        tsk_vs_close(table);
    else
        (void)tsk_words(keep->table_unopened, sizeof keep->table_unopened);
    tsk_error_reset();
}

/* A chain of extended partitions that does not end well is not libtsk's to mention. */
static void check_chain(struct tsk_keep *keep)
{
    struct tsk_part part = {.medium = &keep->medium, .size = (uint64_t)keep->medium.base.size};
    uint64_t sector;
    const char *what;

    if (dos_chain_is_broken(part.size, keep->medium.base.sector_size, tsk_part_read, &part, &sector, &what) &&
        !keep->table_damage[0])
        (void)snprintf(keep->table_damage, sizeof keep->table_damage,
                       "the chain of extended partitions is broken at sector %llu: %s",
                       (unsigned long long)sector, what);
}

int tsk_slots_load(struct tsk_keep *keep)
{
    TSK_VS_INFO *table;
    int code;

    if (keep->slots)
        return 0;
    table = tsk_vs_open(&keep->medium.base, 0, TSK_VS_TYPE_DETECT);
    tsk_error_reset();
    keep->table = table ? table_name(table->vstype) : "none";
    if (table) {
        code = load_table(keep, table);
        if (table->vstype == TSK_VS_TYPE_DOS)
            check_chain(keep);
        tsk_vs_close(table);
        if (code == 0)
            code = add_uncovered(keep);
    } else {
        struct tsk_slot *slot = add_slot(keep, VOLUME_ALLOCATED, 0, (uint64_t)keep->medium.base.size);
        if (slot)
            (void)snprintf(slot->key, sizeof slot->key, "image");
        code = slot ? 0 : -ENOMEM;
        look_for_damage(keep);
    }
    if (code < 0) {
        free(keep->slots);
        keep->slots = NULL;
        keep->slot_count = 0;
    }
    return code;
}

const struct tsk_slot *tsk_slots_at(const struct tsk_keep *keep, uint64_t offset)
{
    for (size_t i = 0; i < keep->slot_count; i++) {
        if (keep->slots[i].use == VOLUME_ALLOCATED && keep->slots[i].offset == offset)
            return &keep->slots[i];
    }
    return NULL;
}
