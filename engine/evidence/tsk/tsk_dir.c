/*
 * tsk_dir: a folder's names without libtsk's quadratic time.
 *
 * libtsk compares each name of a folder with all that it has of it [sleuthkit 4.11.1, tsk/fs/fs_dir.c,
 * tsk_fs_dir_add()], and of NTFS looks through them for each file that says of itself that it is in there
 * [tsk_fs_dir_contains()]: more than a quarter of an hour for a million. It calls these functions as a
 * program outside would, so the program's own functions of those names come first [System V ABI, symbol
 * lookup]: the ones below. They have the names in hash tables. A name that is new goes to libtsk's function
 * as for FAT, where nothing is compared; one that is there, as to a folder of that one only: what becomes of
 * it is libtsk's to decide, as ever.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    FEW = 32,  /* names that libtsk compares as fast */
    MORE = 16, /* names that one folder gets before it has a table: two may grow by turns */
};

typedef uint8_t add_function(TSK_FS_DIR *dir, const TSK_FS_NAME *name);
typedef uint8_t contains_function(TSK_FS_DIR *dir, TSK_INUM_T number, uint32_t hash);

/* Of the folder that grows. */
static struct {
    const TSK_FS_DIR *dir; /* NULL: of none */
    size_t count;          /* its names[0] to names[count - 1] are in the table */
    const char *last;      /* the last one's text, where it stood */
    uint32_t *slots;       /* 0: empty; else a name's place + 1; by address and text, of each the first */
    uint32_t *all;     /* by address and libtsk's hash, in the order of their places; NULL: not asked for */
    size_t slot_count; /* of both; a power of two, more than twice `count` */
    const TSK_FS_DIR *waiting;
    unsigned waited; /* names that this one got meanwhile */
} table;

static void *of_libtsk(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    assert(symbol != NULL);
    return symbol;
}

static add_function *add_of_libtsk(void)
{
    static add_function *found;

    if (found == NULL) {
        void *symbol = of_libtsk("tsk_fs_dir_add");

        memcpy(&found, &symbol, sizeof found); /* ISO C has no cast for this */
    }
    return found;
}

static contains_function *contains_of_libtsk(void)
{
    static contains_function *found;

    if (found == NULL) {
        void *symbol = of_libtsk("tsk_fs_dir_contains");

        memcpy(&found, &symbol, sizeof found);
    }
    return found;
}

void tsk_dir_forget(void)
{
    free(table.slots);
    free(table.all);
    memset(&table, 0, sizeof table);
}

/* What nobody who makes names can know: the kernel's, for each program anew [getauxval(3)]. */
static uint64_t secret(void)
{
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t value = 0;

    if (random != NULL)
        memcpy(&value, random, sizeof value);
    return value;
}

static const char *text_of(const TSK_FS_NAME *name)
{
    return name->name != NULL ? name->name : "";
}

static size_t slot_of(const TSK_FS_NAME *name)
{
    const char *text = text_of(name);

    return (size_t)hash_keyed(text, strlen(text), secret() + name->meta_addr) & (table.slot_count - 1);
}

/* The slot with such a name, or the empty one where it would stand. */
static size_t find(const TSK_FS_DIR *dir, const TSK_FS_NAME *name)
{
    size_t at = slot_of(name);

    while (table.slots[at] != 0) {
        const TSK_FS_NAME *other = &dir->names[table.slots[at] - 1];

        if (other->meta_addr == name->meta_addr && strcmp(text_of(other), text_of(name)) == 0)
            break;
        at = (at + 1) & (table.slot_count - 1);
    }
    return at;
}

static size_t first_of_all(TSK_INUM_T number, uint32_t hash)
{
    const uint64_t key[] = {number, hash};

    return (size_t)hash_keyed(key, sizeof key, secret()) & (table.slot_count - 1);
}

static void put_in_all(const TSK_FS_DIR *dir, size_t place)
{
    const TSK_FS_NAME *name = &dir->names[place];
    size_t at = first_of_all(name->meta_addr, tsk_fs_dir_hash(text_of(name)));

    while (table.all[at] != 0)
        at = (at + 1) & (table.slot_count - 1);
    table.all[at] = (uint32_t)place + 1;
}

static void put(const TSK_FS_DIR *dir, size_t place)
{
    size_t at = find(dir, &dir->names[place]);

    if (table.slots[at] == 0)
        table.slots[at] = (uint32_t)place + 1;
    if (table.all != NULL)
        put_in_all(dir, place);
    table.count = place + 1;
    table.last = dir->names[place].name;
}

/* false: no memory, and no table. */
static bool build(const TSK_FS_DIR *dir)
{
    size_t slots = 64;

    while (slots < 4 * (dir->names_used + 1))
        slots *= 2;
    tsk_dir_forget();
    table.slots = calloc(slots, sizeof *table.slots);
    if (table.slots == NULL)
        return false;
    table.dir = dir;
    table.slot_count = slots;
    for (size_t i = 0; i < dir->names_used; i++)
        put(dir, i);
    return true;
}

/* Whether the table has all names of this folder: libtsk may have another, or the next at the same address.
 */
static bool is_current(const TSK_FS_DIR *dir)
{
    return table.dir == dir && table.count == dir->names_used && table.count > 0 &&
           table.last == dir->names[table.count - 1].name;
}

static uint8_t add_unchecked(TSK_FS_DIR *dir, const TSK_FS_NAME *name)
{
    static TSK_FS_INFO as_if = {.ftype = TSK_FS_TYPE_FAT32}; /* nothing else of it is looked at */
    TSK_FS_INFO *own = dir->fs_info;
    uint8_t failed;

    dir->fs_info = &as_if;
    failed = add_of_libtsk()(dir, name);
    dir->fs_info = own;
    return failed;
}

/* A name that is there, at `place`. */
static uint8_t add_again(const TSK_FS_DIR *dir, size_t place, const TSK_FS_NAME *name)
{
    TSK_FS_DIR only = *dir;
    uint8_t failed;

    only.names += place;
    only.names_used = only.names_alloc = 1;
    failed = add_of_libtsk()(&only, name);
    if (place == table.count - 1)
        table.last = dir->names[place].name;
    return failed;
}

/* Whether there is a table for it, now or as before. */
static bool has_table(const TSK_FS_DIR *dir)
{
    if (is_current(dir))
        return 2 * (table.count + 1) <= table.slot_count || build(dir);
    if (table.waiting != dir)
        table.waited = 0;
    table.waiting = dir;
    return ++table.waited > MORE && build(dir);
}

static bool is_beyond(const TSK_FS_DIR *dir)
{
    return dir->names_used < FEW || dir->names_used >= UINT32_MAX;
}

uint8_t tsk_fs_dir_add(TSK_FS_DIR *dir, const TSK_FS_NAME *name)
{
    size_t at;
    uint8_t failed;

    if (dir->names_used < FEW && table.dir == dir)
        tsk_dir_forget(); /* it begins anew */
    if (is_beyond(dir) || name->name == NULL || TSK_FS_TYPE_ISFAT(dir->fs_info->ftype) || !has_table(dir))
        return add_of_libtsk()(dir, name);
    at = find(dir, name);
    if (table.slots[at] != 0)
        return add_again(dir, table.slots[at] - 1, name);
    failed = add_unchecked(dir, name);
    if (!failed)
        put(dir, dir->names_used - 1);
    return failed;
}

static bool has_all(const TSK_FS_DIR *dir)
{
    if (table.all != NULL)
        return true;
    table.all = calloc(table.slot_count, sizeof *table.all);
    for (size_t i = 0; table.all != NULL && i < table.count; i++)
        put_in_all(dir, i);
    return table.all != NULL;
}

uint8_t tsk_fs_dir_contains(TSK_FS_DIR *dir, TSK_INUM_T number, uint32_t hash)
{
    uint8_t best = 0;

    if (is_beyond(dir) || !has_table(dir) || !has_all(dir))
        return contains_of_libtsk()(dir, number, hash);
    for (size_t at = first_of_all(number, hash); table.all[at] != 0 && best != TSK_FS_NAME_FLAG_ALLOC;
         at = (at + 1) & (table.slot_count - 1)) {
        const TSK_FS_NAME *name = &dir->names[table.all[at] - 1];

        if (name->meta_addr == number && tsk_fs_dir_hash(text_of(name)) == hash)
            best = (uint8_t)name->flags;
    }
    return best;
}
