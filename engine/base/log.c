/*
 * log: lines to standard error.
 */
#include "engine/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static enum log_level level_max = LOG_INFO;
static void (*hook)(void);

void log_set_level(enum log_level level)
{
    level_max = level;
}

void log_set_hook(void (*before)(void))
{
    hook = before;
}

static void write_line(enum log_level level, const char *format, va_list args)
{
    static const char *const marks[] = {"kvali: ", "kvali: warning: ", "kvali: ", "kvali: debug: "};
    char text[2048];
    if (level > level_max)
        return;
    (void)vsnprintf(text, sizeof text, format, args);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    if (hook)
        hook();
    (void)fprintf(stderr, "%s%s\n", marks[level], text);
}

#define LOG_FUNCTION(name, level)                                                                            \
    void name(const char *format, ...)                                                                       \
    {                                                                                                        \
        va_list args;                                                                                        \
        va_start(args, format);                                                                              \
        write_line(level, format, args);                                                                     \
        va_end(args);                                                                                        \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
