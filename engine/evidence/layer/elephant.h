/*
 * elephant: the diffuser that BitLocker of Windows Vista and 7 has beside AES-CBC.
 *
 * N. Ferguson, "AES-CBC + Elephant diffuser: A Disk Encryption Algorithm for Windows Vista", 2006, section 4.
 */
#ifndef KVALI_EVIDENCE_LAYER_ELEPHANT_H
#define KVALI_EVIDENCE_LAYER_ELEPHANT_H

#include <stddef.h>
#include <stdint.h>

enum { ELEPHANT_KEY_SIZE = 32 };

/* Undoes both diffusers over a sector of `size` bytes (a multiple of 32, at most 4096), and takes the
 * sector's key off. */
void elephant_undo(uint8_t *sector, size_t size, const uint8_t key[ELEPHANT_KEY_SIZE]);

#endif
