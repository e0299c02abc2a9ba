/*
 * tnef: what Outlook packs a message into when it sends it to others ("winmail.dat"): its headers as a
 * record, its texts and attachments as streams that lie where they are. [MS-OXTNEF]
 */
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/plugin.h"
#include "plugins/tnef/props.h"
#include "plugins/tnef/rtf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 6, ATTRIBUTE = 9, ATTRIBUTES_MAX = 100000, TEXT_MAX = 4096, IID_SIZE = 16 };
#define TEXT_OUT_MAX ((size_t)256 << 20)

enum attribute {
    FROM = 0x00008000,
    SUBJECT = 0x00018004,
    DATE_SENT = 0x00038005,
    DATE_RECEIVED = 0x00038006,
    CLASS = 0x00078008,
    MESSAGE_ID = 0x00018009,
    BODY = 0x0002800c,
    MESSAGE_PROPS = 0x00069003,
    RECIPIENTS = 0x00069004,
    RENDERING = 0x00069002,
    TITLE = 0x00018010,
    META_FILE = 0x00068011,
    CREATED = 0x00038012,
    MODIFIED = 0x00038013,
    DATA = 0x0006800f,
    ATTACHMENT_PROPS = 0x00069005,
};

static const struct field message_fields[] = {
    {"sender", FIELD_TEXT, "", "name and address of the sender"},
    {"recipients", FIELD_TEXT, "", "to whom"},
    {"copies", FIELD_TEXT, "", "copies to"},
    {"blind_copies", FIELD_TEXT, "", "blind copies to"},
    {"subject", FIELD_TEXT, "", "what it is about"},
    {"sent", FIELD_WHEN, "", "when the sender sent it"},
    {"delivered", FIELD_WHEN, "", "when it arrived"},
    {"message_id", FIELD_TEXT, "", "Message-ID"},
    {"in_reply_to", FIELD_TEXT, "", "In-Reply-To"},
    {"class", FIELD_TEXT, "", "what kind of item it is"},
    {"parts", FIELD_U64, "", "attachments and texts"},
    {"streams", FIELD_U64, "", "of these, what became streams"},
};
enum { MESSAGE_FIELDS = sizeof message_fields / sizeof message_fields[0] };
static const struct record_type message_type = {"message", 1, "a message in Outlook's package (TNEF)",
                                                message_fields, MESSAGE_FIELDS};

static const struct field part_fields[] = {
    {"kind", FIELD_TEXT, "", "attachment, object, picture, text, html, rtf"},
    {"name", FIELD_TEXT, "", "the file name that goes with it"},
    {"type", FIELD_TEXT, "", "the media type that it gives itself"},
    {"modified", FIELD_WHEN, "", "last change of an attachment"},
    {"born", FIELD_WHEN, "", "creation of an attachment"},
};
static const struct record_type part_type = {"part", 1, "a part of a message in a package", part_fields,
                                             sizeof part_fields / sizeof part_fields[0]};
static const struct record_type *const tnef_emits[] = {&message_type, &part_type, NULL};

static enum plugin_want tnef_start(struct scan *scan)
{
    static const uint8_t magic[] = {0x78, 0x9f, 0x3e, 0x22};
    const struct stream_info *info = scan_stream(scan);
    const uint8_t *head;

    if (info->kind != STREAM_FILE && info->kind != STREAM_ADS && info->kind != STREAM_CHILD &&
        info->kind != STREAM_CARVED)
        return PLUGIN_SKIP;
    return scan_peek(scan, 0, sizeof magic, &head) == 0 && memcmp(head, magic, sizeof magic) == 0
               ? PLUGIN_PEEK
               : PLUGIN_SKIP;
}

/* ------------------------------------------------------------------ what is gathered */

/* Bytes of the stream. */
struct span {
    uint64_t offset;
    size_t size;
};

struct attachment {
    bool there, filled, object;
    struct span data, picture, title, long_name, short_name, type;
    bool long_is_wide, short_is_wide, type_is_wide;
    int64_t modified, born;
};

struct package {
    struct scan *scan;
    const uint8_t *data;
    size_t size;
    struct buf sender, recipients[3], subject, message_id, in_reply_to, class;
    int64_t sent, delivered;
    struct span text, html, rtf;
    bool text_is_wide;
    struct attachment attachment;
    uint64_t parts, streams;
    unsigned attachments;
    int code;
};

/* Text up to its NUL as UTF-8 in place of what was there; 8-bit characters stay as they are. */
static void set_text(struct buf *ret, const uint8_t *data, size_t size, bool wide)
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

static void set_span(const struct package *package, struct buf *ret, struct span span, bool wide)
{
    set_text(ret, package->data + span.offset, span.size, wide);
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
static int64_t date_of(const uint8_t *data, size_t size)
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
static void read_from(struct package *package, const uint8_t *data, size_t size)
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

        set_text(&name, raw, names, false);
        raw = bytes_take(&bytes, addresses);
        colon = addresses > 0 ? memchr(raw, ':', addresses) : NULL;
        if (colon != NULL)
            set_text(&address, colon + 1, addresses - (size_t)(colon + 1 - raw), false);
        buf_clear(&package->sender);
        put_person(&package->sender, &name, &address);
    }
    buf_finish(&name);
    buf_finish(&address);
}

/* Rows of properties, one for each recipient. [2.1.3.5] */
static void read_recipients(struct package *package, const uint8_t *data, size_t size)
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
                set_text(&name, prop.data, prop.size, is_wide(&prop));
            else if (prop.id == 0x39fe || (prop.id == 0x3003 && address.size == 0))
                set_text(&address, prop.data, prop.size, is_wide(&prop));
        }
        bytes = props.bytes;
        if (kind >= 1 && kind <= 3 && package->recipients[kind - 1].size < TEXT_MAX) {
            buf_text(&package->recipients[kind - 1], package->recipients[kind - 1].size > 0 ? ", " : "");
            put_person(&package->recipients[kind - 1], &name, &address);
        }
    }
    buf_finish(&name);
    buf_finish(&address);
}

/* `at`: where `data` lies in the stream. */
static void read_message_props(struct package *package, const uint8_t *data, size_t size, uint64_t at)
{
    struct buf name = {0}, address = {0};
    struct bytes bytes;
    struct props props;
    struct prop prop;

    bytes_init(&bytes, data, size);
    props_init(&props, &bytes);
    while (props_next(&props, &prop)) {
        const struct span span = {at + prop.offset, prop.size};

        switch (prop.id) {
        case 0x0037:
            set_text(&package->subject, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x001a:
            set_text(&package->class, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x1035:
            set_text(&package->message_id, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x1042:
            set_text(&package->in_reply_to, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x0c1a:
            set_text(&name, prop.data, prop.size, is_wide(&prop));
            break;
        case 0x5d01:
        case 0x0c1f:
            if (prop.id == 0x5d01 || address.size == 0)
                set_text(&address, prop.data, prop.size, is_wide(&prop));
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

static void read_attachment_props(struct package *package, const uint8_t *data, size_t size, uint64_t at)
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

/* ------------------------------------------------------------------ streams */

static struct value text(const struct buf *raw, struct buf *room)
{
    if (raw->size == 0)
        return value_none();
    text_escape(room, raw->data, raw->size);
    return value_text(buf_cstr(room));
}

static struct value when(int64_t time)
{
    return time != WHEN_NONE ? value_i64(time) : value_none();
}

/* `span` in place, or where `written` is not NULL these bytes. */
static void give(struct package *package, const char *name, struct span span, const struct buf *written,
                 const struct value *values)
{
    const struct scan_piece piece = {span.offset, span.size};
    const struct child child = {.name = name,
                                .name_size = strlen(name),
                                .kind = STREAM_CHILD,
                                .offset = span.offset,
                                .pieces = written == NULL ? &piece : NULL,
                                .piece_count = written == NULL,
                                .about = &part_type,
                                .values = values};
    struct sink *sink = scan_child(package->scan, &child);

    if (sink == NULL) {
        package->code = -ENOSPC;
        return;
    }
    if (written != NULL && written->size > 0)
        package->code = sink_write(sink, written->data, written->size);
    sink_close(sink, package->code == 0 ? SCAN_WHOLE : SCAN_CUT);
    package->streams++;
}

static void give_text(struct package *package, const char *kind, const char *name, struct span span)
{
    const struct value values[] = {value_text(kind), value_none(), value_none(), value_none(), value_none()};
    struct buf unpacked = {0};

    if (span.size == 0 || package->code < 0)
        return;
    package->parts++;
    if (strcmp(kind, "rtf") != 0) {
        give(package, name, span, NULL, values);
    } else {
        if (!rtf_unpack(package->data + span.offset, span.size, TEXT_OUT_MAX, &unpacked))
            scan_note(package->scan, span.offset, "the compressed text of a message is damaged");
        if (unpacked.size > 0)
            give(package, name, span, &unpacked, values);
    }
    buf_finish(&unpacked);
}

/* What was gathered of an attachment, when the next one begins. */
static void end_attachment(struct package *package)
{
    struct attachment *attachment = &package->attachment;
    const struct buf nothing = {0};
    struct buf name = {0}, type = {0}, rooms[2] = {{0}};
    char made[40];

    if (attachment->there && package->code == 0) {
        package->attachments++;
        set_span(package, &name, attachment->long_name, attachment->long_is_wide);
        if (name.size == 0)
            set_span(package, &name, attachment->title, false);
        if (name.size == 0)
            set_span(package, &name, attachment->short_name, attachment->short_is_wide);
        set_span(package, &type, attachment->type, attachment->type_is_wide);
        snprintf(made, sizeof made, "attachment-%u", package->attachments);
        {
            const char *shown = name.size > 0 ? buf_cstr(&name) : made;
            const struct value values[] = {value_text(attachment->object ? "object" : "attachment"),
                                           text(&name, &rooms[0]), text(&type, &rooms[1]),
                                           when(attachment->modified), when(attachment->born)};

            package->parts++;
            if (attachment->filled)
                give(package, shown, attachment->data, attachment->data.size > 0 ? NULL : &nothing, values);
        }
        if (attachment->picture.size > 0 && package->code == 0) {
            const struct value values[] = {value_text("picture"), value_none(), value_none(), value_none(),
                                           value_none()};

            snprintf(made, sizeof made, "attachment-%u.wmf", package->attachments);
            give(package, made, attachment->picture, NULL, values);
        }
    }
    buf_finish(&name);
    buf_finish(&type);
    buf_finish(&rooms[0]);
    buf_finish(&rooms[1]);
    *attachment = (struct attachment){.modified = WHEN_NONE, .born = WHEN_NONE};
}

/* ------------------------------------------------------------------ attributes */

static void take(struct package *package, uint32_t id, const uint8_t *data, size_t size)
{
    struct attachment *attachment = &package->attachment;
    const struct span span = {(uint64_t)(data - package->data), size};

    switch ((enum attribute)id) {
    case FROM:
        read_from(package, data, size);
        break;
    case SUBJECT:
        set_text(&package->subject, data, size, false);
        break;
    case CLASS:
        set_text(&package->class, data, size, false);
        break;
    case MESSAGE_ID:
        set_text(&package->message_id, data, size, false);
        break;
    case DATE_SENT:
        package->sent = date_of(data, size);
        break;
    case DATE_RECEIVED:
        package->delivered = date_of(data, size);
        break;
    case BODY:
        package->text = span;
        break;
    case MESSAGE_PROPS:
        read_message_props(package, data, size, span.offset);
        break;
    case RECIPIENTS:
        read_recipients(package, data, size);
        break;
    case RENDERING:
        end_attachment(package);
        attachment->there = true;
        break;
    case TITLE:
        attachment->title = span;
        break;
    case META_FILE:
        attachment->picture = span;
        break;
    case CREATED:
        attachment->born = date_of(data, size);
        break;
    case MODIFIED:
        attachment->modified = date_of(data, size);
        break;
    case DATA:
        attachment->there = attachment->filled = true;
        attachment->data = span;
        break;
    case ATTACHMENT_PROPS:
        attachment->there = true;
        read_attachment_props(package, data, size, span.offset);
        break;
    }
}

static uint16_t sum_of(const uint8_t *data, size_t size)
{
    uint16_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint16_t)(sum + data[i]);
    return sum;
}

static void read_attributes(struct package *package)
{
    struct bytes bytes;
    uint32_t count = 0;

    bytes_init(&bytes, package->data, package->size);
    bytes_skip(&bytes, HEAD);
    while (bytes_left(&bytes) >= ATTRIBUTE && package->code == 0) {
        uint64_t at = bytes.offset;
        uint8_t level = bytes_u8(&bytes);
        uint32_t id = bytes_u32le(&bytes), size = bytes_u32le(&bytes);
        size_t left = bytes_left(&bytes);
        const uint8_t *data = bytes_take(&bytes, size < left ? size : left);

        if (level != 1 && level != 2) {
            scan_note(package->scan, at, "the package ends here in something else");
            return;
        }
        if (size > left || ++count > ATTRIBUTES_MAX) {
            if (count > ATTRIBUTES_MAX)
                scan_limited(package->scan, at,
                             "more than %d attributes in a package: the others were not read",
                             ATTRIBUTES_MAX);
            else
                scan_note(package->scan, at, "the package breaks off");
            size = (uint32_t)(size < left ? size : left);
            bytes_fail(&bytes);
        } else if (sum_of(data, size) != bytes_u16le(&bytes)) {
            scan_note(package->scan, at, "the checksum of an attribute in a package is wrong");
        }
        if (data != NULL && count <= ATTRIBUTES_MAX)
            take(package, id, data, size);
    }
}

static void emit_message(struct package *package)
{
    struct buf *raws[] = {&package->sender,        &package->recipients[0], &package->recipients[1],
                          &package->recipients[2], &package->subject,       &package->message_id,
                          &package->in_reply_to,   &package->class};
    enum { TEXTS = sizeof raws / sizeof raws[0] };
    struct buf rooms[TEXTS] = {{0}};
    struct value shown[TEXTS];

    for (size_t i = 0; i < TEXTS; i++)
        shown[i] = text(raws[i], &rooms[i]);
    {
        const struct value values[MESSAGE_FIELDS] = {
            shown[0],
            shown[1],
            shown[2],
            shown[3],
            shown[4],
            when(package->sent),
            when(package->delivered),
            shown[5],
            shown[6],
            shown[7],
            value_u64(package->parts),
            value_u64(package->streams),
        };

        if (scan_emit(package->scan, &message_type, values) == -E2BIG)
            scan_note(package->scan, 0, "the message's headers are too large for a record");
    }
    for (size_t i = 0; i < TEXTS; i++) {
        buf_finish(&rooms[i]);
        buf_finish(raws[i]);
    }
}

static int tnef_finish(struct scan *scan, enum scan_status status)
{
    uint64_t size = scan_kept(scan);
    struct package package = {.scan = scan,
                              .size = (size_t)size,
                              .sent = WHEN_NONE,
                              .delivered = WHEN_NONE,
                              .attachment = {.modified = WHEN_NONE, .born = WHEN_NONE}};

    if (status == SCAN_SPARED || size < HEAD || scan_peek(scan, 0, (size_t)size, &package.data) < 0)
        return 0;
    read_attributes(&package);
    end_attachment(&package);
    give_text(&package, "text", package.text_is_wide ? "body-utf16.txt" : "body.txt", package.text);
    give_text(&package, "html", "body.html", package.html);
    give_text(&package, "rtf", "body.rtf", package.rtf);
    emit_message(&package);
    return package.code == -ENOSPC ? 0 : package.code;
}

const struct plugin plugin_tnef = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "tnef",
    .summary =
        "Outlook's packages (TNEF, winmail.dat): headers, texts and attachments as streams of their own",
    .emits = tnef_emits,
    .start = tnef_start,
    .finish = tnef_finish,
    .traits = PLUGIN_SPARED,
};
