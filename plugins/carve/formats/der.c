/*
 * der: see der.h.
 */
#include "plugins/carve/formats/der.h"

enum { DEPTH_MAX = 32 };

struct level {
    size_t end; /* nothing in it may go beyond */
    bool indefinite;
};

/* Tag and length at data[0]: bytes they take, 0 when they are not all there. An indefinite length is none. */
static size_t head(const uint8_t *data, size_t size, uint64_t *ret_length, bool *ret_indefinite)
{
    size_t at = 1, count;

    if (size < 2)
        return 0;
    if ((data[0] & 0x1f) == 0x1f) {
        while (at < size && at < 5 && (data[at] & 0x80) != 0)
            at++;
        at++;
    }
    if (at >= size)
        return 0;
    *ret_length = data[at];
    *ret_indefinite = data[at] == 0x80;
    count = data[at] > 0x80 ? data[at] & 0x7f : 0;
    at++;
    if (count > 4 || count > size - at)
        return 0;
    if (*ret_indefinite || count > 0)
        *ret_length = 0;
    for (; count > 0; count--)
        *ret_length = *ret_length << 8 | data[at++];
    return at;
}

uint64_t der_size(const uint8_t *data, size_t size)
{
    uint64_t length;
    bool indefinite;
    size_t n = head(data, size, &length, &indefinite);

    return n == 0 || indefinite ? 0 : n + length;
}

bool der_walk(const uint8_t *data, size_t size, size_t *ret_end)
{
    struct level levels[DEPTH_MAX] = {{size, true}};
    size_t depth = 0, at = 0;

    do {
        struct level *in = &levels[depth];
        uint64_t length;
        bool indefinite;
        size_t n;

        if (depth > 0 && in->indefinite && in->end - at >= 2 && data[at] == 0 && data[at + 1] == 0) {
            at += 2;
            depth--;
        } else if (depth > 0 && !in->indefinite && at == in->end) {
            depth--;
        } else {
            n = head(data + at, in->end - at, &length, &indefinite);
            if (n == 0 || (indefinite && (data[at] & 0x20) == 0) || length > in->end - at - n)
                return false;
            if ((data[at] & 0x20) != 0) {
                if (++depth == DEPTH_MAX)
                    return false;
                levels[depth] = (struct level){indefinite ? in->end : at + n + (size_t)length, indefinite};
                at += n;
            } else {
                at += n + (size_t)length;
            }
        }
    } while (depth > 0);
    *ret_end = at;
    return true;
}
