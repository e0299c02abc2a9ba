/*
 * tables: what decides what counts, from rules/features/<name>.tsv; '#' begins a comment line, one TAB stands
 * between columns. Each file says where its facts come from.
 */
#ifndef KVALI_PLUGINS_FEATURES_TABLES_H
#define KVALI_PLUGINS_FEATURES_TABLES_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Groups of context words: context.tsv. */
enum context {
    CONTEXT_PHONE,
    CONTEXT_PERSONAL,
    CONTEXT_LEGAL,
    CONTEXT_VEHICLE,
    CONTEXT_IMEI,
    CONTEXT_LOGIN,
    CONTEXT_PLACE,
    CONTEXTS,
};

enum token_alphabet {
    TOKEN_UPPER,
    TOKEN_ALNUM,
    TOKEN_HEX,
    TOKEN_WORD,
    TOKEN_URL,
    TOKEN_DOTTED,
    TOKEN_ALPHABETS
};
enum token_check { TOKEN_PLAIN, TOKEN_CRC, TOKEN_JWT, TOKEN_BOT, TOKEN_CHECKS };

enum { TABLE_SLOTS = 8192 };

struct tables {
    struct table_word {
        char *word; /* without the bars */
        bool whole_before, whole_after;
        enum context group;
    } * words;
    struct table_token {
        char *name, *prefix;
        bool whole_before; /* a bar stands before the prefix */
        enum token_alphabet alphabet;
        uint32_t least, most; /* characters behind the prefix */
        enum token_check check;
    } * tokens;
    struct table_card {
        char *issuer;
        uint32_t first, last; /* prefixes of `digits` digits */
        uint32_t digits;
        uint32_t lengths; /* bit n: n digits */
    } * cards;
    struct table_calling {
        char *code, *country;
        uint32_t least, most; /* digits behind the code */
    } * callings;
    struct table_iban {
        char country[3];
        char form[128]; /* one of n, a, c for each character */
        uint32_t size;  /* characters of `form` */
    } * ibans;
    struct table_name {
        char *name;
        size_t size;
        uint32_t value; /* top-level domains: 1 when it counts alone; words of BIP-39: their number */
    } * tlds, *seeds;
    uint16_t tld_slots[TABLE_SLOTS],
        seed_slots[TABLE_SLOTS]; /* number of the name + 1, by the hash of its text */
    size_t word_count, token_count, card_count, calling_count, iban_count, tld_count, seed_count;
};

/* Loads the folder, and tells the engine of each file (setup_loaded). -EINVAL with file and line for a row
 * that is wrong, -ENOENT, -ENOMEM. *ret_tables is freed with tables_free. */
int tables_load(const char *folder, struct tables **ret_tables, struct why *why);
void tables_free(struct tables *tables);

/* Of `size` bytes of ASCII in either case; NULL: not in the list. */
const struct table_name *tables_tld(const struct tables *tables, const uint8_t *name, size_t size);
/* Of a word in lower case. */
const struct table_name *tables_seed(const struct tables *tables, const uint8_t *word, size_t size);
const struct table_iban *tables_iban(const struct tables *tables, const uint8_t country[2]);
/* The country whose code the digits begin with and whose plan has so many; NULL: none. */
const struct table_calling *tables_calling(const struct tables *tables, const char *digits, size_t size);
const struct table_card *tables_card(const struct tables *tables, const char *digits, size_t size);

#endif
