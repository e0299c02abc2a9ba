/*
 * der: ASN.1 in BER or DER [ITU-T X.690, section 8.1], as far as lengths go.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_DER_H
#define KVALI_PLUGINS_CARVE_FORMATS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value that begins at data[0], with all that is in it: true when every length fits in what holds it, at
 * most 32 levels deep. *ret_end: bytes that it takes. Indefinite lengths are followed to their end. */
bool der_walk(const uint8_t *data, size_t size, size_t *ret_end);

/* Bytes of the value whose tag and length begin at data[0], with both, from the length alone; 0: indefinite,
 * or it cannot be told from `size` bytes. */
uint64_t der_size(const uint8_t *data, size_t size);

#endif
