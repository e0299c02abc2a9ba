/* options: see options.h. */
#include "engine/cli/options.h"

#include "engine/base/buf.h"
#include "engine/base/settings.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After the command's own. */
static const struct option_spec common_specs[] = {
    {"help", 'h', NULL, "Explain this command"},
    {"quiet", 'q', NULL, "Print errors only"},
    {"verbose", 'v', NULL, "Print more of what is being done"},
    {NULL, 0, NULL, NULL},
};

/* The specs and their getopt_long form; value of option i is VALUE_BASE + i. */
struct table {
    const struct option_spec *specs[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 3];
    size_t count;
};
enum { VALUE_BASE = 1000 };

static void table_add(struct table *table, const struct option_spec *specs)
{
    for (; specs && specs->name; specs++) {
        assert(table->count < OPTIONS_MAX);
        size_t i = table->count++;
        table->specs[i] = specs;
        table->longs[i] = (struct option){.name = specs->name,
                                          .has_arg = specs->argument ? required_argument : no_argument,
                                          .val = VALUE_BASE + (int)i};
        if (specs->letter) {
            size_t end = strlen(table->shorts);
            table->shorts[end] = specs->letter;
            if (specs->argument)
                table->shorts[end + 1] = ':';
        }
    }
}

static const struct option_spec *table_find(const struct table *table, int value)
{
    for (size_t i = 0; i < table->count; i++)
        if (value == VALUE_BASE + (int)i || (value != 0 && value == table->specs[i]->letter))
            return table->specs[i];
    return NULL;
}

/* An option as the user typed it, safe to print. */
static int wrong_option(struct why *why, const char *typed, const char *problem)
{
    struct buf safe = {0};
    text_escape(&safe, typed, strlen(typed));
    int code = why_set(why, -EINVAL, "%s: %s", buf_cstr(&safe), problem);
    buf_finish(&safe);
    return code;
}

static void take(struct options *options, const struct option_spec *spec, const char *value)
{
    if (!strcmp(spec->name, "help"))
        options->help = true;
    else if (!strcmp(spec->name, "quiet"))
        options->quiet = true;
    else if (!strcmp(spec->name, "verbose"))
        options->verbose = true;
    else
        options->given[options->given_count++] =
            (struct option_given){.name = spec->name, .value = spec->argument ? value : NULL};
}

int options_parse(struct options *ret_options, const struct option_spec *specs, int argc, char **argv,
                  struct why *why)
{
    struct table table = {.shorts = ":"};
    table_add(&table, specs);
    table_add(&table, common_specs);

    struct options options = {.given = calloc((size_t)argc + 1, sizeof *options.given)};
    if (!options.given)
        return why_set(why, -ENOMEM, "no memory");
    optind = 0; /* glibc: start anew */
    opterr = 0;
    for (int value; (value = getopt_long(argc, argv, table.shorts, table.longs, NULL)) != -1;) {
        const struct option_spec *spec = value == '?' || value == ':' ? NULL : table_find(&table, value);
        if (!spec) {
            char letter[3] = {'-', (char)optopt, 0};
            bool is_letter = optopt > 0 && optopt < VALUE_BASE && argv[optind - 1][1] != '-';
            int code = wrong_option(why, is_letter ? letter : argv[optind - 1],
                                    value == ':' ? "this option needs a value"
                                    : optopt >= VALUE_BASE
                                        ? "this option takes no value"
                                        : "there is no such option, or more than one that it could mean");
            free(options.given);
            return code;
        }
        take(&options, spec, optarg);
    }
    options.args = argv + optind;
    options.arg_count = (size_t)(argc - optind);
    *ret_options = options;
    return 0;
}

void options_finish(struct options *options)
{
    if (!options)
        return;
    free(options->given);
    *options = (struct options){0};
}

const char *options_nth(const struct options *options, const char *name, size_t index)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (!strcmp(options->given[i].name, name) && index-- == 0)
            return options->given[i].value;
    return NULL;
}

bool options_has(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (!strcmp(options->given[i].name, name))
            return true;
    return false;
}

const char *options_text(const struct options *options, const char *name, const char *fallback)
{
    const char *value = NULL;
    for (size_t i = 0; i < options->given_count; i++)
        if (!strcmp(options->given[i].name, name))
            value = options->given[i].value;
    return value ? value : fallback;
}

static int wrong_value(const char *name, const char *value, const char *expected, struct why *why)
{
    struct buf safe = {0};
    text_escape(&safe, value, strlen(value));
    int code = why_set(why, -EINVAL, "--%s %s: %s", name, buf_cstr(&safe), expected);
    buf_finish(&safe);
    return code;
}

int options_number(const struct options *options, const char *name, uint64_t *ret_number, struct why *why)
{
    const char *value = options_text(options, name, NULL);
    if (!value)
        return 0;
    errno = 0;
    char *end = NULL;
    unsigned long long number = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno)
        return wrong_value(name, value, "expected a whole number", why);
    *ret_number = number;
    return 0;
}

int options_size(const struct options *options, const char *name, uint64_t *ret_size, struct why *why)
{
    const char *value = options_text(options, name, NULL);
    if (!value)
        return 0;
    uint64_t size = 0;
    if (!size_parse(value, &size))
        return wrong_value(name, value, "expected a size such as 4096, 512K, 10M or 2G", why);
    *ret_size = size;
    return 0;
}

int options_when(const struct options *options, const char *name, int64_t *ret_when, struct why *why)
{
    const char *value = options_text(options, name, NULL);
    if (!value)
        return 0;
    int64_t when = WHEN_NONE;
    if (!when_parse(value, &when))
        return wrong_value(name, value,
                           "expected a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z", why);
    *ret_when = when;
    return 0;
}

static void print_spec(const struct option_spec *spec)
{
    char left[80];
    char letter[5] = "    ";
    if (spec->letter)
        snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, spec->name, spec->argument ? " " : "",
             spec->argument ? spec->argument : "");
    printf("%-30s", left);
    if (strlen(left) > 29)
        printf("\n%30s", "");
    for (const char *c = spec->what; *c; c++)
        if (*c == '\n')
            printf("\n%30s", "");
        else
            putchar(*c);
    putchar('\n');
}

void options_print(const struct option_spec *specs)
{
    for (; specs && specs->name; specs++)
        print_spec(specs);
    for (specs = common_specs; specs->name; specs++)
        print_spec(specs);
}
