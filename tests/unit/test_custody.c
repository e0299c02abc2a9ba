/* custody: the table of kinds is whole, and a draft takes what its fields take and nothing else. */
#include "cases/custody.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(custody);

Test(custody, every_kind_and_field_is_complete)
{
    const struct custody_kind *kind;
    static const char *const chain[] = {"v", "seq", "time", "type", "actor", "prev"};
    for (size_t i = 0; (kind = custody_kind(i)); i++) {
        cr_assert(kind->type && kind->word && kind->command && kind->what);
        cr_assert_eq(custody_kind_of(kind->type), kind);
        cr_assert_eq(custody_kind_named(kind->word), kind);
        cr_assert(!kind->key || custody_field(kind, kind->key), "%s", kind->word);
        for (const struct custody_field *field = kind->fields; field->name; field++) {
            cr_assert(field->what && *field->what, "%s.%s", kind->word, field->name);
            cr_assert_eq(custody_field(kind, field->name), field, "%s.%s stands twice", kind->word,
                         field->name);
            cr_assert_eq(field->form == CUSTODY_CHOICE, field->words != NULL, "%s.%s", kind->word,
                         field->name);
            for (size_t n = 0; n < sizeof chain / sizeof *chain; n++)
                cr_assert(strcmp(field->name, chain[n]) != 0, "%s.%s is the ledger's own", kind->word,
                          field->name);
        }
    }
}

static void expect(const char *word, const char *field, const char *text, int code)
{
    struct why why = {{0}};
    struct custody_draft *draft = custody_draft_new(custody_kind_named(word));
    cr_assert_eq(custody_draft_set(draft, field, text, &why), code, "%s.%s = \"%s\": %s", word, field, text,
                 why.text);
    cr_assert_eq(custody_draft_has(draft, field), code == 0);
    custody_draft_free(draft);
}

Test(custody, a_field_takes_its_form_alone)
{
    expect("event", "at", "2026-01-31T10:00:00+04:00", 0);
    expect("event", "at", "2026-01-31T10:00:00Z", 0);
    expect("event", "at", "2026-01-31T10:00:00", -EINVAL);
    expect("event", "at", "2026-01-31", -EINVAL);
    expect("event", "at", "-", -EINVAL);
    expect("event", "event", "seal_opened", 0);
    expect("event", "event", "seal opened", 0);
    expect("event", "event", "seal", -EINVAL);
    expect("event", "place", " \t", -EINVAL);
    expect("event", "place", "\xff", -EINVAL);
    expect("event", "plaice", "x", -EINVAL);
    expect("exhibit", "quantity", "2", 0);
    expect("exhibit", "quantity", "-2", -EINVAL);
    expect("exhibit", "quantity", "2x", -EINVAL);
    expect("exhibit", "serial", "-", 0);
    expect("seizure", "date", "2026-01-31", 0);
    expect("seizure", "date", "2026-02-30", -EINVAL);
    expect("acquisition", "hash", "md5:d41d8cd98f00b204e9800998ecf8427e E01", 0);
    expect("acquisition", "hash", "md5:d41d8cd98f00b204e9800998ecf8427", -EINVAL);
    expect("acquisition", "hash", "none", 0);
}

static struct case_world world;

static uint64_t add_person(struct custody *custody, const char *id, const char *position)
{
    struct why why = {{0}};
    uint64_t number;
    struct custody_draft *draft = custody_draft_new(custody_kind_named("person"));
    const char *const fields[][2] = {
        {"id", id}, {"given_name", "A"}, {"family_name", "B"}, {"agency", "C"}, {"position", position}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        cr_assert_eq(custody_draft_set(draft, fields[i][0], fields[i][1], &why), 0, "%s", why.text);
    cr_assert_eq(custody_add(world.cf, custody, draft, &number, &why), 0, "%s", why.text);
    custody_draft_free(draft);
    return number;
}

static void correct(struct custody *custody, uint64_t of, const char *field, const char *value)
{
    struct why why = {{0}};
    char number[24];
    struct custody_draft *draft = custody_draft_new(custody_kind_named("correction"));
    snprintf(number, sizeof number, "%llu", (unsigned long long)of);
    cr_assert_eq(custody_draft_set(draft, "of_record", number, &why), 0);
    cr_assert_eq(custody_draft_set(draft, "reason", "slip", &why), 0);
    cr_assert_eq(custody_draft_set(draft, "by", "one", &why), 0);
    if (field) {
        cr_assert_eq(custody_draft_set(draft, "field", field, &why), 0);
        cr_assert_eq(custody_draft_set(draft, "value", value, &why), 0);
    }
    cr_assert_eq(custody_add(world.cf, custody, draft, NULL, &why), 0, "%s", why.text);
    custody_draft_free(draft);
}

/* What is read from the ledger anew is what was added, with its corrections; the record itself is not
 * touched. */
Test(custody, corrections_hold_and_the_ledger_keeps_what_was_written)
{
    struct why why = {{0}};
    struct custody *custody = NULL;
    world_make(&world);
    cr_assert_eq(custody_load(world.folder, &custody, &why), 0, "%s", why.text);
    add_person(custody, "one", "clerk");
    uint64_t two = add_person(custody, "two", "clerk"), three = add_person(custody, "three", "clerk");
    correct(custody, two, "position", "examiner");
    correct(custody, three, NULL, NULL);
    for (int again = 0; again < 2; again++) {
        const struct custody_record *record = custody_find(custody, "person", "id", "two", NULL);
        cr_assert_not_null(record);
        cr_assert_str_eq(custody_value(record, "position", 0), "examiner");
        cr_assert_eq(record->number, two);
        cr_assert_gt(record->corrected, three);
        cr_assert_null(custody_find(custody, "person", "id", "three", NULL), "it was withdrawn");
        custody_free(custody);
        custody = NULL;
        cr_assert_eq(custody_load(world.folder, &custody, &why), 0, "%s", why.text);
    }
    custody_free(custody);
    size_t size;
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    cr_assert(strstr(text, "\"id\":\"two\",\"position\":\"clerk\""));
    free(text);
    world_drop(&world);
}
