/*
 * mail: messages: the headers that people read, and every part that holds text; parts that are documents are
 * read as such. A folder of messages (mbox) is read one after the other. [RFC 5322, 2045, 2046, 2047, 4155]
 */
#include "plugins/text/extract.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 72, NAME_MAX_SIZE = 64, PARTS_MAX = 1000 };

struct part {
    const uint8_t *data;
    size_t size;
};

struct mail {
    const struct charsets *charsets;
    struct output *output;
    unsigned depth, parts;
};

struct header {
    char type[NAME_MAX_SIZE], charset[NAME_MAX_SIZE], encoding[NAME_MAX_SIZE], boundary[BOUNDARY_MAX];
};

static size_t line_end(const struct part *part, size_t at)
{
    const uint8_t *end = memchr(part->data + at, '\n', part->size - at);

    return end != NULL ? (size_t)(end - part->data) + 1 : part->size;
}

/* ------------------------------------------------------------------ encodings */

static int base64_value(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

static void base64(const uint8_t *data, size_t size, struct buf *ret)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < size && data[i] != '='; i++) {
        int value = base64_value(data[i]);

        if (value < 0)
            continue;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_u8(ret, (uint8_t)(bits >> count));
        }
    }
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* `word`: as in headers, where '_' is a blank. */
static void quoted(const uint8_t *data, size_t size, bool word, struct buf *ret)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '=' && i + 2 < size && hex_digit(data[i + 1]) >= 0 && hex_digit(data[i + 2]) >= 0) {
            buf_u8(ret, (uint8_t)(hex_digit(data[i + 1]) << 4 | hex_digit(data[i + 2])));
            i += 2;
        } else if (data[i] == '=' && !word) {
            while (i + 1 < size && data[i + 1] != '\n')
                i++;
            i++;
        } else {
            buf_u8(ret, word && data[i] == '_' ? ' ' : data[i]);
        }
    }
}

static void decode(const struct part *part, const char *encoding, struct buf *ret)
{
    if (strcasecmp(encoding, "base64") == 0)
        base64(part->data, part->size, ret);
    else if (strcasecmp(encoding, "quoted-printable") == 0)
        quoted(part->data, part->size, false, ret);
    else
        buf_append(ret, part->data, part->size);
}

/* ------------------------------------------------------------------ headers */

/* "=?charset?B?text?=" at data[0]: put, and its length; 0 for none. */
static size_t encoded_word(struct mail *mail, const uint8_t *data, size_t size)
{
    const struct charset *charset;
    struct buf text = {0};
    size_t marks[3], at = 2;

    if (size < 8 || data[0] != '=' || data[1] != '?')
        return 0;
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *mark = memchr(data + at, '?', (size - at) < 200 ? size - at : 200);

        if (mark == NULL)
            return 0;
        marks[i] = (size_t)(mark - data);
        at = marks[i] + 1;
    }
    if (marks[1] != marks[0] + 2 || at >= size || data[at] != '=')
        return 0;
    charset = charset_find(mail->charsets, (const char *)data + 2, marks[0] - 2);
    if ((data[marks[0] + 1] | 32) == 'b')
        base64(data + marks[1] + 1, marks[2] - marks[1] - 1, &text);
    else
        quoted(data + marks[1] + 1, marks[2] - marks[1] - 1, true, &text);
    charset_put(charset != NULL ? charset : charset_find(mail->charsets, "windows-1252", 12), text.data,
                text.size, mail->output);
    buf_finish(&text);
    return at + 1;
}

static void put_header(struct mail *mail, const uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] <= ' ')
        size--;
    for (size_t at = 0; at < size && !output_done(mail->output);) {
        size_t word = encoded_word(mail, data + at, size - at);

        if (word > 0) {
            at += word;
            continue;
        }
        output_code(mail->output, data[at] == '\r' || data[at] == '\n' ? ' '
                                  : data[at] < 0x80                    ? data[at]
                                                                       : ' ');
        at++;
    }
    output_line(mail->output);
}

static bool is_named(const uint8_t *data, size_t size, const char *name)
{
    return size > strlen(name) && strncasecmp((const char *)data, name, strlen(name)) == 0 &&
           data[strlen(name)] == ':';
}

/* The value up to ';', or of the parameter `name=`, without quotes. */
static void take_value(const uint8_t *data, size_t size, const char *name, char *ret, size_t ret_size)
{
    size_t at = 0, length = 0, end;
    bool quote;

    if (name != NULL) {
        while (at + strlen(name) < size && strncasecmp((const char *)data + at, name, strlen(name)) != 0)
            at++;
        if (at + strlen(name) >= size)
            return;
        at += strlen(name);
    }
    while (at < size && (data[at] == ' ' || data[at] == '\t'))
        at++;
    quote = at < size && data[at] == '"';
    at += quote;
    for (end = at; end < size && (quote ? data[end] != '"' : data[end] > ' ' && data[end] != ';'); end++) {
        if (length + 1 < ret_size)
            ret[length++] = (char)data[end];
    }
    ret[length] = '\0';
}

static void take_header(struct mail *mail, const uint8_t *data, size_t size, struct header *header)
{
    static const char *const shown[] = {"From", "To", "Cc", "Bcc", "Subject", "Date", "Reply-To"};
    const uint8_t *colon = memchr(data, ':', size);
    size_t skip = colon != NULL ? (size_t)(colon - data) + 1 : size;

    if (is_named(data, size, "Content-Type")) {
        take_value(data + skip, size - skip, NULL, header->type, sizeof header->type);
        take_value(data + skip, size - skip, "charset=", header->charset, sizeof header->charset);
        take_value(data + skip, size - skip, "boundary=", header->boundary, sizeof header->boundary);
    } else if (is_named(data, size, "Content-Transfer-Encoding")) {
        take_value(data + skip, size - skip, NULL, header->encoding, sizeof header->encoding);
    }
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (is_named(data, size, shown[i]))
            put_header(mail, data, size);
    }
}

/* Up to the empty line; folded lines belong to the one before. Where the body begins. */
static size_t take_headers(struct mail *mail, const struct part *part, struct header *header)
{
    size_t at = 0;

    while (at < part->size && !output_done(mail->output)) {
        size_t begin = at;

        at = line_end(part, at);
        if (part->data[begin] == '\n' || (part->data[begin] == '\r' && at == begin + 2))
            return at;
        while (at < part->size && (part->data[at] == ' ' || part->data[at] == '\t'))
            at = line_end(part, at);
        take_header(mail, part->data + begin, at - begin, header);
    }
    return at;
}

/* ------------------------------------------------------------------ parts */

static void take_part(struct mail *mail, const struct part *part);

/* The next line that is "--boundary"; where it begins, or the part's size. */
static size_t next_boundary(const struct part *part, size_t at, const char *boundary, size_t *ret_behind,
                            bool *ret_last)
{
    size_t length = strlen(boundary);

    while (at < part->size) {
        size_t end = line_end(part, at);

        if (end - at >= length + 2 && part->data[at] == '-' && part->data[at + 1] == '-' &&
            memcmp(part->data + at + 2, boundary, length) == 0) {
            *ret_behind = end;
            *ret_last = end - at >= length + 4 && part->data[at + 2 + length] == '-';
            return at;
        }
        at = end;
    }
    *ret_behind = part->size;
    *ret_last = true;
    return part->size;
}

static void take_multipart(struct mail *mail, const struct part *body, const char *boundary)
{
    bool last = false;
    size_t behind, at;

    next_boundary(body, 0, boundary, &at, &last);
    while (!last && !output_done(mail->output)) {
        size_t end = next_boundary(body, at, boundary, &behind, &last);
        struct part part = {body->data + at, end - at};

        take_part(mail, &part);
        at = behind;
    }
}

static const struct charset *charset_of(const struct mail *mail, const struct header *header,
                                        const struct buf *text)
{
    const struct charset *charset = charset_find(mail->charsets, header->charset, strlen(header->charset));
    bool sure;

    return charset != NULL ? charset : charset_guess(mail->charsets, text->data, text->size, &sure);
}

/* Text as it says; anything else as the document that it looks like. */
static void take_leaf(struct mail *mail, const struct part *body, const struct header *header)
{
    struct buf bytes = {0}, text = {0};
    const char *format = "";

    decode(body, header->encoding, &bytes);
    if (buf_failed(&bytes)) {
        output_lacks(mail->output, "there was no memory for a part of the message");
    } else if (strncasecmp(header->type, "text/", 5) == 0 || header->type[0] == '\0') {
        charset_to_utf8(charset_of(mail, header, &bytes), bytes.data, bytes.size, &text);
        if (strcasecmp(header->type, "text/html") == 0)
            markup_put(text.data, text.size, true, mail->output);
        else
            output_text(mail->output, text.data, text.size);
    } else if (bytes.size > 0 && output_spend(mail->output, bytes.size)) {
        struct document document = {bytes.data, bytes.size, mail->charsets};
        enum format what =
            extract_format(bytes.data, bytes.size < 4096 ? bytes.size : 4096, bytes.size < 4096);

        if (what != FORMAT_NONE && what != FORMAT_MAIL)
            extract(what, &document, mail->output, &format);
    }
    output_line(mail->output);
    buf_finish(&bytes);
    buf_finish(&text);
}

/* Recursion ends at EXTRACT_DEPTH. */
static void take_part(struct mail *mail, const struct part *part)
{
    struct header header = {.type = ""};
    struct part body;
    size_t skip;

    if (mail->depth >= EXTRACT_DEPTH || mail->parts >= PARTS_MAX) {
        output_lacks(mail->output, "the message has too many parts, or parts in parts: not all were read");
        return;
    }
    if (!output_spend(mail->output, part->size))
        return;
    mail->depth++;
    mail->parts++;
    skip = take_headers(mail, part, &header);
    body = (struct part){part->data + skip, part->size - skip};
    if (strncasecmp(header.type, "multipart/", 10) == 0 && header.boundary[0] != '\0')
        take_multipart(mail, &body, header.boundary);
    else if (strcasecmp(header.type, "message/rfc822") == 0)
        take_part(mail, &body);
    else
        take_leaf(mail, &body, &header);
    mail->depth--;
}

void extract_mail(const struct document *document, struct output *output, const char **ret_format)
{
    struct mail mail = {.charsets = document->charsets, .output = output};
    const struct part all = {document->data, document->size};
    size_t at = 0;

    *ret_format = "mail";
    if (document->size < 5 || memcmp(document->data, "From ", 5) != 0) {
        take_part(&mail, &all);
        return;
    }
    *ret_format = "mbox";
    while (at < document->size && !output_done(output)) {
        size_t begin = line_end(&all, at), end = begin;

        while (end < document->size &&
               !(document->size - end > 5 && memcmp(document->data + end, "From ", 5) == 0))
            end = line_end(&all, end);
        mail.parts = 0;
        take_part(&mail, &(struct part){document->data + begin, end - begin});
        at = end;
    }
}
