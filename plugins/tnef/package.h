/*
 * package: what is gathered of a message in a package before it is given: its headers, and where its texts
 * and an attachment's parts lie. [MS-OXTNEF 2.1.3]
 *
 * Each reader takes one attribute's content: `data`, `size`, and `at`, where that lies in the stream.
 */
#ifndef KVALI_TNEF_PACKAGE_H
#define KVALI_TNEF_PACKAGE_H

#include "engine/plugin.h"

/* Bytes of the stream. */
struct span {
    uint64_t offset;
    size_t size;
};

struct attachment {
    uint64_t at; /* where it begins */
    bool there, filled, object;
    struct span data, picture, title, long_name, short_name, type;
    bool long_is_wide, short_is_wide, type_is_wide;
    int64_t modified, born;
};

struct package {
    struct scan *scan;
    const uint8_t *data;
    size_t size;
    struct buf sender, recipients[3], subject, message_id, in_reply_to, class;
    int64_t sent, delivered;
    struct span text, html, rtf;
    bool text_is_wide;
    struct attachment attachment;
    uint64_t parts, streams;
    unsigned attachments;
    int code;
};

/* Text up to its NUL as UTF-8 in place of what was there; 8-bit characters stay as they are. */
void package_text(struct buf *ret, const uint8_t *data, size_t size, bool wide);
/* The same of bytes of the stream. */
void package_span(const struct package *package, struct buf *ret, struct span span, bool wide);
/* Year, month, day, hour, minute, second; WHEN_NONE. */
int64_t package_date(const uint8_t *data, size_t size);

void package_from(struct package *package, const uint8_t *data, size_t size);
void package_recipients(struct package *package, const uint8_t *data, size_t size);
void package_message_props(struct package *package, const uint8_t *data, size_t size, uint64_t at);
void package_attachment_props(struct package *package, const uint8_t *data, size_t size, uint64_t at);

#endif
