/*
 * dos_chain: does the chain of extended DOS partitions come to an end? libtsk ends a chain that goes round
 * without a word; what is behind such a table may be hidden on purpose, so it is said.
 */
#ifndef KVALI_EVIDENCE_DOS_CHAIN_H
#define KVALI_EVIDENCE_DOS_CHAIN_H

#include "engine/evidence/signature.h"

#include <stdbool.h>
#include <stdint.h>

/* Follows the extended partitions from the table in sector 0. True when the chain is broken: it comes back to
 * a sector
 * (*ret_sector) where it was before, leads to a sector without a table, or out of the `size` bytes that
 * `read` gives; `ret_what` is then one of these in words (static). */
bool dos_chain_is_broken(uint64_t size, uint32_t sector_size, signature_read *read, void *context,
                         uint64_t *ret_sector, const char **ret_what);

#endif
