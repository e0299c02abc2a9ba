/*
 * digest: the SHA-256 of the canonical text that findings.c gives, line by line.
 */
#include "cases/digest.h"

#include "cases/findings.h"
#include "engine/base/text.h"

#include <errno.h>
#include <string.h>

/* So much is hashed at once: a call for every line takes longer than its bytes. */
enum { HASHED_AT_ONCE = 64 * 1024 };

static void hash_gathered(struct hash_sha256 *hash, struct buf *gathered)
{
    hash_sha256_update(hash, gathered->data, gathered->size);
    buf_clear(gathered);
}

static int digest_lines(struct findings *findings, struct hash_sha256 *hash,
                        void (*dump)(void *context, const char *line, size_t size), void *context)
{
    const struct findings_part *part;
    struct buf gathered = {0};
    const char *line;
    size_t size;
    int code;
    while ((code = findings_next(findings, &part, &line, &size)) == 1) {
        buf_append(&gathered, line, size);
        if (buf_failed(&gathered)) {
            code = -ENOMEM;
            break;
        }
        if (gathered.size >= HASHED_AT_ONCE)
            hash_gathered(hash, &gathered);
        if (dump)
            dump(context, line, size);
    }
    if (code == 0 && gathered.size)
        hash_gathered(hash, &gathered);
    buf_finish(&gathered);
    return code;
}

static int put_hex(struct hash_sha256 *hash, char ret[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    struct buf hex = {0};
    hash_sha256_final(hash, digest);
    text_hex(&hex, digest, sizeof digest);
    bool failed = buf_failed(&hex);
    if (!failed)
        memcpy(ret, buf_cstr(&hex), SHA256_HEX_SIZE);
    buf_finish(&hex);
    return failed ? -ENOMEM : 0;
}

static int not_read(struct casefile *cf, int code, struct why *why)
{
    return why_set(why, code, "%s: the findings cannot be read: %s", casefile_folder(cf),
                   db_error(casefile_db(cf)));
}

int case_digest(struct casefile *cf, void (*dump)(void *context, const char *line, size_t size),
                void *context, char ret[SHA256_HEX_SIZE], struct why *why)
{
    struct casefile_digest *last = casefile_digest(cf);
    struct db_state state;
    int code = db_state(casefile_db(cf), &state);
    if (code == 0 && !dump && last->hex[0] && state.mine >= 0 && last->state.mine == state.mine &&
        last->state.others == state.others) {
        memcpy(ret, last->hex, SHA256_HEX_SIZE);
        return 0;
    }
    struct findings *findings = NULL;
    struct hash_sha256 *hash = hash_sha256_new();
    if (code == 0)
        code = hash ? findings_open(casefile_db(cf), &findings) : -ENOMEM;
    if (code == 0)
        code = digest_lines(findings, hash, dump, context);
    if (code == 0)
        code = put_hex(hash, ret);
    if (code)
        not_read(cf, code, why);
    if (code == 0) {
        memcpy(last->hex, ret, SHA256_HEX_SIZE);
        last->state = state;
    }
    findings_close(findings);
    hash_sha256_free(hash);
    return code;
}

int case_digest_script(struct casefile *cf, struct buf *script, struct why *why)
{
    struct findings *findings = NULL;
    int code = findings_open(casefile_db(cf), &findings);
    if (code)
        return not_read(cf, code, why);
    findings_script(findings, script);
    findings_close(findings);
    return buf_failed(script) ? why_set(why, -ENOMEM, "out of memory") : 0;
}
