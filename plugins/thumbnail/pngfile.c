/*
 * pngfile: PNG (ISO/IEC 15948) through libpng, row by row. Chunks that say something about a picture, and do
 * not hold it, are not decoded: profiles and texts are compressed, and a small one can become large.
 */
#include "plugins/thumbnail/picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* libpng is given so many bytes of a picture at a time: what a cut one has less is lost to it. */
enum { RGBA = 4, CHUNK_MAX = 8 << 20, READ_SIZE = 256 };

/* An interlaced picture has to be held whole. */
#define INTERLACED_MAX (UINT64_C(192) << 20)

struct decoding {
    png_structp png;
    png_infop info;
    const uint8_t *data;
    size_t left;
    jmp_buf out;
    struct picture *picture;
    struct shrink *shrink;
    uint8_t *rows; /* one of them, or all */
    bool begun;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct decoding *decoding = png_get_error_ptr(png);

    snprintf(decoding->picture->why, sizeof decoding->picture->why, "%s", text);
    longjmp(decoding->out, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    struct decoding *decoding = png_get_error_ptr(png);

    (void)text;
    decoding->picture->damaged = true;
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    struct decoding *decoding = png_get_io_ptr(png);

    if (size > decoding->left)
        png_error(png, "the file ends early");
    memcpy(to, decoding->data, size);
    decoding->data += size;
    decoding->left -= size;
}

/* RGBA of eight bits each, whatever the picture has. */
static void set_up(const struct decoding *decoding)
{
    png_structp png = decoding->png;

    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
}

/* Over white, and to RGB, where it stands: the target is never ahead of what is read. */
static void flatten(uint8_t *row, size_t width)
{
    for (size_t x = 0; x < width; x++) {
        const uint8_t *from = row + RGBA * x;
        unsigned alpha = from[3], white = 255 * (255 - alpha);
        uint8_t rgb[SHRINK_CHANNELS];

        for (size_t c = 0; c < SHRINK_CHANNELS; c++)
            rgb[c] = (uint8_t)((from[c] * alpha + white + 127) / 255);
        memcpy(row + SHRINK_CHANNELS * x, rgb, sizeof rgb);
    }
}

static void read_rows(struct decoding *decoding)
{
    const struct picture *picture = decoding->picture;

    decoding->rows = malloc((size_t)picture->width * RGBA);
    if (decoding->rows == NULL)
        return;
    shrink_begin(decoding->shrink, picture->width, picture->height);
    decoding->begun = true;
    for (uint32_t y = 0; y < picture->height; y++) {
        png_read_row(decoding->png, decoding->rows, NULL);
        flatten(decoding->rows, picture->width);
        shrink_row(decoding->shrink, decoding->rows);
    }
}

/* What was not read of it stays white. */
static void shrink_held(struct decoding *decoding)
{
    const struct picture *picture = decoding->picture;
    size_t stride = (size_t)picture->width * RGBA;

    shrink_begin(decoding->shrink, picture->width, picture->height);
    decoding->begun = true;
    for (uint32_t y = 0; y < picture->height; y++) {
        flatten(decoding->rows + y * stride, picture->width);
        shrink_row(decoding->shrink, decoding->rows + y * stride);
    }
}

/* Each pass writes over all rows, and fills the pixels between those that it has: what breaks off is coarse,
 * not empty. */
static void read_interlaced(struct decoding *decoding, int passes)
{
    const struct picture *picture = decoding->picture;
    uint64_t size = (uint64_t)picture->width * picture->height * RGBA;

    if (size > INTERLACED_MAX) {
        decoding->picture->refused = true;
        snprintf(decoding->picture->why, sizeof decoding->picture->why, "interlaced, and %u x %u pixels",
                 picture->width, picture->height);
        return;
    }
    decoding->rows = calloc((size_t)size, 1);
    for (int pass = 0; decoding->rows != NULL && pass < passes; pass++) {
        for (uint32_t y = 0; y < picture->height; y++)
            png_read_row(decoding->png, NULL, decoding->rows + (size_t)y * picture->width * RGBA);
    }
}

static void decode(struct decoding *decoding)
{
    int passes;

    if (setjmp(decoding->out) != 0)
        return;
    png_set_read_fn(decoding->png, decoding, on_read);
    png_set_user_limits(decoding->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* picture_fits says more */
    png_set_compression_buffer_size(decoding->png, READ_SIZE);
    png_set_chunk_malloc_max(decoding->png, CHUNK_MAX);
    png_set_keep_unknown_chunks(decoding->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(decoding->png, PNG_CRC_WARN_USE, PNG_CRC_QUIET_USE);
    png_read_info(decoding->png, decoding->info);
    decoding->picture->width = png_get_image_width(decoding->png, decoding->info);
    decoding->picture->height = png_get_image_height(decoding->png, decoding->info);
    if (!picture_fits(decoding->picture))
        return;
    set_up(decoding);
    passes = png_set_interlace_handling(decoding->png);
    png_read_update_info(decoding->png, decoding->info);
    if (png_get_rowbytes(decoding->png, decoding->info) != (size_t)decoding->picture->width * RGBA)
        png_error(decoding->png, "not as wide as its header says");
    if (passes > 1)
        read_interlaced(decoding, passes);
    else
        read_rows(decoding);
}

static bool end(struct decoding *decoding)
{
    if (!decoding->begun && decoding->rows != NULL)
        shrink_held(decoding);
    if (decoding->begun && decoding->picture->why[0] != '\0')
        decoding->picture->damaged = true;
    return decoding->begun && shrink_end(decoding->shrink);
}

bool picture_png(const uint8_t *data, size_t size, struct shrink *shrink, struct picture *ret_picture)
{
    struct decoding *decoding = calloc(1, sizeof *decoding);
    bool any = false;

    *ret_picture = (struct picture){.why = ""};
    if (decoding == NULL)
        return false;
    decoding->picture = ret_picture;
    decoding->shrink = shrink;
    decoding->data = data;
    decoding->left = size;
    decoding->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoding, on_error, on_warning);
    if (decoding->png != NULL)
        decoding->info = png_create_info_struct(decoding->png);
    if (decoding->info != NULL) {
        decode(decoding);
        any = end(decoding);
    }
    png_destroy_read_struct(&decoding->png, &decoding->info, NULL);
    free(decoding->rows);
    free(decoding);
    return any;
}
