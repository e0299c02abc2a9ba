/* bag: see bag.h. */
#include "engine/cli/bag.h"

#include "engine/base/json.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct bag {
    struct casefile *cf;
    int exports, folder; /* exports/, exports/bag-NNNN.partial */
    struct buf manifest, tags;
    uint64_t bytes, files;
};

static int copy(int from_folder, const char *from, int to_folder, const char *to)
{
    int in = openat(from_folder, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int out = in < 0 ? -1 : openat(to_folder, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t sent = out < 0 ? -1 : 1;
    while (sent > 0)
        sent = sendfile(out, in, NULL, 1 << 24);
    int code = sent < 0 || fsync(out) < 0 ? -errno : 0;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return code;
}

static int put_in(struct bag *bag, const char *from, const char *to)
{
    if (linkat(bag->exports, from, bag->folder, to, 0) == 0)
        return 0;
    return errno == EPERM || errno == EMLINK || errno == ENOTSUP ? copy(bag->exports, from, bag->folder, to)
                                                                 : -errno;
}

static int add_payload(struct bag *bag, const char *from, const char *to, const char *sha256)
{
    struct stat st;
    int code = put_in(bag, from, to);
    if (code < 0)
        return code;
    if (fstatat(bag->folder, to, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    bag->bytes += (uint64_t)st.st_size;
    bag->files++;
    buf_printf(&bag->manifest, "%s  %s\n", sha256, to);
    return 0;
}

static int add_content(struct bag *bag, const char *sha256)
{
    char from[SHA256_HEX_SIZE + 3], to[SHA256_HEX_SIZE + 8], folder[16];
    snprintf(from, sizeof from, "%.2s/%.64s", sha256, sha256);
    snprintf(to, sizeof to, "data/%s", from);
    snprintf(folder, sizeof folder, "data/%.2s", sha256);
    if (mkdirat(bag->folder, folder, 0700) < 0 && errno != EEXIST)
        return -errno;
    return add_payload(bag, from, to, sha256);
}

/* A file about the bag; with `named` it goes into the tag manifest. */
static int add_tag(struct bag *bag, const char *name, const struct buf *text, bool named)
{
    char hex[SHA256_HEX_SIZE];
    int fd = buf_failed(text) ? -1 : openat(bag->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return buf_failed(text) ? -ENOMEM : -errno;
    ssize_t written = write(fd, text->data, text->size);
    int code = written != (ssize_t)text->size ? (written < 0 ? -errno : -ENOSPC) : fsync(fd) < 0 ? -errno : 0;
    close(fd);
    hash_sha256_hex(text->data, text->size, hex);
    if (code == 0 && named)
        buf_printf(&bag->tags, "%s  %s\n", hex, name);
    return code;
}

static int add_tags(struct bag *bag)
{
    struct buf version = {0}, info = {0}, number = {0};
    text_escape(&number, casefile_number(bag->cf), strlen(casefile_number(bag->cf)));
    buf_text(&version, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
    buf_printf(&info, "Bag-Software-Agent: kvali\nExternal-Identifier: %s\nPayload-Oxum: %llu.%llu\n",
               buf_cstr(&number), (unsigned long long)bag->bytes, (unsigned long long)bag->files);
    int code = add_tag(bag, "bagit.txt", &version, true);
    if (code == 0)
        code = add_tag(bag, "bag-info.txt", &info, true);
    if (code == 0)
        code = add_tag(bag, "manifest-sha256.txt", &bag->manifest, true);
    if (code == 0)
        code = add_tag(bag, "tagmanifest-sha256.txt", &bag->tags, false);
    buf_finish(&version);
    buf_finish(&info);
    buf_finish(&number);
    return code;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int fill(struct bag *bag, const char **names, size_t count, const char *index)
{
    char path[8192], hex[SHA256_HEX_SIZE];
    if (mkdirat(bag->folder, "data", 0700) < 0)
        return -errno;
    qsort(names, count, sizeof *names, by_text);
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            code = add_content(bag, names[i]);
    snprintf(path, sizeof path, "%s/exports/%s", casefile_folder(bag->cf), index);
    if (code == 0)
        code = hash_sha256_file(path, hex);
    if (code == 0)
        code = add_payload(bag, index, "data/index.jsonl", hex);
    return code == 0 ? add_tags(bag) : code;
}

static int tell_ledger(struct bag *bag, const char *name, struct why *why)
{
    char path[64], hex[SHA256_HEX_SIZE];
    struct buf buf = {0};
    struct json json;
    snprintf(path, sizeof path, "exports/%s/tagmanifest-sha256.txt", name);
    hash_sha256_hex(bag->tags.data, bag->tags.size, hex);
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "contents", bag->files - 1);
    json_text(&json, "path", path);
    json_text(&json, "sha256", hex);
    json_u64(&json, "size", bag->tags.size);
    json_text(&json, "what", "parcel of exported contents (BagIt)");
    json_object_close(&json);
    int code =
        buf_failed(&buf) ? -ENOMEM : ledger_append(casefile_ledger(bag->cf), "artifact", buf_cstr(&buf), why);
    buf_finish(&buf);
    return code;
}

/* The first free number; what a crash left half done has another name and is never taken for a bag. */
static int make_folder(struct bag *bag, char *ret_name, char partial[32])
{
    struct stat st;
    for (unsigned number = 1; number < 100000; number++) {
        snprintf(ret_name, 16, "bag-%04u", number);
        snprintf(partial, 32, "%s.partial", ret_name);
        if (fstatat(bag->exports, ret_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        if (mkdirat(bag->exports, partial, 0700) == 0) {
            bag->folder = openat(bag->exports, partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            return bag->folder < 0 ? -errno : 0;
        }
        if (errno != EEXIST)
            return -errno;
    }
    return -EOVERFLOW;
}

int bag_write(struct casefile *cf, int exports, const char **names, size_t count, const char *index,
              char *ret_name, struct why *why)
{
    struct bag bag = {.cf = cf, .exports = exports, .folder = -1};
    char partial[32] = "";
    int code = make_folder(&bag, ret_name, partial);
    if (code == 0)
        code = fill(&bag, names, count, index);
    if (code == 0 && (fsync(bag.folder) < 0 || renameat(exports, partial, exports, ret_name) < 0))
        code = -errno;
    if (code < 0)
        why_set(why, code, "exports/%s: %s", partial, strerror(-code));
    else
        code = tell_ledger(&bag, ret_name, why);
    if (bag.folder >= 0)
        close(bag.folder);
    buf_finish(&bag.manifest);
    buf_finish(&bag.tags);
    return code;
}
