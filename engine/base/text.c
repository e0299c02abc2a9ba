/*
 * text: names from evidence made safe to show, reversibly.
 *
 * UTF-8 is read strictly (RFC 3629; Unicode 15 table 3-7): no overlong form, no surrogate, nothing above
 * U+10FFFF. The characters that are written as bytes are those that a viewer does not show or that change how
 * their neighbours are shown (UAX #9 bidirectional controls, general category Cf and the line separators);
 * UTR #36 says what is done with them.
 */
#include "engine/base/text.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* An empty component has no byte that could be escaped, so it is an escape that no byte has. */
static const char empty_name[] = "\\-";

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

static size_t sequence_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2)
        return 0;
    if (lead < 0xe0)
        return 2;
    if (lead < 0xf0)
        return 3;
    return lead < 0xf5 ? 4 : 0;
}

size_t text_character(const void *data, size_t size, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}, lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const uint8_t *from = data;
    size_t length = size > 0 ? sequence_length(from[0]) : 0;
    uint32_t code;

    if (length == 0 || length > size)
        return 0;
    code = from[0] & lead_bits[length];
    for (size_t i = 1; i < length; i++) {
        if (!is_tail(from[i]))
            return 0;
        code = code << 6 | (from[i] & 0x3fU);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return length;
}

bool text_is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    if (code >= 0x20 && code < 0x7f)
        return false;
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0] && code >= hidden[i].first; i++)
        if (code <= hidden[i].last)
            return true;
    return (code & 0xfffe) == 0xfffe;
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

/* True when a byte of `word` is zero (H. S. Warren, Hacker's Delight, 6-1). */
static uint64_t has_zero(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

static bool word_is_plain(const uint8_t *data)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word, above;

    memcpy(&word, data, sizeof word);
    /* No byte has its top bit, so neither addition carries into the next byte. */
    if ((word & ones * 0x80) != 0)
        return false;
    above = (word + ones * 0x60) & ~(word + ones) & ones * 0x80; /* set where 0x20 <= byte < 0x7f */
    return above == ones * 0x80 && has_zero(word ^ ones * '\\') == 0;
}

/* How many bytes from the start are printable ASCII other than a backslash: nearly all bytes of nearly all
 * names. */
static size_t plain_run(const uint8_t *data, size_t size)
{
    size_t i = 0;

    while (size - i >= sizeof(uint64_t) && word_is_plain(data + i))
        i += sizeof(uint64_t);
    while (i < size && is_plain(data[i]))
        i++;
    return i;
}

/* How many bytes from the start are characters that stand for themselves, of any script. */
static size_t shown_run(const uint8_t *data, size_t size)
{
    size_t i = 0;

    for (;;) {
        uint32_t code;
        size_t length;

        i += plain_run(data + i, size - i);
        length = text_character(data + i, size - i, &code);
        if (length < 2 || text_is_hidden(code))
            return i;
        i += length;
    }
}

static void escape_bytes(struct buf *buf, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char text[4] = {'\\', 'x', hex_digits[data[i] >> 4], hex_digits[data[i] & 0x0f]};

        buf_append(buf, text, sizeof text);
    }
}

/* Writes the character at `data`, which cannot stand for itself, and returns how many bytes it took. */
static size_t escape_character(struct buf *buf, const uint8_t *data, size_t size)
{
    uint32_t code;
    size_t length = text_character(data, size, &code);

    if (length == 0)
        length = 1;
    if (data[0] == '\\')
        buf_text(buf, "\\\\");
    else
        escape_bytes(buf, data, length);
    return length;
}

void text_escape(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        size_t n = shown_run(from, size);

        if (n > 0)
            buf_append(buf, from, n);
        else
            n = escape_character(buf, from, size);
        from += n;
        size -= n;
    }
}

static void escape_between_slashes(struct buf *buf, const uint8_t *data, size_t size)
{
    const uint8_t *slash;

    while (size > 0 && (slash = memchr(data, '/', size)) != NULL) {
        size_t n = (size_t)(slash - data);

        text_escape(buf, data, n);
        escape_bytes(buf, slash, 1);
        data += n + 1;
        size -= n + 1;
    }
    text_escape(buf, data, size);
}

void text_escape_name(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *name = data;
    bool dots = (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');

    if (size == 0) {
        buf_text(buf, empty_name);
    } else if (dots) {
        escape_bytes(buf, name, 1);
        text_escape(buf, name + 1, size - 1);
    } else if (name[size - 1] == '!') {
        escape_between_slashes(buf, name, size - 1);
        escape_bytes(buf, name + size - 1, 1);
    } else {
        escape_between_slashes(buf, name, size);
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte that two hex digits at `text` stand for, or -1; does not look behind a NUL. */
static int hex_byte(const char *text)
{
    int high = hex_value(text[0]);
    int low = high >= 0 ? hex_value(text[1]) : -1;

    return low >= 0 ? high * 16 + low : -1;
}

/* Reads the escape at `text`, a backslash; returns its length, 0 when it is none. */
static size_t unescape_one(struct buf *buf, const char *text)
{
    int byte;

    if (text[1] == '\\') {
        buf_u8(buf, '\\');
        return 2;
    }
    byte = text[1] == 'x' ? hex_byte(text + 2) : -1;
    if (byte < 0)
        return 0;
    buf_u8(buf, (uint8_t)byte);
    return 4;
}

int text_unescape(struct buf *buf, const char *text)
{
    size_t size = strlen(text), start = buf->size;

    if (strcmp(text, empty_name) == 0)
        return 0;
    while (size > 0) {
        size_t n = shown_run((const uint8_t *)text, size);

        if (n > 0)
            buf_append(buf, text, n);
        else if (*text == '\\')
            n = unescape_one(buf, text);
        if (n == 0) {
            buf->size = start;
            return -EINVAL;
        }
        text += n;
        size -= n;
    }
    return 0;
}

bool text_is_utf8(const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        uint32_t code;
        size_t n = plain_run(from, size);

        if (n == 0)
            n = text_character(from, size, &code);
        if (n == 0)
            return false;
        from += n;
        size -= n;
    }
    return true;
}

static void append_utf8(struct buf *buf, uint32_t code)
{
    uint8_t out[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i > 1; i--) {
        out[i - 1] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)(lead[length] | code);
    buf_append(buf, out, length);
}

static uint32_t unit_at(const uint8_t *data, bool big_endian)
{
    return big_endian ? (uint32_t)(data[0] << 8 | data[1]) : (uint32_t)(data[1] << 8 | data[0]);
}

void text_from_utf16(struct buf *buf, const void *data, size_t size, bool big_endian)
{
    const uint8_t *from = data;
    size_t i = 0;

    for (; size - i >= 2; i += 2) {
        uint32_t code = unit_at(from + i, big_endian);
        uint32_t next = size - i >= 4 ? unit_at(from + i + 2, big_endian) : 0;

        if ((code & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00) {
            code = 0x10000 + ((code & 0x3ff) << 10 | (next & 0x3ff));
            i += 2;
        }
        append_utf8(buf, code);
    }
    if (i < size)
        buf_u8(buf, from[i]);
}

void text_hex(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *from = data;
    char text[128];
    size_t filled = 0;

    for (size_t i = 0; i < size; i++) {
        text[filled++] = hex_digits[from[i] >> 4];
        text[filled++] = hex_digits[from[i] & 0x0f];
        if (filled == sizeof text || i + 1 == size) {
            buf_append(buf, text, filled);
            filled = 0;
        }
    }
}

bool text_unhex(const char *text, void *ret_data, size_t size)
{
    uint8_t *to = ret_data;

    for (size_t i = 0; i < size; i++)
        if (hex_byte(text + 2 * i) < 0)
            return false;
    if (text[2 * size] != '\0')
        return false;
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)hex_byte(text + 2 * i);
    return true;
}

/* The character in lower case, or 0 when an extension may not hold it. No locale: `I` is `i` in Turkey too.
 */
static char extension_character(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : '\0';
}

void text_extension(const char *name, char *ret, size_t ret_size)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot != NULL && dot != name ? strlen(dot + 1) : 0;

    assert(ret_size > 0);
    ret[0] = '\0';
    if (length >= ret_size)
        return;
    for (size_t i = 0; i < length; i++) {
        ret[i] = extension_character(dot[1 + i]);
        if (ret[i] == '\0') {
            ret[0] = '\0';
            return;
        }
    }
    ret[length] = '\0';
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

size_t text_escaped_unit(const char *text)
{
    uint32_t code;
    size_t size = strnlen(text, 4); /* no unit is longer */
    if (text[0] == '\\') {
        if (size >= 4 && text[1] == 'x' && is_hex_digit(text[2]) && is_hex_digit(text[3]))
            return 4;
        return size >= 2 && (text[1] == '\\' || text[1] == '-' || text[1] == '#') ? 2 : 0;
    }
    size_t length = size ? text_character(text, size, &code) : 0;
    return length && !text_is_hidden(code) ? length : 0;
}

void text_escaped_cut(struct buf *text, size_t most)
{
    const char *data = buf_cstr(text);
    size_t size = 0, unit = 0;

    if (text->size <= most)
        return;
    while ((unit = text_escaped_unit(data + size)) > 0 && size + unit <= most)
        size += unit;
    text->size = size;
}

bool text_is_escaped(const char *text)
{
    const char *end = text + strlen(text);
    size_t unit = 1;
    while (unit > 0 && text < end) {
        text += plain_run((const uint8_t *)text, (size_t)(end - text));
        unit = text_escaped_unit(text);
        text += unit;
    }
    return text == end;
}
