/*
 * child: streams inside streams. A plugin writes a child into a sink; when it closes the sink, the child is
 * scanned at once by all plugins, before the plugin goes on.
 *
 * A child's address is its parent's, "!/", and its name with every component escaped; the second child of one
 * parent with the same name gets "\#2" behind it, which no escaped name contains.
 */
#include "engine/scan/piece.h"

#include "engine/base/text.h"
#include "engine/evidence/found.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 16 * 1024, EXTENSION_MAX = 32 };

struct sink {
    struct sink *next; /* among the open ones of the parent */
    struct scan *scan; /* whose it is */
    struct child child;
    uint8_t *name;      /* child.name points here */
    char *path, *shown; /* shown: its last component, without "\\#2" */
    struct store store;
    const struct source *source; /* where it lies; NULL: in `store` */
    struct pieces pieces;        /* that `from_pieces` reads */
    struct source from_pieces;
    enum scan_status status;
    bool full;
};

void names_finish(struct names *names)
{
    free(names->items);
    *names = (struct names){NULL, 0, 0};
}

/* SHA-256 rather than something quicker: the names are an opponent's, who shall not fill one corner of the
 * table. */
static uint64_t name_key(const char *name)
{
    char hex[SHA256_HEX_SIZE];
    uint8_t bytes[8];
    uint64_t key = 0;

    hash_sha256_hex(name, strlen(name), hex);
    hex[16] = '\0';
    text_unhex(hex, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        key = key << 8 | bytes[i];
    return key != 0 ? key : 1;
}

static struct name_count *names_slot(const struct names *names, uint64_t key)
{
    size_t i = (size_t)key & (names->capacity - 1);

    while (names->items[i].key != 0 && names->items[i].key != key)
        i = (i + 1) & (names->capacity - 1);
    return &names->items[i];
}

static int names_grow(struct names *names)
{
    struct names bigger = {.capacity = names->capacity == 0 ? 64 : names->capacity * 2, .used = names->used};

    bigger.items = calloc(bigger.capacity, sizeof bigger.items[0]);
    if (bigger.items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->items[i].key != 0)
            *names_slot(&bigger, names->items[i].key) = names->items[i];
    }
    free(names->items);
    *names = bigger;
    return 0;
}

/* How often this name has come now, this time included. */
static int names_count(struct names *names, const char *name, uint32_t *ret_count)
{
    uint64_t key = name_key(name);
    struct name_count *slot;

    if (names->used * 2 >= names->capacity && names_grow(names) < 0)
        return -ENOMEM;
    slot = names_slot(names, key);
    if (slot->key == 0)
        names->used++;
    slot->key = key;
    *ret_count = ++slot->count;
    return 0;
}

static void escape_components(struct buf *buf, const uint8_t *name, size_t size)
{
    size_t start = 0;

    for (size_t i = 0; i <= size; i++) {
        if (i < size && name[i] != '/')
            continue;
        if (start > 0)
            buf_u8(buf, '/');
        text_escape_name(buf, name + start, i - start);
        start = i + 1;
    }
}

/* Too long for an address (the raw name goes into the case all the same): its digest stands for it. */
static void escape_digest(struct buf *buf, const void *name, size_t size)
{
    char hex[SHA256_HEX_SIZE];

    hash_sha256_hex(name, size, hex);
    buf_printf(buf, "\\~%s", hex);
}

/* Begins at the last '/', for the name alone. */
static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int make_path(struct pass *pass, struct sink *sink)
{
    const struct child *child = &sink->child;
    struct buf path = {0};
    size_t start;
    uint32_t count;
    int rc;

    buf_printf(&path, "%s!/", pass->info->path);
    start = path.size;
    escape_components(&path, child->name, child->name_size);
    if (path.size + pass->scanner->limit_depth * (size_t)96 > FOUND_PATH_MAX) {
        path.size = start;
        escape_digest(&path, child->name, child->name_size);
    }
    rc = names_count(&pass->names, buf_cstr(&path) + start, &count);
    sink->shown = strdup(last_component(buf_cstr(&path)));
    if (rc == 0 && count > 1)
        buf_printf(&path, "\\#%u", count);
    if (rc == 0)
        sink->path = buf_steal(&path);
    buf_finish(&path);
    return sink->path != NULL && sink->shown != NULL ? 0 : -ENOMEM;
}

/* May there be another child here? What is refused is recorded once. */
static bool may_have_child(struct scan *scan)
{
    struct pass *pass = scan->pass;
    struct scanner *scanner = pass->scanner;

    if (scanner->stop < 0)
        return false;
    if (scan->index < 64 && (scanner->sink->barren >> scan->index & 1) != 0) {
        if (!scan->barren_said)
            pass_limited(pass, scan->index, pass->offset,
                         "a later pass adds no contents: what %s finds in this one was not opened "
                         "(`kvali run --again` does it all anew)",
                         scan->plugin->name);
        scan->barren_said = true;
        return false;
    }
    if (pass->nesting >= scanner->limit_depth || pass->info->depth >= scanner->limit_depth) {
        if (!scan->depth_refused)
            pass_limited(pass, scan->index, pass->offset,
                         "limit.depth: streams that %s finds in this one are deeper than %u levels and were "
                         "not opened",
                         scan->plugin->name, scanner->limit_depth);
        scan->depth_refused = true;
        return false;
    }
    if (scanner->children >= scanner->limit_children) {
        if (!scanner->children_said)
            pass_limited(pass, scan->index, pass->offset,
                         "limit.children: no more than %llu streams were opened inside one",
                         (unsigned long long)scanner->limit_children);
        scanner->children_said = true;
        return false;
    }
    return true;
}

static void sink_free(struct sink *sink)
{
    store_finish(&sink->store);
    pieces_finish(&sink->pieces);
    free(sink->name);
    free(sink->path);
    free(sink->shown);
    free(sink);
}

static void sink_full(struct sink *sink, int rc)
{
    struct pass *pass = sink->scan->pass;
    struct scanner *scanner = pass->scanner;

    if (rc < 0) {
        pass_limited(pass, sink->scan->index, sink->child.offset,
                     "limit.spool: no more than %llu bytes of %s could be kept: %s",
                     (unsigned long long)sink->store.size, sink->path,
                     rc != -ENOSPC ? strerror(-rc) : "the limit or the disk is reached");
    } else if (!scanner->child_bytes_said) {
        pass_limited(pass, sink->scan->index, sink->child.offset,
                     "limit.child_bytes: no more than %llu bytes were unpacked from one stream; %s is cut",
                     (unsigned long long)scanner->limit_child_bytes, sink->path);
        scanner->child_bytes_said = true;
    }
    sink->full = true;
    sink->status = SCAN_CUT;
}

/* The child's bytes lie in this stream: they count like bytes that are unpacked, for they are scanned like
 * these. */
static int take_pieces(struct sink *sink)
{
    struct scanner *scanner = sink->scan->pass->scanner;
    const struct child *child = &sink->child;
    uint64_t wanted = 0;
    int code = pieces_init(&sink->pieces, sink->scan->pass, child->pieces, child->piece_count,
                           scanner->limit_child_bytes - scanner->child_bytes);

    if (code < 0)
        return code;
    for (size_t i = 0; i < child->piece_count; i++)
        wanted += child->pieces[i].size;
    sink->from_pieces = pieces_source(&sink->pieces);
    sink->source = &sink->from_pieces;
    scanner->child_bytes += sink->pieces.size;
    if (sink->pieces.size < wanted)
        sink_full(sink, 0);
    sink->full = true;
    return 0;
}

static bool is_child(const struct scan *scan, const struct child *child)
{
    return child != NULL && (child->kind == STREAM_CHILD || child->kind == STREAM_CARVED) &&
           (child->name != NULL || child->name_size == 0) &&
           (child->about == NULL || child->values != NULL) &&
           (child->pieces == NULL || scan->phase == SCAN_FINISHING);
}

struct sink *scan_child(struct scan *scan, const struct child *child)
{
    struct pass *pass = scan->pass;
    struct sink *sink;

    if (!is_child(scan, child)) {
        pass_failed(scan, -EINVAL);
        return NULL;
    }
    if (!may_have_child(scan))
        return NULL;
    sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        goto fail;
    sink->scan = scan;
    sink->child = *child;
    if (child->name_size > NAME_MAX_BYTES) {
        sink->child.name_size = NAME_MAX_BYTES;
        scan_note(scan, child->offset, "the name of a stream in this one is %zu bytes long: cut",
                  child->name_size);
    }
    sink->name = malloc(sink->child.name_size + 1);
    if (sink->name == NULL)
        goto fail;
    if (sink->child.name_size > 0)
        memcpy(sink->name, child->name, sink->child.name_size);
    sink->child.name = sink->name;
    if (make_path(pass, sink) < 0)
        goto fail;
    if (child->pieces != NULL && take_pieces(sink) < 0) {
        pass_failed(scan, -EINVAL);
        sink_free(sink);
        return NULL;
    }
    store_init(&sink->store, &pass->scanner->spool);
    pass->scanner->children++;
    sink->next = pass->sinks;
    pass->sinks = sink;
    return sink;
fail:
    if (sink != NULL)
        sink_free(sink);
    pass_failed(scan, -ENOMEM);
    return NULL;
}

int sink_write(struct sink *sink, const void *data, size_t size)
{
    struct scanner *scanner = sink->scan->pass->scanner;
    uint64_t room = scanner->limit_child_bytes - scanner->child_bytes, before = sink->store.size;
    int rc;

    if (scanner->stop < 0)
        return scanner->stop;
    if (sink->full)
        return -ENOSPC;
    /* More than there may ever be is a lie: not one byte of it is looked at. */
    rc = size > scanner->limit_child_bytes
             ? 0
             : store_append(&sink->store, data, size < room ? size : (size_t)room);
    scanner->child_bytes += sink->store.size - before;
    pass_at(sink->scan->pass, sink->scan->index);
    if (rc == 0 && size <= room)
        return 0;
    sink_full(sink, rc);
    return -ENOSPC;
}

static void unlink_sink(struct sink *sink)
{
    struct sink **at = &sink->scan->pass->sinks;

    while (*at != NULL && *at != sink)
        at = &(*at)->next;
    if (*at == sink)
        *at = sink->next;
}

/* Says that the child begins, and what the plugin says about it. */
static void begin_child(const struct sink *sink, const struct pass *pass)
{
    static struct found_run room[FOUND_RUNS_MAX];
    struct scanner *scanner = pass->scanner;
    const struct scan_sink *out = scanner->sink;
    struct child_runs runs = {.items = room};

    if (sink->source != NULL)
        runs = source_runs(sink->source, room);
    scanner_answer(scanner, out->child_begin(out->context, pass->parent->stream, pass->stream, pass->info,
                                             sink->scan->index, &sink->child, &runs));
    if (scanner->stop == 0 && sink->child.about != NULL) {
        int code = scan_record(sink->scan, pass->stream, sink->child.about, sink->child.values);

        if (code == -EINVAL || code == -E2BIG)
            pass_failed(sink->scan, code);
    }
}

/* Scans what the sink holds, or what its source gives, with all plugins. */
static void scan_sink_whole(struct sink *sink, enum scan_status status)
{
    struct pass *parent = sink->scan->pass;
    struct scanner *scanner = parent->scanner;
    const struct scan_sink *out = scanner->sink;
    char extension[EXTENSION_MAX];
    const struct stream_info info = {.path = sink->path,
                                     .name = sink->shown,
                                     .extension = extension,
                                     .owner = "",
                                     .kind = sink->child.kind,
                                     .deleted = sink->child.deleted || parent->info->deleted,
                                     .depth = parent->info->depth + 1,
                                     .size = sink->source != NULL ? sink->source->reach : sink->store.size};
    struct pass pass = {.scanner = scanner,
                        .parent = parent,
                        .info = &info,
                        .nesting = parent->nesting + 1,
                        .without = parent->without,
                        .source = sink->source,
                        .store = sink->store,
                        .status = sink->status > status ? sink->status : status};

    sink->store = (struct store){.spool = NULL};
    text_extension(info.name, extension, sizeof extension);
    if (scanner->stop == 0) {
        pass.stream = ++scanner->next_stream;
        begin_child(sink, &pass);
        if (scanner->stop == 0)
            pass_run(&pass);
        if (scanner->stop == 0)
            scanner_answer(scanner, out->child_end(out->context, pass.stream, pass.status, info.size));
    }
    store_finish(&pass.store);
    pass_at(parent, sink->scan->index);
}

void sink_close(struct sink *sink, enum scan_status status)
{
    if (sink == NULL)
        return;
    unlink_sink(sink);
    scan_sink_whole(sink, (unsigned)status > SCAN_CUT ? SCAN_CUT : status);
    sink_free(sink);
}

void child_slack(struct pass *parent)
{
    const struct source *slack = parent->source->slack;
    struct scan engine = {.pass = parent, .index = ENGINE};
    struct sink sink = {
        .scan = &engine,
        .child = {.name = "slack", .name_size = 5, .kind = STREAM_SLACK, .offset = parent->info->size},
        .source = slack};
    uint8_t byte;

    parent->slack_uniform = source_is_uniform(parent->scanner, slack, &byte);
    if (parent->slack_uniform)
        return;
    if (parent->nesting >= parent->scanner->limit_depth) {
        pass_limited(parent, ENGINE, sink.child.offset,
                     "limit.depth: the slack behind this content was not looked at");
        return;
    }
    store_init(&sink.store, &parent->scanner->spool);
    if (make_path(parent, &sink) < 0)
        scanner_answer(parent->scanner, -ENOMEM);
    else
        scan_sink_whole(&sink, SCAN_WHOLE);
    free(sink.path);
    free(sink.shown);
}

void child_forget(const struct scan *scan)
{
    struct sink *sink, *next;

    for (sink = scan->pass->sinks; sink != NULL; sink = next) {
        next = sink->next;
        if (sink->scan != scan)
            continue;
        pass_limited(scan->pass, scan->index, sink->child.offset, "%s left %s open: it was not scanned",
                     scan->plugin->name, sink->path);
        unlink_sink(sink);
        sink_free(sink);
    }
}
