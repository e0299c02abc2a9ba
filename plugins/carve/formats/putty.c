/*
 * putty: PuTTY's private keys, versions 1 to 3 [PuTTY User Manual, appendix C]. Lines, two blocks of base64
 * with their numbers of lines, and a MAC. Validated: both blocks decode, the public one is SSH strings that
 * fill it and name the same algorithm, the private one fits the cipher, and the MAC has its length. The title
 * is the comment.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/base64.h"
#include "plugins/carve/formats/field.h"
#include "engine/base/buf.h"

#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 4096, VALUE_MAX = 256 };

struct key {
    struct reader *reader;
    uint64_t at;
    char algorithm[VALUE_MAX], encryption[VALUE_MAX], value[VALUE_MAX];
    struct buf content;
    int version;
};

/* "<name>: <value>" at key->at, which moves behind it; the value goes to `ret`. */
static bool take_field(struct key *key, const char *name, char ret[VALUE_MAX])
{
    size_t size, n = strlen(name);
    uint64_t next;
    const uint8_t *line = text_line(key->reader, key->at, &size, &next);

    if (line == NULL || size < n + 2 || size - n - 2 >= VALUE_MAX || memcmp(line, name, n) != 0 ||
        memcmp(line + n, ": ", 2) != 0)
        return false;
    memcpy(ret, line + n + 2, size - n - 2);
    ret[size - n - 2] = '\0';
    key->at = next;
    return true;
}

static bool take_number(struct key *key, const char *name, unsigned *ret)
{
    return take_field(key, name, key->value) && sscanf(key->value, "%5u", ret) == 1 && *ret > 0 &&
           *ret < LINES_MAX;
}

/* A block of so many lines as its field says, into key->content. */
static bool take_lines(struct key *key, const char *name)
{
    struct base64 base64 = {.reader = key->reader, .take = base64_keep, .context = &key->content};
    unsigned count;
    bool even;

    if (!take_number(key, name, &count))
        return false;
    buf_clear(&key->content);
    base64.at = key->at;
    base64.lines_max = count;
    even = base64_lines(&base64);
    key->at = base64.at;
    return even && base64.lines == count;
}

/* SSH strings, of which the first is the algorithm. */
static bool public_holds(const struct key *key)
{
    const uint8_t *p = key->content.data;
    size_t size = key->content.size, at = 0, n = strlen(key->algorithm);

    if (size < n + 4 || field_be32(p) != n || memcmp(p + 4, key->algorithm, n) != 0)
        return false;
    while (size - at >= 4 && field_be32(p + at) <= size - at - 4)
        at += 4 + (size_t)field_be32(p + at);
    return at == size;
}

static bool derivation(struct key *key)
{
    static const char *const names[] = {"Argon2-Memory", "Argon2-Passes", "Argon2-Parallelism",
                                        "Argon2-Salt"};

    if (key->version < 3 || strcmp(key->encryption, "none") == 0)
        return true;
    if (!take_field(key, "Key-Derivation", key->value))
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (!take_field(key, names[i], key->value))
            return false;
    }
    return true;
}

/* The last line; its digits end it even when no line end follows. */
static bool take_mac(struct key *key)
{
    static const char name[] = "Private-MAC: ";
    size_t digits = key->version == 3 ? 64 : 40;
    const uint8_t *p = reader_at(key->reader, key->at, sizeof name - 1 + digits);

    if (p == NULL || memcmp(p, name, sizeof name - 1) != 0)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (strchr("0123456789abcdefABCDEF", p[sizeof name - 1 + i]) == NULL || p[sizeof name - 1 + i] == 0)
            return false;
    }
    key->at = text_line_end(key->reader, key->at + sizeof name - 1 + digits);
    return true;
}

static enum carve_grade walk(struct key *key, struct carved *ret)
{
    char name[] = "PuTTY-User-Key-File-0";
    bool holds;

    name[sizeof name - 2] = (char)('0' + key->version);
    if (!take_field(key, name, key->algorithm))
        return CARVE_NONE;
    if (!take_field(key, "Encryption", key->encryption) || !take_field(key, "Comment", key->value))
        return carved_partial(ret, key->at, "the lines that follow the first");
    carved_title(ret, key->value, strlen(key->value), "UTF-8");
    if (!take_lines(key, "Public-Lines"))
        return carved_partial(ret, key->at, "the rest of the public key");
    holds = public_holds(key);
    if (!derivation(key) || !take_lines(key, "Private-Lines"))
        return carved_partial(ret, key->at, "the rest of the private key");
    holds = holds && (strcmp(key->encryption, "none") == 0 || key->content.size % 16 == 0);
    if (!take_mac(key))
        return carved_partial(ret, key->at, "the MAC behind the private key");
    return carved_whole(ret, holds ? CARVE_VALIDATED : CARVE_COMPLETE, key->at);
}

static enum carve_grade examine_putty(struct reader *reader, struct carved *ret)
{
    static const char begin[] = "PuTTY-User-Key-File-";
    struct key key = {.reader = reader};
    const uint8_t *p = reader_at(reader, 0, sizeof begin + 1);

    if (p == NULL || memcmp(p, begin, sizeof begin - 1) != 0 || p[sizeof begin - 1] < '1' ||
        p[sizeof begin - 1] > '3')
        return CARVE_NONE;
    key.version = p[sizeof begin - 1] - '0';
    walk(&key, ret);
    buf_finish(&key.content);
    return ret->grade;
}

static const struct carve_format putty_format = {"putty", examine_putty};
const struct carve_format *const carve_putty[] = {&putty_format, NULL};
