/* report_custody: see report_custody.h. */
#include "cases/report/report_custody.h"

#include "cases/custody.h"

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

static bool is_person(const struct custody_record *record, const char *name)
{
    const struct custody_field *field = custody_field(record->kind, name);
    return field && field->form == CUSTODY_PERSON;
}

static bool is_choice(const struct custody_record *record, const char *name)
{
    const struct custody_field *field = custody_field(record->kind, name);
    return field && field->form == CUSTODY_CHOICE;
}

/* A field as people read it: persons with name and office, words of a choice with blanks. */
static void field_text(const struct report_model *model, const struct custody_record *record,
                       const char *name, struct buf *buf)
{
    if (is_person(record, name))
        custody_person(model->custody, custody_value(record, name, 0), buf);
    else if (is_choice(record, name))
        for (const char *at = custody_value(record, name, 0); *at; at++)
            buf_u8(buf, *at == '_' ? ' ' : (uint8_t)*at);
    else
        custody_text(record, name, buf);
}

size_t report_custody_facts(const struct report_model *model, enum custody_group group, const char *exhibit,
                            void (*each)(void *context, enum report_label label, const char *value),
                            void *context)
{
    size_t count = 0;
    if (!model->custody)
        return 0;
    for (const struct shown *field = groups[group].fields; field->field; field++) {
        const struct custody_record *record =
            custody_find(model->custody, groups[group].word, "exhibit", exhibit, field->field);
        struct buf text = {0};
        if (!record)
            continue;
        field_text(model, record, field->field, &text);
        if (each)
            each(context, field->label, buf_cstr(&text));
        buf_finish(&text);
        count++;
    }
    return count;
}

/* ------------------------------------------------------------------ events */

enum { T_NUMBER, T_AT, T_PLACE, T_PURPOSE, T_BEFORE, T_AFTER, T_CONDITION, T_FROM, T_TO, T_RECORD, TEXTS };

static void put_condition(const struct custody_record *record, struct buf *buf)
{
    const char *before = custody_value(record, "condition_before", 0),
               *after = custody_value(record, "condition_after", 0);
    buf_text(buf, before);
    if (strcmp(before, after) != 0)
        buf_printf(buf, " → %s", after);
}

static void put_purpose(const struct custody_record *record, struct buf *buf)
{
    static const char *const more[] = {"authority", "document", "remarks"};
    custody_text(record, "purpose", buf);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (custody_values(record, more[i])) {
            buf_text(buf, "; ");
            custody_text(record, more[i], buf);
        }
}

static void put_event(const struct report_model *model, const struct custody_record *record,
                      void (*each)(void *context, const struct custody_row *row), void *context)
{
    struct buf t[TEXTS] = {0};
    struct custody_row row = {.event = LABEL_C_OTHER_EVENT};
    const char *word = custody_value(record, "event", 0);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (!strcmp(events[i].word, word))
            row.event = events[i].label;
    custody_text(record, "number", &t[T_NUMBER]);
    custody_text(record, "at", &t[T_AT]);
    custody_text(record, "place", &t[T_PLACE]);
    put_purpose(record, &t[T_PURPOSE]);
    custody_text(record, "seal_before", &t[T_BEFORE]);
    custody_text(record, "seal_after", &t[T_AFTER]);
    put_condition(record, &t[T_CONDITION]);
    field_text(model, record, "from", &t[T_FROM]);
    field_text(model, record, "to", &t[T_TO]);
    buf_printf(&t[T_RECORD], "%llu", (unsigned long long)record->number);
    if (record->corrected)
        buf_printf(&t[T_RECORD], ", %llu", (unsigned long long)record->corrected);
    row.number = buf_cstr(&t[T_NUMBER]);
    row.at = buf_cstr(&t[T_AT]);
    row.place = buf_cstr(&t[T_PLACE]);
    row.purpose = buf_cstr(&t[T_PURPOSE]);
    row.seal_before = buf_cstr(&t[T_BEFORE]);
    row.seal_after = buf_cstr(&t[T_AFTER]);
    row.condition = buf_cstr(&t[T_CONDITION]);
    row.from = buf_cstr(&t[T_FROM]);
    row.to = buf_cstr(&t[T_TO]);
    row.record = buf_cstr(&t[T_RECORD]);
    each(context, &row);
    for (size_t i = 0; i < TEXTS; i++)
        buf_finish(&t[i]);
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

static void put_person(const struct custody_record *record,
                       void (*each)(void *context, const struct custody_human *human), void *context)
{
    static const char *const work[] = {"education", "speciality", "service", "degree"};
    struct buf name = {0}, position = {0}, text = {0}, warned = {0};
    buf_printf(&name, "%s %s", custody_value(record, "given_name", 0),
               custody_value(record, "family_name", 0));
    buf_printf(&position, "%s, %s", custody_value(record, "position", 0), custody_value(record, "agency", 0));
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        if (custody_values(record, work[i])) {
            buf_text(&text, text.size ? "; " : "");
            custody_text(record, work[i], &text);
        }
    custody_text(record, "warned", &warned);
    each(context,
         &(struct custody_human){buf_cstr(&name), buf_cstr(&position), buf_cstr(&text), buf_cstr(&warned)});
    buf_finish(&name);
    buf_finish(&position);
    buf_finish(&text);
    buf_finish(&warned);
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
            put_person(record, each, context);
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
