/* similar: a set's similarity hashes, read: lines "hash TAB row TAB name LF" in bytewise order. */
#include "engine/hashset/format.h"
#include "engine/hashset/reader.h"

#include "engine/base/text.h"

#include <errno.h>
#include <string.h>

const char *hashset_similar_name(enum hashset_similar kind)
{
    return kind == HASHSET_SSDEEP ? "ssdeep" : "tlsh";
}

static bool take_row(const char *text, const char *end, uint32_t *ret_row)
{
    uint64_t row = 0;

    if (text == end || end - text > 10)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        row = row * 10 + (uint64_t)(*text - '0');
    }
    *ret_row = (uint32_t)row;
    return row <= UINT32_MAX;
}

static bool take_line(const char *line, const char *end, struct hashset_similar_hash *ret)
{
    const char *row = memchr(line, '\t', (size_t)(end - line)),
               *name = row != NULL ? memchr(row + 1, '\t', (size_t)(end - row - 1)) : NULL;

    if (name == NULL || !take_row(row + 1, name, &ret->row))
        return false;
    ret->hash = line;
    ret->hash_size = (size_t)(row - line);
    ret->name = name + 1;
    ret->name_size = (size_t)(end - name - 1);
    return true;
}

int hashset_similar_each(const struct hashset *set, enum hashset_similar kind,
                         int (*each)(void *context, const struct hashset_similar_hash *hash), void *context)
{
    const struct hashset_hashes *hashes = &hashset_layout(set)->similar[kind];
    const char *line, *end;
    uint64_t count = 0;
    int rc = 0;

    if (hashes->count == 0) /* then nobody has looked where they lie */
        return 0;
    line = (const char *)hashset_bytes(set, &hashes->part);
    if (line == NULL)
        return -EBADMSG;
    for (end = line + hashes->part.size; line < end && rc >= 0; count++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        struct hashset_similar_hash one;

        if (stop == NULL || !take_line(line, stop, &one))
            return -EBADMSG;
        rc = each != NULL ? each(context, &one) : 0;
        line = stop + 1;
    }
    return rc < 0 ? rc : count == hashes->count ? 0 : -EBADMSG;
}
