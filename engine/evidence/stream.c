/*
 * stream: opens a locator and reads it from start to end.
 *
 * Everything that lies on the medium as it is becomes a list of extents, which are read here from the image
 * in pieces as large as the caller's; so a bad range of the medium is known as a range of the stream. What
 * libtsk must unpack is read by it.
 */
#include "engine/evidence/stream.h"

#include "engine/base/bytes.h"
#include "engine/evidence/folder.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/owner.h"
#include "engine/evidence/tsk/tsk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stream {
    struct image *image, *entered; /* entered: to be left */
    uint64_t size, position;
    const struct extent *extents; /* NULL: tsk or fd is read */
    size_t extent_count, extent;  /* the one that was read last */
    uint64_t start;               /* where the stream's first byte is in these; 0 but for free space */
    struct extent whole;          /* "image", "raw@" and "file" have only this */
    struct extent *own;           /* of "runs@" and slack; freed */
    struct tsk_stream *tsk;
    struct tsk_filesystem *free_space; /* of "free@": holds the extents */
    int fd; /* of a file in folder evidence, -1 for none */
    struct ranges bad, bad_image, met;
};

/* ------------------------------------------------------------------ opening */

static int open_range(struct stream *stream, uint64_t offset, uint64_t size, struct why *why)
{
    uint64_t limit = image_info(stream->image)->size;

    if (!u64_range_fits(offset, size, limit))
        return why_set(why, -ENOENT, "the range reaches past the end of the image");
    stream->size = size;
    stream->whole = (struct extent){.offset = 0, .size = size, .physical = offset};
    stream->extents = &stream->whole;
    stream->extent_count = size > 0 ? 1 : 0;
    return 0;
}

static int open_content(struct stream *stream, const struct locator *locator, struct why *why)
{
    int code = tsk_stream_open(stream->image, locator, &stream->tsk, why);

    if (code < 0)
        return code;
    stream->size = tsk_stream_size(stream->tsk);
    stream->extents = tsk_stream_extents(stream->tsk, &stream->extent_count);
    return 0;
}

static int open_runs(struct stream *stream, const struct locator *locator, struct why *why)
{
    const char *text = locator->path;
    struct extent run = {0};

    stream->own = calloc(LOCATOR_RUNS_MAX, sizeof *stream->own);
    if (!stream->own)
        return why_set(why, -ENOMEM, "no memory to open a stream");
    while (stream->extent_count < LOCATOR_RUNS_MAX && locator_next_run(&text, &run.physical, &run.size)) {
        if (!u64_range_fits(run.physical, run.size, image_info(stream->image)->size))
            return why_set(why, -ENOENT, "a range reaches past the end of the image");
        run.offset = stream->size;
        stream->own[stream->extent_count++] = run;
        stream->size += run.size;
    }
    stream->extents = stream->own;
    return 0;
}

static int open_free(struct stream *stream, const struct locator *locator, struct why *why)
{
    const struct extent *last;
    int code = tsk_free_open(stream->image, locator, &stream->free_space, &stream->extents, &stream->extent_count, why);

    if (code < 0)
        return code;
    last = stream->extent_count > 0 ? &stream->extents[stream->extent_count - 1] : NULL;
    if (!last || !u64_range_fits(locator->start, locator->size, last->offset + last->size))
        return why_set(why, -ENOENT, "there is less free space than that");
    stream->start = locator->start;
    stream->size = locator->size;
    return 0;
}

static int open_by_kind(struct stream *stream, const struct locator *locator, struct why *why)
{
    enum image_type type = image_info(stream->image)->type;

    switch (locator->kind) {
    case LOCATOR_IMAGE:
    case LOCATOR_RAW:
        if (type == IMAGE_FOLDER)
            break;
        return locator->kind == LOCATOR_RAW ? open_range(stream, locator->offset, locator->size, why)
                                            : open_range(stream, 0, image_info(stream->image)->size, why);
    case LOCATOR_RUNS:
    case LOCATOR_FREE:
        if (type == IMAGE_FOLDER)
            break;
        return locator->kind == LOCATOR_RUNS ? open_runs(stream, locator, why) : open_free(stream, locator, why);
    case LOCATOR_FILE:
        if (type != IMAGE_FILE)
            break;
        return open_range(stream, 0, image_info(stream->image)->size, why);
    case LOCATOR_FS_CONTENT:
    case LOCATOR_APFS_CONTENT:
        if (type == IMAGE_FOLDER)
            break;
        return open_content(stream, locator, why);
    case LOCATOR_FOLDER_CONTENT:
        if (type != IMAGE_FOLDER)
            break;
        return folder_open(stream->image, locator->path, &stream->fd, &stream->size, why);
    default:
        break;
    }
    return why_set(why, -EINVAL, "this locator is not for a content of this exhibit");
}

int stream_open(struct image *image, const char *text, struct stream **ret_stream, struct why *why)
{
    struct locator locator;
    struct stream *stream = calloc(1, sizeof *stream);
    int code;

    if (!stream)
        return why_set(why, -ENOMEM, "no memory to open a stream");
    stream->fd = -1;
    code = image_enter(image, text, &stream->entered, &text, why);
    stream->image = stream->entered;
    if (code == 0 && locator_parse(text, &locator) < 0)
        code = why_set(why, -EINVAL, "not a locator");
    if (code == 0)
        code = open_by_kind(stream, &locator, why);
    if (code < 0) {
        stream_close(stream);
        return code;
    }
    *ret_stream = stream;
    return 0;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    tsk_stream_close(stream->tsk);
    if (stream->free_space)
        tsk_free_close(stream->free_space);
    free(stream->own);
    if (stream->fd >= 0)
        (void)close(stream->fd);
    ranges_finish(&stream->bad);
    ranges_finish(&stream->bad_image);
    ranges_finish(&stream->met);
    image_leave(stream->entered);
    free(stream);
}

void stream_owner(const struct stream *stream, char *ret, size_t size)
{
    struct stat status;

    ret[0] = '\0';
    if (stream->tsk != NULL)
        tsk_stream_owner(stream->tsk, ret, size);
    else if (stream->fd >= 0 && fstat(stream->fd, &status) == 0)
        owner_of_user(status.st_uid, ret, size);
}

uint64_t stream_size(const struct stream *stream)
{
    return stream->size;
}

bool stream_is_live(const struct stream *stream)
{
    return stream->tsk && tsk_stream_is_live(stream->tsk);
}

bool stream_is_hole(const struct stream *stream)
{
    uint64_t covered = 0;

    for (size_t i = 0; i < stream->extent_count; i++) {
        if (stream->extents[i].physical != EXTENT_HOLE)
            return false;
        covered += stream->extents[i].size;
    }
    return stream->size > 0 && covered == stream->size;
}

/* ------------------------------------------------------------------ reading */

/* Where what cannot be read is noted; NULL: nowhere. */
struct notes {
    struct ranges *bad, *bad_image;
};

static int add_bad(const struct notes *notes, uint64_t offset, uint64_t size, uint64_t physical)
{
    int code = notes->bad ? ranges_add(notes->bad, offset, size) : 0;

    return code == 0 && notes->bad_image && physical != EXTENT_HOLE ? ranges_add(notes->bad_image, physical, size)
                                                                    : code;
}

/* Bad ranges of the image met between `physical` and `physical + size` as ranges of the stream. */
static int map_met(struct stream *stream, const struct notes *notes, uint64_t offset, uint64_t physical, uint64_t size)
{
    int code = 0;

    for (size_t i = 0; i < stream->met.count && code == 0; i++) {
        uint64_t from = stream->met.items[i].offset;
        uint64_t to = u64_add_saturating(from, stream->met.items[i].size);

        if (from < physical)
            from = physical;
        if (to > physical + size)
            to = physical + size;
        if (from < to)
            code = add_bad(notes, offset + (from - physical), to - from, from);
    }
    return code;
}

/* The part of an extent that the image has, and zeros for what lies past its end. `offset` in the stream. */
static int read_physical(struct stream *stream, const struct notes *notes, uint64_t offset, uint64_t physical,
                         uint8_t *data, size_t size)
{
    uint64_t limit = image_info(stream->image)->size;
    size_t there = physical >= limit ? 0 : limit - physical < size ? (size_t)(limit - physical) : size;
    int code = 0;

    if (there > 0) {
        ranges_clear(&stream->met);
        image_watch(stream->image, &stream->met);
        code = image_read(stream->image, physical, data, there);
        image_watch(stream->image, NULL);
        if (code == 0)
            code = map_met(stream, notes, offset, physical, there);
    }
    if (code == 0 && there < size) {
        memset(data + there, 0, size - there);
        code = add_bad(notes, offset + there, size - there, physical + there);
    }
    return code;
}

/* The extent that holds `place` (start and all), or the number of extents. The last one read, or the next, is the
 * likeliest. */
static size_t find_extent(const struct stream *stream, uint64_t place)
{
    size_t low = 0, high = stream->extent_count;

    for (size_t i = stream->extent; i < high && i < stream->extent + 2; i++) {
        if (place >= stream->extents[i].offset && place - stream->extents[i].offset < stream->extents[i].size)
            return i;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct extent *extent = &stream->extents[middle];

        if (place < extent->offset)
            high = middle;
        else if (place - extent->offset >= extent->size)
            low = middle + 1;
        else
            return middle;
    }
    return stream->extent_count;
}

/* Fills all of `data`; what the extents do not reach is -EIO when nothing came before. */
static int64_t read_extents(struct stream *stream, const struct notes *notes, uint64_t offset, uint8_t *data,
                            size_t size)
{
    size_t done = 0;

    while (done < size) {
        uint64_t place = stream->start + offset + done, inside;
        size_t index = find_extent(stream, place), count = size - done;
        const struct extent *extent = &stream->extents[index];
        int code = 0;

        if (index == stream->extent_count)
            break;
        stream->extent = index;
        inside = place - extent->offset;
        if (count > extent->size - inside)
            count = (size_t)(extent->size - inside);
        if (extent->physical == EXTENT_HOLE)
            memset(data + done, 0, count);
        else
            code = read_physical(stream, notes, offset + done, extent->physical + inside, data + done, count);
        if (code < 0)
            return code;
        done += count;
    }
    return done == 0 && size > 0 ? -EIO : (int64_t)done;
}

/* What libtsk unpacked: which bytes a bad range touched is not known, so all of the piece counts. */
static int64_t read_tsk(struct stream *stream, const struct notes *notes, uint64_t offset, void *data, size_t size)
{
    int64_t count;
    int code = 0;

    ranges_clear(&stream->met);
    image_watch(stream->image, &stream->met);
    count = tsk_stream_read(stream->tsk, offset, data, size);
    image_watch(stream->image, NULL);
    for (size_t i = 0; notes->bad_image && i < stream->met.count && code == 0; i++)
        code = ranges_add(notes->bad_image, stream->met.items[i].offset, stream->met.items[i].size);
    if (code == 0 && count > 0 && stream->met.count > 0 && notes->bad)
        code = ranges_add(notes->bad, offset, (uint64_t)count);
    return code < 0 ? code : count;
}

/* A file of the examiner's file system. Where the medium below it does not answer, block by block. It may
 * have become shorter since it was listed: then -EIO. */
static int64_t read_file(struct stream *stream, const struct notes *notes, uint64_t offset, uint8_t *data, size_t size)
{
    enum { BLOCK = 4096 };
    size_t done = 0;

    while (done < size) {
        uint64_t at = offset + done;
        size_t piece = size - done;
        ssize_t count = pread(stream->fd, data + done, piece, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            piece = BLOCK - at % BLOCK < piece ? (size_t)(BLOCK - at % BLOCK) : piece;
            count = pread(stream->fd, data + done, piece, (off_t)at);
        }
        if (count < 0) {
            int code = add_bad(notes, at, piece, EXTENT_HOLE);
            if (code < 0)
                return code;
            memset(data + done, 0, piece);
            count = (ssize_t)piece;
        }
        if (count == 0)
            return done > 0 ? (int64_t)done : -EIO;
        done += (size_t)count;
    }
    return (int64_t)done;
}

static int64_t read_any(struct stream *stream, const struct notes *notes, uint64_t offset, uint8_t *data, size_t size)
{
    size_t done = 0;

    if (stream->fd >= 0)
        return read_file(stream, notes, offset, data, size);
    if (stream->extents)
        return read_extents(stream, notes, offset, data, size);
    while (done < size) {
        int64_t count = read_tsk(stream, notes, offset + done, data + done, size - done);
        if (count <= 0)
            return done > 0 ? (int64_t)done : count; /* the error comes again with the next call */
        done += (size_t)count;
    }
    return (int64_t)done;
}

int64_t stream_read(struct stream *stream, void *data, size_t size)
{
    const struct notes notes = {&stream->bad, &stream->bad_image};
    int64_t count;

    if (size > stream->size - stream->position)
        size = (size_t)(stream->size - stream->position);
    count = read_any(stream, &notes, stream->position, data, size);
    if (count > 0)
        stream->position += (uint64_t)count;
    return count;
}

int64_t stream_read_at(struct stream *stream, uint64_t offset, void *data, size_t size, struct ranges *bad)
{
    const struct notes notes = {bad, NULL};
    uint64_t reach = stream_reach(stream);

    if (offset >= reach || size == 0)
        return 0;
    return read_any(stream, &notes, offset, data, size < reach - offset ? size : (size_t)(reach - offset));
}

uint64_t stream_reach(const struct stream *stream)
{
    const struct extent *last = stream->free_space ? &stream->extents[stream->extent_count - 1] : NULL;

    return last ? last->offset + last->size - stream->start : stream->size;
}

int stream_slack(struct stream *stream, struct stream **ret_slack)
{
    struct stream *slack;
    struct extent *extents = NULL;
    size_t count = 0;
    int code = stream->tsk ? tsk_stream_slack(stream->tsk, &extents, &count) : 0;

    *ret_slack = NULL;
    if (code < 0 || count == 0) {
        free(extents);
        return code;
    }
    slack = calloc(1, sizeof *slack);
    if (!slack) {
        free(extents);
        return -ENOMEM;
    }
    slack->image = stream->image;
    slack->fd = -1;
    slack->extents = slack->own = extents;
    slack->extent_count = count;
    slack->size = extents[count - 1].offset + extents[count - 1].size;
    *ret_slack = slack;
    return 0;
}

const struct ranges *stream_bad(const struct stream *stream)
{
    return &stream->bad;
}

const struct ranges *stream_bad_image(const struct stream *stream)
{
    return &stream->bad_image;
}

uint64_t stream_physical(const struct stream *stream, uint64_t offset, uint64_t *ret_size)
{
    size_t index = stream->extents ? find_extent(stream, stream->start + offset) : stream->extent_count;
    const struct extent *extent;
    uint64_t inside;

    if (!stream->extents || index == stream->extent_count || stream->extents[index].physical == EXTENT_HOLE)
        return UINT64_MAX;
    extent = &stream->extents[index];
    inside = stream->start + offset - extent->offset;
    if (ret_size)
        *ret_size = extent->size - inside;
    return extent->physical + inside;
}
