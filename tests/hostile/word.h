/*
 * word: a hostile plugin does its deed on streams that begin with its word, and leaves all others alone.
 */
#ifndef KVALI_TESTS_HOSTILE_WORD_H
#define KVALI_TESTS_HOSTILE_WORD_H

#include "engine/plugin.h"

#include <string.h>

static inline bool begins_with(struct scan *scan, const char *word)
{
    const uint8_t *data;

    return scan_peek(scan, 0, strlen(word), &data) == 0 && memcmp(data, word, strlen(word)) == 0;
}

#endif
