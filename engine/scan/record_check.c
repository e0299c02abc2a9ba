/*
 * record_check: printable UTF-8 and JSON (RFC 8259), checked without building
 * anything: what arrives is hostile, and what is stored is later given to SQLite's JSON functions and to
 * browsers.
 */
#include "engine/scan/record_check.h"

#include "engine/base/text.h"

#include <stdint.h>
#include <string.h>

/* Eight bytes of ASCII, none of them a control character: most of all that comes. */
static bool is_plain(const uint8_t *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t bytes;

    memcpy(&bytes, at, sizeof bytes);
    /* Below 0x80: less than 0x20 loses its top bit in the first sum, and 0x7f gets one in the second. */
    return (bytes & tops) == 0 && ((bytes + ones * 0x60) & tops) == tops && ((bytes + ones) & tops) == 0;
}

bool record_text_is_printable(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint32_t code;

    while (size > 0) {
        if (size >= sizeof(uint64_t) && is_plain(at)) {
            at += sizeof(uint64_t);
            size -= sizeof(uint64_t);
            continue;
        }
        size_t length = text_character(at, size, &code);

        if (length == 0 || text_is_hidden(code))
            return false;
        at += length;
        size -= length;
    }
    return true;
}

/* What is being read; a failed take leaves `at` at `end`. */
struct cursor {
    const char *at, *end;
};

static void blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
}

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at >= cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool take_digits(struct cursor *cursor)
{
    const char *start = cursor->at;

    while (cursor->at < cursor->end && is_digit(*cursor->at))
        cursor->at++;
    return cursor->at > start;
}

static bool take_number(struct cursor *cursor)
{
    take(cursor, '-');
    if (!take(cursor, '0') && !take_digits(cursor))
        return false;
    if (take(cursor, '.') && !take_digits(cursor))
        return false;
    if (take(cursor, 'e') || take(cursor, 'E')) {
        if (!take(cursor, '+'))
            take(cursor, '-');
        return take_digits(cursor);
    }
    return true;
}

/* The characters themselves have been checked to be printable. */
static bool take_string(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    while (cursor->at < cursor->end) {
        char c = *cursor->at++;

        if (c == '"')
            return true;
        if (c != '\\')
            continue;
        if (cursor->at >= cursor->end)
            return false;
        c = *cursor->at++;
        if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
            return false;
        for (int i = 0; c == 'u' && i < 4; i++) {
            if (cursor->at >= cursor->end || !is_hex(*cursor->at++))
                return false;
        }
    }
    return false;
}

static bool take_scalar(struct cursor *cursor)
{
    if (cursor->at >= cursor->end)
        return false;
    if (*cursor->at == '"')
        return take_string(cursor);
    if (*cursor->at == '-' || is_digit(*cursor->at))
        return take_number(cursor);
    return take_word(cursor, "true") || take_word(cursor, "false") || take_word(cursor, "null");
}

/* `"key" :` before a member of an object; nothing inside an array. */
static bool take_key(struct cursor *cursor, bool object)
{
    if (!object)
        return true;
    blanks(cursor);
    if (!take_string(cursor))
        return false;
    blanks(cursor);
    return take(cursor, ':');
}

/* Closes what ends here and takes the comma that must follow otherwise. True: a value follows, or depth is 0.
 */
static bool after_value(struct cursor *cursor, uint64_t objects, unsigned *depth)
{
    while (*depth > 0) {
        bool object = (objects >> (*depth - 1) & 1) != 0;

        blanks(cursor);
        if (take(cursor, ','))
            return take_key(cursor, object);
        if (!take(cursor, object ? '}' : ']'))
            return false;
        --*depth;
    }
    return true;
}

bool record_json_is_valid(const void *data, size_t size)
{
    struct cursor cursor = {data, (const char *)data + size};
    uint64_t objects = 0; /* bit n: level n + 1 is an object, else an array */
    unsigned depth = 0;

    if (!record_text_is_printable(data, size))
        return false;
    do {
        bool object;

        blanks(&cursor);
        object = take(&cursor, '{');
        if (object || take(&cursor, '[')) {
            if (depth == 64)
                return false;
            objects = (objects & ~(UINT64_C(1) << depth)) | (uint64_t)object << depth;
            depth++;
            blanks(&cursor);
            if (cursor.at >= cursor.end)
                return false;
            if (*cursor.at != (object ? '}' : ']')) {
                if (!take_key(&cursor, object))
                    return false;
                continue;
            }
        } else if (!take_scalar(&cursor)) {
            return false;
        }
        if (!after_value(&cursor, objects, &depth))
            return false;
    } while (depth > 0);
    blanks(&cursor);
    return cursor.at == cursor.end;
}
