/*
 * digest: the SHA-256 of the canonical text that findings.c gives, line by line.
 */
#include "cases/digest.h"

#include "cases/findings.h"
#include "engine/base/text.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static int digest_of(struct db *db, void (*dump)(void *context, const char *line, size_t size), void *context,
                     char ret[SHA256_HEX_SIZE])
{
    struct findings *findings = NULL;
    struct hash_sha256 *hash = hash_sha256_new();
    int code = hash ? findings_open(db, &findings) : -ENOMEM;
    if (code == 0)
        code = digest_lines(findings, hash, dump, context);
    if (code == 0)
        code = put_hex(hash, ret);
    findings_close(findings);
    hash_sha256_free(hash);
    return code;
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
    if (code == 0)
        code = digest_of(casefile_db(cf), dump, context, ret);
    if (code)
        return not_read(cf, code, why);
    memcpy(last->hex, ret, SHA256_HEX_SIZE);
    last->state = state;
    return 0;
}

/* ------------------------------------------------------------------ beside other work */

struct digest_task {
    pthread_t thread;
    char path[PATH_MAX];
    int64_t others; /* db_state: other connections' changes, before */
    int code;
    char hex[SHA256_HEX_SIZE];
};

static void *digest_beside(void *context)
{
    struct digest_task *task = context;
    struct db *db = NULL;
    task->code = db_open(task->path, DB_READ, &db, NULL);
    if (task->code == 0) /* nearly every page is read once */
        task->code = db_exec(db, "PRAGMA cache_size = -16384");
    if (task->code == 0)
        task->code = digest_of(db, NULL, NULL, task->hex);
    db_close(db);
    return NULL;
}

/* Signals are the other thread's. */
static int start(struct digest_task *task)
{
    sigset_t all, before;
    hash_sha256_free(hash_sha256_new()); /* what the first one sets up is not set up by two at a time */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&task->thread, NULL, digest_beside, task);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct digest_task *case_digest_begin(struct casefile *cf)
{
    struct digest_task *task = calloc(1, sizeof *task);
    struct db_state state;
    if (!task)
        return NULL;
    int size = snprintf(task->path, sizeof task->path, "%s/case.db", casefile_folder(cf));
    /* What is not committed no other connection sees. */
    if (size >= (int)sizeof task->path || db_state(casefile_db(cf), &state) || state.mine < 0 || start(task)) {
        free(task);
        return NULL;
    }
    task->others = state.others;
    return task;
}

int case_digest_end(struct digest_task *task, struct casefile *cf, char ret[SHA256_HEX_SIZE], struct why *why)
{
    struct casefile_digest *last = casefile_digest(cf);
    struct db_state state;
    bool known = false;
    if (task) {
        pthread_join(task->thread, NULL);
        known = task->code == 0 && db_state(casefile_db(cf), &state) == 0 && state.others == task->others;
    }
    if (known) {
        memcpy(ret, task->hex, SHA256_HEX_SIZE);
        memcpy(last->hex, task->hex, SHA256_HEX_SIZE);
        last->state = state;
    }
    free(task);
    return known ? 0 : case_digest(cf, NULL, NULL, ret, why);
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
