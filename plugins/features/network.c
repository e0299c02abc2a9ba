/* network: addresses of IP [RFC 791, RFC 4291, RFC 5952] and of network cards [IEEE 802]. */
#include "plugins/features/examiners.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* One number of a dotted quad from `*at` on, which moves behind it. */
static bool octet(const struct text *text, size_t *at)
{
    size_t begin = *at;
    unsigned value = 0;

    while (*at - begin < 3 && is_digit(text_at(text, *at)))
        value = value * 10 + (text->data[(*at)++] - '0');
    return *at > begin && value <= 255 && (*at - begin == 1 || text->data[begin] != '0');
}

bool network_is_ipv4(const struct text *text, size_t begin, size_t end)
{
    for (int i = 0; i < 4; i++) {
        if ((i > 0 && text_at(text, begin++) != '.') || !octet(text, &begin))
            return false;
    }
    return begin == end;
}

/* How many of the four numbers are larger than those of versions mostly are. */
static unsigned large_numbers(const struct text *text, size_t begin, size_t end)
{
    enum { VERSION_USUAL = 31 };
    unsigned count = 0, number = 0;

    for (size_t i = begin; i < end; i++) {
        number = text->data[i] == '.' ? 0 : number * 10 + (text->data[i] - '0');
        count += (i + 1 == end || text->data[i + 1] == '.') && number > VERSION_USUAL;
    }
    return count;
}

/* Four numbers with dots are more often a version than an address where most are 0, or where the word stands
 * before them and no two of them are large. */
static bool is_version(const struct text *text, size_t begin, size_t end)
{
    static const char word[] = "ersion";

    if (end - begin >= 5 && memcmp(text->data + end - 5, "0.0.0", 5) == 0)
        return true;
    if (large_numbers(text, begin, end) >= 2)
        return false;
    for (size_t i = begin > 14 ? begin - 14 : 0; i + sizeof word - 1 <= begin; i++) {
        if (memcmp(text->data + i, word, sizeof word - 1) == 0)
            return true;
    }
    return false;
}

void examine_ipv4(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at, end;
    struct found found = {.kind = FEATURE_IPV4};
    uint8_t before, after;

    while (begin > 0 && at - begin < 4 && is_digit(text->data[begin - 1]))
        begin--;
    end = begin;
    for (int i = 0; i < 4; i++) {
        if ((i > 0 && text_at(text, end++) != '.') || !octet(text, &end))
            return;
    }
    before = text_at(text, begin - 1);
    after = text_at(text, end);
    if (is_alnum(before) || before == '.' || before == '_' || before == '-' || is_alnum(after) ||
        after == '_' || after == '-' || (after == '.' && is_alnum(text_at(text, end + 1))) ||
        is_version(text, begin, end))
        return;
    found.begin = begin;
    found.end = end;
    finder->found(finder, text, &found);
}

static bool is_ipv6(uint8_t c)
{
    return is_hex(c) || c == ':';
}

/* What the syntax allows and no address looks like: "a::b" is C++, "1:2:3" a time. */
static bool is_likely(const char *address, const uint8_t bytes[16])
{
    size_t colons = 0, digits = 0;

    for (const char *c = address; *c != '\0'; c++) {
        colons += *c == ':';
        digits += is_digit((uint8_t)*c);
    }
    return digits > 0 && colons >= 3 &&
           (bytes[0] & 0xe0 ? (bytes[0] >> 5 == 1 || bytes[0] >= 0xfc) : bytes[0] == 0 && bytes[1] == 0x64);
}

void examine_ipv6(struct finder *finder, const struct text *text, size_t at)
{
    char address[INET6_ADDRSTRLEN], normal[INET6_ADDRSTRLEN];
    size_t begin = at, end = at;
    uint8_t bytes[16];
    struct found found = {.kind = FEATURE_IPV6, .normal = normal};

    while (begin > 0 && is_ipv6(text->data[begin - 1]) && at - begin < sizeof address)
        begin--;
    while (end < text->size && is_ipv6(text->data[end]) && end - begin < sizeof address)
        end++;
    if (end > begin && text->data[end - 1] == ':' && text_at(text, end - 2) != ':')
        end--;
    if (end - begin < 6 || end - begin >= sizeof address || is_alnum(text_at(text, begin - 1)) ||
        is_alnum(text_at(text, end)) || text_at(text, begin - 1) == '.' || text_at(text, begin - 1) == '_' ||
        text_at(text, end) == '_')
        return;
    memcpy(address, text->data + begin, end - begin);
    address[end - begin] = '\0';
    if (inet_pton(AF_INET6, address, bytes) != 1 || !is_likely(address, bytes) ||
        inet_ntop(AF_INET6, bytes, normal, sizeof normal) == NULL)
        return;
    found.begin = begin;
    found.end = end;
    finder->found(finder, text, &found);
}

void examine_mac(struct finder *finder, const struct text *text, size_t at)
{
    enum { SIZE = 17 };
    char normal[SIZE + 1];
    uint8_t separator = text_at(text, at);
    size_t begin = at - 2;
    struct found found = {.kind = FEATURE_MAC, .begin = begin, .end = begin + SIZE, .normal = normal};
    unsigned kinds = 0;

    if (at < 2 || begin + SIZE > text->size || is_alnum(text_at(text, begin - 1)) ||
        is_alnum(text_at(text, begin + SIZE)) || text_at(text, begin - 1) == separator ||
        text_at(text, begin + SIZE) == separator)
        return;
    for (size_t i = 0; i < SIZE; i++) {
        uint8_t c = text->data[begin + i];

        if (i % 3 == 2 ? c != separator : !is_hex(c))
            return;
        normal[i] = (char)(i % 3 == 2 ? ':' : to_lower(c));
        kinds |= i % 3 == 2 ? 0 : c == text->data[begin] ? 1 : 2;
    }
    normal[SIZE] = '\0';
    if (kinds == 3) /* not all the same */
        finder->found(finder, text, &found);
}
