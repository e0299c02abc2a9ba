/*
 * tsk_medium: an image as libtsk sees it, and what of it stays open between calls.
 *
 * libtsk gets its bytes by a read function (tsk_img_open_external), so the same reader serves every
 * container, and what could not be read is known. The file systems last used stay open in the image's keep.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ reading */

static ssize_t medium_read(TSK_IMG_INFO *base, TSK_OFF_T offset, char *data, size_t size)
{
    struct tsk_medium *medium = (struct tsk_medium *)base;
    uint64_t left;

    if (offset < 0 || offset > base->size) {
        tsk_error_reset();
        tsk_error_set_errno(TSK_ERR_IMG_READ_OFF);
        tsk_error_set_errstr("offset %" PRIdOFF " is past the end of the image", offset);
        return -1;
    }
    if (medium->sink && medium->sink->at)
        medium->sink->at(medium->sink->context, medium->what);
    left = (uint64_t)(base->size - offset);
    if (size > left)
        size = (size_t)left; /* short, as libtsk's own readers are at the end */
    if (size > 0 && image_read(medium->image, (uint64_t)offset, data, size) < 0)
        return -1;
    return (ssize_t)size;
}

static void medium_close(TSK_IMG_INFO *base)
{
    (void)base; /* the keep owns it */
}

static void medium_stat(TSK_IMG_INFO *base, FILE *file)
{
    (void)base;
    (void)file;
}

bool tsk_medium_bytes(struct tsk_medium *medium, uint64_t offset, void *data, size_t size)
{
    uint64_t limit = (uint64_t)medium->base.size;
    size_t there = offset >= limit ? 0 : limit - offset < size ? (size_t)(limit - offset) : size;

    memset(data, 0, size);
    if (there > 0 && tsk_img_read(&medium->base, (TSK_OFF_T)offset, data, there) != (ssize_t)there)
        return false;
    return there == size;
}

void tsk_part_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct tsk_part *part = context;

    if (!u64_range_fits(offset, size, part->size))
        memset(data, 0, size);
    else
        (void)tsk_medium_bytes(part->medium, u64_add_saturating(part->offset, offset), data, size);
}

static void forget(TSK_IMG_INFO *info)
{
    memset(info->cache_len, 0, sizeof info->cache_len);
}

void tsk_medium_forget(struct tsk_filesystem *filesystem)
{
    forget(&filesystem->medium->base);
    if (filesystem->pool_image)
        forget(filesystem->pool_image);
}

const char *tsk_words(char *ret, size_t size)
{
    const char *words = tsk_error_get();
    struct buf buf = {0};
    size_t length;

    if (words)
        text_escape(&buf, words, strcspn(words, "\r\n"));
    (void)snprintf(ret, size, "%s", buf_cstr(&buf));
    for (length = strlen(ret); length > 0 && ((unsigned char)ret[length - 1] & 0xc0) == 0x80; length--)
        ret[length - 1] = '\0'; /* not in the middle of a character */
    if (length > 0 && ((unsigned char)ret[length - 1] & 0x80))
        ret[length - 1] = '\0';
    if (ret[0] == '\0')
        (void)snprintf(ret, size, "libtsk gives no reason");
    buf_finish(&buf);
    tsk_error_reset();
    return ret;
}

/* ------------------------------------------------------------------ the keep */

static void filesystem_close(struct tsk_filesystem *filesystem)
{
    if (!filesystem)
        return;
    tsk_apfs_close(filesystem);
    tsk_ext_free(filesystem->ext);
    tsk_free_drop(filesystem->free_space);
    free(filesystem);
}

static void keep_drop(void *context)
{
    struct tsk_keep *keep = context;

    for (size_t i = 0; i < keep->open_count; i++)
        filesystem_close(keep->open[i]);
    free(keep->slots);
    free(keep);
}

struct tsk_keep *tsk_keep(struct image *image)
{
    const struct image_info *info = image_info(image);
    struct tsk_keep *keep = image_keep(image);

    if (keep)
        return keep;
    keep = calloc(1, sizeof *keep);
    if (!keep)
        return NULL;
    keep->medium.image = image;
    if (!tsk_img_open_external(&keep->medium.base, info->size > INT64_MAX ? INT64_MAX : (TSK_OFF_T)info->size,
                               info->sector_size ? info->sector_size : 512, medium_read, medium_close,
                               medium_stat)) {
        tsk_error_reset();
        free(keep);
        return NULL;
    }
    image_set_keep(image, keep, keep_drop);
    return keep;
}

/* ------------------------------------------------------------------ open file systems */

static int open_plain(struct tsk_filesystem *filesystem, struct why *why)
{
    TSK_FS_TYPE_ENUM type = tsk_type_parse(filesystem->type);
    char words[256];

    if (type == TSK_FS_TYPE_UNSUPP)
        return why_set(why, -EINVAL, "no file system of type %s is known", filesystem->type);
    filesystem->info = tsk_fs_open_img(&filesystem->medium->base, (TSK_OFF_T)filesystem->offset, type);
    if (!filesystem->info)
        return why_set(why, -EIO, "file system %s at %llu does not open: %s", filesystem->type,
                       (unsigned long long)filesystem->offset, tsk_words(words, sizeof words));
    if (TSK_FS_TYPE_ISEXT(filesystem->info->ftype))
        filesystem->ext =
            tsk_ext_new(filesystem->medium, filesystem->offset); /* NULL: libtsk's times will do */
    return 0;
}

/* Makes room for one more: the file system that nobody uses and that was used longest ago goes. */
static void evict(struct tsk_keep *keep)
{
    size_t oldest = TSK_OPEN_MAX;

    for (size_t i = 0; i < keep->open_count; i++) {
        if (keep->open[i]->users == 0 &&
            (oldest == TSK_OPEN_MAX || keep->open[i]->used < keep->open[oldest]->used))
            oldest = i;
    }
    if (keep->open_count < TSK_OPEN_MAX || oldest == TSK_OPEN_MAX)
        return;
    filesystem_close(keep->open[oldest]);
    keep->open[oldest] = keep->open[--keep->open_count];
}

int tsk_filesystem_acquire(struct image *image, const struct locator *locator, struct tsk_filesystem **ret,
                           struct why *why)
{
    struct tsk_keep *keep = tsk_keep(image);
    struct tsk_filesystem *filesystem;
    int code;

    if (!keep)
        return why_set(why, -ENOMEM, "no memory to open a file system");
    for (size_t i = 0; i < keep->open_count; i++) {
        filesystem = keep->open[i];
        if (filesystem->offset == locator->offset && filesystem->block == locator->block &&
            strcmp(filesystem->type, locator->type) == 0) {
            filesystem->users++;
            filesystem->used = ++keep->clock;
            *ret = filesystem;
            return 0;
        }
    }
    evict(keep);
    if (keep->open_count == TSK_OPEN_MAX)
        return why_set(why, -ENOMEM, "too many file systems are in use at once");
    if (locator->offset >= (uint64_t)keep->medium.base.size)
        return why_set(why, -EIO, "offset %llu is past the end of the image",
                       (unsigned long long)locator->offset);
    filesystem = calloc(1, sizeof *filesystem);
    if (!filesystem)
        return why_set(why, -ENOMEM, "no memory to open a file system");
    filesystem->medium = &keep->medium;
    filesystem->offset = locator->offset;
    filesystem->block = locator->block;
    memcpy(filesystem->type, locator->type, sizeof filesystem->type);
    code = strcmp(filesystem->type, "apfs") == 0 ? tsk_apfs_open(filesystem, why) : open_plain(filesystem, why);
    if (code < 0) {
        filesystem_close(filesystem);
        return code;
    }
    filesystem->users = 1;
    filesystem->used = ++keep->clock;
    keep->open[keep->open_count++] = filesystem;
    *ret = filesystem;
    return 0;
}

void tsk_filesystem_release(struct tsk_filesystem *filesystem)
{
    if (filesystem)
        filesystem->users--;
}

/* ------------------------------------------------------------------ warm-up */

static ssize_t zeros_read(TSK_IMG_INFO *base, TSK_OFF_T offset, char *data, size_t size)
{
    (void)base;
    (void)offset;
    memset(data, 0, size);
    return (ssize_t)size;
}

static int compare_bytes(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* Everything is tried once on an image of zeros: APFS throws its first C++ exception here, mktime reads TZ,
 * and qsort asks how much memory there is. */
void tsk_warm(void)
{
    enum { ZEROS = 1 << 20, SORTED = 2048 }; /* qsort asks from 1,024 bytes on */
    TSK_IMG_INFO *zeros = calloc(1, sizeof *zeros);
    char *sorted = calloc(1, SORTED);
    struct tm tm = {.tm_year = 100, .tm_mday = 1};

    (void)mktime(&tm);
    if (sorted)
        qsort(sorted, SORTED, 1, compare_bytes);
    if (zeros && tsk_img_open_external(zeros, ZEROS, 512, zeros_read, medium_close, medium_stat)) {
        TSK_VS_INFO *table = tsk_vs_open(zeros, 0, TSK_VS_TYPE_DETECT);
        TSK_FS_INFO *info = tsk_fs_open_img(zeros, 0, TSK_FS_TYPE_DETECT);
        const TSK_POOL_INFO *pool = tsk_pool_open_img_sing(zeros, 0, TSK_POOL_TYPE_APFS);
        if (table)
            tsk_vs_close(table);
        if (info)
            tsk_fs_close(info);
        if (pool)
            tsk_pool_close(pool);
    }
    tsk_error_reset();
    free(zeros);
    free(sorted);
}

const char *tsk_version(void)
{
    static char text[48];

    if (text[0] == '\0')
        (void)snprintf(text, sizeof text, "libtsk %s", tsk_version_get_str());
    return text;
}
