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
#include "plugins/yara/complaints.h"
#include "plugins/yara/files.h"
#include "plugins/yara/lex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLASS_MZ = 1,
    CLASS_LARGE = 2,
    LARGE = 1024 * 1024, /* bytes: many rules ask for less */
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

/* ------------------------------------------------------------------ parts of a file */

/* Beside the classes: all rules; those that ask for names. */
enum { PART_ALL = RULES_CLASSES, PART_NAMED };

static bool asks_for_names(const struct rule_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        if (source->items[i].asks_for_names)
            return true;
    }
    return false;
}

/* Must its rules stay together? */
static bool is_one_piece(const struct rule_source *source)
{
    return !source->whole || source->global || source->wildcards;
}

static bool passes(const struct rule_gate *gate, unsigned class)
{
    return (!gate->mz || (class & CLASS_MZ) != 0) && (gate->most > LARGE || (class & CLASS_LARGE) == 0);
}

static bool belongs(const struct rule_source *source, const struct rule_item *item, unsigned part)
{
    bool named = is_one_piece(source) ? asks_for_names(source) || !source->whole : item->asks_for_names;

    if (part == PART_ALL || item->kind != ITEM_RULE)
        return true;
    if (named || part == PART_NAMED)
        return named && part == PART_NAMED;
    return is_one_piece(source) || passes(&item->gate, part);
}

/* What belongs to the part (1), and what such a rule uses (2). False when no rule belongs to it. */
static bool choose(const struct rule_file *file, unsigned part, uint8_t *ret_keep)
{
    const struct rule_source *source = &file->source;
    bool any = false;

    for (size_t i = source->count; i-- > 0;) {
        const struct rule_item *item = &source->items[i];
        struct lex lex;
        size_t used;

        if (item->out)
            continue;
        if (belongs(source, item, part))
            ret_keep[i] = 1;
        if (ret_keep[i] == 0 || item->kind != ITEM_RULE)
            continue;
        any |= ret_keep[i] == 1;
        lex = rule_item_condition(item, file->text);
        while (rule_source_next_use(source, &lex, &used)) {
            if (ret_keep[used] == 0 && !source->items[used].out)
                ret_keep[used] = 2;
        }
    }
    return any || (!source->whole && part >= PART_ALL);
}

/* Rules that do not belong become spaces, so that lines stay; those that are only used do not report. */
static void write_part(const struct rule_file *file, const uint8_t *keep, struct buf *buf)
{
    size_t at = 0;

    for (size_t i = 0; i < file->source.count; i++) {
        const struct rule_item *item = &file->source.items[i];

        buf_append(buf, file->text + at, item->begin - at);
        if (keep[i] == 2)
            buf_text(buf, "private ");
        if (keep[i] != 0)
            buf_append(buf, file->text + item->begin, item->end - item->begin);
        for (size_t k = item->begin; keep[i] == 0 && k < item->end; k++) {
            if (file->text[k] == '\n')
                buf_u8(buf, '\n');
        }
        at = item->end;
    }
    buf_text(buf, file->text + at);
}

/* 0, 1 when it has no rules of this part, -EBADMSG when it does not compile, -ENOMEM. */
static int add_part(YR_COMPILER *compiler, const struct rule_file *file, unsigned part)
{
    uint8_t *keep = calloc(file->source.count + 1, 1);
    struct buf buf = {0};
    int rc = keep == NULL ? -ENOMEM : 0;

    if (rc == 0 && !choose(file, part, keep))
        rc = 1;
    if (rc == 0)
        write_part(file, keep, &buf);
    if (rc == 0 && buf_failed(&buf))
        rc = -ENOMEM;
    if (rc == 0 && yr_compiler_add_string(compiler, buf_cstr(&buf), file->space) != 0)
        rc = -EBADMSG;
    buf_finish(&buf);
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
    rc = add_part(compiler, file, PART_ALL);
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
static int compile(const struct rule_files *files, unsigned part, YR_RULES **ret_rules)
{
    struct complaints complaints = {.items = NULL};
    YR_COMPILER *compiler = NULL;
    bool any = false;
    int rc = compiler_new(&complaints, &compiler);

    for (size_t i = 0; i < files->count && rc >= 0; i++) {
        if (files->items[i].problem.text[0] != '\0')
            continue;
        rc = add_part(compiler, &files->items[i], part);
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

static uint32_t count_rules(const YR_RULES *rules)
{
    return rules != NULL ? rules->num_rules : 0;
}

static void drop(YR_RULES **rules)
{
    if (*rules != NULL)
        yr_rules_destroy(*rules);
    *rules = NULL;
}

/* All rules: those that ask for names, and those of small programs, which are all others. */
static int compile_whole(const struct rule_files *files, struct rules *ret)
{
    int rc = compile(files, PART_NAMED, &ret->named);

    if (rc == 0)
        rc = compile(files, CLASS_MZ, &ret->classes[CLASS_MZ]);
    if (rc < 0) {
        drop(&ret->named);
        drop(&ret->classes[CLASS_MZ]);
    }
    return rc;
}

/* Classes with as many rules have the same ones. */
static int compile_rest(const struct rule_files *files, struct rules *ret)
{
    int rc = 0;

    for (unsigned class = 0; class < RULES_CLASSES && rc == 0; class ++) {
        if (class == CLASS_MZ)
            continue;
        rc = compile(files, class, &ret->classes[class]);
        if (rc == 0 && count_rules(ret->classes[class]) == count_rules(ret->classes[CLASS_MZ])) {
            drop(&ret->classes[class]);
            ret->classes[class] = ret->classes[CLASS_MZ];
        }
    }
    return rc;
}

void rules_finish(struct rules *rules)
{
    for (unsigned class = 0; class < RULES_CLASSES; class ++) {
        if (rules->classes[class] != NULL &&
            (class == CLASS_MZ || rules->classes[class] != rules->classes[CLASS_MZ]))
            yr_rules_destroy(rules->classes[class]);
    }
    if (rules->named != NULL)
        yr_rules_destroy(rules->named);
    for (size_t i = 0; i < rules->place_count; i++) {
        free(rules->places[i].space);
        free(rules->places[i].name);
        free(rules->places[i].set);
    }
    free(rules->places);
    *rules = (struct rules){.places = NULL};
}

YR_RULES *rules_for(const struct rules *rules, const uint8_t *data, size_t size)
{
    unsigned class = size > LARGE ? CLASS_LARGE : 0;

    if (size >= 2 && data[0] == 'M' && data[1] == 'Z')
        class |= CLASS_MZ;
    return rules->classes[class];
}

/* ------------------------------------------------------------------ where rules stand */

static int compare_places(const void *a, const void *b)
{
    const struct rule_place *one = a, *two = b;
    int order = strcmp(one->space, two->space);

    return order != 0 ? order : strcmp(one->name, two->name);
}

const struct rule_place *rules_place(const struct rules *rules, const YR_RULE *rule)
{
    struct rule_place key = {.space = (char *)rule->ns->name, .name = (char *)rule->identifier};

    return rules->place_count == 0
               ? NULL
               : bsearch(&key, rules->places, rules->place_count, sizeof key, compare_places);
}

static int note_places(const struct rule_files *files, struct rules *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        count += files->items[i].source.count;
    ret->places = calloc(count + 1, sizeof ret->places[0]);
    if (ret->places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < files->count; i++) {
        const struct rule_file *file = &files->items[i];

        for (size_t k = 0; k < file->source.count; k++) {
            const struct rule_item *item = &file->source.items[k];
            struct rule_place *place = &ret->places[ret->place_count];

            if (item->kind != ITEM_RULE || item->out)
                continue;
            *place = (struct rule_place){.space = strdup(file->space),
                                         .name = strndup(item->name, item->name_size),
                                         .set = strdup(file->set),
                                         .line = item->line,
                                         .last_line = item->last_line,
                                         .used = item->used};
            ret->place_count++;
            if (place->space == NULL || place->name == NULL || place->set == NULL)
                return -ENOMEM;
        }
    }
    qsort(ret->places, ret->place_count, sizeof ret->places[0], compare_places);
    return 0;
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

static int compile_all(struct rule_files *files, bool remarks, struct rules *ret)
{
    unsigned told = 0;
    int rc;

    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].problem.text[0] == '\0')
            refuse(&files->items[i], &told);
    }
    rc = remarks ? -EBADMSG : compile_whole(files, ret);
    if (rc == -EBADMSG) {
        rc = 0;
        for (size_t i = 0; i < files->count && rc == 0; i++)
            rc = check(&files->items[i], remarks, &told);
        if (rc == 0 && remarks)
            rc = tell_doubles(files, &told);
        if (rc == 0)
            rc = compile_whole(files, ret);
    }
    if (told > REMARKS_MAX)
        setup_loaded("yara", "left out", "more", files->items[0].sha256, told - REMARKS_MAX,
                     "rules and remarks that are not told one by one");
    return rc == 0 ? compile_rest(files, ret) : rc;
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
    struct rule_files files = {NULL, 0, 0};
    int rc = rule_files_find(&files, list, why);

    if (rc < 0) {
        rule_files_finish(&files);
        return rc;
    }
    rc = compile_all(&files, remarks, ret);
    if (rc == 0)
        rc = note_places(&files, ret);
    if (rc == 0)
        rc = report(&files);
    if (rc < 0)
        why_set(why, rc,
                rc == -EBADMSG ? "the rules do not compile together" : "no memory to compile the rules");
    rule_files_finish(&files);
    return rc;
}
