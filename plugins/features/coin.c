/*
 * coin: addresses and keys of crypto currencies in a run of letters and digits: Base58Check [Bitcoin
 * developer reference; SLIP-132 for extended keys, BIP-38], bech32 and bech32m [BIP-173, BIP-350], Ethereum
 * with the check of EIP-55, Monero [Cryptonote standard 007]. Version bytes: the projects' own parameters
 * (chainparams).
 */
#include "plugins/features/examiners.h"
#include "plugins/features/keccak.h"

#include "engine/base/hash.h"

#include <stdio.h>
#include <string.h>

enum { RUN_MAX = 128, BASE58_MAX = 112, BYTES_MAX = 96 };

static int base58_value(uint8_t c)
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    const char *at = c != 0 ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

/* Big-endian bytes of a number in base 58, leading "1" as leading zeros; SIZE_MAX: not base 58, or more than
 * `room`. */
static size_t base58_decode(const uint8_t *text, size_t size, uint8_t *ret, size_t room)
{
    size_t count = 0, zeros = 0;

    while (zeros < size && text[zeros] == '1')
        zeros++;
    for (size_t i = zeros; i < size; i++) {
        int value = base58_value(text[i]);
        unsigned carry = (unsigned)value;

        if (value < 0)
            return SIZE_MAX;
        for (size_t k = 0; k < count; k++) {
            carry += 58U * ret[k];
            ret[k] = (uint8_t)carry;
            carry >>= 8;
        }
        for (; carry > 0; carry >>= 8) {
            if (count == room)
                return SIZE_MAX;
            ret[count++] = (uint8_t)carry;
        }
    }
    if (count + zeros > room)
        return SIZE_MAX;
    memset(ret + count, 0, zeros);
    count += zeros;
    for (size_t i = 0; i < count / 2; i++) {
        uint8_t byte = ret[i];

        ret[i] = ret[count - 1 - i];
        ret[count - 1 - i] = byte;
    }
    return count;
}

/* The last four bytes are the first of the double SHA-256 of the others. */
static bool base58_check(struct finder *finder, const uint8_t *bytes, size_t size)
{
    uint8_t digest[SHA256_SIZE];

    hash_sha256_update(finder->sha256, bytes, size - 4);
    hash_sha256_final(finder->sha256, digest);
    hash_sha256_update(finder->sha256, digest, sizeof digest);
    hash_sha256_final(finder->sha256, digest);
    return memcmp(digest, bytes + size - 4, 4) == 0;
}

/* By the first bytes and the size of what is decoded. */
static const struct {
    const char *first;   /* characters that such a text can begin with */
    uint8_t least, most; /* characters */
    uint8_t version[4];
    uint8_t version_size, size; /* bytes, the check not counted */
    enum feature_kind kind;
    const char *what;
} base58_forms[] = {
    {"1", 25, 34, {0x00}, 1, 21, FEATURE_BITCOIN, "address"},
    {"3", 33, 35, {0x05}, 1, 21, FEATURE_BITCOIN, "script address"},
    {"L", 33, 34, {0x30}, 1, 21, FEATURE_LITECOIN, "address"},
    {"M", 33, 34, {0x32}, 1, 21, FEATURE_LITECOIN, "script address"},
    {"T", 34, 34, {0x41}, 1, 21, FEATURE_TRON, "address"},
    {"D", 33, 34, {0x1e}, 1, 21, FEATURE_DOGECOIN, "address"},
    {"X", 33, 34, {0x4c}, 1, 21, FEATURE_DASH, "address"},
    {"5", 51, 51, {0x80}, 1, 33, FEATURE_WALLET_KEY, "Bitcoin WIF"},
    {"KL", 52, 52, {0x80}, 1, 34, FEATURE_WALLET_KEY, "Bitcoin WIF, compressed"},
    {"6", 50, 51, {0xb0}, 1, 33, FEATURE_WALLET_KEY, "Litecoin WIF"},
    {"T", 52, 52, {0xb0}, 1, 34, FEATURE_WALLET_KEY, "Litecoin WIF, compressed"},
    {"6", 58, 58, {0x01, 0x42}, 2, 39, FEATURE_WALLET_KEY, "BIP-38"},
    {"6", 58, 58, {0x01, 0x43}, 2, 39, FEATURE_WALLET_KEY, "BIP-38, EC multiplied"},
    {"x", 111, 111, {0x04, 0x88, 0xad, 0xe4}, 4, 78, FEATURE_WALLET_KEY, "xprv"},
    {"x", 111, 111, {0x04, 0x88, 0xb2, 0x1e}, 4, 78, FEATURE_WALLET_KEY, "xpub"},
    {"y", 111, 111, {0x04, 0x9d, 0x78, 0x78}, 4, 78, FEATURE_WALLET_KEY, "yprv"},
    {"y", 111, 111, {0x04, 0x9d, 0x7c, 0xb2}, 4, 78, FEATURE_WALLET_KEY, "ypub"},
    {"z", 111, 111, {0x04, 0xb2, 0x43, 0x0c}, 4, 78, FEATURE_WALLET_KEY, "zprv"},
    {"z", 111, 111, {0x04, 0xb2, 0x47, 0x46}, 4, 78, FEATURE_WALLET_KEY, "zpub"},
};
enum { BASE58_FORMS = sizeof base58_forms / sizeof base58_forms[0] };

static void tell(struct finder *finder, const struct text *text, enum feature_kind kind,
                 enum feature_rank rank, size_t begin, size_t end, const char *normal, const char *what)
{
    char detail[64];
    const struct found found = {kind, rank, begin, end, normal, detail};

    snprintf(detail, sizeof detail, "{\"what\":\"%s\"}", what);
    finder->found(finder, text, &found);
}

static void look_base58(struct finder *finder, const struct text *text, size_t begin, size_t end)
{
    uint8_t bytes[BYTES_MAX];
    size_t size = 0;

    for (size_t i = 0; i < BASE58_FORMS; i++) {
        if (strchr(base58_forms[i].first, text->data[begin]) == NULL || end - begin < base58_forms[i].least ||
            end - begin > base58_forms[i].most)
            continue;
        if (size == 0)
            size = base58_decode(text->data + begin, end - begin, bytes, sizeof bytes);
        if (size == base58_forms[i].size + 4U &&
            memcmp(bytes, base58_forms[i].version, base58_forms[i].version_size) == 0 &&
            base58_check(finder, bytes, size)) {
            tell(finder, text, base58_forms[i].kind, RANK_CHECKSUM, begin, end, NULL, base58_forms[i].what);
            return;
        }
    }
}

/* ------------------------------------------------------------------ bech32 */

static const char bech32_alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod(uint32_t rest, uint32_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = rest >> 25;

    rest = (rest & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++)
        rest ^= (top >> i & 1) != 0 ? generator[i] : 0;
    return rest;
}

/* The witness program of five-bit values: its size in bytes, 0 when bits are left over that are not zero. */
static size_t program_size(const uint8_t *values, size_t count)
{
    size_t bits = 5 * count;
    unsigned rest = bits % 8;

    return rest < 5 && (values[count - 1] & ((1U << rest) - 1)) == 0 ? bits / 8 : 0;
}

static void look_bech32(struct finder *finder, const struct text *text, size_t begin, size_t end,
                        const char *prefix, enum feature_kind kind)
{
    enum { CHECK = 6, BECH32 = 1, BECH32M = 0x2bc830a3 };
    uint8_t values[96] = {0};
    char normal[96];
    size_t human = strlen(prefix), count = 0, program;
    uint32_t rest = 1;
    bool upper = false, lower = false;

    if (end - begin < human + 1 + 1 + CHECK || end - begin > 90 || text->data[begin + human] != '1')
        return;
    for (size_t i = 0; i < end - begin; i++) {
        uint8_t c = text->data[begin + i];

        upper = upper || is_upper(c);
        lower = lower || is_lower(c);
        normal[i] = (char)to_lower(c);
    }
    normal[end - begin] = '\0';
    if ((upper && lower) || strncmp(normal, prefix, human) != 0)
        return;
    for (size_t i = 0; i < human; i++)
        rest = polymod(rest, (uint8_t)prefix[i] >> 5);
    rest = polymod(rest, 0);
    for (size_t i = 0; i < human; i++)
        rest = polymod(rest, (uint8_t)prefix[i] & 31);
    for (const char *c = normal + human + 1; *c != '\0'; c++) {
        const char *at = strchr(bech32_alphabet, *c);

        if (at == NULL)
            return;
        values[count] = (uint8_t)(at - bech32_alphabet);
        rest = polymod(rest, values[count++]);
    }
    if (count <= CHECK + 1 || rest != (values[0] == 0 ? BECH32 : BECH32M) || values[0] > 16)
        return;
    program = program_size(values + 1, count - 1 - CHECK);
    if (program >= 2 && program <= 40 && (values[0] > 0 || program == 20 || program == 32))
        tell(finder, text, kind, RANK_CHECKSUM, begin, end, normal, values[0] == 0 ? "bech32" : "bech32m");
}

/* ------------------------------------------------------------------ Ethereum, Monero */

static void look_ethereum(struct finder *finder, const struct text *text, size_t begin, size_t end)
{
    enum { DIGITS = 40 };
    char normal[DIGITS + 3] = "0x", digits[DIGITS];
    uint8_t digest[KECCAK_SIZE];
    bool upper = false, lower = false, right = true, same = true;

    if (end - begin != DIGITS + 2 || text->data[begin] != '0' || text->data[begin + 1] != 'x')
        return;
    for (size_t i = 0; i < DIGITS; i++) {
        uint8_t c = text->data[begin + 2 + i];

        if (!is_hex(c))
            return;
        digits[i] = (char)to_lower(c);
        same = same && digits[i] == digits[0];
    }
    keccak256(digits, DIGITS, digest);
    for (size_t i = 0; i < DIGITS; i++) {
        uint8_t c = text->data[begin + 2 + i];
        bool capital = (digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15) >= 8;

        upper = upper || is_upper(c);
        lower = lower || is_lower(c);
        right = right && (is_digit(c) || is_upper(c) == capital);
        normal[2 + i] = (char)(is_digit((uint8_t)digits[i]) || !capital ? digits[i] : digits[i] - 0x20);
    }
    normal[2 + DIGITS] = '\0';
    if (same || (upper && lower && !right)) /* mixed case and wrong: changed, or none */
        return;
    tell(finder, text, FEATURE_ETHEREUM, upper && lower ? RANK_CHECKSUM : RANK_FORMAT, begin, end, normal,
         upper && lower ? "EIP-55" : "no check in it");
}

/* Blocks of eleven characters are eight bytes each, the last of seven (or fewer) characters five. */
static bool monero_decode(const uint8_t *text, size_t size, uint8_t *ret, size_t *ret_size)
{
    static const uint8_t bytes_of[12] = {
        [2] = 1, [3] = 2, [5] = 3, [6] = 4, [7] = 5, [9] = 6, [10] = 7, [11] = 8};

    *ret_size = 0;
    for (size_t i = 0; i < size; i += 11) {
        size_t count = size - i < 11 ? size - i : 11, bytes = bytes_of[count];
        uint64_t number = 0;

        if (bytes == 0)
            return false;
        for (size_t k = 0; k < count; k++) {
            int value = base58_value(text[i + k]);

            if (value < 0 || __builtin_mul_overflow(number, UINT64_C(58), &number) ||
                __builtin_add_overflow(number, (uint64_t)value, &number))
                return false;
        }
        if (bytes < 8 && number >> 8 * bytes != 0)
            return false;
        for (size_t k = 0; k < bytes; k++)
            ret[(*ret_size)++] = (uint8_t)(number >> 8 * (bytes - 1 - k));
    }
    return true;
}

static void look_monero(struct finder *finder, const struct text *text, size_t begin, size_t end)
{
    uint8_t bytes[BYTES_MAX], digest[KECCAK_SIZE];
    size_t size;

    if ((end - begin != 95 && end - begin != 106) || (text->data[begin] != '4' && text->data[begin] != '8') ||
        !monero_decode(text->data + begin, end - begin, bytes, &size))
        return;
    keccak256(bytes, size - 4, digest);
    if ((bytes[0] == 18 || bytes[0] == 19 || bytes[0] == 42) && memcmp(digest, bytes + size - 4, 4) == 0)
        tell(finder, text, FEATURE_MONERO, RANK_CHECKSUM, begin, end, NULL,
             bytes[0] == 18   ? "address"
             : bytes[0] == 19 ? "integrated address"
                              : "subaddress");
}

void examine_coin(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at, end = at;
    uint8_t before, after;

    while (begin > 0 && at - begin <= RUN_MAX && is_alnum(text->data[begin - 1]))
        begin--;
    if (strchr("0134568BDKLMTXblxyz", text->data[begin]) == NULL)
        return;
    while (end < text->size && end - begin <= RUN_MAX && is_alnum(text->data[end]))
        end++;
    before = text_at(text, begin - 1);
    after = text_at(text, end);
    /* In base64 such runs are chance. */
    if (end - begin < 25 || end - begin > RUN_MAX || before == '+' || after == '+' || before == '_' ||
        after == '_')
        return;
    look_base58(finder, text, begin, end);
    look_bech32(finder, text, begin, end, "bc", FEATURE_BITCOIN);
    look_bech32(finder, text, begin, end, "ltc", FEATURE_LITECOIN);
    look_ethereum(finder, text, begin, end);
    look_monero(finder, text, begin, end);
}
