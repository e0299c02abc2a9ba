/* apfs_lock: see apfs_lock.h. What is in key bags: sgan81/apfs-fuse, ApfsLib/KeyMgmt.cpp; libtsk,
 * tsk/fs/apfs.cpp. */
#include "engine/evidence/apfs_lock.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECKPOINT_BLOCKS_MAX = 65536,
    BAG_BLOCKS_MAX = 16,
    TAG_VOLUME_KEY = 2,
    TAG_RECORDS = 3, /* in a container's bag: where the volume's is; in this: a way to open it */
    TAG_HINT = 4,
    HINT_MAX = 64,
};
#define TYPE_CONTAINER_BAG UINT32_C(0x6b657973)
#define TYPE_VOLUME_BAG    UINT32_C(0x72656373)
#define ROUNDS_MAX         UINT32_C(10000000)

static const uint8_t recovery_id[16] = {0xeb, 0xc6, 0xc0, 0x64, 0,    0,    0x11, 0xaa,
                                        0xaa, 0x11, 0,    0x30, 0x65, 0x43, 0xec, 0xac};

bool apfs_sums(const uint8_t *object, size_t size)
{
    const uint64_t mod = UINT32_MAX;
    uint64_t low = 0, high = 0, first;
    struct bytes bytes;
    uint64_t stored;

    bytes_init(&bytes, object, size);
    stored = bytes_u64le(&bytes);
    for (size_t i = 8; i < size; i += 4) {
        low = (low + bytes_u32le(&bytes)) % mod;
        high = (high + low) % mod;
    }
    first = mod - (low + high) % mod;
    return stored == ((mod - (low + first) % mod) << 32 | first);
}

static int read_block(const struct reader *container, uint64_t number, uint8_t *ret_block)
{
    return reader_read(container, u64_mul_saturating(number, APFS_BLOCK), ret_block, APFS_BLOCK);
}

/* ------------------------------------------------------------------ superblocks */

struct place {
    uint64_t block, count;
};

struct super {
    uint64_t xid, ring, flags;
    uint32_t ring_count;
    uint8_t id[16];
    struct place bag;
};

static bool parse_super(const uint8_t *block, struct super *ret)
{
    struct bytes bytes;
    const uint8_t *id;

    bytes_init(&bytes, block, APFS_BLOCK);
    bytes_seek(&bytes, 16);
    ret->xid = bytes_u64le(&bytes);
    bytes_seek(&bytes, 32);
    if (bytes_u32le(&bytes) != 0x4253584e || bytes_u32le(&bytes) != APFS_BLOCK ||
        !apfs_sums(block, APFS_BLOCK))
        return false;
    bytes_seek(&bytes, 72);
    id = bytes_take(&bytes, sizeof ret->id);
    memcpy(ret->id, id, sizeof ret->id);
    bytes_seek(&bytes, 104);
    ret->ring_count = bytes_u32le(&bytes);
    bytes_seek(&bytes, 112);
    ret->ring = bytes_u64le(&bytes);
    bytes_seek(&bytes, 1264);
    ret->flags = bytes_u64le(&bytes);
    bytes_seek(&bytes, 1296);
    ret->bag.block = bytes_u64le(&bytes);
    ret->bag.count = bytes_u64le(&bytes);
    return true;
}

/* The newest one that is whole, as libtsk takes it. */
static bool find_super(const struct reader *container, struct super *ret)
{
    uint8_t block[APFS_BLOCK];
    struct super one;

    if (read_block(container, 0, block) < 0 || !parse_super(block, ret))
        return false;
    one = *ret;
    for (uint64_t i = 0, first = ret->ring, count = ret->ring_count; i < count && i < CHECKPOINT_BLOCKS_MAX;
         i++) {
        if (read_block(container, u64_add_saturating(first, i), block) == 0 && parse_super(block, &one) &&
            one.xid > ret->xid)
            *ret = one;
    }
    return true;
}

static void print_uuid(const uint8_t id[16], char ret[37])
{
    for (size_t i = 0, at = 0; i < 16; i++)
        at += (size_t)snprintf(ret + at, 37 - at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                               id[i]);
}

/* ------------------------------------------------------------------ key bags */

struct bag {
    uint8_t *data;
    struct bytes bytes;
    uint16_t left;
};

struct entry {
    const uint8_t *id;
    uint16_t tag;
    struct bytes data;
};

static bool is_bag(const uint8_t *data, size_t size, uint32_t type)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    bytes_seek(&bytes, 24);
    return bytes_u32le(&bytes) == type && apfs_sums(data, size);
}

/* It is encrypted with the identifier of what it belongs to, twice: against nobody. */
static int decrypt_bag(uint8_t *data, size_t size, uint64_t block, const uint8_t id[16])
{
    uint8_t key[APFS_KEY_SIZE];
    struct crypt_sectors *sectors;
    int code;

    memcpy(key, id, 16);
    memcpy(key + 16, id, 16);
    code = crypt_sectors_new("aes", "xts-plain64", key, sizeof key, &sectors);
    if (code < 0)
        return code;
    for (size_t at = 0; code == 0 && at < size; at += APFS_SECTOR)
        code = crypt_sectors_decrypt(sectors, block * (APFS_BLOCK / APFS_SECTOR) + at / APFS_SECTOR,
                                     data + at, APFS_SECTOR);
    crypt_sectors_free(sectors);
    return code;
}

static int bag_open(const struct reader *container, struct place place, const uint8_t id[16], uint32_t type,
                    struct bag *ret, struct why *why)
{
    const char *name = type == TYPE_VOLUME_BAG ? "volume" : "container";
    size_t size = (size_t)place.count * APFS_BLOCK;
    struct bytes *bytes = &ret->bytes;

    if (place.block == 0 || place.count == 0 || place.count > BAG_BLOCKS_MAX)
        return why_set(why, -EINVAL, "the %s has no key bag, or one of a size that is not read", name);
    ret->data = malloc(size);
    if (!ret->data)
        return -ENOMEM;
    if (reader_read(container, u64_mul_saturating(place.block, APFS_BLOCK), ret->data, size) < 0)
        return why_set(why, -EINVAL, "the key bag of the %s cannot be read", name);
    if (!is_bag(ret->data, size, type) &&
        (decrypt_bag(ret->data, size, place.block, id) < 0 || !is_bag(ret->data, size, type)))
        return why_set(why, -EINVAL, "the key bag of the %s is damaged", name);
    bytes_init(bytes, ret->data, size);
    bytes_seek(bytes, 32);
    if (bytes_u16le(bytes) != 2)
        return why_set(why, -ENOTSUP, "the key bag of the %s is of a version that is not read", name);
    ret->left = bytes_u16le(bytes);
    bytes_skip(bytes, 12);
    return 0;
}

static void bag_close(struct bag *bag)
{
    free(bag->data);
}

/* False: no more, or damaged. */
static bool bag_next(struct bag *bag, struct entry *ret)
{
    struct bytes *bytes = &bag->bytes;
    const uint8_t *data;
    uint16_t size;
    size_t rest;

    if (bag->left == 0)
        return false;
    bag->left--;
    ret->id = bytes_take(bytes, 16);
    ret->tag = bytes_u16le(bytes);
    size = bytes_u16le(bytes);
    bytes_skip(bytes, 4);
    data = bytes_take(bytes, size);
    bytes_init(&ret->data, data, data ? size : 0);
    rest = (16 - bytes->offset % 16) % 16; /* the first entry lies at a multiple of it */
    bytes_skip(bytes, rest < bytes_left(bytes) ? rest : bytes_left(bytes));
    return !bytes_failed(bytes);
}

/* What has this tag in a sequence of DER. False: nothing, or damaged. */
static bool der_find(struct bytes bytes, uint8_t tag, struct bytes *ret)
{
    while (bytes_left(&bytes) > 0) {
        uint8_t own = bytes_u8(&bytes), size = bytes_u8(&bytes);
        size_t whole = size;
        const uint8_t *data;

        if (size == 0x81)
            whole = bytes_u8(&bytes);
        else if (size == 0x82)
            whole = bytes_u16be(&bytes);
        else if (size >= 0x80)
            return false;
        data = bytes_take(&bytes, whole);
        if (!data)
            return false;
        if (own == tag) {
            bytes_init(ret, data, whole);
            return true;
        }
    }
    return false;
}

/* A wrapped key: `ret_inside` has what else there is of it. -ENOTSUP: wrapped by a machine. */
static int parse_wrapped(struct bytes blob, uint8_t ret_wrapped[APFS_WRAPPED_MAX], uint8_t *ret_size,
                         struct bytes *ret_inside)
{
    struct bytes outer, flags, wrapped;
    uint8_t kind;

    if (!der_find(blob, 0x30, &outer) || !der_find(outer, 0xa3, ret_inside) ||
        !der_find(*ret_inside, 0x82, &flags) || !der_find(*ret_inside, 0x83, &wrapped) || flags.size < 1)
        return -EINVAL;
    kind = bytes_u8(&flags);
    if (kind & 1)
        return -ENOTSUP;
    *ret_size = kind & 2 ? 16 : 32;
    if (wrapped.size < *ret_size + 8U || wrapped.size > APFS_WRAPPED_MAX)
        return -EINVAL;
    memcpy(ret_wrapped, wrapped.data, wrapped.size);
    return 0;
}

static int parse_record(const struct entry *entry, struct apfs_record *ret)
{
    struct bytes inside, rounds, salt;
    uint64_t count = 0;
    int code = parse_wrapped(entry->data, ret->wrapped, &ret->size, &inside);

    if (code < 0)
        return code;
    if (!der_find(inside, 0x84, &rounds) || !der_find(inside, 0x85, &salt) || salt.size != sizeof ret->salt ||
        rounds.size > 8)
        return -EINVAL;
    memcpy(ret->salt, salt.data, sizeof ret->salt);
    while (bytes_left(&rounds) > 0)
        count = count << 8 | bytes_u8(&rounds);
    ret->rounds = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    ret->recovery = memcmp(entry->id, recovery_id, sizeof recovery_id) == 0;
    return 0;
}

/* ------------------------------------------------------------------ the lock */

/* The volume's key, and where its own bag is. */
static int read_container_bag(const struct reader *container, const struct super *super,
                              const uint8_t volume[16], struct apfs_lock *lock, struct place *ret_bag,
                              struct why *why)
{
    struct bag bag = {0};
    struct bytes inside, id;
    struct entry entry;
    bool found = false;
    int code = bag_open(container, super->bag, super->id, TYPE_CONTAINER_BAG, &bag, why);

    while (code == 0 && bag_next(&bag, &entry)) {
        if (memcmp(entry.id, volume, 16) != 0)
            continue;
        if (entry.tag == TAG_VOLUME_KEY) {
            found = true;
            code = parse_wrapped(entry.data, lock->wrapped, &lock->size, &inside);
            if (code == 0 && der_find(inside, 0x81, &id) && id.size == sizeof lock->id)
                memcpy(lock->id, id.data, sizeof lock->id);
            if (code < 0)
                (void)why_set(why, code,
                              code == -ENOTSUP
                                  ? "its key is wrapped by the hardware of the Mac that it comes from"
                                  : "its key is damaged");
        } else if (entry.tag == TAG_RECORDS) {
            ret_bag->block = bytes_u64le(&entry.data);
            ret_bag->count = bytes_u64le(&entry.data);
        }
    }
    bag_close(&bag);
    return code == 0 && !found
               ? why_set(why, -EINVAL, "the key bag of the container has no key of this volume")
               : code;
}

static void take_hint(struct apfs_lock *lock, const struct entry *entry)
{
    struct buf hint = {0};
    size_t used = strlen(lock->words);

    text_escape(&hint, (const char *)entry->data.data,
                entry->data.size < HINT_MAX ? entry->data.size : HINT_MAX);
    text_escaped_cut(&hint, HINT_MAX);
    (void)snprintf(lock->words + used, sizeof lock->words - used, ", hint of its password: %s",
                   buf_cstr(&hint));
    buf_finish(&hint);
}

static int read_volume_bag(const struct reader *container, struct place place, const uint8_t volume[16],
                           struct apfs_lock *lock, struct why *why)
{
    struct bag bag = {0};
    struct entry entry;
    bool hardware = false;
    int code = bag_open(container, place, volume, TYPE_VOLUME_BAG, &bag, why);

    while (code == 0 && bag_next(&bag, &entry)) {
        if (entry.tag == TAG_HINT && memcmp(entry.id, volume, 16) == 0 && entry.data.size > 0)
            take_hint(lock, &entry);
        if (entry.tag != TAG_RECORDS || lock->count == APFS_RECORDS_MAX)
            continue;
        code = parse_record(&entry, &lock->records[lock->count]);
        hardware = hardware || code == -ENOTSUP;
        lock->count += code == 0;
        code = 0; /* one of an institution, say: others may be there */
    }
    bag_close(&bag);
    if (code < 0 || lock->count > 0)
        return code;
    return hardware
               ? why_set(why, -ENOTSUP, "its keys are wrapped by the hardware of the Mac that it comes from")
               : why_set(why, -EINVAL, "its key bag has no record to open it with");
}

int apfs_lock_read(const struct reader *container, uint64_t volume, struct apfs_lock *ret_lock,
                   struct why *why)
{
    uint8_t block[APFS_BLOCK], id[16];
    struct super super;
    struct place bag = {0};
    int code;

    *ret_lock = (struct apfs_lock){.words = "APFS"};
    if (read_block(container, volume, block) < 0 || !find_super(container, &super))
        return why_set(why, -EINVAL, "superblocks cannot be read");
    memcpy(id, block + 0xf0, sizeof id);
    ret_lock->many = !(block[264] & 8);
    print_uuid(id, ret_lock->uuid);
    (void)snprintf(ret_lock->words, sizeof ret_lock->words, "APFS, volume %s%s", ret_lock->uuid,
                   ret_lock->many ? APFS_MANY : "");
    ret_lock->hardware = !(super.flags & 4);
    if (ret_lock->hardware)
        return why_set(why, -ENOTSUP, "%s: its keys are in the hardware of the Mac that it comes from",
                       ret_lock->words);
    code = read_container_bag(container, &super, id, ret_lock, &bag, why);
    if (code == 0)
        code = read_volume_bag(container, bag, id, ret_lock, why);
    return code;
}

/* ------------------------------------------------------------------ opening */

/* A volume that was CoreStorage's has one key of 16 bytes; the other is made of it and of its identifier. */
static int widen(const struct apfs_lock *lock, uint8_t key[APFS_KEY_SIZE])
{
    uint8_t digest[CRYPT_DIGEST_MAX];
    size_t size;

    memcpy(key + 16, lock->id, sizeof lock->id);
    size = crypt_digest("sha256", key, APFS_KEY_SIZE, digest);
    memcpy(key + 16, digest, 16);
    crypt_wipe(digest, sizeof digest);
    return size == 32 ? 0 : -ENOTSUP;
}

static int try_record(const struct apfs_lock *lock, const struct apfs_record *record, const struct key *key,
                      uint8_t ret_key[APFS_KEY_SIZE], struct why *why)
{
    uint8_t derived[32], wrapping[32];
    size_t size = record->size < lock->size ? record->size : lock->size;
    int code;

    if (record->rounds > ROUNDS_MAX)
        return why_set(why, -ENOKEY,
                       "%s: a record in its key bag asks for more computing than is done (%u rounds)",
                       lock->words, (unsigned)record->rounds);
    code = crypt_pbkdf2("sha256", key->data, key->size, record->salt, sizeof record->salt, record->rounds,
                        derived, record->size);
    if (code == 0)
        code = crypt_unwrap(derived, record->size, record->wrapped, record->size + 8U, wrapping);
    if (code == 0)
        code = crypt_unwrap(wrapping, size, lock->wrapped, lock->size + 8U, ret_key);
    if (code == 0 && lock->size == 16)
        code = widen(lock, ret_key);
    crypt_wipe(derived, sizeof derived);
    crypt_wipe(wrapping, sizeof wrapping);
    return code;
}

int apfs_lock_open(const struct apfs_lock *lock, const struct key *key, void (*alive)(void *context),
                   void *context, uint8_t ret_key[APFS_KEY_SIZE], struct why *why)
{

    if (key->kind == KEY_MASTER && key->size == APFS_KEY_SIZE) {
        memcpy(ret_key, key->data, APFS_KEY_SIZE);
        return 0;
    }
    if (key->kind != KEY_PASSWORD && key->kind != KEY_RECOVERY)
        return -ENOKEY;
    for (size_t i = 0; i < lock->count; i++) {
        if (key->kind == KEY_RECOVERY && !lock->records[i].recovery)
            continue;
        if (alive)
            alive(context);
        if (try_record(lock, &lock->records[i], key, ret_key, why) == 0)
            return 0;
    }
    return -ENOKEY;
}
