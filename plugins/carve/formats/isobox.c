/*
 * isobox: see isobox.h.
 */
#include "plugins/carve/formats/isobox.h"

#include "engine/base/bytes.h"

bool isobox_read(struct reader *reader, uint64_t at, uint64_t limit, struct isobox *ret)
{
    uint32_t size, type;
    uint64_t whole, head = 8;

    if (!u64_range_fits(at, 8, limit) || !reader_be32(reader, at, &size) ||
        !reader_be32(reader, at + 4, &type))
        return false;
    whole = size;
    if (size == 1) {
        if (!reader_be64(reader, at + 8, &whole))
            return false;
        head = 16;
    }
    if (whole != 0 && (whole < head || !u64_range_fits(at, whole, limit)))
        return false;
    *ret = (struct isobox){.at = at, .size = whole, .content = at + head, .type = type};
    return true;
}

bool isobox_find(struct reader *reader, uint64_t at, uint64_t limit, uint32_t type, struct isobox *ret)
{
    struct isobox box;

    while (at < limit && isobox_read(reader, at, limit, &box) && box.size > 0) {
        if (box.type == type) {
            *ret = box;
            return true;
        }
        at += box.size;
    }
    return false;
}
