/*
 * apfs_lock: what an encrypted volume of APFS is locked with, and the way from a password or a recovery key
 * to the volume's own key (Apple File System Reference, "Encryption").
 *
 * The container's key bag has the volume's key, wrapped, and says where the volume's key bag is; that one has
 * a record for each way to open it: the key that wraps the volume's key, wrapped with what is derived from a
 * password. Debian's libtsk is built without a crypto library and opens none of this; libfsapfs 20201107
 * fails at OpenSSL 3.
 */
#ifndef KVALI_EVIDENCE_APFS_LOCK_H
#define KVALI_EVIDENCE_APFS_LOCK_H

#include "engine/evidence/layer/layer.h"

enum {
    APFS_BLOCK = 4096,  /* the only size of blocks that libtsk 4.11.1 reads */
    APFS_SECTOR = 512,  /* what is encrypted as one piece */
    APFS_KEY_SIZE = 32, /* two keys of AES-128-XTS */
    APFS_RECORDS_MAX = 64,
    APFS_WRAPPED_MAX = 40,
    APFS_WORDS_SIZE = 256,
};

#define APFS_MANY ", not marked as of one key for all"

struct apfs_record {
    uint8_t salt[16], wrapped[APFS_WRAPPED_MAX];
    uint32_t rounds;
    uint8_t size;  /* of the key that is wrapped: 16 or 32 */
    bool recovery; /* opened with the owner's recovery key */
};

struct apfs_lock {
    char uuid[37];               /* the volume's */
    char words[APFS_WORDS_SIZE]; /* what it is, with the hint of its password: escaped */
    bool many;                   /* files may have keys of their own, which are not used (APFS_MANY) */
    bool hardware;               /* the container says that a machine encrypts */
    uint8_t wrapped[APFS_WRAPPED_MAX], id[16];
    uint8_t size; /* 16: the volume comes from CoreStorage */
    size_t count;
    struct apfs_record records[APFS_RECORDS_MAX];
};

/* `container` begins at the container's first byte, `volume` is the block of the volume's superblock.
 * `ret_lock` has uuid and words also on failure, or "". -ENOTSUP: its keys are in a machine; -EINVAL:
 * damaged. */
int apfs_lock_read(const struct reader *container, uint64_t volume, struct apfs_lock *ret_lock,
                   struct why *why);

/* The volume's key. A master key is taken as it is: only what it decrypts tells whether it fits. `alive` is
 * called before each derivation. -ENOKEY: not with this one; `why` is set when a record was left out, for it
 * asks for more computing than is done. */
int apfs_lock_open(const struct apfs_lock *lock, const struct key *key, void (*alive)(void *context),
                   void *context, uint8_t ret_key[APFS_KEY_SIZE], struct why *why);

/* The checksum of an object (Fletcher-64), which its first 8 bytes are. `size` is a multiple of 8. */
bool apfs_sums(const uint8_t *object, size_t size);

#endif
