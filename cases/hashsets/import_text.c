/*
 * import_text: one row a line, without a general grammar: NSRL RDS v2, hashdeep, and lists of hashes with or
 * without names (md5sum, sha1sum, sha256sum, the BSD form, plain).
 *
 * NSRLFile.txt: "SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode". The
 * two hashes stand at fixed places, so nothing else of a line is looked at.
 */
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool import_line(const uint8_t **at, const uint8_t *end, const uint8_t **ret_line, size_t *ret_size)
{
    const uint8_t *line = *at, *stop;

    if (line == end)
        return false;
    stop = memchr(line, '\n', (size_t)(end - line));
    *at = stop != NULL ? stop + 1 : end;
    if (stop == NULL)
        stop = end;
    if (stop > line && stop[-1] == '\r')
        stop--;
    *ret_line = line;
    *ret_size = (size_t)(stop - line);
    return true;
}

static bool begins(const uint8_t *data, size_t size, const char *with)
{
    return size >= strlen(with) && memcmp(data, with, strlen(with)) == 0;
}

/* ------------------------------------------------------------------ NSRL RDS v2 */

static const char nsrl2_head[] = "\"SHA-1\",\"MD5\",";
enum { NSRL2_SHA1 = 1, NSRL2_MD5 = 44, NSRL2_MIN = 77 };

static bool nsrl2_is(const uint8_t *head, size_t size)
{
    return begins(head, size, nsrl2_head);
}

static int nsrl2_data(struct import *import, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *line;
    size_t length;
    int rc = 0;

    while (rc == 0 && import_line(&data, end, &line, &length)) {
        uint8_t sha1[SHA1_SIZE], md5[MD5_SIZE];
        const uint8_t *keys[HASHSET_ALGORITHMS] = {md5, sha1, NULL};

        import->result->lines++;
        if (length >= NSRL2_MIN && line[0] == '"' && memcmp(line + 41, "\",\"", 3) == 0 && line[76] == '"' &&
            import_unhex(line + NSRL2_SHA1, sha1, SHA1_SIZE) && import_unhex(line + NSRL2_MD5, md5, MD5_SIZE))
            rc = import_row(import, keys, 0);
        else if (length > 0 && !begins(line, length, nsrl2_head))
            import_bad(import);
    }
    return rc;
}

const struct import_format import_nsrl2 = {
    .name = "NSRL RDS v2", .lines = true, .algorithms = 2, .is = nsrl2_is, .data = nsrl2_data};

/* ------------------------------------------------------------------ hashdeep */

enum { HASHDEEP_COLUMNS = 16 };

struct hashdeep {
    bool known;
    bool hash[HASHDEEP_COLUMNS];
    size_t count;
};

static bool hashdeep_is(const uint8_t *head, size_t size)
{
    return begins(head, size, "%%%% HASHDEEP-");
}

static void hashdeep_columns(struct hashdeep *state, const uint8_t *line, size_t size)
{
    memset(state, 0, sizeof *state);
    while (size > 0 && state->count < HASHDEEP_COLUMNS) {
        const uint8_t *comma = memchr(line, ',', size);
        size_t length = comma != NULL ? (size_t)(comma - line) : size;

        state->hash[state->count++] = import_column_of(line, length) == COLUMN_HASH;
        size -= comma != NULL ? length + 1 : length;
        line += comma != NULL ? length + 1 : length;
    }
    state->known = true;
}

static int hashdeep_line(struct import *import, const struct hashdeep *state, const uint8_t *line,
                         size_t size)
{
    uint8_t values[HASHSET_ALGORITHMS][HASHSET_KEY_MAX];
    const uint8_t *keys[HASHSET_ALGORITHMS] = {NULL};

    for (size_t i = 0; i < state->count; i++) {
        const uint8_t *comma = memchr(line, ',', size);
        size_t length = comma != NULL ? (size_t)(comma - line) : size;
        enum hashset_algorithm algorithm =
            length % 2 == 0 ? hashset_algorithm_of(length / 2) : HASHSET_ALGORITHMS;

        if (state->hash[i] && algorithm != HASHSET_ALGORITHMS &&
            import_unhex(line, values[algorithm], length / 2))
            keys[algorithm] = values[algorithm];
        if (comma == NULL)
            break;
        line += length + 1;
        size -= length + 1;
    }
    return import_row(import, keys, 0);
}

static int hashdeep_data(struct import *import, const uint8_t *data, size_t size)
{
    struct hashdeep *state = import->state;
    const uint8_t *end = data + size, *line;
    size_t length;
    int rc = 0;

    while (rc == 0 && import_line(&data, end, &line, &length)) {
        import->result->lines++;
        if (length == 0 || line[0] == '#' || hashdeep_is(line, length))
            continue;
        if (begins(line, length, "%%%% "))
            hashdeep_columns(state, line + 5, length - 5);
        else if (state->known)
            rc = hashdeep_line(import, state, line, length);
        else
            import_bad(import);
    }
    return rc;
}

const struct import_format import_hashdeep = {.name = "hashdeep",
                                              .lines = true,
                                              .is = hashdeep_is,
                                              .state_size = sizeof(struct hashdeep),
                                              .data = hashdeep_data};

/* ------------------------------------------------------------------ lists */

/* A hash at the line's beginning and then nothing or a space, a TAB or '*'; or behind the last ") = " of the
 * BSD form. NULL: neither. */
static const uint8_t *list_hash(const uint8_t *line, size_t size, size_t *ret_digits)
{
    static const char *const words[] = {"MD5 (",     "SHA1 (",  "SHA256 (", "SHA-1 (",
                                        "SHA-256 (", "\\MD5 (", "\\SHA1 (", "\\SHA256 ("};
    size_t digits;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const uint8_t *equals;

        if (!begins(line, size, words[i]))
            continue;
        equals = memrchr(line, '=', size);
        if (equals == NULL || equals - line < 3 || memcmp(equals - 2, ") =", 3) != 0)
            return NULL;
        size -= (size_t)(equals + 1 - line);
        line = equals + 1;
        while (size > 0 && *line == ' ')
            line++, size--;
        *ret_digits = import_hex_run(line, size);
        return *ret_digits == size ? line : NULL;
    }
    if (size > 0 && line[0] == '\\')
        line++, size--;
    digits = import_hex_run(line, size);
    *ret_digits = digits;
    return digits == size || line[digits] == ' ' || line[digits] == '\t' ? line : NULL;
}

static bool list_line(const uint8_t *line, size_t size, enum hashset_algorithm *ret_algorithm,
                      uint8_t *ret_key)
{
    size_t digits = 0;
    const uint8_t *hash = list_hash(line, size, &digits);

    if (hash == NULL || digits == 0 || digits % 2 != 0)
        return false;
    *ret_algorithm = hashset_algorithm_of(digits / 2);
    return *ret_algorithm != HASHSET_ALGORITHMS && import_unhex(hash, ret_key, digits / 2);
}

static bool list_is(const uint8_t *head, size_t size)
{
    const uint8_t *end = head + size, *line;
    enum hashset_algorithm algorithm;
    uint8_t key[HASHSET_KEY_MAX];
    size_t length;

    while (import_line(&head, end, &line, &length))
        if (length > 0 && line[0] != '#')
            return list_line(line, length, &algorithm, key);
    return false;
}

static int list_data(struct import *import, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *line;
    size_t length;
    int rc = 0;

    while (rc == 0 && import_line(&data, end, &line, &length)) {
        const uint8_t *keys[HASHSET_ALGORITHMS] = {NULL};
        enum hashset_algorithm algorithm;
        uint8_t key[HASHSET_KEY_MAX];

        import->result->lines++;
        if (length == 0 || line[0] == '#')
            continue;
        if (!list_line(line, length, &algorithm, key)) {
            import_bad(import);
            continue;
        }
        keys[algorithm] = key;
        rc = import_row(import, keys, 0);
    }
    return rc;
}

const struct import_format import_list = {
    .name = "list of hashes", .lines = true, .is = list_is, .data = list_data};
