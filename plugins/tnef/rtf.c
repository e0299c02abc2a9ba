/* rtf: see rtf.h. */
#include "plugins/tnef/rtf.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { WINDOW = 4096, HEADER = 16 };
#define COMPRESSED 0x75465a4cu /* "LZFu" */
#define PLAIN      0x414c454du /* "MELA" */

/* What the window holds at first [2.1.3.1.4]. */
static const char beginning[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/* CRC-32 without the inversions at its two ends [2.1.3.2]. */
static uint32_t checksum(const uint8_t *data, size_t size)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

/* A reference to its own place ends the text. False: the input ended before. */
static bool unpack(struct bytes *bytes, size_t most, struct buf *ret)
{
    uint8_t window[WINDOW];
    size_t at = sizeof beginning - 1, start = ret->size;

    memset(window, ' ', sizeof window);
    memcpy(window, beginning, at);
    while (bytes_left(bytes) > 0 && ret->size - start < most) {
        uint8_t control = bytes_u8(bytes);

        for (int bit = 0; bit < 8 && bytes_left(bytes) > 0; bit++, control >>= 1) {
            uint16_t token;
            size_t from, length;

            if ((control & 1) == 0) {
                window[at] = bytes_u8(bytes);
                buf_u8(ret, window[at]);
                at = (at + 1) % WINDOW;
                continue;
            }
            token = bytes_u16be(bytes);
            if (bytes_failed(bytes))
                return false;
            from = token >> 4;
            length = (token & 15) + 2;
            if (from == at)
                return true;
            for (size_t i = 0; i < length; i++) {
                window[at] = window[(from + i) % WINDOW];
                buf_u8(ret, window[at]);
                at = (at + 1) % WINDOW;
            }
        }
    }
    return false;
}

bool rtf_unpack(const uint8_t *data, size_t size, size_t most, struct buf *ret)
{
    struct bytes bytes;
    uint32_t packed, kind, crc, whole;
    size_t start = ret->size;

    bytes_init(&bytes, data, size);
    packed = bytes_u32le(&bytes);
    whole = bytes_u32le(&bytes);
    kind = bytes_u32le(&bytes);
    crc = bytes_u32le(&bytes);
    if (bytes_failed(&bytes) || packed < 12)
        return false;
    packed -= 12;
    if (kind == PLAIN) {
        size_t part = whole < bytes_left(&bytes) ? whole : bytes_left(&bytes);

        buf_append(ret, bytes_take(&bytes, part), part);
        return part == whole;
    }
    if (kind != COMPRESSED)
        return false;
    if (packed < bytes_left(&bytes))
        bytes_init(&bytes, data + HEADER, packed);
    return unpack(&bytes, most, ret) && ret->size - start >= whole &&
           checksum(data + HEADER, size - HEADER < packed ? size - HEADER : packed) == crc;
}
