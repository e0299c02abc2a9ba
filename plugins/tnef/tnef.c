/*
 * tnef: what Outlook packs a message into when it sends it to others ("winmail.dat"): its headers as a
 * record, its texts and attachments as streams that lie where they are. [MS-OXTNEF]
 */
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "plugins/tnef/package.h"
#include "plugins/tnef/rtf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 6, ATTRIBUTE = 9, ATTRIBUTES_MAX = 100000 };
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

/* ------------------------------------------------------------------ streams */

static struct value text(const struct buf *raw, struct buf *room)
{
    return raw->size > 0 ? value_escaped(room, raw->data, raw->size) : value_none();
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
        if (!rtf_unpack(package->data + span.offset, span.size, TEXT_OUT_MAX, &unpacked)) {
            if (unpacked.size >= TEXT_OUT_MAX)
                scan_limited(package->scan, span.offset,
                             "more than %zu bytes in a compressed text: it is cut", TEXT_OUT_MAX);
            else
                scan_note(package->scan, span.offset, "the compressed text of a message is damaged");
        }
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
        package_span(package, &name, attachment->long_name, attachment->long_is_wide);
        if (name.size == 0)
            package_span(package, &name, attachment->title, false);
        if (name.size == 0)
            package_span(package, &name, attachment->short_name, attachment->short_is_wide);
        package_span(package, &type, attachment->type, attachment->type_is_wide);
        snprintf(made, sizeof made, "attachment-%u", package->attachments);
        {
            const char *shown = name.size > 0 ? buf_cstr(&name) : made;
            const struct value values[] = {value_text(attachment->object ? "object" : "attachment"),
                                           text(&name, &rooms[0]), text(&type, &rooms[1]),
                                           when(attachment->modified), when(attachment->born)};

            package->parts++;
            if (!attachment->filled)
                scan_note(package->scan, attachment->at, "an attachment has no content in the package");
            else
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

/* What belongs to the attachment that is being gathered. */
static void take_attached(struct package *package, enum attribute id, const uint8_t *data, struct span span)
{
    struct attachment *attachment = &package->attachment;

    switch (id) {
    case RENDERING:
        end_attachment(package);
        attachment->there = true;
        attachment->at = span.offset;
        break;
    case TITLE:
        attachment->title = span;
        break;
    case META_FILE:
        attachment->picture = span;
        break;
    case CREATED:
        attachment->born = package_date(data, span.size);
        break;
    case MODIFIED:
        attachment->modified = package_date(data, span.size);
        break;
    case DATA:
        if (attachment->data.size > 0 && !attachment->object) /* of another one, whose beginning is lost */
            end_attachment(package);
        attachment->there = attachment->filled = true;
        attachment->data = span;
        break;
    case ATTACHMENT_PROPS:
        attachment->there = true;
        package_attachment_props(package, data, span.size, span.offset);
        break;
    default:
        break;
    }
}

static void take(struct package *package, uint32_t id, const uint8_t *data, size_t size)
{
    const struct span span = {(uint64_t)(data - package->data), size};

    switch ((enum attribute)id) {
    case FROM:
        package_from(package, data, size);
        break;
    case SUBJECT:
        package_text(&package->subject, data, size, false);
        break;
    case CLASS:
        package_text(&package->class, data, size, false);
        break;
    case MESSAGE_ID:
        package_text(&package->message_id, data, size, false);
        break;
    case DATE_SENT:
        package->sent = package_date(data, size);
        break;
    case DATE_RECEIVED:
        package->delivered = package_date(data, size);
        break;
    case BODY:
        package->text = span;
        package->text_is_wide = false;
        break;
    case MESSAGE_PROPS:
        package_message_props(package, data, size, span.offset);
        break;
    case RECIPIENTS:
        package_recipients(package, data, size);
        break;
    default:
        take_attached(package, (enum attribute)id, data, span);
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

        scan_emit(package->scan, &message_type, values);
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
    .version = 3,
    .name = "tnef",
    .summary =
        "Outlook's packages (TNEF, winmail.dat): headers, texts and attachments as streams of their own",
    .emits = tnef_emits,
    .start = tnef_start,
    .finish = tnef_finish,
    .traits = PLUGIN_SPARED,
};
