/*
 * image_detect: which container a file is, by its first and last bytes.
 *
 * Signatures: EWF: libewf, "Expert Witness Compression Format" 2.2; EWF2: "EWF version 2" 2.1; AFF: afflib.h;
 * AFF4: a zip file that is named .aff4; VMDK: "Virtual Disk Format 5.0", 4.1; VHD: "Virtual Hard Disk Image
 * Format Specification" 1.0, hard disk footer; VHDX: [MS-VHDX] 2.2.1; QCOW: qemu docs/interop/qcow2.txt;
 * UDIF: the "koly" trailer as Apple's tools write it; VDI, Parallels, Ghost and AD1: as file(1) and libyal
 * document them.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EDGE = 512 };

struct signature {
    const char *magic;
    size_t size;
    size_t offset; /* from the start, or from the start of the last 512 bytes */
    bool at_end;
    enum image_type type;
    const char *unsupported;
};

#define MAGIC(text) text, sizeof(text) - 1

static const struct signature signatures[] = {
    {MAGIC("EVF\x09\x0d\x0a\xff\x00"), 0, false, IMAGE_EWF, ""},
    {MAGIC("LVF\x09\x0d\x0a\xff\x00"), 0, false, IMAGE_RAW, "EnCase logical evidence (L01)"},
    {MAGIC("EVF2\x0d\x0a\x81\x00"), 0, false, IMAGE_RAW, "EnCase 7 image (Ex01)"},
    {MAGIC("LEF2\x0d\x0a\x81\x00"), 0, false, IMAGE_RAW, "EnCase 7 logical evidence (Lx01)"},
    {MAGIC("AFF10\r\n\0"), 0, false, IMAGE_AFF, ""},
    {MAGIC("KDMV"), 0, false, IMAGE_VMDK, ""},
    {MAGIC("COWD"), 0, false, IMAGE_VMDK, ""},
    {MAGIC("# Disk DescriptorFile"), 0, false, IMAGE_VMDK, ""},
    {MAGIC("conectix"), 0, false, IMAGE_VHD, ""},
    {MAGIC("conectix"), 0, true, IMAGE_VHD, ""},
    {MAGIC("vhdxfile"), 0, false, IMAGE_VHDX, ""},
    {MAGIC("QFI\xfb"), 0, false, IMAGE_QCOW, ""},
    {MAGIC("QED\0"), 0, false, IMAGE_RAW, "QED"},
    {MAGIC("\x7f\x10\xda\xbe"), 0x40, false, IMAGE_RAW, "VirtualBox VDI"},
    {MAGIC("koly"), 0, true, IMAGE_RAW, "UDIF (dmg)"},
    {MAGIC("encrcdsa"), 0, false, IMAGE_RAW, "encrypted dmg"},
    {MAGIC("WithoutFreeSpace"), 0, false, IMAGE_RAW, "Parallels"},
    {MAGIC("WithouFreSpacExt"), 0, false, IMAGE_RAW, "Parallels"},
    {MAGIC("\xfe\xef"), 0, false, IMAGE_RAW, "Ghost"},
    {MAGIC("ADSEGMENTEDFILE\0"), 0, false, IMAGE_RAW, "AccessData logical image (AD1)"},
    {MAGIC("ADCRYPT\0"), 0, false, IMAGE_RAW, "AccessData encrypted image"},
};

static bool matches(const struct signature *signature, const uint8_t *first, const uint8_t *last, size_t size)
{
    const uint8_t *edge = signature->at_end ? last : first;
    return u64_range_fits(signature->offset, signature->size, size) &&
           memcmp(edge + signature->offset, signature->magic, signature->size) == 0;
}

static bool is_aff4(const char *path, const uint8_t *first, size_t size)
{
    size_t length = strlen(path);
    return length > 5 && strcasecmp(path + length - 5, ".aff4") == 0 && size >= 4 &&
           memcmp(first, "PK\3\4", 4) == 0;
}

static size_t read_edge(int fd, uint8_t edge[EDGE], uint64_t offset)
{
    ssize_t got;
    do
        got = pread(fd, edge, EDGE, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0; /* what cannot be read has no signature */
}

int image_detect(const char *path, enum image_type *ret_type, char ret_unsupported[64], struct why *why)
{
    uint8_t first[EDGE] = {0}, last[EDGE] = {0};
    struct stat info;
    int fd = image_open_file(path, why);
    if (fd < 0)
        return fd;
    size_t size = 0;
    *ret_type = IMAGE_RAW;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        size = read_edge(fd, first, 0);
        if (info.st_size >= EDGE)
            (void)read_edge(fd, last, (uint64_t)info.st_size - EDGE);
    }
    (void)close(fd);
    const char *unsupported = is_aff4(path, first, size) ? "AFF4" : "";
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        if (matches(&signatures[i], first, last, size)) {
            *ret_type = signatures[i].type;
            unsupported = signatures[i].unsupported;
            break;
        }
    }
    (void)snprintf(ret_unsupported, 64, "%s", unsupported);
    return 0;
}
