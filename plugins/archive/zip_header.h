/*
 * zip_header: the structures of a ZIP archive, read into one description of a member. [APPNOTE.TXT 6.3.10;
 * extra fields of Info-ZIP: proginfo/extrafld.txt; WinZip AES: AE-2 specification]
 */
#ifndef KVALI_ARCHIVE_ZIP_HEADER_H
#define KVALI_ARCHIVE_ZIP_HEADER_H

#include "plugins/archive/member.h"

enum {
    ZIP_LOCAL = 30,
    ZIP_CENTRAL = 46,
    ZIP_NAME_MAX = 65535,
    ZIP_ENCRYPTED = 1,
    ZIP_DESCRIPTOR = 8, /* sizes and CRC stand behind the data */
    ZIP_STRONG = 64,
    ZIP_UTF8 = 2048,
    ZIP_MASKED = 8192, /* what the local header says is hidden */
};

struct zip_entry {
    uint16_t flags, method, real_method; /* real: inside of AES */
    uint32_t crc, disk;
    uint64_t packed, size; /* UINT64_MAX: only the data's end tells */
    uint64_t header;       /* of the local header, as the directory says */
    uint8_t host;          /* that it was made on; 0 DOS, 3 Unix, 10 NTFS; 255: not said */
    size_t name_size, extra_size, comment_size;
    /* From extra fields. */
    int64_t modified, accessed, born;
    bool utc, owned;
    uint32_t mode;
    uint64_t uid, gid;
    unsigned aes_bits;
    uint16_t strong; /* algorithm of strong encryption; 0: not said */
    const uint8_t *unicode;
    size_t unicode_size;
};

/* The fixed part; false when the signature is another. */
bool zip_central(const uint8_t data[ZIP_CENTRAL], struct zip_entry *ret);
bool zip_local(const uint8_t data[ZIP_LOCAL], struct zip_entry *ret);
/* Takes the extra fields over into the entry: what they say counts more. */
void zip_extra(struct zip_entry *entry, const uint8_t *data, size_t size, bool central);

/* In words. */
const char *zip_method(uint16_t method);
const char *zip_encryption(const struct zip_entry *entry);
/* Can it be unpacked? */
bool zip_can_unpack(uint16_t method);

/* A local header as libarchive reads it, for one member whose packed bytes follow: its size. */
enum { ZIP_MADE_MAX = 64 };
size_t zip_make_local(const struct zip_entry *entry, uint8_t ret[ZIP_MADE_MAX]);

#endif
