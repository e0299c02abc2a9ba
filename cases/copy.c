/*
 * copy: see copy.h.
 */
#include "cases/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, BLOCK = 1 << 20 };

static int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Up to `size` bytes (UINT64_MAX: to the end); *ret_copied says how many there were. */
static int pump(int from, int to, uint64_t size, struct hash_sha256 *hash, uint64_t *ret_copied)
{
    char *block = malloc(BLOCK);
    int code = block ? 0 : -ENOMEM;
    *ret_copied = 0;
    while (code == 0 && *ret_copied < size) {
        uint64_t left = size - *ret_copied;
        ssize_t got = read(from, block, left < BLOCK ? (size_t)left : BLOCK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            code = got < 0 ? -errno : 0;
            break;
        }
        if (hash)
            hash_sha256_update(hash, block, (size_t)got);
        code = write_all(to, block, (size_t)got);
        *ret_copied += (uint64_t)got;
    }
    free(block);
    return code;
}

static void sync_folder(const char *path)
{
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    int fd = open(slash && folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd); /* not every file system can; then the folder is as durable as it makes it */
    close(fd);
}

int copy_into_place(const char *head, size_t head_size, const char *from, const char *to, struct why *why)
{
    char partial[PATH_SIZE], host[128] = "host";
    uint64_t copied;
    (void)gethostname(host, sizeof host - 1);
    if (snprintf(partial, sizeof partial, "%s.%s-%ld.partial", to, host, (long)getpid()) >=
        (int)sizeof partial)
        return why_set(why, -ENAMETOOLONG, "%s: the path is too long", to);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return why_set(why, -errno, "%s: %s", from, strerror(errno));
    int out = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    int code = out < 0 ? -errno : write_all(out, head, head_size);
    if (code == 0)
        code = pump(in, out, UINT64_MAX, NULL, &copied);
    if (code == 0 && fsync(out))
        code = -errno;
    close(in);
    if (out >= 0 && close(out) && code == 0)
        code = -errno; /* a network file system says here that its disk is full */
    if (code == 0 && rename(partial, to))
        code = -errno;
    if (code) {
        unlink(partial);
        return why_set(why, code, "%s: %s", to, strerror(-code));
    }
    sync_folder(to);
    return 0;
}

int move_into_place(const char *from, const char *to, struct why *why)
{
    if (rename(from, to))
        return why_set(why, -errno, "%s: %s", to, strerror(errno));
    sync_folder(to);
    return 0;
}

int copy_out(const char *from, uint64_t offset, uint64_t size, const char *to,
             char ret_sha256[SHA256_HEX_SIZE], struct why *why)
{
    uint8_t digest[SHA256_SIZE];
    uint64_t copied = 0;
    struct hash_sha256 *hash = hash_sha256_new();
    int in = open(from, O_RDONLY | O_CLOEXEC);
    (void)unlink(to); /* of a killed process, or of somebody who would write into it */
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = !hash ? -ENOMEM : in < 0 || out < 0 ? -errno : 0;
    if (code == 0 && lseek(in, (off_t)offset, SEEK_SET) < 0)
        code = -errno;
    if (code == 0)
        code = pump(in, out, size, hash, &copied);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) && code == 0)
        code = -errno;
    if (code) {
        why_set(why, code, "%s: %s", in < 0 ? from : to, strerror(-code));
    } else if (copied < size) {
        code = why_set(why, -EBADMSG, "%s: it is cut short: %llu of %llu bytes are there", from,
                       (unsigned long long)copied, (unsigned long long)size);
    } else {
        hash_sha256_final(hash, digest);
        for (size_t i = 0; i < SHA256_SIZE; i++)
            snprintf(ret_sha256 + i * 2, 3, "%02x", digest[i]);
    }
    hash_sha256_free(hash);
    return code;
}

/* What is made there is two levels deep; no link is followed. */
static void remove_level(const char *path, int depth)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char name[PATH_SIZE];
    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= (int)sizeof name)
            continue;
        if (unlink(name) && (errno == EISDIR || errno == EPERM) && depth > 0)
            remove_level(name, depth - 1);
    }
    if (folder)
        closedir(folder);
    (void)rmdir(path);
}

void remove_folder(const char *path)
{
    remove_level(path, 3);
}
