/*
 * seal_check: see seal_check.h. Reads only.
 */
#include "cases/seal_check.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, SMALL_FILE_MAX = 1 << 20 };
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

void seals_finish(struct seals *seals)
{
    trouble_finish(&seals->chain);
    trouble_finish(&seals->signatures);
    trouble_finish(&seals->manifest);
    buf_finish(&seals->signers);
    buf_finish(&seals->remarks);
}

/* ------------------------------------------------------------------ the chain of seals */

/* The highest number that any file in seals/ has. */
static uint32_t highest(const char *folder)
{
    char path[PATH_SIZE];
    uint32_t most = 0;
    if (snprintf(path, sizeof path, "%s/" SEALS_FOLDER, folder) >= PATH_SIZE)
        return 0;
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        if (strspn(entry->d_name, "0123456789") == 4 && strcmp(entry->d_name + 4, ".json") == 0) {
            uint32_t number = (uint32_t)strtoul(entry->d_name, NULL, 10);
            most = number > most ? number : most;
        }
    if (directory)
        closedir(directory);
    return most;
}

/* SHA-256 and number of lines of the first `size` bytes; false when there are fewer. */
static bool hash_first(const char *path, uint64_t size, char ret_sha256[SHA256_HEX_SIZE], uint64_t *ret_lines)
{
    char block[65536];
    uint8_t digest[SHA256_SIZE];
    FILE *file = fopen(path, "rbe");
    struct hash_sha256 *hash = hash_sha256_new();
    uint64_t rest = size, lines = 0;
    while (file && hash && rest) {
        size_t got = fread(block, 1, rest < sizeof block ? (size_t)rest : sizeof block, file);
        if (got == 0)
            break;
        for (size_t i = 0; i < got; i++)
            lines += block[i] == '\n';
        hash_sha256_update(hash, block, got);
        rest -= got;
    }
    bool good = file && hash && rest == 0;
    if (good) {
        struct buf hex = {0};
        hash_sha256_final(hash, digest);
        text_hex(&hex, digest, sizeof digest);
        snprintf(ret_sha256, SHA256_HEX_SIZE, "%s", buf_cstr(&hex));
        buf_finish(&hex);
        *ret_lines = lines;
    }
    if (file)
        fclose(file);
    hash_sha256_free(hash);
    return good;
}

static void check_ledger(const char *folder, const struct seal *seal, struct seals *seals)
{
    char path[PATH_SIZE], sha256[SHA256_HEX_SIZE];
    uint64_t lines = 0;
    if (snprintf(path, sizeof path, "%s/ledger.jsonl", folder) >= PATH_SIZE)
        return;
    if (!hash_first(path, seal->ledger_bytes, sha256, &lines))
        trouble_add(&seals->chain,
                    "seal %u covers the ledger's first %llu bytes (records 1 to %llu), and the ledger is "
                    "shorter: it was cut",
                    seal->number, (unsigned long long)seal->ledger_bytes,
                    (unsigned long long)seal->ledger_records);
    else if (strcmp(sha256, seal->ledger_sha256) != 0 || lines != seal->ledger_records)
        trouble_add(&seals->chain,
                    "seal %u: the ledger's records 1 to %llu are not those that were sealed at %s",
                    seal->number, (unsigned long long)seal->ledger_records, seal->time);
}

static void check_one(const char *folder, uint32_t number, char before[SHA256_HEX_SIZE], struct seals *seals)
{
    struct seal seal;
    struct why why = {{0}};
    if (seal_read(folder, number, &seal, &why)) {
        trouble_add(&seals->chain, "seal %u: %s", number, why.text);
        before[0] = 0;
        return;
    }
    if (before[0] && strcmp(seal.prev, before) != 0)
        trouble_add(&seals->chain,
                    "seal %u follows another seal %u than the one that is there: that one was changed",
                    number, number - 1);
    if (seal.ledger_records < seals->covered)
        trouble_add(&seals->chain, "seal %u covers fewer records than the one before", number);
    check_ledger(folder, &seal, seals);
    snprintf(before, SHA256_HEX_SIZE, "%s", seal.sha256);
    seals->covered = seal.ledger_records;
    seals->newest = seal;
}

void seals_check_chain(const char *folder, struct seals *seals)
{
    char before[SHA256_HEX_SIZE] = ZEROS;
    seals->count = seal_count(folder);
    uint32_t most = highest(folder);
    if (most > seals->count)
        trouble_add(&seals->chain, "seal %u is there, and seal %u is missing", most, seals->count + 1);
    for (uint32_t number = 1; number <= seals->count; number++)
        check_one(folder, number, before, seals);
    if (seals->newest.number != seals->count)
        seals->newest =
            (struct seal){0}; /* the last one cannot be read: none of what it covers can be told */
}

/* ------------------------------------------------------------------ signatures and time stamps */

struct seal_files {
    struct buf text, signature, request, stamp;
};

static int read_file(const char *folder, uint32_t number, const char *ending, bool must, struct buf *ret,
                     struct why *why)
{
    char path[PATH_SIZE];
    int code = seal_path(folder, number, ending, path, sizeof path);
    if (code)
        return why_set(why, code, "%s: the path is too long", folder);
    code = file_read(path, SMALL_FILE_MAX, ret, why);
    return code == -ENOENT && !must ? 0 : code;
}

static int read_files(const char *folder, uint32_t number, struct seal_files *ret, struct why *why)
{
    int code = read_file(folder, number, "json", true, &ret->text, why);
    if (code == 0)
        code = read_file(folder, number, "p7s", true, &ret->signature, why);
    if (code == 0)
        code = read_file(folder, number, "tsq", false, &ret->request, why);
    if (code == 0)
        code = read_file(folder, number, "tsr", false, &ret->stamp, why);
    return code;
}

static void say_signer(struct seals *seals, uint32_t number, const struct seal_trust *trust,
                       const struct sign_who *who, const struct stamp_facts *stamp)
{
    char time[WHEN_TEXT_SIZE];
    buf_printf(&seals->signers, "%sseal %u: signed by %s (%s, certificate SHA-256 %s%s)",
               seals->signers.size ? "\n" : "", number, who->subject, who->algorithm, who->sha256,
               trust->ca ? "" : "; whether it is theirs was not judged: give --ca");
    if (stamp->time != WHEN_NONE)
        buf_printf(&seals->signers, ", stamped %s by %s%s", when_format(stamp->time, time), stamp->authority,
                   trust->tsa ? "" : " (not judged: give --tsa-ca)");
    else
        buf_text(&seals->signers, ", no time stamp");
}

/* The seal says when it was made; a certificate that was not valid then did not sign it in good order, whoever is trusted. */
static int check_validity(const struct seal *seal, const struct sign_who *who, int64_t *ret_made, struct why *why)
{
    char day[WHEN_TEXT_SIZE];
    int64_t made;
    if (!when_parse(seal->time, &made))
        return why_set(why, -EUCLEAN, "its time is none: %s", seal->time);
    if (who->not_before != WHEN_NONE && made < who->not_before)
        return why_set(why, -EKEYREJECTED, "it was made on %s; the signer's certificate was not valid before %s", seal->time,
                       when_format(who->not_before, day));
    if (who->not_after != WHEN_NONE && made > who->not_after)
        return why_set(why, -EKEYREJECTED, "it was made on %s; the signer's certificate had expired on %s", seal->time,
                       when_format(who->not_after, day));
    *ret_made = made;
    return 0;
}

/* By the lists that were given, and by all that seals keep: a later one knows more of an older signature. */
static int check_revocation(const char *folder, const struct seal_files *files, const struct seal_trust *trust, int64_t at,
                            int64_t made, uint32_t number, struct seals *seals, struct why *why)
{
    char path[PATH_SIZE];
    struct stat st;
    bool known = false, any = trust->crl != NULL;
    const struct buf *signature = &files->signature;
    int code = trust->ca && trust->crl ? sign_revoked(signature->data, signature->size, trust->crl, trust->ca, at, made, &known, why) : 0;
    for (uint32_t i = 1; trust->ca && code == 0 && i <= seals->count; i++) {
        bool here = false;
        if (seal_path(folder, i, "crl", path, sizeof path) || lstat(path, &st))
            continue;
        any = true;
        code = sign_revoked(signature->data, signature->size, path, trust->ca, at, made, &here, why);
        known = known || here;
    }
    if (trust->ca && code == 0 && any && !known)
        buf_printf(&seals->remarks, "%sseal %u: there is no revocation list by the issuer of its signer's certificate that was in date when it was made",
                   seals->remarks.size ? "\n" : "", number);
    return code;
}

/* Another key is no fault: certificates end, examiners change. But nobody should find out by accident. */
static void say_key_change(struct seals *seals, uint32_t number, const struct sign_who *who)
{
    if (*seals->last_signer && strcmp(seals->last_signer, who->sha256) != 0)
        buf_printf(&seals->remarks, "%sseal %u is signed with another certificate than the seal before it: now %s",
                   seals->remarks.size ? "\n" : "", number, who->subject);
    snprintf(seals->last_signer, sizeof seals->last_signer, "%s", who->sha256);
}

static void check_signature(const char *folder, uint32_t number, const struct seal_trust *trust,
                            struct seals *seals)
{
    struct seal_files files = {0};
    struct seal seal;
    struct why why = {{0}};
    struct sign_who who;
    struct stamp_facts stamp = {.time = WHEN_NONE};
    int code = read_files(folder, number, &files, &why);
    if (code == 0 && files.stamp.size)
        code = stamp_check(files.stamp.data, files.stamp.size, files.signature.data, files.signature.size,
                           files.request.size ? files.request.data : NULL, files.request.size, trust->tsa,
                           &stamp, &why);
    int64_t made = WHEN_NONE;
    /* What is not trusted cannot say when it was signed. */
    int64_t at = trust->tsa ? stamp.time : WHEN_NONE;
    if (code == 0)
        code = sign_check(files.text.data, files.text.size, files.signature.data, files.signature.size,
                          trust->ca, at, &who, &why);
    if (code == 0)
        code = seal_read(folder, number, &seal, &why);
    if (code == 0 && strcmp(seal.signer_sha256, who.sha256) != 0)
        code = why_set(&why, -EKEYREJECTED, "it names another signer than the one who signed");
    if (code == 0)
        code = check_validity(&seal, &who, &made, &why);
    if (code == 0)
        code = check_revocation(folder, &files, trust, at, made, number, seals, &why);
    if (code)
        trouble_add(&seals->signatures, "seal %u: %s", number, why.text);
    else {
        say_signer(seals, number, trust, &who, &stamp);
        say_key_change(seals, number, &who);
    }
    buf_finish(&files.text);
    buf_finish(&files.signature);
    buf_finish(&files.request);
    buf_finish(&files.stamp);
}

void seals_check_signatures(const char *folder, const struct seal_trust *trust, struct seals *seals)
{
    for (uint32_t number = 1; number <= seals->count; number++)
        check_signature(folder, number, trust, seals);
}

/* ------------------------------------------------------------------ what the newest covers */

static void check_manifest_hash(const char *folder, uint32_t number, struct seals *seals)
{
    char path[PATH_SIZE], sha256[SHA256_HEX_SIZE];
    struct seal seal;
    if (seal_read(folder, number, &seal, NULL) || seal_path(folder, number, "manifest", path, sizeof path))
        return; /* the chain has told it */
    if (hash_sha256_file(path, sha256))
        trouble_add(&seals->manifest, "seal %u: its manifest cannot be read", number);
    else if (strcmp(sha256, seal.manifest_sha256) != 0)
        trouble_add(&seals->manifest, "seal %u: its manifest is not the one that was sealed", number);
}

/* Nothing that a seal covered may be gone or other in a later one, but for the database, which goes on. */
static void check_older(const char *folder, uint32_t number, const struct manifest *newest,
                        struct seals *seals)
{
    struct manifest older = {0};
    struct why why = {{0}};
    if (manifest_read(folder, number, &older, &why)) {
        trouble_add(&seals->manifest, "seal %u: %s", number, why.text);
        return;
    }
    for (size_t i = 0; i < older.count; i++) {
        const struct manifest_file *later = manifest_find(newest, older.files[i].path);
        if (strcmp(older.files[i].path, "case.db") != 0 &&
            (!later || strcmp(later->sha256, older.files[i].sha256) != 0))
            trouble_add(&seals->manifest, "%s: seal %u covers it, and seal %u %s", older.files[i].path,
                        number, seals->newest.number, later ? "covers another content" : "does not know it");
    }
    manifest_finish(&older);
}

/* case.db alone is what was sealed only while nothing waits in its write-ahead log. */
static void check_log(const char *folder, struct seals *seals)
{
    char path[PATH_SIZE];
    struct stat st;
    if (!seals->went_on && snprintf(path, sizeof path, "%s/case.db-wal", folder) < PATH_SIZE &&
        lstat(path, &st) == 0 && st.st_size > 0)
        trouble_add(&seals->manifest,
                    "case.db-wal: there are changes to the database that came after seal %u, and no record "
                    "of the ledger tells of them",
                    seals->newest.number);
}

static void check_file(const struct manifest_file *file, const struct manifest *now, struct seals *seals)
{
    const struct manifest_file *there = manifest_find(now, file->path);
    if (there && strcmp(there->sha256, file->sha256) == 0)
        return;
    if (there && seals->went_on && strcmp(file->path, "case.db") == 0) {
        buf_printf(&seals->remarks,
                   "%scase.db was written after seal %u: until the next seal its findings are held against "
                   "their digest, and its other bytes against nothing",
                   seals->remarks.size ? "\n" : "", seals->newest.number);
        return;
    }
    trouble_add(&seals->manifest, "%s: %s since seal %u (records 1 to %llu, %s)", file->path,
                there ? "it was changed" : "it is gone", seals->newest.number,
                (unsigned long long)seals->newest.ledger_records, seals->newest.time);
}

static void compare(const struct manifest *sealed, const struct manifest *now, struct seals *seals)
{
    seals->files = sealed->count;
    for (size_t i = 0; i < sealed->count; i++)
        check_file(&sealed->files[i], now, seals);
    for (size_t i = 0; i < now->count; i++)
        seals->uncovered += !manifest_find(sealed, now->files[i].path);
    if (seals->uncovered)
        buf_printf(&seals->remarks, "%s%zu files of the folder came after seal %u, which does not cover them",
                   seals->remarks.size ? "\n" : "", seals->uncovered, seals->newest.number);
}

void seals_check_manifest(const char *folder, struct seals *seals)
{
    struct manifest sealed = {0}, now = {0};
    struct why why = {{0}};
    for (uint32_t number = 1; number <= seals->count; number++)
        check_manifest_hash(folder, number, seals);
    if (seals->newest.number == 0) {
        if (seals->count)
            trouble_add(&seals->manifest, "the newest seal cannot be read: what it covers cannot be told");
        return;
    }
    if (manifest_read(folder, seals->newest.number, &sealed, &why) ||
        manifest_make(folder, seals->newest.number, &now, &why))
        trouble_add(&seals->manifest, "%s", why.text);
    else
        compare(&sealed, &now, seals);
    for (uint32_t number = 1; number < seals->newest.number; number++)
        check_older(folder, number, &sealed, seals);
    check_log(folder, seals);
    manifest_finish(&sealed);
    manifest_finish(&now);
}
