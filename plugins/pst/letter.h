/*
 * letter: what a store says of one message, as a record with the fields that mail's messages have, too.
 */
#ifndef KVALI_PST_LETTER_H
#define KVALI_PST_LETTER_H

#include "plugins/pst/store.h"

extern const struct record_type letter_type;
enum { LETTER_FIELDS = 26, LETTER_TEXTS = 14 };

struct letter {
    struct value values[LETTER_FIELDS];
    struct buf rooms[LETTER_TEXTS]; /* what the values point to */
};

/* Where a message was found: `folder` as text that may be shown, `state` live, hidden, orphan or recovered.
 */
struct letter_place {
    const char *folder, *state;
};

/* The values stay until letter_finish. */
void letter_read(struct letter *letter, struct item *message, const struct letter_place *place);
void letter_finish(struct letter *letter);

/* A header's value in `headers` (RFC 5322, folded lines joined) at the end of `ret`; false when it is not
 * there. `*at`: where to go on behind it; 0 at first. */
bool letter_header(const struct buf *headers, const char *name, size_t *at, struct buf *ret);

#endif
