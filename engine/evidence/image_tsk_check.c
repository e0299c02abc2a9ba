/*
 * image_tsk_check: VHD and VMDK files, looked at before libtsk opens them.
 *
 * VHD: "Virtual Hard Disk Image Format Specification" 1.0, hard disk footer and dynamic disk header; all
 * big-endian. VMDK: "Virtual Disk Format 5.0", sections 2 (descriptor) and 4.1 (sparse header);
 * little-endian.
 *
 * A differencing VMDK holds only what changed: without its parent it is refused (a VHD is image_disk.c's). A
 * VMDK descriptor names the files that hold the data; it is evidence, so only names in its own folder are
 * followed. A VMDK that holds its own data but was given another name would make libvmdk read whatever file
 * has the old one: image_vmdk.c reads it instead.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* VHD. */

enum {
    VHD_FOOTER = 512,
    VHD_HEADER = 1024,
    VHD_FIXED = 2,
    VHD_DYNAMIC = 3,
    VHD_DIFFERENCING = 4,
    VHD_BLOCKS_MAX = 1 << 24
};

/* The one's complement of the sum of all bytes but the checksum's own four. */
static bool vhd_sum_fits(const uint8_t *data, size_t size, size_t at)
{
    uint32_t sum = 0;
    struct bytes bytes;
    for (size_t i = 0; i < size; i++)
        sum += i >= at && i < at + 4 ? 0u : data[i];
    bytes_init(&bytes, data, size);
    bytes_seek(&bytes, at);
    return bytes_u32be(&bytes) == ~sum;
}

static bool read_footer(int fd, uint64_t offset, uint64_t file_size, uint8_t footer[VHD_FOOTER])
{
    return u64_range_fits(offset, VHD_FOOTER, file_size) && image_pread(fd, offset, footer, VHD_FOOTER) &&
           memcmp(footer, "conectix", 8) == 0;
}

/* Blocks that the allocation table puts past the end of the file: libvhdi fails to read them, so they become
 * bad ranges. */
static void check_blocks(struct image *image, int fd, uint64_t file_size, uint64_t table, uint32_t count,
                         uint32_t block_size)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < count && i < VHD_BLOCKS_MAX; i++) {
        uint8_t raw[4];
        struct bytes bytes;
        if (!u64_range_fits(table, (uint64_t)i * 4 + 4, file_size) ||
            !image_pread(fd, table + (uint64_t)i * 4, raw, 4)) {
            image_add_damage(image, "the block allocation table is cut at entry %u of %u", i, count);
            return;
        }
        bytes_init(&bytes, raw, 4);
        uint64_t sector = bytes_u32be(&bytes);
        uint64_t bitmap = ((block_size / 512 + 7) / 8 + 511) / 512 * 512;
        if (sector != UINT32_MAX && !u64_range_fits(sector * 512, bitmap + block_size, file_size))
            lost++;
    }
    if (lost > 0)
        image_add_damage(image, "%llu of %u blocks lie past the end of the file", (unsigned long long)lost,
                         count);
}

static int check_dynamic(struct image *image, int fd, uint64_t file_size, uint64_t offset, struct why *why)
{
    uint8_t header[VHD_HEADER];
    struct bytes bytes;
    if (!u64_range_fits(offset, sizeof(header), file_size) ||
        !image_pread(fd, offset, header, sizeof(header)) || memcmp(header, "cxsparse", 8) != 0)
        return why_set(why, -EINVAL, "%s: the dynamic disk header of the VHD is missing", image->name);
    if (!vhd_sum_fits(header, sizeof(header), 36))
        image_add_damage(image, "the dynamic disk header's checksum is wrong");
    bytes_init(&bytes, header, sizeof(header));
    bytes_skip(&bytes, 16);
    uint64_t table = bytes_u64be(&bytes);
    bytes_skip(&bytes, 4);
    uint32_t count = bytes_u32be(&bytes), block_size = bytes_u32be(&bytes);
    check_blocks(image, fd, file_size, table, count, block_size);
    return 0;
}

bool image_vhd_has_parent(const char *path)
{
    uint8_t footer[VHD_FOOTER];
    struct bytes bytes;
    struct stat info;
    struct why ignored;
    int fd = image_open_file(path, &ignored);
    bool there = fd >= 0 && fstat(fd, &info) == 0 && info.st_size >= VHD_FOOTER &&
                 (read_footer(fd, (uint64_t)info.st_size - VHD_FOOTER, (uint64_t)info.st_size, footer) ||
                  read_footer(fd, 0, (uint64_t)info.st_size, footer));

    if (fd >= 0)
        (void)close(fd);
    if (!there)
        return false;
    bytes_init(&bytes, footer, sizeof(footer));
    bytes_seek(&bytes, 60);
    return bytes_u32be(&bytes) == VHD_DIFFERENCING;
}

int image_check_vhd(struct image *image, int fd, uint64_t file_size, struct why *why)
{
    uint8_t footer[VHD_FOOTER];
    struct bytes bytes;
    if (file_size < VHD_FOOTER || !read_footer(fd, file_size - VHD_FOOTER, file_size, footer)) {
        image_add_damage(image, "the VHD's footer is missing: the file may be cut");
        if (!read_footer(fd, 0, file_size, footer))
            return why_set(why, -EINVAL, "%s: this VHD has no footer", image->name);
    }
    if (!vhd_sum_fits(footer, sizeof(footer), 64))
        image_add_damage(image, "the checksum of the VHD's footer is wrong");
    bytes_init(&bytes, footer, sizeof(footer));
    bytes_skip(&bytes, 16);
    uint64_t header = bytes_u64be(&bytes);
    bytes_seek(&bytes, 60);
    uint32_t kind = bytes_u32be(&bytes);
    image_add_detail(image, "VHD, %s",
                     kind == VHD_FIXED     ? "fixed"
                     : kind == VHD_DYNAMIC ? "dynamic"
                                           : "other kind");
    if (kind == VHD_DIFFERENCING)
        return why_set(why, -ENOTSUP, "%s: differencing image: its parent is needed", image->name);
    if (kind == VHD_DYNAMIC)
        return check_dynamic(image, fd, file_size, header, why);
    if (kind != VHD_FIXED)
        return why_set(why, -ENOTSUP, "%s: VHD of kind %u", image->name, kind);
    return 0;
}

/* VMDK. */

enum { DESCRIPTOR_MAX = 1 << 20 };

struct descriptor {
    char *text; /* owned; lines are cut out of it */
    uint64_t size;
    bool embedded;
};

static int read_text(int fd, uint64_t offset, uint64_t size, struct descriptor *ret_descriptor)
{
    size_t length = size < DESCRIPTOR_MAX ? (size_t)size : DESCRIPTOR_MAX;
    char *text = calloc(1, length + 1);
    if (text == NULL)
        return -ENOMEM;
    if (!image_pread(fd, offset, text, length)) {
        free(text);
        return -EINVAL;
    }
    ret_descriptor->text = text;
    ret_descriptor->size = size;
    return 0;
}

static int read_descriptor(struct image *image, int fd, uint64_t file_size, struct descriptor *descriptor,
                           struct why *why)
{
    uint8_t header[64] = {0};
    struct bytes bytes;
    if (file_size < sizeof(header) || !image_pread(fd, 0, header, sizeof(header)))
        return why_set(why, -EINVAL, "%s: is too short for a VMDK", image->name);
    if (memcmp(header, "# Disk DescriptorFile", 21) == 0)
        return read_text(fd, 0, file_size, descriptor);
    bytes_init(&bytes, header, sizeof(header));
    bytes_skip(&bytes, 28);
    uint64_t offset = bytes_u64le(&bytes), size = bytes_u64le(&bytes);
    descriptor->embedded = true;
    if (memcmp(header, "KDMV", 4) != 0 || offset == 0 || size == 0)
        return why_set(why, -EINVAL, "%s: is one extent of a VMDK: give its descriptor file instead",
                       image->name);
    offset = u64_mul_saturating(offset, 512);
    size = u64_mul_saturating(size, 512);
    if (!u64_range_fits(offset, size, file_size))
        return why_set(why, -EINVAL, "%s: the descriptor in this VMDK lies past its end", image->name);
    return read_text(fd, offset, size, descriptor);
}

/* Text and then nothing but zeros: what follows a NUL might be read by libvmdk and not by us. */
static bool is_plain_text(const char *text, uint64_t size)
{
    size_t length = strlen(text);
    for (uint64_t i = length; i < size; i++)
        if (text[i] != '\0')
            return false;
    return size <= DESCRIPTOR_MAX;
}

/* The value of "key=value", without quotes, when the line is of that key. */
static char *value_of(char *line, const char *key)
{
    size_t length = strlen(key);
    if (strncasecmp(line, key, length) != 0)
        return NULL;
    line += length + strspn(line + length, " \t");
    if (*line != '=')
        return NULL;
    line += 1 + strspn(line + 1, " \t\"");
    line[strcspn(line, "\"")] = '\0';
    return line;
}

/* RW 8192 SPARSE "disk-s001.vmdk" */
static bool is_extent(const char *line)
{
    const char *quote = strchr(line, '"'), *equals = strchr(line, '=');
    return *line != '#' && quote != NULL && (equals == NULL || equals > quote);
}

/* Raw disks and partitions as extents name devices of the machine that the image came from. */
static bool is_device_kind(const char *kind)
{
    return strcasecmp(kind, "fullDevice") == 0 || strcasecmp(kind, "partitionedDevice") == 0 ||
           strncasecmp(kind, "vmfsRaw", 7) == 0 || strncasecmp(kind, "vmfsPassthrough", 15) == 0;
}

/* An extent names a file in the folder of the image, and in an image with an embedded descriptor the image
 * itself. */
static int check_extent(struct image *image, char *line, const char *base, bool *renamed, struct why *why)
{
    char shown[SHOWN_SIZE];
    char *name = strchr(line, '"');
    name++;
    name[strcspn(name, "\"")] = '\0';
    if (*name == '\0' || strpbrk(name, "/\\") != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return why_set(why, -ENOTSUP, "%s: its descriptor names a file elsewhere: %s", image->name,
                       image_shown(name, 60, shown));
    if (strcmp(name, base) != 0)
        *renamed = true;
    return 0;
}

static int check_line(struct image *image, char *line, const char *base, bool *renamed, struct why *why)
{
    char shown[SHOWN_SIZE];
    const char *parent = value_of(line, "parentCID"), *kind = value_of(line, "createType");
    if (parent != NULL && strncasecmp(parent, "ffffffff", 8) != 0)
        return why_set(why, -ENOTSUP, "%s: differencing image: its parent is needed", image->name);
    if (kind != NULL && is_device_kind(kind))
        return why_set(why, -ENOTSUP, "%s: describes a device, not files: %s", image->name,
                       image_shown(kind, 40, shown));
    if (kind != NULL)
        image_add_detail(image, "VMDK, %s", image_shown(kind, 40, shown));
    return is_extent(line) ? check_extent(image, line, base, renamed, why) : 0;
}

int image_check_vmdk(struct image *image, int fd, uint64_t file_size, const char *path, bool *ret_renamed,
                     struct why *why)
{
    bool renamed = false;
    struct descriptor descriptor = {0};
    int status = read_descriptor(image, fd, file_size, &descriptor, why);
    if (status < 0)
        return status;
    if (!is_plain_text(descriptor.text, descriptor.size)) {
        free(descriptor.text);
        return why_set(why, -EINVAL, "%s: its VMDK descriptor is not plain text", image->name);
    }
    char *real = realpath(path, NULL); /* libvmdk is given this */
    const char *base = real == NULL ? path : real;
    base = strrchr(base, '/') == NULL ? base : strrchr(base, '/') + 1;
    char *rest = descriptor.text;
    for (char *line; status == 0 && (line = strsep(&rest, "\r\n")) != NULL;) {
        line += strspn(line, " \t");
        status = check_line(image, line, base, &renamed, why);
    }
    free(real);
    free(descriptor.text);
    if (status == 0)
        *ret_renamed = renamed && descriptor.embedded;
    return status;
}
