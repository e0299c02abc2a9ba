/*
 * fuzz_thumbnail: whatever a picture file holds, the decoders keep their bounds, and what they give becomes a
 * small JPEG of the promised size.
 */
#include "plugins/thumbnail/picture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 12 * 1024 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_result(bool any, const struct shrink *shrink, const struct picture *picture)
{
    size_t size = 0;
    uint8_t *jpeg;

    if (!any)
        return;
    check(picture->width > 0 && picture->width <= PICTURE_SIDE_MAX);
    check(picture->height > 0 && picture->height <= PICTURE_SIDE_MAX);
    check((uint64_t)picture->width * picture->height <= PICTURE_PIXELS_MAX);
    check(shrink->out_width > 0 && shrink->out_width <= SHRINK_SIDE);
    check(shrink->out_height > 0 && shrink->out_height <= SHRINK_SIDE);
    jpeg = picture_write(shrink, MAX, &size);
    check(jpeg != NULL && size > 4 && size <= MAX);
    check(jpeg[0] == 0xff && jpeg[1] == 0xd8 && jpeg[size - 2] == 0xff && jpeg[size - 1] == 0xd9);
    free(jpeg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct shrink shrink;
    struct picture picture;

    check_result(picture_jpeg(data, size, &shrink, &picture), &shrink, &picture);
    check_result(picture_png(data, size, &shrink, &picture), &shrink, &picture);
    return 0;
}
