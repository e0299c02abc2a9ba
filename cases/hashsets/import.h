/*
 * import: rows of known hashes from files of other programs, told by content, into a set.
 *
 * These files are the lab's, never evidence; but they come from far, so each is read as if it were hostile.
 */
#ifndef KVALI_CASES_HASHSETS_IMPORT_H
#define KVALI_CASES_HASHSETS_IMPORT_H

#include "engine/hashset/build.h"

struct import_progress {
    const char *phase;   /* "reading", "sorting" */
    uint64_t done, size; /* bytes of the files; thousandths of the sorting */
    uint64_t rows;
};

struct import_options {
    const char *path; /* of the set to be */
    const char *name;
    enum hashset_kind kind;
    bool replace;
    uint64_t memory;
    /* Called a few times a second at most matters; negative stops the import with that code. May be NULL. */
    int (*each)(void *context, const struct import_progress *progress);
    void *context;
};

/* What came of one file. */
struct import_result {
    const char *format; /* static */
    uint64_t lines, rows, bad,
        first_bad; /* lines (entries) read; rows taken; what was no row, and the line of the first */
};

/* Makes a set from `count` files. `ret_results` has `count` members. `why` names the file. -EBADMSG: a file
 * of no format that is known, or one that is cut short or holds nothing; -EINTR or what `each` said; others
 * of the disk. On failure nothing is left behind. */
int import_files(const struct import_options *options, const char *const *paths, size_t count,
                 struct import_result *ret_results, uint64_t *ret_labels_lost, struct why *why);

#endif
