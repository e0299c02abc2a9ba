/*
 * scanner: the set of plugins with what they need, from setup to teardown; one scan of one stream.
 */
#include "engine/scan/pass.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Like malloc's: enough for any plugin's struct, and a plugin's state shares no cache line with another's. */
enum { STATE_ALIGN = 64 };

/* setup_loaded is called by a plugin's setup, which is given no handle of the engine: setups run one after
 * the other in one thread, before the first fork, and this says whose turn it is. NULL at all other times. */
static struct scanner *being_set_up;

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static void loaded_free(struct loaded *loaded)
{
    free((void *)loaded->plugin);
    free((void *)loaded->kind);
    free((void *)loaded->name);
    free((void *)loaded->sha256);
    free((void *)loaded->problem);
}

void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *problem)
{
    struct scanner *scanner = being_set_up;
    struct loaded *items, *item;

    if (scanner == NULL)
        return;
    if (scanner->loaded_count == scanner->loaded_capacity) {
        size_t capacity = scanner->loaded_capacity * 2 + 16;

        items = reallocarray(scanner->loaded, capacity, sizeof items[0]);
        if (items == NULL) {
            scanner->loaded_failed = true;
            return;
        }
        scanner->loaded = items;
        scanner->loaded_capacity = capacity;
    }
    item = &scanner->loaded[scanner->loaded_count++];
    *item = (struct loaded){.plugin = copy(plugin),
                            .kind = copy(kind),
                            .name = copy(name),
                            .sha256 = copy(sha256),
                            .problem = copy(problem),
                            .count = count};
    if (item->plugin == NULL || item->kind == NULL || item->name == NULL || item->sha256 == NULL ||
        (problem != NULL && item->problem == NULL))
        scanner->loaded_failed = true;
}

void setup_content_only(void)
{
    if (being_set_up != NULL)
        being_set_up->content_only[being_set_up->set_up] = true;
}

bool scanner_content_only(const struct scanner *scanner, size_t plugin)
{
    return plugin < scanner->count && scanner->content_only[plugin];
}

const struct loaded *scanner_loaded(const struct scanner *scanner, size_t *ret_count)
{
    *ret_count = scanner->loaded_count;
    return scanner->loaded;
}

static size_t aligned(size_t size)
{
    return (size + STATE_ALIGN - 1) / STATE_ALIGN * STATE_ALIGN;
}

static void *zeroed(size_t size)
{
    void *memory = aligned_alloc(STATE_ALIGN, aligned(size > 0 ? size : 1));

    if (memory != NULL)
        memset(memory, 0, aligned(size > 0 ? size : 1));
    return memory;
}

static int check_plugins(const struct plugin *const *plugins, size_t count, struct why *why)
{
    if (count > SCANNER_PLUGINS_MAX)
        return why_set(why, -E2BIG, "more than %d plugins", SCANNER_PLUGINS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!plugin_is_valid(plugins[i], why))
            return -EINVAL;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(plugins[i]->name, plugins[j]->name) == 0)
                return why_set(why, -EEXIST, "two plugins are named %s", plugins[i]->name);
        }
    }
    return 0;
}

static void take_limits(struct scanner *scanner, const struct settings *settings)
{
    uint64_t block = settings_number(settings, "block"), depth = settings_number(settings, "limit.depth");

    scanner->block = block == 0 ? 1 : block > 1 << 30 ? 1 << 30 : (size_t)block;
    scanner->limit_depth = depth > 64 ? 64 : (uint32_t)depth;
    scanner->limit_records = settings_number(settings, "limit.records");
    scanner->limit_children = settings_number(settings, "limit.children");
    scanner->limit_child_bytes = settings_number(settings, "limit.child_bytes");
}

/* Memory for `count` plugins at each level of nesting, and the window. */
static int allocate(struct scanner *scanner, const struct settings *settings)
{
    size_t need;

    for (size_t i = 0; i < scanner->count; i++) {
        scanner->state_offsets[i] = scanner->states_size;
        scanner->states_size += aligned(scanner->plugins[i]->stream_size);
        if (scanner->plugins[i]->ahead > scanner->ahead)
            scanner->ahead = scanner->plugins[i]->ahead;
        scanner->workers[i] = zeroed(scanner->plugins[i]->worker_size);
        if (scanner->workers[i] == NULL)
            return -ENOMEM;
    }
    scanner->levels = calloc((size_t)scanner->limit_depth + 1, sizeof scanner->levels[0]);
    if (scanner->levels == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i <= scanner->limit_depth; i++) {
        scanner->levels[i].scans = calloc(scanner->count + 1, sizeof(struct scan));
        scanner->levels[i].states = zeroed(scanner->states_size);
        if (scanner->levels[i].scans == NULL || scanner->levels[i].states == NULL)
            return -ENOMEM;
    }
    need = scanner->block + scanner->ahead + 1;
    scanner->window_size = need < SCAN_FIRST ? SCAN_FIRST : need;
    scanner->levels[0].window = malloc(scanner->window_size);
    if (scanner->levels[0].window == NULL)
        return -ENOMEM;
    return spool_init(&scanner->spool, settings_number(settings, "limit.spool"),
                      settings_number(settings, "spool.memory"));
}

static int set_up(struct scanner *scanner, const struct settings *settings, struct why *why)
{
    int rc = 0;

    if (hash_setup() < 0)
        return why_set(why, -ENOTSUP, "libcrypto refuses a hash algorithm (FIPS mode?)");
    being_set_up = scanner;
    while (scanner->set_up < scanner->count && rc == 0) {
        const struct plugin *plugin = scanner->plugins[scanner->set_up];
        struct why inner = {""};

        if (plugin->setup != NULL)
            rc = plugin->setup(scanner->workers[scanner->set_up], settings, &inner);
        if (rc < 0)
            why_set(why, rc, "%s: %s", plugin->name, inner.text[0] != '\0' ? inner.text : strerror(-rc));
        else
            scanner->set_up++;
    }
    being_set_up = NULL;
    if (rc == 0 && scanner->loaded_failed)
        rc = why_set(why, -ENOMEM, "no memory");
    return rc;
}

int scanner_new(const struct plugin *const *plugins, size_t count, const struct settings *settings,
                struct scanner **ret_scanner, struct why *why)
{
    struct scanner *scanner;
    int rc = check_plugins(plugins, count, why);

    if (rc < 0)
        return rc;
    scanner = calloc(1, sizeof *scanner);
    if (scanner == NULL)
        return why_set(why, -ENOMEM, "no memory");
    scanner->count = count;
    for (size_t i = 0; i < count; i++)
        scanner->plugins[i] = plugins[i];
    take_limits(scanner, settings);
    rc = allocate(scanner, settings);
    if (rc < 0)
        why_set(why, rc, "no memory");
    else
        rc = set_up(scanner, settings, why);
    if (rc < 0) {
        scanner_free(scanner);
        return rc;
    }
    *ret_scanner = scanner;
    return 0;
}

void scanner_free(struct scanner *scanner)
{
    if (scanner == NULL)
        return;
    for (size_t i = scanner->set_up; i > 0; i--) {
        if (scanner->plugins[i - 1]->teardown != NULL)
            scanner->plugins[i - 1]->teardown(scanner->workers[i - 1]);
    }
    for (size_t i = 0; i < scanner->count; i++)
        free(scanner->workers[i]);
    for (uint32_t i = 0; scanner->levels != NULL && i <= scanner->limit_depth; i++) {
        free(scanner->levels[i].scans);
        free(scanner->levels[i].states);
        free(scanner->levels[i].window);
        hash_all_free(scanner->levels[i].hash);
    }
    for (size_t i = 0; i < scanner->loaded_count; i++)
        loaded_free(&scanner->loaded[i]);
    free(scanner->loaded);
    free(scanner->levels);
    buf_finish(&scanner->record);
    buf_finish(&scanner->text);
    buf_finish(&scanner->spared);
    spool_finish(&scanner->spool);
    free(scanner);
}

void scanner_set_spool(struct scanner *scanner, int fd)
{
    scanner->spool.fd = fd;
}

/* Only the stream's own bytes count, though its reach goes on behind them. */
static bool scan_uniform(struct scanner *scanner, const struct stream_info *info, const struct source *source,
                         struct scan_result *ret_result)
{
    struct source own = *source;
    uint8_t byte = 0;

    if (info->kind != STREAM_FREE && info->kind != STREAM_RAW)
        return false;
    own.reach = info->size;
    if (!source_is_uniform(scanner, &own, &byte))
        return false;
    *ret_result = (struct scan_result){.status = SCAN_WHOLE, .read = info->size, .uniform = true, .byte = byte};
    return true;
}

int scanner_scan(struct scanner *scanner, const struct stream_info *info, const struct source *source,
                 uint64_t without, const struct scan_sink *sink, struct scan_result *ret_result)
{
    struct pass pass = {.scanner = scanner, .info = info, .without = without, .source = source};

    scanner->sink = sink;
    scanner->stop = 0;
    scanner->next_stream = 0;
    scanner->children = scanner->child_bytes = 0;
    scanner->children_said = scanner->child_bytes_said = false;
    if (scan_uniform(scanner, info, source, ret_result)) {
        scanner->sink = NULL;
        return 0;
    }
    store_init(&pass.store, &scanner->spool);
    pass_run(&pass);
    store_finish(&pass.store);
    scanner->sink = NULL;
    if (scanner->stop < 0)
        return scanner->stop;
    *ret_result = (struct scan_result){.status = pass.status,
                                       .read = pass.read,
                                       .unread = pass_unread(&pass),
                                       .error = pass.error,
                                       .slack = source->slack != NULL ? source->slack->reach : 0,
                                       .slack_uniform = pass.slack_uniform};
    return 0;
}

/* What follows makes the libraries behind the plugins load what they load at the first use, and tells nobody.
 */

struct warm_source {
    const char *data;
    size_t size;
};

static int64_t warm_read(void *context, void *data, size_t size)
{
    struct warm_source *source = context;

    if (size > source->size)
        size = source->size;
    memcpy(data, source->data, size);
    source->data += size;
    source->size -= size;
    return (int64_t)size;
}

static int quiet_record(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data,
                        size_t size)
{
    (void)context, (void)stream, (void)plugin, (void)type, (void)data, (void)size;
    return 0;
}

static int quiet_text(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    (void)context, (void)stream, (void)plugin, (void)offset, (void)text;
    return 0;
}

static int quiet_failed(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, int code)
{
    (void)context, (void)stream, (void)plugin, (void)offset, (void)code;
    return 0;
}

static int quiet_child(void *context, uint32_t parent, uint32_t stream, const struct stream_info *info,
                       uint32_t plugin, const struct child *child, const struct child_runs *runs)
{
    (void)context, (void)parent, (void)stream, (void)info, (void)plugin, (void)child, (void)runs;
    return 0;
}

static int quiet_child_end(void *context, uint32_t stream, enum scan_status status, uint64_t size)
{
    (void)context, (void)stream, (void)status, (void)size;
    return 0;
}

const struct scan_sink scanner_quiet = {.record = quiet_record,
                                        .note = quiet_text,
                                        .limited = quiet_text,
                                        .failed = quiet_failed,
                                        .child_begin = quiet_child,
                                        .child_end = quiet_child_end};

int scanner_warm(struct scanner *scanner)
{
    /* Text, and the beginnings of what libraries look at most closely. */
    static const char *const starts[] = {"kvali: plain text to begin with\n",
                                         "MZ\x90",
                                         "\177ELF\x02\x01\x01",
                                         "PK\x03\x04\x14",
                                         "%PDF-1.7\n",
                                         "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                                         "<?xml version=\"1.0\"?><a/>"};
    static const struct stream_info info = {
        .path = "warm", .name = "warm", .extension = "", .owner = "", .kind = STREAM_FILE, .size = 4096};
    char bytes[4096];
    int rc = 0;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0] && rc == 0; i++) {
        struct warm_source memory = {bytes, sizeof bytes};
        struct source source = {.read = warm_read, .context = &memory};
        struct scan_result result;

        memset(bytes, i == 0 ? ' ' : 0, sizeof bytes);
        memcpy(bytes, starts[i], strlen(starts[i]));
        rc = scanner_scan(scanner, &info, &source, 0, &scanner_quiet, &result);
    }
    return rc;
}
