/*
 * jpegfile: JPEG (ITU-T T.81) through libjpeg-turbo, which scales by eighths while it decodes.
 *
 * libjpeg-turbo's own guards: max_memory_to_use, beyond which it would want a temporary file and, built
 * without them, stops. Ours: the size before anything is allocated; and the passes over a progressive
 * picture, which a few bytes each can make endless.
 */
#include "plugins/thumbnail/picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct decoding {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_source_mgr source;
    jmp_buf out;
    struct picture *picture;
    struct shrink *shrink;
    uint8_t *row, *rgb; /* one row as it comes, and as RGB: the same unless it is CMYK */
    bool begun, dry;    /* dry: the bytes are at their end */
};

static struct decoding *decoding_of(j_common_ptr cinfo)
{
    return cinfo->client_data;
}

static void on_error(j_common_ptr cinfo)
{
    struct decoding *decoding = decoding_of(cinfo);
    char text[JMSG_LENGTH_MAX];

    /* More memory than it may have would go into a temporary file. */
    decoding->picture->refused =
        cinfo->err->msg_code == JERR_NO_BACKING_STORE || cinfo->err->msg_code == JERR_OUT_OF_MEMORY;
    cinfo->err->format_message(cinfo, text);
    snprintf(decoding->picture->why, sizeof decoding->picture->why, "%s", text);
    longjmp(decoding->out, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level < 0)
        decoding_of(cinfo)->picture->damaged = true;
}

static void on_output(j_common_ptr cinfo)
{
    (void)cinfo;
}

/* Called a few times a row of blocks, in every scan. */
static void on_progress(j_common_ptr common)
{
    struct decoding *decoding = decoding_of(common);
    const struct jpeg_decompress_struct *cinfo = &decoding->cinfo;
    uint64_t pixels = (uint64_t)cinfo->image_width * cinfo->image_height;

    if (cinfo->input_scan_number <= 0 || (uint64_t)cinfo->input_scan_number * pixels <= PICTURE_WORK_MAX)
        return;
    decoding->picture->refused = true;
    snprintf(decoding->picture->why, sizeof decoding->picture->why, "more than %d scans over %u x %u pixels",
             cinfo->input_scan_number - 1, cinfo->image_width, cinfo->image_height);
    longjmp(decoding->out, 1);
}

/* ------------------------------------------------------------------ bytes in memory */

static void source_begin(j_decompress_ptr cinfo)
{
    (void)cinfo;
}

/* Behind the end the decoder is given ends of image, for as long as it asks. */
static boolean source_fill(j_decompress_ptr cinfo)
{
    static const JOCTET end[] = {0xff, JPEG_EOI};
    struct decoding *decoding = cinfo->client_data;

    decoding->dry = true;
    decoding->picture->damaged = true;
    cinfo->src->next_input_byte = end;
    cinfo->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long count)
{
    struct jpeg_source_mgr *source = cinfo->src;

    if (count <= 0)
        return;
    if ((unsigned long)count >= source->bytes_in_buffer) {
        (void)source_fill(cinfo);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (unsigned long)count;
}

static void source_end(j_decompress_ptr cinfo)
{
    (void)cinfo;
}

/* ------------------------------------------------------------------ decoding */

static void begin(struct decoding *decoding, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *cinfo = &decoding->cinfo;

    jpeg_create_decompress(cinfo);
    cinfo->client_data = decoding;
    cinfo->mem->max_memory_to_use = (long)PICTURE_MEMORY_MAX;
    decoding->progress.progress_monitor = on_progress;
    cinfo->progress = &decoding->progress;
    decoding->source = (struct jpeg_source_mgr){
        .next_input_byte = data,
        .bytes_in_buffer = size,
        .init_source = source_begin,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_end,
    };
    cinfo->src = &decoding->source;
}

/* The largest reduction that leaves more than the box filter gives: it is fast, and the filter still has
 * work. */
static unsigned reduction(const struct picture *picture)
{
    uint32_t longer = picture->width > picture->height ? picture->width : picture->height;
    unsigned denominator = 8;

    while (denominator > 1 && longer / denominator < 2 * SHRINK_SIDE)
        denominator /= 2;
    return denominator;
}

static void set_up(struct decoding *decoding)
{
    struct jpeg_decompress_struct *cinfo = &decoding->cinfo;

    cinfo->scale_num = 1;
    cinfo->scale_denom = reduction(decoding->picture);
    cinfo->dct_method = JDCT_ISLOW; /* the one that is the same to the bit with and without SIMD */
    cinfo->do_block_smoothing = FALSE;
    if (cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK)
        cinfo->out_color_space = JCS_CMYK;
    else
        cinfo->out_color_space = JCS_RGB;
}

/* Ink over ink; Adobe's files, which nearly all of these are, hold it inverted: 255 is no ink. */
static void ink_to_rgb(const struct decoding *decoding)
{
    bool inverted = decoding->cinfo.saw_Adobe_marker;

    for (size_t x = 0; x < decoding->cinfo.output_width; x++) {
        const uint8_t *ink = decoding->row + 4 * x;
        unsigned black = inverted ? ink[3] : 255U - ink[3];

        for (size_t c = 0; c < 3; c++)
            decoding->rgb[3 * x + c] = (uint8_t)((inverted ? ink[c] : 255U - ink[c]) * black / 255);
    }
}

static bool make_rows(struct decoding *decoding)
{
    size_t width = decoding->cinfo.output_width;

    decoding->row = malloc(width * 4);
    if (decoding->cinfo.out_color_space == JCS_CMYK)
        decoding->rgb = malloc(width * 3);
    else
        decoding->rgb = decoding->row;
    return decoding->row != NULL && decoding->rgb != NULL;
}

static void read_rows(struct decoding *decoding)
{
    struct jpeg_decompress_struct *cinfo = &decoding->cinfo;
    /* What a picture in one pass says behind its last byte is made up. */
    bool one_pass = !jpeg_has_multiple_scans(cinfo);

    shrink_begin(decoding->shrink, cinfo->output_width, cinfo->output_height);
    decoding->begun = true;
    while (cinfo->output_scanline < cinfo->output_height && !(one_pass && decoding->dry)) {
        JSAMPROW row = decoding->row;

        if (jpeg_read_scanlines(cinfo, &row, 1) != 1)
            break;
        if (decoding->rgb != decoding->row)
            ink_to_rgb(decoding);
        shrink_row(decoding->shrink, decoding->rgb);
    }
}

static void decode(struct decoding *decoding, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *cinfo = &decoding->cinfo;

    if (setjmp(decoding->out) != 0)
        return;
    begin(decoding, data, size);
    if (jpeg_read_header(cinfo, TRUE) != JPEG_HEADER_OK)
        return;
    decoding->picture->width = cinfo->image_width;
    decoding->picture->height = cinfo->image_height;
    if (!picture_fits(decoding->picture))
        return;
    set_up(decoding);
    jpeg_start_decompress(cinfo);
    if (make_rows(decoding))
        read_rows(decoding);
}

bool picture_jpeg(const uint8_t *data, size_t size, struct shrink *shrink, struct picture *ret_picture)
{
    struct decoding *decoding = calloc(1, sizeof *decoding);
    bool any;

    *ret_picture = (struct picture){.why = ""};
    if (decoding == NULL)
        return false;
    decoding->picture = ret_picture;
    decoding->shrink = shrink;
    decoding->cinfo.client_data = decoding;
    decoding->cinfo.err = jpeg_std_error(&decoding->errors);
    decoding->errors.error_exit = on_error;
    decoding->errors.emit_message = on_message;
    decoding->errors.output_message = on_output;
    decode(decoding, data, size);
    any = decoding->begun && shrink_end(shrink);
    if (any && shrink->row < shrink->height)
        ret_picture->damaged = true;
    if (decoding->cinfo.mem != NULL)
        jpeg_destroy_decompress(&decoding->cinfo);
    if (decoding->rgb != decoding->row)
        free(decoding->rgb);
    free(decoding->row);
    free(decoding);
    return any;
}
