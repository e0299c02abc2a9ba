/*
 * runs: where the bytes of a stream lie, as t_stream.runs has it: "[[offset,bytes],[null,bytes],...]", null for a hole.
 */
#ifndef KVALI_CASES_RUNS_H
#define KVALI_CASES_RUNS_H

#include <stdbool.h>
#include <stdint.h>

/* The next run of the text at *at, which moves on; *ret_offset is UINT64_MAX for a hole. False at the end, and where the text is not
 * of that form. */
bool runs_next(const char **at, uint64_t *ret_offset, uint64_t *ret_size);

#endif
