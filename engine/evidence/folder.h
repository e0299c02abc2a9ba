/*
 * folder: logical evidence: a folder (or a single file) of the examiner's own file system.
 *
 * The folder is walked by names below its descriptor, one component at a time, and symbolic links are never
 * followed: so what is found lies in it. Locators are "folder/" and the hex of the relative path.
 */
#ifndef KVALI_EVIDENCE_FOLDER_H
#define KVALI_EVIDENCE_FOLDER_H

#include "engine/base/why.h"
#include "engine/evidence/found.h"
#include "engine/evidence/image.h"

#include <stdint.h>

/* IMAGE_FOLDER: every entry below, folder by folder, each in the order of its names' bytes. `at` gets the
 * inode of the folder being listed. 0, -ENOMEM, or the sink's own code. */
int folder_expand(struct image *image, const struct found_sink *sink);

/* IMAGE_FILE: the one entry. */
int folder_expand_file(struct image *image, const struct found_sink *sink);

/* Opens a regular file of the folder for pread; the caller closes. `relative_hex` may come from anywhere.
 * -EINVAL (not such a path, or not a regular file), -ENOENT, -EACCES, -ELOOP (a component has become a link).
 */
int folder_open(struct image *image, const char *relative_hex, int *ret_fd, uint64_t *ret_size,
                struct why *why);

#endif
