/*
 * thumbnail: recovered and deleted pictures, small, so that a person sees at a glance what was there.
 *
 * The small picture is decoded and written anew inside the sandbox. Whoever looks at it in a report decodes
 * nothing that comes from the evidence.
 */
#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/thumbnail/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { THUMBNAIL_MAX = 12 * 1024 };

/* A picture file that is larger is not kept for a thumbnail. */
#define FILE_MAX (UINT64_C(512) << 20)

struct thumbnail_worker {
    bool all;
    struct shrink *shrink;
};

struct format {
    const char *mime;
    uint8_t magic[8];
    size_t magic_size;
    bool (*read)(const uint8_t *data, size_t size, struct shrink *shrink, struct picture *ret_picture);
};

static const struct format formats[] = {
    {"image/jpeg", {0xff, 0xd8, 0xff}, 3, picture_jpeg},
    {"image/png", {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a}, 8, picture_png},
};

struct thumbnail_stream {
    const struct format *format;
};

static const struct field thumbnail_fields[] = {
    {"width", FIELD_U64, "pixels", "of the original"},
    {"height", FIELD_U64, "pixels", "of the original"},
    {"mime", FIELD_TEXT, "", "media type of the original"},
    {"damaged", FIELD_U64, "", "1: some of the original could not be decoded"},
    {"jpeg", FIELD_BYTES, "", "the small picture, at most 160 x 160 pixels, written by kvali"},
};
static const struct record_type thumbnail_type = {"thumbnail", 1, "a picture, small", thumbnail_fields,
                                                  sizeof thumbnail_fields / sizeof thumbnail_fields[0]};
static const struct record_type *const thumbnail_emits[] = {&thumbnail_type, NULL};

static int thumbnail_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct thumbnail_worker *mine = worker;

    mine->all = settings_bool(settings, "thumbnail.all");
    mine->shrink = malloc(sizeof *mine->shrink);
    return mine->shrink != NULL ? 0 : why_set(why, -ENOMEM, "no memory");
}

static void thumbnail_teardown(void *worker)
{
    struct thumbnail_worker *mine = worker;

    free(mine->shrink);
}

static bool is_wanted(const struct thumbnail_worker *mine, const struct stream_info *info)
{
    switch (info->kind) {
    case STREAM_CARVED:
        return true;
    case STREAM_FILE:
    case STREAM_ADS:
    case STREAM_CHILD:
        return info->deleted || mine->all;
    default:
        return false;
    }
}

static const struct format *format_of(struct scan *scan)
{
    const uint8_t *data;

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const struct format *format = &formats[i];

        if (scan_kept(scan) >= format->magic_size && scan_peek(scan, 0, format->magic_size, &data) == 0 &&
            memcmp(data, format->magic, format->magic_size) == 0)
            return format;
    }
    return NULL;
}

static enum plugin_want thumbnail_start(struct scan *scan)
{
    struct thumbnail_stream *stream = scan_state(scan);

    if (!is_wanted(scan_worker(scan), scan_stream(scan)))
        return PLUGIN_SKIP;
    stream->format = format_of(scan);
    return stream->format != NULL ? PLUGIN_PEEK : PLUGIN_SKIP;
}

static int emit(struct scan *scan, const struct format *format, const struct picture *picture)
{
    const struct thumbnail_worker *mine = scan_worker(scan);
    size_t size;
    uint8_t *jpeg = picture_write(mine->shrink, THUMBNAIL_MAX, &size);
    int code;

    if (jpeg == NULL)
        return -ENOMEM;
    code = scan_emit(scan, &thumbnail_type,
                     (const struct value[]){
                         value_u64(picture->width),
                         value_u64(picture->height),
                         value_text(format->mime),
                         value_u64(picture->damaged ? 1 : 0),
                         value_bytes(jpeg, size),
                     });
    free(jpeg);
    return code;
}

/* What a library says of a file may quote it. */
static void say_why(struct scan *scan, const struct picture *picture)
{
    struct buf words = {0};

    text_escape(&words, picture->why, strlen(picture->why));
    if (picture->refused)
        scan_limited(scan, 0, "no thumbnail: too large: %s", buf_cstr(&words));
    else
        scan_note(scan, 0, "no thumbnail: %s",
                  words.size > 0 ? buf_cstr(&words) : "nothing of it can be decoded");
    buf_finish(&words);
}

static int thumbnail_finish(struct scan *scan, enum scan_status status)
{
    const struct thumbnail_worker *mine = scan_worker(scan);
    const struct thumbnail_stream *stream = scan_state(scan);
    uint64_t size = scan_kept(scan);
    struct picture picture;
    const uint8_t *data;
    int code;

    if (status == SCAN_SPARED)
        return 0;
    if (size > FILE_MAX) {
        scan_limited(scan, 0, "no thumbnail: the file is larger than %u MiB", (unsigned)(FILE_MAX >> 20));
        return 0;
    }
    code = scan_peek(scan, 0, (size_t)size, &data);
    if (code < 0)
        return code;
    if (stream->format->read(data, (size_t)size, mine->shrink, &picture))
        return emit(scan, stream->format, &picture);
    say_why(scan, &picture);
    return 0;
}

const struct plugin plugin_thumbnail = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "thumbnail",
    .summary = "Recovered and deleted pictures, small",
    .emits = thumbnail_emits,
    .worker_size = sizeof(struct thumbnail_worker),
    .stream_size = sizeof(struct thumbnail_stream),
    .setup = thumbnail_setup,
    .teardown = thumbnail_teardown,
    .start = thumbnail_start,
    .finish = thumbnail_finish,
    .traits = PLUGIN_SPARED,
};
