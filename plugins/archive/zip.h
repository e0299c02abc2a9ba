/*
 * zip: ZIP archives by their directory, and by local headers where no directory names them.
 *
 * The directory is read here and not by libarchive, which changes names (to composed letters), drops NTFS
 * times, and has no member that the directory does not list. It unpacks each member, from a header that is
 * made for it.
 */
#ifndef KVALI_ARCHIVE_ZIP_H
#define KVALI_ARCHIVE_ZIP_H

#include "plugins/archive/member.h"

/* Lists and opens all members. 0 or -ENOMEM. */
int zip_walk(struct opened *opened, bool behind_program);

/* The end of the directory without a comment, whole and plausible. */
enum { ZIP_END = 22 };
bool zip_is_end(const uint8_t data[ZIP_END]);

/* Does a directory's end stand at the end of the stream, as far as 64 KiB of comment allow? */
bool zip_has_directory(struct source_bytes *source);

#endif
