/* zip_header: see zip_header.h. */
#include "plugins/archive/zip_header.h"

#include "engine/base/bytes.h"
#include "engine/base/when.h"

#include <string.h>

#define UNKNOWN32 UINT32_C(0xffffffff)

static void clear(struct zip_entry *ret)
{
    *ret = (struct zip_entry){.modified = WHEN_NONE, .accessed = WHEN_NONE, .born = WHEN_NONE, .host = 255};
}

/* What both headers have in the same order, from the flags on. */
static void common(struct bytes *bytes, struct zip_entry *ret)
{
    uint16_t time, date;

    ret->flags = bytes_u16le(bytes);
    ret->method = ret->real_method = bytes_u16le(bytes);
    time = bytes_u16le(bytes);
    date = bytes_u16le(bytes);
    ret->modified = when_from_dos(date, time, 0);
    ret->crc = bytes_u32le(bytes);
    ret->packed = bytes_u32le(bytes);
    ret->size = bytes_u32le(bytes);
    ret->name_size = bytes_u16le(bytes);
    ret->extra_size = bytes_u16le(bytes);
}

bool zip_central(const uint8_t data[ZIP_CENTRAL], struct zip_entry *ret)
{
    struct bytes bytes;
    uint32_t attributes;

    if (memcmp(data, "PK\1\2", 4) != 0)
        return false;
    clear(ret);
    ret->host = data[5];
    bytes_init(&bytes, data, ZIP_CENTRAL);
    bytes_skip(&bytes, 8);
    common(&bytes, ret);
    ret->comment_size = bytes_u16le(&bytes);
    ret->disk = bytes_u16le(&bytes);
    bytes_skip(&bytes, 2);
    attributes = bytes_u32le(&bytes);
    ret->header = bytes_u32le(&bytes);
    ret->mode = ret->host == 3 || ret->host == 19 ? attributes >> 16 : 0;
    ret->owned = ret->mode != 0;
    ret->uid = ret->gid = UINT64_MAX;
    return true;
}

bool zip_local(const uint8_t data[ZIP_LOCAL], struct zip_entry *ret)
{
    struct bytes bytes;

    if (memcmp(data, "PK\3\4", 4) != 0)
        return false;
    clear(ret);
    bytes_init(&bytes, data, ZIP_LOCAL);
    bytes_skip(&bytes, 6);
    common(&bytes, ret);
    ret->uid = ret->gid = UINT64_MAX;
    return true;
}

/* ------------------------------------------------------------------ extra fields */

/* Only what does not fit into 32 bits is there, in this order. */
static void zip64(struct zip_entry *entry, struct bytes *field, bool central)
{
    if (entry->size == UNKNOWN32)
        entry->size = bytes_u64le(field);
    if (entry->packed == UNKNOWN32)
        entry->packed = bytes_u64le(field);
    if (central && entry->header == UNKNOWN32)
        entry->header = bytes_u64le(field);
    if (central && entry->disk == 0xffff)
        entry->disk = bytes_u32le(field);
}

static void unix_times(struct zip_entry *entry, struct bytes *field)
{
    uint8_t flags = bytes_u8(field);
    int64_t *const times[] = {&entry->modified, &entry->accessed, &entry->born};

    for (unsigned i = 0; i < 3; i++) {
        if ((flags >> i & 1) == 0 || bytes_left(field) < 4)
            continue;
        *times[i] = when_from_unix((int32_t)bytes_u32le(field), 0);
        entry->utc = entry->utc || i == 0;
    }
}

static void ntfs_times(struct zip_entry *entry, struct bytes *field)
{
    bytes_skip(field, 4);
    while (bytes_left(field) >= 4) {
        uint16_t tag = bytes_u16le(field), size = bytes_u16le(field);

        if (tag == 1 && size >= 24 && bytes_left(field) >= 24) {
            entry->modified = when_from_filetime(bytes_u64le(field));
            entry->accessed = when_from_filetime(bytes_u64le(field));
            entry->born = when_from_filetime(bytes_u64le(field));
            entry->utc = true;
            return;
        }
        bytes_skip(field, size);
    }
}

static uint64_t number(struct bytes *field)
{
    size_t size = bytes_u8(field);
    const uint8_t *data = bytes_take(field, size);
    uint64_t value = 0;

    if (data == NULL || size > 8)
        return UINT64_MAX;
    while (size > 0)
        value = value << 8 | data[--size];
    return value;
}

static void owner(struct zip_entry *entry, struct bytes *field)
{
    if (bytes_u8(field) != 1)
        return;
    entry->uid = number(field);
    entry->gid = number(field);
    entry->owned = true;
}

static void aes(struct zip_entry *entry, struct bytes *field)
{
    uint8_t strength;

    bytes_skip(field, 4);
    strength = bytes_u8(field);
    entry->real_method = bytes_u16le(field);
    if (!bytes_failed(field) && strength >= 1 && strength <= 3)
        entry->aes_bits = 64U + 64U * strength;
}

static void one_extra(struct zip_entry *entry, uint16_t tag, const uint8_t *data, size_t size, bool central)
{
    struct bytes field;

    bytes_init(&field, data, size);
    switch (tag) {
    case 0x0001:
        zip64(entry, &field, central);
        break;
    case 0x000a:
        ntfs_times(entry, &field);
        break;
    case 0x0017:
        bytes_skip(&field, 2);
        entry->strong = bytes_u16le(&field);
        break;
    case 0x5455:
        unix_times(entry, &field);
        break;
    case 0x7075: /* version 1 and a CRC of the other name stand before it */
        entry->unicode = size > 5 && data[0] == 1 ? data + 5 : NULL;
        entry->unicode_size = size > 5 ? size - 5 : 0;
        break;
    case 0x7875:
        owner(entry, &field);
        break;
    case 0x9901:
        aes(entry, &field);
        break;
    default:
        break;
    }
}

void zip_extra(struct zip_entry *entry, const uint8_t *data, size_t size, bool central)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    while (bytes_left(&bytes) >= 4) {
        uint16_t tag = bytes_u16le(&bytes), length = bytes_u16le(&bytes);
        const uint8_t *field = bytes_take(&bytes, length);

        if (field == NULL)
            return;
        one_extra(entry, tag, field, length, central);
    }
}

/* ------------------------------------------------------------------ words */

const char *zip_method(uint16_t method)
{
    static const struct {
        uint16_t method;
        const char *name;
    } names[] = {
        {0, "stored"},      {1, "shrunk"},   {2, "reduced 1"}, {3, "reduced 2"}, {4, "reduced 3"},
        {5, "reduced 4"},   {6, "imploded"}, {8, "deflate"},   {9, "deflate64"}, {10, "DCL implode"},
        {12, "bzip2"},      {14, "LZMA"},    {16, "CMPSC"},    {18, "TERSE"},    {19, "LZ77"},
        {20, "zstd (old)"}, {93, "zstd"},    {94, "MP3"},      {95, "xz"},       {96, "JPEG"},
        {97, "WavPack"},    {98, "PPMd"},    {99, "AES"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].method == method)
            return names[i].name;
    }
    return "unknown method";
}

bool zip_can_unpack(uint16_t method)
{
    return method == 0 || method == 8 || method == 12 || method == 14 || method == 93 || method == 95 ||
           method == 98;
}

static const char *strong(uint16_t algorithm)
{
    switch (algorithm) {
    case 0x6601:
        return "DES (PKWARE)";
    case 0x6603:
    case 0x6609:
        return "3DES (PKWARE)";
    case 0x660e:
        return "AES-128 (PKWARE)";
    case 0x660f:
        return "AES-192 (PKWARE)";
    case 0x6610:
        return "AES-256 (PKWARE)";
    case 0x6720:
        return "Blowfish (PKWARE)";
    case 0x6721:
        return "Twofish (PKWARE)";
    default:
        return "strong encryption (PKWARE)";
    }
}

const char *zip_encryption(const struct zip_entry *entry)
{
    if ((entry->flags & ZIP_ENCRYPTED) == 0)
        return NULL;
    if (entry->method == 99)
        return entry->aes_bits == 128   ? "AES-128 (WinZip)"
               : entry->aes_bits == 192 ? "AES-192 (WinZip)"
               : entry->aes_bits == 256 ? "AES-256 (WinZip)"
                                        : "AES (WinZip)";
    return (entry->flags & ZIP_STRONG) != 0 ? strong(entry->strong) : "ZipCrypto";
}

/* ------------------------------------------------------------------ a header for libarchive */

static void put(uint8_t **at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        *(*at)++ = (uint8_t)(value >> 8 * i);
}

size_t zip_make_local(const struct zip_entry *entry, uint8_t ret[ZIP_MADE_MAX])
{
    bool open_end = entry->packed == UINT64_MAX,
         large = !open_end && (entry->packed >= UNKNOWN32 || entry->size >= UNKNOWN32);
    uint16_t flags = (uint16_t)((entry->flags & 6) | (open_end ? ZIP_DESCRIPTOR : 0));
    uint8_t *at = ret;

    put(&at, 0x04034b50, 4);
    put(&at, large ? 45 : 20, 2);
    put(&at, flags, 2);
    put(&at, entry->method, 2);
    put(&at, 0, 4);
    put(&at, open_end ? 0 : entry->crc, 4);
    put(&at, open_end ? 0 : large ? UNKNOWN32 : entry->packed, 4);
    put(&at, open_end ? 0 : large ? UNKNOWN32 : entry->size, 4);
    put(&at, 1, 2);
    put(&at, large ? 20 : 0, 2);
    put(&at, 'm', 1);
    if (large) {
        put(&at, 1, 2);
        put(&at, 16, 2);
        put(&at, entry->size, 8);
        put(&at, entry->packed, 8);
    }
    return (size_t)(at - ret);
}
