/* locked: see locked.h. */
#include "plugins/archive/locked.h"

#include <errno.h>
#include <stdio.h>

/* How much of a compressed member is unpacked to see whether the password is right: a wrong one passes the
 * format's own check of one or two bytes now and then, and what comes out is then no packed data. Of stored
 * bytes the checksum at their end tells. */
enum { TRIAL = 1 << 20, TRIALS_MAX = 4096, DESCRIPTOR_MAX = 64, PPMD = 98 };

static bool can_decrypt(const struct zip_entry *entry)
{
    return (entry->flags & ZIP_STRONG) == 0 && entry->packed != UINT64_MAX &&
           (entry->method == 99 ? entry->aes_bits != 0 && zip_can_unpack(entry->real_method)
                                : zip_can_unpack(entry->method));
}

/* The member as it stands, from its own header on, with the sizes that may stand behind it: how its password
 * is checked depends on both. */
static int open_with(struct source_bytes *source, const struct member *member, uint64_t end,
                     const char *password, struct reader **ret_reader)
{
    return reader_open_one(NULL, 0, source, member->offset, end - member->offset + DESCRIPTOR_MAX, password,
                           ret_reader);
}

/* 1: it opens the member, 0: it does not. -ENOTSUP: the member's own header says that it is not encrypted, so
 * that any password would do. */
static int try_password(struct opened *opened, const struct zip_entry *entry, const struct member *member,
                        uint64_t end, const char *password)
{
    /* PPMd makes something of any bytes. */
    bool whole = entry->real_method == 0 || entry->real_method == PPMD;
    uint64_t limit = whole ? UINT64_MAX : TRIAL, out = 0, gap;
    struct source_bytes source =
        opened->source; /* what trials read counts neither as reading in circles nor as packed */
    struct reader *reader;
    struct member unused;
    const void *bytes;
    size_t part;
    int code = open_with(&source, member, end, password, &reader);

    if (code < 0)
        return code;
    code = reader_next(reader, &unused);
    if (code > 0 && unused.encrypted == NULL) {
        reader_close(reader);
        return -ENOTSUP;
    }
    while (code > 0 && out < limit && (code = reader_data(reader, &bytes, &part, &gap)) > 0)
        out += part;
    code = code == 0 && !reader_warned(reader) ? 1 : out >= limit;
    reader_close(reader);
    return code;
}

/* The one that opened the member before is tried first, and always. -ENOENT: none opens it. */
static int find_password(struct locked *locked, struct opened *opened, const struct zip_entry *entry,
                         const struct member *member, uint64_t end, size_t *ret_number)
{
    bool more = locked->key[0] != '\0' || locked->trials < TRIALS_MAX;
    const char *password = more ? scan_password(opened->scan, locked->password) : NULL;
    int code = password != NULL ? try_password(opened, entry, member, end, password) : 0;

    locked->trials += code == 0;
    *ret_number = locked->password;
    for (size_t i = 0;
         code == 0 && (password = scan_password(opened->scan, i)) != NULL && locked->trials < TRIALS_MAX;
         i++) {
        if (i == locked->password)
            continue;
        locked->trials++;
        *ret_number = i;
        code = try_password(opened, entry, member, end, password);
    }
    return code == 0 ? -ENOENT : code < 0 ? code : 0;
}

/* Which one it was is worked out once for members that follow each other with the same. */
static void name_password(struct locked *locked, struct opened *opened, size_t number)
{
    char digest[SCAN_PASSWORD_DIGEST];

    if (locked->key[0] != '\0' && locked->password == number)
        return;
    scan_password_digest(opened->scan, number, digest);
    snprintf(locked->key, sizeof locked->key, "opened with password %s", digest);
    locked->password = number;
}

static const char *why_not(const struct locked *locked, int code)
{
    if (code == -ENOTSUP)
        return "not opened: its encryption or method is not read";
    return locked->trials < TRIALS_MAX ? "wrong key: none of the passwords given opens it, or it is damaged"
                                       : "not opened: the passwords given were tried too often";
}

/* Once for an archive. */
static void tell_limit(struct locked *locked, struct opened *opened, const struct member *member)
{
    if (locked->trials < TRIALS_MAX || locked->said)
        return;
    scan_limited(
        opened->scan, opened->source.base + member->offset,
        "%d wrong passwords were tried on one archive: on its other members only the one that fitted last is",
        TRIALS_MAX);
    locked->said = true;
}

int locked_open(struct locked *locked, struct opened *opened, const struct zip_entry *entry,
                struct member *member, uint64_t end, struct reader **ret_reader)
{
    size_t number;
    int code;

    if (scan_password(opened->scan, 0) == NULL)
        return -ENOENT;
    code = can_decrypt(entry) ? find_password(locked, opened, entry, member, end, &number) : -ENOTSUP;
    if (code == -ENOENT || code == -ENOTSUP)
        member->key = why_not(locked, code);
    if (code == -ENOENT)
        tell_limit(locked, opened, member);
    if (code == 0)
        code = open_with(&opened->source, member, end, scan_password(opened->scan, number), ret_reader);
    if (code < 0)
        return code;
    name_password(locked, opened, number);
    member->key = locked->key;
    return 0;
}
