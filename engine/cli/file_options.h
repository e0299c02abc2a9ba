/*
 * file_options: the filters that `find` and `export` share.
 */
#ifndef KVALI_CLI_FILE_OPTIONS_H
#define KVALI_CLI_FILE_OPTIONS_H

#include "cases/query.h"
#include "engine/cli/options.h"

/* clang-format off */
#define FILE_OPTIONS                                                                                                   \
    {"exhibit", 'x', "LABEL", "Of this exhibit only"},                                                                 \
    {"name", 'n', "GLOB", "The last component fits, like '*.docx'"},                                                   \
    {"path", 'p', "GLOB", "The whole address fits, like '*/Users/*'"},                                                 \
    {"hash", 0, "HEX", "This MD5, SHA-1 or SHA-256, or xxh3:HEX"},                                                     \
    {"mime", 'm', "GLOB", "The type fits, like 'image/*'"},                                                            \
    {"rule", 'r', "GLOB", "A YARA rule of this name matches"},                                                         \
    {"kind", 'k', "KIND", "image, raw, file, ads, meta, slack, free, child or carved"},                                \
    {"type", 't', "TYPE", "file, folder, link, fifo, chardev, blockdev, socket or virtual"},                           \
    {"min-size", 0, "SIZE", "At least so many bytes (K, M, G, T: powers of 1024)"},                                    \
    {"max-size", 0, "SIZE", "At most so many bytes"},                                                                  \
    {"after", 0, "TIME", "Modified at or after: 2026-01-31 or RFC 3339, UTC"},                                         \
    {"before", 0, "TIME", "Modified before"},                                                                          \
    {"deleted", 0, NULL, "Deleted names only"},                                                                        \
    {"live", 0, NULL, "Live names only"},                                                                              \
    {"mismatch", 0, NULL, "The extension does not fit the content"},                                                   \
    {"limit", 'l', "N", "At most so many rows"}
/* clang-format on */

/* Fills the filter from what was given; borrows from `options`. -EINVAL and `why`. */
int file_options(const struct options *options, struct file_filter *ret_filter, struct why *why);

#endif
