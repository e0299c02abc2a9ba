/*
 * exhibit: the seized things of a case, as they were added, and whether their images are what somebody stored
 * that they are.
 */
#include "cases/casefile.h"

#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int ledger_exhibit(struct casefile *cf, const char *label, const char *path, const char *type,
                          struct why *why)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "exhibit", label);
    json_text(&json, "path", path);
    json_hex(&json, "path_hex", path, strlen(path));
    json_text(&json, "type_wanted", type);
    json_object_close(&json);
    int code = buf_failed(&buf) ? why_set(why, -ENOMEM, "out of memory")
                                : ledger_append(casefile_ledger(cf), "exhibit", buf_cstr(&buf), why);
    buf_finish(&buf);
    return code;
}

/* 1 when it is there with this path; 0 when it is not; -EEXIST when it is with another. */
static int look_up(struct casefile *cf, const char *label, const char *path, uint64_t *ret_id,
                   struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), "SELECT id, path FROM t_exhibit WHERE label = ?1", &s);
    if (code)
        return why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
    db_bind_text(s, 1, label);
    code = db_step(s);
    if (code == 1) {
        *ret_id = db_u64(s, 0);
        if (strcmp(db_text(s, 1), path) != 0)
            code = why_set(why, -EEXIST, "exhibit %s is %s already", label, db_text(s, 1));
    }
    db_finalize(s);
    return code;
}

static int insert(struct casefile *cf, const char *label, const char *path, const char *type,
                  uint64_t *ret_id)
{
    struct db_statement *s;
    int code =
        db_prepare(casefile_db(cf),
                   "INSERT INTO t_exhibit(label, path, type_wanted, added) VALUES (?1, ?2, ?3, ?4)", &s);
    if (code)
        return code;
    db_bind_text(s, 1, label);
    db_bind_text(s, 2, path);
    db_bind_text(s, 3, type);
    db_bind_i64(s, 4, when_now());
    code = db_run(s);
    db_finalize(s);
    *ret_id = (uint64_t)db_last_id(casefile_db(cf));
    return code;
}

int casefile_add_exhibit(struct casefile *cf, const char *label, const char *path, const char *type,
                         uint64_t *ret_id, struct why *why)
{
    uint64_t id = 0;
    int code = look_up(cf, label, path, &id, why);
    if (code == 0) {
        /* Ledger first: an exhibit that stands in the ledger and not in the database is added by the next
         * add. */
        code = ledger_exhibit(cf, label, path, type, why);
        if (code)
            return code;
        code = insert(cf, label, path, type, &id);
        if (code)
            return why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
    }
    if (code < 0)
        return code;
    *ret_id = id;
    return 0;
}

static bool fill(struct exhibit *exhibit, struct db_statement *s)
{
    *exhibit = (struct exhibit){
        .id = db_u64(s, 0),
        .label = strdup(db_text(s, 1)),
        .path = strdup(db_text(s, 2)),
        .type = strdup(db_text(s, 3)),
        .opened = !db_is_null(s, 4),
    };
    return exhibit->label && exhibit->path && exhibit->type;
}

int casefile_exhibits(struct casefile *cf, struct exhibit **ret_exhibits, size_t *ret_count)
{
    struct db_statement *s;
    struct exhibit *exhibits = NULL;
    size_t count = 0;
    int code = db_prepare(casefile_db(cf),
                          "SELECT id, label, path, type_wanted, type FROM t_exhibit ORDER BY id", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct exhibit *more = realloc(exhibits, (count + 1) * sizeof *more);
        if (more)
            exhibits = more;
        if (!more || !fill(&exhibits[count++], s)) {
            code = -ENOMEM;
            break;
        }
    }
    db_finalize(s);
    if (code) {
        exhibits_free(exhibits, count);
        return code;
    }
    *ret_exhibits = exhibits;
    *ret_count = count;
    return 0;
}

void exhibits_free(struct exhibit *exhibits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(exhibits[i].label);
        free(exhibits[i].path);
        free(exhibits[i].type);
    }
    free(exhibits);
}

/* ------------------------------------------------------------------ verification */

struct image_sums {
    char label[256], md5[33], sha1[41], sha256[65];
    uint64_t unread, size;
    bool done, verified;
};

static void copy(char *ret, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size)
        length = size - 1;
    memcpy(ret, text, length);
    ret[length] = 0;
}

static int load_sums(struct casefile *cf, uint64_t exhibit, struct image_sums *ret_sums)
{
    struct db_statement *s;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT lower(hex(d.md5)), lower(hex(d.sha1)), lower(hex(d.sha256)), d.unread, d.size, e.label, "
        "e.verified_at IS NOT NULL FROM t_exhibit e JOIN t_stream s ON s.exhibit = e.id JOIN rec_digest d "
        "ON d.stream = s.id AND d.attempt = s.attempt WHERE e.id = ?1 AND s.locator IN ('image', 'file')",
        &s);
    if (code)
        return code == -EINVAL ? 0 : code; /* no plugin ever made that table */
    db_bind_u64(s, 1, exhibit);
    code = db_step(s);
    if (code == 1) {
        copy(ret_sums->md5, sizeof ret_sums->md5, db_text(s, 0));
        copy(ret_sums->sha1, sizeof ret_sums->sha1, db_text(s, 1));
        copy(ret_sums->sha256, sizeof ret_sums->sha256, db_text(s, 2));
        copy(ret_sums->label, sizeof ret_sums->label, db_text(s, 5));
        ret_sums->unread = db_u64(s, 3);
        ret_sums->size = db_u64(s, 4);
        ret_sums->verified = db_i64(s, 6);
        ret_sums->done = true;
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

/* The hash of the image as read by this algorithm; NULL for one that is not computed. */
static const char *sum_of(const struct image_sums *sums, const char *algorithm)
{
    return strcmp(algorithm, "md5") == 0      ? sums->md5
           : strcmp(algorithm, "sha1") == 0   ? sums->sha1
           : strcmp(algorithm, "sha256") == 0 ? sums->sha256
                                              : NULL;
}

/* Where bytes could not be read, a hash that differs says nothing. */
static const char *compare_one(const struct image_sums *sums, const char *algorithm, const char *stored)
{
    const char *read = sum_of(sums, algorithm);
    if (read && strcasecmp(read, stored) == 0)
        return "match";
    return read && sums->unread == 0 ? "mismatch" : "not-compared";
}

/* Compares the stored hashes; counts matches and mismatches. */
static int compare(struct casefile *cf, uint64_t exhibit, const struct image_sums *sums, struct json *json,
                   int counts[2])
{
    struct db_statement *s, *set = NULL;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT algorithm, hex, source FROM t_image_hash WHERE exhibit = ?1 ORDER BY algorithm, source", &s);
    if (code)
        return code;
    code = db_prepare(
        casefile_db(cf),
        "UPDATE t_image_hash SET result = ?1 WHERE exhibit = ?2 AND algorithm = ?3 AND source = ?4", &set);
    db_bind_u64(s, 1, exhibit);
    while (code == 0 && (code = db_step(s)) == 1) {
        const char *algorithm = db_text(s, 0), *result = compare_one(sums, algorithm, db_text(s, 1));
        counts[0] += strcmp(result, "mismatch") == 0;
        counts[1] += strcmp(result, "match") == 0;
        json_object_open(json, NULL);
        json_text(json, "algorithm", algorithm);
        json_text(json, "stored", db_text(s, 1));
        json_text(json, "source", db_text(s, 2));
        json_text(json, "result", result);
        json_object_close(json);
        db_bind_text(set, 1, result);
        db_bind_u64(set, 2, exhibit);
        db_bind_text(set, 3, algorithm);
        db_bind_text(set, 4, db_text(s, 2));
        code = db_run(set);
    }
    db_finalize(s);
    db_finalize(set);
    return code;
}

static int store(struct casefile *cf, uint64_t exhibit, const struct image_sums *sums, const char *result)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf),
                          "UPDATE t_exhibit SET md5 = ?1, sha1 = ?2, sha256 = ?3, unread = ?4, verification "
                          "= ?5, verified_at = ?6 WHERE id = ?7",
                          &s);
    if (code)
        return code;
    db_bind_text(s, 1, sums->md5);
    db_bind_text(s, 2, sums->sha1);
    db_bind_text(s, 3, sums->sha256);
    db_bind_u64(s, 4, sums->unread);
    db_bind_text(s, 5, result);
    db_bind_i64(s, 6, when_now());
    db_bind_u64(s, 7, exhibit);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int casefile_verify_image(struct casefile *cf, uint64_t exhibit, struct why *why)
{
    struct image_sums sums = {0};
    struct buf buf = {0};
    struct json json;
    int counts[2] = {0, 0};
    int code = load_sums(cf, exhibit, &sums);
    if (code == 0 && (!sums.done || sums.verified))
        return 0; /* not read yet, or told already */
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "exhibit", sums.label);
    json_u64(&json, "bytes", sums.size);
    json_u64(&json, "unread_bytes", sums.unread);
    json_text(&json, "md5", sums.md5);
    json_text(&json, "sha1", sums.sha1);
    json_text(&json, "sha256", sums.sha256);
    json_array_open(&json, "stored");
    if (code == 0)
        code = db_begin(casefile_db(cf));
    if (code == 0)
        code = compare(cf, exhibit, &sums, &json, counts);
    json_array_close(&json);
    const char *result = counts[0]     ? "mismatch"
                         : sums.unread ? "partial"
                         : counts[1]   ? "match"
                                       : "nothing-stored";
    json_text(&json, "result", result);
    json_object_close(&json);
    if (code == 0)
        code = store(cf, exhibit, &sums, result);
    if (code)
        why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
    else if (buf_failed(&buf))
        code = why_set(why, -ENOMEM, "out of memory");
    else
        code = ledger_append(casefile_ledger(cf), "verification", buf_cstr(&buf), why);
    if (code == 0)
        code = db_commit(casefile_db(cf));
    else
        db_rollback(casefile_db(cf));
    buf_finish(&buf);
    return code;
}
