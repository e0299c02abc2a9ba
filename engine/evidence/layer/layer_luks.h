/*
 * layer_luks: what the files that read LUKS share: layer_luks.c (keys and sectors), luks1.c and luks2.c (the
 * headers).
 *
 * Formats: "LUKS1 On-Disk Format Specification" 1.2.3 and "LUKS2 On-Disk Format Specification" 1.1.0, of the
 * cryptsetup project.
 */
#ifndef KVALI_EVIDENCE_LAYER_LUKS_H
#define KVALI_EVIDENCE_LAYER_LUKS_H

#include "engine/evidence/layer/layer.h"

enum { LUKS_KEY_MAX = 128, LUKS_SALT_MAX = 256, LUKS_SLOTS_MAX = 32, LUKS_STRIPES_MAX = 8192, LUKS_UUID_SIZE = 37 };
/* More than any computer of the day needs seconds for: a header that asks for more is hostile. */
#define LUKS_ROUNDS_MAX UINT32_C(100000000)
#define LUKS_ARGON_MAX  (UINT64_C(1) << 27) /* KiB times passes */

struct luks_kdf {
    char type[16]; /* "pbkdf2", "argon2i", "argon2id" */
    char hash[32];
    uint8_t salt[LUKS_SALT_MAX];
    size_t salt_size;
    uint32_t rounds, memory, lanes; /* argon2: rounds are its time, memory in KiB */
};

/* A key slot: the volume key, split into stripes and encrypted with what a passphrase gives. */
struct luks_slot {
    uint32_t number;
    struct luks_kdf kdf;
    char cipher[32], mode[32];
    size_t area_key_size, key_size;
    uint64_t offset; /* of the stripes in the volume, bytes */
    uint32_t stripes;
    char hash[32];   /* of the stripes */
    uint32_t digest; /* index in luks.digests */
};

struct luks_digest {
    struct luks_kdf kdf;
    uint8_t digest[64];
    size_t size;
};

struct luks {
    unsigned version;
    char uuid[LUKS_UUID_SIZE];
    char cipher[32], mode[32];
    uint64_t offset, size; /* of what is encrypted, bytes; size 0: to the end */
    uint64_t tweak;        /* number of its first sector, of 512 bytes */
    uint32_t sector_size;
    size_t key_size; /* 0: as the slots say */
    struct luks_slot slots[LUKS_SLOTS_MAX];
    size_t slot_count;
    struct luks_digest digests[LUKS_SLOTS_MAX];
    size_t digest_count;
    uint32_t digest; /* of the key of what is encrypted */
};

/* Fill *ret_luks from the header. -EINVAL, -ENOTSUP, -ENOMEM; `why` says. */
int luks1_parse(const struct reader *reader, struct luks *ret_luks, struct why *why);
int luks2_parse(const struct reader *reader, struct luks *ret_luks, struct why *why);
/* "aes-xts-plain64" as "aes" and "xts-plain64". False: not of that form, or too long. */
bool luks_split_cipher(const char *text, char cipher[32], char mode[32]);
/* The UUID in a header's field of 40 bytes as it stands there; "damaged" when it has other characters than a UUID has. */
void luks_uuid(const uint8_t *field, char ret[LUKS_UUID_SIZE]);
void luks2_warm(void);

#endif
