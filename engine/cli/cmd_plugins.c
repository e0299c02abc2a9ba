/* kvali plugins: what looks at evidence, what it records, and every setting. */
#include "engine/cli/job_cli.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option_spec specs[] = {
    {"settings", 's', NULL, "List every setting with its default instead"},
    {"json", 'j', NULL, "As JSON"},
    {NULL, 0, NULL, NULL},
};

static int list_settings(void)
{
    size_t count;
    const struct setting_known *table = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        cli_print("%-22s %-12s %s%s\n", table[i].key, table[i].fallback, table[i].what,
                  table[i].findings ? " [can change findings]" : "");
    return EXIT_DONE;
}

static int run(const struct options *options)
{
    struct why why = {{0}};
    char *text = NULL;
    if (options_has(options, "settings"))
        return list_settings();
    int code =
        job_ask(job_cli_worker(), options_has(options, "json") ? "--plugins-json" : "--plugins", NULL, &text, &why);
    if (code)
        return fail(EXIT_ENVIRONMENT, NULL, code, &why, "the installation is incomplete");
    cli_print("%s", text);
    free(text);
    return EXIT_DONE;
}

const struct command command_plugins = {
    .name = "plugins",
    .summary = "list the plugins, what they record, and every setting",
    .usage = "[options]",
    .help = "Lists the plugins that look at each stream of bytes, with the record types that they write and "
            "their\n"
            "fields; each record type is a table of case.db. With --settings: what --set of `run` and "
            "`process` takes.",
    .example = "  kvali plugins\n"
               "  kvali plugins --settings",
    .options = specs,
    .max_args = 0,
    .run = run,
};
