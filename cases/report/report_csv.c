/*
 * report_csv: a view of the case as a table [RFC 4180], for people with a spreadsheet: UTF-8 with the mark
 * that says so, for spreadsheets take it for something else without. A text that a spreadsheet would take for
 * a formula has an apostrophe before it [OWASP, CSV Injection]; controls and bidirectional characters are
 * visible. Bytes are hexadecimal, NULL is empty. Where that matters, --format jsonl says what is.
 */
#include "cases/report/report_views.h"

#include "cases/report/safe.h"
#include "engine/base/text.h"

#include <string.h>

/* Also as full-width characters, which some spreadsheets take for the plain ones, and behind blanks. */
static bool is_formula(const char *text)
{
    static const char *const begins[] = {
        "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
    text += strspn(text, " ");
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (!strncmp(text, begins[i], strlen(begins[i])))
            return true;
    return false;
}

static void put_text(struct buf *buf, const char *text)
{
    struct buf safe = {0};
    safe_text(&safe, text, strlen(text));
    buf_text(buf, is_formula(text) ? "\"'" : "\"");
    for (size_t i = 0; i < safe.size; i++) {
        if (safe.data[i] == '"')
            buf_u8(buf, '"');
        buf_u8(buf, safe.data[i]);
    }
    buf_u8(buf, '"');
    if (buf_failed(&safe))
        buf->failed = true;
    buf_finish(&safe);
}

static void put_value(struct buf *buf, struct db_statement *s, int column)
{
    size_t size = 0;
    if (db_is_null(s, column))
        return;
    if (db_is_number(s, column)) {
        buf_text(buf, db_text(s, column));
    } else if (db_is_blob(s, column)) {
        const void *data = db_bytes(s, column, &size);
        text_hex(buf, data, size);
    } else {
        put_text(buf, db_text(s, column));
    }
}

static void put_head(struct buf *buf, struct db_statement *s)
{
    buf_text(buf, "\xef\xbb\xbf");
    for (int i = 0; i < db_columns(s); i++)
        buf_printf(buf, "%s%s", i ? "," : "", db_column_name(s, i));
    buf_text(buf, "\r\n");
}

static void put_row(struct buf *buf, struct db_statement *s)
{
    for (int i = 0; i < db_columns(s); i++) {
        if (i)
            buf_u8(buf, ',');
        put_value(buf, s, i);
    }
    buf_text(buf, "\r\n");
}

int report_write_csv(struct report_out *out, const struct report_from *from)
{
    static const struct view_table table = {put_head, put_row};
    return report_view(out, from, &table);
}
