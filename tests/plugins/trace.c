/*
 * trace: the sink and the source that the tests of plugins share.
 */
#include "tests/plugins/trace.h"

#include "engine/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const statuses[] = {"whole", "partial", "cut"};

static bool begin_line(struct trace *trace, uint32_t stream)
{
    trace->lines++;
    if (trace->lines_max > 0 && trace->lines > trace->lines_max)
        return false;
    buf_printf(&trace->text, "[%u] ", stream);
    return true;
}

static const char *plugin_name(const struct trace *trace, uint32_t plugin)
{
    return plugin == UINT32_MAX ? "engine" : trace->plugins[plugin]->name;
}

static void write_value(struct buf *text, const struct field *field, const struct value *value)
{
    buf_printf(text, " %s=", field->name);
    if (!value->present) {
        buf_text(text, "-");
    } else if (field->kind == FIELD_U64) {
        buf_printf(text, "%" PRIu64, value->as.u64);
    } else if (field->kind == FIELD_I64 || field->kind == FIELD_WHEN) {
        buf_printf(text, "%" PRId64, value->as.i64);
    } else if (field->kind == FIELD_BYTES) {
        text_hex(text, value->as.bytes.data, value->as.bytes.size);
    } else {
        if (field->kind == FIELD_TEXT)
            buf_text(text, "\"");
        buf_append(text, value->as.bytes.data, value->as.bytes.size);
        if (field->kind == FIELD_TEXT)
            buf_text(text, "\"");
    }
}

static int on_record(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data,
                     size_t size)
{
    struct trace *trace = context;
    const struct plugin *from = trace->plugins[plugin];
    const struct record_type *record = from->emits[type];
    struct value values[RECORD_FIELDS_MAX];
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    if (record_decode(&bytes, record, values) < 0) {
        fprintf(stderr, "a record of %s cannot be read back\n", from->name);
        abort();
    }
    if (!begin_line(trace, stream))
        return trace->answer;
    buf_printf(&trace->text, "%s", from->name);
    if (strcmp(record->name, from->name) != 0)
        buf_printf(&trace->text, ".%s", record->name);
    for (size_t i = 0; i < record->field_count; i++)
        write_value(&trace->text, &record->fields[i], &values[i]);
    buf_text(&trace->text, "\n");
    return trace->answer;
}

static int on_note(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    struct trace *trace = context;

    if (begin_line(trace, stream))
        buf_printf(&trace->text, "note %s @%" PRIu64 " %s\n", plugin_name(trace, plugin), offset, text);
    return 0;
}

static int on_limited(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    struct trace *trace = context;

    if (begin_line(trace, stream))
        buf_printf(&trace->text, "limited %s @%" PRIu64 " %s\n", plugin_name(trace, plugin), offset, text);
    return 0;
}

static int on_failed(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, int code)
{
    struct trace *trace = context;

    if (begin_line(trace, stream))
        buf_printf(&trace->text, "failed %s @%" PRIu64 " %d\n", plugin_name(trace, plugin), offset, code);
    return 0;
}

static int on_child_begin(void *context, uint32_t parent, uint32_t stream, const struct stream_info *info,
                          uint32_t plugin, const struct child *child, const struct child_runs *runs)
{
    struct trace *trace = context;

    (void)runs;
    if (begin_line(trace, stream))
        buf_printf(&trace->text,
                   "begin \"%s\" in %u by %s kind=%d depth=%u offset=%" PRIu64 " deleted=%d size=%" PRIu64
                   " extension=\"%s\" name=\"%s\"\n",
                   info->path, parent, plugin_name(trace, plugin), (int)info->kind, info->depth,
                   child->offset, info->deleted, info->size, info->extension, info->name);
    return 0;
}

static int on_child_end(void *context, uint32_t stream, enum scan_status status, uint64_t size)
{
    struct trace *trace = context;

    if (begin_line(trace, stream))
        buf_printf(&trace->text, "end %s size=%" PRIu64 "\n", statuses[status], size);
    return 0;
}

struct scan_sink trace_sink(struct trace *trace)
{
    return (struct scan_sink){.record = on_record,
                              .note = on_note,
                              .limited = on_limited,
                              .failed = on_failed,
                              .child_begin = on_child_begin,
                              .child_end = on_child_end,
                              .context = trace};
}

static int64_t read_memory(void *context, void *data, size_t size)
{
    struct trace_source *source = context;
    size_t left = source->size - source->offset;

    source->reads++;
    if (source->fail_code < 0 && source->offset >= source->fail_at)
        return source->fail_code;
    if (source->fail_code < 0 && left > source->fail_at - source->offset)
        left = source->fail_at - source->offset;
    if (source->step > 0 && size > source->step)
        size = source->step;
    if (size > left)
        size = left;
    if (size > 0)
        memcpy(data, source->data + source->offset, size);
    source->offset += size;
    return (int64_t)size;
}

static const struct ranges *bad_memory(void *context)
{
    struct trace_source *source = context;

    return source->bad.count > 0 ? &source->bad : NULL;
}

static int64_t read_memory_at(void *context, uint64_t offset, void *data, size_t size, struct ranges *bad)
{
    const struct trace_source *source = context;

    (void)bad;
    if (offset >= source->size)
        return 0;
    size = size < source->size - offset ? size : source->size - (size_t)offset;
    memcpy(data, source->data + offset, size);
    return (int64_t)size;
}

struct source trace_source(struct trace_source *source)
{
    return (struct source){.read = read_memory,
                           .bad = bad_memory,
                           .read_at = read_memory_at,
                           .reach = source->size,
                           .context = source};
}

static const char *password(const void *context, size_t number)
{
    static const char *const given[] = {"wrong", "secret"};

    (void)context;
    return number < sizeof given / sizeof given[0] ? given[number] : NULL;
}

static void password_digest(const void *context, size_t number, const char *salt,
                            char ret[SCAN_PASSWORD_DIGEST])
{
    (void)context;
    snprintf(ret, SCAN_PASSWORD_DIGEST, "%zu of %s", number, salt);
}

int trace_scan(struct trace *trace, struct scanner *scanner, const struct stream_info *info,
               struct trace_source *source, uint64_t without)
{
    struct scan_sink sink = trace_sink(trace);
    struct source from = trace_source(source);
    struct scan_passwords none = {0}, given = {.get = password, .digest = password_digest};
    struct scan_result result;
    int rc;

    scanner_set_passwords(scanner, strstr(info->name, "-secret.") != NULL ? &given : &none);
    rc = scanner_scan(scanner, info, &from, without, &sink, &result);
    if (rc == 0)
        buf_printf(&trace->text, "= %s read=%" PRIu64 " unread=%" PRIu64 " error=%d\n",
                   statuses[result.status], result.read, result.unread, result.error);
    return rc;
}

const struct stream_info *trace_info(const char *name, uint64_t size)
{
    static char path[512], extension[32];
    static struct stream_info info;

    snprintf(path, sizeof path, "sample/%s", name);
    text_extension(name, extension, sizeof extension);
    info = (struct stream_info){.path = path,
                                .name = path + 7,
                                .extension = extension,
                                .owner = "",
                                .kind = STREAM_FILE,
                                .size = size};
    if (strncmp(name, "free@", 5) == 0)
        info.kind = STREAM_FREE;
    return &info;
}

static void set_path(struct settings *settings, const char *key, char *path)
{
    if (settings_set(settings, key, path, NULL) < 0)
        abort();
    free(path);
}

void trace_settings(struct settings *settings, const char *source_root)
{
    char *rules, *extensions, *carve, *set, *keywords, *features;

    if (settings_init(settings) < 0 ||
        asprintf(&rules, "%s/rules/yara:%s/tests/plugins/yara/rules", source_root, source_root) < 0 ||
        asprintf(&features, "%s/rules/features", source_root) < 0 ||
        asprintf(&carve, "%s/rules/carve", source_root) < 0 ||
        asprintf(&keywords, "%s/tests/plugins/keywords/list.txt", source_root) < 0 ||
        asprintf(&extensions, "%s/rules/filetype/extensions.tsv", source_root) < 0)
        abort();
    /* Each plugin is alone: unpack leaves nothing to archive. */
    if (settings_set(settings, "plugins", "", NULL) < 0 ||
        settings_set(settings, "thumbnail.all", "true", NULL) < 0)
        abort();
    if (asprintf(&set, "%s/tests/plugins/hashset/abc.kvset", source_root) < 0)
        abort();
    set_path(settings, "hashset.sets", set);
    set_path(settings, "yara.rules", rules);
    set_path(settings, "filetype.extensions", extensions);
    set_path(settings, "carve.signatures", carve);
    set_path(settings, "keywords.files", keywords);
    set_path(settings, "features.tables", features);
}
