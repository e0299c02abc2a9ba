/*
 * cipher: how far data goes that is encrypted and does not tell its length. Encrypted bytes have every value
 * equally often; the slack behind a file is zeros, and other data hardly ever passes for random.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_CIPHER_H
#define KVALI_PLUGINS_CARVE_FORMATS_CIPHER_H

#include "plugins/carve/reader.h"

/* The end of what may be encrypted from `offset` on, a whole number of 16-byte blocks behind it: before the
 * first block of equal bytes (which a cipher yields once in 2^120), and before the first 512 bytes that are
 * not random, at most at `limit`. It is an upper bound: encrypted or packed data of something else would be
 * taken in. */
uint64_t cipher_end(struct reader *reader, uint64_t offset, uint64_t limit);

#endif
