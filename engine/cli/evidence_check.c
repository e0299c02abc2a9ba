/* evidence_check: see evidence_check.h. */
#include "engine/cli/evidence_check.h"

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cli/key_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_MAX = 10000 };

/* One content: what is wanted, and what came. */
struct wanted {
    char *locator, *path;
    char sha256[SHA256_HEX_SIZE], got[SHA256_HEX_SIZE];
    struct hash_sha256 *hash;
    uint64_t bytes, unread;
    int code;
    char reason[300];
};

struct found_exhibit {
    uint64_t id;
    char type[32], sha256[SHA256_HEX_SIZE];
    bool image;
};

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_this(struct db_statement *s, const char *path, const char *exhibit, bool only)
{
    return exhibit ? strcmp(db_text(s, 1), exhibit) == 0
                   : only || strcmp(db_text(s, 2), path) == 0 ||
                         strcmp(last_name(db_text(s, 2)), last_name(path)) == 0;
}

static int find_exhibit(struct casefile *cf, const char *path, const char *exhibit,
                        struct evidence_check *check, struct found_exhibit *ret, struct why *why)
{
    struct db_statement *s;
    size_t count = 0;
    int code = db_prepare(
        casefile_db(cf),
        "SELECT id, label, path, type_wanted, coalesce(sha256, ''), (SELECT count(*) FROM t_exhibit) = 1, "
        "EXISTS "
        "(SELECT 1 FROM t_stream WHERE exhibit = t_exhibit.id AND locator = 'image') FROM t_exhibit",
        &s);
    if (code)
        return why_set(why, code, "%s", db_error(casefile_db(cf)));
    while ((code = db_step(s)) == 1)
        if (is_this(s, path, exhibit, db_i64(s, 5))) {
            count++;
            ret->id = db_u64(s, 0);
            snprintf(check->exhibit, sizeof check->exhibit, "%s", db_text(s, 1));
            snprintf(ret->type, sizeof ret->type, "%s", db_text(s, 3));
            snprintf(ret->sha256, sizeof ret->sha256, "%s", db_text(s, 4));
            ret->image = db_i64(s, 6);
        }
    db_finalize(s);
    if (code == 0 && count != 1)
        code = why_set(why, -ENOENT,
                       count ? "%s: several exhibits have this file name: choose with --exhibit"
                             : "%s: no exhibit of the case has this path or file name: choose with --exhibit",
                       path);
    return code;
}

/* ------------------------------------------------------------------ reading */

static int take_bytes(void *context, const void *data, size_t size)
{
    struct wanted *wanted = context;
    hash_sha256_update(wanted->hash, data, size);
    wanted->bytes += size;
    return 0;
}

static int taken(void *context, size_t index, int code, uint64_t unread, const char *reason)
{
    struct wanted *wanted = (struct wanted *)context + index;
    uint8_t digest[SHA256_SIZE];
    struct buf hex = {0};
    wanted->code = code;
    wanted->unread = unread;
    snprintf(wanted->reason, sizeof wanted->reason, "%s", reason ? reason : "");
    hash_sha256_final(wanted->hash, digest);
    text_hex(&hex, digest, sizeof digest);
    snprintf(wanted->got, sizeof wanted->got, "%s", buf_cstr(&hex));
    buf_finish(&hex);
    return 0;
}

static int read_wanted(const struct options *options, const struct job_options *keys, const char *path, const char *type,
                       struct wanted *wanted, size_t count, struct why *why)
{
    struct settings settings;
    struct job_read *reads = calloc(count, sizeof *reads);
    int code = reads ? settings_init(&settings) : -ENOMEM;
    if (code) {
        free(reads);
        return why_set(why, code, "out of memory");
    }
    for (size_t i = 0; i < count; i++)
        reads[i] = (struct job_read){.exhibit_path = path,
                                     .exhibit_type = type,
                                     .locator = wanted[i].locator,
                                     .size = UINT64_MAX,
                                     .each = take_bytes,
                                     .context = &wanted[i]};
    if (options_has(options, "weak-sandbox"))
        code = settings_set(&settings, "sandbox", "weak", why);
    struct job_options job = {
        .keys = keys->keys, .key_count = keys->key_count, .worker_program = job_cli_worker(), .settings = &settings, .spool_folder = job_cli_spool(options)};
    if (code == 0)
        code = job_read(&job, reads, count, taken, wanted, why);
    settings_finish(&settings);
    free(reads);
    return code;
}

/* ------------------------------------------------------------------ what is to be read */

static bool add(struct wanted *wanted, const char *locator, const char *path, const char *sha256)
{
    *wanted = (struct wanted){
        .locator = strdup(locator), .path = strdup(path), .hash = hash_sha256_new(), .code = -ECANCELED};
    snprintf(wanted->sha256, sizeof wanted->sha256, "%s", sha256);
    return wanted->locator && wanted->path && wanted->hash;
}

static void drop(struct wanted *wanted, size_t count)
{
    for (size_t i = 0; wanted && i < count; i++) {
        free(wanted[i].locator);
        free(wanted[i].path);
        hash_sha256_free(wanted[i].hash);
    }
    free(wanted);
}

/* Files from all over the exhibit, the same ones each time. */
#define CONTENTS                                                                                             \
    "FROM t_stream s JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt WHERE s.exhibit = ?1 "   \
    "AND s.parent "                                                                                          \
    "IS NULL AND s.locator <> 'image' AND s.size > 0 AND s.status = 1 AND s.unread = 0 AND d.sha256 IS NOT " \
    "NULL"

static int choose(struct casefile *cf, uint64_t exhibit, size_t sample, struct wanted *wanted, size_t *count)
{
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf),
                          "SELECT locator, path, sha FROM (SELECT s.locator, s.path, lower(hex(d.sha256)) AS "
                          "sha, row_number() OVER "
                          "(ORDER BY s.id) - 1 AS n, count(*) OVER () AS total " CONTENTS
                          ") WHERE n % max(1, (total + ?2 - 1) / ?2) = 0 "
                          "LIMIT ?2",
                          &s);
    if (code)
        return code == -EINVAL ? 0 : code; /* no plugin ever made that table */
    db_bind_u64(s, 1, exhibit);
    db_bind_u64(s, 2, sample);
    while ((code = db_step(s)) == 1)
        if (!add(&wanted[(*count)++], db_text(s, 0), db_text(s, 1), db_text(s, 2))) {
            code = -ENOMEM;
            break;
        }
    db_finalize(s);
    return code;
}

static void judge(const struct wanted *wanted, struct evidence_check *check)
{
    if (wanted->code)
        trouble_add(&check->trouble, "%s: it cannot be read: %s", wanted->path,
                    wanted->reason[0] ? wanted->reason : strerror(-wanted->code));
    else if (strcmp(wanted->got, wanted->sha256) != 0)
        trouble_add(&check->trouble, "%s: its SHA-256 is %s, the case says %s", wanted->path, wanted->got,
                    wanted->sha256);
}

static int check_files(struct casefile *cf, const struct options *options, const struct job_options *keys, const char *path,
                       const struct found_exhibit *exhibit, size_t sample, struct evidence_check *check,
                       struct why *why)
{
    size_t count = 0;
    struct wanted *wanted = calloc(sample + 1, sizeof *wanted);
    int code = wanted ? choose(cf, exhibit->id, sample, wanted, &count) : -ENOMEM;
    if (code == 0 && count)
        code = read_wanted(options, keys, path, exhibit->type, wanted, count, why);
    for (size_t i = 0; code == 0 && i < count; i++)
        judge(&wanted[i], check);
    check->files = count;
    drop(wanted, count);
    return code;
}

static int check_image(const struct options *options, const struct job_options *keys, const char *path,
                       const struct found_exhibit *exhibit,
                       struct evidence_check *check, struct why *why)
{
    struct wanted *image = calloc(1, sizeof *image);
    int code = image && add(image, "image", "the image", exhibit->sha256) ? 0 : -ENOMEM;
    if (code == 0)
        code = read_wanted(options, keys, path, exhibit->type, image, 1, why);
    if (code == 0) {
        judge(image, check);
        check->image = image->code == 0;
        check->bytes = image->bytes;
        check->unread = image->unread;
        memcpy(check->sha256, image->got, sizeof check->sha256);
        memcpy(check->wanted, exhibit->sha256, sizeof check->wanted);
    }
    drop(image, image ? 1 : 0);
    return code;
}

int evidence_check(struct casefile *cf, const struct options *options, const char *path, const char *exhibit,
                   size_t sample, struct evidence_check *ret, struct why *why)
{
    struct found_exhibit found = {0};
    struct evidence_check check = {0};
    struct job_options keys = {0};
    char *absolute = realpath(path, NULL);
    int code = absolute ? find_exhibit(cf, absolute, exhibit, &check, &found, why)
                        : why_set(why, -errno, "%s: %s", path, strerror(errno));
    if (code == 0)
        code = key_options_take(options, &keys, why);
    if (code == 0 && found.image && !found.sha256[0])
        trouble_add(&check.trouble, "the case has no SHA-256 of the image: it was not read whole");
    else if (code == 0 && found.image)
        code = check_image(options, &keys, absolute, &found, &check, why);
    if (code == 0)
        code = check_files(cf, options, &keys, absolute, &found, sample < SAMPLE_MAX ? sample : SAMPLE_MAX, &check,
                           why);
    if (code == 0)
        *ret = check;
    else
        trouble_finish(&check.trouble);
    key_options_finish(&keys);
    free(absolute);
    return code;
}

int evidence_record(struct casefile *cf, const struct evidence_check *check, const char *path,
                    struct why *why)
{
    struct buf fields = {0};
    struct json json;
    json_init(&json, &fields);
    json_object_open(&json, NULL);
    json_u64(&json, "bytes", check->bytes);
    json_text(&json, "exhibit", check->exhibit);
    json_text(&json, "path", path);
    json_u64(&json, "files_read_again", check->files);
    json_text(&json, "result", check->trouble.count ? "mismatch" : check->image ? "match" : "nothing-stored");
    json_text(&json, "sha256", check->sha256);
    json_text(&json, "tool", version_long());
    json_u64(&json, "unread_bytes", check->unread);
    json_object_close(&json);
    int code = buf_failed(&fields)
                   ? why_set(why, -ENOMEM, "out of memory")
                   : ledger_append(casefile_ledger(cf), "verification", buf_cstr(&fields), why);
    buf_finish(&fields);
    return code;
}
