/*
 * shrink: means over boxes of whole pixels, in integers, so that every processor gives the same picture.
 */
#include "plugins/thumbnail/shrink.h"

#include <string.h>

enum { GREY = 0xc0 };

static uint32_t scaled(uint32_t side, uint32_t longer)
{
    uint64_t size = longer <= SHRINK_SIDE ? side : (uint64_t)side * SHRINK_SIDE / longer;

    return size > 0 ? (uint32_t)size : 1;
}

void shrink_begin(struct shrink *shrink, uint32_t width, uint32_t height)
{
    uint32_t longer = width > height ? width : height;

    shrink->width = width;
    shrink->height = height;
    shrink->out_width = scaled(width, longer);
    shrink->out_height = scaled(height, longer);
    shrink->row = 0;
    for (uint32_t i = 0; i <= shrink->out_width; i++)
        shrink->columns[i] = (uint32_t)((uint64_t)i * width / shrink->out_width);
    memset(shrink->sums, 0, sizeof shrink->sums);
    memset(shrink->counts, 0, sizeof shrink->counts);
    memset(shrink->pixels, GREY, sizeof shrink->pixels);
}

/* First row behind the box of this row of the small picture. */
static uint32_t box_end(const struct shrink *shrink, uint32_t out_row)
{
    return (uint32_t)((uint64_t)(out_row + 1) * shrink->height / shrink->out_height);
}

/* The row of the small picture that this row falls into: the last one whose box begins at or before it. */
static uint32_t out_row_of(const struct shrink *shrink, uint32_t row)
{
    uint32_t out = (uint32_t)((uint64_t)row * shrink->out_height / shrink->height);

    return out + (out + 1 < shrink->out_height && row >= box_end(shrink, out) ? 1 : 0);
}

static void put_row(struct shrink *shrink, uint32_t out_row)
{
    uint8_t *to = shrink->pixels + (size_t)out_row * shrink->out_width * SHRINK_CHANNELS;

    for (uint32_t x = 0; x < shrink->out_width; x++) {
        uint32_t count = shrink->counts[x];

        for (uint32_t c = 0; count > 0 && c < SHRINK_CHANNELS; c++) {
            uint64_t *sum = &shrink->sums[x * SHRINK_CHANNELS + c];

            to[x * SHRINK_CHANNELS + c] = (uint8_t)((*sum + count / 2) / count);
            *sum = 0;
        }
        shrink->counts[x] = 0;
    }
}

void shrink_row(struct shrink *shrink, const uint8_t *rgb)
{
    uint32_t out_row;

    if (shrink->row >= shrink->height)
        return;
    for (uint32_t x = 0; x < shrink->out_width; x++) {
        uint64_t *sums = &shrink->sums[x * SHRINK_CHANNELS];

        for (uint32_t from = shrink->columns[x]; from < shrink->columns[x + 1]; from++) {
            sums[0] += rgb[(size_t)from * SHRINK_CHANNELS];
            sums[1] += rgb[(size_t)from * SHRINK_CHANNELS + 1];
            sums[2] += rgb[(size_t)from * SHRINK_CHANNELS + 2];
        }
        shrink->counts[x] += shrink->columns[x + 1] - shrink->columns[x];
    }
    out_row = out_row_of(shrink, shrink->row++);
    if (shrink->row == box_end(shrink, out_row))
        put_row(shrink, out_row);
}

bool shrink_end(struct shrink *shrink)
{
    if (shrink->row == 0)
        return false;
    if (shrink->counts[0] > 0)
        put_row(shrink, out_row_of(shrink, shrink->row - 1));
    return true;
}
