/*
 * file_options: the filters that `find` and `export` share.
 */
#ifndef KVALI_CLI_FILE_OPTIONS_H
#define KVALI_CLI_FILE_OPTIONS_H

#include "cases/query.h"
#include "engine/cli/options.h"

/* clang-format off */
#define FILE_OPTIONS                                                                                    \
    {"exhibit", 'x', "LABEL", "Only in this exhibit"},                                                  \
    {"name", 'n', "GLOB", "Name like this: '*.doc', 'IMG_????.jpg'"},                                   \
    {"path", 'p', "GLOB", "Whole address like this: '*/Users/*/Downloads/*'"},                          \
    {"hash", 0, "HEX", "MD5, SHA-1 or SHA-256 of the content, or xxh3:HEX"},                            \
    {"mime", 'm', "GLOB", "Type of the content: 'image/*'"},                                            \
    {"rule", 'r', "GLOB", "A YARA rule with a name like this matched"},                                 \
    {"in-set", 0, "GLOB", "A hash set with a name like this has the content"},                         \
    {"keyword", 0, "GLOB", "A keyword like this stands in it, or one of a group like this"},             \
    {"feature", 0, "KIND[:GLOB]", "Such a feature was found in it: iban, 'email:*@example.org'"},             \
    {"kind", 'k', "KIND", "image, raw, file, ads, meta, slack, free, child or carved"},                 \
    {"type", 't', "TYPE", "file, folder, link, fifo, chardev, blockdev, socket or virtual"},            \
    {"min-size", 0, "SIZE", "At least this large: 4096, 512K, 10M, 2G"},                                \
    {"max-size", 0, "SIZE", "At most this large"},                                                      \
    {"after", 0, "TIME", "Modified at or after: 2026-01-31, 2026-01-31T12:00:00Z (UTC)"},               \
    {"before", 0, "TIME", "Modified before"},                                                           \
    {"deleted", 'd', NULL, "Only what is deleted"},                                                     \
    {"live", 0, NULL, "Only what is not deleted"},                                                      \
    {"mismatch", 0, NULL, "Only where the extension does not match the content"},                       \
    {"carved", 0, NULL, "Only what was recovered by its structure"},                                     \
    {"grade", 0, "GRADE", "The same, of this grade: validated, complete, partial or fragment"},         \
    {"limit", 'l', "N", "At most so many rows"}
/* clang-format on */

/* Fills the filter from what was given; borrows from `options`. -EINVAL and `why`. */
int file_options(const struct options *options, struct file_filter *ret_filter, struct why *why);

#endif
