/*
 * seal: a signed statement of what a case is at one moment: seals/NNNN.json (one line of JSON, keys sorted)
 * over the bytes of the ledger until then and over a manifest of every other file of the case, with a
 * detached CMS signature and, if wanted, a time stamp over the signature. A case goes on after a seal; the
 * next one covers more, and the one before.
 *
 *   NNNN.json      what is sealed: v, seal, case, time, ledger_bytes, ledger_records, ledger_sha256 (of the
 * first ledger_bytes bytes), chain_head, manifest_sha256, findings (their digest), prev_seal_sha256 (of the
 *                  file before, 64 zeros for the first), custody_gaps, signer, signer_sha256, kvali, commit
 *   NNNN.manifest  a line "SHA-256  path" for each file, as sha256sum -c reads it
 *   NNNN.crl       revocation lists (PEM) as they were then, when there were any
 *   NNNN.p7s       the signature over NNNN.json   NNNN.tsq, .tsr  time stamp request, and answer over
 * NNNN.p7s NNNN.sql       prints the findings' lines     NNNN.pem        the signer's certificate and those
 * above it
 *
 * Not in a manifest: the ledger (covered by itself), `lock`, SQLite's case.db-wal and -shm, the seal's own
 * files. The database is closed before its bytes are hashed, and stays as it is until something writes the
 * case again.
 */
#ifndef KVALI_CASES_SEAL_H
#define KVALI_CASES_SEAL_H

#include "cases/casefile.h"
#include "cases/sign.h"

enum { SEAL_VERSION = 1, SEALS_MAX = 9999 };
#define SEALS_FOLDER "seals"
#define VERIFY_TXT   "VERIFY.txt"

struct seal_written {
    uint32_t number;
    uint64_t records; /* of the ledger that it covers */
    size_t files;
    char sha256[SHA256_HEX_SIZE]; /* of NNNN.json: what goes on paper */
    struct sign_who who;
    bool stamped;
};

struct seal_options {
    struct sign_key *key;
    uint64_t gaps;   /* what `custody check` found, written into the seal */
    const char *crl; /* PEM file of revocation lists that the seal is to keep, NULL for none */
    const char *tsa; /* http:// of a time stamp authority, NULL for none */
    int64_t now;
};

/* Seals a case that is open for writing. Its database is closed then: only casefile_close may follow. When
 * the time stamp authority does not answer, the seal stands without a stamp, ret_written->stamped is false,
 * and `why` says why. -EBUSY: somebody else reads the database at this moment. */
int seal_write(struct casefile *cf, const struct seal_options *options, struct seal_written *ret_written,
               struct why *why);

/* Takes the answer to seals/NNNN.tsq that came later. The case is open with CASEFILE_LEDGER. -EKEYREJECTED:
 * it does not answer it; -EEXIST: there is one. */
int seal_stamp(struct casefile *cf, uint32_t number, const void *answer, size_t size, const char *ca,
               struct stamp_facts *ret_facts, struct why *why);

/* How many seals a case has: NNNN.json from 0001 on, without a gap. */
uint32_t seal_count(const char *folder);

/* ------------------------------------------------------------------ reading */

struct seal {
    uint32_t number;
    uint64_t ledger_bytes, ledger_records;
    char ledger_sha256[SHA256_HEX_SIZE], chain_head[SHA256_HEX_SIZE], manifest_sha256[SHA256_HEX_SIZE],
        findings[SHA256_HEX_SIZE], prev[SHA256_HEX_SIZE], signer_sha256[SHA256_HEX_SIZE];
    char sha256[SHA256_HEX_SIZE]; /* of the file itself */
    char time[40], signer[256];
};
/* -ENOENT; -EUCLEAN: not a seal. Its signature is not looked at. */
int seal_read(const char *folder, uint32_t number, struct seal *ret_seal, struct why *why);

/* "FOLDER/seals/0001.json"; -ENAMETOOLONG. */
int seal_path(const char *folder, uint32_t number, const char *ending, char *ret, size_t size);

/* The files of a case that a manifest lists, sorted bytewise by path. */
struct manifest {
    struct manifest_file {
        char *path;
        char sha256[SHA256_HEX_SIZE];
    } * files;
    size_t count;
};
/* Of the folder as it is, without the files of seal `number` that do not exist before it is signed. -ELOOP: a
 * link. */
int manifest_make(const char *folder, uint32_t number, struct manifest *ret_manifest, struct why *why);
int manifest_read(const char *folder, uint32_t number, struct manifest *ret_manifest, struct why *why);
const struct manifest_file *manifest_find(const struct manifest *manifest, const char *path);
void manifest_finish(struct manifest *manifest);

/* A whole file; -EFBIG above `most`. */
int file_read(const char *path, size_t most, struct buf *ret, struct why *why);
/* A new file or one that replaces it at once, on disk when it returns 0. */
int file_write(const char *path, const void *data, size_t size, struct why *why);

#endif
