/*
 * literals: bytes that every match of a string has.
 *
 * Sound, not complete: where none of a string's literals stands the string does not match. A plain string has
 * the most telling of its bytes, an xor string the differences between neighbours, which no key changes; any
 * other those around the short pieces ("atoms") that libyara itself chose to seek it by (atoms.h).
 */
#ifndef KVALI_PLUGINS_YARA_LITERALS_H
#define KVALI_PLUGINS_YARA_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yara.h>

enum {
    LITERAL_MIN = 3, /* shorter ones stand in most contents */
    LITERAL_MAX = 16,
    LITERAL_SPACE_MAX = 256, /* bytes that the telling ones are chosen from */
};

struct literal {
    uint8_t bytes[LITERAL_MAX];
    uint8_t size;
    bool nocase;     /* bytes are in lower case */
    bool difference; /* bytes are those of the content, each xor the one behind it */
    bool plain;      /* the whole string can be compared: it begins `at` bytes before the literal */
    uint8_t width;   /* of a plain string: 2 when a zero stands behind each byte */
    uint16_t at;
    uint32_t string; /* index in YR_RULES.strings_table */
    uint32_t reach;  /* no match with this literal goes further from it, to either side, in bytes */
};

struct literals {
    struct literal *items; /* sorted: equal patterns beside each other */
    size_t count, capacity;
    struct literal *shorts; /* of strings that have one too short to be sought everywhere; sorted by string */
    size_t short_count;
    uint8_t *anywhere; /* for each string one of these */
    bool failed;       /* no memory */
};

enum {
    ANYWHERE_NOT,   /* it has literals */
    ANYWHERE_SHORT, /* it has, but among `shorts` */
    ANYWHERE_ALL,   /* it may match in any content */
};

/* For all strings of `rules`. 0, -ENOMEM. */
int literals_find(const YR_RULES *rules, struct literals *ret);
void literals_finish(struct literals *literals);

/* What every match has one behind the other: bytes, and between them others that are not known (`known` is
 * false; there may be any number of these). */
struct literal_space {
    uint8_t bytes[LITERAL_SPACE_MAX];
    bool known[LITERAL_SPACE_MAX];
    size_t size;
};

/* Notes a literal: the most telling bytes of the space. The other fields are taken from `like`. */
void literals_add(struct literals *literals, const struct literal *like, const struct literal_space *space);

/* Is it what libyara compares byte by byte, with no key? */
bool literal_is_plain(const YR_STRING *string);

/* Order of the patterns, whatever string they are of. */
int literal_compare(const struct literal *one, const struct literal *two);

/* Which two bytes stand beside each other in a content: one look at it for all short literals. */
struct literal_pairs {
    uint8_t stands[256][256]; /* 1: the first, and the second behind it */
};
void literal_pairs_learn(struct literal_pairs *pairs, const uint8_t *data, size_t size);
/* False: the literal stands nowhere in the content. */
bool literal_pairs_have(const struct literal_pairs *pairs, const struct literal *literal);

/* Does the plain string of the literal, of which `before` bytes end with the literal, stand there in all its
 * length? `data` has `size` bytes. */
bool literal_stands(const struct literal *literal, const YR_STRING *string, const uint8_t *data, size_t size,
                    size_t before);

#endif
