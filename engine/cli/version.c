/* version: kvali's own version and those of everything it is built on. */
#include "cases/db.h"
#include "engine/base/hash.h"
#include "engine/base/version.h"
#include "engine/cli/job_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *version_short(void)
{
    return kvali_version();
}

const char *version_long(void)
{
    static char text[96];
    if (!text[0])
        snprintf(text, sizeof text, "%s (commit %s)", kvali_version(), kvali_commit());
    return text;
}

/* {"libtsk":"4.11.1",...}, which our own worker wrote, as lines. */
static void print_pairs(const char *json)
{
    bool value = false;
    for (const char *c = json; *c; c++) {
        if (*c == '"' || *c == '{' || *c == '}' || *c == '\n')
            continue;
        if (*c == ':' || *c == ',') {
            value = *c == ':';
            putchar(value ? ' ' : '\n');
            continue;
        }
        putchar(*c);
    }
    putchar('\n');
}

int version_print(void)
{
    struct why why = {{0}};
    char *versions = NULL;
    printf("kvali %s\n", version_long());
    printf("%s\n", db_version());
    int code = job_ask(job_cli_worker(), "--versions", NULL, &versions, &why);
    if (code)
        return fail(EXIT_ENVIRONMENT, NULL, code, &why, "the installation is incomplete");
    print_pairs(versions);
    free(versions);
    return EXIT_DONE;
}
