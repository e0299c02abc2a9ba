/* report_jsonl: a view of the case as JSON lines: an object a row, numbers as numbers, bytes as hexadecimal
 * text, NULL as null. */
#include "cases/report/report_views.h"

#include "engine/base/json.h"

#include <math.h>
#include <stdlib.h>

/* SQLite prints infinities as words, and JSON has none. */
static void put_number(struct json *json, const char *key, const char *text)
{
    if (isfinite(strtod(text, NULL)))
        json_raw(json, key, text);
    else
        json_text(json, key, text);
}

static void put_row(struct buf *buf, struct db_statement *s)
{
    struct json json;
    json_init(&json, buf);
    json_object_open(&json, NULL);
    for (int i = 0; i < db_columns(s); i++) {
        const char *key = db_column_name(s, i);
        size_t size = 0;
        const void *data;
        if (db_is_null(s, i))
            json_none(&json, key);
        else if (db_is_number(s, i))
            put_number(&json, key, db_text(s, i));
        else if (db_is_blob(s, i) && (data = db_bytes(s, i, &size)))
            json_hex(&json, key, data, size);
        else
            json_text(&json, key, db_text(s, i));
    }
    json_object_close(&json);
    buf_u8(buf, '\n');
}

int report_write_jsonl(struct report_out *out, const struct report_from *from)
{
    static const struct view_table table = {NULL, put_row};
    return report_view(out, from, &table);
}
