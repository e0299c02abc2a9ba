/*
 * text: escaping that loses nothing. UTF-8 is read strictly (RFC 3629: no overlong form, no surrogate, at most U+10FFFF).
 */
#include "engine/base/text.h"

#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* The length of the UTF-8 sequence at `s` and its code point; 0 when it is not valid. */
static size_t decode(const uint8_t *s, size_t left, uint32_t *ret_point)
{
    uint8_t lead = s[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (length == 0 || length > left)
        return 0;
    uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (s[i] & 0x3fU);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    *ret_point = point;
    return length;
}

static bool is_shown(uint32_t point)
{
    if (point < 0x20 || point == '\\' || (point >= 0x7f && point < 0xa0))
        return false;
    if (point < 0x600)
        return true;
    return !(point == 0x61c || (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
             (point >= 0x2060 && point <= 0x2069) || point == 0xfeff || (point >= 0xfdd0 && point <= 0xfdef) ||
             (point & 0xfffe) == 0xfffe);
}

static void escape_byte(struct buf *buf, uint8_t byte)
{
    char text[4] = {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
    buf_append(buf, text, sizeof text);
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

void text_escape(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *s = data;
    size_t i = 0;
    while (i < size) {
        size_t start = i;
        while (i < size && is_plain(s[i]))
            i++;
        buf_append(buf, s + start, i - start);
        if (i == size)
            return;
        uint32_t point = 0;
        size_t length = decode(s + i, size - i, &point);
        if (s[i] == '\\')
            buf_append(buf, "\\\\", 2);
        else if (length && is_shown(point))
            buf_append(buf, s + i, length);
        else
            for (size_t k = 0; k < (length ? length : 1); k++)
                escape_byte(buf, s[i + k]);
        i += length ? length : 1;
    }
}

void text_escape_name(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *s = data;
    bool dots = (size == 1 && s[0] == '.') || (size == 2 && s[0] == '.' && s[1] == '.');
    bool bang = size > 0 && s[size - 1] == '!';
    size_t start = 0, end = bang ? size - 1 : size;
    if (size == 0) { /* \x with no digits cannot come from any byte: an empty name */
        buf_text(buf, "\\-");
        return;
    }
    if (dots) {
        escape_byte(buf, s[0]);
        start = 1;
    }
    for (size_t i = start; i < end; i++)
        if (s[i] == '/') {
            text_escape(buf, s + start, i - start);
            escape_byte(buf, '/');
            start = i + 1;
        }
    text_escape(buf, s + start, end - start);
    if (bang)
        escape_byte(buf, '!');
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unescape(struct buf *buf, const char *text)
{
    for (const char *c = text; *c;) {
        if (*c != '\\') {
            buf_append(buf, c++, 1);
        } else if (c[1] == '\\') {
            buf_append(buf, "\\", 1);
            c += 2;
        } else if (c[1] == '-') {
            c += 2;
        } else if (c[1] == 'x' && nibble(c[2]) >= 0 && nibble(c[3]) >= 0) {
            buf_u8(buf, (uint8_t)(nibble(c[2]) << 4 | nibble(c[3])));
            c += 4;
        } else {
            return -EINVAL;
        }
    }
    return 0;
}

bool text_is_utf8(const void *data, size_t size)
{
    const uint8_t *s = data;
    for (size_t i = 0; i < size;) {
        uint32_t point;
        size_t length = decode(s + i, size - i, &point);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

static void encode(struct buf *buf, uint32_t point)
{
    if (point < 0x80) {
        buf_u8(buf, (uint8_t)point);
    } else if (point < 0x800) {
        buf_u8(buf, (uint8_t)(0xc0 | point >> 6));
        buf_u8(buf, (uint8_t)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        buf_u8(buf, (uint8_t)(0xe0 | point >> 12));
        buf_u8(buf, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (point & 0x3f)));
    } else {
        buf_u8(buf, (uint8_t)(0xf0 | point >> 18));
        buf_u8(buf, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        buf_u8(buf, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

void text_from_utf16(struct buf *buf, const void *data, size_t size, bool big_endian)
{
    const uint8_t *s = data;
    size_t i = 0;
    while (i + 1 < size) {
        uint32_t unit = big_endian ? (uint32_t)s[i] << 8 | s[i + 1] : (uint32_t)s[i + 1] << 8 | s[i];
        i += 2;
        if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < size) {
            uint32_t low = big_endian ? (uint32_t)s[i] << 8 | s[i + 1] : (uint32_t)s[i + 1] << 8 | s[i];
            if (low >= 0xdc00 && low < 0xe000) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        encode(buf, unit);
    }
    if (i < size)
        buf_u8(buf, s[i]);
}

void text_hex(struct buf *buf, const void *data, size_t size)
{
    const uint8_t *s = data;
    for (size_t i = 0; i < size; i++) {
        char text[2] = {hex_digits[s[i] >> 4], hex_digits[s[i] & 15]};
        buf_append(buf, text, sizeof text);
    }
}

bool text_unhex(const char *text, void *ret_data, size_t size)
{
    uint8_t *out = ret_data;
    if (strlen(text) != size * 2)
        return false;
    for (size_t i = 0; i < size * 2; i++)
        if (nibble(text[i]) < 0)
            return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    return true;
}

void text_extension(const char *name, char *ret, size_t ret_size)
{
    const char *dot = strrchr(name, '.');
    size_t size = dot && dot != name ? strlen(dot + 1) : 0;
    ret[0] = 0;
    if (size == 0 || size >= ret_size)
        return;
    for (size_t i = 0; i < size; i++) {
        char c = dot[1 + i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            ret[0] = 0;
            return;
        }
        ret[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    ret[size] = 0;
}
