/*
 * image_raw: raw images in one file or split over several, block devices, and a single file as logical
 * evidence.
 *
 * Only pread is used, so workers never share a position. A sector that the medium does not give is found by
 * halving the failed read. All parts of a split image but the last have one size; that is how a missing or
 * short part is given its place, with zeros and a bad range for what is not there.
 */
#include "engine/evidence/image_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct part {
    int fd;          /* -1: missing */
    uint64_t have;   /* bytes that its file has */
    uint64_t offset; /* in the image */
    uint64_t size;   /* bytes of the image that it stands for */
};

struct raw {
    size_t count;
    struct part parts[];
};

static int device_size(struct image *image, int fd, uint64_t *ret_size)
{
    int sector = 0;
    if (ioctl(fd, BLKGETSIZE64, ret_size) < 0)
        return -errno;
    if (ioctl(fd, BLKSSZGET, &sector) == 0 && sector >= 512)
        image->info.sector_size = (uint32_t)sector;
    image_add_detail(image, "block device, sectors of %u bytes", image->info.sector_size);
    return 0;
}

static int open_part(struct image *image, struct part *part, const char *path, struct why *why)
{
    int fd = image_open_file(path, why);
    if (fd < 0)
        return fd;
    part->fd = fd;
    int status = image_add_fd(image, fd);
    struct stat info;
    if (status == 0 && fstat(fd, &info) < 0)
        status = -errno;
    if (status == 0 && S_ISBLK(info.st_mode))
        status = device_size(image, fd, &part->have);
    else if (status == 0 && S_ISREG(info.st_mode))
        part->have = (uint64_t)info.st_size;
    else if (status == 0)
        status = -EINVAL;
    char shown[SHOWN_SIZE];
    if (status < 0)
        return why_set(why, status, "%s: %s", image_shown(path, 70, shown), strerror(-status));
    return 0;
}

/* The size that most of the parts before the last have; the larger one where there are two such sizes. */
static uint64_t common_size(const struct raw *raw)
{
    uint64_t best = 0;
    size_t best_votes = 0;
    for (size_t i = 0; i + 1 < raw->count; i++) {
        size_t votes = 0;
        for (size_t k = 0; k + 1 < raw->count; k++)
            votes += raw->parts[k].fd >= 0 && raw->parts[k].have == raw->parts[i].have;
        if (raw->parts[i].fd < 0 || votes < best_votes)
            continue;
        if (votes > best_votes || raw->parts[i].have > best)
            best = raw->parts[i].have;
        best_votes = votes;
    }
    return best;
}

static bool any_larger(const struct raw *raw, uint64_t size)
{
    for (size_t i = 0; i < raw->count; i++)
        if (raw->parts[i].fd >= 0 && raw->parts[i].have > size)
            return true;
    return false;
}

/* Gives every part its place. Parts that follow no common size can only be joined as they are, and then none
 * may be missing. */
static int place_parts(struct image *image, struct raw *raw, struct why *why)
{
    uint64_t common = common_size(raw), offset = 0;
    bool uneven = raw->count > 1 && any_larger(raw, common);
    if (uneven)
        image_add_damage(image, "the parts have no common size: joined as they are");
    for (size_t i = 0; i < raw->count; i++) {
        struct part *part = &raw->parts[i];
        bool last = i + 1 == raw->count;
        if (part->fd < 0 && (uneven || common == 0))
            return why_set(why, -EINVAL,
                           "%s: part %zu of %zu is missing, and the others do not tell its size", image->name,
                           i + 1, raw->count);
        part->offset = offset;
        part->size = last || uneven ? part->have : common;
        if (part->fd < 0)
            image_add_damage(image, "part %zu of %zu is missing: zeros stand for its %llu bytes", i + 1,
                             raw->count, (unsigned long long)part->size);
        else if (part->have < part->size)
            image_add_damage(image, "part %zu of %zu is short: zeros stand for its last %llu bytes", i + 1,
                             raw->count, (unsigned long long)(part->size - part->have));
        if (__builtin_add_overflow(offset, part->size, &offset) || offset > INT64_MAX)
            return why_set(why, -EFBIG, "%s: the parts are too large", image->name);
    }
    image->info.size = offset;
    return 0;
}

static int open_parts(struct image *image, char *const *paths, size_t count, struct why *why)
{
    int status = image_need_fds(count, why);
    if (status < 0)
        return status;
    struct raw *raw = calloc(1, sizeof(*raw) + count * sizeof(raw->parts[0]));
    if (raw == NULL)
        return -ENOMEM;
    raw->count = count;
    for (size_t i = 0; i < count; i++)
        raw->parts[i].fd = -1;
    image->state = raw;
    for (size_t i = 0; status == 0 && i < count; i++)
        if (paths[i] != NULL)
            status = open_part(image, &raw->parts[i], paths[i], why);
    image->info.segments = (uint32_t)count;
    return status < 0 ? status : place_parts(image, raw, why);
}

static int raw_open(struct image *image, const char *path, struct why *why)
{
    int status;
    if (image->info.type != IMAGE_SPLIT) {
        char *one = strdup(path);
        status = one == NULL ? -ENOMEM : open_parts(image, &one, 1, why);
        free(one);
    } else {
        struct split split;
        status = split_find(path, &split);
        if (status < 0)
            return status;
        if (split.count > 1)
            status = open_parts(image, split.paths, split.count, why);
        else
            status = why_set(why, -EINVAL, "%s: no other part of a split image lies beside it", image->name);
        split_finish(&split);
    }
    if (status == 0 && image->info.type == IMAGE_FILE &&
        statx(image->fds[0], "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &image->status) < 0)
        status = -errno;
    if (status == 0)
        image_find_hashes(image, path);
    return status;
}

static const struct part *part_at(const struct raw *raw, uint64_t offset)
{
    size_t low = 0, high = raw->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (raw->parts[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return &raw->parts[low];
}

/* A piece that lies in one part, and in what its file has. */
static int read_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    const struct part *part = part_at(image->state, offset);
    return image_pread(part->fd, offset - part->offset, data, size) ? 0 : -EIO;
}

static int raw_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    int status = 0;
    while (status == 0 && size > 0) {
        const struct part *part = part_at(image->state, offset);
        uint64_t within = offset - part->offset;
        bool there = part->fd >= 0 && within < part->have;
        uint64_t left = (there && part->have < part->size ? part->have : part->size) - within;
        size_t piece = left < size ? (size_t)left : size;
        if (there) {
            status = image_read_pieces(image, read_piece, image->info.sector_size, offset, data, piece);
        } else {
            memset(data, 0, piece);
            status = image_add_bad(image, offset, piece);
        }
        offset += piece;
        data += piece;
        size -= piece;
    }
    return status;
}

static void raw_close(struct image *image)
{
    for (size_t i = 0; i < image->fd_count; i++)
        (void)close(image->fds[i]);
    free(image->state);
}

const struct image_driver image_driver_raw = {.open = raw_open, .read = raw_read, .close = raw_close};
