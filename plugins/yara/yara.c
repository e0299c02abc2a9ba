/*
 * yara: what the `yara` command says about the extracted file, for every stream of any size (libyara 4.2).
 *
 * A stream is scanned in one piece, because a match may span any two bytes of it and `filesize` and the
 * modules look at the whole. libyara's handlers for signals are off: a worker's system calls are few, and
 * memory cannot fault here.
 */
#include "engine/plugin.h"

#include "plugins/yara/match.h"
#include "plugins/yara/rules.h"
#include "plugins/yara/yara_version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct yara_worker {
    bool initialized;
    YR_RULES *rules;     /* NULL: none */
    YR_SCANNER *scanner; /* one for all streams, one after the other */
    struct match_texts texts;
    uint64_t timeout;
};

/* What the callback needs. */
struct yara_call {
    struct scan *scan;
    struct yara_worker *worker;
    int code; /* the first error of emitting */
};

static const struct record_type *const yara_emits[] = {&yara_match_type, NULL};

static void too_many(struct scan *scan, YR_SCAN_CONTEXT *context, const YR_STRING *string)
{
    const YR_RULE *rule = &context->rules->rules_table[string->rule_idx];

    scan_limited(scan, 0,
                 "%s: rule %s: its string %s matches more than %d times: what the rule says may be wrong",
                 rule->ns->name, rule->identifier, string->identifier, YR_MAX_STRING_MATCHES);
}

static int on_scan(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    struct yara_call *call = user;

    if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
        too_many(call->scan, context, data);
    if (message != CALLBACK_MSG_RULE_MATCHING)
        return CALLBACK_CONTINUE;
    call->code = match_emit(call->scan, &call->worker->texts, context, data);
    return call->code < 0 ? CALLBACK_ABORT : CALLBACK_CONTINUE;
}

static void yara_teardown(void *worker)
{
    struct yara_worker *mine = worker;

    if (mine->scanner != NULL)
        yr_scanner_destroy(mine->scanner);
    if (mine->rules != NULL)
        yr_rules_destroy(mine->rules);
    if (mine->initialized)
        yr_finalize();
    match_texts_finish(&mine->texts);
    *mine = (struct yara_worker){.initialized = false};
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
    mine->timeout = settings_number(settings, "yara.timeout");
    rc = rules_load(settings_text(settings, "yara.rules"), &mine->rules, why);
    if (rc < 0 || mine->rules == NULL)
        return rc;
    if (yr_scanner_create(mine->rules, &mine->scanner) != ERROR_SUCCESS)
        return why_set(why, -ENOMEM, "no memory");
    yr_scanner_set_flags(mine->scanner, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
    yr_scanner_set_timeout(mine->scanner, mine->timeout < INT32_MAX ? (int)mine->timeout : INT32_MAX);
    return 0;
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

    if (worker->scanner == NULL || scan_stream(scan)->kind == STREAM_IMAGE)
        return PLUGIN_SKIP;
    return PLUGIN_PEEK;
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

static int set_variables(YR_SCANNER *scanner, const struct stream_info *info, const uint8_t *data,
                         size_t size)
{
    char extension[64] = "";
    int rc;

    if (info->extension[0] != '\0')
        snprintf(extension, sizeof extension, ".%s", info->extension);
    rc = yr_scanner_define_string_variable(scanner, "filename", info->name);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "filepath", info->path);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "extension", extension);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_string_variable(scanner, "filetype", type_word(data, size));
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_integer_variable(scanner, "size",
                                                info->size > INT64_MAX ? INT64_MAX : (int64_t)info->size);
    if (rc == ERROR_SUCCESS)
        rc = yr_scanner_define_boolean_variable(scanner, "deleted", info->deleted ? 1 : 0);
    return rc;
}

/* An error of libyara: what it means for this stream. */
static int explain(struct scan *scan, const struct yara_worker *worker, int error)
{
    const YR_RULE *rule = yr_scanner_last_error_rule(worker->scanner);

    switch (error) {
    case ERROR_SUCCESS:
        return 0;
    case ERROR_INSUFFICIENT_MEMORY:
        return -ENOMEM;
    case ERROR_SCAN_TIMEOUT:
        scan_limited(scan, 0, "yara.timeout: not done after %" PRIu64 " seconds: no rule has an answer",
                     worker->timeout);
        return 0;
    default:
        scan_limited(scan, 0, "libyara gave up with error %d%s%s: no rule has an answer", error,
                     rule != NULL ? " at rule " : "", rule != NULL ? rule->identifier : "");
        return 0;
    }
}

static int yara_finish(struct scan *scan, enum scan_status status)
{
    struct yara_worker *worker = scan_worker(scan);
    struct yara_call call = {.scan = scan, .worker = worker};
    size_t size = (size_t)scan_kept(scan);
    const uint8_t *data;
    int rc;

    if (status == SCAN_SPARED)
        return 0;
    rc = scan_peek(scan, 0, size, &data);
    if (rc < 0)
        return rc;
    rc = set_variables(worker->scanner, scan_stream(scan), data, size);
    if (rc == ERROR_SUCCESS) {
        yr_scanner_set_callback(worker->scanner, on_scan, &call);
        rc = yr_scanner_scan_mem(worker->scanner, data, size);
    }
    if (call.code < 0)
        return call.code == -ENOSPC ? 0 : call.code;
    return explain(scan, worker, rc);
}

const char *yara_plugin_version(void)
{
    return "libyara " YR_VERSION;
}

const struct plugin plugin_yara = {
    .abi = PLUGIN_ABI,
    .version = 1,
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
