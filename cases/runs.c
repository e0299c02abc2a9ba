/* runs: see runs.h. */
#include "cases/runs.h"

#include <string.h>

static bool read_number(const char **at, uint64_t *ret)
{
    uint64_t number = 0;
    const char *c = *at;
    while (*c >= '0' && *c <= '9')
        number = number * 10 + (uint64_t)(*c++ - '0');
    if (c == *at || c - *at > 19)
        return false;
    *at = c;
    *ret = number;
    return true;
}

static void pass_over(const char **at)
{
    while (**at == '[' || **at == ']' || **at == ',' || **at == ' ')
        (*at)++;
}

bool runs_next(const char **at, uint64_t *ret_offset, uint64_t *ret_size)
{
    pass_over(at);
    *ret_offset = UINT64_MAX;
    if (!strncmp(*at, "null", 4))
        *at += 4;
    else if (!read_number(at, ret_offset))
        return false;
    pass_over(at);
    return read_number(at, ret_size);
}
