/* literals: see literals.h. */
#include "plugins/yara/literals.h"

#include "plugins/yara/atoms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void literals_finish(struct literals *literals)
{
    free(literals->items);
    free(literals->shorts);
    free(literals->anywhere);
    *literals = (struct literals){.items = NULL};
}

/* ------------------------------------------------------------------ which bytes tell most */

static bool stands_everywhere(uint8_t byte)
{
    static const uint8_t common[] = {0x00, 0xff, 0xcc, 0x90, 0x20};

    return memchr(common, byte, sizeof common) != NULL;
}

/* What a byte says: little when it stands everywhere or repeats the last, most when it is no small letter. */
static unsigned worth(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++) {
        if (stands_everywhere(bytes[i]) || (i > 0 && bytes[i] == bytes[i - 1]))
            sum += 1;
        else
            sum += bytes[i] >= 'a' && bytes[i] <= 'z' ? 4 : 5;
    }
    return sum;
}

/* Where they begin, and how many. Of those that say as much the last: what strings begin with is often the
 * same. */
static size_t most_telling(const struct literal_space *space, size_t *ret_size)
{
    size_t best = 0, run = 0;
    unsigned most = 0;

    *ret_size = 0;
    for (size_t end = 1; end <= space->size; end++) {
        size_t size;
        unsigned value;

        run = space->known[end - 1] ? run + 1 : 0;
        size = run < LITERAL_MAX ? run : LITERAL_MAX;
        value = worth(space->bytes + end - size, size);
        if (size < *ret_size || value < most || size == 0)
            continue;
        most = value;
        best = end - size;
        *ret_size = size;
    }
    return best;
}

/* ------------------------------------------------------------------ the list */

void literals_add(struct literals *literals, const struct literal *like, const struct literal_space *space)
{
    size_t taken, at = most_telling(space, &taken);
    struct literal *literal;

    if (taken == 0 || (taken < LITERAL_MIN && like->difference)) {
        literals->anywhere[like->string] = ANYWHERE_ALL;
        return;
    }
    if (taken < LITERAL_MIN && literals->anywhere[like->string] == ANYWHERE_NOT)
        literals->anywhere[like->string] = ANYWHERE_SHORT;
    if (literals->count == literals->capacity) {
        size_t capacity = literals->capacity * 2 + 1024;
        struct literal *items = reallocarray(literals->items, capacity, sizeof items[0]);

        if (items == NULL) {
            literals->failed = true;
            return;
        }
        literals->items = items;
        literals->capacity = capacity;
    }
    literal = &literals->items[literals->count++];
    *literal = *like;
    memcpy(literal->bytes, space->bytes + at, taken);
    memset(literal->bytes + taken, 0, LITERAL_MAX - taken);
    literal->size = (uint8_t)taken;
    literal->at = (uint16_t)at;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool literal_is_plain(const YR_STRING *string)
{
    return STRING_IS_LITERAL(string) && !STRING_IS_XOR(string);
}

/* The first bytes of the string as they stand in a content, `width` 2 with a zero behind each. */
static void write_string(const YR_STRING *string, unsigned width, struct literal_space *ret)
{
    size_t size = (size_t)string->length * width;

    ret->size = size < LITERAL_SPACE_MAX ? size : LITERAL_SPACE_MAX;
    for (size_t i = 0; i < ret->size; i++) {
        ret->bytes[i] = i % width == 0 ? string->string[i / width] : 0;
        ret->known[i] = true;
    }
}

static uint32_t string_reach(const YR_STRING *string, unsigned width)
{
    return (uint32_t)string->length * width + LITERAL_MAX;
}

static void add_plain(struct literals *literals, const YR_STRING *string, uint8_t width)
{
    struct literal like = {.nocase = STRING_IS_NO_CASE(string),
                           .plain = true,
                           .width = width,
                           .string = string->idx,
                           .reach = string_reach(string, width)};
    struct literal_space space;

    write_string(string, width, &space);
    for (size_t i = 0; like.nocase && i < space.size; i++)
        space.bytes[i] = lower(space.bytes[i]);
    literals_add(literals, &like, &space);
}

/* The key falls out of the difference of two neighbours. */
static void add_differences(struct literals *literals, const YR_STRING *string, unsigned width)
{
    struct literal like = {.difference = true, .string = string->idx, .reach = string_reach(string, width)};
    struct literal_space space;

    write_string(string, width, &space);
    for (size_t i = 0; i + 1 < space.size; i++)
        space.bytes[i] ^= space.bytes[i + 1];
    space.size -= space.size > 0;
    literals_add(literals, &like, &space);
}

static void add_string(struct literals *literals, const YR_STRING *string)
{
    for (uint8_t width = 1; width <= 2; width++) {
        if (width == 1 ? !STRING_IS_ASCII(string) && STRING_IS_WIDE(string) : !STRING_IS_WIDE(string))
            continue;
        if (STRING_IS_XOR(string))
            add_differences(literals, string, width);
        else
            add_plain(literals, string, width);
    }
}

int literal_compare(const struct literal *one, const struct literal *two)
{
    int order = one->difference - two->difference;

    if (order == 0)
        order = memcmp(one->bytes, two->bytes, LITERAL_MAX);
    if (order == 0)
        order = one->size - two->size;
    return order != 0 ? order : one->nocase - two->nocase;
}

static int compare_items(const void *a, const void *b)
{
    const struct literal *one = a, *two = b;
    int order = literal_compare(one, two);

    return order != 0 ? order : (one->string > two->string) - (one->string < two->string);
}

static bool says_the_same(const struct literal *one, const struct literal *two)
{
    return one->string == two->string && one->at == two->at && one->width == two->width &&
           literal_compare(one, two) == 0;
}

static int compare_strings(const void *a, const void *b)
{
    const struct literal *one = a, *two = b;

    return (one->string > two->string) - (one->string < two->string);
}

/* Those of strings that have a short one go to a list of their own. */
static void take_shorts(struct literals *literals)
{
    size_t kept = 0;

    literals->shorts = calloc(literals->count + 1, sizeof literals->shorts[0]);
    literals->failed |= literals->shorts == NULL;
    for (size_t i = 0; i < literals->count && !literals->failed; i++) {
        const struct literal *literal = &literals->items[i];

        if (literals->anywhere[literal->string] == ANYWHERE_SHORT)
            literals->shorts[literals->short_count++] = *literal;
        else
            literals->items[kept++] = *literal;
    }
    literals->count = kept;
    if (!literals->failed)
        qsort(literals->shorts, literals->short_count, sizeof literals->shorts[0], compare_strings);
}

/* What may match in any content need not be sought, nor anything twice. */
static void tidy(struct literals *literals)
{
    size_t kept = 0;

    if (literals->count > 0)
        qsort(literals->items, literals->count, sizeof literals->items[0], compare_items);
    for (size_t i = 0; i < literals->count; i++) {
        const struct literal *literal = &literals->items[i];

        if (literals->anywhere[literal->string] == ANYWHERE_ALL ||
            (kept > 0 && says_the_same(literal, &literals->items[kept - 1])))
            continue;
        literals->items[kept++] = *literal;
    }
    literals->count = kept;
    take_shorts(literals);
}

int literals_find(const YR_RULES *rules, struct literals *ret)
{
    uint8_t *known = calloc((size_t)rules->num_strings + 1, 1);

    *ret = (struct literals){.anywhere = calloc((size_t)rules->num_strings + 1, 1)};
    ret->failed = known == NULL || ret->anywhere == NULL;
    for (uint32_t i = 0; i < rules->num_strings && !ret->failed; i++) {
        if (STRING_IS_LITERAL(&rules->strings_table[i]))
            add_string(ret, &rules->strings_table[i]);
    }
    if (!ret->failed)
        atoms_add(rules, ret);
    for (size_t i = 0; i < ret->count && !ret->failed; i++)
        known[ret->items[i].string] = 1;
    for (uint32_t i = 0; i < rules->num_strings && !ret->failed; i++)
        ret->anywhere[i] = known[i] ? ret->anywhere[i] : ANYWHERE_ALL;
    if (!ret->failed)
        tidy(ret);
    free(known);
    return ret->failed ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ where they stand */

void literal_pairs_learn(struct literal_pairs *pairs, const uint8_t *data, size_t size)
{
    memset(pairs->stands, 0, sizeof pairs->stands);
    for (size_t i = 0; i + 1 < size; i++)
        pairs->stands[data[i]][data[i + 1]] = 1;
    if (size > 0)
        pairs->stands[data[size - 1]][0] = 1; /* of one byte alone is asked by what stands behind it */
}

static bool byte_stands(const struct literal_pairs *pairs, uint8_t byte)
{
    return memchr(pairs->stands[byte], 1, sizeof pairs->stands[byte]) != NULL;
}

static uint8_t upper(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - ('a' - 'A')) : byte;
}

bool literal_pairs_have(const struct literal_pairs *pairs, const struct literal *literal)
{
    const uint8_t *bytes = literal->bytes;

    if (literal->size == 1)
        return byte_stands(pairs, bytes[0]) || (literal->nocase && byte_stands(pairs, upper(bytes[0])));
    for (size_t i = 0; i + 1 < literal->size; i++) {
        uint8_t one = literal->nocase ? upper(bytes[i]) : bytes[i];
        uint8_t two = literal->nocase ? upper(bytes[i + 1]) : bytes[i + 1];

        if (!pairs->stands[bytes[i]][bytes[i + 1]] && !pairs->stands[one][bytes[i + 1]] &&
            !pairs->stands[bytes[i]][two] && !pairs->stands[one][two])
            return false;
    }
    return true;
}

bool literal_stands(const struct literal *literal, const YR_STRING *string, const uint8_t *data, size_t size,
                    size_t before)
{
    size_t length = (size_t)string->length, behind = (size_t)literal->at + literal->size, begin;

    if (before < behind)
        return false;
    begin = before - behind;
    if (size - begin < length * literal->width)
        return false;
    for (size_t i = 0; i < length; i++) {
        const uint8_t *at = data + begin + i * literal->width;

        if (literal->nocase ? lower(at[0]) != lower(string->string[i]) : at[0] != string->string[i])
            return false;
        if (literal->width == 2 && at[1] != 0)
            return false;
    }
    return true;
}
