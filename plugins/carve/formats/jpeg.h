/*
 * jpeg: a JPEG picture inside of another object.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_JPEG_H
#define KVALI_PLUGINS_CARVE_FORMATS_JPEG_H

#include "plugins/carve/format.h"

/* Examines the picture at `at`, as the format "jpeg" does, without title, parts and what follows it.
 * `tables_size` bytes at `tables` are a stream of tables that it needs (TIFF's JPEGTables); 0: none. In
 * `ret`, which is all zero, size and good count from the object's first byte, not from `at`. */
enum carve_grade jpeg_check(struct reader *reader, uint64_t at, uint64_t tables, uint64_t tables_size,
                            struct carved *ret);

/* Lets `ret`, a whole picture, end behind what its cameras put behind it. `index_size` bytes at `index` are
 * its multi-picture index; 0: none. A further picture that is not there makes it COMPLETE. */
void jpeg_after(struct reader *reader, uint64_t index, uint64_t index_size, struct carved *ret);

#endif
