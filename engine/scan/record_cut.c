/* record_cut: see record_cut.h. */
#include "engine/scan/record_cut.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <string.h>

static bool has_bytes(enum field_kind kind)
{
    return kind == FIELD_TEXT || kind == FIELD_BYTES || kind == FIELD_JSON;
}

static bool is_there(const struct value *value, enum field_kind kind)
{
    return value->present && !(kind == FIELD_WHEN && value->as.i64 == WHEN_NONE);
}

/* The record's size on the wire (record.c) if no value had more than `most` bytes. */
static size_t size_with(const struct record_type *type, const struct value *values, size_t most)
{
    size_t total = type->field_count;

    for (size_t i = 0; i < type->field_count; i++) {
        size_t size = values[i].as.bytes.size;

        if (!is_there(&values[i], type->fields[i].kind))
            continue;
        total += has_bytes(type->fields[i].kind) ? sizeof(uint32_t) + (size < most ? size : most)
                                                 : sizeof(uint64_t);
    }
    return total;
}

/* The greatest length of values with which the record fits. */
static size_t common_length(const struct record_type *type, const struct value *values)
{
    size_t fits = 0, most = RECORD_SIZE_MAX;

    while (fits < most) {
        size_t middle = fits + (most - fits + 1) / 2;

        if (size_with(type, values, middle) <= RECORD_SIZE_MAX)
            fits = middle;
        else
            most = middle - 1;
    }
    return fits;
}

/* The length of the character or escape that `data` begins with. */
static size_t unit_size(const char *data, size_t size)
{
    uint32_t code;
    size_t length;

    if (data[0] == '\\')
        return size >= 2 && data[1] == 'x' ? 4 : 2;
    length = text_character(data, size, &code);
    return length > 0 ? length : 1;
}

static size_t text_cut(const char *data, size_t size, size_t most)
{
    size_t kept = 0, unit;

    while (kept < most && kept + (unit = unit_size(data + kept, size - kept)) <= most)
        kept += unit;
    return kept;
}

/* Where the last element ends of those that fit into `most` bytes together with the brackets; 0: it is no
 * array. */
static size_t array_cut(const char *data, size_t most)
{
    size_t kept = 0, depth = 0;
    bool quoted = false;

    for (size_t i = 0; i + 1 < most; i++) {
        char c = data[i];

        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (depth++ == 0)
                kept = c == '[' ? i + 1 : 0;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',' && depth == 1 && kept > 0) {
            kept = i;
        }
    }
    return kept;
}

/* What values are cut to, and the JSON that is written anew. */
struct cut {
    struct value values[RECORD_FIELDS_MAX];
    struct buf json;
    size_t starts[RECORD_FIELDS_MAX]; /* of such JSON, + 1 */
};

static void cut_json(struct cut *cut, size_t field, size_t most)
{
    struct value *value = &cut->values[field];
    size_t kept = array_cut(value->as.bytes.data, most);

    if (kept == 0) {
        *value = value_none();
        return;
    }
    cut->starts[field] = cut->json.size + 1;
    buf_append(&cut->json, value->as.bytes.data, kept);
    buf_u8(&cut->json, ']');
    value->as.bytes.size = kept + 1;
}

static void cut_value(struct cut *cut, const struct field *field, size_t number, size_t most,
                      struct buf *told)
{
    struct value *value = &cut->values[number];

    if (field->kind == FIELD_JSON)
        cut_json(cut, number, most);
    else if (field->kind == FIELD_TEXT)
        value->as.bytes.size = text_cut(value->as.bytes.data, value->as.bytes.size, most);
    else
        value->as.bytes.size = most;
    buf_printf(told, "%s%s ", told->size > 0 ? ", " : "", field->name);
    if (value->present)
        buf_printf(told, "(%zu bytes kept)", value->as.bytes.size);
    else
        buf_text(told, "(left out)");
}

/* Before a byte is read: 0, -EINVAL, -E2BIG. */
static int values_check(const struct record_type *type, const struct value *values)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (!values[i].present || !has_bytes(type->fields[i].kind))
            continue;
        if (values[i].as.bytes.size > PTRDIFF_MAX)
            return -E2BIG;
        if (values[i].as.bytes.data == NULL && values[i].as.bytes.size > 0)
            return -EINVAL;
    }
    return 0;
}

int record_encode_cut(struct buf *buf, const struct record_type *type, const struct value *values,
                      struct buf *told)
{
    struct cut cut = {.json = {0}};
    size_t most;
    int rc = values_check(type, values);

    if (rc < 0)
        return rc;
    most = common_length(type, values);
    memcpy(cut.values, values, type->field_count * sizeof *values);
    for (size_t i = 0; i < type->field_count; i++) {
        if (values[i].present && has_bytes(type->fields[i].kind) && values[i].as.bytes.size > most)
            cut_value(&cut, &type->fields[i], i, most, told);
    }
    for (size_t i = 0; i < type->field_count; i++) {
        if (cut.starts[i] > 0)
            cut.values[i].as.bytes.data = buf_cstr(&cut.json) + cut.starts[i] - 1;
    }
    rc = buf_failed(&cut.json) || buf_failed(told) ? -ENOMEM : record_encode(buf, type, cut.values);
    buf_finish(&cut.json);
    return rc;
}
