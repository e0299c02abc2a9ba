/*
 * known: contents that are encrypted and say so themselves, by their first bytes.
 */
#ifndef KVALI_ENCRYPTED_KNOWN_H
#define KVALI_ENCRYPTED_KNOWN_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LUKS2 names its cipher in a text behind the first 4 KiB. */
enum { KNOWN_HEAD = 16384 };

/* May it be one? Quick: for every stream. */
bool known_begins(const uint8_t *data, size_t size);
/* What it is ("KeePass database") and, in `ret_method`, how it is encrypted as far as it says; NULL: it is
 * none. `data`: the first KNOWN_HEAD bytes, fewer where there are not so many. */
const char *known_kind(const uint8_t *data, size_t size, struct buf *ret_method);

/* OpenPGP messages [RFC 9580], binary: as known_kind. */
const char *openpgp_kind(const uint8_t *data, size_t size, struct buf *ret_method);
bool openpgp_begins(const uint8_t *data, size_t size);

/* Decodes base64 up to the first byte that is none; blanks are skipped. How many bytes came, at most `room`.
 */
size_t base64_decode(const uint8_t *data, size_t size, uint8_t *ret, size_t room);

#endif
