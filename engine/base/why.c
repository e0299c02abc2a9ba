/*
 * why: a failure's reason in words, always one line, cut where a UTF-8 character ends (RFC 3629).
 */
#include "engine/base/why.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The length of `text` without a character that was cut in two at its end. */
static size_t whole_characters(const char *text, size_t size)
{
    size_t start = size;
    unsigned char lead;

    while (start > 0 && size - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return size;
    lead = (unsigned char)text[start - 1];
    if ((lead >= 0xc0 && size - start < 1) || (lead >= 0xe0 && size - start < 2) ||
        (lead >= 0xf0 && size - start < 3))
        return start - 1;
    return size;
}

int why_set(struct why *why, int code, const char *format, ...)
{
    /* Not straight into why->text, which callers pass as an argument to put words before it. */
    char text[sizeof why->text];
    va_list args;
    int length;

    if (why == NULL)
        return code;
    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= sizeof text)
        text[whole_characters(text, sizeof text - 1)] = '\0';
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    memcpy(why->text, text, strlen(text) + 1);
    return code;
}
