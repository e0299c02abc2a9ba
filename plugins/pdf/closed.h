/*
 * closed: how a PDF file is encrypted. What says so is never encrypted itself, so it is read from the bytes:
 * also where the file wants a password that nobody has. [ISO 32000-1, 7.6; ISO 32000-2, 7.6]
 */
#ifndef KVALI_PDF_CLOSED_H
#define KVALI_PDF_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOSED_SIZE = 64 };

/* "RC4 40", "AES 256 (revision 6)", "certificates (Adobe.PubSec)" … into `ret`; false: the file is not
 * encrypted. */
bool closed_method(const uint8_t *data, size_t size, char ret[CLOSED_SIZE]);

#endif
