/*
 * bitlocker: what the files that read BitLocker share: bitlocker_metadata.c (what the volume says of itself),
 * bitlocker_eow.c (which of its chunks are encrypted), bitlocker_key.c (its keys), layer_bitlocker.c (its
 * bytes).
 *
 * Format: J. Metz, "BitLocker Drive Encryption (BDE) format specification" (libyal); the names and the fields
 * that it does not know, as encrypt-on-write, are those of Fox-IT's dissect.fve. Numbers are little-endian.
 */
#ifndef KVALI_EVIDENCE_LAYER_BITLOCKER_H
#define KVALI_EVIDENCE_LAYER_BITLOCKER_H

#include "engine/base/bytes.h"
#include "engine/evidence/layer/layer.h"

enum {
    BITLOCKER_KEY_MAX = 64,
    BITLOCKER_COPIES = 3,
    BITLOCKER_REGIONS_MAX = 1024,
    BITLOCKER_VISTA_PLAIN = 0x2000, /* bytes at the start of Vista's volumes that are never encrypted */
};

enum bitlocker_state {
    BITLOCKER_DECRYPTED = 1, /* only the metadata are left */
    BITLOCKER_DIRTY = 2,     /* being converted, and some of it is in a log */
};

enum bitlocker_method {
    BITLOCKER_AES_128_DIFFUSER = 0x8000,
    BITLOCKER_AES_256_DIFFUSER,
    BITLOCKER_AES_128,
    BITLOCKER_AES_256,
    BITLOCKER_XTS_128,
    BITLOCKER_XTS_256,
};

/* Bytes of the volume that are its own bookkeeping: Windows shows zeros there. */
struct bitlocker_region {
    uint64_t offset, size;
};

/* Encrypt-on-write: the volume in parts, each with a bit for every chunk: encrypted, or still plain. */
struct bitlocker_map {
    uint64_t offset, size; /* of the part in the volume */
    uint8_t *bits;         /* owned */
    uint64_t count;
};

struct bitlocker {
    unsigned version; /* 1: Vista; 2: since Windows 7 */
    uint16_t state, method;
    uint32_t sector_size, cluster_size;
    uint64_t encrypted;          /* so many bytes from the start; what follows is plain (not with maps) */
    uint64_t moved;              /* version 2: where the first moved_size bytes are */
    uint64_t moved_size;         /* 0 in version 1 */
    uint64_t mirror;             /* version 1: the cluster of NTFS's second MFT */
    struct bitlocker_region log; /* when dirty */
    uint8_t id[16];              /* the volume's identifier */
    uint8_t *entries;            /* owned; a list of entries */
    size_t entries_size;
    struct bitlocker_region regions[BITLOCKER_REGIONS_MAX]; /* in order */
    size_t region_count;
    uint32_t chunk_size;        /* with maps */
    struct bitlocker_map *maps; /* in order; owned; NULL: no encrypt-on-write */
    size_t map_count;
    bool damaged; /* no copy of the metadata has its checksum: it may be anything */
};

/* An entry of the metadata; entries have entries inside. */
struct bitlocker_entry {
    uint16_t role, type;
    const uint8_t *data; /* borrowed */
    size_t size;
};
enum { /* roles */
       BITLOCKER_ROLE_MASTER_KEY = 2,
       BITLOCKER_ROLE_VOLUME_KEY = 3,
};
enum { /* types */
       BITLOCKER_TYPE_KEY = 1,
       BITLOCKER_TYPE_STRETCH = 3,
       BITLOCKER_TYPE_CCM = 5,
       BITLOCKER_TYPE_MASTER_KEY = 8,
       BITLOCKER_TYPE_EXTERNAL = 9,
};
/* The next one; false: there is none, or what follows is damaged. */
bool bitlocker_next(struct bytes *list, struct bitlocker_entry *ret_entry);
/* The list in a set of entries with its header, as metadata and startup keys have it: false when it is none.
 */
bool bitlocker_set(struct bytes *data, struct bytes *ret_list, uint8_t ret_id[16], uint16_t *ret_method);

/* Reads what the volume says of itself. -EINVAL, -ENOTSUP, -EIO, -ENOMEM; `why` says. To be freed whatever it
 * returns. */
int bitlocker_parse(const struct reader *reader, struct bitlocker *ret, struct why *why);
void bitlocker_free(struct bitlocker *bitlocker);
/* Adds whole sectors to the regions, in order. -E2BIG. */
int bitlocker_region_add(struct bitlocker *bitlocker, uint64_t offset, uint64_t size);

/* Reads the maps of encrypt-on-write, by one of their two descriptions. */
int bitlocker_eow_parse(const struct reader *reader, const uint64_t offsets[2], struct bitlocker *bitlocker,
                        struct why *why);
/* Whether the byte at `offset` is encrypted, and for how many bytes from there on that holds. */
bool bitlocker_eow_find(const struct bitlocker *bitlocker, uint64_t offset, uint64_t *ret_size);
/* True when all is encrypted (but for what less than eight chunks have at the end of a map). */
bool bitlocker_eow_whole(const struct bitlocker *bitlocker);

/* The volume's key by the key given; NULL: the one that a suspended volume has in clear. -ENOKEY: it does not
 * open it; -ENOMEM. A KEY_MASTER is taken unseen: what it decrypts tells whether it is right. */
int bitlocker_unlock(const struct bitlocker *bitlocker, const struct layer_base *base, const struct key *key,
                     uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size);
/* Appends what opens the volume: "password, recovery key 4C2F..., TPM". */
struct buf;
void bitlocker_describe_keys(const struct bitlocker *bitlocker, struct buf *buf);

#endif
