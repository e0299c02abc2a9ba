/*
 * inflate: decoding compressed data or base64 from wherever it begins to its end or to where it breaks.
 */
#ifndef KVALI_PLUGINS_UNPACK_INFLATE_H
#define KVALI_PLUGINS_UNPACK_INFLATE_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inflate_form { INFLATE_GZIP, INFLATE_ZLIB, INFLATE_RAW };

/* The next bytes of the input: their number, 0 at its end, a negative errno. */
typedef int64_t inflate_read(void *context, void *data, size_t size);
/* Takes what comes out: 0 or a negative errno, which ends the work. */
typedef int inflate_write(void *context, const void *data, size_t size);

struct inflated {
    bool worth; /* what comes out first is no error and not next to nothing */
};

/* Warms zlib before the sandbox closes. */
int inflate_setup(struct why *why);

/* Decodes the beginning only. 0, -EIO and what `read` answers, -ENOMEM. */
int inflate_probe(enum inflate_form form, inflate_read *read, void *context, struct inflated *ret);
int base64_probe(inflate_read *read, void *context, struct inflated *ret);

/* Everything. 0: to its end; -EBADMSG: it breaks, what came before was written; what `read` or `write`
 * answers. */
int inflate_all(enum inflate_form form, inflate_read *read, void *in, inflate_write *write, void *out);
int base64_all(inflate_read *read, void *in, inflate_write *write, void *out);

#endif
