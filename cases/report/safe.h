/*
 * safe: the last line of defence before a byte is shown to a person.
 *
 * Text in a case is escaped already (base/text.h). But a case is a folder that came from somebody, so whoever
 * shows its text passes it through here: what is escaped stays as it is, and what should have been escaped
 * (controls, bidi and zero-width controls, invalid UTF-8) becomes \xNN. Nothing is escaped twice.
 */
#ifndef KVALI_CASES_REPORT_SAFE_H
#define KVALI_CASES_REPORT_SAFE_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void safe_text(struct buf *buf, const void *data, size_t size);
/* The same as a string: `text` itself where it stays as it is, which most text does, else what becomes of it in `room`. */
const char *safe_view(struct buf *room, const char *text);

/* The same, cut in the middle to about `max` bytes at characters' edges, "…" in between; true when it was
 * cut. */
bool safe_text_cut(struct buf *buf, const void *data, size_t size, size_t max);

/* 1234567 as "1 234 567" (no-break spaces), for people. */
void safe_number(struct buf *buf, uint64_t number);
/* 1536 as "1.5 KiB"; below 1024 "1 023 bytes". */
void safe_size(struct buf *buf, uint64_t size);

#endif
