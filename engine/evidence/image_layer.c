/*
 * image_layer: images inside of images: the readers of engine/evidence/layer over contents of the image
 * around them. What was opened stays open for the next content in it; the one used longest ago makes room.
 */
#include "engine/evidence/image_layer.h"

#include "engine/base/bytes.h"
#include "engine/evidence/image_private.h"
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct inner {
    struct layer layer;
    struct layer_base base;
    struct stream *streams[LAYER_BASES_MAX];
};

/* ------------------------------------------------------------------ one step of a locator */

struct step {
    const struct layer_kind *kind;
    uint32_t number;
    const char *bases; /* the first '{' */
    size_t size;       /* of the step with its '>' */
};

/* ".<number>" or nothing. False: something else. */
static bool parse_number(const char *text, const char *end, uint32_t *ret)
{
    uint32_t number = 0;

    if (text == end)
        return true;
    if (*text++ != '.' || text == end || *text == '0' || end - text > 6)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint32_t)(*text - '0');
    }
    *ret = number;
    return true;
}

/* False: not a step. */
static bool parse_step(const char *text, struct step *ret)
{
    struct step step = {.bases = strchr(text, '{')};
    const char *end = strstr(text, "}>");
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz");

    if (!step.bases || !end || end < step.bases || !parse_number(text + name, step.bases, &step.number))
        return false;
    step.kind = layer_kind_find(text, name);
    step.size = (size_t)(end - text) + 2;
    *ret = step;
    return step.kind != NULL;
}

/* The next "{...}" of a step; NULL at the end. The caller frees. */
static char *next_base(const char **at)
{
    const char *end = **at == '{' ? strchr(*at, '}') : NULL;
    char *text;

    if (!end)
        return NULL;
    text = strndup(*at + 1, (size_t)(end - *at - 1));
    *at = end + 1;
    return text;
}

size_t image_layers_size(const char *locator)
{
    const char *last = strrchr(locator, '>');

    return last ? (size_t)(last - locator) + 1 : 0;
}

size_t image_layers_around(const char *locator, const char *rest)
{
    struct step step;
    const char *at = locator;

    while (parse_step(at, &step) && at + step.size < rest)
        at += step.size;
    return (size_t)(at - locator);
}

bool image_layers_keyed(const char *locator)
{
    struct step step;

    for (; parse_step(locator, &step); locator += step.size) {
        if (step.kind->keyed)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ the driver */

static int base_read(void *context, uint64_t offset, void *data, size_t size)
{
    struct ranges bad = {0};
    int64_t count = stream_read_at(context, offset, data, size, &bad);
    bool whole = count == (int64_t)size && bad.count == 0;

    ranges_finish(&bad);
    return whole ? 0 : -EIO;
}

static int read_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    struct inner *inner = image->state;

    return inner->layer.kind->read(&inner->layer, offset, data, size);
}

static int inner_read(struct image *image, uint64_t offset, uint8_t *data, size_t size)
{
    return image_read_pieces(image, read_piece, image->info.sector_size, offset, data, size);
}

static void inner_close(struct image *image)
{
    struct inner *inner = image->state;

    if (!inner)
        return;
    if (inner->layer.state)
        inner->layer.kind->close(&inner->layer);
    for (size_t i = 0; i < LAYER_BASES_MAX; i++) {
        if (inner->streams[i]) {
            stream_close(inner->streams[i]);
            image->outer->held--;
        }
    }
    free(inner);
}

static const struct image_driver image_driver_layer = {.read = inner_read, .close = inner_close};

static void alive(void *context)
{
    image_alive(context);
}

static int open_bases(struct image *image, const struct step *step, struct why *why)
{
    struct inner *inner = image->state;
    const char *at = step->bases;
    char *text;
    int code = 0;

    while (code == 0 && (text = next_base(&at))) {
        size_t i = inner->base.count;

        code = i == LAYER_BASES_MAX ? why_set(why, -E2BIG, "more than %d parts", LAYER_BASES_MAX)
                                    : stream_open(image->outer, text, &inner->streams[i], why);
        free(text);
        if (code == 0) {
            image->outer->held++;
            inner->base.readers[i] =
                (struct reader){base_read, inner->streams[i], stream_size(inner->streams[i])};
            inner->base.count++;
        }
    }
    return code == 0 && inner->base.count == 0 ? -EINVAL : code;
}

/* Between long computations there is nothing else to hear of. */
static int open_layer(struct image *image, const struct step *step, struct why *why)
{
    struct inner *inner = calloc(1, sizeof *inner);
    int code;

    if (!inner)
        return -ENOMEM;
    image->state = inner;
    image->driver = &image_driver_layer;
    inner->base.number = step->number;
    inner->base.keys = image->keys;
    inner->base.alive = alive;
    inner->base.alive_context = image;
    inner->layer.kind = step->kind;
    code = open_bases(image, step, why);
    if (step->kind->keyed && image->busy)
        image->busy(image->busy_context, true);
    if (code == 0)
        code = step->kind->open(&inner->layer, &inner->base, why);
    if (step->kind->keyed && image->busy)
        image->busy(image->busy_context, false);
    if (code < 0)
        return code;
    image->info.size = inner->layer.size;
    image->info.sector_size = inner->layer.sector_size;
    memcpy(image->info.details, inner->layer.note, sizeof inner->layer.note);
    return 0;
}

/* ------------------------------------------------------------------ snapshots */

static const struct layer *snapshot_of(const struct image *image)
{
    const struct inner *inner = image->driver == &image_driver_layer ? image->state : NULL;

    return inner && inner->layer.kind->through ? &inner->layer : NULL;
}

bool image_is_snapshot(const struct image *image)
{
    return snapshot_of(image) != NULL;
}

bool image_through(const struct image *image, uint64_t offset, uint64_t size)
{
    const struct layer *layer = snapshot_of(image);

    return layer && layer->kind->through(layer, offset, size);
}

bool image_around(const struct image *image, struct image **ret_around, uint64_t *ret_offset)
{
    const struct inner *inner = image->state;
    uint64_t size;

    if (!snapshot_of(image))
        return false;
    *ret_around = image->outer;
    *ret_offset = stream_physical(inner->streams[0], 0, &size);
    return *ret_offset != UINT64_MAX && size == stream_size(inner->streams[0]);
}

struct window {
    struct image *image;
    uint64_t offset;
};

static int window_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct window *window = context;

    return image_read(window->image, window->offset + offset, data, size);
}

bool image_has_snapshots(struct image *image, uint64_t offset, uint64_t size)
{
    struct window window = {image, offset};

    return layer_shadow_there(&(struct reader){window_read, &window, size});
}

/* ------------------------------------------------------------------ images in images */

static bool is_idle(const struct image *image)
{
    if (image->users > image->held)
        return false;
    for (size_t i = 0; i < image->inner_count; i++) {
        if (!is_idle(image->inner[i]))
            return false;
    }
    return true;
}

static int make_room(struct image *image)
{
    size_t oldest = IMAGE_INNER_MAX;

    if (image->inner_count < IMAGE_INNER_MAX)
        return 0;
    for (size_t i = 0; i < image->inner_count; i++) {
        if (is_idle(image->inner[i]) &&
            (oldest == IMAGE_INNER_MAX || image->inner[i]->used < image->inner[oldest]->used))
            oldest = i;
    }
    if (oldest == IMAGE_INNER_MAX)
        return -EMFILE;
    image_close(image->inner[oldest]);
    image->inner[oldest] = image->inner[--image->inner_count];
    return 0;
}

static int open_step(struct image *outer, const char *text, const struct step *step, struct image **ret,
                     struct why *why)
{
    struct image *image = calloc(1, sizeof *image);
    int code = image ? make_room(outer) : -ENOMEM;

    if (code < 0) {
        free(image);
        return code;
    }
    image->outer = outer;
    image->keys = outer->keys;
    image->alive = outer->alive;
    image->alive_context = outer->alive_context;
    image->busy = outer->busy;
    image->busy_context = outer->busy_context;
    image->level = outer->level + 1;
    image->info = (struct image_info){.type = IMAGE_RAW, .sector_size = 512, .segments = 1};
    image->step = strndup(text, step->size);
    image->name = strdup("");
    code = image->step && image->name ? open_layer(image, step, why) : -ENOMEM;
    if (code < 0) {
        image_close(image);
        return code;
    }
    outer->inner[outer->inner_count++] = image;
    *ret = image;
    return 0;
}

static int enter_step(struct image *outer, const char *text, const struct step *step, struct image **ret,
                      struct why *why)
{
    for (size_t i = 0; i < outer->inner_count; i++) {
        struct image *image = outer->inner[i];
        if (strncmp(image->step, text, step->size) == 0 && image->step[step->size] == '\0') {
            *ret = image;
            return 0;
        }
    }
    if (outer->level == IMAGE_LEVELS_MAX)
        return why_set(why, -ELOOP, "more than %d media inside of each other", IMAGE_LEVELS_MAX);
    return open_step(outer, text, step, ret, why);
}

int image_enter(struct image *image, const char *locator, struct image **ret_image, const char **ret_rest,
                struct why *why)
{
    struct step step;
    struct why ignored = {{0}};

    while (parse_step(locator, &step)) {
        int code = enter_step(image, locator, &step, &image, why ? why : &ignored);
        if (code < 0)
            return code;
        image->used = ++image->outer->clock;
        locator += step.size;
    }
    image->users++;
    *ret_image = image;
    *ret_rest = locator;
    return 0;
}

void image_leave(struct image *image)
{
    if (image)
        image->users--;
}

int image_rename(struct image *image, const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        return -ENOMEM;
    free(image->name);
    image->name = copy;
    return 0;
}

void image_close_inner(struct image *image)
{
    while (image->inner_count > 0)
        image_close(image->inner[--image->inner_count]);
}

void image_set_keys(struct image *image, const struct keys *keys)
{
    image->keys = keys;
}

const struct keys *image_keys(const struct image *image)
{
    return image->keys;
}

size_t image_key_count(const struct image *image)
{
    return image->keys ? image->keys->count : 0;
}
