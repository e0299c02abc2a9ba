/*
 * record: descriptions of records, and their wire form.
 *
 * On the wire a record is its fields in order, each a byte that says whether it is there (0 or 1) and then
 * u64le, i64le, or a length as u32le with that many bytes. One value has one form: an absent WHEN is 0, never
 * WHEN_NONE.
 */
#include "engine/scan/record.h"

#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/scan/record_check.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 512 }; /* bytes of a `what` or `unit` */

struct value value_text(const char *text)
{
    return text != NULL ? value_bytes(text, strlen(text)) : value_none();
}

struct value value_escaped(struct buf *room, const void *data, size_t size)
{
    buf_clear(room);
    text_escape(room, data, size < RECORD_SIZE_MAX ? size : RECORD_SIZE_MAX);
    return value_bytes(buf_cstr(room), room->size);
}

static bool name_is_valid(const char *name)
{
    size_t length;

    if (name == NULL || name[0] < 'a' || name[0] > 'z')
        return false;
    length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[length] == '\0' && length <= RECORD_NAME_MAX;
}

static bool words_are_valid(const char *words)
{
    return words != NULL && strnlen(words, WORDS_MAX + 1) <= WORDS_MAX &&
           record_text_is_printable(words, strlen(words));
}

static bool field_is_valid(const struct field *field)
{
    return name_is_valid(field->name) && (unsigned)field->kind <= FIELD_WHEN &&
           words_are_valid(field->unit) && words_are_valid(field->what) && field->what[0] != '\0';
}

bool record_type_is_valid(const struct record_type *type)
{
    if (type == NULL || !name_is_valid(type->name) || type->version == 0 || !words_are_valid(type->what) ||
        type->what[0] == '\0')
        return false;
    if (type->fields == NULL || type->field_count == 0 || type->field_count > RECORD_FIELDS_MAX)
        return false;
    for (size_t i = 0; i < type->field_count; i++) {
        if (!field_is_valid(&type->fields[i]))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(type->fields[i].name, type->fields[j].name) == 0)
                return false;
        }
    }
    return true;
}

static bool kind_has_bytes(enum field_kind kind)
{
    return kind == FIELD_TEXT || kind == FIELD_BYTES || kind == FIELD_JSON;
}

static bool value_is_absent(const struct value *value, enum field_kind kind)
{
    return !value->present || (kind == FIELD_WHEN && value->as.i64 == WHEN_NONE);
}

static bool content_is_valid(enum field_kind kind, const void *data, size_t size)
{
    if (kind == FIELD_TEXT)
        return record_text_is_printable(data, size);
    return kind != FIELD_JSON || record_json_is_valid(data, size);
}

/* 0, -E2BIG or -EINVAL, before anything is written. Sizes first: a lying length must not be read. */
static int values_check(const struct record_type *type, const struct value *values)
{
    size_t size = 0;

    for (size_t i = 0; i < type->field_count; i++) {
        enum field_kind kind = type->fields[i].kind;

        size += 1;
        if (value_is_absent(&values[i], kind))
            continue;
        size += kind_has_bytes(kind) ? 4 : 8;
        if (!kind_has_bytes(kind))
            continue;
        if (values[i].as.bytes.size > RECORD_SIZE_MAX)
            return -E2BIG;
        size += values[i].as.bytes.size;
    }
    if (size > RECORD_SIZE_MAX)
        return -E2BIG;
    for (size_t i = 0; i < type->field_count; i++) {
        enum field_kind kind = type->fields[i].kind;

        if (value_is_absent(&values[i], kind) || !kind_has_bytes(kind))
            continue;
        if (values[i].as.bytes.data == NULL && values[i].as.bytes.size > 0)
            return -EINVAL;
        if (!content_is_valid(kind, values[i].as.bytes.data, values[i].as.bytes.size))
            return -EINVAL;
    }
    return 0;
}

static void value_write(struct buf *buf, enum field_kind kind, const struct value *value)
{
    if (value_is_absent(value, kind)) {
        buf_u8(buf, 0);
        return;
    }
    buf_u8(buf, 1);
    if (kind_has_bytes(kind))
        buf_blob(buf, value->as.bytes.data, value->as.bytes.size);
    else if (kind == FIELD_U64)
        buf_u64le(buf, value->as.u64 > INT64_MAX ? INT64_MAX : value->as.u64);
    else
        buf_i64le(buf, value->as.i64);
}

int record_encode(struct buf *buf, const struct record_type *type, const struct value *values)
{
    int rc = values_check(type, values);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < type->field_count; i++)
        value_write(buf, type->fields[i].kind, &values[i]);
    return buf_failed(buf) ? -ENOMEM : 0;
}

static bool value_read(struct bytes *bytes, enum field_kind kind, struct value *ret_value)
{
    uint8_t present = bytes_u8(bytes);
    struct value value = {.present = true};

    if (present == 0) {
        *ret_value = value_none();
        return !bytes_failed(bytes);
    }
    if (present != 1)
        return false;
    if (kind_has_bytes(kind)) {
        value.as.bytes.data = bytes_blob(bytes, &value.as.bytes.size);
        if (value.as.bytes.data == NULL || !content_is_valid(kind, value.as.bytes.data, value.as.bytes.size))
            return false;
    } else if (kind == FIELD_U64) {
        value.as.u64 = bytes_u64le(bytes);
        if (value.as.u64 > INT64_MAX)
            return false;
    } else {
        value.as.i64 = bytes_i64le(bytes);
        if (kind == FIELD_WHEN && value.as.i64 == WHEN_NONE)
            return false;
    }
    *ret_value = value;
    return !bytes_failed(bytes);
}

int record_decode(struct bytes *bytes, const struct record_type *type, struct value *ret_values)
{
    if (bytes_failed(bytes) || bytes_left(bytes) > RECORD_SIZE_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < type->field_count; i++) {
        if (!value_read(bytes, type->fields[i].kind, &ret_values[i]))
            return -EBADMSG;
    }
    return bytes_left(bytes) == 0 ? 0 : -EBADMSG;
}

void record_type_write(struct buf *buf, const struct record_type *type)
{
    buf_string(buf, type->name);
    buf_u32le(buf, type->version);
    buf_string(buf, type->what);
    buf_u32le(buf, (uint32_t)type->field_count);
    for (size_t i = 0; i < type->field_count; i++) {
        buf_string(buf, type->fields[i].name);
        buf_u32le(buf, (uint32_t)type->fields[i].kind);
        buf_string(buf, type->fields[i].unit);
        buf_string(buf, type->fields[i].what);
    }
}

/* What record_type_read allocates: one piece, so that one free ends it. */
struct read_type {
    struct record_type type;
    struct field fields[RECORD_FIELDS_MAX];
    char *next; /* where the next string goes */
    char strings[];
};

/* NULL (and the reader failed) when there is no acceptable string. */
static const char *string_read(struct bytes *bytes, struct read_type *into)
{
    const char *string = bytes_string(bytes), *copy = into->next;
    size_t size;

    if (string == NULL)
        return NULL;
    size = strlen(string) + 1;
    memcpy(into->next, string, size);
    into->next += size;
    return copy;
}

int record_type_read(struct bytes *bytes, struct record_type **ret_type)
{
    struct read_type *into;
    uint32_t count;

    /* Every string lies in what is left to read, so that much room is enough. */
    into = calloc(1, sizeof *into + bytes_left(bytes));
    if (into == NULL)
        return -ENOMEM;
    into->next = into->strings;
    into->type.name = string_read(bytes, into);
    into->type.version = bytes_u32le(bytes);
    into->type.what = string_read(bytes, into);
    count = bytes_u32le(bytes);
    if (count > RECORD_FIELDS_MAX)
        bytes_fail(bytes);
    for (uint32_t i = 0; i < count && !bytes_failed(bytes); i++) {
        uint32_t kind;

        into->fields[i].name = string_read(bytes, into);
        kind = bytes_u32le(bytes);
        if (kind > FIELD_WHEN)
            bytes_fail(bytes);
        into->fields[i].kind = (enum field_kind)kind;
        into->fields[i].unit = string_read(bytes, into);
        into->fields[i].what = string_read(bytes, into);
    }
    into->type.fields = into->fields;
    into->type.field_count = count;
    if (bytes_failed(bytes) || !record_type_is_valid(&into->type)) {
        free(into);
        return -EBADMSG;
    }
    *ret_type = &into->type;
    return 0;
}

void record_type_free(struct record_type *type)
{
    static_assert(offsetof(struct read_type, type) == 0, "one pointer is both");
    free(type);
}
