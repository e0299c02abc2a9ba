/*
 * seal: writing a seal, and reading what it says.
 */
#include "cases/seal.h"

#include "cases/crashpoint.h"
#include "cases/digest.h"
#include "engine/base/json.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, SEAL_SIZE_MAX = 16 * 1024, STAMP_SIZE_MAX = 1 << 20 };
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
extern const char verify_txt[];

int seal_path(const char *folder, uint32_t number, const char *ending, char *ret, size_t size)
{
    return snprintf(ret, size, "%s/" SEALS_FOLDER "/%04u.%s", folder, number, ending) < (int)size
               ? 0
               : -ENAMETOOLONG;
}

uint32_t seal_count(const char *folder)
{
    char path[PATH_SIZE];
    struct stat st;
    uint32_t count = 0;
    while (count < SEALS_MAX && seal_path(folder, count + 1, "json", path, sizeof path) == 0 &&
           lstat(path, &st) == 0)
        count++;
    return count;
}

/* ------------------------------------------------------------------ reading */

static bool number_of(const struct ledger_record *line, const char *key, uint64_t *ret)
{
    char text[24];
    if (!ledger_member(line, key, text, sizeof text) || strspn(text, "0123456789") != strlen(text) || !*text)
        return false;
    *ret = strtoull(text, NULL, 10);
    return true;
}

int seal_read(const char *folder, uint32_t number, struct seal *ret_seal, struct why *why)
{
    char path[PATH_SIZE];
    struct buf text = {0};
    struct seal seal = {.number = number};
    uint64_t own = 0;
    int code = seal_path(folder, number, "json", path, sizeof path);
    code = code ? why_set(why, code, "%s: the path is too long", folder)
                : file_read(path, SEAL_SIZE_MAX, &text, why);
    if (code) {
        buf_finish(&text);
        return code;
    }
    hash_sha256_hex(text.data, text.size, seal.sha256);
    struct ledger_record line = {.json = buf_cstr(&text)};
    struct {
        const char *key;
        char *into;
    } hashes[] = {{"ledger_sha256", seal.ledger_sha256},     {"chain_head", seal.chain_head},
                  {"manifest_sha256", seal.manifest_sha256}, {"findings", seal.findings},
                  {"prev_seal_sha256", seal.prev},           {"signer_sha256", seal.signer_sha256}};
    bool good = number_of(&line, "ledger_bytes", &seal.ledger_bytes) &&
                number_of(&line, "ledger_records", &seal.ledger_records) && number_of(&line, "seal", &own) &&
                own == number && ledger_member(&line, "time", seal.time, sizeof seal.time) &&
                ledger_member(&line, "signer", seal.signer, sizeof seal.signer);
    for (size_t i = 0; good && i < sizeof hashes / sizeof *hashes; i++)
        good = ledger_member(&line, hashes[i].key, hashes[i].into, SHA256_HEX_SIZE);
    buf_finish(&text);
    if (!good)
        return why_set(why, -EUCLEAN, "%s: it is not a seal of this number", path);
    *ret_seal = seal;
    return 0;
}

/* ------------------------------------------------------------------ writing */

struct sealing {
    struct casefile *cf;
    const char *folder;
    const struct seal_options *options;
    struct seal_written *written;
    uint32_t number;
    struct why *why;
    struct seal seal;
    struct buf text, signature, request, answer;
};

static int put(struct sealing *s, const char *ending, const void *data, size_t size)
{
    char path[PATH_SIZE];
    int code = seal_path(s->folder, s->number, ending, path, sizeof path);
    return code ? why_set(s->why, code, "%s: the path is too long", s->folder)
                : file_write(path, data, size, s->why);
}

static int put_buf(struct sealing *s, const char *ending, const struct buf *buf)
{
    return buf_failed(buf) ? why_set(s->why, -ENOMEM, "out of memory") : put(s, ending, buf->data, buf->size);
}

/* The page that says how to check the case; one that is there was sealed before, and stays. */
static int write_page(struct sealing *s)
{
    char path[PATH_SIZE];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/" VERIFY_TXT, s->folder) >= PATH_SIZE)
        return why_set(s->why, -ENAMETOOLONG, "%s: the path is too long", s->folder);
    return lstat(path, &st) == 0 ? 0 : file_write(path, verify_txt, strlen(verify_txt), s->why);
}

static int write_lists(struct sealing *s)
{
    struct buf lists = {0};
    int code = s->options->crl ? sign_lists(s->options->key, s->options->crl, &lists, s->why) : 0;
    if (code == 0 && s->options->crl)
        code = put_buf(s, "crl", &lists);
    buf_finish(&lists);
    return code;
}

/* Everything that lies in the folder before the manifest is made. */
static int write_first(struct sealing *s)
{
    char path[PATH_SIZE];
    struct buf script = {0}, chain = {0};
    if (snprintf(path, sizeof path, "%s/" SEALS_FOLDER, s->folder) >= PATH_SIZE)
        return why_set(s->why, -ENAMETOOLONG, "%s: the path is too long", s->folder);
    if (mkdir(path, 0750) && errno != EEXIST)
        return why_set(s->why, -errno, "%s: %s", path, strerror(errno));
    int code = write_page(s);
    if (code == 0)
        code = case_digest_script(s->cf, &script, s->why);
    if (code == 0)
        code = put_buf(s, "sql", &script);
    sign_key_chain(s->options->key, &chain);
    if (code == 0)
        code = put_buf(s, "pem", &chain);
    if (code == 0)
        code = write_lists(s);
    if (code == 0)
        code = case_digest(s->cf, NULL, NULL, s->seal.findings, s->why);
    buf_finish(&script);
    buf_finish(&chain);
    return code;
}

static int measure_ledger(struct sealing *s)
{
    char path[PATH_SIZE];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/ledger.jsonl", s->folder) >= PATH_SIZE)
        return why_set(s->why, -ENAMETOOLONG, "%s: the path is too long", s->folder);
    if (stat(path, &st) || hash_sha256_file(path, s->seal.ledger_sha256))
        return why_set(s->why, -EIO, "%s: it cannot be read", path);
    s->seal.ledger_bytes = (uint64_t)st.st_size;
    s->seal.ledger_records = ledger_count(casefile_ledger(s->cf));
    snprintf(s->seal.chain_head, sizeof s->seal.chain_head, "%s", ledger_head(casefile_ledger(s->cf)));
    return 0;
}

static int write_manifest(struct sealing *s)
{
    struct manifest manifest = {0};
    struct buf text = {0};
    int code = manifest_make(s->folder, s->number, &manifest, s->why);
    for (size_t i = 0; code == 0 && i < manifest.count; i++)
        buf_printf(&text, "%s  %s\n", manifest.files[i].sha256, manifest.files[i].path);
    if (code == 0)
        code = put_buf(s, "manifest", &text);
    if (code == 0)
        hash_sha256_hex(text.data, text.size, s->seal.manifest_sha256);
    s->written->files = manifest.count;
    manifest_finish(&manifest);
    buf_finish(&text);
    return code;
}

static int find_previous(struct sealing *s)
{
    struct seal before;
    snprintf(s->seal.prev, sizeof s->seal.prev, ZEROS);
    if (s->number == 1)
        return 0;
    int code = seal_read(s->folder, s->number - 1, &before, s->why);
    if (code == 0)
        snprintf(s->seal.prev, sizeof s->seal.prev, "%s", before.sha256);
    return code;
}

/* The keys in order. */
static int compose(struct sealing *s)
{
    struct json json;
    json_init(&json, &s->text);
    json_object_open(&json, NULL);
    json_text(&json, "case", casefile_number(s->cf));
    json_text(&json, "chain_head", s->seal.chain_head);
    json_text(&json, "commit", kvali_commit());
    json_u64(&json, "custody_gaps", s->options->gaps);
    json_text(&json, "findings", s->seal.findings);
    json_text(&json, "kvali", kvali_version());
    json_u64(&json, "ledger_bytes", s->seal.ledger_bytes);
    json_u64(&json, "ledger_records", s->seal.ledger_records);
    json_text(&json, "ledger_sha256", s->seal.ledger_sha256);
    json_text(&json, "manifest_sha256", s->seal.manifest_sha256);
    json_text(&json, "prev_seal_sha256", s->seal.prev);
    json_u64(&json, "seal", s->number);
    json_text(&json, "signer", s->written->who.subject);
    json_text(&json, "signer_sha256", s->written->who.sha256);
    json_when(&json, "time", s->options->now);
    json_u64(&json, "v", SEAL_VERSION);
    json_object_close(&json);
    buf_u8(&s->text, '\n');
    return buf_failed(&s->text) ? why_set(s->why, -ENOMEM, "out of memory") : 0;
}

/* Why there is none is no reason to throw the seal away: the request stays, and its answer can come later. */
static int ask_stamp(struct sealing *s, struct why *why_not)
{
    struct stamp_facts facts;
    if (!s->options->tsa ||
        stamp_ask(s->options->tsa, s->request.data, s->request.size, &s->answer, why_not) ||
        stamp_check(s->answer.data, s->answer.size, s->signature.data, s->signature.size, s->request.data,
                    s->request.size, NULL, &facts, why_not))
        return 0;
    int code = put_buf(s, "tsr", &s->answer);
    s->written->stamped = code == 0;
    return code;
}

static int sign(struct sealing *s, struct why *why_not)
{
    int code = sign_data(s->options->key, s->text.data, s->text.size, &s->signature, s->why);
    if (code == 0)
        code = put_buf(s, "p7s", &s->signature);
    if (code == 0)
        code = stamp_request(s->signature.data, s->signature.size, &s->request, s->why);
    if (code == 0)
        code = put_buf(s, "tsq", &s->request);
    if (code == 0)
        code = ask_stamp(s, why_not);
    crash_point("seal-signed");
    if (code == 0)
        code = put_buf(s, "json", &s->text); /* last: with it the seal is there */
    return code;
}

static void name_file(struct json *json, uint32_t number, const char *ending, const void *data, size_t size)
{
    char path[40], sha256[SHA256_HEX_SIZE];
    snprintf(path, sizeof path, SEALS_FOLDER "/%04u.%s", number, ending);
    hash_sha256_hex(data, size, sha256);
    json_object_open(json, NULL);
    json_text(json, "path", path);
    json_text(json, "sha256", sha256);
    json_u64(json, "size", size);
    json_object_close(json);
}

static int record(struct sealing *s)
{
    struct buf fields = {0};
    struct json json;
    json_init(&json, &fields);
    json_object_open(&json, NULL);
    json_array_open(&json, "files");
    name_file(&json, s->number, "json", s->text.data, s->text.size);
    name_file(&json, s->number, "p7s", s->signature.data, s->signature.size);
    name_file(&json, s->number, "tsq", s->request.data, s->request.size);
    if (s->written->stamped)
        name_file(&json, s->number, "tsr", s->answer.data, s->answer.size);
    json_array_close(&json);
    json_u64(&json, "records", s->seal.ledger_records);
    json_u64(&json, "seal", s->number);
    json_text(&json, "signer", s->written->who.subject);
    json_text(&json, "signer_sha256", s->written->who.sha256);
    json_object_close(&json);
    int code = buf_failed(&fields) ? why_set(s->why, -ENOMEM, "out of memory")
                                   : ledger_append(casefile_ledger(s->cf), "seal", buf_cstr(&fields), s->why);
    buf_finish(&fields);
    return code;
}

int seal_write(struct casefile *cf, const struct seal_options *options, struct seal_written *ret_written,
               struct why *why)
{
    struct seal_written written = {0};
    struct why why_not = {{0}};
    struct sealing s = {
        .cf = cf, .folder = casefile_folder(cf), .options = options, .written = &written, .why = why};
    s.number = seal_count(s.folder) + 1;
    if (s.number > SEALS_MAX)
        return why_set(why, -EOVERFLOW, "%s: it has %u seals, and no more fit", s.folder, SEALS_MAX);
    sign_key_who(options->key, &written.who);
    int code = write_first(&s);
    if (code == 0)
        code = measure_ledger(&s);
    if (code == 0)
        code = casefile_freeze(cf, why);
    if (code == 0)
        code = write_manifest(&s);
    if (code == 0)
        code = find_previous(&s);
    if (code == 0)
        code = compose(&s);
    if (code == 0)
        code = sign(&s, &why_not);
    if (code == 0)
        code = record(&s);
    if (code == 0) {
        written.number = s.number;
        written.records = s.seal.ledger_records;
        hash_sha256_hex(s.text.data, s.text.size, written.sha256);
        *ret_written = written;
        if (options->tsa && !written.stamped)
            *why = why_not;
    }
    buf_finish(&s.text);
    buf_finish(&s.signature);
    buf_finish(&s.request);
    buf_finish(&s.answer);
    return code;
}

/* ------------------------------------------------------------------ a stamp that comes later */

static int record_stamp(struct casefile *cf, uint32_t number, const void *answer, size_t size,
                        const struct stamp_facts *facts, struct why *why)
{
    struct buf fields = {0};
    struct json json;
    json_init(&json, &fields);
    json_object_open(&json, NULL);
    json_text(&json, "authority", facts->authority);
    json_array_open(&json, "files");
    name_file(&json, number, "tsr", answer, size);
    json_array_close(&json);
    json_u64(&json, "seal", number);
    json_text(&json, "serial", facts->serial);
    json_when(&json, "stamped", facts->time);
    json_object_close(&json);
    int code = buf_failed(&fields) ? why_set(why, -ENOMEM, "out of memory")
                                   : ledger_append(casefile_ledger(cf), "timestamp", buf_cstr(&fields), why);
    buf_finish(&fields);
    return code;
}

static int read_one(const char *folder, uint32_t number, const char *ending, struct buf *ret, struct why *why)
{
    char path[PATH_SIZE];
    int code = seal_path(folder, number, ending, path, sizeof path);
    return code ? why_set(why, code, "%s: the path is too long", folder)
                : file_read(path, STAMP_SIZE_MAX, ret, why);
}

int seal_stamp(struct casefile *cf, uint32_t number, const void *answer, size_t size, const char *ca,
               struct stamp_facts *ret_facts, struct why *why)
{
    char path[PATH_SIZE];
    struct stat st;
    struct stamp_facts facts;
    struct buf signature = {0}, request = {0};
    const char *folder = casefile_folder(cf);
    int code = seal_path(folder, number, "tsr", path, sizeof path);
    if (code == 0 && lstat(path, &st) == 0)
        code = why_set(why, -EEXIST, "%s: there is a time stamp already", path);
    if (code == 0)
        code = read_one(folder, number, "p7s", &signature, why);
    if (code == 0)
        code = read_one(folder, number, "tsq", &request, why);
    if (code == 0)
        code = stamp_check(answer, size, signature.data, signature.size, request.data, request.size, ca,
                           &facts, why);
    if (code == 0)
        code = file_write(path, answer, size, why);
    if (code == 0)
        code = record_stamp(cf, number, answer, size, &facts, why);
    if (code == 0)
        *ret_facts = facts;
    buf_finish(&signature);
    buf_finish(&request);
    return code;
}
