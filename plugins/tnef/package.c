/* package: see package.h. */
#include "plugins/tnef/package.h"

#include "engine/base/text.h"
#include "engine/base/when.h"
#include "plugins/tnef/props.h"

#include <stdio.h>
#include <string.h>

/* More than a record holds: so what is cut is told. */
enum { TEXT_MAX = RECORD_SIZE_MAX, IID_SIZE = 16 };

void package_text(struct buf *ret, const uint8_t *data, size_t size, bool wide)
{
    buf_clear(ret);
    if (wide)
        text_from_utf16(ret, data, size < 2 * TEXT_MAX ? size / 2 * 2 : 2 * TEXT_MAX, false);
    else
        buf_append(ret, data, size < TEXT_MAX ? size : TEXT_MAX);
    if (ret->size > 0) {
        const uint8_t *end = memchr(ret->data, '\0', ret->size);

        ret->size = end != NULL ? (size_t)(end - ret->data) : ret->size;
    }
}

void package_span(const struct package *package, struct buf *ret, struct span span, bool wide)
{
    package_text(ret, package->data + span.offset, span.size, wide);
}

static bool is_wide(const struct prop *prop)
{
    return prop->type == PROP_UNICODE;
}

static int64_t time_of(const struct prop *prop)
{
    struct bytes bytes;

    bytes_init(&bytes, prop->data, prop->size);
    return prop->type == PROP_TIME ? when_from_filetime(bytes_u64le(&bytes)) : WHEN_NONE;
}

/* [2.1.3.3.5] year, month, day, hour, minute, second. */
int64_t package_date(const uint8_t *data, size_t size)
{
    char text[64];
    struct bytes bytes;
    unsigned part[6];
    int64_t when;

    bytes_init(&bytes, data, size);
    for (size_t i = 0; i < 6; i++)
        part[i] = bytes_u16le(&bytes);
    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02uZ", part[0], part[1], part[2], part[3], part[4],
             part[5]);
    return !bytes_failed(&bytes) && when_parse(text, &when) ? when : WHEN_NONE;
}

/* "Name <address>" */
static void put_person(struct buf *ret, const struct buf *name, const struct buf *address)
{
    buf_append(ret, name->data, name->size);
    if (address->size > 0 &&
        (address->size != name->size || memcmp(address->data, name->data, name->size) != 0)) {
        buf_text(ret, name->size > 0 ? " <" : "<");
        buf_append(ret, address->data, address->size);
        buf_u8(ret, '>');
    }
}

/* [2.1.3.3.1] a name, and its address with the kind before a ':'. */
void package_from(struct package *package, const uint8_t *data, size_t size)
{
    struct buf name = {0}, address = {0};
    struct bytes bytes;
    uint16_t names, addresses;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 4);
    names = bytes_u16le(&bytes);
    addresses = bytes_u16le(&bytes);
    if (!bytes_failed(&bytes) && bytes_left(&bytes) >= (size_t)names + addresses) {
        const uint8_t *raw = bytes_take(&bytes, names), *colon;

        package_text(&name, raw, names, false);
        raw = bytes_take(&bytes, addresses);
        colon = addresses > 0 ? memchr(raw, ':', addresses) : NULL;
        if (colon != NULL)
            package_text(&address, colon + 1, addresses - (size_t)(colon + 1 - raw), false);
        buf_clear(&package->sender);
        put_person(&package->sender, &name, &address);
    } else {
        scan_note(package->scan, (uint64_t)(data - package->data),
                  "the sender of a message in a package is damaged");
    }
    buf_finish(&name);
    buf_finish(&address);
}

static void put_recipient(struct buf *ret, const struct buf *name, const struct buf *address)
{
    if (ret->size >= TEXT_MAX)
        return;
    buf_text(ret, ret->size > 0 ? ", " : "");
    put_person(ret, name, address);
}

/* Rows of properties, one for each recipient. [2.1.3.5] */
void package_recipients(struct package *package, const uint8_t *data, size_t size)
{
    struct buf name = {0}, address = {0};
    struct bytes bytes;
    uint32_t rows;

    bytes_init(&bytes, data, size);
    rows = bytes_u32le(&bytes);
    for (uint32_t row = 0; row < rows && !bytes_failed(&bytes); row++) {
        struct props props;
        struct prop prop;
        uint8_t kind = 0;

        buf_clear(&name);
        buf_clear(&address);
        props_init(&props, &bytes);
        while (props_next(&props, &prop)) {
            if (prop.id == 0x0c15 && prop.type == PROP_I32)
                kind = prop.data[0];
            else if (prop.id == 0x3001)
                package_text(&name, prop.data, prop.size, is_wide(&prop));
            else if (prop.id == 0x39fe || (prop.id == 0x3003 && address.size == 0))
                package_text(&address, prop.data, prop.size, is_wide(&prop));
        }
        bytes = props.bytes;
        if (kind >= 1 && kind <= 3)
            put_recipient(&package->recipients[kind - 1], &name, &address);
    }
    if (bytes_failed(&bytes))
        scan_note(package->scan, (uint64_t)(data - package->data),
                  "the recipients of a message in a package are damaged");
    buf_finish(&name);
    buf_finish(&address);
}

/* Where a text of the message goes; NULL: it is none of these. */
static struct buf *text_of(struct package *package, uint16_t id)
{
    switch (id) {
    case 0x0037:
        return &package->subject;
    case 0x001a:
        return &package->class;
    case 0x1035:
        return &package->message_id;
    case 0x1042:
        return &package->in_reply_to;
    default:
        return NULL;
    }
}

void package_message_props(struct package *package, const uint8_t *data, size_t size, uint64_t at)
{
    struct buf name = {0}, address = {0};
    struct bytes bytes;
    struct props props;
    struct prop prop;

    bytes_init(&bytes, data, size);
    props_init(&props, &bytes);
    while (props_next(&props, &prop)) {
        const struct span span = {at + prop.offset, prop.size};
        struct buf *text = text_of(package, prop.id);

        if (text != NULL)
            package_text(text, prop.data, prop.size, is_wide(&prop));
        switch (prop.id) {
        case 0x0c1a:
            package_text(&name, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x5d01:
        case 0x0c1f:
            if (prop.id == 0x5d01 || address.size == 0)
                package_text(&address, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x0039:
            package->sent = time_of(&prop);
            break;
        case 0x0e06:
            package->delivered = time_of(&prop);
            break;
        case 0x1000:
            package->text = span;
            package->text_is_wide = is_wide(&prop);
            break;
        case 0x1009:
            package->rtf = span;
            break;
        case 0x1013:
            package->html = span;
            break;
        default:
            break;
        }
    }
    if (name.size + address.size > 0) {
        buf_clear(&package->sender);
        put_person(&package->sender, &name, &address);
    }
    buf_finish(&name);
    buf_finish(&address);
    if (bytes_failed(&props.bytes))
        scan_note(package->scan, at, "the properties of a message in a package are damaged");
}

void package_attachment_props(struct package *package, const uint8_t *data, size_t size, uint64_t at)
{
    struct attachment *attachment = &package->attachment;
    struct bytes bytes;
    struct props props;
    struct prop prop;

    bytes_init(&bytes, data, size);
    props_init(&props, &bytes);
    while (props_next(&props, &prop)) {
        struct span span = {at + prop.offset, prop.size};

        if (prop.id == 0x3707) {
            attachment->long_name = span;
            attachment->long_is_wide = is_wide(&prop);
        } else if (prop.id == 0x3704 || (prop.id == 0x3001 && attachment->short_name.size == 0)) {
            attachment->short_name = span;
            attachment->short_is_wide = is_wide(&prop);
        } else if (prop.id == 0x370e) {
            attachment->type = span;
            attachment->type_is_wide = is_wide(&prop);
        } else if (prop.id == 0x3701 && prop.type == PROP_OBJECT && prop.size > IID_SIZE) {
            /* A message in a package of its own, or a compound file, behind what interface it has. */
            attachment->data = (struct span){span.offset + IID_SIZE, span.size - IID_SIZE};
            attachment->object = attachment->filled = true;
        } else if (prop.id == 0x3701 && prop.type == PROP_BINARY && attachment->data.size == 0) {
            attachment->data = span;
            attachment->filled = true;
        } else if (prop.id == 0x3008) {
            attachment->modified = time_of(&prop);
        } else if (prop.id == 0x3007) {
            attachment->born = time_of(&prop);
        }
    }
    if (bytes_failed(&props.bytes))
        scan_note(package->scan, at, "the properties of an attachment in a package are damaged");
}
