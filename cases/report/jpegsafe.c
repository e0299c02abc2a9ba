/* jpegsafe: see jpegsafe.h. */
#include "cases/report/jpegsafe.h"

#include <string.h>

enum { SOI = 0xd8, EOI = 0xd9, APP0 = 0xe0, DQT = 0xdb, SOF0 = 0xc0, DHT = 0xc4, SOS = 0xda };

struct walk {
    const uint8_t *data;
    size_t size, at;
    uint32_t width, height; /* 0: no frame yet */
    bool tables, codes;
};

static uint32_t be16(const uint8_t *data)
{
    return (uint32_t)data[0] << 8 | data[1];
}

/* Precision, size, and three components of the usual kind. */
static bool read_frame(struct walk *walk, const uint8_t *body, size_t size)
{
    if (walk->width > 0 || size != 15 || body[0] != 8 || body[5] != 3)
        return false;
    walk->height = be16(body + 1);
    walk->width = be16(body + 3);
    return walk->width > 0 && walk->width <= JPEGSAFE_SIDE && walk->height > 0 &&
           walk->height <= JPEGSAFE_SIDE;
}

static bool is_segment(struct walk *walk, uint8_t marker, const uint8_t *body, size_t size)
{
    switch (marker) {
    case APP0: /* version, density, and no thumbnail in it */
        return size == 14 && memcmp(body, "JFIF", 5) == 0 && body[12] == 0 && body[13] == 0;
    case DQT:
        walk->tables = true;
        return size % 65 == 0 && size / 65 <= 4;
    case DHT:
        walk->codes = true;
        return size >= 17 && size <= 4 * (17 + 256);
    case SOF0:
        return read_frame(walk, body, size);
    case SOS:
        return size == 10 && walk->width > 0 && walk->tables && walk->codes;
    default:
        return false;
    }
}

/* Coded data holds no marker; the image ends with its bytes. */
static bool is_scan(const struct walk *walk)
{
    size_t end = walk->size - 2;

    if (walk->at >= end || walk->data[end] != 0xff || walk->data[end + 1] != EOI)
        return false;
    for (size_t i = walk->at; i < end; i++)
        if (walk->data[i] == 0xff && (i + 1 >= end || walk->data[i + 1] != 0))
            return false;
    return true;
}

bool jpegsafe(const uint8_t *data, size_t size, uint32_t *ret_width, uint32_t *ret_height)
{
    struct walk walk = {.data = data, .size = size, .at = 2};

    if (size < 4 || size > JPEGSAFE_MAX || data[0] != 0xff || data[1] != SOI)
        return false;
    while (size - walk.at >= 4) {
        uint8_t marker = data[walk.at + 1];
        size_t length = be16(data + walk.at + 2);

        if (data[walk.at] != 0xff || length < 2 || length > size - walk.at - 2 ||
            !is_segment(&walk, marker, data + walk.at + 4, length - 2))
            return false;
        walk.at += 2 + length;
        if (marker != SOS)
            continue;
        *ret_width = walk.width;
        *ret_height = walk.height;
        return is_scan(&walk);
    }
    return false;
}
