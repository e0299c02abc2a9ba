/*
 * markup: HTML and XML as the text between tags. No tree is made and no entity is looked up but HTML's few
 * and numbers, so nothing grows. [HTML Living Standard 13.2; XML 1.0]
 */
#include "plugins/text/extract.h"

#include "engine/base/text.h"

#include <string.h>
#include <strings.h>

struct tag {
    const char *name;
    size_t size;
    bool closing;
};

static const struct {
    const char *name;
    uint16_t code;
} entities[] = {
    {"amp", '&'},      {"lt", '<'},       {"gt", '>'},        {"quot", '"'},     {"apos", '\''},
    {"nbsp", ' '},     {"copy", 0xa9},    {"reg", 0xae},      {"laquo", 0xab},   {"raquo", 0xbb},
    {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},  {"rsquo", 0x2019}, {"ldquo", 0x201c},
    {"rdquo", 0x201d}, {"bdquo", 0x201e}, {"hellip", 0x2026}, {"euro", 0x20ac},  {"auml", 0xe4},
    {"ouml", 0xf6},    {"uuml", 0xfc},    {"Auml", 0xc4},     {"Ouml", 0xd6},    {"Uuml", 0xdc},
    {"szlig", 0xdf},   {"eacute", 0xe9},  {"egrave", 0xe8},   {"ccedil", 0xe7},  {"shy", 0xad}};

/* "&#1234;" or "&amp;" at data[0]. Its length, or 0. */
static size_t entity(const uint8_t *data, size_t size, uint32_t *ret_code)
{
    size_t end = 1;
    uint32_t code = 0;
    bool hex = false;

    while (end < size && end < 12 && data[end] != ';')
        end++;
    if (end >= size || data[end] != ';' || end < 2)
        return 0;
    if (data[1] == '#') {
        hex = end > 2 && (data[2] | 32) == 'x';
        for (size_t i = hex ? 3 : 2; i < end; i++) {
            uint8_t digit = data[i], value = digit >= '0' && digit <= '9' ? (uint8_t)(digit - '0')
                                             : hex && (digit | 32) >= 'a' && (digit | 32) <= 'f'
                                                 ? (uint8_t)((digit | 32) - 'a' + 10)
                                                 : 99;
            if (value == 99 || code > 0x10ffff)
                return 0;
            code = code * (hex ? 16 : 10) + value;
        }
        *ret_code = code;
        return end + 1;
    }
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        if (strlen(entities[i].name) == end - 1 && memcmp(entities[i].name, data + 1, end - 1) == 0) {
            *ret_code = entities[i].code;
            return end + 1;
        }
    }
    return 0;
}

static bool is_tag(const struct tag *tag, const char *name)
{
    return tag->size == strlen(name) && strncasecmp(tag->name, name, tag->size) == 0;
}

/* Tags in a line that do not part words. */
static bool is_inline(const struct tag *tag, bool html)
{
    static const char *const html_names[] = {
        "a",   "b",    "i",  "u",    "em",   "strong", "span",   "font", "small", "big",   "sub",
        "sup", "code", "tt", "mark", "abbr", "s",      "strike", "wbr",  "q",     "label", "o:p"};
    /* OOXML's runs and text, and what stands in them; OpenDocument's spans. */
    static const char *const xml_names[] = {"w:r",
                                            "w:t",
                                            "w:rpr",
                                            "w:rfonts",
                                            "w:lang",
                                            "w:b",
                                            "w:i",
                                            "w:sz",
                                            "w:szcs",
                                            "w:prooferr",
                                            "w:bookmarkstart",
                                            "w:bookmarkend",
                                            "w:color",
                                            "w:u",
                                            "w:bcs",
                                            "w:ics",
                                            "w:nospellcheck",
                                            "w:noproof",
                                            "w:softhyphen",
                                            "w:lastrenderedpagebreak",
                                            "w:highlight",
                                            "w:shd",
                                            "w:vertalign",
                                            "a:r",
                                            "a:t",
                                            "a:rpr",
                                            "a:latin",
                                            "a:cs",
                                            "a:ea",
                                            "a:solidfill",
                                            "a:srgbclr",
                                            "r",
                                            "rpr",
                                            "text:span",
                                            "text:soft-page-break",
                                            "text:bookmark",
                                            "text:a"};
    const char *const *names = html ? html_names : xml_names;
    size_t count = html ? sizeof html_names / sizeof html_names[0] : sizeof xml_names / sizeof xml_names[0];

    for (size_t i = 0; i < count; i++) {
        if (is_tag(tag, names[i]))
            return true;
    }
    return false;
}

/* Where the tag at data[0] ends, quotes heeded; `size` when it does not. */
static size_t tag_end(const uint8_t *data, size_t size)
{
    uint8_t quote = 0;

    for (size_t i = 1; i < size; i++) {
        if (quote != 0)
            quote = data[i] == quote ? 0 : quote;
        else if (data[i] == '>')
            return i + 1;
        else if (data[i] == '"' || data[i] == '\'')
            quote = data[i];
    }
    return size;
}

static size_t skip_to(const uint8_t *data, size_t size, const char *end)
{
    const uint8_t *found = memmem(data, size, end, strlen(end));

    return found != NULL ? (size_t)(found - data) + strlen(end) : size;
}

/* <script> and <style> hold no text; nor does what stands to their end. */
static size_t skip_raw(const struct tag *tag, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + tag->size + 2 < size; i++) {
        if (data[i] == '<' && data[i + 1] == '/' &&
            strncasecmp((const char *)data + i + 2, tag->name, tag->size) == 0)
            return i;
    }
    return size;
}

static size_t take_tag(const uint8_t *data, size_t size, bool html, struct output *output)
{
    struct tag tag = {.closing = size > 1 && data[1] == '/'};
    size_t end, first = tag.closing ? 2 : 1;

    if (size >= 4 && memcmp(data, "<!--", 4) == 0)
        return skip_to(data, size, "-->");
    if (size >= 9 && memcmp(data, "<![CDATA[", 9) == 0) {
        end = skip_to(data, size, "]]>");
        output_text(output, data + 9, end >= 12 ? end - 12 : 0);
        return end;
    }
    if (size >= 2 && data[1] == '?')
        return skip_to(data, size, "?>");
    /* Declarations in a document's own type are not looked at, so no entity of it is known. */
    end = tag_end(data, size);
    if (size >= 9 && strncasecmp((const char *)data, "<!DOCTYPE", 9) == 0 && memchr(data, '[', end) != NULL)
        return skip_to(data, size, "]>");
    tag.name = (const char *)data + first;
    while (first + tag.size < end && data[first + tag.size] > ' ' && data[first + tag.size] != '>' &&
           data[first + tag.size] != '/')
        tag.size++;
    if (html && !tag.closing && (is_tag(&tag, "script") || is_tag(&tag, "style")))
        return end + skip_raw(&tag, data + end, size - end);
    if (!is_inline(&tag, html)) {
        if (tag.closing || is_tag(&tag, "br") || is_tag(&tag, "w:br"))
            output_line(output);
        else
            output_blank(output);
    }
    return end;
}

void markup_put(const uint8_t *data, size_t size, bool html, struct output *output)
{
    for (size_t at = 0; at < size && !output_done(output);) {
        uint32_t code;
        size_t length;

        if (data[at] == '<') {
            at += take_tag(data + at, size - at, html, output);
            continue;
        }
        length = data[at] == '&' ? entity(data + at, size - at, &code)
                                 : text_character(data + at, size - at, &code);
        if (length == 0 && data[at] == '&') {
            code = '&';
            length = 1;
        }
        if (length > 0)
            output_code(output, code == '\n' || code == '\r' ? ' ' : code);
        at += length > 0 ? length : 1;
    }
}

/* charset= or encoding= in the first kilobyte. */
static const struct charset *declared(const struct document *document)
{
    size_t size = document->size < 1024 ? document->size : 1024;

    for (size_t i = 0; i + 10 < size; i++) {
        const char *text = (const char *)document->data + i;
        size_t skip = strncasecmp(text, "charset=", 8) == 0    ? 8
                      : strncasecmp(text, "encoding=", 9) == 0 ? 9
                                                               : 0,
               length = 0;

        if (skip == 0)
            continue;
        skip += text[skip] == '"' || text[skip] == '\'';
        while (i + skip + length < size && strchr("\"' >;?/\t\r\n", text[skip + length]) == NULL)
            length++;
        return charset_find(document->charsets, text + skip, length);
    }
    return NULL;
}

static bool is_html(const uint8_t *data, size_t size)
{
    size = size < 4096 ? size : 4096;
    for (size_t i = 0; i + 5 <= size; i++) {
        if (strncasecmp((const char *)data + i, "<html", 5) == 0 ||
            strncasecmp((const char *)data + i, "<body", 5) == 0)
            return true;
    }
    return false;
}

void extract_markup(const struct document *document, struct output *output, const char **ret_format)
{
    const struct charset *charset = declared(document);
    struct buf text = {0};
    bool sure = true;

    /* Who says UTF-16 in the mark-up is wrong: it could not be read so far. */
    if (text_is_utf8(document->data, document->size))
        charset = charset_find(document->charsets, "utf-8", 5);
    else if (charset == NULL || strncmp(charset_name(charset), "utf-", 4) == 0)
        charset = charset_guess(document->charsets, document->data, document->size, &sure);
    if (!sure)
        output->guessed = true;
    charset_to_utf8(charset, document->data, document->size, &text);
    *ret_format = is_html(document->data, document->size) ? "html" : "xml";
    if (buf_failed(&text))
        output_lacks(output, "there was no memory to read it");
    else
        markup_put(text.data, text.size, (*ret_format)[0] == 'h', output);
    buf_finish(&text);
}
