/*
 * layer_lvm: one logical volume of an LVM2 volume group, of linear and striped segments. The physical volumes
 * that are at hand are given in any order; each says by its UUID which of the group's it is.
 *
 * Format: LVM2's lib/format_text/layout.h and lib/label/label.h; libyal/libvslvm documentation, "Logical
 * Volume Manager (LVM) format". libvslvm 20181227 itself reads no logical volume: whatever it is asked for,
 * it fails with "libbfio_pool_seek_offset: invalid pool".
 */
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/layer/lvm_text.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECTOR = 512,
    LABEL_SECTORS = 4, /* the label stands in one of the first */
    LOCATIONS_MAX = 16,
    MDA_HEADER = 512,
    RAW_LOCATIONS = 4, /* of which the first is the metadata in force */
    ID_SIZE = 32,      /* without its dashes */
    TEXT_MAX = 8 << 20,
    SEGMENTS_MAX = 4096,
    STRIPES_MAX = 128,
    CRC_START = (int)0xf597a6cfU,
};

struct location {
    uint64_t offset, size;
};

/* A physical volume's label: who it is, and where metadata may be. */
struct label {
    char id[ID_SIZE];
    struct location metadata[LOCATIONS_MAX];
    size_t metadata_count;
};

struct stripe {
    const struct reader *reader;
    uint64_t offset; /* of its first byte in the physical volume */
};

struct segment {
    uint64_t offset, size; /* in the logical volume */
    uint64_t stripe_size;
    size_t first, count; /* in lvm.stripes */
};

struct lvm {
    const struct layer_base *base;
    char *metadata;
    struct lvm_text text;
    int group, volume; /* nodes */
    uint64_t extent_size;
    struct segment *segments;
    size_t segment_count;
    struct stripe *stripes;
    size_t stripe_count, stripe_room;
};

/* ------------------------------------------------------------------ the label */

/* CRC-32 as LVM2 counts it: another start, and not inverted at its end. */
static uint32_t checksum(const uint8_t *data, size_t size)
{
    uint32_t crc = (uint32_t)CRC_START;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return crc;
}

/* Pairs of offset and size, up to one of zeros; those past the room are left out. */
static size_t take_locations(struct bytes *bytes, struct location ret[LOCATIONS_MAX])
{
    size_t count = 0;

    while (!bytes_failed(bytes)) {
        struct location location = {.offset = bytes_u64le(bytes)};

        location.size = bytes_u64le(bytes);
        if (location.offset == 0 || bytes_failed(bytes))
            break;
        if (count < LOCATIONS_MAX)
            ret[count++] = location;
    }
    return count;
}

static bool parse_label(const uint8_t sector[SECTOR], uint64_t number, struct label *ret)
{
    struct location data[LOCATIONS_MAX];
    struct bytes bytes;
    uint64_t own;
    uint32_t header;

    bytes_init(&bytes, sector, SECTOR);
    bytes_skip(&bytes, 8);
    own = bytes_u64le(&bytes);
    bytes_skip(&bytes, 4);
    header = bytes_u32le(&bytes);
    if (memcmp(sector, "LABELONE", 8) != 0 || memcmp(sector + 24, "LVM2 001", 8) != 0 || own != number ||
        header > SECTOR - ID_SIZE)
        return false;
    memcpy(ret->id, sector + header, ID_SIZE);
    bytes_seek(&bytes, header);
    bytes_skip(&bytes, ID_SIZE + 8);
    (void)take_locations(&bytes, data);
    ret->metadata_count = take_locations(&bytes, ret->metadata);
    return !bytes_failed(&bytes);
}

static bool find_label(const struct reader *reader, struct label *ret)
{
    uint8_t sector[SECTOR];

    for (uint64_t i = 0; i < LABEL_SECTORS; i++) {
        if (reader_read(reader, i * SECTOR, sector, SECTOR) == 0 && parse_label(sector, i, ret))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ the metadata's text */

/* The text lies in a ring behind the area's header. */
static int read_ring(const struct reader *reader, const struct location *area, uint64_t offset, uint8_t *data,
                     size_t size)
{
    size_t first = area->size - offset < size ? (size_t)(area->size - offset) : size;
    int code = reader_read(reader, area->offset + offset, data, first);

    return code == 0 ? reader_read(reader, area->offset + MDA_HEADER, data + first, size - first) : code;
}

/* -ENODATA: damaged; -ENOENT: the area is empty; the volume belongs to no group yet. */
static int read_area(const struct reader *reader, const struct location *area, char **ret_text,
                     size_t *ret_size, struct why *why)
{
    uint8_t header[MDA_HEADER], *text;
    struct bytes bytes;
    uint64_t offset, size;
    uint32_t crc;

    if (area->size < MDA_HEADER * 2 || !u64_range_fits(area->offset, area->size, reader->size) ||
        reader_read(reader, area->offset, header, sizeof header) < 0 ||
        memcmp(header + 4, " LVM2 x[5A%r0N*>", 16) != 0)
        return why_set(why, -ENODATA, "its metadata area is damaged");
    bytes_init(&bytes, header, sizeof header);
    bytes_skip(&bytes, 4 + 16 + 4 + 8 + 8);
    offset = bytes_u64le(&bytes);
    size = bytes_u64le(&bytes);
    crc = bytes_u32le(&bytes);
    if (offset == 0 || size == 0)
        return why_set(why, -ENOENT, "the physical volume belongs to no volume group");
    if (offset < MDA_HEADER || offset >= area->size || size > area->size - MDA_HEADER || size > TEXT_MAX)
        return why_set(why, -ENODATA, "its metadata area is damaged");
    text = malloc((size_t)size);
    if (!text)
        return -ENOMEM;
    if (read_ring(reader, area, offset, text, (size_t)size) < 0 || checksum(text, (size_t)size) != crc) {
        free(text);
        return why_set(why, -ENODATA, "its metadata does not have its checksum");
    }
    *ret_text = (char *)text;
    *ret_size = (size_t)size;
    return 0;
}

/* The first section is the group; what stands beside it (contents, version, creation_host) are settings. */
static int find_group(const struct lvm_text *text)
{
    int node = lvm_text_next(text, LVM_NONE, LVM_NONE);

    while (node != LVM_NONE && text->nodes[node].kind != LVM_SECTION)
        node = lvm_text_next(text, LVM_NONE, node);
    return node;
}

static int read_metadata(struct lvm *lvm, const struct reader *reader, struct why *why)
{
    struct label label;
    size_t size = 0;
    int code;

    if (!find_label(reader, &label))
        return why_set(why, -ENODATA, "it has no label of LVM2 that is whole");
    code = label.metadata_count > 0
               ? -ENODATA
               : why_set(why, -EREMOTE, "the group's metadata lies on another physical volume");
    for (size_t i = 0; i < label.metadata_count && code != 0 && code != -ENOMEM; i++)
        code = read_area(reader, &label.metadata[i], &lvm->metadata, &size, why);
    if (code < 0)
        return code;
    code = lvm_text_parse(lvm->metadata, size, &lvm->text);
    if (code == -ENOMEM)
        return code;
    lvm->group = code == 0 ? find_group(&lvm->text) : LVM_NONE;
    if (lvm->group == LVM_NONE ||
        !lvm_text_number(&lvm->text, lvm->group, "extent_size", UINT32_MAX, &lvm->extent_size) ||
        lvm->extent_size == 0)
        return why_set(why, -ENODATA, "its metadata is no text that makes sense");
    lvm->extent_size *= SECTOR;
    return 0;
}

/* ------------------------------------------------------------------ segments */

/* "K994MB-Sn1r-..." in the text is the label's 32 letters with dashes. */
static bool is_id(const struct lvm_node *node, const char id[ID_SIZE])
{
    size_t at = 0;

    for (size_t i = 0; i < node->text_size; i++) {
        if (node->text[i] == '-')
            continue;
        if (at == ID_SIZE || node->text[i] != id[at++])
            return false;
    }
    return at == ID_SIZE;
}

static const struct reader *reader_of(const struct lvm *lvm, int physical)
{
    int id = lvm_text_find(&lvm->text, physical, "id");

    for (size_t i = 0; id != LVM_NONE && lvm->text.nodes[id].kind == LVM_TEXT && i < lvm->base->count; i++) {
        struct label label;
        if (find_label(&lvm->base->readers[i], &label) && is_id(&lvm->text.nodes[id], label.id))
            return &lvm->base->readers[i];
    }
    return NULL;
}

/* A stripe is a physical volume's name and the number of an extent of it. */
static int add_stripe(struct lvm *lvm, int name, int extent, struct why *why)
{
    const struct lvm_text *text = &lvm->text;
    char words[128] = "";
    uint64_t start = 0;
    int physicals = lvm_text_find(text, lvm->group, "physical_volumes"), physical;
    struct stripe stripe;

    if (name == LVM_NONE || extent == LVM_NONE || text->nodes[name].kind != LVM_TEXT ||
        text->nodes[extent].kind != LVM_NUMBER || text->nodes[name].text_size >= sizeof words)
        return why_set(why, -EINVAL, "a segment's stripes make no sense");
    memcpy(words, text->nodes[name].text, text->nodes[name].text_size);
    physical = physicals == LVM_NONE ? LVM_NONE : lvm_text_find(text, physicals, words);
    if (physical == LVM_NONE || !lvm_text_number(text, physical, "pe_start", UINT64_MAX / SECTOR, &start))
        return why_set(why, -ENOTSUP, "it lies on other logical volumes");
    stripe.reader = reader_of(lvm, physical);
    if (!stripe.reader)
        return why_set(why, -ENOTSUP, "a physical volume of its group is not at hand");
    stripe.offset =
        u64_add_saturating(start * SECTOR, u64_mul_saturating(text->nodes[extent].number, lvm->extent_size));
    if (lvm->stripe_count == lvm->stripe_room) {
        size_t room = lvm->stripe_room ? lvm->stripe_room * 2 : 16;
        struct stripe *more = realloc(lvm->stripes, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        lvm->stripes = more;
        lvm->stripe_room = room;
    }
    lvm->stripes[lvm->stripe_count++] = stripe;
    return 0;
}

static int add_stripes(struct lvm *lvm, int node, struct segment *segment, struct why *why)
{
    const struct lvm_text *text = &lvm->text;
    int list = lvm_text_find(text, node, "stripes"), code = 0;
    int name = list == LVM_NONE ? LVM_NONE : lvm_text_next(text, list, LVM_NONE);

    segment->first = lvm->stripe_count;
    for (size_t i = 0; i < segment->count && code == 0; i++) {
        int extent = name == LVM_NONE ? LVM_NONE : lvm_text_next(text, list, name);
        code = add_stripe(lvm, name, extent, why);
        name = extent == LVM_NONE ? LVM_NONE : lvm_text_next(text, list, extent);
    }
    return code;
}

static int add_segment(struct lvm *lvm, int node, uint64_t offset, struct why *why)
{
    const struct lvm_text *text = &lvm->text;
    struct segment segment = {.offset = offset};
    uint64_t start, extents, stripes, stripe_size = 0;
    int type = lvm_text_find(text, node, "type");
    struct buf shown = {0};

    if (type != LVM_NONE && text->nodes[type].kind == LVM_TEXT && !lvm_text_is(text, type, "striped")) {
        text_escape(&shown, text->nodes[type].text,
                    text->nodes[type].text_size < 64 ? text->nodes[type].text_size : 64);
        (void)why_set(why, -ENOTSUP, "its segments are of type %s, which is not read", buf_cstr(&shown));
        buf_finish(&shown);
        return -ENOTSUP;
    }
    if (!lvm_text_is(text, type, "striped") ||
        !lvm_text_number(text, node, "start_extent", UINT64_MAX / lvm->extent_size, &start) ||
        !lvm_text_number(text, node, "extent_count", UINT64_MAX / lvm->extent_size, &extents) ||
        !lvm_text_number(text, node, "stripe_count", STRIPES_MAX, &stripes) || stripes == 0 || extents == 0 ||
        start * lvm->extent_size != offset || extents % stripes != 0)
        return why_set(why, -EINVAL, "a segment of it makes no sense");
    if (stripes > 1 &&
        (!lvm_text_number(text, node, "stripe_size", UINT32_MAX, &stripe_size) || stripe_size == 0))
        return why_set(why, -EINVAL, "a segment of it has no stripe size");
    segment.size = extents * lvm->extent_size;
    segment.count = (size_t)stripes;
    segment.stripe_size = stripes > 1 ? stripe_size * SECTOR : segment.size;
    lvm->segments[lvm->segment_count++] = segment;
    return add_stripes(lvm, node, &lvm->segments[lvm->segment_count - 1], why);
}

static int load_segments(struct lvm *lvm, uint64_t *ret_size, struct why *why)
{
    const struct lvm_text *text = &lvm->text;
    uint64_t count, size = 0;
    int code = 0;

    if (!lvm_text_number(text, lvm->volume, "segment_count", SEGMENTS_MAX, &count) || count == 0)
        return why_set(why, -EINVAL, "its segments cannot be told");
    lvm->segments = calloc((size_t)count, sizeof *lvm->segments);
    if (!lvm->segments)
        return -ENOMEM;
    for (uint64_t i = 1; i <= count && code == 0; i++) {
        char name[32];
        int node;

        (void)snprintf(name, sizeof name, "segment%llu", (unsigned long long)i);
        node = lvm_text_find(text, lvm->volume, name);
        code = node == LVM_NONE ? why_set(why, -EINVAL, "%s of it is missing", name)
                                : add_segment(lvm, node, size, why);
        if (code == 0)
            size = u64_add_saturating(size, lvm->segments[lvm->segment_count - 1].size);
    }
    *ret_size = size;
    return code;
}

/* ------------------------------------------------------------------ the layer */

/* Not what a volume of another type is made of (its parts, thin pools). */
static bool is_visible(const struct lvm_text *text, int volume)
{
    int status = lvm_text_find(text, volume, "status");

    if (text->nodes[volume].kind != LVM_SECTION || status == LVM_NONE)
        return false;
    for (int i = lvm_text_next(text, status, LVM_NONE); i != LVM_NONE; i = lvm_text_next(text, status, i)) {
        if (lvm_text_is(text, i, "VISIBLE"))
            return true;
    }
    return false;
}

static int find_volume(struct lvm *lvm, uint32_t number, struct why *why)
{
    const struct lvm_text *text = &lvm->text;
    int list = lvm_text_find(text, lvm->group, "logical_volumes");
    uint32_t count = 0;

    for (int i = list == LVM_NONE ? LVM_NONE : lvm_text_next(text, list, LVM_NONE); i != LVM_NONE;
         i = lvm_text_next(text, list, i)) {
        if (is_visible(text, i) && ++count == number) {
            lvm->volume = i;
            return 0;
        }
    }
    return why_set(why, -ENOENT, "there is no logical volume %u", number);
}

static void print_name(struct buf *buf, const struct lvm_node *node)
{
    text_escape(buf, node->name, node->name_size < 40 ? node->name_size : 40);
}

static int lvm_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct lvm *lvm = calloc(1, sizeof *lvm);
    struct buf note = {0};
    struct why cause = {{0}};
    int code;

    if (!lvm)
        return -ENOMEM;
    lvm->base = base;
    layer->state = lvm;
    layer->sector_size = SECTOR;
    code = read_metadata(lvm, &base->readers[0], why);
    if (code == 0)
        code = find_volume(lvm, base->number, why);
    if (code < 0)
        return code;
    print_name(&note, &lvm->text.nodes[lvm->group]);
    buf_text(&note, "/");
    print_name(&note, &lvm->text.nodes[lvm->volume]);
    code = load_segments(lvm, &layer->size, &cause);
    if (code == 0 && buf_failed(&note))
        code = -ENOMEM;
    if (code == 0)
        (void)snprintf(layer->note, sizeof layer->note, "LVM2 logical volume %s", buf_cstr(&note));
    else if (code != -ENOMEM)
        (void)why_set(why, code, "logical volume %s: %s", buf_cstr(&note), cause.text);
    buf_finish(&note);
    return code;
}

/* The segment that has this offset, which lies in the volume: they follow each other without gaps. */
static const struct segment *segment_at(const struct lvm *lvm, uint64_t offset)
{
    size_t low = 0, high = lvm->segment_count - 1;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (lvm->segments[middle].offset <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return &lvm->segments[low];
}

static int lvm_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct lvm *lvm = layer->state;
    uint8_t *to = data;

    while (size > 0) {
        const struct segment *segment = segment_at(lvm, offset);
        uint64_t in = offset - segment->offset, row = in / segment->stripe_size,
                 at = in % segment->stripe_size;
        const struct stripe *stripe = &lvm->stripes[segment->first + row % segment->count];
        uint64_t rest = segment->size - in, place;
        size_t piece = size;

        if (piece > segment->stripe_size - at)
            piece = (size_t)(segment->stripe_size - at);
        if (piece > rest)
            piece = (size_t)rest;
        place = u64_add_saturating(stripe->offset, row / segment->count * segment->stripe_size + at);
        if (reader_read(stripe->reader, place, to, piece) < 0)
            return -EIO;
        to += piece;
        offset += piece;
        size -= piece;
    }
    return 0;
}

static void lvm_close(struct layer *layer)
{
    struct lvm *lvm = layer->state;

    lvm_text_finish(&lvm->text);
    free(lvm->metadata);
    free(lvm->segments);
    free(lvm->stripes);
    free(lvm);
}

/* The group's identifier stands in the label's metadata only. */
bool layer_lvm_group(const struct reader *reader, char ret_group[LAYER_GROUP_SIZE])
{
    struct lvm lvm = {0};
    struct why ignored;
    bool found = false;

    if (read_metadata(&lvm, reader, &ignored) == 0) {
        int id = lvm_text_find(&lvm.text, lvm.group, "id");

        if (id != LVM_NONE && lvm.text.nodes[id].kind == LVM_TEXT &&
            lvm.text.nodes[id].text_size < LAYER_GROUP_SIZE) {
            memcpy(ret_group, lvm.text.nodes[id].text, lvm.text.nodes[id].text_size);
            ret_group[lvm.text.nodes[id].text_size] = '\0';
            found = true;
        }
    }
    lvm_text_finish(&lvm.text);
    free(lvm.metadata);
    return found;
}

const struct layer_kind layer_lvm = {.name = "lvm", .open = lvm_open, .read = lvm_read, .close = lvm_close};
