/*
 * rules: compiles rule files (libyara 4.2, C API).
 *
 * All files are compiled at once. If one of them does not compile, each is tried alone, and what the compiler
 * complains about is taken out, rule by rule, until the rest compiles; a rule that uses one that went goes
 * too. Only source is read: libyara's loader of compiled rules trusts what it loads.
 */
#include "plugins/yara/rules.h"

#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/yara/choice.h"
#include "plugins/yara/complaints.h"
#include "plugins/yara/files.h"
#include "plugins/yara/lex.h"
#include "plugins/yara/parts.h"
#include "plugins/yara/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REMARKS_MAX = 10000, /* told one by one */
};

/* ------------------------------------------------------------------ the compiler */

static int define_variables(YR_COMPILER *compiler)
{
    static const char *const texts[] = {"filename", "filepath", "extension", "filetype", "md5", "owner"};
    int rc = yr_compiler_define_integer_variable(compiler, "size", 0);

    if (rc == ERROR_SUCCESS)
        rc = yr_compiler_define_boolean_variable(compiler, "deleted", 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == ERROR_SUCCESS; i++)
        rc = yr_compiler_define_string_variable(compiler, texts[i], "");
    return rc;
}

static void on_compiler(int level, const char *file, int line, const YR_RULE *rule, const char *message,
                        void *context)
{
    (void)file, (void)rule;
    complaints_add(context, level == YARA_ERROR_LEVEL_ERROR, line, message);
}

static int compiler_new(struct complaints *complaints, YR_COMPILER **ret_compiler)
{
    YR_COMPILER *compiler = NULL;

    if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
        return -ENOMEM;
    yr_compiler_set_callback(compiler, on_compiler, complaints);
    yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
    if (define_variables(compiler) != ERROR_SUCCESS) {
        yr_compiler_destroy(compiler);
        return -ENOMEM;
    }
    *ret_compiler = compiler;
    return 0;
}

/* 0, -EBADMSG when it does not compile, -ENOMEM. */
static int add_kept(YR_COMPILER *compiler, const struct rule_file *file, const uint8_t *keep, bool pe)
{
    struct buf buf = {0};
    int rc = 0;

    part_write(file, keep, pe, &buf);
    if (buf_failed(&buf))
        rc = -ENOMEM;
    else if (yr_compiler_add_string(compiler, buf_cstr(&buf), file->space) != 0)
        rc = -EBADMSG;
    buf_finish(&buf);
    return rc;
}

/* As add_kept; 1 when the file has no rules of this part. */
static int add_part(YR_COMPILER *compiler, const struct rule_file *file, enum rule_part part, bool pe)
{
    uint8_t *keep = calloc(file->source.count + 1, 1);
    int rc = keep == NULL ? -ENOMEM : 0;

    if (rc == 0)
        rc = part_choose(file, part, pe, keep) ? add_kept(compiler, file, keep, pe) : 1;
    free(keep);
    return rc;
}

/* ------------------------------------------------------------------ one file alone */

static bool module_is_accepted(const struct rule_item *item)
{
    /* Not "time": what it finds depends on the day. */
    static const char *const modules[] = {"console", "cuckoo", "dex",  "dotnet", "elf",   "hash",
                                          "macho",   "magic",  "math", "pe",     "string"};

    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (strlen(modules[i]) == item->name_size && memcmp(modules[i], item->name, item->name_size) == 0)
            return true;
    }
    return false;
}

/* A remark on a rule, an import or an include: out of use or, for the operator to know, in use. */
static void remark(const struct rule_file *file, const struct rule_item *item, unsigned line, bool in_use,
                   const char *message, unsigned *told)
{
    struct buf name = {0}, text = {0};

    if ((*told)++ >= REMARKS_MAX)
        return;
    buf_printf(&name, "%s:%u: ", file->relative, item->line);
    text_escape(&name, item->name, item->name_size);
    buf_printf(&text, "%s:%u: ", file->relative, line);
    text_escape(&text, message, strlen(message));
    setup_loaded("yara", in_use ? "remark" : "left out", buf_cstr(&name), file->sha256, in_use,
                 buf_cstr(&text));
    buf_finish(&name);
    buf_finish(&text);
}

static void take_out(struct rule_file *file, struct rule_item *item, unsigned line, const char *message,
                     unsigned *told)
{
    remark(file, item, line, false, message, told);
    item->out = true;
}

/* What is refused whatever libyara says. */
static void refuse(struct rule_file *file, unsigned *told)
{
    for (size_t i = 0; i < file->source.count; i++) {
        struct rule_item *item = &file->source.items[i];

        if (item->kind == ITEM_INCLUDE && !item->out)
            take_out(file, item, item->line, "includes are not followed", told);
        else if (item->kind == ITEM_IMPORT && !item->out && !module_is_accepted(item))
            take_out(file, item, item->line, "this module is not accepted", told);
    }
}

/* Takes out what the complaints name. False when they name nothing that could be taken out. */
static bool heed(struct rule_file *file, const struct complaints *complaints, unsigned *told)
{
    bool any = false;

    for (size_t i = 0; i < complaints->count; i++) {
        const struct complaint *complaint = &complaints->items[i];
        struct rule_item *item =
            complaint->error ? rule_source_at_line(&file->source, complaint->line) : NULL;

        if (item == NULL)
            continue;
        any = true;
        take_out(file, item, complaint->line, complaint->text, told);
    }
    return any;
}

static void tell_warnings(const struct rule_file *file, const struct complaints *complaints, unsigned *told)
{
    for (size_t i = 0; i < complaints->count; i++) {
        const struct complaint *complaint = &complaints->items[i];
        const struct rule_item *item = rule_source_at_line(&file->source, complaint->line);

        if (!complaint->error && item != NULL)
            remark(file, item, complaint->line, true, complaint->text, told);
    }
}

/* Once. `*ret_good` when all that is left compiles. */
static int try(struct rule_file *file, struct complaints *complaints, bool *ret_good)
{
    YR_COMPILER *compiler = NULL;
    YR_RULES *rules = NULL;
    const YR_RULE *rule;
    int rc = compiler_new(complaints, &compiler);

    if (rc < 0)
        return rc;
    rc = add_part(compiler, file, PART_ALL, true);
    *ret_good = rc >= 0;
    rc = rc == -ENOMEM ? rc : 0;
    if (*ret_good && yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS)
        rc = -ENOMEM;
    if (rules != NULL) {
        file->count = 0;
        yr_rules_foreach(rules, rule)
        {
            file->count++;
        }
        yr_rules_destroy(rules);
    }
    yr_compiler_destroy(compiler);
    return rc;
}

static int check(struct rule_file *file, bool remarks, unsigned *told)
{
    bool good = false;
    int rc = 0;

    while (rc == 0 && !good && file->problem.text[0] == '\0') {
        struct complaints complaints = {.items = NULL};

        rc = try(file, &complaints, &good);
        if (rc == 0 && !good && !heed(file, &complaints, told))
            why_set(&file->problem, 0, "%s:%u: %s", file->relative, complaints_first(&complaints)->line,
                    complaints_first(&complaints)->text);
        if (rc == 0 && good && remarks)
            tell_warnings(file, &complaints, told);
        complaints_finish(&complaints);
    }
    return rc;
}

/* ------------------------------------------------------------------ sets */

/* -EBADMSG when a file does not compile; *ret_rules is NULL when the part has no rules. */
static int compile(const struct rule_files *files, enum rule_part part, bool pe, YR_RULES **ret_rules)
{
    struct complaints complaints = {.items = NULL};
    YR_COMPILER *compiler = NULL;
    bool any = false;
    int rc = compiler_new(&complaints, &compiler);

    for (size_t i = 0; i < files->count && rc >= 0; i++) {
        if (files->items[i].problem.text[0] != '\0')
            continue;
        rc = add_part(compiler, &files->items[i], part, pe);
        any |= rc == 0;
    }
    if (rc >= 0)
        rc = 0;
    if (rc == 0 && any && yr_compiler_get_rules(compiler, ret_rules) != ERROR_SUCCESS)
        rc = -ENOMEM;
    if (compiler != NULL)
        yr_compiler_destroy(compiler);
    complaints_finish(&complaints);
    return rc;
}

void rules_finish(struct rules *rules)
{
    YR_RULES *const compiled[] = {rules->all, rules->always, rules->always_no_pe};

    prefilter_free(rules->prefilter);
    for (size_t i = 0; i < sizeof compiled / sizeof compiled[0]; i++) {
        if (compiled[i] != NULL)
            yr_rules_destroy(compiled[i]);
    }
    for (size_t i = 0; i < rules->place_count; i++) {
        free(rules->places[i].space);
        free(rules->places[i].name);
    }
    free(rules->places);
    formulas_finish(&rules->formulas);
    free(rules->formula);
    free(rules->by_name);
    free(rules->gated);
    free(rules->asked);
    free(rules->windowed);
    free(rules->wanted);
    free(rules->uses);
    free(rules->users);
    free(rules->use_begin);
    free(rules->user_begin);
    rule_files_finish(&rules->files);
    *rules = (struct rules){.places = NULL};
}

/* ------------------------------------------------------------------ some of them */

struct rest {
    const uint8_t *data;
    size_t size;
};

static size_t write_buf(const void *data, size_t size, size_t count, void *user)
{
    buf_append(user, data, size * count);
    return buf_failed(user) ? 0 : count;
}

static size_t read_buf(void *data, size_t size, size_t count, void *user)
{
    struct rest *rest = user;

    if (size == 0 || count > rest->size / size)
        return 0;
    memcpy(data, rest->data, size * count);
    rest->data += size * count;
    rest->size -= size * count;
    return count;
}

/* A compiler reserves megabytes for what is a few kilobytes; what is read back takes what it needs. */
static YR_RULES *shrink(YR_RULES *rules)
{
    struct buf buf = {0};
    YR_STREAM out = {.user_data = &buf, .write = write_buf};
    YR_RULES *small = NULL;
    int error = yr_rules_save_stream(rules, &out);

    if (error == ERROR_SUCCESS) {
        struct rest rest = {(const uint8_t *)buf.data, buf.size};
        YR_STREAM in = {.user_data = &rest, .read = read_buf};

        error = yr_rules_load_stream(&in, &small);
    }
    yr_rules_destroy(rules);
    buf_finish(&buf);
    return error == ERROR_SUCCESS ? small : NULL;
}

/* The first of `chosen` and those behind it that stand in the same file; how many. 0: no memory, or it does
 * not compile. */
static size_t add_some(YR_COMPILER *compiler, const struct rules *rules, const uint32_t *chosen, size_t count,
                       bool pe)
{
    const struct rule_place *first = rules_place(rules, &rules->all->rules_table[chosen[0]]);
    uint8_t *keep = first != NULL ? calloc(first->file->source.count + 1, 1) : NULL;
    size_t added = 0;

    if (keep == NULL)
        return 0;
    for (; added < count; added++) {
        const struct rule_place *place = rules_place(rules, &rules->all->rules_table[chosen[added]]);

        if (place == NULL || place->file != first->file)
            break;
        keep[place->item] = 1;
    }
    part_complete(first->file, pe, keep);
    if (add_kept(compiler, first->file, keep, pe) < 0)
        added = 0;
    free(keep);
    return added;
}

YR_RULES *rules_some(const struct rules *rules, const uint32_t *chosen, size_t count, bool pe)
{
    struct complaints complaints = {.items = NULL};
    YR_COMPILER *compiler = NULL;
    YR_RULES *some = NULL;
    size_t done = 0, added = 1;

    if (compiler_new(&complaints, &compiler) == 0) {
        for (; done < count && added > 0; done += added)
            added = add_some(compiler, rules, chosen + done, count - done, pe);
        if (done == count)
            (void)yr_compiler_get_rules(compiler, &some);
        yr_compiler_destroy(compiler);
    }
    complaints_finish(&complaints);
    return some != NULL ? shrink(some) : NULL;
}

/* ------------------------------------------------------------------ all together */

/* A rule in use, and the SHA-256 of all that stands behind its name. */
struct body {
    char sha256[SHA256_HEX_SIZE];
    const struct rule_file *file;
    const struct rule_item *item;
};

static int compare_bodies(const void *a, const void *b)
{
    const struct body *one = a, *two = b;
    int order = strcmp(one->sha256, two->sha256);

    if (order == 0)
        order = strcmp(one->file->space, two->file->space);
    return order != 0 ? order : (one->item->line > two->item->line) - (one->item->line < two->item->line);
}

static size_t list_bodies(const struct rule_files *files, struct body *bodies)
{
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];

        for (size_t k = 0; k < file->source.count; k++) {
            const struct rule_item *item = &file->source.items[k];
            size_t begin = (size_t)(item->name - file->text) + item->name_size;

            if (item->kind != ITEM_RULE || item->out)
                continue;
            hash_sha256_hex(file->text + begin, item->end - begin, bodies[count].sha256);
            bodies[count].file = file;
            bodies[count++].item = item;
        }
    }
    return count;
}

/* Rules that say word for word the same. */
static int tell_doubles(const struct rule_files *files, unsigned *told)
{
    size_t count = 0;
    struct body *bodies;

    for (size_t i = 0; i < files->count; i++)
        count += files->items[i].source.count;
    bodies = calloc(count + 1, sizeof bodies[0]);
    if (bodies == NULL)
        return -ENOMEM;
    count = list_bodies(files, bodies);
    qsort(bodies, count, sizeof bodies[0], compare_bodies);
    for (size_t i = 1; i < count; i++) {
        char text[1200];

        if (strcmp(bodies[i].sha256, bodies[i - 1].sha256) != 0)
            continue;
        snprintf(text, sizeof text, "says the same as the rule at %s:%u", bodies[i - 1].file->relative,
                 bodies[i - 1].item->line);
        remark(bodies[i].file, bodies[i].item, bodies[i].item->line, true, text, told);
    }
    free(bodies);
    return 0;
}

static int compile_whole(bool remarks, struct rules *ret)
{
    struct rule_files *files = &ret->files;
    unsigned told = 0;
    int rc;

    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].problem.text[0] == '\0')
            refuse(&files->items[i], &told);
    }
    rc = remarks ? -EBADMSG : compile(files, PART_ALL, true, &ret->all);
    if (rc == -EBADMSG) {
        rc = 0;
        for (size_t i = 0; i < files->count && rc == 0; i++)
            rc = check(&files->items[i], remarks, &told);
        if (rc == 0 && remarks)
            rc = tell_doubles(files, &told);
        if (rc == 0)
            rc = compile(files, PART_ALL, true, &ret->all);
    }
    if (told > REMARKS_MAX)
        setup_loaded("yara", "left out", "more", files->items[0].sha256, told - REMARKS_MAX,
                     "rules and remarks that are not told one by one");
    return rc;
}

static int compile_all(bool remarks, struct rules *ret)
{
    int rc = compile_whole(remarks, ret);

    if (rc == 0)
        rc = place_all(ret);
    if (rc == 0 && ret->all != NULL)
        rc = choice_prepare(ret);
    if (rc == 0)
        rc = compile(&ret->files, PART_ALWAYS, true, &ret->always);
    return rc == 0 ? compile(&ret->files, PART_ALWAYS, false, &ret->always_no_pe) : rc;
}

static uint64_t rules_of(const struct rule_file *file)
{
    uint64_t count = 0;

    if (!file->source.whole)
        return file->count;
    for (size_t i = 0; i < file->source.count; i++)
        count += file->source.items[i].kind == ITEM_RULE && !file->source.items[i].out;
    return count;
}

/* A set's SHA-256 is that of "<sha256>  <path>" of each of its files, a line each, as sha256sum prints them.
 */
static int tell_set(const struct rule_files *files, const char *set)
{
    char sha256[SHA256_HEX_SIZE];
    struct buf lines = {0};
    uint64_t count = 0;
    bool failed;

    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];

        if (strcmp(file->set, set) != 0)
            continue;
        buf_printf(&lines, "%s  %s\n", file->sha256, file->relative);
        count += file->problem.text[0] == '\0' ? rules_of(file) : 0;
    }
    failed = buf_failed(&lines);
    if (!failed)
        hash_sha256_hex(lines.data, lines.size, sha256);
    buf_finish(&lines);
    if (!failed)
        setup_loaded("yara", "set", set, sha256, count, NULL);
    return failed ? -ENOMEM : 0;
}

static bool set_is_new(const struct rule_files *files, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(files->items[i].set, files->items[index].set) == 0)
            return false;
    }
    return true;
}

static int report(const struct rule_files *files)
{
    int rc = 0;

    for (size_t i = 0; i < files->count && rc == 0; i++) {
        if (set_is_new(files, i))
            rc = tell_set(files, files->items[i].set);
    }
    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];
        bool bad = file->problem.text[0] != '\0';

        setup_loaded("yara", "rules", file->relative, file->sha256, bad ? 0 : rules_of(file),
                     bad ? file->problem.text : NULL);
    }
    return rc;
}

int rules_load(const char *list, bool remarks, struct rules *ret, struct why *why)
{
    int rc = rule_files_find(&ret->files, list, why);

    if (rc < 0)
        return rc;
    rc = compile_all(remarks, ret);
    if (rc == 0)
        rc = report(&ret->files);
    if (rc < 0)
        why_set(why, rc,
                rc == -EBADMSG ? "the rules do not compile together" : "no memory to compile the rules");
    return rc;
}
