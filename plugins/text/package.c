/*
 * package: ZIP files with XML inside: Word, Excel, PowerPoint (OOXML), OpenDocument, EPUB. The central
 * directory says where members are; only those that hold text are unpacked, each within a limit.
 * [APPNOTE.TXT 6.3; ECMA-376; ODF 1.3]
 */
#include "plugins/text/extract.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    MEMBERS_MAX = 20000,
    MEMBER_MAX = 256 * 1024 * 1024,
    END_SIZE = 22,
    ENTRY_SIZE = 46,
    CHUNK = 256 * 1024
};

struct member {
    const uint8_t *name;
    size_t name_size;
    uint32_t method, flags;
    uint64_t packed, size, offset;
};

struct package {
    const struct document *document;
    const char *format;
    struct output *output;
};

/* The last end record there is. */
static bool find_end(const struct document *document, size_t *ret_at)
{
    size_t last = document->size < END_SIZE ? 0 : document->size - END_SIZE;
    size_t first = last > 65535 ? last - 65535 : 0;

    if (document->size < END_SIZE)
        return false;
    for (size_t at = last + 1; at-- > first;) {
        if (memcmp(document->data + at, "PK\5\6", 4) == 0) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

static bool name_is(const struct member *member, const char *begin, const char *end)
{
    size_t before = strlen(begin), behind = strlen(end);

    return member->name_size >= before + behind && memcmp(member->name, begin, before) == 0 &&
           memcmp(member->name + member->name_size - behind, end, behind) == 0;
}

/* What kind of document a member shows; NULL for one that has no text of its own. */
static const char *format_of(const struct member *member)
{
    static const struct {
        const char *begin, *end, *format;
    } names[] = {
        {"word/document", ".xml", "docx"},
        {"word/header", ".xml", "docx"},
        {"word/footer", ".xml", "docx"},
        {"word/footnotes", ".xml", "docx"},
        {"word/endnotes", ".xml", "docx"},
        {"word/comments", ".xml", "docx"},
        {"xl/sharedStrings", ".xml", "xlsx"},
        {"xl/worksheets/sheet", ".xml", "xlsx"},
        {"xl/comments", ".xml", "xlsx"},
        {"ppt/slides/slide", ".xml", "pptx"},
        {"ppt/notesSlides/notesSlide", ".xml", "pptx"},
        {"content.xml", "", "opendocument"},
        {"styles.xml", "", "opendocument"},
        {"docProps/core", ".xml", ""},
        {"meta.xml", "", ""},
        {"OEBPS/", "html", "epub"},
        {"OPS/", "html", "epub"},
        {"EPUB/", "html", "epub"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name_is(member, names[i].begin, names[i].end))
            return names[i].format;
    }
    return NULL;
}

/* A member's bytes in the package; NULL where they are not. */
static const uint8_t *member_bytes(const struct document *document, const struct member *member)
{
    struct bytes bytes;
    uint16_t name, extra;

    if (!u64_range_fits(member->offset, 30, document->size))
        return NULL;
    bytes_init(&bytes, document->data + member->offset, 30);
    if (bytes_u32le(&bytes) != 0x04034b50)
        return NULL;
    bytes_skip(&bytes, 22);
    name = bytes_u16le(&bytes);
    extra = bytes_u16le(&bytes);
    if (!u64_range_fits(member->offset + 30 + name + extra, member->packed, document->size))
        return NULL;
    return document->data + member->offset + 30 + name + extra;
}

/* Unpacked as far as it goes. */
static void inflate_member(struct package *package, const uint8_t *packed, const struct member *member,
                           struct buf *ret)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)member->packed};
    uint8_t *chunk = malloc(CHUNK);
    int code = chunk == NULL ? Z_MEM_ERROR : inflateInit2(&z, -15);

    while (code == Z_OK && ret->size < MEMBER_MAX) {
        z.next_out = chunk;
        z.avail_out = CHUNK;
        code = inflate(&z, Z_NO_FLUSH);
        if (code == Z_OK && z.avail_out == CHUNK)
            break;
        buf_append(ret, chunk, CHUNK - z.avail_out);
        if (!output_spend(package->output, CHUNK - z.avail_out))
            break;
    }
    if (code != Z_STREAM_END)
        output_lacks(package->output, "a part of the package could not be unpacked whole");
    if (chunk != NULL)
        inflateEnd(&z);
    free(chunk);
}

static void take_member(struct package *package, const struct member *member)
{
    const char *format = format_of(member);
    const uint8_t *packed = format != NULL ? member_bytes(package->document, member) : NULL;
    struct buf text = {0};

    if (format == NULL)
        return;
    if (package->format == NULL || package->format[0] == '\0')
        package->format = format;
    if (packed == NULL || member->packed > UINT32_MAX || (member->method != 0 && member->method != 8) ||
        (member->flags & 1) != 0) {
        output_lacks(package->output, (member->flags & 1) != 0
                                          ? "the package is encrypted"
                                          : "a part of the package could not be unpacked whole");
        return;
    }
    if (member->method == 0)
        buf_append(&text, packed, (size_t)member->packed);
    else
        inflate_member(package, packed, member, &text);
    if (!buf_failed(&text))
        markup_put(text.data, text.size, strcmp(format, "epub") == 0, package->output);
    output_line(package->output);
    buf_finish(&text);
}

static bool take_entry(struct package *package, struct bytes *bytes)
{
    struct member member;
    uint16_t extra, comment;

    if (bytes_u32le(bytes) != 0x02014b50)
        return false;
    bytes_skip(bytes, 4);
    member.flags = bytes_u16le(bytes);
    member.method = bytes_u16le(bytes);
    bytes_skip(bytes, 8);
    member.packed = bytes_u32le(bytes);
    member.size = bytes_u32le(bytes);
    member.name_size = bytes_u16le(bytes);
    extra = bytes_u16le(bytes);
    comment = bytes_u16le(bytes);
    bytes_skip(bytes, 8);
    member.offset = bytes_u32le(bytes);
    member.name = bytes_take(bytes, member.name_size);
    bytes_skip(bytes, (size_t)extra + comment);
    if (bytes_failed(bytes))
        return false;
    take_member(package, &member);
    return true;
}

/* A member at its own header, where no directory names it: sizes may stand behind its bytes, and then all that follows is
 * unpacked as far as it goes. */
static void take_local(struct package *package, size_t at)
{
    struct member member = {.offset = at};
    struct bytes bytes;
    uint16_t extra;

    bytes_init(&bytes, package->document->data, package->document->size);
    bytes_seek(&bytes, at + 6);
    member.flags = bytes_u16le(&bytes);
    member.method = bytes_u16le(&bytes);
    bytes_skip(&bytes, 8);
    member.packed = bytes_u32le(&bytes);
    bytes_skip(&bytes, 4);
    member.name_size = bytes_u16le(&bytes);
    extra = bytes_u16le(&bytes);
    member.name = bytes_take(&bytes, member.name_size);
    bytes_skip(&bytes, extra);
    if (bytes_failed(&bytes))
        return;
    if (((member.flags & 8) != 0 && member.method == 8) || member.packed > bytes_left(&bytes))
        member.packed = bytes_left(&bytes);
    take_member(package, &member);
}

static void take_locals(struct package *package)
{
    const struct document *document = package->document;

    for (size_t at = 0; at + 30 < document->size && !output_done(package->output);) {
        const uint8_t *found = memmem(document->data + at, document->size - at, "PK\3\4", 4);

        if (found == NULL || !output_spend(package->output, 1000))
            break;
        at = (size_t)(found - document->data);
        take_local(package, at);
        at += 4;
    }
    if (package->format != NULL)
        output_lacks(package->output, "the package's directory is not there: it is cut off or damaged");
}

void extract_package(const struct document *document, struct output *output, const char **ret_format)
{
    struct package package = {document, NULL, output};
    struct bytes bytes;
    uint32_t count, offset;
    size_t end;

    if (!find_end(document, &end)) {
        take_locals(&package);
        *ret_format = package.format == NULL ? "" : package.format[0] != '\0' ? package.format : "package";
        return;
    }
    bytes_init(&bytes, document->data, document->size);
    bytes_seek(&bytes, end + 10);
    count = bytes_u16le(&bytes);
    bytes_skip(&bytes, 4);
    offset = bytes_u32le(&bytes);
    bytes_seek(&bytes, offset);
    if (count > MEMBERS_MAX)
        output_lacks(output, "the package has too many members: the rest was not read");
    for (uint32_t i = 0; i < count && i < MEMBERS_MAX && !output_done(output); i++) {
        if (!take_entry(&package, &bytes)) {
            if (package.format != NULL)
                output_lacks(output, "the package's directory is damaged");
            break;
        }
    }
    *ret_format = package.format == NULL ? "" : package.format[0] != '\0' ? package.format : "package";
}
