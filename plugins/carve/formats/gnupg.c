/*
 * gnupg: where GnuPG since 2.1 keeps keys: the keybox pubring.kbx [GnuPG, kbx/keybox-blob.c, description of
 * the layout] and the files of private-keys-v1.d [GnuPG, agent/keyformat.txt; Rivest, S-expressions,
 * canonical form]. A keybox is blobs, each with its length and a SHA-1 at its end: validated when all are
 * right. An S-expression ends with the parenthesis that closes the first one; each atom has its length.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/base64.h"
#include "plugins/carve/formats/field.h"
#include "engine/base/hash.h"

#include <string.h>

enum { FIRST_BLOB = 32, BLOB_MAX = 16 * 1024 * 1024, DEPTH_MAX = 16, ATOMS_MAX = 4096 };

static bool hash_range(struct reader *reader, struct hash_all *hash, uint64_t offset, uint64_t size,
                       struct hash_set *ret)
{
    hash_all_reset(hash);
    while (size > 0) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            return false;
        span = span < size ? span : (size_t)size;
        hash_all_update(hash, data, span);
        offset += span;
        size -= span;
    }
    hash_all_final(hash, ret);
    return true;
}

/* A blob's length when it is one of OpenPGP or X.509 keys, or an empty one; 0: it is not. */
static uint32_t blob_size(struct reader *reader, uint64_t offset)
{
    const uint8_t *p = reader_at(reader, offset, 20);
    uint32_t size = p != NULL ? field_be32(p) : 0;

    if (size < 64 || size > BLOB_MAX || (p[4] != 0 && p[4] != 2 && p[4] != 3) || p[5] != 1 ||
        field_be32(p + 8) >= size)
        return 0;
    return size;
}

static enum carve_grade walk_keybox(struct reader *reader, struct hash_all *hash, struct carved *ret)
{
    uint64_t at = FIRST_BLOB;
    bool right = true;
    uint32_t size;

    while ((size = blob_size(reader, at)) > 0) {
        struct hash_set set;
        uint8_t type = 0;

        if (at + size > reader_size(reader) || !hash_range(reader, hash, at, size - 20, &set))
            return carved_partial(ret, at, "the data ends within the blob at byte %llu",
                                  (unsigned long long)at);
        (void)reader_u8(reader, at + 4, &type);
        if (!reader_is(reader, at + size - 20, set.sha1, SHA1_SIZE) && type != 0) {
            right = false;
            if (!reader_is(reader, at + size - 20, "\0\0\0\0", 4)) /* then it is an MD5 */
                return carved_partial(ret, at, "the checksum of the blob at byte %llu",
                                      (unsigned long long)at);
        }
        at += size;
    }
    if (at == FIRST_BLOB)
        return CARVE_NONE;
    return carved_whole(ret, right ? CARVE_VALIDATED : CARVE_COMPLETE, at);
}

static enum carve_grade examine_keybox(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, FIRST_BLOB);
    struct hash_all *hash;

    if (p == NULL || field_be32(p) != FIRST_BLOB || p[4] != 1 || p[5] != 1 || memcmp(p + 8, "KBXf", 4) != 0 ||
        (hash = hash_all_new()) == NULL)
        return CARVE_NONE;
    walk_keybox(reader, hash, ret);
    hash_all_free(hash);
    return ret->grade;
}

/* "<decimal>:" and so many bytes; where it ends, 0: no atom. */
static uint64_t atom_end(struct reader *reader, uint64_t at)
{
    uint64_t length = 0;
    uint8_t c;

    for (size_t digits = 0; digits < 7 && reader_u8(reader, at, &c); digits++, at++) {
        if (c == ':')
            return digits > 0 && length > 0 && at + 1 + length <= reader_size(reader) ? at + 1 + length : 0;
        if (c < '0' || c > '9' || (digits == 0 && c == '0'))
            return 0;
        length = length * 10 + (c - '0');
    }
    return 0;
}

static enum carve_grade examine_sexp(struct reader *reader, struct carved *ret)
{
    uint64_t at = 0, next;
    unsigned depth = 0;
    uint8_t c;

    if (!reader_is(reader, 0, "(21:protected-private-key(", 26) &&
        !reader_is(reader, 0, "(20:shadowed-private-key(", 25) &&
        !reader_is(reader, 0, "(11:private-key(", 16))
        return CARVE_NONE;
    for (size_t i = 0; i < ATOMS_MAX && reader_u8(reader, at, &c); i++) {
        if (c == '(' && depth < DEPTH_MAX)
            depth++;
        else if (c == ')')
            depth--;
        else if ((next = atom_end(reader, at)) != 0)
            at = next - 1;
        else
            break;
        at++;
        if (depth == 0)
            return carved_whole(ret, CARVE_VALIDATED, at);
    }
    return carved_partial(ret, at, "the end of the expression that began");
}

/* A line of the newer key files: "Name: value", or one that goes on, after a blank. */
static bool is_field(const uint8_t *line, size_t size)
{
    size_t name = 0;

    for (size_t i = 0; i < size; i++) {
        if (line[i] < ' ' || line[i] > '~')
            return false;
    }
    while (name < size && ((line[name] | 0x20) >= 'a' || line[name] == '-') && (line[name] | 0x20) <= 'z')
        name++;
    return size > 1 && (line[0] == ' ' || (name > 0 && name < size && line[name] == ':'));
}

/* Parentheses that are open behind the line; -1 when one closes nothing. */
static int open_behind(const uint8_t *line, size_t size, int depth)
{
    bool quoted = false;

    for (size_t i = 0; i < size && depth >= 0; i++) {
        if (line[i] == '"' && (i == 0 || line[i - 1] != '\\'))
            quoted = !quoted;
        else if (!quoted && (line[i] == '(' || line[i] == ')'))
            depth += line[i] == '(' ? 1 : -1;
    }
    return depth;
}

/* The newer files: fields, of which "Key" is an expression over many lines. */
static enum carve_grade examine_fields(struct reader *reader, struct carved *ret)
{
    uint64_t at = 0, next;
    const uint8_t *line;
    bool key = false;
    int depth = 0;
    size_t size;

    while ((line = text_line(reader, at, &size, &next)) != NULL && is_field(line, size) &&
           next == at + size + 1) {
        bool begins = size > 6 && memcmp(line, "Key: (", 6) == 0;

        if ((begins && key) || (line[0] != ' ' && depth != 0))
            break; /* another file's */
        if (begins || depth > 0)
            depth = open_behind(line, size, depth);
        key = key || begins;
        at = next;
    }
    if (!key)
        return CARVE_NONE;
    if (depth != 0)
        return carved_partial(ret, at, "the end of the expression that began");
    return carved_whole(ret, CARVE_VALIDATED, at);
}

static enum carve_grade examine_agentkey(struct reader *reader, struct carved *ret)
{
    if (reader_is(reader, 0, "Created: ", 9) || reader_is(reader, 0, "Key: (", 6))
        return examine_fields(reader, ret);
    return examine_sexp(reader, ret);
}

static const struct carve_format keybox_format = {"keybox", examine_keybox};
static const struct carve_format sexp_format = {"agentkey", examine_agentkey};
const struct carve_format *const carve_gnupg[] = {&keybox_format, &sexp_format, NULL};
