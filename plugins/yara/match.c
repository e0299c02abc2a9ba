/*
 * match: tags, metadata and matching strings as JSON, each with a bound of its own, so that together with the
 * names they always fit into a record.
 */
#include "plugins/yara/match.h"

#include "engine/base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAGS_SIZE_MAX = 4 * 1024,
    META_SIZE_MAX = 12 * 1024,
    META_VALUE_MAX = 1024,
    STRINGS_SIZE_MAX = 30 * 1024,
    PER_STRING_MAX = 64,
    STRINGS_MAX = 512,
    AROUND_MAX = 16, /* bytes before and behind a match */
    ESCAPED_MAX = 6, /* bytes that one byte may become in JSON */
};

static const struct field match_fields[] = {
    {"rule", FIELD_TEXT, "", "name of the rule"},
    {"namespace", FIELD_TEXT, "", "file of the rule, without its extension"},
    {"tags", FIELD_JSON, "", "the rule's tags"},
    {"meta", FIELD_JSON, "", "the rule's metadata"},
    {"strings", FIELD_JSON, "", "where its strings match: id, offset, length, first bytes, bytes around"},
    {"string_count", FIELD_U64, "", "all matches of its strings, shown or not"},
    {"severity", FIELD_U64, "0 to 100", "severity that the rule's author gives it"},
    {"ruleset", FIELD_TEXT, "", "set of rules that the file belongs to"},
    {"line", FIELD_U64, "", "where the rule begins in its file"},
    {"last_line", FIELD_U64, "", "where it ends"},
    {"physical", FIELD_JSON, "bytes",
     "where on the medium each of `strings` begins, in their order; null when it is not there as it stands"},
};

const struct record_type yara_match_type = {"match", 3, "a YARA rule that matches", match_fields,
                                            sizeof match_fields / sizeof match_fields[0]};

void matches_finish(struct matches *matches)
{
    for (size_t i = 0; i < MATCHES_MAX; i++) {
        struct held_match *held = &matches->items[i];

        buf_finish(&held->tags);
        buf_finish(&held->meta);
        buf_finish(&held->strings);
        buf_finish(&held->physical);
    }
    *matches = (struct matches){.count = 0};
}

void matches_clear(struct matches *matches)
{
    matches->count = 0;
}

static void write_tags(struct buf *buf, const YR_RULE *rule)
{
    struct json json;
    const char *tag;

    json_init(&json, buf);
    json_array_open(&json, NULL);
    yr_rule_tags_foreach(rule, tag)
    {
        if (buf->size + strlen(tag) + 8 <= TAGS_SIZE_MAX)
            json_text(&json, NULL, tag);
    }
    json_array_close(&json);
}

/* The first bytes of a text, cut at a character's edge. */
static size_t value_size(const char *text)
{
    size_t size = strnlen(text, META_VALUE_MAX + 1);

    if (size <= META_VALUE_MAX)
        return size;
    size = META_VALUE_MAX;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void write_value(struct json *json, const char *key, const YR_META *meta)
{
    if (meta->type == META_TYPE_INTEGER)
        json_i64(json, key, meta->integer);
    else if (meta->type == META_TYPE_BOOLEAN)
        json_bool(json, key, meta->integer != 0);
    else
        json_bytes(json, key, meta->string, value_size(meta->string));
}

static size_t value_room(const YR_META *meta)
{
    return strlen(meta->identifier) + 40 +
           (meta->type == META_TYPE_STRING ? value_size(meta->string) * ESCAPED_MAX : 0);
}

static bool is_repeated(const YR_RULE *rule, const YR_META *meta)
{
    const YR_META *other;

    yr_rule_metas_foreach(rule, other)
    {
        if (other != meta && strcmp(other->identifier, meta->identifier) == 0)
            return true;
    }
    return false;
}

static bool is_first(const YR_RULE *rule, const YR_META *meta)
{
    const YR_META *other;

    yr_rule_metas_foreach(rule, other)
    {
        if (strcmp(other->identifier, meta->identifier) == 0)
            return other == meta;
    }
    return true;
}

/* YARA lets a name come more than once ("hash"); JSON does not: then its value is an array. */
static void write_repeated(struct json *json, const YR_RULE *rule, const YR_META *meta)
{
    const YR_META *other;

    json_array_open(json, meta->identifier);
    yr_rule_metas_foreach(rule, other)
    {
        if (strcmp(other->identifier, meta->identifier) == 0 &&
            json->buf->size + value_room(other) <= META_SIZE_MAX)
            write_value(json, NULL, other);
    }
    json_array_close(json);
}

static void write_meta(struct buf *buf, const YR_RULE *rule)
{
    struct json json;
    const YR_META *meta;

    json_init(&json, buf);
    json_object_open(&json, NULL);
    yr_rule_metas_foreach(rule, meta)
    {
        if (buf->size + value_room(meta) > META_SIZE_MAX)
            continue;
        if (!is_repeated(rule, meta))
            write_value(&json, meta->identifier, meta);
        else if (is_first(rule, meta))
            write_repeated(&json, rule, meta);
    }
    json_object_close(&json);
}

/* The bytes before and behind what matched, as far as the content goes. */
static void write_around(struct json *json, const struct match *of, uint64_t offset, uint64_t length)
{
    uint64_t before = offset < AROUND_MAX ? offset : AROUND_MAX, left;

    if (offset > of->size || length > of->size - offset)
        return;
    left = of->size - offset - length;
    json_hex(json, "before", of->data + offset - before, (size_t)before);
    json_hex(json, "after", of->data + offset + length, left < AROUND_MAX ? (size_t)left : AROUND_MAX);
}

static void write_match(struct json *json, const struct match *of, const YR_STRING *string,
                        const YR_MATCH *match)
{
    size_t size = match->data_length < 0 ? 0 : (size_t)match->data_length;

    json_object_open(json, NULL);
    json_text(json, "id", string->identifier);
    json_u64(json, "offset", (uint64_t)(match->base + match->offset));
    json_u64(json, "length", (uint64_t)match->match_length);
    json_hex(json, "data", match->data, size < MATCH_DATA_MAX ? size : MATCH_DATA_MAX);
    write_around(json, of, (uint64_t)(match->base + match->offset), (uint64_t)match->match_length);
    json_object_close(json);
}

/* libyara packs its matches one behind the other without regard to alignment: each is copied before it is
 * read. */
static bool next_match(const void **at, YR_MATCH *ret_match)
{
    while (*at != NULL) {
        memcpy(ret_match, *at, sizeof *ret_match);
        *at = ret_match->next;
        if (!ret_match->is_private)
            return true;
    }
    return false;
}

static void write_place(struct json *json, struct scan *scan, const YR_MATCH *match)
{
    uint64_t physical = scan_physical(scan, (uint64_t)(match->base + match->offset));

    if (physical == UINT64_MAX)
        json_none(json, NULL);
    else
        json_u64(json, NULL, physical);
}

/* Returns how many matches there are, shown or not. */
static uint64_t write_strings(struct scan *scan, struct held_match *held, YR_SCAN_CONTEXT *context,
                              const struct match *of)
{
    const YR_RULE *rule = of->rule;
    struct buf *buf = &held->strings;
    uint64_t count = 0, shown = 0;
    const YR_STRING *string;
    struct json json, places;
    YR_MATCH match;

    json_init(&json, buf);
    json_array_open(&json, NULL);
    json_init(&places, &held->physical);
    json_array_open(&places, NULL);
    yr_rule_strings_foreach(rule, string)
    {
        size_t room = strlen(string->identifier) + 140 + (size_t)2 * (MATCH_DATA_MAX + 2 * AROUND_MAX),
               of_string = 0;
        const void *at = context->matches[string->idx].head;

        while (next_match(&at, &match)) {
            count++;
            if (of_string++ >= PER_STRING_MAX || shown >= STRINGS_MAX || buf->size + room > STRINGS_SIZE_MAX)
                continue;
            shown++;
            write_match(&json, of, string, &match);
            write_place(&places, scan, &match);
        }
    }
    json_array_close(&json);
    json_array_close(&places);
    return count;
}

/* An integer, or a text that is one. A rule that says "high" has no number. */
static struct value severity(const YR_RULE *rule)
{
    const YR_META *meta;
    char *end;

    yr_rule_metas_foreach(rule, meta)
    {
        unsigned long number;

        if (strcmp(meta->identifier, "severity") != 0)
            continue;
        if (meta->type == META_TYPE_INTEGER)
            return meta->integer >= 0 ? value_u64((uint64_t)meta->integer) : value_none();
        if (meta->type != META_TYPE_STRING || meta->string[0] < '0' || meta->string[0] > '9')
            return value_none();
        number = strtoul(meta->string, &end, 10);
        return *end == '\0' ? value_u64(number) : value_none();
    }
    return value_none();
}

int matches_add(struct matches *matches, struct scan *scan, YR_SCAN_CONTEXT *context,
                const struct match *match)
{
    struct held_match *held;

    if (matches->count == MATCHES_MAX)
        return -ENOSPC;
    held = &matches->items[matches->count++];
    held->rule = match->rule;
    held->place = match->place;
    held->index = match->index;
    buf_clear(&held->tags);
    buf_clear(&held->meta);
    buf_clear(&held->strings);
    buf_clear(&held->physical);
    write_tags(&held->tags, match->rule);
    write_meta(&held->meta, match->rule);
    held->count = write_strings(scan, held, context, match);
    return buf_failed(&held->tags) || buf_failed(&held->meta) || buf_failed(&held->strings) ||
                   buf_failed(&held->physical)
               ? -ENOMEM
               : 0;
}

static int tell(const struct held_match *held, struct scan *scan)
{
    const struct rule_place *place = held->place;

    return scan_emit(scan, &yara_match_type,
                     (const struct value[]){
                         value_text(held->rule->identifier),
                         value_text(held->rule->ns->name),
                         value_bytes(held->tags.data, held->tags.size),
                         value_bytes(held->meta.data, held->meta.size),
                         value_bytes(held->strings.data, held->strings.size),
                         value_u64(held->count),
                         severity(held->rule),
                         place != NULL ? value_text(place->set) : value_none(),
                         place != NULL ? value_u64(place->line) : value_none(),
                         place != NULL ? value_u64(place->last_line) : value_none(),
                         value_bytes(held->physical.data, held->physical.size),
                     });
}

static int compare_held(const void *a, const void *b)
{
    const struct held_match *one = a, *two = b;

    return (one->index > two->index) - (one->index < two->index);
}

int matches_tell(struct matches *matches, struct scan *scan)
{
    int code = 0;

    qsort(matches->items, matches->count, sizeof matches->items[0], compare_held);
    for (size_t i = 0; i < matches->count && code >= 0; i++)
        code = tell(&matches->items[i], scan);
    matches_clear(matches);
    return code;
}
