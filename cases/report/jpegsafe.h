/*
 * jpegsafe: is this a JPEG as kvali's plugin `thumbnail` writes them, and nothing else?
 *
 * What a report shows was written by a worker that read hostile evidence, and a case is a folder that came
 * from somebody. So before a browser is given such bytes, their shape is checked: one baseline frame of at
 * most 160 x 160 pixels, the tables that it needs, one scan, no comment, no metadata, nothing behind its end
 * (ITU-T T.81, annex B).
 */
#ifndef KVALI_CASES_REPORT_JPEGSAFE_H
#define KVALI_CASES_REPORT_JPEGSAFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JPEGSAFE_MAX = 12 * 1024, JPEGSAFE_SIDE = 160 };

/* On true, with its size in pixels. */
bool jpegsafe(const uint8_t *data, size_t size, uint32_t *ret_width, uint32_t *ret_height);

#endif
