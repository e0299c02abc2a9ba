/*
 * luks: headers of volumes that Linux encrypts [LUKS On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format
 * Specification 1.1.1]. What is taken is the header with its key slots: all that a password can be tried on.
 * How long the volume behind it is, it does not tell. LUKS1 has no checksum; LUKS2 has two headers, each with
 * one over itself and its JSON. The key slots have none: complete at best. The title is the label, or the
 * UUID.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    LUKS1_HEADER = 592,
    SLOTS = 8,
    SECTOR = 512,
    AREA_MAX = 128 * 1024 * 1024,
    LUKS2_HEADER = 4096,
    LUKS2_MAX = 4 * 1024 * 1024,
    CHECKSUM = 0x1c0
};

/* A name of printable ASCII, filled up with zeros. */
static bool is_name(const uint8_t *p, size_t size)
{
    size_t n = strnlen((const char *)p, size);

    for (size_t i = 0; i < size; i++) {
        if (i < n ? p[i] < ' ' || p[i] > '~' : p[i] != 0)
            return false;
    }
    return n > 0 && n < size;
}

static enum carve_grade examine_luks1(struct reader *reader, const uint8_t *p, struct carved *ret)
{
    uint64_t payload = (uint64_t)field_be32(p + 104) * SECTOR, end = LUKS1_HEADER;
    uint32_t key = field_be32(p + 108);

    if (!is_name(p + 8, 32) || !is_name(p + 40, 32) || !is_name(p + 72, 32) || key < 8 || key > 1024 ||
        field_be32(p + 164) == 0 || payload > AREA_MAX)
        return CARVE_NONE;
    for (size_t i = 0; i < SLOTS; i++) {
        const uint8_t *slot = p + 208 + 48 * i;
        uint64_t offset = (uint64_t)field_be32(slot + 40) * SECTOR,
                 size = (uint64_t)field_be32(slot + 44) * key;

        if ((field_be32(slot) != 0xac71f3 && field_be32(slot) != 0xdead) || field_be32(slot + 44) > 16000 ||
            offset + size > AREA_MAX || (payload > 0 && offset + size > payload))
            return CARVE_NONE;
        end = offset + size > end ? offset + size : end;
    }
    carved_title(ret, p + 168, strnlen((const char *)p + 168, 40), "UTF-8");
    end = payload > 0 ? payload : end;
    ret->format = "LUKS1 header with its key slots; the volume behind it is not part of this";
    if (end > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends within the key slots");
    return carved_whole(ret, CARVE_COMPLETE, end);
}

/* Header and JSON with the checksum's place as zeros: SHA-256 is what cryptsetup writes. */
static bool checksum_is_right(struct reader *reader, uint64_t at, uint64_t size)
{
    static const uint8_t zero[64];
    struct hash_sha256 *hash = hash_sha256_new();
    uint8_t digest[SHA256_SIZE], stored[SHA256_SIZE];
    const uint8_t *p = reader_at(reader, at, LUKS2_HEADER);

    if (hash == NULL || p == NULL || memcmp(p + 0x48, "sha256\0", 7) != 0) {
        hash_sha256_free(hash);
        return false;
    }
    memcpy(stored, p + CHECKSUM, sizeof stored);
    hash_sha256_update(hash, p, CHECKSUM);
    hash_sha256_update(hash, zero, sizeof zero);
    hash_sha256_update(hash, p + CHECKSUM + sizeof zero, LUKS2_HEADER - CHECKSUM - sizeof zero);
    for (uint64_t done = LUKS2_HEADER; done < size && p != NULL; done += LUKS2_HEADER) {
        if ((p = reader_at(reader, at + done, LUKS2_HEADER)) != NULL)
            hash_sha256_update(hash, p, LUKS2_HEADER);
    }
    hash_sha256_final(hash, digest);
    hash_sha256_free(hash);
    return p != NULL && memcmp(digest, stored, sizeof digest) == 0;
}

/* The decimal that the JSON has behind "keyslots_size":" */
static uint64_t keyslots_size(struct reader *reader, uint64_t json, uint64_t limit)
{
    static const char key[] = "\"keyslots_size\":\"";
    uint64_t at = reader_find(reader, json, limit, key, sizeof key - 1), number = 0;
    uint8_t c = 0;

    if (at == UINT64_MAX)
        return 0;
    at += sizeof key - 1;
    for (int i = 0; i < 10 && reader_u8(reader, at + (uint64_t)i, &c) && isdigit(c); i++)
        number = number * 10 + (c - '0');
    return c == '"' && number <= AREA_MAX ? number : 0;
}

static bool is_header_size(uint64_t size)
{
    return size >= 16 * 1024 && size <= LUKS2_MAX && (size & (size - 1)) == 0;
}

static enum carve_grade examine_luks2(struct reader *reader, const uint8_t *p, struct carved *ret)
{
    uint64_t size = field_be64(p + 8), slots;
    bool first, second;

    if (!is_header_size(size) || field_be64(p + 0x100) != 0 || !is_name(p + 0x48, 32) ||
        !is_name(p + 0xa8, 40))
        return CARVE_NONE;
    if (is_name(p + 0x18, 48))
        carved_title(ret, p + 0x18, strnlen((const char *)p + 0x18, 48), "UTF-8");
    else
        carved_title(ret, p + 0xa8, strnlen((const char *)p + 0xa8, 40), "UTF-8");
    ret->format = "LUKS2 headers with their key slots; the volume behind them is not part of this";
    first = checksum_is_right(reader, 0, size);
    second = reader_is(reader, size, "SKUL\xba\xbe\0\2", 8) && checksum_is_right(reader, size, size);
    slots = keyslots_size(reader, first || !second ? LUKS2_HEADER : size + LUKS2_HEADER,
                          size * (first || !second ? 1 : 2));
    if (!first && !second)
        return carved_partial(ret, LUKS1_HEADER, "the checksums of both headers");
    if (2 * size + slots > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends within the key slots");
    if (!first || !second)
        return carved_partial(ret, 2 * size + slots, "the checksum of the %s header",
                              first ? "second" : "first");
    return carved_whole(ret, CARVE_COMPLETE, 2 * size + slots);
}

static enum carve_grade examine_luks(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, LUKS1_HEADER);
    uint8_t header[LUKS1_HEADER];

    if (p == NULL || memcmp(p, "LUKS\xba\xbe\0", 7) != 0)
        return CARVE_NONE;
    memcpy(header, p, sizeof header);
    return header[7] == 1   ? examine_luks1(reader, header, ret)
           : header[7] == 2 ? examine_luks2(reader, header, ret)
                            : CARVE_NONE;
}

static const struct carve_format luks_format = {"luks", examine_luks};
const struct carve_format *const carve_luks[] = {&luks_format, NULL};
