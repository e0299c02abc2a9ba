/*
 * custody_check: gaps in what people recorded. A gap is told, never filled.
 */
#include "cases/custody_private.h"

#include "engine/base/when.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checking {
    struct casefile *cf;
    const struct custody *custody;
    void (*each)(void *context, const char *about, uint64_t first, uint64_t second, const char *words);
    void *context;
    size_t gaps;
};

static void gap(struct checking *c, const char *about, uint64_t first, uint64_t second, const char *format,
                ...) __attribute__((format(printf, 5, 6)));

static void gap(struct checking *c, const char *about, uint64_t first, uint64_t second, const char *format,
                ...)
{
    char words[600];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    c->gaps++;
    if (c->each)
        c->each(c->context, about, first, second, words);
}

static bool is(const struct custody_record *record, const char *field, const char *value)
{
    return strcmp(custody_value(record, field, 0), value) == 0;
}

/* A copy, for custody_value has one room for all numbers. */
static const char *copy(char *room, size_t size, const struct custody_record *record, const char *field)
{
    snprintf(room, size, "%s", custody_value(record, field, 0));
    return room;
}

/* ------------------------------------------------------------------ fields */

/* What must be said of the thing that `record` is about, and no record of it says. */
static void check_fields(struct checking *c, const struct custody_record *record)
{
    const struct custody_kind *kind = record->kind;
    char name[256] = "";
    if (kind->key)
        copy(name, sizeof name, record, kind->key);
    for (const struct custody_field *field = kind->fields; field->name; field++)
        if ((field->flags & CUSTODY_MUST) &&
            !custody_find(c->custody, kind->word, kind->key, kind->key ? name : NULL, field->name))
            gap(c, kind->word, record->number, 0, "%s is not said", field->name);
}

static void check_times(struct checking *c, const struct custody_record *record)
{
    int64_t start, end, written;
    if (when_parse(custody_value(record, "start", 0), &start) &&
        when_parse(custody_value(record, "end", 0), &end) && end < start)
        gap(c, record->kind->word, record->number, 0, "it ends before it begins");
    if (when_parse(custody_value(record, "at", 0), &start) && when_parse(record->time, &written) &&
        start > written)
        gap(c, record->kind->word, record->number, 0, "it was written down before it happened");
}

static void check_person(struct checking *c, const struct custody_record *record,
                         const struct custody_field *field)
{
    const char *id = custody_value(record, field->name, 0);
    if (field->form == CUSTODY_PERSON && *id && !custody_find(c->custody, "person", "id", id, NULL))
        gap(c, record->kind->word, record->number, 0, "%s: nobody is known as %s", field->name, id);
}

static void check_records(struct checking *c)
{
    if (!custody_find(c->custody, "case", NULL, NULL, NULL))
        gap(c, "case", 0, 0, "nothing is said of the case: `kvali case set`");
    for (size_t i = 0; i < c->custody->count; i++) {
        const struct custody_record *record = &c->custody->records[i];
        if (record->withdrawn)
            continue;
        bool last =
            !record->kind->key || custody_find(c->custody, record->kind->word, record->kind->key,
                                               custody_value(record, record->kind->key, 0), NULL) == record;
        if (strcmp(record->kind->word, "case") == 0)
            last = custody_find(c->custody, "case", NULL, NULL, NULL) == record;
        if (last && (record->kind->key || strcmp(record->kind->word, "case") == 0))
            check_fields(c, record);
        check_times(c, record);
        for (const struct custody_field *field = record->kind->fields; field->name; field++)
            check_person(c, record, field);
    }
}

/* ------------------------------------------------------------------ the chain of one exhibit */

static void check_step(struct checking *c, const char *label, const struct custody_record *before,
                       const struct custody_record *event)
{
    char one[300], two[300];
    int64_t was, is_now;
    if (strcmp(copy(one, sizeof one, before, "to"), copy(two, sizeof two, event, "from")) != 0)
        gap(c, label, before->number, event->number, "it went to %s, and comes from %s", one, two);
    if (when_parse(custody_value(before, "at", 0), &was) &&
        when_parse(custody_value(event, "at", 0), &is_now) && is_now < was)
        gap(c, label, before->number, event->number, "the later record is of an earlier time");
    if (strcmp(copy(one, sizeof one, before, "seal_after"), copy(two, sizeof two, event, "seal_before")) != 0)
        gap(c, label, before->number, event->number,
            "it was under seal %s, and is found under seal %s: no event opened or changed it", one, two);
    if (is(before, "event", "destroyed"))
        gap(c, label, before->number, event->number, "it was destroyed, and there is an event after that");
}

static void check_seal(struct checking *c, const char *label, const struct custody_record *event)
{
    char one[300], two[300];
    bool changes = is(event, "event", "seal opened") || is(event, "event", "resealed");
    if (!changes &&
        strcmp(copy(one, sizeof one, event, "seal_before"), copy(two, sizeof two, event, "seal_after")) != 0)
        gap(c, label, event->number, 0,
            "its seal changes from %s to %s, and the event is neither \"seal opened\" nor \"resealed\"", one,
            two);
    if ((is(event, "event", "returned") || is(event, "event", "destroyed")) &&
        !*custody_value(event, "authority", 0))
        gap(c, label, event->number, 0, "it leaves the laboratory, and no authority is named");
}

static void check_events(struct checking *c, const char *label)
{
    const struct custody_record *before = NULL, *opened = NULL;
    for (size_t i = 0; i < c->custody->count; i++) {
        const struct custody_record *event = &c->custody->records[i];
        if (event->withdrawn || strcmp(event->kind->word, "event") != 0 || !is(event, "exhibit", label))
            continue;
        if (before)
            check_step(c, label, before, event);
        check_seal(c, label, event);
        if (is(event, "event", "seal opened"))
            opened = event;
        if (is(event, "event", "resealed"))
            opened = NULL;
        before = event;
    }
    if (!before)
        gap(c, label, 0, 0, "no event says in whose hands it is");
    if (opened)
        gap(c, label, opened->number, 0, "its seal was opened, and it was not sealed again");
}

/* ------------------------------------------------------------------ exhibits */

/* The seizure ends before the first event; whoever seized it had it first. */
static void check_seizure(struct checking *c, const char *label)
{
    char one[300], two[300];
    int64_t start, at;
    const struct custody_record *seizure = custody_find(c->custody, "seizure", "exhibit", label, NULL),
                                *first = NULL;
    for (size_t i = c->custody->count; i-- > 0;)
        if (!c->custody->records[i].withdrawn && strcmp(c->custody->records[i].kind->word, "event") == 0 &&
            is(&c->custody->records[i], "exhibit", label))
            first = &c->custody->records[i];
    if (!seizure) {
        gap(c, label, 0, 0, "no record says how it was seized");
        return;
    }
    if (!first)
        return;
    if (strcmp(copy(one, sizeof one, seizure, "performer"), copy(two, sizeof two, first, "from")) != 0)
        gap(c, label, seizure->number, first->number,
            "it was seized by %s, and the first event has it from %s", one, two);
    if (when_parse(custody_value(seizure, "start", 0), &start) &&
        when_parse(custody_value(first, "at", 0), &at) && at < start)
        gap(c, label, seizure->number, first->number, "the first event is before the seizure");
}

static void check_image(struct checking *c, const char *label, const char *path, const char *type, const char *verification)
{
    const struct custody_record *acquired = custody_find(c->custody, "acquisition", "exhibit", label, NULL),
                                *checked = custody_find(c->custody, "verification", "exhibit", label, NULL);
    if (!acquired)
        gap(c, label, 0, 0, "no record says how its image was acquired");
    if (!*path)
        gap(c, label, 0, 0, "kvali has no image of it: `kvali add`");
    else if (!*verification && !checked && strcmp(type, "folder") == 0)
        gap(c, label, 0, 0, "a folder has no hash that could be compared: `kvali custody add CASE verification` tells how it was checked");
    else if (!*verification && !checked)
        gap(c, label, 0, 0, "its image was not verified: `kvali run` reads it whole");
    if (strcmp(verification, "mismatch") == 0)
        gap(c, label, 0, 0, "its image is not what its stored hash says");
    else if (strcmp(verification, "partial") == 0)
        gap(c, label, 0, 0, "parts of its image could not be read: its hash says nothing");
    if (checked && is(checked, "result", "mismatch"))
        gap(c, label, checked->number, 0, "a verification says that its image does not match");
}

static void check_exhibit(struct checking *c, const char *label, const char *path, const char *type, const char *verification)
{
    if (!custody_find(c->custody, "exhibit", "exhibit", label, NULL))
        gap(c, label, 0, 0, "nothing is said of the thing itself: `kvali exhibit set`");
    check_seizure(c, label);
    check_events(c, label);
    check_image(c, label, path, type, verification);
}

/* Those with an image first, in order of their labels; then those that only people know of. */
static void check_exhibits(struct checking *c)
{
    struct db_statement *s;
    struct db *db = casefile_db(c->cf);
    if (db_prepare(db, "SELECT label, path, coalesce(verification, ''), coalesce(type, '') FROM t_exhibit ORDER BY label", &s) ==
        0) {
        while (db_step(s) == 1)
            check_exhibit(c, db_text(s, 0), db_text(s, 1), db_text(s, 3), db_text(s, 2));
        db_finalize(s);
    }
    for (size_t i = 0; i < c->custody->count; i++) {
        const struct custody_record *record = &c->custody->records[i];
        const char *label = custody_value(record, "exhibit", 0);
        if (record->withdrawn || strcmp(record->kind->word, "exhibit") != 0 ||
            custody_find(c->custody, "exhibit", "exhibit", label, NULL) != record ||
            db_prepare(db, "SELECT 1 FROM t_exhibit WHERE label = ?1", &s))
            continue;
        db_bind_text(s, 1, label);
        bool imaged = db_step(s) == 1;
        db_finalize(s);
        if (!imaged)
            check_exhibit(c, label, "", "", "");
    }
}

static void check_corrections(struct checking *c)
{
    for (size_t i = 0; i < c->custody->count; i++) {
        const struct custody_record *record = &c->custody->records[i];
        if (strcmp(record->kind->word, "correction") != 0)
            continue;
        uint64_t of = strtoull(custody_value(record, "of_record", 0), NULL, 10);
        if (of == 0 || of >= record->number)
            gap(c, "correction", record->number, 0, "it corrects record %llu, which is not before it",
                (unsigned long long)of);
    }
}

size_t custody_check(struct casefile *cf, const struct custody *custody,
                     void (*each)(void *context, const char *about, uint64_t first, uint64_t second,
                                  const char *words),
                     void *context)
{
    struct checking c = {.cf = cf, .custody = custody, .each = each, .context = context};
    check_records(&c);
    check_exhibits(&c);
    check_corrections(&c);
    return c.gaps;
}
