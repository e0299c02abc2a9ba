/*
 * secret: private keys in PEM [RFC 7468, OpenSSH PROTOCOL.key], OpenPGP armor with its CRC-24 [RFC 9580, 6],
 * passwords in clear text, HTTP's basic authentication [RFC 7617], and tokens of services, which begin with
 * something of their own (rules/features/token.tsv).
 */
#include "plugins/features/examiners.h"

#include "engine/base/hash.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ARMOR_MAX = 12 * 1024, LABEL_MAX = 48, PASSWORD_MAX = 64 };

static int base64_value(uint8_t c)
{
    return is_upper(c)            ? c - 'A'
           : is_lower(c)          ? c - 'a' + 26
           : is_digit(c)          ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

/* Decodes as far as it goes; white space is passed over. The number of bytes; *ret_end is where it stopped.
 */
static size_t base64_decode(const struct text *text, size_t begin, size_t end, uint8_t *ret, size_t room,
                            size_t *ret_end)
{
    unsigned bits = 0, held = 0;
    size_t count = 0, i = begin;

    for (; i < end && i < text->size; i++) {
        int value = base64_value(text->data[i]);

        if (is_space(text->data[i]))
            continue;
        if (value < 0)
            break;
        held = held << 6 | (unsigned)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (count == room)
                break;
            ret[count++] = (uint8_t)(held >> bits);
        }
    }
    *ret_end = i;
    return count;
}

/* ------------------------------------------------------------------ armor */

static uint32_t crc24(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xb704ce;

    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 16;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864cfb : 0);
    }
    return crc & 0xffffff;
}

static size_t find(const struct text *text, size_t from, size_t to, const char *word)
{
    const uint8_t *at = from < to ? memmem(text->data + from, to - from, word, strlen(word)) : NULL;

    return at != NULL ? (size_t)(at - text->data) : SIZE_MAX;
}

struct armor {
    char label[LABEL_MAX + 1];
    size_t begin, body, body_end, end; /* end of the last line, 0 when it is not there */
};

static bool read_armor(const struct text *text, size_t at, struct armor *ret)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    size_t label = at + sizeof begin - 1,
           label_end =
               find(text, label, label + LABEL_MAX < text->size ? label + LABEL_MAX : text->size, "-----"),
           limit = text->size - at < ARMOR_MAX ? text->size : at + ARMOR_MAX;

    if (label_end == SIZE_MAX)
        return false;
    *ret = (struct armor){.begin = at, .body = label_end + 5};
    memcpy(ret->label, text->data + label, label_end - label);
    ret->body_end = find(text, ret->body, limit, end);
    if (ret->body_end == SIZE_MAX)
        ret->body_end = limit;
    else
        ret->end = ret->body_end + sizeof end - 1 + strlen(ret->label) + 5;
    return ret->end <= text->size;
}

/* Behind headers of armor ("Version: ...") and the empty line. */
static size_t skip_headers(const struct text *text, const struct armor *armor)
{
    size_t i = armor->body, line = i;

    for (; i < armor->body_end; i++) {
        if (text->data[i] != '\n')
            continue;
        if (memchr(text->data + line, ':', i - line) == NULL && i > line + 2)
            return line;
        line = i + 1;
    }
    return armor->body;
}

static void tell_armor(struct finder *finder, const struct text *text, const struct armor *armor,
                       enum feature_kind kind, enum feature_rank rank, const uint8_t *bytes, size_t size)
{
    char normal[SHA256_HEX_SIZE + 8] = "sha256:", detail[LABEL_MAX + 64];
    size_t line = armor->body;
    const struct found found = {kind, rank, armor->begin, line, normal, detail};

    hash_sha256_hex(bytes, size, normal + 7);
    for (const char *c = armor->label; *c != '\0'; c++) {
        if (!is_upper((uint8_t)*c) && !is_digit((uint8_t)*c) && *c != ' ')
            return;
    }
    snprintf(detail, sizeof detail, "{\"what\":\"%s\",\"bytes\":%zu,\"whole\":%s}", armor->label, size,
             armor->end > 0 ? "true" : "false");
    finder->found(finder, text, &found);
}

void examine_armor(struct finder *finder, const struct text *text, size_t at)
{
    uint8_t bytes[ARMOR_MAX], crc[3];
    struct armor armor;
    size_t size, stopped, ignored;

    if (!read_armor(text, at, &armor))
        return;
    size = base64_decode(text, skip_headers(text, &armor), armor.body_end, bytes, sizeof bytes, &stopped);
    if (strncmp(armor.label, "PGP ", 4) == 0) {
        bool fits;

        while (text_at(text, stopped) == '=' && text_at(text, stopped + 1) == '=')
            stopped++;
        while (text_at(text, stopped) == '=' && is_space(text_at(text, stopped + 1)))
            for (stopped++; is_space(text_at(text, stopped));)
                stopped++;
        fits = text_at(text, stopped) == '=' &&
               base64_decode(text, stopped + 1, stopped + 5, crc, sizeof crc, &ignored) == 3 &&
               ((uint32_t)crc[0] << 16 | (uint32_t)crc[1] << 8 | crc[2]) == crc24(bytes, size);
        tell_armor(finder, text, &armor, FEATURE_PGP, fits ? RANK_CHECKSUM : RANK_FORMAT, bytes, size);
    } else if (strstr(armor.label, "PRIVATE KEY") != NULL && size >= 32) {
        /* DER begins with a SEQUENCE, OpenSSH's form with its name; a key under a passphrase may have
         * headers. */
        bool fits = bytes[0] == 0x30 || memcmp(bytes, "openssh-key-v1", 15) == 0;

        tell_armor(finder, text, &armor, FEATURE_PRIVATE_KEY, fits ? RANK_CONTEXT : RANK_FORMAT, bytes, size);
    }
}

/* ------------------------------------------------------------------ passwords */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* What programs write where a password will be. */
static bool is_word_of_code(const uint8_t *value, size_t size)
{
    static const char *const words[] = {"null",     "none",      "true",     "false",         "string",
                                        "password", "passwd",    "required", "optional",      "secret",
                                        "value",    "undefined", "empty",    "text",          "char",
                                        "bool",     "self",      "this",     "your_password", "yourpassword",
                                        "changeme", "function",  "return",   "varchar",       "property"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == size && strncasecmp(words[i], (const char *)value, size) == 0)
            return true;
    }
    return false;
}

static bool is_password(const uint8_t *value, size_t size, bool quoted)
{
    bool digit = false, same = true, other = false;

    if (size < 4 || size > PASSWORD_MAX || is_word_of_code(value, size) ||
        strchr("$%{<([*&|=.,;:/\\", value[0]) != NULL)
        return false;
    for (size_t i = 0; i < size; i++) {
        digit = digit || is_digit(value[i]);
        same = same && value[i] == value[0];
        other = other || strchr("(){}<>[];", value[i]) != NULL;
    }
    return !same && !(other && !digit) && (quoted || digit || !other) && memmem(value, size, "()", 2) == NULL;
}

void examine_credential(struct finder *finder, const struct text *text, size_t at)
{
    size_t i = at, begin, end;
    struct found found = {.kind = FEATURE_CREDENTIAL};
    uint8_t quote = 0, sign;

    if (is_alnum(text_at(text, at - 1)))
        return;
    while (i < text->size && i - at < 20 && (is_letter(text->data[i]) || text->data[i] >= 0x80))
        i++;
    i += text_at(text, i) == '"' || text_at(text, i) == '\'';
    while (is_blank(text_at(text, i)) && i - at < 24)
        i++;
    sign = text_at(text, i++);
    if ((sign != ':' && sign != '=') || text_at(text, i) == '=' || text_at(text, i) == ':')
        return;
    for (size_t k = 0; k < 3 && is_blank(text_at(text, i)); k++)
        i++;
    if (text_at(text, i) == '"' || text_at(text, i) == '\'')
        quote = text->data[i++];
    begin = end = i;
    while (end < text->size && end - begin <= PASSWORD_MAX && text->data[end] >= (quote != 0 ? ' ' : '!') &&
           text->data[end] != 0x7f &&
           (quote != 0 ? text->data[end] != quote : strchr(",;&\"'<", text->data[end]) == NULL))
        end++;
    if (!is_password(text->data + begin, end - begin, quote != 0) ||
        (quote != 0 && text_at(text, end) != quote))
        return;
    found.begin = begin;
    found.end = end;
    found.rank = finder_near(text, CONTEXT_LOGIN, at, end) ? RANK_CONTEXT : RANK_FORMAT;
    finder->found(finder, text, &found);
}

void examine_basic(struct finder *finder, const struct text *text, size_t at)
{
    uint8_t plain[PASSWORD_MAX * 2];
    char normal[sizeof plain + 1];
    size_t end, size = base64_decode(text, at, at + PASSWORD_MAX * 2, plain, sizeof plain, &end), colon = 0;
    const struct found found = {FEATURE_CREDENTIAL,         RANK_CONTEXT, at, end, normal,
                                "{\"what\":\"HTTP basic\"}"};

    while (end > at && is_space(text->data[end - 1]))
        return;
    for (size_t i = 0; i < size; i++) {
        if (plain[i] < ' ' || plain[i] == 0x7f)
            return;
        colon = plain[i] == ':' && colon == 0 ? i : colon;
        normal[i] = (char)plain[i];
    }
    normal[size] = '\0';
    if (colon > 0 && colon + 1 < size)
        finder->found(finder, text, &found);
}

/* ------------------------------------------------------------------ tokens */

static bool in_alphabet(enum token_alphabet alphabet, uint8_t c)
{
    switch (alphabet) {
    case TOKEN_UPPER:
        return is_upper(c) || is_digit(c);
    case TOKEN_HEX:
        return is_hex(c) && !is_upper(c);
    case TOKEN_WORD:
        return is_alnum(c) || c == '_';
    case TOKEN_URL:
        return is_alnum(c) || c == '_' || c == '-';
    case TOKEN_DOTTED:
        return is_alnum(c) || c == '_' || c == '-' || c == '.';
    default:
        return is_alnum(c);
    }
}

static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* The last six characters are the CRC-32 of those between the prefix and them, in base 62. */
static bool crc_fits(const uint8_t *rest, size_t size)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t crc = crc32(rest, size - 6);

    for (size_t i = 0; i < 6; i++, crc /= 62) {
        if (rest[size - 1 - i] != (uint8_t)alphabet[crc % 62])
            return false;
    }
    return true;
}

static bool is_jwt(const struct text *text, size_t begin, size_t end)
{
    uint8_t header[512];
    const uint8_t *first = memchr(text->data + begin, '.', end - begin);
    size_t stopped, size;

    if (first == NULL || memchr(first + 1, '.', (size_t)(text->data + end - first) - 1) == NULL)
        return false;
    size = base64_decode(text, begin, (size_t)(first - text->data), header, sizeof header, &stopped);
    return size > 2 && header[0] == '{' && memmem(header, size, "\"alg\"", 5) != NULL;
}

/* Where the digits begin that stand before a Telegram bot's token; `at` when they are not eight to ten. */
static size_t bot_begin(const struct text *text, size_t at)
{
    size_t begin = at;

    while (begin > 0 && at - begin < 11 && is_digit(text->data[begin - 1]))
        begin--;
    return at - begin >= 8 && at - begin <= 10 && !is_alnum(text_at(text, begin - 1)) ? begin : at;
}

/* A key of some chance has capitals, small letters and digits; a word, a name or a row of X has not. */
static bool is_random(const struct text *text, size_t begin, size_t end)
{
    bool digit = false, letter = false;
    unsigned changes = 0;

    for (size_t i = begin; i < end; i++) {
        digit = digit || is_digit(text->data[i]);
        letter = letter || is_letter(text->data[i]);
        changes += i > begin && text->data[i] != text->data[i - 1];
    }
    return digit && letter && changes * 2 > end - begin;
}

void examine_token(struct finder *finder, const struct text *text, size_t at, const struct table_token *token)
{
    size_t rest = at + strlen(token->prefix), end = rest,
           begin = token->check == TOKEN_BOT ? bot_begin(text, at) : at;
    char detail[96];
    struct found found = {FEATURE_TOKEN, RANK_CONTEXT, begin, 0, NULL, detail};

    while (end < text->size && end - rest <= token->most && in_alphabet(token->alphabet, text->data[end]))
        end++;
    while (end > rest && text->data[end - 1] == '.')
        end--;
    if (end - rest < token->least || end - rest > token->most || (token->check == TOKEN_BOT && begin == at) ||
        (token->check != TOKEN_BOT &&
         (is_alnum(text_at(text, at - 1)) || text_at(text, at - 1) == '+' || text_at(text, at - 1) == '/')) ||
        text_at(text, end) == '+' || text_at(text, end) == '/' || is_alnum(text_at(text, end)) ||
        !is_random(text, rest, end))
        return;
    if (token->check == TOKEN_JWT && !is_jwt(text, at, end))
        return;
    if (token->check == TOKEN_CRC)
        found.rank = crc_fits(text->data + rest, end - rest) ? RANK_CHECKSUM : RANK_FORMAT;
    found.end = end;
    snprintf(detail, sizeof detail, "{\"what\":\"%.60s\"}", token->name);
    finder->found(finder, text, &found);
}
