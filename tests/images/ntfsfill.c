/*
 * ntfsfill: puts folders, files and streams into an NTFS image and takes some out again, through libntfs-3g:
 * without a mount, without root. For the test images only; make-sample.sh compiles it.
 *
 *     ntfsfill IMAGE < script
 *
 * One command a line, fields separated by TAB; names are UTF-8, paths begin with '/':
 *     clock SECONDS              what time it is from now on (UTC, since 1970)
 *     mkdir PATH                 a folder
 *     compress PATH              files made in this folder from now on are compressed
 *     file PATH SOURCE           a file with the content of SOURCE
 *     stream PATH NAME SOURCE    an alternate data stream of a file or folder
 *     sparse PATH SIZE SOURCE    a file of SIZE bytes: a hole, then the content of SOURCE at the end
 *     link PATH NEW              a second name in another folder
 *     rm PATH                    removes a file or an empty folder
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>

static time_t now = 1768471200; /* 2026-01-15T10:00:00Z */

/* The library asks the C library for the time. It gets ours, so that the image is the same every time. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    *ret = (struct timespec){.tv_sec = now};
    return 0;
}

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("ntfsfill: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s\n", strerror(errno));
    va_end(arguments);
    exit(1);
}

/* A path's folder, open, and its last component in UTF-16. */
struct place {
    ntfs_inode *folder;
    ntfschar *name;
    u8 size;
};

static struct place place_open(ntfs_volume *volume, const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    char *slash = strrchr(copy, '/');
    if (!slash)
        die("%s: not a path", path);
    *slash = '\0';
    struct place place = {.folder = ntfs_pathname_to_inode(volume, NULL, *copy ? copy : "/")};
    int size = ntfs_mbstoucs(slash + 1, &place.name);
    if (!place.folder || size <= 0 || size > 255)
        die("%s", path);
    place.size = (u8)size;
    return place;
}

static void place_close(struct place *place)
{
    free(place->name);
    if (ntfs_inode_close(place->folder))
        die("close folder");
}

static ntfs_inode *open_path(ntfs_volume *volume, const char *path)
{
    ntfs_inode *inode = ntfs_pathname_to_inode(volume, NULL, path);
    if (!inode)
        die("%s", path);
    return inode;
}

static ntfs_inode *create(ntfs_volume *volume, const char *path, mode_t type)
{
    struct place place = place_open(volume, path);
    ntfs_inode *inode = ntfs_create(place.folder, const_cpu_to_le32(0), place.name, place.size, type);
    if (!inode)
        die("%s", path);
    place_close(&place);
    return inode;
}

/* Writes the whole of `source` at `offset` into the unnamed or a named data attribute, and lets `inode` go.
 */
static void fill(ntfs_inode *inode, ntfschar *name, u32 name_size, s64 offset, const char *source)
{
    static uint8_t block[65536];
    FILE *file = fopen(source, "rb");
    ntfs_attr *data = ntfs_attr_open(inode, AT_DATA, name, name_size);
    if (!file || !data)
        die("%s", source);
    size_t size;
    while ((size = fread(block, 1, sizeof block, file)) > 0) {
        if (ntfs_attr_pwrite(data, offset, (s64)size, block) != (s64)size)
            die("write %s", source);
        offset += (s64)size;
    }
    if (ferror(file) || ntfs_attr_pclose(data))
        die("write %s", source);
    ntfs_attr_close(data);
    fclose(file);
    ntfs_inode_update_times(inode, NTFS_UPDATE_MCTIME);
    if (ntfs_inode_close(inode))
        die("close %s", source);
}

static void do_mkdir(ntfs_volume *volume, const char *path)
{
    if (ntfs_inode_close(create(volume, path, S_IFDIR)))
        die("%s", path);
}

static void do_compress(ntfs_volume *volume, const char *path)
{
    ntfs_inode *inode = open_path(volume, path);
    inode->flags |= FILE_ATTR_COMPRESSED;
    NInoFileNameSetDirty(inode);
    ntfs_inode_mark_dirty(inode);
    if (ntfs_inode_close(inode))
        die("%s", path);
}

static void do_stream(ntfs_volume *volume, const char *path, const char *stream, const char *source)
{
    ntfschar *name = NULL;
    int size = ntfs_mbstoucs(stream, &name);
    ntfs_inode *inode = open_path(volume, path);
    if (size <= 0 || size > 255 || ntfs_attr_add(inode, AT_DATA, name, (u8)size, NULL, 0))
        die("%s:%s", path, stream);
    fill(inode, name, (u32)size, 0, source);
    free(name);
}

static void do_sparse(ntfs_volume *volume, const char *path, s64 size, const char *source)
{
    FILE *file = fopen(source, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        die("%s", source);
    s64 tail = ftell(file);
    fclose(file);
    fill(create(volume, path, S_IFREG), AT_UNNAMED, 0, size - tail, source);
}

static void do_link(ntfs_volume *volume, const char *path, const char *new_path)
{
    ntfs_inode *inode = open_path(volume, path);
    struct place place = place_open(volume, new_path);
    if (ntfs_link(inode, place.folder, place.name, place.size) || ntfs_inode_close(inode))
        die("%s", new_path);
    place_close(&place);
}

static void do_rm(ntfs_volume *volume, const char *path)
{
    struct place place = place_open(volume, path);
    /* Looked up in the open folder: opening the folder a second time would leave a stale copy of it in the
     * library. */
    ntfs_inode *inode = ntfs_pathname_to_inode(volume, place.folder, strrchr(path, '/') + 1);
    if (!inode || ntfs_delete(volume, path, inode, place.folder, place.name, place.size)) /* closes both */
        die("%s", path);
    free(place.name);
}

static void command(ntfs_volume *volume, int count, char *word[4])
{
    const char *verb = word[0];
    if (!strcmp(verb, "clock") && count == 2)
        now = (time_t)strtoll(word[1], NULL, 10);
    else if (!strcmp(verb, "mkdir") && count == 2)
        do_mkdir(volume, word[1]);
    else if (!strcmp(verb, "compress") && count == 2)
        do_compress(volume, word[1]);
    else if (!strcmp(verb, "file") && count == 3)
        fill(create(volume, word[1], S_IFREG), AT_UNNAMED, 0, 0, word[2]);
    else if (!strcmp(verb, "stream") && count == 4)
        do_stream(volume, word[1], word[2], word[3]);
    else if (!strcmp(verb, "sparse") && count == 4)
        do_sparse(volume, word[1], strtoll(word[2], NULL, 10), word[3]);
    else if (!strcmp(verb, "link") && count == 3)
        do_link(volume, word[1], word[2]);
    else if (!strcmp(verb, "rm") && count == 2)
        do_rm(volume, word[1]);
    else {
        errno = EINVAL;
        die("%s with %d fields", verb, count);
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fputs("usage: ntfsfill IMAGE < script\n", stderr);
        return 2;
    }
    ntfs_set_char_encoding("utf8");
    ntfs_volume *volume = ntfs_mount(arguments[1], NTFS_MNT_NONE);
    if (!volume)
        die("%s", arguments[1]);
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *word[5], *rest = line;
        int words = 0;
        while (words < 5 && (word[words] = strsep(&rest, "\t")))
            words++;
        if (*line)
            command(volume, words, word);
    }
    if (ntfs_umount(volume, FALSE))
        die("%s", arguments[1]);
    return 0;
}
