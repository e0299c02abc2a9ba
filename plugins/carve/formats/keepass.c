/*
 * keepass: password databases of KeePass [KeePass, KDBX 4 File Format; KeePass 1.x source, PwStructs.h,
 * facts]. KDBX 4 has its header's SHA-256 behind it, then blocks with an HMAC and their length, until one is
 * empty: the end is exact. Validated: the SHA-256 is right and the chain of blocks reaches the empty one (the
 * HMACs need the password). KDBX 3 and KeePass 1 are encrypted as a whole and do not tell their length:
 * partial, as far as the bytes may be encrypted.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/cipher.h"
#include "plugins/carve/formats/field.h"
#include "engine/base/hash.h"

#include <string.h>

enum {
    HEADER_MAX = 64 * 1024 - 32,
    BLOCK_MAX = 64 * 1024 * 1024,
    HMAC = 32,
    KDB_HEADER = 124,
    CIPHER_MAX = 64 * 1024 * 1024,
    FIELDS_MAX = 64
};

/* Fields from 12 on: id, length of 2 (version 3) or 4 bytes, value; field 0 is the last. 0: they do not hold.
 */
static uint64_t header_end(struct reader *reader, unsigned version)
{
    uint64_t at = 12;
    uint32_t seen = 0;

    for (int i = 0; i < FIELDS_MAX; i++) {
        size_t head = version == 4 ? 5 : 3;
        const uint8_t *p = reader_at(reader, at, head);
        uint64_t length;

        if (p == NULL || p[0] > 12)
            return 0;
        length = version == 4 ? field_le32(p + 1) : field_le16(p + 1);
        if ((p[0] == 2 && length != 16) || (p[0] == 3 && length != 4) || (p[0] == 4 && length != 32) ||
            length > HEADER_MAX)
            return 0;
        seen |= 1u << p[0];
        at += head + length;
        if (at > HEADER_MAX || at > reader_size(reader))
            return 0;
        if (p[0] == 0) /* cipher, master seed and IV are there */
            return (seen & 0x94) == 0x94 ? at : 0;
    }
    return 0;
}

static bool header_hash_is_right(struct reader *reader, uint64_t end)
{
    const uint8_t *p = reader_at(reader, 0, (size_t)end);
    struct hash_sha256 *hash = p != NULL ? hash_sha256_new() : NULL;
    uint8_t digest[SHA256_SIZE];

    if (hash == NULL)
        return false;
    hash_sha256_update(hash, p, (size_t)end);
    hash_sha256_final(hash, digest);
    hash_sha256_free(hash);
    return reader_is(reader, end, digest, sizeof digest);
}

static enum carve_grade walk_blocks(struct reader *reader, uint64_t at, struct carved *ret)
{
    for (;;) {
        uint32_t size;

        if (!reader_le32(reader, at + HMAC, &size))
            return carved_partial(ret, at < reader_size(reader) ? at : reader_size(reader),
                                  "the data ends before the last block");
        if (size > BLOCK_MAX || reader_is_all(reader, at, HMAC, 0))
            return carved_partial(ret, at, "no block begins at byte %llu", (unsigned long long)at);
        if (at + HMAC + 4 + size > reader_size(reader))
            return carved_partial(ret, at, "the data ends within the block at byte %llu",
                                  (unsigned long long)at);
        at += HMAC + 4 + (uint64_t)size;
        if (size == 0)
            return carved_whole(ret, CARVE_VALIDATED, at);
    }
}

static enum carve_grade unbounded(struct reader *reader, uint64_t header, struct carved *ret)
{
    uint64_t end = cipher_end(reader, header, header + CIPHER_MAX);

    if (end == header)
        return CARVE_NONE;
    carved_partial(ret, end, "nothing tells its length: the end is where encrypted bytes stop");
    ret->good = header;
    return ret->grade;
}

static enum carve_grade examine_kdbx(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 12);
    unsigned version = p != NULL ? field_le16(p + 10) : 0;
    uint64_t end;

    if (p == NULL || field_le32(p) != 0x9aa2d903 ||
        (field_le32(p + 4) != 0xb54bfb67 && field_le32(p + 4) != 0xb54bfb66) || version < 2 || version > 4 ||
        (end = header_end(reader, version)) == 0)
        return CARVE_NONE;
    ret->format = version == 4 ? "KeePass database (KDBX 4)" : "KeePass database (KDBX 3)";
    if (version < 4)
        return unbounded(reader, end, ret);
    if (!header_hash_is_right(reader, end))
        return carved_partial(ret, 12, "the header's SHA-256");
    return walk_blocks(reader, end + SHA256_SIZE + HMAC, ret);
}

static enum carve_grade examine_kdb(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, KDB_HEADER);

    if (p == NULL || field_le32(p) != 0x9aa2d903 || field_le32(p + 4) != 0xb54bfb65 ||
        (field_le32(p + 8) & ~15u) != 0 || field_le32(p + 8) == 0 || field_le32(p + 12) >> 16 != 3 ||
        field_le32(p + 48) > 100000 || field_le32(p + 52) > 10000000)
        return CARVE_NONE;
    return unbounded(reader, KDB_HEADER, ret);
}

static const struct carve_format kdbx_format = {"kdbx", examine_kdbx};
static const struct carve_format kdb_format = {"kdb", examine_kdb};
const struct carve_format *const carve_keepass[] = {&kdbx_format, &kdb_format, NULL};
