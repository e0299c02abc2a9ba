/*
 * report_case: a small case for the tests of reports, made through the writer, with hostile text wherever
 * text from evidence can stand.
 */
#ifndef KVALI_TESTS_REPORT_CASE_H
#define KVALI_TESTS_REPORT_CASE_H

#include "cases/casefile.h"

#include <stddef.h>
#include <stdint.h>

struct report_case {
    size_t files;     /* in the NTFS volume, beside the hostile ones */
    size_t faults;    /* besides those that the files have */
    size_t name_size; /* of one very long name; 0: none */
    size_t recovered; /* objects recovered in the first content: every fourth equals a file, every fifth is refused as a picture */
    uint64_t missing; /* bytes that no column of the division has */
    bool plain;       /* nothing hostile: to be looked at */
    bool pending;     /* stop after 40 contents */
    bool mismatch;    /* the stored hash differs */
};

/* What stands in names and texts; every one must come out harmless. */
extern const char *const report_hostile[];

/* A JPEG as kvali writes them, of that size in pixels; it is not to be decoded. Returns its bytes, at most 1024. */
size_t report_case_jpeg(uint8_t *data, uint32_t width, uint32_t height);

/* Makes the case in `folder`, which must not be there. Asserts on failure. */
void report_case_make(const char *folder, const struct report_case *what);

#endif
