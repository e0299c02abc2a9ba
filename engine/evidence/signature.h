/*
 * signature: names what lies in a volume whose file system is not read: encryption, file systems that libtsk
 * does not know, swap, parts of volume managers and RAIDs; or nothing but zeros.
 */
#ifndef KVALI_EVIDENCE_SIGNATURE_H
#define KVALI_EVIDENCE_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum signature_class {
    SIGNATURE_ENCRYPTED,   /* locked */
    SIGNATURE_UNSUPPORTED, /* a file system or volume manager that is not read */
    SIGNATURE_READABLE,    /* a file system that libtsk reads: it is damaged when it did not open */
    SIGNATURE_DATA,        /* swap, hibernation: raw bytes are all there is */
    SIGNATURE_ZEROS,       /* every sampled byte is zero */
    SIGNATURE_RANDOM, /* sampled bytes are spread as evenly as encrypted ones: VeraCrypt, or a wiped disk */
    SIGNATURE_UNKNOWN,
};

struct signature {
    const char *content; /* "encrypted: LUKS2", "unsupported: XFS", "swap", "zeros", "unknown"; READABLE:
                            "ntfs" ... */
    enum signature_class class;
};

/* Fills `size` bytes at `offset` of the volume; what cannot be read is zeros. */
typedef void signature_read(void *context, uint64_t offset, void *data, size_t size);

/* Looks at a volume of `size` bytes through `read`. Never NULL; static. The first row of the table that fits
 * wins, and the stronger signatures stand first. */
const struct signature *signature_find(uint64_t size, signature_read *read, void *context);

/* Only the rows of class SIGNATURE_ENCRYPTED; NULL when none fits: for a volume with a file system in front
 * of the encrypted data (BitLocker To Go shows a small FAT32). */
const struct signature *signature_find_encrypted(uint64_t size, signature_read *read, void *context);

#endif
