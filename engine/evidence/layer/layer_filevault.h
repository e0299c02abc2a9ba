/*
 * layer_filevault: what the files that read FileVault 2 share: corestorage.c (what a volume says of itself),
 * filevault_keys.c (the volume's key out of a password) and layer_filevault.c (libfvde).
 *
 * Format: libyal/libfvde documentation, "FileVault Drive Encryption (FVDE)".
 */
#ifndef KVALI_EVIDENCE_LAYER_LAYER_FILEVAULT_H
#define KVALI_EVIDENCE_LAYER_LAYER_FILEVAULT_H

#include "engine/evidence/layer/layer.h"

enum {
    FILEVAULT_KEY_SIZE = 16,
    FILEVAULT_UUID_SIZE = 37,
    FILEVAULT_STATUS_SIZE = 24,
    FILEVAULT_PLIST_MAX = 1 << 20
};

/* A plist in XML with a NUL behind it; data is NULL when there is none. Owned. */
struct filevault_plist {
    char *data;
    size_t size;
};

/* A physical volume, and the group that it belongs to. */
struct corestorage {
    uint8_t key[FILEVAULT_KEY_SIZE * 2]; /* of its metadata: key, and tweak key: the volume's identifier */
    char uuid[FILEVAULT_UUID_SIZE];      /* the physical volume's, in capitals */
    uint64_t metadata, size;             /* of the encrypted metadata, bytes in the volume */
    uint32_t disks, volumes, pieces;     /* physical volumes, logical volumes, extents (2: or more) */
    struct filevault_plist keys;         /* of the newest description of the encryption in it */
    char status[FILEVAULT_STATUS_SIZE];  /* "Complete", "NoConversion", "Converting" ...; "" when it is not
                                            told */
};

/* True when a volume or file begins like this. */
bool corestorage_is(const uint8_t *first, size_t size);
/* Fills *ret_storage, which corestorage_finish frees. -EINVAL: damaged; -ENOTSUP; -ENOMEM; `why` says. */
int corestorage_read(const struct reader *reader, struct corestorage *ret_storage, struct why *why);
void corestorage_finish(struct corestorage *storage);

/* The plist in a key file, EncryptedRoot.plist.wipekey of that volume. -EINVAL: it is none; -ENOMEM. */
int filevault_root(const struct corestorage *storage, const struct key *file,
                   struct filevault_plist *ret_plist);
/* True when a plist names somebody who can open the volume. *ret_costly: the key of one of them asks for more
 * computing than is done. */
bool filevault_has_users(const struct filevault_plist *plist, bool *ret_costly);
/* The volume's key from a password or recovery key. -ENOKEY: it opens none of the plist's keys. */
int filevault_unlock(const struct filevault_plist *plist, const struct key *secret,
                     const struct layer_base *base, uint8_t ret_key[FILEVAULT_KEY_SIZE]);
void filevault_plist_finish(struct filevault_plist *plist);

void layer_filevault_warm(void);

#endif
