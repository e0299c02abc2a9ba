/*
 * merge_end: what a run does at its end, when the last part is in.
 */
#include "cases/merge_private.h"

#include "cases/crashpoint.h"
#include "cases/digest.h"
#include "cases/histogram.h"
#include "cases/kept.h"
#include "cases/link.h"
#include "cases/queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int verify_images(struct merge *m, struct why *why)
{
    struct exhibit *exhibits = NULL;
    size_t count = 0;
    int code = casefile_exhibits(m->cf, &exhibits, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        if (exhibits[i].opened)
            code = casefile_verify_image(m->cf, exhibits[i].id, why);
    exhibits_free(exhibits, count);
    return code;
}

static int run_setting(struct merge *m, const char *key, char **ret)
{
    struct db_statement *s;
    int code = db_prepare(
        m->db,
        "SELECT j.value FROM t_run r, json_each(r.settings, '$.settings') j WHERE r.id = ?1 AND j.key = ?2",
        &s);
    if (code)
        return code;
    db_bind_u64(s, 1, m->run);
    db_bind_text(s, 2, key);
    code = db_step(s);
    *ret = strdup(code == 1 ? db_text(s, 0) : "");
    db_finalize(s);
    return code < 0 ? code : *ret ? 0 : -ENOMEM;
}

static int derive(struct merge *m, struct why *why)
{
    char *rules = NULL;
    int code = link_findings(m->cf, why);
    if (code == 0)
        code = histogram_count(m->cf, why);
    if (code == 0)
        code = run_setting(m, "yara.rules", &rules);
    if (code == 0)
        code = kept_rules(m->cf, m->run, rules, why);
    free(rules);
    return code;
}

static int sum_up(struct merge *m, char digest[SHA256_HEX_SIZE], struct why *why)
{
    struct why passed_over = {{0}};
    int code = verify_images(m, why);
    if (code)
        return code;
    struct digest_task *task = case_digest_begin(m->cf);
    code = derive(m, why);
    int digested = case_digest_end(task, m->cf, digest, code ? &passed_over : why);
    return code ? code : digested;
}

static int tell_end(struct merge *m, const struct merge_result *result, struct why *why)
{
    struct db_statement *s;
    char fields[512];
    uint64_t parts = 0;
    int code = db_prepare(m->db, "SELECT count(*) FROM t_part WHERE plan = ?1 AND sha256 IS NOT NULL", &s);
    if (code)
        return merge_failed(m, code, why);
    db_bind_text(s, 1, m->plan);
    code = db_step(s);
    parts = code == 1 ? db_u64(s, 0) : 0;
    db_finalize(s);
    snprintf(fields, sizeof fields,
             "{\"plan\":\"%s\",\"parts\":%llu,\"streams_done\":%llu,\"streams_pending\":0,\"faults\":%llu,"
             "\"digest\":\"%s\"}",
             m->plan, (unsigned long long)parts, (unsigned long long)result->streams_done,
             (unsigned long long)result->faults, result->digest);
    return ledger_append(casefile_ledger(m->cf), "merge", fields, why);
}

/* Was this told before, with this digest, and has nothing changed since then? */
struct last_digest {
    char digest[SHA256_HEX_SIZE];
};

static int remember_digest(void *context, const struct ledger_record *record)
{
    struct last_digest *last = context;
    if (strcmp(record->type, "part") == 0 || strcmp(record->type, "run-begin") == 0)
        last->digest[0] = 0;
    else if (strcmp(record->type, "merge") == 0)
        (void)ledger_member(record, "digest", last->digest, sizeof last->digest);
    return 0;
}

int merge_end(struct merge *m, struct merge_result *ret_result, struct why *why)
{
    struct queue_counts counts;
    struct merge_result result = {0};
    struct last_digest last = {{0}};
    char path[PATH_SIZE], head[SHA256_HEX_SIZE];
    uint64_t lines;
    int code = casefile_counts_again(m->cf);
    if (code == 0)
        code = queue_counts(m->cf, &counts);
    if (code)
        return merge_failed(m, code, why);
    result.pending = counts.streams_pending + counts.expands_pending;
    result.streams_done = counts.streams_done;
    result.faults = counts.faults;
    if (result.pending == 0)
        code = sum_up(m, result.digest, why);
    crash_point("merge-summed");
    snprintf(path, sizeof path, "%s/ledger.jsonl", casefile_folder(m->cf));
    if (code == 0 && result.pending == 0)
        code = ledger_walk(path, remember_digest, &last, &lines, head, why);
    if (code == 0 && result.pending == 0 && strcmp(last.digest, result.digest) != 0)
        code = tell_end(m, &result, why);
    if (code == 0)
        *ret_result = result;
    else if (why && !why->text[0])
        merge_failed(m, code, why);
    return code;
}
