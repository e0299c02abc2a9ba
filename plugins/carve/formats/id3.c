/*
 * id3: see id3.h. A tag is taken for one only when its whole head is legal; its frames are read for title and
 * pictures and are otherwise left alone: the tag's own size says where it ends.
 */
#include "plugins/carve/formats/id3.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { TAG_HEAD = 10 };

static uint32_t syncsafe(const uint8_t *p)
{
    return (uint32_t)p[0] << 21 | (uint32_t)p[1] << 14 | (uint32_t)p[2] << 7 | p[3];
}

static bool is_syncsafe(const uint8_t *p)
{
    return ((p[0] | p[1] | p[2] | p[3]) & 0x80) == 0;
}

/* A text frame's content: an encoding, and text in it. */
static void take_text(struct carved *carved, const uint8_t *p, size_t size)
{
    uint8_t utf8[512];
    size_t made = 0;

    if (size < 2)
        return;
    if (p[0] == 1 && size >= 3) {
        carved_title(carved, p + 3, size - 3, p[1] == 0xfe ? "UTF-16BE" : "UTF-16LE");
    } else if (p[0] == 2) {
        carved_title(carved, p + 1, size - 1, "UTF-16BE");
    } else if (p[0] == 3) {
        carved_title(carved, p + 1, size - 1, "UTF-8");
    } else if (p[0] == 0) { /* ISO 8859-1 */
        for (size_t i = 1; i < size && p[i] != 0 && made + 2 < sizeof utf8; i++) {
            if (p[i] >= 0x80)
                utf8[made++] = (uint8_t)(0xc0 | p[i] >> 6);
            utf8[made++] = p[i] >= 0x80 ? (uint8_t)(0x80 | (p[i] & 0x3f)) : p[i];
        }
        carved_title(carved, utf8, made, "UTF-8");
    }
}

/* APIC, PIC: the picture begins behind its description; found by its own first bytes. */
static void take_picture(struct reader *reader, struct carved *carved, uint64_t offset, uint64_t size)
{
    uint64_t limit = offset + (size < 512 ? size : 512);
    uint64_t jpeg = reader_find(reader, offset, limit, "\xff\xd8\xff", 3);
    uint64_t png = reader_find(reader, offset, limit, "\x89PNG\r\n", 6);

    if (jpeg != UINT64_MAX && jpeg < png)
        carved_part(carved, jpeg, offset + size - jpeg, "jpg");
    else if (png != UINT64_MAX)
        carved_part(carved, png, offset + size - png, "png");
}

static void take_frames(struct reader *reader, uint64_t at, uint64_t end, unsigned version,
                        struct carved *carved)
{
    size_t id_size = version == 2 ? 3 : 4, head = version == 2 ? 6 : 10;

    while (at + head <= end) {
        const uint8_t *p = reader_at(reader, at, head);
        uint64_t size;
        bool title, picture;

        if (p == NULL || p[0] < 'A' || p[0] > 'Z')
            return;
        size = version == 2                         ? (uint32_t)p[3] << 16 | field_be16(p + 4)
               : version == 4 && is_syncsafe(p + 4) ? syncsafe(p + 4)
                                                    : field_be32(p + 4);
        title = memcmp(p, version == 2 ? "TT2" : "TIT2", id_size) == 0;
        picture = memcmp(p, version == 2 ? "PIC" : "APIC", id_size) == 0;
        at += head;
        if (size == 0 || size > end - at)
            return;
        if (title && size < 2048 && (p = reader_at(reader, at, (size_t)size)) != NULL)
            take_text(carved, p, (size_t)size);
        else if (picture)
            take_picture(reader, carved, at, size);
        at += size;
    }
}

uint64_t id3_tag(struct reader *reader, uint64_t offset, struct carved *carved)
{
    const uint8_t *p = reader_at(reader, offset, TAG_HEAD);
    unsigned version, flags;
    uint64_t begin, size, whole;

    if (p == NULL || memcmp(p, "ID3", 3) != 0 || p[3] < 2 || p[3] > 4 || p[4] != 0 || (p[5] & 0x0f) != 0 ||
        !is_syncsafe(p + 6))
        return 0;
    version = p[3];
    flags = p[5];
    size = syncsafe(p + 6);
    whole = TAG_HEAD + size + (version == 4 && (flags & 0x10) != 0 ? TAG_HEAD : 0);
    if (!u64_range_fits(offset, whole, reader_size(reader)))
        return 0;
    begin = offset + TAG_HEAD;
    if (version > 2 && (flags & 0x40) != 0) { /* an extended head */
        p = reader_at(reader, begin, 4);
        begin += p == NULL ? 0 : version == 4 ? syncsafe(p) : 4 + (uint64_t)field_be32(p);
    }
    if (carved != NULL && begin < offset + TAG_HEAD + size)
        take_frames(reader, begin, offset + TAG_HEAD + size, version, carved);
    return whole;
}

/* An APEv2 tag with a head: what it takes, 0: none. Without one it cannot be found from its front. */
static uint64_t ape_tag(struct reader *reader, uint64_t offset)
{
    uint32_t size, flags;

    if (!reader_is(reader, offset, "APETAGEX", 8) || !reader_le32(reader, offset + 12, &size) ||
        !reader_le32(reader, offset + 20, &flags))
        return 0;
    if ((flags & 0x20000000) == 0 || size < 32 ||
        !u64_range_fits(offset, 32 + (uint64_t)size, reader_size(reader)) ||
        !reader_is(reader, offset + size, "APETAGEX", 8))
        return 0;
    return 32 + (uint64_t)size;
}

/* Lyrics3 v2: from LYRICSBEGIN to a size of six digits and LYRICS200. */
static uint64_t lyrics_tag(struct reader *reader, uint64_t offset)
{
    uint64_t end;

    if (!reader_is(reader, offset, "LYRICSBEGIN", 11))
        return 0;
    end = reader_find(reader, offset, offset + 1024 * 1024, "LYRICS200", 9);
    return end == UINT64_MAX ? 0 : end + 9 - offset;
}

static uint64_t v1_tag(struct reader *reader, uint64_t offset, struct carved *carved)
{
    uint64_t enhanced = reader_is(reader, offset, "TAG+", 4) ? 227 : 0;
    const uint8_t *p = reader_at(reader, offset + enhanced, 128);
    uint8_t text[31] = {0};

    if (p == NULL || memcmp(p, "TAG", 3) != 0 || (enhanced == 0 && p[3] == '+'))
        return 0;
    memcpy(text + 1, p + 3, 30);
    if (carved->title[0] == '\0')
        take_text(carved, text, sizeof text);
    return enhanced + 128;
}

uint64_t id3_behind(struct reader *reader, uint64_t offset, struct carved *carved)
{
    uint64_t size;

    if ((size = lyrics_tag(reader, offset)) > 0)
        offset += size;
    if ((size = ape_tag(reader, offset)) > 0)
        offset += size;
    if ((size = lyrics_tag(reader, offset)) > 0)
        offset += size;
    return offset + v1_tag(reader, offset, carved);
}
