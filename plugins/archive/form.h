/*
 * form: which archive or compression a stream is, by its content alone. No name is believed.
 */
#ifndef KVALI_ARCHIVE_FORM_H
#define KVALI_ARCHIVE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum form {
    FORM_NONE,
    FORM_ZIP,
    FORM_SEVENZIP,
    FORM_RAR,
    FORM_RAR5,
    FORM_TAR,
    FORM_CPIO,
    FORM_AR,
    FORM_CAB,
    FORM_ISO,
    FORM_XAR,
    FORM_WARC,
    FORM_LHA,
    FORM_GZIP, /* from here on one packed content without members */
    FORM_BZIP2,
    FORM_XZ,
    FORM_ZSTD,
    FORM_LZ4,
    FORM_LZMA,
    FORM_LZIP,
    FORM_COMPRESS,
    FORM_RPM,
    FORMS,
};

/* A few bytes of the beginning, and where an ISO 9660 volume begins. */
enum { FORM_HEAD = 512, FORM_ISO_OFFSET = 32768, FORM_ISO_SIZE = 6 };

/* `size`: bytes at data, FORM_HEAD where the stream has as many. FORM_ISO and what stands behind a program is
 * not told from these. */
enum form form_of(const uint8_t *data, size_t size);
/* Is `data` (FORM_ISO_SIZE bytes at FORM_ISO_OFFSET) the beginning of a volume descriptor? [ECMA-119, 8.1] */
bool form_is_iso(const uint8_t *data);
/* Is it a program, which an archive may be appended to? */
bool form_is_program(const uint8_t *data, size_t size);
/* An archive of a kind that is appended to programs begins here: which; else FORM_NONE. Needs 8 bytes. */
enum form form_appended(const uint8_t *data, size_t size);

const char *form_name(enum form form);
static inline bool form_is_packed(enum form form)
{
    return form >= FORM_GZIP;
}

#endif
