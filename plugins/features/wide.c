/* wide: see wide.h. */
#include "plugins/features/wide.h"

#include "plugins/features/finder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So far back a run is followed: what is read in one byte order may have been read in the other before. */
enum { LEFT_MAX = 2 * FEATURE_MAX };

static bool is_text(uint8_t c)
{
    return (c >= ' ' && c < 0x7f) || c == '\t' || c == '\r' || c == '\n';
}

/* High bytes of the scripts whose words count: Cyrillic, Armenian, Georgian in its three blocks, punctuation.
 */
static bool is_script(uint8_t high, uint8_t low)
{
    return high == 0x04 || (high == 0x05 && low >= 0x30 && low < 0x90) || (high == 0x10 && low >= 0xa0) ||
           (high == 0x1c && low >= 0x90 && low < 0xc0) || (high == 0x2d && low < 0x30) ||
           (high == 0x20 && low >= 0x10 && low < 0x28) || (high == 0x21 && low == 0x16) ||
           (high == 0 && low == 0xb0);
}

static bool is_unit(const uint8_t *data, size_t at, bool big_endian)
{
    uint8_t low = data[at + big_endian], high = data[at + !big_endian];

    return (high == 0 && is_text(low)) || is_script(high, low);
}

/* The place of some character's ASCII byte near `at`, which is that or the zero beside it. */
static size_t core_byte(const uint8_t *data, size_t size, size_t at)
{
    for (size_t i = at > 8 ? at - 8 : 0; i <= at && i + 4 < size; i++) {
        if (is_text(data[i]) && data[i + 1] == 0 && is_text(data[i + 2]) && data[i + 3] == 0 &&
            is_text(data[i + 4]))
            return i;
    }
    return SIZE_MAX;
}

/* Which byte order: what stands at the ends of the ASCII characters, and else whether they lie at even
 * offsets. */
static bool is_big_endian(const uint8_t *data, size_t size, size_t core, bool odd)
{
    size_t first = core, last = core;
    bool before, behind;

    while (first >= 2 && is_text(data[first - 2]) && data[first - 1] == 0)
        first -= 2;
    while (last + 2 < size && data[last + 1] == 0 && is_text(data[last + 2]))
        last += 2;
    before = first > 0 && data[first - 1] == 0;
    behind = last + 1 < size && data[last + 1] == 0;
    if (before != behind)
        return before;
    return (first + odd) % 2 == 1;
}

static bool put(struct wide *wide, uint8_t byte, size_t from)
{
    if (wide->size + 1 >= wide->capacity) {
        size_t capacity = wide->capacity > 0 ? 2 * wide->capacity : 4096;
        uint8_t *text = realloc(wide->text, capacity);
        uint32_t *places;

        if (text == NULL)
            return false;
        wide->text = text;
        places = reallocarray(wide->from, capacity, sizeof places[0]);
        if (places == NULL)
            return false;
        wide->from = places;
        wide->capacity = capacity;
    }
    wide->text[wide->size] = byte;
    wide->from[wide->size++] = (uint32_t)from;
    wide->from[wide->size] = (uint32_t)from + 2;
    return true;
}

static bool put_unit(struct wide *wide, uint8_t high, uint8_t low, size_t from)
{
    unsigned code = (unsigned)high << 8 | low;

    if (code < 0x80)
        return put(wide, low, from);
    if (code < 0x800)
        return put(wide, (uint8_t)(0xc0 | code >> 6), from) &&
               put(wide, (uint8_t)(0x80 | (code & 0x3f)), from);
    return put(wide, (uint8_t)(0xe0 | code >> 12), from) &&
           put(wide, (uint8_t)(0x80 | (code >> 6 & 0x3f)), from) &&
           put(wide, (uint8_t)(0x80 | (code & 0x3f)), from);
}

int wide_decode(struct wide *wide, const uint8_t *data, size_t size, size_t at, bool odd)
{
    size_t core = core_byte(data, size, at);

    wide->size = 0;
    wide->begin = wide->end = at;
    if (core == SIZE_MAX)
        return 0;
    wide->big_endian = is_big_endian(data, size, core, odd);
    if (wide->big_endian && core == 0)
        core += 2;
    wide->begin = wide->end = core - wide->big_endian;
    while (wide->begin >= 2 && at - wide->begin < LEFT_MAX &&
           is_unit(data, wide->begin - 2, wide->big_endian))
        wide->begin -= 2;
    while (wide->end + 2 <= size && is_unit(data, wide->end, wide->big_endian))
        wide->end += 2;
    for (size_t i = wide->begin; i < wide->end; i += 2) {
        if (!put_unit(wide, data[i + !wide->big_endian], data[i + wide->big_endian], i))
            return -ENOMEM;
    }
    return 0;
}

void wide_finish(struct wide *wide)
{
    free(wide->text);
    free(wide->from);
    *wide = (struct wide){.text = NULL};
}
