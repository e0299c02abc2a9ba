/*
 * plain: text without structure, in whatever character set.
 */
#include "plugins/text/extract.h"

#include "engine/base/text.h"

#include <stdio.h>
#include <string.h>

/* Zeros in one half of the units and hardly any in the other: text of ASCII or few other blocks. */
static const char *utf16_of(const uint8_t *data, size_t size)
{
    size_t even = 0, odd = 0, units = (size < 4096 ? size : 4096) / 2;

    if (size >= 2 && data[0] == 0xff && data[1] == 0xfe)
        return "utf-16le";
    if (size >= 2 && data[0] == 0xfe && data[1] == 0xff)
        return "utf-16be";
    for (size_t i = 0; i < units; i++) {
        even += data[2 * i] == 0;
        odd += data[2 * i + 1] == 0;
    }
    if (units >= 8 && odd > units / 2 && even == 0)
        return "utf-16le";
    return units >= 8 && even > units / 2 && odd == 0 ? "utf-16be" : NULL;
}

void extract_plain(const struct document *document, struct output *output, const char **ret_format)
{
    const char *wide = utf16_of(document->data, document->size);
    const struct charset *charset;
    bool sure = true;

    if (wide != NULL)
        charset = charset_find(document->charsets, wide, strlen(wide));
    else if (text_is_utf8(document->data, document->size))
        charset = charset_find(document->charsets, "utf-8", 5);
    else
        charset = charset_guess(document->charsets, document->data, document->size, &sure);
    if (!sure)
        output->guessed = true;
    *ret_format = charset_name(charset);
    charset_put(charset, document->data, document->size, output);
}

/* ------------------------------------------------------------------ what it is */

static bool begins(const uint8_t *data, size_t size, const char *text)
{
    return size >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

static bool has(const uint8_t *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

static bool has_any_case(const uint8_t *data, size_t size, const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i + length <= size; i++) {
        size_t j = 0;

        while (j < length && (data[i + j] | 32) == (text[j] | 32))
            j++;
        if (j == length)
            return true;
    }
    return false;
}

/* A header line first, and two names that mail has. */
static bool is_mail(const uint8_t *data, size_t size)
{
    static const char *const wanted[] = {
        "\nFrom: ",         "\nTo: ",       "\nSubject: ",     "\nDate: ",        "\nMessage-ID: ",
        "\nMIME-Version: ", "\nReceived: ", "\nReturn-Path: ", "\nDelivered-To: "};
    size_t colon = 0, count = 0;

    if (begins(data, size, "From "))
        return has(data, size, "\nReceived: ") || has(data, size, "\nSubject: ") ||
               has(data, size, "\nFrom: ");
    while (colon < size && colon < 60 && data[colon] > ' ' && data[colon] < 0x7f && data[colon] != ':')
        colon++;
    if (colon == 0 || colon >= size || data[colon] != ':')
        return false;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        count += has_any_case(data, size, wanted[i]) ||
                 has_any_case(data, colon + 2 < size ? colon + 2 : size, wanted[i] + 1);
    return count >= 2;
}

static bool is_plain(const uint8_t *data, size_t size, bool whole)
{
    size_t controls = 0, end = size;

    if (size == 0)
        return false;
    if (utf16_of(data, size) != NULL)
        return true;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == 0)
            return false;
        controls +=
            (data[i] < ' ' && data[i] != '\t' && data[i] != '\n' && data[i] != '\r' && data[i] != '\f') ||
            data[i] == 0x7f;
    }
    if (controls * 100 > size)
        return false;
    /* The last character may be cut off here. */
    for (size_t i = 0; !whole && i < 3 && end > 0 && (data[end - 1] & 0x80) != 0; i++)
        end--;
    if (text_is_utf8(data, end))
        return true;
    /* In 8 bits a text still has blanks and line ends. */
    return has(data, size, " ") && controls == 0;
}

enum format extract_format(const uint8_t *data, size_t size, bool whole)
{
    size_t skip = begins(data, size, "\xef\xbb\xbf") ? 3 : 0;

    while (skip < size && (data[skip] == ' ' || (data[skip] >= '\t' && data[skip] <= '\r')))
        skip++;
    if (has(data, size < 1024 ? size : 1024, "%PDF-"))
        return FORMAT_PDF;
    if (begins(data, size, "PK\3\4"))
        return FORMAT_PACKAGE;
    if (begins(data, size, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
        return FORMAT_WORD;
    if (begins(data + skip, size - skip, "{\\rtf"))
        return FORMAT_RTF;
    if (begins(data + skip, size - skip, "<") &&
        (has_any_case(data, size, "<html") || has_any_case(data, size, "<!doctype html") ||
         has_any_case(data, size, "<body") || begins(data + skip, size - skip, "<?xml")) &&
        is_plain(data, size, whole))
        return FORMAT_MARKUP;
    if (is_mail(data, size) && is_plain(data, size, whole))
        return FORMAT_MAIL;
    return is_plain(data, size, whole) ? FORMAT_PLAIN : FORMAT_NONE;
}

void extract(enum format format, const struct document *document, struct output *output,
             const char **ret_format)
{
    static void (*const extractors[])(const struct document *, struct output *, const char **) = {
        [FORMAT_NONE] = extract_plain,      [FORMAT_PLAIN] = extract_plain, [FORMAT_MARKUP] = extract_markup,
        [FORMAT_PACKAGE] = extract_package, [FORMAT_RTF] = extract_rtf,     [FORMAT_WORD] = extract_word,
        [FORMAT_PDF] = extract_pdf,         [FORMAT_MAIL] = extract_mail};

    extractors[format](document, output, ret_format);
}
