/*
 * log: one line a message to standard error, for the two programs' main files and the layers just below them.
 * Library code is silent: it returns codes and fills a struct why. Arguments that come from evidence must be
 * escaped (text.h) by the caller; as a second line of defence log replaces control bytes.
 */
#ifndef KVALI_BASE_LOG_H
#define KVALI_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Messages above `level` are dropped; the start is LOG_INFO. */
void log_set_level(enum log_level level);
/* Called before a line is written, to clear a progress line from the terminal; NULL for none. */
void log_set_hook(void (*before)(void));

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
