/* chain: seed phrases of wallets [BIP-39] and onion addresses [Tor rend-spec-v3]: words and letters with a
 * check inside. */
#include "plugins/features/examiners.h"
#include "plugins/features/keccak.h"

#include "engine/base/hash.h"

#include <string.h>

enum { WORDS_MAX = 24, RUN_WORDS = 64, GAP_MAX = 8, JUMP = 32 };

struct word {
    size_t begin, end;
    uint32_t number;
};

/* The word around or behind `at`, when it is in the list. */
static bool word_at(const struct finder *finder, const struct text *text, size_t at, struct word *ret)
{
    const struct table_name *name;

    ret->begin = ret->end = at;
    while (ret->begin > 0 && at - ret->begin < 16 && is_lower(text->data[ret->begin - 1]))
        ret->begin--;
    while (ret->end < text->size && ret->end - at < 16 && is_lower(text->data[ret->end]))
        ret->end++;
    if (ret->end - ret->begin < 3 || ret->end - ret->begin > 8)
        return false;
    name = tables_seed(finder->tables, text->data + ret->begin, ret->end - ret->begin);
    ret->number = name != NULL ? name->value : 0;
    return name != NULL;
}

/* Between words of one phrase: white space, a comma, a number with a dot. */
static inline bool is_between(uint8_t c)
{
    static const bool between[256] = {
        [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true, [','] = true, ['.'] = true,
        [')'] = true, ['0'] = true,  ['1'] = true,  ['2'] = true,  ['3'] = true, ['4'] = true,
        ['5'] = true, ['6'] = true,  ['7'] = true,  ['8'] = true,  ['9'] = true};

    return between[c];
}

static bool word_before(const struct finder *finder, const struct text *text, size_t begin, struct word *ret)
{
    size_t i = begin;

    while (i > 0 && begin - i <= GAP_MAX && is_between(text->data[i - 1]))
        i--;
    return i > 0 && i < begin && is_lower(text->data[i - 1]) && word_at(finder, text, i - 1, ret);
}

static bool word_behind(const struct finder *finder, const struct text *text, size_t end, struct word *ret)
{
    size_t i = end;

    while (i < text->size && i - end <= GAP_MAX && is_between(text->data[i]))
        i++;
    return i > end && i < text->size && is_lower(text->data[i]) && word_at(finder, text, i, ret);
}

/* The bits behind the words' entropy are the first of its SHA-256. */
static bool phrase_is_valid(struct finder *finder, const struct word *words, size_t count)
{
    uint8_t bits[WORDS_MAX * 11 / 8 + 1] = {0}, digest[SHA256_SIZE];
    size_t check = count / 3, entropy = count * 11 - check;

    for (size_t i = 0; i < count * 11; i++) {
        if ((words[i / 11].number >> (10 - i % 11) & 1) != 0)
            bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    hash_sha256_update(finder->sha256, bits, entropy / 8);
    hash_sha256_final(finder->sha256, digest);
    return bits[entropy / 8] >> (8 - check) == digest[0] >> (8 - check);
}

/* Words joined by single spaces. */
static void tell_phrase(struct finder *finder, const struct text *text, const struct word *words,
                        size_t count)
{
    char normal[WORDS_MAX * 9 + 1];
    size_t size = 0;
    const struct found found = {FEATURE_SEED_PHRASE,  RANK_CHECKSUM, words[0].begin,
                                words[count - 1].end, normal,        NULL};

    for (size_t i = 0; i < count; i++) {
        memcpy(normal + size, text->data + words[i].begin, words[i].end - words[i].begin);
        size += words[i].end - words[i].begin;
        normal[size++] = ' ';
    }
    normal[size - 1] = '\0';
    finder->found(finder, text, &found);
}

/* "true, false, false ...": both are words of the list, and programs are full of such rows. */
static bool is_row_of_flags(const struct text *text, const struct word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *word = text->data + words[i].begin;
        size_t size = words[i].end - words[i].begin;

        if (!(size == 4 && memcmp(word, "true", 4) == 0) && !(size == 5 && memcmp(word, "false", 5) == 0))
            return false;
    }
    return true;
}

/* The phrase that `words` begin with, its number of words; 0: none. */
static size_t phrase_size(struct finder *finder, const struct word *words, size_t count, bool at_end)
{
    static const size_t sizes[] = {24, 12, 18, 21,
                                   15}; /* as wallets use them, for a short check fits by chance */

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] <= count && phrase_is_valid(finder, at_end ? words + count - sizes[i] : words, sizes[i]))
            return sizes[i];
    }
    return 0;
}

/* A phrase begins where the words of the list begin, or behind another phrase, or ends where they end: other
 * words of the list beside it are chance. */
static void look_phrase(struct finder *finder, const struct text *text, const struct word *words,
                        size_t count)
{
    size_t size;

    if (is_row_of_flags(text, words, count))
        return;
    while (count >= 12 && (size = phrase_size(finder, words, count, false)) > 0) {
        tell_phrase(finder, text, words, size);
        words += size;
        count -= size;
    }
    size = count >= 12 ? phrase_size(finder, words, count, true) : 0;
    if (size > 0)
        tell_phrase(finder, text, words + count - size, size);
}

/* All words of the list side by side around one; returns where they end. */
static size_t gather_words(struct finder *finder, const struct text *text, struct word word)
{
    struct word words[RUN_WORDS];
    size_t before = 0, count;

    while (before < RUN_WORDS / 2 && word_before(finder, text, word.begin, &words[0])) {
        word = words[0];
        before++;
    }
    words[0] = word;
    for (count = 1; count < RUN_WORDS && word_behind(finder, text, words[count - 1].end, &words[count]);)
        count++;
    if (count >= 12)
        look_phrase(finder, text, words, count);
    return words[count - 1].end;
}

/* What every processor of a kind compares at once. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

static inline sixteen of_run(const uint8_t *data)
{
    sixteen c;

    memcpy(&c, data, sizeof c);
    return (sixteen)((c - 'a' < 26) | (c - '0' < 10) | (c == ' ') | (c - '\t' < 2) | (c == '\r') |
                     (c == ',') | (c == '.') | (c == ')'));
}

/* Do all of the next JUMP bytes belong to the run? Side by side. */
static inline bool goes_on(const uint8_t *data)
{
    sixteen both = of_run(data) & of_run(data + sizeof(sixteen));
    uint64_t all[2];

    memcpy(all, &both, sizeof all);
    return (all[0] & all[1]) == UINT64_MAX;
}

static size_t begin_of_run(const struct text *text, size_t at)
{
    size_t begin = at;

    while (begin >= JUMP && at - begin < 2 * JUMP && goes_on(text->data + begin - JUMP))
        begin -= JUMP;
    while (begin > 0 && at - begin < 2 * JUMP &&
           (is_lower(text->data[begin - 1]) || is_between(text->data[begin - 1])))
        begin--;
    return begin;
}

/* Twelve words take 47 bytes or more, so one of them lies at every step that is no longer than that less the
 * longest word. */
void examine_seed(struct finder *finder, const struct text *text, size_t at)
{
    struct word word;

    for (size_t i = begin_of_run(text, at);
         i < text->size && (is_lower(text->data[i]) || is_between(text->data[i]));) {
        while (i < text->size && is_between(text->data[i]))
            i++;
        if (word_at(finder, text, i, &word))
            i = gather_words(finder, text, word);
        if (text->size - i < JUMP || !goes_on(text->data + i))
            return;
        i += JUMP;
    }
}

/* ------------------------------------------------------------------ onion */

static bool base32_decode(const uint8_t *text, size_t size, uint8_t *ret)
{
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < size; i++) {
        uint8_t c = to_lower(text[i]);

        if (!is_lower(c) && (c < '2' || c > '7'))
            return false;
        held = held << 5 | (is_lower(c) ? (unsigned)(c - 'a') : (unsigned)(c - '2') + 26);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *ret++ = (uint8_t)(held >> bits);
        }
    }
    return true;
}

void examine_onion(struct finder *finder, const struct text *text, size_t at)
{
    enum { V3 = 56, KEY = 32 };
    static const char word[] = ".onion checksum";
    uint8_t bytes[V3 * 5 / 8], input[sizeof word - 1 + KEY + 1], digest[KECCAK_SIZE];
    char normal[V3 + sizeof ".onion"];
    struct found found = {FEATURE_ONION, RANK_CHECKSUM, at - V3, at + 6, normal, "{\"version\":3}"};

    if (at < V3 || is_alnum(text_at(text, at - V3 - 1)) || is_alnum(text_at(text, at + 6)) ||
        !base32_decode(text->data + at - V3, V3, bytes))
        return;
    memcpy(input, word, sizeof word - 1);
    memcpy(input + sizeof word - 1, bytes, KEY);
    input[sizeof input - 1] = bytes[KEY + 2];
    sha3_256(input, sizeof input, digest);
    if (bytes[KEY + 2] != 3 || memcmp(digest, bytes + KEY, 2) != 0)
        return;
    for (size_t i = 0; i < sizeof normal - 1; i++)
        normal[i] = (char)to_lower(text->data[at - V3 + i]);
    normal[sizeof normal - 1] = '\0';
    finder->found(finder, text, &found);
}
