/* letter: see letter.h. [MS-OXPROPS; RFC 5322] */
#include "plugins/pst/letter.h"

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 256 * 1024, RECEIVED_ROOM = 10 };

static const struct field message_fields[] = {
    {"sender", FIELD_TEXT, "", "name and address of the sender"},
    {"recipients", FIELD_TEXT, "", "to whom"},
    {"copies", FIELD_TEXT, "", "copies to"},
    {"blind_copies", FIELD_TEXT, "", "blind copies to"},
    {"reply_to", FIELD_TEXT, "", "Reply-To"},
    {"subject", FIELD_TEXT, "", "what it is about"},
    {"sent", FIELD_WHEN, "", "when the sender sent it"},
    {"sent_text", FIELD_TEXT, "", "Date as it stands in the headers"},
    {"message_id", FIELD_TEXT, "", "Message-ID"},
    {"in_reply_to", FIELD_TEXT, "", "In-Reply-To"},
    {"received", FIELD_JSON, "", "the lines Received of the headers, the last station first"},
    {"agent", FIELD_TEXT, "", "User-Agent or X-Mailer"},
    {"origin", FIELD_TEXT, "", "X-Originating-IP"},
    {"parts", FIELD_U64, "", "attachments"},
    {"encryption", FIELD_TEXT, "", "S/MIME, or nothing"},
    {"signature", FIELD_TEXT, "", "S/MIME, or nothing; it is not checked"},
    {"class", FIELD_TEXT, "", "what kind of item it is: IPM.Note, IPM.Contact …"},
    {"represented", FIELD_TEXT, "", "in whose name it was sent"},
    {"delivered", FIELD_WHEN, "", "when it arrived"},
    {"born", FIELD_WHEN, "", "when the item was made"},
    {"modified", FIELD_WHEN, "", "last change of the item"},
    {"folder", FIELD_TEXT, "", "that it lies in"},
    {"state", FIELD_TEXT, "",
     "live, hidden (not shown by Outlook), orphan (in no folder), recovered (deleted)"},
    {"unread", FIELD_U64, "", "1: not read yet"},
    {"size", FIELD_U64, "bytes", "of the whole item, as the store says"},
    {"item", FIELD_U64, "", "its number in the store"},
};
const struct record_type letter_type = {"message", 1, "a message or another item of Outlook", message_fields,
                                        LETTER_FIELDS};
_Static_assert(sizeof message_fields / sizeof message_fields[0] == LETTER_FIELDS, "a value for each field");

/* ------------------------------------------------------------------ headers */

/* Where the line that begins at `at` ends: behind its LF. */
static size_t line_end(const struct buf *headers, size_t at)
{
    const uint8_t *end = memchr(headers->data + at, '\n', headers->size - at);

    return end != NULL ? (size_t)(end - headers->data) + 1 : headers->size;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Runs of blanks, folds among them, become one. */
static void put_unfolded(struct buf *ret, const uint8_t *data, size_t size)
{
    size_t start = ret->size;

    for (size_t i = 0; i < size; i++) {
        if (!is_blank(data[i]))
            buf_u8(ret, data[i]);
        else if (ret->size > start && ret->data[ret->size - 1] != ' ')
            buf_u8(ret, ' ');
    }
    while (ret->size > start && ret->data[ret->size - 1] == ' ')
        ret->size--;
}

bool letter_header(const struct buf *headers, const char *name, size_t *at, struct buf *ret)
{
    size_t length = strlen(name);

    while (*at < headers->size) {
        size_t start = *at, end = line_end(headers, start);

        while (end < headers->size && (headers->data[end] == ' ' || headers->data[end] == '\t'))
            end = line_end(headers, end);
        *at = end;
        if (end - start > length && headers->data[start + length] == ':' &&
            strncasecmp((const char *)headers->data + start, name, length) == 0) {
            put_unfolded(ret, headers->data + start + length + 1, end - start - length - 1);
            return true;
        }
    }
    return false;
}

static void put_received(const struct buf *headers, struct buf *ret)
{
    struct buf line = {0}, shown = {0};
    struct json json;
    size_t at = 0;

    json_init(&json, ret);
    json_array_open(&json, NULL);
    while (ret->size < RECORD_SIZE_MAX && letter_header(headers, "Received", &at, &line)) {
        text_escape(&shown, line.data, line.size);
        json_text(&json, NULL, buf_cstr(&shown));
        buf_clear(&line);
        buf_clear(&shown);
    }
    json_array_close(&json);
    buf_finish(&line);
    buf_finish(&shown);
}

/* ------------------------------------------------------------------ values */

/* The raw text in `raw`, shown in `room`. */
static struct value shown(const struct buf *raw, struct buf *room)
{
    return raw->size > 0 ? value_escaped(room, raw->data, raw->size) : value_none();
}

static struct value property(struct item *item, uint16_t number, struct buf *room)
{
    struct buf raw = {0};
    struct value value = item_text(item, number, RECORD_SIZE_MAX, &raw) ? shown(&raw, room) : value_none();

    buf_finish(&raw);
    return value;
}

/* The property, or where the item has none the header. */
static struct value property_or(struct item *item, uint16_t number, const struct buf *headers,
                                const char *name, struct buf *room)
{
    struct buf raw = {0};
    struct value value = {0};
    size_t at = 0;

    if ((number != 0 && item_text(item, number, RECORD_SIZE_MAX, &raw)) ||
        letter_header(headers, name, &at, &raw))
        value = shown(&raw, room);
    buf_finish(&raw);
    return value;
}

/* "Name <address>"; of two addresses the one that the Internet knows. */
static struct value person(struct item *item, uint16_t name, uint16_t address, uint16_t smtp,
                           struct buf *room)
{
    struct buf raw = {0}, mail = {0};
    struct value value;

    item_text(item, name, RECORD_SIZE_MAX, &raw);
    if (!item_text(item, smtp, RECORD_SIZE_MAX, &mail))
        item_text(item, address, RECORD_SIZE_MAX, &mail);
    if (mail.size > 0 && (mail.size != raw.size || memcmp(mail.data, raw.data, raw.size) != 0))
        buf_printf(&raw, "%s<%s>", raw.size > 0 ? " " : "", buf_cstr(&mail));
    value = shown(&raw, room);
    buf_finish(&raw);
    buf_finish(&mail);
    return value;
}

static struct value people(struct item *item, uint32_t kind, uint16_t display, struct buf *room)
{
    struct buf raw = {0};
    struct value value = {0};

    if (item_recipients(item, kind, RECORD_SIZE_MAX, &raw) || item_text(item, display, RECORD_SIZE_MAX, &raw))
        value = shown(&raw, room);
    buf_finish(&raw);
    return value;
}

static struct value time_of(struct item *item, uint16_t number)
{
    int64_t time = item_time(item, number);

    return time != WHEN_NONE ? value_i64(time) : value_none();
}

/* [MS-OXOMSG 2.2.1.3]: what the class says, for the content is not looked into. */
static void protection(const char *class, struct value *ret_encryption, struct value *ret_signature)
{
    if (strncasecmp(class, "IPM.Note.SMIME", 14) != 0)
        return;
    if (strcasecmp(class + 14, ".MultipartSigned") == 0)
        *ret_signature = value_text("S/MIME");
    else
        *ret_encryption = value_text("S/MIME");
}

void letter_read(struct letter *letter, struct item *message, const struct letter_place *place)
{
    struct buf headers = {0}, *room = letter->rooms;
    uint32_t flags = 0, size = 0;
    bool flagged, sized;

    *letter = (struct letter){0};
    item_text(message, 0x007d, HEADERS_MAX, &headers);
    put_received(&headers, &room[RECEIVED_ROOM]);
    flagged = item_number(message, 0x0e07, &flags);
    sized = item_number(message, 0x0e08, &size);
    {
        const struct value values[LETTER_FIELDS] = {
            person(message, 0x0c1a, 0x0c1f, 0x5d01, &room[0]),
            people(message, 1, 0x0e04, &room[1]),
            people(message, 2, 0x0e03, &room[2]),
            people(message, 3, 0x0e02, &room[3]),
            property_or(message, 0x0050, &headers, "Reply-To", &room[4]),
            property(message, 0x0037, &room[5]),
            time_of(message, 0x0039),
            property_or(message, 0, &headers, "Date", &room[6]),
            property_or(message, 0x1035, &headers, "Message-ID", &room[7]),
            property_or(message, 0x1042, &headers, "In-Reply-To", &room[8]),
            value_text(buf_cstr(&room[RECEIVED_ROOM])),
            property_or(message, 0, &headers, "X-Mailer", &room[9]),
            property_or(message, 0, &headers, "X-Originating-IP", &room[11]),
            value_u64((uint64_t)item_count(message, PART_ATTACHMENTS)),
            value_none(),
            value_none(),
            property(message, 0x001a, &room[12]),
            person(message, 0x0042, 0x0065, 0x5d02, &room[13]),
            time_of(message, 0x0e06),
            time_of(message, 0x3007),
            time_of(message, 0x3008),
            value_text(place->folder),
            value_text(place->state),
            flagged ? value_u64((flags & 1) == 0) : value_none(),
            sized ? value_u64(size) : value_none(),
            value_u64(item_id(message)),
        };

        memcpy(letter->values, values, sizeof values);
    }
    protection(buf_cstr(&room[12]), &letter->values[14], &letter->values[15]);
    buf_finish(&headers);
}

void letter_finish(struct letter *letter)
{
    for (size_t i = 0; i < LETTER_TEXTS; i++)
        buf_finish(&letter->rooms[i]);
}
