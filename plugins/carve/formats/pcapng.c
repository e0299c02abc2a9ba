/*
 * pcapng: captured packets with what belongs to them [IETF, draft-ietf-opsawg-pcapng]. Blocks, each with its
 * length in front and behind, in sections that each begin with their own byte order. The end is behind the
 * last block whose two lengths agree. Validated: there is a section, blocks of known types are well-formed
 * (packets within their block and of an interface that was described) and options fill their blocks.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <string.h>

enum { BLOCK_MAX = 64 * 1024 * 1024, OPTIONS_MAX = 4096 };

enum type {
    INTERFACE = 1,
    PACKET = 2,
    SIMPLE = 3,
    NAMES = 4,
    STATISTICS = 5,
    ENHANCED = 6,
    SECTION = 0x0a0d0d0a
};

struct pcapng {
    struct reader *reader;
    bool big;
    uint32_t interfaces, blocks;
    bool right;
};

/* Type and length of the block at `offset`; a section's own byte order counts from here on. */
static bool read_block(struct pcapng *ng, uint64_t offset, uint32_t *ret_type, uint32_t *ret_size)
{
    const uint8_t *p = reader_at(ng->reader, offset, 12);

    if (p == NULL)
        return false;
    if (field_le32(p) == SECTION) {
        if (field_le32(p + 8) != 0x1a2b3c4d && field_be32(p + 8) != 0x1a2b3c4d)
            return false;
        ng->big = field_be32(p + 8) == 0x1a2b3c4d;
    }
    *ret_type = field_u32(p, ng->big);
    *ret_size = field_u32(p + 4, ng->big);
    return *ret_size >= 12 && *ret_size % 4 == 0 && *ret_size <= BLOCK_MAX && *ret_type != 0 &&
           (*ret_type < 0x20 || *ret_type == SECTION || *ret_type == 0xbad || *ret_type == 0x40000bad ||
            (*ret_type >= 0x200 && *ret_type < 0x220) || *ret_type >> 31 != 0);
}

/* Options from `at` to `end`: code, length, value padded to four, until code 0 or the end. */
static bool options_hold(struct pcapng *ng, uint64_t at, uint64_t end)
{
    for (int i = 0; at < end && i < OPTIONS_MAX; i++) {
        const uint8_t *p = end - at >= 4 ? reader_at(ng->reader, at, 4) : NULL;
        uint64_t length = p != NULL ? field_u16(p + 2, ng->big) : 0;

        if (p == NULL)
            return false;
        if (field_u16(p, ng->big) == 0)
            return length == 0;
        at += 4 + ((length + 3) & ~(uint64_t)3);
    }
    return at == end;
}

/* What a block of this type has before its options; 0: it contradicts itself. */
static uint64_t fixed_size(struct pcapng *ng, uint64_t offset, uint32_t type, uint32_t size)
{
    const uint8_t *p = reader_at(ng->reader, offset, size < 28 ? size : 28);
    uint64_t kept;

    if (p == NULL)
        return 0;
    if (type == SECTION)
        return size >= 28 ? 24 : 0;
    if (type == INTERFACE)
        return size >= 20 ? 16 : 0;
    if (type == STATISTICS)
        return size >= 24 && field_u32(p + 8, ng->big) < ng->interfaces ? 20 : 0;
    if (type == ENHANCED || type == PACKET) {
        uint32_t interface = type == PACKET ? field_u16(p + 8, ng->big) : field_u32(p + 8, ng->big);

        kept = size >= 32 ? field_u32(p + 20, ng->big) : UINT32_MAX;
        kept = 28 + ((kept + 3) & ~(uint64_t)3);
        return interface < ng->interfaces && kept + 4 <= size ? kept : 0;
    }
    return type == SIMPLE && ng->interfaces == 0 ? 0 : size - 4;
}

static void check_block(struct pcapng *ng, uint64_t offset, uint32_t type, uint32_t size)
{
    uint64_t fixed;

    if (type == SECTION)
        ng->interfaces = 0;
    fixed = fixed_size(ng, offset, type, size);
    if (fixed == 0 || !options_hold(ng, offset + fixed, offset + size - 4))
        ng->right = false;
    if (type == INTERFACE)
        ng->interfaces++;
}

static enum carve_grade examine_pcapng(struct reader *reader, struct carved *ret)
{
    struct pcapng ng = {.reader = reader, .right = true};
    uint32_t type, size, behind;
    uint64_t offset = 0;

    if (!read_block(&ng, 0, &type, &size) || type != SECTION)
        return CARVE_NONE;
    while (read_block(&ng, offset, &type, &size)) {
        const uint8_t *p;

        if (offset + size > reader_size(reader) || (p = reader_at(reader, offset + size - 4, 4)) == NULL)
            return offset == 0 ? CARVE_NONE
                               : carved_partial(ret, offset, "the data ends within the block behind this");
        behind = field_u32(p, ng.big);
        if (behind != size) {
            /* A known type without its length behind it is a block that was cut. */
            if (offset > 0 && (type == ENHANCED || type == SECTION || (type < 0x10 && size < 1024 * 1024)))
                return carved_partial(ret, offset, "the block at byte %llu is cut",
                                      (unsigned long long)offset);
            break;
        }
        check_block(&ng, offset, type, size);
        ng.blocks++;
        offset += size;
    }
    if (ng.blocks == 0)
        return CARVE_NONE;
    return carved_whole(ret, ng.right ? CARVE_VALIDATED : CARVE_COMPLETE, offset);
}

static const struct carve_format pcapng_format = {"pcapng", examine_pcapng};
const struct carve_format *const carve_pcapng[] = {&pcapng_format, NULL};
