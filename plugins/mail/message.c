/*
 * message: see message.h; the one file that knows GMime. [RFC 5322, 2045-2049, 2183, 2231, 3156, 8551]
 */
#include "plugins/mail/message.h"

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LEVELS = 64, PARTS = 10000, NUMBER_SIZE = 256 };

static const struct field message_fields[] = {
    {"sender", FIELD_TEXT, "", "From"},
    {"recipients", FIELD_TEXT, "", "To"},
    {"copies", FIELD_TEXT, "", "Cc"},
    {"blind_copies", FIELD_TEXT, "", "Bcc"},
    {"reply_to", FIELD_TEXT, "", "Reply-To"},
    {"subject", FIELD_TEXT, "", "Subject"},
    {"sent", FIELD_WHEN, "", "Date"},
    {"sent_text", FIELD_TEXT, "", "Date as it stands, with its zone"},
    {"message_id", FIELD_TEXT, "", "Message-ID"},
    {"in_reply_to", FIELD_TEXT, "", "In-Reply-To"},
    {"received", FIELD_JSON, "", "the lines Received as they stand, the last station first"},
    {"agent", FIELD_TEXT, "", "User-Agent or X-Mailer"},
    {"origin", FIELD_TEXT, "", "X-Originating-IP"},
    {"parts", FIELD_U64, "", "parts that hold something"},
    {"streams", FIELD_U64, "", "of these, parts that became streams"},
    {"encryption", FIELD_TEXT, "", "PGP/MIME, S/MIME, or nothing"},
    {"signature", FIELD_TEXT, "", "PGP/MIME, S/MIME, or nothing; it is not checked"},
    {"offset", FIELD_U64, "bytes", "where the message begins in the stream"},
};
enum { MESSAGE_FIELDS = sizeof message_fields / sizeof message_fields[0], MESSAGE_TEXTS = 13 };
const struct record_type message_type = {"message", 1, "a message's headers", message_fields, MESSAGE_FIELDS};

static const struct field part_fields[] = {
    {"number", FIELD_TEXT, "", "place among the parts"},
    {"name", FIELD_TEXT, "", "the file name that it gives itself"},
    {"type", FIELD_TEXT, "", "the media type that it gives itself"},
    {"charset", FIELD_TEXT, "", "the character set that it gives itself"},
    {"disposition", FIELD_TEXT, "", "inline or attachment"},
    {"encoding", FIELD_TEXT, "", "how it was encoded for sending"},
    {"content_id", FIELD_TEXT, "", "by which other parts refer to it"},
};
enum { PART_FIELDS = sizeof part_fields / sizeof part_fields[0] };
const struct record_type part_type = {"part", 1, "a part of a message", part_fields, PART_FIELDS};

/* Nothing of what GLib has to say of evidence goes to standard error. */
static void say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

int message_setup(void)
{
    static const char *const charsets[] = {
        "ISO-8859-1",   "ISO-8859-2",       "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-7",   "ISO-8859-9",
        "ISO-8859-15",  "WINDOWS-1250",     "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254",
        "WINDOWS-1255", "WINDOWS-1256",     "WINDOWS-1257", "KOI8-R",       "KOI8-U",       "IBM866",
        "CP437",        "GEORGIAN-ACADEMY", "GEORGIAN-PS",  "ARMSCII-8",    "UTF-7",        "UTF-16",
        "UTF-16LE",     "UTF-16BE",         "UTF-32",       "GB2312",       "GBK",          "GB18030",
        "BIG5",         "EUC-JP",           "ISO-2022-JP",  "SHIFT_JIS",    "EUC-KR",
    };
    static bool done;

    if (done)
        return 0;
    /* Never closed: what is open stays loaded. */
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        if (iconv_open("UTF-8", charsets[i]) == (iconv_t)-1)
            return -ENOTSUP;
    }
    g_log_set_default_handler(say_nothing, NULL);
    g_mime_init();
    done = true;
    return 0;
}

struct letter {
    struct scan *scan;
    GMimeMessage *message;
    uint64_t offset;
    uint64_t parts, streams;
    const char *encryption, *signature;
    int code;
};

/* ------------------------------------------------------------------ headers */

static struct value text(const char *value, struct buf *room)
{
    return value != NULL ? value_escaped(room, value, strlen(value)) : value_none();
}

static const char *header(const struct letter *letter, const char *name)
{
    return g_mime_object_get_header(GMIME_OBJECT(letter->message), name);
}

static int64_t sent(const struct letter *letter)
{
    GDateTime *date = g_mime_message_get_date(letter->message);

    return date != NULL ? when_from_unix(g_date_time_to_unix(date), 0) : WHEN_NONE;
}

static void unfold(struct buf *ret, const char *raw)
{
    size_t size = strlen(raw);

    for (size_t i = 0; i < size; i++) {
        if (raw[i] == '\r' || raw[i] == '\n' || raw[i] == '\t' ||
            (raw[i] == ' ' && (ret->size == 0 || ret->data[ret->size - 1] == ' '))) {
            if (ret->size > 0 && ret->data[ret->size - 1] != ' ')
                buf_u8(ret, ' ');
            continue;
        }
        buf_u8(ret, (uint8_t)raw[i]);
    }
    while (ret->size > 0 && ret->data[ret->size - 1] == ' ')
        ret->size--;
}

static void received(const struct letter *letter, struct buf *ret)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(letter->message));
    struct buf line = {0}, escaped = {0};
    int total = g_mime_header_list_get_count(list);
    struct json json;

    json_init(&json, ret);
    json_array_open(&json, NULL);
    for (int i = 0; i < total && ret->size < RECORD_SIZE_MAX; i++) {
        GMimeHeader *one = g_mime_header_list_get_header_at(list, i);

        if (strcasecmp(g_mime_header_get_name(one), "Received") != 0)
            continue;
        buf_clear(&line);
        buf_clear(&escaped);
        unfold(&line, g_mime_header_get_raw_value(one));
        text_escape(&escaped, line.data, line.size);
        json_text(&json, NULL, buf_cstr(&escaped));
    }
    json_array_close(&json);
    buf_finish(&line);
    buf_finish(&escaped);
}

static void emit_message(const struct letter *letter)
{
    struct buf rooms[MESSAGE_TEXTS] = {{0}}, path = {0};
    int64_t date = sent(letter);
    const char *agent = header(letter, "User-Agent");

    received(letter, &path);
    {
        const struct value values[MESSAGE_FIELDS] = {
            text(header(letter, "From"), &rooms[0]),
            text(header(letter, "To"), &rooms[1]),
            text(header(letter, "Cc"), &rooms[2]),
            text(header(letter, "Bcc"), &rooms[3]),
            text(header(letter, "Reply-To"), &rooms[4]),
            text(header(letter, "Subject"), &rooms[5]),
            date != WHEN_NONE ? value_i64(date) : value_none(),
            text(header(letter, "Date"), &rooms[6]),
            text(header(letter, "Message-ID"), &rooms[7]),
            text(header(letter, "In-Reply-To"), &rooms[8]),
            value_text(buf_cstr(&path)),
            text(agent != NULL ? agent : header(letter, "X-Mailer"), &rooms[9]),
            text(header(letter, "X-Originating-IP"), &rooms[10]),
            value_u64(letter->parts),
            value_u64(letter->streams),
            value_text(letter->encryption),
            value_text(letter->signature),
            value_u64(letter->offset),
        };

        scan_emit(letter->scan, &message_type, values);
    }
    for (size_t i = 0; i < MESSAGE_TEXTS; i++)
        buf_finish(&rooms[i]);
    buf_finish(&path);
}

/* ------------------------------------------------------------------ parts */

static const char *ending(GMimeContentType *type)
{
    static const struct {
        const char *type, *subtype, *ending;
    } endings[] = {
        {"text", "plain", ".txt"},
        {"text", "html", ".html"},
        {"text", "calendar", ".ics"},
        {"message", "*", ".eml"},
        {"image", "jpeg", ".jpg"},
        {"image", "png", ".png"},
        {"image", "gif", ".gif"},
        {"application", "pdf", ".pdf"},
        {"application", "ms-tnef", ".dat"},
        {"application", "pkcs7-mime", ".p7m"},
        {"application", "pkcs7-signature", ".p7s"},
        {"application", "pgp-signature", ".asc"},
    };

    for (size_t i = 0; type != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        if (g_mime_content_type_is_type(type, endings[i].type, endings[i].subtype))
            return endings[i].ending;
    }
    return ".bin";
}

/* Plain text that is not encoded stands in the message's own stream. */
static bool stands_there(GMimePart *part, const char *name)
{
    GMimeContentEncoding encoding = g_mime_part_get_content_encoding(part);

    return name == NULL && encoding != GMIME_CONTENT_ENCODING_BASE64 &&
           encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE && encoding != GMIME_CONTENT_ENCODING_UUENCODE;
}

/* What a part holds, decoded. NULL: nothing. */
static GByteArray *content(GMimeObject *object)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *array;

    if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

        if (inner != NULL)
            g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
    } else {
        GMimeDataWrapper *wrapper = g_mime_part_get_content(GMIME_PART(object));

        if (wrapper != NULL)
            g_mime_data_wrapper_write_to_stream(wrapper, stream);
    }
    array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_object_unref(stream);
    return array;
}

static void give(struct letter *letter, const struct child *child, const GByteArray *bytes)
{
    struct sink *sink = scan_child(letter->scan, child);
    int code;

    if (sink == NULL) {
        letter->code = -ENOSPC;
        return;
    }
    code = bytes->len > 0 ? sink_write(sink, bytes->data, bytes->len) : 0;
    sink_close(sink, code == 0 ? SCAN_WHOLE : SCAN_CUT);
    letter->code = code;
    letter->streams++;
}

static void open_part(struct letter *letter, GMimeObject *object, const char *number)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    GMimePart *part = GMIME_IS_PART(object) ? GMIME_PART(object) : NULL;
    const char *name = part != NULL ? g_mime_part_get_filename(part) : NULL;
    struct buf rooms[PART_FIELDS] = {{0}};
    char made[NUMBER_SIZE + 16], *mime;
    GByteArray *bytes;

    letter->parts++;
    if (part != NULL && stands_there(part, name))
        return;
    bytes = content(object);
    mime = type != NULL ? g_mime_content_type_get_mime_type(type) : NULL;
    snprintf(made, sizeof made, "part-%s%s", number, ending(type));
    {
        const struct value values[PART_FIELDS] = {
            value_text(number),
            text(name, &rooms[1]),
            text(mime, &rooms[2]),
            text(type != NULL ? g_mime_content_type_get_parameter(type, "charset") : NULL, &rooms[3]),
            text(g_mime_object_get_disposition(object), &rooms[4]),
            part != NULL
                ? text(g_mime_content_encoding_to_string(g_mime_part_get_content_encoding(part)), &rooms[5])
                : value_none(),
            text(g_mime_object_get_content_id(object), &rooms[6]),
        };
        const struct child child = {.name = name != NULL && *name != '\0' ? name : made,
                                    .name_size = strlen(name != NULL && *name != '\0' ? name : made),
                                    .kind = STREAM_CHILD,
                                    .offset = letter->offset,
                                    .about = &part_type,
                                    .values = values};

        give(letter, &child, bytes);
    }
    for (size_t i = 0; i < PART_FIELDS; i++)
        buf_finish(&rooms[i]);
    g_byte_array_unref(bytes);
    g_free(mime);
}

static void note_protection(struct letter *letter, GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *protocol = type != NULL ? g_mime_content_type_get_parameter(type, "protocol") : NULL;
    const char *kind = protocol != NULL && strcasestr(protocol, "pgp") != NULL ? "PGP/MIME" : "S/MIME";

    if (type == NULL)
        return;
    if (g_mime_content_type_is_type(type, "multipart", "encrypted"))
        letter->encryption = kind;
    if (g_mime_content_type_is_type(type, "multipart", "signed"))
        letter->signature = kind;
    if (g_mime_content_type_is_type(type, "application", "pkcs7-mime") ||
        g_mime_content_type_is_type(type, "application", "x-pkcs7-mime")) {
        const char *what = g_mime_content_type_get_parameter(type, "smime-type");

        *(what != NULL && strcasecmp(what, "signed-data") == 0 ? &letter->signature : &letter->encryption) =
            "S/MIME";
    }
}

struct level {
    GMimeMultipart *parts;
    int next;
    size_t number_size;
};

/* "1.3.2" from "1.3" and 2. */
static void extend(char *number, size_t *size, int index)
{
    int more = snprintf(number + *size, NUMBER_SIZE - *size, "%s%d", *size > 0 ? "." : "", index);

    *size += more > 0 && (size_t)more < NUMBER_SIZE - *size ? (size_t)more : 0;
}

static void walk(struct letter *letter, GMimeObject *root)
{
    struct level levels[LEVELS];
    char number[NUMBER_SIZE] = "";
    size_t depth = 0, size = 0;
    GMimeObject *object = root;

    while (letter->code == 0) {
        if (object != NULL) {
            note_protection(letter, object);
            if (!GMIME_IS_MULTIPART(object)) {
                open_part(letter, object, size > 0 ? number : "1");
            } else if (depth < LEVELS) {
                levels[depth++] = (struct level){GMIME_MULTIPART(object), 0, size};
            } else {
                scan_limited(letter->scan, letter->offset,
                             "parts of a message lie more than %d levels deep: not opened", LEVELS);
            }
        }
        if (letter->parts > PARTS) {
            scan_limited(letter->scan, letter->offset,
                         "a message has more than %d parts: the others were not opened", PARTS);
            return;
        }
        while (depth > 0 && levels[depth - 1].next >= g_mime_multipart_get_count(levels[depth - 1].parts))
            depth--;
        if (depth == 0)
            return;
        object = g_mime_multipart_get_part(levels[depth - 1].parts, levels[depth - 1].next++);
        size = levels[depth - 1].number_size;
        number[size] = '\0';
        extend(number, &size, levels[depth - 1].next);
    }
}

int message_read(struct scan *scan, const uint8_t *data, size_t size, uint64_t offset)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)data, size);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    struct letter letter = {.scan = scan, .offset = offset};

    letter.message = g_mime_parser_construct_message(parser, NULL);
    if (letter.message == NULL) {
        scan_note(scan, offset, "a message that has no headers");
    } else {
        GMimeObject *body = g_mime_message_get_mime_part(letter.message);

        if (body != NULL)
            walk(&letter, body);
        emit_message(&letter);
        g_object_unref(letter.message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    return letter.code;
}
