/*
 * dex: programs of Android [Android Open Source Project, Dalvik Executable format]. The header has the file's
 * size, an Adler-32 of all behind it and a SHA-1 of all behind that: validated when both are right.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/hash.h"

#include <string.h>
#include <zlib.h>

enum { HEADER = 0x70, HEADER_41 = 0x78, ADLER_FROM = 12, SHA1_FROM = 32 };

static bool header_is_legal(const uint8_t *p)
{
    uint32_t size = field_le32(p + 32), header = field_le32(p + 36), map = field_le32(p + 52);

    if (memcmp(p, "dex\n0", 5) != 0 || p[5] < '3' || p[5] > '4' || p[6] < '0' || p[6] > '9' || p[7] != 0 ||
        field_le32(p + 40) != 0x12345678 || (header != HEADER && header != HEADER_41) || size < header ||
        map >= size)
        return false;
    for (size_t i = 56; i < 104; i += 8) { /* strings, types, prototypes, fields, methods, classes */
        uint32_t count = field_le32(p + i), offset = field_le32(p + i + 4);

        if (count > size / 4 || (count > 0 && (offset < header || offset >= size)))
            return false;
    }
    return true;
}

/* Adler-32 and SHA-1 in one pass. */
static bool checksums(struct reader *reader, uint64_t end, uint32_t *ret_adler, uint8_t ret_sha1[SHA1_SIZE])
{
    struct hash_all *hash = hash_all_new();
    uLong adler = adler32(0, NULL, 0);
    uint64_t offset = ADLER_FROM;
    struct hash_set set;

    while (hash != NULL && offset < end) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);
        uint64_t limit = offset < SHA1_FROM ? SHA1_FROM : end;

        if (span == 0)
            break;
        span = limit - offset < span ? (size_t)(limit - offset) : span;
        adler = adler32(adler, data, (uInt)span);
        if (offset >= SHA1_FROM)
            hash_all_update(hash, data, span);
        offset += span;
    }
    if (hash != NULL)
        hash_all_final(hash, &set);
    if (hash != NULL)
        memcpy(ret_sha1, set.sha1, SHA1_SIZE);
    hash_all_free(hash);
    *ret_adler = (uint32_t)adler;
    return offset == end;
}

static enum carve_grade examine_dex(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, HEADER);
    uint8_t head[HEADER], sha1[SHA1_SIZE] = {0};
    uint32_t size, adler;

    if (p == NULL || !header_is_legal(p))
        return CARVE_NONE;
    memcpy(head, p, sizeof head);
    size = field_le32(head + 32);
    if (size > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the last %llu bytes: the data ends here",
                              (unsigned long long)(size - reader_size(reader)));
    if (!checksums(reader, size, &adler, sha1))
        return carved_partial(ret, HEADER, "not all of it could be read");
    if (adler == field_le32(head + 8) && memcmp(sha1, head + ADLER_FROM, SHA1_SIZE) == 0)
        return carved_whole(ret, CARVE_VALIDATED, size);
    carved_partial(ret, HEADER, "its checksums are not right: some of it is not its own");
    ret->size = size;
    return ret->grade;
}

static const struct carve_format dex_format = {"dex", examine_dex};
const struct carve_format *const carve_dex[] = {&dex_format, NULL};
