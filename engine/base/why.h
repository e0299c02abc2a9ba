/*
 * why: the reason of a failure in words for a person, beside the errno that the program acts on.
 * A function that takes a `struct why *` fills it whenever it returns an error, naming the file and the
 * cause.
 */
#ifndef KVALI_BASE_WHY_H
#define KVALI_BASE_WHY_H

struct why {
    char text[512]; /* one line, escaped, no full stop at the end */
};

/* Writes the text (cut to fit at a character's edge) and returns `code`, so that a caller can `return
 * why_set(...)`. `why` may be NULL. */
int why_set(struct why *why, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
