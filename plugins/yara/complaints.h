/*
 * complaints: what libyara's compiler says, kept until it is done.
 */
#ifndef KVALI_PLUGINS_YARA_COMPLAINTS_H
#define KVALI_PLUGINS_YARA_COMPLAINTS_H

#include <stdbool.h>
#include <stddef.h>

struct complaint {
    bool error; /* else a warning */
    unsigned line;
    char text[200];
};

struct complaints {
    struct complaint *items;
    size_t count, capacity;
};

/* The first thousand, and no more: the others will be said again. */
void complaints_add(struct complaints *complaints, bool error, int line, const char *message);
void complaints_finish(struct complaints *complaints);

/* The first error, or a general one. Static or of `complaints`. */
const struct complaint *complaints_first(const struct complaints *complaints);

#endif
