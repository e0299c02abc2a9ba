/*
 * custody_known: what kvali knows itself, so that nobody has to write it: the time, the image of an exhibit
 * as it was opened, which event of an exhibit this is. What was given stays as it was given.
 */
#include "cases/custody_private.h"

#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int know(struct custody_draft *draft, const char *field, const char *text, struct why *why)
{
    const struct custody_field *known = custody_field(draft->kind, field);
    if (!known || !(known->flags & CUSTODY_KNOWN) || !*text || custody_draft_has(draft, field))
        return 0;
    return custody_draft_set(draft, field, text, why);
}

/* The wall clock here, with its offset from UTC. */
static void local_time(char ret[40])
{
    time_t seconds = time(NULL);
    struct tm parts;
    char zone[8] = "+0000";
    if (!localtime_r(&seconds, &parts)) {
        when_format((int64_t)seconds * 1000000000, ret);
        return;
    }
    strftime(ret, 30, "%Y-%m-%dT%H:%M:%S", &parts);
    strftime(zone, sizeof zone, "%z", &parts);
    size_t size = strlen(ret);
    snprintf(ret + size, 40 - size, "%.3s:%.2s", zone, zone + 3);
}

/* Fields of an acquisition and the columns that say them. */
static const struct {
    const char *field, *sql;
} image_facts[] = {
    {"source_bytes", "SELECT size FROM t_exhibit WHERE label = ?1"},
    {"sector_size", "SELECT sector_size FROM t_exhibit WHERE label = ?1 AND sector_size > 0"},
    {"segments", "SELECT segments FROM t_exhibit WHERE label = ?1"},
    {"image_format", "SELECT type FROM t_exhibit WHERE label = ?1"},
    {"header", "SELECT details FROM t_exhibit WHERE label = ?1"},
    {"hash", "SELECT h.algorithm || ':' || h.hex || ' ' || h.source FROM t_image_hash h JOIN t_exhibit x ON "
             "x.id = h.exhibit "
             "WHERE x.label = ?1 UNION ALL SELECT 'sha256:' || sha256 || ' as read by kvali' FROM t_exhibit "
             "WHERE label = ?1 "
             "AND sha256 IS NOT NULL"},
};

static int know_fact(struct custody_draft *draft, struct db *db, const char *label, const char *field,
                     const char *sql, struct why *why)
{
    struct db_statement *s;
    if (!custody_field(draft->kind, field) || custody_draft_has(draft, field))
        return 0;
    int code = db_prepare(db, sql, &s);
    if (code)
        return why_set(why, code, "%s", db_error(db));
    db_bind_text(s, 1, label);
    while ((code = db_step(s)) == 1)
        if (!db_is_null(s, 0) && *db_text(s, 0) && custody_draft_set(draft, field, db_text(s, 0), NULL))
            break; /* what was stored in an image need not be what the field takes: then it is asked for */
    db_finalize(s);
    return code < 0 ? why_set(why, code, "%s", db_error(db)) : 0;
}

static int know_event(struct custody_draft *draft, const struct custody *custody, const char *label,
                      struct why *why)
{
    char number[24];
    uint64_t events = 1;
    for (size_t i = 0; i < custody->count; i++)
        if (strcmp(custody->records[i].kind->word, "event") == 0 &&
            strcmp(custody_value(&custody->records[i], "exhibit", 0), label) == 0)
            events++;
    snprintf(number, sizeof number, "%llu", (unsigned long long)events);
    return know(draft, "number", number, why);
}

int custody_draft_know(struct custody_draft *draft, struct casefile *cf, const struct custody *custody,
                       struct why *why)
{
    char time[40];
    json_t *given = json_object_get(draft->fields, "exhibit");
    const char *label = json_string_value(json_is_array(given) ? json_array_get(given, 0) : given);
    int code = 0;
    local_time(time);
    if (custody_field(draft->kind, "at"))
        code = know(draft, "at", time, why);
    if (code == 0 && label)
        code = know(draft, "root_exhibit", label, why);
    if (code == 0 && label && strcmp(draft->kind->word, "event") == 0)
        code = know_event(draft, custody, label, why);
    for (size_t i = 0; code == 0 && label && strcmp(draft->kind->word, "acquisition") == 0 &&
                       i < sizeof image_facts / sizeof *image_facts;
         i++)
        code = know_fact(draft, casefile_db(cf), label, image_facts[i].field, image_facts[i].sql, why);
    return code;
}

/* ------------------------------------------------------------------ what is likely */

static const char *drafted(const struct custody_draft *draft, const char *field)
{
    const json_t *value = json_object_get(draft->fields, field);
    const char *text = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
    return text ? text : "";
}

static const char *last_of(const struct custody *custody, const char *kind, const char *label,
                           const char *field)
{
    const struct custody_record *record =
        custody_find(custody, kind, "exhibit", *label ? label : NULL, field);
    return record ? custody_value(record, field, 0) : "";
}

/* Of an event: where the one before left the exhibit. Events that change no hands, seals or condition leave
 * them as they are. */
static const char *likely_of_event(const struct custody_draft *draft, const struct custody *custody,
                                   const char *field)
{
    static const char *const hands[] = {"received", "transferred", "returned", "withdrawn", "destroyed"};
    const char *event = drafted(draft, "event"), *label = drafted(draft, "exhibit"), *text = "";
    if (!strcmp(field, "from"))
        return last_of(custody, "event", label, "to");
    if (!strcmp(field, "to")) {
        for (size_t i = 0; i < sizeof hands / sizeof *hands; i++)
            if (!strcmp(event, hands[i]))
                return "";
        return drafted(draft, "from");
    }
    if (!strcmp(event, "destroyed") && (!strcmp(field, "seal_after") || !strcmp(field, "condition_after")))
        return "";
    if (!strcmp(field, "seal_before")) {
        text = last_of(custody, "event", label, "seal_after");
        return *text ? text : last_of(custody, "exhibit", label, "seal_number");
    }
    if (!strcmp(field, "seal_after"))
        return !strcmp(event, "seal opened") ? "none"
               : !strcmp(event, "resealed")  ? ""
                                             : drafted(draft, "seal_before");
    if (!strcmp(field, "condition_before")) {
        text = last_of(custody, "event", label, "condition_after");
        return *text ? text : last_of(custody, "exhibit", label, "condition");
    }
    return !strcmp(field, "condition_after") ? drafted(draft, "condition_before")
                                             : last_of(custody, "event", label, field);
}

/* Fields that are often the same in the next record of their kind. */
static bool is_often_the_same(const char *kind, const char *field)
{
    static const char *const same[][2] = {{"event", "exhibit"},          {"event", "place"},
                                          {"seizure", "place"},          {"seizure", "performer"},
                                          {"seizure", "legal_basis"},    {"acquisition", "performer"},
                                          {"acquisition", "place"},      {"acquisition", "method"},
                                          {"acquisition", "tool"},       {"acquisition", "write_blocker"},
                                          {"verification", "performer"}, {"verification", "tool"},
                                          {"review", "reviewer"},        {"correction", "by"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!strcmp(same[i][0], kind) && !strcmp(same[i][1], field))
            return true;
    return false;
}

void custody_suggest(const struct custody_draft *draft, const struct custody *custody, const char *field,
                     struct buf *buf)
{
    const char *kind = draft->kind->word, *text = "";
    const struct custody_field *of = custody_field(draft->kind, field);
    if (!of || !(of->flags & CUSTODY_MUST) || of->flags & CUSTODY_LIST)
        return;
    if (!strcmp(kind, "event") && strcmp(field, "event") != 0 && strcmp(field, "purpose") != 0 &&
        strcmp(field, "at") != 0)
        text = likely_of_event(draft, custody, field);
    if (!*text && is_often_the_same(kind, field))
        text = last_of(custody, kind, "", field);
    buf_text(buf, text);
}
