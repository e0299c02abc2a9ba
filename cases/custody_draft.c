/*
 * custody_draft: a record before it is written: what each field takes, and whether all is there.
 */
#include "cases/custody_private.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16 * 1024 };
#define NOT_READABLE "not readable"

struct custody_draft *custody_draft_new(const struct custody_kind *kind)
{
    struct custody_draft *draft = calloc(1, sizeof *draft);
    if (!draft)
        return NULL;
    draft->kind = kind;
    draft->fields = json_object();
    return draft;
}

void custody_draft_free(struct custody_draft *draft)
{
    if (!draft)
        return;
    json_decref(draft->fields);
    free(draft);
}

const struct custody_kind *custody_draft_kind(const struct custody_draft *draft)
{
    return draft->kind;
}

bool custody_draft_has(const struct custody_draft *draft, const char *field)
{
    return json_object_get(draft->fields, field) != NULL;
}

/* ------------------------------------------------------------------ what a field takes */

static int expected(struct why *why, const struct custody_field *field, const char *text, const char *words)
{
    struct buf safe = {0};
    text_escape(&safe, text, strlen(text));
    int code = why_set(why, -EINVAL, "%s: \"%s\": expected %s", field->name, buf_cstr(&safe), words);
    buf_finish(&safe);
    return code;
}

/* RFC 3339 with its offset: a time without one says nothing to somebody elsewhere. */
static bool is_time(const char *text)
{
    int64_t when;
    size_t size = strlen(text);
    bool zone = size > 6 && (text[size - 1] == 'Z' ||
                             ((text[size - 6] == '+' || text[size - 6] == '-') && text[size - 3] == ':'));
    return size >= 17 && zone && when_parse(text, &when);
}

static bool is_date(const char *text)
{
    int64_t when;
    return strlen(text) == 10 && when_parse(text, &when);
}

static bool is_number(const char *text)
{
    return *text && strlen(text) <= 15 && strspn(text, "0123456789") == strlen(text);
}

static bool is_hash(const char *text)
{
    const char *colon = strchr(text, ':'), *hex = colon ? colon + 1 : text;
    size_t digits = strspn(hex, "0123456789abcdefABCDEF");
    return digits >= 32 && digits % 2 == 0 && (hex[digits] == 0 || hex[digits] == ' ');
}

/* One of the words; '_' for a blank is taken too. ret_word is the form that is kept: with blanks. */
static bool is_choice(const char *words, const char *text, char ret_word[64])
{
    while (*words) {
        size_t size = strcspn(words, " "), i = 0;
        for (; i < size && i < 63; i++)
            ret_word[i] = words[i] == '_' ? ' ' : words[i];
        ret_word[i] = 0;
        char given[64];
        for (i = 0; text[i] && i < 63; i++)
            given[i] = text[i] == '_' ? ' ' : text[i];
        given[i] = 0;
        if (strcmp(given, ret_word) == 0)
            return true;
        words += size + (words[size] == ' ');
    }
    return false;
}

static int choices(struct why *why, const struct custody_field *field, const char *text)
{
    char words[256];
    snprintf(words, sizeof words, "one of %s", field->words);
    return expected(why, field, text, words);
}

static int take(const struct custody_field *field, const char *text, json_t **ret, struct why *why)
{
    char word[64] = "";
    switch (field->form) {
    case CUSTODY_TIME:
        if (!is_time(text))
            return expected(why, field, text, "a time with its offset, such as 2026-01-31T12:00:00+04:00");
        break;
    case CUSTODY_DATE:
        if (!is_date(text))
            return expected(why, field, text, "a date such as 2026-01-31");
        break;
    case CUSTODY_NUMBER:
    case CUSTODY_RECORD:
        if (!is_number(text))
            return expected(why, field, text, "a whole number");
        *ret = json_integer((json_int_t)strtoull(text, NULL, 10));
        return 0;
    case CUSTODY_HASH:
        if (!is_hash(text))
            return expected(why, field, text,
                            "a hash such as sha256:<hex>, with where it was stored behind a blank");
        break;
    case CUSTODY_CHOICE:
        if (!is_choice(field->words, text, word))
            return choices(why, field, text);
        *ret = json_string(word);
        return 0;
    case CUSTODY_TEXT:
    case CUSTODY_PERSON:
    case CUSTODY_EXHIBIT:
        break;
    }
    *ret = json_string(text);
    return 0;
}

static bool says_nothing(const struct custody_field *field, const char **text)
{
    if (!(field->flags & CUSTODY_NONE))
        return false;
    if (strcmp(*text, "-") == 0)
        *text = NOT_READABLE;
    return strcmp(*text, NOT_READABLE) == 0 || strcmp(*text, "none") == 0;
}

static int no_field(const struct custody_kind *kind, const char *name, struct why *why)
{
    struct buf names = {0};
    for (const struct custody_field *field = kind->fields; field->name; field++)
        buf_printf(&names, "%s%s", names.size ? " " : "", field->name);
    int code = why_set(why, -EINVAL, "%s: a record of this kind has no such field; it has: %s", name,
                       buf_cstr(&names));
    buf_finish(&names);
    return code;
}

int custody_draft_set(struct custody_draft *draft, const char *name, const char *text, struct why *why)
{
    const struct custody_field *field = custody_field(draft->kind, name);
    json_t *value = NULL;
    if (!field)
        return no_field(draft->kind, name, why);
    name = field->name;
    if (strspn(text, " \t\r\n") == strlen(text))
        return why_set(why, -EINVAL, "%s: it is blank%s", name,
                       field->flags & CUSTODY_NONE ? ": say \"not readable\" (or -) or \"none\"" : "");
    if (strlen(text) > TEXT_MAX || !text_is_utf8(text, strlen(text)))
        return why_set(why, -EINVAL, "%s: it is longer than %d bytes, or not UTF-8", name, TEXT_MAX);
    int code = 0;
    if (says_nothing(field, &text))
        value = json_string(text);
    else
        code = take(field, text, &value, why);
    if (code == 0 && !value)
        code = why_set(why, -ENOMEM, "out of memory");
    if (code)
        return code;
    json_t *list = json_object_get(draft->fields, name);
    if (!(field->flags & CUSTODY_LIST))
        json_object_set_new(draft->fields, name, value);
    else if (json_is_array(list))
        json_array_append_new(list, value);
    else {
        json_object_set_new(draft->fields, name, list = json_array());
        json_array_append_new(list, value);
    }
    return 0;
}

/* ------------------------------------------------------------------ is all there */

/* A later record of a person or an exhibit adds to what was said of it: then only what is new is needed. */
static bool adds_to_one(const struct custody_draft *draft, const struct custody *custody)
{
    char room[24];
    const char *key = draft->kind->key;
    const json_t *value = key ? json_object_get(draft->fields, key) : NULL;
    const char *text = value ? custody_scalar(value, room) : NULL;
    return (text && custody_find(custody, draft->kind->word, key, text, NULL)) ||
           (!key && strcmp(draft->kind->word, "case") == 0 &&
            custody_find(custody, "case", NULL, NULL, NULL));
}

/* What kvali fills in as soon as the exhibit is told is not asked for before that. */
static void put_missing(struct buf *names, const struct custody_draft *draft,
                        const struct custody_field *field)
{
    if ((field->flags & CUSTODY_KNOWN) && custody_field(draft->kind, "exhibit") &&
        !custody_draft_has(draft, "exhibit"))
        return;
    buf_printf(names, "%s%s", names->size ? ", " : "", field->name);
}

static int check_missing(const struct custody_draft *draft, const struct custody *custody, struct why *why)
{
    struct buf names = {0};
    if (adds_to_one(draft, custody))
        return 0;
    for (const struct custody_field *field = draft->kind->fields; field->name; field++)
        if ((field->flags & CUSTODY_MUST) && !custody_draft_has(draft, field->name))
            put_missing(&names, draft, field);
    int code = names.size ? why_set(why, -EINVAL, "%s: missing: %s", draft->kind->word, buf_cstr(&names)) : 0;
    buf_finish(&names);
    return code;
}

static bool exhibit_known(struct casefile *cf, const struct custody *custody, const char *label)
{
    struct db_statement *s;
    if (custody_find(custody, "exhibit", "exhibit", label, NULL))
        return true;
    if (db_prepare(casefile_db(cf), "SELECT 1 FROM t_exhibit WHERE label = ?1", &s))
        return false;
    db_bind_text(s, 1, label);
    bool known = db_step(s) == 1;
    db_finalize(s);
    return known;
}

int custody_check_name(const struct custody_kind *kind, const struct custody_field *field, const char *text,
                       struct casefile *cf, const struct custody *custody, struct why *why)
{
    if (field->form == CUSTODY_PERSON && !custody_find(custody, "person", "id", text, NULL))
        return why_set(why, -EINVAL, "%s: nobody is known as \"%s\": `kvali person add` first", field->name,
                       text);
    if (field->form == CUSTODY_EXHIBIT && strcmp(kind->word, "exhibit") != 0 &&
        !exhibit_known(cf, custody, text))
        return why_set(why, -EINVAL,
                       "%s: there is no exhibit \"%s\": `kvali add` or `kvali exhibit set` first",
                       field->name, text);
    if (field->form == CUSTODY_RECORD &&
        (strtoull(text, NULL, 10) == 0 || strtoull(text, NULL, 10) > custody->lines))
        return why_set(why, -EINVAL, "%s: the ledger has records 1 to %llu", field->name,
                       (unsigned long long)custody->lines);
    return 0;
}

static int check_names(const struct custody_draft *draft, struct casefile *cf, const struct custody *custody,
                       struct why *why)
{
    for (const struct custody_field *field = draft->kind->fields; field->name; field++) {
        json_t *value = json_object_get(draft->fields, field->name);
        size_t count = json_is_array(value) ? json_array_size(value) : value ? 1 : 0;
        for (size_t i = 0; i < count; i++) {
            char room[24];
            const char *text = custody_scalar(json_is_array(value) ? json_array_get(value, i) : value, room);
            int code = custody_check_name(draft->kind, field, text ? text : "", cf, custody, why);
            if (code)
                return code;
        }
    }
    return 0;
}

/* A correction names a field that the record has, with a value that the field takes. */
static int check_correction(const struct custody_draft *draft, const struct custody *custody, struct why *why)
{
    const char *name = json_string_value(json_object_get(draft->fields, "field"));
    json_t *values = json_object_get(draft->fields, "value"), *value;
    uint64_t of = (uint64_t)json_integer_value(json_object_get(draft->fields, "of_record"));
    const struct custody_record *record = NULL;
    for (size_t i = 0; i < custody->count; i++)
        if (custody->records[i].number == of)
            record = &custody->records[i];
    if (!record)
        return name ? why_set(why, -EINVAL,
                              "of_record: kvali wrote record %llu itself: leave --field out, and say in "
                              "the reason what is wrong",
                              (unsigned long long)of)
                    : 0;
    struct custody_draft *copy = custody_draft_new(record->kind);
    int code = copy ? 0 : -ENOMEM;
    size_t i;
    if (name && !custody_field(record->kind, name))
        code = why_set(why, -EINVAL, "field: record %llu has no field \"%s\"", (unsigned long long)of, name);
    json_array_foreach(values, i, value) if (code == 0 && name) code =
        custody_draft_set(copy, name, json_string_value(value) ? json_string_value(value) : "", why);
    if (code == 0 && name && !values && (custody_field(record->kind, name)->flags & CUSTODY_MUST))
        code = why_set(why, -EINVAL, "value: %s cannot be without one", name);
    custody_draft_free(copy);
    return code;
}

int custody_draft_check(const struct custody_draft *draft, struct casefile *cf, const struct custody *custody,
                        struct why *why)
{
    int code = check_missing(draft, custody, why);
    if (code == 0)
        code = check_names(draft, cf, custody, why);
    if (code == 0 && strcmp(draft->kind->word, "correction") == 0)
        code = check_correction(draft, custody, why);
    return code;
}

int custody_expect(struct custody *custody, const struct custody_draft *draft)
{
    char time[WHEN_TEXT_SIZE];
    return custody_take(custody, draft->kind, ++custody->lines, when_format_ms(when_now(), time), "",
                        json_deep_copy(draft->fields));
}

int custody_add(struct casefile *cf, struct custody *custody, const struct custody_draft *draft,
                uint64_t *ret_number, struct why *why)
{
    int code = custody_draft_check(draft, cf, custody, why);
    if (code)
        return code;
    char *fields = json_dumps(draft->fields, JSON_COMPACT | JSON_SORT_KEYS);
    code = fields ? ledger_append(casefile_ledger(cf), draft->kind->type, fields, why)
                  : why_set(why, -ENOMEM, "out of memory");
    free(fields);
    if (code)
        return code;
    custody->lines = ledger_count(casefile_ledger(cf)) - 1;
    if (ret_number)
        *ret_number = custody->lines + 1;
    code = custody_expect(custody, draft);
    return code ? why_set(why, code, "out of memory") : 0;
}
