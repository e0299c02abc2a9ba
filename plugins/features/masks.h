/*
 * masks: where something that looks like a feature may be, found from the classes of bytes, 64 at a time: a
 * bit for each byte and class, and these words shifted against each other. What few places show is then asked
 * of the bytes around; examiners do the rest. [The method: Langdale and Lemire, Parsing Gigabytes of JSON per
 * Second, 2019]
 */
#ifndef KVALI_PLUGINS_FEATURES_MASKS_H
#define KVALI_PLUGINS_FEATURES_MASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trigger {
    TRIGGER_AT,       /* an '@' between letters or digits */
    TRIGGER_SCHEME,   /* the ':' of "://" */
    TRIGGER_DIGITS,   /* somewhere in a run of nine or more digits */
    TRIGGER_GROUPS,   /* the last of four digits behind four digits and a space or '-' */
    TRIGGER_DOTTED,   /* the first dot of four numbers of up to three digits with dots between */
    TRIGGER_DECIMAL,  /* a point before four or more digits, behind one */
    TRIGGER_PLUS,     /* a '+' before a digit */
    TRIGGER_RUN,      /* somewhere in a run of 26 or more letters and digits (or a little less) */
    TRIGGER_CAPITALS, /* somewhere in a run of 28 or more of A-Z 0-9 '<' (or a little less) */
    TRIGGER_PAIRS,    /* the first of five ':' or '-' that are three apart */
    TRIGGER_COLONS,   /* the first of "::", or of three ':' that are at most five apart */
    TRIGGER_WORDS,    /* somewhere in a run of 47 or more a-z, digits, white space, '.', ',', ')' (or a little
                         less) in which as many stand side by side without a word of one, two, nine or more
                         letters */
    TRIGGER_PLATE,    /* the first '-' of "-ddd-" or the one of "LLL-ddd" */
    TRIGGER_IBAN,     /* the second digit of "LLdd" */
    TRIGGER_WIDE, /* somewhere in a run of six or more (four will do) pairs of a printable byte and a zero */
    TRIGGERS,
};

struct mark {
    uint32_t at;
    uint32_t trigger; /* enum trigger */
};

struct marks {
    struct mark *items; /* owned */
    size_t count, capacity;
};

/* Appends the marks of [0, size), for every place that the words above describe at least one; without `wide`
 * none of TRIGGER_WIDE. `size` is below 4 GiB. False: no memory. */
bool masks_find(const uint8_t *data, size_t size, bool wide, struct marks *marks);
void marks_finish(struct marks *marks);

#endif
