/*
 * encodedword: see encodedword.h.
 */
#include "plugins/carve/formats/encodedword.h"

#include <string.h>
#include <strings.h>

struct word {
    const char *data;
    size_t size;   /* of the data */
    size_t whole;  /* of all, from "=?" to "?=" */
    char encoding; /* 'B' or 'Q' */
};

struct sink {
    char *out;
    size_t size, room;
};

static void put(struct sink *sink, char c)
{
    if (sink->size < sink->room)
        sink->out[sink->size++] = c;
}

/* Is `text` an encoded word of a character set that need not be converted? */
static int take_word(struct word *ret, const char *text, size_t size)
{
    static const char *const sets[] = {"=?utf-8?", "=?us-ascii?"};
    const char *end;

    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(sets[i]);

        if (size < length + 4 || strncasecmp(text, sets[i], length) != 0 || text[length + 1] != '?')
            continue;
        ret->encoding = (char)(text[length] & ~0x20);
        ret->data = text + length + 2;
        end = memmem(ret->data, size - length - 2, "?=", 2);
        if (end == NULL || (ret->encoding != 'B' && ret->encoding != 'Q'))
            return 0;
        ret->size = (size_t)(end - ret->data);
        ret->whole = (size_t)(end + 2 - text);
        return 1;
    }
    return 0;
}

static int digit(char c, const char *digits)
{
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

static void decode_base64(struct sink *sink, const struct word *word)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;

    for (size_t i = 0; i < word->size; i++) {
        int n = digit(word->data[i], digits);

        if (n < 0)
            continue;
        bits = (bits << 6 | (unsigned)n) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            put(sink, (char)(bits >> count & 0xff));
        }
    }
}

static int hex(char c)
{
    int n = digit(c, "0123456789ABCDEFabcdef");

    return n > 15 ? n - 6 : n;
}

static void decode_quoted(struct sink *sink, const struct word *word)
{
    for (size_t i = 0; i < word->size; i++) {
        char c = word->data[i];

        if (c == '=' && i + 2 < word->size && hex(word->data[i + 1]) >= 0 && hex(word->data[i + 2]) >= 0) {
            put(sink, (char)(hex(word->data[i + 1]) << 4 | hex(word->data[i + 2])));
            i += 2;
        } else {
            put(sink, c == '_' ? ' ' : c);
        }
    }
}

/* White space between two encoded words is not part of the text. */
static size_t space_before_word(const char *text, size_t size)
{
    struct word word;
    size_t n = 0;

    while (n < size && (text[n] == ' ' || text[n] == '\t'))
        n++;
    return n < size && take_word(&word, text + n, size - n) ? n : 0;
}

size_t encodedword_decode(const char *text, size_t size, char *ret, size_t room)
{
    struct sink sink = {ret, 0, room};
    struct word word;

    for (size_t i = 0; i < size;) {
        if (!take_word(&word, text + i, size - i)) {
            put(&sink, text[i++]);
            continue;
        }
        if (word.encoding == 'B')
            decode_base64(&sink, &word);
        else
            decode_quoted(&sink, &word);
        i += word.whole;
        i += space_before_word(text + i, size - i);
    }
    return sink.size;
}
