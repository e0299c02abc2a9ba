/*
 * image_ewf: E01 and S01 images. libewf tells what they are, and the only file that includes its header is
 * this one; image_ewf_chunks.c reads them. libewf reads those that are not as that file has it:
 *
 * libewf gives zeros for a chunk whose checksum is wrong and tells only in its list of checksum errors, so
 * that list is asked after every read. It is ordered and merged, which allows bisection; its length alone
 * does not tell whether it grew. A chunk that no table lists is never asked for: libewf 20140813 leaks the
 * chunk each time.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <libewf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK_MAX = 128 * 1024 * 1024 };

struct ewf {
    libewf_handle_t *handle;   /* NULL when the chunks are read without it */
    struct ewf_chunks *chunks; /* NULL: by libewf */
    uint32_t chunk_size;
    uint64_t readable; /* bytes of the medium that the segments at hand list */
};

/* libewf's own words: the first line of its backtrace is the cause. Frees `error`. */
static int ewf_error(struct image *image, libewf_error_t *error, struct why *why)
{
    char text[2048] = "", shown[SHOWN_SIZE];
    if (error == NULL || libewf_error_backtrace_sprint(error, text, sizeof(text)) < 0)
        text[0] = '\0';
    libewf_error_free(&error);
    char *end = strpbrk(text, "\r\n");
    if (end != NULL)
        *end = '\0';
    const char *damage = image->info.damage;
    return why_set(why, -EINVAL, "%s: is damaged and does not open as E01%s%s%s%s", image->name,
                   text[0] == '\0' ? "" : ": ", image_shown(text, 70, shown), damage[0] == '\0' ? "" : "; ",
                   damage);
}

/* What the image says about itself. */

static void add_header_value(struct image *image, libewf_handle_t *handle, const char *key, const char *label)
{
    uint8_t value[1024] = "";
    char shown[SHOWN_SIZE];
    size_t size = 0;
    const uint8_t *id = (const uint8_t *)key;
    if (libewf_handle_get_utf8_header_value_size(handle, id, strlen(key), &size, NULL) != 1 || size <= 1)
        return;
    uint8_t *whole = calloc(1, size + 1);
    if (whole != NULL && libewf_handle_get_utf8_header_value(handle, id, strlen(key), whole, size, NULL) == 1)
        memcpy(value, whole, size < sizeof(value) ? size : sizeof(value) - 1);
    free(whole);
    if (value[0] != '\0')
        image_add_detail(image, "%s %s", label, image_shown((const char *)value, 60, shown));
}

static const char *format_name(uint8_t format)
{
    static const struct {
        uint8_t format;
        const char *name;
    } names[] = {
        {LIBEWF_FORMAT_ENCASE1, "EnCase 1"},
        {LIBEWF_FORMAT_ENCASE2, "EnCase 2"},
        {LIBEWF_FORMAT_ENCASE3, "EnCase 3"},
        {LIBEWF_FORMAT_ENCASE4, "EnCase 4"},
        {LIBEWF_FORMAT_ENCASE5, "EnCase 5"},
        {LIBEWF_FORMAT_ENCASE6, "EnCase 6"},
        {LIBEWF_FORMAT_ENCASE7, "EnCase 7"},
        {LIBEWF_FORMAT_SMART, "SMART"},
        {LIBEWF_FORMAT_FTK_IMAGER, "FTK Imager"},
        {LIBEWF_FORMAT_LINEN5, "LinEn 5"},
        {LIBEWF_FORMAT_LINEN6, "LinEn 6"},
        {LIBEWF_FORMAT_LINEN7, "LinEn 7"},
        {LIBEWF_FORMAT_EWF, "EWF"},
        {LIBEWF_FORMAT_EWFX, "EWF-X"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].format == format)
            return names[i].name;
    return "EWF of unknown version";
}

static const char *media_name(uint8_t type)
{
    switch (type) {
    case LIBEWF_MEDIA_TYPE_REMOVABLE:
        return "removable medium";
    case LIBEWF_MEDIA_TYPE_FIXED:
        return "fixed disk";
    case LIBEWF_MEDIA_TYPE_OPTICAL:
        return "optical disc";
    case LIBEWF_MEDIA_TYPE_MEMORY:
        return "memory";
    default:
        return "unknown medium";
    }
}

static const char *compression_name(int8_t level)
{
    return level == 0   ? "no compression"
           : level == 1 ? "fast compression"
           : level == 2 ? "best compression"
                        : "compressed";
}

static void add_details(struct image *image, libewf_handle_t *handle)
{
    uint8_t format = 0, media = 0xff, flags = 0, compression_flags = 0;
    int8_t level = -1;
    (void)libewf_handle_get_format(handle, &format, NULL);
    (void)libewf_handle_get_media_type(handle, &media, NULL);
    (void)libewf_handle_get_media_flags(handle, &flags, NULL);
    (void)libewf_handle_get_compression_values(handle, &level, &compression_flags, NULL);
    (void)libewf_handle_set_header_values_date_format(handle, LIBEWF_DATE_FORMAT_ISO8601, NULL);
    image_add_detail(image, "%s", format_name(format));
    image_add_detail(image, "%s", compression_name(level));
    image_add_detail(image, "%s%s",
                     (flags & LIBEWF_MEDIA_FLAG_PHYSICAL) != 0 ? "physical " : "logical volume of ",
                     media_name(media));
    add_header_value(image, handle, "acquiry_date", "acquired");
    add_header_value(image, handle, "examiner_name", "by");
    add_header_value(image, handle, "case_number", "case");
    add_header_value(image, handle, "evidence_number", "evidence");
    add_header_value(image, handle, "description", "description");
    add_header_value(image, handle, "acquiry_software_version", "software");
    add_header_value(image, handle, "acquiry_operating_system", "on");
    add_header_value(image, handle, "model", "model");
    add_header_value(image, handle, "serial_number", "serial");
    add_header_value(image, handle, "notes", "notes");
}

static void add_hash(struct image *image, const char *algorithm, const uint8_t *hash, size_t size)
{
    struct buf buf;
    buf_init(&buf);
    text_hex(&buf, hash, size);
    if (!buf_failed(&buf))
        image_add_hash(image, algorithm, buf_cstr(&buf), "E01 hash section");
    buf_finish(&buf);
}

static void add_hashes(struct image *image, libewf_handle_t *handle)
{
    uint8_t hash[20];
    if (libewf_handle_get_md5_hash(handle, hash, 16, NULL) == 1)
        add_hash(image, "md5", hash, 16);
    if (libewf_handle_get_sha1_hash(handle, hash, 20, NULL) == 1)
        add_hash(image, "sha1", hash, 20);
    if (image->info.hash_count == 0)
        image_add_detail(image, "no stored hash");
}

/* Sectors that could not be read when the image was made: zeros stand for them in it. */
static void add_acquisition_errors(struct image *image, libewf_handle_t *handle)
{
    uint32_t count = 0;
    uint64_t sectors = 0;
    if (libewf_handle_get_number_of_acquiry_errors(handle, &count, NULL) != 1 || count == 0)
        return;
    for (uint32_t i = 0; i < count && i < 65536; i++) {
        uint64_t start = 0, size = 0;
        if (libewf_handle_get_acquiry_error(handle, i, &start, &size, NULL) == 1)
            sectors = u64_add_saturating(sectors, size);
    }
    image_add_damage(image, "%llu sectors in %u places could not be read when the image was made",
                     (unsigned long long)sectors, count);
}

/* Opening. */

static int take_geometry(struct image *image, struct ewf *ewf, struct ewf_set *set, struct why *why)
{
    size64_t size = 0;
    size32_t chunk = 0;
    uint32_t sector = 0;
    if (libewf_handle_get_media_size(ewf->handle, &size, NULL) != 1 ||
        libewf_handle_get_chunk_size(ewf->handle, &chunk, NULL) != 1 ||
        libewf_handle_get_bytes_per_sector(ewf->handle, &sector, NULL) != 1)
        return ewf_error(image, NULL, why);
    if (size == 0)
        return why_set(why, -ENODATA, "%s: the medium in it has size 0%s%s", image->name,
                       image->info.damage[0] == '\0' ? "" : ": ", image->info.damage);
    if (chunk == 0 || chunk > CHUNK_MAX || size > INT64_MAX)
        return why_set(why, -EINVAL, "%s: chunks of %u bytes and a medium of %llu bytes make no sense",
                       image->name, chunk, (unsigned long long)size);
    if (sector >= 512 && sector <= 65536 && (sector & (sector - 1)) == 0)
        image->info.sector_size = sector;
    image->info.size = size;
    ewf->chunk_size = chunk;
    int status = ewf_rebuild(image, set, size, chunk);
    if (status < 0)
        return status;
    uint64_t listed = u64_mul_saturating(set->chunks, chunk);
    ewf->readable = listed < size ? listed : size;
    image->info.stored = ewf->readable;
    if (ewf->readable == 0)
        return why_set(why, -EINVAL, "%s: is damaged: no data can be found in it%s%s", image->name,
                       image->info.damage[0] == '\0' ? "" : ": ", image->info.damage);
    if (ewf->readable < size)
        image_add_damage(image, "zeros stand for the last %llu bytes, which no table at hand lists%s",
                         (unsigned long long)(size - ewf->readable),
                         set->whole ? ": where tables are short, data may stand at the wrong place" : "");
    return 0;
}

static void close_handle(struct ewf *ewf)
{
    if (ewf->handle == NULL)
        return;
    (void)libewf_handle_close(ewf->handle, NULL);
    (void)libewf_handle_free(&ewf->handle, NULL);
}

static int open_handle(struct image *image, struct ewf *ewf, const struct ewf_set *set, struct why *why)
{
    struct fd_snapshot before;
    libewf_error_t *error = NULL;
    int status = fd_snapshot_take(&before);
    if (status < 0)
        return status;
    libewf_notify_set_verbose(0);
    if (libewf_handle_initialize(&ewf->handle, &error) != 1 ||
        libewf_handle_open(ewf->handle, set->paths, (int)set->count, LIBEWF_OPEN_READ, &error) != 1 ||
        libewf_handle_set_read_zero_chunk_on_error(ewf->handle, 1, &error) != 1)
        status = ewf_error(image, error, why);
    else
        status = image_add_new_fds(image, &before);
    fd_snapshot_finish(&before);
    return status;
}

/* libewf has told what the image is; from here on only its tables are needed. */
static int read_without(struct image *image, struct ewf *ewf, struct ewf_set *set, struct why *why)
{
    close_handle(ewf);
    image->fd_count = 0;
    return ewf_chunks_new(image, set, ewf->chunk_size, &ewf->chunks, why);
}

static int open_set(struct image *image, struct ewf *ewf, struct ewf_set *set, struct why *why)
{
    int status = image_need_fds(set->count, why);
    if (status == 0)
        status = open_handle(image, ewf, set, why);
    if (status == 0)
        status = take_geometry(image, ewf, set, why);
    if (status < 0)
        return status;
    image->info.segments = (uint32_t)set->count;
    if (set->whole && libewf_handle_segment_files_corrupted(ewf->handle, NULL) == 1)
        image_add_damage(image, "libewf reports a damaged segment file");
    add_details(image, ewf->handle);
    add_hashes(image, ewf->handle);
    add_acquisition_errors(image, ewf->handle);
    return set->irregular ? 0 : read_without(image, ewf, set, why);
}

static int ewf_open(struct image *image, const char *path, struct why *why)
{
    struct ewf_set set;
    struct ewf *ewf = calloc(1, sizeof(*ewf));
    if (ewf == NULL)
        return -ENOMEM;
    image->state = ewf;
    int status = ewf_set_find(image, path, &set, why);
    if (status < 0)
        return status;
    if (set.count > IMAGE_FDS_MAX)
        status = why_set(why, -EMFILE, "%s: %zu segments are more than the %d that can be open", image->name,
                         set.count, (int)IMAGE_FDS_MAX);
    else
        status = open_set(image, ewf, &set, why);
    ewf_set_finish(&set);
    return status;
}

static void ewf_close(struct image *image)
{
    struct ewf *ewf = image->state;
    if (ewf == NULL)
        return;
    close_handle(ewf);
    ewf_chunks_free(image, ewf->chunks);
    free(ewf);
}

/* Reading. */

static int read_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    struct ewf *ewf = image->state;
    libewf_error_t *error = NULL;
    ssize_t got = libewf_handle_read_random(ewf->handle, data, size, (off64_t)offset, &error);
    libewf_error_free(&error);
    return got == (ssize_t)size ? 0 : -EIO;
}

static bool checksum_error(const struct ewf *ewf, uint32_t sector_size, uint32_t index,
                           struct range *ret_range)
{
    uint64_t start = 0, count = 0;
    if (libewf_handle_get_checksum_error(ewf->handle, index, &start, &count, NULL) != 1)
        return false;
    ret_range->offset = u64_mul_saturating(start, sector_size);
    ret_range->size = u64_mul_saturating(count, sector_size);
    return true;
}

/* The first checksum error that ends past `offset`; `count` when there is none. */
static uint32_t first_error(const struct ewf *ewf, uint32_t sector_size, uint32_t count, uint64_t offset)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct range range;
        if (!checksum_error(ewf, sector_size, middle, &range))
            return count;
        if (u64_add_saturating(range.offset, range.size) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Turns the checksum errors that lie in what was just read into bad ranges. */
static int note_errors(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    const struct ewf *ewf = image->state;
    uint32_t count = 0, sector = 0;
    if (libewf_handle_get_number_of_checksum_errors(ewf->handle, &count, NULL) != 1 || count == 0)
        return 0;
    if (libewf_handle_get_bytes_per_sector(ewf->handle, &sector, NULL) != 1)
        sector = 512;
    int status = 0;
    struct range range;
    for (uint32_t i = first_error(ewf, sector, count, offset); status == 0 && i < count; i++) {
        if (!checksum_error(ewf, sector, i, &range) || range.offset >= offset + size)
            break;
        uint64_t from = range.offset > offset ? range.offset : offset;
        uint64_t to = u64_add_saturating(range.offset, range.size);
        to = to < offset + size ? to : offset + size;
        if (from >= to)
            continue;
        memset(data + (from - offset), 0, (size_t)(to - from));
        status = image_add_bad(image, from, to - from);
    }
    return status;
}

/* What was found bad before is not asked for again: libewf leaks a chunk each time it fails to find one.
 * `ret_known`: the range is bad; returns how far from `offset` the same holds. */
static uint64_t same_known(const struct image *image, uint64_t offset, bool *ret_known)
{
    const struct ewf *ewf = image->state;
    *ret_known = offset >= ewf->readable;
    if (*ret_known)
        return UINT64_MAX;
    const struct range *bad = image->bad.coarse ? NULL : ranges_next(&image->bad, offset);
    uint64_t end = ewf->readable;
    if (bad != NULL && bad->offset <= offset) {
        *ret_known = true;
        end = bad->offset + bad->size < end ? bad->offset + bad->size : end;
    } else if (bad != NULL && bad->offset < end) {
        end = bad->offset;
    }
    return end - offset;
}

static int ewf_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    const struct ewf *ewf = image->state;
    int status = 0;
    while (status == 0 && size > 0) {
        bool known;
        uint64_t same = same_known(image, offset, &known);
        size_t piece = same < size ? (size_t)same : size;
        if (known) {
            memset(data, 0, piece);
            status = image_add_bad(image, offset, piece);
        } else if (ewf->chunks != NULL) {
            status = ewf_chunks_read(image, ewf->chunks, offset, data, piece);
        } else {
            status = image_read_pieces(image, read_piece, ewf->chunk_size, offset, data, piece);
            if (status == 0)
                status = note_errors(image, offset, data, piece);
        }
        offset += piece;
        data += piece;
        size -= piece;
    }
    return status;
}

const struct image_driver image_driver_ewf = {.open = ewf_open, .read = ewf_read, .close = ewf_close};

/* Warm-up and version. */

void image_warm(void)
{
    libewf_handle_t *handle = NULL;
    tzset(); /* header dates */
    libewf_notify_set_verbose(0);
    if (libewf_handle_initialize(&handle, NULL) == 1)
        (void)libewf_handle_free(&handle, NULL);
}

const char *image_version_ewf(void)
{
    static char version[40];
    (void)snprintf(version, sizeof(version), "libewf %s", libewf_get_version());
    return version;
}
