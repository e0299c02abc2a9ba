/*
 * mail: messages and folders of messages: headers as records, messages and attachments as streams.
 *
 * A folder (mbox) is cut at its lines "From "; each message is a child that lies where it is, and is read
 * like a message in a file of its own (EML, MHTML; EMLX of Apple Mail). [RFC 4155; RFC 5322; RFC 2557]
 */
#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/mail/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEAD = 4096, LINE_MAX = 1024, NAME_SIZE = 40 };
#define MESSAGE_MAX (UINT64_C(256) << 20)

enum form { FORM_NONE, FORM_MESSAGE, FORM_MAILBOX };

struct mail_stream {
    enum form form;
    uint64_t offset, size; /* of the message; UINT64_MAX: to the end */
};

static const struct field mailbox_fields[] = {{"messages", FIELD_U64, "", "messages in it"}};
static const struct record_type mailbox_type = {"mailbox", 1, "a folder of messages in one file",
                                                mailbox_fields, 1};
static const struct field envelope_fields[] = {
    {"line", FIELD_TEXT, "", "the line before the message: who delivered it for whom, and when"},
    {"offset", FIELD_U64, "bytes", "of the line in the folder"},
};
static const struct record_type envelope_type = {"envelope", 1, "a message's place in its folder",
                                                 envelope_fields, 2};
static const struct record_type *const mail_emits[] = {&message_type, &part_type, &mailbox_type,
                                                       &envelope_type, NULL};

static int mail_setup(void *worker, const struct settings *settings, struct why *why)
{
    int code = message_setup();

    (void)worker, (void)settings;
    return code == 0 ? 0 : why_set(why, code, "iconv lacks a character set that mail is written in");
}

/* ------------------------------------------------------------------ finding */

/* The length of the line at data, its end included; 0: none ends here. */
static size_t line_size(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size < LINE_MAX ? size : LINE_MAX);

    return end != NULL ? (size_t)(end - data) + 1 : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "From somebody Mon Jan  1 00:00:00 2024": a time of day is in every one of them. */
static bool is_envelope(const uint8_t *data, size_t size)
{
    size_t line = line_size(data, size);

    if (line < 16 || memcmp(data, "From ", 5) != 0)
        return false;
    for (size_t i = 6; i + 3 < line; i++) {
        if (data[i] == ':' && is_digit(data[i - 1]) && is_digit(data[i + 1]) && is_digit(data[i + 2]))
            return true;
    }
    return false;
}

/* 2 for what only mail has, 1 for what other things have too, 0 for what says nothing, -1: no header at all.
 */
static int weigh(const uint8_t *line, size_t size)
{
    static const struct {
        const char *name;
        int weight;
    } names[] = {
        {"received", 2},     {"return-path", 2}, {"message-id", 2}, {"mime-version", 2},
        {"delivered-to", 2}, {"x-mailer", 2},    {"from", 1},       {"to", 1},
        {"subject", 1},      {"date", 1},        {"cc", 1},         {"reply-to", 1},
        {"sender", 1},       {"in-reply-to", 2}, {"x-received", 2}, {"dkim-signature", 2},
    };
    const uint8_t *colon = memchr(line, ':', size);
    size_t length = colon != NULL ? (size_t)(colon - line) : 0;

    if (length == 0 || length > 76)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (line[i] <= ' ' || line[i] > '~')
            return -1;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == length && strncasecmp(names[i].name, (const char *)line, length) == 0)
            return names[i].weight;
    }
    return 0;
}

/* Headers from the first line on, of which enough are a letter's. */
static bool is_message(const uint8_t *data, size_t size)
{
    int sum = 0;

    for (size_t at = 0, line; at < size && (line = line_size(data + at, size - at)) > 0; at += line) {
        bool empty = data[at] == '\n' || (data[at] == '\r' && line == 2);
        int weight = data[at] == ' ' || data[at] == '\t' ? 0 : weigh(data + at, line);

        if (empty)
            break;
        if (weight < 0 || (at == 0 && (data[at] == ' ' || data[at] == '\t')))
            return false;
        sum += weight;
    }
    return sum >= 3;
}

/* Apple Mail: a line with the message's length before it, and a property list behind it. */
static bool is_emlx(const uint8_t *data, size_t size, struct mail_stream *ret)
{
    size_t line = line_size(data, size), i = 0;
    uint64_t length = 0;

    for (; i < line && i < 12 && is_digit(data[i]); i++)
        length = length * 10 + (uint64_t)(data[i] - '0');
    if (i == 0 || i == line || (data[i] != '\n' && data[i] != ' ') || !is_message(data + line, size - line))
        return false;
    ret->offset = line;
    ret->size = length;
    return true;
}

static bool may_be_mail(const struct stream_info *info)
{
    return info->kind == STREAM_FILE || info->kind == STREAM_ADS || info->kind == STREAM_CHILD ||
           info->kind == STREAM_CARVED;
}

static enum plugin_want mail_start(struct scan *scan)
{
    struct mail_stream *stream = scan_state(scan);
    size_t size = scan_kept(scan) < HEAD ? (size_t)scan_kept(scan) : HEAD;
    const uint8_t *head;

    if (!may_be_mail(scan_stream(scan)) || size < 16 || scan_peek(scan, 0, size, &head) < 0)
        return PLUGIN_SKIP;
    stream->size = UINT64_MAX;
    if (is_envelope(head, size) && is_message(head + line_size(head, size), size - line_size(head, size)))
        stream->form = FORM_MAILBOX;
    else if (is_message(head, size) || is_emlx(head, size, stream))
        stream->form = FORM_MESSAGE;
    return stream->form != FORM_NONE ? PLUGIN_PEEK : PLUGIN_SKIP;
}

/* ------------------------------------------------------------------ folders */

/* The next line "From " behind an empty one, from `at` on. */
static uint64_t next_envelope(const uint8_t *data, uint64_t at, uint64_t size)
{
    while (at < size) {
        const uint8_t *hit = memmem(data + at, (size_t)(size - at), "\nFrom ", 6);
        uint64_t place;

        if (hit == NULL)
            return size;
        place = (uint64_t)(hit - data) + 1;
        if (place >= 2 &&
            (data[place - 2] == '\n' || (place >= 3 && data[place - 2] == '\r' && data[place - 3] == '\n')) &&
            is_envelope(hit + 1, (size_t)(size - place)))
            return place;
        at = place;
    }
    return size;
}

static int open_message(struct scan *scan, const uint8_t *data, uint64_t at, uint64_t end)
{
    size_t line = line_size(data + at, (size_t)(end - at)), shown = line;
    const struct scan_piece piece = {at + line, end - at - line};
    struct buf envelope = {0};
    struct value values[2];
    char name[NAME_SIZE];
    struct child child = {.name = name,
                          .kind = STREAM_CHILD,
                          .offset = piece.offset,
                          .pieces = &piece,
                          .piece_count = 1,
                          .about = &envelope_type,
                          .values = values};
    struct sink *sink;

    while (shown > 0 && (data[at + shown - 1] == '\n' || data[at + shown - 1] == '\r'))
        shown--;
    text_escape(&envelope, data + at, shown);
    values[0] = value_text(buf_cstr(&envelope));
    values[1] = value_u64(at);
    child.name_size = (size_t)snprintf(name, sizeof name, "message@0x%" PRIx64 ".eml", at);
    sink = scan_child(scan, &child);
    sink_close(sink, SCAN_WHOLE);
    buf_finish(&envelope);
    return sink != NULL ? 0 : -ENOSPC;
}

static int read_mailbox(struct scan *scan, const uint8_t *data, uint64_t size)
{
    uint64_t count = 0;
    int code = 0;

    for (uint64_t at = 0, end; at < size && code == 0; at = end) {
        end = next_envelope(data, at, size);
        code = open_message(scan, data, at, end);
        count += code == 0;
    }
    {
        const struct value values[] = {value_u64(count)};

        scan_emit(scan, &mailbox_type, values);
    }
    return code;
}

static int mail_finish(struct scan *scan, enum scan_status status)
{
    const struct mail_stream *stream = scan_state(scan);
    uint64_t size = scan_kept(scan);
    const uint8_t *data;
    int code;

    if (status == SCAN_SPARED || size <= stream->offset || scan_peek(scan, 0, (size_t)size, &data) < 0)
        return 0;
    if (stream->form == FORM_MAILBOX) {
        code = read_mailbox(scan, data, size);
    } else {
        size -= stream->offset;
        size = size < stream->size ? size : stream->size;
        if (size > MESSAGE_MAX) {
            scan_limited(scan, 0, "a message of more than %" PRIu64 " bytes: only so many were read",
                         MESSAGE_MAX);
            size = MESSAGE_MAX;
        }
        code = message_read(scan, data + stream->offset, (size_t)size, stream->offset);
    }
    return code == -ENOSPC ? 0 : code;
}

const struct plugin plugin_mail = {
    .abi = PLUGIN_ABI,
    .version = 3,
    .name = "mail",
    .summary = "Messages and folders of messages: headers, attachments as streams of their own",
    .emits = mail_emits,
    .stream_size = sizeof(struct mail_stream),
    .setup = mail_setup,
    .start = mail_start,
    .finish = mail_finish,
    .traits = PLUGIN_SPARED,
};
