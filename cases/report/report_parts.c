/* report_parts: see report_parts.h. */
#include "cases/report/report_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void partial_name(const struct report_parts *parts, char ret[80])
{
    snprintf(ret, 80, "%s.partial", parts->name);
}

void report_parts_init(struct report_parts *parts, int reports, const char *name)
{
    *parts = (struct report_parts){.reports = reports, .folder = -1};
    snprintf(parts->name, sizeof parts->name, "%s", name);
}

/* Of a folder that holds files only: ours, or what a kill left of it. */
static void empty_folder(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        (void)unlinkat(folder, entry->d_name, 0); /* "." and ".." refuse */
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}

void report_parts_finish(struct report_parts *parts, bool keep)
{
    char partial[80];
    if (parts->folder >= 0 && !(parts->done && keep)) {
        partial_name(parts, partial);
        empty_folder(parts->folder);
        (void)unlinkat(parts->reports, parts->done ? parts->name : partial, AT_REMOVEDIR);
    }
    if (parts->folder >= 0)
        close(parts->folder);
    free(parts->items);
    *parts = (struct report_parts){.folder = -1};
}

static int make_folder(struct report_parts *parts)
{
    char partial[80];
    partial_name(parts, partial);
    if (mkdirat(parts->reports, partial, 0750) < 0 && errno != EEXIST)
        return -errno;
    parts->folder = openat(parts->reports, partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parts->folder < 0)
        return -errno;
    empty_folder(parts->folder);
    return 0;
}

static int next_part(struct report_parts *parts)
{
    if (parts->count == PARTS_MAX)
        return -EOVERFLOW;
    if ((parts->count & (parts->count - 1)) == 0) { /* a power of two: it is full */
        size_t room = parts->count ? 2 * parts->count : 1;
        struct report_part *more = realloc(parts->items, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        parts->items = more;
    }
    parts->items[parts->count] = (struct report_part){0};
    return 0;
}

int report_parts_open(struct report_parts *parts, const char *name, struct report_out *out, struct why *why)
{
    int error = next_part(parts);
    if (error == 0 && parts->folder < 0)
        error = make_folder(parts);
    int fd = error < 0
                 ? -1
                 : openat(parts->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (error == 0 && fd < 0)
        error = -errno;
    if (error == 0 && (error = report_out_init(out, fd)) < 0)
        close(fd);
    if (error < 0)
        return why_set(why, error, "reports/%s/%s: %s", parts->name, name, strerror(-error));
    snprintf(parts->items[parts->count].name, PART_NAME_MAX, "%s", name);
    return 0;
}

int report_parts_close(struct report_parts *parts, struct report_out *out, int error, struct why *why)
{
    struct report_part *part = &parts->items[parts->count];
    int fd = out->fd, ended = report_out_end(out);
    if (ended == 0 && fsync(fd) < 0)
        ended = -errno;
    if (close(fd) < 0 && ended == 0)
        ended = -errno;
    if (error == 0 && ended == 0) {
        part->size = out->size;
        report_out_sha256(out, part->sha256);
        parts->count++;
    }
    report_out_finish(out);
    if (error == 0 && ended < 0)
        error = why_set(why, ended, "reports/%s/%s: %s", parts->name, part->name, strerror(-ended));
    return error;
}

int report_parts_done(struct report_parts *parts, struct why *why)
{
    char partial[80];
    if (parts->folder < 0)
        return 0;
    partial_name(parts, partial);
    if (fsync(parts->folder) < 0 || renameat(parts->reports, partial, parts->reports, parts->name) < 0)
        return why_set(why, -errno, "reports/%s: %s", parts->name, strerror(errno));
    parts->done = true;
    return 0;
}
