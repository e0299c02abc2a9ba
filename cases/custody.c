/*
 * custody: records of people, read from the ledger with their corrections.
 */
#include "cases/custody_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void custody_free(struct custody *custody)
{
    if (!custody)
        return;
    for (size_t i = 0; i < custody->count; i++) {
        json_decref(custody->records[i].fields);
        free((char *)(uintptr_t)custody->records[i].time);
        free((char *)(uintptr_t)custody->records[i].actor);
    }
    free(custody->records);
    free(custody);
}

/* ------------------------------------------------------------------ values */

const char *custody_scalar(const json_t *value, char room[24])
{
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_integer(value))
        return NULL;
    snprintf(room, 24, "%lld", (long long)json_integer_value(value));
    return room;
}

size_t custody_count(const struct custody *custody)
{
    return custody->count;
}

const struct custody_record *custody_at(const struct custody *custody, size_t index)
{
    return index < custody->count ? &custody->records[index] : NULL;
}

size_t custody_values(const struct custody_record *record, const char *field)
{
    const json_t *value = json_object_get(record->fields, field);
    return json_is_array(value) ? json_array_size(value) : value ? 1 : 0;
}

const char *custody_value(const struct custody_record *record, const char *field, size_t index)
{
    static char room[24];
    const json_t *value = json_object_get(record->fields, field);
    if (json_is_array(value))
        value = json_array_get(value, index);
    else if (index)
        value = NULL;
    const char *text = value ? custody_scalar(value, room) : NULL;
    return text ? text : "";
}

void custody_text(const struct custody_record *record, const char *field, struct buf *buf)
{
    size_t count = custody_values(record, field);
    for (size_t i = 0; i < count; i++)
        buf_printf(buf, "%s%s", i ? "; " : "", custody_value(record, field, i));
}

const struct custody_record *custody_find(const struct custody *custody, const char *word, const char *field,
                                          const char *value, const char *has)
{
    for (size_t i = custody->count; i-- > 0;) {
        const struct custody_record *record = &custody->records[i];
        if (record->withdrawn || strcmp(record->kind->word, word) != 0 ||
            (has && !custody_values(record, has)))
            continue;
        size_t count = value ? custody_values(record, field) : 0;
        bool same = !value;
        for (size_t n = 0; n < count && !same; n++)
            same = strcmp(custody_value(record, field, n), value) == 0;
        if (same)
            return record;
    }
    return NULL;
}

void custody_person(const struct custody *custody, const char *id, struct buf *buf)
{
    const struct custody_record *person = custody_find(custody, "person", "id", id, NULL);
    if (!person) {
        buf_text(buf, id);
        return;
    }
    buf_printf(buf, "%s", custody_value(person, "given_name", 0));
    buf_printf(buf, " %s", custody_value(person, "family_name", 0));
    buf_printf(buf, ", %s", custody_value(person, "position", 0));
    buf_printf(buf, " (%s)", custody_value(person, "agency", 0));
}

/* ------------------------------------------------------------------ loading */

static struct custody_record *numbered(struct custody *custody, uint64_t number)
{
    for (size_t i = 0; i < custody->count; i++)
        if (custody->records[i].number == number)
            return &custody->records[i];
    return NULL;
}

/* What a correction says holds from now on; the record itself stays in the ledger as it was. */
static void correct(struct custody *custody, const struct custody_record *correction)
{
    uint64_t of = strtoull(custody_value(correction, "of_record", 0), NULL, 10);
    struct custody_record *record = numbered(custody, of);
    const char *name = custody_value(correction, "field", 0);
    const struct custody_field *field = record ? custody_field(record->kind, name) : NULL;
    if (!record || record->number >= correction->number)
        return; /* of a record that people did not write: it is told in the list, and changes nothing here */
    record->corrected = correction->number;
    json_t *value = json_object_get(correction->fields, "value");
    if (!*name)
        record->withdrawn = true;
    else if (field && value && !(field->flags & CUSTODY_LIST) && json_is_array(value))
        json_object_set(record->fields, name, json_array_get(value, 0));
    else if (field && value)
        json_object_set(record->fields, name, value);
    else if (field)
        json_object_del(record->fields, name);
}

int custody_take(struct custody *custody, const struct custody_kind *kind, uint64_t number, const char *time,
                 const char *actor, json_t *fields)
{
    struct custody_record *more = realloc(custody->records, (custody->count + 1) * sizeof *more);
    char *time_copy = strdup(time), *actor_copy = strdup(actor);
    if (more)
        custody->records = more;
    if (!more || !time_copy || !actor_copy || !fields) {
        free(time_copy);
        free(actor_copy);
        json_decref(fields);
        return -ENOMEM;
    }
    struct custody_record *record = &custody->records[custody->count++];
    *record = (struct custody_record){
        .number = number, .kind = kind, .time = time_copy, .actor = actor_copy, .fields = fields};
    if (strcmp(kind->word, "correction") == 0)
        correct(custody, record);
    return 0;
}

static int load_record(void *context, const struct ledger_record *line)
{
    static const char *const chain[] = {"v", "seq", "time", "type", "actor", "prev"};
    struct custody *custody = context;
    const struct custody_kind *kind = custody_kind_of(line->type);
    custody->lines = line->line;
    if (!kind)
        return 0;
    json_t *fields = json_loads(line->json, 0, NULL);
    for (size_t i = 0; fields && i < sizeof chain / sizeof *chain; i++)
        json_object_del(fields, chain[i]);
    return custody_take(custody, kind, line->line, line->time, line->actor, fields);
}

int custody_load(const char *folder, struct custody **ret_custody, struct why *why)
{
    char path[4096], head[SHA256_HEX_SIZE];
    uint64_t count;
    struct custody *custody = calloc(1, sizeof *custody);
    if (!custody || snprintf(path, sizeof path, "%s/ledger.jsonl", folder) >= (int)sizeof path) {
        free(custody);
        return why_set(why, -ENOMEM, "%s: out of memory, or the path is too long", folder);
    }
    int code = ledger_walk(path, load_record, custody, &count, head, why);
    if (code) {
        custody_free(custody);
        return code;
    }
    *ret_custody = custody;
    return 0;
}
