/*
 * hostile: the shared objects load, find in this program all that a plugin may call, and those whose deed
 * ends do no harm without a sandbox. What the others do is tried with workers in
 * tests/integration/hostile.sh.
 *
 *     hostile FOLDER_OF_SHARED_OBJECTS
 */
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

static void check(bool held, const char *what, const char *got)
{
    if (held)
        return;
    printf("%s; got:\n%s\n", what, got);
    failures++;
}

static const struct plugin *load(const char *folder, const char *name)
{
    const struct plugin *plugin = NULL;
    char sha256[SHA256_HEX_SIZE] = "", *path;
    struct why why = {""};

    if (asprintf(&path, "%s/%s.so", folder, name) < 0)
        abort();
    check(plugin_load(path, &plugin, sha256, &why) == 0, name, why.text);
    check(strlen(sha256) == 64, "the digest of the shared object", sha256);
    if (plugin == NULL)
        exit(1);
    free(path);
    return plugin;
}

/* Everything that this plugin and nest say of `text`, malloc'ed. */
static char *scan(const char *folder, const char *name, const char *text)
{
    const struct plugin *plugins[] = {load(folder, name), load(folder, "nest")};
    struct trace trace = {.plugins = plugins, .lines_max = 200};
    struct trace_source source = {.data = (const uint8_t *)text, .size = strlen(text)};
    struct settings settings;
    struct scanner *scanner;
    struct why why = {""};

    if (settings_init(&settings) < 0 || settings_set(&settings, "limit.records", "100", &why) < 0 ||
        settings_set(&settings, "limit.depth", "3", &why) < 0)
        abort();
    check(scanner_new(plugins, strcmp(name, "nest") == 0 ? 1 : 2, &settings, &scanner, &why) == 0, name,
          why.text);
    check(trace_scan(&trace, scanner, trace_info(name, source.size), &source, 0) == 0, "the scan ends well",
          name);
    scanner_free(scanner);
    settings_finish(&settings);
    return buf_steal(&trace.text);
}

static void check_liar(const char *folder)
{
    char *text = scan(folder, "liar", "LIEME");

    check(strstr(text, "answers=\"EINVAL EINVAL E2BIG believed EINVAL EINVAL EINVAL ENODATA ENOSPC\"") != NULL,
          "each lie has its answer", text);
    check(strstr(text, "limited liar @0 limit.child_bytes") != NULL, "an impossible child is a limit", text);
    check(strstr(text, "limited liar @0 liar left") != NULL, "a child left open is said", text);
    check(strstr(text, "begin \"sample/liar!/\\xff/\\x2e./\\x2e./etc\\x0a\"") != NULL, "a name is escaped",
          text);
    check(strstr(text, "failed liar") != NULL, "an impossible kind of child is a failure", text);
    check(strstr(text, "\\x1b[31m") != NULL && strchr(text, '\x1b') == NULL, "a note is escaped", text);
    free(text);
}

static void check_flood(const char *folder)
{
    char *text = scan(folder, "flood", "FLOODME"), *limit = strstr(text, "limited flood @0 limit.records");
    size_t lines = 0;

    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    check(limit != NULL && strstr(limit + 1, "limited") == NULL, "the limit is said once", text);
    check(lines == 102, "and nothing more gets through", text);
    free(text);
}

static void check_nest(const char *folder)
{
    char *text = scan(folder, "nest", "NESTNESTNESTNESThello");

    check(strstr(text, "begin \"sample/nest!/inner!/inner!/inner\" in 2 by nest kind=7 depth=3 offset=4 "
                       "deleted=0 size=9") != NULL,
          "children in children", text);
    check(strstr(text, "[3] limited nest @0 limit.depth") != NULL, "no deeper than the limit", text);
    free(text);
}

int main(int argc, char **argv)
{
    static const char *const others[] = {"crash", "hang", "hog", "escape"};

    if (argc != 2)
        return 2;
    check_liar(argv[1]);
    check_flood(argv[1]);
    check_nest(argv[1]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char *text = scan(argv[1], others[i], "nothing for them");

        check(strcmp(text, "= whole read=16 unread=0 error=0\n") == 0,
              "a stream without its word is left alone", text);
        free(text);
    }
    printf("%u failures\n", failures);
    return failures > 0;
}
