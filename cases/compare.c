/*
 * compare: two streams of canonical lines (findings.h), merged by their keys.
 */
#include "cases/compare.h"

#include "cases/findings.h"
#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 96, SHOWN_MAX = 200 };

const char *compare_cause_name(enum compare_cause cause)
{
    static const char *const names[CAUSES] = {"evidence", "rules", "configuration", "version",
                                              "not explained"};
    return names[cause];
}

/* ------------------------------------------------------------------ what the cases were made with */

/* Cause, what, value; sorted. Of the last run, for that is whose settings and versions the findings are meant
 * to have. */
static const char facts_sql[] =
    "WITH last AS (SELECT * FROM t_run ORDER BY id DESC LIMIT 1) "
    "SELECT 0 AS cause, 'exhibit ' || label AS what, coalesce(sha256, 'not read') || ', ' || coalesce(size, "
    "0) || ' bytes' AS "
    "value FROM t_exhibit UNION ALL "
    "SELECT 1, plugin || ' ' || kind || ' ' || name, sha256 || CASE WHEN problem IS NULL THEN '' ELSE ' (not "
    "in use)' END FROM "
    "t_run_loaded WHERE run = (SELECT id FROM last) UNION ALL "
    "SELECT 2, j.key, j.value FROM last, json_each(last.settings, '$.settings') j WHERE j.key NOT IN "
    "('jobs', 'yara.rules', "
    "'carve.signatures', 'filetype.extensions', 'lab.plugins', 'profile') UNION ALL "
    "SELECT 3, substr(j.fullkey, 3), j.atom FROM last, json_tree(last.versions) j WHERE j.atom IS NOT NULL "
    "UNION ALL "
    "SELECT 3, 'plugin ' || plugin, max(plugin_version) FROM t_record_type GROUP BY plugin ORDER BY 1, 2, 3";

struct difference {
    enum compare_cause cause;
    char *what;
};

struct comparing {
    struct casefile *cases[2];
    struct findings *findings[2];
    void (*fact)(void *context, const struct compare_fact *fact);
    void (*item)(void *context, const struct compare_item *item);
    void *context;
    struct difference *differences;
    size_t difference_count;
    struct compare_result result;
};

static int add_difference(struct comparing *c, enum compare_cause cause, const char *what, const char *first,
                          const char *second)
{
    struct difference *more = realloc(c->differences, (c->difference_count + 1) * sizeof *more);
    char *copy = strdup(what);
    if (more)
        c->differences = more;
    if (!more || !copy) {
        free(copy);
        return -ENOMEM;
    }
    c->differences[c->difference_count++] = (struct difference){cause, copy};
    struct compare_fact fact = {cause, what, first, second};
    if (c->fact)
        c->fact(c->context, &fact);
    return 0;
}

static int order_facts(struct db_statement *a, struct db_statement *b)
{
    int64_t first = db_i64(a, 0), second = db_i64(b, 0);
    return first != second ? (first < second ? -1 : 1) : strcmp(db_text(a, 1), db_text(b, 1));
}

static int merge_facts(struct comparing *c, struct db_statement *a, struct db_statement *b)
{
    int in_a = db_step(a), in_b = db_step(b), code = 0;
    while (in_a >= 0 && in_b >= 0 && (in_a || in_b) && code == 0) {
        int order = !in_a ? 1 : !in_b ? -1 : order_facts(a, b);
        struct db_statement *named = order <= 0 ? a : b;
        const char *first = order <= 0 ? db_text(a, 2) : "", *second = order >= 0 ? db_text(b, 2) : "";
        enum compare_cause cause = (enum compare_cause)db_i64(named, 0);
        if (order && cause == CAUSE_VERSION && strncmp(db_text(named, 1), "plugin ", 7) == 0)
            cause =
                CAUSE_CONFIGURATION; /* it was left out, or nobody had it: that is no other version of it */
        if (order || strcmp(first, second) != 0)
            code = add_difference(c, cause, db_text(named, 1), first, second);
        if (order <= 0)
            in_a = db_step(a);
        if (order >= 0)
            in_b = db_step(b);
    }
    return code ? code : in_a < 0 ? in_a : in_b < 0 ? in_b : 0;
}

static int compare_facts(struct comparing *c)
{
    struct db_statement *s[2] = {NULL, NULL};
    int code = db_prepare(casefile_db(c->cases[0]), facts_sql, &s[0]);
    if (code == 0)
        code = db_prepare(casefile_db(c->cases[1]), facts_sql, &s[1]);
    if (code == 0)
        code = merge_facts(c, s[0], s[1]);
    db_finalize(s[0]);
    db_finalize(s[1]);
    return code;
}

/* ------------------------------------------------------------------ lines */

struct line {
    const struct findings_part *part;
    bool there;
    struct buf text;
    char *fields[FIELDS_MAX];
    size_t count;
};

static int next_line(struct findings *findings, struct line *line)
{
    const char *text;
    size_t size;
    buf_clear(&line->text);
    line->count = 0;
    int code = findings_next(findings, &line->part, &text, &size);
    line->there = code == 1;
    if (code != 1)
        return code;
    buf_append(&line->text, text, size - 1);
    buf_u8(&line->text, 0);
    if (buf_failed(&line->text))
        return -ENOMEM;
    char *at = (char *)line->text.data;
    while (line->count < FIELDS_MAX) {
        line->fields[line->count++] = at;
        at = strchr(at, '\t');
        if (!at)
            break;
        *at++ = 0;
    }
    return 0;
}

/* As SQLite sorts: NULL ('-') first, numbers by value. */
static int order_field(const char *a, const char *b, char kind)
{
    if (kind != 'i')
        return strcmp(a, b);
    bool no_a = strcmp(a, "-") == 0, no_b = strcmp(b, "-") == 0;
    if (no_a || no_b)
        return no_b - no_a;
    long long first = strtoll(a, NULL, 10), second = strtoll(b, NULL, 10);
    return first < second ? -1 : first > second;
}

/* Parts come in the order of the digest: fixed ones by their tag's place, records by name between. */
static int rank(const char *name)
{
    static const char *const tags[] = {"exhibit", "volume", "account", "entry",
                                       "stream",  "record", "note",    "fault"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strncmp(name, tags[i], strlen(tags[i])) == 0)
            return (int)i;
    return -1;
}

static int order_lines(const struct line *a, const struct line *b)
{
    if (!a->there || !b->there)
        return b->there - a->there;
    if (!a->part || !b->part)
        return 0; /* the first line of both */
    int order = rank(a->part->name) - rank(b->part->name);
    if (order == 0)
        order = strcmp(a->part->name, b->part->name);
    const char *keys = a->part->keys;
    for (size_t i = 0; order == 0 && keys[i] && i < a->count && i < b->count; i++)
        if (keys[i] == 't' || keys[i] == 'i')
            order = order_field(a->fields[i], b->fields[i], keys[i]);
    return order;
}

/* ------------------------------------------------------------------ why */

static bool differs(const struct comparing *c, enum compare_cause cause, const char *beginning)
{
    size_t size = strlen(beginning);
    for (size_t i = 0; i < c->difference_count; i++)
        if (c->differences[i].cause == cause && strncmp(c->differences[i].what, beginning, size) == 0 &&
            (size == 0 || c->differences[i].what[size] == 0 || c->differences[i].what[size] == ' '))
            return true;
    return false;
}

/* The plugin that said it, "" for the engine. */
static void plugin_of(const struct line *line, char ret[64])
{
    static const struct {
        const char *part;
        size_t field;
    } places[] = {{"record", 1}, {"note", 3}, {"fault", 5}, {"stream", 16}};
    ret[0] = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strncmp(line->part->name, places[i].part, strlen(places[i].part)) == 0 &&
            places[i].field < line->count) {
            strncat(ret, line->fields[places[i].field], 63);
            ret[strcspn(ret, ".-")] = 0;
        }
}

static const char *exhibit_of(const struct line *line)
{
    size_t field = strncmp(line->part->name, "record", 6) == 0 ? 3 : 1;
    return field < line->count ? line->fields[field] : "";
}

static enum compare_cause cause_of(const struct comparing *c, const struct line *line)
{
    char plugin[64], what[300];
    plugin_of(line, plugin);
    snprintf(what, sizeof what, "exhibit %s", exhibit_of(line));
    if (differs(c, CAUSE_EVIDENCE, what))
        return CAUSE_EVIDENCE;
    snprintf(what, sizeof what, "plugin %s", plugin);
    if (plugin[0] && differs(c, CAUSE_CONFIGURATION, what))
        return CAUSE_CONFIGURATION;
    if (plugin[0] && differs(c, CAUSE_VERSION, what))
        return CAUSE_VERSION;
    if (plugin[0] && differs(c, CAUSE_RULES, plugin))
        return CAUSE_RULES;
    for (enum compare_cause cause = CAUSE_CONFIGURATION; cause <= CAUSE_VERSION; cause++)
        if (differs(c, cause, ""))
            return cause;
    /* What one plugin finds others look into. */
    return differs(c, CAUSE_RULES, "") ? CAUSE_RULES : CAUSE_NONE;
}

/* ------------------------------------------------------------------ telling */

static void put_key(const struct line *line, struct buf *key)
{
    const char *keys = line->part->keys;
    for (size_t i = 1; keys[i] && i < line->count; i++)
        if (keys[i] == 't' || keys[i] == 'i')
            buf_printf(key, "%s%s", key->size ? " " : "", line->fields[i]);
}

/* A field in a few words; what is long is cut between characters. */
static void put_value(struct buf *buf, const char *value)
{
    size_t size = strlen(value), cut = size;
    if (size > SHOWN_MAX)
        for (cut = SHOWN_MAX; cut > 0 && ((unsigned char)value[cut] & 0xc0) == 0x80;)
            cut--;
    buf_append(buf, value, cut);
    if (cut < size)
        buf_text(buf, "…");
}

static void put_changes(const struct comparing *c, const struct line *a, const struct line *b,
                        struct buf *changes)
{
    size_t count = a->count < b->count ? a->count : b->count;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(a->fields[i], b->fields[i]) == 0)
            continue;
        buf_printf(changes, "%s%s: ", changes->size ? "; " : "", findings_column(c->findings[0], (int)i));
        put_value(changes, a->fields[i]);
        buf_text(changes, " | ");
        put_value(changes, b->fields[i]);
    }
    if (a->count != b->count)
        buf_printf(changes, "%s%zu fields | %zu fields", changes->size ? "; " : "", a->count, b->count);
}

static int tell(struct comparing *c, enum compare_side side, const struct line *a, const struct line *b)
{
    struct buf key = {0}, changes = {0};
    const struct line *named = side == ONLY_SECOND ? b : a;
    struct compare_item item = {.side = side, .part = named->part->name, .cause = cause_of(c, named)};
    put_key(named, &key);
    if (side == BOTH_DIFFER)
        put_changes(c, a, b, &changes);
    item.key = buf_cstr(&key);
    item.changes = buf_cstr(&changes);
    c->result.items[side]++;
    c->result.causes[item.cause]++;
    int code = buf_failed(&key) || buf_failed(&changes) ? -ENOMEM : 0;
    if (code == 0 && c->item)
        c->item(c->context, &item);
    buf_finish(&key);
    buf_finish(&changes);
    return code;
}

static bool is_same(const struct line *a, const struct line *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->fields[i], b->fields[i]) != 0)
            return false;
    return true;
}

static int merge_lines(struct comparing *c, struct line *a, struct line *b)
{
    int code = next_line(c->findings[0], a);
    if (code == 0)
        code = next_line(c->findings[1], b);
    while (code == 0 && (a->there || b->there)) {
        int order = order_lines(a, b);
        if (order == 0 && is_same(a, b))
            c->result.same++;
        else
            code = tell(c, order < 0 ? ONLY_FIRST : order > 0 ? ONLY_SECOND : BOTH_DIFFER, a, b);
        if (code == 0 && order <= 0)
            code = next_line(c->findings[0], a);
        if (code == 0 && order >= 0)
            code = next_line(c->findings[1], b);
    }
    return code;
}

int case_compare(struct casefile *first, struct casefile *second,
                 void (*fact)(void *context, const struct compare_fact *fact),
                 void (*item)(void *context, const struct compare_item *item), void *context,
                 struct compare_result *ret_result, struct why *why)
{
    struct comparing c = {.cases = {first, second}, .fact = fact, .item = item, .context = context};
    struct line a = {0}, b = {0};
    int code = compare_facts(&c);
    for (int i = 0; i < 2 && code == 0; i++)
        code = findings_open(casefile_db(c.cases[i]), &c.findings[i]);
    if (code == 0)
        code = merge_lines(&c, &a, &b);
    if (code)
        why_set(why, code, "the findings cannot be compared: %s; %s", db_error(casefile_db(first)),
                db_error(casefile_db(second)));
    else
        *ret_result = c.result;
    for (int i = 0; i < 2; i++)
        findings_close(c.findings[i]);
    for (size_t i = 0; i < c.difference_count; i++)
        free(c.differences[i].what);
    free(c.differences);
    buf_finish(&a.text);
    buf_finish(&b.text);
    return code;
}
