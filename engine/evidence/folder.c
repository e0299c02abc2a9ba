/*
 * folder: the walk over a folder as logical evidence, and opening its files.
 *
 * Linux: openat(2), statx(2), readlinkat(2). A folder is listed, its entries are reported in the order of
 * their bytes, and then its subfolders are walked in that order; one descriptor is open at a time, because
 * each folder is reached anew from the root, component by component with O_NOFOLLOW. Nothing is opened for
 * reading but folders here, and regular files by folder_open.
 */
#include "engine/evidence/folder.h"

#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/evidence/expand.h"
#include "engine/evidence/image_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Opening below the root. */

/* Access times stay as they are where we may say so. */
static int open_quietly(int at, const char *name, int flags)
{
    flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = openat(at, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(at, name, flags);
    return fd < 0 ? -errno : fd;
}

static int open_step(int at, const char *name)
{
    int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The folder that holds the last component of `path` ("" for the root itself), as an O_PATH descriptor that
 * the caller closes. `path` is relative, without empty components; it is changed and restored. */
static int open_parent(int root, char *path, char **ret_last)
{
    int at = open_step(root, ".");
    if (at < 0)
        return at;
    for (char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        *slash = '\0';
        int next = open_step(at, path);
        *slash = '/';
        (void)close(at);
        if (next < 0)
            return next;
        at = next;
    }
    *ret_last = path;
    return at;
}

static int open_folder(int root, char *path)
{
    char *last;
    if (*path == '\0')
        return open_quietly(root, ".", O_DIRECTORY);
    int at = open_parent(root, path, &last);
    if (at < 0)
        return at;
    int fd = open_quietly(at, last, O_DIRECTORY);
    (void)close(at);
    return fd;
}

/* Components that are neither empty nor "." nor "..": what the walk itself makes. */
static bool is_relative_path(const char *path, size_t size)
{
    if (size == 0 || strlen(path) != size)
        return false;
    for (const char *component = path;; component++) {
        size_t length = strcspn(component, "/");
        if (length == 0 || (length == 1 && component[0] == '.') ||
            (length == 2 && component[0] == '.' && component[1] == '.'))
            return false;
        component += length;
        if (*component == '\0')
            return true;
    }
}

static int open_regular(int root, char *path, int *ret_fd, uint64_t *ret_size)
{
    char *last;
    struct stat info;
    int at = open_parent(root, path, &last);
    if (at < 0)
        return at;
    int status = fstatat(at, last, &info, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (status == 0 && !S_ISREG(info.st_mode)) /* opening a device may do something */
        status = S_ISLNK(info.st_mode) ? -ELOOP : -EINVAL;
    int fd = status < 0 ? status : open_quietly(at, last, 0);
    (void)close(at);
    if (fd < 0)
        return fd;
    if (fstat(fd, &info) < 0)
        status = -errno;
    else if (!S_ISREG(info.st_mode))
        status = -EINVAL;
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    *ret_fd = fd;
    *ret_size = (uint64_t)info.st_size;
    return 0;
}

int folder_open(struct image *image, const char *relative_hex, int *ret_fd, uint64_t *ret_size,
                struct why *why)
{
    char shown[SHOWN_SIZE];
    size_t digits = strlen(relative_hex), size = digits / 2;
    if (image->info.type != IMAGE_FOLDER || digits % 2 != 0 || size == 0 || size >= FOUND_PATH_MAX)
        return why_set(why, -EINVAL, "%s: no such address in a folder", image->name);
    char *path = calloc(1, size + 1);
    if (path == NULL)
        return why_set(why, -ENOMEM, "no memory");
    int status = -EINVAL;
    if (text_unhex(relative_hex, path, size) && is_relative_path(path, size))
        status = open_regular(image_folder_fd(image), path, ret_fd, ret_size);
    if (status < 0)
        (void)why_set(why, status, "%s: %s: %s", image->name, image_shown(path, 70, shown),
                      strerror(-status));
    free(path);
    return status;
}

/* The walk. */

/* Contents that several names may reach: the locator of the first. */
struct link {
    struct link *next;
    uint64_t device, inode;
    char *locator;
};
enum { LINK_BUCKETS = 4096 };

/* One level: what is left to walk in it. */
struct level {
    char **folders; /* names, sorted */
    size_t count, next;
    size_t path_size, shown_size; /* of the level's own path */
    uint64_t device, inode;
};

struct walk {
    struct image *image;
    const struct found_sink *sink;
    int root;
    uint64_t root_device;
    struct buf path;  /* relative, raw bytes, with a NUL after the end */
    struct buf shown; /* the forensic address */
    struct level *levels;
    size_t depth, capacity;
    struct link *links[LINK_BUCKETS];
    struct buf locator, target, times;
};

static void cut(struct buf *buf, size_t size)
{
    buf->size = size;
}

/* The path as a string that open_parent may change for a while. */
static char *path_text(struct walk *walk)
{
    buf_u8(&walk->path, 0);
    cut(&walk->path, walk->path.size - !buf_failed(&walk->path));
    return (char *)walk->path.data;
}

static int report(struct walk *walk, enum fault_kind kind, const char *effect, const char *detail)
{
    struct found_fault fault = {
        .kind = kind,
        .volume = "",
        .path = buf_cstr(&walk->shown),
        .stage = "walk",
        .plugin = "",
        .offset = UINT64_MAX,
        .effect = effect,
        .detail = detail,
    };
    return walk->sink->fault(walk->sink->context, &fault);
}

static int report_error(struct walk *walk, int code, const char *effect)
{
    enum fault_kind kind = code == -EACCES || code == -EPERM                       ? FAULT_DENIED
                           : code == -ENOENT || code == -ENOTDIR || code == -ELOOP ? FAULT_CHANGED
                                                                                   : FAULT_UNREADABLE;
    return code == -ENOMEM ? code : report(walk, kind, effect, strerror(-code));
}

static uint64_t device_of(const struct statx *status)
{
    return makedev(status->stx_dev_major, status->stx_dev_minor);
}

static enum entry_type type_of(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return ENTRY_FILE;
    case S_IFDIR:
        return ENTRY_FOLDER;
    case S_IFLNK:
        return ENTRY_LINK;
    case S_IFIFO:
        return ENTRY_FIFO;
    case S_IFCHR:
        return ENTRY_CHARDEV;
    case S_IFBLK:
        return ENTRY_BLOCKDEV;
    case S_IFSOCK:
        return ENTRY_SOCKET;
    default:
        return ENTRY_UNKNOWN;
    }
}

/* A time, and whether nanoseconds since 1970 can hold it. */
static int64_t take_time(const struct statx_timestamp *time, char letter, struct found_entry *entry,
                         struct buf *raw)
{
    if (time->tv_sec > INT64_MAX / 1000000000 - 1 || time->tv_sec < INT64_MIN / 1000000000 + 1) {
        entry->flags |= ENTRY_TIME_RANGE;
        buf_printf(raw, "%s%c=%lld/%u", raw->size == 0 ? "" : " ", letter, (long long)time->tv_sec,
                   time->tv_nsec);
    }
    return when_from_unix(time->tv_sec, time->tv_nsec);
}

static void take_status(const struct statx *status, struct found_entry *entry, struct buf *raw_times)
{
    buf_clear(raw_times);
    entry->type = type_of(status->stx_mode);
    entry->inode = status->stx_ino;
    entry->mode = status->stx_mode & 07777;
    entry->uid = status->stx_uid;
    entry->gid = status->stx_gid;
    entry->links = status->stx_nlink;
    entry->size = entry->type == ENTRY_FILE || entry->type == ENTRY_LINK ? status->stx_size : 0;
    entry->allocated_size = status->stx_blocks * 512;
    entry->modified = take_time(&status->stx_mtime, 'm', entry, raw_times);
    entry->accessed = take_time(&status->stx_atime, 'a', entry, raw_times);
    entry->changed = take_time(&status->stx_ctime, 'c', entry, raw_times);
    if ((status->stx_mask & STATX_BTIME) != 0)
        entry->born = take_time(&status->stx_btime, 'b', entry, raw_times);
    if ((status->stx_attributes & STATX_ATTR_COMPRESSED) != 0)
        entry->flags |= ENTRY_COMPRESSED;
    if ((status->stx_attributes & STATX_ATTR_ENCRYPTED) != 0)
        entry->flags |= ENTRY_ENCRYPTED;
    entry->raw_times = buf_cstr(raw_times);
}

/* The locator of the content: that of the first name that reached it. NULL: no memory. */
static const char *content_locator(struct walk *walk, const struct statx *status)
{
    uint64_t device = device_of(status);
    struct link **bucket = &walk->links[(status->stx_ino ^ device) % LINK_BUCKETS];
    if (status->stx_nlink > 1)
        for (const struct link *link = *bucket; link != NULL; link = link->next)
            if (link->device == device && link->inode == status->stx_ino)
                return link->locator;
    buf_clear(&walk->locator);
    buf_text(&walk->locator, "folder/");
    text_hex(&walk->locator, walk->path.data, walk->path.size);
    if (buf_failed(&walk->locator) || status->stx_nlink <= 1)
        return buf_failed(&walk->locator) ? NULL : buf_cstr(&walk->locator);
    struct link *link = malloc(sizeof(*link));
    char *locator = strdup(buf_cstr(&walk->locator));
    if (link == NULL || locator == NULL) {
        free(link);
        free(locator);
        return NULL;
    }
    *link = (struct link){*bucket, device, status->stx_ino, locator};
    *bucket = link;
    return locator;
}

static const char *link_target(struct walk *walk, int fd)
{
    char raw[FOUND_TARGET_MAX];
    ssize_t size = readlinkat(fd, "", raw, sizeof(raw));
    buf_clear(&walk->target);
    if (size > 0)
        text_escape(&walk->target, raw, (size_t)size);
    return buf_cstr(&walk->target);
}

/* Reports the entry that the walk's path names. `fd` is an O_PATH descriptor of it. */
static int report_entry(struct walk *walk, int fd, const struct statx *status, const char *name,
                        uint64_t parent)
{
    struct found_entry entry = found_entry_blank();
    char mount[64];
    take_status(status, &entry, &walk->times);
    entry.path = buf_cstr(&walk->shown);
    entry.name = name;
    entry.name_size = strlen(name);
    entry.parent_inode = parent;
    if (entry.type == ENTRY_FILE)
        entry.locator = content_locator(walk, status);
    else if (entry.type == ENTRY_LINK)
        entry.target = link_target(walk, fd);
    if (entry.type == ENTRY_FOLDER && device_of(status) != walk->root_device) {
        (void)snprintf(mount, sizeof(mount), "another file system (%u:%u)", status->stx_dev_major,
                       status->stx_dev_minor);
        entry.attribute = mount;
    }
    if (entry.locator == NULL || buf_failed(&walk->target) || buf_failed(&walk->times) ||
        buf_failed(&walk->shown))
        return -ENOMEM;
    return walk->sink->entry(walk->sink->context, &entry);
}

/* Appends a name to both paths: false when the address becomes too long. */
static bool push_name(struct walk *walk, const char *name)
{
    if (walk->path.size > 0)
        buf_u8(&walk->path, '/');
    buf_text(&walk->path, name);
    buf_u8(&walk->shown, '/');
    text_escape_name(&walk->shown, name, strlen(name));
    return walk->shown.size < FOUND_PATH_MAX;
}

static void pop_to(struct walk *walk, const struct level *level)
{
    cut(&walk->path, level->path_size);
    cut(&walk->shown, level->shown_size);
}

static bool is_ancestor(const struct walk *walk, const struct statx *status)
{
    for (size_t i = 0; i < walk->depth; i++)
        if (walk->levels[i].device == device_of(status) && walk->levels[i].inode == status->stx_ino)
            return true;
    return false;
}

/* Looks at one name of the folder `at`. Sets *ret_descend for a folder that is to be walked. */
static int visit(struct walk *walk, int at, const char *name, bool *ret_descend)
{
    struct statx status;
    int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return report_error(walk, -errno, "this name is not examined");
    int code;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &status) < 0) {
        code = report_error(walk, -errno, "this name is not examined");
    } else {
        code = report_entry(walk, fd, &status, name, walk->levels[walk->depth - 1].inode);
        *ret_descend = S_ISDIR(status.stx_mode);
        if (code == 0 && *ret_descend && is_ancestor(walk, &status)) {
            *ret_descend = false;
            code =
                report(walk, FAULT_DAMAGED, "its content is not listed again", "the folder contains itself");
        }
    }
    (void)close(fd);
    return code;
}

/* All names in the folder but "." and "..", sorted by their bytes. */
struct names {
    char **items;
    size_t count, capacity;
};

static void names_finish(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static int names_add(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **items = realloc(names->items, capacity * sizeof(*items));
        if (items == NULL)
            return -ENOMEM;
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count] = strdup(name);
    return names->items[names->count] == NULL ? -ENOMEM : (names->count++, 0);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 0, -ENOMEM, or the error that ended the listing early; what was read by then stands in `names`. */
static int list_names(DIR *folder, struct names *names)
{
    int code = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            code = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        code = names_add(names, entry->d_name);
        if (code < 0)
            break;
    }
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    return code;
}

/* Reports every name of the newest level and keeps those of its subfolders. Takes `names` over. */
static int visit_names(struct walk *walk, int at, struct names *names)
{
    struct level *level = &walk->levels[walk->depth - 1];
    size_t kept = 0;
    int code = 0;
    for (size_t i = 0; i < names->count; i++) {
        bool descend = false;
        char *name = names->items[i];
        names->items[i] = NULL;
        if (code == 0 && push_name(walk, name))
            code = visit(walk, at, name, &descend);
        else if (code == 0)
            code = report(walk, FAULT_LIMIT, "this name and what is below it are not examined",
                          "its path is too long");
        if (descend && code == 0)
            names->items[kept++] = name;
        else
            free(name);
        pop_to(walk, level);
    }
    level->folders = names->items;
    level->count = kept;
    *names = (struct names){0};
    return code;
}

/* Makes a level for the folder that the path names, and lists it. Errors with it are reported, and it is left
 * out. */
static int enter(struct walk *walk)
{
    if (walk->depth >= EXPAND_DEPTH_MAX)
        return report(walk, FAULT_LIMIT, "its content is not listed", "too many folders in folders");
    if (walk->depth == walk->capacity) {
        size_t capacity = walk->capacity == 0 ? 32 : walk->capacity * 2;
        struct level *levels = realloc(walk->levels, capacity * sizeof(*levels));
        if (levels == NULL)
            return -ENOMEM;
        walk->levels = levels;
        walk->capacity = capacity;
    }
    char *path = path_text(walk);
    if (buf_failed(&walk->path) || buf_failed(&walk->shown))
        return -ENOMEM;
    int fd = open_folder(walk->root, path);
    if (fd < 0)
        return report_error(walk, fd, "its content is not listed");
    struct statx status;
    DIR *folder = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        int code = report_error(walk, -errno, "its content is not listed");
        (void)close(fd);
        return code;
    }
    if (walk->depth == 0)
        walk->root_device = device_of(&status);
    if (walk->sink->at != NULL)
        walk->sink->at(walk->sink->context, status.stx_ino);
    walk->levels[walk->depth++] = (struct level){.path_size = walk->path.size,
                                                 .shown_size = walk->shown.size,
                                                 .device = device_of(&status),
                                                 .inode = status.stx_ino};
    struct names names = {0};
    int code = list_names(folder, &names);
    if (code < 0)
        code = report_error(walk, code, "its content may not be listed whole");
    if (code == 0)
        code = visit_names(walk, fd, &names);
    names_finish(&names);
    (void)closedir(folder);
    return code;
}

static void leave(struct walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];
    for (size_t i = level->next; i < level->count; i++)
        free(level->folders[i]);
    free(level->folders);
}

/* Takes the next subfolder of the newest level, or leaves the level. */
static int step(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    pop_to(walk, level);
    if (level->next == level->count) {
        leave(walk);
        return 0;
    }
    char *name = level->folders[level->next++];
    (void)push_name(walk, name); /* it fitted before */
    free(name);
    return enter(walk);
}

static void walk_finish(struct walk *walk)
{
    while (walk->depth > 0)
        leave(walk);
    for (size_t i = 0; i < LINK_BUCKETS; i++) {
        for (struct link *link = walk->links[i], *next; link != NULL; link = next) {
            next = link->next;
            free(link->locator);
            free(link);
        }
    }
    free(walk->levels);
    buf_finish(&walk->path);
    buf_finish(&walk->shown);
    buf_finish(&walk->locator);
    buf_finish(&walk->target);
    buf_finish(&walk->times);
    free(walk);
}

int folder_expand(struct image *image, const struct found_sink *sink)
{
    if (image->info.type != IMAGE_FOLDER)
        return -EINVAL;
    struct walk *walk = calloc(1, sizeof(*walk));
    if (walk == NULL)
        return -ENOMEM;
    walk->image = image;
    walk->sink = sink;
    walk->root = image_folder_fd(image);
    buf_text(&walk->shown, image->name);
    int code = enter(walk);
    while (code == 0 && walk->depth > 0)
        code = step(walk);
    walk_finish(walk);
    return code;
}

/* A single file. */

int folder_expand_file(struct image *image, const struct found_sink *sink)
{
    if (image->info.type != IMAGE_FILE)
        return -EINVAL;
    struct buf name = {0}, raw_times = {0};
    struct found_entry entry = found_entry_blank();
    take_status(&image->status, &entry, &raw_times);
    int code = text_unescape(&name, image->name);
    entry.type = ENTRY_FILE;
    entry.path = image->name;
    entry.name = name.data;
    entry.name_size = name.size;
    entry.size = image->info.size;
    entry.locator = "file";
    if (buf_failed(&name) || buf_failed(&raw_times))
        code = -ENOMEM;
    if (code == 0)
        code = sink->entry(sink->context, &entry);
    buf_finish(&name);
    buf_finish(&raw_times);
    return code;
}

/* As an image: it has no bytes of its own. */

static int folder_image_open(struct image *image, const char *path, struct why *why)
{
    char shown[SHOWN_SIZE];
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int status = fd < 0 ? -errno : image_add_fd(image, fd);
    if (status < 0) {
        if (fd >= 0)
            (void)close(fd);
        return why_set(why, status, "%s: %s", image_shown(path, 70, shown), strerror(-status));
    }
    int list = open_quietly(fd, ".", O_DIRECTORY);
    if (list < 0)
        return why_set(why, list, "%s: %s", image_shown(path, 70, shown), strerror(-list));
    (void)close(list);
    return 0;
}

static int folder_image_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    (void)image, (void)offset, (void)data, (void)size;
    return -EINVAL;
}

static void folder_image_close(struct image *image)
{
    for (size_t i = 0; i < image->fd_count; i++)
        (void)close(image->fds[i]);
}

const struct image_driver image_driver_folder = {
    .open = folder_image_open, .read = folder_image_read, .close = folder_image_close};
