/*
 * finder: what the examiners of features share. An examiner looks at a text around one place where something
 * may be, and says what is there. It is a pure function of that text and of the tables: it keeps nothing, and
 * does not know where the text comes from (bytes of the stream as they are, or decoded UTF-16).
 */
#ifndef KVALI_PLUGINS_FEATURES_FINDER_H
#define KVALI_PLUGINS_FEATURES_FINDER_H

#include "plugins/features/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum feature_kind {
    FEATURE_EMAIL,
    FEATURE_URL,
    FEATURE_DOMAIN,
    FEATURE_IPV4,
    FEATURE_IPV6,
    FEATURE_MAC,
    FEATURE_PHONE,
    FEATURE_CARD,
    FEATURE_IBAN,
    FEATURE_BITCOIN,
    FEATURE_LITECOIN,
    FEATURE_DOGECOIN,
    FEATURE_DASH,
    FEATURE_TRON,
    FEATURE_ETHEREUM,
    FEATURE_MONERO,
    FEATURE_WALLET_KEY, /* WIF, extended keys, BIP-38 */
    FEATURE_SEED_PHRASE,
    FEATURE_PRIVATE_KEY, /* in PEM */
    FEATURE_PGP,
    FEATURE_ONION,
    FEATURE_TELEGRAM,
    FEATURE_WHATSAPP,
    FEATURE_VIBER,
    FEATURE_GPS,
    FEATURE_IMEI,
    FEATURE_ICCID,
    FEATURE_PERSONAL_NO, /* Georgian */
    FEATURE_LEGAL_ID,    /* Georgian */
    FEATURE_PLATE,       /* Georgian */
    FEATURE_MRZ,
    FEATURE_CREDENTIAL,
    FEATURE_TOKEN,
    FEATURE_USB_SERIAL,
    FEATURE_USER_NAME,
    FEATURE_KINDS,
};

/* How sure it is that it is what it looks like. */
enum feature_rank { RANK_FORMAT, RANK_CONTEXT, RANK_CHECKSUM };

/* The name in records: "email", "ge_personal_no" ... */
const char *feature_kind_name(enum feature_kind kind);
const char *feature_rank_name(enum feature_rank rank);

struct text {
    const uint8_t *data;
    size_t size;
    /* Where context words are, in order of place; not all need be there. */
    const struct place {
        uint32_t begin, end;
        uint32_t group; /* enum context */
    } * places;
    size_t place_count;
};

/* One byte of the text, 0 outside of it: so that a look at a neighbour needs no test. `i` may have wrapped
 * below 0. */
static inline uint8_t text_at(const struct text *text, size_t i)
{
    return i < text->size ? text->data[i] : 0;
}

/* Something found: bytes [begin, end) of the text. */
struct found {
    enum feature_kind kind;
    enum feature_rank rank;
    size_t begin, end;
    const char *normal; /* NULL: the bytes as they are. Any bytes but NUL; it is escaped later */
    const char *detail; /* a JSON object, or NULL */
};

enum {
    FEATURE_MAX = 2048, /* bytes of the longest feature's text that is followed */
    FEATURE_NEAR = 64,  /* how far a context word may be */
};

struct hash_sha256;
struct finder {
    const struct tables *tables;
    struct hash_sha256 *sha256; /* for double SHA-256, borrowed */
    void (*found)(struct finder *finder, const struct text *text, const struct found *found);
    void *context;
};

/* Is a word of this group within FEATURE_NEAR bytes before `begin` or half as far behind `end`? */
bool finder_near(const struct text *text, enum context group, size_t begin, size_t end);

/* An examiner. `at` is the place where the trigger (masks.h) or core (cores.h) fired; each says which. */
typedef void examiner(struct finder *finder, const struct text *text, size_t at);

/* Character classes (ASCII only). */
static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}
static inline bool is_upper(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26;
}
static inline bool is_lower(uint8_t c)
{
    return (uint8_t)(c - 'a') < 26;
}
static inline bool is_letter(uint8_t c)
{
    return is_lower(c | 0x20);
}
static inline bool is_alnum(uint8_t c)
{
    return is_digit(c) || is_letter(c);
}
static inline bool is_hex(uint8_t c)
{
    return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}
static inline bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
static inline uint8_t to_lower(uint8_t c)
{
    return is_upper(c) ? c | 0x20 : c;
}

#endif
