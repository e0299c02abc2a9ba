/*
 * filetype: what the content is, from its first bytes, and whether the file's extension says the same.
 *
 * libmagic sees the first MiB, whatever the block size: straight from the block when the block is that large
 * or is the whole stream, else from a buffer that collects it.
 */
#include "engine/plugin.h"

#include "engine/scan/filetype.h"
#include "plugins/filetype/extensions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct filetype_worker {
    struct filetype *magic;
    struct extensions *extensions; /* NULL: no table */
    struct buf mime, description;
    bool described; /* the detail of the settings has descriptions */
    uint8_t *idle;  /* a buffer of FILETYPE_SIZE_MAX that no stream holds */
};

struct filetype_stream {
    uint8_t *buffer;
    size_t size;
    bool done;
};

static const struct field filetype_fields[] = {
    {"mime", FIELD_TEXT, "", "media type of the content"},
    {"description", FIELD_TEXT, "", "description of the content"},
    {"extension_expected", FIELD_TEXT, "", "file extensions that go with this media type"},
    {"mismatch", FIELD_U64, "", "1: the file's extension is none of these"},
};

static const struct record_type filetype_type = {"filetype", 1, "what the content is", filetype_fields,
                                                 sizeof filetype_fields / sizeof filetype_fields[0]};
static const struct record_type *const filetype_emits[] = {&filetype_type, NULL};

static void filetype_teardown(void *worker)
{
    struct filetype_worker *mine = worker;

    filetype_close(mine->magic);
    extensions_free(mine->extensions);
    buf_finish(&mine->mime);
    buf_finish(&mine->description);
    free(mine->idle);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int read_detail(const char *word, enum filetype_detail *ret_detail, struct why *why)
{
    static const char *const words[] = {
        [FILETYPE_FULL] = "full", [FILETYPE_TYPE] = "type", [FILETYPE_QUICK] = "quick"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret_detail = (enum filetype_detail)i;
            return 0;
        }
    return why_set(why, -EINVAL, "filetype.detail: %s: must be full, type or quick", word);
}

static int load(struct filetype_worker *mine, const char *magic, enum filetype_detail detail,
                const char *table, struct why *why)
{
    char sha256[SHA256_HEX_SIZE];
    size_t count;
    int rc = filetype_open(magic, detail, true, &mine->magic, why);

    if (rc < 0)
        return rc;
    rc = hash_sha256_file(magic, sha256);
    if (rc < 0)
        return why_set(why, rc, "%s: %s", magic, strerror(-rc));
    setup_loaded("filetype", "magic", base_name(magic), sha256, 1, NULL);
    if (table[0] == '\0')
        return 0;
    rc = extensions_load(table, &mine->extensions, &count, sha256, why);
    if (rc == 0)
        setup_loaded("filetype", "extensions", base_name(table), sha256, count, NULL);
    return rc;
}

static int filetype_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct filetype_worker *mine = worker;
    enum filetype_detail detail = FILETYPE_FULL;
    int rc = read_detail(settings_text(settings, "filetype.detail"), &detail, why);

    if (rc < 0)
        return rc;
    mine->described = detail == FILETYPE_FULL;
    rc = load(mine, settings_text(settings, "filetype.magic"), detail,
              settings_text(settings, "filetype.extensions"), why);
    if (rc < 0)
        filetype_teardown(worker);
    return rc;
}

static enum plugin_want filetype_start(struct scan *scan)
{
    (void)scan;
    return PLUGIN_FEED;
}

/* A file's name and content are compared; an image, free space or slack has no name to compare. */
static bool has_name(enum stream_kind kind)
{
    return kind == STREAM_FILE || kind == STREAM_CHILD;
}

static int identify(struct scan *scan, const uint8_t *data, size_t size)
{
    struct filetype_worker *worker = scan_worker(scan);
    const struct stream_info *info = scan_stream(scan);
    const char *expected = NULL;
    bool mismatch = false;
    struct why why = {""};
    int rc;

    buf_clear(&worker->mime);
    buf_clear(&worker->description);
    rc = filetype_identify(worker->magic, data, size, &worker->mime, &worker->description, &why);
    if (rc == -EIO) {
        scan_note(scan, 0, "libmagic cannot tell what this is: %s", why.text);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (has_name(info->kind))
        expected = extensions_expected(worker->extensions, buf_cstr(&worker->mime));
    if (expected != NULL && info->extension[0] != '\0')
        mismatch = !extensions_has(expected, info->extension);
    return scan_emit(scan, &filetype_type,
                     (const struct value[]){
                         value_bytes(worker->mime.data, worker->mime.size),
                         worker->described ? value_bytes(worker->description.data, worker->description.size)
                                           : value_none(),
                         value_text(expected),
                         value_u64(mismatch ? 1 : 0),
                     });
}

/* A buffer for this stream: the worker's idle one, or for a stream inside a stream a new one. */
static int take_buffer(struct filetype_worker *worker, struct filetype_stream *stream)
{
    if (stream->buffer != NULL)
        return 0;
    stream->buffer = worker->idle != NULL ? worker->idle : malloc(FILETYPE_SIZE_MAX);
    worker->idle = NULL;
    return stream->buffer != NULL ? 0 : -ENOMEM;
}

static int filetype_feed(struct scan *scan, const struct block *block)
{
    struct filetype_stream *stream = scan_state(scan);
    size_t room = FILETYPE_SIZE_MAX - stream->size, part = block->size < room ? block->size : room;
    int rc;

    if (stream->done)
        return 0;
    if (block->offset == 0 && (part == FILETYPE_SIZE_MAX || block->last)) {
        stream->done = true;
        return identify(scan, block->data, part);
    }
    rc = take_buffer(scan_worker(scan), stream);
    if (rc < 0)
        return rc;
    memcpy(stream->buffer + stream->size, block->data, part);
    stream->size += part;
    if (stream->size < FILETYPE_SIZE_MAX && !block->last)
        return 0;
    stream->done = true;
    return identify(scan, stream->buffer, stream->size);
}

static int filetype_finish(struct scan *scan, enum scan_status status)
{
    struct filetype_worker *worker = scan_worker(scan);
    struct filetype_stream *stream = scan_state(scan);
    int rc = 0;

    /* An empty stream, or one that broke off between blocks: what there was of it still has a type. */
    if (!stream->done && (status != SCAN_CUT || stream->size > 0))
        rc = identify(scan, stream->buffer != NULL ? stream->buffer : (const uint8_t *)"", stream->size);
    if (worker->idle == NULL)
        worker->idle = stream->buffer;
    else
        free(stream->buffer);
    return rc;
}

const struct plugin plugin_filetype = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "filetype",
    .summary = "content type by libmagic, and whether the extension agrees",
    .emits = filetype_emits,
    .worker_size = sizeof(struct filetype_worker),
    .stream_size = sizeof(struct filetype_stream),
    .setup = filetype_setup,
    .teardown = filetype_teardown,
    .start = filetype_start,
    .feed = filetype_feed,
    .finish = filetype_finish,
};
