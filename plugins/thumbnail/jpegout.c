/*
 * jpegout: our own small picture as a baseline JPEG: what a report shows is written by this file, and holds
 * not one byte of the evidence's.
 */
#include "plugins/thumbnail/picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { TINY = 64 };

struct writing {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf out;
    unsigned char *data;
    unsigned long size;
    bool done;
};

static void on_error(j_common_ptr cinfo)
{
    struct writing *writing = cinfo->client_data;

    longjmp(writing->out, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    (void)cinfo;
    (void)level;
}

/* Colours at half the resolution are no harm to a photograph; of an icon they leave little. */
static bool is_tiny(const struct shrink *shrink)
{
    return shrink->out_width <= TINY && shrink->out_height <= TINY;
}

static void compress(struct writing *writing, const struct shrink *shrink, int quality)
{
    struct jpeg_compress_struct *cinfo = &writing->cinfo;

    if (setjmp(writing->out) != 0)
        return;
    jpeg_create_compress(cinfo);
    cinfo->client_data = writing;
    jpeg_mem_dest(cinfo, &writing->data, &writing->size);
    cinfo->image_width = shrink->out_width;
    cinfo->image_height = shrink->out_height;
    cinfo->input_components = SHRINK_CHANNELS;
    cinfo->in_color_space = JCS_RGB;
    jpeg_set_defaults(cinfo);
    if (is_tiny(shrink))
        cinfo->comp_info[0].h_samp_factor = cinfo->comp_info[0].v_samp_factor = 1;
    jpeg_set_quality(cinfo, quality, TRUE);
    cinfo->dct_method = JDCT_ISLOW;
    cinfo->optimize_coding = TRUE;
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        /* libjpeg's rows are not const, and are not written to. */
        JSAMPROW row = (JSAMPROW)(uintptr_t)(shrink->pixels + (size_t)cinfo->next_scanline *
                                                                  shrink->out_width * SHRINK_CHANNELS);

        (void)jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
    writing->done = true;
}

static uint8_t *write_with(const struct shrink *shrink, int quality, size_t *ret_size)
{
    struct writing *writing = calloc(1, sizeof *writing);
    uint8_t *data;

    if (writing == NULL)
        return NULL;
    writing->cinfo.err = jpeg_std_error(&writing->errors);
    writing->cinfo.client_data = writing;
    writing->errors.error_exit = on_error;
    writing->errors.emit_message = on_message;
    compress(writing, shrink, quality);
    jpeg_destroy_compress(&writing->cinfo);
    data = writing->data;
    *ret_size = writing->size;
    if (!writing->done) {
        free(data);
        data = NULL;
    }
    free(writing);
    return data;
}

uint8_t *picture_write(const struct shrink *shrink, size_t max, size_t *ret_size)
{
    static const int qualities[] = {70, 50, 30, 10};

    for (size_t i = 0; i < sizeof qualities / sizeof qualities[0]; i++) {
        size_t size;
        uint8_t *data = write_with(shrink, qualities[i], &size);

        if (data == NULL)
            return NULL;
        if (size <= max) {
            *ret_size = size;
            return data;
        }
        free(data);
    }
    return NULL;
}
