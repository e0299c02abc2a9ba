/*
 * report_timesketch: JSON lines for Timesketch, one for each time of each file: `message`, `datetime` and
 * `timestamp_desc` are what it asks for, `timestamp` is in microseconds [google/timesketch,
 * docs/guides/user/import-from-json-csv.md].
 */
#include "cases/report/report_facts.h"
#include "cases/report/report_formats.h"
#include "engine/base/json.h"
#include "engine/base/when.h"

#include <string.h>

static void put_event(struct buf *buf, const struct file_fact *fact, int64_t when, const char *what)
{
    struct json json;
    struct buf message = {0};
    buf_printf(&message, "%s%s", fact->path, file_fact_deleted(fact) ? " (deleted)" : "");
    json_init(&json, buf);
    json_object_open(&json, NULL);
    json_text(&json, "message", buf_cstr(&message));
    json_when(&json, "datetime", when);
    json_i64(&json, "timestamp", when / 1000 - (when % 1000 < 0));
    json_text(&json, "timestamp_desc", what);
    json_text(&json, "data_type", "kvali:file");
    json_text(&json, "exhibit", fact->exhibit);
    json_text(&json, "path", fact->path);
    json_text(&json, "file_type", fact->type);
    json_text(&json, "kind", fact->kind);
    json_u64(&json, "inode", fact->inode);
    json_u64(&json, "file_size", fact->size);
    json_bool(&json, "is_allocated", !file_fact_deleted(fact));
    if (fact->sha256[0])
        json_text(&json, "sha256", fact->sha256);
    if (*fact->mime)
        json_text(&json, "mime_type", fact->mime);
    json_object_close(&json);
    buf_u8(buf, '\n');
    if (buf_failed(&message))
        buf->failed = true;
    buf_finish(&message);
}

static int each(void *context, const struct file_fact *fact)
{
    struct report_out *out = context;
    const struct {
        int64_t when;
        const char *what;
    } events[] = {
        {fact->modified, "Content Modification Time"},
        {fact->accessed, "Last Access Time"},
        {fact->changed, "Metadata Modification Time"},
        {fact->born, "Creation Time"},
        {fact->removed, "Deletion Time"},
        {fact->name_modified, "Content Modification Time ($FILE_NAME)"},
        {fact->name_accessed, "Last Access Time ($FILE_NAME)"},
        {fact->name_changed, "Metadata Modification Time ($FILE_NAME)"},
        {fact->name_born, "Creation Time ($FILE_NAME)"},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].when != WHEN_NONE)
            put_event(&out->buf, fact, events[i].when, events[i].what);
    return report_out_row(out);
}

int report_write_timesketch(struct report_out *out, const struct report_from *from)
{
    return file_facts(from->cf, FACTS_ENTRIES, each, out, from->why);
}
