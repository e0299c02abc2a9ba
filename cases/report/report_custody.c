/* report_custody: see report_custody.h. */
#include "cases/report/report_custody.h"

#include "cases/custody.h"
#include "cases/report/report_terms.h"
#include "cases/report/safe.h"

#include <stdlib.h>
#include <string.h>

struct shown {
    const char *field;
    enum report_label label;
};

static const struct shown of_case[] = {{"title", LABEL_C_TITLE},
                                       {"national_number", LABEL_C_NATIONAL_NUMBER},
                                       {"agency", LABEL_C_AGENCY},
                                       {"unit", LABEL_C_UNIT},
                                       {"lab", LABEL_C_LAB},
                                       {"legal_basis", LABEL_C_LEGAL_BASIS},
                                       {"offence", LABEL_C_OFFENCE},
                                       {"requester", LABEL_C_REQUESTER},
                                       {"request_received", LABEL_C_REQUEST_RECEIVED},
                                       {"question", LABEL_C_QUESTION},
                                       {"confidentiality", LABEL_C_CONFIDENTIALITY},
                                       {NULL, 0}};
static const struct shown of_exhibit[] = {{"root_exhibit", LABEL_C_ROOT_EXHIBIT},
                                          {"kind", LABEL_C_KIND},
                                          {"quantity", LABEL_C_QUANTITY},
                                          {"make", LABEL_C_MAKE},
                                          {"model", LABEL_C_MODEL},
                                          {"serial", LABEL_C_SERIAL},
                                          {"capacity", LABEL_C_CAPACITY},
                                          {"marks", LABEL_C_MARKS},
                                          {"condition", LABEL_C_CONDITION},
                                          {"power_and_clock", LABEL_C_POWER},
                                          {"package", LABEL_C_PACKAGE},
                                          {"seal_number", LABEL_C_SEAL_NUMBER},
                                          {"photo", LABEL_C_PHOTO},
                                          {"owner", LABEL_C_OWNER},
                                          {NULL, 0}};
static const struct shown of_seizure[] = {{"record_number", LABEL_C_RECORD_NUMBER},
                                          {"date", LABEL_C_DATE},
                                          {"start", LABEL_C_START},
                                          {"end", LABEL_C_END},
                                          {"place", LABEL_C_PLACE},
                                          {"conditions", LABEL_C_CONDITIONS},
                                          {"performer", LABEL_C_PERFORMER},
                                          {"participant", LABEL_C_PARTICIPANT},
                                          {"legal_basis", LABEL_C_LEGAL_BASIS},
                                          {"remarks", LABEL_C_REMARKS},
                                          {NULL, 0}};
static const struct shown of_acquisition[] = {{"start", LABEL_C_START},
                                              {"end", LABEL_C_END},
                                              {"place", LABEL_C_PLACE},
                                              {"performer", LABEL_C_PERFORMER},
                                              {"method", LABEL_C_METHOD},
                                              {"tool", LABEL_TOOL},
                                              {"write_blocker", LABEL_C_WRITE_BLOCKER},
                                              {"source_bytes", LABEL_C_SOURCE_BYTES},
                                              {"sector_size", LABEL_C_SECTOR_SIZE},
                                              {"hidden_areas", LABEL_C_HIDDEN_AREAS},
                                              {"image_format", LABEL_IMAGE_TYPE},
                                              {"hash", LABEL_C_HASH},
                                              {"read_error", LABEL_C_READ_ERROR},
                                              {"header", LABEL_C_HEADER},
                                              {"elsewhere", LABEL_C_ELSEWHERE},
                                              {NULL, 0}};
static const struct shown of_check[] = {{"at", LABEL_C_AT},
                                        {"performer", LABEL_C_PERFORMER},
                                        {"tool", LABEL_TOOL},
                                        {"stored_hash", LABEL_C_STORED_HASH},
                                        {"computed_hash", LABEL_C_COMPUTED_HASH},
                                        {"result", LABEL_C_RESULT},
                                        {"format_check", LABEL_C_FORMAT_CHECK},
                                        {"remarks", LABEL_C_REMARKS},
                                        {NULL, 0}};

static const struct {
    const char *word;
    enum report_label heading;
    const struct shown *fields;
} groups[CUSTODY_GROUPS] = {
    [CUSTODY_OF_CASE] = {"case", LABEL_C_CASE, of_case},
    [CUSTODY_OF_EXHIBIT] = {"exhibit", LABEL_C_DESCRIPTION, of_exhibit},
    [CUSTODY_OF_SEIZURE] = {"seizure", LABEL_C_SEIZURE, of_seizure},
    [CUSTODY_OF_ACQUISITION] = {"acquisition", LABEL_C_ACQUISITION, of_acquisition},
    [CUSTODY_OF_CHECK] = {"verification", LABEL_C_CHECK, of_check},
};

static const struct {
    const char *word;
    enum report_label label;
} events[] = {{"received", LABEL_C_RECEIVED},       {"transferred", LABEL_C_TRANSFERRED},
              {"stored", LABEL_C_STORED},           {"withdrawn", LABEL_C_WITHDRAWN},
              {"seal opened", LABEL_C_SEAL_OPENED}, {"resealed", LABEL_C_RESEALED},
              {"examined", LABEL_C_EXAMINED},       {"copied", LABEL_C_COPIED},
              {"returned", LABEL_C_RETURNED},       {"destroyed", LABEL_C_DESTROYED}};

enum report_label report_custody_heading(enum custody_group group)
{
    return groups[group].heading;
}

/* ------------------------------------------------------------------ words */

/* Texts in every language, for one record. */
struct texts {
    struct buf in[REPORT_LANGS];
};

static struct custody_words words_of(struct texts *texts)
{
    struct custody_words words;
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        words.in[lang] = buf_cstr(&texts->in[lang]);
    return words;
}

static void texts_finish(struct texts *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
            buf_finish(&texts[i].in[lang]);
}

static void put_said(struct buf *buf, enum report_lang lang, const struct custody_record *record,
                     const char *name)
{
    const struct custody_field *field = custody_field(record->kind, name);
    const char *value = custody_value(record, name, 0);
    if (field && field->flags & CUSTODY_NONE)
        report_term(buf, lang, TERM_SAID, value);
    else
        buf_text(buf, value);
}

static void put_human(struct buf *buf, enum report_lang lang, const struct report_model *model,
                      const char *id)
{
    const struct custody_record *person = custody_find(model->custody, "person", "id", id, NULL);
    if (!person) {
        buf_text(buf, id);
        return;
    }
    buf_text(buf, custody_value(person, "given_name", 0));
    buf_printf(buf, " %s", custody_value(person, "family_name", 0));
    buf_text(buf, ", ");
    put_said(buf, lang, person, "position");
    buf_text(buf, " (");
    put_said(buf, lang, person, "agency");
    buf_text(buf, ")");
}

/* The hash, and behind a blank where it was stored. */
static void put_hash(struct buf *buf, enum report_lang lang, const char *value)
{
    size_t size = strcspn(value, " ");
    buf_append(buf, value, size);
    if (value[size]) {
        buf_text(buf, " ");
        report_term(buf, lang, TERM_SOURCE, value + size + 1);
    }
}

static void put_number(struct buf *buf, const char *value)
{
    if (*value && strspn(value, "0123456789") == strlen(value) && strlen(value) <= 15)
        safe_number(buf, strtoull(value, NULL, 10));
    else
        buf_text(buf, value);
}

static void put_value(struct buf *buf, enum report_lang lang, const struct report_model *model,
                      const struct custody_field *field, const char *value)
{
    bool nothing = field->flags & CUSTODY_NONE && (!strcmp(value, "none") || !strcmp(value, "not readable"));
    if (nothing) {
        report_term(buf, lang, TERM_SAID, value);
        return;
    }
    switch (field->form) {
    case CUSTODY_PERSON:
        put_human(buf, lang, model, value);
        break;
    case CUSTODY_CHOICE:
        report_term(buf, lang, TERM_CHOICE, value);
        break;
    case CUSTODY_TIME:
    case CUSTODY_DATE:
        report_moment(buf, lang, value);
        break;
    case CUSTODY_NUMBER:
        put_number(buf, value);
        break;
    case CUSTODY_HASH:
        put_hash(buf, lang, value);
        break;
    case CUSTODY_TEXT:
        if (strcmp(field->name, "image_format") == 0)
            report_term(buf, lang, TERM_TYPE, value);
        else
            buf_text(buf, value);
        break;
    case CUSTODY_EXHIBIT:
    case CUSTODY_RECORD:
        buf_text(buf, value);
    }
}

/* A field as people read it, appended in every language: persons with name and office, times in the
 * language's form. */
static void put_field(struct texts *texts, const struct report_model *model,
                      const struct custody_record *record, const char *name)
{
    const struct custody_field *field = custody_field(record->kind, name);
    size_t count = field ? custody_values(record, name) : 0;
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        for (size_t i = 0; i < count; i++) {
            buf_text(&texts->in[lang], i ? "; " : "");
            put_value(&texts->in[lang], lang, model, field, custody_value(record, name, i));
        }
}

static void put_between(struct texts *texts, const char *text)
{
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        buf_text(&texts->in[lang], text);
}

size_t report_custody_facts(const struct report_model *model, enum custody_group group, const char *exhibit,
                            void (*each)(void *context, enum report_label label,
                                         const struct custody_words *value),
                            void *context)
{
    size_t count = 0;
    if (!model->custody)
        return 0;
    for (const struct shown *field = groups[group].fields; field->field; field++) {
        const struct custody_record *record =
            custody_find(model->custody, groups[group].word, "exhibit", exhibit, field->field);
        struct texts text = {0};
        if (!record)
            continue;
        put_field(&text, model, record, field->field);
        struct custody_words words = words_of(&text);
        if (each)
            each(context, field->label, &words);
        texts_finish(&text, 1);
        count++;
    }
    return count;
}

/* "12", or "12, 15": its number in the ledger, and that of the record which corrected it. */
static const char *record_text(struct buf *buf, const struct custody_record *record)
{
    buf_printf(buf, "%llu", (unsigned long long)record->number);
    if (record->corrected)
        buf_printf(buf, ", %llu", (unsigned long long)record->corrected);
    return buf_cstr(buf);
}

/* ------------------------------------------------------------------ events */

enum { T_NUMBER, T_AT, T_PLACE, T_PURPOSE, T_BEFORE, T_AFTER, T_CONDITION, T_FROM, T_TO, TEXTS };

static void put_condition(struct texts *texts, const struct report_model *model,
                          const struct custody_record *record)
{
    put_field(texts, model, record, "condition_before");
    if (strcmp(custody_value(record, "condition_before", 0), custody_value(record, "condition_after", 0)) !=
        0) {
        put_between(texts, " → ");
        put_field(texts, model, record, "condition_after");
    }
}

static void put_purpose(struct texts *texts, const struct report_model *model,
                        const struct custody_record *record)
{
    static const char *const more[] = {"authority", "document", "remarks"};
    put_field(texts, model, record, "purpose");
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (custody_values(record, more[i])) {
            put_between(texts, "; ");
            put_field(texts, model, record, more[i]);
        }
}

static void put_event(const struct report_model *model, const struct custody_record *record,
                      void (*each)(void *context, const struct custody_row *row), void *context)
{
    static const char *const fields[TEXTS] = {
        [T_NUMBER] = "number",    [T_AT] = "at",     [T_PLACE] = "place", [T_BEFORE] = "seal_before",
        [T_AFTER] = "seal_after", [T_FROM] = "from", [T_TO] = "to"};
    struct texts t[TEXTS] = {0};
    struct buf number = {0};
    struct custody_row row = {.event = LABEL_C_OTHER_EVENT};
    const char *word = custody_value(record, "event", 0);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (!strcmp(events[i].word, word))
            row.event = events[i].label;
    for (size_t i = 0; i < TEXTS; i++)
        if (fields[i])
            put_field(&t[i], model, record, fields[i]);
    put_purpose(&t[T_PURPOSE], model, record);
    put_condition(&t[T_CONDITION], model, record);
    row.number = words_of(&t[T_NUMBER]);
    row.at = words_of(&t[T_AT]);
    row.place = words_of(&t[T_PLACE]);
    row.purpose = words_of(&t[T_PURPOSE]);
    row.seal_before = words_of(&t[T_BEFORE]);
    row.seal_after = words_of(&t[T_AFTER]);
    row.condition = words_of(&t[T_CONDITION]);
    row.from = words_of(&t[T_FROM]);
    row.to = words_of(&t[T_TO]);
    row.record = record_text(&number, record);
    each(context, &row);
    texts_finish(t, TEXTS);
    buf_finish(&number);
}

size_t report_custody_events(const struct report_model *model, const char *exhibit,
                             void (*each)(void *context, const struct custody_row *row), void *context)
{
    size_t count = 0, all = model->custody ? custody_count(model->custody) : 0;
    for (size_t i = 0; i < all; i++) {
        const struct custody_record *record = custody_at(model->custody, i);
        if (record->withdrawn || strcmp(record->kind->word, "event") != 0 ||
            strcmp(custody_value(record, "exhibit", 0), exhibit) != 0)
            continue;
        if (each)
            put_event(model, record, each, context);
        count++;
    }
    return count;
}

/* ------------------------------------------------------------------ persons */

static void put_person(const struct report_model *model, const struct custody_record *record,
                       void (*each)(void *context, const struct custody_human *human), void *context)
{
    static const char *const work[] = {"education", "speciality", "service", "degree"};
    enum { NAME, POSITION, WORK, WARNED, PARTS };
    struct texts t[PARTS] = {0};
    bool any = false;
    put_field(&t[NAME], model, record, "given_name");
    put_between(&t[NAME], " ");
    put_field(&t[NAME], model, record, "family_name");
    put_field(&t[POSITION], model, record, "position");
    put_between(&t[POSITION], ", ");
    put_field(&t[POSITION], model, record, "agency");
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        if (custody_values(record, work[i])) {
            put_between(&t[WORK], any ? "; " : "");
            put_field(&t[WORK], model, record, work[i]);
            any = true;
        }
    put_field(&t[WARNED], model, record, "warned");
    each(context, &(struct custody_human){words_of(&t[NAME]), words_of(&t[POSITION]), words_of(&t[WORK]),
                                          words_of(&t[WARNED])});
    texts_finish(t, PARTS);
}

size_t report_custody_persons(const struct report_model *model,
                              void (*each)(void *context, const struct custody_human *human), void *context)
{
    size_t count = 0, all = model->custody ? custody_count(model->custody) : 0;
    for (size_t i = 0; i < all; i++) {
        const struct custody_record *record = custody_at(model->custody, i);
        if (strcmp(record->kind->word, "person") != 0 ||
            custody_find(model->custody, "person", "id", custody_value(record, "id", 0), NULL) != record)
            continue; /* withdrawn, or a later record of the same person */
        if (each)
            put_person(model, record, each, context);
        count++;
    }
    return count;
}

/* ------------------------------------------------------------------ limitations and reviews */

const struct custody_table custody_limitations = {
    "limitation",
    LABEL_C_LIMITATIONS,
    {LABEL_C_CODE, LABEL_SEVERITY, LABEL_STAGE, LABEL_C_ABOUT, LABEL_WHAT, LABEL_EFFECT},
    {"code", "severity", "stage", "about", "text", "effect"}};
const struct custody_table custody_reviews = {
    "review",
    LABEL_C_REVIEWS,
    {LABEL_C_FINDING, LABEL_C_RESULT, LABEL_C_REVIEWER, LABEL_C_FACT, LABEL_C_INTERPRETATION, LABEL_CONTENTS},
    {"finding", "status", "reviewer", "fact", "interpretation", NULL}};

static void put_table_row(const struct report_model *model, const struct custody_table *table,
                          const struct custody_record *record,
                          void (*each)(void *context, const struct custody_words cells[CUSTODY_COLUMNS],
                                       const char *record),
                          void *context)
{
    struct texts t[CUSTODY_COLUMNS] = {0};
    struct custody_words cells[CUSTODY_COLUMNS];
    struct buf number = {0};
    for (size_t i = 0; i < CUSTODY_COLUMNS; i++) {
        if (table->fields[i])
            put_field(&t[i], model, record, table->fields[i]);
        if (table->fields[i] && !strcmp(table->fields[i], "text") && custody_values(record, "text_ka")) {
            buf_clear(&t[i].in[REPORT_KA]);
            buf_text(&t[i].in[REPORT_KA], custody_value(record, "text_ka", 0));
        }
        cells[i] = words_of(&t[i]);
    }
    each(context, cells, record_text(&number, record));
    texts_finish(t, CUSTODY_COLUMNS);
    buf_finish(&number);
}

size_t report_custody_table(const struct report_model *model, const struct custody_table *table,
                            void (*each)(void *context, const struct custody_words cells[CUSTODY_COLUMNS],
                                         const char *record),
                            void *context)
{
    size_t count = 0, all = model->custody ? custody_count(model->custody) : 0;
    for (size_t i = 0; i < all; i++) {
        const struct custody_record *record = custody_at(model->custody, i);
        if (record->withdrawn || strcmp(record->kind->word, table->word) != 0)
            continue;
        if (each)
            put_table_row(model, table, record, each, context);
        count++;
    }
    return count;
}

enum report_label report_verification(enum model_verification verification)
{
    static const enum report_label labels[VERIFIED_STATES] = {
        [VERIFIED_MATCH] = LABEL_VERIFY_MATCH,
        [VERIFIED_MISMATCH] = LABEL_VERIFY_MISMATCH,
        [VERIFIED_NONE] = LABEL_VERIFY_NONE,
        [VERIFIED_UNCHECKED] = LABEL_VERIFY_UNCHECKED,
        [VERIFIED_UNREADABLE] = LABEL_VERIFY_UNREADABLE,
    };
    return labels[verification];
}
