/*
 * why: reasons in words.
 */
#include "engine/base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(struct why *why, int code, const char *format, ...)
{
    if (!why)
        return code;
    char text[sizeof why->text]; /* an argument may be why->text itself */
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0)
        text[0] = 0;
    if ((size_t)size >= sizeof text) { /* cut: not in the middle of a UTF-8 sequence */
        size_t end = sizeof text - 1, start = end;
        while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
            start--;
        unsigned char lead = (unsigned char)text[start];
        size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        if (lead >= 0xc0 && end - start < length)
            text[start] = 0;
    }
    memcpy(why->text, text, sizeof text);
    return code;
}
