/*
 * reader: what the parts of the reader see of an open set. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_READER_H
#define KVALI_HASHSET_READER_H

#include "engine/hashset/format.h"

const struct hashset_layout *hashset_layout(const struct hashset *set);
/* The bytes of a part, held against their checksums; NULL: they are damaged. */
const uint8_t *hashset_bytes(const struct hashset *set, const struct hashset_part *part);

#endif
