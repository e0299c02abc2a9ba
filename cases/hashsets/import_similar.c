/*
 * import_similar: lists of similarity hashes, in any order: what `ssdeep` prints
 * ("blocksize:hash:hash,"name"", with or without its head line), and TLSH (70 hex digits, or "T1" and 70,
 * then a blank, TAB or comma and a name).
 */
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <string.h>

enum { TLSH_DIGITS = 70, SSDEEP_PART_MAX = 64, SSDEEP_BLOCK_DIGITS = 10 };

struct similar_line {
    enum hashset_similar kind;
    const char *hash, *name;
    size_t hash_size, name_size;
};

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static size_t run_of_base64(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && is_base64(text[length]))
        length++;
    return length;
}

/* How long the ssdeep hash is that the text begins with; 0: none. */
static size_t ssdeep_size(const char *text, size_t size)
{
    size_t at = 0, part;

    while (at < size && text[at] >= '0' && text[at] <= '9')
        at++;
    if (at == 0 || at > SSDEEP_BLOCK_DIGITS)
        return 0;
    for (unsigned i = 0; i < 2; i++) {
        if (at == size || text[at] != ':')
            return 0;
        at++;
        part = run_of_base64(text + at, size - at);
        if (part > SSDEEP_PART_MAX)
            return 0;
        at += part;
    }
    return at == size || text[at] == ',' || text[at] == '\t' || text[at] == ' ' ? at : 0;
}

static bool take_tlsh(const char *text, size_t size, struct similar_line *ret)
{
    size_t mark = size >= 2 && memcmp(text, "T1", 2) == 0 ? 2 : 0;

    if (import_hex_run((const uint8_t *)text + mark, size - mark) != TLSH_DIGITS)
        return false;
    ret->kind = HASHSET_TLSH;
    ret->hash = text + mark;
    ret->hash_size = TLSH_DIGITS;
    return size == mark + TLSH_DIGITS || strchr("\t ,", text[mark + TLSH_DIGITS]) != NULL;
}

/* The name behind a hash: without what stands between, and its quotes. */
static void take_name(const char *text, size_t size, struct similar_line *ret)
{
    while (size > 0 && (*text == ',' || *text == '\t' || *text == ' '))
        text++, size--;
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"')
        text++, size -= 2;
    ret->name = text;
    ret->name_size = size;
}

static bool take_line(const uint8_t *line, size_t size, struct similar_line *ret)
{
    const char *text = (const char *)line;
    size_t length = ssdeep_size(text, size);
    const char *end = text + size;

    if (length > 0) {
        ret->kind = HASHSET_SSDEEP;
        ret->hash = text;
        ret->hash_size = length;
    } else if (!take_tlsh(text, size, ret)) {
        return false;
    }
    take_name(ret->hash + ret->hash_size, (size_t)(end - ret->hash) - ret->hash_size, ret);
    return true;
}

static bool is_head(const uint8_t *line, size_t size)
{
    static const char head[] = "ssdeep,1.";

    return size >= sizeof head - 1 && memcmp(line, head, sizeof head - 1) == 0;
}

static bool similar_is(const uint8_t *head, size_t size)
{
    const uint8_t *end = head + size, *line;
    struct similar_line one;
    size_t length;

    while (import_line(&head, end, &line, &length))
        if (length > 0 && line[0] != '#')
            return is_head(line, length) || take_line(line, length, &one);
    return false;
}

static int similar_data(struct import *import, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *line;
    struct similar_line one;
    size_t length;
    int rc = 0;

    while (rc == 0 && import_line(&data, end, &line, &length)) {
        import->result->lines++;
        if (length == 0 || line[0] == '#' || is_head(line, length))
            continue;
        if (!take_line(line, length, &one)) {
            import_bad(import);
            continue;
        }
        import->result->rows++;
        rc = hashset_build_similar(import->build, one.kind, one.hash, one.hash_size, one.name, one.name_size,
                                   import->result->lines);
    }
    return rc;
}

const struct import_format import_similar = {
    .name = "similarity hashes", .lines = true, .is = similar_is, .data = similar_data};
