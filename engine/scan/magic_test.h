/*
 * magic_test: the bytes without which a test of a magic file cannot pass.
 */
#ifndef KVALI_SCAN_MAGIC_TEST_H
#define KVALI_SCAN_MAGIC_TEST_H

#include "engine/scan/magic_entry.h"

/* These bytes, where the mask has ones, begin at `offset` or at one of the `range` bytes behind it. */
struct magic_test {
    uint32_t offset, range;
    uint8_t size; /* 1 ... MAGIC_VALUE_MAX */
    uint8_t value[MAGIC_VALUE_MAX], mask[MAGIC_VALUE_MAX];
};

/* What this entry, of level 0, needs: false when it is no question of given bytes. White space that may be
 * longer or missing, and what follows it, is left out; so a test has what its entry needs, not all of it. */
bool magic_test_of(const struct magic_entry *entry, struct magic_test *ret_test);

bool magic_test_stands(const struct magic_test *test, const uint8_t *data, size_t size);

#endif
