/* kvali custody, case, person, exhibit: what people know of a case, into the ledger. */
#include "engine/cli/custody_cli.h"

#include "engine/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int wrong_part(const char *command, const struct options *options, const char *expected)
{
    char advice[120];
    snprintf(advice, sizeof advice, "expected `kvali %s %s`", command, expected);
    return fail_words(EXIT_USAGE, options->args[0], "there is no such part of this command", advice);
}

/* ------------------------------------------------------------------ listing */

static const struct option_spec list_specs[] = {
    {"kind", 'k', "KIND", "Only records of this kind; may be given again"},
    {"exhibit", 'x', "LABEL", "Only what names this exhibit"},
    {"json", 'j', NULL, "One JSON object a line: record, kind, time, actor, corrected, withdrawn, fields"},
    {NULL, 0, NULL, NULL},
};

static bool is_wanted(const struct options *options, const struct custody_record *record)
{
    const char *kind, *exhibit = options_text(options, "exhibit", NULL);
    bool wanted = !options_has(options, "kind");
    for (size_t i = 0; (kind = options_nth(options, "kind", i)); i++)
        wanted = wanted || strcmp(kind, record->kind->word) == 0;
    if (!wanted || !exhibit)
        return wanted;
    for (size_t i = 0; i < custody_values(record, "exhibit"); i++)
        if (strcmp(custody_value(record, "exhibit", i), exhibit) == 0)
            return true;
    return false;
}

static void list_json(const struct custody_record *record)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "record", record->number);
    json_text(&json, "kind", record->kind->word);
    json_text(&json, "time", record->time);
    json_text(&json, "actor", record->actor);
    json_u64(&json, "corrected", record->corrected);
    json_bool(&json, "withdrawn", record->withdrawn);
    json_object_open(&json, "fields");
    for (const struct custody_field *field = record->kind->fields; field->name; field++) {
        size_t count = custody_values(record, field->name);
        if (count && (field->flags & CUSTODY_LIST)) {
            json_array_open(&json, field->name);
            for (size_t i = 0; i < count; i++)
                json_text(&json, NULL, custody_value(record, field->name, i));
            json_array_close(&json);
        } else if (count) {
            json_text(&json, field->name, custody_value(record, field->name, 0));
        }
    }
    json_object_close(&json);
    json_object_close(&json);
    cli_print("%s\n", buf_cstr(&buf));
    buf_finish(&buf);
}

static void list_text(const struct custody *custody, const struct custody_record *record)
{
    cli_print("record %llu  %s  %s  %s%s\n", (unsigned long long)record->number, record->kind->word,
              record->time, record->actor, record->withdrawn ? "  WITHDRAWN" : "");
    for (const struct custody_field *field = record->kind->fields; field->name; field++) {
        struct buf text = {0};
        if (field->form == CUSTODY_PERSON && custody_values(record, field->name))
            custody_person(custody, custody_value(record, field->name, 0), &text);
        else
            custody_text(record, field->name, &text);
        if (text.size)
            cli_print("    %-18s %s\n", field->name, buf_cstr(&text));
        buf_finish(&text);
    }
    if (record->corrected)
        cli_print("    (as corrected by record %llu)\n", (unsigned long long)record->corrected);
}

static int load(const char *folder, struct custody **ret_custody)
{
    struct why why = {{0}};
    int error = custody_load(folder, ret_custody, &why);
    return error ? fail(exit_code_of_case(error), folder, error, &why, "give the folder of a case")
                 : EXIT_DONE;
}

static int list(const struct options *options)
{
    struct custody *custody = NULL;
    const char *kind;
    for (size_t i = 0; (kind = options_nth(options, "kind", i)); i++)
        if (!custody_kind_named(kind))
            return fail_words(EXIT_USAGE, kind, "there is no such kind of record",
                              "`kvali custody --help` lists them");
    int code = load(options->args[1], &custody);
    const struct custody_record *record;
    for (size_t i = 0; code == EXIT_DONE && (record = custody_at(custody, i)); i++)
        if (!is_wanted(options, record))
            continue;
        else if (options_has(options, "json"))
            list_json(record);
        else
            list_text(custody, record);
    custody_free(custody);
    return code;
}

/* ------------------------------------------------------------------ checking */

static const struct option_spec check_specs[] = {
    {"json", 'j', NULL, "One JSON object a line: about, records, gap"},
    {NULL, 0, NULL, NULL},
};

static void put_gap(void *context, const char *about, uint64_t first, uint64_t second, const char *words)
{
    const struct options *options = context;
    struct buf buf = {0};
    struct json json;
    if (options_has(options, "json")) {
        json_init(&json, &buf);
        json_object_open(&json, NULL);
        json_text(&json, "about", about);
        json_array_open(&json, "records");
        if (first)
            json_u64(&json, NULL, first);
        if (second)
            json_u64(&json, NULL, second);
        json_array_close(&json);
        json_text(&json, "gap", words);
        json_object_close(&json);
    } else {
        buf_printf(&buf, "gap  %s", about);
        if (first)
            buf_printf(&buf, second ? ", records %llu" : ", record %llu", (unsigned long long)first);
        if (second)
            buf_printf(&buf, " and %llu", (unsigned long long)second);
        buf_printf(&buf, ": %s", words);
    }
    cli_print("%s\n", buf_cstr(&buf));
    buf_finish(&buf);
}

static int check(const struct options *options)
{
    struct casefile *cf = NULL;
    struct custody *custody = NULL;
    int code = EXIT_DONE;
    if (cli_open_case(options->args[1], CASEFILE_READ, &cf, &code) < 0)
        return code;
    code = load(options->args[1], &custody);
    if (code == EXIT_DONE) {
        size_t gaps = custody_check(cf, custody, put_gap, (void *)(uintptr_t)options);
        if (!options->quiet && !options_has(options, "json"))
            cli_print(gaps ? "%zu gaps\n" : "Custody is complete: %zu gaps\n", gaps);
        code = gaps ? EXIT_FAULTS : EXIT_DONE;
    }
    custody_free(custody);
    casefile_close(cf);
    return code;
}

/* ------------------------------------------------------------------ custody */

/* What `custody add` is about, as the words before the first option say; `event` when they say nothing. */
static const struct custody_kind *chosen;

static const struct option_spec *custody_options(int argc, char **argv)
{
    chosen = custody_kind_named("event");
    for (int i = 1; i < argc && argv[i][0] != '-'; i++) {
        const struct custody_kind *kind = i > 1 ? custody_kind_named(argv[i]) : NULL;
        if (i == 1 && strcmp(argv[i], "list") == 0)
            return list_specs;
        if (i == 1 && strcmp(argv[i], "check") == 0)
            return check_specs;
        if (kind && strcmp(kind->command, "custody add") == 0)
            chosen = kind;
    }
    return custody_cli_options(chosen);
}

static int add(const struct options *options)
{
    if (options->arg_count > 3 || (options->arg_count == 3 && strcmp(options->args[2], chosen->word) != 0))
        return fail_words(EXIT_USAGE, options->args[2], "there is no such kind of record here",
                          "expected event, seizure, acquisition, verification, review, limitation or "
                          "correction, before the "
                          "first option");
    return custody_cli_add(options, options->args[1], chosen, NULL, NULL);
}

static int run_custody(const struct options *options)
{
    const char *part = options->args[0];
    if (strcmp(part, "add") == 0)
        return add(options);
    if (options->arg_count > 2)
        return wrong_part("custody", options, "list CASE, or check CASE");
    return strcmp(part, "list") == 0    ? list(options)
           : strcmp(part, "check") == 0 ? check(options)
                                        : wrong_part("custody", options, "add|list|check CASE");
}

const struct command command_custody = {
    .name = "custody",
    .summary = "who had which exhibit when: records, lists, gaps",
    .usage = "add CASE [KIND] [options], list CASE, check CASE",
    .help = "add    writes a record into the ledger. KIND is event (default: what happened to an exhibit, "
            "and in whose hands it\n"
            "       is), seizure, acquisition, verification, review (of a finding), limitation, or "
            "correction. On a terminal it\n"
            "       asks for what is missing. Nothing is ever changed: a mistake is put right by a "
            "correction, which names\n"
            "       the record.\n"
            "list   shows all records as they stand after corrections.\n"
            "check  tells every gap with the numbers of the records: a `to` that is not the next `from`, "
            "times that go back, a\n"
            "       seal that changed without an event, an exhibit without seizure, acquisition or "
            "verification …\n"
            "`kvali custody add KIND --help` shows the fields of a kind (below: event). A record's number is "
            "its line in\n"
            "ledger.jsonl. Defaults for any field: ~/.config/kvali/lab.toml, under [event], [seizure] …, or "
            "[default].",
    .example = "  kvali custody add CASE --event received --exhibit EX-1 --from gk --to nb --place "
               "'Laboratory, room 4' …\n"
               "  kvali custody add CASE --file records.toml --no-input\n"
               "  kvali custody add CASE correction --of-record 12 --field place --value 'Room 5' --reason "
               "'slip' --by nb\n"
               "  kvali custody check CASE",
    .exits =
        "  1  check: there are gaps\n  2  a field is missing or wrong: nothing was written of that record",
    .options_of = custody_options,
    .min_args = 2,
    .run = run_custody,
};

/* ------------------------------------------------------------------ case, person, exhibit */

static const struct option_spec *case_options(int argc, char **argv)
{
    (void)argc, (void)argv;
    return custody_cli_options(custody_kind_named("case"));
}

static int run_case(const struct options *options)
{
    return strcmp(options->args[0], "set") == 0
               ? custody_cli_add(options, options->args[1], custody_kind_named("case"), NULL, NULL)
               : wrong_part("case", options, "set CASE");
}

const struct command command_case = {
    .name = "case",
    .summary = "say what the case is: title, agency, legal basis, questions",
    .usage = "set CASE [options]",
    .help = "Writes a record into the ledger. The first has to say everything that is not marked as "
            "optional; a later one says\n"
            "only what is new, and the last word on a field counts.",
    .example = "  kvali case set CASE --title 'Theft of data' --agency MIA --legal-basis 'ruling 5/12, City "
               "Court, 2026-01-30' …\n"
               "  kvali case set CASE          # asks",
    .options_of = case_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_case,
};

static const struct option_spec *person_options(int argc, char **argv)
{
    (void)argc, (void)argv;
    return custody_cli_options(custody_kind_named("person"));
}

static int run_person(const struct options *options)
{
    return strcmp(options->args[0], "add") == 0
               ? custody_cli_add(options, options->args[1], custody_kind_named("person"), NULL, NULL)
               : wrong_part("person", options, "add CASE");
}

const struct command command_person = {
    .name = "person",
    .summary = "say who somebody is that records name",
    .usage = "add CASE [options]",
    .help = "Writes a record into the ledger. Records of custody name people by --id; a court may want to "
            "hear each of them, so\n"
            "every one is a natural person with a position. A later record with the same --id adds to it.",
    .example = "  kvali person add CASE --id nb --given-name Nino --family-name Beridze --agency MIA "
               "--position examiner",
    .options_of = person_options,
    .min_args = 2,
    .max_args = 2,
    .run = run_person,
};

static const struct option_spec *exhibit_options(int argc, char **argv)
{
    (void)argc, (void)argv;
    return custody_cli_options(custody_kind_named("exhibit"));
}

static int run_exhibit(const struct options *options)
{
    return strcmp(options->args[0], "set") == 0
               ? custody_cli_add(options, options->args[1], custody_kind_named("exhibit"),
                                 options->arg_count > 2 ? "exhibit" : NULL,
                                 options->arg_count > 2 ? options->args[2] : NULL)
               : wrong_part("exhibit", options, "set CASE EXHIBIT");
}

const struct command command_exhibit = {
    .name = "exhibit",
    .summary = "say what an exhibit is: make, serial number, marks, package, seal",
    .usage = "set CASE [EXHIBIT] [options]",
    .help =
        "Writes a record into the ledger about the thing itself. Its image is recorded with `kvali add`. "
        "What cannot be\n"
        "read on it is said so (\"not readable\"), never left blank. A later record says only what is new.",
    .example =
        "  kvali exhibit set CASE EX-1 --kind USB --quantity 1 --make Kingston --model DT101 --serial - …",
    .options_of = exhibit_options,
    .min_args = 2,
    .max_args = 3,
    .run = run_exhibit,
};
