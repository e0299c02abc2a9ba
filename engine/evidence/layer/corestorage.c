/*
 * corestorage: what a physical volume of CoreStorage says of its group, and the plist of its keys. libfvde
 * 20190104 unpacks no plist, takes the first extent of the newest logical volume for all of it, and does not
 * count disks; so this is looked at before it is asked.
 */
#include "engine/evidence/layer/layer_filevault.h"

#include "engine/base/bytes.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 512, UNIT = 8192, UNIT_HEADER = 64, COPIES = 4, VOLUMES_MAX = 8, CHAIN_MAX = 256 };
enum {
    UNIT_GROUP = 0x11,
    UNIT_FAMILY = 0x19,
    UNIT_VOLUME = 0x1a,
    UNIT_MORE = 0x24,
    UNIT_EXTENTS = 0x305,
    UNIT_BASE = 0x505
};
#define METADATA_MAX (UINT64_C(64) << 20)

struct header {
    uint32_t sector_size, block_size, metadata_size;
    uint64_t metadata[COPIES];
};

bool corestorage_is(const uint8_t *first, size_t size)
{
    return size >= HEADER && memcmp(first + 88, "CS\1\0\0", 6) == 0 &&
           memcmp(first + 4, "\xff\xff\xff\xff\1\0\x10", 8) == 0;
}

static void print_uuid(const uint8_t id[16], char ret[FILEVAULT_UUID_SIZE])
{
    char *at = ret;

    for (size_t i = 0; i < 16; i++)
        at += snprintf(at, 4, "%s%02X", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

static int read_header(const struct reader *reader, struct header *ret, struct corestorage *storage,
                       struct why *why)
{
    uint8_t data[HEADER];
    struct bytes bytes;
    uint32_t method;

    if (reader_read(reader, 0, data, sizeof data) < 0 || !corestorage_is(data, sizeof data))
        return why_set(why, -EINVAL, "its header is damaged");
    bytes_init(&bytes, data, sizeof data);
    bytes_seek(&bytes, 48);
    ret->sector_size = bytes_u32le(&bytes);
    bytes_seek(&bytes, 96);
    ret->block_size = bytes_u32le(&bytes);
    ret->metadata_size = bytes_u32le(&bytes);
    for (size_t i = 0; i < COPIES; i++)
        ret->metadata[i] = u64_mul_saturating(bytes_u64le(&bytes), ret->block_size);
    bytes_seek(&bytes, 172);
    method = bytes_u32le(&bytes);
    memcpy(storage->key, data + 176, FILEVAULT_KEY_SIZE);
    memcpy(storage->key + FILEVAULT_KEY_SIZE, data + 304, FILEVAULT_KEY_SIZE);
    print_uuid(data + 304, storage->uuid);
    if (ret->sector_size != 512 || method != 2)
        return why_set(why, -ENOTSUP, "sectors of %u bytes, encryption method %u", ret->sector_size, method);
    if (ret->block_size < 512 || ret->block_size > 1 << 20 || ret->metadata_size < 2 * UNIT ||
        ret->metadata_size > METADATA_MAX)
        return why_set(why, -EINVAL, "its header makes no sense");
    return 0;
}

/* ------------------------------------------------------------------ plists, by the names in them */

/* Behind "<key>name</key>"; NULL: it is not there. */
static const char *plist_value(const char *text, const char *name)
{
    char key[80];
    const char *found;

    (void)snprintf(key, sizeof key, "<key>%s</key>", name);
    found = strstr(text, key);
    return found ? found + strlen(key) : NULL;
}

static uint32_t count_disks(const char *text)
{
    const char *at = plist_value(text, "com.apple.corestorage.lvg.physicalVolumes");
    const char *end = at ? strstr(at, "</array>") : NULL;
    uint32_t count = 0;

    while (end && (at = strstr(at, "<string")) && at < end) {
        count++;
        at++;
    }
    return count;
}

/* The plist at `offset` of `size` bytes, with a NUL behind it; empty when there is none. libfvde looks for
 * that NUL as well. */
static const char *text_at(const uint8_t *data, size_t size, uint64_t offset)
{
    if (offset >= size || !memchr(data + offset, '\0', size - (size_t)offset))
        return NULL;
    return (const char *)data + offset;
}

/* ------------------------------------------------------------------ the metadata that are not encrypted */

static bool parse_group(const uint8_t *data, const struct header *header, struct corestorage *storage)
{
    struct bytes bytes;
    uint64_t place, disk_bits = UINT64_C(0xffff) << 48;
    uint32_t descriptor, plist, size;
    uint16_t type;
    const char *text;

    bytes_init(&bytes, data, header->metadata_size);
    bytes_seek(&bytes, 10);
    type = bytes_u16le(&bytes);
    bytes_seek(&bytes, UNIT_HEADER);
    size = bytes_u32le(&bytes);
    bytes_seek(&bytes, UNIT_HEADER + 156);
    descriptor = bytes_u32le(&bytes);
    plist = bytes_u32le(&bytes);
    bytes_seek(&bytes, descriptor);
    bytes_skip(&bytes, 8);
    storage->size = u64_mul_saturating(bytes_u64le(&bytes), header->block_size);
    bytes_skip(&bytes, 16);
    place = bytes_u64le(&bytes);
    storage->metadata = u64_mul_saturating(place & ~disk_bits, header->block_size);
    bytes_skip(&bytes, 8);
    text = text_at(data, header->metadata_size, plist);
    if (bytes_failed(&bytes) || type != UNIT_GROUP || size != header->metadata_size || !text)
        return false;
    storage->disks = count_disks(text);
    if (storage->disks < 2)
        storage->disks = place & disk_bits ? 2 : 1;
    return true;
}

static int read_group(const struct reader *reader, const struct header *header, struct corestorage *storage,
                      struct why *why)
{
    uint8_t *data = malloc(header->metadata_size);
    bool good = data != NULL;

    if (!data)
        return -ENOMEM;
    /* libfvde reads all of them, and believes what they say. */
    for (size_t i = COPIES; good && i-- > 0;)
        good = reader_read(reader, header->metadata[i], data, header->metadata_size) == 0 &&
               parse_group(data, header, storage);
    free(data);
    return good ? 0 : why_set(why, -EINVAL, "a copy of its metadata is damaged");
}

/* ------------------------------------------------------------------ the encrypted ones */

struct unit {
    const uint8_t *body; /* UNIT - UNIT_HEADER bytes */
    uint64_t transaction, object;
    uint16_t type;
};

/* All units one after the other; owned. */
struct units {
    uint8_t *data;
    size_t count;
};

static struct unit unit_at(const struct units *units, size_t i)
{
    struct unit unit = {.body = units->data + i * UNIT + UNIT_HEADER};
    struct bytes bytes;

    bytes_init(&bytes, unit.body - UNIT_HEADER, UNIT);
    bytes_skip(&bytes, 10);
    if (memcmp(unit.body - UNIT_HEADER, "LVFwiped", 8) != 0)
        unit.type = bytes_u16le(&bytes);
    bytes_seek(&bytes, 16);
    unit.transaction = bytes_u64le(&bytes);
    unit.object = bytes_u64le(&bytes);
    return unit;
}

static bool is_empty(const uint8_t *data)
{
    return memcmp(data, data + 1, UNIT - 1) == 0;
}

/* As libfvde does: behind units that are empty nothing counts. */
static int decrypt_units(const struct corestorage *storage, struct units *units)
{
    struct crypt_sectors *sectors;
    size_t count = 0, i = 0;
    int code = crypt_sectors_new("aes", "xts-plain64", storage->key, sizeof storage->key, &sectors);

    if (code < 0)
        return code;
    for (; i < units->count && is_empty(units->data + i * UNIT); i++)
        ;
    for (; code == 0 && i < units->count && !is_empty(units->data + i * UNIT); i++) {
        code = crypt_sectors_decrypt(sectors, i, units->data + i * UNIT, UNIT);
        count = i + 1;
    }
    units->count = count;
    crypt_sectors_free(sectors);
    return code;
}

static int read_units(const struct reader *reader, const struct corestorage *storage, struct units *ret,
                      struct why *why)
{
    struct units units = {.count = (size_t)(storage->size / UNIT)};
    int code;

    if (storage->size == 0 || storage->size % UNIT != 0 || storage->size > METADATA_MAX)
        return why_set(why, -EINVAL, "encrypted metadata of %llu bytes make no sense",
                       (unsigned long long)storage->size);
    units.data = malloc((size_t)storage->size);
    if (!units.data)
        return -ENOMEM;
    code = reader_read(reader, storage->metadata, units.data, (size_t)storage->size);
    if (code == 0)
        code = decrypt_units(storage, &units);
    if (code < 0) {
        free(units.data);
        return why_set(why, -EINVAL, "its encrypted metadata cannot be read");
    }
    *ret = units;
    return 0;
}

/* Each logical volume has a unit in every transaction that changed it. -EINVAL: libfvde would run past its
 * end. */
static int count_volume(const struct unit *unit, char seen[VOLUMES_MAX][FILEVAULT_UUID_SIZE], uint32_t *count)
{
    struct bytes bytes;
    const char *text, *id;

    bytes_init(&bytes, unit->body, UNIT - UNIT_HEADER);
    bytes_seek(&bytes, 64);
    text = text_at(unit->body - UNIT_HEADER, UNIT, bytes_u32le(&bytes));
    if (!text)
        return -EINVAL;
    id = plist_value(text, "com.apple.corestorage.lv.uuid");
    id = id ? strchr(id, '>') : NULL;
    if (!id || strlen(id) < FILEVAULT_UUID_SIZE)
        return 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (memcmp(seen[i], id + 1, FILEVAULT_UUID_SIZE - 1) == 0)
            return 0;
    }
    if (*count < VOLUMES_MAX)
        memcpy(seen[(*count)++], id + 1, FILEVAULT_UUID_SIZE - 1);
    return 0;
}

/* 0, 1, or 2 for more: how many extents a unit lists. One on another disk counts as more. */
static uint32_t count_pieces(const struct unit *unit, size_t disk_at)
{
    struct bytes bytes;
    uint32_t count;

    bytes_init(&bytes, unit->body, UNIT - UNIT_HEADER);
    count = bytes_u32le(&bytes);
    bytes_seek(&bytes, disk_at);
    return count > 1 || (count == 1 && bytes_u16le(&bytes) != 0) ? 2 : count;
}

/* The extents that the newest transaction lists. */
struct extents {
    uint64_t transaction, object;
    uint32_t pieces;
};

/* Another object of the same transaction has more of them; the same one stands for what it was before. */
static void take_extents(struct extents *extents, const struct unit *unit, uint32_t pieces)
{
    if (unit->transaction < extents->transaction)
        return;
    if (unit->transaction == extents->transaction && unit->object != extents->object)
        pieces += extents->pieces > 0 ? 1 : 0;
    *extents = (struct extents){unit->transaction, unit->object, pieces};
}

static int look_through(const struct units *units, struct corestorage *storage)
{
    char seen[VOLUMES_MAX][FILEVAULT_UUID_SIZE] = {{0}};
    struct extents extents = {0}, bases = {0};
    int code = 0;

    for (size_t i = 0; code == 0 && i < units->count; i++) {
        struct unit unit = unit_at(units, i);

        if (unit.type == UNIT_VOLUME)
            code = count_volume(&unit, seen, &storage->volumes);
        else if (unit.type == UNIT_EXTENTS)
            take_extents(&extents, &unit, count_pieces(&unit, 8 + 38));
        else if (unit.type == UNIT_BASE)
            take_extents(&bases, &unit, count_pieces(&unit, 8 + 14));
    }
    storage->pieces = bases.pieces > extents.pieces ? bases.pieces : extents.pieces;
    return code;
}

/* ------------------------------------------------------------------ the plist of keys */

struct chain {
    uint8_t *data; /* owned */
    size_t size;
    uint32_t packed, unpacked; /* sizes */
};

static bool chain_add(struct chain *chain, const uint8_t *data, size_t size)
{
    uint8_t *more =
        chain->size + size <= FILEVAULT_PLIST_MAX ? realloc(chain->data, chain->size + size + 1) : NULL;

    if (!more)
        return false;
    chain->data = more;
    memcpy(more + chain->size, data, size);
    chain->size += size;
    return true;
}

/* The newest unit of a kind; `object` 0: of any. */
static bool find_newest(const struct units *units, uint16_t type, uint64_t object, struct unit *ret)
{
    bool found = false;

    for (size_t i = 0; i < units->count; i++) {
        struct unit unit = unit_at(units, i);
        if (unit.type == type && (object == 0 || unit.object == object) &&
            (!found || unit.transaction >= ret->transaction)) {
            *ret = unit;
            found = true;
        }
    }
    return found;
}

/* False: there is none that is whole. */
static bool gather(const struct units *units, struct chain *chain)
{
    struct unit unit;
    struct bytes bytes;
    uint64_t next;
    uint32_t offset, size;

    if (!find_newest(units, UNIT_FAMILY, 0, &unit))
        return false;
    bytes_init(&bytes, unit.body, UNIT - UNIT_HEADER);
    bytes_skip(&bytes, 32);
    next = bytes_u64le(&bytes);
    chain->packed = bytes_u32le(&bytes);
    chain->unpacked = bytes_u32le(&bytes);
    offset = bytes_u32le(&bytes);
    size = bytes_u32le(&bytes);
    if (size == 0 || !u64_range_fits(offset, size, UNIT) ||
        !chain_add(chain, unit.body - UNIT_HEADER + offset, size))
        return false;
    for (size_t i = 0; next != 0 && chain->size < chain->packed && i < CHAIN_MAX; i++) {
        if (!find_newest(units, UNIT_MORE, next, &unit))
            return false;
        bytes_init(&bytes, unit.body, UNIT - UNIT_HEADER);
        next = bytes_u64le(&bytes);
        size = bytes_u32le(&bytes);
        if (!u64_range_fits(16, size, UNIT - UNIT_HEADER) || !chain_add(chain, unit.body + 16, size))
            return false;
    }
    return true;
}

static int take_keys(const struct units *units, struct filevault_plist *ret)
{
    struct chain chain = {0};
    int code = 0;

    if (gather(units, &chain) && memcmp(chain.data, "<", 1) == 0) {
        *ret = (struct filevault_plist){(char *)chain.data, chain.size};
        chain.data = NULL;
    } else if (chain.data && chain.unpacked > 0 && chain.unpacked <= FILEVAULT_PLIST_MAX) {
        uLongf size = chain.unpacked;

        ret->data = malloc(chain.unpacked + 1);
        if (ret->data && uncompress((uint8_t *)ret->data, &size, chain.data, chain.size) == Z_OK)
            ret->size = size;
        code = ret->data ? 0 : -ENOMEM;
    }
    if (ret->data && ret->size > 0)
        ret->data[ret->size] = '\0';
    else
        filevault_plist_finish(ret);
    free(chain.data);
    return code;
}

/* How far the encryption has come: one word of letters. */
static void take_status(const char *text, char ret[FILEVAULT_STATUS_SIZE])
{
    const char *word = plist_value(text, "ConversionStatus");
    size_t size;

    word = word ? strchr(word, '>') : NULL;
    if (!word)
        return;
    word++;
    size = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    (void)snprintf(ret, FILEVAULT_STATUS_SIZE, "%.*s",
                   (int)(size < FILEVAULT_STATUS_SIZE ? size : FILEVAULT_STATUS_SIZE - 1),
                   size > 0 && word[size] == '<' ? word : "unknown");
}

static int read_secrets(const struct reader *reader, struct corestorage *storage, struct why *why)
{
    struct units units = {0};
    int code = read_units(reader, storage, &units, why);

    if (code < 0)
        return code;
    code = look_through(&units, storage);
    if (code == -EINVAL)
        (void)why_set(why, code, "a description of a logical volume has no end");
    if (code == 0)
        code = take_keys(&units, &storage->keys);
    if (code == 0 && storage->keys.data)
        take_status(storage->keys.data, storage->status);
    crypt_wipe(units.data, (size_t)storage->size);
    free(units.data);
    return code;
}

int corestorage_read(const struct reader *reader, struct corestorage *ret_storage, struct why *why)
{
    struct corestorage storage = {0};
    struct header header = {0};
    int code = read_header(reader, &header, &storage, why);

    if (code == 0)
        code = read_group(reader, &header, &storage, why);
    if (code == 0 && storage.disks == 1)
        code = read_secrets(reader, &storage, why);
    if (code < 0) {
        corestorage_finish(&storage);
        return code;
    }
    *ret_storage = storage;
    return 0;
}

void corestorage_finish(struct corestorage *storage)
{
    filevault_plist_finish(&storage->keys);
}
