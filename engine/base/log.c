/*
 * log: one line a message to standard error.
 *
 * A message goes out in one write, so that lines of several processes do not mix. Control bytes never go out:
 * C0, DEL and C1 in its UTF-8 form [ECMA-48] become '?', whatever a caller forgot to escape.
 */
#include "engine/base/log.h"

#include "engine/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

static enum log_level most = LOG_INFO;
static void (*hook)(void);

void log_set_level(enum log_level level)
{
    most = level;
}

void log_set_hook(void (*before)(void))
{
    hook = before;
}

static void replace_controls(uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
        else if (text[i] == 0xc2 && i + 1 < size && text[i + 1] >= 0x80 && text[i + 1] <= 0x9f)
            text[i] = text[i + 1] = '?';
    }
}

static void write_all(const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(STDERR_FILENO, data, size);

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
}

static void write_line(const char *word, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void write_line(const char *word, const char *format, va_list args)
{
    static const char no_memory[] = "kvali: out of memory while writing a message\n";
    int saved = errno;
    struct buf line = {0};

    if (hook != NULL)
        hook();
    errno = saved; /* for a %m */
    buf_text(&line, "kvali: ");
    buf_text(&line, word);
    buf_vprintf(&line, format, args);
    if (!buf_failed(&line))
        replace_controls(line.data, line.size);
    buf_u8(&line, '\n');
    if (buf_failed(&line))
        write_all((const uint8_t *)no_memory, sizeof no_memory - 1);
    else
        write_all(line.data, line.size);
    buf_finish(&line);
    errno = saved;
}

#define LOG_FUNCTION(name, level, word)                                                                      \
    void name(const char *format, ...)                                                                       \
    {                                                                                                        \
        va_list args;                                                                                        \
                                                                                                             \
        if ((level) > most)                                                                                  \
            return;                                                                                          \
        va_start(args, format);                                                                              \
        write_line(word, format, args);                                                                      \
        va_end(args);                                                                                        \
    }

LOG_FUNCTION(log_error, LOG_ERROR, "")
LOG_FUNCTION(log_warn, LOG_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, "")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
