/* locked: encrypted members of a ZIP archive, and which of the examiner's passwords opens them. */
#ifndef KVALI_ARCHIVE_LOCKED_H
#define KVALI_ARCHIVE_LOCKED_H

#include "plugins/archive/member.h"
#include "plugins/archive/reader.h"
#include "plugins/archive/zip_header.h"

/* Of one archive; begins as zeros. */
struct locked {
    size_t password; /* number of the one that opened a member last */
    unsigned trials; /* wrong ones so far; their number is limited */
    char key[64];    /* that one, in words: its salted digest */
    bool said;       /* that the limit is reached */
};

/* Opens the member, whose data end at `end`. member->key says with which password, as words that live as long
 * as `locked`, or why none opens it; it stays as it is when none was given. 0: *ret_reader is to be closed.
 * -ENOENT: no password opens it. -ENOTSUP: its encryption or method is not read. Other negative errno: as
 * reader_open_one. */
int locked_open(struct locked *locked, struct opened *opened, const struct zip_entry *entry,
                struct member *member, uint64_t end, struct reader **ret_reader);

#endif
