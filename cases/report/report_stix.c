/*
 * report_stix: STIX 2.1 [OASIS, stix-v2.1-os]: for each content that a severe YARA rule matched an indicator
 * by its hash values, based on what was observed: a file and when it was seen. Names are left out: they may
 * be personal, and they indicate nothing. Identifiers are made of what they name (version 5): the same
 * content has the same `file` in every bundle.
 */
#include "cases/report/report_formats.h"
#include "cases/report/safe.h"
#include "cases/report/uuid.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <stdio.h>
#include <string.h>

enum { SEVERE = 75 }; /* "high" in the other reports */

enum { ID_SIZE = 64 };

static const char *make_id(char ret[ID_SIZE], const char *type, const struct uuid *space, const char *first,
                           const char *second)
{
    char text[UUID_TEXT_SIZE];
    const char *const parts[] = {first, second};
    struct uuid uuid = uuid_make(space, parts, second ? 2 : 1);
    snprintf(ret, ID_SIZE, "%s--%s", type, uuid_text(&uuid, text));
    return ret;
}

/* STIX wants milliseconds. */
static void put_when(struct json *json, const char *key, int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    json_text(json, key, when_format_ms(when == WHEN_NONE ? 0 : when, text));
}

static void open_object(struct json *json, const char *type, const char *id, int64_t when)
{
    json_object_open(json, NULL);
    json_text(json, "type", type);
    json_text(json, "spec_version", "2.1");
    json_text(json, "id", id);
    if (when != INT64_MAX) { /* observables have no times of their own */
        put_when(json, "created", when);
        put_when(json, "modified", when);
    }
}

static void put_identity(struct json *json, const struct report_model *model, const char *id)
{
    open_object(json, "identity", id, model->created);
    json_text(json, "name", "kvali");
    json_text(json, "identity_class", "system");
    json_object_close(json);
}

static void put_file(struct json *json, const char *id, struct db_statement *s)
{
    open_object(json, "file", id, INT64_MAX);
    json_object_open(json, "hashes");
    json_text(json, "MD5", db_text(s, 1));
    json_text(json, "SHA-1", db_text(s, 2));
    json_text(json, "SHA-256", db_text(s, 0));
    json_object_close(json);
    json_u64(json, "size", db_u64(s, 3));
    json_object_close(json);
}

static void put_observed(struct json *json, const char *id, const char *author, const char *file,
                         int64_t when, struct db_statement *s)
{
    open_object(json, "observed-data", id, when);
    json_text(json, "created_by_ref", author);
    put_when(json, "first_observed", when);
    put_when(json, "last_observed", when);
    json_u64(json, "number_observed", db_u64(s, 4));
    json_array_open(json, "object_refs");
    json_text(json, NULL, file);
    json_array_close(json);
    json_object_close(json);
}

static void put_indicator(struct json *json, const char *id, const char *author, int64_t when,
                          struct db_statement *s)
{
    char pattern[160];
    struct buf name = {0};
    buf_text(&name, "YARA: ");
    safe_text_cut(&name, db_text(s, 5), strlen(db_text(s, 5)), 1000);
    open_object(json, "indicator", id, when);
    json_text(json, "created_by_ref", author);
    json_text(json, "name", buf_cstr(&name));
    json_array_open(json, "indicator_types");
    json_text(json, NULL, "malicious-activity");
    json_array_close(json);
    snprintf(pattern, sizeof pattern, "[file:hashes.'SHA-256' = '%.64s']", db_text(s, 0));
    json_text(json, "pattern", pattern);
    json_text(json, "pattern_type", "stix");
    put_when(json, "valid_from", when);
    json_object_close(json);
    buf_finish(&name);
}

static void put_based_on(struct json *json, const char *sha256, const char *author, const char *indicator,
                         const char *observed, int64_t when)
{
    char id[ID_SIZE];
    open_object(json, "relationship", make_id(id, "relationship", &uuid_kvali, "stix-based-on", sha256),
                when);
    json_text(json, "created_by_ref", author);
    json_text(json, "relationship_type", "based-on");
    json_text(json, "source_ref", indicator);
    json_text(json, "target_ref", observed);
    json_object_close(json);
}

/* The name of a `file` is made of {"hashes":{"MD5":...}}: of the values that there are, the first of MD5,
 * SHA-1, SHA-256, SHA-512 [STIX 2.1, section 2.9 and 6.7.1], as canonical JSON. */
static void put_content(struct json *json, const struct report_from *from, const char *author,
                        struct db_statement *s)
{
    char file[ID_SIZE], observed[ID_SIZE], indicator[ID_SIZE], contributing[96];
    const char *sha256 = db_text(s, 0);
    int64_t when = from->model->now;
    snprintf(contributing, sizeof contributing, "{\"hashes\":{\"MD5\":\"%.32s\"}}", db_text(s, 1));
    make_id(file, "file", &uuid_stix, contributing, NULL);
    make_id(observed, "observed-data", &uuid_kvali, "stix-observed", sha256);
    make_id(indicator, "indicator", &uuid_kvali, "stix-indicator", sha256);
    put_file(json, file, s);
    put_observed(json, observed, author, file, when, s);
    put_indicator(json, indicator, author, when, s);
    put_based_on(json, sha256, author, indicator, observed, when);
}

static int put_contents(struct report_out *out, struct json *json, const struct report_from *from,
                        const char *author)
{
    struct db *db = casefile_db(from->cf);
    struct db_statement *s = NULL;
    if (!db_has_table(db, "rec_yara_match") || !db_has_table(db, "rec_digest"))
        return 0;
    int code = db_prepare(
        db,
        "SELECT lower(hex(sha256)), lower(hex(md5)), lower(hex(sha1)), max(min(size, 9007199254740991), 0), "
        "count(DISTINCT id), group_concat(DISTINCT rule) FROM "
        "(SELECT d.sha256, d.md5, d.sha1, s.size, s.id, m.rule FROM match m "
        "JOIN t_stream s ON s.id = m.stream "
        "JOIN rec_digest d ON d.stream = s.id AND d.attempt = s.attempt "
        "WHERE m.severity >= ?1 AND d.unread = 0 AND s.kind NOT IN (0, 1, 5, 6) AND length(d.sha256) = 32 "
        "ORDER BY d.sha256, m.rule) GROUP BY sha256 ORDER BY sha256",
        &s);
    if (code == 0)
        db_bind_i64(s, 1, SEVERE);
    while (code == 0 && (code = db_step(s)) == 1) {
        put_content(json, from, author, s);
        buf_text(&out->buf, "\n");
        code = report_out_row(out);
    }
    db_finalize(s);
    return code;
}

int report_write_stix(struct report_out *out, const struct report_from *from)
{
    struct json json;
    char id[ID_SIZE], author[ID_SIZE];
    json_init(&json, &out->buf);
    json_object_open(&json, NULL);
    json_text(&json, "type", "bundle");
    json_text(&json, "id", make_id(id, "bundle", &uuid_kvali, "stix-bundle", from->name));
    json_array_open(&json, "objects");
    put_identity(&json, from->model, make_id(author, "identity", &uuid_kvali, "stix-identity", NULL));
    int code = put_contents(out, &json, from, author);
    json_array_close(&json);
    json_object_close(&json);
    buf_text(&out->buf, "\n");
    return code;
}
