/* hexstring: see hexstring.h. Jumps, wildcards and alternatives end a row of bytes. */
#include "plugins/yara/hexstring.h"

#include <stdbool.h>
#include <string.h>

enum { ROW_MAX = 64 };

struct row {
    uint8_t bytes[ROW_MAX];
    size_t size;
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes that stand everywhere say little, and so does one that repeats the last. */
static unsigned worth(const uint8_t *bytes, size_t size)
{
    static const uint8_t common[] = {0x00, 0xff, 0xcc, 0x90, 0x20};
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += memchr(common, bytes[i], sizeof common) != NULL || (i > 0 && bytes[i] == bytes[i - 1]) ? 1 : 4;
    return sum;
}

struct best {
    uint8_t *bytes;
    size_t most, size;
    unsigned worth;
};

/* The row ends. */
static void end_row(struct row *row, struct best *best)
{
    size_t size = row->size < best->most ? row->size : best->most;

    for (size_t at = 0; size > 0 && at + size <= row->size; at++) {
        unsigned value = worth(row->bytes + at, size);

        if (value <= best->worth)
            continue;
        best->worth = value;
        best->size = size;
        memcpy(best->bytes, row->bytes + at, size);
    }
    row->size = 0;
}

static void add_byte(struct row *row, struct best *best, uint8_t byte)
{
    if (row->size == ROW_MAX)
        end_row(row, best);
    row->bytes[row->size++] = byte;
}

/* To behind a comment that begins at `at`, or `at`. */
static size_t pass_comment(const char *text, size_t size, size_t at)
{
    const char *end;

    if (size - at < 2 || text[at] != '/')
        return at;
    if (text[at + 1] == '/') {
        end = memchr(text + at, '\n', size - at);
        return end != NULL ? (size_t)(end - text) : size;
    }
    end = text[at + 1] == '*' ? memmem(text + at + 2, size - at - 2, "*/", 2) : NULL;
    return end != NULL ? (size_t)(end - text) + 2 : size;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t hexstring_bytes(const char *text, size_t size, uint8_t *ret, size_t most)
{
    struct best best = {.bytes = ret, .most = most};
    struct row row = {.size = 0};
    unsigned depth = 0;

    for (size_t at = 0; at < size; at++) {
        size_t behind = pass_comment(text, size, at);
        int high = digit(text[at]), low = at + 1 < size ? digit(text[at + 1]) : -1;

        if (behind > at) {
            at = behind - 1;
            continue;
        }
        if (is_space(text[at]))
            continue;
        if (depth == 0 && high >= 0 && low >= 0) {
            add_byte(&row, &best, (uint8_t)(high * 16 + low));
            at++;
            continue;
        }
        end_row(&row, &best);
        depth += text[at] == '(' || text[at] == '[';
        depth -= depth > 0 && (text[at] == ')' || text[at] == ']');
        if (depth == 0 && (high >= 0 || text[at] == '?' || text[at] == '~'))
            at += text[at] == '~' ? 2 : 1; /* a byte of which not all is told */
    }
    end_row(&row, &best);
    return best.size;
}
