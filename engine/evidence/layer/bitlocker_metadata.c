/*
 * bitlocker_metadata: the boot sector, which says where the three copies of the metadata are, and the
 * metadata.
 */
#include "engine/evidence/layer/bitlocker.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOOT_SIZE = 512,
    HEADER_SIZE = 64,
    SET_SIZE = 48,
    ENTRY_SIZE = 8,
    VALIDATION_SIZE = 8,
    COPY_SIZE = 0x10000, /* what a copy has of the volume */
    VISTA_COPY_SIZE = 0x4000,
};

static const uint8_t guid_since_7[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                         0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};
static const uint8_t guid_on_write[16] = {0x3b, 0x4d, 0xa8, 0x92, 0x80, 0xdd, 0x0e, 0x4d,
                                          0x9e, 0x4e, 0xb1, 0xe3, 0x28, 0x4e, 0xae, 0xd8};

struct boot {
    uint64_t copies[BITLOCKER_COPIES], on_write[2];
    size_t count;
    bool has_maps;
    uint32_t sector_size, cluster_size;
};

/* ------------------------------------------------------------------ lists of entries */

bool bitlocker_next(struct bytes *list, struct bitlocker_entry *ret_entry)
{
    uint16_t size;

    if (bytes_left(list) < ENTRY_SIZE)
        return false;
    size = bytes_u16le(list);
    ret_entry->role = bytes_u16le(list);
    ret_entry->type = bytes_u16le(list);
    bytes_skip(list, 2); /* its version, of which 1 and 3 are seen */
    if (size < ENTRY_SIZE)
        return false;
    ret_entry->size = (size_t)size - ENTRY_SIZE;
    ret_entry->data = bytes_take(list, ret_entry->size);
    return ret_entry->data != NULL;
}

bool bitlocker_set(struct bytes *data, struct bytes *ret_list, uint8_t ret_id[16], uint16_t *ret_method)
{
    const uint8_t *all = data->data + data->offset, *id;
    size_t most = bytes_left(data);
    uint32_t size = bytes_u32le(data), begin, end;

    bytes_skip(data, 4);
    begin = bytes_u32le(data);
    end = bytes_u32le(data);
    id = bytes_take(data, 16);
    bytes_skip(data, 4);
    *ret_method = bytes_u16le(data);
    if (bytes_failed(data) || begin < SET_SIZE || begin > end || end > size || size > most)
        return false;
    memcpy(ret_id, id, 16);
    bytes_init(ret_list, all + begin, end - begin);
    return true;
}

/* ------------------------------------------------------------------ boot sector */

static const uint8_t *find(const uint8_t *data, const uint8_t guid[16])
{
    for (size_t i = 0; i + 16 <= BOOT_SIZE; i++) {
        if (memcmp(data + i, guid, 16) == 0)
            return data + i + 16;
    }
    return NULL;
}

static void take_places(struct boot *boot, const uint8_t *data, const uint8_t *at)
{
    struct bytes bytes;

    bytes_init(&bytes, data, BOOT_SIZE);
    bytes_seek(&bytes, (size_t)(at - data));
    for (boot->count = 0; boot->count < BITLOCKER_COPIES; boot->count++)
        boot->copies[boot->count] = bytes_u64le(&bytes);
    for (size_t i = 0; boot->has_maps && i < 2; i++)
        boot->on_write[i] = bytes_u64le(&bytes);
}

static int parse_boot(const struct reader *reader, struct boot *boot, struct why *why)
{
    uint8_t data[BOOT_SIZE];
    const uint8_t *at;
    struct bytes bytes;

    if (reader_read(reader, 0, data, sizeof data) < 0)
        return why_set(why, -EIO, "its boot sector cannot be read");
    bytes_init(&bytes, data, sizeof data);
    bytes_seek(&bytes, 11);
    boot->sector_size = bytes_u16le(&bytes);
    boot->cluster_size = boot->sector_size * bytes_u8(&bytes);
    if (boot->sector_size < 512 || boot->sector_size > 4096 ||
        (boot->sector_size & (boot->sector_size - 1)) != 0)
        return why_set(why, -EINVAL, "its boot sector is damaged: sectors of %u bytes", boot->sector_size);
    at = find(data, guid_on_write);
    boot->has_maps = at != NULL;
    if (!at)
        at = find(data, guid_since_7);
    if (at) {
        take_places(boot, data, at);
    } else { /* Vista: the first copy alone, in clusters */
        bytes_seek(&bytes, 56);
        boot->copies[0] = u64_mul_saturating(bytes_u64le(&bytes), boot->cluster_size);
        boot->count = 1;
    }
    return 0;
}

/* ------------------------------------------------------------------ one copy */

static void take_header(struct bytes *bytes, struct bitlocker *bitlocker, uint64_t copies[BITLOCKER_COPIES])
{
    uint64_t watermark, last;
    uint32_t log_size, moved;

    bytes_seek(bytes, 10);
    bitlocker->version = bytes_u16le(bytes);
    bitlocker->state = bytes_u16le(bytes);
    bytes_skip(bytes, 2);
    watermark = bytes_u64le(bytes);
    log_size = bytes_u32le(bytes);
    moved = bytes_u32le(bytes);
    for (size_t i = 0; i < BITLOCKER_COPIES; i++)
        copies[i] = bytes_u64le(bytes);
    last = bytes_u64le(bytes);
    bitlocker->encrypted = bitlocker->state == BITLOCKER_DECRYPTED ? 0
                           : watermark > 0                         ? watermark
                                                                   : UINT64_MAX;
    if (bitlocker->state == BITLOCKER_DIRTY)
        bitlocker->log = (struct bitlocker_region){watermark, log_size};
    if (bitlocker->version == 1) {
        bitlocker->mirror = last;
    } else {
        bitlocker->moved = last;
        bitlocker->moved_size = (uint64_t)moved * bitlocker->sector_size;
    }
}

/* Size of the metadata with its header; 0: there are none. */
static size_t measure(const uint8_t *header)
{
    struct bytes bytes;
    size_t size;
    uint16_t version;

    bytes_init(&bytes, header, HEADER_SIZE);
    bytes_skip(&bytes, 8);
    size = bytes_u16le(&bytes);
    version = bytes_u16le(&bytes);
    if (memcmp(header, "-FVE-FS-", 8) != 0 || version < 1 || version > 2)
        return 0;
    size = version == 2 ? size * 16 : size;
    return size >= HEADER_SIZE + SET_SIZE ? size : 0;
}

static bool is_whole(const uint8_t *data, size_t size)
{
    struct bytes bytes;

    bytes_init(&bytes, data + size, VALIDATION_SIZE);
    bytes_skip(&bytes, 4);
    return bytes_u32le(&bytes) == crc32_gzip_refl(0, data, size);
}

/* -EINVAL: there is no metadata at this place. */
static int parse_copy(const struct reader *reader, uint64_t offset, struct bitlocker *bitlocker,
                      uint64_t copies[BITLOCKER_COPIES])
{
    uint8_t header[HEADER_SIZE], *data;
    struct bytes bytes, list;
    size_t size = 0;
    int code = reader_read(reader, offset, header, sizeof header);

    if (code == 0)
        size = measure(header);
    if (size == 0)
        return -EINVAL;
    data = malloc(size + VALIDATION_SIZE);
    if (!data)
        return -ENOMEM;
    code = reader_read(reader, offset, data, size + VALIDATION_SIZE);
    bytes_init(&bytes, data, size);
    if (code == 0)
        take_header(&bytes, bitlocker, copies);
    if (code == 0 && bitlocker_set(&bytes, &list, bitlocker->id, &bitlocker->method)) {
        bitlocker->damaged = !is_whole(data, size);
        bitlocker->entries_size = list.size;
        memmove(data, list.data, list.size);
        bitlocker->entries = data;
        return 0;
    }
    free(data);
    return -EINVAL;
}

/* ------------------------------------------------------------------ what is not the user's */

int bitlocker_region_add(struct bitlocker *bitlocker, uint64_t offset, uint64_t size)
{
    size_t at = bitlocker->region_count;
    uint64_t odd = size % bitlocker->sector_size;

    if (size == 0)
        return 0;
    if (odd > 0)
        size = u64_add_saturating(size, bitlocker->sector_size - odd);
    if (at == BITLOCKER_REGIONS_MAX)
        return -E2BIG;
    while (at > 0 && bitlocker->regions[at - 1].offset > offset)
        at--;
    memmove(bitlocker->regions + at + 1, bitlocker->regions + at,
            (bitlocker->region_count - at) * sizeof bitlocker->regions[0]);
    bitlocker->regions[at] = (struct bitlocker_region){offset, size};
    bitlocker->region_count++;
    return 0;
}

static int add_regions(struct bitlocker *bitlocker, const uint64_t copies[BITLOCKER_COPIES])
{
    uint64_t clusters = (VISTA_COPY_SIZE + bitlocker->cluster_size - 1) / bitlocker->cluster_size;
    uint64_t size = bitlocker->version == 1 ? clusters * bitlocker->cluster_size : COPY_SIZE;
    int code = 0;

    for (size_t i = 0; code == 0 && i < BITLOCKER_COPIES; i++)
        code = bitlocker_region_add(bitlocker, copies[i], size);
    if (code == 0 && bitlocker->version == 2)
        code = bitlocker_region_add(bitlocker, bitlocker->moved,
                                    bitlocker->moved_size > 0 ? bitlocker->moved_size : 1);
    return code;
}

/* The copies are the same; one whose checksum is right is preferred. */
static int choose_copy(const struct reader *reader, const struct boot *boot, struct bitlocker *bitlocker,
                       uint64_t copies[BITLOCKER_COPIES])
{
    int code = -EINVAL;

    for (size_t pass = 0; pass < 2 && code == -EINVAL; pass++) {
        for (size_t i = 0; i < boot->count && code == -EINVAL; i++) {
            code = parse_copy(reader, boot->copies[i], bitlocker, copies);
            if (code == 0 && bitlocker->damaged && pass == 0) {
                free(bitlocker->entries);
                bitlocker->entries = NULL;
                code = -EINVAL;
            }
        }
    }
    return code;
}

int bitlocker_parse(const struct reader *reader, struct bitlocker *ret, struct why *why)
{
    struct boot boot = {.count = 0};
    uint64_t copies[BITLOCKER_COPIES] = {0};
    int code = parse_boot(reader, &boot, why);

    if (code < 0)
        return code;
    ret->sector_size = boot.sector_size;
    ret->cluster_size = boot.cluster_size;
    code = choose_copy(reader, &boot, ret, copies);
    if (code == -EINVAL)
        return why_set(why, code, "its metadata is not there, or damaged");
    if (code == 0 && (ret->cluster_size == 0 || ret->moved % ret->sector_size != 0))
        return why_set(why, -EINVAL, "its metadata is damaged");
    if (code == 0)
        code = add_regions(ret, copies);
    if (code == 0 && boot.has_maps)
        code = bitlocker_eow_parse(reader, boot.on_write, ret, why);
    return code;
}

void bitlocker_free(struct bitlocker *bitlocker)
{
    for (size_t i = 0; i < bitlocker->map_count; i++)
        free(bitlocker->maps[i].bits);
    free(bitlocker->maps);
    free(bitlocker->entries);
}
