/*
 * image: choosing the reader of a container, and what all of them share: the lists of bad ranges, the
 * descriptors, reading around what cannot be read.
 */
#include "engine/evidence/image.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/evidence/image_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const type_names[IMAGE_TYPES] = {
    [IMAGE_AUTO] = "auto", [IMAGE_RAW] = "raw",   [IMAGE_SPLIT] = "split",
    [IMAGE_EWF] = "ewf",   [IMAGE_AFF] = "aff",   [IMAGE_VMDK] = "vmdk",
    [IMAGE_VHD] = "vhd",   [IMAGE_VHDX] = "vhdx", [IMAGE_QCOW] = "qcow", [IMAGE_FILE] = "file", [IMAGE_FOLDER] = "folder",
};

static const struct image_driver *const drivers[IMAGE_TYPES] = {
    [IMAGE_RAW] = &image_driver_raw,  [IMAGE_SPLIT] = &image_driver_raw,     [IMAGE_EWF] = &image_driver_ewf,
    [IMAGE_AFF] = &image_driver_tsk,  [IMAGE_VMDK] = &image_driver_tsk,      [IMAGE_VHD] = &image_driver_tsk,
    [IMAGE_VHDX] = &image_driver_disk, [IMAGE_QCOW] = &image_driver_disk,
    [IMAGE_FILE] = &image_driver_raw, [IMAGE_FOLDER] = &image_driver_folder,
};

const char *image_type_name(enum image_type type)
{
    return (size_t)type < IMAGE_TYPES ? type_names[type] : "unknown";
}

bool image_type_parse(const char *name, enum image_type *ret_type)
{
    for (size_t i = 0; i < IMAGE_TYPES; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *ret_type = (enum image_type)i;
            return true;
        }
    }
    return false;
}

/* Text in info. */

const char *image_shown(const char *text, size_t limit, char ret[SHOWN_SIZE])
{
    if (limit > (SHOWN_SIZE - 4) / 4)
        limit = (SHOWN_SIZE - 4) / 4; /* an escaped byte takes four */
    size_t size = strlen(text);
    size_t part = size;
    if (part > limit) {
        part = limit;
        while (part > 0 && ((unsigned char)text[part] & 0xc0) == 0x80)
            part--;
    }
    struct buf buf;
    buf_init(&buf);
    text_escape(&buf, text, part);
    (void)snprintf(ret, SHOWN_SIZE, "%s%s", buf_cstr(&buf), part < size ? "..." : "");
    buf_finish(&buf);
    return ret;
}

static void add_sentence(char *text, size_t limit, const char *separator, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void add_sentence(char *text, size_t limit, const char *separator, const char *format, va_list args)
{
    struct buf buf;
    buf_init(&buf);
    if (text[0] != '\0')
        buf_text(&buf, separator);
    buf_vprintf(&buf, format, args);
    size_t used = strlen(text);
    if (!buf_failed(&buf) && used + buf.size + sizeof(" ...") < limit)
        memcpy(text + used, buf_cstr(&buf), buf.size + 1);
    else if (used >= 4 && used + sizeof(" ...") < limit && strcmp(text + used - 4, " ...") != 0)
        memcpy(text + used, " ...", sizeof(" ..."));
    buf_finish(&buf);
}

void image_add_damage(struct image *image, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_sentence(image->info.damage, sizeof(image->info.damage), "; ", format, args);
    va_end(args);
}

void image_add_detail(struct image *image, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_sentence(image->info.details, sizeof(image->info.details), ", ", format, args);
    va_end(args);
}

void image_add_hash(struct image *image, const char *algorithm, const char *hex, const char *source)
{
    struct image_info *info = &image->info;
    for (size_t i = 0; i < info->hash_count; i++)
        if (strcmp(info->hashes[i].algorithm, algorithm) == 0 && strcmp(info->hashes[i].hex, hex) == 0)
            return;
    if (info->hash_count >= IMAGE_HASHES_MAX)
        return;
    struct image_hash *hash = &info->hashes[info->hash_count++];
    (void)snprintf(hash->algorithm, sizeof(hash->algorithm), "%s", algorithm);
    (void)snprintf(hash->hex, sizeof(hash->hex), "%s", hex);
    (void)snprintf(hash->source, sizeof(hash->source), "%s", source);
}

/* Descriptors. */

int image_open_file(const char *path, struct why *why)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* only the owner may leave the access time alone */
        fd = open(path, flags);
    if (fd >= 0)
        return fd;
    int code = -errno;
    char shown[SHOWN_SIZE];
    return why_set(why, code, "%s: %s", image_shown(path, 70, shown), strerror(-code));
}

bool image_pread(int fd, uint64_t offset, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, (uint8_t *)data + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* an error, or the file ends before */
            return false;
        done += (size_t)got;
    }
    return true;
}

int image_add_fd(struct image *image, int fd)
{
    if (image->fd_count >= IMAGE_FDS_MAX)
        return -EMFILE;
    if ((image->fd_count & 63) == 0) {
        int *fds = realloc(image->fds, (image->fd_count + 64) * sizeof(*fds));
        if (fds == NULL)
            return -ENOMEM;
        image->fds = fds;
    }
    image->fds[image->fd_count++] = fd;
    return 0;
}

/* By asking for each number: in the sandbox /proc is not there. Numbers are given out from the lowest. */
enum { FD_PROBE_MAX = 4 * IMAGE_FDS_MAX };

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

int fd_snapshot_take(struct fd_snapshot *ret_snapshot)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    struct fd_snapshot snapshot = {.count =
                                       limit.rlim_cur < FD_PROBE_MAX ? (size_t)limit.rlim_cur : FD_PROBE_MAX};
    snapshot.open = calloc(snapshot.count, sizeof(*snapshot.open));
    if (snapshot.open == NULL)
        return -ENOMEM;
    for (size_t fd = 0; fd < snapshot.count; fd++)
        snapshot.open[fd] = is_open((int)fd);
    *ret_snapshot = snapshot;
    return 0;
}

void fd_snapshot_finish(struct fd_snapshot *snapshot)
{
    free(snapshot->open);
    *snapshot = (struct fd_snapshot){0};
}

int image_add_new_fds(struct image *image, const struct fd_snapshot *before)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < before->count; i++) {
        struct stat info;
        int fd = (int)i;
        if (before->open[i] || !is_open(fd) || fstat(fd, &info) < 0)
            continue;
        if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
            continue;
        status = fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : image_add_fd(image, fd);
    }
    return status;
}

int image_need_fds(size_t count, struct why *why)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)count + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return why_set(why, -errno, "cannot ask for the limit of open files: %s", strerror(errno));
    if (limit.rlim_cur >= need)
        return 0;
    if (limit.rlim_max < need)
        return why_set(why, -EMFILE, "the image consists of %zu files, and only %llu may be open (ulimit -n)",
                       count, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return why_set(why, -errno, "cannot raise the limit of open files to %zu: %s", count + 64,
                       strerror(errno));
    return 0;
}

size_t image_fds(const struct image *image, const int **ret_fds)
{
    *ret_fds = image->fds;
    return image->fd_count;
}

/* An open file description of our own behind `fd`, at the same offset. */
static int reopen_fd(int fd)
{
    char link[40];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int own = image_open_file(link, NULL);
    if (own < 0)
        return own;
    off_t offset = lseek(fd, 0, SEEK_CUR);
    int status = 0;
    if (offset < 0 || lseek(own, offset, SEEK_SET) < 0 || dup3(own, fd, O_CLOEXEC) < 0)
        status = -errno;
    (void)close(own);
    return status;
}

int image_reopen(struct image *image, struct why *why)
{
    if (image->info.type == IMAGE_FOLDER) /* openat shares nothing that matters */
        return 0;
    for (size_t i = 0; i < image->fd_count; i++) {
        int status = reopen_fd(image->fds[i]);
        if (status < 0)
            return why_set(why, status, "%s: cannot open file %zu of it again: %s", image->name, i + 1,
                           strerror(-status));
    }
    return 0;
}

/* Opening. */

/* The last component of the path, escaped; "." and the like are resolved first. */
static int set_name(struct image *image, const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -ENOMEM;
    char *last = basename(copy);
    for (size_t size = strlen(copy); size > 1 && copy[size - 1] == '/' && *last == '\0'; size--) {
        copy[size - 1] = '\0';
        last = basename(copy);
    }
    if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        char *real = realpath(path, NULL);
        free(copy);
        if (real == NULL)
            return -errno;
        copy = real;
        last = basename(copy);
    }
    struct buf buf;
    buf_init(&buf);
    text_escape_name(&buf, *last == '\0' ? "/" : last, *last == '\0' ? 1 : strlen(last));
    image->name = buf_steal(&buf);
    free(copy);
    return image->name == NULL ? -ENOMEM : 0;
}

/* What stands at `path` is what the type needs. */
static int check_kind(const char *path, enum image_type type, bool *ret_folder, struct why *why)
{
    char shown[SHOWN_SIZE];
    struct stat status;
    if (stat(path, &status) < 0) {
        int code = -errno;
        return why_set(why, code, "%s: %s", image_shown(path, 70, shown), strerror(-code));
    }
    bool folder = S_ISDIR(status.st_mode);
    if (!folder && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return why_set(why, -EINVAL, "%s: neither file nor folder nor block device",
                       image_shown(path, 70, shown));
    if (folder && type != IMAGE_AUTO && type != IMAGE_FOLDER)
        return why_set(why, -EINVAL, "%s: is a folder, not a %s image", image_shown(path, 70, shown),
                       image_type_name(type));
    if (!folder && type == IMAGE_FOLDER)
        return why_set(why, -EINVAL, "%s: is not a folder", image_shown(path, 70, shown));
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        return why_set(why, -ENODATA, "%s: is empty", image_shown(path, 70, shown));
    *ret_folder = folder;
    return 0;
}

/* Sets info.type, and info.unsupported when the container is read as raw. */
static int choose_type(struct image *image, const char *path, enum image_type asked, struct why *why)
{
    bool folder = false;
    int status = check_kind(path, asked, &folder, why);
    if (status < 0)
        return status;
    image->info.type = folder ? IMAGE_FOLDER : asked;
    if (folder || asked == IMAGE_FILE)
        return 0;
    enum image_type found;
    char unsupported[sizeof(image->info.unsupported)] = "";
    status = image_detect(path, &found, unsupported, why);
    if (status < 0)
        return status;
    if (asked == IMAGE_AUTO) {
        image->info.type = found;
        memcpy(image->info.unsupported, unsupported, sizeof(unsupported));
        return 0;
    }
    bool raw = asked == IMAGE_RAW || asked == IMAGE_SPLIT;
    if (raw && found != IMAGE_RAW) /* asked for by name: not quiet, but said all the same */
        (void)snprintf(image->info.unsupported, sizeof(image->info.unsupported),
                       "%s container, read as raw as asked", image_type_name(found));
    else if (raw)
        memcpy(image->info.unsupported, unsupported, sizeof(unsupported));
    else if (found != asked)
        return why_set(why, -EINVAL, "%s: is not a %s image", image->name, image_type_name(asked));
    return 0;
}

/* A raw image without a signature of its own may be one part of several. */
static int choose_split(struct image *image, const char *path, enum image_type asked)
{
    if (image->info.type != IMAGE_RAW || asked != IMAGE_AUTO)
        return 0;
    struct split split;
    int status = split_find(path, &split);
    if (status < 0)
        return status;
    if (split.count > 1)
        image->info.type = IMAGE_SPLIT;
    else if (split.lone_later)
        image_add_damage(
            image, "the name is that of a later part of a split image, and the first part is not there");
    split_finish(&split);
    return 0;
}

/* Where a container may deflate what it holds, one byte can stand for 1,032 (zlib's documentation). */
static uint64_t can_hold(const struct image *image)
{
    enum { DEFLATED = 1032 };
    uint64_t sum = 0;
    for (size_t i = 0; i < image->fd_count; i++) {
        struct stat status;
        if (fstat(image->fds[i], &status) < 0 || !S_ISREG(status.st_mode))
            return image->info.size;
        sum = u64_add_saturating(sum, (uint64_t)status.st_size);
    }
    switch (image->info.type) {
    case IMAGE_VHD:
    case IMAGE_VHDX:
        break;
    case IMAGE_AFF:
    case IMAGE_VMDK:
    case IMAGE_QCOW:
        sum = u64_mul_saturating(sum, DEFLATED);
        break;
    default: /* a raw image's size is what it has; an E01's tables say what there is */
        return image->info.size;
    }
    return sum < image->info.size ? sum : image->info.size;
}

static int open_by_driver(struct image *image, const char *path, enum image_type asked, struct why *why)
{
    int status = set_name(image, path);
    if (status == 0)
        status = choose_type(image, path, asked, why);
    if (status == 0)
        status = choose_split(image, path, asked);
    if (status < 0)
        return status;
    image->info.sector_size = 512;
    image->info.segments = 1;
    image->driver = drivers[image->info.type];
    if (image->info.type == IMAGE_VHD && image_vhd_has_parent(path))
        image->driver = &image_driver_disk;
    status = image->driver->open(image, path, why);
    if (status == 0 && image->info.size == 0 && image->info.type != IMAGE_FOLDER)
        return why_set(why, -ENODATA, "%s: the medium in it has size 0", image->name);
    if (status == 0 && image->info.stored == 0)
        image->info.stored = can_hold(image);
    return status;
}

int image_open(const char *path, enum image_type type, struct image **ret_image, struct why *why)
{
    char shown[SHOWN_SIZE];
    struct image *image = calloc(1, sizeof(*image));
    if (image == NULL)
        return why_set(why, -ENOMEM, "no memory");
    struct why cause = {""};
    int status = open_by_driver(image, path, type, &cause);
    if (status < 0) {
        image_close(image);
        if (cause.text[0] != '\0')
            return why_set(why, status, "%s", cause.text);
        return why_set(why, status, "%s: %s", image_shown(path, 70, shown), strerror(-status));
    }
    *ret_image = image;
    return 0;
}

void image_close(struct image *image)
{
    if (image == NULL)
        return;
    image_close_inner(image);
    if (image->drop != NULL)
        image->drop(image->keep);
    if (image->driver != NULL)
        image->driver->close(image);
    ranges_finish(&image->bad);
    free(image->fds);
    free(image->step);
    free(image->name);
    free(image);
}

const struct image_info *image_info(const struct image *image)
{
    return &image->info;
}

const char *image_name(const struct image *image)
{
    return image->name;
}

/* Reading. */

int image_add_bad(struct image *image, uint64_t offset, uint64_t size)
{
    int status = ranges_add(&image->bad, offset, size);
    if (status == 0 && image->watch != NULL)
        status = ranges_add(image->watch, offset, size);
    return status;
}

int image_read_pieces(struct image *image, image_piece *read, uint64_t unit, uint64_t offset, uint8_t *data,
                      size_t size)
{
    if (size == 0 || read(image, offset, data, size) == 0)
        return 0;
    uint64_t first = offset / unit, last = (offset + size - 1) / unit;
    if (first == last) {
        memset(data, 0, size);
        return image_add_bad(image, offset, size);
    }
    size_t half = (size_t)((first + (last - first + 1) / 2) * unit - offset);
    int status = image_read_pieces(image, read, unit, offset, data, half);
    if (status < 0)
        return status;
    return image_read_pieces(image, read, unit, offset + half, data + half, size - half);
}

int image_read(struct image *image, uint64_t offset, void *data, size_t size)
{
    if (!u64_range_fits(offset, size, image->info.size))
        return -EINVAL;
    return size == 0 ? 0 : image->driver->read(image, offset, data, size);
}

void image_watch(struct image *image, struct ranges *ranges)
{
    image->watch = ranges;
}

void image_set_alive(struct image *image, void (*alive)(void *context), void *context)
{
    image->alive = alive;
    image->alive_context = context;
}

void image_alive(const struct image *image)
{
    if (image->alive)
        image->alive(image->alive_context);
}

void image_set_busy(struct image *image, void (*busy)(void *context, bool is_busy), void *context)
{
    image->busy = busy;
    image->busy_context = context;
}

const struct ranges *image_bad(const struct image *image)
{
    return &image->bad;
}

void image_set_keep(struct image *image, void *keep, void (*drop)(void *keep))
{
    image->keep = keep;
    image->drop = drop;
}

void *image_keep(const struct image *image)
{
    return image->keep;
}

int image_folder_fd(const struct image *image)
{
    return image->info.type == IMAGE_FOLDER ? image->fds[0] : -1;
}
