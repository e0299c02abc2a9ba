/*
 * record_cut: the one rule for a record that is too large for the wire.
 *
 * Its longest values are made shorter, no more than needed and down to one common length, so that short ones
 * stay whole. Text ends behind a whole character or escape (base/text.h), JSON behind a whole element of its
 * array; JSON that is no array is left out.
 */
#ifndef KVALI_SCAN_RECORD_CUT_H
#define KVALI_SCAN_RECORD_CUT_H

#include "engine/scan/record.h"

/* record_encode for values of any size below PTRDIFF_MAX; of each at most RECORD_SIZE_MAX bytes are looked
 * at. Appends to `told` the names of the fields that were cut, with the bytes kept: "to (20480 bytes kept),
 * received (left out)". -EINVAL as record_encode; -E2BIG: a size that nothing in memory has; -ENOMEM. Nothing
 * is appended to `buf` then. */
int record_encode_cut(struct buf *buf, const struct record_type *type, const struct value *values,
                      struct buf *told);

#endif
