/* index_private: what index.c and index_search.c share. */
#ifndef KVALI_CASES_INDEX_PRIVATE_H
#define KVALI_CASES_INDEX_PRIVATE_H

#include "cases/index.h"
#include "engine/base/buf.h"

int index_path(const struct casefile *cf, char *ret, size_t size);
/* Appends the text of a page. -EUCLEAN: it is not what it was. */
int index_unpack(const void *packed, size_t packed_size, uint64_t size, struct buf *ret);

#endif
