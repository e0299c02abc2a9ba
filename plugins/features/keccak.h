/*
 * keccak: Keccak-256 as Ethereum and Monero use it, with the padding from before FIPS 202, and SHA3-256.
 * libcrypto 3.0 has only the second; both are made here of the permutation that nettle has.
 */
#ifndef KVALI_PLUGINS_FEATURES_KECCAK_H
#define KVALI_PLUGINS_FEATURES_KECCAK_H

#include <stddef.h>
#include <stdint.h>

enum { KECCAK_SIZE = 32 };

void keccak256(const void *data, size_t size, uint8_t ret[KECCAK_SIZE]);
void sha3_256(const void *data, size_t size, uint8_t ret[KECCAK_SIZE]);

#endif
