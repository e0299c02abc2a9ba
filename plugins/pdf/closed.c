/* closed: see closed.h. */
#include "plugins/pdf/closed.h"

#include <stdio.h>
#include <string.h>

enum { DICTIONARY = 4096, LOOKS = 64 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\0' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A number at *at, which moves behind it and behind blanks; -1: there is none. */
static long number(const uint8_t *data, size_t size, size_t *at)
{
    long value = -1;

    while (*at < size && is_space(data[*at]))
        ++*at;
    for (int i = 0; i < 9 && *at < size && is_digit(data[*at]); i++)
        value = (value < 0 ? 0 : value * 10) + (data[(*at)++] - '0');
    while (*at < size && is_space(data[*at]))
        ++*at;
    return value;
}

/* Behind `key` in [data, size), where no letter follows it; NULL. */
static const uint8_t *find_key(const uint8_t *data, size_t size, const char *key)
{
    size_t length = strlen(key);

    for (const uint8_t *at = data, *end = data + size;
         (at = memmem(at, (size_t)(end - at), key, length)) != NULL; at += length) {
        const uint8_t *behind = at + length;

        if (behind == end || !((*behind | 32) >= 'a' && (*behind | 32) <= 'z'))
            return behind;
    }
    return NULL;
}

static long number_of(const uint8_t *data, size_t size, const char *key)
{
    const uint8_t *behind = find_key(data, size, key);
    size_t at = 0;

    return behind != NULL ? number(behind, size - (size_t)(behind - data), &at) : -1;
}

/* The name behind `key`, without its '/'. */
static bool name_of(const uint8_t *data, size_t size, const char *key, char *ret, size_t room)
{
    const uint8_t *behind = find_key(data, size, key), *end = data + size;
    size_t length = 0;

    while (behind != NULL && behind < end && is_space(*behind))
        behind++;
    if (behind == NULL || behind == end || *behind++ != '/')
        return false;
    while (behind < end && length + 1 < room && *behind > ' ' && *behind < 127 &&
           strchr("/<>[]()%\\", *behind) == NULL)
        ret[length++] = (char)*behind++;
    ret[length] = '\0';
    return length > 0;
}

/* Where the object `id` `generation` stands: its bytes up to the next object's end; NULL. The last one
 * counts. */
static const uint8_t *find_object(const uint8_t *data, size_t size, long id, long generation,
                                  size_t *ret_size)
{
    char head[48];
    int length = snprintf(head, sizeof head, "%ld %ld obj", id, generation);
    const uint8_t *found = NULL, *at = data, *end = data + size;

    while ((at = memmem(at, (size_t)(end - at), head, (size_t)length)) != NULL) {
        if (at == data || !is_digit(at[-1]))
            found = at + length;
        at += length;
    }
    if (found != NULL) {
        size_t left = (size_t)(end - found) < DICTIONARY ? (size_t)(end - found) : DICTIONARY;
        const uint8_t *stop = memmem(found, left, "endobj", 6);

        *ret_size = stop != NULL ? (size_t)(stop - found) : left;
    }
    return found;
}

/* The dictionary that `behind` (of /Encrypt) names or is; NULL. */
static const uint8_t *dictionary_at(const uint8_t *data, size_t size, const uint8_t *behind, size_t *ret_size)
{
    size_t at = (size_t)(behind - data);
    long id, generation;

    while (at < size && is_space(data[at]))
        at++;
    if (at + 1 < size && data[at] == '<' && data[at + 1] == '<') {
        *ret_size = size - at < DICTIONARY ? size - at : DICTIONARY;
        return data + at;
    }
    id = number(data, size, &at);
    generation = id >= 0 ? number(data, size, &at) : -1;
    if (generation < 0 || at >= size || data[at] != 'R')
        return NULL;
    return find_object(data, size, id, generation, ret_size);
}

static void describe(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    long version = number_of(data, size, "/V"), revision = number_of(data, size, "/R");
    long bits = number_of(data, size, "/Length");
    char filter[24] = "", method[16] = "";

    name_of(data, size, "/Filter", filter, sizeof filter);
    name_of(data, size, "/CFM", method, sizeof method);
    bits = bits < 40 || bits > 256 ? 40 : bits;
    if (filter[0] != '\0' && strcmp(filter, "Standard") != 0)
        snprintf(ret, CLOSED_SIZE, "%s%s", filter, strstr(filter, "PubSec") != NULL ? " (certificates)" : "");
    else if (strcmp(method, "AESV3") == 0 || version >= 5)
        snprintf(ret, CLOSED_SIZE, "AES 256 (revision %ld)", revision);
    else if (strcmp(method, "AESV2") == 0)
        snprintf(ret, CLOSED_SIZE, "AES 128");
    else if (version == 4 && strcmp(method, "V2") == 0)
        snprintf(ret, CLOSED_SIZE, "RC4 128");
    else
        snprintf(ret, CLOSED_SIZE, "RC4 %ld", version == 1 ? 40 : bits);
}

bool closed_method(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    const uint8_t *at = data, *end = data + size;

    for (int looks = 0; looks < LOOKS && (at = find_key(at, (size_t)(end - at), "/Encrypt")) != NULL;
         looks++) {
        size_t dictionary_size;
        const uint8_t *dictionary = dictionary_at(data, size, at, &dictionary_size);

        if (dictionary != NULL && number_of(dictionary, dictionary_size, "/V") >= 0) {
            describe(dictionary, dictionary_size, ret);
            return true;
        }
    }
    return false;
}
