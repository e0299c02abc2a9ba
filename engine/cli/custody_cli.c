/*
 * custody_cli: see custody_cli.h.
 */
#include "engine/cli/custody_cli.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 40, WHAT_SIZE = 400, LINE_SIZE = 4096 };

static const struct option_spec common[] = {
    {"file", 'f', "FILE",
     "Take records from a .toml or .json file: fields, or tables named case, person,\n"
     "exhibit, seizure, event … (all of them are checked before one is written)"},
    {"all", 'a', NULL, "On a terminal: ask for what may be left out, too"},
    {"no-input", 0, NULL, "Ask nothing: what is missing is an error"},
};

/* ------------------------------------------------------------------ options */

static void option_name(const char *field, char ret[NAME_SIZE])
{
    size_t i = 0;
    for (; field[i] && i < NAME_SIZE - 1; i++)
        ret[i] = field[i] == '_' ? '-' : field[i];
    ret[i] = 0;
}

static const char *argument_of(enum custody_form form)
{
    static const char *const names[] = {
        [CUSTODY_TEXT] = "TEXT",       [CUSTODY_DATE] = "DATE",   [CUSTODY_TIME] = "TIME",
        [CUSTODY_NUMBER] = "N",        [CUSTODY_CHOICE] = "WORD", [CUSTODY_PERSON] = "PERSON",
        [CUSTODY_EXHIBIT] = "EXHIBIT", [CUSTODY_RECORD] = "N",    [CUSTODY_HASH] = "HASH",
    };
    return names[form];
}

static void describe(const struct custody_field *field, char ret[WHAT_SIZE])
{
    snprintf(ret, WHAT_SIZE, "%s%s%s%s%s%s", field->what, field->words ? ":\n" : "",
             field->words ? field->words : "", field->flags & CUSTODY_LIST ? "; may be given again" : "",
             field->flags & CUSTODY_NONE ? "\n(\"not readable\" or -, or \"none\", where it is so)" : "",
             field->flags & CUSTODY_KNOWN  ? "\n(kvali fills it in where it knows it)"
             : field->flags & CUSTODY_MUST ? ""
                                           : "\n(may be left out)");
}

const struct option_spec *custody_cli_options(const struct custody_kind *kind)
{
    static struct option_spec specs[OPTIONS_MAX];
    static char names[OPTIONS_MAX][NAME_SIZE], whats[OPTIONS_MAX][WHAT_SIZE];
    size_t count = 0;
    for (const struct custody_field *field = kind->fields; field->name && count < OPTIONS_MAX - 8;
         field++, count++) {
        option_name(field->name, names[count]);
        describe(field, whats[count]);
        specs[count] = (struct option_spec){names[count], 0, argument_of(field->form), whats[count]};
    }
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        specs[count++] = common[i];
    specs[count] = (struct option_spec){0};
    return specs;
}

/* ------------------------------------------------------------------ where values come from */

static int take_options(const struct options *options, struct custody_draft *draft, struct why *why)
{
    char name[NAME_SIZE];
    const char *value;
    const struct custody_kind *kind = custody_draft_kind(draft);
    for (const struct custody_field *field = kind->fields; field->name; field++) {
        option_name(field->name, name);
        for (size_t i = 0; (value = options_nth(options, name, i)); i++) {
            int code = custody_draft_set(draft, field->name, value, why);
            if (code)
                return code;
        }
    }
    return 0;
}

/* Defaults stand under the kind's word, or for all kinds under [default]. */
static int take_defaults(const struct lab *lab, struct custody_draft *draft, struct why *why)
{
    const struct custody_kind *kind = custody_draft_kind(draft);
    for (const struct custody_field *field = kind->fields; field->name; field++) {
        if (custody_draft_has(draft, field->name))
            continue;
        const char *section = lab_value(lab, kind->word, field->name, 0) ? kind->word : "default", *value;
        for (size_t i = 0; (value = lab_value(lab, section, field->name, i)); i++) {
            int code = custody_draft_set(draft, field->name, value, why);
            if (code)
                return code;
        }
    }
    return 0;
}

char *lab_default(const char *section, const char *key)
{
    struct lab *lab = NULL;
    struct why why = {{0}};
    if (lab_load(NULL, &lab, &why)) {
        fail(EXIT_USAGE, "lab.toml", -EINVAL, &why, NULL);
        return NULL;
    }
    const char *value = lab_value(lab, section, key, 0);
    char *copy = value ? strdup(value) : NULL;
    lab_free(lab);
    return copy;
}

/* ------------------------------------------------------------------ questions */

/* One answer without its end of line; NULL at the end of input. */
static const char *answer(char line[LINE_SIZE])
{
    if (!fgets(line, LINE_SIZE, stdin))
        return NULL;
    line[strcspn(line, "\r\n")] = 0;
    return line;
}

struct adding {
    struct casefile *cf;
    struct custody *custody;
    struct lab *lab;
    const struct options *options;
    bool terminal, write;
    size_t count;
    struct why *why;
};

/* The persons who are known, each once, as far as the line goes. */
static void put_persons(const struct custody *custody)
{
    size_t shown = 0;
    for (size_t i = 0; i < custody_count(custody) && shown < 12; i++) {
        const struct custody_record *record = custody_at(custody, i);
        const char *id = custody_value(record, "id", 0);
        if (strcmp(record->kind->word, "person") == 0 && custody_find(custody, "person", "id", id, NULL) == record)
            cli_print("%s%s", shown++ ? ", " : " (", id);
    }
    cli_print("%s", shown ? ")" : "");
}

static void put_question(const struct adding *a, const struct custody_field *field, bool any, const char *likely)
{
    bool must = (field->flags & CUSTODY_MUST) != 0;
    cli_print("%s%s", any ? "… and " : "", field->what);
    if (field->words) {
        cli_print(" (");
        for (const char *at = field->words; *at; at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' '))
            cli_print("%s%.*s", at == field->words ? "" : ", ", (int)strcspn(at, " "), at);
        cli_print(")");
    } else if (field->form == CUSTODY_PERSON) {
        put_persons(a->custody);
    }
    if (*likely) {
        struct buf safe = {0};
        text_escape(&safe, likely, strlen(likely));
        cli_print(" [%s]", buf_cstr(&safe));
        buf_finish(&safe);
    }
    cli_print("%s: ", field->words || *likely ? "" : field->flags & CUSTODY_NONE ? " (- for not readable)" : must && !any ? "" : " (Enter: none)");
    fflush(stdout);
}

/* -ECANCELED: the input ended. */
static int ask(struct adding *a, struct custody_draft *draft, const struct custody_field *field)
{
    char line[LINE_SIZE];
    bool must = (field->flags & CUSTODY_MUST) != 0, list = (field->flags & CUSTODY_LIST) != 0;
    struct buf likely = {0};
    int code = 1;
    custody_suggest(draft, a->custody, field->name, &likely);
    for (bool any = false; code == 1;) {
        struct why why = {{0}};
        put_question(a, field, any, buf_cstr(&likely));
        const char *text = answer(line);
        if (text && !*text && likely.size)
            text = buf_cstr(&likely);
        if (!text)
            code = -ECANCELED;
        else if (!*text && (any || !must))
            code = 0;
        else if ((*text && custody_check_name(custody_draft_kind(draft), field, text, a->cf, a->custody, &why)) ||
                 custody_draft_set(draft, field->name, text, &why))
            cli_print("  %s\n", why.text);
        else if (list)
            any = true;
        else
            code = 0;
    }
    buf_finish(&likely);
    return code;
}

/* What an answer lets kvali know is not asked for. */
static int ask_all(struct adding *a, struct custody_draft *draft, bool optional)
{
    for (const struct custody_field *field = custody_draft_kind(draft)->fields; field->name; field++) {
        int code = field->flags & CUSTODY_KNOWN ? custody_draft_know(draft, a->cf, a->custody, a->why) : 0;
        if (code == 0 && !custody_draft_has(draft, field->name) && ((field->flags & CUSTODY_MUST) || optional))
            code = ask(a, draft, field);
        if (code)
            return code;
    }
    return 0;
}

/* ------------------------------------------------------------------ one record, or a file of them */


static void told(const struct custody_kind *kind, uint64_t number)
{
    cli_print("record %llu: %s\n", (unsigned long long)number, kind->word);
}

static int complete(struct adding *a, struct custody_draft *draft)
{
    int code = take_defaults(a->lab, draft, a->why);
    return code ? code : custody_draft_know(draft, a->cf, a->custody, a->why);
}

static int add_draft(struct adding *a, struct custody_draft *draft)
{
    uint64_t number;
    int code = custody_add(a->cf, a->custody, draft, &number, a->why);
    a->count += code == 0;
    if (code == 0 && !a->options->quiet)
        told(custody_draft_kind(draft), number);
    return code;
}

static int add_from_file(void *context, struct custody_draft *draft)
{
    struct adding *a = context;
    int code = complete(a, draft);
    return code ? code : add_draft(a, draft);
}

/* Nothing is written yet: is everything in the file good, with what stands before it in the file? */
static int look_at_draft(void *context, struct custody_draft *draft)
{
    struct adding *a = context;
    int code = complete(a, draft);
    if (code == 0)
        code = custody_draft_check(draft, a->cf, a->custody, a->why);
    return code ? code : custody_expect(a->custody, draft);
}

static int add_file(struct adding *a, const char *path, const struct custody_kind *kind)
{
    struct custody *written = a->custody;
    a->custody = NULL;
    int code = custody_load(casefile_folder(a->cf), &a->custody, a->why);
    if (code == 0)
        code = custody_file(path, kind, look_at_draft, a, a->why);
    custody_free(a->custody);
    a->custody = written;
    return code ? code : custody_file(path, kind, add_from_file, a, a->why);
}

static int add_one(struct adding *a, const struct custody_kind *kind, const char *field, const char *value)
{
    struct custody_draft *draft = custody_draft_new(kind);
    int code = draft ? 0 : -ENOMEM;
    if (code == 0 && field)
        code = custody_draft_set(draft, field, value, a->why);
    if (code == 0)
        code = take_options(a->options, draft, a->why);
    if (code == 0)
        code = complete(a, draft);
    if (code == 0 && a->terminal && custody_draft_check(draft, a->cf, a->custody, NULL))
        code = ask_all(a, draft, options_has(a->options, "all"));
    if (code == -ECANCELED)
        why_set(a->why, code, "the input ended: nothing was written");
    if (code == 0)
        code = add_draft(a, draft);
    custody_draft_free(draft);
    return code;
}

static int failed(const struct adding *a, int error, const struct custody_kind *kind)
{
    char advice[120];
    if (error != -EINVAL && error != -ECANCELED && error != -ENOENT)
        return fail(exit_code_of_case(error), casefile_folder(a->cf), error, a->why, NULL);
    snprintf(advice, sizeof advice, "%s`kvali %s --help` tells all fields",
             a->count ? "what stands before it is written; " : "", kind->command);
    return fail(EXIT_USAGE, NULL, error, a->why, advice);
}

int custody_cli_add(const struct options *options, const char *folder, const struct custody_kind *kind,
                    const char *field, const char *value)
{
    struct why why = {{0}};
    struct adding a = {.options = options, .why = &why};
    int code = EXIT_DONE;
    a.terminal = isatty(STDIN_FILENO) && !options_has(options, "no-input");
    if (lab_load(NULL, &a.lab, &why))
        return fail(EXIT_USAGE, "lab.toml", -EINVAL, &why, "mend it, or move it away");
    if (cli_open_case(folder, CASEFILE_WRITE, &a.cf, &code) == 0) {
        const char *file = options_text(options, "file", NULL);
        int error = custody_load(folder, &a.custody, &why);
        if (error == 0)
            error = file ? add_file(&a, file, kind) : add_one(&a, kind, field, value);
        if (error)
            code = failed(&a, error, kind);
    }
    custody_free(a.custody);
    casefile_close(a.cf);
    lab_free(a.lab);
    return code;
}

int custody_cli_gaps(struct casefile *cf, uint64_t *ret_gaps)
{
    struct custody *custody = NULL;
    struct why why = {{0}};
    int error = custody_load(casefile_folder(cf), &custody, &why);
    if (error)
        return fail(exit_code_of_case(error), casefile_folder(cf), error, &why, "`kvali verify` says more");
    *ret_gaps = custody_check(cf, custody, NULL, NULL);
    custody_free(custody);
    return EXIT_DONE;
}
