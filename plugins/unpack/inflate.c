/* inflate: see inflate.h; zlib does the work. [RFC 1950, 1951, 1952; RFC 4648] */
#include "plugins/unpack/inflate.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

enum { IN_SIZE = 16 * 1024, OUT_SIZE = 64 * 1024, PROBE = 4096, LEAST = 32 };

static int begin(z_stream *z, enum inflate_form form)
{
    static const int bits[] = {[INFLATE_GZIP] = 15 + 16, [INFLATE_ZLIB] = 15, [INFLATE_RAW] = -15};

    *z = (z_stream){.zalloc = NULL};
    return inflateInit2(z, bits[form]) == Z_OK ? 0 : -ENOMEM;
}

int inflate_setup(struct why *why)
{
    z_stream z;
    int code = begin(&z, INFLATE_GZIP);

    if (code < 0)
        return why_set(why, code, "no memory");
    inflateEnd(&z);
    return 0;
}

int inflate_probe(enum inflate_form form, inflate_read *read, void *context, struct inflated *ret)
{
    uint8_t in[PROBE], out[PROBE];
    int64_t got = read(context, in, sizeof in);
    z_stream z;
    int code = begin(&z, form), answer;

    ret->worth = false;
    if (code < 0 || got <= 0) {
        if (code == 0)
            inflateEnd(&z);
        return code < 0 ? code : (int)got;
    }
    z.next_in = in;
    z.avail_in = (uInt)got;
    z.next_out = out;
    z.avail_out = sizeof out;
    answer = inflate(&z, Z_SYNC_FLUSH);
    ret->worth = (answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR) &&
                 sizeof out - z.avail_out >= LEAST;
    inflateEnd(&z);
    return 0;
}

static int inflate_input(z_stream *z, uint8_t *room, inflate_write *write, void *out, int *ret_answer)
{
    do {
        int code;

        z->next_out = room;
        z->avail_out = OUT_SIZE;
        *ret_answer = inflate(z, Z_NO_FLUSH);
        code = OUT_SIZE - z->avail_out > 0 ? write(out, room, OUT_SIZE - z->avail_out) : 0;
        if (code < 0)
            return code;
    } while (*ret_answer == Z_OK && z->avail_out == 0);
    return 0;
}

int inflate_all(enum inflate_form form, inflate_read *read, void *in, inflate_write *write, void *out)
{
    uint8_t input[IN_SIZE], room[OUT_SIZE];
    int answer = Z_OK, code;
    z_stream z;

    code = begin(&z, form);
    if (code < 0)
        return code;
    while (code == 0 && (answer == Z_OK || answer == Z_BUF_ERROR)) {
        int64_t got = read(in, input, sizeof input);

        if (got <= 0) {
            code = got < 0 ? (int)got : -EBADMSG;
            break;
        }
        z.next_in = input;
        z.avail_in = (uInt)got;
        code = inflate_input(&z, room, write, out, &answer);
    }
    inflateEnd(&z);
    return code < 0 ? code : answer == Z_STREAM_END ? 0 : -EBADMSG;
}

/* ------------------------------------------------------------------ base64 */

struct decoder {
    uint32_t held;
    unsigned bits;
    bool ended; /* at a byte that is none */
};

static int value_of(uint8_t c)
{
    if ((uint8_t)(c - 'A') < 26)
        return c - 'A';
    if ((uint8_t)(c - 'a') < 26)
        return c - 'a' + 26;
    if ((uint8_t)(c - '0') < 10)
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t decode(struct decoder *decoder, const uint8_t *data, size_t size, uint8_t *out)
{
    size_t count = 0;

    for (size_t i = 0; i < size && !decoder->ended; i++) {
        int value = value_of(data[i]);

        if (value < 0) {
            decoder->ended = data[i] != '\r' && data[i] != '\n';
            continue;
        }
        decoder->held = decoder->held << 6 | (uint32_t)value;
        decoder->bits += 6;
        if (decoder->bits >= 8) {
            decoder->bits -= 8;
            out[count++] = (uint8_t)(decoder->held >> decoder->bits);
        }
    }
    return count;
}

int base64_probe(inflate_read *read, void *context, struct inflated *ret)
{
    uint8_t in[PROBE], out[PROBE];
    struct decoder decoder = {.held = 0};
    int64_t got = read(context, in, sizeof in);

    ret->worth = got > 0 && decode(&decoder, in, (size_t)got, out) >= LEAST;
    return got < 0 ? (int)got : 0;
}

int base64_all(inflate_read *read, void *in, inflate_write *write, void *out)
{
    uint8_t input[IN_SIZE], room[IN_SIZE];
    struct decoder decoder = {.held = 0};
    int code = 0;

    while (code == 0 && !decoder.ended) {
        int64_t got = read(in, input, sizeof input);
        size_t count;

        if (got <= 0)
            return got < 0 ? (int)got : 0;
        count = decode(&decoder, input, (size_t)got, room);
        code = count > 0 ? write(out, room, count) : 0;
    }
    return code;
}
