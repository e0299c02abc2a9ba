/*
 * wide: runs of UTF-16 between other bytes, found by their ASCII characters, and decoded to UTF-8 with the
 * place of every byte.
 */
#ifndef KVALI_PLUGINS_FEATURES_WIDE_H
#define KVALI_PLUGINS_FEATURES_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wide {
    uint8_t *text;  /* owned: UTF-8 */
    uint32_t *from; /* owned: where in the data each byte of `text` comes from; one more at the end */
    size_t size, capacity;
    size_t begin, end; /* of the run in the data */
    bool big_endian;
};

/* Decodes the run that `at` (TRIGGER_WIDE) lies in. `odd`: the data begins at an odd offset of its stream,
 * which decides between the byte orders when nothing else does. Letters of Georgian, Cyrillic and Armenian
 * belong to a run too. 0, -ENOMEM; size 0: there is none. */
int wide_decode(struct wide *wide, const uint8_t *data, size_t size, size_t at, bool odd);
void wide_finish(struct wide *wide);

#endif
