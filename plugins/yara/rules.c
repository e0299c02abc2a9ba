/*
 * rules: finds, checks and compiles rule files (libyara 4.2, C API).
 *
 * Each file is compiled alone first, because a compiler that has met an error is of no further use, and
 * because only alone it shows which modules it imports. Then all good ones are compiled together: one pass
 * over a stream finds the matches of every rule. Only source is read: libyara's loader of compiled rules
 * trusts what it loads.
 */
#include "plugins/yara/rules.h"

#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/yara/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not "time": what it finds depends on the day. */
static const char *const modules[] = {"console", "cuckoo", "dex",  "dotnet", "elf",   "hash",
                                      "macho",   "magic",  "math", "pe",     "string"};

/* What libyara's callbacks fill. */
struct complaint {
    const char *name; /* the file's */
    struct why why;
};

int rules_define_variables(YR_COMPILER *compiler)
{
    static const char *const texts[] = {"filename", "filepath", "extension", "filetype", "md5", "owner"};
    int rc = yr_compiler_define_integer_variable(compiler, "size", 0);

    if (rc == ERROR_SUCCESS)
        rc = yr_compiler_define_boolean_variable(compiler, "deleted", 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == ERROR_SUCCESS; i++)
        rc = yr_compiler_define_string_variable(compiler, texts[i], "");
    return rc;
}

/* Keeps the first error; warnings (a slow rule) do not keep a file out. */
static void on_compiler(int level, const char *file, int line, const YR_RULE *rule, const char *message,
                        void *context)
{
    struct complaint *complaint = context;
    struct buf text = {0};

    (void)file;
    if (level != YARA_ERROR_LEVEL_ERROR || complaint->why.text[0] != '\0')
        return;
    text_escape(&text, message, strlen(message));
    why_set(&complaint->why, 0, "%s:%d: %s%s%s", complaint->name, line, rule != NULL ? rule->identifier : "",
            rule != NULL ? ": " : "", buf_cstr(&text));
    buf_finish(&text);
}

static int compiler_new(struct complaint *complaint, YR_COMPILER **ret_compiler)
{
    YR_COMPILER *compiler = NULL;

    if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
        return -ENOMEM;
    yr_compiler_set_callback(compiler, on_compiler, complaint);
    yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
    if (rules_define_variables(compiler) != ERROR_SUCCESS) {
        yr_compiler_destroy(compiler);
        return -ENOMEM;
    }
    *ret_compiler = compiler;
    return 0;
}

static void complain(struct rule_file *file, const struct complaint *complaint)
{
    why_set(&file->problem, 0, "%s",
            complaint->why.text[0] != '\0' ? complaint->why.text : "it does not compile");
}

static int on_import(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    const YR_MODULE_IMPORT *import = data;
    struct complaint *complaint = user;

    (void)context;
    if (message != CALLBACK_MSG_IMPORT_MODULE)
        return CALLBACK_CONTINUE;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (strcmp(import->module_name, modules[i]) == 0)
            return CALLBACK_CONTINUE;
    }
    why_set(&complaint->why, 0, "%s: the module \"%s\" is not accepted", complaint->name,
            import->module_name);
    return CALLBACK_ABORT;
}

/* Its modules, and how many rules it has. libyara tells the modules of a file only when it scans. */
static void inspect(struct rule_file *file, YR_RULES *rules, struct complaint *complaint)
{
    static const uint8_t nothing[1] = {0};
    const YR_RULE *rule;

    yr_rules_foreach(rules, rule)
    {
        file->count++;
    }
    yr_rules_scan_mem(rules, nothing, sizeof nothing, SCAN_FLAGS_NO_TRYCATCH, on_import, complaint, 60);
    if (complaint->why.text[0] != '\0')
        complain(file, complaint);
}

/* Alone. What is wrong with it is left in file->problem. */
static int check(struct rule_file *file)
{
    struct complaint complaint = {.name = file->relative};
    YR_COMPILER *compiler = NULL;
    YR_RULES *rules = NULL;
    int rc;

    if (file->problem.text[0] != '\0')
        return 0;
    rc = compiler_new(&complaint, &compiler);
    if (rc < 0)
        return rc;
    if (yr_compiler_add_string(compiler, file->text, file->space) != 0)
        complain(file, &complaint);
    else if (yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS)
        rc = -ENOMEM;
    else
        inspect(file, rules, &complaint);
    if (rules != NULL)
        yr_rules_destroy(rules);
    yr_compiler_destroy(compiler);
    return rc;
}

/* All good ones. 1 when one of them that was good alone is not beside the others: it is marked, and all must
 * be tried again. */
static int compile(struct rule_files *files, YR_RULES **ret_rules)
{
    struct complaint complaint = {.name = ""};
    YR_COMPILER *compiler = NULL;
    YR_RULES *rules = NULL;
    bool any = false;
    int rc = compiler_new(&complaint, &compiler);

    for (size_t i = 0; i < files->count && rc == 0; i++) {
        struct rule_file *file = &files->items[i];

        if (file->problem.text[0] != '\0')
            continue;
        any = true;
        complaint.name = file->relative;
        if (yr_compiler_add_string(compiler, file->text, file->space) != 0) {
            complain(file, &complaint);
            rc = 1;
        }
    }
    if (rc == 0 && any && yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS)
        rc = -ENOMEM;
    if (compiler != NULL)
        yr_compiler_destroy(compiler);
    if (rc == 0)
        *ret_rules = rules;
    return rc;
}

static void report(const struct rule_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];

        setup_loaded("yara", "rules", file->relative, file->sha256, file->count,
                     file->problem.text[0] != '\0' ? file->problem.text : NULL);
    }
}

int rules_load(const char *list, YR_RULES **ret_rules, struct why *why)
{
    struct rule_files files = {NULL, 0, 0};
    int rc = rule_files_find(&files, list, why);

    if (rc < 0)
        goto out;
    for (size_t i = 0; i < files.count && rc == 0; i++)
        rc = check(&files.items[i]);
    if (rc == 0) {
        do
            rc = compile(&files, ret_rules);
        while (rc > 0);
    }
    if (rc < 0)
        why_set(why, rc, "no memory to compile the rules");
    else
        report(&files);
out:
    rule_files_finish(&files);
    return rc;
}
