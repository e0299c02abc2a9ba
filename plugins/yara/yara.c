/*
 * yara: what the `yara` command says about the extracted file, for every stream of any size (libyara 4.2).
 *
 * A stream is scanned in one piece, because a match may span any two bytes of it and `filesize` and the
 * modules look at the whole. libyara's handlers for signals are off: a worker's system calls are few, and
 * memory cannot fault here.
 *
 * Few rules come into question for most contents: these are asked one by one, and with them those that every
 * content is asked about. Where many do, all are asked at once. A rule that takes too long is found by
 * halving and left out for that content alone.
 */
#include "engine/plugin.h"

#include "plugins/yara/choice.h"
#include "plugins/yara/match.h"
#include "plugins/yara/place.h"
#include "plugins/yara/rules.h"
#include "plugins/yara/windows.h"
#include "plugins/yara/yara_version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Compiled rules and what scans with them. NULL: none, or not yet. */
struct asked {
    YR_RULES *rules;
    YR_SCANNER *scanner;
};

struct yara_worker {
    bool initialized;
    struct rules rules;
    struct asked all, always[2]; /* of `rules`; always: for contents that are no PE file, and others */
    struct asked (*alone)[2];    /* its own, for each of `all`, in the same way */
    struct matches matches;
    struct windows windows;
    uint64_t timeout;
    bool profile;
};

enum {
    /* Rules that are asked one by one, and one more for each so many bytes; where still more come into
     * question all are asked at once. */
    CHOSEN_MIN = 8,
    CHOSEN_MAX = 64,
    CHOSEN_BYTES = 64 * 1024,
    SLOW_BYTES_A_SECOND = 1024 * 1024, /* thousands of rules on a loaded machine */
    ENDLESS_SHARE = 4,                 /* of yara.timeout, for each half */
    COST_MIN = 200,                    /* microseconds for one content */
    EXTENSION_MAX = 64,
    ENDLESS_MAX = 4, /* rules without end that are looked for in one content */
};

static const struct field cost_fields[] = {
    {"rule", FIELD_TEXT, "", "name of the rule"},
    {"namespace", FIELD_TEXT, "", "file of the rule, without its extension"},
    {"microseconds", FIELD_U64, "", "what it adds to the time of scanning this content"},
};
static const struct record_type cost_type = {"cost", 1, "what a YARA rule costs (yara.profile)", cost_fields,
                                             sizeof cost_fields / sizeof cost_fields[0]};

static const struct record_type *const yara_emits[] = {&yara_match_type, &cost_type, NULL};

static void asked_finish(struct asked *asked)
{
    if (asked->scanner != NULL)
        yr_scanner_destroy(asked->scanner);
    asked->scanner = NULL;
}

static void yara_teardown(void *worker)
{
    struct yara_worker *mine = worker;

    for (size_t i = 0; mine->alone != NULL && i < 2 * (size_t)mine->all.rules->num_rules; i++) {
        struct asked *alone = &mine->alone[i / 2][i % 2];

        asked_finish(alone);
        if (alone->rules != NULL)
            yr_rules_destroy(alone->rules);
    }
    free(mine->alone);
    asked_finish(&mine->all);
    asked_finish(&mine->always[0]);
    asked_finish(&mine->always[1]);
    rules_finish(&mine->rules);
    if (mine->initialized)
        yr_finalize();
    matches_finish(&mine->matches);
    windows_finish(&mine->windows);
    *mine = (struct yara_worker){.initialized = false};
}

static int asked_new(struct asked *asked, YR_RULES *rules)
{
    asked->rules = rules;
    if (rules == NULL)
        return 0;
    if (yr_scanner_create(rules, &asked->scanner) != ERROR_SUCCESS)
        return -ENOMEM;
    yr_scanner_set_flags(asked->scanner, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
    return 0;
}

static int make_asked(struct yara_worker *mine, struct why *why)
{
    int rc = asked_new(&mine->all, mine->rules.all);

    if (rc == 0)
        rc = asked_new(&mine->always[0], mine->rules.always_no_pe);
    if (rc == 0)
        rc = asked_new(&mine->always[1], mine->rules.always);
    if (rc == 0 && mine->all.rules != NULL) {
        mine->alone = calloc(mine->all.rules->num_rules, sizeof mine->alone[0]);
        rc = mine->alone == NULL ? -ENOMEM : 0;
    }
    return rc < 0 ? why_set(why, rc, "no memory") : 0;
}

static bool asks_for_names(const struct rules *rules)
{
    for (size_t i = 0; i < rules->place_count; i++) {
        if (rules->places[i].named)
            return true;
    }
    return false;
}

static int set_up(struct yara_worker *mine, const struct settings *settings, struct why *why)
{
    const char *magic = settings_text(settings, "filetype.magic");
    int rc;

    /* libyara's magic module loads what this names, and without it first of all a file in the user's home. */
    if (magic[0] != '\0' && setenv("MAGIC", magic, 1) != 0)
        return why_set(why, -ENOMEM, "no memory");
    if (yr_initialize() != ERROR_SUCCESS)
        return why_set(why, -ENOMEM, "libyara does not start");
    mine->initialized = true;
    /* As much as a record shows; libyara reserves so much for 1024 matches with each scan. */
    (void)yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, MATCH_DATA_MAX);
    mine->timeout = settings_number(settings, "yara.timeout");
    mine->profile = settings_bool(settings, "yara.profile");
    rc = rules_load(settings_text(settings, "yara.rules"), settings_bool(settings, "yara.remarks"),
                    &mine->rules, why);
    if (rc < 0)
        return rc;
    if (!asks_for_names(&mine->rules))
        setup_content_only();
    return make_asked(mine, why);
}

static int yara_setup(void *worker, const struct settings *settings, struct why *why)
{
    int rc = set_up(worker, settings, why);

    if (rc < 0)
        yara_teardown(worker);
    return rc;
}

static enum plugin_want yara_start(struct scan *scan)
{
    const struct yara_worker *worker = scan_worker(scan);

    if (scan_stream(scan)->kind == STREAM_IMAGE)
        return PLUGIN_SKIP;
    return worker->all.rules != NULL ? PLUGIN_PEEK : PLUGIN_SKIP;
}

/* LOKI's and THOR's rules ask for a type in these words. */
static const char *type_word(const uint8_t *data, size_t size)
{
    static const struct {
        const char *start, *word;
    } types[] = {
        {"MZ", "EXE"},
        {"\177ELF", "ELF"},
        {"PK\x03\x04", "ZIP"},
        {"GIF8", "GIF"},
        {"\xff\xd8\xff", "JPG"},
        {"\x89PNG", "PNG"},
        {"%PDF", "PDF"},
        {"Rar!", "RAR"},
        {"{\\rtf", "RTF"},
        {"7z\xbc\xaf\x27", "7Z"},
        {"\xd0\xcf\x11\xe0", "OLE"},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t length = strlen(types[i].start);

        if (size >= length && memcmp(data, types[i].start, length) == 0)
            return types[i].word;
    }
    return "";
}

/* `dotted` has room for the extension with a dot before it. */
static struct formula_names names_of(const struct stream_info *info, const uint8_t *data, size_t size,
                                     char dotted[static EXTENSION_MAX])
{
    dotted[0] = '\0';
    if (info->extension[0] != '\0')
        snprintf(dotted, EXTENSION_MAX, ".%s", info->extension);
    return (struct formula_names){info->name, dotted, type_word(data, size), info->owner};
}

static int set_variables(YR_SCANNER *scanner, const struct stream_info *info,
                         const struct formula_names *names)
{
    int rc = yr_scanner_define_string_variable(scanner, "filename", names->filename);

    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "filepath", info->path);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "extension", names->extension);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "filetype", names->filetype);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "owner", names->owner);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_integer_variable(scanner, "size",
                                                info->size > INT64_MAX ? INT64_MAX : (int64_t)info->size);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_boolean_variable(scanner, "deleted", info->deleted ? 1 : 0);
    return rc;
}

/* ------------------------------------------------------------------ one scan */

/* One content and one set of rules. */
struct call {
    struct scan *scan;
    struct yara_worker *worker;
    struct asked asked;
    const struct windows *windows; /* where to search; NULL: everywhere */
    struct formula_names names;
    const uint8_t *data;
    size_t size;
    bool silent; /* only how long it takes counts */
    /* Several sets are asked: matches are told in the order of the rules when all have answered. What is out
     * of the ordinary ends that (`again`), and all are asked at once. */
    bool held, again;
    int code; /* the first error of emitting */
};

static int too_many(struct call *call, YR_SCAN_CONTEXT *context, const YR_STRING *string)
{
    const struct rules *rules = &call->worker->rules;
    const YR_RULE *rule = &context->rules->rules_table[string->rule_idx];

    /* Which rules are asked beside those that may match must not show. */
    if (!choice_may_match(rules, rules_index(rules, rule)))
        return CALLBACK_CONTINUE;
    if (call->held)
        return CALLBACK_ABORT;
    scan_limited(call->scan, 0,
                 "%s: rule %s: its string %s matches more than %d times: what the rule says may be wrong",
                 rule->ns->name, rule->identifier, string->identifier, YR_MAX_STRING_MATCHES);
    return CALLBACK_CONTINUE;
}

static int on_scan(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    struct call *call = user;
    struct yara_worker *worker = call->worker;
    struct match match = {.rule = data, .data = call->data, .size = call->size};

    if (call->silent)
        return CALLBACK_CONTINUE;
    if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
        return too_many(call, context, data);
    if (message != CALLBACK_MSG_RULE_MATCHING)
        return CALLBACK_CONTINUE;
    match.place = rules_place(&worker->rules, match.rule);
    match.index = rules_index(&worker->rules, match.rule);
    call->code = matches_add(&worker->matches, call->scan, context, &match);
    if (call->code == 0 && !call->held)
        call->code = matches_tell(&worker->matches, call->scan);
    return call->code < 0 ? CALLBACK_ABORT : CALLBACK_CONTINUE;
}

/* libyara's code. `seconds` come on top of what the size of the content allows. */
static int run(struct call *call, uint64_t seconds)
{
    uint8_t byte;
    size_t got;

    seconds += call->size / SLOW_BYTES_A_SECOND;
    yr_scanner_set_timeout(call->asked.scanner, seconds < INT32_MAX ? (int)seconds : INT32_MAX);
    yr_scanner_set_callback(call->asked.scanner, on_scan, call);
    (void)scan_read(call->scan, 0, &byte, 1, &got); /* a sign of life */
    return call->windows != NULL ? windows_scan(call->windows, call->asked.scanner, call->data, call->size)
                                 : yr_scanner_scan_mem(call->asked.scanner, call->data, call->size);
}

/* ------------------------------------------------------------------ rules without end */

/* Which rules of the set are on. Global ones stay on: they decide over others. */
static void enable(YR_RULES *rules, const bool *out, uint32_t begin, uint32_t end)
{
    for (uint32_t i = 0; i < rules->num_rules; i++) {
        YR_RULE *rule = &rules->rules_table[i];

        if (RULE_IS_GLOBAL(rule))
            continue;
        if (i >= begin && i < end && !out[i])
            yr_rule_enable(rule);
        else
            yr_rule_disable(rule);
    }
}

/* The rule that takes too long, by halves: a half that does not end has it, or else the other has. */
static uint32_t find_endless(struct call *call, const bool *out)
{
    uint32_t begin = 0, end = call->asked.rules->num_rules;

    call->silent = true;
    while (end - begin > 1) {
        uint32_t middle = begin + (end - begin) / 2;

        enable(call->asked.rules, out, begin, middle);
        if (run(call, call->worker->timeout / ENDLESS_SHARE + 1) == ERROR_SCAN_TIMEOUT)
            end = middle;
        else
            begin = middle;
    }
    call->silent = false;
    return begin;
}

/* It goes, and where another rule uses it all of its file, because nobody knows what it would have said. */
static void take_out(struct call *call, uint32_t index, bool *out)
{
    const YR_RULE *rule = &call->asked.rules->rules_table[index];
    const struct rule_place *place = rules_place(&call->worker->rules, rule);
    bool whole = place == NULL || place->used;

    scan_limited(call->scan, 0, "%s: rule %s is not done in time with this content: it has no answer%s",
                 rule->ns->name, rule->identifier, whole ? ", nor have the others of its file" : "");
    out[index] = true;
    for (uint32_t i = 0; whole && i < call->asked.rules->num_rules; i++)
        out[i] |= call->asked.rules->rules_table[i].ns == rule->ns;
}

/* Some rule took too long: finds out which, and asks the others without it. libyara's code. */
static int run_without_endless(struct call *call)
{
    bool *out = calloc(call->asked.rules->num_rules, sizeof out[0]);
    int code = ERROR_SCAN_TIMEOUT;

    if (out == NULL)
        return ERROR_INSUFFICIENT_MEMORY;
    for (unsigned i = 0; i < ENDLESS_MAX && code == ERROR_SCAN_TIMEOUT; i++) {
        take_out(call, find_endless(call, out), out);
        enable(call->asked.rules, out, 0, call->asked.rules->num_rules);
        code = run(call, call->worker->timeout);
    }
    for (uint32_t i = 0; i < call->asked.rules->num_rules; i++)
        yr_rule_enable(&call->asked.rules->rules_table[i]);
    free(out);
    return code;
}

/* ------------------------------------------------------------------ what rules cost */

/* The time of this process alone, with those rules on. */
static int64_t time_of(struct call *call, const bool *out, uint32_t begin, uint32_t end)
{
    struct timespec before, after;

    enable(call->asked.rules, out, begin, end);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    (void)run(call, call->worker->timeout);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (int64_t)(after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
}

/* Halves that cost next to nothing hold no rule that costs much. */
static void tell_cost(struct call *call, const bool *out, uint32_t begin, uint32_t end, int64_t nothing)
{
    const YR_RULE *rule = &call->asked.rules->rules_table[begin];
    int64_t cost = time_of(call, out, begin, end) - nothing;
    uint32_t middle = begin + (end - begin) / 2;

    if (cost < COST_MIN || call->code < 0)
        return;
    if (end - begin > 1) {
        tell_cost(call, out, begin, middle, nothing);
        tell_cost(call, out, middle, end, nothing);
        return;
    }
    call->code = scan_emit(call->scan, &cost_type,
                           (const struct value[]){value_text(rule->identifier), value_text(rule->ns->name),
                                                  value_u64((uint64_t)cost)});
}

static int profile(struct call *call)
{
    bool *out = calloc(call->asked.rules->num_rules, sizeof out[0]);

    if (out == NULL)
        return -ENOMEM;
    call->silent = true;
    (void)time_of(call, out, 0, 0); /* what is read first is read slowly */
    tell_cost(call, out, 0, call->asked.rules->num_rules, time_of(call, out, 0, 0));
    enable(call->asked.rules, out, 0, call->asked.rules->num_rules);
    free(out);
    return call->code == -ENOSPC ? 0 : call->code;
}

/* ------------------------------------------------------------------ one content */

/* What an error of libyara means for this content. */
static int explain(struct call *call, int error)
{
    const YR_RULE *rule = yr_scanner_last_error_rule(call->asked.scanner);

    switch (error) {
    case ERROR_SUCCESS:
        return 0;
    case ERROR_INSUFFICIENT_MEMORY:
        return -ENOMEM;
    case ERROR_SCAN_TIMEOUT:
        scan_limited(call->scan, 0, "yara.timeout: not done after %" PRIu64 " seconds: no rule has an answer",
                     call->worker->timeout + call->size / SLOW_BYTES_A_SECOND);
        return 0;
    default:
        scan_limited(call->scan, 0, "libyara gave up with error %d%s%s: no rule has an answer", error,
                     rule != NULL ? " at rule " : "", rule != NULL ? rule->identifier : "");
        return 0;
    }
}

static int scan_with(struct call *call)
{
    int error = set_variables(call->asked.scanner, scan_stream(call->scan), &call->names);

    if (error == ERROR_SUCCESS && call->worker->profile)
        return profile(call);
    if (error == ERROR_SUCCESS)
        error = run(call, call->worker->timeout);
    if (call->held && (error != ERROR_SUCCESS || call->code < 0)) {
        call->again = true;
        return 0;
    }
    if (error == ERROR_SCAN_TIMEOUT)
        error = run_without_endless(call);
    if (call->code < 0)
        return call->code == -ENOSPC ? 0 : call->code;
    return explain(call, error);
}

static int ask(struct call *call, const struct asked *asked)
{
    call->asked = *asked;
    return asked->rules != NULL ? scan_with(call) : 0;
}

static int ask_alone(struct call *call, uint32_t rule, bool pe)
{
    struct asked *alone = &call->worker->alone[rule][pe];
    int rc = 0;

    if (alone->rules == NULL)
        alone->rules = rules_some(&call->worker->rules, &rule, 1, pe);
    if (alone->rules == NULL)
        return -ENOMEM;
    if (alone->scanner == NULL)
        rc = asked_new(alone, alone->rules);
    return rc < 0 ? rc : ask(call, alone);
}

/* One set after the other. */
static int ask_each(struct call *call, const uint32_t *chosen, size_t count)
{
    static const struct windows nowhere = {.items = NULL};
    struct yara_worker *worker = call->worker;
    bool pe = call->size >= 2 && call->data[0] == 'M' && call->data[1] == 'Z';
    int rc;

    call->held = true;
    call->windows = worker->rules.always_searches ? NULL : &nowhere;
    rc = ask(call, &worker->always[pe]);
    for (size_t i = 0; i < count && rc == 0 && !call->again; i++) {
        call->windows = choice_has_windows(&worker->rules, chosen[i]) ? &worker->windows : NULL;
        if (call->windows != NULL)
            rc = choice_windows(&worker->rules, &chosen[i], 1, &worker->windows);
        if (rc == 0)
            rc = ask_alone(call, chosen[i], pe);
    }
    call->windows = NULL;
    call->held = false;
    return rc;
}

static int tell_held(struct call *call)
{
    int rc = matches_tell(&call->worker->matches, call->scan);

    return rc == -ENOSPC ? 0 : rc;
}

static size_t most_chosen(size_t size)
{
    size_t more = size / CHOSEN_BYTES;

    return more < CHOSEN_MAX - CHOSEN_MIN ? CHOSEN_MIN + more : CHOSEN_MAX;
}

static int scan_content(struct call *call)
{
    struct yara_worker *worker = call->worker;
    uint32_t chosen[CHOSEN_MAX];
    size_t most = most_chosen(call->size), count;
    int rc;

    count = choice_make(&worker->rules, call->scan, &call->names, call->data, call->size, chosen, most);
    if (worker->profile || count > most)
        return ask(call, &worker->all);
    rc = ask_each(call, chosen, count);
    if (rc == 0 && !call->again)
        return tell_held(call);
    matches_clear(&worker->matches);
    call->code = 0;
    return rc < 0 ? rc : ask(call, &worker->all);
}

static int yara_finish(struct scan *scan, enum scan_status status)
{
    struct call call = {.scan = scan, .worker = scan_worker(scan), .size = (size_t)scan_kept(scan)};
    char extension[EXTENSION_MAX];
    int rc;

    if (status == SCAN_SPARED)
        return 0;
    rc = scan_peek(scan, 0, call.size, &call.data);
    if (rc < 0)
        return rc;
    call.names = names_of(scan_stream(scan), call.data, call.size, extension);
    return scan_content(&call);
}

const char *yara_plugin_version(void)
{
    return "libyara " YR_VERSION;
}

const struct plugin plugin_yara = {
    .abi = PLUGIN_ABI,
    .version = 5,
    .name = "yara",
    .summary = "YARA rules, as the yara command matches them on the extracted file",
    .emits = yara_emits,
    .worker_size = sizeof(struct yara_worker),
    .setup = yara_setup,
    .teardown = yara_teardown,
    .start = yara_start,
    .finish = yara_finish,
    .traits = PLUGIN_SPARED,
};
