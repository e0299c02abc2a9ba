/*
 * key: what an investigator gives to open encrypted volumes with. It lives in memory only; of a key that was
 * used the case gets key_digest, which tells it from others and does not give it away.
 */
#ifndef KVALI_EVIDENCE_KEY_H
#define KVALI_EVIDENCE_KEY_H

#include <stddef.h>
#include <stdint.h>

enum key_kind {
    KEY_PASSWORD, /* bytes as typed, UTF-8 */
    KEY_RECOVERY, /* groups with '-' between; BitLocker: 8 of 6 digits, FileVault: 6 of 4 capitals and digits */
    KEY_FILE,     /* its bytes: LUKS key file, BitLocker .BEK, FileVault's EncryptedRoot.plist.wipekey */
    KEY_MASTER,   /* the volume's own key, binary */
    KEY_KINDS,
};
const char *key_kind_name(enum key_kind kind); /* "password", "recovery key", "key file", "master key" */

enum { KEYS_MAX = 256, KEY_SIZE_MAX = 1 << 20, KEY_DIGEST_SIZE = 33 };

struct key {
    enum key_kind kind;
    uint8_t *data; /* owned by the set; a NUL stands behind it */
    size_t size;
};

/* In the order in which they are tried. All zero is an empty set. */
struct keys {
    struct key items[KEYS_MAX];
    size_t count;
};
/* Copies the key into memory that is in no core dump. -E2BIG, -ENOMEM. */
int keys_add(struct keys *keys, enum key_kind kind, const void *data, size_t size);
/* Wipes all. */
void keys_finish(struct keys *keys);

/* The passwords among them by number, from 0. NULL: there are no more. */
const struct key *keys_password(const struct keys *keys, size_t number);

/* PBKDF2-HMAC-SHA256 of the key with `salt` (the volume's UUID as text), 200,000 times, the first 16 bytes in
 * hex: slow to guess a password by, and the same in every case. */
void key_digest(const struct key *key, const char *salt, char ret[KEY_DIGEST_SIZE]);

#endif
