/*
 * message: one message as GMime reads it: its headers, and its parts as streams.
 */
#ifndef KVALI_MAIL_MESSAGE_H
#define KVALI_MAIL_MESSAGE_H

#include "engine/plugin.h"

/* In setup: GMime, and the character sets that it may meet, for later none can be loaded. -ENOTSUP without
 * them. */
int message_setup(void);

extern const struct record_type message_type, part_type;

/* Tells of the message of `size` bytes at `data`, which begin at `offset` of the stream, and opens its parts.
 * 0, -ENOSPC when the engine takes no more streams, -ENOMEM. */
int message_read(struct scan *scan, const uint8_t *data, size_t size, uint64_t offset);

#endif
