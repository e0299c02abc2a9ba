/*
 * rtf: text that Outlook has compressed. [MS-OXRTFCP]
 */
#ifndef KVALI_TNEF_RTF_H
#define KVALI_TNEF_RTF_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends what `data` unpacks to, as far as it goes and at most `most` bytes. False: it is not whole, or not
 * what its checksum says. */
bool rtf_unpack(const uint8_t *data, size_t size, size_t most, struct buf *ret);

#endif
