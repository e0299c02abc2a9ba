/*
 * import_csv: tables with a head line (RFC 4180; ',' ';' or TAB between): anybody's CSV whose columns have
 * the names that import_fields.c knows, and so HashKeeper's, Interpol ICSE's and NSRL RDS v1.
 */
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <string.h>

enum { COLUMNS = 64, RECORD_MAX = 1 << 20 };

struct csv {
    bool known;
    uint8_t delimiter;
    enum import_column columns[COLUMNS];
    size_t count;
    struct buf joined; /* lines of a record that goes on */
    uint64_t joined_line;
    bool open;
    struct buf value;
    struct import_fields fields;
};

static uint8_t delimiter_of(const uint8_t *line, size_t size)
{
    if (memchr(line, '\t', size) != NULL)
        return '\t';
    return memchr(line, ';', size) != NULL ? ';' : ',';
}

/* Takes one field off the line into `value`, without its quotes. False when the line was over before. */
static bool next_field(const uint8_t **at, const uint8_t *end, uint8_t delimiter, struct buf *value)
{
    const uint8_t *p = *at;

    buf_clear(value);
    if (p == NULL)
        return false;
    if (p < end && *p == '"') {
        for (p++; p < end; p++) {
            const uint8_t *quote = memchr(p, '"', (size_t)(end - p));

            buf_append(value, p, (size_t)((quote != NULL ? quote : end) - p));
            p = quote != NULL ? quote + 1 : end;
            if (p >= end || *p != '"')
                break;
            buf_u8(value, '"');
        }
    }
    if (p < end && *p != delimiter) {
        const uint8_t *stop = memchr(p, delimiter, (size_t)(end - p));

        buf_append(value, p, (size_t)((stop != NULL ? stop : end) - p));
        p = stop != NULL ? stop : end;
    }
    *at = p < end ? p + 1 : NULL;
    return true;
}

static size_t read_columns(struct csv *csv, const uint8_t *line, size_t size)
{
    const uint8_t *at = line, *end = line + size;
    size_t hashes = 0;

    csv->delimiter = delimiter_of(line, size);
    csv->count = 0;
    while (csv->count < COLUMNS && next_field(&at, end, csv->delimiter, &csv->value)) {
        enum import_column column = import_column_of(csv->value.data, csv->value.size);

        csv->columns[csv->count++] = column;
        hashes += column == COLUMN_HASH;
    }
    csv->known = hashes > 0;
    return hashes;
}

static size_t line_size(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    size_t length = end != NULL ? (size_t)(end - data) : size;

    return length > 0 && data[length - 1] == '\r' ? length - 1 : length;
}

static bool csv_is(const uint8_t *head, size_t size)
{
    struct csv csv = {0};
    size_t length = line_size(head, size);
    bool is = length < 65536 && read_columns(&csv, head, length) > 0;

    buf_finish(&csv.value);
    return is;
}

static int record(struct import *import, struct csv *csv, const uint8_t *line, size_t size)
{
    const uint8_t *at = line, *end = line + size;

    if (size > 0 && line[size - 1] == '\r')
        end--;
    if (at == end)
        return 0;
    if (!csv->known) {
        if (read_columns(csv, line, (size_t)(end - line)) == 0)
            return why_set(import->why, -EBADMSG, "%s: no column of its head line is a hash", import->path);
        return 0;
    }
    import_fields_clear(&csv->fields);
    for (size_t i = 0; i < csv->count && next_field(&at, end, csv->delimiter, &csv->value); i++) {
        if (csv->columns[i] != COLUMN_NONE)
            import_fields_take(&csv->fields, csv->columns[i], csv->value.data, csv->value.size);
    }
    return buf_failed(&csv->value) ? -ENOMEM : import_fields_row(import, &csv->fields);
}

static bool quotes_are_odd(const uint8_t *line, size_t size)
{
    const uint8_t *end = line + size;
    bool odd = false;

    while ((line = memchr(line, '"', (size_t)(end - line))) != NULL) {
        odd = !odd;
        line++;
    }
    return odd;
}

/* A line that goes on in the next: kept until the quotes are even, or until it is plainly no record. */
static int joined(struct import *import, struct csv *csv, const uint8_t *line, size_t size, bool odd)
{
    uint64_t now = import->result->lines;
    int rc = 0;

    if (csv->joined.size == 0)
        csv->joined_line = now;
    buf_append(&csv->joined, line, size);
    buf_u8(&csv->joined, '\n');
    csv->open = csv->open != odd;
    if (csv->open && csv->joined.size < RECORD_MAX)
        return buf_failed(&csv->joined) ? -ENOMEM : 0;
    import->result->lines = csv->joined_line;
    if (csv->open)
        import_bad(import);
    else
        rc = record(import, csv, csv->joined.data, csv->joined.size - 1);
    import->result->lines = now;
    csv->open = false;
    buf_clear(&csv->joined);
    return rc;
}

static int csv_data(struct import *import, const uint8_t *data, size_t size)
{
    struct csv *csv = import->state;
    const uint8_t *end = data + size;
    int rc = 0;

    while (data < end && rc == 0) {
        const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));
        size_t length = (size_t)((stop != NULL ? stop : end) - data);
        bool odd = quotes_are_odd(data, length);

        import->result->lines++;
        rc = odd || csv->open ? joined(import, csv, data, length, odd) : record(import, csv, data, length);
        data = stop != NULL ? stop + 1 : end;
    }
    return rc;
}

static int csv_end(struct import *import)
{
    const struct csv *csv = import->state;

    if (csv->open)
        return why_set(import->why, -EBADMSG, "%s: line %llu: a quote that is never closed", import->path,
                       (unsigned long long)csv->joined_line);
    return 0;
}

static void csv_finish(struct import *import)
{
    struct csv *csv = import->state;

    buf_finish(&csv->joined);
    buf_finish(&csv->value);
    import_fields_finish(&csv->fields);
}

const struct import_format import_csv = {.name = "CSV",
                                         .lines = true,
                                         .labelled = true,
                                         .is = csv_is,
                                         .state_size = sizeof(struct csv),
                                         .data = csv_data,
                                         .end = csv_end,
                                         .finish = csv_finish};
