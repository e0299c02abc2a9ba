/* safe: see safe.h. */
#include "cases/report/safe.h"

#include "engine/base/text.h"

#include <string.h>

void safe_text(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        const uint8_t *slash = memchr(bytes, '\\', size);
        size_t run = slash ? (size_t)(slash - bytes) : size;
        if (run > 0)
            text_escape(buf, bytes, run);
        if (slash) {
            buf_u8(buf, '\\');
            run++;
        }
        bytes += run;
        size -= run;
    }
}

const char *safe_view(struct buf *room, const char *text)
{
    const char *at = text;
    while (*at >= 0x20 && *at < 0x7f)
        at++;
    buf_clear(room);
    if (*at == 0)
        return text;
    safe_text(room, text, strlen(text));
    return buf_cstr(room);
}

/* True at the first byte of a character. */
static bool is_edge(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

bool safe_text_cut(struct buf *buf, const void *data, size_t size, size_t max)
{
    if (size <= max || max < 8) {
        safe_text(buf, data, size);
        return false;
    }
    struct buf whole = {0};
    safe_text(&whole, data, size);
    size_t head = max / 2, tail = whole.size - (max - max / 2);
    /* A step of at most three bytes reaches an edge in valid UTF-8, which `whole` is. */
    while (head > 0 && !is_edge(whole.data[head]))
        head--;
    while (tail < whole.size && !is_edge(whole.data[tail]))
        tail++;
    if (!buf_failed(&whole)) {
        buf_append(buf, whole.data, head);
        buf_text(buf, "…");
        buf_append(buf, whole.data + tail, whole.size - tail);
    }
    buf_finish(&whole);
    return true;
}

void safe_number(struct buf *buf, uint64_t number)
{
    char digits[24];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0) {
        buf_u8(buf, (uint8_t)digits[--count]);
        if (count > 0 && count % 3 == 0)
            buf_text(buf, "\u00a0");
    }
}

void safe_size(struct buf *buf, uint64_t size)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (size < 1024) {
        safe_number(buf, size);
        buf_text(buf, size == 1 ? " byte" : " bytes");
        return;
    }
    size_t unit = 0;
    uint64_t whole = size;
    while (unit + 1 < sizeof units / sizeof *units && whole / 1024 >= 1024) {
        whole /= 1024;
        unit++;
    }
    uint64_t tenths = whole / 1024 >= 100 ? 0 : whole % 1024 * 10 / 1024;
    buf_printf(buf, "%llu", (unsigned long long)(whole / 1024));
    if (tenths)
        buf_printf(buf, ".%u", (unsigned)tenths);
    buf_printf(buf, " %s", units[unit]);
}
