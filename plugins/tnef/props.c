/* props: see props.h. */
#include "plugins/tnef/props.h"

#include <string.h>

enum { MULTIPLE = 0x1000, GUID_SIZE = 16 };

void props_init(struct props *props, const struct bytes *bytes)
{
    *props = (struct props){.bytes = *bytes};
    props->left = bytes_u32le(&props->bytes);
}

/* Values are padded to four bytes; the last one's padding may be missing. */
static void pad(struct bytes *bytes, size_t size)
{
    size_t rest = (4 - size % 4) % 4, left = bytes_left(bytes);

    bytes_skip(bytes, rest < left ? rest : left);
}

static size_t fixed_size(uint16_t type)
{
    switch (type) {
    case 0x02: /* 16-bit number, truth: two more bytes follow */
    case 0x0b:
        return 2;
    case 0x01:
    case 0x03:
    case 0x04:
    case 0x0a:
        return 4;
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x14:
    case 0x40:
        return 8;
    case 0x48:
        return GUID_SIZE;
    default:
        return 0;
    }
}

static void skip_name(struct bytes *bytes)
{
    bytes_skip(bytes, GUID_SIZE);
    if (bytes_u32le(bytes) == 0) {
        bytes_skip(bytes, 4);
    } else {
        uint32_t size = bytes_u32le(bytes);

        bytes_skip(bytes, size);
        pad(bytes, size);
    }
}

/* The next property's head; how many values follow. */
static void begin(struct props *props)
{
    struct bytes *bytes = &props->bytes;

    props->prop = (struct prop){.type = bytes_u16le(bytes)};
    props->prop.id = bytes_u16le(bytes);
    if (props->prop.id >= 0x8000)
        skip_name(bytes);
    props->values =
        (props->prop.type & MULTIPLE) != 0 || fixed_size(props->prop.type) == 0 ? bytes_u32le(bytes) : 1;
    props->prop.type &= (uint16_t)~MULTIPLE;
}

bool props_next(struct props *props, struct prop *ret_prop)
{
    struct bytes *bytes = &props->bytes;
    size_t size;

    while (props->values == 0) {
        if (props->left == 0 || bytes_failed(bytes))
            return false;
        props->left--;
        begin(props);
    }
    props->values--;
    size = fixed_size(props->prop.type);
    size = size > 0 ? size : bytes_u32le(bytes);
    props->prop.offset = bytes->offset;
    props->prop.size = size;
    props->prop.data = bytes_take(bytes, size);
    pad(bytes, size);
    if (bytes_failed(bytes))
        return false;
    *ret_prop = props->prop;
    return true;
}
