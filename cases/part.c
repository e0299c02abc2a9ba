/*
 * part: what a host gives back. See part.h.
 */
#include "cases/part.h"

#include "cases/copy.h"
#include "cases/crashpoint.h"
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, HEAD_MAX = 4096 };
#define FIRST_WORD "kvali-part "

const char *part_name(uint64_t number, char ret[PART_NAME_SIZE])
{
    snprintf(ret, PART_NAME_SIZE, "%06llu.part", (unsigned long long)number);
    return ret;
}

/* ------------------------------------------------------------------ reading */

static bool text_of(const struct ledger_record *record, const char *key, char *ret, size_t size)
{
    return ledger_member(record, key, ret, size);
}

static bool number_of(const struct ledger_record *record, const char *key, uint64_t *ret)
{
    char text[24], *end;
    if (!ledger_member(record, key, text, sizeof text))
        return false;
    *ret = strtoull(text, &end, 10);
    return end != text && *end == 0;
}

static bool read_fields(const char *line, struct part_header *ret)
{
    struct ledger_record record = {.json = line};
    return text_of(&record, "plan", ret->plan, sizeof ret->plan) && number_of(&record, "part", &ret->part) &&
           text_of(&record, "sha256", ret->sha256, sizeof ret->sha256) &&
           number_of(&record, "size", &ret->size) &&
           text_of(&record, "configuration_sha256", ret->configuration, sizeof ret->configuration) &&
           text_of(&record, "kvali", ret->kvali, sizeof ret->kvali) &&
           text_of(&record, "node", ret->node, sizeof ret->node) &&
           text_of(&record, "actor", ret->actor, sizeof ret->actor) &&
           text_of(&record, "finished", ret->finished, sizeof ret->finished);
}

/* *ret_offset: where the database begins. */
static int read_head(const char *path, struct part_header *ret_header, uint64_t *ret_offset, struct why *why)
{
    char head[HEAD_MAX + 1];
    struct part_header header = {0};
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return why_set(why, -EBADMSG, "%s: it is no part", path); /* a pipe would be waited for */
    FILE *file = fopen(path, "re");
    if (!file)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    size_t size = fread(head, 1, HEAD_MAX, file);
    bool unreadable = ferror(file);
    fclose(file);
    if (unreadable)
        return why_set(why, -EIO, "%s: it cannot be read", path);
    head[size] = 0;
    char *line = strchr(head, '\n'), *end = line ? strchr(line + 1, '\n') : NULL;
    if (strncmp(head, FIRST_WORD, strlen(FIRST_WORD)) != 0 || !end)
        return why_set(why, -EBADMSG, "%s: it is no part, or its beginning is damaged", path);
    *line = *end = 0;
    if (strtoul(head + strlen(FIRST_WORD), NULL, 10) != PART_VERSION)
        return why_set(why, -EPROTO, "%s: it is of another kvali (form %.20s, this one knows %d)", path,
                       head + strlen(FIRST_WORD), PART_VERSION);
    if (!read_fields(line + 1, &header))
        return why_set(why, -EBADMSG, "%s: its beginning is damaged", path);
    *ret_header = header;
    *ret_offset = (uint64_t)(end + 1 - head);
    return 0;
}

int part_read(const char *path, struct part_header *ret_header, struct why *why)
{
    struct stat st;
    uint64_t offset;
    int code = read_head(path, ret_header, &offset, why);
    if (code)
        return code;
    if (stat(path, &st))
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    return (uint64_t)st.st_size - offset == ret_header->size
               ? 0
               : why_set(why, -EBADMSG,
                         "%s: it is cut short or has grown: its database has %llu bytes, not %llu", path,
                         (unsigned long long)st.st_size - offset, (unsigned long long)ret_header->size);
}

int part_unpack(const char *path, const char *to, struct part_header *ret_header, struct why *why)
{
    char sha256[SHA256_HEX_SIZE];
    uint64_t offset;
    int code = part_read(path, ret_header, why);
    if (code == 0)
        code = read_head(path, ret_header, &offset, why);
    if (code == 0)
        code = copy_out(path, offset, ret_header->size, to, sha256, why);
    if (code)
        return code;
    return strcmp(sha256, ret_header->sha256) == 0
               ? 0
               : why_set(why, -EBADMSG,
                         "%s: it is damaged: its SHA-256 is not the one that was written with it", path);
}

bool part_is_there(const char *folder, const char *plan, uint64_t number)
{
    char path[PATH_SIZE], name[PART_NAME_SIZE];
    struct part_header header;
    snprintf(path, sizeof path, "%s/parts/%s", folder, part_name(number, name));
    return part_read(path, &header, NULL) == 0 && strcmp(header.plan, plan) == 0 && header.part == number;
}

/* ------------------------------------------------------------------ writing */

static int keep_line(void *context, const struct ledger_record *record)
{
    struct db_statement *s = context;
    db_bind_text(s, 1, record->json);
    return db_run(s);
}

/* Its ledger's lines as they stand there, and nothing of what stood there before if this is done twice. */
static int take_ledger(struct db *db, const char *scratch, struct why *why)
{
    char path[PATH_SIZE], head[SHA256_HEX_SIZE];
    struct db_statement *s = NULL;
    uint64_t count;
    snprintf(path, sizeof path, "%s/ledger.jsonl", scratch);
    int code = db_exec(db, "DROP TABLE IF EXISTS t_part_ledger; " PART_LEDGER_SQL);
    if (code == 0)
        code = db_prepare(db, "INSERT INTO t_part_ledger VALUES (?1)", &s);
    if (code == 0)
        code = ledger_walk(path, keep_line, s, &count, head, why);
    db_finalize(s);
    return code;
}

/* The text of documents, when there is some. */
static int take_pages(struct db *db, const char *scratch)
{
    char path[PATH_SIZE];
    struct stat st;
    snprintf(path, sizeof path, "%s/index.db", scratch);
    if (stat(path, &st))
        return 0;
    int code = db_attach_unchanging(db, path, "words");
    if (code == 0)
        code = db_exec(db, "DROP TABLE IF EXISTS t_part_page; " PART_PAGE_SQL
                           "; INSERT INTO t_part_page SELECT * FROM words.page ORDER BY id");
    int detached = db_exec(db, "DETACH words");
    return code ? code : detached;
}

/* Makes one file of the database: nothing may lie in a log beside it. */
static int close_database(const char *path, const char *scratch, struct why *why)
{
    struct db *db = NULL;
    int code = db_open(path, DB_WRITE, &db, why);
    if (code)
        return code;
    code = take_ledger(db, scratch, why);
    if (code == 0)
        code = take_pages(db, scratch);
    if (code == 0)
        code = db_exec(db, "PRAGMA journal_mode = DELETE");
    if (code && why && !why->text[0])
        why_set(why, code, "%s: %s", path, db_error(db));
    db_close(db);
    return code;
}

static int write_head(struct buf *head, const char *database, const char *plan, uint64_t number,
                      const char *configuration)
{
    char sha256[SHA256_HEX_SIZE], host[256] = "unknown", now[WHEN_TEXT_SIZE];
    const char *node = getenv("SLURMD_NODENAME");
    struct json json;
    struct stat st;
    int code = hash_sha256_file(database, sha256);
    if (code == 0 && stat(database, &st))
        code = -errno;
    if (code)
        return code;
    (void)gethostname(host, sizeof host - 1);
    buf_printf(head, "%s%d\n", FIRST_WORD, PART_VERSION);
    json_init(&json, head);
    json_object_open(&json, NULL);
    json_text(&json, "plan", plan);
    json_u64(&json, "part", number);
    json_text(&json, "sha256", sha256);
    json_u64(&json, "size", (uint64_t)st.st_size);
    json_text(&json, "configuration_sha256", configuration);
    json_text(&json, "kvali", kvali_version());
    json_text(&json, "node", node && *node ? node : host);
    json_text(&json, "actor", host);
    json_text(&json, "finished", when_format_ms(when_now(), now));
    json_object_close(&json);
    buf_text(head, "\n");
    return buf_failed(head) ? -ENOMEM : 0;
}

int part_publish(const char *scratch, const char *folder, const char *plan, uint64_t number,
                 const char *configuration_sha256, struct why *why)
{
    char database[PATH_SIZE], path[PATH_SIZE], name[PART_NAME_SIZE];
    struct buf head = {0};
    snprintf(database, sizeof database, "%s/case.db", scratch);
    snprintf(path, sizeof path, "%s/parts/%s", folder, part_name(number, name));
    int code = close_database(database, scratch, why);
    if (code)
        return code;
    code = write_head(&head, database, plan, number, configuration_sha256);
    crash_point("part-publish");
    if (code)
        why_set(why, code, "%s: %s", database, strerror(-code));
    else
        code = copy_into_place(buf_cstr(&head), head.size, database, path, why);
    buf_finish(&head);
    return code;
}
