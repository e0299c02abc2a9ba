/* scratch: see scratch.h. */
#include "engine/hashset/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { IO_MAX = 8 << 20 };

int unlinked_file(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[4096];

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd >= 0 ? fd : -errno;
    if (snprintf(path, sizeof path, "%s/.kvali-XXXXXX", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

int write_all(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *at = data;

    while (size > 0) {
        ssize_t count = pwrite(fd, at, size < IO_MAX ? size : IO_MAX, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        at += count;
        offset += (uint64_t)count;
        size -= (size_t)count;
    }
    return 0;
}

int read_all(int fd, void *data, size_t size, uint64_t offset)
{
    uint8_t *at = data;

    while (size > 0) {
        ssize_t count = pread(fd, at, size < IO_MAX ? size : IO_MAX, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        at += count;
        offset += (uint64_t)count;
        size -= (size_t)count;
    }
    return 0;
}
