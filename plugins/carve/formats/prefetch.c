/*
 * prefetch: Windows prefetch files [J. Metz, Windows Prefetch File (PF) format; MS-XCA]. A header with the
 * size of the file, and four sections: files, chains of traces, names and volumes, the last of which ends it.
 * From Windows 10 on all of it is compressed, behind a header with its size.
 *
 * Validated: the sections follow each other to the end as the header says, and every file's name lies where
 * the names are; compressed ones also end with the mark that ends a stream, just where all has come out. The
 * checksum that other compressed files of this kind have is checked.
 */
#include "plugins/carve/formats/xpress.h"
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 84, INFORMATION = 36, NAME = 16, NAME_SIZE = 60, FILE_MAX = 32 * 1024 * 1024 };
enum { PACKED_HEADER = 8, PACKED_SUM = 4 };

/* ------------------------------------------------------------------ what is inside */

static bool is_header(const uint8_t *data)
{
    uint32_t version = field_le32(data);

    return memcmp(data + 4, "SCCA", 4) == 0 &&
           (version == 17 || version == 23 || version == 26 || version == 30 || version == 31);
}

struct sections {
    uint32_t version, files, file_count, chains, chain_count, names, names_size, volumes, volume_count,
        volumes_size;
};

static void read_sections(struct sections *ret, const uint8_t *data)
{
    uint32_t *const fields[] = {&ret->files,       &ret->file_count,   &ret->chains,
                                &ret->chain_count, &ret->names,        &ret->names_size,
                                &ret->volumes,     &ret->volume_count, &ret->volumes_size};

    ret->version = field_le32(data);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *fields[i] = field_le32(data + HEADER + 4 * i);
}

/* Do the sections follow each other, with nothing between but what aligns them, to the end? */
static bool sections_fit(const struct sections *s, size_t size)
{
    uint64_t file = s->version == 17 ? 20 : 32, chain = s->version >= 30 ? 8 : 12;

    return s->files >= HEADER + INFORMATION && s->files <= 1024 &&
           s->files + s->file_count * file == s->chains && s->chains + s->chain_count * chain == s->names &&
           (uint64_t)s->names + s->names_size <= s->volumes &&
           s->volumes - s->names - s->names_size <= 1024 && (uint64_t)s->volumes + s->volumes_size == size &&
           s->volume_count <= s->volumes_size / 40;
}

static bool is_nul(const uint8_t *data, const struct sections *s, uint64_t at)
{
    return at + 2 <= s->names_size && data[s->names + at] == 0 && data[s->names + at + 1] == 0;
}

/* Does every file have a name that begins behind a NUL and ends before one? */
static bool names_hold(const struct sections *s, const uint8_t *data)
{
    size_t entry = s->version == 17 ? 20 : 32, name = s->version == 17 ? 8 : 12;

    for (uint32_t i = 0; i < s->file_count; i++) {
        const uint8_t *file = data + s->files + i * entry + name;
        uint64_t at = field_le32(file), length = field_le32(file + 4);

        if ((at > 0 && (at < 2 || !is_nul(data, s, at - 2))) || !is_nul(data, s, at + 2 * length))
            return false;
        for (uint64_t k = at; k < at + 2 * length; k += 2) {
            if (is_nul(data, s, k))
                return false;
        }
    }
    return true;
}

/* A text of `length` characters that begins with a backslash and ends with NUL, at `at` of the volumes. */
static bool path_holds(const struct sections *s, const uint8_t *data, uint64_t at, uint64_t length)
{
    const uint8_t *path;

    if (at > s->volumes_size || 2 * (length + 1) > s->volumes_size - at)
        return false;
    path = data + s->volumes + at;
    for (uint64_t i = 0; i < length; i++) {
        if (path[2 * i] == 0 && path[2 * i + 1] == 0)
            return false;
    }
    return length > 0 && path[0] == '\\' && path[1] == 0 && path[2 * length] == 0 &&
           path[2 * length + 1] == 0;
}

/* Every volume has a path, and the paths of folders behind each other, each with its length. */
static bool volumes_hold(const struct sections *s, const uint8_t *data)
{
    size_t entry = s->version == 17 ? 40 : s->version < 30 ? 104 : 96;

    for (uint32_t i = 0; i < s->volume_count; i++) {
        const uint8_t *volume = data + s->volumes + i * entry;
        uint64_t at;

        if ((i + 1) * (uint64_t)entry > s->volumes_size ||
            !path_holds(s, data, field_le32(volume), field_le32(volume + 4)))
            return false;
        at = field_le32(volume + 28);
        for (uint32_t k = field_le32(volume + 32); k > 0; k--) {
            uint64_t length;

            if (at + 2 > s->volumes_size)
                return false;
            length = data[s->volumes + at] | (uint64_t)data[s->volumes + at + 1] << 8;
            if (!path_holds(s, data, at + 2, length))
                return false;
            at += 2 + 2 * (length + 1);
        }
    }
    return true;
}

/* Every trace goes on with another one, or ends; version 30 has no chains. */
static bool chains_hold(const struct sections *s, const uint8_t *data)
{
    for (uint32_t i = 0; i < s->chain_count && s->version < 30; i++) {
        uint32_t next = field_le32(data + s->chains + (size_t)i * 12);

        if (next != UINT32_MAX && next >= s->chain_count)
            return false;
    }
    return true;
}

static bool inside_holds(const uint8_t *data, size_t size)
{
    struct sections sections;

    if (size < HEADER + INFORMATION || !is_header(data) || field_le32(data + 12) != size)
        return false;
    read_sections(&sections, data);
    return sections_fit(&sections, size) && names_hold(&sections, data) && chains_hold(&sections, data) &&
           volumes_hold(&sections, data);
}

static void take_title(struct carved *ret, const uint8_t *data, size_t size)
{
    size_t length = 0;

    if (size < HEADER || !is_header(data))
        return;
    while (length < NAME_SIZE - 2 && (data[NAME + length] != 0 || data[NAME + length + 1] != 0))
        length += 2;
    carved_title(ret, data + NAME, length, "UTF-16LE");
}

/* ------------------------------------------------------------------ as it is */

/* All of the file in memory, the caller's to free; *ret_size less than `size` where the data ends before. */
static uint8_t *slurp(struct reader *reader, size_t size, size_t *ret_size)
{
    uint8_t *data = malloc(size);

    *ret_size = 0;
    while (data != NULL && *ret_size < size) {
        const uint8_t *from;
        size_t span = reader_span(reader, *ret_size, &from);

        if (span == 0)
            break;
        span = span < size - *ret_size ? span : size - *ret_size;
        memcpy(data + *ret_size, from, span);
        *ret_size += span;
    }
    return data;
}

static enum carve_grade examine_prefetch(struct reader *reader, struct carved *ret)
{
    const uint8_t *head = reader_at(reader, 0, HEADER + INFORMATION);
    struct sections sections;
    size_t size, got;
    uint8_t *data;

    if (head == NULL || !is_header(head))
        return CARVE_NONE;
    size = field_le32(head + 12);
    read_sections(&sections, head);
    if (size > FILE_MAX || !sections_fit(&sections, size))
        return CARVE_NONE;
    take_title(ret, head, HEADER);
    data = slurp(reader, size, &got);
    if (data == NULL)
        return CARVE_NONE;
    if (got < size)
        carved_partial(ret, got, "the data ends before byte %zu", size);
    else if (inside_holds(data, size))
        carved_whole(ret, CARVE_VALIDATED, size);
    else
        carved_partial(ret, HEADER + INFORMATION, "a name, trace or volume is not where it should be");
    free(data);
    return ret->grade;
}

/* ------------------------------------------------------------------ compressed */

/* The CRC-32 of everything but itself, for which zeros count. */
static bool sum_holds(struct reader *reader, uint64_t end)
{
    static const uint8_t zero[PACKED_SUM];
    uint64_t at = PACKED_HEADER + PACKED_SUM;
    uint32_t stored;
    uLong crc;
    const uint8_t *data = reader_at(reader, 0, PACKED_HEADER);

    if (data == NULL)
        return false;
    crc = crc32(crc32(0, data, PACKED_HEADER), zero, sizeof zero);
    if (!reader_le32(reader, PACKED_HEADER, &stored))
        return false;
    while (at < end) {
        size_t span = reader_span(reader, at, &data);

        if (span == 0)
            return false;
        span = span < end - at ? span : (size_t)(end - at);
        crc = crc32(crc, data, (uInt)span);
        at += span;
    }
    return crc == stored;
}

static enum carve_grade judge(struct carved *ret, enum xpress state, const uint8_t *out, size_t made,
                              size_t size, uint64_t end, bool summed)
{
    bool is_prefetch = made >= HEADER && is_header(out);

    if (state != XPRESS_WHOLE && made < HEADER)
        return CARVE_NONE;
    if (!is_prefetch) {
        ret->format = "Windows compressed file (MAM)";
        ret->extension = "mam";
    }
    take_title(ret, out, made);
    if (state == XPRESS_WHOLE)
        return carved_whole(
            ret, summed && (!is_prefetch || inside_holds(out, size)) ? CARVE_VALIDATED : CARVE_COMPLETE, end);
    carved_partial(ret, end, "%zu of %zu bytes come out: %s", made, size,
                   state == XPRESS_CUT ? "the data ends here" : "then the stream is not well-formed");
    if (state != XPRESS_CUT) /* almost any bytes come out as something */
        ret->good = PACKED_HEADER;
    return ret->grade;
}

static enum carve_grade examine_mam(struct reader *reader, struct carved *ret)
{
    const uint8_t *head = reader_at(reader, 0, PACKED_HEADER);
    uint64_t end = 0, begin;
    size_t size, made = 0;
    enum xpress state;
    uint8_t *out;
    bool has_sum;

    if (head == NULL || memcmp(head, "MAM", 3) != 0 || (head[3] & 0x7f) != 4)
        return CARVE_NONE;
    has_sum = (head[3] & 0x80) != 0;
    begin = PACKED_HEADER + (has_sum ? PACKED_SUM : 0);
    size = field_le32(head + 4);
    if (size < HEADER || size > FILE_MAX || (out = malloc(size)) == NULL)
        return CARVE_NONE;
    state = xpress_huffman(reader, begin, out, size, &end, &made);
    end = end < reader_size(reader) ? end : reader_size(reader);
    judge(ret, state, out, made, size, end, !has_sum || (state == XPRESS_WHOLE && sum_holds(reader, end)));
    free(out);
    return ret->grade;
}

static const struct carve_format prefetch_format = {"prefetch", examine_prefetch};
static const struct carve_format mam_format = {"mam", examine_mam};
const struct carve_format *const carve_prefetch[] = {&prefetch_format, &mam_format, NULL};
