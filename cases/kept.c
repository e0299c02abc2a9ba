/* kept: see kept.h. */
#include "cases/kept.h"

#include "cases/db.h"
#include "cases/ledger.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 8192, FILE_SIZE_MAX = 256 << 20 };

static void kept_path(const struct casefile *cf, const char *sha256, char ret[PATH_SIZE])
{
    snprintf(ret, PATH_SIZE, "%s/rules/%s.yar", casefile_folder(cf), sha256);
}

/* All of a file, and only if it has this SHA-256. */
static int read_file(const char *path, const char *sha256, struct buf *ret)
{
    char found[SHA256_HEX_SIZE], block[16384];
    FILE *file = fopen(path, "re");
    size_t size;
    int code = 0;
    if (!file)
        return -errno;
    while (ret->size <= FILE_SIZE_MAX && (size = fread(block, 1, sizeof block, file)) > 0)
        buf_append(ret, block, size);
    if (ferror(file))
        code = -EIO;
    fclose(file);
    if (code == 0 && buf_failed(ret))
        code = -ENOMEM;
    if (code)
        return code;
    hash_sha256_hex(ret->data, ret->size, found);
    return strcmp(found, sha256) == 0 ? 0 : -EUCLEAN;
}

/* Whole under its name, or not there. */
static int write_file(const char *path, const struct buf *content)
{
    char partial[PATH_SIZE + 16];
    snprintf(partial, sizeof partial, "%s.partial", path);
    FILE *file = fopen(partial, "we");
    if (!file)
        return -errno;
    bool good = fwrite(content->data, 1, content->size, file) == content->size && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    int code = good ? 0 : -errno;
    if (fclose(file) && code == 0)
        code = -errno;
    if (code == 0 && rename(partial, path))
        code = -errno;
    if (code)
        unlink(partial);
    return code;
}

static int tell(struct casefile *cf, const char *name, const char *sha256, uint64_t size, struct why *why)
{
    struct buf fields = {0};
    struct json json;
    char path[128];
    snprintf(path, sizeof path, "rules/%s.yar", sha256);
    json_init(&json, &fields);
    json_object_open(&json, NULL);
    json_text(&json, "kind", "rules");
    json_text(&json, "name", name);
    json_text(&json, "path", path);
    json_text(&json, "sha256", sha256);
    json_u64(&json, "size", size);
    json_object_close(&json);
    int code = buf_failed(&fields) ? -ENOMEM
                                   : ledger_append(casefile_ledger(cf), "artifact", buf_cstr(&fields), why);
    buf_finish(&fields);
    return code;
}

/* The file below one of the roots, or the root itself when it is that file. */
static int find(const char *list, const char *name, const char *sha256, struct buf *ret)
{
    char *copy = strdup(list), *rest = copy, *root;
    int code = copy ? -ENOENT : -ENOMEM;
    while (code == -ENOENT && (root = strsep(&rest, ":"))) {
        const char *slash = strrchr(root, '/');
        char path[PATH_SIZE];
        if (strcmp(slash ? slash + 1 : root, name) == 0)
            snprintf(path, sizeof path, "%s", root);
        else if ((size_t)snprintf(path, sizeof path, "%s/%s", root, name) >= sizeof path)
            continue;
        buf_clear(ret);
        code = read_file(path, sha256, ret) == 0 ? 0 : -ENOENT;
    }
    free(copy);
    return code;
}

static int keep(struct casefile *cf, const char *list, const char *name, const char *sha256, struct why *why)
{
    char path[PATH_SIZE], folder[PATH_SIZE];
    struct buf content = {0};
    kept_path(cf, sha256, path);
    snprintf(folder, sizeof folder, "%s/rules", casefile_folder(cf));
    if (access(path, F_OK) == 0)
        return 0;
    int code = find(list, name, sha256, &content);
    if (code == 0 && mkdir(folder, 0750) && errno != EEXIST)
        code = -errno;
    if (code == 0)
        code = write_file(path, &content);
    if (code == 0)
        code = tell(cf, name, sha256, content.size, why);
    else if (code != -ENOENT)
        why_set(why, code, "%s: %s", path, strerror(-code));
    buf_finish(&content);
    return code == -ENOENT ? 0 : code;
}

int kept_rules(struct casefile *cf, uint64_t run, const char *list, struct why *why)
{
    static const char sql[] = "SELECT DISTINCT l.name, l.sha256 FROM t_run_loaded l JOIN (SELECT DISTINCT "
                              "namespace FROM match) m ON "
                              "l.name IN (m.namespace || '.yar', m.namespace || '.yara', m.namespace || "
                              "'.rule') WHERE l.run = ?1 AND "
                              "l.plugin = 'yara' AND l.kind = 'rules' ORDER BY l.name";
    struct db_statement *s;
    int code = db_prepare(casefile_db(cf), sql, &s);
    if (code)
        return db_has_table(casefile_db(cf), "rec_yara_match")
                   ? why_set(why, code, "%s", db_error(casefile_db(cf)))
                   : 0;
    db_bind_u64(s, 1, run);
    while (code >= 0 && (code = db_step(s)) == 1)
        code = keep(cf, list, db_text(s, 0), db_text(s, 1), why);
    db_finalize(s);
    return code;
}

int kept_lines(const struct casefile *cf, const char *sha256, uint64_t first, uint64_t last, struct buf *ret)
{
    char path[PATH_SIZE];
    struct buf content = {0};
    kept_path(cf, sha256, path);
    int code = read_file(path, sha256, &content);
    const uint8_t *at = content.data, *end = content.data + content.size;
    for (uint64_t line = 1; code == 0 && at < end && line <= last; line++) {
        const uint8_t *next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next + 1 : end;
        if (line >= first)
            buf_append(ret, at, (size_t)(next - at));
        at = next;
    }
    buf_finish(&content);
    return code;
}
