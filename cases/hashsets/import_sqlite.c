/*
 * import_sqlite: NSRL RDS v3 (the table or view FILE, full or minimal) and The Sleuth Kit's hash databases
 * (hashes), both SQLite. Rows come in the order of their ids; `line` is the number of the row.
 */
#include "cases/db.h"
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <string.h>

enum { LOOK_EVERY = 1 << 16 };

static bool sqlite_is(const uint8_t *head, size_t size)
{
    return size >= 16 && memcmp(head, "SQLite format 3", 16) == 0;
}

/* A hash as text in hex, or as bytes. False: NULL, or no hash. */
static bool take(struct db_statement *s, int column, uint8_t *ret_key, enum hashset_algorithm *ret_algorithm)
{
    size_t size = 0;
    const uint8_t *data;

    if (db_is_null(s, column))
        return false;
    data = db_bytes(s, column, &size);
    if (data == NULL)
        return false;
    *ret_algorithm = hashset_algorithm_of(size);
    if (db_is_blob(s, column) && *ret_algorithm != HASHSET_ALGORITHMS) {
        memcpy(ret_key, data, size);
        return true;
    }
    *ret_algorithm = size % 2 == 0 ? hashset_algorithm_of(size / 2) : HASHSET_ALGORITHMS;
    return *ret_algorithm != HASHSET_ALGORITHMS && import_unhex(data, ret_key, size / 2);
}

static int rows(struct import *import, struct db_statement *s)
{
    int code, count = db_columns(s);

    while ((code = db_step(s)) == 1) {
        uint8_t values[HASHSET_ALGORITHMS][HASHSET_KEY_MAX];
        const uint8_t *keys[HASHSET_ALGORITHMS] = {NULL};

        for (int i = 0; i < count; i++) {
            enum hashset_algorithm algorithm;
            uint8_t key[HASHSET_KEY_MAX];

            if (!take(s, i, key, &algorithm))
                continue;
            memcpy(values[algorithm], key, hashset_width(algorithm));
            keys[algorithm] = values[algorithm];
        }
        import->result->lines++;
        code = import_row(import, keys, 0);
        if (code == 0 && import->result->lines % LOOK_EVERY == 0)
            code = import_look(import);
        if (code < 0)
            break;
    }
    return code;
}

static int sqlite_file(struct import *import)
{
    static const char *const statements[] = {
        "SELECT md5, sha1, sha256 FROM FILE",
        "SELECT md5, sha1 FROM FILE",
        "SELECT md5, sha1, sha2_256 FROM hashes ORDER BY id",
    };
    struct db *db = NULL;
    struct db_statement *s = NULL;
    int code = db_open(import->path, DB_READ, &db, import->why);

    if (code < 0)
        return code;
    code = -EINVAL;
    for (size_t i = 0; code < 0 && i < sizeof statements / sizeof statements[0]; i++)
        code = db_prepare(db, statements[i], &s);
    if (code < 0)
        code = why_set(import->why, -EBADMSG,
                       "%s: a SQLite database without NSRL's FILE and without The Sleuth Kit's hashes",
                       import->path);
    else
        code = rows(import, s);
    if (code < 0 && import->why->text[0] == '\0' && code == -EUCLEAN)
        why_set(import->why, -EBADMSG, "%s: %s", import->path, db_error(db));
    db_finalize(s);
    db_close(db);
    return code;
}

const struct import_format import_sqlite = {.name = "SQLite", .is = sqlite_is, .file = sqlite_file};
