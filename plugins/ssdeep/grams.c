/* grams: see grams.h. The index has a slot for each value of some bits of a run's hash, and the items in it.
 */
#include "plugins/ssdeep/grams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 7, SAME_MAX = 3, PART_MAX = 64, BITS_MIN = 8, BITS_MAX = 28 };

/* The two parts of a hash as they are compared: of more than three equal characters in a row three stay. */
struct parts {
    uint64_t block;
    char text[2][PART_MAX + 1];
    size_t size[2];
};

static bool take_part(const char **at, char *ret, size_t *ret_size)
{
    const char *text = *at;
    size_t size = 0, raw = 0;

    if (*text++ != ':')
        return false;
    for (; *text != '\0' && *text != ':'; text++) {
        if (++raw > PART_MAX || *text < '+' || *text > 'z')
            return false;
        if (size >= SAME_MAX && ret[size - 1] == *text && ret[size - 2] == *text && ret[size - 3] == *text)
            continue;
        ret[size++] = *text;
    }
    *at = text;
    *ret_size = size;
    return true;
}

static bool take_parts(const char *hash, struct parts *ret)
{
    char *end;

    if (*hash < '0' || *hash > '9')
        return false;
    ret->block = strtoull(hash, &end, 10);
    hash = end;
    return take_part(&hash, ret->text[0], &ret->size[0]) && take_part(&hash, ret->text[1], &ret->size[1]) &&
           *hash == '\0';
}

bool grams_is_hash(const char *text)
{
    struct parts parts;

    return take_parts(text, &parts);
}

static uint64_t mix(uint64_t hash, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash;
}

/* Every run of a hash, and the hash as a whole, which may be shorter than a run. */
static void each_run(const char *hash, void (*each)(void *context, uint64_t run), void *context)
{
    struct parts parts;

    if (!take_parts(hash, &parts))
        return;
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i + RUN <= parts.size[p]; i++)
            each(context, mix(parts.block << p, parts.text[p] + i, RUN));
    each(context, mix(mix(~parts.block, parts.text[0], parts.size[0]), parts.text[1], parts.size[1]));
}

struct making {
    struct grams *grams;
    uint32_t item;
};

static void count_run(void *context, uint64_t run)
{
    struct making *making = context;

    making->grams->starts[(run >> (64 - making->grams->bits)) + 1]++;
}

static void put_run(void *context, uint64_t run)
{
    struct making *making = context;
    uint32_t *at = &making->grams->starts[run >> (64 - making->grams->bits)];

    making->grams->items[--*at] = making->item;
}

int grams_make(struct grams *grams, size_t count, const char *(*text)(const void *context, size_t i),
               const void *context)
{
    struct making making = {.grams = grams};
    size_t slots;

    grams->count = count;
    grams->bits = BITS_MIN;
    while (grams->bits < BITS_MAX && (size_t)1 << grams->bits < count * 32)
        grams->bits++;
    slots = (size_t)1 << grams->bits;
    grams->starts = calloc(slots + 2, sizeof grams->starts[0]);
    grams->seen = calloc(count + 1, sizeof grams->seen[0]);
    if (grams->starts == NULL || grams->seen == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        each_run(text(context, i), count_run, &making);
    for (size_t i = 0; i < slots; i++)
        grams->starts[i + 1] += grams->starts[i];
    grams->items = calloc((size_t)grams->starts[slots] + 1, sizeof grams->items[0]);
    if (grams->items == NULL)
        return -ENOMEM;
    /* From here a slot's number is its end, and becomes its beginning as it fills. */
    memmove(grams->starts, grams->starts + 1, slots * sizeof grams->starts[0]);
    for (size_t i = 0; i < count; i++) {
        making.item = (uint32_t)i;
        each_run(text(context, i), put_run, &making);
    }
    return 0;
}

void grams_finish(struct grams *grams)
{
    free(grams->starts);
    free(grams->items);
    free(grams->seen);
}

struct asking {
    struct grams *grams;
    void (*each)(void *context, size_t item);
    void *context;
};

static void ask_run(void *context, uint64_t run)
{
    struct asking *asking = context;
    struct grams *grams = asking->grams;
    size_t slot = (size_t)(run >> (64 - grams->bits));

    for (uint32_t i = grams->starts[slot]; i < grams->starts[slot + 1]; i++) {
        uint32_t item = grams->items[i];

        if (grams->seen[item] == grams->now)
            continue;
        grams->seen[item] = grams->now;
        asking->each(asking->context, item);
    }
}

void grams_ask(struct grams *grams, const char *hash, void (*each)(void *context, size_t item), void *context)
{
    struct asking asking = {grams, each, context};

    if (grams->count == 0)
        return;
    if (++grams->now == 0) {
        memset(grams->seen, 0, grams->count * sizeof grams->seen[0]);
        grams->now = 1;
    }
    each_run(hash, ask_run, &asking);
}
