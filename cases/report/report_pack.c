/* report_pack: see report_pack.h. */
#include "cases/report/report_pack.h"

#include "cases/report/html.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void report_pack_number(struct buf *buf, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        buf_u8(buf, (uint8_t)(number | 0x80));
    buf_u8(buf, (uint8_t)number);
}

void report_pack_text(struct buf *buf, const char *text, size_t size)
{
    report_pack_number(buf, size);
    buf_append(buf, text, size);
}

void report_pack_when(struct buf *buf, int64_t when, int64_t *last)
{
    if (when == WHEN_NONE) {
        report_pack_number(buf, 0);
        return;
    }
    int64_t seconds = when / 1000000000 - (when % 1000000000 < 0), step = seconds - *last;
    report_pack_number(buf, 1 + (step < 0 ? 2 * (uint64_t)-step - 1 : 2 * (uint64_t)step));
    *last = seconds;
}

void report_pack_column(struct buf *buf, const int64_t *numbers, size_t count)
{
    bool small = true;
    for (size_t i = 0; i < count; i++)
        small = small && (numbers[i] == PACK_NONE || (numbers[i] > INT32_MIN && numbers[i] <= INT32_MAX));
    buf_u8(buf, small ? 4 : 8);
    for (size_t i = 0; i < count; i++)
        if (small)
            buf_u32le(buf, numbers[i] == PACK_NONE ? 0x80000000U : (uint32_t)(int32_t)numbers[i]);
        else {
            double number = numbers[i] == PACK_NONE ? (double)NAN : (double)numbers[i];
            uint64_t bits;
            memcpy(&bits, &number, sizeof bits);
            buf_u64le(buf, bits);
        }
}

/* ------------------------------------------------------------------ names */

struct alphabet {
    uint32_t letters[PACK_LETTERS];
    size_t count;
};

/* The byte that stands for a letter beyond ASCII, which is taken up when it is new; 0: there is no room. */
static uint8_t letter_byte(struct alphabet *alphabet, uint32_t letter)
{
    size_t i = 0;
    while (i < alphabet->count && alphabet->letters[i] != letter)
        i++;
    if (i == PACK_LETTERS)
        return 0;
    if (i == alphabet->count)
        alphabet->letters[alphabet->count++] = letter;
    return (uint8_t)(i < 96 ? 0xa0 + i : i - 96 + 1);
}

static size_t ascii_run(const uint8_t *data, size_t size)
{
    size_t run = 0;
    while (run < size && data[run] >= 0x20 && data[run] < 0x7f)
        run++;
    return run;
}

/* False: these names need more letters, or have bytes that stand for others. */
static bool spell(struct alphabet *alphabet, const struct buf *names, struct buf *text, struct buf *spelled)
{
    const uint8_t *data = names->data;
    for (size_t at = 0, size; at < names->size; at += size) {
        uint32_t letter = 0;
        size_t before = alphabet->count;
        if ((size = ascii_run(data + at, names->size - at)) > 0) {
            buf_append(spelled, data + at, size);
            continue;
        }
        if ((size = text_character(data + at, names->size - at, &letter)) == 0 || letter < 0x20 ||
            letter == 0x7f)
            return false;
        uint8_t byte = letter < 0x80 ? (uint8_t)letter : letter_byte(alphabet, letter);
        if (byte == 0)
            return false;
        buf_u8(spelled, byte);
        if (alphabet->count > before)
            buf_append(text, data + at, size);
    }
    return true;
}

static void put_names(struct buf *buf, const struct buf *names)
{
    struct buf heads = {0}, tails = {0};
    const char *at = (const char *)names->data, *end = at + names->size, *last = at;
    size_t last_size = 0;
    while (at < end) {
        size_t size = (size_t)((const char *)memchr(at, '/', (size_t)(end - at)) - at), same = 0;
        while (same < size && same < last_size && at[same] == last[same])
            same++;
        report_pack_number(&heads, same);
        report_pack_number(&heads, size - same);
        buf_append(&tails, at + same, size - same);
        last = at;
        last_size = size;
        at += size + 1;
    }
    buf_append(buf, heads.data, heads.size);
    buf_append(buf, tails.data, tails.size);
    buf_finish(&heads);
    buf_finish(&tails);
}

int report_pack_names(struct buf *buf, const struct buf *names)
{
    struct alphabet alphabet = {0};
    struct buf text = {0}, spelled = {0};
    bool single = spell(&alphabet, names, &text, &spelled);
    if (single)
        report_pack_text(buf, (const char *)text.data, text.size);
    else
        report_pack_text(buf, "/", 1);
    bool failed = buf_failed(&text) || buf_failed(&spelled) || buf_failed(names);
    if (!failed)
        put_names(buf, single ? &spelled : names);
    buf_finish(&text);
    buf_finish(&spelled);
    return failed || buf_failed(buf) ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ letters */

int report_pack(struct buf *to, const struct buf *data)
{
    uLongf size = compressBound((uLong)data->size);
    uint8_t *packed = malloc(size);
    struct html html = {.buf = to};
    if (!packed || compress2(packed, &size, data->data, (uLong)data->size, 6) != Z_OK) {
        free(packed);
        return -ENOMEM;
    }
    html_base64(&html, packed, size);
    free(packed);
    return buf_failed(to) ? -ENOMEM : 0;
}
